"""What `/openapi.json` says of corrections proposed."""

from __future__ import annotations

from lienthong.web.openapi_parts import (
    HEADER_TEXT,
    MAYBE_TEXT,
    TEXT,
    Schema,
    answered,
    caller_headers,
    list_of,
    object_of,
    parameter,
    problems,
)

_STATES = ["open", "accepted", "refused", "withdrawn"]
_STATUSES = (400, 401, 403, 404, 405)
_SENDING = (*_STATUSES, 409, 413, 415, 422, 429, 503)
_VALUE: Schema = {"type": ["string", "number", "boolean", "null"]}
_WORDS: Schema = {"type": "string", "maxLength": 2000, "pattern": "^[^\\x00]*$"}
_REASON: Schema = {**_WORDS, "pattern": "^[^\\x00]*[^\\x00\\s][^\\x00]*$"}


def proposal_paths() -> Schema:
    one = [parameter("proposal", "path", {"type": "integer", "minimum": 1, "maximum": 2**63 - 1}, "Số đề nghị · Its number"), *_who()]
    return {
        "/v1/proposals": {
            "get": _operation(
                "proposals", "Các đề nghị sửa · Corrections proposed", [*_filters(), *_who()], object_of(proposals=list_of(_shape()))
            ),
            "post": _operation(
                "propose", "Đề nghị sửa · Propose a correction", caller_headers(), object_of(proposals=list_of(_shape())), _new()
            ),
        },
        "/v1/proposals/{proposal}": {"get": _operation("proposal", "Một đề nghị · One of them", one, _shape())},
        "/v1/proposals/{proposal}/accept": {
            "post": _operation(
                "proposal_accept",
                "Chấp nhận · Accept",
                one,
                _shape(),
                object_of(version={"type": "integer", "minimum": 0, "maximum": 2**31 - 1}),
            )
        },
        "/v1/proposals/{proposal}/refuse": {
            "post": _operation("proposal_refuse", "Từ chối · Refuse", one, _shape(), object_of(reason=_REASON))
        },
        "/v1/proposals/{proposal}/withdraw": {
            "post": _operation("proposal_withdraw", "Rút lại · Withdraw", one, _shape(), {**object_of(reason=_WORDS), "required": []})
        },
    }


def _operation(name: str, summary: str, parameters: list[Schema], answer: Schema, body: Schema | None = None) -> Schema:
    found: Schema = {
        "tags": ["proposals"],
        "operationId": name,
        "summary": summary,
        "parameters": parameters,
        "responses": answered(answer, problems(_STATUSES if body is None else _SENDING)),
        "security": [{"oauth2": []}],
    }
    if body is not None:
        found["requestBody"] = {"required": True, "content": {"application/json": {"schema": body}}}
    return found


def _who() -> list[Schema]:
    return [parameter("Lienthong-Official", "header", HEADER_TEXT, "Cán bộ yêu cầu · The official it is made for", required=True)]


def _filters() -> list[Schema]:
    number = {"type": "integer", "minimum": 1, "maximum": 2**63 - 1}
    return [
        parameter("side", "query", {"enum": ["to", "made"]}, "Gửi đến cơ quan mình, hay do mình gửi · To one's agency, or made by it"),
        parameter("state", "query", {"enum": _STATES}, "Trạng thái · State"),
        parameter("overdue", "query", {"enum": ["true", "false"]}, "Quá hạn · Past its day"),
        parameter("after", "query", number, "Sau đề nghị · After one"),
        parameter("limit", "query", {"type": "integer", "minimum": 1, "maximum": 500}, "Số đề nghị · How many"),
    ]


def _new() -> Schema:
    record = object_of(dataset={**_REASON, "maxLength": 200}, key={**_REASON, "maxLength": 1000})
    evidence = {**object_of(text=_WORDS, document=_WORDS, record=record), "required": []}
    found = object_of(
        dataset={**_REASON, "maxLength": 200}, key={**_REASON, "maxLength": 1000},
        values={"type": "object", "minProperties": 1, "additionalProperties": _VALUE}, reason=_REASON,
    )  # fmt: skip
    return {**found, "properties": {**found["properties"], "evidence": evidence}}


def _shape() -> Schema:
    whole = {"type": "object"}
    found = object_of(
        proposal={"type": "integer"}, dataset=TEXT, key=TEXT, kind={"enum": ["change", "begin", "end"]}, values=whole, version={"type": "integer"},
        reason=TEXT, evidence=whole, owner=TEXT, made_at=TEXT, due_on=TEXT, overdue={"type": "boolean"}, state={"enum": _STATES},
        decided_at=MAYBE_TEXT, words=TEXT, dataset_version={"type": ["integer", "null"]}, by=whole,
    )  # fmt: skip
    return {**found, "properties": {**found["properties"], "standing": whole}}
