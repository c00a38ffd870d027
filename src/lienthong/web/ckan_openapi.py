"""What `/openapi.json` says of CKAN's actions."""

from __future__ import annotations

from collections.abc import Mapping

from lienthong.web.openapi_parts import TEXT, Schema, parameter

_ERROR: Schema = {"application/json": {"schema": {}}}
_TAG = ["ckan"]
HELP: Mapping[str, str] = {
    "package_list": "Names of datasets. limit, offset, include_private.",
    "current_package_list_with_resources": "Datasets with their resources, the newest changed first. limit, offset.",
    "package_show": "One dataset. id: its UUID, its name, or the dataset's own id.",
    "package_search": "Datasets by Solr's query language. q, fq, fq_list, sort, start, rows (at most 1000), facet, facet.field, facet.limit, facet.mincount, include_private.",
    "resource_show": "One file or service of a dataset. id.",
    "resource_view_list": "Views of a resource: none.",
    "organization_list": "Agencies with datasets. all_fields, organizations, sort, limit, offset.",
    "organization_show": "One agency. id, include_datasets.",
    "group_list": "Domains with datasets. all_fields, groups, sort, limit, offset.",
    "group_show": "One domain. id, include_datasets.",
    "tag_list": "Tags. query, all_fields.",
    "tag_show": "One tag. id, include_datasets.",
    "tag_autocomplete": "Tags that hold some letters. q, limit.",
    "package_autocomplete": "Datasets whose name or title holds some letters, marks left out or not. q, limit.",
    "organization_autocomplete": "Agencies whose name holds some letters. q, limit.",
    "format_autocomplete": "Formats of files that hold some letters. q, limit.",
    "group_package_show": "Datasets of one domain. id, limit.",
    "resource_search": "Files and services by what they are. query (`name:`, `format:`, `url:`, `description:`), order_by, offset, limit.",
    "vocabulary_list": "Vocabularies of tags: none.",
    "organization_list_for_user": "Agencies one may change datasets of: none.",
    "license_list": "Licences open data may be given under.",
    "datastore_search": "Rows of a dataset. resource_id, filters, q, fields, sort, limit (at most 10000), offset, include_total, records_format (objects, lists, csv, tsv).",
    "datastore_info": "Fields and number of rows of a dataset. id.",
    "status_show": "What answers here.",
    "site_read": "Whether the catalogue may be read.",
    "help_show": "What an action does. name.",
}


def ckan_paths() -> Schema:
    """Both ways to spell an action."""
    return {f"{root}/{{action}}": _action(word) for root, word in (("/api/3/action", "ckan"), ("/api/action", "ckan_short"))} | {
        "/api/3": {
            "get": {
                "tags": _TAG,
                "operationId": "ckan_version",
                "summary": "Phiên bản giao diện CKAN · The version of CKAN's API",
                "responses": {"200": {"description": "3", "content": {"application/json": {"schema": {"type": "object"}}}}},
                "security": [{}],
            }
        }
    }


def _action(word: str) -> Schema:
    """An action as CKAN's clients call it: its own words for errors, not problem documents."""
    told = {
        "type": "object",
        "required": ["help", "success", "result"],
        "properties": {"help": TEXT, "success": {"const": True}, "result": {}},
    }
    responses: Schema = {
        "200": {"description": "Kết quả · The result", "content": {"application/json": {"schema": told}}},
        **{
            status: {"description": words, "content": _ERROR}
            for status, words in (
                ("400", "Không hiểu được · Not understood (`Search Query Error`, or an unknown action)"),
                ("403", "Không được phép · `Authorization Error`"),
                ("404", "Không có · `Not Found Error`"),
                ("405", "Phương thức không dùng ở đây · Not a method of this address"),
                ("409", "Tham số không đúng · `Validation Error`"),
                ("413", "Quá lớn · Too large"),
                ("429", "Quá số lần cho phép · Past the quota"),
                ("503", "Bận, thử lại sau · Busy, try again"),
            )
        },
    }
    action = parameter("action", "path", {"enum": list(HELP)}, "\n".join(f"`{name}`: {words}" for name, words in HELP.items()))
    operation = {
        "tags": _TAG,
        "summary": "Một thao tác của CKAN (chỉ đọc) · One of CKAN's actions, read only",
        "responses": responses,
        "security": [{}, {"oauth2": []}],
    }
    body = {"content": {"application/json": {"schema": {"type": "object"}}}}
    return {
        "get": {**operation, "operationId": f"{word}_get", "parameters": [action]},
        "post": {**operation, "operationId": f"{word}_post", "parameters": [action], "requestBody": body},
    }
