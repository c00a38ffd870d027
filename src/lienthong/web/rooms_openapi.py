"""What `/openapi.json` says of rooms of events."""

from __future__ import annotations

from typing import Any

from lienthong.web.openapi_parts import COUNT, TEXT, Schema, caller_headers, list_of, object_of, parameter, problems

_NAME: Schema = {"type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9.\\-_]{0,63}$"}
_TYPE: Schema = {"type": "string", "pattern": "^[A-Za-z][A-Za-z0-9_-]{0,99}$"}
_ID: Schema = {"type": "string", "format": "uuid"}
_INSTANT: Schema = {"type": "string", "format": "date-time"}
_ANY: Schema = {"type": "object"}
_STATUSES = (400, 401, 403, 404, 405, 429)
_SENDING = (*_STATUSES, 409, 413, 415, 422)
_PARTY = object_of(instanceId=TEXT, memberClass=TEXT, memberCode=TEXT, applicationCode=TEXT)
_OPTIONS: Schema = {
    "type": "object",
    "additionalProperties": False,
    "properties": {"TTL": {"type": "integer", "minimum": 1, "maximum": 2_592_000}, "FIFO": {"type": "boolean"}, "url": {"type": "string", "maxLength": 2000}},
}  # fmt: skip
_WISH: Schema = {
    "type": "object",
    "additionalProperties": False,
    "properties": {"eventType": _TYPE, "delivery": {"enum": ["PUSH", "PULL"]}, "options": _OPTIONS},
}
_SUBSCRIPTION: Schema = {
    **object_of(id=_ID, subscriberId=_PARTY, eventType=TEXT, delivery={"enum": ["PUSH", "PULL"]}, options=_OPTIONS, secret=TEXT),
    "required": ["id", "subscriberId", "eventType", "delivery", "options"],
}
_ITEM: dict[str, Any] = {"id": _ID, "sequence": COUNT, "publisherId": _PARTY, "eventType": TEXT, "publishedAt": _INSTANT}
_STANDING = object_of(
    subscriberId=_PARTY, state={"enum": ["waiting", "delivered", "acknowledged", "dropped", "stopped"]}, attempts=COUNT,
    status={"type": ["integer", "null"]}, since={"type": ["string", "null"], "format": "date-time"},
)  # fmt: skip
_STATUS = object_of(**_ITEM, stoppedAt={"type": ["string", "null"], "format": "date-time"}, deliveries=list_of(_STANDING))
_TYPED: Schema = object_of(eventType=_TYPE, schema=_ANY)


def room_paths() -> Schema:
    """The paths of rooms."""
    root = "/v1/rooms/{agency}/{application}"
    return {
        f"{root}/api/v1/eventType": {
            "get": _act("room_types", "Các loại sự kiện · Types of events", list_of(TEXT), or_nothing=True),
            "post": _act("room_type_make", "Thêm loại sự kiện · Make a type", object_of(eventType=TEXT), body=_TYPED),
        },
        f"{root}/api/v1/eventType/{{type}}": {
            "get": _act("room_type", "Một loại sự kiện · One type", _TYPED, "type", or_nothing=True),
            "delete": _act("room_type_end", "Bỏ loại sự kiện · Take a type away", None, "type"),
        },
        f"{root}/pub/v1/{{type}}": {
            "post": _act("room_publish", "Phát sự kiện · Publish an event", object_of(id=_ID), "type", body=object_of(eventType=_TYPE, event=_ANY), status="201"),
        },
        f"{root}/pub/v1/{{type}}/{{id}}": {
            "get": _act("room_status", "Sự kiện đã đến đâu · How far an event has come", _STATUS, "type", "id"),
            "delete": _act("room_stop", "Dừng sự kiện · Stop an event", None, "type", "id"),
        },
        f"{root}/api/v1/subs": {"get": _act("room_subscriptions", "Đăng ký của tôi · My subscriptions", list_of(_SUBSCRIPTION))},
        f"{root}/api/v1/subs/{{type}}": {
            "get": _act("room_subscription", "Một đăng ký · One subscription", _SUBSCRIPTION, "type"),
            "post": _act("room_subscribe", "Đăng ký nhận · Subscribe", _SUBSCRIPTION, "type", body=_WISH),
            "patch": _act("room_change", "Đổi cách nhận · Change how", _SUBSCRIPTION, "type", body=_WISH, status="201"),
            "delete": _act("room_leave", "Thôi nhận · Leave", None, "type"),
        },
        f"{root}/pull/v1/{{type}}": {
            "get": _act("room_pull", "Lấy sự kiện kế tiếp · Get the next event", object_of(**_ITEM, event=_ANY), "type", conflicts=True)
        },
        f"{root}/pull/v1/{{type}}/{{id}}": {
            "delete": _act("room_acknowledge", "Xác nhận đã nhận · Acknowledge", None, "type", "id", conflicts=True)
        },
    }  # fmt: skip


def _act(
    name: str, summary: str, answer: Schema | None, *within: str, body: Schema | None = None, status: str = "200", or_nothing: bool = False,
    conflicts: bool = False,
) -> Schema:  # fmt: skip
    schemas = {"type": _TYPE, "id": _ID}
    places = [parameter(each, "path", _NAME, "Cơ quan, phòng · Agency, room") for each in ("agency", "application")]
    answers: Schema = {"204": {"description": "Xong · Done"}} if answer is None or or_nothing else {}
    if answer is not None:
        answers[status] = {"description": summary, "content": {"application/json": {"schema": answer}}}
    found: Schema = {
        "tags": ["events"],
        "operationId": name,
        "summary": summary,
        "parameters": [*places, *(parameter(each, "path", schemas[each], each) for each in within), *caller_headers(required=False)],
        "responses": {**answers, **problems(_SENDING if body is not None else (*_STATUSES, 409) if conflicts else _STATUSES)},
        "security": [{"oauth2": []}],
    }
    if body is not None:
        found["requestBody"] = {"required": True, "content": {"application/json": {"schema": body}}}
    return found
