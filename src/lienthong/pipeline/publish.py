"""Landing → version: everything in one transaction, a function of the landing, the contract and the references alone.

Killed before the commit, nothing was seen; done again, the result is the same.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from lienthong import quality
from lienthong.connectors.arrow_memory import to_arrow
from lienthong.contracts import Contract, Delivery
from lienthong.errors import RunError
from lienthong.ledger import Entry, Event
from lienthong.pipeline.bounding import broken_bounds, closed_periods, drift_bounds, note_revisions
from lienthong.pipeline.columns import ColumnMatcher, row_digests, without_marks
from lienthong.pipeline.delivered import API, CORRECTION, Delivered
from lienthong.pipeline.judge import Judge, Judged, reference_columns
from lienthong.pipeline.last_words import LastWords
from lienthong.pipeline.match_published import match_published
from lienthong.pipeline.picked import Rows, gather, pick
from lienthong.pipeline.standing import Compared, Standing, is_in
from lienthong.pipeline.workshop import OnProgress, Progress, Workshop
from lienthong.store import Connection, VersionWriter, append_entries, landing, quarantine, references, runs, writes
from lienthong.store.landing import LandedBatch
from lienthong.store.quarantine import HeldRow
from lienthong.store.runs import Counts

BeforeEntry = Callable[[Connection], None]


@dataclass(frozen=True)
class Outcome:
    """What `publish` wrote, still uncommitted."""

    state: str
    counts: Counts
    version: int | None
    waits_for: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True)
class Arriving:
    """What is at hand of a delivery that has just landed, or is landing: its batches as they become safe, or what it came to.

    `new`: the rows that are to be judged, when they are few.
    """

    batches: Generator[LandedBatch, None, None] | None = None
    compared: Compared | None = None
    new: Sequence[Rows] | None = None

    def leave(self) -> None:
        """Land no more: the connection it lands over is free after this."""
        if self.batches is not None:
            self.batches.close()


class Publication:
    """One landed run on its way to a version, in the transaction of `write`; `read` fetches landed batches beside it."""

    def __init__(
        self, workshop: Workshop, contract: Contract, delivered: Delivered, read: Connection, write: Connection, on_progress: OnProgress,
        arriving: Arriving | None = None,
    ) -> None:  # fmt: skip
        self._workshop = workshop
        self._contract = contract
        self._delivered = delivered
        self._read = read
        self._write = write
        self._on_progress = on_progress
        self._at: datetime = workshop.clock()
        self._arriving = arriving or Arriving()
        self._numbers: Sequence[tuple[int, int, int]] = ()
        self._rows_in = 0
        self._columns = ColumnMatcher(contract, f"run {delivered.run_id}")
        self._count_landed()
        self._is_snapshot = delivered.delivery is Delivery.SNAPSHOT
        self._is_changes = delivered.delivery is Delivery.CHANGES or bool(delivered.begins)
        self._endings: NDArray[np.bool_] | None = None  # rows that say that their record ended

    def publish(self, before_entry: BeforeEntry | None = None) -> Outcome:
        """Write the version, the quarantine, the run's end and the ledger entry. The caller commits.

        `before_entry` is called when all is written but the ledger entry, which must come last.
        """
        writer = VersionWriter(self._write, self._contract)
        judge = self._judge(writer)
        wanted, gone, matched = self._compare(judge, writer)
        held, issues, released = self._stage(judge, writer, wanted, gone)
        if not writer.is_first_fill:
            self._respect_writes()
        same = writer.settle_same() + (0 if writer.is_first_fill else writes.settle_ended(self._write, self._contract))
        counts = Counts(
            rows_in=self._rows_in,
            rows_unchanged=matched + same,
            rows_quarantined=held.height,
            warnings=issues.filter(pl.col("severity") == "warning").height,
        )
        periods = closed_periods(self._workshop, self._contract, self._delivered, writer, self._at)
        broken = broken_bounds(self._read, self._contract, self._delivered, writer, counts, self._columns, periods)
        if broken:
            return self._wait(counts, broken)
        self._on_progress(Progress(self._contract.id, "publishing", self._rows_in, self._rows_in))
        return self._write_version(writer, held, issues, released, counts, periods, before_entry)

    def _respect_writes(self) -> None:
        """What agencies wrote through the axis stands against what a source merely repeats (`store.writes`)."""
        if self._delivered.touched is not None:
            writes.keep_untouched(self._write, self._contract, self._delivered.touched)
        else:
            writes.restore_written(self._write, self._contract, self._at, is_owners_word=self._delivered.source_name == API)

    def _count_landed(self) -> None:
        self._numbers = landing.batch_numbers(self._read, self._delivered.run_id)
        self._rows_in = sum(count for _, _, count in self._numbers)

    def _judge(self, writer: VersionWriter) -> Judge:
        return Judge(
            contract=self._contract,
            columns=self._columns,
            version=writer.version,
            delivered_on=self._delivered.delivered_on,
            references={
                dataset: references.reference_values(self._read, dataset, names)
                for dataset, names in reference_columns(self._contract).items()
            },
            corrections={} if self._delivered.corrects else quarantine.corrections(self._read, self._contract.id),
            accept_synthetic_ids=self._workshop.accept_synthetic_ids,
            original_digests=tuple(digest for _, digest in self._delivered.corrects),
            province=self._workshop.province,
        )

    def _compare(self, judge: Judge, writer: VersionWriter) -> tuple[NDArray[np.bool_] | None, NDArray[np.int64] | None, int]:
        """(which landed rows are new, digests no longer delivered, how many rows are as they were).

        None for the first: all of them; None for the second: every current record is judged again, for the contract changed.
        """
        sent_by_hand = self._delivered.source_name in (API, CORRECTION)  # a few rows, and one that repeats an old row is meant
        if self._is_changes:
            return self._compare_changes(judge, writer)
        if writer.is_first_fill or sent_by_hand:
            return None, np.empty(0, np.int64), 0
        judged_under = runs.last_contract_digest(self._read, self._contract.id)
        if self._is_snapshot and (self._delivered.is_again or judged_under != self._contract.digest):
            return None, None, 0
        compared = self._arriving.compared or self._compare_landed(judge, Standing(writer.current_digests()))
        gone = compared.missing if self._is_snapshot else np.empty(0, np.int64)
        return compared.new, gone, int(len(compared.new) - compared.new.sum())

    def _compare_changes(self, judge: Judge, writer: VersionWriter) -> tuple[NDArray[np.bool_], NDArray[np.int64], int]:
        """Only the last word on a record is looked at; rows that later ones overtook are as they were."""
        begins = () if self._delivered.delivery is Delivery.CHANGES else self._delivered.begins
        standing, words = Standing(writer.current_digests()), LastWords(judge.keys_as_came, begins)
        for batch in landing.batches(self._read, self._delivered.run_id):
            standing.meet(judge.digests(batch))
            words.meet(batch)
            self._on_progress(Progress(self._contract.id, "comparing", batch.last_row_no, self._rows_in))
        lasting, self._endings = words.told()
        wanted = lasting if self._delivered.is_again else standing.compared().new & lasting
        return wanted, np.empty(0, np.int64), int(len(wanted) - wanted.sum() - self._endings.sum())

    def _ended_keys(self, judge: Judge) -> list[str] | None:
        """The keys of records that a delivery of changes says have ended; None of other deliveries."""
        if self._endings is None:
            return None
        found: list[str] = []
        for picked in gather(self._landed_rows(self._endings), self._workshop.read_context.batch_rows):
            found.extend(judge.keys(picked).drop_nulls().to_list())
        return found

    def _compare_landed(self, judge: Judge, standing: Standing) -> Compared:
        for batch in landing.batches(self._read, self._delivered.run_id):
            standing.meet(judge.digests(batch))
            self._on_progress(Progress(self._contract.id, "comparing", batch.last_row_no, self._rows_in))
        return standing.compared()

    def _stage(
        self, judge: Judge, writer: VersionWriter, wanted: NDArray[np.bool_] | None, gone: NDArray[np.int64] | None
    ) -> tuple[pl.DataFrame, pl.DataFrame, list[int]]:
        """Judge and stage the wanted rows; gives (rows held back, all issues, quarantine items whose row now passes)."""
        held: list[pl.DataFrame] = []
        issues: list[pl.DataFrame] = [quality.no_issues()]
        row_nos, keys, digests = [], [], []
        can_end = self._is_snapshot or self._is_changes
        versions = references.delivered_versions(self._read, self._contract.id, self._delivered.source_name) if can_end else []
        ended = self._ended_keys(judge)
        with writer.open_stage(gone, versions, ended) as stage:
            for picked in gather(self._wanted_rows(wanted), self._workshop.read_context.batch_rows):
                judged = judge.judge(picked)
                stage.add(judged.kept)
                held.append(judged.held)
                issues.append(judged.issues)
                row_nos.append(judged.kept["_row"].to_numpy())
                digests.append(judged.kept["_digest"].to_numpy())
                keys.append(row_digests(judged.kept.select("_key")))
                self._on_progress(Progress(self._contract.id, "cleaning", int(picked.row_nos[-1]), self._rows_in or None))
        self._count_landed()
        twice = self._held_for_their_key(writer, _concat(row_nos), _concat(keys))
        refused = twice.filter(pl.col("severity") == "error")["row_no"].unique().to_list()
        writer.take_off(refused)
        all_held = pl.concat([_no_rows_held(), *held, self._find_landed(judge, refused)])
        writer.hold_back(all_held["key"].drop_nulls().to_list())
        passing = self._items_that_pass(_concat(digests), all_held["digest"].drop_nulls().to_numpy())
        if ended is not None:
            spoken = [*ended, *all_held["key"].drop_nulls().to_list()]
            held_digests = all_held["digest"].drop_nulls().to_list()
            writer.overtake_waiting(spoken, passing, held_digests, self._delivered.run_id, self._at)
        return all_held, pl.concat([*issues, twice]), self._with_corrected(passing, all_held["row_no"].to_list())

    def _wanted_rows(self, wanted: NDArray[np.bool_] | None) -> Iterator[Rows]:
        if self._arriving.batches is not None and wanted is None:
            yield from (pick(batch) for batch in self._arriving.batches)
            return
        if wanted is not None and self._arriving.new is not None:
            yield from self._arriving.new
            return
        yield from self._landed_rows(wanted)

    def _landed_rows(self, wanted: NDArray[np.bool_] | None) -> Iterator[Rows]:
        """Rows read back from the landing."""
        for number, first_row_no, count in self._numbers:
            mask = None if wanted is None else wanted[first_row_no - 1 : first_row_no - 1 + count]
            if count == 0 or (mask is not None and not mask.any()):
                continue
            for batch in landing.batches(self._read, self._delivered.run_id, [number]):
                yield pick(batch, mask)

    def _held_for_their_key(self, writer: VersionWriter, row_nos: NDArray[np.int64], keys: NDArray[np.int64]) -> pl.DataFrame:
        """Issues of staged rows that share a key with another row of the delivery."""
        ordered = np.sort(keys)
        suspects = row_nos[is_in(keys, ordered[1:][ordered[1:] == ordered[:-1]])].tolist()
        found = [quality.no_issues()]
        if suspects:
            staged = pl.DataFrame(
                writer.staged_rows(suspects), schema={"row_no": pl.Int64, "key": pl.String, "content": pl.Int64}, orient="row"
            )
            found.append(quality.duplicates(staged, self._contract))
        for rule in quality.promised_rules(self._contract):
            if rule.kind == "unique":
                found.append(quality.repeats(writer.repeats(rule.columns), rule, self._contract))
        conflicts = [c for c in writer.conflicts() if c.row_no not in set(pl.concat(found)["row_no"])]
        if conflicts:
            found.append(quality.key_conflicts([(c.row_no, c.key, c.is_same) for c in conflicts], self._contract))
        return pl.concat(found)

    def _find_landed(self, judge: Judge, row_nos: Sequence[int]) -> pl.DataFrame:
        """The held columns of rows that passed on their own but not beside the others."""
        if not row_nos:
            return _no_rows_held()
        mask = np.zeros(self._rows_in, np.bool_)
        mask[np.asarray(row_nos) - 1] = True
        frames = [_no_rows_held()]
        for picked in self._landed_rows(mask):  # a batch at a time, not gathered: what was unique when it was judged still is
            numbers = pl.DataFrame({"_row": picked.row_nos, "source_row": picked.source_rows, "file_no": picked.file_nos})
            judged: Judged = judge.judge(picked)
            frames.append(
                judged.kept.join(numbers, on="_row", how="inner", maintain_order="left").select(
                    pl.col("_row").alias("row_no"),
                    "source_row",
                    "file_no",
                    pl.col("_digest").alias("digest"),
                    pl.col("_key").alias("key"),
                )
            )
        return pl.concat(frames)

    def _items_that_pass(self, staged: NDArray[np.int64], held: NDArray[np.int64]) -> list[int]:
        """Items that wait for a row that now goes through."""
        waiting = quarantine.all_waiting(self._read, self._contract.id)
        if not waiting:
            return []
        wanted = np.array([digest for _, digest in waiting], np.int64)
        passes = is_in(wanted, np.sort(staged)) & ~is_in(wanted, np.sort(held))
        return [item for (item, _), goes in zip(waiting, passes, strict=True) if goes]

    def _with_corrected(self, passing: list[int], held: Sequence[int]) -> list[int]:
        """Of items whose rows this run corrects, exactly those whose own row goes through: two may have come as the same row."""
        corrected = {item for item, _ in self._delivered.corrects}
        waits = set(held)
        through = [item for row_no, (item, _) in enumerate(self._delivered.corrects, 1) if row_no not in waits]
        return [item for item in passing if item not in corrected] + through

    def _wait(self, counts: Counts, broken: tuple[Mapping[str, Any], ...]) -> Outcome:
        """Nothing is published: the landing waits for a person's word."""
        self._write.rollback()
        counts = replace(counts, rows_unchanged=0, rows_quarantined=0, warnings=0)
        run_id = self._delivered.run_id
        runs.finish(self._write, run_id, "waiting", self._at, counts, self._contract.digest, waits_for=broken)
        self._append(Event.RUN_WAITING, counts, None, {"waits_for": [dict(b) for b in broken]})
        return Outcome("waiting", counts, None, broken)

    def _write_version(
        self, writer: VersionWriter, held: pl.DataFrame, issues: pl.DataFrame, released: Sequence[int], counts: Counts,
        periods: Mapping[str, int], before_entry: BeforeEntry | None,
    ) -> Outcome:  # fmt: skip
        run_id = self._delivered.run_id
        published = writer.publish(self._delivered.delivered_on, end_missing=self._is_snapshot or self._is_changes)
        drifted = drift_bounds(self._read, self._write, self._contract, self._delivered) if published.any else ()
        if drifted:
            return self._wait(counts, drifted)
        version = writer.version if published.any else None
        if version is not None:
            writer.record(run_id, self._at, self._columns.delivered, published)
        for rows in self._held_rows(held):
            quarantine.hold(self._write, self._contract.id, run_id, rows, self._at)
        quarantine.note_issues(self._write, self._contract.id, run_id, issues)
        quarantine.release(self._write, released, run_id, self._at)
        if self._is_snapshot:
            quarantine.supersede(self._write, self._contract.id, self._delivered.source_name, run_id, self._at)
        counts = replace(counts, rows_published=published.inserted + published.updated, rows_ended=published.ended)
        if self._endings is not None:  # a row that ended its record is published; one whose record was not there changed nothing
            without_record = int(self._endings.sum()) - published.ended
            counts = replace(
                counts, rows_published=counts.rows_published + published.ended, rows_unchanged=counts.rows_unchanged + without_record
            )
        _keep_the_sum(self._contract, counts)
        state = "published" if version is not None else "unchanged"
        runs.finish(self._write, run_id, state, self._at, counts, self._contract.digest, version)
        event = self._delivered.event if version is not None or self._delivered.event is not Event.RUN_PUBLISHED else Event.RUN_UNCHANGED
        if version is not None and self._contract.match:
            changed = published.inserted + published.updated + published.ended
            match_published(self._workshop, self._write, self._contract, version, changed, self._delivered.official, self._at)
        if version is not None:
            note_revisions(self._write, self._contract, self._delivered, periods, version, self._at)
        if before_entry is not None:
            before_entry(self._write)
        self._append(event, counts, version, {})
        return Outcome(state, counts, version)

    def _held_rows(self, held: pl.DataFrame) -> Iterator[list[HeldRow]]:
        """Held rows with the row as it came, a landed batch at a time."""
        held = held.unique("row_no", keep="first").sort("row_no")
        numbers = held["row_no"].to_numpy()
        for number, first_row_no, count in self._numbers:
            low, high = np.searchsorted(numbers, [first_row_no, first_row_no + count])
            if low == high:
                continue
            for batch in landing.batches(self._read, self._delivered.run_id, [number]):
                taken = without_marks(batch.table).take(to_arrow(numbers[low:high] - first_row_no)).to_pylist()
                yield [
                    HeldRow(row["row_no"], row["source_row"], row["file_no"], row["digest"], row["key"], raw, self._item_of(row["row_no"]))
                    for row, raw in zip(held.slice(low, high - low).iter_rows(named=True), taken, strict=True)
                ]

    def _item_of(self, row_no: int) -> int | None:
        return self._delivered.corrects[row_no - 1][0] if self._delivered.corrects else None

    def _append(self, event: Event, counts: Counts, version: int | None, details: Mapping[str, Any]) -> None:
        entry = Entry(
            at=self._at,
            event=event,
            caller=self._delivered.caller,
            official=self._delivered.official or self._delivered.approved_by,
            purpose=self._delivered.purpose,
            legal_basis=self._delivered.legal_basis,
            agreement=self._delivered.agreement,
            dataset=self._contract.id,
            version=version,
            subject=self._delivered.subject,
            fields=self._delivered.touched or (),
            request_digest=self._delivered.fingerprint or "",
            outcome=event.value.rsplit(":", 1)[-1],
            details={
                "run": self._delivered.run_id,
                "source": self._delivered.source_name,
                "contract_version": self._contract.version,
                **counts.__dict__,
                **self._delivered.details,
                **details,
            },
        )
        append_entries(self._write, [entry], self._workshop.signer)


def _keep_the_sum(contract: Contract, counts: Counts) -> None:
    fates = counts.rows_published + counts.rows_unchanged + counts.rows_quarantined
    if counts.rows_in != fates:
        raise RunError(f"`{contract.id}`: {counts.rows_in} rows came in, {fates} have a fate: nothing is published.")


def _no_rows_held() -> pl.DataFrame:
    return pl.DataFrame(schema={"row_no": pl.Int64, "source_row": pl.Int64, "file_no": pl.Int32, "digest": pl.Int64, "key": pl.String})


def _concat(parts: Sequence[NDArray[np.int64]]) -> NDArray[np.int64]:
    return np.concatenate([np.empty(0, np.int64), *parts])
