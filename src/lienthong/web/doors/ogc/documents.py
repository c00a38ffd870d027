"""The documents around items: the landing page, what is conformed to, collections, queryables and schemas."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from lienthong.contracts import Property
from lienthong.sharing.geometry import Box
from lienthong.web.doors.ogc.collections import BORDERS, GEOMETRY, Collection, Ground, border_properties, schema_of
from lienthong.web.doors.ogc.crs import CRS84, KNOWN
from lienthong.web.doors.ogc.features import GEOJSON

ROOT = "/ogc"
JSON, HTML = "application/json", "text/html"
SCHEMA = "application/schema+json"
OPENAPI = "application/vnd.oai.openapi+json;version=3.0"  # OWSLib looks for exactly this
CONFORMS = (
    *(f"http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/{name}" for name in ("core", "oas30", "html", "geojson")),
    "http://www.opengis.net/spec/ogcapi-features-2/1.0/conf/crs",
    *(f"http://www.opengis.net/spec/ogcapi-features-3/1.0/conf/{name}" for name in ("filter", "features-filter", "queryables")),
    *(
        f"http://www.opengis.net/spec/cql2/1.0/conf/{name}"
        for name in ("cql2-text", "cql2-json", "basic-cql2", "advanced-comparison-operators", "basic-spatial-functions", "basic-spatial-functions-plus")
    ),
)  # fmt: skip
_QUERYABLES = "http://www.opengis.net/def/rel/ogc/1.0/queryables"
_DATA = "http://www.opengis.net/def/rel/ogc/1.0/data"
_DESCRIBED = "describedby"
_SHAPE = "https://geojson.org/schema/Geometry.json"
Document = dict[str, Any]


def link(href: str, rel: str, type: str, title: str) -> dict[str, str]:
    return {"href": href, "rel": rel, "type": type, "title": title}


def landing(url: str, public_url: str) -> Document:
    return {
        "title": "Liên thông",
        "description": "Dữ liệu không gian của tỉnh theo OGC API – Features. · The province's spatial data as OGC API – Features.",
        "links": [
            link(url + "/", "self", JSON, "Trang này · This document"),
            link(url + "/?f=html", "alternate", HTML, "Trang cho người đọc · As a page"),
            link(url + "/api", "service-desc", OPENAPI, "Mô tả giao diện · API definition"),
            link(public_url + "/docs", "service-doc", HTML, "Tài liệu · Documentation"),
            link(url + "/conformance", "conformance", JSON, "Các chuẩn đáp ứng · Conformance"),
            link(url + "/conformance", "http://www.opengis.net/def/rel/ogc/1.0/conformance", JSON, "Các chuẩn đáp ứng · Conformance"),
            link(url + "/collections", "data", JSON, "Các tập đối tượng · Collections"),
            link(url + "/collections", _DATA, JSON, "Các tập đối tượng · Collections"),
        ],
    }


def conformance() -> Document:
    return {"conformsTo": list(CONFORMS)}


def listed(url: str, collections: Iterable[Document]) -> Document:
    here = url + "/collections"
    return {
        "links": [link(here, "self", JSON, "Các tập đối tượng · Collections"), link(here + "?f=html", "alternate", HTML, "As a page")],
        "crs": [crs.uri for crs in KNOWN],
        "collections": list(collections),
    }


def described(url: str, collection: Collection, *, refers: bool = False) -> Document:
    """A dataset's collection. `refers`: the systems are those of the whole list."""
    contract = collection.contract
    words = f"{contract.description_vi} · {contract.description_en}".strip(" ·")
    if collection.place.unit:
        words += " Vị trí là một điểm trong địa giới đơn vị. · Places are points inside the unit's border."
    return _collection(url, collection.id, f"{contract.title_vi} · {contract.title_en}", words, collection.ground.box, refers=refers)


def described_borders(url: str, ground: Ground, *, refers: bool = False) -> Document:
    words = "Địa giới cấp xã; `datetime` hỏi theo ngày. · Borders of communes; `datetime` asks as of a day."
    return _collection(url, BORDERS, "Địa giới hành chính · Administrative borders", words, ground.box, refers=refers)


def queryables(url: str, collection: Collection, shown: frozenset[str] | None) -> Document:
    """What may be filtered by. `shown`: properties the caller sees whole; None: all."""
    properties: dict[str, Any] = {
        name: {"$ref": _SHAPE} for name in collection.geometry_names if shown is None or _sees_place(collection, shown)
    }
    properties |= {p.name: schema_of(p) for p in collection.attributes if shown is None or p.name in shown}
    return _schema(f"{url}/collections/{collection.id}/queryables", collection.contract.title_vi, properties)


def schema(url: str, collection: Collection, shown: frozenset[str] | None) -> Document:
    """What features hold, with their roles (Part 5, in draft)."""
    properties: dict[str, Any] = {GEOMETRY: {"x-ogc-role": "primary-geometry", "format": f"geometry-{_kind(collection)}"}}
    for p in collection.attributes:
        if shown is None or p.name in shown:
            properties[p.name] = {**schema_of(p), **_role(collection, p)}
    return _schema(f"{url}/collections/{collection.id}/schema", collection.contract.title_vi, properties)


def border_queryables(url: str) -> Document:
    properties = {GEOMETRY: {"$ref": _SHAPE}, **border_properties()}
    return _schema(f"{url}/collections/{BORDERS}/queryables", "Địa giới hành chính", properties)


def border_schema(url: str) -> Document:
    shape = {"x-ogc-role": "primary-geometry", "format": "geometry-multipolygon"}
    properties = {GEOMETRY: shape, **border_properties()}
    properties["code"] = {**properties["code"], "x-ogc-role": "id"}
    return _schema(f"{url}/collections/{BORDERS}/schema", "Địa giới hành chính", properties)


def _sees_place(collection: Collection, shown: frozenset[str]) -> bool:
    return set(collection.place.columns) <= shown


def _kind(collection: Collection) -> str:
    return "any" if collection.place.geometry else "point"


def _role(collection: Collection, p: Property) -> dict[str, Any]:
    if p.name == collection.place.time:
        return {"x-ogc-role": "primary-instant"}
    return {"x-ogc-role": "id"} if len(collection.contract.key) == 1 and p.key_position is not None else {}


def _schema(address: str, title: str, properties: Mapping[str, Any]) -> Document:
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": address,
        "type": "object",
        "title": title,
        "properties": dict(properties),
        "additionalProperties": False,
    }


def _collection(url: str, id: str, title: str, words: str, box: Box, *, refers: bool) -> Document:
    here = f"{url}/collections/{id}"
    return {
        "id": id,
        "title": title,
        "description": words,
        "itemType": "feature",
        "extent": {
            "spatial": {"bbox": [list(box)], "crs": CRS84},
            "temporal": {"interval": [[None, None]], "trs": "http://www.opengis.net/def/uom/ISO-8601/0/Gregorian"},
        },
        "crs": ["#/crs"] if refers else [crs.uri for crs in KNOWN],
        "storageCrs": CRS84,
        "links": [
            link(here, "self", JSON, title),
            link(here + "?f=html", "alternate", HTML, title),
            link(here + "/items", "items", GEOJSON, title),
            link(here + "/items?f=html", "items", HTML, title),
            link(here + "/queryables", _QUERYABLES, SCHEMA, "Thuộc tính để lọc · Queryables"),
            link(here + "/schema", _DESCRIBED, SCHEMA, "Lược đồ · Schema"),
        ],
    }
