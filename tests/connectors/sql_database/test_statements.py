"""What is asked of SQL Server and Oracle, whose servers no test has: read by a parser of each, and reviewed here word for word."""

from __future__ import annotations

import hashlib
import sys

import pyarrow as pa
import pytest
import sqlglot

from lienthong.connectors.sql_checking import READERS
from lienthong.connectors.sql_hashing import HASHINGS, HashStatements, row_digests
from lienthong.connectors.sql_sources import DIALECTS, MARIADB, ORACLE, SQLSERVER, Described, SqlDialect, Statements
from lienthong.contracts import Delivery
from lienthong.errors import SourceError
from tests.connectors.reading import make_source, read_all

TYPES = {
    "sqlserver": ("int", "nvarchar", "datetime2", "money", "datetimeoffset", "varbinary", "bit", "float", "date", "time"),
    "oracle": ("NUMBER", "VARCHAR2", "DATE", "TIMESTAMP(6)", "TIMESTAMP(6) WITH TIME ZONE", "RAW", "CLOB", "BINARY_DOUBLE"),
    "mariadb": ("int", "varchar", "datetime", "timestamp", "varbinary", "bit", "float", "double", "date", "time", "point", "json"),
    "postgresql": ("integer", "text", "timestamp with time zone", "bytea", "numeric(5,2)", "inet"),
    "sqlite": ("", "text"),
}


def statements(dialect: SqlDialect, *, is_unique: bool = True, cursor: bool = False) -> Statements:
    shown = [dialect.described(f"c {n}]`\"'", kind, 1) for n, kind in enumerate(TYPES[dialect.name])]
    shown = [Described("id", shown[0].kind, shown[0].type), Described("tên", shown[1].kind, shown[1].type), *shown[2:]]
    grown = shown[2] if len(shown) > 2 else shown[0]
    order = ([grown] if cursor else []) + shown[:2]
    return Statements(dialect, dialect.quote("t"), shown, order, is_unique, "id > 0", cursor=grown if cursor else None)


@pytest.mark.parametrize("name", [name for name in DIALECTS if name != "mariadb"])  # its own server reads them, in `test_mariadb.py`
@pytest.mark.parametrize("is_unique", [True, False])
@pytest.mark.parametrize("is_one", [True, False])
def test_every_statement_is_one_select_of_its_database(name: str, is_unique: bool, is_one: bool) -> None:
    from dataclasses import replace

    dialect = DIALECTS[name]
    for by_cursor in (True, False):
        asked = replace(statements(dialect, is_unique=is_unique, cursor=by_cursor), is_one=is_one)
        begins = "2026-01-01 00:00:00" if by_cursor and name != "sqlite" else None
        first = [begins] if begins else ["5"] if by_cursor else []
        said = [asked.loose(begins, 7), asked.keyed(begins, None, 0), asked.keyed(begins, [*first, "5", "O'Brien\\"], 3)]
        said += [asked.highest(), asked.count_without_cursor()] if by_cursor else []
        for statement in said:
            trees = sqlglot.parse(statement, dialect=READERS[name])
            assert [type(tree).__name__ for tree in trees] == ["Select"], statement


@pytest.mark.parametrize("name", sorted(HASHINGS))
def test_every_statement_of_hashes_is_one_select_of_its_database(name: str) -> None:
    asked = statements(DIALECTS[name])
    shown = [column for column in asked.shown if column.kind not in HASHINGS[name].unhashed]
    hashed = HashStatements(asked.dialect, asked.origin, shown, asked.order, "id > 0")
    for statement in (hashed.sums(), hashed.rows(["0ab", "fff"])):
        trees = sqlglot.parse(statement, dialect=READERS[name])
        assert [type(tree).__name__ for tree in trees] == ["Select"], statement


