"""What goes on beside the platform: an agency's direct links and letters on paper, to be told of; the operator states which links may stand."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from starlette.responses import Response

from lienthong.access import Actor, Role
from lienthong.access.beside import LINK_STEPS, Ground, LinkAct
from lienthong.clock import vietnam_date
from lienthong.errors import Unprocessable
from lienthong.pipeline import beside
from lienthong.pipeline.agreeing import rules_of
from lienthong.pipeline.beside import Stated
from lienthong.store import beside as store
from lienthong.store.beside import Link, NewLink, NewPaper
from lienthong.web import acting
from lienthong.web.beside import terms_of as terms
from lienthong.web.beside import told_link, told_paper
from lienthong.web.pages.forms import Act, Form, go, text_in
from lienthong.web.pages.page import Page, Table
from lienthong.web.pages.site import Site, Way
from lienthong.web.pages.visiting import Visit

HERE = "/console/beside"
ROLES = (Role.DATA_OFFICER, Role.LEADER, Role.OPERATOR, Role.AUDITOR)
ACTORS = (Role.DATA_OFFICER, Role.LEADER, Role.OPERATOR)
SHOWN = 200
PAPER_DAYS = 365
COLUMNS = ("asker", "asked", "dataset", "document_no", "sent_on", "records", "could", "avoidable")
SIDES = ("out", "in")


def shown(site: Site, visit: Visit) -> Page:
    """Direct links, what is due first; letters of the last year with how many need not have been."""
    actor = acting.require(visit.request, *ROLES)
    today = vietnam_date(site.counter.clock())
    begins, agency = today - timedelta(days=PAPER_DAYS), None if actor.may(Role.OPERATOR, Role.AUDITOR) else actor.agency
    with site.counter.workshop.database.connect() as connection:
        links = store.links(connection, agency=agency, limit=SHOWN)
        steps = {link.link: store.link_steps(connection, link.link) for link in links}
        papers = store.papers(connection, begins, today, agency, limit=SHOWN)
        counts = store.count_papers(connection, begins, today, agency)
    facts: dict[str, Any] = {
        "agency": actor.agency,
        "links": [_link(site, actor, link, today) | {"statement": _statement(steps[link.link])} for link in links],
        "since": begins,
        "letters": sum(each.letters for each in counts),
        "records": sum(each.records for each in counts),
        "avoidable_letters": sum(each.avoidable_letters for each in counts),
        "avoidable_records": sum(each.avoidable_records for each in counts),
        "papers": [
            {
                **told_paper(each),
                "asker_name": site.agency(each.paper.asker),
                "asked_name": site.agency(each.paper.asked),
                "is_mine": each.by_agency == actor.agency or actor.may(Role.OPERATOR),
            }
            for each in papers
        ],
    }
    known = {
        "agencies": {code: name for code, name in site.agencies().items() if code != actor.agency},
        "datasets": {name: visit.speech.pick(each.title_vi, each.title_en) for name, each in site.public.items()},
        "is_officer": actor.may(Role.DATA_OFFICER, Role.LEADER) and bool(actor.agency),
        "may_state": actor.may(Role.OPERATOR),
        "grounds": [str(each) for each in Ground],
        "today": today,
        "latest": today + timedelta(days=site.settings.direct_link_days),
    }
    table = Table(COLUMNS, [[each[name] for name in COLUMNS] for each in facts["papers"]])
    return Page("console/beside.html", visit.speech.t("beside.title"), facts, table, known)


def report(site: Site, visit: Visit, form: Form) -> Response:
    """Tell of a direct link of one's own agency."""
    actor = _actor(visit, form)
    provider, consumer = _pair(actor, form)
    link = NewLink(provider, consumer, text_in(form, "dataset", ""), text_in(form, "content"), _day(form, "since"))
    kept = beside.report_link(site.counter.workshop, rules_of(site.settings), terms(site.settings), site.register(), actor, link)
    return go(HERE, reported=kept.link)


