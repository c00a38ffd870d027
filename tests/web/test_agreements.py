"""Agreements over HTTP in one process: two persons who sign in, lists, templates, what is explained and what is answered."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from lienthong.access import AccessRequest, Hours, Operation, Quota, Register, Role, RowCondition, State, Stop, decide, matches
from lienthong.contracts import Sharing
from lienthong.standards.working_days import read_working_days
from lienthong.web.problem import PROBLEM
from tests.conftest import fresh_database
from tests.factories import TickingClock, make_contract
from tests.web.counters import OWNER, PART, PEOPLE, READER, Province, _desk, asking, entries, make_agreement, make_app, make_province
from tests.web.signing_in import register_person, sign_in

NAMES = [p.name for p in PEOPLE]
MORNING = datetime(2026, 7, 1, 3, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def province(postgres_server: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Province]:
    with fresh_database(postgres_server) as url:
        yield make_province(url, Path(tmp_path_factory.mktemp("province")))


@pytest.fixture(scope="module")
def opened(province: Province) -> Iterator[tuple[Any, TestClient]]:
    app = make_app(province)
    with TestClient(app, client=("10.12.7.9", 5000)) as client:
        yield app._services, client


@pytest.fixture(scope="module")
def quiet(province: Province) -> Iterator[tuple[Any, TestClient]]:
    """An application whose register is the test's alone: nobody files anything while it is used."""
    app = make_app(province)
    with TestClient(app, client=("10.12.7.9", 5000)) as client:
        yield app._services, client


@pytest.fixture
def undisturbed(postgres_server: Any, tmp_path: Path) -> Iterator[tuple[TestClient, Province]]:
    """A province of the test's own. Where others file agreements, the store's register takes the place of the one put in, a second later."""
    with fresh_database(postgres_server) as url:
        province = make_province(url, tmp_path)
        clock = province.workshop.clock
        assert isinstance(clock, TickingClock)
        clock.now = MORNING
        with TestClient(make_app(province), client=("10.12.7.9", 5000)) as client:
            yield client, province


@pytest.fixture
def client(opened: tuple[Any, TestClient], province: Province) -> TestClient:
    services, client = opened
    services.register = province.register
    clock = province.workshop.clock
    assert isinstance(clock, TickingClock)
    clock.now = MORNING
    return client


def asking_now(caller: str, **more: str) -> dict[str, str]:
    return {**asking(caller), "Authorization": f"Bearer {_desk(TickingClock(MORNING)).issue(caller, MORNING)}", **more}


def filed(client: TestClient, **more: Any) -> dict[str, Any]:
    template = client.get("/v1/agreements/template?dataset=test.people&purpose=thong-ke&operation=list", headers=asking_now(READER)).json()
    answer = client.post(template["href"], json={**template["body"], **more}, headers=asking_now(READER))
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_a_template_filed_as_it_is_waits_for_an_answer(client: TestClient) -> None:
    found = filed(client)
    assert (found["state"], found["missing"], found["document"]["consumer"]) == ("requested", [], READER)


def test_two_persons_who_sign_in_grant_what_is_sensitive(client: TestClient, province: Province) -> None:
    restricted = filed(client, dataset="test.people", note="hai người", operations=["list", "bulk"])
    contracts = dict(province.workshop.contracts)
    changed = {**contracts, "test.people": replace(contracts["test.people"], sharing=Sharing.RESTRICTED)}
    assert isinstance(province.workshop.contracts, dict)
    province.workshop.contracts.update(changed)
    try:
        path = f"/v1/agreements/{restricted['id']}/grant"
        by_system = client.post(path, json={}, headers=asking_now(OWNER))
        assert (by_system.status_code, by_system.json()["rule"]) == (403, "no_sign_in")
        persons = {
            name: register_person(province.workshop.database, name, "H10.02", [Role.DATA_OFFICER]) for name in ("thu-nhat", "thu-hai")
        }
        states = []
        for name in ("thu-nhat", "thu-nhat", "thu-hai"):
            csrf = sign_in(client, persons[name], second_factor="totp")
            answer = client.post(path, json={}, headers={"Lienthong-CSRF": csrf})
            client.cookies.clear()
            states.append((answer.status_code, answer.json().get("state")))
        assert states == [(200, "requested"), (409, None), (200, "granted")]
    finally:
        province.workshop.contracts.update(contracts)


