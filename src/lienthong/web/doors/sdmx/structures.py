"""Structure messages: agencies, dataflows, code lists, concepts and data structures as SDMX-ML 2.1."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from lxml import etree

from lienthong.web.doors.sdmx.flows import PLATFORM, TIME, Code, CodeList, Component, Flow
from lienthong.web.doors.sdmx.names import COMMON, MESSAGE, NAMESPACES, STRUCTURE, header, tag, texts

TYPES = {
    "string": "String", "integer": "Long", "number": "Double", "boolean": "Boolean", "date": "GregorianDay", "timestamp": "DateTime",
}  # fmt: skip
AGENCIES = ("SDMX", "AGENCIES", "1.0")
PROVIDERS = (PLATFORM, "DATA_PROVIDERS", "1.0")
_PACKAGES = {"Codelist": "codelist", "ConceptScheme": "conceptscheme", "DataStructure": "datastructure", "Dataflow": "datastructure"}


@dataclass
class Found:
    """What a structure message holds. `stubs`: artefacts (kind, id) told without what is in them."""

    agencies: dict[str, str] = field(default_factory=dict)  # id → name
    providers: dict[str, str] = field(default_factory=dict)
    flows: list[Flow] = field(default_factory=list)
    lists: list[CodeList] = field(default_factory=list)
    concepts: list[Flow] = field(default_factory=list)
    structures: list[Flow] = field(default_factory=list)
    stubs: set[tuple[str, str]] = field(default_factory=set)
    address: Callable[[str, str, str, str], str] = lambda *_: ""  # kind, agency, id, version → where the whole is

    @property
    def is_empty(self) -> bool:
        return not (self.agencies or self.providers or self.flows or self.lists or self.concepts or self.structures)


def structure_message(found: Found, number: str, at: datetime) -> bytes:
    """The message as XML."""
    root = etree.Element(tag(MESSAGE, "Structure"), nsmap=NAMESPACES)
    header(root, number, at)
    parts = etree.SubElement(root, tag(MESSAGE, "Structures"))
    if found.agencies or found.providers:
        group = etree.SubElement(parts, tag(STRUCTURE, "OrganisationSchemes"))
        _organisations(group, ("Agency", *AGENCIES), ("Nơi giữ cấu trúc", "Who keeps structures"), found.agencies)
        _organisations(group, ("DataProvider", *PROVIDERS), ("Cơ quan chủ quản dữ liệu", "Agencies that own data"), found.providers)
    for name, kind, things in (("Dataflows", "dataflow", found.flows), ("Codelists", "codelist", found.lists)):
        group = etree.SubElement(parts, tag(STRUCTURE, name)) if things else None
        for thing in things:
            write = _code_list if isinstance(thing, CodeList) else _dataflow
            write(group, thing, found, kind)  # type: ignore[arg-type] # the writer of its kind
    for name, kind, flows, describe in (
        ("Concepts", "conceptscheme", found.concepts, _concepts), ("DataStructures", "datastructure", found.structures, _structure),
    ):  # fmt: skip
        group = etree.SubElement(parts, tag(STRUCTURE, name)) if flows else None
        for flow in flows:
            describe(group, flow, found, kind)
    made: bytes = etree.tostring(root, xml_declaration=True, encoding="utf-8", pretty_print=True)
    return made


def _artefact(
    group: Any, name: str, kind: str, identity: tuple[str, str, str], titles: tuple[str, str], found: Found, words: tuple[str, str] = ("", "")
) -> tuple[Any, bool]:  # fmt: skip
    """(element, whether only its stub is told)."""
    agency, own_id, version = identity
    is_stub = (kind, own_id) in found.stubs
    more = {"isExternalReference": "true", "structureURL": found.address(kind, agency, own_id, version)} if is_stub else {}
    urn = f"urn:sdmx:org.sdmx.infomodel.{_PACKAGES[name]}.{name}={agency}:{own_id}({version})"
    made = etree.SubElement(group, tag(STRUCTURE, name), id=own_id, agencyID=agency, version=version, urn=urn, **more)
    texts(made, COMMON, "Name", *titles)
    if not is_stub:
        texts(made, COMMON, "Description", *words)
    return made, is_stub


def _organisations(group: Any, name: tuple[str, str, str, str], titles: tuple[str, str], members: dict[str, str]) -> None:
    if not members:
        return
    kind, agency, own_id, version = name
    scheme = etree.SubElement(group, tag(STRUCTURE, f"{kind}Scheme"), id=own_id, agencyID=agency, version=version)
    texts(scheme, COMMON, "Name", *titles)
    for member, words in sorted(members.items()):
        texts(etree.SubElement(scheme, tag(STRUCTURE, kind), id=member), COMMON, "Name", words, "")


def _titles(flow: Flow) -> tuple[str, str]:
    return flow.contract.title_vi, flow.contract.title_en


def _dataflow(group: Any, flow: Flow, found: Found, kind: str) -> None:
    words = (flow.contract.description_vi, flow.contract.description_en)
    made, is_stub = _artefact(group, "Dataflow", kind, (flow.agency, flow.id, flow.version), _titles(flow), found, words)
    if not is_stub:
        structure = etree.SubElement(made, tag(STRUCTURE, "Structure"))
        _ref(structure, "DataStructure", flow.agency, flow.id, flow.version)


def _code_list(group: Any, listed: CodeList, found: Found, kind: str) -> None:
    identity = (listed.agency, listed.id, listed.version)
    made, is_stub = _artefact(group, "Codelist", kind, identity, (listed.title_vi, listed.title_en), found)
    for code in () if is_stub else listed.codes:
        element = etree.SubElement(made, tag(STRUCTURE, "Code"), id=code.id)
        _lives(element, code)
        texts(element, COMMON, "Name", code.vi or code.id, code.en)


def _lives(element: Any, code: Code) -> None:
    """When a code was in force: an annotation for each life, `from/to` with the last day open."""
    lives = [life for life in code.lives if life != (None, None)]
    if lives:
        annotations = etree.SubElement(element, tag(COMMON, "Annotations"))
        for since, until in lives:
            annotation = etree.SubElement(annotations, tag(COMMON, "Annotation"))
            etree.SubElement(annotation, tag(COMMON, "AnnotationTitle")).text = f"{_day(since)}/{_day(until)}"
            etree.SubElement(annotation, tag(COMMON, "AnnotationType")).text = "VALIDITY"


def _day(day: date | None) -> str:
    return "" if day is None else day.isoformat()


def _concepts(group: Any, flow: Flow, found: Found, kind: str) -> None:
    made, is_stub = _artefact(group, "ConceptScheme", kind, (flow.agency, flow.concepts, flow.version), _titles(flow), found)
    for component in () if is_stub else flow.components:
        concept = etree.SubElement(made, tag(STRUCTURE, "Concept"), id=component.id)
        texts(concept, COMMON, "Name", component.property.title_vi, component.property.title_en)
        texts(concept, COMMON, "Description", component.property.description, "")


def _structure(group: Any, flow: Flow, found: Found, kind: str) -> None:
    made, is_stub = _artefact(group, "DataStructure", kind, (flow.agency, flow.id, flow.version), _titles(flow), found)
    if is_stub:
        return
    parts = etree.SubElement(made, tag(STRUCTURE, "DataStructureComponents"))
    dimensions = etree.SubElement(parts, tag(STRUCTURE, "DimensionList"), id="DimensionDescriptor")
    for position, component in enumerate(flow.keys, 1):
        name = "TimeDimension" if component.id == TIME else "Dimension"
        _component(dimensions, name, flow, component, position=str(position))
    if flow.attributes:
        attributes = etree.SubElement(parts, tag(STRUCTURE, "AttributeList"), id="AttributeDescriptor")
        for component in flow.attributes:
            status = "Mandatory" if component.property.required else "Conditional"
            attribute = _component(attributes, "Attribute", flow, component, assignmentStatus=status)
            measure = etree.SubElement(
                etree.SubElement(attribute, tag(STRUCTURE, "AttributeRelationship")), tag(STRUCTURE, "PrimaryMeasure")
            )
            etree.SubElement(measure, "Ref", id=flow.measure.id)
    measures = etree.SubElement(parts, tag(STRUCTURE, "MeasureList"), id="MeasureDescriptor")
    _component(measures, "PrimaryMeasure", flow, flow.measure)


def _component(group: Any, name: str, flow: Flow, component: Component, **more: str) -> Any:
    made = etree.SubElement(group, tag(STRUCTURE, name), id=component.id, **more)
    identity = etree.SubElement(made, tag(STRUCTURE, "ConceptIdentity"))
    etree.SubElement(
        identity, "Ref", id=component.id, maintainableParentID=flow.concepts, maintainableParentVersion=flow.version, agencyID=flow.agency,
        package="conceptscheme", **{"class": "Concept"},
    )  # fmt: skip
    represented = etree.SubElement(made, tag(STRUCTURE, "LocalRepresentation"))
    if component.id == TIME:
        etree.SubElement(represented, tag(STRUCTURE, "TextFormat"), textType="ObservationalTimePeriod")
    elif component.codes is not None and name == "Dimension":
        agency, own_id, version = list_identity(flow, component)
        _ref(etree.SubElement(represented, tag(STRUCTURE, "Enumeration")), "Codelist", agency, own_id, version)
    else:
        etree.SubElement(represented, tag(STRUCTURE, "TextFormat"), textType=TYPES[component.property.logical_type])
    return made


def _ref(parent: Any, name: str, agency: str, own_id: str, version: str) -> None:
    etree.SubElement(parent, "Ref", id=own_id, version=version, agencyID=agency, package=_PACKAGES[name], **{"class": name})


def list_identity(flow: Flow, component: Component) -> tuple[str, str, str]:
    """(agency, id, version) of a dimension's code list: the flow's own agency keeps it, as the flow uses it."""
    assert component.codes is not None
    return flow.agency, component.codes.id, flow.version


def lists_of(flows: Sequence[Flow]) -> dict[tuple[str, str, str], tuple[Flow, Component]]:
    """Every code list of the flows by (agency, id, version), with a dimension that uses it."""
    found: dict[tuple[str, str, str], tuple[Flow, Component]] = {}
    for flow in flows:
        for component in flow.dimensions:
            if component.codes is not None:
                found.setdefault(list_identity(flow, component), (flow, component))
    return found
