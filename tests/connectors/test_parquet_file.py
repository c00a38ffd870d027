"""Parquet: typed columns as text, groups one after another, a file that lies costs a child and nothing else."""

from __future__ import annotations

import datetime as dt
import os
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as parquet
import pytest

from lienthong.connectors import ReadContext, isolated, read
from lienthong.errors import HostileInputError, SourceError
from tests.connectors.reading import check_resuming, make_source, read_all

TABLE = pa.table(
    {
        "mã": ["0012", None, ""],
        "số": pa.array([1.0, 2.5, 1e-7]),
        "nguyên": pa.array([1, 2, None], pa.int64()),
        "tiền": pa.array([Decimal("12.50"), Decimal(0), None], pa.decimal128(18, 2)),
        "ngày": pa.array([dt.date(2026, 1, 31), None, dt.date(1945, 9, 2)]),
        "lúc": pa.array([dt.datetime(2026, 1, 31, 10, 30), dt.datetime(2026, 1, 31), None], pa.timestamp("us")),
        "đúng": pa.array([True, False, None]),
        "loại": pa.array(["a", "b", "a"]).dictionary_encode(),
        "byte": pa.array([b"\x01\xff", None, b""]),
    }
)


def write(folder: Path, table: pa.Table, name: str = "a.parquet", **options: Any) -> Path:
    parquet.write_table(table, folder / name, **options)
    return folder / name


def test_every_type_comes_as_text_a_person_would_write(tmp_path: Path) -> None:
    reading = read_all(make_source("parquet_file", write(tmp_path, TABLE)))
    assert [list(row.values()) for row in reading.rows] == [
        ["0012", "1", "1", "12.50", "2026-01-31", "2026-01-31 10:30:00", "true", "a", "01ff"],
        [None, "2.5", "2", "0.00", None, "2026-01-31 00:00:00", "false", "b", None],
        ["", "0.0000001", None, None, "1945-09-02", None, None, "a", ""],
    ]
    assert reading.source_rows == [1, 2, 3]


def test_reading_goes_on_inside_and_between_row_groups(tmp_path: Path) -> None:
    path = write(tmp_path, pa.table({"a": [str(n) for n in range(13)]}), row_group_size=5)
    source = make_source("parquet_file", path)
    assert [row["a"] for row in read_all(source, 3).rows] == [str(n) for n in range(13)]
    check_resuming(source, (3, 7))
    assert read_all(make_source("parquet_file", write(tmp_path, TABLE.slice(0, 0), "b.parquet"))).rows == []


def test_nested_columns_are_refused_by_name_laid_flat_or_kept_as_json(tmp_path: Path) -> None:
    path = write(tmp_path, pa.table({"a": ["x"], "b": [{"c": 1, "d": {"e": [1, 2]}}], "f": [["y", None]]}))
    with pytest.raises(SourceError, match="`b`, `f`"):
        read_all(make_source("parquet_file", path))
    assert read_all(make_source("parquet_file", path, nested="flatten")).rows == [
        {"a": "x", "b.c": "1", "b.d.e": "[1,2]", "f": '["y",null]'}
    ]
    assert read_all(make_source("parquet_file", path, nested="json")).rows[0]["b"] == '{"c":1,"d":{"e":[1,2]}}'


def test_a_row_group_too_large_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, TABLE)
    with pytest.raises(HostileInputError, match="row group 1 holds"):
        read_all(make_source("parquet_file", path, max_group_bytes=10))


@pytest.mark.parametrize("place", [4, -4, -8, -20, 60, 200])
def test_a_file_damaged_anywhere_is_a_refusal(tmp_path: Path, place: int) -> None:
    data = bytearray(write(tmp_path, TABLE, compression="none").read_bytes())
    data[place] ^= 0xFF
    (tmp_path / "b.parquet").write_bytes(bytes(data[: place or None]) if place == 200 else bytes(data))
    with pytest.raises(SourceError):
        read_all(make_source("parquet_file", tmp_path / "b.parquet"))


def test_a_child_that_dies_or_wants_too_much_is_a_refusal_and_the_next_one_works(tmp_path: Path) -> None:
    path = write(tmp_path, pa.table({"a": ["x" * 100_000] * 400}))
    arguments: dict[str, Any] = {
        "path": str(path),
        "file_name": "a",
        "nested": "refuse",
        "batch_rows": 400,
        "group": 0,
        "skip": 0,
        "group_bytes": 1 << 40,
    }
    with pytest.raises(SourceError):
        list(isolated.tables("parquet_rows", "a", isolated.Limits(memory_bytes=1 << 27), **arguments))
    with pytest.raises(HostileInputError, match="was stopped"), isolated.output(["/bin/sh", "-c", "kill -9 $PPID"], "a") as data:
        data.read()
    assert sum(batch.num_rows for batch in isolated.tables("parquet_rows", "a", **arguments)) == 400


def test_a_taker_who_leaves_early_leaves_no_child_waiting(tmp_path: Path) -> None:
    path = write(tmp_path, pa.table({"a": ["x" * 1000] * 20_000}))
    nursery = isolated._nursery
    for _ in range(3):
        reading = read(make_source("parquet_file", path), ReadContext(batch_rows=100))
        next(reading)
        reading.close()  # type: ignore[attr-defined] # a generator
    assert nursery._process is not None
    children = Path(f"/proc/{nursery._process.pid}/task/{nursery._process.pid}/children")
    give_up = time.monotonic() + 120
    while children.read_text().split():
        assert time.monotonic() < give_up, "a child is still there"
        os.sched_yield()


def test_children_come_from_a_process_without_the_libraries_of_other_connectors(tmp_path: Path) -> None:
    list(read(make_source("parquet_file", write(tmp_path, pa.table({"a": ["x"]}))), ReadContext()))
    assert isolated._nursery._process is not None
    loaded = Path(f"/proc/{isolated._nursery._process.pid}/maps").read_text("utf-8")
    assert "pyarrow" in loaded
    assert [library for library in ("polars", "psycopg", "pandas") if library in loaded] == []
