"""Who is one, asked over HTTP: a golden record by its id or by a register's key, who a description is of, what is held already.

All of it under the caller's agreement on `master.<type>`: what the agreement withholds or masks takes no part in any comparison, so
no answer tells more than reading the golden records would; golden records outside its row filter do not exist for the caller.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from typing import Any

import msgspec
import polars as pl
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from lienthong.access import ANONYMOUS, AccessRequest, Identity, Operation, decide
from lienthong.clock import end_of_day, vietnam_date
from lienthong.contracts import Contract
from lienthong.errors import BadRequest, Conflict, Gone, NotFound, Unprocessable
from lienthong.ledger import Entry, Event, subject_hash
from lienthong.masterdata.entities import Entity, entities_of
from lienthong.masterdata.golden_values import PROVENANCE
from lienthong.masterdata.headings import Meant
from lienthong.masterdata.own_list import SURE
from lienthong.pipeline import match_models
from lienthong.pipeline.asking_index import Candidate, candidates
from lienthong.pipeline.listing import attribute_values
from lienthong.sharing.filters import read_date, read_instant, read_known, read_limit, shown
from lienthong.sharing.formats import JSON
from lienthong.sharing.golden import Golden, SeesRegister, SeesWhole, conflicts_of, event_for, provenance_of, read_goldens, sources_of
from lienthong.sharing.rights import Right, right_of
from lienthong.standards import get_standard
from lienthong.store import Connection
from lienthong.store import identities as store
from lienthong.store.answers import version_known_at
from lienthong.store.stewarding import members_then, who_then
from lienthong.web.asking import PRIVATE, Counter, answer_headers, request_bytes
from lienthong.web.authorising import Authoriser
from lienthong.web.bodies import read_json

LARGEST_BODY = 20_000
MOST_TOLD = 20
MOST_EVENTS = 1_000
LARGEST_EVENT = 2**63 - 1
_EVENTS = 100
NOBODY = ""  # no golden record has this id
THEN = ("as_of", "known_at")
_ENCODE = msgspec.json.Encoder().encode


@dataclass(frozen=True)
class _Desk:
    """What every handler here needs. `subject_key` makes the ledger's hash of the golden record asked for."""

    counter: Counter
    authorise: Authoriser
    subject_key: bytes


@dataclass(frozen=True)
class _Asked:
    entity: Entity
    right: Right
    sees: SeesRegister
    whole: SeesWhole
    request: bytes

    @property
    def master(self) -> Contract:
        return self.entity.master


@dataclass(frozen=True)
class _When:
    """Which state is asked for: what held on a day, as it was known at an instant. Neither: what holds now, as it is known now."""

    as_of: date | None = None
    known_at: datetime | None = None

    @property
    def is_now(self) -> bool:
        return self.as_of is None and self.known_at is None

    @property
    def instant(self) -> datetime | None:
        """Whose memberships these are. Golden records hold from the day the index made them so, so those of a day are the last ones of it."""
        ends = None if self.as_of is None else end_of_day(self.as_of)
        return min((each for each in (self.known_at, ends) if each is not None), default=None)

    @property
    def said(self) -> dict[str, Any]:
        """For the answer."""
        return {"as_of": self.as_of, "known_at": self.known_at}

    @property
    def noted(self) -> dict[str, str]:
        """For the ledger."""
        return {name: value.isoformat() for name, value in (("as_of", self.as_of), ("known_at", self.known_at)) if value is not None}


NOW = _When()


def routes_of(counter: Counter, authorise: Authoriser, subject_key: bytes) -> list[Route]:
    """The routes of this file."""
    desk = _Desk(counter, authorise, subject_key)
    root = "/v1/entities/{type}"

    def reading(path: str, handler: Callable[[_Desk, Request], Response]) -> Route:
        async def answer(request: Request) -> Response:
            return await run_in_threadpool(handler, desk, request)

        return Route(path, answer, methods=["GET"])

    return [
        Route(f"{root}:match", partial(_match, desk), methods=["POST"]),
        Route(f"{root}:held", partial(_held, desk), methods=["POST"]),
        reading(f"{root}/changes", _changes),
        reading(f"{root}/by-source/{{source}}/{{key:path}}", _by_source),
        reading(f"{root}/{{id}}/members", _members),
        reading(f"{root}/{{id}}", _one),
    ]


# Reading


def _one(desk: _Desk, request: Request) -> Response:
    """`GET /v1/entities/{type}/{id}`: values, where each comes from, the records behind it; now, on a day, as known at an instant."""
    asked = _ask(desk, request, Operation.LOOK_UP)
    return _give(desk, asked, request.path_params["id"], _when(request))


