"""The typed tables of a dataset, made from its contract and carried forward when the contract changes.

Forward only: a change that would lose data is refused, named, and left to a person.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl
import pyarrow as pa
from psycopg import sql

from lienthong.contracts import Contract, Layer, Property
from lienthong.errors import UnsafeMigration
from lienthong.store.database import Connection

SQL_TYPES = {
    "string": "text",
    "integer": "bigint",
    "number": "double precision",
    "boolean": "boolean",
    "date": "date",
    "timestamp": "timestamp with time zone",
}
POLARS_TYPES: dict[str, pl.DataType] = {
    "string": pl.String(),
    "integer": pl.Int64(),
    "number": pl.Float64(),
    "boolean": pl.Boolean(),
    "date": pl.Date(),
    "timestamp": pl.Datetime("us", "UTC"),
}
ARROW_TYPES = {
    "string": pa.string(),
    "integer": pa.int64(),
    "number": pa.float64(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us", "UTC"),
}
WIDENINGS = {("bigint", "double precision")}


@dataclass(frozen=True)
class Applied:
    """What applying a contract did: `created`, `migrated` (with the columns added or widened) or `unchanged`."""

    dataset_id: str
    outcome: str
    added: tuple[str, ...] = ()
    widened: tuple[str, ...] = ()


def table_name(dataset_id: str) -> str:
    """The dataset's table in schema `data`: `land.parcels` → `land_parcels`."""
    return dataset_id.replace(".", "_").replace("-", "_")


def current(dataset_id: str) -> sql.Identifier:
    return sql.Identifier("data", table_name(dataset_id))


def history(dataset_id: str) -> sql.Identifier:
    return sql.Identifier("data", table_name(dataset_id) + "_history")


def changes(dataset_id: str) -> sql.Identifier:
    return sql.Identifier("data", table_name(dataset_id) + "_changes")


def key_name(dataset_id: str) -> sql.Identifier:
    return sql.Identifier(table_name(dataset_id) + "_pk")


def columns_of(contract: Contract) -> sql.Composed:
    """The contract's columns, comma-joined, as they stand in every table of the dataset."""
    return sql.SQL(", ").join(sql.Identifier(p.name) for p in contract.properties)


def apply_tables(connection: Connection, contract: Contract) -> Applied:
    """Create or migrate the dataset's tables and remember the contract. The caller commits, with the ledger entry.

    Raises UnsafeMigration naming the column, what is there and what the contract asks.
    """
    connection.execute("select pg_advisory_xact_lock(hashtext(%s))", (f"apply {contract.id}",))
    row = connection.execute("select contract_digest from datasets where dataset_id = %s", (contract.id,)).fetchone()
    if row is None:
        _create(connection, contract)
        _keep_boxes(connection, contract)
        _remember(connection, contract)
        return Applied(contract.id, "created")
    added, widened = _migrate(connection, contract)
    _keep_boxes(connection, contract)
    changed = row[0] != contract.digest
    _remember(connection, contract)
    return Applied(contract.id, "migrated" if changed or added or widened else "unchanged", added, widened)


def is_unpublished(connection: Connection, dataset_id: str) -> bool:
    """Whether no version of the dataset was ever published."""
    row = connection.execute("select current_version = 0 from datasets where dataset_id = %s", (dataset_id,)).fetchone()
    return row is not None and bool(row[0])


def _create(connection: Connection, contract: Contract) -> None:
    own = sql.SQL(",\n    ").join(_column(p) for p in contract.properties)
    connection.execute(
        sql.SQL(
            "create table {current} (_key text not null, _digest bigint not null, _version integer not null,"
            " _row bigint not null, _valid_from date not null, {own}, constraint {key} primary key (_key))"
        ).format(current=current(contract.id), own=own, key=key_name(contract.id))
    )
    connection.execute(
        sql.SQL(
            "create table {history} (_key text not null, _digest bigint not null, _version integer not null,"
            " _row bigint not null, _valid_from date not null, {own}, _valid_to date, _version_to integer, _ended boolean not null)"
        ).format(history=history(contract.id), own=own)
    )
    name = table_name(contract.id)
    connection.execute(
        sql.SQL("create index {} on {} (_key, _version)").format(sql.Identifier(name + "_history_key"), history(contract.id))
    )
    connection.execute(sql.SQL("create index {} on {} (_version_to)").format(sql.Identifier(name + "_history_until"), history(contract.id)))
    connection.execute(
        sql.SQL(
            "create table {changes} (version integer not null, seq bigint generated always as identity, key text not null,"
            " op \"char\" not null constraint {known} check (op in ('i', 'u', 'e')), constraint {key} primary key (version, key))"
        ).format(changes=changes(contract.id), known=sql.Identifier(name + "_op_known"), key=sql.Identifier(name + "_changes_pk"))
    )
    if contract.layer is Layer.CODE_LIST:
        _forbid_overlaps(connection, contract)


