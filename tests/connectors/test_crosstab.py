"""A crosstab of any source becomes rows: every cell once, as it came, at its own row number; reading goes on where it was."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lienthong import connectors
from lienthong.connectors import ReadContext
from lienthong.contracts import Source
from lienthong.errors import SourceError

TABLE = "Xã,2024,2025\nLộc Hưng,01,\nLộc Thái,3,4\n"
TURNED = [("Lộc Hưng", "2024", "01", 2), ("Lộc Hưng", "2025", "", 2), ("Lộc Thái", "2024", "3", 3), ("Lộc Thái", "2025", "4", 3)]


def source(folder: Path, **options: Any) -> Source:
    (folder / "a.csv").write_text(TABLE, "utf-8")
    return Source(
        "file", "csv_file", str(folder / "a.csv"), options={"crosstab": {"keep": ["Xã"], "name_to": "năm", "value_to": "số", **options}}
    )


def rows(batches: list[connectors.Batch]) -> list[tuple[Any, ...]]:
    return [
        (row["Xã"], row["năm"], row["số"], number)
        for batch in batches
        for row, number in zip(batch.table.to_pylist(), batch.source_rows.to_pylist(), strict=True)
    ]


def test_each_cell_is_a_row_and_reading_goes_on(tmp_path: Path) -> None:
    road = source(tmp_path)
    batches = list(connectors.read(road, ReadContext(batch_rows=1), None))
    assert rows(batches) == TURNED
    assert len(batches) == 2
    assert rows(list(connectors.read(road, ReadContext(batch_rows=1), batches[0].position))) == TURNED[2:]
    assert connectors.fingerprint(road, ReadContext()) == connectors.fingerprint(Source("file", "csv_file", road.location), ReadContext())


@pytest.mark.parametrize("options", [{"keep": ["Huyện"]}, {"keep": ["Xã", "2024", "2025"]}, {"kept": []}])
def test_a_crosstab_that_is_none_is_refused(options: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(SourceError):
        list(connectors.read(source(tmp_path, **options), ReadContext(), None))
