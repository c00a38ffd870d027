"""No number in the province can belong to anyone: each lies in a range that is never issued."""

from __future__ import annotations

import json
import re

import polars as pl
from stdnum.vn import mst

from tests.demo.conftest import Province

CITIZEN_ID = re.compile(r"09[789][0-3]\d{8}")
WRITTEN = r"^(09[789]\d{9}|9[789]\d{9}|00\d{7}|\d{1,7})$"  # whole, zero lost, old number, zeros of that lost
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
    delivered = pl.read_csv(province.folder / "bao-hiem-y-te/the-2026-06.csv", separator=";", infer_schema=False)
    written = delivered["Số CCCD/CMND"].drop_nulls()
    assert written.str.contains(WRITTEN).all()


def test_ids_of_services_stay_in_impossible_ranges(province: Province) -> None:
    folder = province.folder / "dich-vu"
    for path in sorted(folder.glob("*.json")):
        rows = json.loads(path.read_text("utf-8"))
        ids = [value for row in rows for name, value in row.items() if name.startswith("so_dinh_danh") and value]
        assert rows
        assert [value for value in ids if re.fullmatch(WRITTEN[1:-1], value) is None] == [], path.name
        numbers = [row.get("so") or row.get("so_ho_so") for row in rows]
        assert all(number is None or ".TEST" in number for number in numbers), path.name
        assert all(row["ma_so_bhxh"].startswith("99") for row in rows if "ma_so_bhxh" in row)


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
