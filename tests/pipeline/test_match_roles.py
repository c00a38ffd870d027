"""How rows of a dataset are records of an entity: rows that are none (`unless`), rows that are one together (`by`)."""

from __future__ import annotations

from dataclasses import replace

from lienthong.masterdata.entities import Entity
from lienthong.pipeline import Workshop
from lienthong.pipeline.match_all import read_register_rows
from lienthong.pipeline.match_published import changed_records
from tests.registers import PEOPLE, POPULATION, person_entity


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
