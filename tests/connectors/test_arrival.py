"""Which files have wholly come, and in which order they are read."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lienthong.connectors.arrival import arrived
from lienthong.connectors.folder import Arrival, Lying
from lienthong.contracts import Delivery, Source
from lienthong.errors import SourceError
from tests.connectors.reading import check_resuming, read_all


def write(folder: Path, name: str, value: str, modified: int = 0) -> Path:
    path = folder / name
    path.write_text(f"mã;giá trị\n{value};{value}\n", encoding="utf-8")
    os.utime(path, (1_700_000_000 + modified, 1_700_000_000 + modified))
    return path


def source(folder: Path, delivery: Delivery = Delivery.SNAPSHOT, pattern: str = "*.csv", **said: Any) -> Source:
    return Source("file", "csv_file", str(folder / pattern), delivery, {"folder": said})


def values(found: Source, after: Any = None) -> list[str]:
    return [str(row["mã"]) for row in read_all(found, after=after).rows]


@pytest.mark.parametrize(
    ("said", "order"),
    [
        ({}, ["10", "2", "9"]),
        ({"order": "modified"}, ["9", "10", "2"]),
        ({"order": "number"}, ["2", "9", "10"]),
        ({"order": "number", "order_pattern": r"(\d+)\.csv"}, ["2", "9", "10"]),
        ({"order": "number", "take": "newest"}, ["10"]),
    ],
)
def test_files_come_in_the_order_the_contract_says_and_reading_goes_on_in_it(
    tmp_path: Path, said: dict[str, Any], order: list[str]
) -> None:
    for name, value, modified in (("10.csv", "10", 2), ("2.csv", "2", 3), ("9.csv", "9", 1)):
        write(tmp_path, name, value, modified)
    found = source(tmp_path, **said)
    assert values(found) == order
    check_resuming(found, (1,))


@pytest.mark.parametrize(
    "names",
    [
        ["bc-31-01-2026.csv", "bc-01-02-2026.csv", "bc-28-02-2026.csv"],
        ["x20260131.csv", "a20260201.csv", "m2026_02_28.csv"],
        ["13-2026-01-31 v2.csv", "99-2026-02-01.csv", "1-2026-02-28.csv"],
    ],
)
def test_dates_in_names_are_read_both_ways(tmp_path: Path, names: list[str]) -> None:
    for value, name in enumerate(names):
        write(tmp_path, name, str(value))
    assert values(source(tmp_path, order="date")) == ["0", "1", "2"]


@pytest.mark.parametrize(
    ("said", "words"), [({"order": "date"}, "has no date"), ({"order": "number", "order_pattern": "no(x)"}, "has no number")]
)
def test_a_name_without_what_orders_it_is_told(tmp_path: Path, said: dict[str, Any], words: str) -> None:
    write(tmp_path, "a1.csv", "1")
    with pytest.raises(SourceError, match=words):
        values(source(tmp_path, **said))


def test_a_file_counts_when_its_marker_is_there(tmp_path: Path) -> None:
    for name in ("a.csv", "b.csv", "c.csv"):
        write(tmp_path, name, name[0])
    marked = source(tmp_path, pattern="*", done_marker="*.done")
    with pytest.raises(SourceError, match="none of 3 files has wholly come"):
        values(marked)
    (tmp_path / "a.done").touch()
    (tmp_path / "c.csv.done").touch()
    assert values(marked) == ["a", "c"]
    assert values(source(tmp_path, pattern="a.csv", done_marker="*.done")) == ["a"]
    with pytest.raises(SourceError, match="wholly come"):
        values(source(tmp_path, pattern="b.csv", done_marker="*.done"))
    whole = source(tmp_path, done_marker="_SUCCESS")
    with pytest.raises(SourceError, match="wholly come"):
        values(whole)
    (tmp_path / "_SUCCESS").touch()
    assert values(whole) == ["a", "b", "c"]


def test_a_file_that_still_grows_waits() -> None:
    growing = iter([10, 20])

    def list_files() -> list[Lying]:
        return [Lying("a.csv", 5, 1.0), Lying("b.csv", next(growing), 1.0)]

    waited: list[float] = []
    assert [each.name for each in arrived(list_files, Arrival(still_seconds=30), lambda _: True, waited.append)] == ["a.csv"]
    assert waited == [30]


def test_a_file_with_the_bytes_of_the_one_before_it_gives_no_rows_again(tmp_path: Path) -> None:
    for name, value in (("a.csv", "1"), ("a (1).csv", "1"), ("b.csv", "2"), ("c.csv", "1")):
        write(tmp_path, name, value)
    assert values(source(tmp_path)) == ["1", "2", "1"]
    increments = source(tmp_path, Delivery.INCREMENTAL)
    reached = read_all(increments).batches[-1].position
    write(tmp_path, "d.csv", "1")
    assert values(increments, reached) == []


@given(st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 5)), unique=True, max_size=20), st.randoms(use_true_random=False))
def test_order_does_not_depend_on_how_files_are_listed(facts: list[tuple[int, int]], random: Any) -> None:
    files = [Lying(f"x{number}-{n}.csv", 1, float(modified)) for n, (number, modified) in enumerate(facts)]
    shuffled = list(files)
    random.shuffle(shuffled)
    for order in ("name", "modified", "number"):
        assert arrived(lambda: files, Arrival(order), lambda _: True) == arrived(lambda: shuffled, Arrival(order), lambda _: True)
