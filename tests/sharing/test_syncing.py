"""A copy in an agency's own database is equal to what was agreed, after whatever happened."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import psycopg
import pymysql
import pytest

from lienthong.access import Agencies, Agency, PublicKey, Quota, Register, RowCondition, State, Subsystem
from lienthong.sharing import syncing
from lienthong.sharing.sync_checking import check
from lienthong.sharing.sync_definitions import SyncDefinition
from lienthong.sharing.syncing import is_due
from lienthong.store import syncs as store
from tests.conftest import fresh_database
from tests.sharing.syncs import Source, definition_of, make_source, mariadb, rows
from tests.store.ledgers import written


@pytest.fixture(scope="module")
def mariadb_port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    with mariadb(tmp_path_factory.mktemp("mariadb")) as port:
        yield port


@dataclass
class Copy:
    """The agency's database, as the agency sees it."""

    definition: SyncDefinition
    url: str = ""
    port: int = 0

    def run(self, statement: str) -> list[tuple[Any, ...]]:
        if self.url:
            with psycopg.connect(self.url, autocommit=True, options="-c timezone=UTC") as connection:
                cursor = connection.execute(statement)
                return cursor.fetchall() if cursor.description else []
        server = pymysql.connect(host="127.0.0.1", port=self.port, user="kho", password="mat-khau", database="kho", autocommit=True)
        with server, server.cursor() as asked:
            asked.execute(statement)
            return list(asked.fetchall())

    def rows(self) -> list[tuple[Any, ...]]:
        found = self.run("select * from things order by lienthong_key" + (' collate "C"' if self.url else ""))
        return found if self.url else [_back(row) for row in found]


def _back(row: tuple[Any, ...]) -> tuple[Any, ...]:
    from datetime import UTC

    key, no, name, size, share, good, born, seen, *more = row
    return (
        key,
        no,
        name,
        size,
        share,
        None if good is None else bool(good),
        born,
        None if seen is None else seen.replace(tzinfo=UTC),
        *more,
    )


@pytest.fixture(params=["postgresql", "mariadb"])
def copy(request: pytest.FixtureRequest, postgres_server: Any) -> Iterator[Copy]:
    if request.param == "postgresql":
        with fresh_database(postgres_server) as url:
            yield Copy(definition_of("postgresql", url), url=url)
        return
    port = request.getfixturevalue("mariadb_port")
    made = Copy(definition_of("mariadb", f"mariadb://kho@127.0.0.1:{port}/kho", password="${P}"), port=port)
    yield made
    for table in ("things", "lienthong_syncs"):
        made.run(f"drop table if exists {table}")


