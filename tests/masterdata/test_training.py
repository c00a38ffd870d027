"""What training must learn of a village, whatever the village."""

from __future__ import annotations

import logging
from contextlib import ExitStack

import pytest

from lienthong.masterdata.model import Model
from lienthong.masterdata.splinking import Trainer, quiet
from lienthong.masterdata.training import sessions, train
from tests.masterdata import people


def test_training_again_learns_the_same(model: Model, village: people.Village) -> None:
    again = train(village.plan, village.features, "test", village.sources)
    assert again.blocking.recipes == model.blocking.recipes
    for ours, theirs in zip(model.rungs, again.rungs, strict=True):
        for one, other in zip(ours, theirs, strict=True):
            assert one.m == pytest.approx(other.m, rel=1e-6)
            assert one.u == pytest.approx(other.u, rel=1e-6)


def test_every_comparison_has_probabilities_that_sum_to_one(model: Model) -> None:
    for rungs in model.rungs:
        assert sum(rung.m for rung in rungs) == pytest.approx(1)
        assert sum(rung.u for rung in rungs) == pytest.approx(1)


def test_what_is_one_s_own_is_worth_more_when_it_agrees(model: Model) -> None:
    for comparison, rungs in zip(model.plan.comparisons, model.rungs, strict=True):
        if comparison.name in ("citizen_id", "old_id", "full_name", "born_on", "phone"):
            assert rungs[0].bits > 5
            assert rungs[-1].bits < -2


def test_a_rung_that_sinks_to_nothing_does_not_end_the_training(monkeypatch: pytest.MonkeyPatch) -> None:
    begin, begun = Trainer._begun, []

    def watched(trainer: Trainer) -> object:
        begun.append(trainer)
        return begin(trainer)

    monkeypatch.setattr(Trainer, "_begun", watched)
    small = people.village(80, 3)  # in which one does
    train(small.plan, small.features, "test", small.sources)
    assert len(begun) > 1  # anew, without the session in which it sank


def test_a_group_is_learnt_from_sessions_that_touch_none_of_it(village: people.Village) -> None:
    home = {"commune_code", "address"}
    assert any(not home & set(session.attributes) for session in sessions(village.plan, village.features))


def test_the_finest_agreement_of_a_group_counts(model: Model) -> None:
    one = {"commune_code": "24111", "address": "12 Lê Lợi"}
    home = next(p for p in model.scorer().explain(model.plan.features(one), model.plan.features(one)) if p.comparison == "home")
    assert home.label == "address same"


def rungs_of_home(model: Model) -> dict[str, float]:
    place = next(n for n, comparison in enumerate(model.plan.comparisons) if comparison.name == "home")
    return {rung.label: rung.bits for rung in model.rungs[place]}


def test_a_hamlet_alone_is_worth_what_the_registers_teach(model: Model, village: people.Village) -> None:
    some = people.hamlets_alone(village, "insurance")
    taught = rungs_of_home(train(some.plan, some.features, "test", some.sources))
    assert 1 < taught["address hamlet alone"] < taught["address same"]
    untaught = rungs_of_home(model)
    assert untaught["address hamlet alone"] == pytest.approx(untaught["address alike"])


def test_splink_stays_silent_until_the_last_who_uses_it_has_ended() -> None:
    logger = logging.getLogger("splink")
    before, first, second = logger.level, ExitStack(), ExitStack()
    first.enter_context(quiet())
    second.enter_context(quiet())
    first.close()
    assert logger.level == logging.CRITICAL
    second.close()
    assert logger.level == before
