"""Hostile and broken files, each named for what is wrong with it: more than two hundred, made anew each time, small.

A case is (name, connector, options, files): the first file is the source's. What every one of them must come to is in the test.
"""

from __future__ import annotations

import gzip
import io
import json
import sqlite3
import struct
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import docx
import pyarrow as pa
import pyarrow.parquet as parquet

from tests.connectors.make_workbooks import HABITS, write_ods, write_xls, write_xlsx
from tests.connectors.maps import polygon, write_map
from tests.connectors.test_dbf_file import PEOPLE, write_dbf

BOMB = 18_000_000  # bytes a small file unpacks to
XML = {"row": "r", "fields": {"a": "a"}}
VECTORS = Path(__file__).parents[1] / "vectors"


@dataclass(frozen=True)
class Case:
    """`files`: ending → bytes, the source's own first. `may_pass`: a reader may also take it for what it is."""

    name: str
    connector: str
    files: Mapping[str, bytes]
    options: Mapping[str, Any] = field(default_factory=dict)
    may_pass: bool = False


def cases(folder: Path) -> Iterator[Case]:
    """Every case; `folder` is where programs that write files may write."""
    for make in (_csv, _json, _xml, _geojson, _dbf, _workbooks, _documents, _parquet, _maps, _access, _misnamed):
        yield from make(folder)


def _cuts(data: bytes, count: int) -> Iterator[tuple[str, bytes]]:
    for number in range(count):
        size = len(data) * number // count
        yield f"cut off at {size}", data[:size]


def _bent(data: bytes, count: int) -> Iterator[tuple[str, bytes]]:
    """One byte turned over, at places all over."""
    for number in range(count):
        place = len(data) * (2 * number + 1) // (2 * count)
        yield f"byte {place} turned over", data[:place] + bytes([data[place] ^ 0xFF]) + data[place + 1 :]


# Text


def _csv(_: Path) -> Iterator[Case]:
    def case(name: str, data: bytes, *, may_pass: bool = True, **options: Any) -> Case:
        return Case(f"csv: {name}", "csv_file", {".csv": data}, options, may_pass)

    yield case("empty", b"", may_pass=False)
    yield case("a mark of order and nothing more", b"\xef\xbb\xbf")
    yield case("blank lines", b"\n\n\r\n")
    yield case("only a heading", b"a,b\n")
    yield case("a heading twice", b"a,a\n1,2\n", may_pass=False)
    yield case("a column without heading", b"a,\n1,2\n", may_pass=False)
    yield case("nothing but NUL", b"\0" * 5000)
    yield case("NUL in rows", b"a,b\n1,\0\n2,3\n")
    yield case("a quote never closed", b'a,b\n"1,2\n3,4\n')
    yield case("ragged", b"a,b\n1\n1,2,3\n1,2\n")
    yield case("a cell of 1 MB", b"a,b\n" + b"x" * 1_000_000 + b",1\n")
    yield case("a line of 3 MB", b"a,b\n" + b"x" * 3_000_000, may_pass=False)
    yield case("formulas", b"a,b\n=cmd|'/c calc'!A1,@SUM(1)\n+1,-1\n")
    yield case("utf-16 cut in half", "a;b\nĐỗ;ữ\n".encode("utf-16")[:-1])
    yield case("utf-16 without mark, cut", "a;b\nĐỗ;ữ\n".encode("utf-16-le")[:-3])
    yield case("bytes that are no UTF-8", b"a,b\n\xff\xfe\xfd,1\n\xc3\x28,2\n", encoding="utf-8")
    yield case("said to be UTF-16 but is not", b"a,b\n1,2", encoding="utf-16", may_pass=False)
    yield case("an encoding there is not", b"a\n1", encoding="klingon", may_pass=False)
    yield case("a delimiter of two characters", b"a\n1", delimiter=";;", may_pass=False)
    yield case("an option nobody knows", b"a\n1", delimeter=";", may_pass=False)
    yield case("a heading beyond the file", b"a\n1", header_row=9, may_pass=False)
    yield case("10,000 columns", b",".join(b"%d" % n for n in range(10_000)) + b"\n")
    yield case("carriage returns only", b"a,b\r1,2\r")
    yield case("control letters of VISCII", b"a\n\x02\x05\x06\x14\x19\x1e\n")


