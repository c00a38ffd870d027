"""An entity's whole index read and written at once: rows of registers out, records, identities and judgements in by COPY."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray
from psycopg import sql
from psycopg.errors import LockNotAvailable

from lienthong.store.copying import CopyIn, copy_frames
from lienthong.store.database import Connection, queries
from lienthong.store.tables import changes, current, history

RECORDS = pa.schema(
    [
        ("record", pa.int64()),
        ("entity", pa.string()),
        ("source", pa.string()),
        ("key", pa.string()),
        ("features", pa.list_(pa.string())),
        ("keys", pa.list_(pa.int64())),
        ("content", pa.string()),
        ("dated", pa.date32()),
        ("golden", pa.int64()),
        ("component", pa.int64()),
        ("since", pa.timestamp("us", "UTC")),
    ]
)
GOLDENS = pa.schema([("golden", pa.int64()), ("id", pa.string()), ("entity", pa.string()), ("made_at", pa.timestamp("us", "UTC"))])
JUDGEMENTS = pa.schema(
    [
        ("entity", pa.string()),
        ("left_source", pa.string()),
        ("left_key", pa.string()),
        ("right_source", pa.string()),
        ("right_key", pa.string()),
        ("verdict", pa.string()),
        ("kind", pa.string()),
        ("by_whom", pa.string()),
        ("reason", pa.string()),
        ("bits", pa.float64()),
        ("model", pa.string()),
        ("from_at", pa.timestamp("us", "UTC")),
        ("act", pa.int64()),
    ]
)
QUEUE = pa.schema(
    [
        ("entity", pa.string()),
        ("left_record", pa.int64()),
        ("right_record", pa.int64()),
        ("why", pa.string()),
        ("bits", pa.float64()),
        ("since", pa.timestamp("us", "UTC")),
    ]
)
MEMBERSHIPS = pa.schema(
    [
        ("source", pa.string()),
        ("key", pa.string()),
        ("golden", pa.int64()),
        ("from_at", pa.timestamp("us", "UTC")),
        ("to_at", pa.timestamp("us", "UTC")),
        ("ended_by", pa.int64()),
    ]
)

_ROWS_AT_ONCE = 50_000  # handed over at a time
FIRST_FILL = 1  # the version that lists no changes


def read_rows(connection: Connection, dataset_id: str, columns: Sequence[str]) -> pl.DataFrame:
    """`_key` and these columns of a dataset's current rows, all as text, sorted by key; no rows while nothing was published."""
    wanted = ["_key", *columns]
    there = connection.execute("select to_regclass(%s) is not null", (current(dataset_id).as_string(connection),)).fetchone()
    if there is None or not there[0]:
        return pl.DataFrame(schema=dict.fromkeys(wanted, pl.String))
    names = sql.SQL(", ").join(sql.Identifier(name) for name in wanted)
    return _read(
        connection, sql.SQL("copy (select {} from {} order by _key) to stdout (format csv, header)").format(names, current(dataset_id))
    )


def read_records(connection: Connection, entity: str) -> pl.DataFrame:
    """`record`, `source`, `key`, `golden`, `since` of an entity's records as they stand."""
    query = queries("matching")["all_records_out"].format(entity=sql.Literal(entity))
    return _read(connection, sql.SQL("copy ({}) to stdout (format csv, header)").format(query)).cast(
        {"record": pl.Int64, "golden": pl.Int64}
    ).with_columns(pl.col("since").str.to_datetime("%Y-%m-%d %H:%M:%S%.f%#z", time_unit="us").dt.convert_time_zone("UTC"))  # fmt: skip


def read_queue(connection: Connection, entity: str) -> pl.DataFrame:
    """`left_record`, `right_record`, `why`, `bits` of what waits for a person."""
    query = queries("matching")["queue_out"].format(entity=sql.Literal(entity))
    return _read(connection, sql.SQL("copy ({}) to stdout (format csv, header)").format(query)).cast(
        {"left_record": pl.Int64, "right_record": pl.Int64, "bits": pl.Float64}
    )


def _read(connection: Connection, statement: sql.Composed) -> pl.DataFrame:
    data = io.BytesIO()
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for part in copy:
            data.write(part)
    data.seek(0)
    return pl.read_csv(data, infer_schema=False)


def reserve(connection: Connection, column: str, count: int) -> NDArray[np.int64]:
    """`count` numbers of `match_goldens.golden` or `match_records.record`, rising and nobody else's; others may take numbers in between."""
    table = {"golden": "match_goldens", "record": "match_records"}[column]
    with connection.cursor(binary=True) as cursor:
        cursor.execute(
            "select array_agg(nextval(pg_get_serial_sequence(%(table)s, %(column)s)::regclass)) from generate_series(1, %(count)s)",
            {"table": table, "column": column, "count": count},
        )
        row = cursor.fetchone()
    assert row is not None  # an aggregate's value
    return np.array(row[0] or [], np.int64)


