"""Every dataset folder is a test: its sample, read by its own road, must become its `expected.jsonl`."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from demo.province.registers.population import FILE, load_population
from lienthong.connectors import ReadContext, read
from lienthong.contracts import load_all
from tests.contracts.samples import DATASETS, delivered, judge_samples

IDS = list(delivered())


@pytest.fixture(scope="module")
def judged() -> dict[str, list[dict[str, Any]]]:
    return judge_samples()


def folder(dataset_id: str) -> Path:
    return DATASETS.joinpath(*dataset_id.split("."))


@pytest.mark.parametrize("dataset_id", IDS)
def test_the_sample_becomes_what_is_expected(dataset_id: str, judged: dict[str, list[dict[str, Any]]]) -> None:
    expected = [json.loads(line) for line in (folder(dataset_id) / "expected.jsonl").read_text("utf-8").splitlines()]
    assert len(judged[dataset_id]) == len(expected)
    assert [found for found, wanted in zip(judged[dataset_id], expected, strict=True) if found != wanted] == []


@pytest.mark.parametrize("dataset_id", IDS)
def test_every_sample_has_rows_of_both_fates(dataset_id: str, judged: dict[str, list[dict[str, Any]]]) -> None:
    assert {line["fate"] for line in judged[dataset_id]} == {"published", "quarantined"}


def test_a_row_that_waits_says_why(judged: dict[str, list[dict[str, Any]]]) -> None:
    silent = [
        (dataset, line["row"])
        for dataset, lines in judged.items()
        for line in lines
        if line["fate"] == "quarantined" and not line["issues"]
    ]
    assert silent == []


def test_no_sample_holds_the_number_of_a_living_person(judged: dict[str, list[dict[str, Any]]]) -> None:
    """Numbers of samples lie in ranges that are given to nobody: they are refused unless synthetic ones are accepted."""
    from lienthong.standards import get_standard

    for contract in delivered().values():
        for p in contract.properties:
            if p.standard not in ("citizen_id", "insurance_no", "tax_code"):
                continue
            numbers = {line["values"][p.name] for line in judged[contract.id] if line["values"].get(p.name)}
            real = [number for number in numbers if get_standard(p.standard).clean(number, {"accept_synthetic": False}).problem is None]
            assert real == [], f"{contract.id}.{p.name}"


def test_the_register_of_persons_says_the_same_from_its_database(tmp_path: Path, database_url: str) -> None:
    """Its sample is a CSV copy of a table; here it takes the road of the contract, from a database of its own."""
    sample = folder("population.persons") / "sample.csv"
    (tmp_path / FILE).parent.mkdir(parents=True)
    shutil.copy(sample, tmp_path / FILE)
    load_population(database_url, tmp_path)
    source = load_all(DATASETS)["population.persons"].sources[0]
    context = ReadContext(variables={"DEMO_POPULATION_URL": database_url})
    delivered = [row for batch in read(source, context) for row in batch.table.to_pylist()]
    with sample.open(encoding="utf-8", newline="") as file:
        typed = list(csv.DictReader(file))
    key = typed[0].keys()
    assert sorted(tuple(row[name] or "" for name in key) for row in delivered) == sorted(tuple(row[name] for name in key) for row in typed)
