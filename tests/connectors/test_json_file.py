"""JSON documents and lines: rows by paths, numbers as written, what is cut off or nested without end refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lienthong.connectors import json_records
from lienthong.errors import HostileInputError, SourceError
from lienthong.standards import encode_tcvn3
from tests.connectors.reading import check_resuming, make_source, read_all

PEOPLE = [{"ma": f"N{n}", "ten": 'Lê "Ba" \\', "so": {"luong": n}, "con": [{"t": "a"}, {"t": "b"}][: n % 3]} for n in range(1, 8)]


def write(folder: Path, data: str | bytes, name: str = "a.json") -> Path:
    path = folder / name
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


def test_items_of_an_array_are_rows_and_numbers_keep_their_digits(tmp_path: Path) -> None:
    path = write(tmp_path, '[{"a": 1.10, "b": 12345678901234567890, "c": null, "d": true, "e": {"x": [1, 2]}, "f": "é\\\\"}, {"b": "x"}]')
    reading = read_all(make_source("json_file", path))
    assert list(reading.rows[0].values()) == ["1.10", "12345678901234567890", None, "true", '{"x":[1,2]}', "é\\"]
    assert reading.rows[1]["b"] == "x"
    assert reading.source_rows == [1, 2]


def test_rows_deep_in_a_document_and_parts_of_items_as_rows(tmp_path: Path) -> None:
    path = write(tmp_path, json.dumps({"trang": [1, {"x": "]"}], "du_lieu": {"khac": "{", "ho": PEOPLE}, "sau": [9]}))
    plain = make_source("json_file", path, items="du_lieu.ho", fields={"mã": "ma", "lượng": "so.luong"})
    assert read_all(plain).rows[2] == {"mã": "N3", "lượng": "3"}
    check_resuming(plain)
    inner = make_source("json_file", path, items="du_lieu.ho", each="con", fields={"mã": "../ma", "tên": "t"})
    assert [tuple(row.values()) for row in read_all(inner).rows[:3]] == [("N1", "a"), ("N2", "a"), ("N2", "b")]
    check_resuming(inner, (1, 2, 3))


def test_lines_are_rows_with_their_numbers_and_a_bad_line_breaks_alone(tmp_path: Path) -> None:
    lines = ['{"a": 1}', "", '{"a": 2', '{"a": [1, 2, 3]}', "[]", '{"a": "x\\u0000"}', '{"a": 1, "a": 2}', '{"a": 3}']
    source = make_source("json_file", write(tmp_path, "\n".join(lines), "a.jsonl"))
    reading = read_all(source)
    assert [row["a"] for row in reading.rows] == ["1", "[1,2,3]", "3"]
    assert reading.source_rows == [1, 4, 8]
    assert [(row.source_row, row.code) for row in reading.broken] == [
        (3, "row.object"),
        (5, "row.object"),
        (6, "row.nul"),
        (7, "row.repeated"),
    ]
    check_resuming(source)


@pytest.mark.parametrize("text", ['{"a": 1, "b": {"a": 2, "c": 3}}', '{\n "a": 1,\n "b": {"a": 2, "c": 3}\n}'])
def test_a_single_object_is_one_row(tmp_path: Path, text: str) -> None:
    assert read_all(make_source("json_file", write(tmp_path, text))).rows == [{"a": "1", "b": '{"a":2,"c":3}'}]


@pytest.mark.parametrize("block", [16, 37, 64])
def test_blocks_may_end_anywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, block: int) -> None:
    monkeypatch.setattr(json_records, "BLOCK_BYTES", block)
    source = make_source(
        "json_file", write(tmp_path, json.dumps({"x": {"y": PEOPLE}}, indent=1)), items="x.y", fields={"t": "ten", "c": "con"}
    )
    assert [row["t"] for row in read_all(source).rows] == ['Lê "Ba" \\'] * 7
    check_resuming(source, (1, 3))


def test_an_empty_array_and_other_encodings_are_read(tmp_path: Path) -> None:
    assert read_all(make_source("json_file", write(tmp_path, "[ ]"), fields={"a": "a"})).rows == []
    wide = write(tmp_path, '[{"tên": "Đỗ"}]'.encode("utf-16"), "b.json")
    assert read_all(make_source("json_file", wide)).rows == [{"tên": "Đỗ"}]
    old = write(tmp_path, b'[{"ten": "' + encode_tcvn3("nguyễn văn thắng") + b'"}]', "c.json")
    reading = read_all(make_source("json_file", old))
    assert reading.rows == [{"ten": "nguyễn văn thắng"}]
    assert reading.batches[0].file.encoding == "tcvn3"


@pytest.mark.parametrize(
    ("text", "words", "options"),
    [
        ("", "empty", {}),
        ('[{"a": 1}, {"a": ', "ends inside", {}),
        ('[{"a": 1}', "ends inside", {}),
        ('{"x": [1]} trailing', "not end as JSON", {"items": "x"}),
        ('{"x": 1}', "not an array", {"items": "x"}),
        ('{"y": []}', "not an array", {"items": "x"}),
        ('{"x": {', "no array", {"items": "x.y"}),
        ('[{"a": 1}, {"b": 2}]', "members the first rows have not", {"__rows": 1}),
        ("{]", "not valid JSON", {}),
    ],
)
def test_what_is_cut_off_or_not_as_said_is_refused_in_words(tmp_path: Path, text: str, words: str, options: dict[str, Any]) -> None:
    rows = options.pop("__rows", 10) if (options := dict(options)) else 10
    with pytest.raises(SourceError, match=words):
        read_all(make_source("json_file", write(tmp_path, text), **options), rows)


def test_nesting_without_end_is_refused(tmp_path: Path) -> None:
    with pytest.raises(HostileInputError, match="deeper"):
        read_all(make_source("json_file", write(tmp_path, '[{"a": ' + "[" * 100_000 + "]" * 100_000 + "}]")))
    with pytest.raises(SourceError):
        read_all(make_source("json_file", write(tmp_path, '{"a":' * 100_000)))
