"""One pass of one dataset from source to published version, and a person's word on a run that waits."""

from __future__ import annotations

import time
from collections.abc import Generator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from typing import Any

from lienthong import connectors
from lienthong.clock import vietnam_date
from lienthong.contracts import Contract, Delivery, Source
from lienthong.errors import LienthongError, NotFound, RunError, Unprocessable
from lienthong.ledger import Entry, Event
from lienthong.log import get_logger
from lienthong.pipeline.delivered import PLATFORM, Delivered
from lienthong.pipeline.land import land
from lienthong.pipeline.picked import Rows, pick
from lienthong.pipeline.publish import Arriving, BeforeEntry, Outcome, Publication
from lienthong.pipeline.standing import Standing
from lienthong.pipeline.units import follow
from lienthong.pipeline.workshop import OnProgress, Progress, RunOutcome, Workshop, no_progress
from lienthong.store import Connection, VersionWriter, append_entries, dataset_lock, landing, runs, tables
from lienthong.store.landing import LandedBatch
from lienthong.store.runs import Counts, LastDone, StoredRun
from lienthong.store.tables import Applied

log = get_logger("run")
MOST_LOOKED_BACK = 1_000  # runs
NEEDS_REASON = ("closed_period", "withdrawn_before")  # bounds nobody lets pass without saying why
NEW_AT_HAND = 200_000  # new rows kept in memory while a delivery lands; of more than these all are read back from the landing


def apply_contract(workshop: Workshop, contract: Contract) -> Applied:
    """Create or migrate the dataset's tables; an entry in the ledger when anything changed.

    Raises UnsafeMigration when data would be lost; the old contract then stays in force.
    """
    at = workshop.clock()
    with workshop.database.connect() as connection:
        applied = tables.apply_tables(connection, contract)
        if applied.outcome != "unchanged":
            entry = Entry(
                at=at,
                event=Event.CONTRACT_APPLIED,
                caller=PLATFORM,
                dataset=contract.id,
                outcome=applied.outcome,
                details={"contract_version": contract.version, "contract_digest": contract.digest},
            )
            append_entries(connection, [entry], workshop.signer)
    return applied


def run_dataset(
    workshop: Workshop, contract: Contract, source_name: str | None = None, delivered_on: date | None = None,
    on_progress: OnProgress = no_progress, *, whole: bool = False,
) -> RunOutcome:  # fmt: skip
    """Read a source, and publish what is new. Goes on with a run that was cut off; a delivery seen before is recognised by its hash.

    `whole`: read a source of increments or changes from its beginning; of changes, records it no longer holds then end.

    `source_name` may be left out when the contract has one source. `delivered_on`: the delivery's own date, by default today in Vietnam.
    Raises DatasetBusyError when another run of the dataset is at work, SourceError when the source cannot be read (the run is then `failed`).
    """
    began = time.monotonic()
    source = _source(contract, source_name)
    follow(workshop)
    with workshop.database.connect(autocommit=True) as connection, dataset_lock(connection, contract.id):
        run = _Run(workshop, connection, contract, source, on_progress, whole)
        try:
            outcome = run.take(delivered_on or vietnam_date(workshop.clock()))
        finally:
            connectors.let_go(source, workshop.read_context)
    on_progress(Progress(contract.id, "done", outcome.rows_in, outcome.rows_in))
    return _with_seconds(outcome, time.monotonic() - began)


