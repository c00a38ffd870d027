"""Which connector reads a file and how: the guess itself reads the file's rows."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lienthong import connectors
from lienthong.connectors import ReadContext, guess_source, source_of
from lienthong.errors import HostileInputError, SourceError, Unprocessable
from tests.acceptance.messy import rows_of, write_messy

ROWS = [{"ma": "1", "chu": {"ten": "An"}}, {"ma": "2", "chu": {"ten": "Bình"}}]
XML = "<ds><dau><ngay>1</ngay></dau>{}</ds>".format("".join(f'<ho loai="{n}"><ma>{n}</ma><chu><ten>An</ten></chu></ho>' for n in range(3)))


def read(path: Path) -> tuple[list[str], int]:
    batches = list(connectors.read(source_of(path, guess_source(path)), ReadContext(), None))
    return batches[0].table.column_names, sum(batch.table.num_rows for batch in batches)


@pytest.mark.parametrize(
    ("name", "content", "columns", "count"),
    [
        ("a.csv", "ma;ten\n1;An\n2;Bình\n", ["ma", "ten"], 2),
        ("a.tsv", "ma\tten\n1\tAn\n", ["ma", "ten"], 1),
        ("a.xml", XML, ["loai", "ma", "chu / ten"], 3),
        ("a.json", json.dumps(ROWS), ["ma", "chu"], 2),
        ("b.json", json.dumps({"ket_qua": {"tong": 2, "ho": ROWS}}), ["ma", "chu"], 2),
        ("c.jsonl", "\n".join(json.dumps(row) for row in ROWS), ["ma", "chu"], 2),
        ("d.json", json.dumps({"type": "FeatureCollection", "features": [{"type": "Feature", "properties": {"ma": "1"}, "geometry": {"type": "Point", "coordinates": [106.5, 11.5]}}]}), ["ma", "geometry"], 1),
    ],
)  # fmt: skip
def test_a_file_is_read_as_it_is_guessed(name: str, content: str, columns: list[str], count: int, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_text(content, "utf-8")
    assert read(path) == (columns, count)


def test_a_messy_workbook_is_read_as_it_is_guessed(tmp_path: Path) -> None:
    columns, count = read(write_messy(tmp_path / "m.xlsx"))
    assert columns[4:7] == ["Ngày sinh", "Diện tích đất / Đất ở (m²)", "Diện tích đất / Đất nông nghiệp (ha)"]
    assert count == sum(1 for row in rows_of() if len(row) > 7)


@pytest.mark.parametrize(("name", "content"), [("a.exe", "MZ"), ("a", "x")])
def test_what_nobody_reads_is_refused_in_words(name: str, content: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(Unprocessable):
        guess_source(tmp_path / name)


def test_a_document_that_declares_its_type_is_told_as_that(tmp_path: Path) -> None:
    """Not as one without rows, for the reader would say so only once it had its options."""
    (tmp_path / "a.xml").write_text('<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><ds><r><a>&x;</a></r></ds>')
    with pytest.raises(HostileInputError):
        guess_source(tmp_path / "a.xml")


@pytest.mark.parametrize(
    ("name", "content"),
    [("a.xml", "<a><b>"), ("a.xml", '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a><b><c>&x;</c></b></a>'), ("a.xlsx", "no workbook"), ("a.json", "[" * 100_000)],
)  # fmt: skip
def test_a_broken_or_hostile_file_is_refused(name: str, content: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises((SourceError, Unprocessable)):
        read(tmp_path / name)
