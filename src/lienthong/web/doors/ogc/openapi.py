"""What `/openapi.json` says of the OGC door; what its own clients read is `/ogc/api` (OpenAPI 3.0)."""

from __future__ import annotations

from collections.abc import Iterable

from lienthong.sharing.maps import MEDIA_TYPES
from lienthong.web.doors.ogc.api import PARAMETERS
from lienthong.web.doors.ogc.documents import JSON, OPENAPI, ROOT, SCHEMA
from lienthong.web.doors.ogc.features import GEOJSON
from lienthong.web.openapi_parts import PLAIN, TEXT, WORDS, Schema, object_of, parameter

_ERRORS: Schema = {"application/json": {"schema": object_of(is_closed=False, code=TEXT, description=TEXT)}}
_DOCUMENT: Schema = {"type": "object"}
_STATUSES = (400, 401, 403, 404, 405, 406, 429, 503)


def ogc_paths() -> Schema:
    """The paths of the door."""
    collection = parameter(
        "collection", "path", PLAIN, "Mã bộ dữ liệu hoặc `admin-units.borders` · The dataset's id, or `admin-units.borders`"
    )
    feature = parameter("feature", "path", PLAIN, "Mã đối tượng · The feature's id")
    here = ROOT + "/collections/{collection}"
    form = parameter("f", "query", {"enum": ["json", "html"]}, "Dạng trả lời · The form of the answer")
    asked = [dict(each) for each in PARAMETERS.values()]
    return {
        ROOT + "/": {"get": _get("landing", "Trang đầu OGC API · Landing page", [form])},
        ROOT + "/conformance": {"get": _get("conformance", "Các chuẩn đáp ứng · Conformance", [form])},
        ROOT + "/api": {"get": _get("api", "Mô tả OpenAPI 3.0 của cửa này · This door's own description", [], (OPENAPI,))},
        ROOT + "/collections": {"get": _get("collections", "Các tập đối tượng · Collections", [form])},
        here: {"get": _get("collection", "Một tập đối tượng · A collection", [collection, form])},
        here + "/queryables": {"get": _get("queryables", "Thuộc tính để lọc · Queryables", [collection], (SCHEMA,))},
        here + "/schema": {"get": _get("schema", "Lược đồ · Schema", [collection], (SCHEMA,))},
        here + "/items": {"get": _get("items", "Các đối tượng · Features", [collection, *asked, form], (GEOJSON,))},
        **{
            f"{here}/download.{form}": {
                "get": _get(f"download_{form}", f"Cả tập thành tệp {form} · The whole as a file", [collection], (type,))
            }
            for form, type in MEDIA_TYPES.items()
        },
        here + "/items/{feature}": {"get": _get("item", "Một đối tượng · A feature", [collection, feature, asked[5], form], (GEOJSON,))},
    }


def _get(name: str, words: str, parameters: Iterable[Schema], types: Iterable[str] = (JSON,)) -> Schema:
    content = {type: {"schema": _DOCUMENT} for type in types}
    html: Schema = {"text/html": {}}
    return {
        "operationId": f"ogc_{name}",
        "tags": ["ogc"],
        "summary": words,
        "security": [{}, {"oauth2": []}],
        "parameters": list(parameters),
        "responses": {
            "200": {"description": "Trả lời · The answer", "content": {**content, **html}},
            **{str(status): {"description": WORDS[status], "content": _ERRORS} for status in _STATUSES},
        },
    }
