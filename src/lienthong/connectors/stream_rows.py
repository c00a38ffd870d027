"""Messages of a stream as rows: JSON objects by the paths a contract names, the topic taken apart, what is neither kept as a broken row."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import msgspec
import pyarrow as pa

from lienthong.connectors.base import Batch, BrokenRow, Position, SourceFile
from lienthong.connectors.broken import broken_row
from lienthong.connectors.json_values import INVALID, as_table, dig, items_in, objects_in, text_of
from lienthong.connectors.options import Options

BATCH_BYTES = 8 * 1024 * 1024  # of messages in one batch: messages may hold many rows each
TABLE_ROWS = 65_536  # rows held as such before they become a table


@dataclass(frozen=True)
class Message:
    """One message. `number`: what a person can find it by; `at`: when the broker took it, ISO 8601, empty where it does not say."""

    number: int
    topic: str
    payload: bytes
    at: str = ""


@dataclass(frozen=True)
class StreamOptions:
    """What all streams have in common. Reading ends after `quiet_seconds` without a message, or past `max_seconds` or `max_rows`."""

    fields: Mapping[str, str]
    topic_column: str
    topic_pattern: re.Pattern[str] | None
    time_column: str
    quiet_seconds: float
    max_seconds: float
    max_rows: int
    max_message_bytes: int
    landing_seconds: float
    timeout_seconds: float

    @classmethod
    def take(cls, options: Options) -> StreamOptions:
        """Raises SourceError when `fields` is missing."""
        taken = cls(
            options.mapping("fields"),
            options.text("topic_column"),
            options.expression("topic_pattern"),
            options.text("time_column"),
            options.seconds("quiet_seconds", 2.0),
            options.seconds("max_seconds", 60.0),
            options.number("max_rows", 1_000_000, 1),
            options.number("max_message_bytes", 1 << 20, 1),
            options.seconds("landing_seconds", 120.0),
            options.seconds("timeout_seconds", 30.0),
        )
        options.flag("watch", default=False)  # is read by who watches
        if not taken.fields:
            raise options.required("fields")
        return taken

    @property
    def columns(self) -> tuple[str, ...]:
        named = () if self.topic_pattern is None else tuple(self.topic_pattern.groupindex)
        return tuple(dict.fromkeys((*self.fields, *named, *filter(None, (self.topic_column, self.time_column)))))

    def batch(
        self, file: SourceFile, messages: Sequence[Message], position: Position, on_landed: Callable[[], None] | None = None
    ) -> Batch:  # fmt: skip
        """Rows of the messages: one of an object, several of an array of objects."""
        tables: list[pa.Table] = []
        rows: list[dict[str, str | None]] = []
        numbers: list[int] = []
        broken: list[BrokenRow] = []
        for message in messages:
            try:
                found = self._rows_of(message)
            except (*INVALID, ValueError):
                shown = message.payload[:70_000].decode("utf-8", "replace")
                broken.append(broken_row(message.number, f"{message.topic} {shown}", "row.object"))
                continue
            rows += found
            numbers += [message.number] * len(found)
            if len(rows) >= TABLE_ROWS:
                tables.append(as_table(rows, self.columns))
                rows = []
        table = pa.concat_tables([*tables, as_table(rows, self.columns)]).combine_chunks()
        return Batch(file, table, pa.array(numbers, pa.int64()), position, tuple(broken), on_landed=on_landed)

    def _rows_of(self, message: Message) -> list[dict[str, str | None]]:
        """Raises ValueError or what msgspec raises for what is no JSON object, too long, or under a topic that does not fit."""
        if len(message.payload) > self.max_message_bytes:
            raise ValueError(message.number)
        raw = message.payload.strip()
        objects = [objects_in(each) for each in (items_in(raw) if raw.startswith(b"[") else [msgspec.Raw(raw)])]
        told = self._told(message)
        return [{**{name: _clean(text_of(dig(each, path.split(".")))) for name, path in self.fields.items()}, **told} for each in objects]

    def _told(self, message: Message) -> dict[str, str | None]:
        told: dict[str, str | None] = {}
        if self.topic_pattern is not None:
            match = self.topic_pattern.search(message.topic)
            if match is None:
                raise ValueError(message.number)
            told |= match.groupdict()
        if self.topic_column:
            told[self.topic_column] = message.topic
        if self.time_column:
            told[self.time_column] = message.at or None
        return told


def _clean(text: str | None) -> str | None:
    if text is not None and "\0" in text:
        raise ValueError(text)  # PostgreSQL cannot keep it: the message is broken
    return text
