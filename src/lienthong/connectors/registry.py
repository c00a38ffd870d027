"""Which connectors there are: those of this package, then those an agency brings by entry point. The only registry."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches
from functools import cache
from importlib.metadata import EntryPoint, entry_points

from lienthong.connectors.access_file import AccessFile
from lienthong.connectors.base import Batch, Connector, Keeper, Position, ReadContext
from lienthong.connectors.ckan import Ckan
from lienthong.connectors.crosstab import Crosstab, turned, without
from lienthong.connectors.csv_file import CsvFile
from lienthong.connectors.dbf_file import DbfFile
from lienthong.connectors.excel_file import ExcelFile
from lienthong.connectors.files import Coming, coming_file
from lienthong.connectors.geojson_file import GeojsonFile
from lienthong.connectors.geopackage_file import GeopackageFile
from lienthong.connectors.http_json import HTTP_JSON, HTTP_XML
from lienthong.connectors.json_file import JsonFile
from lienthong.connectors.lienthong_platform import LienthongPlatform
from lienthong.connectors.mqtt_stream import MqttStream
from lienthong.connectors.nats_stream import NatsStream
from lienthong.connectors.odata import OData
from lienthong.connectors.parquet_file import ParquetFile
from lienthong.connectors.postgresql_log import PostgresqlLog
from lienthong.connectors.shapefile import Shapefile
from lienthong.connectors.soap_service import SoapService
from lienthong.connectors.sql_database import SqlDatabase
from lienthong.connectors.sqlite_file import SqliteFile
from lienthong.connectors.word_file import WordFile
from lienthong.connectors.xml_file import XmlFile
from lienthong.connectors.xroad_rest import XRoadRest
from lienthong.connectors.xroad_soap import XRoadSoap
from lienthong.contracts import Source
from lienthong.errors import SourceError

ENTRY_POINTS = "lienthong.connectors"

CONNECTORS: dict[str, Connector] = {
    "access_file": AccessFile(),
    "ckan": Ckan(),
    "csv_file": CsvFile(),
    "dbf_file": DbfFile(),
    "excel_file": ExcelFile(),
    "geojson_file": GeojsonFile(),
    "geopackage_file": GeopackageFile(),
    "http_json": HTTP_JSON,
    "http_xml": HTTP_XML,
    "json_file": JsonFile(),
    "parquet_file": ParquetFile(),
    "shapefile": Shapefile(),
    "lienthong": LienthongPlatform(),
    "odata": OData(),
    "postgresql_log": PostgresqlLog(),
    "mqtt_stream": MqttStream(),
    "nats_stream": NatsStream(),
    "soap": SoapService(),
    "sql_database": SqlDatabase(),
    "sqlite_file": SqliteFile(),
    "word_file": WordFile(),
    "xml_file": XmlFile(),
    "xroad_rest": XRoadRest(),
    "xroad_soap": XRoadSoap(),
}


def get_connector(name: str) -> Connector:
    """The connector of that name. Raises SourceError with the nearest name when there is none, or when an agency's own does not load."""
    if name in CONNECTORS:
        return CONNECTORS[name]
    if name in _brought():
        return _load(name)
    known = connector_names()
    near = get_close_matches(name, known, n=1)
    raise SourceError(
        f"Không có bộ đọc / there is no connector `{name}`.",
        hint=f"Did you mean `{near[0]}`?" if near else f"Known: {', '.join(known)}.",
    )


def connector_names() -> tuple[str, ...]:
    """Every name a contract may use, sorted."""
    return tuple(sorted({*CONNECTORS, *_brought()}))


def fingerprint(source: Source, context: ReadContext) -> str | None:
    """Hex digest of the source's whole content when cheap to know, else None."""
    return get_connector(source.connector).fingerprint(without(source), context)


def coming(source: Source, context: ReadContext, begun: str | None = None) -> Coming | None:
    """What can be read while it is fetched, before its fingerprint is known; None: ask for the fingerprint first."""
    reads_arriving = getattr(get_connector(source.connector), "reads_arriving", False)
    return coming_file(without(source), context, begun) if reads_arriving else None


def read(source: Source, context: ReadContext, after: Position | None = None) -> Iterator[Batch]:
    """Batches of rows as they came, going on after a position given earlier; with the option `crosstab`, its columns turned into rows."""
    table = Crosstab.of(source)
    batches = get_connector(source.connector).read(without(source), context, after)
    return batches if table is None else turned(batches, table)


def resumes(source: Source, context: ReadContext, after: Position) -> bool:
    """Whether reading can go on after a position; most sources always can."""
    connector = get_connector(source.connector)
    return connector.resumes(without(source), context, after) if isinstance(connector, Keeper) else True


def tells_every_end(source: Source) -> bool:
    """Whether a reading from the beginning says itself which records have ended, so that nothing ends by absence."""
    return bool(getattr(get_connector(source.connector), "tells_every_end", False))


def settle(source: Source, context: ReadContext, after: Position) -> None:
    """Tell a source that keeps what was not taken that all up to a position is published."""
    connector = get_connector(source.connector)
    if isinstance(connector, Keeper):
        connector.settle(without(source), context, after)


@cache
def _brought() -> dict[str, EntryPoint]:
    """Connectors of installed packages; one that bears the name of ours is not taken."""
    return {point.name: point for point in entry_points(group=ENTRY_POINTS) if point.name not in CONNECTORS}


@cache
def _load(name: str) -> Connector:
    point = _brought()[name]
    try:
        connector: Connector = point.load()()
    except Exception as error:  # whatever a package of others does while it loads
        raise SourceError(f"Bộ đọc/connector `{name}` ({point.value}): không nạp được / does not load: {error}.") from error
    return connector
