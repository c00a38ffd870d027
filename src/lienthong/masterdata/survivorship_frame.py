"""Survivorship for many golden records at once: the same choices as `survivorship.golden`, column by column.

Golden records of which all records say the same are done without ranking; only where values differ are the rules asked. A part of
the golden records is done at a time, so that a million need little more memory than their result.
"""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from lienthong.contracts import SurvivorshipRule
from lienthong.masterdata.survivorship import LAST, NUMBER, ONLY, WORD, Policy, Scores, rank_of

_MEMBER = ("golden", "source", "key", "dated")
GOLDENS_AT_ONCE = 50_000
_IS_OPEN = pl.col("value").min().over("golden") != pl.col("value").max().over("golden")


def golden_frames(members: pl.DataFrame, policy: Policy, goldens_at_once: int = GOLDENS_AT_ONCE) -> Iterator[pl.DataFrame]:
    """`members`: `golden`, `source`, `key`, `dated` and one String column per attribute → `golden`, the attributes, `provenance`.

    One row a golden record, in their order; `provenance` is JSON as `survivorship.provenance` writes it. A part of them at a time: whoever
    passes each part on need never hold them all. No members give one part without rows.
    """
    goldens = members["golden"].unique().sort()
    for start in range(0, max(goldens.len(), 1), goldens_at_once):
        these = goldens.slice(start, goldens_at_once)
        part = members.filter(pl.col("golden").is_between(these.first(), these.last()))
        yield _part(part.sort("golden", "source", "key"), these, policy)


def _part(members: pl.DataFrame, goldens: pl.Series, policy: Policy) -> pl.DataFrame:
    """`members` sorted by golden, source, key."""
    attributes = [name for name in members.columns if name not in _MEMBER]
    found = goldens.to_frame()
    for name in attributes:
        found = found.join(_attribute(members, name, policy.of(name), policy.scores), on="golden", how="left", maintain_order="left")
    pieces = [pl.lit(None, pl.String), *(pl.col(f"_{name}") for name in sorted(attributes))]
    provenance = pl.concat_str([pl.lit("{"), pl.concat_str(pieces, separator=",", ignore_nulls=True), pl.lit("}")])
    return found.select("golden", *attributes, provenance.alias("provenance"))


def _attribute(members: pl.DataFrame, name: str, rules: tuple[SurvivorshipRule, ...], scores: Scores) -> pl.DataFrame:
    """`golden`, the attribute, `_<attribute>` (its piece of the provenance)."""
    said = members.select(*_MEMBER, pl.col(name).alias("value")).filter(pl.col("value").is_not_null())
    firsts = said.group_by("golden", maintain_order=True).agg(
        pl.col("value", "source", "key").first(), (pl.col("value").min() == pl.col("value").max()).alias("is_agreed")
    )
    chosen = firsts.filter("is_agreed").select("golden", "value", "source", "key", rule=pl.lit(ONLY), values=pl.lit(1, pl.UInt32))
    differing = firsts.filter(~pl.col("is_agreed"))
    if differing.height:
        contested = said.join(differing, on="golden", how="semi", maintain_order="left")
        chosen = pl.concat([chosen, _contested(contested, rules, scores)])
    piece = pl.format(f'"{name}":["{{}}","{{}}","{{}}",{{}}]', _escaped("source"), _escaped("key"), "rule", "values")
    return chosen.select("golden", pl.col("value").alias(name), piece.alias(f"_{name}"))


def _contested(said: pl.DataFrame, rules: tuple[SurvivorshipRule, ...], scores: Scores) -> pl.DataFrame:
    """Golden records whose registers say different things: narrowed rule by rule, all at once."""
    left = said.with_columns(rule=pl.lit(ONLY), values=pl.col("value").n_unique().over("golden"))
    for rule in rules:
        ranked = _ranked(left, rule, scores).with_columns(_IS_OPEN.alias("is_open"))
        ranked = ranked.with_columns(keeps=~pl.col("is_open") | (pl.col("rank") == pl.col("rank").min().over("golden")))
        is_narrowed = pl.col("is_open") & ~pl.col("keeps").all().over("golden")
        told = pl.when(is_narrowed).then(pl.lit(rule.rule)).otherwise("rule")
        left = ranked.with_columns(told.alias("rule")).filter("keeps").drop("is_open", "rank", "keeps")
    ended = left.with_columns(pl.when(_IS_OPEN).then(pl.lit(LAST)).otherwise("rule").alias("rule"))
    ordered = ended.sort("golden", "value", "source", "key").unique("golden", keep="first", maintain_order=True)
    return ordered.select("golden", "value", "source", "key", "rule", "values")


def _ranked(left: pl.DataFrame, rule: SurvivorshipRule, scores: Scores) -> pl.DataFrame:
    """With `rank`: the smaller the better."""
    if rule.rule == "expression":
        records = pl.len().over("golden", "value").cast(pl.String)
        statements = left.select(
            "value", pl.col("source").alias("register"), record="key", dated=pl.col("dated").cast(pl.String), records=records
        )
        return left.with_columns(rank_of(scores(str(rule.parameters["score"]), statements)).alias("rank"))
    if rule.rule in ("largest", "smallest"):
        number = pl.when(pl.col("value").str.contains(f"^(?:{NUMBER})$")).then(pl.col("value").cast(pl.Float64, strict=False))
        order = left.select(pl.col("value").unique()).sort(number.is_null(), number, "value").with_row_index("rank")
        sign = -1 if rule.rule == "largest" else 1
        return left.join(order.with_columns(pl.col("rank").cast(pl.Int64) * sign), on="value", how="left", maintain_order="left")
    return left.with_columns(rank=_rank(rule))


def _rank(rule: SurvivorshipRule) -> pl.Expr:
    value = pl.col("value")
    if rule.rule == "authority":
        order = {source: n for n, source in enumerate(rule.parameters["of"])}
        return pl.col("source").replace_strict(order, default=len(order), return_dtype=pl.Int64)
    if rule.rule == "recent":
        return (-pl.col("dated").to_physical().cast(pl.Int64)).fill_null(_UNDATED)
    if rule.rule == "complete":
        return -(value.str.count_matches(WORD).cast(pl.Int64) * 2 + value.str.contains(r"[^\x00-\x7F]").cast(pl.Int64))
    if rule.rule == "frequent":
        return -pl.len().over("golden", "value").cast(pl.Int64)
    if rule.rule == "longest":
        return -value.str.len_chars().cast(pl.Int64)
    return (~value.str.contains(f"^(?:{rule.parameters['pattern']})$")).cast(pl.Int64)  # prefer


_UNDATED = 10_000_000  # later than the rank of any date: days before 1970 are fewer than a million


def _escaped(name: str) -> pl.Expr:
    return pl.col(name).str.replace_all("\\", "\\\\", literal=True).str.replace_all('"', '\\"', literal=True)
