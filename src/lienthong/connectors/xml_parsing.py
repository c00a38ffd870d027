"""XML parsed without reaching for anything outside the document: no document type, no entities of its own, no network, bounded depth."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from lxml import etree

from lienthong.errors import HostileInputError, SourceError

MOST_NAMES = 4_096

PARSING: dict[str, Any] = {
    "events": ("start", "end"),
    "resolve_entities": False,
    "no_network": True,
    "load_dtd": False,
    "huge_tree": False,
    "remove_pis": True,
}
# `resolve_entities=False` makes a parser that is fed forgive what is not well-formed; a document type is refused before it is fed any.
FED: dict[str, Any] = {**PARSING, "resolve_entities": "internal"}


@lru_cache(MOST_NAMES)
def local_name(tag: object) -> str:
    """A name without its namespace; empty for comments and the like."""
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


def refuse_doctype(tree: etree._ElementTree, name: str) -> None:
    """Raises HostileInputError for a document that declares its type. `name`: of the document, for the words."""
    if tree.docinfo.internalDTD is not None or tree.docinfo.doctype:
        raise doctype(name)


def refuse_doctype_of(root: etree._Element | None, name: str) -> None:
    """The same of the document an element is the root of."""
    if root is not None:
        refuse_doctype(root.getroottree(), name)


def doctype(name: str) -> HostileInputError:
    """What is said of a document type."""
    return HostileInputError(
        f"`{name}`: có khai báo DOCTYPE / has a document type declaration, which can reach for other files or grow without end.",
        hint="Deliver it without DOCTYPE.",
    )


def not_xml(name: str, error: etree.XMLSyntaxError, lines_passed: int = 0) -> SourceError:
    """What is said of a document that does not parse. `lines_passed`: lines before those the parser was given."""
    said = f"`{name}` line {(error.lineno or 0) + lines_passed}"
    if "entity" in error.msg.lower() or "huge" in error.msg.lower() or "depth" in error.msg.lower():
        return HostileInputError(f"{said}: XML bị từ chối / refused: {error.msg}.")
    return SourceError(f"{said}: không phải XML hợp lệ / is not well-formed XML: {error.msg}.", hint="The delivery may have been cut off.")
