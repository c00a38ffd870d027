"""Cuts found without labels: few joins are wrong, and no more is asked than can be looked at."""

from __future__ import annotations

from dataclasses import replace

import polars as pl
import pytest

from lienthong.masterdata import cutting
from lienthong.masterdata.cutting import choose_cuts, questions
from lienthong.masterdata.model import Model
from lienthong.masterdata.resolve import resolve
from tests.masterdata.people import Village


def between(*told: tuple[int, int, bool, float]) -> pl.DataFrame:
    return pl.DataFrame(told, schema={"asks": pl.Int64, "of": pl.Int64, "of_holds": pl.Boolean, "weight": pl.Float64}, orient="row")


def test_what_joins_one_identifier_is_not_asked_about_another() -> None:
    assert questions(between((1, 7, True, 5.0), (1, 8, True, 1.0)), 2.0).tolist() == []
    assert questions(between((1, 7, True, 1.5), (1, 8, True, 1.0)), 2.0).tolist() == [1.5, 1.0]


def test_what_has_no_identifier_is_asked_about_whatever_else_joins() -> None:
    assert questions(between((1, 7, True, 5.0), (1, 8, False, 1.0)), 2.0).tolist() == [1.0]


def test_groups_that_join_are_one_question_together_and_none_among_themselves() -> None:
    assert questions(between((1, 7, True, 5.0), (2, 7, True, 1.0), (1, 2, False, 4.0)), 2.0).tolist() == []
    assert questions(between((1, 2, False, 4.0), (1, 7, True, 1.0), (2, 7, True, 0.0)), 2.0).tolist() == [0.5]


def test_no_more_is_asked_than_is_allowed(model: Model, village: Village, monkeypatch: pytest.MonkeyPatch) -> None:
    asked, cuts = [], []
    for most in (0.0, cutting.MOST_ASKED, 0.05):
        monkeypatch.setattr(cutting, "MOST_ASKED", most)
        cuts.append(choose_cuts(model, village.features, pl.Series(village.sources)))
        found = resolve(model.with_cuts(cuts[-1]), village.features, village.sources)
        asked.append(sum(near.why == "weight" for near in found.near))
    assert all(each.review_bits <= each.join_bits for each in cuts)
    assert asked == sorted(asked)
    assert asked[1] <= 0.01 * village.features.height


def test_cuts_are_found_where_nothing_identifies(model: Model, village: Village) -> None:
    without = replace(model, plan=replace(model.plan, identifiers=()))
    cuts = choose_cuts(without, village.features, pl.Series(village.sources))
    assert cutting.LEAST_ODDS_BITS <= cuts.review_bits <= cuts.join_bits


def test_a_sample_of_the_pairs_gives_much_the_same_cuts(model: Model, village: Village, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = choose_cuts(model, village.features, pl.Series(village.sources))
    monkeypatch.setattr(cutting, "_SAMPLE", 1000)
    some = choose_cuts(model, village.features, pl.Series(village.sources))
    assert abs(some.join_bits - whole.join_bits) < 3
    assert cutting.LEAST_ODDS_BITS <= some.review_bits <= some.join_bits
