"""Two persons for what matters: one proposes, another of the right role approves or refuses, and the act happens in that transaction.

A kind of act says who may propose, who may decide, and what then happens:

    GRANT = Kind("role_granted", frozenset({Role.OPERATOR}), frozenset({Role.OPERATOR}), perform=_grant, in_person=True)
    proposal = propose(workshop, GRANT, actor, {"handle": "…", "role": "leader"}, reason)
    approve(workshop, GRANT, second, proposal.number, proposal.digest)

Invariant: whoever decides is not who proposed (the database holds it too), and decides on exactly the document that was
proposed: its digest comes back with the decision. A proposal nobody decided lapses.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from lienthong.access import Actor, Role
from lienthong.errors import Conflict, Denied, Gone, NotFound, Unprocessable
from lienthong.ledger import Entry, Event
from lienthong.pipeline.workshop import Workshop
from lienthong.store import Connection, append_entries, approvals
from lienthong.store.approvals import Proposal

LASTS = timedelta(days=14)
LONGEST_REASON = 2_000
LARGEST_DOCUMENT = 1_000_000


@dataclass(frozen=True)
class Approved:
    """What a kind's act is told: the document, both persons, the time."""

    document: Mapping[str, Any]
    proposed_by: str
    approved_by: str
    at: datetime
    proposal: int


Perform = Callable[[Workshop, Connection, Approved], Sequence[Entry]]


@dataclass(frozen=True)
class Kind:
    """A kind of act two persons do. `perform` acts on the connection and gives the act's own entries; `in_person`: no system may take part.

    With `of_agency`, both are of the agency the proposal names.
    """

    name: str
    proposers: frozenset[Role]
    approvers: frozenset[Role]
    perform: Perform
    in_person: bool = True
    of_agency: bool = False


def propose(workshop: Workshop, kind: Kind, actor: Actor, document: Mapping[str, Any], reason: str, agency: str = "") -> Proposal:
    """Put an act before a second person. Raises Denied for who may not, Unprocessable without a reason."""
    at = workshop.clock()
    _check(kind, kind.proposers, actor, agency)
    _require_words(reason)
    proposal = Proposal(0, kind.name, document, digest_of(document), agency, reason.strip(), actor.name, at, at + LASTS)
    with workshop.database.connect() as connection:
        proposal = replace(proposal, number=approvals.add(connection, proposal))
        append_entries(connection, [_entry(Event.PROPOSAL_MADE, proposal, actor, at)], workshop.signer)
    return proposal


def approve(workshop: Workshop, kind: Kind, actor: Actor, number: int, digest: str) -> Proposal:
    """The second person's yes: the act happens now, whole or not at all.

    Raises Denied for who may not, Conflict when it is decided already or is not what was seen, Gone when it has lapsed,
    and whatever the act itself is refused with.
    """
    at = workshop.clock()
    with workshop.database.connect() as connection:
        proposal = _taken(connection, kind, number, at)
        _check(kind, kind.approvers, actor, proposal.agency)
        _check_second(proposal, actor)
        if digest != proposal.digest:
            raise Conflict("The proposal is not the one that was shown.", vi="Đề xuất không phải bản đã xem.")
        approvals.decide(connection, number, "approved", actor.name, "", at)
        entries = kind.perform(workshop, connection, Approved(proposal.document, proposal.proposed_by, actor.name, at, number))
        append_entries(connection, [*entries, _entry(Event.PROPOSAL_APPROVED, proposal, actor, at)], workshop.signer)
    return replace(proposal, state="approved", decided_by=actor.name, decided_at=at, words="")


def refuse(workshop: Workshop, kind: Kind, actor: Actor, number: int, reason: str) -> Proposal:
    """The second person's no, with a reason. Raises as `approve` does."""
    at = workshop.clock()
    _require_words(reason)
    with workshop.database.connect() as connection:
        proposal = _taken(connection, kind, number, at)
        _check(kind, kind.approvers, actor, proposal.agency)
        _check_second(proposal, actor)
        approvals.decide(connection, number, "refused", actor.name, reason.strip(), at)
        append_entries(connection, [_entry(Event.PROPOSAL_REFUSED, proposal, actor, at)], workshop.signer)
    return replace(proposal, state="refused", decided_by=actor.name, decided_at=at, words=reason.strip())


