"""Whoever teaches: who is how far, by agency; and the sandbox put back by one button."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from starlette.responses import Response

from lienthong.errors import Denied
from lienthong.pipeline import sandbox as practice
from lienthong.pipeline.training.acts import progress_of
from lienthong.store import sandbox as store
from lienthong.store import training
from lienthong.web import acting
from lienthong.web.pages.forms import Form, go
from lienthong.web.pages.page import Page, Table
from lienthong.web.pages.site import Site
from lienthong.web.pages.speaking import order_key
from lienthong.web.pages.training.sitting import is_sandbox, learner_of, lesson_facts, room_of
from lienthong.web.pages.visiting import Visit

BUSY = timedelta(minutes=30)  # somebody who began a lesson within it is at work


def shown(site: Site, visit: Visit) -> Page:
    """The class: a row a learner, a column a lesson; sums by agency. Raises Denied for who does not teach."""
    room = room_of(site)
    actor = acting.require(visit.request)
    if not is_sandbox(site) or not room.teaches(actor):
        raise Denied("This is for whoever teaches here.", rule="no_trainer", vi="Trang này dành cho giảng viên.")
    lessons = room.offered()
    rows: list[dict[str, Any]] = [
        {
            "handle": learner.handle, "name": learner.name, "agency": learner.agency, "joined_at": learner.joined_at,
            "lessons": {each.id: "done" if each.id in done else "begun" if each.id in begun else "open" for each in lessons}, "done": len(done),
        }
        for learner, begun, done in progress_of(room)
    ]  # fmt: skip
    sums: dict[str, list[int]] = {}
    for row in rows:
        found = sums.setdefault(row["agency"], [0, 0])
        found[0] += 1
        found[1] += row["done"]
    agencies = [{"agency": name, "learners": n, "done": done, "of": n * len(lessons)} for name, (n, done) in sorted(sums.items(), key=lambda each: order_key(each[0]))]  # fmt: skip
    with site.counter.workshop.database.connect() as connection:
        standing = store.standing(connection)
    facts = {
        "lessons": [lesson_facts(each) for each in lessons],
        "learners": rows,
        "agencies": agencies,
        "reset_at": standing.reset_at if standing else None,
        "filled_at": standing.filled_at if standing else None,
    }
    names = [each.id for each in lessons]
    table = Table(("name", "agency", *names), [[row["name"], row["agency"], *(row["lessons"][name] for name in names)] for row in rows])
    return Page("training/class.html", visit.speech.t("training.class"), facts, table)


def reset(site: Site, visit: Visit, form: Form) -> Response:
    """Put the sandbox back. Raises Denied while others practise, for who does not teach."""
    actor = acting.require(visit.request, csrf=form.get("csrf", ""))
    learner = learner_of(site, visit)
    since = site.counter.clock() - BUSY
    with site.counter.workshop.database.connect() as connection:
        is_busy = training.others_at_work(connection, learner.handle if learner else actor.name, since)
    practice.may_reset(actor, tuple(room_of(site).trainers), is_busy=is_busy)
    practice.reset(site.counter.workshop, actor.name)
    return go("/training", reset="done")
