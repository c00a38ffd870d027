"""An explanation is asked for on the board, and given in the owner's console."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from lienthong.access import Role
from lienthong.clock import vietnam_date
from lienthong.errors import NotFound
from lienthong.pipeline import indicating
from lienthong.store import indicators as store
from lienthong.web import acting
from lienthong.web.desk import number_of
from lienthong.web.pages.board import telling
from lienthong.web.pages.board.indicator import question_facts
from lienthong.web.pages.borders import name_of
from lienthong.web.pages.forms import Form, go, text_in
from lienthong.web.pages.page import Page, Table
from lienthong.web.pages.site import Site
from lienthong.web.pages.visiting import Visit

COLUMNS = ("question", "indicator", "period", "state", "asked_at", "due_on", "words", "answer")


def ask(site: Site, visit: Visit, form: Form) -> Response:
    """A leader's question about a figure."""
    actor = acting.require(visit.request, Role.LEADER, csrf=form.get("csrf", ""))
    indicator = telling.indicator_named(site, visit)
    number = number_of("figure", text_in(form, "figure"))
    place = text_in(form, "place", "")
    with site.counter.workshop.database.connect() as connection:
        figure = next((each for each in store.figures(connection, [number]) if each.indicator == indicator.id), None)
    if figure is None:
        raise NotFound(f"There is no figure {number} of this indicator.", vi=f"Chỉ tiêu này không có số liệu {number}.")
    indicating.ask(site.counter.workshop, indicator, figure, actor, text_in(form, "words"), site.explain_by, place=place)
    return go(f"/board/{indicator.id}", period=figure.period)


def listed(site: Site, visit: Visit) -> Page:
    """What one's agency was asked to explain, by its day."""
    actor = acting.require(visit.request, Role.DATA_OFFICER)
    known = site.numbers.indicators()
    today = vietnam_date(site.counter.clock())
    with site.connection() as connection:
        questions = store.questions_to(connection, actor.agency)
        figures = {each.figure: each for each in store.figures(connection, [q.figure for q in questions])}
    told: list[dict[str, Any]] = []
    for question in questions:
        indicator = known.get(question.indicator)
        figure = figures[question.figure]
        told.append(
            {
                **question_facts(question),
                "indicator": question.indicator,
                "title": indicator.title_vi if indicator else question.indicator,
                "title_en": indicator.title_en if indicator else question.indicator,
                "total": figure.total,
                "amount": telling.with_unit(visit.speech, indicator, figure.total) if indicator else visit.speech.number(figure.total),
                "is_overdue": question.state == "open" and question.due_on < today,
            }
        )
    facts = {"agency": actor.agency, "agency_name": site.agency(actor.agency), "questions": told}
    table = Table(COLUMNS, [[each[name] for name in COLUMNS] for each in told])
    beside = {
        "period_said": lambda q: telling.period_said(visit.speech, known.get(q["indicator"]), q["period"]),
        "place_said": lambda code: name_of(code) or code,
    }
    return Page("board/explanations.html", visit.speech.t("board.explanations"), facts, table, beside)


def answer(site: Site, visit: Visit, form: Form) -> Response:
    """The owner's answer."""
    actor = acting.require(visit.request, Role.DATA_OFFICER, csrf=form.get("csrf", ""))
    indicating.answer(site.counter.workshop, number_of("question", visit.path["question"]), actor, text_in(form, "words"))
    return go("/console/explanations")
