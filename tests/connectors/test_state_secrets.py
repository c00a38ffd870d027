"""A document stamped as a state secret stays out; the words for molasses and for a density do not keep a table out."""

from __future__ import annotations

from pathlib import Path

import pytest
import xlsxwriter

from lienthong.connectors.state_secrets import stamp_among
from lienthong.errors import HostileInputError
from tests.connectors.reading import make_source, read_all

TABLE = [["Mã", "Mặt hàng", "Số"], ["01", "Mật", "12"], ["02", "MẬT", "7"]]


def workbook(path: Path, above: list[list[str]]) -> Path:
    book = xlsxwriter.Workbook(str(path))
    sheet = book.add_worksheet("a")
    for number, row in enumerate([*above, *TABLE]):
        sheet.write_row(number, 0, row)
    book.close()
    return path


@pytest.mark.parametrize("stamp", ["MẬT", "TỐI MẬT", "TUYỆT MẬT", "Độ mật: MẬT".upper(), " TỐI  MẬT "])
def test_a_stamped_document_is_refused_by_its_name_and_its_stamp(tmp_path: Path, stamp: str) -> None:
    path = workbook(tmp_path / "a.xlsx", [["UBND TỈNH MẪU", "", stamp], ["Biểu số liệu"]])
    with pytest.raises(HostileInputError, match="state secrets stay out") as refused:
        read_all(make_source("excel_file", path, header_rows="found"))
    assert "a.xlsx" in str(refused.value)
    assert "không tiếp nhận bí mật nhà nước" in refused.value.facts["vi"]
    text = tmp_path / "a.csv"
    text.write_text(f"UBND TỈNH MẪU;;{stamp}\n" + "".join(";".join(row) + "\n" for row in TABLE), encoding="utf-8")
    with pytest.raises(HostileInputError, match="state secrets stay out"):
        read_all(make_source("csv_file", text, header_row=2, delimiter=";"))


def test_words_of_a_table_are_no_stamp(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", [["Mật độ dân số và sản lượng mật"], ["(không mật)"]])
    assert [row["Mặt hàng"] for row in read_all(make_source("excel_file", path, header_rows="found")).rows] == ["Mật", "MẬT"]
    assert stamp_among(["Mật", "mật", "BẢO MẬT", "MẬT ONG", None, ""]) is None
