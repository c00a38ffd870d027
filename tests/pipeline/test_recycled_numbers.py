"""Insurance numbers are given anew after a while, and typed for others: whoever has another's number is not that other person."""

from __future__ import annotations

from typing import Any

import pytest

from lienthong.pipeline import Workshop, match_all
from tests.pipeline.test_matching import golden_of, waiting
from tests.registers import CARDS, INSURANCE, card_row, insurance_row, model_of, person, person_entity, send

HOLDER = 412  # of nobody else's number so far; in the social insurer's register without a number of identity
NUMBER = f"99{HOLDER:08}"
BORN = person(HOLDER)["born_on"]
GIVEN = str(person(HOLDER)["full_name"]).split()[-1]
ELSEWHERE = {"sex": person(HOLDER)["sex"], "commune_code": "25204", "address": "Số 7, ấp 12", "phone": "0699999999"}
OTHERS = {
    "nothing in common": {"full_name": "Lương Khắc Thụy", "born_on": "1951-02-03"},
    "the given name": {"full_name": f"Lương Khắc {GIVEN}", "born_on": "1951-02-03"},
    "the year of birth": {"full_name": "Lương Khắc Thụy", "born_on": f"{BORN[:4]}-{12 if BORN[5:7] != '12' else 11}-30"},
}


@pytest.fixture
def filled(matched_province: Workshop) -> Workshop:
    send(matched_province, INSURANCE, [insurance_row(HOLDER, citizen_id=None)], "holder")
    return matched_province


def number_of(place: Workshop, golden: str) -> str | None:
    with place.database.connect() as connection:
        row = connection.execute("select insurance_no from data.master_person where golden_id = %s", (golden,)).fetchone()
    assert row is not None
    return None if row[0] is None else str(row[0])


@pytest.mark.parametrize("other", list(OTHERS))
def test_one_insurance_number_on_two_people_joins_them_neither_alone_nor_with_all_and_nobody_is_asked(filled: Workshop, other: str) -> None:
    row: dict[str, Any] = card_row(HOLDER, **ELSEWHERE, **OTHERS[other])
    assert row["insurance_no"] == NUMBER
    send(filled, CARDS, [row], "recycled")
    for _ in range(2):
        holder, heir = golden_of(filled, INSURANCE, NUMBER), golden_of(filled, CARDS, NUMBER)
        assert holder != heir
        assert {number_of(filled, holder), number_of(filled, heir)} == {NUMBER}  # each keeps it as what its register says
        assert {f"{INSURANCE}/{NUMBER}", f"{CARDS}/{NUMBER}"} not in waiting(filled)
        match_all.match_all(filled, person_entity(filled), model_of(filled))


def test_one_person_with_one_insurance_number_is_one_by_name_and_birth(filled: Workshop) -> None:
    send(filled, CARDS, [card_row(HOLDER)], "own")
    assert golden_of(filled, INSURANCE, NUMBER) == golden_of(filled, CARDS, NUMBER)
