"""OpenAPI 3.1, made from the contracts: what a dataset promises is what its API page says. Nothing is described twice."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from lienthong import __version__
from lienthong.contracts import Contract, Property, Sensitivity, Sharing
from lienthong.sharing.filters import MOST_ROWS, MOST_VALUES
from lienthong.sharing.formats import ARROW, CSV, JSON, PARQUET
from lienthong.sharing.workbook import XLSX
from lienthong.web.agreements_openapi import agreement_paths
from lienthong.web.beside_openapi import beside_paths
from lienthong.web.catalogue_openapi import catalogue_entry_paths, harvest_paths
from lienthong.web.ckan_openapi import ckan_paths
from lienthong.web.default_list_openapi import default_list_paths
from lienthong.web.doors.delta.openapi import delta_paths
from lienthong.web.doors.odata.openapi import odata_paths
from lienthong.web.doors.ogc.openapi import ogc_paths
from lienthong.web.doors.sdmx.openapi import sdmx_paths
from lienthong.web.entering_openapi import govstack_paths, token_path
from lienthong.web.events_openapi import event_paths
from lienthong.web.identities_openapi import identity_paths
from lienthong.web.ledger_openapi import ledger_paths
from lienthong.web.lists_openapi import list_paths
from lienthong.web.monitoring_openapi import monitoring_paths
from lienthong.web.openapi_parts import HEADER_TEXT, MAYBE_TEXT, TEXT, Schema, caller_headers, object_of, parameter, problems
from lienthong.web.packages_openapi import package_paths
from lienthong.web.people_openapi import people_paths
from lienthong.web.privacy_openapi import privacy_paths
from lienthong.web.proposals_openapi import proposal_paths
from lienthong.web.registry_openapi import registry_paths
from lienthong.web.releasing_openapi import releasing_paths
from lienthong.web.reports_openapi import report_paths
from lienthong.web.rooms_openapi import room_paths
from lienthong.web.services_openapi import service_paths
from lienthong.web.stewardship_openapi import stewardship_paths
from lienthong.web.syncs_openapi import sync_paths
from lienthong.web.uses_openapi import uses_paths
from lienthong.web.writing_openapi import writing_operations

MOST_RECORDS = 1000
MOST_KEY_LENGTH = 200
_TYPES: dict[str, Schema] = {
    "string": {"type": "string"},
    "integer": {"type": "integer", "minimum": -(2**63) + 1, "maximum": 2**63 - 1},
    "number": {"type": "number"},
    "boolean": {"type": "boolean"},
    "date": {"type": "string", "format": "date"},
    "timestamp": {"type": "string", "format": "date-time"},
}
_READING = (400, 401, 403, 404, 405, 429, 503)
BYTES = "application/octet-stream"  # a workbook, by its own media type or as plain bytes
_NO_NUL = {"pattern": "^[^\\x00]*$"}


def describe(contracts: Iterable[Contract], base_url: str) -> Schema:
    """The OpenAPI document of some datasets."""
    chosen = list(contracts)
    paths: Schema = {**_catalogue_paths(), **token_path(), **report_paths(), **monitoring_paths()}
    paths |= event_paths() | room_paths()
    paths |= catalogue_entry_paths()
    paths |= harvest_paths()
    paths |= people_paths()
    paths |= agreement_paths()
    paths |= beside_paths()
    paths |= default_list_paths()
    paths |= privacy_paths()
    paths |= {**list_paths(chosen), **identity_paths(chosen), **stewardship_paths(chosen), **ledger_paths(), **uses_paths()}
    paths |= registry_paths()
    paths |= sync_paths()
    paths |= delta_paths()
    paths |= ogc_paths()
    paths |= proposal_paths()
    paths |= service_paths()
    paths |= odata_paths(chosen)
    paths |= releasing_paths(chosen)
    paths |= ckan_paths()
    paths |= package_paths(chosen)
    paths |= sdmx_paths()
    schemas: Schema = _common_schemas()
    for contract in chosen:
        paths.update(_dataset_paths(contract))
        schemas.update(_dataset_schemas(contract))
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Liên thông",
            "version": __version__,
            "description": "Tích hợp và chia sẻ dữ liệu của tỉnh. Mỗi câu trả lời để lại một bút toán trong sổ kiểm chứng.\n\n"
            "Provincial data integration and sharing. Every answer leaves an entry in the ledger.",
        },
        "servers": [{"url": base_url}],
        "tags": [{"name": c.id, "description": f"{c.title_vi} · {c.title_en}"} for c in chosen],
        "paths": paths,
        "components": {"schemas": schemas, "securitySchemes": _security_schemes(base_url)},
    }


def _dataset_paths(contract: Contract) -> Schema:
    root = f"/v1/datasets/{contract.id}"
    return {
        root: {"get": _operation(contract, "describe", "Mô tả · Description", _ok(_ref("Dataset")), (), statuses=(404, 405), is_open=True)},
        f"{root}/records": {"get": _list(contract), "post": _submit(contract)},
        f"{root}/records/{{key}}": {"get": _look_up(contract), **writing_operations(contract)},
        f"{root}/changes": {"get": _changes(contract)},
        **{f"{root}/asyncapi.{form}": {"get": _asyncapi(contract, form)} for form in ("json", "yaml")},
        f"{root}/quality": {"get": _quality(contract)},
        f"{root}/quarantine": {"get": _quarantine(contract)},
        f"{root}/quarantine/workbook": {"get": _workbook(contract), "post": _mend(contract)},
        f"{root}/quarantine/fixes": {"post": _fix(contract)},
        f"{root}/quarantine/{{item}}": {"post": _correct(contract)},
    }


def _operation(
    contract: Contract, name: str, summary: str, ok: Schema, parameters: Iterable[Schema], *,
    statuses: tuple[int, ...] = _READING, is_open: bool | None = None, body: Schema | None = None,
) -> Schema:  # fmt: skip
    needs_no_token = contract.sharing is Sharing.OPEN if is_open is None else is_open
    operation: Schema = {
        "tags": [contract.id],
        "operationId": f"{_word(contract)}_{name}",
        "summary": f"{contract.title_vi}: {summary}",
        "parameters": list(parameters),
        "responses": {"200": ok, **problems(statuses)},
        "security": [{}, {"oauth2": []}] if needs_no_token else [{"oauth2": []}],
    }
    if body is not None:
        operation["requestBody"] = {"required": True, "content": {JSON: {"schema": body}}}
    return operation


def _list(contract: Contract) -> Schema:
    ok = _ok(_ref(f"{_word(contract)}_page"))
    ok["content"] |= {
        CSV: {"schema": TEXT},
        ARROW: {"schema": {"type": "string", "contentMediaType": ARROW}},
        PARQUET: {"schema": {"type": "string", "contentMediaType": PARQUET}},
    }
    parameters = [
        *_asking(contract),
        *(each for p in contract.properties for each in _filters(p)),
        _csv("fields", contract, "Các trường cần lấy · Fields to answer with"),
        _csv("sort", contract, "Thứ tự; dấu trừ là giảm dần · Order; a minus is descending", with_minus=True),
        _query("limit", {"type": "integer", "minimum": 1, "maximum": MOST_ROWS}, "Số bản ghi (JSON) · Records a page (JSON)"),
        _query("cursor", TEXT, "`next` của trang trước · `next` of the page before"),
        _query("as_of", _TYPES["date"], "Đúng vào ngày · True on a day"),
        _query("known_at", _TYPES["timestamp"], "Biết vào lúc · Known at an instant"),
    ]
    return _operation(contract, "list", "danh sách · list", ok, parameters, statuses=(*_READING, 406))


def _filters(p: Property) -> Iterable[Schema]:
    kind = _TYPES[p.logical_type] | (_NO_NUL if p.logical_type == "string" else {})
    words = f"{p.title_vi} · {p.title_en}"
    yield _query(p.name, kind, words)
    yield _query(f"{p.name}.gte", kind, f"{words} ≥")
    yield _query(f"{p.name}.lte", kind, f"{words} ≤")
    yield {
        **_query(f"{p.name}.in", {"type": "array", "items": kind, "minItems": 1, "maxItems": MOST_VALUES}, words),
        "style": "form",
        "explode": False,
    }
    if p.logical_type == "string":
        yield _query(f"{p.name}.starts_with", kind, f"{words} (đầu · begins)")


def _look_up(contract: Contract) -> Schema:
    parameters = [
        {
            "name": "key",
            "in": "path",
            "required": True,
            "schema": {"type": "string", "minLength": 1, "maxLength": MOST_KEY_LENGTH},
            "description": f"{' ~ '.join(p.name for p in contract.key)}",
        },
        *_asking(contract),
        _csv("fields", contract, "Các trường cần lấy · Fields to answer with"),
        _query("as_of", _TYPES["date"], "Đúng vào ngày · True on a day"),
        _query("known_at", _TYPES["timestamp"], "Biết vào lúc · Known at an instant"),
    ]
    return _operation(contract, "look_up", "tra cứu một bản ghi · look up one record", _ok(_ref(f"{_word(contract)}_record")), parameters)


def _changes(contract: Contract) -> Schema:
    parameters = [
        *_asking(contract),
        _query("after", TEXT, "`next` của lần trước · `next` of the answer before"),
        _query("limit", {"type": "integer", "minimum": 1, "maximum": MOST_ROWS}, "Số thay đổi · Changes a page"),
    ]
    return _operation(contract, "changes", "thay đổi theo thứ tự · changes in order", _ok(_ref(f"{_word(contract)}_changes")), parameters)


def _asyncapi(contract: Contract, form: str) -> Schema:
    words = "mô tả các sự kiện · its events described"
    ok = {"description": "AsyncAPI 3.0", "content": {f"application/{form}": {"schema": {}}}}
    return _operation(contract, f"asyncapi_{form}", words, ok, (), statuses=(400, 404, 405), is_open=True)


def _submit(contract: Contract) -> Schema:
    records = {"type": "array", "items": _ref(f"{_word(contract)}_input"), "minItems": 1, "maxItems": MOST_RECORDS}
    body = {"type": "object", "required": ["records"], "additionalProperties": False, "properties": {"records": records}}
    parameters = [
        *_asking(contract, is_personal=True),
        parameter(
            "Idempotency-Key",
            "header",
            {**HEADER_TEXT, "pattern": "^[!-~]+$"},
            "Khóa chống gửi trùng · Sent twice, done once",
            required=True,
        ),
    ]
    return _operation(
        contract,
        "submit",
        "gửi bản ghi · send records",
        _ok(_ref("Submission")),
        parameters,
        statuses=(*_READING, 409, 413, 415, 422, 503),
        is_open=False,
        body=body,
    )


def _quality(contract: Contract) -> Schema:
    words = "chất lượng qua thời gian, lịch, đối chiếu · quality over time, schedule, reconciliation"
    return _operation(contract, "quality", words, _ok(_ref("QualityOverTime")), _asking(contract, is_personal=True), is_open=False)


def _quarantine(contract: Contract) -> Schema:
    parameters = [
        *_asking(contract, is_personal=True),
        _query("state", {"enum": ["waiting", "released", "superseded", "withdrawn", "all"]}, "Trạng thái · State"),
        _query("after", {"type": "integer", "minimum": 0, "maximum": 2**63 - 1}, "Sau mục · After an item"),
        _query("limit", {"type": "integer", "minimum": 1, "maximum": MOST_ROWS}, "Số mục · Items a page"),
    ]
    return _operation(contract, "quarantine", "hàng đang chờ · rows that wait", _ok(_ref("Quarantine")), parameters, is_open=False)


def _workbook(contract: Contract) -> Schema:
    ok = {"description": "Tệp Excel · The workbook", "content": {XLSX: {"schema": {"type": "string", "contentMediaType": XLSX}}}}
    words = "hàng chờ thành tệp Excel, ô sai đã đánh dấu · waiting rows as a workbook, wrong cells marked"
    return _operation(contract, "quarantine_workbook", words, ok, _asking(contract, is_personal=True), is_open=False)


def _mend(contract: Contract) -> Schema:
    ok = _ok(_ref("Mended"))
    ok["content"][XLSX] = {"schema": {"type": "string", "contentMediaType": XLSX}}
    words = "tệp Excel đã sửa: kết quả từng hàng · the workbook mended: a verdict for each row"
    statuses = (*_READING, 409, 413, 415, 422, 503)
    operation = _operation(contract, "mend", words, ok, _asking(contract, is_personal=True), statuses=statuses, is_open=False)
    operation["requestBody"] = {"required": True, "content": {BYTES: {"schema": {"type": "string", "format": "binary"}}}}
    return operation


def _fix(contract: Contract) -> Schema:
    text = {"type": "string", "maxLength": 500, **_NO_NUL}
    fix = {
        "type": "object", "required": ["column"], "additionalProperties": False,
        "properties": {
            "column": {"enum": [p.name for p in contract.properties]}, "code": text, "equals": text, "pattern": text, "put": text,
            "clear": {"type": "boolean"}, "suggest": {"type": "boolean"}, "options": {"type": "object"},
        },
    }  # fmt: skip
    digest = {"type": "string", "description": "Của lần xem trước: thực hiện · Of the preview: do it"}
    body = {"type": "object", "required": ["fix"], "additionalProperties": False, "properties": {"fix": fix, "digest": digest}}
    words = "sửa nhiều hàng chờ theo một quy tắc, xem trước rồi làm · fix many waiting rows by one rule, looked at first"
    statuses = (*_READING, 409, 413, 415, 422, 503)
    parameters = _asking(contract, is_personal=True)
    return _operation(contract, "fix", words, _ok(_ref("Fix")), parameters, statuses=statuses, is_open=False, body=body)


def _correct(contract: Contract) -> Schema:
    item = {"name": "item", "in": "path", "required": True, "schema": {"type": "integer", "minimum": 1, "maximum": 2**63 - 1}}
    values = {
        "type": "object",
        "additionalProperties": False,
        "properties": {p.name: MAYBE_TEXT for p in contract.properties},
        "description": "Trường → giá trị đúng · Property → right value",
    }
    body = {"type": "object", "required": ["values"], "additionalProperties": False, "properties": {"values": values}}
    return _operation(
        contract,
        "correct",
        "sửa một hàng đang chờ · put a waiting row right",
        _ok(_ref("Correction")),
        [item, *_asking(contract, is_personal=True)],
        statuses=(*_READING, 409, 413, 415, 422, 503),
        is_open=False,
        body=body,
    )


def _asking(contract: Contract, *, is_personal: bool | None = None) -> list[Schema]:
    """The headers that say why, and for which official, it is asked."""
    return caller_headers(required=contract.sharing is not Sharing.OPEN if is_personal is None else is_personal)


def _query(name: str, schema: Mapping[str, Any], words: str) -> Schema:
    return {"name": name, "in": "query", "required": False, "schema": dict(schema), "description": words}


def _csv(name: str, contract: Contract, words: str, *, with_minus: bool = False) -> Schema:
    names = [p.name for p in contract.properties]
    choices = [*names, *(f"-{n}" for n in names)] if with_minus else names
    schema = {"type": "array", "items": {"enum": choices}, "minItems": 1}
    return {**_query(name, schema, words), "style": "form", "explode": False}


def record_schema(contract: Contract) -> Schema:
    """A record of the dataset as it is answered."""
    values = {p.name: _answered(p) for p in contract.properties}
    return {
        "type": "object",
        "required": ["key", "version", "valid_from", "values", "withheld", "not_delivered"],
        "additionalProperties": False,
        "properties": {
            "key": MAYBE_TEXT,
            "version": {"type": "integer", "minimum": 1},
            "valid_from": _TYPES["date"],
            "values": {"type": "object", "properties": values, "additionalProperties": False},
            "withheld": {"type": "array", "items": {"enum": list(values)}},
            "not_delivered": {"type": "array", "items": {"enum": list(values)}},
        },
    }


def _dataset_schemas(contract: Contract) -> Schema:
    word = _word(contract)
    return {
        f"{word}_record": record_schema(contract),
        f"{word}_page": object_of(
            dataset={"const": contract.id},
            version={"type": "integer", "minimum": 0},
            known_at=_nullable(_TYPES["timestamp"]),
            as_of=_nullable(_TYPES["date"]),
            records={"type": "array", "items": _ref(f"{word}_record"), "maxItems": MOST_ROWS},
            next=MAYBE_TEXT,
        ),
        f"{word}_changes": object_of(
            dataset={"const": contract.id},
            version={"type": "integer", "minimum": 0},
            changes={"type": "array", "items": _change(word), "maxItems": MOST_ROWS},
            next=TEXT,
            more={"type": "boolean"},
        ),
        f"{word}_input": {
            "type": "object",
            "additionalProperties": False,
            "properties": {p.name: _taken(p) for p in contract.properties},
        },
    }


def _change(word: str) -> Schema:
    return object_of(
        cursor=TEXT,
        op={"enum": ["insert", "update", "end"]},
        key=MAYBE_TEXT,
        version={"type": "integer", "minimum": 1},
        known_at=_TYPES["timestamp"],
        record={"anyOf": [_ref(f"{word}_record"), {"type": "null"}]},
    )


def _answered(p: Property) -> Schema:
    """A value as it is answered; a masked one is text whatever its type."""
    schema = _nullable(_TYPES[p.logical_type])
    if p.sensitivity in (Sensitivity.PERSONAL, Sensitivity.SENSITIVE) or p.mask is not None:
        schema = {"anyOf": [schema, MAYBE_TEXT]} if p.logical_type != "string" else schema
    described = " · ".join(text for text in (p.title_vi, p.title_en, p.description) if text)
    return {**schema, "description": described, **({"examples": list(p.examples)} if p.examples else {})}


def _taken(p: Property) -> Schema:
    """A value as it may be sent: as a file would hold it, or as JSON says it; the contract's rules judge it."""
    return {"type": ["string", "number", "boolean", "null"], "description": f"{p.title_vi} · {p.title_en}"}


