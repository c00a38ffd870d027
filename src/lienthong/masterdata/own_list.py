"""An agency's own list without duplicates: for each row whether it is there twice, surely or maybe, with which rows, and why in words.

Three ways, told with the answer: the model in force for the entity; a model learnt from the list, when enough of its rows repeat to
learn from; plain rules otherwise (`list_rules.py`). All three keep apart what the entity's contracts keep apart.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import polars as pl

from lienthong.masterdata.cutting import choose_cuts
from lienthong.masterdata.grouping import components
from lienthong.masterdata.linkage import Pair, link
from lienthong.masterdata.list_rules import ListRules, pairs_to_compare
from lienthong.masterdata.model import Model
from lienthong.masterdata.plan import Plan
from lienthong.masterdata.predicates import Features
from lienthong.masterdata.resolve import resolve
from lienthong.masterdata.scoring import Scorer
from lienthong.masterdata.training import sessions, train
from lienthong.masterdata.waterfall import Line, waterfall

LEAST_TO_LEARN = 500  # rows: fewer never hold pairs enough
LEAST_PAIRS = 60  # of one session of training (`training.py`): fewer would teach noise
SURE, MAYBE, NONE = "sure", "maybe", "none"
IN_FORCE, LEARNT, RULES = "model", "learnt", "rules"
_SOURCE = "list"
_MOST_LINES = 6
_TELLING_BITS = 0.5
_LONGEST_GROUP = 2_000  # rows held together by rules; longer would be a column that says nothing


@dataclass(frozen=True)
class RowVerdict:
    """Of one row. `group` is the same for rows that are, or may be, one; rows are numbered from 0.

    `same`: rows that surely are this one; `maybe`: rows that may be. `probability` of the pair the reason speaks of; None by rules.
    """

    verdict: str
    group: int | None = None
    same: tuple[int, ...] = ()
    maybe: tuple[int, ...] = ()
    probability: float | None = None
    vietnamese: str = ""
    english: str = ""


@dataclass(frozen=True)
class HeldRow:
    """What the platform's index knows of a row: `verdict` sure, maybe or none; `golden` the id of the golden record it is."""

    verdict: str = NONE
    golden: str | None = None
    probability: float | None = None
    vietnamese: str = ""
    english: str = ""


@dataclass(frozen=True)
class Way:
    """By what a list was judged: `kind` is model, learnt or rules; `version` of the model in force."""

    kind: str
    version: str = ""


@dataclass(frozen=True)
class JudgedList:
    """A verdict for each row, in the order of the rows."""

    rows: tuple[RowVerdict, ...]
    way: Way

    def count(self, verdict: str) -> int:
        return sum(1 for row in self.rows if row.verdict == verdict)

    @property
    def entities(self) -> int:
        """How many things the list holds, sure duplicates counted once."""
        return len({min((n, *row.same)) for n, row in enumerate(self.rows)})


def judge_list(plan: Plan, values: pl.DataFrame, in_force: Model | None = None, titles: Mapping[str, str] | None = None) -> JudgedList:
    """Judge rows of attributes as text (columns that are missing say nothing). `titles`: attribute → its name in Vietnamese."""
    titles = dict(titles or {})
    if values.height < 2:
        return JudgedList(tuple(RowVerdict(NONE) for _ in range(values.height)), Way(RULES if in_force is None else IN_FORCE))
    if in_force is not None:
        return _by_model(in_force, values, titles, Way(IN_FORCE, in_force.version))
    learnt = _learn(_only(plan, values), values)
    if learnt is not None:
        return _by_model(learnt, values, titles, Way(LEARNT))
    return _by_rules(plan, values, titles)


