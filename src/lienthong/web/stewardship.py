"""A steward's desk over HTTP: what waits, why, decisions, splits, undoing, values set by hand. For the agency that keeps the golden records.

The person is the `Lienthong-Official` of the request: the first and the second of two persons are told apart by it.
"""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from lienthong.errors import BadRequest, NotFound, Unprocessable
from lienthong.ledger import Entry, Event
from lienthong.masterdata.entities import entities_of
from lienthong.masterdata.waterfall import Line
from lienthong.pipeline import match_models, overriding, stewarding
from lienthong.pipeline.bulk_deciding import Pattern, decide_all, preview
from lienthong.pipeline.explaining import Explained, explain
from lienthong.pipeline.matching import EntityIndex, Matched, Name, index_of
from lienthong.pipeline.stewarding import Through, Waiting
from lienthong.sharing.filters import read_known, read_limit, shown
from lienthong.store import stewarding as store
from lienthong.web.asking import Counter, json_answer
from lienthong.web.authorising import OWN, Authoriser
from lienthong.web.bodies import read_json

LARGEST_BODY = 1_000_000
MOST_ITEMS = 100
LARGEST_NUMBER = 2**63 - 1
_ITEMS = 20
LONGEST_NAME = 200
PATTERN = ("verdict", "why", "registers", "least_bits", "below_bits", "alike", "differing")


@dataclass(frozen=True)
class _Steward:
    """Who acts on which entity."""

    counter: Counter
    index: EntityIndex
    official: str
    through: Through

    @property
    def entity(self) -> str:
        return self.index.entity.name


Act = Callable[[_Steward, Request, Mapping[str, Any]], Any]


def routes_of(counter: Counter, authorise: Authoriser) -> list[Route]:
    """The routes of this file."""
    root = "/v1/stewardship/{type}"

    def route(path: str, act: Act, method: str = "GET", fields: tuple[str, ...] = ()) -> Route:
        return Route(f"{root}/{path}", _answering(counter, authorise, act, fields), methods=[method])

    return [
        route("queue", _queue),
        route("pairs", _pair),
        route("acts/{act}", _act),
        route("goldens/{id}", _golden),
        route("decisions", _decide, "POST", ("item", "left", "right", "verdict", "reason")),
        route("bulk/preview", _bulk_preview, "POST", PATTERN),
        route("bulk/decisions", _bulk_decide, "POST", (*PATTERN, "digest", "reason")),
        route("items/{item}/defer", _defer, "POST", ("until",)),
        route("splits", _split, "POST", ("groups", "reason")),
        route("acts/{act}/undo", _undo, "POST", ("reason",)),
        route("goldens/{id}/values/{attribute}", _override, "PUT", ("value", "reason", "until")),
        route("goldens/{id}/values/{attribute}/withdraw", _withdraw, "POST", ("reason",)),
    ]


def _answering(counter: Counter, authorise: Authoriser, act: Act, fields: tuple[str, ...]) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        steward = await run_in_threadpool(_steward, counter, authorise, request)
        document: Mapping[str, Any] = {}
        if fields:
            read_known(request.query_params.multi_items(), ())
            document = _object(await read_json(request, LARGEST_BODY), fields)
        return json_answer(await run_in_threadpool(act, steward, request, document))

    return answer


def _steward(counter: Counter, authorise: Authoriser, request: Request) -> _Steward:
    entities = entities_of(counter.contracts)
    entity = entities.get(request.path_params["type"])
    if entity is None:
        name = shown(request.path_params["type"])
        raise NotFound(f"No master contract describes the entity `{name}`.", vi=f"Không có hợp đồng bản ghi gốc nào cho `{name}`.")
    right = authorise(request, entity.master, OWN)
    with counter.workshop.database.connect() as connection:
        index = index_of(entities, entity.name, match_models.in_force(connection, entity))
    return _Steward(counter, index, right.official, Through(right.caller, right.purpose))


