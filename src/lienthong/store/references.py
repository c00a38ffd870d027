"""The values other datasets may refer to: a published dataset's columns, with when each was valid."""

from __future__ import annotations

import io
from collections.abc import Sequence

import polars as pl
from psycopg import sql

from lienthong.contracts import Contract
from lienthong.store.database import Connection
from lienthong.store.tables import POLARS_TYPES, current


def reference_values(connection: Connection, dataset_id: str, columns: Sequence[str]) -> pl.DataFrame:
    """The current rows' `columns` as text, whichever of them the dataset has, distinct; no rows when it is not applied or published yet."""
    there = connection.execute(
        "select attname::text from pg_attribute where attrelid = to_regclass(%s) and attnum > 0 and not attisdropped",
        (current(dataset_id).as_string(connection),),
    ).fetchall()
    wanted = [name for name in columns if (name,) in there]
    if not wanted:
        return pl.DataFrame(schema=dict.fromkeys(columns, pl.String))
    statement = sql.SQL("copy (select distinct {} from {}) to stdout (format csv, header)").format(
        sql.SQL(", ").join(sql.Identifier(name) for name in wanted), current(dataset_id)
    )
    data = io.BytesIO()
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for part in copy:
            data.write(part)
    return pl.read_csv(data.getvalue(), infer_schema=False)


def current_rows(connection: Connection, contract: Contract) -> pl.DataFrame:
    """All current rows, typed, the contract's columns in its order."""
    statement = sql.SQL("copy (select {} from {}) to stdout (format csv, header)").format(
        sql.SQL(", ").join(sql.Identifier(p.name) for p in contract.properties), current(contract.id)
    )
    data = io.BytesIO()
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for part in copy:
            data.write(part)
    texts = pl.read_csv(data.getvalue(), infer_schema=False)
    return texts.select(_typed(p.name, p.logical_type) for p in contract.properties)


def _typed(name: str, logical_type: str) -> pl.Expr:
    text = pl.col(name)
    if logical_type == "boolean":
        return text == "t"
    if logical_type == "date":
        return text.str.to_date("%Y-%m-%d", strict=False)  # beyond year 9999 there is none
    if logical_type == "timestamp":
        return text.str.slice(0, 19).str.to_datetime("%Y-%m-%d %H:%M:%S", time_zone="UTC", strict=False)
    return text.cast(POLARS_TYPES[logical_type])


def delivered_versions(connection: Connection, dataset_id: str, source_name: str) -> list[int]:
    """Versions whose rows a snapshot of `source_name` may end: its own, corrections of quarantined rows, and what withdrawals put back."""
    rows = connection.execute(
        "select versions.version from versions join runs using (run_id) where versions.dataset_id = %s and runs.source_name in (%s, 'correction', 'withdrawal')",
        (dataset_id, source_name),
    ).fetchall()
    return [row[0] for row in rows]
