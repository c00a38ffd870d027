"""Lists as they are sent: rows of JSON, or a CSV or Excel file as the body; read under limits, refused in words."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from starlette.requests import Request

from lienthong.errors import BadRequest, NotJson, SourceError, TooLarge, Unprocessable
from lienthong.masterdata.entities import Entity
from lienthong.masterdata.headings import known_headings
from lienthong.pipeline.list_reading import ReadList, read_list, rows_as_list
from lienthong.sharing.formats import CSV, JSON
from lienthong.standards import show_number
from lienthong.web.bodies import read_json

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
SUFFIXES = {CSV: ".csv", XLSX: ".xlsx"}
LARGEST_BODY = 10_000_000
MOST_ROWS = 20_000
MOST_COLUMN_TEXT = 300
_COLUMN = "column"


@dataclass(frozen=True)
class SentList:
    """A body before it is read. `stated`: heading → attribute, as the caller says."""

    kind: str
    content: bytes | Mapping[str, Any]
    stated: Mapping[str, str]


async def take_list(request: Request) -> SentList:
    """The body, not looked into yet but for JSON's own shape. Raises NotJson, TooLarge, BadRequest, Unprocessable."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    stated = _stated(request)
    if kind == JSON:
        body = await read_json(request, LARGEST_BODY)
        if not isinstance(body, dict) or set(body) - {"rows", "columns"} or not isinstance(body.get("rows"), list):
            raise Unprocessable('Expected {"rows": […], "columns": {…}}.', vi='Cần {"rows": […], "columns": {…}}.')
        return SentList(kind, body, {**stated, **_columns(body.get("columns", {}))})
    if kind not in SUFFIXES:
        raise NotJson(
            f"Expected Content-Type {JSON}, {CSV} or {XLSX}, found `{kind[:60]}`.", vi=f"Content-Type cần là {JSON}, {CSV} hoặc {XLSX}."
        )
    content = bytearray()
    async for part in request.stream():
        content += part
        if len(content) > LARGEST_BODY:
            raise TooLarge(
                f"Expected at most {LARGEST_BODY:,} bytes.",
                hint="Send the list in parts.",
                hint_vi="Hãy gửi danh sách thành nhiều phần.",
                vi=f"Nhiều nhất {show_number(LARGEST_BODY)} byte.",
            )
    return SentList(kind, bytes(content), stated)


def read_sent(sent: SentList, entity: Entity) -> ReadList:
    """The list in a body. Raises Unprocessable with the reader's own words for what cannot be read or only harms."""
    try:
        if not isinstance(sent.content, bytes):
            return rows_as_list(sent.content["rows"], MOST_ROWS)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"list{SUFFIXES[sent.kind]}"
            path.write_bytes(sent.content)
            return read_list(path, lambda headings: known_headings(entity, headings, sent.stated), MOST_ROWS)
    except SourceError as error:
        raise Unprocessable(error.message, hint=error.hint, hint_vi=error.facts.get("hint_vi", ""), vi=error.message) from error


def _stated(request: Request) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in request.query_params.multi_items():
        heading, sign, attribute = value.rpartition("=")
        if name != _COLUMN or not sign or not heading or len(value) > MOST_COLUMN_TEXT or "\0" in value:
            raise BadRequest(
                f"`{name[:60]}`: expected column=heading=attribute, and nothing else.",
                vi=f"`{name[:60]}`: chỉ nhận column=tiêu đề=thuộc tính.",
            )
        found[heading] = attribute
    return found


def _columns(value: Any) -> dict[str, str]:
    if not isinstance(value, dict) or not all(isinstance(each, str) for each in value.values()):
        raise Unprocessable("`columns`: expected heading and attribute.", vi="`columns`: cần tiêu đề và thuộc tính.")
    return dict(value)
