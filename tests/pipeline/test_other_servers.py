"""The same road on a PostgreSQL of one's own: another 18, and Debian's 15."""

from __future__ import annotations

from pathlib import Path

import pytest

from lienthong.contracts import Layer
from lienthong.pipeline import run_dataset
from lienthong.store import integrity
from tests.factories import make_contract, make_workshop, write_people
from tests.pipeline.test_run import fates


@pytest.mark.parametrize("server", ["database_url", "postgres15_url"])
def test_a_dataset_lives_through_its_versions(server: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    url: str = request.getfixturevalue(server)
    file = write_people(tmp_path / "people.csv", [("P1", "An", "1980-03-07", 1), ("P2", "Bình", "1980-03-07", 2)])
    contract = make_contract(str(file), layer=Layer.CODE_LIST)
    workshop = make_workshop(url, contract)
    assert fates(run_dataset(workshop, contract)) == (2, 2, 0, 0, 0)
    write_people(file, [("P1", "An", "1980-03-07", 5), ("P3", "Chi", "31/02/2020", 2)])
    assert fates(run_dataset(workshop, contract)) == (2, 1, 0, 1, 1)
    with workshop.database.connect() as connection:
        assert [finding for finding in integrity.check_datasets(connection) if finding.found] == []
