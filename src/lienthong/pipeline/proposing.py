"""A correction proposed by who is not authoritative for the values: it reaches the agency that is, with a clock, its evidence and its outcome.

Accepted, it is the owner's own act: written as any write of theirs, with the proposal named. A proposal says nothing of what its maker may
not see: what stands, and whether it was so already, is told to the owner alone.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from lienthong.access import Actor, Role
from lienthong.clock import vietnam_date
from lienthong.contracts import Contract, Layer
from lienthong.errors import Conflict, Denied, NotFound, Unprocessable
from lienthong.ledger import Entry, Event
from lienthong.pipeline.judge import cleaning
from lienthong.pipeline.workshop import Workshop
from lienthong.pipeline.writing import CONFLICT, NEW, REFUSED, Change, Manner, Within, Written, everything, write_record
from lienthong.standards import PROBLEMS
from lienthong.store import Connection, append_entries, events, writes
from lienthong.store import proposals as store
from lienthong.store.proposals import Proposal

LONGEST_TEXT = 2_000
DueOn = Callable[[date], date]  # the last day to decide what came in on a day


@dataclass(frozen=True)
class Evidence:
    """Why it should be believed: words, a document's number or address, the proposer's own record as (dataset, key)."""

    text: str = ""
    document: str = ""
    record: tuple[str, str] | None = None

    def as_document(self) -> dict[str, Any]:
        record = None if self.record is None else {"dataset": self.record[0], "key": self.record[1]}
        return {name: value for name, value in (("text", self.text), ("document", self.document), ("record", record)) if value}


@dataclass(frozen=True)
class Wish:
    """What is proposed: values by property, or None that the record should end. `fields`: what the proposer may see, None: everything."""

    key: str
    values: Mapping[str, Any] | None
    reason: str
    evidence: Evidence = Evidence()
    fields: Collection[str] | None = None


def propose(
    workshop: Workshop, contract: Contract, wish: Wish, actor: Actor, manner: Manner, due_on: DueOn, within: Within = everything
) -> list[Proposal]:
    """Make a proposal for each agency that decides over some of the values. An actor without agency is a citizen.

    Raises NotFound for a record not among the actor's rows, Denied for a field the actor may not see, Unprocessable for a value that its standard
    does not read, for no reason, or for values the actor's agency may write itself, Conflict when the same is proposed already.
    """
    _check(workshop, contract, wish, actor)
    at = workshop.clock()
    with workshop.database.connect() as connection:
        standing = writes.record(connection, contract, wish.key)
        if standing is not None and not within(standing.values):
            standing = None  # as if it were not there: that it is, is not told
        if standing is None and (wish.values is None or not {p.name for p in contract.key} <= set(wish.values)):
            raise NotFound("There is no such record among those you may see.", vi="Không có bản ghi này trong phạm vi được xem.")
        kind = "end" if wish.values is None else "change" if standing is not None else "begin"
        made = []
        for owner, values in _by_owner(contract, wish, kind).items():
            proposal = Proposal(
                0, contract.id, wish.key, kind, values, NEW if standing is None else standing.version, wish.reason.strip(),
                wish.evidence.as_document(), owner, actor.name, actor.agency, actor.subsystem, at, due_on(vietnam_date(at)),
            )  # fmt: skip
            alike = store.open_alike(connection, proposal)
            if alike is not None:
                raise Conflict(f"Proposal {alike} says this already and is open.", vi=f"Đề nghị {alike} về nội dung này đang chờ trả lời.")
            made.append(replace(proposal, proposal=store.add(connection, proposal)))
        for proposal in made:
            _tell_owner(connection, proposal)
        entries = [_entry(workshop, Event.CORRECTION_PROPOSED, proposal, actor, manner, "open") for proposal in made]
        append_entries(connection, entries, workshop.signer)
    return made


def accept(
    workshop: Workshop, contract: Contract, proposal: Proposal, actor: Actor, manner: Manner, *, version: int, words: str = ""
) -> Written:
    """The deciding agency makes a proposal its own act. `version`: of the record as the person had it before them.

    Gives what became of the write: after `conflict` or `refused` the proposal stays open. Raises Denied for who does not decide, Conflict when it is
    decided already.
    """
    _must_decide(proposal, actor)
    at = workshop.clock()

    def close(connection: Connection, published: int | None) -> None:
        if not store.decide(connection, proposal.proposal, "accepted", actor.name, words.strip(), at, published):
            raise _decided(proposal)
        _tell(connection, replace(proposal, state="accepted", words=words.strip()))
        append_entries(connection, [_entry(workshop, Event.CORRECTION_ACCEPTED, proposal, actor, manner, "accepted")], workshop.signer)

    _must_be_open(workshop, proposal)
    change = Change(proposal.key, None if proposal.kind == "end" else proposal.values, NEW if proposal.kind == "begin" else version)
    through = replace(manner, details={**manner.details, "proposal": proposal.proposal})
    return write_record(workshop, contract, change, actor, through, also=close)


def refuse(workshop: Workshop, proposal: Proposal, actor: Actor, manner: Manner, words: str) -> None:
    """The deciding agency says no, and why. Raises Denied, Conflict, Unprocessable without a reason."""
    _must_decide(proposal, actor)
    if not words.strip():
        raise Unprocessable("A refusal needs a reason.", vi="Từ chối phải nêu lý do.")
    _close(workshop, proposal, actor, manner, "refused", words, Event.CORRECTION_REFUSED)


def withdraw(workshop: Workshop, proposal: Proposal, actor: Actor, manner: Manner, words: str = "") -> None:
    """Who made it takes it back. Raises Denied, Conflict."""
    if not made_by(proposal, actor):
        raise Denied("Only who made a proposal may withdraw it.", rule="not_yours", vi="Chỉ người đề nghị được rút lại.")
    _close(workshop, proposal, actor, manner, "withdrawn", words, Event.CORRECTION_WITHDRAWN)


def find(workshop: Workshop, proposal: int, actor: Actor) -> Proposal:
    """A proposal that concerns the actor: one they made, or decide. Raises NotFound."""
    with workshop.database.connect() as connection:
        found = store.find(connection, proposal)
    if found is None or not (made_by(found, actor) or actor.is_of(found.owner)):
        raise NotFound("There is no such proposal among those that concern you.", vi="Không có đề nghị này trong phạm vi của bạn.")
    return found


def made_by(proposal: Proposal, actor: Actor) -> bool:
    """Whether the actor, or their agency, made it."""
    return actor.is_of(proposal.by_agency) or (not proposal.by_agency and not actor.agency and actor.name == proposal.by_name)


def standing_of(workshop: Workshop, contract: Contract, proposal: Proposal) -> tuple[int, Mapping[str, Any] | None]:
    """(version, values) of the record as it is now, for who decides; (0, None) when it is not there."""
    with workshop.database.connect() as connection:
        found = writes.record(connection, contract, proposal.key)
    return (NEW, None) if found is None else (found.version, found.values)


def _check(workshop: Workshop, contract: Contract, wish: Wish, actor: Actor) -> None:
    if contract.layer is Layer.MASTER:
        raise Unprocessable(
            f"Records of `{contract.id}` are made from those of registers.",
            hint="Propose the change at the register the value comes from; its provenance names it.",
            vi=f"Bản ghi của `{contract.id}` được lập từ các sổ nguồn: hãy đề nghị ở sổ nguồn.",
            hint_vi="Đề nghị sửa ở sổ nguồn của giá trị; nguồn gốc của giá trị nêu tên sổ đó.",
        )
    for name, text in (("reason", wish.reason), ("evidence.text", wish.evidence.text), ("evidence.document", wish.evidence.document)):
        if len(text) > LONGEST_TEXT or "\x00" in text:
            raise Unprocessable(f"`{name}`: expected at most {LONGEST_TEXT} characters.", vi=f"`{name}`: nhiều nhất {LONGEST_TEXT} ký tự.")
    if not wish.reason.strip():
        raise Unprocessable("A proposal needs a reason.", vi="Đề nghị sửa phải nêu lý do.")
    if wish.values is not None:
        _check_values(workshop, contract, wish, wish.values, actor)
    if wish.evidence.record is not None:
        _check_record(workshop, wish.evidence.record, actor)


def _check_values(workshop: Workshop, contract: Contract, wish: Wish, values: Mapping[str, Any], actor: Actor) -> None:
    if not values:
        raise Unprocessable("No value is proposed.", vi="Chưa đề nghị giá trị nào.")
    names = {p.name for p in contract.properties}
    for name, value in values.items():
        if name not in names:
            raise Unprocessable(f"`{contract.id}` has no property `{name[:60]}`.", vi=f"`{contract.id}` không có trường `{name[:60]}`.")
        if wish.fields is not None and name not in wish.fields:
            raise Denied(
                f"`{name}` is not part of what you may see.", rule="field_not_visible", vi=f"Trường `{name}` không thuộc phạm vi được xem."
            )
        _check_value(workshop, contract, name, value)
    own = sorted(name for name in values if actor.is_of(contract.authority_of(name)))
    if own:
        raise Unprocessable(
            f"Your own agency decides over {', '.join(f'`{name}`' for name in own)}.",
            hint="Write it: PATCH /v1/datasets/{dataset}/records/{key}.",
            vi=f"Cơ quan bạn có thẩm quyền với {', '.join(f'`{name}`' for name in own)}: hãy ghi trực tiếp.",
            hint_vi="Hãy ghi: PATCH /v1/datasets/{dataset}/records/{key}.",
        )


def _check_value(workshop: Workshop, contract: Contract, name: str, value: Any) -> None:
    p = contract.property_named(name)
    standard, options = cleaning(p, accept_synthetic_ids=workshop.accept_synthetic_ids, province=workshop.province)
    text = value if value is None or isinstance(value, str) else "true" if value is True else "false" if value is False else str(value)
    if p.as_of is not None:
        return  # what it may be depends on a day; it is judged when it is written
    cleaned = standard.clean(text, options)
    if cleaned.problem is not None and PROBLEMS[cleaned.problem].severity == "error":
        problem = PROBLEMS[cleaned.problem]
        raise Unprocessable(
            f"`{name}`: {problem.en}",
            hint=problem.expected_en,
            vi=f"`{name}`: {problem.vi}. Cần {problem.expected_vi}",
            hint_vi=problem.expected_vi,
        )


def _check_record(workshop: Workshop, record: tuple[str, str], actor: Actor) -> None:
    """Evidence out of a register is the proposer's own: nobody learns of another's record by naming it."""
    contract = workshop.contracts.get(record[0])
    if contract is None or not actor.is_of(contract.agency):
        raise Unprocessable(
            "`evidence.record`: expected a record of your own agency's dataset.", vi="`evidence.record` phải là bản ghi của cơ quan bạn."
        )
    with workshop.database.connect() as connection:
        if writes.record(connection, contract, record[1]) is None:
            raise Unprocessable(
                "`evidence.record`: your dataset has no such record.", vi="`evidence.record`: bộ dữ liệu của bạn không có bản ghi này."
            )


def _by_owner(contract: Contract, wish: Wish, kind: str) -> dict[str, dict[str, Any]]:
    """Who decides → the values they decide over; whether a record begins or ends is the owner's alone."""
    if kind != "change":
        return {contract.agency: dict(wish.values or {})}
    found: dict[str, dict[str, Any]] = {}
    for name, value in (wish.values or {}).items():
        found.setdefault(contract.authority_of(name), {})[name] = value
    return found


