"""What `/openapi.json` says of golden records asked for one at a time."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from lienthong.contracts import Contract, Layer
from lienthong.masterdata.golden_values import PROVENANCE
from lienthong.sharing.formats import JSON
from lienthong.web.openapi_parts import COUNT, MAYBE_TEXT, PLAIN, TEXT, Schema, answered, caller_headers, object_of, parameter, problems

_OWN_WORDS = {409: "Chưa so khớp lần nào · Never matched yet", 410: "Đã kết thúc · Ended"}
_MEMBERS = {"type": "array", "items": {"type": "object"}}
_SAID = object_of(value=MAYBE_TEXT, source=TEXT, key=MAYBE_TEXT, dated=MAYBE_TEXT)
_CONFLICTS = {
    "type": "object",
    "description": "Thuộc tính các nguồn nói khác nhau · Attributes of which registers say different things",
    "additionalProperties": object_of(said={"type": "array", "items": _SAID}, withheld=COUNT),
}
_READING = (400, 401, 403, 404, 405, 429, 503)
_ASKING = (400, 401, 403, 404, 405, 409, 413, 415, 422, 429, 503)
_open = partial(object_of, is_closed=False)
_THEN: Schema = {
    "as_of": {"type": ["string", "null"], "format": "date"},
    "known_at": {"type": ["string", "null"], "format": "date-time"},
}
_MERGED = {
    "308": {
        "description": "Đã gộp vào bản ghi gốc khác · Merged into another golden record",
        "content": {JSON: {"schema": _open(id=TEXT, merged_into=TEXT)}},
    }
}


def identity_paths(contracts: Iterable[Contract]) -> Schema:
    """The paths of each entity that has a master contract among these."""
    paths: Schema = {}
    for master in contracts:
        if master.layer is Layer.MASTER and master.entity is not None:
            paths.update(_paths(master, f"/v1/entities/{master.entity}"))
    return paths


def _paths(master: Contract, root: str) -> Schema:
    id = parameter("id", "path", PLAIN, "Mã bản ghi gốc · Golden record id")
    source = parameter("source", "path", PLAIN, "Bộ dữ liệu nguồn · The register")
    key = parameter("key", "path", PLAIN, "Khóa của bản ghi trong nguồn · The register's key")
    then = [
        parameter("as_of", "query", {"type": "string", "format": "date"}, "Đúng vào ngày · True on a day"),
        parameter("known_at", "query", {"type": "string", "format": "date-time"}, "Biết vào lúc · Known at an instant"),
    ]
    after = parameter("after", "query", {"type": "string", "pattern": "^[0-9]{1,19}$"}, "Sau sự kiện · After this event")
    limit = parameter("limit", "query", {"type": "integer", "minimum": 1, "maximum": 1000}, "Nhiều nhất · At most")
    names = [p.name for p in master.properties if p.key_position is None and p.name != PROVENANCE]
    match = {"attributes": _mapping(names, TEXT), "limit": {"type": "integer", "minimum": 1, "maximum": 20}}
    held = {"id": PLAIN, "attributes": _mapping(names, TEXT), "fields": _mapping(names, MAYBE_TEXT)}
    one = _open(
        type=TEXT, id=TEXT, **_THEN, values={"type": "object"}, provenance={"type": "object"}, sources=_MEMBERS, sources_withheld=COUNT
    )
    one["properties"]["conflicts"] = _CONFLICTS  # of now alone
    return {
        f"{root}/{{id}}": {"get": _reading(master, "one", "bản ghi gốc và nguồn của từng giá trị · a golden record and its sources", [id, *then], one, (308, 410))},
        f"{root}/{{id}}/members": {"get": _reading(master, "members", "các bản ghi là một · the records that are one", [id, *then], _open(id=TEXT, **_THEN, members=_MEMBERS, members_withheld=COUNT))},
        f"{root}/by-source/{{source}}/{{key}}": {"get": _reading(master, "by_source", "bản ghi gốc theo khóa của nguồn · by a register's key", [source, key, *then], one, (308, 410))},
        f"{root}/changes": {"get": _reading(master, "entity_changes", "gộp, tách, đổi: theo thứ tự · merged, split, changed: in order", [after, limit], _open(type=TEXT, events={"type": "array", "items": {"type": "object"}}, next=TEXT, more={"type": "boolean"}))},
        f"{root}:match": {"post": _asking(master, "match", "tìm bản ghi gốc của một mô tả · whose description this is", _body(match, ["attributes"]), _open(type=TEXT, compared={"type": "array"}, not_compared={"type": "object"}, candidates={"type": "array"}))},
        f"{root}:held": {"post": _asking(master, "held", "đã có ai giữ chưa, để khỏi hỏi lại · held already, and by whom: ask once", _body(held, ["fields"]), _open(type=TEXT, id=MAYBE_TEXT, verdict={"enum": ["sure", "maybe", "none"]}, fields={"type": "object"}))},
    }  # fmt: skip


def _reading(master: Contract, name: str, words: str, parameters: list[Schema], answer: Schema, more: tuple[int, ...] = ()) -> Schema:
    return _operation(master, name, words, parameters, answer, (*_READING, *more))


def _asking(master: Contract, name: str, words: str, body: Schema, answer: Schema) -> Schema:
    content = {"required": True, "content": {JSON: {"schema": body}}}
    return {**_operation(master, name, words, [], answer, _ASKING), "requestBody": content}


def _operation(master: Contract, name: str, words: str, parameters: list[Schema], answer: Schema, statuses: tuple[int, ...]) -> Schema:
    return {
        "tags": [master.id],
        "operationId": f"{master.entity}_{name}",
        "summary": f"{master.title_vi}: {words}",
        "parameters": [*parameters, *caller_headers()],
        "responses": answered(answer, problems(set(statuses) - {308}, _OWN_WORDS) | (_MERGED if 308 in statuses else {})),
        "security": [{"oauth2": []}],
    }


def _mapping(names: list[str], value: Schema) -> Schema:
    return {"type": "object", "minProperties": 1, "additionalProperties": False, "properties": dict.fromkeys(names, value)}


def _body(properties: Schema, required: list[str]) -> Schema:
    return {"type": "object", "additionalProperties": False, "required": required, "properties": properties}
