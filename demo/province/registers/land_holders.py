"""R6, who holds each parcel: a workbook a district, with titles, headings of two rows, merged groups and a total."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from demo.province.base import stream
from demo.province.damage import Numbers
from demo.province.headers import LAND_HOLDERS
from demo.province.observed import Observed, observe
from demo.province.rates import DUPLICATE_PERCENT, HOLDER_KINDS, RENUMBERED_PERCENT
from demo.province.registers.parcels import FOLDER, Parcels
from demo.province.workbooks import Cell, Sheet, write_workbook
from demo.province.world import World

ORGANISATION = -1  # in place of a person's number
ORGANISATIONS = ("Nông trường cao su", "Ban quản lý rừng phòng hộ", "Hợp tác xã nông nghiệp", "Công ty TNHH chế biến hạt điều")
FIRST_ROW = 6  # of Excel: titles and headings stand above
HEADING_IN_THE_MIDDLE = "698"  # the district whose workbook repeats its heading among the rows (X2)


@dataclass(frozen=True)
class Holders:
    """One entry a row, in the order of the files: parcel, holder's number on it, observed person or ORGANISATION, duplicate rank."""

    parcel: Numbers
    holder_no: Numbers
    person: Numbers
    rank: Numbers


def write_holders(world: World, out: Path, parcels: Parcels) -> tuple[Observed, Holders]:
    """Write the workbooks; gives the persons as typed (once a person: errors repeat) and who stands in which row."""
    columns = world.land_outsiders.columns
    seen = observe(world, "R6", pl.concat([world.persons.filter("in_r6").select(columns), world.land_outsiders]))
    holders = _hold(world, parcels, seen)
    districts = np.array([int(c["district_code"]) for c in world.communes])[parcels.commune[holders.parcel]]
    renumbered = stream(world.seed, "R6", "renumbered").random(len(holders.parcel)) < RENUMBERED_PERCENT / 100
    for district in np.unique(districts).tolist():
        rows = [
            _row(parcels, seen, holders, row, renumbered=bool(renumbered[row])) for row in np.flatnonzero(districts == district).tolist()
        ]
        _write_workbook(out / FOLDER / f"chu-su-dung-{district}.xlsx", str(district), rows)
    return seen, holders


def _hold(world: World, parcels: Parcels, seen: Observed) -> Holders:
    """Every person of the register holds a parcel at least; couples, heirs and organisations as the table says."""
    draw = stream(world.seed, "R6", "holders")
    count, firsts = len(parcels.ids), np.flatnonzero((seen.truth["rank"] == 0).to_numpy())
    kinds = draw.choice(len(HOLDER_KINDS), count, p=[share for _, share in HOLDER_KINDS])
    number = np.array([persons for persons, _ in HOLDER_KINDS])[kinds]
    parcel = np.repeat(np.arange(count), np.maximum(number, 1))
    holder_no = np.arange(len(parcel)) - np.searchsorted(parcel, parcel) + 1
    organisation = (number == 0)[parcel]
    personal = len(parcel) - int(organisation.sum())
    everyone = draw.permutation(firsts)
    chosen = np.concatenate([everyone, draw.choice(firsts, max(personal - len(everyone), 0))])[:personal]
    person = np.full(len(parcel), ORGANISATION, np.int64)
    person[~organisation] = draw.permutation(chosen)
    twice = (draw.random(len(parcel)) < DUPLICATE_PERCENT["R6"] / 100).astype(np.int64)
    source = np.repeat(np.arange(len(parcel)), 1 + twice)
    rank = np.concatenate([[0], (source[1:] == source[:-1]).astype(np.int64)])
    again = _typed_again(seen, person[source], rank)
    return Holders(parcel[source], holder_no[source], again, rank)


def _typed_again(seen: Observed, person: Numbers, rank: Numbers) -> Numbers:
    """A duplicate of someone whom the register typed twice shows the second way of typing."""
    has_second = np.zeros(seen.count + 1, np.bool_)
    has_second[np.flatnonzero((seen.truth["rank"] == 1).to_numpy()) - 1] = True
    return np.where((rank == 1) & (person != ORGANISATION) & has_second[person], person + 1, person)


