"""What holds a run back for a person's word, and what is kept when it passes: bounds of the contract, lost columns, closed periods."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from lienthong import quality
from lienthong.clock import vietnam_date
from lienthong.contracts import Contract, Delivery, Expect
from lienthong.pipeline.columns import ColumnMatcher
from lienthong.pipeline.delivered import API, CORRECTION, UPLOAD, Delivered
from lienthong.pipeline.scoring import history_of, profile_of
from lienthong.pipeline.workshop import Workshop
from lienthong.store import Connection, VersionWriter, runs
from lienthong.store.runs import Counts

BY_HAND = (API, CORRECTION)  # a few rows somebody means, and is told of at once: they do not wait
NO_REASON = {API: "bản ghi do hệ thống gửi · records sent by a system", CORRECTION: "sửa hàng chờ · waiting rows corrected"}


def broken_bounds(
    read: Connection, contract: Contract, delivered: Delivered, writer: VersionWriter, counts: Counts, columns: ColumnMatcher,
    periods: Mapping[str, int],
) -> tuple[Mapping[str, Any], ...]:  # fmt: skip
    """What a person must look at before the run is published; nothing when somebody has."""
    if delivered.approved_by or delivered.source_name in BY_HAND:
        return ()
    found = (
        quality.withdrawn_before(runs.withdrawn_with(read, contract.id, delivered.source_name, delivered.fingerprint, delivered.run_id)),
        _columns_gone(read, contract, delivered, columns),
        quality.closed_touched(periods),
    )
    return (*(bound for bound in found if bound is not None), *_bounds(read, contract, delivered, writer, counts))


def drift_bounds(read: Connection, write: Connection, contract: Contract, delivered: Delivered) -> tuple[Mapping[str, Any], ...]:
    """Where the version that `write` has just written and nobody sees yet lies too far from those before it; nothing when a person has looked."""
    if not contract.expect.bounds_drift or delivered.approved_by or delivered.source_name in BY_HAND:
        return ()
    before = history_of(read, contract)
    if not before:
        return ()
    titles = {p.name: (p.title_vi, p.title_en) for p in contract.properties}
    return quality.drifted(contract.expect, profile_of(write, contract), before, titles)


def closed_periods(
    workshop: Workshop, contract: Contract, delivered: Delivered, writer: VersionWriter, at: datetime
) -> Mapping[str, int]:  # fmt: skip
    """Code of each closed period the staged rows would change → how many rows of it."""
    closing = contract.closing
    if closing is None:
        return {}
    until = quality.closed_until(closing, vietnam_date(at), workshop.offices)
    is_year = contract.property_named(closing.column).logical_type == "integer"
    ends = delivered.delivery is not Delivery.INCREMENTAL
    rows = Counter[str]()
    for day, count in writer.closed_touched(closing.column, until, is_year=is_year, ends=ends):
        rows[quality.period_code(closing, day)] += count
    return dict(rows)


def note_revisions(
    write: Connection, contract: Contract, delivered: Delivered, periods: Mapping[str, int], version: int, at: datetime
) -> None:
    """Each closed period that changed has a revision more, with who answers for it and why."""
    by = delivered.approved_by or delivered.official or delivered.caller
    reason = delivered.reason or NO_REASON.get(delivered.source_name, "")
    for period, rows in sorted(periods.items()):
        runs.revise_period(write, contract.id, period, rows, version, delivered.run_id, by, reason, at)


def _columns_gone(read: Connection, contract: Contract, delivered: Delivered, columns: ColumnMatcher) -> Mapping[str, Any] | None:
    """Only where rows were judged: of a delivery that is as the last one was, no heading was looked at."""
    if delivered.source_name == UPLOAD or not columns.delivered:
        return None
    known = {p.name for p in contract.properties}
    before = [name for name in runs.last_delivered_columns(read, contract.id, delivered.source_name) if name in known]
    return quality.columns_gone([name for name in before if name not in columns.delivered], columns.extra)


def _bounds(
    read: Connection, contract: Contract, delivered: Delivered, writer: VersionWriter, counts: Counts
) -> tuple[Mapping[str, Any], ...]:
    if counts.rows_in == 0 and delivered.delivery is not Delivery.SNAPSHOT and _went_on(read, contract, delivered):
        return ()
    expect = _expected(contract, delivered)
    is_snapshot = delivered.delivery is Delivery.SNAPSHOT
    last = runs.last_rows_in(read, contract.id, delivered.source_name) if is_snapshot else 0
    found = quality.BoundCounts(rows_in=counts.rows_in, quarantined=counts.rows_quarantined, last_rows_in=last)
    if replace(expect, last_min_percent=None, drift_max_psi=None, empty_max_points=None, new_values_max=None) != Expect():
        changed, new = writer.staged()
        found = replace(
            found,
            published_before=0 if writer.is_first_fill else writer.count_current(),
            inserted=new,
            updated=changed,
            ended=writer.missing() if delivered.delivery is not Delivery.INCREMENTAL else 0,
        )
    return tuple(quality.judge_bounds(expect, found))


def _went_on(read: Connection, contract: Contract, delivered: Delivered) -> bool:
    """The source goes on after what it brought before: that it has nothing new is no small delivery, it is none."""
    return runs.last_done(read, contract.id, delivered.source_name) is not None


def _expected(contract: Contract, delivered: Delivered) -> Expect:
    """Additions that were handed in may be few, and who handed them in sees at once what waits: only changes have bounds."""
    if delivered.source_name != UPLOAD:
        return contract.expect
    return replace(contract.expect, rows_min=None, quarantined_max_percent=None)
