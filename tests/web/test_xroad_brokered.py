"""A brokered service is an X-Road service: real platform, real provider, and the record each call leaves."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from lienthong.reports.exchanges import Asker, Place, operational_data
from tests.conftest import fresh_database
from tests.web.brokered import AGENCY, REST, Brokered, brokering
from tests.web.served import CALLER

SERVICE = f"/r1/VN/GOV/{AGENCY}/du-lieu/{REST}"
META = f"/r1/VN/GOV/{AGENCY}/du-lieu"


@pytest.fixture(scope="module")
def brokered(postgres_server: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Brokered]:
    with fresh_database(postgres_server) as url, brokering(url, tmp_path_factory.mktemp("xroad-brokered")) as running:
        yield running


@pytest.fixture(scope="module")
def client(brokered: Brokered) -> Iterator[httpx.Client]:
    token = brokered.served.headers()["Authorization"]
    headers = {"Authorization": token, "X-Road-Client": CALLER, "X-Road-UserId": "can-bo-01", "X-Road-Issue": "tra-cuu"}
    with httpx.Client(base_url=brokered.served.base, headers=headers, timeout=120) as opened:
        yield opened


def test_a_brokered_service_answers_under_its_own_paths(brokered: Brokered, client: httpx.Client) -> None:
    answer = client.get(f"{SERVICE}/licences/7")
    assert (answer.status_code, answer.json()) == (200, {"licence_no": "7", "holder": "Công ty"})
    assert answer.headers["x-road-service"] == f"VN/GOV/{AGENCY}/du-lieu/{REST}"
    entry = brokered.calls()[-1]
    assert (entry["caller"], entry["official"], entry["purpose"], entry["details"]["endpoint"]) == (CALLER, "can-bo-01", "tra-cuu", "GET /licences/{number}")  # fmt: skip


def test_a_body_goes_through(client: httpx.Client) -> None:
    answer = client.post(f"{SERVICE}/echo", content=b"x" * 100_000, headers={"Content-Type": "application/octet-stream"})
    assert answer.status_code == 200
    assert len(answer.headers["x-road-request-hash"]) == 88


@pytest.mark.parametrize("path", ["/secret", "/licences/%2e%2e/secret", "/licences;x/7", "//secret"])
def test_an_endpoint_that_was_not_agreed_is_not_reached(brokered: Brokered, client: httpx.Client, path: str) -> None:
    brokered.seen()
    request = client.build_request("GET", SERVICE)
    request.url = request.url.copy_with(raw_path=(SERVICE + path).encode())
    answer = client.send(request)
    assert answer.status_code in (400, 500)
    assert brokered.seen() == []


def test_metaservices_tell_of_it(client: httpx.Client) -> None:
    listed = {s["service_code"]: s for s in client.get(f"{META}/listMethods").json()["service"]}
    assert {"method": "GET", "path": "/licences/*"} in listed[REST]["endpoint_list"]
    assert {"method": "GET", "path": "/secret"} in listed[REST]["endpoint_list"]
    allowed = {s["service_code"]: s for s in client.get(f"{META}/allowedMethods").json()["service"]}
    assert {"method": "GET", "path": "/licences/*"} in allowed[REST]["endpoint_list"]
    assert {"method": "GET", "path": "/secret"} not in allowed[REST]["endpoint_list"]
    document = client.get(f"{META}/getOpenAPI", params={"serviceCode": REST})
    assert document.json()["servers"] == [{"url": SERVICE}]
    assert "inside.example" not in document.text


def test_each_call_leaves_its_record_under_its_template(brokered: Brokered, client: httpx.Client) -> None:
    client.get(brokered.address("/licences/8"), headers={"Lienthong-Purpose": "tra-cuu", "Lienthong-Official": "can-bo-01"})
    later = datetime.now(UTC) + timedelta(minutes=1)
    place = Place("VN", "GOV", "du-lieu", "127.0.0.1")
    until = time.monotonic() + 120
    ends: set[tuple[Any, ...]] = set()
    while time.monotonic() < until and ("api", "/licences/{number}") not in {end[:2] for end in ends}:
        with brokered.served.workshop.database.connect() as connection:
            found = operational_data(connection, Asker(), place, 0, int(later.timestamp()), later).records
        ends = {("xroad" if "messageId" in r else "api", r["restPath"], r["statusCode"], r["serviceCode"]) for r in found}
        time.sleep(0.1)
    assert ("xroad", "/licences/{number}", 200, REST) in ends
    assert ("api", "/licences/{number}", 200, REST) in ends
    assert ("xroad", "/call", 403, REST) in ends
