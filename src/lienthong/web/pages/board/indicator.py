"""One indicator: the number, how it got there, where, from what, what was asked and answered."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from lienthong.access import Role
from lienthong.clock import vietnam_date
from lienthong.contracts import Sharing
from lienthong.contracts.indicators import Indicator
from lienthong.contracts.indicators.model import Level
from lienthong.reports.board import Card, card
from lienthong.reports.regrouping import PlaceFigure, district_of_today, has_districts, regroup
from lienthong.standards.admin_units import MERGED
from lienthong.store import indicators as store
from lienthong.store.indicators import Question
from lienthong.web.pages.board import home, telling
from lienthong.web.pages.borders import name_of
from lienthong.web.pages.drawing import Series, area_map, lines
from lienthong.web.pages.page import Page, Table
from lienthong.web.pages.site import Site
from lienthong.web.pages.visiting import Visit

COLUMNS = ("code", "name", "total", "value", "base", "is_estimated")
LEAST_POINTS = 3
DAY_BEFORE = MERGED - timedelta(days=1)


def shown(site: Site, visit: Visit) -> Page:
    indicator = telling.indicator_named(site, visit)
    reader = telling.reader_of(visit)
    on, level = borders_asked(site, visit, indicator)
    with site.connection() as connection:
        series = store.series(connection, [indicator.id])[indicator.id]
        each = card(indicator, series, visit.text("period"))
        parts = store.parts(connection, each.figure.figure) if each.figure else []
        revisions = store.revisions(connection, indicator.id, each.figure.period) if each.figure else []
        questions = store.questions_of(connection, indicator.id) if reader is not None else []
    places = regroup(indicator, parts, on, level) if indicator.level is not Level.NONE else []
    facts: dict[str, Any] = {
        **telling.of_card(site, each, sum(1 for q in questions if q.state == "open")),
        "definition": indicator.definition_vi,
        "definition_en": indicator.definition_en,
        "formula": indicator.formula.text if indicator.formula else "",
        "measure": indicator.measure,
        "legal_basis": [{"text": b.text, "from": b.valid_from, "to": b.valid_to} for b in indicator.legal_basis],
        "reads": list(each.figure.reads) if each.figure else [],
        "details": dict(each.figure.details) if each.figure else {},
        "borders_on": on,
        "level": level.value,
        "places": [place_facts(p) for p in places],
        "revisions": [telling.of_figure(r) for r in revisions],
        "questions": [question_facts(q) for q in questions],
        "records": records(site, indicator),
    }
    table = Table(COLUMNS, [[p[name] for name in COLUMNS] for p in facts["places"]])
    beside = {
        "words": home.words_of(site, visit, each),
        "card": each,
        "drawing": _drawing(visit, each),
        "map": _map(site, visit, indicator, places, on, level),
        "period_said": lambda code: telling.period_said(visit.speech, indicator, code),
        "place_said": lambda code: name_of(code) or code,
        "tell": lambda total: telling.with_unit(visit.speech, indicator, total),
        "period_title": lambda period: telling.period_title(visit.speech, period),
        "faults": telling.fault_words(site, visit.speech, each.figure) if each.figure else [],
        "level_choices": _choices(indicator, vietnam_date(site.counter.clock())),
        "largest": max((abs(p.total) for p in places if p.total is not None), default=0.0),
        "may_ask": reader is not None and reader.may(Role.LEADER) and each.figure is not None,
        "titles": {d: visit.speech.pick(c.title_vi, c.title_en) for d, c in site.contracts.items()},
        "agency": site.agency,
        "periods": list(reversed(each.trend)),
    }
    title = visit.speech.pick(indicator.title_vi, indicator.title_en)
    return Page(
        "board/indicator.html",
        title,
        facts,
        table if indicator.level is not Level.NONE else None,
        beside,
        is_public=reader is None and indicator.is_public,
    )


def borders_asked(site: Site, visit: Visit, indicator: Indicator) -> tuple[date, Level]:
    """Under which day's borders, by what units: today's communes, unless the address says otherwise or there are only districts."""
    only_districts = indicator.level is Level.DISTRICT
    today = vietnam_date(site.counter.clock())
    on = telling.day_asked(visit, "on", DAY_BEFORE if only_districts else today)
    if only_districts or (visit.text("level") == Level.DISTRICT.value and has_districts(on)):
        return on, Level.DISTRICT
    return on, Level.COMMUNE


def _choices(indicator: Indicator, today: date) -> list[dict[str, Any]]:
    """Borders worth offering: today's communes, those of the last day before the mergers, the districts of that day."""
    if indicator.level is not Level.COMMUNE:
        return []
    return [
        {"on": today, "level": "commune", "key": "board.communes_today"},
        {"on": DAY_BEFORE, "level": "commune", "key": "board.communes_before"},
        {"on": DAY_BEFORE, "level": "district", "key": "board.districts_before"},
    ]


