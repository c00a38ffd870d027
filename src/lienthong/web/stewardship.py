"""A steward's desk over HTTP: what waits, why, decisions, splits, undoing, values set by hand. For the agency that keeps the golden records."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from starlette.requests import Request
from starlette.routing import Route

from lienthong.errors import BadRequest, NotFound, Unprocessable
from lienthong.masterdata.waterfall import Line
from lienthong.pipeline import overriding, stewarding
from lienthong.pipeline.bulk_deciding import Pattern, decide_all, preview
from lienthong.pipeline.explaining import Explained, explain
from lienthong.pipeline.matching import Matched, Name
from lienthong.pipeline.stewarding import Waiting
from lienthong.sharing.filters import read_known, read_limit
from lienthong.store import stewarding as store
from lienthong.web.asking import Counter
from lienthong.web.authorising import Authoriser
from lienthong.web.desk import LARGEST_NUMBER, Steward, clean_name, desk_routes, name_of, note_look, number_of, plain, text_of

MOST_ITEMS = 100
_ITEMS = 20
LONGEST_NAME = 200
PATTERN = ("verdict", "why", "registers", "least_bits", "below_bits", "alike", "differing")


def routes_of(counter: Counter, authorise: Authoriser) -> list[Route]:
    """The routes of this file."""
    return desk_routes(
        counter,
        authorise,
        [
            ("queue", _queue, "GET", ()),
            ("pairs", _pair, "GET", ()),
            ("acts/{act}", _act, "GET", ()),
            ("goldens/{id}", _golden, "GET", ()),
            ("decisions", _decide, "POST", ("item", "left", "right", "verdict", "reason")),
            ("bulk/preview", _bulk_preview, "POST", PATTERN),
            ("bulk/decisions", _bulk_decide, "POST", (*PATTERN, "digest", "reason")),
            ("items/{item}/defer", _defer, "POST", ("until",)),
            ("splits", _split, "POST", ("groups", "reason")),
            ("acts/{act}/undo", _undo, "POST", ("reason",)),
            ("goldens/{id}/values/{attribute}", _override, "PUT", ("value", "reason", "until")),
            ("goldens/{id}/values/{attribute}/withdraw", _withdraw, "POST", ("reason",)),
        ],
    )


# Reading


def _queue(steward: Steward, request: Request, _: Mapping[str, Any]) -> Any:
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


def _pair(steward: Steward, request: Request, _: Mapping[str, Any]) -> Any:
    names = ("left_source", "left_key", "right_source", "right_key")
    known = read_known(request.query_params.multi_items(), names)
    missing = [name for name in names if name not in known]
    if missing:
        raise BadRequest(f"`{missing[0]}` is missing.", vi=f"Thiếu `{missing[0]}`.")
    left, right = (known["left_source"], known["left_key"]), (known["right_source"], known["right_key"])
    (why,) = explain(steward.counter.workshop, steward.index, [(clean_name(left), clean_name(right))])
    note_look(steward, {"pairs": 1})
    return _why(why)


def _act(steward: Steward, request: Request, _: Mapping[str, Any]) -> Any:
    number = number_of("act", request.path_params["act"])
    with steward.counter.workshop.database.connect() as connection:
        found = store.act_told(connection, steward.entity, number)
    if found is None:
        raise NotFound(f"`{steward.entity}` has no act {number}.", vi=f"`{steward.entity}` không có hành động {number}.")
    note_look(steward, {"act": number})
    return found


def _golden(steward: Steward, request: Request, _: Mapping[str, Any]) -> Any:
    id = request.path_params["id"]
    with steward.counter.workshop.database.connect() as connection:
        found = None if "\x00" in id else store.dossier(connection, steward.entity, id)
    if found is None:
        raise NotFound("No golden record of this id stands.", vi="Không có bản ghi gốc nào mang mã này.")
    note_look(steward, {"records": len(found["records"])})
    return found


# Acting


def _decide(steward: Steward, _: Request, document: Mapping[str, Any]) -> Any:
    if "item" in document:
        item = document["item"]
        if not isinstance(item, int) or isinstance(item, bool) or not 0 < item <= LARGEST_NUMBER or {"left", "right"} & set(document):
            raise Unprocessable("Expected `item`, or `left` and `right`.", vi="Cần `item`, hoặc `left` và `right`.")
        pair = _waiting_pair(steward, item)
    else:
        pair = (name_of(document, "left"), name_of(document, "right"))
    verdict, reason = text_of(document, "verdict"), text_of(document, "reason")
    done = stewarding.decide(steward.counter.workshop, steward.index, *pair, verdict, steward.official, reason, steward.through)
    return _done(done)


def _waiting_pair(steward: Steward, item: int) -> tuple[Name, Name]:
    with steward.counter.workshop.database.connect() as connection:
        pair = store.pair_of(connection, steward.entity, item)
    if pair is None:
        raise NotFound(f"Nothing waits under {item}.", vi=f"Không có gì chờ ở mục {item}.")
    return pair


def _defer(steward: Steward, request: Request, document: Mapping[str, Any]) -> Any:
    item = number_of("item", request.path_params["item"])
    try:
        until = datetime.fromisoformat(text_of(document, "until"))
    except ValueError as error:
        raise Unprocessable(
            "`until`: expected an instant like 2026-12-01T08:00:00+07:00.", vi="`until`: cần thời điểm như 2026-12-01T08:00:00+07:00."
        ) from error
    if until.tzinfo is None:
        raise Unprocessable("`until`: expected an instant with its zone.", vi="`until`: thời điểm phải có múi giờ.")
    _waiting_pair(steward, item)
    stewarding.defer(steward.counter.workshop, item, until)
    note_look(steward, {"deferred": item})
    return {"item": item, "until": until}


def _bulk_preview(steward: Steward, _: Request, document: Mapping[str, Any]) -> Any:
    workshop, index = steward.counter.workshop, steward.index
    found = preview(workshop, index, _pattern(document), text_of(document, "verdict"), steward.official, steward.through)
    told = explain(workshop, index, [(each.left, each.right) for each in found.samples])
    return {
        "verdict": found.verdict,
        "pairs": found.pairs,
        "left_out": found.left_out,
        "records": found.records,
        "digest": found.digest,
        "samples": [_item(each, why) for each, why in zip(found.samples, told, strict=True)],
    }


def _bulk_decide(steward: Steward, _: Request, document: Mapping[str, Any]) -> Any:
    pattern, verdict = _pattern(document), text_of(document, "verdict")
    digest, reason = text_of(document, "digest"), text_of(document, "reason")
    done = decide_all(steward.counter.workshop, steward.index, pattern, verdict, digest, steward.official, reason, steward.through)
    return _done(done)


def _pattern(document: Mapping[str, Any]) -> Pattern:
    registers = _texts(document, "registers")
    if registers and len(registers) != 2:
        raise Unprocessable("`registers`: expected two names.", vi="`registers`: cần hai tên.")
    return Pattern(
        why=text_of(document, "why") if "why" in document else None,
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


def _split(steward: Steward, _: Request, document: Mapping[str, Any]) -> Any:
    groups = document.get("groups")
    if not isinstance(groups, list) or not all(isinstance(group, list) for group in groups):
        raise Unprocessable('`groups`: expected [[{"source", "key"}]].', vi='`groups`: cần [[{"source", "key"}]].')
    named = [[name_of({"record": record}, "record") for record in group] for group in groups]
    reason = text_of(document, "reason")
    return _done(stewarding.split(steward.counter.workshop, steward.index, named, steward.official, reason, steward.through))


def _undo(steward: Steward, request: Request, document: Mapping[str, Any]) -> Any:
    act = number_of("act", request.path_params["act"])
    reason = text_of(document, "reason")
    return _done(stewarding.undo(steward.counter.workshop, steward.index, act, steward.official, reason, steward.through))


def _override(steward: Steward, request: Request, document: Mapping[str, Any]) -> Any:
    value = document.get("value")
    if "value" not in document or not (value is None or isinstance(value, str)) or (isinstance(value, str) and "\x00" in value):
        raise Unprocessable("`value`: expected text or null.", vi="`value`: cần chữ hoặc null.")
    until = document.get("until")
    try:
        last = None if until is None else date.fromisoformat(text_of(document, "until"))
    except ValueError as error:
        raise Unprocessable("`until`: expected a day like 2026-12-31.", vi="`until`: cần ngày như 2026-12-31.") from error
    done = overriding.override(
        steward.counter.workshop,
        steward.index,
        plain(request.path_params["id"]),
        request.path_params["attribute"],
        value,
        steward.official,
        text_of(document, "reason"),
        last,
        steward.through,
    )
    return {"act": done.act, "version": done.version.version}


def _withdraw(steward: Steward, request: Request, document: Mapping[str, Any]) -> Any:
    id, attribute = plain(request.path_params["id"]), plain(request.path_params["attribute"])
    reason = text_of(document, "reason")
    done = overriding.withdraw(steward.counter.workshop, steward.index, id, attribute, steward.official, reason, steward.through)
    return {"act": done.act, "version": done.version.version}


def _done(done: Matched) -> dict[str, Any]:
    goldens = [{"source": name[0], "key": name[1], "golden_id": id} for name, id in sorted(done.golden.items())]
    return {"act": done.act, "version": done.version.version, "events": dict(done.events), "goldens": goldens, "waiting": done.waiting}