def run_again(workshop: Workshop, contract: Contract, source_name: str | None = None, on_progress: OnProgress = no_progress) -> RunOutcome:
    """Judge what a source delivered anew from its landing, under today's contract, mapping and code lists; nothing is fetched.

    Of a source that delivers the whole its newest delivery; of others all since it was last read whole, for what a record is lies in
    many of them: the last one that speaks of it counts. Raises RunError where nothing landed yet.
    """
    began = time.monotonic()
    source = _source(contract, source_name)
    follow(workshop)
    with workshop.database.connect(autocommit=True) as connection, dataset_lock(connection, contract.id):
        done = runs.last_done(connection, contract.id, source.name)
        stored = None if done is None else runs.show(connection, done.run_id)
        if done is None or stored is None:
            raise RunError(f"`{contract.id}`, `{source.name}`: nothing has been taken in yet.", vi="Chưa có lần nạp nào.")
        is_whole = source.delivery is Delivery.SNAPSHOT
        landed = [landed_by(connection, stored)] if is_whole else runs.deliveries(connection, contract.id, source.name)
        fingerprint = stored.fingerprint if is_whole else runs.AGAIN
        at = workshop.clock()
        with connection.transaction():
            run_id = runs.begin(
                connection, contract.id, source.name, source.delivery.value, contract.digest, fingerprint, at, stored.delivered_on
            )
            begins = [landing.copy(connection, each, run_id) for each in landed]
            runs.landed(connection, run_id, landing.reached(connection, run_id).row_no, done.position)
        details = {"again_from_run": landed[-1], "deliveries": len(landed)} if landed else {}
        delivered = Delivered(
            run_id, source.name, source.delivery, stored.delivered_on, fingerprint, details=details, is_again=True,
            begins=() if is_whole else tuple(begins),
        )  # fmt: skip
        try:
            outcome = publish_landing(workshop, connection, contract, delivered, on_progress)
        except LienthongError as error:
            _Run(workshop, connection, contract, source, on_progress).fail(run_id, error.message)
            raise
    on_progress(Progress(contract.id, "done", outcome.rows_in, outcome.rows_in))
    return _with_seconds(outcome, time.monotonic() - began)


def landed_by(connection: Connection, stored: StoredRun) -> int:
    """The run that holds the landing: one that recognised an earlier delivery has none of its own."""
    if landing.batch_numbers(connection, stored.run_id):
        return stored.run_id
    for each in runs.recent(connection, stored.dataset_id, MOST_LOOKED_BACK):
        is_same = each.source_name == stored.source_name and each.fingerprint == stored.fingerprint and each.run_id < stored.run_id
        if is_same and landing.batch_numbers(connection, each.run_id):
            return each.run_id
    raise RunError(f"`{stored.dataset_id}`: the landing of run {stored.run_id} is no longer there.", vi="Bản gốc không còn.")


def approve_run(
    workshop: Workshop, run_id: int, official: str, on_progress: OnProgress = no_progress, reason: str = ""
) -> RunOutcome:  # fmt: skip
    """Let a waiting run pass its bounds: the same landing is judged again under today's contract, and published.

    A run that would change closed periods needs a `reason`: the change is told as a revision of them. Raises NotFound for an unknown run, RunError when it does not wait or a newer delivery of the source is published already.
    """
    began = time.monotonic()
    with workshop.database.connect(autocommit=True) as connection:
        stored = _waiting_run(connection, run_id)
        contract = _contract(workshop, stored.dataset_id)
        with dataset_lock(connection, contract.id):
            _waiting_run(connection, run_id)  # again, now that nobody else can decide it
            newest = runs.last_done(connection, stored.dataset_id, stored.source_name)
            if newest is not None and newest.run_id > run_id:
                raise RunError(
                    f"Run {run_id} waits, but run {newest.run_id} of the same source was published after it.",
                    hint=f"Withdraw it: lienthong run withdraw {run_id}.",
                )
            _require_reason(stored, reason)
            delivered = _delivered(stored, official, reason.strip())
            at = workshop.clock()
            outcome = publish_landing(
                workshop, connection, contract, delivered, on_progress,
                lambda write: runs.decide(write, run_id, "approved", official, reason.strip(), at),
            )  # fmt: skip
            settle_source(workshop, connection, contract, stored.source_name)
    return _with_seconds(outcome, time.monotonic() - began)


def withdraw_run(workshop: Workshop, run_id: int, official: str, reason: str = "") -> None:
    """Decide that a waiting run shall never be published. Its landing is kept. Raises like `approve_run`."""
    at = workshop.clock()
    with workshop.database.connect(autocommit=True) as connection:
        stored = _waiting_run(connection, run_id)
        with dataset_lock(connection, stored.dataset_id), connection.transaction():
            _waiting_run(connection, run_id)
            runs.fail(connection, run_id, at, "", state="withdrawn")
            runs.decide(connection, run_id, "withdrawn", official, reason.strip(), at)
            entry = Entry(
                at=at,
                event=Event.RUN_WITHDRAWN,
                caller=PLATFORM,
                official=official,
                dataset=stored.dataset_id,
                outcome="withdrawn",
                details={"run": run_id},
            )
            append_entries(connection, [entry], workshop.signer)