# Reading


def _queue(steward: _Steward, request: Request, _: Mapping[str, Any]) -> Any:
    known = read_known(request.query_params.multi_items(), ("limit",))
    limit = read_limit(known.get("limit"), MOST_ITEMS) or _ITEMS
    waiting = stewarding.queue(steward.counter.workshop, steward.index, steward.official, limit, steward.through)
    told = explain(steward.counter.workshop, steward.index, [(each.left, each.right) for each in waiting])
    return {"items": [_item(each, why) for each, why in zip(waiting, told, strict=True)], "open_minutes": stewarding.OPEN_MINUTES}


def _item(waiting: Waiting, why: Explained) -> dict[str, Any]:
    names = dict.fromkeys([*waiting.left_content, *waiting.right_content])
    return {
        "item": waiting.item,
        "why": waiting.why,
        "records": waiting.records,
        "left": _record(waiting.left, waiting.left_golden, waiting.left_content),
        "right": _record(waiting.right, waiting.right_golden, waiting.right_content),
        "differ": [name for name in names if waiting.left_content.get(name) != waiting.right_content.get(name)],
        **_why(why),
    }


def _record(name: Name, golden: str, content: Mapping[str, Any]) -> dict[str, Any]:
    return {"source": name[0], "key": name[1], "golden_id": golden, "content": content}


def _why(why: Explained) -> dict[str, Any]:
    return {"bits": why.bits, "cut": why.cut, "reasons": [_line(line) for line in why.lines]}


def _line(line: Line) -> dict[str, Any]:
    return {"compared": line.name, "bits": line.bits, "sum": line.sum_bits, "vi": line.vietnamese, "en": line.english}


def _pair(steward: _Steward, request: Request, _: Mapping[str, Any]) -> Any:
    names = ("left_source", "left_key", "right_source", "right_key")
    known = read_known(request.query_params.multi_items(), names)
    missing = [name for name in names if name not in known]
    if missing:
        raise BadRequest(f"`{missing[0]}` is missing.", vi=f"Thiếu `{missing[0]}`.")
    left, right = (known["left_source"], known["left_key"]), (known["right_source"], known["right_key"])
    (why,) = explain(steward.counter.workshop, steward.index, [(_clean(left), _clean(right))])
    _note(steward, {"pairs": 1})
    return _why(why)


def _act(steward: _Steward, request: Request, _: Mapping[str, Any]) -> Any:
    number = _number("act", request.path_params["act"])
    with steward.counter.workshop.database.connect() as connection:
        found = store.act_told(connection, steward.entity, number)
    if found is None:
        raise NotFound(f"`{steward.entity}` has no act {number}.", vi=f"`{steward.entity}` không có hành động {number}.")
    _note(steward, {"act": number})
    return found


def _golden(steward: _Steward, request: Request, _: Mapping[str, Any]) -> Any:
    id = request.path_params["id"]
    with steward.counter.workshop.database.connect() as connection:
        found = None if "\x00" in id else store.dossier(connection, steward.entity, id)
    if found is None:
        raise NotFound("No golden record of this id stands.", vi="Không có bản ghi gốc nào mang mã này.")
    _note(steward, {"records": len(found["records"])})
    return found


def _note(steward: _Steward, details: Mapping[str, Any]) -> None:
    """A steward who looks is in the ledger as one who reads the queue is."""
    entry = Entry(
        at=steward.counter.clock(),
        event=Event.QUEUE_READ,
        caller=steward.through.caller,
        official=steward.official,
        purpose=steward.through.purpose,
        dataset=steward.index.master.id,
        outcome="done",
        details=details,
    )
    steward.counter.append(entry)


# Acting


