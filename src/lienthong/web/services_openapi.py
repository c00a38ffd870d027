"""Brokered services in `/openapi.json`: the catalogue, a provider's acts, and calls as such; what one service takes is in its own document."""

from __future__ import annotations

from lienthong.web.openapi_parts import (
    COUNT,
    MAYBE_TEXT,
    PLAIN,
    TEXT,
    Schema,
    answered,
    caller_headers,
    list_of,
    object_of,
    parameter,
    problems,
)

SERVICE = parameter("service", "path", PLAIN, "Mã dịch vụ · The service's id")
VERSION = parameter("version", "path", PLAIN, "Phiên bản · Version")
WHICH = parameter(
    "version", "query", {"type": "string", "pattern": "^[0-9.]+$"}, "Phiên bản khác mặc định · Another version than the default"
)
LANGUAGE = parameter("lang", "query", {"enum": ["vi", "en"]}, "Ngôn ngữ · Language")
FREE: Schema = {"type": "object"}
SHORT = object_of(
    is_closed=False, id=TEXT, title=TEXT, title_en=TEXT, agency=TEXT, kind={"enum": ["rest", "soap"]}, version=TEXT, state=TEXT, links=FREE
)
STANDING = object_of(service=TEXT, version=TEXT, agency=TEXT, state=TEXT, sunset_on=MAYBE_TEXT, revision=COUNT)
CHANGE = object_of(endpoint=TEXT, place=TEXT, what=TEXT, breaking={"type": "boolean"})
STOP = object_of(stop={"type": ["integer", "null"]})
READING = (400, 404, 405, 410)
ACTING = (400, 401, 403, 404, 405, 409, 413, 415, 422, 503)
CALLING = (400, 401, 403, 404, 405, 410, 413, 422, 429, 502, 503)
OWN = {502: "Hệ thống cung cấp trả lời không đúng · The provider's answer is wrong", 410: "Phiên bản đã ngừng · The version has ended"}


def service_paths() -> Schema:
    """Every address of services."""
    root, acts = "/v1/services", "/v1/service-definitions"
    paths: Schema = {
        root: {"get": _open("services", "Các dịch vụ · The services", object_of(services=list_of(SHORT)), (), (400, 405))},
        f"{root}/{{service}}": {
            "get": _open("service", "Một dịch vụ · One service", SHORT, (SERVICE, WHICH)),
            "post": _call("call_soap", "Gọi bằng SOAP · Call by SOAP", (SERVICE,)),
        },
        f"{root}/{{service}}/openapi.json": {"get": _open("service_openapi", "Mô tả OpenAPI · OpenAPI document", FREE, (SERVICE, WHICH))},
        f"{root}/{{service}}/wsdl": {"get": _text("service_wsdl", "Mô tả WSDL · WSDL", "text/xml", (SERVICE, WHICH))},
        f"{root}/{{service}}/guide": {"get": _text("service_guide", "Hướng dẫn tích hợp · Integration guide", "text/markdown", (SERVICE, WHICH, LANGUAGE))},
        f"{root}/{{service}}/test": {"get": _open("service_test", "Bài kiểm tra · Test case", FREE, (SERVICE, WHICH))},
        f"{root}/{{service}}/{{version}}/{{path}}": {
            verb: _call(f"call_{verb}", "Gọi một thao tác · Call an operation", (SERVICE, VERSION, parameter("path", "path", PLAIN, "Đường dẫn của dịch vụ · The service's own path")))
            for verb in ("get", "post", "put", "patch", "delete")
        },
        acts: {"post": _act("register_service", "Đăng ký · Register", STANDING, (), definition=FREE, description=TEXT)},
        f"{acts}/{{service}}/{{version}}/state": {
            "post": _act("move_service", "Công bố, báo ngừng, ngừng · Publish, deprecate, retire", STANDING, (SERVICE, VERSION), state={"enum": ["published", "deprecated", "retired"]})
        },
        f"{acts}/{{service}}/stop": {
            "post": _act("stop_service", "Tạm dừng · Stop for a while", STOP, (SERVICE,), begins_at=TEXT, restores_at=TEXT, reason_vi=TEXT)
        },
        f"{acts}/{{service}}/resume": {"post": _act("resume_service", "Nhận gọi trở lại · Take calls again", STOP, (SERVICE,))},
        f"{acts}/{{service}}/diff": {
            "get": {
                "operationId": "diff_service", "summary": "So hai phiên bản · Compare two versions", "security": [{"oauth2": []}],
                "parameters": [SERVICE, parameter("old", "query", TEXT, "Phiên bản cũ · Old version"), parameter("new", "query", TEXT, "Phiên bản mới · New version"), *caller_headers()],
                "responses": answered(object_of(breaking={"type": "boolean"}, changes=list_of(CHANGE), agreements=list_of(TEXT)), problems(ACTING)),
            }
        },
    }  # fmt: skip
    return paths


def _open(name: str, summary: str, schema: Schema, parameters: tuple[Schema, ...], statuses: tuple[int, ...] = READING) -> Schema:
    responses = answered(schema, problems(statuses, OWN))
    return {"operationId": name, "summary": summary, "security": [{}], "parameters": list(parameters), "responses": responses}


def _text(name: str, summary: str, kind: str, parameters: tuple[Schema, ...]) -> Schema:
    responses = {"200": {"description": summary, "content": {kind: {"schema": TEXT}}}, **problems(READING, OWN)}
    return {"operationId": name, "summary": summary, "security": [{}], "parameters": list(parameters), "responses": responses}


def _call(name: str, summary: str, parameters: tuple[Schema, ...]) -> Schema:
    """A call: what it takes and gives is the service's own affair, its refusals are ours."""
    responses = {"default": {"description": "Trả lời của dịch vụ · The service's answer"}, **problems(CALLING, OWN)}
    return {
        "operationId": name, "summary": summary, "security": [{"oauth2": []}], "parameters": [*parameters, *caller_headers()], "responses": responses,
        "description": "Xem /v1/services/{service}/openapi.json · See the service's own document",
    }  # fmt: skip


def _act(name: str, summary: str, schema: Schema, parameters: tuple[Schema, ...], **properties: Schema) -> Schema:
    body = object_of(is_closed=False, **properties)
    return {
        "operationId": name, "summary": summary, "security": [{"oauth2": []}], "parameters": [*parameters, *caller_headers()],
        "requestBody": {"required": True, "content": {"application/json": {"schema": body}}}, "responses": answered(schema, problems(ACTING, OWN)),
    }  # fmt: skip