def settle_source(workshop: Workshop, connection: Connection, contract: Contract, source_name: str) -> None:
    """Tell the source up to where everything is published. What it keeps too long costs it room, not us a row: a failure is only told."""
    source = next((each for each in contract.sources if each.name == source_name), None)
    done = runs.last_done(connection, contract.id, source_name)
    if source is None or done is None or done.position is None:
        return
    try:
        connectors.settle(source, workshop.read_context, done.position)
    except LienthongError as error:
        log.warning("source_not_settled", dataset=contract.id, source=source_name, error=error.message)


def publish_landing(
    workshop: Workshop, read: Connection, contract: Contract, delivered: Delivered, on_progress: OnProgress,
    before_entry: BeforeEntry | None = None, arriving: Arriving | None = None,
) -> RunOutcome:  # fmt: skip
    """Landing → version in one transaction. The caller holds the dataset's lock; `read` is in autocommit.

    `before_entry` writes what must become true together with the version, just before the ledger entry.
    """
    with workshop.database.connect() as write:
        outcome = Publication(workshop, contract, delivered, read, write, on_progress, arriving).publish(before_entry)
    return outcome_of(delivered, contract, outcome)


def outcome_of(delivered: Delivered, contract: Contract, outcome: Outcome) -> RunOutcome:
    return RunOutcome(
        run_id=delivered.run_id,
        dataset_id=contract.id,
        source_name=delivered.source_name,
        state=outcome.state,
        **outcome.counts.__dict__,
        version=outcome.version,
        waits_for=outcome.waits_for,
    )


