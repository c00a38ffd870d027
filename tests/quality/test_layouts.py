"""How sheets are laid out: headings under titles, merged and over several rows, numbers under them, totals, groups, signatures."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lienthong.connectors.excel_layout import Layout
from lienthong.connectors.options import Options
from lienthong.contracts import Source
from lienthong.quality.layouts import FOOTERS, SECTIONS, TOTALS, guess_layout

TITLES: list[list[str | None]] = [
    ["UBND HUYỆN LỘC NINH", None, None, "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM"],
    [None] * 4,
    ["DANH SÁCH HỘ", None, None, None],
]
DATA: list[list[str | None]] = [
    ["1", "Nguyễn Văn An", "1980", "Ấp 1"],
    ["2", "Lê Thị Bình", "1990", "Ấp 2"],
    ["3", "Trần Chi", "1991", "Ấp 2"],
]
Grid = list[list[str | None]]


@pytest.mark.parametrize(
    ("grid", "options", "first"),
    [
        ([["STT", "Họ tên", "Năm", "Ấp"], *DATA], {}, 2),
        ([*TITLES, ["STT", "Họ tên", "Năm", "Ấp"], *DATA], {"header_rows": [4]}, 5),
        ([*TITLES, ["STT", "Họ tên", "Sinh", None], [None, None, "Năm", "Nơi"], *DATA], {"header_rows": [4, 5]}, 6),
        ([["STT", "Họ tên", "Sinh", None], [None, None, "Năm", "Nơi"], ["(1)", "(2)", "(3)", "(4)"], *DATA], {"header_rows": [1, 2], "first_row": 4}, 4),
        ([["STT", "Họ tên", "Năm", "Ấp"], ["A", "B", "1", "2"], *DATA], {"first_row": 3}, 3),
        ([["STT", "Họ tên", "Năm", "Ấp"], *DATA, ["Tổng cộng", None, "3", None]], {"skip_when": TOTALS}, 2),
        ([["STT", "Họ tên", "Năm", "Ấp"], ["I", "Xã A", None, None], *DATA], {"skip_when": SECTIONS}, 2),
        ([["STT", "Họ tên", "Năm", "Ấp"], *DATA, [None] * 4, [None, None, None, "Ngày 1 tháng 7 năm 2026"], ["Người lập", None, None, "Chủ tịch"]], {"stop_when": FOOTERS}, 2),
        ([["Mã", "Tên", "Năm", None], *DATA], {"header_rows": [], "columns": ["Mã", "Tên", "Năm", "Cột 4"], "first_row": 2}, 2),
        ([], {}, 2),
    ],
)  # fmt: skip
def test_a_layout_is_seen(grid: Grid, options: dict[str, object], first: int) -> None:
    found = guess_layout(grid)
    assert (found.options, found.first_row) == (options, first)


def test_what_is_decided_is_told() -> None:
    grid: Grid = [*TITLES, ["STT", "Họ tên", "Năm", "Ấp"], *DATA, ["Cộng", None, "3", None]]
    assert [e.vi for e in guess_layout(grid).evidence] == ["3 dòng trên cùng là tên biểu", "1 dòng tổng cộng, như dòng 8: bỏ"]


@pytest.mark.parametrize("text", ["Tổng cộng", "Cộng:", "TỔNG SỐ (a+b)", "cộng xã Lộc Hưng", "Tổng", "Lũy kế"])
def test_totals_are_totals(text: str) -> None:
    assert re.match(TOTALS, text)


@pytest.mark.parametrize("text", ["Tổng công ty Cao su", "Cộng Hòa", "Tổng Văn Tư", "Toàn Thị Hoa"])
def test_names_are_no_totals(text: str) -> None:
    assert not re.match(TOTALS, text)


CELLS = st.one_of(st.none(), st.text(max_size=8), st.sampled_from(["STT", "1", "2", "(1)", "Cộng", "I", "Họ tên", "Người lập", "  "]))


@settings(max_examples=150, deadline=None)
@given(st.integers(1, 6).flatmap(lambda width: st.lists(st.lists(CELLS, min_size=width, max_size=width), max_size=12)))
def test_any_sheet_has_a_layout_the_connector_understands(grid: Grid) -> None:
    found = guess_layout(grid)
    Layout.take(Options(Source("s", "excel_file", "x"), found.options))
    assert found.first_row >= 2
