"""An older database, carried forward, is the same as a new one."""

from __future__ import annotations

from importlib import resources

import psycopg

from lienthong.store import Database
from lienthong.store.database import migrations

COLUMNS = (
    "select table_name, column_name, data_type, is_nullable, column_default from information_schema.columns"
    " where table_schema = 'lienthong' order by table_name, ordinal_position"
)
INDEXES = "select indexname, indexdef from pg_indexes where schemaname = 'lienthong' order by indexname"
CONSTRAINTS = "select conname, pg_get_constraintdef(oid) from pg_constraint where connamespace = 'lienthong'::regnamespace order by conname"


def described(url: str) -> list[object]:
    with psycopg.connect(url) as connection:
        return [connection.execute(query).fetchall() for query in (COLUMNS, INDEXES, CONSTRAINTS)]


def test_a_database_of_the_first_version_reaches_the_newest(database_url: str) -> None:
    new = described(database_url)
    schema = resources.files("lienthong.store").joinpath("schema.sql").read_text("utf-8")
    first = schema[: schema.index("-- Master data ---")].replace("values (2)", "values (1)")
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("drop schema lienthong cascade")
        connection.execute(first.encode())
    Database(database_url).apply_schema()
    Database(database_url).apply_schema()  # twice is harmless
    assert described(database_url) == new
    with psycopg.connect(database_url) as connection:
        newest = connection.execute("select max(number) from lienthong.schema_versions").fetchone()
    assert newest == (max(number for number, _ in migrations()),)