def test_sql_server_hashes_so() -> None:
    columns = [SQLSERVER.described("id", "int"), SQLSERVER.described("ten", "nvarchar")]
    hashed = HashStatements(SQLSERVER, "[dbo].[nguoi]", columns, columns[:1], "xoa = 0")
    value = "coalesce(lower(convert(nvarchar(32), hashbytes('MD5', {}), 2)), 'n')"
    number, text = value.format("convert(nvarchar(64), _row.[id])"), value.format("convert(nvarchar(max), _row.[ten])")
    part = "convert(nvarchar(64), sum(convert(numeric(38), convert(bigint, convert(varbinary(4), substring(_hashed.h, {}, 8), 2)) & 4294967295)))"
    inside = (
        f"(select lower(convert(nvarchar(32), hashbytes('MD5', {number}), 2)) as k, "
        f"lower(convert(nvarchar(32), hashbytes('MD5', {number} + {text}), 2)) as h from [dbo].[nguoi] _row where (xoa = 0)) _hashed"
    )
    parts = ", ".join(f"{part.format(1 + 8 * n)} as p{n}" for n in range(4))
    assert hashed.sums() == f"select left(_hashed.k, 3) as b, count(*) as n, {parts} from {inside} group by left(_hashed.k, 3)"


def test_oracle_hashes_so() -> None:
    columns = [ORACLE.described("MA", "VARCHAR2"), ORACLE.described("ANH", "RAW")]
    hashed = HashStatements(ORACLE, '"KHO"."NGUOI"', columns, columns[:1], "")
    md5 = "lower(rawtohex(standard_hash(convert({}, 'AL32UTF8'), 'MD5')))"
    key = "coalesce(" + md5.format('to_char(_row."MA")') + ", 'n')"
    raw = "coalesce(" + md5.format("'\\x' || lower(rawtohex(_row.\"ANH\"))") + ", 'n')"
    assert hashed.rows(["0ab"]) == (
        f"select _hashed.k, _hashed.h, _hashed.k0 from (select {md5.format(key)} as k, {md5.format(f'{key} || {raw}')} as h, "
        'to_char(_row."MA") as k0 from "KHO"."NGUOI" _row) _hashed where substr(_hashed.k, 1, 3) in (\'0ab\')'
    )


def md5_of(text: str, encoding: str) -> str:
    return hashlib.md5(text.encode(encoding), usedforsecurity=False).hexdigest()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le"])
def test_rows_are_hashed_here_in_the_bytes_of_the_server(encoding: str) -> None:
    """SQL Server hashes its national texts as it holds them, two bytes a letter."""
    found = row_digests(pa.table({"a": ["Lê", None]}), ["a"], encoding)
    assert found == [md5_of(each, encoding) for each in (md5_of("Lê", encoding), "n")]


def test_sql_server_is_asked_so() -> None:
    asked = Statements(
        SQLSERVER, "[dbo].[nguoi]", [SQLSERVER.described("id", "int"), SQLSERVER.described("luc", "datetime2")],
        [SQLSERVER.described("luc", "datetime2"), SQLSERVER.described("id", "int")], is_unique=True, where="xoa = 0", cursor=SQLSERVER.described("luc", "datetime2"),
    )  # fmt: skip
    assert asked.keyed("2026-01-01 00:00:00", ("2026-02-01 00:00:00", "7"), 1) == (
        "select convert(nvarchar(64), _row.[id]) as [c0], convert(nvarchar(30), _row.[luc], 121) as [c1] "
        "from [dbo].[nguoi] _row where (xoa = 0) and _row.[luc] is not null and _row.[id] is not null "
        "and _row.[luc] >= convert(datetime2, '2026-01-01 00:00:00', 121) "
        "and _row.[luc] >= convert(datetime2, '2026-02-01 00:00:00', 121) and ((_row.[luc] > convert(datetime2, '2026-02-01 00:00:00', 121)) "
        "or (_row.[luc] = convert(datetime2, '2026-02-01 00:00:00', 121) and _row.[id] > 7)) order by _row.[luc], _row.[id]"
    )


