"""Particular values: names, ids, numbers and dates as people really type them."""

from __future__ import annotations

import subprocess
import sys
import unicodedata
from collections import Counter
from datetime import UTC, date, datetime
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lienthong.standards import STANDARDS
from lienthong.standards.agency_codes import agency_form, old_form, successor
from lienthong.standards.base import Cleaned
from lienthong.standards.code_lists import LISTS, entries
from lienthong.standards.insurance import health_card_parts
from lienthong.standards.periods import reporting_window
from lienthong.standards.text import PERSON_NAME, without_marks

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
    seconds = "import time; import polars, msgspec, stdnum; begin = time.process_time(); import lienthong.standards; print(time.process_time() - begin)"
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


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("CTY TNHH MTV TM DV XD Minh Phát", "Công ty trách nhiệm hữu hạn một thành viên Thương mại - Dịch vụ - Xây dựng “Minh Phát”"),
        ("Công ty cổ phần Hoà Bình", "HÒA BÌNH JSC"),
        ("Công ty TNHH SX Bình Minh", "SẢN XUẤT BÌNH MINH CO., LTD"),
        ("DNTN Út Mười", "Doanh nghiệp tư nhân ÚT MƯỜI"),
    ],
)
def test_ways_to_write_an_enterprise_have_one_key(one: str, other: str) -> None:
    name = STANDARDS["enterprise_name"]
    assert name.compare_key(one) == name.compare_key(other)


def test_kinds_of_enterprises_that_share_a_name_are_told_apart() -> None:
    name = STANDARDS["enterprise_name"]
    assert name.compare_key("Công ty TNHH Minh Phát") != name.compare_key("Công ty cổ phần Minh Phát")


def test_an_old_card_after_its_end_is_told_where_the_row_is_dated() -> None:
    values = pl.Series(["285123456", "285123456", "070090123456"])
    found = STANDARDS["citizen_id"].clean_column(values, {}, pl.Series([date(2024, 12, 31), date(2025, 1, 1), date(2026, 1, 1)]))
    assert found.values.to_list() == values.to_list()
    assert found.problems.to_list() == [None, "citizen_id.old_after_end", None]


CLOSED = {"closed": {"H10": {"on": "2025-07-01", "successor": "H19"}, "H10.12": {"on": date(2025, 3, 1), "successor": "H10.14"}}}


def test_a_closed_agency_code_is_kept_and_told_as_of_the_row() -> None:
    values = pl.Series(["H10.12", "000.00.12.H10", "H10.05", "H10.05", "H19"])
    days = pl.Series([date(2025, 2, 28), date(2025, 3, 1), date(2025, 3, 1), date(2025, 7, 1), date(2026, 1, 1)])
    found = STANDARDS["agency_code"].clean_column(values, CLOSED, days)
    assert found.values.to_list() == ["H10.12", "H10.12", "H10.05", "H10.05", "H19"]
    assert found.problems.to_list() == [None, "agency_code.closed", None, "agency_code.closed", None]


def test_what_took_a_closed_codes_place_is_followed_to_the_end() -> None:
    assert successor("H10.12", date(2025, 2, 1), CLOSED) == "H10.12"
    assert successor("H10.12", date(2025, 4, 1), CLOSED) == "H10.14"
    assert successor("H10.12", date(2026, 1, 1), CLOSED) == "H19"
    assert successor("H1", date(2026, 1, 1), {"closed": {"H1": {"on": "2025-01-01", "successor": "H1"}}}) == ""


def test_both_forms_of_an_agency_code_are_one() -> None:
    assert [old_form(code) for code in ("H49", "H10.12", "H10.12.25")] == ["000.00.00.H49", "000.00.12.H10", "000.25.12.H10"]
    assert all(agency_form(old_form(code)) == code for code in ("H49", "H10.12", "H10.12.25"))


@pytest.mark.parametrize(
    ("code", "first", "last"),
    [
        ("2026-06", date(2026, 5, 15), date(2026, 6, 14)),
        ("2026-01", date(2025, 12, 15), date(2026, 1, 14)),
        ("2026-Q2", date(2026, 3, 15), date(2026, 6, 14)),
        ("2026-H1", date(2025, 12, 15), date(2026, 6, 14)),
        ("2026-9M", date(2025, 12, 15), date(2026, 9, 14)),
        ("2026", date(2025, 12, 15), date(2026, 12, 14)),
    ],
)
def test_a_report_runs_from_the_15th_to_the_14th(code: str, first: date, last: date) -> None:
    window = reporting_window(code)
    assert (window.first, window.last) == (first, last)


