"""The X-Road door, REST, on a real server: what a client and a security server see."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from lxml import etree

from tests.conftest import fresh_database
from tests.web.served import CALLER, DATASET, Served, serving

SERVICE = f"/r1/VN/GOV/H10.10/du-lieu/{DATASET}"
META = "/r1/VN/GOV/H10.10/du-lieu"
KEY = quote("7/GP-UBND", safe="")
SECRET = "mot-bi-mat-dai-cho-may-chu-bao-mat"
ASKED = {"X-Road-Client": CALLER, "X-Road-UserId": "can-bo-01", "X-Road-Issue": "tra-cuu"}
VOUCHED = {**ASKED, "Lienthong-Security-Server": SECRET}
DROPPED = {"host", "user-agent", "connection", "content-length"}


@pytest.fixture(scope="module")
def served(postgres_server: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    environment = {"LIENTHONG_XROAD_NETWORKS": "127.0.0.1/32", "LIENTHONG_XROAD_SECRET": SECRET}
    agreement = {"operations": ["look_up", "list", "changes", "bulk"]}
    folder = Path(tmp_path_factory.mktemp("xroad"))
    with fresh_database(postgres_server) as url, serving(url, folder, environment=environment, agreement=agreement) as server:
        yield server


def get(served: Served, path: str, headers: dict[str, str], **more: Any) -> httpx.Response:
    return httpx.get(served.base + path, headers=headers, **more)


def test_a_record_is_a_service_s_answer_with_x_road_s_headers(served: Served) -> None:
    answer = get(served, f"{SERVICE}/{KEY}", {**VOUCHED, "X-Road-Id": "thong-diep-1"})
    assert answer.status_code == 200, answer.text
    assert answer.json()["values"]["holder"] == "Công ty số 7"
    assert answer.headers["x-road-client"] == CALLER
    assert answer.headers["x-road-service"] == f"VN/GOV/H10.10/du-lieu/{DATASET}"
    assert answer.headers["x-road-id"] == "thong-diep-1"
    assert "x-road-error" not in answer.headers
    last = served.bodies()[-1]
    assert (last["event"], last["caller"], last["official"], last["purpose"]) == ("answer:record:given", CALLER, "can-bo-01", "tra-cuu")


def test_the_hash_can_be_made_again_from_what_was_sent(served: Served) -> None:
    client = httpx.Client(headers={})
    request = client.build_request("GET", served.base + SERVICE + "/records?limit=2", headers=VOUCHED)
    answer = client.send(request)
    sent = [(n.lower().decode(), v.decode()) for n, v in request.headers.raw if n.lower().decode() not in DROPPED]
    sent += [("x-road-request-id", answer.headers["x-road-request-id"]), ("x-road-id", answer.headers["x-road-id"])]
    head = f"GET\r\n{SERVICE}/records?limit=2\r\n" + "".join(f"{name}:{value}\r\n" for name, value in sent)
    assert answer.headers["x-road-request-hash"] == b64encode(hashlib.sha512(head.encode()).digest()).decode()
    assert len(answer.json()["records"]) == 2


def test_a_forged_hash_or_request_id_is_not_taken(served: Served) -> None:
    answer = get(served, f"{SERVICE}/{KEY}", {**VOUCHED, "X-Road-Request-Id": "gia-mao", "X-Road-Request-Hash": "gia-mao"})
    assert "gia-mao" not in (answer.headers["x-road-request-id"], answer.headers["x-road-request-hash"])


def test_lists_and_changes_are_there_too(served: Served) -> None:
    assert len(get(served, f"{SERVICE}?limit=3", VOUCHED).json()["records"]) == 3
    assert get(served, f"{SERVICE}/records", {**VOUCHED, "Accept": "text/csv"}).text.count("\n") == 301
    assert get(served, f"{SERVICE}/changes?limit=2", VOUCHED).json()["more"] is True


def test_a_bearer_token_opens_the_door_for_its_own_subsystem_only(served: Served) -> None:
    token = {"Authorization": served.headers()["Authorization"], "X-Road-UserId": "can-bo-01", "X-Road-Issue": "tra-cuu"}
    assert get(served, f"{SERVICE}/{KEY}", {**token, "X-Road-Client": CALLER}).status_code == 200
    refused = get(served, f"{SERVICE}/{KEY}", {**token, "X-Road-Client": "VN/GOV/H10.10/khac"})
    assert refused.status_code == 500
    assert refused.json()["type"] == refused.headers["x-road-error"] == "Server.ClientProxy.SslAuthenticationFailed"
    assert served.bodies()[-1]["outcome"] == "other_client"
    assert served.bodies()[-1]["caller"] == CALLER


@pytest.mark.parametrize(
    "headers",
    [
        ASKED,
        {**ASKED, "Lienthong-Security-Server": "sai"},
        {**ASKED, "Lienthong-Security-Server": ""},
        {**VOUCHED, "Authorization": "Bearer gia-mao"},
        {**VOUCHED, "Authorization": ""},
    ],
)
def test_the_header_alone_proves_nothing(served: Served, headers: dict[str, str]) -> None:
    answer = get(served, f"{SERVICE}/{KEY}", headers)
    assert answer.status_code == 500
    assert answer.json()["type"] == "Server.ClientProxy.SslAuthenticationFailed"
    assert served.bodies()[-1]["event"] == "answer:request:denied"
    assert served.bodies()[-1]["caller"] == "anonymous"


def test_a_refusal_is_a_500_that_names_the_rule(served: Served) -> None:
    answer = get(served, f"{SERVICE}/{KEY}", {**VOUCHED, "X-Road-Issue": "khac"})
    assert answer.status_code == 500
    assert answer.json()["type"] == answer.headers["x-road-error"] == "Server.ServerProxy.AccessDenied"
    assert answer.json()["message"].startswith(f"Request is not allowed: SERVICE:VN/GOV/H10.10/du-lieu/{DATASET} (other_purpose)")
    assert served.bodies()[-1]["outcome"] == "other_purpose"


def test_a_refusal_in_xml(served: Served) -> None:
    answer = get(served, f"{SERVICE}/{KEY}", {**VOUCHED, "X-Road-Issue": "khac", "Accept": "text/xml"})
    root = etree.fromstring(answer.content)
    assert [child.tag for child in root] == ["type", "message", "detail"]
    assert root.findtext("type") == "Server.ServerProxy.AccessDenied"


def test_another_subsystem_that_the_security_server_vouches_for_has_only_its_own_agreements(served: Served) -> None:
    answer = get(served, f"{SERVICE}/{KEY}", {**VOUCHED, "X-Road-Client": "VN/GOV/H99/ai-do"})
    assert "(no_agreement)" in answer.json()["message"]


@pytest.mark.parametrize("client", ["VN/GOV/H10.12%2Ftra-cuu", "VN/GOV/H10.12", "VN/GOV%2FH10.12/tra-cuu/x"])
def test_a_name_with_other_borders_is_another_name(served: Served, client: str) -> None:
    answer = get(served, f"{SERVICE}/{KEY}", {**VOUCHED, "X-Road-Client": client})
    assert answer.json()["type"] == "Server.ServerProxy.AccessDenied"


def test_of_a_repeated_client_the_last_counts(served: Served) -> None:
    headers = [*VOUCHED.items(), ("X-Road-Client", "VN/GOV/H99/ai-do")]
    answer = httpx.get(served.base + f"{SERVICE}/{KEY}", headers=headers)
    assert answer.json()["type"] == "Server.ServerProxy.AccessDenied"
    assert answer.headers["x-road-client"] == "VN/GOV/H99/ai-do"


def test_a_record_that_is_not_there_is_the_service_s_own_answer(served: Served) -> None:
    answer = get(served, f"{SERVICE}/khong-co", VOUCHED)
    assert answer.status_code == 404
    assert "x-road-error" not in answer.headers
    assert answer.headers["x-road-service"].endswith(DATASET)


@pytest.mark.parametrize(
    ("path", "kind", "status"),
    [
        (f"{META}/test.other", "Server.ServerProxy.UnknownService", 500),
        ("/r1/VN/GOV/H99/du-lieu/test.licences", "Server.ServerProxy.UnknownMember", 500),
        ("/r1/VN/GOV/H10.10/khac/test.licences", "Server.ServerProxy.UnknownMember", 500),
        ("/r1/VN/GOV/H10.10/test.licences", "Client.BadRequest", 400),
        (f"{SERVICE}/records/%2e%2e", "Client.BadRequest", 400),
        (f"{SERVICE}/records/%252e%252e", "Client.BadRequest", 400),
        (f"{SERVICE}/records//x", "Client.BadRequest", 400),
        (f"{SERVICE}/records;x/y", "Client.BadRequest", 400),
        (f"{SERVICE}/records/a/b", "Client.BadRequest", 400),
        (f"{SERVICE}/%2e%2e%2f%2e%2e%2fquarantine", None, 404),
        (f"{SERVICE}/..%2fquarantine", None, 404),
    ],
)
def test_what_is_no_service_is_told_apart(served: Served, path: str, kind: str | None, status: int) -> None:
    with httpx.Client() as client:
        request = client.build_request("GET", served.base, headers=VOUCHED)
        request.url = request.url.copy_with(raw_path=path.encode())
        answer = client.send(request)
    assert answer.status_code == status
    assert answer.headers.get("x-road-error") == kind


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("X-Road-Client", "VN/GOV"),
        ("X-Road-Security-Server", "VN/GOV/H10"),
        ("X-Road-Represented-Party", "a/b/c"),
        ("X-Road-Id", "x" * 300),
    ],
)
def test_a_header_that_says_nothing_is_a_bad_request(served: Served, header: str, value: str) -> None:
    assert get(served, f"{SERVICE}/{KEY}", {**VOUCHED, header: value}).status_code == 400


def test_clients_are_listed_in_json_and_xml(served: Served) -> None:
    listed = get(served, "/listClients", {"Accept": "application/json"}).json()["member"]
    assert {"object_type": "MEMBER", "xroad_instance": "VN", "member_class": "GOV", "member_code": "H10.10"} in [m["id"] for m in listed]
    assert any(m["id"].get("subsystem_code") == "tra-cuu" and m["subsystem_name"] == "Tra cứu" for m in listed)
    answer = httpx.get(served.base + "/listClients", headers={"Accept": "text/xml"})
    root = etree.fromstring(answer.content)
    assert root.tag == "{http://x-road.eu/xsd/xroad.xsd}clientList"
    assert len(root) == len(listed)
    assert httpx.get(served.base + "/listClients?xRoadInstance=EE").status_code == 400


def test_methods_are_listed_and_those_allowed(served: Served) -> None:
    found = get(served, f"{META}/listMethods", VOUCHED).json()["service"]
    assert [s["service_code"] for s in found] == [DATASET]
    assert found[0]["service_type"] == "OPENAPI"
    assert {"method": "POST", "path": "/records"} in found[0]["endpoint_list"]
    allowed = get(served, f"{META}/allowedMethods", VOUCHED).json()["service"]
    assert {"method": "GET", "path": "/records/*"} in allowed[0]["endpoint_list"]
    assert {"method": "POST", "path": "/records"} not in allowed[0]["endpoint_list"]
    assert get(served, f"{META}/allowedMethods", {**VOUCHED, "X-Road-Client": "VN/GOV/H99/ai-do"}).json() == {"service": []}
    root = etree.fromstring(get(served, f"{META}/listMethods", {**VOUCHED, "Accept": "application/xml"}).content)
    assert root.findtext(".//{http://x-road.eu/xsd/identifiers}serviceCode") == DATASET


def test_the_document_of_a_service_names_no_address_of_ours(served: Served) -> None:
    answer = get(served, f"{META}/getOpenAPI?SERVICECODE={DATASET}", VOUCHED)
    document = answer.json()
    assert document["servers"] == [{"url": SERVICE}]
    assert served.base not in answer.text
    assert set(document["paths"]) == {"/records", "/records/{key}", "/changes"}


@pytest.mark.parametrize(
    ("query", "kind", "message"),
    [
        ("", "Client.InvalidRequest", 'Missing the required parameter "serviceCode"'),
        ("?serviceCode=khac", "Server.ServerProxy.InternalError", "Unknown service: SERVICE:VN/GOV/H10.10/du-lieu/khac"),
    ],
)
def test_a_document_that_is_not_there_is_told_in_the_words_collectors_know(served: Served, query: str, kind: str, message: str) -> None:
    answer = get(served, f"{META}/getOpenAPI{query}", VOUCHED).json()
    assert (answer["type"], answer["message"]) == (kind, message)


def test_a_huge_message_is_refused(served: Served) -> None:
    answer = httpx.post(served.base + SERVICE + "/records", headers=VOUCHED, content=b"x" * (17 * 1024 * 1024), timeout=120)
    assert answer.status_code == 400
