"""`/v1/proposals…`: corrections proposed to the agency that decides, and what becomes of them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from datetime import date
from functools import partial
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from lienthong.access import Actor
from lienthong.clock import vietnam_date
from lienthong.contracts import Contract
from lienthong.errors import BadRequest, Unprocessable
from lienthong.ledger import Entry, Event, subject_hash
from lienthong.pipeline import privacy, proposing
from lienthong.pipeline.privacy import Registrar
from lienthong.pipeline.proposing import Evidence, Wish
from lienthong.pipeline.writing import CONFLICT, REFUSED, Change, Manner, everything
from lienthong.sharing.filters import read_known, read_limit
from lienthong.sharing.rights import Right, right_of_owner
from lienthong.sharing.way_out import no_dataset
from lienthong.store import proposals as store
from lienthong.store.proposals import Proposal
from lienthong.web import acting
from lienthong.web.asking import Counter, json_answer, request_bytes
from lienthong.web.bodies import read_json
from lienthong.web.desk import number_of
from lienthong.web.headers import PURPOSE, header_text
from lienthong.web.writing import LARGEST_VERSION, told, values_of, who_writes

LARGEST_BODY = 100_000
MOST = 500
CORRECTED = "Đã sửa theo đề nghị · corrected as asked"
STATES = ("open", "accepted", "refused", "withdrawn")
NEW_WORDS = frozenset({"dataset", "key", "values", "end", "reason", "evidence"})
Handler = Callable[[Request, Mapping[str, Any]], Response]


def routes_of(counter: Counter, subject_key: bytes, due_on: proposing.DueOn, registrar: Registrar) -> list[Route]:
    """`registrar`: of the requests of persons, of which a proposal may be a part."""
    desk = _Desk(counter, subject_key, due_on, registrar)
    act = "/v1/proposals/{proposal}/"
    return [
        Route("/v1/proposals", partial(_read, desk.listed)),
        Route("/v1/proposals", partial(_sent, desk.made, NEW_WORDS), methods=["POST"]),
        Route("/v1/proposals/{proposal}", partial(_read, desk.shown)),
        Route(act + "accept", partial(_sent, desk.accepted, frozenset({"version", "reason"})), methods=["POST"]),
        Route(act + "refuse", partial(_sent, desk.refused, frozenset({"reason"})), methods=["POST"]),
        Route(act + "withdraw", partial(_sent, desk.withdrawn, frozenset({"reason"})), methods=["POST"]),
    ]


async def _read(handler: Handler, request: Request) -> Response:
    return await run_in_threadpool(handler, request, {})


async def _sent(handler: Handler, words: frozenset[str], request: Request) -> Response:
    read_known(request.query_params.multi_items(), ())
    await run_in_threadpool(acting.actor_of, request)  # who nobody is need not be read
    document = await read_json(request, LARGEST_BODY)
    if not isinstance(document, dict) or set(document) - words:
        raise Unprocessable(f"Expected an object of {', '.join(sorted(words))}.", vi=f"Cần một đối tượng gồm {', '.join(sorted(words))}.")
    return await run_in_threadpool(handler, request, document)


def follow(registrar: Registrar, actor: Actor, proposal: Proposal, words: str) -> None:
    """Move on the request of a person that a decided proposal is a part of, if it is of any."""
    if not proposal.by_agency:
        privacy.follow(registrar, actor.agency, proposal.proposal, actor.name, words or CORRECTED)


class _Desk:
    def __init__(self, counter: Counter, subject_key: bytes, due_on: proposing.DueOn, registrar: Registrar) -> None:
        self._counter = counter
        self._subject_key = subject_key
        self._due_on = due_on
        self._registrar = registrar

    def made(self, request: Request, document: Mapping[str, Any]) -> Response:
        contract = self._contract(_text(document, "dataset", 200))
        key = _text(document, "key", 1_000)
        actor, right = who_writes(self._counter, request, contract)
        is_end = document.get("end", False)
        if not isinstance(is_end, bool) or is_end == ("values" in document):
            raise Unprocessable("Expected either `values` or `end`: true.", vi="Cần `values`, hoặc `end`: true.")
        values = None if is_end else values_of(document["values"])
        found = propose(self._counter, contract, actor, right, self._subject_key, self._due_on, key, values, document)
        return json_answer({"proposals": [self._told(proposal, actor) for proposal in found]})

    def listed(self, request: Request, _: Mapping[str, Any]) -> Response:
        """What the caller's agency decides (`to`), or what the caller's agency, or the citizen, made (`made`)."""
        actor = acting.actor_of(request)
        known = read_known(request.query_params.multi_items(), ("side", "state", "overdue", "after", "limit"))
        side, state = known.get("side", "to"), known.get("state")
        if side not in ("to", "made") or state not in (None, *STATES) or known.get("overdue", "false") not in ("true", "false"):
            raise BadRequest(
                "`side`: to or made; `overdue`: true or false; `state`: " + ", ".join(STATES) + ".",
                vi="`side`: to hoặc made; `overdue`: true hoặc false; `state`: " + ", ".join(STATES) + ".",
            )
        after = number_of("after", known["after"]) if "after" in known else 0
        today = vietnam_date(self._counter.clock())
        with self._counter.workshop.database.connect() as connection:
            found = store.listed(
                connection,
                owner=(actor.agency or "-") if side == "to" else None,
                by_agency=actor.agency if side == "made" else None,
                by_name=actor.name if side == "made" and not actor.agency else None,
                state=state,
                overdue_on=today if known.get("overdue") == "true" else None,
                after=after,
                limit=read_limit(known.get("limit"), MOST) or 100,
            )
        self._note(request, actor, len(found))
        return json_answer({"proposals": [self._told(proposal, actor) for proposal in found]})

    def shown(self, request: Request, _: Mapping[str, Any]) -> Response:
        """One; who decides sees what stands beside it."""
        actor = acting.actor_of(request)
        read_known(request.query_params.multi_items(), ())
        proposal = self._one(request, actor)
        answer = self._told(proposal, actor)
        if actor.is_of(proposal.owner):
            contract = self._contract(proposal.dataset_id)
            version, values = proposing.standing_of(self._counter.workshop, contract, proposal)
            names = proposal.values or {p.name: None for p in contract.properties}
            answer["standing"] = {
                "version": version,
                "values": None if values is None else {name: values[name] for name in names if name in values},
            }
        self._note(request, actor, 1)
        return json_answer(answer)

    def accepted(self, request: Request, document: Mapping[str, Any]) -> Response:
        actor = acting.actor_of(request)
        proposal = self._one(request, actor)
        version = document.get("version")
        if not isinstance(version, int) or isinstance(version, bool) or not 0 <= version <= LARGEST_VERSION:
            raise Unprocessable(
                "`version`: expected the record's version as you see it.", vi="`version`: cần phiên bản bản ghi bạn đang xem."
            )
        contract, manner = self._contract(proposal.dataset_id), self._manner(request, actor, proposal)
        words = _optional(document, "reason")
        written = proposing.accept(self._counter.workshop, contract, proposal, actor, manner, version=version, words=words)
        if written.outcome in (CONFLICT, REFUSED):
            right = right_of_owner(contract, manner.caller, actor.name, manner.purpose)
            change = Change(proposal.key, proposal.values, version)
            return told(written, change, right, by_header=False)
        follow(self._registrar, actor, proposal, words)
        return json_answer(self._told(self._one(request, actor), actor))

    def refused(self, request: Request, document: Mapping[str, Any]) -> Response:
        actor = acting.actor_of(request)
        proposal = self._one(request, actor)
        manner = self._manner(request, actor, proposal)
        words = _optional(document, "reason")
        proposing.refuse(self._counter.workshop, proposal, actor, manner, words)
        follow(self._registrar, actor, proposal, words)
        return json_answer(self._told(self._one(request, actor), actor))

    def withdrawn(self, request: Request, document: Mapping[str, Any]) -> Response:
        actor = acting.actor_of(request)
        proposal = self._one(request, actor)
        manner = self._manner(request, actor, proposal)
        proposing.withdraw(self._counter.workshop, proposal, actor, manner, _optional(document, "reason"))
        return json_answer(self._told(self._one(request, actor), actor))

    def _one(self, request: Request, actor: Actor) -> Proposal:
        return proposing.find(self._counter.workshop, number_of("proposal", request.path_params["proposal"]), actor)

    def _contract(self, dataset: str) -> Contract:
        contract = self._counter.contracts.get(dataset)
        if contract is None:
            raise no_dataset(dataset)
        return contract

    def _manner(self, request: Request, actor: Actor, proposal: Proposal) -> Manner:
        purpose = header_text(PURPOSE, request.headers.get(PURPOSE, "").encode("latin-1"))
        subject = subject_hash(self._subject_key, proposal.dataset_id, proposal.key)
        return Manner(actor.subsystem or actor.agency or "citizen", purpose, subject=subject)

    def _told(self, proposal: Proposal, actor: Actor) -> dict[str, Any]:
        """What both sides see: who made it learns who decides and the outcome, never what stands."""
        found: dict[str, Any] = {
            "proposal": proposal.proposal,
            "dataset": proposal.dataset_id,
            "key": proposal.key,
            "kind": proposal.kind,
            "values": proposal.values,
            "version": proposal.version,
            "reason": proposal.reason,
            "evidence": proposal.evidence,
            "owner": proposal.owner,
            "made_at": proposal.made_at,
            "due_on": proposal.due_on,
            "overdue": proposal.is_overdue(vietnam_date(self._counter.clock())),
            "state": proposal.state,
            "decided_at": proposal.decided_at,
            "words": proposal.words,
            "dataset_version": proposal.published,
        }
        if actor.is_of(proposal.owner) or proposing.made_by(proposal, actor):
            found["by"] = {"name": proposal.by_name, "agency": proposal.by_agency or None, "subsystem": proposal.by_subsystem or None}
        return found

    def _note(self, request: Request, actor: Actor, count: int) -> None:
        entry = Entry(
            at=self._counter.clock(),
            event=Event.CORRECTIONS_READ,
            caller=actor.subsystem or actor.agency or "citizen",
            official=actor.name,
            request_digest=hashlib.sha256(request_bytes(request)).hexdigest(),
            outcome="given",
            details={"records": count},
        )
        self._counter.append(entry)


def propose(
    counter: Counter, contract: Contract, actor: Actor, right: Right, subject_key: bytes, due_on: proposing.DueOn, key: str,
    values: Mapping[str, Any] | None, document: Mapping[str, Any],
) -> list[Proposal]:  # fmt: skip
    """A proposal as a request says it, within what its caller may see."""
    wish = Wish(
        key, values, _text(document, "reason", proposing.LONGEST_TEXT), _evidence(document.get("evidence")),
        None if actor.is_of(contract.agency) else right.shown,
    )  # fmt: skip
    subject = subject_hash(subject_key, contract.id, key)
    manner = Manner(right.caller, right.purpose, right.agreement, right.legal_basis, subject)
    return proposing.propose(counter.workshop, contract, wish, actor, manner, due_on, right.sees if right.conditions else everything)


def _evidence(found: Any) -> Evidence:
    if found is None:
        return Evidence()
    if not isinstance(found, dict) or set(found) - {"text", "document", "record"}:
        raise Unprocessable("`evidence`: expected text, document, record.", vi="`evidence` gồm text, document, record.")
    record = found.get("record")
    if record is not None and (not isinstance(record, dict) or set(record) != {"dataset", "key"}):
        raise Unprocessable('`evidence.record`: expected {"dataset", "key"}.', vi='`evidence.record` cần {"dataset", "key"}.')
    own = None if record is None else (_text(record, "dataset", 200), _text(record, "key", 1_000))
    return Evidence(_optional(found, "text"), _optional(found, "document"), own)


def _text(document: Mapping[str, Any], name: str, most: int) -> str:
    value = document.get(name)
    if not isinstance(value, str) or not 1 <= len(value) <= most or "\x00" in value:
        raise Unprocessable(f"`{name}`: expected 1 to {most} characters.", vi=f"`{name}`: cần 1 đến {most} ký tự.")
    return value


def _optional(document: Mapping[str, Any], name: str) -> str:
    value = document.get(name, "")
    if not isinstance(value, str) or "\x00" in value:
        raise Unprocessable(f"`{name}`: expected text.", vi=f"`{name}`: cần chữ.")
    return value


def due_after(days: int, offices: Any) -> proposing.DueOn:
    """The last of so many working days."""

    def due(day: date) -> date:
        found: date = offices.add(day, days)
        return found

    return due
