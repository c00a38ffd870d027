"""`/v1/catalogue`: everything there is, found by words and facets, and each entry whole. No rows, so no token."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from lienthong.access import Register
from lienthong.catalog import Item, Kind, Wanted, describing
from lienthong.catalog.items import BETWEEN, item_of_contract, item_of_unit
from lienthong.catalog.open_data import told as told_opening
from lienthong.catalog.searching import FACETS, Found, facet_names
from lienthong.catalog.unit_search import find_named_units
from lienthong.clock import vietnam_date
from lienthong.contracts import Contract
from lienthong.errors import BadRequest, NotFound
from lienthong.settings import Settings
from lienthong.sharing.filters import read_known, refuse_control_characters, shown
from lienthong.standards.admin_units import units
from lienthong.store import catalogue
from lienthong.web.asking import Counter, json_answer, public_contracts
from lienthong.web.shelf import Shelf

MOST_ENTRIES = 100
USUAL_ENTRIES = 20
MOST_OFFSET = 1_000_000
LONGEST_QUERY = 300
MOST_UNITS_FOUND = 500
PARAMETERS = ("q", *FACETS, "limit", "offset")
Answer = Callable[[Request], Response]


class CatalogueDesk:
    """The catalogue's own addresses."""

    def __init__(self, counter: Counter, shelf: Shelf, register: Callable[[], Register], settings: Settings) -> None:
        self._counter = counter
        self._shelf = shelf
        self._register = register
        self._settings = settings

    def routes(self) -> list[Route]:
        return [
            Route("/v1/catalogue", partial(_in_thread, self._found)),
            Route("/v1/catalogue/{kind}/{id:path}", partial(_in_thread, self._shown)),
        ]

    def around(self) -> describing.Around:
        """What stands around an entry, now."""
        now = self._counter.clock()
        names = {"instance": self._settings.instance, "class": self._settings.member_class, "xroad": self._settings.xroad_subsystem}
        register, agencies = self._register(), self._shelf.agencies()
        return describing.Around(
            {c.id: c for c in public_contracts(self._counter)}, register, agencies, self._counter.public_url, now, vietnam_date(now), names, self._shelf.indicators()
        )  # fmt: skip

    def _found(self, request: Request) -> Response:
        asked = read_known(request.query_params.multi_items(), PARAMETERS)
        words = asked.get("q", "")
        if len(words) > LONGEST_QUERY:
            raise BadRequest(f"`q`: expected at most {LONGEST_QUERY} characters.", vi=f"`q`: nhiều nhất {LONGEST_QUERY} ký tự.")
        refuse_control_characters("q", words)
        facets = {name: asked[name] for name in FACETS if asked.get(name)}
        offset, limit = _whole(asked, "offset", 0, MOST_OFFSET), _whole(asked, "limit", USUAL_ENTRIES, MOST_ENTRIES)
        found, places = self.search(words, facets, offset, limit)
        facts = facet_names(found)
        total = found.total + len(places)
        if places:
            facts["kind"].append({"value": Kind.UNIT.value, "count": len(places)})
        items = [*found.items, *places[max(0, offset - found.total) : max(0, offset + limit - found.total)]]
        following = {**{name: value for name, value in asked.items() if value}, "offset": str(offset + limit), "limit": str(limit)}
        return json_answer(
            {
                "query": words,
                "total": total,
                "offset": offset,
                "is_partly": found.is_partly,
                "entries": [{**describing.short(item), "matched_fields": list(found.fields.get(item.id, ()))} for item in items],
                "facets": facts,
                "next": str(request.url.replace(scheme="", netloc="").include_query_params(**following)) if offset + limit < total else None,
            },
            is_public=True,
        )  # fmt: skip

    def search(self, words: str, facets: dict[str, str], offset: int, limit: int) -> tuple[Found, list[Item]]:
        """What is found, and the units of administration the words name or, without words, all of them where only units are wanted."""
        today = vietnam_date(self._counter.clock())
        only_units = facets.get("kind") == Kind.UNIT
        found = self._shelf.index().search(Wanted(words, facets, offset, limit))
        others = {name: value for name, value in facets.items() if name not in ("kind", "state")}
        if others or (not only_units and (not words or "kind" in facets)):
            return found, []
        named = [each.unit for each in find_named_units(words, today, most=MOST_UNITS_FOUND)] if words else list(units())
        items = [item_of_unit(unit, today) for unit in named]
        return found, [item for item in items if facets.get("state") in (None, item.state)]

    def _shown(self, request: Request) -> Response:
        read_known(request.query_params.multi_items(), ())
        kind, id = request.path_params["kind"], request.path_params["id"]
        if kind not in tuple(Kind):
            raise NotFound(f"There is no kind `{shown(kind)}`: one of {', '.join(Kind)}.", vi=f"Không có loại mục `{shown(kind)}`.")
        told = self.entry(Kind(kind), id)
        if told is None:
            raise NotFound(
                "There is no such entry.",
                hint="GET /v1/catalogue finds them.",
                hint_vi="GET /v1/catalogue tìm các mục.",
                vi="Không có mục này trong danh mục.",
            )
        return json_answer({"kind": kind, "id": id, **told, "links": {"self": f"/v1/catalogue/{kind}/{id}"}}, is_public=True)

    def entry(self, kind: Kind, id: str) -> dict[str, Any] | None:
        """A whole entry; None where there is none, or its contract keeps it from the public."""
        around = self.around()
        if kind in (Kind.DATASET, Kind.CODE_LIST, Kind.INDICATOR) and BETWEEN not in id:
            contract = self._counter.contracts.get(id)
            if contract is not None:
                is_it = not contract.is_hidden and item_of_contract(contract, "").kind in (kind, *_ALSO[kind])
                return self.dataset(contract, around) if is_it else None
        if kind is Kind.UNIT:
            return describing.unit(id, around)
        items = self._shelf.index().items
        item = next((each for each in items if each.kind is kind and each.id == id), None)
        if item is None:
            return None
        if kind is Kind.AGENCY:
            return describing.agency(id, self._shelf.tree(), around, items)
        facts = describing.short(item)
        if "dataset" in item.facts and kind in (Kind.CODE_LIST, Kind.INDICATOR):
            return {**facts, **describing.part(item, around)}
        return {**facts, "owner": {"agency": item.agency, "name": around.agency(item.agency)}, **item.facts}

    def dataset(self, contract: Contract, around: describing.Around) -> dict[str, Any]:
        """A dataset's entry, with how it stands on the list of open data."""
        with self._counter.connection() as connection:
            told = describing.dataset(connection, contract, around)
            entry = catalogue.open_entry(connection, contract.id)
        updated = told["freshness"]["updated_at"]
        opening = None if entry is None else told_opening(entry, contract, updated, around.today, self._settings)
        return {**told, "open_data": opening}


_ALSO = {Kind.DATASET: (Kind.CODE_LIST,), Kind.CODE_LIST: (), Kind.INDICATOR: (Kind.DATASET,)}


async def _in_thread(answer: Answer, request: Request) -> Response:
    return await run_in_threadpool(answer, request)


def _whole(asked: dict[str, str], name: str, otherwise: int, most: int) -> int:
    text = asked.get(name, "")
    if not text:
        return otherwise
    least = 0 if name == "offset" else 1
    if not (text.isascii() and text.isdigit()) or not least <= int(text[:20]) <= most:
        raise BadRequest(f"`{name}`: expected {least} to {most}.", vi=f"`{name}`: cần {least} đến {most}.")
    return int(text)
