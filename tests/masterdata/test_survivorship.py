"""One value per attribute, whatever the order: each rule, ties, stewards, and the columnar engine held to the plain one."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lienthong.contracts import Contract, SurvivorshipRule
from lienthong.contracts.vocabulary import SURVIVORSHIP_RULES
from lienthong.masterdata.survivorship import LAST, ONLY, STEWARD, Chosen, Other, Override, Policy, Statement, golden, policy_of, provenance
from lienthong.masterdata.survivorship_frame import golden_frames
from lienthong.pipeline.match_scores import scores
from tests.contracts.test_match import make_master

POLICE, INSURER, LAND = "population.persons", "social-insurance.participants", "land.holders"


def said(value: Any, source: str = POLICE, record: str = "1", dated: date | None = None) -> Statement:
    return Statement("a", value, source, record, dated)


def policy(*rules: str | tuple[str, dict[str, Any]]) -> Policy:
    return Policy({"a": tuple(SurvivorshipRule(rule) if isinstance(rule, str) else SurvivorshipRule(*rule) for rule in rules)}, scores)


def chosen(statements: Sequence[Statement], rules: Policy) -> Chosen:
    return golden(statements, rules)["a"]


AUTHORITY = ("authority", {"of": (POLICE, INSURER)})
OLD, NEW = date(2020, 5, 1), date(2026, 5, 1)
CASES: dict[str, tuple[Policy, list[Statement], Any, str]] = {
    "authority before what is newer": (policy(AUTHORITY, "recent"), [said("x", POLICE, dated=OLD), said("y", INSURER, dated=NEW)], "x", "authority"),
    "the second authority when the first is silent": (policy(AUTHORITY), [said("x", LAND), said("y", INSURER)], "y", "authority"),
    "who is no authority comes last": (policy(AUTHORITY), [said("a", LAND), said("b", POLICE)], "b", "authority"),
    "recent": (policy("recent"), [said("x", dated=OLD), said("y", dated=NEW)], "y", "recent"),
    "undated comes last": (policy("recent"), [said("x"), said("y", dated=OLD)], "y", "recent"),
    "a day says more than a year": (policy("complete"), [said("1990"), said("1990-05-20")], "1990-05-20", "complete"),
    "a month says more than a year": (policy("complete"), [said("1990"), said("1990-05")], "1990-05", "complete"),
    "marks say more": (policy("complete"), [said("Nguyen Van An"), said("Nguyễn Văn An")], "Nguyễn Văn An", "complete"),
    "a middle name says more": (policy("complete"), [said("Nguyễn An"), said("Nguyễn Văn An")], "Nguyễn Văn An", "complete"),
    "frequent": (policy("frequent"), [said("x"), said("y", INSURER), said("y", LAND)], "y", "frequent"),
    "longest": (policy("longest"), [said("Ấp 1"), said("Ấp 11")], "Ấp 11", "longest"),
    "largest by size": (policy("largest"), [said("9"), said("10")], "10", "largest"),
    "largest, texts after numbers": (policy("largest"), [said("9"), said("x")], "x", "largest"),
    "smallest by size": (policy("smallest"), [said("9"), said("10")], "9", "smallest"),
    "smallest, one number written twice": (policy("smallest"), [said("1.0"), said("1")], "1", "smallest"),
    "prefer": (policy(("prefer", {"pattern": "[0-9]{12}"})), [said("285123456"), said("097205000000")], "097205000000", "prefer"),
    "expression, a number": (
        policy(("expression", {"score": 'if([register] = "land.holders", 2, 1) + number([records]) / 10'}), "recent"),
        [said("x", POLICE, dated=NEW), said("y", LAND)], "y", "expression",
    ),
    "expression, true or false": (policy(("expression", {"score": 'starts([value], "09")'})), [said("02 1"), said("09 1")], "09 1", "expression"),
    "expression, no score comes last": (policy(("expression", {"score": "number([value])"})), [said("x"), said("-3")], "-3", "expression"),
    "expression, a date": (policy(("expression", {"score": 'first([dated], 4) >= "2026"'})), [said("x"), said("y", dated=NEW)], "y", "expression"),
    "the next rule where the first cannot tell": (
        policy("recent", "longest"), [said("x", dated=NEW), said("xy", dated=NEW), said("xyz", dated=OLD)], "xy", "longest",
    ),
    "one value needs no rule": (policy("recent"), [said("x", POLICE, dated=OLD), said("x", INSURER, dated=NEW)], "x", ONLY),
    "no rule can tell": (policy("recent"), [said("y", dated=NEW), said("x", dated=NEW)], "x", LAST),
    "the usual rules": (Policy({}), [said("x", dated=NEW), said("y", dated=OLD)], "x", "recent"),
}  # fmt: skip


@pytest.mark.parametrize("what", CASES)
def test_each_rule_chooses(what: str) -> None:
    rules, statements, value, rule = CASES[what]
    found = chosen(statements, rules)
    assert (found.value, found.rule) == (value, rule)


def test_every_rule_of_the_vocabulary_is_tried() -> None:
    tried = {rule.rule for rules, *_ in CASES.values() for each in rules.rules.values() for rule in each}
    assert tried == set(SURVIVORSHIP_RULES)


def test_what_lost_is_told_with_its_register() -> None:
    found = chosen([said("x", POLICE), said("y", LAND, "7", OLD), said("y", INSURER, "3")], policy(AUTHORITY))
    assert found.others == (Other("y", LAND, "7", OLD),)


def test_an_attribute_nobody_speaks_of_is_absent() -> None:
    assert golden([], policy("recent")) == {}
    assert golden([said(None)], policy("recent")) == {}


def test_equal_values_are_told_from_the_smallest_record() -> None:
    found = chosen([said("x", POLICE, "2"), said("x", POLICE, "1"), said("x", LAND, "9")], policy("recent"))
    assert (found.source, found.record) == (LAND, "9")


def test_a_steward_goes_before_every_register_and_shows_what_they_say() -> None:
    override = Override("a", "z", "steward-1", "Giấy khai sinh bản gốc")
    found = golden([said("x"), said("y", LAND)], policy(AUTHORITY), [override])["a"]
    assert (found.value, found.rule, found.record) == ("z", STEWARD, "steward-1")
    assert [other.value for other in found.others] == ["x", "y"]


def test_a_steward_who_agrees_has_that_value_no_longer_among_the_others() -> None:
    found = golden([said("x"), said("y", LAND)], policy(AUTHORITY), [Override("a", "y", "steward-1", "")])["a"]
    assert [other.value for other in found.others] == ["x"]


def test_a_steward_may_say_there_is_none() -> None:
    assert golden([said("x")], policy(AUTHORITY), [Override("a", None, "steward-1", "")])["a"].value is None


def test_the_policy_is_what_the_master_contract_says() -> None:
    master: Contract = make_master()
    assert [rule.rule for rule in policy_of(master).of("full_name")] == ["authority", "complete"]
    assert [rule.rule for rule in policy_of(master).of("phone")] == ["recent", "complete", "frequent", "longest"]


VALUES = st.sampled_from(
    ["1", "1.0", "9", "10", "-3", "x", "An", "Ân", "Lê Văn Ân", "Le Van An", "1990", "1990-05-20", 'a"b\\c', "", "٣", "a\x1cb"]
)
DATES = st.none() | st.dates(date(1, 1, 1), date(2026, 12, 31))
SOURCES = st.sampled_from([POLICE, INSURER, LAND, "enterprises.register#representative"])
STATEMENTS = st.lists(
    st.builds(Statement, st.sampled_from(["a", "b"]), VALUES, SOURCES, st.sampled_from(["1", "2", "10", '["x"]']), DATES),
    min_size=1, max_size=7, unique_by=lambda each: (each.attribute, each.source, each.record),
)  # fmt: skip
RULES = st.lists(
    st.sampled_from([
        SurvivorshipRule(*AUTHORITY),
        SurvivorshipRule("prefer", {"pattern": "[0-9]+|An"}),
        SurvivorshipRule("expression", {"score": 'if(contains([value], "1"), number([records]), 0)'}),
        *(SurvivorshipRule(rule) for rule in SURVIVORSHIP_RULES if rule not in ("authority", "prefer", "expression")),
    ]),
    max_size=4, unique_by=lambda rule: rule.rule,
)  # fmt: skip
POLICIES = st.builds(lambda a, b: Policy({"a": tuple(a), "b": tuple(b)}, scores), RULES, RULES)


@settings(max_examples=150, deadline=None)
@given(STATEMENTS, POLICIES, st.randoms(use_true_random=False))
def test_the_order_of_statements_never_matters(statements: list[Statement], rules: Policy, random: Any) -> None:
    shuffled = list(statements)
    random.shuffle(shuffled)
    assert golden(shuffled, rules) == golden(statements, rules)


@settings(max_examples=150, deadline=None)
@given(STATEMENTS, POLICIES, st.integers(0, 6))
def test_without_a_statement_that_lost_the_value_stays(statements: list[Statement], rules: Policy, n: int) -> None:
    before = golden(statements, rules)
    dropped = statements[n % len(statements)]
    if dropped.value != before[dropped.attribute].value:
        after = golden([each for each in statements if each is not dropped], rules)
        assert {name: c.value for name, c in after.items()} == {name: c.value for name, c in before.items()}


@settings(max_examples=100, deadline=None)
@given(STATEMENTS, POLICIES)
def test_what_was_chosen_is_chosen_again_from_itself(statements: list[Statement], rules: Policy) -> None:
    first = golden(statements, rules)
    again = golden([Statement(name, c.value, c.source, c.record, c.dated) for name, c in first.items()], rules)
    assert {name: (c.value, c.source, c.record) for name, c in again.items()} == {
        name: (c.value, c.source, c.record) for name, c in first.items()
    }


MEMBER = {"golden": pl.Int64, "source": pl.String, "key": pl.String, "dated": pl.Date, "a": pl.String, "b": pl.String}
MEMBERS = st.lists(
    st.tuples(st.integers(1, 5), SOURCES, st.integers(0, 99).map(str), DATES, st.none() | VALUES, st.none() | VALUES),
    min_size=1, max_size=16, unique_by=lambda each: each[1:3],
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(MEMBERS, POLICIES, st.sampled_from([1, 2, 100_000]))
def test_many_at_once_are_chosen_as_one_by_one(members: list[Any], rules: Policy, at_once: int) -> None:
    frame = pl.concat(golden_frames(pl.DataFrame(members, schema=MEMBER, orient="row"), rules, at_once))
    expected = []
    for number in sorted({member[0] for member in members}):
        mine = [member for member in members if member[0] == number]
        statements = [Statement(name, m[4 + n], m[1], m[2], m[3]) for m in mine for n, name in enumerate("ab")]
        found = golden(statements, rules)
        values = {name: found[name].value if name in found else None for name in "ab"}
        expected.append({"golden": number, **values, "provenance": provenance(found)})
    assert frame.to_dicts() == expected


def test_the_provenance_of_many_is_json_whatever_stands_in_a_key() -> None:
    rows = [(1, POLICE, 'a"\\b', None, "x", None), (2, POLICE, "2", None, None, None)]
    told = pl.concat(golden_frames(pl.DataFrame(rows, schema=MEMBER, orient="row"), Policy({})))["provenance"].to_list()
    assert [json.loads(each) for each in told] == [{"a": [POLICE, 'a"\\b', ONLY, 1]}, {}]


def test_no_members_give_no_golden_records() -> None:
    found = pl.concat(golden_frames(pl.DataFrame(schema=MEMBER), Policy({})))
    assert (found.columns, found.height) == (["golden", "a", "b", "provenance"], 0)
