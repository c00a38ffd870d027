"""`/v1/direct-links` and `/v1/paper-requests`: what goes on beside the platform, what its owner states of it, and how much of it need not."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from lienthong.access import Actor, Role
from lienthong.access.beside import COULD_WORDS, GROUND_WORDS, LINK_STEPS, LINK_WORDS, Carried, Ground, LinkAct
from lienthong.clock import vietnam_date
from lienthong.errors import BadRequest, NotFound, Unprocessable
from lienthong.pipeline import beside
from lienthong.pipeline.agreeing import OFFICERS
from lienthong.pipeline.beside import LinkTerms, Stated
from lienthong.settings import Settings
from lienthong.sharing.filters import read_known, read_limit, shown
from lienthong.store import beside as store
from lienthong.store.beside import KeptLinkStep, Link, NewLink, NewPaper, Paper
from lienthong.web import acting
from lienthong.web.asking import Counter, json_answer
from lienthong.web.bodies import read_day, read_object, read_step, read_text, require_only
from lienthong.web.desk import number_of

if TYPE_CHECKING:
    from lienthong.web.services import Services

LARGEST_BODY = 20_000
MOST_LISTED = 1_000
READERS = (*OFFICERS, Role.OPERATOR, Role.AUDITOR)
ACTS = tuple(str(what) for what in LINK_STEPS)
LINK_FIELDS = ("provider", "consumer", "dataset", "content", "since")
PAPER_FIELDS = ("asker", "asked", "dataset", "content", "document_no", "sent_on")
STATED_FIELDS = ("reason", "ground", "document_no", "dated_on", "until", "seen")
USUAL_DAYS = 30
Handler = Callable[[Request, Mapping[str, Any]], Any]


def terms_of(settings: Settings) -> LinkTerms:
    """The clocks of direct links under these settings."""
    return LinkTerms(settings.direct_link_answer_working_days, settings.direct_link_days)


@dataclass(frozen=True)
class Beside:
    """The addresses of this file."""

    services: Services
    counter: Counter

    def routes(self) -> list[Route]:
        links, papers = "/v1/direct-links", "/v1/paper-requests"
        return [
            self._route(links, self._links),
            self._route(links, self._report, body=True),
            self._route(f"{links}/{{link}}", self._link),
            self._route(f"{links}/{{link}}/{{act}}", self._act, body=True),
            self._route(papers, self._papers),
            self._route(papers, self._record, body=True),
            self._route(f"{papers}/{{request}}/withdraw", self._withdraw, body=True),
        ]

    def _route(self, path: str, handler: Handler, *, body: bool = False) -> Route:
        """A handler works in a thread: it waits for the database."""

        async def answer(request: Request) -> Response:
            document: Mapping[str, Any] = {}
            if body:
                read_known(request.query_params.multi_items(), ())
                await run_in_threadpool(acting.actor_of, request)  # nobody's body is read
                document = await read_object(request, LARGEST_BODY)
            return json_answer(await run_in_threadpool(handler, request, document))

        made: Callable[[Request], Awaitable[Response]] = answer
        return Route(path, made, methods=["POST" if body else "GET"])

    # Links

    def _links(self, request: Request, _: Mapping[str, Any]) -> Any:
        read_known(request.query_params.multi_items(), ())
        actor = acting.require(request, *READERS)
        with self.counter.connection() as connection:
            found = store.links(connection, agency=_agency_of(actor), limit=MOST_LISTED)
        return {"links": [told_link(link, self._today()) for link in found]}

    def _link(self, request: Request, _: Mapping[str, Any]) -> Any:
        read_known(request.query_params.multi_items(), ())
        actor, number = acting.require(request, *READERS), _number(request)
        with self.counter.connection() as connection:
            found = next(iter(store.links(connection, link=number)), None)
            if found is None or not beside.may_see(found, actor):
                raise beside.no_such_link(number)
            steps = store.link_steps(connection, number)
        return {**told_link(found, self._today()), "steps": [_told_step(step) for step in steps]}

    def _report(self, request: Request, document: Mapping[str, Any]) -> Any:
        actor = acting.require(request, *OFFICERS, Role.OPERATOR)
        services, given = self.services, _fields(document, LINK_FIELDS)
        link = NewLink(given["provider"], given["consumer"], given["dataset"], given["content"], read_day("since", given["since"]))
        kept = beside.report_link(
            services.workshop, services.rules, terms_of(services.settings), services.register, actor, link
        )  # fmt: skip
        return told_link(kept, self._today())

    def _act(self, request: Request, document: Mapping[str, Any]) -> Any:
        what = request.path_params["act"]
        if what not in ACTS:
            raise NotFound(f"A link is not `{shown(what)}`.", hint=", ".join(ACTS), vi="Không có việc này.")
        actor = acting.require(request, *OFFICERS, Role.OPERATOR)
        services = self.services
        kept = beside.act_on_link(
            services.workshop, services.rules, terms_of(services.settings), actor, _number(request), LinkAct(what), _stated(document)
        )
        return told_link(kept, self._today())

    # Paper

    def _papers(self, request: Request, _: Mapping[str, Any]) -> Any:
        known = read_known(request.query_params.multi_items(), ("from", "to", "before", "limit"))
        actor = acting.require(request, *READERS)
        ends = read_day("to", known["to"]) if "to" in known else self._today()
        begins = read_day("from", known["from"]) if "from" in known else max(ends - timedelta(days=USUAL_DAYS - 1), beside.FIRST_DAY)
        before = number_of("request", known["before"]) if "before" in known else None
        limit = read_limit(known.get("limit"), MOST_LISTED) or 100
        with self.counter.connection() as connection:
            found = store.papers(connection, begins, ends, _agency_of(actor), before, limit + 1)
            counts = store.count_papers(connection, begins, ends, _agency_of(actor))
        page = found[:limit]
        return {
            "from": begins.isoformat(),
            "to": ends.isoformat(),
            "letters": sum(each.letters for each in counts),
            "records": sum(each.records for each in counts),
            "avoidable_letters": sum(each.avoidable_letters for each in counts),
            "avoidable_records": sum(each.avoidable_records for each in counts),
            "requests": [told_paper(each) for each in page],
            "next": page[-1].request if len(found) > limit else None,
        }

    def _record(self, request: Request, document: Mapping[str, Any]) -> Any:
        actor = acting.require(request, *OFFICERS, Role.OPERATOR)
        given = _fields(document, PAPER_FIELDS, ("records",))
        records = document.get("records", 1)
        if not isinstance(records, int) or isinstance(records, bool):
            raise Unprocessable("`records`: expected a number.", vi="`records`: cần một số.")
        paper = NewPaper(
            given["asker"],
            given["asked"],
            given["dataset"],
            given["content"],
            given["document_no"],
            read_day("sent_on", given["sent_on"]),
            records,
        )
        services = self.services
        return told_paper(beside.record_paper(services.workshop, services.rules, services.register, actor, paper))

    def _withdraw(self, request: Request, document: Mapping[str, Any]) -> Any:
        actor = acting.require(request, *OFFICERS, Role.OPERATOR)
        number = number_of("request", request.path_params["request"])
        beside.withdraw_paper(self.services.workshop, actor, number, _fields(document, ("reason",))["reason"])
        return {"request": number}

    def _today(self) -> date:
        return vietnam_date(self.counter.clock())


def told_link(link: Link, today: date) -> dict[str, Any]:
    """A link as it is told."""
    vi, en = LINK_WORDS[link.state]
    ground = ("", "") if link.ground is None else GROUND_WORDS[link.ground]
    return {
        "link": link.link,
        "provider": link.provider,
        "consumer": link.consumer,
        "dataset": link.dataset,
        "content": link.content,
        "since": link.since.isoformat(),
        **_told_carried(link.carried),
        "state": str(link.state),
        "state_vi": vi,
        "state_en": en,
        "ground": None if link.ground is None else str(link.ground),
        "ground_vi": ground[0],
        "ground_en": ground[1],
        "due_on": None if link.due_on is None else link.due_on.isoformat(),
        "overdue": beside.is_late(link, today),
        "step": link.step,
        "changed_at": link.at.isoformat(),
    }


def told_paper(paper: Paper) -> dict[str, Any]:
    """A request on paper as it is told."""
    asked = paper.paper
    return {
        "request": paper.request,
        "asker": asked.asker,
        "asked": asked.asked,
        "dataset": asked.dataset,
        "content": asked.content,
        "document_no": asked.document_no,
        "sent_on": asked.sent_on.isoformat(),
        "records": asked.records,
        **_told_carried(paper.carried),
        "legal_basis": paper.legal_basis,
        "recorded_by": paper.by,
        "recorded_for": paper.by_agency,
        "recorded_at": paper.at.isoformat(),
    }


def _told_carried(carried: Carried) -> dict[str, Any]:
    vi, en = COULD_WORDS[carried.by]
    return {"could": str(carried.by), "could_vi": vi, "could_en": en, "agreement": carried.agreement, "avoidable": carried.is_avoidable}


def _told_step(step: KeptLinkStep) -> dict[str, Any]:
    return {
        "step": step.step,
        "act": step.act,
        "state": step.state,
        "ground": step.ground,
        "reason": step.reason,
        "document_no": step.document_no,
        "dated_on": None if step.dated_on is None else step.dated_on.isoformat(),
        "due_on": None if step.due_on is None else step.due_on.isoformat(),
        "legal_basis": step.legal_basis,
        "by": step.by,
        "agency": step.agency,
        "at": step.at.isoformat(),
    }


def _agency_of(actor: Actor) -> str | None:
    """Whose part a reader sees; None: everybody's."""
    return None if actor.may(Role.OPERATOR, Role.AUDITOR) else actor.agency


def _fields(document: Mapping[str, Any], known: Sequence[str], besides: Sequence[str] = ()) -> dict[str, str]:
    """The texts of a body that may hold these besides; `dataset` may be left out. Raises Unprocessable."""
    require_only(document, (*known, *besides))
    return {name: read_text(document, name, "" if name == "dataset" else None).strip() for name in known}


def _stated(document: Mapping[str, Any]) -> Stated:
    require_only(document, STATED_FIELDS)
    ground = document.get("ground")
    if ground is not None and ground not in [*Ground]:
        raise Unprocessable(f"`ground`: expected one of {', '.join(Ground)}.", vi=f"`ground`: một trong {', '.join(Ground)}.")
    dated_on, until = (
        read_day(name, read_text(document, name).strip()) if document.get(name) is not None else None for name in ("dated_on", "until")
    )
    reason, document_no = (read_text(document, name, "").strip() for name in ("reason", "document_no"))
    return Stated(reason, None if ground is None else Ground(ground), document_no, dated_on, until, read_step(document))


def _number(request: Request) -> str:
    number: str = request.path_params["link"]
    if "\x00" in number:
        raise BadRequest("A number holds no NUL.", vi="Số kết nối không chứa NUL.")
    return number
