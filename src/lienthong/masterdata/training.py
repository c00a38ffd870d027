"""A model learnt from the records themselves, without labels.

Splink's EM learns what agreement is worth. Which pairs it learns from is ours to choose, and decides whether it learns persons or
families: every session looks at pairs that agree in something of one's own (given name, birth, identifier), so that those who
merely live together do not pass for one. How often two who are not one share a household is measured next, then how many pairs
are one at all, then which keys find them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from math import log2, sqrt

import numpy as np
import polars as pl
import xxhash
from numpy.typing import NDArray

from lienthong.errors import Unprocessable
from lienthong.masterdata.blocking import MOST_PER_KEY, Blocking, Recipe
from lienthong.masterdata.candidates import candidate_pairs, pairs_within
from lienthong.masterdata.kinds import KINDS
from lienthong.masterdata.labels import SamePair, taught
from lienthong.masterdata.model import Cuts, Frequencies, Model, rungs_of
from lienthong.masterdata.plan import Plan
from lienthong.masterdata.rules import MOST_PER_IDENTIFIER, Rules
from lienthong.masterdata.scoring import WEIGHT_PLACES, Scorer
from lienthong.masterdata.splinking import DuckDBEngine, Trainer, memory_database

OnStep = Callable[[str], None]
ANCHORS = ("given_name", "person_name", "organisation_name", "date", "identifier")  # one's own, and telling
SHARED = ("surname", "text", "place", "address", "phone", "code", "number")  # what people under one roof share
_SAMPLE = 300_000  # records trained on; the rest only counts frequencies
_LEAST_PAIRS = 60  # a session on fewer learns noise
_KEYS_AT_MOST = 16
_COVER = 4000  # invented true pairs on which a set of keys is tried
_SURE = 20_000  # pairs from which agreements are drawn
_MOSTLY = 0.5
_FEW_COLUMNS = 2
_MOST_PAIRS = 20.0  # a record, that one key may bring
_SURELY = 4.0  # standard errors
_TWICE = 2  # keys that should find each: what was invented is not what will come
_THRICE = 3  # in a short list: there a key more costs nothing, and the few pairs keys are chosen by may mislead
_SHORT = 20_000  # records


def train(
    plan: Plan,
    features: pl.DataFrame,
    version: str,
    sources: Sequence[str] | pl.Series | None = None,
    on_step: OnStep = lambda _: None,
    seed: int = 1,
    labels: Sequence[SamePair] = (),
) -> Model:
    """Learn a model from feature rows (columns of the plan, in any order of rows), and from what persons said where there is any.

    The same rows give the same model but for the last digits of sums. Raises Unprocessable for fewer than two records, and where all
    that is compared are classes (sex, occupation), by which nobody is found.
    """
    if features.height < 2:
        raise Unprocessable(
            f"Two records at least are needed to learn from, found {features.height}.",
            vi=f"Cần ít nhất hai bản ghi để học, mới có {features.height}.",
        )
    if not any(True for _ in plan.key_columns()):
        names = ", ".join(a.name for a in plan.attributes)
        raise Unprocessable(
            f"By {names} alone nobody is found.",
            hint="Add a name, a date, a number or an address.",
            vi=f"Chỉ bằng {names} thì không tìm được ai.",
            hint_vi="Thêm họ tên, ngày, số hoặc địa chỉ.",
        )
    whole = features.select(plan.columns).sort(plan.columns)
    features = _without_repeats(features.select(plan.columns), sources).sort(plan.columns)
    sample = features if features.height <= _SAMPLE else features.sample(_SAMPLE, seed=seed)
    on_step("learning")
    trainer = Trainer(
        plan, sample.with_columns(pl.int_range(pl.len(), dtype=pl.UInt32).alias("unique_id")), min(0.1, 2 / sample.height), seed
    )
    learnt_from = sessions(plan, sample)
    for session in learnt_from:
        trainer.learn(session.columns)
    ones = sum(session.pairs * session.purity for session in learnt_from)
    shared = shared_comparisons(plan)
    model = Model(
        plan=plan,
        version=version,
        prior_bits=log2(2 / sample.height),
        kin_bits=-1000.0,
        rungs=rungs_of(plan, taught(plan, trainer.parameters(ones), labels, features.height)),
        shared=shared,
        blocking=_first_keys(plan, sample),
        frequencies=frequencies(plan, sample),
        records_seen=features.height,
        labels_seen=len(labels),
    )
    on_step("households")
    if not any(attribute.kind in ANCHORS for attribute in plan.attributes):
        model = replace(model, shared=(shared | _found_shared(model, sample)) - _named(plan, shared=False))
    model = replace(model, kin_bits=_kin_bits(model, sample))
    on_step("keys")
    pairs = candidate_pairs(model.plan, model.blocking, sample)
    weighed = _weigh(model, sample, pairs)
    model = replace(model, prior_bits=_prior_bits(model.prior_bits, weighed["weight"].to_numpy(), sample.height))
    blocking = _chosen_keys(model, sample, weighed).frozen(whole)
    model = replace(model, blocking=blocking, frequencies=frequencies(plan, features), crowded=crowded(plan, features))
    # The prior of a sample is that of the whole only when people appear as often in it: two records of one person both fall
    # into the sample as seldom as two of different people do, so the share stands as it is.
    return model.with_cuts(Cuts())


def _without_repeats(features: pl.DataFrame, sources: Sequence[str] | pl.Series | None) -> pl.DataFrame:
    """Each row of a register once: what one clerk copied ten times teaches nothing about how registers differ."""
    if sources is None:
        return features
    named = features.with_columns(pl.Series("source", sources, dtype=pl.String))
    if named["source"].n_unique() < 2:
        return features
    return named.unique(maintain_order=True).drop("source")


def frequencies(plan: Plan, features: pl.DataFrame) -> dict[str, Frequencies]:
    """Frozen counts of every column whose rarity counts."""
    import polars_hash as plh  # noqa: PLC0415 registers itself on import, needed only here

    found = {}
    columns = {level.frequency_of for comparison in plan.comparisons for level in comparison.levels if level.frequency_of is not None}
    for column in sorted(columns):
        counts = features[column].drop_nulls().value_counts(name="count")
        total = int(counts["count"].sum())
        often = counts.filter(pl.col("count") > 1).select(plh.col(column).nchash.xxh3_64().alias("hash"), pl.col("count").cast(pl.Int64))
        found[column] = Frequencies(max(total, 1), dict(zip(often["hash"].to_list(), often["count"].to_list(), strict=True)))
    return found


def crowded(plan: Plan, features: pl.DataFrame) -> frozenset[int]:
    """Hashes of numbers so many records carry that they are a habit of typing: frozen, so that who came first changes nothing."""
    found: set[int] = set()
    rules = Rules(plan)
    for column in {*(plan.same_column(name) for name in plan.identifiers), *(old for old, _ in rules.replaced_columns)}:
        counts = features[column].drop_nulls().cast(pl.String).value_counts(name="count").filter(pl.col("count") > MOST_PER_IDENTIFIER)
        found.update(xxhash.xxh3_64_intdigest(value.encode()) for value in counts[column])
    return frozenset(found)


def shared_comparisons(plan: Plan) -> frozenset[str]:
    """Names of the comparisons that speak of a household rather than of one person. A contract may say otherwise (`shared`).

    Where nothing is one's own by its kind (goods: title, maker, price) there are no households but those it names: see `_found_shared`.
    """
    if not any(attribute.kind in ANCHORS for attribute in plan.attributes):
        return _named(plan, shared=True)
    return frozenset(str(a.options.get("group", a.name)) for a in plan.attributes if a.options.get("shared", a.kind in SHARED))


def _named(plan: Plan, *, shared: bool) -> frozenset[str]:
    """The comparisons of which the contract itself says that they are shared, or that they are not."""
    return frozenset(str(a.options.get("group", a.name)) for a in plan.attributes if a.options.get("shared") is shared)


# Sessions ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Session:
    """Columns whose agreement chooses the pairs of one EM session; `purity`: 1 − the share that chance alone would bring."""

    attributes: tuple[str, ...]
    columns: tuple[str, ...]
    pairs: float
    purity: float


def sessions(plan: Plan, features: pl.DataFrame, each: int = 2) -> list[Session]:
    """The fewest sessions by which every comparison is learnt from at least `each` of them, the richest and purest first.

    What no such session teaches (names, where there is nothing beside them but a birth) is learnt from pairs that agree in one column
    of one's own alone.
    """
    looked_at = {comparison.name: frozenset(comparison.columns) for comparison in plan.comparisons}
    chosen: list[Session] = []
    learnt: Counter[str] = Counter()

    def choose(possible: Sequence[Session], times: int) -> None:
        for session in possible:
            # Splink leaves a comparison out when any of the columns it looks at is agreed on
            free = [name for name, columns in looked_at.items() if columns.isdisjoint(session.columns)]
            if any(learnt[name] < times for name in free):
                chosen.append(session)
                learnt.update(free)
            if all(learnt[name] >= times for name in looked_at):
                return

    choose(_possible_sessions(plan, features), each)
    choose(_single_sessions(plan, features), 1)
    return chosen


def _possible_sessions(plan: Plan, features: pl.DataFrame) -> list[Session]:
    kinds = {attribute.name: attribute.kind for attribute in plan.attributes}
    columns = [(name, parts[0], kinds[name]) for name, parts in plan.key_columns()]
    every = features.height * (features.height - 1) / 2
    share = {column: pairs_within(features, [column]) / every for _, column, _ in columns}
    found = []
    for name, column, kind in columns:
        pairs = share[column] * every
        if kind == "identifier" and pairs >= _LEAST_PAIRS:
            found.append(Session((name,), (column,), pairs, 0.99))
    for (name, column, kind), (other, column_2, kind_2) in combinations(columns, 2):
        if kind not in ANCHORS and kind_2 not in ANCHORS:
            continue
        pairs = pairs_within(features, [column, column_2])
        by_chance = every * share[column] * share[column_2]
        if pairs >= _LEAST_PAIRS and by_chance < pairs / 2:
            found.append(Session((name, other), (column, column_2), pairs, 1 - by_chance / pairs))
    return sorted(found, key=lambda s: (-s.pairs * s.purity**2, s.columns))


def _single_sessions(plan: Plan, features: pl.DataFrame) -> list[Session]:
    """Of each attribute its finest column alone, one's own first, the rarer the better: among fewer pairs more are one."""
    columns = [(name, parts[0]) for name, parts in plan.key_columns()]
    counted = [(plan.attribute(name).kind not in ANCHORS, pairs_within(features, [column]), name, column) for name, column in columns]
    return [Session((name,), (column,), pairs, 0.5) for _, pairs, name, column in sorted(counted) if pairs > 0]


