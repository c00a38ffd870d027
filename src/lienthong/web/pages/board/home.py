"""The first screen: five to seven numbers, each with where it comes from and what is missing; the others below."""

from __future__ import annotations

from typing import Any

from lienthong.reports.board import Card, card
from lienthong.store import indicators as store
from lienthong.web.pages.board import reporting, telling
from lienthong.web.pages.drawing import trend
from lienthong.web.pages.page import Page, Table
from lienthong.web.pages.site import Site
from lienthong.web.pages.visiting import Visit

FIRST_SCREEN = 7
COLUMNS = ("id", "title", "owner", "unit", "period", "state", "total", "target", "same_period_last_year", "closes_at", "late_period")


def shown(site: Site, visit: Visit) -> Page:
    reader = telling.reader_of(visit)
    seen = [each for each in site.numbers.indicators().values() if telling.may_see(reader, each)]
    with site.connection() as connection:
        series = store.series(connection, [each.id for each in seen])
        questions = store.open_questions(connection) if reader is not None else {}
        late = reporting.late_reports(site, connection, reader)
    cards = [card(each, series[each.id]) for each in seen]
    told = [telling.of_card(site, each, questions.get(each.indicator.id, 0)) for each in cards]
    facts = {"indicators": told, "is_all": reader is not None and reader.may(*telling.SEES_ALL), "late_reports": late}
    words = {each.indicator.id: words_of(site, visit, each) for each in cards}
    first = [each for each in told if _is_first(site, each["id"])]
    beside = {
        "first": first,
        "others": [each for each in told if each not in first],
        "words": words,
        "drawings": {each.indicator.id: drawing(visit, each) for each in cards},
        "attention": [each for each in told if each["late"] or each["is_good"] is False or each["open_questions"]],
    }
    rows = [_row(each) for each in told]
    return Page("board/home.html", visit.speech.t("board.title"), facts, Table(COLUMNS, rows), beside, is_public=reader is None)


def _is_first(site: Site, id: str) -> bool:
    return 1 <= site.numbers.indicators()[id].order <= FIRST_SCREEN


def words_of(site: Site, visit: Visit, each: Card) -> dict[str, Any]:
    """A card in the reader's words."""
    speech, indicator, figure = visit.speech, each.indicator, each.figure
    missing = next((period for period, one in each.trend if one is each.missing), None)
    running = next((period for period, one in each.trend if one is each.running), None)
    return {
        "amount": telling.amount(speech, indicator, figure.total if figure else None),
        "period": telling.period_title(speech, each.period) if each.period else "",
        "window": telling.window(speech, each.period) if each.period else "",
        "target": telling.with_unit(speech, indicator, figure.target) if figure and figure.target is not None else "",
        "year_before": telling.with_unit(speech, indicator, each.year_before.total) if each.year_before else "",
        "before": telling.with_unit(speech, indicator, each.before.total) if each.before else "",
        "before_period": telling.period_title(speech, each.period.earlier()) if each.period and each.before else "",
        "change": change(visit, each),
        "missing_period": telling.period_title(speech, missing) if missing else "",
        "missing": telling.fault_words(site, speech, each.missing) if each.missing else [],
        "running": telling.with_unit(speech, indicator, each.running.total) if each.running and each.running.total is not None else "",
        "running_period": telling.period_title(speech, running) if running else "",
    }


def change(visit: Visit, each: Card) -> str:
    """How much it moved since the same period a year earlier, else since the period before; per cent of amounts, points of shares."""
    other = each.year_before or each.before
    if each.figure is None or other is None or each.figure.total is None or other.total is None:
        return ""
    moved = each.figure.total - other.total
    sign = "+" if moved > 0 else "−" if moved < 0 else "±"
    if each.indicator.unit_vi == "%":
        return visit.speech.t("board.points", n=sign + visit.speech.number(abs(float(moved)), each.indicator.decimals))
    if not other.total:
        return sign + telling.amount(visit.speech, each.indicator, abs(moved))
    return sign + visit.speech.percent(abs(100 * moved / other.total))


def drawing(visit: Visit, each: Card) -> Any:
    """The figures of the periods as a line, estimates as open dots; nothing where there is one point or none."""
    points = [(period.code, one.total, one.state == "estimate") for period, one in each.trend]
    if sum(1 for _, total, _ in points if total is not None) < 2:
        return ""
    title = visit.speech.pick(each.indicator.title_vi, each.indicator.title_en)
    target = each.figure.target if each.figure else None
    tell = [
        f"{telling.period_title(visit.speech, period)}: {telling.with_unit(visit.speech, each.indicator, one.total)}"
        for period, one in each.trend
    ]
    return trend(points, tell, target, visit.speech.t("board.trend_of", title=title))


def _row(each: dict[str, Any]) -> list[Any]:
    figure = each["figure"] or {}
    late = each["late"] or {}
    return [
        each["id"], each["title"], each["owner"], each["unit"], figure.get("period"), figure.get("state"), figure.get("total"),
        figure.get("target"), each["same_period_last_year"], each["closes_at"], late.get("period"),
    ]  # fmt: skip