def place_facts(place: PlaceFigure) -> dict[str, Any]:
    return {
        "code": place.code, "name": place.name, "total": place.total, "value": place.value, "base": place.base, "is_estimated": place.is_estimated,
    }  # fmt: skip


def question_facts(question: Question) -> dict[str, Any]:
    """What was asked and answered."""
    return {
        "question": question.question, "period": question.period, "figure": question.figure, "place": question.place, "words": question.words,
        "asked_by": question.asked_by, "asked_at": question.asked_at, "due_on": question.due_on, "state": question.state, "answer": question.answer,
        "answered_by": question.answered_by, "answered_at": question.answered_at,
    }  # fmt: skip


def records(site: Site, indicator: Indicator) -> dict[str, Any] | None:
    """The dataset behind a figure, and whether anybody may look into it."""
    contract = site.contracts.get(indicator.drill_down)
    if contract is None:
        return None
    is_open = contract.sharing is Sharing.OPEN
    field = next((p.name for p in contract.properties if p.standard == "admin_unit"), "")
    return {"id": contract.id, "title": contract.title_vi, "title_en": contract.title_en, "is_open": is_open, "place_field": field}


def _drawing(visit: Visit, each: Card) -> Any:
    told = [(period, one) for period, one in each.trend]
    if sum(1 for _, one in told if one.total is not None) < LEAST_POINTS:
        return ""
    series = [Series(visit.speech.pick(each.indicator.title_vi, each.indicator.title_en), [one.total for _, one in told])]
    if any(one.target is not None for _, one in told):
        series.append(Series(visit.speech.t("board.target"), [one.target for _, one in told]))
    labels = [telling.period_short(visit.speech, period) for period, _ in told]
    words = visit.speech.t("board.trend_of", title=visit.speech.pick(each.indicator.title_vi, each.indicator.title_en))
    return lines(labels, series, words, lambda value: visit.speech.number(float(value), each.indicator.decimals if abs(value) < 100 else 0))


def _map(site: Site, visit: Visit, indicator: Indicator, places: Sequence[PlaceFigure], on: date, level: Level) -> Any:
    """Today's borders; districts are drawn as the communes of today that lay in them."""
    if not places or (level is Level.COMMUNE and has_districts(on)):
        return ""
    by_code = {place.code: place for place in places if place.code}
    codes = site.borders.codes()
    codes = codes if level is Level.DISTRICT else [*codes, *(code for code in by_code if code not in set(codes))]
    lies_in = {code: (district_of_today(code) if level is Level.DISTRICT else code) for code in codes}
    values = {code: by_code[unit].total for code, unit in lies_in.items() if unit in by_code}

    def tell(name: str, value: float | None) -> str:
        return f"{name}: {telling.with_unit(visit.speech, indicator, value)}"

    return area_map(
        site.borders.shaded(
            values,
            tell,
            lambda code: f"#place-{lies_in[code]}" if lies_in.get(code) in by_code else "",
            on if level is Level.COMMUNE else None,
        ),
        visit.speech.t("board.map_of"),
    )
