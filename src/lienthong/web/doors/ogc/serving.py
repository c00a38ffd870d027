"""The addresses of the door: landing page, conformance, collections, their schemas, features, files for maps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any
from urllib.parse import quote, urlencode

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from lienthong.access import Operation
from lienthong.clock import vietnam_date
from lienthong.contracts import Contract
from lienthong.errors import BadRequest, NotAcceptable, NotFound
from lienthong.sharing.filters import read_list, shown
from lienthong.sharing.formats import Tally
from lienthong.sharing.geometry import polygon_of
from lienthong.sharing.maps import MEDIA_TYPES, SUFFIXES, Placing, write_map
from lienthong.sharing.pages import prepare_whole
from lienthong.sharing.questions import All, Answer, Compare, Expression, Question, Sort
from lienthong.sharing.questions import Any as Either
from lienthong.sharing.rights import Right
from lienthong.web.asking import PRIVATE, PUBLIC, Counter, answer_headers, is_strange
from lienthong.web.doors.asking import Door, answer, authorise, basic, bearer, visible
from lienthong.web.doors.ogc import documents, pages
from lienthong.web.doors.ogc.api import definition
from lienthong.web.doors.ogc.asked import Asked, day_of, first_instant, last_instant, read_asked
from lienthong.web.doors.ogc.bordering import border, find_borders
from lienthong.web.doors.ogc.collections import BORDERS, Collection, Ground, border_properties, collections_of
from lienthong.web.doors.ogc.cql import Language, read_filter
from lienthong.web.doors.ogc.documents import HTML, JSON, OPENAPI, ROOT, SCHEMA, link
from lienthong.web.doors.ogc.features import GEOJSON, document, features_of
from lienthong.web.records import stream_of

_ENCODER = msgspec.json.Encoder()
_FORMS = ("f", "purpose", "official")
Found = Mapping[str, Any]


def say(status: int, problem: Mapping[str, Any], headers: Mapping[str, str]) -> Response:
    """An error in the form of the standard's exceptions, with what a problem document says besides."""
    told = {"code": problem["code"], "description": problem["detail_en"], "description_vi": problem["detail"], "status": status}
    told |= {name: problem[name] for name in ("hint", "hint_vi", "rule", "agreement", "clause") if problem.get(name)}
    return Response(_ENCODER.encode(told), status, dict(headers), media_type=JSON)


DOOR = Door("ogc", say, (bearer, basic), ("purpose", "official"), 'Basic realm="Lienthong", charset="UTF-8"')


def routes_of(counter: Counter, borders: str) -> list[Route]:
    """Every route of this door. `borders`: the file of borders, empty for none."""
    ground = Ground(borders)
    service = Service(counter, ground, collections_of(counter.contracts, ground), counter.public_url + ROOT)
    here = ROOT + "/collections/{collection}"

    def route(path: str, act: Any) -> Route:
        return DOOR.route(path, lambda _, request: act(request), counter)

    return [
        route(ROOT, service.landing),
        route(ROOT + "/", service.landing),
        route(ROOT + "/conformance", service.conformance),
        route(ROOT + "/api", service.api),
        route(ROOT + "/collections", service.listed),
        route(here, service.described),
        route(here + "/queryables", partial(service.schema, is_queryables=True)),
        route(here + "/schema", partial(service.schema, is_queryables=False)),
        *(route(f"{here}/download.{form}", partial(service.file, form=form)) for form in MEDIA_TYPES),
        route(here + "/items", service.items),
        route(here + "/items/{feature:path}", service.item),
        route(ROOT + "/{rest:path}", _nothing),
    ]


def _nothing(_: Request) -> Response:
    raise NotFound("There is nothing at this address.", vi="Không có gì ở địa chỉ này.")


