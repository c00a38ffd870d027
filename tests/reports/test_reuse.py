"""The reuse meter counts what an authority held before, no more and no less."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg.types.json import Json

from lienthong.masterdata.entities import entities_of
from lienthong.pipeline import Workshop
from lienthong.reports.reuse import Reuse, ReuseReport, authorities_of, reuse_document, reuse_report
from tests.factories import START
from tests.reports.conftest import Index, Said

POLICE, INSURER, LAND = "population.persons", "social-insurance.participants", "land.holders"
SPEED = 260.0


def counted(index: Index, *records: Said) -> ReuseReport:
    index.fill(records)
    return report_of(index.workshop)


def report_of(workshop: Workshop) -> ReuseReport:
    with workshop.database.connect() as connection:
        return reuse_report(connection, workshop.contracts, SPEED)


def of(report: ReuseReport, dataset: str, attribute: str) -> Reuse:
    return next(row.reuse for row in report.rows if (row.dataset, row.attribute, row.entity) == (dataset, attribute, "person"))


def test_what_the_first_authority_says_was_held_by_nobody(index: Index) -> None:
    report = counted(index, Said(POLICE, 1, {"full_name": "Lê An"}), Said(INSURER, 1, {"full_name": "Lê An"}))
    assert of(report, POLICE, "full_name") == Reuse(1, 0, 0, 0)
    assert of(report, INSURER, "full_name") == Reuse(1, 1, 1, 5)


def test_the_second_authority_counts_where_the_first_has_nothing(index: Index) -> None:
    report = counted(index, Said(INSURER, 1, {"full_name": "Lê An"}), Said(LAND, 1, {"full_name": "Lê Ân"}))
    assert of(report, INSURER, "full_name") == Reuse(1, 0, 0, 0)
    assert of(report, LAND, "full_name") == Reuse(1, 1, 0, 0)


def test_values_of_somebody_else_are_not_held(index: Index) -> None:
    report = counted(index, Said(POLICE, 1, {"full_name": "Lê An"}), Said(LAND, 2, {"full_name": "Lê An"}))
    assert of(report, LAND, "full_name") == Reuse(1, 0, 0, 0)


def test_a_disagreeing_value_brings_no_hours(index: Index) -> None:
    report = counted(index, Said(POLICE, 1, {"full_name": "Lê An"}), Said(LAND, 1, {"full_name": "Trần Bình"}))
    found = of(report, LAND, "full_name")
    assert (found.held, found.disagree, found.hours(SPEED)) == (1, 1, 0.0)


def test_an_hour_is_what_is_typed_in_sixty_minutes_at_the_speed_given() -> None:
    assert Reuse(1, 1, 1, 15_600).hours(260) == 1.0
    assert Reuse(1, 1, 1, 15_600).hours(130) == 2.0


def test_hours_of_typing_are_told_whole_by_dataset_by_agency_and_by_property(index: Index) -> None:
    name, people = "Nguyễn Thị Minh Khai", 400
    told = [Said(source, n, {"full_name": name, "sex": "Nữ"}) for n in range(1, people + 1) for source in (POLICE, INSURER)]
    document = reuse_document(counted(index, *told))
    of_names, of_all = round(people * len(name) / SPEED / 60, 1), round(people * len(f"{name}Nữ") / SPEED / 60, 1)
    assert of_all > of_names > 0.4
    assert document["total"]["hours"] == of_all
    assert [(row["dataset"], row["hours"]) for row in document["datasets"] if row["hours"]] == [(INSURER, of_all)]
    insurer = next(row for row in document["datasets"] if row["dataset"] == INSURER)
    assert {row["attribute"]: row["hours"] for row in insurer["properties"]}["full_name"] == of_names
    assert sum(row["hours"] for row in document["agencies"]) == of_all


def test_an_attribute_without_an_authority_is_held_by_nobody(index: Index) -> None:
    report = counted(index, Said(POLICE, 1, {"phone": "0912345678"}), Said(INSURER, 1, {"phone": "0912345678"}))
    assert of(report, INSURER, "phone") == Reuse(1, 0, 0, 0)


@pytest.mark.parametrize(("full", "told", "agrees"), [("1980-03-07", "1980", 1), ("1980", "1980-03-07", 1), ("1980-03-07", "1981", 0)])
def test_a_year_alone_agrees_with_a_date_of_that_year(index: Index, full: str, told: str, agrees: int) -> None:
    report = counted(index, Said(POLICE, 1, {"born_on": full}), Said(INSURER, 1, {"born_on": told}))
    assert of(report, INSURER, "born_on").agree == agrees


def test_spellings_that_matching_calls_one_agree_once_everything_was_matched(index: Index) -> None:
    records = (Said(POLICE, 1, {"full_name": "Nguyễn Thuý Hoà"}), Said(LAND, 1, {"full_name": "NGUYEN THUY HOA"}))
    assert of(counted(index, *records), LAND, "full_name").agree == 0  # nobody knows what the features are
    plan = entities_of(index.workshop.contracts)["person"].plan
    document = {"plan": {"attributes": [{"name": a.name, "kind": a.kind} for a in plan.attributes]}}
    with index.workshop.database.connect() as connection:
        connection.execute(
            "insert into match_models (entity, version, document, frequencies) values ('person', '1', %s, '')", (Json(document),)
        )
        connection.execute(
            "insert into match_acts (entity, kind, at, by_whom, details) values ('person', 'bulk', %s, 'x', %s)",
            (START, Json({"model": "1"})),
        )
    assert of(report_of(index.workshop), LAND, "full_name").agree == 1


def test_a_property_of_two_entities_counts_once(index: Index) -> None:
    report = counted(index, Said(POLICE, 1, {"full_name": "Lê An"}))
    seen = [(row.dataset, name) for row in report.rows for name in set(row.properties) if row.dataset == POLICE]
    assert seen.count((POLICE, "full_name")) == 1
    assert seen.count((POLICE, "household_code")) == 1


def test_sums_are_those_of_the_rows(index: Index) -> None:
    report = counted(index, *(Said(source, 1, {"full_name": "Lê An", "sex": "Nam"}) for source in (POLICE, INSURER, LAND)))
    assert report.total == sum((row.reuse for row in report.rows), Reuse())
    assert sum(each.held for each in report.by_dataset().values()) == report.total.held == 3
    assert sum(each.held for each in report.by_agency().values()) == 3
    document = reuse_document(report)
    assert document["total"]["held"] == 3
    assert document["characters_per_minute"] == SPEED
    assert "Lê An" not in str(document)


def test_an_empty_index_reports_zeros(index: Index) -> None:
    assert report_of(index.workshop).total == Reuse()


ATTRIBUTES = ("full_name", "born_on", "sex", "ethnic_group", "phone")
VALUES = ("a", "b", "1980", "1980-01-02")


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.randoms(use_true_random=False), st.integers(0, 40))
def test_the_database_counts_what_counting_by_hand_gives(index: Index, chance: random.Random, count: int) -> None:
    records = [
        Said(
            chance.choice((POLICE, INSURER, LAND, "poor-households.members")),
            chance.randrange(8),
            {name: chance.choice(VALUES) for name in ATTRIBUTES if chance.random() < 0.7},
        )
        for _ in range(count)
    ]
    report = counted(index, *records)
    by_hand = dict(recount(index.workshop, records))
    for row in report.rows:
        if row.entity == "person" and row.attribute in ATTRIBUTES:
            assert row.reuse == by_hand.get((row.dataset, row.attribute), Reuse()), (row.dataset, row.attribute)


def recount(workshop: Workshop, records: Sequence[Said]) -> Iterator[tuple[tuple[str, str], Reuse]]:
    entity = entities_of(workshop.contracts)["person"]
    for attribute in ATTRIBUTES:
        order = authorities_of(entity, attribute)
        for source in {record.source for record in records}:
            found = Reuse()
            before = order[: order.index(source)] if source in order else order
            for record in records:
                value = record.content.get(attribute)
                if record.source != source or value is None:
                    continue
                said = [
                    {r.content[attribute] for r in records if r.golden == record.golden and r.source == one and attribute in r.content}
                    for one in before
                ]
                held = next((each for each in said if each), set())
                same = any(
                    value == other or (attribute == "born_on" and (value.startswith(other) or other.startswith(value))) for other in held
                )
                found = found + Reuse(1, bool(held), same, len(value) if same else 0)
            yield (source, attribute), replace(found, held=int(found.held), agree=int(found.agree))
