"""Landing → version: everything in one transaction, a function of the landing, the contract and the references alone.

Killed before the commit, nothing was seen; done again, the result is the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from lienthong import quality
from lienthong.contracts import Contract, Delivery
from lienthong.errors import RunError
from lienthong.ledger import Entry, Event
from lienthong.pipeline.columns import ColumnMatcher, row_digests
from lienthong.pipeline.judge import Judge, Judged, reference_columns
from lienthong.pipeline.match_published import match_published
from lienthong.pipeline.workshop import OnProgress, Progress, Workshop
from lienthong.store import Connection, VersionWriter, append_entries, landing, quarantine, references, runs
from lienthong.store.landing import LandedBatch
from lienthong.store.quarantine import HeldRow
from lienthong.store.runs import Counts

API = "api"  # the source name of rows that came by POST
CORRECTION = "correction"  # the source name of rows put right in quarantine
BeforeEntry = Callable[[Connection], None]
PLATFORM = "lienthong"  # who acts when no person or subsystem does


@dataclass(frozen=True)
class Delivered:
    """A landed run that is to become a version. `approved_by` is set when a person let it pass its bounds."""

    run_id: int
    source_name: str
    delivery: Delivery
    delivered_on: date
    fingerprint: str | None = None
    caller: str = PLATFORM
    official: str = ""
    purpose: str = ""
    approved_by: str = ""
    original_digest: int | None = None
    event: Event = Event.RUN_PUBLISHED


@dataclass(frozen=True)
class Outcome:
    """What `publish` wrote, still uncommitted."""

    state: str
    counts: Counts
    version: int | None
    waits_for: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True)
class Arriving:
    """What is at hand of a delivery that has just landed, or is landing: its batches as they become safe, or its rows' digests."""

    batches: Iterator[LandedBatch] | None = None
    digests: NDArray[np.int64] | None = None


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

    def publish(self, before_entry: BeforeEntry | None = None) -> Outcome:
        """Write the version, the quarantine, the run's end and the ledger entry. The caller commits.

        `before_entry` is called when all is written but the ledger entry, which must come last.
        """
        writer = VersionWriter(self._write, self._contract)
        judge = self._judge(writer)
        wanted, gone, matched = self._compare(judge, writer)
        held, issues, released = self._stage(judge, writer, wanted, gone)
        same = writer.settle_same()
        counts = Counts(
            rows_in=self._rows_in,
            rows_unchanged=matched + same,
            rows_quarantined=held.height,
            warnings=issues.filter(pl.col("severity") == "warning").height,
        )
        broken = self._broken_bounds(writer, counts)
        if broken:
            return self._wait(counts, broken)
        self._on_progress(Progress(self._contract.id, "publishing", self._rows_in, self._rows_in))
        return self._write_version(writer, held, issues, released, counts, before_entry)

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
            corrections=quarantine.corrections(self._read, self._contract.id) if self._delivered.original_digest is None else {},
            accept_synthetic_ids=self._workshop.accept_synthetic_ids,
            original_digest=self._delivered.original_digest,
        )

    def _compare(self, judge: Judge, writer: VersionWriter) -> tuple[NDArray[np.bool_] | None, NDArray[np.int64] | None, int]:
        """(which landed rows are new, digests no longer delivered, how many rows are as they were).

        None for the first: all of them; None for the second: every current record is judged again, for the contract changed.
        """
        if writer.is_first_fill or self._delivered.original_digest is not None:
            return None, np.empty(0, np.int64), 0
        judged_under = runs.last_contract_digest(self._read, self._contract.id)
        if self._is_snapshot and judged_under != self._contract.digest:
            return None, None, 0
        before = np.sort(writer.current_digests())
        now = self._digests(judge) if self._arriving.digests is None else self._arriving.digests
        order = np.argsort(now, kind="stable")
        ordered = now[order]
        is_copy = np.zeros(len(now), np.bool_)
        is_copy[order[1:]] = ordered[1:] == ordered[:-1]  # a row delivered twice is as it was once; its copy is judged
        found = np.empty(len(now), np.bool_)
        found[order] = _is_in(ordered, before)  # sorted in sorted: kind to the cache
        as_it_was = found & ~is_copy
        gone = before[~_is_in(before, ordered)] if self._is_snapshot else np.empty(0, np.int64)
        return ~as_it_was, gone, int(as_it_was.sum())

    def _digests(self, judge: Judge) -> NDArray[np.int64]:
        parts = [np.empty(0, np.int64)]
        for batch in landing.batches(self._read, self._delivered.run_id):
            parts.append(judge.digests(batch))
            self._on_progress(Progress(self._contract.id, "comparing", batch.last_row_no, self._rows_in))
        return np.concatenate(parts)

    def _stage(
        self, judge: Judge, writer: VersionWriter, wanted: NDArray[np.bool_] | None, gone: NDArray[np.int64] | None
    ) -> tuple[pl.DataFrame, pl.DataFrame, list[int]]:
        """Judge and stage the wanted rows; gives (rows held back, all issues, quarantine items whose row now passes)."""
        held: list[pl.DataFrame] = []
        issues: list[pl.DataFrame] = [quality.no_issues()]
        row_nos, keys, digests = [], [], []
        versions = references.delivered_versions(self._read, self._contract.id, self._delivered.source_name) if self._is_snapshot else []
        with writer.open_stage(gone, versions) as stage:
            for batch, mask in self._wanted_batches(wanted):
                judged = judge.judge(batch, mask)
                stage.add(judged.kept)
                held.append(judged.held)
                issues.append(judged.issues)
                row_nos.append(judged.kept["_row"].to_numpy())
                digests.append(judged.kept["_digest"].to_numpy())
                keys.append(row_digests(judged.kept.select("_key")))
                self._on_progress(Progress(self._contract.id, "cleaning", batch.last_row_no, self._rows_in or None))
        self._count_landed()
        twice = self._held_for_their_key(writer, _concat(row_nos), _concat(keys))
        refused = twice.filter(pl.col("severity") == "error")["row_no"].unique().to_list()
        writer.take_off(refused)
        all_held = pl.concat([_no_rows_held(), *held, self._find_landed(judge, refused)])
        writer.hold_back(all_held["key"].drop_nulls().to_list())
        return all_held, pl.concat([*issues, twice]), self._items_that_pass(_concat(digests), all_held["digest"].to_numpy())

    def _wanted_batches(self, wanted: NDArray[np.bool_] | None) -> Iterator[tuple[LandedBatch, NDArray[np.bool_] | None]]:
        if self._arriving.batches is not None and wanted is None:
            yield from ((batch, None) for batch in self._arriving.batches if batch.table.num_rows)
            return
        for number, first_row_no, count in self._numbers:
            mask = None if wanted is None else wanted[first_row_no - 1 : first_row_no - 1 + count]
            if count == 0 or (mask is not None and not mask.any()):
                continue
            for batch in landing.batches(self._read, self._delivered.run_id, [number]):
                yield batch, mask

    def _held_for_their_key(self, writer: VersionWriter, row_nos: NDArray[np.int64], keys: NDArray[np.int64]) -> pl.DataFrame:
        """Issues of staged rows that share a key with another row of the delivery."""
        ordered = np.sort(keys)
        suspects = row_nos[_is_in(keys, ordered[1:][ordered[1:] == ordered[:-1]])].tolist()
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
        for batch, wanted in self._wanted_batches(mask):
            judged: Judged = judge.judge(batch, wanted)
            places = np.flatnonzero(np.asarray(wanted))
            frames.append(
                judged.kept.select(
                    pl.col("_row").alias("row_no"),
                    pl.Series("source_row", batch.source_rows.to_numpy(zero_copy_only=False)[places], dtype=pl.Int64),
                    pl.lit(batch.file_no, pl.Int32).alias("file_no"),
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
        passes = _is_in(wanted, np.sort(staged)) & ~_is_in(wanted, np.sort(held))
        return [item for (item, _), goes in zip(waiting, passes, strict=True) if goes]

    def _broken_bounds(self, writer: VersionWriter, counts: Counts) -> tuple[Mapping[str, Any], ...]:
        if self._delivered.approved_by or self._delivered.source_name in (API, CORRECTION):
            return ()
        changed, new = writer.staged()
        missing = writer.missing() if self._is_snapshot else 0
        found = quality.BoundCounts(
            rows_in=counts.rows_in,
            published_before=0 if writer.is_first_fill else writer.count_current(),
            inserted=new,
            updated=changed,
            ended=missing,
            quarantined=counts.rows_quarantined,
        )
        return tuple(quality.judge_bounds(self._contract.expect, found))

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
        before_entry: BeforeEntry | None,
    ) -> Outcome:  # fmt: skip
        run_id = self._delivered.run_id
        published = writer.publish(self._delivered.delivered_on, end_missing=self._is_snapshot)
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
        _keep_the_sum(self._contract, counts)
        state = "published" if version is not None else "unchanged"
        runs.finish(self._write, run_id, state, self._at, counts, self._contract.digest, version)
        event = self._delivered.event if version is not None or self._delivered.event is not Event.RUN_PUBLISHED else Event.RUN_UNCHANGED
        if version is not None and self._contract.match:
            changed = published.inserted + published.updated + published.ended
            match_published(self._workshop, self._write, self._contract, version, changed, self._delivered.official, self._at)
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
                taken = batch.table.take(numbers[low:high] - first_row_no).to_pylist()
                yield [
                    HeldRow(row["row_no"], row["source_row"], row["file_no"], row["digest"], row["key"], raw)
                    for row, raw in zip(held.slice(low, high - low).iter_rows(named=True), taken, strict=True)
                ]

    def _append(self, event: Event, counts: Counts, version: int | None, details: Mapping[str, Any]) -> None:
        entry = Entry(
            at=self._at,
            event=event,
            caller=self._delivered.caller,
            official=self._delivered.official or self._delivered.approved_by,
            purpose=self._delivered.purpose,
            dataset=self._contract.id,
            version=version,
            request_digest=self._delivered.fingerprint or "",
            outcome=event.value.rsplit(":", 1)[-1],
            details={
                "run": self._delivered.run_id,
                "source": self._delivered.source_name,
                "contract_version": self._contract.version,
                **counts.__dict__,
                **details,
            },
        )
        append_entries(self._write, [entry], self._workshop.signer, self._at)


def _keep_the_sum(contract: Contract, counts: Counts) -> None:
    fates = counts.rows_published + counts.rows_unchanged + counts.rows_quarantined
    if counts.rows_in != fates:
        raise RunError(f"`{contract.id}`: {counts.rows_in} rows came in, {fates} have a fate: nothing is published.")


def _no_rows_held() -> pl.DataFrame:
    return pl.DataFrame(schema={"row_no": pl.Int64, "source_row": pl.Int64, "file_no": pl.Int32, "digest": pl.Int64, "key": pl.String})


def _concat(parts: Sequence[NDArray[np.int64]]) -> NDArray[np.int64]:
    return np.concatenate([np.empty(0, np.int64), *parts])


def _is_in(values: NDArray[np.int64], among: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which values occur in the sorted array `among`."""
    if not len(among):
        return np.zeros(len(values), np.bool_)
    places = np.searchsorted(among, values)
    places[places == len(among)] = 0
    found: NDArray[np.bool_] = among[places] == values
    return found
