"""Takes the profile of a published dataset: shares and means, so that invented rows look like it. An act, with its entry."""

from __future__ import annotations

from lienthong.contracts import Contract
from lienthong.ledger import Entry, Event
from lienthong.pipeline.delivered import PLATFORM
from lienthong.pipeline.workshop import Workshop
from lienthong.store import append_entries
from lienthong.store.references import current_rows
from lienthong.synthetic import Profile, profile_of


def take_profile(workshop: Workshop, contract: Contract, official: str) -> Profile:
    """The profile of the dataset's current rows."""
    with workshop.database.connect() as connection:
        rows = current_rows(connection, contract)
        profile = profile_of(rows, contract)
        details = {"rows": rows.height, "columns": len(profile.columns)}
        entry = Entry(workshop.clock(), Event.PROFILE_MADE, PLATFORM, official, dataset=contract.id, outcome="done", details=details)
        append_entries(connection, [entry], workshop.signer)
    return profile
