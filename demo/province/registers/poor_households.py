"""R4, poor and near-poor households: a dBase file a district, in the bytes of old fonts (TCVN3)."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path

import polars as pl

from demo.province.base import stream
from demo.province.observed import Observed, observe
from demo.province.rates import COVER
from demo.province.world import World
from lienthong.standards import encode_tcvn3

FOLDER = "ho-ngheo"
FIELDS = (
    ("MA_HO", 10), ("STT_TV", 3), ("HO_TEN", 45), ("NGAY_SINH", 10), ("GIOI_TINH", 4), ("SO_CCCD", 12), ("DAN_TOC", 12), ("QUAN_HE", 12),
    ("LOAI_HO", 10), ("DON_VI", 80), ("DIEN_THOAI", 24), ("NAM", 4),
)  # fmt: skip
LEAST_ROWS = 200
_TERMINATOR, _END = b"\r", b"\x1a"


def write_poor_households(world: World, out: Path) -> Observed:
    draw = stream(world.seed, "R4", "cover")
    households = int(world.persons["household"].max() or 0) + 1  # type: ignore[arg-type] # whole numbers
    wanted = max(COVER["R4"], LEAST_ROWS / world.persons.height)
    poor = draw.random(households) < wanted
    persons = world.persons.filter(pl.Series(poor[world.persons["household"].to_numpy()]))
    seen = observe(world, "R4", persons)
    rows = seen.truth.select("household", "place", "is_male", "ethnic", "commune", "rank").to_dict(as_series=False)
    near = draw.random(households) < 0.45  # near-poor
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
        write_dbf(folder / f"ho-ngheo-{district}-2026.dbf", FIELDS, found)
    return seen


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
