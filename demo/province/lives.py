"""What happens to persons in a year, and which registers they are in. The overlaps of registers come from here."""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl
from numpy.random import Generator

from demo.province.base import stream
from demo.province.damage import Flags
from demo.province.rates import (
    COVER,
    DEAD_BEFORE_PERCENT,
    EVENTS_PER_THOUSAND,
    IN_R4_ALSO_IN,
    IN_R5_ALSO_IN_R4,
    OFFICIAL_IN_R3,
    PUPIL_IN_R1,
)

FIRST_DAY = date(2025, 7, 1)
DAYS = 365
OF_AGE, GROWN, OLD = 2005, 1990, 1965  # born before
LEAST_POOR, LEAST_OFFICIALS = 220, 210
WORKING, PUPILS, AGED = (1966, 2007), (2008, 2019), 1945  # born from … to before; from … to; no later


def with_lives(persons: pl.DataFrame, seed: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The persons with the registers they are in (`in_r1` … `in_r6`) and when they died; beside them a year's events."""
    draw = stream(seed, "world", "lives")
    year = persons["born_on"].dt.year().to_numpy()
    dead_before = _some(draw, year < OLD, round(persons.height * DEAD_BEFORE_PERCENT / 100))
    events = _events(draw, year, ~dead_before)
    died = _of(events, "death", persons.height)
    died_on = np.where(
        dead_before, np.datetime64("2016-01-01") + draw.integers(0, 3400, persons.height).astype("timedelta64[D]"), np.datetime64("NaT")
    )
    covers = _covers(draw, persons, year, dead_before, _of(events, "move_out", persons.height))
    with_state = persons.with_columns(
        pl.Series("died_on", died_on).cast(pl.Date),
        pl.Series("dead_before", dead_before),
        pl.Series("died_this_year", died),
        pl.Series("moved_out", _of(events, "move_out", persons.height)),
        *covers,
    )
    return with_state.with_columns(_later_covers(with_state, seed)), events


def _later_covers(persons: pl.DataFrame, seed: int) -> list[pl.Series]:
    """Insurance of workers, protection, schools, officials and household businesses, each by a chance of its own."""
    count, year = persons.height, persons["born_on"].dt.year().to_numpy()
    alive, poor = (~persons["dead_before"]).to_numpy(), persons["in_r4"].to_numpy()
    working = alive & (year >= WORKING[0]) & (year < WORKING[1])
    draw = stream(seed, "world", "officials")
    officials = _some(draw, working & (year < 2002), max(LEAST_OFFICIALS, round(count * COVER["R11"])))
    insured_officials = officials & (draw.random(count) < OFFICIAL_IN_R3)
    draw = stream(seed, "world", "insured")
    insured = insured_officials | _some(draw, working & ~officials, round(count * COVER["R3"]) - int(insured_officials.sum()))
    draw = stream(seed, "world", "protected")
    wanted = max(LEAST_POOR, round(count * COVER["R5"]))
    from_poor = _some(draw, poor, round(wanted * IN_R5_ALSO_IN_R4))
    aged = _some(draw, alive & ~poor & (year <= AGED), wanted - int(from_poor.sum()))
    protected = from_poor | aged | _some(draw, alive & ~poor & (year > AGED), wanted - int(from_poor.sum()) - int(aged.sum()))
    draw = stream(seed, "world", "schools")
    of_age = (year >= PUPILS[0]) & (year <= PUPILS[1])
    pupils = _some(draw, of_age, max(LEAST_POOR, round(int(of_age.sum()) * COVER["R10"])))
    in_r1 = persons["in_r1"].to_numpy()
    hidden = _some(draw, pupils & in_r1, round(int(pupils.sum()) * (1 - PUPIL_IN_R1)) - int((pupils & ~in_r1).sum()))
    teachers = _some(draw, working & ~officials & (year < 2003), max(LEAST_OFFICIALS, round(count * COVER["R10.teachers"])))
    draw = stream(seed, "world", "household businesses")
    owners = _some(draw, alive & ~poor & (year < OF_AGE), max(LEAST_POOR, round(count * COVER["R7.households"])))
    found = {
        "in_r1": in_r1 & ~hidden, "in_r3": insured, "in_r5": protected, "in_r10": pupils, "in_r11": officials, "is_teacher": teachers, "has_business": owners,
    }  # fmt: skip
    return [pl.Series(name, values) for name, values in found.items()]


def _some(draw: Generator, among: Flags, wanted: int) -> Flags:
    """Exactly `wanted` of those (or all there are; none for fewer than one)."""
    found: Flags = np.zeros(len(among), np.bool_)
    found[draw.permutation(np.flatnonzero(among))[: max(wanted, 0)]] = True
    return found


def _of(events: pl.DataFrame, kind: str, count: int) -> Flags:
    found: Flags = np.zeros(count, np.bool_)
    found[events.filter(pl.col("kind") == kind)["person"].to_numpy()] = True
    return found


def _events(draw: Generator, year: np.ndarray[tuple[int], np.dtype[np.int64]], alive: Flags) -> pl.DataFrame:
    """Births (of the parent), deaths, marriages, moves, cards, corrected names; and the change of units, which all live through."""
    could = {
        "death": alive & (year < OLD),
        "birth": alive & (year < OF_AGE) & (year >= 1980),
        "marriage": alive & (year < OF_AGE) & (year >= GROWN),
    }
    parts = []
    for kind, rate in EVENTS_PER_THOUSAND.items():
        who = np.flatnonzero(_some(draw, could.get(kind, alive), round(len(year) * rate / 1000)))
        days = pl.Series(np.datetime64(FIRST_DAY) + draw.integers(0, DAYS, len(who)).astype("timedelta64[D]")).cast(pl.Date)
        parts.append(
            pl.DataFrame(
                {"kind": [kind] * len(who), "person": who, "on": days}, schema={"kind": pl.String, "person": pl.Int64, "on": pl.Date}
            )
        )
    return pl.concat(parts).sort("on", "kind", "person")


def _covers(
    draw: Generator, persons: pl.DataFrame, year: np.ndarray[tuple[int], np.dtype[np.int64]], dead: Flags, moved_out: Flags
) -> list[pl.Series]:
    household, count = persons["household"].to_numpy(), persons.height
    houses = int(household[-1]) + 1
    poor_houses = _some(draw, np.ones(houses, np.bool_), round(houses * max(COVER["R4"], min(LEAST_POOR / count, 1.0))))
    poor = poor_houses[household] & ~dead & (~moved_out | (draw.random(count) < 0.5))
    insured_poor = poor & (draw.random(count) < IN_R4_ALSO_IN["R2"])
    insured = insured_poor | _some(draw, ~poor & ~dead, round(count * COVER["R2"]) - int(insured_poor.sum()))
    landed_houses = poor_houses & (draw.random(houses) < IN_R4_ALSO_IN["R6"])
    holds = dead | (landed_houses[household] & poor & (persons["place"].to_numpy() == 0))
    holds |= _some(draw, (year < OF_AGE) & ~dead & ~poor_houses[household], round(count * COVER["R6"]) - int(holds.sum()))
    in_population = dead | (draw.random(count) < COVER["R1"])
    return [pl.Series("in_r1", in_population), pl.Series("in_r2", insured), pl.Series("in_r4", poor), pl.Series("in_r6", holds)]
