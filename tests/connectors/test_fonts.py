"""Columns typed in old fonts: decided from many rows, never from one cell, and kept for the rows after."""

from __future__ import annotations

from pathlib import Path

import openpyxl
import pytest

from lienthong.errors import SourceError
from lienthong.standards import detect_font, encode_legacy
from tests.connectors.reading import check_resuming, make_source, read_all
from tests.standards.test_encodings import NAMES


def shown(text: str, font: str) -> str:
    return encode_legacy(text, font).decode("cp1252" if font == "vni" else "latin-1")


@pytest.mark.parametrize("font", ["tcvn3", "vni"])
def test_a_column_of_an_old_font_is_read_and_others_are_left(tmp_path: Path, font: str) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["cũ", "mới", "latin"])
    names = [name.title().replace("Đ", "đ") for name in NAMES] if font == "tcvn3" else NAMES
    for name, good in zip(names, NAMES, strict=True):
        sheet.append([shown(name, font), good, "Lê Hà Võ"])
    book.save(tmp_path / "a.xlsx")
    source = make_source("excel_file", tmp_path / "a.xlsx", fonts="found")
    reading = read_all(source)
    assert [row["mới"] for row in reading.rows] == NAMES
    assert {row["latin"] for row in reading.rows} == {"Lê Hà Võ"}
    assert [(row["cũ"] or "").lower() for row in reading.rows] == [name.lower() for name in NAMES]
    assert [note.code for batch in reading.batches for note in batch.notes] == [f"font:cũ:{font}"]
    typed = [cell for batch in reading.batches for cell in batch.typed["cũ"].to_pylist()]
    assert typed == [None if name.isascii() else shown(name, font) for name in names]
    assert all(list(batch.typed) == ["cũ"] for batch in reading.batches)
    check_resuming(source, (8,))


@pytest.mark.parametrize("font", ["tcvn3", "vni", "viscii", "vps"])
def test_the_font_of_a_column_is_found_and_what_is_well_stays(font: str) -> None:
    assert detect_font([shown(name, font) for name in NAMES])[0] == font
    assert detect_font(NAMES)[0] == detect_font(["Lê Hà", "Võ Tô"])[0] == detect_font(["Nguyen"])[0] == detect_font(["Мир"])[0] == ""


def test_columns_of_one_file_may_be_in_different_encodings(tmp_path: Path) -> None:
    rows = [b";".join(encode_legacy(name, font) for font in ("tcvn3", "vni", "viscii")) for name in map(str.lower, NAMES * 3)]
    (tmp_path / "a.csv").write_bytes(b"a;b;c\n" + b"\n".join(rows))
    reading = read_all(make_source("csv_file", tmp_path / "a.csv", encoding="latin-1", fonts="found"))
    assert [list(row.values()) for row in reading.rows[:8]] == [[name.lower()] * 3 for name in NAMES]


def test_a_font_may_be_said_and_an_unknown_one_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"a;b\n" + encode_legacy("nữ", "tcvn3") + b";x")
    assert read_all(make_source("csv_file", tmp_path / "a.csv", encoding="latin-1", fonts={"a": "tcvn3"})).rows == [{"a": "nữ", "b": "x"}]
    for fonts, words in (({"a": "abc"}, "expected one of"), ({"z": "vni"}, "no column `z`")):
        with pytest.raises(SourceError, match=words):
            read_all(make_source("csv_file", tmp_path / "a.csv", encoding="latin-1", fonts=fonts))


def test_headings_of_a_csv_are_found_under_title_lines(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("UBND HUYỆN\nDANH SÁCH;\n\nmã;tên;số\n" + "a;b;1\n" * 30)
    reading = read_all(make_source("csv_file", tmp_path / "a.csv", header_row="found"))
    assert (reading.columns, len(reading.rows), reading.source_rows[0]) == (["mã", "tên", "số"], 30, 5)
