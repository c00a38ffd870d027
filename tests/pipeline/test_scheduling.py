"""Sources are read when their contracts say so: each due time once, missed ones caught up, passing faults tried again, silence told."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lienthong.clock import VIETNAM
from lienthong.contracts import Contract, Schedule
from lienthong.pipeline import Workshop
from lienthong.pipeline.alert_rules import Rule
from lienthong.pipeline.alerting import watch
from lienthong.pipeline.scheduling import run_due, take_up
from lienthong.quality import newest_due, next_due
from lienthong.standards.working_days import read_working_days
from tests.factories import TickingClock, make_contract, make_workshop, write_people
from tests.pipeline.test_run import rows_of

OFFICES = read_working_days()
DAILY = Schedule("day", time(6, 30))
ROWS = [("P1", "Nguyễn An", "1980-03-07", 1)]
STANDING = "select state, attempts, error from lienthong.schedule_dues order by due_at"
SCHEDULES = st.builds(
    Schedule, st.sampled_from(["hour", "day", "working_day", "week", "month"]), st.times().map(lambda t: t.replace(second=0, microsecond=0)),
    st.integers(1, 7), st.sampled_from(["after", "before", "none"]),
)  # fmt: skip


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=VIETNAM)


@pytest.mark.parametrize(
    ("schedule", "now", "newest", "following"),
    [
        (Schedule("day", time(6, 30)), "2026-07-02 06:29", "2026-07-01 06:30", "2026-07-02 06:30"),
        (Schedule("hour", time(0, 10)), "2026-07-02 06:09", "2026-07-02 05:10", "2026-07-02 06:10"),
        (Schedule("working_day"), "2026-07-05 12:00", "2026-07-03 06:00", "2026-07-06 06:00"),  # a Sunday
        (Schedule("week", day=1), "2026-07-02 12:00", "2026-06-29 06:00", "2026-07-06 06:00"),
        (Schedule("month", day=15, shift="after"), "2026-08-16 12:00", "2026-07-15 06:00", "2026-08-17 06:00"),  # 15 August is a Saturday
        (Schedule("month", day=31, shift="none"), "2026-03-01 12:00", "2026-02-28 06:00", "2026-03-31 06:00"),
        (Schedule("month", day=16, shift="after"), "2026-02-22 12:00", "2026-01-16 06:00", "2026-02-23 06:00"),  # Tết is 16 to 20 February
        (Schedule("month", day=16, shift="before"), "2026-02-22 12:00", "2026-02-13 06:00", "2026-03-16 06:00"),
    ],
)
def test_due_times_follow_the_calendar_of_offices(schedule: Schedule, now: str, newest: str, following: str) -> None:
    assert newest_due(schedule, local(now), OFFICES) == local(newest)
    assert next_due(schedule, local(now), OFFICES) == local(following)


@given(SCHEDULES, st.datetimes(datetime(2024, 1, 1), datetime(2028, 1, 1)))
def test_now_lies_between_the_newest_due_time_and_the_next_and_none_lies_between_them(schedule: Schedule, now: datetime) -> None:
    at = now.replace(tzinfo=UTC)
    newest, following = newest_due(schedule, at, OFFICES), next_due(schedule, at, OFFICES)
    assert newest <= at < following
    assert newest_due(schedule, following, OFFICES) == following
    assert newest_due(schedule, following - timedelta(minutes=1), OFFICES) == newest


@pytest.fixture
def place(database_url: str, tmp_path: Path) -> tuple[Workshop, Contract, Path]:
    contract = make_contract(str(tmp_path / "people*.csv"), schedule=DAILY)
    return make_workshop(database_url, contract), contract, tmp_path


def at(workshop: Workshop, text: str) -> Workshop:
    return replace(workshop, clock=TickingClock(local(text)))


def test_a_due_time_is_run_once_and_missed_ones_are_caught_up_by_one_run(place: tuple[Workshop, Contract, Path]) -> None:
    workshop, _, folder = place
    write_people(folder / "people.csv", ROWS)
    assert run_due(at(workshop, "2026-07-01 08:00")) == 1
    assert run_due(at(workshop, "2026-07-01 23:00")) == 0
    write_people(folder / "people.csv", [*ROWS, ("P2", "Trần Bình", "1980-03-07", 1)])
    assert run_due(at(workshop, "2026-07-09 08:00")) == 1  # a week without a worker
    assert rows_of(workshop.database, STANDING) == [("come", 1, None), ("come", 1, None)]
    assert rows_of(workshop.database, "select count(*) from lienthong.runs") == [(2,)]


def test_what_has_not_come_is_tried_again_with_longer_waits(place: tuple[Workshop, Contract, Path]) -> None:
    workshop, _, folder = place
    assert run_due(at(workshop, "2026-07-01 06:30")) == 1
    assert rows_of(workshop.database, STANDING) == [("waiting", 1, "source")]
    assert run_due(at(workshop, "2026-07-01 06:30")) == 0
    assert run_due(at(workshop, "2026-07-01 06:32")) == 1
    write_people(folder / "people.csv", ROWS)
    assert run_due(at(workshop, "2026-07-01 06:33")) == 0
    assert run_due(at(workshop, "2026-07-01 06:38")) == 1
    assert rows_of(workshop.database, STANDING) == [("come", 3, None)]


def test_a_fault_that_stays_is_not_tried_again(place: tuple[Workshop, Contract, Path]) -> None:
    workshop, _, folder = place
    (folder / "people.csv").write_text("ten,tuoi\nAn,3\n", "utf-8")
    run_due(at(workshop, "2026-07-01 08:00"))
    assert rows_of(workshop.database, STANDING) == [("failed", 1, "source")]
    assert run_due(at(workshop, "2026-07-01 12:00")) == 0


def test_the_last_delivery_lying_there_still_is_not_a_new_one(place: tuple[Workshop, Contract, Path]) -> None:
    workshop, _, folder = place
    write_people(folder / "people.csv", ROWS)
    run_due(at(workshop, "2026-07-01 08:00"))
    for moment in ("06:30", "06:32", "06:38", "06:54", "07:55", "11:56"):
        run_due(at(workshop, f"2026-07-02 {moment}"))
    assert rows_of(workshop.database, STANDING) == [("come", 1, None), ("same", 6, None)]


def test_silence_is_told_after_the_grace_and_closed_when_it_comes(place: tuple[Workshop, Contract, Path]) -> None:
    workshop, _, folder = place
    rule = Rule("late-source", "late_source", "warning", {})
    run_due(at(workshop, "2026-07-01 08:00"))
    assert watch(at(workshop, "2026-07-01 20:00"), [rule], folder) == 0
    assert watch(at(workshop, "2026-07-02 06:40"), [rule], folder) == 1
    run_due(at(workshop, "2026-07-02 08:00"))  # due again, and silent still
    assert watch(at(workshop, "2026-07-02 08:10"), [rule], folder) == 0
    assert rows_of(workshop.database, "select state from lienthong.alerts") == [("open",)]
    write_people(folder / "people.csv", ROWS)
    run_due(at(workshop, "2026-07-02 12:00"))
    watch(at(workshop, "2026-07-02 12:10"), [rule], folder)
    assert rows_of(workshop.database, "select state from lienthong.alerts") == [("closed",)]


def test_two_workers_at_once_run_a_due_time_once(place: tuple[Workshop, Contract, Path]) -> None:
    workshop, _, folder = place
    write_people(folder / "people.csv", ROWS)
    tried: list[int] = []
    threads = [threading.Thread(target=lambda: tried.append(run_due(at(workshop, "2026-07-01 08:00")))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(tried) == 1
    assert rows_of(workshop.database, "select count(*) from lienthong.runs") == [(1,)]


def test_what_a_killed_worker_was_at_is_taken_up(place: tuple[Workshop, Contract, Path]) -> None:
    workshop, _, folder = place
    write_people(folder / "people.csv", ROWS)
    run_due(at(workshop, "2026-07-01 06:00"))
    with workshop.database.connect() as connection:
        connection.execute("update lienthong.schedule_dues set state = 'running'")
    assert take_up(workshop) == 1
    assert run_due(at(workshop, "2026-07-01 06:01")) == 1
