"""A review draws pairs by chance, asks persons who are not told, changes no golden record, and says how right the index is."""

from __future__ import annotations

from typing import Any

import pytest

from lienthong.errors import Conflict, NotFound, Unprocessable
from lienthong.masterdata.estimating import Estimate, Reviewer, estimate
from lienthong.masterdata.model import document_of, frequencies_of, model_of
from lienthong.pipeline import Workshop, reviewing, stewarding
from lienthong.pipeline.match_models import in_force, train_entity
from lienthong.pipeline.matching import EntityIndex, Name
from lienthong.reports.standing import index_document, index_report
from lienthong.store import reviewing as store
from lienthong.store.matching import Index
from tests.pipeline.test_matching import filled, learnt, standing, workshop
from tests.pipeline.test_stewarding import both, index
from tests.registers import INSURANCE, POPULATION

__all__ = ["filled", "index", "learnt", "workshop"]  # fixtures of the same registers

BY = "can-bo-a"
BOTH = f"{POPULATION}|{INSURANCE}"


def person_of(name: Name) -> str:
    return name[1][-6:]  # keys of both registers end in the person's number


def review(place: Workshop, index: EntityIndex, by: str, limit: int = 1_000) -> int:
    """Say of every pair asked what is true of it."""
    items = reviewing.next_items(place, index, by, limit)
    for item in items:
        reviewing.say(place, index, item.item, "same" if person_of(item.left) == person_of(item.right) else "apart", by)
    return len(items)


def estimated(place: Workshop) -> Estimate:
    with place.database.connect() as connection:
        drawn = store.latest(connection, "person")
        assert drawn is not None
        return estimate(store.verdicts(connection, drawn.review))


def said(place: Workshop) -> list[Any]:
    with place.database.connect() as connection:
        drawn = store.latest(connection, "person")
        assert drawn is not None
        return store.verdicts(connection, drawn.review)


def test_a_review_says_how_right_the_index_is_and_changes_nothing(filled: Workshop, index: EntityIndex) -> None:
    before = standing(filled)
    reviewing.draw(filled, index, 80, 1, BY)
    assert review(filled, index, BY) >= 40
    assert review(filled, index, BY) == 0  # nobody is asked twice
    assert review(filled, index, "can-bo-b") > 0  # a share goes to two
    found = estimated(filled)
    assert found.reviewed == found.pairs
    assert found.precision is not None
    assert found.recall is not None
    assert found.precision.value == 1.0
    assert found.precision.low < 1.0
    assert found.recall.value > 0.9
    assert found.agreement == (1.0, 1.0)
    assert BOTH in found.by_registers
    assert standing(filled) == before


def test_a_reviewer_is_not_told_what_the_index_decided(filled: Workshop, index: EntityIndex) -> None:
    reviewing.draw(filled, index, 40, 1, BY)
    (item,) = reviewing.next_items(filled, index, BY)
    assert {*vars(item)} == {"item", "left", "left_content", "right", "right_content"}


def test_what_was_joined_wrongly_and_what_was_missed_shows_in_the_estimates(filled: Workshop, index: EntityIndex) -> None:
    for n in range(0, 60, 2):  # one in five persons known twice is taken apart
        stewarding.split(filled, index, [[both(n)[0]], [both(n)[1]]], BY, "sai")
    reviewing.draw(filled, index, 200, 2, BY)
    review(filled, index, BY)
    review(filled, index, "can-bo-b")
    found = estimated(filled)
    assert found.recall is not None
    assert found.recall.low < 0.8 < found.recall.high + 0.15
    assert found.recall.value < 0.95


def test_the_same_seed_draws_the_same_pairs(filled: Workshop, index: EntityIndex) -> None:
    reviewing.draw(filled, index, 40, 9, BY)
    one = said(filled)
    reviewing.draw(filled, index, 40, 9, BY)
    assert said(filled) == one
    reviewing.draw(filled, index, 40, 10, BY)
    assert said(filled) != one


def test_a_small_sample_stays_small_however_many_strata_there_could_be(filled: Workshop, index: EntityIndex) -> None:
    reviewing.draw(filled, index, 10, 1, BY)
    few = said(filled)
    assert len(few) <= 10 + 2 * 7  # two of each band at least
    assert not any("|" in one.stratum for one in few)
    reviewing.draw(filled, index, 400, 1, BY)
    assert all(one.registers in one.stratum for one in said(filled))


def test_where_two_disagree_a_third_is_asked(filled: Workshop, index: EntityIndex) -> None:
    reviewing.draw(filled, index, 40, 1, BY)
    for item in reviewing.next_items(filled, index, BY, 1_000):
        reviewing.say(filled, index, item.item, "same", BY)
    second = reviewing.next_items(filled, index, "can-bo-b", 1_000)
    reviewing.say(filled, index, second[0].item, "apart", "can-bo-b")
    for item in second[1:]:
        reviewing.say(filled, index, item.item, "same", "can-bo-b")
    assert [item.item for item in reviewing.next_items(filled, index, "can-bo-c", 1_000)] == [second[0].item]
    parts = estimated(filled).by_reviewer
    twice = len(second)
    assert parts["can-bo-b"] == Reviewer(twice, twice, twice - 1)
    assert (parts[BY].twice, parts[BY].equal) == (twice, twice - 1)
    assert parts[BY].looked > twice
    reviewing.say(filled, index, second[0].item, "apart", "can-bo-c")
    assert estimated(filled).by_reviewer == {**parts, "can-bo-c": Reviewer(1, 0, 0)}, "who decides between two is held against neither"
    assert ["same", "apart", "apart"] in [one.verdicts for one in said(filled)]
    reviewing.say(filled, index, second[0].item, "same", "can-bo-c")  # a second word replaces the first
    assert ["same", "apart", "same"] in [one.verdicts for one in said(filled)]


