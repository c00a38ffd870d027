"""Applying a contract goes forward only, and never loses data."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from lienthong.contracts import Layer
from lienthong.errors import UnsafeMigration
from lienthong.pipeline import Workshop, apply_contract, run_dataset
from tests.factories import PEOPLE, make_contract, make_property, make_workshop, write_people
from tests.pipeline.test_run import rows_of

COLUMNS = (
    "select column_name::text, data_type::text from information_schema.columns where table_schema = 'data' and table_name = 'test_people'"
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return write_people(tmp_path / "people.csv", [("P1", "An", "1980-03-07", 1)])


@pytest.fixture
def workshop(database_url: str, file: Path) -> Workshop:
    contract = make_contract(str(file))
    workshop = make_workshop(database_url, contract)
    run_dataset(workshop, contract)
    return workshop


def test_applying_twice_changes_nothing(workshop: Workshop, file: Path) -> None:
    assert apply_contract(workshop, make_contract(str(file))).outcome == "unchanged"


def test_a_new_property_becomes_a_column_of_past_and_present(workshop: Workshop, file: Path) -> None:
    applied = apply_contract(workshop, make_contract(str(file), properties=(*PEOPLE, make_property("phone"))))
    assert (applied.outcome, applied.added) == ("migrated", ("phone",))
    assert ("phone", "text") in rows_of(workshop.database, COLUMNS)
    assert rows_of(workshop.database, "select phone from data.test_people_history") == []


def test_a_number_may_widen(workshop: Workshop, file: Path) -> None:
    wider = tuple(replace(p, logical_type="number") if p.name == "children" else p for p in PEOPLE)
    assert apply_contract(workshop, make_contract(str(file), properties=wider)).widened == ("children",)


def test_a_type_that_would_lose_values_is_refused_by_name(workshop: Workshop, file: Path) -> None:
    narrower = tuple(replace(p, logical_type="integer") if p.name == "full_name" else p for p in PEOPLE)
    with pytest.raises(UnsafeMigration, match=r"full_name.*text.*bigint"):
        apply_contract(workshop, make_contract(str(file), properties=narrower))


def test_a_column_that_holds_values_cannot_be_dropped(workshop: Workshop, file: Path) -> None:
    with pytest.raises(UnsafeMigration, match="children"):
        apply_contract(workshop, make_contract(str(file), properties=PEOPLE[:3]))
    assert ("children", "bigint") in rows_of(workshop.database, COLUMNS)


def test_another_key_is_another_dataset(workshop: Workshop, file: Path) -> None:
    rekeyed = tuple(
        replace(p, key_position=1 if p.name == "full_name" else None, required=p.required or p.name == "full_name") for p in PEOPLE
    )
    with pytest.raises(UnsafeMigration, match="a new id"):
        apply_contract(workshop, make_contract(str(file), properties=rekeyed))


def test_the_database_itself_refuses_overlapping_states_of_a_code_list(database_url: str, tmp_path: Path) -> None:
    file = write_people(tmp_path / "people.csv", [("P1", "An", "1980-03-07", 1)])
    contract = make_contract(str(file), layer=Layer.CODE_LIST)
    workshop = make_workshop(database_url, contract)
    run_dataset(workshop, contract)
    write_people(file, [("P1", "An", "1980-03-07", 2)])
    run_dataset(workshop, contract)
    overlapping = "insert into data.test_people_history select * from data.test_people_history"
    with pytest.raises(psycopg.errors.ExclusionViolation), workshop.database.connect() as connection:
        connection.execute(overlapping)
