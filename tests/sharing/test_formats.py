"""Which format a client gets, and that a file says what the rows say."""

from __future__ import annotations

import csv
import io

import pyarrow as pa
import pytest
from pyarrow import parquet

from lienthong.sharing.formats import ARROW, BOM, CSV, JSON, PARQUET, Tally, negotiate, write_stream

SCHEMA = pa.schema([("name", pa.string()), ("size", pa.int64())])
ROWS: list[dict[str, object]] = [
    {"name": "An", "size": 1},
    {"name": None, "size": None},
    {"name": "=cmd()", "size": -3},
    {"name": 'a,"b"', "size": 2},
]


def batches(rows: list[dict[str, object]], each: int = 2) -> list[pa.RecordBatch]:
    parts = [rows[n : n + each] for n in range(0, len(rows), each)] or [[]]
    return [pa.RecordBatch.from_pylist(part, schema=SCHEMA) for part in parts]


def written(name: str, rows: list[dict[str, object]], **more: object) -> bytes:
    tally = Tally()
    data = b"".join(write_stream(name, batches(rows), more.pop("masks", {}), tally, **more))  # type: ignore[arg-type] # a test's shorthand
    assert tally.rows == len(rows)
    return data


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        (None, JSON),
        ("*/*", JSON),
        ("application/*", JSON),
        ("text/csv", CSV),
        ("text/*", CSV),
        (f"{PARQUET}, application/json;q=0.5", PARQUET),
        ("application/json;q=0, */*;q=0.1", CSV),
        ("text/html, */*;q=0.8", JSON),
        ("text/html", None),
        ("application/json;q=x", None),
        ("APPLICATION/JSON", JSON),
    ],
)
def test_accept_chooses_the_format(accept: str | None, expected: str | None) -> None:
    assert negotiate(accept) == expected


@pytest.mark.parametrize("count", [len(ROWS), 0])
def test_arrow_and_parquet_hold_the_rows_unchanged(count: int) -> None:
    rows = ROWS[:count]
    assert pa.ipc.open_stream(written(ARROW, rows)).read_all().to_pylist() == rows
    assert parquet.read_table(io.BytesIO(written(PARQUET, rows))).to_pylist() == rows


def test_a_spreadsheet_runs_nothing_of_a_csv() -> None:
    text = written(CSV, ROWS).decode()
    rows = list(csv.reader(io.StringIO(text)))
    assert rows == [["name", "size"], ["An", "1"], ["", ""], ["'=cmd()", "-3"], ['a,"b"', "2"]]


def test_a_csv_of_no_rows_has_its_heading_and_a_mark_when_asked() -> None:
    assert written(CSV, [], with_bom=True) == BOM + b'"name","size"\n'


def test_masked_columns_are_masked_in_every_format() -> None:
    masks = {"size": lambda value: None if value is None else "*"}
    for name in (CSV, ARROW, PARQUET):
        data = written(name, ROWS, masks=masks)
        if name == CSV:
            assert "-3" not in data.decode()
        else:
            table = pa.ipc.open_stream(data).read_all() if name == ARROW else parquet.read_table(io.BytesIO(data))
            assert table["size"].to_pylist() == ["*", None, "*", "*"]


def test_a_parquet_file_keeps_a_dictionary_only_where_values_come_again() -> None:
    """A dictionary of values that are all different costs time and room; one of a few spares both."""
    rows = [{"key": f"{n:06}", "state": "here" if n % 3 else "moved", "seen": n * 7.5, "way": n % 2 == 0} for n in range(4_000)]
    batch = pa.RecordBatch.from_pylist(rows)
    data = b"".join(write_stream(PARQUET, [batch], {}, Tally()))
    group = parquet.read_metadata(io.BytesIO(data)).row_group(0)
    coded = {group.column(n).path_in_schema: group.column(n).has_dictionary_page for n in range(group.num_columns)}
    assert coded == {"key": False, "state": True, "seen": False, "way": False}
    assert parquet.read_table(io.BytesIO(data)).to_pylist() == rows
