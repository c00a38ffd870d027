"""Sources elsewhere: a large CSV over SFTP into the landing, beside the plainest road: OpenSSH's `sftp get`, then the same CSV reader.

Each is done in a process of its own, so that its peak memory is its own; a file of a tenth shows that the peak does not grow with the rows.
"""

from __future__ import annotations

import argparse
import getpass
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from bench import persons
from bench.installed import INSTALLED
from bench.loading import CONTRACT
from bench.peak import own_peak_mib
from bench.report import Row, at_least, at_most
from lienthong import connectors
from lienthong.clock import system_clock
from lienthong.connectors import ReadContext
from lienthong.connectors.outward import read_networks
from lienthong.contracts import Contract, Source, load
from lienthong.ledger import Signer
from lienthong.pipeline import Workshop, apply_contract
from lienthong.pipeline.land import land
from lienthong.pipeline.workshop import no_progress
from lienthong.store import Database, runs
from lienthong.store.embedded import EmbeddedServer

ISSUE = 6
ROW_BYTES = 131  # of a row of `persons`, about
HERE = read_networks("127.0.0.0/8")


@dataclass(frozen=True)
class Server:
    port: int
    host_key: str
    key_file: Path

    @property
    def url(self) -> str:
        return f"sftp://{getpass.getuser()}@127.0.0.1:{self.port}"


@contextmanager
def sshd(folder: Path) -> Iterator[Server]:
    """OpenSSH on this machine, which lets in who has the key made here."""
    folder.mkdir()
    program = shutil.which("sshd") or "/usr/sbin/sshd"
    for name in ("host", "own"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)], check=True)
    Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    (folder / "config").write_text(
        f"ListenAddress 127.0.0.1\nPort {port}\nHostKey {folder}/host\nAuthorizedKeysFile {folder}/own.pub\nStrictModes no\nUsePAM no\n"
        f"PermitRootLogin yes\nPidFile none\nSubsystem sftp internal-sftp\n",
        encoding="utf-8",
    )
    process = subprocess.Popen([program, "-D", "-f", str(folder / "config")], stderr=subprocess.DEVNULL)
    try:
        while True:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield Server(port, (folder / "host.pub").read_text("utf-8").strip(), folder / "own")
    finally:
        process.terminate()
        process.wait(10)


def plain(server: Server, csv: Path) -> tuple[float, float]:
    """Seconds of `sftp get` into a file, and of reading that file by our CSV reader, every batch let go of."""
    fetched = csv.with_suffix(".fetched")
    command = [
        "sftp", "-q", "-P", str(server.port), "-i", str(server.key_file), "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null",
        f"{getpass.getuser()}@127.0.0.1:{csv}", str(fetched),
    ]  # fmt: skip
    began = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    got = time.perf_counter() - began
    for _ in connectors.read(Source("file", "csv_file", str(fetched)), ReadContext()):
        pass
    read = time.perf_counter() - began - got
    fetched.unlink()
    return got, read


def ours(url: str, server: Server | None, csv: Path) -> dict[str, float]:
    """Seconds from the connection to the last row in the landing, rows, and peak memory (MiB) of this process; without a server the file is read here."""
    source = Source("file", "csv_file", str(csv))
    if server is not None:
        options = {"folder": {"host_key": server.host_key, "key_file": str(server.key_file)}}
        source = Source("file", "csv_file", f"{server.url}{csv}", options=options)
    os.environ["BENCH_CSV"] = str(csv)
    contract: Contract = replace(load(CONTRACT), sources=(source,))
    context = ReadContext(spool=csv.parent / "spool", networks=HERE)
    workshop = Workshop(Database(url), {contract.id: contract}, Signer.new("bench"), system_clock, context, True)
    workshop.database.apply_schema()
    apply_contract(workshop, contract)
    with workshop.database.connect(autocommit=True) as connection:
        began = time.perf_counter()
        coming = connectors.coming(source, context)
        fingerprint = connectors.fingerprint(source, context) if coming is None else coming.mark
        run = runs.begin(
            connection, contract.id, source.name, source.delivery.value, contract.digest, fingerprint, workshop.clock(), date(2026, 1, 1)
        )
        rows = sum(
            batch.table.num_rows
            for batch in land(workshop, connection, contract, source, run, None, no_progress, as_it_arrives=coming is not None)
        )
        seconds = time.perf_counter() - began
    return {"seconds": seconds, "rows": rows, "peak_mib": own_peak_mib()}


def in_process(url: str, server: Server | None, csv: Path) -> dict[str, float]:
    arguments = ["--url", url, "--csv", str(csv)]
    if server is not None:
        arguments += ["--port", str(server.port), "--key", str(server.key_file), "--host-key", server.host_key]
    done = subprocess.run(
        [sys.executable, "-m", "bench.sources", *arguments], capture_output=True, text=True, check=True, env={**os.environ, **INSTALLED}
    )
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def measure(server: EmbeddedServer, folder: Path, megabytes: int = 1_000) -> list[Row]:
    """Rows of the report on sources elsewhere."""
    rows = megabytes * 1_000_000 // ROW_BYTES
    large, small = folder / "sftp-large.csv", folder / "sftp-small.csv"
    persons.write(large, rows)
    persons.write(small, rows // 10)
    with sshd(folder / "sshd") as ssh:
        in_process(server.create_database("sources_warm"), ssh, small)
        a_tenth = in_process(server.create_database("sources_small"), ssh, small)
        mine = in_process(server.create_database("sources_large"), ssh, large)
        got, read = plain(ssh, large)
        here = in_process(server.create_database("sources_here"), None, large)
    size = large.stat().st_size
    reference = got + read
    told = f"sftp get, then the same CSV reader: {size / reference / 1e6:.0f} MB/s; {size / 1e6:.0f} MB, landing included in ours alone"
    landed = got + here["seconds"]
    also = f"sftp get, then the file landed from here: {size / landed / 1e6:.0f} MB/s"
    grown = mine["peak_mib"] / a_tenth["peak_mib"]
    for path in (large, small):
        path.unlink()
    return [
        at_least("CSV over SFTP into the landing, rate", reference / mine["seconds"], 0.7, "×", told, ISSUE),
        at_least("CSV over SFTP into the landing, beside the same landing", landed / mine["seconds"], 0.7, "×", also, ISSUE),
        at_most("CSV over SFTP, peak memory", mine["peak_mib"], 1_500, "MiB", f"{int(mine['rows']):,} rows", ISSUE),
        at_most("CSV over SFTP, peak of ten times the rows", grown, 1.2, "×", f"{a_tenth['peak_mib']:.0f} MiB for a tenth", ISSUE),
    ]


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    for name in ("--url", "--csv"):
        arguments.add_argument(name, required=True)
    for name in ("--port", "--key", "--host-key"):
        arguments.add_argument(name, default="")
    given = arguments.parse_args()
    server = Server(int(given.port), given.host_key, Path(given.key)) if given.port else None
    print(json.dumps(ours(given.url, server, Path(given.csv))))  # read by the parent


if __name__ == "__main__":
    main()
