r"""How each database says a reading: every value as exact text, rows in the order of a key, from a place on. Statements only.

Texts are the same whatever the database: `2026-01-31`, `2026-01-31 03:00:00`, instants in UTC with `+00`, decimals digit for digit,
binary as `\x` and hexadecimal digits, bits as `0` and `1`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from lienthong.errors import SourceError

NUMBERS = ("number", "float", "single", "money")
SEPARATOR, ABSENT = "\x1f", "\x00\x1e\x00"  # of a row that is one text
_NUMBER = re.compile(r"^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$")
_TIME = re.compile(r"^[0-9:+\-. TZ]{4,40}$")


@dataclass(frozen=True)
class Described:
    """A column: its name, what kind of value it holds, its type as the database spells it, and for bits how many."""

    name: str
    kind: str  # text number float date time datetime instant boolean bit binary other
    type: str = ""
    length: int = 0
    is_utf8: bool = False  # a text kept as it is sent


@dataclass(frozen=True)
class SqlDialect:
    """`texts`: kind → expression with the column as `{}`; kinds that are missing are refused. `literals`: kind → a value in quotes made one to compare with."""

    name: str
    quote: Callable[[str], str]
    texts: Mapping[str, str]
    literals: Mapping[str, str]
    exact: str  # an expression that orders and compares texts by their bytes
    kinds: tuple[tuple[str, str], ...]  # pattern of a type's name → kind; the first that fits
    rows_offset: str  # `{}` rows are passed over
    rows_after: bool = False  # rows are compared as wholes: (a, b) > (1, 2)
    key_text: str = ""  # how a value of the key is written where it must compare exactly; empty: as any value
    together: str = ""  # how columns become one text, where that is quicker to fetch

    def described(self, name: str, kind: str, length: int = 0) -> Described:
        found = next((each for pattern, each in self.kinds if re.match(pattern, kind, re.IGNORECASE)), "other")
        return Described(name, found, kind, length)

    def text(self, column: Described, prefix: str = "") -> str:
        expression = self.texts.get("utf8" if column.is_utf8 and column.kind == "text" else column.kind)
        if expression is None:
            raise SourceError(
                f"Cột/column `{column.name}` ({column.type}): kiểu không đọc được / values of this type are not read.",
                hint="Leave it out: name the other columns in the option `columns`.",
            )
        return expression.format(prefix + self.quote(column.name), length=column.length)

    def literal(self, column: Described, value: str) -> str:
        """A value that was read earlier, made one of the column's type."""
        if column.kind in NUMBERS:
            if not _NUMBER.match(value):
                raise SourceError(f"Cột/column `{column.name}`: vị trí không phải số / the position is no number.")
            return value
        if column.kind in ("date", "time", "datetime", "instant") and not _TIME.match(value):
            raise SourceError(f"Cột/column `{column.name}`: vị trí không phải thời điểm / the position is no time.")
        return self.literals.get(column.kind, self.literals["text"]).format("'" + value.replace("'", "''") + "'", type=column.type)

    def selected(self, expressions: Sequence[str], *, is_one: bool) -> str:
        """What stands behind `select`."""
        if is_one and self.together:
            return self.together.format(", ".join(f"ifnull({each}, _utf8mb4 x'{ABSENT.encode().hex()}')" for each in expressions))
        return ", ".join(f"{each} as {self.quote(f'c{n}')}" for n, each in enumerate(expressions))

    def ordered(self, column: Described, *, is_unique: bool) -> str:
        quoted = "_row." + self.quote(column.name)
        return self.exact.format(quoted) if column.kind in ("text", "other") and not is_unique else quoted


