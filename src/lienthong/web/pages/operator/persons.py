"""Who there is and what they may do: registering is one operator's act, giving a role two operators', taking one away is one's, at once."""

from __future__ import annotations

from typing import Any

from lienthong.access import Actor, Person, Role, SignedIn
from lienthong.errors import NotFound, Unprocessable
from lienthong.pipeline import approving, granting, units
from lienthong.store import people as store
from lienthong.store.approvals import Proposal
from lienthong.web import acting
from lienthong.web.desk import number_of
from lienthong.web.pages.forms import Form, go, text_in
from lienthong.web.pages.operator.entering import act, beside, enter
from lienthong.web.pages.page import Page, Table
from lienthong.web.pages.site import Site
from lienthong.web.pages.speaking import order_key
from lienthong.web.pages.visiting import Visit
from lienthong.web.people import KINDS, proposal_document

COLUMNS = ("handle", "name", "agency", "agency_name", "roles")


def listed(site: Site, visit: Visit) -> Page:
    """Everybody, by agency; what waits for a second person before them."""
    actor = enter(visit)
    agency = visit.text("agency")
    with site.connection() as connection:
        everybody = store.everybody(connection)
    told = [_person(site, each) for each in everybody if agency in ("", each.agency)]
    told.sort(key=lambda each: (order_key(each["agency_name"]), each["handle"]))
    waiting = [proposal_document(each) for each in approving.waiting(site.counter.workshop, list(KINDS.values()))]
    facts: dict[str, Any] = {"agency": agency, "people": told, "proposals": waiting}
    table = Table(COLUMNS, [[", ".join(each[name]) if name == "roles" else each[name] for name in COLUMNS] for each in told])
    codes = sorted({each.agency for each in everybody}, key=lambda code: order_key(site.agency(code)))
    seen = {
        **beside(actor),
        "agencies": [(code, site.agency(code)) for code in codes],
        "grantable": sorted(role.value for role in granting.GRANTABLE),
        "issuer": site.settings.oidc_issuer,
    }
    return Page("operator/people.html", visit.speech.t("operator.people"), facts, table, seen)


def _person(site: Site, person: Person) -> dict[str, Any]:
    roles = sorted(role.value for role in person.roles)
    return {
        "handle": person.handle,
        "name": person.name,
        "agency": person.agency,
        "agency_name": site.agency(person.agency),
        "roles": roles,
    }


def register(site: Site, visit: Visit, form: Form) -> Any:
    """Make somebody known."""
    actor = act(visit, form)
    who = SignedIn(text_in(form, "issuer"), text_in(form, "subject"), text_in(form, "name"))
    granting.register_person(site.counter.workshop, actor, text_in(form, "handle"), who, text_in(form, "agency"))
    return go("/operator/people", done="registered")


def change(site: Site, visit: Visit, form: Form) -> Any:
    """Propose a role, take one away, or say that somebody has left."""
    actor = act(visit, form)
    handle, word, workshop = visit.path["handle"], text_in(form, "word"), site.counter.workshop
    if word == "propose":
        document = granting.role_document(workshop, handle, _role(form))
        made = approving.propose(workshop, granting.GRANT_ROLE, actor, document, text_in(form, "reason", ""), document["agency"])
        return go(f"/operator/approvals/{made.number}")
    if word == "withdraw":
        granting.withdraw_role(workshop, actor, handle, _role(form))
    elif word == "end":
        granting.end_person(workshop, actor, handle)
    else:
        raise Unprocessable("`word`: propose, withdraw or end.", vi="Chưa chọn việc cần làm.")
    return go("/operator/people", done=word)


def _role(form: Form) -> Role:
    try:
        return Role(text_in(form, "role"))
    except ValueError as error:
        raise Unprocessable("There is no such role.", vi="Không có vai trò này.") from error


# What waits for a second person


def proposal(site: Site, visit: Visit) -> Page:
    """An act that waits, whole: what would happen, who proposed it, why; and the yes or no of another."""
    actor = enter(visit)
    found = _found(site, visit)
    facts = {**proposal_document(found), "agency_name": site.agency(found.agency) if found.agency else ""}
    is_mine = found.proposed_by.casefold() == actor.name.casefold()
    can = {"can_decide": _may_decide(actor, found) and not is_mine, "can_withdraw": is_mine and found.state == "waiting"}
    return Page("operator/proposal.html", visit.speech.t("operator.proposal_n", n=str(found.number)), facts, None, {**beside(actor), **can})


def _may_decide(actor: Actor, found: Proposal) -> bool:
    return found.state == "waiting" and actor.may(*KINDS[found.kind].approvers)


def decide(site: Site, visit: Visit, form: Form) -> Any:
    """The second person's word, on exactly what was shown; or the first takes it back."""
    actor = acting.require(visit.request, csrf=form.get("csrf", ""), in_person=True)
    found, word = _found(site, visit), text_in(form, "word")
    kind = KINDS[found.kind]
    if word == "approve":
        approving.approve(site.counter.workshop, kind, actor, found.number, text_in(form, "digest"))
        units.follow(site.counter.workshop)  # what this page shows next is under the communes as they are now
    elif word == "refuse":
        approving.refuse(site.counter.workshop, kind, actor, found.number, text_in(form, "reason", ""))
    elif word == "withdraw":
        approving.withdraw(site.counter.workshop, kind, actor, found.number)
    else:
        raise Unprocessable("`word`: approve, refuse or withdraw.", vi="Chưa chọn duyệt, từ chối hay rút.")
    return go(f"/operator/approvals/{found.number}")


def _found(site: Site, visit: Visit) -> Proposal:
    number = number_of("proposal", visit.path["proposal"])
    found = approving.shown(site.counter.workshop, number)
    if found is None or found.kind not in KINDS:
        raise NotFound(f"There is no proposal {number}.", vi=f"Không có đề xuất {number}.")
    return found
