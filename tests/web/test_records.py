"""Lists and whole answers over HTTP: rights, filters, pages, files, and the entry each leaves."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet
from starlette.testclient import TestClient

from lienthong.sharing.formats import ARROW, CSV, PARQUET
from tests.templates import Template
from tests.web.counters import ASKING, OWNER, PART, READER, ROWS, SENDER, Province, asking, copied_province, entries, make_app

LIST = "/v1/datasets/test.people/records"
CODES = "/v1/datasets/test.codes/records"


@pytest.fixture
def province(counters_template: Template, tmp_path: Path) -> Iterator[Province]:
    with copied_province(counters_template, tmp_path) as copy:
        yield copy


@pytest.fixture
def client(province: Province) -> Iterator[TestClient]:
    with TestClient(make_app(province)) as opened:
        yield opened


def keys(answer: Any) -> list[str]:
    return [record["key"] for record in answer.json()["records"]]


def events(province: Province) -> list[tuple[str, str, str]]:
    bodies = entries(province)
    return [(b["event"], b["caller"], b.get("outcome", "")) for b in bodies if not b["event"].startswith(("run:", "contract:"))]


def test_a_page_holds_records_with_their_three_kinds_of_missing_value(client: TestClient) -> None:
    answer = client.get(LIST, headers=asking(READER))
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    body = answer.json()
    assert (body["dataset"], body["version"], body["next"]) == ("test.people", 1, None)
    assert body["records"][4] == {
        "key": "P5",
        "version": 1,
        "valid_from": "2026-07-01",
        "values": {"record_no": "P5", "full_name": "Phạm Thị Em", "born_on": None, "children": None, "phone": None},
        "withheld": [],
        "not_delivered": ["phone"],
    }


def test_an_agreement_gives_its_rows_and_fields_and_no_more(client: TestClient) -> None:
    records = client.get(LIST, headers=asking(PART)).json()["records"]
    assert [r["key"] for r in records] == ["P1", "P2"]
    assert records[0]["values"] == {"record_no": "P1", "full_name": "N. T. A.", "born_on": "1980"}
    assert records[0]["withheld"] == ["children", "phone"]


def test_the_row_filter_cannot_be_widened(client: TestClient) -> None:
    assert keys(client.get(LIST, params={"record_no.in": "P1,P3"}, headers=asking(PART))) == ["P1"]


@pytest.mark.parametrize("parameters", [{"children": "2"}, {"sort": "full_name"}, {"born_on.gte": "1980-01-01"}, {"sort": "-phone"}])
def test_what_is_not_seen_whole_neither_filters_nor_sorts(client: TestClient, province: Province, parameters: dict[str, str]) -> None:
    answer = client.get(LIST, params=parameters, headers=asking(PART))
    assert answer.status_code == 403
    assert answer.json()["rule"] == "field_not_visible"


def test_pages_follow_each_other_while_the_dataset_changes(client: TestClient, province: Province) -> None:
    first = client.get(LIST, params={"limit": "2", "sort": "-children"}, headers=asking(READER))
    assert keys(first) == ["P4", "P2"]
    province.publish_people([("P1", "Nguyễn Thị An", "07/03/1980", 9), ("P6", "Hồ Văn Sáu", "01/01/2000", 8)])
    found = []
    cursor = first.json()["next"]
    while cursor:
        page = client.get(LIST, params={"limit": "2", "sort": "-children", "cursor": cursor}, headers=asking(READER))
        found += keys(page)
        cursor = page.json()["next"]
    assert found == ["P1", "P3", "P5"]
    assert keys(client.get(LIST, headers=asking(READER))) == ["P1", "P6"]


def test_a_cursor_serves_only_its_own_question(client: TestClient) -> None:
    cursor = client.get(LIST, params={"limit": "1"}, headers=asking(READER)).json()["next"]
    answer = client.get(LIST, params={"limit": "1", "cursor": cursor, "children": "0"}, headers=asking(READER))
    assert answer.status_code == 400


def test_the_past_is_answered_on_both_axes(client: TestClient, province: Province) -> None:
    province.publish_people([ROWS[0]])
    known = client.get("/v1/datasets/test.people").json()["versions"][-1]["known_at"]
    assert len(keys(client.get(LIST, params={"known_at": known}, headers=asking(READER)))) == 5
    assert keys(client.get(LIST, params={"known_at": "2020-01-01T00:00:00Z"}, headers=asking(READER))) == []
    assert keys(client.get(LIST, params={"as_of": "2026-06-30"}, headers=asking(READER))) == []


def test_a_parameter_nobody_knows_is_refused_with_the_nearest(client: TestClient) -> None:
    answer = client.get(LIST, params={"childen": "2"}, headers=asking(READER))
    assert answer.status_code == 400
    assert "`children`" in answer.json()["hint"]


@pytest.mark.parametrize(
    ("caller", "headers", "status", "rule"),
    [
        (None, {}, 401, "no_identity"),
        ("VN/GOV/H10.99/khac", {}, 403, "no_agreement"),
        (SENDER, {}, 403, "other_operation"),
        (READER, {"Lienthong-Purpose": "khac"}, 403, "other_purpose"),
        (READER, {"Lienthong-Purpose": ""}, 403, "no_purpose"),
        (READER, {"Lienthong-Official": " "}, 403, "no_official"),
        (None, {"Authorization": "Bearer abc"}, 401, "unauthenticated"),
    ],
)
def test_a_denial_names_its_rule_and_is_in_the_ledger(
    client: TestClient, province: Province, caller: str | None, headers: dict[str, str], status: int, rule: str
) -> None:
    answer = client.get(LIST, headers=(asking(caller) if caller else ASKING) | headers)
    body = answer.json()
    assert (answer.status_code, body.get("rule", body["code"])) == (status, rule)
    assert events(province)[-1] == ("answer:request:denied", caller or "anonymous", rule)


def test_every_page_leaves_one_entry(client: TestClient, province: Province) -> None:
    client.get(LIST, headers=asking(READER))
    client.get(CODES)
    assert events(province) == [("answer:page:given", READER, "given"), ("answer:page:given", "anonymous", "given")]


def test_open_data_needs_neither_token_nor_purpose(client: TestClient) -> None:
    answer = client.get(CODES)
    assert [r["values"] for r in answer.json()["records"]] == [{"code": "01", "label": "Một"}, {"code": "02", "label": "Hai"}]
    assert "public" in answer.headers["cache-control"]


def test_a_csv_is_whole_and_runs_nothing(client: TestClient, province: Province) -> None:
    answer = client.get(LIST, params={"bom": "true"}, headers=asking(READER, Accept=CSV))
    assert answer.content.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert rows[0] == ["record_no", "full_name", "born_on", "children", "phone"]
    assert rows[4][1] == "'=Nguyễn Văn Dũng"
    assert len(rows) == 6
    assert answer.headers["lienthong-not-delivered"] == "phone"
    assert [e[0] for e in events(province)] == ["answer:bulk:begun", "answer:bulk:ended"]
    ended = entries(province)[-1]
    assert ended["details"] == {"bytes": len(answer.content), "format": CSV, "rows": 5}
    assert ended["outcome"] == "complete"


def test_arrow_and_parquet_hold_what_the_agreement_gives(client: TestClient) -> None:
    arrow = client.get(LIST, params={"sort": "-record_no"}, headers=asking(PART, Accept=ARROW))
    expected = [
        {"record_no": "P2", "full_name": "T. V. B.", "born_on": "1975"},
        {"record_no": "P1", "full_name": "N. T. A.", "born_on": "1980"},
    ]
    assert pa.ipc.open_stream(arrow.content).read_all().to_pylist() == expected
    file = client.get(LIST, params={"record_no": "P9"}, headers=asking(PART, Accept=PARQUET))
    table = parquet.read_table(io.BytesIO(file.content))
    assert (table.num_rows, table.column_names) == (0, ["record_no", "full_name", "born_on"])
    assert file.headers["lienthong-withheld"] == "children,phone"


def test_a_whole_parquet_file_given_before_is_given_again_under_the_same_right_alone(client: TestClient, province: Province) -> None:
    def whole(caller: str) -> Any:
        return client.get(LIST, headers=asking(caller, Accept=PARQUET))

    first, again, other = whole(READER), whole(READER), whole(PART)
    assert first.content == again.content
    assert again.headers["content-length"] == str(len(first.content))
    assert parquet.read_table(io.BytesIO(other.content)).column_names == ["record_no", "full_name", "born_on"]
    ended = [entry for entry in entries(province)[-6:] if entry["event"] == "answer:bulk:ended"]
    rows = parquet.read_table(io.BytesIO(first.content)).num_rows
    assert ended[0]["details"] == ended[1]["details"] == {"bytes": len(first.content), "format": PARQUET, "rows": rows}
    assert ended[0]["answer_digest"] == ended[1]["answer_digest"]
    assert whole(SENDER).status_code == 403  # that it lies ready gives nobody a right to it


def test_a_client_that_leaves_is_in_the_ledger_too(province: Province) -> None:
    import anyio

    async def leave() -> None:
        app = make_app(province)
        sent: list[Any] = []

        async def receive() -> dict[str, Any]:
            if sent:
                return {"type": "http.disconnect"}
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)
            if message["type"] == "http.response.body":
                raise OSError

        scope = {
            "type": "http", "asgi": {"version": "3.0", "spec_version": "2.4"}, "http_version": "1.1", "method": "GET", "path": CODES,
            "raw_path": CODES.encode(), "query_string": b"", "headers": [(b"accept", b"text/csv")], "scheme": "http",
            "server": ("testserver", 80), "client": ("127.0.0.1", 1), "root_path": "",
        }  # fmt: skip
        try:
            await app(scope, receive, send)
        except Exception as error:
            assert "Disconnect" in type(error).__name__ or isinstance(error, OSError)  # noqa: PT017 # either way it left

    anyio.run(leave)
    assert events(province)[-1] == ("answer:bulk:ended", "anonymous", "broken")


@pytest.mark.parametrize("accept", ["text/html", "image/png"])
def test_a_format_there_is_not_is_refused(client: TestClient, accept: str) -> None:
    assert client.get(CODES, headers={"Accept": accept}).status_code == 406


def test_a_file_takes_no_cursor(client: TestClient) -> None:
    assert client.get(CODES, params={"cursor": "x"}, headers={"Accept": CSV}).status_code == 400


def test_head_answers_without_a_body(client: TestClient, province: Province) -> None:
    for accept in ("application/json", CSV):
        answer = client.head(LIST, headers=asking(READER, Accept=accept))
        assert (answer.status_code, answer.content) == (200, b"")
    assert [e[0] for e in events(province)] == ["answer:page:given"]


def test_the_catalogue_tells_of_every_dataset_without_data(client: TestClient) -> None:
    found = {d["id"]: d for d in client.get("/v1/datasets").json()["datasets"]}
    assert (found["test.people"]["records"], found["test.people"]["version"]) == (5, 1)
    shown = client.get("/v1/datasets/test.people").json()
    assert [f["name"] for f in shown["fields"]] == ["record_no", "full_name", "born_on", "children", "phone"]
    assert client.get("/v1/datasets/test.nothing").status_code == 404


def test_the_owner_reads_its_register_back_whole_and_nobody_else_does(client: TestClient) -> None:
    answer = client.get(LIST, headers=asking(OWNER)).json()
    assert (len(answer["records"]), answer["records"][0]["withheld"]) == (5, [])
    assert client.get(LIST, headers=asking("VN/GOV/H10.99/khac")).status_code == 403