@dataclass(frozen=True)
class Statements:
    """The statements of one reading. `shown` are given; `order` are the columns it goes by: the cursor, if there is one, and the key."""

    dialect: SqlDialect
    origin: str  # table or query in brackets
    shown: Sequence[Described]
    order: Sequence[Described]
    is_unique: bool  # no two rows share the key
    where: str
    tie_break: str = ""  # of rows that share a key; empty: their columns
    cursor: Described | None = None
    is_one: bool = True  # rows may come as one text

    @property
    def beside(self) -> list[Described]:
        """What it goes by that is not among what is shown as it is compared: asked for behind it."""
        shown = {self.dialect.text(c, "_row.") for c in self.shown}
        return [c for c in self.order if self._key_text(c) not in shown]

    @property
    def key_places(self) -> list[int]:
        """Where each column it goes by stands in a row."""
        texts = [self.dialect.text(c, "_row.") for c in self.shown] + [self._key_text(c) for c in self.beside]
        return [texts.index(self._key_text(c)) for c in self.order]

    def loose(self, begins: str | None, offset: int) -> str:
        """Rows that lack a value to order them by: read first, and all of them each time."""
        missing = " or ".join(f"_row.{self.dialect.quote(c.name)} is null" for c in self.order)
        grown = "" if begins is None else f" and ({self._cursor()} is null or {self._grown(begins)})"
        return f"{self._select(())} and ({missing}){grown} order by {self._ties()}{self._offset(offset)}"

    def count_without_cursor(self) -> str:
        return f"select count(*) from {self.origin} _row where {self._condition()} and {self._cursor()} is null"

    def highest(self) -> str:
        assert self.cursor is not None  # asked of readings by cursor only
        plain = self.dialect.quote(self.cursor.name)
        inner = f"select max(_row.{plain}) as {plain} from {self.origin} _row where {self._condition()}"
        return f"select {self.dialect.text(self.cursor, '_top.')} from ({inner}) _top"

    def keyed(self, begins: str | None, after: Sequence[str] | None, same: int) -> str:
        """Rows that have them all, from a place on: `same` rows of it were given already."""
        filled = " and ".join(f"_row.{self.dialect.quote(c.name)} is not null" for c in self.order)
        query = f"{self._select(self.beside)} and {filled}"
        query += "" if begins is None else f" and {self._grown(begins)}"
        query += "" if after is None else f" and {self._after(after)}"
        names = [self.dialect.ordered(c, is_unique=self.is_unique) for c in self.order]
        query += f" order by {', '.join(names)}{'' if self.is_unique else ', ' + self._ties()}"
        return query if self.is_unique or after is None else query + self._offset(same)

    def _after(self, after: Sequence[str]) -> str:
        names = [self.dialect.ordered(c, is_unique=self.is_unique) for c in self.order]
        exact = "{}" if self.is_unique else self.dialect.exact
        values = [
            exact.format(literal) if c.kind in ("text", "other") else literal
            for c, value in zip(self.order, after, strict=True)
            for literal in [self.dialect.literal(c, value)]
        ]
        sign = ">" if self.is_unique else ">="
        if self.dialect.rows_after:
            return f"({', '.join(names)}) {sign} ({', '.join(values)})"
        if len(names) == 1:
            return f"{names[0]} {sign} {values[0]}"
        steps = []
        for n in range(len(names)):
            last = n == len(names) - 1
            steps.append(" and ".join([*(f"{a} = {b}" for a, b in zip(names[:n], values[:n], strict=True)), f"{names[n]} {sign if last else '>'} {values[n]}"]))  # fmt: skip
        return f"{names[0]} >= {values[0]} and ({' or '.join(f'({step})' for step in steps)})"  # the first half is what an index can use

    def _select(self, order: Sequence[Described]) -> str:
        texts = [self.dialect.text(c, "_row.") for c in self.shown]
        texts += [self._key_text(c) for c in order]
        return f"select {self.dialect.selected(texts, is_one=self.is_one)} from {self.origin} _row where {self._condition()}"

    def _key_text(self, column: Described) -> str:
        """How a value it goes by is written where it must compare exactly."""
        return self.dialect.key_text.format("_row." + self.dialect.quote(column.name)) or self.dialect.text(column, "_row.")

    def _condition(self) -> str:
        return f"({self.where})" if self.where else "1 = 1"

    def _ties(self) -> str:
        return self.tie_break or ", ".join(
            self.dialect.exact.format(self.dialect.text(c, "_row.")) for c in self.shown if c.kind in self.dialect.texts
        )

    def _offset(self, rows: int) -> str:
        return self.dialect.rows_offset.format(rows) if rows else ""

    def _cursor(self) -> str:
        assert self.cursor is not None  # `begins` is given of readings by cursor only
        return f"_row.{self.dialect.quote(self.cursor.name)}"

    def _grown(self, begins: str) -> str:
        assert self.cursor is not None  # as above
        return f"{self._cursor()} >= {self.dialect.literal(self.cursor, begins)}"


