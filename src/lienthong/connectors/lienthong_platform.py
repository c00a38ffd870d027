"""A dataset of another Lienthong: its change feed from the first record on, then what changed, ends of records among it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote, unquote

import msgspec

from lienthong.connectors.base import Batch, Position, ReadContext
from lienthong.connectors.http_session import Answer, Asked
from lienthong.connectors.http_walk import Headers, Place, Told, WalkLimits, WalkPage, read_walk
from lienthong.connectors.json_values import text_of
from lienthong.connectors.options import Options
from lienthong.connectors.variables import expand
from lienthong.contracts import Delivery, Source
from lienthong.errors import SourceError

MOST = 1000  # changes of a page, as the platform gives them


class _Record(msgspec.Struct):
    values: dict[str, msgspec.Raw]


class _Change(msgspec.Struct):
    op: str
    key: str | None
    record: _Record | None


class _Feed(msgspec.Struct):
    changes: list[_Change]
    next: str
    more: bool


@dataclass(frozen=True)
class FeedWalk:
    """`key`: the names of the fields that are the key there, in their order: of a record that ended only its key is told."""

    url: str
    key: Sequence[str]
    columns: Sequence[str]
    limit: int
    tells_ends: bool = True

    def begin(self, after: Place | None) -> Place:
        return {} if after is None else after

    def ask(self, at: Place) -> tuple[str, Mapping[str, str], Asked]:
        return self.url, {"limit": str(self.limit), **({"after": at["after"]} if "after" in at else {})}, Asked()

    def read(self, at: Place, answer: Answer) -> WalkPage:
        del at
        feed = msgspec.json.decode(answer.body, type=_Feed)
        place = {"after": feed.next}
        return WalkPage([self._told(change) for change in feed.changes], place if feed.more else None, None if feed.more else place)

    def _told(self, change: _Change) -> Told:
        if change.record is not None:
            values = {name: text_of(value) for name, value in change.record.values.items()}
            return Told({name: values.get(name) for name in self.columns} if self.columns else values)
        if change.key is None:
            raise SourceError(
                "Thỏa thuận không cho xem khóa / the agreement does not show the key: which record has ended cannot be told.",
                hint="Agree on the key, whole.",
            )
        parts = [unquote(part) for part in change.key.split("~")] if len(self.key) > 1 else [change.key]
        if len(parts) != len(self.key):
            raise ValueError(f"a key of {len(parts)} parts, `key` names {len(self.key)}")
        return Told(dict(zip(self.key, parts, strict=True)), is_ended=True)


class LienthongPlatform:
    """Connector `lienthong`. Options: `dataset`, `purpose`, `official`, `key`, `fields`, `auth`, limits; `location` is the platform."""

    tells_every_end = True  # the feed is the whole history: a reading from its beginning ends nothing by absence

    def fingerprint(self, source: Source, context: ReadContext) -> str | None:
        del source, context
        return None

    def read(self, source: Source, context: ReadContext, after: Position | None = None) -> Iterator[Batch]:
        options = Options.of(source, context)
        base = expand(source.location, context.variables).rstrip("/")
        dataset, purpose, official = options.text("dataset"), options.text("purpose"), options.text("official")
        key, fields, limits = options.texts("key"), options.texts("fields"), WalkLimits.take(options)
        options.close()
        if source.delivery is not Delivery.CHANGES:
            raise SourceError(f"Nguồn/source `{source.name}`: connector `lienthong` needs `delivery: changes`.")
        for name, value in (("dataset", dataset), ("key", key)):
            if not value:
                raise options.required(name)
        headers = {"Lienthong-Purpose": quote(purpose), "Lienthong-Official": quote(official)}
        walk = FeedWalk(f"{base}/v1/datasets/{quote(dataset)}/changes", key, fields, min(MOST, context.batch_rows))
        yield from read_walk(
            walk.url, walk, limits, Headers({name: value for name, value in headers.items() if value}), context.batch_rows, after
        )
