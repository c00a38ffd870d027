"""Papers of the room: the certificate with its evidence, and the handbook made of the lessons' own text."""

from __future__ import annotations

from functools import lru_cache

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from lienthong.clock import vietnam_date
from lienthong.reports.handbook import WORDS, HandbookLesson, blanked, handbook_pdf
from lienthong.store import training as store
from lienthong.web.pages.page import Page, Table
from lienthong.web.pages.site import Site
from lienthong.web.pages.training.sitting import is_sandbox, lesson_facts, require_learner, room_of
from lienthong.web.pages.visiting import Visit, visit_of


def certificate(site: Site, visit: Visit) -> Page:
    """What one has completed, when, and the digests of the entries that show it."""
    learner, room = require_learner(site, visit), room_of(site)
    with site.counter.workshop.database.connect() as connection:
        done = {each.lesson: each for each in store.completions(connection, learner.handle)}
    lessons = [
        {**lesson_facts(each), "completed_at": done[each.id].at, "evidence": done[each.id].evidence}
        for each in room.offered()
        if each.id in done
    ]
    facts = {
        "name": learner.name, "agency": learner.agency, "handle": learner.handle, "completed": len(lessons), "of": len(room.offered()),
        "lessons": lessons, "issued_on": vietnam_date(site.counter.clock()),
    }  # fmt: skip
    columns = ("order", "title", "completed_at")
    table = Table((*columns, "evidence"), [[*(each[name] for name in columns), " ".join(each["evidence"])] for each in lessons])
    return Page("training/certificate.html", visit.speech.t("training.certificate"), facts, table)


def handbook(site: Site, visit: Visit) -> Page:
    """All lessons as one document to print."""
    lessons = [
        {**lesson_facts(each), "steps": [{"do": blanked(step.do[0]), "do_en": blanked(step.do[1]), "at": step.at} for step in each.steps]}
        for each in room_of(site).offered()
    ]
    return Page("training/handbook.html", visit.speech.t("training.handbook"), {"lessons": lessons}, is_public=True)


async def give_pdf(site: Site, request: Request) -> Response:
    """The handbook as PDF, in the reader's language."""
    return await run_in_threadpool(_pdf, site, request)


def _pdf(site: Site, request: Request) -> Response:
    visit = visit_of(request, site.counter.clock(), "html")
    index = 0 if visit.speech.is_vietnamese else 1
    t = visit.speech.t
    lessons = tuple(
        HandbookLesson(
            str(each.order), each.title[index], each.aim[index], each.learned[index],
            " · ".join((*(t(f"training.role_{role.value}") for role in each.roles), t("training.minutes", n=each.minutes))),
            tuple((step.do[index], bool(step.ask)) for step in each.steps),
        )
        for each in room_of(site).offered()
    )  # fmt: skip
    words = {name: t(f"training.{name}") for name in WORDS}
    address = site.settings.sandbox_url or (site.settings.public_url if is_sandbox(site) else "")
    words["where"] = t("training.at_address", address=f"{address}/training") if address else ""
    name = "so-tay-thuc-hanh" if index == 0 else "practice-handbook"
    headers = {"Content-Disposition": f'inline; filename="{name}.pdf"'}
    return Response(_made(lessons, tuple(words.items()), visit.speech.language), media_type="application/pdf", headers=headers)


@lru_cache(maxsize=4)
def _made(lessons: tuple[HandbookLesson, ...], words: tuple[tuple[str, str], ...], language: str) -> bytes:
    return handbook_pdf(lessons, dict(words), language)
