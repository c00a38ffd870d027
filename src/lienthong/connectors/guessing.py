"""Which connector reads a file, and with which options, told with what speaks for it: nothing is asked that the file itself says."""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from glob import escape
from pathlib import Path, PurePosixPath
from typing import Any

from lxml import etree

from lienthong.connectors.archive import is_archive, member_names, unpack
from lienthong.connectors.base import ReadContext
from lienthong.connectors.excel_file import first_cells, visible_sheets
from lienthong.connectors.files import COMPANIONS
from lienthong.connectors.folder import FolderOptions, matcher
from lienthong.connectors.registry import CONNECTORS
from lienthong.connectors.sqlite_file import tables_of
from lienthong.connectors.xml_parsing import refuse_doctype
from lienthong.contracts import Source
from lienthong.errors import SourceError, Unprocessable
from lienthong.quality.drafting import LOOKED_AT, Evidence
from lienthong.quality.layouts import LayoutGuess, guess_layout

MOST_ELEMENTS = 20_000
LARGEST_JSON = 64 * 1024 * 1024  # bytes looked through for where the rows are
DEEPEST_PATH = 6
ARCHIVES = (".zip", ".7z")
# The first connector of each list that there is.
_BY_SUFFIX: Mapping[str, tuple[str, ...]] = {
    ".csv": ("csv_file",), ".tsv": ("csv_file",), ".txt": ("csv_file",), ".dbf": ("dbf_file",), ".xml": ("xml_file",), ".geojson": ("geojson_file",),
    ".json": ("json_file",), ".jsonl": ("json_file",), ".ndjson": ("json_file",), ".parquet": ("parquet_file",), ".shp": ("shapefile",), ".gpkg": ("geopackage_file",),
    ".db": ("sqlite_file",), ".sqlite": ("sqlite_file",), ".mdb": ("access_file",), ".accdb": ("access_file",), ".docx": ("word_file",),
    **dict.fromkeys((".xlsx", ".xlsm", ".xlsb", ".xls", ".ods"), ("excel_file",)),
}  # fmt: skip


@dataclass(frozen=True)
class Guess:
    connector: str
    options: dict[str, Any]
    evidence: tuple[Evidence, ...] = ()


def by_suffix() -> dict[str, str]:
    """Suffix of a file → the connector of ours that reads it."""
    found = {suffix: next((name for name in names if name in CONNECTORS), None) for suffix, names in _BY_SUFFIX.items()}
    return {suffix: name for suffix, name in found.items() if name is not None}


def guess_source(path: Path) -> Guess:
    """How to read a file, or what an archive holds most of. Raises Unprocessable for a kind nobody reads, SourceError for a file that cannot be read."""
    if is_archive(path.name):
        return _archive(path)
    suffix = path.suffix.lower()
    connector = by_suffix().get(suffix)
    if connector is None:
        known = ", ".join((*by_suffix(), *ARCHIVES))
        raise Unprocessable(
            f"Expected one of {known}, found `{suffix[:12]}`.",
            hint="Name a connector and a location.",
            vi=f"Chỉ đọc được {known}.",
            hint_vi="Hãy nêu tên bộ đọc và vị trí.",
        )
    if connector == "excel_file":
        return _workbook(path)
    if connector == "xml_file":
        return Guess(
            connector, _xml(path), (Evidence("Phần tử lặp lại nhiều nhất là một hàng", "The element that comes most often is a row"),)
        )
    if connector == "json_file":
        return _json(path)
    if connector == "sqlite_file":
        return _sqlite(path)
    return Guess(connector, {})


def source_of(path: Path, guess: Guess, name: str = "file") -> Source:
    return Source(name, guess.connector, str(path), options=guess.options)


def _archive(path: Path) -> Guess:
    """The members of the kind there are most of, read as the first of them is."""
    packed = FolderOptions.of(Source("archive", "csv_file", str(path), options={"folder": {"member": "*"}}), ReadContext()).packed
    readable = [name for name in member_names(path, path.name, packed) if PurePosixPath(name).suffix.lower() in by_suffix()]
    maps = {PurePosixPath(name).with_suffix("") for name in readable if name.lower().endswith(".shp")}
    readable = [name for name in readable if name.lower().endswith(".shp") or PurePosixPath(name).with_suffix("") not in maps]
    if not readable:
        raise Unprocessable(
            f"`{path.name}` holds no file of a kind that is read.",
            hint="Unpack it; an archive inside an archive is read with `folder: {member: '*.zip!*.csv'}`.",
            vi=f"`{path.name}` không chứa tệp nào thuộc loại đọc được.",
            hint_vi="Hãy giải nén; tệp nén trong tệp nén đọc bằng `folder: {member: '*.zip!*.csv'}`.",
        )
    suffix = Counter(PurePosixPath(name).suffix for name in readable).most_common(1)[0][0]
    pattern = f"**/*{suffix}" if any("/" in name for name in readable) else f"*{suffix}"
    read = sorted(filter(matcher(pattern), readable))
    connector = by_suffix()[suffix.lower()]
    with tempfile.TemporaryDirectory(prefix="lienthong-archive-") as room:
        first = unpack(path, path.name, replace(packed, member=escape(read[0])), Path(room), COMPANIONS.get(connector, ()))[0]
        inner = guess_source(first.path)
    left = len(readable) - len(read)
    told = Evidence(
        f"Tệp nén: đọc {len(read)} tệp `{pattern}`" + (f", bỏ {left} tệp loại khác" if left else ""),
        f"An archive: {len(read)} files `{pattern}` are read" + (f", {left} of other kinds are not" if left else ""),
    )
    return Guess(inner.connector, {"folder": {"member": pattern}, **inner.options}, (told, *inner.evidence))


