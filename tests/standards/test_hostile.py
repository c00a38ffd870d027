"""A cell made to do harm has a stated fate in every standard, in time that grows with its length and no faster."""

from __future__ import annotations

import time

import polars as pl
import pytest

from lienthong.standards import PROBLEMS, STANDARDS, Standard
from lienthong.standards.text import MOST_MARKS, tidy

ALL = pytest.mark.parametrize("standard", STANDARDS.values(), ids=list(STANDARDS))
MEGABYTE = 1_000_000
OPTIONS = {"code_list": {"values": {"A": "Loại A"}}}
CELLS = {
    "a megabyte of one letter": "a" * MEGABYTE,
    "a megabyte of digits": "1" * MEGABYTE,
    "a megabyte of NUL": "\x00" * MEGABYTE,
    "a flood of marks": "a" + "\u0301\u0323" * 200_000,
    "signs that turn the direction": "\u202e" * 200_000 + "Nguyễn",
    "open brackets": "(" * 300_000,
    "words that may begin a place": "xã " * 100_000,
    "spaces between letters": "a" + " " * MEGABYTE + "b",
    "numbers and signs": "1-1/" * 100_000,
    "half a pair": "\ud800" * 1000,
}


@ALL
@pytest.mark.parametrize("cell", CELLS)
def test_a_hostile_cell_is_judged_at_once_and_told_in_words(standard: Standard, cell: str) -> None:
    began = time.process_time()  # of this process alone; what took the square of a megabyte would take hours
    found = standard.clean(CELLS[cell], OPTIONS.get(standard.name, {}))
    assert time.process_time() - began < 10
    assert found.problem is None or found.problem in PROBLEMS
    assert standard.name == "text" or found.value is None or len(str(found.value)) < 1000


@ALL
def test_a_column_with_a_hostile_cell_keeps_the_cells_beside_it(standard: Standard) -> None:
    typed = [pair[0] for pair in standard.good][:1] or ["A"]
    options = OPTIONS.get(standard.name, {})
    alone = standard.clean_column(pl.Series(typed), options)
    column = standard.clean_column(pl.Series([*typed, CELLS["a flood of marks"], *typed, CELLS["a megabyte of digits"]]), options)
    assert [column.values[0], column.values[2]] == [alone.values[0], alone.values[0]]


def test_signs_that_turn_the_direction_are_no_part_of_a_value() -> None:
    assert STANDARDS["person_name"].clean("Nguyễn \u202eVăn\u202c An", {}).value == "Nguyễn Văn An"
    assert STANDARDS["citizen_id"].clean("\u2066070090123456\u2069", {}).value == "070090123456"


def test_a_nul_is_a_space() -> None:
    assert STANDARDS["text"].clean("Ấp\x003", {}).value == "Ấp 3"


def test_a_flood_of_marks_is_cut_and_said() -> None:
    found = STANDARDS["text"].clean("a" + "\u0323" * 100, {})
    assert found.problem == "text.marks"
    assert sum(letter == "\u0323" for letter in found.value) == MOST_MARKS


def test_tidying_is_the_same_for_long_and_short_texts() -> None:
    piece = "  Số\u00a05,\u200b đường “Hùng Vương” e\u0302\u0301 "
    assert tidy(piece * 100) == " ".join([tidy(piece)] * 100)
