"""The board over HTTP: who sees which number, what it says is what the query says, a question and its answer, the proof of a frozen figure."""

from __future__ import annotations

import hashlib
import io
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from starlette.testclient import TestClient

from lienthong.access import Role
from lienthong.contracts import Sharing
from lienthong.contracts.indicators import load_indicators, load_reports
from lienthong.pipeline import apply_contract, filing, indicating, run_dataset
from lienthong.reports.filing import digest_of
from lienthong.settings import Settings
from lienthong.store import Database
from lienthong.store.ledger_index import index_ledger
from lienthong.store.sequencing import Sequencer
from lienthong.web.app import create_app
from lienthong.web.reporting import making_of
from lienthong.web.services import Services, make_services
from tests.conftest import fresh_database
from tests.factories import TickingClock, make_contract
from tests.pipeline.test_indicating import FILE, PROPERTIES, ROWS
from tests.web.signing_in import register_person, sign_in

REPORT = {
    "id": "monthly", "title": "Báo cáo tháng", "titleEn": "Monthly report", "about": "Số người {period}", "agency": "H10.12", "agencyName": "Sở mẫu",
    "sign": "BC-SM", "place": "Bình Phước", "period": "month", "closing": {"days": 6}, "indicators": ["heads", "own-heads"], "places": ["heads"],
    "receivers": ["Lưu: VT."], "signer": {"title": "Giám đốc"}, "recipients": ["leader"],
    "form": {"cells": {"Biểu!C2": "heads"}, "table": {"sheet": "Biểu", "firstRow": 5, "place": "B", "columns": {"C": "heads"}}},
}  # fmt: skip
WHO = {"leader": ("H10.01", Role.LEADER), "officer": ("H10.12", Role.DATA_OFFICER), "other": ("H10.10", Role.DATA_OFFICER)}


@dataclass
class Board:
    client: TestClient
    services: Services
    who: dict[str, Any]

    def enter(self, name: str) -> str:
        self.client.cookies.clear()
        return sign_in(self.client, self.who[name], second_factor="totp") if name else ""

    def page(self, path: str) -> str:
        answer = self.client.get(path, headers={"Accept": "text/html"})
        assert answer.status_code == 200, answer.text
        return str(answer.text)

    def facts(self, path: str) -> Any:
        plain, _, query = path.partition("?")
        answer = self.client.get(f"{plain}.json" + (f"?{query}" if query else ""))
        assert answer.status_code == 200, answer.text
        return answer.json()

    def status(self, path: str) -> int:
        return int(self.client.get(path, headers={"Accept": "application/json"}).status_code)

    def post(self, path: str, **form: str) -> Any:
        headers = {"Accept": "text/html", "Content-Type": "application/x-www-form-urlencoded"}
        return self.client.post(path, data=form, headers=headers, follow_redirects=False)


@pytest.fixture(scope="module")
def board(postgres_server: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Board]:
    home = Path(tmp_path_factory.mktemp("home"))
    folder = home / "indicators"
    folder.mkdir()
    for id, more in {"heads": {"public": True, "order": 1, "targets": {"2026": 20}, "direction": "up"}, "own-heads": {}}.items():
        (folder / f"{id}.yaml").write_text(json.dumps({**FILE, "id": id, **more}, ensure_ascii=False), "utf-8")
    (folder / "reports").mkdir()
    (folder / "reports" / "monthly.yaml").write_text(json.dumps(REPORT, ensure_ascii=False), "utf-8")
    (home / "heads.csv").write_text("\n".join(["record_no,commune_code,seen_on,heads", *ROWS, ""]), "utf-8")
    contract = make_contract(str(home / "heads.csv"), id="test.heads", properties=PROPERTIES, sharing=Sharing.ON_REQUEST)
    settings = Settings(
        home=home, agreements=home / "agreements", indicators=folder, base_url="http://testserver", checkpoint_milliseconds=0, worker=False
    )
    with fresh_database(postgres_server) as url:
        services = make_services(settings, Database(url), {contract.id: contract})
        apply_contract(services.workshop, contract)
        run_dataset(services.workshop, contract)
        past = replace(services.workshop, clock=TickingClock(datetime(2026, 7, 10, tzinfo=UTC)))
        indicating.compute_all(past, load_indicators(folder, {contract.id: contract}).values(), {}, 10)
        Sequencer(services.workshop.database, services.workshop.signer, services.workshop.clock).catch_up()
        index_ledger(services.workshop.database)
        who = {name: register_person(services.workshop.database, name, agency, [role]) for name, (agency, role) in WHO.items()}
        with TestClient(create_app(services), raise_server_exceptions=False) as client:
            yield Board(client, services, who)


