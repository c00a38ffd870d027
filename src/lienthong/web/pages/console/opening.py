"""Whether one's dataset may be opened: check it, see what was found, what to blur, and decide."""

from __future__ import annotations

from typing import Any

from lienthong.contracts import LICENCES
from lienthong.errors import Unprocessable
from lienthong.pipeline import approving, releasing
from lienthong.store import releasing as store
from lienthong.store.releasing import Decision
from lienthong.web.desk import number_of
from lienthong.web.pages.console.owning import owner_of
from lienthong.web.pages.forms import Form, go, text_in
from lienthong.web.pages.page import Page, Table
from lienthong.web.pages.site import Site
from lienthong.web.pages.visiting import Visit
from lienthong.web.releasing import awaiting_document, blur_document, check_document, decision_document, limits_of, require_own

SHOWN = 10


def shown(site: Site, visit: Visit) -> Page:
    """The newest check with what it found, and every check and decision before it."""
    _, contract = owner_of(site, visit)
    return _page(site, visit, contract.id, None)


def act(site: Site, visit: Visit, form: Form) -> Any:
    """Check now, propose what to blur, or decide on a check."""
    actor, contract = owner_of(site, visit, form.get("csrf", ""))
    place, word, workshop = f"/console/datasets/{contract.id}/opening", text_in(form, "word"), site.counter.workshop
    if word == "check":
        releasing.check(workshop, contract, actor, limits_of(site.settings))
        return go(place)
    if word == "propose":
        found = releasing.propose_for(workshop, contract, actor, limits_of(site.settings))
        return _page(site, visit, contract.id, blur_document(found))
    if word not in (releasing.ALLOWED, releasing.REFUSED):
        raise Unprocessable("`word`: check, propose, allowed or refused.", vi="Chưa chọn việc cần làm.")
    number = number_of("check", text_in(form, "check"))
    require_own(site.counter, contract, number)
    made = releasing.decide(workshop, number, actor, word, text_in(form, "reason"), needs_two=site.settings.open_two_persons)
    return go(place, decided=made.outcome if isinstance(made, Decision) else "waiting")


def second(site: Site, visit: Visit, form: Form) -> Any:
    """The second person's word on what the first proposed."""
    actor, contract = owner_of(site, visit, form.get("csrf", ""))
    number, word = number_of("proposal", visit.path["proposal"]), text_in(form, "word")
    if word == "approve":
        approving.approve(site.counter.workshop, releasing.RELEASE, actor, number, text_in(form, "digest"))
    elif word == "refuse":
        approving.refuse(site.counter.workshop, releasing.RELEASE, actor, number, text_in(form, "reason"))
    else:
        raise Unprocessable("`word`: approve or refuse.", vi="Chưa chọn đồng ý hay từ chối.")
    return go(f"/console/datasets/{contract.id}/opening", decided="allowed" if word == "approve" else "refused")


def _page(site: Site, visit: Visit, dataset: str, blur: dict[str, Any] | None) -> Page:
    contract = site.contracts[dataset]
    with site.connection() as connection:
        checks, decisions = store.list_checks(connection, dataset)[:SHOWN], store.decisions_of(connection, dataset)[:SHOWN]
    waiting = [each for each in approving.waiting(site.counter.workshop, [releasing.RELEASE]) if each.document["dataset"] == dataset]
    licence = LICENCES.get(contract.licence or "")
    facts: dict[str, Any] = {
        "id": contract.id,
        "title": contract.title_vi,
        "title_en": contract.title_en,
        "licence": None if licence is None else licence.title_vi,
        "licence_en": None if licence is None else licence.title_en,
        "checks": [check_document(each) for each in checks],
        "is_current": bool(checks) and checks[0].shape == releasing.shape_of(contract),
        "decisions": [decision_document(each) for each in decisions],
        "waiting": [awaiting_document(each) for each in waiting],
        "blur": blur,
        "decided": visit.text("decided"),
    }
    columns = ("check", "version", "checked_at", "verdict", "rows", "checked_by")
    table = Table(columns, [[each[name] for name in columns] for each in facts["checks"]])
    return Page("console/opening.html", visit.speech.t("console.opening"), facts, table)
