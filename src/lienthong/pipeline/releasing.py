"""Checks a dataset's rows before it is opened, proposes how to blur them, and keeps who decided what.

    made = check(workshop, contract, actor, limits)            # measured now, kept, in the ledger
    decide(workshop, made.number, actor, ALLOWED, reason, …)   # or, by two persons: a proposal under /v1/approvals
    require_checked(connection, contract, at)                  # before the dataset's entry is opened: or Conflict, naming what is missing

A decision is for a shape: what of the contract was checked. A contract that names another licence, another field or
another quasi-identifier has another shape and must be checked anew. What `FINAL` findings name, nobody can allow.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from lienthong.access import Actor, Role
from lienthong.clock import vietnam_date
from lienthong.contracts import Contract, Sharing
from lienthong.errors import Conflict, Denied, NotFound, Unprocessable
from lienthong.ledger import Entry, Event
from lienthong.pipeline.approving import LONGEST_REASON, Approved, Kind, propose
from lienthong.pipeline.workshop import Workshop
from lienthong.quality.disclosure import (
    Limits,
    Other,
    assess,
    columns_to_measure,
    look_into,
    quasi_identifiers,
    read_as_text,
)
from lienthong.quality.generalising import Proposal, apply
from lienthong.quality.generalising import propose as propose_blur
from lienthong.store import Connection, append_entries, approvals, releasing
from lienthong.store.answers import Ask, newest_version, stream_whole
from lienthong.store.approvals import Proposal as Awaiting
from lienthong.store.releasing import Check, Decision

if TYPE_CHECKING:
    import polars as pl

ALLOWED, REFUSED = "allowed", "refused"
OFFICERS = frozenset({Role.DATA_OFFICER})


def shape_of(contract: Contract) -> str:
    """Hex SHA-256 of what a check depends on: the fields and what is said of them, the key, the entity, the licence."""
    parts = [
        [
            [p.name, p.logical_type, p.standard, p.standard_options, p.sensitivity, p.quasi_identifier, p.confidential, p.counts]
            for p in contract.properties
        ],
        [p.name for p in contract.key],
        contract.entity,
        sorted({role.entity for role in contract.match}),
        contract.layer,
        contract.licence,
    ]
    return hashlib.sha256(json.dumps(parts, sort_keys=True, ensure_ascii=False, default=str).encode()).hexdigest()


def check(workshop: Workshop, contract: Contract, actor: Actor, limits: Limits) -> Check:
    """Measure the newest rows alone and beside every dataset that is open, and keep what was found. Raises Conflict without rows."""
    _require_officer(actor, contract)
    version, rows, in_text = _read(workshop, contract)
    others = [Other(other, _read(workshop, other)[1]) for other in _open_beside(workshop, contract)]
    found = assess(contract, rows, others, limits, in_text)
    at = workshop.clock()
    made = Check(0, contract.id, version, contract.version, shape_of(contract), found.verdict, found.document(), actor.name, at)
    with workshop.database.connect() as connection:
        made = replace(made, number=releasing.add_check(connection, made))
        details = {"check": made.number, "shape": made.shape, "findings": [finding.rule for finding in found.findings]}
        append_entries(connection, [_entry(Event.RELEASE_CHECKED, made, actor, at, found.verdict, details)], workshop.signer)
    return made


def propose_for(workshop: Workshop, contract: Contract, actor: Actor, limits: Limits) -> Proposal:
    """How the newest rows would have to be blurred; nothing is kept or changed. Raises Conflict without rows."""
    _require_officer(actor, contract)
    _, rows, _ = _read(workshop, contract)
    return propose_blur(contract, rows, limits, vietnam_date(workshop.clock()))


def blurred_rows(workshop: Workshop, contract: Contract, actor: Actor, limits: Limits) -> tuple[Proposal, pl.DataFrame]:
    """The quasi-identifiers and confidential values as the proposal would have them opened, in no telling order; in the ledger."""
    _require_officer(actor, contract)
    version, rows, _ = _read(workshop, contract)
    on = vietnam_date(workshop.clock())
    proposal = propose_blur(contract, rows, limits, on)
    given = apply(proposal, contract, rows, limits, on)
    given = given.sort(given.columns, nulls_last=True)  # the order of the source may tell who is who
    at = workshop.clock()
    made = Check(0, contract.id, version, contract.version, shape_of(contract), "", {}, actor.name, at)
    details = {"rows": given.height, "left_out": proposal.rows_left_out}
    with workshop.database.connect() as connection:
        append_entries(connection, [_entry(Event.RELEASE_PREPARED, made, actor, at, "given", details)], workshop.signer)
    return proposal, given


def decide(
    workshop: Workshop, number: int, actor: Actor, outcome: str, reason: str, *, needs_two: bool
) -> Decision | Awaiting:  # fmt: skip
    """Let a checked dataset be opened, or not. What is risky, and everything where `needs_two`, waits for a second person.

    Raises NotFound, Denied, Unprocessable without a reason, Conflict where the contract has changed since or nobody may allow it.
    """
    if outcome not in (ALLOWED, REFUSED):
        raise Unprocessable("Expected allowed or refused.", vi="Cần allowed hoặc refused.")
    if not reason.strip() or len(reason) > LONGEST_REASON or "\x00" in reason:
        raise Unprocessable(f"Expected a reason of at most {LONGEST_REASON} characters.", vi="Cần ghi lý do.")
    with workshop.database.connect() as connection:
        checked = found(connection, number)
    contract = _contract_of(workshop, checked)
    _require_officer(actor, contract)
    if outcome == ALLOWED:
        _require_allowable(checked, contract)
        if needs_two or checked.verdict != "safe":
            document = {
                "check": number, "dataset": checked.dataset, "verdict": checked.verdict, "shape": checked.shape, "reason": reason.strip(),
                "findings": [f["rule"] for f in checked.report["findings"]],
            }  # fmt: skip
            return propose(workshop, RELEASE, actor, document, reason, contract.agency)
    at = workshop.clock()
    with workshop.database.connect() as connection:
        decision = Decision(number, checked.dataset, checked.shape, outcome, reason.strip(), None, actor.name, at, None)
        entry = _decided(connection, checked, decision, actor.agency, actor.subsystem)
        append_entries(connection, [entry], workshop.signer)
    return decision


def _allow(workshop: Workshop, connection: Connection, approved: Approved) -> Sequence[Entry]:
    """The second person's yes."""
    checked = found(connection, approved.document["check"])
    contract = _contract_of(workshop, checked)
    _require_allowable(checked, contract)
    reason = approved.document["reason"]
    decision = Decision(
        checked.number, checked.dataset, checked.shape, ALLOWED, reason, approved.proposed_by, approved.approved_by, approved.at, None
    )
    return [_decided(connection, checked, decision, contract.agency, "", approved.proposal)]


