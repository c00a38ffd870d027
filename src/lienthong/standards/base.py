"""What every standard has in common: one value cleaned, or a whole column at bulk speed.

A standard is pure: it reads no database, no network and no clock. Cleaning is idempotent:
`clean(clean(x).value) == clean(x)` (property-tested for every standard).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import polars as pl


@dataclass(frozen=True)
class Cleaned:
    """One cleaned value. `value` is None when empty or uncleanable; `problem` is then the code, else None.

    A problem code (`date.impossible`) has words in Vietnamese and English in `standards.PROBLEMS`.
    A value may carry a problem of severity warning and still have a value.
    """

    value: Any
    problem: str | None = None


@dataclass(frozen=True)
class CleanedColumn:
    """A cleaned column, as long as its input: `values` of the standard's `dtype`, `problems` of String (null = none)."""

    values: pl.Series
    problems: pl.Series


@dataclass(frozen=True)
class Problem:
    """What a problem code says to a data officer. `severity` is `error` or `warning`."""

    code: str
    severity: str
    vi: str
    en: str
    expected_vi: str
    expected_en: str


class Standard(Protocol):
    """One kind of value. `options` come from the contract (`standardOptions`), unknown ones raise ValueError."""

    @property
    def name(self) -> str: ...
    @property
    def dtype(self) -> pl.DataType: ...
    @property
    def title_vi(self) -> str: ...
    @property
    def title_en(self) -> str: ...
    @property
    def good(self) -> tuple[tuple[str, str], ...]:
        """(as typed, cleaned and shown) pairs for documents and tests."""
        ...

    @property
    def bad(self) -> tuple[tuple[str, str], ...]:
        """(as typed, problem code) pairs."""
        ...

    @property
    def known_options(self) -> Mapping[str, str]:
        """Name of each option → one sentence of what it does."""
        ...

    def clean(self, value: str | None, options: Mapping[str, Any]) -> Cleaned:
        """Clean one value as it came."""
        ...

    def clean_column(self, values: pl.Series, options: Mapping[str, Any], dated_by: pl.Series | None = None) -> CleanedColumn:
        """Clean a String column; `dated_by` (Date, same length) gives each row's as-of date where the standard needs one."""
        ...

    def compare_key(self, value: Any) -> str | None:
        """A key equal for values that people would call the same; None for None."""
        ...

    def display(self, value: Any) -> str:
        """The value as a Vietnamese reader expects it; empty for None."""
        ...
