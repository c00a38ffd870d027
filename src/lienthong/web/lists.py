"""`POST /v1/entities/{type}:deduplicate`: an agency's own list, a verdict for each row; the list is judged and forgotten.

Anyone who proved who it is may ask, for the list is the caller's own. Which golden record a row would be is told only under an
agreement on `master.<type>` that allows `bulk` and grants the key: with it the caller could compare by itself. What the agreement
withholds or masks takes no part in that comparison, and golden records outside its row filter do not exist for the caller.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Container, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import msgspec
import polars as pl
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from lienthong.access import AccessRequest, Decision, Operation, Quota, decide
from lienthong.clock import vietnam_date
from lienthong.errors import DatasetBusyError, NotAcceptable, NotFound, RequestError
from lienthong.ledger import Entry, Event
from lienthong.masterdata.entities import Entity, entities_of
from lienthong.masterdata.own_list import MAYBE, SURE, HeldRow
from lienthong.pipeline import list_index, match_models
from lienthong.pipeline.listing import OwnList, judge_own_list, titles_of
from lienthong.reports.list_file import ListFile, as_csv, as_workbook, how
from lienthong.sharing.filters import shown
from lienthong.sharing.formats import CSV, JSON
from lienthong.sharing.rights import Right, right_of
from lienthong.store import Connection
from lienthong.store.answers import Ask, Condition, read_page
from lienthong.web.asking import PRIVATE, Counter, request_bytes
from lienthong.web.authorising import Authoriser
from lienthong.web.identified import Identified, identify, note_denied
from lienthong.web.list_bodies import XLSX, SentList, read_sent, take_list

OPERATION = "deduplicate"
FORMATS = (JSON, XLSX, CSV)
QUOTA = Quota(per_minute=20, per_day=1_000)  # lists of one subsystem
AT_ONCE = 2  # lists compared at a time: each may take a core for some seconds
WAIT_SECONDS = 20.0
_working = threading.BoundedSemaphore(AT_ONCE)


@dataclass(frozen=True)
class _Asked:
    """One request. `right` is None without an agreement to be told golden ids; `rule` then says why."""

    who: Identified
    entity: Entity
    right: Right | None
    rule: str


def routes_of(counter: Counter, authorise: Authoriser) -> list[Route]:
    """The routes of this file."""
    return [Route(f"/v1/entities/{{type}}:{OPERATION}", partial(_deduplicate, counter, authorise), methods=["POST"])]


async def _deduplicate(counter: Counter, authorise: Authoriser, request: Request) -> Response:
    entity = _entity(counter, request)
    who = await run_in_threadpool(
        identify, counter, authorise, request, entity.master.id, OPERATION, QUOTA, with_reason=True
    )  # fmt: skip
    chosen = _format(request)
    try:
        right, rule = _right(counter, authorise, entity, who)
    except RequestError as error:
        await run_in_threadpool(note_denied, counter, request, entity.master.id, OPERATION, who, error)
        raise
    sent = await take_list(request)
    return await run_in_threadpool(_answer, counter, request_bytes(request), _Asked(who, entity, right, rule), sent, chosen)


def _entity(counter: Counter, request: Request) -> Entity:
    found = entities_of(counter.contracts).get(request.path_params["type"])
    if found is None:
        name = shown(request.path_params["type"])
        raise NotFound(f"No master contract describes the entity `{name}`.", vi=f"Không có hợp đồng bản ghi gốc nào cho `{name}`.")
    return found


def _format(request: Request) -> str:
    """The first of ours that Accept names; JSON when it takes anything."""
    accept = request.headers.get("accept", "")
    named = [part.partition(";")[0].strip().lower() for part in accept.split(",")]
    for name in named:
        if name in FORMATS:
            return name
        if name in ("", "*/*", "application/*"):
            return JSON
    raise NotAcceptable(f"Expected one of {', '.join(FORMATS)} in Accept.", vi=f"Accept phải có một trong: {', '.join(FORMATS)}.")


def _right(counter: Counter, authorise: Authoriser, entity: Entity, who: Identified) -> tuple[Right | None, str]:
    """The right to be told golden ids, or the rule why not. Nothing is denied: without it the list is judged all the same."""
    master = entity.master
    asked = AccessRequest(who.caller, master.id, Operation.BULK, who.purpose, who.official, who.address, counter.clock())
    decision: Decision = decide(asked, master, authorise.register(), vietnam_date(counter.clock()))
    if not decision.allowed:
        return None, decision.rule
    right = right_of(decision, master, who.caller, who.official, who.purpose)
    if not right.sees_key(master):
        return None, "field_not_visible"
    authorise.charge(decision)
    return right, ""


def _answer(counter: Counter, request: bytes, asked: _Asked, sent: SentList, chosen: str) -> Response:
    with _turn():
        given = read_sent(sent, asked.entity)
        with counter.workshop.database.connect() as connection:
            model = match_models.in_force(connection, asked.entity)
            own = judge_own_list(
                asked.entity, given, model, sent.stated, accept_synthetic=counter.workshop.accept_synthetic_ids
            )  # fmt: skip
            held = None if asked.right is None or model is None else _held(connection, asked, own, partial(list_index.look_up, connection, asked.entity, model))  # fmt: skip
            body = _body(asked, own, held, chosen)
    counter.append(_entry(counter, request, sent, asked, own, held, body))
    headers = PRIVATE | {"Vary": "Accept"}
    if chosen != JSON:
        headers["Content-Disposition"] = f'attachment; filename="{asked.entity.name}-{OPERATION}.{"csv" if chosen == CSV else "xlsx"}"'
    return Response(body, media_type=chosen, headers=headers)


@contextmanager
def _turn() -> Iterator[None]:
    if not _working.acquire(timeout=WAIT_SECONDS):
        raise DatasetBusyError(
            "Too many lists are being compared.",
            hint="Try again in a minute.",
            hint_vi="Hãy thử lại sau một phút.",
            vi="Đang có quá nhiều danh sách được so.",
        )
    try:
        yield
    finally:
        _working.release()


def _held(
    connection: Connection, asked: _Asked, own: OwnList, look_up: Callable[[pl.DataFrame, Container[str]], list[HeldRow]]
) -> list[HeldRow]:
    """What the caller may know of each row: compared by what it may see whole, of golden records its agreement covers."""
    assert asked.right is not None  # asked for only with a right
    whole = [name for name in own.values.columns if name in asked.right.whole]
    found = look_up(own.values.select(whole), asked.right.whole) if whole else [HeldRow()] * own.values.height
    if not asked.right.conditions:
        return found
    key = asked.entity.master.key[0].name
    ids = sorted({each.golden for each in found if each.golden is not None})
    ask = Ask(asked.entity.master.id, (key,), (*asked.right.conditions, Condition(key, "in", ids)), limit=len(ids))
    seen = {row[0] for row in read_page(connection, ask).rows} if ids else set()
    return [each if each.golden in seen else HeldRow() for each in found]


def _body(asked: _Asked, own: OwnList, held: Sequence[HeldRow] | None, chosen: str) -> bytes:
    if chosen == JSON:
        return msgspec.json.encode(_document(asked, own, held))
    broken = [(each.source_row, each.text) for each in own.given.broken]
    given = ListFile(own.given.frame, own.given.numbers, own.judged, own.meant, held, broken, titles_of(asked.entity.master))
    return as_workbook(given) if chosen == XLSX else b"".join(as_csv(given))


def _document(asked: _Asked, own: OwnList, held: Sequence[HeldRow] | None) -> dict[str, Any]:
    vietnamese, english = how(own.judged.way)
    index = {"asked": held is not None} | ({} if held is not None else {"rule": asked.rule or "no_index"})
    return {
        "entity": asked.entity.name,
        "way": {"kind": own.judged.way.kind, "version": own.judged.way.version, "vi": vietnamese, "en": english},
        "columns": [
            {"column": each.column, "attributes": list(each.attributes), "vi": each.vietnamese, "en": each.english} for each in own.meant
        ],
        "not_of_form": dict(own.unread),
        "entities": own.judged.entities,
        "sure": own.judged.count(SURE),
        "maybe": own.judged.count(MAYBE),
        "index": index,
        "rows": [_row(own, n, None if held is None else held[n]) for n in range(len(own.judged.rows))],
        "unreadable": [
            {"row": each.source_row, "code": each.code, "vi": each.expected_vi, "en": each.expected_en} for each in own.given.broken
        ],
    }


def _row(own: OwnList, n: int, held: HeldRow | None) -> dict[str, Any]:
    numbers, row = own.given.numbers, own.judged.rows[n]
    said: dict[str, Any] = {
        "row": numbers[n],
        "verdict": row.verdict,
        "group": row.group,
        "same": [numbers[other] for other in row.same],
        "maybe": [numbers[other] for other in row.maybe],
        "probability": row.probability,
        "vi": row.vietnamese,
        "en": row.english,
    }
    if held is not None:
        said["held"] = {
            "verdict": held.verdict, "golden_id": held.golden, "probability": held.probability, "vi": held.vietnamese, "en": held.english,
        }  # fmt: skip
    return said


def _entry(
    counter: Counter, request: bytes, sent: SentList, asked: _Asked, own: OwnList, held: Sequence[HeldRow] | None, body: bytes
) -> Entry:
    content = sent.content if isinstance(sent.content, bytes) else msgspec.json.encode(sent.content)
    told = {} if held is None else {"held": sum(1 for each in held if each.golden is not None)}
    entry = Entry(
        at=counter.clock(),
        event=Event.ENTITY_ASKED,
        caller=asked.who.caller,
        official=asked.who.official,
        purpose=asked.who.purpose,
        dataset=asked.entity.master.id,
        request_digest=hashlib.sha256(request + b"\n" + content).hexdigest(),
        answer_digest=hashlib.sha256(body).hexdigest(),
        outcome="judged",
        details={
            "operation": OPERATION,
            "rows": len(own.judged.rows),
            "sure": own.judged.count(SURE),
            "maybe": own.judged.count(MAYBE),
            **told,
        },
    )
    return entry if asked.right is None else replace(entry, agreement=asked.right.agreement, legal_basis=asked.right.legal_basis)
