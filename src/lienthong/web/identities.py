"""Who is one, read over HTTP: a golden record by its id or by a register's key, now or as it was, and what became of golden records.

All of it under the caller's agreement on `master.<type>`; golden records outside its row filter do not exist for the caller. Questions
with a description: `identities_asking.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from lienthong.access import Operation
from lienthong.errors import BadRequest, Gone, NotFound
from lienthong.ledger import Event
from lienthong.sharing.filters import read_date, read_instant, read_known, read_limit
from lienthong.sharing.formats import JSON
from lienthong.sharing.golden import conflicts_of, event_for, provenance_of, read_goldens, sources_of
from lienthong.store import identities as store
from lienthong.store.stewarding import members_then, who_then
from lienthong.web.asking import PRIVATE, Counter, answer_headers
from lienthong.web.authorising import Authoriser
from lienthong.web.identities_asking import held, match
from lienthong.web.identities_desk import ENCODE, Asked, Desk, When, ask, golden_of, id_of, note

MOST_EVENTS = 1_000
LARGEST_EVENT = 2**63 - 1
_EVENTS = 100
NOBODY = ""  # no golden record has this id
THEN = ("as_of", "known_at")


def routes_of(counter: Counter, authorise: Authoriser, subject_key: bytes) -> list[Route]:
    """Reading golden records, and asking with a description. `subject_key` makes the ledger's hash of the golden record asked for."""
    desk = Desk(counter, authorise, subject_key)
    root = "/v1/entities/{type}"

    def reading(path: str, handler: Callable[[Desk, Request], Response]) -> Route:
        async def answer(request: Request) -> Response:
            return await run_in_threadpool(handler, desk, request)

        return Route(path, answer, methods=["GET"])

    return [
        Route(f"{root}:match", partial(match, desk), methods=["POST"]),
        Route(f"{root}:held", partial(held, desk), methods=["POST"]),
        reading(f"{root}/changes", _changes),
        reading(f"{root}/by-source/{{source}}/{{key:path}}", _by_source),
        reading(f"{root}/{{id}}/members", _members),
        reading(f"{root}/{{id}}", _one),
    ]


def _one(desk: Desk, request: Request) -> Response:
    """`GET /v1/entities/{type}/{id}`: values, where each comes from, the records behind it; now, on a day, as known at an instant."""
    asked = ask(desk, request, Operation.LOOK_UP)
    return _give(desk, asked, request.path_params["id"], _when(request))


def _by_source(desk: Desk, request: Request) -> Response:
    """`GET …/by-source/{register}/{key}`: the golden record a register's record is part of, for who may look that register up."""
    asked = ask(desk, request, Operation.LOOK_UP)
    when = _when(request)
    name, key = request.path_params["source"], request.path_params["key"]
    sources = [r.source for r in asked.entity.registers if name in (r.source, r.contract.id) and asked.sees(r.contract)]
    with desk.counter.workshop.database.connect() as connection:
        found = None
        if sources and "\x00" not in key:
            found = store.of_record(connection, asked.entity.name, sources, key)
            if when.instant is not None:
                found = next((then for source in sources if (then := who_then(connection, (source, key), when.instant))), None)
    return _give(desk, asked, found or NOBODY, when, f"{name}/{key}")  # nobody is looked for as somebody is: it takes as long


def _members(desk: Desk, request: Request) -> Response:
    """`GET …/{id}/members`: the records behind a golden record, of registers the caller may look up; on a day, as known at an instant."""
    asked = ask(desk, request, Operation.LOOK_UP)
    when = _when(request)
    id = id_of(request.path_params["id"])
    with desk.counter.connection() as connection:
        golden = golden_of(desk, connection, asked, id, when)
    if golden is None:
        note(desk, asked, Event.ANSWER_MISSING, "missing", id, None, b"", when.noted)
        raise _missing()
    told, others = sources_of(asked.entity, _records_of(desk, asked, id, when), asked.sees)
    body = ENCODE({"id": id, **when.said, "members": told, "members_withheld": others})
    note(desk, asked, Event.ENTITY_ASKED, "given", id, golden.version, body, {"operation": "members", **when.noted})
    return Response(body, media_type=JSON, headers=PRIVATE)


