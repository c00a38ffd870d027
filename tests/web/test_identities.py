"""Golden records over HTTP: told with their sources, found by a description, followed through merges, never more than may be seen."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from lienthong.access import Actor, Operation, Register, Role, RowCondition, mask
from lienthong.clock import end_of_day, vietnam_date
from lienthong.errors import Conflict
from lienthong.pipeline import Workshop, asking_index, match_published, overriding, stewarding
from lienthong.pipeline.matching import EntityIndex, Name
from lienthong.pipeline.writing import Change, Manner, write_record
from lienthong.settings import Settings
from lienthong.web.app import create_app
from lienthong.web.services import make_services
from tests.factories import TickingClock
from tests.pipeline.test_matching import golden_of
from tests.registers import INSURANCE, PEOPLE, POPULATION, insurance_row, model_of, person, person_entity, population_row, send
from tests.store.ledgers import written
from tests.templates import Template
from tests.web.counters import URL, _desk, asking, make_agreement

ROOT = Path(__file__).parents[2]
MASTER = "master.person"
READ = frozenset({Operation.LOOK_UP, Operation.LIST, Operation.CHANGES})
STRANGER, WHOLE, NARROW, NEIGHBOUR, BOTH, SOME, EVERY, PLAIN = (
    f"VN/GOV/H10.12/{name}" for name in ("xa-la", "toan-bo", "hep", "lang-gieng", "ca-hai", "mot-phan", "che", "ten-chinh")
)
AGREEMENTS = (
    make_agreement(WHOLE, dataset=MASTER, operations=READ),
    make_agreement(NARROW, dataset=MASTER, operations=READ, fields=("golden_id", "phone", "citizen_id"), masked=("citizen_id",)),
    make_agreement(
        PLAIN,
        dataset=MASTER,
        operations=READ,
        fields=("golden_id", "full_name", "other_name", "born_on", "address", "phone"),
        masked=("other_name",),
    ),
    make_agreement(NEIGHBOUR, dataset=MASTER, operations=READ, row_filter=(RowCondition("commune_code", "eq", "25195"),)),
    make_agreement(BOTH, dataset=MASTER, operations=READ, id="TT-ca-hai-1"),
    make_agreement(BOTH, dataset=POPULATION, operations=READ, id="TT-ca-hai-2"),
    make_agreement(EVERY, dataset=MASTER, operations=READ, masked=("phone",), id="TT-che-1"),
    make_agreement(EVERY, dataset=POPULATION, operations=READ, id="TT-che-2"),
    make_agreement(EVERY, dataset=INSURANCE, operations=READ, masked=("address",), id="TT-che-3"),
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
    with opened(matched_template, tmp_path_factory.mktemp("home")) as found:
        yield found


@pytest.fixture
def own_platform(matched_template: Template, tmp_path: Path) -> Iterator[Platform]:
    """One whose calendar a test may turn on.

    Its database is another copy of the same template, and numbers reserved of one are taken in the other: none is kept from one to the next.
    """
    match_published._kept.cache_clear()
    with opened(matched_template, tmp_path) as found:
        yield found
    match_published._kept.cache_clear()


@contextmanager
def opened(template: Template, home: Path) -> Iterator[Platform]:
    with template.copy() as place:
        entity = person_entity(place)
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


def test_what_a_register_said_that_no_contract_names_any_more_is_withheld(platform: Platform) -> None:
    send(platform.workshop, INSURANCE, [insurance_row(50, phone="0611111111")], "of a register that goes")
    id = platform.golden(50)
    with platform.workshop.database.connect() as connection:
        connection.execute("update match_records set source = 'gone.register' where source = %s and key = %s", insured(50))
    answer = platform.get(f"person/{id}", BOTH)
    assert answer.status_code == 200
    assert (len(answer.json()["conflicts"]["phone"]["said"]), answer.json()["conflicts"]["phone"]["withheld"]) == (1, 1)


def test_what_registers_say_differently_is_told_with_its_sources(platform: Platform) -> None:
    """To who may see their values; of the others, and of what the agreement masks or withholds, no more than elsewhere."""
    row = insurance_row(46, phone="0611111111", address="Số 9, ấp 9")
    send(platform.workshop, INSURANCE, [row], "elsewhere")
    id, phone = platform.golden(46), person(46)["phone"]
    assert golden_of(platform.workshop, *insured(46)) == id
    said = platform.get(f"person/{id}", BOTH).json()["conflicts"]
    assert {*said} == {"phone", "address"}
    assert [(each["value"], each["source"], each["key"]) for each in said["phone"]["said"]] == [(phone, *record(46))]
    assert said["phone"]["withheld"] == 1  # the insurer's, whose register this caller may not look up
    blind = platform.get(f"person/{id}", WHOLE)
    assert blind.json()["conflicts"] == {name: {"said": [], "withheld": 2} for name in ("phone", "address")}
    (unchosen,) = {phone, row["phone"]} - {blind.json()["values"]["phone"]}
    assert unchosen not in blind.text
    assert {*platform.get(f"person/{id}", NARROW).json()["conflicts"]} == {"phone"}
    every = platform.get(f"person/{id}", EVERY).json()["conflicts"]
    assert [(each["value"], each["source"]) for each in every["phone"]["said"]] == [
        (mask("last3", phone), POPULATION), (mask("last3", "0611111111"), INSURANCE),
    ]  # fmt: skip
    assert ([each["source"] for each in every["address"]["said"]], every["address"]["withheld"]) == ([POPULATION], 1)
    assert platform.get(f"person/{platform.golden(3)}", BOTH).json()["conflicts"] == {}
    then = platform.workshop.clock().isoformat().replace("+", "%2B")
    assert "conflicts" not in platform.get(f"person/{id}?known_at={then}", BOTH).json()


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


def test_another_name_finds_its_bearer_and_is_never_told_by_asking_with_it(platform: Platform) -> None:
    send(platform.workshop, POPULATION, [population_row(12) | {"other_name": "Phạm Thị Út"}], "also called")
    asked = {"attributes": described(12, "born_on", "address", "phone") | {"full_name": "PHAM THI UT"}}
    best = platform.post("person:match", asked).json()["candidates"][0]
    assert (best["id"], best["values"]["other_name"]) == (platform.golden(12), "Phạm Thị Út")
    assert any("là tên gọi khác" in reason["vi"] for reason in best["reasons"])
    invented = {"attributes": asked["attributes"] | {"full_name": "PHAM THI BE"}}
    assert platform.post("person:match", asked, PLAIN).json() == platform.post("person:match", invented, PLAIN).json()


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
    assert [(each["kind"], each["id"], each["others"]) for each in after] == [
        ("entity:revived", loser, []), ("entity:split", survivor, [loser])
    ]  # fmt: skip
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


def later(place: Workshop, days: int) -> Workshop:
    """The same workshop so many days on; those who ask stay where they are, with their tokens."""
    return replace(place, clock=TickingClock(place.clock() + timedelta(days=days)))


def merge(place: Workshop, index: EntityIndex, first: Name, second: Name) -> int:
    """Two persons' word that two records are one; gives the act."""
    with pytest.raises(Conflict, match="second person"):
        stewarding.decide(place, index, first, second, "same", "can-bo-a", "xác minh tại nhà")
    done = stewarding.decide(place, index, first, second, "same", "can-bo-b", "xác minh tại nhà")
    assert done.act is not None
    return done.act


