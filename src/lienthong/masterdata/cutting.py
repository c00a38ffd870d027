"""From which weight on a pair is joined by itself, and from which a person is asked, found without labels.

Weights are log odds, so they say how often a join at a weight would be wrong. The cut for joining is where the wrong pairs to be
expected among all pairs joined, those joined by an identifier among them, are few. A person is asked from where there are no more
questions than can be looked at. Stewards' reviews, once there are some, say better (`pipeline/stewarding.py`).
"""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from lienthong.masterdata.candidates import candidate_pairs
from lienthong.masterdata.grouping import components
from lienthong.masterdata.model import Cuts, Model
from lienthong.masterdata.splinking import DuckDBEngine, memory_database
from lienthong.masterdata.training import with_weight

MOST_WRONG = 1 / 800  # of pairs joined, as the weights themselves expect: measured on the sample province, a quarter of that is wrong
LEAST_ODDS_BITS = -5.0  # a pair likelier than one in thirty-two is worth a person's look
MOST_ASKED = 0.008  # questions a record: more than one in a hundred records and nobody would look
HIGHEST_BITS = 20.0
_SAMPLE = 3_000_000
_PARTS = 1 << 16  # what is sampled is sampled by the hash of its group


def choose_cuts(model: Model, features: pl.DataFrame, sources: pl.Series) -> Cuts:
    """The cuts for matching that nobody watches. `features` are rows of the plan's columns, `sources` their registers."""
    pairs = candidate_pairs(model.plan, model.blocking, features, sources)
    ruled = _share_identifier(model, features, pairs)
    groups = _Groups(model, features, pairs.filter(ruled))
    open_, slips = groups.between(pairs.filter(~ruled))
    share = min(1.0, _SAMPLE / max(open_.height, 1))
    if share < 1:
        open_ = open_.filter(pl.col("asks").hash(4) % _PARTS < int(share * _PARTS))
    weighed = with_weight(DuckDBEngine(model, features, memory_database()).weights(open_.select("left", "right")), model)
    join = joining_cut(weighed["weight"].to_numpy(), int(ruled.sum() * share))
    means = (
        open_.join(weighed.select("left", "right", "weight"), on=["left", "right"])
        .group_by("asks", "of", "of_holds")
        .agg(pl.col("weight").mean())
    )
    most = (MOST_ASKED * features.height - slips) * share
    return Cuts(join, _review_cut(questions(means, join), join, max(0, int(most))))


class _Groups:
    """Records that surely go together: by a shared identifier; without one, by saying the very same."""

    def __init__(self, model: Model, features: pl.DataFrame, ruled: pl.DataFrame) -> None:
        self._holds = pl.Series(np.zeros(features.height, np.bool_))
        for name in model.plan.identifiers:
            self._holds |= features[model.plan.same_column(name)].is_not_null()
        self._home = pl.Series(components(features.height, ruled.select(pl.all().cast(pl.Int64)).to_numpy()))
        same = pl.DataFrame({"said": features.select(model.plan.columns).hash_rows(), "n": pl.int_range(features.height, eager=True)})
        first = same.select(pl.col("n").min().over("said")).to_series()
        self._home = self._home.zip_with(self._holds, first)

    def between(self, pairs: pl.DataFrame) -> tuple[pl.DataFrame, int]:
        """`left`, `right`, and the groups of the two: `asks` is the one without an identifier (the smaller of two such), `of` the other.

        Beside them how many pairs of groups have two identifiers: a person is asked about each of those.
        """
        a, b = self._home[pairs["left"]], self._home[pairs["right"]]
        holds_a, holds_b = self._holds[pairs["left"]], self._holds[pairs["right"]]
        turned = (holds_a & ~holds_b) | ((holds_a == holds_b) & (a > b))
        found = pairs.with_columns(
            b.zip_with(turned, a).alias("asks"), a.zip_with(turned, b).alias("of"), holds_a.zip_with(turned, holds_b).alias("of_holds")
        )
        slips = found.filter(holds_a & holds_b).select(pl.struct("asks", "of").n_unique()).item()
        return found.filter((pl.col("asks") != pl.col("of")) & ~(holds_a & holds_b)), slips


def questions(means: pl.DataFrame, join: float) -> NDArray[np.float64]:
    """The mean weights of pairs of groups a person would be asked about were there no end to asking, best first.

    Groups that join are one; one that has an identifier is not asked about another that has, for it can be no other's.
    """
    names, ends = np.unique(means.select("asks", "of").to_numpy(), return_inverse=True)
    ends = ends.reshape(-1, 2)
    is_best = ~pl.col("of_holds") | (pl.col("weight") == pl.col("weight").filter("of_holds").max().over("asks"))
    home = components(names.size, ends[means.select((pl.col("weight") >= join) & is_best).to_series().to_numpy()])
    holds = np.zeros(names.size, np.bool_)
    holds[home[ends[means["of_holds"].to_numpy(), 1]]] = True
    a, b = home[ends[:, 0]], home[ends[:, 1]]
    open_ = (means["weight"].to_numpy() < join) & (a != b) & ~(holds[a] & holds[b])
    asked = pl.DataFrame({"a": np.minimum(a, b)[open_], "b": np.maximum(a, b)[open_], "weight": means["weight"].to_numpy()[open_]})
    return np.sort(asked.group_by("a", "b").agg(pl.col("weight").mean())["weight"].to_numpy())[::-1]


def joining_cut(weights: NDArray[np.float64], ruled: int) -> float:
    """The lowest weight from which the wrong pairs to be expected are few among all joined; at least 0."""
    ordered = np.sort(weights[weights >= 0.0])[::-1]
    if not ordered.size:
        return 3.0
    wrong = np.cumsum(1 / (1 + np.exp2(ordered)))
    right_enough = wrong <= MOST_WRONG * (ruled + np.arange(1, ordered.size + 1))
    found = np.flatnonzero(right_enough)
    return round(min(float(ordered[found[-1]]), HIGHEST_BITS), 2) if found.size else HIGHEST_BITS


def _review_cut(asked: NDArray[np.float64], join: float, most: int) -> float:
    """From here a person is asked: as low as is worth a look, and not more than can be looked at."""
    worth = asked[asked >= LEAST_ODDS_BITS]
    if worth.size <= most:
        return min(LEAST_ODDS_BITS, join)
    return round(float(worth[most]), 2)


def _share_identifier(model: Model, features: pl.DataFrame, pairs: pl.DataFrame) -> NDArray[np.bool_]:
    ruled = np.zeros(pairs.height, np.bool_)
    for name in model.plan.identifiers:
        values = features[model.plan.same_column(name)]
        ruled |= (values[pairs["left"]] == values[pairs["right"]]).fill_null(value=False).to_numpy()
    return ruled
