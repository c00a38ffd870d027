"""A bulk decision decides exactly what was previewed, leaves out what needs two persons, and goes back as one act."""

from __future__ import annotations

from datetime import timedelta

import pytest
from psycopg.types.json import Json

from lienthong.errors import Conflict, Unprocessable
from lienthong.pipeline import Workshop, bulk_deciding, stewarding
from lienthong.pipeline.bulk_deciding import Pattern
from lienthong.pipeline.matching import EntityIndex, Name
from lienthong.store import stewarding as store
from tests.pipeline.test_matching import filled, golden_of, learnt, standing, workshop
from tests.pipeline.test_stewarding import SEVERAL, both, index, many_records
from tests.registers import POPULATION

__all__ = ["filled", "index", "learnt", "workshop"]  # fixtures of the same registers

BY = "can-bo-a"


def waiting(place: Workshop, index: EntityIndex, by: str = BY) -> list[stewarding.Waiting]:
    return stewarding.queue(place, index, by, 500)


def queued(place: Workshop, index: EntityIndex, pairs: list[tuple[Name, Name]]) -> None:
    """Make these pairs wait for a person."""
    with place.database.connect() as connection:
        for left, right in pairs:
            connection.execute(
                "insert into lienthong.match_queue (entity, left_record, right_record, why, bits, since)"
                " select a.entity, least(a.record, b.record), greatest(a.record, b.record), 'weight', 1.5, now()"
                " from lienthong.match_records as a, lienthong.match_records as b"
                " where a.source = %s and a.key = %s and b.source = %s and b.key = %s on conflict (left_record, right_record) do update set why = excluded.why, bits = excluded.bits",
                (*left, *right),
            )


@pytest.fixture
def parted(filled: Workshop, index: EntityIndex) -> list[tuple[Name, Name]]:
    """Pairs of one person each that were taken apart without a word that lasts, and wait again."""
    pairs = [both(n) for n in (20, 22, 24)]
    for pair in pairs:
        stewarding.decide(filled, index, *pair, "apart", BY, "chưa xác minh")
    queued(filled, index, pairs)
    return pairs


def test_what_was_previewed_is_decided_and_undone_as_one(filled: Workshop, index: EntityIndex, parted: list[tuple[Name, Name]]) -> None:
    pattern = Pattern(registers=(parted[0][1][0], POPULATION), least_bits=1.4, below_bits=1.6)
    before = standing(filled)
    seen = bulk_deciding.preview(filled, index, pattern, "same", BY)
    assert (seen.pairs, seen.left_out, seen.records) == (3, 0, 6)
    assert {frozenset((s.left, s.right)) for s in seen.samples} == {frozenset(pair) for pair in parted}
    assert standing(filled) == before  # a preview changes nothing
    done = bulk_deciding.decide_all(filled, index, pattern, "same", seen.digest, BY, "đã đối chiếu")
    assert all(golden_of(filled, *left) == golden_of(filled, *right) for left, right in parted)
    assert not {one.item for one in waiting(filled, index)} & {s.item for s in seen.samples}
    assert done.act is not None
    stewarding.undo(filled, index, done.act, "kiem-toan", "nhầm")
    assert standing(filled) == before


def test_a_set_that_changed_after_the_preview_is_not_decided(filled: Workshop, index: EntityIndex, parted: list[tuple[Name, Name]]) -> None:
    pattern = Pattern(why="weight", least_bits=1.4, below_bits=1.6)
    seen = bulk_deciding.preview(filled, index, pattern, "same", BY)
    stewarding.decide(filled, index, *parted[0], "same", "can-bo-b", "giấy khai sinh")
    with pytest.raises(Conflict, match="no longer"):
        bulk_deciding.decide_all(filled, index, pattern, "same", seen.digest, BY, "đã đối chiếu")
    assert golden_of(filled, *parted[1][0]) != golden_of(filled, *parted[1][1])
    with pytest.raises(Conflict):  # a preview of the other verdict does not serve either
        bulk_deciding.decide_all(filled, index, pattern, "apart", bulk_deciding.preview(filled, index, pattern, "same", BY).digest, BY, "x")


def test_a_record_that_changed_after_the_preview_is_looked_at_again(
    filled: Workshop, index: EntityIndex, parted: list[tuple[Name, Name]]
) -> None:
    pattern = Pattern(why="weight", least_bits=1.4, below_bits=1.6)
    seen = bulk_deciding.preview(filled, index, pattern, "same", BY)
    with filled.database.connect() as connection:
        connection.execute(
            """update lienthong.match_records set content = (content::jsonb || '{"phone": "0699999999"}')::json where source = %s and key = %s""",
            parted[0][0],
        )
    with pytest.raises(Conflict, match="no longer"):
        bulk_deciding.decide_all(filled, index, pattern, "same", seen.digest, BY, "đã đối chiếu")


def test_what_needs_two_persons_only_together_is_left_out(filled: Workshop, index: EntityIndex, parted: list[tuple[Name, Name]]) -> None:
    first, second = (POPULATION, "7000000020"), (POPULATION, "7000000022")
    queued(filled, index, [(first, second)])  # two valid numbers: joins 20 and 22 with everything of theirs
    pattern = Pattern(why="weight", least_bits=1.4, below_bits=1.6)
    seen = bulk_deciding.preview(filled, index, pattern, "same", BY)
    assert (seen.pairs, seen.left_out) == (1, 3)
    assert {frozenset((s.left, s.right)) for s in seen.samples} == {frozenset(parted[2])}
    assert bulk_deciding.preview(filled, index, pattern, "apart", BY).pairs == 4  # keeping apart needs nobody else


