"""Answers from the examples of a description, for the sandbox: what stands in it first, what its schema allows otherwise. Nothing is asked of anybody."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec
from lxml import etree

from lienthong.contracts.services import Route, Service
from lienthong.contracts.services.openapi import resolve
from lienthong.contracts.services.translating import ENVELOPES

DEEPEST = 8
_PREFERRED = re.compile(r"(?:^|[,;\s])code=(\d{3})")
_TEXTS = {
    "date": "2026-01-15",
    "date-time": "2026-01-15T08:30:00+07:00",
    "email": "mau@example.vn",
    "uuid": "00000000-0000-4000-8000-000000000000",
}
_PLAIN: Mapping[str, str] = {
    "string": "mẫu", "integer": "1", "number": "1.5", "boolean": "true", "date": _TEXTS["date"], "datetime": _TEXTS["date-time"], "any": "",
}  # fmt: skip


def rest_sample(service: Service, route: Route, prefer: str = "") -> tuple[int, str, bytes]:
    """(status, content type, body) of an operation; `prefer` is the request's `Prefer` header: `code=404` asks for that answer."""
    responses = service.operation(route).get("responses") or {}
    wanted = _PREFERRED.search(prefer)
    named = [wanted[1]] if wanted is not None and wanted[1] in responses else []
    status = next((name for name in (*named, *sorted(responses)) if named or str(name).startswith("2")), "200")
    described = resolve(service.document, responses.get(status)) or {}
    number = int(status) if str(status).isdigit() else 200
    for media_type, content in (described.get("content") or {}).items():
        value = _example(service.document, content)
        body = value.encode() if isinstance(value, str) and "json" not in media_type else msgspec.json.encode(value)
        return number, media_type, body
    return number, "", b""


def soap_sample(service: Service, operation: str) -> bytes:
    """A SOAP answer of an operation, every element of its shape once."""
    space = ENVELOPES[service.soap["version"]]
    envelope = etree.Element(f"{{{space}}}Envelope", nsmap={"soap": space})
    body = etree.SubElement(envelope, f"{{{space}}}Body")
    shape = service.soap_operation(operation)["output"]
    if shape is not None:
        _element(body, shape)
    made: bytes = etree.tostring(envelope, xml_declaration=True, encoding="UTF-8")
    return made


def soap_request_sample(service: Service, operation: str, values: Mapping[str, str] | None = None) -> bytes:
    """A SOAP request of an operation, for guides and tests. `values`: element → its text, where a sample would not do."""
    space = ENVELOPES[service.soap["version"]]
    envelope = etree.Element(f"{{{space}}}Envelope", nsmap={"soap": space})
    _element(etree.SubElement(envelope, f"{{{space}}}Body"), service.soap_operation(operation)["input"], values or {})
    made: bytes = etree.tostring(envelope, pretty_print=True, encoding="UTF-8")
    return made


def schema_sample(document: Mapping[str, Any], schema: Any, depth: int = 0) -> Any:
    """A value a schema allows: its example, its default, its first choice, or the plainest of its type."""
    schema = resolve(document, schema)
    if not isinstance(schema, dict) or depth > DEEPEST:
        return None
    if schema.get("examples"):
        return schema["examples"][0]
    for word in ("example", "default", "const"):
        if word in schema:
            return schema[word]
    if schema.get("enum"):
        return schema["enum"][0]
    for word in ("oneOf", "anyOf"):
        if schema.get(word):
            return schema_sample(document, schema[word][0], depth + 1)
    if schema.get("allOf"):
        merged: dict[str, Any] = {}
        for part in schema["allOf"]:
            value = schema_sample(document, part, depth + 1)
            merged |= value if isinstance(value, dict) else {}
        return merged
    kinds = schema.get("type")
    kind = kinds[0] if isinstance(kinds, list) else kinds
    if kind == "object" or "properties" in schema:
        return {name: schema_sample(document, each, depth + 1) for name, each in (schema.get("properties") or {}).items()}
    if kind == "array":
        return [schema_sample(document, schema.get("items"), depth + 1)]
    if kind in ("integer", "number"):
        return schema.get("minimum", 1)
    if kind == "boolean":
        return True
    return None if kind == "null" else _text(schema)


def _text(schema: Mapping[str, Any]) -> str:
    text = _TEXTS.get(str(schema.get("format")), "mẫu")
    least = schema.get("minLength", 0)
    return text if len(text) >= least else text.ljust(min(least, 1_000), "x")


def _example(document: Mapping[str, Any], content: Any) -> Any:
    if "example" in content:
        return content["example"]
    for example in (content.get("examples") or {}).values():
        return (resolve(document, example) or {}).get("value")
    return schema_sample(document, content.get("schema"))


def _element(parent: Any, shape: Mapping[str, Any], values: Mapping[str, str] | None = None) -> None:
    element = etree.SubElement(parent, f"{{{shape['ns']}}}{shape['name']}" if shape["ns"] else shape["name"])
    for attribute in shape.get("attributes", ()):
        element.set(attribute["name"], _PLAIN[attribute["type"]])
    if shape.get("members"):
        for member in shape["members"]:
            _element(element, member, values)
    elif shape["type"] != "object":
        element.text = (values or {}).get(shape["name"], _PLAIN[shape["type"]])
