"""Ten million rows through each kind of source, and whether memory grows with them.

Files are written in a stream; databases and the services make their rows as they are asked. Each is read in a process of its own, every batch
let go of; a tenth of the rows shows that the peak does not grow. XML has one row an element, with a comment now and then, so that both of
its roads are gone. A workbook has as many sheets as it needs, a kind whose file cannot hold so many rows as many files. Writers of the files of
offices are in `flat_office`, servers in `flat_servers`.
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import struct
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import parquet

from bench.flat_office import SHEET_ROWS, parts, write_7z, write_access, write_array, write_ods, write_tsv, write_word, write_xls
from bench.flat_servers import SERVERS, Told
from bench.installed import INSTALLED
from bench.peak import own_peak_mib, watched
from bench.report import Row, at_most
from lienthong import connectors
from lienthong.connectors import ReadContext
from lienthong.connectors.outward import read_networks
from lienthong.contracts import Delivery, Source
from lienthong.store.embedded import EmbeddedServer

ISSUE = 6
MOST_MIB = 1_536
MOST_GROWTH = 1.3
NAME = "flat.shp"  # says nothing of what is in it, but where a file has others beside it
HERE = read_networks("127.0.0.0/8")
WGS_84 = 'GEOGCS["GCS_WGS_1984",DATUM["D_WGS_1984",SPHEROID["WGS_1984",6378137,298.257223563]],PRIMEM["Greenwich",0],UNIT["Degree",0.0174532925199433]]'


def _text(path: Path, rows: int, head: str, line: Callable[[int], str], tail: str = "") -> None:
    with path.open("w", encoding="utf-8") as stream:
        stream.write(head)
        for part in parts(rows):
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
        for part in parts(rows):
            columns = [[f"{n:09d}" for n in part], [f"Nguyễn Văn {n % 9000}" for n in part], [n % 600 for n in part]]
            writer.write_table(pa.table(columns, schema=schema))


def write_dbf(path: Path, rows: int) -> None:
    fields = [("MA", 9), ("TEN", 20), ("XA", 4)]
    with path.open("wb") as stream:
        length = 1 + sum(size for _, size in fields)
        stream.write(struct.pack("<BBBBIHH20x", 3, 126, 6, 30, rows, 33 + 32 * len(fields), length))
        stream.writelines(struct.pack("<11sc4xBB14x", name.encode(), b"C", size, 0) for name, size in fields)
        stream.write(b"\r")
        for part in parts(rows):
            stream.write(b"".join(b" %09d%-20b%-4d" % (n, b"nguy\xd4n v\xa8n %d" % (n % 9000), n % 600) for n in part))
        stream.write(b"\x1a")


def write_geojson(path: Path, rows: int) -> None:
    def line(n: int) -> str:
        place = f'{{"type":"Point","coordinates":[{106 + n % 1000 / 1000:.3f},{11 + n % 997 / 1000:.3f}]}}'
        comma = "" if n == rows - 1 else ","
        return (
            f'{{"type":"Feature","properties":{{"ma":"{n:09d}","ten":"Nguyễn Văn {n % 9000}","xa":{n % 600}}},"geometry":{place}}}{comma}\n'
        )

    _text(path, rows, '{"type":"FeatureCollection","features":[\n', line, "]}\n")


def write_geopackage(path: Path, rows: int) -> None:
    connection = sqlite3.connect(path)
    connection.executescript(
        "create table gpkg_spatial_ref_sys (srs_name text, srs_id integer primary key, organization text, organization_coordsys_id integer, definition text);"
        "insert into gpkg_spatial_ref_sys values ('WGS 84', 4326, 'EPSG', 4326, 'undefined');"
        "create table gpkg_contents (table_name text primary key, data_type text, identifier text, srs_id integer);"
        "insert into gpkg_contents values ('nguoi', 'features', 'nguoi', 4326);"
        "create table gpkg_geometry_columns (table_name text, column_name text, geometry_type_name text, srs_id integer, z integer, m integer);"
        "insert into gpkg_geometry_columns values ('nguoi', 'hinh', 'POINT', 4326, 0, 0);"
        "create table nguoi (id integer primary key, hinh blob, ma text, ten text, xa integer);"
    )
    head = struct.pack("<2sBBi", b"GP", 0, 1, 4326)
    for part in parts(rows):
        connection.executemany(
            "insert into nguoi values (?, ?, ?, ?, ?)",
            (
                (
                    n + 1,
                    head + struct.pack("<BIdd", 1, 1, 106 + n % 1000 / 1000, 11 + n % 997 / 1000),
                    f"{n:09d}",
                    f"Nguyễn Văn {n % 9000}",
                    n % 600,
                )
                for n in part
            ),
        )
    connection.commit()
    connection.close()


def write_shapefile(path: Path, rows: int) -> None:
    """Points, with their attributes in a .dbf beside."""
    write_dbf(path.with_suffix(".dbf"), rows)
    path.with_suffix(".prj").write_text(WGS_84, "utf-8")
    with path.open("wb") as stream:
        stream.write(struct.pack(">i20xi", 9994, (100 + 28 * rows) // 2) + struct.pack("<ii8d", 1000, 1, 106, 11, 107, 12, 0, 0, 0, 0))
        for part in parts(rows):
            stream.write(
                b"".join(struct.pack(">ii", n + 1, 10) + struct.pack("<idd", 1, 106 + n % 1000 / 1000, 11 + n % 997 / 1000) for n in part)
            )


def write_xlsx(path: Path, rows: int) -> None:
    """Sheets as a program writes them, texts beside their cells: no library writes so many rows in this time."""
    counts = [min(SHEET_ROWS, rows - first) for first in range(0, rows, SHEET_ROWS)]
    numbers = range(1, len(counts) + 1)
    types = "".join(
        f'<Override PartName="/xl/worksheets/sheet{n}.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/>'
        for n in numbers
    )
    relations = "".join(
        f'<Relationship Id="rId{n}" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet{n}.xml"/>'
        for n in numbers
    )
    sheets = "".join(f'<sheet name="S{n}" sheetId="{n}" r:id="rId{n}"/>' for n in numbers)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as book:
        book.writestr(
            "[Content_Types].xml",
            '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
            '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
            '<Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/>'
            f"{types}</Types>",
        )
        book.writestr(
            "_rels/.rels",
            '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" '
            'Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        )
        book.writestr(
            "xl/_rels/workbook.xml.rels",
            f'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">{relations}</Relationships>',
        )
        book.writestr(
            "xl/workbook.xml",
            '<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" '
            f'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets>{sheets}</sheets></workbook>',
        )
        for number, count in zip(numbers, counts, strict=True):
            with book.open(f"xl/worksheets/sheet{number}.xml", "w", force_zip64=True) as sheet:
                _write_sheet(sheet.write, (number - 1) * SHEET_ROWS, count)


def _write_sheet(write: Callable[[bytes], object], first: int, count: int) -> None:
    def text(cell: str, value: str) -> str:
        return f'<c r="{cell}" t="inlineStr"><is><t>{value}</t></is></c>'

    write(b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>')
    write(f'<row r="1">{text("A1", "ma")}{text("B1", "ten")}{text("C1", "xa")}</row>'.encode())
    for part in parts(count):
        rows = (
            f'<row r="{n + 2}">{text(f"A{n + 2}", f"{first + n:09d}")}{text(f"B{n + 2}", f"Nguyễn Văn {n % 9000}")}<c r="C{n + 2}"><v>{n % 600}</v></c></row>'
            for n in part
        )
        write("".join(rows).encode())
    write(b"</sheetData></worksheet>")


def write_sqlite(path: Path, rows: int) -> None:
    connection = sqlite3.connect(path)
    connection.execute("create table nguoi (ma text primary key, ten text, xa integer) without rowid")
    for part in parts(rows):
        connection.executemany("insert into nguoi values (?, ?, ?)", ((f"{n:09d}", f"Nguyễn Văn {n % 9000}", n % 600) for n in part))
    connection.commit()
    connection.close()


def write_zip(path: Path, rows: int) -> None:
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        archive.open("a.csv", "w", force_zip64=True) as stream,
    ):
        stream.write(b"ma,ten,xa\n")
        for part in parts(rows):
            stream.write("".join(f"{n:09d},Nguyễn Văn {n % 9000},{n % 600}\n" for n in part).encode())


@dataclass(frozen=True)
class FileKind:
    """How a kind of file is written into a folder, and read: the file of the name it was told to write, or those a pattern fits."""

    connector: str
    write: Callable[[Path, int], None]
    options: Mapping[str, Any] = field(default_factory=dict)
    wanted: str = NAME
    told: str = ""  # beside its measures


LARGE = {"max_bytes": 8 << 30}  # so many rows unpack to more than the usual limit
KINDS: Mapping[str, FileKind] = {
    "CSV": FileKind("csv_file", write_csv),
    "TSV in TCVN3": FileKind("csv_file", write_tsv("tcvn3")),
    "TSV in VNI": FileKind("csv_file", write_tsv("vni")),
    "JSON lines": FileKind("json_file", write_lines),
    "JSON array": FileKind("json_file", write_array, {"items": "dòng"}),
    "Parquet": FileKind("parquet_file", write_parquet),
    "XML": FileKind("xml_file", write_xml, {"row": "r", "fields": {"ma": "ma", "ten": "ten", "xa": "xa"}}),
    "DBF": FileKind("dbf_file", write_dbf),
    "GeoJSON": FileKind("geojson_file", write_geojson),
    "GeoPackage": FileKind("geopackage_file", write_geopackage),
    "Shapefile": FileKind("shapefile", write_shapefile),
    "XLSX": FileKind("excel_file", write_xlsx, {"sheet": "*", **LARGE}),
    "ODS": FileKind("excel_file", write_ods, {"sheet": "*", **LARGE}),
    "XLS": FileKind("excel_file", write_xls, wanted="*.xls", told="files of 65,535 rows, all the format holds"),
    "Word": FileKind("word_file", write_word, LARGE),
    "Access": FileKind("access_file", write_access, {"table": "merchant_taylors"}, told="one database; it holds 16 million such rows"),
    "SQLite": FileKind("sqlite_file", write_sqlite, {"table": "nguoi", "key": ["ma"]}),
    "ZIP of CSV": FileKind("csv_file", write_zip, {"folder": {"member": "*.csv"}}),
    "7z of CSV": FileKind("csv_file", write_7z, {"folder": {"member": "*.csv"}}),
}


def read_through(
    connector: str, location: str, delivery: str, options: Mapping[str, Any], after: Mapping[str, Any] | None, rows: int
) -> dict[str, float]:
    """Rows, seconds, and the peak memory (MiB) of this process or of the largest it lets read for it. What comes in portions is read until so many came."""
    began, found = time.perf_counter(), 0
    source = Source("file", connector, location, Delivery(delivery), options)
    with watched() as others, tempfile.TemporaryDirectory() as spool:
        context = ReadContext(networks=HERE, spool=Path(spool))
        while True:
            before = found
            for batch in connectors.read(source, context, after):
                found, after = found + batch.table.num_rows, batch.position
                if batch.on_landed is not None:
                    batch.on_landed()
            if found >= rows or found == before or after is None:
                break
            connectors.settle(source, context, after)
    return {"rows": found, "seconds": time.perf_counter() - began, "peak_mib": max(own_peak_mib(), others[0])}


def in_process(told: Told, rows: int) -> dict[str, float]:
    asked = json.dumps([told.connector, told.location, told.delivery, told.options, told.after, rows])
    done = subprocess.run(
        [sys.executable, "-m", "bench.flat"], input=asked, stdout=subprocess.PIPE, text=True, check=True, env={**os.environ, **INSTALLED}
    )
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


@contextmanager
def written(kind: FileKind, folder: Path, rows: int) -> Iterator[Told]:
    """The files of a kind, in a folder of their own while they are read."""
    place = folder / f"flat-{rows}"
    place.mkdir()
    try:
        kind.write(place / NAME, rows)
        yield Told(kind.connector, str(place / kind.wanted), kind.options)
    finally:
        shutil.rmtree(place)


def measure(server: EmbeddedServer, folder: Path, rows: int, kinds: tuple[str, ...] = ()) -> list[Row]:
    """Two rows of the report for each kind of source: its peak, and its growth from a tenth of the rows."""
    report: list[Row] = []
    for name in kinds or (*KINDS, *SERVERS):
        peaks = []
        for count in (rows // 10, rows):
            kind = KINDS.get(name)
            with written(kind, folder, count) if kind is not None else SERVERS[name](server, folder, count) as told:
                found = in_process(told, count)
            if found["rows"] != count:
                raise AssertionError(f"{name}: {found['rows']:,.0f} rows read of {count:,}")
            peaks.append(found["peak_mib"])
        also = kind.told if kind is not None else told.told
        words = f"{found['rows'] / found['seconds']:,.0f} rows/s; {peaks[0]:,.0f} MiB for a tenth{'; ' if also else ''}{also}"
        report += [
            at_most(f"{name}, {rows:,} rows read, peak memory", peaks[1], MOST_MIB, "MiB", words, ISSUE),
            at_most(f"{name}, peak of ten times the rows", peaks[1] / peaks[0], MOST_GROWTH, "×", f"{peaks[1]:,.0f} MiB", ISSUE),
        ]
    return report


if __name__ == "__main__":
    print(json.dumps(read_through(*json.load(sys.stdin))))  # read by the parent
