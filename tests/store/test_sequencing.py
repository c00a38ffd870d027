"""Every committed batch gets one place in the tree, whatever the order of commits; what the platform did not write gets none."""

from __future__ import annotations

import base64
import json
import random
import threading
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest

from lienthong.clock import system_clock
from lienthong.errors import LedgerError, NotFound
from lienthong.ledger import Entry, Event, Signer, leaf_hash, root_from_inclusion
from lienthong.store import Database, append_entries
from lienthong.store.ledger import prove
from lienthong.store.sequencing import Sequencer
from tests.store.ledgers import entries_of, verdict_of

AT = datetime(2026, 7, 1, tzinfo=UTC)
SIGNER = Signer.new("test")


@pytest.fixture
def database(database_url: str) -> Database:
    return Database(database_url)


def entry(number: int) -> Entry:
    return Entry(AT, Event.ANSWER_PAGE, f"caller {number}")


def write(database: Database, *numbers: int) -> None:
    with database.connect() as connection:
        append_entries(connection, [entry(number) for number in numbers], SIGNER)


def sequencer(database: Database) -> Sequencer:
    return Sequencer(database, SIGNER, system_clock)


def callers(database: Database) -> list[str]:
    return [found["caller"] for found in entries_of(database, SIGNER)]


def scalar(database: Database, query: str) -> Any:
    with database.connect(autocommit=True) as connection:
        row = connection.execute(query.encode()).fetchone()
        assert row is not None
        return row[0]


def do(database: Database, statement: str, *values: Any) -> None:
    with database.connect(autocommit=True) as connection:
        connection.execute(statement.encode(), values)


def test_entries_of_a_batch_stay_together_and_in_order(database: Database) -> None:
    write(database, 1, 2, 3)
    write(database, 4)
    assert sequencer(database).catch_up() == 4
    assert sequencer(database).catch_up() == 0
    assert callers(database) == [f"caller {n}" for n in (1, 2, 3, 4)]
    assert verdict_of(database, SIGNER).ok


def test_a_writer_that_commits_late_is_not_missed_and_keeps_nobody_waiting(database: Database) -> None:
    late = database.connect()
    append_entries(late, [entry(1)], SIGNER)
    write(database, 2)
    assert callers(database) == ["caller 2"]
    assert scalar(database, "select count(*) from lienthong.ledger_gaps") == 1
    write(database, 3)
    assert sequencer(database).catch_up() == 1
    late.commit()
    late.close()
    assert callers(database) == ["caller 2", "caller 3", "caller 1"]
    assert scalar(database, "select count(*) from lienthong.ledger_gaps") == 0
    assert verdict_of(database, SIGNER).ok


def test_a_writer_that_gave_up_leaves_a_gap_that_closes(database: Database) -> None:
    abandoned = database.connect()
    append_entries(abandoned, [entry(1)], SIGNER)
    write(database, 2)
    sequencer(database).catch_up()
    abandoned.rollback()
    abandoned.close()
    write(database, 3)
    sequencer(database).catch_up()
    sequencer(database).catch_up()
    assert scalar(database, "select count(*) from lienthong.ledger_gaps") == 0
    assert callers(database) == ["caller 2", "caller 3"]


def test_many_writers_and_two_sequencers_lose_and_repeat_nothing(database: Database) -> None:
    ended = threading.Event()

    def writing(begin: int) -> None:
        chance = random.Random(begin)
        with database.connect() as connection:
            for number in range(begin, begin + 60):
                append_entries(connection, [entry(number), entry(number + 1_000_000)], SIGNER)
                if chance.random() < 0.2:
                    connection.rollback()
                    append_entries(connection, [entry(number), entry(number + 1_000_000)], SIGNER)
                connection.commit()

    def ordering() -> None:
        while not ended.is_set():
            sequencer(database).catch_up()

    writers = [threading.Thread(target=writing, args=(begin,)) for begin in (0, 1_000, 2_000, 3_000)]
    sequencers = [threading.Thread(target=ordering) for _ in range(2)]
    for thread in (*writers, *sequencers):
        thread.start()
    for thread in writers:
        thread.join()
    ended.set()
    for thread in sequencers:
        thread.join()
    expected = {f"caller {begin + n + more}" for begin in (0, 1_000, 2_000, 3_000) for n in range(60) for more in (0, 1_000_000)}
    found = callers(database)
    assert len(found) == len(expected)
    assert set(found) == expected
    assert verdict_of(database, SIGNER).ok


