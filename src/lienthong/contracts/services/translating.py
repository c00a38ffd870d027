"""JSON to XML and back by a declared mapping: pure, and exact: what has no place in the mapping is refused or left out, never guessed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from lxml import etree

from lienthong.contracts.services.mapping import HERE, TEXT, Mapped, Node
from lienthong.errors import BadRequest, Unprocessable

ENVELOPES = {"1.1": "http://schemas.xmlsoap.org/soap/envelope/", "1.2": "http://www.w3.org/2003/05/soap-envelope"}
NIL = "{http://www.w3.org/2001/XMLSchema-instance}nil"
DEEPEST = 100


def request_envelope(mapped: Mapped, path: Mapping[str, str], query: Mapping[str, str], body: Any) -> bytes:
    """The SOAP request of a REST call. Raises Unprocessable naming the member that is missing or of another type."""
    sources: dict[str, Mapping[str, Any]] = {"path": path, "query": query, "body": body if isinstance(body, dict) else {}}
    wanted = {node.json for node in mapped.request if node.place == "body"}
    for place, known in (("query", {n.json for n in mapped.request if n.place == "query"}), ("body", wanted)):
        for name in sources[place]:
            if name not in known:
                raise Unprocessable(
                    f"`{place}.{str(name)[:60]}` is not part of this operation.",
                    hint="The service's openapi.json lists what is.",
                    vi=f"`{place}.{str(name)[:60]}` không thuộc thao tác này.",
                    hint_vi="openapi.json của dịch vụ liệt kê những gì có.",
                )
    space = ENVELOPES[mapped.version]
    envelope = etree.Element(f"{{{space}}}Envelope", nsmap={"soap": space})
    root = etree.SubElement(etree.SubElement(envelope, f"{{{space}}}Body"), mapped.root)
    for node in mapped.request:
        _write(root, node, sources[node.place].get(node.json), f"{node.place}.{node.json}")
    return etree.tostring(envelope, xml_declaration=True, encoding="UTF-8")  # type: ignore[no-any-return] # lxml publishes no types


def answer_values(mapped: Mapped, envelope: Any) -> dict[str, Any]:
    """The JSON answer behind a SOAP answer that is no fault. Raises ValueError when it is not the one the WSDL promises."""
    root = body_element(envelope)
    if root is None or root.tag != mapped.answer_root:
        raise ValueError("another element")
    return _read_all(root, mapped.answer)


def body_element(envelope: Any) -> Any:
    """The one element of a SOAP body; None when it is empty."""
    for space in ENVELOPES.values():
        if envelope.tag == f"{{{space}}}Envelope":
            body = envelope.find(f"{{{space}}}Body")
            return body[0] if body is not None and len(body) else None
    raise ValueError("no SOAP envelope")


def fault_of(envelope: Any) -> tuple[bool, str, str] | None:
    """(the caller's fault, code, words) of a SOAP fault; None when the body holds none."""
    found = body_element(envelope)
    if found is None or etree.QName(found).localname != "Fault" or etree.QName(found).namespace not in ENVELOPES.values():
        return None
    if etree.QName(found).namespace == ENVELOPES["1.1"]:
        code, words = found.findtext("faultcode") or "", found.findtext("faultstring") or ""
    else:
        space = {"s": ENVELOPES["1.2"]}
        code, words = found.findtext("s:Code/s:Value", "", space), found.findtext("s:Reason/s:Text", "", space)
    local = code.rpartition(":")[2]
    return local.startswith(("Client", "Sender")), local, words


def _write(parent: Any, node: Node, value: Any, place: str) -> None:
    if node.is_list:
        if value is None:
            value = []
        if not isinstance(value, list):
            raise _wrong(place, "a list", value)
        if not value and not node.is_optional:
            raise _wrong(place, "at least one", value)
        for n, each in enumerate(value):
            _write_one(parent, node, each, f"{place}[{n}]")
        return
    _write_one(parent, node, value, place)


def _write_one(parent: Any, node: Node, value: Any, place: str) -> None:
    if value is None:
        if node.may_be_nil and not node.is_attribute:
            etree.SubElement(parent, node.tag).set(NIL, "true")
        elif not node.is_optional:
            raise Unprocessable(f"`{place}` is missing.", vi=f"Thiếu `{place}`.")
        return
    if node.is_attribute:
        parent.set(node.tag, _checked(_text(node, value, place), place))
    elif node.name == TEXT:
        parent.text = _checked(_text(node, value, place), place)
    elif node.members:
        if not isinstance(value, dict):
            raise _wrong(place, "an object", value)
        element = etree.SubElement(parent, node.tag)
        for member in node.members:
            inner = value if member.json == HERE else value.get(member.json)
            _write(element, member, inner, f"{place}.{member.json}")
    else:
        etree.SubElement(parent, node.tag).text = _checked(_text(node, value, place), place)


def _checked(text: str, place: str) -> str:
    if (
        any(ord(c) < 0x20 and c not in "\t\n\r" for c in text)
        or "\ufffe" in text
        or "\uffff" in text
        or any(0xD800 <= ord(c) < 0xE000 for c in text)
    ):
        raise Unprocessable(f"`{place}` holds a character that XML has no place for.", vi=f"`{place}` có ký tự không dùng được trong XML.")
    return text


def _text(node: Node, value: Any, place: str) -> str:
    """A JSON value as XML Schema writes it. Values of a path or a query are texts and are read as what the schema wants."""
    if node.type == "boolean":
        if isinstance(value, bool):
            return "true" if value else "false"
        if value in ("true", "false"):
            return str(value)
        raise _wrong(place, "true or false", value)
    if isinstance(value, bool | dict | list):
        raise _wrong(place, f"a {node.type}", value)
    if node.type in ("integer", "number"):
        try:
            number = Decimal(str(value))
        except InvalidOperation as error:
            raise _wrong(place, f"a {node.type}", value) from error
        if not number.is_finite() or abs(number.adjusted()) > 100 or (node.type == "integer" and number != number.to_integral_value()):
            raise _wrong(place, f"a {node.type}", value)
        return f"{number.to_integral_value():f}" if node.type == "integer" else f"{number:f}"
    if not isinstance(value, str):
        raise _wrong(place, "text", value)
    if node.type == "date":
        try:
            day = date.fromisoformat(value)
        except ValueError as error:
            raise _wrong(place, "a date such as 2026-07-01", value) from error
        return day.strftime(node.format) if node.format else day.isoformat()
    if node.type == "datetime":
        try:
            instant = datetime.fromisoformat(value)
        except ValueError as error:
            raise _wrong(place, "an instant such as 2026-07-01T08:00:00+07:00", value) from error
        return instant.isoformat()
    if node.format:  # a date the provider keeps as text of its own form
        try:
            return date.fromisoformat(value).strftime(node.format)
        except ValueError as error:
            raise _wrong(place, "a date such as 2026-07-01", value) from error
    return value


def _read_all(element: Any, nodes: tuple[Node, ...]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for node in nodes:
        if node.is_attribute:
            found = element.get(node.tag)
            if found is not None:
                made[node.json] = _value(node, found)
        elif node.name == TEXT:
            made[node.json] = element.text or ""
        elif node.is_list:
            made[node.json] = [_read_one(each, node) for each in element.findall(node.tag)]
        else:
            each = element.find(node.tag)
            if each is None:
                continue
            if node.json == HERE:
                made |= _read_all(each, node.members)
            else:
                made[node.json] = _read_one(each, node)
    return made


def _read_one(element: Any, node: Node) -> Any:
    if element.get(NIL) in ("true", "1"):
        return None
    return _read_all(element, node.members) if node.members else _value(node, element.text or "")


def _value(node: Node, text: str) -> Any:
    """An XML text as JSON has it. Raises ValueError for what is not of its type: the answer is then not the one that was promised."""
    bare = text.strip()
    if node.type == "boolean":
        return {"true": True, "1": True, "false": False, "0": False}[bare]
    if node.type == "integer":
        return int(bare)
    if node.type == "number":
        return float(bare) if len(bare) <= 16 else Decimal(bare)
    if node.format:
        return datetime.strptime(bare, node.format).replace(tzinfo=UTC).date().isoformat()
    return bare if node.type in ("date", "datetime") else text


def _wrong(place: str, expected: str, value: Any) -> Unprocessable:
    return Unprocessable(f"`{place}`: expected {expected}, found {type(value).__name__}.", vi=f"`{place}`: cần {expected}.")


def query_values(pairs: list[tuple[str, str]]) -> dict[str, str]:
    """Each parameter once. Raises BadRequest for one that is given twice."""
    found: dict[str, str] = {}
    for name, value in pairs:
        if name in found:
            raise BadRequest(f"`{name[:60]}` is given twice.", vi=f"`{name[:60]}` được ghi hai lần.")
        found[name] = value
    return found
