"""What every register of persons shares: who is in it, in which order, typed how badly."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from demo.province.base import stream
from demo.province.damage import (
    Flags,
    Numbers,
    Observer,
    damage_dates,
    damage_ids,
    damage_names,
    emptied,
    phone_respelled,
    put_first,
    tone_lost,
    typing_slip,
    unit_respelled,
    write_other_names,
    year_wrong,
)
from demo.province.rates import EXACT_DUPLICATES, UNMARKED_RESPELLED, duplicates, rate
from demo.province.world import World, commune_text

HILL_PEOPLES = ("S'tiêng", "M'nông")
CLEARLY_WRITTEN = 1975  # who was born later knows the day: the bound of the rates table


@dataclass
class Observed:
    """Rows of a register as typed. All lists are as long as `truth`, whose rows say whom each row is about and which duplicate it is."""

    truth: pl.DataFrame
    names: list[str]
    born: list[str]
    ids: list[str]
    codes: list[str]
    addresses: list[str]
    phones: list[str]
    errors: pl.DataFrame  # register, row (from 1), field, code, true, written

    @property
    def count(self) -> int:
        return self.truth.height


def observe(world: World, register: str, persons: pl.DataFrame, code_of: str = "new_code") -> Observed:
    """Persons of a register with its duplicates, in the register's own order, their fields damaged at the register's rates.

    `code_of` says whether the register's commune codes are of before (`old_code`) or after (`new_code`) 1 July 2025.
    """
    communes = persons["commune"].to_numpy()
    observer = Observer(world.seed, register, communes, len(world.communes))
    old = (persons["born_on"].dt.year() < CLEARLY_WRITTEN).to_numpy()
    minority = persons["ethnic"].is_in(HILL_PEOPLES).to_numpy()
    names, born = persons["name"].to_list(), persons["born_on"].dt.strftime("%d/%m/%Y").to_list()
    ids, phones = persons["citizen_id"].to_list(), persons["phone"].to_list()
    without_marks = damage_names(observer, names, "name", minority)
    write_other_names(observer, names, "name", persons["name"].to_list(), persons["other_name"].to_list())
    damage_ids(observer, ids, "citizen_id", damage_dates(observer, born, "born_on", old))
    lived_in = _not_told(world, observer, communes)
    addresses = _addresses(world, persons, lived_in, observer)
    wanted, rows = observer.order("A5")
    respelled = without_marks[: round(len(without_marks) * UNMARKED_RESPELLED)]
    observer.damage_rows(addresses, "address", "A5", unit_respelled, put_first(rows, respelled, without_marks), wanted)
    codes = _codes(world, observer, lived_in, code_of)
    observer.damage(phones, "phone", "T1", phone_respelled)
    columns = {"name": names, "born_on": born, "citizen_id": ids, "commune_code": codes, "address": addresses, "phone": phones}
    return _with_duplicates(world.seed, persons, observer, columns)


def _not_told(world: World, observer: Observer, communes: Numbers) -> Numbers:
    """A1: moved, and the register still has the commune before."""
    lived_in = communes.copy()
    rows = observer.rows("A1")
    elsewhere = stream(observer.seed, observer.register, "A1 where").integers(0, len(world.communes), len(rows))
    for row, commune in zip(rows, elsewhere.tolist(), strict=True):
        observer.note(row, "address", "A1", world.communes[communes[row]]["old_code"], world.communes[commune]["old_code"])
        lived_in[row] = commune
    return lived_in


def _addresses(world: World, persons: pl.DataFrame, lived_in: Numbers, observer: Observer) -> list[str]:
    """Addresses in new units; in old ones (A2), in a mixture or with the commune alone (A3) where the table says so."""
    ends = {is_new: [commune_text(commune, is_new=is_new) for commune in world.communes] for is_new in (True, False)}
    old_units = set(observer.rows("A2"))
    mixed = set(observer.rows("A3"))
    found: list[str] = []
    for row, (house, hamlet, home, commune) in enumerate(
        zip(persons["house"], persons["hamlet"], persons["home"], lived_in.tolist(), strict=True)
    ):
        start = f"Số {house}, ấp {hamlet}, "
        end = home or ends[row not in old_units][commune]
        if row in old_units and not home and rate("A2", observer.register) < 0.9:  # in a register of old units it is no error
            observer.note(row, "address", "A2", start + ends[True][commune], start + end)
        if row in mixed and not home:
            unit = world.communes[commune]
            written = f"{unit['new_name']}, {unit['district_name']}, tỉnh Bình Phước" if row % 2 else end.split(", ")[0]
            observer.note(row, "address", "A3", start + end, start + written)
            end = written
        found.append(start + end)
    return found


def _codes(world: World, observer: Observer, lived_in: Numbers, code_of: str) -> list[str]:
    """The commune's code; that of the other date where the table says so (A4)."""
    other = {"old_code": "new_code", "new_code": "old_code"}[code_of]
    codes = [world.communes[commune][code_of] for commune in lived_in.tolist()]
    differs = np.array([commune["old_code"] != commune["new_code"] for commune in world.communes])[lived_in]
    for row in observer.rows("A4", differs):
        written = world.communes[lived_in[row]][other]
        observer.note(row, "commune_code", "A4", codes[row], written)
        codes[row] = written
    return codes


