"""What anybody may check: whether the platform works and its data is as fresh as promised; and the ledger's newest checkpoints."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from lienthong import __version__
from lienthong.ledger import signed_note
from lienthong.store import Connection, agreements, backing, operating
from lienthong.store import pages as store
from lienthong.store.services import Stop, current_stops
from lienthong.web.pages.page import Page, Table
from lienthong.web.pages.portal import telling
from lienthong.web.pages.portal.evidence import evidence_of
from lienthong.web.pages.site import Site
from lienthong.web.pages.speaking import order_key
from lienthong.web.pages.visiting import Visit

LATE_SECONDS = 30.0
CHECKPOINTS = 10


def status(site: Site, visit: Visit) -> Page:
    now = site.counter.clock()
    with site.connection() as connection:
        standings = store.standings(connection)
        waiting = store.waiting_rows(connection)
        newest = store.checkpoints(connection, 1)
        entries_wait = store.ledger_waits(connection)
    with site.counter.workshop.database.connect() as connection:
        proved = _proved(connection)
        stops = [
            *_of_datasets(site, agreements.stops(connection, now), now),
            *_of_services(site, list(current_stops(connection).values()), now),
        ]
    datasets = []
    for c in sorted(site.public.values(), key=lambda c: order_key(visit.speech.pick(c.title_vi, c.title_en))):
        standing = standings.get(c.id, telling.UNKNOWN)
        datasets.append(
            {
                **telling.short(c, standing, site.agency(c.agency)),
                "freshness": telling.freshness(c, standing, now),
                "waiting": waiting.get(c.id, 0),
            }
        )
    late = [each for each in datasets if each["freshness"]["state"] == "late"]
    is_ledger_late = entries_wait >= LATE_SECONDS
    facts = {
        "status": "late" if late or is_ledger_late else "ok",
        "version": __version__,
        "checked_at": now,
        "ledger": {
            "entries": newest[0][0] if newest else 0,
            "checkpoint_at": newest[0][2] if newest else None,
            "waits_seconds": entries_wait,
        },
        "late": len(late),
        "datasets": datasets,
        "proved": proved,
        "planned_stops": sorted(stops, key=lambda each: each["begins_at"]),
    }
    columns = ("id", "title", "agency", "state", "updated_at", "records", "waiting")
    rows = [(d["id"], d["title"], d["agency"], d["freshness"]["state"], d["updated_at"], d["records"], d["waiting"]) for d in datasets]
    return Page("portal/status.html", visit.speech.t("portal.status_title"), facts, Table(columns, rows), {"is_ledger_late": is_ledger_late, "stopped": sum(each["is_under_way"] for each in stops)}, is_public=True)  # fmt: skip


def _proved(connection: Connection) -> dict[str, Any]:
    """When the ledger was last recomputed, and when a backup was last put back whole. Where files lie is nobody's business."""
    verified = next(iter(operating.verifications(connection, 1)), None)
    rehearsed, made = backing.last_whole_rehearsal(connection), next(iter(backing.backups(connection, 1)), None)
    return {
        "verified": None
        if verified is None
        else {"at": verified.at, "is_whole": verified.is_whole, "entries": verified.size, "root": verified.root},
        "backup_at": None if made is None else made.made_at,
        "rehearsed": None
        if rehearsed is None
        else {"at": rehearsed.at, "entries": rehearsed.ledger_size, "records": rehearsed.records, "seconds": rehearsed.seconds},
    }


def _of_datasets(site: Site, stops: Sequence[agreements.KeptStop], now: datetime) -> list[dict[str, Any]]:
    told = []
    for each in stops:
        contract = site.public.get(each.stop.dataset)
        titles = (contract.title_vi, contract.title_en) if contract else (each.stop.dataset, each.stop.dataset)
        told.append(
            {
                "of": each.stop.dataset, "title": titles[0], "title_en": titles[1], "agency_name": site.agency(each.provider),
                "begins_at": each.stop.begins_at, "ends_at": each.stop.ends_at, "is_forced": each.stop.is_forced,
                "is_under_way": each.stop.includes(now), "address": f"/datasets/{each.stop.dataset}" if contract else "",
                "reason": each.reason, "reason_en": each.reason,
            }
        )  # fmt: skip
    return told


def _of_services(site: Site, stops: Sequence[Stop], now: datetime) -> list[dict[str, Any]]:
    return [
        {
            "of": each.service, "title": each.service, "title_en": each.service, "agency_name": site.agency(each.agency),
            "begins_at": each.begins_at, "ends_at": each.restores_at, "is_forced": False,
            "is_under_way": each.begins_at <= now < each.restores_at, "address": f"/services/{each.service}", "reason": each.reason_vi, "reason_en": each.reason_en,
        }
        for each in stops
    ]  # fmt: skip


def proofs(site: Site, visit: Visit) -> Page:
    signer = site.counter.workshop.signer
    with site.connection() as connection:
        found = store.checkpoints(connection, CHECKPOINTS)
        newest = store.newest_signed(connection)
    with site.counter.workshop.database.connect() as connection:
        proved = _proved(connection)
    facts: dict[str, Any] = {
        "origin": signer.origin,
        "public_key": signer.public_key.hex(),
        "checkpoints": [{"size": size, "root": root.hex(), "at": at, "key_id": key_id} for size, root, at, key_id in found],
        "proved": proved,
        "evidence": evidence_of(site.settings.evidence),
        "newest": signed_note(signer.origin, newest[0], newest[1], newest[2], signer.public_key, newest[3]) if newest else None,
    }
    columns = ("size", "root", "at", "key_id")
    rows = [[each[name] for name in columns] for each in facts["checkpoints"]]
    return Page(
        "portal/proofs.html", visit.speech.t("portal.proofs_title"), facts, Table(columns, rows), {"base_url": site.counter.public_url}
    )
