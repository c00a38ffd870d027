"""What the platform could have carried, and the law a rule stood on that day."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from lienthong.access import Register, State, read_instruments
from lienthong.access.beside import LAW_OF_LINKS, LAW_OF_PAPER, Carried, Could, could_carry, law_on
from lienthong.access.identity import Identity
from lienthong.contracts import Sharing
from tests.factories import make_contract
from tests.web.counters import READER, make_agreement

ASKER = Identity.parse(READER).agency
DAY = date(2026, 7, 1)


@pytest.mark.parametrize(
    ("sharing", "could", "is_avoidable"),
    [
        (Sharing.OPEN, Could.OPEN, True),
        (Sharing.DEFAULT, Could.DEFAULT, True),
        (Sharing.ON_REQUEST, Could.ON_REQUEST, False),
        (Sharing.RESTRICTED, Could.NOTHING, False),
    ],
)
def test_without_an_agreement_it_depends_on_how_the_data_is_shared(sharing: Sharing, could: Could, *, is_avoidable: bool) -> None:
    contracts = {"test.people": make_contract(sharing=sharing)}
    found = could_carry(Register(), contracts, ASKER, "test.people", DAY)
    assert (found.by, found.is_avoidable) == (could, is_avoidable)


def test_restricted_data_is_answered_as_data_that_is_not_there() -> None:
    contracts = {"test.people": make_contract(sharing=Sharing.RESTRICTED)}
    assert could_carry(Register(), contracts, ASKER, "test.people", DAY) == could_carry(Register(), contracts, ASKER, "test.nothing", DAY)


def test_open_data_that_is_held_back_must_be_asked_for() -> None:
    contracts = {"test.people": make_contract(sharing=Sharing.OPEN)}
    assert could_carry(Register(unopened=frozenset({"test.people"})), contracts, ASKER, "test.people", DAY).by is Could.ON_REQUEST


def test_an_agreement_in_force_that_day_is_named_and_counts_whatever_is_shared() -> None:
    agreement = make_agreement(READER)
    contracts = {"test.people": make_contract(sharing=Sharing.RESTRICTED)}
    assert could_carry(Register({}, (agreement,)), contracts, ASKER, "test.people", DAY) == Carried(Could.AGREEMENT, agreement.id)
    for other in (
        replace(agreement, state=State.SUSPENDED),
        replace(agreement, ends_on=date(2026, 6, 30)),
        replace(agreement, operations=frozenset()),
    ):
        assert could_carry(Register({}, (other,)), contracts, ASKER, "test.people", DAY).by is Could.NOTHING  # fmt: skip
    assert could_carry(Register({}, (agreement,)), contracts, "H10.99", "test.people", DAY).by is Could.NOTHING


def test_an_agency_s_own_data_needs_nobody() -> None:
    contract = make_contract()
    assert could_carry(Register(), {contract.id: contract}, contract.agency, contract.id, DAY).by is Could.OWN


def test_the_law_named_is_the_one_in_force_that_day() -> None:
    law = read_instruments()
    assert law_on(LAW_OF_PAPER, law, date(2025, 6, 30)) == "47/2020/NĐ-CP điều 5"
    assert law_on(LAW_OF_PAPER, law, DAY) == "60/2024/QH15 điều 11.2"
    assert law_on(LAW_OF_LINKS, law, date(2024, 8, 1)) == "20/2023/QH15 điều 42.4; 47/2020/NĐ-CP điều 46"
    assert law_on(LAW_OF_LINKS, law, DAY) == "20/2023/QH15 điều 42.4; 194/2025/NĐ-CP điều 20"
    assert law_on(LAW_OF_LINKS, {}, DAY) == ""
