"""A system is watched after its first production key until a week of it is without fault; trouble raises an alert, and what has passed closes it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from lienthong.access import PRODUCTION, PublicKey, Subsystem, new_key_pair
from lienthong.pipeline import Workshop, registering
from lienthong.pipeline.alert_rules import Rule, read_rules
from lienthong.pipeline.alerting import watch
from lienthong.pipeline.first_week import KIND, LONGEST_DAYS, TERMS, Day, Limits, Week, judge, limits_of, term_on, week_of
from lienthong.store.alerts import list_alerts
from tests.factories import make_workshop

NAME = "VN/GOV/H10.12/moi"
SINCE = date(2026, 9, 1)
NOON = datetime(2026, 9, 1, 5, tzinfo=UTC)


def judged(after: int, *days: tuple[int, int, int, int]) -> Week:
    """So many days after the key; each day as (how many days after, calls, refused, failed)."""
    told = [Day(SINCE + timedelta(days=n), calls, refused, failed) for n, calls, refused, failed in days]
    return judge(NAME, "H10.12", SINCE, SINCE + timedelta(days=after), told, Limits())


@pytest.mark.parametrize(
    ("week", "state", "faults"),
    [
        (judged(0), "watching", ()),
        (judged(1), "watching", ()),
        (judged(2), "trouble", ("silent",)),
        (judged(3, (1, 50, 0, 0)), "watching", ()),
        (judged(3, (1, 19, 19, 0)), "watching", ()),  # too few to judge
        (judged(3, (1, 20, 4, 0)), "trouble", ("refused",)),
        (judged(3, (1, 20, 0, 2)), "trouble", ("failed",)),
        (judged(3, (1, 20, 20, 20)), "trouble", ("refused", "failed")),
        (judged(7, (1, 50, 0, 0)), "passed", ()),
        (judged(7), "trouble", ("silent",)),
        (judged(9, (1, 50, 40, 0), (8, 100, 0, 0)), "passed", ()),  # the bad day is a week ago
        (judged(8, (1, 50, 40, 0), (7, 10, 0, 0)), "trouble", ("refused",)),
        (judged(LONGEST_DAYS + 1), "unsettled", ("silent",)),
    ],
)
def test_a_watch_stands_as_its_days_say(week: Week, state: str, faults: tuple[str, ...]) -> None:
    assert (week.state, week.faults) == (state, faults)
    assert week.due == SINCE + timedelta(days=7)


def test_what_passed_stays_so_whatever_comes_after() -> None:
    week = judged(20, (1, 50, 0, 0), (15, 100, 100, 0))
    assert (week.state, week.passed_on) == ("passed", SINCE + timedelta(days=7))


def test_terms_have_their_text_and_their_days_without_a_gap() -> None:
    assert all(term.legal_basis.text and term.days == 7 for term in TERMS)
    assert [term_on(day).legal_basis for day in (date(2019, 1, 1), date(2025, 8, 18), date(2025, 8, 19), date(2030, 1, 1))] == [
        TERMS[0].legal_basis, TERMS[0].legal_basis, TERMS[1].legal_basis, TERMS[1].legal_basis,
    ]  # fmt: skip


def test_thresholds_are_those_of_the_rule() -> None:
    assert limits_of(read_rules()) == Limits()
    assert limits_of([]) == Limits()
    rule = Rule("x", KIND, "note", {"quiet_days": 5, "least_calls": 1, "refused_percent": 1, "failed_percent": 1})
    assert limits_of([rule]).quiet_days == 5


@pytest.fixture
def workshop(database_url: str) -> Workshop:
    made = at(make_workshop(database_url), NOON)
    subsystem = Subsystem(NAME, "H10.12", "Mới", "New", (PublicKey(new_key_pair()[1]),))
    registering.take_over(made, {NAME: subsystem}, PRODUCTION)
    return made


def at(workshop: Workshop, now: datetime) -> Workshop:
    return replace(workshop, clock=lambda: now)


def count(workshop: Workshop, on: date, calls: int, refused: int) -> None:
    with workshop.database.connect() as connection:
        connection.execute(
            "insert into lienthong.exchange_counts values ('day', %s, 'H10.02', 'test.people', 'look_up', 'api', %s, 'x', %s, 0, %s, 0, 0, 0, 0, 0, 0, '{}')",
            (datetime(on.year, on.month, on.day, tzinfo=UTC) - timedelta(hours=7), NAME, calls, refused),
        )


def test_trouble_raises_an_alert_once_and_it_is_closed_when_it_has_passed(workshop: Workshop, tmp_path: Path) -> None:
    rules = [rule for rule in read_rules() if rule.kind == KIND]
    assert watch(at(workshop, NOON + timedelta(days=1)), rules, tmp_path) == 0
    later = at(workshop, NOON + timedelta(days=3))
    assert [watch(later, rules, tmp_path) for _ in range(2)] == [1, 0]
    with workshop.database.connect() as connection:
        (alert,) = list_alerts(connection, None, None, 10)
    assert (alert.kind, alert.subject, alert.agency, alert.state) == (KIND, NAME, "H10.12", "open")
    count(workshop, SINCE + timedelta(days=3), 30, 0)
    assert watch(later, rules, tmp_path) == 0
    with workshop.database.connect() as connection:
        assert [each.state for each in list_alerts(connection, None, None, 10)] == ["closed"]
        week = week_of(connection, NAME, SINCE + timedelta(days=7), rules)
        assert week is not None
        assert (week.state, week.calls) == ("passed", 30)
        assert week_of(connection, "VN/GOV/H10.12/khac", SINCE, rules) is None
