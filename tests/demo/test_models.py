"""The models that lie beside the demo are of the province it makes and of what the contracts compare today: else every start learns anew, a minute long."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from demo.matching import LEARNT_FROM, MODELS, learnt_from, shipped
from demo.run import SEED
from lienthong.contracts import load_all
from lienthong.masterdata.entities import entities_of

ENTITIES = entities_of(load_all(Path(__file__).parents[2] / "datasets"))
PERSONS = 20_000  # `make demo` without SCALE


@pytest.mark.parametrize("entity", ENTITIES)
def test_a_model_fits_the_contracts(entity: str) -> None:
    model = shipped(ENTITIES[entity], PERSONS, SEED)
    assert model is not None, "make demo, then: python -m demo.matching"
    assert model.records_seen > 0


def test_another_province_has_no_model_beside_it() -> None:
    assert json.loads((MODELS / LEARNT_FROM).read_text("utf-8")) == learnt_from(PERSONS, SEED)
    assert shipped(ENTITIES["person"], PERSONS + 1, SEED) is None
    assert shipped(ENTITIES["person"], PERSONS, SEED + 1) is None