@pytest.fixture
def source(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Source:
    monkeypatch.setattr(syncing, "FILL_ROWS", 40)
    monkeypatch.setattr(syncing, "CHANGES", 7)
    made = make_source(database_url, tmp_path)
    plain = made.office

    def office(**more: Any) -> Any:
        from dataclasses import replace

        return replace(plain(**more), variables={"P": "mat-khau"})

    monkeypatch.setattr(made, "office", office)
    return made


def test_a_copy_is_filled_and_follows(source: Source, copy: Copy) -> None:
    source.publish(rows(100))
    state = source.sync(copy.definition)
    assert (state.state, state.version, state.said_en) == ("following", 1, "")
    assert copy.rows() == source.expected()
    changed = rows(120, 20) | {"K00050": ("Khác", 1, -0.5, False, "1999-12-31", "2026-02-03T04:05:06Z")}
    source.publish(changed)
    assert source.sync(copy.definition).version == 2
    assert copy.rows() == source.expected()


def test_what_happened_in_days_of_outage_is_caught_up(source: Source, copy: Copy) -> None:
    source.publish(rows(50))
    source.sync(copy.definition)
    for begin in range(1, 6):
        source.publish(rows(50, begin * 9))
    state = source.sync(copy.definition)
    assert (state.version, copy.rows()) == (6, source.expected())


def test_rows_changed_removed_and_added_by_hand_are_named_and_put_back(source: Source, copy: Copy) -> None:
    source.publish(rows(60))
    source.sync(copy.definition)
    copy.run("update things set size = 5, name = 'tay' where lienthong_key = 'K00007'")
    copy.run("delete from things where lienthong_key = 'K00008'")
    copy.run("insert into things (lienthong_key, name) values ('X', 'la')")
    found = check(source.office(), copy.definition, repair=False)
    assert (found.is_equal, found.changed, found.missing, found.foreign) == (False, 1, 1, 1)
    assert {(d.kind, d.key, d.fields) for d in found.drifts} == {
        ("changed", "K00007", ("name", "size")), ("missing", "K00008", ()), ("foreign", "X", ()),
    }  # fmt: skip
    assert copy.rows() != source.expected()
    check(source.office(), copy.definition, repair=True)
    assert copy.rows() == source.expected()
    assert check(source.office(), copy.definition, repair=True).is_equal
    with source.workshop.database.connect() as connection:
        assert [d.put_back_at is not None for d in store.drifts(connection, "kho")] == [True, True, True, False, False, False]
    events = [entry["event"] for entry in written(source.workshop.database) if entry["event"].startswith("sync:copy")]
    assert events == ["sync:copy:checked", "sync:copy:repaired", "sync:copy:checked"]


def test_a_copy_holds_only_what_was_agreed(source: Source, copy: Copy) -> None:
    source.agree(fields=("no", "name", "size"), masked=("name",), row_filter=(RowCondition("size", "gte", 70),))
    source.publish(rows(30))
    source.sync(copy.definition)
    held = copy.run("select * from things order by lienthong_key")
    assert [len(row) for row in held][:1] == [4]
    assert [(row[0], row[3]) for row in held] == [(f"K{n:05d}", n * 7) for n in range(10, 30) if n % 11]
    assert held[0][2] == "N. 1. ỹ."
    assert check(source.office(), copy.definition, repair=False).is_equal
    source.publish({**rows(30), "K00012": ("Ra ngoài", 1, None, None, None, None), "K00001": ("Vào trong", 99, None, None, None, None)})
    source.sync(copy.definition)
    keys = [row[0] for row in copy.run("select lienthong_key from things order by lienthong_key")]
    assert "K00012" not in keys
    assert "K00001" in keys


def test_a_narrower_row_filter_takes_rows_out_of_the_copy(source: Source, copy: Copy) -> None:
    source.publish(rows(30))
    source.sync(copy.definition)
    source.agree(row_filter=(RowCondition("size", "gte", 140),))
    source.sync(copy.definition)
    assert [row[0] for row in copy.rows()] == [f"K{n:05d}" for n in range(20, 30) if n % 11]


def test_a_new_column_is_announced_then_added_and_filled(source: Source, copy: Copy) -> None:
    source.agree(fields=("no", "name", "size", "share", "good", "born"))
    source.publish(rows(30))
    source.sync(copy.definition)
    source.agree(fields=None)
    source.publish(rows(31))
    state = source.sync(copy.definition)
    assert state.announced is not None
    assert (state.state, state.version, state.announced["add"]) == ("following", 2, ["seen timestamp"])
    assert len(copy.run("select * from things")[0]) == 7
    source.sync(copy.definition, notice_days=0)  # the day was announced once and stands
    assert len(copy.run("select * from things")[0]) == 7
    syncing.accept(source.office(), copy.definition, "can-bo-07")
    state = source.sync(copy.definition)
    assert (state.announced, copy.rows()) == (None, source.expected())
    told = [entry for entry in written(source.workshop.database) if entry["event"].startswith("sync:columns")]
    assert [(entry["event"], entry["outcome"]) for entry in told] == [
        ("sync:columns:announced", "announced"), ("sync:columns:announced", "accepted"), ("sync:columns:changed", "changed"),
    ]  # fmt: skip
    assert told[-1]["details"]["accepted_by"] == "can-bo-07"


def test_a_column_that_goes_waits_for_a_person_and_nothing_is_delivered_meanwhile(source: Source, copy: Copy) -> None:
    source.publish(rows(20))
    source.sync(copy.definition)
    source.agree(fields=("no", "name", "size", "share", "good", "born"))
    source.publish(rows(25))
    state = source.sync(copy.definition)
    assert (state.state, len(copy.run("select * from things"))) == ("waiting", 20)
    assert "lienthong sync accept kho" in state.said_vi
    syncing.accept(source.office(), copy.definition, "can-bo-07")
    assert source.sync(copy.definition).state == "following"
    assert [len(row) for row in copy.run("select * from things")] == [7] * 25
    assert check(source.office(), copy.definition, repair=False).is_equal


@pytest.mark.parametrize("state", [State.SUSPENDED, State.ENDED])
def test_without_its_agreement_a_sync_stops_and_says_what_becomes_of_the_copy(source: Source, copy: Copy, state: State) -> None:
    source.publish(rows(10))
    source.sync(copy.definition)
    source.agree(state=state)
    source.publish(rows(20))
    stopped = source.sync(copy.definition)
    assert (stopped.state, len(copy.run("select * from things"))) == ("stopped", 10)
    assert "xóa trong 30 ngày" in stopped.said_vi
    source.sync(copy.definition)
    stops = [entry for entry in written(source.workshop.database) if entry["event"] == "sync:copy:stopped"]
    assert [entry["outcome"] for entry in stops] == ["not_active"]
    source.agree(state=State.ACTIVE)
    source.sync(copy.definition)
    assert copy.rows() == source.expected()


def test_a_copy_goes_on_for_the_subsystem_in_its_place_when_an_agency_has_merged(source: Source, copy: Copy) -> None:
    source.publish(rows(10))
    source.sync(copy.definition)
    heir, key = "VN/GOV/H10.07/kho", PublicKey({"kty": "OKP", "crv": "Ed25519", "x": "k"})
    agencies = Agencies({
        "H10.12": Agency("H10.12", "Cũ", "", "", date(2020, 1, 1), date(2026, 1, 2), ("H10.07",)),
        "H10.07": Agency("H10.07", "Mới", "", "", date(2020, 1, 1)),
    })  # fmt: skip
    systems = {name: Subsystem(name, name.split("/")[2], "x", "x", (key,)) for name in (copy.definition.consumer, heir)}
    office = replace(source.office(), register=Register(systems, (replace(source.agreement, consumer=heir),), agencies=agencies))
    source.publish(rows(20))
    assert syncing.work(office, copy.definition).state == "following"
    assert copy.rows() == source.expected()
    delivered = [entry for entry in written(source.workshop.database) if entry["event"] == "sync:rows:delivered"]
    assert delivered[-1]["caller"] == heir


def test_a_table_with_rows_of_others_is_left_alone_unless_it_is_to_be_adopted(source: Source, copy: Copy) -> None:
    source.publish(rows(10))
    source.sync(copy.definition)
    copy.run("delete from lienthong_syncs")
    copy.run("update things set name = 'cũ' where lienthong_key = 'K00003'")
    state = source.sync(copy.definition)
    assert (state.state, state.failures) == ("failing", 1)
    assert "adopt: true" in state.said_en
    from dataclasses import replace

    source.sync(replace(copy.definition, adopts=True))
    assert copy.rows() == source.expected()


def test_where_the_quota_counts_deliveries_a_copy_waits_for_what_is_left(source: Source, copy: Copy) -> None:
    source.agree(quota=Quota(per_day=1, deliveries=True))
    source.publish(rows(5))
    assert source.sync(copy.definition).state == "following"  # the fill is one answer
    before = copy.rows()
    source.publish(rows(6))
    state = source.sync(copy.definition)
    assert (state.state, copy.rows()) == ("following", before)
    assert "TT-KHO" in state.said_vi
    assert state.next_try_at is not None
    assert not is_due(copy.definition, state, 2, source.workshop.clock())
    assert is_due(copy.definition, state, 2, state.next_try_at)
    source.agree(quota=Quota(per_day=2, deliveries=True))
    state = source.sync(copy.definition)
    assert (state.state, state.said_vi, len(copy.rows())) == ("following", "", 6)


def test_a_target_restored_from_yesterday_catches_up(source: Source, copy: Copy) -> None:
    source.publish(rows(10))
    source.sync(copy.definition)
    copy.run("create table kept as select * from things")
    copy.run("create table kept_syncs as select * from lienthong_syncs")
    source.publish(rows(15, 3))
    source.sync(copy.definition)
    copy.run("delete from things")
    copy.run("insert into things select * from kept")
    copy.run("delete from lienthong_syncs")
    copy.run("insert into lienthong_syncs select * from kept_syncs")
    for table in ("kept", "kept_syncs"):
        copy.run(f"drop table {table}")
    source.publish(rows(16, 3))
    source.sync(copy.definition)
    assert copy.rows() == source.expected()


def test_each_delivery_is_in_the_ledger_before_it_leaves(source: Source, copy: Copy) -> None:
    source.publish(rows(90))

    def die(step: str) -> None:
        if step == "announced":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        source.sync(copy.definition, on_step=die)
    entry = written(source.workshop.database)[-1]
    assert (entry["event"], entry["agreement"], entry["details"]["rows"]) == ("sync:rows:delivered", "TT-KHO", 40)
    assert copy.run("select * from things") == []
    source.sync(copy.definition)
    assert copy.rows() == source.expected()
    assert "K000" not in str([entry["details"] for entry in written(source.workshop.database)])
