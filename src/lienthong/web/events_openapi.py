"""What `/openapi.json` says of the stream and of subscriptions."""

from __future__ import annotations

from lienthong.web.openapi_parts import HEADER_TEXT, TEXT, Schema, caller_headers, parameter, problems

_NAMES = {"type": "array", "items": TEXT, "minItems": 1}


def event_paths() -> Schema:
    """The paths of the stream."""
    return {"/v1/events": {"get": _stream()}}


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
