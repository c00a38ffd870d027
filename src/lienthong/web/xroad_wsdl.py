"""WSDL 1.1 of a dataset, made from its contract: what it promises is what its SOAP services say. Document/literal wrapped, X-Road's headers."""

from __future__ import annotations

from lxml import etree

from lienthong.access.xroad_soap import IDENTIFIERS, XROAD
from lienthong.contracts import Contract, Property, Sensitivity

WSDL = "http://schemas.xmlsoap.org/wsdl/"
BINDING = "http://schemas.xmlsoap.org/wsdl/soap/"
SCHEMA = "http://www.w3.org/2001/XMLSchema"
HTTP = "http://schemas.xmlsoap.org/soap/http"
LOOK_UP, LIST, CHANGES = "lookUp", "list", "changes"
OPERATIONS = (LOOK_UP, LIST, CHANGES)
HEADERS = ("client", "service", "userId", "id", "issue", "protocolVersion")
_TYPES = {"string": "string", "integer": "long", "number": "double", "boolean": "boolean", "date": "date", "timestamp": "dateTime"}
_TITLES = {
    LOOK_UP: ("Tra cứu một bản ghi", "Look up one record"),
    LIST: ("Danh sách", "List"),
    CHANGES: ("Thay đổi theo thứ tự", "Changes in order"),
}


def namespace(contract: Contract) -> str:
    """The namespace of a dataset's elements."""
    return f"urn:lienthong:{contract.id}"


def code(contract: Contract, operation: str) -> str:
    """The service code of an operation; ids of datasets have one dot, so no dataset is called so."""
    return f"{contract.id}.{operation}"


def wsdl(contract: Contract, location: str) -> bytes:
    """The document; `location` is where its services are called."""
    own = namespace(contract)
    root = etree.Element(
        _w("definitions"),
        name=contract.id,
        targetNamespace=own,
        nsmap={"wsdl": WSDL, "soap": BINDING, "xs": SCHEMA, "xrd": XROAD, "id": IDENTIFIERS, "tns": own},
    )
    types = etree.SubElement(root, _w("types"))
    types.append(_identifiers())
    types.append(_headers())
    types.append(_elements(contract))
    message = etree.SubElement(root, _w("message"), name="requestHeader")
    for name in HEADERS:
        etree.SubElement(message, _w("part"), name=name, element=f"xrd:{name}")
    for operation in OPERATIONS:
        for suffix in ("", "Response"):
            name = code(contract, operation) + suffix
            etree.SubElement(etree.SubElement(root, _w("message"), name=name), _w("part"), name="body", element=f"tns:{name}")
    _port_type(root, contract)
    _binding(root, contract)
    port = etree.SubElement(etree.SubElement(root, _w("service"), name=contract.id), _w("port"), name="port", binding="tns:binding")
    etree.SubElement(port, _s("address"), location=location)
    text: bytes = etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)
    return text


def is_kept_whole(p: Property) -> bool:
    """Whether no agreement shows this field masked: a masked value is text whatever the field's type."""
    return p.mask is None and p.sensitivity not in (Sensitivity.PERSONAL, Sensitivity.SENSITIVE)


def _port_type(root: etree._Element, contract: Contract) -> None:
    port_type = etree.SubElement(root, _w("portType"), name="portType")
    for operation in OPERATIONS:
        name = code(contract, operation)
        node = etree.SubElement(port_type, _w("operation"), name=name)
        words = etree.SubElement(node, _w("documentation"))
        for language, text in zip(("vi", "en"), _TITLES[operation], strict=True):
            title = etree.SubElement(words, f"{{{XROAD}}}title")
            title.set("{http://www.w3.org/XML/1998/namespace}lang", language)
            title.text = f"{contract.title_vi if language == 'vi' else contract.title_en}: {text}"
        etree.SubElement(node, _w("input"), message=f"tns:{name}")
        etree.SubElement(node, _w("output"), message=f"tns:{name}Response")


def _binding(root: etree._Element, contract: Contract) -> None:
    binding = etree.SubElement(root, _w("binding"), name="binding", type="tns:portType")
    etree.SubElement(binding, _s("binding"), style="document", transport=HTTP)
    for operation in OPERATIONS:
        node = etree.SubElement(binding, _w("operation"), name=code(contract, operation))
        etree.SubElement(node, _s("operation"), soapAction="", style="document")
        for way in ("input", "output"):
            side = etree.SubElement(node, _w(way))
            etree.SubElement(side, _s("body"), parts="body", use="literal")
            for name in HEADERS:
                etree.SubElement(side, _s("header"), message="tns:requestHeader", part=name, use="literal")


