"""XML documents held against their XSD while they stream."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from lxml import etree

from lienthong.connectors.xml_parsing import FED, doctype, local_name
from lienthong.errors import SourceError

READ_BYTES = 256 * 1024
TAIL_BYTES = 4_096
SHOWN_VIOLATIONS = 5


class Checked:
    """Events of a document held against its schema while it streams. What the schema says belongs to the row that is open, or to none.

    The parser tells violations without their place; so it is fed up to each row and from there to its end, and asked each time. `row`: the
    name of row elements; `most`: violations, one more and reading ends.
    """

    def __init__(self, stream: BinaryIO, name: str, row: str, most: int, schema: etree.XMLSchema) -> None:
        self._stream, self._name, self._most = stream, name, most
        self._parser = etree.XMLPullParser(tag=f"{{*}}{row}", schema=schema, **FED)
        self._tag = re.compile(rb"<(/?)(?:[^\s<>/:]+:)?" + re.escape(row.encode()) + rb"(?=[\s/>])[^>]*>")
        self._seen = 0
        self._of_row: list[str] = []
        self._tail = b""
        self.root: Any = None

    def __iter__(self) -> Iterator[tuple[str, Any]]:
        depth = 0
        for part, begins_row in self._parts():
            self._parser.feed(part)
            self._tail = (self._tail + part)[-TAIL_BYTES:]
            new = self._new()
            if new and depth == 0 and not begins_row:
                self._refuse(new)
            self._of_row += new
            for event, element in self._parser.read_events():
                depth += 1 if event == "start" else -1
                self.root = element.getroottree().getroot()
                yield event, element
        try:
            root = self._parser.close()
        except etree.XMLSyntaxError:  # raised of violations too, when all is read; it then hides whether all was there
            if not self._seen:
                raise
        else:
            self.root = root if self.root is None else self.root
        if not self._ends_well():
            raise SourceError(
                f"`{self._name}`: tệp bị cắt / the document ends before its root does.", hint="The delivery may have been cut off."
            )
        self._refuse(self._new())

    def _ends_well(self) -> bool:
        """Whether the document ends as its root does."""
        name = b"" if self.root is None else local_name(self.root.tag).encode()
        return re.search(rb"(?:</(?:[^\s<>/:]+:)?" + re.escape(name) + rb"\s*>|/>)(?:\s|<!--.*?-->)*$", self._tail, re.DOTALL) is not None

    def said_of_row(self) -> str:
        """What the row that just ended breaks, in words; empty when nothing."""
        said, self._of_row = "; ".join(self._of_row[:SHOWN_VIOLATIONS]), []
        return said

    def _parts(self) -> Iterator[tuple[bytes, bool]]:
        """The document cut before each row's first tag and behind its last; whether a part begins with a row."""
        held, begins = b"", False
        while data := self._stream.read(READ_BYTES):
            held += data
            if self.root is None and b"<!DOCTYPE" in held:
                raise doctype(self._name)
            done = 0
            for tag in self._tag.finditer(held):
                cut = tag.end() if tag[1] or tag[0].endswith(b"/>") else tag.start()
                if not tag[1] and tag.start() > done:
                    yield held[done : tag.start()], begins
                    done, begins = tag.start(), True
                if cut > done:
                    yield held[done:cut], begins
                    done, begins = cut, False
                begins = begins or not tag[1]
            held = held[done:]
            if len(held) > READ_BYTES:  # a part without a row in it, or a giant row
                end = held.rfind(b">") + 1 or len(held)
                yield held[:end], begins
                held = held[end:]
        if held:
            yield held, begins

    def _new(self) -> list[str]:
        log = self._parser.feed_error_log
        if len(log) == self._seen:
            return []
        new = [_without_value(entry.message) for entry in list(log)[self._seen :] if entry.domain == etree.ErrorDomains.SCHEMASV]
        self._seen = len(log)
        if self._seen > self._most:
            raise SourceError(
                f"`{self._name}`: hơn {self._most} chỗ sai lược đồ / breaks its XSD in more than {self._most} places; the last: {new[-1:]}.",
                hint="Is it the right schema? Else raise `max_violations`.",
            )
        return new

    def _refuse(self, said: Sequence[str]) -> None:
        if said:
            raise SourceError(f"`{self._name}`: không đúng lược đồ XSD / does not keep its XSD: {'; '.join(said[:SHOWN_VIOLATIONS])}.")


def _without_value(message: str) -> str:
    """A violation without namespaces; the value itself stays, it waits with the row in quarantine."""
    parts = message.split("{")
    return parts[0] + "".join(part.partition("}")[2] for part in parts[1:])


def schema_of(path: Path) -> etree.XMLSchema:
    """The schema of a file. Raises SourceError."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        return etree.XMLSchema(etree.parse(str(path), parser))
    except (OSError, etree.XMLSyntaxError, etree.XMLSchemaParseError) as error:
        raise SourceError(f"Option `xsd`: `{path}`: không đọc được lược đồ / the schema cannot be read ({error}).") from error
