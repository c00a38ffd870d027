"""A folder of an SSH server whose host key is known beforehand: any other is refused, and nothing is sent to it."""

from __future__ import annotations

import base64
import posixpath
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import paramiko
from paramiko.pkey import UnknownKeyType

from lienthong.connectors.addresses import close_quietly
from lienthong.connectors.base import ReadContext
from lienthong.connectors.folder import Address, Entry, FolderOptions, Lying, Stage, reach, walk
from lienthong.connectors.sftp_lane import LEAST, NoLane, Way, lane
from lienthong.errors import HostileInputError, SourceError

REQUEST = 131_072  # bytes asked for at once: three times as fast as the usual 32 768 (measured against OpenSSH)
WINDOW = 128 * REQUEST  # bytes under way; all that is ever held
CHANNEL = 1 << 20  # bytes the library may hold unread: each read moves the rest, so 64 MiB cost three times the work (measured)
CIPHERS = ("aes128-gcm@openssh.com", "aes256-gcm@openssh.com")  # half the work of counter mode with a separate code


class SftpFolder:
    """Options: `host_key` (required), `password`, `key_file`, `key_password`."""

    epoch: str | None = None

    def __init__(self, address: Address, options: FolderOptions, context: ReadContext) -> None:
        self._address, self._options, self._context = address, options, context
        own = options.own
        self._host_key = _read_key(own.text("host_key"), own.required("folder.host_key"))
        self._password = own.text("password") or address.password
        self._key_file = own.text("key_file")
        self._key_password = own.text("key_password")
        self._transport: paramiko.Transport | None = None
        self._sftp: paramiko.SFTPClient | None = None
        self._way: Way | None = None

    def opening(self) -> Iterator[Stage]:
        opened = yield from reach(self._address, self._options, self._context)
        ip, port = opened.getpeername()[:2]
        with _words(self._address):
            self._transport = transport = paramiko.Transport(opened, default_window_size=CHANNEL, default_max_packet_size=2 * REQUEST)
            transport.banner_timeout = transport.handshake_timeout = transport.auth_timeout = self._options.limits.timeout_seconds
            security = transport.get_security_options()
            security.ciphers = (*CIPHERS, *(each for each in security.ciphers if each not in CIPHERS))
            security.key_types = _first(security.key_types, self._host_key.get_name())
            transport.start_client(timeout=self._options.limits.timeout_seconds)
            if transport.get_remote_server_key() != self._host_key:
                close_quietly(transport)
                raise HostileInputError(
                    f"`{self._address.where}`: khóa máy chủ khác với khóa đã thỏa thuận / shows another host key than the one agreed: nothing was sent.",
                    hint="Ask the agency whether its server was replaced, then put the new key into the option `folder.host_key`.",
                )
        yield "host_key"
        with _words(self._address):
            self._sign_in(transport)
            self._sftp = paramiko.SFTPClient.from_transport(transport)
            channel = self._sftp.get_channel() if self._sftp is not None else None
            if channel is not None:
                channel.settimeout(self._options.limits.timeout_seconds)
        self._way = self._for_large_files(ip, port)
        yield "signed_in"

    def found(self, accepts: Callable[[str], bool], after: str | None) -> list[Lying]:  # noqa: ARG002 # names here do not grow
        with _words(self._address):
            return walk(self._listed, accepts, self._address.wanted)

    def facts(self, name: str) -> Lying:
        with _words(self._address, name):
            found = self._client.stat(self._path(name))
        if not stat.S_ISREG(found.st_mode or 0):
            raise SourceError(f"`{name}`: là thư mục, cần tệp / is a folder, expected a file.", hint=f"Write `{name}/*` to read its files.")
        return _facts(name, found)

    def pieces(self, lying: Lying, offset: int) -> Iterator[bytes]:
        with _words(self._address, lying.name):
            if self._way is not None and lying.size - offset >= LEAST:
                try:
                    with lane(self._way) as line:
                        yield from line.pieces(self._path(lying.name), offset, lying.size)
                    return
                except NoLane:
                    self._way = None  # nor for the next file
            yield from self._pieces_here(lying, offset)

    def _pieces_here(self, lying: Lying, offset: int) -> Iterator[bytes]:
        with self._client.open(self._path(lying.name), "rb") as file:
            for begin in range(offset, lying.size, WINDOW):
                end = min(begin + WINDOW, lying.size)
                yield from file.readv([(place, min(REQUEST, end - place)) for place in range(begin, end, REQUEST)])

    def part(self, lying: Lying, offset: int, size: int) -> bytes:
        """Bytes from the middle of a file."""
        with _words(self._address, lying.name), self._client.open(self._path(lying.name), "rb") as file:
            file.seek(offset)
            return file.read(min(size, lying.size - offset))

    def close(self) -> None:
        if self._transport is not None:
            close_quietly(self._transport)

    @property
    def _client(self) -> paramiko.SFTPClient:
        assert self._sftp is not None  # it is opened before it is used
        return self._sftp

    def _sign_in(self, transport: paramiko.Transport) -> None:
        if self._key_file:
            key = paramiko.PKey.from_path(self._key_file, self._key_password.encode() or None)  # type: ignore[arg-type] # bytes, since 5.0
            transport.auth_publickey(self._address.user, key)
        if not transport.is_authenticated():
            transport.auth_password(self._address.user, self._password)

    def _for_large_files(self, ip: str, port: int) -> Way | None:
        if self._key_password:
            return None
        kind = self._host_key.get_name()
        kinds = ("rsa-sha2-512", "rsa-sha2-256") if kind == "ssh-rsa" else (kind,)
        way = Way(
            ip,
            port,
            kinds,
            f"{kind} {self._host_key.get_base64()}",
            self._address.user,
            self._key_file,
            self._options.limits.timeout_seconds,
        )
        return way if way.is_open_to_program else None

    def _listed(self, folder: str) -> Iterator[Entry]:
        for each in self._client.listdir_attr(self._path(folder)):
            mode = each.st_mode or 0
            if stat.S_ISLNK(mode):
                yield from self._followed(folder, each.filename)
            elif stat.S_ISDIR(mode) or stat.S_ISREG(mode):
                yield Entry(_facts(each.filename, each), is_folder=stat.S_ISDIR(mode))

    def _followed(self, folder: str, name: str) -> Iterator[Entry]:
        """A link inside the folder is the file it leads to; one that leads out is refused."""
        target = self._client.normalize(self._path(folder + name))
        home = self._client.normalize(self._address.folder)
        if not f"{target}/".startswith(f"{home.rstrip('/')}/"):
            raise HostileInputError(f"`{folder}{name}`: liên kết ra ngoài thư mục nguồn / is a link out of the source's folder.")
        found = self._client.stat(target)
        if stat.S_ISREG(found.st_mode or 0):
            yield Entry(_facts(name, found))

    def _path(self, name: str) -> str:
        return posixpath.join(self._address.folder, name)


