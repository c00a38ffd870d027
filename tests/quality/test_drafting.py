"""What a stranger's list is taken for, with what speaks for it; and that every proposal is a contract or says what it lacks."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lienthong.contracts.load import build
from lienthong.errors import ContractError
from lienthong.quality.drafting import Column, Draft, document_of, draft, header_row_of, machine_name


def people(count: int = 60) -> pl.DataFrame:
    names = ["Nguyễn Văn An", "Trần Thị Bình", "Lê Hoàng Châu", "Phạm Đức Dũng"]
    return pl.DataFrame(
        {
            "STT": [str(n) for n in range(1, count + 1)],
            "Mã hộ": [f"HK{n:05}" for n in range(count)],
            "Họ và tên": [names[n % 4] for n in range(count)],
            "Số CCCD": [f"0700{n:08}" for n in range(count)],
            "Ngày sinh": [f"{1 + n % 28:02}/0{1 + n % 9}/19{60 + n % 40}" for n in range(count)],
            "Giới tính": ["Nam" if n % 2 else "Nữ" for n in range(count)],
            "Dân tộc": ["Kinh" if n % 3 else "Tày" for n in range(count)],
            "Địa chỉ": [f"Số {n}, đường Hùng Vương" for n in range(count)],
            "Loại hộ": [("nghèo", "cận nghèo", "khác")[n % 3] for n in range(count)],
            "Số nhân khẩu": [str(1 + n % 7) for n in range(count)],
            "Mã bưu chính": [f"0{n % 10}0{n % 7}" for n in range(count)],
            "Ghi chú": [None if n % 5 else "xem lại" for n in range(count)],
        }
    )


@pytest.fixture(scope="module")
def made() -> Draft:
    return draft(people(), "lao-dong.ho", "H10.12", "Hộ dân", {"Họ và tên": "Full name"})


def column(made: Draft, heading: str) -> Column:
    return next(c for c in made.columns if c.heading == heading)


@pytest.mark.parametrize(
    ("heading", "name", "type", "standard", "sensitivity"),
    [
        ("Họ và tên", "full_name", "string", "person_name", "personal"),
        ("Ngày sinh", "born_on", "date", "", "personal"),
        ("Giới tính", "sex", "string", "sex", "personal"),
        ("Dân tộc", "dan_toc", "string", "", "sensitive"),
        ("Địa chỉ", "address", "string", "", "personal"),
        ("Số nhân khẩu", "so_nhan_khau", "integer", "", "internal"),
        ("Mã bưu chính", "ma_buu_chinh", "string", "", "internal"),
    ],
)
def test_a_column_is_taken_for_what_it_is(heading: str, name: str, type: str, standard: str, sensitivity: str, made: Draft) -> None:
    found = column(made, heading)
    assert (found.name, found.type, found.standard, found.sensitivity) == (name, type, standard, sensitivity), found.evidence
    assert found.evidence


def test_what_numbers_rows_is_left_out_and_what_repeats_is_a_list_of_codes(made: Draft) -> None:
    assert column(made, "STT").name == ""
    assert column(made, "Loại hộ").codes == ("cận nghèo", "khác", "nghèo")
    assert column(made, "Họ và tên").title_en == "Full name"
    assert not column(made, "Ghi chú").required


def test_the_key_is_the_code_no_two_rows_share(made: Draft) -> None:
    assert [c.heading for c in made.kept if c.key] == ["Mã hộ"]


def test_two_columns_together_are_the_key_where_none_is_alone() -> None:
    frame = pl.DataFrame(
        {
            "Mã trạm": [f"T{n // 10}" for n in range(100)],
            "Ngày đo": [f"2026-01-{1 + n % 10:02}" for n in range(100)],
            "Giá trị": ["1,5"] * 100,
        }
    )
    found = draft(frame, "moi-truong.do", "H10.10", "Đo")
    assert [(c.heading, c.key) for c in found.kept if c.key] == [("Mã trạm", 1), ("Ngày đo", 2)]
    assert column(found, "Giá trị").type == "number"


def test_a_proposal_is_a_contract_and_keeps_no_values_but_codes(made: Draft) -> None:
    contract = build(document_of(made), made.id)
    assert contract.agency == "H10.12"
    assert {b.text for b in contract.legal_basis} >= {"Luật Bảo vệ dữ liệu cá nhân 91/2025/QH15"}
    assert next(p for p in contract.properties if p.name == "full_name").mask == "initials"
    assert "Nguyễn Văn An" not in str(document_of(made))
    assert "Hùng Vương" not in str(made)


def test_a_list_without_a_key_says_so() -> None:
    found = draft(pl.DataFrame({"Màu": ["xanh", "đỏ"] * 20}), "thu.mau", "H10.12", "Màu")
    with pytest.raises(ContractError) as refused:
        build(document_of(found), found.id)
    assert any("primary key" in what for _, what, _ in refused.value.faults)


def test_headings_are_found_below_titles() -> None:
    grid: list[list[str | None]] = [
        ["ỦY BAN NHÂN DÂN XÃ", None, None],
        ["DANH SÁCH HỘ", None, None],
        [None, None, None],
        ["STT", "Họ và tên", "Năm sinh"],
        ["1", "Nguyễn Văn An", "1980"],
        ["2", "Lê Thị Bình", "1990"],
    ]
    assert header_row_of(grid) == 4
    assert header_row_of([["a", "b"], ["1", "2"]]) == 1
    assert header_row_of([]) == 1


@given(st.lists(st.text(min_size=1, max_size=40), min_size=1, max_size=8))
def test_machine_names_are_names_and_never_the_same(headings: list[str]) -> None:
    taken: set[str] = set()
    for heading in headings:
        name = machine_name(heading, taken)
        assert name not in taken
        assert name.isascii()
        assert name.islower()
        assert len(name) <= 50
        taken.add(name)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.lists(st.one_of(st.none(), st.text(max_size=12)), min_size=3, max_size=3), min_size=0, max_size=12))
def test_any_list_gives_a_proposal(rows: list[list[str | None]]) -> None:
    frame = pl.DataFrame(rows, schema={"Mã": pl.String, "Ngày": pl.String, "Tên": pl.String}, orient="row")
    found = draft(frame, "thu.nghiem", "H10.12", "Thử")
    assert len(found.columns) == 3
    assert all(c.filled <= c.rows for c in found.columns)
