"""A shapefile in an archive, or on another machine: the parts it has come along."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from lienthong.connectors import ReadContext, get_connector, let_go
from lienthong.connectors.files import fingerprint_files
from lienthong.contracts import Source
from tests.connectors.folders import HERE, Served
from tests.connectors.maps import point, write_map
from tests.connectors.reading import Reading
from tests.servers import sshd


@pytest.fixture
def parts(tmp_path: Path) -> Path:
    """A folder with a.shp, a.DBF, a.shx, a.prj and a.cpg of two points, and b.dbf of another."""
    folder = tmp_path / "xuất"
    folder.mkdir()
    write_map(folder / "a.shp", [point(106.9, 11.5), point(107.0, 11.6)], "Point", "EPSG:4326", {"ma": ["Đ1", "Đ2"]}, encoding="UTF-8")
    (folder / "a.dbf").rename(folder / "a.DBF")
    (folder / "b.dbf").write_bytes(b"another")
    return folder


def read(source: Source, spool: Path) -> Reading:
    context = ReadContext(spool=spool, networks=HERE)
    found = Reading(tuple(get_connector("shapefile").read(source, context)))
    let_go(source, context)
    return found


def test_a_shapefile_in_an_archive_is_read_with_its_parts(parts: Path, tmp_path: Path) -> None:
    archive = tmp_path / "bản đồ.zip"
    with zipfile.ZipFile(archive, "w") as opened:
        for path in parts.iterdir():
            opened.write(path, f"lớp/{path.name}")
    found = read(Source("file", "shapefile", str(archive), options={"folder": {"member": "**/*.shp"}}), tmp_path / "spool")
    assert [row["ma"] for row in found.rows] == ["Đ1", "Đ2"]
    assert found.batches[0].file.uri == "bản đồ.zip!lớp/a.shp"


def test_a_shapefile_elsewhere_is_fetched_with_its_parts(parts: Path, tmp_path: Path) -> None:
    home = tmp_path / "sshd"
    home.mkdir()
    with sshd(home) as server:
        served = Served(parts, f"{server.url}{parts}", {"host_key": server.host_key, "key_file": str(server.key_file)})
        source = served.source("*.shp", connector="shapefile")
        before = fingerprint_files(source, served.context)
        assert [row["ma"] for row in read(source, served.spool).rows] == ["Đ1", "Đ2"]
        assert served.left() == []
        (parts / "a.DBF").write_bytes((parts / "a.DBF").read_bytes().replace("Đ1".encode(), "Đ3".encode()) + b" ")
        assert fingerprint_files(source, served.context) != before
