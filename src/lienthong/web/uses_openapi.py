"""What `/openapi.json` says of a citizen's view of how their data was used."""

from __future__ import annotations

from lienthong.web.ledger_openapi import RECEIPT_SCHEMA
from lienthong.web.openapi_parts import COUNT, MAYBE_TEXT, TEXT, Schema, answered, list_of, object_of, parameter, problems

_INSTANT: Schema = {"type": "string", "format": "date-time"}
_NUMBER: Schema = {"type": "integer", "minimum": 0, "maximum": 10**17}
_FLAG: Schema = {"type": "boolean"}
_LINE = object_of(
    position=COUNT, at=_INSTANT, kind=TEXT, certainty={"enum": ["named", "everybody", "possibly"]}, words=TEXT, words_en=TEXT, caller=TEXT,
    caller_title=MAYBE_TEXT, agency=TEXT, official=MAYBE_TEXT, purpose=TEXT, legal_basis=TEXT, agreement=TEXT, dataset=TEXT, title=TEXT, title_en=TEXT,
    fields=list_of(object_of(name=TEXT, title=TEXT, title_en=TEXT)), shown_from=_INSTANT, proof=TEXT,
)  # fmt: skip
_RULE = object_of(
    dataset=TEXT, title=TEXT, title_en=TEXT, delay_days=COUNT, delayed_purposes={"type": "object"}, hidden_purposes=list_of(TEXT), shows_official=_FLAG,
    legal_basis=TEXT, words=TEXT, words_en=TEXT,
)  # fmt: skip


def uses_paths() -> Schema:
    """The paths of the citizen's view."""
    window = [
        parameter("from", "query", _INSTANT, "Từ lúc · From"),
        parameter("to", "query", _INSTANT, "Đến trước lúc · Before"),
        parameter("before", "query", _NUMBER, "`next` của trang trước · `next` of the page before"),
        parameter("limit", "query", {"type": "integer", "minimum": 1, "maximum": 500}, "Số dòng · Lines a page"),
        parameter("whole", "query", _FLAG, "Cả khi giao cả sổ · Whole registers too"),
    ]
    uses = object_of(
        uses=list_of(_LINE),
        next={"type": ["integer", "null"]},
        known_upto=COUNT,
        records=list_of(object_of(dataset=TEXT, title=TEXT, title_en=TEXT)),
    )
    usage = list_of({"type": "object", "required": ["logTime", "purpose", "initiatorOrg"]})
    found = object_of(
        totalUsages=COUNT, returnedUsages=COUNT, dataRequests=usage, dataResponses=usage, dataProcessings=usage, internalProcessings=usage
    )
    kinds = {"type": "array", "items": {"enum": ["DATA_REQUEST", "DATA_RESPONSE", "DATA_PROCESSING", "INTERNAL_PROCESSING"]}}
    tracker = [
        parameter("X-Road-UserId", "header", TEXT, "Số định danh của công dân · The citizen's number"),
        parameter("userCode", "query", TEXT, "Số định danh của công dân · The citizen's number"),
        {**parameter("processingType", "query", kinds, "Loại · Kind"), "explode": True},
        {**parameter("logSourceSystems", "query", {"type": "array", "items": TEXT}, "Bộ dữ liệu · Dataset"), "explode": True},
        parameter("includeBulkProcessing", "query", _FLAG, "Cả khi giao cả sổ · Whole registers too"),
        parameter("periodStart", "query", _INSTANT, "Từ lúc · From"),
        parameter("periodEnd", "query", _INSTANT, "Đến trước lúc · Before"),
        parameter("limit", "query", {"type": "integer", "minimum": 1, "maximum": 10_000}, "Số dòng · Lines"),
        parameter("offset", "query", _NUMBER, "Bỏ qua · Lines to skip"),
    ]
    place = parameter("position", "path", _NUMBER, "Vị trí trong sổ · The position in the ledger")
    beat = object_of(status=TEXT, message=TEXT)
    both: list[Schema] = [{"session": []}, {"oauth2": []}]
    return {
        "/v1/me/uses": {"get": _operation("my_uses", "Ai đã xem dữ liệu của tôi · Who used my data", uses, window, (400, 401, 403, 405))},
        "/v1/me/uses/{position}/receipt": {
            "get": _operation(
                "my_use_receipt", "Bằng chứng của một dòng · The proof of a line", RECEIPT_SCHEMA, [place], (400, 401, 403, 404, 405)
            )
        },
        "/v1/disclosure": {
            "get": _operation(
                "disclosure",
                "Quy tắc hiển thị · What a person is shown",
                object_of(rules=list_of(_RULE), data_protection=TEXT),
                [],
                (400, 405),
                [{}],
            )
        },
        "/v3/findUsage": {
            "get": _operation("find_usage", "Theo mẫu findUsage · After findUsage", found, tracker, (400, 401, 403, 405, 429), both)
        },
        "/v3/heartbeat": {"get": _operation("heartbeat", "Còn hoạt động · Alive", beat, [], (405,), [{}])},
    }


def _operation(
    name: str, summary: str, schema: Schema, parameters: list[Schema], statuses: tuple[int, ...], security: list[Schema] | None = None
) -> Schema:  # fmt: skip
    return {
        "tags": ["citizen"],
        "operationId": name,
        "summary": summary,
        "parameters": parameters,
        "responses": answered(schema, problems(statuses)),
        "security": [{"session": []}] if security is None else security,
    }
