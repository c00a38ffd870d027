"""Invented rows keep every promise of any contract, are the same each time, and are about nobody."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stdnum.vn import mst

from lienthong.contracts import Contract, Layer, Rule
from lienthong.errors import ContractError
from lienthong.synthetic import invent, with_faults, written
from lienthong.synthetic.chance import stream
from lienthong.synthetic.patterns import fitting
from tests.factories import contracts_of_the_province
from tests.quality.factories import make_contract, make_property
from tests.synthetic.factories import PATTERNS, TODAY, cleaned, contracts, judged

ROOT = Path(__file__).parents[2]
CONTRACTS = contracts_of_the_province()
ROWS = 60


@pytest.fixture(scope="module")
def province() -> dict[str, pl.DataFrame]:
    """Rows of every contract of the repository, each referring to those before it."""
    found: dict[str, pl.DataFrame] = {}
    waiting = [c for c in CONTRACTS.values() if c.layer is not Layer.MASTER]
    while waiting:
        contract = next(c for c in waiting if not _referred(c) & {each.id for each in waiting if each is not c})
        found[contract.id] = invent(contract, ROWS, 1, TODAY, found)
        waiting.remove(contract)
    return found


def _referred(contract: Contract) -> set[str]:
    return {str(rule.parameters["dataset"]) for rule in contract.all_rules if rule.kind == "reference"}


@settings(max_examples=60, deadline=None)
@given(contracts(), st.integers(0, 2**31), st.integers(1, 40))
def test_every_row_of_any_contract_passes(contract: Contract, seed: int, count: int) -> None:
    rows = invent(contract, count, seed, TODAY)
    assert rows.height == count
    done = judged(rows, contract)
    assert done.issues.height == 0, done.issues.to_dicts()[:2]
    again, problems = cleaned(written(rows, contract), contract)
    assert problems == []
    for name in rows.columns:
        if rows.schema[name].is_float():  # as written they have six decimals
            assert ((again[name] - rows[name]).abs().fill_null(0) < 1e-5).all()
        else:
            assert again[name].cast(rows.schema[name]).equals(rows[name], null_equal=True)


@settings(max_examples=30, deadline=None)
@given(contracts(), st.integers(0, 2**31))
def test_the_same_seed_gives_the_same_rows(contract: Contract, seed: int) -> None:
    assert invent(contract, 12, seed, TODAY).equals(invent(contract, 12, seed, TODAY), null_equal=True)


@pytest.mark.parametrize("name", [c.id for c in CONTRACTS.values() if c.layer is not Layer.MASTER])
def test_every_contract_of_the_repository_is_kept_and_refers_truly(name: str, province: dict[str, pl.DataFrame]) -> None:
    contract = CONTRACTS[name]
    done = judged(province[name], contract, province)
    assert done.issues.height == 0, done.issues.to_dicts()[:2]
    _, problems = cleaned(written(province[name], contract), contract)
    assert problems == []


def test_no_number_can_be_anyones(province: dict[str, pl.DataFrame]) -> None:
    persons = province["population.persons"]
    assert persons["citizen_id"].drop_nulls().str.contains(r"^09[789][0-3]\d{8}$").all()
    assert persons["phone"].drop_nulls().str.contains(r"^06\d{8}$").all()
    assert province["social-insurance.participants"]["insurance_no"].str.contains(r"^99\d{8}$").all()
    codes = province["enterprises.register"]["tax_code"].to_list()
    assert all(code.startswith("00") and mst.is_valid(code) for code in codes)
    assert all(mail is None or mail.endswith(".example") for mail in province["enterprises.register"]["email"].to_list())
    assert all(
        re.match(r"9\d{5}/", number) and number.endswith(".TEST") for number in province["licences.register"]["licence_no"].to_list()
    )
    assert all(name.endswith("(mẫu)") for name in province["enterprises.register"]["name"].to_list())


def test_registers_speak_of_the_same_invented_persons(province: dict[str, pl.DataFrame]) -> None:
    persons = {row["citizen_id"]: row["full_name"] for row in province["population.persons"].iter_rows(named=True) if row["citizen_id"]}
    insured = province["social-insurance.participants"].filter(pl.col("citizen_id").is_in(list(persons)))
    assert insured.height > ROWS // 2
    assert all(persons[row["citizen_id"]] == row["full_name"] for row in insured.iter_rows(named=True))


def test_a_person_agrees_with_itself(province: dict[str, pl.DataFrame]) -> None:
    for row in province["population.persons"].drop_nulls(["citizen_id", "born_on", "sex"]).iter_rows(named=True):
        number, born = row["citizen_id"], row["born_on"]
        assert number[4:6] == f"{born.year % 100:02d}"
        assert int(number[3]) == 2 * (born.year >= 2000) + (row["sex"] == "F")
        assert row["birth_year"] == born.year


def test_a_household_lives_in_one_place_and_counts_its_members(province: dict[str, pl.DataFrame]) -> None:
    members = province["poor-households.members"]
    assert members.select("household_code", "member_no").is_duplicated().sum() == 0
    assert members.group_by("household_code").agg(pl.col("commune_code").n_unique()).to_series(1).max() == 1
    assert members["member_no"].max() > 1  # type: ignore[operator] # a whole number


@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_text_fits_its_pattern(pattern: str) -> None:
    draw = stream(1, "test")
    assert all(re.search(pattern, fitting(pattern, draw)) for _ in range(50))


def test_promises_that_contradict_each_other_are_said() -> None:
    order = Rule("order", "compare", ("a", "b"), {"left": "a", "operator": ">", "right": "b"})
    low, high = Rule("a.range", "range", ("a",), {"max": 5}), Rule("b.range", "range", ("b",), {"min": 9})
    contract = make_contract(
        make_property("key", key_position=1), make_property("a", "integer", required=True, rules=(low,)),
        make_property("b", "integer", required=True, rules=(high,)), rules=[order],
    )  # fmt: skip
    with pytest.raises(ContractError) as refused:
        invent(contract, 3, 1, TODAY)
    assert "contradicts" in str(refused.value)


def test_more_rows_than_there_are_keys_are_refused() -> None:
    contract = make_contract(make_property("key", key_position=1, rules=(Rule("key.pattern", "pattern", ("key",), {"pattern": "^[AB]$"}),)))
    with pytest.raises(ContractError, match="different values"):
        invent(contract, 3, 1, TODAY)


def test_a_pattern_nobody_can_follow_is_said() -> None:
    contract = make_contract(make_property("key", key_position=1, rules=(Rule("p", "pattern", ("key",), {"pattern": r"^\p{L}+$"}),)))
    with pytest.raises(ContractError, match="pattern"):
        invent(contract, 1, 1, TODAY)


def test_rows_are_spoilt_where_it_is_said_and_nowhere_else() -> None:
    contract = CONTRACTS["land.holders"]
    right = written(invent(contract, 50, 3, TODAY), contract)
    wrong, faults = with_faults(right, contract, 8, 3)
    assert len(faults) == 8
    changed = [(n, name) for name in right.columns for n in (right[name].ne_missing(wrong[name])).arg_true().to_list()]
    assert sorted(changed) == sorted((fault.row, fault.heading) for fault in faults)
    rows, problems = cleaned(wrong, contract)
    held = judged(rows, contract).issues["row_no"].to_list()
    assert problems or held


def test_lists_of_the_state_are_not_invented(province: dict[str, pl.DataFrame]) -> None:
    units = province["admin-units.units"]
    assert units.filter(pl.col("code") == "75", pl.col("valid_to").is_null())["name"].to_list() == ["Tỉnh Đồng Nai"]
    assert set(province["admin-units.changes"]["old_code"]) <= set(units["code"])
    assert province["admin-units.changes"]["changed_on"].unique().to_list() == [date(2025, 7, 1)]