def _nullable(schema: Mapping[str, Any]) -> Schema:
    return {**schema, "type": [schema["type"], "null"]}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _ok(schema: Mapping[str, Any]) -> Schema:
    return {"description": "Trả lời · The answer", "content": {JSON: {"schema": dict(schema)}}}


def _word(contract: Contract) -> str:
    return contract.id.replace(".", "_").replace("-", "_")


def _catalogue_paths() -> Schema:
    listed = {
        "operationId": "datasets",
        "summary": "Danh mục dữ liệu · The datasets there are",
        "responses": {"200": _ok(object_of(datasets={"type": "array", "items": _ref("Dataset")})), **problems((400, 405))},
        "security": [{}],
    }
    health = {
        "operationId": "health",
        "summary": "Máy chủ có hoạt động không · Whether the server works",
        "responses": {"200": _ok({"type": "object", "required": ["status"]}), **problems((405, 503))},
        "security": [{}],
    }
    answered = {
        "description": "JSON hoặc XML · JSON or XML",
        "content": {JSON: {"schema": {"type": "object"}}, "text/xml": {"schema": TEXT}},
    }
    clients = {
        "operationId": "xroad_clients",
        "summary": "Thành viên X-Road · X-Road's members; their services are under /r1/…, each described by its getOpenAPI",
        "responses": {"200": answered, "400": {"description": "Lỗi theo X-Road · An X-Road error", "content": answered["content"]}},
        "security": [{}],
    }
    names = ("xRoadInstance", "memberClass", "memberCode", "subsystemCode", "serviceCode")
    described = {
        "operationId": "xroad_wsdl",
        "summary": "WSDL của một bộ dữ liệu · WSDL of a dataset's SOAP services, which are called at POST /soap",
        "parameters": [_query(name, TEXT, "Định danh X-Road · X-Road identifier") for name in names],
        "responses": {"200": {"description": "WSDL 1.1", "content": {"text/xml": {"schema": TEXT}}}, **problems((404, 405))},
        "security": [{}],
    }
    return {
        "/v1/datasets": {"get": listed},
        "/health": {"get": health},
        "/health/live": {
            "get": {**health, "operationId": "health_live", "summary": "Tiến trình có trả lời không · Whether the process answers"}
        },
        "/health/ready": {
            "get": {**health, "operationId": "health_ready", "summary": "Có nhận yêu cầu được không · Whether to send it requests"}
        },
        "/listClients": {"get": clients},
        "/wsdl": {"get": described},
        **govstack_paths(),
    }


