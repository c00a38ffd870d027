"""Documents of a filing, read back by other programs: what they print is what was frozen, and the same filing gives the same bytes."""

from __future__ import annotations

import io
import shutil
import subprocess
from pathlib import Path
from typing import Any

import docx
import openpyxl
import pytest
from openpyxl.workbook.defined_name import DefinedName

from lienthong.contracts.indicators import Form, FormTable
from lienthong.errors import SourceError
from lienthong.reports.documents import fill_form, make_docx, make_pdf, make_xlsx, read_form
from lienthong.reports.documents.making import total_told, vietnamese
from lienthong.reports.documents.workbook import number_typed
from lienthong.reports.filing import control_total, digest_of

ADDRESS = "https://du-lieu.example.vn/figures/0123456789abcdef"
PLACES = [("25195", "Phường Bình Phước", 1234.5), ("25201", "Xã Đăk Ơ", 8.5)]
ROWS = [
    ("people", "Người <đang> ở & “khác”", 1243.0, 1000.0, None),
    ("share", "Tỷ lệ", 8.52, None, 7.1),
    ("none", "=1+1", None, None, None),
]
FORM = Form({"dan_so": "people", "Biểu 1!C3": "share"}, FormTable("Biểu 1", 6, "B", {"C": "people"}))


def facts() -> dict[str, Any]:
    rows = [
        {
            "n": n, "indicator": id, "title": title, "unit": "người", "decimals": 2, "owner": "H10.12", "period": "2026-Q3", "period_title": "quý III năm 2026",
            "total": total, "target": target, "year_before": before, "state": "final", "state_title": "chính thức", "figure": n, "revision": 1,
        }
        for n, (id, title, total, target, before) in enumerate(ROWS, 1)
    ]  # fmt: skip
    places = [
        {"n": n, "code": code, "name": name, "total": total, "is_estimated": n == 2} for n, (code, name, total) in enumerate(PLACES, 1)
    ]
    table = {
        "indicator": "people", "title": "Người", "unit": "người", "decimals": 2, "period_title": "quý III năm 2026", "figure": 1, "borders_on": "2026-09-30",
        "rows": places, "row_count": len(places), "control_total": control_total(row["total"] for row in places), "total": 1243.0,
    }  # fmt: skip
    return {
        "report": "quarterly", "title": "Báo cáo", "about": "Số liệu quý III năm 2026", "period": "2026-Q3", "period_title": "quý III năm 2026",
        "begins_on": "2026-06-15", "last_day": "2026-09-14", "agency": "H10.01", "agency_name": "Ủy ban nhân dân tỉnh", "parent_name": "", "sign": "BC-UBND",
        "place": "Bình Phước", "made_on": "2026-09-20", "opening": "Thực hiện chế độ báo cáo.", "receivers": ["Văn phòng Chính phủ;", "Lưu: VT."],
        "authority": "TM. Ủy ban nhân dân", "signer_title": "Chủ tịch", "signer_name": "", "definition": "d", "rows": rows, "row_count": len(rows),
        "control_total": control_total(row["total"] for row in rows), "tables": [table],
    }  # fmt: skip


FACTS = facts()
DIGEST = digest_of(FACTS)
SAID = [
    "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM", "Độc lập - Tự do - Hạnh phúc", "BC-UBND", "ngày 20 tháng 09 năm 2026", "BÁO CÁO", "Nơi nhận:",
    "1.243,00", "1.234,50", "8,52", "Số dòng: 3. Tổng kiểm tra (số chưa làm tròn): 1.251,52.", "Số dòng: 2. Tổng kiểm tra (số chưa làm tròn): 1.243.", "Xã Đăk Ơ",
]  # fmt: skip


@pytest.mark.parametrize("make", [make_pdf, make_docx, make_xlsx])
def test_the_same_filing_gives_the_same_bytes(make: Any) -> None:
    assert make(FACTS, ADDRESS, DIGEST) == make(facts(), ADDRESS, DIGEST)
    assert make({**FACTS, "made_on": "2026-09-21"}, ADDRESS, DIGEST) != make(FACTS, ADDRESS, DIGEST) or make is make_xlsx


def test_a_pdf_says_what_was_frozen(tmp_path: Path) -> None:
    if shutil.which("pdftotext") is None:
        pytest.skip("pdftotext is not installed (Debian's package `poppler-utils`)")
    path = tmp_path / "bao-cao.pdf"
    path.write_bytes(make_pdf(FACTS, ADDRESS, DIGEST))
    text = subprocess.run(["pdftotext", "-layout", path, "-"], capture_output=True, text=True, check=True).stdout
    assert [said for said in SAID if said not in " ".join(text.split())] == []
    fonts = subprocess.run(["pdffonts", path], capture_output=True, text=True, check=True).stdout
    assert {line.split()[0].partition("+")[2].partition("-")[0] for line in fonts.splitlines()[2:]} == {"Tinos"}
    assert all(" yes yes yes " in line for line in fonts.splitlines()[2:])  # embedded, a subset, with its letters
    size = subprocess.run(["pdfinfo", path], capture_output=True, text=True, check=True).stdout
    assert "(A4)" in size


def test_a_word_document_says_what_was_frozen() -> None:
    found = docx.Document(io.BytesIO(make_docx(FACTS, ADDRESS, DIGEST)))
    parts = [paragraph.text for paragraph in found.paragraphs]
    parts += [paragraph.text for table in found.tables for row in table.rows for cell in row.cells for paragraph in cell.paragraphs]
    text = " ".join(" ".join(parts).split())
    assert [said for said in [*SAID, ADDRESS, DIGEST, "Người <đang> ở & “khác”"] if said not in text] == []
    assert "{{" not in text
    assert "{%" not in text
    assert (round(found.sections[0].page_width.mm), round(found.sections[0].page_height.mm)) == (210, 297)  # type: ignore[union-attr]
    assert len(found.inline_shapes) == 1  # the code that leads to the figures


