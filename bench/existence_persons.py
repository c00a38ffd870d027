"""The same of golden records: whether a description or an id that leads to a person hidden from the caller takes longer than one that leads nowhere.

The caller's agreement gives the persons of one commune. Half of some persons, made alike, are in a register and matched; all asked about are
of other communes. Each is asked about once, at `:match`, at `:held` by description and by id, and at the golden record's own address.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl
import yaml

from bench import matching, serving
from bench.alike import WARM, Ask, asks_of, compare, headers_of
from bench.report import Row
from lienthong.access import new_key_pair
from lienthong.masterdata.identity import new_id
from lienthong.pipeline import Workshop, apply_contract, match_models
from lienthong.store.embedded import EmbeddedServer

LANES = 4  # at once: to look for a person is work
PERSONS = 20_000  # the later half in no register
CALLER = "VN/GOV/H10.12/mot-xa"
SEEN = matching.COMMUNES[0]
REGISTER, ROOT = "population.persons", "/v1/entities/person"
DOORS: dict[str, dict[str, Any]] = {"match": {}, "held": {"fields": {"phone": None}}}
DESCRIBED = ("full_name", "born_on", "citizen_id")


def measure(server: EmbeddedServer, folder: Path, asked: int) -> list[Row]:
    """A row for each door."""
    home, url = folder / "existence-persons", server.create_database("existence_persons")
    private = _agree(home)
    place = matching.workshop(url)
    people = matching.people(PERSONS).with_columns(born_on=pl.col("born").cast(pl.String))
    _match(place, url, people.head(PERSONS // 2))
    hidden, absent = (_some(half, asked + WARM) for half in (people.head(PERSONS // 2), people.tail(PERSONS // 2)))
    ids = _ids(place, asked + WARM)
    none = [new_id("person") for _ in ids]
    found = []
    with serving._serving(url, home, "lienthong.web.serve:application", matching.ROOT / "datasets") as base:
        headers = headers_of(base, CALLER, private)
        for door, more in DOORS.items():
            found.append(
                compare(
                    f"persons, :{door} of a description",
                    base,
                    headers,
                    (_asks(door, hidden, more), _asks(door, absent, more)),
                    {200},
                    LANES,
                )
            )
        held = ([Ask(f"{ROOT}:held", "", _body({"id": each, "fields": {"phone": None}})) for each in half] for half in (ids, none))
        found.append(compare("persons, :held of an id", base, headers, (next(held), next(held)), {200}, LANES))
        found.append(
            compare("persons, by id", base, headers, asks_of(lambda each: f"{ROOT}/{each}", ids, none, is_repeated=True), {404}, LANES)
        )
    return found


def _match(place: Workshop, url: str, people: pl.DataFrame) -> None:
    for contract in place.contracts.values():
        apply_contract(place, contract)
    matching.put(place, place.contracts[REGISTER], people)
    entity = matching.person(place)
    match_models.adopt(place, entity, match_models.train_entity(place, entity))
    matching.match_once(url)


def _some(people: pl.DataFrame, count: int) -> list[dict[str, str]]:
    """Descriptions of so many persons of other communes."""
    others = people.filter(pl.col("commune_code") != SEEN).sample(count, seed=5, shuffle=True)
    return [{name: str(row[name]) for name in DESCRIBED} for row in others.iter_rows(named=True)]


def _asks(door: str, people: list[dict[str, str]], more: Mapping[str, Any]) -> list[Ask]:
    return [Ask(f"{ROOT}:{door}", "", _body({"attributes": each, **more})) for each in people]


def _ids(place: Workshop, count: int) -> list[str]:
    """So many golden records of other communes."""
    with place.database.connect() as connection:
        found = connection.execute(
            "select match_goldens.id from match_records join match_goldens using (golden)"
            " where content->>'commune_code' <> %s order by md5(match_goldens.id) limit %s",
            (SEEN, count),
        ).fetchall()
    return [id for (id,) in found]


def _agree(home: Path) -> Any:
    private, public = new_key_pair()
    agreement = {
        "id": "BENCH-NGUOI", "provider": "H10.11", "consumer": CALLER, "dataset": "master.person", "state": "active", "operations": ["look_up", "list"],
        "row_filter": [{"field": "commune_code", "operator": "eq", "value": SEEN}], "purposes": {"tra-cuu": {"vi": "Tra cứu", "en": "Looking up"}},
        "legal_basis": "none: measuring", "term": {"from": "2020-01-01"},
    }  # fmt: skip
    for name, document in {
        "subsystems/bench.yaml": {"identifier": CALLER, "title_vi": "Đo", "title_en": "Measuring", "keys": [{"jwk": public}]},
        "agreements/bench.yaml": agreement,
    }.items():
        path = home / "agreements" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(yaml.safe_dump(document, allow_unicode=True), encoding="utf-8")
    return private


def _body(document: Any) -> bytes:
    return json.dumps(document, ensure_ascii=False).encode()