def _by_source(desk: _Desk, request: Request) -> Response:
    """`GET …/by-source/{register}/{key}`: the golden record a register's record is part of, for who may look that register up."""
    asked = _ask(desk, request, Operation.LOOK_UP)
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


def _members(desk: _Desk, request: Request) -> Response:
    """`GET …/{id}/members`: the records behind a golden record, of registers the caller may look up; on a day, as known at an instant."""
    asked = _ask(desk, request, Operation.LOOK_UP)
    when = _when(request)
    id = _id(request.path_params["id"])
    with desk.counter.connection() as connection:
        golden = _seen(desk, connection, asked, id, when)
    if golden is None:
        _note(desk, asked, Event.ANSWER_MISSING, "missing", id, None, b"", when.noted)
        raise _missing()
    told, others = sources_of(asked.entity, _records_of(desk, asked, id, when), asked.sees)
    body = _ENCODE({"id": id, **when.said, "members": told, "members_withheld": others})
    _note(desk, asked, Event.ENTITY_ASKED, "given", id, golden.version, body, {"operation": "members", **when.noted})
    return Response(body, media_type=JSON, headers=PRIVATE)


def _when(request: Request) -> _When:
    """The state a request asks for. Raises BadRequest for another parameter, one given twice, what is no day or no instant."""
    known = read_known(request.query_params.multi_items(), THEN)
    return _When(
        read_date("as_of", known["as_of"]) if "as_of" in known else None,
        read_instant("known_at", known["known_at"]) if "known_at" in known else None,
    )