def test_windows_follow_each_other_without_gap_and_may_close_early() -> None:
    assert reporting_window("2026-06", closes_on_14=False).last == date(2026, 6, 30)
    assert reporting_window("2026-06").last.toordinal() + 1 == reporting_window("2026-07").first.toordinal()
    assert reporting_window("2026-06", closes_early_on=date(2026, 6, 10)).last == date(2026, 6, 10)
    with pytest.raises(ValueError, match="2026-06"):
        reporting_window("2026-06", closes_early_on=date(2026, 6, 20))


@pytest.mark.parametrize(
    ("typed", "options", "found"),
    [
        ("2 sào", {"region": "north"}, 720.0),
        ("2 sào", {"region": "south"}, 2000.0),
        ("3 công", {"region": "south"}, 3000.0),
        ("3 công", {"region": "north"}, None),
        ("1.500 m2", {"decimal_comma": True}, 1500.0),
        ("1,5 ha", {"unit": "ha"}, 1.5),
        ("0,05 mg/m3", {"unit": "µg/m³"}, 50.0),
        ("86 °F", {"unit": "°C"}, 30.0),
        ("300,15 K", {"unit": "°C"}, 27.0),
        ("2,5 tấn", {"unit": "kg"}, 2500.0),
        ("12", {"unit": "m", "assume": "km"}, 12000.0),
        ("86,4 m3/ngày đêm", {"unit": "l/s"}, 1.0),
    ],
)
def test_an_amount_is_turned_to_the_unit_that_is_kept(typed: str, options: dict[str, Any], found: float | None) -> None:
    value, _ = clean("quantity", typed, **options)
    assert value == (None if found is None else pytest.approx(found))


def test_the_parts_of_a_health_card_are_told() -> None:
    assert health_card_parts("DN4707001234567") == {"group": "DN", "benefit": "4", "province": "70", "number": "7001234567"}
    assert health_card_parts("7001234567") == {"number": "7001234567"}


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("0912345678 / 0651.3812345", "0912345678"),
        ("(+84) 912.345.678", "0912345678"),
        ("84912345678", "0912345678"),
        ("01652345678", "0352345678"),
        ("+84 165 234 5678", "0352345678"),
        ("0084-912-345-678", "0912345678"),
        ("912345678.0", "0912345678"),
        ("0271 3888 999", "02713888999"),
    ],
)
def test_phones_as_people_write_them(typed: str, found: str) -> None:
    assert clean("phone", typed)[0] == found
    assert STANDARDS["phone"].clean_column(pl.Series([typed]), {}).values.to_list() == [found]


@pytest.mark.parametrize(
    ("typed", "found"), [("12-345", "25195-12-345"), ("tờ số 07, thửa số 89", "25195-7-89"), ("25200-1-2", "25200-1-2")]
)
def test_a_parcel_without_its_commune_takes_the_one_the_contract_names(typed: str, found: str) -> None:
    assert clean("parcel_id", typed, commune="25195")[0] == found


def test_a_person_may_be_insured_under_the_number_of_the_person() -> None:
    assert clean("insurance_no", "070090123456") == (None, "insurance_no.shape")
    assert clean("insurance_no", "070090123456", accept_citizen_id=True) == ("070090123456", None)


@given(st.integers(0, 10**10 - 1), st.sampled_from(["", "001", "-001", "000"]))
def test_tax_codes_at_bulk_speed_are_those_the_rule_lets_pass(number: int, branch: str) -> None:
    typed = [
        f"{number:010}{branch}",
        f"{number:010}"[:9]
        + str((10 - sum(int(d) * w for d, w in zip(f"{number:010}", (31, 29, 23, 19, 17, 13, 7, 5, 3), strict=False)) % 11) % 10),
    ]
    column = STANDARDS["tax_code"].clean_column(pl.Series(typed), {})
    assert column.values.to_list() == [clean("tax_code", one)[0] for one in typed]


@pytest.mark.parametrize("name", LISTS)
def test_every_name_and_code_of_a_list_is_read_as_its_own_entry(name: str) -> None:
    standard = STANDARDS[LISTS[name][0]]
    for entry in entries(name):
        others = {other.code: other.name for other in entries(name) if other.valid_from == entry.valid_from}
        written = pl.Series([entry.code, entry.name, *entry.spellings])
        found = standard.clean_column(written, {}, pl.Series([entry.valid_from] * len(written))).values.to_list()
        same = {code for code, title in others.items() if title == entry.name}
        assert found[0] == entry.code
        assert found[1] is None or found[1] in same  # where several of one name are not one below another, the choice stays open
        assert found[1] is not None or len(same) > 1
        assert found[2:] == [entry.code] * len(entry.spellings)
        assert not entry.parent or entry.parent in others