RELEASE = Kind("dataset_opened", OFFICERS, OFFICERS | {Role.LEADER}, _allow, in_person=False, of_agency=True)


def require_checked(connection: Connection, contract: Contract, at: datetime) -> Decision:
    """The decision under which a dataset of this shape may be opened. Raises Conflict whose `rule` says what is missing."""
    if contract.licence is None:
        raise _missing("no_licence", "Hợp đồng chưa nêu giấy phép dữ liệu mở", "The contract names no licence for open data")
    shape, decision = shape_of(contract), releasing.standing_decision(connection, contract.id)
    if decision is not None and decision.outcome == ALLOWED and decision.shape == shape:
        return decision
    _refuse_half_decided(connection, contract, shape, at)
    if decision is None:
        raise _missing("not_checked", "Chưa kiểm tra nguy cơ nhận ra cá nhân", "Whether persons can be recognised was not checked")
    if decision.outcome != ALLOWED:
        raise _missing("opening_refused", "Đã quyết định không mở", "It was decided not to open it")
    raise _missing("shape_changed", "Hợp đồng đã thay đổi từ lần kiểm tra trước", "The contract has changed since it was checked")


def _refuse_half_decided(connection: Connection, contract: Contract, shape: str, at: datetime) -> None:
    """Raises Conflict where this shape was checked and a word is still owed on it: the second person's, or the first."""
    waiting = approvals.waiting(connection, [RELEASE.name], at)
    of_this = [each for each in waiting if (each.document["dataset"], each.document["shape"]) == (contract.id, shape)]
    where_vi = f"“Kiểm tra trước khi mở” của bộ dữ liệu (/console/datasets/{contract.id}/opening)"
    where_en = f"`Check before opening` of the dataset (/console/datasets/{contract.id}/opening)"
    if of_this:
        waits = of_this[-1]
        until = vietnam_date(waits.expires_at)
        raise Conflict(
            f"It was checked; proposal {waits.number} of {waits.proposed_by} to allow opening waits for a second person until {until}.",
            hint=f"Another data officer of {contract.agency}, not {waits.proposed_by}, agrees or refuses at {where_en}; its leader may over the interface.",
            rule="second_person_waited_for", proposal=waits.number, proposed_by=waits.proposed_by,
            vi=f"Đã kiểm tra; đề xuất {waits.number} của {waits.proposed_by} xin cho phép mở còn chờ người thứ hai quyết định, đến hết ngày {until:%d/%m/%Y}.",
            hint_vi=f"Một cán bộ đầu mối dữ liệu khác của {contract.agency} (không phải {waits.proposed_by}) đồng ý hoặc từ chối ở {where_vi}.",
        )  # fmt: skip
    newest = next(iter(releasing.list_checks(connection, contract.id)), None)
    decided = {each.check for each in releasing.decisions_of(connection, contract.id)}
    if newest is not None and newest.shape == shape and newest.number not in decided:
        raise Conflict(
            f"It was checked (check {newest.number}), but nobody has decided on it.", rule="not_decided",
            hint=f"A data officer of {contract.agency} decides at {where_en}.",
            vi=f"Đã kiểm tra (lần {newest.number}) nhưng chưa ai quyết định.",
            hint_vi=f"Cán bộ đầu mối dữ liệu của {contract.agency} quyết định ở {where_vi}.",
        )  # fmt: skip


