"""What `/openapi.json` says of `POST /v1/entities/{type}:deduplicate`."""

from __future__ import annotations

from collections.abc import Iterable

from lienthong.contracts import Contract, Layer
from lienthong.sharing.formats import CSV, JSON
from lienthong.web.list_bodies import MOST_COLUMN_TEXT, MOST_ROWS, XLSX
from lienthong.web.openapi_parts import COUNT, MAYBE_TEXT, TEXT, Schema, caller_headers, list_of, object_of, problems

_OWN_WORDS = {
    403: "Thiếu mục đích hoặc cán bộ · Purpose or official is missing",
    415: "Không nhận loại tệp này · Not a kind of body that is taken",
    422: "Danh sách không dùng được · The list cannot be used",
}
_STATUSES = (400, 401, 403, 405, 406, 413, 415, 422, 429, 503)
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
        "properties": {"rows": rows, "columns": {"type": "object", "additionalProperties": TEXT}},
    }
    answer = {JSON: {"schema": _answer()}, XLSX: file, CSV: {"schema": TEXT}}
    return {
        "tags": [master.id],
        "operationId": f"{master.entity}_deduplicate",
        "summary": f"{master.title_vi}: tìm dòng trùng trong danh sách của mình · what a list of one's own holds twice",
        "parameters": [
            *caller_headers(),
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
        "requestBody": {"required": True, "content": {JSON: {"schema": body}, CSV: {"schema": TEXT}, XLSX: file}},
        "responses": {
            "200": {"description": "Trả lời · The answer", "content": answer},
            **problems(_STATUSES, _OWN_WORDS),
        },
        "security": [{"oauth2": []}],
    }


def _answer() -> Schema:
    held = object_of(verdict=_VERDICT, golden_id=MAYBE_TEXT, probability=_SHARE, vi=TEXT, en=TEXT)
    row = object_of(
        row=COUNT, verdict=_VERDICT, group={"type": ["integer", "null"]}, same=_ROWS, maybe=_ROWS, probability=_SHARE, vi=TEXT, en=TEXT
    )
    row["properties"]["held"] = held  # only under an agreement
    index = {"type": "object", "required": ["asked"], "properties": {"asked": {"type": "boolean"}, "rule": TEXT}}
    return object_of(
        entity=TEXT,
        way=object_of(kind={"enum": ["model", "learnt", "rules"]}, version=TEXT, vi=TEXT, en=TEXT),
        columns=list_of(object_of(column=TEXT, attributes=list_of(TEXT), vi=TEXT, en=TEXT)),
        not_of_form={"type": "object", "additionalProperties": COUNT},
        entities=COUNT,
        sure=COUNT,
        maybe=COUNT,
        index=index,
        rows=list_of(row),
        unreadable=list_of(object_of(row=COUNT, code=TEXT, vi=TEXT, en=TEXT)),
    )
