"""Ten million rows through each reader of files, and whether memory grows with them.

Files are written in a stream, read in a process of its own, every batch let go of; a tenth of the rows shows
that the peak does not grow. XML has one row an element, with a comment now and then, so that both of its roads are gone.
"""

from __future__ import annotations

import argparse
import json
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import parquet

from bench.installed import INSTALLED
from bench.report import Row, at_most
from lienthong import connectors
from lienthong.connectors import ReadContext
from lienthong.contracts import Source

ISSUE = 6
MOST_MIB = 1_536
MOST_GROWTH = 1.3
PART = 50_000  # rows written at once


def _parts(rows: int) -> Iterator[range]:
    return (range(first, min(first + PART, rows)) for first in range(0, rows, PART))


def _text(path: Path, rows: int, head: str, line: Callable[[int], str], tail: str = "") -> None:
    with path.open("w", encoding="utf-8") as stream:
        stream.write(head)
        for part in _parts(rows):
            stream.write("".join(map(line, part)))
        stream.write(tail)


def write_csv(path: Path, rows: int) -> None:
    _text(path, rows, "ma,ten,xa\n", lambda n: f"{n:09d},Nguyễn Văn {n % 9000},{n % 600}\n")


def write_lines(path: Path, rows: int) -> None:
    _text(path, rows, "", lambda n: f'{{"ma":"{n:09d}","ten":"Nguyễn Văn {n % 9000}","xa":{n % 600}}}\n')


def write_xml(path: Path, rows: int) -> None:
    def line(n: int) -> str:
        note = "<!-- ghi chú -->" if n % 20_011 == 0 else ""
        return f"<r>{note}<ma>{n:09d}</ma><ten>Nguyễn Văn {n % 9000}</ten><xa>{n % 600}</xa></r>\n"

    _text(path, rows, "<ds>\n", line, "</ds>\n")


def write_parquet(path: Path, rows: int) -> None:
    schema = pa.schema([("ma", pa.string()), ("ten", pa.string()), ("xa", pa.int64())])
    with parquet.ParquetWriter(path, schema) as writer:
        for part in _parts(rows):
            columns = [[f"{n:09d}" for n in part], [f"Nguyễn Văn {n % 9000}" for n in part], [n % 600 for n in part]]
            writer.write_table(pa.table(columns, schema=schema))


def write_dbf(path: Path, rows: int) -> None:
    fields = [("MA", 9), ("TEN", 20), ("XA", 4)]
    with path.open("wb") as stream:
        length = 1 + sum(size for _, size in fields)
        stream.write(struct.pack("<BBBBIHH20x", 3, 126, 6, 30, rows, 33 + 32 * len(fields), length))
        stream.writelines(struct.pack("<11sc4xBB14x", name.encode(), b"C", size, 0) for name, size in fields)
        stream.write(b"\r")
        for part in _parts(rows):
            stream.write(b"".join(b" %09d%-20b%-4d" % (n, b"nguy\xd4n v\xa8n %d" % (n % 9000), n % 600) for n in part))
        stream.write(b"\x1a")


KINDS: Mapping[str, tuple[str, Callable[[Path, int], None], Mapping[str, Any]]] = {
    "CSV": ("csv_file", write_csv, {}),
    "JSON lines": ("json_file", write_lines, {}),
    "Parquet": ("parquet_file", write_parquet, {}),
    "XML": ("xml_file", write_xml, {"row": "r", "fields": {"ma": "ma", "ten": "ten", "xa": "xa"}}),
    "DBF": ("dbf_file", write_dbf, {}),
}


def read_through(connector: str, path: Path, options: Mapping[str, Any]) -> dict[str, float]:
    """Rows, seconds, and peak memory (MiB) of this process; what reads Parquet is a child with a bound of its own."""
    began, rows = time.perf_counter(), 0
    for batch in connectors.read(Source("file", connector, str(path), options=options), ReadContext()):
        rows += batch.table.num_rows
    seconds = time.perf_counter() - began
    told = next(line for line in Path("/proc/self/status").read_text("ascii").splitlines() if line.startswith("VmHWM"))
    return {"rows": rows, "seconds": seconds, "peak_mib": int(told.split()[1]) / 1024}


def in_process(kind: str, path: Path) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, "-m", "bench.flat", "--kind", kind, "--path", str(path)], capture_output=True, text=True, check=True, env=INSTALLED
    )
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def measure(folder: Path, rows: int, kinds: tuple[str, ...] = tuple(KINDS)) -> list[Row]:
    """Two rows of the report for each reader: its peak, and its growth from a tenth of the rows."""
    report: list[Row] = []
    for kind in kinds:
        peaks = []
        for count in (rows // 10, rows):
            path = folder / f"flat-{count}"
            KINDS[kind][1](path, count)
            found = in_process(kind, path)
            path.unlink()
            if found["rows"] != count:
                raise AssertionError(f"{kind}: {found['rows']:,.0f} rows read of {count:,}")
            peaks.append(found["peak_mib"])
        told = f"{found['rows'] / found['seconds']:,.0f} rows/s; {peaks[0]:,.0f} MiB for a tenth"
        report += [
            at_most(f"{kind}, {rows:,} rows read, peak memory", peaks[1], MOST_MIB, "MiB", told, ISSUE),
            at_most(f"{kind}, peak of ten times the rows", peaks[1] / peaks[0], MOST_GROWTH, "×", f"{peaks[1]:,.0f} MiB", ISSUE),
        ]
    return report


if __name__ == "__main__":
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--kind", required=True)
    arguments.add_argument("--path", type=Path, required=True)
    given = arguments.parse_args()
    connector, _, options = KINDS[given.kind]
    print(json.dumps(read_through(connector, given.path, options)))  # read by the parent