def withdraw(workshop: Workshop, kind: Kind, actor: Actor, number: int) -> Proposal:
    """Who proposed takes it back. Raises Denied for anybody else."""
    at = workshop.clock()
    with workshop.database.connect() as connection:
        proposal = _taken(connection, kind, number, at)
        if not _is_same(actor.name, proposal.proposed_by):
            raise _denied("not_the_proposer", "Chỉ người đề xuất được rút", "Only who proposed may withdraw it")
        approvals.decide(connection, number, "withdrawn", actor.name, "", at)
        append_entries(connection, [_entry(Event.PROPOSAL_WITHDRAWN, proposal, actor, at)], workshop.signer)
    return replace(proposal, state="withdrawn", decided_by=actor.name, decided_at=at, words="")


def waiting(workshop: Workshop, kinds: Sequence[Kind]) -> list[Proposal]:
    """What waits for a second person, oldest first."""
    with workshop.database.connect() as connection:
        return approvals.waiting(connection, [kind.name for kind in kinds], workshop.clock())


def shown(workshop: Workshop, number: int) -> Proposal | None:
    """A proposal as it stands."""
    with workshop.database.connect() as connection:
        return approvals.find(connection, number)


def _taken(connection: Connection, kind: Kind, number: int, at: datetime) -> Proposal:
    proposal = approvals.take(connection, number)
    if proposal is None or proposal.kind != kind.name:
        raise NotFound(f"There is no proposal {number}.", vi=f"Không có đề xuất {number}.")
    if proposal.state != "waiting":
        raise Conflict(f"Proposal {number} is {proposal.state} already.", vi=f"Đề xuất {number} đã được quyết định.")
    if proposal.expires_at <= at:
        raise Gone(
            f"Proposal {number} has lapsed.", hint="Propose it again.", vi=f"Đề xuất {number} đã hết hạn.", hint_vi="Hãy đề xuất lại."
        )
    return proposal


def _check(kind: Kind, roles: frozenset[Role], actor: Actor, agency: str) -> None:
    if kind.in_person and actor.subsystem:
        raise _denied("no_sign_in", "Việc này cần một người tự đăng nhập", "This needs a person's own sign-in")
    if not actor.name or not actor.may(*roles):
        raise _denied("no_role", "Không có vai trò cần cho việc này", "This needs a role you do not have")
    if kind.of_agency and not actor.is_of(agency):
        raise _denied("other_agency", "Việc này thuộc cơ quan khác", "This belongs to another agency")


def _check_second(proposal: Proposal, actor: Actor) -> None:
    if _is_same(actor.name, proposal.proposed_by):
        raise _denied("second_person", "Cần người thứ hai: người đề xuất không tự quyết định", "A second person decides, not who proposed")


def _is_same(one: str, other: str) -> bool:
    return one.strip().casefold() == other.strip().casefold()


def _require_words(reason: str) -> None:
    if not reason.strip() or len(reason) > LONGEST_REASON or "\x00" in reason:
        raise Unprocessable(f"Expected a reason of at most {LONGEST_REASON} characters.", vi="Cần ghi lý do.")


def digest_of(document: Mapping[str, Any]) -> str:
    """What a second person's yes is bound to. Raises Unprocessable for what cannot be kept."""
    text = json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    if "\\u0000" in text or len(text) > LARGEST_DOCUMENT:
        raise Unprocessable(
            "The proposal cannot be kept.",
            hint="No NUL, at most a million characters.",
            vi="Đề xuất không lưu được.",
            hint_vi="Không có ký tự NUL, nhiều nhất một triệu ký tự.",
        )
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _denied(rule: str, vi: str, en: str) -> Denied:
    return Denied(en, rule=rule, vi=vi, en=en)


def _entry(event: Event, proposal: Proposal, actor: Actor, at: datetime) -> Entry:
    return Entry(
        at,
        event,
        actor.subsystem or actor.agency,
        actor.name,
        request_digest=proposal.digest,
        outcome="done",
        details={"proposal": proposal.number, "kind": proposal.kind, "agency": proposal.agency},
    )
