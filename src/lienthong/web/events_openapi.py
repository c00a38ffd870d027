"""What `/openapi.json` says of the stream and of subscriptions."""

from __future__ import annotations

from lienthong.web.openapi_parts import COUNT, HEADER_TEXT, MAYBE_TEXT, PLAIN, TEXT, Schema, caller_headers, object_of, parameter, problems

_NAMES = {"type": "array", "items": TEXT, "minItems": 1}


def event_paths() -> Schema:
    """The paths of the stream and of subscriptions."""
    return {"/v1/events": {"get": _stream()}, **_subscriptions()}


def _stream() -> Schema:
    several = {"style": "form", "explode": True}
    return {
        "tags": ["events"],
        "operationId": "events",
        "summary": "Dòng sự kiện, không kết thúc · The stream of events; it does not end",
        "parameters": [
            {
                **parameter(
                    "dataset", "query", _NAMES, "Bộ dữ liệu; bỏ trống: mọi bộ được phép · Datasets; none: all that may be followed"
                ),
                **several,
            },
            {**parameter("type", "query", _NAMES, "Loại sự kiện · Types of events"), **several},
            parameter("after", "query", TEXT, "Sau sự kiện · After the event of this `id`"),
            parameter("Last-Event-ID", "header", HEADER_TEXT, "Như `after`, do trình duyệt gửi · As `after`, sent by browsers"),
            *caller_headers(required=False),
        ],
        "responses": {
            "200": {"description": "Server-sent events", "content": {"text/event-stream": {"schema": TEXT}}},
            **problems((400, 401, 403, 404, 405, 429)),
        },
        "security": [{}, {"oauth2": []}],
    }


_INSTANT = {"type": "string", "format": "date-time"}
_MAYBE_INSTANT = {"type": ["string", "null"], "format": "date-time"}
_READING = (400, 401, 404, 405, 429)
_ACTING = (*_READING, 403, 409, 413, 415, 422)
_TYPES = {"type": "array", "maxItems": 50, "items": {"type": "string"}}
_CONDITIONS = {
    "type": "array",
    "maxItems": 20,
    "items": {
        "type": "object",
        "required": ["field", "operator", "value"],
        "additionalProperties": False,
        "properties": {"field": TEXT, "operator": {"enum": ["eq", "in", "gte", "lte", "starts_with"]}, "value": {}},
    },
}
_CHANGED: Schema = {
    "url": {"type": "string", "maxLength": 2000},
    "types": _TYPES,
    "conditions": _CONDITIONS,
    "form": {"enum": ["one", "batch"]},
    "most": {"type": "integer", "minimum": 1, "maximum": 1000},
}
_MADE: Schema = {
    "dataset": TEXT,
    **_CHANGED,
    "ordering": {"enum": ["strict", "key"]},
    "from": {"type": "string", "minLength": 1},
    "signatures": {"type": "array", "minItems": 1, "items": {"enum": ["v1", "v1a"]}},
}


def _subscription(secrets: Schema | None = None) -> Schema:
    described = object_of(
        id=TEXT, caller=TEXT, official=TEXT, purpose=TEXT, dataset=TEXT, url=TEXT, types=_TYPES, conditions=_CONDITIONS,
        form={"enum": ["one", "batch"]}, most=COUNT, ordering={"enum": ["strict", "key"]},
        state={"enum": ["active", "paused", "disabled", "ended"]}, why=TEXT, held=TEXT, since=_INSTANT, made_at=_INSTANT,
        failing_since=_MAYBE_INSTANT, position=COUNT, pending=COUNT, dead_letters=COUNT,
    )  # fmt: skip
    if secrets is not None:
        described["required"] = [*described["required"], "secrets"]
        described["properties"] |= {"secrets": secrets}
    return described