def test_everybody_sees_what_is_public_and_a_leader_everything(board: Board) -> None:
    seen = {}
    for name in ("", "leader", "officer", "other"):
        board.enter(name)
        seen[name] = [each["id"] for each in board.facts("/board")["indicators"]]
    assert seen == {"": ["heads"], "leader": ["heads", "own-heads"], "officer": ["heads", "own-heads"], "other": ["heads"]}
    board.enter("")
    assert board.status("/board/own-heads") == 401
    board.enter("other")
    assert board.status("/board/own-heads") == 403
    assert board.status("/board/nothing") == 404


def test_a_number_says_what_it_is_and_is_what_the_query_says(board: Board) -> None:
    board.enter("")
    facts = board.facts("/board/heads")
    with board.services.workshop.database.connect() as connection:
        row = connection.execute("select sum(heads) from data.test_heads where seen_on < '2026-07-01'").fetchone()
    assert row is not None
    assert (facts["figure"]["total"], facts["figure"]["period"], facts["figure"]["state"]) == (float(row[0]), "2026-06", "final")
    assert (facts["figure"]["target"], facts["is_good"], facts["period_before"]) == (20.0, True, 23.0)
    text = board.page("/board/heads")
    for said in ("Tháng 06/2026", "chính thức", "Mục tiêu", "23", "H10.12", "<svg"):
        assert said in text
    assert "Giải trình" not in text  # for who has signed in


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("on=2026-07-01&level=commune", {"25195": 22.0, "": 1.0}),
        ("on=2025-06-30&level=commune", {"25195": 10 + 7 / 6, "25201": 5 + 7 / 6, "": 1.0}),  # six communes became one: its part is divided
        ("on=2025-06-30&level=district", {"": 1.0}),
    ],
)  # fmt: skip
def test_places_are_told_under_the_borders_of_any_day_and_add_up(board: Board, query: str, wanted: dict[str, float]) -> None:
    board.enter("")
    places = board.facts(f"/board/heads?{query}")["places"]
    assert sum(each["total"] for each in places) == pytest.approx(23.0)
    found = {each["code"]: each["total"] for each in places}
    assert {code: found.get(code) for code in wanted} == pytest.approx(wanted)
    assert any(each["is_estimated"] for each in places) == (query == "on=2025-06-30&level=commune")
    rows = board.client.get(f"/board/heads.csv?{query}").text.splitlines()
    assert len(rows) == len(places) + 1


def test_a_day_that_is_none_and_a_period_that_is_none_break_nothing(board: Board) -> None:
    board.enter("")
    for query in ("on=tomorrow", "on=9999-12-31", "period=2026-99", "level=x", "period=%00"):
        assert board.client.get(f"/board/heads?{query}").status_code in (200, 400)


def test_a_question_reaches_the_owner_and_the_answer_stands_beside_the_number(board: Board) -> None:
    csrf = board.enter("leader")
    figure = board.facts("/board/heads")["figure"]["figure"]
    asked = board.post("/board/heads/questions", csrf=csrf, figure=str(figure), words="Vì sao tăng <b>?", place="25195")
    assert asked.status_code == 303
    assert board.facts("/board")["indicators"][0]["open_questions"] == 1
    csrf = board.enter("other")
    assert board.facts("/console/explanations")["questions"] == []
    csrf = board.enter("officer")
    (question,) = board.facts("/console/explanations")["questions"]
    assert "&lt;b&gt;" in board.page("/console/explanations")
    assert board.post(f"/console/explanations/{question['question']}", csrf=csrf, words="Do sáp nhập.").status_code == 303
    assert board.post(f"/console/explanations/{question['question']}", csrf=csrf, words="Lần nữa.").status_code == 409
    board.enter("leader")
    (kept,) = board.facts("/board/heads")["questions"]
    assert (kept["state"], kept["answer"], kept["answered_by"]) == ("answered", "Do sáp nhập.", "officer")
    assert "Do sáp nhập." in board.page("/board/heads")


