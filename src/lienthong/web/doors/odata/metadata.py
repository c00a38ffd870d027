"""What the service says of itself: the service document, and `$metadata` (CSDL) with the types as this caller sees them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lxml import etree

from lienthong.access import Decision
from lienthong.contracts import Contract, Property
from lienthong.store.tables import table_name

ROOT = "/odata/v4"
NAMESPACE = "Lienthong"
CORE = "Org.OData.Core.V1"
CORE_ADDRESS = "https://oasis-tcs.github.io/odata-vocabularies/vocabularies/Org.OData.Core.V1.xml"
CAPABILITIES = "Org.OData.Capabilities.V1"
CAPABILITIES_ADDRESS = "https://oasis-tcs.github.io/odata-vocabularies/vocabularies/Org.OData.Capabilities.V1.xml"
FUNCTIONS = (  # of `$filter`; a client that reads them asks for no others
    "contains", "startswith", "endswith", "tolower", "toupper", "trim", "length", "year", "month", "day", "hour", "minute", "second", "date", "floor", "ceiling",
    "round",
)  # fmt: skip
EDMX = "http://docs.oasis-open.org/odata/ns/edmx"
EDM = "http://docs.oasis-open.org/odata/ns/edm"
# A number is kept as double precision: Edm.Decimal would promise digits that are not there.
TYPES = {
    "string": "Edm.String", "integer": "Edm.Int64", "number": "Edm.Double", "boolean": "Edm.Boolean", "date": "Edm.Date",
    "timestamp": "Edm.DateTimeOffset",
}  # fmt: skip

Opening = tuple[Contract, Decision]


def set_name(contract: Contract) -> str:
    """The name of a dataset's entity set: its id with `_` for what a name may not hold."""
    return table_name(contract.id)


def service_document(root: str, openings: Sequence[Opening]) -> dict[str, Any]:
    sets = [{"name": set_name(c), "title": c.title_vi, "kind": "EntitySet", "url": set_name(c)} for c, _ in openings]
    return {"@odata.context": f"{root}/$metadata", "value": sets}


def type_of(p: Property, *, is_masked: bool) -> str:
    """The type of a field as it is answered; what is masked is text."""
    return "Edm.String" if is_masked else TYPES[p.logical_type]


def metadata(openings: Sequence[Opening]) -> bytes:
    """The CSDL document of the sets a caller may ask."""
    edmx = etree.Element(f"{{{EDMX}}}Edmx", nsmap={"edmx": EDMX}, Version="4.0")
    reference = etree.SubElement(edmx, f"{{{EDMX}}}Reference", Uri=CORE_ADDRESS)
    etree.SubElement(reference, f"{{{EDMX}}}Include", Namespace=CORE, Alias="Core")
    reference = etree.SubElement(edmx, f"{{{EDMX}}}Reference", Uri=CAPABILITIES_ADDRESS)
    etree.SubElement(reference, f"{{{EDMX}}}Include", Namespace=CAPABILITIES, Alias="Capabilities")
    services = etree.SubElement(edmx, f"{{{EDMX}}}DataServices")
    schema = etree.SubElement(services, f"{{{EDM}}}Schema", nsmap={None: EDM}, Namespace=NAMESPACE)
    for contract, decision in openings:
        _entity_type(schema, contract, decision)
    container = etree.SubElement(schema, f"{{{EDM}}}EntityContainer", Name="Data")
    for contract, decision in openings:
        name = set_name(contract)
        entity_set = etree.SubElement(container, f"{{{EDM}}}EntitySet", Name=name, EntityType=f"{NAMESPACE}.{name}")
        _label(entity_set, contract.title_vi, contract.title_en)
        _restrictions(entity_set, [p.name for p in contract.properties if p.name in decision.masked])
    _capabilities(container)
    made: bytes = etree.tostring(edmx, xml_declaration=True, encoding="utf-8", pretty_print=True)
    return made