# Households and prior ---------------------------------------------------------------------------------------


def _kin_bits(model: Model, features: pl.DataFrame) -> float:
    """log2 of the chance that two records which are not one share a household.

    Measured on pairs that agree in two shared attributes: what the personal attributes say tells how many of them are one. What is left
    beyond chance counts where it is more than the measure may be wrong by: a list without families has no limit.
    """
    plan = model.plan
    shared = [
        (name, parts[0])
        for name, parts in plan.key_columns()
        if plan.attribute(name).options.get("shared", plan.attribute(name).kind in SHARED)
        or str(plan.attribute(name).options.get("group", name)) in model.shared
    ]
    every = features.height * (features.height - 1) / 2
    worst = 0.0
    for met in _meetings(features, shared):
        said = _said_besides(model, features, met.columns)
        if not said.size:  # they meet in large groups alone: nothing is learnt from those
            continue
        one = _share_of_ones(said)
        kin = met.pairs * (1 - one) - met.by_chance
        wrong_by = sqrt(met.by_chance + met.pairs * max(1.0, met.pairs / said.size) * one * (1 - one))
        if kin > _SURELY * wrong_by:
            worst = max(worst, kin / (_m_same(model, met.names[0]) * _m_same(model, met.names[1])) / every)
    return log2(worst) if worst > 0 else -1000.0


