"""Files of an FTP server, plain and over TLS."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from lienthong.connectors.files import fingerprint_files
from lienthong.errors import SourceError
from tests.connectors.folders import EveryFolder, Served
from tests.servers import Certificates, certificates, cut_off, free_port, running

SERVER = Path(__file__).with_name("server.py")
PASSWORD = {"password": "mật-khẩu"}


@contextmanager
def ftpd(root: Path, port: int, certificate: Path | None = None) -> Iterator[subprocess.Popen[bytes]]:
    more = [] if certificate is None else [str(certificate)]
    with running([sys.executable, str(SERVER), str(root), str(port), *more], port) as process:
        yield process


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    root, port = tmp_path_factory.mktemp("ftp") / "xuất", free_port()
    root.mkdir()
    with ftpd(root, port):
        yield Served(root, f"ftp://can-bo@127.0.0.1:{port}", PASSWORD)


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Served, Certificates]]:
    folder, port = tmp_path_factory.mktemp("ftps"), free_port()
    made = certificates(folder)
    (folder / "xuất").mkdir()
    with ftpd(folder / "xuất", port, made.both):
        yield Served(folder / "xuất", f"ftps://can-bo@127.0.0.1:{port}", {**PASSWORD, "ca": str(made.ca)}), made


class TestFtp(EveryFolder):
    @pytest.fixture
    def served(self, plain: Served) -> Served:
        return plain


def test_over_tls_files_come_from_a_server_whose_certificate_is_trusted(secured: tuple[Served, Certificates], tmp_path: Path) -> None:
    served, _ = secured
    served.write("sâu/a.csv", "1")
    served.write("sâu/b.csv", "2")
    assert served.values(served.source("sâu/*.csv")) == ["1", "2"]
    with pytest.raises(SourceError, match="certificate is not trusted"):
        served.read(served.source("*.csv", ca=""))
    with pytest.raises(SourceError, match="file of certificates cannot be read"):
        served.read(served.source("*.csv", ca=str(tmp_path / "none.pem")))


def test_a_wrong_password_is_told_in_words_that_do_not_hold_it(plain: Served) -> None:
    with pytest.raises(SourceError, match="does not take this account") as told:
        plain.read(plain.source("*.csv", password="nhầm-rồi"))
    assert "nhầm-rồi" not in str(told.value)


def test_a_fetch_that_breaks_off_goes_on_where_it_was(tmp_path: Path) -> None:
    root, port = tmp_path / "xuất", free_port()
    served = Served(root, f"ftp://can-bo@127.0.0.1:{port}", {**PASSWORD, "timeout_seconds": 60})
    served.write_big("lớn.csv", 96)
    source = served.source("*.csv")
    with ftpd(root, port) as process:
        said = cut_off(lambda: served.read(source), served.part, process)
        assert isinstance(said, SourceError)
    part = served.part()
    assert part is not None
    begun = part.read_bytes()
    assert 0 < len(begun) < (root / "lớn.csv").stat().st_size
    part.write_bytes(b"\xff" + begun[1:])
    with ftpd(root, port):
        whole = hashlib.sha256(b"\xff" + (root / "lớn.csv").read_bytes()[1:]).digest()
        assert fingerprint_files(source, served.context) == hashlib.sha256(whole).hexdigest()
