"""Another PostgreSQL: one state of it, every column as text, in the order of its key."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psycopg
import pytest

from lienthong.connectors import ReadContext, read
from lienthong.errors import SourceError
from tests.connectors.reading import check_hashes, check_resuming, make_source, read_all


@pytest.fixture
def population(database_url: str) -> str:
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("create schema cong_dan")
        connection.execute(
            'create table cong_dan.nhan_khau (so_ho_so integer, "Họ tên" text, ngay_sinh date, con boolean, luong numeric(12,2), luc timestamptz)'
        )
        connection.execute(
            "insert into cong_dan.nhan_khau select n, 'Lê ' || n, date '1980-03-07' + n, n % 2 = 0, n * 1.5, '2026-01-31 10:00:00+07' "
            "from generate_series(40, 1, -1) n"
        )
        connection.execute(
            "insert into cong_dan.nhan_khau (so_ho_so, \"Họ tên\") values (null, 'không số'), (7, 'trùng số'), (null, null), (7, '')"
        )
    return database_url


def test_a_table_is_read_as_text_in_the_order_of_its_key(population: str) -> None:
    source = make_source("sql_database", "${DEMO_POPULATION_URL}", table="cong_dan.nhan_khau", key=["so_ho_so"])
    reading = read_all(source, variables={"DEMO_POPULATION_URL": population})
    assert reading.rows[2] == {
        "so_ho_so": "1", "Họ tên": "Lê 1", "ngay_sinh": "1980-03-08", "con": "false", "luong": "1.50", "luc": "2026-01-31 03:00:00+00",
    }  # fmt: skip
    assert [row["so_ho_so"] for row in reading.rows[:2]] == [None, None]
    assert len(reading.rows) == 44
    assert reading.source_rows == list(range(1, 45))
    uri = reading.batches[0].file.uri
    assert uri.endswith("#cong_dan.nhan_khau")
    assert "@" not in uri


def test_reading_goes_on_from_any_key_even_one_that_several_rows_bear(population: str) -> None:
    check_resuming(make_source("sql_database", population, table="cong_dan.nhan_khau", key=["so_ho_so"]), (1, 4, 10))


def test_keys_of_several_columns_and_views_go_on_too(population: str) -> None:
    with psycopg.connect(population, autocommit=True) as connection:
        connection.execute("create view cong_dan.xem as select so_ho_so % 5 as nhom, * from cong_dan.nhan_khau")
    check_resuming(make_source("sql_database", population, table="cong_dan.xem", key=["nhom", "ngay_sinh"]), (3,))


def test_the_server_hashes_its_rows_as_they_land(population: str) -> None:
    check_hashes(make_source("sql_database", population, table="cong_dan.nhan_khau", key=["so_ho_so"]))
    with psycopg.connect(population, autocommit=True) as connection:
        connection.execute(
            "create view cong_dan.xem as select *, so_ho_so % 5 as nhom, '\\x00ff'::bytea as anh, 0.1::real as le from cong_dan.nhan_khau"
        )
    check_hashes(make_source("sql_database", population, table="cong_dan.xem", key=["nhom", "ngay_sinh"], where="nhom > 1"))


def test_columns_and_rows_can_be_chosen(population: str) -> None:
    source = make_source(
        "sql_database", population, table="cong_dan.nhan_khau", key=["so_ho_so"], columns=["Họ tên"], where="so_ho_so > 38"
    )
    assert read_all(source).rows == [{"Họ tên": "Lê 39"}, {"Họ tên": "Lê 40"}]


def test_rows_that_come_while_reading_wait_for_the_next_run(population: str) -> None:
    source = make_source("sql_database", population, table="cong_dan.nhan_khau", key=["so_ho_so"])
    batches = read(source, ReadContext(batch_rows=5))
    first = next(batches)
    with psycopg.connect(population, autocommit=True) as connection:
        connection.execute("insert into cong_dan.nhan_khau (so_ho_so) values (1000)")
    assert first.table.num_rows + sum(batch.table.num_rows for batch in batches) == 44


def test_the_source_is_never_written_to(population: str) -> None:
    with psycopg.connect(population, autocommit=True) as connection:
        connection.execute(
            "create function cong_dan.ghi() returns integer language sql as 'insert into cong_dan.nhan_khau(so_ho_so) values (99) returning 1'"
        )
    with pytest.raises(SourceError, match="read-only"):
        read_all(make_source("sql_database", population, table="cong_dan.nhan_khau", key=["so_ho_so"], where="cong_dan.ghi() = 1"))


def test_an_empty_table_gives_its_columns(population: str) -> None:
    reading = read_all(make_source("sql_database", population, table="cong_dan.nhan_khau", key=["so_ho_so"], where="false"))
    assert (reading.columns[0], reading.rows) == ("so_ho_so", [])


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"table": "cong_dan.khong_co", "key": ["a"]}, "has no table"),
        ({"table": "cong_dan.nhan_khau", "key": ["khong_co"]}, "has no column khong_co"),
        ({"table": "nhan_khau", "key": ["a"]}, "expected `schema.table`"),
        ({"table": "cong_dan.nhan_khau"}, "`key` is required"),
    ],
)
def test_what_is_missing_is_named(population: str, options: dict[str, Any], words: str) -> None:
    with pytest.raises(SourceError, match=words):
        read_all(make_source("sql_database", population, **options))


def test_a_server_that_does_not_answer_is_named_without_its_password(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="cannot be read") as caught:
        read_all(make_source("sql_database", "postgresql://lgsp:matkhau@127.0.0.1:9/x", table="a.b", key=["c"]))
    assert "matkhau" not in str(caught.value)