def test_a_backlog_longer_than_one_checkpoint_is_taken_whole(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lienthong.store.sequencing.MOST_BATCHES", 3)
    for number in range(10):
        write(database, number)
    assert sequencer(database).catch_up() == 10
    assert scalar(database, "select count(*) from lienthong.ledger_checkpoints") == 4
    assert verdict_of(database, SIGNER).ok


def test_a_checkpoint_that_fails_halfway_leaves_nothing_behind(database: Database) -> None:
    write(database, 1)
    sequencer(database).catch_up()
    write(database, 2)
    do(database, "alter table lienthong.ledger_checkpoints add constraint none_more check (size < 2)")
    with pytest.raises(psycopg.errors.CheckViolation):
        sequencer(database).catch_up()
    do(database, "alter table lienthong.ledger_checkpoints drop constraint none_more")
    assert callers(database) == ["caller 1", "caller 2"]
    assert verdict_of(database, SIGNER).ok


@pytest.mark.parametrize("seal", [None, bytes(32)])
def test_a_batch_the_platform_did_not_write_never_enters_the_tree_and_is_named(database: Database, seal: bytes | None) -> None:
    write(database, 1)
    forged = json.dumps({"v": 1, "at": AT.isoformat(), "event": "answer:record:given", "caller": "forged"})
    do(database, "insert into lienthong.ledger_batches (bodies, seal) values (%s, %s)", forged, seal)
    write(database, 2)
    assert callers(database) == ["caller 1", "caller 2"]
    verdict = verdict_of(database, SIGNER)
    assert (verdict.ok, verdict.foreign) == (True, (2,))


COPY = "insert into lienthong.ledger_batches (at, bodies, seal) select at, bodies, seal from lienthong.ledger_batches where id = (select min(id) from lienthong.ledger_batches)"


@pytest.mark.parametrize("is_sequenced", [True, False])
def test_a_copy_of_a_sealed_batch_never_enters_the_tree_and_is_named(database: Database, *, is_sequenced: bool) -> None:
    write(database, 1, 2)
    if is_sequenced:
        sequencer(database).catch_up()
    do(database, COPY)
    write(database, 3)
    sequencer(database).catch_up()
    do(database, COPY)
    sequencer(database).catch_up()
    assert callers(database) == ["caller 1", "caller 2", "caller 3"]
    verdict = verdict_of(database, SIGNER)
    assert verdict.ok
    assert len(verdict.foreign) == 2


def test_what_an_earlier_version_refused_for_its_form_is_taken_back_once(database: Database) -> None:
    write(database, 1)
    sequencer(database).catch_up()
    write(database, 2)
    do(database, COPY.replace("min(id)", "max(id)"))
    do(database, COPY)
    with database.connect(autocommit=True) as connection:  # the three after the first, as a version did that knew no such seal
        connection.execute("insert into lienthong.ledger_refused (id) select id from lienthong.ledger_batches where id > 1")
        connection.execute("update lienthong.ledger_edge set seen = (select max(id) from lienthong.ledger_batches)")
    write(database, 3)
    later = sequencer(database)
    later.catch_up()
    later.catch_up()
    assert callers(database) == ["caller 1", "caller 2", "caller 3"]
    verdict = verdict_of(database, SIGNER)
    assert (verdict.ok, len(verdict.foreign)) == (True, 2)


def test_a_copy_that_was_taken_is_named(database: Database) -> None:
    write(database, 1)
    write(database, 2)
    sequencer(database).catch_up()
    do(database, COPY)
    do(database, "update lienthong.ledger_batches set seal = decode('00', 'hex') where id = 1")  # so that the copy passes for the first
    sequencer(database).catch_up()
    do(database, "update lienthong.ledger_batches set seal = (select seal from lienthong.ledger_batches where id = 3) where id = 1")
    verdict = verdict_of(database, SIGNER)
    assert (verdict.ok, verdict.reason, verdict.first_misfit) == (False, "copy", 2)


def test_the_same_said_twice_is_two_batches(database: Database) -> None:
    write(database, 1)
    write(database, 1)
    sequencer(database).catch_up()
    assert callers(database) == ["caller 1", "caller 1"]
    assert verdict_of(database, SIGNER).ok


def test_a_batch_slipped_in_behind_the_edge_is_named(database: Database) -> None:
    write(database, 1)
    sequencer(database).catch_up()
    do(database, "insert into lienthong.ledger_batches (id, bodies, seal) overriding system value values (-1, '{}', '')")
    assert verdict_of(database, SIGNER).foreign == (-1,)


def test_an_entry_altered_before_its_checkpoint_is_refused(database: Database) -> None:
    write(database, 1)
    do(database, "update lienthong.ledger_batches set bodies = replace(bodies, 'caller 1', 'caller 9')")
    assert callers(database) == []
    assert verdict_of(database, SIGNER).foreign == (1,)


@pytest.mark.parametrize(
    ("damage", "reason", "first"),
    [
        ("update lienthong.ledger_batches set bodies = replace(bodies, 'caller 4', 'caller 9') where id = 2", "altered", 3),
        ("update lienthong.ledger_batches set bodies = split_part(bodies, E'\\n', 1) where id = 2", "altered", 3),
        ("delete from lienthong.ledger_batches where id = 2", "missing", 2),
        ("update lienthong.ledger_tiles set hashes = set_byte(hashes, 40, 0) where level = 0", "altered", 1),
        ("delete from lienthong.ledger_tiles", "altered", 0),
        ("update lienthong.ledger_checkpoints set batches = '{1,3,2}'", "altered", 2),
        ("update lienthong.ledger_checkpoints set batches = '{1,2}'", "missing", 4),
        ("update lienthong.ledger_checkpoints set root = signature", "root", 0),
        ("delete from lienthong.ledger_checkpoints", "size", 0),
        ("update lienthong.ledger_edge set size = 4", "size", 4),
    ],
)
def test_damage_is_found_and_the_first_entry_that_does_not_fit_named(database: Database, damage: str, reason: str, first: int) -> None:
    write(database, 1, 2)
    write(database, 3, 4)
    write(database, 5)
    sequencer(database).catch_up()
    do(database, damage)
    verdict = verdict_of(database, SIGNER)
    assert (verdict.reason, verdict.first_misfit) == (reason, first)


def test_a_damaged_edge_grows_no_further(database: Database) -> None:
    write(database, 1)
    sequencer(database).catch_up()
    do(database, "update lienthong.ledger_edge set size = 4")
    write(database, 2)
    with pytest.raises(LedgerError, match="level 0 is damaged"):
        sequencer(database).catch_up()


def test_an_entry_changed_together_with_its_leaf_is_named_within_its_batch_by_the_seal(database: Database) -> None:
    write(database, 1, 2)
    write(database, 3, 4)
    write(database, 5)
    sequencer(database).catch_up()
    do(database, "update lienthong.ledger_batches set bodies = replace(bodies, 'caller 4', 'caller 9') where id = 2")
    do(
        database,
        "update lienthong.ledger_tiles set hashes = overlay(hashes placing (select sha256('\\x00'::bytea || split_part(bodies, E'\\n', 2)::bytea)"
        " from lienthong.ledger_batches where id = 2) from 3 * 32 + 1)",
    )
    verdict = verdict_of(database, SIGNER)
    assert (verdict.reason, verdict.first_misfit, verdict.last_misfit) == ("root", 2, 3)


def test_every_entry_can_be_proved_with_nothing_but_its_proof_and_the_public_key(database: Database) -> None:
    for begin in range(0, 700, 70):
        write(database, *range(begin, begin + 70))
        sequencer(database).catch_up()
    with database.connect() as connection:
        for position in (0, 1, 255, 256, 511, 512, 699):
            proof = prove(connection, SIGNER, position)
            assert json.loads(proof.body)["caller"] == f"caller {position}"
            _, size, root, *_ = proof.checkpoint.splitlines()
            found = root_from_inclusion(leaf_hash(proof.body.encode()), position, int(size), proof.path)
            assert found == base64.b64decode(root)
        with pytest.raises(NotFound):
            prove(connection, SIGNER, 700)
        connection.execute("delete from lienthong.ledger_tiles where level = 1")
        with pytest.raises(LedgerError, match="shorter"):
            prove(connection, SIGNER, 0)
