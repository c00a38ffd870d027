"""People put quarantined rows right, one or many in one act; each goes through the same checks as any row, and either passes or waits on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from lienthong.clock import vietnam_date
from lienthong.contracts import Contract, Delivery
from lienthong.errors import NotFound, RunError, SourceError, Unprocessable
from lienthong.ledger import Entry, Event
from lienthong.pipeline.columns import BROKEN, match_columns, own_names
from lienthong.pipeline.delivered import CORRECTION, PLATFORM, Delivered
from lienthong.pipeline.run import publish_landing
from lienthong.pipeline.submit import LOCK_WAIT_SECONDS
from lienthong.pipeline.workshop import RunOutcome, Workshop, no_progress
from lienthong.store import Connection, append_entries, dataset_lock, landing, quarantine, runs
from lienthong.store.landing import EncodedBatch, LandedFile, encode_rows
from lienthong.store.quarantine import Item

Changes = Mapping[str, str | None]


@dataclass(frozen=True)
class By:
    """Who corrects, through what, why; `details` go into the ledger entry."""

    official: str
    caller: str = PLATFORM
    purpose: str = ""
    event: Event = Event.QUARANTINE_CORRECTED
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Held:
    """An item as it stands while nobody else can change it, with the digest of its row as it came."""

    dataset: str
    digest: int | None
    item: Item


@dataclass(frozen=True)
class Correction:
    """The run that tried the corrected row, and the item as it is now: `released`, or waiting with its new issues."""

    outcome: RunOutcome
    item: Item


@dataclass(frozen=True)
class Corrections:
    """The one run that tried all of them (None: nothing was to be tried), the items as they are now, and those that could not be tried."""

    outcome: RunOutcome | None
    items: Mapping[int, Item]
    untried: Mapping[int, SourceError] = field(default_factory=dict)


Choose = Callable[[Mapping[int, Held]], Mapping[int, Changes]]


def list_quarantine(workshop: Workshop, dataset_id: str, state: str | None = "waiting", after: int = 0, limit: int = 100) -> list[Item]:
    """Items of a dataset in order, after an item number; `state` None gives all."""
    with workshop.database.connect() as connection:
        return quarantine.list_items(connection, dataset_id, state, after, limit)


def show_quarantine(workshop: Workshop, item_id: int) -> tuple[str, Item]:
    """(dataset, item). Raises NotFound."""
    with workshop.database.connect() as connection:
        held = _find(connection, [item_id])[item_id]
    return held.dataset, held.item


def correct_row(
    workshop: Workshop, item_id: int, changes: Changes, *, official: str, caller: str = PLATFORM, purpose: str = ""
) -> Correction:
    """Try a waiting row again with some of its values changed, by property name or source column; none changed: as it came.

    The record keeps the digest of the row as it came, so the same bad row delivered again counts as already put right.
    Raises NotFound, RunError when the item does not wait, Unprocessable for an unknown column.
    """
    dataset_id, _ = show_quarantine(workshop, item_id)
    contract = workshop.contracts.get(dataset_id)
    if contract is None:
        raise NotFound(f"No contract of `{dataset_id}` is among those read.", vi=f"Không có hợp đồng của `{dataset_id}` trong số đã đọc.")

    def choose(held: Mapping[int, Held]) -> Mapping[int, Changes]:
        item = held[item_id].item
        if item.state != "waiting":
            raise RunError(f"Quarantine item {item_id} does not wait: it is `{item.state}`.")
        return {item_id: changes}

    done = correct_rows(workshop, contract, [item_id], choose, By(official, caller, purpose))
    if done.untried:
        raise done.untried[item_id]
    assert done.outcome is not None  # one row was tried
    return Correction(done.outcome, done.items[item_id])


def correct_rows(workshop: Workshop, contract: Contract, items: Sequence[int] | None, choose: Choose, by: By) -> Corrections:
    """Try many waiting rows again in one run, one version and one ledger entry. `items` None: all that wait.

    `choose` is given the items as they stand under the dataset's lock and says what to change in which (by property or source column);
    what it raises stops the act before anything is done. Raises NotFound for an item there is not, Unprocessable for an unknown column.
    """
    with (
        workshop.database.connect(autocommit=True) as connection,
        dataset_lock(connection, contract.id, wait_seconds=LOCK_WAIT_SECONDS),
    ):
        items = quarantine.waiting_numbers(connection, contract.id) if items is None else items
        held = _find(connection, items)
        chosen = {item: _by_source_column(contract, held[item].item, changes) for item, changes in choose(held).items()}
        _end_cut_off(workshop, connection, contract)
        landed = _land(workshop, connection, contract, held, chosen)
        outcome = _publish(workshop, connection, contract, held, chosen, landed, by) if landed.order else None
        now = {item: each.item for item, each in _find(connection, items).items()}
    return Corrections(outcome, now, landed.untried)


@dataclass(frozen=True)
class _Landed:
    """`order`: the items in the order of their rows."""

    run_id: int
    order: Sequence[int]
    untried: Mapping[int, SourceError]


def _find(connection: Connection, items: Sequence[int]) -> dict[int, Held]:
    found = {item: Held(*each) for item, each in quarantine.find_items(connection, items).items()}
    for item in items:
        if item not in found:
            raise NotFound(f"There is no quarantine item {item}.", vi=f"Không có mục chờ {item}.")
    return found


def _publish(
    workshop: Workshop, connection: Connection, contract: Contract, held: Mapping[int, Held], chosen: Mapping[int, Changes], landed: _Landed,
    by: By,
) -> RunOutcome:  # fmt: skip
    delivered = Delivered(
        landed.run_id, CORRECTION, Delivery.INCREMENTAL, vietnam_date(workshop.clock()), caller=by.caller, official=by.official,
        purpose=by.purpose, corrects=[(item, held[item].digest) for item in landed.order], event=by.event, details=by.details,
    )  # fmt: skip
    tried = {item: chosen[item] for item in landed.order}
    return publish_landing(workshop, connection, contract, delivered, no_progress, lambda write: quarantine.note_corrections(write, tried))


def _by_source_column(contract: Contract, item: Item, changes: Changes) -> dict[str, str | None]:
    names = column_names(contract, item)
    unknown = [name for name in changes if name not in names]
    if unknown:
        raise Unprocessable(
            f"Row {item.source_row or item.row_no} of `{contract.id}` has no column {', '.join(f'`{name}`' for name in unknown)}.",
            hint=f"Its columns: {', '.join(names)}.",
            vi=f"Dòng {item.source_row or item.row_no} của `{contract.id}` không có cột {', '.join(f'`{name}`' for name in unknown)}.",
            hint_vi=f"Các cột: {', '.join(names)}.",
        )
    return {names[name]: value for name, value in changes.items()}


def column_names(contract: Contract, item: Item) -> dict[str, str]:
    """Every name a column of a waiting row goes by, with the heading under which it came (or would come)."""
    there = [name for name in item.raw if name not in BROKEN]
    names = {name: name for name in there}
    for p in contract.properties:
        own = own_names(p) or p.reads
        heading = next((name for name in own if name in there), own[-1] if p.mapping is not None else own[0])
        names.setdefault(p.name, heading)
        names.setdefault(heading, heading)
    return names


def _end_cut_off(workshop: Workshop, connection: Connection, contract: Contract) -> None:
    """A correction that was cut off changed nothing and is not gone on with: its rows wait as they did."""
    cut_off = runs.unfinished(connection, contract.id, CORRECTION)
    if cut_off is None:
        return
    at = workshop.clock()
    with connection.transaction():
        runs.fail(connection, cut_off.run_id, at, "The correction was cut off; its rows wait as they did.")
        entry = Entry(
            at, Event.RUN_FAILED, PLATFORM, dataset=contract.id, outcome="failed", details={"run": cut_off.run_id, "source": CORRECTION}
        )
        append_entries(connection, [entry], workshop.signer)


def _land(
    workshop: Workshop, connection: Connection, contract: Contract, held: Mapping[int, Held], chosen: Mapping[int, Changes]
) -> _Landed:  # fmt: skip
    """The rows as they are now said to be, those of one set of headings in one batch."""
    untried: dict[int, SourceError] = {}
    alike: dict[tuple[str, ...], list[int]] = {}
    rows: dict[int, dict[str, str | None]] = {}
    for item, changes in chosen.items():
        rows[item] = {name: value for name, value in {**held[item].item.raw, **changes}.items() if name not in BROKEN}
        try:
            match_columns(contract, list(rows[item]), f"quarantine item {item}")
        except SourceError as error:
            untried[item] = error
            continue
        alike.setdefault(tuple(rows[item]), []).append(item)
    order = [item for items in alike.values() for item in items]
    if not order:
        return _Landed(0, [], untried)
    at = workshop.clock()
    place = f"quarantine/{order[0]}" if len(order) == 1 else f"quarantine/{order[0]}…{order[-1]}"
    with connection.transaction():
        run_id = runs.begin(connection, contract.id, CORRECTION, Delivery.INCREMENTAL.value, contract.digest, None, at, vietnam_date(at))
        landing.add_file(connection, run_id, LandedFile(1, place, "", "", 0, "", 1.0))
        first = 1
        for number, (names, items) in enumerate(alike.items(), 1):
            table = pa.table({name: pa.array([rows[item][name] for item in items], pa.string()) for name in names})
            numbers = pa.array([held[item].item.source_row or held[item].item.row_no for item in items], pa.int64())
            landing.add_batch(connection, run_id, number, EncodedBatch(1, first, len(items), encode_rows(table, numbers)), {})
            first += len(items)
        runs.landed(connection, run_id, len(order), None)
    return _Landed(run_id, order, untried)
