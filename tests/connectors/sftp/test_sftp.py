"""Files of an SSH server: only of the one whose key is known."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from lienthong.errors import HostileInputError, SourceError
from tests.connectors.folders import EveryFolder, Served
from tests.servers import SshServer, cut_off, sshd


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SshServer]:
    with sshd(tmp_path_factory.mktemp("sshd")) as found:
        yield found


@pytest.fixture
def served(server: SshServer, tmp_path: Path) -> Served:
    root = tmp_path / "xuất"
    return Served(root, f"{server.url}{root}", {"host_key": server.host_key, "key_file": str(server.key_file)})


class TestSftp(EveryFolder):
    pass


def test_a_server_with_another_key_is_told_nothing(served: Served, server: SshServer) -> None:
    served.write("a.csv", "1")
    another = (server.key_file.parent / "own.pub").read_text("utf-8").strip()
    with pytest.raises(HostileInputError, match="another host key"):
        served.read(served.source("a.csv", host_key=another))
    with pytest.raises(SourceError, match=r"`folder.host_key` is required"):
        served.read(served.source("a.csv", host_key=""))


def test_an_account_that_is_not_known_is_told_in_words(served: Served) -> None:
    served.write("a.csv", "1")
    with pytest.raises(SourceError, match="does not take this account") as told:
        served.read(served.source("a.csv", key_file="", password="mật-khẩu-sai"))
    assert "mật-khẩu-sai" not in str(told.value)


def test_a_link_out_of_the_folder_is_refused_and_one_inside_is_followed(served: Served, tmp_path: Path) -> None:
    served.write("thật/a.csv", "1")
    (served.root / "b.csv").symlink_to(served.root / "thật" / "a.csv")
    assert served.values(served.source("*.csv")) == ["1"]
    (tmp_path / "ngoài.csv").write_text("mã;giá trị\n1;secret\n", encoding="utf-8")
    (served.root / "c.csv").symlink_to(tmp_path / "ngoài.csv")
    with pytest.raises(HostileInputError, match="link out of"):
        served.read(served.source("*.csv"))


def test_devices_and_pipes_are_no_files(served: Served) -> None:
    served.write("a.csv", "1")
    os.mkfifo(served.root / "b.csv")
    assert served.values(served.source("*.csv")) == ["1"]


def test_a_fetch_that_breaks_off_goes_on_where_it_was(tmp_path: Path) -> None:
    """The server is killed while it sends; another one comes; what was fetched is not fetched again, and the bytes are the same."""
    folder, root = tmp_path / "sshd", tmp_path / "xuất"
    folder.mkdir()
    with sshd(folder) as server:
        served = Served(root, f"{server.url}{root}", {"host_key": server.host_key, "key_file": str(server.key_file), "timeout_seconds": 5})
        served.write_big("lớn.csv")
        source = served.source("lớn.csv")
        said = cut_off(lambda: served.read(source), served.part, server.process)
        assert isinstance(said, SourceError)
        assert "broke off" in str(said)
    part = served.part()
    assert part is not None
    begun = part.read_bytes()
    assert 0 < len(begun) < (root / "lớn.csv").stat().st_size
    part.write_bytes(b"\xff" + begun[1:])  # seen again below: it is gone on with, not fetched anew
    with sshd(folder, server.port):
        digest = hashlib.sha256(b"\xff" + (root / "lớn.csv").read_bytes()[1:]).hexdigest()
        assert served.read(source).batches[0].file.sha256 == digest
    assert served.left() == []
