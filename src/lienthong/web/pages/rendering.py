"""Templates into documents: autoescape on, an unknown name is an error, nothing is fetched from elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any
from urllib.parse import urlencode

from jinja2 import Environment, FunctionLoader, StrictUndefined

from lienthong.access import Role, Session
from lienthong.web.pages import assets
from lienthong.web.pages.visiting import THEMES, Visit

ROLES = (
    (Role.OPERATOR, "/operator", "common.operator"),
    (Role.AUDITOR, "/operator", "common.operator"),
    (Role.DATA_OFFICER, "/console", "common.console"),
    (Role.STEWARD, "/desk", "common.desk"),
    (Role.LEADER, "/board", "common.board"),
    (Role.CITIZEN, "/my-data", "common.my_data"),
)
PLACES = (
    ("/board", "common.board"),
    ("/datasets", "common.data"),
    ("/docs", "common.docs"),
    ("/status", "common.status"),
    ("/proofs", "common.proofs"),
    ("/training", "common.training"),
)


def render(
    template: str, visit: Visit, title: str, facts: Mapping[str, Any], beside: Mapping[str, Any], *, has_csv: bool = False
) -> str:  # fmt: skip
    """The document."""
    made = environment().get_template(template)
    values = {
        **facts,
        **beside,
        "f": facts,
        "s": visit.speech,
        "t": visit.speech.t,
        "title": title,
        "visit": visit,
        "session": visit.session,
        "here": visit.request.url.path,
        "with_query": lambda **changes: with_query(visit, **changes),
        "twin": lambda form: twin(visit, form),
        "with_language": lambda language: with_query(visit, lang=language),
        "with_theme": lambda theme: with_query(visit, theme=theme),
        "places": places_of(visit),
        "has_csv": has_csv,
        "themes": THEMES,
        "is_sample": visit.is_sample,
        "practice": practice_of(visit),
    }
    return made.render(values)


def practice_of(visit: Visit) -> dict[str, str] | None:
    """What pages of a sandbox say on top: that they are, and the lesson one is at. None in production."""
    practice = getattr(visit.request.app.state, "practice", None)
    return None if practice is None else practice(visit)


def with_query(visit: Visit, **changes: Any) -> str:
    """The address asked for, with some of its parameters changed; None takes one away."""
    kept = {name: value for name, value in visit.request.query_params.items() if name not in changes and name not in ("lang", "theme")}
    given = {name: str(value) for name, value in changes.items() if value not in (None, "")}
    query = urlencode({**kept, **given})
    return f"?{query}" if query else visit.request.url.path


def places_of(visit: Visit) -> list[tuple[str, str]]:
    """Where this reader can go: what is public, and the rooms of one's roles before it."""
    mine = [] if visit.session is None else rooms_of(visit.session)
    return list(dict.fromkeys([*mine, *PLACES]))


def rooms_of(session: Session) -> list[tuple[str, str]]:
    """The places of one's roles: address, key of its name."""
    return list(dict.fromkeys((path, key) for role, path, key in ROLES if session.actor.may(role)))


def twin(visit: Visit, form: str) -> str:
    """Where this page's data is: the same address with a suffix, and the same parameters."""
    path = visit.request.url.path
    for suffix in (".json", ".csv"):
        path = path.removesuffix(suffix)
    query = with_query(visit)
    return ("/index" if path == "/" else path) + f".{form}" + (query if query.startswith("?") else "")


@cache
def environment() -> Environment:
    folder = resources.files("lienthong.web").joinpath("templates")
    made = Environment(
        loader=FunctionLoader(lambda name: folder.joinpath(name).read_text("utf-8")),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.globals.update(asset=assets.address, integrity=assets.integrity)
    return made
