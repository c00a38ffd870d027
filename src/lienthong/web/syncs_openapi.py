"""What `/openapi.json` says of copies kept in step."""

from __future__ import annotations

from lienthong.web.openapi_parts import (
    COUNT,
    HEADER_TEXT,
    MAYBE_TEXT,
    PLAIN,
    TEXT,
    Schema,
    answered,
    list_of,
    object_of,
    parameter,
    problems,
)

_STATUSES = (400, 401, 403, 404, 405)
_STATES = ["new", "filling", "following", "waiting", "stopped", "failing", "paused"]


def sync_paths() -> Schema:
    shown = {**_operation("sync", "Một bản sao · One copy", _sync(drifts=True)), "parameters": [*_who(), _id(), _limit()]}
    return {
        "/v1/syncs": {"get": {**_operation("syncs", "Các bản sao · The copies", object_of(syncs=list_of(_sync()))), "parameters": _who()}},
        "/v1/syncs/{sync}": {"get": shown},
        "/v1/syncs/{sync}/{act}": {"post": _asked()},
    }


def _asked() -> Schema:
    act = parameter("act", "path", {"enum": ["run", "check", "repair", "accept"]}, "Chạy, đối chiếu, trả lại đúng, đồng ý đổi cột")
    said = "Yêu cầu với một bản sao; làm ngay sau đó · What is asked of a copy; done right afterwards"
    found = _operation("sync_ask", said, object_of(sync=TEXT, asked=TEXT))
    return {**found, "parameters": [*_who(), _id(), act], "responses": {**found["responses"], **problems((409,))}}


def _operation(name: str, summary: str, schema: Schema) -> Schema:
    return {
        "tags": ["syncs"],
        "operationId": name,
        "summary": summary,
        "responses": answered(schema, problems(_STATUSES)),
        "security": [{"oauth2": []}],
    }


def _who() -> list[Schema]:
    return [parameter("Lienthong-Official", "header", HEADER_TEXT, "Cán bộ yêu cầu · The official it is made for", required=True)]


def _id() -> Schema:
    return parameter("sync", "path", PLAIN, "Mã bản sao · The copy's id")


def _limit() -> Schema:
    return parameter("limit", "query", {"type": "integer", "minimum": 1, "maximum": 1000}, "Số hàng lệch · Rows named")


def _sync(*, drifts: bool = False) -> Schema:
    number = {"type": ["integer", "null"]}
    thing = {"type": ["object", "null"]}
    found = object_of(
        id=TEXT, title=TEXT, title_en=TEXT, consumer=TEXT, dataset=TEXT, target=TEXT, state={"enum": _STATES}, why=TEXT, why_en=TEXT,
        version=number, newest=COUNT, delivered=COUNT, worked_at=MAYBE_TEXT, next_try_at=MAYBE_TEXT, announced=thing, checked_at=MAYBE_TEXT,
        checked=thing,
    )  # fmt: skip
    if not drifts:
        return found
    drift = object_of(
        found_at=TEXT, key=TEXT, kind={"enum": ["changed", "missing", "foreign"]}, fields=list_of(TEXT), put_back_at=MAYBE_TEXT
    )
    return {**found, "required": [*found["required"], "drifts"], "properties": {**found["properties"], "drifts": list_of(drift)}}
