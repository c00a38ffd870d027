"""REST face of a SOAP service, by a mapping that is declared: which REST operation is which SOAP operation, which member which element.

What an element is (its type, whether it repeats, may be missing or nil) comes from the WSDL; the mapping says only what it is called in JSON:

    mapping:
      operations:
        - call: GET /cong-dan/{so_dinh_danh}
          soap: TraCuu
          request: {SoDinhDanh: path.so_dinh_danh, Ngay: query.ngay}
          answer:
            CongDan:
              json: .                       # its members stand directly in the answer
              members:
                "@ma": ma                   # an attribute
                HoTen: ho_ten
                NgaySinh: {json: ngay_sinh, format: "%d/%m/%Y"}
                NguoiThan: {json: nguoi_than, members: {HoTen: ho_ten}}
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from lienthong.contracts.faults import Faults, nearest
from lienthong.contracts.services.model import Route

HERE = "."
TEXT = "#text"
_CALL = re.compile(r"(GET|POST|PUT|PATCH|DELETE) (/\S*)")
_MEMBER = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_SOURCE = re.compile(r"(path|query|body)\.([A-Za-z_][A-Za-z0-9_-]*)")
_JSON_TYPES: Mapping[str, dict[str, Any]] = {
    "string": {"type": "string"}, "integer": {"type": "integer"}, "number": {"type": "number"}, "boolean": {"type": "boolean"},
    "date": {"type": "string", "format": "date"}, "datetime": {"type": "string", "format": "date-time"},
}  # fmt: skip


@dataclass(frozen=True)
class Node:
    """One element, attribute (`is_attribute`) or an element's own text (`name` is `#text`), and the JSON member it is."""

    name: str
    ns: str
    json: str
    type: str
    place: str = ""  # of a request's: path, query or body
    is_attribute: bool = False
    is_list: bool = False
    is_optional: bool = False
    may_be_nil: bool = False
    format: str = ""
    members: tuple[Node, ...] = ()

    @property
    def tag(self) -> str:
        return f"{{{self.ns}}}{self.name}" if self.ns else self.name


@dataclass(frozen=True)
class Mapped:
    """A REST operation and the SOAP operation it is."""

    route: Route
    action: str
    version: str
    root: str  # tag of the request's element
    answer_root: str
    request: tuple[Node, ...]
    answer: tuple[Node, ...]


def read_mapping(mapping: Mapping[str, Any], understood: Mapping[str, Any], faults: Faults) -> dict[str, Mapped]:
    """Endpoint → mapped operation, each name held against the WSDL."""
    faults.known(mapping, ("operations",), "mapping")
    found: dict[str, Mapped] = {}
    for n, entry in enumerate(faults.entries(mapping.get("operations"), "mapping.operations")):
        place = f"mapping.operations[{n}]"
        told = faults.mapping(entry, place)
        faults.known(told, ("call", "soap", "title", "request", "answer"), place)
        call, soap = _CALL.fullmatch(str(told.get("call"))), str(told.get("soap"))
        if call is None:
            faults.add(f"{place}.call", f"expected a verb and a path such as `GET /persons/{{id}}`, found `{str(told.get('call'))[:80]}`")
            continue
        if soap not in understood["operations"]:
            faults.add(f"{place}.soap", f"the WSDL has no operation `{soap[:80]}`", nearest(soap, understood["operations"]))
            continue
        operation = understood["operations"][soap]
        route = Route(call[1], call[2], f"{soap}_rest", faults.text(told.get("title"), f"{place}.title") or operation["title"], soap, True)
        request = _nodes(faults.mapping(told.get("request"), f"{place}.request"), operation["input"], f"{place}.request", faults, True)
        answer: tuple[Node, ...] = ()
        if operation["output"] is not None:
            answer = _nodes(faults.mapping(told.get("answer"), f"{place}.answer"), operation["output"], f"{place}.answer", faults, False)
        _check_request(route, request, operation["input"], place, faults)
        found[route.endpoint] = Mapped(
            route, operation["action"], understood["version"], _tag(operation["input"]), _tag(operation["output"] or {}), request, answer
        )
    return found


def _tag(shape: Mapping[str, Any]) -> str:
    return "" if not shape else f"{{{shape['ns']}}}{shape['name']}" if shape["ns"] else str(shape["name"])


