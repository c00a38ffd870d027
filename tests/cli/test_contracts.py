"""Contracts at the terminal: begun from a file, looked at, changed; each command in a home of its own."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import cast

import openpyxl
import psycopg
import pytest
from typer.testing import CliRunner

from lienthong.cli import words
from lienthong.cli.main import app
from lienthong.contracts import Contract, load
from lienthong.errors import LienthongError
from tests.acceptance.messy import write_messy

RUN = CliRunner()
ID = "lao-dong.ho-ngheo"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LIENTHONG_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("LIENTHONG_DATASETS", str(tmp_path / "datasets"))
    write_messy(tmp_path / "ho.xlsx")
    return tmp_path


def run(*words: str, code: int = 0, typed: str | None = None) -> str:
    done = RUN.invoke(app, ["--lang", "en", "contract", *words], input=typed)
    assert done.exit_code == code, done.output + repr(done.exception)
    return done.output


def made(home: Path) -> Contract:
    return load(home / "datasets" / "lao-dong" / "ho-ngheo" / "contract.yaml")


def test_a_contract_is_begun_looked_at_and_changed_without_yaml(home: Path) -> None:
    run("new", str(home / "ho.xlsx"), "--id", ID, typed="Hộ nghèo\nH10.12\n\n")
    contract = made(home)
    assert (contract.title_vi, contract.agency, contract.sources[0].connector) == ("Hộ nghèo", "H10.12", "excel_file")
    assert contract.sources[0].options["sheet"] == "Biểu 01"
    assert "Nothing was kept" in run("preview", ID, "--rows", "5", "--xlsx", str(home / "xem.xlsx"))
    assert openpyxl.load_workbook(home / "xem.xlsx")["Xem trước"].max_row == 6
    run("edit", ID, "ho_va_ten_chu_ho", "--name", "full_name", "--title-en", "Full name")
    told = run(
        "edit", ID, "noi_o", "--add", "--level", "personal", "--mapping", 'join(", ", [Địa chỉ / Ấp], [Địa chỉ / Xã])', "--raise", "minor"
    )
    assert "property.added" in told
    run("edit", ID, "ap", "--drop")
    contract = made(home)
    assert contract.version == "1.1.0"
    assert "ap" not in [p.name for p in contract.properties]
    assert "Ấp 2, Xã Lộc Hưng" in run("preview", ID, "--rows", "2")


def test_a_connector_that_does_not_exist_is_told_before_anything_is_applied(home: Path) -> None:
    run("new", str(home / "ho.xlsx"), "--id", ID, "--agency", "H10.12", "--yes")
    path = home / "datasets" / "lao-dong" / "ho-ngheo" / "contract.yaml"
    path.write_text(path.read_text("utf-8").replace("excel_file", "excel_fil"), "utf-8")
    for target in (path, home / "datasets"):
        told = str(RUN.invoke(app, ["contract", "check", str(target)]).exception)
        assert "customProperties.sources[0].connector" in told
        assert "did you mean `excel_file`?" in told


def test_a_mapping_with_a_fault_is_told_and_nothing_is_changed(home: Path) -> None:
    run("new", str(home / "ho.xlsx"), "--id", ID, "--agency", "H10.12", "--yes")
    before = made(home)
    done = RUN.invoke(app, ["--lang", "en", "contract", "edit", ID, "note", "--mapping", "jion([a])"])
    assert done.exit_code == 1 or done.exception is not None
    assert made(home) == before
    assert [path.name for path in (home / "datasets" / "lao-dong" / "ho-ngheo").iterdir()] == ["contract.yaml"]


def test_several_files_are_one_source_and_a_list_without_a_key_asks_for_it(home: Path) -> None:
    folder = home / "xa"
    folder.mkdir()
    for n in (1, 2):
        (folder / f"{n}.csv").write_text("Màu,Vị\n" + "đỏ,ngọt\nđỏ,ngọt\n" * 3, "utf-8")
    files = [str(folder / "1.csv"), str(folder / "2.csv")]
    refused = RUN.invoke(app, ["--lang", "en", "contract", "new", *files, "--id", ID, "--agency", "H10.12", "--yes"])
    assert "--key" in str(refused.exception) + refused.output
    run("new", *files, "--id", ID, "--agency", "H10.12", "--key", "Màu,Vị", "--yes")
    contract = made(home)
    assert contract.sources[0].location.endswith("*.csv")
    assert [p.name for p in contract.key] == ["mau", "vi"]


def test_faults_are_told_in_vietnamese_with_what_to_do_next(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(words.Language, "english", False)
    (home / "m.csv").write_text("Màu,Vị\n" + "đỏ,ngọt\n" * 3, "utf-8")
    refused = RUN.invoke(app, ["contract", "new", str(home / "m.csv"), "--id", ID, "--agency", "H10.12", "--yes"])
    told = words.told(cast("LienthongError", refused.exception))
    assert "chưa trường nào là khóa" in told
    assert "nêu --key" in told
    assert "expected" not in told
    run("new", str(home / "m.csv"), "--id", ID, "--agency", "H10.12", "--key", "Màu", "--yes")
    monkeypatch.setattr(words.Language, "english", False)
    wrong = RUN.invoke(app, ["contract", "edit", ID, "vii", "--title", "Vị quả"])
    assert words.told(cast("LienthongError", wrong.exception)) == "Không có trường `vii`. có phải là `vi`?"


def test_an_archive_is_one_source_of_what_it_holds(home: Path) -> None:
    with zipfile.ZipFile(home / "xa.zip", "w") as archive:
        for n in (1, 2):
            archive.writestr(f"{n}.csv", f"Mã,Tên\n{n}1,An\n{n}2,Bình\n")
    told = run("new", str(home / "xa.zip"), "--id", ID, "--agency", "H10.12", "--yes")
    assert "2 files `*.csv`" in told
    source = made(home).sources[0]
    assert (source.connector, source.options) == ("csv_file", {"folder": {"member": "*.csv"}})
    assert "The first 4 rows" in run("preview", ID)
    assert "The first 4 rows" in run("preview", str(home / "xa.zip"))


def test_a_database_is_a_source_too_and_its_password_stays_outside(home: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with psycopg.connect(database_url) as connection:
        connection.execute("create table public.ho as select 'H' || n as ma, 'Lê An' as ten from generate_series(1, 8) as n")
    monkeypatch.setenv("LIENTHONG_SOURCE_HO", database_url)
    run(
        "new",
        "${HO}",
        "--connector",
        "sql_database",
        "--option",
        "table=public.ho",
        "--option",
        'key=["ma"]',
        "--id",
        ID,
        "--agency",
        "H10.12",
        "--yes",
    )
    contract = made(home)
    assert [p.name for p in contract.key] == ["ma"]
    assert contract.sources[0].location == "${HO}"
    assert "The first 8 rows: 0 would wait" in run("preview", ID)
