"""A pattern is told as a shape somebody can copy, or not at all; whatever fits the shape as written fits the pattern."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lienthong.quality.shapes import OPEN, shape_of

CLASSES = ("[A-Z]", "[a-z]", "[0-9]", r"\d")
FIXED = ("-", "/", "[.]", r"\.", " ", "A", "0", "Q", "x", "Đ")
TIMES = ("", "{2}", "{6}", "{1,3}", "{4,}", "+")


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("^[A-Z]{2} [0-9]{6}$", "AA 000000"),
        ("^HKD-[0-9]{6,}$", "HKD-000000…"),
        ("^70[0-9]{3}$", "70999"),
        ("^A[A-Z]$", "AX"),
        (r"^\d[.]\d{6}$", "0.000000"),
    ],
)
def test_a_plain_pattern_has_a_shape(pattern: str, text: str) -> None:
    shape = shape_of(pattern)
    assert shape is not None
    assert shape.text == text


@pytest.mark.parametrize(
    "pattern", ["", "^$", "^([A-U]|[0-9]{2})$", "^.*$", "^KT(-[0-9])?$", "^[^0-9]{2}$", "^[1-5]{2}$", "^[0-9]{50}$", "^QT$", "(?i)a", "["]
)
def test_what_is_not_plain_has_none(pattern: str) -> None:
    assert shape_of(pattern) is None


@given(st.lists(st.tuples(st.sampled_from(CLASSES + FIXED), st.sampled_from(TIMES)), min_size=1, max_size=8))
def test_a_shape_fits_the_pattern_it_is_of(pieces: list[tuple[str, str]]) -> None:
    pattern = "^" + "".join(sign + times for sign, times in pieces) + "$"
    shape = shape_of(pattern)
    if shape is not None:
        assert re.fullmatch(pattern, shape.text.replace(OPEN, ""))
