"""What `/openapi.json` says of the OData service; its own description is `$metadata`."""

from __future__ import annotations

from collections.abc import Iterable

from lienthong.contracts import Contract, Sharing
from lienthong.web.doors.odata.metadata import ROOT, set_name
from lienthong.web.openapi_parts import TEXT, Schema, list_of, object_of, parameter

_ERROR = {
    "application/json;odata.metadata=minimal": {
        "schema": object_of(error=object_of(code=TEXT, message=TEXT, details=list_of(object_of(code=TEXT, message=TEXT))))
    }
}
_JSON = {"schema": {"type": "object", "required": ["value"], "properties": {"value": {"type": "array"}}}}
_REFUSED = {
    400: "Không hiểu được · Not understood", 401: "Chưa có mã truy cập · No access token", 403: "Thỏa thuận không cho phép · Not in the agreement",
    404: "Không có · There is none", 405: "Chỉ đọc · Only read", 406: "Không có dạng này · Not in this form", 422: "Hỏi quá rộng · Takes too long",
    429: "Quá hạn mức · Past the quota", 501: "Không có tùy chọn này · An option not offered", 503: "Bận · Busy",
}  # fmt: skip
_NAMES: Schema = {"type": "string", "description": "Tên trường, cách nhau bằng dấu phẩy · names of fields with commas"}


def odata_paths(contracts: Iterable[Contract]) -> Schema:
    """The paths of the service and of its sets."""
    paths: Schema = {
        f"{ROOT}/": {"get": _operation("odata_sets", "OData: các bộ dữ liệu · the sets", _JSON, (), is_open=True)},
        f"{ROOT}/$metadata": {
            "get": _operation(
                "odata_metadata", "OData: mô tả (CSDL) · the description", {"schema": TEXT}, (), is_open=True, kind="application/xml"
            )
        },
    }
    for contract in contracts:
        names = [p.name for p in contract.properties]
        select = {"type": "array", "items": {"enum": names}, "minItems": 1}
        options = [
            {**parameter("$select", "query", select, "Các trường · Fields"), "explode": False},
            parameter("$filter", "query", TEXT, "Điều kiện theo OData · A filter in OData's words"),
            parameter("$orderby", "query", TEXT, "Thứ tự · The order"),
            parameter("$top", "query", {"type": "integer", "minimum": 0, "maximum": 1_000_000}, "Số dòng · Rows"),
            parameter("$skip", "query", {"type": "integer", "minimum": 0, "maximum": 1_000_000}, "Bỏ qua · Rows to pass over"),
            parameter("$count", "query", {"type": "boolean"}, "Kèm tổng số · With the total"),
            parameter("$skiptoken", "query", TEXT, "Của `@odata.nextLink` · Of `@odata.nextLink`"),
        ]
        is_open = contract.sharing is Sharing.OPEN
        place = f"{ROOT}/{set_name(contract)}"
        title = f"OData: {contract.title_vi} · {contract.title_en}"
        paths[place] = {"get": _operation(f"odata_{set_name(contract)}", title, _JSON, options, is_open=is_open, tag=contract.id)}
        counted = _operation(
            f"odata_{set_name(contract)}_count",
            f"{title}: số dòng · how many",
            {"schema": TEXT},
            options[1:2],
            kind="text/plain",
            is_open=is_open,
            tag=contract.id,
        )
        paths[f"{place}/$count"] = {"get": counted}
    return paths


def _operation(
    name: str, summary: str, content: Schema, parameters: Iterable[Schema], *, is_open: bool, tag: str = "", kind: str = "application/json"
) -> Schema:  # fmt: skip
    return {
        **({"tags": [tag]} if tag else {}),
        "operationId": name,
        "summary": summary,
        "parameters": list(parameters),
        "responses": {
            "200": {"description": "Trả lời · The answer", "content": {kind: content}},
            **{str(status): {"description": words, "content": _ERROR} for status, words in _REFUSED.items()},
        },
        "security": [*([{}] if is_open else []), {"oauth2": []}],
    }
