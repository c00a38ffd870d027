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
    "R2 in no other register": 1.8,  # 1.4 live elsewhere, the rest R1 has missed
}


def overlaps(persons: pl.DataFrame, representatives: pl.Series, insured_outsiders: int) -> pl.DataFrame:
    """A row an overlap: percent meant and percent found."""
    alive = persons.filter(~pl.col("dead_before"))
    poor = persons.filter("in_r4")
    poor_households = persons.filter(pl.col("household").is_in(poor["household"].unique().implode()))
    landed = poor_households.group_by("household").agg(pl.col("in_r6").filter(~pl.col("dead_before")).any())["in_r6"]
    holders = persons.filter("in_r6")
    insured = persons.filter("in_r2")
    alone = insured.filter(~pl.col("in_r1") & ~pl.col("in_r4") & ~pl.col("in_r6")).height
    found = {
        "R1 and R2, of persons": _percent(alive.filter(pl.col("in_r1") & pl.col("in_r2")).height, persons.height),
        "R4 in R2": _percent(poor.filter("in_r2").height, poor.height),
        "R4 households in R6": _percent(int(landed.sum()), len(landed)),
        "R7 representatives in R6": _percent(
            persons.filter(pl.col("person").is_in(representatives.implode()) & pl.col("in_r6")).height, representatives.n_unique()
        ),
        "R6 holders dead in R1": _percent(holders.filter("dead_before").height, holders.height),
        "R2 in no other register": _percent(alone + insured_outsiders, insured.height + insured_outsiders),
    }
    return pl.DataFrame({"overlap": list(MEANT), "meant_percent": list(MEANT.values()), "found_percent": [found[name] for name in MEANT]})


def _percent(part: int, whole: int) -> float:
    return round(100 * part / max(whole, 1), 2)
