"""Word tables: merged cells, a table over several pages, nothing dangerous opened."""

from __future__ import annotations

from pathlib import Path

import docx
import pytest

from lienthong.connectors import word_file
from lienthong.errors import HostileInputError, SourceError
from tests.connectors.reading import check_resuming, make_source, read_all
from tests.connectors.test_excel_habits import edited, endless

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


def test_a_long_table_is_read_in_parts_and_merged_cells_go_on_over_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(word_file, "PART_ROWS", 3)
    rows = [[str(n), "Lộc An" if n == 1 else "", f"Điểu {n}", str(n)] for n in range(1, 9)]
    source = make_source("word_file", document(tmp_path, [HEADINGS, *rows], merge=((1, 1), (8, 1))), header_rows="found")
    assert [tuple(row.values()) for row in read_all(source).rows] == [("Lộc An", f"Điểu {n}", str(n)) for n in range(1, 9)]
    check_resuming(source)


def test_what_stands_around_the_table_may_be_long_and_a_table_in_a_cell_is_not_of_it(tmp_path: Path) -> None:
    path = document(tmp_path, [["x", "y"], ["1", "2"], ["3", "4"]])
    paragraph = b"<w:p><w:r><w:t>" + " ".join(map(str, range(100_000))).encode() + b"</w:t></w:r></w:p>"
    inner = b"<w:tbl><w:tr><w:tc><w:p/></w:tc></w:tr></w:tbl>"
    edited(path, "word/document.xml", b"<w:tbl>", b"".join(paragraph for _ in range(40)) + b"<w:tbl>")
    edited(path, "word/document.xml", b"<w:t>1</w:t></w:r></w:p>", b"<w:t>1</w:t></w:r></w:p>" + inner)
    assert read_all(make_source("word_file", path)).rows == [{"x": "1", "y": "2"}, {"x": "3", "y": "4"}]


def test_elements_without_end_between_two_rows_are_refused(tmp_path: Path) -> None:
    path = document(tmp_path, [["x", "y"], ["1", "2"]])
    edited(path, "word/document.xml", b"<w:tbl>", endless(b'<w:a w:b="%d"/>') + b"<w:tbl>")
    with pytest.raises(HostileInputError, match="larger than 16 MiB"):
        read_all(make_source("word_file", path))
