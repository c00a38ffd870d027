"""Files of a web server: one by its address, or a folder it shows as a page of links or by WebDAV (RFC 4918)."""

from __future__ import annotations

import posixpath
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote, unquote, urljoin, urlsplit

import httpx
from lxml import etree, html

from lienthong.connectors.addresses import close_quietly, connected, judged
from lienthong.connectors.base import ReadContext
from lienthong.connectors.folder import Address, Entry, FolderOptions, Lying, Stage, walk
from lienthong.connectors.folder_ftp import tls_context, tls_refused
from lienthong.connectors.http_session import Access
from lienthong.errors import HostileInputError, SourceError

MOST_OF_A_LISTING = 32 << 20
DAV = "{DAV:}"
ASKED = (
    b'<?xml version="1.0"?><propfind xmlns="DAV:"><prop><resourcetype/><getcontentlength/><getlastmodified/><getetag/></prop></propfind>'
)


class HttpFolder:
    """Options: `auth` (as of `http_json`, without OAuth 2), `user` and `password` in short, `ca`."""

    epoch: str | None = None

    def __init__(self, address: Address, options: FolderOptions, context: ReadContext) -> None:
        self._address, self._options, self._context = address, options, context
        own = options.own
        self._access = Access.take(own.section("auth"))
        password = own.text("password") or address.password
        if password and address.user:
            self._access = Access("basic", client_id=address.user, client_secret=password)
        if self._access.kind == "oauth2_client_credentials":
            raise own.wrong("auth.kind", "bearer, api_key or basic", self._access.kind)
        self._ca = own.text("ca")
        self._is_dav = address.scheme.startswith("webdav+")
        self._scheme = address.scheme.removeprefix("webdav+")
        self._client: httpx.Client | None = None
        self._at = ""

    def opening(self) -> Iterator[Stage]:
        address = self._address
        addresses = judged(address.host, address.port, self._context.networks)
        yield "resolved"
        probe = connected(address.host, address.port, addresses, self._options.limits.timeout_seconds)
        self._at = str(probe.getpeername()[0])  # the address that was judged is the one spoken to
        close_quietly(probe)
        yield "connected"
        verify: ssl.SSLContext | bool = tls_context(self._ca) if self._scheme == "https" else False
        self._client = httpx.Client(timeout=self._options.limits.timeout_seconds, follow_redirects=False, verify=verify, trust_env=False)
        with self._words():
            self._check(
                self._sent("HEAD" if not address.is_pattern else "OPTIONS", self._url("" if address.is_pattern else address.wanted))
            )
        if self._scheme == "https":
            yield "encrypted"
        yield "signed_in"

    def found(self, accepts: Callable[[str], bool], after: str | None) -> list[Lying]:  # noqa: ARG002 # names here do not grow
        with self._words():
            found = walk(self._shared if self._is_dav else self._linked, accepts, self._address.wanted)
            return found if self._is_dav else [self.facts(each.name) for each in found]

    def facts(self, name: str) -> Lying:
        with self._words(name):
            response = self._sent("HEAD", self._url(name))
            self._check(response, name)
        told = response.headers
        length = told.get("Content-Length", "")
        size = int(length) if length.isdecimal() and "Content-Encoding" not in told else -1
        return Lying(name, size, _instant(told.get("Last-Modified")), _tag(told.get("ETag")))

    def pieces(self, lying: Lying, offset: int) -> Iterator[bytes]:
        headers = {"Accept-Encoding": "identity"}
        if offset:
            headers["Range"] = f"bytes={offset}-"
            headers |= {"If-Range": f'"{lying.tag}"'} if lying.tag and not lying.tag.startswith("W/") else {}
        with self._words(lying.name), self._streamed("GET", self._url(lying.name), headers) as response:
            self._check(response, lying.name)
            left = offset if response.status_code != 206 else 0  # a server that begins anew: what is here is passed over
            for piece in response.iter_raw():
                if left >= len(piece):
                    left -= len(piece)
                    continue
                yield piece[left:]
                left = 0

    def close(self) -> None:
        if self._client is not None:
            close_quietly(self._client)

    def _linked(self, folder: str) -> Iterator[Entry]:
        """A page of links, as web servers show a folder: what lies straight in it."""
        base = self._url(folder)
        page = html.document_fromstring(self._body("GET", base) or b"<html/>")
        seen = set()
        for link in page.iterfind(".//a[@href]"):
            name = self._child(base, link.get("href") or "")
            if name and name not in seen:
                seen.add(name)
                yield Entry(Lying(name.rstrip("/")), is_folder=name.endswith("/"))

    def _shared(self, folder: str) -> Iterator[Entry]:
        base = self._url(folder)
        parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
        try:
            tree = etree.fromstring(self._body("PROPFIND", base), parser)
        except etree.XMLSyntaxError as error:
            raise SourceError(f"`{self._address.where}`: không phải WebDAV / does not answer as WebDAV does.") from error
        if tree.getroottree().docinfo.doctype:
            raise HostileInputError(f"`{self._address.where}`: XML có DOCTYPE / its answer has a DOCTYPE, which is refused.")
        for each in tree.iterfind(f"{DAV}response"):
            name = self._child(base, each.findtext(f"{DAV}href") or "")
            if not name:
                continue
            length = each.findtext(f".//{DAV}getcontentlength") or ""
            modified, tag = each.findtext(f".//{DAV}getlastmodified"), _tag(each.findtext(f".//{DAV}getetag"))
            is_folder = each.find(f".//{DAV}collection") is not None
            facts = Lying(name.rstrip("/"), int(length) if length.isdecimal() else -1, _instant(modified), tag)
            yield Entry(facts, is_folder=is_folder)

    def _child(self, base: str, href: str) -> str:
        """The name of what a link leads to, straight under `base`; empty when it leads anywhere else."""
        try:
            found, home = urlsplit(urljoin(base, href)), urlsplit(base)
        except ValueError:
            return ""
        if (found.scheme, found.netloc) != (home.scheme, home.netloc) or found.query or found.fragment:
            return ""
        path, root = unquote(found.path), unquote(home.path)
        rest = path[len(root) :] if path.startswith(root) else ""
        return rest if rest and "/" not in rest.rstrip("/") and rest.strip("/") not in (".", "..") else ""

    def _url(self, name: str) -> str:
        folder = quote(unquote(self._address.folder)).rstrip("/")
        port = "" if self._address.port == {"http": 80, "https": 443}[self._scheme] else f":{self._address.port}"
        wanted = name if not self._address.is_pattern else quote(name)
        return f"{self._scheme}://{self._address.host}{port}{folder}/{wanted}"

    def _body(self, method: str, url: str) -> bytes:
        headers = {"Depth": "1", "Content-Type": "application/xml"} if method == "PROPFIND" else {}
        with self._streamed(method, url, headers, ASKED if method == "PROPFIND" else None) as response:
            self._check(response)
            parts, size = [], 0
            for piece in response.iter_bytes():
                size += len(piece)
                if size > MOST_OF_A_LISTING:
                    raise HostileInputError(
                        f"`{self._address.where}`: danh sách quá dài / its listing is longer than {MOST_OF_A_LISTING} bytes."
                    )
                parts.append(piece)
        return b"".join(parts)

    def _sent(self, method: str, url: str) -> httpx.Response:
        with self._streamed(method, url, {}) as response:
            return response

    @contextmanager
    def _streamed(self, method: str, url: str, headers: Mapping[str, str], content: bytes | None = None) -> Iterator[httpx.Response]:
        """A request to the judged address, under the name it was judged for."""
        assert self._client is not None  # it is opened before it is used
        place = urlsplit(url)
        at = f"[{self._at}]" if ":" in self._at else self._at
        numbered = place._replace(netloc=f"{at}:{self._address.port}").geturl()
        more = {"Host": place.netloc, **headers, **self._credentials()}
        auth = httpx.BasicAuth(self._access.client_id, self._access.client_secret) if self._access.kind == "basic" else None
        extensions: dict[str, Any] = {"sni_hostname": self._address.host}
        with self._client.stream(method, numbered, headers=more, content=content, auth=auth, extensions=extensions) as response:
            yield response

    def _credentials(self) -> dict[str, str]:
        if self._access.kind == "api_key":
            return {self._access.header: self._access.token}
        return {"Authorization": f"Bearer {self._access.token}"} if self._access.kind == "bearer" else {}

    def _check(self, response: httpx.Response, name: str = "") -> None:
        what = f"`{posixpath.join(self._address.where, name)}`"
        status = response.status_code
        if response.is_success or (status in (405, 501) and response.request.method in ("OPTIONS", "HEAD")):
            return
        if status in (401, 403):
            raise SourceError(
                f"{what}: máy chủ không nhận tài khoản / the server does not let us in ({status}).", hint="Check `folder.auth`."
            )
        if response.is_redirect:
            raise HostileInputError(f"{what}: máy chủ chuyển hướng / the server leads elsewhere: not followed.", hint="Write the address it leads to.")  # fmt: skip
        if status in (404, 410):
            raise SourceError(f"{what}: không tìm thấy / is not there.", hint="Has the agency delivered? Is the address written right?")
        raise SourceError(f"{what}: máy chủ trả lời / the server answered {status}.")

    @contextmanager
    def _words(self, name: str = "") -> Iterator[None]:
        what = f"`{posixpath.join(self._address.where, name)}`"
        try:
            yield
        except httpx.ConnectError as error:
            cause: BaseException | None = error
            while cause is not None and not isinstance(cause, ssl.SSLError):
                cause = cause.__cause__ or cause.__context__
            if isinstance(cause, ssl.SSLError):
                raise tls_refused(what, cause) from error
            raise SourceError(f"{what}: không kết nối được / cannot be reached.") from error
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            raise SourceError(
                f"{what}: kết nối bị gián đoạn / the connection broke off ({type(error).__name__}).",
                hint="Run again: what was fetched is kept.",
            ) from error


def _tag(text: str | None) -> str:
    """An entity tag (RFC 9110 §8.8.3) without its quotes, which some servers leave out in WebDAV's answers."""
    return (text or "").strip().strip('"')


def _instant(text: str | None) -> float | None:
    try:
        return None if text is None else parsedate_to_datetime(text).timestamp()
    except (ValueError, TypeError):
        return None
