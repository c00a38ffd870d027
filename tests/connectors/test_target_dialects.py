"""The statements for servers that are not at hand, as a reviewer would read them; and the hash of a row, made in three ways, is one."""

from __future__ import annotations

from lienthong.connectors.row_hash import Column, add_up, bucket_of, differing
from lienthong.connectors.target_dialects import MARIADB, ORACLE, SQLSERVER

COLUMNS = (Column("name", "string"), Column("size", "integer"))
NAMES = ["lienthong_key", "name", "size"]


def test_statements_for_sql_server() -> None:
    assert SQLSERVER.create_table(SQLSERVER.table("dbo", "t"), COLUMNS) == (
        "create table [dbo].[t] ([lienthong_key] nvarchar(400) collate Latin1_General_100_BIN2 not null primary key, "
        "[name] nvarchar(max) collate Latin1_General_100_BIN2, [size] bigint)"
    )
    assert SQLSERVER.upsert("[t]", NAMES) == (
        "merge into [t] with (holdlock) as held using (select ? as [lienthong_key], ? as [name], ? as [size]) as given "
        "on (held.[lienthong_key] = given.[lienthong_key]) when matched then update set held.[name] = given.[name], held.[size] = given.[size] "
        "when not matched then insert ([lienthong_key], [name], [size]) values (given.[lienthong_key], given.[name], given.[size]);"
    )
    assert SQLSERVER.add_column("[t]", COLUMNS[1]) == "alter table [t] add [size] bigint"
    assert SQLSERVER.any_row("[t]") == "select top 1 1 from [t]"
    assert SQLSERVER.move_place("[p]") == "update [p] set place = ? where sync = ? and place = ?"
    assert SQLSERVER.sums("[t]", COLUMNS) is None  # its rows are read


def test_statements_for_oracle() -> None:
    assert ORACLE.create_table(ORACLE.table("kho", "t"), COLUMNS) == (
        'create table "kho"."t" ("lienthong_key" nvarchar2(400) not null primary key, "name" clob, "size" number(19))'
    )
    assert ORACLE.upsert('"t"', NAMES) == (
        'merge into "t" held using (select :1 as "lienthong_key", :2 as "name", :3 as "size" from dual) given '
        'on (held."lienthong_key" = given."lienthong_key") when matched then update set held."name" = given."name", held."size" = given."size" '
        'when not matched then insert ("lienthong_key", "name", "size") values (given."lienthong_key", given."name", given."size")'
    )
    assert ORACLE.any_row('"t"') == 'select 1 from "t" where rownum = 1'
    assert ORACLE.add_place('"p"') == 'insert into "p" (sync, place) values (:1, :2)'


def test_a_name_cannot_leave_its_quotes() -> None:
    assert (MARIADB.quote("a`b"), SQLSERVER.quote("a]b"), ORACLE.quote('a"b')) == ("`a``b`", "[a]]b]", '"a""b"')


def test_sums_do_not_depend_on_order_and_tell_which_bucket_differs() -> None:
    hashes = {f"K{n}": f"{n:032x}" for n in range(50)}
    left, right = {}, {}  # type: ignore[var-annotated]
    add_up(hashes, left)
    add_up(dict(reversed(hashes.items())), right)
    assert left == right
    add_up({"X": "f" * 32}, right)
    assert differing(left, right) == [bucket_of("X")]
