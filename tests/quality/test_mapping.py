"""The mapping language: what each function gives, what becomes an issue, and that no expression and no cell can do harm."""

from __future__ import annotations

import contextlib
from datetime import date

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lienthong.contracts.mapping import FUNCTIONS, headings_of, lookups_of, read_mapping
from lienthong.contracts.mapping.functions import LONGEST_VALUE, Function
from lienthong.contracts.mapping.reading import DEEPEST, MappingFault
from lienthong.quality.mapping import MappingContext, evaluate, issues_of_mapping
from lienthong.standards import STANDARDS

UNITS = pl.DataFrame(
    {
        "name": ["Lộc Ninh", "Bù Đăng", "Tân Khai", "Tân Khai", "Thanh Lương"],
        "code": ["1", "2", "3", "4", "5"],
        "valid_from": ["2000-01-01"] * 4 + ["2025-07-01"],
        "valid_to": [None, "2025-07-01", None, None, None],
    }
)
CONTEXT = MappingContext(date(2026, 7, 1), {"units": UNITS})


def one(text: str, **cells: str | None) -> tuple[str | None, str | None]:
    rows = pl.DataFrame({name: [value] for name, value in cells.items()} or {"_": [None]}, schema_overrides=dict.fromkeys(cells, pl.String))
    found = evaluate(read_mapping(text), rows, CONTEXT)
    return found.values[0], found.problems[0]


@pytest.mark.parametrize(
    ("text", "cell", "value"),
    [
        ("trim([x])", "  Lê   Văn  An ", "Lê Văn An"),
        ("upper([x])", "gp-đất", "GP-ĐẤT"),
        ("digits([x])", "070 0.123-456", "0700123456"),
        ('replace([x], "TT.", "Thị trấn ")', "TT.Lộc Ninh", "Thị trấn Lộc Ninh"),
        ('part([x], "/", 2)', "12/345/7", "345"),
        ('part([x], "/", -1)', "12/345/7", "7"),
        ('part([x], "/", 9)', "12/345/7", None),
        ('before([x], "-")', "a-b-c", "a"),
        ('after([x], "-")', "a-b-c", "b-c"),
        ('after([x], "-")', "a", None),
        ('before_last([x], " ")', "Nguyễn Thị Bình", "Nguyễn Thị"),
        ('after_last([x], " ")', "Nguyễn Thị Bình", "Bình"),
        ('between([x], "(", ")")', "An (Tư) x", "Tư"),
        ('between([x], "(", ")")', "An (Tư", None),
        ("first([x], 2)", "đăk", "đă"),
        ("last([x], 2)", "đăk", "ăk"),
        ('pad([x], 5, "0")', "97", "00097"),
        ('join("/", [x], [y], "2020")', "7", "7/2020"),
        ("first_of([y], [x])", "a", "a"),
        ('choose([x], "1", "Nam", "2", "Nữ")', "2", "Nữ"),
        ('choose([x], "có", "1", "0")', "gì đó", "0"),
        ('lookup([x], "units", "name", "code")', " lộc  NINH", "1"),
        ('lookup([x], "units", "name", "code")', "Thanh Lương", "5"),
        ("[x] * 2 + 1", "1,5", "4"),
        ('number([x], ",") / 1000', "1.234", "1.2340"),
        ('convert([x], "ha", "m²")', "1,25", "12500"),
        ('convert([x], "triệu đồng", "đồng")', "1,5", "1500000"),
        ('convert([x], "°F", "°C")', "212", "100"),
        ("round([x], 1)", "2,25", "2.3"),
        ("-[x]", "3", "-3"),
        ("0 - abs([x])", "-3", "-3"),
        ('if([x] > 5 and not empty([x]), "nhiều", "ít")', "7", "nhiều"),
        ('if([x] = "CÓ", "1", "0")', " có", "1"),
        ('if(starts([x], "TT") or contains([x], "lộc"), 1, 2)', "tt. x", "1"),
        ('"hằng"', "x", "hằng"),
        ("[x]", "", None),
        ("[y]", "x", None),
    ],
)  # fmt: skip
def test_a_function_gives(text: str, cell: str, value: str | None) -> None:
    assert one(text, x=cell) == (value, None)


@pytest.mark.parametrize(
    ("text", "cell", "code"),
    [
        ("[x] * 2", "hai", "mapping.number"),
        ("1 / [x]", "0", "mapping.divide"),
        ("[x] * [x]", "1e300", "mapping.too_large"),
        ('replace([x], "a", "aaaaaaaaaa")', "a" * 2_000, "mapping.too_long"),
        ('join("", [x], [x])', "a" * 6_000, "mapping.too_long"),
        ('choose([x], "1", "Nam")', "3", "mapping.unknown"),
        ('lookup([x], "units", "name", "code")', "Đâu đó", "mapping.not_found"),
        ('lookup([x], "units", "name", "code")', "Bù Đăng", "mapping.not_found"),
        ('lookup([x], "units", "name", "code")', "Tân Khai", "mapping.several"),
        ('lookup([x], "nothing", "name", "code")', "Lộc Ninh", "mapping.unavailable"),
        ("if([x] > 1, 1, 2)", "hai", "mapping.number"),
        ("first_of(number([x]), 5)", "hai", "mapping.number"),
    ],
)
def test_what_cannot_be_made_is_an_issue_and_no_value(text: str, cell: str, code: str) -> None:
    assert one(text, x=cell) == (None, code)


def test_what_is_not_chosen_is_not_complained_of() -> None:
    assert one('if(empty([x]) or [x] = "-", 0, number([x]))', x="-") == ("0", None)


