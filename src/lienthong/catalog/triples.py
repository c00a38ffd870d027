"""Statements of RDF, and their three forms: Turtle, RDF/XML, JSON-LD. Written as they come: nothing is parsed, checked or kept beside one piece's statements.

There are no blank nodes and no lists: what a catalogue says needs neither.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple
from urllib.parse import quote
from xml.sax.saxutils import escape, quoteattr

from lienthong.catalog.dcat_forms import RDF_XML, TURTLE

_UNFIT_IRI = re.compile(r'[\x00-\x20<>"{}|^`\\\ud800-\udfff]')
_UNFIT_TEXT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")  # XML has no way to write them
_LOCAL = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r"})


class Iri(str):
    """The address of something."""

    __slots__ = ()


class Literal(NamedTuple):
    """A text in a language, or a value of a type; with neither, plain text."""

    text: str
    language: str = ""
    datatype: Iri = Iri()


class Vocabulary:
    """Words under one root: `DCTERMS.title`, `DCTERMS["format"]`."""

    def __init__(self, root: str) -> None:
        self.root = root

    def __getattr__(self, word: str) -> Iri:
        self.__dict__[word] = found = Iri(self.root + word)
        return found

    def __getitem__(self, word: str) -> Iri:
        return Iri(self.root + word)


RDF = Vocabulary("http://www.w3.org/1999/02/22-rdf-syntax-ns#")
Value = Iri | Literal


class Statements:
    """What is said of each thing, everything once, in the order it was said."""

    def __init__(self) -> None:
        self.things: dict[Iri, dict[Iri, dict[Value, None]]] = {}

    def add(self, thing: Iri, word: Iri, value: Value) -> None:
        self.things.setdefault(thing, {}).setdefault(word, {})[value] = None

    def __iter__(self) -> Iterator[tuple[Iri, Iri, Value]]:
        return ((thing, word, value) for thing, said in self.things.items() for word, values in said.items() for value in values)


def written(pieces: Iterable[Statements], form: str, vocabularies: Mapping[str, Vocabulary]) -> Iterator[bytes]:
    """One document of all the pieces, given out piece by piece. `vocabularies`: by prefix; must hold those of every word that is used."""
    names = _Names({"rdf": RDF, **vocabularies})
    if form == TURTLE:
        yield "".join(f"@prefix {prefix}: <{root}> .\n" for prefix, root in names.roots.items()).encode()
        yield from (_turtle(piece, names).encode() for piece in pieces)
    elif form == RDF_XML:
        declared = "".join(f"\n  xmlns:{prefix}={quoteattr(root)}" for prefix, root in names.roots.items())
        yield f'<?xml version="1.0" encoding="utf-8"?>\n<rdf:RDF{declared}>\n'.encode()
        yield from (_xml(piece, names).encode() for piece in pieces)
        yield b"</rdf:RDF>\n"
    else:
        before = "[\n"
        for piece in pieces:
            if piece.things:
                yield (before + ",\n".join(_node(thing, said) for thing, said in piece.things.items())).encode()
                before = ",\n"
        yield b"\n]\n" if before != "[\n" else b"[]\n"


class _Names:
    """Words under their prefixes. They are few: each is looked for once."""

    def __init__(self, vocabularies: Mapping[str, Vocabulary]) -> None:
        self.roots = {prefix: vocabulary.root for prefix, vocabulary in vocabularies.items()}
        self._found: dict[str, str] = {}

    def __call__(self, word: str) -> str:
        if word not in self._found:
            self._found[word] = next(
                f"{prefix}:{word[len(root) :]}"
                for prefix, root in self.roots.items()
                if word.startswith(root) and _LOCAL.fullmatch(word, len(root))
            )
        return self._found[word]


def _turtle(piece: Statements, names: _Names) -> str:
    parts = []
    for thing, said in piece.things.items():
        lines = []
        for word, values in said.items():
            if word == RDF.type:
                lines.append(f"a {', '.join(names(str(kind)) for kind in values)}")
            else:
                lines.append(f"{names(word)} {', '.join(map(_turtle_value, values))}")
        parts.append(f"\n<{_fit(thing)}> " + " ;\n    ".join(lines) + " .\n")
    return "".join(parts)


def _turtle_value(value: Value) -> str:
    if isinstance(value, Iri):
        return f"<{_fit(value)}>"
    text = f'"{_text(value).translate(_ESCAPES)}"'
    return f"{text}@{value.language}" if value.language else f"{text}^^<{value.datatype}>" if value.datatype else text


def _xml(piece: Statements, names: _Names) -> str:
    parts = []
    for thing, said in piece.things.items():
        parts.append(f"<rdf:Description rdf:about={quoteattr(_fit(thing))}>")
        parts.extend(_xml_value(names(word), value) for word, values in said.items() for value in values)
        parts.append("</rdf:Description>\n")
    return "".join(parts)


def _xml_value(name: str, value: Value) -> str:
    if isinstance(value, Iri):
        return f"<{name} rdf:resource={quoteattr(_fit(value))}/>"
    of = (
        f" xml:lang={quoteattr(value.language)}"
        if value.language
        else f" rdf:datatype={quoteattr(value.datatype)}"
        if value.datatype
        else ""
    )
    text = escape(_text(value), {"\r": "&#13;"})
    return f"<{name}{of}>{text}</{name}>"


def _node(thing: Iri, said: Mapping[Iri, Iterable[Value]]) -> str:
    node: dict[str, object] = {"@id": _fit(thing)}
    for word, values in said.items():
        if word == RDF.type:
            node["@type"] = [str(kind) for kind in values]
        else:
            node[word] = [_node_value(value) for value in values]
    return json.dumps(node, ensure_ascii=False)


def _node_value(value: Value) -> dict[str, str]:
    if isinstance(value, Iri):
        return {"@id": _fit(value)}
    said = {"@value": _text(value)}
    if value.language:
        said["@language"] = value.language
    elif value.datatype:
        said["@type"] = value.datatype
    return said


def _text(value: Literal) -> str:
    return _UNFIT_TEXT.sub("\ufffd", value.text)


def _fit(iri: str) -> str:
    """What may not stand in an address, in percent."""
    return _UNFIT_IRI.sub(lambda found: quote(found[0], errors="replace"), iri) if _UNFIT_IRI.search(iri) else iri
