"""An agency's part in the exchange: who reads its data, its agreements both ways with what is due, promises, systems and keys, officials, deliveries."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from lienthong.access import Actor, Identity, Role
from lienthong.catalog.measuring import UNKNOWN, freshness
from lienthong.clock import vietnam_date
from lienthong.errors import NotFound
from lienthong.pipeline.default_list import default_parts, part_document
from lienthong.pipeline.leveling import level_document, level_standings, lowest_of
from lienthong.reports.exchanges import Asker, agency_of, figures
from lienthong.sharing import subscribing
from lienthong.sharing.deadlines import WHAT, deadlines
from lienthong.sharing.rights import right_of_owner
from lienthong.store import Connection, agreements, people, subscriptions, subsystems
from lienthong.store import pages as store
from lienthong.web import acting
from lienthong.web.delivering import clerk_of
from lienthong.web.pages.console.owning import datasets_of
from lienthong.web.pages.forms import Form, go
from lienthong.web.pages.page import Page, Table
from lienthong.web.pages.site import Site
from lienthong.web.pages.visiting import Visit

READ_DAYS = 30
COLUMNS = ("agency", "agency_name", "caller", "service", "purpose", "calls", "refused")


def shown(site: Site, visit: Visit) -> Page:
    actor = acting.require(visit.request, Role.DATA_OFFICER)
    now, agency = site.counter.clock(), actor.agency
    with site.counter.workshop.database.connect() as connection:
        reads = _reads(site, connection, agency, now)
        out, came = agreements.standing(connection, provider=agency), agreements.standing(connection, consumer=agency)
        due = deadlines(connection, agency)
        systems = [each for each in subsystems.everything(connection).values() if each.agency == agency]
        keys = {each.identifier: subsystems.keys(connection, each.identifier) for each in systems}
        officials = [person for person in people.everybody(connection) if person.agency == agency]
        followed = [each for each in subscriptions.some(connection) if agency_of(each.caller) == agency and each.state != "ended"]
        standings = store.standings(connection)
        reviews = default_parts(connection, site.contracts.values(), site.settings.default_review_months, vietnam_date(now))
        today, lowest = vietnam_date(now), lowest_of(site.settings)
        levels = level_standings(connection, site.contracts, [each.identifier for each in systems], lowest, today)
    facts: dict[str, Any] = {
        "agency": agency,
        "agency_name": site.agency(agency),
        "reads": reads,
        "agreements_out": [_agreement(site, kept, Identity.parse(kept.consumer).agency) for kept in out],
        "agreements_in": [_agreement(site, kept, kept.provider) for kept in came],
        "deadlines": [
            {"agreement": d.agreement, "what": WHAT[d.what][0], "what_en": WHAT[d.what][1], "due_on": d.due_on, "is_mine": d.agency == agency, "is_late": d.due_on < today}
            for d in due
        ],
        "promises": _promises(site, visit, agency, standings, now),
        "default_review": next((part_document(part, today) for part in reviews if part.agency == agency), None),
        "subsystems": [
            {
                "identifier": each.identifier, "title": each.title_vi, "title_en": each.title_en, "is_active": each.is_active,
                "keys": [{"kid": key.kid, "environment": key.environment, "valid_to": key.valid_to} for key in keys[each.identifier]],
                "security_level": level_document(levels[each.identifier], site.settings.security_level_days),
            }
            for each in systems
        ],
        "officials": [{"handle": p.handle, "name": p.name, "roles": sorted(role.value for role in p.roles)} for p in officials],
        "subscriptions": [
            {"subscription": s.subscription, "dataset": s.dataset, "url": s.url, "state": s.state, "why": s.why or s.held, "pending": s.pending, "dead": s.dead, "failing_since": s.failing_since}
            for s in followed
        ],
    }  # fmt: skip
    table = Table(COLUMNS, [[each[name] for name in COLUMNS] for each in reads])
    titles = {name: visit.speech.pick(each.title_vi, each.title_en) for name, each in site.contracts.items()}
    return Page("console/exchange.html", visit.speech.t("exchange.title"), facts, table, {"titles": titles})


def replay(site: Site, visit: Visit, form: Form) -> Any:
    """Send the dead letters of one of the agency's own subscriptions again."""
    actor = acting.require(visit.request, Role.DATA_OFFICER, csrf=form.get("csrf", ""))
    found = _subscription(site, actor, visit.path["subscription"])
    contract = site.contracts.get(found.dataset)
    if contract is None:
        raise NotFound("There is no such dataset.", vi="Không có bộ dữ liệu này.")
    right = right_of_owner(contract, found.caller, actor.name, found.purpose)
    subscribing.replay(clerk_of(site.settings, site.counter.workshop), found, right, None)
    return go("/console/exchange#subscriptions")


def _subscription(site: Site, actor: Actor, name: str) -> subscriptions.Subscription:
    with site.counter.workshop.database.connect() as connection:
        found = subscriptions.some(connection, subscription=name) if "\x00" not in name else []
    if not found or agency_of(found[0].caller) != actor.agency:
        raise NotFound("There is no such subscription.", vi="Không có đăng ký này.")
    return found[0]


def _reads(site: Site, connection: Connection, agency: str, now: datetime) -> list[dict[str, Any]]:
    """Who asked this agency for what in the last days, most first."""
    groups = ("caller", "service", "purpose", "provider")
    found = figures(connection, Asker(agency), now - timedelta(days=READ_DAYS + 1), now, groups, "day")
    told = []
    for each in found:
        caller, service, purpose, provider = each.group
        if provider == agency:
            asker = agency_of(caller)
            told.append({"agency": asker, "agency_name": site.agency(asker) if asker else "", "caller": caller, "service": service, "purpose": purpose, "calls": each.count.calls, "refused": each.count.refused})  # fmt: skip
    return told[:100]


def _agreement(site: Site, kept: agreements.Kept, other: str) -> dict[str, Any]:
    title, title_en, page = site.named(kept.dataset)
    term = kept.document.get("term") or {}
    return {
        "id": kept.id, "dataset": kept.dataset, "title": title, "title_en": title_en, "page": page,
        "state": kept.state.value, "other": other, "other_name": site.agency(other), "consumer": kept.consumer, "until": str(term.get("to") or "") or None,
    }  # fmt: skip


def _promises(site: Site, visit: Visit, agency: str, standings: dict[str, store.StandingNow], now: datetime) -> list[dict[str, Any]]:
    """When each dataset must bring something new to be as fresh as promised, the next first."""
    told = []
    for contract in datasets_of(site, visit, agency):
        found = freshness(contract, standings.get(contract.id, UNKNOWN), now)
        if found["promised_seconds"] is None:
            continue
        last = found["updated_at"]
        due = None if last is None else last + timedelta(seconds=found["promised_seconds"])
        told.append({"id": contract.id, "title": contract.title_vi, "title_en": contract.title_en, "promised_seconds": found["promised_seconds"], "updated_at": last, "due_at": due, "state": found["state"]})  # fmt: skip
    return sorted(told, key=lambda each: (each["due_at"] is not None, each["due_at"] or now, each["id"]))
