"""What columns of a list without a contract are taken to be."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl
import pytest

from lienthong.masterdata.guess import guess_kinds, guesses, with_dates
from lienthong.masterdata.kinds import KINDS


def make_list(**columns: Sequence[str | None]) -> pl.DataFrame:
    return pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.String))


def test_vietnamese_headings_are_known() -> None:
    frame = pl.DataFrame(
        {
            "STT": ["1", "2"],
            "Họ và tên": ["Nguyễn Văn An", "Lê Thị Bình"],
            "Ngày sinh": ["01/02/1980", "1975"],
            "Số CCCD": ["040080000001", "040175000002"],
            "Giới tính": ["Nam", "Nữ"],
            "Địa chỉ thường trú": ["Thôn 1", "Thôn 2"],
            "Điện thoại": ["0912 345 678", "0987654321"],
            "Nghề nghiệp": ["Nông dân", "Thợ mộc"],
        }
    )
    assert guess_kinds(frame) == {
        "Họ và tên": "person_name",
        "Ngày sinh": "date",
        "Số CCCD": "identifier",
        "Giới tính": "category",
        "Địa chỉ thường trú": "address",
        "Điện thoại": "phone",
        "Nghề nghiệp": "category",
    }


@pytest.mark.parametrize(
    ("heading", "kind"),
    [
        ("givenName", "given_name"),
        ("first_name", "given_name"),
        ("LastName", "surname"),
        ("Họ", "surname"),
        ("full name", "person_name"),
        ("soc_sec_id", "identifier"),
        ("postcode_fake", "code"),
        ("birth_place", "text"),
        ("street_number", "number"),
        ("address_1", "address"),
        ("nameOfStreet", "address"),
        ("fname_c1", "given_name"),
        ("lname_c2", "surname"),
        ("given name 2", "given_name"),
    ],
)
def test_english_headings_are_known(heading: str, kind: str) -> None:
    assert guess_kinds(pl.DataFrame({heading: ["abc", "xyz"]}))[heading] == kind


@pytest.mark.parametrize("heading", ["rec_id", "unique_id", "cluster", "STT", "household_id", ""])
def test_numbers_of_rows_and_answers_are_left_out(heading: str) -> None:
    assert guess_kinds(pl.DataFrame({heading: [str(n) for n in range(100)]})) == {}


def test_a_birth_given_as_a_year_is_a_year() -> None:
    assert guess_kinds(pl.DataFrame({"Năm sinh": ["1980", "1975"]})) == {"Năm sinh": "year"}


def test_whole_names_under_the_heading_of_a_given_name_are_whole_names() -> None:
    assert guess_kinds(pl.DataFrame({"Tên": ["Nguyễn Văn An", "Lê Thị Bình"]})) == {"Tên": "person_name"}
    assert guess_kinds(pl.DataFrame({"Họ": ["Nguyễn Văn", "Lê"], "Tên": ["An", "Bình"]})) == {"Họ": "surname", "Tên": "given_name"}


@pytest.mark.parametrize(
    ("names", "beside", "kind"),
    [
        (["golden palace", "apple pan the", "uncle nicks", "steak house"], {"phone": ["0912345678"] * 4}, "text"),
        (["Công ty TNHH Hoa Mai", "Cty Sao Bắc", "HTX Bình Minh", "Abacus Ltd."], {}, "organisation_name"),
        (["Công ty Sao Bắc", "HTX Bình Minh", "Abacus Ltd.", "Chợ Mới"], {"mst": ["3800100200", "3800100201"] * 2}, "organisation_name"),
        (["Nguyễn Văn An", "Trần Thị Lan", "Lê Bình", "Smith John"], {}, "person_name"),
        (["NGUYEN VAN CO", "TRAN THI CO", "LE SA", "PHAM CO"], {}, "person_name"),
        (["mary jones", "ann lee smith", "bob o'neil", "kim park"], {"dob": ["1980-01-01", "1981-02-03"] * 2}, "person_name"),
        (["mary jones", "ann lee smith", "bob o'neil", "kim park"], {"sex": ["f", "f", "m", "m"]}, "person_name"),
    ],
)
def test_a_name_of_nobody_knows_whom_is_told_by_what_stands_below_and_beside_it(
    names: list[str], beside: dict[str, list[str]], kind: str
) -> None:
    frame = make_list(name=names * 6, **{column: values * 6 for column, values in beside.items()})
    assert guess_kinds(frame)["name"] == kind


def test_three_columns_of_a_birth_become_one() -> None:
    frame = with_dates(make_list(birth_day=["1", "31"], birth_month=["2", None], birth_year=["1980", "1975"]))
    assert frame["date_of_birth"].to_list() == ["1980-02-01", "1975"]
    assert frame.columns == ["date_of_birth"]


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (["14/3/1980", "1/2/1981"], ["1980-03-14", "1981-02-01"]),
        (["3/14/1980", "1/2/1981"], ["1980-03-14", "1981-01-02"]),
        (["1980/3/14", "1981.01.02"], ["1980-03-14", "1981-01-02"]),
        (["19800314", None], ["19800314", None]),
    ],
)
def test_dates_of_any_layout_are_read_year_first(written: list[str | None], read: list[str | None]) -> None:
    assert with_dates(make_list(dob=written))["dob"].to_list() == read


def test_empty_columns_and_lists_give_no_kinds() -> None:
    assert guess_kinds(make_list(name=[None, None], x=[None, ""])) == {}
    assert guess_kinds(make_list(name=[], dob=[])) == {}


def test_every_guess_is_a_known_kind_with_a_reason() -> None:
    frame = make_list(a=["x1", "y2"], dob=["1980-01-01", None], tel=["0912345678", None], q=["one two", "three four"])
    for guess in guesses(frame):
        assert guess.kind is None or guess.kind in KINDS
        assert guess.reason


def test_what_other_columns_say_already_is_not_compared_twice() -> None:
    people = [("mary", "jones"), ("ann lee", "smith"), ("bob", "o'neil"), ("kim", "park")]
    given, family = ([one[n] for one in people] for n in (0, 1))
    whole = [f"{a} {b}" for a, b in people]
    frame = make_list(
        full_name=[f"dr {name}" for name in whole], first_and_surname=whole, first_name=given, surname=family, city=["a", "b", "a", "b"]
    )
    assert guess_kinds(frame).keys() == {"first_name", "surname", "city"}
    reason = next(each.reason for each in guesses(frame) if each.column == "first_and_surname")
    assert reason == "says again what is in first_name, surname"


def test_a_vietnamese_name_written_whole_is_kept_and_its_parts_are_not() -> None:
    frame = pl.DataFrame({"Họ đệm": ["Nguyễn Văn", "Trần Thị"], "Tên": ["An", "Lan"], "Họ và tên": ["Nguyễn Văn An", "Trần Thị Lan"]})
    assert guess_kinds(frame) == {"Họ và tên": "person_name"}


def test_an_address_beside_its_number_and_street_is_not_compared_twice() -> None:
    frame = make_list(street_number=["12", "7"], street=["main road", "high street"], address=["12 main road", "7 high street"])
    assert "address" not in guess_kinds(frame)


def test_a_part_of_what_another_column_says_is_kept() -> None:
    frame = make_list(address=["12 main road springfield", "7 high street dover"], town=["springfield", "dover"])
    assert guess_kinds(frame).keys() == {"address", "town"}


def test_parts_of_a_birth_under_two_letters_become_one_date() -> None:
    frame = with_dates(make_list(by=["1967", "1941"], bm=["9", "12"], bd=["27", "3"]))
    assert frame["date_of_birth"].to_list() == ["1967-09-27", "1941-12-03"]


def test_a_year_of_birth_beside_the_whole_date_is_not_compared_twice() -> None:
    frame = make_list(**{"Ngày sinh": ["1967-09-27", "1941-12-03"], "Năm sinh": ["1967", "1941"]})
    assert guess_kinds(frame) == {"Ngày sinh": "date"}


def test_a_column_is_not_left_out_for_one_that_is_hardly_filled() -> None:
    phones = [f"09{n:08}" for n in range(100)]
    frame = make_list(phone=phones, phone_2=[*phones[:2], *[None] * 98], birth_year=["1980", "1975"] * 50, dob=["1980-01-02", *[None] * 99])
    assert guess_kinds(frame).keys() >= {"phone", "birth_year"}


def test_a_date_that_is_said_twice_is_read_the_same_twice_and_compared_once() -> None:
    written = ["1/5/1980", "3/14/1981", "12/25/1979"]
    frame = with_dates(make_list(dob=written, birth_date=written))
    assert frame["dob"].to_list() == frame["birth_date"].to_list() == ["1980-01-05", "1981-03-14", "1979-12-25"]
    assert len(guess_kinds(frame)) == 1
