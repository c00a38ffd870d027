"""One pair scored here weighs what Splink says in bulk, and a household's things never join anybody by themselves."""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lienthong.masterdata.model import Model
from lienthong.masterdata.scoring import held_under
from lienthong.masterdata.splinking import DuckDBEngine, memory_database
from lienthong.masterdata.training import with_weight
from tests.masterdata.people import Village, hamlets_alone, village_of


@pytest.fixture(scope="module")
def weighed(model: Model, village: Village) -> pl.DataFrame:
    """Ten thousand pairs, half of them at random, weighed by Splink."""
    chance, count = random.Random(9), len(village.records)
    alike: dict[int, list[int]] = {}
    for row, person in enumerate(village.truth):
        alike.setdefault(person // 3, []).append(row)  # one person, or neighbours in the list: often one household
    pairs = {tuple(sorted(chance.sample(range(count), 2))) for _ in range(12_000)}
    pairs |= {(a, b) for rows in alike.values() for a in rows for b in rows if a < b}
    chosen = sorted(pairs, key=lambda pair: (village.truth[pair[0]] // 3 != village.truth[pair[1]] // 3, pair))[:10_000]
    frame = pl.DataFrame(chosen, schema={"left": pl.UInt32, "right": pl.UInt32}, orient="row")
    return with_weight(DuckDBEngine(model, village.features, memory_database()).weights(frame), model)


def test_ten_thousand_pairs_weigh_what_splink_says(model: Model, village: Village, weighed: pl.DataFrame) -> None:
    scorer, rows = model.scorer(), village.features.rows()
    assert weighed.height == 10_000
    ours = np.array([scorer.splink_weight(rows[a], rows[b]) for a, b in weighed.select("left", "right").rows()])
    assert np.abs(ours - weighed["bits"].to_numpy()).max() < 1e-9


def test_a_hamlet_alone_weighs_what_splink_says(model: Model, village: Village) -> None:
    some = hamlets_alone(village, "clinic")
    clinic = [n for n, source in enumerate(some.sources) if source == "clinic"][:40]
    pairs = pl.DataFrame(
        [(min(a, b), max(a, b)) for a in clinic for b in range(200, 300) if a != b], {"left": pl.UInt32, "right": pl.UInt32}, orient="row"
    )
    told = DuckDBEngine(model, some.features, memory_database()).weights(pairs.unique())
    scorer, rows = model.scorer(), some.features.rows()
    named = [(scorer.explain(rows[a], rows[b]), bits) for a, b, bits in told.select("left", "right", "bits").rows()]
    assert sum(any(part.label == "address hamlet alone" for part in parts) for parts, _ in named) > 50
    assert max(abs(model.prior_bits + sum(part.bits for part in parts) - bits) for parts, bits in named) < 1e-9


def test_the_weight_of_a_pair_is_the_same_in_bulk(model: Model, village: Village, weighed: pl.DataFrame) -> None:
    scorer, rows = model.scorer(), village.features.rows()
    ours = np.array([scorer.score(rows[a], rows[b]) for a, b in weighed.select("left", "right").rows()])
    assert np.abs(ours - weighed["weight"].to_numpy()).max() < 2e-6  # both are rounded to six places


def test_a_weight_does_not_depend_on_which_record_stands_left(model: Model, village: Village, weighed: pl.DataFrame) -> None:
    scorer, rows = model.scorer(), village.features.rows()
    for a, b in weighed.select("left", "right").head(2000).rows():
        assert scorer.score(rows[a], rows[b]) == scorer.score(rows[b], rows[a])


def test_the_parts_add_up_to_the_weight(model: Model, village: Village, weighed: pl.DataFrame) -> None:
    scorer, rows = model.scorer(), village.features.rows()
    for a, b in weighed.select("left", "right").head(500).rows():
        parts = scorer.explain(rows[a], rows[b])
        own = sum(part.bits for part in parts if not part.is_shared)
        common = sum(part.bits for part in parts if part.is_shared)
        assert scorer.score(rows[a], rows[b]) == pytest.approx(model.prior_bits + own + held_under(common, scorer.kin), abs=1e-6)


@given(st.floats(-200, 200), st.floats(-60, -0.1))
@settings(max_examples=200)
def test_shared_bits_never_say_more_than_that_two_are_kin(common: float, kin_bits: float) -> None:
    held = held_under(common, 2.0**kin_bits)
    assert held <= min(common, -kin_bits) + 1e-9


def test_what_a_household_shares_never_joins_two_records(model: Model, village: Village) -> None:
    shared_only = village_of(
        replace(r, values={k: v if k in ("commune_code", "address", "phone") else None for k, v in r.values.items()})
        for r in village.records[:400]
    )
    rows, scorer = shared_only.features.unique().rows(), model.scorer()
    assert max(scorer.score(row, row) for row in rows) < model.cuts.join_bits