def _only(plan: Plan, values: pl.DataFrame) -> Plan:
    """The plan without what the list does not have: an empty column teaches nothing."""
    filled = {name for name in values.columns if values[name].null_count() < values.height}
    kept = tuple(a for a in plan.attributes if a.name in filled)
    return replace(
        plan,
        attributes=kept,
        identifiers=tuple(name for name in plan.identifiers if name in filled),
        apart=tuple(name for name in plan.apart if name in filled) if filled.issuperset(plan.apart) else (),
    )


def _learn(plan: Plan, values: pl.DataFrame) -> Model | None:
    """A model of the list's own, when enough of its rows repeat; None otherwise."""
    if values.height < LEAST_TO_LEARN or len(plan.attributes) < 3:
        return None
    features = plan.feature_frame(values)
    chosen = sessions(plan, features)
    learnt_from = {name for session in chosen for name in session.attributes}
    if len(learnt_from) < 2 or any(session.pairs < LEAST_PAIRS or session.purity <= 0.5 for session in chosen):
        return None
    model = train(plan, features, _SOURCE)
    return model.with_cuts(choose_cuts(model, features, _sources(values.height)))


def _sources(count: int) -> pl.Series:
    return pl.Series("source", [_SOURCE] * count, dtype=pl.String)


# By a model -------------------------------------------------------------------------------------------------


def _by_model(model: Model, values: pl.DataFrame, titles: Mapping[str, str], way: Way) -> JudgedList:
    features = model.plan.feature_frame(values)
    found = resolve(model, features, _sources(values.height))
    clusters: dict[int, list[int]] = {}
    for row, cluster in enumerate(found.cluster.tolist()):
        clusters.setdefault(cluster, []).append(row)
    near = [(pair.left, pair.right) for pair in found.near]
    return JudgedList(_verdicts(features, [tuple(rows) for rows in clusters.values()], near, model.scorer(), titles, is_weighed=True), way)


# By rules ---------------------------------------------------------------------------------------------------


def _by_rules(plan: Plan, values: pl.DataFrame, titles: Mapping[str, str]) -> JudgedList:
    rules = ListRules(plan)
    features = plan.feature_frame(values)
    rows = features.rows()
    sure: list[Pair] = []
    maybe: list[Pair] = []
    for left, right in pairs_to_compare(plan, features):
        judged = rules.judge(rows[left], rows[right])
        if judged is not None:
            (sure if judged else maybe).append((left, right))
    clusters, refused = _joined(len(rows), sure, rows, rules)
    home = {row: cluster[0] for cluster in clusters for row in cluster}
    near = sorted({(min(home[a], home[b]), max(home[a], home[b])) for a, b in (*maybe, *refused) if home[a] != home[b]})
    return JudgedList(_verdicts(features, clusters, near, rules.scorer, titles, is_weighed=False), Way(RULES))


def _joined(count: int, sure: Sequence[Pair], rows: Sequence[Features], rules: ListRules) -> tuple[list[tuple[int, ...]], list[Pair]]:
    """Clusters that hold no two rows kept apart, and the pairs that were refused for it."""
    component = components(count, sure)
    members: dict[int, list[int]] = {}
    for row in range(count):
        members.setdefault(int(component[row]), []).append(row)
    by_home: dict[int, list[Pair]] = {}
    for pair in sure:
        by_home.setdefault(int(component[pair[0]]), []).append(pair)
    clusters: list[tuple[int, ...]] = []
    refused: list[Pair] = []
    for home, group in members.items():
        if len(group) > _LONGEST_GROUP:
            clusters += [(row,) for row in group]
            continue
        linked = link(group, by_home.get(home, ()), lambda a, b: rules.rules.forbid(rows[a], rows[b], "", ""), lambda _a, _b: -1.0, 0.0)
        clusters += linked.clusters
        refused += linked.conflicts
    return sorted(clusters), refused


# Verdicts ---------------------------------------------------------------------------------------------------


