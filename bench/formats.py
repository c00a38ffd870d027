"""Files of other kinds than CSV: a large workbook, a large XML document and a large DBF table into the landing, beside the plainest quick reader of each.

Each landing runs in a process of its own, so that its peak memory is its own; the readers of C libraries run in children of it, bounded apart.
"""

from __future__ import annotations

import argparse
import json
import os
import struct
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from bench.installed import INSTALLED
from bench.loading import reset
from bench.peak import own_peak_mib
from bench.report import Row, at_least, at_most
from lienthong.clock import system_clock, vietnam_date
from lienthong.connectors import ReadContext
from lienthong.contracts import load
from lienthong.ledger import Signer
from lienthong.pipeline import Workshop, apply_contract
from lienthong.pipeline.land import land
from lienthong.store import Database, runs

LEAST_RATE = 0.7  # of the plain reader, which keeps nothing
MOST_MEMORY_GIB = 1.5
COLUMNS = 20
XML_FIELDS = 9


def contract_of(folder: Path, name: str, columns: int, connector: str, location: Path, options: dict[str, Any]) -> Path:
    """A contract of text columns `c1`… over one file."""
    properties: list[dict[str, Any]] = [
        {"name": "c1", "logicalType": "string", "required": True, "primaryKey": True, "primaryKeyPosition": 1}
    ]
    properties += [{"name": f"c{number}", "logicalType": "string"} for number in range(2, columns + 1)]
    for each in properties:
        each["businessName"] = f"Cột {each['name']}"
    document = {
        "apiVersion": "v3.1.0", "kind": "DataContract", "id": f"bench.{name}", "name": f"Đo tốc độ {name}", "version": "1.0.0", "status": "active",
        "domain": "population", "description": {"purpose": "Để đo tốc độ."},
        "schema": [{"name": name, "physicalType": "table", "properties": properties}],
        "customProperties": [
            {"property": "titleEn", "value": name}, {"property": "agency", "value": "G01.70"}, {"property": "sharing", "value": "restricted"}, {"property": "layer", "value": "source"},
            {"property": "sources", "value": [{"name": "file", "connector": connector, "location": str(location), "options": options}]},
        ],
    }  # fmt: skip
    path = folder / f"{name}.yaml"
    path.write_text(yaml.safe_dump(document, allow_unicode=True), encoding="utf-8")
    return path


def land_once(url: str, path: Path) -> dict[str, float]:
    """Seconds of landing a contract's file, and this process's peak memory (MiB)."""
    contract = load(path)
    workshop = Workshop(Database(url), {contract.id: contract}, Signer.new("bench"), system_clock, ReadContext(), True)
    workshop.database.apply_schema()
    apply_contract(workshop, contract)
    source, now = contract.sources[0], system_clock()
    with workshop.database.connect() as connection:
        run_id = runs.begin(connection, contract.id, source.name, source.delivery.value, contract.digest, None, now, vietnam_date(now))
    rows = 0
    with workshop.database.connect(autocommit=True) as connection:
        began = time.perf_counter()
        for batch in land(workshop, connection, contract, source, run_id, None, lambda _: None):
            rows += batch.table.num_rows
        seconds = time.perf_counter() - began
    return {"seconds": seconds, "rows": rows, "peak_mib": own_peak_mib()}


def in_process(url: str, path: Path) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, "-m", "bench.formats", "--url", url, "--contract", str(path)],
        capture_output=True,
        text=True,
        check=True,
        env=INSTALLED,
    )
    answer: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return answer


def _timed(read: Callable[[Path], int], path: Path) -> float:
    began = time.perf_counter()
    read(path)
    return time.perf_counter() - began


# Workbooks


def write_workbook(path: Path, rows: int) -> Path:
    import xlsxwriter

    book = xlsxwriter.Workbook(str(path), {"constant_memory": True})
    sheet = book.add_worksheet("a")
    sheet.write_row(0, 0, [f"c{number}" for number in range(1, COLUMNS + 1)])
    for number in range(1, rows + 1):
        sheet.write_string(number, 0, f"{number:09d}")
        for place in range(1, 12):
            sheet.write_string(number, place, f"Giá trị {(number * place) % 3000}")
        for place in range(12, COLUMNS):
            sheet.write_number(number, place, number * place / 4)
    book.close()
    return path


def plain_workbook(path: Path) -> int:
    import fastexcel

    return int(fastexcel.read_excel(path).load_sheet(0, dtypes="string").to_arrow().num_rows)


# XML


