"""A set of an OData service, versions 4, 3 and 2 in JSON: pages by the links it gives, and where it gives one, a link for what changed since."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import unquote, urljoin

import msgspec

from lienthong.connectors.base import Batch, Position, ReadContext
from lienthong.connectors.http_session import Answer, Asked
from lienthong.connectors.http_walk import Headers, Place, Told, WalkLimits, WalkPage, read_walk
from lienthong.connectors.json_values import JsonObject, dig, items_in, objects_in, text_of
from lienthong.connectors.options import Options
from lienthong.connectors.variables import expand
from lienthong.contracts import Delivery, Source
from lienthong.errors import SourceError

NEXT = ("@odata.nextLink", "@nextLink", "odata.nextLink", "__next")
DELTA = ("@odata.deltaLink", "@deltaLink", "odata.deltaLink", "__delta")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_OLD_DATE = re.compile(r"^/Date\((-?\d{1,15})([+-]\d{4})?\)/$")  # versions 2 and 3: milliseconds
_PREDICATE = re.compile(r"\((.*)\)\s*$", re.DOTALL)
_PART = re.compile(r"(?:(\w+)=)?('(?:[^']|'')*'|[^,']+)(?:,|$)")


@dataclass(frozen=True)
class ODataWalk:
    url: str
    query: Mapping[str, str]
    key: Sequence[str]
    columns: Sequence[str]
    page_size: int
    tells_ends: bool

    def begin(self, after: Place | None) -> Place:
        return {} if after is None else after

    def ask(self, at: Place) -> tuple[str, Mapping[str, str], Asked]:
        prefer = [f"odata.maxpagesize={self.page_size}"] if self.page_size else []
        prefer += ["odata.track-changes"] if self.tells_ends and not at else []
        asked = Asked("GET", {"OData-MaxVersion": "4.01", "Accept": "application/json", **({"Prefer": ",".join(prefer)} if prefer else {})})
        return (at["url"], {}, asked) if "url" in at else (self.url, self.query, asked)

    def read(self, at: Place, answer: Answer) -> WalkPage:
        del at
        envelope = objects_in(answer.body)
        rows = envelope.get("value")
        if rows is None and "d" in envelope:  # version 2, and 3 written at length
            inner = bytes(envelope["d"]).lstrip()
            envelope = objects_in(inner) if inner.startswith(b"{") else {}
            rows = envelope.get("results") if envelope else msgspec.Raw(inner)
        if rows is None:
            raise ValueError("neither `value` nor `d` in it")
        following, delta = (self._link(envelope, names, answer) for names in (NEXT, DELTA))
        told = [self._told(objects_in(raw)) for raw in items_in(rows)]
        return WalkPage(told, following, delta if following is None and self.tells_ends else None)

    def _link(self, envelope: JsonObject, names: Sequence[str], answer: Answer) -> dict[str, str] | None:
        found = next((text_of(envelope[name]) for name in names if name in envelope), None)
        return {"url": urljoin(answer.url, found)} if found else None

    def _told(self, members: JsonObject) -> Told:
        removed = "@removed" in members or "@odata.removed" in members
        context = text_of(members.get("@odata.context") or members.get("@context")) or ""
        if self.tells_ends and (removed or context.endswith("$deletedEntity")):
            return Told(self._key(members), is_ended=True)
        values = {name: _value(raw) for name, raw in members.items() if not ("@" in name or name.startswith(("odata.", "__")))}
        return Told({name: _value(dig(members, name.split("/"))) for name in self.columns} if self.columns else values)

    def _key(self, members: JsonObject) -> dict[str, str | None]:
        """The key of an entity that is there no more: among its members, or in its address (`Set('a')`, `Set(x='a',y=2)`)."""
        if all(name in members for name in self.key):
            return {name: _value(members[name]) for name in self.key}
        address = unquote(next((text_of(members[name]) or "" for name in ("id", "@odata.id", "@id") if name in members), ""))
        predicate = _PREDICATE.search(address)
        parts = _PART.findall(predicate.group(1)) if predicate else []
        if len(parts) != len(self.key):
            raise ValueError(f"an entity that was removed tells {len(parts)} parts of its key, `key` names {len(self.key)}")
        named = {name or self.key[n]: value.strip() for n, (name, value) in enumerate(parts)}
        if set(named) != set(self.key):
            raise ValueError("an entity that was removed names its key otherwise")
        return {name: value[1:-1].replace("''", "'") if value.startswith("'") else value for name, value in named.items()}


def _value(raw: msgspec.Raw | None) -> str | None:
    text = text_of(raw)
    old = _OLD_DATE.match(text) if text is not None and text.startswith("/Date(") else None
    if old is None:
        return text
    return (EPOCH + timedelta(milliseconds=int(old.group(1)))).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class OData:
    """Connector `odata`. `location` is the set; options: `select`, `filter`, `orderby`, `expand`, `key`, `fields`, `query`, `page_size`, `auth`, limits."""

    def fingerprint(self, source: Source, context: ReadContext) -> str | None:
        del source, context
        return None

    def read(self, source: Source, context: ReadContext, after: Position | None = None) -> Iterator[Batch]:
        options = Options.of(source, context)
        url = expand(source.location, context.variables)
        system = {name: options.text(name) for name in ("filter", "orderby", "expand")}
        query: dict[str, Any] = {**options.mapping("query"), **{f"${name}": text for name, text in system.items() if text}}
        selected = options.texts("select")
        query |= {"$select": ",".join(selected)} if selected else {}
        key, fields, page_size = options.texts("key"), options.texts("fields"), options.number("page_size", 0)
        manner, limits = Headers(options.mapping("headers")), WalkLimits.take(options)
        options.close()
        follows = source.delivery is Delivery.CHANGES
        if follows and not key:
            raise options.required("key")
        if key and not follows and "$orderby" not in query:
            query["$orderby"] = ",".join(key)  # pages of a service that does not order by itself may lose rows
        query.setdefault("$format", "json")
        walk = ODataWalk(url, query, key, fields, page_size, follows)
        batch: Batch | None = None
        for batch in read_walk(url, walk, limits, manner, context.batch_rows, after):
            yield batch
        if follows and (batch is None or "on" not in batch.position):
            raise SourceError(
                f"`{url.split('?')[0]}`: dịch vụ không cho biết thay đổi / the service gives no link for what changed since.",
                hint="Read it whole: `delivery: snapshot`.",
            )
