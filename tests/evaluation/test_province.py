"""The made-up province on the platform's whole road: every record of a person is known to be someone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from psycopg import sql

from demo.province import generate
from evaluation.province import REGISTERS, Told, persons_told, take_in
from evaluation.province_set import Judged, _for_splink, matched
from evaluation.standing import measure, province_of, standing
from evaluation.throwaway import throwaway_databases
from lienthong.masterdata.entities import Entity, entities_of
from lienthong.masterdata.resolve import Near, Resolution
from lienthong.pipeline import Workshop, match_all, match_models, submit_records
from lienthong.pipeline.match_all import read_register_rows
from lienthong.store.tables import current

PERSONS = 800
OTHERS = ("household", "enterprise", "parcel", "facility")
HOUSEHOLDS, POOR_HOUSEHOLDS = "population.persons#household", "poor-households.members#household"
ORGANISATIONS = ("nông trường", "ban quản lý", "hợp tác xã", "công ty")  # that hold land in the province


@pytest.fixture(scope="module")
def taken_in(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Workshop, Path]]:
    folder = tmp_path_factory.mktemp("evaluation") / "province" / "5"
    generate(folder, PERSONS, 5)
    with throwaway_databases() as (database, population, home), pytest.MonkeyPatch.context() as patch:
        patch.delenv("LIENTHONG_SOURCE_DEMO", raising=False)
        yield take_in(folder, database, population, home), folder


@pytest.fixture(scope="module")
def told(taken_in: tuple[Workshop, Path]) -> tuple[Told, Path]:
    return persons_told(*taken_in), taken_in[1]


def test_truth_is_found_for_the_record_of_every_person(told: tuple[Told, Path]) -> None:
    records = told[0].records
    assert records.height > PERSONS * 2
    assert set(records["register"].drop_nulls()) == set(REGISTERS.values())
    assert records["entity"].is_not_null().mean() >= 0.999  # type: ignore[operator] # a mean of truth values is a number


def test_the_identifiers_of_records_are_those_of_the_persons_they_are_linked_to(told: tuple[Told, Path]) -> None:
    persons = pl.read_parquet(told[1] / "truth" / "persons.parquet").select("person", pl.col("citizen_id").alias("true_id"))
    errors = (
        pl.read_parquet(told[1] / "truth" / "errors.parquet").filter(pl.col("code").is_in(["I4", "I3", "X2"])).select("register", "row")
    )
    known = told[0].records.join(persons, left_on="entity", right_on="person").join(errors, on=["register", "row"], how="anti")
    with_id = known.filter(pl.col("citizen_id").str.len_chars() == 12)
    agree = with_id.group_by("register").agg((pl.col("citizen_id") == pl.col("true_id")).mean().alias("share"))
    assert agree.height == len(REGISTERS)
    assert agree["share"].min() >= 0.999  # type: ignore[operator] # a share is a number


def judged(told: tuple[Told, Path], clusters: list[int], near: tuple[Near, ...] = ()) -> Judged:
    """The province as if it had been matched this way."""
    numbers = np.array(clusters, np.int64)
    truth = (pl.read_parquet(told[1] / "truth" / f"{name}.parquet") for name in ("persons", "errors"))
    return Judged(told[0], Resolution(numbers, numbers, pl.DataFrame(), near), *truth)


def test_figures_of_a_perfect_and_of_an_idle_matching_are_what_they_must_be(told: tuple[Told, Path]) -> None:
    entities = told[0].records["entity"].fill_null(-1).to_list()
    perfect = judged(told, entities)
    assert (perfect.precision, perfect.recall, perfect.recall_with_queue) == (1.0, 1.0, 1.0)
    assert {twin["outcome"] for twin in perfect.details(PERSONS, 5)["twins"]} <= {"apart"}
    idle = judged(told, list(range(len(entities))))
    assert (idle.precision, idle.recall) == (1.0, 0.0)
    details = idle.details(PERSONS, 5)
    assert details["missed"] == details["pairs_true"] == sum(line["missed"] for line in details["by_registers"])
    assert sum(line["joined"] for line in details["by_registers"]) == 0
    hasty = judged(told, [(entity + 1) // 2 for entity in entities])  # every two persons in a row are taken for one
    assert hasty.recall == 1.0
    assert hasty.precision < 0.9
    assert hasty.two_numbers() > PERSONS / 4
    assert {twin["outcome"] for twin in hasty.details(PERSONS, 5)["twins"]} == {"joined", "apart"}


def test_pairs_that_wait_for_a_person_count_as_found_with_the_queue(told: tuple[Told, Path]) -> None:
    entities = told[0].records["entity"].to_list()
    often = [n for n, entity in enumerate(entities) if entity == entities[0]]
    clusters = [n if n in often else entity + len(entities) for n, entity in enumerate(entities)]
    asked = judged(told, clusters, tuple(Near(often[0], other, "weight", -1.0) for other in often[1:]))
    pairs = len(often) * (len(often) - 1) // 2
    assert asked.details(PERSONS, 5)["missed"] == pairs
    assert asked.details(PERSONS, 5)["missed_and_asked"] == len(often) - 1
    assert asked.recall < asked.recall_with_queue


def test_splink_is_given_all_but_what_it_has_no_comparison_for(told: tuple[Told, Path]) -> None:
    given = _for_splink(told[0])
    assert {a.name for a in told[0].entity.plan.attributes} - set(given.kinds) == {"other_name"}
    assert given.records.columns == list(given.kinds)


def test_a_small_province_is_matched_without_two_numbers_in_one(told: tuple[Told, Path]) -> None:
    found = matched(told[0])
    told_of = judged(told, found.cluster.tolist(), found.near)
    assert told_of.two_numbers() == 0
    assert told_of.precision > 0.995
    assert told_of.recall > 0.95
    assert len(json.dumps(told_of.details(PERSONS, 5))) < 200_000


def test_an_index_as_it_stands_is_measured_like_the_matching_that_filled_it(
    taken_in: tuple[Workshop, Path], told: tuple[Told, Path]
) -> None:
    place, folder = taken_in
    entity = told[0].entity
    with pytest.raises(ValueError, match="No record of `person` is matched"):
        measure(place, folder)
    match_models.adopt(place, entity, match_models.train_entity(place, entity))
    with place.database.connect() as connection:
        model = match_models.in_force(connection, entity)
    assert model is not None
    match_all.match_all(place, entity, model)
    with place.database.connect() as connection:  # one question at least, whatever such a small province leaves open
        connection.execute(
            "insert into match_queue (entity, left_record, right_record, why, bits, since)"
            " select 'person', min(record), max(record), 'weight', -2.5, now() from match_records where entity = 'person'"
        )
    found = standing(place, told[0])
    said = judged(told, found.cluster.tolist(), found.near)
    assert [near.bits for near in found.near if near.why == "weight"].count(-2.5) == 1
    assert said.recall > 0.95
    quality, rows = measure(place, folder)
    expected = [100 * said.precision, 100 * said.recall, 100 * said.recall_with_queue]
    assert [row.value for row in rows[:3]] == pytest.approx(expected, abs=0.001)
    assert quality.recall == pytest.approx(said.recall, abs=0.001)


def test_the_province_of_a_home_is_found_or_its_absence_told(told: tuple[Told, Path], tmp_path: Path) -> None:
    assert province_of(told[1].parents[1]) == told[1]
    with pytest.raises(FileNotFoundError, match="expected one province, found 0"):
        province_of(tmp_path)


# Entities other than persons, by the same code


@pytest.fixture(scope="module")
def others(taken_in: tuple[Workshop, Path]) -> Workshop:
    place = taken_in[0]
    for name in OTHERS:
        entity = entities_of(place.contracts)[name]
        model = match_models.train_entity(place, entity)
        match_models.adopt(place, entity, model)
        match_all.match_all(place, entity, model)
    return place


Record = tuple[str, str, dict[str, Any]]  # register, key, what it says


def groups_of(place: Workshop, entity: str) -> list[list[Record]]:
    """The records behind each golden record."""
    with place.database.connect() as connection:
        rows = connection.execute(
            "select golden, source, key, content::text from match_records where entity = %s order by golden, source, key", (entity,)
        ).fetchall()
    found: dict[int, list[Record]] = {}
    for golden, source, key, content in rows:
        found.setdefault(golden, []).append((source, key, json.loads(content)))
    return list(found.values())


def all_rows(place: Workshop, entity: Entity) -> pl.DataFrame:
    with place.database.connect() as connection:
        return read_register_rows(connection, entity)


def rows_in(place: Workshop, dataset: str, *columns: str) -> list[tuple[Any, ...]]:
    """These columns of a dataset's current rows, in the order of their keys."""
    names = sql.SQL(", ").join(sql.Identifier(name) for name in columns)
    with place.database.connect() as connection:
        return connection.execute(sql.SQL('select {} from {} order by _key collate "C"').format(names, current(dataset))).fetchall()


