"""What `/openapi.json` says of checks before a dataset is opened."""

from __future__ import annotations

from collections.abc import Sequence

from lienthong.contracts import Contract
from lienthong.web.openapi_parts import COUNT, MAYBE_TEXT, TEXT, Schema, answered, list_of, object_of, parameter, problems

_INSTANT: Schema = {"type": "string", "format": "date-time"}
_MAYBE_OBJECT: Schema = {"type": ["object", "null"]}
_NUMBER: Schema = {"type": "number", "minimum": 0}
_WORDS: Schema = {"type": "string", "minLength": 1, "maxLength": 2000, "pattern": "^[^\\x00]*[^\\s\\x00][^\\x00]*$"}
_FINDING = object_of(rule=TEXT, columns=list_of(TEXT), count=COUNT, other=TEXT, is_final={"type": "boolean"}, vi=TEXT, en=TEXT)
_CHECK = object_of(
    check=COUNT,
    dataset=TEXT,
    version=COUNT,
    contract_version=TEXT,
    shape=TEXT,
    verdict={"enum": ["safe", "risky", "forbidden"]},
    rows=COUNT,
    limits=object_of(k=COUNT, diversity=COUNT),
    spread=_MAYBE_OBJECT,
    telling={"type": "object"},
    findings=list_of(_FINDING),
    checked_by=TEXT,
    checked_at=_INSTANT,
)
_DECISION = object_of(
    check=COUNT,
    dataset=TEXT,
    shape=TEXT,
    outcome={"enum": ["allowed", "refused"]},
    reason=TEXT,
    proposed_by=MAYBE_TEXT,
    decided_by=TEXT,
    decided_at=_INSTANT,
    ended_at=MAYBE_TEXT,
)
_BLUR = object_of(
    dropped=list_of(TEXT),
    steps=list_of(object_of(column=TEXT, to=TEXT, loss=_NUMBER, vi=TEXT, en=TEXT)),
    rows_left_out=COUNT,
    before=_MAYBE_OBJECT,
    after=_MAYBE_OBJECT,
    loss=_NUMBER,
)


def releasing_paths(contracts: Sequence[Contract]) -> Schema:
    """The paths of `web.releasing`."""
    dataset = parameter("dataset", "path", {"enum": [contract.id for contract in contracts]}, "Bộ dữ liệu · The dataset")
    number = parameter("check", "path", {"type": "integer", "minimum": 1, "maximum": 2**63 - 1}, "Số lần kiểm tra · Number of the check")
    root = "/v1/datasets/{dataset}/release-checks"
    sent = object_of(outcome={"enum": ["allowed", "refused"]}, reason=_WORDS)
    either = {"type": "object", "properties": {"decision": _DECISION, "proposal": {"type": "object"}}, "additionalProperties": False}
    listed = object_of(checks=list_of(_CHECK), decisions=list_of(_DECISION))
    return {
        root: {
            "get": _operation("release_checks", "Kiểm tra trước khi mở, và quyết định · Checks and decisions", listed, dataset),
            "post": _operation("release_check", "Kiểm tra ngay · Check now", _CHECK, dataset),
        },
        f"{root}/{{check}}/decide": {
            "post": _operation("release_decide", "Cho mở hoặc không · Allow or refuse", either, dataset, number, body=sent)
        },
        "/v1/datasets/{dataset}/release-proposal": {
            "post": _operation("release_proposal", "Đề xuất khái quát hóa · What to blur", _BLUR, dataset)
        },
    }


def _operation(name: str, summary: str, schema: Schema, *parameters: Schema, body: Schema | None = None) -> Schema:
    operation: Schema = {
        "tags": ["open-data"],
        "operationId": name,
        "summary": summary,
        "parameters": list(parameters),
        "responses": answered(schema, problems((400, 401, 403, 404, 405, 409, 413, 415, 422, 503))),
        "security": [{"session": []}, {"oauth2": []}],
    }
    if body is not None:
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": body}}}
    return operation
