"""Every error over HTTP has one shape: a problem document (RFC 9457), Vietnamese first, English beside it."""

from __future__ import annotations

from typing import Any

import asyncpg
import msgspec
import psycopg
from psycopg_pool import PoolTimeout
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from lienthong.errors import DatabaseUnreachable, DatasetBusyError, LienthongError, RequestError, UnknownDataset
from lienthong.log import get_logger
from lienthong.web.pages.trouble import problem_page
from lienthong.web.pages.visiting import wants_page
from lienthong.web.steady import mark_steady

PROBLEM = "application/problem+json"
TITLES: dict[int, tuple[str, str]] = {
    400: ("Yêu cầu không đúng", "Bad request"),
    401: ("Chưa xác thực", "Not authenticated"),
    403: ("Không được phép", "Not allowed"),
    404: ("Không tìm thấy", "Not found"),
    405: ("Phương thức không dùng được ở địa chỉ này", "Method not allowed here"),
    406: ("Không có định dạng được yêu cầu", "No acceptable format"),
    408: ("Yêu cầu gửi quá chậm", "Request sent too slowly"),
    409: ("Xung đột", "Conflict"),
    410: ("Đã kết thúc", "Gone"),
    412: ("Bản ghi đã thay đổi", "The record has changed"),
    413: ("Nội dung quá lớn", "Content too large"),
    414: ("Địa chỉ quá dài", "Address too long"),
    415: ("Kiểu nội dung không nhận được", "Content type not taken"),
    422: ("Nội dung không xử lý được", "Content cannot be processed"),
    428: ("Cần nêu phiên bản", "A version is needed"),
    429: ("Vượt hạn mức", "Quota exceeded"),
    431: ("Tiêu đề quá lớn", "Headers too large"),
    500: ("Lỗi của hệ thống", "Internal error"),
    501: ("Máy chủ này không có cách hỏi đó", "Not offered here"),
    502: ("Hệ thống cung cấp trả lời không đúng", "The provider's answer is wrong"),
    503: ("Tạm thời chưa phục vụ được", "Not available for now"),
}
CODES = {
    400: "bad-request",
    404: "not-found",
    405: "method-not-allowed",
    408: "too-slow",
    501: "method-not-known",
    413: "too-large",
    431: "headers-too-large",
}
MEMBERS = (
    "rule",
    "agreement",
    "clause",
    "until",
    "request",
    "field",
    "said_by",
    "said_at",
)  # facts told as they are: what decided, the way out, what was wrong
AWAY = (
    OSError, asyncpg.PostgresConnectionError, asyncpg.OperatorInterventionError, asyncpg.InsufficientResourcesError, asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # what a statement finds on a connection that is just dying
    psycopg.OperationalError, PoolTimeout,
)  # fmt: skip
log = get_logger("web")


def problem(status: int, code: str, detail: str, hint: str = "", **facts: Any) -> dict[str, Any]:
    """A problem document. `detail` is shown as it is; `vi` and `en` among the facts take its place where they are given."""
    title_vi, title_en = TITLES.get(status, TITLES[500])
    document = {
        "type": f"urn:lienthong:problem:{code}",
        "title": title_vi,
        "title_en": title_en,
        "status": status,
        "code": code,
        "detail": facts.pop("vi", None) or detail,
        "detail_en": facts.pop("en", None) or detail,
    }
    if hint:
        document["hint"] = hint
        if facts.get("hint_vi"):
            document["hint_vi"] = facts["hint_vi"]
    document |= {member: facts[member] for member in MEMBERS if facts.get(member)}
    return document


def problem_of(error: LienthongError) -> tuple[int, dict[str, Any], dict[str, str]]:
    """(status, document, headers) of an error raised on purpose."""
    status = _status(error)
    headers = {}
    if status == 401:  # RFC 9110 §11.6.1
        headers["WWW-Authenticate"] = "Bearer"
    retry_after = error.facts.get("retry_after")
    if retry_after is not None:
        headers["Retry-After"] = str(retry_after)
    if "allow" in error.facts:  # RFC 9110 §15.5.6
        headers["Allow"] = str(error.facts["allow"])
    return status, problem(status, error.code, error.message, error.hint, **error.facts), headers


def _status(error: LienthongError) -> int:
    if isinstance(error, RequestError):
        return error.status
    return 503 if isinstance(error, DatabaseUnreachable | DatasetBusyError) else 500


def answer_problem(request: Request | None, error: Exception) -> Response:
    """The answer to any exception: ours in words, a database that is away as 503, others as a plain 500 that tells nothing of the inside.

    A browser gets the same facts as a page.
    """
    if request is not None and isinstance(error, UnknownDataset):
        mark_steady(request.scope)  # of one that is kept from the caller an entry is written, of one that is not there none
    status, document, headers = told(error)
    headers = {"Cache-Control": "no-store", **headers}
    if request is not None and wants_page(request):
        return problem_page(request, status, document, headers)
    return Response(msgspec.json.encode(document), status, headers=headers, media_type=PROBLEM)


def told(error: Exception) -> tuple[int, dict[str, Any], dict[str, str]]:
    """(status, document, headers) of any exception, for a door that says errors in another form."""
    headers: dict[str, str]
    if isinstance(error, LienthongError):
        status, document, headers = problem_of(error)
    elif isinstance(error, HTTPException):
        status, headers = error.status_code, dict(error.headers or {})
        code = CODES.get(status, "http")
        document = problem(status, code, TITLES.get(status, TITLES[500])[1], vi=TITLES.get(status, TITLES[500])[0])
    elif isinstance(error, AWAY):
        log.error("database_away", error=type(error).__name__)
        status, headers = 503, {"Retry-After": "2"}
        document = problem(
            503,
            DatabaseUnreachable.code,
            "The database does not answer.",
            "Try again.",
            hint_vi="Hãy thử lại.",
            vi="Cơ sở dữ liệu chưa trả lời.",
        )
    else:
        log.error("request_failed", error=type(error).__name__, exc_info=error)
        status, headers = 500, {}
        document = problem(500, "internal", TITLES[500][1], vi=TITLES[500][0])
    return status, document, headers
