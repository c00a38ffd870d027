"""Particular values: names, ids, numbers and dates as people really type them."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, date, datetime
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lienthong.standards import STANDARDS

SAMPLE = {"accept_synthetic": True}


def clean(standard: str, typed: str, **options: Any) -> tuple[Any, str | None]:
    found = STANDARDS[standard].clean(typed, options)
    return found.value, found.problem


@pytest.mark.parametrize(
    ("one", "other"),
    [("Nguyễn Thị Hoà", "NGUYỄN THỊ HÒA"), ("Lý Mỹ", "Lí Mĩ"), ("Đỗ Thuý Vy", "Do Thuy Vi")],
)
def test_spellings_of_one_name_have_one_key(one: str, other: str) -> None:
    name = STANDARDS["person_name"]
    assert name.compare_key(one) == name.compare_key(other)


@pytest.mark.parametrize(
    "name", ["Nguyễn Thị Hoà", "Lê Thị Thúy", "Ông Cao Thắng", "Ka H'Oanh", "Y Moan Êñuôl", "Trần Thị Xoan", "Nguyễn Văn A", "Đỗ"]
)
def test_a_name_rightly_written_is_left_alone(name: str) -> None:
    assert clean("person_name", name) == (name, None)


def test_sample_ids_pass_only_where_they_are_accepted() -> None:
    assert clean("citizen_id", "97090123456", **SAMPLE) == ("097090123456", "citizen_id.zeros_restored")
    assert clean("citizen_id", "001234567", **SAMPLE) == ("001234567", None)
    assert clean("tax_code", "0012345674", **SAMPLE)[1] != "tax_code.synthetic"
    assert clean("phone", "0612345678", **SAMPLE) == ("0612345678", None)
    assert clean("insurance_no", "9901234567", **SAMPLE) == ("9901234567", None)


def test_old_numbers_can_be_kept_out() -> None:
    assert clean("citizen_id", "285123456", accept_cmnd=False) == (None, "citizen_id.old_form")


@given(st.integers(0, 10**12 - 1))
def test_an_id_that_passes_has_a_place_of_the_list_of_63_or_a_country(number: int) -> None:
    value, _ = clean("citizen_id", f"{number:012}")
    assert value is None or value[:3] not in {"000", "003", "005", "097", "098", "099"}


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("0165 234 5678", "0352345678"),
        ("84912345678", "0912345678"),
        ("+84(0)912345678", "0912345678"),
        ("0271.3888.999", "02713888999"),
        ("912345678.0", "0912345678"),
    ],
)
def test_a_phone_number_is_one_however_it_is_written(typed: str, found: str) -> None:
    assert clean("phone", typed) == (found, None)


@pytest.mark.parametrize(
    ("typed", "options", "found"),
    [
        ("820.125", {}, 820.125),
        ("1.234", {"decimal_comma": True}, 1234.0),
        ("1,234", {}, 1.234),
        ("1,234", {"decimal_comma": False}, 1234.0),
        ("1.234.567,8", {"decimal_comma": False}, 1234567.8),
        ("2,5 ha", {"units": {"ha": 10000, "m2": 1}}, 25000.0),
        ("120 m2", {"units": {"ha": 10000, "m2": 1}}, 120.0),
        ("12,5 %", {}, 12.5),
        ("…", {"empty": ["-", "…"]}, None),
    ],
)
def test_a_number_is_read_as_its_source_means_it(typed: str, options: dict[str, Any], found: float | None) -> None:
    assert clean("decimal", typed, **options) == (found, None)


@pytest.mark.parametrize(
    ("typed", "amount"),
    [("50,000", 50_000), ("50.000", 50_000), ("1.500 triệu", 1_500_000_000), ("1,5tr", 1_500_000), ("2 tỉ VNĐ", 2 * 10**9)],
)
def test_an_amount_is_never_a_thousand_times_off(typed: str, amount: int) -> None:
    assert clean("money", typed) == (amount, None)


@given(st.floats(-1e14, 1e14, allow_nan=False))
def test_a_number_from_a_database_stays_what_it_is(number: float) -> None:
    assert clean("decimal", str(number)) == (number, None)


@given(
    st.dates(date(1900, 1, 1), date(2150, 1, 1)),
    st.sampled_from(["%d/%m/%Y", "%Y-%m-%d", "%d-%m-%Y", "%d.%m.%Y", "ngày %d tháng %m năm %Y", "%Y-%m-%dT00:00:00"]),
)
def test_a_day_is_the_same_however_it_is_written(day: date, form: str) -> None:
    assert clean("date", day.strftime(form)) == (day, None)
    assert clean("partial_date", day.strftime(form)) == (day.isoformat(), None)


def test_two_digit_years_need_a_pivot() -> None:
    assert clean("date", "7/3/80") == (None, "date.short_year")
    assert clean("date", "7/3/80", pivot=30) == (date(1980, 3, 7), None)
    assert clean("date", "7/3/29", pivot=30) == (date(2029, 3, 7), None)


@pytest.mark.parametrize(
    ("typed", "found"),
    [("1950", "1950"), ("03/1950", "1950-03"), ("00/03/1950", "1950-03"), ("tháng 3 năm 1950", "1950-03"), ("1950-03-07", "1950-03-07")],
)
def test_a_day_or_month_not_known_is_never_invented(typed: str, found: str) -> None:
    assert clean("partial_date", typed) == (found, None)


@given(st.datetimes(datetime(1980, 1, 1), datetime(2100, 1, 1)))
def test_local_times_are_those_of_vietnam_and_columns_agree(local: datetime) -> None:
    local = local.replace(microsecond=0)
    column = pl.Series([local.isoformat(" "), local.isoformat() + "+07:00", f"{local:%H:%M:%S %d/%m/%Y}"])
    expected = clean("timestamp", column[1])[0]
    assert expected == datetime.fromisoformat(column[1]).astimezone(UTC)
    assert STANDARDS["timestamp"].clean_column(column, {}).values.to_list() == [expected] * 3


def test_a_code_list_takes_codes_of_any_type_and_labels_without_marks() -> None:
    options = {"values": {1: "Kinh", 2: "S'tiêng"}, "spellings": {"Xtiêng": "2"}}
    column = STANDARDS["code_list"].clean_column(pl.Series(["1", "S'TIENG", "xtieng", "Tày"]), options)
    assert column.values.to_list() == ["1", "2", "2", None]
    assert column.problems.to_list() == [None, None, None, "code_list.unknown"]


def test_the_room_is_quick_to_enter() -> None:
    seconds = "import time; import polars, msgspec, stdnum; begin = time.perf_counter(); import lienthong.standards; print(time.perf_counter() - begin)"
    spent = subprocess.run([sys.executable, "-c", seconds], capture_output=True, text=True, check=True).stdout
    assert float(spent) < 1.0


_DAY = st.dates(date(1790, 1, 1), date(2210, 12, 31))
_WRITTEN = st.sampled_from(["%d/%m/%Y", "%Y-%m-%d", "%d-%m-%Y", "%Y/%m/%d", "%m/%d/%Y", "%d/%m/%y"])


@given(st.lists(st.one_of(st.none(), st.builds(date.strftime, _DAY, _WRITTEN), st.text("0123456789/-", max_size=11)), max_size=40))
def test_a_column_of_dates_is_read_as_each_date_is_by_itself(written: list[str | None]) -> None:
    standard = STANDARDS["date"]
    column = standard.clean_column(pl.Series(written, dtype=pl.String), {})
    assert column.values.to_list() == [standard.clean(text, {}).value for text in written]
    assert column.problems.to_list() == [standard.clean(text, {}).problem for text in written]
