"""A SQLite database delivered as a file: read and never written, with nothing in it trusted."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from lienthong.connectors import ReadContext, fingerprint
from lienthong.errors import HostileInputError, SourceError
from tests.connectors.reading import check_resuming, make_source, read_all


def made(path: Path, *statements: str) -> Path:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)
    return path


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return made(
        tmp_path / "so.db",
        'create table so (id integer primary key, "Họ tên" text, luong real, anh blob, gi)',
        "insert into so values (1, 'Lê Ỷ', 0.1, x'00ff', 5), (2, '', 1e22, null, 'chữ'), (3, null, -0.0, null, 2.5), (10, 'mười', 9007199254740993, null, null)",
    )


def test_values_are_exact_text_whatever_their_type(file: Path) -> None:
    reading = read_all(make_source("sqlite_file", file, table="so", key=["id"]))
    by_id = {row["id"]: row for row in reading.rows}
    assert by_id["1"] == {"id": "1", "Họ tên": "Lê Ỷ", "luong": "0.1", "anh": "\\x00ff", "gi": "5"}
    assert (by_id["2"]["luong"], by_id["2"]["gi"], by_id["3"]["gi"], by_id["10"]["luong"]) == ("1e+22", "chữ", "2.5", "9007199254740992.0")
    assert reading.batches[0].file.sha256


def test_reading_goes_on_in_tables_and_queries_even_where_keys_repeat_or_lack(file: Path) -> None:
    made(file, "insert into so (id, \"Họ tên\") select id + 100, case when id % 3 = 0 then null else 'trùng' end from so")
    check_resuming(make_source("sqlite_file", file, table="so", key=["Họ tên"]), (1, 3))
    check_resuming(
        make_source("sqlite_file", file, query='select "Họ tên" as ten, count(*) as dem from so group by 1', key=["ten"]), (1, 2)
    )


def test_the_same_file_is_recognised_and_nothing_is_written_beside_it(file: Path) -> None:
    source = make_source("sqlite_file", file, table="so", key=["id"])
    before = (fingerprint(source, ReadContext()), file.read_bytes())
    read_all(source)
    assert (fingerprint(source, ReadContext()), file.read_bytes()) == before
    assert [path.name for path in file.parent.iterdir()] == ["so.db"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"table": "khong_co"}, "has no table"),
        ({"key": ["khong_co"]}, "has no column"),
        ({"query": "attach '/etc/passwd' as x", "table": ""}, "SELECT|ATTACH"),
        ({"query": "select load_extension('x') as id", "table": ""}, "load_extension"),
        ({"where": "1) union select name, sql, 1, 1, 1 from (sqlite_master"}, "SQL|SELECT|columns"),
        (
            {
                "query": "with recursive r(id) as (select 1 union all select id + 1 from r) select id from r",
                "table": "",
                "timeout_seconds": 0.2,
            },
            "interrupted",
        ),
    ],
)
def test_what_is_wrong_or_does_harm_is_refused_in_words(file: Path, options: dict[str, Any], words: str) -> None:
    with pytest.raises(SourceError, match=words):
        read_all(make_source("sqlite_file", file, **{"table": "so", "key": ["id"], **options}))


def test_a_view_in_the_file_can_do_nothing_but_read(file: Path) -> None:
    made(file, "create view bay as select id, randomblob(100000000) as x from so", "create view tot as select id from so")
    assert len(read_all(make_source("sqlite_file", file, table="tot", key=["id"])).rows) == 4
    with pytest.raises(HostileInputError, match=r"authoriz|prohibited"):
        read_all(make_source("sqlite_file", file, table="bay", key=["id"]))


def test_a_damaged_file_one_that_is_none_and_one_with_changes_beside_it_are_told_apart(file: Path, tmp_path: Path) -> None:
    other = tmp_path / "khac.db"
    other.write_bytes(b"not a database at all, but long enough to look at" * 30)
    with pytest.raises(SourceError, match="not a database"):
        read_all(make_source("sqlite_file", other, table="so", key=["id"]))
    whole = file.read_bytes()
    other.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(SourceError, match=r"cannot be read|has no table"):
        read_all(make_source("sqlite_file", other, table="so", key=["id"]))
    Path(f"{file}-wal").write_bytes(b"x" * 100)
    with pytest.raises(SourceError, match="backup"):
        read_all(make_source("sqlite_file", file, table="so", key=["id"]))
