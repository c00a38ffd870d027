"""The code lists a standard ships and the datasets of them are one: a sample of each is its head."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from demo.province.headers import ENTRIES
from lienthong.standards.code_lists import LISTS, entries

DATASETS = Path(__file__).parents[2] / "datasets" / "code-lists"


@pytest.mark.parametrize("name", LISTS)
def test_a_lists_dataset_begins_with_the_entries_that_are_shipped(name: str) -> None:
    with (DATASETS / name.replace("_", "-") / "sample.csv").open(encoding="utf-8", newline="") as stream:
        header, *rows = csv.reader(stream)
    assert tuple(header) == ENTRIES
    shipped = [
        [e.code, e.parent, e.name, e.name_en, "|".join(e.spellings), str(e.valid_from), str(e.valid_to or "")] for e in entries(name)
    ]
    assert rows[:-1] == shipped[: len(rows) - 1]


def test_every_list_has_its_dataset_and_no_dataset_is_without_its_list() -> None:
    assert {path.name for path in DATASETS.iterdir()} == {name.replace("_", "-") for name in LISTS}
