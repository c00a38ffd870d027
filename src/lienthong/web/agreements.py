"""`/v1/agreements` and `/v1/planned-stops`: asked for, granted, refused, suspended, ended; what is due; what was used; `/v1/access/explain`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from lienthong.access import (
    STATE_WORDS,
    AccessRequest,
    Act,
    Actor,
    Decision,
    Identity,
    Operation,
    Quota,
    Role,
    State,
    missing_parts,
    read_agreement,
)
from lienthong.catalog.regulations import ruling, ruling_service
from lienthong.clock import vietnam_date
from lienthong.contracts import Contract
from lienthong.contracts.services import Service
from lienthong.errors import BadRequest, Denied, NotFound, Unprocessable
from lienthong.ledger import Entry, Event
from lienthong.pipeline import agreeing, stopping
from lienthong.pipeline.agreeing import BY_HAND, OFFICERS, Said
from lienthong.sharing.broker import Book
from lienthong.sharing.broker.admitting import callee_of
from lienthong.sharing.deadlines import WHAT, deadlines, renewals
from lienthong.sharing.explaining import explain
from lienthong.sharing.filters import read_instant, read_known, read_limit, shown
from lienthong.sharing.usage import MOST_DAYS, usage_report
from lienthong.sharing.way_out import no_dataset, renewal_for, request_for, request_for_calls
from lienthong.store import agreements as store
from lienthong.store.agreements import Kept, KeptStep
from lienthong.web import acting
from lienthong.web.asking import Counter, json_answer
from lienthong.web.authorising import Charge
from lienthong.web.bodies import read_day, read_object, read_step, read_text, require_only
from lienthong.web.desk import number_of
from lienthong.web.regulating import RegulationFiles

if TYPE_CHECKING:
    from lienthong.web.services import Services

LARGEST_BODY = 100_000
MOST_LISTED = 1_000
REQUESTS = Quota(per_minute=60, per_day=2_000)  # filed by one agency
QUESTIONS = Quota(per_minute=120, per_day=20_000)
READERS = (*OFFICERS, Role.OPERATOR, Role.AUDITOR, Role.INTEGRATOR)
SEE_ALL = (Role.OPERATOR, Role.AUDITOR)
ACTS: Mapping[str, Act] = {what.value.replace("_", "-"): what for what in BY_HAND}  # as they stand in an address
SAID = ("reason", "legal_text", "copies", "seen")
Handler = Callable[[Request, Mapping[str, Any]], Any]


@dataclass(frozen=True)
class Agreements:
    """The addresses of this file."""

    services: Services
    counter: Counter
    charge: Charge
    regulations: RegulationFiles

    def routes(self) -> list[Route]:
        root, stops = "/v1/agreements", "/v1/planned-stops"
        return [
            self._route(root, self._list),
            self._route(root, self._request, body=True),
            self._route(f"{root}/overdue", self._overdue),
            self._route(f"{root}/deadlines", self._deadlines),
            self._route(f"{root}/renewals", self._renewals),
            self._route(f"{root}/template", self._template),
            self._route(f"{root}/suspend-all", self._suspend_all, body=True),
            self._route(f"{root}/{{id}}", self._show),
            self._route(f"{root}/{{id}}/history", self._history),
            self._route(f"{root}/{{id}}/usage", self._usage),
            self._route(f"{root}/{{id}}/{{act}}", self._act, body=True),
            self._route(stops, self._stops),
            self._route(stops, self._announce, body=True),
            self._route(f"{stops}/{{stop}}/withdraw", self._withdraw, body=True),
            self._route("/v1/access/explain", self._explain),
            self._route("/v1/legal-instruments", self._instruments),
        ]

    def _route(self, path: str, handler: Handler, *, body: bool = False) -> Route:
        """A handler works in a thread: it waits for the database."""

        async def answer(request: Request) -> Response:
            document: Mapping[str, Any] = {}
            if body:
                read_known(request.query_params.multi_items(), ())
                acting_first = await run_in_threadpool(acting.actor_of, request)  # nobody's body is read
                del acting_first
                document = await read_object(request, LARGEST_BODY)
            return json_answer(await run_in_threadpool(handler, request, document))

        made: Callable[[Request], Awaitable[Response]] = answer
        return Route(path, made, methods=["POST" if body else "GET"])

    # Reading

    def _list(self, request: Request, _: Mapping[str, Any]) -> Any:
        known = read_known(request.query_params.multi_items(), ("role", "state", "dataset", "after", "limit"))
        role, state = known.get("role", "either"), known.get("state")
        if role not in ("provider", "consumer", "arbiter", "either"):
            raise _not_one_of("role", "provider, consumer, arbiter, either")
        if state is not None and state not in [*State]:
            raise _not_one_of("state", ", ".join(State))
        actor = acting.require(request, *READERS)
        limit = read_limit(known.get("limit"), MOST_LISTED) or 100
        found = self._of(actor, role, None if state is None else [State(state)], known.get("dataset"), known.get("after"), limit)
        page = found[:limit]
        return {"agreements": [self._told(kept) for kept in page], "next": page[-1].id if len(found) > limit else None}

    def _of(
        self, actor: Actor, role: str, states: list[State] | None, dataset: str | None, after: str | None, limit: int
    ) -> list[Kept]:  # fmt: skip
        asked: list[dict[str, Any]] = []
        if actor.may(*SEE_ALL) and role == "either":
            asked.append({})
        elif role == "arbiter":
            if not actor.is_of(self.services.rules.arbiter):
                raise Denied("Your agency settles no disputes here.", rule="other_agency", vi="Cơ quan bạn không phải nơi giải quyết.")
            states = [State.REFUSED]
            asked.append({})
        elif actor.agency:
            asked += [{side: actor.agency} for side in ("provider", "consumer") if role in (side, "either")]
        with self.counter.connection() as connection:
            found = [
                kept
                for which in asked
                for kept in store.standing(connection, states=states, dataset=dataset, after=after, limit=limit + 1, **which)
            ]
        return sorted({kept.id: kept for kept in found}.values(), key=lambda kept: kept.id)

    def _show(self, request: Request, _: Mapping[str, Any]) -> Any:
        read_known(request.query_params.multi_items(), ())
        return self._told(self._mine(request))

    def _history(self, request: Request, _: Mapping[str, Any]) -> Any:
        read_known(request.query_params.multi_items(), ())
        kept = self._mine(request)
        with self.counter.connection() as connection:
            steps, versions = store.steps(connection, kept.id), store.versions(connection, kept.id)
        return {
            "id": kept.id,
            "steps": [_step(step) for step in steps],
            "versions": [
                {"version": number, "document": document, "from": since.isoformat(), "until": None if until is None else until.isoformat()}
                for number, document, since, until in versions
            ],
        }

    def _usage(self, request: Request, _: Mapping[str, Any]) -> Any:
        known = read_known(request.query_params.multi_items(), ("from", "to"))
        kept = self._mine(request)
        ends = read_day("to", known["to"], BadRequest) if "to" in known else self._today()
        begins = read_day("from", known["from"], BadRequest) if "from" in known else ends - timedelta(days=min(29, ends.toordinal() - 1))
        if not 0 <= (ends - begins).days < MOST_DAYS:
            raise Unprocessable(f"`from` to `to`: 1 to {MOST_DAYS} days.", vi=f"`from` đến `to`: từ 1 đến {MOST_DAYS} ngày.")
        with self.services.workshop.database.connect() as connection:
            return usage_report(connection, kept.id, begins, ends)

    def _overdue(self, request: Request, _: Mapping[str, Any]) -> Any:
        return {"deadlines": [each for each in self._due(request) if each["overdue"]]}

    def _deadlines(self, request: Request, _: Mapping[str, Any]) -> Any:
        return {"deadlines": self._due(request)}

    def _due(self, request: Request) -> list[dict[str, Any]]:
        read_known(request.query_params.multi_items(), ())
        actor, today = acting.require(request, *READERS), self._today()
        with self.counter.connection() as connection:
            found = deadlines(connection, None if actor.may(*SEE_ALL) else actor.agency)
        offices = self.services.rules.offices
        return [
            {
                "agreement": each.agreement,
                "dataset": each.dataset,
                "what": each.what,
                "vi": WHAT[each.what][0],
                "en": WHAT[each.what][1],
                "agency": each.agency,
                "due_on": each.due_on.isoformat(),
                "overdue": each.due_on < today,
                "working_days_left": offices.between(today, each.due_on) - offices.between(each.due_on, today),
            }
            for each in found
        ]

    def _renewals(self, request: Request, _: Mapping[str, Any]) -> Any:
        read_known(request.query_params.multi_items(), ())
        actor, rules = acting.require(request, *READERS), self.services.rules
        with self.counter.connection() as connection:
            agency = None if actor.may(*SEE_ALL) else actor.agency
            return {"renewals": renewals(connection, agency, self._today(), rules.clocks, rules.instruments)}

    def _template(self, request: Request, _: Mapping[str, Any]) -> Any:
        """A request filled in on the usual terms: for a dataset or a service, or to renew an agreement."""
        known = read_known(request.query_params.multi_items(), ("dataset", "service", "consumer", "purpose", "operation", "renews"))
        actor = acting.require(request, *READERS)
        if "renews" in known:
            kept = self._kept(known["renews"])
            agreeing.require_part(kept, actor, self.services.rules)
            agreement = read_agreement(kept.document, kept.id, [], kept.state)
            if agreement is None:
                raise Unprocessable("The agreement can no longer be read.", vi="Thỏa thuận này không còn đọc được.")
            return renewal_for(agreement, self._today())
        consumer, purpose = (
            known.get("consumer") or actor.subsystem or f"VN/GOV/{actor.agency or 'H00'}/he-thong",
            known.get("purpose") or "muc-dich",
        )
        if "service" in known:
            return request_for_calls(
                callee_of(self._service(known["service"])), consumer, purpose, self._today(), self.services.rules.offer
            )
        contract = self._contract(known.get("dataset", ""))
        operation = known.get("operation", Operation.LOOK_UP)
        if operation not in [*Operation]:
            raise _not_one_of("operation", ", ".join(Operation))
        return request_for(contract, consumer, purpose, operation, self._today(), self.services.rules.offer)

    def _service(self, name: str) -> Service:
        """The version of a service in use. Raises NotFound, Gone when it has ended."""
        with self.counter.connection() as connection:
            return Book.read(connection).find(name, None, self._today()).service

    # Acting

    def _request(self, request: Request, document: Mapping[str, Any]) -> Any:
        actor = acting.require(request, *OFFICERS)
        self._count(actor, "request", REQUESTS)
        services = self.services
        return self._told(agreeing.request(services.workshop, services.rules, services.register, actor, document))

    def _act(self, request: Request, document: Mapping[str, Any]) -> Any:
        what = ACTS.get(request.path_params["act"])
        if what is None:
            raise NotFound(f"An agreement is not `{shown(request.path_params['act'])}`.", hint=", ".join(ACTS), vi="Không có việc này.")
        actor = acting.require(request, *OFFICERS, Role.OPERATOR)
        services = self.services
        kept = agreeing.act(services.workshop, services.rules, services.register, actor, _id(request), what, _said(document))
        return self._told(kept)

    def _suspend_all(self, request: Request, document: Mapping[str, Any]) -> Any:
        require_only(document, ("dataset", "reason"))
        actor = acting.require(request, *OFFICERS)
        contract = self._contract(read_text(document, "dataset"))
        if not actor.is_of(contract.agency):
            raise Denied(
                "Only the owner of the data may do this.", rule="not_the_owner", vi="Chỉ cơ quan chủ quản dữ liệu được làm việc này."
            )
        suspended = agreeing.suspend_all(self.services.workshop, actor, contract.id, Said(read_text(document, "reason")))
        return {"suspended": [kept.id for kept in suspended]}

    # Stops

    def _stops(self, request: Request, _: Mapping[str, Any]) -> Any:
        """For everybody: who depends on the data must know."""
        read_known(request.query_params.multi_items(), ())
        now = self.counter.clock()
        with self.counter.connection() as connection:
            found = store.stops(connection, now, MOST_LISTED)
        return {
            "stops": [
                {
                    "stop": one.stop.id,
                    "dataset": one.stop.dataset,
                    "provider": one.provider,
                    "begins_at": one.stop.begins_at.isoformat(),
                    "ends_at": one.stop.ends_at.isoformat(),
                    "forced": one.stop.is_forced,
                    "under_way": one.stop.includes(now),
                    "reason": one.reason,
                    "announced_at": one.announced_at.isoformat(),
                }
                for one in found
            ]
        }

    def _announce(self, request: Request, document: Mapping[str, Any]) -> Any:
        require_only(document, ("dataset", "begins_at", "ends_at", "reason", "forced"))
        actor = acting.require(request, *OFFICERS, Role.OPERATOR)
        contract = self._contract(read_text(document, "dataset"))
        begins_at, ends_at = (_moment(word, read_text(document, word)) for word in ("begins_at", "ends_at"))
        is_forced = document.get("forced", False)
        if not isinstance(is_forced, bool):
            raise Unprocessable("`forced`: expected true or false.", vi="`forced`: cần true hoặc false.")
        stop = stopping.announce(
            self.services.workshop, self.services.rules, actor, contract.id, contract.agency, begins_at, ends_at, read_text(document, "reason"),
            is_forced=is_forced,
        )  # fmt: skip
        return {"stop": stop}

    def _withdraw(self, request: Request, document: Mapping[str, Any]) -> Any:
        require_only(document, ("reason",))
        actor = acting.require(request, *OFFICERS, Role.OPERATOR)
        stop = number_of("stop", request.path_params["stop"])
        with self.counter.connection() as connection:
            provider = next((one.provider for one in store.stops(connection, self.counter.clock()) if one.stop.id == stop), None)
        if provider is None:
            raise NotFound(f"No stop {stop} is to come or under way.", vi=f"Không có đợt dừng {stop}.")
        stopping.withdraw(self.services.workshop, actor, provider, stop, read_text(document, "reason"))
        return {"stop": stop}

    # Explaining

    def _explain(self, request: Request, _: Mapping[str, Any]) -> Any:
        known = read_known(
            request.query_params.multi_items(), ("dataset", "caller", "operation", "purpose", "official", "address", "at")
        )  # fmt: skip
        actor = acting.require(request, *READERS)
        self._count(actor, "explain", QUESTIONS)
        contract = self._contract(known.get("dataset", ""))
        operation, caller = known.get("operation", Operation.LOOK_UP), known.get("caller") or None
        if operation not in [*Operation] or operation == Operation.CALL:
            raise _not_one_of("operation", ", ".join(word for word in Operation if word is not Operation.CALL))
        agency = "" if caller is None else _agency(caller)
        if not (actor.is_of(contract.agency) or actor.is_of(agency) or actor.may(*SEE_ALL)):
            raise Denied("Explained to the owner of the data and to the caller.", rule="other_agency", vi="Chỉ giải thích cho hai bên.")
        at = _moment("at", known["at"]) if "at" in known else self.counter.clock()
        asked = AccessRequest(
            caller, contract.id, Operation(operation), known.get("purpose", ""), known.get("official", ""), _place(known.get("address", "")), at
        )  # fmt: skip
        found = explain(asked, contract, self.services.register, vietnam_date(at), self.services.rules.functions)
        entry = Entry(
            at=self.counter.clock(),
            event=Event.ACCESS_EXPLAINED,
            caller=actor.subsystem or actor.agency or "platform",
            official=actor.name,
            agreement=found["agreement"],
            dataset=contract.id,
            outcome=found["rule"] or "allowed",
            details={"about": caller or "anonymous", "operation": str(operation)},
        )
        self.counter.append(entry)
        return found

    def _instruments(self, request: Request, _: Mapping[str, Any]) -> Any:
        read_known(request.query_params.multi_items(), ())
        today = self._today()
        return {
            "instruments": [
                {
                    "number": one.number,
                    "title": one.title,
                    "since": one.since.isoformat(),
                    "until": None if one.until is None else one.until.isoformat(),
                    "in_force": one.is_in_force(today),
                    "replaced_by": list(one.replaced_by),
                }
                for one in self.services.rules.instruments.values()
            ]
        }

    # Common

    def _count(self, actor: Actor, what: str, quota: Quota) -> None:
        self.charge(Decision(allowed=True, agreement=f"{what} {actor.subsystem or actor.agency or actor.name}", quota=quota))

    def _today(self) -> date:
        return vietnam_date(self.counter.clock())

    def _kept(self, id: str) -> Kept:
        with self.counter.connection() as connection:
            kept = store.find(connection, id)
        if kept is None:
            raise agreeing.no_such(id)
        return kept

    def _mine(self, request: Request) -> Kept:
        actor = acting.require(request, *READERS)
        kept = self._kept(_id(request))
        agreeing.require_part(kept, actor, self.services.rules)
        return kept

    def _contract(self, name: str) -> Contract:
        contract = self.counter.contracts.get(name)
        if contract is None:
            raise no_dataset(name)
        return contract

    def _told(self, kept: Kept) -> dict[str, Any]:
        vi, en = STATE_WORDS[kept.state]
        return {
            "id": kept.id,
            "provider": kept.provider,
            "consumer": kept.consumer,
            "dataset": kept.dataset,
            "state": kept.state,
            "state_vi": vi,
            "state_en": en,
            "origin": kept.origin,
            "version": kept.version,
            "step": kept.step,
            "since": kept.since.isoformat(),
            "changed_at": kept.at.isoformat(),
            "missing": missing_parts(kept.document),
            "document": dict(kept.document),
            "regulations": self._regulations(kept),
        }

    def _regulations(self, kept: Kept) -> list[dict[str, Any]]:
        """The data-use regulations it falls under today, each with the page that shows it."""
        known, today = self.regulations.now(), self._today()
        contract = self.services.workshop.contracts.get(kept.dataset)
        found = ruling_service(known, kept.dataset, kept.provider, today) if contract is None else ruling(known, contract, today)
        base = self.counter.public_url
        return [
            {
                "id": r.id,
                "version": r.version,
                "title": r.title,
                "decision": r.decision,
                "page": f"{base}/regulations/{r.id}?version={r.version}",
            }
            for r in found
        ]


def _step(step: KeptStep) -> dict[str, Any]:
    return {
        "step": step.step,
        "act": step.act,
        "state": step.state,
        "version": step.version,
        "by": step.by,
        "agency": step.agency,
        "subsystem": step.subsystem,
        "reason": step.reason,
        "legal_text": step.legal_text,
        "details": dict(step.details),
        "at": step.at.isoformat(),
        "until": None if step.ended_at is None else step.ended_at.isoformat(),
    }


def _said(document: Mapping[str, Any]) -> Said:
    require_only(document, SAID)
    reason, legal_text, copies = (read_text(document, word) if word in document else "" for word in ("reason", "legal_text", "copies"))
    return Said(reason, legal_text, copies, read_step(document))


def _id(request: Request) -> str:
    id: str = request.path_params["id"]
    if "\x00" in id:
        raise BadRequest("A number holds no NUL.", vi="Số thỏa thuận không chứa NUL.")
    return id


def _moment(name: str, text: str) -> datetime:
    found = read_instant(name, text)
    if not 1970 <= found.year < 9999:
        raise Unprocessable(f"`{name}`: expected an instant from 1970.", vi=f"`{name}`: cần một thời điểm từ năm 1970.")
    return found


def _agency(caller: str) -> str:
    try:
        return Identity.parse(caller).agency
    except BadRequest as error:
        raise Unprocessable(error.message, vi="`caller`: cần mã như VN/GOV/H10.12/tro-cap.") from error


def _place(text: str) -> str:
    if text:
        try:
            ip_address(text)
        except ValueError as error:
            raise Unprocessable("`address`: expected an IP address.", vi="`address`: cần một địa chỉ IP.") from error
    return text


def _not_one_of(name: str, choices: str) -> BadRequest:
    return BadRequest(f"`{name}`: expected one of {choices}.", vi=f"`{name}`: cần một trong {choices}.")
