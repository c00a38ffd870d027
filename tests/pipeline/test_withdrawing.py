"""What a run published can be taken back, as a new version; deliveries that went wrong wait; closed periods change with a reason alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lienthong.contracts import Closing, Contract, Delivery, Expect
from lienthong.contracts.indicators.periods import PeriodType
from lienthong.errors import RunError, Unprocessable
from lienthong.pipeline import Workshop, approve_run, correct_row, list_quarantine, run_dataset
from lienthong.pipeline.withdrawing import withdraw
from lienthong.quality import closed_until
from lienthong.standards.working_days import read_working_days
from lienthong.store import runs
from tests.factories import PEOPLE, TickingClock, make_contract, make_property, make_workshop, write_people
from tests.pipeline.test_run import rows_of

PEOPLE_ROWS = [("P1", "Nguyễn An", "1980-03-07", 1), ("P2", "Trần Bình", "1981-03-07", 2), ("P3", "Lê Chi", "1982-03-07", 3)]
NOW = "select _key, full_name, children, _valid_from from data.test_people order by _key"
BOTH_AXES = """
    with states as (
        select _key, _valid_from, null::date as _valid_to, _version, null::integer as _version_to from data.test_people
        union all select _key, _valid_from, _valid_to, _version, _version_to from data.test_people_history
    )
    select count(*) from states as one join states as other on one._key = other._key and (one._version, one._valid_from) < (other._version, other._valid_from)
    where daterange(one._valid_from, one._valid_to) && daterange(other._valid_from, other._valid_to)
        and int4range(one._version, one._version_to) && int4range(other._version, other._version_to)