def _entity_type(schema: Any, contract: Contract, decision: Decision) -> None:
    made = etree.SubElement(schema, f"{{{EDM}}}EntityType", Name=set_name(contract))
    if all(p.name in decision.visible for p in contract.key):
        key = etree.SubElement(made, f"{{{EDM}}}Key")
        for p in contract.key:
            etree.SubElement(key, f"{{{EDM}}}PropertyRef", Name=p.name)
    for p in contract.properties:
        if p.name not in decision.visible and p.name not in decision.masked:
            continue
        is_masked = p.name in decision.masked
        more = {} if is_masked or not (p.required or p.key_position) else {"Nullable": "false"}
        more |= {"Precision": "6"} if p.logical_type == "timestamp" and not is_masked else {}
        field = etree.SubElement(made, f"{{{EDM}}}Property", Name=p.name, Type=type_of(p, is_masked=is_masked), **more)
        _label(field, p.title_vi, p.title_en)
        if p.description:
            etree.SubElement(field, f"{{{EDM}}}Annotation", Term="Core.LongDescription", String=_plain(p.description))
    _label(made, contract.title_vi, contract.title_en)


def _capabilities(container: Any) -> None:
    """What the service can and cannot, so that a client asks for nothing that is refused with 501."""
    etree.SubElement(
        container, f"{{{EDM}}}Annotation", Term="Capabilities.ConformanceLevel", EnumMember=f"{CAPABILITIES}.ConformanceLevelType/Minimal"
    )
    for term, texts in (("SupportedFormats", ("application/json",)), ("FilterFunctions", FUNCTIONS)):
        listed = etree.SubElement(etree.SubElement(container, f"{{{EDM}}}Annotation", Term=f"Capabilities.{term}"), f"{{{EDM}}}Collection")
        for text in texts:
            etree.SubElement(listed, f"{{{EDM}}}String").text = text
    for term in ("AsynchronousRequestsSupported", "BatchSupported", "CrossJoinSupported"):
        etree.SubElement(container, f"{{{EDM}}}Annotation", Term=f"Capabilities.{term}", Bool="false")


def _restrictions(entity_set: Any, masked: Sequence[str]) -> None:
    """What is not offered of one set. A masked field is not seen whole: nothing is filtered or ordered by it."""
    for term, word in (
        ("ExpandRestrictions", "Expandable"), ("SearchRestrictions", "Searchable"), ("InsertRestrictions", "Insertable"), ("UpdateRestrictions", "Updatable"),
        ("DeleteRestrictions", "Deletable"),
    ):  # fmt: skip
        etree.SubElement(_record(entity_set, term), f"{{{EDM}}}PropertyValue", Property=word, Bool="false")
    if not masked:
        return
    for term, word in (("FilterRestrictions", "NonFilterableProperties"), ("SortRestrictions", "NonSortableProperties")):
        value = etree.SubElement(_record(entity_set, term), f"{{{EDM}}}PropertyValue", Property=word)
        listed = etree.SubElement(value, f"{{{EDM}}}Collection")
        for name in masked:
            etree.SubElement(listed, f"{{{EDM}}}PropertyPath").text = name


def _record(entity_set: Any, term: str) -> Any:
    annotation = etree.SubElement(entity_set, f"{{{EDM}}}Annotation", Term=f"Capabilities.{term}")
    return etree.SubElement(annotation, f"{{{EDM}}}Record")


def _label(element: Any, vi: str, en: str) -> None:
    """Vietnamese first; English under its qualifier."""
    if vi:
        etree.SubElement(element, f"{{{EDM}}}Annotation", Term="Core.Description", String=_plain(vi))
    if en and en != vi:
        etree.SubElement(element, f"{{{EDM}}}Annotation", Term="Core.Description", Qualifier="en", String=_plain(en))


def _plain(text: str) -> str:
    """Without what XML cannot hold."""
    return "".join(
        letter for letter in text if letter in "\t\n\r" or " " <= letter <= "\ud7ff" or "\ue000" <= letter <= "\ufffd" or letter > "\uffff"
    )
