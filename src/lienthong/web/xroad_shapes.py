"""The shapes X-Road's own programs read: faults, lists of members and of services, in JSON and in XML."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
from lxml import etree

from lienthong.access.xroad import Member
from lienthong.access.xroad_soap import IDENTIFIERS, XROAD, printable
from lienthong.web.xroad_services import Offered

JSON = "application/json"
XML = "text/xml; charset=utf-8"
_NAMES = {"xrd": XROAD, "id": IDENTIFIERS}
_XML_TYPES = ("text/xml", "application/xml", "text/*")


def wants_xml(accept: str) -> bool:
    """Whether an Accept header asks for XML; none at all means JSON."""
    return any(part.partition(";")[0].strip().lower() in _XML_TYPES for part in accept.split(","))


def wants_json(accept: str) -> bool:
    """Whether an Accept header names JSON: what decides where XML is the rule."""
    return any(part.partition(";")[0].strip().lower() == JSON for part in accept.split(","))


def fault(kind: str, message: str, detail: str, *, as_xml: bool) -> tuple[str, bytes]:
    """(content type, body) of an error."""
    if not as_xml:
        return JSON, msgspec.json.encode({"type": kind, "message": message, "detail": detail})
    root = etree.Element("error")
    for name, text in (("type", kind), ("message", message), ("detail", detail)):
        etree.SubElement(root, name).text = printable(text)
    return XML, _text(root)


def clients(found: Iterable[tuple[Member, str]], *, as_xml: bool) -> tuple[str, bytes]:
    """`listClients`."""
    if not as_xml:
        return JSON, msgspec.json.encode({"member": [_client(member, name) for member, name in found]})
    root = etree.Element(_xrd("clientList"), nsmap=_NAMES)
    for member, name in found:
        node = etree.SubElement(root, _xrd("member"))
        identifier(node, "id", member)
        etree.SubElement(node, _xrd("name" if not member.subsystem else "subsystemName")).text = printable(name)
    return XML, _text(root)


def methods(found: Iterable[Offered], *, as_xml: bool) -> tuple[str, bytes]:
    """`listMethods` and `allowedMethods`."""
    if not as_xml:
        return JSON, msgspec.json.encode({"service": [_method(offered) for offered in found]})
    root = method_list(found)
    return XML, _text(root)


def method_list(found: Iterable[Offered], name: str = "methodList") -> etree._Element:
    root = etree.Element(_xrd(name), nsmap=_NAMES)
    for offered in found:
        service_identifier(root, "service", offered.name.provider, offered.name.code)
    return root


def identifier(parent: etree._Element, name: str, member: Member) -> etree._Element:
    """A member or subsystem as an element of X-Road's identifier schema."""
    node = etree.SubElement(parent, _xrd(name))
    node.set(_id("objectType"), "SUBSYSTEM" if member.subsystem else "MEMBER")
    _parts(node, member)
    return node


def service_identifier(parent: etree._Element, name: str, provider: Member, code: str) -> etree._Element:
    node = etree.SubElement(parent, _xrd(name))
    node.set(_id("objectType"), "SERVICE")
    _parts(node, provider)
    etree.SubElement(node, _id("serviceCode")).text = printable(code)
    return node


def _parts(node: etree._Element, member: Member) -> None:
    names = ("xRoadInstance", "memberClass", "memberCode", "subsystemCode")
    for name, text in zip(names, member.parts, strict=False):
        etree.SubElement(node, _id(name)).text = printable(text)


def _client(member: Member, name: str) -> dict[str, Any]:
    named = {
        "object_type": "SUBSYSTEM" if member.subsystem else "MEMBER",
        "xroad_instance": member.instance,
        "member_class": member.member_class,
        "member_code": member.member,
    }
    if not member.subsystem:
        return {"id": named, "name": name}
    return {"id": {**named, "subsystem_code": member.subsystem}, "name": member.member, "subsystem_name": name}


def _method(offered: Offered) -> dict[str, Any]:
    provider = offered.name.provider
    return {
        "object_type": "SERVICE",
        "xroad_instance": provider.instance,
        "member_class": provider.member_class,
        "member_code": provider.member,
        "subsystem_code": provider.subsystem,
        "service_code": offered.name.code,
        "service_type": offered.kind,
        "endpoint_list": [{"method": method, "path": path} for method, path in offered.endpoints],
    }


def _xrd(name: str) -> str:
    return f"{{{XROAD}}}{name}"


def _id(name: str) -> str:
    return f"{{{IDENTIFIERS}}}{name}"


def _text(root: etree._Element) -> bytes:
    text: bytes = etree.tostring(root, xml_declaration=True, encoding="UTF-8")
    return text
