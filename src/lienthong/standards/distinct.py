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
TOO_LONG = "text.too_long"
LONGEST_VALUE = 1000  # letters; a cell that holds more is none of the short values most standards are of


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

    `quick` must agree with `clean_one` wherever it is not null (property-tested); so must `quick` of `loose`, a cheap tidying of what
    people put around a value (spaces in a number), wherever that is not null. A value of more than `longest` letters is none.
    """

    name: str
    dtype: pl.DataType
    title_vi: str
    title_en: str
    clean_one: CleanOne
    good: tuple[tuple[str, str], ...] = ()
    bad: tuple[tuple[str, str], ...] = ()
    quick: Quick | None = None
    loose: Callable[[pl.Series], pl.Series] | None = None
    longest: int | None = LONGEST_VALUE
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
        if self.longest is not None and len(value) > self.longest:
            return Cleaned(None, TOO_LONG)
        return self.clean_one(value, options)

    def clean_column(self, values: pl.Series, options: Options, dated_by: pl.Series | None = None) -> CleanedColumn:
        """A String column of any length; `dated_by` is for standards whose values depend on a date, others leave it out."""
        del dated_by
        refuse_unknown(self.name, options, self.known_options)
        nothing = pl.repeat(None, len(values), dtype=pl.String, eager=True)
        done = _each(values, self._quickly(pl.col("value"), options))
        if self.loose is not None and done.null_count() > values.null_count():
            rows = _untold(done, values)
            done = done.scatter(rows, _each(self.loose(values.gather(rows)), self._quickly(pl.col("value"), options)))
        if done.null_count() == values.null_count():  # nothing but what was plainly clean
            return CleanedColumn(done, nothing)
        rows = _untold(done, values)
        asked = values.gather(rows).alias("value")
        slow = asked.to_frame().join(self._clean_each(asked.unique(), options), on="value", how="left", maintain_order="left")
        return CleanedColumn(done.scatter(rows, slow["slow"]), nothing.scatter(rows, slow["problem"]))

    def _quickly(self, value: pl.Expr, options: Options) -> pl.Expr:
        return pl.lit(None, self.dtype) if self.quick is None else self.quick(value, options).cast(self.dtype)

    def _clean_each(self, values: pl.Series, options: Options) -> pl.DataFrame:
        cleaned = [self._clean(value, options) for value in values.to_list()]
        return pl.DataFrame(
            {
                "value": values,
                "slow": pl.Series([one.value for one in cleaned], dtype=self.dtype),
                "problem": pl.Series([one.problem for one in cleaned], dtype=pl.String),
            }
        )

    def compare_key(self, value: Any) -> str | None:
        return self.key(value)

    def display(self, value: Any) -> str:
        return self.show(value)


def _untold(done: pl.Series, values: pl.Series) -> pl.Series:
    """The rows that have a value and are not done yet."""
    return (done.is_null() & values.is_not_null()).arg_true()


def _each(values: pl.Series, by: pl.Expr) -> pl.Series:
    """What an expression gives for each value; lazily, so that a part of it that is used nine times is reckoned once."""
    return values.alias("value").to_frame().lazy().with_columns(by.alias("by")).collect()["by"]
