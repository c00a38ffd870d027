"""How far a dataset has drifted from its own history: shares of empties, new values, how values lie, how many records. Told, never a silent stop.

Where a contract bounds it (`expect`), a run that would go past waits for a person, as past any other bound.

A profile holds counts alone. Values are told by name only where the contract lists them; others by their length, size or year, so a profile of
personal data names nobody. How far two distributions lie apart is the population stability index: Σ (p − q) · ln(p / q) over buckets.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

PSI_MATTERS = 0.25  # the usual reading: below 0.1 nothing, to 0.25 a little, above it another population
EMPTY_POINTS = 5.0  # percentage points by which a share of empties may move
ROWS_PERCENT = 20.0  # by which the number of records may move
LEAST_RECORDS = 200  # of both: shares of fewer say nothing
LEAST_SHARE = 0.0001  # of a bucket that is empty on one side
NEW_VALUES_SHOWN = 5


@dataclass(frozen=True)
class ColumnProfile:
    """One column of one version: how many are empty, and how many values lie in each bucket; `is_listed`: buckets are values by name."""

    empty: int
    buckets: Mapping[str, int]
    is_listed: bool = False


@dataclass(frozen=True)
class Profile:
    records: int
    columns: Mapping[str, ColumnProfile]


@dataclass(frozen=True)
class Limits:
    """From where on what moved is told. None: it is not looked at."""

    psi: float | None = PSI_MATTERS
    empty_points: float | None = EMPTY_POINTS
    new_values: int | None = 0
    rows_percent: float | None = ROWS_PERCENT


@dataclass(frozen=True)
class Drift:
    """One thing that moved: kind is rows, empty, new_values or distribution; `column` empty for the whole dataset."""

    kind: str
    column: str
    found: float
    usual: float
    vi: str
    en: str


USUAL = Limits()


def drifts(now: Profile, before: Sequence[Profile], titles: Mapping[str, tuple[str, str]], limits: Limits = USUAL) -> list[Drift]:
    """What moved against the mean of earlier profiles (newest first); nothing without history or with few records."""
    if not before or now.records < LEAST_RECORDS or before[0].records < LEAST_RECORDS:
        return []
    found = [*_rows(now, before, limits)]
    for name, column in now.columns.items():
        earlier = [profile.columns[name] for profile in before if name in profile.columns]
        if earlier:
            records = sum(profile.records for profile in before if name in profile.columns)
            found += _column(name, titles.get(name, (name, name)), column, now.records, earlier, records, limits)
    return found


def psi(now: Mapping[str, int], before: Mapping[str, int]) -> float:
    """How far two distributions lie apart; 0 for the same, and where one of them is empty."""
    here, there = sum(now.values()), sum(before.values())
    if not here or not there:
        return 0.0
    total = 0.0
    for bucket in now.keys() | before.keys():
        p, q = max(now.get(bucket, 0) / here, LEAST_SHARE), max(before.get(bucket, 0) / there, LEAST_SHARE)
        total += (p - q) * math.log(p / q)
    return total


def profile_document(profile: Profile) -> dict[str, Any]:
    """As it is kept."""
    return {
        "records": profile.records,
        "columns": {
            name: {"empty": column.empty, "buckets": dict(column.buckets), "listed": column.is_listed}
            for name, column in profile.columns.items()
        },
    }


def profile_of(document: Mapping[str, Any]) -> Profile:
    """What `profile_document` kept."""
    columns = {name: ColumnProfile(each["empty"], each["buckets"], each["listed"]) for name, each in document["columns"].items()}
    return Profile(document["records"], columns)


def _rows(now: Profile, before: Sequence[Profile], limits: Limits) -> Iterator[Drift]:
    usual = sum(profile.records for profile in before) / len(before)
    moved = 100 * (now.records - usual) / usual
    if limits.rows_percent is not None and abs(moved) > limits.rows_percent:
        vi = f"Số bản ghi {_vn(now.records)}, thường là {_vn(round(usual))} ({_signed(moved)} %)".replace(".0 %", " %")
        yield Drift("rows", "", now.records, round(usual, 1), vi, f"{now.records:,} records, usually {usual:,.0f} ({moved:+.1f} %)")


def _column(
    name: str, title: tuple[str, str], now: ColumnProfile, records: int, before: Sequence[ColumnProfile], before_records: int,
    limits: Limits,
) -> Iterator[Drift]:  # fmt: skip
    empty, usual = 100 * now.empty / records, 100 * sum(column.empty for column in before) / before_records
    if limits.empty_points is not None and abs(empty - usual) > limits.empty_points:
        vi = f"{title[0]}: {_comma(empty)} % để trống, thường là {_comma(usual)} %"
        yield Drift("empty", name, round(empty, 2), round(usual, 2), vi, f"{title[1]}: {empty:.1f} % empty, usually {usual:.1f} %")
    known: dict[str, int] = {}
    for column in before:
        for bucket, count in column.buckets.items():
            known[bucket] = known.get(bucket, 0) + count
    new = sorted(set(now.buckets) - set(known)) if now.is_listed else []
    if limits.new_values is not None and len(new) > limits.new_values and known:
        shown = ", ".join(new[:NEW_VALUES_SHOWN]) + (", …" if len(new) > NEW_VALUES_SHOWN else "")
        yield Drift("new_values", name, len(new), 0, f"{title[0]}: giá trị mới: {shown}", f"{title[1]}: new values: {shown}")
    apart = psi(now.buckets, known)
    if limits.psi is not None and apart > limits.psi:
        vi = f"{title[0]}: phân bố khác trước (PSI {_comma(apart, 2)}, ngưỡng {_comma(limits.psi, 2)})"
        en = f"{title[1]}: values lie otherwise than before (PSI {apart:.2f}, from {limits.psi:g} on it matters)"
        yield Drift("distribution", name, round(apart, 3), limits.psi, vi, en)


def _vn(number: int) -> str:
    return f"{number:,}".replace(",", ".")


def _comma(number: float, digits: int = 1) -> str:
    return f"{number:.{digits}f}".replace(".", ",")


def _signed(number: float) -> str:
    return f"{number:+.1f}".replace(".", ",")
