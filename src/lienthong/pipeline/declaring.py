"""Agreements the operator's folder declares: a file's content counts as the operator's word, and a file that is gone ends its agreement."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from lienthong.access import Act, Agreement, State, follows, missing_parts
from lienthong.errors import AgreementError
from lienthong.ledger import Entry
from lienthong.pipeline.agreeing import BY_RULE, Said, entry_of, held, next_step
from lienthong.pipeline.workshop import Workshop
from lienthong.store import Connection, append_entries
from lienthong.store import agreements as store
from lienthong.store.agreements import NewStep


def take_over(workshop: Workshop, declared: Sequence[Agreement]) -> int:
    """Make the store say what the operator's files say; how many agreements changed. A file that is gone ends its agreement.

    Raises AgreementError when a file has the number of an agreement that was asked for through the platform.
    """
    wanted = {agreement.id: agreement for agreement in declared}
    with workshop.database.connect() as connection:
        if not _differing(store.files(connection), wanted):
            return 0
        store.lock_name(connection, "files")
        at = workshop.clock()
        entries: list[Entry] = []
        known = store.files(connection)
        for id in sorted(_differing(known, wanted)):
            if id not in wanted:
                kept = held(connection, id)
                next_step(connection, kept, Act.END, BY_RULE, at, entries, {"file": "removed"}, Said("tệp bị gỡ · the file was removed"))
            else:
                _declare(connection, wanted[id], known.get(id), entries, at)
        store.move_edge(connection)
        append_entries(connection, entries, workshop.signer)
    return len(entries)


def digest_of(agreement: Agreement) -> str:
    """What a file says, whatever its layout."""
    said = json.dumps({**agreement.document, "state": agreement.state}, ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(said.encode()).hexdigest()


def _differing(known: Mapping[str, tuple[str | None, State]], wanted: Mapping[str, Agreement]) -> set[str]:
    fresh = {id for id, agreement in wanted.items() if id not in known or known[id][0] != digest_of(agreement)}
    gone = {id for id, (_, state) in known.items() if id not in wanted and follows(Act.END, state) is not None}
    return fresh | gone


def _declare(
    connection: Connection, agreement: Agreement, known: tuple[str | None, State] | None, entries: list[Entry], at: Any
) -> None:  # fmt: skip
    """A file's content counts as the operator's word, whatever stood before."""
    step = NewStep(Act.DECLARE, agreement.state, BY_RULE, at, details={"missing": missing_parts(agreement.document)})
    if known is None:
        if not store.add(connection, agreement.document, "file", digest_of(agreement), step):
            raise AgreementError(
                f"A file has the number `{agreement.id}` of an agreement that was asked for here.",
                faults=((agreement.id, "the number is taken", "give the file's agreement another"),),
            )
    else:
        kept = held(connection, agreement.id)
        version = kept.version
        if dict(kept.document) != dict(agreement.document):
            version = store.change(connection, agreement.document, digest_of(agreement), at)
        else:
            store.identify(connection, agreement.document, digest_of(agreement))
        store.add_step(connection, agreement.id, version, step)
    fresh = store.find(connection, agreement.id)
    assert fresh is not None
    entries.append(entry_of(fresh, Act.DECLARE, BY_RULE, at))
