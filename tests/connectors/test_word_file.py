"""Word tables: merged cells, a table over several pages, nothing dangerous opened."""

from __future__ import annotations

from pathlib import Path

import docx
import pytest

from lienthong.errors import HostileInputError, SourceError
from tests.connectors.reading import check_resuming, make_source, read_all
from tests.connectors.test_excel_habits import edited

HEADINGS = ["STT", "Xã", "Họ tên", "Số hộ"]


def document(folder: Path, *tables: list[list[str]], merge: tuple[tuple[int, int], tuple[int, int]] | None = None) -> Path:
    made = docx.Document()
    made.add_paragraph("DANH SÁCH")
    for number, rows in enumerate(tables):
        table = made.add_table(len(rows), len(rows[0]))
        for row, values in zip(table.rows, rows, strict=True):
            for cell, value in zip(row.cells, values, strict=True):
                cell.text = value
        if merge is not None and number == 0:
            table.cell(*merge[0]).merge(table.cell(*merge[1]))
        made.add_paragraph("")
    made.save(str(folder / "a.docx"))
    return folder / "a.docx"


def test_a_table_with_merged_cells_over_two_pages_is_one(tmp_path: Path) -> None:
    first = [HEADINGS, ["1", "Lộc An", "Điểu Sơn", "3"], ["2", "", "Lê Hà", "4"]]
    second = [HEADINGS, ["3", "Lộc Hòa", "Trần Bé", "5"], ["Cộng", "", "", "12"]]
    path = document(tmp_path, first, second, [["x", "y"], ["1", "2"]], merge=((1, 1), (2, 1)))
    source = make_source("word_file", path, header_rows="found")
    reading = read_all(source)
    assert [tuple(row.values()) for row in reading.rows] == [
        ("Lộc An", "Điểu Sơn", "3"),
        ("Lộc An", "Lê Hà", "4"),
        ("Lộc Hòa", "Trần Bé", "5"),
    ]
    assert {note.code: note.count for batch in reading.batches for note in batch.notes} == {"headings": 1, "totals": 1}
    check_resuming(source)
    assert read_all(make_source("word_file", path, table=3)).rows == [{"x": "1", "y": "2"}]


def test_which_table_there_is_not_is_said(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="it has 1"):
        read_all(make_source("word_file", document(tmp_path, [["x"]]), table=2))
    with pytest.raises(SourceError, match="it has 0"):
        read_all(make_source("word_file", document(tmp_path)))


def test_old_word_and_what_is_no_document_are_told_in_words(tmp_path: Path) -> None:
    for data, words in (
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "old Word"),
        (b"{\\rtf1}", "not a Word"),
        (b"PK\3\4xx", "damaged"),
    ):
        (tmp_path / "a.docx").write_bytes(data)
        with pytest.raises(SourceError, match=words):
            read_all(make_source("word_file", tmp_path / "a.docx"))


def test_a_document_type_is_refused(tmp_path: Path) -> None:
    path = document(tmp_path, [["x", "y"], ["1", "2"]])
    edited(path, "word/document.xml", b"<w:document", b'<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/passwd">]><w:document')
    with pytest.raises(HostileInputError, match="document type"):
        read_all(make_source("word_file", path))