def _decide(steward: _Steward, _: Request, document: Mapping[str, Any]) -> Any:
    if "item" in document:
        item = document["item"]
        if not isinstance(item, int) or isinstance(item, bool) or not 0 < item <= LARGEST_NUMBER or {"left", "right"} & set(document):
            raise Unprocessable("Expected `item`, or `left` and `right`.", vi="Cần `item`, hoặc `left` và `right`.")
        pair = _waiting_pair(steward, item)
    else:
        pair = (_name(document, "left"), _name(document, "right"))
    verdict, reason = _text(document, "verdict"), _text(document, "reason")
    done = stewarding.decide(steward.counter.workshop, steward.index, *pair, verdict, steward.official, reason, steward.through)
    return _done(done)


def _waiting_pair(steward: _Steward, item: int) -> tuple[Name, Name]:
    with steward.counter.workshop.database.connect() as connection:
        pair = store.pair_of(connection, steward.entity, item)
    if pair is None:
        raise NotFound(f"Nothing waits under {item}.", vi=f"Không có gì chờ ở mục {item}.")
    return pair


def _defer(steward: _Steward, request: Request, document: Mapping[str, Any]) -> Any:
    item = _number("item", request.path_params["item"])
    try:
        until = datetime.fromisoformat(_text(document, "until"))
    except ValueError as error:
        raise Unprocessable(
            "`until`: expected an instant like 2026-12-01T08:00:00+07:00.", vi="`until`: cần thời điểm như 2026-12-01T08:00:00+07:00."
        ) from error
    if until.tzinfo is None:
        raise Unprocessable("`until`: expected an instant with its zone.", vi="`until`: thời điểm phải có múi giờ.")
    _waiting_pair(steward, item)
    stewarding.defer(steward.counter.workshop, item, until)
    _note(steward, {"deferred": item})
    return {"item": item, "until": until}


def _bulk_preview(steward: _Steward, _: Request, document: Mapping[str, Any]) -> Any:
    workshop, index = steward.counter.workshop, steward.index
    found = preview(workshop, index, _pattern(document), _text(document, "verdict"), steward.official, steward.through)
    told = explain(workshop, index, [(each.left, each.right) for each in found.samples])
    return {
        "verdict": found.verdict,
        "pairs": found.pairs,
        "left_out": found.left_out,
        "records": found.records,
        "digest": found.digest,
        "samples": [_item(each, why) for each, why in zip(found.samples, told, strict=True)],
    }


def _bulk_decide(steward: _Steward, _: Request, document: Mapping[str, Any]) -> Any:
    pattern, verdict = _pattern(document), _text(document, "verdict")
    digest, reason = _text(document, "digest"), _text(document, "reason")
    done = decide_all(steward.counter.workshop, steward.index, pattern, verdict, digest, steward.official, reason, steward.through)
    return _done(done)


def _pattern(document: Mapping[str, Any]) -> Pattern:
    registers = _texts(document, "registers")
    if registers and len(registers) != 2:
        raise Unprocessable("`registers`: expected two names.", vi="`registers`: cần hai tên.")
    return Pattern(
        why=_text(document, "why") if "why" in document else None,
        registers=(registers[0], registers[1]) if registers else None,
        least_bits=_bits(document, "least_bits", -math.inf),
        below_bits=_bits(document, "below_bits", math.inf),
        alike=_texts(document, "alike"),
        differing=_texts(document, "differing"),
    )


def _texts(document: Mapping[str, Any], name: str) -> tuple[str, ...]:
    value = document.get(name, [])
    if not isinstance(value, list) or not all(isinstance(each, str) and 0 < len(each) <= LONGEST_NAME for each in value):
        raise Unprocessable(f"`{name}`: expected a list of names.", vi=f"`{name}`: cần danh sách tên.")
    return tuple(value)


def _bits(document: Mapping[str, Any], name: str, otherwise: float) -> float:
    value = document.get(name, otherwise)
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise Unprocessable(f"`{name}`: expected a number of bits.", vi=f"`{name}`: cần một số bit.")
    return value


