"""Units of administration as of a date, from codes and from addresses as people type them."""

from __future__ import annotations

import csv
from collections.abc import Callable
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from lienthong.standards import ADMIN_UNIT, without_marks
from lienthong.standards.addresses import ADDRESS
from lienthong.standards.admin_units import BEGINNING, name_on, resolution_of, units, units_by_code

BEFORE, AFTER = date(2025, 6, 30), date(2025, 7, 1)
COMMUNE = {"level": "commune"}
TYPED = Path(__file__).parents[1] / "vectors" / "addresses_typed.csv"
WAYS: dict[str, Callable[[str, str, str], str]] = {
    "commas": lambda commune, district, province: f"{commune}, {district}, {province}",
    "no marks": lambda *names: without_marks(", ".join(names)),
    "no province": lambda commune, district, _: f"{commune}, {district}",
    "dashes": lambda *names: " - ".join(names),
    "nothing between": lambda *names: " ".join(names),
    "capitals": lambda *names: ", ".join(names).upper(),
    "country after": lambda *names: ", ".join(names) + ", Việt Nam",
    "hamlet before": lambda *names: "Ấp 3, " + ", ".join(names),
    "short kinds": lambda *names: (
        ", ".join(names).replace("Phường ", "P.").replace("Thị trấn ", "TT ").replace("Huyện ", "H. ").replace("Thị xã ", "TX ")
    ),
}


def typed_addresses() -> list[tuple[str, str, str, str]]:
    with TYPED.open(encoding="utf-8", newline="") as stream:
        return [(row["commune"], row["district"], row["province"], row["code"]) for row in csv.DictReader(stream)]


@pytest.mark.parametrize("way", WAYS)
def test_an_address_people_really_typed_is_never_taken_for_another(way: str) -> None:
    found = [(code, ADMIN_UNIT.clean(WAYS[way](*names), COMMUNE, BEFORE).value) for *names, code in typed_addresses()]
    assert [pair for pair in found if pair[1] not in {None, pair[0]}] == []
    assert sum(code == value for code, value in found) >= 0.99 * len(found)


def test_a_name_that_stands_alone_is_never_guessed() -> None:
    found = [(code, ADMIN_UNIT.clean(commune, COMMUNE, BEFORE).value) for commune, _, _, code in typed_addresses()]
    assert [pair for pair in found if pair[1] not in {None, pair[0]}] == []


def test_a_code_is_checked_against_the_units_of_its_date() -> None:
    assert ADMIN_UNIT.clean("25198", COMMUNE, BEFORE).problem is None
    found = ADMIN_UNIT.clean("25198", COMMUNE, AFTER)
    assert (found.value, found.problem) == ("25198", "admin_unit.other_date")


def test_a_name_means_the_unit_of_its_date() -> None:
    assert ADMIN_UNIT.clean("Phường Bình Phước, Đồng Nai", {}, AFTER).value == "25195"
    assert ADMIN_UNIT.clean("Phường Tân Phú, Thành phố Đồng Xoài", {}, BEFORE).value == "25195"


def test_a_name_of_before_becomes_the_unit_that_took_its_place_and_says_so() -> None:
    found = ADMIN_UNIT.clean("Xã Tiến Hưng, Đồng Xoài, Bình Phước", {}, AFTER)
    assert (found.value, found.problem) == ("25195", "admin_unit.replaced")


def test_an_old_district_in_the_new_province_is_understood() -> None:
    assert ADMIN_UNIT.clean("Phường Tân Phú, TP Đồng Xoài, Đồng Nai", {}, AFTER).value == "25195"


def test_a_new_commune_in_its_old_district_is_understood() -> None:
    assert (
        ADMIN_UNIT.clean("Xã Bù Đăng, Huyện Bù Đăng, Bình Phước", COMMUNE, AFTER).value
        == ADMIN_UNIT.clean("Xã Bù Đăng, Đồng Nai", COMMUNE, AFTER).value
    )