def _json(_: Path) -> Iterator[Case]:
    def case(name: str, data: bytes | str, *, may_pass: bool = False, **options: Any) -> Case:
        return Case(f"json: {name}", "json_file", {".json": data.encode() if isinstance(data, str) else data}, options, may_pass)

    good = json.dumps([{"a": n, "b": "Đỗ"} for n in range(50)], ensure_ascii=False).encode()
    for name, data in _cuts(good, 8):
        yield case(name, data)
    yield case("only spaces", "   ")
    yield case("a number", "12")
    yield case("a text", '"x"')
    yield case("nested 200,000 deep", "[" * 200_000)
    yield case("nested deep in a row", '[{"a":' + "[" * 5000 + "]" * 5000 + "}]")
    yield case("objects nested deep", '{"a":' * 100_000 + "1" + "}" * 100_000)
    yield case("a value of 2 MB", '[{"a": "' + "x" * 2_000_000 + '"}]')
    yield case("a name twice", '[{"a": 1, "a": 2}]', may_pass=True)
    yield case("NaN and Infinity", '[{"a": NaN}, {"a": Infinity}]', may_pass=True)
    yield case("half of a surrogate", '[{"a": "\\ud800"}]', may_pass=True)
    yield case("NUL in a text", '[{"a": "\\u0000"}]', may_pass=True)
    yield case("bytes that are no UTF-8", b'[{"a": "\xff\xfe"}]', may_pass=True, encoding="utf-8")
    yield case("a number of a million digits", '[{"a": ' + "9" * 1_000_000 + "}]", may_pass=True)
    yield case("items that are no objects", "[1, null, [], true]", may_pass=True)
    yield case("a comma too many", '[{"a": 1},]', may_pass=True)
    yield case("brackets crossed", '[{"a": 1]}', may_pass=True)
    yield case("a comment", "/* x */ []", may_pass=True)
    yield case("lines, all broken", "{\n{\n{\n", may_pass=True)
    yield case("the path is not there", '{"x": {"y": []}}', items="x.z")
    yield case("20,000 names in a row", json.dumps([{str(n): n for n in range(20_000)}]), may_pass=True)


_LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
_DOCTYPES = {
    "an external entity": '<!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/passwd">]>',
    "a parameter entity": '<!DOCTYPE d [<!ENTITY % x SYSTEM "http://127.0.0.1:9/e.dtd"> %x;]>',
    "a billion laughs": f'<!DOCTYPE d [<!ENTITY l0 "ha">{_LAUGHS}]>',
    "quadratic growth": f'<!DOCTYPE d [<!ENTITY x "{"x" * 50_000}">]>',
    "an external document type": '<!DOCTYPE d SYSTEM "http://127.0.0.1:9/evil.dtd">',
    "a public document type": '<!DOCTYPE d PUBLIC "-//X" "file:///etc/passwd">',
}
_XSD = (
    '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:element name="d"><xs:complexType><xs:sequence><xs:element name="r" maxOccurs="unbounded">'
    '<xs:complexType><xs:sequence><xs:element name="a" type="xs:int"/></xs:sequence></xs:complexType></xs:element></xs:sequence></xs:complexType></xs:element></xs:schema>'
)


