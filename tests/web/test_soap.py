"""The X-Road door, SOAP 4.0, on a real server: zeep as a client from outside, and envelopes nobody should send."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import zeep
from lxml import etree
from zeep.exceptions import Fault as ZeepFault
from zeep.transports import Transport

from tests.conftest import fresh_database
from tests.web.served import CALLER, DATASET, Served, serving

XRD = "{http://x-road.eu/xsd/xroad.xsd}"
IDS = "{http://x-road.eu/xsd/identifiers}"
SOAP = "{http://schemas.xmlsoap.org/soap/envelope/}"
WSDL = f"/wsdl?xRoadInstance=VN&memberClass=GOV&memberCode=H10.10&subsystemCode=du-lieu&serviceCode={DATASET}"
AGREEMENT = {"operations": ["look_up", "list", "changes"], "fields": ["licence_no", "holder"], "masked": []}
BOMB = '<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]>'


@pytest.fixture(scope="module")
def served(postgres_server: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = Path(tmp_path_factory.mktemp("soap"))
    environment = {"LIENTHONG_XROAD_NETWORKS": "127.0.0.1/32"}
    with fresh_database(postgres_server) as url, serving(url, folder, environment=environment, agreement=AGREEMENT) as server:
        yield server


@pytest.fixture(scope="module")
def client(served: Served) -> zeep.Client:
    transport = Transport(timeout=120)  # type: ignore[no-untyped-call] # zeep publishes no types
    return zeep.Client(served.base + WSDL, transport=transport)  # type: ignore[no-untyped-call] # as above


def headers_of(client: zeep.Client, service: str, **more: str) -> dict[str, Any]:
    instance, member_class, member, subsystem = CALLER.split("/")
    caller = {
        "xRoadInstance": instance,
        "memberClass": member_class,
        "memberCode": member,
        "subsystemCode": subsystem,
        "objectType": "SUBSYSTEM",
    }
    provider = {"xRoadInstance": "VN", "memberClass": "GOV", "memberCode": "H10.10", "subsystemCode": "du-lieu", "serviceCode": service, "objectType": "SERVICE"}  # fmt: skip
    texts = {"userId": "can-bo-01", "id": "thong-diep-9", "issue": "tra-cuu", "protocolVersion": "4.0"}
    return {"client": caller, "service": provider, **texts, **more}


def call(client: zeep.Client, operation: str, asked: dict[str, Any], **more: str) -> Any:
    name = f"{DATASET}.{operation}"
    return client.service[name](**asked, _soapheaders=headers_of(client, name, **more)).body


def envelope(code: str, body: str, *, headers: str = "", client: str = "tra-cuu", before: str = "", version: str = "4.0") -> bytes:
    return f"""<?xml version="1.0" encoding="UTF-8"?>{before}<S:Envelope xmlns:S="http://schemas.xmlsoap.org/soap/envelope/"
 xmlns:x="http://x-road.eu/xsd/xroad.xsd" xmlns:i="http://x-road.eu/xsd/identifiers"><S:Header>
 <x:client i:objectType="SUBSYSTEM"><i:xRoadInstance>VN</i:xRoadInstance><i:memberClass>GOV</i:memberClass><i:memberCode>H10.12</i:memberCode>
 <i:subsystemCode>{client}</i:subsystemCode></x:client>
 <x:service i:objectType="SERVICE"><i:xRoadInstance>VN</i:xRoadInstance><i:memberClass>GOV</i:memberClass><i:memberCode>H10.10</i:memberCode>
 <i:subsystemCode>du-lieu</i:subsystemCode><i:serviceCode>{code}</i:serviceCode></x:service>
 <x:id>m-1</x:id><x:userId>can-bo-01</x:userId><x:issue>tra-cuu</x:issue><x:protocolVersion>{version}</x:protocolVersion>{headers}</S:Header>
 <S:Body>{body}</S:Body></S:Envelope>""".encode()


def look_up(key: str = "7/GP-UBND", **more: str) -> bytes:
    return envelope(
        f"{DATASET}.lookUp", f'<t:{DATASET}.lookUp xmlns:t="urn:lienthong:{DATASET}"><t:key>{key}</t:key></t:{DATASET}.lookUp>', **more
    )


def post(served: Served, content: bytes, path: str = "/soap", kind: str = "text/xml; charset=utf-8", **headers: str) -> httpx.Response:
    return httpx.post(served.base + path, content=content, headers={"Content-Type": kind, **headers}, timeout=120)


def fault_of(answer: httpx.Response) -> tuple[str, str]:
    found = etree.fromstring(answer.content).find(f".//{SOAP}Fault")
    return found.findtext("faultcode"), found.findtext("faultstring")


def test_zeep_reads_the_description_and_looks_up(client: zeep.Client, served: Served) -> None:
    record = call(client, "lookUp", {"key": "7/GP-UBND"})["record"]
    assert record["values"]["holder"] == "Công ty số 7"
    last = served.bodies()[-1]
    assert (last["event"], last["caller"], last["official"], last["purpose"]) == ("answer:record:given", CALLER, "can-bo-01", "tra-cuu")


def test_zeep_lists_and_follows_changes(client: zeep.Client) -> None:
    page = call(client, "list", {"parameter": [{"name": "limit", "_value_1": "2"}]})
    assert len(page["record"]) == 2
    assert page["next"]
    feed = call(client, "changes", {"limit": 3})
    assert [change["op"] for change in feed["change"]] == ["insert"] * 3
    assert feed["more"] is True
    assert len(call(client, "changes", {"limit": 3, "after": feed["next"]})["change"]) == 3


def test_a_record_that_is_not_there_is_an_empty_answer(client: zeep.Client) -> None:
    assert call(client, "lookUp", {"key": "khong-co"})["record"] is None


def test_a_refusal_is_a_fault_that_names_the_rule(client: zeep.Client, served: Served) -> None:
    with pytest.raises(ZeepFault) as refused:
        call(client, "lookUp", {"key": "7/GP-UBND"}, issue="khac")
    assert refused.value.code == "Server.ServerProxy.AccessDenied"
    assert "(other_purpose)" in refused.value.message
    assert served.bodies()[-1]["outcome"] == "other_purpose"


def test_a_question_that_is_not_understood_is_the_client_s_fault(client: zeep.Client) -> None:
    with pytest.raises(ZeepFault) as refused:
        call(client, "list", {"parameter": [{"name": "khong_co", "_value_1": "2"}]})
    assert refused.value.code.endswith("Client")


def test_headers_come_back_in_their_order_word_for_word(served: Served) -> None:
    extra = '<v:transId xmlns:v="http://vxp.vn" v:loai="1">số <b>7</b></v:transId><x:requestHash algorithmId="x">giả</x:requestHash>'
    sent = look_up(headers=extra)
    answer = post(served, sent)
    assert answer.status_code == 200, answer.text
    header = etree.fromstring(answer.content).find(f"{SOAP}Header")
    assert [etree.QName(block).localname for block in header] == [
        "client",
        "service",
        "id",
        "userId",
        "issue",
        "protocolVersion",
        "transId",
        "requestHash",
    ]
    unknown = header.find("{http://vxp.vn}transId")
    assert unknown.get("{http://vxp.vn}loai") == "1"
    assert "".join(unknown.itertext()) == "số 7"
    digest = header.find(f"{XRD}requestHash")
    assert digest.text == b64encode(hashlib.sha512(sent).digest()).decode()
    assert digest.get("algorithmId") == "http://www.w3.org/2001/04/xmlenc#sha512"


def test_a_security_server_may_send_to_the_root(served: Served) -> None:
    assert post(served, look_up(), "/").status_code == 200
    assert httpx.get(served.base + "/").headers["content-type"].startswith("text/html")


def test_an_envelope_with_attachments_is_read_from_its_first_part(served: Served) -> None:
    sent = look_up()
    body = (
        b"--b\r\nContent-Type: text/xml; charset=utf-8\r\n\r\n"
        + sent
        + b"\r\n--b\r\nContent-Type: application/pdf\r\n\r\n\x00\x01\r\n--b--\r\n"
    )
    answer = post(served, body, kind='multipart/related; type="text/xml"; boundary="b"')
    assert answer.status_code == 200, answer.text
    digest = etree.fromstring(answer.content).find(f".//{XRD}requestHash").text
    assert digest == b64encode(hashlib.sha512(sent).digest()).decode()


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (look_up(before=BOMB).replace(b"7/GP-UBND", b"&c;"), "Client.InvalidXml"),
        (look_up(before='<!DOCTYPE a [<!ENTITY f SYSTEM "file:///etc/passwd">]>').replace(b"7/GP-UBND", b"&f;"), "Client.InvalidXml"),
        (look_up(before='<!DOCTYPE S:Envelope SYSTEM "http://127.0.0.1:1/x.dtd">'), "Client.InvalidXml"),
        (b"<a/>", "Client.InvalidSoap"),
        (b"not xml", "Client.InvalidXml"),
        (b"", "Client.InvalidXml"),
        (b"<a>" * 5_000 + b"</a>" * 5_000, "Client.InvalidXml"),
        (look_up(key="x" * (2 * 1024 * 1024)), "Client.InvalidSoap"),
        (look_up(headers="<x:id>m-2</x:id>"), "Client.InvalidSoap"),
        (look_up(headers="<x:a/>" * 200), "Client.InvalidSoap"),
        (look_up(version="3.1"), "Client.InvalidProtocolVersion"),
        (envelope(f"{DATASET}.lookUp", "<a/><b/>"), "Client.InvalidSoap"),
        (envelope(f"{DATASET}.lookUp", f"<{DATASET}.list/>"), "Client.InconsistentHeaders"),
        (envelope("test.khac.lookUp", "<test.khac.lookUp/>"), "Server.ServerProxy.UnknownService"),
        (envelope(f"{DATASET}.quarantine", f"<{DATASET}.quarantine/>"), "Server.ServerProxy.UnknownService"),
        (look_up(client="ai-do"), "Server.ServerProxy.AccessDenied"),
        (look_up(client="../tra-cuu"), "Server.ServerProxy.AccessDenied"),
    ],
)
def test_an_envelope_nobody_should_send_is_a_fault(served: Served, content: bytes, fault: str) -> None:
    answer = post(served, content)
    assert answer.status_code == 500
    assert fault_of(answer)[0] == fault


def test_a_key_is_a_key_whatever_it_holds(served: Served) -> None:
    for key in ("../../quarantine", "..", "a/b", "?fields=x", "%2e%2e"):
        answer = post(served, look_up(key=key))
        assert answer.status_code in (200, 500)
        assert b"record>" not in answer.content


def test_a_name_in_an_envelope_proves_nothing(served: Served) -> None:
    handed_on = post(served, look_up(), **{"X-Forwarded-For": "10.0.0.1"})
    assert fault_of(handed_on)[0] == "Server.ClientProxy.SslAuthenticationFailed"
    other = post(served, look_up(client="khac"), Authorization=served.headers()["Authorization"])
    assert fault_of(other)[0] == "Server.ClientProxy.SslAuthenticationFailed"
    own = post(served, look_up(), Authorization=served.headers()["Authorization"])
    assert own.status_code == 200


def test_another_kind_of_content_is_refused(served: Served) -> None:
    assert fault_of(post(served, b"{}", kind="application/json"))[0] == "Client.InvalidContentType"


def test_methods_and_description_are_soap_services_too(served: Served) -> None:
    found = etree.fromstring(post(served, envelope("listMethods", "<x:listMethods/>")).content)
    codes = [node.text for node in found.find(f"{SOAP}Body").iter(f"{IDS}serviceCode")]
    assert codes == [f"{DATASET}.{name}" for name in ("lookUp", "list", "changes")]
    answer = post(served, envelope("getWsdl", f"<x:getWsdl><x:serviceCode>{DATASET}.list</x:serviceCode></x:getWsdl>"))
    assert answer.headers["content-type"].startswith("multipart/related")
    assert answer.content.count(b"Content-ID") == 2
    assert b"wsdl:definitions" in answer.content
    denied = etree.fromstring(post(served, envelope("allowedMethods", "<x:allowedMethods/>", client="ai-do")).content)
    assert list(denied.iter(f"{IDS}serviceCode"))[1:] == []
