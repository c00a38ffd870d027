"""Whether a value is found in another dataset, on the date that matters."""

from __future__ import annotations

from datetime import date

import polars as pl

from lienthong.contracts import Rule

DELIVERY = "delivery"
EARLIEST = date(1, 1, 1)


def breaks_reference(rule: Rule, clean: pl.DataFrame, reference: pl.DataFrame | None, delivered_on: date) -> pl.Series:
    """True where a value is not among the reference's values valid on the row's date.

    A reference that has no rows yet cannot judge: nothing breaks (`check` then says so in a warning).
    """
    values = clean[rule.columns[0]].cast(pl.String)
    if reference is None or reference.is_empty():
        return pl.repeat(False, len(values), eager=True)
    column = str(rule.parameters.get("column") or reference.columns[0])
    level = rule.parameters.get("level")
    if level is not None and "level" in reference.columns:
        reference = reference.filter(pl.col("level").cast(pl.String) == str(level))
    as_of = rule.parameters.get("as_of")
    if as_of is None or "valid_from" not in reference.columns:
        found = values.is_in(reference[column].cast(pl.String).implode())
    else:
        found = _found_on(values, _dates(str(as_of), clean, delivered_on), _periods(reference, column))
    return (values.is_not_null() & ~found.fill_null(False)).alias(rule.id)


def _dates(as_of: str, clean: pl.DataFrame, delivered_on: date) -> pl.Series:
    if as_of == DELIVERY:
        return pl.repeat(delivered_on, clean.height, dtype=pl.Date, eager=True)
    return clean[as_of].cast(pl.Date).fill_null(delivered_on)


def _periods(reference: pl.DataFrame, column: str) -> pl.DataFrame:
    """(value, valid_from, valid_to), `valid_to` being the first day it is valid no more; null: still."""
    valid_to = _date(reference, "valid_to") if "valid_to" in reference.columns else pl.lit(None, pl.Date)
    return reference.select(
        pl.col(column).cast(pl.String).alias("value"),
        _date(reference, "valid_from").fill_null(EARLIEST).alias("valid_from"),
        valid_to.alias("valid_to"),
    ).drop_nulls("value")


def _date(frame: pl.DataFrame, name: str) -> pl.Expr:
    column = pl.col(name)
    return column.str.to_date("%Y-%m-%d", strict=False) if frame.schema[name] == pl.String else column.cast(pl.Date)


def _found_on(values: pl.Series, dates: pl.Series, periods: pl.DataFrame) -> pl.Series:
    """Whether each value has a period that holds its date. Each distinct (value, date) is judged once."""
    asked = pl.DataFrame({"value": values, "on": dates})
    pairs = asked.unique().drop_nulls()
    held = (
        pairs.join(periods, on="value")
        .filter((pl.col("valid_from") <= pl.col("on")) & (pl.col("valid_to").is_null() | (pl.col("on") < pl.col("valid_to"))))
        .select("value", "on")
        .unique()
        .with_columns(pl.lit(True).alias("found"))
    )
    return asked.join(held, on=["value", "on"], how="left", maintain_order="left")["found"]
