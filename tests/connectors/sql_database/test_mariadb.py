"""Another agency's MariaDB: every kind of value as exact text, in the order of its key, whole or as it grows."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from lienthong.connectors import ReadContext, get_connector, read
from lienthong.connectors.sql_mariadb import _answer
from lienthong.contracts import Delivery, Source
from lienthong.errors import HostileInputError, SourceError
from tests.connectors.reading import check_hashes, check_resuming, make_source, read_all
from tests.connectors.sql_database.servers import maria_url, run


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with maria_url() as url:
        run(
            url,
            "create table nguoi (id int unsigned primary key, ho_ten varchar(50) character set utf8mb4, luong decimal(20,4), ti_le float, so double,"
            " ngay date, gio time(3), luc_dia_phuong datetime(6), luc timestamp(3) null, con bit(1), quyen bit(4), anh varbinary(20),"
            " loai enum('a','b'), nhom set('x','y'), nam year, thu json, ma char(5), cu varchar(20) character set latin1,"
            " dien bigint, diem point) character set utf8mb4",
            "set time_zone = '+07:00'",
            "insert into nguoi values (1, 'Lê Thị Ỷ', 12345678901234.5000, 0.1, 0.1, '1980-03-07', '10:00:00.5', '2026-01-31 10:00:00.000001',"
            " '2026-01-31 10:00:00', b'1', b'0101', x'00ff', 'b', 'x,y', 1999, '{\"a\": 1}', '00007', 'déjà', 9223372036854775807, point(1,2))",
            "insert into nguoi (id, ho_ten) values (2, ''), (3, null)",
            "set sql_mode = ''",
            "insert into nguoi (id, ngay, ti_le) values (4, '0000-00-00', 16777215)",
        )
        yield url


@pytest.fixture
def numbers(server: str) -> str:
    """Rows without a unique key: some share it, in letters that compare as equal, some lack it."""
    run(
        server,
        "create or replace table so (ma varchar(10) character set utf8mb4, n int)",
        "insert into so values ('b', 1), ('B', 2), ('a', 3), ('a', 4), (null, 5), ('á', 6), (null, 7), ('', 8), ('b\\'\\\\', 9), ('b', 1)",
    )
    return server


def people(url: str, delivery: Delivery = Delivery.SNAPSHOT, **options: Any) -> Source:
    return make_source("sql_database", url, delivery, **{"table": "kho.nguoi", "key": ["id"], **options})


def test_every_kind_of_value_is_exact_text(server: str) -> None:
    reading = read_all(people(server))
    assert reading.rows[0] == {
        "id": "1", "ho_ten": "Lê Thị Ỷ", "luong": "12345678901234.5000", "ti_le": "0.1", "so": "0.1", "ngay": "1980-03-07", "gio": "10:00:00.500",
        "luc_dia_phuong": "2026-01-31 10:00:00.000001", "luc": "2026-01-31 03:00:00.000+00", "con": "1", "quyen": "0101", "anh": "\\x00ff",
        "loai": "b", "nhom": "x,y", "nam": "1999", "thu": '{"a": 1}', "ma": "00007", "cu": "déjà", "dien": "9223372036854775807",
        "diem": "POINT(1 2)",
    }  # fmt: skip
    assert [row["ho_ten"] for row in reading.rows] == ["Lê Thị Ỷ", "", None, None]
    assert (reading.rows[3]["ngay"], reading.rows[3]["ti_le"]) == ("0000-00-00", "16777215")
    assert reading.batches[0].file.uri.endswith("/kho#kho.nguoi")
    assert "mat-khau" not in reading.batches[0].file.uri


def test_reading_goes_on_from_any_row(server: str) -> None:
    check_resuming(people(server))


def test_the_server_hashes_its_rows_as_they_land(server: str) -> None:
    check_hashes(people(server))
    check_hashes(people(server, table="", query="select id, ho_ten, anh from nguoi", key=["id", "ho_ten"], where="id > 1"))


def test_keys_that_compare_as_equal_but_are_not_lose_and_repeat_nothing(numbers: str) -> None:
    source = make_source("sql_database", numbers, table="kho.so", key=["ma"])
    assert sorted(row["n"] or "" for row in read_all(source).rows) == ["1", "1", "2", "3", "4", "5", "6", "7", "8", "9"]
    check_resuming(source, (1, 2, 3))


def test_a_query_is_read_like_a_table(numbers: str) -> None:
    source = make_source(
        "sql_database",
        numbers,
        query="select n % 4 as nhom, sum(n) as tong, min(ma) as ma from so group by n % 4",
        key=["nhom"],
        where="tong > 7",
    )
    assert [(row["nhom"], row["tong"]) for row in read_all(source).rows] == [("0", "12"), ("1", "16"), ("2", "8"), ("3", "10")]
    check_resuming(source, (1, 2))


def test_values_that_hold_the_sign_between_values_come_whole(server: str) -> None:
    run(server, "create or replace table la (id int primary key, chu text character set utf8mb4)",
        "insert into la values (1, 'một'), (2, concat('hai', char(31), 'ba')), (3, 'bốn'), (4, concat('năm', char(0)))")  # fmt: skip
    reading = read_all(make_source("sql_database", server, table="kho.la", key=["id"]), batch_rows=2)
    assert [row["chu"] for row in reading.rows] == ["một", "hai\x1fba", "bốn"]
    assert [(row.source_row, row.code) for row in reading.broken] == [(4, "row.nul")]


def test_one_state_is_read_and_nothing_is_written(server: str) -> None:
    run(server, "create or replace table doi (id int primary key)", "insert into doi select seq from seq_1_to_20")
    batches = read(make_source("sql_database", server, table="kho.doi", key=["id"]), ReadContext(batch_rows=5))
    first = next(batches)
    run(server, "insert into doi values (100)", "delete from doi where id > 15")
    assert first.table.num_rows + sum(batch.table.num_rows for batch in batches) == 20
    run(server, "create or replace function ghi() returns int begin insert into doi values (99); return 1; end")
    with pytest.raises(SourceError, match=r"(?i)read.only"):
        read_all(make_source("sql_database", server, table="kho.doi", key=["id"], where="ghi() = 1"))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"table": "kho.khong_co"}, "has no table"),
        ({"key": ["khong_co"]}, "has no column khong_co"),
        ({"table": "", "query": "select 1; drop table nguoi"}, "expected one SELECT"),
        ({"table": "", "query": "select * from nguoi into outfile '/tmp/x'"}, "cannot be read as SQL"),
        ({"table": "", "query": "select id, load_file('/etc/passwd') from nguoi"}, "load_file"),
        ({"table": "", "query": "select id from nguoi /*! union select 1 */"}, "comments"),
        ({"where": "sleep(10) = 0"}, "sleep"),
        ({"where": "'\\' = sleep(10) or ' '"}, "backslash"),
        ({"where": "id = 1) union select 1, (2"}, "SELECT|SQL|column"),
        ({"timeout_seconds": 0.05, "where": "(select count(*) from seq_1_to_1000000 a, seq_1_to_1000 b) > 0"}, "max_statement_time"),
    ],
)
def test_what_is_wrong_or_does_harm_is_refused_in_words(server: str, options: dict[str, Any], words: str) -> None:
    with pytest.raises(SourceError, match=words):
        read_all(people(server, **options))


def test_a_wrong_password_and_a_cut_line_are_told_without_secrets(server: str) -> None:
    with pytest.raises(SourceError, match="cannot be read") as caught:
        read_all(people(server.replace("mat-khau", "khac-hẳn")))
    assert "khac" not in str(caught.value)
    run(
        server,
        "create or replace table dai (id int primary key, chu varchar(500))",
        "insert into dai select seq, repeat('x', 500) from seq_1_to_60000",
    )
    batches = read(make_source("sql_database", server, table="kho.dai", key=["id"]), ReadContext(batch_rows=1000))
    next(batches)
    run(
        server,
        *(
            f"kill {row[0]}"
            for row in run(server, "select id from information_schema.processlist where info like '%dai%' and id <> connection_id()")
        ),
    )
    with pytest.raises(SourceError, match="cannot be read"):
        for _ in batches:
            pass


def grown(url: str, after: Any = None, batch_rows: int = 1000) -> tuple[list[dict[str, str | None]], Any]:
    """(rows, position at the end) of one reading by cursor."""
    source = make_source("sql_database", url, Delivery.CHANGES, table="kho.lon", key=["id"], cursor="luc", overlap=60)
    reading = read_all(source, batch_rows, after)
    assert reading.batches[-1].table.num_rows == 0
    return reading.rows, reading.batches[-1].position


def test_a_reading_by_cursor_takes_what_grew_and_a_little_before(server: str) -> None:
    run(
        server, "create or replace table lon (id int primary key, luc timestamp(3) null)", "set time_zone = '+00:00'",
        "insert into lon values (1, '2026-01-01 00:00:00'), (2, '2026-01-01 00:01:30'), (3, '2026-01-01 00:02:00'), (4, null)",
    )  # fmt: skip
    rows, end = grown(server)
    assert [row["id"] for row in rows] == ["1", "2", "3", "4"]
    assert end["since"] == "2026-01-01 00:02:00.000+00"
    run(server, "set time_zone = '+00:00'", "insert into lon values (5, '2026-01-01 00:02:00'), (6, '2026-01-01 00:05:00')")
    with capture_logs() as logs:
        rows, end = grown(server, end)
    assert [row["id"] for row in rows] == ["4", "2", "3", "5", "6"], "those without a cursor each time, equal values and the overlap again"
    assert [entry["rows"] for entry in logs if entry["event"] == "rows_without_cursor"] == [1]
    assert end["since"] == "2026-01-01 00:05:00.000+00"


def test_a_reading_by_cursor_that_was_cut_off_goes_on_and_a_clock_ahead_hides_nothing(server: str) -> None:
    run(server, "create or replace table lon (id int primary key, luc timestamp(3) null)",
        "insert into lon select seq, '2026-01-01 00:00:00' from seq_1_to_7", "insert into lon values (8, '2037-01-01 00:00:00')")  # fmt: skip
    source = make_source("sql_database", server, Delivery.CHANGES, table="kho.lon", key=["id"], cursor="luc")
    first = next(iter(get_connector("sql_database").read(source, ReadContext(batch_rows=3))))
    assert [row["id"] for row in read_all(source, after=first.position).rows] == ["4", "5", "6", "7", "8"]
    _, end = grown(server)
    assert end["since"] < "2037", "never past the server's own time"


def test_a_cursor_needs_a_delivery_of_changes_and_a_column_that_grows(server: str) -> None:
    with pytest.raises(SourceError, match="delivery: changes"):
        read_all(people(server, cursor="luc"))
    with pytest.raises(SourceError, match="cannot be a cursor"):
        read_all(people(server, Delivery.CHANGES, cursor="loai"))


def test_a_server_that_must_prove_itself_and_cannot_is_told_nothing(server: str) -> None:
    with pytest.raises(SourceError, match=r"(?i)ssl|tls"):
        read_all(people(server, tls="required"))


def test_refusals_of_queries_are_hostile(server: str) -> None:
    with pytest.raises(HostileInputError):
        read_all(people(server, table="", query="delete from nguoi"))


def test_a_server_that_is_killed_in_the_middle_is_told_and_what_was_given_stays_whole() -> None:
    with maria_url() as url:
        run(
            url,
            "create table dai (id int primary key, chu varchar(500))",
            "insert into dai select seq, repeat('x', 500) from seq_1_to_60000",
        )
        batches = read(make_source("sql_database", url, table="kho.dai", key=["id"]), ReadContext(batch_rows=1000))
        first = next(batches)
        os.kill(int(Path(run(url, "select @@pid_file")[0][0]).read_text()), signal.SIGKILL)
        given = first.table.num_rows
        with pytest.raises(SourceError, match="cannot be read"):
            for batch in batches:
                given += batch.table.num_rows
                assert batch.position["row"] == given


def test_hostile_values_stay_values(server: str) -> None:
    run(
        server,
        "create table doc (id int primary key, chu text character set utf8mb4 collate utf8mb4_general_ci, cu varchar(40) character set latin1,"
        " viet varchar(40) character set utf8mb4 collate utf8mb4_unicode_ci, dai longtext character set utf8mb4) character set utf8mb4",
        "insert into doc values (1, '=cmd|'' /C calc''!A0', x'41818d8f909d42', '@SUM(1)', repeat('ữ', 4000000)), (2, concat('a', char(0), 'b'), 'x', 'y', 'z'),"
        " (3, 'sau', 'é', '<!ENTITY x>', repeat('1', 250)), (4, '', null, 'a\\nb', repeat('2', 251))",
    )
    source = make_source("sql_database", server, table="kho.doc", key=["id"])
    reading = read_all(source, 2)
    first, third, fourth = reading.rows
    assert (first["id"], first["chu"], first["viet"], first["dai"]) == ("1", "=cmd|' /C calc'!A0", "@SUM(1)", "ữ" * 4_000_000)
    assert (str(first["cu"])[0], str(first["cu"])[-1]) == ("A", "B")
    assert [row.code for row in reading.broken] == ["row.nul"]
    assert (third["id"], third["cu"], third["viet"], third["dai"]) == ("3", "é", "<!ENTITY x>", "1" * 250)
    assert (fourth["chu"], fourth["cu"], fourth["viet"], fourth["dai"]) == ("", None, "a\nb", "2" * 251)
    run(server, "insert into doc values (5, concat('a', char(31), 'b'), 'x', char(30), repeat('3', 70000))")
    again = read_all(source, 3)
    assert (again.rows[-1]["chu"], again.rows[-1]["viet"], again.rows[-1]["dai"]) == ("a\x1fb", "\x1e", "3" * 70_000)
    assert again.rows[:-1] == reading.rows


def test_a_row_longer_than_a_packet_comes_whole() -> None:
    whole = _answer(
        _Line(
            b"\xff\xff\xff\0" + b"\xfd\xfc\xff\xff" + b"x" * (0xFFFFFF - 4) + b"\1\0\0\1" + b"y" + b"\2\0\0\2\1z" + b"\5\0\0\3\xfe\0\0\2\0"
        ),
        9,
    )
    rows = next(whole)
    assert [rows.data[b:e][-1:].tobytes() for b, e in zip(rows.begins, rows.ends, strict=True)] == [b"y", b"z"]
    assert (rows.ends - rows.begins).tolist() == [0xFFFFFF + 1, 2]
    assert list(whole) == []


class _Line:
    """Bytes that come in small parts."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def read1(self, _: int) -> bytes:
        part, self._data = self._data[:999_983], self._data[999_983:]
        return part
