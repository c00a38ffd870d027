"""Every kind of rule a contract can hold: what breaks it, as a column-wise condition, and what it says to a data officer.

An empty value breaks only `required` and `required_when`: that a value is there and that it is right are two promises.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date

import polars as pl

from lienthong.contracts import Contract, Rule
from lienthong.quality import words
from lienthong.quality.comparing import breaks_comparison, breaks_range
from lienthong.quality.referring import breaks_reference


@dataclass(frozen=True)
class Rows:
    """What a rule may look at: the cleaned rows, the delivery's date, and the values of other datasets."""

    clean: pl.DataFrame
    delivered_on: date
    references: Mapping[str, pl.DataFrame] = field(default_factory=dict)


Breaks = Callable[[Rule, Rows], pl.Expr | pl.Series]
Say = Callable[[Rule, Contract], tuple[str, str]]


@dataclass(frozen=True)
class RuleKind:
    """One kind of rule. `breaks` is true where a row breaks it; `say` gives the expectation in Vietnamese and English.

    `parameters` are those it knows, each with a sentence; `is_across` when the issue belongs to no single column.
    """

    kind: str
    dimension: str
    breaks: Breaks
    say: Say
    parameters: Mapping[str, str]
    is_across: bool = False


def _missing(name: str, clean: pl.DataFrame) -> pl.Expr:
    column = pl.col(name)
    if clean.schema[name] == pl.String:
        return column.is_null() | (column == "")
    return column.is_null()


def _required(rule: Rule, rows: Rows) -> pl.Expr:
    return _missing(rule.columns[0], rows.clean)


def _required_when(rule: Rule, rows: Rows) -> pl.Expr:
    when = rule.parameters["when"]
    name = str(rule.parameters.get("column", rule.columns[0]))
    expected = when["equals"] if isinstance(when["equals"], list) else [when["equals"]]
    other = pl.col(when["column"]).cast(pl.String)
    return _missing(name, rows.clean) & other.is_in([words.as_text(value) for value in expected]).fill_null(False)


def _unique(rule: Rule, _: Rows) -> pl.Expr:
    together = pl.struct(rule.columns) if len(rule.columns) > 1 else pl.col(rule.columns[0])
    there = pl.all_horizontal(pl.col(name).is_not_null() for name in rule.columns)
    return there & together.is_duplicated()


def _pattern(rule: Rule, _: Rows) -> pl.Expr:
    return ~pl.col(rule.columns[0]).cast(pl.String).str.contains(str(rule.parameters["pattern"]))


def _length(rule: Rule, _: Rows) -> pl.Expr:
    length = pl.col(rule.columns[0]).cast(pl.String).str.len_chars()
    low, high = rule.parameters.get("min"), rule.parameters.get("max")
    breaks = pl.lit(False)
    if low is not None:
        breaks = breaks | (length < int(low))
    if high is not None:
        breaks = breaks | (length > int(high))
    return breaks


def _range(rule: Rule, rows: Rows) -> pl.Expr:
    name = rule.columns[0]
    return breaks_range(pl.col(name), rows.clean.schema[name], rule.parameters, rows.delivered_on)


def _allowed(rule: Rule, _: Rows) -> pl.Expr:
    values = [words.as_text(value) for value in rule.parameters["values"]]
    return ~pl.col(rule.columns[0]).cast(pl.String).is_in(values)


def _compare(rule: Rule, rows: Rows) -> pl.Expr:
    left, right = str(rule.parameters["left"]), rule.parameters["right"]
    return breaks_comparison(left, str(rule.parameters["operator"]), right, rows.clean.schema, rows.delivered_on)


def _reference(rule: Rule, rows: Rows) -> pl.Series:
    reference = rows.references.get(str(rule.parameters["dataset"]))
    return breaks_reference(rule, rows.clean, reference, rows.delivered_on)


def _agree(rule: Rule, rows: Rows) -> pl.Expr:
    """What a 12-digit citizen number says of its holder: digit 4 the century and sex, digits 5 and 6 the year of birth."""
    number, other = pl.col(str(rule.parameters["id"])), str(rule.parameters["with"])
    is_citizen_id = number.str.len_bytes() == 12
    digits = number.cast(pl.Int64, strict=False)
    century_and_sex = digits // 10**8 % 10
    if rule.parameters["kind"] == "citizen_id_sex":
        says = pl.when(century_and_sex % 2 == 0).then(pl.lit("M")).otherwise(pl.lit("F"))
        return is_citizen_id & century_and_sex.is_not_null() & pl.col(other).is_in(["M", "F"]) & (pl.col(other) != says)
    year = 1900 + 100 * (century_and_sex // 2) + digits // 10**6 % 100
    return is_citizen_id & (year != _year_of(other, rows.clean.schema[other]))


def _year_of(name: str, dtype: pl.DataType) -> pl.Expr:
    if dtype == pl.String:  # a date of any precision, written year first
        return pl.col(name).str.slice(0, 4).cast(pl.Int32, strict=False)
    return pl.col(name).cast(pl.Int32) if dtype.is_integer() else pl.col(name).dt.year()


RULES: dict[str, RuleKind] = {
    kind.kind: kind
    for kind in (
        RuleKind("required", "completeness", _required, words.required, {}),
        RuleKind(
            "required_when",
            "completeness",
            _required_when,
            words.required_when,
            {
                "column": "the property that must have a value",
                "when": "`{column, equals}`: the property that decides, and its value or values",
            },
        ),
        RuleKind("unique", "uniqueness", _unique, words.unique, {}),
        RuleKind("pattern", "conformity", _pattern, words.pattern, {"pattern": "a regular expression (RE2 kind) the value must hold"}),
        RuleKind("length", "conformity", _length, words.length, {"min": "fewest characters", "max": "most characters"}),
        RuleKind(
            "range",
            "conformity",
            _range,
            words.value_range,
            {
                "min": "smallest number or earliest date",
                "max": "largest number or latest date; `today` is the delivery's own date",
                "exclusive_min": "as `min`, the bound itself not allowed",
                "exclusive_max": "as `max`, the bound itself not allowed",
            },
        ),
        RuleKind("allowed", "conformity", _allowed, words.allowed, {"values": "the list of values allowed"}),
        RuleKind(
            "reference",
            "consistency",
            _reference,
            words.reference,
            {
                "dataset": "the dataset in which the value must be found",
                "column": "its column",
                "as_of": "the property that dates the value, or `delivery`; absent: whenever valid",
                "level": "only the reference's rows of this `level`",
            },
        ),
        RuleKind(
            "compare",
            "consistency",
            _compare,
            words.compare,
            {
                "left": "a property",
                "operator": "one of `<` `<=` `>` `>=` `=` `!=`",
                "right": "another property, a number, a date or `today`",
            },
            is_across=True,
        ),
        RuleKind(
            "agree",
            "consistency",
            _agree,
            words.agree,
            {
                "kind": "`citizen_id_birth_year` or `citizen_id_sex`",
                "id": "the property of the citizen number",
                "with": "the property of the birth date, or of the sex",
            },
            is_across=True,
        ),
    )
}
