"""What the serving role can do with the ledger: append, and find what it has a mark of. Nothing else, whatever it tries."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import psycopg
import pytest

from lienthong.clock import system_clock
from lienthong.ledger import Entry, Event, Signer, mark_of, subject_hash
from lienthong.store import Connection, Database, append_entries
from lienthong.store.database import take_web_role
from lienthong.store.embedded import EmbeddedServer
from lienthong.store.found import found, found_upto
from lienthong.store.ledger_index import index_ledger
from lienthong.store.sequencing import Sequencer
from tests.conftest import fresh_database

SIGNER = Signer.new("test")
SUBJECT = subject_hash(b"k", "d", "1")
TABLES = (
    "ledger_batches", "ledger_checkpoints", "ledger_tiles", "ledger_edge", "ledger_gaps", "ledger_refused", "ledger_places", "ledger_index",
    "ledger_cosignatures", "ledger_witnesses", "ledger_stamps", "ledger_archives", "ledger_gone",
)  # fmt: skip
HIDDEN = (
    "ledger_batches",
    "ledger_gaps",
    "ledger_refused",
    "ledger_places",
    "ledger_index",
    "ledger_stamps",
    "ledger_archives",
    "ledger_gone",
    "ledger_entries",
)
INSERTED = ("ledger_cosignatures",)  # what a witness hands in


@pytest.fixture(scope="module")
def serving(postgres_server: EmbeddedServer) -> Iterator[Connection]:
    """A connection as the server has it, over a ledger of two entries."""
    with fresh_database(postgres_server) as url:
        database = Database(url)
        entries = [
            Entry(datetime(2026, 7, 1, tzinfo=UTC), Event.ANSWER_RECORD, "c", dataset="d", subject=subject)
            for subject in (SUBJECT, "ab" * 32)
        ]
        with database.connect() as connection:
            append_entries(connection, entries, SIGNER)
        Sequencer(database, SIGNER, system_clock).catch_up()
        index_ledger(database)
        with database.connect() as connection:
            take_web_role(connection)
            assert connection.execute("select current_user").fetchone() == ("lienthong_web",)
            yield connection


def refused(connection: Connection, statement: str) -> bool:
    try:
        connection.execute(statement.encode())
    except psycopg.errors.InsufficientPrivilege:
        return True
    finally:
        connection.rollback()
    return False


@pytest.mark.parametrize("table", TABLES)
def test_nothing_is_changed_removed_or_put_in_beside_the_functions(serving: Connection, table: str) -> None:
    column = serving.execute(
        "select attname from pg_attribute where attrelid = %s::regclass and attnum > 0 order by attnum desc limit 1",
        (f"lienthong.{table}",),
    ).fetchone()
    assert column is not None
    serving.rollback()
    for statement in (
        f"update lienthong.{table} set {column[0]} = {column[0]}",
        f"delete from lienthong.{table}",
        f"truncate lienthong.{table}",
        f"drop table lienthong.{table}",
        f"alter table lienthong.{table} disable trigger all",
        f"lock table lienthong.{table} in exclusive mode",
        *([] if table in INSERTED else [f"insert into lienthong.{table} default values"]),
    ):
        assert refused(serving, statement), statement


@pytest.mark.parametrize("table", HIDDEN)
def test_it_reads_no_entry_it_has_no_mark_of(serving: Connection, table: str) -> None:
    assert refused(serving, f"select * from lienthong.{table}")


def test_it_cannot_change_the_functions_or_become_somebody_else(serving: Connection) -> None:
    for statement in (
        "create or replace function lienthong.ledger_append(new_bodies text, new_seal bytea) returns void language sql as 'select'",
        "drop function lienthong.ledger_append",
        "alter function lienthong.ledger_found owner to lienthong_web",
        "create table lienthong.mine (n integer)",
        "grant select on lienthong.ledger_batches to lienthong_web",
    ):
        assert refused(serving, statement), statement


def test_it_appends_and_finds_by_mark_alone(serving: Connection) -> None:
    append_entries(serving, [Entry(datetime(2026, 7, 1, tzinfo=UTC), Event.ANSWER_PAGE, "c")], SIGNER)
    assert [each.position for each in found(serving, [mark_of(SUBJECT)], 2**62, 10)] == [0]
    assert found(serving, [], 2**62, 10) == []
    assert found_upto(serving) == 2
    serving.rollback()
