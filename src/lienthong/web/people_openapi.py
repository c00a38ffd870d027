"""What `/openapi.json` says of persons and of acts that need two of them."""

from __future__ import annotations

from lienthong.web.openapi_parts import MAYBE_TEXT, PLAIN, TEXT, Schema, answered, list_of, object_of, parameter, problems

_SENT: Schema = {"type": "string", "minLength": 1, "maxLength": 2000, "pattern": "^[^\\x00]*$"}
_INSTANT: Schema = {"type": "string", "format": "date-time"}
_ROLE: Schema = {"enum": ["data_officer", "steward", "integrator", "operator", "leader", "auditor"]}
_NUMBER = parameter("proposal", "path", {"type": "integer", "minimum": 1, "maximum": 2**63 - 1}, "Đề xuất · The proposal")
_HANDLE = parameter("handle", "path", PLAIN, "Bí danh · The handle")
_PROPOSAL = object_of(
    proposal={"type": "integer"}, kind=TEXT, document={"type": "object"}, digest=TEXT, agency=TEXT, reason=TEXT, state=TEXT, proposed_by=TEXT,
    proposed_at=_INSTANT, expires_at=_INSTANT, decided_by=MAYBE_TEXT, decided_at={"type": ["string", "null"]}, words=MAYBE_TEXT,
)  # fmt: skip
_PERSON = object_of(handle=TEXT, name=TEXT, agency=TEXT, roles=list_of(TEXT))


def people_paths() -> Schema:
    """The paths of persons and approvals."""
    named = object_of(handle=TEXT)
    role = parameter("role", "path", _ROLE, "Vai trò · The role")
    decided = object_of(digest=_SENT)
    return {
        "/v1/me": {"get": _operation("me", "Tôi là ai ở đây · Who I am here", {"type": "object"})},
        "/v1/people": {
            "get": _operation("people", "Những người đã đăng ký · Registered persons", object_of(people=list_of(_PERSON))),
            "post": _operation("register_person", "Đăng ký một người · Register a person", named, body=object_of(handle=_SENT, issuer=_SENT, subject=_SENT, name=_SENT, agency=_SENT)),
        },
        "/v1/people/{handle}/end": {"post": _operation("end_person", "Người đã rời đi · A person has left", named, _HANDLE, changes=True)},
        "/v1/people/{handle}/roles": {
            "post": _operation("propose_role", "Đề xuất vai trò · Propose a role", _PROPOSAL, _HANDLE, body=object_of(role=_ROLE, reason=_SENT))
        },
        "/v1/people/{handle}/roles/{role}/withdraw": {
            "post": _operation(
                "withdraw_role", "Thu hồi vai trò · Take a role away", object_of(handle=TEXT, role=TEXT), _HANDLE, role, changes=True
            )
        },
        "/v1/approvals": {
            "get": _operation("approvals", "Đề xuất chờ người thứ hai · What waits for a second person", object_of(proposals=list_of(_PROPOSAL)))
        },
        "/v1/approvals/{proposal}": {"get": _operation("approval", "Một đề xuất · A proposal", _PROPOSAL, _NUMBER)},
        "/v1/approvals/{proposal}/approve": {
            "post": _operation("approve", "Duyệt và thực hiện · Approve, and it is done", _PROPOSAL, _NUMBER, body=decided)
        },
        "/v1/approvals/{proposal}/refuse": {
            "post": _operation("refuse_proposal", "Từ chối · Refuse", _PROPOSAL, _NUMBER, body=object_of(reason=_SENT))
        },
        "/v1/approvals/{proposal}/withdraw": {
            "post": _operation("withdraw_proposal", "Rút đề xuất · Take it back", _PROPOSAL, _NUMBER, changes=True)
        },
    }  # fmt: skip


def _operation(name: str, summary: str, schema: Schema, *parameters: Schema, body: Schema | None = None, changes: bool = False) -> Schema:
    """An operation of who signed in; one that changes something carries the session's token against forgery."""
    token = [parameter("Lienthong-CSRF", "header", TEXT, "Mã chống giả mạo của phiên · The session's token", required=False)]
    operation: Schema = {
        "tags": ["people"],
        "operationId": name,
        "summary": summary,
        "parameters": [*parameters, *(token if body is not None or changes else ())],
        "responses": answered(schema, problems((400, 401, 403, 404, 405, 409, 410, 413, 415, 422))),
        "security": [{"session": []}],
    }
    if body is not None:
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": body}}}
    return operation
