"""The parts every description in `/openapi.json` is made of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

Schema = dict[str, Any]

PROBLEM = "application/problem+json"
PROBLEM_CONTENT: Schema = {PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}}}
WORDS: Mapping[int, str] = {
    400: "Yêu cầu không hiểu được · The request cannot be understood",
    401: "Chưa có mã truy cập hợp lệ · No valid access token",
    403: "Thỏa thuận không cho phép · The agreement does not allow it",
    404: "Không có · There is none",
    405: "Phương thức không dùng ở đây · Not a method of this address",
    406: "Không có định dạng này · None of the formats asked for",
    409: "Trùng với yêu cầu trước · In conflict with an earlier request",
    412: "Bản ghi đã thay đổi; có cả hai bản · The record has changed; both sides are given",
    410: "Không còn nữa · No longer there",
    413: "Quá lớn · Too large",
    415: "Chỉ nhận application/json · Only application/json is taken",
    422: "Dữ liệu không dùng được · The content cannot be used",
    428: "Cần nêu phiên bản · A version is needed",
    429: "Quá số lần cho phép · Past the quota",
    503: "Bận, thử lại sau · Busy, try again",
}
HEADER_TEXT: Schema = {
    "type": "string",
    "minLength": 1,
    "maxLength": 200,
    "pattern": "^(?:[^\\x00-\\x1f\\x7f%]|%(?:[2-6][0-9A-Fa-f]|7[0-9A-Ea-e]))*$",
}  # escapes are of printed characters too
PLAIN: Schema = {"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[^\\x00/]+$"}
TEXT: Schema = {"type": "string"}
MAYBE_TEXT: Schema = {"type": ["string", "null"]}
COUNT: Schema = {"type": "integer", "minimum": 0}


def problems(statuses: Iterable[int], own: Mapping[int, str] | None = None) -> Schema:
    """A problem document for each status, in the usual words or an operation's own."""
    words = {**WORDS, **(own or {})}
    return {str(status): {"description": words[status], "content": PROBLEM_CONTENT} for status in sorted(set(statuses))}


def parameter(name: str, place: str, schema: Schema, words: str, *, required: bool = False) -> Schema:
    """A parameter; one in the path is always required."""
    return {"name": name, "in": place, "required": required or place == "path", "schema": schema, "description": words}


def caller_headers(*, required: bool = True) -> list[Schema]:
    """Purpose and official, which every request for data names."""
    schema = HEADER_TEXT if required else {name: value for name, value in HEADER_TEXT.items() if name != "minLength"}
    return [
        parameter(
            "Lienthong-Purpose", "header", schema, "Mã mục đích trong thỏa thuận · Purpose, as named in the agreement", required=required
        ),
        parameter("Lienthong-Official", "header", schema, "Cán bộ yêu cầu · The official it is made for", required=required),
    ]


def answered(schema: Schema, statuses: Schema) -> Schema:
    """The responses of an operation that answers with JSON."""
    return {"200": {"description": "Trả lời · The answer", "content": {"application/json": {"schema": schema}}}, **statuses}


def object_of(*, is_closed: bool = True, **properties: Mapping[str, Any]) -> Schema:
    """An object with all of these; closed: with nothing else."""
    closed = {"additionalProperties": False} if is_closed else {}
    return {
        "type": "object",
        "required": list(properties),
        **closed,
        "properties": {name: dict(schema) for name, schema in properties.items()},
    }


def list_of(items: Mapping[str, Any]) -> Schema:
    return {"type": "array", "items": dict(items)}