def _found_shared(model: Model, features: pl.DataFrame) -> frozenset[str]:
    """Comparisons that hang together among records that are not one, where no kind says so: the songs of an album have its artist in common.

    Of the pairs that agree in two such attributes, most are not one by all else that is known of them.
    """
    columns = [(name, parts[0]) for name, parts in model.plan.key_columns()]
    found: set[str] = set()
    for met in _meetings(features, columns):
        names = frozenset(str(model.plan.attribute(name).options.get("group", name)) for name in met.names)
        said = _said_besides(replace(model, shared=names), features, met.columns)
        if said.size and _share_of_ones(said) < _MOSTLY:
            found |= names
    return frozenset(found) if len(found) < len(model.plan.comparisons) else frozenset()


@dataclass(frozen=True)
class _Meeting:
    """Two attributes in which far more pairs of records agree than by chance."""

    names: tuple[str, str]
    columns: tuple[str, str]
    pairs: float
    by_chance: float


def _meetings(features: pl.DataFrame, columns: Sequence[tuple[str, str]]) -> Iterator[_Meeting]:
    every = features.height * (features.height - 1) / 2
    for (name, column), (other, column_2) in combinations(columns, 2):
        pairs = pairs_within(features, [column, column_2])
        by_chance = pairs_within(features, [column]) * pairs_within(features, [column_2]) / every
        if pairs >= _LEAST_PAIRS and by_chance <= pairs / 2:
            yield _Meeting((name, other), (column, column_2), pairs, by_chance)


