"""What `/openapi.json` says of the catalogue: search, entries, dictionary, inventory, the list of open data."""

from __future__ import annotations

from lienthong.access.opening import OpenAct, OpenState
from lienthong.catalog import Kind
from lienthong.catalog.searching import FACETS
from lienthong.web.openapi_parts import TEXT, Schema, answered, caller_headers, list_of, object_of, parameter, problems

OPEN: Schema = {"type": "object"}
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
WORD: Schema = {"type": "string", "maxLength": 200, "pattern": "^[^\\x00]*$"}
FLAG: Schema = {"enum": ["true", "false"]}


def catalogue_entry_paths() -> Schema:
    """The paths of the catalogue."""
    _, official = caller_headers()
    root = "/v1/catalogue"
    facets = [parameter(name, "query", WORD, f"Chỉ mục có {name} này · Only entries of this {name}") for name in FACETS]
    found = object_of(
        query=TEXT, total={"type": "integer"}, offset={"type": "integer"}, is_partly={"type": "boolean"}, entries=list_of(OPEN), facets=OPEN,
        next={"type": ["string", "null"]},
    )  # fmt: skip
    paging = [
        parameter("limit", "query", {"type": "integer", "minimum": 1, "maximum": 100}, "Số mục một trang · Entries a page"),
        parameter("offset", "query", {"type": "integer", "minimum": 0, "maximum": 1_000_000}, "Bỏ qua bao nhiêu mục · Entries before it"),
    ]
    words = parameter(
        "q",
        "query",
        {"type": "string", "maxLength": 300, "pattern": "^[^\\x00]*$"},
        "Từ cần tìm, có dấu hay không · Words, with marks or without",
    )
    kind = parameter("kind", "path", {"enum": [each.value for each in Kind]}, "Loại mục · Kind")
    id = parameter("id", "path", {"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[^\\x00/]+$"}, "Mã · Identifier")
    dataset = parameter(
        "dataset", "path", {"type": "string", "minLength": 1, "maxLength": 100, "pattern": "^[^\\x00/]+$"}, "Bộ dữ liệu · Dataset"
    )
    act = parameter("act", "path", {"enum": [each.value for each in OpenAct]}, "Việc · Act")
    state = parameter("state", "query", {"enum": [each.value for each in OpenState]}, "Trạng thái · State")
    overdue = parameter("overdue", "query", FLAG, "Chỉ mục quá hạn · Overdue entries only")
    agency = parameter("agency", "query", WORD, "Mã cơ quan · Agency code")
    whole = parameter("whole", "query", FLAG, "Cả danh sách: mục không còn thì kết thúc · The whole list: what is not on it ends")
    narrowed = [parameter("dataset", "query", WORD, "Bộ dữ liệu · Dataset"), agency]
    said: Schema = {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            **{name: {"type": "string", "maxLength": 2000, "pattern": "^[^\\x00]*$"} for name in ("words", "legal_text", "decision")},
            "publish_on": {"type": "string", "format": "date"},
        },
    }
    compared = object_of(counts=OPEN, same=list_of(OPEN), different=list_of(OPEN), missing_here=list_of(OPEN), missing_there=list_of(OPEN))
    count: Schema = {"type": "integer", "minimum": 0}
    taken = object_of(new=count, changed=count, unchanged=count, connected=count, ended=count, faults=list_of(OPEN))
    return {
        root: _got("catalogue", "Tìm trong danh mục · Search the catalogue", [words, *facets, *paging], found),
        f"{root}/{{kind}}/{{id}}": _got("catalogue_entry", "Một mục · One entry", [kind, id], OPEN, 404),
        f"{root}/dictionary.json": _got("dictionary", "Từ điển dữ liệu · Data dictionary", narrowed, object_of(at=TEXT, elements=list_of(OPEN))),
        **{f"{root}/dictionary.{form}": _file(f"dictionary_{form}", "Từ điển dữ liệu · Data dictionary", narrowed, form) for form in ("csv", "xlsx")},
        **{f"{root}/inventory.{form}": _file(f"inventory_{form}", "Phiếu kiểm kê · Inventory sheet", [agency], form) for form in ("csv", "xlsx")},
        f"{root}/dictionary:compare": _sent(
            "dictionary_compare", "So với từ điển khác · Compare with another dictionary", [], compared,
            {"application/json": {"schema": object_of(elements=list_of(OPEN))}, **_FILES}, problems((400, 405, 413, 415, 422)), is_open=True,
        ),
        f"{root}/inventory": _sent(
            "inventory_take", "Nộp phiếu kiểm kê · Hand an inventory sheet in", [whole, official], taken, _FILES,
            problems((400, 401, 403, 405, 413, 415, 422)),
        ),
        "/v1/open-data": _got("open_data", "Danh mục dữ liệu mở · The list of open data", [state, overdue, agency], object_of(entries=list_of(OPEN))),
        "/v1/open-data/{dataset}": _got(
            "open_data_history", "Lịch sử một mục · History of an entry", [dataset], object_of(history=list_of(OPEN)), 404
        ),
        "/v1/open-data/{dataset}/{act}": _sent(
            "open_data_act", "Xử lý một mục · Act on an entry", [dataset, act, official], OPEN, {"application/json": {"schema": said}},
            problems((400, 401, 403, 404, 405, 409, 413, 415, 422)),
        ),
    }  # fmt: skip


