"""XML documents: each element of one name is a row, its parts named by short paths. Nothing outside the document is ever fetched.

A document type declaration is refused, and with it external entities and entity bombs. The document streams, and is checked against
its XSD on the way: a violation is the row's it lies in, or ends reading where it lies outside rows.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
import pyarrow as pa
from lxml import etree

from lienthong.connectors.base import Batch, BrokenRow, Position, ReadContext
from lienthong.connectors.broken import broken_row
from lienthong.connectors.files import FoundFile, fingerprint_files, read_files
from lienthong.connectors.options import Options
from lienthong.connectors.xml_checked import Checked, schema_of
from lienthong.connectors.xml_parsing import FED, MOST_NAMES, PARSING, doctype, local_name, not_xml, refuse_doctype, refuse_doctype_of
from lienthong.connectors.xml_plain import Block, NotPlain, PlainReader, can_read, parted
from lienthong.contracts import Source

MOST_VIOLATIONS = 2_000
FIRST_BYTES = 65_536  # read at first: the beginning goes the long way
PLAIN_BYTES = 1 << 20  # of a block of rows read as a whole
LEAST_BYTES = 32_768  # a block that is not plain is halved down to this
LATE_BYTES = 65_536  # where the last end of a row is looked for first
MOST_TAG = 1_024
MOST_HELD = 16 << 20  # a longer row is fed to the parser as it comes


@dataclass(frozen=True)
class XmlOptions:
    row: str  # local name of the row element
    fields: Mapping[str, tuple[str, ...]]  # column → steps of its path; the last may be `@attribute`, the only one `.`
    xsd: str
    strict: bool
    max_violations: int

    @classmethod
    def take(cls, options: Options) -> XmlOptions:
        fields = {name: tuple(path.strip("/").split("/")) for name, path in options.mapping("fields").items()}
        taken = cls(
            row=options.text("row"),
            fields=fields,
            xsd=options.text("xsd"),
            strict=options.choice("unknown", ("ignore", "refuse"), "ignore") == "refuse",
            max_violations=options.number("max_violations", MOST_VIOLATIONS, 1),
        )
        options.close()
        if not taken.row:
            raise options.required("row")
        if not fields:
            raise options.required("fields")
        return taken

    @cached_property
    def parts(self) -> Part:
        """The row element and what of it is wanted."""
        whole = Part()
        for place, steps in enumerate(self.fields.values()):
            whole.add(steps, place)
        return whole


@dataclass
class Part:
    """An element that is wanted, or holds what is: places of its text and attributes among the columns, and its own parts by local name."""

    places: list[int] = field(default_factory=list)
    attributes: list[tuple[str, int]] = field(default_factory=list)
    parts: dict[str, Part] = field(default_factory=dict)
    _by_tag: dict[str, Any] = field(default_factory=dict)

    def add(self, steps: Sequence[str], place: int) -> None:
        if not steps or steps[0] == ".":
            self.places.append(place)
        elif steps[0].startswith("@"):
            self.attributes.append((steps[0][1:], place))
        else:
            self.parts.setdefault(steps[0], Part()).add(steps[1:], place)

    def fill(self, element: etree._Element, values: list[str | None]) -> int:
        """Put what is wanted of an element into its places; the place that was filled already, -1 for none."""
        for place in self.places:
            if values[place] is not None:
                return place
            values[place] = "".join(element.itertext()) if len(element) else element.text or ""
        for name, place in self.attributes:
            found = _attribute(element, name)
            if found is not None:
                if values[place] is not None:
                    return place
                values[place] = found
        if self.parts:
            by_tag = self._by_tag
            for child in element:
                tag = child.tag
                part = by_tag[tag] if tag in by_tag else self._learnt(tag)
                if part is None:
                    continue
                if part.__class__ is int:  # nearly all are so: a text and nothing more
                    if values[part] is not None:
                        return part
                    values[part] = "".join(child.itertext()) if len(child) else child.text or ""
                else:
                    twice: int = part.fill(child, values)
                    if twice >= 0:
                        return twice
        return -1

    def _learnt(self, tag: str) -> Any:
        if len(self._by_tag) > MOST_NAMES:  # a document has few names; a hostile one may have many
            self._by_tag.clear()
        part = self.parts.get(local_name(tag))
        is_text = part is not None and len(part.places) == 1 and not part.attributes and not part.parts
        self._by_tag[tag] = part.places[0] if part is not None and is_text else part
        return self._by_tag[tag]


def _attribute(element: etree._Element, name: str) -> str | None:
    found: str | None = element.get(name)
    if found is None and any(local_name(each) == name for each in element.attrib):
        found = next(value for each, value in element.attrib.items() if local_name(each) == name)
    return found


class XmlFile:
    """Connector `xml_file`. Options: `row`, `fields`, `xsd`, `max_violations`, `unknown` (`ignore` or `refuse` parts no field names)."""

    def fingerprint(self, source: Source, context: ReadContext) -> str | None:
        return fingerprint_files(source, context)

    def read(self, source: Source, context: ReadContext, after: Position | None = None) -> Iterator[Batch]:
        options = XmlOptions.take(Options.of(source, context))
        schema = schema_of(Path(options.xsd)) if options.xsd else None

        def read_one(found: FoundFile, at: Mapping[str, Any] | None) -> Iterator[Batch]:
            return _read_file(found, options, schema, context.batch_rows, 0 if at is None else int(at["element"]))

        return read_files(source, context, after, read_one)


class _Row(NamedTuple):
    """One row element: its line, and either its values in the columns' order or why it is broken."""

    line: int
    values: list[str | None] | None
    broken: BrokenRow | None = None


