"""What `/openapi.json` says of agreements, planned stops, and why a caller gets what it gets."""

from __future__ import annotations

from typing import Any

from lienthong.access import Operation, State
from lienthong.pipeline.agreeing import COPIES
from lienthong.web.agreements import ACTS, MOST_LISTED
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

_TAG = ["agreements"]
_READING = (400, 401, 403, 404, 405, 429, 503)
_ACTING = (400, 401, 403, 404, 405, 409, 413, 415, 422, 429, 503)
_FREE: Schema = {"type": "object"}
_DAY: Schema = {"type": "string", "format": "date"}
_SHORT: Schema = {"type": "string", "maxLength": 2_000, "pattern": "^[^\\x00]*$"}
_WORDS: Schema = {"type": "string", "minLength": 1, "maxLength": 2_000, "pattern": "^[^\\x00]*$"}
_CHOICE: Schema = {"type": "string", "pattern": "^[^\\x00]*$"}


def _closed(*same: tuple[tuple[str, ...], Schema], **properties: Schema) -> Schema:
    """An object with exactly these; `same`: names of one schema."""
    found = {name: schema for names, schema in same for name in names} | properties
    return {"type": "object", "required": list(found), "additionalProperties": False, "properties": found}


_AGREEMENT = _closed(
    (("id", "provider", "consumer", "dataset", "state_vi", "state_en", "since", "changed_at"), TEXT),
    state={"enum": [*State]},
    origin={"enum": ["request", "file"]},
    version=COUNT,
    step=COUNT,
    missing=list_of(TEXT),
    regulations=list_of(object_of(id=TEXT, version=TEXT, title=TEXT, decision=TEXT, page=TEXT)),
    document=_FREE,
)
_DEADLINES = object_of(
    deadlines=list_of(
        _closed(
            (("agreement", "dataset", "vi", "en", "agency", "due_on"), TEXT),
            what={"enum": ["answer", "usage", "destruction"]},
            overdue={"type": "boolean"},
            working_days_left={"type": "integer"},
        )
    )
)
_REQUEST = object_of(href=TEXT, method=TEXT, content_type=TEXT, body=_FREE)


def agreement_paths() -> Schema:
    """Every path of `web.agreements`."""
    root, stops = "/v1/agreements", "/v1/planned-stops"
    id = parameter("id", "path", PLAIN, "Số thỏa thuận · Number of the agreement")
    number = parameter("stop", "path", {"type": "integer", "minimum": 1, "maximum": 2**63 - 1}, "Số đợt dừng · Number of the stop")
    act = parameter("act", "path", {"enum": list(ACTS)}, "Việc cần làm · What is done")
    return {
        root: {
            "get": _reads("agreements_list", "Thỏa thuận của mình · One's agreements", _listed(), *_choices()),
            "post": _acts("agreements_request", "Đề nghị chia sẻ · Ask for data", _document(), _AGREEMENT),
        },
        f"{root}/overdue": {"get": _reads("agreements_overdue", "Việc quá hạn · What is overdue", _DEADLINES)},
        f"{root}/deadlines": {"get": _reads("agreements_deadlines", "Việc có hạn · What is due", _DEADLINES)},
        f"{root}/renewals": {"get": _reads("agreements_renewals", "Sắp phải gia hạn · To be renewed", object_of(renewals=list_of(_FREE)))},
        f"{root}/template": {"get": _reads("agreements_template", "Mẫu đề nghị · A request filled in", _REQUEST, *_template())},
        f"{root}/suspend-all": {
            "post": _acts(
                "agreements_suspend_all",
                "Tạm dừng mọi nơi khai thác · Suspend all users",
                object_of(dataset=_SHORT, reason=_WORDS),
                object_of(suspended=list_of(TEXT)),
            )
        },
        f"{root}/{{id}}": {"get": _reads("agreements_show", "Một thỏa thuận · One agreement", _AGREEMENT, id)},
        f"{root}/{{id}}/history": {
            "get": _reads(
                "agreements_history", "Toàn bộ quá trình · Its whole life", object_of(id=TEXT, steps=list_of(_FREE), versions=list_of(_FREE)), id
            )
        },
        f"{root}/{{id}}/usage": {
            "get": _reads(
                "agreements_usage", "Tình hình sử dụng · What was used", _usage(), id, _query("from", _DAY, "Từ ngày · From"), _query("to", _DAY, "Đến ngày · To")
            )
        },
        f"{root}/{{id}}/{{act}}": {
            "post": _acts("agreements_act", "Chấp thuận, từ chối, tạm dừng, kết thúc… · Grant, refuse, suspend, end…", _said(), _AGREEMENT, id, act)
        },
        stops: {
            "get": _reads("stops_list", "Các đợt tạm dừng · Planned stops", object_of(stops=list_of(_FREE)), is_open=True),
            "post": _acts("stops_announce", "Thông báo tạm dừng · Announce a stop", _stop(), object_of(stop=COUNT)),
        },
        f"{stops}/{{stop}}/withdraw": {
            "post": _acts("stops_withdraw", "Rút thông báo · Withdraw a stop", object_of(reason=_WORDS), object_of(stop=COUNT), number)
        },
        "/v1/access/explain": {"get": _reads("access_explain", "Ai được xem gì, vì sao · Who sees what, and why", _FREE, *_explained())},
        "/v1/legal-instruments": {
            "get": _reads("legal_instruments", "Văn bản pháp luật · Legal instruments", object_of(instruments=list_of(_FREE)), is_open=True)
        },
    }  # fmt: skip