def box_column(name: str) -> str:
    """The column with the box around a geometry, which the database keeps."""
    return f"_{name}_box"


def box_index(dataset_id: str, name: str) -> sql.Identifier:
    return sql.Identifier("data", f"{table_name(dataset_id)}_{name}_box")


def shapes_of(contract: Contract) -> tuple[str, ...]:
    """The properties that hold GeoJSON."""
    return tuple(p.name for p in contract.properties if p.standard == "geometry")


def index_boxes(connection: Connection, contract: Contract) -> None:
    """Find rows by where they are: an index of boxes for each geometry."""
    for name in shapes_of(contract):
        statement = sql.SQL("create index if not exists {} on {} using gist ({})")
        index = sql.Identifier(f"{table_name(contract.id)}_{name}_box")
        connection.execute(statement.format(index, current(contract.id), sql.Identifier(box_column(name))))


def drop_box_indexes(connection: Connection, contract: Contract) -> None:
    """For the time of a first fill: one made after it costs a fraction of one kept row by row."""
    for name in shapes_of(contract):
        connection.execute(sql.SQL("drop index if exists {}").format(box_index(contract.id, name)))


def _keep_boxes(connection: Connection, contract: Contract) -> None:
    statement = sql.SQL("alter table {} add column if not exists {} box generated always as (lienthong.geojson_box({})) stored")
    for name in shapes_of(contract):
        for table in (current(contract.id), history(contract.id)):
            connection.execute(statement.format(table, sql.Identifier(box_column(name)), sql.Identifier(name)))
    index_boxes(connection, contract)


def _forbid_overlaps(connection: Connection, contract: Contract) -> None:
    """Let the database itself keep a small dataset's history free of overlaps; on big tables this costs 11–20 × (measured)."""
    with_extension = connection.execute("select 1 from pg_available_extensions where name = 'btree_gist'").fetchone()
    may_create = connection.execute("select has_database_privilege(current_database(), 'create')").fetchone()
    if with_extension is None or may_create is None or not may_create[0]:
        return  # `lienthong check` proves the same rule afterwards
    connection.execute("create extension if not exists btree_gist with schema public")
    connection.execute(
        sql.SQL(
            "alter table {history} add constraint {name} exclude using gist (_key with =,"
            " daterange(_valid_from, _valid_to) with &&, int4range(_version, _version_to) with &&)"
        ).format(history=history(contract.id), name=sql.Identifier(table_name(contract.id) + "_no_overlap"))
    )


def _column(p: Property) -> sql.Composed:
    return sql.SQL("{} {}").format(sql.Identifier(p.name), sql.SQL(SQL_TYPES[p.logical_type]))


@dataclass(frozen=True)
class Migration:
    """What the tables of a dataset need to be those of a contract. `dropped`: columns without a value."""

    is_new: bool
    added: Mapping[str, str] = field(default_factory=dict)
    widened: Mapping[str, str] = field(default_factory=dict)
    dropped: tuple[str, ...] = ()


def migration_of(connection: Connection, contract: Contract) -> Migration:
    """What applying a contract would do; nothing is done. Raises UnsafeMigration as applying does."""
    if connection.execute("select 1 from datasets where dataset_id = %s", (contract.id,)).fetchone() is None:
        return Migration(is_new=True)
    there: dict[str, str] = dict(
        connection.execute(
            "select column_name, data_type from information_schema.columns"
            " where table_schema = 'data' and table_name = %s and column_name not like '\\_%%' order by ordinal_position",
            (table_name(contract.id),),
        ).fetchall()
    )
    wanted = {p.name: SQL_TYPES[p.logical_type] for p in contract.properties}
    dropped = _unwanted(connection, contract, there, wanted)
    _refuse_new_key(connection, contract)
    added, widened = {}, {}
    for name, kind in wanted.items():
        if name not in there:
            added[name] = kind
        elif there[name] != kind:
            if (there[name], kind) not in WIDENINGS:
                raise UnsafeMigration(
                    f"`{contract.id}`, column `{name}`: the table holds {there[name]}, the contract now asks {kind}.",
                    hint="Keep the old column and add a new one under another name.",
                )
            widened[name] = kind
    return Migration(is_new=False, added=added, widened=widened, dropped=dropped)


