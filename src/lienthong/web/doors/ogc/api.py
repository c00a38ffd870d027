"""The door's own description, OpenAPI 3.0: clients of OGC API – Features read this version alone."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from lienthong import __version__
from lienthong.web.doors.ogc.asked import DEFAULT_LIMIT, LARGEST_LIMIT, LARGEST_OFFSET
from lienthong.web.doors.ogc.collections import BORDERS, Collection, border_properties, schema_of
from lienthong.web.doors.ogc.features import GEOJSON

_TEXT = {"type": "string"}


def _query(name: str, schema: dict[str, Any], words: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": False, "description": words, "schema": schema, **more}


_NUMBERS = {"type": "array", "minItems": 4, "maxItems": 6, "items": {"type": "number"}}
PARAMETERS: dict[str, Any] = {
    "limit": _query(
        "limit", {"type": "integer", "minimum": 1, "maximum": LARGEST_LIMIT, "default": DEFAULT_LIMIT}, "Số đối tượng · How many"
    ),
    "offset": _query(
        "offset", {"type": "integer", "minimum": 0, "maximum": LARGEST_OFFSET, "default": 0}, "Bỏ qua · How many to pass over"
    ),
    "bbox": _query("bbox", _NUMBERS, "Khung · A box, in the axes of bbox-crs", style="form", explode=False),
    "bbox-crs": _query("bbox-crs", {**_TEXT, "format": "uri"}, "Hệ quy chiếu của khung · The box's reference system"),
    "datetime": _query("datetime", _TEXT, "Thời điểm hoặc khoảng · An instant or an interval", style="form", explode=False),
    "crs": _query("crs", {**_TEXT, "format": "uri"}, "Hệ quy chiếu của kết quả · The reference system of the answer"),
    "filter": _query("filter", _TEXT, "Điều kiện CQL2 · A condition in CQL2"),
    "filter-lang": _query("filter-lang", {**_TEXT, "enum": ["cql2-text", "cql2-json"], "default": "cql2-text"}, "Ngôn ngữ · Its language"),
    "filter-crs": _query("filter-crs", {**_TEXT, "format": "uri"}, "Hệ quy chiếu trong điều kiện · The reference system of shapes in it"),
    "sortby": _query("sortby", _TEXT, "Thứ tự: `a,-b` · The order"),
}
_ITEMS = ("limit", "offset", "bbox", "bbox-crs", "datetime", "crs", "filter", "filter-lang", "filter-crs", "sortby")


def definition(url: str, collections: Iterable[Collection]) -> dict[str, Any]:
    """The description of the door for the collections a caller sees."""
    paths: dict[str, Any] = {
        "/": _get("landing", "Trang đầu · Landing page"),
        "/conformance": _get("conformance", "Các chuẩn đáp ứng · Conformance"),
        "/collections": _get("collections", "Các tập đối tượng · Collections"),
    }
    described = [(c.id, {p.name: schema_of(p) for p in c.attributes}) for c in collections]
    for id, properties in [*described, (BORDERS, border_properties())]:
        here, name = f"/collections/{id}", id.replace(".", "_").replace("-", "_")
        known = [{"$ref": f"#/components/parameters/{each}"} for each in _ITEMS]
        own = [_query(each, _plain(schema), schema["title"]) for each, schema in properties.items() if each not in _ITEMS]
        paths |= {
            here: _get(f"describe_{name}", f"Tập {id} · Collection {id}"),
            here + "/queryables": _get(f"queryables_{name}", "Thuộc tính để lọc · Queryables"),
            here + "/schema": _get(f"schema_{name}", "Lược đồ · Schema"),
            here + "/items": _get(f"items_{name}", f"Đối tượng của {id} · Features of {id}", [*known, *own], GEOJSON),
            here + "/items/{featureId}": _get(
                f"item_{name}", "Một đối tượng · One feature",
                [{"name": "featureId", "in": "path", "required": True, "schema": _TEXT}, {"$ref": "#/components/parameters/crs"}], GEOJSON,
            ),
        }  # fmt: skip
    return {
        "openapi": "3.0.3",
        "info": {"title": "Liên thông: OGC API – Features", "version": __version__},
        "servers": [{"url": url}],
        "paths": paths,
        "components": {
            "parameters": PARAMETERS,
            "schemas": {"exception": {"type": "object", "required": ["code"], "properties": {"code": _TEXT, "description": _TEXT}}},
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}, "basic": {"type": "http", "scheme": "basic"}},
        },
        "security": [{}, {"bearer": []}, {"basic": []}],
    }


def _get(name: str, words: str, parameters: Iterable[dict[str, Any]] = (), media_type: str = "application/json") -> dict[str, Any]:
    failed = {"description": "Lỗi · An error", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/exception"}}}}
    answer = {"description": "Trả lời · The answer", "content": {media_type: {"schema": {"type": "object"}}}}
    return {"get": {"operationId": name, "summary": words, "parameters": list(parameters), "responses": {"200": answer, "default": failed}}}


def _plain(schema: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in schema.items() if name != "title"}
