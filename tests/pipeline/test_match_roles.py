"""How rows of a dataset are records of an entity: rows that are none (`unless`), rows that are one together (`by`)."""

from __future__ import annotations

from dataclasses import replace

from lienthong.masterdata.entities import Entity
from lienthong.pipeline import Workshop
from lienthong.pipeline.match_all import read_register_rows
from lienthong.pipeline.match_published import changed_records
from tests.registers import PEOPLE, POPULATION, person_entity, population_row, send


def leaving_out(entity: Entity, **unless: str) -> Entity:
    """The entity, with rows of the population register left out."""
    registers = (replace(r, role=replace(r.role, unless=unless)) if r.source == POPULATION else r for r in entity.registers)
    return replace(entity, registers=tuple(registers))


def test_rows_are_left_out_by_a_property_the_record_does_not_carry(matched_province: Workshop) -> None:
    entity = leaving_out(person_entity(matched_province), household_code="^H0000[12]$")
    register = entity.register(POPULATION)
    assert "household_code" not in {name for names in register.role.attributes.values() for name in names}
    with matched_province.database.connect() as connection:
        at_once = read_register_rows(connection, entity)
        as_published = changed_records(connection, entity, register, 1)
    keys = set(at_once["key"].filter(at_once["source"] == POPULATION))
    assert len(keys) == PEOPLE - 6
    assert {arrival.key for arrival in as_published.arrivals} == keys
    assert {key for _, key in as_published.departures} == {f"{7_000_000_000 + n}" for n in range(3, 9)}


def test_what_a_later_version_changed_is_found_by_its_list(matched_province: Workshop) -> None:
    fresh, moved = population_row(PEOPLE), population_row(7) | {"phone": "0699999999"}
    send(matched_province, POPULATION, [fresh, moved, population_row(8)], "later")
    entity = person_entity(matched_province)
    with matched_province.database.connect() as connection:
        found = changed_records(connection, entity, entity.register(POPULATION), 2)
    assert {arrival.key: arrival.content["phone"] for arrival in found.arrivals} == {
        fresh["record_no"]: fresh["phone"],
        moved["record_no"]: "0699999999",
    }
    assert found.departures == ()
