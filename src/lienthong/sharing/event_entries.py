"""What the ledger says of events that leave, whatever road they take."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from lienthong.contracts import Contract
from lienthong.ledger import Entry, Event
from lienthong.sharing.rights import Right
from lienthong.sharing.stream import Told, fields_told


def entry_of_events(
    contract: Contract, right: Right, at: datetime, request: bytes, body: bytes, told: Sequence[Told], details: Mapping[str, Any],
    subject: str | None = None,
) -> Entry:  # fmt: skip
    """The ledger entry of some events of one dataset that leave by one road."""
    versions = [each.version for each in told if each.version is not None]
    return Entry(
        at=at,
        event=Event.ANSWER_EVENTS,
        caller=right.caller,
        official=right.official,
        purpose=right.purpose,
        legal_basis=right.legal_basis,
        agreement=right.agreement,
        dataset=contract.id,
        version=max(versions, default=None),
        subject=subject,
        fields=fields_told(contract, right)[0],
        request_digest=hashlib.sha256(request).hexdigest(),
        answer_digest=hashlib.sha256(body).hexdigest(),
        outcome="given",
        details={"events": len(told), **details},
    )