_FILES: Schema = {
    "text/csv": {"schema": {"type": "string"}},
    XLSX: {"schema": {"type": "string", "contentMediaType": XLSX}},
}


def _got(name: str, summary: str, parameters: list[Schema], schema: Schema, *more: int) -> Schema:
    return {
        "get": {
            "operationId": name,
            "summary": summary,
            "parameters": parameters,
            "responses": answered(schema, problems((400, 405, *more))),
            "security": [{}],
        }
    }


def _file(name: str, summary: str, parameters: list[Schema], form: str) -> Schema:
    kind = "text/csv" if form == "csv" else XLSX
    ok = {"description": "Tệp · The file", "content": {kind: _FILES[kind]}}
    responses = {"200": ok, **problems((400, 405))}
    return {"get": {"operationId": name, "summary": summary, "parameters": parameters, "responses": responses, "security": [{}]}}


def _sent(
    name: str, summary: str, parameters: list[Schema], schema: Schema, content: Schema, statuses: Schema, *, is_open: bool = False
) -> Schema:
    return {
        "post": {
            "operationId": name,
            "summary": summary,
            "parameters": parameters,
            "requestBody": {"required": True, "content": content},
            "responses": answered(schema, statuses),
            "security": [{}] if is_open else [{"oauth2": []}],
        }
    }


def harvest_paths() -> Schema:
    """The paths of DCAT, Atom, sitemap and lineage."""
    dataset = parameter(
        "dataset",
        "path",
        {"type": "string", "minLength": 1, "maxLength": 100, "pattern": "^[^\\x00/.]+[.][^\\x00/.]+$"},
        "Bộ dữ liệu · Dataset",
    )
    paging = [
        parameter("page", "query", {"type": "integer", "minimum": 1, "maximum": 1_000_000}, "Trang · Page"),
        parameter("size", "query", {"type": "integer", "minimum": 1, "maximum": 500}, "Số bộ dữ liệu một trang · Datasets a page"),
    ]
    forms = {"ttl": "text/turtle", "rdf": "application/rdf+xml", "xml": "application/rdf+xml", "jsonld": "application/ld+json"}
    said = {
        "type": "object",
        "required": ["eventType", "eventTime", "run", "job"],
        "properties": {
            "eventType": {"enum": ["START", "RUNNING", "COMPLETE", "ABORT", "FAIL", "OTHER"]},
            "eventTime": {"type": "string", "format": "date-time"},
            "run": object_of(is_closed=False, runId={"type": "string", "format": "uuid"}),
            "job": object_of(is_closed=False, namespace=_NAME, name=_NAME),
            "inputs": {"type": "array", "maxItems": 200, "items": object_of(is_closed=False, namespace=_NAME, name=_NAME)},
            "outputs": {"type": "array", "maxItems": 200, "items": object_of(is_closed=False, namespace=_NAME, name=_NAME)},
        },
    }
    taken = object_of(run=TEXT, event=TEXT, is_new={"type": "boolean"})
    told = _sent(
        "lineage_take", "Nhận sự kiện OpenLineage · Take an OpenLineage run event", [], taken, {"application/json": {"schema": said}},
        problems((400, 401, 403, 405, 413, 415, 422, 429)),
    )  # fmt: skip
    told["post"]["responses"]["201"] = told["post"]["responses"]["200"]
    catalog = {
        f"/catalog.{form}": _document(f"dcat_catalog_{form}", "Danh mục theo DCAT-AP 3 · The catalogue as DCAT-AP 3", paging, kind, 404)
        for form, kind in forms.items()
    }
    full = {
        f"/catalog/full.{form}": _document(f"dcat_full_{form}", "Toàn bộ danh mục · The whole catalogue", [], kind)
        for form, kind in forms.items()
    }
    one = {
        f"/dataset/{{dataset}}.{form}": _document(f"dcat_dataset_{form}", "Một bộ dữ liệu · One dataset", [dataset], kind, 404)
        for form, kind in forms.items()
    }
    of = parameter("dataset", "query", WORD, "Chỉ của bộ này · Of this dataset only")
    return {
        **catalog,
        **full,
        **one,
        "/changes.atom": _document("changes_atom", "Dữ liệu mới công bố · News", [of], "application/atom+xml"),
        "/sitemap.xml": _document("sitemap", "Sơ đồ trang · Map of the site", [], "application/xml"),
        "/v1/lineage/{dataset}": _got("lineage", "Nguồn gốc theo OpenLineage · Lineage as OpenLineage", [dataset], list_of(OPEN), 404),
        "/api/v1/lineage": told,
    }


_NAME: Schema = {"type": "string", "minLength": 1, "maxLength": 500, "pattern": "^[^\\x00]+$"}


def _document(name: str, summary: str, parameters: list[Schema], kind: str, *more: int) -> Schema:
    schema: Schema = {"type": ["array", "object"]} if kind.endswith("json") else TEXT
    ok = {"description": "Tài liệu · The document", "content": {kind: {"schema": schema}}}
    responses = {"200": ok, **problems((400, 405, *more))}
    return {"get": {"operationId": name, "summary": summary, "parameters": parameters, "responses": responses, "security": [{}]}}
