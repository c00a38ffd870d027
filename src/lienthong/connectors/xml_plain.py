"""Rows of an XML document by the block, where they are plain: elements, attributes, texts, and the five entities everybody has.

A block of whole row elements is looked at as an array of bytes: its tags are found, named, nested and held against each other all at once,
and texts become columns without an object for each (three times as fast as the parser that makes one of every element, measured). What is not
plain (comments, CDATA, instructions, other entities, carriage returns, `>` in a text, names declared on the way, a value given twice, rows in
rows, anything that is not well-formed) is told as such and left to the parser, which knows what to say of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

if TYPE_CHECKING:
    from lienthong.connectors.xml_file import Part

MOST_DEPTH = 32  # levels of a row
MOST_TAGS = 50_000  # different tags remembered
OPENS, CLOSES, TAB, NEWLINE, SPACE, ENTITY, WIDE = b"<>\t\n &\xef"
NO_CHARACTERS = (b"\xef\xbf\xbe", b"\xef\xbf\xbf")  # U+FFFE and U+FFFF
ENTITIES = {"&lt;": "<", "&gt;": ">", "&quot;": '"', "&apos;": "'", "&amp;": "&"}  # in this order: `&amp;lt;` is `&lt;`
_START = r"A-Za-z_\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u02ff\u1e00-\u1eff"
_NAME = rf"[{_START}][{_START}0-9.\-]*"
_ATTRIBUTE = re.compile(rf"""\s+((?:{_NAME}:)?{_NAME})\s*=\s*(?:"([^"]*)"|'([^']*)')""")
_TAG = re.compile(rf"""(/)?((?:{_NAME}:)?{_NAME})((?:\s+(?:{_NAME}:)?{_NAME}\s*=\s*(?:"[^"]*"|'[^']*'))*)\s*(/)?""")
Places = NDArray[np.integer[Any]]


class NotPlain(Exception):
    """A block the parser must read."""


class Tag(NamedTuple):
    """One tag as it is written between `<` and `>`. `kind`: 1 opens, -1 closes, 0 both."""

    kind: int
    name: str
    attributes: Mapping[str, str]


@dataclass(frozen=True)
class Block:
    """Rows of one block, each a value or None in every column's place; `lines`: where each row's first tag ends, from the block's first line, 0."""

    columns: Sequence[pa.Array | None]  # None: no row has it
    lines: Places


@dataclass
class PlainReader:
    """Reads blocks of rows named `row`; `width`: how many columns `part` fills. `prefixes`: what the whole document declares."""

    row: str
    part: Part
    width: int
    known: frozenset[str] | None  # names a row may hold; None: any
    prefixes: frozenset[str] = frozenset()
    _tags: dict[bytes, Tag] = field(default_factory=dict)

    def read(self, data: bytes) -> Block:
        """The rows of a block that begins with a row's first tag and ends with a row's last. Raises NotPlain."""
        tokens = _tokens(data)
        unique, ids = self._named(tokens)
        names = {name: number for number, name in enumerate(dict.fromkeys(tag.name for tag in unique))}
        kinds = np.array([tag.kind for tag in unique], np.int8)[ids]
        name_ids = np.array([names[tag.name] for tag in unique], np.int64)[ids]
        levels = _levels(kinds)
        begins = self._rows(tokens, kinds, levels, [tag.name.rpartition(":")[2] == self.row for tag in unique], ids)
        _held_together(kinds, name_ids, levels)
        columns: list[pa.Array | None] = [None] * self.width
        reading = _Reading(tokens, unique, ids, kinds, levels, begins, columns)
        if self.known is not None:
            reading.check_children(self.known)
        reading.fill(self.part, begins, 1)
        return Block(columns, np.searchsorted(tokens.newlines, tokens.closes[begins]))

    def _named(self, tokens: _Tokens) -> tuple[list[Tag], Places]:
        """(the different tags, which of them each token is)."""
        encoded = tokens.between(tokens.opens + 1, tokens.closes).dictionary_encode()
        unique = []
        for written in encoded.dictionary.to_pylist():
            tag = self._tags.get(written)
            if tag is None:
                if len(self._tags) >= MOST_TAGS:  # a tag with a number in it is another each time
                    self._tags.clear()
                tag = self._tags[written] = _tag(written, self.prefixes)
            unique.append(tag)
        return unique, encoded.indices.to_numpy()

    def _rows(self, tokens: _Tokens, kinds: Places, levels: Places, are_rows: list[bool], ids: Places) -> Places:
        """Tokens that begin a row. Between rows stands nothing but space."""
        is_row = np.array(are_rows, np.bool_)[ids]
        is_top = levels == 1
        if not np.array_equal(is_row, is_top):
            raise NotPlain
        ends = np.flatnonzero(is_top & (kinds <= 0))[:-1]
        gaps = tokens.between(tokens.closes[ends] + 1, tokens.opens[ends + 1])
        if pc.any(pc.greater(pc.binary_length(pc.ascii_trim_whitespace(gaps.cast(pa.string()))), 0)).as_py():
            raise NotPlain
        return np.flatnonzero(is_top & (kinds >= 0))