def test_each_side_sees_its_own_and_nobody_elses(client: TestClient) -> None:
    found = filed(client, note="của ai")
    for caller, sees in ((READER, True), (OWNER, True), (PART, False)):
        listed = client.get("/v1/agreements?limit=1000", headers=asking_now(caller)).json()["agreements"]
        assert (found["id"] in [each["id"] for each in listed]) is sees
        for path in ("", "/history", "/usage"):
            assert (client.get(f"/v1/agreements/{found['id']}{path}", headers=asking_now(caller)).status_code == 200) is sees


def test_a_direct_link_is_reported_stated_by_the_owner_and_seen_by_both_sides_alone(undisturbed: tuple[TestClient, Province]) -> None:
    client, province = undisturbed
    link = {"provider": "H10.02", "consumer": "H10.12", "dataset": "test.people", "content": "Danh sách hằng đêm", "since": "2026-06-01"}
    other = client.post("/v1/direct-links", json=link, headers=asking_now(PART))
    assert (other.status_code, other.json()["rule"]) == (403, "other_agency")
    found = client.post("/v1/direct-links", json=link, headers=asking_now(READER)).json()
    assert (found["state"], found["could"], found["avoidable"], found["due_on"]) == ("reported", "agreement", True, "2026-07-15")
    said = {"ground": "not_ready", "reason": "Chưa mở", "document_no": "12/SKHCN", "dated_on": "2026-06-30", "until": "2026-12-31"}
    path = f"/v1/direct-links/{found['link']}"
    assert client.post(f"{path}/state", json=said, headers=asking_now(OWNER)).status_code == 403, "the provider does not own the platform"
    csrf = sign_in(client, register_person(province.workshop.database, "van-hanh", "H10.00", [Role.OPERATOR]), second_factor="totp")
    stated = client.post(f"{path}/state", json=said, headers={"Lienthong-CSRF": csrf})
    client.cookies.clear()
    assert (stated.status_code, stated.json()["state"], stated.json()["ground"]) == (200, "stated", "not_ready"), stated.text
    for caller, status in ((READER, 200), (OWNER, 200), (PART, 404)):
        assert client.get(path, headers=asking_now(caller)).status_code == status
        listed = client.get("/v1/direct-links", headers=asking_now(caller)).json()["links"]
        assert (found["link"] in [each["link"] for each in listed]) is (status == 200)
    steps = client.get(path, headers=asking_now(OWNER)).json()["steps"]
    assert [(step["act"], step["document_no"], bool(step["legal_basis"])) for step in steps] == [
        ("report", "", True),
        ("state", "12/SKHCN", True),
    ]
    assert entries(province)[-1]["event"] == "link:direct:stated"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"ground": "because"}, 422), ({"seen": "1"}, 422), ({"until": "soon"}, 422), ({"reason": "a\x00"}, 422), ({"more": 1}, 422), ([], 422), ({}, 404),
    ],
)  # fmt: skip
def test_what_is_said_of_a_link_is_read_strictly(client: TestClient, body: Any, status: int) -> None:
    answer = client.post("/v1/direct-links/KN-2026-999999/end", json=body, headers=asking_now(OWNER))
    assert (answer.status_code, answer.headers["content-type"]) == (status, PROBLEM)
    assert client.post("/v1/direct-links/KN-2026-999999/burn", json={}, headers=asking_now(OWNER)).status_code == 404


