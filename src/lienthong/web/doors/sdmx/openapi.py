"""What `/openapi.json` says of the SDMX service; flows are described by the service itself."""

from __future__ import annotations

from collections.abc import Iterable

from lienthong.web.doors.sdmx.names import DATA_JSON, ERROR_XML, GENERIC_XML, ROOT, SPECIFIC_XML, STRUCTURE_XML
from lienthong.web.doors.sdmx.queries import ALL_DIMENSIONS, DATA_DETAILS, KINDS, REFERENCES, STRUCTURE_DETAILS
from lienthong.web.openapi_parts import Schema, parameter

_XML: Schema = {"schema": {"type": "string"}}
_REFUSED = {
    400: "Không hiểu được (140) · Not understood", 401: "Chưa có mã truy cập (110) · No access token", 403: "Thỏa thuận không cho phép (150) · Not in the agreement",
    404: "Không có kết quả (100) · No results", 405: "Chỉ đọc (140) · Only read", 406: "Không có dạng này (140) · Not in this form", 413: "Quá lớn (130) · Too large",
    422: "Không hợp với dữ liệu này (150), hoặc hỏi quá rộng (130) · Makes no sense here, or takes too long", 429: "Quá hạn mức (150) · Past the quota",
    501: "Không có tùy chọn này · Not offered", 503: "Bận · Busy",
}  # fmt: skip
_ID: Schema = {"type": "string", "pattern": "^[A-Za-z0-9_]{1,60}$"}
_AGENCY: Schema = {"type": "string", "pattern": "^[A-Za-z][A-Za-z0-9_]{0,40}$"}
_PERIOD: Schema = {"type": "string", "pattern": "^(19|20)[0-9]{2}(-Q[1-4])?$"}
_COUNT: Schema = {"type": "integer", "minimum": 1, "maximum": 1_000_000}


def sdmx_paths() -> Schema:
    """The paths of structures and of data."""
    structures = [
        parameter("kind", "path", {"enum": list(KINDS)}, "Loại cấu trúc · What kind of structure"),
        parameter("agency", "path", _AGENCY, "Nơi giữ cấu trúc, `all`: mọi nơi · Who keeps it"),
        parameter("id", "path", _ID, "Mã, `all`: tất cả · Its id"),
        parameter("version", "path", {"enum": ["latest", "all", "1.0.0"]}, "Phiên bản · Its version"),
        parameter("references", "query", {"enum": list(REFERENCES)}, "Kèm những gì liên quan · What comes along"),
        parameter("detail", "query", {"enum": list(STRUCTURE_DETAILS)}, "Mức chi tiết · How much"),
    ]
    data = [
        parameter("flow", "path", _ID, "Dataflow · The dataflow"),
        parameter("key", "path", {"enum": ["all"]}, "Khóa: giá trị các chiều, cách bằng dấu chấm, `+` là hoặc · The key"),
        parameter("startPeriod", "query", _PERIOD, "Từ kỳ · From"),
        parameter("endPeriod", "query", _PERIOD, "Đến hết kỳ · To the end of"),
        parameter("firstNObservations", "query", _COUNT, "Số quan sát đầu mỗi chuỗi · The first of each series"),
        parameter("lastNObservations", "query", _COUNT, "Số quan sát cuối mỗi chuỗi · The last of each series"),
        parameter("dimensionAtObservation", "query", {"enum": ["TIME_PERIOD", ALL_DIMENSIONS]}, "Chiều ở mức quan sát · Which dimension an observation has"),
        parameter("detail", "query", {"enum": ["full", "dataonly"]}, f"Mức chi tiết, hoặc {', '.join(DATA_DETAILS[2:])} · How much"),
    ]  # fmt: skip
    return {
        f"{ROOT}/{{kind}}/{{agency}}/{{id}}/{{version}}": {
            "get": _operation("sdmx_structures", "SDMX: cấu trúc · structures", structures, (STRUCTURE_XML,))
        },
        f"{ROOT}/data/{{flow}}/{{key}}": {
            "get": _operation("sdmx_data", "SDMX: dữ liệu · data", data, (GENERIC_XML, SPECIFIC_XML, DATA_JSON))
        },
    }


def _operation(name: str, summary: str, parameters: Iterable[Schema], forms: Iterable[str]) -> Schema:
    return {
        "operationId": name,
        "summary": summary,
        "parameters": list(parameters),
        "responses": {
            "200": {"description": "Trả lời · The answer", "content": dict.fromkeys(forms, _XML)},
            **{str(status): {"description": words, "content": {ERROR_XML: _XML}} for status, words in _REFUSED.items()},
        },
        "security": [{}, {"oauth2": []}],
    }