@pytest.mark.parametrize("name", OTHERS)
def test_no_golden_record_has_two_codes_of_a_kind_or_two_rows_of_a_register_that_is_unique(others: Workshop, name: str) -> None:
    entity = entities_of(others.contracts)[name]
    groups = groups_of(others, name)
    records = sum(len(group) for group in groups)
    assert records == all_rows(others, entity).height
    assert len(rows_in(others, entity.master.id, "golden_id")) == len(groups)
    codes = [p.name for p in entity.master.properties if p.match is not None and p.match.options.get("unique")]
    unique = {register.source for register in entity.registers if register.role.unique}
    assert codes or unique
    for group in groups:
        for code in codes:
            assert len({content[code] for _, _, content in group if code in content}) <= 1, (code, group)
        for source in unique:
            assert [each for each, _, _ in group].count(source) <= 1, group


@pytest.mark.parametrize(
    ("name", "code", "register", "other"),
    [
        ("enterprise", "tax_code", "enterprises.register", "licences.register#holder"),
        ("parcel", "parcel_id", "land.parcels", "land.holders#parcel"),
    ],
)
def test_records_of_one_code_are_one(others: Workshop, name: str, code: str, register: str, other: str) -> None:
    groups = groups_of(others, name)
    known = {content[code]: n for n, group in enumerate(groups) for source, _, content in group if source == register}
    told = [(content.get(code), n) for n, group in enumerate(groups) for source, _, content in group if source == other]
    shared = [(known[said], n) for said, n in told if said in known]
    assert len(shared) > len(told) / 2 > 50
    assert sum(a == b for a, b in shared) >= len(shared) * 0.99


