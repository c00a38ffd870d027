"""One record written through the axis by who is authoritative for its values: the same checks as any source, nobody's change lost silently.

A write names the version it was made from. When the record has moved on since, nothing is written and both sides are given back.
What one is not authoritative for is proposed instead (`pipeline.proposing`).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

import pyarrow as pa

from lienthong.access import RULES, Actor
from lienthong.clock import vietnam_date
from lienthong.contracts import Contract, Delivery, Layer
from lienthong.errors import Conflict, Denied, LienthongError, NotFound, Unprocessable
from lienthong.ledger import Entry, Event
from lienthong.pipeline.delivered import API, CORRECTION, PLATFORM, Delivered
from lienthong.pipeline.match_published import match_published
from lienthong.pipeline.run import publish_landing
from lienthong.pipeline.submit import LOCK_WAIT_SECONDS
from lienthong.pipeline.workshop import Workshop, no_progress
from lienthong.store import Connection, VersionWriter, append_entries, dataset_lock, landing, runs, submissions, writes
from lienthong.store.landing import EncodedBatch, LandedFile, encode_rows
from lienthong.store.runs import Counts
from lienthong.store.writes import StandingRecord

NEW = 0  # the version of a record that is not there yet
WRITTEN, UNCHANGED, REFUSED, CONFLICT = "written", "unchanged", "refused", "conflict"


@dataclass(frozen=True)
class Manner:
    """By which road an act comes, for the ledger: who it is through, why, under what; `subject` is the keyed hash of the record."""

    caller: str = PLATFORM
    purpose: str = ""
    agreement: str = ""
    legal_basis: str = ""
    subject: str | None = None
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Change:
    """What is to become of one record. `values` by property; None: the record ends. `version`: of the record it was made from."""

    key: str
    values: Mapping[str, Any] | None
    version: int


@dataclass(frozen=True)
class Written:
    """What became of a change: `outcome` is written, unchanged, refused or conflict.

    `record` is the record as it stands now (None: it is not there), `base` as it was at the version the change was made from, where that is
    known; `verdicts` are {field, fate, issues} for each value sent. Values are whole: whoever shows them masks and withholds first.
    """

    outcome: str
    version: int
    dataset_version: int | None = None
    verdicts: Sequence[Mapping[str, Any]] = ()
    record: Mapping[str, Any] | None = None
    base: Mapping[str, Any] | None = None
    is_repeat: bool = False


Within = Callable[[Mapping[str, Any]], bool]


Also = Callable[[Connection, int | None], None]


def nothing_else(_: Connection, __: int | None) -> None:
    """Nothing becomes true together with a change but the change."""


def everything(_: Mapping[str, Any]) -> bool:
    """A caller who may see every row."""
    return True


def foreign_fields(contract: Contract, agency: str, names: Collection[str]) -> dict[str, str]:
    """Field → the agency that may change it, of those that `agency` may not."""
    return {name: owner for name in names if (owner := contract.authority_of(name)) != agency}


def write_record(
    workshop: Workshop, contract: Contract, change: Change, actor: Actor, manner: Manner, *, idempotency_key: str = "",
    within: Within = everything, also: Also = nothing_else,
) -> Written:  # fmt: skip
    """Write values of a record, begin one (`change.version` is NEW), or end one, as one published version with its ledger entry.

    Values not named stay exactly as they are. `also(connection, version)` writes what must become true together with the change. The same idempotency key with the same change gives the same answer and does nothing.
    Raises Denied for what the actor's agency is not authoritative for, NotFound for a record that is not there (or not within the caller's
    rows), Unprocessable for unknown fields, Conflict for a changed key, or when the idempotency key was used for another change.
    """
    _check(contract, change, actor)
    digest = hashlib.sha256(
        json.dumps([change.key, change.values, change.version], ensure_ascii=False, sort_keys=True, default=str).encode()
    )
    remembered = _Remembered(manner.caller, contract.id, idempotency_key, digest.digest())
    database = workshop.database
    with database.connect(autocommit=True) as connection, dataset_lock(connection, contract.id, wait_seconds=LOCK_WAIT_SECONDS):
        repeat = remembered.find(connection)
        if repeat is not None:
            return repeat
        standing = writes.record(connection, contract, change.key)
        if (standing is None and change.version != NEW) or (standing is not None and not within(standing.values)):
            raise NotFound("There is no such record among those you may see.", vi="Không có bản ghi này trong phạm vi được xem.")
        if standing is not None and standing.version != change.version:
            return Written(CONFLICT, standing.version, None, (), standing.values, _base(connection, contract, change))
        if standing is not None and change.values is not None:
            _keep_the_key(contract, change.values, standing)
        act = _Act(workshop, connection, contract, change, actor, manner, standing, remembered, also)
        return act.end() if change.values is None else act.write(change.values)


def _keep_the_key(contract: Contract, values: Mapping[str, Any], standing: StandingRecord) -> None:
    """Values that are the key may be said again, not changed."""
    for p in contract.key:
        if p.name in values and _text(values[p.name]) != _held(standing.values[p.name]):
            raise _other_record()


def _other_record() -> Conflict:
    return Conflict(
        "The values that are the key would make it another record.",
        hint="End this record and begin the other one.",
        vi="Không được đổi giá trị thuộc khóa: đó sẽ là một bản ghi khác.",
        hint_vi="Hãy kết thúc bản ghi này và bắt đầu bản ghi kia.",
    )


def _check(contract: Contract, change: Change, actor: Actor) -> None:
    if contract.layer is Layer.MASTER:
        raise Unprocessable(
            f"Records of `{contract.id}` are made from those of registers.",
            hint="Write to the register they come from, or propose a correction there.",
            vi=f"Bản ghi của `{contract.id}` được lập từ các sổ nguồn: hãy ghi vào sổ nguồn.",
            hint_vi="Ghi vào sổ nguồn của bản ghi, hoặc đề nghị sửa ở đó.",
        )
    names = {p.name for p in contract.properties}
    unknown = sorted(set(change.values or ()) - names)
    if unknown:
        raise Unprocessable(
            f"`{contract.id}` has no property {', '.join(f'`{name}`' for name in unknown)}.",
            vi=f"`{contract.id}` không có trường {', '.join(f'`{name}`' for name in unknown)}.",
        )
    if change.values is not None and not change.values:
        raise Unprocessable("No value is sent: there is nothing to write.", vi="Không có giá trị nào được gửi.")
    begins_or_ends = change.values is None or change.version == NEW
    foreign = foreign_fields(contract, actor.agency, names if begins_or_ends else change.values or ())
    if begins_or_ends:
        foreign = {} if actor.is_of(contract.agency) else foreign or {"": contract.agency}
    if foreign:
        vi, en = RULES["not_authoritative"]
        told = ", ".join(f"`{name}` ({owner})" if name else owner for name, owner in sorted(foreign.items()))
        raise Denied(
            f"{en}: {told}.",
            hint="Propose the change: POST /v1/proposals.",
            rule="not_authoritative",
            vi=f"{vi}: {told}.",
            hint_vi="Đề xuất thay đổi: POST /v1/proposals.",
        )


def _base(connection: Connection, contract: Contract, change: Change) -> Mapping[str, Any] | None:
    return None if change.version == NEW else writes.record_then(connection, contract, change.key, change.version)


@dataclass(frozen=True)
class _Remembered:
    """An answer by its idempotency key; without a key nothing is remembered."""

    caller: str
    dataset: str
    key: str
    digest: bytes

    def find(self, connection: Connection) -> Written | None:
        found = submissions.find(connection, self.caller, self.dataset, self.key) if self.key else None
        if found is None:
            return None
        if found.body_digest != self.digest:
            raise Conflict(
                f"Idempotency-Key `{self.key}` was used for another request.",
                hint="Use a new key for a new request.",
                vi=f"Idempotency-Key `{self.key}` đã dùng cho yêu cầu khác.",
                hint_vi="Hãy dùng khóa mới cho yêu cầu mới.",
            )
        return Written(**found.answer, is_repeat=True)

    def keep(self, write: Connection, run_id: int, written: Written, at: datetime) -> None:
        """The record itself is not kept a second time: a repeated answer tells what became of each value."""
        if self.key:
            answer = {"outcome": written.outcome, "version": written.version, "dataset_version": written.dataset_version,
                      "verdicts": list(written.verdicts)}  # fmt: skip
            submissions.keep(write, self.caller, self.dataset, self.key, self.digest, run_id, answer, at)


class _Refused(Exception):
    """A rule of the contract does not let the change through: what was written so far is rolled back."""

    def __init__(self, issues: Sequence[Mapping[str, Any]]) -> None:
        super().__init__()
        self.issues = issues


@dataclass(frozen=True)
class _Act:
    """One change under the dataset's lock, from landing to version."""

    workshop: Workshop
    connection: Connection
    contract: Contract
    change: Change
    actor: Actor
    manner: Manner
    standing: StandingRecord | None
    remembered: _Remembered
    also: Also

    @property
    def source_name(self) -> str:
        """A record that came by a source stays one of that source's: when the source drops it, it ends."""
        return API if self.standing is None or self.standing.source_name == API else CORRECTION

    def write(self, values: Mapping[str, Any]) -> Written:
        at = self.workshop.clock()
        run_id = self._land(values, at)
        touched = tuple(p.name for p in self.contract.properties if p.name in values)
        delivered = Delivered(
            run_id=run_id,
            source_name=self.source_name,
            delivery=Delivery.INCREMENTAL,
            delivered_on=vietnam_date(at),
            caller=self.manner.caller,
            official=self.actor.name,
            purpose=self.manner.purpose,
            event=Event.RECORD_WRITTEN,
            touched=touched,
            subject=self.manner.subject,
            agreement=self.manner.agreement,
            legal_basis=self.manner.legal_basis,
            details=self.manner.details,
        )
        kept: list[Written] = []
        try:
            publish_landing(
                self.workshop, self.connection, self.contract, delivered, no_progress, lambda write: kept.append(self._keep(write, run_id, touched, at))
            )  # fmt: skip
        except _Refused as refused:
            return self._refuse(run_id, touched, refused.issues)
        except LienthongError:
            runs.fail(self.connection, run_id, self.workshop.clock(), "The change could not be written.")
            raise
        return replace(kept[0], record=self._now())

    def _land(self, values: Mapping[str, Any], at: datetime) -> int:
        before: Mapping[str, Any] = {} if self.standing is None else self.standing.values
        known = frozenset() if self.standing is None else self.standing.delivered
        names = [p.name for p in self.contract.properties if p.name in values or p.name in known or p.required or p.key_position]
        row = {name: _text(values[name]) if name in values else _held(before.get(name)) for name in names}
        table = pa.table({name: pa.array([value], pa.string()) for name, value in row.items()})
        with self.connection.transaction():
            run_id = self._begin(at)
            landing.add_file(self.connection, run_id, LandedFile(1, "api", "", "", 0, "", 1.0))
            landing.add_batch(self.connection, run_id, 1, EncodedBatch(1, 1, 1, encode_rows(table, pa.array([1], pa.int64()))), {})
            runs.landed(self.connection, run_id, 1, None)
        return run_id

    def _begin(self, at: datetime) -> int:
        contract = self.contract
        return runs.begin(
            self.connection, contract.id, self.source_name, Delivery.INCREMENTAL.value, contract.digest, None, at, vietnam_date(at)
        )

    def _keep(self, write: Connection, run_id: int, touched: Sequence[str], at: datetime) -> Written:
        """Inside the publication: refuse what does not pass, remember what does."""
        issues = submissions.run_issues(write, run_id).get(1, [])
        if submissions.held_rows(write, run_id):
            raise _Refused(issues)
        published = submissions.published_rows(write, self.contract.id, run_id).get(1)
        is_same = published is None
        now = writes.record(write, self.contract, self.change.key)
        if now is None or (published is not None and published != self.change.key):
            raise _other_record()
        before: Mapping[str, Any] = {} if self.standing is None else self.standing.values
        changed = [name for name in touched if now.values[name] != before.get(name) or self.standing is None]
        if not is_same and self.standing is not None:
            done = writes.Write(self.change.key, now.version, run_id, self.actor.agency, at)
            writes.note_writes(write, self.contract, done, changed)
        verdicts = _verdicts(touched, issues, changed, REFUSED if is_same else WRITTEN)
        written = Written(UNCHANGED if is_same else WRITTEN, now.version, None if is_same else now.version, verdicts)
        self.remembered.keep(write, run_id, written, at)
        self.also(write, written.dataset_version)
        return written

    def _refuse(self, run_id: int, touched: Sequence[str], issues: Sequence[Mapping[str, Any]]) -> Written:
        """Nothing changed and nothing waits: who writes is told at once. The landing stays as it came."""
        at = self.workshop.clock()
        with self.connection.transaction():
            runs.fail(self.connection, run_id, at, "The change broke a rule of the contract.")
            entry = self._entry(Event.RECORD_REFUSED, REFUSED, at, None, {"run": run_id, "issues": len(issues)}, tuple(touched))
            append_entries(self.connection, [entry], self.workshop.signer)
        version = NEW if self.standing is None else self.standing.version
        verdicts = _verdicts(touched, issues, (), REFUSED)
        return Written(REFUSED, version, None, verdicts, None if self.standing is None else self.standing.values)

    def end(self) -> Written:
        """End the record: closed in current, kept in history, told in the change feed, taken out of its golden record."""
        assert self.standing is not None  # only a record that is there has a version to end
        at = self.workshop.clock()
        with self.connection.transaction():
            run_id = self._begin(at)
            runs.landed(self.connection, run_id, 0, None)
        with self.workshop.database.connect() as write:
            writer = VersionWriter(write, self.contract)
            writes.stage_end(write, self.contract, self.change.key)
            published = writer.publish(vietnam_date(at), end_missing=True)
            delivered = [p.name for p in self.contract.properties if p.name in self.standing.delivered]
            writer.record(run_id, at, delivered, published)
            writes.note_end(write, self.contract, self.change.key, self.standing.digest, run_id, at)
            runs.finish(write, run_id, "published", at, Counts(rows_ended=published.ended), self.contract.digest, writer.version)
            if self.contract.match:
                match_published(self.workshop, write, self.contract, writer.version, 1, self.actor.name, at)
            written = Written(WRITTEN, NEW, writer.version)
            self.remembered.keep(write, run_id, written, at)
            self.also(write, writer.version)
            entry = self._entry(Event.RECORD_ENDED, "ended", at, writer.version, {"run": run_id, **self.manner.details})
            append_entries(write, [entry], self.workshop.signer)
        return written

    def _entry(
        self, event: Event, outcome: str, at: datetime, version: int | None, details: Mapping[str, Any], fields: tuple[str, ...] = ()
    ) -> Entry:
        return Entry(
            at=at,
            event=event,
            caller=self.manner.caller,
            official=self.actor.name,
            purpose=self.manner.purpose,
            legal_basis=self.manner.legal_basis,
            agreement=self.manner.agreement,
            dataset=self.contract.id,
            version=version,
            subject=self.manner.subject,
            fields=fields,
            outcome=outcome,
            details=details,
        )

    def _now(self) -> Mapping[str, Any] | None:
        found = writes.record(self.connection, self.contract, self.change.key)
        return None if found is None else found.values


def _verdicts(touched: Sequence[str], issues: Sequence[Mapping[str, Any]], changed: Collection[str], fate: str) -> list[dict[str, Any]]:
    """What became of each value sent; issues that speak of other columns, or of the row, come under no field."""
    found = [
        {
            "field": name,
            "fate": fate if name in changed or (fate == REFUSED and _of(issues, name)) else UNCHANGED,
            "issues": _of(issues, name),
        }
        for name in touched
    ]
    others = [issue for issue in issues if issue["column"] not in touched]
    return [*found, {"field": None, "fate": fate, "issues": others}] if others else found


def _of(issues: Sequence[Mapping[str, Any]], name: str) -> list[Mapping[str, Any]]:
    return [issue for issue in issues if issue["column"] == name]


def _text(value: Any) -> str | None:
    """A value that was sent, as the text a file would have held."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return json.dumps(value, ensure_ascii=False)


def _held(value: Any) -> str | None:
    """A value that stands, as text a standard reads back; it is put back exactly before it is published (`writes.keep_untouched`)."""
    if isinstance(value, datetime | date):
        return value.isoformat()
    return _text(value)
