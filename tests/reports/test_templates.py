"""The form to fill in: it reads back what was written into it, its example is no row, nothing in it is a formula."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path

import openpyxl
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lienthong.connectors import ReadContext
from lienthong.connectors.template_layout import EXAMPLE, SHEET, template_options
from lienthong.contracts import Contract, Source
from lienthong.errors import ContractError, SourceError
from lienthong.pipeline import Workshop
from lienthong.pipeline.previewing import previewed, sample
from lienthong.pipeline.upload import take_file
from lienthong.reports.templates import template_workbook
from lienthong.synthetic import invent, written
from tests.factories import PEOPLE, contracts_of_the_province, make_contract, make_property, make_workshop

CONTRACTS = {c.id: c for c in contracts_of_the_province().values() if c.layer.value != "master"}


def put(path: Path, body: bytes) -> Path:
    path.write_bytes(body)
    return path


def read(path: Path, contract: Contract) -> pl.DataFrame:
    options = template_options(path, contract.id)
    assert options is not None
    return pl.DataFrame(pl.from_arrow(sample(Source("f", "excel_file", str(path), options=options), ReadContext(), 10_000).table))


def texts(rows: pl.DataFrame, contract: Contract) -> list[dict[str, str | None]]:
    """Invented rows as an officer would write them, by field."""
    by_heading = {(p.source_names or (p.name,))[0]: p.name for p in reversed(contract.properties)}
    shown = written(rows, contract)
    named = {by_heading[name]: shown[name].to_list() for name in shown.columns}
    return [{name: column[n] for name, column in named.items()} for n in range(rows.height)]


@pytest.mark.parametrize(
    "dataset", ["population.persons", "land.holders", "poor-households.members", "enterprises.register", "environment.readings"]
)
def test_invented_rows_come_back_equal(dataset: str, tmp_path: Path) -> None:
    contract = CONTRACTS[dataset]
    try:
        rows = invent(contract, 40, 7, date(2026, 1, 1))
    except ContractError:
        pytest.skip("no rows can be invented for it")
    path = put(tmp_path / "mau.xlsx", template_workbook(contract, texts(rows, contract)))
    options = template_options(path, contract.id)
    assert options is not None
    found = previewed(None, contract, sample(Source("f", "excel_file", str(path), options=options), ReadContext(), 100), "f")
    assert len(found.rows) == rows.height
    assert found.clean is not None
    kept = rows[[n for n, row in enumerate(found.rows) if not row.waits]]
    assert kept.height >= 0.9 * rows.height
    written_once = {heading: p.name for p in reversed(contract.properties) for heading in [(p.source_names or (p.name,))[0]]}
    for name in written_once.values():
        expected = kept[name].to_list()
        assert found.clean[name].to_list() == (pytest.approx(expected, abs=1e-6) if rows[name].dtype == pl.Float64 else expected), name


ODD = st.text(st.characters(codec="utf-8", exclude_characters="\r\n\t", exclude_categories=("Cc", "Cs", "Cn")), min_size=1, max_size=12)
VALUES = st.one_of(
    st.none(),
    ODD,
    st.sampled_from(
        ["00123", "=1+1", "+84", "-3", "@x", "1,5", "1.234", "31/12/2025", "9.7E+10", "TRUE", "#lienthong", "  x", "=cmd|' /C calc'!A0"]
    ),
)
PLAIN = make_contract(properties=[make_property("code", key_position=1, required=True), make_property("a"), make_property("b", "number")])


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cells=st.lists(st.tuples(ODD.filter(lambda text: text.strip() and text.strip() != EXAMPLE), VALUES, VALUES), min_size=1, max_size=6))
def test_whatever_is_written_comes_back_as_it_is(cells: Sequence[tuple[str, str | None, str | None]], tmp_path: Path) -> None:
    rows: list[Mapping[str, str | None]] = [dict(zip(("code", "a", "b"), row, strict=True)) for row in cells]
    found = read(put(tmp_path / "mau.xlsx", template_workbook(PLAIN, rows)), PLAIN)
    assert found.rows() == [tuple(None if value is None else value for value in row) for row in cells]


def test_nothing_is_a_formula_and_every_cell_is_text() -> None:
    book = openpyxl.load_workbook(io.BytesIO(template_workbook(PLAIN, [{"code": "=1+1", "a": "=cmd|' /C calc'!A0", "b": "00"}])))
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row if cell.value is not None]
    assert {cell.data_type for cell in cells} == {"s"}
    assert all(cell.number_format == "@" for cell in book[SHEET][4] if cell.value is not None)
    assert book.sheetnames[0] == "Hướng dẫn"
    assert book[SHEET].row_dimensions[1].hidden


def test_a_form_has_lists_notes_and_instructions() -> None:
    contract = CONTRACTS["poor-households.members"]
    book = openpyxl.load_workbook(io.BytesIO(template_workbook(contract)))
    kinds = {validation.type for validation in book[SHEET].data_validations.dataValidation}
    assert "list" in kinds
    guide = [cell.value for row in book["Hướng dẫn"].iter_rows() for cell in row if cell.value]
    assert any("số 0 ở đầu không mất" in str(value) for value in guide)


def test_a_heading_says_in_which_unit_amounts_are_written() -> None:
    amount = make_property("Kinh phí", "integer", standard="money", standard_options={"factor": 1_000_000})
    sheet = openpyxl.load_workbook(io.BytesIO(template_workbook(make_contract(properties=(PEOPLE[0], amount)))))[SHEET]
    assert "Kinh phí (triệu đồng)" in [cell.value for cell in sheet[2]]
    assert any("2,5 triệu đồng" in str(each.prompt) for each in sheet.data_validations.dataValidation)


def test_an_example_that_was_written_over_is_refused_and_never_lost(tmp_path: Path) -> None:
    path = put(tmp_path / "mau.xlsx", template_workbook(PLAIN, [{"code": "1"}]))
    assert read(path, PLAIN)["code"].to_list() == ["1"]
    book = openpyxl.load_workbook(path)
    book[SHEET].cell(3, 2).value = "của tôi"
    book.save(path)
    with pytest.raises(SourceError, match=EXAMPLE):
        template_options(path, PLAIN.id)
    book[SHEET].cell(3, 1).value = None
    book.save(path)
    assert read(path, PLAIN)["code"].to_list() == ["của tôi", "1"]


def test_the_form_of_another_dataset_is_refused_and_any_other_workbook_is_none(tmp_path: Path) -> None:
    path = put(tmp_path / "mau.xlsx", template_workbook(PLAIN))
    with pytest.raises(SourceError, match=r"test\.people"):
        template_options(path, "test.others")
    book = openpyxl.Workbook()
    book.save(tmp_path / "khac.xlsx")
    assert template_options(tmp_path / "khac.xlsx", PLAIN.id) is None


def test_a_filled_form_comes_in_by_the_ordinary_road(database_url: str, tmp_path: Path) -> None:
    contract = make_contract()
    workshop: Workshop = make_workshop(database_url, contract)
    rows = [
        {"record_no": "007", "full_name": "Lê An", "born_on": "31/12/1999", "children": "2"},
        {"record_no": "8", "full_name": "x", "born_on": "31/02/1999"},
    ]
    path = put(tmp_path / "mau.xlsx", template_workbook(contract, rows))
    outcome = take_file(workshop, contract, path, is_whole=False, official="o")
    assert (outcome.rows_in, outcome.rows_published, outcome.rows_quarantined) == (2, 1, 1)
    with workshop.database.connect() as connection:
        assert connection.execute("select record_no, born_on::text from data.test_people").fetchall() == [("007", "1999-12-31")]
