"""Particular values: names, ids, dates and places as people really type them."""

from __future__ import annotations

from datetime import date

import pytest

from lienthong.standards import STANDARDS
from lienthong.standards.places import ADMIN_UNIT

BEFORE, AFTER = date(2025, 6, 30), date(2025, 7, 1)


@pytest.mark.parametrize(
    ("one", "other"),
    [("Nguyễn Thị Hoà", "NGUYỄN THỊ HÒA"), ("Lý Mỹ", "Lí Mĩ"), ("Đỗ Thuý Vy", "Do Thuy Vi")],
)
def test_spellings_of_one_name_have_one_key(one: str, other: str) -> None:
    name = STANDARDS["person_name"]
    assert name.compare_key(one) == name.compare_key(other)


def test_sample_ids_pass_only_where_they_are_accepted() -> None:
    cleaned = STANDARDS["citizen_id"].clean("97090123456", {"accept_synthetic": True})
    assert (cleaned.value, cleaned.problem) == ("097090123456", "citizen_id.zeros_restored")


def test_a_code_is_checked_against_the_units_of_its_date() -> None:
    assert ADMIN_UNIT.clean("25198", {"level": "commune"}, BEFORE).problem is None
    assert ADMIN_UNIT.clean("25198", {"level": "commune"}, AFTER).problem == "admin_unit.other_date"


def test_a_name_means_the_unit_of_its_date() -> None:
    assert ADMIN_UNIT.clean("Phường Bình Phước, Đồng Nai", {}, AFTER).value == "25195"
    assert ADMIN_UNIT.clean("Phường Tân Phú, Thành phố Đồng Xoài", {}, BEFORE).value == "25195"


def test_a_tone_tells_neighbours_apart_and_its_loss_is_said() -> None:
    place = "{}, Lộc Ninh, Bình Phước"
    assert ADMIN_UNIT.clean(place.format("Xã Lộc Thạnh"), {}, BEFORE).value == "25280"
    assert ADMIN_UNIT.clean(place.format("Xã Lộc Thành"), {}, BEFORE).value == "25294"
    assert ADMIN_UNIT.clean("Xa Loc Thanh, Loc Ninh, Binh Phuoc", {}, BEFORE).problem == "admin_unit.ambiguous"


def test_a_unit_outside_the_named_district_is_never_guessed() -> None:
    assert ADMIN_UNIT.clean("Xã Đắk Ơ, Huyện Lộc Ninh, Bình Phước", {}, BEFORE).value is None
