"""The parts of the API's description that let a system in: the token, and the directory after GovStack."""

from __future__ import annotations

from lienthong.sharing.formats import JSON
from lienthong.web.openapi_parts import TEXT, Schema, object_of, problems


def govstack_paths() -> Schema:
    """The directory after GovStack; data requests are those of each service's own document."""
    rules = {"instance": "[A-Za-z]", "memberClass": "[A-Za-z]", "member": "[A-Za-z0-9]", "application": "[A-Za-z0-9]"}
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string", "pattern": f"^{first}[A-Za-z0-9._-]{{0,60}}$"}}
        for name, first in rules.items()
    ]
    provider = "/govstack/" + "/".join(f"{{{name}}}" for name in rules)
    members = {"type": "object", "required": ["member"], "additionalProperties": False, "properties": {"member": {"type": "array"}}}
    code = {
        "name": "serviceCode",
        "in": "query",
        "required": True,
        "schema": {"type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9._-]{0,60}$"},
        "description": "Dịch vụ · Service",
    }

    def got(name: str, summary: str, schema: Schema, asked: list[Schema]) -> Schema:
        responses = {"200": _given(schema), **problems((400, 404, 405))}
        return {"get": {"operationId": name, "summary": summary, "parameters": asked, "responses": responses, "security": [{}]}}

    return {
        "/govstack/listClients": got("govstack_clients", "Danh bạ theo GovStack · Clients after GovStack", members, []),
        f"{provider}/listMethods": got("govstack_methods", "Dịch vụ theo GovStack · Services after GovStack", members, parameters),
        f"{provider}/getOpenAPI": got("govstack_openapi", "Mô tả dịch vụ · A service's document", TEXT, [*parameters, code]),
    }


def token_path() -> Schema:
    form = object_of(
        grant_type={"const": "client_credentials"},
        client_assertion_type={"const": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"},
        client_assertion=TEXT,
    )
    answer = {
        "type": "object",
        "required": ["access_token", "token_type", "expires_in"],
        "properties": {"access_token": TEXT, "token_type": {"const": "Bearer"}, "expires_in": {"type": "integer"}},
    }
    error = {"type": "object", "required": ["error"], "properties": {"error": TEXT, "error_description": TEXT}}
    refused = {"description": "RFC 6749 §5.2", "content": {JSON: {"schema": error}}}
    return {
        "/oauth/token": {
            "post": {
                "operationId": "token",
                "summary": "Lấy mã truy cập · Get an access token (client credentials, private_key_jwt)",
                "requestBody": {"required": True, "content": {"application/x-www-form-urlencoded": {"schema": form}}},
                "responses": {"200": _given(answer), "400": refused, "401": refused},
                "security": [{}],
            }
        }
    }


def _given(schema: Schema) -> Schema:
    return {"description": "Trả lời · The answer", "content": {JSON: {"schema": dict(schema)}}}
