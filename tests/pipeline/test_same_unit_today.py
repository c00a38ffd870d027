"""A commune of before a merger and the one it became: compared as one, kept as each register wrote it, found by what was written."""

from __future__ import annotations

from dataclasses import replace

import polars as pl
import pytest

from lienthong.clock import vietnam_date
from lienthong.masterdata.kinds import TODAY
from lienthong.masterdata.model import Model
from lienthong.masterdata.splinking import DuckDBEngine, memory_database
from lienthong.masterdata.training import with_weight
from lienthong.pipeline import Workshop, match_all
from lienthong.pipeline.matching import EntityIndex
from lienthong.standards.admin_units import one_successors
from lienthong.store.matching import Index, StoredRecord
from tests.registers import INSURANCE, POPULATION, insurance_row, model_of, person_entity, population_row, send

BEFORE, TODAYS, ANOTHER = "25198", "25195", "25249"  # a ward, what it is part of since 1 July 2025, a commune elsewhere
NUMBER = 402
NAMES = [(POPULATION, f"{7_000_000_000 + NUMBER}"), (INSURANCE, f"99{NUMBER:08}")]


@pytest.fixture
def place(matched_province: Workshop) -> Workshop:
    return matched_province


def send_both(place: Workshop, commune: str) -> None:
    """The police have the ward of before; the insurer another code, and of the home no more than that."""
    send(place, POPULATION, [population_row(NUMBER) | {"commune_code": BEFORE}], "before")
    send(place, INSURANCE, [insurance_row(NUMBER, commune_code=commune, citizen_id=None, address=None, phone=None)], "after")


def held(place: Workshop) -> tuple[StoredRecord, StoredRecord]:
    with place.database.connect() as connection:
        first, second = sorted(Index(connection, "person").own(NAMES), key=lambda record: NAMES.index((record.source, record.key)))
    return first, second


def rung(model: Model, old: StoredRecord, new: StoredRecord) -> str:
    return next(part.label for part in model.scorer().explain(old.features, new.features) if part.comparison == "home")


def test_the_model_keeps_what_became_of_units_as_of_the_day_it_was_learnt(place: Workshop) -> None:
    known = model_of(place).plan.successors
    assert known.on is not None
    assert known.on <= vietnam_date(place.clock())
    assert known.codes == one_successors(known.on)
    assert known.codes[BEFORE] == TODAYS


def test_two_codes_of_one_commune_agree_as_records_come_and_all_at_once(place: Workshop) -> None:
    send_both(place, TODAYS)
    model, told = model_of(place), []
    for at_once in (False, True):
        if at_once:
            match_all.match_all(place, person_entity(place), model)
        old, new = held(place)
        assert old.golden == new.golden
        assert rung(model, old, new) == "commune_code same unit today"
        told.append((old.features, new.features, old.keys, new.keys))
    assert told[0] == told[1]
    with place.database.connect() as connection:
        written = connection.execute(
            "select content->>'commune_code' from match_records where (source, key) in ((%s, %s), (%s, %s)) order by source",
            (*NAMES[0], *NAMES[1]),
        ).fetchall()
    assert written == [(BEFORE,), (TODAYS,)]


def test_another_commune_is_another_whatever_became_of_either(place: Workshop) -> None:
    send_both(place, ANOTHER)
    assert rung(model_of(place), *held(place)) == "different"


def test_an_entity_whose_contract_does_not_ask_for_it_compares_codes_as_written(place: Workshop) -> None:
    send_both(place, TODAYS)
    model, entity = model_of(place), person_entity(place)
    attributes = tuple(replace(a, options={k: v for k, v in a.options.items() if k != TODAY}) for a in model.plan.attributes)
    plain = replace(model, plan=replace(model.plan, attributes=attributes))
    match_all.match_all(place, entity, plain)
    assert rung(plain, *held(place)) == "different"


def test_records_are_found_by_the_code_that_was_written(place: Workshop) -> None:
    send_both(place, TODAYS)
    model = model_of(place)
    assert "commune_code__now" not in (*model.blocking.refine_with, *(c for r in model.blocking.recipes for c in r.columns))
    blind = replace(model.plan.successors, codes={})
    for record in held(place):
        content = dict(zip(model.plan.columns, record.features, strict=True))
        assert content["commune_code__code"] in (BEFORE, TODAYS)
        unfollowed = EntityIndex(person_entity(place), replace(model, plan=model.plan.with_successors(blind)))
        code = model.plan.columns.index("commune_code__now")
        assert unfollowed.keys((*record.features[:code], record.features[code - 1], *record.features[code + 1 :])) == record.keys


def test_both_scorers_weigh_units_of_today_the_same(place: Workshop) -> None:
    model = model_of(place)
    rows = [
        {"full_name": "Nguyễn Văn An", "born_on": "1980-02-01", "commune_code": code} for code in (BEFORE, TODAYS, "25201", ANOTHER, None)
    ]
    features = model.plan.feature_frame(pl.DataFrame(rows))
    own = features.rows()
    pairs = pl.DataFrame([(a, b) for b in range(len(own)) for a in range(b)], schema={"left": pl.UInt32, "right": pl.UInt32}, orient="row")
    weighed = with_weight(DuckDBEngine(model, features, memory_database()).weights(pairs), model)
    score = model.scorer().score
    assert {(a, b): w for a, b, w in weighed.select("left", "right", "weight").iter_rows()} == pytest.approx(
        {(a, b): score(own[a], own[b]) for a, b in pairs.iter_rows()}, abs=1e-9
    )
    labels = [part.label for a, b in pairs.iter_rows() for part in model.scorer().explain(own[a], own[b]) if part.comparison == "home"]
    assert labels.count("commune_code same unit today") >= 1