def found(connection: Connection, number: int) -> Check:
    """A check. Raises NotFound."""
    held = releasing.find_check(connection, number) if 0 < number < 2**63 else None
    if held is None:
        raise NotFound(f"There is no check {number}.", vi=f"Không có lần kiểm tra {number}.")
    return held


def _decided(connection: Connection, checked: Check, decision: Decision, agency: str, subsystem: str, proposal: int | None = None) -> Entry:
    releasing.add_decision(connection, decision)
    details: dict[str, object] = {"check": checked.number, "shape": checked.shape, "verdict": checked.verdict}
    if decision.proposed_by is not None:
        details |= {"proposed_by": decision.proposed_by, "proposal": proposal}
    event = Event.RELEASE_ALLOWED if decision.outcome == ALLOWED else Event.RELEASE_REFUSED
    actor = Actor(decision.decided_by, agency, OFFICERS, subsystem)
    return _entry(event, checked, actor, decision.decided_at, decision.outcome, details)


def _read(workshop: Workshop, contract: Contract) -> tuple[int, pl.DataFrame, dict[tuple[str, str], int]]:
    """(version, the columns to measure, what stands in free text); batch by batch, so that text never lies in memory whole."""
    import polars as pl  # noqa: PLC0415 # loaded when a check is made: commands start without it

    with workshop.database.connect() as connection:
        version = newest_version(connection, contract.id) or 0
    if version == 0:
        raise Conflict(f"`{contract.id}` has no rows yet.", vi=f"`{contract.id}` chưa có dữ liệu.")
    measured = columns_to_measure(contract)
    columns = tuple(dict.fromkeys((*measured, *read_as_text(contract))))
    in_text: Counter[tuple[str, str]] = Counter()

    def pieces() -> Iterator[pl.DataFrame]:
        for batch in stream_whole(workshop.database.url, Ask(contract.id, columns, limit=None), version):
            frame = pl.DataFrame(batch)
            in_text.update(look_into(frame, contract))
            yield frame.select(measured)

    return version, pl.concat(pieces()), dict(in_text)


def _open_beside(workshop: Workshop, contract: Contract) -> list[Contract]:
    """Open datasets whose rows could be laid beside these: they hold a key or quasi-identifier of the same name."""
    if not quasi_identifiers(contract):
        return []
    ours = {*quasi_identifiers(contract), *(p.name for p in contract.key)}
    beside = []
    for other in workshop.contracts.values():
        theirs = {*quasi_identifiers(other), *(p.name for p in other.key)}
        if other.id != contract.id and other.sharing is Sharing.OPEN and ours & theirs and _has_rows(workshop, other):
            beside.append(other)
    return beside


def _has_rows(workshop: Workshop, contract: Contract) -> bool:
    with workshop.database.connect() as connection:
        return bool(newest_version(connection, contract.id))


def _contract_of(workshop: Workshop, checked: Check) -> Contract:
    contract = workshop.contracts.get(checked.dataset)
    if contract is None:
        raise NotFound(f"There is no dataset `{checked.dataset}`.", vi=f"Không có bộ dữ liệu `{checked.dataset}`.")
    return contract


def _require_allowable(checked: Check, contract: Contract) -> None:
    if checked.verdict == "forbidden":
        rules = [str(f["rule"]) for f in checked.report["findings"] if f["is_final"]]
        raise Conflict(
            f"Nobody may open this dataset as it is: {', '.join(rules)}.",
            hint="Change the contract, or blur the rows as `lienthong open propose` says.",
            rule=rules[0],
            vi=f"Không ai được mở bộ dữ liệu này ở dạng hiện tại: {', '.join(rules)}.",
            hint_vi="Sửa hợp đồng, hoặc khái quát hóa các hàng theo `lienthong open propose`.",
        )
    if checked.shape != shape_of(contract):
        raise _missing("shape_changed", "Hợp đồng đã thay đổi từ lần kiểm tra này", "The contract has changed since this check")


def _missing(rule: str, vi: str, en: str) -> Conflict:
    return Conflict(
        en + ".", hint="`lienthong open check` checks it.", rule=rule, vi=vi + ".", hint_vi="Kiểm tra bằng `lienthong open check`."
    )


def _require_officer(actor: Actor, contract: Contract) -> None:
    if not actor.is_of(contract.agency):
        raise Denied(
            "This belongs to another agency", rule="other_agency", vi="Việc này thuộc cơ quan khác", en="This belongs to another agency"
        )
    if not actor.may(*OFFICERS):
        raise Denied("This needs a data officer", rule="no_role", vi="Việc này cần cán bộ đầu mối dữ liệu", en="This needs a data officer")


def _entry(event: Event, checked: Check, actor: Actor, at: datetime, outcome: str, details: Mapping[str, object]) -> Entry:
    return Entry(
        at,
        event,
        actor.subsystem or actor.agency,
        actor.name,
        dataset=checked.dataset,
        version=checked.version,
        outcome=outcome,
        details=details,
    )
