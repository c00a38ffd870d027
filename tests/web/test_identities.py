"""Golden records over HTTP: told with their sources, found by a description, followed through merges, never more than may be seen."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from lienthong.access import Operation, Register, RowCondition
from lienthong.errors import Conflict
from lienthong.pipeline import Workshop, asking_index, overriding, stewarding
from lienthong.pipeline.matching import EntityIndex, Name
from lienthong.settings import Settings
from lienthong.web.app import create_app
from lienthong.web.services import make_services
from tests.pipeline.test_matching import golden_of
from tests.registers import INSURANCE, PEOPLE, POPULATION, model_of, person, person_entity, population_row, send
from tests.store.ledgers import written
from tests.templates import Template
from tests.web.counters import URL, _desk, asking, make_agreement

ROOT = Path(__file__).parents[2]
MASTER = "master.person"
READ = frozenset({Operation.LOOK_UP, Operation.LIST, Operation.CHANGES})
STRANGER, WHOLE, NARROW, NEIGHBOUR, BOTH, SOME = (
    f"VN/GOV/H10.12/{name}" for name in ("xa-la", "toan-bo", "hep", "lang-gieng", "ca-hai", "mot-phan")
)
AGREEMENTS = (
    make_agreement(WHOLE, dataset=MASTER, operations=READ),
    make_agreement(NARROW, dataset=MASTER, operations=READ, fields=("golden_id", "phone", "citizen_id"), masked=("citizen_id",)),
    make_agreement(NEIGHBOUR, dataset=MASTER, operations=READ, row_filter=(RowCondition("commune_code", "eq", "25195"),)),
    make_agreement(BOTH, dataset=MASTER, operations=READ, id="TT-ca-hai-1"),
    make_agreement(BOTH, dataset=POPULATION, operations=READ, id="TT-ca-hai-2"),
    make_agreement(SOME, dataset=MASTER, operations=READ, id="TT-mot-phan-1"),
    make_agreement(
        SOME, dataset=POPULATION, operations=READ, id="TT-mot-phan-2", row_filter=(RowCondition("commune_code", "eq", "25195"),)
    ),
)


@dataclass(frozen=True)
class Platform:
    """Two registers matched, agreements on the golden records, a client."""

    workshop: Workshop
    client: TestClient
    index: EntityIndex

    def get(self, path: str, caller: str = WHOLE) -> Any:
        return self.client.get(f"/v1/entities/{path}", headers=asking(caller), follow_redirects=False)

    def post(self, path: str, document: Any, caller: str = WHOLE) -> Any:
        return self.client.post(f"/v1/entities/{path}", json=document, headers=asking(caller))

    def golden(self, n: int) -> str:
        return golden_of(self.workshop, *record(n))

    def last_entry(self) -> dict[str, Any]:
        return written(self.workshop.database)[-1]


@pytest.fixture(scope="module")
def platform(matched_template: Template, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    with matched_template.copy() as place:
        entity = person_entity(place)
        home = tmp_path_factory.mktemp("home")
        services = make_services(
            Settings(
                home=home, agreements=home / "agreements", base_url=URL, accept_synthetic_ids=True, checkpoint_milliseconds=0, worker=False
            ),
            place.database,
            place.contracts,
        )
        services.register = Register({}, AGREEMENTS)
        services.workshop = place
        services.tokens = _desk(place.clock)
        with TestClient(create_app(services)) as client:
            yield Platform(place, client, EntityIndex(entity, model_of(place)))


def record(n: int) -> Name:
    return POPULATION, f"{7_000_000_000 + n}"


def insured(n: int) -> Name:
    return INSURANCE, f"99{n:08}"


def described(n: int, *names: str) -> dict[str, str]:
    p = person(n)
    return {name: str(p[name]) for name in names or ("full_name", "born_on", "citizen_id")}


def test_a_golden_record_is_told_with_where_each_value_comes_from(platform: Platform) -> None:
    id = platform.golden(2)
    answer = platform.get(f"person/{id}")
    assert answer.status_code == 200
    found = answer.json()
    assert found["id"] == id
    assert found["values"]["full_name"] == person(2)["full_name"]
    assert found["provenance"]["full_name"]["source"] == POPULATION
    assert found["provenance"]["full_name"]["key"] is None
    assert (found["sources"], found["sources_withheld"]) == ([], 2)
    assert answer.headers["cache-control"] == "no-store"
    assert id not in json.dumps(platform.last_entry())


def test_a_registers_key_is_told_only_to_who_may_look_that_register_up(platform: Platform) -> None:
    found = platform.get(f"person/{platform.golden(2)}", BOTH).json()
    assert [(each["source"], each["key"]) for each in found["sources"]] == [record(2)]
    assert found["sources_withheld"] == 1
    assert found["provenance"]["full_name"]["key"] == record(2)[1]
    by_key = platform.get(f"person/by-source/{POPULATION}/{record(2)[1]}", BOTH)
    assert by_key.json()["id"] == found["id"]
    assert platform.get(f"person/by-source/{POPULATION}/{record(2)[1]}", WHOLE).status_code == 404
    assert platform.get(f"person/by-source/{INSURANCE}/{insured(2)[1]}", BOTH).status_code == 404


def test_who_sees_some_rows_of_a_register_learns_no_key_of_it(platform: Platform) -> None:
    for n in (next(n for n in range(2, 60) if (person(n)["commune_code"] == "25195") is inside) for inside in (True, False)):
        assert platform.get(f"person/by-source/{POPULATION}/{record(n)[1]}", SOME).status_code == 404
        told = platform.get(f"person/{platform.golden(n)}", SOME)
        assert told.status_code == 200
        assert record(n)[1] not in json.dumps([told.json()["sources"], told.json()["provenance"]])
        assert platform.get(f"person/{platform.golden(n)}/members", SOME).json()["members"] == []


def test_a_key_that_leads_nowhere_is_in_the_ledger_as_itself(platform: Platform) -> None:
    subjects = []
    for key in ("7999999998", "7999999999"):
        assert platform.get(f"person/by-source/{POPULATION}/{key}", BOTH).status_code == 404
        subjects.append((platform.last_entry()["event"], platform.last_entry()["subject"]))
    assert subjects[0][0] == "answer:record:missing"
    assert subjects[0] != subjects[1]


def test_nobody_is_found_without_an_agreement_or_outside_it(platform: Platform) -> None:
    inside = next(n for n in range(2, 60) if person(n)["commune_code"] == "25195")
    outside = next(n for n in range(2, 60) if person(n)["commune_code"] != "25195")
    assert platform.get(f"person/{platform.golden(inside)}", STRANGER).status_code == 403
    assert platform.get(f"person/{platform.golden(inside)}", NEIGHBOUR).status_code == 200
    missing = platform.get(f"person/{platform.golden(outside)}", NEIGHBOUR)
    unknown = platform.get("person/person-000000000000000", NEIGHBOUR)
    assert (missing.status_code, missing.json()) == (404, unknown.json())
    assert platform.get("parcel/person-000000000000000").status_code == 403
    assert platform.get("planet/1").status_code == 404


def test_a_description_finds_its_golden_record_with_reasons_that_add_up(platform: Platform) -> None:
    answer = platform.post("person:match", {"attributes": {**described(6), "full_name": person(6)["full_name"].upper()}})
    assert answer.status_code == 200
    best = answer.json()["candidates"][0]
    assert (best["id"], best["verdict"]) == (platform.golden(6), "sure")
    assert best["values"]["citizen_id"] == person(6)["citizen_id"]
    assert any("Họ và tên" in reason["vi"] for reason in best["reasons"])
    assert platform.last_entry()["event"] == "match:entity:asked"
    assert platform.last_entry()["details"] == {"operation": "match", "candidates": len(answer.json()["candidates"])}


def test_what_is_withheld_or_masked_finds_nobody_and_is_said_not_to_take_part(platform: Platform) -> None:
    found = platform.post("person:match", {"attributes": described(6)}, NARROW).json()
    assert found["candidates"] == []
    assert found["not_compared"] == dict.fromkeys(("born_on", "citizen_id", "full_name"), "withheld")


def test_fewer_rights_never_tell_more(platform: Platform) -> None:
    for n in range(2, 40):
        asked = {"attributes": described(n, "full_name", "born_on", "citizen_id", "phone", "address")}
        whole = {each["id"] for each in platform.post("person:match", asked).json()["candidates"]}
        for caller in (NARROW, NEIGHBOUR):
            less = platform.post("person:match", asked, caller).json()["candidates"]
            assert {each["id"] for each in less} <= whole
        for each in platform.post("person:match", asked, NEIGHBOUR).json()["candidates"]:
            assert each["values"]["commune_code"] == "25195"


def test_ask_once_says_who_holds_what_and_whether_it_agrees(platform: Platform) -> None:
    fields = {"full_name": person(4)["full_name"].lower(), "phone": "0000000000", "ethnicity": None}
    fields = {name: value for name, value in fields.items() if name in {p.name for p in platform.index.master.properties}}
    found = platform.post("person:held", {"attributes": described(4), "fields": fields}).json()
    assert found["verdict"] == "sure"
    assert found["fields"]["full_name"]["agrees"] is True
    assert found["fields"]["full_name"]["by"]["dataset"] == POPULATION
    assert found["fields"]["phone"]["agrees"] is False
    by_id = platform.post("person:held", {"id": platform.golden(4), "fields": {"full_name": person(4)["full_name"]}}, NARROW).json()
    assert by_id["fields"]["full_name"] == {"held": True, "by": found["fields"]["full_name"]["by"]}
    assert platform.post("person:held", {"attributes": {"full_name": "Người Không Có"}, "fields": {"phone": None}}).json()["fields"] == {}


@pytest.mark.parametrize(
    ("path", "document"),
    [
        ("person:match", {}),
        ("person:match", {"attributes": {}}),
        ("person:match", {"attributes": {"shoe_size": "42"}}),
        ("person:match", {"attributes": {"full_name": 1}}),
        ("person:match", {"attributes": {"full_name": "A\x00B"}}),
        ("person:match", {"attributes": {"full_name": "An"}, "limit": 0}),
        ("person:match", {"attributes": {"full_name": "An"}, "limit": True}),
        ("person:match", ["full_name"]),
        ("person:held", {"attributes": {"full_name": "An"}}),
        ("person:held", {"id": "x", "attributes": {"full_name": "An"}, "fields": {"phone": None}}),
        ("person:held", {"id": 1, "fields": {"phone": None}}),
        ("person:held", {"id": "x", "fields": {"golden_id": None}}),
        ("person:held", {"id": "x", "fields": {"phone": 1}}),
    ],
)
def test_a_question_that_cannot_be_understood_is_refused_in_words(platform: Platform, path: str, document: Any) -> None:
    answer = platform.post(path, document)
    assert answer.status_code == 422
    assert answer.json()["title"]
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_steward_decides_a_consumer_follows_and_an_auditor_takes_it_back(platform: Platform) -> None:
    place, index = platform.workshop, platform.index
    first, second = platform.golden(21), platform.golden(23)
    begin = platform.get("person/changes?after=0&limit=1000").json()["next"]
    before = place.clock()
    with pytest.raises(Conflict, match="second person"):
        stewarding.decide(place, index, record(21), record(23), "same", "can-bo-a", "xác minh tại nhà")
    done = stewarding.decide(place, index, record(21), record(23), "same", "can-bo-b", "xác minh tại nhà")
    survivor, loser = (first, second) if platform.golden(21) == first else (second, first)

    events = platform.get(f"person/changes?after={begin}", BOTH).json()["events"]
    merged = next(each for each in events if each["kind"] == "entity:merged")
    assert (merged["id"], merged["others"]) == (survivor, [loser])
    moved = platform.get(f"person/{loser}")
    assert (moved.status_code, moved.headers["location"]) == (308, f"/v1/entities/person/{survivor}")
    assert platform.get(f"person/{loser}?known_at={before.isoformat().replace('+', '%2B')}").json()["id"] == loser
    assert done.act is not None

    stewarding.undo(place, index, done.act, "kiem-toan", "hai người khác nhau")
    after = platform.get(f"person/changes?after={merged['event']}").json()["events"]
    assert {"entity:revived", "entity:split"} & {each["kind"] for each in after}
    assert (platform.golden(21), platform.golden(23)) == (first, second)
    assert platform.get(f"person/{loser}").status_code == 200


def test_who_somebody_was_taken_for_can_be_asked_of_any_instant(platform: Platform) -> None:
    place, index = platform.workshop, platform.index
    id = platform.golden(30)
    before = place.clock().isoformat().replace("+", "%2B")
    stewarding.split(place, index, [[record(30)], [insured(30)]], "can-bo-a", "hai người")
    now = platform.get(f"person/{id}/members").json()
    then = platform.get(f"person/{id}/members?known_at={before}").json()
    assert (now["members_withheld"], then["members_withheld"]) == (1, 2)
    assert overriding.who(place, insured(30), place.clock()) != id


def test_an_event_feed_hides_what_a_row_filter_hides(platform: Platform) -> None:
    every = platform.get("person/changes?limit=1000").json()["events"]
    few = platform.get("person/changes?limit=1000", NEIGHBOUR).json()["events"]
    assert {each["event"] for each in few} < {each["event"] for each in every}
    assert platform.get("person/changes?after=x").status_code == 400
    assert platform.get("person/changes?after=1&before=2").status_code == 400
    assert platform.get("person/changes", STRANGER).status_code == 403


def test_persons_of_elsewhere_do_not_crowd_out_those_a_caller_may_see(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = next(n for n in range(PEOPLE) if person(n)["commune_code"] == "25195")
    twin = population_row(mine) | {
        "record_no": "7999999999",
        "commune_code": "25198",
        "phone": "0612345678",
        "citizen_id": person(mine)["citizen_id"][:6] + "999999",
    }
    send(platform.workshop, POPULATION, [twin], "twin")
    asked = {"attributes": described(mine, "full_name", "born_on", "address") | {"phone": "0612345678"}}
    nearest, *others = (each["id"] for each in platform.post("person:match", asked).json()["candidates"])
    assert nearest == golden_of(platform.workshop, POPULATION, "7999999999")
    assert platform.golden(mine) in others
    monkeypatch.setattr(asking_index, "MOST_CANDIDATES", 1)
    assert [each["id"] for each in platform.post("person:match", asked, NEIGHBOUR).json()["candidates"]] == [platform.golden(mine)]