def _nodes(told: Mapping[str, Any], shape: Mapping[str, Any], place: str, faults: Faults, is_request: bool) -> tuple[Node, ...]:
    """The mapped members of a shape, in the order the schema wants them; at a request's top each says where its value comes from."""
    known = {member["name"]: member for member in shape.get("members", ())}
    known |= {f"@{a['name']}": {**a, "ns": "", "list": False, "nil": False} for a in shape.get("attributes", ())}
    known[TEXT] = {"name": TEXT, "ns": "", "type": "string", "list": False, "optional": True, "nil": False}
    for name in told:
        if name not in known:
            faults.add(f"{place}.{name}", f"`{shape['name']}` has no such element or attribute", nearest(name, known))
    found = []
    for name, what in known.items():
        if name in told:
            node = _node(name, what, told[name], f"{place}.{name}", faults, is_request)
            if node is not None:
                found.append(node)
    return tuple(found)


def _node(name: str, shape: Mapping[str, Any], told: Any, place: str, faults: Faults, is_request: bool) -> Node | None:
    said = {"json": told} if isinstance(told, str) else faults.mapping(told, place)
    faults.known(said, ("json", "members", "format"), place)
    target = str(said.get("json") or "")
    source = _SOURCE.fullmatch(target) if is_request else None
    if is_request and source is None:
        faults.add(place, f"expected path.…, query.… or body.…, found `{target[:60]}`")
        return None
    if source is not None:
        target = source[2]
    elif target != HERE and _MEMBER.fullmatch(target) is None:
        faults.add(place, f"expected a member's name, found `{target[:60]}`")
        return None
    members: tuple[Node, ...] = ()
    if shape["type"] == "object":
        members = _nodes(faults.mapping(said.get("members"), f"{place}.members"), shape, f"{place}.members", faults, False)
        if not members:
            faults.add(f"{place}.members", f"`{shape['name']}` holds elements: say which of them are mapped")
    elif shape["type"] == "any" or said.get("members"):
        faults.add(place, f"`{shape['name']}` holds no elements that could be mapped")
    if target == HERE and (shape["type"] != "object" or shape["list"]):
        faults.add(place, "`.` is for an element that holds others and does not repeat")
    return Node(
        name.removeprefix("@"), shape["ns"], target, shape["type"], source[1] if source is not None else "", name.startswith("@"), shape["list"],
        shape["optional"], shape["nil"], faults.text(said.get("format"), f"{place}.format"), members,
    )  # fmt: skip


def _check_request(route: Route, request: tuple[Node, ...], shape: Mapping[str, Any], place: str, faults: Faults) -> None:
    """Every parameter of the path is used, and everything the WSDL demands is mapped."""
    used = {node.json for node in request if node.place == "path"}
    for name in sorted(set(route.parameters) ^ used):
        faults.add(f"{place}.request", f"`{name}` is " + ("in the path and not mapped" if name in route.parameters else "not in the path"))
    mapped = {node.name for node in request}
    for member in shape.get("members", ()):
        if member["name"] not in mapped and not member["optional"] and not member["nil"]:
            faults.add(f"{place}.request", f"the WSDL demands `{member['name']}`, which is not mapped")
    if route.verb == "GET" and any(node.place == "body" for node in request):
        faults.add(f"{place}.request", "GET has no body")


def mapped_document(title: str, version: str, operations: Iterable[Mapped]) -> dict[str, Any]:
    """The OpenAPI document of a REST face: nobody writes it."""
    paths: dict[str, Any] = {}
    for mapped in operations:
        parameters = [
            {"name": node.json, "in": node.place, "required": node.place == "path" or not node.is_optional, "schema": _schema(node)}
            for node in mapped.request
            if node.place != "body"
        ]
        operation: dict[str, Any] = {
            "operationId": mapped.route.name,
            "summary": mapped.route.title or mapped.route.soap,
            "parameters": parameters,
            "responses": {"200": {"description": mapped.route.soap, "content": {"application/json": {"schema": _object(mapped.answer)}}}},
        }
        body = tuple(node for node in mapped.request if node.place == "body")
        if body:
            operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": _object(body)}}}
        paths.setdefault(mapped.route.template, {})[mapped.route.verb.lower()] = operation
    return {"openapi": "3.1.0", "info": {"title": title, "version": version}, "paths": paths}


def _object(nodes: tuple[Node, ...]) -> dict[str, Any]:
    properties: dict[str, Any] = {}
    required: list[str] = []
    for node in nodes:
        if node.json == HERE:
            inner = _object(node.members)
            properties |= inner["properties"]
            required += [] if node.is_optional else inner.get("required", [])
            continue
        properties[node.json] = _schema(node)
        if not node.is_optional or node.is_list:
            required.append(node.json)
    made: dict[str, Any] = {"type": "object", "properties": properties, "additionalProperties": False}
    return {**made, "required": required} if required else made


def _schema(node: Node) -> dict[str, Any]:
    schema = _object(node.members) if node.members else dict(_JSON_TYPES.get(node.type, {"type": "string"}))
    if node.may_be_nil:
        schema["type"] = [schema["type"], "null"]
    return {"type": "array", "items": schema} if node.is_list else schema
