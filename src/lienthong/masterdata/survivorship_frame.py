"""Survivorship for many golden records at once: the same choices as `survivorship.golden`, column by column.

Golden records of which all records say the same are done without ranking; only where values differ are the rules asked.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from lienthong.contracts import SurvivorshipRule
from lienthong.masterdata.survivorship import LAST, ONLY, Policy, Statement, _choose


def golden_frame(members: pl.DataFrame, policy: Policy) -> pl.DataFrame:
    """`members`: `golden`, `source`, `key`, `dated` and one String column per attribute → `golden`, the attributes, `provenance`.

    One row a golden record, sorted by it; `provenance` is JSON as `survivorship.provenance` writes it.
    """
    attributes = [name for name in members.columns if name not in ("golden", "source", "key", "dated")]
    found = members.select("golden").unique().sort("golden")
    told: list[str] = []
    for name in sorted(attributes):
        chosen = _attribute(members, name, policy.of(name))
        found = found.join(chosen, on="golden", how="left", maintain_order="left")
        told.append(f"_{name}")
    parts = [pl.when(pl.col(each).is_not_null()).then(pl.col(each)) for each in told]
    whole = pl.concat_str([pl.lit("{"), pl.concat_str(parts, separator=",", ignore_nulls=True), pl.lit("}")])
    return found.select("golden", *attributes, whole.alias("provenance") if parts else pl.lit("{}").alias("provenance"))


def _attribute(members: pl.DataFrame, name: str, rules: tuple[SurvivorshipRule, ...]) -> pl.DataFrame:
    """`golden`, the attribute, `_<attribute>` (its piece of the provenance)."""
    said = members.lazy().select("golden", "source", "key", "dated", pl.col(name).alias("value")).filter(pl.col("value").is_not_null())
    agreed = (
        said.sort("golden", "source", "key")
        .group_by("golden")
        .agg(
            pl.col("value").first(),
            pl.col("source").first(),
            pl.col("key").first(),
            (pl.col("value").min() == pl.col("value").max()).alias("is_agreed"),
        )
        .collect()
    )
    single = agreed.filter("is_agreed").select(
        "golden", "value", "source", "key", pl.lit(ONLY).alias("rule"), pl.lit(1, pl.UInt32).alias("values")
    )
    differing = agreed.filter(~pl.col("is_agreed")).select("golden")
    parts = [single]
    if differing.height:
        parts.append(_contested(said.join(differing.lazy(), on="golden", how="semi").collect(), rules))
    whole = pl.concat(parts)
    piece = pl.concat_str(
        [
            pl.lit(f'"{name}":["'),
            _escaped("source"),
            pl.lit('","'),
            _escaped("key"),
            pl.lit('","'),
            pl.col("rule"),
            pl.lit('",'),
            pl.col("values").cast(pl.String),
            pl.lit("]"),
        ]
    )
    return whole.select("golden", pl.col("value").alias(name), piece.alias(f"_{name}"))


def _contested(said: pl.DataFrame, rules: tuple[SurvivorshipRule, ...]) -> pl.DataFrame:
    """Golden records whose registers say different things: narrowed rule by rule, all at once."""
    left = said.with_columns(pl.lit(ONLY).alias("rule"), pl.col("value").n_unique().over("golden").alias("values"))
    for rule in rules:
        if rule.rule in ("largest", "smallest"):
            return pl.concat([_one_by_one(said, rules)])
        is_open = (pl.col("value").min() != pl.col("value").max()).over("golden")
        ranked = left.with_columns(is_open.alias("is_open"), _rank(rule).alias("rank"))
        keeps = ~pl.col("is_open") | (pl.col("rank") == pl.col("rank").min().over("golden"))
        kept = ranked.with_columns(keeps.alias("keeps"))
        told = pl.when(pl.col("is_open") & ~pl.col("keeps").all().over("golden")).then(pl.lit(rule.rule)).otherwise(pl.col("rule"))
        left = kept.with_columns(told.alias("rule")).filter("keeps").drop("is_open", "rank", "keeps")
    still_open = (pl.col("value").min() != pl.col("value").max()).over("golden")
    ended = left.with_columns(pl.when(still_open).then(pl.lit(LAST)).otherwise(pl.col("rule")).alias("rule"))
    return (
        ended.sort("golden", "value", "source", "key")
        .unique("golden", keep="first", maintain_order=True)
        .select("golden", "value", "source", "key", "rule", "values")
    )


def _rank(rule: SurvivorshipRule) -> pl.Expr:
    """The smaller the better."""
    value = pl.col("value")
    if rule.rule == "authority":
        order: Mapping[str, int] = {source: n for n, source in enumerate(rule.parameters["of"])}
        return pl.col("source").replace_strict(order, default=len(order), return_dtype=pl.Int64)
    if rule.rule == "recent":
        return pl.coalesce(-pl.col("dated").to_physical().cast(pl.Int64) - 10_000_000, pl.lit(0, pl.Int64))
    if rule.rule == "complete":
        words = value.str.count_matches(r"[^\s\-/,.]+").cast(pl.Int64)
        return -(words * 2 + value.str.contains(r"[^\x00-\x7F]").cast(pl.Int64))
    if rule.rule == "frequent":
        return -pl.len().over("golden", "value").cast(pl.Int64)
    if rule.rule == "longest":
        return -value.str.len_chars().cast(pl.Int64)
    return pl.when(value.str.contains(f"^(?:{rule.parameters['pattern']})$")).then(0).otherwise(1)  # prefer


def _one_by_one(said: pl.DataFrame, rules: tuple[SurvivorshipRule, ...]) -> pl.DataFrame:
    """Orders of numbers among texts are compared in Python: rules few use."""
    rows: list[tuple[Any, ...]] = []
    for (number,), part in said.group_by(["golden"], maintain_order=True):
        statements = [Statement("", r["value"], r["source"], r["key"], r["dated"]) for r in part.iter_rows(named=True)]
        chosen = _choose(statements, rules)
        rows.append((number, chosen.value, chosen.source, chosen.record, chosen.rule, 1 + len(chosen.others)))
    schema = {"golden": pl.Int64, "value": pl.String, "source": pl.String, "key": pl.String, "rule": pl.String, "values": pl.UInt32}
    return pl.DataFrame(rows, schema=schema, orient="row")


def _escaped(name: str) -> pl.Expr:
    return pl.col(name).str.replace_all("\\", "\\\\", literal=True).str.replace_all('"', '\\"', literal=True)