def test_no_school_is_a_hospital(others: Workshop) -> None:
    groups = [{source for source, _, _ in group} for group in groups_of(others, "facility")]
    assert not [group for group in groups if {"education.schools", "health.facilities"} <= group]
    assert {"education.schools"} in groups
    assert {"health.facilities"} in groups


def test_a_poor_household_joins_the_household_that_lives_there(others: Workshop) -> None:
    groups = groups_of(others, "household")
    lives = {key: n for n, group in enumerate(groups) for source, key, _ in group if source == HOUSEHOLDS}
    poor = [(key, n) for n, group in enumerate(groups) for source, key, _ in group if source == POOR_HOUSEHOLDS]
    known = [(lives[f"H{key[2:]}"], n) for key, n in poor if f"H{key[2:]}" in lives]  # of the truth: both codes have one number
    assert len(known) > 10
    joined = [n for n in poor if any(source == HOUSEHOLDS for source, _, _ in groups[n[1]])]
    right = sum(a == b for a, b in known)
    assert right >= len(known) * 0.9
    assert right >= len(joined) * 0.99


def test_members_of_a_household_are_one_record_of_it_the_first_by_key_speaks(others: Workshop) -> None:
    rows = rows_in(others, "population.persons", "household_code", "full_name")
    first: dict[str, str] = {}
    for code, full_name in rows:
        first.setdefault(code, full_name)
    assert len(rows) > len(first) > 100
    found = {
        key: content["first_member"] for group in groups_of(others, "household") for source, key, content in group if source == HOUSEHOLDS
    }
    assert found == {code: full_name for code, full_name in first.items() if code is not None}


def test_organisations_that_hold_land_are_no_persons_and_their_parcels_are_parcels(others: Workshop, told: tuple[Told, Path]) -> None:
    rows = rows_in(others, "land.holders", "_key", "parcel_id", "full_name")
    held = [(key, parcel) for key, parcel, name in rows if name.casefold().startswith(ORGANISATIONS)]
    assert len(held) > 20
    persons = set(told[0].records.filter(pl.col("source") == "land.holders")["key"])
    assert persons == {key for key, _, _ in rows} - {key for key, _ in held}
    parcels = {key for group in groups_of(others, "parcel") for source, key, _ in group if source == "land.holders#parcel"}
    assert {parcel for _, parcel in held} <= parcels


def test_a_changed_member_brings_the_whole_household_and_the_last_one_takes_it_away(others: Workshop) -> None:
    members = [
        {"record_no": f"79999999{n:02}", "full_name": name, "birth_year": 1980 + n, "sex": "Nam", "commune_code": "25195", "household_code": "H9999999",
         "citizen_id": None, "residence_state": "thường trú", "updated_on": "2026-01-15", "address": "Số 7, ấp 2"}
        for n, name in enumerate(("Nguyễn Văn Nhất", "Nguyễn Văn Nhì", "Nguyễn Văn Ba"))
    ]  # fmt: skip

    def household() -> list[str]:
        with others.database.connect() as connection:
            found = connection.execute(
                "select content ->> 'first_member' from match_records where source = %s and key = 'H9999999'", (HOUSEHOLDS,)
            ).fetchall()
        return [name for (name,) in found]

    def send(rows: list[dict[str, Any]], key: str) -> None:
        done = submit_records(others, others.contracts["population.persons"], rows, caller="VN/GOV/G01.70/he-thong", idempotency_key=key)
        assert [verdict["fate"] for verdict in done.verdicts] == ["published"] * len(rows), done.verdicts

    send(members[1:], "two")
    assert household() == ["Nguyễn Văn Nhì"]
    send(members[:1], "one")
    assert household() == ["Nguyễn Văn Nhất"]
    send([member | {"household_code": "H9999998"} for member in members[:2]], "moved")
    assert household() == ["Nguyễn Văn Ba"]
    send([members[2] | {"household_code": "H9999998"}], "moved on")
    assert household() == []
