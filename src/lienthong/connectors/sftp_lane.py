"""Large files of an SSH server by OpenSSH's own program: a second line to the server that was already known, for the bytes of one file.

The program deciphers in a process of its own; what is left to do here is a third of it all (measured). It is held to the agreed host key and to the
address that was judged, reads no configuration, agent or known hosts of this machine, and asks nobody anything. Who cannot open a lane
(no program, a password, a server that takes one connection alone) reads over the first line.
"""

from __future__ import annotations

import fcntl
import os
import re
import select
import shutil
import struct
import subprocess
import tempfile
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

PROGRAM = "ssh"
ACCOUNT = re.compile(r"[\w.][\w.-]*")
PATH = re.compile(r"[\w./+@,-]+")  # of its options: no space, quote, `%`, `$`, `~` that it would take for something else
LEAST = 32 << 20  # bytes for which a second sign-in is worth its while
REQUEST = 131_072  # bytes asked for at once
UNDER_WAY = 32  # requests: twice what the program lets a server send ahead
PIPE_BYTES = 1 << 20
MOST_PACKET = REQUEST + 1024
VERSION, OPEN, READ, STATUS, HANDLE, DATA = 2, 3, 5, 101, 102, 103  # draft-ietf-secsh-filexfer-02
ENDED, MISSING, FORBIDDEN = 1, 2, 3
_HEAD = struct.Struct(">IB")


@dataclass(frozen=True)
class Way:
    """Who goes where: the judged address, the kinds and the text of the agreed host key, the account and the file of its key."""

    address: str
    port: int
    key_kinds: Sequence[str]
    host_key: str
    user: str
    key_file: str
    timeout_seconds: float

    @property
    def is_open_to_program(self) -> bool:
        """Whether the program can go it without being asked for a word; names that a shell or its own options could misread stay away."""
        return shutil.which(PROGRAM) is not None and ACCOUNT.fullmatch(self.user) is not None and PATH.fullmatch(self.key_file) is not None


class NoLane(Exception):
    """The lane did not open; nothing was read."""


@contextmanager
def lane(way: Way) -> Iterator[Lane]:
    """A line of its own, gone at the end. Raises NoLane."""
    with tempfile.TemporaryDirectory(prefix="lienthong-lane-") as name:
        known = Path(name) / "known"
        known.write_text(f"lienthong {way.host_key}\n", encoding="ascii")
        with subprocess.Popen(
            _command(way, known), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, bufsize=0, env={"LC_ALL": "C"}
        ) as process:  # fmt: skip
            try:
                yield Lane(process, way.timeout_seconds)
            finally:
                process.kill()


def _command(way: Way, known: Path) -> list[str]:
    said = {
        "BatchMode": "yes", "StrictHostKeyChecking": "yes", "UserKnownHostsFile": str(known), "GlobalKnownHostsFile": "/dev/null",
        "HostKeyAlias": "lienthong", "HostKeyAlgorithms": ",".join(way.key_kinds), "CheckHostIP": "no", "UpdateHostKeys": "no",
        "VerifyHostKeyDNS": "no", "Ciphers": "^aes128-gcm@openssh.com,aes256-gcm@openssh.com", "Compression": "no",
        "PreferredAuthentications": "publickey", "IdentitiesOnly": "yes", "IdentityAgent": "none", "IdentityFile": way.key_file,
        "ClearAllForwardings": "yes", "ForwardAgent": "no", "ForwardX11": "no", "PermitLocalCommand": "no", "ProxyCommand": "none",
        "ControlPath": "none", "ConnectTimeout": str(max(1, int(way.timeout_seconds))), "LogLevel": "QUIET",
    }  # fmt: skip
    options = [part for name, value in said.items() for part in ("-o", f"{name}={value}")]
    return [
        shutil.which(PROGRAM) or PROGRAM,
        "-F",
        "none",
        "-T",
        "-e",
        "none",
        *options,
        "-p",
        str(way.port),
        "-l",
        way.user,
        "-s",
        "--",
        way.address,
        "sftp",
    ]


