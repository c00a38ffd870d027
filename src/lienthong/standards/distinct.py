"""The one way a column is cleaned: values that are clean already pass at columnar speed, the rest are cleaned once per distinct value."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from lienthong.standards.base import Cleaned, CleanedColumn

Options = Mapping[str, Any]
CleanOne = Callable[[str, Options], Cleaned]
Quick = Callable[[pl.Expr, Options], pl.Expr]


def no_key(value: Any) -> str | None:
    return None if value is None else str(value).casefold()


def as_text(value: Any) -> str:
    return "" if value is None else str(value)


def refuse_unknown(name: str, options: Options, known: Mapping[str, str]) -> None:
    """Raises ValueError for an option a standard does not have."""
    unknown = sorted(set(options) - set(known))
    if unknown:
        raise ValueError(f"Standard `{name}` has no option {unknown}; it has {sorted(known)}.")


@dataclass(frozen=True)
class DistinctStandard:
    """A standard made of a function for one value, and an expression that gives the value where it is plainly clean, else null.

    `quick` must agree with `clean_one` wherever it is not null (property-tested).
    """

    name: str
    dtype: pl.DataType
    title_vi: str
    title_en: str
    clean_one: CleanOne
    good: tuple[tuple[str, str], ...] = ()
    bad: tuple[tuple[str, str], ...] = ()
    quick: Quick | None = None
    known_options: Mapping[str, str] = field(default_factory=dict)  # name → what it does
    key: Callable[[Any], str | None] = no_key
    show: Callable[[Any], str] = as_text

    def clean(self, value: str | None, options: Options) -> Cleaned:
        """One value as it came; blank is no value. Raises ValueError for an option this standard does not have."""
        refuse_unknown(self.name, options, self.known_options)
        return self._clean(value, options)

    def _clean(self, value: str | None, options: Options) -> Cleaned:
        if value is None or not value.strip(" \t\r\n\u00a0\ufeff\u200b"):
            return Cleaned(None)
        return self.clean_one(value, options)

    def clean_column(self, values: pl.Series, options: Options, dated_by: pl.Series | None = None) -> CleanedColumn:
        """A String column of any length; `dated_by` is for standards whose values depend on a date, others leave it out."""
        del dated_by
        refuse_unknown(self.name, options, self.known_options)
        frame = pl.DataFrame({"value": values})
        quick = pl.lit(None, self.dtype) if self.quick is None else self.quick(pl.col("value"), options).cast(self.dtype)
        done = frame.select(pl.col("value"), quick.alias("quick"))
        todo = done.filter(pl.col("quick").is_null() & pl.col("value").is_not_null())["value"].unique()
        if todo.is_empty():
            return CleanedColumn(done["quick"], pl.repeat(None, len(values), dtype=pl.String, eager=True))
        cleaned = [self._clean(value, options) for value in todo.to_list()]
        slow = pl.DataFrame(
            {
                "value": todo,
                "slow": pl.Series([one.value for one in cleaned], dtype=self.dtype),
                "problem": pl.Series([one.problem for one in cleaned], dtype=pl.String),
            }
        )
        joined = done.join(slow, on="value", how="left", maintain_order="left")
        return CleanedColumn(
            joined.select(pl.coalesce("quick", "slow").alias("value")).to_series(),
            joined.select(pl.when(pl.col("quick").is_null()).then("problem").alias("problem")).to_series(),
        )

    def compare_key(self, value: Any) -> str | None:
        return self.key(value)

    def display(self, value: Any) -> str:
        return self.show(value)