def _migrate(connection: Connection, contract: Contract) -> tuple[tuple[str, ...], tuple[str, ...]]:
    found = migration_of(connection, contract)
    for name in found.dropped:
        for table in (current(contract.id), history(contract.id)):
            connection.execute(sql.SQL("alter table {} drop column if exists {}").format(table, sql.Identifier(box_column(name))))
            connection.execute(sql.SQL("alter table {} drop column {}").format(table, sql.Identifier(name)))
    for name, kind in found.added.items():
        _alter(connection, contract, sql.SQL("add column {} {}"), name, kind)
    for name, kind in found.widened.items():
        _alter(connection, contract, sql.SQL("alter column {} type {}"), name, kind)
    return tuple(found.added), tuple(found.widened)


def keep_retired(connection: Connection, contract: Contract, columns: Sequence[str], notice: int) -> None:
    """What fields said last that a contract no longer has: later versions of their rows are written without them."""
    there = {row[0] for row in connection.execute("select attname::text from pg_attribute where attrelid = to_regclass(%s) and attnum > 0 and not attisdropped", (current(contract.id).as_string(connection),)).fetchall()}  # fmt: skip
    kept = [name for name in columns if name in there]
    if kept:
        connection.execute(
            sql.SQL("create table {} as select _key, _version, _valid_from, {} from {}").format(
                sql.Identifier("data", f"{table_name(contract.id)}_retired_{notice}"),
                sql.SQL(", ").join(map(sql.Identifier, kept)),
                current(contract.id),
            )
        )


def _alter(connection: Connection, contract: Contract, change: sql.SQL, name: str, kind: str) -> None:
    for table in (current(contract.id), history(contract.id)):
        clause = change.format(sql.Identifier(name), sql.SQL(kind))
        connection.execute(sql.SQL("alter table {} {}").format(table, clause))


def _unwanted(connection: Connection, contract: Contract, there: Mapping[str, str], wanted: Mapping[str, str]) -> tuple[str, ...]:
    """Columns the contract no longer has and nothing is in. Those a notice took out of it stay, as history; another that holds values is refused."""
    retired = {
        row[0]
        for row in connection.execute(
            "select unnest(case when state = 'withdrawn' then leaves else retires end) from contract_notices where dataset_id = %s",
            (contract.id,),
        ).fetchall()
    }
    unwanted = [name for name in there if name not in wanted and name not in retired]
    for name in unwanted:
        for table in (current(contract.id), history(contract.id)):
            held = connection.execute(
                sql.SQL("select 1 from {} where {} is not null limit 1").format(table, sql.Identifier(name))
            ).fetchone()
            if held is not None:
                raise UnsafeMigration(
                    f"`{contract.id}`: the contract no longer has column `{name}`, but the table holds values in it.",
                    hint="Give notice of it (lienthong contract apply --notice), keep the column in the contract, or export and clear it first.",
                )
    return tuple(unwanted)


def _refuse_new_key(connection: Connection, contract: Contract) -> None:
    row = connection.execute(
        "select contract -> 'schema' -> 0 -> 'properties', current_version from datasets where dataset_id = %s", (contract.id,)
    ).fetchone()
    if row is None or row[1] == 0:
        return
    keyed = sorted((p for p in row[0] if p.get("primaryKey")), key=lambda p: p.get("primaryKeyPosition", 1))
    before = [p["name"] for p in keyed]
    now = [p.name for p in contract.key]
    if before != now:
        raise UnsafeMigration(
            f"`{contract.id}`: the key is {before}, the contract now asks {now}, and versions are published under the old key.",
            hint="A dataset with another key is another dataset: give it a new id.",
        )


def _remember(connection: Connection, contract: Contract) -> None:
    values = {
        "id": contract.id,
        "table": table_name(contract.id),
        "version": contract.version,
        "digest": contract.digest,
        "contract": json.dumps(contract.document, ensure_ascii=False, default=str),
    }
    connection.execute(
        "insert into datasets (dataset_id, table_name, contract_version, contract_digest, contract)"
        " values (%(id)s, %(table)s, %(version)s, %(digest)s, %(contract)s)"
        " on conflict (dataset_id) do update set contract_version = excluded.contract_version,"
        " contract_digest = excluded.contract_digest, contract = excluded.contract, applied_at = now()"
        " where datasets.contract is distinct from excluded.contract",
        values,
    )
    connection.execute(
        "insert into contract_history (dataset_id, contract_version, contract_digest, contract)"
        " values (%(id)s, %(version)s, %(digest)s, %(contract)s) on conflict do nothing",
        values,
    )