def _quoted(mark: str) -> Callable[[str], str]:
    return lambda name: mark + name.replace(mark, mark * 2) + mark


POSTGRESQL = SqlDialect(
    name="postgresql",
    quote=_quoted('"'),
    texts=dict.fromkeys(("text", "number", "float", "date", "time", "datetime", "instant", "boolean", "bit", "binary", "other"), "{}::text"),
    literals=dict.fromkeys(("text", "date", "time", "datetime", "instant", "boolean", "bit", "binary", "other"), "{}::{type}"),
    exact="{}",
    kinds=(
        (r"(smallint|integer|bigint|numeric|money)", "number"), (r"(real|double)", "float"), (r"date$", "date"), (r"timestamp.*with time zone", "instant"),
        (r"timestamp", "datetime"), (r"time", "time"), (r"boolean$", "boolean"), (r"bit", "bit"), (r"bytea$", "binary"),
        (r"(text|character|uuid)", "text"),
    ),
    rows_offset=" offset {}",
    rows_after=True,
)  # fmt: skip
MARIADB = SqlDialect(
    name="mariadb",
    quote=_quoted("`"),
    texts={
        "text": "convert({} using utf8mb4)",
        "utf8": "{} collate utf8mb4_bin",  # no conversion; of one collation, for several would not stand beside each other
        "number": "{}",
        "float": "{}",
        "single": "if(cast(concat({0}) as float) = {0}, concat({0}), cast({0} as double))",  # it writes six digits, even where they are not all
        "date": "{}",
        "time": "{}",
        "datetime": "{}",
        "instant": "concat({}, '+00')",
        "bit": "lpad(bin({} + 0), {length}, '0')",
        "binary": "concat('\\x', lower(hex({})))",  # no backslash escapes in our session
        "place": "st_astext({})",
    },
    literals={"text": "_utf8mb4{}", "instant": "left({0}, char_length({0}) - 3)", "bit": "conv({}, 2, 10)", "binary": "unhex(substr({}, 3))"},
    exact="cast(convert({} using utf8mb4) as binary)",
    kinds=(
        (r"(tinyint|smallint|mediumint|int|bigint|decimal|year)", "number"), (r"float", "single"), (r"double", "float"),
        (r"date$", "date"), (r"datetime", "datetime"), (r"timestamp", "instant"), (r"time", "time"), (r"bit", "bit"), (r".*(blob|binary)", "binary"),
        (r"(geometry|.*point|.*linestring|.*polygon|geometrycollection)", "place"), (r"", "text"),
    ),
    rows_offset=" limit 18446744073709551615 offset {}",
    together=f"concat_ws(_utf8mb4 x'{SEPARATOR.encode().hex()}', {{}})",
)  # fmt: skip
SQLSERVER = SqlDialect(
    name="sqlserver",
    quote=lambda name: "[" + name.replace("]", "]]") + "]",
    texts={
        "text": "convert(nvarchar(max), {})",
        "number": "convert(nvarchar(64), {})",
        "money": "convert(nvarchar(64), {}, 2)",
        "float": "convert(nvarchar(64), {}, 3)",
        "date": "convert(nvarchar(10), {}, 23)",
        "time": "convert(nvarchar(16), {})",
        "datetime": "convert(nvarchar(30), {}, 121)",
        "instant": "convert(nvarchar(27), convert(datetime2, switchoffset({}, '+00:00')), 121) + N'+00'",
        "bit": "convert(nvarchar(1), {})",
        "binary": "N'\\x' + lower(convert(nvarchar(max), {}, 2))",
    },
    literals={
        "text": "N{}", "money": "convert(money, {})", "date": "convert(date, {}, 23)", "time": "convert(time, {})",
        "datetime": "convert(datetime2, {}, 121)", "instant": "convert(datetimeoffset, {} + N':00', 121)", "bit": "convert(bit, {})",
        "binary": "convert(varbinary(max), substring({}, 3, 8000), 2)",
    },
    exact="{} collate Latin1_General_100_BIN2",
    kinds=(
        (r"(tinyint|smallint|int|bigint|decimal|numeric)", "number"), (r"(small)?money", "money"), (r"(float|real)", "float"), (r"date$", "date"),
        (r"datetimeoffset", "instant"), (r"(datetime|smalldatetime)", "datetime"), (r"time$", "time"), (r"bit$", "bit"),
        (r"(binary|varbinary|image|timestamp|rowversion)", "binary"), (r"(geometry|geography|hierarchyid|sql_variant)", "other"), (r"", "text"),
    ),
    rows_offset=" offset {} rows",
)  # fmt: skip
ORACLE = SqlDialect(
    name="oracle",
    quote=_quoted('"'),
    texts={
        "text": "to_char({})",
        "long": "{}",
        "number": "to_char({}, 'TM9', 'nls_numeric_characters=''.,''')",
        "float": "to_char({}, 'TM9', 'nls_numeric_characters=''.,''')",
        "datetime": "case when {0} = trunc({0}) then to_char({0}, 'YYYY-MM-DD') else to_char({0}, 'YYYY-MM-DD HH24:MI:SS') end",
        "moment": "to_char({}, 'YYYY-MM-DD HH24:MI:SS.FF')",
        "instant": "to_char(sys_extract_utc({}), 'YYYY-MM-DD HH24:MI:SS.FF') || '+00'",
        "binary": "'\\x' || lower(rawtohex({}))",
    },
    literals={
        "text": "{}", "datetime": "to_date(rpad({}, 19, ' 00:00:00'), 'YYYY-MM-DD HH24:MI:SS')", "moment": "to_timestamp({}, 'YYYY-MM-DD HH24:MI:SS.FF')",
        "instant": "to_timestamp_tz({} || ':00', 'YYYY-MM-DD HH24:MI:SS.FFTZH:TZM')", "binary": "hextoraw(substr({}, 3))",
    },
    exact="nlssort({}, 'NLS_SORT=BINARY')",
    kinds=(
        (r"(number|integer)", "number"), (r"(float|binary_)", "float"), (r"date$", "datetime"), (r"timestamp.*time zone", "instant"),
        (r"timestamp", "moment"), (r"raw", "binary"), (r"n?clob$", "long"), (r"(n?v?a?r?char2?|rowid|urowid)", "text"),
    ),
    rows_offset=" offset {} rows",
)  # fmt: skip
SQLITE = SqlDialect(
    name="sqlite",
    quote=_quoted('"'),
    texts={"text": "{}"},  # values have types there, not columns: the driver's own are written as text here
    literals={"text": "{}"},
    exact="cast({} as text) collate binary",
    kinds=((r"", "text"),),
    rows_offset=" limit -1 offset {}",
    key_text="cast({} as text)",
)
DIALECTS = {dialect.name: dialect for dialect in (POSTGRESQL, MARIADB, SQLSERVER, ORACLE, SQLITE)}
