"""The values other datasets may refer to: a published dataset's columns, with when each was valid."""

from __future__ import annotations

import io
from collections.abc import Sequence

import polars as pl
from psycopg import sql

from lienthong.store.database import Connection
from lienthong.store.tables import current


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


def delivered_versions(connection: Connection, dataset_id: str, source_name: str) -> list[int]:
    """Versions whose rows a snapshot of `source_name` may end: its own, and corrections of quarantined rows."""
    rows = connection.execute(
        "select versions.version from versions join runs using (run_id) where versions.dataset_id = %s and runs.source_name in (%s, 'correction')",
        (dataset_id, source_name),
    ).fetchall()
    return [row[0] for row in rows]
