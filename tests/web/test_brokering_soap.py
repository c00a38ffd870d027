"""Calls of a SOAP service: with zeep as it is, and as REST by its declared mapping. The provider is a process of its own."""

from __future__ import annotations

import base64
import hashlib
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import requests
import zeep
from lxml import etree
from openapi_spec_validator import validate

from tests.conftest import fresh_database
from tests.web.brokered import AGENCY, Brokered, brokering, provider, publish, wait_until
from tests.web.served import CALLER

SOAP_SERVICE = "ho-tich.tra-cuu"
SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
NS = "urn:ho-tich"
WSDL = (Path(__file__).parent / "data" / "ho_tich.wsdl").read_text("utf-8")
DEFINITION: dict[str, Any] = {
    "id": SOAP_SERVICE,
    "version": "1.0",
    "kind": "soap",
    "agency": AGENCY,
    "title": {"vi": "Tra cứu hộ tịch", "en": "Civil status look-up"},
    "base_url": "${CIVIL}/soap",
    "mapping": {
        "operations": [
            {
                "call": "GET /cong-dan/{so_dinh_danh}",
                "soap": "TraCuu",
                "title": "Tra cứu một công dân",
                "request": {"SoDinhDanh": "path.so_dinh_danh", "Ngay": "query.ngay"},
                "answer": {
                    "CongDan": {
                        "json": ".",
                        "members": {
                            "@ma": "ma",
                            "HoTen": "ho_ten",
                            "SoCon": "so_con",
                            "DaKetHon": "da_ket_hon",
                            "ThuNhap": "thu_nhap",
                            "NguoiThan": {
                                "json": "nguoi_than",
                                "members": {"@quanHe": "quan_he", "HoTen": "ho_ten", "NgaySinh": "ngay_sinh"},
                            },
                        },
                    }
                },
            }
        ]
    },
}
AGREEMENT: dict[str, Any] = {
    "id": "DV-2", "provider": AGENCY, "consumer": CALLER, "service": SOAP_SERVICE, "state": "active", "legal_basis": "Luật Hộ tịch", "term": {"from": "2020-01-01"},
    "endpoints": ["POST /TraCuu", "GET /cong-dan/*"], "purposes": {"tra-cuu": {"vi": "Tra cứu", "en": "Looking up"}},
}  # fmt: skip


@pytest.fixture(scope="module")
def brokered(postgres_server: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Brokered]:
    folder = tmp_path_factory.mktemp("soap")
    with (
        fresh_database(postgres_server) as url,
        provider("tests.web.soap_provider") as civil,
        brokering(url, folder, AGREEMENT, LIENTHONG_PROVIDER_CIVIL=civil + "/base") as running,
    ):
        publish(running.served, DEFINITION, WSDL)
        found = Brokered(running.served, civil)
        wait_until(lambda: httpx.post(found.address("", SOAP_SERVICE)).status_code != 404)
        yield found


@pytest.fixture(scope="module")
def client(brokered: Brokered) -> Iterator[httpx.Client]:
    with httpx.Client(headers=brokered.served.headers(), timeout=120) as opened:
        yield opened


def envelope(body: str, head: str = "") -> bytes:
    return f'<?xml version="1.0"?>\n<e:Envelope xmlns:e="{SOAP}" xmlns:t="{NS}">{head}<e:Body>{body}</e:Body></e:Envelope>'.encode()


