"""Rows as MariaDB puts them on the line, however they arrive: found all at once or one by one, they are the same."""

from __future__ import annotations

import io
from collections.abc import Sequence

import pyarrow as pa
import pymysql
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lienthong.connectors.sql_mariadb import AT_ONCE, _answer, _parted, _value
from lienthong.connectors.sql_reading import NotOneText
from lienthong.connectors.sql_sources import ABSENT, SEPARATOR

TEXTS = st.one_of(
    st.none(),
    st.binary(max_size=40),
    st.integers(0, 40).map(bytes),  # nothing but NUL
    st.sampled_from([b"x" * size for size in (7, 8, 9, 247, 248, 249, 250, 251, 252, 255, 256, 65_532, 65_533, 65_536)]),
    st.integers(9, 120).map(
        lambda size: size.to_bytes(3, "little") + b"\0" + bytes([size - 1]) + b"y" * size
    ),  # looks like a packet itself
)
ENDS = b"\xfe\0\0\2\0"
FAILS = b"\xff" + (1317).to_bytes(2, "little") + b"#70100" + b"Query execution was interrupted"


class Line:
    """A line that gives what has come, in parts of sizes said."""

    def __init__(self, data: bytes, sizes: Sequence[int]) -> None:
        self._data, self._sizes, self._reads = io.BytesIO(data), sizes, 0

    def read1(self, most: int) -> bytes:
        self._reads += 1
        return self._data.read(min(most, self._sizes[self._reads % len(self._sizes)]))


def packets(texts: Sequence[bytes | None], last: bytes) -> bytes:
    bodies = [*(b"\xfb" if text is None else _length(len(text)) + text for text in texts), last]
    return b"".join(len(body).to_bytes(3, "little") + bytes([n % 256]) + body for n, body in enumerate(bodies))


def _length(size: int) -> bytes:
    return bytes([size]) if size < 251 else b"\xfc" + size.to_bytes(2, "little") if size < 65_536 else b"\xfd" + size.to_bytes(3, "little")


@given(st.lists(TEXTS, max_size=20), st.lists(st.integers(300, 70_000), min_size=1, max_size=5), st.sampled_from([1, 2, 7, 1_000]))
def test_every_row_of_an_answer_is_found_however_it_arrives(texts: list[bytes | None], sizes: list[int], most: int) -> None:
    found = list(_answer(Line(packets(texts, ENDS), sizes), most))
    assert [_value(rows.data.tobytes(), at)[0] for rows in found for at in rows.begins.tolist()] == texts
    assert all(len(rows.begins) <= most for rows in found)


@given(st.lists(TEXTS, max_size=20), st.lists(st.integers(300, 70_000), min_size=1, max_size=3))
def test_an_answer_that_ends_in_an_error_or_nowhere_is_never_taken_for_whole(texts: list[bytes | None], sizes: list[int]) -> None:
    for last, words in ((FAILS, "interrupted"), (b"", "Lost connection")):
        data = packets(texts, last)
        with pytest.raises(pymysql.MySQLError, match=words):
            list(_answer(Line(data if last else data[:-4], sizes), 1_000))


CELLS = st.one_of(
    st.none(), st.text(st.characters(exclude_characters=[SEPARATOR], exclude_categories=["Cs"])), st.sampled_from(["\0", "\n\r", "ợ" * 99])
)
ROWS = st.integers(1, 4).flatmap(lambda width: st.lists(st.tuples(*[CELLS] * width), min_size=1, max_size=12))


def told(rows: Sequence[tuple[str | None, ...]]) -> bytes:
    """Rows as the server makes one text of each."""
    return packets([SEPARATOR.join(ABSENT if cell is None else cell for cell in row).encode() for row in rows], ENDS)


def parted(data: bytes, columns: int) -> list[tuple[str | None, ...]]:
    tables = [_parted(rows, columns) for rows in _answer(Line(data, [100_000]), 1_000_000)]
    return [tuple(row.values()) for table in tables for row in table.to_pylist()]


@given(ROWS)
def test_rows_that_are_one_text_are_parted_as_they_were(rows: list[tuple[str | None, ...]]) -> None:
    assert parted(told(rows), len(rows[0])) == rows


def test_more_rows_than_are_parted_at_once_stay_in_their_order() -> None:
    rows = [(str(n), None if n % 3 else "xã", "") for n in range(2 * AT_ONCE + 5)]
    assert parted(told(rows), 3) == rows


@pytest.mark.parametrize("at", [0, AT_ONCE + 1])
def test_a_value_with_the_sign_that_parts_or_no_text_is_told_wherever_it_stands(at: int) -> None:
    rows: list[tuple[str | None, ...]] = [("1", "a")] * (AT_ONCE + 9)
    rows[at] = ("1", f"a{SEPARATOR}b")
    with pytest.raises(NotOneText):
        parted(told(rows), 2)
    rows[at] = ("1", "ab")
    with pytest.raises(pa.ArrowInvalid):
        parted(told(rows).replace(b"ab", b"a\xc3"), 2)