@dataclass(frozen=True)
class _Run:
    workshop: Workshop
    connection: Connection
    contract: Contract
    source: Source
    on_progress: OnProgress
    whole: bool = False

    def take(self, delivered_on: date) -> RunOutcome:
        done = runs.last_done(self.connection, self.contract.id, self.source.name)
        cut_off = runs.unfinished(self.connection, self.contract.id, self.source.name)
        coming = self._coming(None if cut_off is None else cut_off.fingerprint)
        fingerprint = connectors.fingerprint(self.source, self.workshop.read_context) if coming is None else coming.mark
        if cut_off is not None and (cut_off.fingerprint != fingerprint or not self._resumes(cut_off.position)):
            self.fail(cut_off.run_id, "The source was replaced before its landing was complete.")
            cut_off = None
        if cut_off is None and self._seen_before(done, fingerprint):
            assert done is not None  # _seen_before says so
            return self._recognise(done, fingerprint, delivered_on)
        waiting = runs.waiting_with(self.connection, self.contract.id, self.source.name, fingerprint)
        if cut_off is None and waiting is not None:
            return self._still_waits(waiting, delivered_on)
        after = self._goes_on_after(done)
        if cut_off is None:
            ends_by_absence = self.source.delivery is Delivery.CHANGES and after is None and not connectors.tells_every_end(self.source)
            delivery = Delivery.SNAPSHOT if ends_by_absence else self.source.delivery
            run_id = self._begin(fingerprint, delivered_on, delivery)
        else:
            run_id, delivered_on = cut_off.run_id, cut_off.delivered_on
            delivery = Delivery(cut_off.delivery)
            after = None if delivery is Delivery.SNAPSHOT else after
            after = cut_off.position if cut_off.position is not None else after
        arriving = None
        try:
            if cut_off is None or cut_off.state == "landing":
                is_whole = cut_off is None and delivery is not Delivery.CHANGES
                is_at_hand = coming is None and fingerprint is not None
                arriving = self._land(run_id, after, is_whole=is_whole, is_at_hand=is_at_hand, as_it_arrives=coming is not None)
            if coming is not None:
                fingerprint = self._keep_fingerprint(run_id)
            delivered = Delivered(run_id, self.source.name, delivery, delivered_on, fingerprint)
            outcome = publish_landing(self.workshop, self.connection, self.contract, delivered, self.on_progress, arriving=arriving)
        except BaseException as error:
            if arriving is not None:
                arriving.leave()
            if isinstance(error, LienthongError):
                self.fail(run_id, error.message)
            raise
        settle_source(self.workshop, self.connection, self.contract, self.source.name)
        return outcome

    def _coming(self, begun: str | None) -> connectors.Coming | None:
        """A file elsewhere that may be read while it is fetched: none that could be one taken in before, which its hash must tell first."""
        coming = connectors.coming(self.source, self.workshop.read_context, begun)
        if coming is None or coming.mark == begun:
            return coming
        is_like = landing.has_file_of_size(self.connection, self.contract.id, self.source.name, coming.size)
        return None if is_like else coming

    def _keep_fingerprint(self, run_id: int) -> str:
        """Of a file that was read while it was fetched, now that it has come whole."""
        fingerprint = connectors.fingerprint_of(landing.files(self.connection, run_id)[0].sha256)
        runs.keep_fingerprint(self.connection, run_id, fingerprint)
        return fingerprint

    def _goes_on_after(self, done: LastDone | None) -> Mapping[str, Any] | None:
        """Where the last run that ended well stopped; None: the source is read from its beginning."""
        if done is None or done.position is None or self.source.delivery is Delivery.SNAPSHOT:
            return None
        return done.position if self._resumes(done.position) else None

    def _resumes(self, position: Mapping[str, Any] | None) -> bool:
        return not self.whole and (position is None or connectors.resumes(self.source, self.workshop.read_context, position))

    def _land(
        self, run_id: int, after: Mapping[str, Any] | None, *, is_whole: bool, is_at_hand: bool, as_it_arrives: bool
    ) -> Arriving | None:  # fmt: skip
        """Land the source, or, for the first fill from files, let publishing draw the batches as they land: both cores have work.

        A service, another database or a file that is still being fetched may be slow, and a slow source must not keep a transaction open:
        those land first.
        """
        batches = land(
            self.workshop, self.connection, self.contract, self.source, run_id, after, self.on_progress, as_it_arrives=as_it_arrives
        )
        if is_whole and is_at_hand and tables.is_unpublished(self.connection, self.contract.id):
            return Arriving(batches=batches)
        if not is_whole:
            for _ in batches:
                pass
            return None
        return self._land_beside_current(batches)

    def _land_beside_current(self, batches: Generator[LandedBatch, None, None]) -> Arriving:
        """Land it all, and pick out the rows that are new while they are at hand: the dataset's lock keeps the current records as they are."""
        new: list[Rows] | None = []
        with closing(batches), ThreadPoolExecutor(1, "current-digests") as beside:
            fetched = beside.submit(self._standing)
            for batch in batches:
                digests = batch.digests
                assert digests is not None  # a batch that has just landed has them
                is_new = fetched.result().meet(digests)
                if new is not None:
                    new.append(pick(batch, is_new))
                    new = new if sum(rows.count for rows in new) <= NEW_AT_HAND else None
            return Arriving(compared=fetched.result().compared(), new=new)

    def _standing(self) -> Standing:
        """Over a connection of its own that is closed at once: the source may be slow."""
        with self.workshop.database.connect() as connection:
            return Standing(VersionWriter(connection, self.contract).current_digests())

    def _begin(self, fingerprint: str | None, delivered_on: date, delivery: Delivery | None = None) -> int:
        return runs.begin(
            self.connection,
            self.contract.id,
            self.source.name,
            (delivery or self.source.delivery).value,
            self.contract.digest,
            fingerprint,
            self.workshop.clock(),
            delivered_on,
        )

    def _still_waits(self, run_id: int, delivered_on: date) -> RunOutcome:
        """The very delivery that waits for a person already: it is not landed a second time."""
        stored = runs.show(self.connection, run_id)
        assert stored is not None  # it was just found
        counts = Counts(rows_in=stored.rows_in)
        delivered = Delivered(run_id, self.source.name, self.source.delivery, delivered_on)
        return outcome_of(delivered, self.contract, Outcome("waiting", counts, None, tuple(stored.waits_for or ())))

    def _seen_before(self, done: LastDone | None, fingerprint: str | None) -> bool:
        return (
            done is not None
            and fingerprint is not None
            and done.fingerprint == fingerprint
            and done.contract_digest == self.contract.digest
            and self.source.delivery is Delivery.SNAPSHOT
        )

    def _recognise(self, done: LastDone, fingerprint: str | None, delivered_on: date) -> RunOutcome:
        """The very delivery that was published last: nothing is read, the run says so."""
        run_id = self._begin(fingerprint, delivered_on)
        counts = Counts(rows_in=done.rows_in, rows_unchanged=done.rows_in - done.rows_quarantined, rows_quarantined=done.rows_quarantined)
        self._end(run_id, "unchanged", Event.RUN_UNCHANGED, counts, {"same_as_run": done.run_id}, fingerprint or "")
        delivered = Delivered(run_id, self.source.name, self.source.delivery, delivered_on, fingerprint)
        return outcome_of(delivered, self.contract, Outcome("unchanged", counts, None))

    def fail(self, run_id: int, why: str) -> None:
        at = self.workshop.clock()
        with self.connection.transaction():
            runs.fail(self.connection, run_id, at, why)
            entry = self._entry(Event.RUN_FAILED, "failed", {"run": run_id, "source": self.source.name})
            append_entries(self.connection, [entry], self.workshop.signer)

    def _end(self, run_id: int, state: str, event: Event, counts: Counts, details: Mapping[str, Any], fingerprint: str) -> None:
        at = self.workshop.clock()
        with self.connection.transaction():
            runs.finish(self.connection, run_id, state, at, counts, self.contract.digest)
            entry = self._entry(event, state, {"run": run_id, "source": self.source.name, **counts.__dict__, **details}, fingerprint)
            append_entries(self.connection, [entry], self.workshop.signer)

    def _entry(self, event: Event, outcome: str, details: Mapping[str, Any], fingerprint: str = "") -> Entry:
        return Entry(
            at=self.workshop.clock(),
            event=event,
            caller=PLATFORM,
            dataset=self.contract.id,
            request_digest=fingerprint,
            outcome=outcome,
            details=details,
        )


