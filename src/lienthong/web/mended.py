"""Waiting rows as a workbook, given and taken back: what the console, the API and the command line share, and the API's two addresses."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from lienthong.contracts import Contract
from lienthong.errors import NotJson
from lienthong.pipeline import Workshop, mending
from lienthong.pipeline.correct import By
from lienthong.reports.marked import verdict_workbook, waiting_workbook
from lienthong.sharing.filters import read_known
from lienthong.sharing.workbook import XLSX
from lienthong.web.asking import Counter, contract_of, json_answer
from lienthong.web.bodies import read_bytes

LARGEST_WORKBOOK = 25_000_000
BYTES = "application/octet-stream"


def give_workbook(place: Workshop, contract: Contract, by: By, run_id: int | None = None) -> bytes:
    """The rows that wait, wrong cells marked; who takes them is in the ledger. `run_id`: those of one run."""
    items = mending.give_rows(place, contract, by, run_id)
    return waiting_workbook(contract, items, mending.identities(place, contract, items))


def verdicts_of(place: Workshop, contract: Contract, done: mending.Mended) -> bytes:
    """The workbook of what became of each row; those that still wait can be mended again in it."""
    items = [verdict.item for verdict in done.verdicts if verdict.item is not None]
    return verdict_workbook(contract, done.columns, done.verdicts, mending.identities(place, contract, items))


def given(counter: Counter, request: Request) -> Response:
    """`GET …/quarantine/workbook`."""
    contract = contract_of(counter, request)
    right = counter.authorise(request, contract, "own")
    read_known(request.query_params.multi_items(), ())
    body = give_workbook(counter.workshop, contract, By(right.official, right.caller, right.purpose))
    return _workbook(body, f"{contract.id}-can-sua")


async def taken(counter: Counter, request: Request) -> Response:
    """`POST …/quarantine/workbook`: a workbook of verdicts for who accepts one, else JSON."""
    contract = contract_of(counter, request)
    right = await run_in_threadpool(counter.authorise, request, contract, "own")
    read_known(request.query_params.multi_items(), ())
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in (XLSX, BYTES):
        raise NotJson(f"Expected Content-Type {XLSX} or {BYTES}, found `{kind[:60]}`.", vi="Chỉ nhận tệp .xlsx đã tải về từ các hàng chờ.")
    body = await read_bytes(request, LARGEST_WORKBOOK)
    by = By(right.official, right.caller, right.purpose)

    def take() -> Response:
        with tempfile.NamedTemporaryFile(suffix=".xlsx") as kept:
            kept.write(body)
            kept.flush()
            done = mending.take_back(counter.workshop, contract, Path(kept.name), by)
        if XLSX in request.headers.get("accept", ""):
            return _workbook(verdicts_of(counter.workshop, contract, done), f"{contract.id}-ket-qua")
        return json_answer(facts_of(done))

    return await run_in_threadpool(take)


def facts_of(done: mending.Mended) -> dict[str, Any]:
    """What came of a workbook, row by row, without a value of any."""
    return {
        "run": None if done.outcome is None else done.outcome.run_id,
        "version": None if done.outcome is None else done.outcome.version,
        "counts": done.counts(),
        "ignored_columns": list(done.ignored),
        "absent_columns": list(done.absent),
        "verdicts": [
            {
                "row": verdict.row, "item": None if verdict.item is None else verdict.item.item_id, "fate": verdict.fate.value,
                "vi": verdict.vi, "en": verdict.en, "also_changed": list(verdict.also),
            }
            for verdict in done.verdicts
        ],
    }  # fmt: skip


def _workbook(body: bytes, name: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}.xlsx"', "Cache-Control": "no-store"}
    return Response(body, media_type=XLSX, headers=headers)
