"""Files of shares: who follows the change data has what the table says, the same files come out whenever they are made, hints lose no row."""

from __future__ import annotations

import json
import operator as op
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from lienthong.sharing.rights import Right
from lienthong.sharing.shares import files as shelves
from lienthong.sharing.shares.files import FileStore, Made, Making
from lienthong.sharing.shares.hints import enough, fitting
from lienthong.sharing.shares.making import brought_by, changes_in, rows_at, taken_by
from lienthong.sharing.shares.shape import View, view_of
from lienthong.store import Connection, Database
from lienthong.store.answers import Condition
from tests.sharing.publications import CONTRACT, Publisher, Values
from tests.sharing.test_answers import _forget

EVERYTHING = Right("VN/GOV/H10.02/test", visible=("no", "name", "size"))
ONLY_X = Right("VN/GOV/H10.02/test", visible=("no", "name", "size"), conditions=(Condition("name", "eq", "x"),))
MASKED = Right("VN/GOV/H10.02/test", visible=("no",), masked={"name": "last2"}, withheld=("size",))
ROOM = 1 << 30
VALUES = st.tuples(st.sampled_from(["x", "y", None]), st.sampled_from([1, 2, None]))
STATES = st.dictionaries(st.sampled_from(["a", "b", "c", "d"]), VALUES, max_size=4)


@pytest.fixture
def connection(database_url: str) -> Iterator[Connection]:
    with Database(database_url).connect() as opened:
        yield opened


def rows_of(folder: Path, made: Made) -> list[dict[str, Any]]:
    tables = [parquet.read_table(folder / made.name / part.name) for part in made.parts]
    return [row for table in tables for row in table.to_pylist()]


def as_seen(state: Values, right: Right) -> dict[str, Any]:
    return {key: value for key, value in state.items() if right is not ONLY_X or value[0] == "x"}


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(snapshots=st.lists(STATES, min_size=1, max_size=5))
def test_who_applies_the_change_data_has_what_the_table_says(
    connection: Connection, database_url: str, tmp_path: Path, snapshots: list[Values]
) -> None:
    _forget(connection)
    publisher = Publisher(connection)
    publisher.apply()
    for snapshot in snapshots:
        publisher.publish(snapshot)
    for right in (EVERYTHING, ONLY_X):
        view = view_of(CONTRACT, right)
        copy: dict[str, Any] = {}
        followed: list[dict[str, Any]] = []
        for version in publisher.states:
            folder = tmp_path / f"{len(list(tmp_path.iterdir()))}"
            store = FileStore(folder, ROOM, 3600)
            changed = rows_of(folder, store.get(changes_in(database_url, view, version, is_first_fill=version == 1)))
            for row in changed:
                value = (row["name"], row["size"])
                if row["_change_type"] in ("delete", "update_preimage"):
                    assert copy.pop(row["no"]) == value
                else:
                    assert row["no"] not in copy
                    copy[row["no"]] = value
            told = rows_of(folder, store.get(rows_at(database_url, view, version)))
            if right is ONLY_X:  # both are made of the changes just held: once is enough
                brought = rows_of(folder, store.get(brought_by(database_url, view, version, is_first_fill=version == 1)))
                taken = rows_of(folder, store.get(taken_by(database_url, view, version, is_first_fill=version == 1)))
                assert all(row in followed for row in taken)
                followed = [row for row in followed if row not in taken] + brought
                assert sorted(followed, key=str) == sorted(told, key=str)
            expected = as_seen(publisher.states[version], right)
            assert {row["no"]: (row["name"], row["size"]) for row in told} == expected
            assert copy == expected


def test_what_is_masked_or_withheld_is_not_in_the_file(connection: Connection, database_url: str, tmp_path: Path) -> None:
    publisher = Publisher(connection)
    publisher.apply()
    publisher.publish({"a": ("xyz12", 7)})
    view = view_of(CONTRACT, MASKED)
    made = FileStore(tmp_path, ROOM, 3600).get(rows_at(database_url, view, 1))
    (row,) = rows_of(tmp_path, made)
    assert list(row) == ["no", "name"]
    assert row["name"].endswith("12")
    assert b"xyz12" not in (tmp_path / made.name / made.parts[0].name).read_bytes()
    assert "xyz12" not in made.parts[0].stats
    assert json.loads(view.schema_text())["fields"][1]["type"] == "string"


def batches(rows: int, cut: int) -> Iterator[pa.RecordBatch]:
    for begin in range(0, rows, cut):
        some = range(begin, min(begin + cut, rows))
        yield pa.RecordBatch.from_pydict({"n": list(some), "t": [f"chữ {n}" for n in some]})


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.integers(1, 60), cut=st.integers(1, 60), other=st.integers(1, 60))
def test_files_are_the_same_however_their_rows_came(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, rows: int, cut: int, other: int
) -> None:
    monkeypatch.setattr(shelves, "ROWS_IN_GROUP", 7)
    monkeypatch.setattr(shelves, "ROWS_IN_PART", 21)
    made = []
    for number, size in enumerate((cut, other)):
        folder = tmp_path / f"{len(list(tmp_path.iterdir()))}-{number}"
        found = FileStore(folder, ROOM, 3600).get(Making("0" * 40, batches(rows, size), {}))
        assert [row["n"] for row in rows_of(folder, found)] == list(range(rows))
        made.append([(folder / found.name / part.name).read_bytes() for part in found.parts])
    assert made[0] == made[1]


