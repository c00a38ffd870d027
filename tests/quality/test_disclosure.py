"""What is measured before a dataset is opened, and what is proposed where it may not be."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lienthong.contracts import Contract, Layer, Sensitivity
from lienthong.quality.disclosure import Limits, Other, assess, look_into, spread_of
from lienthong.quality.generalising import LEFT_OUT, apply, propose
from tests.factories import make_contract, make_property

ON = date(2025, 6, 30)
LIMITS = Limits(k=3, diversity=2)


def people(**more: Any) -> Contract:
    """An open dataset about persons: a birth date, a commune and a trade, one of them to be kept from whoever recognises a person."""
    properties = (
        make_property("no", "integer", required=True, key_position=1),
        make_property("born_on", "date", quasi_identifier=True),
        make_property("commune", standard="admin_unit", standard_options={"level": "commune"}, quasi_identifier=True),
        make_property("illness", confidential=True),
        make_property("note"),
    )
    return make_contract(properties=properties, entity="person", licence="vn-ogd", **more)


def rows_of(*rows: tuple[date | None, str | None, str | None]) -> pl.DataFrame:
    return pl.DataFrame(
        [(n, *row) for n, row in enumerate(rows)],
        schema={"no": pl.Int64, "born_on": pl.Date, "commune": pl.String, "illness": pl.String},
        orient="row",
    )


ALIKE = rows_of(*[(date(1990, 1, 1), "25195", illness) for illness in ("a", "b", "a")])


def rules(contract: Contract, rows: pl.DataFrame, *others: Other) -> list[str]:
    return [finding.rule for finding in assess(contract, rows, others, LIMITS).findings]


def test_rows_that_are_enough_alike_are_safe() -> None:
    found = assess(people(), ALIKE, (), LIMITS)
    assert (found.verdict, found.findings) == ("safe", ())
    assert found.spread is not None
    assert (found.spread.smallest, found.spread.under, found.spread.alone) == (3, 0, 0)


def test_a_row_that_stands_alone_is_counted_and_the_column_that_tells_it_apart_is_named() -> None:
    rows = pl.concat([ALIKE, rows_of((date(1991, 2, 2), "25195", "b"))])
    found = assess(people(), rows, (), LIMITS)
    assert found.verdict == "risky"
    assert found.spread is not None
    assert (found.spread.smallest, found.spread.under, found.spread.alone) == (1, 1, 1)
    assert found.telling == {"born_on": 0, "commune": 1}


def test_an_empty_value_is_a_value_of_its_own() -> None:
    assert spread_of(pl.DataFrame({"a": [None, None, "x"]}), ["a"], 3).smallest == 1


def test_no_rows_and_no_columns_give_no_division_by_nought() -> None:
    assert spread_of(ALIKE.clear(), ["born_on"], 3).smallest == 0
    assert spread_of(ALIKE, [], 3).smallest == 3
    assert propose(people(), ALIKE.clear(), LIMITS, ON).steps == ()


def test_a_class_of_one_confidential_value_tells_it_of_all_in_it() -> None:
    rows = ALIKE.with_columns(illness=pl.lit("a"))
    assert rules(people(), rows) == ["not_diverse"]


@pytest.mark.parametrize(
    ("rule", "change"),
    [
        ("no_licence", lambda c: replace(c, licence=None)),
        ("classified", lambda c: _with(c, "note", sensitivity=Sensitivity.PERSONAL)),
        ("direct_identifier", lambda c: _with(c, "note", standard="person_name")),
        ("direct_identifier", lambda c: _with(c, "note", standard="phone")),
        ("undeclared", lambda c: _with(_with(c, "born_on", quasi_identifier=False), "commune", quasi_identifier=False)),
    ],
)
def test_what_nobody_may_decide_to_open_is_forbidden(rule: str, change: Any) -> None:
    found = assess(change(people()), ALIKE, (), LIMITS)
    assert found.verdict == "forbidden"
    assert rule in [finding.rule for finding in found.findings]


def test_an_office_telephone_is_no_person_s() -> None:
    contract = replace(_with(people(), "note", standard="phone"), entity="agency")
    assert "direct_identifier" not in rules(contract, ALIKE)


def _with(contract: Contract, column: str, /, **more: Any) -> Contract:
    return replace(contract, properties=tuple(replace(p, **more) if p.name == column else p for p in contract.properties))


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("CCCD 070090123456 cấp 2021", "citizen_id_in_text"),
        ("liên hệ 0912345678", "contact_in_text"),
        ("gửi về a.b@thu.vn", "contact_in_text"),
        ("Số hồ sơ 999999", None),
        ("mã 003090123456789", None),
    ],
)
def test_numbers_of_persons_in_free_text_are_found(text: str, rule: str | None) -> None:
    found = look_into(pl.DataFrame({"note": [text, None, "không"]}), people())
    assert found == ({} if rule is None else {(rule, "note"): 1})


def test_a_number_in_text_is_told_as_a_count_and_never_as_itself() -> None:
    rows = ALIKE.with_columns(note=pl.lit("070090123456"))
    told = str(assess(people(), rows, (), LIMITS, look_into(rows, people())).document())
    assert "citizen_id_in_text" in told
    assert "070090123456" not in told


def test_small_counts_of_an_aggregate_are_found_and_nought_is_none() -> None:
    properties = (make_property("area", required=True, key_position=1), make_property("patients", "integer", counts="person"))
    contract = make_contract(properties=properties, layer=Layer.AGGREGATE, licence="cc0-1.0")
    rows = pl.DataFrame({"area": ["a", "b", "c", "d"], "patients": [0, 2, 3, None]})
    assert [(f.rule, f.count) for f in assess(contract, rows, (), LIMITS).findings] == [("small_count", 1)]


def test_a_row_that_meets_exactly_one_row_of_another_open_dataset_is_found() -> None:
    other = replace(_with(_with(people(), "illness", confidential=False), "no", name="their_no"), id="test.other")
    lone = rows_of((date(1991, 2, 2), "25195", "b"))
    beside = Other(other, pl.concat([ALIKE, lone]).rename({"no": "their_no"}))
    assert rules(people(), pl.concat([ALIKE, lone]), beside) == ["class_under_k", "not_diverse", "joined_alone"]
    assert rules(people(), ALIKE, beside) == []


def test_a_shared_key_lets_another_dataset_s_columns_break_the_classes() -> None:
    """Alone both are 3-anonymous; over the key they share, every row is told apart."""
    key = make_property("no", "integer", required=True, key_position=1)
    ours = make_contract(properties=(key, make_property("born_on", "date", quasi_identifier=True)), licence="vn-ogd")
    theirs = make_contract(id="test.jobs", properties=(key, make_property("trade", quasi_identifier=True)), licence="vn-ogd")
    rows = pl.DataFrame({"no": range(9), "born_on": [date(1990 + n // 3, 1, 1) for n in range(9)]})
    jobs = pl.DataFrame({"no": range(9), "trade": ["abc"[n % 3] for n in range(9)]})
    assert rules(ours, rows) == rules(theirs, jobs) == []
    found = assess(ours, rows, [Other(theirs, jobs)], LIMITS).findings
    assert [(f.rule, f.count, f.other) for f in found] == [("joined_alone", 9, "test.jobs"), ("joined_under_k", 9, "test.jobs")]


def test_dates_climb_to_years_before_communes_are_lost() -> None:
    rows = rows_of(*[(date(1990, 1, 1 + n), "25195", "ab"[n % 2]) for n in range(6)])
    proposal = propose(people(), rows, LIMITS, ON)
    assert [(step.column, step.to) for step in proposal.steps] == [("born_on", "month")]
    assert proposal.after is not None
    assert (proposal.after.smallest, proposal.rows_left_out) == (6, 0)
    assert apply(proposal, people(), rows, LIMITS, ON)["born_on"].unique().to_list() == ["1990-01"]


def test_communes_climb_to_their_district_and_then_their_province() -> None:
    """25195 and 25210 were communes of Đồng Xoài and Phước Long until 30 June 2025."""
    communes = ["25195", "25198", "25201"]
    rows = rows_of(*[(date(1990, 1, 1), commune, "ab"[n % 2]) for n, commune in enumerate(communes)])
    proposal = propose(people(), rows, LIMITS, ON)
    assert [step.to for step in proposal.steps if step.column == "commune"] == ["district"]


def test_fields_that_name_somebody_are_dropped() -> None:
    contract = _with(people(), "note", standard="person_name", sensitivity=Sensitivity.PERSONAL)
    rows = ALIKE.with_columns(note=pl.lit("Nguyễn Văn A"))
    proposal = propose(contract, rows, LIMITS, ON)
    assert proposal.dropped == ("no", "note")
    assert apply(proposal, contract, rows, LIMITS, ON).columns == ["born_on", "commune", "illness"]


_DAYS = st.one_of(st.none(), st.dates(date(1950, 1, 1), date(2020, 1, 1)))
_PEOPLE = st.lists(st.tuples(_DAYS, st.sampled_from(["25195", "25198", "25441", "00000", None]), st.sampled_from("ab")), max_size=40)


@settings(max_examples=30, deadline=None)
@given(_PEOPLE, st.integers(2, 6))
def test_what_is_proposed_is_always_anonymous_enough_and_diverse_enough(people_rows: list[Any], k: int) -> None:
    limits = Limits(k=k, diversity=2)
    contract, rows = people(), rows_of(*people_rows)
    proposal = propose(contract, rows, limits, ON)
    opened = apply(proposal, contract, rows, limits, ON)
    assert opened.height == rows.height - proposal.rows_left_out
    left = [name for name in ("born_on", "commune") if name in opened.columns]
    spread = spread_of(opened, left, k)
    assert spread.under == 0
    if opened.height and left:
        assert opened.group_by(left).agg(pl.col("illness").n_unique())["illness"].min() >= 2  # type: ignore[operator] # a number, for there are rows
    assert 0 <= proposal.loss <= 1
    assert all(step.to != LEFT_OUT or step.column not in opened.columns for step in proposal.steps)