def test_what_would_be_of_more_than_ten_records_is_left_out(filled: Workshop, index: EntityIndex) -> None:
    twins = ((301, "Xoan", 6), (301, "Kiệt", 6), (303, "Xoan", 5), (303, "Kiệt", 5))
    groups = [many_records(filled, index, *each) for each in twins]
    queued(filled, index, [(groups[0][0], groups[1][0]), (groups[2][0], groups[3][0])])  # twelve records, and ten
    pattern = Pattern(registers=(SEVERAL, SEVERAL), least_bits=1.4, below_bits=1.6)
    seen = bulk_deciding.preview(filled, index, pattern, "same", BY)
    assert (seen.pairs, seen.left_out) == (1, 1)
    assert bulk_deciding.preview(filled, index, pattern, "apart", BY).left_out == 0
    bulk_deciding.decide_all(filled, index, pattern, "same", seen.digest, BY, "đã đối chiếu")
    assert golden_of(filled, *groups[0][0]) != golden_of(filled, *groups[1][0])
    assert golden_of(filled, *groups[2][0]) == golden_of(filled, *groups[3][0])


def test_attributes_narrow_a_pattern(filled: Workshop, index: EntityIndex, parted: list[tuple[Name, Name]]) -> None:
    contents = ({"full_name": "A", "phone": "1"}, {"full_name": "B"}, {"full_name": "C", "phone": "3"})
    others = ({"full_name": "A", "phone": "2"}, {"full_name": "B", "phone": "1"}, {"full_name": "D", "phone": "3"})
    with filled.database.connect() as connection:
        for pair, left, right in zip(parted, contents, others, strict=True):
            for name, content in zip(pair, (left, right), strict=True):
                connection.execute("update lienthong.match_records set content = %s where source = %s and key = %s", (Json(content), *name))

    def fitting(alike: tuple[str, ...] = (), differing: tuple[str, ...] = ()) -> set[Name]:
        pattern = Pattern(least_bits=1.4, below_bits=1.6, alike=alike, differing=differing)
        return {s.left if s.left[0] == POPULATION else s.right for s in bulk_deciding.preview(filled, index, pattern, "apart", BY).samples}

    first, second, third = (pair[0] for pair in parted)
    assert fitting(alike=("full_name",)) == {first, second}
    assert fitting(differing=("full_name",)) == {third}
    assert fitting(differing=("phone",)) == {first}  # who has none neither agrees nor differs
    assert fitting(alike=("full_name", "phone")) == set()
    assert fitting(alike=("phone",), differing=("full_name",)) == {third}


@pytest.mark.parametrize(
    ("pattern", "verdict"),
    [
        (Pattern(), "unsure"),
        (Pattern(alike=("hobby",)), "same"),
        (Pattern(differing=("x; drop table",)), "apart"),
        (Pattern(why="mood"), "same"),
        (Pattern(registers=("nobody.knows", POPULATION)), "same"),
    ],
)
def test_a_pattern_that_says_nothing_known_is_refused(filled: Workshop, index: EntityIndex, pattern: Pattern, verdict: str) -> None:
    with pytest.raises(Unprocessable):
        bulk_deciding.preview(filled, index, pattern, verdict, BY)


def test_nothing_is_decided_without_a_reason_or_a_pair(filled: Workshop, index: EntityIndex, parted: list[tuple[Name, Name]]) -> None:
    assert parted
    nobody = Pattern(least_bits=1e6)
    with pytest.raises(Unprocessable, match="No pair"):
        bulk_deciding.decide_all(filled, index, nobody, "same", bulk_deciding.preview(filled, index, nobody, "same", BY).digest, BY, "x")
    everybody = Pattern(least_bits=1.4, below_bits=1.6)
    with pytest.raises(Unprocessable, match="reason"):
        bulk_deciding.decide_all(
            filled, index, everybody, "same", bulk_deciding.preview(filled, index, everybody, "same", BY).digest, BY, " "
        )


def test_more_than_one_act_decides_are_counted_and_not_read(
    filled: Workshop, index: EntityIndex, parted: list[tuple[Name, Name]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk_deciding, "MOST_PAIRS", len(parted) - 1)
    with filled.database.connect() as connection:
        given = {"why": None, "registers": None, "least_bits": 1.4, "below_bits": 1.6, "alike": (), "differing": ()}
        read, fitting = store.fitting(connection, "person", BY, filled.clock(), given, len(parted) - 1)
    assert (read, fitting) == ([], len(parted))
    with pytest.raises(bulk_deciding.TooManyPairs, match="3 pairs fit; 2 may be decided"):
        bulk_deciding.preview(filled, index, Pattern(least_bits=1.4, below_bits=1.6), "same", BY)


def test_what_somebody_else_has_open_or_waits_for_a_day_is_not_decided(
    filled: Workshop, index: EntityIndex, parted: list[tuple[Name, Name]]
) -> None:
    pattern = Pattern(least_bits=1.4, below_bits=1.6)
    items = [one.item for one in bulk_deciding.preview(filled, index, pattern, "same", BY).samples]
    stewarding.defer(filled, items[0], filled.clock() + timedelta(days=1))
    with filled.database.connect() as connection:
        store.lock_items(connection, items[1:2], "can-bo-b", filled.clock() + timedelta(minutes=5))
    assert [one.item for one in bulk_deciding.preview(filled, index, pattern, "same", BY).samples] == items[2:]
    assert len(bulk_deciding.preview(filled, index, pattern, "same", "can-bo-b").samples) == len(parted) - 1