def test_the_longest_unused_goes_first_and_the_last_stays(tmp_path: Path) -> None:
    store = FileStore(tmp_path, 1, 3600)
    for number in range(3):
        store.get(Making(f"{number}" * 40, batches(5, 5), {}))
    kept = [n for n in range(3) if store.kept(f"{n}" * 40) is not None]
    assert kept == [2]
    assert [place.name for place in tmp_path.iterdir() if place.is_dir()] == ["2" * 40]


def test_a_file_is_kept_once_it_was_given_whole_and_not_before(tmp_path: Path) -> None:
    store, name = FileStore(tmp_path, ROOM, 3600), "a" * 40
    broken = store.while_given(name, iter([b"one", b"two"]), lambda: 2)
    assert next(broken) == b"one"
    broken.close()  # the client left
    assert (store.opened(name), list(tmp_path.iterdir())) == (None, [])
    at_once = [store.while_given(name, iter([b"one", b"two"]), lambda: 2) for _ in range(2)]
    assert [b"".join(each) for each in at_once] == [b"onetwo"] * 2
    found = store.opened(name)
    assert found is not None
    made, pieces = found
    shutil.rmtree(tmp_path / name)  # cleared away while it is given
    assert (made.rows, made.size, b"".join(pieces)) == (2, 6, b"onetwo")
    assert store.opened(name) is None


def test_what_would_take_half_the_room_or_finds_none_is_given_and_not_kept(tmp_path: Path) -> None:
    small = FileStore(tmp_path / "small", 8, 3600)
    assert b"".join(small.while_given("b" * 40, iter([b"abc", b"def"]), lambda: 2)) == b"abcdef"
    assert small.opened("b" * 40) is None
    (tmp_path / "file").touch()
    nowhere = FileStore(tmp_path / "file", ROOM, 3600)  # a folder that cannot be made
    assert b"".join(nowhere.while_given("c" * 40, iter([b"abc"]), lambda: 1)) == b"abc"


def test_a_making_that_fails_leaves_nothing_and_the_next_one_is_whole(tmp_path: Path) -> None:
    def broken() -> Iterator[pa.RecordBatch]:
        yield from batches(5, 5)
        raise ValueError("away")

    store = FileStore(tmp_path, ROOM, 3600)
    with pytest.raises(ValueError):
        store.get(Making("0" * 40, broken(), {}))
    assert [place for place in tmp_path.iterdir() if place.is_dir()] == []
    assert store.get(Making("0" * 40, batches(5, 5), {})).rows == 5


OPERATIONS = {"equal": "=", "lessThan": "<", "lessThanOrEqual": "<=", "greaterThan": ">", "greaterThanOrEqual": ">="}


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_hint_leaves_out_no_file_that_holds_what_it_asks_for(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, operation: str) -> None:
    monkeypatch.setattr(shelves, "ROWS_IN_GROUP", 5)
    monkeypatch.setattr(shelves, "ROWS_IN_PART", 5)
    made = FileStore(tmp_path, ROOM, 3600).get(Making("0" * 40, batches(30, 30), {}))
    fits = {"=": op.eq, "<": op.lt, "<=": op.le, ">": op.gt, ">=": op.ge}[OPERATIONS[operation]]
    for value in range(-1, 31):
        hint = json.dumps(
            {"op": operation, "children": [{"op": "column", "name": "n"}, {"op": "literal", "value": str(value), "valueType": "long"}]}
        )
        for chosen in (fitting(made.parts, (), hint), fitting(made.parts, (f"n {OPERATIONS[operation]} {value}",), None)):
            left = {part.name for part in made.parts} - {part.name for part in chosen}
            assert [n for n in range(30) if fits(n, value) and f"part-{n // 5:05}.parquet" in left] == []
    assert len(fitting(made.parts, ("n = 7",), None)) == 1
    assert len(fitting(made.parts, ("t = 'chữ 7'", "nonsense ("), None)) >= 1
    assert [part.rows for part in enough(made.parts, 6)] == [5, 5]
    assert enough(made.parts, 0) == []


def test_the_same_right_of_another_is_the_same_file_and_another_right_another() -> None:
    other = Right("VN/GOV/H10.03/khac", official="b", purpose="c", visible=("no", "name", "size"))
    digests: list[View] = [view_of(CONTRACT, right) for right in (EVERYTHING, other, ONLY_X, MASKED)]
    assert digests[0].digest == digests[1].digest
    assert len({view.digest for view in digests}) == 3
