"""XML documents: each element of one name is a row, its parts named by short paths. Nothing outside the document is ever fetched.

A document type declaration is refused, and with it external entities and entity bombs. The document streams, and is checked against
its XSD on the way: a violation is the row's it lies in, or ends reading where it lies outside rows.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import pyarrow as pa
from lxml import etree

from lienthong.connectors.base import Batch, BrokenRow, Position, ReadContext
from lienthong.connectors.broken import broken_row
from lienthong.connectors.files import FoundFile, fingerprint_files, read_files
from lienthong.connectors.options import Options
from lienthong.contracts import Source
from lienthong.errors import HostileInputError, SourceError

MOST_VIOLATIONS = 2_000
READ_BYTES = 256 * 1024
TAIL_BYTES = 4_096
SHOWN_VIOLATIONS = 5
MOST_NAMES = 4_096


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
        part = self.parts.get(_local(tag))
        is_text = part is not None and len(part.places) == 1 and not part.attributes and not part.parts
        self._by_tag[tag] = part.places[0] if part is not None and is_text else part
        return self._by_tag[tag]


def _attribute(element: etree._Element, name: str) -> str | None:
    found: str | None = element.get(name)
    if found is None and any(_local(each) == name for each in element.attrib):
        found = next(value for each, value in element.attrib.items() if _local(each) == name)
    return found


class XmlFile:
    """Connector `xml_file`. Options: `row`, `fields`, `xsd`, `max_violations`, `unknown` (`ignore` or `refuse` parts no field names)."""

    def fingerprint(self, source: Source, context: ReadContext) -> str | None:
        return fingerprint_files(source, context)

    def read(self, source: Source, context: ReadContext, after: Position | None = None) -> Iterator[Batch]:
        options = XmlOptions.take(Options.of(source, context))
        schema = _schema(Path(options.xsd)) if options.xsd else None

        def read_one(found: FoundFile, at: Mapping[str, Any] | None) -> Iterator[Batch]:
            return _read_file(found, options, schema, context.batch_rows, 0 if at is None else int(at["element"]))

        return read_files(source, context, after, read_one)


class _Row(NamedTuple):
    """One row element: its number from 1, its line, and either its values in the columns' order or why it is broken."""

    number: int
    line: int
    values: list[str | None] | None
    broken: BrokenRow | None = None


def _read_file(found: FoundFile, options: XmlOptions, schema: etree.XMLSchema | None, batch_rows: int, start: int) -> Iterator[Batch]:
    rows = _streamed(found, options, schema)
    part: list[_Row] = []
    number = start
    any_batch = False
    for row in rows:
        number = row.number
        if number <= start:
            continue
        part.append(row)
        if len(part) == batch_rows:
            yield _batch(found, options, part, number)
            part, any_batch = [], True
    if part or not any_batch:
        yield _batch(found, options, part, max(number, start))


def _batch(found: FoundFile, options: XmlOptions, rows: Sequence[_Row], number: int) -> Batch:
    whole = [row for row in rows if row.values is not None]
    return Batch(
        file=found.file,
        table=_table([row.values for row in whole if row.values is not None], list(options.fields)),
        source_rows=pa.array([row.line for row in whole], pa.int64()),
        position={"element": number},
        broken=tuple(row.broken for row in rows if row.broken is not None),
    )


def _table(rows: Sequence[Sequence[str | None]], columns: Sequence[str]) -> pa.Table:
    values = list(zip(*rows, strict=True)) if rows else [()] * len(columns)
    return pa.table({name: pa.array(column, pa.string()) for name, column in zip(columns, values, strict=True)})


_PARSING: dict[str, Any] = {
    "events": ("start", "end"),
    "resolve_entities": False,
    "no_network": True,
    "load_dtd": False,
    "huge_tree": False,
    "remove_pis": True,
}


def _streamed(found: FoundFile, options: XmlOptions, schema: etree.XMLSchema | None) -> Iterator[_Row]:
    with found.path.open("rb") as stream:
        checked = _Checked(stream, found.file.uri, options, schema) if schema is not None else None
        parser = checked if checked is not None else etree.iterparse(stream, tag=f"{{*}}{options.row}", **_PARSING)
        number, depth = 0, 0
        try:
            for event, element in parser:
                if event == "start":
                    if number == 0 and depth == 0:
                        _refuse_doctype(element.getroottree(), found)
                    depth += 1
                    continue
                depth -= 1
                if depth:
                    continue  # a row element inside a row element belongs to it
                number += 1
                said = checked.said_of_row() if checked is not None else ""
                yield _broken(element, number, "row.xsd", said, "") if said else _row(element, number, options)
                _forget(element)
            if parser.root is not None:
                _refuse_doctype(parser.root.getroottree(), found)
        except etree.XMLSyntaxError as error:
            raise _not_xml(found, error) from error