def test_weights_said_to_be_too_low_lower_the_cut_of_two_registers_once_a_person_adopts_it(filled: Workshop, index: EntityIndex) -> None:
    reviewing.draw(filled, index, 120, 4, BY)
    for item in reviewing.next_items(filled, index, BY, 1_000):
        reviewing.say(filled, index, item.item, "same", BY)
    suggested = {one.registers: one for one in reviewing.suggest_cuts(filled, index)}
    low = min(suggested.values(), key=lambda one: one.suggested - one.cut)
    assert low.suggested < low.cut
    assert low.cut - low.suggested <= reviewing.LARGEST_MOVE
    version = reviewing.adopt_cuts(filled, index, [low.registers], BY)
    with filled.database.connect() as connection:
        model = in_force(connection, index.entity)
    assert model is not None
    assert model.version == version != index.model.version
    assert model.cuts.by_registers == {low.registers: low.suggested}
    left, right = low.registers.split("|")
    assert model.cuts.join(right, left) == low.suggested
    with pytest.raises(Conflict, match="drawn under model"):
        reviewing.suggest_cuts(filled, EntityIndex(index.entity, model))


def test_what_cannot_be_drawn_or_said_is_told_in_words(filled: Workshop, index: EntityIndex) -> None:
    with pytest.raises(NotFound, match="No review"):
        reviewing.next_items(filled, index, BY)
    with pytest.raises(NotFound, match="No review"):
        reviewing.suggest_cuts(filled, index)
    with pytest.raises(Unprocessable, match="at least ten"):
        reviewing.draw(filled, index, 3, 1, BY)
    reviewing.draw(filled, index, 20, 1, BY)
    with pytest.raises(NotFound, match="has a pair"):
        reviewing.say(filled, index, 10**9, "same", BY)
    with pytest.raises(Unprocessable, match="no verdict"):
        reviewing.say(filled, index, 1, "perhaps", BY)
    with pytest.raises(Unprocessable, match="Not reviewed"):
        reviewing.adopt_cuts(filled, index, ["a|b"], BY)


def test_what_persons_said_is_learnt_from_and_counted(filled: Workshop, index: EntityIndex) -> None:
    stewarding.decide(filled, index, *both(20), "same", BY, "đã đối chiếu")
    reviewing.draw(filled, index, 80, 1, BY)
    review(filled, index, BY)
    same = sum(one.verdicts == ["same"] for one in said(filled))
    model = train_entity(filled, index.entity)
    assert same <= model.labels_seen <= same + 1
    assert document_of(model)["labels_seen"] == model.labels_seen
    assert model_of(document_of(model), frequencies_of(model)).labels_seen == model.labels_seen


def test_what_a_rule_keeps_apart_says_nothing_of_weights(filled: Workshop, index: EntityIndex) -> None:
    reviewing.draw(filled, index, 400, 1, BY)
    review(filled, index, BY)
    rules = index.matcher.rules
    with filled.database.connect() as connection:
        held = {(r.source, r.key): r for one in said(filled) for r in Index(connection, "person").own([one.names[:2], one.names[2:]])}
    for one in said(filled):
        left, right = held[one.names[:2]], held[one.names[2:]]
        if rules.forbid(left.features, right.features, left.source, right.source) or rules.doubt(left.features, right.features):
            assert not one.by_weight
            assert "rule" in one.stratum
    assert any(not one.by_weight for one in said(filled))


def test_a_report_tells_of_the_newest_review_that_is_through(filled: Workshop, index: EntityIndex) -> None:
    def told() -> Any:
        with filled.database.connect() as connection:
            (person,) = [one for one in index_report(connection, filled.contracts, filled.clock()) if one.entity == "person"]
        return person.estimate

    assert told() is None
    reviewing.draw(filled, index, 40, 1, BY)
    assert told().precision is None
    review(filled, index, BY)
    review(filled, index, "can-bo-b")
    through = told()
    assert through.precision is not None
    with filled.database.connect() as connection:
        document = index_document(index_report(connection, filled.contracts, filled.clock()))
    (quality,) = [one["quality"] for one in document["entities"] if one["entity"] == "person"]
    assert [each["looked"] for each in quality["reviewers"]] == sorted((each.looked for each in through.by_reviewer.values()), reverse=True)
    assert all({*each} == {"looked", "twice", "equal"} for each in quality["reviewers"])
    assert "can-bo" not in str(quality), "a report names no official"
    reviewing.draw(filled, index, 40, 2, BY)
    assert told() == through
    assert estimated(filled).precision is None
