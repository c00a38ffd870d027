"""Rows sent over HTTP, rows that wait, and the change feed an agency follows."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from starlette.testclient import TestClient

from lienthong.pipeline.scoring import profile_new
from lienthong.sharing.workbook import XLSX
from tests.templates import Template
from tests.web.counters import OWNER, PART, READER, SENDER, Province, asking, copied_province, entries, make_app

RECORDS = "/v1/datasets/test.people/records"
QUARANTINE = "/v1/datasets/test.people/quarantine"
CHANGES = "/v1/datasets/test.people/changes"
GOOD = {"record_no": "P9", "full_name": "Đỗ Thị Chín", "born_on": "2001-09-09", "children": 1}
BAD = {"record_no": "P8", "full_name": "", "born_on": "31/02/2001", "children": 1}


@pytest.fixture
def province(counters_template: Template, tmp_path: Path) -> Iterator[Province]:
    with copied_province(counters_template, tmp_path) as copy:
        yield copy


@pytest.fixture
def client(province: Province) -> Iterator[TestClient]:
    with TestClient(make_app(province)) as opened:
        yield opened


def send(client: TestClient, records: Any, key: str = "k1", caller: str = OWNER, **headers: str) -> Any:
    return client.post(RECORDS, json={"records": records}, headers=asking(caller, **{"Idempotency-Key": key, **headers}))


def test_each_row_gets_its_verdict_before_the_answer_leaves(client: TestClient) -> None:
    answer = send(client, [GOOD, BAD])
    assert answer.status_code == 200
    verdicts = answer.json()["verdicts"]
    assert [v["fate"] for v in verdicts] == ["published", "quarantined"]
    assert {issue["column"] for issue in verdicts[1]["issues"]} == {"full_name", "born_on"}
    found = client.get(RECORDS, params={"record_no.in": "P8,P9"}, headers=asking(READER)).json()["records"]
    assert [r["key"] for r in found] == ["P9"]


def test_the_same_key_again_gives_the_same_answer_and_does_nothing(client: TestClient, province: Province) -> None:
    first = send(client, [GOOD]).json()
    count = len(entries(province))
    again = send(client, [GOOD]).json()
    assert (first["repeated"], again["repeated"]) == (False, True)
    assert (again["run"], again["verdicts"]) == (first["run"], first["verdicts"])
    assert len(entries(province)) == count


def test_the_same_key_with_other_records_is_refused(client: TestClient) -> None:
    send(client, [GOOD])
    assert send(client, [BAD]).status_code == 409


@pytest.mark.parametrize(("caller", "status"), [(SENDER, 200), (READER, 403), (PART, 200), ("VN/GOV/H10.99/khac", 403)])
def test_only_the_owner_or_an_agreement_may_send(client: TestClient, caller: str, status: int) -> None:
    assert send(client, [GOOD], caller=caller).status_code == status


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"[" * 100_000, 400),
        (b"\xff", 400),
        (b"[]", 422),
        (b'{"records": {}}', 422),
        (b'{"records": []}', 422),
        (b'{"records": [1]}', 422),
        (b'{"records": [{"record_no": ["x"]}]}', 422),
        (b'{"records": [{"no": "x"}]}', 422),
        (b'{"records": [{"record_no": "x"}], "more": 1}', 422),
        (json.dumps({"records": [{"record_no": str(n)} for n in range(1001)]}).encode(), 422),
        (b'{"records": "' + b"x" * 5_000_001 + b'"}', 413),
    ],
)
def test_a_body_that_cannot_be_used_is_refused(client: TestClient, body: bytes, status: int) -> None:
    answer = client.post(RECORDS, content=body, headers=asking(OWNER, **{"Idempotency-Key": "k", "Content-Type": "application/json"}))
    assert answer.status_code == status


def test_only_json_and_only_with_a_key(client: TestClient) -> None:
    assert (
        client.post(RECORDS, content=b"a", headers=asking(OWNER, **{"Idempotency-Key": "k", "Content-Type": "text/csv"})).status_code == 415
    )
    for key in ("", "a b", "x" * 201):
        assert send(client, [GOOD], key=key).status_code == 400


@pytest.mark.parametrize("value", ["\x00", "a\x00b", "\ud7ff", "x" * 10_000, 10**30, 1e300, -0.0, True, "=1+1", "\u202e", " ", "𠜎"])
def test_any_value_has_a_fate(client: TestClient, value: Any) -> None:
    for column in ("record_no", "full_name", "born_on", "children"):
        answer = send(client, [GOOD | {column: value}], key=f"k-{column}")
        assert answer.status_code == 200, (column, answer.text)
        assert answer.json()["verdicts"][0]["fate"] in ("published", "quarantined", "unchanged")


def test_the_owner_sees_what_waits_and_puts_it_right(client: TestClient, province: Province) -> None:
    send(client, [BAD])
    items = client.get(QUARANTINE, headers=asking(OWNER)).json()["items"]
    assert [item["key"] for item in items] == ["P8"]
    number = items[0]["item_id"]
    still = client.post(f"{QUARANTINE}/{number}", json={"values": {"full_name": "Lý Văn Tám"}}, headers=asking(OWNER)).json()
    assert still["item"]["state"] == "waiting"
    done = client.post(
        f"{QUARANTINE}/{number}", json={"values": {"full_name": "Lý Văn Tám", "born_on": "28/02/2001"}}, headers=asking(OWNER)
    ).json()
    assert done["item"]["state"] == "released"
    assert client.get(QUARANTINE, headers=asking(OWNER)).json()["items"] == []
    assert (
        client.get(RECORDS, params={"record_no": "P8"}, headers=asking(READER)).json()["records"][0]["values"]["full_name"] == "Lý Văn Tám"
    )
    assert entries(province)[-3]["event"] == "quarantine:row:corrected"


@pytest.mark.parametrize("caller", [READER, SENDER, "VN/GOV/H10.99/khac"])
def test_nobody_else_sees_what_waits(client: TestClient, caller: str) -> None:
    send(client, [BAD])
    assert client.get(QUARANTINE, headers=asking(caller)).json()["rule"] == "not_the_owner"
    assert client.post(f"{QUARANTINE}/1", json={"values": {}}, headers=asking(caller)).status_code == 403


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        (f"{QUARANTINE}/999", {"values": {}}, 404),
        (f"{QUARANTINE}/x", {"values": {}}, 400),
        (f"{QUARANTINE}/99999999999999999999999", {"values": {}}, 400),
        ("/v1/datasets/test.codes/quarantine/1", {"values": {}}, 404),
        (f"{QUARANTINE}/1", {"values": {"no_such": "x"}}, 422),
        (f"{QUARANTINE}/1", {"values": {"full_name": 1}}, 422),
        (f"{QUARANTINE}/1", {"value": {}}, 422),
    ],
)
def test_a_correction_that_makes_no_sense_is_refused(client: TestClient, path: str, body: Any, status: int) -> None:
    send(client, [BAD])
    assert client.post(path, json=body, headers=asking(OWNER)).status_code == status


def test_the_feed_tells_of_what_was_sent(client: TestClient, province: Province) -> None:
    feed = client.get(CHANGES, headers=asking(READER)).json()
    assert [c["op"] for c in feed["changes"]] == ["insert"] * 5
    send(client, [GOOD, {**GOOD, "record_no": "P1"}])
    later = client.get(CHANGES, params={"after": feed["next"]}, headers=asking(READER)).json()
    assert [(c["op"], c["key"]) for c in later["changes"]] == [("update", "P1"), ("insert", "P9")]
    assert entries(province)[-1]["event"] == "answer:changes:given"


def test_a_feed_of_part_of_the_rows_hides_the_others_even_in_its_cursors(client: TestClient) -> None:
    feed = client.get(CHANGES, params={"limit": "3"}, headers=asking(PART)).json()
    assert [c["key"] for c in feed["changes"]] == ["P1", "P2"]
    assert feed["next"].startswith("~")
    assert feed["changes"][0]["record"]["values"]["full_name"] == "N. T. A."


def test_waiting_rows_go_out_as_a_workbook_and_come_back_mended(client: TestClient) -> None:
    send(client, [BAD])
    given = client.get(f"{QUARANTINE}/workbook", headers=asking(OWNER))
    assert (given.status_code, given.headers["content-type"], given.headers["cache-control"]) == (200, XLSX, "no-store")
    book = openpyxl.load_workbook(io.BytesIO(given.content))
    columns = {cell.value: cell.column for cell in book.active[1]}
    book.active.cell(2, columns["full_name"], "Đỗ Thị Tám")
    book.active.cell(2, columns["born_on"], "28/02/2001")
    out = io.BytesIO()
    book.save(out)
    headers = asking(OWNER, **{"Content-Type": XLSX})
    answer = client.post(f"{QUARANTINE}/workbook", content=out.getvalue(), headers=headers)
    assert (answer.status_code, answer.json()["counts"]) == (200, {"through": 1})
    again = client.post(f"{QUARANTINE}/workbook", content=out.getvalue(), headers={**headers, "Accept": XLSX})
    assert again.headers["content-type"] == XLSX
    assert any(
        "Không còn chờ" in str(cell.value) or "không còn chờ" in str(cell.value)
        for cell in openpyxl.load_workbook(io.BytesIO(again.content)).active[2]
    )
    assert client.get(f"{QUARANTINE}/workbook", headers=asking(READER)).status_code == 403
    assert client.post(f"{QUARANTINE}/workbook", content=b"no", headers=headers).status_code == 422
    assert client.post(f"{QUARANTINE}/workbook", json={}, headers=asking(OWNER)).status_code == 415


def test_a_fix_is_looked_at_then_done_and_a_stale_one_is_a_conflict(client: TestClient) -> None:
    send(client, [BAD, {**BAD, "record_no": "P7", "full_name": "Lê Bảy"}])
    fix = {"column": "born_on", "equals": "31/02/2001", "put": "28/02/2001"}
    seen = client.post(f"{QUARANTINE}/fixes", json={"fix": fix}, headers=asking(OWNER)).json()
    assert (seen["rows"], seen["hits"][0]["before"], seen["hits"][0]["after"]) == (2, "31/02/2001", "28/02/2001")
    done = client.post(f"{QUARANTINE}/fixes", json={"fix": fix, "digest": seen["digest"]}, headers=asking(OWNER))
    assert (done.status_code, done.json()["through"], done.json()["waiting"]) == (200, 1, 1)
    assert client.post(f"{QUARANTINE}/fixes", json={"fix": fix, "digest": seen["digest"]}, headers=asking(OWNER)).status_code == 409
    assert client.post(f"{QUARANTINE}/fixes", json={"fix": {"column": "born_on"}}, headers=asking(OWNER)).status_code == 422
    assert client.post(f"{QUARANTINE}/fixes", json={"fix": fix}, headers=asking(READER)).status_code == 403


def test_the_owner_sees_quality_over_time_and_nobody_else(client: TestClient, province: Province) -> None:
    send(client, [GOOD, BAD])
    profile_new(province.workshop)
    answer = client.get("/v1/datasets/test.people/quality", headers=asking(OWNER))
    assert answer.status_code == 200
    told = answer.json()
    assert told["scores"][0]["scores"]["through"] < 100
    assert {each["rule"] for each in told["rules"]} >= {"date"}
    assert GOOD["full_name"] not in answer.text
    assert client.get("/v1/datasets/test.people/quality", headers=asking(READER)).status_code == 403
