"""A citizen's records are found without reading registers whole."""

from __future__ import annotations

from lienthong.pipeline import apply_contract
from lienthong.store import citizens
from tests.factories import contracts_of_the_province, make_workshop


def test_a_number_that_is_no_key_is_found_by_an_index_made_once(database_url: str) -> None:
    contract = contracts_of_the_province()["land.holders"]
    workshop = make_workshop(database_url, contract)
    apply_contract(workshop, contract)
    with workshop.database.connect() as connection:
        for _ in range(2):
            citizens.index_numbers(connection, contract)
        connection.execute("set enable_seqscan = off")
        plan = connection.execute("explain select _key from data.land_holders where citizen_id = '097090000001' limit 10").fetchall()
        assert citizens.records_of(connection, {contract.id: contract}, "097090000001") == frozenset()
    assert "land_holders_citizen_id_number" in str(plan)
