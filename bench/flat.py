"""Ten million rows through each kind of source, and whether memory grows with them.

Files are written in a stream; databases and the service make their rows as they are asked. Each is read in a process of its own, every batch
let go of; a tenth of the rows shows that the peak does not grow. XML has one row an element, with a comment now and then, so that both of
its roads are gone. A workbook has as many sheets as it needs.
"""

from __future__ import annotations

import json
import os
import sqlite3
import struct
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pyarrow as pa
from pyarrow import parquet

from bench.installed import INSTALLED
from bench.peak import own_peak_mib, watched
from bench.report import Row, at_most
from lienthong import connectors
from lienthong.connectors import ReadContext
from lienthong.connectors.outward import read_networks
from lienthong.contracts import Source
from lienthong.store.embedded import EmbeddedServer
from tests.connectors.sql_database.servers import maria_url

ISSUE = 6
MOST_MIB = 1_536
MOST_GROWTH = 1.3
PART = 50_000  # rows written at once
SHEET_ROWS = 1_000_000  # rows of one sheet, headings beside
PAGE = 10_000  # rows of one answer
HERE = read_networks("127.0.0.0/8")
WGS_84 = 'GEOGCS["GCS_WGS_1984",DATUM["D_WGS_1984",SPHEROID["WGS_1984",6378137,298.257223563]],PRIMEM["Greenwich",0],UNIT["Degree",0.0174532925199433]]'


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
    for part in _parts(rows):
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
        for part in _parts(rows):
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
    for part in _parts(count):
        rows = (
            f'<row r="{n + 2}">{text(f"A{n + 2}", f"{first + n:09d}")}{text(f"B{n + 2}", f"Nguyễn Văn {n % 9000}")}<c r="C{n + 2}"><v>{n % 600}</v></c></row>'
            for n in part
        )
        write("".join(rows).encode())
    write(b"</sheetData></worksheet>")


def write_sqlite(path: Path, rows: int) -> None:
    connection = sqlite3.connect(path)
    connection.execute("create table nguoi (ma text primary key, ten text, xa integer) without rowid")
    for part in _parts(rows):
        connection.executemany("insert into nguoi values (?, ?, ?)", ((f"{n:09d}", f"Nguyễn Văn {n % 9000}", n % 600) for n in part))
    connection.commit()
    connection.close()


def write_zip(path: Path, rows: int) -> None:
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        archive.open("a.csv", "w", force_zip64=True) as stream,
    ):
        stream.write(b"ma,ten,xa\n")
        for part in _parts(rows):
            stream.write("".join(f"{n:09d},Nguyễn Văn {n % 9000},{n % 600}\n" for n in part).encode())


KINDS: Mapping[str, tuple[str, Callable[[Path, int], None], Mapping[str, Any]]] = {
    "CSV": ("csv_file", write_csv, {}),
    "JSON lines": ("json_file", write_lines, {}),
    "Parquet": ("parquet_file", write_parquet, {}),
    "XML": ("xml_file", write_xml, {"row": "r", "fields": {"ma": "ma", "ten": "ten", "xa": "xa"}}),
    "DBF": ("dbf_file", write_dbf, {}),
    "GeoJSON": ("geojson_file", write_geojson, {}),
    "GeoPackage": ("geopackage_file", write_geopackage, {}),
    "Shapefile": ("shapefile", write_shapefile, {}),
    "XLSX": ("excel_file", write_xlsx, {"sheet": "*", "max_bytes": 8 << 30}),  # so many rows unpack to more than the usual limit
    "SQLite": ("sqlite_file", write_sqlite, {"table": "nguoi", "key": ["ma"]}),
    "ZIP of CSV": ("csv_file", write_zip, {"folder": {"member": "*.csv"}}),
}
PG_ROWS = "select n as ma, 'Nguyễn Văn ' || n % 9000 as ten, n % 600 as xa from generate_series(1, {}) n"
MARIA_ROWS = "select seq as ma, concat('Nguyễn Văn ', seq % 9000) as ten, seq % 600 as xa from seq_1_to_{}"