@pytest.mark.parametrize(("name", "status"), [("", 401), ("officer", 403)])
def test_only_a_leader_asks(board: Board, name: str, status: int) -> None:
    csrf = board.enter(name)
    assert board.post("/board/heads/questions", csrf=csrf, figure="1", words="Vì sao?").status_code == status


def test_a_question_without_the_page_s_token_or_about_another_figure_is_refused(board: Board) -> None:
    csrf = board.enter("leader")
    assert board.post("/board/heads/questions", csrf="x", figure="1", words="Vì sao?").status_code == 403
    other = board.facts("/board/own-heads")["figure"]["figure"]
    assert board.post("/board/heads/questions", csrf=csrf, figure=str(other), words="Vì sao?").status_code == 404


def test_a_frozen_figure_proves_itself(board: Board) -> None:
    board.enter("")
    number = board.facts("/board/heads")["figure"]["figure"]
    facts = board.facts(f"/figures/{number}")
    assert hashlib.sha256(facts["hashed"].encode()).hexdigest() == facts["digest"]
    assert json.loads(facts["proof"]["body"])["answer_digest"] == facts["digest"]
    assert facts["total"] == sum(part["value"] for part in facts["parts"])
    text = board.page(f"/figures/{number}")
    assert facts["digest"] in text
    assert "test_heads" in text
    assert board.status("/figures/999999") == 404


def test_a_figure_of_a_closed_indicator_is_closed_too(board: Board) -> None:
    board.enter("leader")
    number = board.facts("/board/own-heads")["figure"]["figure"]
    board.enter("")
    assert board.status(f"/figures/{number}") == 401


def test_a_report_that_is_due_is_filed_once_and_said_to_be_owed_before(board: Board) -> None:
    board.enter("leader")
    assert {each["standing"] for each in board.facts("/board/reports")["reports"]} == {"owed", "overdue"}
    place = replace(board.services.workshop, clock=TickingClock(datetime(2026, 7, 10, tzinfo=UTC)))
    indicators = load_indicators(board.services.settings.indicators, place.contracts)
    reports = load_reports(board.services.settings.indicators, indicators).values()
    (june, *others) = filing.file_due(place, reports, making_of(indicators))
    assert filing.file_due(place, reports, making_of(indicators)) == []  # what is late stays late until its figures change
    Sequencer(place.database, place.signer, place.clock).catch_up()
    index_ledger(place.database)
    facts = board.facts(f"/figures/{june}")
    assert (facts["period"], facts["state"], facts["facts"]["row_count"]) == ("2026-06", "final", 2)
    assert facts["facts"]["control_total"] == sum(row["total"] for row in facts["facts"]["rows"]) == 46.0
    assert facts["facts"]["tables"][0]["control_total"] == pytest.approx(23.0)
    assert json.loads(facts["proof"]["body"])["answer_digest"] == facts["digest"] == digest_of(facts["facts"])
    assert {board.facts(f"/figures/{each}")["state"] for each in others} <= {"late", "final"}
    for kind, begins in (("pdf", b"%PDF"), ("docx", b"PK"), ("xlsx", b"PK")):
        bodies = [board.client.get(f"/figures/{june}/bao-cao.{kind}").content for _ in range(2)]
        assert bodies[0].startswith(begins)
        assert bodies[0] == bodies[1]
    assert june in board.page("/board/reports")
    assert "Báo cáo tháng" in board.page(f"/figures/{june}")
    assert board.status(f"/figures/{june}/bao-cao.exe") == 404
    board.enter("other")
    assert board.status(f"/figures/{june}") == 403
    assert board.status(f"/figures/{june}/bao-cao.pdf") == 403


def test_the_issuing_agency_files_a_report_itself(board: Board) -> None:
    csrf = board.enter("officer")
    assert board.post("/board/reports/monthly", csrf=csrf, period="2026-07").status_code == 303
    assert any(each["period"] == "2026-07" or each["filing"] for each in board.facts("/board/reports")["reports"])
    csrf = board.enter("other")
    assert board.post("/board/reports/monthly", csrf=csrf, period="2026-07").status_code == 403