@dataclass(frozen=True)
class Service:
    """Answers every address of the door."""

    counter: Counter
    ground: Ground
    collections: Mapping[str, Collection]
    url: str

    def landing(self, request: Request) -> Response:
        return self._told(request, documents.landing(self.url, self.counter.public_url))

    def conformance(self, request: Request) -> Response:
        return self._told(request, documents.conformance())

    def api(self, request: Request) -> Response:
        _form(request, _FORMS)
        found = definition(self.url, [collection for collection, _ in self._visible(request)])
        return Response(_ENCODER.encode(found), headers=PRIVATE, media_type=OPENAPI)

    def listed(self, request: Request) -> Response:
        found = [documents.described(self.url, collection, refers=True) for collection, _ in self._visible(request)]
        if self.ground.shapes:
            found.append(documents.described_borders(self.url, self.ground, refers=True))
        return self._told(request, documents.listed(self.url, found))

    def described(self, request: Request) -> Response:
        if self._is_borders(request):
            return self._told(request, documents.described_borders(self.url, self.ground))
        return self._told(request, documents.described(self.url, self._named(request)))

    def schema(self, request: Request, *, is_queryables: bool) -> Response:
        _form(request, _FORMS)
        if self._is_borders(request):
            found = documents.border_queryables(self.url) if is_queryables else documents.border_schema(self.url)
        else:
            collection = self._named(request)
            seen = next((names for each, names in self._visible(request) if each.id == collection.id), None)
            found = (documents.queryables if is_queryables else documents.schema)(self.url, collection, seen)
        return Response(_ENCODER.encode(found), headers=PRIVATE, media_type=SCHEMA)

    def items(self, request: Request) -> Response:
        if self._is_borders(request):
            return self._border_items(request)
        collection = self._named(request)
        asked = read_asked(request.query_params.multi_items(), frozenset(p.name for p in collection.attributes))
        form = _form(request, None)
        question = _question(collection, asked)
        return answer(self.counter, DOOR, request, collection.contract, question, partial(self._page, request, collection, asked, form))

    def item(self, request: Request) -> Response:
        if self._is_borders(request):
            return self._border_item(request)
        collection = self._named(request)
        asked = read_asked(_only(request, ("crs", "f", "as_of", "known_at", *_FORMS)), ())
        form = _form(request, None)
        where = _key(collection.contract, request.path_params["feature"])
        question = Question(where=where, limit=1, as_of=asked.as_of, known_at=asked.known_at)
        return answer(self.counter, DOOR, request, collection.contract, question, partial(self._one, request, collection, asked, form))

    def file(self, request: Request, *, form: str) -> Response:
        """The whole collection as a file for maps, under the same right as any file. Raises Denied when the place is not seen whole."""
        collection = self._named(request)
        contract = collection.contract
        pairs = [(name, value) for name, value in request.query_params.multi_items() if name not in ("purpose", "official")]
        right = authorise(self.counter, request, contract, Operation.BULK)
        right.require_whole(collection.place.columns)
        wanted = read_list(pairs, contract)
        if wanted.fields:
            wanted = replace(wanted, fields=tuple(dict.fromkeys([*wanted.fields, *collection.place.columns])))
        with self.counter.connection() as connection:
            whole = prepare_whole(connection, self.counter.desk, contract, wanted, right)
        headers = answer_headers(contract, whole.version) | {
            "Content-Disposition": f'attachment; filename="{contract.id}-{whole.version}.{SUFFIXES[form]}"',
            "Lienthong-Withheld": ",".join(whole.withheld),
        }
        if request.method == "HEAD":
            return Response(media_type=MEDIA_TYPES[form], headers=headers)
        tally, placing = Tally(), Placing(collection.place, self.ground.points if collection.place.unit else {})
        layer = contract.id.replace(".", "_").replace("-", "_")
        pieces = write_map(form, layer, whole.batches(self.counter.database_url), whole.masks, placing, tally)
        return stream_of(
            self.counter, request, contract, right, whole, pieces, tally, MEDIA_TYPES[form], {**headers, "Lienthong-Form": form}, DOOR.name
        )

    def _page(self, request: Request, collection: Collection, asked: Asked, form: str, found: Answer, _: Right) -> Response:
        features = features_of(collection, found, asked.crs)
        links = self._links(request, collection.id, found.next)
        if form == HTML:
            return pages.items(request, collection.id, collection.contract.title_vi, features, links)
        return _geojson(document(features, links, self.counter.clock(), found.total), asked)

    def _one(self, request: Request, collection: Collection, asked: Asked, form: str, found: Answer, _: Right) -> Response:
        if not found.rows:
            raise NotFound("There is no such feature.", vi="Không có đối tượng này.")
        (feature,) = features_of(collection, found, asked.crs)
        return self._feature(request, collection.id, feature, asked, form)

    def _feature(self, request: Request, id: str, feature: dict[str, Any], asked: Asked, form: str) -> Response:
        here = f"{self.url}/collections/{id}"
        address = f"{here}/items/{quote(str(feature.get('id', '')), safe='')}"
        links = [
            link(address, "self", GEOJSON, id), link(address + "?f=html", "alternate", HTML, id), link(here, "collection", JSON, id),
        ]  # fmt: skip
        if form == HTML:
            return pages.items(request, id, id, [feature], links)
        return _geojson(_ENCODER.encode({**feature, "links": links}), asked)

    def _border_items(self, request: Request) -> Response:
        asked = read_asked(request.query_params.multi_items(), frozenset(border_properties()))
        form = _form(request, None)
        features, total = find_borders(self.ground, asked, vietnam_date(self.counter.clock()))
        end = asked.offset + len(features)
        links = self._links(request, BORDERS, None)
        if end < total and features:
            links.append(link(self._address(request, BORDERS, offset=str(end)), "next", GEOJSON, "Trang sau · Next page"))
        if form == HTML:
            return pages.items(request, BORDERS, "Địa giới hành chính", features, links)
        return _geojson(document(features, links, self.counter.clock(), total), asked, PUBLIC)

    def _border_item(self, request: Request) -> Response:
        asked = read_asked(_only(request, ("crs", "f", *_FORMS)), ())
        form = _form(request, None)
        found = border(self.ground, request.path_params["feature"], asked)
        if found is None:
            raise NotFound("There is no border of this code.", vi="Không có địa giới của mã này.")
        return self._feature(request, BORDERS, found, asked, form)

    def _links(self, request: Request, id: str, cursor: str | None) -> list[dict[str, str]]:
        links = [
            link(self._address(request, id), "self", GEOJSON, "Trang này · This page"),
            link(self._address(request, id, f="html"), "alternate", HTML, "Cho người đọc · As a page"),
            link(f"{self.url}/collections/{id}", "collection", JSON, id),
        ]
        if cursor is not None:
            links.append(link(self._address(request, id, cursor=cursor), "next", GEOJSON, "Trang sau · Next page"))
        return links

    def _address(self, request: Request, id: str, **changes: str) -> str:
        """The address asked, with some parameters changed; what follows a cursor needs no offset."""
        gone = {*changes, "f", "cursor", "offset"}
        kept = [(name, value) for name, value in request.query_params.multi_items() if name not in gone]
        query = urlencode([*kept, *changes.items()])
        return f"{self.url}/collections/{id}/items" + (f"?{query}" if query else "")

    def _visible(self, request: Request) -> list[tuple[Collection, frozenset[str]]]:
        """The collections the caller may list, each with the properties it sees whole."""
        found = visible(self.counter, request)
        return [(self.collections[c.id], frozenset(decision.visible)) for c, decision in found if c.id in self.collections]

    def _named(self, request: Request) -> Collection:
        found = self.collections.get(request.path_params["collection"])
        if found is None or is_strange(self.counter, request, found.contract):
            name = shown(request.path_params["collection"])
            raise NotFound(
                f"There is no collection `{name}`.",
                hint=f"{ROOT}/collections lists them.",
                hint_vi=f"{ROOT}/collections liệt kê các tập đối tượng.",
                vi=f"Không có tập đối tượng `{name}`.",
            )
        return found

    def _is_borders(self, request: Request) -> bool:
        return request.path_params["collection"] == BORDERS and bool(self.ground.shapes)

    def _told(self, request: Request, found: Mapping[str, Any]) -> Response:
        if _form(request, _FORMS) == HTML:
            return pages.document(request, found)
        return Response(_ENCODER.encode(found), headers={**PRIVATE, "Vary": "Accept"}, media_type=JSON)


