"""A resource of a CKAN portal: rows of its DataStore, page by page, or the file it names, read by the connector of its format."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urljoin

import msgspec

from lienthong.connectors.base import Batch, Connector, Position, ReadContext
from lienthong.connectors.http_session import Answer, Asked, Session
from lienthong.connectors.http_walk import Headers, Place, Told, WalkLimits, WalkPage, read_walk
from lienthong.connectors.json_values import text_of
from lienthong.connectors.options import Options
from lienthong.connectors.variables import expand
from lienthong.contracts import Source
from lienthong.errors import SourceError

MOST = 32_000  # rows of a page, as CKAN gives them
ROW_ID = "_id"


class _Field(msgspec.Struct):
    id: str


class _Found(msgspec.Struct):
    records: list[dict[str, msgspec.Raw]]
    fields: list[_Field] = []
    total: int | None = None


class _Answer(msgspec.Struct):
    success: bool
    result: msgspec.Raw = msgspec.Raw(b"null")
    error: msgspec.Raw = msgspec.Raw(b"null")


class _Resource(msgspec.Struct):
    url: str
    url_type: str | None = None


def _result(body: bytes) -> msgspec.Raw:
    answer = msgspec.json.decode(body, type=_Answer)
    if not answer.success:
        raise ValueError(f"CKAN: {json.dumps(msgspec.json.decode(answer.error), ensure_ascii=False)[:300]}")
    return answer.result


@dataclass(frozen=True)
class DatastoreWalk:
    url: str
    resource: str
    filters: Mapping[str, str]
    columns: Sequence[str]
    sort: str
    limit: int
    tells_ends: bool = False

    def begin(self, after: Place | None) -> Place:
        del after
        return {"offset": 0}

    def ask(self, at: Place) -> tuple[str, Mapping[str, str], Asked]:
        query = {"resource_id": self.resource, "limit": str(self.limit), "offset": str(at["offset"]), "sort": self.sort}
        return self.url, {**query, **({"filters": json.dumps(self.filters, ensure_ascii=False)} if self.filters else {})}, Asked()

    def read(self, at: Place, answer: Answer) -> WalkPage:
        found = msgspec.json.decode(_result(answer.body), type=_Found)
        names = self.columns or [field.id for field in found.fields if field.id != ROW_ID]
        rows = [Told({name: text_of(record.get(name)) for name in names or [n for n in record if n != ROW_ID]}) for record in found.records]
        done = at["offset"] + len(rows)
        is_last = not rows or (done >= found.total if found.total is not None else len(rows) < self.limit)
        return WalkPage(rows, None if is_last else {"offset": done})


class Ckan:
    """Connector `ckan`. `location` is the portal; options: `resource`, `filters`, `fields`, `sort`, `page_size`; or `read_as`, `options`; `headers`, `auth`, limits."""

    def fingerprint(self, source: Source, context: ReadContext) -> str | None:
        asking = _Asking.take(source, context)
        if not asking.read_as:
            return None
        connector, file = asking.file_source(source)
        return connector.fingerprint(file, context)

    def read(self, source: Source, context: ReadContext, after: Position | None = None) -> Iterator[Batch]:
        asking = _Asking.take(source, context)
        if asking.read_as:
            connector, file = asking.file_source(source)
            yield from connector.read(file, context, after)
            return
        walk = DatastoreWalk(
            asking.action("datastore_search"), asking.resource, asking.filters, asking.fields, asking.sort, asking.page_size
        )
        yield from read_walk(walk.url, walk, asking.limits, Headers(asking.headers), context.batch_rows, after)


@dataclass(frozen=True)
class _Asking:
    portal: str
    resource: str
    filters: Mapping[str, str]
    fields: Sequence[str]
    sort: str
    page_size: int
    read_as: str
    more: Mapping[str, Any]
    headers: Mapping[str, str]
    limits: WalkLimits

    @classmethod
    def take(cls, source: Source, context: ReadContext) -> _Asking:
        options = Options.of(source, context)
        more = options.document("options")
        taken = cls(
            portal=expand(source.location, context.variables).rstrip("/"),
            resource=options.text("resource"),
            filters=options.mapping("filters"),
            fields=options.texts("fields"),
            sort=options.text("sort", ROW_ID),
            page_size=min(options.number("page_size", 10_000, 1), MOST),
            read_as=options.text("read_as"),
            more=more if isinstance(more, Mapping) else {},
            headers=options.mapping("headers"),
            limits=WalkLimits.take(options),
        )
        options.close()
        if not taken.resource:
            raise options.required("resource")
        return taken

    def action(self, name: str) -> str:
        return f"{self.portal}/api/3/action/{name}"

    def file_source(self, source: Source) -> tuple[Connector, Source]:
        """The source the portal names for the resource, for the connector of its format."""
        from lienthong.connectors.registry import get_connector  # noqa: PLC0415 # the registry knows us

        with Session(self.portal, self.limits.access, self.limits.limits, manner=Headers(self.headers)) as session:
            answer = session.get(self.action("resource_show"), {"id": self.resource}, f"`{self.portal}` {self.resource}")
        try:
            shown = msgspec.json.decode(_result(answer.body), type=_Resource)
        except (msgspec.MsgspecError, ValueError) as error:
            raise SourceError(f"`{self.portal}`: không có tài nguyên/no resource `{self.resource}` ({error}).") from error
        address = urljoin(f"{self.portal}/", quote(shown.url, safe=":/?&=%#+,;@"))
        if not address.startswith(("http://", "https://")):
            raise SourceError(f"`{self.portal}`: tài nguyên/resource `{self.resource}` lies at no address of the web.")
        return get_connector(self.read_as), Source(source.name, self.read_as, address, source.delivery, self.more)
