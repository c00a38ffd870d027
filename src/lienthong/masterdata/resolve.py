"""Many records at once → who is one: candidates, weights, components, clusters. In memory; nothing is stored here.

What it gives depends on the set of records, the model and the judgements alone. One record at a time ends in the same
clusters (`pipeline/matching.py`), because both ask the same rules and the same weights of the same components. Most components are
plain (all their records carry one number, or there are only two): those are done in columns, the others one by one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl
import polars_hash as plh
from numpy.typing import NDArray

from lienthong.masterdata.candidates import candidate_pairs, outgrown
from lienthong.masterdata.grouping import HELD_BITS, Judged, Matcher, components
from lienthong.masterdata.model import Model
from lienthong.masterdata.narrow import plain
from lienthong.masterdata.rules import MOST_PER_IDENTIFIER, STEWARD, Rules
from lienthong.masterdata.splinking import DuckDBEngine, Engine, memory_database
from lienthong.masterdata.training import with_weight

MakeEngine = Callable[[Model, pl.DataFrame], Engine]
NOTHING_JUDGED = Judged()
_AT_ONCE = 50_000  # pairs whose features are at hand at a time
_HOLDERS_AT_ONCE = 250_000  # records that share an identifier, the same
_MOST_HOLDERS = 3000  # of one number the model knows nothing of: their pairs grow with its square
Numbers = NDArray[np.int64]


@dataclass(frozen=True)
class Near:
    """Two clusters a person should look at, named by their smallest records: why (`weight` or `identifier`) and the mean bits between them."""

    left: int
    right: int
    why: str
    bits: float


@dataclass(frozen=True)
class Resolution:
    """`cluster[n]`, `component[n]`: the smallest record of what record n is in.

    `joins`: `left`, `right`, `bits` (null for a rule), `rule` (its place in `rule_names`; null for a weight).
    """

    cluster: Numbers
    component: Numbers
    joins: pl.DataFrame
    near: tuple[Near, ...]
    counts: Mapping[str, int] = field(default_factory=dict)


def rule_names(rules: Rules) -> tuple[str, ...]:
    """What the numbers of rules in `Resolution.joins` stand for."""
    return (*rules.names, STEWARD)


def duckdb_engine(model: Model, features: pl.DataFrame) -> Engine:
    return DuckDBEngine(model, features, memory_database())


def resolve(
    model: Model, features: pl.DataFrame, sources: Sequence[str] | pl.Series, judged: Judged = NOTHING_JUDGED,
    make_engine: MakeEngine = duckdb_engine,
) -> Resolution:  # fmt: skip
    """Cluster records. Rows must be sorted by (source, key): their numbers break ties.

    `features` has the plan's columns, narrow or not; `sources` names the register of each row.
    """
    names = pl.Series("source", sources, dtype=pl.String)
    pairs = candidate_pairs(model.plan, model.blocking, features, names)
    work = _Work(model, features, names, judged)
    weighed = with_weight(make_engine(model, features).weights(pairs), model).sort("left", "right")  # an engine gives them in any order
    candidates = pairs.height
    del pairs
    work.take_weights(weighed)
    del weighed
    work.take_rules()
    work.find_components()
    work.link_plain()
    work.link_others()
    return work.resolution(candidates)


class _Work:
    """The records of one resolution, looked up by number, and what is known of their pairs."""

    def __init__(self, model: Model, features: pl.DataFrame, sources: pl.Series, judged: Judged) -> None:
        self._model = model
        self._features = features.select(model.plan.columns)
        self._sources = sources
        self._judged = judged
        self._matcher = Matcher(model)
        self._count = features.height
        self._cluster: Numbers = np.arange(self._count, dtype=np.int64)
        self._component: Numbers = self._cluster
        self._joins: list[pl.DataFrame] = []
        self._near: list[Near] = []
        self._done = np.zeros(self._count, np.bool_)  # by component, at its smallest record
        self._largest = 1

    def take_weights(self, weighed: pl.DataFrame) -> None:
        """Keep the pairs that reach far enough to hold a component together, with their bits above the cut."""
        left, right = weighed["left"].to_numpy().astype(np.int64), weighed["right"].to_numpy().astype(np.int64)
        over = weighed["weight"].to_numpy() - self._cuts(left, right)
        would = np.flatnonzero(over >= 0)  # the same doubt as one by one, asked only of pairs that would join
        for start in range(0, would.size, _AT_ONCE):
            part = would[start : start + _AT_ONCE]
            over[part[self._doubted(left[part], right[part])]] = HELD_BITS
        kept = over >= self._matcher.reach
        self._left, self._right, self._over = left[kept], right[kept], over[kept]

    def _doubted(self, left: Numbers, right: Numbers) -> NDArray[np.bool_]:
        """Which of these pairs a person must see first: by columns where they say it, the rest pair by pair."""
        rules = self._matcher.rules
        if not rules.doubt_columns:
            return np.zeros(left.size, np.bool_)  # nothing that could be doubted: a frame without columns has no rows either
        columns = self._features.select(rules.doubt_columns)
        both = pl.concat([plain(columns[left]), plain(columns[right]).rename(lambda name: f"{name}_r")], how="horizontal")
        doubted = ~rules.undoubted_frame(both).to_numpy()
        asked = np.flatnonzero(doubted)
        pairs = zip(self._features[left[asked]].rows(), self._features[right[asked]].rows(), strict=True)
        doubted[asked] = np.fromiter((rules.doubt(a, b) for a, b in pairs), np.bool_, asked.size)
        return doubted

    def _cuts(self, left: Numbers, right: Numbers) -> NDArray[np.float64]:
        """The cut of each pair, by its two registers."""
        cuts = self._model.cuts
        if not cuts.by_registers:
            return np.full(len(left), cuts.join_bits)
        names = self._sources.unique().sort().to_list()
        table = np.array([[cuts.join(a, b) for b in names] for a in names])
        numbers = self._sources.replace_strict({name: n for n, name in enumerate(names)}, return_dtype=pl.Int32).to_numpy()
        return np.asarray(table[numbers[left], numbers[right]])

    def take_rules(self) -> None:
        """Pairs an identifier joins, and those whose identifier agrees while all else differs."""
        ruled = [_no_pairs()]
        for name in self._model.plan.identifiers:
            ruled += self._ruled(name)
        self._replacing = self._replaced()
        ruled.append(self._replacing)
        found = pl.concat(ruled).group_by("left", "right").agg(
            pl.col("agrees").any(), pl.col("forbidden").any(), pl.col("rule").filter(pl.col("agrees")).min()
        )  # fmt: skip
        conflicts = found.filter(~pl.col("agrees")).sort("left", "right")
        self._near += [Near(a, b, "identifier", 0.0) for a, b in self._judged.unsaid(conflicts.select("left", "right").rows())]
        self._rules = found.filter("agrees").sort("left", "right")

    def _ruled(self, name: str) -> Iterator[pl.DataFrame]:
        """Pairs that share an identifier, a part of the identifiers at a time: whether all else agrees, whether something forbids them."""
        rules = self._matcher.rules
        held = self._holders(self._model.plan.same_column(name))
        parts = held.height // _HOLDERS_AT_ONCE + 1
        for part in range(parts):
            some = self._described(held.filter(pl.col("id").hash() % parts == part), [*rules.agree_columns, *rules.forbid_columns])
            both = some.join(some, on="id", suffix="_r").filter(pl.col("record") < pl.col("record_r"))
            yield both.select(
                pl.col("record").cast(pl.Int64).alias("left"),
                pl.col("record_r").cast(pl.Int64).alias("right"),
                rules.agree_frame(both).alias("agrees"),
                rules.forbid_frame(both).alias("forbidden"),
                _rule(rules.names.index(name)),
            )

    def _holders(self, column: str) -> pl.DataFrame:
        """`record`, `id`: who has an identifier that others have too, and that is not known to say nothing."""
        held = self._features.select(pl.col(column).cast(pl.String).alias("id")).with_row_index("record").drop_nulls("id")
        held = held.with_columns(pl.len().over("id").alias("sharing")).filter(pl.col("sharing") > 1)
        crowded = self._matcher.rules.crowded
        if crowded:
            held = held.filter(~plh.col("id").nchash.xxh3_64().is_in(pl.Series(list(crowded), dtype=pl.UInt64).implode()))
        most = held["sharing"].max()
        if isinstance(most, int) and most > _MOST_HOLDERS:
            raise outgrown(self._model.plan.entity, most, MOST_PER_IDENTIFIER)
        return held.drop("sharing")

    def _described(self, held: pl.DataFrame, columns: Sequence[str]) -> pl.DataFrame:
        """The same with these features of theirs, and `source`."""
        features = plain(self._features.select(list(dict.fromkeys(columns)))[held["record"]])
        return held.with_columns(*features, self._sources[held["record"]])

    def _replaced(self) -> pl.DataFrame:
        """Pairs of which one record says what number replaced the other's. They agree unless that other's was replaced by two."""
        rules = self._matcher.rules
        parts: list[pl.DataFrame] = [_no_pairs()]
        for n, (old, new) in enumerate(rules.replaced_columns, len(self._model.plan.identifiers)):
            held = self._described(self._holders(old), [new, *rules.agree_columns, *rules.forbid_columns])
            both = held.filter(pl.col(new).is_not_null()).join(held.filter(pl.col(new).is_null()), on="id", suffix="_r")
            if not both.height:
                continue
            told = both.filter(rules.sure_frame(both) & ~rules.forbid_frame(both))
            one = pl.col(new).n_unique().over("record_r") == 1
            first, second = pl.min_horizontal("record", "record_r"), pl.max_horizontal("record", "record_r")
            parts.append(
                told.select(
                    first.cast(pl.Int64).alias("left"),
                    second.cast(pl.Int64).alias("right"),
                    one.alias("agrees"),
                    pl.lit(False).alias("forbidden"),
                    _rule(n),
                )
            )
        return pl.concat(parts)

    def find_components(self) -> None:
        pairs = [np.stack([self._left, self._right], axis=1), self._rules.select("left", "right").to_numpy()]
        pairs.append(self._replacing.select("left", "right").to_numpy())
        said = np.array(sorted(self._judged.same), np.int64).reshape(-1, 2)
        self._component = components(self._count, np.concatenate([*pairs, said]))

    def link_plain(self) -> None:
        """Components all of whose pairs an identifier joins, and components of two: done in columns."""
        judged = np.zeros(self._count, np.bool_)
        for pair in (*self._judged.same, *self._judged.apart):
            judged[self._component[list(pair)]] = True
        sizes = np.bincount(self._component, minlength=self._count)
        self._largest = int(sizes.max(initial=1))
        home = self._component[self._rules["left"].to_numpy()]
        forbidden = np.bincount(home[self._rules["forbidden"].to_numpy()], minlength=self._count)
        whole = (np.bincount(home, minlength=self._count) == sizes * (sizes - 1) // 2) & (sizes > 1) & (forbidden == 0) & ~judged
        member = whole[self._component]
        self._cluster = np.where(member, self._component, self._cluster)
        joined = np.flatnonzero(member & (self._component != np.arange(self._count)))
        pairs = pl.DataFrame({"left": self._component[joined], "right": joined})
        told = pairs.join(self._rules.select("left", "right", "rule"), on=["left", "right"], how="left", maintain_order="left")
        self._note(self._component[joined], joined, None, told["rule"])
        two = (sizes == 2) & (np.bincount(home, minlength=self._count) == 0) & ~judged
        two[self._component[self._left[self._two_numbers()]]] = False
        mine = two[self._component[self._left]]
        a, b, over = self._left[mine], self._right[mine], self._over[mine]
        joins = over >= 0
        self._cluster[b[joins]] = a[joins]
        self._note(a[joins], b[joins], over[joins])
        self._near += [
            Near(x, y, "weight", w) for x, y, w in zip(a[~joins].tolist(), b[~joins].tolist(), over[~joins].tolist(), strict=True)
        ]
        self._done = whole | two | (sizes <= 1)

    def _two_numbers(self) -> NDArray[np.bool_]:
        """Which pairs have two different valid identifiers (one sign apart: others are no candidates)."""
        found = np.zeros(self._left.size, np.bool_)
        for name in self._model.plan.identifiers:
            values = self._features[self._model.plan.same_column(name)]
            found |= (values[self._left] != values[self._right]).fill_null(value=False).to_numpy()
        return found

    def link_others(self) -> None:
        """The components that are not plain, one by one."""
        open_ = ~self._done[self._component]
        members = _grouped(self._component, np.flatnonzero(open_))
        known = _by_component(self._component, self._left, self._right, open_, self._over)
        ruled = _by_component(
            self._component, self._rules["left"].to_numpy(), self._rules["right"].to_numpy(), open_, self._rules["rule"].to_numpy()
        )
        names = rule_names(self._matcher.rules)
        by_rule: list[tuple[int, int, int]] = []
        by_weight: list[tuple[int, int, float]] = []
        for start in range(0, len(members), 5000):
            some = members[start : start + 5000]
            flat = [record for group in some for record in group]
            rows = dict(zip(flat, self._features[flat].rows(), strict=True))
            sources = dict(zip(flat, self._sources[flat].to_list(), strict=True))
            for group in some:
                home = int(self._component[group[0]])
                weights = {(x, y): w for x, y, w in known.get(home, ())}
                rules = {(x, y): names[int(n)] for x, y, n in ruled.get(home, ())}
                linked = self._matcher.link(
                    {record: rows[record] for record in group}, {record: sources[record] for record in group}, rules, weights, self._judged
                )
                for each in linked.clusters:
                    self._cluster[list(each)] = each[0]
                by_rule += [(j.left, j.right, names.index(j.rule)) for j in linked.joins if j.mean_bits is None]
                by_weight += [(j.left, j.right, j.mean_bits) for j in linked.joins if j.mean_bits is not None]
                self._near += [Near(x, y, "weight", bits) for x, y, bits in linked.near]
                self._near += [Near(x, y, "identifier", 0.0) for x, y in linked.conflicts]
        ruled_pairs = np.array(by_rule, np.int64).reshape(-1, 3)
        self._note(ruled_pairs[:, 0], ruled_pairs[:, 1], None, pl.Series(ruled_pairs[:, 2]))
        weighed = np.array(by_weight, np.float64).reshape(-1, 3)
        self._note(weighed[:, 0].astype(np.int64), weighed[:, 1].astype(np.int64), weighed[:, 2])

    def _note(self, left: Numbers, right: Numbers, bits: NDArray[np.float64] | None, rule: pl.Series | None = None) -> None:
        frame = pl.DataFrame({"left": left, "right": right}, schema={"left": pl.Int64, "right": pl.Int64})
        self._joins.append(
            frame.with_columns(
                pl.lit(None, pl.Float64).alias("bits") if bits is None else pl.Series("bits", bits, pl.Float64),
                pl.lit(None, pl.UInt8).alias("rule") if rule is None else rule.cast(pl.UInt8).alias("rule"),
            )
        )

    def resolution(self, candidates: int) -> Resolution:
        counts = {
            "records": self._count,
            "candidate_pairs": candidates,
            "rule_pairs": self._rules.height,
            "clusters": int(np.count_nonzero(self._cluster == np.arange(self._count))),
            "largest_component": self._largest,
            "common_keys": len(self._model.blocking.common),
            "dropped_keys": len(self._model.blocking.dropped),
        }
        near = tuple(pair for pair in self._near if self._cluster[pair.left] != self._cluster[pair.right])
        return Resolution(self._cluster, self._component, pl.concat(self._joins), near, counts)


def _no_pairs() -> pl.DataFrame:
    return pl.DataFrame(schema={"left": pl.Int64, "right": pl.Int64, "agrees": pl.Boolean, "forbidden": pl.Boolean, "rule": pl.UInt8})


def _rule(number: int) -> pl.Expr:
    return pl.lit(number, pl.UInt8).alias("rule")


def _grouped(component: Numbers, records: Numbers) -> list[list[int]]:
    """Records by component, each group sorted."""
    frame = pl.DataFrame({"component": component[records], "record": records})
    return frame.sort("component", "record").group_by("component", maintain_order=True).agg("record")["record"].to_list()


def _by_component(
    component: Numbers, left: Numbers, right: Numbers, open_: NDArray[np.bool_], bits: NDArray[Any]
) -> dict[int, list[tuple[int, int, float]]]:
    mine = open_[left]
    values = bits[mine]
    found: dict[int, list[tuple[int, int, float]]] = {}
    for home, a, b, w in zip(component[left[mine]].tolist(), left[mine].tolist(), right[mine].tolist(), values.tolist(), strict=True):
        found.setdefault(home, []).append((a, b, w))
    return found