class _Pages(BaseHTTPRequestHandler):
    """`/<rows>?from=…`: rows, and where the next ones begin; `/odata/<rows>?from=…` and `/api/3/…?resource_id=<rows>`: as OData and CKAN have it."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:  # as the library has it
        place = urlsplit(self.path)
        asked = {name: values[0] for name, values in parse_qs(place.query).items()}
        rows = int(asked.get("resource_id") or place.path.rsplit("/", 1)[1])
        first = int(asked.get("offset") or asked.get("from", "0"))
        last = min(first + PAGE, rows)
        items = ",".join(f'{{"ma":"{n:09d}","ten":"Nguyễn Văn {n % 9000}","xa":{n % 600}}}' for n in range(first, last))
        if "resource_id" in asked:
            fields = '[{"id":"ma"},{"id":"ten"},{"id":"xa"}]'
            text = f'{{"success":true,"result":{{"total":{rows},"fields":{fields},"records":[{items}]}}}}'
        elif place.path.startswith("/odata/"):
            more = "" if last == rows else f', "@odata.nextLink": "{rows}?from={last}"'
            text = f'{{"value": [{items}]{more}}}'
        else:
            more = "" if last == rows else f', "next": "{last}"'
            text = f'{{"items": [{items}]{more}}}'
        body = text.encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def service() -> Iterator[str]:
    """A service that gives as many rows as its path says, page after page."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Pages)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()


def read_through(connector: str, location: str, options: Mapping[str, Any]) -> dict[str, float]:
    """Rows, seconds, and the peak memory (MiB) of this process or of the largest it lets read for it."""
    began, rows = time.perf_counter(), 0
    with watched() as others:
        for batch in connectors.read(Source("file", connector, location, options=options), ReadContext(networks=HERE)):
            rows += batch.table.num_rows
    return {"rows": rows, "seconds": time.perf_counter() - began, "peak_mib": max(own_peak_mib(), others[0])}


def in_process(connector: str, location: str, options: Mapping[str, Any]) -> dict[str, float]:
    told = json.dumps([connector, location, options])
    done = subprocess.run(
        [sys.executable, "-m", "bench.flat"], input=told, capture_output=True, text=True, check=True, env={**os.environ, **INSTALLED}
    )
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def measure(server: EmbeddedServer, folder: Path, rows: int, kinds: tuple[str, ...] = ()) -> list[Row]:
    """Two rows of the report for each kind of source: its peak, and its growth from a tenth of the rows."""
    report: list[Row] = []
    with maria_url() as maria, service() as address:
        elsewhere: Mapping[str, Callable[[int], tuple[str, str, Mapping[str, Any]]]] = {
            "PostgreSQL": lambda n: ("sql_database", server.create_database(f"flat_{n}"), {"query": PG_ROWS.format(n), "key": ["ma"]}),
            "MariaDB": lambda n: ("sql_database", maria, {"query": MARIA_ROWS.format(n), "key": ["ma"]}),
            "HTTP in pages": lambda n: (
                "http_json",
                f"{address}/{n}",
                {"items": "items", "paging": {"kind": "cursor", "next": "next", "cursor_parameter": "from"}},
            ),
            "CKAN": lambda n: ("ckan", address, {"resource": str(n)}),
            "OData": lambda n: ("odata", f"{address}/odata/{n}", {}),
        }
        for kind in kinds or (*KINDS, *elsewhere):
            peaks = []
            for count in (rows // 10, rows):
                path = folder / f"flat-{count}.shp"  # the name says nothing of what is in it, but where a file has others beside it
                if kind in KINDS:
                    connector, write, options = KINDS[kind]
                    write(path, count)
                    found = in_process(connector, str(path), options)
                    for written in folder.glob(f"flat-{count}.*"):
                        written.unlink()
                else:
                    found = in_process(*elsewhere[kind](count))
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
    print(json.dumps(read_through(*json.load(sys.stdin))))  # read by the parent
