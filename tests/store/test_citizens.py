"""A citizen's records are found without reading registers whole, and nobody else's with them."""

from __future__ import annotations

from lienthong.pipeline import apply_contract
from lienthong.store import Database, citizens
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


def test_a_parent_named_in_a_birth_is_given_none_of_the_childs_or_the_other_parents_records(database_url: str) -> None:
    contracts = {name: contracts_of_the_province()[name] for name in ("civil-status.births", "population.persons")}
    workshop = make_workshop(database_url, *contracts.values())
    for contract in contracts.values():
        apply_contract(workshop, contract)
    people = {"mother": "097186000001", "father": "097084000002", "child": "097217000003"}
    _born(workshop.database, people)
    with workshop.database.connect() as connection:
        for who, number in people.items():
            found = citizens.records_of(connection, contracts, number)
            assert found == {("civil-status.births", "KS-1/2017"), ("population.persons", f"P-{who}")}, who


def _born(database: Database, people: dict[str, str]) -> None:
    """A birth and the three persons it names, each with a record of their own, judged to be who they are."""
    births, persons = "data.civil_status_births", "data.population_persons"
    row = "(_key, _digest, _version, _row, _valid_from, {}) values (%s, 1, 1, 1, '2026-01-01', {})"
    with database.connect() as connection:
        statement = f"insert into {births} " + row.format("mother_id, father_id, citizen_id", "%s, %s, %s")
        connection.execute(statement, ("KS-1/2017", people["mother"], people["father"], people["child"]))
        for number, (who, citizen) in enumerate(people.items(), 1):
            connection.execute(f"insert into {persons} " + row.format("citizen_id", "%s"), (f"P-{who}", citizen))
            connection.execute(
                "insert into match_goldens (golden, id, entity, made_at) overriding system value values (%s, %s, 'person', now())",
                (number, f"person-{who}"),
            )
            source = "civil-status.births" if who == "child" else f"civil-status.births#{who}"
            for at, record in enumerate(((source, "KS-1/2017"), ("population.persons", f"P-{who}"))):
                connection.execute(
                    "insert into match_records (record, entity, source, key, golden, component, features, keys, content, since)"
                    " overriding system value values (%s, 'person', %s, %s, %s, %s, '{}', '{}', '{}', now())",
                    (2 * number + at, *record, number, number),
                )
