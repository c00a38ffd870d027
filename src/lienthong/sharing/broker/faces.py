"""What a service shows of itself: its description with the platform's address in it, how to call it, and a test of it. Made, never written by hand."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote, urlencode

from lxml import etree

from lienthong.access import Agreement, Register, State, matches_endpoint
from lienthong.contracts.services import Kind, Route, Service
from lienthong.contracts.services.openapi import parameters_of, resolve, schema_of, self_contained
from lienthong.contracts.services.wsdl import parse_safely
from lienthong.sharing.broker.book import Offer
from lienthong.sharing.broker.samples import schema_sample, soap_request_sample

ADDRESSES = ("http://schemas.xmlsoap.org/wsdl/soap/", "http://schemas.xmlsoap.org/wsdl/soap12/", "http://schemas.xmlsoap.org/wsdl/http/")
HEADERS = ("Lienthong-Purpose", "Lienthong-Official")
MOST_CASES = 50


def root_of(base_url: str, service: Service) -> str:
    """The address of a version at the platform."""
    return f"{base_url}/v1/services/{service.id}/{service.version}"


def openapi_of(service: Service, base_url: str) -> dict[str, Any]:
    """The OpenAPI document with the platform's address in place of the provider's, its token and its headers in place of the provider's own."""
    document: dict[str, Any] = json.loads(json.dumps(service.document))
    document["servers"] = [{"url": root_of(base_url, service)}]
    document.setdefault("info", {}).update(title=service.title_vi, version=service.version)
    for name in ("security", "x-servers"):
        document.pop(name, None)
    headers = [
        {"name": name, "in": "header", "required": True, "schema": {"type": "string", "minLength": 1, "maxLength": 200}} for name in HEADERS
    ]
    for item in document.get("paths", {}).values():
        item.pop("servers", None)
        for operation in item.values():
            if isinstance(operation, dict):
                operation.pop("servers", None)
                operation.pop("security", None)
                operation.pop("callbacks", None)
                operation["parameters"] = [*(operation.get("parameters") or ()), *headers]
    flow = {"clientCredentials": {"tokenUrl": f"{base_url}/oauth/token", "scopes": {}}}
    document.setdefault("components", {})["securitySchemes"] = {"lienthong": {"type": "oauth2", "flows": flow}}
    document["security"] = [{"lienthong": []}]
    return document


def wsdl_of(service: Service, base_url: str) -> bytes:
    """The WSDL with the platform's address in place of the provider's, everywhere it stands."""
    root = parse_safely(service.wsdl.encode())
    for space in ADDRESSES:
        for address in root.iter(f"{{{space}}}address"):
            address.set("location", root_of(base_url, service))
    made: bytes = etree.tostring(root, xml_declaration=True, encoding="UTF-8")
    return made


def summary_of(offer: Offer) -> dict[str, Any]:
    """A version in the catalogue's list."""
    service = offer.service
    return {
        "version": service.version,
        "state": offer.state.value,
        "since": offer.since.isoformat(),
        "sunset_on": offer.sunset_on,
        "operations": len(service.routes),
    }


def page_of(offer: Offer, versions: list[Offer], register: Register, base_url: str) -> dict[str, Any]:
    """The catalogue's page: who answers for the service, what it does, its versions, the terms it is given under. No consumer is named."""
    service = offer.service
    return {
        **short_of(offer, base_url),
        "description": service.description_vi,
        "description_en": service.description_en,
        "owner": vars(service.owner),
        "legal_basis": service.legal_basis,
        "versions": [summary_of(each) for each in versions],
        "operations": [_operation(route, service) for route in service.routes],
        "limits": vars(service.limits),
        "timeouts": vars(service.time_outs),
        "agreements": [_terms(a) for a in register.agreements if a.dataset == service.id and a.provider == service.agency],
    }