_AGAIN = (
    ("name", "N4", typing_slip),
    ("name", "N2", tone_lost),
    ("born_on", "D4", year_wrong),
    ("citizen_id", "I2", emptied),
    ("phone", "T1", phone_respelled),
)


def _with_duplicates(seed: int, persons: pl.DataFrame, observer: Observer, columns: dict[str, list[str]]) -> Observed:
    """Rows typed twice stand after their first: two in five to the letter, the others with two more errors (X1)."""
    draw = stream(seed, observer.register, "duplicates")
    twice = draw.random(persons.height) < duplicates(observer.register)
    source = np.repeat(np.arange(persons.height), 1 + twice)
    rank = np.concatenate([[0], (source[1:] == source[:-1]).astype(np.int64)])
    errors = _spread(observer.frame(), source)
    again = Observer(seed, observer.register, np.zeros(len(source), np.int64), 1)
    for name, values in columns.items():
        columns[name] = [values[row] for row in source.tolist()]
    for row in np.flatnonzero(rank).tolist():
        exact = draw.random() < EXACT_DUPLICATES
        again.note(row, "", "X1", "", "exact" if exact else "changed")
        for kind in () if exact else draw.permutation(len(_AGAIN))[:2].tolist():
            name, code, how = _AGAIN[kind]
            again.damage_rows(columns[name], name, code, how, np.array([row]), 1)
    truth = persons[source].with_columns(pl.Series("rank", rank))
    errors = pl.concat([errors, again.frame()]).with_columns(pl.col("row") + 1).sort("row", maintain_order=True)
    return Observed(
        truth=truth,
        names=columns["name"],
        born=columns["born_on"],
        ids=columns["citizen_id"],
        codes=columns["commune_code"],
        addresses=columns["address"],
        phones=columns["phone"],
        errors=errors,
    )


def _spread(errors: pl.DataFrame, source: Numbers) -> pl.DataFrame:
    """Errors of rows before duplication, on every row that came of them."""
    where = pl.DataFrame({"row": source, "written_row": np.arange(len(source))})
    found = errors.join(where, on="row", how="inner", maintain_order="left_right")
    return found.with_columns(pl.col("written_row").alias("row")).drop("written_row")


def links(register: str, entities: pl.Series, ranks: pl.Series, files: pl.Series, file_rows: pl.Series) -> pl.DataFrame:
    """Which true person each row is about; null for an organisation.

    `row` is the number errors carry; `file` and `file_row` (as the file's own program counts: line, Excel row, record) say where it stands.
    """
    columns = {
        "row": np.arange(1, len(entities) + 1), "entity": entities.cast(pl.Int64), "rank": ranks.cast(pl.Int32),
        "file": files.cast(pl.String), "file_row": file_rows.cast(pl.Int64),
    }  # fmt: skip
    return pl.DataFrame(columns).select(pl.lit(register).alias("register"), pl.all())


def one_file(name: str, rows: int, first: int = 1) -> tuple[pl.Series, pl.Series]:
    """The places of rows that stand in one file in their order, from row `first` on."""
    return pl.repeat(name, rows, eager=True), pl.Series(np.arange(first, first + rows))


__all__ = ["Flags", "Observed", "links", "observe", "one_file"]
