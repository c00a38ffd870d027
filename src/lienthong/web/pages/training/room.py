"""The lessons there are, what one has done of them, and the way in."""

from __future__ import annotations

from typing import Any

from lienthong.store import training as store
from lienthong.web.pages.page import Page, Table
from lienthong.web.pages.site import Site
from lienthong.web.pages.training.sitting import is_sandbox, learner_of, lesson_facts, room_of
from lienthong.web.pages.visiting import Visit

COLUMNS = ("order", "id", "title", "title_en", "minutes", "state", "completed_at")


def shown(site: Site, visit: Visit) -> Page:
    room, here = room_of(site), is_sandbox(site)
    learner = learner_of(site, visit) if here else None
    done: dict[str, Any] = {}
    begun: set[str] = set()
    if learner is not None:
        with site.counter.workshop.database.connect() as connection:
            done = {each.lesson: each.at for each in store.completions(connection, learner.handle)}
            begun = {lesson for handle, lesson in store.starts(connection) if handle == learner.handle}
    lessons = [
        {**lesson_facts(each), "state": "done" if each.id in done else "begun" if each.id in begun else "open", "completed_at": done.get(each.id)}
        for each in room.offered()
    ]  # fmt: skip
    facts = {
        "is_sandbox": here,
        "sandbox_url": site.settings.sandbox_url or None,
        "learner": {"name": learner.name, "agency": learner.agency} if learner else None,
        "may_enter": here and (visit.session is not None or site.settings.sandbox_guests),
        "teaches": here and visit.session is not None and room.teaches(visit.session.actor),
        "done": len(done),
        "lessons": lessons,
        "was_reset": visit.text("reset") or None,
    }
    agencies = sorted(set(site.agencies().values()))[:60] if here else []
    table = Table(COLUMNS, [[each[name] for name in COLUMNS] for each in lessons])
    return Page("training/room.html", visit.speech.t("training.title"), facts, table, {"agencies": agencies}, is_public=not here)
