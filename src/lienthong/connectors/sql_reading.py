"""Reads a table or query in the order of its key, whole or from what its cursor column had grown to; the same for every database.

A position is a key, so it stays true while the source lives on. Rows that lack a value to order them by come first: they too must reach
quarantine. By cursor, a reading takes all rows that have grown since the last one, with an overlap for transactions that were still open
then and for clocks that go wrong, and each time those without a cursor.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lienthong.connectors.base import Batch, Position, SourceFile, row_numbers
from lienthong.connectors.broken import broken_row
from lienthong.connectors.sql_options import Reached, SqlOptions, is_end
from lienthong.connectors.sql_sources import Described, SqlDialect, Statements
from lienthong.errors import SourceError
from lienthong.log import get_logger

log = get_logger("sql_source")
TIMES = ("date", "datetime", "instant", "moment")
CURSORS = (*TIMES, "number")


class Talk(Protocol):
    """One read-only conversation with a database that sees one state of it, where the database can."""

    dialect: SqlDialect

    def described(self) -> Sequence[Described]:
        """The columns of the table or query; none when there is no such table."""
        ...

    def origin(self) -> str:
        """What stands behind `from`."""
        ...

    def is_unique(self, key: Sequence[str]) -> bool:
        """Whether no two rows can share the key."""
        ...

    def tie_break(self) -> str:
        """What orders rows that share a key, in a word of the database; empty: their columns do."""
        ...

    def one(self, statement: str) -> str | None:
        """The one value of a statement, as text."""
        ...

    def now(self, kind: str) -> str:
        """The server's time as texts of that kind of column."""
        ...

    def stream(self, statement: str, columns: int, rows: int) -> Iterator[pa.Table]:
        """The rows as columns of text, up to `rows` at a time, not held in memory. Raises NotOneText when rows that came as one text cannot be parted."""
        ...


class NotOneText(Exception):
    """A value holds the sign that parts values: from here on each value is fetched by itself."""


def read_talk(talk: Talk, options: SqlOptions, batch_rows: int, after: Position | None) -> Iterator[Batch]:
    """All batches of one reading. By cursor the last one is empty: its position is where the next reading begins."""
    statements = _statements(talk, options)
    reached = _begin(talk, statements, options, after)
    if reached.begins is None:  # the whole is read by its key: a row that grows meanwhile must not come twice
        statements = replace(statements, order=statements.order[-len(options.key) :])
    yield from _Reading(talk, statements, options, batch_rows).batches(reached)


def _statements(talk: Talk, options: SqlOptions) -> Statements:
    described = {column.name: column for column in talk.described()}
    if not described:
        raise SourceError(f"`{options.uri}`: không có bảng / has no table `{options.named}`, or this account may not see it.")
    shown = options.columns or tuple(described)
    order = (*([options.cursor] if options.cursor else []), *options.key)
    missing = [name for name in dict.fromkeys((*shown, *order)) if name not in described]
    if missing:
        raise SourceError(f"`{options.uri}`: không có cột / has no column {', '.join(missing)}; it has {', '.join(described)}.")
    cursor = described[options.cursor] if options.cursor else None
    if cursor is not None and cursor.kind not in CURSORS:
        raise SourceError(
            f"`{options.uri}`: cột/column `{cursor.name}` ({cursor.type}) không dùng làm con trỏ được / cannot be a cursor.",
            hint="A cursor is a number or a time that grows with every change of a row.",
        )
    return Statements(
        dialect=talk.dialect,
        origin=talk.origin(),
        shown=[described[name] for name in shown],
        order=[described[name] for name in order],
        is_unique=talk.is_unique(options.key),
        where=options.where,
        tie_break=talk.tie_break(),
        cursor=cursor,
    )


def _begin(talk: Talk, statements: Statements, options: SqlOptions, after: Position | None) -> Reached:
    if after is not None and not is_end(after):
        return Reached.of(after)
    if statements.cursor is None:
        return Reached()
    since = talk.one(statements.highest())
    if since is not None and statements.cursor.kind in TIMES:
        since = min(since, talk.now(statements.cursor.kind))  # a clock that runs ahead must not make us pass over what comes
    if after is None:
        return Reached(since=since)
    before = after["since"]
    begins = None if before is None else back(str(before), statements.cursor.kind, options.overlap)
    return Reached(since=since if since is not None else before, begins=begins)


def back(value: str, kind: str, overlap: float) -> str:
    """So much before a value of the cursor: seconds of a time, the number itself of a number; a date goes back whole days."""
    if kind == "number":
        return str(Decimal(value) - Decimal(str(overlap)))
    if kind == "date":
        return str(date.fromisoformat(value[:10]) - timedelta(days=math.ceil(overlap / 86_400)))
    then = datetime.fromisoformat(value.removesuffix("+00")) - timedelta(seconds=overlap)
    return then.isoformat(" ", "microseconds") + ("+00" if kind == "instant" else "")


