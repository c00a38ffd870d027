"""What a run promises: every row has a fate, nothing changes without need, everything that was known stays known."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from lienthong.contracts import Contract, Delivery, Expect, Rule, Source
from lienthong.errors import RunError, SourceError
from lienthong.pipeline import Progress, RunOutcome, Workshop, approve_run, correct_row, list_quarantine, run_dataset, withdraw_run
from lienthong.store import Database, landing
from tests.factories import make_contract, make_property, make_workshop, write_people
from tests.store.ledgers import entries_of

RUN_AND_LOOK = """
import sys
from lienthong.pipeline import run_dataset
from tests.factories import make_contract, make_workshop
contract = make_contract(sys.argv[2])
print(run_dataset(make_workshop(sys.argv[1], contract), contract).state, "pandas" in sys.modules)
"""
ANNA = ("P1", "Nguyễn Thị An", "07/03/1980", 2)
BINH = ("P2", "Trần Văn Bình", "12/11/1975", 3)
CHI = ("P3", "Lê Thị Chi", "01/02/1990", 0)


def rows_of(database: Database, statement: str) -> list[tuple[Any, ...]]:
    with database.connect() as connection:
        return connection.execute(statement).fetchall()


def current(workshop: Workshop) -> list[tuple[Any, ...]]:
    return rows_of(workshop.database, "select _key, full_name, born_on, children from data.test_people order by _key")


def fates(outcome: RunOutcome) -> tuple[int, int, int, int, int]:
    return (outcome.rows_in, outcome.rows_published, outcome.rows_unchanged, outcome.rows_quarantined, outcome.rows_ended)


@pytest.fixture
def people(tmp_path: Path) -> Path:
    return tmp_path / "people.csv"


@pytest.fixture
def contract(people: Path) -> Contract:
    return make_contract(str(people))


@pytest.fixture
def workshop(database_url: str, contract: Contract) -> Workshop:
    return make_workshop(database_url, contract)


def test_a_first_delivery_is_published_whole(workshop: Workshop, contract: Contract, people: Path) -> None:
    write_people(people, [ANNA, BINH])
    outcome = run_dataset(workshop, contract)
    assert outcome.state == "published"
    assert outcome.version == 1
    assert fates(outcome) == (2, 2, 0, 0, 0)
    assert current(workshop) == [("P1", "Nguyễn Thị An", date(1980, 3, 7), 2), ("P2", "Trần Văn Bình", date(1975, 11, 12), 3)]


def test_the_same_file_again_is_recognised_and_changes_nothing(workshop: Workshop, contract: Contract, people: Path) -> None:
    write_people(people, [ANNA, BINH])
    run_dataset(workshop, contract)
    again = run_dataset(workshop, contract)
    assert (again.state, again.version) == ("unchanged", None)
    assert fates(again) == (2, 0, 2, 0, 0)


def test_the_same_rows_in_another_order_change_nothing(workshop: Workshop, contract: Contract, people: Path) -> None:
    write_people(people, [ANNA, BINH, CHI])
    run_dataset(workshop, contract)
    write_people(people, [CHI, ANNA, BINH])
    again = run_dataset(workshop, contract)
    assert (again.state, fates(again)) == ("unchanged", (3, 0, 3, 0, 0))
    assert rows_of(workshop.database, "select count(*) from data.test_people_history") == [(0,)]


def test_a_row_typed_differently_that_means_the_same_makes_no_version(workshop: Workshop, contract: Contract, people: Path) -> None:
    write_people(people, [ANNA, BINH])
    run_dataset(workshop, contract)
    write_people(people, [("P1", "  Nguyễn  Thị An ", "1980-03-07", "2"), BINH])
    again = run_dataset(workshop, contract)
    assert (again.state, fates(again)) == ("unchanged", (2, 0, 2, 0, 0))
    third = run_dataset(workshop, contract)
    assert fates(third) == (2, 0, 2, 0, 0)


def test_changes_inserts_and_ends_are_told_apart(workshop: Workshop, contract: Contract, people: Path) -> None:
    write_people(people, [ANNA, BINH])
    run_dataset(workshop, contract)
    write_people(people, [("P1", "Nguyễn Thị An", "07/03/1980", 3), CHI])
    outcome = run_dataset(workshop, contract)
    assert fates(outcome) == (2, 2, 0, 0, 1)
    assert rows_of(workshop.database, "select version, key, op from data.test_people_changes order by key") == [
        (2, "P1", "u"),
        (2, "P2", "e"),
        (2, "P3", "i"),
    ]
    assert [row[0] for row in current(workshop)] == ["P1", "P3"]


def test_history_says_what_was_true_and_what_was_known(workshop: Workshop, contract: Contract, people: Path) -> None:
    write_people(people, [ANNA])
    run_dataset(workshop, contract, delivered_on=date(2026, 1, 1))
    write_people(people, [("P1", "Nguyễn Thị An", "07/03/1980", 3)])
    run_dataset(workshop, contract, delivered_on=date(2026, 3, 1))
    found = rows_of(
        workshop.database,
        "select children, _valid_from, _valid_to, _version, _version_to, _ended from data.test_people_history order by _version",
    )
    assert found == [
        (2, date(2026, 1, 1), None, 1, 2, False),
        (2, date(2026, 1, 1), date(2026, 3, 1), 2, None, False),
    ]
    assert rows_of(workshop.database, "select children, _valid_from, _version from data.test_people") == [(3, date(2026, 3, 1), 2)]


def test_a_correction_of_the_past_replaces_what_was_believed_from_then_on(database_url: str, people: Path) -> None:
    properties = (*make_contract().properties, make_property("since", "date"))
    contract = make_contract(str(people), properties=properties, valid_from="since")
    workshop = make_workshop(database_url, contract)
    for since, children in (("2026-01-01", 1), ("2026-03-01", 2), ("2026-02-01", 5)):
        people.write_text(f"record_no,full_name,born_on,children,since\nP1,An,1980-03-07,{children},{since}\n", encoding="utf-8")
        run_dataset(workshop, contract)
    believed = rows_of(
        workshop.database,
        "select children, _valid_from, _valid_to from data.test_people_history where _version_to is null"
        " union all select children, _valid_from, null from data.test_people order by 2",
    )
    assert believed == [(1, date(2026, 1, 1), date(2026, 2, 1)), (5, date(2026, 2, 1), None)]


def test_a_bad_row_waits_with_all_its_issues(workshop: Workshop, contract: Contract, people: Path) -> None:
    write_people(people, [ANNA, ("P9", "", "31/02/2020", "hai")])
    outcome = run_dataset(workshop, contract)
    assert fates(outcome) == (2, 1, 0, 1, 0)
    (item,) = list_quarantine(workshop, contract.id)
    assert item.raw["born_on"] == "31/02/2020"
    assert item.source_row == 3
    assert {issue["column"] for issue in item.issues} == {"full_name", "born_on", "children"}


def test_the_same_bad_row_delivered_again_stays_one_item(workshop: Workshop, contract: Contract, people: Path) -> None:
    bad = ("P9", "", "31/02/2020", 1)
    write_people(people, [ANNA, bad])
    run_dataset(workshop, contract)
    (before,) = list_quarantine(workshop, contract.id)
    write_people(people, [bad, BINH, ANNA])
    outcome = run_dataset(workshop, contract)
    assert fates(outcome) == (3, 1, 1, 1, 0)
    (after,) = list_quarantine(workshop, contract.id)
    assert after.item_id == before.item_id
    assert after.since == before.since


def test_a_record_whose_row_waits_is_not_ended(workshop: Workshop, contract: Contract, people: Path) -> None:
    write_people(people, [ANNA, BINH])
    run_dataset(workshop, contract)
    write_people(people, [ANNA, ("P2", "", "12/11/1975", 3)])
    outcome = run_dataset(workshop, contract)
    assert fates(outcome) == (2, 0, 1, 1, 0)
    assert [row[0] for row in current(workshop)] == ["P1", "P2"]


def test_a_corrected_row_goes_through_and_stays_through(workshop: Workshop, contract: Contract, people: Path) -> None:
    bad = ("P9", "Phạm Thị Dung", "31/02/2020", 1)
    write_people(people, [ANNA, bad])
    run_dataset(workshop, contract)
    (item,) = list_quarantine(workshop, contract.id)
    still = correct_row(workshop, item.item_id, {"born_on": "30/02/2020"}, official="tester")
    assert still.item.state == "waiting"
    done = correct_row(workshop, item.item_id, {"born_on": "28/02/2020"}, official="tester")
    assert done.item.state == "released"
    assert ("P9", "Phạm Thị Dung", date(2020, 2, 28), 1) in current(workshop)
    write_people(people, [bad, ANNA])
    again = run_dataset(workshop, contract)
    assert fates(again) == (2, 0, 2, 0, 0)
    assert list_quarantine(workshop, contract.id) == []


def test_a_bad_row_the_source_put_right_leaves_quarantine(workshop: Workshop, contract: Contract, people: Path) -> None:
    write_people(people, [ANNA, ("P9", "Phạm Thị Dung", "31/02/2020", 1)])
    run_dataset(workshop, contract)
    write_people(people, [ANNA, ("P9", "Phạm Thị Dung", "28/02/2020", 1)])
    outcome = run_dataset(workshop, contract)
    assert fates(outcome) == (2, 1, 1, 0, 0)
    (item,) = list_quarantine(workshop, contract.id, state=None)
    assert item.state == "superseded"


def test_rows_that_share_a_key_and_differ_all_wait(workshop: Workshop, contract: Contract, people: Path) -> None:
    write_people(people, [ANNA, ("P2", "Trần Văn Bình", "12/11/1975", 3), ("P2", "Trần Văn Minh", "12/11/1975", 1)])
    outcome = run_dataset(workshop, contract)
    assert fates(outcome) == (3, 1, 0, 2, 0)
    assert {issue["code"] for item in list_quarantine(workshop, contract.id) for issue in item.issues} == {"duplicate.key"}


def test_a_row_delivered_twice_is_published_once(workshop: Workshop, contract: Contract, people: Path) -> None:
    write_people(people, [ANNA, BINH, ANNA])
    outcome = run_dataset(workshop, contract)
    assert fates(outcome) == (3, 2, 0, 1, 0)
    write_people(people, [BINH, ANNA, ANNA])
    again = run_dataset(workshop, contract)
    assert fates(again) == (3, 0, 2, 1, 0)


def test_a_second_claim_to_a_published_key_waits(workshop: Workshop, contract: Contract, people: Path) -> None:
    write_people(people, [ANNA, BINH])
    run_dataset(workshop, contract)
    write_people(people, [ANNA, BINH, ("P2", "Người Khác", "12/11/1975", 3)])
    outcome = run_dataset(workshop, contract)
    assert fates(outcome) == (3, 0, 2, 1, 0)
    assert current(workshop)[1][1] == "Trần Văn Bình"


def test_a_delivery_past_its_bounds_waits_for_a_person(database_url: str, people: Path) -> None:
    contract = make_contract(str(people), expect=Expect(rows_min=2, ended_max_percent=50))
    workshop = make_workshop(database_url, contract)
    write_people(people, [ANNA, BINH, CHI])
    run_dataset(workshop, contract)
    write_people(people, [ANNA])
    outcome = run_dataset(workshop, contract)
    assert outcome.state == "waiting"
    assert len(outcome.waits_for) == 2
    assert len(current(workshop)) == 3
    approved = approve_run(workshop, outcome.run_id, "tester")
    assert (approved.state, fates(approved)) == ("published", (1, 0, 1, 0, 2))
    assert len(current(workshop)) == 1


def test_a_withdrawn_run_cannot_be_approved(database_url: str, people: Path) -> None:
    contract = make_contract(str(people), expect=Expect(rows_min=2))
    workshop = make_workshop(database_url, contract)
    write_people(people, [ANNA])
    outcome = run_dataset(workshop, contract)
    withdraw_run(workshop, outcome.run_id, "tester")
    with pytest.raises(RunError):
        approve_run(workshop, outcome.run_id, "tester")


def test_a_changed_contract_judges_every_row_again(workshop: Workshop, contract: Contract, people: Path) -> None:
    write_people(people, [ANNA, BINH, CHI])
    run_dataset(workshop, contract)
    rule = Rule("few_children", "range", ("children",), {"max": 2})
    stricter = make_contract(str(people), rules=(rule,))
    outcome = run_dataset(workshop, stricter)
    assert fates(outcome) == (3, 0, 2, 1, 0)


def test_an_incremental_delivery_ends_nothing(database_url: str, people: Path) -> None:
    contract = make_contract(str(people), delivery=Delivery.INCREMENTAL)
    workshop = make_workshop(database_url, contract)
    write_people(people, [ANNA, BINH])
    run_dataset(workshop, contract)
    write_people(people, [CHI, ("P2", "Trần Văn Bình", "12/11/1975", 4)])
    outcome = run_dataset(workshop, contract)
    assert outcome.rows_ended == 0
    assert [row[0] for row in current(workshop)] == ["P1", "P2", "P3"]


def test_a_source_that_goes_on_and_has_nothing_new_is_no_small_delivery(database_url: str, people: Path) -> None:
    contract = make_contract(str(people), delivery=Delivery.INCREMENTAL, expect=Expect(rows_min=2))
    workshop = make_workshop(database_url, contract)
    write_people(people, [ANNA])
    assert run_dataset(workshop, contract).state == "waiting"
    write_people(people, [ANNA, BINH])
    assert run_dataset(workshop, contract).state == "published"
    for _ in range(2):
        outcome = run_dataset(workshop, contract)
        assert (outcome.state, fates(outcome)) == ("unchanged", (0, 0, 0, 0, 0))


def test_a_snapshot_of_one_road_does_not_end_what_came_by_another(database_url: str, tmp_path: Path) -> None:
    north, south = tmp_path / "north.csv", tmp_path / "south.csv"
    sources = (Source("north", "csv_file", str(north)), Source("south", "csv_file", str(south)))
    contract = make_contract(sources=sources)
    workshop = make_workshop(database_url, contract)
    write_people(north, [ANNA])
    write_people(south, [BINH])
    run_dataset(workshop, contract, "north")
    run_dataset(workshop, contract, "south")
    write_people(south, [CHI])
    run_dataset(workshop, contract, "south")
    assert [row[0] for row in current(workshop)] == ["P1", "P3"]


def test_a_delivery_without_a_required_column_is_refused_by_name(workshop: Workshop, contract: Contract, people: Path) -> None:
    people.write_text("record_no,fullname\nP1,An\n", encoding="utf-8")
    with pytest.raises(SourceError, match="full_name"):
        run_dataset(workshop, contract)
    assert rows_of(workshop.database, "select state from lienthong.runs") == [("failed",)]


def test_a_row_that_cannot_be_split_waits_too(workshop: Workshop, contract: Contract, people: Path) -> None:
    people.write_text("record_no,full_name,born_on,children\nP1,An,1980-03-07,2\nP2,Bình\n", encoding="utf-8")
    outcome = run_dataset(workshop, contract)
    assert fates(outcome) == (2, 1, 0, 1, 0)
    (item,) = list_quarantine(workshop, contract.id)
    done = correct_row(workshop, item.item_id, {"record_no": "P2", "full_name": "Bình"}, official="tester")
    assert done.item.state == "released"


def test_the_row_as_it_came_can_always_be_read(workshop: Workshop, contract: Contract, people: Path) -> None:
    write_people(people, [("P1", "  NGUYỄN  THỊ AN", "7/3/1980", 2)])
    outcome = run_dataset(workshop, contract)
    with workshop.database.connect() as connection:
        found = landing.original_row(connection, outcome.run_id, 1)
    assert found is not None
    assert found.source_row == 2
    assert found.cells["full_name"] == "  NGUYỄN  THỊ AN"


def test_every_run_leaves_a_ledger_entry(workshop: Workshop, contract: Contract, people: Path) -> None:
    write_people(people, [ANNA])
    run_dataset(workshop, contract)
    run_dataset(workshop, contract)
    events = [entry["event"] for entry in entries_of(workshop.database, workshop.signer)]
    assert events == ["contract:dataset:applied", "run:dataset:published", "run:dataset:unchanged"]


def test_a_unique_value_is_unique_across_batches_and_deliveries(database_url: str, people: Path) -> None:
    properties = (*make_contract().properties[:1], make_property("full_name", unique=True), *make_contract().properties[2:])
    contract = make_contract(str(people), properties=properties)
    workshop = make_workshop(database_url, contract)
    rows = [(f"P{n}", f"Người số {n}", "07/03/1980", 1) for n in range(2500)]
    write_people(people, [*rows, ("P9999", "Người số 3", "07/03/1980", 1)])
    first = run_dataset(workshop, contract)
    assert fates(first) == (2501, 2499, 0, 2, 0)
    write_people(people, [*rows, ("P9998", "Người số 7", "07/03/1980", 1)])
    second = run_dataset(workshop, contract)
    assert fates(second) == (2501, 1, 2499, 1, 0)
    assert {issue["code"] for item in list_quarantine(workshop, contract.id) for issue in item.issues} == {"unique"}


def test_a_run_that_fails_while_the_next_batch_lands_says_so_and_can_be_tried_again(
    workshop: Workshop, contract: Contract, people: Path
) -> None:
    write_people(people, [(f"P{n}", "Nguyễn Thị An", "07/03/1980", 2) for n in range(400)])
    small = replace(workshop, read_context=replace(workshop.read_context, batch_rows=50))
    seen: list[int] = []

    def stop_at_the_second(progress: Progress) -> None:
        if progress.step == "cleaning":
            seen.append(progress.rows)
            if len(seen) == 2:
                raise RunError("No more.")

    with pytest.raises(RunError, match="No more"):
        run_dataset(small, contract, on_progress=stop_at_the_second)
    assert rows_of(workshop.database, "select state from lienthong.runs") == [("failed",)]
    landed = rows_of(workshop.database, "select batch_no, first_row_no, row_count from lienthong.landing_batches order by batch_no")
    assert [(number, first) for number, first, _ in landed] == [(n + 1, n * 50 + 1) for n in range(len(landed))]
    assert fates(run_dataset(small, contract)) == (400, 400, 0, 0, 0)


def test_reading_a_table_and_publishing_it_loads_no_pandas(database_url: str, people: Path) -> None:
    write_people(people, [ANNA, BINH])
    told = subprocess.run([sys.executable, "-c", RUN_AND_LOOK, database_url, str(people)], capture_output=True, text=True, check=True)
    assert told.stdout.split() == ["published", "False"]
