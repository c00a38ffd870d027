"""A SOAP service described by a WSDL: a real one over HTTP that holds every request to its description's shape and to who asks."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from lienthong.connectors import http_session
from lienthong.contracts import Delivery, Source
from lienthong.errors import HostileInputError, SourceError
from tests.connectors.http_services.test_http_services import Given, Register
from tests.connectors.reading import check_resuming, make_source, read_all

PEOPLE = 13
ENVELOPES = {"1.1": "http://schemas.xmlsoap.org/soap/envelope/", "1.2": "http://www.w3.org/2003/05/soap-envelope"}
WSSE = "{http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd}"
WSU = "{http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd}"
XSD = """<xsd:schema xmlns:xsd="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:ht" xmlns="urn:ht" elementFormDefault="qualified">
 <xsd:element name="DanhSach"><xsd:complexType><xsd:sequence>
  <xsd:element name="tuNgay" type="xsd:date"/>
  <xsd:element name="trang"><xsd:complexType><xsd:sequence><xsd:element name="so" type="xsd:int"/><xsd:element name="dong" type="xsd:int"/></xsd:sequence></xsd:complexType></xsd:element>
 </xsd:sequence></xsd:complexType></xsd:element>
 <xsd:element name="DanhSachTraLoi"><xsd:complexType><xsd:sequence><xsd:any maxOccurs="unbounded"/></xsd:sequence></xsd:complexType></xsd:element>
</xsd:schema>"""


def wsdl(base: str, *, version: str = "1.1", schema: str = XSD, address: str = "") -> str:
    soap = "http://schemas.xmlsoap.org/wsdl/soap/" if version == "1.1" else "http://schemas.xmlsoap.org/wsdl/soap12/"
    return f"""<?xml version="1.0"?>
<definitions xmlns="http://schemas.xmlsoap.org/wsdl/" xmlns:soap="{soap}" xmlns:t="urn:ht" targetNamespace="urn:ht">
 <types>{schema}</types>
 <message name="hoi"><part name="than" element="t:DanhSach"/></message>
 <message name="dap"><part name="than" element="t:DanhSachTraLoi"/></message>
 <portType name="HoTich"><operation name="DanhSach"><input message="t:hoi"/><output message="t:dap"/></operation></portType>
 <binding name="b" type="t:HoTich"><soap:binding transport="http://schemas.xmlsoap.org/soap/http"/>
  <operation name="DanhSach"><soap:operation soapAction="urn:ht:DanhSach"/><input><soap:body use="literal"/></input><output><soap:body use="literal"/></output></operation></binding>
 <service name="HoTichService"><port name="p" binding="t:b"><soap:address location="{address or base + "/soap"}"/></port></service>
