"""The ways to get a dataset: one line of WAYS for each door. Pages, catalogue entries and DCAT list them from here and nowhere else.

A door adds its own line; where it is not for every dataset, it says for which (`serves`). What a caller may have through it is
decided by its rights alone: a way is listed for whoever has the right to use it, and `is_data` ways of data that is not open need an agreement.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from urllib.parse import quote

from lienthong.contracts import Contract, Layer, Sharing
from lienthong.store.tables import table_name

FILE, SERVICE, DESCRIPTION = "file", "service", "description"
NAMES: Mapping[str, str] = MappingProxyType({"instance": "VN", "class": "GOV", "xroad": "du-lieu"})  # as settings have them by default


def _every(_: Contract) -> bool:
    return True


def is_open(contract: Contract) -> bool:
    """Whether anybody may have its rows without saying who they are."""
    return contract.sharing is Sharing.OPEN


def is_not_master(contract: Contract) -> bool:
    return contract.layer is not Layer.MASTER


def is_aggregate(contract: Contract) -> bool:
    return contract.layer is Layer.AGGREGATE


def has_place(contract: Contract) -> bool:
    return contract.place is not None


@dataclass(frozen=True)
class Way:
    """One way. `address` is a path with `{dataset}`, `{set}` (its name in OData), `{agency}` and the names of NAMES; `kind`: file (the whole in one download), service (asked in parts), description (no rows).

    `standard` is the address of what it conforms to. `describes`: path of its own description, such as an OpenAPI document.
    """

    name: str
    kind: str
    title_vi: str
    title_en: str
    address: str
    media_type: str
    standard: str = ""
    describes: str = ""
    serves: Callable[[Contract], bool] = _every

    @property
    def is_data(self) -> bool:
        """Whether rows come this way, so that it needs a right where the dataset is not open."""
        return self.kind != DESCRIPTION

    def path(self, contract: Contract, names: Mapping[str, str] = NAMES) -> str:
        """Where it is. `names`: instance, class and X-Road subsystem of this platform."""
        return _filled(self.address, contract, names)

    def description(self, contract: Contract) -> str:
        """Where it is described; empty where it describes itself."""
        return _filled(self.describes, contract, NAMES)


def _filled(address: str, contract: Contract, names: Mapping[str, str]) -> str:
    for name, value in {**names, "dataset": contract.id, "set": table_name(contract.id), "agency": contract.agency}.items():
        address = address.replace(f"{{{name}}}", quote(value, safe=""))
    return address


WAYS: tuple[Way, ...] = (
    Way("json", SERVICE, "API JSON theo trang", "JSON API, paged", "/v1/datasets/{dataset}/records", "application/json", "https://spec.openapis.org/oas/v3.1.0", "/v1/datasets/{dataset}/openapi.json"),
    Way("csv", FILE, "Tệp CSV", "CSV file", "/datasets/{dataset}/download/csv", "text/csv", "https://www.rfc-editor.org/rfc/rfc4180", serves=is_open),
    Way("xlsx", FILE, "Tệp Excel (XLSX)", "Excel file (XLSX)", "/datasets/{dataset}/download/xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", serves=is_open),
    Way("parquet", FILE, "Tệp Parquet", "Parquet file", "/datasets/{dataset}/download/parquet", "application/vnd.apache.parquet", "https://parquet.apache.org/docs/file-format/", serves=is_open),
    Way("json_file", FILE, "Tệp JSON", "JSON file", "/datasets/{dataset}/download/json", "application/json", serves=is_open),
    Way("arrow", SERVICE, "Dòng Apache Arrow", "Apache Arrow stream", "/v1/datasets/{dataset}/records", "application/vnd.apache.arrow.stream", "https://arrow.apache.org/docs/format/Columnar.html", "/v1/datasets/{dataset}/openapi.json"),
    Way("odata", SERVICE, "OData v4 (Excel, Power BI)", "OData v4 (Excel, Power BI)", "/odata/v4/{set}", "application/json", "https://docs.oasis-open.org/odata/odata/v4.0/", "/odata/v4/$metadata"),
    Way("delta", SERVICE, "Delta Sharing (pandas, Spark, Power BI)", "Delta Sharing (pandas, Spark, Power BI)", "/delta-sharing/open.share", "application/json", "https://github.com/delta-io/delta-sharing/blob/main/PROTOCOL.md"),
    Way("sdmx", SERVICE, "SDMX REST 2.1", "SDMX REST 2.1", "/sdmx/2.1/data/{set}", "application/vnd.sdmx.genericdata+xml", "https://sdmx.org/standards-2/", "/sdmx/2.1/dataflow/LIENTHONG/{set}?references=all", serves=is_aggregate),
    Way("ogc", SERVICE, "OGC API – Features (QGIS, GDAL)", "OGC API – Features (QGIS, GDAL)", "/ogc/collections/{dataset}/items", "application/geo+json", "https://www.opengis.net/doc/IS/ogcapi-features-1/1.0", "/ogc/api", serves=has_place),
    Way("geopackage", SERVICE, "Tệp GeoPackage (QGIS)", "GeoPackage file (QGIS)", "/ogc/collections/{dataset}/download.gpkg", "application/geopackage+sqlite3", "https://www.geopackage.org/", serves=has_place),
    Way("geoparquet", SERVICE, "Tệp GeoParquet", "GeoParquet file", "/ogc/collections/{dataset}/download.geoparquet", "application/vnd.apache.parquet", "https://geoparquet.org/releases/v1.1.0/", serves=has_place),
    Way("changes", SERVICE, "Dòng thay đổi theo con trỏ", "Change feed, by cursor", "/v1/datasets/{dataset}/changes", "application/json", describes="/v1/datasets/{dataset}/openapi.json"),
    Way("events", SERVICE, "Dòng sự kiện (SSE, CloudEvents)", "Events (SSE, CloudEvents)", "/v1/events?dataset={dataset}", "text/event-stream", "https://cloudevents.io/", "/v1/datasets/{dataset}/asyncapi.json"),
    Way("xroad", SERVICE, "Thông điệp X-Road (REST)", "X-Road message (REST)", "/r1/{instance}/{class}/{agency}/{xroad}/{dataset}/records", "application/json", "https://docs.x-road.global/Protocols/pr-rest_x-road_message_protocol_for_rest.html", "/v1/datasets/{dataset}/openapi.json"),
    Way("ckan", SERVICE, "CKAN (DataStore)", "CKAN (DataStore)", "/api/3/action/datastore_search?resource_id={dataset}", "application/json", "https://docs.ckan.org/en/2.11/api/"),
    Way("csv_described", FILE, "Tệp CSV, địa chỉ cố định, có mô tả CSVW", "CSV file at an address that stays, described by CSVW", "/dataset/{dataset}.csv", "text/csv", "https://www.w3.org/TR/tabular-data-model/", "/dataset/{dataset}.csv-metadata.json"),
    Way("datapackage", DESCRIPTION, "Data Package", "Data Package", "/dataset/{dataset}/datapackage.json", "application/json", "https://datapackage.org/profiles/2.0/datapackage.json", serves=is_open),
    Way("openapi", DESCRIPTION, "Mô tả OpenAPI", "OpenAPI description", "/v1/datasets/{dataset}/openapi.json", "application/json", "https://spec.openapis.org/oas/v3.1.0"),
    Way("asyncapi", DESCRIPTION, "Mô tả AsyncAPI", "AsyncAPI description", "/v1/datasets/{dataset}/asyncapi.json", "application/json", "https://www.asyncapi.com/docs/reference/specification/v3.0.0"),
)  # fmt: skip


def ways_of(contract: Contract, ways: Iterable[Way] = WAYS) -> tuple[Way, ...]:
    """The ways to get one dataset, in the order of WAYS."""
    return tuple(way for way in ways if way.serves(contract))
