"""What `/openapi.json` says of monitoring."""

from __future__ import annotations

from lienthong.web.openapi_parts import TEXT, Schema, answered, caller_headers, list_of, object_of, parameter, problems

STATUSES = (400, 401, 403, 405, 422)
OPEN: Schema = {"type": "object"}
SECOND: Schema = {"type": "integer", "minimum": 0, "maximum": 4_102_444_800}
GROUP: Schema = {"enum": ["provider", "service", "operation", "door", "caller", "purpose", "at"]}
COUNTS: Schema = {
    "type": "object",
    "required": ["from", "until", "span", "counts"],
    "additionalProperties": False,
    "properties": {"from": TEXT, "until": TEXT, "span": TEXT, "counts": list_of(OPEN)},
}


def monitoring_paths() -> Schema:
    """The paths of monitoring."""
    _, official = caller_headers()
    records = [
        parameter("recordsFrom", "query", SECOND, "Từ giây (Unix) · From a second", required=True),
        parameter("recordsTo", "query", SECOND, "Đến giây · To a second"),
        parameter("client", "query", TEXT, "Chỉ của hệ thống này · Of this subsystem only"),
        parameter("outputField", "query", TEXT, "Các trường cần lấy, cách nhau dấu phẩy · Fields, by commas"),
    ]
    counts = [
        parameter("from", "query", {"type": "string", "format": "date-time"}, "Từ lúc · From"),
        parameter("until", "query", {"type": "string", "format": "date-time"}, "Đến lúc · Until"),
        {
            **parameter("by", "query", {"type": "array", "items": GROUP, "minItems": 1, "uniqueItems": True}, "Gộp theo · Put together by"),
            "style": "form",
            "explode": False,
        },
        parameter("span", "query", {"enum": ["hour", "day"]}, "Theo giờ hay ngày · By the hour or day"),
    ]
    month = parameter("month", "query", {"type": "string", "pattern": "^20[0-9]{2}-(0[1-9]|1[0-2])$"}, "Tháng · Month", required=True)
    alert = parameter("alert", "path", {"type": "integer", "minimum": 1, "maximum": 2**63 - 1}, "Số cảnh báo · Number of the alert")
    state = parameter("state", "query", {"enum": ["open", "taken", "closed"]}, "Trạng thái · State")
    moved = object_of(alert={"type": "integer"}, state=TEXT)
    reason = object_of(reason={"type": "string", "minLength": 1, "maxLength": 500, "pattern": "^[!-~]+$"})
    report = {"type": "object", "required": ["month", "is_whole", "total", "sheets"]}
    whole = object_of(records=list_of(OPEN), nextRecordsFrom={"type": ["integer", "null"]})
    return {
        "/v1/monitoring/alerts": _got("alerts", "Cảnh báo · Alerts", [state], object_of(alerts=list_of(OPEN)), official),
        "/v1/monitoring/alerts/{alert}/take": _acted("alert_take", "Nhận xử lý · Look into an alert", [alert, official], moved, None),
        "/v1/monitoring/alerts/{alert}/close": _acted("alert_close", "Đóng, nêu lý do · Close it, and say why", [alert, official], moved, reason),
        "/v1/reports/exchange": _got("report_exchange", "Báo cáo trao đổi của tháng · The month's exchange report", [month], report, official, 406),
        "/v1/monitoring/records": _got("monitoring_records", "Bản ghi vận hành từng lượt trao đổi · Operational records", records, whole, official),
        "/v1/monitoring/health": _got(
            "monitoring_health", "Tình trạng từng dịch vụ, 10 phút qua · Each service, last ten minutes", [],
            object_of(at=TEXT, statisticsPeriodSeconds=SECOND, services=list_of(OPEN)), official,
        ),
        "/v1/monitoring/counts": _got(
            "monitoring_counts", "Số lượt, từ chối, lỗi, độ trễ, dung lượng · Calls, refusals, errors, latency, volume", counts,
            COUNTS, official,
        ),
    }  # fmt: skip


def _acted(name: str, summary: str, parameters: list[Schema], schema: Schema, body: Schema | None) -> Schema:
    sent = {} if body is None else {"requestBody": {"required": True, "content": {"application/json": {"schema": body}}}}
    return {
        "post": {
            "operationId": name,
            "summary": summary,
            "parameters": parameters,
            **sent,
            "responses": answered(schema, problems((*STATUSES, 404, 409, 413, 415))),
            "security": [{"oauth2": []}],
        }
    }


def _got(name: str, summary: str, parameters: list[Schema], schema: Schema, official: Schema, *more: int) -> Schema:
    return {
        "get": {
            "operationId": name,
            "summary": summary,
            "parameters": [*parameters, official],
            "responses": answered(schema, problems((*STATUSES, *more))),
            "security": [{"oauth2": []}],
        }
    }
