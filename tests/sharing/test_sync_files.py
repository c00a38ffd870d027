"""A folder holds one whole current file, here or at an SSH server whose key is known; damage is found by its hash."""

from __future__ import annotations

import getpass
import hashlib
import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import openpyxl
import polars as pl
import pytest

from lienthong.sharing.sync_checking import check
from tests.sharing.syncs import Source, definition_of, make_source, rows
from tests.store.ledgers import written


@dataclass
class Server:
    port: int
    host_key: str
    key_file: Path


@contextmanager
def sshd(folder: Path) -> Iterator[Server]:
    program = shutil.which("sshd") or shutil.which("sshd", path="/usr/sbin")
    if program is None:
        pytest.skip("the SSH server is not installed (Debian's package `openssh-server`)")
    for name in ("host", "own"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)], check=True)
    if os.getuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    (folder / "config").write_text(
        f"ListenAddress 127.0.0.1\nPort {port}\nHostKey {folder}/host\nAuthorizedKeysFile {folder}/own.pub\nStrictModes no\nUsePAM no\n"
        f"PermitRootLogin yes\nPidFile none\nSubsystem sftp internal-sftp\n",
        encoding="utf-8",
    )
    server = subprocess.Popen([program, "-D", "-e", "-f", str(folder / "config")], stderr=subprocess.DEVNULL)
    try:
        until = time.monotonic() + 120
        while True:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            assert time.monotonic() < until, "sshd did not start"
            time.sleep(0.05)
        yield Server(port, (folder / "host.pub").read_text("utf-8").strip(), folder / "own")
    finally:
        server.terminate()
        server.wait(120)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with sshd(tmp_path_factory.mktemp("sshd")) as found:
        yield found


@pytest.fixture
def source(database_url: str, tmp_path: Path) -> Source:
    made = make_source(database_url, tmp_path)
    made.publish(rows(30))
    return made


def latest(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "nguoi.latest.json").read_text("utf-8"))
    return found


@pytest.mark.parametrize("form", ["csv", "xlsx", "parquet"])
def test_the_current_file_is_whole_and_named_by_its_manifest(source: Source, tmp_path: Path, form: str) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    definition = definition_of("folder", str(folder), more={"name": "nguoi", "format": form})
    assert source.sync(definition).state == "following"
    manifest = latest(folder)
    file = folder / manifest["file"]
    assert (manifest["rows"], manifest["version"], manifest["agreement"]) == (30, 1, "TT-KHO")
    assert hashlib.sha256(file.read_bytes()).hexdigest() == manifest["sha256"]
    assert sorted(path.name for path in folder.iterdir()) == [
        f"nguoi-1.{form}",
        f"nguoi-1.{form}.done",
        f"nguoi-1.{form}.json",
        "nguoi.latest.json",
    ]
    if form == "parquet":
        assert pl.read_parquet(file).rows() == [row[1:] for row in source.expected()]
    elif form == "xlsx":
        sheet = openpyxl.load_workbook(file).active
        assert [(row[0], row[2]) for row in sheet.iter_rows(min_row=2, values_only=True)] == [(row[1], row[3]) for row in source.expected()]
    source.publish(rows(10))
    source.sync(definition)
    assert (latest(folder)["version"], latest(folder)["rows"], file.exists()) == (2, 10, False)
    outcomes = [entry["outcome"] for entry in written(source.workshop.database) if entry["event"] == "sync:rows:delivered"]
    assert outcomes == ["begun", "complete", "begun", "complete"]


def test_a_file_somebody_changed_or_took_away_is_found_and_made_anew(source: Source, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    definition = definition_of("folder", str(folder), more={"name": "nguoi", "format": "csv"})
    assert check(source.office(), definition, repair=False).is_equal
    good = (folder / "nguoi-1.csv").read_bytes()
    forged = latest(folder) | {"sha256": hashlib.sha256(b"x").hexdigest()}
    for damage in (
        lambda: (folder / "nguoi-1.csv").write_bytes(b"x"), (folder / "nguoi-1.csv").unlink, (folder / "nguoi-1.csv.done").unlink,
        lambda: ((folder / "nguoi-1.csv").write_bytes(b"x"), (folder / "nguoi.latest.json").write_text(json.dumps(forged), encoding="utf-8")),
    ):  # fmt: skip
        damage()
        assert not check(source.office(), definition, repair=True).is_equal
        assert (folder / "nguoi-1.csv").read_bytes() == good
        assert check(source.office(), definition, repair=False).is_equal


def test_a_folder_by_sftp_is_kept_and_another_host_key_gets_nothing(source: Source, server: Server, tmp_path: Path) -> None:
    folder = tmp_path / "remote"
    folder.mkdir()
    place = f"sftp://{getpass.getuser()}@127.0.0.1:{server.port}{folder}"
    more = {"name": "nguoi", "format": "csv", "host_key": server.host_key, "key_file": str(server.key_file)}
    assert source.sync(definition_of("sftp", place, more=more)).state == "following"
    assert latest(folder)["rows"] == 30
    (folder / "nguoi-1.csv").write_bytes(b"x")
    assert not check(source.office(), definition_of("sftp", place, more=more), repair=True).is_equal
    assert hashlib.sha256((folder / "nguoi-1.csv").read_bytes()).hexdigest() == latest(folder)["sha256"]
    source.publish(rows(5))
    own = (server.key_file.parent / "own.pub").read_text("utf-8").strip()
    state = source.sync(definition_of("sftp", place, more=more | {"host_key": own}))
    assert (state.state, latest(folder)["version"]) == ("failing", 1)
    assert "another host key" in state.said_en


def test_a_folder_that_is_not_there_is_told_and_tried_again_later(source: Source, tmp_path: Path) -> None:
    definition = definition_of("folder", str(tmp_path / "none"), more={"name": "nguoi", "format": "csv"})
    waits = []
    for _ in range(3):
        state = source.sync(definition)
        assert state.next_try_at is not None
        waits.append((state.failures, state.state))
    assert waits == [(1, "failing"), (2, "failing"), (3, "failing")]
