"""What stewards said of some records: the last word on two of them alone counts before a parting made earlier, and a later parting before it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lienthong.store.matching import Name, Said

A, B, C = ("land.holders", "1"), ("land.holders", "2"), ("population.persons", "1")
NUMBERS = {A: 1, B: 2, C: 3}
PARTED = (5, {A: 0, B: 1, C: 1})


def test_records_of_different_parts_are_apart_and_those_of_one_part_are_not_spoken_of() -> None:
    judged = Said((), [PARTED]).among(NUMBERS)
    assert (judged.same, judged.apart) == (frozenset(), frozenset({(1, 2), (1, 3)}))
    assert Said((), [PARTED]).records == {A, B, C}


def test_a_later_word_on_two_counts_before_a_parting_and_an_earlier_one_does_not() -> None:
    for act, verdict, apart in ((6, "same", {(1, 3)}), (6, "unsure", {(1, 3)}), (4, "same", {(1, 2), (1, 3)})):
        judged = Said([(act, B, A, verdict)], [PARTED]).among(NUMBERS)
        assert judged.apart == apart
        assert judged.same == ({(1, 2)} if verdict == "same" else set())


@given(st.dictionaries(st.sampled_from([A, B, C]), st.integers(1, 9), max_size=3).filter(lambda d: len({*d.values()}) == len(d)))
def test_only_records_that_are_there_are_spoken_of(numbers: dict[Name, int]) -> None:
    judged = Said([(6, A, C, "same")], [PARTED]).among(numbers)
    assert {n for pair in (*judged.same, *judged.apart) for n in pair} <= {*numbers.values()}
    assert all(a < b for a, b in (*judged.same, *judged.apart))
