"""Reads what a request carries, up to a size: JSON, or a form of plain fields."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from urllib.parse import parse_qs

import msgspec
from starlette.requests import Request

from lienthong.errors import BadRequest, NotJson, RequestError, TooLarge, Unprocessable
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


async def read_object(request: Request, most_bytes: int) -> Mapping[str, Any]:
    """The body as a JSON object. Raises as `read_json`, and Unprocessable."""
    document = await read_json(request, most_bytes)
    if not isinstance(document, dict):
        raise Unprocessable("Expected an object.", vi="Cần một đối tượng JSON.")
    return document


def require_only(document: Mapping[str, Any], known: Sequence[str]) -> None:
    """Raises Unprocessable where an object has other fields than these."""
    if set(document) - set(known):
        raise Unprocessable(f"Expected an object of {', '.join(known)}.", vi=f"Cần một đối tượng gồm {', '.join(known)}.")


def read_text(document: Mapping[str, Any], name: str, otherwise: str | None = None) -> str:
    """A field that is text. Raises Unprocessable where it is none, or is not there and nothing stands for it."""
    value = document.get(name, otherwise)
    if not isinstance(value, str) or "\x00" in value or len(value) > LONGEST_TEXT:
        raise Unprocessable(
            f"`{name}`: expected text of at most {LONGEST_TEXT:,} letters.",
            vi=f"`{name}`: cần chữ, nhiều nhất {show_number(LONGEST_TEXT)} ký tự.",
        )
    return value


def read_step(document: Mapping[str, Any]) -> int | None:
    """`seen`: the step a person had before them. Raises Unprocessable."""
    seen = document.get("seen")
    if seen is not None and (not isinstance(seen, int) or isinstance(seen, bool)):
        raise Unprocessable("`seen`: expected the number of a step.", vi="`seen`: cần số của một bước.")
    return seen


def read_day(name: str, text: str, wrong: type[RequestError] = Unprocessable) -> date:
    """A day as 2026-11-25. Raises `wrong` for what is none, Unprocessable for one before 1970."""
    try:
        found = date.fromisoformat(text)
    except ValueError as error:
        raise wrong(f"`{name}`: expected a date.", vi=f"`{name}`: cần một ngày như 2026-11-25.") from error
    if not 1970 <= found.year < 9999:
        raise Unprocessable(f"`{name}`: expected a date from 1970.", vi=f"`{name}`: cần một ngày từ năm 1970.")
    return found


LARGEST_FORM = 65_536
LONGEST_TEXT = 2_000


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
