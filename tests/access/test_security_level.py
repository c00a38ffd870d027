"""Which level a system needs, and whether what was approved suffices."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from lienthong.access import ApprovedLevel, Lowest, fault_of_level, needed_level, reads_identity
from lienthong.access.security_level import CONNECTED, IDENTITY
from lienthong.contracts import Contract, Layer
from tests.factories import make_contract, make_property

TODAY = date(2026, 11, 26)
APPROVED = ApprovedLevel(3, "41/QĐ", "Sở KH&CN", date(2026, 3, 2), date(2029, 3, 2), "41.pdf", "0" * 64)
REGISTER = make_contract(id="test.register", properties=(make_property("so", standard="citizen_id", authoritative=True),))
COPY = make_contract(id="test.copy", properties=(make_property("so", standard="citizen_id"),))


@pytest.mark.parametrize(
    ("contract", "reads"),
    [(REGISTER, True), (COPY, False), (replace(COPY, layer=Layer.MASTER), True), (make_contract(id="test.plain"), False)],
)
def test_the_register_of_citizen_numbers_and_golden_records_of_them_need_the_higher_level(contract: Contract, reads: bool) -> None:
    assert reads_identity(contract) is reads
    needed = needed_level([contract], Lowest(), TODAY)
    assert (needed.level, needed.rule) == ((3, IDENTITY) if reads else (2, CONNECTED))


def test_a_rule_counts_from_the_day_its_text_came_into_force() -> None:
    assert needed_level([REGISTER], Lowest(), date(2024, 6, 30)).rule is CONNECTED
    assert needed_level([REGISTER], Lowest(), date(2024, 7, 1)).rule is IDENTITY


def test_nought_asks_for_none() -> None:
    needed = needed_level([REGISTER], Lowest(0, 0), TODAY)
    assert (needed.level, needed.rule, fault_of_level(None, needed, TODAY)) == (0, None, None)


@pytest.mark.parametrize(
    ("approved", "words"),
    [
        (None, "no approved security level"),
        (replace(APPROVED, level=2), "approved at level 2; level 3"),
        (replace(APPROVED, valid_until=TODAY - timedelta(days=1)), "ended on 2026-11-25"),
        (replace(APPROVED, valid_until=TODAY), None),
        (replace(APPROVED, level=5), None),
    ],
)
def test_an_approval_suffices_at_its_level_or_above_until_its_last_day(approved: ApprovedLevel | None, words: str | None) -> None:
    fault = fault_of_level(approved, needed_level([REGISTER], Lowest(), TODAY), TODAY)
    assert (fault is None) if words is None else (fault is not None and words in fault[1])
