"""Reads a source whole in a process of its own and says how much memory that took: `peak.py CONNECTOR LOCATION OPTIONS SPOOL` (JSON)."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from lienthong.connectors import ReadContext, get_connector
from lienthong.connectors.outward import read_networks
from lienthong.contracts import Source


def main() -> None:
    connector, location, options, spool = sys.argv[1:]
    source = Source("file", connector, location, options=json.loads(options))
    context = ReadContext(batch_rows=5_000, spool=Path(spool), networks=read_networks("127.0.0.0/8"))
    get_connector(connector).fingerprint(source, context)
    rows = sum(batch.table.num_rows for batch in get_connector(connector).read(source, context))
    told = next(line for line in Path("/proc/self/status").read_text("ascii").splitlines() if line.startswith("VmHWM"))
    print(json.dumps({"rows": rows, "mib": int(told.split()[1]) / 1024}))  # read by the test; not ru_maxrss: that counts the parent


if __name__ == "__main__":
    main()
