"""CQL2 text is read as the reference parser reads it; geometries meet in Python as they meet in the database."""

from __future__ import annotations

import json
from contextlib import suppress

import cql2
import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lienthong.errors import BadRequest
from lienthong.sharing.geometry import box_of, inner_point, meets, polygon_of
from lienthong.web.doors.ogc.cql_text import read_text

GOOD = [
    "a = 1", "a <> 'it''s'", "1 < a", "a IS NULL", "a IS NOT NULL", "a BETWEEN 1 AND 5", "a NOT BETWEEN 1 AND 5", "a IN ('x', 'y')", "a not in (1, 2)",
    "a LIKE 'x%'", "a not like 'x_'", "NOT (a = 1 AND b = 2) OR c >= 3", "a = TRUE", "d > DATE('2020-01-01')", "d <= TIMESTAMP('2020-01-01T00:00:00Z')",
    "S_INTERSECTS(geometry, POINT(1 2))", "s_intersects(geometry, BBOX(1, 2, 3, 4))", "S_INTERSECTS(g, POLYGON((1 1, 2 1, 2 2, 1 1)))",
    "S_INTERSECTS(g, MULTIPOLYGON(((1 1, 2 1, 2 2, 1 1)), ((5 5, 6 5, 6 6, 5 5))))", "S_INTERSECTS(g, LINESTRING(1 1, 2 2))", '"a b" = 1.5e3', "x = -5",
]  # fmt: skip


@pytest.mark.parametrize("text", GOOD)
def test_text_is_read_as_the_reference_parser_reads_it(text: str) -> None:
    assert json.loads(json.dumps(read_text(text))) == cql2.parse_text(text).to_json()


def test_a_whole_number_keeps_its_digits() -> None:
    assert read_text("a = 9007199254740993") == {"op": "=", "args": [{"property": "a"}, 9007199254740993]}


@given(st.text(alphabet="()a1'\"=<>, NOTADRIBESLK_%.+-", max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    with suppress(BadRequest):
        read_text(text)


PLACES = st.tuples(st.integers(0, 6), st.integers(0, 6)).map(lambda place: [float(place[0]), float(place[1])])


def triangle(places: list[list[float]]) -> dict[str, object]:
    return {"type": "Polygon", "coordinates": [[*places, places[0]]]}


SHAPES = st.one_of(
    PLACES.map(lambda place: {"type": "Point", "coordinates": place}),
    st.lists(PLACES, min_size=2, max_size=4).map(lambda places: {"type": "LineString", "coordinates": places}),
    st.lists(PLACES, min_size=3, max_size=3).map(triangle),
    st.lists(st.lists(PLACES, min_size=3, max_size=3).map(lambda p: triangle(p)["coordinates"]), min_size=1, max_size=2).map(
        lambda parts: {"type": "MultiPolygon", "coordinates": parts}
    ),
    st.tuples(PLACES, PLACES).map(
        lambda two: polygon_of((min(two[0][0], two[1][0]), min(two[0][1], two[1][1]), max(two[0][0], two[1][0]), max(two[0][1], two[1][1])))
    ),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(one=SHAPES, other=SHAPES)
def test_what_meets_in_the_database_meets_here_whichever_is_named_first(
    database_url: str, one: dict[str, object], other: dict[str, object]
) -> None:
    with psycopg.connect(database_url) as connection:
        row = connection.execute("select lienthong.geojson_meets(%s, %s)", (json.dumps(one), json.dumps(other))).fetchone()
    assert row is not None
    assert meets(one, other) == meets(other, one) == row[0]


def test_a_hole_is_outside_and_a_box_inside_an_area_meets_it() -> None:
    ring = {"type": "Polygon", "coordinates": [polygon_of((0, 0, 10, 10))["coordinates"][0], polygon_of((2, 2, 8, 8))["coordinates"][0]]}
    assert not meets(ring, {"type": "Point", "coordinates": [5, 5]})
    assert not meets(ring, polygon_of((3, 3, 4, 4)))
    assert meets(ring, {"type": "Point", "coordinates": [1, 5]})
    assert meets(ring, polygon_of((1, 5, 1.5, 5.5)))
    assert meets(polygon_of((-5, -5, 20, 20)), ring)
    x, y = inner_point(ring)
    assert meets(ring, {"type": "Point", "coordinates": [x, y]})
    assert box_of(ring) == (0, 0, 10, 10)
