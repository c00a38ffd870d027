"""What `/openapi.json` says of golden records asked for one at a time."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from lienthong.contracts import Contract, Layer
from lienthong.masterdata.golden_values import PROVENANCE
from lienthong.sharing.formats import JSON

Schema = dict[str, Any]
_PROBLEM = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
_WORDS = {
    308: "Đã gộp vào bản ghi gốc khác · Merged into another golden record",
    400: "Yêu cầu không hiểu được · The request cannot be understood",
    401: "Chưa có mã truy cập hợp lệ · No valid access token",
    403: "Thỏa thuận không cho phép · The agreement does not allow it",
    404: "Không có · There is none",
    405: "Phương thức không dùng ở đây · Not a method of this address",
    409: "Chưa so khớp lần nào · Never matched yet",
    410: "Đã kết thúc · Ended",
    413: "Quá lớn · Too large",
    415: "Chỉ nhận application/json · Only application/json is taken",
    422: "Dữ liệu không dùng được · The content cannot be used",
    429: "Quá số lần cho phép · Past the quota",
    503: "Bận, thử lại sau · Busy, try again",
}
_TEXT = {"type": "string"}
_MAYBE = {"type": ["string", "null"]}
_COUNT = {"type": "integer", "minimum": 0}
_MEMBERS = {"type": "array", "items": {"type": "object"}}
_PLAIN = {"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[^\\x00/]+$"}
_READING = (400, 401, 403, 404, 405, 429, 503)
_ASKING = (400, 401, 403, 404, 405, 409, 413, 415, 422, 429, 503)


def identity_paths(contracts: Iterable[Contract]) -> Schema:
    """The paths of each entity that has a master contract among these."""
    paths: Schema = {}
    for master in contracts:
        if master.layer is Layer.MASTER and master.entity is not None:
            paths.update(_paths(master, f"/v1/entities/{master.entity}"))
    return paths


def _paths(master: Contract, root: str) -> Schema:
    id = _parameter("id", "path", _PLAIN, "Mã bản ghi gốc · Golden record id")
    source = _parameter("source", "path", _PLAIN, "Bộ dữ liệu nguồn · The register")
    key = _parameter("key", "path", _PLAIN, "Khóa của bản ghi trong nguồn · The register's key")
    then = _parameter("known_at", "query", {"type": "string", "format": "date-time"}, "Biết tới thời điểm · As known at")
    after = _parameter("after", "query", {"type": "string", "pattern": "^[0-9]{1,19}$"}, "Sau sự kiện · After this event")
    limit = _parameter("limit", "query", {"type": "integer", "minimum": 1, "maximum": 1000}, "Nhiều nhất · At most")
    names = [p.name for p in master.properties if p.key_position is None and p.name != PROVENANCE]
    match = {"attributes": _mapping(names, _TEXT), "limit": {"type": "integer", "minimum": 1, "maximum": 20}}
    held = {"id": _PLAIN, "attributes": _mapping(names, _TEXT), "fields": _mapping(names, _MAYBE)}
    one = _object(type=_TEXT, id=_TEXT, values={"type": "object"}, provenance={"type": "object"}, sources=_MEMBERS, sources_withheld=_COUNT)
    return {
        f"{root}/{{id}}": {"get": _reading(master, "one", "bản ghi gốc và nguồn của từng giá trị · a golden record and its sources", [id, then], one, (308, 410))},
        f"{root}/{{id}}/members": {"get": _reading(master, "members", "các bản ghi là một · the records that are one", [id, then], _object(id=_TEXT, members=_MEMBERS, members_withheld=_COUNT))},
        f"{root}/by-source/{{source}}/{{key}}": {"get": _reading(master, "by_source", "bản ghi gốc theo khóa của nguồn · by a register's key", [source, key, then], one, (308, 410))},
        f"{root}/changes": {"get": _reading(master, "entity_changes", "gộp, tách, đổi: theo thứ tự · merged, split, changed: in order", [after, limit], _object(type=_TEXT, events={"type": "array", "items": {"type": "object"}}, next=_TEXT, more={"type": "boolean"}))},
        f"{root}:match": {"post": _asking(master, "match", "tìm bản ghi gốc của một mô tả · whose description this is", _body(match, ["attributes"]), _object(type=_TEXT, compared={"type": "array"}, not_compared={"type": "object"}, candidates={"type": "array"}))},
        f"{root}:held": {"post": _asking(master, "held", "đã có ai giữ chưa, để khỏi hỏi lại · held already, and by whom: ask once", _body(held, ["fields"]), _object(type=_TEXT, id=_MAYBE, verdict={"enum": ["sure", "maybe", "none"]}, fields={"type": "object"}))},
    }  # fmt: skip


def _reading(master: Contract, name: str, words: str, parameters: list[Schema], answer: Schema, more: tuple[int, ...] = ()) -> Schema:
    return _operation(master, name, words, parameters, answer, (*_READING, *more))


def _asking(master: Contract, name: str, words: str, body: Schema, answer: Schema) -> Schema:
    content = {"required": True, "content": {JSON: {"schema": body}}}
    return {**_operation(master, name, words, [], answer, _ASKING), "requestBody": content}


def _operation(master: Contract, name: str, words: str, parameters: list[Schema], answer: Schema, statuses: tuple[int, ...]) -> Schema:
    sent = {"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[^\\x00-\\x1f\\x7f]*$"}
    headers = [
        _parameter("Lienthong-Purpose", "header", sent, "Mục đích · Purpose", required=True),
        _parameter("Lienthong-Official", "header", sent, "Cán bộ yêu cầu · The official it is made for", required=True),
    ]
    return {
        "tags": [master.id],
        "operationId": f"{master.entity}_{name}",
        "summary": f"{master.title_vi}: {words}",
        "parameters": [*parameters, *headers],
        "responses": {
            "200": {"description": "Trả lời · The answer", "content": {JSON: {"schema": answer}}},
            **{
                str(status): {"description": _WORDS[status], "content": {JSON: {"schema": _object(id=_TEXT, merged_into=_TEXT)}} if status == 308 else _PROBLEM}
                for status in sorted(statuses)
            },
        },
        "security": [{"oauth2": []}],
    }  # fmt: skip


def _parameter(name: str, place: str, schema: Schema, words: str, *, required: bool = False) -> Schema:
    return {"name": name, "in": place, "required": required or place == "path", "schema": schema, "description": words}


def _mapping(names: list[str], value: Schema) -> Schema:
    return {"type": "object", "minProperties": 1, "additionalProperties": False, "properties": dict.fromkeys(names, value)}


def _body(properties: Schema, required: list[str]) -> Schema:
    return {"type": "object", "additionalProperties": False, "required": required, "properties": properties}


def _object(**properties: Schema) -> Schema:
    return {"type": "object", "required": sorted(properties), "properties": properties}
