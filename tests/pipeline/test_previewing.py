"""A preview says what would come of each cell and why rows would wait, and writes nothing."""

from __future__ import annotations

import io
from pathlib import Path

import openpyxl
import pytest

from lienthong.contracts import build
from lienthong.contracts.mapping import read_mapping
from lienthong.pipeline import drafting
from lienthong.pipeline.previewing import preview
from lienthong.quality.drafting import document_of
from lienthong.reports.previews import preview_workbook
from tests.acceptance.messy import rows_of, write_messy
from tests.factories import make_contract, make_property


@pytest.fixture(scope="module")
def workbook(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rows = rows_of()
    rows[3][4] = "31/02/1990"
    rows[4][3] = "12"
    rows[5][2] = "=1+1"
    return write_messy(tmp_path_factory.mktemp("messy") / "ho.xlsx", rows)


def test_cells_stand_as_they_came_and_as_they_become(workbook: Path) -> None:
    made = drafting.propose_from(workbook, "thu.ho", "H10.12", "Hộ", location=str(workbook))
    found = preview(None, build(document_of(made), made.id), most=20)
    names = [p.name for p in found.contract.properties]
    first = dict(zip(names, found.rows[0].cells, strict=True))
    assert (found.rows[0].source_row, first["born_on"].came, first["born_on"].cleaned) == (9, "1975-11-12", "12/11/1975")
    assert (first["kinh_phi_ho_tro"].came, first["kinh_phi_ho_tro"].cleaned) == ("1.5", "1.500.000 đ")
    waiting = [row.source_row for row in found.rows if row.waits]
    assert found.waiting == len(waiting) == 3
    assert {issue["column_name"] for issue in found.issues} >= {"born_on", "so_cccd"}


def test_the_cells_of_a_mapping_stand_together_and_strange_columns_are_named(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("Mã,Họ,Tên,Lạ\n1,Lê,An,x\n2,\n", "utf-8")
    name = make_property("full_name", mapping=read_mapping('join(" ", [Họ], [Tên])'))
    contract = make_contract(
        str(tmp_path / "a.csv"), properties=[make_property("code", key_position=1, required=True, source_names=("Mã",)), name]
    )
    found = preview(None, contract)
    assert [(c.came, c.cleaned) for c in found.rows[0].cells] == [("1", "1"), ("Lê | An", "Lê An")]
    assert found.extra == ("Lạ",)
    assert (found.rows[1].cells, found.rows[1].waits) == ((), True)  # a row that is none


def test_the_workbook_holds_texts_alone_and_marks_what_is_wrong(workbook: Path) -> None:
    made = drafting.propose_from(workbook, "thu.ho", "H10.12", "Hộ", location=str(workbook))
    book = openpyxl.load_workbook(io.BytesIO(preview_workbook(preview(None, build(document_of(made), made.id)))))
    sheet = book["Xem trước"]
    assert sheet.max_row == 31
    assert not any(cell.data_type == "f" for row in sheet.iter_rows() for cell in row)
    comments = [cell.comment.text for row in sheet.iter_rows() for cell in row if cell.comment is not None]
    assert any("A day of the calendar" in text for text in comments)
