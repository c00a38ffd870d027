"""Reads what a request carries, up to a size: JSON, or a form of plain fields."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs

import msgspec
from starlette.requests import Request

from lienthong.errors import BadRequest, NotJson, TooLarge
from lienthong.standards import show_number


async def read_json(request: Request, most_bytes: int) -> Any:
    """The body as a JSON value. Raises NotJson, TooLarge, BadRequest."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise NotJson(f"Expected Content-Type application/json, found `{kind[:60]}`.", vi="Chỉ nhận Content-Type application/json.")
    body = await read_bytes(request, most_bytes)
    try:
        return msgspec.json.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise BadRequest(
            "The body is not JSON.",
            hint="See /openapi.json for its shape.",
            hint_vi="Cấu trúc đúng: xem /openapi.json.",
            vi="Nội dung không phải JSON.",
        ) from error


LARGEST_FORM = 65_536


async def read_form(request: Request) -> dict[str, str] | None:
    """A form's fields; None when it is none, too large, or names a field twice."""
    if request.headers.get("content-type", "").split(";")[0].strip().lower() != "application/x-www-form-urlencoded":
        return None
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > LARGEST_FORM:
            return None
    try:
        fields = parse_qs(body.decode("utf-8"), keep_blank_values=True, max_num_fields=20)
    except ValueError:
        return None
    return {name: values[0] for name, values in fields.items()} if all(len(values) == 1 for values in fields.values()) else None


async def read_bytes(request: Request, most_bytes: int) -> bytes:
    """The body as it came. Raises TooLarge."""
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > most_bytes:
            raise TooLarge(
                f"Expected at most {most_bytes:,} bytes.",
                hint="Send the records in several batches.",
                hint_vi="Hãy gửi các bản ghi thành nhiều đợt.",
                vi=f"Nhiều nhất {show_number(most_bytes)} byte.",
            )
    return bytes(body)
