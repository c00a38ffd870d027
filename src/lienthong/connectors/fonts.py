"""Text typed in old fonts inside files that are Unicode: decided for each column from many rows, then every row of it read alike.

A workbook of 1998 holds `NguyÔn V¨n An` in a font that draws it right. The option `fonts` says what is to be done: `keep` (as it stands),
`found`, or a mapping of columns to fonts. What was decided is part of the position, so that reading that goes on decides nothing anew. The
cells as they stood go along (`Batch.typed`): of a font that was taken for another nothing is lost.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from lienthong.connectors.base import Batch, Note
from lienthong.connectors.files import FileReader, FoundFile
from lienthong.connectors.options import Options
from lienthong.errors import SourceError
from lienthong.log import get_logger
from lienthong.standards import DECODERS, detect_font, font_bytes

KEEP, FOUND = "keep", "found"
LEAST_CONFIDENCE = 0.5
MOST_VALUES = 20_000

log = get_logger("connectors")


def take_fonts(options: Options) -> str | dict[str, str]:
    """The option `fonts`: `keep`, `found`, or column → font."""
    said = options.choice_or_mapping("fonts", (KEEP, FOUND), KEEP)
    unknown = [font for font in said.values() if font not in DECODERS] if isinstance(said, dict) else []
    if unknown:
        raise SourceError(f"Option `fonts`: expected one of {', '.join(DECODERS)}, found `{unknown[0]}`.")
    return said


def reading_fonts(reader: FileReader, fonts: str | Mapping[str, str]) -> FileReader:
    """The reader, with the columns of old fonts turned into letters."""
    if fonts == KEEP:
        return reader

    def read(found: FoundFile, at: Mapping[str, Any] | None) -> Iterator[Batch]:
        decided: Mapping[str, str] | None = fonts if isinstance(fonts, Mapping) else None if at is None else at.get("fonts")
        for batch in reader(found, at):
            new: tuple[Note, ...] = ()
            if decided is None and batch.table.num_rows:
                decided, sure = _decide(batch.table)
                new = tuple(Note(f"font:{column}:{font}", round(100 * sure[column])) for column, font in decided.items())
                if decided:
                    log.info("fonts_found", file=found.path.name, **decided)
            table = batch.table if not decided else _read_anew(batch.table, decided)
            typed = {name: where_other(batch.table[name], table[name]) for name in decided or ()}
            place = batch.position if decided is None else {**batch.position, "fonts": dict(decided)}
            yield replace(batch, table=table, position=place, typed={**batch.typed, **typed}, notes=(*batch.notes, *new))

    return read


def _decide(table: pa.Table) -> tuple[dict[str, str], dict[str, float]]:
    """Column → font, for columns that are surely in one; and how surely."""
    decided: dict[str, str] = {}
    sure: dict[str, float] = {}
    for name in table.column_names:
        values = pc.unique(table[name].slice(0, MOST_VALUES)).drop_null().to_pylist()
        font, confidence = detect_font(values)
        if font and confidence >= LEAST_CONFIDENCE:
            decided[name], sure[name] = font, confidence
    return decided, sure


def _read_anew(table: pa.Table, decided: Mapping[str, str]) -> pa.Table:
    for name, font in decided.items():
        if name not in table.column_names:
            raise SourceError(f"Option `fonts`: không có cột / there is no column `{name}`, found {table.column_names}.")
        place = table.column_names.index(name)
        table = table.set_column(place, name, pa.array([_letters(value, font) for value in table[name].to_pylist()], pa.string()))
    return table


def where_other(typed: pa.ChunkedArray, read: pa.ChunkedArray) -> pa.ChunkedArray:
    """Cells as they stood, null where they are read as they stand."""
    return pc.if_else(pc.fill_null(pc.equal(typed, read), True), pa.scalar(None, pa.string()), typed)


def as_they_stood(stood: pa.Table, read: pa.Table) -> dict[str, pa.ChunkedArray]:
    """Cells of `stood` byte for byte (as Latin-1), null where they are read alike; only columns that have one."""
    cells = {name: where_other(stood[name], read[name]) for name in stood.column_names}
    return {name: each for name, each in cells.items() if each.null_count < len(each)}


def _letters(value: str | None, font: str) -> str | None:
    if value is None or value.isascii():
        return value
    try:
        return DECODERS[font](font_bytes(value))
    except UnicodeError:
        return value  # a cell in another script stays as it stands
