"""What `/openapi.json` says of files and requests about personal data."""

from __future__ import annotations

from lienthong.web.openapi_parts import MAYBE_TEXT, TEXT, Schema, answered, list_of, object_of, parameter, problems

_INSTANT: Schema = {"type": "string", "format": "date-time"}
_MAYBE_INSTANT: Schema = {"type": ["string", "null"]}
_WORDS: Schema = {"type": "string", "minLength": 1, "maxLength": 2000, "pattern": "^[^\\x00]*[^\\s\\x00][^\\x00]*$"}
_NUMBER = parameter("case", "path", {"type": "integer", "minimum": 1, "maximum": 2**63 - 1}, "Vụ việc · The case")
_LINE = {
    "case": {"type": "integer"}, "kind": TEXT, "title": TEXT, "title_en": TEXT, "agency": TEXT, "dataset": TEXT, "state": TEXT,
    "opened_at": _INSTANT, "begins_at": _INSTANT, "answer_by": _MAYBE_INSTANT, "act_by": _INSTANT, "is_overdue": {"type": "boolean"},
    "legal_basis": TEXT,
}  # fmt: skip
_STEP = object_of(act=TEXT, state=TEXT, at=_INSTANT, words=TEXT, legal_text=TEXT, by=TEXT)


def _object(more: Schema) -> Schema:
    """A closed object of a case's line and more."""
    properties = {**_LINE, **more}
    return {"type": "object", "required": list(properties), "additionalProperties": False, "properties": properties}


_CASE = _object({"content": {"type": "object"}, "steps": list_of(_STEP)})
_SHOWN = _object({"content": {"type": "object"}, "steps": list_of(_STEP), "person": MAYBE_TEXT})


def privacy_paths() -> Schema:
    """The paths of cases."""
    asked = {
        **object_of(
            kind={"enum": ["access", "correction", "erasure", "restriction", "objection", "withdrawal"]}, dataset=TEXT, words=_WORDS
        ),
        "properties": {
            "kind": {"enum": ["access", "correction", "erasure", "restriction", "objection", "withdrawal"]},
            "dataset": TEXT,
            "words": _WORDS,
            "position": {"type": "integer"},
            "field": TEXT,
            "value": TEXT,
        },
    }
    opened = {
        **object_of(kind={"enum": ["breach", "impact"]}, words=_WORDS),
        "properties": {"kind": {"enum": ["breach", "impact"]}, "words": _WORDS, "dataset": TEXT, "begins_at": _INSTANT},
    }
    said, refused = object_of(words=_WORDS), object_of(words=_WORDS, legal_text=_WORDS)
    state = parameter("state", "query", {"enum": ["live", "overdue", "all"]}, "Đang chờ, quá hạn, tất cả · Waiting, late, all")
    token = parameter("Lienthong-CSRF", "header", TEXT, "Mã chống giả mạo của phiên · The session's token")
    acts = {
        "note": "Ghi chú nội bộ · A note of the agency's own",
        "answer": "Trả lời đã tiếp nhận · Say that it is dealt with",
        "done": "Đã thực hiện · Done",
        "refuse": "Từ chối, có căn cứ · Refuse, by which law",
    }
    root = "/v1/privacy/cases"
    return {
        "/v1/me/requests": {
            "get": _operation("my_requests", "Yêu cầu của tôi · My requests", object_of(requests=list_of(_CASE))),
            "post": _operation("ask_about_my_data", "Yêu cầu, phản đối, xin chỉnh sửa · Ask, object, correct", _CASE, token, body=asked),
        },
        "/v1/me/requests/{case}/withdraw": {
            "post": _operation("withdraw_my_request", "Rút yêu cầu · Take it back", _CASE, _NUMBER, token, body=said)
        },
        root: {
            "get": _operation("privacy_cases", "Hồ sơ, yêu cầu · Files and requests", object_of(cases=list_of(_object({}))), state),
            "post": _operation("open_privacy_case", "Mở hồ sơ · Open a file", _CASE, token, body=opened),
        },
        f"{root}/{{case}}": {"get": _operation("privacy_case", "Một vụ việc · One case", _SHOWN, _NUMBER)},
        **{
            f"{root}/{{case}}/{act}": {
                "post": _operation(f"privacy_{act}", summary, _CASE, _NUMBER, token, body=refused if act == "refuse" else said)
            }
            for act, summary in acts.items()
        },
    }


def _operation(name: str, summary: str, schema: Schema, *parameters: Schema, body: Schema | None = None) -> Schema:
    operation: Schema = {
        "tags": ["privacy"],
        "operationId": name,
        "summary": summary,
        "parameters": list(parameters),
        "responses": answered(schema, problems((400, 401, 403, 404, 405, 409, 413, 415, 422))),
        "security": [{"session": []}, {"oauth2": []}],
    }
    if body is not None:
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": body}}}
    return operation