def _identifiers() -> etree._Element:
    schema = _schema(IDENTIFIERS)
    for name in ("xRoadInstance", "memberClass", "memberCode", "subsystemCode", "serviceCode", "serviceVersion"):
        etree.SubElement(schema, _x("element"), name=name, type="xs:string")
    etree.SubElement(schema, _x("attribute"), name="objectType", type="xs:string")
    client = ("xRoadInstance", "memberClass", "memberCode", "subsystemCode?")
    for name, parts in (("XRoadClientIdentifierType", client), ("XRoadServiceIdentifierType", (*client, "serviceCode", "serviceVersion?"))):
        kind = etree.SubElement(schema, _x("complexType"), name=name)
        sequence = etree.SubElement(kind, _x("sequence"))
        for part in parts:
            optional = {"minOccurs": "0"} if part.endswith("?") else {}
            etree.SubElement(sequence, _x("element"), ref=f"id:{part.rstrip('?')}", **optional)
        etree.SubElement(kind, _x("attribute"), ref="id:objectType", use="required")
    return schema


def _headers() -> etree._Element:
    schema = _schema(XROAD)
    etree.SubElement(schema, _x("import"), namespace=IDENTIFIERS)
    for name, kind in (("client", "id:XRoadClientIdentifierType"), ("service", "id:XRoadServiceIdentifierType")):
        etree.SubElement(schema, _x("element"), name=name, type=kind)
    for name in HEADERS[2:]:
        etree.SubElement(schema, _x("element"), name=name, type="xs:string")
    return schema


def _elements(contract: Contract) -> etree._Element:
    schema = _schema(namespace(contract))
    values = _complex(schema, "Values")
    for p in contract.properties:
        kind = _TYPES[p.logical_type] if is_kept_whole(p) else "string"
        node = etree.SubElement(values, _x("element"), name=p.name, type=f"xs:{kind}", minOccurs="0", nillable="true")
        etree.SubElement(etree.SubElement(node, _x("annotation")), _x("documentation")).text = f"{p.title_vi} · {p.title_en}"
    record = _complex(schema, "Record")
    for name, kind in (("key", "string?"), ("version", "int"), ("validFrom", "date")):
        _element(record, name, f"xs:{kind}")
    _element(record, "values", "tns:Values")
    for name in ("withheld", "notDelivered"):
        etree.SubElement(record, _x("element"), name=name, type="xs:string", minOccurs="0", maxOccurs="unbounded")
    parameter = etree.SubElement(etree.SubElement(schema, _x("complexType"), name="Parameter"), _x("simpleContent"))
    etree.SubElement(
        etree.SubElement(parameter, _x("extension"), base="xs:string"), _x("attribute"), name="name", type="xs:string", use="required"
    )
    change = _complex(schema, "Change")
    for name, kind in (("cursor", "xs:string"), ("op", "xs:string"), ("key", "xs:string?"), ("version", "xs:int"), ("knownAt", "xs:dateTime"), ("record", "tns:Record?")):  # fmt: skip
        _element(change, name, kind)
    asked = _wrapper(schema, code(contract, LOOK_UP))
    _element(asked, "key", "xs:string")
    _element(_wrapper(schema, code(contract, LOOK_UP) + "Response"), "record", "tns:Record?")
    asked = _wrapper(schema, code(contract, LIST))
    etree.SubElement(asked, _x("element"), name="parameter", type="tns:Parameter", minOccurs="0", maxOccurs="unbounded")
    answered = _wrapper(schema, code(contract, LIST) + "Response")
    _element(answered, "version", "xs:int")
    etree.SubElement(answered, _x("element"), name="record", type="tns:Record", minOccurs="0", maxOccurs="unbounded")
    _element(answered, "next", "xs:string?")
    asked = _wrapper(schema, code(contract, CHANGES))
    _element(asked, "after", "xs:string?")
    _element(asked, "limit", "xs:int?")
    answered = _wrapper(schema, code(contract, CHANGES) + "Response")
    _element(answered, "version", "xs:int")
    etree.SubElement(answered, _x("element"), name="change", type="tns:Change", minOccurs="0", maxOccurs="unbounded")
    _element(answered, "next", "xs:string")
    _element(answered, "more", "xs:boolean")
    return schema


def _schema(target: str) -> etree._Element:
    return etree.Element(_x("schema"), targetNamespace=target, elementFormDefault="qualified")


def _complex(schema: etree._Element, name: str) -> etree._Element:
    return etree.SubElement(etree.SubElement(schema, _x("complexType"), name=name), _x("sequence"))


def _wrapper(schema: etree._Element, name: str) -> etree._Element:
    return etree.SubElement(etree.SubElement(etree.SubElement(schema, _x("element"), name=name), _x("complexType")), _x("sequence"))


def _element(parent: etree._Element, name: str, kind: str) -> None:
    optional = {"minOccurs": "0"} if kind.endswith("?") else {}
    etree.SubElement(parent, _x("element"), name=name, type=kind.rstrip("?"), **optional)


def _w(name: str) -> str:
    return f"{{{WSDL}}}{name}"


def _s(name: str) -> str:
    return f"{{{BINDING}}}{name}"


def _x(name: str) -> str:
    return f"{{{SCHEMA}}}{name}"
