"""The catalogue as DCAT-AP 3: `/catalog` and `/dataset/{id}` in Turtle, RDF/XML and JSON-LD, by suffix or by Accept; `/catalog/full.{form}` streamed whole.

A browser that comes to the address of a thing is led to its page.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from functools import partial
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from lienthong.access import Register
from lienthong.catalog.dcat import Publisher, catalog_graph, dataset_graph, document, stream
from lienthong.catalog.dcat_forms import FORMS, JSON_LD, ON_A_PAGE, RDF_XML, TURTLE, Known
from lienthong.contracts import LICENCES, Contract, Sharing
from lienthong.errors import BadRequest, NotAcceptable, NotFound
from lienthong.settings import Settings
from lienthong.sharing.filters import read_known
from lienthong.sharing.way_out import no_dataset
from lienthong.store import catalogue, pages
from lienthong.store.pages import StandingNow
from lienthong.web.asking import PUBLIC, Counter
from lienthong.web.shelf import Shelf

MOST_ON_A_PAGE = 500
HTML = "text/html"
_OFFERED = (TURTLE, RDF_XML, JSON_LD)
_ALSO = {"application/x-turtle": TURTLE, "application/xml": RDF_XML, "text/xml": RDF_XML, "application/json": JSON_LD}


class DcatDoor:
    """The catalogue for harvesters."""

    def __init__(self, counter: Counter, shelf: Shelf, register: Callable[[], Register], settings: Settings) -> None:
        self._counter = counter
        self._shelf = shelf
        self._register = register
        self._settings = settings

    def routes(self) -> list[Route]:
        suffixed = [
            *(Route(f"/catalog/full.{form}", partial(_in_thread, self._full, kind)) for form, kind in FORMS.items()),
            *(Route(f"/catalog.{form}", partial(_in_thread, self._catalog, kind)) for form, kind in FORMS.items()),
            *(Route(f"/dataset/{{dataset}}.{form}", partial(_in_thread, self._dataset, kind)) for form, kind in FORMS.items()),
        ]
        return [
            *suffixed,
            Route("/catalog", partial(_in_thread, self._catalog, "")),
            Route("/dataset/{dataset}", partial(_in_thread, self._dataset, "")),
            Route("/dataset/{dataset}/distribution/{name}", _to_dataset),
            Route("/dataset/{dataset}/service/{name}", _to_dataset),
            Route("/agency/{code}", _to_agency),
            Route("/theme/{theme}", _to_theme),
            Route("/theme", _to_theme),
            Route("/licence/{licence}", _licence),
        ]

    def _catalog(self, kind: str, request: Request) -> Response:
        asked = read_known(request.query_params.multi_items(), ("page", "size"))
        chosen = kind or _chosen(request)
        if chosen == HTML:
            return RedirectResponse("/datasets", 303, headers={"Vary": "Accept"})
        number, size = _whole(asked, "page", 1, 1_000_000), _whole(asked, "size", ON_A_PAGE, MOST_ON_A_PAGE)
        contracts = self._public()
        if number > max(1, -(-len(contracts) // size)):
            raise NotFound(f"There is no page {number}.", vi=f"Không có trang {number}.")
        wanted = contracts[(number - 1) * size : number * size]
        known = list(self._known(wanted))
        graph = catalog_graph(self._publisher(), known, number, len(contracts), size, f"{self._counter.public_url}{request.url.path}")
        return _given(document(graph, chosen), chosen)

    def _dataset(self, kind: str, request: Request) -> Response:
        read_known(request.query_params.multi_items(), ())
        name = request.path_params["dataset"]
        contract = self._counter.contracts.get(name)
        if contract is None or contract.is_hidden:
            raise no_dataset(name)
        chosen = kind or _chosen(request)
        if chosen == HTML:
            return RedirectResponse(f"/datasets/{quote(contract.id)}", 303, headers={"Vary": "Accept"})
        graph = dataset_graph(self._publisher(), next(self._known([contract])))
        return _given(document(graph, chosen), chosen)

    def _full(self, kind: str, request: Request) -> Response:
        read_known(request.query_params.multi_items(), ())
        return StreamingResponse(stream(self._publisher(), self._known(self._public()), kind), media_type=_media(kind), headers=PUBLIC)

    def _public(self) -> list[Contract]:
        return sorted((c for c in self._counter.contracts.values() if not c.is_hidden), key=lambda c: c.id)

    def _publisher(self) -> Publisher:
        names = {"instance": self._settings.instance, "class": self._settings.member_class, "xroad": self._settings.xroad_subsystem}
        return Publisher(
            self._counter.public_url,
            "Liên thông: danh mục dữ liệu của tỉnh",
            "Liên thông: the province's data catalogue",
            self._shelf.agencies(),
            names,
        )

    def _known(self, contracts: list[Contract]) -> Iterator[Known]:
        with self._counter.connection() as connection:
            standings, applied = pages.standings(connection), catalogue.applied_at(connection)
        shut = self._register().unopened
        for contract in contracts:
            is_given = contract.sharing is Sharing.OPEN and contract.id not in shut
            yield _known_of(contract, standings.get(contract.id), applied.get(contract.id), is_given=is_given)


def _known_of(contract: Contract, standing: StandingNow | None, dates: tuple[datetime, datetime] | None, *, is_given: bool) -> Known:
    known_at = standing.known_at if standing is not None else None
    modified = max((when for when in (known_at, dates[1] if dates else None) if when is not None), default=None)
    return Known(contract, dates[0] if dates else None, modified, standing.version if standing is not None else 0, is_given)


async def _in_thread(answer: Callable[[str, Request], Response], kind: str, request: Request) -> Response:
    return await run_in_threadpool(answer, kind, request)


def _chosen(request: Request) -> str:
    """The form Accept asks for: what is named first counts, and the page only for who names HTML. Raises NotAcceptable."""
    accept = request.headers.get("accept", "")
    ranked: list[tuple[float, int, str]] = []
    for place, part in enumerate(accept.split(",")[:40]):
        name, *parameters = (piece.strip().lower() for piece in part.split(";"))
        kind = _ALSO.get(name, name)
        quality = next((_number(p[2:]) for p in parameters if p.startswith("q=")), 1.0)
        if kind in ("", "*/*", "text/*", "application/*"):
            kind = TURTLE
        if quality > 0 and kind in (*_OFFERED, HTML, "application/xhtml+xml"):
            ranked.append((-quality, place, HTML if kind == "application/xhtml+xml" else kind))
    if not ranked:
        raise NotAcceptable(f"Expected one of {', '.join(_OFFERED)} in Accept.", vi=f"Accept phải có một trong: {', '.join(_OFFERED)}.")
    return min(ranked)[2]


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0


def _given(body: bytes, kind: str) -> Response:
    return Response(body, media_type=_media(kind), headers={**PUBLIC, "Vary": "Accept"})


def _media(kind: str) -> str:
    return f"{kind}; charset=utf-8" if kind == TURTLE else kind


def _whole(asked: Mapping[str, str], name: str, otherwise: int, most: int) -> int:
    text = asked.get(name, "")
    if not text:
        return otherwise
    if not (text.isascii() and text.isdigit()) or not 1 <= int(text[:20]) <= most:
        raise BadRequest(f"`{name}`: expected 1 to {most}.", vi=f"`{name}`: cần 1 đến {most}.")
    return int(text)


async def _to_dataset(request: Request) -> Response:
    return RedirectResponse(f"/dataset/{quote(request.path_params['dataset'], safe='')}", 303)


async def _to_agency(request: Request) -> Response:
    return RedirectResponse(f"/catalogue/agency/{quote(request.path_params['code'], safe='')}", 303)


async def _to_theme(request: Request) -> Response:
    return RedirectResponse(f"/datasets?theme={quote(request.path_params.get('theme', ''), safe='')}", 303)


async def _licence(request: Request) -> Response:
    """The terms of a licence that has no page elsewhere."""
    found = LICENCES.get(request.path_params["licence"])
    if found is None:
        raise NotFound("There is no such licence.", vi="Không có giấy phép này.")
    if found.url:
        return RedirectResponse(found.url, 303)
    text = f"{found.title_vi}\n\n{found.summary_vi}\n\n{found.title_en}\n\n{found.summary_en}\n\n{found.legal_basis}\n"
    return Response(text, media_type="text/plain; charset=utf-8", headers=PUBLIC)