ASKED = "<t:TraCuu><t:SoDinhDanh>079080000001</t:SoDinhDanh></t:TraCuu>"
XML = {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": '"urn:ho-tich#TraCuu"'}


def post(brokered: Brokered, client: httpx.Client, body: bytes, **headers: str) -> httpx.Response:
    brokered.seen()
    return client.post(brokered.address("/1.0", SOAP_SERVICE), content=body, headers={**XML, **headers})


def test_zeep_calls_through_the_platform_by_the_platforms_wsdl(brokered: Brokered) -> None:
    session = requests.Session()
    session.headers.update(brokered.served.headers())
    wsdl = session.get(brokered.address("/wsdl", SOAP_SERVICE))
    assert wsdl.status_code == 200
    assert b"inside.example" not in wsdl.content
    found = zeep.Client(io.BytesIO(wsdl.content), transport=zeep.Transport(session=session)).service.TraCuu(SoDinhDanh="079080000001")  # type: ignore[no-untyped-call] # zeep's own
    assert (found.HoTen, found.SoCon, [each.HoTen for each in found.NguoiThan]) == ("Nguyễn <Văn> Ân", 2, ["Trần Thị Bé", "Nguyễn Văn Cu"])
    assert brokered.calls()[-1]["details"]["endpoint"] == "POST /TraCuu"


def test_the_bytes_and_unknown_headers_arrive_as_they_were_sent(brokered: Brokered, client: httpx.Client) -> None:
    head = '<e:Header><v:Giao  xmlns:v="http://vxp.vn" v:kieu = "a&#65;"><!-- kept --><v:x/></v:Giao></e:Header>'
    body = envelope(ASKED, head)
    answer = post(brokered, client, body)
    assert answer.status_code == 200
    (seen,) = brokered.seen()
    assert base64.b64decode(seen["body"]) == body
    assert (seen["headers"]["soapaction"], seen["headers"]["content-type"], seen["path"]) == (
        XML["SOAPAction"],
        XML["Content-Type"],
        "/base/soap",
    )
    assert etree.fromstring(answer.content).find(".//{http://vxp.vn}Giao") is not None
    entry = brokered.calls()[-1]
    assert (entry["request_digest"], entry["answer_digest"]) == (
        hashlib.sha256(body).hexdigest(),
        hashlib.sha256(answer.content).hexdigest(),
    )


@pytest.mark.parametrize("size", [10, 3_000_000])
def test_attachments_go_by_untouched(brokered: Brokered, client: httpx.Client, size: int) -> None:
    attached = bytes(range(256)) * (size // 256 + 1)
    parts = [(b"text/xml; charset=utf-8", b"<root>", envelope(ASKED)), (b"application/octet-stream", b"<a>", attached)]
    body = b"".join(b"--MARK\r\nContent-Type: %b\r\nContent-ID: %b\r\n\r\n%b\r\n" % part for part in parts) + b"--MARK--\r\n"
    answer = post(brokered, client, body, **{"Content-Type": 'multipart/related; type="text/xml"; start="<root>"; boundary=MARK'})
    assert answer.status_code == 200
    (seen,) = brokered.seen()
    assert base64.b64decode(seen["body"]) == body


TWO = ASKED + "<t:Xoa><t:SoDinhDanh>1</t:SoDinhDanh></t:Xoa>"
ADDRESSED = '<e:Header><a:Action xmlns:a="http://www.w3.org/2005/08/addressing">urn:ho-tich#Xoa</a:Action></e:Header>'
HOSTILE = {
    "dtd": b'<!DOCTYPE e [<!ENTITY x "y">]>' + envelope(ASKED).partition(b"\n")[2],
    "bomb": b'<!DOCTYPE e [<!ENTITY a "aa"><!ENTITY b "&a;&a;">]>' + envelope("&b;").partition(b"\n")[2],
    "two elements": envelope(TWO),
    "two bodies": envelope(ASKED).replace(b"</e:Body>", b"</e:Body><e:Body><t:Xoa/></e:Body>"),
    "late header": envelope(ASKED).replace(b"</e:Envelope>", b"<e:Header/></e:Envelope>"),
    "other action": envelope(ASKED, ADDRESSED),
    "no envelope": b"<a/>",
    "no body": f'<e:Envelope xmlns:e="{SOAP}"/>'.encode(),
    "empty body": envelope(""),
    "cut off": envelope(ASKED)[:-5],
    "no xml": b"{}",
    "nothing": b"",
    "deep": envelope("<t:TraCuu>" + "<t:a>" * 500 + "</t:a>" * 500 + "</t:TraCuu>"),
    "two envelopes": envelope(ASKED) + envelope(ASKED).partition(b"\n")[2],
    "other operation": envelope("<t:Xoa/>"),
    "other namespace": envelope('<TraCuu xmlns="urn:khac"/>'),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_could_be_read_as_another_operation_is_refused_with_a_fault(brokered: Brokered, client: httpx.Client, name: str) -> None:
    answer = post(brokered, client, HOSTILE[name])
    assert answer.status_code == 500
    assert etree.fromstring(answer.content).find(f".//{{{SOAP}}}Fault/faultcode").text == "soap:Client"
    assert brokered.seen() == []


def test_an_action_of_another_operation_is_refused(brokered: Brokered, client: httpx.Client) -> None:
    assert post(brokered, client, envelope(ASKED), SOAPAction='"urn:ho-tich#Xoa"').status_code == 500
    assert brokered.seen() == []
    assert post(brokered, client, envelope(ASKED), SOAPAction='""').status_code == 200


@pytest.mark.parametrize(
    ("kind", "start"),
    [("multipart/related; boundary=MARK", b"--OTHER\r\n\r\n"), ("multipart/related", b"--MARK\r\n\r\n"), ('multipart/related; boundary=MARK; start="<b>"', b"--MARK\r\nContent-ID: <a>\r\n\r\n"),
     ("multipart/related; boundary=MARK", b"--MARK\r\nContent-Transfer-Encoding: base64\r\n\r\n")],
)  # fmt: skip
def test_an_envelope_that_is_hidden_in_its_parts_is_refused(brokered: Brokered, client: httpx.Client, kind: str, start: bytes) -> None:
    answer = post(brokered, client, start + envelope(ASKED) + b"\r\n--MARK--\r\n", **{"Content-Type": kind})
    assert answer.status_code == 500
    assert brokered.seen() == []


def test_a_fault_of_the_provider_passes_as_it_is(brokered: Brokered, client: httpx.Client) -> None:
    answer = post(brokered, client, envelope(ASKED.replace("079080000001", "000000000001")))
    assert answer.status_code == 500
    assert etree.fromstring(answer.content).findtext(".//faultstring") == "Không tìm thấy"
    assert brokered.calls()[-1]["outcome"] == "answered"


def test_soap_12_is_answered_with_its_own_fault(brokered: Brokered, client: httpx.Client) -> None:
    answer = post(brokered, client, b"<a/>", **{"Content-Type": "application/soap+xml"})
    assert answer.status_code == 400
    assert answer.headers["content-type"].startswith("application/soap+xml")
    assert b"http://www.w3.org/2003/05/soap-envelope" in answer.content


def test_a_soap_operation_is_called_as_rest(brokered: Brokered, client: httpx.Client) -> None:
    brokered.seen()
    answer = client.get(brokered.address("/cong-dan/079080000001?ngay=2026-01-02", SOAP_SERVICE))
    assert answer.json() == {
        "ma": "079080000001",
        "ho_ten": "Nguyễn <Văn> Ân",
        "so_con": 2,
        "da_ket_hon": True,
        "thu_nhap": "12345678901234567.25",
        "nguoi_than": [
            {"quan_he": "con", "ho_ten": "Trần Thị Bé", "ngay_sinh": "1990-02-03"},
            {"quan_he": "con", "ho_ten": "Nguyễn Văn Cu", "ngay_sinh": None},
        ],
    }
    (seen,) = brokered.seen()
    sent = etree.fromstring(base64.b64decode(seen["body"])).find(f".//{{{NS}}}TraCuu")
    assert [(etree.QName(each).localname, each.text) for each in sent] == [("SoDinhDanh", "079080000001"), ("Ngay", "2026-01-02")]
    assert seen["headers"]["soapaction"] == '"urn:ho-tich#TraCuu"'
    assert brokered.calls()[-1]["details"]["endpoint"] == "GET /cong-dan/{so_dinh_danh}"


@pytest.mark.parametrize(("number", "status"), [("000000000001", 422), ("000000000002", 502)])
def test_a_fault_becomes_a_problem_document(brokered: Brokered, client: httpx.Client, number: str, status: int) -> None:
    answer = client.get(brokered.address(f"/cong-dan/{number}", SOAP_SERVICE))
    assert (answer.status_code, answer.json()["code"], answer.json()["detail"]) == (status, "soap-fault", "Không tìm thấy")


@pytest.mark.parametrize("query", ["?ngay=hôm nay", "?khac=1", "?ngay=2026-01-01&ngay=2026-01-02"])
def test_what_has_no_place_in_the_mapping_is_refused(brokered: Brokered, client: httpx.Client, query: str) -> None:
    brokered.seen()
    assert client.get(brokered.address(f"/cong-dan/079080000001{query}", SOAP_SERVICE)).status_code in (400, 422)
    assert brokered.seen() == []


def test_markup_in_a_value_stays_a_value(brokered: Brokered, client: httpx.Client) -> None:
    brokered.seen()
    client.get(brokered.address("/cong-dan/%3C%2Ft:SoDinhDanh%3E".replace("%2F", ""), SOAP_SERVICE))
    (seen,) = brokered.seen()
    assert b"&lt;t:SoDinhDanh&gt;" in base64.b64decode(seen["body"])


def test_the_document_of_the_rest_face_is_made_and_valid(brokered: Brokered, client: httpx.Client) -> None:
    document = client.get(brokered.address("/openapi.json", SOAP_SERVICE)).json()
    validate(document)
    schema = document["paths"]["/cong-dan/{so_dinh_danh}"]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    assert schema["properties"]["nguoi_than"]["items"]["properties"]["ngay_sinh"]["type"] == ["string", "null"]
    assert document["servers"] == [{"url": brokered.address("/1.0", SOAP_SERVICE)}]