def _sqlite(path: Path) -> Guess:
    """The table with the most rows, in the order of its key."""
    tables = tables_of(path)
    if not tables:
        raise Unprocessable(f"`{path.name}` has no table.", vi=f"`{path.name}` không có bảng nào.")
    table, (rows, key) = max(tables.items(), key=lambda each: each[1][0])
    others = ", ".join(f"`{name}` ({count})" for name, (count, _) in tables.items() if name != table)
    told = Evidence(
        f"Đọc bảng `{table}`, {rows} hàng" + (f"; các bảng khác: {others}" if others else ""),
        f"Table `{table}` is read, {rows} rows" + (f"; other tables: {others}" if others else ""),
    )
    return Guess("sqlite_file", {"table": table, **({"key": list(key)} if key else {})}, (told,))


def _workbook(path: Path) -> Guess:
    """The sheet with the most data, and its layout."""
    sheets = visible_sheets(path)
    found: list[tuple[int, str, LayoutGuess]] = []
    for place, sheet in enumerate(sheets):
        grid = first_cells(path, LOOKED_AT, sheet=sheet)
        layout = guess_layout(grid)
        cells = sum(1 for row in grid[layout.first_row - 1 :] for cell in row if cell)
        found.append((cells, sheet, layout))
        if place >= 20:
            break
    if not found:
        raise SourceError(f"`{path.name}`: không có trang tính nào hiện / no visible sheet.")
    best = max(found, key=lambda each: each[0])
    options, told = dict(best[2].options), list(best[2].evidence)
    if best[1] != sheets[0]:
        options["sheet"] = best[1]
        told.append(Evidence(f"Dữ liệu ở trang “{best[1]}”", f"The data is on sheet “{best[1]}”"))
    return Guess("excel_file", options, tuple(told))


def _xml(path: Path) -> dict[str, Any]:
    """Options of `xml_file`: the element that comes most often with parts of its own, and its parts. Nothing outside the file is read."""
    counts: Counter[str] = Counter()
    parts: dict[str, dict[str, str]] = {}
    try:
        with path.open("rb") as stream:
            parser = etree.iterparse(stream, events=("end",), resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_pis=True, remove_comments=True)  # fmt: skip
            for number, (_, element) in enumerate(parser):
                if number == 0:
                    refuse_doctype(element.getroottree(), path.name)
                if number >= MOST_ELEMENTS:
                    break
                if len(element):
                    name = etree.QName(element).localname
                    counts[name] += 1
                    _add_parts(element, parts.setdefault(name, {}))
    except (etree.XMLSyntaxError, OSError) as error:
        raise SourceError(f"`{path.name}`: không đọc được XML / is no XML that can be read.") from error
    if not counts:
        raise SourceError(f"`{path.name}`: không tìm thấy phần tử nào lặp lại / no element that could be a row.")
    row = max(counts, key=lambda name: (counts[name], len(parts[name])))
    return {"row": row, "fields": parts[row]}


def _add_parts(element: Any, fields: dict[str, str]) -> None:
    for name in element.attrib:
        fields.setdefault(etree.QName(name).localname, f"@{etree.QName(name).localname}")
    for part in element:
        if not isinstance(part.tag, str):  # an entity that is not followed
            continue
        name = etree.QName(part).localname
        if len(part) == 0:
            fields.setdefault(name, name)
            continue
        for inner in part:
            if isinstance(inner.tag, str) and len(inner) == 0:
                below = etree.QName(inner).localname
                fields.setdefault(f"{name} / {below}", f"{name}/{below}")


def _json(path: Path) -> Guess:
    """Where in a document the rows are: the first array of objects, the nearest to the top."""
    if path.stat().st_size > LARGEST_JSON:
        return Guess("json_file", {})
    text = path.read_bytes()
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return Guess("json_file", {})  # lines, another encoding, or no JSON: the reader says which
    if isinstance(document, dict) and document.get("type") == "FeatureCollection" and "geojson_file" in CONNECTORS:
        return Guess("geojson_file", {}, (Evidence("Tệp GeoJSON", "A GeoJSON file"),))
    items = _items(document)
    if not items:
        return Guess("json_file", {})
    return Guess("json_file", {"items": items}, (Evidence(f"Các hàng ở `{items}`", f"The rows are at `{items}`"),))


def _items(document: Any) -> str:
    level: list[tuple[str, Any]] = [("", document)]
    for _ in range(DEEPEST_PATH):
        for path, value in level:
            if isinstance(value, list) and value and all(isinstance(each, dict) for each in value[:20]):
                return path
        level = [
            (f"{path}.{name}".lstrip("."), inner)
            for path, value in level
            if isinstance(value, dict)
            for name, inner in value.items()
            if "." not in name
        ]
    return ""
