"""Numbers for records, identities and acts are reserved ahead, and no more of them are kept than are soon used."""

from __future__ import annotations

from lienthong.pipeline.match_words import ACT, GOLDEN, RECORD
from lienthong.pipeline.matching import EntityIndex
from lienthong.pipeline.workshop import Workshop
from lienthong.store.matching import Index
from tests.registers import model_of, person_entity


def test_numbers_are_each_given_once_and_few_are_kept_however_unevenly_kinds_are_used(matched_province: Workshop) -> None:
    index = EntityIndex(person_entity(matched_province), model_of(matched_province))
    given: list[int] = []
    with matched_province.database.connect() as connection:
        store = Index(connection, "person")
        for _ in range(30):
            index.have_numbers(store, 100)
            given += [index.number(store, RECORD) for _ in range(100)]
            index.number(store, ACT)
            index.number(store, GOLDEN)
        connection.rollback()
    assert len(set(given)) == len(given) == 3000
    assert max(map(len, index._numbers)) <= 400
