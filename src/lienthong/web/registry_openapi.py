"""What `/openapi.json` says of agencies and subsystems."""

from __future__ import annotations

from lienthong.web.openapi_parts import MAYBE_TEXT, PLAIN, TEXT, Schema, answered, list_of, object_of, parameter, problems

_SENT: Schema = {"type": "string", "minLength": 1, "maxLength": 2000, "pattern": "^[^\\x00]*$"}
_DAY: Schema = {"type": "string", "format": "date"}
_CODES: Schema = {"type": "array", "items": TEXT, "maxItems": 200}
_ENVIRONMENT: Schema = {"enum": ["production", "sandbox"]}
_AGENCY = object_of(
    is_closed=False, code=TEXT, name=TEXT, kind=TEXT, parent=TEXT, valid_from=_DAY, valid_to={"type": ["string", "null"]}, successors=list_of(TEXT)
)  # fmt: skip
_KEY = object_of(
    kid=TEXT, thumbprint=TEXT, environment=TEXT, valid_from=MAYBE_TEXT, valid_to=MAYBE_TEXT, is_expiring={"type": "boolean"}
)  # fmt: skip
_FREE: Schema = {"type": "object"}
_NUMBER: Schema = {"type": "integer"}
_WEEK = object_of(
    subsystem=TEXT, agency=TEXT, since=_DAY, due=_DAY, state={"enum": ["watching", "trouble", "passed", "unsettled"]}, said=TEXT, said_en=TEXT,
    passed_on={"type": ["string", "null"], "format": "date"}, calls=_NUMBER, refused=_NUMBER, failed=_NUMBER,
    faults=list_of(object_of(fault=TEXT, vi=TEXT, en=TEXT)), legal_basis=TEXT,
)  # fmt: skip
_SUBSYSTEM = object_of(
    identifier=TEXT, agency=TEXT, title=TEXT, title_en=TEXT, is_active={"type": "boolean"}, security_level=_FREE, keys=list_of(_KEY)
)  # fmt: skip