def _xml(folder: Path) -> Iterator[Case]:
    schema = folder / "hostile.xsd"
    schema.write_text(_XSD)

    def case(name: str, data: str | bytes, *, may_pass: bool = False, **options: Any) -> Case:
        return Case(f"xml: {name}", "xml_file", {".xml": data.encode() if isinstance(data, str) else data}, {**XML, **options}, may_pass)

    good = "<d>" + "".join(f"<r><a>{n}</a></r>" for n in range(100)) + "</d>"
    both: tuple[dict[str, Any], ...] = ({}, {"xsd": str(schema)})
    for options in both:
        said = " with an XSD" if options else ""
        for name, head in _DOCTYPES.items():
            entity = "&l9;" if "laughs" in name else "&x;" * 2000 if "quadratic" in name else "&x;" if "entity" in name else "1"
            yield case(name + said, f"{head}<d><r><a>{entity}</a></r></d>", **options)
        for name, data in _cuts(good.encode(), 6):
            yield case(name + said, data, **options)
        yield case("nested 10,000 deep" + said, "<d>" + "<r>" * 10_000, **options)
        yield case(
            "an XInclude" + said,
            '<d xmlns:xi="http://www.w3.org/2001/XInclude"><r><xi:include href="file:///etc/passwd"/></r></d>',
            may_pass=True,
            **options,
        )
        yield case("a text of 12 MB" + said, f"<d><r><a>{'1' * 11_000_000}</a></r></d>", may_pass=True, **options)
        yield case("30,000 attributes" + said, "<d><r " + " ".join(f'a{n}="1"' for n in range(30_000)) + "/></d>", may_pass=True, **options)
        yield case(
            "a schema named in the document" + said,
            '<d xmlns:i="http://www.w3.org/2001/XMLSchema-instance" i:noNamespaceSchemaLocation="http://127.0.0.1:9/x.xsd"><r><a>1</a></r></d>',
            may_pass=True,
            **options,
        )
    yield case("a NUL", b"<d><r><a>\0</a></r></d>")
    yield case("UTF-16 cut in half", good.encode("utf-16")[:-7])
    yield case("an encoding that lies", '<?xml version="1.0" encoding="utf-16"?><d/>')
    yield case("an encoding there is not", '<?xml version="1.0" encoding="klingon"?><d/>')
    yield case("an instruction", '<?xml-stylesheet href="file:///etc/passwd"?>' + good, may_pass=True)
    yield case("a web page", "<html><body><br></body></html>")
    yield case("two roots", good + good)
    yield case("a schema that is none", good, xsd=str(folder / "none.xsd"))
    yield case("every row breaks the schema", good.replace("<a>", "<a>x"), xsd=str(schema), max_violations=20)


def _geojson(_: Path) -> Iterator[Case]:
    def case(name: str, data: str, *, may_pass: bool = False, **options: Any) -> Case:
        return Case(f"geojson: {name}", "geojson_file", {".geojson": data.encode()}, options, may_pass)

    good = json.dumps(
        {"type": "FeatureCollection", "features": [{"type": "Feature", "properties": {"a": n}, "geometry": None} for n in range(20)]}
    )
    for name, data in _cuts(good.encode(), 5):
        yield case(name, data.decode())
    yield case(
        "coordinates nested deep", good.replace("null", '{"type": "Point", "coordinates": ' + "[" * 3000 + "]" * 3000 + "}"), may_pass=True
    )
    yield case("a system there is not", good, crs="EPSG:999999")
    yield case("a system with grids of its own", good, crs="+proj=utm +zone=48 +nadgrids=/etc/passwd")
    yield case("a system of a megabyte", good, crs="x" * 1_000_000)
    yield case(
        "no places in a system to move", good.replace("null", '{"type": "Point", "coordinates": ["a", {}]}'), crs="EPSG:3405", may_pass=True
    )
    yield case("places outside the world", good.replace("null", '{"type": "Point", "coordinates": [1e300, 1e300]}'), crs="EPSG:3405")
    yield case("not a collection", '{"type": "Point", "coordinates": [1, 2]}')
    yield case("larger than allowed", good, max_bytes=100)


# Tables of fixed form


