"""An XML part of an archive gone through row by row, in flat memory: what stands before a row that was read is let go of.

Between two rows only so much may stand: a document of small elements without rows would be held whole, in thirty times its size.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from lxml import etree

from lienthong.connectors.excel_guard import Unpacker
from lienthong.errors import HostileInputError, SourceError

MOST_BETWEEN = 16 * 1024 * 1024  # bytes; the widest row of a sheet has 16,384 cells


class PackedXml:
    """Beginnings and ends of the elements of some names; whoever is done with one says so (`forget`).

    Raises HostileInputError for a document type and for too much between two elements that are let go of, SourceError for what is no XML.
    """

    def __init__(self, unpacker: Unpacker, part: str, tags: tuple[str, ...]) -> None:
        self._name, self._part, self._tags = unpacker.name, part, tags
        self._chunks = unpacker.chunks(part)
        self._rest = b""
        self._held = 0

    def read(self, size: int) -> bytes:
        """The part as a file for lxml."""
        while not self._rest:
            chunk = next(self._chunks, None)
            if chunk is None:
                return b""
            self._rest = chunk
        data, self._rest = self._rest[:size], self._rest[size:]
        self._held += len(data)
        if self._held > MOST_BETWEEN:
            raise HostileInputError(
                f"`{self._name}`, {self._part}: một dòng quá lớn, hoặc quá nhiều thứ ngoài bảng / a row, or what stands between two, is larger than "
                f"{MOST_BETWEEN >> 20} MiB."
            )
        return data

    def events(self) -> Iterator[tuple[str, Any]]:
        """(`start` or `end`, element)."""
        parser = etree.iterparse(
            self,
            events=("start", "end"),
            tag=self._tags,
            resolve_entities=False,
            no_network=True,
            load_dtd=False,
            huge_tree=False,
            remove_pis=True,
            remove_comments=True,
        )
        first = True
        try:
            for event, element in parser:
                if first and element.getroottree().docinfo.doctype:
                    raise HostileInputError(f"`{self._name}`: có khai báo DOCTYPE / has a document type declaration.")
                first = False
                yield event, element
        except etree.XMLSyntaxError as error:
            raise SourceError(f"`{self._name}`, {self._part} line {error.lineno}: tệp hỏng / is damaged ({error.msg}).") from error

    def forget(self, element: Any) -> None:
        """Let go of what an element holds and of all before it. Not for one inside another that is still wanted."""
        element.clear(keep_tail=False)
        while (parent := element.getparent()) is not None:
            while element.getprevious() is not None:
                del parent[0]
            element = parent
        self._held = 0
