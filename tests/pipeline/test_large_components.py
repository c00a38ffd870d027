"""Records that hang together by hundreds are cut where their weights are weakest: the same whether they come at once or one by one."""

from __future__ import annotations

import random

import pytest

from lienthong.masterdata import grouping
from lienthong.masterdata.model import Cuts, Model
from lienthong.pipeline import Workshop, match_all, match_linking
from lienthong.pipeline.matching import Arrivals, EntityIndex
from tests.pipeline.test_matching import all_records, partition, push, push_next
from tests.registers import INSURANCE, insurance_row, model_of, person, person_entity, send

LIMIT = 4  # in place of 300
CROWD = range(0, 40, 4)  # those of whom the insurer has many rows without a number
COPIES = 7


@pytest.fixture
def crowded(matched_province: Workshop) -> Workshop:
    """Rows of a few people many times over, each time written a little otherwise."""
    chance = random.Random(4)
    rows = []
    for n in CROWD:
        for copy in range(COPIES):
            words = str(person(n)["full_name"]).split()
            name = " ".join(words if chance.random() < 0.6 else [words[0], words[-1]])
            lost = {field: None for field in ("phone", "address", "sex") if chance.random() < 0.4}
            rows.append(insurance_row(n, insurance_no=f"98{n:04}{copy:04}", full_name=name, citizen_id=None, **lost))
    send(matched_province, INSURANCE, rows, "crowd")
    return matched_province


@pytest.fixture
def loose(crowded: Workshop) -> Model:
    """Pairs hang together from far below the cut."""
    return model_of(crowded).with_cuts(Cuts(0.0, -10.0))


@pytest.fixture
def whole(crowded: Workshop, loose: Model, monkeypatch: pytest.MonkeyPatch) -> set[frozenset[str]]:
    """Who is one where nothing is too large; from then on much is."""
    done = match_all.match_all(crowded, person_entity(crowded), loose)
    assert done.counts["largest_component"] > 2 * LIMIT
    for room in (grouping, match_linking):
        monkeypatch.setattr(room, "LARGEST_COMPONENT", LIMIT)
    return partition(crowded)


@pytest.mark.parametrize("at_once", [1, 9])
def test_a_component_too_large_to_link_whole_ends_the_same_at_once_and_one_by_one(
    crowded: Workshop, loose: Model, whole: set[frozenset[str]], at_once: int
) -> None:
    match_all.match_all(crowded, person_entity(crowded), loose)
    cut = partition(crowded)
    assert cut != whole
    records = [record for record in all_records(crowded) if int(record.key[2:6]) in CROWD or int(record.key[-3:]) in CROWD]
    assert len(records) > len(CROWD) * COPIES
    random.Random(at_once).shuffle(records)
    with crowded.database.connect() as connection:
        index = EntityIndex(person_entity(crowded), loose)
        push(connection, index, crowded, [], [record.name for record in records])
        arriving = Arrivals(connection, index)
        for start in range(0, len(records), at_once):
            push_next(arriving, crowded, records[start : start + at_once])
    assert partition(crowded) == cut
