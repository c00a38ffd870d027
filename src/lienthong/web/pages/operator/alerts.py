"""Alerts: what is unusual, who looks into it, how it ended."""

from __future__ import annotations

from typing import Any

from lienthong.errors import BadRequest, Unprocessable
from lienthong.pipeline import alerting
from lienthong.store.alerts import list_alerts
from lienthong.web.alerts import LARGEST_NUMBER, MOST_ALERTS, STATES, document
from lienthong.web.desk import number_of
from lienthong.web.pages.forms import Form, go, text_in
from lienthong.web.pages.operator.entering import act, beside, enter
from lienthong.web.pages.page import Page, Table
from lienthong.web.pages.site import Site
from lienthong.web.pages.visiting import Visit

COLUMNS = ("alert", "severity", "title", "title_en", "subject", "agency", "state", "raised_at", "seen_at")


def listed(site: Site, visit: Visit) -> Page:
    """Standing ones first, or those of one state."""
    actor = enter(visit)
    state = visit.text("state")
    if state and state not in STATES:
        raise BadRequest("`state`: expected open, taken or closed.", vi="`state`: open, taken hoặc closed.")
    with site.connection() as connection:
        found = list_alerts(connection, None, state or None, MOST_ALERTS)
    told: list[dict[str, Any]] = [{**document(each), "agency_name": site.agency(each.agency) if each.agency else ""} for each in found]
    told.sort(key=lambda each: (STATES.index(each["state"]), -each["alert"]))
    counts = {name: sum(1 for each in told if each["state"] == name) for name in STATES}
    facts = {"state": state, "counts": counts, "alerts": told}
    table = Table(COLUMNS, [[each[name] for name in COLUMNS] for each in told])
    return Page("operator/alerts.html", visit.speech.t("operator.alerts"), facts, table, {**beside(actor), "states": STATES})


def move(site: Site, visit: Visit, form: Form) -> Any:
    """Take an alert, or close it with a reason."""
    actor = act(visit, form)
    number = min(number_of("alert", visit.path["alert"]), LARGEST_NUMBER)
    word = text_in(form, "word")
    if word == "take":
        alerting.take(site.counter.workshop, number, actor)
    elif word == "close":
        alerting.close(site.counter.workshop, number, actor, text_in(form, "reason", ""))
    else:
        raise Unprocessable("`word`: take or close.", vi="Chưa chọn nhận hay đóng.")
    return go("/operator/alerts")
