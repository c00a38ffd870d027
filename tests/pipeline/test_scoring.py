"""Versions are profiled and scored after they are published; what moved is noted and told, and nothing is held up."""

from __future__ import annotations

from pathlib import Path

import pytest

from lienthong.contracts import Expect, Sensitivity
from lienthong.pipeline import approve_run, run_dataset
from lienthong.pipeline.alert_rules import Rule
from lienthong.pipeline.alerting import watch
from lienthong.pipeline.scoring import profile_new
from lienthong.store import quality as store
from tests.factories import PEOPLE, make_contract, make_property, make_workshop, write_people
from tests.pipeline.test_run import rows_of

KIND = make_property("children", standard="code_list", standard_options={"values": {"1": "một", "2": "hai", "3": "ba"}})
NAME = make_property("full_name", sensitivity=Sensitivity.PERSONAL)


def test_scores_and_drift_follow_versions(database_url: str, tmp_path: Path) -> None:
    rows = [(f"P{n:03}", f"Người {n}", "1980-03-07", 1 + n % 2) for n in range(300)]
    file = write_people(tmp_path / "people.csv", rows)
    contract = make_contract(str(file), properties=(PEOPLE[0], NAME, PEOPLE[2], KIND), expect=Expect(last_min_percent=0))
    workshop = make_workshop(database_url, contract)
    run_dataset(workshop, contract)
    assert profile_new(workshop) == 1
    assert profile_new(workshop) == 0
    moved = [(key, name, "" if n < 60 else born, 3 if n < 200 else kind) for n, (key, name, born, kind) in enumerate(rows)]
    write_people(file, [*moved, ("P999", "Sai", "31/02/2001", 1)])
    assert run_dataset(workshop, contract).state == "published"
    assert profile_new(workshop) == 1
    with workshop.database.connect() as connection:
        notes = store.notes(connection, contract.id)
        newest, first = store.history(connection, contract.id)
        rules = store.rules_by_run(connection, contract.id)
    assert {(note.kind, note.column) for note in notes} == {("empty", "born_on"), ("new_values", "children"), ("distribution", "children")}
    assert (first.scores["through"], newest.scores["conformity"] < 100, newest.records) == (100.0, True, 300)
    assert [(rule, count) for _, _, rule, _, count in rules] == [("date", 1)]
    kept = rows_of(workshop.database, "select profile::text from lienthong.version_profiles")
    assert not any("Người" in profile for (profile,) in kept)
    assert watch(workshop, [Rule("drift", "drift", "note", {"days": 7})], tmp_path) == 1


def test_what_was_put_right_is_told_beside_and_is_nothing_wrong(database_url: str, tmp_path: Path) -> None:
    code = make_property("children", standard="admin_unit", standard_options={"level": "commune", "date": "2026-01-01"})
    typed = ("25195", "Phường Tân Phú - Thành phố Đồng Xoài - Bình Phước", "Xã Không Có Ở Đâu", "25195")
    file = write_people(tmp_path / "people.csv", [(f"P{n}", f"Người {n}", "1980-03-07", place) for n, place in enumerate(typed)])
    contract = make_contract(str(file), properties=(PEOPLE[0], NAME, PEOPLE[2], code), expect=Expect(last_min_percent=0))
    workshop = make_workshop(database_url, contract)
    run_dataset(workshop, contract)
    profile_new(workshop)
    with workshop.database.connect() as connection:
        [scored] = store.history(connection, contract.id)
    assert (scored.scores["conformity"], scored.scores["put_right"]) == (75.0, 25.0)


@pytest.mark.parametrize(
    ("expect", "bounds"),
    [
        (Expect(last_min_percent=0, drift_max_psi=0.25), [("drift_max_psi", ["children"])]),
        (Expect(last_min_percent=0, empty_max_points=5, new_values_max=0), [("empty_max_points", ["born_on"]), ("new_values_max", ["children"])]),
        (Expect(last_min_percent=0, empty_max_points=50, new_values_max=1), []),
    ],
)  # fmt: skip
def test_a_delivery_that_drifts_past_its_bounds_waits_and_passes_by_a_person_s_word(
    database_url: str, tmp_path: Path, expect: Expect, bounds: list[tuple[str, list[str]]]
) -> None:
    rows = [(f"P{n:03}", f"Người {n}", "1980-03-07", 1 + n % 2) for n in range(300)]
    file = write_people(tmp_path / "people.csv", rows)
    contract = make_contract(str(file), properties=(PEOPLE[0], NAME, PEOPLE[2], KIND), expect=expect)
    workshop = make_workshop(database_url, contract)
    assert run_dataset(workshop, contract).state == "published"  # the first has nothing to be held against, and no duty has looked at it
    write_people(file, [(key, name, "" if n < 60 else born, 3 if n < 200 else kind) for n, (key, name, born, kind) in enumerate(rows)])
    found = run_dataset(workshop, contract)
    assert found.state == ("waiting" if bounds else "published")
    assert [(each["bound"], each["columns"]) for each in found.waits_for] == bounds
    if bounds:
        assert rows_of(workshop.database, "select count(*) from data.test_people where children = '3'") == [(0,)]
        assert approve_run(workshop, found.run_id, "Lê Thị Hoa").state == "published"
        assert rows_of(workshop.database, "select count(*) from data.test_people where children = '3'") == [(200,)]
