"""What `/openapi.json` says of direct links and requests on paper."""

from __future__ import annotations

from lienthong.access.beside import Could, Ground, LinkState
from lienthong.pipeline.beside import LONGEST_NUMBER, LONGEST_WORDS, MOST_RECORDS
from lienthong.web.beside import ACTS, MOST_LISTED
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
_READING = (400, 401, 403, 404, 405, 422, 429, 503)
_ACTING = (400, 401, 403, 404, 405, 409, 413, 415, 422, 429, 503)
_WORDS: Schema = {"type": "string", "maxLength": LONGEST_WORDS, "pattern": "^[^\\x00]*$"}
_NUMBER: Schema = {"type": "string", "maxLength": LONGEST_NUMBER, "pattern": "^[^\\x00]*$"}
_ID: Schema = {"type": "string", "maxLength": 100, "pattern": "^([a-z0-9][a-z0-9._-]*)?$"}
_DAY: Schema = {"type": "string", "format": "date"}
_WHOLE: Schema = {"type": "integer", "minimum": 1, "maximum": 2**63 - 1}


def _closed(texts: tuple[str, ...], **more: Schema) -> Schema:
    return object_of(is_closed=True, **dict.fromkeys(texts, TEXT), **more)


_CARRIED: dict[str, Schema] = {
    "could": {"enum": [*Could]}, "could_vi": TEXT, "could_en": TEXT, "agreement": TEXT, "avoidable": {"type": "boolean"},
}  # fmt: skip
_LINK = _closed(
    ("link", "provider", "consumer", "dataset", "content", "since", "state_vi", "state_en", "ground_vi", "ground_en", "changed_at"),
    **_CARRIED,
    state={"enum": [*LinkState]},
    ground={"enum": [*Ground, None]},
    due_on=MAYBE_TEXT,
    overdue={"type": "boolean"},
    step=COUNT,
)
_STEP = _closed(
    ("act", "state", "ground", "reason", "document_no", "legal_basis", "by", "agency", "at"),
    step=COUNT,
    dated_on=MAYBE_TEXT,
    due_on=MAYBE_TEXT,
)
_PAPER = _closed(
    ("asker", "asked", "dataset", "content", "document_no", "sent_on", "legal_basis", "recorded_by", "recorded_for", "recorded_at"),
    **_CARRIED,
    request=COUNT,
    records=COUNT,
)


def beside_paths() -> Schema:
    """Every path of `web.beside`."""
    links, papers = "/v1/direct-links", "/v1/paper-requests"
    link = parameter("link", "path", PLAIN, "Số kết nối trực tiếp · Number of the link")
    act = parameter("act", "path", {"enum": list(ACTS)}, "Việc cần làm · What is done")
    request = parameter("request", "path", _WHOLE, "Số lần ghi · Number of the record")
    return {
        links: {
            "get": _reads("direct_links_list", "Kết nối không qua nền tảng · Links beside the platform", object_of(links=list_of(_LINK))),
            "post": _acts("direct_links_report", "Báo một kết nối trực tiếp · Report a direct link", _reported(), _LINK),
        },
        f"{links}/{{link}}": {
            "get": _reads("direct_links_show", "Một kết nối và diễn biến · A link and its life", _life(), link),
        },
        f"{links}/{{link}}/{{act}}": {
            "post": _acts("direct_links_act", "Cho ý kiến, chấm dứt · State, decline, end", _stated(), _LINK, link, act),
        },
        papers: {
            "get": _reads("paper_requests_list", "Yêu cầu bằng giấy · Requests on paper", _listed(), *_choices()),
            "post": _acts("paper_requests_record", "Ghi một công văn xin dữ liệu · Record a letter that asks for data", _recorded(), _PAPER),
        },
        f"{papers}/{{request}}/withdraw": {
            "post": _acts("paper_requests_withdraw", "Rút bản ghi nhầm · Withdraw what was recorded by mistake", object_of(reason=_WORDS), object_of(request=COUNT), request),
        },
    }  # fmt: skip


def _reads(name: str, words: str, answer: Schema, *parameters: Schema) -> Schema:
    return _operation(name, words, answer, _READING, parameters)


def _acts(name: str, words: str, body: Schema, answer: Schema, *parameters: Schema) -> Schema:
    operation = _operation(name, words, answer, _ACTING, parameters)
    operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": body}}}
    return operation


def _operation(name: str, words: str, answer: Schema, statuses: tuple[int, ...], parameters: tuple[Schema, ...]) -> Schema:
    official = parameter("Lienthong-Official", "header", HEADER_TEXT, "Cán bộ thực hiện · The official who acts", required=True)
    return {
        "tags": _TAG,
        "operationId": name,
        "summary": words,
        "parameters": [official, *parameters],
        "responses": answered(answer, problems(statuses)),
        "security": [{"oauth2": []}],
    }


def _life() -> Schema:
    return object_of(**_LINK["properties"], steps=list_of(_STEP))


def _listed() -> Schema:
    counts = dict.fromkeys(("letters", "records", "avoidable_letters", "avoidable_records"), COUNT)
    return _closed(("from", "to"), **counts, requests=list_of(_PAPER), next={"type": ["integer", "null"]})


def _choices() -> list[Schema]:
    return [
        parameter("from", "query", _DAY, "Từ ngày · From"),
        parameter("to", "query", _DAY, "Đến ngày · To"),
        parameter("before", "query", _WHOLE, "`next` của trang trước · `next` of the page before"),
        parameter("limit", "query", {"type": "integer", "minimum": 1, "maximum": MOST_LISTED}, "Số công văn · Letters a page"),
    ]


def _optional(body: Schema, **more: Schema) -> Schema:
    return {**body, "properties": {**body["properties"], **more}}


def _reported() -> Schema:
    return _optional(object_of(provider=_NUMBER, consumer=_NUMBER, content=_WORDS, since=_DAY), dataset=_ID)


def _recorded() -> Schema:
    body = object_of(asker=_NUMBER, asked=_NUMBER, content=_WORDS, document_no=_NUMBER, sent_on=_DAY)
    return _optional(body, dataset=_ID, records={"type": "integer", "minimum": 1, "maximum": MOST_RECORDS})


def _stated() -> Schema:
    body = object_of()
    seen: Schema = {"type": "integer", "minimum": 0, "maximum": 2**63 - 1}
    return _optional(body, reason=_WORDS, ground={"enum": [*Ground]}, document_no=_NUMBER, dated_on=_DAY, until=_DAY, seen=seen)