def told(platform: Platform, path: str, caller: str = BOTH, **then: Any) -> tuple[int, Any]:
    asked = "&".join(f"{name}={str(value).replace('+', '%2B')}" for name, value in then.items())
    answer = platform.get(f"person/{path}?{asked}", caller)
    return answer.status_code, answer.json()


def test_who_somebody_was_on_a_day_can_be_asked_beside_when_it_was_known(own_platform: Platform) -> None:
    platform, place, index = own_platform, own_platform.workshop, own_platform.index
    begun = vietnam_date(place.clock())
    merged_on, undone_on = begun + timedelta(days=3), begun + timedelta(days=6)
    first, second = platform.golden(41), platform.golden(43)
    before = place.clock()
    act = merge(later(place, 3), index, record(41), record(43))
    survivor = platform.golden(41)
    loser, lost = (second, record(43)) if survivor == first else (first, record(41))
    kept = record(41) if survivor == first else record(43)
    for earlier in ({"as_of": str(begun)}, {"known_at": before.isoformat()}):
        status, found = told(platform, loser, **earlier)
        assert (status, found["sources"][0]["key"]) == (200, lost[1]), "nothing leads on from what it was"
    assert told(platform, loser)[0] == 308
    stewarding.undo(later(place, 6), index, act, "kiem-toan", "hai người khác nhau")

    def mine(id: str, **then: Any) -> set[str] | int:
        """The keys behind a golden record, or the status."""
        status, found = told(platform, f"{id}/members", **then)
        return {each["key"] for each in found["members"]} if status == 200 else status

    apart, between = {"as_of": merged_on - timedelta(days=1)}, {"as_of": undone_on - timedelta(days=1)}
    assert (mine(survivor, **apart), mine(loser, **apart)) == ({kept[1]}, {lost[1]})
    assert (mine(survivor, **between), mine(loser, **between)) == ({kept[1], lost[1]}, 404)
    assert mine(survivor, as_of=merged_on) == {kept[1], lost[1]}, "a day is told as it ended"
    assert (mine(survivor, as_of=undone_on), mine(loser, as_of=undone_on)) == ({kept[1]}, {lost[1]})
    assert mine(loser, **between, known_at=before.isoformat()) == {lost[1]}, "nobody knew of it then"
    assert mine(loser, **apart, known_at=end_of_day(undone_on - timedelta(days=1)).isoformat()) == {lost[1]}
    assert mine(survivor, as_of=begun - timedelta(days=1)) == 404

    for then, id in (
        (apart, loser),
        (between, survivor),
        ({"as_of": undone_on}, loser),
        ({**between, "known_at": before.isoformat()}, loser),
    ):
        status, found = told(platform, f"by-source/{lost[0]}/{lost[1]}", **then)
        assert (status, found["id"], found["as_of"]) == (200, id, str(then["as_of"]))
        assert lost[1] in {each["key"] for each in found["sources"]}
        assert told(platform, id, **then) == (200, found)
        asked = {name: str(value) for name, value in then.items()}
        as_listed = platform.client.get(f"/v1/datasets/{MASTER}/records/{id}", params=asked, headers=asking(BOTH)).json()
        as_listed["values"].pop("provenance")
        assert [found[name] for name in ("values", "version", "valid_from")] == [
            as_listed[name] for name in ("values", "version", "valid_from")
        ]
    assert platform.get(f"person/{loser}").status_code == 200


