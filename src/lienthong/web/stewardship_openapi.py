"""What `/openapi.json` says of a steward's desk."""

from __future__ import annotations

from collections.abc import Iterable

from lienthong.contracts import Contract, Layer
from lienthong.pipeline.bulk_deciding import VERDICTS, WHYS
from lienthong.sharing.formats import JSON
from lienthong.web.openapi_parts import PLAIN, Schema, answered, caller_headers, parameter, problems

_OWN_WORDS = {
    403: "Chỉ cơ quan giữ bản ghi gốc · Only the agency that keeps the golden records",
    409: "Cần người thứ hai, đã hoàn tác rồi, hoặc đã khác lúc xem trước · A second person must agree, it was undone already, or it changed since the preview",
}
_READING = (400, 401, 403, 404, 405, 503)
_ACTING = (*_READING, 409, 413, 415, 422)
_SENT = {"type": "string", "maxLength": 2000, "pattern": "^[^\\x00]*$"}
_NUMBER = {"type": "integer", "minimum": 1, "maximum": 2**63 - 1}
_RECORD = {"type": "object", "required": ["source", "key"], "additionalProperties": False, "properties": {"source": PLAIN, "key": _SENT}}
_GROUPS = {"type": "array", "minItems": 2, "items": {"type": "array", "minItems": 1, "items": _RECORD}}
_NAMES = {"type": "array", "items": PLAIN}
_PATTERN = {
    "verdict": {"enum": list(VERDICTS)},
    "why": {"enum": list(WHYS)},
    "registers": {**_NAMES, "minItems": 2, "maxItems": 2},
    "least_bits": {"type": "number"},
    "below_bits": {"type": "number"},
    "alike": _NAMES,
    "differing": _NAMES,
}
_PAIR = {
    "left_source": "Nguồn của bản ghi thứ nhất · Register of the first record",
    "left_key": "Khóa của bản ghi thứ nhất · Key of the first record",
    "right_source": "Nguồn của bản ghi thứ hai · Register of the second record",
    "right_key": "Khóa của bản ghi thứ hai · Key of the second record",
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

    limit = parameter("limit", "query", {"type": "integer", "minimum": 1, "maximum": 100}, "Nhiều nhất · At most")
    pair = [parameter(name, "query", _SENT, words, required=True) for name, words in _PAIR.items()]
    item = parameter("item", "path", _NUMBER, "Số trong hàng chờ · Number in the queue")
    act = parameter("act", "path", _NUMBER, "Hành động · The act")
    id = parameter("id", "path", PLAIN, "Mã bản ghi gốc · Golden record id")
    attribute = parameter("attribute", "path", PLAIN, "Thuộc tính · The attribute")
    decided = {"item": _NUMBER, "left": _RECORD, "right": _RECORD, "verdict": _VERDICT, "reason": _SENT}
    value = {"value": {"type": ["string", "null"]}, "reason": _SENT, "until": {"type": "string", "format": "date"}}
    reason = {"reason": _SENT}
    drawn = {"size": {"type": "integer", "minimum": 10, "maximum": 2000}, "seed": {"type": "integer", "minimum": 0, "maximum": 2**63 - 1}}
    registers = {"registers": {"type": "array", "minItems": 1, "items": {**_NAMES, "minItems": 2, "maxItems": 2}}}
    return {
        f"{root}/queue": get("queue", "những cặp chờ quyết định, mở cho người hỏi 15 phút · pairs that wait, open to who asks for 15 minutes", limit),
        f"{root}/pairs": get("pair", "vì sao hai bản ghi là một hay không · why two records are one or not", *pair),
        f"{root}/acts/{{act}}": get("act", "một hành động và điều nó đã đổi · an act and what it changed", act),
        f"{root}/goldens/{{id}}": get("dossier", "mọi điều nói về một bản ghi gốc · everything that speaks of a golden record", id),
        f"{root}/decisions": send("post", "decide", "quyết định hai bản ghi có là một · decide whether two records are one", decided, ["verdict", "reason"]),
        f"{root}/bulk/preview": send("post", "preview_bulk", "xem trước quyết định hàng loạt theo mẫu · preview a decision on all pairs of a pattern", _PATTERN, ["verdict"]),
        f"{root}/bulk/decisions": send("post", "decide_bulk", "quyết định đúng những cặp đã xem trước · decide exactly the pairs previewed", {**_PATTERN, "digest": _SENT, **reason}, ["verdict", "digest", "reason"]),
        f"{root}/items/{{item}}/defer": send("post", "defer", "để lại tới một thời điểm · not before an instant", {"until": {"type": "string", "format": "date-time"}}, ["until"], item),
        f"{root}/splits": send("post", "split", "tách một bản ghi gốc · take a golden record apart", {"groups": _GROUPS, **reason}, ["groups", "reason"]),
        f"{root}/acts/{{act}}/undo": send("post", "undo", "hoàn tác đúng như trước · take an act back, exactly", reason, ["reason"], act),
        f"{root}/goldens/{{id}}/values/{{attribute}}": send("put", "set_value", "đặt giá trị bằng tay · set a value by hand", value, ["value", "reason"], id, attribute),
        f"{root}/reviews": send("post", "draw_review", "lấy mẫu các cặp để rà soát · draw pairs for review", drawn, ["size", "seed"]),
        f"{root}/reviews/next": get("review_next", "những cặp người hỏi còn phải xem, không nói hệ thống đã quyết thế nào · pairs the asking person has still to look at, without what was decided", limit),
        f"{root}/reviews/items/{{item}}": send("put", "review_verdict", "ý kiến về một cặp; không đổi bản ghi gốc · what a pair is; no golden record changes", {"verdict": _VERDICT}, ["verdict"], item),
        f"{root}/reviews/estimate": get("review_estimate", "độ chính xác và độ đầy đủ, khoảng tin cậy 95 % · precision and recall with 95 % intervals"),
        f"{root}/reviews/cuts": get("review_cuts", "ngưỡng gộp của từng cặp nguồn nên là bao nhiêu · where two registers' records should join"),
        f"{root}/reviews/cuts/adopt": send("post", "adopt_cuts", "áp dụng ngưỡng đề nghị · put suggested cuts in force", registers, ["registers"]),
        f"{root}/goldens/{{id}}/values/{{attribute}}/withdraw": send("post", "withdraw_value", "rút giá trị đặt bằng tay · withdraw a value set by hand", reason, ["reason"], id, attribute),
    }  # fmt: skip


def _operation(master: Contract, name: str, words: str, parameters: list[Schema], statuses: tuple[int, ...]) -> Schema:
    return {
        "tags": [master.id],
        "operationId": f"{master.entity}_steward_{name}",
        "summary": f"{master.title_vi}: {words}",
        "parameters": [*parameters, *caller_headers()],
        "responses": answered({"type": "object"}, problems(statuses, _OWN_WORDS)),
        "security": [{"oauth2": []}],
    }
