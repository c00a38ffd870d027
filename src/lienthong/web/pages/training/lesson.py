"""One lesson: its steps, where to click, and what was seen of them; its practice file."""

from __future__ import annotations

import io
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from lienthong.pipeline import training
from lienthong.pipeline.training.acts import Progress
from lienthong.web import acting
from lienthong.web.pages.console.mending import workbook
from lienthong.web.pages.forms import Form, go
from lienthong.web.pages.page import Page, Table
from lienthong.web.pages.site import Site
from lienthong.web.pages.training.sitting import LESSON_COOKIE, is_sandbox, learner_of, lesson_facts, require_learner, room_of
from lienthong.web.pages.visiting import Visit, visit_of

LONGEST_ANSWER = 200


def shown(site: Site, visit: Visit) -> Page:
    room, here = room_of(site), is_sandbox(site)
    found = room.lesson(visit.path["lesson"])
    learner = learner_of(site, visit) if here else None
    progress = training.look(room, learner.handle, found.id, {}) if learner is not None else Progress(found)
    return _page(site, visit, progress, is_here=here, is_learner=learner is not None, answers={})


def check(site: Site, visit: Visit, form: Form) -> Page:
    """Look again, with what was typed."""
    acting.session_with(visit.request, form.get("csrf", ""))
    learner = require_learner(site, visit)
    answers = {name.removeprefix("answer:"): value[:LONGEST_ANSWER] for name, value in form.items() if name.startswith("answer:")}
    progress = training.look(room_of(site), learner.handle, visit.path["lesson"], answers)
    return _page(site, visit, progress, is_here=True, is_learner=True, answers=answers, is_checked=True)


def begin(site: Site, visit: Visit, form: Form) -> Response:
    """Take the seat the lesson is done from, and go to its first step."""
    acting.session_with(visit.request, form.get("csrf", ""))
    learner = require_learner(site, visit)
    citizen = visit.session.who.citizen if visit.session is not None else ""
    training.begin(room_of(site), learner.handle, visit.path["lesson"], citizen)
    response = go(f"/training/{visit.path['lesson']}")
    response.set_cookie(LESSON_COOKIE, visit.path["lesson"], httponly=True, samesite="lax", secure=visit.request.url.scheme == "https")
    return response


def _page(site: Site, visit: Visit, progress: Progress, *, is_here: bool, is_learner: bool, answers: dict[str, str], is_checked: bool = False) -> Page:  # fmt: skip
    lesson, room = progress.lesson, room_of(site)
    values = {**progress.facts, "dataset": lesson.dataset}
    seen = progress.seen or (None,) * len(lesson.steps)
    steps = []
    for n, (step, found) in enumerate(zip(lesson.steps, seen, strict=True), 1):
        is_ready = progress.begun_at is not None
        steps.append(
            {
                "n": n, "do": _filled(step.do[0], values), "do_en": _filled(step.do[1], values), "at": _filled(step.at, values) if is_ready else "",
                "click": step.click[0], "click_en": step.click[1], "check": step.check or None, "ask": step.ask or None,
                "state": None if not step.check else "done" if progress.completed_at or (found and found.is_done) else "wrong" if found and found.is_wrong else "open",
                "answer": answers.get(step.check, ""),
            }
        )  # fmt: skip
    offered = room.offered()
    after = [each for each in offered if each.order > lesson.order]
    facts: dict[str, Any] = {
        **lesson_facts(lesson),
        "steps": steps,
        "begun_at": progress.begun_at,
        "completed_at": progress.completed_at,
        "is_sandbox": is_here,
        "is_learner": is_learner,
        "sandbox_url": site.settings.sandbox_url or None,
        "checked": is_checked,
        "next": after[0].id if after else None,
    }
    datasets = [(c.id, visit.speech.pick(c.title_vi, c.title_en)) for c in site.contracts.values() if c.match]
    columns = ("n", "do", "do_en", "check", "state")
    table = Table(columns, [[step[name] for name in columns] for step in steps])
    beside = {"datasets": datasets, "next_title": visit.speech.pick(*after[0].title) if after else ""}
    return Page("training/lesson.html", visit.speech.pick(*lesson.title), facts, table, beside, is_public=not is_here)


def _filled(text: str, values: dict[str, Any]) -> str:
    """What the lesson was begun with, in its text; a name that is not there yet stays as it is."""
    for name, value in values.items():
        text = text.replace("{" + name + "}", str(value))
    return text


async def give_file(site: Site, request: Request) -> Response:
    """The practice file of a lesson, this learner's own."""
    return await run_in_threadpool(_file, site, request)


def _file(site: Site, request: Request) -> Response:
    visit = visit_of(request, site.counter.clock(), "html", site.session_of(request))
    learner = require_learner(site, visit)
    name, texts = training.practice_file(room_of(site), visit.path["lesson"], learner.handle)
    body = io.BytesIO()
    texts.write_excel(body, autofit=True)
    return workbook(body.getvalue(), name)


__all__ = ["begin", "check", "give_file", "shown"]