def _verdicts(
    features: pl.DataFrame, clusters: Sequence[tuple[int, ...]], near: Sequence[Pair], scorer: Scorer, titles: Mapping[str, str], *, is_weighed: bool
) -> tuple[RowVerdict, ...]:  # fmt: skip
    cluster_of = {row: cluster for cluster in clusters for row in cluster}
    beside: dict[int, set[int]] = {}  # first row of a cluster → first rows of clusters that may be the same
    for a, b in near:
        left, right = cluster_of[a][0], cluster_of[b][0]
        beside.setdefault(left, set()).add(right)
        beside.setdefault(right, set()).add(left)
    groups = _group_numbers(features.height, clusters, near)
    touched = [row for row in range(features.height) if row in groups]
    rows = dict(zip(touched, features[touched].rows(), strict=True))
    explain = _Explainer(rows, scorer, titles, is_weighed=is_weighed)
    return tuple(
        explain.verdict(row, groups[row], cluster_of[row], [cluster_of[first] for first in sorted(beside.get(cluster_of[row][0], ()))])
        if row in groups
        else RowVerdict(NONE)
        for row in range(features.height)
    )


def _group_numbers(count: int, clusters: Sequence[tuple[int, ...]], near: Sequence[Pair]) -> dict[int, int]:
    """Row → number of its group, from 1 in the order of their first rows; rows alone have none."""
    held = [(cluster[0], row) for cluster in clusters for row in cluster[1:]]
    component = components(count, [*held, *near])
    sizes: dict[int, int] = {}
    for home in component.tolist():
        sizes[home] = sizes.get(home, 0) + 1
    numbers = {home: n for n, home in enumerate(sorted(home for home, size in sizes.items() if size > 1), 1)}
    return {row: numbers[home] for row, home in enumerate(component.tolist()) if home in numbers}


class _Explainer:
    """Says why: of all rows a row is judged to be one with, the one it resembles most."""

    def __init__(self, rows: Mapping[int, Features], scorer: Scorer, titles: Mapping[str, str], *, is_weighed: bool) -> None:
        self._rows = rows
        self._scorer = scorer
        self._titles = dict(titles)
        self._is_weighed = is_weighed

    def verdict(self, row: int, group: int, cluster: tuple[int, ...], beside: Sequence[tuple[int, ...]]) -> RowVerdict:
        same = tuple(other for other in cluster if other != row)
        maybe = tuple(sorted(other for each in beside for other in each))
        partner, bits = self._nearest(row, same or maybe)
        vietnamese, english = in_words(waterfall(self._scorer, self._rows[row], self._rows[partner], self._titles))
        probability = probability_of(bits) if self._is_weighed else None
        return RowVerdict(SURE if same else MAYBE, group, same, maybe, probability, vietnamese, english)

    def _nearest(self, row: int, others: Sequence[int]) -> tuple[int, float]:
        if not self._is_weighed:
            return others[0], 0.0
        weights = [(self._scorer.score(self._rows[row], self._rows[other]), -other) for other in others[:50]]
        bits, place = max(weights)
        return -place, bits


def probability_of(bits: float) -> float:
    """Of a weight, two decimals and never quite 1: more would promise what a model cannot."""
    return round(min(1 / (1 + 2.0**-bits), 0.99), 2) if bits > -60 else 0.0


def in_words(lines: Sequence[Line]) -> tuple[str, str]:
    """What speaks for, the strongest first, then what speaks against; without bits and without values."""
    said = [line for line in lines if line.name not in ("prior", "household") and "absent on one side" not in line.english]
    weighed = any(line.bits for line in said)
    if weighed:
        said = sorted((line for line in said if abs(line.bits) >= _TELLING_BITS), key=lambda line: -line.bits) or said
    shown = said if len(said) <= _MOST_LINES else [*said[: _MOST_LINES - 2], *said[-2:]]
    return "; ".join(_plain(line.vietnamese) for line in shown), "; ".join(_plain(line.english) for line in shown)


def _plain(text: str) -> str:
    """A line without its bits, which stand after the last colon."""
    return text.rpartition(": ")[0]
