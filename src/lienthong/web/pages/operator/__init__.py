"""The operator's room: what passes between agencies, what runs and waits, the ledger, alerts, who may do what. Operators act, auditors look."""

from lienthong.web.pages.forms import Act
from lienthong.web.pages.operator import (
    alerts,
    audit,
    backups,
    configuration,
    exchanges,
    organisation,
    persons,
    proving,
    units,
    weeks,
    work,
)
from lienthong.web.pages.site import Way

WAYS: list[Way] = [
    ("/operator", exchanges.shown),
    ("/operator/runs", work.runs),
    ("/operator/queues", work.queues),
    ("/operator/ledger", proving.shown),
    ("/operator/backups", backups.shown),
    ("/operator/alerts", alerts.listed),
    ("/operator/audit", audit.searched),
    ("/operator/people", persons.listed),
    ("/operator/approvals/{proposal}", persons.proposal),
    ("/operator/organisation", organisation.shown),
    ("/operator/units", units.shown),
    ("/operator/first-weeks", weeks.shown),
    ("/operator/settings", configuration.shown),
]
FORMS: list[tuple[str, Act]] = [
    ("/operator/alerts/{alert}", alerts.move),
    ("/operator/tasks", backups.ask),
    ("/operator/audit", audit.ask_about),
    ("/operator/people", persons.register),
    ("/operator/people/{handle}", persons.change),
    ("/operator/approvals/{proposal}", persons.decide),
    ("/operator/organisation", organisation.propose),
    ("/operator/units", units.propose),
]
