"""Whatever is sent as an agreement is read, or told what is wrong with it; nothing breaks."""

from __future__ import annotations

import json
from datetime import UTC, datetime, time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lienthong.access import PARTS, Hours, Offer, check_contract, missing_parts, read_agreement, standing_terms
from lienthong.access.reading import AGREEMENT_WORDS
from lienthong.standards.working_days import read_working_days
from tests.factories import make_contract

PLAIN = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=8))
ANYTHING = st.recursive(
    PLAIN, lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=6), inner, max_size=3)), max_leaves=6
)
CONTRACT = make_contract()
WHOLE: dict[str, Any] = {
    **standing_terms(CONTRACT, datetime(2026, 11, 25, tzinfo=UTC).date(), Offer()), "id": "A1", "provider": "H10.02", "dataset": "test.people",
    "consumer": "VN/GOV/H10.12/tro-cap", "purposes": {"xet": {"vi": "Xét"}}, "operations": ["look_up"], "officials": ["an"],
    "row_filter": [{"field": "children", "operator": "gte", "value": 2}], "hours": {"days": ["mon"], "from": "07:00"},
    "place": {"text": "đây", "networks": ["10.0.0.0/8"]},
}  # fmt: skip


def read(document: dict[str, Any]) -> tuple[Any, list[tuple[str, str, str]]]:
    faults: list[tuple[str, str, str]] = []
    agreement = read_agreement(document, "x", faults)
    if agreement is not None:
        check_contract(agreement, {CONTRACT.id: CONTRACT}, "x", faults)
    return agreement, faults


def test_a_whole_agreement_is_read_and_lacks_nothing() -> None:
    agreement, faults = read(WHOLE)
    assert faults == []
    assert missing_parts(agreement.document) == []
    assert json.loads(json.dumps(agreement.document)) == agreement.document
    again, _ = read(agreement.document)
    assert again == agreement


@pytest.mark.parametrize("part", PARTS)
def test_each_part_is_missed(part: str) -> None:
    word, _, below = part.partition(".")
    document = {**WHOLE, word: {**WHOLE[word], below: " "} if below else ""}
    assert missing_parts(document) == [part]


@given(st.sampled_from(sorted(AGREEMENT_WORDS)), ANYTHING)
@settings(max_examples=400, deadline=None)
def test_any_value_of_any_word_is_read_or_told(word: str, value: Any) -> None:
    agreement, faults = read({**WHOLE, word: value})
    assert (agreement is not None) or faults
    if agreement is not None:
        json.dumps(agreement.document)
        agreement.lets_in("10.1.1.1")


@given(st.dictionaries(st.one_of(st.sampled_from(sorted(AGREEMENT_WORDS)), st.text(max_size=5)), ANYTHING, max_size=8))
@settings(max_examples=200, deadline=None)
def test_any_document_is_told_its_faults(document: dict[str, Any]) -> None:
    agreement, faults = read(document)
    assert agreement is not None or faults


def test_hours_without_quotes_are_what_yaml_makes_of_them() -> None:
    agreement, faults = read({**WHOLE, "hours": {"from": 450, "to": 1050}})  # 07:30, 17:30 in YAML 1.1
    assert faults == []
    assert agreement.hours == Hours(None, time(7, 30), time(17, 30))


@pytest.mark.parametrize(
    ("at", "inside"),
    [
        ("2026-11-25T00:30:00+00:00", True), ("2026-11-25T00:29:59+00:00", False), ("2026-11-25T10:30:00+00:00", False),
        ("2026-11-28T03:00:00+00:00", False), ("2026-02-17T03:00:00+00:00", False), ("2026-08-22T03:00:00+00:00", True),
    ],
)  # fmt: skip
def test_office_hours_know_weekends_holidays_and_swaps(at: str, inside: bool) -> None:
    assert Hours(None, time(7, 30), time(17, 30)).include(datetime.fromisoformat(at), read_working_days()) is inside
