"""Indicators and their figures as facts and in words."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from lienthong.access import Actor, Role
from lienthong.contracts.indicators import Indicator, Period, period_named
from lienthong.contracts.indicators.model import FAULTS
from lienthong.errors import NotFound
from lienthong.reports.board import Card
from lienthong.sharing.filters import shown as safely
from lienthong.store.indicators import Figure
from lienthong.web import acting
from lienthong.web.pages.site import Site
from lienthong.web.pages.speaking import Speech
from lienthong.web.pages.visiting import Visit

SEES_ALL = (Role.LEADER, Role.AUDITOR)
ROMAN = ("I", "II", "III", "IV")


def may_see(actor: Actor | None, indicator: Indicator) -> bool:
    """Whether a reader sees an indicator: what is public everybody, leaders and auditors everything, its owner's officials their own."""
    return indicator.is_public or (actor is not None and (actor.may(*SEES_ALL) or actor.is_of(indicator.owner)))


def reader_of(visit: Visit) -> Actor | None:
    return None if visit.session is None else visit.session.actor


def indicator_named(site: Site, visit: Visit) -> Indicator:
    """The indicator an address names, seen by its reader. Raises NotFound, Unauthenticated or Denied."""
    found = site.numbers.indicators().get(visit.path["indicator"])
    if found is None:
        name = safely(visit.path["indicator"])
        raise NotFound(f"There is no indicator `{name}`.", vi=f"Không có chỉ tiêu `{name}`.")
    if not may_see(reader_of(visit), found):
        acting.require(visit.request, *SEES_ALL)
    return found


def period_title(speech: Speech, period: Period) -> str:
    """A period as people call it."""
    span = period.type.span
    number = ROMAN[period.number - 1] if span == "quarter" else f"{period.number:02}" if span == "month" else str(period.number)
    return speech.t(f"board.period_{span}", number=number, year=str(period.year))


def period_short(speech: Speech, period: Period) -> str:
    """A period where there is little room: below a line, the year once."""
    span = period.type.span
    number = f"{period.number:02}" if span == "month" else str(period.number)
    if span == "quarter" and speech.is_vietnamese:
        number = ROMAN[period.number - 1]
    return speech.t(f"board.short_{span}", number=number, year=str(period.year))


def period_said(speech: Speech, indicator: Indicator | None, code: str) -> str:
    """The period of a code as people call it; the code itself where the indicator or the period is not known any more."""
    period = period_named(indicator.period, code) if indicator is not None else None
    return code if period is None else period_title(speech, period)


def window(speech: Speech, period: Period) -> str:
    """The first and the last day of a period."""
    return f"{speech.day(period.begins_on)} – {speech.day(period.until - timedelta(days=1))}"


def amount(speech: Speech, indicator: Indicator, total: float | None) -> str:
    """A figure in the indicator's own decimals, without its unit."""
    return speech.number(None if total is None else float(total), indicator.decimals)


def with_unit(speech: Speech, indicator: Indicator, total: float | None) -> str:
    if total is None:
        return speech.t("board.no_value")
    unit = speech.pick(indicator.unit_vi, indicator.unit_en)
    return amount(speech, indicator, total) + (unit if unit == "%" else f" {unit}")


def short(site: Site, indicator: Indicator) -> dict[str, Any]:
    """What an indicator is."""
    return {
        "id": indicator.id,
        "title": indicator.title_vi,
        "title_en": indicator.title_en,
        "unit": indicator.unit_vi,
        "unit_en": indicator.unit_en,
        "decimals": indicator.decimals,
        "direction": indicator.direction.value,
        "owner": indicator.owner,
        "owner_name": indicator.owner_name or site.agency(indicator.owner),
        "contact": indicator.contact,
        "period_type": indicator.period.value,
        "is_public": indicator.is_public,
    }


def of_figure(figure: Figure | None) -> dict[str, Any] | None:
    """What a figure says; nothing for none."""
    if figure is None:
        return None
    return {
        "figure": figure.figure,
        "period": figure.period,
        "begins_on": figure.begins_on,
        "last_day": figure.until - timedelta(days=1),
        "revision": figure.revision,
        "state": figure.state,
        "total": figure.total,
        "target": figure.target,
        "missing": [{"what": word, "dataset": dataset} for word, dataset in figure.faults],
        "computed_at": figure.computed_at,
    }


def of_card(site: Site, card: Card, questions: int) -> dict[str, Any]:
    """A card as facts."""
    return {
        **short(site, card.indicator),
        "figure": of_figure(card.figure),
        "same_period_last_year": card.year_before.total if card.year_before else None,
        "period_before": card.before.total if card.before else None,
        "is_good": card.is_good,
        "is_better": card.is_better,
        "closes_at": card.closes_at(),
        "running": of_figure(card.running),
        "late": of_figure(card.missing),
        "trend": [{"period": period.code, "total": each.total, "state": each.state} for period, each in card.trend],
        "open_questions": questions,
    }


def fault_words(site: Site, speech: Speech, figure: Figure) -> list[str]:
    """What is missing for a figure to be final."""
    found = []
    for word, dataset in figure.faults:
        contract = site.contracts.get(dataset)
        name = speech.pick(contract.title_vi, contract.title_en) if contract else dataset
        found.append(speech.pick(*FAULTS[word]) + (f": {name}" if name else ""))
    return found


def day_asked(visit: Visit, name: str, otherwise: date) -> date:
    """A day of the address; `otherwise` for one that is none."""
    try:
        found = date.fromisoformat(visit.text(name)) if visit.text(name) else otherwise
    except ValueError:
        return otherwise
    return found if 1997 <= found.year <= 2199 else otherwise
