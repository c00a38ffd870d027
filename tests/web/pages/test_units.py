"""Communes merged on a day, over HTTP: all that is touched is shown, two operators do it in one act, and every reader sees what became of it."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from starlette.testclient import TestClient

from lienthong.access import Actor, Agency, Role, State
from lienthong.clock import vietnam_date
from lienthong.contracts import Property, Sharing
from lienthong.errors import Conflict, LienthongError, NotFound, Unprocessable
from lienthong.pipeline import agencies, apply_contract, approving, submit_records, units
from lienthong.pipeline.granting import terminal
from lienthong.settings import Settings
from lienthong.standards import ADMIN_UNIT
from lienthong.standards.admin_units import follow_changes, packaged, units_by_code
from lienthong.standards.unit_changes import UnitChange
from lienthong.store import Database
from lienthong.store import agreements as agreed
from lienthong.store import unit_changes as store
from lienthong.web.app import create_app
from lienthong.web.services import Services, make_services
from tests.conftest import fresh_database
from tests.factories import make_contract
from tests.store.ledgers import written
from tests.web.signing_in import register_person, sign_in

FIRST, SECOND = (Actor(f"van-hanh-{n}", "H10.01", frozenset({Role.OPERATOR})) for n in (1, 2))
PLACES = make_contract(
    id="test.places", sharing=Sharing.OPEN,
    properties=(
        Property(name="id", title_vi="Số", title_en="Number", logical_type="string", required=True, key_position=1),
        Property(name="commune", title_vi="Xã", title_en="Commune", logical_type="string", standard="admin_unit", standard_options={"level": "commune"}),
    ),
)  # fmt: skip
HERE = sorted(u.code for u in packaged().units if u.province_code == "75" and u.valid_to is None and u.level == "commune")
A, B, C, D, E, F = HERE[:6]


def name_of(code: str) -> str:
    return next(unit.name for unit in packaged().by_code[code] if unit.valid_to is None)


@dataclass
class House:
    client: TestClient
    services: Services
    who: dict[str, Any]

    @property
    def database(self) -> Database:
        return self.services.workshop.database

    def enter(self, name: str) -> str:
        return sign_in(self.client, self.who[name], second_factor="totp")

    def facts(self, path: str, **query: Any) -> Any:
        answer = self.client.get(f"{path}.json?{urlencode(query, doseq=True)}")
        assert answer.status_code == 200, answer.text
        return answer.json()

    def page(self, **query: Any) -> Any:
        return self.client.get(f"/operator/units?{urlencode(query, doseq=True)}", headers={"Accept": "text/html"})

    def post(self, path: str, csrf: str, **form: str) -> Any:
        headers = {"Accept": "text/html", "Content-Type": "application/x-www-form-urlencoded"}
        return self.client.post(path, data={"csrf": csrf, **form}, headers=headers, follow_redirects=False)


@pytest.fixture(scope="module")
def house(postgres_server: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    home = Path(tmp_path_factory.mktemp("home"))
    settings = Settings(
        home=home, agreements=home / "agreements", base_url="http://testserver", checkpoint_milliseconds=0, worker=False, province="75"
    )
    with fresh_database(postgres_server) as url:
        services = make_services(settings, Database(url), {PLACES.id: PLACES})
        apply_contract(services.workshop, PLACES)
        rows = [{"id": str(n), "commune": code} for n, code in enumerate((A, A, B, C))]
        submit_records(services.workshop, PLACES, rows, caller="VN/GOV/H10.02/thu", idempotency_key="thu-1")
        who = {name: register_person(services.workshop.database, name, "H10.01", [Role.OPERATOR]) for name in ("van-hanh-1", "van-hanh-2")}
        with TestClient(create_app(services)) as client:
            yield House(client, services, who)
    follow_changes([])
    follow_changes([])


@pytest.fixture(autouse=True)
def _nothing_decided(house: House) -> Iterator[None]:
    yield
    with house.database.connect() as connection:
        connection.execute("delete from unit_change_units")
        connection.execute("delete from unit_changes")
    units.follow(house.services.workshop)
    units.follow(house.services.workshop)


def today(house: House) -> date:
    return vietnam_date(house.services.workshop.clock())


def merger(on: date, *codes: str, into: str = "", name: str = "Phường Hợp Nhất") -> UnitChange:
    return units.read_change(on, "12/NQ-HĐND", [(into or codes[0], name, codes)])


def decided(house: House, change: UnitChange, **agencies_too: Any) -> int:
    """Proposed by one operator, approved by another."""
    workshop = house.services.workshop
    made = approving.propose(workshop, units.CHANGE, FIRST, units.preview(workshop, change, **agencies_too), "theo nghị quyết")
    approving.approve(workshop, units.CHANGE, SECOND, made.number, made.digest)
    units.follow(workshop)
    return made.number


def agreement(house: House, name: str, *bounds: dict[str, Any]) -> None:
    document = {
        "id": name, "provider": "H10.02", "consumer": f"VN/GOV/H10.05/{name.lower()}", "dataset": PLACES.id, "state": "active", "operations": ["look_up"],
        "purposes": {"x": {"vi": "x", "en": "x"}}, "legal_basis": "NĐ 278/2025", "term": {"from": "2020-01-01"}, "row_filter": list(bounds),
    }  # fmt: skip
    with house.database.connect() as connection:
        agreed.add(connection, document, "request", None, agreed.NewStep("declare", State.ACTIVE, FIRST, house.services.workshop.clock()))


def test_the_whole_story_from_preview_to_what_everybody_sees(house: House) -> None:
    csrf, day = house.enter("van-hanh-1"), today(house)
    query = {"on": day.isoformat(), "resolution": "12/NQ-HĐND", "name": "Phường Hợp Nhất", "code": A, "of": f"{A}; {name_of(B)}"}
    facts = house.facts("/operator/units", **query)
    assert [(u["code"], u["of"]) for u in facts["preview"]["begun"]] == [(A, [A, B])]
    assert facts["touched"]["datasets"][0]["records"] == {"commune": 3}
    shown = house.page(**query)
    assert shown.status_code == 200, shown.text
    digest = re.search(r'name="digest" value="(\w+)"', shown.text)
    assert digest
    form = {
        "on": day.isoformat(),
        "resolution": "12/NQ-HĐND",
        "begun": f"{A}|Phường Hợp Nhất|{A} {B}",
        "merge": "",
        "into": "",
        "reason": "theo nghị quyết",
    }
    assert house.post("/operator/units", csrf, digest="khác", **form).status_code == 409
    place = house.post("/operator/units", csrf, digest=digest[1], **form).headers["location"]
    assert house.post(place, csrf, word="approve", digest=house.facts(place)["digest"]).status_code == 403
    assert house.facts("/operator/units")["changes"] == []
    csrf = house.enter("van-hanh-2")
    assert "Hợp Nhất" in house.client.get(place, headers={"Accept": "text/html"}).text
    assert house.post(place, csrf, word="approve", digest=house.facts(place)["digest"]).status_code == 303
    [change] = house.facts("/operator/units")["changes"]
    assert (change["state"], change["begun"][0]["of"]) == ("in_force", [A, B])
    house.client.cookies.clear()
    unit = house.facts(f"/units/{B}")
    assert [after["name"] for after in unit["history"][0]["after"]] == ["Phường Hợp Nhất"]
    assert "Phường Hợp Nhất" in house.client.get(f"/datasets.json?q={urlencode({'': name_of(B)})[1:]}").text
    entries = [e for e in written(house.database) if e["event"] == "unit:communes:changed"]
    assert entries[-1]["details"]["ended"] == [A, B]
    assert ADMIN_UNIT.clean(f"{name_of(B)}, Đồng Nai", {"level": "commune"}, day).value == A


def test_a_page_tells_every_fault_and_keeps_what_was_typed(house: House) -> None:
    house.enter("van-hanh-1")
    day = today(house).isoformat()
    answer = house.page(on=day, resolution="1", name=["Hợp Nhất"], code=["12"], of=["99999"])
    assert answer.status_code == 422
    assert "5 chữ số" in answer.text
    assert 'value="99999"' in answer.text
    assert house.page(on=day, resolution="1", name="Xã Thử", code=A, of="Xã Không Có Ở Đâu").status_code == 422
    assert house.page(on="mai", resolution="1", name="Xã Thử", code=A, of=A).status_code == 400
    assert (
        house.page(on=(today(house) + timedelta(days=900)).isoformat(), resolution="1", name="Xã Thử", code=A, of=f"{A};{B}").status_code
        == 422
    )


def test_a_day_to_come_changes_nothing_before_it(house: House) -> None:
    day = today(house) + timedelta(days=40)
    decided(house, merger(day, A, B))
    assert units_by_code()[B][-1].valid_to is None
    house.enter("van-hanh-1")
    facts = house.facts("/operator/units")
    assert facts["changes"][0]["state"] == "to_come"
    assert next(u["valid_to"] for u in facts["communes"] if u["code"] == B) == day.isoformat()


def test_a_day_that_is_past_counts_from_then(house: House) -> None:
    day = today(house) - timedelta(days=40)
    decided(house, merger(day, A, B))
    name = f"{name_of(B)}, Đồng Nai"
    assert ADMIN_UNIT.clean(name, {"level": "commune"}, day - timedelta(days=1)).value == B
    assert ADMIN_UNIT.clean(name, {"level": "commune"}, day).value == A


def test_what_was_decided_is_not_decided_again(house: House) -> None:
    day, workshop = today(house), house.services.workshop
    document = units.preview(workshop, merger(day, A, B))
    first, again = (approving.propose(workshop, units.CHANGE, FIRST, document, "một") for _ in range(2))
    approving.approve(workshop, units.CHANGE, SECOND, first.number, first.digest)
    with pytest.raises(Unprocessable, match=r"already|ended"):
        approving.approve(workshop, units.CHANGE, SECOND, again.number, again.digest)
    with pytest.raises(Unprocessable):
        units.preview(workshop, merger(day + timedelta(days=3), B, C))


def test_of_two_that_would_swallow_each_other_one_is_done(house: House) -> None:
    day, workshop = today(house), house.services.workshop
    made = [
        approving.propose(workshop, units.CHANGE, FIRST, units.preview(workshop, change), "một")
        for change in (merger(day, A, B), merger(day, B, A, into=B, name="Xã Khác Hẳn"))
    ]
    done: list[str] = []
    gate = threading.Barrier(2)

    def decide(proposal: Any) -> None:
        gate.wait()
        try:
            approving.approve(workshop, units.CHANGE, SECOND, proposal.number, proposal.digest)
            done.append("done")
        except LienthongError as error:
            done.append(error.code)

    threads = [threading.Thread(target=decide, args=(each,)) for each in made]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(done) == ["done", "unprocessable"]
    with house.database.connect() as connection:
        assert len(store.standing(connection)) == 1


def test_an_agreement_is_widened_only_where_it_named_all_that_merges(house: House) -> None:
    agreement(house, "TT-CA-HAI", {"field": "commune", "operator": "in", "value": [D, E]})
    agreement(house, "TT-MOT", {"field": "commune", "operator": "eq", "value": E})
    agreement(house, "TT-GIU-MA", {"field": "commune", "operator": "eq", "value": D})
    agreement(house, "TT-KHAC", {"field": "commune", "operator": "eq", "value": F})
    day, fresh = today(house), "99001"
    told = {
        each["id"]: (each["does"], each["adds"])
        for each in units.preview(house.services.workshop, merger(day, D, E, into=fresh))["agreements"]
    }
    assert told == {"TT-CA-HAI": ("extended", [fresh]), "TT-MOT": ("waits", []), "TT-GIU-MA": ("waits", [])}
    kept = {each["id"]: each["does"] for each in units.preview(house.services.workshop, merger(day, D, E))["agreements"]}
    assert kept == {"TT-CA-HAI": "stays", "TT-MOT": "waits", "TT-GIU-MA": "widened"}
    decided(house, merger(day, D, E, into=fresh))
    with house.database.connect() as connection:
        bounds = {each.id: each.document["row_filter"] for each in agreed.standing(connection)}
    assert bounds["TT-CA-HAI"] == [{"field": "commune", "operator": "in", "value": [D, E, fresh]}]
    assert bounds["TT-MOT"] == [{"field": "commune", "operator": "eq", "value": E}]


def test_agencies_merge_in_the_same_act_or_nothing_is_done(house: House) -> None:
    workshop, day = house.services.workshop, today(house) + timedelta(days=5)
    for code in ("H10.41", "H10.42"):
        agencies.keep(workshop, terminal("thu"), Agency(code, f"UBND {code}", "commune", "", date(2025, 7, 1)))
    with pytest.raises(NotFound):
        units.preview(workshop, merger(day, A, B), ("H10.99",), "H10.42")
    decided(house, merger(day, A, B), merged=("H10.41",), into="H10.42")
    events = [entry["event"] for entry in written(house.database)]
    assert {"agency:record:closed", "agency:rights:regranted", "unit:communes:changed"} <= set(events[-4:])


def test_a_change_is_taken_back_by_two_unless_another_is_built_on_it(house: House) -> None:
    workshop, day = house.services.workshop, today(house)
    decided(house, merger(day - timedelta(days=9), A, B))
    decided(house, merger(day, A, C))
    with house.database.connect() as connection:
        first, second = (each.number for each in store.standing(connection))
    with pytest.raises(Conflict, match="builds upon"):
        units.taking_back(workshop, first)
    csrf = house.enter("van-hanh-1")
    place = house.post("/operator/units", csrf, take_back=str(second), reason="gõ nhầm").headers["location"]
    csrf = house.enter("van-hanh-2")
    assert house.post(place, csrf, word="approve", digest=house.facts(place)["digest"]).status_code == 303
    assert [each["state"] for each in house.facts("/operator/units")["changes"]] == ["taken_back", "in_force"]
    assert units_by_code()[C][-1].valid_to is None
    with pytest.raises(NotFound):
        units.taking_back(workshop, second)
