"""Every saying of a pair means the same in SQL and in Python, for whatever texts features can be."""

from __future__ import annotations

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lienthong.masterdata.kinds import KINDS, Attribute, columns_of, comparisons_of, features_of
from lienthong.masterdata.predicates import Across, Alike, Both, Common, Crossed, Differ, Edits, Either, Empty, EndOf, Is, Predicate, Same
from lienthong.masterdata.splinking import DUCKDB_FUNCTIONS

COLUMNS = ("a", "b", "c")
PLACES = {column: n for n, column in enumerate(COLUMNS)}
PREDICATES: tuple[Predicate, ...] = (
    Empty("a"),
    Same("a"),
    Differ("a"),
    Crossed("a", "b"),
    Across("a", "b"),
    Is("a", "0101"),
    Is("a", "k'rang"),
    EndOf("a", ("thon", "n", "a")),
    *(Edits("a", most) for most in (0, 1, 2, 3)),
    *(Alike("a", least) for least in (0.8, 0.85, 0.9, 0.92)),
    *(Common("a", of_ten) for of_ten in (2, 4, 6)),
    Both((Same("a"), Empty("b"))),
    Both((Edits("a", 2), Same("b"), Differ("c"))),
    Either((Same("a"), Is("b", "0101"))),
    Either((Empty("a"), Either((Empty("b"), Differ("c"))), Same("b"))),
)

LETTERS = st.text("anhgiy01 ", min_size=1, max_size=9)  # few letters, so that pairs are near one another
SOME = st.sampled_from(
    (
        "n",
        "an",
        "anh",
        "nha",
        "nguyen thi lan",
        "nguyen thi lna",
        "tran van hoa",
        "0101",
        "19601231",
        "k'rang",
        "thon 3",
        "12 thon 3",
        "12 thon 13",
        "a n a n",
        "n a n",
    )
)
TEXTS = st.none() | LETTERS | SOME
RECORDS = st.tuples(TEXTS, TEXTS, TEXTS)


@pytest.fixture(scope="module")
def database() -> duckdb.DuckDBPyConnection:
    return duckdb.connect()


@given(st.lists(st.tuples(RECORDS, RECORDS), min_size=1, max_size=40))
@settings(max_examples=40, deadline=None)
def test_every_saying_is_the_same_in_sql_and_in_python(
    database: duckdb.DuckDBPyConnection, pairs: list[tuple[tuple[str | None, ...], tuple[str | None, ...]]]
) -> None:
    database.execute("create or replace table pairs (n integer, a_l text, b_l text, c_l text, a_r text, b_r text, c_r text)")
    database.executemany("insert into pairs values (?, ?, ?, ?, ?, ?, ?)", [(n, *left, *right) for n, (left, right) in enumerate(pairs)])
    terms = ", ".join(f"coalesce({predicate.sql(DUCKDB_FUNCTIONS)}, false)" for predicate in PREDICATES)
    rows = database.execute(f"select {terms} from pairs order by n").fetchall()
    tests = [predicate.test(PLACES) for predicate in PREDICATES]
    assert rows == [tuple(test(left, right) for test in tests) for left, right in pairs]


@given(
    st.sampled_from(sorted(KINDS)), st.none() | st.text(max_size=12) | SOME | st.sampled_from(("12/03/1980", "1980", "-", " ", "Đ", "24>9"))
)
@settings(max_examples=300, deadline=None)
def test_a_feature_is_never_an_empty_text_and_is_ascii_where_distances_are_measured(kind: str, value: str | None) -> None:
    attribute = Attribute("it", kind, {})
    features = features_of(attribute, value)
    assert len(features) == len(columns_of(attribute))
    assert "" not in features  # two empty texts are alike in Python and not in SQL; so there are none
    sayings = [level.when for comparison in comparisons_of([attribute]) for level in comparison.levels if level.when is not None]
    measured = {column for saying in sayings for column in _measured(saying)}
    for column, feature in zip(columns_of(attribute), features, strict=True):
        assert column not in measured or feature is None or feature.isascii()


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_a_cell_with_a_whole_book_in_it_stays_short_and_tells_two_books_apart(kind: str) -> None:
    attribute = Attribute("it", kind, {})
    book = "nguyễn văn an " * 10_000
    one, other = features_of(attribute, book + "1"), features_of(attribute, book + "2")
    assert all(feature is None or len(feature) < 200 for feature in one)
    assert kind == "date" or one != other
    assert one == features_of(attribute, book + "1")


def _measured(saying: Predicate) -> set[str]:
    """Columns between which a distance is measured: databases count bytes there."""
    if isinstance(saying, (Both, Either)):
        return {column for part in saying.parts for column in _measured(part)}
    return {saying.column} if isinstance(saying, (Edits, Alike)) else set()