</definitions>"""


class HoTich(Register):
    """Gives pages of people; `document` is its WSDL, `secret` what a UsernameToken must prove."""

    def __init__(self) -> None:
        super().__init__()
        self.version, self.secret = "1.1", ""
        self.document = wsdl(self.url)
        self.answer = self.given

    def given(self, method: str, path: str, _query: dict[str, str], headers: Any, body: bytes) -> Given:
        if method == "GET":
            found = {"/ho-tich.wsdl": self.document, "/ht.xsd": XSD}.get(path)
            return (200, found.encode(), {"Content-Type": "text/xml"}) if found else (404, b"", {})
        envelope = etree.fromstring(body)
        assert envelope.tag == f"{{{ENVELOPES[self.version]}}}Envelope"
        assert "urn:ht:DanhSach" in (headers.get("SOAPAction", "") + headers.get("Content-Type", ""))
        if self.secret and not self.is_known(envelope):
            return self.fault("wsse:FailedAuthentication", "Sai tên hoặc mật khẩu")
        asked = envelope.find(".//{urn:ht}DanhSach")
        assert asked is not None
        assert [child.tag for child in asked] == ["{urn:ht}tuNgay", "{urn:ht}trang"], "as the description has them"
        if asked[0].text == "2000-01-01":
            return self.fault("Client", "tuNgay quá xa")
        page, size = int(asked[1][0].text or 0), int(asked[1][1].text or 0)
        return self.people(range((page - 1) * size + 1, min(page * size, PEOPLE) + 1))

    def people(self, numbers: Any) -> Given:
        nil = 'xsi:nil="true"'
        rows = "".join(
            f'<Nguoi ma="{n:03d}"><Ten>Lê &lt;{n}&gt;</Ten><NgaySinh {nil if n % 2 else ""}>{"" if n % 2 else "1980-03-07"}</NgaySinh></Nguoi>'
            for n in numbers
        )
        body = f'<DanhSachTraLoi xmlns="urn:ht" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><Tong>{PEOPLE}</Tong>{rows}</DanhSachTraLoi>'
        return 200, self.envelope(body), {"Content-Type": "text/xml"}

    def envelope(self, body: str) -> bytes:
        return f'<s:Envelope xmlns:s="{ENVELOPES[self.version]}"><s:Body>{body}</s:Body></s:Envelope>'.encode()

    def fault(self, code: str, words: str) -> Given:
        if self.version == "1.1":
            return 500, self.envelope(f"<s:Fault><faultcode>{code}</faultcode><faultstring>{words}</faultstring></s:Fault>"), {}
        return (
            500,
            self.envelope(f"<s:Fault><s:Code><s:Value>{code}</s:Value></s:Code><s:Reason><s:Text>{words}</s:Text></s:Reason></s:Fault>"),
            {},
        )

    def is_known(self, envelope: Any) -> bool:
        """A UsernameToken with a digest over nonce, time and password (OASIS WSS 1.0)."""
        token = envelope.find(f".//{WSSE}UsernameToken")
        if token is None:
            return False
        nonce, created = base64.b64decode(token.findtext(f"{WSSE}Nonce")), token.findtext(f"{WSU}Created").encode()
        proof = base64.b64encode(hashlib.sha1(nonce + created + self.secret.encode()).digest()).decode()  # noqa: S324 # as the standard has it
        return bool(token.findtext(f"{WSSE}Username") == "lgsp" and token.findtext(f"{WSSE}Password") == proof)


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[HoTich]:
    monkeypatch.setattr(http_session, "LONGEST_WAIT_SECONDS", 0.01)
    made = HoTich()
    yield made
    made.server.shutdown()
    made.server.server_close()


def source(served: HoTich, location: str = "", **more: Any) -> Source:
    options: dict[str, Any] = {
        "operation": "DanhSach", "parameters": {"tuNgay": "2026-01-01"}, "row": "Nguoi", "fields": {"mã": "@ma", "tên": "Ten", "ngày": "NgaySinh"},
        "paging": {"kind": "page", "size": 5, "page_parameter": "trang.so", "size_parameter": "trang.dong", "total": "DanhSachTraLoi/Tong"},
    }  # fmt: skip
    return make_source("soap", location or f"{served.url}/ho-tich.wsdl", Delivery.SNAPSHOT, **{**options, **more})


@pytest.mark.parametrize("version", ["1.1", "1.2"])
def test_every_page_is_asked_as_the_description_says(service: HoTich, version: str) -> None:
    service.version, service.document = version, wsdl(service.url, version=version)
    reading = read_all(source(service))
    assert len(reading.rows) == PEOPLE
    assert reading.rows[:2] == [{"mã": "001", "tên": "Lê <1>", "ngày": None}, {"mã": "002", "tên": "Lê <2>", "ngày": "1980-03-07"}]
    check_resuming(source(service), (4,))


def test_who_asks_is_proved_inside_the_message(service: HoTich) -> None:
    service.secret = "mật-khẩu"
    security = {"kind": "username_token", "username": "lgsp", "password": "${HT}"}
    assert len(read_all(source(service, security=security), variables={"HT": "mật-khẩu"}).rows) == PEOPLE
    with pytest.raises(SourceError, match="Sai tên hoặc mật khẩu") as caught:
        read_all(source(service, security=security), variables={"HT": "khác-hẳn"})
    assert "khác-hẳn" not in str(caught.value)


@pytest.mark.parametrize("version", ["1.1", "1.2"])
def test_a_fault_is_told_in_the_service_s_words_and_asked_once(service: HoTich, version: str) -> None:
    service.version, service.document = version, wsdl(service.url, version=version)
    with pytest.raises(SourceError, match="Client: tuNgay quá xa"):
        read_all(source(service, parameters={"tuNgay": "2000-01-01"}))
    assert [method for method, _, _ in service.asked].count("POST") == 1


@pytest.mark.parametrize(("more", "words"), [
    ({"operation": "Xoa"}, "has no operation `Xoa`"), ({"parameters": {}}, "not as described"), ({"parameters": {"tuNgay": "2026-01-01", "la": 1}}, "not as described"),
    ({"service": "Khac"}, "not understood|no service"), ({"fields": {}}, "`fields` is required"), ({"parameters": {"tuNgay": "2026-01-01", "trang": "x"}}, "no mapping"),
])  # fmt: skip
def test_what_does_not_fit_the_description_is_named(service: HoTich, more: dict[str, Any], words: str) -> None:
    with pytest.raises(SourceError, match=words):
        read_all(source(service, **more))


def test_a_schema_beside_the_description_is_fetched_from_its_host_alone(service: HoTich) -> None:
    beside = '<xsd:schema xmlns:xsd="http://www.w3.org/2001/XMLSchema"><xsd:import namespace="urn:ht" schemaLocation="{}"/></xsd:schema>'
    service.document = wsdl(service.url, schema=beside.format("ht.xsd"))
    assert len(read_all(source(service)).rows) == PEOPLE
    for elsewhere in ("http://169.254.169.254/latest/meta-data", "file:///etc/passwd", "/etc/passwd"):
        service.document = wsdl(service.url, schema=beside.format(elsewhere))
        with pytest.raises(SourceError):
            read_all(source(service))


def test_a_description_in_a_file_reaches_no_further_than_its_folder(service: HoTich, tmp_path: Path) -> None:
    beside = '<xsd:schema xmlns:xsd="http://www.w3.org/2001/XMLSchema"><xsd:import namespace="urn:ht" schemaLocation="{}"/></xsd:schema>'
    (tmp_path / "a").mkdir()
    file = tmp_path / "a" / "ht.wsdl"
    (tmp_path / "a" / "ht.xsd").write_text(XSD)
    (tmp_path / "ngoai.xsd").write_text(XSD)
    file.write_text(wsdl(service.url, schema=beside.format("ht.xsd")))
    assert len(read_all(source(service, str(file))).rows) == PEOPLE
    for elsewhere in ("../ngoai.xsd", f"{service.url}/ht.xsd", "file:///etc/passwd"):
        file.write_text(wsdl(service.url, schema=beside.format(elsewhere)))
        with pytest.raises(HostileInputError, match="outside its folder"):
            read_all(source(service, str(file)))


def test_a_description_that_leads_elsewhere_is_not_followed_unless_the_contract_says_so(service: HoTich) -> None:
    service.document = wsdl(service.url, address="http://10.0.0.9/soap")
    with pytest.raises(HostileInputError, match="another host"):
        read_all(source(service))
    assert len(read_all(source(service, address=f"{service.url}/soap")).rows) == PEOPLE


@pytest.mark.parametrize("document", [
    '<!DOCTYPE d [<!ENTITY a SYSTEM "file:///etc/passwd">]><definitions xmlns="http://schemas.xmlsoap.org/wsdl/">&a;</definitions>',
    '<!DOCTYPE d [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><definitions xmlns="http://schemas.xmlsoap.org/wsdl/">&b;</definitions>',
    "<html>đăng nhập</html>", "", '<definitions xmlns="http://schemas.xmlsoap.org/wsdl/"/>',
])  # fmt: skip
def test_a_hostile_or_empty_description_is_refused(service: HoTich, document: str) -> None:
    service.document = document or " "
    with pytest.raises(SourceError):
        read_all(source(service))


def test_a_hostile_answer_is_refused(service: HoTich) -> None:
    usual = service.given
    service.answer = lambda method, *rest: (
        usual(method, *rest) if method == "GET" else (200, b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', {})
    )
    with pytest.raises(HostileInputError, match="document type"):
        read_all(source(service))
