"""One village and one model for the whole room: training takes seconds, and nothing here changes either."""

from __future__ import annotations

import pytest

from lienthong.masterdata.model import Model
from lienthong.masterdata.training import train
from tests.masterdata import people


@pytest.fixture(scope="session")
def village() -> people.Village:
    return people.village(240, seed=2)


@pytest.fixture(scope="session")
def model(village: people.Village) -> Model:
    return train(village.plan, village.features, "test", village.sources)