def _read_file(found: FoundFile, options: XmlOptions, schema: etree.XMLSchema | None, batch_rows: int, start: int) -> Iterator[Batch]:
    waiting = _Waiting(found, options)
    number = 0
    any_batch = False
    for given in _given(found, options, schema):
        count = len(given.lines) if isinstance(given, Block) else 1
        passed = min(count, max(0, start - number))
        while passed < count:
            taken = min(count - passed, batch_rows - waiting.count)
            waiting.add(given, passed, taken)
            passed += taken
            if waiting.count == batch_rows:
                yield waiting.batch(number + passed)
                waiting, any_batch = _Waiting(found, options), True
        number += count
    if waiting.count or not any_batch:
        yield waiting.batch(max(number, start))


@dataclass
class _Waiting:
    """Rows of the next batch, in their order."""

    found: FoundFile
    options: XmlOptions
    count: int = 0
    _rows: list[_Row] = field(default_factory=list)
    _tables: list[pa.Table] = field(default_factory=list)
    _lines: list[Any] = field(default_factory=list)
    _broken: list[BrokenRow] = field(default_factory=list)

    def add(self, given: _Row | Block, first: int, count: int) -> None:
        self.count += count
        if isinstance(given, _Row):
            self._rows.append(given)
            return
        self._settle()
        columns = [pa.nulls(count, pa.string()) if column is None else column.slice(first, count) for column in given.columns]
        self._tables.append(pa.table(dict(zip(self.options.fields, columns, strict=True))))
        self._lines.append(given.lines[first : first + count])

    def batch(self, number: int) -> Batch:
        self._settle()
        lines = np.concatenate(self._lines) if self._lines else np.empty(0, np.int64)
        table = pa.concat_tables(self._tables).combine_chunks() if self._tables else _table([], list(self.options.fields))
        return Batch(self.found.file, table, pa.array(lines, pa.int64()), {"element": number}, tuple(self._broken))

    def _settle(self) -> None:
        """Rows that came one by one become a table."""
        whole = [row for row in self._rows if row.values is not None]
        if whole:
            self._tables.append(_table([row.values for row in whole if row.values is not None], list(self.options.fields)))
            self._lines.append(np.array([row.line for row in whole], np.int64))
        self._broken += [row.broken for row in self._rows if row.broken is not None]
        self._rows = []


