"""A list of one's own over HTTP: judged for whoever proved who it is, told golden ids only under an agreement, refused in words."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from starlette.testclient import TestClient

from lienthong.access import Operation, Register, RowCondition
from lienthong.pipeline import Workshop
from lienthong.settings import Settings
from lienthong.web.app import App, create_app
from lienthong.web.list_bodies import LARGEST_BODY, MOST_ROWS, XLSX
from lienthong.web.services import make_services
from tests.registers import PEOPLE, person
from tests.store.ledgers import written
from tests.templates import Template
from tests.web.counters import URL, _desk, asking, make_agreement

ROOT = Path(__file__).parents[2]
ADDRESS = "/v1/entities/person:deduplicate"
STRANGER, WHOLE, PART, NEIGHBOUR, NO_KEY, LOOKS_UP = (
    f"VN/GOV/H10.12/{name}" for name in ("xa-la", "toan-bo", "mot-phan", "lang-gieng", "khong-khoa", "tra-cuu")
)
MASTER = "master.person"
BULK = frozenset({Operation.BULK})
AGREEMENTS = (
    make_agreement(WHOLE, dataset=MASTER, operations=BULK),
    make_agreement(PART, dataset=MASTER, operations=BULK, fields=("golden_id", "phone", "address", "citizen_id"), masked=("citizen_id",)),
    make_agreement(NEIGHBOUR, dataset=MASTER, operations=BULK, row_filter=(RowCondition("commune_code", "eq", "25195"),)),
    make_agreement(NO_KEY, dataset=MASTER, operations=BULK, fields=("full_name", "born_on")),
    make_agreement(LOOKS_UP, dataset=MASTER, operations=frozenset({Operation.LOOK_UP})),
)


@dataclass(frozen=True)
class Platform:
    """Two registers matched, agreements on the golden records, a client."""

    workshop: Workshop
    client: TestClient

    def ask(self, rows: Any, caller: str = STRANGER, **headers: str) -> Any:
        return self.client.post(ADDRESS, json={"rows": rows}, headers=asking(caller, **headers))

    def entries(self) -> list[dict[str, Any]]:
        return written(self.workshop.database)

    def golden_of(self, source: str, key: str) -> str:
        query = "select id from match_records join match_goldens using (golden) where source = %s and key = %s"
        with self.workshop.database.connect() as connection:
            row = connection.execute(query, (source, key)).fetchone()
        assert row is not None
        return str(row[0])


@pytest.fixture(scope="module")
def platform(matched_template: Template, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    with matched_template.copy() as place, TestClient(_app(place, Path(tmp_path_factory.mktemp("home")))) as client:
        yield Platform(place, client)


def _app(place: Workshop, folder: Path) -> App:
    given = Settings(
        home=folder, agreements=folder / "agreements", base_url=URL, accept_synthetic_ids=True, checkpoint_milliseconds=0, worker=False
    )
    services = make_services(given, place.database, place.contracts)
    services.register = Register({}, AGREEMENTS)
    services.workshop = place
    services.tokens = _desk(place.clock)
    return create_app(services)


def row_of(n: int, *names: str) -> dict[str, Any]:
    p = person(n)
    columns = {"Họ và tên": "full_name", "Ngày sinh": "born_on", "Số CCCD": "citizen_id", "Địa chỉ": "address", "Số điện thoại": "phone"}
    return {heading: p[name] for heading, name in columns.items() if not names or name in names}


TWICE = [row_of(1), row_of(2), {**row_of(1, "full_name", "born_on"), "Họ và tên": person(1)["full_name"].upper()}]


def test_a_row_that_is_there_twice_is_told_with_its_reason(platform: Platform) -> None:
    answer = platform.ask(TWICE)
    assert answer.status_code == 200
    rows = answer.json()["rows"]
    assert [row["verdict"] for row in rows] == ["sure", "none", "sure"]
    assert rows[0]["same"] == [3]
    assert rows[0]["group"] == rows[2]["group"] == 1
    assert "giống hệt" in rows[0]["vi"]
    assert answer.json()["way"]["kind"] == "model"
    assert answer.headers["cache-control"] == "no-store"


def test_without_an_agreement_nothing_of_the_index_is_told(platform: Platform) -> None:
    for caller, rule in ((STRANGER, "no_agreement"), (NO_KEY, "field_not_visible"), (LOOKS_UP, "other_operation")):
        found = platform.ask([row_of(1), row_of(2)], caller).json()
        assert found["index"] == {"asked": False, "rule": rule}
        assert all("held" not in row for row in found["rows"])


def test_under_an_agreement_each_row_is_told_its_golden_record(platform: Platform) -> None:
    found = platform.ask([row_of(1), row_of(2), {"Họ và tên": "Người Không Có", "Ngày sinh": "1901-01-01"}], WHOLE).json()["rows"]
    ids = [row["held"]["golden_id"] for row in found]
    assert ids[:2] == [platform.golden_of("population.persons", f"{7_000_000_000 + n}") for n in (1, 2)]
    assert found[2]["held"] == {"verdict": "none", "golden_id": None, "probability": None, "vi": "", "en": ""}


def test_what_is_withheld_or_masked_finds_nobody(platform: Platform) -> None:
    by_name = platform.ask([row_of(n, "full_name", "born_on", "citizen_id") for n in range(1, 6)], PART).json()["rows"]
    assert [row["held"]["golden_id"] for row in by_name] == [None] * 5
    by_home = platform.ask([row_of(n, "phone", "address", "full_name") for n in range(1, 6)], PART).json()["rows"]
    assert all("tên" not in row["held"]["vi"].lower() for row in by_home)


def test_golden_records_outside_the_row_filter_do_not_exist(platform: Platform) -> None:
    found = platform.ask([row_of(n) for n in range(1, 40)], NEIGHBOUR).json()["rows"]
    inside = [person(n)["commune_code"] == "25195" for n in range(1, 40)]
    assert [row["held"]["golden_id"] is not None for row in found] == inside
    assert any(inside)
    assert not all(inside)


def test_fewer_rights_never_tell_more(platform: Platform) -> None:
    rows = [row_of(n) for n in range(1, 30)]
    whole = [row["held"] for row in platform.ask(rows, WHOLE).json()["rows"]]
    for caller in (PART, NEIGHBOUR):
        for less, more in zip(platform.ask(rows, caller).json()["rows"], whole, strict=True):
            assert less["held"]["golden_id"] in (None, more["golden_id"])


def csv_of(rows: list[dict[str, Any]]) -> bytes:
    lines = [";".join(rows[0]), *(";".join(str(row.get(name, "")) for name in rows[0]) for row in rows)]
    return ("DANH SÁCH\n" + "\n".join(lines) + "\n").encode()


def send(platform: Platform, content: bytes, kind: str, accept: str = "application/json", query: str = "", caller: str = STRANGER) -> Any:
    headers = asking(caller, **{"Content-Type": kind, "Accept": accept})
    return platform.client.post(ADDRESS + query, content=content, headers=headers)


def test_a_csv_becomes_a_workbook_with_the_duplicates_side_by_side(platform: Platform) -> None:
    rows = [{**row, "Ghi chú": "=1+1"} for row in TWICE]
    answer = send(platform, csv_of(rows), "text/csv; charset=utf-8", XLSX, caller=WHOLE)
    assert answer.status_code == 200
    book = openpyxl.load_workbook(io.BytesIO(answer.content))
    together, whole = book["Nhóm trùng"], book["Danh sách"]
    assert together.freeze_panes == "A2"
    headings = [cell.value for cell in whole[1]]
    assert headings[: len(rows[0])] == list(rows[0])
    at = {name: place for place, name in enumerate(headings)}
    assert [line[at["Kết luận"]].value for line in together.iter_rows(min_row=2)] == ["chắc chắn trùng"] * 2
    assert [line[at["Họ và tên"]].value for line in whole.iter_rows(min_row=2)] == [row["Họ và tên"] for row in rows]
    assert all(line[at["Ghi chú"]].data_type == "s" and line[at["Ghi chú"]].value == "=1+1" for line in whole.iter_rows(min_row=2))
    assert whole.cell(2, at["Mã bản ghi gốc"] + 1).value == platform.golden_of("population.persons", "7000000001")


def test_an_answer_in_csv_runs_no_formula(platform: Platform) -> None:
    answer = send(platform, csv_of([{**row, "Ghi chú": "=cmd|x"} for row in TWICE]), "text/csv", "text/csv")
    assert answer.content.startswith(b"\xef\xbb\xbf")
    assert ",'=cmd|x," in answer.text
    assert ",=cmd" not in answer.text


def test_a_column_may_be_stated(platform: Platform) -> None:
    content = csv_of([{"A": row["Họ và tên"], "B": row["Ngày sinh"]} for row in TWICE])
    found = send(platform, content, "text/csv", query="?column=A=full_name&column=B=born_on").json()
    assert found["sure"] == 2
    assert [each["attributes"] for each in found["columns"]] == [["full_name"], ["born_on"]]
    assert send(platform, content, "text/csv", query="?column=A=nothing").status_code == 422
    assert send(platform, content, "text/csv", query="?other=1").status_code == 400


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b"{}", "application/json", 422),
        (b'{"rows": []}', "application/json", 422),
        (b'{"rows": [1]}', "application/json", 422),
        (b'{"rows": [{"a": []}]}', "application/json", 422),
        (b'{"rows": [{"a": 1}], "columns": {"a": 1}}', "application/json", 422),
        (b"not json", "application/json", 400),
        (b"PK not a workbook", XLSX, 422),
        (b"", "text/csv", 422),
        (b"a,b\n1,2\n", "text/csv", 422),
        (b"a", "text/plain", 415),
        (b"a" * (LARGEST_BODY + 1), "text/csv", 413),
        ("Họ và tên\n".encode() + b"An\n" * (MOST_ROWS + 1), "text/csv", 422),
    ],
)
def test_what_cannot_be_judged_is_refused_in_both_languages(platform: Platform, content: bytes, kind: str, status: int) -> None:
    answer = send(platform, content, kind)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"]
    assert answer.json()["detail_en"]


def test_who_asks_and_why_must_be_known_and_a_refusal_is_in_the_ledger(platform: Platform) -> None:
    body = {"rows": TWICE}
    asked: list[tuple[Mapping[str, str], int, str]] = [
        ({}, 401, "no_identity"),
        (asking(STRANGER, **{"Lienthong-Purpose": ""}), 403, "no_purpose"),
        (asking(STRANGER, **{"Lienthong-Official": ""}), 403, "no_official"),
    ]
    for headers, status, rule in asked:
        answer = platform.client.post(ADDRESS, json=body, headers=dict(headers))
        assert (answer.status_code, answer.json()["rule"]) == (status, rule)
        last = platform.entries()[-1]
        assert (last["event"], last["outcome"]) == ("answer:request:denied", rule)
    assert platform.client.post("/v1/entities/ghost:deduplicate", json=body, headers=asking(STRANGER)).status_code == 404
    assert platform.ask(TWICE, Accept="image/png").status_code == 406


def test_an_answer_leaves_an_entry_without_personal_data(platform: Platform) -> None:
    platform.ask(TWICE, WHOLE)
    last = platform.entries()[-1]
    assert last["event"] == "match:entity:asked"
    assert last["details"] == {"operation": "deduplicate", "rows": 3, "sure": 2, "maybe": 0, "held": 3}
    assert last["agreement"] == "TT-toan-bo"
    assert person(1)["full_name"] not in json.dumps(last, ensure_ascii=False)


def test_nothing_of_a_list_is_kept(platform: Platform) -> None:
    tables = ("match_records", "match_goldens", "match_events", "match_acts", "landing_batches", "quarantine")

    def counts() -> list[int]:
        with platform.workshop.database.connect() as connection:
            return [connection.execute(f"select count(*) from {table}").fetchone()[0] for table in tables]  # type: ignore[index] # a count

    before = counts()
    platform.ask([row_of(n + PEOPLE) for n in range(20)], WHOLE)
    assert counts() == before


def test_a_list_is_counted_against_the_callers_quota(platform: Platform) -> None:
    statuses = [platform.ask([{"Họ và tên": "Lê An"}], "VN/GOV/H10.12/voi-vang").status_code for _ in range(21)]
    assert statuses[:20] == [200] * 20
    assert statuses[20] == 429