def short_of(offer: Offer, base_url: str) -> dict[str, Any]:
    """A service in a list, by its default version."""
    service, root = offer.service, f"/v1/services/{offer.service.id}"
    links = {"self": root, "calls": root_of(base_url, service), "guide": f"{root}/guide", "test": f"{root}/test"}
    links |= {"openapi": f"{root}/openapi.json"} if service.document else {}
    return {
        "id": service.id,
        "title": service.title_vi,
        "title_en": service.title_en,
        "agency": service.agency,
        "kind": service.kind.value,
        "version": service.version,
        "state": offer.state.value,
        "links": links | ({"wsdl": f"{root}/wsdl"} if service.kind is Kind.SOAP else {}),
    }


def _operation(route: Route, service: Service) -> dict[str, Any]:
    kind = "soap" if route.soap and not route.is_mapped else "rest"
    return {
        "endpoint": route.endpoint,
        "kind": kind,
        "name": route.name,
        "title": route.title,
        "logged_first": route.verb in service.logs_first,
    }


def _terms(agreement: Agreement) -> dict[str, Any]:
    """What an agreement gives, without saying to whom."""
    return {
        "state": agreement.state.value,
        "endpoints": list(agreement.endpoints),
        "purposes": {code: {"vi": words[0], "en": words[1]} for code, words in agreement.purposes.items()},
        "legal_basis": agreement.legal_basis,
        "quota": vars(agreement.quota),
        "begins_on": agreement.begins_on,
        "ends_on": agreement.ends_on,
    }


def cases_of(service: Service) -> Iterator[dict[str, Any]]:
    """The test a consumer can run (F10): each operation once, from the examples of its description, and what its answer must be."""
    for route in service.routes[:MOST_CASES]:
        if route.soap and not route.is_mapped:
            kind = "text/xml; charset=utf-8" if service.soap["version"] == "1.1" else "application/soap+xml; charset=utf-8"
            headers = {"Content-Type": kind, "SOAPAction": f'"{service.soap_operation(route.soap)["action"]}"'}
            yield {
                "name": route.name,
                "endpoint": route.endpoint,
                "request": {"verb": "POST", "path": "", "headers": headers, "body": soap_request_sample(service, route.soap).decode()},
                "expect": {"statuses": [200], "content_type": "xml"},
            }
        else:
            yield _rest_case(service, route)


def _rest_case(service: Service, route: Route) -> dict[str, Any]:
    document, operation = service.document, service.operation(route)
    path, query = route.template, {}
    for parameter in parameters_of(document, route):
        value = _sample(document, parameter)
        if parameter.get("in") == "path":
            path = path.replace(f"{{{parameter['name']}}}", quote(str(value), safe=""))
        elif parameter.get("in") == "query" and parameter.get("required"):
            query[str(parameter["name"])] = value
    request: dict[str, Any] = {"verb": route.verb, "path": path + (f"?{urlencode(query)}" if query else ""), "headers": {}}
    described = resolve(document, operation.get("requestBody")) or {}
    schema = schema_of(document, described)
    if schema is not None:
        request["headers"]["Content-Type"] = "application/json"
        content = next(iter(c for name, c in described["content"].items() if "json" in name))
        request["body"] = json.dumps(content.get("example", schema_sample(document, schema)), ensure_ascii=False)
    statuses = [int(status) for status in operation.get("responses") or {} if str(status).isdigit() and int(status) < 300]
    expect: dict[str, Any] = {"statuses": statuses or [200]}
    answer = schema_of(document, (operation.get("responses") or {}).get(str((statuses or [200])[0])))
    if answer is not None:
        expect |= {"content_type": "json", "schema": self_contained(document, answer)}
    return {"name": route.name, "endpoint": route.endpoint, "request": request, "expect": expect}


def _sample(document: Mapping[str, Any], parameter: Mapping[str, Any]) -> Any:
    return parameter["example"] if "example" in parameter else schema_sample(document, parameter.get("schema") or {"type": "string"})


def agreed_endpoints(service: Service, register: Register, caller: str) -> frozenset[str]:
    """The operations a subsystem may call, for a test that asks for no more than that."""
    mine = [a for a in register.between(caller, service.id) if a.provider == service.agency and a.state is State.ACTIVE]
    return frozenset(
        route.endpoint
        for route in service.routes
        for agreement in mine
        for endpoint in agreement.endpoints
        if matches_endpoint(endpoint, route.verb, route.template.replace("{", "").replace("}", ""))
    )
