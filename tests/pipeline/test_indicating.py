"""Figures are what the query says, frozen with what they read; a formula sees its own tables alone; a question reaches the owner."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from lienthong.access import Actor, Role
from lienthong.contracts.indicators import Formula, Indicator, State, period_named, period_of
from lienthong.contracts.indicators.load import build
from lienthong.errors import Conflict, Denied, StoreError, Unprocessable
from lienthong.ledger import Event
from lienthong.pipeline import Workshop, indicating, run_dataset
from lienthong.store import Connection
from lienthong.store import indicators as store
from tests.factories import TickingClock, make_contract, make_property, make_workshop
from tests.store.ledgers import entries_of

FORMULA = """
    select commune_code as place, seen_on as placed_on, sum(heads) as value
    from data.test_heads where seen_on < :until group by commune_code, seen_on
"""
FILE: dict[str, Any] = {
    "id": "heads", "title": "Người", "titleEn": "People", "definition": "Số người", "definitionEn": "How many", "owner": "H10.12",
    "unit": "người", "unitEn": "people", "period": "month", "level": "commune", "reads": ["test.heads"], "formula": FORMULA, "keeps": 3,
    "closing": {"days": 5, "at": "17:00"},
}  # fmt: skip
PROPERTIES = (
    make_property("record_no", required=True, key_position=1),
    make_property("commune_code"),
    make_property("seen_on", "date"),
    make_property("heads", "integer"),
)
ROWS = ("1,25195,2025-06-20,10", "2,25195,2026-05-20,7", "3,25201,2025-06-01,5", "4,00000,2026-05-01,1")
LEADER = Actor("lanh-dao", "H10.01", frozenset({Role.LEADER}))
OWNER = Actor("dau-moi", "H10.12", frozenset({Role.DATA_OFFICER}))


def due_on(day: date) -> date:
    return day + timedelta(days=3)


class Place:
    """A workshop with one dataset of heads and another the formula does not name."""

    def __init__(self, url: str, folder: Path) -> None:
        self.file = folder / "heads.csv"
        self.clock = TickingClock(datetime(2026, 7, 1, 8, tzinfo=UTC))
        contracts = [make_contract(str(self.file), id=id, properties=PROPERTIES) for id in ("test.heads", "test.secret")]
        self.workshop: Workshop = replace(make_workshop(url, *contracts), clock=self.clock)
        self.indicator: Indicator = build(FILE, "heads.yaml", self.workshop.contracts)
        self.deliver(*ROWS)

    def deliver(self, *rows: str) -> None:
        self.file.write_text("\n".join(["record_no,commune_code,seen_on,heads", *rows, ""]), encoding="utf-8")
        run_dataset(self.workshop, self.workshop.contracts["test.heads"])

    def compute(self, indicator: Indicator | None = None, **more: Any) -> list[indicating.Computed]:
        return indicating.compute(self.workshop, indicator or self.indicator, {}, 10, **more)

    def newest(self, period: str) -> store.Figure:
        with self.workshop.database.connect() as connection:
            found = store.newest(connection, "heads", period)
        assert found is not None
        return found

    def events(self, event: Event) -> list[dict[str, Any]]:
        return [each for each in entries_of(self.workshop.database, self.workshop.signer) if each["event"] == event.value]


@pytest.fixture
def place(database_url: str, tmp_path: Path) -> Place:
    return Place(database_url, tmp_path)


def test_a_figure_equals_the_query_and_its_parts_are_units_of_their_day(place: Place) -> None:
    assert [(each.period, each.total, each.state) for each in place.compute()] == [
        ("2026-05", 23.0, "final"),
        ("2026-06", 23.0, "estimate"),
        ("2026-07", 23.0, "estimate"),
    ]
    figure = place.newest("2026-06")
    with place.workshop.database.connect() as connection:
        parts = store.parts(connection, figure.figure)
        row = connection.execute("select sum(heads) from data.test_heads where seen_on < %s", (figure.until,)).fetchone()
    assert row is not None
    assert figure.total == float(row[0]) == sum(part.value for part in parts)
    assert [(part.code, part.valid_from.year, part.value) for part in parts] == [
        ("", 1997, 1.0),
        ("25195", 1997, 10.0),
        ("25195", 2025, 7.0),  # the same code, another place
        ("25201", 1997, 5.0),
    ]
    assert [(each["dataset"], each["version"]) for each in figure.reads] == [("test.heads", 1)]


def test_every_figure_is_in_the_ledger_under_its_digest(place: Place) -> None:
    place.compute()
    figure = place.newest("2026-06")
    with place.workshop.database.connect() as connection:
        digest = indicating.figure_digest(figure, store.parts(connection, figure.figure))
    entry = next(each for each in place.events(Event.FIGURE_COMPUTED) if each["details"]["period"] == "2026-06")
    assert entry["answer_digest"] == digest
    assert entry["details"]["reads"] == {"test.heads": 1}


def test_nothing_new_is_not_reckoned_again_and_what_is_corrected_is_a_new_revision(place: Place) -> None:
    place.compute()
    assert place.compute() == []
    place.deliver("1,25195,2025-06-20,11", *ROWS[1:])
    assert [each.revision for each in place.compute()] == [2, 2, 2]
    with place.workshop.database.connect() as connection:
        told = [(each.revision, each.total) for each in store.revisions(connection, "heads", "2026-05")]
    assert told == [(2, 24.0), (1, 23.0)]


def test_what_changed_nothing_is_no_revision(place: Place) -> None:
    place.compute()
    place.deliver(*ROWS, "5,25195,2027-01-01,9")  # after every period
    assert [each.revision for each in place.compute()] == [None, None, None]
    assert place.compute() == []


def test_a_figure_closes_by_the_clock_and_is_late_where_nothing_was_delivered(place: Place) -> None:
    place.compute()
    place.clock.now = datetime(2026, 8, 10, tzinfo=UTC)
    assert [(each.period, each.state) for each in place.compute()] == [("2026-06", "final"), ("2026-07", "late"), ("2026-08", "estimate")]
    assert place.newest("2026-07").faults == [["not_delivered", "test.heads"]]
    place.deliver(*ROWS, "6,25195,2026-07-01,1")
    assert [(each.period, each.state) for each in place.compute() if each.revision] [:2] == [("2026-07", "final"), ("2026-08", "estimate")]  # fmt: skip


def test_one_indicator_that_fails_does_not_stop_the_others(place: Place) -> None:
    broken = build(
        {**FILE, "id": "broken", "formula": FORMULA.replace("sum(heads)", "sum(heads / (record_no::int - record_no::int))")},
        "b",
        place.workshop.contracts,
    )
    assert len(indicating.compute_all(place.workshop, [broken, place.indicator], {}, 10)) == 3
    with pytest.raises(StoreError, match="DivisionByZero") as told:
        place.compute(broken)
    assert "25195" not in str(told.value)


@contextmanager
def rights_being_changed(place: Place) -> Iterator[None]:
    """As a server does that starts beside us; what it did counts once something else has waited for it."""
    with place.workshop.database.connect() as other, place.workshop.database.connect(autocommit=True) as watcher:
        watcher.execute("revoke select on data.test_heads from lienthong_web")
        other.execute("grant select on data.test_heads to lienthong_web")

        def end() -> None:
            last = time.monotonic() + 60
            while not rows_of_waiting(watcher):
                assert time.monotonic() < last, "nobody waited"
                time.sleep(0.01)
            other.commit()

        with ThreadPoolExecutor(1) as pool:
            ending = pool.submit(end)
            yield
            ending.result()


def rows_of_waiting(connection: Connection) -> list[Any]:
    return connection.execute("select from pg_locks where locktype = 'transactionid' and not granted").fetchall()


def test_a_figure_is_reckoned_though_rights_to_its_table_change_meanwhile(place: Place) -> None:
    with rights_being_changed(place):
        assert place.compute()[0].total == 23.0


def test_a_server_starts_though_rights_to_a_table_change_meanwhile(place: Place) -> None:
    with rights_being_changed(place):
        place.workshop.database.apply_schema()


HOSTILE = (
    ("select count(*) from data.test_secret", "InsufficientPrivilege"),
    ("select count(*) from lienthong.ledger_batches", "InsufficientPrivilege"),
    ("select count(*) from lienthong.persons", "InsufficientPrivilege"),
    ("delete from data.test_heads returning 1", "InsufficientPrivilege|ReadOnly"),
    ("select 1; delete from data.test_heads", "SyntaxError"),
    ("select pg_sleep(30)", "QueryCanceled"),
    ("select count(query_to_xml('select * from data.test_secret', true, true, ''))", "InsufficientPrivilege"),
    ("select count(pg_read_file('/etc/passwd'))", "InsufficientPrivilege"),
    ("select count(set_config('role', 'none', true)) from data.test_secret", "InsufficientPrivilege"),
)


def test_the_database_itself_stops_what_a_check_might_miss(place: Place) -> None:
    """As if a formula of these words had passed the check."""
    period = period_of(place.indicator.period, date(2026, 7, 1))
    for statement, why in HOSTILE:
        with pytest.raises(StoreError, match=why):
            store.run_formula(place.workshop.database, Formula(statement, statement, ("test.heads",), ("value",)), period, 1)
    assert place.compute()[0].total == 23.0


def test_a_measure_tells_of_now_and_not_of_periods_nobody_looked_at(place: Place) -> None:
    measure: Callable[[Any], indicating.Measured] = lambda _: (3.0, 4.0, {"told": 1})
    indicator = build(
        {**{k: v for k, v in FILE.items() if k not in ("formula", "reads", "level")}, "measure": "m", "hasBase": True, "scale": 100},
        "m.yaml", {}, ("m",),
    )  # fmt: skip
    once = indicating.compute(place.workshop, indicator, {"m": measure}, 10)
    assert [(each.period, each.total) for each in once] == [("2026-07", 75.0)]
    place.clock.now = datetime(2026, 8, 1, tzinfo=UTC)
    again = indicating.compute(place.workshop, indicator, {"m": measure}, 10)
    assert [(each.period, each.state, each.revision) for each in again] == [("2026-07", "estimate", None), ("2026-08", "estimate", 1)]


def test_a_question_reaches_the_owner_with_a_clock_and_the_answer_stays(place: Place) -> None:
    place.compute()
    figure = place.newest("2026-06")
    number = indicating.ask(place.workshop, place.indicator, figure, LEADER, " Vì sao tăng? ", due_on)
    with place.workshop.database.connect() as connection:
        assert [(each.question, each.words, each.due_on) for each in store.questions_to(connection, "H10.12")] == [
            (number, "Vì sao tăng?", date(2026, 7, 4))
        ]
        assert store.questions_to(connection, "H10.10") == []
    with pytest.raises(Denied):
        indicating.answer(place.workshop, number, replace(OWNER, agency="H10.10"), "Không phải của tôi")
    indicating.answer(place.workshop, number, OWNER, "Do sáp nhập.")
    with pytest.raises(Conflict):
        indicating.answer(place.workshop, number, OWNER, "Lần hai")
    with place.workshop.database.connect() as connection:
        (kept,) = store.questions_of(connection, "heads")
    assert (kept.state, kept.answer, kept.figure) == ("answered", "Do sáp nhập.", figure.figure)
    said = json.dumps([*place.events(Event.EXPLANATION_ASKED), *place.events(Event.EXPLANATION_GIVEN)], ensure_ascii=False)
    assert "sáp nhập" not in said


def test_only_a_leader_asks_and_only_with_words(place: Place) -> None:
    place.compute()
    figure = place.newest("2026-06")
    with pytest.raises(Denied):
        indicating.ask(place.workshop, place.indicator, figure, OWNER, "Vì sao?", due_on)
    with pytest.raises(Unprocessable):
        indicating.ask(place.workshop, place.indicator, figure, LEADER, "  ", due_on)


def test_late_and_final_are_told_apart_by_words_of_the_file(place: Place) -> None:
    indicator = build({**FILE, "id": "loose", "quality": {"deliveredAfterEnd": False}}, "loose.yaml", place.workshop.contracts)
    place.clock.now = datetime(2026, 9, 10, tzinfo=UTC)
    assert {each.state for each in place.compute(indicator)} == {State.FINAL.value, State.ESTIMATE.value}
    assert period_named(indicator.period, "2026-08") is not None
