"""What every register of persons shares: who is in it, in which order, typed how badly."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from demo.province.base import stream
from demo.province.damage import (
    Observer,
    damage_dates,
    damage_names,
    digit_wrong,
    district_left_out,
    phone_respelled,
    unit_respelled,
    zeros_lost,
)
from demo.province.rates import DUPLICATE_PERCENT, EXACT_DUPLICATES
from demo.province.world import World, commune_text


@dataclass
class Observed:
    """Rows of a register as typed. All lists are as long as `truth`, whose rows say whom each row is about."""

    truth: pl.DataFrame
    observer: Observer
    names: list[str]
    born: list[str]
    ids: list[str]
    addresses: list[str]
    phones: list[str]

    @property
    def count(self) -> int:
        return self.truth.height


def observe(world: World, register: str, persons: pl.DataFrame) -> Observed:
    """Persons of a register with its duplicates, in the register's own order, their fields damaged at the register's rates."""
    draw = stream(world.seed, register, "duplicates")
    twice = persons.filter(pl.Series(draw.random(persons.height) < DUPLICATE_PERCENT[register] / 100))
    rows = pl.concat([persons.with_columns(pl.lit(0).alias("rank")), twice.with_columns(pl.lit(1).alias("rank"))])
    rows = rows.sort("person", "rank")
    communes = rows["commune"].to_numpy()
    observer = Observer(world.seed, register, communes, len(world.communes))
    old = (rows["born_on"].dt.year() < 1975).to_numpy()  # the table's own bound
    minority = rows["ethnic"].is_in(["S'tiêng", "M'nông"]).to_numpy()
    names, born = rows["name"].to_list(), rows["born_on"].dt.strftime("%d/%m/%Y").to_list()
    ids, phones = rows["citizen_id"].to_list(), rows["phone"].to_list()
    addresses = _addresses(world, rows, observer)
    damage_names(observer, names, "name", minority)
    damage_dates(observer, born, "born_on", old)
    _damage_ids(observer, ids, rows)
    observer.damage(addresses, "address", "A3", district_left_out)
    observer.damage(addresses, "address", "A5", unit_respelled)
    observer.damage(phones, "phone", "T1", phone_respelled)
    seen = Observed(rows, observer, names, born, ids, addresses, phones)
    _make_exact(seen, draw.random(rows.height) < EXACT_DUPLICATES)
    return seen


def _addresses(world: World, rows: pl.DataFrame, observer: Observer) -> list[str]:
    old_units = set(observer.rows("A2"))
    communes = world.communes
    return [
        f"Số {house}, ấp {hamlet}, {commune_text(communes[commune], is_new=row not in old_units)}"
        for row, (house, hamlet, commune) in enumerate(rows.select("house", "hamlet", "commune").iter_rows())
    ]


def _damage_ids(observer: Observer, ids: list[str], rows: pl.DataFrame) -> None:
    old_ids = rows["old_id"].to_list()
    for row in observer.rows("I1"):
        observer.errors.append((observer.register, row + 1, "citizen_id", "I1", ids[row], old_ids[row]))
        ids[row] = old_ids[row]
    observer.damage(ids, "citizen_id", "I4", digit_wrong)
    observer.damage(ids, "citizen_id", "I3", zeros_lost)
    observer.damage(ids, "citizen_id", "I2", lambda _, __: "")


def _make_exact(seen: Observed, is_exact: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> None:
    """Two in five duplicates repeat the row before them to the letter."""
    for row in np.flatnonzero((seen.truth["rank"] == 1).to_numpy() & is_exact).tolist():
        for values in (seen.names, seen.born, seen.ids, seen.addresses, seen.phones):
            values[row] = values[row - 1]


def links(register: str, seen: Observed) -> pl.DataFrame:
    """Which true person each row is about."""
    return seen.truth.select(
        pl.lit(register).alias("register"),
        pl.int_range(1, pl.len() + 1).alias("row"),
        pl.col("person").alias("entity"),
        pl.col("rank").cast(pl.Int32),
    )
