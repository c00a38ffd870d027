"""Statements in three forms, read again by a library of others."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rdflib import Graph, URIRef
from rdflib import Literal as TheirLiteral

from lienthong.catalog.dcat_forms import JSON_LD, RDF_XML, TURTLE
from lienthong.catalog.triples import RDF, Iri, Literal, Statements, Vocabulary, written

WORDS = Vocabulary("http://example.org/words#")
READ_AS = {TURTLE: "turtle", RDF_XML: "xml", JSON_LD: "json-ld"}
TEXTS = st.text(max_size=40).map(lambda text: "".join(c for c in text if c >= " " or c in "\t\n\r"))
LITERALS = st.one_of(
    TEXTS.map(Literal), TEXTS.map(lambda text: Literal(text, "vi")), st.integers().map(lambda n: Literal(str(n), datatype=WORDS.kind))
)
THINGS = st.sampled_from([Iri(f"http://example.org/{name}") for name in ("a", "b?x=1&y='2'", "c%20d", "đất")])
SAID = st.tuples(THINGS, st.sampled_from([WORDS.title, WORDS.keyword, WORDS["format"]]), st.one_of(LITERALS, THINGS))


def made(said: list[tuple[Iri, Iri, Iri | Literal]]) -> Statements:
    statements = Statements()
    for each in said:
        statements.add(*each)
    return statements


def theirs(value: Iri | Literal) -> URIRef | TheirLiteral:
    if isinstance(value, Iri):
        return URIRef(value)
    return TheirLiteral(value.text, lang=value.language or None, datatype=URIRef(value.datatype) if value.datatype else None)


@pytest.mark.parametrize("form", READ_AS)
@settings(max_examples=60)
@given(pieces=st.lists(st.lists(SAID, max_size=6), max_size=3))
def test_what_is_said_is_read_the_same_from_every_form(form: str, pieces: list[list[tuple[Iri, Iri, Iri | Literal]]]) -> None:
    document = b"".join(written(map(made, pieces), form, {"w": WORDS}))
    read = Graph().parse(data=document, format=READ_AS[form])
    assert set(read) == {(URIRef(thing), URIRef(word), theirs(value)) for piece in pieces for thing, word, value in piece}


@pytest.mark.parametrize("form", READ_AS)
def test_kinds_are_said_and_nothing_twice(form: str) -> None:
    thing = Iri("http://example.org/a")
    document = b"".join(written([made([(thing, RDF.type, WORDS.Book), (thing, RDF.type, WORDS.Map)] * 2)], form, {"w": WORDS})).decode()
    assert len(Graph().parse(data=document, format=READ_AS[form])) == 2
    assert document.count("Book") == 1


@pytest.mark.parametrize("form", READ_AS)
def test_an_address_or_a_text_cannot_end_before_its_end(form: str) -> None:
    hostile = 'x> <http://evil/> "</w:title>\\" . ]] \x00\x0b'
    thing = Iri("http://example.org/" + hostile)
    document = b"".join(written([made([(thing, WORDS.title, Literal(hostile)), (thing, WORDS.keyword, thing)])], form, {"w": WORDS}))
    read = Graph().parse(data=document, format=READ_AS[form])
    assert {str(subject) for subject in read.subjects()} == {
        "http://example.org/x%3E%20%3Chttp://evil/%3E%20%22%3C/w:title%3E%5C%22%20.%20]]%20%00%0B"
    }
    assert str(read.value(predicate=URIRef(WORDS.title), subject=next(read.subjects()))) == hostile.replace("\x00", "\ufffd").replace(
        "\x0b", "\ufffd"
    )
