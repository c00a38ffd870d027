"""Lists of strangers: whatever an office prints or exports is read, or refused in words; no row is lost."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Sequence
from pathlib import Path

import openpyxl
import polars as pl
import pytest
from openpyxl import Workbook

from lienthong.errors import HostileInputError, SourceError, Unprocessable
from lienthong.masterdata.entities import Entity, entities_of
from lienthong.masterdata.headings import known_headings
from lienthong.masterdata.own_list import RULES, SURE
from lienthong.pipeline.list_reading import ReadList, read_list, rows_as_list
from lienthong.pipeline.listing import judge_own_list
from tests.factories import contracts_of_the_province

PERSON: Entity = entities_of(contracts_of_the_province())["person"]
HEADINGS = ("STT", "Họ và tên", "Ngày sinh", "Số CCCD/CMND", "Giới tính")


def known(headings: Sequence[str]) -> int:
    return known_headings(PERSON, headings)


def read(path: Path, most_rows: int = 1000) -> ReadList:
    return read_list(path, known, most_rows)


def written(path: Path, *lines: str, encoding: str = "utf-8") -> Path:
    path.write_text("\n".join(lines) + "\n", encoding=encoding)
    return path


def workbook(path: Path, *rows: Sequence[object]) -> Path:
    book = Workbook()
    for row in rows:
        book.active.append(list(row))
    book.save(path)
    return path


def test_headings_are_found_under_a_printed_title(tmp_path: Path) -> None:
    rows = [("ỦY BAN NHÂN DÂN XÃ",), ("DANH SÁCH HỖ TRỢ",), (), HEADINGS, (1, "Lê An", "1/2/1980", "097090000001", "Nam")]
    found = read(workbook(tmp_path / "list.xlsx", *rows))
    assert tuple(found.frame.columns) == HEADINGS
    assert found.numbers == (5,)


def test_headings_that_no_contract_knows_are_counted_each_by_itself() -> None:
    headings = ("Full name of customer", "Passport", "Home phone", "Mobile phone", "Home address", "Street address", "Gender of client")
    assert known(headings) == len(headings)


def test_a_row_without_shape_is_kept_with_its_number(tmp_path: Path) -> None:
    found = read(written(tmp_path / "list.csv", ";".join(HEADINGS), "1;Lê An;1980;;Nam", "hỏng;hàng", "2;Lê B;1990;;Nữ"))
    assert found.numbers == (2, 4)
    assert [(each.source_row, each.text) for each in found.broken] == [(3, "hỏng;hàng")]


def test_json_is_read_as_rows(tmp_path: Path) -> None:
    path = tmp_path / "list.json"
    path.write_text(json.dumps({"data": [{"Họ và tên": "Lê An", "Tuổi": 3}, {"Họ và tên": None}]}), encoding="utf-8")
    found = read(path)
    assert found.frame.rows() == [("Lê An", "3"), (None, None)]


@pytest.mark.parametrize(
    "content",
    [b"", b"[]", b"{}", b'[{"a": {"b": 1}}]', b"[1]", b"\xff\xfe", b"[" * 100_000],
)
def test_what_is_no_list_of_rows_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "list.json").write_bytes(content)
    with pytest.raises(SourceError):
        read(tmp_path / "list.json")


SHEET = b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData><row r="1"><c r="A1" t="inlineStr"><is><t>a</t></is></c></row>'


def test_a_bomb_is_refused(tmp_path: Path) -> None:
    good, path = tmp_path / "good.xlsx", tmp_path / "list.xlsx"
    openpyxl.Workbook().save(good)
    with zipfile.ZipFile(good) as source, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in source.namelist():
            archive.writestr(name, source.read(name) if "sheet1.xml" not in name else SHEET + b" " * 90_000_000)
    with pytest.raises(HostileInputError):
        read(path)


@pytest.mark.parametrize(("name", "content"), [("a.xlsx", b"not a workbook"), ("a.pdf", b"%PDF"), ("a.csv", b""), ("a.csv", b"x,y\n")])
def test_what_is_no_list_says_so(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(SourceError):
        read(tmp_path / name)


def test_more_rows_than_allowed_are_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "list.csv", "Họ và tên", *(f"Người {n}" for n in range(11)))
    assert len(read(path, 11).numbers) == 11
    with pytest.raises(SourceError, match="10"):
        read(path, 10)
    with pytest.raises(SourceError):
        rows_as_list([{"a": "1"}] * 11, 10)


def test_values_are_cleaned_as_the_registers_clean_theirs() -> None:
    rows = rows_as_list(
        [
            {
                "Họ đệm": "NGUYỄN VĂN",
                "Tên": "AN",
                "Ngày sinh": "ngày 1 tháng 2 năm 1980",
                "Số CCCD": "097 090 000 001",
                "Giới tính": "Trai",
            },
            {"Họ đệm": "Nguyen van", "Tên": "an", "Ngày sinh": "1/2/1980", "Số CCCD": "123456789", "Giới tính": "1"},
            {"Họ đệm": "Lê", "Tên": "B", "Ngày sinh": "31/02/1980", "Số CCCD": "12345", "Giới tính": "?"},
        ],
        10,
    )
    own = judge_own_list(PERSON, rows, None, accept_synthetic=True)
    assert own.values["full_name"].to_list()[:2] == ["Nguyễn Văn An", "Nguyen Van An"]
    assert own.values["born_on"].to_list() == ["1980-02-01", "1980-02-01", None]
    assert own.values["citizen_id"].to_list() == ["097090000001", None, None]
    assert own.values["old_id"].to_list() == [None, "123456789", None]
    assert own.unread["citizen_id"] == 1
    assert own.unread["born_on"] == 1
    assert own.judged.way.kind == RULES
    assert [row.verdict for row in own.judged.rows][:2] == [SURE, SURE]


def test_a_number_of_sample_data_joins_nobody_where_it_is_not_accepted() -> None:
    rows = rows_as_list([{"Họ và tên": "Lê An", "Số CCCD": "097090000001"}, {"Họ và tên": "Lê An", "Số CCCD": "097090000001"}], 10)
    own = judge_own_list(PERSON, rows, None)
    assert own.values["citizen_id"].null_count() == 2
    assert own.judged.rows[0].verdict != SURE


def test_birth_in_three_columns_is_one_date() -> None:
    row = {"Họ và tên": "Lê An", "Ngày": "1", "Tháng": "2", "Năm sinh": "1980"}
    own = judge_own_list(PERSON, rows_as_list([row, {**row, "Họ và tên": "Lê Bình"}], 10), None)
    assert own.values["born_on"].to_list() == ["1980-02-01", "1980-02-01"]


def test_nothing_to_compare_is_said_with_what_there_is() -> None:
    with pytest.raises(Unprocessable, match="full_name"):
        judge_own_list(PERSON, rows_as_list([{"x": "1"}, {"x": "1"}], 10), None)
    with pytest.raises(Unprocessable):
        judge_own_list(PERSON, rows_as_list([{"x": "1"}, {"x": "1"}], 10), None, {"y": "full_name"})


def test_the_list_itself_is_never_changed() -> None:
    rows: list[dict[str, str | None]] = [{"Họ và tên": "LÊ  AN", "Ghi chú": "=1+1"}, {"Họ và tên": "lê an", "Ghi chú": None}]
    own = judge_own_list(PERSON, rows_as_list(rows, 10), None)
    assert own.given.frame.equals(pl.DataFrame({"Họ và tên": ["LÊ  AN", "lê an"], "Ghi chú": ["=1+1", None]}))
