"""Communes of both times as people mistype them: what the text decides is read, nothing else is ever chosen in silence."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from bench.typings import Typing, codes_of_another_time, typings
from lienthong.standards import ADMIN_UNIT
from lienthong.standards.admin_units import units
from lienthong.standards.unit_names import without_kind
from lienthong.standards.unit_search import NEVER_UNITS

COMMUNE = {"level": "commune"}
AFTER = date(2025, 7, 1)


@pytest.fixture(scope="module")
def read() -> list[tuple[Typing, str | None, str | None]]:
    typed = list(typings(seed=12, every=97))
    found = ADMIN_UNIT.clean_column(pl.Series([one.text for one in typed]), COMMUNE, pl.Series([one.on for one in typed]))
    return list(zip(typed, found.values.to_list(), found.problems.to_list(), strict=True))


def test_what_the_text_decides_is_read(read: list[tuple[Typing, str | None, str | None]]) -> None:
    decided = [(one.truth, value) for one, value, _ in read if one.decides]
    assert len(decided) > 1000
    assert sum(truth == value for truth, value in decided) >= 0.985 * len(decided)


def test_no_unit_is_chosen_in_silence_that_is_not_the_one(read: list[tuple[Typing, str | None, str | None]]) -> None:
    silent = [(one, value) for one, value, problem in read if value is not None and problem is None and value != one.truth]
    assert [pair for pair in silent if not pair[0].names_another] == []


def test_a_code_of_another_time_is_told_and_kept() -> None:
    typed = list(codes_of_another_time())[::50]
    found = ADMIN_UNIT.clean_column(pl.Series([one.text for one in typed]), COMMUNE, pl.Series([one.on for one in typed]))
    assert found.values.to_list() == [one.text for one in typed]
    assert set(found.problems) == {"admin_unit.other_date"}


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("Tân Phú, Xã Tân Tiến, Huyện Đồng Phú, Bình Phước", ("25393", None)),  # a hamlet that bears a commune's name
        ("Ấp 2, Tân Tiến, Đồng Phú, Bình Phước, Việt Nam", ("25393", None)),
        ("F.11, Q.5, TP.HCM", ("27328", None)),
        ("Thị trân Tân Phú, H. Đồng Phú, T. Bình Phước", ("25363", None)),
        ("X. Tân Tiến H. Đồng Phú T. Bình Phước", ("25393", None)),
        ("Xã Tân Tiên, Huyện Đồng Phú, Bình Phước", ("25393", "admin_unit.respelled")),
        ("Xã Tân Tieesn, Huyện Đồng Phú, Bình Phước", ("25393", "admin_unit.respelled")),
        ("Xã Nhi Sơn, huyện Mường Lát, Thanh Hóa", ("14864", None)),
        ("Phường Nhi Sơn, huyện Mường Lát, Thanh Hóa", ("14864", "admin_unit.respelled")),  # it may be Phường Nghi Sơn, of another district
        ("Thị trấn Thiệu Hòa, Huyện Thiệu Hóa, Tỉnh Thanh Hóa", (None, "admin_unit.ambiguous")),  # Thị trấn Thiệu Hóa or Xã Thiệu Hòa
        ("XA THANH AN, HUYEN VINH THANH, THANH PHO CAN THO", ("31240", None)),  # Xã Thạnh An; Thanh An is a thị trấn
        ("Phường 11, Huyện Đồng Phú, Bình Phước", (None, "admin_unit.unknown")),
        ("Xã Tân Tienx, Việt Nam", (None, "admin_unit.unknown")),
    ],
)
def test_addresses_as_they_are_really_written(typed: str, found: tuple[str | None, str | None]) -> None:
    cleaned = ADMIN_UNIT.clean(typed, COMMUNE)
    assert (cleaned.value, cleaned.problem) == found


def test_old_units_that_became_one_are_that_one_whichever_was_meant() -> None:
    found = ADMIN_UNIT.clean("XA HOA LOC, HUYEN HAU LOC, TINH THANH HOA", COMMUNE, AFTER)
    assert (found.value, found.problem) == ("16072", "admin_unit.replaced")


def test_the_same_tail_after_many_house_numbers_is_one_question() -> None:
    texts = [f"Số {n}, đường Hùng Vương, ấp 3, Xã Tân Tiến, Huyện Đồng Phú, Tỉnh Bình Phước" for n in range(500)]
    found = ADMIN_UNIT.clean_column(pl.Series(texts), COMMUNE)
    assert set(found.values) == {"25393"}
    assert [ADMIN_UNIT.clean(text, COMMUNE).value for text in texts[:3]] == ["25393"] * 3


def test_no_unit_is_named_as_what_lies_below_a_commune() -> None:
    below = tuple(f"{word} " for word in NEVER_UNITS.split("|"))
    assert [unit.name for unit in units() if without_kind(unit.name).casefold().startswith(below)] == []


def test_a_hamlet_before_a_commune_without_its_kind_is_passed_over() -> None:
    assert ADMIN_UNIT.clean("Ấp 3, Tân Phú, Đồng Nai", COMMUNE, AFTER) == ADMIN_UNIT.clean("Tân Phú, Đồng Nai", COMMUNE, AFTER)
    assert ADMIN_UNIT.clean("Đường 10, Bù Đăng, Bình Phước", COMMUNE).value == "25398"  # a commune's name
