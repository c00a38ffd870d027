"""A person puts a quarantined row right; it goes through the same checks as any row, and either passes or waits on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa

from lienthong.clock import vietnam_date
from lienthong.contracts import Contract, Delivery
from lienthong.errors import NotFound, RunError, Unprocessable
from lienthong.ledger import Event
from lienthong.pipeline.columns import BROKEN, match_columns
from lienthong.pipeline.publish import CORRECTION, Delivered
from lienthong.pipeline.run import publish_landing
from lienthong.pipeline.submit import LOCK_WAIT_SECONDS
from lienthong.pipeline.workshop import RunOutcome, Workshop, no_progress
from lienthong.store import Connection, dataset_lock, landing, quarantine, runs
from lienthong.store.landing import EncodedBatch, LandedFile, encode_rows
from lienthong.store.quarantine import Item


@dataclass(frozen=True)
class Correction:
    """The run that tried the corrected row, and the item as it is now: `released`, or waiting with its new issues."""

    outcome: RunOutcome
    item: Item


def list_quarantine(workshop: Workshop, dataset_id: str, state: str | None = "waiting", after: int = 0, limit: int = 100) -> list[Item]:
    """Items of a dataset in order, after an item number; `state` None gives all."""
    with workshop.database.connect() as connection:
        return quarantine.list_items(connection, dataset_id, state, after, limit)


def show_quarantine(workshop: Workshop, item_id: int) -> tuple[str, Item]:
    """(dataset, item). Raises NotFound."""
    with workshop.database.connect() as connection:
        dataset_id, _, item = _show(connection, item_id)
    return dataset_id, item


def correct_row(
    workshop: Workshop, item_id: int, changes: Mapping[str, str | None], *, official: str, caller: str = "lienthong", purpose: str = ""
) -> Correction:
    """Try a waiting row again with some of its values changed, by property name or source column; none changed: as it came.

    The record keeps the digest of the row as it came, so the same bad row delivered again counts as already put right.
    Raises NotFound, RunError when the item does not wait, Unprocessable for an unknown column.
    """
    with workshop.database.connect(autocommit=True) as connection:
        dataset_id, digest, item = _show(connection, item_id)
        contract = workshop.contracts.get(dataset_id)
        if contract is None:
            raise NotFound(f"No contract of `{dataset_id}` is among those read.")
        with dataset_lock(connection, dataset_id, wait_seconds=LOCK_WAIT_SECONDS):
            _, digest, item = _show(connection, item_id)
            if item.state != "waiting":
                raise RunError(f"Quarantine item {item_id} does not wait: it is `{item.state}`.")
            delivered_changes = _by_source_column(contract, item, changes)
            run_id = _land(workshop, connection, contract, item, delivered_changes)
            delivered = Delivered(
                run_id,
                CORRECTION,
                Delivery.INCREMENTAL,
                vietnam_date(workshop.clock()),
                caller=caller,
                official=official,
                purpose=purpose,
                original_digest=digest,
                event=Event.QUARANTINE_CORRECTED,
            )
            outcome = publish_landing(
                workshop,
                connection,
                contract,
                delivered,
                no_progress,
                lambda write: quarantine.note_correction(write, item_id, delivered_changes),
            )
            _, _, after = _show(connection, item_id)
    return Correction(outcome, after)


def _show(connection: Connection, item_id: int) -> tuple[str, int | None, Item]:
    found = quarantine.show_item(connection, item_id)
    if found is None:
        raise NotFound(f"There is no quarantine item {item_id}.")
    return found


def _by_source_column(contract: Contract, item: Item, changes: Mapping[str, str | None]) -> dict[str, str | None]:
    there = [name for name in item.raw if name not in BROKEN]
    names = {name: name for name in there}
    for p in contract.properties:
        heading = next((name for name in (*p.source_names, p.name) if name in there), (*p.source_names, p.name)[0])
        names.setdefault(p.name, heading)
        names.setdefault(heading, heading)
    unknown = [name for name in changes if name not in names]
    if unknown:
        raise Unprocessable(
            f"Row {item.source_row or item.row_no} of `{contract.id}` has no column {', '.join(f'`{name}`' for name in unknown)}.",
            hint=f"Its columns: {', '.join(names)}.",
        )
    return {names[name]: value for name, value in changes.items()}


def _land(workshop: Workshop, connection: Connection, contract: Contract, item: Item, changes: Mapping[str, str | None]) -> int:
    at = workshop.clock()
    raw = {name: value for name, value in {**item.raw, **changes}.items() if name not in BROKEN}
    match_columns(contract, list(raw), f"quarantine item {item.item_id}")
    table = pa.table({name: pa.array([value], pa.string()) for name, value in raw.items()})
    with connection.transaction():
        run_id = runs.begin(connection, contract.id, CORRECTION, Delivery.INCREMENTAL.value, contract.digest, None, at, vietnam_date(at))
        landing.add_file(connection, run_id, LandedFile(1, f"quarantine/{item.item_id}", "", "", 0, "", 1.0))
        landing.add_batch(
            connection, run_id, 1, EncodedBatch(1, 1, 1, encode_rows(table, pa.array([item.source_row or item.row_no], pa.int64()))), {}
        )
        runs.landed(connection, run_id, 1, None)
    return run_id