def _must_decide(proposal: Proposal, actor: Actor) -> None:
    if not actor.is_of(proposal.owner) or not actor.may(Role.DATA_OFFICER, Role.STEWARD, Role.LEADER):
        raise Denied(
            "Only the agency it was made to decides a proposal.",
            rule="not_authoritative",
            vi="Chỉ cơ quan có thẩm quyền được quyết định đề nghị này.",
        )


def _must_be_open(workshop: Workshop, proposal: Proposal) -> None:
    with workshop.database.connect() as connection:
        found = store.find(connection, proposal.proposal)
    if found is None or found.state != "open":
        raise _decided(proposal)


def _decided(proposal: Proposal) -> Conflict:
    return Conflict(f"Proposal {proposal.proposal} is decided already.", vi=f"Đề nghị {proposal.proposal} đã được xử lý.")


def _close(workshop: Workshop, proposal: Proposal, actor: Actor, manner: Manner, state: str, words: str, event: Event) -> None:
    if len(words) > LONGEST_TEXT or "\x00" in words:
        raise Unprocessable(f"`reason`: expected at most {LONGEST_TEXT} characters.", vi=f"`reason`: nhiều nhất {LONGEST_TEXT} ký tự.")
    with workshop.database.connect() as connection:
        if not store.decide(connection, proposal.proposal, state, actor.name, words.strip(), workshop.clock()):
            raise _decided(proposal)
        _tell(connection, replace(proposal, state=state))
        append_entries(connection, [_entry(workshop, event, proposal, actor, manner, state)], workshop.signer)


