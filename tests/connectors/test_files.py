"""Which files are a source's, and what happens when they change between two readings."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from lienthong.connectors import CONNECTORS, ReadContext, connector_names, expand, get_connector, source_variables
from lienthong.contracts import Delivery
from lienthong.errors import HostileInputError, SourceError
from tests.connectors.reading import check_resuming, delivery_of, make_source, read_all


def hours(folder: Path, *names: str) -> None:
    for name in names:
        (folder / f"{name}.csv").write_text(f"giờ;giá trị\n{name};1\n{name};2\n")


def test_files_are_read_in_order_of_name_and_reading_goes_on_between_them(tmp_path: Path) -> None:
    hours(tmp_path, "03", "01", "02")
    source = make_source("csv_file", tmp_path / "*.csv")
    assert [row["giờ"] for row in read_all(source).rows] == ["01", "01", "02", "02", "03", "03"]
    check_resuming(source, (1, 2))


def test_of_increments_only_new_files_are_read(tmp_path: Path) -> None:
    hours(tmp_path, "01", "02")
    source = make_source("csv_file", tmp_path / "*.csv", Delivery.INCREMENTAL)
    reached = read_all(source).batches[-1].position
    nothing_new = read_all(source, after=reached)
    assert (nothing_new.rows, nothing_new.columns) == ([], ["giờ", "giá trị"])
    hours(tmp_path, "03")
    assert [row["giờ"] for row in read_all(source, after=reached).rows] == ["03", "03"]


def test_lines_added_to_the_last_file_of_increments_are_read(tmp_path: Path) -> None:
    hours(tmp_path, "01")
    source = make_source("csv_file", tmp_path / "*.csv", Delivery.INCREMENTAL)
    reached = read_all(source).batches[-1].position
    with (tmp_path / "01.csv").open("a") as file:
        file.write("01;3\n")
    later = read_all(source, after=reached)
    assert (later.rows, later.source_rows) == ([{"giờ": "01", "giá trị": "3"}], [4])


def test_a_late_file_of_increments_is_not_missed(tmp_path: Path) -> None:
    hours(tmp_path, "01", "03")
    source = make_source("csv_file", tmp_path / "*.csv", Delivery.INCREMENTAL)
    reached = read_all(source).batches[-1].position
    hours(tmp_path, "02")
    assert {row["giờ"] for row in read_all(source, after=reached).rows} >= {"02"}


def test_a_snapshot_whose_files_changed_halfway_starts_again(tmp_path: Path) -> None:
    hours(tmp_path, "01", "03")
    source = make_source("csv_file", tmp_path / "*.csv")
    reached = read_all(source).batches[-1].position
    hours(tmp_path, "02")
    with pytest.raises(SourceError, match=r"changed since reading stopped at `03\.csv`"):
        read_all(source, after=reached)


def test_a_file_that_changes_while_it_is_read_stops_the_reading(tmp_path: Path) -> None:
    hours(tmp_path, "01")
    source = make_source("csv_file", tmp_path / "01.csv")
    batches = get_connector("csv_file").read(source, ReadContext(batch_rows=1))
    next(batches)
    with (tmp_path / "01.csv").open("a") as file:
        file.write("01;3\n")
    with pytest.raises(SourceError, match="changed while it was read"):
        list(batches)


def test_files_with_other_headings_are_refused_by_name(tmp_path: Path) -> None:
    hours(tmp_path, "01")
    (tmp_path / "02.csv").write_text("giờ;khác\n1;2\n")
    with pytest.raises(SourceError, match=r"02\.csv.*missing `giá trị`; new `khác`"):
        read_all(make_source("csv_file", tmp_path / "*.csv"))


def test_no_way_leads_out_of_the_folder(tmp_path: Path) -> None:
    inside, outside = tmp_path / "in", tmp_path / "out"
    inside.mkdir()
    outside.mkdir()
    hours(outside, "01")
    (inside / "02.csv").symlink_to(outside / "01.csv")
    with pytest.raises(HostileInputError, match="link out of"):
        read_all(make_source("csv_file", inside / "*.csv"))
    with pytest.raises(HostileInputError, match=r"must not contain `\.\.`"):
        read_all(make_source("csv_file", f"{inside}/../out/01.csv"))
    with pytest.raises(HostileInputError, match=r"must not contain `\.\.`"):
        read_all(make_source("csv_file", f"{inside}/${{WAY}}/*.csv"), variables={"WAY": "../out"})


def test_devices_and_pipes_are_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.csv")
    for location in (tmp_path / "pipe.csv", Path("/dev/zero")):
        with pytest.raises(HostileInputError, match="not a regular file"):
            read_all(make_source("csv_file", location))


@pytest.mark.parametrize(("location", "words"), [("none.csv", "cannot be read"), ("*.csv", "no file found"), ("", "is a folder")])
def test_nothing_delivered_is_an_error_not_an_empty_snapshot(tmp_path: Path, location: str, words: str) -> None:
    with pytest.raises(SourceError, match=words):
        read_all(make_source("csv_file", f"{tmp_path}/{location}"))


def test_a_variable_that_is_not_set_is_named() -> None:
    assert expand("${DEMO}/x/${N}.csv", {"DEMO": "/d", "N": "1"}) == "/d/x/1.csv"
    with pytest.raises(SourceError, match=r"\$\{DEMO\}.*LIENTHONG_SOURCE_DEMO"):
        expand("${DEMO}/x", {})


def test_only_variables_meant_for_sources_reach_them() -> None:
    assert source_variables({"LIENTHONG_SOURCE_DEMO": "/d", "LIENTHONG_DATABASE_URL": "secret", "HOME": "/h"}) == {"DEMO": "/d"}


XROAD = {"service": "VN/GOV/H10.01/a/b", "client": "VN/GOV/H10.02/a"}
NEEDED: dict[str, tuple[str, dict[str, Any]]] = {
    "http_json": ("http://127.0.0.1:9/", {}),
    "mqtt_stream": ("mqtt://127.0.0.1:9", {"topics": ["a"], "client_id": "a", "fields": {"a": "b"}}),
    "nats_stream": ("nats://127.0.0.1:9", {"stream": "a", "fields": {"a": "b"}}),
    "postgresql_log": ("postgresql://127.0.0.1:9/x", {"table": "a.b", "key": ["a"], "slot": "s", "publication": "p"}),
    "soap": ("http://127.0.0.1:9/?wsdl", {"operation": "a", "row": "a", "fields": {"a": "b"}}),
    "sql_database": ("postgresql://127.0.0.1:9/x", {"table": "a.b", "key": ["a"]}),
    "xroad_rest": ("http://127.0.0.1:9/", {"xroad": XROAD}),
    "xroad_soap": ("http://127.0.0.1:9/", {"xroad": XROAD, "namespace": "urn:x", "row": "record"}),
}


@pytest.mark.parametrize("name", sorted(CONNECTORS))
def test_a_misspelt_option_is_refused_with_the_nearest_name(name: str, tmp_path: Path) -> None:
    hours(tmp_path, "01")
    location, needed = NEEDED.get(name, (str(tmp_path / "01.csv"), {}))
    with pytest.raises(SourceError, match="has no option `enconding`"):
        read_all(make_source(name, location, delivery_of(name), enconding="utf-8", **needed))


def test_an_unknown_connector_is_refused_with_the_nearest_name() -> None:
    assert set(CONNECTORS) <= set(connector_names())
    with pytest.raises(SourceError, match="Did you mean `csv_file`"):
        get_connector("csv_fil")
