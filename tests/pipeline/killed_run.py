"""A run in a process of its own that kills itself without warning (SIGKILL) at the n-th sign of progress of a step.

Arguments: database URL, file, step, n, and for a file elsewhere the option `folder` (JSON) and the spool. Prints the outcome when it lives to the end.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from dataclasses import replace
from pathlib import Path

from lienthong.connectors.outward import read_networks
from lienthong.contracts import Source
from lienthong.pipeline import Progress, run_dataset
from tests.factories import make_contract, make_workshop


def main() -> None:
    url, file, step, times = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
    seen = 0

    def die_there(progress: Progress) -> None:
        nonlocal seen
        seen += progress.step == step
        if seen == times:
            if step == "landing" and len(sys.argv) > 6:
                _wait_until_fetched(Path(sys.argv[6]))
            os.kill(os.getpid(), signal.SIGKILL)

    options = {"folder": json.loads(sys.argv[5])} if len(sys.argv) > 5 else {}
    contract = make_contract(sources=(Source("file", "csv_file", file, options=options),))
    workshop = make_workshop(url, contract, apply=False)
    if options:
        context = replace(workshop.read_context, spool=Path(sys.argv[6]), networks=read_networks("127.0.0.0/8"))
        workshop = replace(workshop, read_context=context)
    print(run_dataset(workshop, contract, on_progress=die_there).state)


def _wait_until_fetched(spool: Path) -> None:
    """Landing begins while a file is still fetched: it is whole when the spool remembers it."""
    until = time.monotonic() + 30
    while time.monotonic() < until and not any(spool.rglob("known.json")):
        time.sleep(0.01)


if __name__ == "__main__":
    main()
