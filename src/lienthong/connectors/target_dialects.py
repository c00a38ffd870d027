"""How MariaDB, SQL Server and Oracle say what a sync's table needs. Statements only; whoever runs them is `target_tables.py`.

Each keeps exactly the values it is given: texts compare by their signs alone, instants are kept in UTC, numbers as the eight bytes they are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from lienthong.connectors.row_hash import BUCKET_DIGITS, KEY, Column

LONGEST_KEY = 400  # characters: what an index of each of the three takes


@dataclass(frozen=True)
class Dialect:
    """`texts` are the kinds whose hash the server can make itself; without all of a copy's kinds among them its rows are read instead."""

    name: str
    types: Mapping[str, str]
    key_type: str
    place_type: str
    texts: Mapping[str, str]
    quote: Callable[[str], str]
    parameter: Callable[[int], str]  # the n-th, from 1

    def table(self, schema: str, name: str) -> str:
        return f"{self.quote(schema)}.{self.quote(name)}" if schema else self.quote(name)

    def create_table(self, table: str, columns: Sequence[Column]) -> str:
        own = ", ".join(f"{self.quote(c.name)} {self.types[c.kind]}" for c in columns)
        return f"create table {table} ({self.quote(KEY)} {self.key_type} not null primary key, {own})"

    def create_places(self, places: str) -> str:
        return f"create table {places} (sync {self.key_type} not null primary key, place {self.place_type} not null)"

    def add_column(self, table: str, column: Column) -> str:
        word = "add" if self.name in ("sqlserver", "oracle") else "add column"
        return f"alter table {table} {word} {self.quote(column.name)} {self.types[column.kind]}"

    def drop_column(self, table: str, name: str) -> str:
        return f"alter table {table} drop column {self.quote(name)}"

    def insert(self, table: str, names: Sequence[str]) -> str:
        marks = ", ".join(self.parameter(n) for n in range(1, len(names) + 1))
        return f"insert into {table} ({', '.join(map(self.quote, names))}) values ({marks})"

    def upsert(self, table: str, names: Sequence[str]) -> str:
        """One row by key: changed when it is there, added when it is not."""
        if self.name == "mariadb":
            changed = ", ".join(f"{self.quote(name)} = values({self.quote(name)})" for name in names if name != KEY)
            return f"{self.insert(table, names)} on duplicate key update {changed}"
        given = ", ".join(f"{self.parameter(n)} as {self.quote(name)}" for n, name in enumerate(names, 1))
        source = f"(select {given} from dual) given" if self.name == "oracle" else f"(select {given}) as given"
        held = "held" if self.name == "oracle" else "with (holdlock) as held"
        changed = ", ".join(f"held.{self.quote(name)} = given.{self.quote(name)}" for name in names if name != KEY)
        fresh = ", ".join(f"given.{self.quote(name)}" for name in names)
        end = "" if self.name == "oracle" else ";"
        return (
            f"merge into {table} {held} using {source} on (held.{self.quote(KEY)} = given.{self.quote(KEY)}) "
            f"when matched then update set {changed} "
            f"when not matched then insert ({', '.join(map(self.quote, names))}) values ({fresh}){end}"
        )

    def delete(self, table: str) -> str:
        return f"delete from {table} where {self.quote(KEY)} = {self.parameter(1)}"

    def select(self, table: str, names: Sequence[str], rows: int = 0) -> str:
        """All rows, or those of so many keys."""
        chosen = f" where {self.quote(KEY)} in ({', '.join(self.parameter(n) for n in range(1, rows + 1))})" if rows else ""
        return f"select {', '.join(map(self.quote, names))} from {table}{chosen}"

    def any_row(self, table: str) -> str:
        if self.name == "mariadb":
            return f"select 1 from {table} limit 1"
        return f"select 1 from {table} where rownum = 1" if self.name == "oracle" else f"select top 1 1 from {table}"

    def sums(self, table: str, columns: Sequence[Column]) -> str | None:
        """Count and hash by bucket, where the server can make the very text we make."""
        hashed = self._hashed(table, columns)
        if hashed is None:
            return None
        parts = ", ".join(f"sum(cast(conv(substr(hash, {at}, 8), 16, 10) as unsigned))" for at in (1, 9, 17, 25))
        return f"select bucket, count(*), {parts} from ({hashed}) as held group by bucket"

    def hashes(self, table: str, columns: Sequence[Column], buckets: int) -> str | None:
        hashed = self._hashed(table, columns)
        if hashed is None:
            return None
        marks = ", ".join(self.parameter(n) for n in range(1, buckets + 1))
        return f"select id, hash from ({hashed}) as held where bucket in ({marks})"

    def _hashed(self, table: str, columns: Sequence[Column]) -> str | None:
        if any(c.kind not in self.texts for c in columns):
            return None
        key = self.quote(KEY)
        texts = [key, *(self.texts[c.kind].format(self.quote(c.name)) for c in columns)]
        parts = ", ".join(f"coalesce(concat('v', char_length({text}), ':', {text}), 'n')" for text in texts)
        return f"select {key} as id, substr(md5({key}), 1, {BUCKET_DIGITS}) as bucket, md5(concat({parts})) as hash from {table}"

    def read_place(self, places: str) -> str:
        return f"select place from {places} where sync = {self.parameter(1)}"

    def add_place(self, places: str) -> str:
        return f"insert into {places} (sync, place) values ({self.parameter(1)}, {self.parameter(2)})"

    def move_place(self, places: str) -> str:
        """Only from where it was: a target somebody else moved is left alone."""
        place, sync, before = self.parameter(1), self.parameter(2), self.parameter(3)
        return f"update {places} set place = {place} where sync = {sync} and place = {before}"


