"""A SOAP service described by a WSDL: its requests are made by zeep as the description has them, its answers read as strictly as XML files.

Nothing outside the description's own host (or folder) is fetched, whatever it imports, and no more of it than a bound; answers never become objects:
each element of one name is a row, its parts named by short paths, as text.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
from lxml import etree

from lienthong.connectors.base import Batch, Position, ReadContext
from lienthong.connectors.http_forms import Page, XmlForm, XmlPage
from lienthong.connectors.http_pages import HttpOptions, read_pages
from lienthong.connectors.http_session import Access, Asked, Limits, Manner, Session
from lienthong.connectors.options import Options
from lienthong.connectors.variables import expand
from lienthong.contracts import Source
from lienthong.errors import HostileInputError, SourceError

MOST_DOCUMENTS = 100
LARGEST_DOCUMENT = 8 * 1024 * 1024
LARGEST_FAULT = 64 * 1024
UNTOLD = "http://described/"  # an address that only the description knows
NIL = "{http://www.w3.org/2001/XMLSchema-instance}nil"


class SoapService:
    """Connector `soap`. `location` is the WSDL; options: `operation`, `service`, `port`, `address`, `parameters`, `security`, `row`, `fields`, those of `http_xml`."""

    def fingerprint(self, source: Source, context: ReadContext) -> str | None:
        del source, context
        return None

    def read(self, source: Source, context: ReadContext, after: Position | None = None) -> Iterator[Batch]:
        options = Options.of(source, context)
        asking = Asking.take(options, expand(source.location, context.variables))
        taken = HttpOptions.take(source, options, asking.address or UNTOLD, SoapForm())
        described = Described(asking)  # over the network: after every word of the contract was understood
        yield from read_pages(replace(taken, url=described.address, write=described.write), Faults(), context, after)


@dataclass(frozen=True)
class Asking:
    """What is asked, and how the asker shows who it is inside the message (WS-Security UsernameToken)."""

    wsdl: str
    operation: str
    service: str
    port: str
    address: str
    parameters: Mapping[str, Any]
    username: str = ""
    password: str = field(default="", repr=False)
    is_digest: bool = False

    @classmethod
    def take(cls, options: Options, wsdl: str) -> Asking:
        parameters = options.document("parameters")
        section = options.section("security")
        named: dict[str, Any] = {}
        if section is not None:
            section.choice("kind", ("username_token",), "username_token")
            named = {
                "username": section.text("username"),
                "password": section.text("password"),
                "is_digest": section.flag("digest", default=True),
            }
            section.close()
        texts = {name: options.text(name) for name in ("operation", "service", "port", "address")}
        if not texts["operation"]:
            raise options.required("operation")
        return cls(
            wsdl=wsdl,
            parameters=parameters if isinstance(parameters, Mapping) else {},
            operation=texts["operation"],
            service=texts["service"],
            port=texts["port"],
            address=texts["address"],
            **named,
        )


class Described:
    """A WSDL as zeep understands it, and the requests that follow from it."""

    def __init__(self, asking: Asking) -> None:
        zeep: Any = importlib.import_module("zeep")  # a second of every process that reads no SOAP; it publishes no types
        UsernameToken: Any = importlib.import_module("zeep.wsse.username").UsernameToken  # noqa: N806 # a class

        self._asking = asking
        security = UsernameToken(asking.username, asking.password, use_digest=asking.is_digest) if asking.username else None
        settings = zeep.Settings(strict=True, forbid_dtd=True, forbid_entities=True, xml_huge_tree=False)
        try:
            client = zeep.Client(asking.wsdl, wsse=security, transport=_transport(asking.wsdl), settings=settings)
            proxy = client.bind(asking.service or None, asking.port or None)
        except SourceError:
            raise
        except Exception as error:  # zeep and lxml raise of every kind over a description that is none
            raise self._not_understood(error) from error
        if proxy is None:
            raise self._not_understood(ValueError("it describes no service"))
        self._client = client
        self._proxy = proxy
        self.address = self._judged_address(str(proxy._binding_options["address"]))  # noqa: SLF001 # zeep has no other way to it
        if asking.operation not in dir(proxy):
            raise SourceError(
                f"`{asking.wsdl}`: không có thao tác / has no operation `{asking.operation}`.",
                hint=f"It has: {', '.join(sorted(dir(proxy)))}.",
            )

    def write(self, query: Mapping[str, str]) -> Asked:
        """The request of a page: the contract's parameters with those of the page put in their places (`a.b` is b inside a)."""
        zeep: Any = importlib.import_module("zeep")
        values = _copied(self._asking.parameters)
        for path, value in query.items():
            _put(values, path.split("."), value)
        try:
            envelope, headers = self._proxy._binding._create(  # noqa: SLF001 # what zeep itself sends, security included
                self._asking.operation,
                (),
                values,
                client=self._client,
                options=self._proxy._binding_options,  # noqa: SLF001 # as above
            )
        except (zeep.exceptions.Error, TypeError, ValueError) as error:
            raise SourceError(
                f"`{self._asking.operation}`: tham số không đúng mô tả / the parameters are not as described: {str(error)[:300]}.",
                hint="Look at the option `parameters`.",
            ) from error
        return Asked(
            "POST",
            {str(name): str(value) for name, value in headers.items()},
            etree.tostring(envelope, encoding="utf-8", xml_declaration=True),
        )

    def _judged_address(self, told: str) -> str:
        """Where requests go. A description on one host that sends us to another is not followed unless the contract says so."""
        if self._asking.address:
            return self._asking.address
        here, there = urlsplit(self._asking.wsdl), urlsplit(told)
        if here.scheme in ("http", "https") and (here.scheme, here.netloc) != (there.scheme, there.netloc):
            raise HostileInputError(
                f"`{self._asking.wsdl}`: mô tả dẫn sang máy chủ khác / the description leads to another host, {there.scheme}://{there.netloc}.",
                hint="If that is right, name it in the option `address`.",
            )
        return told

    def _not_understood(self, error: Exception) -> SourceError:
        said = (str(error).strip().splitlines() or [type(error).__name__])[0][:300]
        kind = (
            HostileInputError
            if type(error).__name__ in ("DTDForbidden", "EntitiesForbidden", "ExternalReferenceForbidden")
            else SourceError
        )
        return kind(
            f"`{self._asking.wsdl}`: không hiểu mô tả dịch vụ / the description is not understood ({type(error).__name__}: {said})."
        )