class _Checked:
    """Events of a document held against its schema while it streams. What the schema says belongs to the row that is open, or to none.

    The parser tells violations without their place; so it is fed up to each row and from there to its end, and asked each time.
    """

    def __init__(self, stream: BinaryIO, name: str, options: XmlOptions, schema: etree.XMLSchema) -> None:
        self._stream, self._name, self._most = stream, name, options.max_violations
        # `resolve_entities=False` makes this parser forgive what is not well-formed; a document type is refused before it is fed any.
        self._parser = etree.XMLPullParser(tag=f"{{*}}{options.row}", schema=schema, **{**_PARSING, "resolve_entities": "internal"})
        self._tag = re.compile(rb"<(/?)(?:[^\s<>/:]+:)?" + re.escape(options.row.encode()) + rb"(?=[\s/>])[^>]*>")
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
        name = b"" if self.root is None else _local(self.root.tag).encode()
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
                raise _doctype(self._name)
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


def _row(element: etree._Element, number: int, options: XmlOptions) -> _Row:
    values: list[str | None] = [None] * len(options.fields)
    twice = options.parts.fill(element, values)
    if twice >= 0:
        column, steps = list(options.fields.items())[twice]
        return _broken(element, number, "row.repeated", column, len(values_at(element, steps)))
    if options.strict:
        known = {steps[0] for steps in options.fields.values()}
        unknown = next((name for child in element if (name := _local(child.tag)) and name not in known), None)
        if unknown is not None:
            return _broken(element, number, "row.unknown", "", unknown)
    return _Row(number, element.sourceline or 0, values)


def _broken(element: etree._Element, number: int, code: str, expected: object, found: object) -> _Row:
    shown = etree.tostring(element, encoding="unicode", with_tail=False)
    return _Row(number, element.sourceline or 0, None, broken_row(element.sourceline or 0, shown, code, expected, found))


def values_at(element: etree._Element, steps: Sequence[str]) -> list[str]:
    """Texts at a path below an element; namespaces are not looked at."""
    here = [element]
    for step in steps:
        if step.startswith("@"):
            return [value for each in here for name, value in each.attrib.items() if _local(name) == step[1:]]
        if step != ".":
            here = [child for each in here for child in each if _local(child.tag) == step]
    return ["".join(each.itertext()) if len(each) else each.text or "" for each in here]


@lru_cache(MOST_NAMES)
def _local(tag: object) -> str:
    """A name without its namespace; empty for comments and the like."""
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


def _forget(element: etree._Element) -> None:
    """Free a row that was read, and what stood before it."""
    element.clear(keep_tail=False)
    parent = element.getparent()
    while parent is not None and element.getprevious() is not None:
        del parent[0]


def _refuse_doctype(tree: etree._ElementTree, found: FoundFile) -> None:
    if tree.docinfo.internalDTD is not None or tree.docinfo.doctype:
        raise _doctype(found.file.uri)


def _doctype(name: str) -> HostileInputError:
    return HostileInputError(
        f"`{name}`: có khai báo DOCTYPE / has a document type declaration, which can reach for other files or grow without end.",
        hint="Deliver it without DOCTYPE.",
    )


def _not_xml(found: FoundFile, error: etree.XMLSyntaxError) -> SourceError:
    said = f"`{found.file.uri}` line {error.lineno}"
    if "entity" in error.msg.lower() or "huge" in error.msg.lower() or "depth" in error.msg.lower():
        return HostileInputError(f"{said}: XML bị từ chối / refused: {error.msg}.")
    return SourceError(f"{said}: không phải XML hợp lệ / is not well-formed XML: {error.msg}.", hint="The delivery may have been cut off.")


def _schema(path: Path) -> etree.XMLSchema:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        return etree.XMLSchema(etree.parse(str(path), parser))
    except (OSError, etree.XMLSyntaxError, etree.XMLSchemaParseError) as error:
        raise SourceError(f"Option `xsd`: `{path}`: không đọc được lược đồ / the schema cannot be read ({error}).") from error
