"""A data officer's story: a district's workbook, from the file as it lies to a published dataset, by commands alone, no YAML written by hand."""

from __future__ import annotations

from pathlib import Path

import openpyxl
import psycopg
import pytest
from typer.testing import CliRunner

from lienthong.cli import words
from lienthong.cli.main import app
from tests.acceptance.messy import rows_of, write_messy

RUN = CliRunner()
ID = "lao-dong.ho-duoc-ho-tro"
TABLE = "data.lao_dong_ho_duoc_ho_tro"


class Officer:
    """Somebody at a terminal, in a home of their own."""

    def __init__(self, url: str) -> None:
        self.url = url

    def says(self, *typed: str, code: int = 0, answers: str | None = None) -> str:
        done = RUN.invoke(app, ["--lang", "en", *typed], input=answers)
        assert done.exit_code == code, f"{typed}: {done.exit_code} {done.exception!r}\n{done.output}"
        return done.output

    def sees(self, columns: str, where: str = "true") -> list[tuple[object, ...]]:
        with psycopg.connect(self.url) as connection:
            return connection.execute(f"select {columns} from {TABLE} where {where} order by _key").fetchall()


@pytest.fixture
def officer(tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Officer:
    for name, value in {"HOME": tmp_path / "home", "DATASETS": tmp_path / "datasets", "DATABASE_URL": database_url, "ACCEPT_SYNTHETIC_IDS": "true", "AGREEMENTS": tmp_path / "agreements", "INDICATORS": tmp_path / "indicators", "LOG_LEVEL": "ERROR"}.items():  # fmt: skip
        monkeypatch.setenv(f"LIENTHONG_{name}", str(value))
    monkeypatch.setattr(words.out, "_width", 300)
    return Officer(database_url)


def test_a_messy_workbook_becomes_a_published_dataset(officer: Officer, tmp_path: Path) -> None:
    """One story, told in order."""
    # The workbook as the district keeps it: titles, merged headings, totals, units, dates of every kind, lost zeros, and two wrong rows.
    rows = rows_of()
    rows[3][4], rows[8][3] = "31/02/1990", "12"
    book = write_messy(tmp_path / "ho.xlsx", rows)

    # A contract is proposed with what speaks for it; three things are asked that no file says.
    told = officer.says("contract", "new", str(book), "--id", ID, answers="Hộ được hỗ trợ\nH10.12\n\n")
    assert "6 values: lost leading zeros were put back" in told
    assert "The heading states the unit “triệu đồng”" in told
    assert "The heading speaks of personal data" in told

    # Looked at before anything is kept, then put in better words.
    assert "2 would wait" in officer.says("contract", "preview", ID)
    officer.says("contract", "edit", ID, "ho_va_ten_chu_ho", "--name", "full_name", "--title-en", "Full name of the head")
    officer.says("contract", "edit", ID, "dia_chi", "--add", "--title", "Địa chỉ", "--level", "personal", "--mapping", 'join(", ", [Địa chỉ / Ấp], [Địa chỉ / Xã])')  # fmt: skip
    contract = str(tmp_path / "datasets" / "lao-dong" / "ho-duoc-ho-tro" / "contract.yaml")
    plan = officer.says("contract", "plan", contract)
    digest = plan.split("Plan ")[1][:16]
    officer.says("contract", "edit", ID, "note", "--title", "Ghi chú thêm")
    assert "no longer holds" in str(RUN.invoke(app, ["--lang", "en", "contract", "apply", contract, "--plan", digest]).exception)
    digest = officer.says("contract", "plan", contract).split("Plan ")[1][:16]
    assert "tables are made" in officer.says("contract", "apply", contract, "--plan", digest)

    # Taken in: 28 rows are published, 2 wait; totals and signatures were no rows.
    assert "published" in officer.says("run", ID)
    assert len(officer.sees("1")) == 28
    seen = officer.sees("so_cccd, kinh_phi_ho_tro, loai_ho, dia_chi, born_on::text", "ma_ho = 'LN0005'")
    assert seen == [("097165000005", 2_500_000, "cận nghèo", "Ấp 2, Xã Lộc Hưng", "1980-03-07")]

    # What waits is mended in Excel and brought back.
    mended = tmp_path / "sua.xlsx"
    officer.says("quarantine", "workbook", ID, "--to", str(mended))
    waiting = openpyxl.load_workbook(mended)
    sheet = waiting.active
    headings = {str(cell.value): cell.column for cell in sheet[1]}
    for row in range(2, sheet.max_row + 1):
        if sheet.cell(row, headings["Ngày sinh"]).value == "31/02/1990":
            sheet.cell(row, headings["Ngày sinh"]).value = "28/02/1990"
        else:
            sheet.cell(row, headings["Số CCCD"]).value = "097160000777"
    waiting.save(mended)
    assert "2 rows went through" in officer.says("quarantine", "mend", ID, str(mended))
    assert len(officer.sees("1")) == 30

    # A form for what comes next, filled in and taken in.
    form = tmp_path / "mau.xlsx"
    officer.says("contract", "template", ID, str(form))
    filled = openpyxl.load_workbook(form)
    data = filled["Dữ liệu"]
    names = [cell.value for cell in data[1]]
    filled_in = {"ma_ho": "LN0099", "full_name": "Lê Văn Mới", "so_cccd": "097099000099", "born_on": "1/7/1999", "dat_o_m2": "120,5", "dat_nong_nghiep_ha": "2", "kinh_phi_ho_tro": "1,5", "loai_ho": "Nghèo", "ap": "Ấp 9", "xa": "Xã Lộc Thái", "dia_chi": "Ấp 9, Xã Lộc Thái"}  # fmt: skip
    for name, value in filled_in.items():
        data.cell(4, names.index(name) + 1).value = value
    filled.save(form)
    officer.says("run", "file", ID, str(form))
    assert officer.sees("so_cccd, dat_o_m2, kinh_phi_ho_tro, loai_ho", "ma_ho = 'LN0099'") == [("097099000099", 120.5, 1_500_000, "nghèo")]

    # A field is to go: that breaks readers, so it begins with a notice, and until it ends both versions are there.
    officer.says("contract", "edit", ID, "xa", "--drop", "--raise", "major")
    assert "property.removed" in officer.says("contract", "diff", ID, contract, code=4)
    assert "holds values" in str(RUN.invoke(app, ["--lang", "en", "contract", "apply", contract]).exception)
    assert "both versions are answered" in officer.says("contract", "apply", contract, "--notice", "--reason", "Đã có trong địa chỉ")
    assert "unchanged" in officer.says("contract", "apply", contract)
    officer.says("run", "again", ID)
    assert officer.sees("xa", "ma_ho = 'LN0005'") == [("Xã Lộc Hưng",)]
    assert "holds" in officer.says("ledger", "verify")
