"""A service's definition and description are read with every fault at once, reach nothing outside themselves, and are compared for their callers."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from lxml import etree

from lienthong.contracts.services import Service, compare_services, is_breaking, read_service, understand
from lienthong.contracts.services.openapi import read_document
from lienthong.contracts.services.translating import answer_values, request_envelope
from lienthong.errors import ServiceError, Unprocessable
from tests.web.brokered import DEFINITION, OPENAPI
from tests.web.test_brokering_soap import DEFINITION as SOAP_DEFINITION
from tests.web.test_brokering_soap import NS, WSDL


def rest(changes: Callable[[dict[str, Any]], Any] | None = None, **definition: Any) -> Service:
    document = json.loads(json.dumps(OPENAPI))
    if changes is not None:
        changes(document)
    return read_service({**DEFINITION, **definition}, json.dumps(document), {})


@pytest.fixture(scope="module")
def understood() -> Any:
    return understand(SOAP_DEFINITION, WSDL)


def soap(understood: Any, **definition: Any) -> Service:
    return read_service({**SOAP_DEFINITION, **definition}, WSDL, understood)


def test_every_fault_is_told_at_once() -> None:
    wrong: dict[str, Any] = {
        "id": "Bad Id", "version": "one", "agency": "h", "title": {"vi": "a"}, "base_url": "ftp://u:p@x", "timeouts": {"first_byt": 1}, "limits": {"at_once": 0},
        "credentials": {"kind": "api_key", "secret": "the-secret-itself"}, "retry": {"also": ["POST"]}, "colour": "red", "cache": {"seconds": True},
    }  # fmt: skip
    with pytest.raises(ServiceError) as caught:
        rest(**wrong)
    places = {place for place, _, _ in caught.value.faults}
    assert {
        "id",
        "version",
        "agency",
        "title.en",
        "base_url",
        "timeouts.first_byt",
        "limits.at_once",
        "credentials.secret",
        "retry.also",
        "service.colour",
    } <= places
    assert "cache.seconds" in places
    assert "the-secret-itself" not in str(caught.value)


@pytest.mark.parametrize(
    "hostile",
    [
        {"$ref": "http://169.254.169.254/x.json"},
        {"$ref": "file:///etc/passwd"},
        {"$ref": "other.json#/a"},
        {"externalValue": "http://x/y"},
        {"$id": "http://x/"},
    ],
)
def test_a_document_that_points_outside_itself_is_refused(hostile: dict[str, str]) -> None:
    with pytest.raises(ServiceError, match="outside"):
        rest(lambda d: d["components"]["schemas"].update(X=hostile))


def test_a_document_that_grows_when_it_is_read_is_refused() -> None:
    bomb = "openapi: 3.0.0\na: &a [x,x,x,x]\nb: &b [*a,*a,*a,*a]\nc: [*b,*b,*b]\n"
    with pytest.raises(ServiceError, match="alias"):
        read_document(bomb)
    with pytest.raises(ServiceError):
        read_document('{"openapi":"3.0.0","a":' + "[" * 100_000 + "]" * 100_000 + "}")
    with pytest.raises(ServiceError):
        read_document("openapi: 2.0")


@pytest.mark.parametrize("template", ["/a/../b", "//a", "/a;b", "/a?b", "a", "/a\\b"][1:])
def test_a_path_nobody_could_call_safely_is_a_fault(template: str) -> None:
    with pytest.raises(ServiceError, match="safely"):
        rest(lambda d: d["paths"].update({template: {"get": {"responses": {"200": {"description": "x"}}}}}))


def test_a_plain_segment_goes_before_a_parameter() -> None:
    service = rest(
        lambda d: d["paths"].update({"/licences/newest": {"get": {"operationId": "newest", "responses": {"200": {"description": "x"}}}}})
    )
    found = service.route("GET", "/licences/newest"), service.route("HEAD", "/licences/7"), service.route("GET", "/licences/7/8")
    assert found[0] is not None
    assert found[1] is not None
    assert (found[0][0].name, found[1][0].name, found[1][1], found[2]) == ("newest", "licence", {"number": "7"}, None)


HOSTILE_WSDL = {
    "dtd": WSDL.replace("<wsdl:definitions", '<!DOCTYPE x [<!ENTITY a "b">]><wsdl:definitions', 1),
    "file": WSDL.replace(
        "<wsdl:types>", '<wsdl:types><xsd:schema><xsd:import namespace="x" schemaLocation="file:///etc/passwd"/></xsd:schema>', 1
    ),
    "import": WSDL.replace("<wsdl:types>", '<wsdl:import namespace="x" location="http://169.254.169.254/"/><wsdl:types>', 1),
    "include": WSDL.replace("<wsdl:types>", '<wsdl:types><xsd:schema><xsd:include schemaLocation="other.xsd"/></xsd:schema>', 1),
    "rpc": WSDL.replace('soapAction="urn:ho-tich#TraCuu"', 'soapAction="x" style="rpc"'),
    "no port": WSDL.replace('<soap:binding transport="http://schemas.xmlsoap.org/soap/http"/>', ""),
    "no wsdl": "<a/>",
    "no xml": "{}",
}


@pytest.mark.parametrize("name", HOSTILE_WSDL)
def test_a_wsdl_that_cannot_be_trusted_or_understood_is_refused(name: str) -> None:
    with pytest.raises(ServiceError):
        understand(SOAP_DEFINITION, HOSTILE_WSDL[name])


def test_a_mapping_is_held_against_the_wsdl(understood: Any) -> None:
    wrong: dict[str, Any] = {
        "operations": [
            {"call": "GET /x/{a}", "soap": "TraCuu", "request": {"SoDinhDan": "path.a"}, "answer": {"CongDan": {"json": "a b"}}},
            {"call": "FETCH /x", "soap": "TraCuu"},
            {"call": "GET /y", "soap": "Khac"},
        ]
    }
    with pytest.raises(ServiceError) as caught:
        soap(understood, mapping=wrong)
    told = str(caught.value)
    for expected in (
        "request.SoDinhDan:",
        "did you mean `SoDinhDanh`",
        "demands `SoDinhDanh`",
        "`a` is in the path",
        "FETCH",
        "no operation `Khac`",
        "`a b`",
    ):
        assert expected in told, expected


def test_json_and_xml_are_each_others_picture(understood: Any) -> None:
    mapped = next(iter(soap(understood).mapped.values()))
    sent = etree.fromstring(request_envelope(mapped, {"so_dinh_danh": "1 < 2 & ]]>"}, {}, None))
    assert sent.find(f".//{{{NS}}}SoDinhDanh").text == "1 < 2 & ]]>"
    for value in ("a\x00b", "\x1b", "\ufffe"):
        with pytest.raises(Unprocessable):
            request_envelope(mapped, {"so_dinh_danh": value}, {}, None)
    with pytest.raises(ValueError, match="element"):
        answer_values(mapped, sent)


BREAKS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "operation.removed": lambda d: d["paths"].pop("/echo"),
    "request.required": lambda d: d["paths"]["/licences"]["get"]["parameters"].append(
        {"name": "q", "in": "query", "required": True, "schema": {}}
    ),
    "request.maximum": lambda d: d["paths"]["/licences"]["get"]["parameters"][0]["schema"].update(maximum=5),
    "request.type": lambda d: d["paths"]["/licences"]["get"]["parameters"][0]["schema"].update(type="string"),
    "request.removed": lambda d: d["paths"]["/licences"]["get"]["parameters"].clear(),
    "answer.removed": lambda d: d["components"]["schemas"]["Licence"]["properties"].pop("holder"),
    "answer.optional": lambda d: d["components"]["schemas"]["Licence"]["required"].clear(),
    "answer.type": lambda d: d["components"]["schemas"]["Licence"]["properties"]["licence_no"].update(type="integer"),
}


@pytest.mark.parametrize("what", BREAKS)
def test_what_breaks_a_caller_is_named(what: str) -> None:
    changes = compare_services(rest(), rest(BREAKS[what]))
    assert is_breaking(changes)
    assert what in {change.what for change in changes if change.is_breaking}


ADDITIONS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "operation": lambda d: d["paths"].update({"/new": {"get": {"responses": {"200": {"description": "x"}}}}}),
    "parameter": lambda d: d["paths"]["/licences"]["get"]["parameters"].append({"name": "q", "in": "query", "schema": {"type": "string"}}),
    "wider": lambda d: d["paths"]["/licences"]["get"]["parameters"][0]["schema"].update(maximum=50),
    "answer": lambda d: d["components"]["schemas"]["Licence"]["properties"].update(more={"type": "string"}),
    "name of a parameter": lambda d: d["paths"].update({"/big/{n}": d["paths"].pop("/big/{pieces}")}),
}


@pytest.mark.parametrize("what", ADDITIONS)
def test_what_is_only_more_breaks_nobody(what: str) -> None:
    assert not is_breaking(compare_services(rest(), rest(ADDITIONS[what])))
    assert compare_services(rest(), rest()) == ()


def test_a_soap_operation_that_asks_for_more_breaks(understood: Any) -> None:
    changed = WSDL.replace('name="Ngay" type="xsd:date" minOccurs="0"', 'name="Ngay" type="xsd:date"').replace(
        '<xsd:element name="SoCon" type="xsd:int"/>', ""
    )
    plain = {name: value for name, value in SOAP_DEFINITION.items() if name != "mapping"}
    old, new = read_service(plain, WSDL, understood), read_service(plain, changed, understand(plain, changed))
    assert {change.what for change in compare_services(old, new) if change.is_breaking} == {"request.required", "answer.removed"}
