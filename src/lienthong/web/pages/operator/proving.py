"""The ledger's standing: how long, how far behind its checkpoint, who co-signed it, when it was last verified whole; and asking for that."""

from __future__ import annotations

from typing import Any

from lienthong.ledger.standalone import Unproved, read_key
from lienthong.store import archiving, attesting, operating
from lienthong.store import pages as store
from lienthong.store.ledger_index import indexed_size
from lienthong.web.pages.operator.entering import beside, enter
from lienthong.web.pages.page import Page, Table
from lienthong.web.pages.site import Site
from lienthong.web.pages.visiting import Visit

CHECKPOINTS = 20


def shown(site: Site, visit: Visit) -> Page:
    actor = enter(visit)
    with site.counter.workshop.database.connect() as connection:
        newest = store.checkpoints(connection, CHECKPOINTS)
        waits = store.ledger_waits(connection)
        witnesses = attesting.standings(connection)
        archives = archiving.archives(connection)
        indexed = indexed_size(connection)
        verified = operating.verifications(connection, 5)
        task = next((each for each in operating.open_tasks(connection) if each.kind == "verification"), None)
        stamp = attesting.last_stamp(connection, site.settings.stamp_url) if site.settings.stamp_url else None
    size = newest[0][0] if newest else 0
    facts: dict[str, Any] = {
        "entries": size,
        "checkpoint_at": newest[0][2] if newest else None,
        "waits_seconds": round(waits, 1),
        "indexed": indexed,
        "witnesses_needed": site.settings.witnesses_needed,
        "witnesses": [
            {"name": _name(each.witness), "key": each.witness, "size": each.size, "behind": max(0, size - each.size), "asked_at": each.asked_at, "state": each.state, "status": each.status}
            for each in witnesses
        ],
        "verifications": [each._asdict() for each in verified],
        "verification_asked_at": task.asked_at if task else None,
        "stamp": None if stamp is None else {"size": stamp[0], "at": stamp[1]},
        "archives": [
            {"number": each.number, "begins": each.begins, "ends": each.ends, "digest": each.digest, "at": each.at, "dropped_at": each.dropped_at} for each in archives
        ],
        "checkpoints": [{"size": s, "root": root.hex(), "at": at, "key_id": key_id} for s, root, at, key_id in newest],
    }  # fmt: skip
    columns = ("size", "root", "at", "key_id")
    table = Table(columns, [[each[name] for name in columns] for each in facts["checkpoints"]])
    return Page("operator/ledger.html", visit.speech.t("operator.ledger"), facts, table, beside(actor))


def _name(key: str) -> str:
    try:
        return read_key(key).name
    except Unproved:
        return key
