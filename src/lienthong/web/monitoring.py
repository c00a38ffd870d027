"""`/v1/monitoring/…`: the operational record of exchanges, the health of services, figures; for whoever may see them.

An operator or an auditor who signed in sees all; anybody else of an agency sees what their agency asked or answered.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from lienthong.access import Actor, Role
from lienthong.errors import BadRequest, Denied, Unprocessable
from lienthong.ledger import Entry, Event
from lienthong.reports.exchanges import GROUPS, HEALTH_SECONDS, MOST_RECORDS, Asker, Place, figures, health_data, operational_data
from lienthong.settings import Settings
from lienthong.sharing.filters import read_known
from lienthong.sharing.formats import JSON
from lienthong.web.acting import actor_of
from lienthong.web.asking import PRIVATE, Counter, request_bytes

LONGEST_SPAN = timedelta(days=400)
LARGEST_SECOND = 253_402_300_799  # the last of the year 9999
GROUPS_ASKED = (*GROUPS, "at")
Answer = Callable[[Counter, Request, Asker], dict[str, Any]]


def routes_of(counter: Counter, settings: Settings) -> list[Route]:
    """The routes of this file."""
    place = place_of(settings)
    made: dict[str, Answer] = {"records": partial(_records, place), "health": _health, "counts": _counts}
    return [Route(f"/v1/monitoring/{name}", partial(_given, counter, name, answer)) for name, answer in made.items()]


def place_of(settings: Settings) -> Place:
    return Place(settings.instance, settings.member_class, settings.xroad_subsystem, settings.host)


def asker_of(actor: Actor) -> Asker:
    """Whose exchanges somebody may see. Raises Denied for who belongs to no agency."""
    if actor.may(Role.OPERATOR, Role.AUDITOR) and not actor.subsystem:
        return Asker()
    if not actor.agency:
        raise Denied("Figures of exchanges are for agencies.", rule="no_role", vi="Số liệu trao đổi dành cho cơ quan.")
    return Asker(actor.agency)


async def _given(counter: Counter, name: str, answer: Answer, request: Request) -> Response:
    return await run_in_threadpool(_answer, counter, name, answer, request)


def _answer(counter: Counter, name: str, answer: Answer, request: Request) -> Response:
    actor = actor_of(request)
    body = msgspec.json.encode(answer(counter, request, asker_of(actor)))
    counter.append(given_entry(counter, actor, request, f"monitoring {name}", body))
    return Response(body, media_type=JSON, headers=PRIVATE)


def given_entry(counter: Counter, actor: Actor, request: Request, report: str, body: bytes) -> Entry:
    """The ledger's entry of figures that were given."""
    return Entry(
        at=counter.clock(),
        event=Event.REPORT_GIVEN,
        caller=actor.subsystem or actor.agency,
        official=actor.name,
        request_digest=hashlib.sha256(request_bytes(request)).hexdigest(),
        answer_digest=hashlib.sha256(body).hexdigest(),
        outcome="given",
        details={"report": report},
    )


def _records(place: Place, counter: Counter, request: Request, asker: Asker) -> dict[str, Any]:
    known = read_known(request.query_params.multi_items(), ("recordsFrom", "recordsTo", "client", "outputField"))
    now = counter.clock()
    begin, until = seconds_of(known.get("recordsFrom"), known.get("recordsTo"), now)
    with counter.connection() as connection:
        fields = [name for name in known.get("outputField", "").split(",") if name]
        found = operational_data(connection, asker, place, begin, until, now, known.get("client", ""), fields)
    return {"records": found.records, "nextRecordsFrom": found.next_from}


def seconds_of(begin: str | None, until: str | None, now: datetime) -> tuple[int, int]:
    """Seconds asked for, in Unix time; until now where no end is said. Raises BadRequest, Unprocessable."""
    asked = []
    for name, text, default in (("recordsFrom", begin, None), ("recordsTo", until, int(now.timestamp()))):
        if text is None and default is not None:
            asked.append(default)
        elif text is None or not (text.isascii() and text.isdigit()) or int(text[:13]) > LARGEST_SECOND:
            raise BadRequest(f"`{name}`: expected seconds since 1970.", vi=f"`{name}`: cần số giây tính từ 1970.")
        else:
            asked.append(int(text))
    if until is not None and asked[1] < asked[0]:
        raise Unprocessable("`recordsTo` is before `recordsFrom`.", vi="`recordsTo` trước `recordsFrom`.")
    return asked[0], max(asked)


def _health(counter: Counter, request: Request, asker: Asker) -> dict[str, Any]:
    read_known(request.query_params.multi_items(), ())
    now = counter.clock()
    with counter.connection() as connection:
        services = health_data(connection, asker, now)
    return {"at": now, "statisticsPeriodSeconds": HEALTH_SECONDS, "services": services}


def _counts(counter: Counter, request: Request, asker: Asker) -> dict[str, Any]:
    known = read_known(request.query_params.multi_items(), ("from", "until", "by", "span"))
    now = counter.clock()
    until = _instant("until", known.get("until"), now)
    begin = _instant("from", known.get("from"), until - timedelta(days=1))
    span = known.get("span", "hour")
    by = known.get("by", "service").split(",")
    if span not in ("hour", "day"):
        raise BadRequest("`span`: expected hour or day.", vi="`span`: hour hoặc day.")
    if not all(name in GROUPS_ASKED for name in by) or len(set(by)) != len(by):
        raise BadRequest(f"`by`: expected some of {', '.join(GROUPS_ASKED)}.", vi=f"`by`: trong {', '.join(GROUPS_ASKED)}.")
    if not timedelta() <= until - begin <= LONGEST_SPAN:
        raise Unprocessable(f"Expected `from` at most {LONGEST_SPAN.days} days before `until`.", vi="Khoảng thời gian không hợp lệ.")
    with counter.connection() as connection:
        found = figures(connection, asker, begin, until, by, span)[:MOST_RECORDS]
    return {"from": begin, "until": until, "span": span, "counts": [item.document(by) for item in found]}


def _instant(name: str, text: str | None, default: datetime) -> datetime:
    if text is None:
        return default
    try:
        found = datetime.fromisoformat(text)
        return found.astimezone(UTC) if found.tzinfo is not None else found.replace(tzinfo=UTC)
    except (ValueError, OverflowError) as error:
        raise BadRequest(f"`{name}`: expected an instant like 2026-01-01T00:00:00Z.", vi=f"`{name}`: cần thời điểm.") from error
