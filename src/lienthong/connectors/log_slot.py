"""A replication slot of an agency's PostgreSQL: made, looked at, moved on and dropped by SQL functions, with words for what stands in the way."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from lienthong.connectors.base import ReadContext
from lienthong.connectors.options import Options
from lienthong.connectors.pgoutput import parse_lsn, write_lsn
from lienthong.connectors.sql_options import SCHEMES, TLS, SqlOptions, said
from lienthong.connectors.sql_postgresql import SETTINGS, to_connect
from lienthong.connectors.variables import expand
from lienthong.contracts import Delivery, Source
from lienthong.errors import SourceError

CONNECT_SECONDS = 10
LONGEST_NAME = 63
IDENTITIES = {"d": "default", "n": "nothing", "f": "full", "i": "using index"}
Connection = psycopg.Connection[tuple[Any, ...]]


@dataclass(frozen=True)
class LogOptions:
    """`reading` is how the whole table is read first."""

    reading: SqlOptions
    slot: str
    publication: str
    max_changes: int

    @classmethod
    def take(cls, source: Source, context: ReadContext) -> LogOptions:
        options = Options.of(source, context)
        url = expand(source.location, context.variables)
        if SCHEMES.get(url.partition("://")[0]) != "postgresql":
            raise SourceError(f"Nguồn/source `{source.name}`: expected a location postgresql://…, found something else.")
        if source.delivery is not Delivery.CHANGES:
            raise SourceError(
                f"Nguồn/source `{source.name}`: connector `postgresql_log` needs `delivery: changes`, found `{source.delivery.value}`."
            )
        reading = SqlOptions(
            kind="postgresql", url=url, table=tuple(part for part in options.text("table").split(".") if part), query="",
            key=options.texts("key"), columns=options.texts("columns"), where="", cursor="", overlap=0,
            timeout_seconds=options.seconds("timeout_seconds", 0), tls=options.choice("tls", TLS, "off"), ca=options.text("ca"),
        )  # fmt: skip
        name = options.text("slot") or f"lienthong_{'_'.join(reading.table)}"
        taken = cls(reading, _slot_name(name), options.text("publication") or name, options.number("max_changes", 1_000_000, 1))
        options.close()
        reading.checked(source, options)
        return taken


def _slot_name(name: str) -> str:
    """A slot's name has small letters, digits and underlines only."""
    plain = "".join(sign if sign.isascii() and (sign.isalnum() or sign == "_") else "_" for sign in name.lower())
    return plain[:LONGEST_NAME]


@contextmanager
def connected(options: LogOptions) -> Iterator[Connection]:
    """A session that writes values as the whole reading does. Raises SourceError for whatever server or line say."""
    reading = options.reading
    reading.check_hosts()
    try:
        with psycopg.connect(
            to_connect(reading), autocommit=True, connect_timeout=CONNECT_SECONDS, application_name="lienthong"
        ) as connection:
            for statement in SETTINGS:
                if statement.startswith("set "):
                    connection.execute(statement.encode())
            connection.execute("select set_config('statement_timeout', %s, false)", (str(int(reading.timeout_seconds * 1000)),))
            yield connection
    except psycopg.Error as error:
        raise SourceError(
            f"`{reading.uri}`: không đọc được nhật ký / the log cannot be read: {said(error, {'password': reading.password})}.",
            hint="Is the server up, and has this account the attribute REPLICATION and the right to select from the table?",
        ) from error


@dataclass(frozen=True)
class SlotState:
    """`confirmed`: up to where all was taken. `behind_bytes`: how much log is kept for it. `state`: reserved, extended, unreserved or lost."""

    slot: str
    confirmed: int
    behind_bytes: int
    state: str
    is_busy: bool


def slot_state(connection: Connection, slot: str) -> SlotState | None:
    row = connection.execute(
        "select confirmed_flush_lsn::text, "
        "pg_wal_lsn_diff(case when pg_is_in_recovery() then pg_last_wal_replay_lsn() else pg_current_wal_lsn() end, restart_lsn)::bigint, "
        "wal_status, active from pg_replication_slots where slot_name = %s and database = current_database() and slot_type = 'logical'",
        (slot,),
    ).fetchone()
    return None if row is None else SlotState(slot, parse_lsn(row[0] or "0/0"), int(row[1] or 0), row[2] or "lost", bool(row[3]))


def usable_slot(connection: Connection, options: LogOptions) -> SlotState:
    """The slot. Raises SourceError where there is none, or what it should have kept is gone."""
    found = slot_state(connection, options.slot)
    again = "lienthong slot make DATASET --again, then lienthong run DATASET: the table is read whole again."
    if found is None:
        raise SourceError(
            f"`{options.reading.uri}`: chưa có khe nhân bản / there is no replication slot `{options.slot}`.",
            hint="Make it: lienthong slot make DATASET.",
        )
    if found.state == "lost":
        raise SourceError(f"`{options.reading.uri}`: khe/slot `{options.slot}`: nhật ký đã mất / the log it needs is gone.", hint=again)
    return found


