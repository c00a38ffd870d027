"""Periods follow each other without gap or overlap, whatever their type, and a code names exactly one."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lienthong.contracts.indicators import PeriodType, period_named, period_of

DAYS = st.dates(date(1995, 1, 1), date(2150, 12, 31))
TYPES = st.sampled_from(PeriodType)


@given(TYPES, DAYS)
def test_a_day_lies_in_exactly_its_period(type: PeriodType, day: date) -> None:
    period = period_of(type, day)
    assert period.begins_on <= day < period.until
    assert period_of(type, period.begins_on) == period == period_of(type, period.until - timedelta(days=1))


@given(TYPES, DAYS, st.integers(1, 30))
def test_periods_follow_each_other_without_a_gap(type: PeriodType, day: date, back: int) -> None:
    period = period_of(type, day)
    assert period.earlier().until == period.begins_on
    assert period.earlier(back).earlier(-back) == period
    assert period.earlier(12 // type.months) == period.a_year_earlier()


@given(TYPES, DAYS)
def test_a_code_names_its_period_and_no_other_type_s(type: PeriodType, day: date) -> None:
    period = period_of(type, day)
    assert period_named(type, period.code) == period
    for other in PeriodType:
        if other.span != type.span:
            assert period_named(other, period.code) is None


@pytest.mark.parametrize(
    ("type", "code", "begins_on", "last_day"),
    [
        ("month_15_14", "2026-11", date(2026, 10, 15), date(2026, 11, 14)),
        ("month_15_14", "2026-01", date(2025, 12, 15), date(2026, 1, 14)),
        ("month", "2026-11", date(2026, 11, 1), date(2026, 11, 30)),
        ("quarter_15_14", "2026-Q4", date(2026, 9, 15), date(2026, 12, 14)),
        ("half_year_15_14", "2026-H1", date(2025, 12, 15), date(2026, 6, 14)),
        ("half_year_15_14", "2026-H2", date(2026, 6, 15), date(2026, 12, 14)),
        ("year_15_14", "2026", date(2025, 12, 15), date(2026, 12, 14)),
        ("year", "2026", date(2026, 1, 1), date(2026, 12, 31)),
    ],
)
def test_windows_are_those_of_the_decree(type: str, code: str, begins_on: date, last_day: date) -> None:
    period = period_named(PeriodType(type), code)
    assert period is not None
    assert (period.begins_on, period.until - timedelta(days=1)) == (begins_on, last_day)


@pytest.mark.parametrize("code", ["2026-13", "2026-00", "26-01", "2026-Q5", "2026-1", "2026-Q1 ", "", "0000-01", "２０２６-01"])
def test_what_names_no_period_is_none(code: str) -> None:
    assert all(period_named(type, code) is None for type in PeriodType)
