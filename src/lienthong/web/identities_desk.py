"""What every question about who is one goes through: whose it is, by which right, of which time, and its entry in the ledger."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from typing import Any

import msgspec
from starlette.requests import Request

from lienthong.access import ANONYMOUS, AccessRequest, Identity, Operation, decide
from lienthong.clock import end_of_day, vietnam_date
from lienthong.contracts import Contract
from lienthong.errors import BadRequest, NotFound
from lienthong.ledger import Entry, Event, subject_hash
from lienthong.masterdata.entities import Entity, entities_of
from lienthong.masterdata.golden_values import PROVENANCE
from lienthong.sharing.filters import shown
from lienthong.sharing.golden import Golden, SeesRegister, SeesWhole, read_goldens
from lienthong.sharing.rights import Right, right_of
from lienthong.store import Connection
from lienthong.store.answers import version_known_at
from lienthong.web.asking import Counter, request_bytes
from lienthong.web.authorising import Authoriser

ENCODE = msgspec.json.Encoder().encode


@dataclass(frozen=True)
class Desk:
    """What every handler here needs. `subject_key` makes the ledger's hash of the golden record asked for."""

    counter: Counter
    authorise: Authoriser
    subject_key: bytes


@dataclass(frozen=True)
class Asked:
    entity: Entity
    right: Right
    sees: SeesRegister
    whole: SeesWhole
    request: bytes

    @property
    def master(self) -> Contract:
        return self.entity.master


@dataclass(frozen=True)
class When:
    """Which state is asked for: what held on a day, as it was known at an instant. Neither: what holds now, as it is known now."""

    as_of: date | None = None
    known_at: datetime | None = None

    @property
    def is_now(self) -> bool:
        return self.as_of is None and self.known_at is None

    @property
    def instant(self) -> datetime | None:
        """Whose memberships these are. Golden records hold from the day the index made them so, so those of a day are the last ones of it."""
        ends = None if self.as_of is None else end_of_day(self.as_of)
        return min((each for each in (self.known_at, ends) if each is not None), default=None)

    @property
    def said(self) -> dict[str, Any]:
        """For the answer."""
        return {"as_of": self.as_of, "known_at": self.known_at}

    @property
    def noted(self) -> dict[str, str]:
        """For the ledger."""
        return {name: value.isoformat() for name, value in (("as_of", self.as_of), ("known_at", self.known_at)) if value is not None}


NOW = When()


def ask(desk: Desk, request: Request, operation: Operation) -> Asked:
    """The entity of a request and the caller's right to it. Raises NotFound for no entity, and as authorising does."""
    entity = entities_of(desk.counter.contracts).get(request.path_params["type"])
    if entity is None:
        name = shown(request.path_params["type"])
        raise NotFound(f"No master contract describes the entity `{name}`.", vi=f"Không có hợp đồng bản ghi gốc nào cho `{name}`.")
    right = desk.authorise(request, entity.master, operation)
    return Asked(entity, right, partial(_sees, desk, right), partial(_whole, desk, right), request_bytes(request))


def _sees(desk: Desk, right: Right, contract: Contract) -> bool:
    """Whether the caller may look up every record of a register by its key: as its owner, or under an agreement that shows key and rows whole."""
    whole = _whole(desk, right, contract)
    return bool(whole) and all(p.name in whole for p in contract.key)


def _whole(desk: Desk, right: Right, contract: Contract) -> frozenset[str]:
    """The fields of a register that the caller sees whole, of every record; none where rows are withheld or no record may be looked up."""
    caller = None if right.caller == ANONYMOUS else right.caller
    if caller is not None and Identity.parse(caller).agency == contract.agency:
        return frozenset(p.name for p in contract.properties)
    asked = AccessRequest(caller, contract.id, Operation.LOOK_UP, right.purpose, right.official, right.address, desk.counter.clock())
    decision = decide(asked, contract, desk.authorise.register(), vietnam_date(desk.counter.clock()))
    if not decision.allowed or decision.row_filter:
        return frozenset()
    found = right_of(decision, contract, right.caller)
    return frozenset(found.visible) - found.masked.keys()


def golden_of(desk: Desk, connection: Connection, asked: Asked, id: str, when: When) -> Golden | None:
    """The golden record as the caller may see it, of that time; None where there is none for them."""
    version = None if when.known_at is None else version_known_at(connection, asked.master.id, when.known_at)
    if version == 0:
        return None
    return read_goldens(connection, desk.counter.desk, asked.master, asked.right, [id], version, when.as_of).get(id)


def note(
    desk: Desk, asked: Asked, event: Event, outcome: str, subject: str | None, version: int | None, body: bytes,
    details: Mapping[str, Any] | None = None, content: bytes = b"",
) -> None:  # fmt: skip
    """The ledger's entry of an answer; a golden record is named in it by a keyed hash."""
    right = asked.right
    entry = Entry(
        at=desk.counter.clock(),
        event=event,
        caller=right.caller,
        official=right.official,
        purpose=right.purpose,
        legal_basis=right.legal_basis,
        agreement=right.agreement,
        dataset=asked.master.id,
        version=version,
        subject=None if subject is None else subject_hash(desk.subject_key, asked.master.id, subject),
        fields=tuple(sorted(right.shown - {PROVENANCE})),
        request_digest=hashlib.sha256(asked.request + b"\n" + content).hexdigest(),
        answer_digest=hashlib.sha256(body).hexdigest(),
        outcome=outcome,
        details=details or {},
    )
    desk.counter.append(entry)


def id_of(text: str) -> str:
    """What may be a golden record's id. Raises BadRequest for what never is."""
    if "\x00" in text or len(text) > 200:
        raise BadRequest("This is no id of a golden record.", vi="Đây không phải mã bản ghi gốc.")
    return text
