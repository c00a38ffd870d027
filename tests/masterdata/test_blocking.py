"""One record and a million get the same features and the same keys, and a key depends on nobody else."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lienthong.errors import Conflict
from lienthong.masterdata import candidates
from lienthong.masterdata.blocking import Blocking, Recipe
from lienthong.masterdata.candidates import candidate_pairs
from lienthong.masterdata.kinds import Attribute
from lienthong.masterdata.model import Model
from lienthong.masterdata.plan import Plan
from lienthong.masterdata.rules import Rules
from tests.masterdata.people import Village, person_plan


def keys_one_by_one(plan: Plan, blocking: Blocking, features: pl.DataFrame) -> list[set[int]]:
    places = {column: n for n, column in enumerate(plan.columns)}
    return [set(blocking.keys(row, places)) for row in features.select(plan.columns).rows()]


def keys_in_bulk(blocking: Blocking, features: pl.DataFrame) -> list[set[int]]:
    found: list[set[int]] = [set() for _ in range(features.height)]
    for record, key in blocking.key_frame(features).with_columns(pl.col("key").reinterpret(signed=True)).rows():
        found[record].add(key)
    return found


@pytest.mark.parametrize("most", [60, 8, 2])
def test_one_record_has_the_keys_it_has_in_bulk(model: Model, village: Village, most: int) -> None:
    plain = Blocking(model.blocking.recipes, model.blocking.refine_with, most)
    blocking = plain.frozen(village.features)
    assert bool(blocking.common) == (most < 60)
    assert most > 2 or blocking.dropped
    assert keys_one_by_one(village.plan, blocking, village.features) == keys_in_bulk(blocking, village.features)


def test_who_goes_by_another_name_has_the_keys_of_both_one_by_one_and_in_bulk() -> None:
    names = ["Nguyễn Văn An", "Trần Thị Bình", "Lê Văn Cường", "Phạm Thị Dung"]
    plan = Plan(
        "person",
        (Attribute("name", "person_name", {}), Attribute("also", "other_name", {"of": "name"}), Attribute("born_on", "date", {})),
    )
    values = pl.DataFrame({"name": names * 3, "also": [None, "Trần Thị Lan", "Lê Văn Cường", None] * 3, "born_on": ["1980-01-02"] * 12})
    features = plan.feature_frame(values)
    recipes = (Recipe(0, ("name__flat",)), Recipe(1, ("name__given", "born_on__year")), Recipe(2, ("born_on__ymd",)))
    for most in (60, 2):
        blocking = Blocking(recipes, ("name__flat", "born_on__ymd"), most, otherwise=plan.otherwise).frozen(features)
        frame = blocking.key_frame(features)
        assert frame.n_unique() == frame.height
        assert keys_one_by_one(plan, blocking, features) == keys_in_bulk(blocking, features)
    assert len(keys_in_bulk(Blocking(recipes, (), otherwise=plan.otherwise), features)[1]) == 5


def test_a_key_depends_on_the_record_and_the_model_alone(model: Model, village: Village) -> None:
    blocking = Blocking(model.blocking.recipes, model.blocking.refine_with, 4).frozen(village.features)
    some = list(range(0, village.features.height, 7))
    everyone = keys_in_bulk(blocking, village.features)
    assert keys_in_bulk(blocking, village.features[some]) == [everyone[n] for n in some]


def test_values_that_run_together_make_different_keys() -> None:
    frame = pl.DataFrame({"a": ["x", "xy"], "b": ["yz", "z"]})
    blocking = Blocking((Recipe(0, ("a", "b")),), ())
    assert blocking.key_frame(frame)["key"].n_unique() == 2


NAMES = st.sampled_from(("Nguyễn Thị Lan", "nguyen lan", "K'Rang", "", "  ", "Ơ", "1", "Trần Đức  Hoà")) | st.text(max_size=8)
DATES = st.sampled_from(("1960-12-31", "12/31/1960", "1960", "0000-00-00", "31/02/1960", "19600101", "x"))
VALUES = st.fixed_dictionaries(
    {},
    optional={
        "citizen_id": st.none() | st.sampled_from(("066000000001", "066 000 000 001", "")),
        "full_name": st.none() | NAMES,
        "born_on": st.none() | DATES,
        "sex": st.none() | st.sampled_from(("nam", "nữ")),
        "commune_code": st.none() | st.sampled_from(("24000", "24000>24100", ">24100", ">")),
        "address": st.none() | st.sampled_from(("số 1 đường Lê Lợi", "1 Le Loi", "p. 3, tp", ",")),
        "phone": st.none() | st.sampled_from(("0905 000 111", "+84905000111")),
    },
)


@given(st.lists(VALUES, min_size=1, max_size=12))
@settings(max_examples=60, deadline=None)
def test_the_features_of_one_record_are_those_it_has_in_bulk(records: list[dict[str, str | None]]) -> None:
    plan = person_plan()
    schema = {attribute.name: pl.String for attribute in plan.attributes}
    frame = pl.DataFrame([{name: record.get(name) for name in schema} for record in records], schema=schema)
    assert plan.feature_frame(frame).rows() == [plan.features(record) for record in records]


@pytest.mark.parametrize("pairs_at_once", [20_000_000, 5])
def test_candidates_are_the_pairs_that_share_a_key_and_that_no_rule_forbids(
    model: Model, village: Village, monkeypatch: pytest.MonkeyPatch, pairs_at_once: int
) -> None:
    monkeypatch.setattr(candidates, "_PAIRS_AT_ONCE", pairs_at_once)
    features, sources = village.features, pl.Series("source", village.sources)
    found = candidate_pairs(village.plan, model.blocking, features, sources)
    keys, rows, rules = keys_in_bulk(model.blocking, features), features.rows(), Rules(village.plan)
    expected = {
        (a, b)
        for a in range(len(rows))
        for b in range(a + 1, len(rows))
        if keys[a] & keys[b] and not rules.forbid(rows[a], rows[b], sources[a], sources[b])
    }
    assert set(found.rows()) == expected
    assert found.rows() == sorted(expected)


def test_records_that_outgrew_their_model_are_refused_before_they_are_paired(model: Model, village: Village) -> None:
    blocking = Blocking(model.blocking.recipes, model.blocking.refine_with, 4).frozen(village.features)
    candidate_pairs(village.plan, blocking, village.features)
    with pytest.raises(Conflict, match=r"outgrew the model of `person`: [0-9]+ of them share one key") as refused:
        candidate_pairs(village.plan, blocking, pl.concat([village.features] * 12))
    assert refused.value.hint == "Learn it anew from what there is now: lienthong match train person --adopt"
