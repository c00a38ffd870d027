"""What `/openapi.json` says of `GET /v1/reports/…`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Schema = dict[str, Any]
_PROBLEM = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
_WORDS = {
    400: "Yêu cầu không hiểu được · The request cannot be understood",
    401: "Chưa có mã truy cập hợp lệ · No valid access token",
    405: "Phương thức không dùng ở đây · Not a method of this address",
    429: "Quá số lần cho phép · Past the quota",
}
_COUNT = {"type": "integer", "minimum": 0}
_TEXT = {"type": "string"}
_INSTANT = {"type": "string", "format": "date-time"}
_FIGURES: Schema = {"filled": _COUNT, "held": _COUNT, "agree": _COUNT, "disagree": _COUNT, "hours": {"type": "number", "minimum": 0}}


def report_paths() -> Schema:
    """The paths of the reports."""
    return {
        "/v1/reports/reuse": {"get": _operation("report_reuse", "Giá trị dùng lại được · The reuse meter", _reuse())},
        "/v1/reports/index": {"get": _operation("report_index", "Chỉ mục bản ghi gốc · The index of golden records", _index())},
    }


def _operation(name: str, summary: str, schema: Schema) -> Schema:
    answer = {"description": "Trả lời · The answer", "content": {"application/json": {"schema": schema}}}
    problems = {str(status): {"description": words, "content": _PROBLEM} for status, words in _WORDS.items()}
    return {
        "tags": ["reports"],
        "operationId": name,
        "summary": summary,
        "parameters": [_header("Lienthong-Purpose", "Mục đích · Purpose"), _header("Lienthong-Official", "Cán bộ yêu cầu · The official")],
        "responses": {"200": answer, **problems},
        "security": [{"oauth2": []}],
    }


def _header(name: str, words: str) -> Schema:
    schema = {"type": "string", "maxLength": 200, "pattern": "^[^\\x00-\\x1f\\x7f]*$"}
    return {"name": name, "in": "header", "required": False, "schema": schema, "description": words}


def _reuse() -> Schema:
    texts = {"type": "array", "items": _TEXT}
    attribute = _object(entity=_TEXT, attribute=_TEXT, title=_TEXT, title_en=_TEXT, properties=texts, authorities=texts, **_FIGURES)
    dataset = _object(dataset=_TEXT, title=_TEXT, title_en=_TEXT, **_FIGURES, properties=_list(attribute))
    return _object(
        counted_at=_INSTANT,
        characters_per_minute={"type": "number"},
        total=_object(**_FIGURES),
        agencies=_list(_object(agency=_TEXT, **_FIGURES)),
        datasets=_list(dataset),
    )


def _index() -> Schema:
    entity = _object(
        entity=_TEXT,
        title=_TEXT,
        title_en=_TEXT,
        model={"type": ["string", "null"]},
        records=_COUNT,
        golden_records=_COUNT,
        sources=_list(_object(source=_TEXT, records=_COUNT, golden_records=_COUNT)),
        overlaps=_list(_object(left=_TEXT, right=_TEXT, golden_records=_COUNT)),
        judgements=_list(_object(by=_TEXT, verdict=_TEXT, count=_COUNT)),
        waiting={"type": "object", "additionalProperties": _COUNT},
        events=_list({"type": "object", "required": ["day"], "properties": {"day": {"type": "string", "format": "date"}}}),
    )
    return _object(counted_at=_INSTANT, entities=_list(entity))


def _list(items: Schema) -> Schema:
    return {"type": "array", "items": items}


def _object(**properties: Mapping[str, Any]) -> Schema:
    return {
        "type": "object",
        "required": list(properties),
        "additionalProperties": False,
        "properties": {name: dict(schema) for name, schema in properties.items()},
    }
