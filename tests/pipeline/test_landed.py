"""A landed row shown again: where it came from, every cell as it came, and what became of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from lienthong.contracts import Source
from lienthong.errors import NotFound, Unprocessable
from lienthong.pipeline import list_quarantine, run_dataset
from lienthong.pipeline.landed import key_typed, show_landed, states_of
from lienthong.standards import encode_legacy
from tests.factories import make_contract, make_workshop, write_people

NAMES = ["Nguyễn Thị Hồng", "Trần Văn Đức", "Lê Đình Khánh", "An"] * 30


def test_every_row_a_record_was_ever_made_of_is_shown_as_it_came(database_url: str, tmp_path: Path) -> None:
    contract = make_contract(str(tmp_path / "people.csv"))
    workshop = make_workshop(database_url, contract)
    write_people(tmp_path / "people.csv", [("P1", "  NGUYỄN  THỊ AN", "7/3/1980", 2), ("P2", "Trần Bình", "1981-03-07", 1)])
    first = run_dataset(workshop, contract)
    write_people(tmp_path / "people.csv", [("P2", "Trần Bình", "1981-03-07", 1), ("P1", "Nguyễn Thị An", "7/3/1980", 3)])
    second = run_dataset(workshop, contract)
    key = key_typed(workshop, contract, {"record_no": " P1 "})
    places = [(state.run_id, state.row_no, state.is_current) for state in states_of(workshop, contract, key)]
    assert places == [(second.run_id, 2, True), (first.run_id, 1, False)]
    then = show_landed(workshop, contract, first.run_id, 1)
    assert (then.key, then.source_row, then.broken, then.item) == ("P1", 2, None, None)
    assert then.file is not None
    assert then.file.uri.endswith("people.csv")
    cells = {cell.column: cell for cell in then.cells}
    assert cells["full_name"].came == "  NGUYỄN  THỊ AN"
    assert cells["full_name"].field == contract.property_named("full_name")
    assert (then.made["born_on"], then.made["children"]) == ("07/03/1980", "2")
    now = show_landed(workshop, contract, second.run_id, 2)
    assert now.made["children"] == "3"
    same = show_landed(workshop, contract, second.run_id, 1)
    assert (same.key, same.made, [state.run_id for state in same.states]) == ("P2", {}, [first.run_id]), "it changed nothing"


def test_a_line_that_waits_is_shown_with_why_and_what_stood_in_an_old_font_beside_what_it_was_read_as(
    database_url: str, tmp_path: Path
) -> None:
    typed = [encode_legacy(name.replace("Đ", "đ"), "tcvn3").decode("latin-1") for name in NAMES]
    write_people(tmp_path / "a.csv", [(f"P{n}", name, "1980-03-07" if n else "31/02/1980", 1) for n, name in enumerate(typed)])
    with (tmp_path / "a.csv").open("a", encoding="utf-8") as file:
        file.write("P999,lẻ loi\n")
    contract = make_contract(sources=[Source("files", "csv_file", str(tmp_path / "a.csv"), options={"fonts": {"full_name": "tcvn3"}})])
    workshop = make_workshop(database_url, contract)
    run = run_dataset(workshop, contract)
    wrong, broken = list_quarantine(workshop, contract.id)
    row = show_landed(workshop, contract, wrong.run_id, wrong.row_no)
    assert (row.key, row.item, row.states) == ("P0", (wrong.item_id, "waiting"), ())
    assert [issue["column"] for issue in row.issues] == ["born_on"]
    name = next(cell for cell in row.cells if cell.column == "full_name")
    assert (name.came, name.stood) == (NAMES[0], typed[0])
    assert "_typed:full_name" not in [cell.column for cell in row.cells]
    line = show_landed(workshop, contract, broken.run_id, broken.row_no)
    assert line.broken is not None
    assert line.broken.text == "P999,lẻ loi"
    assert (line.cells, line.key) == ((), None)
    plain = show_landed(workshop, contract, run.run_id, 4)
    assert next(cell.stood for cell in plain.cells if cell.column == "full_name") is None


def test_a_row_there_is_not_one_of_another_dataset_and_a_key_that_is_none_are_refused(database_url: str, tmp_path: Path) -> None:
    contract, other = make_contract(str(tmp_path / "people.csv")), make_contract(id="test.others")
    workshop = make_workshop(database_url, contract, other)
    write_people(tmp_path / "people.csv", [("P1", "Nguyễn An", "7/3/1980", 2)])
    run = run_dataset(workshop, contract)
    for of, run_id, row_no in ((contract, run.run_id, 2), (contract, run.run_id, 0), (contract, 2**40, 1), (other, run.run_id, 1)):
        with pytest.raises(NotFound):
            show_landed(workshop, of, run_id, row_no)
    for typed in ({}, {"record_no": "  "}):
        with pytest.raises(Unprocessable):
            key_typed(workshop, contract, typed)
