"""Each kind of rule, by rows that keep it and rows that break it."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lienthong.contracts import Rule, Severity
from lienthong.errors import ContractError
from lienthong.quality import ISSUE_SCHEMA, RULES, CheckContext, check
from tests.quality.factories import TODAY, broken_rows, judge, make_contract, make_property

D = date

ONE_COLUMN: list[tuple[str, str, dict[str, Any], list[Any], list[int]]] = [
    ("required", "string", {}, ["a", None, ""], [2, 3]),
    ("unique", "string", {}, ["a", "b", "a", None, None], [1, 3]),
    ("pattern", "string", {"pattern": r"^\d{3}$"}, ["123", "12", None, "1234"], [2, 4]),
    ("length", "string", {"min": 2, "max": 3}, ["ab", "abc", "đặng", "a", None], [3, 4]),
    ("range", "integer", {"min": 0, "max": 10}, [0, 10, -1, 11, None], [3, 4]),
    ("range", "number", {"exclusive_min": 0}, [0.1, 0.0], [2]),
    ("range", "date", {"min": "1900-01-01", "max": "today"}, [D(1900, 1, 1), TODAY, D(1899, 12, 31), D(2026, 7, 2)], [3, 4]),
    ("range", "date", {"max": D(2020, 1, 1)}, [D(2020, 1, 1), D(2020, 1, 2)], [2]),
    (
        "range",
        "timestamp",
        {"max": "today"},
        [datetime(2026, 7, 1, 16, 59, tzinfo=UTC), datetime(2026, 7, 1, 17, 0, tzinfo=UTC)],
        [2],
    ),
    ("allowed", "string", {"values": ["M", "F"]}, ["M", "F", "X", None], [3]),
    ("allowed", "integer", {"values": [1, 2]}, [1, 2, 3], [3]),
]


@pytest.mark.parametrize(("kind", "logical_type", "parameters", "values", "broken"), ONE_COLUMN)
def test_a_rule_of_one_column_breaks_exactly_where_it_should(
    kind: str, logical_type: str, parameters: dict[str, Any], values: list[Any], broken: list[int]
) -> None:
    contract = make_contract(make_property("value", logical_type), rules=[Rule("r", kind, ("value",), parameters)])
    checked = judge(contract, {"value": values})
    assert broken_rows(checked) == broken
    assert [row for row, kept in enumerate(checked.kept, 1) if not kept] == broken
    assert set(checked.issues["code"]) == {kind}
    assert set(checked.issues["column_name"]) == {"value"}


COMPARED: list[tuple[str, str, str, list[tuple[Any, Any]], list[int]]] = [
    ("date", "date", "<", [(D(2000, 1, 1), D(2001, 1, 1)), (D(2001, 1, 1), D(2001, 1, 1)), (None, D(2001, 1, 1))], [2]),
    ("integer", "integer", "<=", [(1, 1), (2, 1), (1, None)], [2]),
    ("string", "date", "<", [("1950", D(1950, 3, 1)), ("1951", D(1950, 3, 1)), ("1950-03-01", D(1950, 3, 1)), ("1950-04", D(1950, 3, 9))], [2, 3, 4]),
    ("string", "string", "<=", [("1950-05", "1950"), ("1951", "1950-12-31")], [2]),
    ("string", "string", "=", [("a", "a"), ("a", "b")], [2]),
]  # fmt: skip


@pytest.mark.parametrize(("left", "right", "operator", "pairs", "broken"), COMPARED)
def test_two_columns_compare_as_far_as_both_are_known(
    left: str, right: str, operator: str, pairs: list[tuple[Any, Any]], broken: list[int]
) -> None:
    rule = Rule("r", "compare", ("a", "b"), {"left": "a", "operator": operator, "right": "b"})
    contract = make_contract(make_property("a", left), make_property("b", right), rules=[rule])
    checked = judge(contract, {"a": [p[0] for p in pairs], "b": [p[1] for p in pairs]})
    assert broken_rows(checked) == broken
    assert checked.issues["column_name"].null_count() == len(broken)


def test_a_column_compares_with_today() -> None:
    rule = Rule("r", "compare", ("a",), {"left": "a", "operator": "<=", "right": "today"})
    contract = make_contract(make_property("a", "date"), rules=[rule])
    assert broken_rows(judge(contract, {"a": [TODAY, D(2026, 7, 2)]})) == [2]


def test_a_citizen_number_agrees_with_year_of_birth_and_sex() -> None:
    rules = [
        Rule("year", "agree", ("id", "born"), {"kind": "citizen_id_birth_year", "id": "id", "with": "born"}),
        Rule("sex", "agree", ("id", "sex"), {"kind": "citizen_id_sex", "id": "id", "with": "sex"}),
    ]
    contract = make_contract(make_property("id"), make_property("born", "date"), make_property("sex"), rules=rules)
    ids = ["070080001234", "070181001234", "070203001234", "070080001234", "070080001234", "285123456", None]
    born = [D(1980, 3, 7), D(1981, 1, 1), D(2003, 1, 1), D(1981, 1, 1), None, D(1970, 1, 1), D(1970, 1, 1)]
    sexes = ["M", "F", "M", "M", "F", "F", "M"]
    checked = judge(contract, {"id": ids, "born": born, "sex": sexes})
    assert sorted(checked.issues.select("row_no", "rule").iter_rows()) == [(4, "year"), (5, "sex")]


def test_a_year_of_birth_known_alone_agrees_with_the_number() -> None:
    rule = Rule("year", "agree", ("id", "born"), {"kind": "citizen_id_birth_year", "id": "id", "with": "born"})
    contract = make_contract(make_property("id"), make_property("born"), rules=[rule])
    checked = judge(contract, {"id": ["070080001234", "070080001234"], "born": ["1980", "1979-05"]})
    assert broken_rows(checked) == [2]


def test_a_value_is_required_when_another_says_so() -> None:
    rule = Rule("r", "required_when", ("died_on",), {"column": "died_on", "when": {"column": "state", "equals": "dead"}})
    contract = make_contract(make_property("state"), make_property("died_on", "date"), rules=[rule])
    checked = judge(contract, {"state": ["dead", "dead", "alive", None], "died_on": [TODAY, None, None, None]})
    assert broken_rows(checked) == [2]


UNITS = pl.DataFrame(
    {
        "code": ["24967", "24967", "25123", "99999"],
        "valid_from": ["2003-07-01", "2025-07-01", None, "2025-07-01"],
        "valid_to": ["2025-07-01", None, "2025-07-01", None],
    }
)


@pytest.mark.parametrize(
    ("as_of", "broken"),
    [(None, [5]), ("on", [2, 3, 5]), ("delivery", [1, 2, 5])],
)
def test_a_reference_is_looked_up_on_the_date_that_matters(as_of: str | None, broken: list[int]) -> None:
    parameters = {"dataset": "admin-units.units", "column": "code"} | ({"as_of": as_of} if as_of else {})
    contract = make_contract(make_property("unit"), make_property("on", "date"), rules=[Rule("r", "reference", ("unit",), parameters)])
    values: dict[str, list[Any]] = {
        "unit": ["25123", "25123", "99999", "24967", "00000", None],
        "on": [D(2025, 6, 30), D(2025, 7, 1), D(2025, 6, 30), D(2025, 7, 1), D(2025, 7, 1), D(2025, 7, 1)],
    }
    assert broken_rows(judge(contract, values, {"admin-units.units": UNITS})) == broken


@pytest.mark.parametrize("reference", [{}, {"agencies.register": UNITS.clear()}])
def test_a_reference_not_published_yet_warns_and_holds_nothing_back(reference: dict[str, pl.DataFrame]) -> None:
    rule = Rule("r", "reference", ("unit",), {"dataset": "agencies.register", "column": "code"})
    checked = judge(make_contract(make_property("unit"), rules=[rule]), {"unit": ["a", None]}, reference)
    assert checked.kept.all()
    assert checked.issues.select("row_no", "code", "severity").rows() == [(1, "reference.unavailable", "warning")]


def test_a_warning_keeps_the_row() -> None:
    rule = Rule("r", "range", ("n",), {"max": 1}, Severity.WARNING)
    checked = judge(make_contract(make_property("n", "integer"), rules=[rule]), {"n": [1, 2]})
    assert checked.kept.to_list() == [True, True]
    assert checked.issues["severity"].to_list() == ["warning"]


def test_required_and_key_properties_promise_a_value_without_a_rule() -> None:
    contract = make_contract(make_property("key", key_position=1), make_property("name", required=True), make_property("note"))
    checked = judge(contract, {"key": ["1", None, "3"], "name": ["a", "b", None], "note": [None, None, None]})
    assert sorted(checked.issues.select("row_no", "column_name").iter_rows()) == [(2, "key"), (3, "name")]


def test_a_message_of_the_contract_goes_before_our_own_words() -> None:
    rule = Rule("r", "compare", ("a", "b"), {"left": "a", "operator": "<", "right": "b"}, message_vi="Ngày sinh phải trước ngày cấp")
    contract = make_contract(
        make_property("a", "date", title_en="Birth date"), make_property("b", "date", title_en="Date of issue"), rules=[rule]
    )
    issue = judge(contract, {"a": [TODAY], "b": [D(2000, 1, 1)]}).issues.row(0, named=True)
    assert issue["expected_vi"] == "Ngày sinh phải trước ngày cấp"
    assert issue["expected_en"] == "Birth date must be before Date of issue"
    assert issue["found"] == "2026-07-01 | 2000-01-01"


def test_an_unknown_kind_is_refused_with_the_nearest() -> None:
    contract = make_contract(make_property("a"), rules=[Rule("r", "patern", ("a",))])
    with pytest.raises(ContractError, match="did you mean `pattern`"):
        judge(contract, {"a": ["x"]})


def test_no_rows_give_no_issues() -> None:
    contract = make_contract(make_property("a", required=True))
    checked = judge(contract, {"a": []})
    assert len(checked.kept) == 0
    assert dict(checked.issues.schema) == {name: kind() for name, kind in ISSUE_SCHEMA.items()}


@given(st.lists(st.one_of(st.none(), st.text(max_size=4)), max_size=30))
@settings(max_examples=40, deadline=None)
def test_every_row_held_back_has_an_issue_and_no_other_has(values: list[str | None]) -> None:
    rules = [Rule("l", "length", ("a",), {"max": 2}), Rule("u", "unique", ("a",)), Rule("q", "required", ("a",))]
    checked = judge(make_contract(make_property("a"), rules=rules), {"a": values})
    held = {row for row, kept in enumerate(checked.kept, 1) if not kept}
    assert held == set(checked.issues["row_no"])


@given(st.lists(st.one_of(st.none(), st.integers(-5, 5)), min_size=1, max_size=30), st.randoms())
@settings(max_examples=40, deadline=None)
def test_a_rows_fate_does_not_depend_on_its_place(values: list[int | None], random: Any) -> None:
    rules = [Rule("r", "range", ("a",), {"min": 0}), Rule("u", "unique", ("a",))]
    contract = make_contract(make_property("a", "integer"), rules=rules)
    order = list(range(len(values)))
    random.shuffle(order)
    straight = judge(contract, {"a": values}).kept.to_list()
    mixed = judge(contract, {"a": [values[place] for place in order]}).kept.to_list()
    assert mixed == [straight[place] for place in order]


def test_every_kind_says_what_it_expects_in_both_languages() -> None:
    samples: dict[str, dict[str, Any]] = {
        "pattern": {"pattern": "x"},
        "length": {"max": 3},
        "range": {"min": 1, "max": "today"},
        "allowed": {"values": ["a"]},
        "reference": {"dataset": "d.d", "column": "c", "as_of": "delivery"},
        "compare": {"left": "a", "operator": ">=", "right": "b"},
        "agree": {"kind": "citizen_id_sex", "id": "a", "with": "b"},
        "required_when": {"column": "a", "when": {"column": "b", "equals": ["x", "y"]}},
    }
    contract = make_contract(make_property("a", title_vi="Cột A"), make_property("b", title_vi="Cột B"))
    for kind, rule_kind in RULES.items():
        vi, en = rule_kind.say(Rule("r", kind, ("a",), samples.get(kind, {})), contract)
        assert "Cột A" in vi, kind
        assert len(en) > 5, kind


def test_originals_are_shown_as_found() -> None:
    contract = make_contract(make_property("n", "integer"), rules=[Rule("r", "range", ("n",), {"max": 1})])
    clean = pl.DataFrame({"row_no": [7], "n": [1200]})
    checked = check(clean, contract, CheckContext(TODAY, {}, pl.DataFrame({"n": ["1.200"]})))
    assert checked.issues.select("row_no", "found").rows() == [(7, "1.200")]
