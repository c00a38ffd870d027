"""What `/openapi.json` says of descriptors, files at addresses that stay, contracts and licences."""

from __future__ import annotations

from collections.abc import Sequence

from lienthong.contracts import Contract
from lienthong.sharing.formats import CSV, JSON, PARQUET
from lienthong.sharing.workbook import XLSX
from lienthong.web.openapi_parts import TEXT, Schema, list_of, object_of, parameter, problems

_BYTES: Schema = {"type": "string"}
_TAG = ["packages"]


def package_paths(contracts: Sequence[Contract]) -> Schema:
    """Every path of `web.doors.packages`."""
    dataset = parameter("dataset", "path", {"enum": [contract.id for contract in contracts]}, "Bộ dữ liệu · The dataset")
    version = parameter(
        "version", "path", {"type": "integer", "minimum": 1, "maximum": 999_999_999}, "Phiên bản dữ liệu · Version of the data"
    )
    form = parameter("form", "path", {"enum": ["csv", "json", "xlsx", "parquet"]}, "Định dạng · Format")
    contract_version = parameter(
        "version", "path", {"type": "string", "pattern": r"^\d+\.\d+\.\d+$"}, "Phiên bản hợp đồng · Version of the contract"
    )
    licence = parameter("licence", "path", {"type": "string", "pattern": "^[a-z0-9.-]+$"}, "Giấy phép · The licence")
    every = {CSV: {"schema": _BYTES}, JSON: {"schema": {}}, XLSX: {"schema": _BYTES}, PARQUET: {"schema": _BYTES}}
    words = "Cả bộ dữ liệu, địa chỉ cố định · The whole dataset, at an address that stays"
    files = {
        f"/dataset/{{dataset}}.{suffix}": _get(f"file_{suffix}", words, {kind: every[kind]}, dataset)
        for suffix, kind in (("csv", CSV), ("json", JSON), ("xlsx", XLSX), ("parquet", PARQUET))
    }
    free: Schema = {"schema": {"type": "object"}}
    return {
        **files,
        "/dataset/{dataset}/versions/{version}.{form}": _get(
            "file_of_version", "Một phiên bản đã công bố · A version that was published", every, dataset, version, form
        ),
        "/dataset/{dataset}/datapackage.json": _get("datapackage", "Mô tả Data Package v2 · Data Package v2", {JSON: free}, dataset),
        "/dataset/{dataset}.csv-metadata.json": _get(
            "csvw", "Mô tả CSV trên Web · CSV on the Web", {"application/csvm+json": free}, dataset
        ),
        "/contracts/{dataset}/{version}.yaml": _get(
            "contract", "Hợp đồng dữ liệu (ODCS) · The contract (ODCS)", {"application/yaml": {"schema": TEXT}}, dataset, contract_version
        ),
        "/v1/licences": _get(
            "licences", "Giấy phép dữ liệu mở · Licences", {JSON: {"schema": object_of(licences=list_of({"type": "object"}))}}
        ),
        "/v1/licences/{licence}": _get("licence", "Một giấy phép · One licence", {JSON: free}, licence),
    }


def _get(name: str, summary: str, content: Schema, *parameters: Schema) -> Schema:
    return {
        "get": {
            "tags": _TAG,
            "operationId": f"packages_{name}",
            "summary": summary,
            "parameters": list(parameters),
            "responses": {
                "200": {"description": summary, "content": content},
                **problems((400, 401, 403, 404, 405, 422, 429, 503)),
            },
            "security": [{}, {"oauth2": []}],
        }
    }
