"""What `/openapi.json` says of a steward's desk."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from lienthong.contracts import Contract, Layer
from lienthong.sharing.formats import JSON

Schema = dict[str, Any]
_PROBLEM = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
_WORDS = {
    400: "Yêu cầu không hiểu được · The request cannot be understood",
    401: "Chưa có mã truy cập hợp lệ · No valid access token",
    403: "Chỉ cơ quan giữ bản ghi gốc · Only the agency that keeps the golden records",
    404: "Không có · There is none",
    405: "Phương thức không dùng ở đây · Not a method of this address",
    409: "Cần người thứ hai, hoặc đã hoàn tác rồi · A second person must agree, or it was undone already",
    413: "Quá lớn · Too large",
    415: "Chỉ nhận application/json · Only application/json is taken",
    422: "Nội dung không dùng được · The content cannot be used",
    503: "Bận, thử lại sau · Busy, try again",
}
_READING = (400, 401, 403, 404, 405, 503)
_ACTING = (*_READING, 409, 413, 415, 422)
_PLAIN = {"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[^\\x00/]+$"}
_TEXT = {"type": "string", "maxLength": 2000, "pattern": "^[^\\x00]*$"}
_COUNT = {"type": "integer", "minimum": 1, "maximum": 2**63 - 1}
_RECORD = {"type": "object", "required": ["source", "key"], "additionalProperties": False, "properties": {"source": _PLAIN, "key": _TEXT}}
_GROUPS = {"type": "array", "minItems": 2, "items": {"type": "array", "minItems": 1, "items": _RECORD}}
_NAMES = {"type": "array", "items": _PLAIN}
_PATTERN = {
    "verdict": {"enum": ["same", "apart"]},
    "why": _PLAIN,
    "registers": {**_NAMES, "minItems": 2, "maxItems": 2},
    "least_bits": {"type": "number"},
    "below_bits": {"type": "number"},
    "alike": _NAMES,
    "differing": _NAMES,
}
_VERDICT = {"enum": ["same", "apart", "unsure"]}


def stewardship_paths(contracts: Iterable[Contract]) -> Schema:
    """The paths of each entity that has a master contract among these."""
    paths: Schema = {}
    for master in contracts:
        if master.layer is Layer.MASTER and master.entity is not None:
            paths.update(_paths(master, f"/v1/stewardship/{master.entity}"))
    return paths


def _paths(master: Contract, root: str) -> Schema:
    def get(name: str, words: str, *parameters: Schema) -> Schema:
        return {"get": _operation(master, name, words, list(parameters), _READING)}

    def send(method: str, name: str, words: str, body: Schema, required: list[str], *parameters: Schema) -> Schema:
        schema = {"type": "object", "additionalProperties": False, "required": required, "properties": body}
        content = {"required": True, "content": {JSON: {"schema": schema}}}
        return {method: {**_operation(master, name, words, list(parameters), _ACTING), "requestBody": content}}

    limit = _parameter("limit", "query", {"type": "integer", "minimum": 1, "maximum": 100})
    pair = [_parameter(name, "query", _TEXT, required=True) for name in ("left_source", "left_key", "right_source", "right_key")]
    item, act = _parameter("item", "path", _COUNT), _parameter("act", "path", _COUNT)
    id, attribute = _parameter("id", "path", _PLAIN), _parameter("attribute", "path", _PLAIN)
    decided = {"item": _COUNT, "left": _RECORD, "right": _RECORD, "verdict": _VERDICT, "reason": _TEXT}
    value = {"value": {"type": ["string", "null"]}, "reason": _TEXT, "until": {"type": "string", "format": "date"}}
    reason = {"reason": _TEXT}
    return {
        f"{root}/queue": get("queue", "những cặp chờ quyết định, mở cho người hỏi 15 phút · pairs that wait, open to who asks for 15 minutes", limit),
        f"{root}/pairs": get("pair", "vì sao hai bản ghi là một hay không · why two records are one or not", *pair),
        f"{root}/acts/{{act}}": get("act", "một hành động và điều nó đã đổi · an act and what it changed", act),
        f"{root}/goldens/{{id}}": get("dossier", "mọi điều nói về một bản ghi gốc · everything that speaks of a golden record", id),
        f"{root}/decisions": send("post", "decide", "quyết định hai bản ghi có là một · decide whether two records are one", decided, ["verdict", "reason"]),
        f"{root}/bulk/preview": send("post", "preview_bulk", "xem trước quyết định hàng loạt theo mẫu · preview a decision on all pairs of a pattern", _PATTERN, ["verdict"]),
        f"{root}/bulk/decisions": send("post", "decide_bulk", "quyết định đúng những cặp đã xem trước · decide exactly the pairs previewed", {**_PATTERN, "digest": _TEXT, **reason}, ["verdict", "digest", "reason"]),
        f"{root}/items/{{item}}/defer": send("post", "defer", "để lại tới một thời điểm · not before an instant", {"until": {"type": "string", "format": "date-time"}}, ["until"], item),
        f"{root}/splits": send("post", "split", "tách một bản ghi gốc · take a golden record apart", {"groups": _GROUPS, **reason}, ["groups", "reason"]),
        f"{root}/acts/{{act}}/undo": send("post", "undo", "hoàn tác đúng như trước · take an act back, exactly", reason, ["reason"], act),
        f"{root}/goldens/{{id}}/values/{{attribute}}": send("put", "set_value", "đặt giá trị bằng tay · set a value by hand", value, ["value", "reason"], id, attribute),
        f"{root}/goldens/{{id}}/values/{{attribute}}/withdraw": send("post", "withdraw_value", "rút giá trị đặt bằng tay · withdraw a value set by hand", reason, ["reason"], id, attribute),
    }  # fmt: skip


def _operation(master: Contract, name: str, words: str, parameters: list[Schema], statuses: tuple[int, ...]) -> Schema:
    sent = {"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[^\\x00-\\x1f\\x7f]*$"}
    headers = [_parameter(header, "header", sent, required=True) for header in ("Lienthong-Purpose", "Lienthong-Official")]
    return {
        "tags": [master.id],
        "operationId": f"{master.entity}_steward_{name}",
        "summary": f"{master.title_vi}: {words}",
        "parameters": [*parameters, *headers],
        "responses": {
            "200": {"description": "Trả lời · The answer", "content": {JSON: {"schema": {"type": "object"}}}},
            **{str(status): {"description": _WORDS[status], "content": _PROBLEM} for status in sorted(statuses)},
        },
        "security": [{"oauth2": []}],
    }


def _parameter(name: str, place: str, schema: Schema, *, required: bool = False) -> Schema:
    return {"name": name, "in": place, "required": required or place == "path", "schema": schema}
