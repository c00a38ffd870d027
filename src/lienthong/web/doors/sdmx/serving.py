"""The addresses of the service: structures by kind, agency, id and version; data by flow and key."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from functools import partial
from typing import Any
from urllib.parse import quote

from lxml import etree
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from lienthong.contracts import Contract
from lienthong.errors import NotAcceptable, NotFound, NotOffered, TooLarge
from lienthong.sharing.filters import shown
from lienthong.sharing.formats import Tally
from lienthong.sharing.questions import LARGEST_PAGE, MOST_VALUES, All, Answer, Compare, Expression, OneOf, Question, Sort, give_distinct
from lienthong.sharing.questions import Any as AnyOf
from lienthong.sharing.rights import Right
from lienthong.standards import show_number
from lienthong.web.asking import PRIVATE, Counter, is_strange
from lienthong.web.doors.asking import Door, authorise, basic, bearer, fetch, once, stream, visible
from lienthong.web.doors.sdmx import names
from lienthong.web.doors.sdmx.data import Row, Shape, generic_xml, json_data, specific_xml, text_of
from lienthong.web.doors.sdmx.flows import MEASURE, PLATFORM, TIME, Code, CodeList, Component, Flow, code_of, flow_of
from lienthong.web.doors.sdmx.periods import span_of, within, written
from lienthong.web.doors.sdmx.queries import (
    ALL_DIMENSIONS,
    KINDS,
    OTHERS,
    DataQuery,
    StructureQuery,
    read_data_query,
    read_flow_name,
    read_structure_query,
)
from lienthong.web.doors.sdmx.structures import AGENCIES, PROVIDERS, Found, list_identity, lists_of, structure_message

STRUCTURE_PARAMETERS = ("references", "detail", "purpose", "official")
DATA_PARAMETERS = (
    "startPeriod", "endPeriod", "updatedAfter", "firstNObservations", "lastNObservations", "dimensionAtObservation", "detail", "includeHistory",
    "purpose", "official",
)  # fmt: skip
NOT_OFFERED = ("availableconstraint", "schema", "metadata", "metadataset", "registration", "structure", *OTHERS)
MOST_CODES = 100_000
LABELS = ("name", "label", "title", "full_name", "district", "ten")
_CODES = {
    400: "140",
    401: "110",
    403: "150",
    404: "100",
    405: "140",
    406: "140",
    413: "130",
    422: "150",
    429: "150",
    501: "501",
    503: "503",
}
_TOO_LONG = ("question-too-long", "too-large")
_FORMS = {  # media type → versions of it that are answered, what is answered
    "application/vnd.sdmx.genericdata+xml": (("", "2.1"), names.GENERIC_XML),
    "application/vnd.sdmx.structurespecificdata+xml": (("", "2.1"), names.SPECIFIC_XML),
    "application/vnd.sdmx.data+json": (("", "1.0.0"), names.DATA_JSON),
    "application/vnd.sdmx.draft-sdmx-json+json": (("", "2.1", "1.0.0"), names.DRAFT_JSON),
    "application/json": (("",), names.DATA_JSON),
    "application/xml": (("",), names.GENERIC_XML),
    "text/xml": (("",), names.GENERIC_XML),
    "application/*": (("",), names.GENERIC_XML),
    "*/*": (("",), names.GENERIC_XML),
}
_STRUCTURE_FORMS = {
    "application/vnd.sdmx.structure+xml": (("", "2.1"), names.STRUCTURE_XML),
    **dict.fromkeys(("application/xml", "text/xml", "application/*", "*/*"), (("",), names.STRUCTURE_XML)),
}
Key = tuple[str, str, str]
Node = tuple[str, Key]  # kind of artefact, (agency, id, version)


def say(status: int, document: Mapping[str, Any], headers: Mapping[str, str]) -> Response:
    """An error message (SDMX 2.1 §4.3 and the codes of its web services guidelines)."""
    root = etree.Element(names.tag(names.MESSAGE, "Error"), nsmap=names.NAMESPACES)
    code = "130" if document["code"] in _TOO_LONG else _CODES.get(status, "500")
    message = etree.SubElement(root, names.tag(names.MESSAGE, "ErrorMessage"), code=code)
    hint, hint_vi = (f" {document[name]}" if document.get(name) else "" for name in ("hint", "hint_vi"))
    rule = f" ({document['rule']})" if document.get("rule") else ""
    names.texts(message, names.COMMON, "Text", document["detail"] + rule + hint_vi, document["detail_en"] + rule + hint)
    body = etree.tostring(root, xml_declaration=True, encoding="utf-8")
    return Response(body, status, dict(headers), media_type=names.ERROR_XML)


DOOR = Door("sdmx", say, (bearer, basic), ("purpose", "official"), 'Basic realm="Lienthong", charset="UTF-8"', takes_profiles=True)


def routes_of(counter: Counter) -> list[Route]:
    """Every route of the service."""
    return [DOOR.route(names.ROOT + "/{path:path}", _answer, counter)]


def _answer(counter: Counter, request: Request) -> Response:
    kind, *path = request.path_params["path"].rstrip("/").split("/")
    if kind in KINDS:
        query = read_structure_query(kind, path, once(request.query_params.multi_items(), STRUCTURE_PARAMETERS))
        return _structures(counter, request, query)
    if kind == "data" and 1 <= len(path) <= 3:
        return _data(counter, request, *path)
    if kind in NOT_OFFERED:
        raise NotOffered(
            f"This service does not offer `{kind}`.",
            hint=f"It has {', '.join(KINDS)} and data.",
            hint_vi=f"Dịch vụ có {', '.join(KINDS)} và data.",
            vi=f"Dịch vụ không có `{kind}`.",
        )
    raise NotFound(
        f"There is nothing at `{shown(kind)}`.",
        hint=f"There are {', '.join(KINDS)} and data.",
        hint_vi=f"Có {', '.join(KINDS)} và data.",
        vi=f"Không có gì ở `{shown(kind)}`.",
    )


def _form(request: Request, forms: Mapping[str, tuple[tuple[str, ...], str]]) -> str:
    """The media type to answer in. Raises NotAcceptable."""
    accept = request.headers.get("accept", "").strip() or "*/*"
    best: tuple[float, str] | None = None
    for part in accept.split(","):
        name, *parameters = [piece.strip().lower() for piece in part.split(";")]
        said = dict(piece.partition("=")[::2] for piece in parameters)
        versions, form = forms.get(name, ((), ""))
        try:
            quality = float(said.get("q", "1"))
        except ValueError:
            quality = 0.0
        if said.get("version", "").strip('"') in versions and quality > (best[0] if best else 0.0):
            best = (quality, form)
    if best is None:
        offered = ", ".join(dict.fromkeys(form for _, form in forms.values()))
        raise NotAcceptable(f"Expected one of {offered} in Accept.", vi=f"Accept phải có một trong: {offered}.")
    return best[1]


def _number() -> str:
    return f"LT{uuid.uuid4().hex[:16].upper()}"


# Structures


def _structures(counter: Counter, request: Request, query: StructureQuery) -> Response:
    form = _form(request, _STRUCTURE_FORMS)
    openings = {contract.id: (contract, decision) for contract, decision in visible(counter, request)}
    flows = [flow for contract, decision in openings.values() if (flow := flow_of(contract, decision.visible)) is not None]
    graph = _graph(flows)
    primary = [node for node in graph if node[0] == query.kind and _is_asked(node[1], query)]
    if not primary:
        _refuse_hidden(counter, request, query)
        raise NotFound("There is no such structure.", vi="Không có cấu trúc này.")
    wanted = dict.fromkeys([*primary, *_referenced(graph, primary, query.references)])
    stubs = {"all": set(wanted), "reference": set(wanted) - set(primary)}.get(query.stubs, set())
    by_key = {(flow.agency, flow.id, flow.version): flow for flow in flows}
    lists = lists_of(flows)
    found = Found(address=partial(_address, counter))
    for node in wanted:
        kind, key = node
        if node in stubs:
            found.stubs.add((kind, key[1]))
        if kind == "agencyscheme":
            found.agencies = {PLATFORM: "Liên thông"}
        elif kind == "dataproviderscheme":
            found.providers = {flow.provider: flow.contract.agency for flow in flows}
        elif kind == "codelist":
            flow, component = lists[key]
            found.lists.append(_code_list(counter, request, openings, flow, component, is_stub=node in stubs))
        else:
            of_kind = {"dataflow": found.flows, "datastructure": found.structures, "conceptscheme": found.concepts}[kind]
            of_kind.append(by_key[key[0], key[1].removeprefix("CS_"), key[2]])
    return Response(structure_message(found, _number(), counter.clock()), headers=PRIVATE, media_type=form)


def _address(counter: Counter, kind: str, agency: str, own_id: str, version: str) -> str:
    return f"{counter.public_url}{names.ROOT}/{kind}/{quote(agency)}/{quote(own_id)}/{quote(version)}"


def _is_asked(key: Key, query: StructureQuery) -> bool:
    agency, own_id, version = key
    return (
        (not query.agencies or agency in query.agencies)
        and (not query.ids or own_id in query.ids)
        and (not query.versions or version in query.versions)
    )


def _graph(flows: Iterable[Flow]) -> dict[Node, tuple[Node, ...]]:
    """What each artefact references."""
    graph: dict[Node, tuple[Node, ...]] = {("agencyscheme", AGENCIES): (), ("dataproviderscheme", PROVIDERS): ()}
    for flow in flows:
        key = (flow.agency, flow.id, flow.version)
        concepts: Node = ("conceptscheme", (flow.agency, flow.concepts, flow.version))
        lists = [("codelist", list_identity(flow, component)) for component in flow.dimensions if component.codes is not None]
        graph[("dataflow", key)] = (("datastructure", key),)
        graph[("datastructure", key)] = (*dict.fromkeys(lists), concepts)
        graph |= dict.fromkeys([*lists, concepts], ())
    return graph


def _referenced(graph: Mapping[Node, tuple[Node, ...]], primary: list[Node], references: str) -> list[Node]:
    def children(nodes: Iterable[Node]) -> list[Node]:
        return [child for node in nodes for child in graph[node]]

    def parents(nodes: Iterable[Node]) -> list[Node]:
        held = set(nodes)
        return [node for node, below in graph.items() if held.intersection(below)]

    def all_of(step: Callable[[Iterable[Node]], list[Node]], nodes: list[Node]) -> list[Node]:
        found: dict[Node, None] = {}
        while nodes:
            nodes = [node for node in step(nodes) if node not in found]
            found.update(dict.fromkeys(nodes))
        return list(found)

    above = parents(primary)
    siblings = [*above, *children(above)]
    answers = {
        "none": [],
        "children": children(primary),
        "descendants": all_of(children, primary),
        "parents": above,
        "parentsandsiblings": siblings,
        "all": [*siblings, *all_of(children, primary)],
    }
    if references in answers:
        return answers[references]
    return [node for node in (*all_of(children, primary), *all_of(parents, primary)) if node[0] == references]


def _refuse_hidden(counter: Counter, request: Request, query: StructureQuery) -> None:
    """A flow that is there and not seen is refused by its rule, as its data would be."""
    for own_id in query.ids if query.kind in ("dataflow", "datastructure") else ():
        flow = _flow_named(counter, request, own_id)
        if flow is not None:
            authorise(counter, request, flow.contract).require_whole(tuple(component.property.name for component in flow.keys))


def _flow_named(counter: Counter, request: Request, own_id: str) -> Flow | None:
    flows = (flow_of(contract) for contract in counter.contracts.values())
    found = next((flow for flow in flows if flow is not None and flow.id == own_id), None)
    return None if found is None or is_strange(counter, request, found.contract) else found


def _code_list(
    counter: Counter, request: Request, openings: Mapping[str, tuple[Contract, Any]], flow: Flow, component: Component, *, is_stub: bool
) -> CodeList:  # fmt: skip
    agency, own_id, version = list_identity(flow, component)
    p, codes = component.property, component.codes
    assert codes is not None
    title = (p.title_vi, p.title_en)
    made: tuple[Code, ...] = ()
    if is_stub:
        pass
    elif codes.listed is not None:
        made = tuple(Code(code_of(value), words) for value, words in codes.listed.items())
    elif codes.dataset in openings:
        made = _codes_of_list(counter, request, *openings[codes.dataset], component)
    else:
        found = fetch(counter, DOOR, request, flow.contract, Question((p.name,), limit=LARGEST_PAGE), give_distinct)
        made = tuple(Code(code_of(row[0]), str(row[0])) for row in found.rows if row[0] is not None)
    return CodeList(own_id, agency, version, *title, made)


def _codes_of_list(counter: Counter, request: Request, contract: Contract, decision: Any, component: Component) -> tuple[Code, ...]:
    """The codes of another dataset's column, with a name and their lives where it has them."""
    assert component.codes is not None
    seen = {p.name: p for p in contract.properties if p.name in decision.visible}
    column, level = component.codes.column, component.codes.level
    label = next((name for name in LABELS if name in seen and name != column), column)
    days = [name for name in ("valid_from", "valid_to") if name in seen and seen[name].logical_type == "date"]
    where = Compare("level", "eq", level) if level and "level" in seen else None
    fields = tuple(dict.fromkeys((column, label, *days)))
    if not set(fields) <= set(seen):
        return ()
    words: dict[str, str] = {}
    lives: dict[str, list[tuple[date | None, date | None]]] = {}
    cursor: str | None = None
    while True:
        found = fetch(counter, DOOR, request, contract, Question(fields, where, limit=LARGEST_PAGE, cursor=cursor))
        for row in found.rows:
            values = dict(zip(found.fields, row, strict=True))
            if values[column] is None:
                continue
            code = code_of(values[column])
            words[code] = str(values[label] or values[column])
            lives.setdefault(code, []).append((values.get("valid_from"), values.get("valid_to")))
        if len(words) > MOST_CODES:
            raise TooLarge(f"The list has more than {MOST_CODES:,} codes.", vi=f"Danh mục có hơn {show_number(MOST_CODES)} mã.")
        cursor = found.next
        if cursor is None:
            return tuple(Code(code, words[code], lives=tuple(sorted(lives[code], key=str))) for code in sorted(words))