def _table(rows: Sequence[Sequence[str | None]], columns: Sequence[str]) -> pa.Table:
    values = list(zip(*rows, strict=True)) if rows else [()] * len(columns)
    return pa.table({name: pa.array(column, pa.string()) for name, column in zip(columns, values, strict=True)})


def _given(found: FoundFile, options: XmlOptions, schema: etree.XMLSchema | None) -> Iterator[_Row | Block]:
    """All rows of a document: in blocks where they are plain, else one by one."""
    with found.path.open("rb") as stream:
        try:
            if schema is None and can_read(options.parts) and _is_utf8(stream):
                yield from _Mixed(found, options).rows(stream)
            elif schema is None:
                parser = etree.iterparse(stream, tag=f"{{*}}{options.row}", **PARSING)
                yield from _Walk(found, options).rows(parser)
                refuse_doctype_of(parser.root, found.file.uri)
            else:
                checked = Checked(stream, found.file.uri, options.row, options.max_violations, schema)
                yield from _Walk(found, options, said_of_row=checked.said_of_row).rows(checked)
                refuse_doctype_of(checked.root, found.file.uri)
        except etree.XMLSyntaxError as error:
            raise not_xml(found.file.uri, error) from error


@dataclass
class _Walk:
    """Rows out of a parser's events. `depth`: how many row elements are open; `ended`: how many have ended."""

    found: FoundFile
    options: XmlOptions
    said_of_row: Callable[[], str] = str
    number: int = 0
    depth: int = 0
    ended: int = 0
    lines_passed: int = 0  # lines the parser was not given
    root: Any = None

    def rows(self, events: Iterable[tuple[str, Any]]) -> Iterator[_Row]:
        for event, element in events:
            if event == "start":
                if self.number == 0 and self.depth == 0:
                    self.root = element.getroottree().getroot()
                    refuse_doctype(element.getroottree(), self.found.file.uri)
                self.depth += 1
                continue
            self.depth -= 1
            self.ended += 1
            if self.depth:
                continue  # a row element inside a row element belongs to it
            self.number += 1
            said = self.said_of_row()
            line = (element.sourceline or 0) + self.lines_passed
            yield _broken(element, line, "row.xsd", said, "") if said else _row(element, line, self.options)
            _forget(element)


def _is_utf8(stream: BinaryIO) -> bool:
    """Whether a document is UTF-8 by its declaration or for want of one. The stream stands at its beginning afterwards."""
    head = stream.read(1024)
    stream.seek(0)
    declared = re.match(rb"(?:\xef\xbb\xbf)?<\?xml\s[^>]*?\bencoding\s*=\s*[\"']([A-Za-z0-9._\-]+)", head)
    if declared is not None:
        return declared[1].lower() in (b"utf-8", b"utf8", b"us-ascii")
    return re.match(rb"(?:\xef\xbb\xbf)?\s*<[^\0]", head) is not None


