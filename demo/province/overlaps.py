"""Counts how registers overlap, beside what was meant: what matching is later held to."""

from __future__ import annotations

import polars as pl

# name, share of …, … that is in, meant (percent; shared reference of the province's design)
MEANT = {
    "R1 and R2, of persons": 92.3,
    "R4 in R2": 99.0,
    "R4 households in R6": 61.0,
    "R7 representatives in R6": 57.0,
    "R6 holders dead in R1": 3.4,
    "R2 in no other register": 1.7,  # 1.4 live elsewhere, the rest R1 has missed
    "R1, R2 and R3, of persons": 15.0,
    "R5 in R4": 17.0,
    "R7 representatives in R3": 64.0,
    "R10 in R1": 98.6,
    "R11 in R3": 98.0,
    "R4 moved out in R1": 0.6,
}


def overlaps(persons: pl.DataFrame, representatives: pl.Series, insured_outsiders: int) -> pl.DataFrame:
    """A row an overlap: percent meant and percent found."""
    alive = persons.filter(~pl.col("dead_before"))
    poor = persons.filter("in_r4")
    poor_households = persons.filter(pl.col("household").is_in(poor["household"].unique().implode()))
    landed = poor_households.group_by("household").agg(pl.col("in_r6").filter(~pl.col("dead_before")).any())["in_r6"]
    holders = persons.filter("in_r6")
    insured = persons.filter("in_r2")
    others = ("in_r1", "in_r3", "in_r4", "in_r5", "in_r6", "in_r10", "in_r11", "is_teacher", "has_business")
    alone = insured.filter(~pl.any_horizontal(others)).height
    heads = persons.filter(pl.col("person").is_in(representatives.implode()))
    found = {
        "R1 and R2, of persons": _percent(alive.filter(pl.col("in_r1") & pl.col("in_r2")).height, persons.height),
        "R4 in R2": _percent(poor.filter("in_r2").height, poor.height),
        "R4 households in R6": _percent(int(landed.sum()), len(landed)),
        "R7 representatives in R6": _percent(heads.filter("in_r6").height, representatives.n_unique()),
        "R6 holders dead in R1": _percent(holders.filter("dead_before").height, holders.height),
        "R2 in no other register": _percent(alone + insured_outsiders, insured.height + insured_outsiders),
        "R1, R2 and R3, of persons": _percent(alive.filter(pl.col("in_r1") & pl.col("in_r2") & pl.col("in_r3")).height, persons.height),
        "R5 in R4": _share(persons.filter("in_r5"), "in_r4"),
        "R7 representatives in R3": _share(heads, "in_r3"),
        "R10 in R1": _share(persons.filter("in_r10"), "in_r1"),
        "R11 in R3": _share(persons.filter("in_r11"), "in_r3"),
        "R4 moved out in R1": _share(poor.filter("in_r1"), "moved_out"),
    }
    return pl.DataFrame({"overlap": list(MEANT), "meant_percent": list(MEANT.values()), "found_percent": [found[name] for name in MEANT]})


def _share(persons: pl.DataFrame, column: str) -> float:
    return _percent(persons.filter(column).height, persons.height)


def _percent(part: int, whole: int) -> float:
    return round(100 * part / max(whole, 1), 2)