def test_a_unit_that_was_split_waits_for_a_person() -> None:
    found = ADMIN_UNIT.clean("Xã Xuân Tâm, Huyện Xuân Lộc, Đồng Nai", {}, AFTER)
    assert (found.value, found.problem) == (None, "admin_unit.split")
    assert len(ADMIN_UNIT.choices("Xã Xuân Tâm, Huyện Xuân Lộc, Đồng Nai", {}, AFTER)) > 1


def test_a_name_of_after_before_its_time_is_not_the_code_of_another() -> None:
    assert ADMIN_UNIT.clean("Phường Bình Phước, Đồng Nai", {}, BEFORE).problem == "admin_unit.reused"


def test_a_tone_tells_neighbours_apart_and_its_loss_is_said() -> None:
    place = "{}, Lộc Ninh, Bình Phước"
    assert ADMIN_UNIT.clean(place.format("Xã Lộc Thạnh"), {}, BEFORE).value == "25280"
    assert ADMIN_UNIT.clean(place.format("Xã Lộc Thành"), {}, BEFORE).value == "25294"
    assert ADMIN_UNIT.clean("Xa Loc Thanh, Loc Ninh, Binh Phuoc", {}, BEFORE).problem == "admin_unit.ambiguous"


def test_the_choices_are_named_with_their_places() -> None:
    choices = ADMIN_UNIT.choices("Xã Tân Tiến", {"within": "70"}, BEFORE)
    assert "25393 Xã Tân Tiến, Huyện Đồng Phú, Tỉnh Bình Phước" in choices
    assert len(choices) == 2


def test_a_unit_outside_the_named_district_is_never_guessed() -> None:
    assert ADMIN_UNIT.clean("Xã Đắk Ơ, Huyện Lộc Ninh, Bình Phước", {}, BEFORE).value is None


def test_a_column_is_read_with_each_row_in_its_own_time() -> None:
    values = pl.Series(["Đồng Xoài", "Đồng Xoài", "1", None, "Đồng Xoài"])
    dated_by = pl.Series([BEFORE, AFTER, AFTER, AFTER, date(1975, 4, 30)])
    found = ADMIN_UNIT.clean_column(values, {}, dated_by)
    assert found.values.to_list() == ["689", "25210", None, None, "689"]


def test_lost_zeros_come_back_where_the_level_says_how_many_digits() -> None:
    assert ADMIN_UNIT.clean("1", {"level": "province"}, AFTER).value == "01"


def test_the_register_has_every_unit_of_both_times() -> None:
    counted = pl.DataFrame([(unit.level, unit.valid_from == BEGINNING) for unit in units()], schema=["level", "is_old"], orient="row")
    assert counted.filter("is_old")["level"].value_counts().sort("level")["count"].to_list() == [10_035, 696, 63]
    assert counted.filter(~pl.col("is_old"))["level"].value_counts().sort("level")["count"].to_list() == [3_321, 34]


def test_every_unit_of_july_2025_has_its_resolution_and_no_older_one() -> None:
    assert all((resolution_of(unit) is None) == (unit.valid_from < AFTER) for unit in units())
    assert resolution_of(next(unit for unit in units_by_code()["25195"] if unit.valid_from == AFTER)) == "1662/NQ-UBTVQH15"


def test_a_unit_that_changed_its_kind_has_its_name_of_the_day_and_is_found_by_both() -> None:
    unit = next(unit for unit in units_by_code()["25270"] if unit.valid_from == AFTER)
    assert (name_on(unit, date(2026, 4, 29)), name_on(unit, date(2026, 4, 30))) == ("Xã Lộc Ninh", "Phường Lộc Ninh")
    assert ADMIN_UNIT.display("25270") == "Phường Lộc Ninh (25270)"
    for typed in ("Xã Lộc Ninh, Đồng Nai", "Phường Lộc Ninh, TP Đồng Nai"):
        assert ADMIN_UNIT.clean(typed, COMMUNE, date(2026, 6, 30)).value == "25270"


OURS = {"level": "commune", "within": "75", "strict": True}  # the province that took in Bình Phước (70)
LATER = date(2026, 7, 1)


