"""X-Road's SOAP 4.0 envelopes as values: read with nothing but their own bytes, written so that what is unknown comes back as it came.

A document type declaration is refused, and with it entities and their bombs; sizes and depths are bounded. Unknown headers are kept word for
word: Vietnamese deployments send some in the namespace `http://vxp.vn`.
"""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass, field

from lxml import etree

from lienthong.access import xroad_faults as faults
from lienthong.access.xroad import Member, ServiceName
from lienthong.errors import LienthongError

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
XROAD = "http://x-road.eu/xsd/xroad.xsd"
IDENTIFIERS = "http://x-road.eu/xsd/identifiers"
INSTANCE = "http://www.w3.org/2001/XMLSchema-instance"
SHA512 = "http://www.w3.org/2001/04/xmlenc#sha512"
PROTOCOL = "4.0"
LARGEST_ENVELOPE = 2 * 1024 * 1024
MOST_HEADERS = 100
NAMES = {"SOAP-ENV": SOAP, "xrd": XROAD, "id": IDENTIFIERS}
_IDENTIFIER_PARTS = ("xRoadInstance", "memberClass", "memberCode", "subsystemCode", "serviceCode", "serviceVersion")


class Fault(LienthongError):
    """A message that is answered with an X-Road fault. `kind` in lower case with underscores; the door spells it."""

    code = "xroad-fault"

    def __init__(self, kind: str, message: str, *, rule: str = "") -> None:
        super().__init__(message, rule=rule)
        self.kind = kind


@dataclass(frozen=True)
class Envelope:
    """A request or an answer as it was read. `body` is the one element of its body."""

    headers: tuple[etree._Element, ...]
    body: etree._Element
    client: Member
    service: ServiceName
    id: str
    user_id: str = ""
    issue: str = ""
    represented: tuple[str, str] = field(default=("", ""))


def read_envelope(text: bytes) -> Envelope:
    """An envelope with all X-Road asks of it. Raises Fault naming what is missing."""
    root = parse_xml(text)
    if root.tag != f"{{{SOAP}}}Envelope":
        raise Fault(faults.INVALID_SOAP, "Expected a SOAP 1.1 envelope.")
    headers, body = _one(root, "Header"), _one(root, "Body")
    children = [child for child in body if isinstance(child.tag, str)]
    if len(children) != 1:
        raise Fault(faults.INVALID_SOAP, f"Malformed SOAP message: body must have exactly one child element, found {len(children)}.")
    if len(headers) > MOST_HEADERS:
        raise Fault(faults.INVALID_SOAP, f"Expected at most {MOST_HEADERS} header blocks.")
    known = _known(headers)
    for field_name in ("client", "service", "id", "protocolVersion"):
        if field_name not in known:
            raise Fault(faults.MISSING_HEADER, f"Malformed SOAP message: header field `{field_name}` missing.")
    version = _text(known["protocolVersion"])
    if version != PROTOCOL:
        raise Fault(faults.INVALID_PROTOCOL, f"Protocol version must be {PROTOCOL}, found `{version[:20]}`.")
    service = _parts(known["service"])
    if not service.get("serviceCode"):
        raise Fault(faults.MISSING_HEADER, "Malformed SOAP message: header field `service` has no serviceCode.")
    name = ServiceName(_member(service, "service"), service["serviceCode"])
    if etree.QName(children[0]).localname != name.code:
        raise Fault(faults.INCONSISTENT, "Malformed SOAP message: inconsistent headers: the body is not called as the service is.")
    party = known.get("representedParty")
    represented = ("", "") if party is None else (_local(party, "partyClass"), _local(party, "partyCode"))
    return Envelope(
        headers=tuple(headers),
        body=children[0],
        client=_member(_parts(known["client"]), "client"),
        service=name,
        id=_text(known["id"]),
        user_id=_text(known.get("userId")),
        issue=_text(known.get("issue")),
        represented=represented,
    )