def _tell(connection: Connection, proposal: Proposal) -> None:
    """Tell the system that made it what became of it; a person sees it in their list."""
    if proposal.by_subsystem:
        data = {"consumer": proposal.by_subsystem, "proposal": proposal.proposal, "state": proposal.state}
        events.append(connection, f"correction:{proposal.state}", proposal.dataset_id, str(proposal.proposal), data)


def _tell_owner(connection: Connection, proposal: Proposal) -> None:
    """Tell the systems of the agency that decides that something waits for it, and until when."""
    data = {"owner": proposal.owner, "proposal": proposal.proposal, "kind": proposal.kind, "due_on": proposal.due_on.isoformat()}
    events.append(connection, "correction:proposed", proposal.dataset_id, str(proposal.proposal), data)


def _entry(workshop: Workshop, event: Event, proposal: Proposal, actor: Actor, manner: Manner, outcome: str) -> Entry:
    return Entry(
        at=workshop.clock(),
        event=event,
        caller=manner.caller,
        official=actor.name,
        purpose=manner.purpose,
        legal_basis=manner.legal_basis,
        agreement=manner.agreement,
        dataset=proposal.dataset_id,
        subject=manner.subject,
        fields=tuple(sorted(proposal.values)),
        outcome=outcome,
        details={"proposal": proposal.proposal, "owner": proposal.owner, "due_on": proposal.due_on.isoformat()},
    )


__all__ = ["CONFLICT", "REFUSED", "Evidence", "Wish", "accept", "find", "made_by", "propose", "refuse", "standing_of", "withdraw"]
