"""R9, civil status: births, deaths and marriages since 2016. The newer ones a service gives; what was typed in from books comes as workbooks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from demo.province.base import stream
from demo.province.damage import Observer, damage_ids, damage_names, write_other_names
from demo.province.headers import BIRTHS, DEATHS, MARRIAGES
from demo.province.observed import HILL_PEOPLES, Observed, observe
from demo.province.rates import COVER
from demo.province.services import write_service
from demo.province.workbooks import Sheet, write_workbook
from demo.province.world import LAST_DAY, World

FOLDER = "ho-tich"
SINCE, ELECTRONIC = date(2016, 1, 1), date(2021, 1, 1)  # the electronic register; before it, books typed in
MARRIED_FROM_BORN = 1985  # couples who married since 2016
FIRST_ROW = 4  # of Excel
CAUSES = ("Bệnh", "Tuổi già", "Tai nạn giao thông", "Tai nạn khác")


@dataclass(frozen=True)
class CivilStatus:
    """One of the three books: who its rows are about, who stands beside them, and where each row is."""

    register: str
    seen: Observed
    beside: dict[str, tuple[pl.Series, pl.DataFrame]]  # register → the persons, the errors
    places: tuple[pl.Series, pl.Series]
    is_about_one: bool = True  # a marriage is about two, who both stand in `beside`


def write_civil_status(world: World, out: Path) -> list[CivilStatus]:
    """Write the three books; what is typed twice stays with its first in one file."""
    return [_births(world, out), _deaths(world, out), _marriages(world, out)]


def _registered(world: World, register: str, persons: pl.DataFrame) -> pl.DataFrame:
    """Nearly all events are entered (the table's cover)."""
    return persons.filter(pl.Series(stream(world.seed, register, "entered").random(persons.height) < COVER["R9"]))


def _births(world: World, out: Path) -> CivilStatus:
    born = world.persons.filter((pl.col("born_on") >= SINCE) & (pl.col("place") > 1))
    heads = world.persons.filter(pl.col("place") < 2)
    parents = {
        name: born.select("person", "household").join(
            heads.filter(pl.col("is_male") == is_male).unique("household", keep="first", maintain_order=True), on="household", how="left", maintain_order="left"
        )
        for name, is_male in (("mother", False), ("father", True))
    }  # fmt: skip
    entered = _registered(
        world,
        "R9.births",
        born.with_columns(parents["mother"]["person_right"].alias("mother"), parents["father"]["person_right"].alias("father")),
    )
    seen = observe(world, "R9.births", entered)
    mother, father = (_second(world, seen, name, f"R9.{name}s") for name in ("mother", "father"))
    draw = stream(world.seed, "R9.births", "rows")
    late = draw.integers(1, 70, seen.count).tolist()
    rows, newest = [], []
    for row, true in enumerate(seen.truth.select("person", "is_male", "born_on", "ethnic", "rank").iter_rows(named=True)):
        entered_on = min(date.fromordinal(true["born_on"].toordinal() + late[row - true["rank"]]), LAST_DAY)
        values = (
            _number("KS", true["person"], entered_on), seen.names[row], seen.born[row], "Nam" if true["is_male"] else "Nữ", true["ethnic"], seen.ids[row],
            seen.codes[row], mother.names[row], mother.ids[row], father.names[row], father.ids[row], seen.addresses[row], _day(entered_on),
        )  # fmt: skip
        rows.append(dict(zip(BIRTHS, values, strict=True)))
        newest.append(true["born_on"] >= ELECTRONIC)
    places = _write(out, "khai-sinh", rows, newest)
    return CivilStatus(
        "R9.births", seen, {f"R9.{name}s": (each.persons, each.errors) for name, each in (("mother", mother), ("father", father))}, places
    )


def _deaths(world: World, out: Path) -> CivilStatus:
    died = world.events.filter(pl.col("kind") == "death").select("person", pl.col("on").alias("died_in_year"))
    dead = world.persons.join(died, on="person", how="left", maintain_order="left").with_columns(
        pl.coalesce("died_on", "died_in_year").alias("gone_on")
    )
    seen = observe(world, "R9.deaths", _registered(world, "R9.deaths", dead.filter(pl.col("gone_on") >= SINCE)))
    draw = stream(world.seed, "R9.deaths", "rows")
    late, causes = draw.integers(1, 40, seen.count).tolist(), draw.choice(len(CAUSES), seen.count, p=[0.6, 0.3, 0.06, 0.04])
    rows, newest = [], []
    for row, true in enumerate(seen.truth.select("person", "is_male", "gone_on", "rank").iter_rows(named=True)):
        of = row - true["rank"]
        entered_on = min(date.fromordinal(true["gone_on"].toordinal() + late[of]), LAST_DAY)
        values = (
            _number("KT", true["person"], entered_on), seen.names[row], seen.born[row], "Nam" if true["is_male"] else "Nữ", seen.ids[row], seen.codes[row],
            seen.addresses[row], _day(true["gone_on"]), CAUSES[int(causes[of])], _day(entered_on),
        )  # fmt: skip
        rows.append(dict(zip(DEATHS, values, strict=True)))
        newest.append(true["gone_on"] >= ELECTRONIC)
    return CivilStatus("R9.deaths", seen, {}, _write(out, "khai-tu", rows, newest))


def _marriages(world: World, out: Path) -> CivilStatus:
    heads = world.persons.filter((pl.col("place") == 0) & (pl.col("born_on").dt.year() >= MARRIED_FROM_BORN) & ~pl.col("dead_before"))
    spouses = world.persons.filter((pl.col("place") == 1) & (pl.col("born_on").dt.year() >= MARRIED_FROM_BORN)).select(
        "household", pl.col("person").alias("spouse")
    )
    couples = heads.join(spouses, on="household", how="inner", maintain_order="left").filter(pl.col("born_on").dt.year() < 2004)
    seen = observe(world, "R9.marriages", _registered(world, "R9.marriages", couples))
    spouse = _second(world, seen, "spouse", "R9.spouses")
    days = stream(world.seed, "R9.marriages", "rows").integers(SINCE.toordinal(), LAST_DAY.toordinal(), seen.count).tolist()
    rows, newest = [], []
    for row, true in enumerate(seen.truth.select("person", "is_male", "rank").iter_rows(named=True)):
        day = date.fromordinal(days[row - true["rank"]])
        one = (seen.names[row], seen.born[row], seen.ids[row])
        other = (spouse.names[row], spouse.born[row], spouse.ids[row])
        values = (
            _number("KH", true["person"], day),
            *(one + other if true["is_male"] else other + one),
            seen.codes[row],
            seen.addresses[row],
            _day(day),
        )
        rows.append(dict(zip(MARRIAGES, values, strict=True)))
        newest.append(day >= ELECTRONIC)
    is_man = seen.truth["is_male"]
    return CivilStatus(
        "R9.marriages", seen, {"R9.husbands": _those(seen, spouse, is_man, "R9.husbands"), "R9.wives": _those(seen, spouse, ~is_man, "R9.wives")},
        _write(out, "ket-hon", rows, newest), is_about_one=False,
    )  # fmt: skip


def _those(seen: Observed, spouse: _Beside, is_head: pl.Series, register: str) -> tuple[pl.Series, pl.DataFrame]:
    """Of each couple the one who is the head where `is_head`, and what was mistyped of them."""
    persons = pl.select(pl.when(is_head).then(seen.truth["person"]).otherwise(spouse.persons)).to_series()
    heads = pl.DataFrame({"row": range(1, seen.count + 1), "is_head": is_head}, schema_overrides={"row": pl.Int64})
    parts = [
        errors.join(heads.filter(pl.col("is_head") == own), on="row", how="semi", maintain_order="left")
        for errors, own in ((seen.errors, True), (spouse.errors, False))
    ]
    return persons, pl.concat(parts).with_columns(pl.lit(register).alias("register"))


@dataclass(frozen=True)
class _Beside:
    persons: pl.Series
    names: list[str]
    born: list[str]
    ids: list[str]
    errors: pl.DataFrame


def _second(world: World, seen: Observed, column: str, register: str) -> _Beside:
    """The person who stands beside each row's, typed with that register's habits."""
    numbers = seen.truth[column]
    who = pl.DataFrame({"person": numbers}).join(world.persons, on="person", how="left", maintain_order="left")
    observer = Observer(world.seed, register, seen.truth["commune"].to_numpy(), len(world.communes))
    there = numbers.is_not_null().to_numpy()
    names, ids = who["name"].fill_null("").to_list(), who["citizen_id"].fill_null("").to_list()
    born = [day.strftime("%d/%m/%Y") if day is not None else "" for day in who["born_on"].to_list()]
    damage_names(observer, names, "name", who["ethnic"].is_in(HILL_PEOPLES).fill_null(value=False).to_numpy() & there)
    write_other_names(observer, names, "name", who["name"].to_list(), who["other_name"].to_list())
    damage_ids(observer, ids, "citizen_id", [])
    errors = observer.frame().with_columns(pl.col("row") + 1).filter(pl.col("row").is_in((np.flatnonzero(there) + 1).tolist()))
    return _Beside(numbers, [name if known else "" for name, known in zip(names, there.tolist(), strict=True)], born, ids, errors)


def _number(book: str, person: int, day: date) -> str:
    """A number of no office: from 900000 on."""
    return f"{book}-{900_000 + person}/{day.year}.TEST"


def _day(day: date) -> str:
    return day.strftime("%d/%m/%Y")


def _write(out: Path, name: str, rows: list[dict[str, Any]], newest: list[bool]) -> tuple[pl.Series, pl.Series]:
    """The service's list and the backlog's workbook; gives where each row is."""
    service, backlog = f"dich-vu/{name}.json", f"{FOLDER}/{name}-2016-2020.xlsx"
    write_service(out / service, [row for row, is_new in zip(rows, newest, strict=True) if is_new])
    old = [list(row.values()) for row, is_new in zip(rows, newest, strict=True) if not is_new]
    head = [["SỔ HỘ TỊCH SỐ HÓA 2016 - 2020"], [], ["STT", *rows[0]]]
    write_workbook(out / backlog, [Sheet("Sổ hộ tịch", [*head, *([n, *line] for n, line in enumerate(old, 1))], frozenset({1, 3}))])
    counted = {True: 0, False: FIRST_ROW - 1}
    files, numbers = [], []
    for is_new in newest:
        counted[is_new] += 1
        files.append(service if is_new else backlog)
        numbers.append(counted[is_new])
    return pl.Series(files), pl.Series(numbers)
