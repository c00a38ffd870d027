"""`lienthong match list` and `lienthong report …` as a person at a terminal uses them."""

from __future__ import annotations

import json
from pathlib import Path

import openpyxl
import pytest
from typer.testing import CliRunner

from lienthong.cli.main import app
from tests.reports.conftest import Index, Said
from tests.templates import ROOT

AN = {"full_name": "Lê An"}


@pytest.fixture
def terminal(index: Index, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> CliRunner:
    index.fill([Said("population.persons", 1, AN), Said("land.holders", 1, AN)])
    monkeypatch.setenv("LIENTHONG_DATABASE_URL", index.workshop.database.url)
    monkeypatch.setenv("LIENTHONG_DATASETS", str(ROOT / "datasets"))
    monkeypatch.setenv("LIENTHONG_HOME", str(tmp_path))
    return CliRunner()


def test_ten_rows_are_enough_for_a_list(terminal: CliRunner, tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text(
        "Họ và tên;Ngày sinh\n" + "Lê An;1/2/1980\n" * 2 + "".join(f"Người {n};3/4/19{50 + n}\n" for n in range(8)), encoding="utf-8"
    )
    done = terminal.invoke(app, ["match", "list", str(path), "--out", str(tmp_path / "out.xlsx")])
    assert done.exit_code == 0, done.output
    assert "10 dòng là 9 đối tượng" in done.output
    sheet = openpyxl.load_workbook(tmp_path / "out.xlsx")["Nhóm trùng"]
    assert [row[0].value for row in sheet.iter_rows(min_row=2)] == ["Lê An"] * 2


def test_the_reuse_meter_is_read_at_the_terminal(terminal: CliRunner) -> None:
    assert "1 giá trị đã có sẵn, 1 khớp" in terminal.invoke(app, ["report", "reuse", "--details"]).output
    assert json.loads(terminal.invoke(app, ["report", "reuse", "--json"]).output)["total"]["agree"] == 1


def test_the_index_is_read_at_the_terminal(terminal: CliRunner) -> None:
    assert "land.holders" in terminal.invoke(app, ["report", "index"]).output
    people = next(
        each for each in json.loads(terminal.invoke(app, ["report", "index", "--json"]).output)["entities"] if each["entity"] == "person"
    )
    assert (people["records"], people["golden_records"]) == (2, 1)
