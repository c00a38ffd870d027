"""What `/openapi.json` says of writing one record."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lienthong.contracts import Contract
from lienthong.web.openapi_parts import MAYBE_TEXT, Schema, answered, caller_headers, list_of, object_of, parameter, problems

_STATUSES = (400, 401, 403, 404, 405, 409, 412, 413, 415, 422, 428, 429, 503)
_VALUE: Schema = {"type": ["string", "number", "boolean", "null"]}
_VERSION: Schema = {"type": "integer", "minimum": 0, "maximum": 2**31 - 1}
_WAYS = {
    "patch": ("write", "sửa trường của một bản ghi · write values of one record"),
    "put": ("replace", "ghi cả bản ghi · write a whole record, or begin one"),
    "delete": ("end", "kết thúc một bản ghi · end one record"),
}


def writing_operations(contract: Contract) -> Schema:
    """PATCH, PUT and DELETE of one record."""
    return {method: _operation(contract, method, *words) for method, words in _WAYS.items()}


def _operation(contract: Contract, method: str, name: str, summary: str) -> Schema:
    operation: Schema = {
        "tags": [contract.id],
        "operationId": f"{contract.id.replace('.', '_').replace('-', '_')}_{name}",
        "summary": f"{contract.title_vi}: {summary}",
        "parameters": [*_parameters(contract, method)],
        "responses": answered(_answer(), problems(_STATUSES)),
        "security": [{"oauth2": []}],
    }
    if method != "delete":
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": _body(contract, method)}}}
    return operation


def _parameters(contract: Contract, method: str) -> list[Mapping[str, Any]]:
    key = {"type": "string", "minLength": 1, "maxLength": 200}
    version: Schema = {"type": "string", "pattern": '^"[1-9][0-9]{0,8}"$'}
    found: list[Mapping[str, Any]] = [
        parameter("key", "path", key, " ~ ".join(p.name for p in contract.key)),
        *caller_headers(),
        parameter("Idempotency-Key", "header", {"type": "string", "pattern": "^[!-~]*$", "maxLength": 200}, "Gửi trùng chỉ làm một lần"),
    ]
    if method != "put":
        words = '"phiên bản" của bản ghi đã đọc · "version" of the record that was read'
        found.append(parameter("If-Match", "header", version, words, required=True))
    return found


def _body(contract: Contract, method: str) -> Schema:
    values = {
        "type": "object",
        "additionalProperties": False,
        "properties": {p.name: {**_VALUE, "description": f"{p.title_vi} · {p.title_en}"} for p in contract.properties},
    }
    if method == "patch":
        found = object_of(values={**values, "minProperties": 1})
        words = "Có lý do: trường do cơ quan khác quyết định trở thành đề nghị · With a reason, what others decide over is proposed"
        reason = {"type": "string", "minLength": 1, "maxLength": 2000, "pattern": "^[^\\x00]*[^\\x00\\s][^\\x00]*$", "description": words}
        return {**found, "properties": {**found["properties"], "reason": reason}}
    return object_of(
        values=values, version={**_VERSION, "description": "Phiên bản đã đọc; 0: chưa có · Version that was read; 0: none yet"}
    )


def _answer() -> Schema:
    verdict = object_of(
        field=MAYBE_TEXT, fate={"enum": ["written", "unchanged", "refused", "proposed"]}, issues=list_of({"type": "object"})
    )
    verdict["properties"] |= {"proposal": {"type": "integer"}, "owner": {"type": "string"}}
    return object_of(
        outcome={"enum": ["written", "unchanged"]},
        key={"type": "string"},
        version={"type": ["integer", "null"]},
        dataset_version={"type": ["integer", "null"]},
        verdicts=list_of(verdict),
        record={"type": ["object", "null"]},
        repeated={"type": "boolean"},
    )
