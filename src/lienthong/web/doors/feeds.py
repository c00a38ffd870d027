"""`/changes.atom`, `/sitemap.xml`, `/robots.txt`; lineage out (`/v1/lineage/{dataset}`) and in (`POST /api/v1/lineage`) as OpenLineage."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import partial

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from lienthong.catalog.feeds import ATOM, atom, sitemap
from lienthong.catalog.openlineage import events_of, name_here
from lienthong.contracts.openlineage import read_event
from lienthong.errors import BadRequest, NotJson, Unauthenticated
from lienthong.pipeline.outside_runs import take_event
from lienthong.sharing.filters import read_known
from lienthong.store import catalogue, pages
from lienthong.web.asking import PUBLIC, Counter, json_answer, public_contract_of, public_contracts
from lienthong.web.bodies import read_bytes
from lienthong.web.doors.catalogue import CatalogueDesk
from lienthong.web.pages.portal.entry import page_of
from lienthong.web.shelf import Shelf

MOST_NEWS = 200
LARGEST_EVENT = 1_000_000
PLACES = ("/", "/datasets", "/open-data", "/services", "/docs", "/status", "/proofs")
Identify = Callable[[Request], str | None]


def routes_of(counter: Counter, shelf: Shelf, desk: CatalogueDesk, identify: Identify) -> list[Route]:
    """The routes of this file."""

    def route(path: str, answer: Callable[..., Response], *given: object) -> Route:
        return Route(path, partial(_in_thread, partial(answer, counter, *given)))

    return [
        route("/changes.atom", _atom, shelf),
        route("/sitemap.xml", _sitemap, shelf),
        route("/robots.txt", _robots),
        route("/v1/lineage/{dataset}", _lineage, desk),
        Route("/api/v1/lineage", partial(_take, counter, identify), methods=["POST"]),
    ]


async def _in_thread(answer: Callable[[Request], Response], request: Request) -> Response:
    return await run_in_threadpool(answer, request)


def _atom(counter: Counter, shelf: Shelf, request: Request) -> Response:
    asked = read_known(request.query_params.multi_items(), ("dataset",))
    with counter.connection() as connection:
        news = catalogue.news(connection, asked.get("dataset"), MOST_NEWS)
    public = {contract.id: contract for contract in public_contracts(counter)}
    body = atom(counter.public_url, [each for each in news if each.dataset in public], public, shelf.agencies(), counter.clock())
    return Response(body, media_type=ATOM, headers=PUBLIC)


def _sitemap(counter: Counter, shelf: Shelf, request: Request) -> Response:
    read_known(request.query_params.multi_items(), ())
    with counter.connection() as connection:
        standings = pages.standings(connection)

    def addresses() -> Iterator[tuple[str, datetime | None]]:
        yield from ((place, None) for place in PLACES)
        for item in shelf.index().items:
            standing = standings.get(item.id)
            yield page_of(item), standing.known_at if standing is not None else None

    seen = dict(addresses())  # an indicator that is a whole dataset has the dataset's page
    return Response(sitemap(counter.public_url, seen.items()), media_type="application/xml", headers=PUBLIC)


def _robots(counter: Counter, request: Request) -> Response:
    read_known(request.query_params.multi_items(), ())
    text = f"User-agent: *\nDisallow: /console\nDisallow: /desk\nDisallow: /sign-in\nSitemap: {counter.public_url}/sitemap.xml\n"
    return Response(text, media_type="text/plain; charset=utf-8", headers=PUBLIC)


def _lineage(counter: Counter, desk: CatalogueDesk, request: Request) -> Response:
    read_known(request.query_params.multi_items(), ())
    contract = public_contract_of(counter, request)
    with counter.connection() as connection:
        runs = catalogue.last_runs(connection, contract.id)
    return json_answer(events_of(contract, runs, desk.around()), is_public=True)


async def _take(counter: Counter, identify: Identify, request: Request) -> Response:
    """Take a run event in: 201, or 200 for one that was told before."""
    read_known(request.query_params.multi_items(), ())
    subsystem = await run_in_threadpool(identify, request)
    if subsystem is None:
        raise Unauthenticated("This needs a subsystem's access token.", rule="no_identity", vi="Cần mã truy cập của hệ thống.")
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise NotJson("Expected Content-Type application/json.", vi="Chỉ nhận Content-Type application/json.")
    body = await read_bytes(request, LARGEST_EVENT)
    try:
        document = msgspec.json.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise BadRequest("The body is not JSON.", vi="Nội dung không phải JSON.") from error
    event = read_event(document, partial(name_here, counter.public_url, datasets=counter.contracts.keys()))
    is_new = await run_in_threadpool(take_event, counter.workshop, subsystem, event, hashlib.sha256(body).hexdigest())
    answer = json_answer({"run": str(event.run), "event": event.kind, "is_new": is_new})
    answer.status_code = 201 if is_new else 200
    return answer
