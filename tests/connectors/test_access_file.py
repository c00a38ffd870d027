"""Access databases through mdbtools: one table, values that are not there as null, no shell, nothing that hangs on a hostile file."""

from __future__ import annotations

import gzip
import os
import shutil
from pathlib import Path

import pytest

from lienthong.errors import SourceError
from tests.connectors.reading import check_resuming, make_source, read_all

VECTOR = Path(__file__).parents[1] / "vectors" / "access_jet4.mdb.gz"
TABLE = "merchant_taylors"


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if shutil.which("mdb-export") is None:
        if os.environ.get("LIENTHONG_REQUIRE_SERVICES") == "1":
            pytest.fail("mdb-export is missing: install Debian's package mdbtools")
        pytest.skip("mdb-export is missing: install Debian's package mdbtools")
    path = tmp_path_factory.mktemp("access") / "a b'$(id);.mdb"  # a name a shell would stumble over
    path.write_bytes(gzip.decompress(VECTOR.read_bytes()))
    return path


def test_the_only_table_is_read_with_its_rows_numbered(database: Path) -> None:
    reading = read_all(make_source("access_file", database))
    first = reading.rows[0]
    assert (first["Id No"], first["Surname"], first["Forenames_Master_or_Father"]) == ("1", "Aaron", None)
    assert reading.source_rows == list(range(1, len(reading.rows) + 1))
    assert read_all(make_source("access_file", database, table=TABLE)).rows == reading.rows
    check_resuming(make_source("access_file", database), (700,))


@pytest.mark.parametrize("table", ["x", "-x", "--help", "merchant_taylors; id", "../etc"])
def test_a_table_that_is_not_there_is_said_with_those_that_are(database: Path, table: str) -> None:
    with pytest.raises(SourceError, match=f"found `{TABLE}`"):
        read_all(make_source("access_file", database, table=table))


def test_a_table_larger_than_allowed_is_refused(database: Path) -> None:
    with pytest.raises(SourceError, match="larger than 1000 bytes"):
        read_all(make_source("access_file", database, max_bytes=1000))


@pytest.mark.parametrize("size", [0, 30, 4096, 20_000, 100_000])
def test_a_database_cut_off_is_refused_or_read_as_far_as_it_goes(database: Path, tmp_path: Path, size: int) -> None:
    path = tmp_path / "cut.mdb"
    path.write_bytes(database.read_bytes()[:size])
    with pytest.raises(SourceError):
        read_all(make_source("access_file", path))


def test_without_the_program_the_package_is_named(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(SourceError, match="mdbtools"):
        read_all(make_source("access_file", database))
