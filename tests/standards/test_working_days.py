"""The lunar calendar against known dates; working days against the calendars announced."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lienthong.errors import SettingsError
from lienthong.standards.lunar import solar_date
from lienthong.standards.working_days import WorkingDays, read_working_days

DAY = timedelta(days=1)
OFFICES = read_working_days()
TET = [
    "2020-01-25", "2021-02-12", "2022-02-01", "2023-01-22", "2024-02-10", "2025-01-29", "2026-02-17", "2027-02-06",
    "2028-01-26", "2029-02-13", "2030-02-02", "2031-01-23", "2032-02-11", "2033-01-31", "2034-02-19", "2035-02-08",
]  # fmt: skip
HUNG_KINGS = ["2020-04-02", "2021-04-21", "2022-04-10", "2023-04-29", "2024-04-18", "2025-04-07", "2026-04-26", "2027-04-16"]
UNLIKE_CHINA = {1968: "1968-01-29", 1985: "1985-01-21", 2007: "2007-02-17", 2030: "2030-02-02"}  # a new moon between the two midnights


@pytest.mark.parametrize("day", TET)
def test_tet_is_on_its_known_date(day: str) -> None:
    assert solar_date(1, 1, int(day[:4])) == date.fromisoformat(day)


@pytest.mark.parametrize("day", HUNG_KINGS)
def test_the_hung_kings_day_is_on_its_known_date(day: str) -> None:
    assert solar_date(10, 3, int(day[:4])) == date.fromisoformat(day)


@pytest.mark.parametrize(("year", "day"), UNLIKE_CHINA.items())
def test_tet_is_vietnams_where_chinas_differs(year: int, day: str) -> None:
    assert solar_date(1, 1, year) == date.fromisoformat(day)


@given(st.integers(1901, 2098), st.integers(1, 12))
def test_lunar_months_follow_each_other(year: int, month: int) -> None:
    begins = solar_date(1, month, year)
    after = solar_date(1, 1, year + 1) if month == 12 else solar_date(1, month + 1, year)
    assert (after - begins).days in {29, 30, 58, 59, 60}  # a leap month between two of the same


@pytest.mark.parametrize(
    ("first", "last", "why"),
    [
        ("2024-02-08", "2024-02-14", "Tết with two days given back for Saturday and Sunday"),
        ("2025-01-25", "2025-02-02", "Tết between two weekends"),
        ("2026-02-14", "2026-02-22", "Tết with one day before"),
        ("2025-04-30", "2025-05-04", "2 May was swapped"),
        ("2025-08-30", "2025-09-02", "National Day and the day before"),
        ("2026-08-29", "2026-09-02", "National Day with a Monday swapped"),
        ("2026-04-25", "2026-04-27", "the Hùng Kings on a Sunday, given back on Monday"),
        ("2023-04-29", "2023-05-03", "the Hùng Kings on a Saturday beside 30 April and 1 May"),
    ],
)
def test_offices_are_closed_as_announced(first: str, last: str, why: str) -> None:
    begins, ends = date.fromisoformat(first), date.fromisoformat(last)
    assert not any(OFFICES.is_working(begins + DAY * n) for n in range((ends - begins).days + 1)), why
    assert OFFICES.is_working(begins - DAY), why
    assert OFFICES.is_working(ends + DAY), why


@pytest.mark.parametrize("day", ["2025-04-26", "2026-08-22", "2026-01-10", "2024-05-04"])
def test_a_saturday_worked_in_exchange_is_a_working_day(day: str) -> None:
    assert OFFICES.is_working(date.fromisoformat(day))


@pytest.mark.parametrize(
    ("asked", "days", "due"),
    [
        ("2026-11-25", 2, "2026-11-27"),
        ("2026-11-27", 2, "2026-12-01"),
        ("2026-02-12", 2, "2026-02-23"),  # over Tết
        ("2026-11-28", 2, "2026-12-01"),  # asked on a Saturday
    ],
)
def test_two_working_days_pass_over_what_is_free(asked: str, days: int, due: str) -> None:
    assert OFFICES.add(date.fromisoformat(asked), days) == date.fromisoformat(due)


@given(st.dates(date(2000, 1, 1), date(2090, 1, 1)), st.integers(1, 30))
def test_a_due_day_is_a_working_day_as_far_off_as_asked(day: date, count: int) -> None:
    due = OFFICES.add(day, count)
    assert OFFICES.is_working(due)
    assert OFFICES.between(day, due) == count


def test_a_file_of_ones_own_is_laid_over(tmp_path: Path) -> None:
    path = tmp_path / "holidays.yaml"
    path.write_text("2026: {tet_days_before: 1, free: [2026-11-24]}\n", encoding="utf-8")
    own = read_working_days(path)
    assert not own.is_working(date(2026, 11, 24))
    assert OFFICES.is_working(date(2026, 11, 24))
    assert own.is_working(date(2026, 1, 2))  # the year is taken from the file whole


@pytest.mark.parametrize("text", ["2026: {of: []}", "- 1", "2026: {free: [tomorrow]}", "2026: {tet_days_before: 9}", "{"])
def test_a_file_that_is_not_understood_is_told(tmp_path: Path, text: str) -> None:
    path = tmp_path / "holidays.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError, match=r"holidays\.yaml"):
        read_working_days(path)


def test_without_announcements_the_usual_way_holds() -> None:
    assert not WorkingDays().is_working(solar_date(1, 1, 2040))