def _said_besides(model: Model, features: pl.DataFrame, columns: Sequence[str]) -> NDArray[np.float64]:
    """Of pairs that agree in these columns, what all but the shared comparisons say, in bits."""
    weighed = _weigh(model, features, _some_pairs(features, columns))
    return (weighed["bits"] - weighed["common"] - model.prior_bits).to_numpy()


def _some_pairs(features: pl.DataFrame, columns: Sequence[str], most: int = 20_000) -> pl.DataFrame:
    """Pairs that agree in the columns, at most so many, whole groups at a time, small groups first."""
    numbered = features.select(columns).with_row_index("record").drop_nulls()
    groups = numbered.group_by(columns).agg(pl.col("record"), pl.len().alias("size")).filter(pl.col("size").is_between(2, 30))
    groups = groups.sort(*columns).sample(fraction=1, shuffle=True, seed=1) if groups.height else groups
    groups = groups.with_columns((pl.col("size") * (pl.col("size") - 1) // 2).cum_sum().alias("so_far"))
    groups = groups.filter(pl.col("so_far") <= most).select(pl.col("record").alias("left"), pl.col("record").alias("right"))
    exploded = groups.explode("left", keep_nulls=False, empty_as_null=False).explode("right", keep_nulls=False, empty_as_null=False)
    return exploded.filter(pl.col("left") < pl.col("right"))


def _share_of_ones(bits: NDArray[np.float64]) -> float:
    """How many of the pairs are one, from likelihood ratios alone: the mixing weight that makes them likeliest (EM)."""
    ratio = np.exp2(np.clip(bits, -60, 60))
    share = 0.5
    for _ in range(100):
        share = float(np.mean(share * ratio / (share * ratio + 1 - share)))
        share = min(max(share, 1e-6), 1 - 1e-6)
    return share


def _m_same(model: Model, name: str) -> float:
    for comparison, rungs in zip(model.plan.comparisons, model.rungs, strict=True):
        if comparison.name == name:
            return max(rungs[0].m, 0.2)
    return 0.7  # part of a group


def _prior_bits(before: float, weights: NDArray[np.float64], records: int) -> float:
    """log2 odds that two records are one: the number of pairs the weights themselves believe in."""
    every = records * (records - 1) / 2
    evidence = weights - before
    share = min(2 / records, 0.5)
    for _ in range(60):
        odds = log2(share / (1 - share))
        believed = float(np.sum(1 / (1 + np.exp2(-np.clip(evidence + odds, -60, 60)))))
        share = min(max(believed, 1.0) / every, 0.5)  # evidence too weak to say would otherwise end in none at all
    return log2(share / (1 - share))


def _weigh(model: Model, features: pl.DataFrame, pairs: pl.DataFrame) -> pl.DataFrame:
    """`left`, `right`, `bits`, `common`, `weight`."""
    engine = DuckDBEngine(model, features, memory_database())
    return with_weight(engine.weights(pairs), model)


def with_weight(weighed: pl.DataFrame, model: Model) -> pl.DataFrame:
    """Splink's bits with what households share held under its limit: `weight`."""
    common = weighed["common"].to_numpy()
    held = -np.log2(np.exp2(-common) + 2.0**model.kin_bits)
    return weighed.with_columns(pl.Series("weight", np.round(weighed["bits"].to_numpy() - common + held, WEIGHT_PLACES)))


# Keys -------------------------------------------------------------------------------------------------------


def _first_keys(plan: Plan, features: pl.DataFrame) -> Blocking:
    """Broad keys to begin with: identifiers alone, and any two attributes together, the rarer the better."""
    columns = list(plan.key_columns())
    recipes: list[tuple[str, ...]] = [(parts[0],) for name, parts in columns if plan.attribute(name).kind == "identifier"]
    recipes += [(parts[0], others[0]) for (_, parts), (_, others) in combinations(columns, 2)]
    if len(columns) <= _FEW_COLUMNS:  # of two, who agrees in both tells nothing of who agrees in one
        limit = _MOST_PAIRS * features.height
        recipes += [(part,) for _, parts in columns for part in parts if len(columns) == 1 or pairs_within(features, [part]) <= limit]
    ranked = sorted(recipes, key=lambda recipe: (pairs_within(features, recipe), recipe))[:30]
    found = tuple(Recipe(n, recipe) for n, recipe in enumerate(ranked))
    return Blocking(found, _refine_with(plan), MOST_PER_KEY, otherwise=plan.otherwise).frozen(features)


def _refine_with(plan: Plan) -> tuple[str, ...]:
    """One column of each attribute that a common key is made finer with; of an address its numbers too, which outlive the names of units."""
    found: list[str] = []
    for name, parts in plan.key_columns():
        kind = plan.attribute(name).kind
        found += [parts[1]] if kind == "date" else [parts[0], parts[-1]] if kind == "address" else parts[:1]
    return tuple(found)


def _chosen_keys(model: Model, features: pl.DataFrame, weighed: pl.DataFrame) -> Blocking:
    """The fewest keys that find nearly all true pairs, tried on invented ones: each attribute's agreements drawn apart from the others."""
    plan = model.plan
    invented = _invented_pairs(model, features, weighed)
    columns = [(name, part) for name, parts in plan.key_columns() for part in parts]
    candidates: list[tuple[tuple[str, ...], NDArray[np.bool_]]] = [((part,), invented[part]) for name, part in columns]
    candidates += [((a, b), invented[a] & invented[b]) for (n, a), (m, b) in combinations(columns, 2) if n != m]
    limit = _MOST_PAIRS * features.height
    priced = [(recipe, found, pairs_within(features, recipe)) for recipe, found in candidates if found.mean() > 0.02]
    priced = [
        each for each in priced
        if each[2] <= limit or (len(each[0]) == 1 and plan.attribute(each[0][0].split("__")[0]).kind == "identifier") or len(each[0]) == 2
    ]  # fmt: skip
    chosen = _usual_keys(plan)
    found_by = np.zeros(_COVER, np.int64)
    for recipe in chosen:
        found_by += np.logical_and.reduce([invented[column] for column in recipe])
    times = _THRICE if features.height <= _SHORT else _TWICE
    while len(chosen) < _KEYS_AT_MOST:
        wanting = found_by < times
        gains = [
            (float(found[wanting].sum()) / (1 + min(cost, 4 * limit) / limit), recipe, found)
            for recipe, found, cost in priced
            if recipe not in chosen
        ]
        gain, recipe, found = max(gains, key=lambda each: (each[0], each[1]), default=(0.0, (), wanting))
        if gain < 1:
            break
        chosen.append(recipe)
        found_by += found
    recipes = tuple(Recipe(n, recipe) for n, recipe in enumerate(chosen)) or model.blocking.recipes
    return Blocking(recipes, model.blocking.refine_with, model.blocking.most, otherwise=plan.otherwise)


def _usual_keys(plan: Plan) -> list[tuple[str, ...]]:
    """Keys nobody would do without: numbers alone, and each part of a name with each part of a birth."""
    parts = dict(plan.key_columns())
    kinds = {a.name: a.kind for a in plan.attributes}
    found: list[tuple[str, ...]] = [parts[name][:1] for name, kind in kinds.items() if kind in ("identifier", "phone")]
    names = [name for name, kind in kinds.items() if kind == "person_name"]
    births = [name for name, kind in kinds.items() if kind == "date"]
    for name in names:
        whole, ends, loose, turned, given = parts[name]
        found.append((whole,))
        for birth in births:
            day, year, _ = parts[birth]
            found += [(day, given), (year, ends), (year, loose), (year, turned)]
        found += [(parts[other][0], given) for other, kind in kinds.items() if kind == "address"]
    return found


def _invented_pairs(model: Model, features: pl.DataFrame, weighed: pl.DataFrame) -> dict[str, NDArray[np.bool_]]:
    """For each key column, whether each of `_COVER` invented true pairs agrees in it.

    An attribute's agreements are drawn from pairs that the other attributes alone show to be one.
    """
    sure = weighed.filter(pl.col("weight") > 0)
    if sure.height > _SURE:
        sure = sure.sample(_SURE, seed=2)
    rows = features.select(model.plan.columns)
    left, right = rows[sure["left"]], rows[sure["right"]]
    scorer = model.scorer()
    parts = _bits_by_comparison(scorer, model, left, right)
    random = np.random.default_rng(3)
    found: dict[str, NDArray[np.bool_]] = {}
    weight = sure["weight"].to_numpy()
    for name, columns in model.plan.key_columns():
        comparison = str(model.plan.attribute(name).options.get("group", name))
        rest = weight - parts.get(comparison, np.zeros(sure.height)) if sure.height else weight
        places = np.flatnonzero(rest >= 2.0)
        if places.size < _LEAST_PAIRS:
            places = np.arange(sure.height)
        drawn = random.choice(places, _COVER) if places.size else None
        for column in columns:
            if drawn is None:
                found[column] = np.zeros(_COVER, np.bool_)
                continue
            same = (left[column] == right[column]).fill_null(value=False).to_numpy()
            found[column] = same[drawn]
    return found


def _bits_by_comparison(scorer: Scorer, model: Model, left: pl.DataFrame, right: pl.DataFrame) -> dict[str, NDArray[np.float64]]:
    explained = [scorer.explain(a, b) for a, b in zip(left.rows(), right.rows(), strict=True)]
    names = [comparison.name for comparison in model.plan.comparisons]
    table = np.array([[part.bits for part in each] for each in explained]).reshape(len(explained), len(names))
    return {name: table[:, n] for n, name in enumerate(names)}


def kinds_of(plan: Plan) -> dict[str, str]:
    """Attribute → the sentence of its kind, for those who read a model."""
    return {a.name: a.kind for a in plan.attributes if a.kind in KINDS}