def count_anew(connection: Connection) -> None:
    """Tell the planner what the index holds now: after a first filling it would guess wrong by orders of magnitude."""
    for table in ("match_records", "match_goldens", "match_judgements", "match_queue"):
        connection.execute(sql.SQL("analyze {}").format(sql.Identifier(table)))


def changed_rows(connection: Connection, dataset_id: str, version: int, columns: Sequence[str]) -> pl.DataFrame:
    """`_key` and these columns, as text, of rows that came or changed with a version.

    Found by the list of what the version changed: of a large register, looking at every row for one takes half a second. A first fill lists nothing,
    and is all there is.
    """
    names = sql.SQL(", ").join(sql.Identifier("held", name) for name in ("_key", *columns))
    listed = sql.SQL("join {} as noted on noted.version = {} and noted.key = held._key").format(changes(dataset_id), sql.Literal(version))
    statement = sql.SQL("copy (select {} from {} as held {} where held._version = {}) to stdout (format csv, header)")
    joined = sql.SQL("") if version == FIRST_FILL else listed
    return _read(connection, statement.format(names, current(dataset_id), joined, sql.Literal(version)))


def rows_sharing(connection: Connection, dataset_id: str, columns: Sequence[str], by: Sequence[str], keys: Sequence[str]) -> pl.DataFrame:
    """`_key` and these columns of current rows whose `by` columns, joined by `|`, are among `keys`."""
    names = sql.SQL(", ").join(sql.Identifier(name) for name in ("_key", *columns))
    joined = sql.SQL(" || '|' || ").join(sql.SQL("{}::text").format(sql.Identifier(name)) for name in by)
    statement = sql.SQL("copy (select {} from {} where {} = any({})) to stdout (format csv, header)")
    return _read(connection, statement.format(names, current(dataset_id), joined, sql.Literal(list(keys))))


def left_rows(connection: Connection, dataset_id: str, version: int, columns: Sequence[str]) -> pl.DataFrame:
    """`_key`, `_ended` and these columns, as text, of rows as they were before a version changed or ended them."""
    names = sql.SQL(", ").join(sql.Identifier(name) for name in ("_key", "_ended", *columns))
    statement = sql.SQL("copy (select {} from {} where _version_to = {}) to stdout (format csv, header)")
    return _read(connection, statement.format(names, history(dataset_id), sql.Literal(version)))


def records_table() -> sql.Identifier:
    return sql.Identifier("match_records")


def forget(connection: Connection, entity: str, at: datetime, act: int) -> None:
    """Take out what is about to be written anew: records, what waits, what rules and the model said. Judgements end, they do not go."""
    values = {"entity": entity, "at": at, "act": act}
    for name in ("forget_queue", "forget_records", "end_all_joins"):
        connection.execute(queries("matching")[name], values)


def kept_words(connection: Connection, entity: str, at: datetime) -> list[Any]:
    """What persons did with pairs that wait, by register and key, to be put back after the queue is written anew."""
    return [row[0] for row in connection.execute(queries("matching")["kept_words"], {"entity": entity, "at": at})]


def put_back_words(connection: Connection, entity: str, at: datetime, kept: Sequence[Any]) -> None:
    """First words and pairs put off, of records that are still there."""
    if kept:
        connection.execute(queries("matching")["put_back_words"], {"entity": entity, "at": at, "kept": json.dumps(kept)})


@contextmanager
def first_filling(connection: Connection) -> Iterator[None]:
    """Fill the records: where the table is empty, and ours, blocking keys are indexed after it is filled, not row by row.

    Row by row the index is written at random, and takes longer a record the more there are. Where there are records the index stays:
    nobody who asks meanwhile is to wait for its making. It stays as well where another entity is being filled: two that had both
    read the records would each wait for the other to let go of them.
    """
    row = connection.execute(queries("matching")["keys_index_if_empty"]).fetchone()
    if row is None or not _are_ours(connection):
        yield
        return
    connection.execute(queries("matching")["drop_keys_index"])
    yield
    connection.execute(queries("matching")["room_for_index"])
    connection.execute(row[0].encode())


def _are_ours(connection: Connection) -> bool:
    """Whether nobody else is at the records; then nobody is until the transaction's end."""
    try:
        with connection.transaction():
            connection.execute(queries("matching")["records_are_ours"])
    except LockNotAvailable:
        return False
    return True


def put(connection: Connection, table: str, schema: pa.Schema, frame: pl.DataFrame) -> None:
    """COPY a frame into a table of the index."""
    copy_frames(connection, sql.Identifier(table), schema, frame.iter_slices(_ROWS_AT_ONCE))


__all__ = [
    "GOLDENS",
    "JUDGEMENTS",
    "MEMBERSHIPS",
    "QUEUE",
    "RECORDS",
    "CopyIn",
    "first_filling",
    "forget",
    "put",
    "read_records",
    "read_rows",
    "records_table",
    "reserve",
]
