"""R4, poor and near-poor households: a dBase file a district, in the bytes of old fonts (TCVN3)."""

from __future__ import annotations

import struct
import unicodedata
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import polars as pl

from demo.province.base import stream
from demo.province.headers import POOR_HOUSEHOLDS
from demo.province.observed import Observed, observe
from demo.province.world import World
from lienthong.standards import encode_tcvn3

FOLDER = "ho-ngheo"
NEAR_POOR = 0.45
DISORDERED = "696"  # the district whose file has rows shifted by one column, and a total among the data (X2)
SHIFTED_EVERY = 25
_TERMINATOR, _END = b"\r", b"\x1a"


def write_poor_households(world: World, out: Path) -> tuple[Observed, tuple[pl.Series, pl.Series]]:
    """Write a file a district; gives the persons as typed, and the file and record of each."""
    seen = observe(world, "R4", world.persons.filter("in_r4"))
    rows = seen.truth.select("household", "place", "is_male", "ethnic", "commune").to_dict(as_series=False)
    near = stream(world.seed, "R4", "class").random(max(rows["household"]) + 1) < NEAR_POOR
    members: dict[str, list[tuple[int, tuple[str, ...]]]] = {}
    for row in range(seen.count):
        commune = world.communes[rows["commune"][row]]
        house = rows["household"][row]
        unit = seen.addresses[row].split(", ", 2)[2]
        members.setdefault(commune["district_code"], []).append(
            (
                row,
                (
                    f"HN{house:07}", str(rows["place"][row] + 1), seen.names[row], seen.born[row], "Nam" if rows["is_male"][row] else "Nữ",
                    seen.ids[row], rows["ethnic"][row], "Chủ hộ" if rows["place"][row] == 0 else "Vợ/chồng" if rows["place"][row] == 1 else "Con",
                    "Cận nghèo" if near[house] else "Nghèo", unit, seen.phones[row], "2026",
                ),
            )
        )  # fmt: skip
    shifted = [row for number, (row, _) in enumerate(members.get(DISORDERED, ())) if number % SHIFTED_EVERY == SHIFTED_EVERY // 2]
    folder = out / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    files, records = [""] * seen.count, [0] * seen.count
    for district, found in sorted(members.items()):
        name = f"ho-ngheo-{district}-2026.dbf"
        for record, (row, _) in enumerate(found, 1):
            files[row], records[row] = f"{FOLDER}/{name}", record
        lines = [("", *line[:-1]) if row in shifted else line for row, line in found]
        total = [("", "", "TỔNG CỘNG", str(len(found)), *[""] * 8)] if district == DISORDERED else []
        write_dbf(folder / name, POOR_HOUSEHOLDS, lines + total)
    disorder = pl.DataFrame(
        {"register": "R4", "row": [row + 1 for row in shifted], "field": "", "code": "X2", "true": "", "written": "shifted by one column"}
    )
    return replace(seen, errors=pl.concat([seen.errors, disorder.cast(seen.errors.schema)])), (pl.Series(files), pl.Series(records))


def write_dbf(path: Path, fields: Sequence[tuple[str, int]], rows: Sequence[Sequence[str]]) -> None:
    """A dBase III file of text fields in TCVN3; longer values are cut, as such programs did."""
    length = 1 + sum(width for _, width in fields)
    header = struct.pack("<BBBBIHH20x", 3, 126, 6, 30, len(rows), 32 + 32 * len(fields) + 1, length)
    described = b"".join(struct.pack("<11sc4xBB14x", name.encode(), b"C", width, 0) for name, width in fields)
    with path.open("wb") as file:
        file.write(header + described + _TERMINATOR)
        for row in rows:
            file.write(b" " + b"".join(_cell(value, width) for value, (_, width) in zip(row, fields, strict=True)))
        file.write(_END)


def _cell(value: str, width: int) -> bytes:
    text = value.replace("\u200b", "")
    try:
        written = encode_tcvn3(text)
    except UnicodeEncodeError as error:  # a letter of another people (ö): the font has none, so the plain one was typed
        plain = unicodedata.normalize("NFD", text[error.start])[0]
        return _cell(text[: error.start] + (plain if plain != text[error.start] else "?") + text[error.start + 1 :], width)
    return written[:width].ljust(width)