def _question(collection: Collection, asked: Asked) -> Question:
    """What is asked, as every door asks it."""
    parts: list[Expression] = [Compare(name, "eq", value) for name, value in asked.properties]
    if asked.boxes:
        parts.append(Either(tuple(collection.where(polygon_of(box), is_box=True) for box in asked.boxes)))
    as_of = asked.as_of
    if asked.has_datetime:
        if collection.place.time:
            parts += _during(collection, asked)
        elif asked.is_instant and asked.since is not None:
            as_of = day_of(asked.since)
        else:
            raise BadRequest(
                "`datetime`: features of this collection have no time of their own: ask for one instant, as of which they were true.",
                vi="`datetime`: đối tượng không có thời gian riêng, chỉ hỏi được một thời điểm.",
            )
    if asked.filter is not None:
        names = frozenset(p.name for p in collection.attributes)
        language = Language(names, collection.geometry_names, collection.where, asked.filter_crs)
        parts.append(read_filter(asked.filter, asked.filter_lang, language))
    return Question(
        where=All(tuple(parts)) if parts else None,
        sorts=tuple(Sort(name, is_descending) for name, is_descending in asked.sorts),
        limit=asked.limit,
        offset=asked.offset if asked.cursor is None else 0,
        count=asked.cursor is None,  # how many there are was told on the first page
        as_of=as_of,
        known_at=asked.known_at,
        cursor=asked.cursor,
    )


