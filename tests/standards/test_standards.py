"""What holds for every standard: its examples, cleaning twice, and a column cleaned as its values are."""

from __future__ import annotations

import time
from datetime import date, datetime
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lienthong.errors import SettingsError
from lienthong.standards import PROBLEMS, STANDARDS, Standard, get_standard

OPTIONS: dict[str, dict[str, Any]] = {"code_list": {"values": {"A": "Loại A", "B": "Loại B"}}}
AS_SHOWN: dict[str, dict[str, Any]] = {"decimal": {"decimal_comma": True}, "quantity": {"decimal_comma": True}}  # shown as offices write
ALL = pytest.mark.parametrize("standard", STANDARDS.values(), ids=list(STANDARDS))
SEEDS = st.sampled_from(
    [text for standard in STANDARDS.values() for text, _ in (*standard.good, *standard.bad)]
    + [
        "Loại A",
        "b",
        "NGUYỄN THỊ ÁNH",
        "trần văn đức",
        "BÀ LÊ THỊ ÚT",
        "NGUYÔN V¨N",
        "LÊ VÀ TRẦN",
        "ĐỖ",
        "NGUYEENX THỊ A",
        "1e5",
        "٣",
        "０１２",
        "=1+1",
        "'; drop table x;--",
        "\x00",
        "Đỗ\u0301",
        "99999999999999999999",
        "-0",
        "NaN",
        "inf",
        "[[[[",
    ]
)
TYPED = st.one_of(
    SEEDS,
    st.text(max_size=25),
    st.from_regex(r"[0-9]{1,2}[/.-][0-9]{1,2}[/.-][0-9]{2,4}", fullmatch=True),
    st.from_regex(r"[0-9 .,+-]{1,16}", fullmatch=True),
    st.from_regex(r"[0-9]{9,13}", fullmatch=True),
)


def shown(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return value.isoformat() if isinstance(value, date | datetime) else str(value)


@ALL
def test_good_examples_become_what_they_say(standard: Standard) -> None:
    found = [(typed, shown(standard.clean(typed, OPTIONS.get(standard.name, {})).value)) for typed, _ in standard.good]
    assert tuple(found) == standard.good


@ALL
def test_bad_examples_have_the_problem_they_say(standard: Standard) -> None:
    found = [(typed, standard.clean(typed, OPTIONS.get(standard.name, {})).problem) for typed, _ in standard.bad]
    assert tuple(found) == standard.bad


@ALL
@settings(max_examples=35, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(typed=TYPED)
def test_cleaning_twice_changes_nothing(standard: Standard, typed: str) -> None:
    options = OPTIONS.get(standard.name, {})
    once = standard.clean(typed, options)
    if once.value is not None:
        assert standard.clean(shown(once.value), options).value == once.value


@ALL
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(typed=st.lists(st.one_of(st.none(), TYPED), max_size=12))
def test_a_column_is_cleaned_as_its_values_are(standard: Standard, typed: list[str | None]) -> None:
    options = OPTIONS.get(standard.name, {})
    column = standard.clean_column(pl.Series(typed, dtype=pl.String), options)
    one_by_one = [standard.clean(value, options) for value in typed]
    assert column.values.dtype == standard.dtype
    assert column.values.to_list() == [one.value for one in one_by_one]
    assert column.problems.to_list() == [one.problem for one in one_by_one]


@ALL
@settings(max_examples=25, deadline=None)
@given(typed=TYPED)
def test_every_problem_has_its_words_and_an_error_leaves_no_value(standard: Standard, typed: str) -> None:
    found = standard.clean(typed, OPTIONS.get(standard.name, {}))
    if found.problem is not None:
        assert (PROBLEMS[found.problem].severity == "warning") == (found.value is not None)


@ALL
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(typed=TYPED)
def test_what_is_shown_parses_to_itself(standard: Standard, typed: str) -> None:
    options = OPTIONS.get(standard.name, {}) | AS_SHOWN.get(standard.name, {})
    value = standard.clean(typed, options).value
    if value is not None:
        assert standard.clean(standard.display(value), options).value == value


@ALL
@pytest.mark.parametrize("piece", ["(", "vợ ", "9", "1.", "Xã Tân ", "[", "-", "́", "a,", "0123 "])
def test_a_very_long_value_is_judged_at_once(standard: Standard, piece: str) -> None:
    begin = time.process_time()  # of this process alone
    standard.clean(piece * 20_000, OPTIONS.get(standard.name, {}))
    assert time.process_time() - begin < 1.5


@ALL
def test_nothing_stays_nothing(standard: Standard) -> None:
    options = OPTIONS.get(standard.name, {})
    assert [standard.clean(blank, options).value for blank in (None, "", "  ", "\u00a0")] == [None] * 4
    assert standard.compare_key(None) is None
    assert standard.display(None) == ""


@ALL
def test_an_unknown_option_is_refused(standard: Standard) -> None:
    with pytest.raises(ValueError, match="colour"):
        standard.clean("x", {"colour": "red"})


def test_an_unknown_standard_names_the_nearest() -> None:
    with pytest.raises(SettingsError, match="citizen_id"):
        get_standard("citizen_ids")
