"""Rows that come by `POST`: landed, judged and published like any source's, with a verdict for each before the answer leaves."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pyarrow as pa

from lienthong.clock import vietnam_date
from lienthong.contracts import Contract, Delivery, Layer
from lienthong.errors import Conflict, Unprocessable
from lienthong.ledger import Event
from lienthong.pipeline.delivered import API, Delivered
from lienthong.pipeline.run import publish_landing
from lienthong.pipeline.workshop import Workshop, no_progress
from lienthong.store import Connection, dataset_lock, landing, runs, submissions
from lienthong.store.landing import EncodedBatch, LandedFile, encode_rows

LOCK_WAIT_SECONDS = 30.0  # a bulk run of a million rows takes a few seconds; longer is worth an answer of its own


@dataclass(frozen=True)
class Submission:
    """What became of each row: `verdicts` are {row, fate, key, item, issues}, rows from 1; `fate` is published, unchanged or quarantined.

    `is_repeat` tells that this answer was given before to the same idempotency key.
    """

    run_id: int
    verdicts: list[dict[str, Any]]
    is_repeat: bool = False


@dataclass(frozen=True)
class _Request:
    contract: Contract
    count: int
    caller: str
    idempotency_key: str
    digest: bytes
    at: datetime


def submit_records(
    workshop: Workshop, contract: Contract, records: Sequence[Mapping[str, Any]], *, caller: str, idempotency_key: str,
    official: str = "", purpose: str = "",
) -> Submission:  # fmt: skip
    """Take a batch of records by property name. The same key with the same records gives the same answer and does nothing.

    Raises Conflict when the key was used for other records, Unprocessable for unknown properties, DatasetBusyError when
    a run holds the dataset for too long.
    """
    if contract.layer is Layer.MASTER:
        raise Unprocessable(
            f"Records of `{contract.id}` are made from those of registers, not sent.",
            hint="Send them to the register they belong to.",
            vi=f"Bản ghi của `{contract.id}` được lập từ các sổ gốc, không nhận gửi vào.",
            hint_vi="Hãy gửi vào sổ gốc của bản ghi.",
        )
    _refuse_unknown(contract, records)
    digest = hashlib.sha256(json.dumps(records, ensure_ascii=False, sort_keys=True).encode()).digest()
    with workshop.database.connect(autocommit=True) as connection:
        repeat = _repeat(connection, caller, contract.id, idempotency_key, digest)
        if repeat is not None:
            return repeat
        with dataset_lock(connection, contract.id, wait_seconds=LOCK_WAIT_SECONDS):
            repeat = _repeat(connection, caller, contract.id, idempotency_key, digest)  # the same request may have held the lock
            if repeat is not None:
                return repeat
            run_id = _land(workshop, connection, contract, records, digest)
            delivered = Delivered(
                run_id,
                API,
                Delivery.INCREMENTAL,
                vietnam_date(workshop.clock()),
                digest.hex(),
                caller=caller,
                official=official,
                purpose=purpose,
                event=Event.SUBMISSION_RECEIVED,
            )
            request = _Request(contract, len(records), caller, idempotency_key, digest, workshop.clock())
            publish_landing(workshop, connection, contract, delivered, no_progress, lambda write: _keep(write, run_id, request))
            found = submissions.find(connection, caller, contract.id, idempotency_key)
            assert found is not None  # kept in the transaction just committed
            return Submission(**found.answer)


def _refuse_unknown(contract: Contract, records: Sequence[Mapping[str, Any]]) -> None:
    known = {p.name for p in contract.properties}
    unknown = sorted({name for record in records for name in record} - known)
    if unknown:
        raise Unprocessable(
            f"`{contract.id}` has no property {', '.join(f'`{name}`' for name in unknown)}.",
            hint="Its properties are in the contract and in /docs.",
            vi=f"`{contract.id}` không có thuộc tính {', '.join(f'`{name}`' for name in unknown)}.",
            hint_vi="Các thuộc tính ghi trong hợp đồng và ở /docs.",
        )


def _repeat(connection: Connection, caller: str, dataset_id: str, key: str, digest: bytes) -> Submission | None:
    found = submissions.find(connection, caller, dataset_id, key)
    if found is None:
        return None
    if found.body_digest != digest:
        raise Conflict(
            f"Idempotency-Key `{key}` was used for other records.",
            hint="Use a new key for new records.",
            vi=f"Idempotency-Key `{key}` đã dùng cho bản ghi khác.",
            hint_vi="Hãy dùng khóa mới cho bản ghi mới.",
        )
    return Submission(**found.answer, is_repeat=True)


def _land(workshop: Workshop, connection: Connection, contract: Contract, records: Sequence[Mapping[str, Any]], digest: bytes) -> int:
    at = workshop.clock()
    names = [p.name for p in contract.properties if any(p.name in record for record in records) or p.required or p.key_position]
    table = pa.table({name: pa.array([_text(record.get(name)) for record in records], pa.string()) for name in names})
    with connection.transaction():
        run_id = runs.begin(connection, contract.id, API, Delivery.INCREMENTAL.value, contract.digest, digest.hex(), at, vietnam_date(at))
        landing.add_file(connection, run_id, LandedFile(1, "api", "", digest.hex(), 0, "", 1.0))
        rows = pa.array(range(1, len(records) + 1), pa.int64())
        landing.add_batch(connection, run_id, 1, EncodedBatch(1, 1, len(records), encode_rows(table, rows)), {})
        runs.landed(connection, run_id, len(records), None)
    return run_id


def _text(value: Any) -> str | None:
    """A JSON value as the text a file would have held."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return json.dumps(value, ensure_ascii=False)


def _keep(write: Connection, run_id: int, request: _Request) -> None:
    published = submissions.published_rows(write, request.contract.id, run_id)
    held = submissions.held_rows(write, run_id)
    issues = submissions.run_issues(write, run_id)
    verdicts = []
    for row in range(1, request.count + 1):
        item, held_key = held.get(row, (None, None))
        key = held_key if item is not None else published.get(row)
        fate = "quarantined" if item is not None else "published" if row in published else "unchanged"
        verdicts.append({"row": row, "fate": fate, "key": key, "item": item, "issues": issues.get(row, [])})
    answer = {"run_id": run_id, "verdicts": verdicts}
    submissions.keep(write, request.caller, request.contract.id, request.idempotency_key, request.digest, run_id, answer, request.at)