def test_an_issue_names_row_column_and_the_cells() -> None:
    rows = pl.DataFrame({"Dài": ["2", "hai"], "Rộng": ["3", "4"]})
    node = read_mapping("[Dài] * [Rộng]")
    issues = issues_of_mapping(pl.Series([7, 8], dtype=pl.Int64), "area", node, evaluate(node, rows, CONTEXT), rows).to_dicts()
    assert [(i["row_no"], i["column_name"], i["code"], i["found"]) for i in issues] == [(8, "area", "mapping.number", "Dài: hai; Rộng: 4")]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "expected an expression"),
        ('lokup([x], "a.b", "c", "d")', "lookup"),
        ('convert([x], "m2", "kg")', "no units of one quantity"),
        ('part([x], "/", 0)', "counted from 1"),
        ("if([x], 1, 2)", "expected a condition"),
        ("[x] [y]", "does not belong here"),
        ("(" * 50 + "1" + ")" * 50, "nested"),
        ("1" + "+1" * 50, "nested"),
        ("trim(", "ends too early"),
        ("__import__('os')", "not understood"),
        ("[x].read()", "not understood"),
        ('replace([x], "", "aaaa")', "not empty"),
        ('pad([x], 1000000, "0")', "pad"),
    ],
)  # fmt: skip
def test_a_wrong_expression_is_told_with_what_is_wrong(text: str, told: str) -> None:
    with pytest.raises(MappingFault) as refused:
        read_mapping(text)
    assert told in f"{refused.value} {refused.value.suggestion}"


def test_headings_and_look_ups_are_told() -> None:
    node = read_mapping('join(" ", [Họ]]x], [Tên], lookup([Họ]]x], "a.b", "c", "d"))')
    assert headings_of(node) == ("Họ]x", "Tên")
    assert lookups_of(node) == (("a.b", "c", "d"),)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_example_of_the_reference_is_right(name: str) -> None:
    read_mapping(FUNCTIONS[name].example)


CELLS = st.one_of(
    st.none(), st.text(max_size=12), st.sampled_from(["1,5", "1.234", "0", "-7", "1e308", "a-b", "Lộc Ninh", "NaN", "inf", "\x00", "﷽"])
)
WRITTEN = st.sampled_from(['"-"', '"x"', '" "', '"0"', '"("', '"lộc"', '""'])
LEAVES = st.sampled_from(['"a-b"', '"7"', "1", "0", "12.5", "[a]", "[b]", "[zz]", "[a]", "[b]"])
SIGNS = [name for name, each in FUNCTIONS.items() if each.is_operator and name not in ("not", "and", "or")]
TRUTHS = st.sampled_from(["empty([a])", "[a] = [b]", "[a] < 3", 'not contains([b], "x")', "empty([a]) or [b] != 1"])


def places(function: Function, inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """What may stand in each place of a function, mostly."""
    made = {"written": WRITTEN, "whole": st.sampled_from(["1", "2", "-1", "5"]), "unit": st.sampled_from(['"ha"', '"m2"']), "truth": TRUTHS, "dataset": st.just('"units"'), "column": st.sampled_from(['"name"', '"code"'])}  # fmt: skip
    wanted = [made.get(each, inner) for each in (*function.takes, *function.more)]
    return st.tuples(*wanted).map(", ".join)


def calls(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    each = [places(f, inner).map(f"{name}({{}})".format) for name, f in FUNCTIONS.items() if not f.is_operator]
    each.append(st.builds(lambda left, sign, right: f"({left} {sign} {right})", inner, st.sampled_from(SIGNS), inner))
    return st.one_of(each)


EXPRESSIONS = st.recursive(LEAVES, calls, max_leaves=8)


@settings(max_examples=200, deadline=None)
@given(EXPRESSIONS, st.lists(st.tuples(CELLS, CELLS), max_size=4))
def test_any_expression_is_refused_or_total_bounded_and_the_same_twice(text: str, cells: list[tuple[str | None, str | None]]) -> None:
    try:
        node = read_mapping(text)
    except MappingFault:
        return
    rows = pl.DataFrame(cells, schema={"a": pl.String, "b": pl.String}, orient="row")
    first, again = evaluate(node, rows, CONTEXT), evaluate(node, rows, CONTEXT)
    assert first.values.dtype == pl.String
    assert len(first.values) == len(first.problems) == len(cells)
    assert first.values.to_list() == again.values.to_list()
    assert first.problems.to_list() == again.problems.to_list()
    assert not (first.values.is_not_null() & first.problems.is_not_null()).any()
    assert max(first.values.str.len_chars().fill_null(0).to_list(), default=0) <= LONGEST_VALUE
    for whole in (1, 2):  # a row's value is a matter of that row alone
        assert evaluate(node, rows.head(whole), CONTEXT).values.to_list() == first.values.to_list()[:whole]


@given(st.text(max_size=60))
def test_any_text_is_an_expression_or_a_fault(text: str) -> None:
    with contextlib.suppress(MappingFault):
        read_mapping(text)


@given(st.floats(allow_nan=False, allow_infinity=False, width=32), st.sampled_from([None, True, False]))
def test_a_number_that_was_made_is_read_as_itself_however_a_standard_is_set(number: float, comma: bool | None) -> None:
    text, _ = one("[x] * 1", x=repr(number))
    options = {} if comma is None else {"decimal_comma": comma}
    assert STANDARDS["decimal"].clean(text, options).value == pytest.approx(number, rel=1e-14)


def test_depth_is_bounded_where_the_parser_would_recurse() -> None:
    with pytest.raises(MappingFault):
        read_mapping("not " * (DEEPEST + 1) + "empty([x])")
    with pytest.raises(MappingFault):
        read_mapping("-" * 1_000 + "1")
