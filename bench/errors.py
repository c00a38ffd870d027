"""Every error code of the synthetic province: how often the platform repairs or flags it, and whether it ever makes a clean value wrong.

The registers are taken in as a province in service takes them in (connectors, standards, rules of the contracts); only then is the truth
read beside them, cell by cell. What a code leaves for nobody to see in the row alone is counted apart; why stands in docs/explanation/errors.md.
"""

from __future__ import annotations

from pathlib import Path

import polars as pl
from psycopg import sql

from evaluation.province import IN_ORDER, REGISTERS
from lienthong.pipeline import Workshop
from lienthong.store import Connection, landing
from lienthong.store.tables import current


def told(workshop: Workshop, folder: Path) -> dict[str, pl.DataFrame]:
    """`values`: register, row, property, value as published (null: empty, `is_held`: the row waits); `issues`: register, row, property, code."""
    links = pl.read_parquet(folder / "truth" / "links.parquet").with_columns(pl.col("file").str.split("/").list.last())
    values, issues = [], []
    with workshop.database.connect() as connection:
        for dataset, register in REGISTERS.items():
            rows = _landed(connection, dataset, register).join(
                links.filter(pl.col("register") == register).unique(["file", "file_row"]), on=["file", "file_row"], how="inner"
            )
            values.append(_values(connection, workshop, dataset, rows))
            issues.append(_issues(connection, dataset, rows))
    return {"values": pl.concat(values), "issues": pl.concat(issues)}


def _landed(connection: Connection, dataset: str, register: str) -> pl.DataFrame:
    """Where every landed row stood: run, row_no, file, file_row."""
    runs = [run for (run,) in connection.execute("select run_id from runs where dataset_id = %s order by run_id", (dataset,)).fetchall()]
    frames = []
    for run in runs:
        files = {file.file_no: file.uri.rsplit("/", 1)[-1] for file in landing.files(connection, run)}
        for batch in landing.batches(connection, run):
            numbers = pl.Series(range(batch.first_row_no, batch.last_row_no + 1), dtype=pl.Int64)
            file_rows = numbers if register in IN_ORDER else pl.Series(batch.source_rows, dtype=pl.Int64)
            frames.append(
                pl.DataFrame({"row_no": numbers, "file_row": file_rows}).with_columns(
                    pl.lit(run).alias("run"), pl.lit(IN_ORDER.get(register, files[batch.file_no])).alias("file")
                )
            )
    return pl.concat(frames)


def _values(connection: Connection, workshop: Workshop, dataset: str, rows: pl.DataFrame) -> pl.DataFrame:
    """Every published cell as text, one a row of the frame; rows that wait have none."""
    names = [p.name for p in workshop.contracts[dataset].properties]
    columns = sql.SQL(", ").join(sql.SQL("c.{}::text").format(sql.Identifier(name)) for name in names)
    statement = sql.SQL("select c._row, v.run_id, {} from {} c join versions v on v.dataset_id = {} and v.version = c._version")
    found = connection.execute(statement.format(columns, current(dataset), sql.Literal(dataset))).fetchall()
    schema = {"row_no": pl.Int64, "run": pl.Int32, **dict.fromkeys(names, pl.String)}
    published = pl.DataFrame(found, schema=schema, orient="row").with_columns(pl.lit(False).alias("is_held"))
    whole = rows.select("register", "row", "rank", "entity", "run", "row_no").join(published, on=["run", "row_no"], how="left")
    whole = whole.with_columns(pl.col("is_held").fill_null(True)).drop("run", "row_no")
    return whole.unpivot(names, index=["register", "row", "rank", "entity", "is_held"], variable_name="property", value_name="value")


def _issues(connection: Connection, dataset: str, rows: pl.DataFrame) -> pl.DataFrame:
    found = connection.execute(
        "select run_id, row_no, column_name, rule, code, severity from issues where dataset_id = %s", (dataset,)
    ).fetchall()
    schema = {"run": pl.Int32, "row_no": pl.Int64, "property": pl.String, "rule": pl.String, "code": pl.String, "severity": pl.String}
    issues = pl.DataFrame(found, schema=schema, orient="row")
    return issues.join(rows.select("register", "row", "run", "row_no"), on=["run", "row_no"], how="inner").drop("run", "row_no")
