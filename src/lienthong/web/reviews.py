"""Reviews over HTTP: pairs drawn by chance, verdicts of persons who are not told, what they say of the index and of its cuts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.routing import Route

from lienthong.errors import NotFound, Unprocessable
from lienthong.masterdata.estimating import estimate
from lienthong.pipeline import reviewing
from lienthong.reports.standing import quality_document
from lienthong.sharing.filters import read_known, read_limit
from lienthong.store import reviewing as store
from lienthong.web.asking import Counter
from lienthong.web.authorising import Authoriser
from lienthong.web.desk import LARGEST_NUMBER, Steward, desk_routes, note_look, number_of, text_of

MOST_PAIRS = 2_000  # of one review
MOST_ITEMS = 100


def routes_of(counter: Counter, authorise: Authoriser) -> list[Route]:
    """The routes of this file."""
    return desk_routes(
        counter,
        authorise,
        [
            ("reviews", _draw, "POST", ("size", "seed")),
            ("reviews/next", _next, "GET", ()),
            ("reviews/items/{item}", _say, "PUT", ("verdict",)),
            ("reviews/estimate", _estimate, "GET", ()),
            ("reviews/cuts", _cuts, "GET", ()),
            ("reviews/cuts/adopt", _adopt, "POST", ("registers",)),
        ],
    )


def _draw(steward: Steward, _: Request, document: Mapping[str, Any]) -> Any:
    size, seed = _whole(document, "size", 10, MOST_PAIRS), _whole(document, "seed", 0, LARGEST_NUMBER)
    return {"review": reviewing.draw(steward.counter.workshop, steward.index, size, seed, steward.official, steward.through)}


def _next(steward: Steward, request: Request, _: Mapping[str, Any]) -> Any:
    known = read_known(request.query_params.multi_items(), ("limit",))
    limit = read_limit(known.get("limit"), MOST_ITEMS) or 1
    items = reviewing.next_items(steward.counter.workshop, steward.index, steward.official, limit, steward.through)
    return {
        "items": [
            {
                "item": one.item,
                "left": {"source": one.left[0], "key": one.left[1], "content": one.left_content},
                "right": {"source": one.right[0], "key": one.right[1], "content": one.right_content},
            }
            for one in items
        ]
    }


def _say(steward: Steward, request: Request, document: Mapping[str, Any]) -> Any:
    item, verdict = number_of("item", request.path_params["item"]), text_of(document, "verdict")
    reviewing.say(steward.counter.workshop, steward.index, item, verdict, steward.official, steward.through)
    return {"item": item, "verdict": verdict}


def _estimate(steward: Steward, request: Request, _: Mapping[str, Any]) -> Any:
    read_known(request.query_params.multi_items(), ())
    with steward.counter.workshop.database.connect() as connection:
        drawn = store.latest(connection, steward.entity)
        if drawn is None:
            raise NotFound(f"No review of `{steward.entity}` was drawn.", vi="Chưa lấy mẫu đợt rà soát nào.")
        found = estimate(store.verdicts(connection, drawn.review))
    note_look(steward, {"review": drawn.review})
    return {"review": drawn.review, "model": drawn.model, **quality_document(found, drawn.at, is_named=True)}


def _cuts(steward: Steward, request: Request, _: Mapping[str, Any]) -> Any:
    read_known(request.query_params.multi_items(), ())
    found = reviewing.suggest_cuts(steward.counter.workshop, steward.index)
    note_look(steward, {"cuts": len(found)})
    return {
        "cuts": [
            {
                "registers": one.registers.split("|"),
                "cut": one.cut,
                "suggested": one.suggested,
                "weights_off_by": one.offset.bits,
                "standard_error": one.offset.error,
                "reviewed": one.offset.reviewed,
            }
            for one in found
        ]
    }


def _adopt(steward: Steward, _: Request, document: Mapping[str, Any]) -> Any:
    named = document.get("registers")
    if not isinstance(named, list) or not all(
        isinstance(both, list) and len(both) == 2 and all(isinstance(name, str) for name in both) for both in named
    ):
        raise Unprocessable("`registers`: expected [[name, name]].", vi="`registers`: cần [[tên, tên]].")
    registers = ["|".join(sorted(both)) for both in named]
    return {"model": reviewing.adopt_cuts(steward.counter.workshop, steward.index, registers, steward.official, steward.through)}


def _whole(document: Mapping[str, Any], name: str, least: int, most: int) -> int:
    value = document.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise Unprocessable(
            f"`{name}`: expected a whole number from {least} to {most}.", vi=f"`{name}`: cần một số nguyên từ {least} đến {most}."
        )
    return value