# Data


def _data(counter: Counter, request: Request, name: str, key: str = "all", provider: str = "all") -> Response:
    form = _form(request, _FORMS)
    agency, own_id, version = read_flow_name(name)
    whole = _flow_named(counter, request, own_id)
    if (
        whole is None
        or agency not in ("", whole.agency)
        or version not in ("", whole.version)
        or provider not in ("all", whole.provider, f"{PLATFORM},{whole.provider}")
    ):
        raise NotFound(
            f"There is no dataflow `{shown(name)}`.",
            hint=f"{names.ROOT}/dataflow lists them.",
            hint_vi=f"{names.ROOT}/dataflow liệt kê các dataflow.",
            vi=f"Không có dataflow `{shown(name)}`.",
        )
    query = read_data_query(whole, key, once(request.query_params.multi_items(), DATA_PARAMETERS))
    right = authorise(counter, request, whole.contract)
    right.require_whole(tuple(component.property.name for component in (*whole.keys, whole.measure)))
    flow = flow_of(whole.contract, right.visible)
    assert flow is not None  # its parts are seen whole
    at_observation = query.at_observation or (ALL_DIMENSIONS if flow.time is None else TIME)
    has_observations = query.detail in ("full", "dataonly")
    attributes = flow.attributes if query.detail == "full" else ()
    shape = Shape(flow, at_observation, attributes, query.first, query.last, has_observations, _number(), counter.clock())
    if not has_observations and not shape.series:
        raise NotOffered("Without observations there must be series.", vi="Không có chuỗi khi dimensionAtObservation=AllDimensions.")
    question = _question(counter, right, flow, query, shape)
    return stream(counter, DOOR, request, flow.contract, right, question, partial(_write, form, shape), form)


