"""Excel workbooks as agencies send them, written straight as XML: a million rows go through a library's cells slowly."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

Cell = str | int | float | None
PRINTED = "2026-06-30T00:00:00Z"  # workbooks carry the time they were made
_EPOCH = (2026, 6, 30, 0, 0, 0)
_COLUMNS = tuple(chr(65 + n) for n in range(26)) + tuple(f"A{chr(65 + n)}" for n in range(26))
_ODD = re.compile(r"^\s|\s$|[&<>\x00-\x08\x0b\x0c\x0e-\x1f]|\s\s")
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_STYLES = (
    f'{_HEAD}<styleSheet xmlns="{_MAIN}"><fonts count="2"><font><sz val="11"/><name val="Calibri"/></font><font><b/><sz val="11"/><name val="Calibri"/></font></fonts>'
    '<fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill></fills>'
    '<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders><cellStyleXfs count="1"><xf numFmtId="0" fontId="0"/></cellStyleXfs>'
    '<cellXfs count="2"><xf numFmtId="0" fontId="0" xfId="0"/><xf numFmtId="0" fontId="1" xfId="0" applyFont="1" applyAlignment="1"><alignment horizontal="center"/></xf></cellXfs><cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>'
)


@dataclass(frozen=True)
class Sheet:
    """A sheet: its rows from the top, the numbers (from 1) of rows in bold, and merged ranges such as `B4:C4`."""

    name: str
    rows: Iterable[Sequence[Cell]]
    bold: frozenset[int] = frozenset()
    merged: tuple[str, ...] = ()


def write_workbook(path: Path, sheets: Sequence[Sheet]) -> None:
    """Write the workbook; the same sheets give the same bytes. Empty text and None are cells that are not there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    numbers = range(1, len(sheets) + 1)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as file:
        overrides = "".join(
            f'<Override PartName="/xl/worksheets/sheet{n}.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/>'
            for n in numbers
        )
        _put(file, "[Content_Types].xml", (
            f'{_HEAD}<Types xmlns="{_PACKAGE}/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
            '<Default Extension="xml" ContentType="application/xml"/><Override PartName="/docProps/core.xml" ContentType="application/vnd.openxmlformats-package.core-properties+xml"/>'
            '<Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/>'
            f'<Override PartName="/xl/styles.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.styles+xml"/>{overrides}</Types>'
        ))  # fmt: skip
        _put(file, "_rels/.rels", (
            f'{_HEAD}<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="rId1" Type="{_OFFICE}/relationships/officeDocument" Target="xl/workbook.xml"/>'
            f'<Relationship Id="rId2" Type="{_PACKAGE}/relationships/metadata/core-properties" Target="docProps/core.xml"/></Relationships>'
        ))  # fmt: skip
        _put(file, "docProps/core.xml", (
            f'{_HEAD}<cp:coreProperties xmlns:cp="{_PACKAGE}/metadata/core-properties" xmlns:dcterms="http://purl.org/dc/terms/" '
            f'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><dcterms:created xsi:type="dcterms:W3CDTF">{PRINTED}</dcterms:created></cp:coreProperties>'
        ))  # fmt: skip
        named = "".join(
            f'<sheet name="{_escaped(sheet.name)}" sheetId="{n}" r:id="rId{n}"/>' for n, sheet in zip(numbers, sheets, strict=True)
        )
        _put(
            file,
            "xl/workbook.xml",
            f'{_HEAD}<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}/relationships"><sheets>{named}</sheets></workbook>',
        )
        related = "".join(
            f'<Relationship Id="rId{n}" Type="{_OFFICE}/relationships/worksheet" Target="worksheets/sheet{n}.xml"/>' for n in numbers
        )
        styles = f'<Relationship Id="rId{len(sheets) + 1}" Type="{_OFFICE}/relationships/styles" Target="styles.xml"/>'
        _put(
            file, "xl/_rels/workbook.xml.rels", f'{_HEAD}<Relationships xmlns="{_PACKAGE}/relationships">{related}{styles}</Relationships>'
        )
        _put(file, "xl/styles.xml", _STYLES)
        for n, sheet in zip(numbers, sheets, strict=True):
            _put(file, f"xl/worksheets/sheet{n}.xml", _sheet(sheet))


def _put(file: zipfile.ZipFile, name: str, text: str) -> None:
    entry = zipfile.ZipInfo(name, _EPOCH)
    entry.compress_type = zipfile.ZIP_DEFLATED
    file.writestr(entry, text.encode(), compresslevel=1)


def _sheet(sheet: Sheet) -> str:
    lines = [f'{_HEAD}<worksheet xmlns="{_MAIN}"><sheetData>']
    for number, row in enumerate(sheet.rows, 1):
        style = ' s="1"' if number in sheet.bold else ""
        cells = [_cell(value, f"{column}{number}", style) for column, value in zip(_COLUMNS, row, strict=False) if value not in ("", None)]
        lines.append(f'<row r="{number}">{"".join(cells)}</row>')
    merged = "".join(f'<mergeCell ref="{each}"/>' for each in sheet.merged)
    lines.append(
        f"</sheetData>{f'<mergeCells count={chr(34)}{len(sheet.merged)}{chr(34)}>{merged}</mergeCells>' if merged else ''}</worksheet>"
    )
    return "\n".join(lines)


def _cell(value: Cell, place: str, style: str) -> str:
    if isinstance(value, str):
        if _ODD.search(value) is None:
            return f'<c r="{place}" t="inlineStr"{style}><is><t>{value}</t></is></c>'
        return f'<c r="{place}" t="inlineStr"{style}><is><t xml:space="preserve">{_escaped(value)}</t></is></c>'
    return f'<c r="{place}"{style}><v>{value}</v></c>'


def _escaped(text: str) -> str:
    plain = re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f]", "", text)
    return plain.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")
