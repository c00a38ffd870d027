"""Rows that wait: the agency that sent them sees what is wrong, and puts them right."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from lienthong.contracts import Contract
from lienthong.errors import BadRequest, NotFound, Unprocessable
from lienthong.ledger import Entry, Event
from lienthong.pipeline import correct_row, list_quarantine, show_quarantine
from lienthong.sharing.filters import MOST_ROWS, read_known, read_limit, shown
from lienthong.sharing.rights import Right
from lienthong.web.asking import Counter, contract_of, json_answer
from lienthong.web.bodies import read_json

STATES = ("waiting", "released", "superseded", "withdrawn", "all")
LARGEST_ITEM = 2**63 - 1
LARGEST_BODY = 1_000_000


def listed(counter: Counter, request: Request) -> Response:
    """Items of a dataset in order of their number, with the rows as they came and every issue."""
    contract = contract_of(counter, request)
    right = counter.authorise(request, contract, "own")
    known = read_known(request.query_params.multi_items(), ("state", "after", "limit"))
    state = known.get("state", "waiting")
    if state not in STATES:
        raise BadRequest(f"`state`: expected one of {', '.join(STATES)}.", vi=f"`state`: một trong {', '.join(STATES)}.")
    limit = read_limit(known.get("limit"), MOST_ROWS) or 100
    after = _number("after", known.get("after", "0"))
    items = list_quarantine(counter.workshop, contract.id, None if state == "all" else state, after, limit)
    counter.append(_entry(counter, contract, right, len(items)))
    return json_answer({"items": [asdict(item) for item in items], "next": items[-1].item_id if len(items) == limit else None})


async def corrected(counter: Counter, request: Request) -> Response:
    """Try a waiting row again with some of its values changed."""
    contract = contract_of(counter, request)
    right = await run_in_threadpool(counter.authorise, request, contract, "own")
    read_known(request.query_params.multi_items(), ())
    item_id = _number("item", request.path_params["item"])
    changes = _changes(await read_json(request, LARGEST_BODY), contract)

    def act() -> dict[str, Any]:
        dataset_id, _ = show_quarantine(counter.workshop, item_id)
        if dataset_id != contract.id:
            raise NotFound(f"There is no quarantine item {item_id}.", vi=f"Không có mục chờ {item_id}.")
        done = correct_row(counter.workshop, item_id, changes, official=right.official, caller=right.caller, purpose=right.purpose)
        return {"item": asdict(done.item), "run": done.outcome.run_id, "version": done.outcome.version}

    return json_answer(await run_in_threadpool(act))


def _changes(body: Any, contract: Contract) -> dict[str, str | None]:
    if not isinstance(body, dict) or set(body) != {"values"} or not isinstance(body["values"], dict):
        raise Unprocessable(
            'Expected {"values": {"column": "right value"}} and nothing else.',
            vi='Cần {"values": {"trường": "giá trị đúng"}} và không gì khác.',
        )
    names = [p.name for p in contract.properties]
    for name, value in body["values"].items():
        if name not in names:
            raise Unprocessable(
                f"`values`: there is no `{shown(name)}`.",
                hint=f"Properties: {', '.join(names)}.",
                hint_vi=f"Các trường: {', '.join(names)}.",
                vi=f"`values`: không có trường `{shown(name)}`.",
            )
        if value is not None and not isinstance(value, str):
            raise Unprocessable(f"`values`, `{name[:60]}`: expected text or null.", vi=f"`values`, `{name[:60]}`: cần chữ hoặc null.")
    changes: dict[str, str | None] = body["values"]
    return changes


def _number(name: str, text: str) -> int:
    if not (text.isascii() and text.isdigit()) or int(text[:20]) > LARGEST_ITEM:
        raise BadRequest(
            f"`{name}`: expected a whole number, found `{text[:60]}`.", vi=f"`{name}`: cần số nguyên, nhận được `{text[:60]}`."
        )
    return int(text)


def _entry(counter: Counter, contract: Contract, right: Right, count: int) -> Entry:
    return Entry(
        at=counter.clock(),
        event=Event.QUARANTINE_LISTED,
        caller=right.caller,
        official=right.official,
        purpose=right.purpose,
        dataset=contract.id,
        outcome="given",
        details={"items": count},
    )
