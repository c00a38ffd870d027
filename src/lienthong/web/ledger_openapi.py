"""What `/openapi.json` says of the ledger's own addresses and of receipts."""

from __future__ import annotations

from typing import Any

from lienthong.web.openapi_parts import COUNT, TEXT, Schema, answered, caller_headers, list_of, object_of, parameter, problems

TEXTS = {"type": "array", "items": TEXT}
RECEIPT_SCHEMA: Schema = {
    **object_of(format=TEXT, index=COUNT, leaf=TEXT, proof=list_of(TEXT), checkpoint=TEXT, log=TEXT, witnesses=TEXTS),
    "additionalProperties": {"type": "string"},
}


def ledger_paths() -> Schema:
    """The paths of the ledger."""
    note = "Điểm chốt mới nhất, có chữ ký · The newest signed checkpoint (C2SP tlog-checkpoint)"
    digest = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
    tile = {"type": "string", "pattern": "^(0|[1-9][0-9]?)/(x[0-9]{3}/)*[0-9]{3}(\\.p/[1-9][0-9]{0,2})?$"}
    given = {
        "tags": ["ledger"],
        "operationId": "receipt",
        "summary": "Biên nhận của một câu trả lời · The receipt of an answer you were given",
        "parameters": [
            parameter("digest", "path", digest, "SHA-256 của câu trả lời (hex) · SHA-256 of the answer's bytes (hex)"),
            parameter("before", "query", {"type": "integer", "minimum": 0, "maximum": 10**17}, "Trước vị trí này · Before this position"),
            *caller_headers(required=False),
        ],
        "responses": answered(RECEIPT_SCHEMA, problems((400, 401, 404, 405, 429))),
        "security": [{"oauth2": []}],
    }
    handed = {
        "tags": ["ledger"],
        "operationId": "hand_in_cosignature",
        "summary": "Nhân chứng nộp chữ ký · A witness hands in its signature",
        "requestBody": {"required": True, "content": {"text/plain": {"schema": TEXT}}},
        "responses": {"204": {"description": "Đã giữ · Kept"}, **problems((405, 413, 422))},
        "security": [{}],
    }
    return {
        "/ledger/checkpoint": {"get": _open("ledger_checkpoint", note, _text(), (404, 405))},
        "/ledger/keys": {"get": _open("ledger_keys", "Khóa của sổ và nhân chứng · Keys of the log and its witnesses", _text(), (405,))},
        "/ledger/verify.py": {"get": _open("ledger_verifier", "Trình kiểm chứng một tệp · The verifier, one file", _python(), (405,))},
        "/ledger/tile/{tile}": {
            "get": {
                **_open("ledger_tile", "Một ô băm của cây · A tile of the tree (C2SP tlog-tiles)", _bytes(), (404, 405)),
                "parameters": [parameter("tile", "path", tile, "tầng/số · level/number")],
            }
        },
        "/ledger/cosignatures": {"post": handed},
        "/v1/receipts/{digest}": {"get": given},
    }


def _open(name: str, summary: str, content: Schema, statuses: tuple[int, ...]) -> Schema:
    ok: dict[str, Any] = {"description": "Trả lời · The answer", "content": content}
    return {"tags": ["ledger"], "operationId": name, "summary": summary, "responses": {"200": ok, **problems(statuses)}, "security": [{}]}


def _text() -> Schema:
    return {"text/plain": {"schema": TEXT}}


def _python() -> Schema:
    return {"text/x-python": {"schema": TEXT}}


def _bytes() -> Schema:
    return {"application/octet-stream": {"schema": {"type": "string", "contentMediaType": "application/octet-stream"}}}
