"""What `/openapi.json` says of data shared by default."""

from __future__ import annotations

from lienthong.web.openapi_parts import MAYBE_TEXT, PLAIN, TEXT, Schema, answered, list_of, object_of, parameter, problems

_FREE: Schema = {"type": "object"}
_WORDS: Schema = {"type": "string", "minLength": 1, "maxLength": 2000, "pattern": "^[^\\x00]*$"}
_DECISION: Schema = {"type": "string", "maxLength": 2000, "pattern": "^[^\\x00]*$"}


def default_list_paths() -> Schema:
    """The paths of the list and its reviews."""
    agency = parameter("agency", "path", PLAIN, "Mã cơ quan · Agency code")
    token = parameter("Lienthong-CSRF", "header", TEXT, "Mã chống giả mạo của phiên · The session's token")
    listed = object_of(
        parts=list_of(_FREE), reviewed_on=MAYBE_TEXT, review_months={"type": "integer"}, offer=_FREE, legal_basis=list_of(_FREE)
    )
    body: Schema = {
        "type": "object", "additionalProperties": False, "required": ["words"], "properties": {"words": _WORDS, "decision": _DECISION},
    }  # fmt: skip
    return {
        "/v1/default-list": {"get": _looking("default_list", "Danh mục chia sẻ mặc định · Data shared by default", listed)},
        "/v1/default-list/{agency}/reviews": {
            "get": _looking("default_list_reviews", "Các lần rà soát của một cơ quan · An agency's reviews", object_of(agency=TEXT, reviews=list_of(_FREE)), agency),
            "post": {
                "tags": ["agreements"],
                "operationId": "default_list_review",
                "summary": "Ghi kết quả rà soát · Record a review",
                "parameters": [agency, token],
                "requestBody": {"required": True, "content": {"application/json": {"schema": body}}},
                "responses": answered(_FREE, problems((400, 401, 403, 404, 405, 413, 415, 422))),
                "security": [{"session": []}, {"oauth2": []}],
            },
        },
    }  # fmt: skip


def _looking(name: str, summary: str, schema: Schema, *parameters: Schema) -> Schema:
    return {
        "tags": ["agreements"],
        "operationId": name,
        "summary": summary,
        "parameters": list(parameters),
        "responses": answered(schema, problems((400, 404, 405))),
        "security": [{}],
    }