def test_a_letter_is_recorded_once_by_either_side_counted_and_withdrawn(client: TestClient) -> None:
    letter = {
        "asker": "H10.12",
        "asked": "H10.02",
        "dataset": "test.people",
        "content": "Xin 30 hồ sơ",
        "document_no": "9/UBND",
        "sent_on": "2026-06-30",
        "records": 30,
    }
    kept = client.post("/v1/paper-requests", json=letter, headers=asking_now(READER)).json()
    assert (kept["could"], kept["agreement"], kept["avoidable"]) == ("agreement", "TT-tro-cap", True)
    assert client.post("/v1/paper-requests", json=letter, headers=asking_now(OWNER)).status_code == 409
    client.post("/v1/paper-requests", json={**letter, "dataset": "", "document_no": "10/UBND", "records": 2}, headers=asking_now(OWNER))
    for caller, counts in ((OWNER, [2, 32, 1, 30]), (PART, [0, 0, 0, 0])):
        found = client.get("/v1/paper-requests?from=2026-06-01&limit=1", headers=asking_now(caller)).json()
        assert [found[name] for name in ("letters", "records", "avoidable_letters", "avoidable_records")] == counts
    page = client.get("/v1/paper-requests?from=2026-06-01&limit=1", headers=asking_now(READER)).json()
    rest = client.get(f"/v1/paper-requests?from=2026-06-01&before={page['next']}", headers=asking_now(READER)).json()
    assert [each["document_no"] for each in (*page["requests"], *rest["requests"])] == ["10/UBND", "9/UBND"]
    for wrong in ({"records": "30"}, {"records": True}, {"sent_on": "hôm qua"}, {"note": "x"}, {"dataset": "Nguyễn Văn A"}):
        assert client.post("/v1/paper-requests", json={**letter, **wrong}, headers=asking_now(READER)).status_code == 422
    withdraw = f"/v1/paper-requests/{kept['request']}/withdraw"
    assert [client.post(withdraw, json={"reason": "nhầm"}, headers=asking_now(who)).status_code for who in (OWNER, READER, READER)] == [
        404,
        200,
        404,
    ]


def test_lists_are_given_page_by_page(client: TestClient) -> None:
    for n in range(3):
        filed(client, note=f"trang {n}")
    everything = client.get("/v1/agreements?limit=1000", headers=asking_now(READER)).json()["agreements"]
    found, after = [], ""
    while True:
        page = client.get(f"/v1/agreements?limit=2{after}", headers=asking_now(READER)).json()
        found += page["agreements"]
        if page["next"] is None:
            break
        after = f"&after={page['next']}"
    assert found == everything


def test_what_is_not_answered_in_time_is_overdue(client: TestClient, province: Province) -> None:
    found = filed(client, note="quá hạn")
    clock = province.workshop.clock
    assert isinstance(clock, TickingClock)
    assert client.get("/v1/agreements/overdue", headers=asking_now(OWNER)).json()["deadlines"] == []
    clock.now = MORNING + timedelta(days=15)
    token = _desk(clock).issue(OWNER, clock.now)
    overdue = client.get("/v1/agreements/overdue", headers={**asking(OWNER), "Authorization": f"Bearer {token}"}).json()["deadlines"]
    mine = next(each for each in overdue if each["agreement"] == found["id"])
    assert (mine["what"], mine["agency"], mine["due_on"], mine["working_days_left"]) == ("answer", "H10.02", "2026-07-15", -1)


def test_an_agreement_about_to_end_is_renewed_by_its_own_request(client: TestClient) -> None:
    found = filed(client, term={"from": "2026-07-01", "to": "2026-07-20"}, note="sắp hết hạn")
    client.post(f"/v1/agreements/{found['id']}/grant", json={}, headers=asking_now(OWNER))
    told = client.get("/v1/agreements/renewals", headers=asking_now(READER)).json()["renewals"]
    assert [each["id"] for each in told] == []  # granted, not in force: no key yet
    template = client.get(f"/v1/agreements/template?renews={found['id']}", headers=asking_now(READER)).json()
    assert template["body"]["term"] == {"from": "2026-07-21", "to": "2026-08-09"}
    renewed = client.post(template["href"], json=template["body"], headers=asking_now(READER))
    assert (renewed.status_code, renewed.json()["document"]["renews"]) == (200, found["id"])


