"""No number in the province can belong to anyone: each lies in a range that is never issued."""

from __future__ import annotations

import json
import re

import polars as pl
from stdnum.vn import mst

from tests.demo.conftest import Province

CITIZEN_ID = re.compile(r"09[789][0-3]\d{8}")
PHONE = re.compile(r"06\d{8}")


def test_ten_thousand_persons_have_no_number_in_a_real_range(province: Province) -> None:
    persons = province.truth("persons").sample(10_000, seed=3)
    assert persons["citizen_id"].str.contains(f"^{CITIZEN_ID.pattern}$").all()
    assert persons["insurance_no"].str.contains(r"^99\d{8}$").all()
    assert persons["phone"].str.contains(f"^{PHONE.pattern}$").all()


def test_ids_tell_sex_century_and_year_truly(province: Province) -> None:
    persons = province.truth("persons")
    century = pl.when(pl.col("born_on").dt.year() >= 2000).then(2).otherwise(0) + pl.when("is_male").then(0).otherwise(1)
    year = pl.col("born_on").dt.strftime("%y")
    assert persons.select((pl.col("citizen_id").str.slice(3, 3) == pl.concat_str(century.cast(pl.String), year)).all()).item()


def test_ids_are_unique(province: Province) -> None:
    persons = province.truth("persons")
    assert persons["citizen_id"].n_unique() == persons["insurance_no"].n_unique() == persons.height


def test_written_ids_stay_in_impossible_ranges(province: Province) -> None:
    delivered = pl.read_csv(province.folder / "bao-hiem-xa-hoi/tham-gia-2026-06.csv", separator=";", infer_schema=False)
    written = delivered["Số CCCD/CMND"].drop_nulls()
    assert written.str.contains(r"^(09[789]\d{9}|9[789]\d{9}|00\d{7}|\d{1,7})$").all()  # whole, zero lost, old number, zeros of that lost


def test_tax_codes_begin_with_zeros_and_have_right_check_digits(province: Province) -> None:
    codes = province.truth("enterprises")["tax_code"].to_list()
    assert all(code.startswith("00") and mst.is_valid(code) for code in codes)


def test_mail_goes_nowhere(province: Province) -> None:
    rows = json.loads((province.folder / "doanh-nghiep/doanh-nghiep.json").read_text("utf-8"))
    assert all(row["thu_dien_tu"].endswith(".example") for row in rows)


def test_licence_numbers_are_of_no_agency(province: Province) -> None:
    text = (province.folder / "giay-phep/giay-phep-2026-06.xml").read_text("utf-8")
    numbers = re.findall(r'so="([^"]+)"', text)
    assert numbers
    assert all(int(number.split("/")[0]) >= 900_000 and number.endswith(".TEST") for number in numbers)
