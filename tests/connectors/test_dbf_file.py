"""DBF tables: fixed widths, old character sets, deleted records, files cut off in copying."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path

import pytest

from lienthong.errors import SourceError
from lienthong.standards.legacy_encodings import encode_tcvn3
from tests.connectors.reading import check_resuming, make_source, read_all

FIELDS = (("MAHO", "C", 8), ("HOTEN", "C", 30), ("SONHANKHAU", "N", 3), ("NGAYSINH", "D", 8), ("NGHEO", "L", 1))
PEOPLE = [
    ("HN000001", "điểu thị hương", "  4", "19800307", "T"),
    ("HN000002", "nguyễn văn đức", "   ", "        ", "?"),
    ("HN000003", "trần quốc phước", " 12", "19751112", "F"),
] * 20


def write_dbf(
    path: Path, rows: Sequence[Sequence[str]], deleted: Sequence[int] = (), fields: Sequence[tuple[str, str, int]] = FIELDS
) -> Path:
    """A dBase III table in TCVN3 bytes."""
    record_length = 1 + sum(length for _, _, length in fields)
    head = struct.pack("<BBBBIHH20x", 3, 126, 6, 30, len(rows), 32 + 32 * len(fields) + 1, record_length)
    described = b"".join(struct.pack("<11sc4xBB14x", name.encode(), kind.encode(), length, 0) for name, kind, length in fields)
    records = b"".join(
        (b"*" if number in deleted else b" ")
        + b"".join(encode_tcvn3(value).ljust(length)[:length] for value, (_, _, length) in zip(row, fields, strict=True))
        for number, row in enumerate(rows, 1)
    )
    path.write_bytes(head + described + b"\r" + records + b"\x1a")
    return path


def test_a_table_in_tcvn3_is_read_with_its_kinds(tmp_path: Path) -> None:
    reading = read_all(make_source("dbf_file", write_dbf(tmp_path / "a.dbf", PEOPLE)))
    assert [list(row.values()) for row in reading.rows[:3]] == [
        ["HN000001", "điểu thị hương", "4", "1980-03-07", "true"],
        ["HN000002", "nguyễn văn đức", None, None, None],
        ["HN000003", "trần quốc phước", "12", "1975-11-12", "false"],
    ]
    file = reading.batches[0].file
    assert file.encoding == "tcvn3"
    assert 0.5 < file.encoding_confidence <= 1


@pytest.mark.parametrize(
    ("encoding", "cells", "is_lossless"),
    [("vni", [b"A\xd9n", b"A\xf9n", b"Ann"], False), ("vni", [b"a\xf9n", b"Ann"], True), ("tcvn3", [b"Tr\xc2n", b"Tr\xa2n"], False)],
)
def test_bytes_that_their_letters_do_not_tell_are_kept_beside_them(
    tmp_path: Path, encoding: str, cells: list[bytes], is_lossless: bool
) -> None:
    path = write_dbf(tmp_path / "a.dbf", [("1", f"<{n}>") for n in range(len(cells))], fields=[("MA", "C", 2), ("TEN", "C", 4)])
    data = path.read_bytes()
    for n, cell in enumerate(cells):
        data = data.replace(b"<%d> " % n, cell.ljust(4))
    path.write_bytes(data)
    (batch,) = read_all(make_source("dbf_file", path, encoding=encoding)).batches
    assert list(batch.typed) == ([] if is_lossless else ["TEN"])
    kept = batch.typed.get("TEN", batch.table["TEN"]).to_pylist()
    if not is_lossless:
        assert [(typed or read).encode("latin-1") for typed, read in zip(kept, batch.table["TEN"].to_pylist(), strict=True)] == cells


def test_deleted_records_are_no_rows_but_keep_their_numbers(tmp_path: Path) -> None:
    reading = read_all(make_source("dbf_file", write_dbf(tmp_path / "a.dbf", PEOPLE[:4], deleted=[2])))
    assert reading.source_rows == [1, 3, 4]


def test_reading_goes_on_from_any_record(tmp_path: Path) -> None:
    write_dbf(tmp_path / "a.dbf", PEOPLE[:7], deleted=[3])
    write_dbf(tmp_path / "b.dbf", PEOPLE[:2])
    check_resuming(make_source("dbf_file", tmp_path / "*.dbf", encoding="tcvn3"))


def test_a_table_cut_off_says_how_many_records_are_missing(tmp_path: Path) -> None:
    path = write_dbf(tmp_path / "a.dbf", PEOPLE)
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(SourceError, match=r"says 60 records, found 15"):
        read_all(make_source("dbf_file", path))


def test_a_record_in_another_encoding_breaks_alone(tmp_path: Path) -> None:
    path = write_dbf(tmp_path / "a.dbf", [("HN1", "an", "1", "", ""), ("HN2", "đức", "1", "", ""), ("HN3", "ba", "1", "", "")])
    reading = read_all(make_source("dbf_file", path, encoding="utf-8"))
    assert reading.source_rows == [1, 3]
    assert [(row.source_row, row.code) for row in reading.broken] == [(2, "row.encoding")]


def test_a_memo_field_is_refused_by_name_or_left_out(tmp_path: Path) -> None:
    fields = (("MA", "C", 4), ("GHICHU", "M", 10))
    path = write_dbf(tmp_path / "a.dbf", [("A1", "")], fields=fields)
    with pytest.raises(SourceError, match="GHICHU"):
        read_all(make_source("dbf_file", path))
    assert read_all(make_source("dbf_file", path, drop_columns=["GHICHU"])).rows == [{"MA": "A1"}]


def test_no_records_still_give_the_columns(tmp_path: Path) -> None:
    reading = read_all(make_source("dbf_file", write_dbf(tmp_path / "a.dbf", [])))
    assert (reading.columns, reading.rows) == ([name for name, _, _ in FIELDS], [])


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04 not a table", b"\x03" + b"\0" * 40])
def test_what_is_no_table_is_refused(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "a.dbf"
    path.write_bytes(data)
    with pytest.raises(SourceError):
        read_all(make_source("dbf_file", path))


def memo_table(folder: Path, pointers: Sequence[str]) -> Path:
    return write_dbf(
        folder / "a.dbf", [(f"A{n}", pointer) for n, pointer in enumerate(pointers)], fields=(("MA", "C", 4), ("GHICHU", "M", 10))
    )


def test_memos_of_dbase_3_and_4_and_foxpro_are_read(tmp_path: Path) -> None:
    text = encode_tcvn3("đất của nguyễn văn thắng") + b"\r\nhai"
    path = memo_table(tmp_path, ["         1", "          ", "         2"])
    path.with_suffix(".dbt").write_bytes(b"\0" * 512 + (text + b"\x1a\x1a").ljust(512, b"\0") + b"x\x1a")
    source = make_source("dbf_file", path, encoding="tcvn3")
    expected = ["đất của nguyễn văn thắng\r\nhai", None, "x"]
    assert [row["GHICHU"] for row in read_all(source).rows] == expected
    check_resuming(source)
    head = b"\0" * 20 + (512).to_bytes(2, "little")
    blocks = [b"\xff\xff\x08\0" + (len(each) + 8).to_bytes(4, "little") + each for each in (text, b"x")]
    path.with_suffix(".dbt").write_bytes(head.ljust(512, b"\0") + blocks[0].ljust(512, b"\0") + blocks[1])
    assert [row["GHICHU"] for row in read_all(source).rows] == expected
    path.with_suffix(".dbt").unlink()
    head = b"\0" * 6 + (64).to_bytes(2, "big")
    blocks = [(1).to_bytes(4, "big") + len(each).to_bytes(4, "big") + each for each in (text, b"x")]
    path.with_suffix(".fpt").write_bytes(head.ljust(64, b"\0") + blocks[0].ljust(64, b"\0") + blocks[1])
    assert [row["GHICHU"] for row in read_all(source).rows] == expected


def test_a_memo_that_is_not_there_breaks_its_row(tmp_path: Path) -> None:
    path = memo_table(tmp_path, ["         1", "      9999", "        -x"])
    path.with_suffix(".dbt").write_bytes(b"\0" * 512 + b"x\x1a")
    reading = read_all(make_source("dbf_file", path, encoding="tcvn3"))
    assert [(row.source_row, row.code) for row in reading.broken] == [(2, "row.memo"), (3, "row.memo")]
    assert reading.rows == [{"MA": "A0", "GHICHU": "x"}]
