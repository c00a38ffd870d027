"""Communes merged and split after the edition of the package: what may be, and how the register knows of it on any day."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lienthong.contracts.indicators import Indicator, PeriodType
from lienthong.contracts.indicators.model import Level
from lienthong.reports.regrouping import regroup
from lienthong.standards import ADMIN_UNIT
from lienthong.standards.admin_units import (
    MERGED,
    follow_changes,
    name_on,
    one_successors,
    packaged,
    predecessors,
    register,
    resolution_of,
    successors,
    units_by_code,
    units_on,
)
from lienthong.standards.unit_changes import BegunUnit, UnitChange, faults_of
from lienthong.store.indicators import Part

DAY = date(2026, 10, 1)
COMMUNE = {"level": "commune"}
WAS = "75"  # Đồng Nai as it is now
HEADS = Indicator("heads", "Số người", "Heads", "", "", "H10.02", "người", "persons", PeriodType.MONTH)


def here(code: str) -> str:
    return next(unit.name for unit in packaged().by_code[code] if unit.valid_to is None)


def communes() -> list[str]:
    return sorted(unit.code for unit in packaged().units if unit.province_code == WAS and unit.valid_to is None and unit.level == "commune")


A, B, C = communes()[:3]
MERGER = UnitChange(DAY, "12/NQ-HĐND", (BegunUnit(A, "Phường Hợp Nhất", (A, B)),))
SPLIT = UnitChange(DAY, "13/NQ-HĐND", (BegunUnit(A, "Phường Đông Thử", (A, B)), BegunUnit(C, "Xã Tây Thử", (B, C))))


@pytest.fixture(autouse=True)
def _as_packaged() -> Iterator[None]:
    yield
    follow_changes([])
    follow_changes([])


def faults(change: UnitChange, *before: UnitChange, province: str = WAS) -> list[str]:
    return [english for _, english in faults_of(change, packaged().with_changes(before), MERGED, province)]


def test_a_merger_that_fits_has_no_fault() -> None:
    assert faults(MERGER) == []
    assert faults(SPLIT) == []


def test_a_code_names_the_old_unit_until_the_day_and_the_new_one_from_it() -> None:
    assert follow_changes([MERGER])
    old, new = units_by_code()[A][-2:]
    assert (old.valid_to, new.valid_from, new.name) == (DAY, DAY, "Phường Hợp Nhất")
    assert successors(units_by_code()[B][-1], DAY) == [new]
    assert successors(units_by_code()[B][-1], DAY - timedelta(days=1)) == []
    assert [unit.code for unit in predecessors(new)] == [A, B]
    assert resolution_of(new) == "12/NQ-HĐND"
    assert name_on(new, DAY) == "Phường Hợp Nhất"


def test_a_name_is_read_as_of_its_day() -> None:
    name = f"{here(B)}, Đồng Nai"
    assert ADMIN_UNIT.clean(name, COMMUNE, DAY).value == B
    follow_changes([MERGER])
    assert ADMIN_UNIT.clean(name, COMMUNE, DAY - timedelta(days=1)).value == B
    after = ADMIN_UNIT.clean(name, COMMUNE, DAY)
    assert (after.value, after.problem) == (A, "admin_unit.replaced")
    assert ADMIN_UNIT.clean("Phường Hợp Nhất, Đồng Nai", COMMUNE, DAY).value == A


def test_a_split_unit_waits_for_a_person() -> None:
    follow_changes([SPLIT])
    assert ADMIN_UNIT.clean(f"{here(B)}, Đồng Nai", COMMUNE, DAY).problem == "admin_unit.split"
    assert [unit.code for unit in successors(units_by_code()[B][-1], DAY)] == [A, C]


def test_a_unit_of_before_2025_is_followed_through_two_changes() -> None:
    old = predecessors(packaged().by_code[B][-1])[0]
    follow_changes([MERGER, UnitChange(DAY + timedelta(days=90), "20/NQ-HĐND", (BegunUnit(C, "Xã Lớn Thử", (A, C)),))])
    assert A in [unit.code for unit in successors(old, DAY)]
    assert C in [unit.code for unit in successors(old, DAY + timedelta(days=90))]
    last = units_by_code()[C][-1]
    assert old in units_on(last, MERGED - timedelta(days=1))


def test_a_code_leads_to_the_one_unit_that_has_its_place_on_a_day() -> None:
    before = one_successors(DAY)
    assert (before["25198"], before["70"]) == ("25195", "75")
    assert not {"25195", "00070", A, B} & before.keys()  # still in force, or split
    follow_changes([MERGER])
    assert one_successors(DAY)[B] == A
    assert A not in one_successors(DAY)
    assert B not in one_successors(DAY - timedelta(days=1))
    follow_changes([SPLIT])
    assert B not in one_successors(DAY)


def test_an_old_district_still_finds_the_merged_commune() -> None:
    old = predecessors(packaged().by_code[A][-1])[0]
    district = next(unit.name for unit in packaged().by_code[old.district_code] if unit.level == "district")
    follow_changes([MERGER])
    assert ADMIN_UNIT.clean(f"Phường Hợp Nhất, {district}", COMMUNE, DAY).value == A


def test_figures_follow_and_what_was_divided_is_marked() -> None:
    since = packaged().by_code[B][-1].valid_from
    parts = [Part(code, since, 10.0, None) for code in (A, B, C)]
    follow_changes([SPLIT])
    found = {place.code: place for place in regroup(HEADS, parts, DAY, Level.COMMUNE)}
    assert {code: (place.value, place.is_estimated) for code, place in found.items()} == {A: (15.0, True), C: (15.0, True)}
    before = {place.code: place.value for place in regroup(HEADS, parts, DAY - timedelta(days=1), Level.COMMUNE)}
    assert before == {A: 10.0, B: 10.0, C: 10.0}


def test_forgetting_the_changes_is_as_if_they_had_never_been() -> None:
    before = ADMIN_UNIT.clean(f"{here(B)}, Đồng Nai", COMMUNE, DAY)
    follow_changes([MERGER])
    assert not follow_changes([MERGER])
    follow_changes([])
    assert register() is packaged()
    assert ADMIN_UNIT.clean(f"{here(B)}, Đồng Nai", COMMUNE, DAY) == before


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (replace(MERGER, on=MERGED), "after"),
        (replace(MERGER, resolution=" "), "resolution"),
        (replace(MERGER, begun=()), "1 to 60"),
        (replace(MERGER, begun=(BegunUnit("2519", "Phường Thử", (A, B)),)), "5 digits"),
        (replace(MERGER, begun=(BegunUnit(A, "Hợp Nhất", (A, B)),)), "expected Xã"),
        (replace(MERGER, begun=(BegunUnit(A, "Phường Thử", ()),)), "made of which"),
        (replace(MERGER, begun=(BegunUnit(C, "Phường Thử", (A, B)),)), "bears the code"),
        (replace(MERGER, begun=(BegunUnit(A, "Phường Thử", (A, "99999")),)), "No commune"),
        (replace(MERGER, begun=(BegunUnit(B, "Phường Một", (A,)), BegunUnit(A, "Phường Hai", (B,)))), "another that ends"),
        (replace(MERGER, begun=(BegunUnit(A, "Phường Một", (A,)), BegunUnit(A, "Phường Hai", (B,)))), "Two new units"),
        (replace(MERGER, begun=(BegunUnit(A, here(A), (A,)),)), "does not change"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_told(change: UnitChange, words: str) -> None:
    assert any(words in fault for fault in faults(change)), faults(change)


def test_communes_of_another_province_are_not_ours_to_change() -> None:
    other = next(unit.code for unit in packaged().units if unit.level == "commune" and unit.province_code == "01" and unit.valid_to is None)
    assert any("province" in fault for fault in faults(replace(MERGER, begun=(BegunUnit(A, "Phường Thử", tuple(sorted((A, other)))),))))
    assert any("not 01" in fault for fault in faults(MERGER, province="01"))


def test_what_has_ended_does_not_end_again() -> None:
    assert any(
        "ended on" in fault or "ends on" in fault
        for fault in faults(replace(MERGER, on=DAY + timedelta(days=9)), UnitChange(DAY, "1", (BegunUnit(C, "Xã Thử", (B, C)),)))
    )
    assert any("ends on" in fault for fault in faults(replace(MERGER, on=DAY - timedelta(days=9)), MERGER))


def test_two_that_would_swallow_each_other_on_one_day_cannot_both_be() -> None:
    other = UnitChange(DAY, "14/NQ-HĐND", (BegunUnit(B, "Phường Khác", (A, B)),))
    assert faults(other, MERGER) != []


def test_a_new_commune_may_change_again_later() -> None:
    later = UnitChange(DAY + timedelta(days=30), "15/NQ-HĐND", (BegunUnit(A, "Phường Sau Nữa", (A, C)),))
    assert faults(later, MERGER) == []
    assert faults(replace(later, on=DAY), MERGER) != []


@given(st.lists(st.sets(st.sampled_from(communes()[:12]), min_size=1, max_size=4), min_size=1, max_size=5), st.data())
def test_however_communes_change_each_day_has_one_unit_for_each_code_and_nothing_is_lost(
    groups: list[set[str]], data: st.DataObject
) -> None:
    made, day = packaged(), DAY
    for n, group in enumerate(groups):
        day += timedelta(days=data.draw(st.integers(0, 3)))
        change = UnitChange(day, str(n), (BegunUnit(min(group), f"Xã Thử {n}", tuple(sorted(group))),))
        if not faults_of(change, made, MERGED, WAS):
            made = made.with_changes([change])
    mine = [unit for unit in made.units if unit.province_code == WAS and unit.level == "commune" and unit.valid_from >= MERGED]
    for on in (MERGED, DAY, day, day + timedelta(days=1)):
        codes = [unit.code for unit in mine if unit.is_valid(on)]
        assert len(codes) == len(set(codes))
    open_ends = [unit for unit in mine if unit.valid_to is not None and not made.after.get(unit.key)]
    assert open_ends == []
