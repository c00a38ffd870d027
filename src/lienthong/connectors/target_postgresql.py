"""A table in an agency's PostgreSQL: COPY in, one transaction for rows and place."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, LiteralString

import psycopg
import pyarrow as pa
from pgpq import ArrowToPostgresBinaryEncoder
from psycopg import sql

from lienthong.connectors.row_hash import BUCKET_DIGITS, KEY, Column, Sums, arrow_schema, sums_from
from lienthong.connectors.target import Delta, Place, TargetError, TargetMoved, TargetOptions
from lienthong.connectors.target_place import PLACES, from_text, to_text

CONNECT_SECONDS = 10
STATEMENT_MILLISECONDS = 600_000
TYPES: dict[str, LiteralString] = {
    "string": "text",
    "integer": "bigint",
    "number": "double precision",
    "boolean": "boolean",
    "date": "date",
    "timestamp": "timestamp with time zone",
}
_TEXTS: dict[str, LiteralString] = {
    "string": "{}",
    "integer": "{}::text",
    "number": "encode(float8send({}), 'hex')",
    "boolean": "{}::text",
    "date": "to_char({}, 'YYYY-MM-DD')",
    "timestamp": "to_char({} at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')",
}


class PostgresTarget:
    """One sync's table, over one connection."""

    def __init__(self, sync: str, options: TargetOptions) -> None:
        self._sync = sync
        schema, _, name = str(options.more["table"]).rpartition(".")
        self._schema = schema or "public"
        self._name = name
        self._table = sql.Identifier(self._schema, name)
        self._places = sql.Identifier(self._schema, PLACES)
        try:
            self._connection: psycopg.Connection[tuple[Any, ...]] = psycopg.connect(
                options.location,
                autocommit=True,
                connect_timeout=CONNECT_SECONDS,
                options=f"-c timezone=UTC -c client_encoding=UTF8 -c statement_timeout={STATEMENT_MILLISECONDS}",
                application_name="lienthong",
                password=options.password or None,
            )
        except psycopg.Error as error:
            raise _told(error) from error

    def close(self) -> None:
        self._connection.close()

    def place(self) -> Place | None:
        with _words():
            there = self._connection.execute("select to_regclass(%s) is not null", (self._places.as_string(None),)).fetchone()
            if there is None or not there[0]:
                return None
            row = self._connection.execute(sql.SQL("select place from {} where sync = %s").format(self._places), (self._sync,)).fetchone()
        return None if row is None else from_text(row[0])

    def holds_rows(self) -> bool:
        with _words():
            if not self._columns():
                return False
            row = self._connection.execute(sql.SQL("select exists (select 1 from {})").format(self._table)).fetchone()
        return bool(row and row[0])

    def begin(self, place: Place) -> None:
        with _words(), self._connection.transaction():
            self._connection.execute(
                sql.SQL("create table if not exists {} (sync text primary key, place text not null, at timestamptz not null default now())").format(
                    self._places
                )
            )  # fmt: skip
            there = self._columns()
            if there:
                self._check(there, place.columns)
            else:
                own = sql.SQL(", ").join(sql.SQL("{} {}").format(sql.Identifier(c.name), sql.SQL(TYPES[c.kind])) for c in place.columns)
                self._connection.execute(sql.SQL("create table {} ({} text primary key, {})").format(self._table, sql.Identifier(KEY), own))
            self._connection.execute(
                sql.SQL("insert into {} (sync, place) values (%s, %s)").format(self._places), (self._sync, to_text(place))
            )

    def load(self, rows: pa.Table, before: Place, after: Place) -> None:
        with _words(), self._connection.transaction():
            self._copy(self._table, rows, before.columns)
            self._move(before, after)

    def apply(self, delta: Delta, before: Place, after: Place) -> None:
        with _words(), self._connection.transaction():
            if delta.gone:
                self._connection.execute(
                    sql.SQL("delete from {} where {} = any(%s)").format(self._table, sql.Identifier(KEY)), (list(delta.gone),)
                )
            if delta.rows.num_rows:
                self._upsert(delta.rows, before.columns)
            self._move(before, after)

    def reshape(self, add: Sequence[Column], drop: Sequence[str], before: Place, after: Place) -> None:
        with _words(), self._connection.transaction():
            for name in drop:
                self._connection.execute(sql.SQL("alter table {} drop column if exists {}").format(self._table, sql.Identifier(name)))
            for column in add:
                self._connection.execute(
                    sql.SQL("alter table {} add column if not exists {} {}").format(
                        self._table, sql.Identifier(column.name), sql.SQL(TYPES[column.kind])
                    )
                )
            self._move(before, after)

    def sums(self, columns: Sequence[Column]) -> Sums:
        statement = sql.SQL(
            "select substr(md5(convert_to({key}, 'UTF8')), 1, {digits}), count(*), {parts} from ({rows}) as held group by 1"
        ).format(
            key=sql.Identifier(KEY),
            digits=sql.Literal(BUCKET_DIGITS),
            parts=sql.SQL(", ").join(
                sql.SQL("sum(('x' || substr(hash, {}, 8))::bit(32)::bigint)").format(sql.Literal(at)) for at in (1, 9, 17, 25)
            ),
            rows=self._hashed(columns),
        )
        with _words():
            return sums_from(self._connection.execute(statement).fetchall())

    def hashes(self, columns: Sequence[Column], buckets: Sequence[str]) -> dict[str, str]:
        statement = sql.SQL("select {key}, hash from ({rows}) as held where substr(md5(convert_to({key}, 'UTF8')), 1, {digits}) = any(%s)").format(
            key=sql.Identifier(KEY), digits=sql.Literal(BUCKET_DIGITS), rows=self._hashed(columns)
        )  # fmt: skip
        with _words():
            return dict(self._connection.execute(statement, (list(buckets),)).fetchall())

    def rows(self, columns: Sequence[Column], keys: Sequence[str]) -> pa.Table:
        named = sql.SQL(", ").join(sql.Identifier(name) for name in (KEY, *(c.name for c in columns)))
        statement = sql.SQL("select {} from {} where {} = any(%s)").format(named, self._table, sql.Identifier(KEY))
        with _words():
            found = self._connection.execute(statement, (list(keys),)).fetchall()
        schema = arrow_schema(columns)
        return pa.Table.from_arrays([pa.array([row[n] for row in found], f.type) for n, f in enumerate(schema)], schema=schema)

    def _hashed(self, columns: Sequence[Column]) -> sql.Composed:
        texts: list[sql.Composable] = [sql.Identifier(KEY), *(sql.SQL(_TEXTS[c.kind]).format(sql.Identifier(c.name)) for c in columns)]
        parts = [sql.SQL("coalesce('v' || char_length({0}) || ':' || {0}, 'n')").format(text) for text in texts]
        return sql.SQL("select {}, md5(convert_to({}, 'UTF8')) as hash from {}").format(
            sql.Identifier(KEY), sql.SQL(" || ").join(parts), self._table
        )

    def _columns(self) -> dict[str, str]:
        rows = self._connection.execute(
            "select column_name::text, data_type::text from information_schema.columns where table_schema = %s and table_name = %s",
            (self._schema, self._name),
        ).fetchall()
        return dict(rows)

    def _check(self, there: dict[str, str], columns: Sequence[Column]) -> None:
        """An empty table somebody made is taken when it has what is needed."""
        wanted = {KEY: "text", **{c.name: TYPES[c.kind] for c in columns}}
        wrong = [f"{name} {kind}" for name, kind in wanted.items() if there.get(name) != kind]
        if wrong:
            raise TargetError(
                f"The table there needs the columns {', '.join(wrong)}.",
                hint="Drop the empty table and let the sync make it, or add the columns.",
                vi=f"Bảng ở đích cần các cột {', '.join(wrong)}.",
                hint_vi="Xóa bảng rỗng để đồng bộ tự tạo, hoặc thêm các cột đó.",
            )

    def _upsert(self, rows: pa.Table, columns: Sequence[Column]) -> None:
        stage = sql.Identifier("lienthong_stage")
        self._connection.execute(sql.SQL("create temporary table {} (like {}) on commit drop").format(stage, self._table))
        self._copy(stage, rows, columns)
        names = [sql.Identifier(c.name) for c in columns]
        self._connection.execute(
            sql.SQL("insert into {table} ({key}, {names}) select {key}, {names} from {stage} on conflict ({key}) do update set {assignments}").format(
                table=self._table,
                key=sql.Identifier(KEY),
                names=sql.SQL(", ").join(names),
                stage=stage,
                assignments=sql.SQL(", ").join(sql.SQL("{0} = excluded.{0}").format(name) for name in names),
            )
        )  # fmt: skip

    def _copy(self, table: sql.Composable, rows: pa.Table, columns: Sequence[Column]) -> None:
        schema = arrow_schema(columns)
        encoder = ArrowToPostgresBinaryEncoder(schema)
        statement = sql.SQL("copy {} ({}) from stdin (format binary)").format(
            table, sql.SQL(", ").join(sql.Identifier(name) for name in schema.names)
        )
        with self._connection.cursor() as cursor, cursor.copy(statement) as copy:
            copy.write(encoder.write_header())
            for batch in rows.cast(schema).to_batches():
                copy.write(encoder.write_batch(batch))
            copy.write(encoder.finish())

    def _move(self, before: Place, after: Place) -> None:
        moved = self._connection.execute(
            sql.SQL("update {} set place = %s, at = now() where sync = %s and place = %s").format(self._places),
            (to_text(after), self._sync, to_text(before)),
        )
        if moved.rowcount != 1:
            raise TargetMoved("The place in the target was moved by somebody else.", vi="Vị trí ở đích đã bị nơi khác thay đổi.")


@contextmanager
def _words() -> Iterator[None]:
    try:
        yield
    except psycopg.Error as error:
        raise _told(error) from error


def _told(error: psycopg.Error) -> TargetError:
    """What the server says, without a value of a row: only the first line, and of errors about values their kind alone."""
    state = error.sqlstate or ""
    if state.startswith(("22", "23")):
        return TargetError(
            f"The database does not take a row: {type(error).__name__} ({state}).",
            hint="Did somebody add a rule to the table there?",
            vi=f"Cơ sở dữ liệu đích không nhận một hàng: {type(error).__name__} ({state}).",
            hint_vi="Có ai thêm ràng buộc vào bảng ở đó không?",
        )
    said = str(error).strip().splitlines()
    first = said[0] if said else type(error).__name__
    return TargetError(
        f"The database of the target: {first}.",
        hint="Is it up, and may this account write there?",
        vi=f"Cơ sở dữ liệu đích: {first}.",
        hint_vi="Cơ sở dữ liệu có đang chạy không, tài khoản này có được ghi vào đó không?",
    )