def check_ready(connection: Connection, options: LogOptions) -> None:
    """Whether table, publication and replica identity are as reading needs them. Raises SourceError naming what to run, and by whom."""
    uri, table = options.reading.uri, sql.Identifier(*options.reading.table).as_string(None)
    level = connection.execute("show wal_level").fetchone()
    if level is None or level[0] != "logical":
        raise SourceError(
            f"`{uri}`: máy chủ chưa ghi nhật ký logic / the server does not write a logical log (wal_level = {level[0] if level else '?'}).",
            hint="Its administrator: alter system set wal_level = 'logical'; then restart it.",
        )
    found = connection.execute(
        "select c.oid, c.relkind, c.relreplident, coalesce(i.columns, '{}') from pg_class c join pg_namespace n on n.oid = c.relnamespace "
        "left join lateral (select array_agg(a.attname::text) as columns from pg_index x join pg_attribute a on a.attrelid = c.oid and a.attnum = any(x.indkey) "
        "where x.indrelid = c.oid and ((c.relreplident = 'd' and x.indisprimary) or (c.relreplident = 'i' and x.indisreplident))) i on true "
        "where n.nspname = %s and c.relname = %s",
        options.reading.table,
    ).fetchone()
    if found is None or found[1] not in ("r", "p"):
        raise SourceError(f"`{uri}`: không có bảng / there is no table `{options.reading.named}` (a view has no log).")
    _, kind, identity, columns = found
    without = [name for name in options.reading.key if name not in columns]
    if identity != "f" and without:
        raise SourceError(
            f"`{uri}`: dòng xóa hoặc sửa không cho biết / a deleted or changed row does not tell {', '.join(f'`{name}`' for name in without)} "
            f"(replica identity {IDENTITIES[identity]}).",
            hint=f"The table's owner: alter table {table} replica identity full; or name as `key` what identifies a row: {', '.join(columns) or 'nothing'}.",
        )
    published = connection.execute(
        "select p.pubinsert and p.pubupdate and p.pubdelete and p.pubtruncate, p.pubviaroot from pg_publication p "
        "join pg_publication_tables t on t.pubname = p.pubname where p.pubname = %s and t.schemaname = %s and t.tablename = %s",
        (options.publication, *options.reading.table),
    ).fetchone()
    via_root = " with (publish_via_partition_root = true)" if kind == "p" else ""
    make = f"create publication {sql.Identifier(options.publication).as_string(None)} for table {table}{via_root}"
    if published is None:
        raise SourceError(
            f"`{uri}`: chưa công bố thay đổi của bảng / the table is in no publication `{options.publication}`.",
            hint=f"The table's owner: {make};",
        )
    if not published[0] or (kind == "p" and not published[1]):
        raise SourceError(
            f"`{uri}`: công bố/publication `{options.publication}` bỏ bớt thay đổi / leaves out changes.",
            hint=f"The table's owner: drop publication {sql.Identifier(options.publication).as_string(None)}; {make};",
        )


def make_slot(options: LogOptions, *, again: bool = False) -> SlotState:
    """Make the slot; `again`: drop the one that is there. The server keeps its log from here on. Raises SourceError."""
    with connected(options) as connection:
        check_ready(connection, options)
        there = slot_state(connection, options.slot)
        if there is not None and not again:
            raise SourceError(
                f"`{options.reading.uri}`: đã có khe/there is a slot `{options.slot}` already.",
                hint="--again makes it anew; the table is then read whole.",
            )
        if there is not None:
            connection.execute("select pg_drop_replication_slot(%s)", (options.slot,))
        connection.execute("select pg_create_logical_replication_slot(%s, 'pgoutput')", (options.slot,))
        return usable_slot(connection, options)


def drop_slot(options: LogOptions) -> bool:
    """Drop the slot, so that the server need keep no log for it; False when there was none."""
    with connected(options) as connection:
        if slot_state(connection, options.slot) is None:
            return False
        connection.execute("select pg_drop_replication_slot(%s)", (options.slot,))
        return True


def advance_slot(options: LogOptions, upto: int) -> None:
    """Let the server forget its log up to a place; one it has forgotten already does no harm."""
    with connected(options) as connection:
        if usable_slot(connection, options).confirmed < upto:
            connection.execute("select pg_replication_slot_advance(%s, %s::pg_lsn)", (options.slot, write_lsn(upto)))