@pytest.mark.parametrize("value", ["Xã Ea Kar", "Ea Kar", "Số 5, ấp 2, xã Ea Kar", "Xa Ea Kar"])
def test_a_name_alone_that_only_another_province_has_is_asked_with_its_choices(value: str) -> None:
    assert ADMIN_UNIT.clean(value, COMMUNE, LATER).value == "24373"  # the whole country has one
    found = ADMIN_UNIT.clean(value, OURS, LATER)
    assert (found.value, found.problem) == (None, "admin_unit.elsewhere")
    assert ADMIN_UNIT.choices(value, OURS, LATER) == ("24373 Xã Ea Kar, Tỉnh Đắk Lắk",)


def test_a_name_with_its_province_is_read_wherever_that_is() -> None:
    assert ADMIN_UNIT.clean("Xã Ea Kar, tỉnh Đắk Lắk", OURS, LATER).value == "24373"
    assert ADMIN_UNIT.clean("24373", OURS, LATER).value == "24373"


def test_a_name_alone_is_the_unit_of_the_day_of_the_register_s_own_province() -> None:
    assert ADMIN_UNIT.clean("Xã Thiện Hưng", OURS, LATER).value == "25308"
    assert ADMIN_UNIT.clean("Xã Thiện Hưng", {**OURS, "within": "70"}, BEFORE).value == "25312"
    assert ADMIN_UNIT.clean("Xã Thanh An", OURS, LATER).problem == "admin_unit.replaced"


def test_a_name_alone_of_old_units_that_became_two_is_asked_even_if_one_is_in_force() -> None:
    found = ADMIN_UNIT.clean("Xã Tân Tiến", OURS, LATER)
    assert (found.value, found.problem) == (None, "admin_unit.ambiguous")
    assert ADMIN_UNIT.choices("Xã Tân Tiến", OURS, LATER) == ("25318 Xã Tân Tiến, Tỉnh Đồng Nai", "25363 Xã Đồng Phú, Tỉnh Đồng Nai")
    assert ADMIN_UNIT.clean("Xã Tân Tiến, huyện Đồng Phú", OURS, LATER).value == "25363"


def test_a_name_of_an_old_province_is_not_taken_for_its_neighbour_before_they_merged() -> None:
    assert ADMIN_UNIT.clean("Xã Xuân Lộc", {**OURS, "within": "70"}, BEFORE).problem == "admin_unit.elsewhere"


def test_no_commune_of_another_province_is_ever_given_for_a_name_alone() -> None:
    names = sorted({unit.name for unit in units() if unit.level == "commune" and " - " not in unit.name})[
        ::9
    ]  # `Xuân Trường - Đà Lạt` has its place
    found = ADMIN_UNIT.clean_column(pl.Series(names), OURS, pl.Series([LATER] * len(names)))
    homes = {unit.province_code for code in found.values.drop_nulls() for unit in units_by_code()[code] if unit.is_valid(LATER)}
    assert homes == {"75"}


def test_choices_of_a_column_stand_beside_the_values_that_are_asked() -> None:
    values = pl.Series(["Xã Tân Tiến", "Xã Thiện Hưng", None, "Xã Tân"])
    dated = pl.Series([LATER] * 4)
    found = ADMIN_UNIT.clean_column(values, OURS, dated)
    choices = ADMIN_UNIT.choices_column(values, found.problems, OURS, dated).to_list()
    assert choices == ["25318 Xã Tân Tiến, Tỉnh Đồng Nai; 25363 Xã Đồng Phú, Tỉnh Đồng Nai", None, None, None]


def test_an_address_with_a_commune_of_other_provinces_alone_is_kept_with_a_warning() -> None:
    options = {"within": "75", "strict": True}
    assert ADDRESS.clean("Số 5, Xã Ea Kar", options, LATER).problem == "address.no_commune"
    assert ADDRESS.clean("Số 5, Xã Thiện Hưng", options, LATER).problem is None