class _Mixed:
    """A document in UTF-8, block by block: what is plain is read as a whole, everything else by the parser, which sees the document without it.

    A block is tried only where the parser is known to stand between two rows: after it, every tag that ends a row in the block before was one to
    the parser too, so it is in no comment.
    """

    def __init__(self, found: FoundFile, options: XmlOptions) -> None:
        self._found = found
        known = frozenset(steps[0] for steps in options.fields.values()) if options.strict else None
        self._plain = PlainReader(options.row, options.parts, len(options.fields), known)
        self._parser = etree.XMLPullParser(tag=f"{{*}}{options.row}", **FED)
        self._walk = _Walk(found, options)
        name = re.escape(options.row.encode())
        self._end = re.compile(rb"</(?:[^\s<>/:]+:)?" + name + rb"\s*>")
        self._ends = re.compile(self._end.pattern + rb"|<(?:[^\s<>/:]+:)?" + name + rb"(?:\s[^<>]*)?/>")
        self._is_between = False
        self._lines = 1  # the line that comes next
        self._tail = b""

    def rows(self, stream: BinaryIO) -> Iterator[_Row | Block]:
        held = b""
        block_bytes = FIRST_BYTES
        try:
            while data := stream.read(block_bytes):
                block_bytes = PLAIN_BYTES
                at = max(0, len(held) - MOST_TAG)
                held += data
                cut = max((found.end() for found in self._end.finditer(held, max(at, len(held) - LATE_BYTES))), default=0)
                cut = cut or max((found.end() for found in self._end.finditer(held, at)), default=0)
                if cut:
                    yield from self._block(held[:cut])
                    held = held[cut:]
                elif len(held) > MOST_HELD:  # a giant row, or none at all
                    yield from self._parsed(held)
                    held, self._is_between = b"", False
            yield from self._parsed(held)
            root = self._parser.close()
        except etree.XMLSyntaxError as error:
            raise not_xml(self._found.file.uri, error, self._walk.lines_passed) from error
        refuse_doctype_of(root, self._found.file.uri)

    def _block(self, data: bytes) -> Iterator[_Row | Block]:
        """Whole rows; the smaller a part that is not plain, the fewer rows go the long way."""
        if self._is_between:
            rows = data.lstrip(b" \t\n")
            try:
                block = self._plain.read(rows)
            except NotPlain:
                halves = tuple(parted(data, self._end, LEAST_BYTES))
            else:
                first = self._lines + data.count(b"\n", 0, len(data) - len(rows))
                passed = data.count(b"\n")
                self._lines += passed
                self._walk.lines_passed += passed
                self._walk.number += len(block.lines)
                yield Block(block.columns, block.lines + first)
                return
            if len(halves) > 1:
                for half in halves:
                    yield from self._block(half)
                return
        ended = self._walk.ended
        yield from self._parsed(data)
        self._is_between = self._walk.depth == 0 and self._walk.ended - ended == len(self._ends.findall(data))
        if self._is_between and self._walk.root is not None:
            self._plain.prefixes = frozenset({"xml", *filter(None, self._walk.root.nsmap)})

    def _parsed(self, data: bytes) -> Iterator[_Row]:
        if self._walk.root is None:
            if b"<!DOCTYPE" in self._tail + data:
                raise doctype(self._found.file.uri)
            self._tail = data[-len(b"<!DOCTYPE") :]
        self._lines += data.count(b"\n")
        self._parser.feed(data)
        yield from self._walk.rows(self._parser.read_events())


def _row(element: etree._Element, line: int, options: XmlOptions) -> _Row:
    values: list[str | None] = [None] * len(options.fields)
    twice = options.parts.fill(element, values)
    if twice >= 0:
        column, steps = list(options.fields.items())[twice]
        return _broken(element, line, "row.repeated", column, len(values_at(element, steps)))
    if options.strict:
        known = {steps[0] for steps in options.fields.values()}
        unknown = next((name for child in element if (name := local_name(child.tag)) and name not in known), None)
        if unknown is not None:
            return _broken(element, line, "row.unknown", "", unknown)
    return _Row(line, values)


def _broken(element: etree._Element, line: int, code: str, expected: object, found: object) -> _Row:
    shown = etree.tostring(element, encoding="unicode", with_tail=False)
    return _Row(line, None, broken_row(line, shown, code, expected, found))


def values_at(element: etree._Element, steps: Sequence[str]) -> list[str]:
    """Texts at a path below an element; namespaces are not looked at."""
    here = [element]
    for step in steps:
        if step.startswith("@"):
            return [value for each in here for name, value in each.attrib.items() if local_name(name) == step[1:]]
        if step != ".":
            here = [child for each in here for child in each if local_name(child.tag) == step]
    return ["".join(each.itertext()) if len(each) else each.text or "" for each in here]


def _forget(element: etree._Element) -> None:
    """Free a row that was read, and what stood before it."""
    element.clear(keep_tail=False)
    parent = element.getparent()
    while parent is not None and element.getprevious() is not None:
        del parent[0]
