"""Many records at once → who is one: candidates, weights, components, clusters. In memory; nothing is stored here.

What it gives depends on the set of records, the model and the judgements alone. One record at a time ends in the same
clusters (`pipeline/matching.py`), because both ask the same rules and the same weights of the same components.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import polars as pl
from numpy.typing import NDArray

from lienthong.masterdata.candidates import candidate_pairs
from lienthong.masterdata.grouping import Judged, Matcher, components
from lienthong.masterdata.linkage import Linked, Pair
from lienthong.masterdata.model import Model
from lienthong.masterdata.splinking import DuckDBEngine, Engine, memory_database
from lienthong.masterdata.training import with_weight

NOTHING_JUDGED = Judged()
MakeEngine = Callable[[Model, pl.DataFrame], Engine]


@dataclass(frozen=True)
class Near:
    """Two clusters a person should look at, named by their smallest records: why (`weight` or `identifier`) and the mean bits between them."""

    left: int
    right: int
    why: str
    bits: float


@dataclass(frozen=True)
class Resolution:
    """`cluster[n]`, `component[n]`: the smallest record of what record n is in. `joins`: (left, right, bits or None for a rule)."""

    cluster: NDArray[np.int64]
    component: NDArray[np.int64]
    joins: tuple[tuple[int, int, float | None], ...]
    near: tuple[Near, ...]
    counts: Mapping[str, int] = field(default_factory=dict)


def duckdb_engine(model: Model, features: pl.DataFrame) -> Engine:
    return DuckDBEngine(model, features, memory_database())


def resolve(
    model: Model, features: pl.DataFrame, sources: Sequence[str] | pl.Series, judged: Judged = NOTHING_JUDGED, make_engine: MakeEngine = duckdb_engine
) -> Resolution:  # fmt: skip
    """Cluster records. Rows must be sorted by (source, key): their numbers break ties.

    `features` has the plan's columns; `sources` names the register of each row.
    """
    names = pl.Series("source", sources, dtype=pl.String)
    plan = model.plan
    pairs = candidate_pairs(plan, model.blocking, features, names)
    rows = _Rows(model, features, names, judged)
    by_rule = rows.rule_pairs()
    ruled = set(by_rule.pairs)
    engine = make_engine(model, features)
    weighed = with_weight(engine.weights(pairs), model)
    cuts = rows.cuts(weighed["left"].to_numpy(), weighed["right"].to_numpy())
    left, right = weighed["left"].to_numpy().astype(np.int64), weighed["right"].to_numpy().astype(np.int64)
    over = weighed["weight"].to_numpy() - cuts
    reach = over >= model.cuts.review_bits - model.cuts.join_bits
    known = {(a, b): w for a, b, w in zip(left[reach].tolist(), right[reach].tolist(), over[reach].tolist(), strict=True)}
    parent = components(features.height, [*known, *ruled, *judged.same])
    cluster = np.arange(features.height, dtype=np.int64)
    joins: list[tuple[int, int, float | None]] = []
    near: list[Near] = [Near(*pair, "identifier", 0.0) for pair in by_rule.conflicts]
    members: dict[int, list[int]] = {}
    for record in np.flatnonzero(np.bincount(parent, minlength=features.height)[parent] > 1).tolist():
        members.setdefault(int(parent[record]), []).append(record)
    rule_of = by_rule.by_record()
    for group in members.values():
        linked = rows.link(group, rule_of, known)
        for each in linked.clusters:
            cluster[list(each)] = each[0]
        joins += [(j.left, j.right, None if j.mean_bits is None else j.mean_bits) for j in linked.joins]
        near += [Near(a, b, "weight", bits) for a, b, bits in linked.near]
        near += [Near(a, b, "identifier", 0.0) for a, b in linked.conflicts]
    counts = {
        "records": features.height,
        "candidate_pairs": pairs.height,
        "rule_pairs": len(by_rule.pairs),
        "clusters": int(np.unique(cluster).size),
        "largest_component": max((len(group) for group in members.values()), default=1),
        "common_keys": len(model.blocking.common),
        "dropped_keys": len(model.blocking.dropped),
    }
    return Resolution(cluster, parent, tuple(joins), tuple(near), counts)


@dataclass(frozen=True)
class RulePairs:
    """Pairs joined by an agreeing identifier, and pairs whose identifier agrees while all else differs."""

    pairs: tuple[Pair, ...]
    conflicts: tuple[Pair, ...]

    def by_record(self) -> dict[int, list[Pair]]:
        found: dict[int, list[Pair]] = {}
        for pair in self.pairs:
            found.setdefault(pair[0], []).append(pair)
        return found


class _Rows:
    """The records of one resolution, looked up by number."""

    def __init__(self, model: Model, features: pl.DataFrame, sources: pl.Series, judged: Judged) -> None:
        self._model = model
        self._plan = model.plan
        self._features = features.select(model.plan.columns)
        self._sources = sources
        self._judged = judged
        self._matcher = Matcher(model)
        self._rules = self._matcher.rules

    def cuts(self, left: NDArray[np.uint32], right: NDArray[np.uint32]) -> NDArray[np.float64]:
        """The cut of each pair, by its two registers."""
        cuts = self._model.cuts
        if not cuts.by_registers:
            return np.full(len(left), cuts.join_bits)
        names = self._sources.unique().sort().to_list()
        table = np.array([[cuts.join(a, b) for b in names] for a in names])
        numbers = self._sources.replace_strict({name: n for n, name in enumerate(names)}, return_dtype=pl.Int32).to_numpy()
        return np.asarray(table[numbers[left], numbers[right]])

    def rule_pairs(self) -> RulePairs:
        pairs: list[Pair] = []
        conflicts: list[Pair] = []
        for name in self._plan.identifiers:
            column = self._plan.same_column(name)
            numbered = self._features.select(pl.col(column).alias("id"), *self._rules.guards).with_row_index("record").drop_nulls("id")
            sizes = numbered.group_by("id").agg(pl.len().alias("size"), pl.col("record").min().alias("first"))
            numbered = numbered.join(sizes.filter(pl.col("size").is_between(2, self._rules.most_per_identifier)), on="id")
            both = numbered.join(numbered, on="id", suffix="_r").filter(pl.col("record") < pl.col("record_r"))
            agrees = self._rules.agree_frame(both)
            pairs += both.filter(agrees).select("record", "record_r").rows()
            conflicts += both.filter(~agrees).select("record", "record_r").rows()
        return RulePairs(tuple(sorted(set(pairs))), tuple(sorted(set(conflicts) - set(pairs))))

    def link(self, group: Sequence[int], rule_of: Mapping[int, Sequence[Pair]], known: Mapping[Pair, float]) -> Linked:
        """The clusters of one component; weights are counted from the cut of the two registers."""
        rows = self._features[list(group)].rows()
        sources = self._sources[list(group)].to_list()
        rules = [pair for record in group for pair in rule_of.get(record, ())]
        return self._matcher.link(dict(zip(group, rows, strict=True)), dict(zip(group, sources, strict=True)), rules, known, self._judged)