def test_what_held_on_a_day_is_told_within_the_rows_of_that_day(own_platform: Platform) -> None:
    platform, place = own_platform, own_platform.workshop
    n = next(n for n in range(1, 60, 2) if person(n)["commune_code"] == "25195")
    id, begun = platform.golden(n), vietnam_date(place.clock())
    send(later(place, 2), POPULATION, [{**population_row(n), "commune_code": "25198", "phone": "0698765432"}], "moved")
    moved = {"as_of": begun + timedelta(days=2)}
    assert told(platform, id, WHOLE, **moved)[1]["values"]["phone"] == "0698765432"
    status, earlier = told(platform, id, NEIGHBOUR, as_of=begun + timedelta(days=1))
    assert (status, earlier["values"]["phone"], earlier["known_at"]) == (200, person(n)["phone"], None)
    assert told(platform, id, NEIGHBOUR, **moved) == told(platform, id, NEIGHBOUR)
    assert told(platform, id, NEIGHBOUR, **moved)[0] == 404
    assert told(platform, id, STRANGER, as_of=begun)[0] == 403
    assert told(platform, id, NARROW, as_of=begun)[1]["withheld"]


def test_the_ledger_says_of_which_day_and_as_known_when_it_was_asked(platform: Platform) -> None:
    id, asked = platform.golden(8), {"as_of": "2026-07-01", "known_at": "2026-12-31T00:00:00+07:00"}
    noted = {"as_of": "2026-07-01", "known_at": "2026-12-30T17:00:00+00:00"}
    assert told(platform, id, **asked)[0] == 200
    assert (platform.last_entry()["event"], platform.last_entry()["details"]) == ("answer:record:given", noted)
    assert told(platform, f"{id}/members", **asked)[0] == 200
    assert (platform.last_entry()["event"], platform.last_entry()["details"]) == ("match:entity:asked", {"operation": "members", **noted})
    assert told(platform, id, as_of="2020-01-01")[0] == 404
    assert (platform.last_entry()["event"], platform.last_entry()["details"]) == ("answer:record:missing", {"as_of": "2020-01-01"})


