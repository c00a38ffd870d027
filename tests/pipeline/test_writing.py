"""One record written by who is authoritative for its values: checked like any row, kept against a source that repeats itself, never lost silently."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from lienthong.access import Actor, Role
from lienthong.contracts import Contract, Delivery, Source
from lienthong.errors import Conflict, Denied, NotFound, Unprocessable
from lienthong.pipeline import Workshop, run_dataset, submit_records
from lienthong.pipeline.writing import NEW, Change, Manner, Written, write_record
from tests.factories import make_contract, make_property, make_workshop, write_people
from tests.store.ledgers import written as entries_written

OWNER = Actor("can-bo-01", "H10.02", frozenset({Role.DATA_OFFICER}))
POLICE = Actor("can-bo-09", "H10.09", frozenset({Role.DATA_OFFICER}))
PROPERTIES = (
    make_property("record_no", required=True, key_position=1),
    make_property("full_name", required=True),
    make_property("born_on", "date", authority="H10.09"),
    make_property("children", "integer"),
    make_property("share", "number"),
)
ROWS: list[tuple[object, ...]] = [("P1", "Nguyễn Thị An", "07/03/1980", 2), ("P2", "Trần Văn Bình", "12/11/1975", 3)]


@pytest.fixture
def contract(tmp_path: Path) -> Contract:
    return make_contract(str(tmp_path / "people.csv"), properties=PROPERTIES)


@pytest.fixture
def workshop(database_url: str, contract: Contract, tmp_path: Path) -> Workshop:
    made = make_workshop(database_url, contract)
    write_people(tmp_path / "people.csv", ROWS)
    run_dataset(made, contract)
    return made


def write(workshop: Workshop, contract: Contract, key: str, version: int, actor: Actor = OWNER, **values: Any) -> Written:
    return write_record(workshop, contract, Change(key, values, version), actor, Manner(), idempotency_key="")


def rows(workshop: Workshop, statement: str) -> list[tuple[Any, ...]]:
    with workshop.database.connect() as connection:
        return connection.execute(statement).fetchall()


def row(workshop: Workshop, key: str) -> tuple[Any, ...] | None:
    found = rows(workshop, f"select full_name, born_on::text, children, share, _version from data.test_people where _key = '{key}'")
    return found[0] if found else None


def test_a_value_written_is_a_version_with_its_entry_and_its_change(workshop: Workshop, contract: Contract) -> None:
    done = write(workshop, contract, "P1", 1, full_name="  nguyễn thị   anh ", children=3)
    assert (done.outcome, done.version, done.dataset_version) == ("written", 2, 2)
    assert [(v["field"], v["fate"]) for v in done.verdicts] == [("full_name", "written"), ("children", "written")]
    assert row(workshop, "P1") == ("nguyễn thị anh", "1980-03-07", 3, None, 2)
    assert rows(workshop, "select key, op::text from data.test_people_changes where version = 2") == [("P1", "u")]
    entry = entries_written(workshop.database)[-1]
    assert (entry["event"], entry["fields"], entry["version"]) == ("record:values:written", ["full_name", "children"], 2)


def test_what_is_not_named_stays_exactly_as_it_is(workshop: Workshop, contract: Contract) -> None:
    write(workshop, contract, "P1", 1, share=1.234)
    write(workshop, contract, "P1", 2, children=9)
    assert row(workshop, "P1") == ("Nguyễn Thị An", "1980-03-07", 9, 1.234, 3)


def test_a_write_made_from_an_older_version_writes_nothing_and_shows_both_sides(workshop: Workshop, contract: Contract) -> None:
    write(workshop, contract, "P1", 1, full_name="Nguyễn Thị Anh")
    late = write(workshop, contract, "P1", 1, children=5)
    assert (late.outcome, late.version) == ("conflict", 2)
    assert late.record is not None
    assert late.base is not None
    assert (late.record["full_name"], late.base["full_name"]) == ("Nguyễn Thị Anh", "Nguyễn Thị An")
    assert row(workshop, "P1") == ("Nguyễn Thị Anh", "1980-03-07", 2, None, 2)


def test_of_many_writers_at_once_one_writes_and_the_others_are_told(workshop: Workshop, contract: Contract) -> None:
    outcomes: list[Written] = []
    together = threading.Barrier(6)

    def act(number: int) -> None:
        together.wait()
        outcomes.append(write(workshop, contract, "P1", 1, children=10 + number))

    threads = [threading.Thread(target=act, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(o.outcome for o in outcomes) == ["conflict"] * 5 + ["written"]
    winner = next(o for o in outcomes if o.outcome == "written")
    assert winner.record is not None
    found = row(workshop, "P1")
    assert found is not None
    assert found[2] == winner.record["children"]


def test_a_value_that_breaks_a_rule_changes_nothing_and_waits_nowhere(workshop: Workshop, contract: Contract) -> None:
    done = write(workshop, contract, "P1", 1, full_name="", children="nhiều")
    assert done.outcome == "refused"
    assert {v["field"]: bool(v["issues"]) for v in done.verdicts} == {"full_name": True, "children": True}
    assert row(workshop, "P1") == ("Nguyễn Thị An", "1980-03-07", 2, None, 1)
    assert rows(workshop, "select count(*) from lienthong.quarantine") == [(0,)]
    assert entries_written(workshop.database)[-1]["event"] == "record:write:refused"


def test_only_the_authority_of_a_field_may_write_it(workshop: Workshop, contract: Contract) -> None:
    with pytest.raises(Denied, match=r"born_on.*H10\.09"):
        write(workshop, contract, "P1", 1, born_on="1981-03-07")
    with pytest.raises(Denied, match=r"children.*H10\.02"):
        write(workshop, contract, "P1", 1, POLICE, children=1)
    assert write(workshop, contract, "P1", 1, POLICE, born_on="1981-03-07").outcome == "written"
    assert row(workshop, "P1") == ("Nguyễn Thị An", "1981-03-07", 2, None, 2)
    with pytest.raises(Denied):
        write_record(workshop, contract, Change("P1", None, 2), POLICE, Manner())


def test_a_written_value_stands_while_the_source_repeats_itself(workshop: Workshop, contract: Contract, tmp_path: Path) -> None:
    write(workshop, contract, "P1", 1, full_name="Nguyễn Thị Anh")
    write_people(tmp_path / "people.csv", [*ROWS, ("P3", "Lê Thị Chi", "01/02/1990", 0)])
    run_dataset(workshop, contract)
    assert row(workshop, "P1") == ("Nguyễn Thị Anh", "1980-03-07", 2, None, 2)
    write_people(tmp_path / "people.csv", [("P1", "Nguyễn Thị An", "07/03/1980", 4), ROWS[1]])
    run_dataset(workshop, contract)
    assert row(workshop, "P1") == ("Nguyễn Thị Anh", "1980-03-07", 4, None, 4)


def test_the_source_may_say_something_newer_of_its_own_field(workshop: Workshop, contract: Contract, tmp_path: Path) -> None:
    write(workshop, contract, "P1", 1, full_name="Nguyễn Thị Anh")
    write_people(tmp_path / "people.csv", [("P1", "Nguyễn Thị Ánh", "07/03/1980", 2), ROWS[1]])
    run_dataset(workshop, contract)
    write_people(tmp_path / "people.csv", ROWS)
    run_dataset(workshop, contract)
    assert row(workshop, "P1") == ("Nguyễn Thị An", "1980-03-07", 2, None, 4)


def test_another_agencys_value_stands_whatever_the_owner_sends(workshop: Workshop, contract: Contract, tmp_path: Path) -> None:
    write(workshop, contract, "P1", 1, POLICE, born_on="1981-03-07")
    write_people(tmp_path / "people.csv", [("P1", "Nguyễn Thị An", "01/01/1999", 2), ROWS[1]])
    run_dataset(workshop, contract)
    sent = {"record_no": "P1", "full_name": "Nguyễn Thị Anh", "born_on": "2000-01-01", "children": 1}
    submit_records(workshop, contract, [sent], caller="VN/GOV/H10.02/nguon", idempotency_key="k")
    assert row(workshop, "P1") == ("Nguyễn Thị Anh", "1981-03-07", 1, None, 3)


def test_a_record_begins_and_ends_through_the_axis(workshop: Workshop, contract: Contract, tmp_path: Path) -> None:
    begun = write(workshop, contract, "P9", NEW, record_no="P9", full_name="Đỗ Thị Chín")
    assert (begun.outcome, begun.version) == ("written", 2)
    assert write(workshop, contract, "P9", NEW, record_no="P9", full_name="Khác").outcome == "conflict"
    ended = write_record(workshop, contract, Change("P2", None, 1), OWNER, Manner())
    assert (ended.outcome, row(workshop, "P2")) == ("written", None)
    assert rows(workshop, "select key, op::text from data.test_people_changes where version = 3") == [("P2", "e")]
    run_dataset(workshop, contract)
    write_people(tmp_path / "people.csv", [*ROWS, ("P3", "Lê Thị Chi", "01/02/1990", 0)])
    outcome = run_dataset(workshop, contract)
    assert (outcome.rows_published, outcome.rows_unchanged) == (1, 2)
    assert row(workshop, "P2") is None
    assert row(workshop, "P9") is not None
    write_people(tmp_path / "people.csv", [ROWS[0], ("P2", "Trần Văn Bình", "12/11/1975", 4)])
    run_dataset(workshop, contract)
    assert row(workshop, "P2") is not None


def test_a_written_record_ends_with_its_source(workshop: Workshop, contract: Contract, tmp_path: Path) -> None:
    write(workshop, contract, "P1", 1, full_name="Nguyễn Thị Anh")
    write_people(tmp_path / "people.csv", ROWS[1:])
    run_dataset(workshop, contract)
    assert row(workshop, "P1") is None


def test_the_same_key_again_does_nothing_and_for_another_change_is_refused(workshop: Workshop, contract: Contract) -> None:
    change = Change("P1", {"children": 7}, 1)
    first = write_record(workshop, contract, change, OWNER, Manner(), idempotency_key="k")
    again = write_record(workshop, contract, change, OWNER, Manner(), idempotency_key="k")
    assert (again.is_repeat, again.outcome, again.version) == (True, "written", first.version)
    with pytest.raises(Conflict):
        write_record(workshop, contract, Change("P1", {"children": 8}, 2), OWNER, Manner(), idempotency_key="k")


def test_what_cannot_be_written_is_told(workshop: Workshop, contract: Contract) -> None:
    with pytest.raises(NotFound):
        write(workshop, contract, "P7", 1, children=1)
    with pytest.raises(NotFound):
        write_record(workshop, contract, Change("P1", {"children": 1}, 1), OWNER, Manner(), within=lambda _: False)
    with pytest.raises(Unprocessable, match="no property"):
        write(workshop, contract, "P1", 1, nothing=1)
    with pytest.raises(Conflict, match="another record"):
        write(workshop, contract, "P1", 1, record_no="P2")
    with pytest.raises(Conflict, match="another record"):
        write(workshop, contract, "P8", NEW, record_no="P2", full_name="Trần Văn Bình")
    assert rows(workshop, "select count(*) from data.test_people") == [(2,)]


def test_a_record_sent_back_to_what_it_was_is_a_change(workshop: Workshop, contract: Contract) -> None:
    api = make_contract("none.csv", id="test.sent", sources=(Source("file", "csv_file", "none.csv", Delivery.INCREMENTAL),))
    with workshop.database.connect() as connection:
        from lienthong.store.tables import apply_tables

        apply_tables(connection, api)
    sent = {"record_no": "P1", "full_name": "Một", "children": 1}
    submit_records(workshop, api, [sent], caller="c", idempotency_key="1")
    submit_records(workshop, api, [sent], caller="c", idempotency_key="2")
    assert write(workshop, api, "P1", 1, children=2).outcome == "written"
    back = submit_records(workshop, api, [sent], caller="c", idempotency_key="3")
    assert back.verdicts[0]["fate"] == "published"
    assert rows(workshop, "select children, _version from data.test_sent") == [(1, 3)]
