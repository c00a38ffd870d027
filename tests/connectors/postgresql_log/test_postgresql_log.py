"""An agency's PostgreSQL read by its log: a real server that writes one, from the first whole reading to every change after it."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
import pytest
from structlog.testing import capture_logs

from lienthong.connectors import ReadContext, get_connector, settle
from lienthong.connectors.log_slot import LogOptions, connected, drop_slot, make_slot, slot_state
from lienthong.connectors.pgoutput import Seen, as_cast, parse_lsn, read_message, write_lsn
from lienthong.connectors.probing import probe
from lienthong.contracts import Contract, Delivery, Expect, Source
from lienthong.errors import SourceError
from lienthong.pipeline import Workshop, approve_run, run_dataset, slots
from lienthong.pipeline.alert_rules import read_rules
from lienthong.pipeline.alerting import watch_logs
from lienthong.store.embedded import EmbeddedServer
from tests.conftest import FAST, POSTGRES_15, open_folder
from tests.connectors.reading import Reading, make_source, read_all
from tests.factories import make_contract, make_property, make_workshop
from tests.store.ledgers import entries_of

LOGICAL = {**FAST, "wal_level": "logical", "max_replication_slots": "40", "max_wal_senders": "4"}
PROPERTIES = (
    make_property("id", required=True, key_position=1),
    make_property("ten", required=True),
    make_property("ghi_chu"),
    make_property("con"),
)
_numbers = count()


@contextmanager
def logging_server(binaries: Path | None = None) -> Iterator[EmbeddedServer]:
    with open_folder() as home:
        made = EmbeddedServer(home, binaries=binaries, options=LOGICAL)
        made.start()
        try:
            yield made
        finally:
            made.stop()


@pytest.fixture(scope="module")
def server() -> Iterator[EmbeddedServer]:
    with logging_server() as made:
        yield made


@contextmanager
def published_table(server: EmbeddedServer) -> Iterator[str]:
    """A database of an agency with one table, published."""
    url = server.create_database(f"so_{next(_numbers)}")
    do(
        url,
        "create schema ht",
        "create table ht.nguoi (id integer primary key, ten text, ghi_chu text, con boolean, ma char(5), ip inet, luc timestamptz, luong numeric(12,2), anh bytea)",
        "insert into ht.nguoi select n, 'Lê ' || n, null, n % 2 = 0, 'a', '10.0.0.1', '2026-01-31 10:00+07', 1.50, '\\x00ff' from generate_series(1, 20) n",
        "create publication lienthong_ht_nguoi for table ht.nguoi",
    )
    try:
        yield url
    finally:
        drop_slot(options(url))


@pytest.fixture
def register(server: EmbeddedServer) -> Iterator[str]:
    with published_table(server) as url:
        yield url


def do(url: str, *statements: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())


def source(url: str, **more: Any) -> Source:
    return make_source("postgresql_log", url, Delivery.CHANGES, **{"table": "ht.nguoi", "key": ["id"], **more})


def options(url: str, **more: Any) -> LogOptions:
    return LogOptions.take(source(url, **more), ReadContext())


def end_of(reading: Reading) -> Mapping[str, Any]:
    return reading.batches[-1].position


def changes(url: str, after: Any, batch_rows: int = 1000, **more: Any) -> tuple[list[tuple[str | None, str | None, bool]], Any]:
    """([(id, ten, whether it ended)], position at the end)."""
    reading = read_all(source(url, **more), batch_rows, after)
    ended = [flag for batch in reading.batches if batch.ended is not None for flag in batch.ended.to_pylist()]
    return [(row["id"], row["ten"], flag) for row, flag in zip(reading.rows, ended, strict=True)], end_of(reading)


def test_the_whole_and_then_every_change_in_order(register: str) -> None:
    make_slot(options(register))
    whole = read_all(source(register))
    assert len(whole.rows) == 20
    do(register, "insert into ht.nguoi (id, ten, con) values (21, 'Lê Mới', true)", "update ht.nguoi set ten = 'Lê Khác' where id = 3",
       "delete from ht.nguoi where id = 4", "begin; insert into ht.nguoi (id, ten) values (30, 'bỏ'); rollback",
       "update ht.nguoi set id = 50 where id = 5")  # fmt: skip
    told, end = changes(register, end_of(whole))
    assert told == [("21", "Lê Mới", False), ("3", "Lê Khác", False), ("4", None, True), ("5", None, True), ("50", "Lê 5", False)]
    assert changes(register, end)[0] == []


def test_postgresql_15_is_read_alike() -> None:
    if not (POSTGRES_15 / "postgres").is_file():
        pytest.skip("PostgreSQL 15 is not installed (Debian's package `postgresql`)")
    with logging_server(POSTGRES_15) as older, published_table(older) as url:
        make_slot(options(url))
        whole = end_of(read_all(source(url)))
        do(url, "update ht.nguoi set ten = 'Lê Khác' where id = 3", "delete from ht.nguoi where id = 4")
        assert changes(url, whole)[0] == [("3", "Lê Khác", False), ("4", None, True)]


def test_both_roads_write_every_value_alike(register: str) -> None:
    make_slot(options(register))
    whole = read_all(source(register))
    do(register, "update ht.nguoi set luong = luong + 0")
    log = read_all(source(register), after=end_of(whole))
    assert log.rows == whole.rows
    assert whole.rows[1] == {
        "id": "2", "ten": "Lê 2", "ghi_chu": None, "con": "true", "ma": "a", "ip": "10.0.0.1/32", "luc": "2026-01-31 03:00:00+00", "luong": "1.50",
        "anh": "\\x00ff",
    }  # fmt: skip


def test_what_was_open_while_the_whole_was_read_is_told_once_and_nothing_goes_back(register: str) -> None:
    with psycopg.connect(register) as open_one:
        make_slot_beside(register)
        open_one.execute("update ht.nguoi set ten = 'sau' where id = 1")
        do(register, "update ht.nguoi set ten = 'trước' where id = 2")
        whole = read_all(source(register))
        assert {row["id"]: row["ten"] for row in whole.rows}["2"] == "trước"
        do(register, "update ht.nguoi set ten = 'sau nữa' where id = 2")
        open_one.commit()
    told, _ = changes(register, end_of(whole))
    assert sorted(told) == [("1", "sau", False), ("2", "sau nữa", False)], "the change the whole reading saw is not told again"


def make_slot_beside(url: str) -> None:
    """A slot waits for transactions that are open as it is made; one that only begins to write afterwards does not hold it up."""
    make_slot(options(url))


def test_reading_goes_on_in_the_middle_of_a_transaction_and_is_kept_until_settled(register: str) -> None:
    make_slot(options(register))
    whole = end_of(read_all(source(register)))
    do(register, "begin; insert into ht.nguoi (id, ten) select n, 'mới ' || n from generate_series(100, 106) n; delete from ht.nguoi where id = 1; commit",
       "insert into ht.nguoi (id, ten) values (200, 'cuối')")  # fmt: skip
    everything, end = changes(register, whole)
    assert len(everything) == 9
    for size in (2, 3, 5):
        done = 0
        for batch in get_connector("postgresql_log").read(source(register), ReadContext(batch_rows=size), whole):
            done += batch.table.num_rows
            assert changes(register, batch.position)[0] == everything[done:], "from each place on comes exactly what was left"
    settle(source(register), ReadContext(), end)
    with connected(options(register)) as connection:
        state = slot_state(connection, options(register).slot)
    assert state is not None
    assert state.confirmed == parse_lsn(end["lsn"])
    assert changes(register, end)[0] == []
    settle(source(register), ReadContext(), end)


def test_long_values_the_log_does_not_repeat_are_not_lost(register: str) -> None:
    long = "".join(chr(0x4E00 + n * 7919 % 20000) for n in range(9000))
    with psycopg.connect(register, autocommit=True) as connection:
        connection.execute("alter table ht.nguoi alter column ghi_chu set storage external")
        connection.execute("update ht.nguoi set ghi_chu = %s where id in (1, 2)", (long,))
    make_slot(options(register))
    whole = end_of(read_all(source(register)))
    do(register, "update ht.nguoi set ten = 'đổi' where id in (1, 2)", "delete from ht.nguoi where id = 2")
    reading = read_all(source(register), after=whole)
    assert [(row["id"], row["ten"], row["ghi_chu"] == long) for row in reading.rows] == [("1", "đổi", True), ("2", None, False)]
    do(register, "alter table ht.nguoi replica identity full", "update ht.nguoi set ten = 'nữa' where id = 1")
    reading = read_all(source(register), after=end_of(reading))
    assert [(row["ten"], row["ghi_chu"] == long) for row in reading.rows] == [("nữa", True)]


def test_new_columns_are_told_and_taken_along_and_a_lost_one_stops_reading(register: str) -> None:
    make_slot(options(register))
    whole = end_of(read_all(source(register)))
    do(register, "update ht.nguoi set ten = 'một' where id = 1", "alter table ht.nguoi add column email text",
       "update ht.nguoi set email = 'a@b.vn' where id = 1")  # fmt: skip
    with capture_logs() as logs:
        batches = list(get_connector("postgresql_log").read(source(register), ReadContext(), whole))
    assert ["email" in batch.table.column_names for batch in batches] == [False, True]
    assert [entry["added"] for entry in logs if entry["event"] == "source_columns_changed"] == [["email"]]
    do(register, "alter table ht.nguoi drop column ten", "update ht.nguoi set email = 'c@d.vn' where id = 1")
    with pytest.raises(SourceError, match="no longer has the column `ten`"):
        read_all(source(register, columns=["id", "ten"]), after=batches[-1].position)


def test_an_emptied_table_is_told_and_ends_nothing_by_itself(register: str) -> None:
    make_slot(options(register))
    whole = end_of(read_all(source(register)))
    do(register, "truncate ht.nguoi")
    with pytest.raises(SourceError, match="TRUNCATE") as caught:
        changes(register, whole)
    assert "--again" in caught.value.hint


@pytest.mark.parametrize(
    ("statements", "more", "words"),
    [
        (["drop publication lienthong_ht_nguoi"], {}, "in no publication"),
        (
            ["drop publication lienthong_ht_nguoi", "create publication lienthong_ht_nguoi for table ht.nguoi with (publish = 'insert')"],
            {},
            "leaves out changes",
        ),
        (["alter table ht.nguoi replica identity nothing"], {}, "replica identity nothing"),
        ([], {"key": ["ten"]}, "does not tell `ten`"),
        (["create view ht.xem as select * from ht.nguoi"], {"table": "ht.xem"}, "a view has no log"),
        ([], {"table": "ht.khong_co"}, "there is no table"),
    ],
)
def test_what_stands_in_the_way_is_told_with_what_to_run(register: str, statements: list[str], more: dict[str, Any], words: str) -> None:
    do(register, *statements)
    with pytest.raises(SourceError, match=words) as caught:
        make_slot(options(register, publication="lienthong_ht_nguoi", **more))
    assert "password" not in str(caught.value)


def test_trying_the_source_says_what_is_missing_and_takes_nothing(register: str) -> None:
    steps = list(probe(source(register), ReadContext()))
    assert [step.is_ok for step in steps][-1] is False
    assert "slot make" in steps[-1].hint
    make_slot(options(register))
    steps = list(probe(source(register), ReadContext()))
    assert all(step.is_ok for step in steps)
    assert "`ten`" in steps[-1].en
    assert len(read_all(source(register)).rows) == 20


def test_a_missing_slot_and_one_that_is_there_are_told(register: str) -> None:
    with pytest.raises(SourceError, match="no replication slot") as caught:
        read_all(source(register))
    assert "lienthong slot make" in caught.value.hint
    make_slot(options(register))
    with pytest.raises(SourceError, match="already"):
        make_slot(options(register))
    make_slot(options(register), again=True)


# From the log to a published dataset.


@pytest.fixture
def place(register: str, database_url: str) -> tuple[Workshop, Contract]:
    contract = make_contract(
        sources=(replace(source(register), name="nhat_ky"),), properties=PROPERTIES, expect=Expect(ended_max_percent=50)
    )
    return make_workshop(database_url, contract), contract


def published(workshop: Workshop) -> dict[str, str]:
    with workshop.database.connect() as connection:
        return dict(connection.execute("select id, ten from data.test_people").fetchall())


def held(url: str) -> dict[str, str]:
    with psycopg.connect(url) as connection:
        return dict(connection.execute("select id::text, ten from ht.nguoi").fetchall())


def test_a_dataset_follows_its_register(place: tuple[Workshop, Contract], register: str) -> None:
    workshop, contract = place
    slots.make(workshop, contract, None, "can-bo")
    assert run_dataset(workshop, contract).rows_published == 20
    do(register, "update ht.nguoi set ten = 'Lê Khác' where id < 4", "update ht.nguoi set ten = 'Lê Khác Nữa' where id = 2", "delete from ht.nguoi where id > 18",
       "insert into ht.nguoi (id, ten) values (19, 'Lê Trở Lại'), (40, 'Lê Mới')", "delete from ht.nguoi where id = 40")  # fmt: skip
    outcome = run_dataset(workshop, contract)
    assert published(workshop) == held(register)
    assert (outcome.rows_in, outcome.rows_published, outcome.rows_ended, outcome.rows_unchanged) == (9, 5, 1, 4)
    assert run_dataset(workshop, contract).rows_in == 0


def test_a_slot_made_anew_reads_the_table_whole_and_too_many_ends_wait(place: tuple[Workshop, Contract], register: str) -> None:
    workshop, contract = place
    slots.make(workshop, contract, None, "can-bo")
    run_dataset(workshop, contract)
    do(register, "truncate ht.nguoi", "insert into ht.nguoi (id, ten) values (1, 'Lê 1')")
    with pytest.raises(SourceError, match="TRUNCATE"):
        run_dataset(workshop, contract)
    slots.make(workshop, contract, None, "can-bo", again=True)
    waiting = run_dataset(workshop, contract)
    assert (waiting.state, len(published(workshop))) == ("waiting", 20)
    approve_run(workshop, waiting.run_id, "can-bo")
    assert published(workshop) == {"1": "Lê 1"}
    do(register, "insert into ht.nguoi (id, ten) values (2, 'Lê Hai')")
    run_dataset(workshop, contract)
    assert published(workshop) == held(register)


def test_two_writers_at_once_while_runs_go_on_and_the_server_is_killed_lose_nothing(
    place: tuple[Workshop, Contract], register: str, server: EmbeddedServer
) -> None:
    workshop, contract = place
    slots.make(workshop, contract, None, "can-bo")
    run_dataset(workshop, contract)
    stop = threading.Event()

    def write(first: int) -> None:
        try:
            with psycopg.connect(register, autocommit=True) as connection:
                for n in count(first):
                    if stop.is_set():
                        return
                    connection.execute("insert into ht.nguoi (id, ten) values (%s, 'mới')", (n,))
                    connection.execute("update ht.nguoi set ten = ten || 'x' where id = %s", (n,))
                    if n % 3 == 0:
                        connection.execute("delete from ht.nguoi where id = %s", (n,))
        except psycopg.Error:
            return  # the server was killed

    writers = [threading.Thread(target=write, args=(first,)) for first in (1_000, 500_000)]
    for writer in writers:
        writer.start()
    for _ in range(2):
        run_dataset(workshop, contract)
    process = server.process_id
    assert process is not None
    reading = iter(get_connector("postgresql_log").read(contract.sources[0], ReadContext(batch_rows=10), last_position(workshop)))
    next(reading)
    os.kill(process, signal.SIGKILL)
    stop.set()
    for writer in writers:
        writer.join()
    with pytest.raises(SourceError):
        run_dataset(workshop, contract)
    with suppress(SourceError):  # what was on the line already may be all there was
        list(reading)
    server.stop()
    server.start()
    run_dataset(workshop, contract)
    run_dataset(workshop, contract)
    assert published(workshop) == held(register)


def last_position(workshop: Workshop) -> Any:
    with workshop.database.connect() as connection:
        row = connection.execute(
            "select position from runs where state in ('published', 'unchanged') order by run_id desc limit 1"
        ).fetchone()
    assert row is not None
    return row[0]


def test_log_that_piles_up_raises_an_alert_that_passes_when_it_is_taken(place: tuple[Workshop, Contract], register: str) -> None:
    workshop, contract = place
    slots.make(workshop, contract, None, "can-bo")
    rules = [replace(rule, limits={"megabytes": 0.05}) for rule in read_rules() if rule.kind == "source_log"]
    run_dataset(workshop, contract)
    do(register, "insert into ht.nguoi (id, ten) select n, repeat('x', 200) from generate_series(1000, 2000) n")
    assert watch_logs(workshop, rules, slots.watched(workshop)) == 1
    assert watch_logs(workshop, rules, slots.watched(workshop)) == 0
    with workshop.database.connect() as connection:
        assert connection.execute("select state from alerts").fetchall() == [("open",)]
    assert "source:slot:made" in [entry["event"] for entry in entries_of(workshop.database, workshop.signer)]


# The messages by themselves.


def test_places_and_snapshots_are_read_as_the_server_writes_them() -> None:
    assert write_lsn(parse_lsn("16/B374D848")) == "16/B374D848"
    seen = Seen.of("100:110:103,105")
    assert [xid for xid in (99, 102, 103, 104, 105, 109, 110, 200) if seen.has(xid)] == [99, 102, 104, 109]
    assert Seen.of("4294967300:4294967310:").has(4294967295), "numbers of transactions go round"
    assert as_cast("::1", 869) == "::1/128"


@pytest.mark.parametrize("data", [b"", b"X", b"I\0\0\0\1N\0\2t\0\0\0\5ab", b"B\0", b"R\0\0\0\1abc", b"U\0\0\0\1N\0\1q"])
def test_a_damaged_message_is_a_value_error(data: bytes) -> None:
    with pytest.raises(ValueError, match="kind"):
        read_message(data)
