"""The made-up province on the platform's whole road: every record of a person is known to be someone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from demo.province import generate
from evaluation.province import Told, persons_told, take_in
from evaluation.throwaway import throwaway_databases

PERSONS = 2000


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Told, Path]]:
    folder = tmp_path_factory.mktemp("evaluation") / "province"
    generate(folder, PERSONS, 5)
    with throwaway_databases() as (database, population, home), pytest.MonkeyPatch.context() as patch:
        patch.delenv("LIENTHONG_SOURCE_DEMO", raising=False)
        yield persons_told(take_in(folder, database, population, home), folder), folder


def test_truth_is_found_for_the_record_of_every_person(told: tuple[Told, Path]) -> None:
    records = told[0].records
    assert records.height > PERSONS * 2
    assert set(records["register"].drop_nulls()) == {"R1", "R2", "R4", "R6", "R7"}
    assert records["entity"].is_not_null().mean() >= 0.999  # type: ignore[operator] # a mean of truth values is a number


def test_the_identifiers_of_records_are_those_of_the_persons_they_are_linked_to(told: tuple[Told, Path]) -> None:
    persons = pl.read_parquet(told[1] / "truth" / "persons.parquet").select("person", pl.col("citizen_id").alias("true_id"))
    errors = (
        pl.read_parquet(told[1] / "truth" / "errors.parquet").filter(pl.col("code").is_in(["I4", "I3", "X2"])).select("register", "row")
    )
    known = told[0].records.join(persons, left_on="entity", right_on="person").join(errors, on=["register", "row"], how="anti")
    with_id = known.filter(pl.col("citizen_id").str.len_chars() == 12)
    agree = with_id.group_by("register").agg((pl.col("citizen_id") == pl.col("true_id")).mean().alias("share"))
    assert agree.height == 5
    assert agree["share"].min() >= 0.999  # type: ignore[operator] # a share is a number