def _dbf(folder: Path) -> Iterator[Case]:
    good = write_dbf(folder / "good.dbf", PEOPLE).read_bytes()

    def case(name: str, data: bytes, *, may_pass: bool = False, **more: bytes) -> Case:
        return Case(f"dbf: {name}", "dbf_file", {".dbf": data, **{f".{ending}": side for ending, side in more.items()}}, {}, may_pass)

    def patched(place: int, value: bytes) -> bytes:
        return good[:place] + value + good[place + len(value) :]

    for name, data in _cuts(good, 8):
        yield case(name, data)
    yield case("more records than there are", patched(4, struct.pack("<I", 4_000_000_000)))
    yield case("fewer records than there are", patched(4, struct.pack("<I", 1)))
    yield case("records of length 0", patched(10, struct.pack("<H", 0)))
    yield case("records of another length", patched(10, struct.pack("<H", 65_535)))
    yield case("data before the header ends", patched(8, struct.pack("<H", 10)))
    yield case("a field longer than the record", patched(32 + 16, b"\xff"))
    yield case("a field of an unknown kind", patched(32 + 11, b"@"))
    yield case("a field without name", patched(32, b"\0" * 11))
    yield case("a field name of other letters", patched(32, b"\xff" * 11), may_pass=True)
    yield case("an unknown version", patched(0, b"\x77"))
    memo = write_dbf(
        folder / "memo.dbf", [("A", "         1"), ("B", "999999999 ")], fields=(("MA", "C", 4), ("GHI", "M", 10))
    ).read_bytes()
    yield case("a memo file that is empty", memo, dbt=b"")
    yield case("memos that lead nowhere", memo, dbt=b"\0" * 512 + b"x", may_pass=True)
    yield case("a memo of 4 GB", memo, fpt=b"\0" * 6 + b"\0\x40" + b"\0" * 56 + struct.pack(">II", 1, 0xFFFFFFFF), may_pass=True)
    yield case("numbers that are none", write_dbf(folder / "n.dbf", [("x", "y", "z", "abcdefgh", "Q")]).read_bytes(), may_pass=True)


