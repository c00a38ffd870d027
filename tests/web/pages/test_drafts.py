"""A dataset that begins as a spreadsheet: proposed, changed, tried, approved by a second person, served; and what must not be."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from pathlib import Path

import openpyxl
import pytest
import yaml
from markupsafe import escape

from lienthong.contracts import load, load_all
from lienthong.errors import StoreError
from lienthong.pipeline import drafting, upload
from lienthong.web.services import make_services
from tests.factories import contracts_of_the_province
from tests.store.ledgers import written
from tests.web.pages.conftest import Console


def workbook(rows: int = 30) -> bytes:
    """A list as an office keeps it: titles above, headings in the fourth row."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["SỞ LAO ĐỘNG"])
    sheet.append(["DANH SÁCH CƠ SỞ TRỢ GIÚP XÃ HỘI"])
    sheet.append([])
    sheet.append(["STT", "Mã cơ sở", "Tên cơ sở", "Mã số thuế", "Số giường", "Loại hình"])
    for n in range(rows):
        sheet.append([n + 1, f"CS{n:03}", f"Cơ sở số {n}", None, n % 9 + 1, "công lập" if n % 2 else "ngoài công lập"])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def test_a_spreadsheet_becomes_a_dataset_that_answers(console: Console) -> None:
    csrf = console.enter("can-bo-1")
    page = console.hand_in(csrf, workbook()).headers["location"]
    facts = console.facts(page)
    columns = {c["heading"]: c for c in facts["columns"]}
    assert facts["header_row"] == 4
    assert columns["STT"]["name"] == ""
    assert columns["Mã cơ sở"]["key"] == 1
    assert columns["Loại hình"]["codes"] == ["công lập", "ngoài công lập"]
    assert (facts["tried"]["judged"], facts["tried"]["waiting"], facts["faults"]) == (30, 0, [])
    assert any(held["dataset"] == "enterprises.register" for held in facts["held"])
    shown = console.client.get(page, headers={"Accept": "text/html"}).text
    assert "Cơ sở số 1" in shown
    # the officer's own words
    number = next(n for n, c in enumerate(facts["columns"]) if c["heading"] == "Tên cơ sở")
    kept = {
        f"name:{number}": "facility_name",
        f"title:{number}": "Tên cơ sở",
        f"title_en:{number}": "Facility",
        f"type:{number}": "string",
        f"sensitivity:{number}": "public",
        f"required:{number}": "yes",
    }
    assert (
        console.post(page, csrf, word="keep", id="lao-dong.co-so", title="Cơ sở trợ giúp xã hội", title_en="Shelters", **kept).status_code
        == 303
    )
    assert console.post(page, csrf, word="propose", reason="đưa vào dùng chung").status_code == 303
    digest = console.facts(page)["proposal"]["digest"]
    assert console.post(page, csrf, word="approve", digest=digest).status_code == 403  # nobody approves their own
    csrf = console.enter("can-bo-2")
    done = console.post(page, csrf, word="approve", digest=digest)
    assert re.fullmatch(r"/console/uploads/\d+", done.headers["location"])
    file = console.services.settings.datasets / "lao-dong" / "co-so" / "contract.yaml"
    assert [p.title_en for p in load(file).properties if p.name == "facility_name"] == ["Facility"]
    upload.take_waiting(console.services.workshop, console.services.settings.home / upload.FOLDER)
    assert console.facts(done.headers["location"])["counts"]["rows_published"] == 30
    console.client.cookies.clear()
    assert console.client.get("/datasets/lao-dong.co-so.json").json()["records"] == 30
    assert "lao-dong.co-so" in [each["id"] for each in console.client.get("/datasets.json?q=co+so+tro+giup").json()["entries"]]
    events = [e for e in written(console.services.workshop.database) if e.get("dataset") == "lao-dong.co-so"]
    assert [e["event"] for e in events if e["event"].startswith("contract:")] == ["contract:draft:kept", "contract:dataset:applied"]
    assert "Cơ sở số" not in str(events)


