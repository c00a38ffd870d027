"""Both ends of a copy counted and hashed; what differs is found row by row, named, and put back.

Sums are made where the rows lie: ours in our PostgreSQL, theirs in theirs, unless a mask or a kind of value is in the way; then rows are read.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import pyarrow as pa

from lienthong.connectors.row_hash import KEY, Sums, add_up, bucket_of, differing, row_hashes, sums_from
from lienthong.connectors.target import Delta, Place, TableTarget
from lienthong.errors import Conflict, TargetError
from lienthong.ledger import Event
from lienthong.sharing.sync_definitions import FOLDERS, SyncDefinition
from lienthong.sharing.sync_view import AgreedView
from lienthong.sharing.syncing import FILL_ROWS, Courier, SyncOffice, open_target
from lienthong.store import dataset_lock
from lienthong.store import syncs as store
from lienthong.store.syncs import Drift, ViewReader, reading

ROWS_AT_A_TIME = 5_000
HASHES_AT_A_TIME = 100_000
MOST_NAMED = 1_000  # drifted rows that are named; the rest are counted


@dataclass
class Checked:
    """What a check found. `drifts` names the first thousand rows that were not as they should be."""

    at: datetime
    version: int
    rows: int
    changed: int = 0
    missing: int = 0
    foreign: int = 0
    is_repaired: bool = False
    drifts: list[Drift] = field(default_factory=list)

    @property
    def is_equal(self) -> bool:
        return not (self.changed or self.missing or self.foreign)

    @property
    def counts(self) -> dict[str, Any]:
        return {
            "version": self.version, "rows": self.rows, "changed": self.changed, "missing": self.missing, "foreign": self.foreign,
            "repaired": self.is_repaired,
        }  # fmt: skip


def check(office: SyncOffice, definition: SyncDefinition, *, repair: bool) -> Checked:
    """Bring the copy up to date, then hold it against what it should be; put back what differs when asked to.

    Raises TargetError, SyncError, Conflict when the copy cannot be brought up to date now, DatasetBusyError when another process is at it.
    """
    from lienthong.sharing.sync_files import FileCourier  # noqa: PLC0415 # it is a courier too

    with office.database.connect(autocommit=True) as connection, dataset_lock(connection, f"sync {definition.id}", wait_seconds=60):
        if definition.kind in FOLDERS:
            return FileCourier(office, definition, connection).check(repair=repair)
        courier = Courier(office, definition, connection)
        try:
            courier.work()
            return _check(Courier(office, definition, connection), repair=repair)
        except TargetError as error:
            courier.fail(error)
            raise


def _check(courier: Courier, *, repair: bool) -> Checked:
    view = courier.agreed()
    target = open_target(courier.office, courier.definition)
    try:
        place = target.place()
        if view is None or place is None or not place.is_whole:
            raise _not_kept(courier)
        view = view.within(place.columns)
        with reading(courier.office.database.url, view.store) as reader:
            return reconcile(courier, target, view, reader, place, is_expected=False, repair=repair)
    finally:
        target.close()


def _not_kept(courier: Courier) -> Conflict:
    found = store.state(courier.connection, courier.definition.id)
    said = (found.said_vi, found.said_en) if found is not None and found.said_en else ("bản sao chưa đủ", "the copy is not whole yet")
    return Conflict(
        f"`{courier.definition.id}` cannot be checked now: {said[1]}", vi=f"`{courier.definition.id}` chưa đối chiếu được: {said[0]}"
    )


def reconcile(
    courier: Courier, target: TableTarget, view: AgreedView, reader: ViewReader, place: Place, *, is_expected: bool, repair: bool = True
) -> Checked:
    """Find what differs between a whole copy and the view at its version, and make it equal.

    `is_expected`: the view itself has changed, so what differs is no drift.
    """
    ours, theirs = _sums(courier, view, reader, place.version), target.sums(place.columns)
    found = Checked(courier.office.clock(), place.version, sum(each[0] for each in ours.values()), is_repaired=repair)
    for buckets in _groups(differing(ours, theirs), ours, theirs):
        mine, yours = _hashes(courier, view, reader, place.version, buckets), target.hashes(place.columns, buckets)
        changed = sorted(key for key in mine.keys() & yours.keys() if mine[key] != yours[key])
        missing, foreign = sorted(mine.keys() - yours.keys()), sorted(yours.keys() - mine.keys())
        found.changed += len(changed)
        found.missing += len(missing)
        found.foreign += len(foreign)
        if not is_expected:
            _name(courier, target, view, reader, place, found, changed, missing, foreign)
        if repair:
            _put_back(courier, target, view, reader, place, [*changed, *missing], foreign)
    if place.view != view.digest and repair:
        target.apply(Delta(view.shaped(reader.rows_of(place.version, []))), place, replace(place, view=view.digest))
    _remember(courier, view, found, is_expected=is_expected)
    return found


def _remember(courier: Courier, view: AgreedView, found: Checked, *, is_expected: bool) -> None:
    connection, definition = courier.connection, courier.definition
    with connection.transaction():
        store.note_check(connection, definition.id, found.at, found.counts)
        if not is_expected:
            at = found.at if found.is_repaired else None
            store.add_drifts(connection, definition.id, [replace(drift, put_back_at=at) for drift in found.drifts])
        event = Event.SYNC_REPAIRED if found.is_repaired and not found.is_equal else Event.SYNC_CHECKED
        courier.append(event, "equal" if found.is_equal else "differs", view, found.counts, version=found.version)


def _groups(buckets: Sequence[str], ours: Sums, theirs: Sums) -> Iterator[list[str]]:
    """Buckets a few at a time: so many rows that their hashes fit into little memory."""
    group: list[str] = []
    rows = 0
    for bucket in buckets:
        group.append(bucket)
        rows += max(ours.get(bucket, (0,))[0], theirs.get(bucket, (0,))[0])
        if rows >= HASHES_AT_A_TIME:
            yield group
            group, rows = [], 0
    if group:
        yield group


def _sums(courier: Courier, view: AgreedView, reader: ViewReader, version: int) -> Sums:
    if not view.masks:
        return sums_from(store.sums(courier.connection, view.store, version))
    found: Sums = {}
    for table in shaped_rows(view, reader, version):
        add_up(row_hashes(table, view.columns), found)
    return found


def _hashes(courier: Courier, view: AgreedView, reader: ViewReader, version: int, buckets: Sequence[str]) -> dict[str, str]:
    if not view.masks:
        return store.hashes(courier.connection, view.store, version, buckets)
    wanted, found = set(buckets), {}
    for table in shaped_rows(view, reader, version):
        found.update({key: text for key, text in row_hashes(table, view.columns).items() if bucket_of(key) in wanted})
    return found


def shaped_rows(view: AgreedView, reader: ViewReader, version: int) -> Iterator[pa.Table]:
    """All rows of the view as a version had them, in key order, as the copy has them."""
    after = ""
    while True:
        rows = reader.rows(version, after, FILL_ROWS)
        yield view.shaped(rows)
        if rows.num_rows < FILL_ROWS:
            return
        after = rows.column(0)[-1].as_py()


def _name(
    courier: Courier, target: TableTarget, view: AgreedView, reader: ViewReader, place: Place, found: Checked, changed: Sequence[str],
    missing: Sequence[str], foreign: Sequence[str],
) -> None:  # fmt: skip
    """Which rows, and of changed ones which fields."""
    room = MOST_NAMED - len(found.drifts)
    named = list(changed[:room])
    mine = {row[KEY]: row for row in view.shaped(reader.rows_of(place.version, named)).to_pylist()} if named else {}
    yours = {row[KEY]: row for row in target.rows(place.columns, named).to_pylist()} if named else {}
    at = courier.office.clock()
    for key in named:
        there = yours.get(key)
        fields = () if there is None else tuple(name for name in mine[key] if mine[key][name] != there[name])
        found.drifts.append(Drift(at, key, "changed", fields, None))
    for kind, keys in (("missing", missing), ("foreign", foreign)):
        found.drifts += [Drift(at, key, kind, (), None) for key in keys[: MOST_NAMED - len(found.drifts)]]


def _put_back(
    courier: Courier, target: TableTarget, view: AgreedView, reader: ViewReader, place: Place, wanted: Sequence[str], foreign: Sequence[str]
) -> None:
    for at in range(0, max(len(wanted), len(foreign)), ROWS_AT_A_TIME):
        rows = view.shaped(reader.rows_of(place.version, list(wanted[at : at + ROWS_AT_A_TIME])))
        delta = Delta(rows, foreign[at : at + ROWS_AT_A_TIME])
        if delta.rows.num_rows:
            courier.announce_delivery(view, delta, place, "following")
        target.apply(delta, place, place)
        courier.step("put_back")
