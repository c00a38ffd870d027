"""Runs of programs outside the platform, told by whoever runs them: kept once, with an entry in the ledger, shown in the lineage of what they touch."""

from __future__ import annotations

from datetime import timedelta

from lienthong.contracts.openlineage import RunEvent
from lienthong.errors import QuotaExceeded
from lienthong.ledger import Entry, Event
from lienthong.pipeline.workshop import Workshop
from lienthong.store import append_entries, catalogue

MOST_A_MINUTE = 600  # of one subsystem


def take_event(workshop: Workshop, subsystem: str, event: RunEvent, digest: str) -> bool:
    """Keep an event; False when the same was kept before. Raises QuotaExceeded for a subsystem that tells too much at once."""
    at = workshop.clock()
    with workshop.database.connect() as connection:
        if catalogue.told_since(connection, subsystem, at - timedelta(minutes=1)) >= MOST_A_MINUTE:
            raise QuotaExceeded(
                f"At most {MOST_A_MINUTE} events a minute.", vi=f"Nhiều nhất {MOST_A_MINUTE} sự kiện mỗi phút.", retry_after=60
            )  # fmt: skip
        is_new = catalogue.add_lineage(
            connection, event.run, event.kind, event.time, subsystem, event.job, event.reads, event.writes, event.columns, at
        )
        if is_new:
            ours = [name for name in (*event.reads, *event.writes) if name in workshop.contracts]
            details = {"run": str(event.run), "type": event.kind, "job": event.job[:200], "datasets": sorted(set(ours))[:50]}
            entry = Entry(at=at, event=Event.LINEAGE_TAKEN, caller=subsystem, request_digest=digest, outcome="done", details=details)
            append_entries(connection, [entry], workshop.signer)
    return is_new