@dataclass(frozen=True)
class _Tokens:
    """Where tags begin and end in a block."""

    data: pa.Buffer
    opens: Places
    closes: Places
    newlines: Places
    has_entities: bool

    def between(self, begins: Places, ends: Places) -> pa.Array:
        """Bytes between places that only grow."""
        if not len(begins):
            return pa.array([], pa.binary())
        offsets = np.empty(2 * len(begins), np.int32)
        offsets[0::2], offsets[1::2] = begins, ends
        whole = pa.Array.from_buffers(pa.binary(), len(offsets) - 1, [None, pa.py_buffer(offsets), self.data])
        return whole.take(pa.array(np.arange(0, len(offsets) - 1, 2)))


def _tokens(data: bytes) -> _Tokens:
    held = pa.py_buffer(data)
    try:
        pa.Array.from_buffers(pa.string(), 1, [None, pa.py_buffer(np.array([0, len(data)], np.int32)), held]).validate(full=True)
    except pa.ArrowInvalid as error:
        raise NotPlain from error
    seen = np.frombuffer(data, np.uint8)
    newlines = np.flatnonzero(seen == NEWLINE)
    if np.count_nonzero(seen < SPACE) != len(newlines) + np.count_nonzero(seen == TAB):  # a carriage return is read as something else
        raise NotPlain
    if (seen == WIDE).any() and any(each in data for each in NO_CHARACTERS):
        raise NotPlain
    entities = np.count_nonzero(seen == ENTITY)
    if entities and entities != sum(data.count(each.encode()) for each in ENTITIES):
        raise NotPlain
    found = np.flatnonzero((seen | 2) == CLOSES)  # `<` and `>` differ in one bit
    is_open = seen[found] == OPENS
    opens, closes = found[is_open], found[~is_open]
    if len(opens) != len(closes) or not len(opens) or opens[0] != 0 or (closes <= opens).any() or (opens[1:] <= closes[:-1]).any():
        raise NotPlain
    return _Tokens(held, opens, closes, newlines, bool(entities))


def _tag(written: bytes, prefixes: frozenset[str]) -> Tag:
    found = _TAG.fullmatch(written.decode())
    if found is None or (found[1] and (found[3] or found[4])):
        raise NotPlain
    attributes: dict[str, str] = {}
    for name, one, other in _ATTRIBUTE.findall(found[3]):
        if name in attributes or name == "xmlns" or name.startswith("xmlns:"):
            raise NotPlain
        attributes[name] = _decoded(re.sub(r"[\t\n]", " ", one or other))
    for name in (found[2], *attributes):
        prefix = name.rpartition(":")[0]
        if prefix and prefix not in prefixes:
            raise NotPlain
    local = {name.rpartition(":")[2]: value for name, value in attributes.items()}
    if len(local) != len(attributes):
        raise NotPlain
    return Tag(-1 if found[1] else 0 if found[4] else 1, found[2], local)


def _decoded(text: str) -> str:
    if "&" in text:
        for entity, sign in ENTITIES.items():
            text = text.replace(entity, sign)
    return text


def _levels(kinds: Places) -> Places:
    """How deep each tag stands: 1 for a row's own."""
    after = np.cumsum(kinds, dtype=np.int32)
    if after[-1] != 0 or after.min() < 0:
        raise NotPlain
    levels = after + (kinds <= 0)
    if levels.max() > MOST_DEPTH or levels.min() < 1:
        raise NotPlain
    return levels.astype(np.int8)