@pytest.mark.parametrize("path", ["{id}", "{id}/members", f"by-source/{POPULATION}/7000000008"])
@pytest.mark.parametrize(
    ("asked", "said", "said_vi"),
    [
        ("as_of=2026-02-30", "`as_of`: expected a date like 2025-06-30, found `2026-02-30`.", "`as_of`: cần ngày như 2025-06-30"),
        ("as_of=20260701", "`as_of`: expected a date", "`as_of`: cần ngày"),
        ("as_of=", "`as_of`: expected a date", "`as_of`: cần ngày"),
        ("known_at=yesterday", "`known_at`: expected an instant", "`known_at`: cần thời điểm"),
        ("as_of=2026-07-01&as_of=2026-07-02", "`as_of` is given twice.", "`as_of` có hai lần."),
        ("asof=2026-07-01", "Unknown parameter `asof`.", "Không có tham số `asof`."),
    ],
)
def test_what_is_no_day_is_refused_in_words(platform: Platform, path: str, asked: str, said: str, said_vi: str) -> None:
    answer = platform.get(f"person/{path.format(id=platform.golden(8))}?{asked}", BOTH)
    assert answer.status_code == 400
    assert said in answer.text
    assert said_vi in answer.text


def test_an_ended_record_is_told_as_it_was_on_a_day_and_now_how_to_ask_for_that(own_platform: Platform) -> None:
    platform, place = own_platform, own_platform.workshop
    n, begun = 51, vietnam_date(place.clock())
    id = platform.golden(n)
    police = Actor("can-bo-09", place.contracts[POPULATION].agency, frozenset({Role.DATA_OFFICER}))
    write_record(later(place, 2), place.contracts[POPULATION], Change(record(n)[1], None, 1), police, Manner())
    gone = platform.get(f"person/{id}")
    assert gone.status_code == 410
    assert "as_of" in gone.text
    status, found = told(platform, id, as_of=begun + timedelta(days=1))
    assert (status, found["values"]["full_name"]) == (200, person(n)["full_name"])
    assert told(platform, id, as_of=begun + timedelta(days=2))[0] == 404
    assert told(platform, f"by-source/{POPULATION}/{record(n)[1]}", as_of=begun)[1]["id"] == id
    assert told(platform, f"by-source/{POPULATION}/{record(n)[1]}", as_of=begun + timedelta(days=2))[0] == 404


def test_a_day_ends_at_midnight_in_vietnam() -> None:
    assert end_of_day(date(2026, 7, 1)) == datetime(2026, 7, 1, 16, 59, 59, 999_999, UTC)
    assert vietnam_date(end_of_day(date(2026, 7, 1))) == date(2026, 7, 1)
    assert vietnam_date(end_of_day(date.max)) == date.max


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
