"""Taking back what a run published: the state before it becomes current again as a new version. Nothing is deleted, nothing is hidden.

Records the run changed are as they were before it, those it began end, those it ended are there again; what later versions changed since is
theirs and stays. Rows that had left quarantine by it wait again; its own waiting rows wait no longer. A source that holds the very same
delivery still is not taken in again unseen: it waits for a person.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from lienthong.clock import vietnam_date
from lienthong.contracts import Contract, Delivery
from lienthong.errors import NotFound, RunError, Unprocessable
from lienthong.ledger import Entry, Event
from lienthong.pipeline.bounding import closed_periods, note_revisions
from lienthong.pipeline.delivered import CORRECTION, PLATFORM, UPLOAD, WITHDRAWAL, Delivered
from lienthong.pipeline.match_published import match_published
from lienthong.pipeline.run import withdraw_run
from lienthong.pipeline.submit import LOCK_WAIT_SECONDS
from lienthong.pipeline.workshop import Workshop
from lienthong.store import Connection, VersionWriter, append_entries, dataset_lock, quarantine, runs
from lienthong.store.publishing import Published
from lienthong.store.runs import Counts, StoredRun

NEVER = date(1, 1, 1)  # what is withdrawn was never true: no day of it remains believed


@dataclass(frozen=True)
class Withdrawn:
    """The run that put the state before back, its version (None: nothing was left to put back), and how many changes stay for later ones."""

    run_id: int
    version: int | None
    restored: int = 0
    ended: int = 0
    left: int = 0


def withdraw(workshop: Workshop, run_id: int, official: str, reason: str) -> Withdrawn | None:
    """Withdraw a run: one that waits shall never be published (None is given), one that was published is taken back.

    Raises NotFound, RunError for a run that is neither or came by a road that takes its changes back otherwise, Unprocessable without a reason.
    """
    with workshop.database.connect() as connection:
        stored = runs.show(connection, run_id)
    if stored is not None and stored.state == "waiting":
        withdraw_run(workshop, run_id, official, reason)
        return None
    if not reason.strip():
        raise Unprocessable("Taking back what was published needs a reason.", vi="Rút dữ liệu đã công bố phải nêu lý do.")
    with workshop.database.connect(autocommit=True) as lock:
        contract = _contract(workshop, stored, run_id)
        with (
            dataset_lock(lock, contract.id, wait_seconds=LOCK_WAIT_SECONDS),
            workshop.database.connect() as write,
        ):
            stored = runs.show(write, run_id)
            _contract(workshop, stored, run_id)  # again, now that nobody else can take it back
            assert stored is not None  # it was there a moment ago
            return _Taking(workshop, contract, stored, official, reason.strip(), workshop.clock()).take(write)


def _contract(workshop: Workshop, stored: StoredRun | None, run_id: int) -> Contract:
    if stored is None:
        raise NotFound(
            f"There is no run {run_id}.",
            hint="lienthong run list shows them.",
            vi=f"Không có lần nạp {run_id}.",
            hint_vi="lienthong run list liệt kê các lần nạp.",
        )
    contract = workshop.contracts.get(stored.dataset_id)
    if contract is None:
        raise NotFound(
            f"No contract of `{stored.dataset_id}` is among those read.",
            hint="Look into LIENTHONG_DATASETS.",
            hint_vi="Hãy xem LIENTHONG_DATASETS.",
            vi=f"Không có hợp đồng của `{stored.dataset_id}` trong số đã đọc.",
        )
    if stored.state != "published" or stored.version is None:
        raise RunError(
            f"Run {run_id} is `{stored.state}`: it published nothing that could be taken back.",
            vi=f"Lần nạp {run_id} đang là `{stored.state}`: không có gì đã công bố để rút.",
        )
    if stored.source_name not in (*(source.name for source in contract.sources), CORRECTION, UPLOAD):
        raise RunError(
            f"Run {run_id} came by `{stored.source_name}`: its records are changed by who wrote them.",
            hint="Write the records again, or end them, over HTTP.",
            vi=f"Lần nạp {run_id} đến bằng `{stored.source_name}`: bên đã ghi sửa lại bản ghi của mình.",
            hint_vi="Ghi lại các bản ghi, hoặc kết thúc các bản ghi đó, qua HTTP.",
        )
    return contract


@dataclass(frozen=True)
class _Taking:
    workshop: Workshop
    contract: Contract
    stored: StoredRun
    official: str
    reason: str
    at: datetime

    def take(self, write: Connection) -> Withdrawn:
        """All in the transaction of `write`, the ledger entry last."""
        writer = VersionWriter(write, self.contract)
        day = vietnam_date(self.at)
        run_id = runs.begin(
            write, self.contract.id, WITHDRAWAL, Delivery.INCREMENTAL.value, self.contract.digest, None, self.at, day
        )  # fmt: skip
        assert self.stored.version is not None  # looked at before
        left = writer.stage_before(self.stored.version)
        delivered = Delivered(run_id, WITHDRAWAL, Delivery.SNAPSHOT, day, official=self.official, reason=self.reason)
        periods = closed_periods(self.workshop, self.contract, delivered, writer, self.at)
        published = writer.publish(NEVER, end_missing=True)
        version = self._record(write, writer, run_id, published)
        self._settle(write, run_id)
        if version is not None:
            note_revisions(write, self.contract, delivered, periods, version, self.at)
        done = Withdrawn(run_id, version, published.inserted + published.updated, published.ended, left)
        append_entries(write, [self._entry(done)], self.workshop.signer)
        return done

    def _record(self, write: Connection, writer: VersionWriter, run_id: int, published: Published) -> int | None:
        version = writer.version if published.any else None
        restored = published.inserted + published.updated
        counts = Counts(rows_in=restored, rows_published=restored, rows_ended=published.ended)
        runs.finish(write, run_id, "published" if published.any else "unchanged", self.at, counts, self.contract.digest, version)
        if version is None:
            return None
        columns = runs.last_delivered_columns(write, self.contract.id, self.stored.source_name)
        writer.record(run_id, self.at, columns, published)
        if self.contract.match:
            changed = published.inserted + published.updated + published.ended
            match_published(self.workshop, write, self.contract, version, changed, self.official, self.at)
        return version

    def _settle(self, write: Connection, run_id: int) -> None:
        """The run's own waiting rows go with it (a correction's are the source's, and wait on); those it had settled wait again."""
        runs.withdraw_published(write, self.stored.run_id)
        runs.decide(write, self.stored.run_id, "withdrawn", self.official, self.reason, self.at, run_id)
        if self.stored.source_name != CORRECTION:
            quarantine.withdraw(write, self.stored.run_id, run_id, self.at)
        quarantine.wait_again(write, self.stored.run_id)

    def _entry(self, done: Withdrawn) -> Entry:
        details = {
            "run": self.stored.run_id, "source": self.stored.source_name, "withdrawn_version": self.stored.version, "made_by_run": done.run_id,
            "restored": done.restored, "ended": done.ended, "left": done.left,
        }  # fmt: skip
        return Entry(
            self.at, Event.RUN_WITHDRAWN, PLATFORM, self.official, dataset=self.contract.id, version=done.version, outcome="withdrawn",
            details=details,
        )  # fmt: skip