def _percent(_: int) -> str:
    return "%s"


MARIADB = Dialect(
    name="mariadb",
    types={
        "string": "longtext character set utf8mb4 collate utf8mb4_bin",
        "integer": "bigint",
        "number": "double",
        "boolean": "boolean",
        "date": "date",
        "timestamp": "datetime(6)",
    },
    key_type=f"varchar({LONGEST_KEY}) character set utf8mb4 collate utf8mb4_bin",
    place_type="longtext character set utf8mb4 collate utf8mb4_bin",
    texts={
        "string": "{}",
        "integer": "cast({} as char)",
        "boolean": "if({0}, 'true', if({0} is null, null, 'false'))",
        "date": "date_format({}, '%%Y-%%m-%%d')",
        "timestamp": "date_format({}, '%%Y-%%m-%%d %%H:%%i:%%s.%%f')",
    },  # a number's bytes cannot be had there
    quote=lambda name: "`" + name.replace("`", "``") + "`",
    parameter=_percent,
)
SQLSERVER = Dialect(
    name="sqlserver",
    types={
        "string": "nvarchar(max) collate Latin1_General_100_BIN2",
        "integer": "bigint",
        "number": "float(53)",
        "boolean": "bit",
        "date": "date",
        "timestamp": "datetime2(6)",
    },
    key_type=f"nvarchar({LONGEST_KEY}) collate Latin1_General_100_BIN2",
    place_type="nvarchar(4000) collate Latin1_General_100_BIN2",
    texts={},
    quote=lambda name: "[" + name.replace("]", "]]") + "]",
    parameter=lambda _: "?",
)
ORACLE = Dialect(
    name="oracle",
    types={
        "string": "clob",
        "integer": "number(19)",
        "number": "binary_double",
        "boolean": "number(1)",
        "date": "date",
        "timestamp": "timestamp(6)",
    },
    key_type=f"nvarchar2({LONGEST_KEY})",
    place_type="nvarchar2(2000)",
    texts={},
    quote=lambda name: '"' + name.replace('"', '""') + '"',
    parameter=lambda n: f":{n}",
)
DIALECTS = {dialect.name: dialect for dialect in (MARIADB, SQLSERVER, ORACLE)}
