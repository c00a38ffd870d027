"""Waiting rows go out as a workbook and come back mended: each changed row is tried once, every other row is told why it was not."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from lienthong.connectors.own_workbook import IDENTITY, RESULT, TO_MEND
from lienthong.contracts import Contract
from lienthong.errors import Unprocessable
from lienthong.pipeline import Workshop, list_quarantine, mending, run_dataset
from lienthong.pipeline.correct import By
from lienthong.reports.marked import heading, verdict_workbook, waiting_workbook
from tests.factories import make_contract, make_workshop, write_people
from tests.pipeline.test_run import rows_of

BY = By("Lê Thị Hoa")
PEOPLE = [
    ("P1", "Nguyễn An", "1980-03-07", 2),
    ("P2", "Trần Bình", "31/02/1990", 1),
    ("P3", "", "1991-05-05", "hai"),
    ("P4", "Phạm Dung", "1992-13-40", 0),
]


@pytest.fixture
def place(database_url: str, tmp_path: Path) -> tuple[Workshop, Contract]:
    """One row published, three that wait: a date that is none, a name and a number, a date."""
    contract = make_contract(str(write_people(tmp_path / "people.csv", PEOPLE)))
    workshop = make_workshop(database_url, contract)
    run_dataset(workshop, contract)
    return workshop, contract


def taken(place: tuple[Workshop, Contract], path: Path) -> Path:
    """The workbook as it is taken away."""
    workshop, contract = place
    items = mending.give_rows(workshop, contract, BY)
    path.write_bytes(waiting_workbook(contract, items, mending.identities(workshop, contract, items)))
    return path


def edited(path: Path, edit: Callable[[Any, dict[str, int]], None]) -> Path:
    """The workbook after somebody worked in it; `edit` gets the sheet and the column of each heading."""
    book = openpyxl.load_workbook(path)
    sheet = book.active
    edit(sheet, {cell.value: cell.column for cell in sheet[1]})
    book.save(path)
    return path


def test_columns_stand_in_the_order_of_the_contract(place: tuple[Workshop, Contract], tmp_path: Path) -> None:
    sheet = openpyxl.load_workbook(taken(place, tmp_path / "out.xlsx")).active
    headings = [cell.value for cell in sheet[1]]
    came = [heading(p) for p in place[1].properties]
    assert headings[: len(came)] == came
    assert sorted(came, key=len) != came  # the order in which jsonb gives them


def put(**cells: str) -> Callable[[Any, dict[str, int]], None]:
    """Values by `<record>__<heading>`."""

    def edit(sheet: Any, columns: dict[str, int]) -> None:
        rows = {sheet.cell(n, columns["record_no"]).value: n for n in range(2, sheet.max_row + 1)}
        for name, value in cells.items():
            record, heading = name.split("__")
            sheet.cell(rows[record], columns[heading], value)

    return edit


def fates(done: mending.Mended) -> dict[str | None, str]:
    return {verdict.cells["record_no"]: verdict.fate.value for verdict in done.verdicts}


def test_wrong_cells_are_marked_and_what_came_stays_text(place: tuple[Workshop, Contract], tmp_path: Path) -> None:
    book = openpyxl.load_workbook(taken(place, tmp_path / "w.xlsx"))
    sheet = book.active
    columns = {cell.value: cell.column for cell in sheet[1]}
    wrong = sheet.cell(2, columns["born_on"])
    assert wrong.value == "31/02/1990"
    assert wrong.data_type == "s"
    assert wrong.fill.fgColor.rgb == "FFFBE0DD"
    assert "ngày" in wrong.comment.text.casefold()
    assert "ngày" in sheet.cell(2, columns[TO_MEND]).value.casefold()
    assert sheet.cell(2, columns["full_name"]).comment is None
    assert sheet.column_dimensions[openpyxl.utils.get_column_letter(columns[IDENTITY])].hidden


def test_half_corrected_rows_go_through_and_the_rest_waits(place: tuple[Workshop, Contract], tmp_path: Path) -> None:
    workshop, contract = place
    path = edited(taken(place, tmp_path / "w.xlsx"), put(P2__born_on="28/02/1990", P3__full_name="Lê Chi"))
    done = mending.take_back(workshop, contract, path, BY)
    assert fates(done) == {"P2": "through", "P3": "waiting", "P4": "untouched"}
    assert done.outcome is not None
    assert done.outcome.version == 2
    assert rows_of(workshop.database, "select count(*) from lienthong.runs") == [(2,)]
    assert rows_of(workshop.database, "select full_name from data.test_people where _key = 'P2'") == [("Trần Bình",)]
    p3 = next(item for item in list_quarantine(workshop, contract.id) if item.key == "P3")
    assert (p3.raw["full_name"], p3.corrected, [i["column"] for i in p3.issues]) == ("", {"full_name": "Lê Chi"}, ["children"])


def test_the_verdicts_are_a_workbook_that_can_be_mended_again(place: tuple[Workshop, Contract], tmp_path: Path) -> None:
    workshop, contract = place
    path = edited(taken(place, tmp_path / "w.xlsx"), put(P2__born_on="28/02/1990", P3__full_name="Lê Chi"))
    done = mending.take_back(workshop, contract, path, BY)
    items = [verdict.item for verdict in done.verdicts if verdict.item is not None]
    again = tmp_path / "again.xlsx"
    again.write_bytes(verdict_workbook(contract, done.columns, done.verdicts, mending.identities(workshop, contract, items)))
    sheet = openpyxl.load_workbook(again).active
    result = next(cell.column for cell in sheet[1] if cell.value == RESULT)
    assert [sheet.cell(n, result).value.split(":")[0].split(",")[0] for n in (2, 3, 4)] == ["Đã qua", "Vẫn chờ", "Chưa sửa gì"]
    second = mending.take_back(workshop, contract, edited(again, put(P3__children="2")), BY)
    assert fates(second) == {"P2": "missing", "P3": "through", "P4": "untouched"}
    assert rows_of(workshop.database, "select full_name, children from data.test_people where _key = 'P3'") == [("Lê Chi", 2)]


def test_the_same_workbook_twice_changes_nothing_more(place: tuple[Workshop, Contract], tmp_path: Path) -> None:
    workshop, contract = place
    path = edited(taken(place, tmp_path / "w.xlsx"), put(P2__born_on="28/02/1990", P3__full_name="Lê Chi"))
    mending.take_back(workshop, contract, path, BY)
    again = mending.take_back(workshop, contract, path, BY)
    assert again.outcome is None
    assert fates(again) == {"P2": "stale", "P3": "changed_since", "P4": "untouched"}


def test_two_at_once_are_one_after_the_other(place: tuple[Workshop, Contract], tmp_path: Path) -> None:
    workshop, contract = place
    one = edited(taken(place, tmp_path / "one.xlsx"), put(P2__born_on="28/02/1990"))
    other = edited(taken(place, tmp_path / "other.xlsx"), put(P2__born_on="27/02/1990"))
    told: list[str] = []
    threads = [
        threading.Thread(target=lambda path=path: told.append(fates(mending.take_back(workshop, contract, path, BY))["P2"]))
        for path in (one, other)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(told) == ["stale", "through"]


def test_identities_that_are_forged_missing_or_twice_are_told_and_nothing_of_them_is_taken(
    place: tuple[Workshop, Contract], tmp_path: Path
) -> None:
    workshop, contract = place
    path = edited(taken(place, tmp_path / "w.xlsx"), put(P2__born_on="28/02/1990", P3__full_name="Lê Chi", P4__born_on="1992-12-04"))

    def tamper(sheet: Any, columns: dict[str, int]) -> None:
        own = columns[IDENTITY]
        genuine = sheet.cell(2, own).value
        head, tail = genuine.rsplit(".", 1)
        sheet.cell(2, own, f"{head}.{tail[::-1]}")
        sheet.cell(3, own).value = None
        sheet.append([cell.value for cell in sheet[4]])
        sheet.append(["P9", *[None] * (own - 2), genuine.replace("LT1.1.", "LT1.9999.")])

    done = mending.take_back(workshop, contract, edited(path, tamper), BY)
    assert [verdict.fate.value for verdict in done.verdicts] == ["forged", "missing", "duplicated", "duplicated", "forged"]
    assert done.outcome is None
    assert len(list_quarantine(workshop, contract.id)) == 3


def test_cells_nobody_marked_are_taken_and_told_columns_added_or_taken_out_too(place: tuple[Workshop, Contract], tmp_path: Path) -> None:
    workshop, contract = place
    path = edited(taken(place, tmp_path / "w.xlsx"), put(P2__born_on="28/02/1990", P2__full_name="Trần Bình An"))

    def reshape(sheet: Any, columns: dict[str, int]) -> None:
        sheet.cell(1, columns["children"], "ghi_chu")

    done = mending.take_back(workshop, contract, edited(path, reshape), BY)
    verdict = done.verdicts[0]
    assert (verdict.fate, verdict.also) == (mending.Fate.THROUGH, ("full_name",))
    assert "full_name" in verdict.vi
    assert (done.ignored, done.absent) == (("ghi_chu",), ("children",))
    assert rows_of(workshop.database, "select full_name, children from data.test_people where _key = 'P2'") == [("Trần Bình An", 1)]


def test_two_items_of_the_same_row_are_settled_each_for_itself(database_url: str, tmp_path: Path) -> None:
    contract = make_contract(str(write_people(tmp_path / "people.csv", [PEOPLE[1], PEOPLE[1]])))
    workshop = make_workshop(database_url, contract)
    run_dataset(workshop, contract)
    path = taken((workshop, contract), tmp_path / "w.xlsx")

    def mend(sheet: Any, columns: dict[str, int]) -> None:
        sheet.cell(2, columns["born_on"], "28/02/1990")
        sheet.cell(3, columns["full_name"], "Trần Bình Hai")

    done = mending.take_back(workshop, contract, edited(path, mend), BY)
    assert [verdict.fate.value for verdict in done.verdicts] == ["through", "waiting"]
    assert [item.corrected for item in list_quarantine(workshop, contract.id)] == [{"full_name": "Trần Bình Hai"}]


def test_one_act_leaves_one_entry_without_a_value(place: tuple[Workshop, Contract], tmp_path: Path) -> None:
    workshop, contract = place
    path = edited(taken(place, tmp_path / "w.xlsx"), put(P2__born_on="28/02/1990", P4__born_on="1992-12-04"))
    mending.take_back(workshop, contract, path, BY)
    bodies = rows_of(workshop.database, "select bodies from lienthong.ledger_batches where bodies like '%quarantine:row:corrected%'")
    assert len(bodies) == 1
    assert '"form":"workbook"' in bodies[0][0]
    assert "Trần" not in bodies[0][0]


def test_what_is_no_workbook_of_ours_is_refused_in_words(place: tuple[Workshop, Contract], tmp_path: Path) -> None:
    workshop, contract = place
    path = tmp_path / "w.xlsx"
    path.write_bytes(b"PK\x03\x04 not a workbook")
    with pytest.raises(Unprocessable, match="damaged"):
        mending.take_back(workshop, contract, path, BY)
    book = openpyxl.Workbook()
    book.active.append(["record_no", "full_name"])
    buffer = io.BytesIO()
    book.save(buffer)
    path.write_bytes(buffer.getvalue())
    with pytest.raises(Unprocessable, match="row identity"):
        mending.take_back(workshop, contract, path, BY)
