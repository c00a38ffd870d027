"""XML documents: each element of one name is a row, its parts named by short paths. Nothing outside the document is ever fetched.

A document type declaration is refused, and with it external entities and entity bombs. Without a schema the document streams; with an
XSD it is held in memory whole (bounded), because a violation must find its row.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import pyarrow as pa
from lxml import etree

from lienthong.connectors.base import Batch, BrokenRow, Position, ReadContext
from lienthong.connectors.broken import broken_row
from lienthong.connectors.files import FoundFile, fingerprint_files, read_files
from lienthong.connectors.json_values import as_table
from lienthong.connectors.options import Options
from lienthong.contracts import Source
from lienthong.errors import HostileInputError, SourceError

MAX_BYTES_WITH_XSD = 100 * 1024 * 1024
SHOWN_VIOLATIONS = 5
Values = dict[str, str | None]


@dataclass(frozen=True)
class XmlOptions:
    row: str  # local name of the row element
    fields: Mapping[str, tuple[str, ...]]  # column → steps of its path; the last may be `@attribute`, the only one `.`
    xsd: str
    strict: bool

    @classmethod
    def take(cls, options: Options) -> XmlOptions:
        fields = {name: tuple(path.strip("/").split("/")) for name, path in options.mapping("fields").items()}
        taken = cls(options.text("row"), fields, options.text("xsd"), options.choice("unknown", ("ignore", "refuse"), "ignore") == "refuse")
        options.close()
        if not taken.row:
            raise options.required("row")
        if not fields:
            raise options.required("fields")
        return taken


class XmlFile:
    """Connector `xml_file`. Options: `row`, `fields`, `xsd`, `unknown` (`ignore` or `refuse` elements no field names)."""

    def fingerprint(self, source: Source, context: ReadContext) -> str | None:
        return fingerprint_files(source, context)

    def read(self, source: Source, context: ReadContext, after: Position | None = None) -> Iterator[Batch]:
        options = XmlOptions.take(Options.of(source, context))
        schema = _schema(Path(options.xsd)) if options.xsd else None

        def read_one(found: FoundFile, at: Mapping[str, Any] | None) -> Iterator[Batch]:
            return _read_file(found, options, schema, context.batch_rows, 0 if at is None else int(at["element"]))

        return read_files(source, context, after, read_one)


@dataclass(frozen=True)
class _Row:
    """One row element: its number from 1, its line, and either its values or why it is broken."""

    number: int
    line: int
    values: Values | None
    broken: BrokenRow | None = None


def _read_file(found: FoundFile, options: XmlOptions, schema: etree.XMLSchema | None, batch_rows: int, start: int) -> Iterator[Batch]:
    rows = _streamed(found, options) if schema is None else _validated(found, options, schema)
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
        table=as_table([row.values for row in whole if row.values is not None], list(options.fields)),
        source_rows=pa.array([row.line for row in whole], pa.int64()),
        position={"element": number},
        broken=tuple(row.broken for row in rows if row.broken is not None),
    )


def _streamed(found: FoundFile, options: XmlOptions) -> Iterator[_Row]:
    number = 0
    with found.path.open("rb") as stream:
        parser = etree.iterparse(
            stream,
            events=("start", "end"),
            tag=f"{{*}}{options.row}",
            resolve_entities=False,
            no_network=True,
            load_dtd=False,
            huge_tree=False,
            remove_pis=True,
        )
        depth = 0
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
                yield _row(element, number, options)
                _forget(element)
            _refuse_doctype(parser.root.getroottree(), found)
        except etree.XMLSyntaxError as error:
            raise _not_xml(found, error) from error


def _validated(found: FoundFile, options: XmlOptions, schema: etree.XMLSchema) -> Iterator[_Row]:
    if found.file.size_bytes > MAX_BYTES_WITH_XSD:
        raise SourceError(
            f"`{found.file.uri}`: {found.file.size_bytes} byte, giới hạn khi kiểm XSD / limit with an XSD {MAX_BYTES_WITH_XSD}.",
            hint="Deliver in parts, or leave out the option `xsd`.",
        )
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_pis=True)
    try:
        tree = etree.parse(str(found.path), parser)
    except etree.XMLSyntaxError as error:
        raise _not_xml(found, error) from error
    _refuse_doctype(tree, found)
    rows = [
        element for element in tree.iter() if _is_row(element, options) and not any(_is_row(e, options) for e in element.iterancestors())
    ]
    violations: dict[int, list[str]] = defaultdict(list)
    if not schema.validate(tree):
        places = {tree.getpath(element): number for number, element in enumerate(rows, 1)}
        outside: list[str] = []
        for entry in schema.error_log:
            number = _row_of(entry.path or "", places)
            said = f"dòng/line {entry.line}: {_without_value(entry.message)}"
            (outside if number is None else violations[number]).append(said)
        if outside:
            raise SourceError(
                f"`{found.file.uri}`: không đúng lược đồ XSD / does not keep its XSD: {'; '.join(outside[:SHOWN_VIOLATIONS])}."
            )
    for number, element in enumerate(rows, 1):
        if number in violations:
            shown = etree.tostring(element, encoding="unicode", with_tail=False)
            said = "; ".join(violations[number][:SHOWN_VIOLATIONS])
            yield _Row(number, element.sourceline, None, broken_row(element.sourceline, shown, "row.xsd", said))
        else:
            yield _row(element, number, options)


def _row_of(path: str, places: Mapping[str, int]) -> int | None:
    """The row whose element the path goes through."""
    while path:
        if path in places:
            return places[path]
        path = path.rpartition("/")[0]
    return None


def _without_value(message: str) -> str:
    """A violation without namespaces; the value itself stays, it waits with the row in quarantine."""
    parts = message.split("{")
    return parts[0] + "".join(part.partition("}")[2] for part in parts[1:])


def _row(element: etree._Element, number: int, options: XmlOptions) -> _Row:
    values: Values = {}
    for column, steps in options.fields.items():
        found = values_at(element, steps)
        if len(found) > 1:
            return _broken(element, number, "row.repeated", column, len(found))
        values[column] = found[0] if found else None
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


@lru_cache(4096)  # a document has few names; a hostile one may have many
def _local(tag: object) -> str:
    """A name without its namespace; empty for comments and the like."""
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


def _is_row(element: etree._Element, options: XmlOptions) -> bool:
    return _local(element.tag) == options.row


def _forget(element: etree._Element) -> None:
    """Free a row that was read, and what stood before it."""
    element.clear(keep_tail=False)
    parent = element.getparent()
    while parent is not None and element.getprevious() is not None:
        del parent[0]


def _refuse_doctype(tree: etree._ElementTree, found: FoundFile) -> None:
    if tree.docinfo.internalDTD is not None or tree.docinfo.doctype:
        raise HostileInputError(
            f"`{found.file.uri}`: có khai báo DOCTYPE / has a document type declaration, which can reach for other files or grow without end.",
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
