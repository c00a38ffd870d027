"""Denied unless something allows it; fewer rights never show more; open data shows only what is public."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lienthong.access import AccessRequest, Agreement, Operation, Register, RowCondition, State, decide, mask, matches
from lienthong.contracts import Layer, Sensitivity, Sharing
from tests.factories import make_contract, make_property

DAY = date(2026, 7, 1)
CALLER = "VN/GOV/H10.12/tro-cap"
FIELDS = ("record_no", "full_name", "born_on", "phone")
CONTRACT = make_contract(
    properties=(
        make_property("record_no", required=True, key_position=1, sensitivity=Sensitivity.PUBLIC),
        *(make_property(name, sensitivity=Sensitivity.PERSONAL) for name in FIELDS[1:]),
    )
)
ASKED = AccessRequest(CALLER, CONTRACT.id, Operation.LOOK_UP, "xet-tro-cap", "can-bo")


def make_agreement(**changes: Any) -> Agreement:
    agreement = Agreement(
        id="A1",
        provider="H10.02",
        consumer=CALLER,
        dataset=CONTRACT.id,
        state=State.ACTIVE,
        fields=FIELDS[:3],
        masked=("born_on",),
        row_filter=(),
        purposes={"xet-tro-cap": ("Xét trợ cấp", "Benefits")},
        operations=frozenset({Operation.LOOK_UP}),
        legal_basis="law",
        begins_on=date(2026, 1, 1),
        ends_on=date(2026, 12, 31),
    )
    return replace(agreement, **changes)


def decided(agreement: Agreement | None = None, asked: AccessRequest = ASKED, on: date = DAY) -> Any:
    return decide(asked, CONTRACT, Register({}, () if agreement is None else (agreement,)), on)


def test_what_was_agreed_is_seen_masked_or_withheld() -> None:
    found = decided(make_agreement())
    assert found.allowed
    assert (found.visible, dict(found.masked), found.withheld) == (("record_no", "full_name"), {"born_on": "last3"}, ("phone",))


@pytest.mark.parametrize(
    ("changes", "asked", "on", "rule"),
    [
        ({"state": State.SUSPENDED}, ASKED, DAY, "not_active"),
        ({"state": State.ENDED}, ASKED, DAY, "not_active"),
        ({}, ASKED, date(2027, 1, 1), "out_of_term"),
        ({}, ASKED, date(2025, 12, 31), "out_of_term"),
        ({}, replace(ASKED, operation=Operation.BULK), DAY, "other_operation"),
        ({}, replace(ASKED, purpose=""), DAY, "no_purpose"),
        ({}, replace(ASKED, purpose="to-mo"), DAY, "other_purpose"),
        ({}, replace(ASKED, official="  "), DAY, "no_official"),
        ({}, replace(ASKED, caller="VN/GOV/H10.99/khac"), DAY, "no_agreement"),
        ({}, replace(ASKED, caller=None), DAY, "no_identity"),
    ],
)
def test_each_missing_right_denies_by_its_rule(changes: dict[str, Any], asked: AccessRequest, on: date, rule: str) -> None:
    found = decided(make_agreement(**changes), asked, on)
    assert (found.allowed, found.rule, found.visible, found.withheld) == (False, rule, (), ())


def test_the_last_day_is_part_of_the_term() -> None:
    assert decided(make_agreement(), on=date(2026, 12, 31)).allowed


def test_without_any_agreement_all_is_denied() -> None:
    assert decided().rule == "no_agreement"


def test_anybody_sees_of_open_data_only_what_is_public() -> None:
    found = decide(replace(ASKED, caller=None, purpose="", official=""), replace(CONTRACT, sharing=Sharing.OPEN), Register(), DAY)
    assert (found.allowed, found.visible) == (True, ("record_no",))
    assert set(found.withheld) == set(FIELDS[1:])


def test_open_data_cannot_be_written_by_anybody() -> None:
    found = decide(replace(ASKED, caller=None, operation=Operation.SUBMIT), replace(CONTRACT, sharing=Sharing.OPEN), Register(), DAY)
    assert not found.allowed


@given(st.sets(st.sampled_from(FIELDS)), st.sets(st.sampled_from(FIELDS)), st.sets(st.sampled_from(FIELDS)))
def test_fewer_rights_never_show_more(granted: set[str], fewer: set[str], masked: set[str]) -> None:
    more = decided(make_agreement(fields=tuple(granted), masked=()))
    less = decided(make_agreement(fields=tuple(granted & fewer), masked=tuple(masked)))
    assert set(less.visible) <= set(more.visible)
    assert {*less.visible, *less.masked} <= {*more.visible, *more.masked}
    assert {*less.visible, *less.masked, *less.withheld} == set(FIELDS)


@given(st.text(max_size=30), st.sampled_from(["last2", "last3", "year", "unknown"]))
def test_a_mask_shows_at_most_the_end_it_is_named_for(value: str, kind: str) -> None:
    shown = (mask(kind, value) or "").replace("•", "")
    assert len(shown) <= {"last2": 2, "last3": 3, "year": 4, "unknown": 0}[kind]
    assert shown == "" or value.endswith(shown) or value.startswith(shown)


def test_a_missing_value_stays_missing_under_a_mask() -> None:
    assert mask("last3", None) is None


@pytest.mark.parametrize(
    ("condition", "values", "passes"),
    [
        (RowCondition("state", "in", ["a", "b"]), {"state": "a"}, True),
        (RowCondition("state", "in", ["a", "b"]), {"state": "c"}, False),
        (RowCondition("state", "eq", "a"), {"state": None}, False),
        (RowCondition("state", "eq", "a"), {}, False),
        (RowCondition("code", "starts_with", "251"), {"code": "25195"}, True),
        (RowCondition("born_on", "gte", "2000-01-01"), {"born_on": date(1999, 12, 31)}, False),
        (RowCondition("count", "lte", 5), {"count": "many"}, False),
    ],
)
def test_a_row_passes_only_conditions_its_values_meet(condition: RowCondition, values: dict[str, Any], passes: bool) -> None:
    assert matches((condition,), values) is passes


OWNER, HOLDER = "VN/GOV/H10.02/dan-cu", "VN/GOV/H10.12/tro-cap"
HELD = make_contract(
    properties=(
        make_property("record_no", required=True, key_position=1),
        make_property("full_name", sensitivity=Sensitivity.PERSONAL),
        make_property("benefit", sensitivity=Sensitivity.SENSITIVE, authority="H10.12"),
    )
)


@pytest.mark.parametrize("operation", [Operation.LOOK_UP, Operation.LIST, Operation.BULK])
def test_a_body_gets_back_all_of_what_it_delivered(operation: Operation) -> None:
    found = decide(replace(ASKED, caller=OWNER, operation=operation), HELD, Register(), DAY)
    assert (found.allowed, found.rule, found.agreement, found.withheld) == (True, "given_back", "", ())
    assert found.visible == ("record_no", "full_name", "benefit")


@pytest.mark.parametrize(
    ("changes", "on", "contract", "rule"),
    [
        ({"purpose": ""}, DAY, HELD, "no_purpose"),
        ({"official": " "}, DAY, HELD, "no_official"),
        ({"operation": Operation.SUBMIT}, DAY, HELD, "no_agreement"),
        ({"operation": Operation.CHANGES}, DAY, HELD, "no_agreement"),
        ({}, date(2025, 8, 18), HELD, "no_agreement"),  # the rule's text was not in force yet
        ({}, DAY, replace(HELD, layer=Layer.MASTER), "no_agreement"),  # made of many bodies' data
        ({"caller": "VN/GOV/H10.021/khac"}, DAY, HELD, "no_agreement"),
    ],
)
def test_the_rule_of_giving_back_reaches_no_further(changes: dict[str, Any], on: date, contract: Any, rule: str) -> None:
    found = decide(
        replace(ASKED, caller=OWNER) if not changes else replace(ASKED, **{"caller": OWNER, **changes}), contract, Register(), on
    )
    assert (found.allowed, found.rule) == (False, rule)


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"state": State.SUSPENDED}, "not_active"),
        ({"purposes": {"khac": ("Khác", "Other")}}, "other_purpose"),
        ({"officials": frozenset({"nguoi-khac"})}, "other_official"),
        ({"state": State.ENDED}, "given_back"),
    ],
)
def test_an_agency_holds_a_system_of_its_own_to_the_agreement_it_has(changes: dict[str, Any], rule: str) -> None:
    register = Register({}, (make_agreement(consumer=OWNER, **changes),))
    found = decide(replace(ASKED, caller=OWNER), HELD, register, DAY)
    assert (found.rule, found.allowed) == (rule, rule == "given_back")


def test_who_is_the_authority_for_a_field_looks_that_field_up_and_lists_nothing() -> None:
    found = decide(replace(ASKED, caller=HOLDER), HELD, Register(), DAY)
    assert (found.visible, found.withheld) == (("record_no", "benefit"), ("full_name",))
    assert decide(replace(ASKED, caller=HOLDER, operation=Operation.LIST), HELD, Register(), DAY).rule == "no_agreement"


def test_open_data_stays_open_to_its_owner_without_purpose() -> None:
    opened = replace(
        HELD, sharing=Sharing.OPEN, properties=(replace(HELD.properties[0], sensitivity=Sensitivity.PUBLIC), *HELD.properties[1:])
    )
    found = decide(replace(ASKED, caller=OWNER, purpose="", official=""), opened, Register(), DAY)
    assert (found.allowed, found.visible) == (True, ("record_no",))
    assert decide(replace(ASKED, caller=OWNER), opened, Register(), DAY).visible == ("record_no", "full_name", "benefit")