def test_a_planned_stop_is_announced_working_days_ahead(client: TestClient) -> None:
    def announce(begins: str) -> Any:
        body = {
            "dataset": "test.people",
            "begins_at": f"{begins}T08:00:00+07:00",
            "ends_at": f"{begins}T10:00:00+07:00",
            "reason": "nâng cấp",
        }
        return client.post("/v1/planned-stops", json=body, headers=asking_now(OWNER))

    assert announce("2026-07-09").status_code == 422  # six working days after Wednesday 1 July
    assert announce("2026-07-10").status_code == 200
    (stop,) = client.get("/v1/planned-stops").json()["stops"]
    assert (stop["dataset"], stop["under_way"], stop["forced"]) == ("test.people", False, False)
    assert client.post(f"/v1/planned-stops/{stop['stop']}/withdraw", json={"reason": "hoãn"}, headers=asking_now(OWNER)).status_code == 200


def test_all_users_are_suspended_by_the_owner_only(client: TestClient) -> None:
    body = {"dataset": "test.people", "reason": "lỗ hổng"}
    assert client.post("/v1/agreements/suspend-all", json=body, headers=asking_now(READER)).status_code == 403
    assert client.post("/v1/agreements/suspend-all", json=body, headers=asking_now(OWNER)).json() == {"suspended": []}


def test_nobody_unknown_is_told_anything(client: TestClient) -> None:
    for path in ("", "/overdue", "/renewals", "/template", "/YC-2026-000001", "/YC-2026-000001/history"):
        answer = client.get(f"/v1/agreements{path}")
        assert (answer.status_code, answer.headers["content-type"]) == (401, PROBLEM)
    assert client.post("/v1/agreements", content=b"{", headers={"Content-Type": "application/json"}).status_code == 401


CONDITIONS = [
    RowCondition("children", "gte", 2), RowCondition("record_no", "starts_with", "P"), RowCondition("record_no", "in", ["P1", "P2"]),
    RowCondition("born_on", "lte", "1980-01-01"),
]  # fmt: skip
AGREED = st.fixed_dictionaries(
    {
        "state": st.sampled_from([State.ACTIVE, State.ACTIVE, State.ACTIVE, State.SUSPENDED]),
        "fields": st.one_of(st.none(), st.lists(st.sampled_from(NAMES), unique=True).map(tuple)),
        "masked": st.lists(st.sampled_from(NAMES), unique=True, max_size=2).map(tuple),
        "row_filter": st.lists(st.sampled_from(CONDITIONS), max_size=2).map(tuple),
        "operations": st.sets(st.sampled_from([Operation.LOOK_UP, Operation.LIST, Operation.CHANGES])).map(frozenset),
        "purposes": st.sampled_from([{"xet-tro-cap": ("a", "a")}, {"khac": ("b", "b")}]),
        "officials": st.sampled_from([frozenset(), frozenset({"can-bo-01"}), frozenset({"can-bo-02"})]),
        "networks": st.sampled_from([(), (), (ip_network("10.12.0.0/16"),), (ip_network("10.13.0.0/16"),)]),
        "hours": st.sampled_from([None, None, Hours(None, time(7), time(17)), Hours(frozenset({5, 6}), time(0), time(23))]),
        "ends_on": st.sampled_from([None, date(2026, 12, 31), date(2026, 6, 30)]),
    }
)
STOPS = st.sampled_from([(), (), (), (Stop(1, "test.people", MORNING - timedelta(hours=1), MORNING + timedelta(hours=1)),)])


