"""What the platform made of the rows of a generated province, a register at a time: published cells, issues, and the rows of no one.

Read out of the database as CSV, not row by row: at a million persons a register of holders alone has eight million cells.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl
from psycopg import sql

from evaluation.province import REGISTERS, TABLES, file_of
from lienthong.contracts import Contract
from lienthong.masterdata.entities import entities_of
from lienthong.pipeline import Workshop
from lienthong.store import Connection, landing
from lienthong.store.tables import current

CELL = ["register", "row", "property"]
ATTRIBUTES = {"name": "full_name", "born_on": "born_on", "citizen_id": "citizen_id", "phone": "phone", "address": "address"}
ALONE = ("seat", "address", "commune_code")  # fields whose property has the same name
NAMED = ("R4", "R5")  # deliver a unit's name and no code: the contract makes the code of it
DATED = ("R1", "R2", "R4", "R6")  # registers of one day, to which the truth's values of that day apply


@dataclass(frozen=True)
class Told:
    """One register. `fields`: the truth's field → the property. `values`: register, row, entity, is_held, property, value.

    `issues`: register, row, property ('' for the whole row), issue. `strays`: (published, waiting) rows that are nobody's.
    """

    register: str
    contract: Contract
    fields: Mapping[str, str]
    values: pl.DataFrame
    issues: pl.DataFrame
    strays: tuple[int, int]


def registers(workshop: Workshop, folder: Path) -> Iterator[Told]:
    """Each register of persons that the truth has errors of."""
    links = pl.read_parquet(folder / "truth" / "links.parquet").with_columns(pl.col("file").str.split("/").list.last())
    for each in entities_of(workshop.contracts)["person"].registers:
        register = REGISTERS.get(each.source)
        if register is None:
            continue
        contract = each.contract
        fields = {field: each.role.attributes[name][0] for field, name in ATTRIBUTES.items() if name in each.role.attributes}
        names = {p.name for p in contract.properties}
        fields |= {name: name for name in ALONE if name in names and name not in fields}
        if register in NAMED:
            fields["address"] = fields.pop("commune_code")
        known = links.filter(pl.col("register") == register).unique(["file", "file_row"])
        with workshop.database.connect() as connection:
            landed = _landed(connection, contract.id)
            rows = landed.join(known, on=["file", "file_row"], how="inner")
            published = _published(connection, contract, sorted(set(fields.values())))
            strays = landed.join(known, on=["file", "file_row"], how="anti").select("run", "row_no")
            yield Told(
                register, contract, fields, _cells(rows, published), _issues(connection, contract, rows),
                _counted(connection, contract, strays, published),
            )  # fmt: skip


def _landed(connection: Connection, dataset: str) -> pl.DataFrame:
    """Where every landed row stood: run, row_no, file, file_row."""
    runs = [run for (run,) in connection.execute("select run_id from runs where dataset_id = %s order by run_id", (dataset,)).fetchall()]
    frames = []
    for run in runs:
        files = {file.file_no: file_of(dataset, file.uri) for file in landing.files(connection, run)}
        for batch in landing.batches(connection, run):
            numbers = pl.Series(range(batch.first_row_no, batch.last_row_no + 1), dtype=pl.Int64)
            name = files.get(batch.file_no) or file_of(dataset, "")
            is_in_order = name.endswith(".json") or dataset in TABLES  # no file reaches us: rows in their order
            file_rows = numbers if is_in_order else pl.Series(batch.source_rows, dtype=pl.Int64)
            frames.append(
                pl.DataFrame({"row_no": numbers, "file_row": file_rows}).with_columns(
                    pl.lit(run, pl.Int64).alias("run"), pl.lit(name).alias("file")
                )
            )
    return pl.concat(frames)


def _published(connection: Connection, contract: Contract, names: list[str]) -> pl.DataFrame:
    columns = sql.SQL(", ").join(sql.SQL("c.{}::text").format(sql.Identifier(name)) for name in names)
    statement = sql.SQL("select c._row, v.run_id, {} from {} c join versions v on v.dataset_id = {} and v.version = c._version")
    return _copied(
        connection,
        statement.format(columns, current(contract.id), sql.Literal(contract.id)),
        {"row_no": pl.Int64, "run": pl.Int64, **dict.fromkeys(names, pl.String)},
    )


def _cells(rows: pl.DataFrame, published: pl.DataFrame) -> pl.DataFrame:
    """Every published cell as text; rows that wait have none."""
    names = [name for name in published.columns if name not in ("row_no", "run")]
    whole = rows.select("register", "row", "entity", "run", "row_no").join(
        published.with_columns(pl.lit(False).alias("is_held")), on=["run", "row_no"], how="left"
    )
    whole = whole.with_columns(pl.col("is_held").fill_null(True)).drop("run", "row_no")
    return whole.unpivot(names, index=["register", "row", "entity", "is_held"], variable_name="property", value_name="value")


def _issues(connection: Connection, contract: Contract, rows: pl.DataFrame) -> pl.DataFrame:
    """Issues by cell; one of a rule across columns stands at each of them, one of the whole row at ''."""
    across = {
        rule.id: [str(rule.parameters[part]) for part in ("id", "with", "left", "right") if part in rule.parameters]
        for rule in contract.all_rules
    }
    statement = sql.SQL("select run_id, row_no, column_name, rule, code from issues where dataset_id = {}").format(sql.Literal(contract.id))
    schema = {"run": pl.Int64, "row_no": pl.Int64, "column": pl.String, "rule": pl.String, "issue": pl.String}
    found = _copied(connection, statement, schema)
    places = pl.DataFrame(
        [(rule, name) for rule, names in across.items() for name in [*names, ""]], schema={"rule": pl.String, "at": pl.String}, orient="row"
    )
    found = found.join(places, on="rule", how="left").with_columns(pl.coalesce("column", "at", pl.lit("")).alias("property"))
    found = found.join(rows.select("register", "row", "run", "row_no"), on=["run", "row_no"], how="inner")
    return found.select(*CELL, "issue").unique()


def _counted(connection: Connection, contract: Contract, strays: pl.DataFrame, published: pl.DataFrame) -> tuple[int, int]:
    """Rows that are nobody's: how many are published as if they were somebody's, how many wait."""
    statement = sql.SQL("select run_id, row_no from quarantine where dataset_id = {}").format(sql.Literal(contract.id))
    held = _copied(connection, statement, {"run": pl.Int64, "row_no": pl.Int64})
    is_published = strays.join(published.select("run", "row_no"), on=["run", "row_no"], how="semi").height
    return is_published, strays.join(held, on=["run", "row_no"], how="semi").height


def _copied(connection: Connection, statement: sql.Composed, schema: Mapping[str, type[pl.DataType]]) -> pl.DataFrame:
    text = io.BytesIO()
    with connection.cursor() as cursor, cursor.copy(sql.SQL("copy ({}) to stdout (format csv)").format(statement)) as copy:
        for part in copy:
            text.write(part)
    if not text.tell():
        return pl.DataFrame(schema=dict(schema))
    text.seek(0)
    return pl.read_csv(text, has_header=False, schema=dict(schema))
