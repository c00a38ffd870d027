"""Real servers of other kinds that tests start: each listens on this machine alone, on a free port, and ends with its test."""

from __future__ import annotations

import getpass
import os
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def program(name: str, package: str) -> str:
    """The path of a program, or a skip that names Debian's package."""
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin")
    if found is None:
        pytest.skip(f"{name} is not installed (Debian's package `{package}`)")
    return found


def until_answers(port: int, what: str) -> None:
    """Until something listens there."""
    until = time.monotonic() + 120
    while True:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        assert time.monotonic() < until, f"{what} did not start"
        time.sleep(0.02)


@contextmanager
def running(arguments: Sequence[str], port: int) -> Iterator[subprocess.Popen[bytes]]:
    """A server process while it is needed."""
    process = subprocess.Popen(list(arguments), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until_answers(port, arguments[0])
        yield process
    finally:
        process.terminate()
        process.wait(120)


def kill_all(process: subprocess.Popen[bytes]) -> None:
    """Kill a server and whatever it has begun: nobody says goodbye."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            parents[int(stat.parent.name)] = int(stat.read_text("utf-8").rpartition(")")[2].split()[1])
    doomed = [process.pid]
    for pid in doomed:
        doomed += [child for child, parent in parents.items() if parent == pid]
    for pid in doomed:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def cut_off(
    act: Callable[[], object], part: Callable[[], Path | None], process: subprocess.Popen[bytes], past: int = 1 << 20
) -> BaseException:
    """What `act` raises when the server is killed after a file `part()` has grown past so many bytes."""
    raised: list[BaseException] = []

    def run() -> None:
        try:
            act()
        except BaseException as error:
            raised.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    until = time.monotonic() + 120
    while thread.is_alive():
        found = part()
        if found is not None and found.exists() and found.stat().st_size > past:
            break
        assert time.monotonic() < until, "nothing was fetched"
        time.sleep(0.002)
    kill_all(process)
    thread.join(120)
    assert raised, "it ended before the server was killed"
    return raised[0]


@dataclass
class SshServer:
    port: int
    host_key: str
    key_file: Path
    process: subprocess.Popen[bytes]

    @property
    def url(self) -> str:
        return f"sftp://{getpass.getuser()}@127.0.0.1:{self.port}"


@contextmanager
def sshd(folder: Path, port: int = 0) -> Iterator[SshServer]:
    """OpenSSH with one host key, which lets in who has the key `own`."""
    server = program("sshd", "openssh-server")
    for name in ("host", "own"):
        if not (folder / name).exists():
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)], check=True)
    if os.getuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    port = port or free_port()
    (folder / "config").write_text(
        f"ListenAddress 127.0.0.1\nPort {port}\nHostKey {folder}/host\nAuthorizedKeysFile {folder}/own.pub\nStrictModes no\nUsePAM no\n"
        f"PermitRootLogin yes\nPidFile none\nSubsystem sftp internal-sftp\n",
        encoding="utf-8",
    )
    with running([server, "-D", "-e", "-f", str(folder / "config")], port) as process:
        yield SshServer(port, (folder / "host.pub").read_text("utf-8").strip(), folder / "own", process)


@dataclass
class Certificates:
    """An authority of our own, and a certificate of `localhost` and 127.0.0.1 under it."""

    ca: Path
    certificate: Path
    key: Path
    both: Path = field(init=False)

    def __post_init__(self) -> None:
        self.both = self.certificate.with_name("both.pem")
        self.both.write_bytes(self.certificate.read_bytes() + self.key.read_bytes())


def certificates(folder: Path) -> Certificates:
    """Made by OpenSSL; the names are those tests connect to."""
    openssl = program("openssl", "openssl")
    ca, ca_key, key, request, certificate = (folder / name for name in ("ca.pem", "ca.key", "server.key", "server.csr", "server.pem"))
    kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    extensions = folder / "names"
    extensions.write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\n", encoding="utf-8")
    for arguments in (
        ["req", "-x509", *kind, "-keyout", str(ca_key), "-out", str(ca), "-subj", "/CN=Tests", "-days", "2"],
        ["req", *kind, "-keyout", str(key), "-out", str(request), "-subj", "/CN=localhost"],
        ["x509", "-req", "-in", str(request), "-CA", str(ca), "-CAkey", str(ca_key), "-CAcreateserial", "-out", str(certificate), "-days", "2",
         "-extfile", str(extensions)],
    ):  # fmt: skip
        subprocess.run([openssl, *arguments], check=True, capture_output=True)
    return Certificates(ca, certificate, key)


@contextmanager
def in_thread(serve: object, stop: object) -> Iterator[None]:
    """A Python server while it is needed."""
    thread = threading.Thread(target=serve, daemon=True)  # type: ignore[arg-type] # a callable
    thread.start()
    try:
        yield
    finally:
        stop()  # type: ignore[operator] # a callable
        thread.join(120)