def test_oracle_is_asked_so() -> None:
    asked = Statements(
        ORACLE, '"HOTICH"."NGUOI"', [ORACLE.described("ID", "NUMBER"), ORACLE.described("TEN", "NVARCHAR2"), ORACLE.described("NGAY", "DATE")],
        [ORACLE.described("TEN", "NVARCHAR2")], is_unique=False, where="",
    )  # fmt: skip
    assert asked.keyed(None, ("Lê 'Ỷ'",), 2) == (
        "select to_char(_row.\"ID\", 'TM9', 'nls_numeric_characters=''.,''') as \"c0\", to_char(_row.\"TEN\") as \"c1\", "
        'case when _row."NGAY" = trunc(_row."NGAY") then to_char(_row."NGAY", \'YYYY-MM-DD\') else to_char(_row."NGAY", \'YYYY-MM-DD HH24:MI:SS\') end as "c2" '
        'from "HOTICH"."NGUOI" _row where 1 = 1 and _row."TEN" is not null '
        "and nlssort(_row.\"TEN\", 'NLS_SORT=BINARY') >= nlssort('Lê ''Ỷ''', 'NLS_SORT=BINARY') "
        "order by nlssort(_row.\"TEN\", 'NLS_SORT=BINARY'), nlssort(to_char(_row.\"ID\", 'TM9', 'nls_numeric_characters=''.,'''), 'NLS_SORT=BINARY'), "
        'nlssort(to_char(_row."TEN"), \'NLS_SORT=BINARY\'), nlssort(case when _row."NGAY" = trunc(_row."NGAY") then to_char(_row."NGAY", \'YYYY-MM-DD\') '
        "else to_char(_row.\"NGAY\", 'YYYY-MM-DD HH24:MI:SS') end, 'NLS_SORT=BINARY') offset 2 rows"
    )


def test_what_a_reading_goes_by_is_asked_for_once() -> None:
    """A column of the key that is shown is not asked for again; one that is not shown stands behind what is; SQLite compares texts, and shows values."""
    number, name = MARIADB.described("id", "int"), MARIADB.described("ten", "varchar")
    asked = Statements(MARIADB, "t", [name], [number, name], is_unique=True, where="")
    assert (asked.beside, asked.key_places) == ([number], [1, 0])
    sqlite = DIALECTS["sqlite"]
    text = sqlite.described("ma", "text")
    asked = Statements(sqlite, "t", [text], [text], is_unique=False, where="")
    assert (asked.beside, asked.key_places) == ([text], [1])


def test_values_of_a_type_that_is_not_read_are_refused_by_name() -> None:
    for dialect, kind in ((SQLSERVER, "geometry"), (ORACLE, "BLOB")):
        asked = Statements(dialect, "t", [dialect.described("hinh", kind)], [dialect.described("id", "int")], is_unique=True, where="")
        with pytest.raises(SourceError, match="`hinh`"):
            asked.keyed(None, None, 0)


def test_a_position_that_is_no_number_never_becomes_part_of_a_statement() -> None:
    with pytest.raises(SourceError, match="no number"):
        MARIADB.literal(MARIADB.described("id", "int"), "1 or 1=1")
    with pytest.raises(SourceError, match="no time"):
        MARIADB.literal(MARIADB.described("luc", "datetime"), "2026' or '1")


@pytest.mark.parametrize(("scheme", "module", "extra"), [("sqlserver", "pytds", "sqlserver"), ("oracle", "oracledb", "oracle")])
def test_a_driver_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch, scheme: str, module: str, extra: str) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    source = make_source(
        "sql_database", f"{scheme}://ho-tich:mat-khau@127.0.0.1:9/hotich", Delivery.SNAPSHOT, table="dbo.nguoi", key=["id"]
    )
    with pytest.raises(SourceError, match="not installed") as caught:
        read_all(source)
    assert f"lienthong[{extra}]" in caught.value.hint
