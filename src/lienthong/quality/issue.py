"""One row's failure of one rule, as a value and as a column-wise table."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from lienthong.contracts import Severity

ISSUE_SCHEMA = {
    "row_no": pl.Int64,  # the row's number within the run, from 1
    "column_name": pl.String,  # the property; null for a rule across columns or a broken row
    "rule": pl.String,  # the rule's id in the contract, or the standard's name
    "code": pl.String,  # stable code: `required`, `date.impossible`, …
    "severity": pl.String,  # error | warning
    "found": pl.String,  # the value as it came (personal data: never logged)
    "expected_vi": pl.String,
    "expected_en": pl.String,
}


@dataclass(frozen=True)
class Issue:
    row_no: int
    column_name: str | None
    rule: str
    code: str
    severity: Severity
    found: str | None
    expected_vi: str
    expected_en: str


def no_issues() -> pl.DataFrame:
    """An empty table of issues, columns as ISSUE_SCHEMA."""
    return pl.DataFrame(schema=ISSUE_SCHEMA)
