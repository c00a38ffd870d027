"""What changed in a table of an agency's PostgreSQL, from its log: read through a replication slot by SQL functions (ADR 35).

The first reading is the whole table, in one snapshot; later ones give what transactions since then did, in the order they were committed, deletions among
it. The slot is only looked at; it moves on when what was given is published (`settle`), so nothing is lost when we are killed. What the
whole reading saw already is told by the snapshot's own list of transactions, so no row goes back in time.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import Any

import pyarrow as pa
from psycopg import sql

from lienthong.connectors.base import Batch, Position, ReadContext, SourceFile, row_numbers
from lienthong.connectors.log_slot import Connection, LogOptions, advance_slot, check_ready, connected, usable_slot
from lienthong.connectors.pgoutput import (
    Begin,
    Commit,
    Relation,
    RowChange,
    Seen,
    Truncate,
    Unchanged,
    Value,
    as_cast,
    parse_lsn,
    read_message,
    write_lsn,
)
from lienthong.connectors.sql_postgresql import talk_postgresql
from lienthong.connectors.sql_reading import read_talk
from lienthong.connectors.steps import Step, stage
from lienthong.contracts import Source
from lienthong.errors import SourceError
from lienthong.log import get_logger

log = get_logger("postgresql_log")
ROWS_AT_A_TIME = 5_000
KEYS_AT_A_TIME = 500
Row = tuple[tuple[str | None, ...], bool]


class PostgresqlLog:
    """Connector `postgresql_log`. Options: `table`, `key`, `columns`, `slot`, `publication`, `max_changes`, `timeout_seconds`, `tls`, `ca`."""

    def fingerprint(self, source: Source, context: ReadContext) -> str | None:
        del source, context
        return None  # it is never the same

    def probe(self, source: Source, context: ReadContext) -> Iterator[Step]:
        """Whether log, publication and slot are there, and the first rows; nothing is taken."""
        options = LogOptions.take(source, context)
        yield stage("variables")
        with connected(options) as connection:
            yield stage("signed_in")
            check_ready(connection, options)
            yield Step(
                True, "Bảng đã được công bố, dòng xóa và sửa nhận ra được", "the table is published, deleted and changed rows are known"
            )
            state = usable_slot(connection, options)
            kept = f"{state.behind_bytes:,}"
            yield Step(
                True, f"Có khe `{state.slot}`, giữ {kept} byte nhật ký", f"slot `{state.slot}` is there and keeps {kept} bytes of log"
            )
        first = _read_whole(options, 100, None)
        names = ", ".join(f"`{name}`" for name in next(first).table.column_names)
        first.close()
        yield Step(True, f"Đọc được các cột: {names}", f"read columns: {names}")

    def resumes(self, source: Source, context: ReadContext, after: Position) -> bool:
        """Not when the slot was made anew or moved on by somebody else, or the table is another one now: then the whole is read again."""
        options = LogOptions.take(source, context)
        with connected(options) as connection:
            return usable_slot(connection, options).confirmed <= parse_lsn(after["lsn"]) and after["table"] == _table_id(
                connection, options
            )

    def settle(self, source: Source, context: ReadContext, after: Position) -> None:
        if "whole" not in after:
            advance_slot(LogOptions.take(source, context), parse_lsn(after["lsn"]))

    def read(self, source: Source, context: ReadContext, after: Position | None = None) -> Iterator[Batch]:
        options = LogOptions.take(source, context)
        if after is None or "whole" in after:
            yield from _read_whole(options, context.batch_rows, after)
        else:
            with connected(options) as connection:
                yield from _LogReading(options, connection, context.batch_rows, after).batches()


def _table_id(connection: Connection, options: LogOptions) -> int:
    found = connection.execute("select to_regclass(%s)::oid", (sql.Identifier(*options.reading.table).as_string(None),)).fetchone()
    return 0 if found is None or found[0] is None else int(found[0])


def _read_whole(options: LogOptions, batch_rows: int, after: Position | None) -> Generator[Batch, None, None]:
    """The whole table as one snapshot has it. Cut off, the rest is read in a newer one; changes are then given from the first one on."""
    with connected(options) as connection:
        check_ready(connection, options)
        begins = usable_slot(connection, options).confirmed
        table = _table_id(connection, options)
    with talk_postgresql(options.reading) as talk:
        seen = talk.one("select pg_current_snapshot()::text") or ""
        until = talk.one("select (case when pg_is_in_recovery() then pg_last_wal_replay_lsn() else pg_current_wal_insert_lsn() end)::text")
        place = {"lsn": write_lsn(begins), "table": table, "seen": seen, "until": until} if after is None else {**after, "until": until}
        inner = None if after is None else after["whole"]
        row = 0
        for batch in read_talk(talk, options.reading, batch_rows, inner):
            row = int(batch.position["row"])
            yield replace(batch, position={**place, "whole": dict(batch.position)})
        place.pop("whole", None)
        yield Batch(SourceFile(options.reading.uri), batch.table.slice(0, 0), row_numbers(row + 1, 0), place)


@dataclass
class _Place:
    """How far reading has come: whole transactions up to `lsn`, and of the one committed at `at` the first `given` changes."""

    lsn: int
    at: int = 0
    given: int = 0

    def position(self, kept: Mapping[str, Any]) -> dict[str, Any]:
        part = {"at": write_lsn(self.at), "given": self.given} if self.given else {}
        return {**kept, "lsn": write_lsn(self.lsn), **part}


@dataclass
class _LogReading:
    options: LogOptions
    connection: Connection
    batch_rows: int
    after: Position
    _relations: dict[int, Relation] = field(default_factory=dict)
    _waiting: list[tuple[tuple[Value, ...], bool]] = field(default_factory=list)
    _row: int = 0

    def batches(self) -> Iterator[Batch]:
        usable_slot(self.connection, self.options)
        check_ready(self.connection, self.options)
        self._table = _table_id(self.connection, self.options)
        kept = {"table": self._table}
        until = parse_lsn(self.after["until"]) if "until" in self.after else 0
        seen = Seen.of(self.after["seen"]) if until else None
        here = self.connection.execute(
            "select (case when pg_is_in_recovery() then pg_last_wal_replay_lsn() else pg_current_wal_flush_lsn() end)::text"
        ).fetchone()
        upto = parse_lsn(here[0]) if here else 0
        if until:  # what the whole reading saw must not be overtaken by half of what led to it
            kept |= {"seen": self.after["seen"], "until": self.after["until"]}
        place = _Place(parse_lsn(self.after["lsn"]), parse_lsn(self.after.get("at", "0/0")), int(self.after.get("given", 0)))
        columns: tuple[str, ...] = ()
        change_no, is_passed, messages = 0, False, 0
        reached, given, skip_to = place.at, place.given, 0
        with closing(self._messages(upto, 0 if until else self.options.max_changes)) as found:
            for data in found:
                messages += 1
                message = self._read(data)
                if isinstance(message, Begin):
                    change_no = 0
                    is_passed = message.at < place.lsn or (seen is not None and seen.has(message.xid))
                    skip_to = given if message.at == reached else 0
                    place = _Place(place.lsn, message.at, skip_to)
                elif isinstance(message, Commit):
                    place = _Place(max(place.lsn, message.end))
                elif isinstance(message, Relation):
                    before = self._relations.get(message.id)
                    if message.id == self._table and (before is None or before.columns != message.columns):
                        if self._waiting:
                            yield self._flush(columns, place.position(kept))
                        columns = self._meet(message, columns)
                    self._relations[message.id] = message
                elif isinstance(message, Truncate):
                    if self._table in message.relations and not is_passed:
                        self._refuse_truncate(place)
                elif isinstance(message, RowChange) and message.relation == self._table:
                    change_no += 1
                    if is_passed or change_no <= skip_to:
                        continue
                    self._take(message)
                    place.given = change_no
                    if len(self._waiting) >= self.batch_rows - 1:  # a change of the key is two rows
                        yield self._flush(columns, place.position(kept))
        is_all = bool(until) or messages < self.options.max_changes
        if is_all:
            place = _Place(max(place.lsn, upto))
            kept = {"table": self._table}
        else:
            log.info("log_goes_on", source=self.options.reading.uri, messages=messages)
        yield self._flush(columns or self.options.reading.columns or self._all_columns(), place.position(kept))

    def _messages(self, upto: int, most: int) -> Generator[bytes, None, None]:
        """The messages the slot keeps, looked at and not taken; the server holds them on its disk, we a few at a time."""
        query = "select data from pg_logical_slot_peek_binary_changes(%s, %s::pg_lsn, %s, 'proto_version', '1', 'publication_names', %s)"
        names = '"' + self.options.publication.replace('"', '""') + '"'
        with self.connection.transaction(), self.connection.cursor("lienthong_log", binary=True) as cursor:
            cursor.itersize = ROWS_AT_A_TIME
            cursor.execute(query, (self.options.slot, write_lsn(upto), most or None, names))
            for (data,) in cursor:
                yield data

    def _read(self, data: bytes) -> object:
        try:
            return read_message(bytes(data))
        except ValueError as error:
            raise SourceError(f"`{self.options.reading.uri}`: không hiểu nhật ký / the log is not understood: {error}.") from error

    def _columns(self, relation: Relation) -> tuple[str, ...]:
        return self.options.reading.columns or relation.columns

    def _meet(self, relation: Relation, before: tuple[str, ...]) -> tuple[str, ...]:
        """The columns from here on; a change of them is told."""
        wanted = self._columns(relation)
        missing = [name for name in (*wanted, *self.options.reading.key) if name not in relation.columns]
        if missing:
            raise SourceError(
                f"`{self.options.reading.uri}`: bảng không còn cột / the table no longer has the column {', '.join(f'`{name}`' for name in missing)}.",
                hint=f"It has: {', '.join(relation.columns)}. Name its columns in the contract anew; the log goes on from here.",
            )
        if before:
            log.warning(
                "source_columns_changed", source=self.options.reading.uri, added=sorted(set(wanted) - set(before)),
                dropped=sorted(set(before) - set(wanted)),
            )  # fmt: skip
        return wanted

    def _refuse_truncate(self, place: _Place) -> None:
        raise SourceError(
            f"`{self.options.reading.uri}`: bảng đã bị làm rỗng / the table was emptied (TRUNCATE) after {write_lsn(place.lsn)}: every record would end.",
            hint="If it was meant: lienthong slot make DATASET --again, then lienthong run DATASET reads the table whole, and bounds of `expect` hold.",
        )

    def _take(self, change: RowChange) -> None:
        relation = self._relations[change.relation]
        old = None if change.old is None else self._named(relation, change.old)
        if change.new is None:
            self._add(relation, old or {}, is_ended=True)
            return
        new = self._named(relation, change.new)
        if old is not None:
            if relation.identity == "f":
                new = {name: old[name] if value is Unchanged.VALUE else value for name, value in new.items()}
            if any(old[name] != new[name] for name in self.options.reading.key):
                self._add(relation, old, is_ended=True)
        self._add(relation, new, is_ended=False)

    def _named(self, relation: Relation, values: Sequence[Value]) -> dict[str, Value]:
        kinds = zip(relation.columns, relation.types, values, strict=True)
        return {name: as_cast(value, kind) if isinstance(value, str) else value for name, kind, value in kinds}

    def _add(self, relation: Relation, values: Mapping[str, Value], *, is_ended: bool) -> None:
        self._waiting.append((tuple(values[name] for name in self._columns(relation)), is_ended))

    def _flush(self, columns: Sequence[str], position: Position) -> Batch:
        rows = self._with_long_values(columns)
        self._waiting = []
        turned = list(zip(*(values for values, _ in rows), strict=True)) if rows else [()] * len(columns)
        table = pa.Table.from_arrays([pa.array(column, pa.string()) for column in turned], names=list(columns))
        numbers = row_numbers(self._row + 1, len(rows))
        self._row += len(rows)
        ended = pa.array([is_ended for _, is_ended in rows], pa.bool_())
        return Batch(SourceFile(self.options.reading.uri), table, numbers, position, ended=ended)

    def _with_long_values(self, columns: Sequence[str]) -> list[Row]:
        """Rows whole. Long values the log did not repeat are read from the table as it is now: what changed them since comes later in the log.

        A row that is there no more is left out, for its end comes too.
        """
        lacking = [values for values, is_ended in self._waiting if not is_ended and Unchanged.VALUE in values]
        if not lacking:
            return [(_texts(values), is_ended) for values, is_ended in self._waiting]
        places = [columns.index(name) for name in self.options.reading.key]
        now = self._rows_now(columns, {tuple(str(values[place]) for place in places) for values in lacking})
        whole: list[Row] = []
        for values, is_ended in self._waiting:
            if not is_ended and Unchanged.VALUE in values:
                fresh = now.get(tuple(str(values[place]) for place in places))
                if fresh is not None:
                    pairs = zip(values, fresh, strict=True)
                    whole.append((tuple(new if value is Unchanged.VALUE else _text(value) for value, new in pairs), False))
            else:
                whole.append((_texts(values), is_ended))
        return whole

    def _rows_now(self, columns: Sequence[str], keys: set[tuple[str, ...]]) -> dict[tuple[str, ...], tuple[str | None, ...]]:
        names = self.options.reading.key
        shown = sql.SQL(", ").join(sql.SQL("{}::text").format(sql.Identifier(name)) for name in (*columns, *names))
        found: dict[tuple[str, ...], tuple[str | None, ...]] = {}
        ordered = sorted(keys)
        with connected(self.options) as beside:  # the session that reads the log is in the middle of it
            for begin in range(0, len(ordered), KEYS_AT_A_TIME):
                part = ordered[begin : begin + KEYS_AT_A_TIME]
                literal = sql.SQL(", ").join(sql.SQL("({})").format(sql.SQL(", ").join(map(sql.Literal, key))) for key in part)
                query = sql.SQL("select {} from {} where ({}) in ({})").format(
                    shown, sql.Identifier(*self.options.reading.table), sql.SQL(", ").join(map(sql.Identifier, names)), literal
                )
                for row in beside.execute(query):
                    found[tuple(str(value) for value in row[len(columns) :])] = row[: len(columns)]
        return found

    def _all_columns(self) -> tuple[str, ...]:
        rows = self.connection.execute(
            "select attname::text from pg_attribute where attrelid = %s::oid and attnum > 0 and not attisdropped order by attnum",
            (self._table,),
        )
        return tuple(str(row[0]) for row in rows)


def _text(value: Value) -> str | None:
    return None if isinstance(value, Unchanged) else value


def _texts(values: Sequence[Value]) -> tuple[str | None, ...]:
    """Of an ended row's old values some may not be told; they do not matter."""
    return tuple(map(_text, values))
