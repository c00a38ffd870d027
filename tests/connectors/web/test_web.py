"""Files of a web server: by their address, from a page of links, by WebDAV."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from lienthong.connectors.files import fingerprint_files
from lienthong.errors import HostileInputError, SourceError
from tests.connectors.folders import EveryFolder, Served
from tests.servers import certificates, cut_off, free_port, running

SERVER = Path(__file__).with_name("server.py")
PASSWORD = {"password": "mật-khẩu"}


@contextmanager
def webd(kind: str, root: Path, port: int, *certificate: str) -> Iterator[subprocess.Popen[bytes]]:
    root.mkdir(exist_ok=True)
    with running([sys.executable, str(SERVER), kind, str(root), str(port), *certificate], port) as process:
        yield process


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    root, port = tmp_path_factory.mktemp("web") / "xuất", free_port()
    with webd("pages", root, port):
        yield Served(root, f"http://can-bo@127.0.0.1:{port}", PASSWORD)


@pytest.fixture(scope="module")
def dav(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    root, port = tmp_path_factory.mktemp("dav") / "xuất", free_port()
    with webd("dav", root, port):
        yield Served(root, f"webdav+http://127.0.0.1:{port}")


class TestPagesOfLinks(EveryFolder):
    @pytest.fixture
    def served(self, pages: Served) -> Served:
        return pages


class TestWebDav(EveryFolder):
    @pytest.fixture
    def served(self, dav: Served) -> Served:
        return dav


def test_over_tls_only_a_trusted_certificate_is_spoken_to(tmp_path: Path) -> None:
    made, port = certificates(tmp_path), free_port()
    with webd("pages", tmp_path / "xuất", port, str(made.both)):
        served = Served(tmp_path / "xuất", f"https://can-bo@localhost:{port}", {**PASSWORD, "ca": str(made.ca)})
        served.write("a.csv", "1")
        served.options = {**served.options}
        assert served.values(served.source("*.csv")) == ["1"]
        with pytest.raises(SourceError, match="certificate is not trusted"):
            served.read(served.source("*.csv", ca=""))


def test_who_is_not_let_in_is_told_and_nobody_is_led_elsewhere(pages: Served) -> None:
    with pytest.raises(SourceError, match=r"does not let us in \(401\)") as told:
        pages.read(pages.source("a.csv", password="nhầm-rồi"))
    assert "nhầm-rồi" not in str(told.value)
    with pytest.raises(HostileInputError, match="leads elsewhere"):
        pages.read(pages.source("away.csv"))


def test_a_file_without_an_end_is_cut_at_the_limit(pages: Served) -> None:
    with pytest.raises(HostileInputError, match=r"past `folder.max_bytes` \(4000000\)"):
        pages.read(pages.source("endless.csv", max_bytes=4_000_000))


def test_links_that_lead_out_of_the_folder_are_no_files_of_it(pages: Served) -> None:
    pages.write("b.csv", "no")
    pages.write("sâu/a.csv", "1")
    (pages.root / "sâu" / "index.html").write_text(
        '<a href="a.csv">a</a><a href="../b.csv">b</a><a href="http://127.0.0.2/c.csv">c</a><a href="//x/d.csv">d</a><a href="%2e%2e/e.csv">e</a>'
        '<a href="f.csv?x=1">f</a><a href="javascript:g.csv">g</a><a href="http://[">h</a>',
        encoding="utf-8",
    )
    assert pages.values(pages.source("sâu/*.csv")) == ["1"]
    (pages.root / "sâu" / "index.html").unlink()


def test_a_fetch_that_breaks_off_begins_anew_where_the_server_cannot_go_on(tmp_path: Path) -> None:
    root, port = tmp_path / "xuất", free_port()
    served = Served(root, f"http://can-bo@127.0.0.1:{port}", {**PASSWORD, "timeout_seconds": 60})
    served.write_big("lớn.csv", 96)
    source = served.source("lớn.csv")
    with webd("pages", root, port) as process:
        assert isinstance(cut_off(lambda: served.read(source), served.part, process), SourceError)
    assert served.part() is not None
    with webd("pages", root, port):
        whole = hashlib.sha256((root / "lớn.csv").read_bytes()).digest()
        assert fingerprint_files(source, served.context) == hashlib.sha256(whole).hexdigest()
