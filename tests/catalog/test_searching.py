"""What people type finds what they mean: with marks or without, short forms, one word or many."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lienthong.catalog import Index, Kind, Wanted, find_named_units, items_of_contracts, lineage_of, place_in, unit_history
from tests.factories import contracts_of_the_province

CONTRACTS = contracts_of_the_province()
AGENCIES = {"H10.10": "Sở Tài nguyên và Môi trường", "H10.12": "Sở Lao động - Thương binh và Xã hội"}
INDEX = Index(items_of_contracts(CONTRACTS.values(), AGENCIES))
TODAY = date(2026, 11, 25)


def found(words: str, **facets: str) -> list[str]:
    return [item.id for item in INDEX.search(Wanted(words, facets)).items]


@pytest.mark.parametrize(
    ("words", "first"),
    [
        ("dân cư", "population.persons"),
        ("dan cu", "population.persons"),
        ("DÂN CƯ", "population.persons"),
        ("doanh nghiep", "enterprises.register"),
        ("giấy phép", "licences.register"),
        ("quan trac moi truong", "environment.readings"),
        ("bhxh", "social-insurance.participants"),
        ("readings", "environment.readings"),
        ("quan tr", "environment.readings"),
    ],
)
def test_words_find_the_dataset_they_mean_first(words: str, first: str) -> None:
    assert found(words)[0] == first


def test_words_in_nfd_find_the_same() -> None:
    import unicodedata

    assert found(unicodedata.normalize("NFD", "môi trường")) == found("môi trường")


def test_all_words_must_be_met_and_it_is_said_when_none_meets_all() -> None:
    both = INDEX.search(Wanted("môi trường zzzz"))
    assert both.is_partly
    assert "environment.readings" in [item.id for item in both.items]
    assert not INDEX.search(Wanted("môi trường")).is_partly


def test_nothing_typed_is_everything() -> None:
    assert set(CONTRACTS) <= set(found("")) == {item.id for item in INDEX.items}


def test_facets_count_what_choosing_them_would_leave() -> None:
    everything = INDEX.search(Wanted())
    for facet in everything.facets:
        assert len(found("", **{facet.name: facet.value})) == facet.count > 0


def test_pages_together_are_the_whole_in_the_same_order() -> None:
    whole = INDEX.search(Wanted("dữ liệu"))
    pages = [INDEX.search(Wanted("dữ liệu", {}, offset, 3)) for offset in range(0, whole.total, 3)]
    assert tuple(item for page in pages for item in page.items) == whole.items
    assert {page.total for page in pages} == {whole.total}


def test_a_closed_list_of_codes_is_an_entry_of_its_own_found_by_its_codes() -> None:
    lists = [item for item in INDEX.items if item.kind is Kind.CODE_LIST]
    assert "agencies.register~kind" in {item.id for item in lists}
    assert "agencies.register~kind" in found("inspectorate", kind="code_list")


def test_a_chosen_facet_still_counts_its_neighbours() -> None:
    chosen = INDEX.search(Wanted("", {"sharing": "open"}))
    assert {f.value for f in chosen.facets if f.name == "sharing"} > {"open"}
    assert {item.sharing for item in chosen.items} == {"open"}


@settings(deadline=None)  # the register of units is read by the first question
@given(st.text(max_size=60))
def test_any_text_is_answered(words: str) -> None:
    assert INDEX.search(Wanted(words)).total <= len(INDEX.items)


@settings(deadline=None)  # the register of units is read by the first question
@given(st.text(max_size=60))
def test_any_text_may_be_asked_for_as_a_place(words: str) -> None:
    assert len(find_named_units(words, TODAY)) <= 8


def test_old_and_new_names_of_a_place_are_found_and_lead_to_each_other() -> None:
    old = next(u for u in find_named_units("Phường Tiến Thành", TODAY, frozenset({"70", "75"})) if u.unit.code == "25210")
    assert [u.name for u in old.after] == ["Phường Đồng Xoài"]
    new = next(u for u in find_named_units("dong xoai", TODAY) if u.unit.valid_to is None)
    assert "Phường Tiến Thành" in [u.name for u in new.before]


@pytest.mark.parametrize(
    ("words", "asked", "code"),
    [
        ("hộ nghèo phường Bình Phước", "hộ nghèo", "25195"),
        ("ho ngheo dong xoai", "ho ngheo", "25210"),
        ("bảo hiểm y tế xã Lộc Ninh", "bảo hiểm y tế", "25270"),
        ("phường Đồng Xoài", "", "25210"),
        ("dân số", "dân số", None),
    ],
)
def test_what_is_asked_of_a_place_is_told_apart_from_its_name(words: str, asked: str, code: str | None) -> None:
    rest, units = place_in(words, TODAY)
    assert rest == asked
    assert code in {each.unit.code for each in units} if code else units == []


@settings(deadline=None)
@given(st.text(max_size=60))
def test_any_text_may_ask_something_of_a_place(words: str) -> None:
    rest, units = place_in(words, TODAY)
    assert units or rest == words


def test_one_code_tells_of_every_place_it_has_named() -> None:
    assert [u.unit.name for u in unit_history("25195", TODAY)] == ["Phường Bình Phước", "Phường Tân Phú"]
    assert unit_history("99999", TODAY) == []


def test_lineage_is_one_step_each_way_and_the_same_from_both_ends() -> None:
    for contract in CONTRACTS.values():
        told = lineage_of(contract, CONTRACTS)
        for step in told.after:
            before = {s.name for s in lineage_of(CONTRACTS[step.name], CONTRACTS).before}
            assert contract.id in before
