"""Bulk in: what the server refuses is raised, whenever it refuses it."""

from __future__ import annotations

import polars as pl
import psycopg
import pyarrow as pa
import pytest
from psycopg import sql

from lienthong.store import Database
from lienthong.store.copying import CopyIn, copy_frames

SCHEMA = pa.schema([("n", pa.int64())])
TABLE = sql.Identifier("copied")


@pytest.mark.parametrize("rows", [1, 2_000_000], ids=["seen when the last row was sent", "seen while rows are sent"])
def test_a_row_the_server_refuses_ends_the_copy_with_its_error(database_url: str, rows: int) -> None:
    with Database(database_url).connect() as connection:
        connection.execute("create temporary table copied (n bigint check (n > 0))")
        part = max(1, rows // 8)
        parts = [pl.DataFrame({"n": pl.int_range(start, start + part, eager=True)}) for start in range(0, rows, part)]
        with pytest.raises(psycopg.errors.CheckViolation):
            copy_frames(connection, TABLE, SCHEMA, parts)
        connection.rollback()
        assert connection.execute("select 1").fetchone() == (1,)


def test_a_feeder_that_fails_leaves_nothing_behind(database_url: str) -> None:
    with Database(database_url).connect() as connection:
        connection.execute("create temporary table copied (n bigint)")
        connection.commit()
        with pytest.raises(KeyError, match="mine"), CopyIn(connection, TABLE, SCHEMA) as copy:
            copy.add(pl.DataFrame({"n": [1]}))
            raise KeyError("mine")
        connection.rollback()
        assert connection.execute("select count(*) from copied").fetchone() == (0,)