def act(site: Site, visit: Visit, form: Form) -> Response:
    """State that a link may stand, decline it, or end it."""
    actor, what = _actor(visit, form), form.get("word", "")
    if what not in [*LINK_STEPS]:
        raise Unprocessable("There is no such act.", vi="Không có việc này.")
    ground = form.get("ground", "")
    said = Stated(
        text_in(form, "reason", ""),
        Ground(ground) if ground in [*Ground] else None,
        text_in(form, "document_no", ""),
        _day(form, "dated_on") if form.get("dated_on") else None,
        _day(form, "until") if form.get("until") else None,
        int(form["step"]) if form.get("step", "").isascii() and form.get("step", "").isdigit() and len(form["step"]) < 10 else None,
    )
    if LinkAct(what) is LinkAct.END:
        said = Stated(said.reason, seen=said.seen)
    beside.act_on_link(site.counter.workshop, rules_of(site.settings), terms(site.settings), actor, visit.path["link"], LinkAct(what), said)
    return go(HERE)


def record(site: Site, visit: Visit, form: Form) -> Response:
    """Count a letter one's own agency sent or got."""
    actor = _actor(visit, form)
    asked, asker = _pair(actor, form)
    text = text_in(form, "records", "1")
    if not (text.isascii() and text.isdigit() and len(text) < 9):
        raise Unprocessable("`records`: expected a number.", vi="Số hồ sơ: cần một số.")
    paper = NewPaper(
        asker, asked, text_in(form, "dataset", ""), text_in(form, "content"), text_in(form, "document_no"), _day(form, "sent_on"), int(text)
    )
    kept = beside.record_paper(site.counter.workshop, rules_of(site.settings), site.register(), actor, paper)
    return go(HERE, recorded=kept.carried.by)


def withdraw(site: Site, visit: Visit, form: Form) -> Response:
    """A letter recorded by mistake counts no longer."""
    actor, text = _actor(visit, form), visit.path["request"]
    if not (text.isascii() and text.isdigit() and len(text) < 18):
        raise Unprocessable("There is no such letter.", vi="Không có công văn này.")
    beside.withdraw_paper(site.counter.workshop, actor, int(text), text_in(form, "reason", ""))
    return go(HERE)


def _actor(visit: Visit, form: Form) -> Actor:
    return acting.require(visit.request, *ACTORS, csrf=form.get("csrf", ""))


def _pair(actor: Actor, form: Form) -> tuple[str, str]:
    """(who gives, who asks): one of them is the actor's own agency."""
    side, other = form.get("side", ""), text_in(form, "other")
    if side not in SIDES:
        raise Unprocessable("Say which side you are on.", vi="Hãy nêu cơ quan bạn là bên nào.")
    return (actor.agency, other) if side == "out" else (other, actor.agency)


def _link(site: Site, actor: Actor, link: Link, today: date) -> dict[str, Any]:
    acts = [
        str(what) for what, rule in LINK_STEPS.items() if link.state in rule.before and (actor.may(Role.OPERATOR) or not rule.is_owners)
    ]
    names = {"provider_name": site.agency(link.provider), "consumer_name": site.agency(link.consumer)}
    return {**told_link(link, today), **names, "acts": acts if actor.may(*ACTORS) else []}


def _statement(steps: list[store.KeptLinkStep]) -> dict[str, Any] | None:
    """What the platform's owner last said of a link."""
    said = [step for step in steps if step.act in (LinkAct.STATE, LinkAct.DECLINE)]
    if not said:
        return None
    last = said[-1]
    return {"reason": last.reason, "document_no": last.document_no, "dated_on": last.dated_on, "legal_basis": last.legal_basis}


def _day(form: Form, name: str) -> date:
    try:
        return date.fromisoformat(text_in(form, name))
    except ValueError as error:
        raise Unprocessable(f"`{name}`: expected a date.", vi=f"`{name}`: cần một ngày.") from error


WAYS: list[Way] = [(HERE, shown)]
FORMS: list[tuple[str, Act]] = [
    (f"{HERE}/links", report),
    (f"{HERE}/links/{{link}}", act),
    (f"{HERE}/papers", record),
    (f"{HERE}/papers/{{request}}", withdraw),
]
