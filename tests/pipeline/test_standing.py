"""What a delivery is beside the current records, by digests alone."""

from __future__ import annotations

from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from lienthong.pipeline.standing import Standing

digests = st.lists(st.integers(-3, 6))


@given(digests, st.lists(digests))
def test_a_row_is_as_it_was_once_and_every_copy_of_it_is_new(current: list[int], batches: list[list[int]]) -> None:
    standing = Standing(np.array(current, np.int64))
    seen: Counter[int] = Counter()
    for batch in batches:
        is_new = standing.meet(np.array(batch, np.int64))
        for digest, new in zip(batch, is_new.tolist(), strict=True):
            assert new == (digest not in current or seen[digest] > 0)
            seen[digest] += 1


@given(digests, st.lists(digests))
def test_what_is_missing_is_what_no_batch_held_whatever_the_batches(current: list[int], batches: list[list[int]]) -> None:
    standing = Standing(np.array(current, np.int64))
    for batch in batches:
        standing.meet(np.array(batch, np.int64))
    compared = standing.compared()
    delivered = [digest for batch in batches for digest in batch]
    assert set(compared.missing.tolist()) == set(current) - set(delivered)
    assert len(compared.new) == len(delivered)