def test_a_workbook_s_rows_add_up_to_its_control_total() -> None:
    book = openpyxl.load_workbook(io.BytesIO(make_xlsx(FACTS, ADDRESS, DIGEST)))
    assert book.sheetnames == ["Chỉ tiêu", "Phụ lục 1"]
    rows = [row for row in book["Chỉ tiêu"].iter_rows(min_row=4, values_only=True) if isinstance(row[0], int)]
    assert len(rows) == FACTS["row_count"]
    assert sum(row[5] for row in rows if row[5] is not None) == pytest.approx(FACTS["control_total"])
    said = [row[0] for row in book["Chỉ tiêu"].iter_rows(values_only=True) if isinstance(row[0], str)]
    assert {"Số dòng: 3", f"Tổng kiểm tra (số chưa làm tròn): {total_told(FACTS['control_total'])}"} <= set(said)
    assert book["Chỉ tiêu"]["B6"].value == "=1+1"


def own_form() -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "Biểu 1"
    sheet.merge_cells("A1:D1")
    sheet["A1"] = "BIỂU SỐ 1"
    sheet.merge_cells("C2:D2")
    sheet.merge_cells("A4:A5")
    sheet["A4"], sheet["B4"], sheet["C4"] = "STT", "Đơn vị", "Người"
    for row, (_, name, _) in enumerate(PLACES, 6):
        sheet.cell(row, 1, row - 5)
        sheet.cell(row, 2, name.upper() if row == 6 else name)
    sheet.merge_cells("A8:B8")
    sheet["A8"] = "Tổng cộng"
    sheet["A11"] = "Người lập biểu"
    book.defined_names["dan_so"] = DefinedName("dan_so", attr_text="'Biểu 1'!$C$2")
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def test_an_agency_s_own_form_is_filled_and_stays_as_it_is() -> None:
    filled = fill_form(own_form(), FORM, FACTS)
    assert filled == fill_form(own_form(), FORM, FACTS)
    sheet = openpyxl.load_workbook(io.BytesIO(filled))["Biểu 1"]
    assert (sheet["C2"].value, sheet["C3"].value) == (1243.0, 8.52)
    assert [sheet[f"C{row}"].value for row in (6, 7, 8)] == [1234.5, 8.5, 1243.0]
    assert (sheet["A1"].value, sheet["A11"].value) == ("BIỂU SỐ 1", "Người lập biểu")
    assert "A1:D1" in {str(each) for each in sheet.merged_cells.ranges}


def test_a_unit_that_changed_its_kind_is_found_where_its_name_means_one() -> None:
    book = openpyxl.load_workbook(io.BytesIO(own_form()))
    book["Biểu 1"]["B7"] = "Phường Đăk Ơ"
    out = io.BytesIO()
    book.save(out)
    filled = openpyxl.load_workbook(io.BytesIO(fill_form(out.getvalue(), FORM, FACTS)))
    assert filled["Biểu 1"]["C7"].value == 8.5


def test_a_filled_form_reads_back_as_it_was_filled() -> None:
    found = read_form(fill_form(own_form(), FORM, FACTS), FORM)
    assert found.errors == ()
    assert found.cells == {"people": 1243.0, "share": 8.52}
    assert found.rows == {"people": {"PHƯỜNG BÌNH PHƯỚC": 1234.5, "Xã Đăk Ơ": 8.5}}
    assert (found.row_count, found.total_rows) == (2, 1)


def test_what_people_type_is_understood_and_what_is_wrong_is_told_by_its_cell() -> None:
    book = openpyxl.load_workbook(io.BytesIO(fill_form(own_form(), FORM, FACTS)))
    sheet = book["Biểu 1"]
    sheet["C2"], sheet["C3"], sheet["C6"], sheet["C7"], sheet["C8"] = "1.243", "8,5", "khoảng 100", "1.234,5", 9_000
    out = io.BytesIO()
    book.save(out)
    found = read_form(out.getvalue(), FORM)
    assert found.cells == {"people": 1243.0, "share": 8.5}
    assert found.rows == {"people": {"Xã Đăk Ơ": 1234.5}}
    assert {each.cell for each in found.errors} == {"C6", "C8"}
    assert next(each.found for each in found.errors if each.cell == "C6") == "khoảng 100"


@pytest.mark.parametrize(
    ("text", "number"),
    [("8,5", 8.5), ("1.234,5", 1234.5), ("1.234", 1234.0), ("8.5", 8.5), ("-3", -3.0), ("12 %", 12.0), ("1,234.5", None), ("tám", None), (True, None), ("1e9", None)],
)  # fmt: skip
def test_a_number_is_read_as_it_is_typed_in_vietnam(text: Any, number: float | None) -> None:
    assert number_typed(text) == number


def test_a_number_written_is_read_back() -> None:
    for value in (0.0, 8.5, 1234.5, -1234567.25, 0.01):
        assert number_typed(vietnamese(value, 2)) == value


def test_what_is_no_form_is_refused_in_words() -> None:
    with pytest.raises(SourceError, match="no workbook"):
        read_form(b"PK\x03\x04 not", FORM)
    with pytest.raises(SourceError, match="no cell `nothing`"):
        read_form(own_form(), Form({"nothing": "people"}))
