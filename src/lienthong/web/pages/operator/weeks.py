"""The first week after each production key: which new systems are watched, which are in trouble, which have passed."""

from __future__ import annotations

from lienthong.clock import vietnam_date
from lienthong.pipeline import first_week
from lienthong.pipeline.alert_rules import read_rules, rules_file
from lienthong.web.pages.operator.entering import beside, enter
from lienthong.web.pages.page import Page, Table
from lienthong.web.pages.site import Site
from lienthong.web.pages.visiting import Visit

COLUMNS = ("subsystem", "agency", "state", "since", "due", "passed_on", "calls", "refused", "failed")


def shown(site: Site, visit: Visit) -> Page:
    """Those in trouble first, then those watched, then those that passed."""
    actor = enter(visit)
    limits = first_week.limits_of(read_rules(rules_file(site.settings)))
    with site.counter.workshop.database.connect() as connection:
        found = first_week.weeks(connection, vietnam_date(site.counter.clock()), limits)
    told = [{**first_week.document(week), "agency_name": site.agency(week.agency)} for week in found]
    facts = {
        "weeks": told,
        "limits": vars(limits),
        "legal_bases": sorted({week.legal_basis for week in found}),
        "longest_days": first_week.LONGEST_DAYS,
    }
    table = Table(COLUMNS, [[each[name] for name in COLUMNS] for each in told])
    return Page("operator/weeks.html", visit.speech.t("operator.weeks"), facts, table, beside(actor))
