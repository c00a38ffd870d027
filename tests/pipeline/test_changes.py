"""Deliveries of changes: the whole first, then what became different in order; the last word on a record counts, and may be that it ended."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lienthong.connectors import CONNECTORS, Batch, Position, ReadContext, SourceFile
from lienthong.contracts import Contract, Delivery, Expect, Source
from lienthong.errors import SourceError
from lienthong.pipeline import Workshop, approve_run, list_quarantine, run_dataset
from tests.factories import make_contract, make_workshop

Word = tuple[str, str | None]  # (record, its name; None: it ended)


@dataclass
class Journal:
    """A working source that keeps words in order: `whole` as it stands, then each word from a number on."""

    words: list[Word] = field(default_factory=list)
    settled: int = 0
    born: int = 0
    breaks_after: int | None = None

    def fingerprint(self, source: Source, context: ReadContext) -> str | None:
        return None

    def resumes(self, source: Source, context: ReadContext, after: Position) -> bool:
        return bool(after["born"] == self.born)

    def settle(self, source: Source, context: ReadContext, after: Position) -> None:
        self.settled = max(self.settled, int(after["upto"]))

    def read(self, source: Source, context: ReadContext, after: Position | None = None) -> Iterator[Batch]:
        if after is None:
            state = dict(self.words)
            rows = [(key, name) for key, name in state.items() if name is not None]
            yield self._batch(rows, len(self.words))
            return
        words, begin = self.words[int(after["upto"]) :], int(after["upto"])
        yield self._batch(words[: len(words) // 2], begin + len(words) // 2)
        if self.breaks_after is not None:
            raise SourceError("the line is cut")
        yield self._batch(words[len(words) // 2 :], len(self.words))

    def _batch(self, words: Sequence[Word], upto: int) -> Batch:
        keys, names = [key for key, _ in words], [name for _, name in words]
        table = pa.table({"record_no": pa.array(keys, pa.string()), "full_name": pa.array(names, pa.string())})
        ended = pa.array([name is None for name in names], pa.bool_())
        return Batch(
            SourceFile("journal"), table, pa.array(range(1, len(words) + 1), pa.int64()), {"upto": upto, "born": self.born}, ended=ended
        )


@pytest.fixture
def journal(monkeypatch: pytest.MonkeyPatch) -> Journal:
    made = Journal()
    monkeypatch.setitem(CONNECTORS, "journal", made)
    return made


def contract_of(**more: Any) -> Contract:
    return make_contract(sources=(Source("nhat_ky", "journal", "x", Delivery.CHANGES),), **more)


@pytest.fixture
def place(database_url: str, journal: Journal) -> tuple[Workshop, Contract]:
    contract = contract_of()
    return make_workshop(database_url, contract), contract


def current(workshop: Workshop) -> Mapping[str, str]:
    with workshop.database.connect() as connection:
        return dict(connection.execute("select record_no, full_name from data.test_people").fetchall())


def test_words_after_the_whole_begin_change_and_end_records(place: tuple[Workshop, Contract], journal: Journal) -> None:
    workshop, contract = place
    journal.words = [("1", "Lê Một"), ("2", "Lê Hai"), ("3", "Lê Ba")]
    first = run_dataset(workshop, contract)
    assert (first.rows_published, journal.settled) == (3, 3)
    journal.words += [("1", "Lê Mốt"), ("1", "Lê Một Mới"), ("2", None), ("4", "Lê Bốn"), ("5", "Lê Năm"), ("5", None), ("9", None)]
    second = run_dataset(workshop, contract)
    assert current(workshop) == {"1": "Lê Một Mới", "3": "Lê Ba", "4": "Lê Bốn"}
    assert (second.rows_in, second.rows_published, second.rows_unchanged, second.rows_ended) == (7, 3, 4, 1)
    with workshop.database.connect() as connection:
        told = connection.execute("select key, op::text from data.test_people_changes where version = 2 order by key").fetchall()
        ended = connection.execute("select _key from data.test_people_history where _ended").fetchall()
    assert told == [("1", "u"), ("2", "e"), ("4", "i")]
    assert ended == [("2",)]
    assert run_dataset(workshop, contract).state == "unchanged"


def test_a_record_that_ended_may_begin_again(place: tuple[Workshop, Contract], journal: Journal) -> None:
    workshop, contract = place
    journal.words = [("1", "Lê Một"), ("2", "Lê Hai")]
    run_dataset(workshop, contract)
    journal.words += [("1", None)]
    run_dataset(workshop, contract)
    journal.words += [("1", "Lê Một"), ("2", None), ("2", "Lê Hai")]
    outcome = run_dataset(workshop, contract)
    assert current(workshop) == {"1": "Lê Một", "2": "Lê Hai"}
    assert (outcome.rows_published, outcome.rows_unchanged, outcome.rows_ended) == (1, 2, 0)


def test_a_cut_off_delivery_goes_on_and_settles_only_when_it_is_published(place: tuple[Workshop, Contract], journal: Journal) -> None:
    workshop, contract = place
    journal.words = [("1", "Lê Một")]
    run_dataset(workshop, contract)
    journal.words += [("1", "Lê Mốt"), ("2", "Lê Hai"), ("1", None), ("3", "Lê Ba")]
    journal.breaks_after = 1
    with pytest.raises(SourceError):
        run_dataset(workshop, contract)
    assert (journal.settled, current(workshop)) == (1, {"1": "Lê Một"})
    journal.breaks_after = None
    run_dataset(workshop, contract)
    assert (journal.settled, current(workshop)) == (5, {"2": "Lê Hai", "3": "Lê Ba"})


def test_what_waits_in_quarantine_is_overtaken_by_a_newer_word(place: tuple[Workshop, Contract], journal: Journal) -> None:
    workshop, contract = place
    journal.words = [("1", "Lê Một"), ("2", "Lê Hai")]
    run_dataset(workshop, contract)
    journal.words += [("1", ""), ("2", "")]
    assert run_dataset(workshop, contract).rows_quarantined == 2
    assert current(workshop) == {"1": "Lê Một", "2": "Lê Hai"}
    journal.words += [("1", None), ("2", "Lê Hai Mới")]
    run_dataset(workshop, contract)
    assert current(workshop) == {"2": "Lê Hai Mới"}
    with workshop.database.connect() as connection:
        assert connection.execute("select distinct state from quarantine").fetchall() == [("superseded",)]


def test_a_source_made_anew_is_read_whole_and_what_it_lost_has_ended(place: tuple[Workshop, Contract], journal: Journal) -> None:
    workshop, contract = place
    journal.words = [("1", "Lê Một"), ("2", "Lê Hai")]
    run_dataset(workshop, contract)
    journal.words, journal.born = [("2", "Lê Hai"), ("3", "Lê Ba")], 1
    outcome = run_dataset(workshop, contract)
    assert (current(workshop), outcome.rows_ended) == ({"2": "Lê Hai", "3": "Lê Ba"}, 1)
    journal.words = [("3", "Lê Ba")]
    assert run_dataset(workshop, contract, whole=True).rows_ended == 1


def test_too_many_ends_wait_for_a_person_and_nothing_is_settled_meanwhile(database_url: str, journal: Journal) -> None:
    contract = contract_of(expect=Expect(ended_max_percent=10))
    workshop = make_workshop(database_url, contract)
    journal.words = [("1", "Lê Một"), ("2", "Lê Hai")]
    run_dataset(workshop, contract)
    journal.words += [("1", None)]
    waiting = run_dataset(workshop, contract)
    assert (waiting.state, journal.settled, len(current(workshop))) == ("waiting", 2, 2)
    assert approve_run(workshop, waiting.run_id, "can-bo").rows_ended == 1
    assert (journal.settled, list(list_quarantine(workshop, contract.id))) == (3, [])


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.lists(st.lists(st.tuples(st.sampled_from("1234"), st.sampled_from(["Lê A", "Lê B", "", None])), max_size=6), max_size=4))
def test_however_words_are_cut_into_deliveries_the_last_good_one_stands(
    place: tuple[Workshop, Contract], journal: Journal, deliveries: list[list[Word]]
) -> None:
    workshop, contract = place
    journal.words, journal.born = [], journal.born + 1
    run_dataset(workshop, contract)
    stands = dict(current(workshop))
    for words in deliveries:
        journal.words += words
        run_dataset(workshop, contract)
        for key, name in dict(words).items():
            if name is None:
                stands.pop(key, None)
            elif name:  # one that does not pass leaves the record as it was
                stands[key] = name
        assert current(workshop) == stands
