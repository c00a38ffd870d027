"""What is derived from the ledger finds every entry, is behind but never wrong, and is itself verified."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import pytest

from lienthong.clock import system_clock
from lienthong.errors import LedgerError
from lienthong.ledger import Entry, Event, Signer, mark_of, mark_of_whole, pack_subjects, subject_hash
from lienthong.store import Database, append_entries, ledger_index
from lienthong.store.database import take_web_role
from lienthong.store.embedded import EmbeddedServer
from lienthong.store.found import found
from lienthong.store.ledger import prove
from lienthong.store.ledger_index import index_ledger, index_portion, indexed_size
from lienthong.store.sequencing import Sequencer
from lienthong.store.verifying import verify_ledger
from tests.conftest import fresh_database
from tests.store.ledgers import verdict_of

AT = datetime(2026, 7, 1, tzinfo=UTC)
SIGNER = Signer.new("test")
ALICE, BOB = subject_hash(b"k", "d", "1"), subject_hash(b"k", "d", "2")
ANSWER = sha256(b"answer").hexdigest()


def filled(url: str) -> Database:
    database = Database(url)
    write(
        database,
        Entry(AT, Event.ANSWER_RECORD, "c", dataset="d", subject=ALICE, answer_digest=ANSWER),
        Entry(AT, Event.ANSWER_PAGE, "c", dataset="d", details={"subjects": pack_subjects([BOB, ALICE, ALICE])}),
    )
    write(database, Entry(AT, Event.ANSWER_BULK_BEGUN, "c", dataset="d", details={"scope": "whole"}))
    write(database, Entry(AT, Event.ANSWER_RECORD, "c", dataset="d", subject=BOB))
    return database


@pytest.fixture
def database(database_url: str) -> Database:
    return filled(database_url)


@pytest.fixture(scope="module")
def indexed(postgres_server: EmbeddedServer) -> Iterator[Database]:
    """One ledger for all that is tried on it and taken back."""
    with fresh_database(postgres_server) as url:
        database = filled(url)
        index_ledger(database)
        assert verdict_of(database, SIGNER).ok
        yield database


def write(database: Database, *entries: Entry) -> None:
    with database.connect() as connection:
        append_entries(connection, entries, SIGNER)
    Sequencer(database, SIGNER, system_clock).catch_up()


def positions(database: Database, mark: int) -> list[int]:
    with database.connect() as connection:
        take_web_role(connection)  # the serving role finds them too
        return sorted(each.position for each in found(connection, [mark], 2**62, 100))


def do(database: Database, statement: str, *values: Any) -> None:
    with database.connect(autocommit=True) as connection:
        connection.execute(statement.encode(), values)


def test_nothing_to_tell_leaves_no_batch(database: Database) -> None:
    write(database)
    with database.connect() as connection:
        assert connection.execute("select count(*), min(length(bodies)) > 0 from lienthong.ledger_batches").fetchone() == (3, True)


def test_a_portion_is_of_whole_checkpoints_and_the_next_one_goes_on(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger_index, "MOST_ENTRIES", 1)  # the first checkpoint alone holds more
    assert [index_portion(database) for _ in range(4)] == [2, 1, 1, 0]
    assert positions(database, mark_of(ALICE)) == [0, 1]


def test_entries_are_found_by_subject_by_answer_and_by_register(database: Database) -> None:
    assert index_ledger(database) == 4
    assert index_ledger(database) == 0
    assert positions(database, mark_of(ALICE)) == [0, 1]
    assert positions(database, mark_of(BOB)) == [1, 3]
    assert positions(database, mark_of(ANSWER)) == [0]
    assert positions(database, mark_of_whole("d")) == [2]
    write(database, Entry(AT, Event.ANSWER_RECORD, "c", dataset="d", subject=ALICE))
    assert index_ledger(database) == 1
    assert positions(database, mark_of(ALICE)) == [0, 1, 4]
    assert verdict_of(database, SIGNER).ok


def test_an_entry_is_proved_whether_its_place_is_kept_or_not(database: Database) -> None:
    with database.connect() as connection:
        before = [prove(connection, SIGNER, position) for position in range(4)]
    index_ledger(database)
    with database.connect() as connection:
        assert indexed_size(connection) == 4
        assert [prove(connection, SIGNER, position) for position in range(4)] == before


def test_a_batch_that_is_gone_stops_the_index_and_is_named(database: Database) -> None:
    do(database, "delete from lienthong.ledger_batches where id = 2")
    assert index_ledger(database) == 2
    assert index_ledger(database) == 0
    with database.connect() as connection, pytest.raises(LedgerError):
        prove(connection, SIGNER, 2)
    assert (verdict_of(database, SIGNER).reason, verdict_of(database, SIGNER).first_misfit) == ("missing", 2)


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        ("update lienthong.ledger_index set mark = mark + 1 where position = 3", "index"),
        ("update lienthong.ledger_index set position = 2 where position = 3", "index"),
        ("delete from lienthong.ledger_index where position = 0", "index"),
        ("insert into lienthong.ledger_index (mark, position) values (7, 1)", "index"),
        ("update lienthong.ledger_places set begins = 7 where begins = 3", "place"),
        ("update lienthong.ledger_places set batch = 9 where begins = 3", "place"),
        ("update lienthong.ledger_places set entries = 2 where begins = 3", "place"),
        ("delete from lienthong.ledger_places where begins = 3", "index"),
        ("update lienthong.ledger_edge set seen = 1", "twice"),
        ("insert into lienthong.ledger_gaps (id, horizon) values (2, '1')", "twice"),
        ("insert into lienthong.ledger_refused (id) values (2)", "twice"),
        ("update lienthong.ledger_batches set seal = null where id = 3", "seal"),
        ("update lienthong.ledger_batches set seal = '\\x00' where id = 1", "seal"),
        ("update lienthong.ledger_checkpoints set begins = 1 where begins = 2", "begins"),
    ],
)
def test_what_stands_beside_the_tree_is_verified_too(indexed: Database, damage: str, reason: str) -> None:
    with indexed.connect() as connection:
        connection.execute(damage.encode())
        verdict = verify_ledger(connection, SIGNER)
        connection.rollback()
    assert (verdict.ok, verdict.reason) == (False, reason)