def _give(desk: Desk, asked: Asked, id: str, when: When, asked_for: str = "") -> Response:
    """The record of an id. `asked_for`: what the ledger says was asked for where there is none, when it was not the id."""
    id = id_of(id)
    with desk.counter.workshop.database.connect() as connection:
        resolved = store.resolve(connection, asked.entity.name, id)
    with desk.counter.connection() as connection:
        leads_to = resolved.id if resolved is not None and resolved.is_redirected and when.is_now else id
        golden = golden_of(desk, connection, asked, leads_to, when)
    if golden is None:
        note(desk, asked, Event.ANSWER_MISSING, "missing", asked_for or id, None, b"", when.noted)
        if resolved is not None and resolved.ended_at is not None and when.is_now and not asked.right.conditions:
            raise Gone(
                f"This golden record ended at {resolved.ended_at.isoformat()}: no record is part of it any more.",
                hint="Ask with as_of or known_at for what it was.",
                hint_vi="Hỏi với as_of hoặc known_at để biết bản ghi trước đây thế nào.",
                vi=f"Bản ghi gốc này đã kết thúc lúc {resolved.ended_at.isoformat()}: không còn bản ghi nào thuộc về nó.",
            )
        raise _missing()
    if leads_to != id:
        body = ENCODE({"id": id, "merged_into": leads_to})
        note(desk, asked, Event.ENTITY_ASKED, "redirected", id, golden.version, body, {"operation": "one"})
        where = f"/v1/entities/{asked.entity.name}/{leads_to}"
        return Response(body, 308, media_type=JSON, headers=PRIVATE | {"Location": where})
    records = _records_of(desk, asked, id, when)
    told, others = sources_of(asked.entity, records, asked.sees)
    now = {"conflicts": conflicts_of(golden, asked.entity, asked.right, records, asked.whole)} if when.is_now else {}
    body = ENCODE(
        {
            "type": asked.entity.name,
            "id": id,
            **when.said,
            **{name: value for name, value in golden.record.items() if name != "key"},
            "provenance": provenance_of(golden, asked.entity, asked.right, asked.sees),
            **now,
            "sources": told,
            "sources_withheld": others,
        }
    )
    note(desk, asked, Event.ANSWER_RECORD, "given", id, golden.version, body, when.noted)
    return Response(body, media_type=JSON, headers=answer_headers(asked.master, golden.version))


def _changes(desk: Desk, request: Request) -> Response:
    """`GET …/changes?after=`: what became of golden records, in order, none missed."""
    asked = ask(desk, request, Operation.CHANGES)
    known = read_known(request.query_params.multi_items(), ("after", "limit"))
    limit = read_limit(known.get("limit"), MOST_EVENTS) or _EVENTS
    after = _number(known.get("after", "0"))
    with desk.counter.workshop.database.connect() as connection:
        found = store.events(connection, asked.entity.name, after, limit)
    seen: set[str] | None = None
    if asked.right.conditions:
        ids = sorted({id for event in found for id in (event.id, *event.others)})
        with desk.counter.connection() as connection:
            seen = set(read_goldens(connection, desk.counter.desk, asked.master, asked.right, ids))
    told = [event_for(event, asked.entity, lambda one: seen is None or one in seen, asked.sees) for event in found]
    given = [each for each in told if each is not None]
    last = found[-1].event if found else after
    body = ENCODE({"type": asked.entity.name, "events": given, "next": str(last), "more": len(found) == limit})
    note(desk, asked, Event.ANSWER_CHANGES, "given", None, None, body, {"records": len(given)})
    return Response(body, media_type=JSON, headers=PRIVATE)


def _when(request: Request) -> When:
    """The state a request asks for. Raises BadRequest for another parameter, one given twice, what is no day or no instant."""
    known = read_known(request.query_params.multi_items(), THEN)
    return When(
        read_date("as_of", known["as_of"]) if "as_of" in known else None,
        read_instant("known_at", known["known_at"]) if "known_at" in known else None,
    )


def _records_of(desk: Desk, asked: Asked, id: str, when: When) -> Sequence[store.Member]:
    with desk.counter.workshop.database.connect() as connection:
        if when.instant is None:
            return store.members(connection, asked.entity.name, id)
        return [store.Member(*name) for name in members_then(connection, asked.entity.name, id, when.instant)]


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or int(text[:20]) > LARGEST_EVENT:
        raise BadRequest(
            "`after`: expected `next` of the answer before, or nothing.", vi="`after`: cần `next` của lần trả lời trước, hoặc để trống."
        )
    return int(text)


def _missing() -> NotFound:
    return NotFound("There is no such record among those you may see.", vi="Không có bản ghi này trong phạm vi được xem.")
