"""A folder of an FTP server, plain or over TLS (`ftps://`, explicit, RFC 4217). Data connections go to the server that was judged."""

from __future__ import annotations

import ftplib
import posixpath
import socket
import ssl
from calendar import timegm
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime

from lienthong.connectors.addresses import close_quietly
from lienthong.connectors.base import ReadContext
from lienthong.connectors.folder import Address, Entry, FolderOptions, Lying, Stage, reach, walk
from lienthong.errors import SourceError

PIECE = 1 << 20


class _Tls(ftplib.FTP_TLS):
    """Data connections go on with the session of the control connection, as servers demand that see to it that both are one caller."""

    def ntransfercmd(self, cmd: str, rest: int | str | None = None) -> tuple[socket.socket, int | None]:
        connection, size = ftplib.FTP.ntransfercmd(self, cmd, rest)  # noqa: S321 # over TLS, below
        if getattr(self, "_prot_p", False):
            session = getattr(self.sock, "session", None)
            connection = self.context.wrap_socket(connection, server_hostname=self.host, session=session)
        return connection, size


class FtpFolder:
    """Options: `password`, and for `ftps` `ca` (a file of certificates)."""

    epoch: str | None = None

    def __init__(self, address: Address, options: FolderOptions, context: ReadContext) -> None:
        self._address, self._options, self._context = address, options, context
        self._password = options.own.text("password") or address.password
        self._ca = options.own.text("ca") if address.scheme == "ftps" else ""
        self._ftp: ftplib.FTP | None = None

    def opening(self) -> Iterator[Stage]:
        opened = yield from reach(self._address, self._options, self._context)
        seconds = self._options.limits.timeout_seconds
        is_tls = self._address.scheme == "ftps"
        with _words(self._address):
            self._ftp = ftp = _Tls(context=tls_context(self._ca), timeout=seconds) if is_tls else ftplib.FTP(timeout=seconds)  # noqa: S321 # some agencies have nothing else; the docs say to prefer TLS
            opened.settimeout(seconds)
            ftp.encoding = "utf-8"
            ftp.sock, ftp.host, ftp.af = opened, self._address.host, opened.family
            ftp.file = opened.makefile("r", encoding="utf-8", errors="surrogateescape")
            ftp.welcome = ftp.getresp()
            if isinstance(ftp, ftplib.FTP_TLS):
                ftp.auth()
        if is_tls:
            yield "encrypted"
        with _words(self._address):
            if isinstance(ftp, ftplib.FTP_TLS):
                ftp.login(self._address.user, self._password, secure=False)
                ftp.prot_p()
            else:
                ftp.login(self._address.user, self._password)
            ftp.voidcmd("TYPE I")
        yield "signed_in"

    def found(self, accepts: Callable[[str], bool], after: str | None) -> list[Lying]:  # noqa: ARG002 # names here do not grow
        with _words(self._address):
            return walk(self._listed, accepts, self._address.wanted)

    def facts(self, name: str) -> Lying:
        with _words(self._address, name):
            self._client.voidcmd("TYPE I")  # a listing leaves the connection in ASCII
            size = self._client.size(self._path(name))
            modified = None
            with suppress(ftplib.error_perm):
                modified = _seconds(self._client.voidcmd(f"MDTM {self._path(name)}").partition(" ")[2])
        return Lying(name, -1 if size is None else size, modified)

    def pieces(self, lying: Lying, offset: int) -> Iterator[bytes]:
        with _words(self._address, lying.name):
            self._client.voidcmd("TYPE I")
            connection = self._client.transfercmd(f"RETR {self._path(lying.name)}", rest=offset or None)
            with connection:
                while piece := connection.recv(PIECE):
                    yield piece
            self._client.voidresp()

    def close(self) -> None:
        if self._ftp is not None:
            close_quietly(self._ftp)

    @property
    def _client(self) -> ftplib.FTP:
        assert self._ftp is not None  # it is opened before it is used
        return self._ftp

    def _listed(self, folder: str) -> Iterator[Entry]:
        path = self._path(folder)
        try:
            for name, facts in list(self._client.mlsd(path, ["type", "size", "modify"])):
                kind = facts.get("type", "").lower()
                if kind in ("file", "dir"):
                    size = facts.get("size", "")
                    yield Entry(
                        Lying(name, int(size) if size.isdecimal() else -1, _seconds(facts.get("modify", ""))), is_folder=kind == "dir"
                    )
        except ftplib.error_perm as error:
            if not str(error).startswith(("500", "501", "502", "504")):
                raise
            for each in self._client.nlst(path):  # a server older than RFC 3659
                yield Entry(self._named(folder, posixpath.basename(each)))

    def _named(self, folder: str, name: str) -> Lying:
        with suppress(SourceError):
            found = self.facts(folder + name)
            return Lying(name, found.size, found.modified)
        return Lying(name)

    def _path(self, name: str) -> str:
        return posixpath.join(self._address.folder, name)


def tls_context(ca: str) -> ssl.SSLContext:
    """Verifies as ever; with `ca` by that file's certificates alone. Raises SourceError when it cannot be read."""
    try:
        return ssl.create_default_context(cafile=ca or None)
    except (OSError, ssl.SSLError) as error:
        raise SourceError("`folder.ca`: không đọc được tệp chứng thư / the file of certificates cannot be read.") from error


def _seconds(text: str) -> float | None:
    """RFC 3659 §2.3, always in UTC."""
    try:
        return float(timegm(datetime.strptime(text[:14], "%Y%m%d%H%M%S").timetuple()))  # noqa: DTZ007 # told to be UTC by timegm
    except ValueError:
        return None


@contextmanager
def _words(address: Address, name: str = "") -> Iterator[None]:
    what = f"`{address.where}{f'/{name}' if name else ''}`"
    try:
        yield
    except ftplib.error_perm as error:
        code = str(error)[:3]
        if code == "530":
            raise SourceError(f"{what}: máy chủ không nhận tài khoản / the server does not take this account.", hint="Check user and password.") from error  # fmt: skip
        if code == "550":
            raise SourceError(
                f"{what}: không tìm thấy / is not there, or may not be read.", hint="Has the agency delivered? May this account read it?"
            ) from error
        raise SourceError(
            f"{what}: máy chủ từ chối / the server refuses ({code}).", hint="Is it there, and may this account read it?"
        ) from error
    except ssl.SSLError as error:
        raise tls_refused(what, error) from error
    except (ftplib.Error, EOFError, TimeoutError, OSError, ValueError) as error:
        raise SourceError(
            f"{what}: kết nối FTP bị gián đoạn / the FTP connection broke off ({type(error).__name__}).",
            hint="Run again: what was fetched is kept.",
        ) from error


def tls_refused(what: str, error: ssl.SSLError) -> SourceError:
    """What a TLS failure means to a person."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return SourceError(
            f"{what}: chứng thư không được tin / its certificate is not trusted ({error.verify_message}).",
            hint="Put the authority's certificate into a file and name it in `folder.ca`; verification is never turned off.",
        )
    return SourceError(f"{what}: không lập được kết nối TLS / no TLS connection ({error.reason or type(error).__name__}).")
