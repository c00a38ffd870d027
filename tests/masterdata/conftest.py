"""One village and one model for the whole room: training takes many seconds, and nothing here changes either."""

from __future__ import annotations

import pytest

from lienthong.masterdata.model import Model, read_model, write_model
from lienthong.masterdata.training import train
from tests.made_once import made_once
from tests.masterdata import people


@pytest.fixture(scope="session")
def village() -> people.Village:
    return people.village(240, seed=2)


@pytest.fixture(scope="session")
def model(village: people.Village, tmp_path_factory: pytest.TempPathFactory) -> Model:
    learnt = made_once(
        tmp_path_factory,
        "model-of-the-village",
        lambda into: write_model(train(village.plan, village.features, "test", village.sources), into / "person.json"),
    )
    return read_model(learnt / "person.json")