@given(agreed=st.lists(AGREED, max_size=3), stops=STOPS, official=st.sampled_from(["can-bo-01", "can-bo-02"]))
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck), database=None)
def test_what_is_explained_is_what_is_answered(
    quiet: Any, province: Province, agreed: list[dict[str, Any]], stops: tuple[Stop, ...], official: str
) -> None:
    services, client = quiet
    clock = province.workshop.clock
    assert isinstance(clock, TickingClock)
    clock.now = MORNING
    made = tuple(make_agreement(READER, id=f"A{n}", quota=Quota(), **each) for n, each in enumerate(agreed))
    services.register = Register({}, made, stops, read_working_days())
    headers = asking_now(READER, **{"Lienthong-Official": official})
    for operation, path in (
        ("look_up", "/v1/datasets/test.people/records/P1"),
        ("look_up", "/v1/datasets/test.people/records/P1?as_of=2026-07-01"),
        ("list", "/v1/datasets/test.people/records"),
    ):
        asked = {"dataset": "test.people", "caller": READER, "operation": operation, "purpose": "xet-tro-cap", "official": official}
        told = client.get("/v1/access/explain", params={**asked, "address": "10.12.7.9", "at": MORNING.isoformat()}, headers=headers).json()
        answer = client.get(path, headers=headers)
        if not told["allowed"]:
            assert answer.status_code in (401, 403, 503)
            assert (answer.json().get("rule"), answer.json().get("clause", ""), answer.json().get("agreement", "")) == (
                told["rule"], told["clause"], told["agreement"],
            )  # fmt: skip
            continue
        assert answer.status_code in (200, 404), answer.text
        assert entries(province)[-1]["agreement"] == told["agreement"]
        if answer.status_code == 200:
            records = answer.json()["records"] if operation == "list" else [answer.json()]
            for record in records:
                assert_as_told(record, told["fields"])


def assert_as_told(record: Mapping[str, Any], lines: list[dict[str, Any]]) -> None:
    shown = {line["field"]: line["shown"] for line in lines}
    assert set(record["withheld"]) == {name for name, how in shown.items() if how == "withheld"}
    assert set(record["values"]) == {name for name, how in shown.items() if how != "withheld"}
    for name, value in record["values"].items():
        if shown[name] == "masked" and value is not None and name in ("full_name", "born_on"):
            assert value.endswith(".") if name == "full_name" else len(value) == 4


@given(AGREED, st.sets(st.sampled_from(NAMES)), st.sampled_from(CONDITIONS), st.sampled_from(["purpose", "official", "term", "none"]))
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), database=None)
def test_fewer_rights_never_reveal_more(agreed: dict[str, Any], fewer: set[str], condition: RowCondition, less: str) -> None:
    contract = make_contract(properties=PEOPLE)
    more = make_agreement(READER, **{**agreed, "masked": ()})
    kept = tuple(name for name in (NAMES if more.fields is None else more.fields) if name in fewer)
    smaller = replace(more, fields=kept, masked=agreed["masked"], row_filter=(*more.row_filter, condition))
    smaller = {
        "purpose": replace(smaller, purposes={"hep-hon": ("a", "a")}), "official": replace(smaller, officials=frozenset({"can-bo-07"})),
        "term": replace(smaller, ends_on=date(2026, 6, 1)), "none": smaller,
    }[less]  # fmt: skip
    for operation in (Operation.LOOK_UP, Operation.LIST, Operation.CHANGES, Operation.BULK):
        asked = AccessRequest(READER, "test.people", operation, "xet-tro-cap", "can-bo-01", "10.12.7.9", MORNING)
        wide, narrow = (decide(asked, contract, Register({}, (one,), (), read_working_days()), MORNING.date()) for one in (more, smaller))
        assert wide.allowed or not narrow.allowed
        assert set(narrow.visible) <= set(wide.visible)
        assert {*narrow.visible, *narrow.masked} <= {*wide.visible, *wide.masked}
        for row in ({"record_no": "P1", "children": 3}, {"record_no": "Q9", "children": None}):
            if narrow.allowed:
                assert not matches(narrow.row_filter, row) or matches(wide.row_filter, row)
