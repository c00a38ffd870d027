"""The index of a demo as it stands beside the truth of its province: for one too large to be made, taken in and matched once more.

Unlike the measured set, its seed is the demo's. Its model is learnt without labels all the same, from this very province.
"""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl

from bench.report import Row
from evaluation.measures import Quality, quality
from evaluation.province import Told, persons_told
from evaluation.province_set import Judged, promised
from lienthong.masterdata.resolve import Near, Resolution
from lienthong.pipeline.workshop import Workshop
from lienthong.store import match_bulk


def measure(workshop: Workshop, folder: Path) -> tuple[Quality, list[Row]]:
    """`folder`: the province's files with their truth. Raises ValueError where no record of a person was matched."""
    told = persons_told(workshop, folder)
    found = standing(workshop, told)
    persons, errors = (pl.read_parquet(folder / "truth" / f"{name}.parquet") for name in ("persons", "errors"))
    return quality(found.cluster.tolist(), told.records["entity"].to_list()), promised(
        Judged(told, found, persons, errors), f"province, {persons.height:,} persons"
    )


def standing(workshop: Workshop, told: Told) -> Resolution:
    """The clusters and questions in the tables, by the rows of `told`."""
    with workshop.database.connect() as connection:
        held = match_bulk.read_records(connection, told.entity.name)
        asked = match_bulk.read_queue(connection, told.entity.name)
    rows = told.records.select("source", "key").with_row_index("n")
    numbered = rows.join(held, on=["source", "key"], how="left", maintain_order="left").with_columns(pl.col("n").cast(pl.Int64))
    if not numbered["golden"].is_not_null().any():
        raise ValueError(f"No record of `{told.entity.name}` is matched in this home.")
    cluster = numbered.select(pl.when(pl.col("golden").is_null()).then("n").otherwise(pl.col("n").min().over("golden"))).to_series()
    place = dict(numbered.select("record", "n").drop_nulls().iter_rows())
    near = tuple(Near(place[a], place[b], why, bits) for a, b, why, bits in asked.rows() if a in place and b in place)
    return Resolution(cluster.to_numpy(), cluster.to_numpy(), pl.DataFrame(), near)


def province_of(home: Path) -> Path:
    """Where a demo put its province. Raises FileNotFoundError where there is none, or several."""
    found = sorted((home / "province").glob("*/truth/manifest.json"))
    if len(found) != 1:
        raise FileNotFoundError(f"{home}: expected one province, found {len(found)}.")
    json.loads(found[0].read_text("utf-8"))  # whole, not one half made
    return found[0].parents[1]
