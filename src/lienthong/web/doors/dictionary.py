"""The data dictionary and the inventory sheet, out and in: `/v1/catalogue/dictionary.{json,csv,xlsx}`, `…/dictionary:compare`, `…/inventory.{xlsx,csv}`, `…/inventory`."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import asdict, fields
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from lienthong.catalog.dictionary import (
    HEADINGS,
    MOST_ELEMENTS,
    Comparison,
    Element,
    as_row,
    compare,
    count_known,
    elements_of,
    read_elements,
)
from lienthong.catalog.inventory import headings as inventory_headings
from lienthong.catalog.inventory import sheet
from lienthong.catalog.sheets import XLSX, as_csv, as_workbook
from lienthong.contracts import Contract
from lienthong.errors import BadRequest, NotJson, SourceError, Unprocessable
from lienthong.pipeline.inventorying import MAY, read_sheet, take_sheet
from lienthong.pipeline.list_reading import read_list
from lienthong.sharing.filters import read_known
from lienthong.store import catalogue
from lienthong.web.acting import require
from lienthong.web.asking import PUBLIC, Counter, json_answer
from lienthong.web.bodies import read_bytes
from lienthong.web.shelf import Shelf

CSV, JSON = "text/csv", "application/json"
LARGEST_BODY = 10_000_000
SUFFIXES = {CSV: ".csv", XLSX: ".xlsx"}


class DictionaryDesk:
    """Dictionary and inventory."""

    def __init__(self, counter: Counter, shelf: Shelf) -> None:
        self._counter = counter
        self._shelf = shelf

    def routes(self) -> list[Route]:
        root = "/v1/catalogue"
        given = [Route(f"{root}/dictionary.{form}", partial(_in_thread, self._dictionary, form)) for form in ("json", "csv", "xlsx")]
        sheets = [Route(f"{root}/inventory.{form}", partial(_in_thread, self._sheet, form)) for form in ("csv", "xlsx")]
        return [
            *given,
            *sheets,
            Route(f"{root}/dictionary:compare", self._compared, methods=["POST"]),
            Route(f"{root}/inventory", self._taken, methods=["POST"]),
        ]

    def _public(self) -> list[Contract]:
        return [c for c in sorted(self._counter.contracts.values(), key=lambda c: c.id) if not c.is_hidden]

    def _dictionary(self, form: str, request: Request) -> Response:
        asked = read_known(request.query_params.multi_items(), ("dataset", "agency"))
        chosen = [c for c in self._public() if asked.get("dataset") in (None, c.id) and asked.get("agency") in (None, c.agency)]
        elements = elements_of(chosen)
        if form == "json":
            return json_answer({"at": self._counter.clock(), "elements": [asdict(each) for each in elements]}, is_public=True)
        return _file("tu-dien-du-lieu", form, list(HEADINGS.values()), [as_row(each) for each in elements], "Từ điển dữ liệu")

    def _sheet(self, form: str, request: Request) -> Response:
        asked = read_known(request.query_params.multi_items(), ("agency",))
        with self._counter.connection() as connection:
            held = catalogue.inventory(connection)
        rows = sheet(self._public(), held, self._shelf.agencies(), asked.get("agency", ""))
        return _file("kiem-ke-du-lieu", form, inventory_headings(), rows, "Kiểm kê")

    async def _compared(self, request: Request) -> Response:
        read_known(request.query_params.multi_items(), ())
        kind = _kind(request, (JSON, CSV, XLSX))
        body = await read_bytes(request, LARGEST_BODY)
        return await run_in_threadpool(self._compare, kind, body)

    def _compare(self, kind: str, body: bytes) -> Response:
        there = _elements(kind, body)
        return json_answer(told(compare(elements_of(self._public()), there)), is_public=False)

    async def _taken(self, request: Request) -> Response:
        asked = read_known(request.query_params.multi_items(), ("whole",))
        if asked.get("whole", "false") not in ("true", "false"):
            raise BadRequest("`whole`: expected true or false.", vi="`whole`: cần true hoặc false.")
        kind = _kind(request, (CSV, XLSX))
        actor = await run_in_threadpool(require, request, *MAY)
        body = await read_bytes(request, LARGEST_BODY)

        def act() -> Response:
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / f"sheet{SUFFIXES[kind]}"
                path.write_bytes(body)
                given = read_sheet(path)
            done = take_sheet(self._counter.workshop, actor, given, self._shelf.agencies(), whole=asked.get("whole") == "true")
            self._shelf.forget()
            return json_answer(asdict(done))

        return await run_in_threadpool(act)


async def _in_thread(answer: Any, form: str, request: Request) -> Response:
    return await run_in_threadpool(answer, form, request)


def _kind(request: Request, known: Sequence[str]) -> str:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in known:
        raise NotJson(f"Expected Content-Type {', '.join(known)}.", vi=f"Content-Type cần là {', '.join(known)}.")
    return kind


def _elements(kind: str, body: bytes) -> list[Element]:
    """The elements of a dictionary that was sent. Raises Unprocessable in words."""
    if kind == JSON:
        try:
            found = msgspec.json.decode(body)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise BadRequest("The body is not JSON.", vi="Nội dung không phải JSON.") from error
        rows = found.get("elements") if isinstance(found, dict) else found
        if not isinstance(rows, list) or len(rows) > MOST_ELEMENTS or not all(isinstance(row, dict) for row in rows):
            raise Unprocessable(
                f'Expected {{"elements": […]}}, at most {MOST_ELEMENTS}.', vi=f'Cần {{"elements": […]}}, nhiều nhất {MOST_ELEMENTS}.'
            )
    else:
        try:
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / f"dictionary{SUFFIXES[kind]}"
                path.write_bytes(body)
                rows = list(read_list(path, count_known, MOST_ELEMENTS).frame.iter_rows(named=True))
        except SourceError as error:
            raise Unprocessable(error.message, hint=error.hint, hint_vi=error.facts.get("hint_vi", ""), vi=error.message) from error
    elements = read_elements(rows)
    if not elements:
        raise Unprocessable(
            "No element was found: expected a column of fields or of business names.", vi="Không thấy phần tử nào: cần cột tên trường hoặc tên nghiệp vụ."
        )  # fmt: skip
    return elements


def told(found: Comparison) -> dict[str, Any]:
    """A comparison as a document."""
    return {
        "counts": {each.name: len(getattr(found, each.name)) for each in fields(Comparison)},
        "same": [_named(each) for each in found.same],
        "different": [
            {
                **_named(each.here),
                "there": _named(each.there),
                "differs": {word: {"here": ours, "there": theirs} for word, (ours, theirs) in each.words.items()},
            }
            for each in found.different
        ],
        "missing_here": [_named(each) for each in found.missing_here],
        "missing_there": [_named(each) for each in found.missing_there],
    }


def _named(element: Element) -> dict[str, str]:
    return {"dataset": element.dataset, "field": element.field, "business_name": element.business_name}


def _file(name: str, form: str, columns: Sequence[str], rows: list[list[str]], title: str) -> Response:
    headers = {**PUBLIC, "Content-Disposition": f'attachment; filename="{name}.{form}"'}
    if form == "csv":
        return Response(as_csv(columns, rows), media_type=f"{CSV}; charset=utf-8", headers=headers)
    return Response(as_workbook(title, columns, rows), media_type=XLSX, headers=headers)