def write_xml(path: Path, megabytes: int) -> Path:
    size, number = 0, 0
    with path.open("w", encoding="utf-8") as stream:
        stream.write("<DanhSach>\n")
        while size < megabytes << 20:
            lines = "".join(
                f'<GiayPhep loai="khoáng sản"><So>{n}/GP</So><Ngay>2026-01-31</Ngay><Chu><Ten>Công ty {n}</Ten><Ma>{n:010d}</Ma></Chu>'
                f"<DiaChi>Số {n}, ấp 5, xã Lộc Ninh</DiaChi><Von>{n}000000</Von><Nganh>Khai thác đá</Nganh><TrangThai>hoạt động</TrangThai></GiayPhep>\n"
                for n in range(number, number + 10_000)
            )
            size, number = size + stream.write(lines), number + 10_000
        stream.write("</DanhSach>\n")
    return path


XML_OPTIONS = {
    "row": "GiayPhep",
    "fields": {
        "c1": "So",
        "c2": "Ngay",
        "c3": "Chu/Ten",
        "c4": "Chu/Ma",
        "c5": "DiaChi",
        "c6": "Von",
        "c7": "Nganh",
        "c8": "TrangThai",
        "c9": "@loai",
    },
}


def plain_xml(path: Path) -> int:
    from lxml import etree

    rows = 0
    for _, element in etree.iterparse(str(path), tag="GiayPhep"):
        values = [element.get("loai"), *(child.text for child in element.iter())]
        rows += len(values) > 0
        element.clear(keep_tail=False)
        while element.getprevious() is not None:
            del element.getparent()[0]
    return rows


# DBF


def write_dbf(path: Path, rows: int) -> Path:
    fields = [("C1", 12), ("C2", 30), ("C3", 8), ("C4", 40), ("C5", 10), ("C6", 20)]
    length = 1 + sum(size for _, size in fields)
    with path.open("wb") as stream:
        stream.write(struct.pack("<BBBBIHH20x", 3, 126, 6, 30, rows, 33 + 32 * len(fields), length))
        stream.writelines(struct.pack("<11sc4xBB14x", name.encode(), b"C", size, 0) for name, size in fields)
        stream.write(b"\r")
        for number in range(rows):
            values = (
                f"HN{number:010d}",
                f"nguy\xd4n v\xa8n th\xbeng {number % 900}",
                "19800307",
                f"Êp {number % 90}, x\xb7 l\xe9c ninh",
                str(number),
                "h\xe9 ngh\xcco",
            )
            stream.write(
                b" " + b"".join(value.encode("latin-1").ljust(size)[:size] for value, (_, size) in zip(values, fields, strict=True))
            )
        stream.write(b"\x1a")
    return path


def plain_dbf(path: Path) -> int:
    from dbfread import DBF

    return sum(1 for _ in DBF(path, encoding="latin-1", load=False))


def measure(url: str, folder: Path, sheet_rows: int = 200_000, xml_megabytes: int = 1024, dbf_rows: int = 1_000_000) -> list[Row]:
    """Rates beside plain readers, and peaks; each reader meets the same file just written, so in the same cache."""
    report: list[Row] = []
    for name, title, reference, path, plain, columns, connector, options in (
        ("book", f"XLSX {sheet_rows:,} × {COLUMNS}", "fastexcel (calamine), all as text", write_workbook(folder / "a.xlsx", sheet_rows), plain_workbook, COLUMNS, "excel_file", {}),
        ("document", f"XML of {xml_megabytes:,} MB", "lxml iterparse, texts as a list", write_xml(folder / "a.xml", xml_megabytes), plain_xml, XML_FIELDS, "xml_file", XML_OPTIONS),
        ("table", f"DBF {dbf_rows:,} rows in TCVN3", "dbfread, streamed, undecoded", write_dbf(folder / "a.dbf", dbf_rows), plain_dbf, 6, "dbf_file", {}),
    ):  # fmt: skip
        seconds = _timed(plain, path)
        reset(url)
        landed = in_process(url, contract_of(folder, name, columns, connector, path, options))
        path.unlink()
        measured = f"{title} landed in {landed['seconds']:.1f} s ({landed['rows']:,.0f} rows)"
        report += [
            at_least(measured, seconds / landed["seconds"], LEAST_RATE, "× the plain reader", f"{reference}, {seconds:.1f} s", issue=6),
            at_most(f"{title}, peak memory", landed["peak_mib"] / 1024, MOST_MEMORY_GIB, "GiB", "process's own peak", issue=6),
        ]
    return report


if __name__ == "__main__":
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--url", required=True)
    arguments.add_argument("--contract", type=Path, required=True)
    given = arguments.parse_args()
    os.environ.setdefault("LIENTHONG_LOG", "error")
    print(json.dumps(land_once(given.url, given.contract)))
