"""An older database, carried forward, is the same as a new one."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path

import psycopg
import pytest

from lienthong.ledger import Entry, Event, Frontier, Signer, encode, leaf_hash
from lienthong.store import Database, append_entries
from lienthong.store.database import migrations
from tests.store.ledgers import entries_of, verdict_of

AT = datetime(2026, 7, 1, tzinfo=UTC)

COLUMNS = (
    "select table_name, column_name, data_type, is_nullable, column_default from information_schema.columns"
    " where table_schema = 'lienthong' order by table_name, ordinal_position"
)
INDEXES = "select indexname, indexdef from pg_indexes where schemaname = 'lienthong' order by indexname"
CONSTRAINTS = "select conname, pg_get_constraintdef(oid) from pg_constraint where connamespace = 'lienthong'::regnamespace order by conname"


SEQUENCES = "select sequencename from pg_sequences where schemaname = 'lienthong' order by 1"


def described(url: str) -> list[object]:
    with psycopg.connect(url) as connection:
        return [connection.execute(query).fetchall() for query in (COLUMNS, INDEXES, CONSTRAINTS, SEQUENCES)]


def schema_of_version_1() -> str:
    """What a database looked like before there was master data, its ledger in one order from the start."""
    schema = resources.files("lienthong.store").joinpath("schema.sql").read_text("utf-8")
    ledger = (Path(__file__).parent / "ledger_of_version_2.sql").read_text("utf-8")
    return re.sub(r"\(number\) values \(\d+\)", "(number) values (1)", schema[: schema.index("-- Ledger ---")]) + ledger


def test_a_database_of_the_first_version_reaches_the_newest(database_url: str) -> None:
    new = described(database_url)
    first = schema_of_version_1()
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("drop schema lienthong cascade")
        connection.execute(first.encode())
    Database(database_url).apply_schema()
    Database(database_url).apply_schema()  # twice is harmless
    assert described(database_url) == new
    with psycopg.connect(database_url) as connection:
        newest = connection.execute("select max(number) from lienthong.schema_versions").fetchone()
    assert newest == (max(number for number, _ in migrations()),)


@pytest.mark.parametrize("batches", [0, 1, 3, 70])
def test_a_ledger_kept_in_the_old_way_holds_after_it_is_carried_forward(database_url: str, batches: int) -> None:
    signer, frontier = Signer.new("test"), Frontier()
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("drop schema lienthong cascade")
        connection.execute(schema_of_version_1().encode())
        for number in range(batches):
            bodies = [encode(Entry(AT, Event.ANSWER_PAGE, f"caller {number}-{n}")) for n in range(number % 20 + 1)]
            leaves = [leaf_hash(body) for body in bodies]
            after = frontier.append(leaves)
            connection.execute(
                "select lienthong.ledger_append(%s, %s, %s, %s, %s, %s, %s, %s)",
                (
                    frontier.size, [body.decode() for body in bodies], leaves, list(after.peaks), after.root, AT, signer.key_id,
                    signer.sign_checkpoint(after.size, after.root, AT),
                ),
            )  # fmt: skip
            frontier = after
    database = Database(database_url)
    database.apply_schema()
    verdict = verdict_of(database, signer)
    assert (verdict.ok, verdict.size, verdict.root, verdict.foreign) == (True, frontier.size, frontier.root, ())
    with database.connect() as connection:
        append_entries(connection, [Entry(AT, Event.ANSWER_PAGE, "afterwards")], signer)
    callers = [entry["caller"] for entry in entries_of(database, signer)]
    assert callers == [f"caller {number}-{n}" for number in range(batches) for n in range(number % 20 + 1)] + ["afterwards"]
    assert verdict_of(database, signer).ok
