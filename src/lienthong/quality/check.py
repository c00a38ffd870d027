"""Judges cleaned rows against a contract, a column at a time: a cheap mask for each rule, words only for the rows that break it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from difflib import get_close_matches

import polars as pl

from lienthong import standards
from lienthong.contracts import Contract, Rule, Severity
from lienthong.errors import ContractError
from lienthong.quality import words
from lienthong.quality.issue import ISSUE_SCHEMA, no_issues
from lienthong.quality.rules import RULES, Rows, RuleKind

UNAVAILABLE = "reference.unavailable"


@dataclass(frozen=True)
class CheckContext:
    """What the rules may know beyond the rows: the delivery's date, other datasets' values, the rows as they came."""

    delivered_on: date
    references: Mapping[str, pl.DataFrame] = field(default_factory=dict)
    originals: pl.DataFrame = field(default_factory=pl.DataFrame)


@dataclass(frozen=True)
class Checked:
    """`kept` (as long as the rows): true where no rule of severity error is broken; `issues` as ISSUE_SCHEMA."""

    kept: pl.Series
    issues: pl.DataFrame


def check(clean: pl.DataFrame, contract: Contract, context: CheckContext) -> Checked:
    """Judge cleaned rows (`row_no` and the contract's columns) by every rule of the contract.

    Raises ContractError for a rule of unknown kind.
    """
    rules = promised_rules(contract)
    rows = Rows(clean, context.delivered_on, context.references)
    broken = clean.select(_mask(rule, rows, n) for n, rule in enumerate(rules))
    kept = pl.repeat(True, clean.height, eager=True)
    issues = [no_issues()]
    for n, rule in enumerate(rules):
        mask = broken[str(n)]
        if mask.any():
            issues.append(_issues(rule, contract, clean, context.originals, mask))
            if rule.severity is Severity.ERROR:
                kept = kept & ~mask
    issues.extend(_unavailable(rules, rows, context.originals))
    return Checked(kept.alias("kept"), pl.concat(issues))


def promised_rules(contract: Contract) -> tuple[Rule, ...]:
    """The contract's rules, and those its flags imply: a required or key property has a value, a unique one is not repeated."""
    stated = contract.all_rules
    required = {rule.columns[0] for rule in stated if rule.kind == "required"}
    unique = {rule.columns for rule in stated if rule.kind == "unique"}
    key = tuple(p.name for p in contract.key)
    implied = [
        Rule(f"{p.name}.required", "required", (p.name,))
        for p in contract.properties
        if (p.required or p.key_position is not None) and p.name not in required
    ]
    implied += [
        Rule(f"{p.name}.unique", "unique", (p.name,))
        for p in contract.properties
        if p.unique and (p.name,) not in unique and (p.name,) != key  # the key is judged over the whole delivery
    ]
    return (*implied, *(rule for rule in stated if not (rule.kind == "unique" and rule.columns == key)))


def words_of_rules(contract: Contract) -> tuple[tuple[str, str], ...]:
    """What every rule of a contract expects, in Vietnamese and English."""
    return tuple(words.said(rule, kind_of(rule).say(rule, contract)) for rule in promised_rules(contract))


def issues_of_problems(
    row_nos: pl.Series, column: str, problems: pl.Series, originals: pl.Series, choices: pl.Series | None = None
) -> pl.DataFrame:
    """Issues of the values a standard could not clean or has doubts about: one for each problem code that is not null.

    `choices`: what each value may mean, null where nothing is to be said; told after what was expected.
    """
    there = problems.is_not_null()
    if not there.any():
        return no_issues()
    choices = pl.repeat(None, len(problems), dtype=pl.String, eager=True) if choices is None else choices
    frame = pl.DataFrame({"row_no": row_nos, "code": problems, "found": originals, "choices": choices}).filter(there)
    codes = frame["code"].unique().to_list()
    said = pl.DataFrame(
        [(p.code, p.severity, p.expected_vi, p.expected_en) for p in (standards.PROBLEMS[code] for code in codes)],
        schema={"code": pl.String, "severity": pl.String, "expected_vi": pl.String, "expected_en": pl.String},
        orient="row",
    )
    told = pl.when(pl.col("choices").is_not_null()).then(": " + pl.col("choices")).otherwise(pl.lit(""))
    return (
        frame.join(said, on="code", how="left", maintain_order="left")
        .with_columns(pl.col("expected_vi") + told, pl.col("expected_en") + told)
        .with_columns(pl.lit(column).alias("column_name"), pl.col("code").str.split(".").list.first().alias("rule"))
        .select(pl.col(name).cast(kind) for name, kind in ISSUE_SCHEMA.items())
    )


def kind_of(rule: Rule) -> RuleKind:
    """The kind of a rule. Raises ContractError naming the nearest kind."""
    found = RULES.get(rule.kind)
    if found is None:
        near = get_close_matches(rule.kind, RULES, n=1)
        fault = (f"rule `{rule.id}`", f"unknown kind `{rule.kind}`", f"did you mean `{near[0]}`?" if near else "")
        raise ContractError("A rule cannot be judged.", faults=(fault,))
    return found


def _mask(rule: Rule, rows: Rows, number: int) -> pl.Expr | pl.Series:
    breaks = kind_of(rule).breaks(rule, rows)
    return breaks.fill_null(False).alias(str(number))


def _issues(rule: Rule, contract: Contract, clean: pl.DataFrame, originals: pl.DataFrame, mask: pl.Series) -> pl.DataFrame:
    kind = kind_of(rule)
    vi, en = words.said(rule, kind.say(rule, contract))
    found = _found(rule, clean, originals, mask)
    return _rows_of(
        clean["row_no"].filter(mask), None if kind.is_across else rule.columns[0], rule, rule.kind, rule.severity, found, vi, en
    )


def _rows_of(
    row_nos: pl.Series, column: str | None, rule: Rule, code: str, severity: Severity, found: pl.Series, vi: str, en: str
) -> pl.DataFrame:  # fmt: skip
    values = {"column_name": column, "rule": rule.id, "code": code, "severity": severity.value, "expected_vi": vi, "expected_en": en}
    frame = pl.DataFrame({"row_no": row_nos, "found": found})
    frame = frame.with_columns(pl.lit(value, pl.String).alias(name) for name, value in values.items())
    return frame.select(pl.col(name).cast(kind) for name, kind in ISSUE_SCHEMA.items())


def _found(rule: Rule, clean: pl.DataFrame, originals: pl.DataFrame, mask: pl.Series) -> pl.Series:
    """The values as they came, of each column the rule reads."""
    names = _columns_read(rule, clean)
    source = originals if all(name in originals.columns for name in names) else clean
    broken = source.select(names).filter(mask)
    if len(names) == 1:
        return broken[names[0]].cast(pl.String)
    parts = [pl.col(name).cast(pl.String).fill_null("") for name in names]
    return broken.select(pl.concat_str(parts, separator=" | ").alias("found")).to_series()


def _columns_read(rule: Rule, clean: pl.DataFrame) -> list[str]:
    if rule.kind == "required_when":
        return [str(rule.parameters.get("column", rule.columns[0]))]
    named = [rule.parameters.get(part) for part in ("left", "right", "id", "with")]
    read = [name for name in named if isinstance(name, str) and name in clean.columns and name != "row_no"]
    return read or list(rule.columns)


def _unavailable(rules: Sequence[Rule], rows: Rows, originals: pl.DataFrame) -> list[pl.DataFrame]:
    """A warning for each value that could not be looked up because the other dataset has nothing published yet."""
    found = []
    for rule in rules:
        reference = rows.references.get(str(rule.parameters.get("dataset"))) if rule.kind == "reference" else pl.DataFrame({"": [0]})
        if reference is not None and not reference.is_empty():
            continue
        there = rows.clean[rule.columns[0]].is_not_null()
        dataset = rule.parameters["dataset"]
        vi = f"Chưa đối chiếu được: danh mục {dataset} chưa được công bố"
        en = f"Not looked up: {dataset} is not published yet"
        original = _found(rule, rows.clean, originals, there)
        found.append(_rows_of(rows.clean["row_no"].filter(there), rule.columns[0], rule, UNAVAILABLE, Severity.WARNING, original, vi, en))
    return found
