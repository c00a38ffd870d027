"""Who may enter the operator's room, and the way round in it."""

from __future__ import annotations

from lienthong.access import Actor, Role
from lienthong.web import acting
from lienthong.web.pages.forms import Form
from lienthong.web.pages.visiting import Visit

ROOMS = (
    ("/operator", "operator.map"),
    ("/operator/alerts", "operator.alerts"),
    ("/operator/queues", "operator.queues"),
    ("/operator/runs", "operator.runs"),
    ("/operator/ledger", "operator.ledger"),
    ("/operator/backups", "operator.backups"),
    ("/operator/audit", "operator.audit"),
    ("/operator/people", "operator.people"),
    ("/operator/organisation", "operator.organisation"),
    ("/operator/units", "operator.units"),
    ("/operator/first-weeks", "operator.weeks"),
    ("/console/beside", "beside.title"),
    ("/operator/settings", "operator.settings"),
)


def enter(visit: Visit) -> Actor:
    """Who looks: an operator or an auditor who signed in. Raises Unauthenticated or Denied."""
    return acting.require(visit.request, Role.OPERATOR, Role.AUDITOR, in_person=True)


def act(visit: Visit, form: Form) -> Actor:
    """Who acts: an operator, from a page of ours. Raises Unauthenticated or Denied."""
    return acting.require(visit.request, Role.OPERATOR, csrf=form.get("csrf", ""), in_person=True)


def beside(actor: Actor) -> dict[str, object]:
    """What every template of this room needs beside its facts."""
    return {"rooms": ROOMS, "may_act": actor.may(Role.OPERATOR)}