def _reads(name: str, words: str, answer: Schema, *parameters: Schema, is_open: bool = False) -> Schema:
    return _operation(
        name, words, answer, (400, 405, 503) if is_open else _READING, [] if is_open else [_official()], parameters, is_open=is_open
    )


def _acts(name: str, words: str, body: Schema, answer: Schema, *parameters: Schema) -> Schema:
    operation = _operation(name, words, answer, _ACTING, [_official()], parameters)
    operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": body}}}
    return operation


def _operation(
    name: str, words: str, answer: Schema, statuses: tuple[int, ...], headers: list[Schema], parameters: tuple[Schema, ...], *, is_open: bool = False
) -> Schema:  # fmt: skip
    return {
        "tags": _TAG,
        "operationId": name,
        "summary": words,
        "parameters": [*headers, *parameters],
        "responses": answered(answer, problems(statuses)),
        "security": [{}] if is_open else [{"oauth2": []}],
    }


def _official() -> Schema:
    return parameter("Lienthong-Official", "header", HEADER_TEXT, "Cán bộ thực hiện · The official who acts", required=True)


def _query(name: str, schema: Schema, words: str, *, required: bool = False) -> Schema:
    return parameter(name, "query", schema, words, required=required)


def _choices() -> list[Schema]:
    return [
        _query("role", {"enum": ["provider", "consumer", "arbiter", "either"]}, "Vai trò · On which side"),
        _query("state", {"enum": [*State]}, "Trạng thái · State"),
        _query("dataset", _CHOICE, "Bộ dữ liệu · Dataset"),
        _query("after", _CHOICE, "`next` của trang trước · `next` of the page before"),
        _query("limit", {"type": "integer", "minimum": 1, "maximum": MOST_LISTED}, "Số thỏa thuận · Agreements a page"),
    ]


def _template() -> list[Schema]:
    return [
        _query("dataset", _CHOICE, "Bộ dữ liệu · Dataset"),
        _query("service", _CHOICE, "Dịch vụ thay cho bộ dữ liệu · A service instead of a dataset"),
        _query("consumer", _CHOICE, "Hệ thống khai thác · Consuming subsystem"),
        _query("purpose", _CHOICE, "Mã mục đích · Purpose"),
        _query("operation", {"enum": [*Operation]}, "Cách khai thác · Operation"),
        _query("renews", _CHOICE, "Thỏa thuận cần gia hạn · The agreement to renew"),
    ]


def _explained() -> list[Schema]:
    return [
        _query("dataset", _CHOICE, "Bộ dữ liệu · Dataset", required=True),
        _query("caller", _CHOICE, "Hệ thống hỏi · Who would ask"),
        _query("operation", {"enum": [word for word in Operation if word is not Operation.CALL]}, "Cách khai thác · Operation"),
        _query("purpose", _CHOICE, "Mã mục đích · Purpose"),
        _query("official", _CHOICE, "Cán bộ · Official"),
        _query("address", _CHOICE, "Địa chỉ mạng · Network address"),
        _query("at", {"type": "string", "format": "date-time"}, "Thời điểm · When"),
    ]


def _listed() -> Schema:
    return object_of(agreements=list_of(_AGREEMENT), next=MAYBE_TEXT)


def _usage() -> Schema:
    counts: Schema = {"type": "object", "additionalProperties": COUNT}
    return _closed(
        (("agreement", "from", "to"), TEXT),
        (("answers", "refused", "rows_in_files"), COUNT),
        (("outcomes", "purposes", "officials", "days"), counts),
    )


def _document() -> Schema:
    """The words of an agreement; the reference page says them all."""
    needed = object_of(consumer=TEXT, dataset=TEXT, purposes=_FREE, operations=list_of({"enum": [*Operation]}), term=_FREE)
    return {**needed, "additionalProperties": {}}


def _said() -> Schema:
    words: dict[str, Any] = {
        "reason": _SHORT,
        "legal_text": _SHORT,
        "copies": {"enum": list(COPIES)},
        "seen": {"type": "integer", "minimum": 0, "maximum": 2**63 - 1},
    }
    return {"type": "object", "additionalProperties": False, "properties": words}


def _stop() -> Schema:
    instant: Schema = {"type": "string", "format": "date-time"}
    body = object_of(dataset=_SHORT, begins_at=instant, ends_at=instant, reason=_WORDS)
    body["properties"]["forced"] = {"type": "boolean"}
    return body
