"""Two dictionaries compared: what is the same, different, missing; whatever words their headings use."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lienthong.catalog.completeness import completeness, contacts
from lienthong.catalog.dictionary import Element, as_row, compare, elements_of, known_heading, read_elements
from lienthong.catalog.sheets import as_csv
from lienthong.contracts.inventory import COLUMNS, read_rows
from lienthong.contracts.inventory import known_heading as inventory_heading
from tests.factories import contracts_of_the_province, make_contract

CONTRACTS = contracts_of_the_province()
HERE = elements_of(CONTRACTS.values())
AGENCIES = {"H10.10": "Sở Tài nguyên và Môi trường", "H10.12": "Sở Lao động - Thương binh và Xã hội"}


def test_every_field_of_every_dataset_is_an_element_with_its_business_name_and_type() -> None:
    assert len(HERE) == sum(len(contract.properties) for contract in CONTRACTS.values())
    assert all(each.business_name and each.type and each.technical_definition for each in HERE)
    assert any(each.rule for each in HERE)


def test_where_the_focal_officer_is_reached_is_told_as_the_contract_says_it_and_nothing_that_runs() -> None:
    support = [
        {"channel": "email", "url": "mailto:dau-moi@mau.example", "description": "Phòng Dữ liệu"},
        {"channel": "phone", "url": "tel:+842710000000"},
        {"channel": "page", "url": "javascript:alert(1)"},
        {"channel": "nothing"},
        "not even a channel",
    ]
    contract = replace(make_contract(), document={"support": support})
    assert [each["address"] for each in contacts(contract)] == ["mailto:dau-moi@mau.example", "tel:+842710000000"]
    assert contacts(contract)[0]["words"] == "Phòng Dữ liệu"
    assert contacts(replace(contract, document={"support": "none"})) == []


def test_a_dictionary_is_the_same_as_itself() -> None:
    found = compare(HERE, HERE)
    assert (len(found.same), found.different, found.missing_here, found.missing_there) == (len(HERE), (), (), ())


def test_what_differs_names_both_sides_and_what_is_missing_says_where() -> None:
    there = [
        replace(HERE[0], definition="Khác hẳn", type="ngày"),
        *HERE[2:],
        Element(dataset="x.y", field="z", business_name="Chỉ có bên kia"),
    ]
    found = compare([replace(HERE[0], definition="Như ở đây"), *HERE[1:]], there)
    assert [each.here.field for each in found.different] == [HERE[0].field]
    assert found.different[0].words["definition"] == ("Như ở đây", "Khác hẳn")
    assert [each.business_name for each in found.missing_here] == ["Chỉ có bên kia"]
    assert [each.field for each in found.missing_there] == [HERE[1].field]


def test_a_national_dictionary_is_matched_by_business_name_and_its_words_for_types_are_understood() -> None:
    rows = [
        {"Tên phần tử dữ liệu": "Số định danh", "Định nghĩa": "Số định danh cá nhân", "Kiểu": "VARCHAR(12)", "Bắt buộc": "x"},
        {"Tên phần tử dữ liệu": "", "Kiểu": "int"},
    ]
    [theirs] = read_elements(rows)
    ours = Element(
        dataset="a.b", field="citizen_id", business_name="số  định danh", definition="số định danh cá nhân.", type="chữ", required="có"
    )
    found = compare([ours], [theirs])
    assert [each.field for each in found.same] == ["citizen_id"]
    assert compare([replace(ours, type="ngày")], [theirs]).different[0].words == {"type": ("ngày", "VARCHAR(12)")}


def test_rows_go_out_under_headings_that_are_known_when_they_come_back() -> None:
    from lienthong.catalog.dictionary import HEADINGS

    assert [known_heading(heading) for heading in HEADINGS.values()] == list(HEADINGS)
    assert [inventory_heading(column.heading) for column in COLUMNS] == [column.word for column in COLUMNS]
    assert read_elements([dict(zip(HEADINGS.values(), as_row(HERE[0]), strict=True))]) == [HERE[0]]


@given(st.lists(st.sampled_from(HERE), max_size=20, unique=True), st.lists(st.sampled_from(HERE), max_size=20, unique=True))
def test_every_element_of_both_sides_is_told_exactly_once(here: list[Element], there: list[Element]) -> None:
    found = compare(here, there)
    assert len(found.same) + len(found.different) + len(found.missing_there) == len(here)
    assert len(found.missing_here) <= len(there)


@pytest.mark.parametrize("cell", ["=cmd|' /C calc'!A0", "+1", "@x", "-2+3"])
def test_no_cell_is_run_as_a_formula(cell: str) -> None:
    assert f"'{cell}" in as_csv(["a"], [[cell]]).decode("utf-8-sig")


@pytest.mark.parametrize(
    ("cells", "column"),
    [
        ({"Tên": ""}, "Tên hệ thống, cơ sở dữ liệu"), ({"Tên": "A", "Năm": "20"}, "Năm đưa vào sử dụng"), ({"Tên": "A", "URL": "ftp://x"}, "Địa chỉ"),
        ({"Tên": "A", "Cấp": "huyện"}, "Cấp"), ({"Tên": "A", "Mã cơ quan": "H10.99"}, "Mã cơ quan chủ quản"), ({"Tên": "A", "Mã cơ quan": "H10.12"}, "Mã cơ quan chủ quản"),
        ({"Tên": "A", "Nâng cấp": "có lẽ"}, "Cần nâng cấp?"), ({"Tên": "?!"}, "Tên hệ thống, cơ sở dữ liệu"), ({"Tên": "A", "Mã": "population.persons"}, "Mã trong danh mục"),
    ],
)  # fmt: skip
def test_a_faulty_row_of_an_inventory_is_told_by_its_column_and_keeps_no_other_out(cells: dict[str, str], column: str) -> None:
    rows = [(5, {**cells, "Ghi chú": "."}), (6, {"Tên": "CSDL đất đai"})]
    datasets = {contract.id: contract.agency for contract in CONTRACTS.values()}
    found, faults = read_rows(rows, datasets, AGENCIES, "H10.10")
    assert {(fault.row, fault.column) for fault in faults} == {(5, column)}
    assert [row.row for row in found] == [6]


def test_the_same_name_in_other_spellings_is_the_same_item() -> None:
    rows = [(2, {"Tên": "CSDL Đất đai"}), (3, {"Tên": "csdl  đất  đai"})]
    found, faults = read_rows(rows, {}, AGENCIES, "H10.10")
    assert [row.item for row in found] == ["H10.10.csdl-dat-dai"]
    assert faults[0].row == 3


def test_a_description_gains_points_by_what_it_is_told_to_add() -> None:
    poor = completeness(make_contract())
    assert poor.percent < 50
    assert all(gap.fix_vi and gap.fix_en for gap in poor.gaps)
    assert [gap.points for gap in poor.gaps] == sorted((gap.points for gap in poor.gaps), reverse=True)
    rich = completeness(CONTRACTS["statistics.indicators"])
    assert poor.percent < rich.percent <= 100
