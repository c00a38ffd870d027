"""A model is looked at before it is used: what it would merge and split is told by ids, and is what happens once it is put in force."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import pytest

from lienthong.errors import Conflict
from lienthong.masterdata.model import Cuts, Model
from lienthong.pipeline import Workshop, match_all, match_models, stewarding
from lienthong.pipeline.match_models import Difference
from lienthong.pipeline.matching import EntityIndex
from tests.pipeline.test_matching import all_records, partition, push
from tests.registers import CARDS, INSURANCE, PEOPLE, POPULATION, insurance_row, model_of, person_entity, send

STRICT, LOOSE = Cuts(40.0, 40.0), Cuts(-8.0, -8.0)
TABLES = (
    "match_acts", "match_events", "match_goldens", "match_judgements", "match_memberships", "match_models", "match_queue", "match_records",
    "data.master_person",
)  # fmt: skip


@pytest.fixture
def filled(matched_province: Workshop) -> Workshop:
    return matched_province


@dataclass(frozen=True)
class Happened:
    """Golden records that stayed as they were, merged (the ids that became one) and split (the ids that fell apart)."""

    same: int
    merged: frozenset[frozenset[str]]
    split: frozenset[str]


def goldens(place: Workshop) -> dict[str, str]:
    """Record → the id of its golden record."""
    with place.database.connect() as connection:
        query = "select source || '/' || key, id from match_records join match_goldens using (golden)"
        return dict(connection.execute(query).fetchall())


def happened(before: Mapping[str, str], after: Mapping[str, str]) -> Happened:
    """The same by hand: who was together, and who is."""
    origins: dict[str, set[str]] = {}
    heirs: dict[str, set[str]] = {}
    for record, was in before.items():
        origins.setdefault(after[record], set()).add(was)
        heirs.setdefault(was, set()).add(after[record])
    merged = frozenset(frozenset(ids) for ids in origins.values() if len(ids) > 1)
    split = frozenset(was for was, ids in heirs.items() if len(ids) > 1)
    return Happened(len(heirs) - len(split.union(*merged)), merged, split)


def put_in_force(place: Workshop, model: Model) -> Counter[str]:
    """Adopt it and match everything by it; gives how many events of each kind were told."""
    entity = person_entity(place)
    match_models.adopt(place, entity, model)
    done = match_all.match_all(place, entity, model_of(place))
    with place.database.connect() as connection:
        return Counter(kind for (kind,) in connection.execute("select kind from match_events where act = %s", (done.act,)))


def contents(place: Workshop) -> list[Any]:
    with place.database.connect() as connection:
        return [connection.execute(f"select md5(string_agg(t::text, '|' order by t::text)) from {name} as t").fetchone() for name in TABLES]


def told(difference: Difference) -> tuple[set[frozenset[str]], set[str]]:
    """(merges, splits) of the examples."""
    merges = {frozenset(ids) for ids in difference.examples if len(ids) > 1}
    return merges, {ids[0] for ids in difference.examples if len(ids) == 1}


def test_the_model_in_force_would_change_nothing(filled: Workshop) -> None:
    found = match_models.compare(filled, person_entity(filled), model_of(filled))
    assert found == Difference(PEOPLE + PEOPLE // 2, len(set(goldens(filled).values())), 0, 0, ())


@pytest.mark.parametrize("cuts", [STRICT, LOOSE])
def test_what_a_model_would_change_is_what_it_changes_once_it_is_in_force(filled: Workshop, cuts: Cuts) -> None:
    model = replace(model_of(filled), version="2").with_cuts(cuts)
    before, stood = goldens(filled), contents(filled)
    said = match_models.compare(filled, person_entity(filled), model)
    assert contents(filled) == stood
    events = put_in_force(filled, model)
    really = happened(before, goldens(filled))
    assert (said.same, said.merging, said.splitting) == (really.same, len(really.merged), len(really.split))
    assert (events["merged"], events["split"]) == (said.merging, said.splitting)
    merges, splits = told(said)
    assert merges <= really.merged
    assert splits <= really.split
    assert (len(merges), len(splits)) == (min(10, said.merging), min(10, said.splitting))
    assert (said.splitting > 50) if cuts is STRICT else (said.merging > 0)
    again = match_models.compare(filled, person_entity(filled), model)
    assert (again.merging, again.splitting) == (0, 0)


def test_what_stewards_said_is_not_told_as_something_a_model_would_change(filled: Workshop) -> None:
    entity, model = person_entity(filled), model_of(filled)
    index = EntityIndex(entity, model)
    stewarding.split(filled, index, [[(POPULATION, "7000000010")], [(INSURANCE, "9900000010")]], "can-bo-a", "hai người")
    for steward in ("can-bo-a", "can-bo-b"):  # their numbers differ: it takes two
        with suppress(Conflict):
            stewarding.decide(filled, index, (INSURANCE, "9900000020"), (INSURANCE, "9900000040"), "same", steward, "một người")
    assert goldens(filled)[f"{INSURANCE}/9900000020"] == goldens(filled)[f"{INSURANCE}/9900000040"]
    found = match_models.compare(filled, entity, model)
    assert (found.merging, found.splitting) == (0, 0)
    strict = replace(model, version="2").with_cuts(STRICT)
    before = goldens(filled)
    said = match_models.compare(filled, entity, strict)
    put_in_force(filled, strict)
    really = happened(before, goldens(filled))
    assert (said.merging, said.splitting) == (len(really.merged), len(really.split))


def test_a_model_is_compared_by_what_registers_promise_today(filled: Workshop) -> None:
    model = model_of(filled)
    old = replace(model, plan=replace(model.plan, unique_sources=frozenset()))  # learnt before the register promised one row a person
    send(filled, INSURANCE, [insurance_row(1)], "later")
    found = match_models.compare(filled, person_entity(filled), old.with_cuts(LOOSE))
    expected = match_models.compare(filled, person_entity(filled), model.with_cuts(LOOSE))
    assert found == expected


def test_a_cut_of_two_registers_joins_their_records_alone_whether_they_come_at_once_or_one_by_one(filled: Workshop) -> None:
    entity, model = person_entity(filled), model_of(filled)
    whole = partition(filled)
    strict = put_in_force(filled, replace(model, version="2").with_cuts(STRICT))["split"]
    assert strict > 50
    pair = "|".join(sorted((POPULATION, INSURANCE)))
    other = "|".join(sorted((POPULATION, CARDS)))
    apart = partition(filled)
    assert not put_in_force(filled, replace(model, version="3").with_cuts(replace(STRICT, by_registers={other: model.cuts.join_bits})))
    assert partition(filled) == apart
    lowered = replace(model, version="4").with_cuts(replace(STRICT, by_registers={pair: model.cuts.join_bits}))
    assert put_in_force(filled, lowered)["merged"] == strict
    assert partition(filled) == whole
    weighed = [record for record in all_records(filled) if record.source == INSURANCE and "citizen_id" not in record.content]
    index = EntityIndex(entity, lowered)
    with filled.database.connect() as connection:
        push(connection, index, filled, [], [record.name for record in weighed])
        for record in weighed:
            push(connection, index, filled, [record])
    assert partition(filled) == whole


def test_a_model_put_in_force_again_with_other_cuts_counts_for_what_comes_next(filled: Workshop) -> None:
    entity, model = person_entity(filled), model_of(filled)
    alone = goldens(filled)[f"{POPULATION}/7000000001"]
    for cuts, key in ((STRICT, "strict"), (model.cuts, "as before")):
        match_models.adopt(filled, entity, model.with_cuts(cuts))  # the same version
        send(filled, INSURANCE, [insurance_row(1, insurance_no=f"98{len(key):08}", citizen_id=None)], key)
        joined = goldens(filled)[f"{INSURANCE}/98{len(key):08}"] == alone
        assert joined == (cuts is not STRICT)


def test_golden_records_one_model_merged_come_back_by_their_ids_with_the_model_before(filled: Workshop) -> None:
    model, before = model_of(filled), goldens(filled)
    merged = put_in_force(filled, replace(model, version="2").with_cuts(LOOSE))["merged"]
    assert merged > 0
    assert goldens(filled) != before
    back = put_in_force(filled, replace(model, version="3"))
    assert back["revived"] == merged
    assert goldens(filled) == before
    with filled.database.connect() as connection:
        published = connection.execute("select golden_id from data.master_person").fetchall()
    assert {id for (id,) in published} == set(before.values())