def without_nul(batch: Batch) -> Batch:
    """The batch with rows that hold a NUL among the broken ones: PostgreSQL cannot keep it."""
    held = [column for column in batch.table.columns if any(map(_has_nul, column.chunks))]
    if not held:
        return batch
    marks = [pc.fill_null(pc.match_substring(column, "\0"), False) for column in held]
    bad = marks[0]
    for more in marks[1:]:
        bad = pc.or_(bad, more)
    rows, numbers = batch.table.filter(bad).to_pylist(), batch.source_rows.filter(bad.combine_chunks()).to_pylist()
    broken = tuple(broken_row(n, json.dumps(row, ensure_ascii=False), "row.nul") for n, row in zip(numbers, rows, strict=True))
    good = pc.invert(bad)
    return replace(batch, table=batch.table.filter(good), source_rows=batch.source_rows.filter(good.combine_chunks()), broken=broken)


def _has_nul(texts: pa.Array) -> bool:
    """Whether a byte among the texts is nothing: one look at all of them, a hundredth of asking text by text (measured)."""
    _, offsets, held = texts.buffers()
    if held is None or not len(texts):
        return False
    begin, end = np.frombuffer(offsets, np.int32)[[texts.offset, texts.offset + len(texts)]]
    return begin < end and not np.frombuffer(held, np.uint8)[begin:end].min()


class _Reading:
    def __init__(self, talk: Talk, statements: Statements, options: SqlOptions, batch_rows: int) -> None:
        self._talk = talk
        self._statements = statements
        self._names = [column.name for column in statements.shown]
        self._batch_rows = batch_rows
        self._file = SourceFile(uri=options.uri)

    def batches(self, reached: Reached) -> Iterator[Batch]:
        any_batch = False
        for batch, place in self._all(reached):
            any_batch, reached = True, place
            yield batch
        if self._statements.cursor is not None:
            yield self._empty({"since": reached.since, "row": reached.row})
        elif not any_batch:
            yield self._empty(reached.position())

    def _all(self, reached: Reached) -> Iterator[tuple[Batch, Reached]]:
        try:
            for batch, place in self._from(reached):
                reached = place
                yield batch, place
        except NotOneText:
            self._statements = replace(self._statements, is_one=False)
            yield from self._from(reached)

    def _from(self, reached: Reached) -> Iterator[tuple[Batch, Reached]]:
        begins, since = reached.begins, reached.since
        if reached.key is None:
            self._tell_without_cursor(reached)
            for table in self._stream(self._statements.loose(begins, reached.row), 0):
                reached = Reached(reached.row + table.num_rows, None, 0, since, begins)
                yield self._batch(table, reached), reached
        for table in self._stream(self._statements.keyed(begins, reached.key, reached.same), len(self._statements.beside)):
            last, count = self._last_key(table)
            same = count + (reached.same if count == table.num_rows and last == reached.key else 0)
            reached = Reached(reached.row + table.num_rows, last, same, since, begins)
            yield self._batch(table, reached), reached

    def _tell_without_cursor(self, reached: Reached) -> None:
        if self._statements.cursor is None or reached.begins is None:
            return
        without = int(self._talk.one(self._statements.count_without_cursor()) or 0)
        if without:
            log.warning("rows_without_cursor", source=self._file.uri, column=self._statements.cursor.name, rows=without)

    def _stream(self, statement: str, keys: int) -> Iterator[pa.Table]:
        return self._talk.stream(statement, len(self._names) + keys, self._batch_rows)

    def _last_key(self, table: pa.Table) -> tuple[tuple[str, ...], int]:
        """The key of the last row, and how many rows at the end bear it."""
        key = [table.column(place) for place in self._statements.key_places]
        last = tuple(column[table.num_rows - 1].as_py() for column in key)
        count = 1
        while count < table.num_rows and tuple(column[table.num_rows - 1 - count].as_py() for column in key) == last:
            count += 1
        return last, count

    def _batch(self, table: pa.Table, reached: Reached) -> Batch:
        shown = pa.Table.from_arrays(table.columns[: len(self._names)], names=self._names)
        numbers = row_numbers(reached.row - table.num_rows + 1, table.num_rows)
        if self._talk.dialect.name == "postgresql":
            return Batch(self._file, shown, numbers, reached.position())
        return without_nul(Batch(self._file, shown, numbers, reached.position()))

    def _empty(self, position: Position) -> Batch:
        empty = pa.table({name: pa.array([], pa.string()) for name in self._names})
        return Batch(self._file, empty, row_numbers(1, 0), position)