def parse_xml(text: bytes) -> etree._Element:
    """The root of a document that is only itself. Raises Fault for what is too large, not XML, or declares a document type."""
    if len(text) > LARGEST_ENVELOPE:
        raise Fault(faults.INVALID_SOAP, f"The envelope is larger than {LARGEST_ENVELOPE:,} bytes.")
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(text, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise Fault(faults.INVALID_XML, "The message is not well-formed XML.") from error
    if root.getroottree().docinfo.doctype:
        raise Fault(faults.INVALID_XML, "A document type declaration is not taken.")
    return root


def request_digest(text: bytes) -> str:
    """Base64 of the SHA-512 by which an answer names its request (pr-mess §2.4)."""
    return b64encode(hashlib.sha512(text).digest()).decode()


def write_answer(request: Envelope, body: etree._Element, digest: str) -> bytes:
    """The answer to a request: its headers in their order, word for word, then the hash of the request."""
    root = etree.Element(f"{{{SOAP}}}Envelope", nsmap=NAMES)
    headers = etree.SubElement(root, f"{{{SOAP}}}Header")
    for block in request.headers:
        if block.tag != f"{{{XROAD}}}requestHash":  # ours alone: one that came along is not believed
            copied = deepcopy(block)
            copied.tail = None
            headers.append(copied)
    hashed = etree.SubElement(headers, f"{{{XROAD}}}requestHash", algorithmId=SHA512)
    hashed.text = digest
    etree.SubElement(root, f"{{{SOAP}}}Body").append(body)
    return _written(root)


def write_request(
    client: Member, service: ServiceName, message_id: str, body: etree._Element, *, user_id: str = "", issue: str = "",
    extra: Sequence[etree._Element] = (),
) -> bytes:  # fmt: skip
    """A request envelope; `extra` are further header blocks."""
    root = etree.Element(f"{{{SOAP}}}Envelope", nsmap=NAMES)
    headers = etree.SubElement(root, f"{{{SOAP}}}Header")
    _identifier(headers, "client", client, "")
    _identifier(headers, "service", service.provider, service.code)
    for name, text in (("userId", user_id), ("id", message_id), ("issue", issue), ("protocolVersion", PROTOCOL)):
        if text:
            etree.SubElement(headers, f"{{{XROAD}}}{name}").text = text
    for block in extra:
        headers.append(deepcopy(block))
    etree.SubElement(root, f"{{{SOAP}}}Body").append(body)
    return _written(root)


def write_fault(code: str, message: str, detail: str) -> bytes:
    """A SOAP 1.1 fault as X-Road writes it. `code` is spelled already; `Client` and `Server` alone are SOAP's own."""
    root = etree.Element(f"{{{SOAP}}}Envelope", nsmap=NAMES)
    fault = etree.SubElement(etree.SubElement(root, f"{{{SOAP}}}Body"), f"{{{SOAP}}}Fault")
    etree.SubElement(fault, "faultcode").text = f"SOAP-ENV:{code}" if code in ("Client", "Server") else code
    etree.SubElement(fault, "faultstring").text = printable(message)
    held = etree.SubElement(fault, "detail")
    etree.SubElement(held, f"{{{XROAD}}}faultDetail").text = detail
    return _written(root)


def read_answer(text: bytes) -> etree._Element:
    """The element in an answer's body. Raises Fault for a fault, whose kind is as the other side spelled it, or for no envelope."""
    root = parse_xml(text)
    body = root.find(f"{{{SOAP}}}Body")
    if root.tag != f"{{{SOAP}}}Envelope" or body is None or len(body) == 0:
        raise Fault(faults.INVALID_SOAP, "Expected a SOAP 1.1 envelope with a body.")
    if body[0].tag == f"{{{SOAP}}}Fault":
        code = (body[0].findtext("faultcode") or "Server").rpartition(":")[2]
        raise Fault(code, body[0].findtext("faultstring") or "")
    return body[0]


def printable(text: str) -> str:
    """Text without what XML cannot hold."""
    return "".join(s for s in text if s in "\t\n\r" or " " <= s <= "\ud7ff" or "\ue000" <= s <= "\ufffd" or s >= "\U00010000")


def _one(root: etree._Element, name: str) -> etree._Element:
    found = root.findall(f"{{{SOAP}}}{name}")
    if len(found) != 1:
        raise Fault(faults.INVALID_SOAP, f"Malformed SOAP message: expected one {name}, found {len(found)}.")
    return found[0]


def _known(headers: etree._Element) -> dict[str, etree._Element]:
    """X-Road's own header blocks by name. A second one of a name would leave open which of them counts."""
    known: dict[str, etree._Element] = {}
    for block in headers:
        name = etree.QName(block)
        if name.namespace == XROAD or name.localname == "representedParty":
            if name.localname in known:
                raise Fault(faults.INVALID_SOAP, f"Malformed SOAP message: header field `{name.localname}` is there twice.")
            known[name.localname] = block
    return known


def _parts(block: etree._Element) -> dict[str, str]:
    found: dict[str, str] = {}
    for child in block:
        name = etree.QName(child)
        if name.namespace == IDENTIFIERS and name.localname in _IDENTIFIER_PARTS:
            if name.localname in found:
                raise Fault(faults.INVALID_SOAP, f"Malformed SOAP message: `{name.localname}` is there twice.")
            found[name.localname] = _text(child)
    return found


def _member(parts: dict[str, str], block: str) -> Member:
    instance, member_class, code, subsystem = (parts.get(name, "") for name in _IDENTIFIER_PARTS[:4])
    if not (instance and member_class and code):
        raise Fault(faults.MISSING_HEADER, f"Malformed SOAP message: header field `{block}` is not whole.")
    return Member(instance, member_class, code, subsystem)


def _local(block: etree._Element, name: str) -> str:
    return next((_text(child) for child in block if etree.QName(child).localname == name), "")


def _text(element: etree._Element | None) -> str:
    """An element's own text; one that holds elements has none."""
    return "" if element is None or len(element) else (element.text or "").strip()


def _identifier(parent: etree._Element, name: str, member: Member, service: str) -> None:
    node = etree.SubElement(parent, f"{{{XROAD}}}{name}")
    node.set(f"{{{IDENTIFIERS}}}objectType", "SERVICE" if service else "SUBSYSTEM" if member.subsystem else "MEMBER")
    for part, text in zip(_IDENTIFIER_PARTS, (*member.parts, *([service] if service else [])), strict=False):
        etree.SubElement(node, f"{{{IDENTIFIERS}}}{part}").text = text


def _written(root: etree._Element) -> bytes:
    text: bytes = etree.tostring(root, xml_declaration=True, encoding="UTF-8")
    return text
