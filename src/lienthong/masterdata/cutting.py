"""From which weight on a pair is joined by itself, and from which a person is asked, found without labels.

Weights are log odds, so they say how often a join at a weight would be wrong. The cut for joining is where the wrong pairs to be
expected among all pairs joined, those joined by an identifier among them, fall under one in two thousand. Stewards' reviews, once
there are some, say better (`pipeline/stewarding.py`).
"""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from lienthong.masterdata.candidates import candidate_pairs
from lienthong.masterdata.model import Cuts, Model
from lienthong.masterdata.splinking import DuckDBEngine, memory_database
from lienthong.masterdata.training import with_weight

MOST_WRONG = 1 / 800  # of pairs joined, as the weights themselves expect: measured on the sample province, a quarter of that is wrong
LEAST_ODDS_BITS = -5.0  # a pair likelier than one in thirty-two is worth a person's look
MOST_WAITING = 0.015  # pairs a record, some two to a question: more questions than one in a hundred records and nobody would look
HIGHEST_BITS = 20.0
_SAMPLE = 3_000_000


def choose_cuts(model: Model, features: pl.DataFrame, sources: pl.Series) -> Cuts:
    """The cuts for matching that nobody watches. `features` are rows of the plan's columns, `sources` their registers."""
    pairs = candidate_pairs(model.plan, model.blocking, features, sources)
    share = min(1.0, _SAMPLE / max(pairs.height, 1))
    if share < 1:
        pairs = pairs.sample(_SAMPLE, seed=4)
    weighed = with_weight(DuckDBEngine(model, features, memory_database()).weights(pairs), model)
    ruled = _share_identifier(model, features, pairs)
    weights = weighed["weight"].to_numpy()
    join = joining_cut(weights[~ruled], int(ruled.sum()))
    return Cuts(join, _review_cut(weights[~ruled], join, int(features.height * share)))


def joining_cut(weights: NDArray[np.float64], ruled: int) -> float:
    """The lowest weight from which the wrong pairs to be expected are few among all joined; at least 0."""
    ordered = np.sort(weights[weights >= 0.0])[::-1]
    if not ordered.size:
        return 3.0
    wrong = np.cumsum(1 / (1 + np.exp2(ordered)))
    right_enough = wrong <= MOST_WRONG * (ruled + np.arange(1, ordered.size + 1))
    found = np.flatnonzero(right_enough)
    return round(min(float(ordered[found[-1]]), HIGHEST_BITS), 2) if found.size else HIGHEST_BITS


def _review_cut(weights: NDArray[np.float64], join: float, records: int) -> float:
    """From here a person is asked: as low as is worth a look, and not more pairs than can be looked at."""
    between = np.sort(weights[(weights < join) & (weights >= LEAST_ODDS_BITS)])[::-1]
    most = int(records * MOST_WAITING)
    if between.size <= most:
        return min(LEAST_ODDS_BITS, join)
    return round(float(between[most]), 2)


def _share_identifier(model: Model, features: pl.DataFrame, pairs: pl.DataFrame) -> NDArray[np.bool_]:
    ruled = np.zeros(pairs.height, np.bool_)
    for name in model.plan.identifiers:
        values = features[model.plan.same_column(name)]
        ruled |= (values[pairs["left"]] == values[pairs["right"]]).fill_null(value=False).to_numpy()
    return ruled
