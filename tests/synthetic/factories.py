"""Contracts of any kind, made by chance, and rows judged as the pipeline would."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import polars as pl
from hypothesis import strategies as st

from lienthong.contracts import Contract, Property, Rule, Severity
from lienthong.pipeline.judge import cleaning
from lienthong.quality import CheckContext, Checked, check
from lienthong.synthetic import written
from lienthong.synthetic.written import heading
from tests.quality.factories import make_contract, make_property

TODAY = date(2026, 7, 1)
STANDARDS = (
    "person_name",
    "citizen_id",
    "tax_code",
    "insurance_no",
    "phone",
    "sex",
    "admin_unit",
    "agency_code",
    "licence_no",
    "parcel_id",
    "geometry",
)
PATTERNS = ("^[0-9]{8,10}$", "^[A-Z]{2}[0-9]{4,6}$", r"^HS-\d{7}(/TEST)?$", "^(AB|CD)[a-f]{3,9}$", "^[^0-9]{6,9}$", r"^\w{6,8}$")


def judged(rows: pl.DataFrame, contract: Contract, references: dict[str, pl.DataFrame] | None = None) -> Checked:
    numbered = rows.with_row_index("row_no", offset=1).with_columns(pl.col("row_no").cast(pl.Int64))
    return check(numbered, contract, CheckContext(TODAY, references or {}, rows.select(pl.all().cast(pl.String))))


def cleaned(texts: pl.DataFrame, contract: Contract) -> tuple[pl.DataFrame, list[tuple[str, str]]]:
    """Written rows as the pipeline cleans them, and what would not clean: (property, problem)."""
    found: dict[str, pl.Series] = {}
    problems: list[tuple[str, str]] = []
    for p in sorted(contract.properties, key=lambda p: p.as_of is not None):
        standard, options = cleaning(p, accept_synthetic_ids=True)
        dated = None
        if p.as_of is not None:
            on = pl.repeat(TODAY, texts.height, dtype=pl.Date, eager=True)
            dated = on if p.as_of == "delivery" else found[p.as_of].cast(pl.Date).fill_null(TODAY)
        done = standard.clean_column(texts[heading(p)], options, dated)
        found[p.name] = done.values
        problems += [(p.name, problem) for problem in done.problems.drop_nulls().unique().to_list()]
    return pl.DataFrame([found[p.name].alias(p.name) for p in contract.properties]), problems


@st.composite
def contracts(draw: st.DrawFn) -> Contract:
    """Any contract whose promises can be kept together."""
    key = make_property(
        "key",
        required=True,
        key_position=1,
        rules=(Rule("key.pattern", "pattern", ("key",), {"pattern": draw(st.sampled_from(PATTERNS))}),),
    )
    names = [f"c{n}" for n in range(draw(st.integers(1, 6)))]
    properties = [key, *(draw(_property(name)) for name in names)]
    return make_contract(*properties, rules=draw(_across(properties)))


@st.composite
def _property(draw: st.DrawFn, name: str) -> Property:
    kind = draw(st.sampled_from(("string", "integer", "number", "date", "timestamp", "standard")))
    more: dict[str, Any] = {"required": draw(st.booleans())}
    if kind == "standard":
        standard = draw(st.sampled_from(STANDARDS))
        return make_property(name, "string", standard=standard, unique=standard == "citizen_id" and draw(st.booleans()), **more)
    if kind == "string":
        rules = draw(st.sampled_from(("none", "allowed", "length", "pattern")))
        parameters: dict[str, dict[str, Any]] = {
            "allowed": {"values": draw(st.lists(st.text("abcdxyz", min_size=1, max_size=4), min_size=1, max_size=5, unique=True))},
            "length": {"min": draw(st.integers(1, 30)), "max": draw(st.integers(30, 60))},
            "pattern": {"pattern": draw(st.sampled_from(PATTERNS))},
        }
        made = () if rules == "none" else (Rule(f"{name}.{rules}", rules, (name,), parameters[rules]),)
        return make_property(name, rules=made, **more)
    bounds: dict[str, Any] = {}
    if kind in ("integer", "number"):
        low = draw(st.integers(-1000, 1000))
        bounds = draw(st.sampled_from(({"min": low, "max": low + 50}, {"exclusive_min": low}, {"max": low}, {})))
    elif kind == "date":
        low_day = TODAY - timedelta(draw(st.integers(1, 20_000)))
        bounds = draw(st.sampled_from(({"min": low_day, "max": "today"}, {"max": "today"}, {"min": low_day}, {})))
    return make_property(name, kind, rules=(Rule(f"{name}.range", "range", (name,), bounds),) if bounds else (), **more)


@st.composite
def _across(draw: st.DrawFn, properties: list[Property]) -> tuple[Rule, ...]:
    """At most one comparison between two optional columns without bounds of their own, and one value another one demands."""
    rules = []
    free = [p for p in properties[1:] if p.logical_type in ("integer", "date") and not p.rules]
    if len(free) > 1 and draw(st.booleans()):
        operator = draw(st.sampled_from(("<", "<=", ">", ">=", "=", "!=")))
        same = [p for p in free if p.logical_type == free[0].logical_type]
        if len(same) > 1:
            rules.append(
                Rule("order", "compare", (same[0].name, same[1].name), {"left": same[0].name, "operator": operator, "right": same[1].name})
            )
    listed = [p for p in properties[1:] if any(rule.kind == "allowed" for rule in p.rules)]
    others = [p for p in properties[1:] if p not in listed]
    is_demanded = draw(st.booleans())
    if listed and others and is_demanded:
        when = {"column": listed[0].name, "equals": listed[0].rules[0].parameters["values"][0]}
        rules.append(
            Rule("demanded", "required_when", (others[0].name, listed[0].name), {"column": others[0].name, "when": when}, Severity.ERROR)
        )
    return tuple(rules)


__all__ = ["TODAY", "cleaned", "contracts", "judged", "written"]
