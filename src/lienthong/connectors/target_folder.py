"""A folder that always holds one current file of a copy: on this machine, or an agency's by SFTP.

A file is written under a temporary name, hashed on its way and renamed when it is whole; then comes its manifest, its done-marker, and last
`<name>.latest.json`, which says which file is current. Whoever reads `latest` never meets half a file.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import posixpath
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Protocol
from urllib.parse import unquote, urlsplit

from lienthong.connectors.target import TargetError, TargetOptions

CONNECT_SECONDS = 10.0
ANSWER_SECONDS = 120.0
PIECE = 1 << 20
LARGEST_MANIFEST = 1_000_000
PART = ".part"


class Shelf(Protocol):
    """Where files lie."""

    def write(self, name: str) -> Any:
        """A file to write to, as a context manager."""

    def read(self, name: str) -> Any:
        """A file to read from, as a context manager. Raises FileNotFoundError."""

    def rename(self, old: str, new: str) -> None:
        """In one step; what had the new name is gone."""

    def remove(self, name: str) -> None:
        """Remove a file, or nothing when there is none."""

    def close(self) -> None:
        """Give the connection back."""


@dataclass(frozen=True)
class LocalShelf:
    folder: Path

    @contextmanager
    def write(self, name: str) -> Iterator[IO[bytes]]:
        with (self.folder / name).open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())

    @contextmanager
    def read(self, name: str) -> Iterator[IO[bytes]]:
        with (self.folder / name).open("rb") as file:
            yield file

    def rename(self, old: str, new: str) -> None:
        (self.folder / old).replace(self.folder / new)

    def remove(self, name: str) -> None:
        (self.folder / name).unlink(missing_ok=True)

    def close(self) -> None:
        """Nothing is held."""


class SftpShelf:
    """A folder of an SSH server whose host key is known beforehand: any other is refused."""

    def __init__(self, options: TargetOptions) -> None:
        import paramiko  # noqa: PLC0415 # a large import that only syncs by SFTP need
        from paramiko.pkey import UnknownKeyType  # noqa: PLC0415 # as above

        place = urlsplit(options.location)
        host, port = place.hostname or "", place.port or 22
        self._folder = unquote(place.path) or "."
        self._client = paramiko.SSHClient()
        self._client.set_missing_host_key_policy(paramiko.RejectPolicy())
        kind, _, text = str(options.more.get("host_key", "")).strip().partition(" ")
        try:
            key = paramiko.PKey.from_type_string(kind, base64.b64decode(text.split(" ")[0]))
        except (ValueError, paramiko.SSHException, UnknownKeyType, AttributeError) as error:
            raise TargetError(
                "`host_key`: expected `ssh-ed25519 AAAA…`, as the server's key file has it.", vi="`host_key` không đọc được."
            ) from error
        self._client.get_host_keys().add(host if port == 22 else f"[{host}]:{port}", kind, key)
        key_file = options.more.get("key_file")
        try:
            self._client.connect(
                host, port, username=unquote(place.username or ""), password=options.password or None,
                key_filename=str(key_file) if key_file else None, look_for_keys=False, allow_agent=False,
                timeout=CONNECT_SECONDS, banner_timeout=CONNECT_SECONDS, auth_timeout=CONNECT_SECONDS,
            )  # fmt: skip
            self._sftp = self._client.open_sftp()
            channel = self._sftp.get_channel()
            if channel is not None:
                channel.settimeout(ANSWER_SECONDS)
        except paramiko.BadHostKeyException as error:
            raise TargetError(
                "The SSH server shows another host key than the one agreed: nothing was sent.",
                hint="Ask the agency whether its server was replaced, then write the new key into the definition.",
                vi="Máy chủ SSH có khóa khác với khóa đã thỏa thuận: chưa gửi gì.",
                hint_vi="Hỏi cơ quan có thay máy chủ không, rồi ghi khóa mới vào định nghĩa.",
            ) from error
        except (paramiko.SSHException, OSError) as error:
            self._client.close()
            raise TargetError(
                f"The SSH server does not let us in: {type(error).__name__}.",
                hint="Is it up, and is our key known there?",
                vi=f"Không vào được máy chủ SSH: {type(error).__name__}.",
                hint_vi="Máy chủ có đang chạy không, đã có khóa của ta chưa?",
            ) from error

    @contextmanager
    def write(self, name: str) -> Iterator[Any]:
        with self._sftp.open(self._path(name), "wb") as file:
            file.set_pipelined(True)
            yield file

    @contextmanager
    def read(self, name: str) -> Iterator[Any]:
        with self._sftp.open(self._path(name), "rb") as file:
            yield file

    def rename(self, old: str, new: str) -> None:
        self._sftp.posix_rename(self._path(old), self._path(new))

    def remove(self, name: str) -> None:
        with suppress(FileNotFoundError):
            self._sftp.remove(self._path(name))

    def close(self) -> None:
        self._client.close()

    def _path(self, name: str) -> str:
        return posixpath.join(self._folder, name)


@dataclass(frozen=True)
class Manifest:
    """What `latest` says of the current file."""

    file: str
    version: int
    view: str
    rows: int
    bytes: int
    sha256: str
    more: Mapping[str, Any]


class FolderTarget:
    """One sync's file in a folder."""

    def __init__(self, options: TargetOptions) -> None:
        self._name = str(options.more["name"])
        if options.kind == "sftp":
            self._shelf: Shelf = SftpShelf(options)
        else:
            folder = Path(options.location.removeprefix("file://"))
            if not folder.is_dir():
                raise TargetError(
                    f"There is no folder `{folder}`.",
                    hint="Make it, and let this account write there.",
                    vi=f"Không có thư mục `{folder}`.",
                    hint_vi="Hãy tạo thư mục đó và cho tài khoản này được ghi vào.",
                )
            self._shelf = LocalShelf(folder)

    def close(self) -> None:
        self._shelf.close()

    def latest(self) -> Manifest | None:
        """Which file is current; None when there is none, or the manifest was damaged."""
        with _words():
            try:
                with self._shelf.read(f"{self._name}.latest.json") as file:
                    found = json.loads(file.read(LARGEST_MANIFEST))
                return Manifest(
                    found.pop("file"), found.pop("version"), found.pop("view"), found.pop("rows"), found.pop("bytes"), found.pop("sha256"), found
                )  # fmt: skip
            except (FileNotFoundError, ValueError, KeyError, TypeError, AttributeError):
                return None

    def put(self, suffix: str, pieces: Iterable[bytes], version: int, view: str, rows: Any, more: Mapping[str, Any]) -> Manifest:
        """Write a whole file and make it the current one. `rows` is called when the last piece is written."""
        name = f"{self._name}-{version}.{suffix}"
        digest, size = hashlib.sha256(), 0
        before = self.latest()
        with _words():
            with self._shelf.write(name + PART) as file:
                for piece in pieces:
                    digest.update(piece)
                    size += len(piece)
                    file.write(piece)
            manifest = Manifest(name, version, view, rows(), size, digest.hexdigest(), more)
            text = _text(manifest)
            self._shelf.remove(name + ".done")  # a file made anew under its old name is not done until it is
            self._shelf.rename(name + PART, name)
            for note, content in ((f"{name}.json", text), (f"{name}.done", b""), (f"{self._name}.latest.json", text)):
                with self._shelf.write(note + PART) as file:
                    file.write(content)
                self._shelf.rename(note + PART, note)
            if before is not None and before.file != name:
                for old in (before.file + ".done", before.file + ".json", before.file):
                    self._shelf.remove(old)
        return manifest

    def is_whole(self, manifest: Manifest) -> bool:
        """Whether the current file is there, as it was written."""
        digest = hashlib.sha256()
        with _words():
            try:
                with self._shelf.read(manifest.file) as file:
                    while piece := file.read(PIECE):
                        digest.update(piece)
                with self._shelf.read(manifest.file + ".done"):
                    pass
            except FileNotFoundError:
                return False
        return digest.hexdigest() == manifest.sha256


def _text(manifest: Manifest) -> bytes:
    found = {"file": manifest.file, "version": manifest.version, "view": manifest.view, "rows": manifest.rows, "bytes": manifest.bytes,
             "sha256": manifest.sha256, **manifest.more}  # fmt: skip
    return json.dumps(found, ensure_ascii=False, indent=1).encode()


@contextmanager
def _words() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        said = error.strerror or type(error).__name__
        raise TargetError(
            f"The target's folder: {said}.",
            hint="Is there room, and may this account write there?",
            vi=f"Thư mục đích: {said}.",
            hint_vi="Ở đó còn chỗ trống không, tài khoản này có được ghi vào đó không?",
        ) from error
    except EOFError as error:
        raise TargetError("The SSH server went away.", vi="Máy chủ SSH đã ngắt kết nối.") from error
