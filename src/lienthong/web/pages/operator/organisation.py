"""Changes of organisation: agencies as they are, and a merger on a day: everything it touches shown first, then one act of two persons."""

from __future__ import annotations

from datetime import date
from typing import Any

from lienthong.access import Identity
from lienthong.clock import vietnam_date
from lienthong.errors import BadRequest, Conflict
from lienthong.pipeline import agencies, approving
from lienthong.pipeline.leveling import level_document, level_standings, lowest_of
from lienthong.store import agencies as store
from lienthong.store import pages, subscriptions, subsystems, syncs
from lienthong.web.pages.forms import Form, go, text_in
from lienthong.web.pages.operator.entering import act, beside, enter
from lienthong.web.pages.page import Page, Table
from lienthong.web.pages.site import Site
from lienthong.web.pages.speaking import order_key
from lienthong.web.pages.visiting import Visit

COLUMNS = ("code", "name", "kind", "parent", "valid_from", "valid_to", "successors")


def shown(site: Site, visit: Visit) -> Page:
    """The agencies; and, when some are named, what merging them would do."""
    actor = enter(visit)
    with site.counter.workshop.database.connect() as connection:
        known = store.read(connection)
        today, lowest = vietnam_date(site.counter.clock()), lowest_of(site.settings)
        open_now = [each for each in subsystems.everything(connection).values() if each.is_active]
        levels = level_standings(connection, site.contracts, [each.identifier for each in open_now], lowest, today)
        systems = [
            {
                "identifier": each.identifier, "agency": each.agency, "title": each.title_vi, "title_en": each.title_en,
                "security_level": level_document(levels[each.identifier], site.settings.security_level_days),
            }
            for each in open_now
        ]  # fmt: skip
    agencies_known = sorted(known.by_code.values(), key=lambda each: order_key(each.name))
    told = [
        {
            "code": each.code, "name": each.name, "kind": each.kind, "parent": each.parent, "valid_from": each.valid_from, "valid_to": each.valid_to,
            "successors": list(each.successors),
        }
        for each in agencies_known
    ]  # fmt: skip
    codes, into, on = _codes(visit), visit.text("into"), visit.text("on")
    facts: dict[str, Any] = {
        "agencies": told,
        "subsystems": systems,
        "asked": {"merge": codes, "into": into, "on": on},
        "preview": None,
        "also": None,
    }
    if codes and into:
        facts["preview"] = agencies.preview(site.counter.workshop, codes, into, _day(on))
        facts["also"] = _also(site, codes)
    rows = [[", ".join(each.successors) if name == "successors" else getattr(each, name) for name in COLUMNS] for each in agencies_known]
    digest = approving.digest_of(facts["preview"]) if facts["preview"] else ""
    seen = {**beside(actor), "digest": digest, "names": {each["code"]: each["name"] for each in told}, "today": today}
    return Page("operator/organisation.html", visit.speech.t("operator.organisation"), facts, Table(COLUMNS, rows), seen)


def propose(site: Site, visit: Visit, form: Form) -> Any:
    """Put the merger that was shown before a second operator; refused when anything of it has changed since."""
    actor = act(visit, form)
    codes = text_in(form, "merge").split()
    document = agencies.preview(site.counter.workshop, codes, text_in(form, "into"), _day(text_in(form, "on")))
    if approving.digest_of(document) != text_in(form, "digest"):
        raise Conflict(
            "What the merger touches has changed since it was shown.",
            hint="Look at it again.",
            hint_vi="Hãy xem lại nội dung.",
            vi="Nội dung đã thay đổi từ lúc xem trước.",
        )
    made = approving.propose(site.counter.workshop, agencies.MERGE, actor, document, text_in(form, "reason", ""), str(document["into"]))
    return go(f"/operator/approvals/{made.number}")


def _codes(visit: Visit) -> list[str]:
    """`merge`, given once or more, codes with spaces between."""
    return sorted({code for text in visit.request.query_params.getlist("merge")[:100] for code in text[:2_000].split()})


def _also(site: Site, codes: list[str]) -> dict[str, Any]:
    """What stands beside the act and follows it or must be seen to by hand: published rows, copies, subscriptions, exchanges' addresses."""
    datasets = [contract for contract in site.contracts.values() if contract.agency in codes]
    with site.counter.workshop.database.connect() as connection:
        standings = pages.standings(connection)
        following = [
            each
            for each in subscriptions.some(connection)
            if each.caller.split("/")[2:3] and each.caller.split("/")[2] in codes and each.state != "ended"
        ]
        copies = [
            {"sync": sync, "dataset": dataset, "consumer": consumer}
            for sync, dataset, consumer in syncs.whose(connection)
            if Identity.parse(consumer).agency in codes or any(dataset == contract.id for contract in datasets)
        ]
    return {
        "datasets": [
            {"id": c.id, "title": c.title_vi, "title_en": c.title_en, "records": standings[c.id].records if c.id in standings else 0, "address": f"/v1/datasets/{c.id}/records"}
            for c in datasets
        ],
        "subscriptions": [{"subscription": each.subscription, "caller": each.caller, "dataset": each.dataset} for each in following],
        "copies": copies,
    }  # fmt: skip


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise BadRequest("`on`: expected a day like 2026-01-31.", vi="Ngày hiệu lực: cần ngày, ví dụ 2026-01-31.") from error