def _question(counter: Counter, right: Right, flow: Flow, query: DataQuery, shape: Shape) -> Question:
    parts: list[Expression] = [
        OneOf(component.property.name, values) for component, values in zip(flow.dimensions, query.key, strict=True) if values
    ]
    if flow.time is not None and (query.start or query.end):
        parts += _in_time(counter, right, flow.contract, flow.time, query, parts)
    order = [*shape.series, *(component.id for component in flow.keys if component.id not in shape.series)]
    columns = {component.id: component.property.name for component in flow.components}
    told = (*flow.keys, flow.measure, *shape.attributes)
    return Question(
        tuple(component.property.name for component in told),
        All(tuple(parts)) if parts else None,
        tuple(Sort(columns[own_id]) for own_id in order),
        updated_after=query.updated_after,
    )


def _in_time(
    counter: Counter, right: Right, contract: Contract, time: Component, query: DataQuery, parts: list[Expression]
) -> list[Expression]:  # fmt: skip
    p = time.property
    if p.logical_type != "string":
        found = within(p, query.start, query.end)
        return [] if found is None else [found]
    with counter.connection() as connection:  # periods as text: those there are, each looked at
        there = give_distinct(connection, counter.desk, contract, Question((p.name,), All(tuple(parts)), limit=LARGEST_PAGE), right)
    spans = [(row[0], span_of(row[0])) for row in there.rows if row[0] is not None]
    chosen = [text for text, span in spans if span and (query.start or span[0]) <= span[0] and span[1] <= (query.end or span[1])]
    groups = [tuple(chosen[begin : begin + MOST_VALUES]) for begin in range(0, len(chosen), MOST_VALUES)]
    return [AnyOf(tuple(OneOf(p.name, group) for group in groups))]


def _write(form: str, shape: Shape, found: Answer, rows: Iterator[tuple[Any, ...]], _: Tally) -> Iterator[bytes]:
    made = _rows(shape, found, rows)
    if form in (names.DATA_JSON, names.DRAFT_JSON):
        yield json_data(shape, made, is_draft=form == names.DRAFT_JSON)
    else:
        yield from (generic_xml if form == names.GENERIC_XML else specific_xml)(shape, made)


def _rows(shape: Shape, found: Answer, rows: Iterable[tuple[Any, ...]]) -> Iterator[Row]:
    """Each row's values by component, as text."""
    flow = shape.flow
    writers: dict[str, Callable[[Any], str | None]] = {}
    for component in (*flow.keys, flow.measure, *shape.attributes):
        writers[component.id] = code_of
        if component.id == TIME:
            writers[component.id] = written
        elif component.id == MEASURE or component in shape.attributes:
            writers[component.id] = text_of
    places = {name: place for place, name in enumerate(found.fields)}
    columns = [
        (component.id, places[component.property.name], writers[component.id])
        for component in (*flow.keys, flow.measure, *shape.attributes)
    ]
    for row in rows:
        yield {own_id: None if row[place] is None else write(row[place]) for own_id, place, write in columns}
