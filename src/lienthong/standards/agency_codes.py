"""Codes of agencies: the form of today with the highest level first, and the reversed form of QCVN 102:2016.

Decision 20/2020: at most 35 of A–Z, 0–9 and dots. Of provinces that merge, the new one keeps the code of the one whose name it keeps and
the others are closed (Decision 09/2025): which codes that is must be told by the contract (`closed`), for it is no part of a code's shape.
A code that is closed on the row's day is kept, for history must stay readable, with a warning that names what took its place.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl

from lienthong.standards.base import Cleaned, CleanedColumn
from lienthong.standards.distinct import DistinctStandard, Options
from lienthong.standards.text import tidy

_NEW = re.compile(r"[A-Z][0-9]{2}(\.[A-Z0-9]{1,5}){0,5}", re.ASCII)
_OLD = re.compile(r"(?:[A-Z0-9]{2,3}\.){1,3}[A-Z][0-9]{2}", re.ASCII)
LONGEST_AGENCY_CODE = 35
CLOSED = "agency_code.closed"


def agency_form(text: str) -> str | None:
    """A code in today's form from either form, in capitals; None for what is none."""
    if len(text) > LONGEST_AGENCY_CODE:
        return None
    if _NEW.fullmatch(text):
        return text
    if _OLD.fullmatch(text):
        return ".".join(group for group in reversed(text.split(".")) if group.strip("0"))
    return None


def old_form(code: str) -> str:
    """A code as QCVN 102:2016 writes it: `H10.12` as `000.00.12.H10`; groups that need more than its places stay as they are."""
    groups = code.split(".")
    if len(groups) > 4:
        return code
    empty = ("00", "00", "000")[len(groups) - 1 :]
    return ".".join([*reversed(empty), *reversed(groups)])


@dataclass(frozen=True)
class Closed:
    """A code that ended with everything below it: the first day it no longer was, and what took its place ('' where nothing did)."""

    on: date
    successor: str


def closing(code: str, options: Options) -> Closed | None:
    """When and for what a code, or the nearest one above it, was closed."""
    closed: Mapping[str, Any] = options.get("closed") or {}
    groups = code.split(".")
    for length in range(len(groups), 0, -1):
        said = closed.get(".".join(groups[:length]))
        if said is not None:
            below = groups[length:]
            successor = str(said.get("successor") or "")
            keeps_below = bool(said.get("keeps_below"))
            return Closed(_day(said["on"]), ".".join([successor, *below]) if successor and keeps_below else successor)
    return None


def _day(said: date | str) -> date:
    return said if isinstance(said, date) else date.fromisoformat(said)


def successor(code: str, on: date, options: Options) -> str:
    """The code in force on a day, following those that took a closed one's place; '' where none did."""
    seen = {code}
    while code and (end := closing(code, options)) is not None and end.on <= on:
        code = end.successor
        if code in seen:  # said in a circle
            return ""
        seen.add(code)
    return code


def _clean_agency_code(value: str, options: Options) -> Cleaned:
    for said in (options.get("closed") or {}).values():
        _day(said["on"])
    code = agency_form(tidy(value).upper().replace(" ", ""))
    return Cleaned(code, None if code else "agency_code.shape")


@dataclass(frozen=True)
class AgencyCodeStandard(DistinctStandard):
    """A code with its row's date, where the contract says which codes were closed."""

    def clean_column(self, values: pl.Series, options: Options, dated_by: pl.Series | None = None) -> CleanedColumn:
        found = super().clean_column(values, options)
        if dated_by is None or not options.get("closed"):
            return found
        frame = pl.DataFrame({"code": found.values, "problem": found.problems, "on": dated_by.cast(pl.Date)})
        codes = [code for code in frame["code"].unique().to_list() if code is not None]
        ends = {code: end.on for code in codes if (end := closing(code, options)) is not None}
        closed_on = pl.col("code").replace_strict(ends, default=None, return_dtype=pl.Date) if ends else pl.lit(None, pl.Date)
        is_closed = (closed_on <= pl.col("on")) & pl.col("problem").is_null()
        problems = frame.select(pl.when(is_closed).then(pl.lit(CLOSED)).otherwise(pl.col("problem")).alias("problem"))["problem"]
        return CleanedColumn(found.values, problems)


AGENCY_CODE = AgencyCodeStandard(
    "agency_code",
    pl.String(),
    "Mã định danh cơ quan",
    "Agency code",
    _clean_agency_code,
    good=(("h10.12", "H10.12"), ("000.00.12.H10", "H10.12"), ("000.00.00.H49", "H49"), ("H37.DN.001", "H37.DN.001")),
    bad=(("Sở Y tế", "agency_code.shape"), ("H10.12.34.56.78.90.12.34.56.78.90.12", "agency_code.shape")),
    known_options={
        "closed": "Codes that ended, with all below them: `{H10: {on: 2025-07-01, successor: H19}}`. A row dated by then (`asOf`) gets a warning. `keeps_below: true`: what is below keeps its own groups under the successor."
    },
)
