"""R4, poor and near-poor households: a dBase file a district, in the bytes of old fonts (TCVN3)."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path

from demo.province.base import stream
from demo.province.headers import POOR_HOUSEHOLDS
from demo.province.observed import Observed, observe
from demo.province.world import World
from lienthong.standards import encode_tcvn3

FOLDER = "ho-ngheo"
NEAR_POOR = 0.45
DISORDERED = "696"  # the district whose file is out of order
_TERMINATOR, _END = b"\r", b"\x1a"


def write_poor_households(world: World, out: Path) -> Observed:
    seen = observe(world, "R4", world.persons.filter("in_r4"))
    rows = seen.truth.select("household", "place", "is_male", "ethnic", "commune").to_dict(as_series=False)
    near = stream(world.seed, "R4", "class").random(max(rows["household"]) + 1) < NEAR_POOR
    members: dict[str, list[tuple[str, ...]]] = {}
    for row in range(seen.count):
        commune = world.communes[rows["commune"][row]]
        house = rows["household"][row]
        unit = seen.addresses[row].split(", ", 2)[2]
        members.setdefault(commune["district_code"], []).append(
            (
                f"HN{house:07}", str(rows["place"][row] + 1), seen.names[row], seen.born[row], "Nam" if rows["is_male"][row] else "Nữ", seen.ids[row],
                rows["ethnic"][row], "Chủ hộ" if rows["place"][row] == 0 else "Vợ/chồng" if rows["place"][row] == 1 else "Con",
                "Cận nghèo" if near[house] else "Nghèo", unit, seen.phones[row], "2026",
            )
        )  # fmt: skip
    folder = out / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    for district, found in sorted(members.items()):
        write_dbf(folder / f"ho-ngheo-{district}-2026.dbf", POOR_HOUSEHOLDS, _disordered(found) if district == DISORDERED else found)
    return seen


def _disordered(rows: list[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """One office's file (X2): a row shifted by one column in every fifty, and a total among the data."""
    shifted = [("", *row[:-1]) if number % 50 == 17 else row for number, row in enumerate(rows)]
    return [*shifted, ("", "", "TỔNG CỘNG", str(len(rows)), *[""] * 8)]


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
    return encode_tcvn3(value.replace("\u200b", ""))[:width].ljust(width)
