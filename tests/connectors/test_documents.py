"""The reference names every connector, option and code; an agency's own connector is found as the how-to says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lienthong.connectors import CONNECTORS, ReadContext, get_connector, registry
from lienthong.connectors.broken import BROKEN_ROWS
from lienthong.connectors.options import Options
from lienthong.errors import SourceError
from tests.connectors.reading import delivery_of, make_source, read_all

REFERENCE = Path(__file__).parents[2] / "docs" / "reference" / "connectors.md"
XROAD = {"client": "VN/GOV/H10.12/tro-cap", "service": "VN/GOV/G01.001/du-lieu/licences"}
WORKING: dict[str, dict[str, Any]] = {
    "sql_database": {"table": "a.b", "key": ["c"]},
    "postgresql_log": {"table": "a.b", "key": ["c"], "slot": "s", "publication": "p"},
    "mqtt_stream": {"topics": ["a/#"], "client_id": "a", "fields": {"a": "b"}},
    "nats_stream": {"stream": "a", "fields": {"a": "b"}},
    "xml_file": {"row": "r", "fields": {"a": "b"}},
    "excel_file": {"unpivot": {"keep": ["a"]}},
    "http_json": {"paging": {"kind": "page"}, "auth": {"kind": "bearer", "token": "t"}, "retries": 0},
    "odata": {"retries": 0},
    "xroad_rest": {"xroad": XROAD, "path": "/records", "retries": 0},
    "xroad_soap": {"xroad": XROAD, "namespace": "urn:x", "row": "r", "fields": {"a": "b"}, "retries": 0},
}


def test_every_connector_and_every_code_is_in_the_reference() -> None:
    text = REFERENCE.read_text(encoding="utf-8")
    for name in (*CONNECTORS, *BROKEN_ROWS):
        assert f"`{name}`" in text, name


@pytest.mark.parametrize("name", sorted(CONNECTORS))
def test_every_option_is_in_the_reference(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: set[str] = set()
    take = Options._take

    def remember(self: Options, option: str, default: object) -> object:
        asked.add(option)
        return take(self, option, default)

    monkeypatch.setattr(Options, "_take", remember)
    kinds = {"sql_database": "postgresql", "postgresql_log": "postgresql", "mqtt_stream": "mqtt", "nats_stream": "nats"}
    kind = kinds.get(name, "http" if name.startswith(("http", "xroad")) else "")
    location = f"{kind}://127.0.0.1:9/x" if kind else "none"
    with pytest.raises(SourceError):
        list(get_connector(name).read(make_source(name, location, delivery_of(name), **WORKING.get(name, {})), ReadContext()))
    text = REFERENCE.read_text(encoding="utf-8")
    assert asked
    assert {option for option in asked if f"`{option}`" not in text and not re.search(rf"[{{ .]{option}\b", text)} == set()


OWN = """
import pyarrow as pa
from lienthong.connectors import Batch, SourceFile

class Archive:
    def fingerprint(self, source, context):
        return None

    def read(self, source, context, after=None):
        yield Batch(SourceFile("archive"), pa.table({"a": pa.array(["1"], pa.string())}), pa.array([1], pa.int64()), {})
"""


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A package of others, installed beside: two connectors, one of which does not load."""
    (tmp_path / "weather_office.py").write_text(OWN)
    info = tmp_path / "weather_office-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: weather-office\nVersion: 1.0\n")
    points = "archive = weather_office:Archive\ncsv_file = weather_office:Archive\nbroken = weather_office:Missing\n"
    (info / "entry_points.txt").write_text(f"[{registry.ENTRY_POINTS}]\n{points}")
    monkeypatch.syspath_prepend(str(tmp_path))
    registry._brought.cache_clear()
    yield
    registry._brought.cache_clear()
    registry._load.cache_clear()


@pytest.mark.usefixtures("installed")
def test_a_connector_of_ones_own_is_found_by_its_entry_point() -> None:
    assert read_all(make_source("archive", "anywhere")).rows == [{"a": "1"}]
    assert get_connector("csv_file") is CONNECTORS["csv_file"]
    with pytest.raises(SourceError, match=r"`broken` .* does not load"):
        get_connector("broken")
