"""The catalogue of services, their guides and tests: what they say works when it is done."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from lxml import html
from openapi_spec_validator import validate

from lienthong.contracts.services import ServiceState
from lienthong.pipeline.service_acts import move_service
from lienthong.store.exchange_records import unpack
from lienthong.web.pages.portal.service import rendered
from tests import forking
from tests.conftest import fresh_database
from tests.web.brokered import DEFINITION, OFFICER, OPENAPI, REST, Brokered, brokering, publish, wait_until
from tests.web.served import CALLER
from tests.web.test_brokering_soap import AGREEMENT as SOAP_AGREEMENT
from tests.web.test_brokering_soap import DEFINITION as SOAP_DEFINITION
from tests.web.test_brokering_soap import SOAP_SERVICE, WSDL


@pytest.fixture(scope="module")
def brokered(postgres_server: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Brokered]:
    """In the sandbox: everything is answered from examples, and no provider of the SOAP service runs."""
    folder = tmp_path_factory.mktemp("pages")
    with fresh_database(postgres_server) as url, brokering(url, folder, SOAP_AGREEMENT, LIENTHONG_SANDBOX="1") as running:
        publish(running.served, SOAP_DEFINITION, WSDL)
        wait_until(lambda: httpx.get(running.address("", SOAP_SERVICE)).status_code == 200)
        yield running


def get(brokered: Brokered, path: str, service: str = REST) -> httpx.Response:
    return httpx.get(brokered.address(path, service))


def test_the_catalogue_lists_services_without_naming_who_uses_them(brokered: Brokered) -> None:
    listed = httpx.get(f"{brokered.served.base}/v1/services").json()["services"]
    assert [each["id"] for each in listed] == [SOAP_SERVICE, REST]
    page = get(brokered, "").json()
    assert page["owner"]["name"] == "Nguyễn Văn A"
    assert page["agreements"][0]["endpoints"][0] == "GET /licences/*"
    assert CALLER not in json.dumps(page)
    assert "127.0.0.1" not in json.dumps(page).replace(brokered.served.base, "")


def test_the_documents_have_the_platforms_address_and_no_other(brokered: Brokered) -> None:
    document = get(brokered, "/openapi.json").json()
    validate(document)
    assert document["servers"] == [{"url": brokered.address("/1.0")}]
    assert "inside.example" not in json.dumps(document)
    assert get(brokered, "/wsdl").status_code == 404
    assert b"inside.example" not in get(brokered, "/wsdl", SOAP_SERVICE).content


@pytest.mark.parametrize("service", [REST, SOAP_SERVICE])
@pytest.mark.parametrize("language", ["vi", "en"])
def test_a_services_page_holds_its_guide_and_what_the_sandbox_answers(brokered: Brokered, service: str, language: str) -> None:
    address = f"{brokered.served.base}/services/{service}"
    page = httpx.get(address, params={"lang": language}, headers={"Accept": "text/html"}).text
    text = html.fromstring(page).text_content()
    for block in re.findall(r"```sh\n(.*?)```", get(brokered, f"/guide?lang={language}", service).text, re.DOTALL):
        assert block.strip() in text
    facts = httpx.get(address + ".json").json()
    assert [each["endpoint"] for each in facts["examples"]] == [each["endpoint"] for each in facts["operations"]]
    first = facts["examples"][0]
    headers = (
        {**brokered.served.headers(), "Content-Type": "text/xml; charset=utf-8"} if service == SOAP_SERVICE else brokered.served.headers()
    )
    asked = httpx.request(first["verb"], facts["links"]["calls"] + first["path"], headers=headers, content=first["body"] or None)
    assert (asked.status_code, asked.text) == (first["status"], first["answer"])


def test_a_call_is_tried_on_a_page_as_the_platform_would_judge_it(brokered: Brokered) -> None:
    address = f"{brokered.served.base}/services/{REST}/try.json"

    def tried(operation: str, **more: str) -> tuple[int | None, str]:
        told = httpx.get(address, params={"operation": operation, **more}).raise_for_status().json()
        return told["status"], told["answer"]

    one = "GET /licences/{number}"
    assert tried(one) == (None, "")
    assert tried(one, address="/licences/7") == (200, '{"licence_no":"1/GP"}')
    assert tried(one, address="/licences/Số 7") == (200, '{"licence_no":"1/GP"}')
    assert tried(one, address="/licences/7", code="404") == (404, '{"loi":"không có"}')
    assert tried(one, address="/licences/../secret")[0] == 400
    assert tried(one, address="/nowhere")[0] == 404
    assert tried("GET /licences", address="/licences?limit=11")[0] == 422
    made = "POST /licences"
    assert tried(made, address="/licences", body='{"licence_no": "7"}')[0] == 201
    refused = tried(made, address="/licences", body='{"licence_no": 7}')
    assert (refused[0], "licence_no" in refused[1]) == (422, True)
    assert tried(made, address="/licences", body='{"licence_no"')[0] == 422
    assert httpx.get(address, params={"operation": "GET /none"}).status_code == 404
    assert httpx.get(address, params={"address": "/" + "x" * 5_000}).status_code == 400
    asked = [each for each in brokered.seen() if "licences" in json.dumps(each)]
    assert asked == [], "the provider hears nothing of it"


def test_a_soap_call_is_tried_on_a_page(brokered: Brokered) -> None:
    page = f"{brokered.served.base}/services/{SOAP_SERVICE}/try"
    form = httpx.get(page + ".json").json()
    told = httpx.get(page + ".json", params={"operation": form["operation"], "address": "", "body": form["body"]}).json()
    assert (told["status"], "TraCuuResponse" in told["answer"]) == (200, True)
    other = httpx.get(
        page + ".json", params={"operation": form["operation"], "address": "", "body": form["body"].replace("TraCuu", "Khac")}
    )
    assert other.json()["status"] == 404
    hostile = httpx.get(
        page + ".json", params={"operation": form["operation"], "address": "", "body": "<!DOCTYPE a [<!ENTITY b 'c'>]><a/>"}
    )
    assert hostile.json()["status"] == 400
    shown = httpx.get(page, params={"operation": form["operation"], "address": "", "body": form["body"]}, headers={"Accept": "text/html"})
    assert "TraCuuResponse" in html.fromstring(shown.text).get_element_by_id("answer").text_content()


def test_what_a_provider_writes_in_its_guide_is_text() -> None:
    hostile = "# T\n\n<script>alert(1)</script> [a](javascript:alert(1)) ![b](//evil.example/x) | `a<b>` |\n\n<img src=x onerror=y>\n"
    shown = html.fromstring(f"<div>{rendered(hostile)}</div>")
    assert {element.tag for element in shown.iter()} <= {"div", "p", "code"}
    assert "<script>alert(1)</script>" in shown.text_content()


@pytest.mark.parametrize("path", ["/openapi.json?version=9.9", "/guide?lang=fr", "/openapi.json?x=1", "/test?version=1.0&version=1.0"])
def test_what_is_not_understood_is_told(brokered: Brokered, path: str) -> None:
    answer = get(brokered, path)
    assert answer.status_code in (400, 404)
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("service", [REST, SOAP_SERVICE])
@pytest.mark.parametrize("language", ["vi", "en"])
def test_the_commands_of_a_guide_run_as_they_stand(brokered: Brokered, service: str, language: str) -> None:
    guide = get(brokered, f"/guide?lang={language}", service).text
    blocks = dict(re.findall(r"```(\w+)\n((?:curl|import).*?)```", guide, re.DOTALL))
    headers = brokered.served.headers()
    environment = {**os.environ, "TOKEN": headers["Authorization"].split()[1], "PURPOSE": "tra-cuu", "OFFICIAL": "can-bo-01"}
    expected = "1/GP" if service == REST else "TraCuuResponse"
    for command in (["sh", "-c", blocks["sh"]], [sys.executable, "-c", blocks["python"]]):
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert expected in done.stdout, done.stdout + done.stderr


@pytest.mark.parametrize("service", [REST, SOAP_SERVICE])
def test_a_services_test_passes_in_the_sandbox(brokered: Brokered, service: str, tmp_path: Path) -> None:
    key = tmp_path / "key.jwk"
    key.write_text(json.dumps(brokered.served.private))
    command = [
        sys.executable, "-m", "lienthong.cli.main", "--lang", "en", "service", "test", service, "--subsystem", CALLER, "--key", str(key), "--purpose", "tra-cuu",
        "--url", brokered.served.base,
    ]  # fmt: skip
    done = forking.run(command, env={**os.environ, "COLUMNS": "200"})
    assert done.returncode == 0, done.stdout + done.stderr
    assert "passed" in done.stdout
    assert ("skipped" in done.stdout) == (service == REST)  # /secret was not agreed on


def test_a_test_that_meets_something_else_fails(brokered: Brokered, tmp_path: Path) -> None:
    from lienthong.cli.brokering import _judged

    expected = next(case for case in get(brokered, "/test").json()["cases"] if case["name"] == "licence")["expect"]
    assert _judged(expected, httpx.Response(200, json={"licence_no": "1"}))[0] == "passed"
    assert _judged(expected, httpx.Response(200, json={"licence_no": 1}))[0] == "failed"
    assert _judged(expected, httpx.Response(500))[0] == "failed"


def test_the_sandbox_asks_nobody(brokered: Brokered) -> None:
    brokered.seen()
    headers = brokered.served.headers()
    answer = httpx.get(brokered.address("/licences/1"), headers=headers)
    assert (answer.json(), answer.headers["lienthong-mock"]) == ({"licence_no": "1/GP"}, "true")
    other = httpx.get(brokered.address("/licences/1"), headers={**headers, "Prefer": "code=404"})
    assert (other.status_code, other.json()) == (404, {"loi": "không có"})
    assert brokered.calls()[-1]["outcome"] == "mocked"
    assert brokered.seen() == []


def test_a_version_that_ends_says_so_and_then_is_gone(brokered: Brokered) -> None:
    from datetime import date, timedelta

    headers = brokered.served.headers()
    publish(brokered.served, {**DEFINITION, "version": "3.0"}, json.dumps(OPENAPI))
    end = date.today() + timedelta(days=30)
    move_service(brokered.served.workshop, OFFICER, REST, "1.0", ServiceState.DEPRECATED, end)
    wait_until(lambda: "sunset" in httpx.get(brokered.address("/1.0/licences/1"), headers=headers).headers)
    told = httpx.get(brokered.address("/1.0/licences/1"), headers=headers).headers
    assert end.strftime("%d %b %Y") in told["sunset"]
    assert told["deprecation"].startswith("@")
    move_service(brokered.served.workshop, OFFICER, REST, "1.0", ServiceState.RETIRED)
    wait_until(lambda: httpx.get(brokered.address("/1.0/licences/1"), headers=headers).status_code == 410)
    assert httpx.get(brokered.address("/licences/1"), headers=headers).headers["lienthong-service"] == f"{REST}/3.0"
    assert [(v["version"], v["state"]) for v in get(brokered, "").json()["versions"]] == [("3.0", "published"), ("1.0", "retired")]


def test_a_provider_registers_its_own_service_over_http(brokered: Brokered) -> None:
    headers = brokered.served.headers()
    root = f"{brokered.served.base}/v1/service-definitions"
    own = {**DEFINITION, "id": "test.own", "agency": "H10.12"}
    sent = {"definition": own, "description": json.dumps(OPENAPI)}
    assert httpx.post(root, json=sent).status_code == 401
    registered = httpx.post(root, json=sent, headers=headers)
    assert (registered.status_code, registered.json()["state"]) == (200, "draft")
    assert httpx.get(brokered.address("", "test.own")).status_code == 404  # a draft is its owner's affair
    assert httpx.post(root, json={**sent, "definition": {**own, "agency": "H10.10"}}, headers=headers).status_code == 403
    faulty = httpx.post(root, json={**sent, "definition": {**own, "version": "x"}}, headers=headers)
    assert (faulty.status_code, "version" in faulty.json()["detail"]) == (422, True)
    assert httpx.post(f"{root}/test.own/1.0/state", json={"state": "gone"}, headers=headers).status_code == 422
    moved = httpx.post(f"{root}/test.own/1.0/state", json={"state": "published"}, headers=headers)
    assert moved.json()["state"] == "published"
    wait_until(lambda: httpx.get(brokered.address("", "test.own")).status_code == 200)
    newer = {
        **sent,
        "definition": {**own, "version": "2.0"},
        "description": json.dumps({**OPENAPI, "paths": {"/echo": OPENAPI["paths"]["/echo"]}}),
    }
    httpx.post(root, json=newer, headers=headers).raise_for_status()
    diff = httpx.get(f"{root}/test.own/diff?old=1.0&new=2.0", headers=headers).json()
    assert (diff["breaking"], diff["agreements"]) == (True, [])
    stop = {"begins_at": "2026-01-01T00:00:00+07:00", "restores_at": "2099-01-01T00:00:00+07:00", "reason_vi": "Bảo trì"}
    assert httpx.post(f"{root}/test.own/stop", json=stop, headers=headers).json()["stop"] > 0
    assert httpx.post(f"{root}/test.own/stop", json={**stop, "begins_at": "x"}, headers=headers).status_code == 422
    assert httpx.post(f"{root}/test.own/resume", json={}, headers=headers).json()["stop"] > 0
    assert httpx.post(f"{root}/{REST}/stop", json=stop, headers=headers).status_code == 403


def test_calls_are_in_the_record_of_exchanges(brokered: Brokered) -> None:
    httpx.get(brokered.address("/licences/1"), headers=brokered.served.headers())

    def kept() -> bool:
        with brokered.served.workshop.database.connect() as connection:
            bodies = [bytes(row[0]) for row in connection.execute("select body from lienthong.exchange_batches").fetchall()]
        told = {(each.operation, each.service, each.caller) for body in bodies for each in unpack(body)}
        return ("GET /licences/{number}", REST, CALLER) in told

    wait_until(kept, 15)