def _workbooks(folder: Path) -> Iterator[Case]:
    kinds = {
        "xlsx": write_xlsx(HABITS[0], folder / "g.xlsx"),
        "xls": write_xls(HABITS[0], folder / "g.xls"),
        "ods": write_ods(HABITS[0], folder / "g.ods"),
    }
    found = {"header_rows": "found"}
    for kind, path in kinds.items():
        data = path.read_bytes()
        for name, cut in _cuts(data, 6):
            yield Case(f"{kind}: {name}", "excel_file", {f".{kind}": cut}, found)
        for name, bent in _bent(data, 8):
            yield Case(f"{kind}: {name}", "excel_file", {f".{kind}": bent}, found, may_pass=True)
    book = _added(kinds["xlsx"].read_bytes(), "xl/sharedStrings.xml", b"<sst/>")
    sheet = "xl/worksheets/sheet1.xml"
    for name, part, change in (
        ("a bomb for a sheet", sheet, lambda _: b"<worksheet><sheetData>" + b" " * BOMB),
        ("a bomb for its strings", "xl/sharedStrings.xml", lambda _: b"<sst>" + b" " * BOMB),
        ("a bomb for its styles", "xl/styles.xml", lambda _: b"<styleSheet>" + b" " * BOMB),
        ("a sheet that is no XML", sheet, lambda _: b"\0\1\2" * 1000),
        ("an empty sheet part", sheet, lambda _: b""),
        ("a sheet without rows", sheet, lambda _: b"<worksheet><sheetData/></worksheet>"),
        ("an entity in a sheet", sheet, lambda data: b'<!DOCTYPE w [<!ENTITY x SYSTEM "file:///etc/passwd">]>' + data.replace(b"<v>0</v>", b"<v>&x;</v>")),
        ("an entity in its strings", "xl/sharedStrings.xml", lambda data: b'<!DOCTYPE s [<!ENTITY x SYSTEM "file:///etc/passwd">]>' + data),
        ("laughs in its strings", "xl/sharedStrings.xml", lambda data: _DOCTYPES["a billion laughs"].encode() + data),
        ("an entity in the workbook", "xl/workbook.xml", lambda data: b'<!DOCTYPE s [<!ENTITY x "y">]>' + data),
        ("a sheet outside the archive", "xl/_rels/workbook.xml.rels", lambda data: data.replace(b"/xl/worksheets/sheet1.xml", b"../../../../etc/passwd")),
        ("a sheet elsewhere", "xl/_rels/workbook.xml.rels", lambda data: data.replace(b'Target="/xl/worksheets/sheet1.xml"', b'TargetMode="External" Target="file:///etc/passwd"')),
        ("cells at the end of the world", sheet, lambda data: data.replace(b'r="A7"', b'r="XFD7"')),
        ("a row number too large", sheet, lambda data: data.replace(b'<row r="7"', b'<row r="99999999999"')),
        ("a string that is not there", sheet, lambda data: data.replace(b"<v>0</v>", b"<v>999999999</v>")),
        ("a dimension that lies", sheet, lambda data: data.replace(b'ref="A1', b'ref="A1:XFD1048576" x="A1')),
        ("a merge that lies", sheet, lambda data: data.replace(b"</sheetData>", b'</sheetData><mergeCells><mergeCell ref="A1:XFD1048576"/></mergeCells>')),
        ("a style that is not there", sheet, lambda data: data.replace(b"<c r", b'<c s="99999" r')),
        ("formulas never computed", sheet, lambda data: data.replace(b"<v>0</v>", b"<f>1+1</f>")),
    ):  # fmt: skip
        may_pass = name.split()[-1] in ("rows", "lies", "world", "there", "computed", "large")
        yield Case(f"xlsx: {name}", "excel_file", {".xlsx": _with(book, part, change)}, found, may_pass)
    for part in ("xl/workbook.xml", sheet, "xl/sharedStrings.xml", "xl/_rels/workbook.xml.rels"):
        yield Case(f"xlsx: without {part}", "excel_file", {".xlsx": _without(book, part)}, found, part.endswith("Strings.xml"))
    yield Case("xlsx: says another size", "excel_file", {".xlsx": _lying_size(book, sheet)}, found)
    yield Case("xlsx: a part twice", "excel_file", {".xlsx": _twice(book, sheet)}, found)
    yield Case("xlsx: parts with ways out", "excel_file", {".xlsx": _added(book, "../../evil.xml", b"x")}, found, may_pass=True)
    yield Case("xlsx: 30,000 parts", "excel_file", {".xlsx": _added_many(book, 30_000)}, found)
    yield Case("xlsx: packed in a way nobody knows", "excel_file", {".xlsx": _method(book)}, found)
    ods = kinds["ods"].read_bytes()
    for name, change in (
        ("a bomb", lambda _: b"<x>" + b" " * BOMB),
        ("an entity", lambda data: data.replace(b"<office:document-content", b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><office:document-content', 1)),
        ("cells repeated without end", lambda data: data.replace(b"<table:table-cell", b'<table:table-cell table:number-columns-repeated="999999999"')),
        ("rows repeated without end", lambda data: data.replace(b"<table:table-row", b'<table:table-row table:number-rows-repeated="999999999"')),
        ("repeats that are no numbers", lambda data: data.replace(b"<table:table-cell", b'<table:table-cell table:number-columns-repeated="-1"')),
        ("spaces without end", lambda data: data.replace(b"<text:p>", b'<text:p><text:s text:c="999999999"/>')),
    ):  # fmt: skip
        yield Case(
            f"ods: {name}",
            "excel_file",
            {".ods": _with(ods, "content.xml", change)},
            found,
            may_pass="numbers" in name or "spaces" in name or "cells" in name,
        )
    password = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600 + "EncryptedPackage".encode("utf-16-le") + b"\0" * 600
    yield Case("xlsx: with a password", "excel_file", {".xlsx": password}, found)
    yield Case("xls: a compound file of nothing", "excel_file", {".xls": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\xff" * 5000}, found)
    yield Case("xls: Excel 4", "excel_file", {".xls": b"\x09\x04\x06\x00" + b"\0" * 100}, found)


def _documents(folder: Path) -> Iterator[Case]:
    made = docx.Document()
    table = made.add_table(2, 2)
    for cell, text in zip((cell for row in table.rows for cell in row.cells), ("a", "b", "1", "2"), strict=True):
        cell.text = text
    made.save(str(folder / "g.docx"))
    good = (folder / "g.docx").read_bytes()
    for name, data in _cuts(good, 5):
        yield Case(f"docx: {name}", "word_file", {".docx": data})
    for name, change in (
        ("a bomb", lambda _: b"<x>" + b" " * BOMB),
        ("an entity", lambda data: data.replace(b"<w:document", b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><w:document', 1)),
        ("laughs", lambda data: data.replace(b"<w:document", _DOCTYPES["a billion laughs"].encode() + b"<w:document", 1)),
        ("cells over a million columns", lambda data: data.replace(b"<w:tcPr>", b'<w:tcPr><w:gridSpan w:val="1000000"/>')),
        ("nested deep", lambda data: data.replace(b"<w:body>", b"<w:body>" + b"<w:tbl><w:tr><w:tc>" * 3000)),
        ("no table", lambda data: data.replace(b"w:tbl>", b"w:p>")),
    ):  # fmt: skip
        yield Case(f"docx: {name}", "word_file", {".docx": _with(good, "word/document.xml", change)})
    yield Case("docx: without a document", "word_file", {".docx": _without(good, "word/document.xml")})


def _parquet(folder: Path) -> Iterator[Case]:
    parquet.write_table(pa.table({"a": ["x", "y"] * 50, "b": list(range(100))}), folder / "g.parquet")
    good = (folder / "g.parquet").read_bytes()
    for name, data in _cuts(good, 6):
        yield Case(f"parquet: {name}", "parquet_file", {".parquet": data})
    for name, data in _bent(good, 12):
        yield Case(f"parquet: {name}", "parquet_file", {".parquet": data}, may_pass=True)
    yield Case("parquet: a footer of 4 GB", "parquet_file", {".parquet": good[:-8] + b"\xff\xff\xff\xff" + b"PAR1"})
    yield Case(
        "parquet: a footer longer than the file", "parquet_file", {".parquet": good[:-8] + struct.pack("<I", len(good) * 2) + b"PAR1"}
    )
    yield Case("parquet: a footer of nothing", "parquet_file", {".parquet": b"PAR1" + b"\0" * 100 + struct.pack("<I", 100) + b"PAR1"})
    yield Case("parquet: with a password", "parquet_file", {".parquet": good[:-4] + b"PARE"})


def _maps(folder: Path) -> Iterator[Case]:
    ring = [(106.0, 11.0), (106.0, 11.1), (106.1, 11.1), (106.0, 11.0)]
    shapes = write_map(folder / "g.shp", [polygon(ring)] * 5, "Polygon", "EPSG:4326", {"ma": list("abcde")})
    parts = {ending: shapes.with_suffix(ending).read_bytes() for ending in (".shp", ".dbf", ".prj")}

    def shape(name: str, *, may_pass: bool = False, **changed: bytes | None) -> Case:
        kept = {**parts, **{f".{ending}": data for ending, data in changed.items()}}
        return Case(f"shapefile: {name}", "shapefile", {ending: data for ending, data in kept.items() if data is not None}, {}, may_pass)

    for name, data in _cuts(parts[".shp"], 6):
        yield shape(name, shp=data)
    for name, data in _cuts(parts[".dbf"], 4):
        yield shape(f".dbf {name}", dbf=data)
    yield shape("without .dbf", dbf=None)
    yield shape("a .prj of noise", prj=b"\xff" * 300)
    yield shape("a .prj with grids", prj=b'GEOGCS["x",EXTENSION["PROJ4","+proj=longlat +nadgrids=/etc/passwd"]]')
    yield shape("a .prj of a megabyte", prj=b"x" * 1_000_000)
    yield shape("a .cpg of an encoding there is not", cpg=b"klingon")
    for name, data in _bent(parts[".shp"][:300], 8):
        yield shape(name, shp=data + parts[".shp"][300:], may_pass=True)
    package = write_map(folder / "g.gpkg", [polygon(ring)] * 5, "Polygon", "EPSG:4326", {"ma": list("abcde")}, layer="thua")
    good = package.read_bytes()
    for name, data in _cuts(good, 5):
        yield Case(f"gpkg: {name}", "geopackage_file", {".gpkg": data})
    for name, data in _bent(good, 6):
        yield Case(f"gpkg: {name}", "geopackage_file", {".gpkg": data}, may_pass=True)
    endless = "with recursive n(fid, geom) as (select 1, null union all select fid + 1, null from n) select * from n"
    for name, statements in (
        ("a view for a layer", ("alter table thua rename to kept", f"create view thua as {endless}")),
        ("a view for its contents", ("alter table gpkg_contents rename to kept", f"create view gpkg_contents as {endless}")),
        ("a virtual table for a layer", ("alter table thua rename to kept", "create virtual table thua using fts5(fid, geom)")),
        ("no layers", ("delete from gpkg_contents",)),
        ("a layer that is not there", ("update gpkg_contents set table_name = 'x'", "update gpkg_geometry_columns set table_name = 'x'")),
        ("a column that is not there", ("update gpkg_geometry_columns set column_name = 'x'",)),
        ("a system that is none", ("update gpkg_spatial_ref_sys set organization = 'x', definition = 'x'", "update gpkg_geometry_columns set srs_id = 4326000")),
    ):  # fmt: skip
        yield Case(f"gpkg: {name}", "geopackage_file", {".gpkg": _changed(good, folder, statements)})
    plain = folder / "plain.sqlite"
    with sqlite3.connect(plain) as database:
        database.execute("create table t (a)")
    yield Case("gpkg: a database that is no map", "geopackage_file", {".gpkg": plain.read_bytes()})


def _access(_: Path) -> Iterator[Case]:
    good = gzip.decompress((VECTORS / "access_jet4.mdb.gz").read_bytes())
    for name, data in _cuts(good, 6):
        yield Case(f"access: {name}", "access_file", {".mdb": data})
    for name, data in _bent(good, 8):
        yield Case(f"access: {name}", "access_file", {".mdb": data}, may_pass=True)
    yield Case("access: nothing behind the head", "access_file", {".accdb": b"\0\1\0\0Standard ACE DB\0" + b"\xff" * 100_000})


def _misnamed(folder: Path) -> Iterator[Case]:
    """Files that are something else than their name says."""
    picture = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 8
    for connector, ending, options in (
        ("dbf_file", ".dbf", {}), ("excel_file", ".xlsx", {}), ("geojson_file", ".geojson", {}), ("json_file", ".json", {}), ("xml_file", ".xml", XML),
        ("parquet_file", ".parquet", {}), ("shapefile", ".shp", {}), ("geopackage_file", ".gpkg", {}), ("word_file", ".docx", {}), ("access_file", ".mdb", {}),
    ):  # fmt: skip
        yield Case(f"misnamed: a picture as {ending}", connector, {ending: picture, ".dbf" if ending == ".shp" else ".x": picture}, options)
        yield Case(f"misnamed: a web page as {ending}", connector, {ending: b"<html><table><tr><td>1<br></table></html>"}, options)
    yield Case("misnamed: a workbook as .docx", "word_file", {".docx": write_xlsx(HABITS[0], folder / "w.xlsx").read_bytes()})


# Archives bent


def _with(data: bytes, part: str, change: Callable[[bytes], bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target:
        for entry in source.infolist():
            content = source.read(entry)
            target.writestr(entry.filename, change(content) if entry.filename == part else content)
    return out.getvalue()


def _without(data: bytes, part: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target:
        for entry in source.infolist():
            if entry.filename != part:
                target.writestr(entry.filename, source.read(entry))
    return out.getvalue()


def _added(data: bytes, part: str, content: bytes) -> bytes:
    out = io.BytesIO(data)
    with zipfile.ZipFile(out, "a", zipfile.ZIP_DEFLATED) as target:
        target.writestr(zipfile.ZipInfo(part), content)
    return out.getvalue()


def _added_many(data: bytes, count: int) -> bytes:
    out = io.BytesIO(data)
    with zipfile.ZipFile(out, "a") as target:
        for number in range(count):
            target.writestr(zipfile.ZipInfo(f"x{number}"), b"")
    return out.getvalue()


def _twice(data: bytes, part: str) -> bytes:
    renamed = _added(data, part[:-1] + "?", b"<worksheet/>")
    return renamed.replace((part[:-1] + "?").encode(), part.encode())


def _lying_size(data: bytes, part: str) -> bytes:
    place = data.rfind(part.encode()) - 46  # its entry in the central directory
    return data[: place + 24] + (7).to_bytes(4, "little") + data[place + 28 :]


def _method(data: bytes) -> bytes:
    place = data.rfind(b"xl/worksheets/sheet1.xml") - 46
    return data[: place + 10] + (99).to_bytes(2, "little") + data[place + 12 :]


def _changed(data: bytes, folder: Path, statements: tuple[str, ...]) -> bytes:
    path = folder / "changed.gpkg"
    path.write_bytes(data)
    with sqlite3.connect(path) as database:
        for (name,) in database.execute("select name from sqlite_master where type = 'trigger'").fetchall():
            database.execute(f"drop trigger {name}")
        for statement in statements:
            database.execute(statement)
    return path.read_bytes()