"""


def place(url: str, path: Path, rows: object = PEOPLE_ROWS, **more: object) -> tuple[Workshop, Contract, Path]:
    file = write_people(path / "people.csv", rows)  # type: ignore[arg-type] # rows of a table
    contract = make_contract(str(file), **more)  # type: ignore[arg-type] # what a contract takes
    return make_workshop(url, contract), contract, file


def test_the_state_before_a_bad_delivery_is_current_again(database_url: str, tmp_path: Path) -> None:
    workshop, contract, file = place(database_url, tmp_path)
    run_dataset(workshop, contract, delivered_on=date(2026, 1, 1))
    before = rows_of(workshop.database, NOW)
    write_people(file, [("P1", "Nguyễn An", "1980-03-07", 9), ("P3", "Lê Chi", "1982-03-07", 3), ("P4", "Vũ Dung", "1983-03-07", 4)])
    bad = run_dataset(workshop, contract, delivered_on=date(2026, 2, 1))
    done = withdraw(workshop, bad.run_id, "Lê Thị Hoa", "tệp của huyện khác")
    assert done is not None
    assert (done.version, done.restored, done.ended, done.left) == (3, 2, 1, 0)
    assert rows_of(workshop.database, NOW) == before
    assert rows_of(workshop.database, "select version, key, op from data.test_people_changes where version = 3 order by key") == [
        (3, "P1", "u"), (3, "P2", "i"), (3, "P4", "e"),
    ]  # fmt: skip
    assert rows_of(workshop.database, BOTH_AXES) == [(0,)]
    seen_then = "select children from data.test_people_history where _key = 'P1' and _version = 2 and _valid_to is null"
    assert rows_of(workshop.database, seen_then) == [(9,)]
    bodies = rows_of(workshop.database, "select bodies from lienthong.ledger_batches where bodies like '%run:dataset:withdrawn%'")
    assert len(bodies) == 1
    assert "huyện khác" not in bodies[0][0]
    with workshop.database.connect() as connection:
        assert [(d.act, d.by_whom, d.reason) for d in runs.decisions(connection, bad.run_id)] == [
            ("withdrawn", "Lê Thị Hoa", "tệp của huyện khác")
        ]


def test_what_changed_since_stays(database_url: str, tmp_path: Path) -> None:
    workshop, contract, file = place(database_url, tmp_path)
    run_dataset(workshop, contract)
    write_people(file, [(key, name, born, 9) for key, name, born, _ in PEOPLE_ROWS])
    bad = run_dataset(workshop, contract)
    write_people(file, [("P1", "Nguyễn An", "1980-03-07", 7), *[(key, name, born, 9) for key, name, born, _ in PEOPLE_ROWS[1:]]])
    run_dataset(workshop, contract)
    done = withdraw(workshop, bad.run_id, "tester", "sai")
    assert done is not None
    assert (done.restored, done.left) == (2, 1)
    assert [row[2] for row in rows_of(workshop.database, NOW)] == [7, 2, 3]


def test_the_same_delivery_again_waits_for_a_reason(database_url: str, tmp_path: Path) -> None:
    workshop, contract, file = place(database_url, tmp_path)
    run_dataset(workshop, contract)
    write_people(file, [(key, name, born, 9) for key, name, born, _ in PEOPLE_ROWS])
    bad = run_dataset(workshop, contract)
    withdraw(workshop, bad.run_id, "tester", "sai")
    again = run_dataset(workshop, contract)
    assert (again.state, again.waits_for[0]["bound"], again.waits_for[0]["run"]) == ("waiting", "withdrawn_before", bad.run_id)
    once_more = run_dataset(workshop, contract)
    assert (once_more.run_id, once_more.state) == (again.run_id, "waiting")
    with pytest.raises(Unprocessable):
        approve_run(workshop, again.run_id, "tester")
    assert approve_run(workshop, again.run_id, "tester", reason="tệp đúng, rút nhầm").state == "published"


def test_rows_it_let_out_of_quarantine_wait_again(database_url: str, tmp_path: Path) -> None:
    workshop, contract, _ = place(database_url, tmp_path, [*PEOPLE_ROWS, ("P4", "Vũ Dung", "31/02/1990", 4)])
    run_dataset(workshop, contract)
    item = list_quarantine(workshop, contract.id)[0]
    fixed = correct_row(workshop, item.item_id, {"born_on": "28/02/1990"}, official="tester")
    withdraw(workshop, fixed.outcome.run_id, "tester", "sửa nhầm người")
    assert [i.item_id for i in list_quarantine(workshop, contract.id)] == [item.item_id]
    assert [row[0] for row in rows_of(workshop.database, NOW)] == ["P1", "P2", "P3"]


def test_the_first_fill_can_be_taken_back_and_nothing_twice(database_url: str, tmp_path: Path) -> None:
    workshop, contract, _ = place(database_url, tmp_path)
    first = run_dataset(workshop, contract)
    with pytest.raises(Unprocessable):
        withdraw(workshop, first.run_id, "tester", " ")
    done = withdraw(workshop, first.run_id, "tester", "sai tệp")
    assert done is not None
    assert (done.ended, rows_of(workshop.database, NOW)) == (3, [])
    with pytest.raises(RunError, match="withdrawn"):
        withdraw(workshop, first.run_id, "tester", "sai tệp")
    with pytest.raises(RunError, match="withdrawal"):
        withdraw(workshop, done.run_id, "tester", "sai tệp")


@given(st.lists(st.dictionaries(st.sampled_from("ABCDE"), st.integers(0, 3), max_size=5), min_size=2, max_size=4), st.integers(0, 3))
@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True, database=None)
def test_withdrawing_the_newest_gives_what_was_before_it(
    database_url: str, tmp_path: Path, deliveries: list[dict[str, int]], seed: int
) -> None:
    """Whatever came before: the records and their valid dates are again what they were, and no key has two states of one day."""
    contract = make_contract(
        str(tmp_path / "people.csv"), id=f"test.people{seed}{abs(hash(repr(deliveries))) % 10**9}", expect=Expect(last_min_percent=0)
    )
    workshop = make_workshop(database_url, contract)
    name = contract.id.replace(".", "_")
    before: list[tuple[object, ...]] = []
    outcome = None
    for n, people in enumerate(deliveries):
        write_people(tmp_path / "people.csv", [(key, "Nguyễn An", "1980-03-07", count) for key, count in people.items()])
        before = rows_of(workshop.database, f"select _key, children, _valid_from from data.{name} order by 1")  # our own name
        outcome = run_dataset(workshop, contract, delivered_on=date(2026, 1, 1 + n))
    assert outcome is not None
    if outcome.version is not None:
        withdraw(workshop, outcome.run_id, "tester", "thử")
        assert rows_of(workshop.database, f"select _key, children, _valid_from from data.{name} order by 1") == before
        assert rows_of(workshop.database, BOTH_AXES.replace("test_people", name)) == [(0,)]


MANY = [(f"P{n:03}", "Nguyễn An", "1980-03-07", n) for n in range(100)]


def test_three_fifths_of_the_last_delivery_wait_where_the_contract_says_nothing(database_url: str, tmp_path: Path) -> None:
    workshop, contract, file = place(database_url, tmp_path, MANY)
    run_dataset(workshop, contract)
    write_people(file, MANY[:60])
    outcome = run_dataset(workshop, contract)
    assert (outcome.state, outcome.waits_for[0]["bound"], outcome.waits_for[0]["found"]) == ("waiting", "last_min_percent", 60.0)
    assert rows_of(workshop.database, "select count(*) from data.test_people") == [(100,)]
    assert approve_run(workshop, outcome.run_id, "tester").rows_ended == 40


@pytest.mark.parametrize(("expect", "state"), [(Expect(last_min_percent=0), "published"), (Expect(last_min_percent=50), "published")])
def test_the_contract_may_let_fewer_through(database_url: str, tmp_path: Path, expect: Expect, state: str) -> None:
    workshop, contract, file = place(database_url, tmp_path, MANY, expect=expect)
    run_dataset(workshop, contract)
    write_people(file, MANY[:60])
    assert run_dataset(workshop, contract).state == state


def test_a_file_of_additions_sent_twice_changes_nothing(database_url: str, tmp_path: Path) -> None:
    workshop, contract, _ = place(database_url, tmp_path, delivery=Delivery.INCREMENTAL)
    run_dataset(workshop, contract)
    (tmp_path / "people.csv").touch()
    assert run_dataset(workshop, contract).state == "unchanged"


def test_a_column_that_was_renamed_waits_and_both_names_are_told(database_url: str, tmp_path: Path) -> None:
    workshop, contract, file = place(database_url, tmp_path)
    run_dataset(workshop, contract)
    file.write_text(file.read_text("utf-8").replace("children", "so_con"), "utf-8")
    outcome = run_dataset(workshop, contract)
    assert outcome.state == "waiting"
    assert (outcome.waits_for[0]["columns"], outcome.waits_for[0]["unknown"]) == (["children"], ["so_con"])
    assert [row[2] for row in rows_of(workshop.database, NOW)] == [1, 2, 3]


FIGURES = (make_property("record_no", required=True, key_position=1), *PEOPLE[1:3], make_property("children", "integer"))
CLOSED = Closing("born_on", PeriodType.YEAR, 10)


def test_a_change_of_a_closed_period_waits_for_a_reason_and_is_told_as_a_revision(database_url: str, tmp_path: Path) -> None:
    rows = [("P1", "Chỉ tiêu A", "2024-06-30", 1), ("P2", "Chỉ tiêu A", "2025-06-30", 2), ("P3", "Chỉ tiêu A", "2026-06-30", 3)]
    workshop, contract, file = place(database_url, tmp_path, rows, closing=CLOSED)
    run_dataset(workshop, contract)
    write_people(file, [*rows[:2], ("P3", "Chỉ tiêu A", "2026-06-30", 30)])
    assert run_dataset(workshop, contract).state == "published"
    write_people(file, [("P2", "Chỉ tiêu A", "2025-06-30", 20), ("P3", "Chỉ tiêu A", "2026-06-30", 30)])
    waiting = run_dataset(workshop, contract)
    assert (waiting.state, waiting.waits_for[0]["periods"]) == ("waiting", {"2024": 1, "2025": 1})
    with pytest.raises(Unprocessable):
        approve_run(workshop, waiting.run_id, "Lãnh đạo")
    approved = approve_run(workshop, waiting.run_id, "Lãnh đạo", reason="đính chính theo công văn 12")
    with workshop.database.connect() as connection:
        told = runs.period_revisions(connection, contract.id)
    assert [(r.period, r.revision, r.version, r.by_whom, r.reason) for r in told] == [
        ("2025", 2, approved.version, "Lãnh đạo", "đính chính theo công văn 12"),
        ("2024", 2, approved.version, "Lãnh đạo", "đính chính theo công văn 12"),
    ]


def test_moving_a_row_out_of_a_closed_period_is_a_change_of_it(database_url: str, tmp_path: Path) -> None:
    workshop, contract, file = place(database_url, tmp_path, [("P1", "A", "2024-06-30", 1)], closing=CLOSED)
    run_dataset(workshop, contract)
    write_people(file, [("P1", "A", "2026-06-30", 1)])
    assert run_dataset(workshop, contract).waits_for[0]["periods"] == {"2024": 1}


@pytest.mark.parametrize(
    ("today", "type_", "days", "until"),
    [
        (date(2026, 1, 15), PeriodType.YEAR, 10, date(2025, 1, 1)),  # the tenth working day; 2 January was given free for Saturday the 10th
        (date(2026, 1, 16), PeriodType.YEAR, 10, date(2026, 1, 1)),
        (date(2026, 2, 24), PeriodType.MONTH, 12, date(2026, 1, 1)),  # Tết lies between
        (date(2026, 2, 25), PeriodType.MONTH, 12, date(2026, 2, 1)),
        (date(2026, 3, 31), PeriodType.QUARTER_15_14, 5, date(2026, 3, 15)),
    ],
)
def test_periods_close_by_working_days(today: date, type_: PeriodType, days: int, until: date) -> None:
    assert closed_until(Closing("d", type_, days), today, read_working_days()) == until


def test_a_period_closes_for_good_as_days_pass(database_url: str, tmp_path: Path) -> None:
    rows = [("P1", "A", "2025-12-31", 1)]
    workshop, contract, file = place(database_url, tmp_path, rows, closing=CLOSED)
    early = replace(workshop, clock=TickingClock(datetime(2026, 1, 5, tzinfo=UTC)))
    run_dataset(early, contract)
    write_people(file, [("P1", "A", "2025-12-31", 2)])
    assert run_dataset(early, contract).state == "published"
    write_people(file, [("P1", "A", "2025-12-31", 3)])
    assert run_dataset(workshop, contract).state == "waiting"
