"""The lists that invented persons are named after: Vietnamese as it is written today."""

from __future__ import annotations

import csv
import gzip
from importlib import resources

import pytest

from lienthong.standards.legacy_encodings import is_syllable


@pytest.mark.parametrize(("name", "column"), [("middle_names", "middle"), ("given_names", "given")])
def test_no_name_is_one_that_was_typed_in_an_old_font(name: str, column: str) -> None:
    data = resources.files("lienthong.synthetic").joinpath("data", f"{name}.csv.gz").read_bytes()
    words = [word for row in csv.DictReader(gzip.decompress(data).decode("utf-8").splitlines()) for word in row[column].split()]
    assert words
    assert [word for word in words if not word.isascii() and not is_syllable(word)] == []
