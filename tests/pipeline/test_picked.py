"""Rows picked for judging: in order, none lost, however the landing was cut."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from lienthong.pipeline import run_dataset
from lienthong.pipeline.picked import Rows, gather, pick
from lienthong.store.landing import LandedBatch
from tests.factories import make_contract, make_workshop, write_people


def _batches(sizes: Sequence[int]) -> list[LandedBatch]:
    firsts = np.cumsum([1, *sizes[:-1]]).tolist()
    return [
        LandedBatch(
            file_no,
            first,
            pa.table({"a": pa.array([str(n) for n in range(first, first + size)], pa.string())}),
            pa.array(range(first + 1, first + size + 1), pa.int64()),
            np.arange(first, first + size, dtype=np.int64),
        )
        for file_no, (first, size) in enumerate(zip(firsts, sizes, strict=True), 1)
    ]


def _rows(parts: Sequence[Rows]) -> list[tuple[int, int, int, int, str]]:
    return [
        row
        for part in parts
        for row in zip(
            part.row_nos.tolist(),
            part.source_rows.tolist(),
            part.file_nos.tolist(),
            [] if part.digests is None else part.digests.tolist(),
            part.table["a"].to_pylist(),
            strict=True,
        )
    ]


@settings(max_examples=60, deadline=None)
@given(sizes=st.lists(st.integers(0, 9), min_size=1, max_size=8), at_most=st.integers(1, 20), seed=st.integers(0, 9))
def test_gathering_keeps_every_picked_row_with_its_numbers_and_their_order(sizes: list[int], at_most: int, seed: int) -> None:
    chance = np.random.default_rng(seed)
    parts = [pick(batch, chance.random(batch.table.num_rows) < 0.5) for batch in _batches(sizes)]
    gathered = list(gather(parts, at_most))
    assert _rows(gathered) == _rows(parts)
    assert all(part.count and (part.count <= at_most or any(part is whole for whole in parts)) for part in gathered)


def test_batches_of_other_headings_are_not_joined() -> None:
    one, other = _batches([2, 2])
    renamed = LandedBatch(2, 3, other.table.rename_columns(["b"]), other.source_rows, other.digests)
    assert [part.count for part in gather([pick(one), pick(renamed)], 100)] == [2, 2]


def test_a_row_delivered_twice_beside_a_changed_one_is_still_judged(database_url: str, tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    contract = make_contract(str(file))
    workshop = make_workshop(database_url, contract)
    rows = [(f"P{n}", f"Người số {n}", "07/03/1980", 1) for n in range(50)]
    write_people(file, rows)
    run_dataset(workshop, contract)
    write_people(file, [*rows[:-1], ("P49", "Người khác", "07/03/1980", 1), rows[0]])
    second = run_dataset(workshop, contract)
    assert second.rows_in == 51
    assert second.rows_published == 1
    assert second.rows_published + second.rows_unchanged + second.rows_quarantined == 51
