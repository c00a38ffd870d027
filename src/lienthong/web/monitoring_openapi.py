"""What `/openapi.json` says of monitoring."""

from __future__ import annotations

from lienthong.web.openapi_parts import TEXT, Schema, answered, list_of, object_of, parameter, problems

STATUSES = (400, 401, 403, 405)
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
    official = parameter("Lienthong-Official", "header", {"type": "string", "maxLength": 200, "pattern": "^[!-~]*$"}, "Cán bộ yêu cầu · The official")  # fmt: skip
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
    whole = object_of(records=list_of(OPEN), nextRecordsFrom={"type": ["integer", "null"]})
    return {
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


def _got(name: str, summary: str, parameters: list[Schema], schema: Schema, official: Schema) -> Schema:
    return {
        "get": {
            "operationId": name,
            "summary": summary,
            "parameters": [*parameters, official],
            "responses": answered(schema, problems(STATUSES)),
            "security": [{"oauth2": []}],
        }
    }
