"""What `/openapi.json` says of `POST /v1/entities/{type}:deduplicate`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from lienthong.contracts import Contract, Layer
from lienthong.sharing.formats import CSV, JSON
from lienthong.web.list_bodies import MOST_COLUMN_TEXT, MOST_ROWS, XLSX

Schema = dict[str, Any]
_PROBLEM = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
_WORDS = {
    400: "Yêu cầu không hiểu được · The request cannot be understood",
    401: "Chưa có mã truy cập hợp lệ · No valid access token",
    403: "Thiếu mục đích hoặc cán bộ · Purpose or official is missing",
    405: "Phương thức không dùng ở đây · Not a method of this address",
    406: "Không có định dạng này · None of the formats asked for",
    413: "Quá lớn · Too large",
    415: "Không nhận loại tệp này · Not a kind of body that is taken",
    422: "Danh sách không dùng được · The list cannot be used",
    429: "Quá số lần cho phép · Past the quota",
    503: "Bận, thử lại sau · Busy, try again",
}
_TEXT = {"type": "string"}
_MAYBE_TEXT = {"type": ["string", "null"]}
_COUNT = {"type": "integer", "minimum": 0}
_ROWS = {"type": "array", "items": {"type": "integer"}}
_VERDICT = {"enum": ["sure", "maybe", "none"]}
_SHARE = {"type": ["number", "null"], "minimum": 0, "maximum": 1}


def list_paths(contracts: Iterable[Contract]) -> Schema:
    """A path for each entity that has a master contract among these."""
    masters = [contract for contract in contracts if contract.layer is Layer.MASTER and contract.entity is not None]
    return {f"/v1/entities/{master.entity}:deduplicate": {"post": _operation(master)} for master in masters}


def _operation(master: Contract) -> Schema:
    file = {"schema": {"type": "string", "contentMediaType": XLSX}}
    row = {"type": "object", "additionalProperties": {"type": ["string", "number", "boolean", "null"]}}
    rows = {"type": "array", "items": row, "minItems": 1, "maxItems": MOST_ROWS}
    body = {
        "type": "object",
        "required": ["rows"],
        "additionalProperties": False,
        "properties": {"rows": rows, "columns": {"type": "object", "additionalProperties": _TEXT}},
    }
    answer = {JSON: {"schema": _answer()}, XLSX: file, CSV: {"schema": _TEXT}}
    return {
        "tags": [master.id],
        "operationId": f"{master.entity}_deduplicate",
        "summary": f"{master.title_vi}: tìm dòng trùng trong danh sách của mình · what a list of one's own holds twice",
        "parameters": [
            _header("Lienthong-Purpose", "Mục đích · Purpose"),
            _header("Lienthong-Official", "Cán bộ yêu cầu · The official it is made for"),
            {
                "name": "column",
                "in": "query",
                "required": False,
                "schema": {
                    "type": "array",
                    "items": {"type": "string", "pattern": "^[^\\x00]+=[a-z0-9_]*$", "maxLength": MOST_COLUMN_TEXT},
                },
                "description": "tiêu đề=thuộc tính · heading=attribute",
            },
        ],
        "requestBody": {"required": True, "content": {JSON: {"schema": body}, CSV: {"schema": _TEXT}, XLSX: file}},
        "responses": {
            "200": {"description": "Trả lời · The answer", "content": answer},
            **{str(status): {"description": words, "content": _PROBLEM} for status, words in _WORDS.items()},
        },
        "security": [{"oauth2": []}],
    }


def _header(name: str, words: str) -> Schema:
    schema = {"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[^\\x00-\\x1f\\x7f]*$"}
    return {"name": name, "in": "header", "required": True, "schema": schema, "description": words}


def _answer() -> Schema:
    held = _object(verdict=_VERDICT, golden_id=_MAYBE_TEXT, probability=_SHARE, vi=_TEXT, en=_TEXT)
    row = _object(
        row=_COUNT, verdict=_VERDICT, group={"type": ["integer", "null"]}, same=_ROWS, maybe=_ROWS, probability=_SHARE, vi=_TEXT, en=_TEXT
    )
    row["properties"]["held"] = held  # only under an agreement
    index = {"type": "object", "required": ["asked"], "properties": {"asked": {"type": "boolean"}, "rule": _TEXT}}
    return _object(
        entity=_TEXT,
        way=_object(kind={"enum": ["model", "learnt", "rules"]}, version=_TEXT, vi=_TEXT, en=_TEXT),
        columns=_list(_object(column=_TEXT, attributes=_list(_TEXT), vi=_TEXT, en=_TEXT)),
        not_of_form={"type": "object", "additionalProperties": _COUNT},
        entities=_COUNT,
        sure=_COUNT,
        maybe=_COUNT,
        index=index,
        rows=_list(row),
        unreadable=_list(_object(row=_COUNT, code=_TEXT, vi=_TEXT, en=_TEXT)),
    )


def _list(items: Mapping[str, Any]) -> Schema:
    return {"type": "array", "items": dict(items)}


def _object(**properties: Mapping[str, Any]) -> Schema:
    return {
        "type": "object",
        "required": list(properties),
        "additionalProperties": False,
        "properties": {name: dict(schema) for name, schema in properties.items()},
    }