def _held_together(kinds: Places, names: Places, levels: Places) -> None:
    """Each tag that opens is closed by the next of its level, under the same name."""
    for level in range(1, int(levels.max()) + 1):
        pairs = np.flatnonzero((levels == level) & (kinds != 0))
        opening, closing = pairs[0::2], pairs[1::2]
        if len(opening) != len(closing) or (kinds[opening] != 1).any() or (kinds[closing] != -1).any():
            raise NotPlain
        if (names[opening] != names[closing]).any():
            raise NotPlain


@dataclass(frozen=True)
class _Reading:
    tokens: _Tokens
    unique: Sequence[Tag]
    ids: Places
    kinds: Places
    levels: Places
    begins: Places  # tokens that begin a row
    columns: list[pa.Array | None]

    def fill(self, part: Part, elements: Places, level: int) -> None:
        """Put what is wanted of elements (the tokens that begin them) and of those inside into their columns."""
        if part.attributes:
            self._attributes(part.attributes, elements)
        if part.places:
            self._texts(part.places, elements)
        if not part.parts:
            return
        inside: Places = np.flatnonzero((self.levels == level + 1) & (self.kinds >= 0))
        if level > 1:
            inside = self._within(inside, elements, level)
        local = np.array([tag.name.rpartition(":")[2] for tag in self.unique], object)
        for name, child in part.parts.items():
            is_it = (local == name)[self.ids[inside]]
            self.fill(child, inside[is_it], level + 1)

    def _within(self, inside: Places, elements: Places, level: int) -> Places:
        """Those whose parent is one of `elements`; of a level there are others too."""
        all_of_level = np.flatnonzero((self.levels == level) & (self.kinds >= 0))
        parents = all_of_level[np.searchsorted(all_of_level, inside, side="right") - 1]
        is_wanted = np.zeros(len(self.kinds), np.bool_)
        is_wanted[elements] = True
        return inside[is_wanted[parents]]

    def check_children(self, known: frozenset[str]) -> None:
        wanted = np.array([tag.name.rpartition(":")[2] in known for tag in self.unique], np.bool_)
        if not wanted[self.ids[(self.levels == 2) & (self.kinds >= 0)]].all():  # right under the row
            raise NotPlain

    def _texts(self, places: Sequence[int], elements: Places) -> None:
        following = np.minimum(elements + 1, len(self.kinds) - 1)
        is_open = self.kinds[elements] == 1
        if (is_open & (self.kinds[following] != -1)).any():  # an element among its text
            raise NotPlain
        begins = self.tokens.closes[elements] + 1
        ends = np.where(is_open, self.tokens.opens[following], begins)
        texts = self.tokens.between(begins, ends).cast(pa.string())
        if self.tokens.has_entities:
            for entity, sign in ENTITIES.items():
                texts = pc.replace_substring(texts, entity, sign)
        self._put(places, elements, texts)

    def _attributes(self, attributes: Sequence[tuple[str, int]], elements: Places) -> None:
        for name, place in attributes:
            values = pa.array([tag.attributes.get(name) for tag in self.unique], pa.string()).take(pa.array(self.ids[elements]))
            self._put([place], elements, values)

    def _put(self, places: Sequence[int], elements: Places, values: pa.Array) -> None:
        if not len(elements):
            return
        rows = np.searchsorted(self.begins, elements, side="right") - 1
        if (rows[1:] == rows[:-1]).any() or any(self.columns[place] is not None for place in places):
            raise NotPlain  # given twice
        if len(rows) < len(self.begins):
            where = np.full(len(self.begins), -1)
            where[rows] = np.arange(len(rows))
            values = values.take(pa.array(where, mask=where < 0))
        for place in places:
            self.columns[place] = values


def can_read(part: Part) -> bool:
    """Whether all that is wanted of rows are attributes, and texts of elements without elements."""
    return not part.places and all(map(_is_leaf_or_branch, part.parts.values()))


def _is_leaf_or_branch(part: Part) -> bool:
    return not (part.places and part.parts) and all(map(_is_leaf_or_branch, part.parts.values()))


def parted(data: bytes, end: re.Pattern[bytes], least: int) -> Iterator[bytes]:
    """A block in two halves, each of whole rows; itself where it cannot be parted, or is small."""
    cut = end.search(data, len(data) // 2) if len(data) > least else None
    if cut is None or not data[cut.end() :].strip():
        yield data
        return
    yield data[: cut.end()]
    yield data[cut.end() :]