def _during(collection: Collection, asked: Asked) -> list[Expression]:
    """`datetime` over the collection's property of time. A row without a time is of no time."""
    name = collection.place.time
    is_day = collection.contract.property_named(name).logical_type == "date"
    found: list[Expression] = []
    if asked.since is not None:
        found.append(Compare(name, "ge", day_of(asked.since) if is_day else first_instant(asked.since)))
    if asked.until is not None:
        found.append(Compare(name, "le", day_of(asked.until) if is_day else last_instant(asked.until)))
    return found


def _key(contract: Contract, id: str) -> Expression:
    """The row a feature's id names."""
    values = id.split("~", len(contract.key) - 1) if len(contract.key) > 1 else [id]
    if "\x00" in id or len(id) > 1_000 or len(values) != len(contract.key):
        raise NotFound("There is no such feature.", vi="Không có đối tượng này.")
    return All(tuple(Compare(p.name, "eq", value) for p, value in zip(contract.key, values, strict=True)))


def _only(request: Request, names: tuple[str, ...]) -> list[tuple[str, str]]:
    """The parameters, when they are all among these."""
    pairs = request.query_params.multi_items()
    for name, _ in pairs:
        if name not in names:
            raise BadRequest(f"`{shown(name)}` is not known here.", vi=f"Không có tham số `{shown(name)}`.")
    return pairs


def _form(request: Request, names: tuple[str, ...] | None) -> str:
    """Which form is asked for: a page only for who says so, JSON for all others. `names`: the only parameters there may be."""
    if names is not None:
        _only(request, names)
    asked = request.query_params.get("f")
    if asked is not None:
        if asked not in ("json", "html"):
            raise BadRequest(f"`f`: json or html, found `{shown(asked)}`.", vi="`f`: json hoặc html.")
        return HTML if asked == "html" else JSON
    accept = request.headers.get("accept", "*/*").lower()
    if any(kind in accept for kind in (JSON, GEOJSON, "*/*", "application/*", "openapi", "schema+json")) and not accept.startswith(HTML):
        return JSON
    if HTML in accept:
        return HTML
    raise NotAcceptable(
        "This door answers in JSON or as a page.",
        hint=f"Accept: {JSON} or {HTML}.",
        hint_vi=f"Accept: {JSON} hoặc {HTML}.",
        vi="Chỉ có JSON hoặc trang HTML.",
    )


def _geojson(body: bytes, asked: Asked, headers: Mapping[str, str] = PRIVATE) -> Response:
    return Response(body, headers={**headers, "Content-Crs": f"<{asked.crs.uri}>", "Vary": "Accept"}, media_type=GEOJSON)