def _row(parcels: Parcels, seen: Observed, holders: Holders, row: int, *, renumbered: bool) -> tuple[str | int, ...]:
    parcel, person = int(holders.parcel[row]), int(holders.person[row])
    code, sheet, number = parcels.ids[parcel].split("-")
    written = (
        f"{code}-{int(sheet)}-{int(number) + 5000}" if renumbered else f"{code}-{int(sheet)}-{int(number)}"
    )  # the number before the sheet was remeasured
    certificate = (f"ZZ {parcel % 1_000_000:06}", f"{1 + parcel % 28:02}/{1 + parcel % 12:02}/{2008 + parcel % 17}")
    if person == ORGANISATION:
        return (written, int(holders.holder_no[row]), ORGANISATIONS[parcel % len(ORGANISATIONS)], "", "", f"xã có mã {code}", *certificate)
    return (
        written,
        int(holders.holder_no[row]),
        seen.names[person],
        seen.ids[person],
        seen.born[person],
        seen.addresses[person],
        *certificate,
    )


def _write_workbook(path: Path, district: str, rows: list[tuple[str | int, ...]]) -> None:
    """Titles, groups merged over their columns in Excel's row 4, names in row 5, then the rows and a total."""
    groups: list[Cell] = []
    names: list[Cell] = []
    merged: list[str] = []
    for group, below in LAND_HOLDERS:
        if len(below) > 1:
            merged.append(f"{chr(65 + len(groups))}4:{chr(64 + len(groups) + len(below))}4")
        groups += [group, *[""] * (len(below) - 1)]
        names += below
    written: list[Sequence[Cell]] = [
        ["SỞ TÀI NGUYÊN VÀ MÔI TRƯỜNG"], [f"DANH SÁCH CHỦ SỬ DỤNG ĐẤT – mã huyện {district}"], [], groups, names,
        *((number, *row) for number, row in enumerate(rows, 1)), ["Tổng cộng", len(rows)],
    ]  # fmt: skip
    if district == HEADING_IN_THE_MIDDLE:
        written.insert(FIRST_ROW - 1 + len(rows) // 2, ["STT", *names[1:]])
    bold = frozenset({4, 5, len(written)})
    write_workbook(path, [Sheet("Chủ sử dụng đất", written, bold, tuple(merged))])


def holder_places(world: World, parcels: Parcels, holders: Holders) -> tuple[pl.Series, pl.Series]:
    """(workbook, Excel row) of each row."""
    districts = pl.Series("district", [c["district_code"] for c in world.communes])[parcels.commune[holders.parcel]]
    ordinal, count = pl.int_range(pl.len()).over("district"), pl.len().over("district")
    heading = (pl.col("district") == HEADING_IN_THE_MIDDLE) & (ordinal >= count // 2)
    placed = districts.to_frame("district").select(
        pl.format(f"{FOLDER}/chu-su-dung-{{}}.xlsx", "district").alias("file"), (ordinal + FIRST_ROW + heading.cast(pl.Int64)).alias("row")
    )
    return placed["file"], placed["row"]


def holder_links(seen: Observed, holders: Holders) -> tuple[pl.Series, pl.Series]:
    """(true person or null, duplicate rank) of each row."""
    persons = np.append(seen.truth["person"].to_numpy(), -1)[holders.person]
    entity = pl.Series(persons).replace(-1, None)
    return entity, pl.Series(holders.rank)


def holder_errors(seen: Observed, holders: Holders) -> pl.DataFrame:
    """The errors of persons on every row they stand in."""
    where = pl.DataFrame({"typed": holders.person + 1, "holder_row": np.arange(1, len(holders.person) + 1)})
    found = (
        seen.errors.join(where, left_on="row", right_on="typed", how="inner")
        .with_columns(pl.col("holder_row").alias("row"))
        .drop("holder_row")
    )
    return found.sort("row", "field", "code")
