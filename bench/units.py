"""Units from typed addresses: real ones, and every commune of both times as it may be typed (A2–A5, N1–N5).

Right is right code for the row's day where the text decides it (`bench.typings` says so without the code measured here). A silent guess is a
code that is not the one, given without a problem: none is allowed, whether or not the text decides; but a text that the damage made exactly
another unit's name is that unit, for whoever reads it.
"""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import polars as pl

from bench.report import Row, at_least, at_most
from bench.typings import BEFORE, Typing, codes_of_another_time, typings
from lienthong.standards import ADMIN_UNIT

ISSUE = 6
TYPED = Path(__file__).parents[1] / "tests" / "vectors" / "addresses_typed.csv"
COMMUNE = {"level": "commune"}


def really_typed() -> list[Typing]:
    """531 communes with district and province as people typed them, and the code they name until 30 June 2025."""
    with TYPED.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    return [Typing("real", f"{row['commune']}, {row['district']}, {row['province']}", BEFORE, row["code"], decides=True) for row in rows]


def judged(typed: list[Typing]) -> tuple[Counter[str], Counter[str], Counter[str], int]:
    """By model: how many texts decide, how many of these came out right, how many codes were wrong but told; and silent guesses of all."""
    found = ADMIN_UNIT.clean_column(pl.Series([one.text for one in typed]), COMMUNE, pl.Series([one.on for one in typed], dtype=pl.Date))
    decided: Counter[str] = Counter()
    right: Counter[str] = Counter()
    told: Counter[str] = Counter()
    silent = 0
    for one, value, problem in zip(typed, found.values.to_list(), found.problems.to_list(), strict=True):
        decided[one.model] += one.decides
        right[one.model] += one.decides and value == one.truth
        is_wrong = value is not None and value != one.truth
        told[one.model] += is_wrong and problem is not None
        silent += is_wrong and problem is None and not one.names_another
    return decided, right, told, silent


def measure(every: int = 1) -> list[Row]:
    """Rows of issue 6; `every`: of how many communes one is typed."""
    rows = []
    real_decided, real_right, _, real_silent = judged(really_typed())
    told = f"{real_decided['real']} addresses as people typed them 2020–2025"
    rows.append(at_least("units from addresses really typed: right", 100 * real_right["real"] / real_decided["real"], 99, "%", told, ISSUE))
    typed = list(typings(seed=21, every=every))
    decided, right, wrong, silent = judged(typed)
    total = sum(decided.values())
    told = f"{len(typed):,} typings of every commune of both times, {total:,} of which decide"
    rows.append(at_least("units from typed addresses: right code and date where the text decides", 100 * sum(right.values()) / total, 99, "%", told, ISSUE))  # fmt: skip
    rows.append(at_most("units from typed addresses: silent guesses", silent + real_silent, 0, "rows", told, ISSUE))
    by_model = ", ".join(f"{model} {100 * right[model] / decided[model]:.2f}" for model in sorted(decided) if decided[model])
    rows.append(at_least("units from typed addresses: the hardest model", min(100 * right[m] / decided[m] for m in decided if decided[m]), 90, "%", by_model, ISSUE))  # fmt: skip
    told = ", ".join(f"{model} {wrong[model]}" for model in sorted(wrong) if wrong[model]) or "none"
    rows.append(at_most("units from typed addresses: wrong codes, each with its warning", 100 * sum(wrong.values()) / len(typed), 0.5, "%", told, ISSUE))  # fmt: skip
    codes = list(codes_of_another_time())
    found = ADMIN_UNIT.clean_column(pl.Series([one.text for one in codes]), COMMUNE, pl.Series([one.on for one in codes], dtype=pl.Date))
    flagged = sum(problem == "admin_unit.other_date" for problem in found.problems)
    told = f"{len(codes):,} codes on a day they were not in force; codes of both times cannot be told by the code alone"
    rows.append(at_least("codes of another time (A4): told", 100 * flagged / len(codes), 100, "%", told, ISSUE))
    return rows


if __name__ == "__main__":
    for row in measure(20):
        print(row)