def _subscriptions() -> Schema:
    root = "/v1/subscriptions"
    one = f"{root}/{{id}}"
    id = parameter("id", "path", PLAIN, "Mã đăng ký · The subscription")
    limit = parameter("limit", "query", {"type": "integer", "minimum": 1, "maximum": 1000}, "Nhiều nhất · At most")
    before = parameter("before", "query", {"type": "integer", "minimum": 1, "maximum": 10**9}, "Trước lần gửi · Before an attempt")
    secret = object_of(kind={"enum": ["v1", "v1a"]}, secret=TEXT)
    attempt = object_of(
        attempt=COUNT, delivery=TEXT, number=COUNT, at=_INSTANT, events=COUNT, bytes=COUNT, outcome={"enum": ["delivered", "failed", "gone"]},
        status={"type": ["integer", "null"]}, reason=TEXT, milliseconds=COUNT,
    )  # fmt: skip
    dead = object_of(delivery=TEXT, events=COUNT, attempts=COUNT, since=_INSTANT, reason=TEXT)
    tested = object_of(delivery=TEXT, outcome=TEXT, status={"type": ["integer", "null"]}, reason=TEXT, milliseconds=COUNT)
    renewed = object_of(kind=TEXT, secret=TEXT, old_until=_INSTANT)
    overlap = {"kind": {"enum": ["v1", "v1a"]}, "overlap_hours": {"type": "integer", "minimum": 0, "maximum": 336}}
    return {
        root: {
            "get": _get("subscriptions", "Các đăng ký của mình · One's own subscriptions", object_of(subscriptions=_list_of(_subscription()))),
            "post": _send(
                "subscribe", "Đăng ký nhận sự kiện; mã bí mật chỉ hiện một lần · Subscribe; secrets are shown this once",
                _subscription(_list_of(secret)), _MADE, ["dataset", "url"], status="201",
            ),
        },
        one: {
            "get": _get("subscription", "Một đăng ký · One subscription", _subscription(), id),
            "patch": _send("change_subscription", "Thay đổi · Change it", _subscription(), _CHANGED, [], id),
            "delete": _act("end_subscription", "Kết thúc · End it", None, id),
        },
        f"{one}/secrets": {"post": _send("renew_secret", "Thay mã bí mật, mã cũ còn dùng thêm một thời gian · A new secret beside the old", renewed, overlap, [], id, status="201")},
        f"{one}/pause": {"post": _act("pause_subscription", "Tạm dừng · Pause", _subscription(), id)},
        f"{one}/resume": {"post": _act("resume_subscription", "Tiếp tục từ chỗ đã dừng · Go on where it stopped", _subscription(), id)},
        f"{one}/test": {"post": _act("test_subscription", "Gửi thử một sự kiện rỗng · Send an event that says nothing", tested, id)},
        f"{one}/deliveries": {"get": _get("deliveries", "Nhật ký gửi · The log of attempts", object_of(deliveries=_list_of(attempt), next={"type": ["integer", "null"]}), id, limit, before)},
        f"{one}/dead-letters": {"get": _get("dead_letters", "Các lần gửi hỏng · Deliveries given up", object_of(dead_letters=_list_of(dead)), id, limit)},
        f"{one}/dead-letters/replay": {"post": _send("replay_dead_letters", "Gửi lại · Send them again", object_of(replayed=_list_of(TEXT)), {"delivery": MAYBE_TEXT}, [], id)},
    }  # fmt: skip


def _list_of(schema: Schema) -> Schema:
    return {"type": "array", "items": schema}


def _get(name: str, words: str, schema: Schema, *parameters: Schema) -> Schema:
    return _operation(name, words, schema, [*parameters, *caller_headers(required=False)], _READING)


def _act(name: str, words: str, schema: Schema | None, *parameters: Schema) -> Schema:
    return _operation(name, words, schema, [*parameters, *caller_headers()], (*_READING, 403, 409), "204" if schema is None else "200")


def _send(name: str, words: str, schema: Schema, body: Schema, required: list[str], *parameters: Schema, status: str = "200") -> Schema:
    content = {"type": "object", "additionalProperties": False, "required": required, "properties": body}
    described = _operation(name, words, schema, [*parameters, *caller_headers()], _ACTING, status)
    return {**described, "requestBody": {"required": True, "content": {"application/json": {"schema": content}}}}


def _operation(
    name: str, words: str, schema: Schema | None, parameters: list[Schema], statuses: tuple[int, ...], status: str = "200"
) -> Schema:
    answer: Schema = {"description": "Trả lời · The answer"}
    if schema is not None:
        answer["content"] = {"application/json": {"schema": schema}}
    return {
        "tags": ["events"],
        "operationId": name,
        "summary": words,
        "parameters": parameters,
        "responses": {status: answer, **problems(statuses)},
        "security": [{"oauth2": []}],
    }
