"""Invented rows as an office would hand them in: text under the headings of the contract's source."""

from __future__ import annotations

import polars as pl

from lienthong.contracts import Contract, Property


def written(rows: pl.DataFrame, contract: Contract) -> pl.DataFrame:
    """All columns as text; dates as dd/MM/yyyy. A heading two properties share is written once, by the first that has it."""
    texts: dict[str, pl.Series] = {}
    for p in contract.properties:
        texts.setdefault(heading(p), _text(rows[p.name], p).alias(heading(p)))
    return pl.DataFrame(list(texts.values()))


def heading(p: Property) -> str:
    """The heading under which a property arrives."""
    return p.source_names[0] if p.source_names else p.name


def _text(values: pl.Series, p: Property) -> pl.Series:
    if p.logical_type == "date":
        return values.dt.strftime("%d/%m/%Y")
    if p.logical_type == "timestamp":
        return values.dt.strftime("%Y-%m-%dT%H:%M:%SZ")
    if p.logical_type == "number":
        comma = bool(p.standard_options.get("decimal_comma"))
        return pl.Series([None if v is None else _number(v, comma=comma) for v in values.to_list()], dtype=pl.String)
    return values.cast(pl.String)


def _number(value: float, *, comma: bool) -> str:
    text = f"{value:.6f}".rstrip("0").rstrip(".")
    return text.replace(".", ",") if comma else text
