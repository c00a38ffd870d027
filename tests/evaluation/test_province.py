"""The made-up province on the platform's whole road: every record of a person is known to be someone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from demo.province import generate
from evaluation.province import REGISTERS, Told, persons_told, take_in
from evaluation.province_set import Judged, matched
from evaluation.standing import measure, province_of, standing
from evaluation.throwaway import throwaway_databases
from lienthong.masterdata.resolve import Near, Resolution
from lienthong.pipeline import Workshop, match_all, match_models

PERSONS = 800


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
