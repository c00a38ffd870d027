"""Delimited text: no row is lost, every row keeps its line, whatever the file looks like."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lienthong.connectors import ReadContext, fingerprint
from lienthong.connectors import csv_file as csv_module
from lienthong.errors import HostileInputError, SourceError
from lienthong.standards.legacy_encodings import encode_tcvn3
from tests.connectors.reading import check_resuming, make_source, read_all

NAMES = ["Nguyễn Thị Hương", "Trần Văn Đức", "Lê Hoàng Phước", "Phạm Quốc Khánh", "Điểu Thị Mỹ Lệ", "Vũ Đình Thắng"]


def write(folder: Path, data: bytes | str, name: str = "a.csv") -> Path:
    path = folder / name
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return path


def test_semicolons_marks_and_windows_line_ends_are_understood(tmp_path: Path) -> None:
    path = write(tmp_path, "\ufeffMã số;Họ tên\r\n01;Điểu Sơn\r\n02;\r\n")
    reading = read_all(make_source("csv_file", path))
    assert reading.rows == [{"Mã số": "01", "Họ tên": "Điểu Sơn"}, {"Mã số": "02", "Họ tên": ""}]
    assert reading.source_rows == [2, 3]
    assert reading.batches[0].file.encoding == "utf-8-sig"


@pytest.mark.parametrize("delimiter", [";", ",", "\t", "|"])
def test_the_delimiter_is_found(tmp_path: Path, delimiter: str) -> None:
    path = write(
        tmp_path,
        delimiter.join(["a", "b", "c"]) + "\n" + delimiter.join(["1,5 x", "2", "3"]).replace(",", "." if delimiter == "," else ",") + "\n",
    )
    assert read_all(make_source("csv_file", path)).columns == ["a", "b", "c"]


def test_quoted_line_ends_and_blank_lines_keep_the_line_numbers_exact(tmp_path: Path) -> None:
    path = write(tmp_path, 'a;b\n1;"x\ny\n"\n\n2;"q""q"\n\n\n3;z')
    reading = read_all(make_source("csv_file", path))
    assert [row["b"] for row in reading.rows] == ["x\ny\n", 'q"q', "z"]
    assert reading.source_rows == [2, 6, 9]


def test_ragged_rows_wait_with_their_line(tmp_path: Path) -> None:
    path = write(tmp_path, "a;b\n1;2\n1;2;3\n4\n5;6\n")
    reading = read_all(make_source("csv_file", path))
    assert reading.source_rows == [2, 5]
    assert [(row.source_row, row.text, row.code) for row in reading.broken] == [(3, "1;2;3", "row.columns"), (4, "4", "row.columns")]
    assert "2 cột" in reading.broken[0].expected_vi


def test_a_quote_that_never_closes_costs_one_row_not_the_file(tmp_path: Path) -> None:
    lines = "".join(f"{n};x\n" for n in range(2000))
    path = write(tmp_path, f'a;b\n1;"open\n{lines}')
    reading = read_all(make_source("csv_file", path, delimiter=";"))
    assert [(row.source_row, row.code) for row in reading.broken] == [(2, "row.quote")]
    assert len(reading.rows) == 2000


def test_a_last_field_cut_off_inside_quotes_is_a_broken_row(tmp_path: Path) -> None:
    reading = read_all(make_source("csv_file", write(tmp_path, 'a;b\n1;2\n3;"cut o')))
    assert [(row.source_row, row.text, row.code) for row in reading.broken] == [(3, '3;"cut o', "row.quote")]
    assert reading.rows == [{"a": "1", "b": "2"}]


def test_a_stray_quote_inside_a_field_means_nothing(tmp_path: Path) -> None:
    reading = read_all(make_source("csv_file", write(tmp_path, 'a;b\n1;ống 5" nhựa\n2;x\n3;"y"\n')))
    assert [row["b"] for row in reading.rows] == ['ống 5" nhựa', "x", "y"]
    assert reading.broken == []


def test_bytes_of_another_encoding_break_their_row_only(tmp_path: Path) -> None:
    body = "".join(f"{n};{name}\n" for n, name in enumerate(NAMES * 10)).encode()
    path = write(tmp_path, b"a;b\n" + body + b"77;\xff\xfe\n" + "78;Hòa\n".encode())
    reading = read_all(make_source("csv_file", path, encoding="utf-8"))
    assert [(row.source_row, row.text, row.code) for row in reading.broken] == [(62, "77;\\xff\\xfe", "row.encoding")]
    assert reading.rows[-1] == {"a": "78", "b": "Hòa"}


def test_nul_bytes_break_their_row_and_can_be_stored(tmp_path: Path) -> None:
    reading = read_all(make_source("csv_file", write(tmp_path, b"a;b\n1;x\0y\n2;z\n", "nul.csv"), encoding="utf-8"))
    assert [(row.source_row, row.text, row.code) for row in reading.broken] == [(2, "1;x␀y", "row.nul")]
    assert reading.source_rows == [3]


@pytest.mark.parametrize("encoding", ["windows-1258", "utf-16", "utf-16-le", "tcvn3"])
def test_legacy_encodings_are_read_when_named(tmp_path: Path, encoding: str) -> None:
    text = "a;b\r\n" + "".join(f"{n};Trần văn hiền\r\n" for n in range(50))
    path = write(tmp_path, encode_tcvn3(text) if encoding == "tcvn3" else text.encode(encoding, "replace"))
    reading = read_all(make_source("csv_file", path, encoding=encoding))
    assert len(reading.rows) == 50
    assert reading.source_rows == list(range(2, 52))
    if encoding != "windows-1258":
        assert reading.rows[7] == {"a": "7", "b": "Trần văn hiền"}


def test_tcvn3_is_detected_with_a_stated_confidence(tmp_path: Path) -> None:
    text = "mã;họ tên\n" + "".join(f"{n};{name.lower()}\n" for n, name in enumerate(NAMES * 40))
    reading = read_all(make_source("csv_file", write(tmp_path, encode_tcvn3(text))))
    assert reading.batches[0].file.encoding == "tcvn3"
    assert 0.5 < reading.batches[0].file.encoding_confidence <= 1
    assert reading.rows[0]["họ tên"] == "nguyễn thị hương"


def test_a_header_alone_gives_its_columns_and_no_rows(tmp_path: Path) -> None:
    reading = read_all(make_source("csv_file", write(tmp_path, "a;b\r\n")))
    assert (reading.columns, reading.rows) == (["a", "b"], [])


def test_an_empty_file_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"a\.csv.*empty"):
        read_all(make_source("csv_file", write(tmp_path, "")))


@pytest.mark.parametrize(("header", "words"), [("a;;c", "column 2 has no heading"), ("a;b;a", "headings given twice: `a`")])
def test_missing_and_doubled_headings_are_named(tmp_path: Path, header: str, words: str) -> None:
    with pytest.raises(SourceError, match=words):
        read_all(make_source("csv_file", write(tmp_path, f"{header}\n1;2;3\n")))


def test_title_lines_are_passed_over_and_headless_files_named(tmp_path: Path) -> None:
    titled = write(tmp_path, "DANH SÁCH\n\nmã,tên\n1,x\n")
    assert read_all(make_source("csv_file", titled, header_row=3)).rows == [{"mã": "1", "tên": "x"}]
    headless = write(tmp_path, "1,x\n2,y\n", "b.csv")
    reading = read_all(make_source("csv_file", headless, columns=["mã", "tên"]))
    assert (reading.rows[0], reading.source_rows) == ({"mã": "1", "tên": "x"}, [1, 2])


def test_old_macintosh_line_ends_are_read(tmp_path: Path) -> None:
    reading = read_all(make_source("csv_file", write(tmp_path, "a;b\r1;x\r2;y\r")))
    assert ([row["b"] for row in reading.rows], reading.source_rows) == (["x", "y"], [2, 3])


def test_a_giant_cell_is_kept_and_a_giant_line_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path, "a;b\n1;" + "x" * 3_000_000 + "\n2;y\n")
    reading = read_all(make_source("csv_file", path))
    assert [len(row["b"] or "") for row in reading.rows] == [3_000_000, 1]
    monkeypatch.setattr(csv_module, "MAX_LINE_BYTES", 1_000_000)
    monkeypatch.setattr(csv_module, "BLOCK_BYTES", (65_536, 65_536))
    with pytest.raises(HostileInputError, match="line 2"):
        read_all(make_source("csv_file", path))


def test_a_formula_stays_text(tmp_path: Path) -> None:
    cell = '=HYPERLINK("http://x","y")'
    quoted = cell.replace('"', '""')
    assert read_all(make_source("csv_file", write(tmp_path, f'a;b\n1;"{quoted}"\n'))).rows[0]["b"] == cell


def test_the_fingerprint_follows_the_content_not_the_name(tmp_path: Path) -> None:
    context = ReadContext()
    one = make_source("csv_file", write(tmp_path, "a\n1\n", "one.csv"))
    two = make_source("csv_file", write(tmp_path, "a\n1\n", "two.csv"))
    other = make_source("csv_file", write(tmp_path, "a\n2\n", "other.csv"))
    assert fingerprint(one, context) == fingerprint(two, context) != fingerprint(other, context)


cells = st.text(alphabet=st.sampled_from('ab;"\n\r Đế,=\t'), max_size=6)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.tuples(cells, cells, cells), min_size=1, max_size=12), line_end=st.sampled_from(["\n", "\r\n"]))
def test_what_a_writer_wrote_is_what_is_read(tmp_path: Path, rows: list[tuple[str, str, str]], line_end: str) -> None:
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";", lineterminator=line_end, quoting=csv.QUOTE_ALL)
    writer.writerows([("a", "b", "c"), *rows])
    reading = read_all(make_source("csv_file", write(tmp_path, out.getvalue()), delimiter=";", encoding="utf-8"), 3)
    assert [tuple(row.values()) for row in reading.rows] == rows
    assert reading.broken == []
    starts = [2]
    for row in rows[:-1]:
        starts.append(starts[-1] + 1 + sum(cell.count("\n") for cell in row))
    assert reading.source_rows == starts


pieces = st.sampled_from(["1;2", "1;2;3", "", '"', '4;"5\n6"', '7;"8', "9", "x\0;1", "\xff;2", 'a"b;c', '"a"b;c"', "\r"])


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lines=st.lists(pieces, max_size=14))
def test_no_line_of_a_damaged_file_is_lost(tmp_path: Path, lines: list[str]) -> None:
    path = write(tmp_path, ("a;b\n" + "\n".join(lines)).encode("latin-1"))
    reading = read_all(make_source("csv_file", path, delimiter=";", encoding="utf-8"))
    said = "\n".join([";".join(str(value) for value in row.values()) for row in reading.rows] + [row.text for row in reading.broken])
    for mark in "1234567890xabc":
        assert said.count(mark) >= "\n".join(lines).replace("\xff", "").count(mark)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lines=st.lists(pieces, max_size=14), block=st.integers(8, 40))
def test_reading_goes_on_from_any_position(tmp_path: Path, lines: list[str], block: int) -> None:
    path = write(tmp_path, ("a;b\n" + "\n".join(lines)).encode("latin-1"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csv_module, "BLOCK_BYTES", (block, block))
        check_resuming(make_source("csv_file", path, delimiter=";", encoding="utf-8"), (1, 3))


@pytest.mark.parametrize(
    ("encoding", "cells", "is_lossless"),
    [
        ("tcvn3", [b"Tr\xc2n", b"Tr\xa2n", b"An"], False),
        ("tcvn3", [b"Tr\xa2n", b"An"], True),
        ("vni", [b"A\xd9n", b"A\xf9n", b"a\xf9n", b"An"], False),
        ("viscii", [bytes([code]) for code in range(0x80, 0xFF)], True),
    ],
)
def test_bytes_that_their_letters_do_not_tell_are_kept_beside_them(
    tmp_path: Path, encoding: str, cells: list[bytes], is_lossless: bool
) -> None:
    (tmp_path / "a.csv").write_bytes(b"ten;ma\n" + b"".join(cell + b";1\n" for cell in cells))
    (batch,) = read_all(make_source("csv_file", tmp_path / "a.csv", encoding=encoding)).batches
    if is_lossless:
        assert batch.typed == {}
        return
    assert list(batch.typed) == ["ten"]
    kept = zip(batch.typed["ten"].to_pylist(), batch.table["ten"].to_pylist(), strict=True)
    assert [(typed or read).encode("latin-1") for typed, read in kept] == cells
