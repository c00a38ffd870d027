"""Who sits in the training room, and what it is held with."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from lienthong.access import SANDBOX
from lienthong.errors import Denied
from lienthong.ledger import SubjectKey
from lienthong.pipeline.agreeing import rules_of
from lienthong.pipeline.training import Classroom, Lesson, read_lessons
from lienthong.store import sandbox
from lienthong.store import training as store
from lienthong.store.training import Learner
from lienthong.web.pages.site import Site
from lienthong.web.pages.visiting import Visit

LESSON_COOKIE = "lienthong_lesson"
_ROOMS: dict[int, Classroom] = {}  # by site: lessons and rules are read once


def is_sandbox(site: Site) -> bool:
    """Whether this server is one, over a database that is marked as one."""
    if site.settings.environment != SANDBOX:
        return False
    with site.counter.workshop.database.connect() as connection:
        return sandbox.is_marked(connection)


def room_of(site: Site) -> Classroom:
    if id(site) not in _ROOMS:
        key = SubjectKey(site.counter.subject_key)
        _ROOMS[id(site)] = Classroom(
            site.counter.workshop, read_lessons(Path(site.settings.lessons)), rules_of(site.settings), site.register,
            lambda number: key.hash("citizen", number), frozenset(site.settings.trainers.split()),
        )  # fmt: skip
    return _ROOMS[id(site)]


def learner_of(site: Site, visit: Visit) -> Learner | None:
    """Who learns, where they have entered."""
    if visit.session is None or visit.session.person is None:
        return None
    with site.counter.workshop.database.connect() as connection:
        return store.learner(connection, visit.session.person.handle)


def require_learner(site: Site, visit: Visit) -> Learner:
    """Raises Denied for somebody who has not entered."""
    found = learner_of(site, visit) if is_sandbox(site) else None
    if found is None:
        raise Denied("Enter the training room first.", hint="/training", rule="not_entered", vi="Hãy vào phòng học trước.")
    return found


def lesson_facts(lesson: Lesson) -> dict[str, Any]:
    """A lesson as pages tell it."""
    return {
        "id": lesson.id, "order": lesson.order, "title": lesson.title[0], "title_en": lesson.title[1], "aim": lesson.aim[0],
        "aim_en": lesson.aim[1], "minutes": lesson.minutes, "roles": [role.value for role in lesson.roles], "dataset": lesson.dataset,
        "learned": lesson.learned[0], "learned_en": lesson.learned[1],
    }  # fmt: skip


def banner_of(site: Site) -> Callable[[Visit], dict[str, str] | None]:
    """What pages say on top, where this is a sandbox: looked up once, for a server does not change sides."""
    here: list[bool] = []

    def banner(visit: Visit) -> dict[str, str] | None:
        if not here:
            here.append(is_sandbox(site))
        if not here[0]:
            return None
        lesson = room_of(site).lessons.get(visit.request.cookies.get(LESSON_COOKIE, ""))
        at_it = lesson is not None and visit.session is not None and visit.request.url.path != f"/training/{lesson.id}"
        return {"lesson": lesson.id, "title": visit.speech.pick(*lesson.title)} if at_it and lesson is not None else {}

    return banner