def registry_paths() -> Schema:
    """The paths of agencies, mergers and subsystems."""
    code = parameter("code", "path", PLAIN, "Mã định danh · The agency's code")
    parts = [parameter(name, "path", PLAIN, "Phần của mã hệ thống · A part of the identifier") for name in _PARTS]
    root = "/v1/subsystems/" + "/".join(f"{{{name}}}" for name in _PARTS)
    kid = parameter("kid", "path", PLAIN, "Tên khóa · The key's name")
    merger = {"from": _CODES, "into": _SENT, "on": _DAY}
    agency = {"name": _SENT, "kind": _SENT, "valid_from": _DAY, "parent": TEXT, "valid_to": {"type": ["string", "null"], "format": "date"}}
    key = {"question": _SENT, "proof": _SENT, "overlap_days": {"type": ["integer", "null"]}, "valid_to": {"type": ["string", "null"]}}
    titles = {"title": _SENT, "title_en": _SENT}
    level = {
        "level": {"type": "integer", "minimum": 1, "maximum": 5}, "decision": _SENT, "approved_by": _SENT, "approved_on": _DAY, "valid_until": _DAY,
        "file_name": MAYBE_TEXT, "content": {"type": ["string", "null"], "contentEncoding": "base64"}, "sha256": MAYBE_TEXT,
    }  # fmt: skip
    return {
        "/v1/agencies": {"get": _looking("agencies", "Cây cơ quan · The agencies", object_of(agencies=list_of(_AGENCY)))},
        "/v1/agencies/{code}": {
            "get": _looking("agency", "Một cơ quan · An agency", _AGENCY, code),
            "put": _acting("keep_agency", "Ghi nhận một cơ quan · Keep an agency", _AGENCY, _body(agency, "parent", "valid_to"), code),
        },
        "/v1/agencies/{code}/close": {
            "post": _acting(
                "close_agency", "Đóng một cơ quan · Close an agency", _FREE, _body({"on": _DAY, "successors": _CODES}), code
            )
        },
        "/v1/mergers/preview": {"post": _acting("preview_merger", "Xem trước sáp nhập · Preview a merger", _FREE, _body(merger))},
        "/v1/mergers": {"post": _acting("merge", "Đề xuất sáp nhập · Propose a merger", _FREE, _body({**merger, "reason": _SENT}))},
        "/v1/first-weeks": {
            "get": _acting("first_weeks", "Theo dõi tuần đầu sau khóa chính thức · The first week after a production key", object_of(first_weeks=list_of(_WEEK)), None)
        },
        "/v1/subsystems": {
            "get": _acting("subsystems", "Hệ thống của cơ quan · The agency's subsystems", object_of(subsystems=list_of(_SUBSYSTEM)), None)
        },
        root: {
            "get": _acting("subsystem", "Một hệ thống · A subsystem", _SUBSYSTEM, None, *parts),
            "put": _acting("register_subsystem", "Đăng ký hệ thống · Register a subsystem", object_of(identifier=TEXT), _body(titles), *parts),
        },
        root + "/onboarding": {"get": _acting("onboarding", "Các bước gia nhập · Stages of onboarding", _FREE, None, *parts)},
        "/sandbox/v1/practice/records/{key}": {
            "get": _practising("practise", "Tra bản ghi mẫu · Look a practice record up", _FREE, None, (404, 429), parameter("key", "path", PLAIN, "MAU-1"))
        },
        "/sandbox/v1/checks": {"get": _practising("checks", "Các kiểm tra của hệ thống · The subsystem's checks", _FREE, None, ())},
        "/sandbox/v1/checks/withheld": {
            "post": _practising("say_withheld", "Trường nào không cung cấp · Which fields are withheld", _FREE, _body(dict.fromkeys(("withheld", "not_delivered", "no_value"), _CODES)), ())
        },
        "/sandbox/v1/checks/ledger_proof": {
            "get": _practising("proofs", "Bằng chứng để kiểm · Proofs to verify", _FREE, None, ()),
            "post": _practising("say_proofs", "Bằng chứng nào đúng · Which proofs hold", _FREE, _body({"holds": {"type": "array", "items": {"type": "boolean"}}}), ()),
        },
        root + "/security-level": {
            "get": _acting("security_level", "Hồ sơ cấp độ an toàn · The approved security level", _FREE, None, *parts),
            "put": _acting("record_level", "Ghi quyết định phê duyệt cấp độ · Record the decision on the level", _FREE, _body(level, "file_name", "content", "sha256"), *parts),
        },
        root + "/security-level/file": {"get": _giving("level_file", "Tệp quyết định phê duyệt cấp độ · The file of the decision", *parts)},
        root + "/close": {
            "post": _acting("close_subsystem", "Đóng hệ thống · Close a subsystem", object_of(identifier=TEXT), _body({"reason": _SENT}), *parts)
        },
        root + "/keys/question": {
            "post": _acting(
                "ask_key", "Hỏi khóa mới · A question for a new key", _FREE, _body({"jwk": _FREE, "environment": _ENVIRONMENT}), *parts
            )
        },
        root + "/keys": {
            "post": _acting("add_key", "Nhận khóa đã chứng minh · Take a proved key", _KEY, _body(key, "overlap_days", "valid_to"), *parts)
        },
        root + "/keys/{kid}/revoke": {
            "post": _acting(
                "revoke_key", "Thu hồi khóa · Revoke a key", object_of(kid=TEXT), _body({"environment": _ENVIRONMENT, "reason": _SENT}), *parts, kid
            )
        },
    }  # fmt: skip


_PARTS = ("instance", "member_class", "agency", "subsystem")


def _body(properties: Schema, *optional: str) -> Schema:
    required = [name for name in properties if name not in optional]
    return {"type": "object", "additionalProperties": False, "required": required, "properties": properties}


def _looking(name: str, summary: str, schema: Schema, *parameters: Schema) -> Schema:
    return {
        "tags": ["registry"],
        "operationId": name,
        "summary": summary,
        "parameters": list(parameters),
        "responses": answered(schema, problems((400, 404, 405))),
        "security": [{}],
    }


def _giving(name: str, summary: str, *parameters: Schema) -> Schema:
    operation = _acting(name, summary, _FREE, None, *parameters)
    file = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
    return {**operation, "responses": {**operation["responses"], "200": {"description": summary, "content": file}}}


def _practising(name: str, summary: str, schema: Schema, body: Schema | None, statuses: tuple[int, ...], *parameters: Schema) -> Schema:
    operation: Schema = {
        "tags": ["sandbox"],
        "operationId": f"sandbox_{name}",
        "summary": summary,
        "parameters": list(parameters),
        "responses": answered(schema, problems((400, 401, 403, 405, 413, 415, 422, *statuses))),
        "security": [{"oauth2": []}],
    }
    if body is not None:
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": body}}}
    return operation


def _acting(name: str, summary: str, schema: Schema, body: Schema | None, *parameters: Schema) -> Schema:
    token = [parameter("Lienthong-CSRF", "header", TEXT, "Mã chống giả mạo của phiên · The session's token")]
    operation: Schema = {
        "tags": ["registry"],
        "operationId": name,
        "summary": summary,
        "parameters": [*parameters, *(token if body is not None else ())],
        "responses": answered(schema, problems((400, 401, 403, 404, 405, 409, 410, 413, 415, 422))),
        "security": [{"session": []}, {"oauth2": []}],
    }
    if body is not None:
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": body}}}
    return operation
