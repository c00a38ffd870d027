"""The list of data shared by default: what may be had without waiting for anybody's yes, when it was last reviewed; and, for who may, the review."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from lienthong.access import Role
from lienthong.pipeline import default_list
from lienthong.pipeline.agreeing import rules_of
from lienthong.web import acting
from lienthong.web.default_list import told_list
from lienthong.web.pages.forms import Form, go, text_in
from lienthong.web.pages.page import Page, Table
from lienthong.web.pages.site import Site
from lienthong.web.pages.visiting import Visit

COLUMNS = ("dataset", "title", "title_en", "agency", "reviewed_on", "due_on", "is_overdue")


def shown(site: Site, visit: Visit) -> Page:
    facts = told_list(site.counter, rules_of(site.settings).offer, site.settings.default_review_months)
    facts["parts"] = [{**part, "agency_name": site.agency(part["agency"])} for part in facts["parts"]]
    rows = [
        (each["id"], each["title"], each["title_en"], part["agency"], part["reviewed_on"], part["due_on"], part["is_overdue"])
        for part in facts["parts"]
        for each in part["datasets"]
    ]
    beside: dict[str, Any] = {
        "may": {part["agency"] for part in facts["parts"] if _may_review(visit, part["agency"])},
        "csrf": visit.session.csrf if visit.session is not None else "",
        "names": {id: visit.speech.pick(c.title_vi, c.title_en) for id, c in site.public.items()},
    }
    return Page(
        "portal/by_default.html", visit.speech.t("bydefault.title"), facts, Table(COLUMNS, rows), beside, is_public=visit.session is None
    )


def _may_review(visit: Visit, agency: str) -> bool:
    if visit.session is None:
        return False
    actor = visit.session.actor
    return actor.may(Role.OPERATOR) or (actor.may(Role.DATA_OFFICER) and actor.is_of(agency))


def review(site: Site, visit: Visit, form: Form) -> Response:
    """One agency's part was looked through."""
    actor = acting.require(visit.request, *default_list.REVIEWERS, csrf=text_in(form, "csrf", ""))
    agency = visit.path["agency"].replace("\x00", "")
    words, decision, months = text_in(form, "words"), text_in(form, "decision", ""), site.settings.default_review_months
    default_list.review(site.counter.workshop, actor, agency, words, decision, months)
    return go("/shared-by-default", reviewed=agency)
