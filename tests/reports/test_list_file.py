"""A judged list as a file: every column and row of the original in its order, what a formula would be shown as typed."""

from __future__ import annotations

import csv
import io
from typing import Any

import openpyxl
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lienthong.masterdata.headings import Meant
from lienthong.masterdata.own_list import MAYBE, NONE, RULES, SURE, HeldRow, JudgedList, RowVerdict, Way
from lienthong.reports.list_file import OURS, WITH_INDEX, ListFile, as_csv, as_workbook

FRAME = pl.DataFrame({"Tên": ["An", "=1+1", "An", "Bình"], "Kết luận": [None, "@x", "-2", "+3"]})
ROWS = (
    RowVerdict(SURE, 2, (2,), (), 0.99, "giống hệt", "the same"),
    RowVerdict(MAYBE, 1, (), (3,), 0.5, "gần giống", "alike"),
    RowVerdict(SURE, 2, (0,), (), 0.99, "giống hệt", "the same"),
    RowVerdict(MAYBE, 1, (), (1,), 0.5, "gần giống", "alike"),
)
MEANT = (Meant("Tên", ("full_name",), "tiêu đề", "heading"), Meant("Kết luận", (), "không rõ", "unknown"))


def made(**other: Any) -> ListFile:
    return ListFile(**{"frame": FRAME, "numbers": (2, 3, 5, 6), "judged": JudgedList(ROWS, Way(RULES)), "meant": MEANT, **other})


def cells(content: bytes, sheet: str) -> list[list[Any]]:
    return [[cell.value for cell in row] for row in openpyxl.load_workbook(io.BytesIO(content))[sheet].iter_rows()]


def test_the_list_keeps_its_columns_and_order() -> None:
    found = cells(as_workbook(made()), "Danh sách")
    assert found[0] == ["Tên", "Kết luận", *(f"{name} (Liên thông)" if name == "Kết luận" else name for name in OURS)]
    assert [row[0] for row in found[1:]] == ["An", "=1+1", "An", "Bình"]
    assert found[1][2:5] == ["2", "2", "chắc chắn trùng"]
    assert found[1][5] == "5"


def test_duplicates_stand_side_by_side() -> None:
    found = cells(as_workbook(made()), "Nhóm trùng")
    assert [row[3] for row in found[1:]] == ["1", "1", "2", "2"]


def test_what_columns_were_taken_for_is_on_a_sheet() -> None:
    assert cells(as_workbook(made(titles={"full_name": "Họ và tên"})), "Cột")[1:] == [
        ["Tên", "Họ và tên", "tiêu đề"],
        ["Kết luận", "(không so)", "không rõ"],
    ]


def test_a_row_that_could_not_be_read_stands_where_it_was() -> None:
    found = [cells[0] for _, cells in made(broken=[(4, "hỏng"), (9, "cuối")]).lines()]
    assert found == ["An", "=1+1", "hỏng", "An", "Bình", "cuối"]


def test_golden_ids_are_there_only_when_they_were_asked() -> None:
    assert WITH_INDEX[1] not in made().headings
    held = [HeldRow(SURE, "G1", 0.9, "giống", "same"), HeldRow(), HeldRow(), HeldRow()]
    found = cells(as_workbook(made(held=held)), "Danh sách")
    assert found[0][-3:] == list(WITH_INDEX)
    assert found[1][-3:] == ["đã có", "G1", "giống"]
    assert found[2][-3:] == ["chưa có", None, None]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_no_cell_of_a_csv_is_run(start: str) -> None:
    frame = pl.DataFrame({f"{start}A": [f"{start}1"]})
    file = ListFile(frame, (1,), JudgedList((RowVerdict(NONE),), Way(RULES)))
    rows = list(csv.reader(io.StringIO(b"".join(as_csv(file)).decode("utf-8-sig"), newline="")))
    assert rows[0][0] == f"'{start}A"
    assert rows[1][0] == f"'{start}1"


@settings(max_examples=20, deadline=None)
@given(st.lists(st.text(max_size=20), min_size=1, max_size=5))
def test_whatever_is_in_a_cell_a_workbook_can_be_made_and_runs_nothing(texts: list[str]) -> None:
    frame = pl.DataFrame({"A": texts}, schema={"A": pl.String})
    file = ListFile(frame, tuple(range(len(texts))), JudgedList(tuple(RowVerdict(NONE) for _ in texts), Way(RULES)))
    sheet = openpyxl.load_workbook(io.BytesIO(as_workbook(file)))["Danh sách"]
    assert sheet.max_row == len(texts) + 1
    assert all(cell.data_type != "f" for row in sheet.iter_rows() for cell in row)