def _give(desk: _Desk, asked: _Asked, id: str, when: _When, asked_for: str = "") -> Response:
    """The record of an id. `asked_for`: what the ledger says was asked for where there is none, when it was not the id."""
    id = _id(id)
    with desk.counter.workshop.database.connect() as connection:
        resolved = store.resolve(connection, asked.entity.name, id)
    with desk.counter.connection() as connection:
        leads_to = resolved.id if resolved is not None and resolved.is_redirected and when.is_now else id
        golden = _seen(desk, connection, asked, leads_to, when)
    if golden is None:
        _note(desk, asked, Event.ANSWER_MISSING, "missing", asked_for or id, None, b"", when.noted)
        if resolved is not None and resolved.ended_at is not None and when.is_now and not asked.right.conditions:
            raise Gone(
                f"This golden record ended at {resolved.ended_at.isoformat()}: no record is part of it any more.",
                hint="Ask with as_of or known_at for what it was.",
                hint_vi="Hỏi với as_of hoặc known_at để biết bản ghi trước đây thế nào.",
                vi=f"Bản ghi gốc này đã kết thúc lúc {resolved.ended_at.isoformat()}: không còn bản ghi nào thuộc về nó.",
            )
        raise _missing()
    if leads_to != id:
        body = _ENCODE({"id": id, "merged_into": leads_to})
        _note(desk, asked, Event.ENTITY_ASKED, "redirected", id, golden.version, body, {"operation": "one"})
        where = f"/v1/entities/{asked.entity.name}/{leads_to}"
        return Response(body, 308, media_type=JSON, headers=PRIVATE | {"Location": where})
    records = _records_of(desk, asked, id, when)
    told, others = sources_of(asked.entity, records, asked.sees)
    now = {"conflicts": conflicts_of(golden, asked.entity, asked.right, records, asked.whole)} if when.is_now else {}
    body = _ENCODE(
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
    _note(desk, asked, Event.ANSWER_RECORD, "given", id, golden.version, body, when.noted)
    return Response(body, media_type=JSON, headers=answer_headers(asked.master, golden.version))


def _changes(desk: _Desk, request: Request) -> Response:
    """`GET …/changes?after=`: what became of golden records, in order, none missed."""
    asked = _ask(desk, request, Operation.CHANGES)
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
    body = _ENCODE({"type": asked.entity.name, "events": given, "next": str(last), "more": len(found) == limit})
    _note(desk, asked, Event.ANSWER_CHANGES, "given", None, None, body, {"records": len(given)})
    return Response(body, media_type=JSON, headers=PRIVATE)


# Asking with a description


async def _match(desk: _Desk, request: Request) -> Response:
    """`POST …:match`: the golden records a description may be of, nearest first, with reasons."""
    asked = await run_in_threadpool(_ask, desk, request, Operation.LIST)
    document = _object(await read_json(request, LARGEST_BODY), {"attributes", "limit"})
    limit = document.get("limit", MOST_TOLD)
    if not isinstance(limit, int) or isinstance(limit, bool) or not 1 <= limit <= MOST_TOLD:
        raise Unprocessable(f"`limit`: expected 1 to {MOST_TOLD}.", vi=f"`limit`: từ 1 đến {MOST_TOLD}.")
    content = _ENCODE(document)

    def answer() -> Response:
        described = _described(desk, asked, document.get("attributes"))
        with desk.counter.connection() as connection:
            found, goldens = _found(desk, connection, asked, described.values)
        told = [_candidate(asked, one, goldens[one.golden]) for one in found[:limit]]
        body = _ENCODE({"type": asked.entity.name, **described.said, "candidates": told})
        subject = found[0].golden if found else None
        _note(desk, asked, Event.ENTITY_ASKED, "given", subject, None, body, {"operation": "match", "candidates": len(told)}, content)
        return Response(body, media_type=JSON, headers=PRIVATE)

    return await run_in_threadpool(answer)


async def _held(desk: _Desk, request: Request) -> Response:
    """`POST …:held`: is this known already, and by whom; with a value given, whether it agrees, where the caller may see the field."""
    asked = await run_in_threadpool(_ask, desk, request, Operation.LOOK_UP)
    document = _object(await read_json(request, LARGEST_BODY), {"id", "attributes", "fields"})
    fields = document.get("fields")
    known = {p.name: p for p in asked.master.properties if p.key_position is None and p.name != PROVENANCE}
    if not isinstance(fields, dict) or not fields or not all(v is None or isinstance(v, str) for v in fields.values()):
        raise Unprocessable(
            '`fields`: expected {"field": "value in hand" or null}.', vi='`fields`: cần {"trường": "giá trị đang có" hoặc null}.'
        )
    for name in fields:
        if name not in known:
            raise Unprocessable(
                f"`fields`: there is no `{shown(name)}`.",
                hint=f"Fields: {', '.join(known)}.",
                hint_vi=f"Các trường: {', '.join(known)}.",
                vi=f"`fields`: không có trường `{shown(name)}`.",
            )
    if ("id" in document) == ("attributes" in document):
        raise Unprocessable("Expected `id` or `attributes`, one of them.", vi="Cần `id` hoặc `attributes`, chỉ một trong hai.")
    content = _ENCODE(document)

    def answer() -> Response:
        accept = desk.counter.workshop.accept_synthetic_ids
        golden, verdict, said = _meant(desk, asked, document)
        told = (
            {} if golden is None else {name: _field(asked, golden, name, value, accept_synthetic=accept) for name, value in fields.items()}
        )
        id = golden.id if golden is not None and asked.right.sees_key(asked.master) else None
        body = _ENCODE({"type": asked.entity.name, "id": id, "verdict": verdict, **said, "fields": told})
        subject = None if golden is None else golden.id
        details = {"operation": "held", "fields": sorted(fields)}
        _note(desk, asked, Event.ENTITY_ASKED, verdict, subject, None if golden is None else golden.version, body, details, content)
        return Response(body, media_type=JSON, headers=PRIVATE)

    return await run_in_threadpool(answer)


def _meant(desk: _Desk, asked: _Asked, document: Mapping[str, Any]) -> tuple[Golden | None, str, Mapping[str, Any]]:
    """(the golden record meant, `sure` · `maybe` · `none`, what is said of the description)."""
    if "id" in document:
        if not isinstance(document["id"], str):
            raise Unprocessable("`id`: expected text.", vi="`id`: cần chữ.")
        id = _id(document["id"])
        with desk.counter.workshop.database.connect() as connection:
            resolved = store.resolve(connection, asked.entity.name, id)
        with desk.counter.connection() as connection:
            golden = _seen(desk, connection, asked, id if resolved is None else resolved.id, NOW)
        return golden, "none" if golden is None else SURE, {}
    described = _described(desk, asked, document["attributes"])
    with desk.counter.connection() as connection:
        found, goldens = _found(desk, connection, asked, described.values)
    sure = [one for one in found if one.verdict == SURE]
    if len(sure) == 1:
        return goldens[sure[0].golden], SURE, described.said
    return None, "maybe" if found else "none", described.said


def _field(asked: _Asked, golden: Golden, name: str, value: str | None, *, accept_synthetic: bool) -> dict[str, Any]:
    """Whether a field is held and by which register; the rest only as the agreement shows the field."""
    source = golden.held[name][0] if name in golden.held else None
    told: dict[str, Any] = {"held": source is not None, "by": _keeper(asked.entity, source)}
    if source is None or name not in asked.right.visible or name in asked.right.masked:
        return told
    held = golden.record["values"].get(name)
    told["value"] = held
    if value is not None:
        told["agrees"] = _same(asked.entity, name, value, held, accept_synthetic=accept_synthetic)
    return told


def _keeper(entity: Entity, source: str | None) -> dict[str, str] | None:
    for register in entity.registers:
        if register.source == source:
            contract = register.contract
            return {"dataset": contract.id, "agency": contract.agency, "vi": contract.title_vi, "en": contract.title_en}
    return None if source is None else {"dataset": "", "agency": entity.master.agency, "vi": "người quản lý dữ liệu gốc", "en": "a steward"}


def _same(entity: Entity, name: str, value: str, held: Any, *, accept_synthetic: bool) -> bool:
    """Whether people would call two values the same: by the standard's own key where the field has one."""
    columns = ((r.contract, source) for r in entity.registers for source in r.role.attributes.get(name, ()))
    for contract, source in columns:
        p = contract.property_named(source)
        if p.standard is not None:
            standard = get_standard(p.standard)
            options = {"accept_synthetic": accept_synthetic} if "accept_synthetic" in standard.known_options else {}
            given = standard.clean(value, {**p.standard_options, **options}).value
            if given is not None:
                return standard.compare_key(given) == standard.compare_key(held)
    return value.strip().casefold() == str(held).casefold()


@dataclass(frozen=True)
class _Description:
    """What of a description takes part. `said`: for the caller, which attributes did not, and why."""

    values: Mapping[str, str]
    said: Mapping[str, Any]


def _described(desk: _Desk, asked: _Asked, given: Any) -> _Description:
    """Only attributes the caller sees whole: comparing by others would tell them."""
    names = [attribute.name for attribute in asked.entity.plan.attributes]
    if not isinstance(given, dict) or not given or not all(isinstance(v, str) and "\x00" not in v for v in given.values()):
        raise Unprocessable('`attributes`: expected {"attribute": "value"}.', vi='`attributes`: cần {"thuộc tính": "giá trị"}.')
    for name in given:
        if name not in names:
            raise Unprocessable(
                f"`attributes`: there is no `{shown(name)}`.",
                hint=f"Attributes: {', '.join(names)}.",
                hint_vi=f"Các thuộc tính: {', '.join(names)}.",
                vi=f"`attributes`: không có `{shown(name)}`.",
            )
    whole = {name for name in given if name in asked.right.visible and name not in asked.right.masked}
    frame = pl.DataFrame({name: pl.Series([given[name]], dtype=pl.String) for name in sorted(whole)})
    meant = [Meant(name, (name,), "", "") for name in sorted(whole)]
    values: dict[str, str] = {}
    if whole:
        cleaned, _ = attribute_values(frame, meant, asked.entity, accept_synthetic=desk.counter.workshop.accept_synthetic_ids)
        values = {name: value for name, value in cleaned.row(0, named=True).items() if value is not None}
    said = {
        "compared": sorted(values),
        "not_compared": {name: "not_of_form" if name in whole else "withheld" for name in sorted(given) if name not in values},
    }
    return _Description(values, said)


def _found(desk: _Desk, connection: Connection, asked: _Asked, values: Mapping[str, str]) -> tuple[list[Candidate], dict[str, Golden]]:
    """Candidates the agreement covers, with their golden records. Raises Conflict when the entity was never matched."""
    if not values:
        return [], {}
    with desk.counter.workshop.database.connect() as index:
        model = match_models.in_force(index, asked.entity)
        if model is None:
            raise Conflict(
                f"`{asked.entity.name}` has no index yet: no model is in force.",
                hint=f"lienthong match train {asked.entity.name} --adopt",
                vi=f"Chưa có chỉ mục của `{asked.entity.name}`: chưa có mô hình nào được dùng.",
            )
        goldens: dict[str, Golden] = {}

        def seen(ids: Sequence[str]) -> Mapping[str, Golden]:
            goldens.update(read_goldens(connection, desk.counter.desk, asked.master, asked.right, ids))
            return goldens

        return candidates(index, asked.entity, model, values, seen), goldens


def _candidate(asked: _Asked, one: Candidate, golden: Golden) -> dict[str, Any]:
    lines = [
        {"compared": line.name, "bits": round(line.bits, 1), "vi": line.vietnamese, "en": line.english} for line in one.lines if line.bits
    ]
    return {
        "id": one.golden if asked.right.sees_key(asked.master) else None,
        "verdict": one.verdict,
        "bits": round(one.bits, 1),
        "probability": round(one.probability, 6),
        "reasons": lines,
        "values": golden.record["values"],
    }


# Common


def _ask(desk: _Desk, request: Request, operation: Operation) -> _Asked:
    entity = entities_of(desk.counter.contracts).get(request.path_params["type"])
    if entity is None:
        name = shown(request.path_params["type"])
        raise NotFound(f"No master contract describes the entity `{name}`.", vi=f"Không có hợp đồng bản ghi gốc nào cho `{name}`.")
    right = desk.authorise(request, entity.master, operation)
    return _Asked(entity, right, partial(_sees, desk, right), partial(_whole, desk, right), request_bytes(request))


def _sees(desk: _Desk, right: Right, contract: Contract) -> bool:
    """Whether the caller may look up every record of a register by its key: as its owner, or under an agreement that shows key and rows whole."""
    whole = _whole(desk, right, contract)
    return bool(whole) and all(p.name in whole for p in contract.key)


def _whole(desk: _Desk, right: Right, contract: Contract) -> frozenset[str]:
    """The fields of a register that the caller sees whole, of every record; none where rows are withheld or no record may be looked up."""
    caller = None if right.caller == ANONYMOUS else right.caller
    if caller is not None and Identity.parse(caller).agency == contract.agency:
        return frozenset(p.name for p in contract.properties)
    asked = AccessRequest(caller, contract.id, Operation.LOOK_UP, right.purpose, right.official, right.address, desk.counter.clock())
    decision = decide(asked, contract, desk.authorise.register(), vietnam_date(desk.counter.clock()))
    if not decision.allowed or decision.row_filter:
        return frozenset()
    found = right_of(decision, contract, right.caller)
    return frozenset(found.visible) - found.masked.keys()


def _seen(desk: _Desk, connection: Connection, asked: _Asked, id: str, when: _When) -> Golden | None:
    version = None if when.known_at is None else version_known_at(connection, asked.master.id, when.known_at)
    if version == 0:
        return None
    return read_goldens(connection, desk.counter.desk, asked.master, asked.right, [id], version, when.as_of).get(id)


def _records_of(desk: _Desk, asked: _Asked, id: str, when: _When) -> Sequence[store.Member]:
    with desk.counter.workshop.database.connect() as connection:
        if when.instant is None:
            return store.members(connection, asked.entity.name, id)
        return [store.Member(*name) for name in members_then(connection, asked.entity.name, id, when.instant)]


def _note(
    desk: _Desk, asked: _Asked, event: Event, outcome: str, subject: str | None, version: int | None, body: bytes,
    details: Mapping[str, Any] | None = None, content: bytes = b"",
) -> None:  # fmt: skip
    """The ledger's entry of an answer; a golden record is named in it by a keyed hash."""
    right = asked.right
    entry = Entry(
        at=desk.counter.clock(),
        event=event,
        caller=right.caller,
        official=right.official,
        purpose=right.purpose,
        legal_basis=right.legal_basis,
        agreement=right.agreement,
        dataset=asked.master.id,
        version=version,
        subject=None if subject is None else subject_hash(desk.subject_key, asked.master.id, subject),
        fields=tuple(sorted(right.shown - {PROVENANCE})),
        request_digest=hashlib.sha256(asked.request + b"\n" + content).hexdigest(),
        answer_digest=hashlib.sha256(body).hexdigest(),
        outcome=outcome,
        details=details or {},
    )
    desk.counter.append(entry)


def _object(document: Any, known: set[str]) -> dict[str, Any]:
    if not isinstance(document, dict) or set(document) - known:
        raise Unprocessable(f"Expected an object of {', '.join(sorted(known))}.", vi=f"Cần một đối tượng gồm {', '.join(sorted(known))}.")
    return document


def _id(text: str) -> str:
    if "\x00" in text or len(text) > 200:
        raise BadRequest("This is no id of a golden record.", vi="Đây không phải mã bản ghi gốc.")
    return text


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or int(text[:20]) > LARGEST_EVENT:
        raise BadRequest(
            "`after`: expected `next` of the answer before, or nothing.", vi="`after`: cần `next` của lần trả lời trước, hoặc để trống."
        )
    return int(text)


def _missing() -> NotFound:
    return NotFound("There is no such record among those you may see.", vi="Không có bản ghi này trong phạm vi được xem.")
