"""Contracts and rows for judging, made quickly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import polars as pl

from lienthong.contracts import Contract, Property, Rule
from lienthong.quality import CheckContext, Checked, check

TODAY = date(2026, 7, 1)
TYPES: dict[str, pl.DataType] = {
    "string": pl.String(),
    "integer": pl.Int64(),
    "number": pl.Float64(),
    "date": pl.Date(),
    "timestamp": pl.Datetime("us", "UTC"),
}


def make_property(name: str, logical_type: str = "string", **more: Any) -> Property:
    return Property(name, logical_type, more.pop("title_vi", name), more.pop("title_en", name), **more)


def make_contract(*properties: Property, rules: Sequence[Rule] = ()) -> Contract:
    return Contract(
        id="test.rows", version="1.0.0", status="active", title_vi="", title_en="", description_vi="", description_en="",
        agency="H10.02", domain="test", properties=properties, rules=tuple(rules),
    )  # fmt: skip


def judge(contract: Contract, values: Mapping[str, Sequence[Any]], references: Mapping[str, pl.DataFrame] | None = None) -> Checked:
    """Judge rows given by column; rows are numbered from 1."""
    clean = pl.DataFrame({p.name: pl.Series(p.name, list(values[p.name]), dtype=TYPES[p.logical_type]) for p in contract.properties})
    originals = clean.select(pl.all().cast(pl.String))
    numbered = clean.with_row_index("row_no", offset=1).with_columns(pl.col("row_no").cast(pl.Int64))
    return check(numbered, contract, CheckContext(TODAY, references or {}, originals))


def broken_rows(checked: Checked) -> list[int]:
    return sorted(set(checked.issues["row_no"].to_list()))