def _security_schemes(base_url: str) -> Schema:
    flow = {"tokenUrl": f"{base_url}/oauth/token", "scopes": {}}
    session = {"type": "apiKey", "in": "cookie", "name": "__Host-lienthong" if base_url.startswith("https://") else "lienthong"}
    return {"oauth2": {"type": "oauth2", "flows": {"clientCredentials": flow}}, "session": session}


def _common_schemas() -> Schema:
    free = {"type": "object"}
    many = {"type": "array", "items": {"type": "object"}}
    return {
        "Problem": {
            "type": "object",
            "description": "RFC 9457",
            "required": ["type", "title", "status"],
            "properties": {
                **dict.fromkeys(("type", "title", "detail", "code", "hint", "hint_vi", "rule", "agreement", "clause", "until"), TEXT),
                "status": {"type": "integer"},
                "request": object_of(href=TEXT, method=TEXT, content_type=TEXT, body=free),
            },
        },
        "Dataset": {
            "type": "object",
            "required": ["id", "title", "title_en", "agency", "sharing", "version"],
            "properties": {
                "id": TEXT,
                "title": TEXT,
                "title_en": TEXT,
                "agency": TEXT,
                "sharing": TEXT,
                "version": {"type": "integer"},
            },
        },
        "Submission": object_of(run={"type": "integer"}, repeated={"type": "boolean"}, verdicts={"type": "array", "items": free}),
        "Quarantine": object_of(items={"type": "array", "items": free}, next={"type": ["integer", "null"]}),
        "QualityOverTime": object_of(
            dataset={"type": "string"},
            scores=many,
            drift=many,
            rules=many,
            reconciliations=many,
            period_revisions=many,
            sources=many,
        ),
        "Fix": {"type": "object", "required": ["rows"], "properties": {"rows": {"type": "integer"}}},
        "Mended": object_of(
            run={"type": ["integer", "null"]},
            version={"type": ["integer", "null"]},
            counts=free,
            ignored_columns={"type": "array", "items": {"type": "string"}},
            absent_columns={"type": "array", "items": {"type": "string"}},
            verdicts={"type": "array", "items": free},
        ),
        "Correction": object_of(item=free, run={"type": "integer"}, version={"type": ["integer", "null"]}),
    }