def test_another_process_takes_up_what_was_published(console: Console) -> None:
    other = make_services(console.services.settings, console.services.workshop.database, contracts_of_the_province())
    long_after = console.services.workshop.clock() + 2 * drafting.STARTING
    assert drafting.take_up(other.workshop, long_after) == []
    drafting.take_up(other.workshop, console.services.workshop.clock())
    csrf = console.enter("can-bo-1")
    page = console.hand_in(csrf, workbook(), title="Cơ sở thứ hai").headers["location"]
    console.post(page, csrf, word="propose", reason="thử")
    csrf = console.enter("can-bo-2")
    console.post(page, csrf, word="approve", digest=console.facts(page)["proposal"]["digest"])
    began = console.services.workshop.clock()  # said only now, though the folder was read before
    [added] = drafting.take_up(other.workshop, began)
    assert added in other.contracts
    assert drafting.take_up(other.workshop, began) == []
    assert list(load_all(console.services.settings.datasets)) == sorted(load_all(console.services.settings.datasets))


def test_a_draft_is_its_agencys_own(console: Console) -> None:
    page = console.hand_in(console.enter("can-bo-1"), workbook()).headers["location"]
    csrf = console.enter("khac")
    assert console.client.get(page + ".json").status_code == 404
    assert console.post(page, csrf, word="withdraw").status_code == 404
    csrf = console.enter("can-bo-1")
    assert console.post(page, "made up", word="withdraw").status_code == 403
    assert console.post(page, csrf, word="withdraw").status_code == 303
    assert console.post(page, csrf, word="keep").status_code == 409
    assert list((console.services.settings.home / drafting.FOLDER).glob("*/draft.*")) == []


def test_what_changed_after_it_was_proposed_is_not_published(console: Console) -> None:
    csrf = console.enter("can-bo-1")
    page = console.hand_in(csrf, workbook(), title="Sửa sau").headers["location"]
    console.post(page, csrf, word="propose", reason="thử")
    assert console.post(page, csrf, word="keep", title="Khác hẳn").status_code == 303
    csrf = console.enter("can-bo-2")
    assert console.post(page, csrf, word="approve", digest=console.facts(page)["proposal"]["digest"]).status_code == 409
    assert console.facts(page)["state"] == "open"


def test_what_is_no_contract_yet_cannot_be_proposed(console: Console) -> None:
    csrf = console.enter("can-bo-1")
    page = console.hand_in(csrf, "Màu\nxanh\nđỏ\nxanh\n".encode(), "mau.csv", "Màu").headers["location"]
    faults = console.facts(page)["faults"]
    assert [fault["said"] for fault in faults if fault["said"] == fault["what"]] == []  # each in Vietnamese, the reader's language
    shown = console.client.get(page, headers={"Accept": "text/html"}).text
    assert faults
    assert all(escape(fault["said"]) in shown for fault in faults)
    assert console.post(page, csrf, word="propose", reason="thử").status_code == 422
    for wrong in (
        {"type:0": "picture", "name:0": "mau"},
        {"sensitivity:0": "secret", "name:0": "mau"},
        {"key:0": "-1", "name:0": "mau"},
        {"standard:0": "none", "name:0": "mau"},
    ):
        assert console.post(page, csrf, word="keep", **wrong).status_code == 422


@pytest.mark.parametrize(
    ("name", "content"), [("a.pdf", b"%PDF"), ("a.xlsx", b"not a workbook"), ("a.csv", b""), ("a.xlsx", b"PK\x03\x04" + b"\0" * 50)]
)
def test_a_file_that_is_none_is_refused_and_leaves_nothing(name: str, content: bytes, console: Console) -> None:
    answer = console.hand_in(console.enter("can-bo-1"), content, name)
    assert answer.status_code == 422, answer.text
    folder = console.services.settings.home / drafting.FOLDER
    assert [each for each in folder.iterdir() if each.is_file()] == []


def test_a_folder_that_cannot_be_written_publishes_nothing(console: Console, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", "utf-8")
    place = replace(console.services.workshop, folder=tmp_path / "file")
    contract = next(iter(contracts_of_the_province().values()))
    with pytest.raises(StoreError):
        drafting.write_file(place.folder, contract)
    with pytest.raises(StoreError):
        drafting.write_file(None, contract)
    written_to = drafting.write_file(tmp_path / "right", contract)
    assert yaml.safe_load(written_to.read_text("utf-8")) == contract.document
