"""A WSDL as a provider gives it: read without leaving it, understood by zeep, kept as plain shapes so that nobody who calls needs zeep.

A shape is {name, ns, type, list, optional, nil, attributes, members}: `type` is one of string, integer, number, boolean, date, datetime, object, any.
Document style only: what is called by RPC has no element of its own that could be agreed on.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from io import BytesIO
from typing import Any

from lxml import etree

from lienthong.contracts.services.model import MIB
from lienthong.errors import ServiceError

LARGEST = 5 * MIB
DEEPEST = 8  # a type that holds itself is told this far
MOST_SHAPES = 20_000
WSDL, XSD = "http://schemas.xmlsoap.org/wsdl/", "http://www.w3.org/2001/XMLSchema"
SOAP_BINDINGS = {"Soap11Binding": "1.1", "Soap12Binding": "1.2"}  # zeep's names
_TYPES = {
    "boolean": "boolean", "date": "date", "dateTime": "datetime", "decimal": "number", "float": "number", "double": "number",
    **dict.fromkeys(
        ("integer", "int", "long", "short", "byte", "nonNegativeInteger", "positiveInteger", "nonPositiveInteger", "negativeInteger", "unsignedLong",
         "unsignedInt", "unsignedShort", "unsignedByte"), "integer"),
}  # fmt: skip


def parse_safely(text: bytes) -> Any:
    """The root of an XML document without DTD, entities, network or comments. Raises ServiceError."""
    if len(text) > LARGEST:
        raise _faulty(f"expected at most {LARGEST // MIB} MiB")
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True, remove_pis=True, huge_tree=False
    )
    try:
        root = etree.fromstring(text, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise _faulty(f"is not readable as XML: {str(error)[:200]}") from error
    if root.getroottree().docinfo.doctype:
        raise _faulty("holds a DTD")
    return root


def understand_wsdl(text: str) -> Mapping[str, Any]:
    """{target, version, operations: {name: {title, action, input, output}}}. Raises ServiceError with what is wrong."""
    root = parse_safely(text.encode())
    if root.tag != f"{{{WSDL}}}definitions":
        raise _faulty("is not WSDL 1.1")
    outside = [e for e in root.iter(f"{{{WSDL}}}import", f"{{{XSD}}}import", f"{{{XSD}}}include", f"{{{XSD}}}redefine") if _location(e)]
    if outside:
        faults = tuple((f"wsdl: line {e.sourceline}", f"points outside the document: `{_location(e)[:80]}`", "put it in") for e in outside)
        raise ServiceError(f"{len(outside)} faults in the WSDL.", faults=faults)
    found = _zeep_document(text)
    for service in found.services.values():
        for port in service.ports.values():
            version = SOAP_BINDINGS.get(type(port.binding).__name__)
            if version is None:
                continue
            operations = {str(name): _operation(operation) for name, operation in port.binding._operations.items()}  # noqa: SLF001 # zeep has no other door
            _check_apart(operations)
            return {"target": root.get("targetNamespace", ""), "version": version, "operations": operations}
    raise _faulty("has no port bound to SOAP")


def _location(element: Any) -> str:
    return str(element.get("schemaLocation") or element.get("location") or "")


def _zeep_document(text: str) -> Any:
    from zeep.exceptions import Error  # noqa: PLC0415 # half a second; only who registers needs it
    from zeep.settings import Settings  # noqa: PLC0415
    from zeep.transports import Transport  # noqa: PLC0415
    from zeep.wsdl import Document  # noqa: PLC0415

    class Nowhere(Transport):
        def load(self, url: str) -> Any:
            raise _faulty(f"points outside the document: `{url[:80]}`")

    nowhere: Any = Nowhere()  # type: ignore[no-untyped-call] # zeep's own is untyped
    try:
        return Document(BytesIO(text.encode()), nowhere, settings=Settings(forbid_dtd=True, forbid_entities=True, forbid_external=True))
    except ServiceError:
        raise
    except (
        Error,
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        LookupError,
        RecursionError,
        AssertionError,
        NotImplementedError,  # what zeep raises for parts of WSDL it does not know
    ) as error:
        raise _faulty(f"cannot be understood: {type(error).__name__} {str(error)[:200]}") from error


def _operation(operation: Any) -> dict[str, Any]:
    if operation.style != "document":
        raise _faulty(f"binds `{operation.name}` in {operation.style} style", "document/literal is what can be brokered")
    budget = [MOST_SHAPES]
    documentation = getattr(getattr(operation, "abstract", None), "documentation", None)
    return {
        "title": str(documentation or "").strip()[:300],
        "action": str(operation.soapaction or "").strip('"'),
        "input": _body_shape(operation.input, operation.name, budget),
        "output": None if operation.output is None else _body_shape(operation.output, operation.name, budget),
    }


def _body_shape(message: Any, name: str, budget: list[int]) -> dict[str, Any]:
    body = message.body
    if body is None or not hasattr(body, "qname"):
        raise _faulty(f"gives `{name}` no single body element")
    return _shape(body, 0, budget)


def _check_apart(operations: Mapping[str, Mapping[str, Any]]) -> None:
    """A body's element must say which operation is asked for, or rights could not be held against it."""
    roots: dict[tuple[str, str], str] = {}
    for name, operation in operations.items():
        root = (operation["input"]["ns"], operation["input"]["name"])
        if root in roots:
            raise _faulty(f"lets `{roots[root]}` and `{name}` begin with the same element", "each operation needs an element of its own")
        roots[root] = name


def _shape(element: Any, depth: int, budget: list[int]) -> dict[str, Any]:
    budget[0] -= 1
    if budget[0] < 0:
        raise _faulty(f"describes more than {MOST_SHAPES:,} elements")
    kind = element.type
    is_list = getattr(element, "max_occurs", 1) == "unbounded" or (
        isinstance(getattr(element, "max_occurs", 1), int) and element.max_occurs > 1
    )
    made: dict[str, Any] = {
        "name": str(element.qname.localname),
        "ns": str(element.qname.namespace or ""),
        "type": _type_of(kind),
        "list": is_list,
        "optional": getattr(element, "min_occurs", 1) == 0,
        "nil": bool(getattr(element, "nillable", False)),
    }
    members = list(_members(kind)) if made["type"] == "object" else []
    if members and depth >= DEEPEST:
        made["type"] = "any"
    elif members:
        made["members"] = [_shape(member, depth + 1, budget) for member in members]
    attributes = [
        {"name": str(a.qname.localname), "type": _type_of(a.type), "optional": not a.required}
        for _, a in getattr(kind, "attributes", ()) or ()
        if hasattr(a, "qname") and a.qname is not None
    ]
    if attributes:
        made["attributes"] = attributes
    return made


def _members(kind: Any) -> Iterator[Any]:
    for _, element in getattr(kind, "elements", ()) or ():
        if hasattr(element, "qname") and element.qname is not None and hasattr(element, "type"):
            yield element


def _type_of(kind: Any) -> str:
    """The plain word for a type; a simple type made from another is what that is."""
    if hasattr(kind, "elements"):
        return "object" if list(_members(kind)) or not getattr(kind, "_extension", None) else "string"
    for step in type(kind).__mro__:
        name = getattr(step, "_default_qname", None)
        if name is not None and name.localname in _TYPES:
            return _TYPES[name.localname]
    return "string"


def _faulty(what: str, hint: str = "") -> ServiceError:
    return ServiceError(f"The WSDL {what}.", faults=(("wsdl", what, hint),))