def _split(steward: _Steward, _: Request, document: Mapping[str, Any]) -> Any:
    groups = document.get("groups")
    if not isinstance(groups, list) or not all(isinstance(group, list) for group in groups):
        raise Unprocessable('`groups`: expected [[{"source", "key"}]].', vi='`groups`: cần [[{"source", "key"}]].')
    named = [[_name({"record": record}, "record") for record in group] for group in groups]
    reason = _text(document, "reason")
    return _done(stewarding.split(steward.counter.workshop, steward.index, named, steward.official, reason, steward.through))


def _undo(steward: _Steward, request: Request, document: Mapping[str, Any]) -> Any:
    act = _number("act", request.path_params["act"])
    reason = _text(document, "reason")
    return _done(stewarding.undo(steward.counter.workshop, steward.index, act, steward.official, reason, steward.through))


def _override(steward: _Steward, request: Request, document: Mapping[str, Any]) -> Any:
    value = document.get("value")
    if "value" not in document or not (value is None or isinstance(value, str)) or (isinstance(value, str) and "\x00" in value):
        raise Unprocessable("`value`: expected text or null.", vi="`value`: cần chữ hoặc null.")
    until = document.get("until")
    try:
        last = None if until is None else date.fromisoformat(_text(document, "until"))
    except ValueError as error:
        raise Unprocessable("`until`: expected a day like 2026-12-31.", vi="`until`: cần ngày như 2026-12-31.") from error
    done = overriding.override(
        steward.counter.workshop,
        steward.index,
        _plain(request.path_params["id"]),
        request.path_params["attribute"],
        value,
        steward.official,
        _text(document, "reason"),
        last,
        steward.through,
    )
    return {"act": done.act, "version": done.version.version}


def _withdraw(steward: _Steward, request: Request, document: Mapping[str, Any]) -> Any:
    id, attribute = _plain(request.path_params["id"]), _plain(request.path_params["attribute"])
    reason = _text(document, "reason")
    done = overriding.withdraw(steward.counter.workshop, steward.index, id, attribute, steward.official, reason, steward.through)
    return {"act": done.act, "version": done.version.version}


def _done(done: Matched) -> dict[str, Any]:
    goldens = [{"source": name[0], "key": name[1], "golden_id": id} for name, id in sorted(done.golden.items())]
    return {"act": done.act, "version": done.version.version, "events": dict(done.events), "goldens": goldens, "waiting": done.waiting}


# What is sent


def _object(document: Any, known: tuple[str, ...]) -> Mapping[str, Any]:
    if not isinstance(document, dict) or set(document) - set(known):
        raise Unprocessable(f"Expected an object of {', '.join(known)}.", vi=f"Cần một đối tượng gồm {', '.join(known)}.")
    return document


def _text(document: Mapping[str, Any], name: str) -> str:
    value = document.get(name)
    if not isinstance(value, str) or "\x00" in value or len(value) > 2_000:
        raise Unprocessable(f"`{name}`: expected text.", vi=f"`{name}`: cần chữ.")
    return value


def _name(document: Mapping[str, Any], place: str) -> Name:
    value = document.get(place)
    if not isinstance(value, dict) or set(value) != {"source", "key"} or not all(isinstance(part, str) for part in value.values()):
        raise Unprocessable(f'`{place}`: expected {{"source", "key"}}.', vi=f'`{place}`: cần {{"source", "key"}}.')
    return _clean((value["source"], value["key"]))


def _clean(name: Name) -> Name:
    return _plain(name[0]), _plain(name[1])


def _plain(text: str) -> str:
    if "\x00" in text:
        raise BadRequest("A name holds no NUL.", vi="Tên không chứa NUL.")
    return text


def _number(name: str, text: str) -> int:
    if not (text.isascii() and text.isdigit()) or not 0 < int(text[:20]) <= LARGEST_NUMBER:
        raise BadRequest(f"`{name}`: expected a number.", vi=f"`{name}`: cần một số.")
    return int(text)