def _source(contract: Contract, name: str | None) -> Source:
    names = [source.name for source in contract.sources]
    if name is None and len(names) == 1:
        return contract.sources[0]
    for source in contract.sources:
        if source.name == name:
            return source
    raise RunError(f"`{contract.id}` has sources {names}, found `{name}`.", hint="Name one of them with --source.")


def _contract(workshop: Workshop, dataset_id: str) -> Contract:
    contract = workshop.contracts.get(dataset_id)
    if contract is None:
        raise NotFound(
            f"No contract of `{dataset_id}` is among those read.",
            hint="Look into LIENTHONG_DATASETS.",
            hint_vi="Hãy xem LIENTHONG_DATASETS.",
            vi=f"Không có hợp đồng của `{dataset_id}` trong số đã đọc.",
        )
    return contract


def _waiting_run(connection: Connection, run_id: int) -> StoredRun:
    stored = runs.show(connection, run_id)
    if stored is None:
        raise NotFound(
            f"There is no run {run_id}.",
            hint="lienthong run list shows them.",
            vi=f"Không có lần nạp {run_id}.",
            hint_vi="lienthong run list liệt kê các lần nạp.",
        )
    if stored.state != "waiting":
        raise RunError(f"Run {run_id} does not wait for a person: it is `{stored.state}`.")
    return stored


def _require_reason(stored: StoredRun, reason: str) -> None:
    if not reason.strip() and any(bound["bound"] in NEEDS_REASON for bound in stored.waits_for or ()):
        raise Unprocessable(
            f"Run {stored.run_id} would change closed periods: a reason is needed.",
            hint=f"lienthong run approve {stored.run_id} --reason …",
            vi=f"Lần nạp {stored.run_id} đổi số liệu của kỳ đã khóa sổ: cần nêu lý do.",
        )


def _delivered(stored: StoredRun, approved_by: str, reason: str) -> Delivered:
    return Delivered(
        run_id=stored.run_id,
        source_name=stored.source_name,
        delivery=Delivery(stored.delivery),
        delivered_on=stored.delivered_on,
        fingerprint=stored.fingerprint,
        approved_by=approved_by,
        reason=reason,
    )


def _with_seconds(outcome: RunOutcome, seconds: float) -> RunOutcome:
    return RunOutcome(**{**outcome.__dict__, "seconds": round(seconds, 3)})
