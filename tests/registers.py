"""Two registers of made-up persons, and sending them in."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

from lienthong.masterdata.entities import Entity, entities_of
from lienthong.masterdata.model import Model
from lienthong.pipeline import Workshop, match_models, submit_records

POPULATION, INSURANCE, CARDS = "population.persons", "social-insurance.participants", "health-insurance.cards"
FAMILIES = ("Nguyễn", "Trần", "Lê", "Phạm", "Điểu", "Hoàng", "Vũ", "Đặng")
MIDDLES = ("Văn", "Thị", "Minh", "Ngọc", "Hữu", "Thu")
GIVENS = (
    "An",
    "Bình",
    "Cường",
    "Dung",
    "Giang",
    "Hà",
    "Khánh",
    "Lan",
    "Mai",
    "Nam",
    "Oanh",
    "Phúc",
    "Quý",
    "Sơn",
    "Trang",
    "Vân",
    "Yến",
    "Hòa",
)
COMMUNES = ("25195", "25198", "25201", "25204")
PEOPLE = 300


def person(n: int) -> dict[str, Any]:
    """A made-up person, always the same for the same number."""
    r = random.Random(n)
    year, month, day = r.randrange(1950, 2010), r.randrange(1, 13), r.randrange(1, 29)
    is_man = r.random() < 0.5
    return {
        "full_name": f"{r.choice(FAMILIES)} {r.choice(MIDDLES)} {r.choice(GIVENS)}",
        "born_on": f"{year}-{month:02}-{day:02}",
        "year": year,
        "sex": "Nam" if is_man else "Nữ",
        "citizen_id": f"097{(0 if is_man else 1) if year < 2000 else (2 if is_man else 3)}{year % 100:02}{n:06}",
        "commune_code": r.choice(COMMUNES),
        "address": f"Số {r.randrange(1, 400)}, ấp {r.randrange(1, 9)}",
        "phone": f"06{r.randrange(10**8):08}",
    }


def population_row(n: int) -> dict[str, Any]:
    p = person(n)
    return {
        "record_no": f"{7_000_000_000 + n}",
        "citizen_id": p["citizen_id"],
        "full_name": p["full_name"],
        "born_on": p["born_on"],
        "birth_year": p["year"],
        "sex": p["sex"],
        "ethnic_group": "Kinh",
        "commune_code": p["commune_code"],
        "household_code": f"H{n // 3:05}",
        "address": p["address"],
        "phone": p["phone"],
        "residence_state": "thường trú",
        "updated_on": "2026-01-15",
    }


def insurance_row(n: int, **other: Any) -> dict[str, Any]:
    """The insurer's row of a person: every fourth without its number, some without marks."""
    p = person(n)
    row = {
        "insurance_no": f"99{n:08}",
        "full_name": p["full_name"],
        "born_on": p["born_on"],
        "sex": p["sex"],
        "citizen_id": None if n % 4 == 0 else p["citizen_id"],
        "commune_code": p["commune_code"],
        "address": p["address"] if n % 5 else None,
        "phone": p["phone"] if n % 3 else None,
        "clinic": "Trạm y tế",
        "insured_from": "2025-09-01",
    }
    return {**row, **other}


def card_row(n: int, **other: Any) -> dict[str, Any]:
    """The health insurer's row of a person, without its number of identity."""
    p = person(n)
    row = {
        "insurance_no": f"99{n:08}",
        "card_no": f"GD479{n:010}",
        "full_name": p["full_name"],
        "born_on": p["born_on"],
        "sex": p["sex"],
        "commune_code": p["commune_code"],
        "address": p["address"],
        "phone": p["phone"],
        "payer_group": "household",
        "insured_from": "2025-09-01",
    }
    return {**row, **other}


def send(place: Workshop, dataset: str, rows: Sequence[dict[str, Any]], key: str) -> None:
    done = submit_records(place, place.contracts[dataset], rows, caller="VN/GOV/G01.70/he-thong", idempotency_key=key)
    assert all(verdict["fate"] != "quarantined" for verdict in done.verdicts), done.verdicts[:3]


def take_in(place: Workshop) -> None:
    send(place, POPULATION, [population_row(n) for n in range(PEOPLE)], "p")
    send(place, INSURANCE, [insurance_row(n) for n in range(0, PEOPLE, 2)], "i")


def person_entity(place: Workshop) -> Entity:
    return entities_of(place.contracts)["person"]


def model_of(place: Workshop) -> Model:
    with place.database.connect() as connection:
        model = match_models.in_force(connection, person_entity(place))
    assert model is not None
    return model