def _transport(wsdl: str) -> Any:
    """Zeep's way to documents, led through ours: only the description's own host, or for a file its own folder, so many documents, so many bytes."""
    from zeep.transports import Transport  # noqa: PLC0415 # as above

    class Guarded(Transport):
        count = 0

        def load(self, url: str) -> bytes:
            self.count += 1
            if self.count > MOST_DOCUMENTS:
                raise HostileInputError(f"`{wsdl}`: hơn/more than {MOST_DOCUMENTS} documents.")
            if urlsplit(wsdl).scheme in ("http", "https"):
                with Session(wsdl, Access("none"), Limits(30, 2, LARGEST_DOCUMENT), accept="text/xml, application/xml, */*") as session:
                    return session.get(url, {}, f"`{url}`").body
            return _near(url, wsdl)

        def get(self, address: str, *_: Any) -> Any:
            raise HostileInputError(f"`{address}`: not asked by us.")

        post = get

    make: Any = Guarded
    return make()


def _near(url: str, wsdl: str) -> bytes:
    path, folder = Path(url.removeprefix("file://")).resolve(), Path(wsdl).resolve().parent
    if urlsplit(url).scheme in ("http", "https") or not path.is_relative_to(folder):
        raise HostileInputError(f"`{wsdl}`: mô tả dẫn ra ngoài / the description reaches outside its folder, for `{url[:200]}`.")
    try:
        if path.stat().st_size > LARGEST_DOCUMENT:
            raise HostileInputError(f"`{url}`: larger than {LARGEST_DOCUMENT} bytes.")
        return path.read_bytes()
    except OSError as error:
        raise SourceError(f"`{url}`: không đọc được / cannot be read ({error.strerror}).") from error


class SoapForm(XmlForm):
    accepts = "text/xml, application/soap+xml"

    def page(self, body: bytes) -> Page:
        return SoapPage(_envelope(body))


class SoapPage(XmlPage):
    """An envelope. What is told of the next page is named from wherever its first part stands; what is nil is not there."""

    def __init__(self, body: bytes) -> None:
        super().__init__(body)
        for element in [each for each in self._root.iter() if each.get(NIL) in ("true", "1")]:
            parent = element.getparent()
            if parent is not None:
                parent.remove(element)

    def text(self, path: tuple[str, ...]) -> str | None:
        first = next(self._root.iter(f"{{*}}{path[0]}"), None)
        if first is None:
            return None
        for step in path[1:]:
            first = first.find(f"{{*}}{step}")
            if first is None:
                return None
        return (first.text or "").strip()


def _envelope(body: bytes) -> bytes:
    """The envelope of an answer; of a multipart one its first part."""
    if not body.startswith(b"--"):
        return body
    boundary = body.partition(b"\n")[0].rstrip(b"\r")
    return body.split(boundary)[1].partition(b"\r\n\r\n")[2].removesuffix(b"\r\n")


class Faults(Manner):
    """A fault is told in the service's words; one of the service's own side may pass when it comes with 503."""

    def check(self, response: httpx.Response, sent: Mapping[str, str], what: str) -> None:
        del sent
        if response.status_code not in (400, 500):
            return
        body = b""
        for chunk in response.iter_bytes():
            body += chunk
            if len(body) > LARGEST_FAULT:
                return
        told = fault_in(body)
        if told is not None:
            raise SourceError(f"{what}: dịch vụ báo lỗi / the service says: {told}", hint="The words are the agency's; ask it with them.")


def fault_in(body: bytes) -> str | None:
    """Code and words of a fault of SOAP 1.1 or 1.2, None when the answer is none."""
    with suppress(Exception):  # an answer that is no envelope is told by its status
        page = SoapPage(_envelope(body))
        if page.text(("Fault",)) is None:
            return None
        code = page.text(("Fault", "faultcode")) or page.text(("Fault", "Code", "Value")) or ""
        words = page.text(("Fault", "faultstring")) or page.text(("Fault", "Reason", "Text")) or ""
        return f"{code}: {words}"[:400]
    return None


def _copied(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _copied(inner) for key, inner in value.items()}
    return [_copied(inner) for inner in value] if isinstance(value, list | tuple) else value


def _put(values: dict[str, Any], path: list[str], value: str) -> None:
    for name in path[:-1]:
        inner = values.setdefault(name, {})
        if not isinstance(inner, dict):
            raise SourceError(f"Option `parameters`: `{name}` is no mapping, and a page is to be put inside it.")
        values = inner
    values[path[-1]] = value
