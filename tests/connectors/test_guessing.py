"""Which connector reads a file and how: the guess itself reads the file's rows."""

from __future__ import annotations

import json
import sqlite3
import zipfile
from contextlib import closing
from pathlib import Path

import py7zr
import pytest

from lienthong import connectors
from lienthong.connectors import ReadContext, guess_source, source_of
from lienthong.errors import HostileInputError, SourceError, Unprocessable
from tests.acceptance.messy import rows_of, write_messy
from tests.connectors.maps import point, write_map

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


def test_of_a_database_the_largest_table_is_read_by_its_key(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute('create table "hộ ""nghèo""" (xa text, ma integer, ten text, primary key (xa, ma))')
        connection.executemany('insert into "hộ ""nghèo""" values (?, ?, ?)', [("25195", n, "An") for n in range(3)])
        connection.execute("create table phu (a text)")
        connection.commit()
    guess = guess_source(path)
    assert guess.options == {"table": 'hộ "nghèo"', "key": ["xa", "ma"]}
    assert "`phu` (0)" in guess.evidence[0].en
    assert read(path) == (["xa", "ma", "ten"], 3)


def pack(path: Path, members: dict[str, str | bytes]) -> Path:
    if path.suffix == ".7z":
        with py7zr.SevenZipFile(path, "w") as archive:
            for name, content in members.items():
                archive.writestr(content, name)
    else:
        with zipfile.ZipFile(path, "w") as packed:
            for name, content in members.items():
                packed.writestr(name, content)
    return path


@pytest.mark.parametrize("suffix", [".zip", ".7z"])
@pytest.mark.parametrize(
    ("members", "pattern", "columns", "count"),
    [
        ({"a.csv": "ma;ten\n1;An\n2;Bình\n"}, "*.csv", ["ma", "ten"], 2),
        ({"t/a.csv": "ma;ten\n1;An\n", "t/b.csv": "ma;ten\n2;Bình\n", "ghi chú.txt": "đọc tôi"}, "**/*.csv", ["ma", "ten"], 2),
        ({"t/a.csv": "ma;ten\n1;An\n", "t/~$a.csv": "x", "__MACOSX/t/._a.csv": b"\0\5\x16\7"}, "**/*.csv", ["ma", "ten"], 1),
        ({"a.json": json.dumps({"ho": ROWS})}, "*.json", ["ma", "chu"], 2),
        ({"sub/a.xml": XML}, "**/*.xml", ["loai", "ma", "chu / ten"], 3),
    ],
)
def test_an_archive_is_read_as_what_it_holds_most_of(
    members: dict[str, str | bytes], pattern: str, columns: list[str], count: int, suffix: str, tmp_path: Path
) -> None:
    path = pack(tmp_path / f"a{suffix}", members)
    assert guess_source(path).options["folder"] == {"member": pattern}
    assert read(path) == (columns, count)


def test_a_messy_workbook_in_an_archive_keeps_its_layout(tmp_path: Path) -> None:
    path = pack(tmp_path / "a.zip", {"m.xlsx": write_messy(tmp_path / "m.xlsx").read_bytes()})
    assert read(path) == read(tmp_path / "m.xlsx")


@pytest.mark.parametrize("members", [{"a.exe": "MZ"}, {"b.zip": b"PK\5\6" + bytes(18)}, {}])
def test_an_archive_that_holds_nothing_readable_is_refused_in_words(members: dict[str, str | bytes], tmp_path: Path) -> None:
    with pytest.raises((Unprocessable, SourceError), match=r"a\.zip"):
        guess_source(pack(tmp_path / "a.zip", members))


def test_a_map_in_an_archive_is_read_with_what_belongs_to_it(tmp_path: Path) -> None:
    write_map(tmp_path / "thua.shp", [point(106.5, 11.5), point(106.6, 11.6)], "Point", "EPSG:4326", {"ma": ["1", "2"]})
    path = pack(tmp_path / "a.zip", {each.name: each.read_bytes() for each in sorted(tmp_path.glob("thua.*"))})
    guess = guess_source(path)
    assert (guess.connector, guess.options["folder"]) == ("shapefile", {"member": "*.shp"})
    assert read(path)[1] == 2


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
