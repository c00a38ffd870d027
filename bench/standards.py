"""Standards at bulk speed: a million values each, all distinct, with the share of untidy ones that the registers have.

Rates are of `clean_column` on one column in one process. Where distinct values do the work (names, administrative units), a second row
measures values that repeat as they do in a register, and the row says how many are distinct.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import date
from typing import Any

import numpy as np
import polars as pl

from bench.matching import people
from bench.report import Row, at_least
from lienthong.standards import STANDARDS
from lienthong.standards.admin_units import MERGED, units

ISSUE = 6


def citizen_ids(count: int) -> pl.Series:
    """Four of a hundred have lost their zero, three have spaces, ten are of nine digits."""
    n = np.arange(count)
    number = (
        "070"
        + pl.Series(n % 10).cast(pl.String)
        + pl.Series(n // 10 % 100).cast(pl.String).str.zfill(2)
        + pl.Series(n // 10 % 10**6).cast(pl.String).str.zfill(6)
    )
    frame = pl.DataFrame({"n": n, "id": number})
    return frame.select(
        pl.when(pl.col("n") % 100 < 4).then(pl.col("id").str.slice(1))
        .when(pl.col("n") % 100 < 7).then(pl.col("id").str.slice(0, 3) + " " + pl.col("id").str.slice(3, 3) + " " + pl.col("id").str.slice(6))
        .when(pl.col("n") % 100 < 17).then((285_000_000 - 10**7 + pl.col("n")).cast(pl.String))
        .otherwise(pl.col("id"))
    ).to_series()  # fmt: skip


def tax_codes(count: int) -> pl.Series:
    """Right check digits; a tenth are branches."""
    head = 380_000_000 + np.arange(count * 11 // 10 + 11)
    total = sum((head // 10 ** (8 - place) % 10) * weight for place, weight in enumerate((31, 29, 23, 19, 17, 13, 7, 5, 3)))
    check = 10 - total % 11
    code = pl.Series((head * 10 + check)[(check < 10) & (head % 10**7 > 0)][:count]).cast(pl.String).str.zfill(10)
    branch = pl.when(pl.col("n") % 10 == 0).then(pl.col("code") + "-001").otherwise(pl.col("code"))
    return pl.DataFrame({"n": np.arange(len(code)), "code": code}).select(branch).to_series()


def insurance_numbers(count: int) -> pl.Series:
    n = np.arange(count)
    number = pl.Series(7_000_000_000 + n).cast(pl.String)
    return pl.DataFrame({"n": n, "no": number}).select(pl.when(pl.col("n") % 20 == 0).then(pl.col("no").str.slice(0, 2) + " " + pl.col("no").str.slice(2)).otherwise(pl.col("no"))).to_series()  # fmt: skip


def phones(count: int) -> pl.Series:
    """A fifth untidy, as T1 of the registers: +84, dots, a lost zero, an old prefix; one of a hundred holds two."""
    n = np.arange(count)
    rest = pl.Series(n % 10**7).cast(pl.String).str.zfill(7)
    frame = pl.DataFrame({"n": n, "rest": rest})
    part = pl.col("n") % 100
    return frame.select(
        pl.when(part < 6).then("+84 91 " + pl.col("rest"))
        .when(part < 11).then("091." + pl.col("rest").str.slice(0, 3) + "." + pl.col("rest").str.slice(3))
        .when(part < 16).then("91" + pl.col("rest"))
        .when(part < 21).then("0165" + pl.col("rest"))
        .when(part < 22).then("091" + pl.col("rest") + "; 0987654321")
        .otherwise("091" + pl.col("rest"))
    ).to_series()  # fmt: skip


def dates(count: int) -> pl.Series:
    """Days of 1940 to 2020, written in two ways; five of a hundred without noughts. There are only so many days: they repeat."""
    days = pl.Series(np.random.default_rng(5).integers(-10_957, 18_262, count)).cast(pl.Int32).cast(pl.Date)
    frame = pl.DataFrame({"n": np.arange(count), "day": days})
    part = pl.col("n") % 100
    return frame.select(
        pl.when(part < 5).then(pl.col("day").dt.day().cast(pl.String) + "/" + pl.col("day").dt.month().cast(pl.String) + "/" + pl.col("day").dt.year().cast(pl.String))
        .when(part < 30).then(pl.col("day").dt.to_string("%Y-%m-%d"))
        .otherwise(pl.col("day").dt.to_string("%d/%m/%Y"))
    ).to_series()  # fmt: skip


def names(count: int) -> pl.Series:
    """Names by frequency; a tenth in capitals, three of a hundred without marks, one with a title."""
    frame = pl.DataFrame({"n": np.arange(count), "name": people(count)["full_name"]})
    plain = pl.col("name").str.normalize("NFD").str.replace_all(r"\p{M}", "").str.replace_all("đ", "d").str.replace_all("Đ", "D")
    part = pl.col("n") % 100
    return frame.select(
        pl.when(part < 10).then(pl.col("name").str.to_uppercase()).when(part < 13).then(plain).when(part < 14).then("Bà " + pl.col("name")).otherwise(pl.col("name"))
    ).to_series()  # fmt: skip


def distinct_names(count: int) -> pl.Series:
    """No two alike: a made-up last word after a name."""
    n = np.arange(count)
    consonants, vowels = ["b", "ch", "đ", "h", "kh", "l", "m", "ng", "nh", "ph"], ["a", "ế", "ì", "ỏ", "u", "ự", "ơ", "ă", "â", "ê"]
    words = [c + v + e for c in consonants for v in vowels for e in ("", "n", "ng", "m", "nh", "t", "c", "p", "ch", "i")]
    word = pl.Series(words).str.to_titlecase()
    return pl.Series(["Nguyễn"]).gather(np.zeros(count, np.uint32)) + " " + word.gather(n // 1000 % 1000) + " " + word.gather(n % 1000)


def addresses(count: int) -> pl.Series:
    """A house number and a hamlet in every commune of before, all distinct; a quarter with abbreviated kinds."""
    named = {unit.code: unit.name for unit in units() if unit.level != "commune" and unit.valid_from < MERGED}
    ends = [f"{unit.name}, {named[unit.district_code]}, {named[unit.province_code]}" for unit in units() if unit.level == "commune" and unit.valid_from < MERGED]  # fmt: skip
    short = [end.replace("Xã ", "X. ").replace("Huyện ", "H. ").replace("Phường ", "P. ") for end in ends]
    n = np.arange(count)
    r = np.random.default_rng(9)
    end = pl.Series([*ends, *ends, *ends, *short]).gather(r.integers(0, 4 * len(ends), count))
    return "Số " + pl.Series(n).cast(pl.String) + ", ấp " + pl.Series(n % 9 + 1).cast(pl.String) + ", " + end


def rate(standard: str, values: pl.Series, options: Mapping[str, Any], dated_by: pl.Series | None = None) -> float:
    """Values a second, the tables of the standard read beforehand; the better of two passes."""
    cleaner = STANDARDS[standard]
    cleaner.clean_column(values[:100], options, None if dated_by is None else dated_by[:100])
    best = 0.0
    for _ in range(2):
        began = time.perf_counter()
        cleaner.clean_column(values, options, dated_by)
        best = max(best, len(values) / (time.perf_counter() - began))
    return best


def measure(count: int) -> list[Row]:
    """Rows of issue 6: the slowest of each class against its target, every standard told."""
    found: dict[str, list[tuple[str, pl.Series, dict[str, Any]]]] = {
        "ids": [("citizen_id", citizen_ids(count), {}), ("tax_code", tax_codes(count), {}), ("insurance_no", insurance_numbers(count), {})],
        "dates": [("date", dates(count), {}), ("partial_date", dates(count), {})],
        "phones": [("phone", phones(count), {})],
        "names": [("person_name", names(count), {}), ("person_name", distinct_names(count), {})],
        "addresses": [("admin_unit", addresses(count), {"level": "commune"}), ("address", addresses(count), {})],
    }
    targets = {"ids": 1_000_000, "dates": 1_000_000, "phones": 1_000_000, "names": 300_000, "addresses": 100_000}
    rows = []
    for kind, cases in found.items():
        for standard, values, options in cases:
            told = f"{values.n_unique():,} of {len(values):,} values distinct"
            rows.append(
                at_least(
                    f"standards, columnar: {kind}, {standard}", rate(standard, values, options), targets[kind], "values/s", told, ISSUE
                )
            )
    on = pl.repeat(date(2026, 1, 1), count, dtype=pl.Date, eager=True)
    told = "old units in rows of after July 2025"
    rows.append(at_least("standards, columnar: addresses, admin_unit as of a date", rate("admin_unit", addresses(count), {"level": "commune"}, on), targets["addresses"], "values/s", told, ISSUE))  # fmt: skip
    return rows


if __name__ == "__main__":
    for row in measure(100_000):
        print(row)
