"""A SOAP service of another member, read through the province's X-Road security server: each element of one name in its answer is a row.

An answer is one page; where the service tells of more, `next` names the element of its answer that becomes the element `cursor` of the next request.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import httpx
import pyarrow as pa
from lxml import etree

from lienthong.access.xroad import new_id
from lienthong.access.xroad_soap import Fault, read_answer, write_request
from lienthong.connectors.base import Batch, Position, ReadContext, SourceFile
from lienthong.connectors.json_values import as_table
from lienthong.connectors.options import Options
from lienthong.connectors.variables import expand
from lienthong.connectors.xroad_asking import Asking, judge
from lienthong.contracts import Source
from lienthong.errors import HostileInputError, SourceError

FIRST_WAIT_SECONDS = 0.5
LONGEST_WAIT_SECONDS = 60.0
XML = "text/xml; charset=utf-8"


@dataclass(frozen=True)
class SoapOptions:
    url: str
    asking: Asking
    namespace: str
    parameters: Mapping[str, str]
    row: str
    fields: Mapping[str, tuple[str, ...]]
    cursor: str
    next: str
    timeout_seconds: float
    retries: int
    max_bytes: int
    max_pages: int

    @classmethod
    def take(cls, source: Source, context: ReadContext) -> SoapOptions:
        options = Options.of(source, context)
        taken = cls(
            url=expand(source.location, context.variables),
            asking=Asking.take(options, options.section("xroad")),
            namespace=options.text("namespace"),
            parameters=options.mapping("parameters"),
            row=options.text("row"),
            fields={name: tuple(path.strip("/").split("/")) for name, path in options.mapping("fields").items()},
            cursor=options.text("cursor"),
            next=options.text("next"),
            timeout_seconds=options.seconds("timeout_seconds", 60),
            retries=options.number("retries", 5),
            max_bytes=options.number("max_bytes", 2 * 1024 * 1024, 1),
            max_pages=options.number("max_pages", 100_000, 1),
        )
        options.close()
        for name in ("namespace", "row", "fields"):
            if not getattr(taken, name):
                raise options.required(name)
        if bool(taken.cursor) != bool(taken.next):
            raise options.required("next" if taken.cursor else "cursor")
        return taken


class XRoadSoap:
    """Connector `xroad_soap`. `location` is the security server; options: `xroad`, `namespace`, `parameters`, `row`, `fields`, `cursor`, `next`, limits."""

    def fingerprint(self, source: Source, context: ReadContext) -> str | None:
        del source, context
        return None  # the service would have to be read whole

    def read(self, source: Source, context: ReadContext, after: Position | None = None) -> Iterator[Batch]:
        options = SoapOptions.take(source, context)
        with httpx.Client(
            timeout=options.timeout_seconds, follow_redirects=False, headers={"Content-Type": XML, "SOAPAction": ""}
        ) as client:
            yield from _batches(options, client, context.batch_rows, after, time.sleep)


def _batches(
    options: SoapOptions, client: httpx.Client, batch_rows: int, after: Position | None, sleep: Callable[[float], None]
) -> Iterator[Batch]:
    """The position is `{"cursor": of the page, "skip": rows of it already given, "row": rows given in all}`."""
    cursor = str(after["cursor"]) if after is not None else ""
    skip, row = (int(after["skip"]), int(after["row"])) if after is not None else (0, 0)
    file = SourceFile(uri=f"{options.asking.service}")
    seen: set[str] = set()
    any_batch = False
    for _ in range(options.max_pages):
        answer = _ask(options, client, cursor, sleep)
        rows = [_values(options, element) for element in answer.iter(f"{{*}}{options.row}")]
        for begin in range(skip, len(rows), batch_rows):
            part = rows[begin : begin + batch_rows]
            numbers = pa.array(range(row + 1, row + 1 + len(part)), pa.int64())
            row, any_batch = row + len(part), True
            position = {"cursor": cursor, "skip": begin + len(part), "row": row}
            yield Batch(file=file, table=as_table(part, list(options.fields)), source_rows=numbers, position=position)
        following = _first(answer, options.next)
        if not following:
            break
        if following in seen:
            raise HostileInputError(f"`{file.uri}`: con trỏ lặp lại / a cursor leads back to itself.")
        seen.add(following)
        cursor, skip = following, 0
    else:
        raise HostileInputError(f"`{file.uri}`: hơn/more than {options.max_pages} pages.", hint="Raise `max_pages` if so many are right.")
    if not any_batch:
        empty = {"cursor": cursor, "skip": skip, "row": row}
        yield Batch(file=file, table=as_table([], list(options.fields)), source_rows=pa.array([], pa.int64()), position=empty)


def _ask(options: SoapOptions, client: httpx.Client, cursor: str, sleep: Callable[[float], None]) -> etree._Element:
    asking = options.asking
    what = f"`{asking.service}`"
    for attempt in range(options.retries + 1):
        last = attempt == options.retries
        try:
            with client.stream("POST", options.url, content=_request(options, cursor)) as response:
                body = _read(response, options.max_bytes, what)
            if response.status_code < 500 and not response.is_success:
                raise SourceError(f"{what}: máy chủ bảo mật trả lời / the security server answered {response.status_code}.")
            return read_answer(_envelope(body))
        except httpx.TransportError as error:
            if last:
                raise SourceError(f"{what}: không kết nối được / cannot be reached ({type(error).__name__}).") from error
        except Fault as error:
            judge(error.kind, error.message, what)
            if last:
                raise SourceError(f"{what}: X-Road {error.kind}: {error.message[:300]}") from error
        sleep(min(LONGEST_WAIT_SECONDS, FIRST_WAIT_SECONDS * 2**attempt))
    raise AssertionError("the last try returns or raises")


def _request(options: SoapOptions, cursor: str) -> bytes:
    asking = options.asking
    body = etree.Element(f"{{{options.namespace}}}{asking.service.code}")
    asked = {**options.parameters, **({options.cursor: cursor} if cursor else {})}
    for name, text in asked.items():
        element, _, attribute = name.partition("@")  # `parameter@limit`: <parameter name="limit">
        node = etree.SubElement(body, f"{{{options.namespace}}}{element}", **({"name": attribute} if attribute else {}))
        node.text = text
    return write_request(asking.client, asking.service, new_id(), body, user_id=asking.user_id, issue=asking.issue)


def _read(response: httpx.Response, most_bytes: int, what: str) -> bytes:
    parts, size = list[bytes](), 0
    for chunk in response.iter_bytes():
        size += len(chunk)
        if size > most_bytes:
            raise HostileInputError(f"{what}: câu trả lời dài hơn / the answer is longer than {most_bytes} bytes.")
        parts.append(chunk)
    return b"".join(parts)


def _envelope(body: bytes) -> bytes:
    """The envelope of an answer; of a multipart one its first part."""
    if not body.startswith(b"--"):
        return body
    boundary = body.partition(b"\n")[0].rstrip(b"\r")
    return body.split(boundary)[1].partition(b"\r\n\r\n")[2].removesuffix(b"\r\n")


def _values(options: SoapOptions, element: etree._Element) -> dict[str, str | None]:
    return {column: _value(element, steps) for column, steps in options.fields.items()}


def _value(element: etree._Element, steps: tuple[str, ...]) -> str | None:
    """The text at a path of local names; the last step may be `@attribute`. Absent, or `xsi:nil`: None."""
    for step in steps:
        if step.startswith("@"):
            return next((str(value) for name, value in element.attrib.items() if etree.QName(name).localname == step[1:]), None)
        found = element.find(f"{{*}}{step}")
        if found is None:
            return None
        element = found
    if element.get("{http://www.w3.org/2001/XMLSchema-instance}nil") in ("true", "1"):
        return None
    return element.text or ""


def _first(answer: etree._Element, name: str) -> str:
    return next((element.text or "" for element in answer.iter(f"{{*}}{name}")), "") if name else ""
