"""Papers of the room: the certificate with its evidence, and the handbook made of the lessons' own text."""

from __future__ import annotations

from functools import lru_cache

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from lienthong.clock import vietnam_date
from lienthong.store import training as store
from lienthong.web.pages.page import Page, Table
from lienthong.web.pages.site import Site
from lienthong.web.pages.training.sitting import lesson_facts, require_learner, room_of
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
        {**lesson_facts(each), "steps": [{"do": step.do[0], "do_en": step.do[1], "at": step.at} for step in each.steps]}
        for each in room_of(site).offered()
    ]
    return Page("training/handbook.html", visit.speech.t("training.handbook"), {"lessons": lessons}, is_public=True)


async def give_pdf(site: Site, request: Request) -> Response:
    """The handbook as PDF, in the reader's language."""
    return await run_in_threadpool(_pdf, site, request)


def _pdf(site: Site, request: Request) -> Response:
    visit = visit_of(request, site.counter.clock(), "html")
    index = 0 if visit.speech.is_vietnamese else 1
    lessons = tuple(
        (str(each.order), each.title[index], each.aim[index], each.learned[index], tuple(step.do[index] for step in each.steps))
        for each in room_of(site).offered()
    )
    words = tuple(visit.speech.t(f"training.{name}") for name in ("handbook", "handbook_lead", "aim", "learned"))
    name = "so-tay-thuc-hanh" if index == 0 else "practice-handbook"
    headers = {"Content-Disposition": f'inline; filename="{name}.pdf"'}
    return Response(_made(lessons, words, visit.speech.language), media_type="application/pdf", headers=headers)


@lru_cache(maxsize=4)
def _made(lessons: tuple[tuple[str, str, str, str, tuple[str, ...]], ...], words: tuple[str, ...], language: str) -> bytes:
    from lienthong.reports.handbook import handbook_pdf  # noqa: PLC0415 # loads typst

    return handbook_pdf(lessons, words, language)
