"""The models that lie beside the demo are of the province it makes and of what the contracts compare today: else every start learns anew, a minute long."""

from __future__ import annotations

import json

import pytest

from demo.matching import LEARNT_FROM, MODELS, learnt_from, shipped
from demo.run import SEED
from lienthong.masterdata.entities import entities_of
from tests.acceptance.demo_process import MODELS as OURS
from tests.acceptance.demo_process import SCALE
from tests.factories import contracts_of_the_province

ENTITIES = entities_of(contracts_of_the_province())
PERSONS = 20_000  # `make demo` without SCALE
TAUGHT = sorted(path.stem for path in OURS.glob("*.json") if path.name != LEARNT_FROM)


@pytest.mark.parametrize("entity", ENTITIES)
def test_a_model_fits_the_contracts(entity: str) -> None:
    model = shipped(ENTITIES[entity], PERSONS, SEED)
    assert model is not None, "make demo, then: python -m demo.matching"
    assert model.records_seen > 0


@pytest.mark.parametrize("entity", TAUGHT)
def test_a_model_of_the_small_demo_of_the_tests_fits_the_contracts(entity: str) -> None:
    said = f"a demo with --scale {SCALE}, then: python -m demo.matching tests/acceptance/models, and remove parcel.*"
    assert shipped(ENTITIES[entity], SCALE, SEED, OURS) is not None, said


def test_the_small_demo_learns_one_model_and_is_given_the_others() -> None:
    assert set(ENTITIES) - set(TAUGHT) == {"parcel"}


def test_another_province_has_no_model_beside_it() -> None:
    assert json.loads((MODELS / LEARNT_FROM).read_text("utf-8")) == learnt_from(PERSONS, SEED)
    assert shipped(ENTITIES["person"], PERSONS + 1, SEED) is None
    assert shipped(ENTITIES["person"], PERSONS, SEED + 1) is None