class Lane:
    """SFTP's third version, as much of it as reading a file needs. Raises OSError, EOFError and TimeoutError as a file would."""

    def __init__(self, process: subprocess.Popen[bytes], timeout_seconds: float) -> None:
        assert process.stdin is not None  # both are pipes
        assert process.stdout is not None
        self._in, self._out = process.stdin.fileno(), process.stdout.fileno()
        self._timeout, self._number, self._request = timeout_seconds * 1000, 0, REQUEST
        self._poll = select.poll()
        self._poll.register(self._out, select.POLLIN)
        with suppress(OSError):
            fcntl.fcntl(self._out, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
        try:
            self._send(b"\x01" + struct.pack(">I", 3))
            kind, _ = self._receive()
        except (OSError, EOFError) as error:
            raise NoLane from error
        if kind != VERSION:
            raise NoLane

    def pieces(self, path: str, offset: int, size: int) -> Iterator[bytes]:
        """The file's bytes from `offset` up to `size`, in order; fewer where it ends before."""
        handle = self._open(path.encode())
        asked: deque[tuple[int, int, int]] = deque()  # number, offset, size
        came: dict[int, bytes] = {}
        while asked or offset < size:
            while len(asked) < UNDER_WAY and offset < size:
                asked.append(self._ask(handle, offset, min(self._request, size - offset)))
                offset += asked[-1][2]
            number, data = self._data()
            came[number] = data
            while asked and asked[0][0] in came:
                number, begin, wanted = asked.popleft()
                data = came.pop(number)
                if not data:
                    return
                if len(data) > wanted:
                    raise OSError("more than was asked for")
                yield data
                if len(data) < wanted:  # as much as this server gives at once
                    self._request = min(self._request, len(data))
                    asked.appendleft(self._ask(handle, begin + len(data), wanted - len(data)))
            if len(came) > UNDER_WAY:
                raise OSError("what nobody asked for")

    def _open(self, path: bytes) -> bytes:
        self._number += 1
        self._send(struct.pack(">BII", OPEN, self._number, len(path)) + path + struct.pack(">II", 1, 0))
        kind, body = self._receive()
        if kind == STATUS:
            raise _refusal(body)
        if kind != HANDLE:
            raise OSError("no handle")
        return body[4:]  # with its length, as it is sent back

    def _ask(self, handle: bytes, offset: int, size: int) -> tuple[int, int, int]:
        self._number += 1
        self._send(struct.pack(">BI", READ, self._number) + handle + struct.pack(">QI", offset, size))
        return self._number, offset, size

    def _data(self) -> tuple[int, bytes]:
        """(number of the request, its bytes), none at the file's end."""
        kind, body = self._receive()
        number = int.from_bytes(body[:4])
        if kind == DATA:
            return number, body[8:]
        if kind == STATUS and int.from_bytes(body[4:8]) == ENDED:
            return number, b""
        raise _refusal(body)

    def _send(self, packet: bytes) -> None:
        whole = memoryview(struct.pack(">I", len(packet)) + packet)
        while whole:
            whole = whole[os.write(self._in, whole) :]

    def _receive(self) -> tuple[int, bytes]:
        length, kind = _HEAD.unpack(self._exactly(_HEAD.size))
        if not 1 <= length <= MOST_PACKET:
            raise OSError("a packet longer than was asked for")
        return kind, self._exactly(length - 1)

    def _exactly(self, size: int) -> bytes:
        found = bytearray(size)
        rest = memoryview(found)
        while rest:
            if not self._poll.poll(self._timeout):
                raise TimeoutError
            count = os.readv(self._out, [rest])
            if not count:
                raise EOFError
            rest = rest[count:]
        return bytes(found)


def _refusal(body: bytes) -> OSError:
    """What a status means."""
    status = int.from_bytes(body[4:8])
    return {MISSING: FileNotFoundError, FORBIDDEN: PermissionError}.get(status, OSError)(status, "SFTP")