def form_of(typed: dict[str, Any], sheet: str = "Biểu") -> bytes:
    book = openpyxl.Workbook()
    book.active.title = sheet
    for where, value in {"B4": "Đơn vị", "C4": "Số người", **typed}.items():
        book.active[where] = value
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def hand_in(board: Board, csrf: str, body: bytes, word: str = "read") -> Any:
    return board.client.post(
        "/board/reports/monthly/form",
        data={"csrf": csrf, "word": word},
        files={"file": ("bieu.xlsx", body)},
        headers={"Accept": "text/html"},
    )


def test_an_agency_s_own_form_is_filled_and_read_back_against_the_frozen_figures(board: Board) -> None:
    csrf = board.enter("officer")
    board.post("/board/reports/monthly", period="2026-06", csrf=csrf)
    assert "/board/reports/monthly/form" in board.page("/board/reports")
    blank = form_of({"B5": "Phường Bình Phước"})
    answer = hand_in(board, csrf, blank, "fill")
    assert answer.headers["content-type"].startswith("application/vnd.openxmlformats")
    filled = openpyxl.load_workbook(io.BytesIO(answer.content))["Biểu"]
    total = board.facts("/board/heads?period=2026-06")["figure"]["total"]
    assert filled["C2"].value == total
    again = hand_in(board, csrf, answer.content)
    assert (again.status_code, "Không có ô nào sai" in again.text, "khác</span>" in again.text) == (200, True, False)
    typed = hand_in(board, csrf, form_of({"C2": f"{total + 5:g}", "B5": "Phường Bình Phước", "C5": "1.234,5"}))
    assert (typed.status_code, "khác</span>" in typed.text, "1.234" in typed.text) == (200, True, True)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (form_of({"C2": "ba mươi", "B5": "Phường Bình Phước", "C5": 7}), "ba mươi"),
        (form_of({"C2": 3, "B5": "Phường Bình Phước"}), "để trống"),
        (form_of({"C2": 3, "B5": "Xã A", "C5": 2, "B6": "Xã A", "C6": 2}), "mỗi đơn vị một hàng"),
        (form_of({"C2": 3, "B5": "Xã A", "C5": 2, "B6": "Tổng cộng", "C6": 9}), "tổng các hàng là 2"),
        (form_of({"C2": 3}, sheet="Khác"), "thiếu “Biểu!C2”"),
        (b"khong phai so tinh", "cần sổ Excel dạng .xlsx"),
        (b"PK" + bytes(5_100_000), "quá lớn"),
    ],
)  # fmt: skip
def test_every_fault_of_a_form_has_words(board: Board, body: bytes, words: str) -> None:
    answer = hand_in(board, board.enter("officer"), body)
    assert answer.status_code == 422
    assert words in answer.text
    assert "<script>" not in answer.text


def test_only_who_issues_a_report_hands_its_form_in(board: Board) -> None:
    body = form_of({"C2": 3})
    assert hand_in(board, "", body).status_code in (401, 403)
    board.enter("")
    assert hand_in(board, "", body).status_code == 401
    assert hand_in(board, board.enter("leader"), body).status_code == 403
    assert hand_in(board, board.enter("other"), body).status_code == 403
    csrf = board.enter("officer")
    assert hand_in(board, "khac", body).status_code == 403
    assert board.client.post("/board/reports/nothing/form", data={"csrf": csrf}, files={"file": ("x.xlsx", body)}).status_code == 404
    assert (
        board.client.post("/board/reports/monthly/form", data={"csrf": csrf, "word": "read"}, files={"khac": ("x", b"")}).status_code == 422
    )


def test_english_is_complete(board: Board) -> None:
    board.enter("")
    for path in ("/board", "/board/heads"):
        page = re.sub(r"(?s)<(td|th|option|text|title|dd|h1)[^>]*>.*?</\1>", " ", board.page(path + "?lang=en"))
        assert [word for word in ("Mục tiêu", "Chủ quản", "Trạng thái", "Thứ hạng") if word in page] == []