def test_the_industries_of_2025_are_there_to_the_last_level() -> None:
    counted = Counter("1" if e.code.isalpha() else str(len(e.code)) for e in entries("industries") if e.valid_to is None)
    assert [counted[level] for level in "12345"] == [22, 87, 259, 495, 743]  # annex I of Decision 36/2025/QĐ-TTg


@pytest.mark.parametrize(
    ("written", "before", "since"),
    [
        ("J", ("J", None), ("J", None)),  # information and communication; publishing and broadcasting
        ("Giáo dục và đào tạo", ("P", None), ("Q", None)),
        ("Thông tin và truyền thông", ("J", None), ("J", "code_list.other_date")),
        ("V", ("V", "code_list.other_date"), ("V", None)),
        ("45", ("45", None), ("45", "code_list.other_date")),
        ("45111", ("45111", "code_list.deeper"), ("45111", "code_list.other_date")),
        ("01110", ("01110", "code_list.deeper"), ("01110", None)),
        ("01310", ("01310", "code_list.deeper"), ("01310", "code_list.other_date")),
        ("Hoạt động thú y", ("75", None), ("75", None)),
        ("Nuôi tôm", (None, "code_list.ambiguous"), (None, "code_list.ambiguous")),
        ("04", (None, "code_list.unknown"), (None, "code_list.unknown")),
    ],
)
def test_an_industry_is_read_in_the_edition_of_its_row(
    written: str, before: tuple[str | None, str | None], since: tuple[str | None, str | None]
) -> None:
    days = pl.Series([date(2025, 11, 14), date(2025, 11, 15), date(2010, 1, 1), None])
    found = STANDARDS["industry"].clean_column(pl.Series([written] * 4), {}, days)
    told = list(zip(found.values.to_list(), found.problems.to_list(), strict=True))
    assert told == [before, since, before, since]  # what has no day is read in the edition that stands


def test_a_code_of_the_list_of_2008_names_another_group_where_the_contract_says_so() -> None:
    assert clean("ethnic_group", "06") == ("06", None)  # Mường in 1979
    assert clean("ethnic_group", "06", edition="2008") == ("04", None)  # Hoa in 2008
    assert clean("ethnic_group", "Mường", edition="2008") == ("06", None)
    assert clean("ethnic_group", "33", edition="2008") == (None, "code_list.unknown")


def test_an_entry_added_to_a_list_later_than_the_row_is_told() -> None:
    found = STANDARDS["religion"].clean_column(
        pl.Series(["14", "14", "01"]), {}, pl.Series([date(2013, 1, 1), date(2015, 1, 1), date(1990, 1, 1)])
    )
    assert found.problems.to_list() == ["code_list.other_date", None, None]


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("Trònh Ngoïc Ngaân", "Trịnh Ngọc Ngân"), ("Beá Thò Anh Haèng", "Bế Thị Anh Hằng"), ("NGUYEÃN VAÊN BÌNH", "Nguyễn Văn Bình"),
        ("NguyÔn Duy Léc", "Nguyễn Duy Lộc"), ("TrÇn Thuû", "Trần Thuỷ"), ("Vâ Minh Huy", "Võ Minh Huy"),
    ],
)  # fmt: skip
def test_a_name_of_an_old_font_is_repaired_though_some_words_are_syllables_either_way(written: str, name: str) -> None:
    assert PERSON_NAME.clean(written, {}) == Cleaned(name, "person_name.font")
    assert PERSON_NAME.clean_column(pl.Series([written]), {}).values.to_list() == [name]


@pytest.mark.parametrize(
    "name", ["Lê Zoë", "Lê Noël", "Võ Noé", "Lê Thò Mai", "Y Blô Niê", "H'Blaê Niê", "Hoà Hoá", "Bùi Thuý", "Điểu Krơ"]
)
def test_a_name_of_today_is_never_taken_for_one_of_an_old_font(name: str) -> None:
    assert PERSON_NAME.clean(name, {}).value == name


@given(st.text(st.sampled_from("aAăẵÂđĐêỹYyn ß'.\u0301\u0323İıK1\n") | st.characters(), max_size=20))
def test_letters_without_marks_are_what_unicode_s_decomposition_leaves(text: str) -> None:
    plain = unicodedata.normalize("NFD", text.casefold())
    assert without_marks(text) == "".join(each for each in plain if not unicodedata.combining(each)).replace("đ", "d")