def _facts(name: str, found: Any) -> Lying:
    return Lying(name, -1 if found.st_size is None else found.st_size, None if found.st_mtime is None else float(found.st_mtime))


def _first(kinds: Sequence[str], agreed: str) -> tuple[str, ...]:
    """The kind of the agreed key alone: a server with several keys must show that one. RSA keys sign under several names."""
    names = [kind for kind in kinds if kind == agreed or (agreed == "ssh-rsa" and kind.startswith("rsa-sha2"))]
    return tuple(names or kinds)


def _read_key(text: str, missing: SourceError) -> paramiko.PKey:
    if not text:
        missing.hint = (
            "Ask the agency for the public key of its server (`ssh-ed25519 AAAA…`); `ssh-keyscan` shows it, a person must compare it."
        )
        raise missing
    kind, _, rest = text.strip().partition(" ")
    try:
        return paramiko.PKey.from_type_string(kind, base64.b64decode(rest.split(" ")[0]))
    except (ValueError, paramiko.SSHException, UnknownKeyType, AttributeError) as error:
        raise SourceError(
            "`folder.host_key`: không đọc được khóa / expected `ssh-ed25519 AAAA…`, as the server's public key file has it."
        ) from error


@contextmanager
def _words(address: Address, name: str = "") -> Iterator[None]:
    what = f"`{address.where}{f'/{name}' if name else ''}`"
    try:
        yield
    except FileNotFoundError as error:
        raise SourceError(
            f"{what}: không tìm thấy / is not there.", hint="Has the agency delivered? Is the folder written right?"
        ) from error
    except PermissionError as error:
        raise SourceError(
            f"{what}: không được phép đọc / may not be read by this account.", hint="Ask the agency to let it read."
        ) from error
    except paramiko.AuthenticationException as error:
        raise SourceError(
            f"{what}: máy chủ không nhận tài khoản / the server does not take this account.",
            hint="Check user, password or key; is our public key known there?",
        ) from error
    except (paramiko.SSHException, EOFError, TimeoutError, OSError, ValueError) as error:
        said = type(error).__name__
        raise SourceError(
            f"{what}: kết nối SSH bị gián đoạn / the SSH connection broke off ({said}).", hint="Run again: what was fetched is kept."
        ) from error
