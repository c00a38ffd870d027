"""What an agreement says of officials, place, time and stops holds at every door, and a denial says what would open it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from lienthong.access import Hours, Register, Stop
from lienthong.standards.working_days import read_working_days
from lienthong.web.caller_address import Addresses
from tests.conftest import fresh_database
from tests.factories import TickingClock
from tests.web.counters import PART, READER, Province, _desk, asking, entries, make_agreement, make_app, make_province

ONE = "/v1/datasets/test.people/records/P1"
DOORS = {
    "the hot path": (ONE, {}),
    "a look-up with a question": (f"{ONE}?fields=children", {}),
    "a list": ("/v1/datasets/test.people/records", {}),
    "a file": ("/v1/datasets/test.people/records", {"Accept": "text/csv"}),
    "the feed": ("/v1/datasets/test.people/changes", {}),
}
WEDNESDAY = datetime(2026, 7, 1, 3, 0, tzinfo=UTC)  # ten in the morning in Vietnam
SUNDAY = datetime(2026, 7, 5, 3, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def province(postgres_server: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Province]:
    with fresh_database(postgres_server) as url:
        yield make_province(url, Path(tmp_path_factory.mktemp("province")))


@pytest.fixture(scope="module")
def opened(province: Province) -> Iterator[tuple[Any, TestClient]]:
    app = make_app(province)
    with TestClient(app, client=("10.12.7.9", 5000)) as client:
        yield app._services, client


@pytest.fixture
def client(opened: tuple[Any, TestClient], province: Province) -> TestClient:
    services, client = opened
    services.register, services.addresses = province.register, Addresses()
    at_time(province, WEDNESDAY)
    return client


def agree(opened: tuple[Any, TestClient], *stops: Stop, **more: Any) -> None:
    services, _ = opened
    services.register = Register({}, (make_agreement(READER, **more),), stops, read_working_days())


def at_time(province: Province, at: datetime) -> None:
    clock = province.workshop.clock
    assert isinstance(clock, TickingClock)
    clock.now = at


def ask(client: TestClient, door: str, at: datetime = WEDNESDAY, headers: dict[str, str] | None = None) -> Any:
    path, more = DOORS[door]
    token = _desk(TickingClock(at)).issue(READER, at)
    return client.get(path, headers={**asking(READER), "Authorization": f"Bearer {token}", **more, **(headers or {})})


@pytest.mark.parametrize("door", DOORS)
def test_only_officials_of_the_agreement_are_answered(client: TestClient, opened: Any, door: str) -> None:
    agree(opened, officials=frozenset({"can-bo-01"}))
    assert ask(client, door).status_code == 200
    refused = ask(client, door, headers={"Lienthong-Official": "can-bo-02"})
    assert (refused.status_code, refused.json()["rule"], refused.json()["clause"]) == (403, "other_official", "officials")


@pytest.mark.parametrize("door", DOORS)
def test_only_agreed_places_are_answered(client: TestClient, opened: Any, door: str) -> None:
    agree(opened, networks=(ip_network("10.12.0.0/16"),))
    assert ask(client, door).status_code == 200
    agree(opened, networks=(ip_network("10.13.0.0/16"),))
    refused = ask(client, door)
    assert (refused.status_code, refused.json()["rule"], refused.json()["clause"]) == (403, "other_place", "place")


@pytest.mark.parametrize("door", DOORS)
def test_only_agreed_hours_are_answered(client: TestClient, opened: Any, province: Province, door: str) -> None:
    agree(opened, hours=Hours(None, time(7), time(17, 30)))
    assert ask(client, door).status_code == 200
    for closed in (SUNDAY, WEDNESDAY + timedelta(hours=9), WEDNESDAY - timedelta(hours=4)):
        at_time(province, closed)
        refused = ask(client, door, closed)
        assert (refused.status_code, refused.json()["rule"], refused.json()["clause"]) == (403, "outside_hours", "hours")
    at_time(province, WEDNESDAY)
    assert ask(client, door).status_code == 200


@pytest.mark.parametrize("door", DOORS)
def test_a_stop_begins_and_ends_by_itself(client: TestClient, opened: Any, province: Province, door: str) -> None:
    stop = Stop(1, "test.people", WEDNESDAY + timedelta(minutes=5), WEDNESDAY + timedelta(minutes=20))
    agree(opened, stop)
    assert ask(client, door).status_code == 200
    at_time(province, stop.begins_at)
    refused = ask(client, door)
    assert (refused.status_code, refused.json()["code"], refused.json()["until"]) == (503, "stopped", stop.ends_at.isoformat())
    assert 0 < int(refused.headers["retry-after"]) <= 15 * 60
    at_time(province, stop.ends_at)
    assert ask(client, door).status_code == 200


@pytest.mark.parametrize("door", DOORS)
def test_a_denial_names_the_clause_and_carries_the_request_that_would_open_it(
    client: TestClient, opened: Any, province: Province, door: str
) -> None:  # fmt: skip
    agree(opened)
    refused = ask(client, door, headers={"Lienthong-Purpose": "thong-ke"}).json()
    assert (refused["rule"], refused["agreement"], refused["clause"]) == ("other_purpose", "TT-tro-cap", "purposes")
    request = refused["request"]
    assert (request["method"], request["href"], request["body"]["consumer"]) == ("POST", "/v1/agreements", READER)
    assert (request["body"]["dataset"], list(request["body"]["purposes"])) == ("test.people", ["thong-ke"])
    noted = entries(province)[-1]
    assert (noted["event"], noted["outcome"], noted["agreement"]) == ("answer:request:denied", "other_purpose", "TT-tro-cap")


def test_filtering_by_what_is_withheld_carries_the_request_for_it(client: TestClient) -> None:
    refused = client.get("/v1/datasets/test.people/records?phone=1", headers=asking(PART)).json()
    assert (refused["rule"], refused["clause"]) == ("field_not_visible", "fields")
    assert "phone" in refused["request"]["body"]["fields"]


def test_what_is_withheld_is_named_and_not_null(client: TestClient) -> None:
    for path in (f"{ONE}", f"{ONE}?fields=phone,full_name"):
        record = client.get(path, headers=asking(PART)).json()
        assert "phone" in record["withheld"]
        assert "phone" not in record["values"]
    (record,) = client.get("/v1/datasets/test.people/records?limit=1", headers=asking(PART)).json()["records"]
    assert "phone" in record["withheld"]
    assert "phone" not in record["values"]


def test_nobody_without_identity_is_offered_a_request(client: TestClient) -> None:
    assert "request" not in client.get(ONE).json()


@pytest.mark.parametrize(
    ("trusted", "connection", "forwarded", "address"),
    [
        ("", "10.0.0.1", "1.2.3.4", "10.0.0.1"),
        ("10.0.0.0/8", "10.0.0.1", "1.2.3.4", "1.2.3.4"),
        ("10.0.0.0/8", "10.0.0.1", "6.6.6.6, 1.2.3.4", "1.2.3.4"),
        ("10.0.0.0/8", "10.0.0.1", "1.2.3.4, 10.0.0.7", "1.2.3.4"),
        ("10.0.0.0/8", "10.0.0.1", "10.0.0.9, 10.0.0.7", "10.0.0.9"),
        ("10.0.0.0/8", "10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.0/8", "10.0.0.1", "nonsense", ""),
        ("10.0.0.0/8", "10.0.0.1", "1.2.3.4, nonsense", ""),
        ("10.0.0.0/8", "9.9.9.9", "1.2.3.4", "9.9.9.9"),
        ("10.0.0.0/8", "::ffff:10.0.0.1", "1.2.3.4", "1.2.3.4"),
        ("fd00::/8, 10.0.0.0/8", "fd00::1", "2001:db8::1", "2001:db8::1"),
    ],
)
def test_only_a_trusted_proxy_says_where_a_caller_is(trusted: str, connection: str, forwarded: str, address: str) -> None:
    headers = [(b"x-forwarded-for", forwarded.encode())] if forwarded else []
    assert Addresses.of_setting(trusted).of({"client": (connection, 1), "headers": headers}) == address


def test_an_address_of_ipv4_in_ipv6_is_the_same_place() -> None:
    agreement = replace(make_agreement(READER), networks=(ip_network("10.12.0.0/16"),))
    assert agreement.lets_in("::ffff:10.12.1.1")
    assert not agreement.lets_in("")
