"""The catalogue over HTTP: found, narrowed, told whole; dictionary and inventory out and in; the list of open data."""

from __future__ import annotations

import io
from datetime import date
from typing import Any

import httpx
import openpyxl
import pytest

from lienthong.access import Actor, Role
from lienthong.access.opening import OpenAct
from lienthong.pipeline.opening import Said, move
from tests.doors.province import CALLER, Province
from tests.patience import until

OFFICER = Actor("can-bo-01", "H10.10", frozenset({Role.DATA_OFFICER}))
LEADER = Actor("lanh-dao", "H10.01", frozenset({Role.LEADER}))


def asked(province: Province, **parameters: str) -> dict[str, Any]:
    found: dict[str, Any] = httpx.get(f"{province.base}/v1/catalogue", params=parameters).raise_for_status().json()
    return found


def entry(province: Province, kind: str, id: str) -> dict[str, Any]:
    found: dict[str, Any] = httpx.get(f"{province.base}/v1/catalogue/{kind}/{id}").raise_for_status().json()
    return found


def headers(province: Province) -> dict[str, str]:
    return {"Authorization": f"Bearer {province.token(CALLER)}", "Lienthong-Official": "can-bo-12"}


def test_every_kind_of_thing_is_found_and_its_entry_opens(province: Province) -> None:
    kinds = {each["value"]: each["count"] for each in asked(province)["facets"]["kind"]}
    assert {"dataset", "code_list", "indicator", "agency"} <= set(kinds)
    for kind in (*kinds, "unit"):
        first = asked(province, kind=kind, limit="1")["entries"][0]
        told = entry(province, kind, first["id"])
        assert (told["kind"], told["id"]) == (kind, first["id"])
        assert told["title"]


def test_words_without_marks_abbreviations_and_places_find_what_they_mean(province: Province) -> None:
    assert asked(province, q="quan trac")["entries"][0]["id"] == "environment.readings"
    assert asked(province, q="thửa đất")["entries"][0]["id"] == "land.parcels"
    assert "H10" in {each["id"][:3] for each in asked(province, q="ubnd huyện", kind="agency")["entries"]}
    assert {each["kind"] for each in asked(province, q="Đồng Xoài")["entries"]} >= {"unit"}


def test_an_indicator_reckoned_from_a_file_is_found_beside_those_of_yearbooks_and_stands_in_the_lineage(province: Province) -> None:
    found = {each["id"] for each in asked(province, q="hộ nghèo", kind="indicator")["entries"]}
    assert "poor-rate" in found
    told = entry(province, "indicator", "poor-rate")
    assert told["reads"] == ["statistics.indicators"]
    assert told["owner"]["agency"]
    assert "poor-rate" in {each["id"] for each in entry(province, "dataset", "statistics.indicators")["lineage"]["indicators"]}


def test_facets_narrow_and_pages_follow_each_other(province: Province) -> None:
    whole = asked(province, limit="100", kind="agency")
    first = asked(province, limit="5", kind="agency")
    assert first["total"] == whole["total"] == len(whole["entries"])
    seen, page = list(first["entries"]), first
    while page["next"]:
        page = httpx.get(province.base + page["next"]).raise_for_status().json()
        seen += page["entries"]
    assert [each["id"] for each in seen] == [each["id"] for each in whole["entries"]]


def test_an_entry_says_who_answers_on_which_basis_from_where_and_how_complete_it_is(province: Province) -> None:
    told = entry(province, "dataset", "land.parcels")
    assert told["owner"]["agency"] == "H10.10"
    assert told["focal_officer"]
    reached = entry(province, "dataset", "statistics.indicators")["contacts"]
    assert [each["address"].partition(":")[0] for each in reached] == ["mailto", "tel"]
    assert entry(province, "agency", "G12.70.02")["contacts"] == reached
    assert f'href="{reached[0]["address"]}"' in httpx.get(f"{province.base}/datasets/statistics.indicators").text
    turtle = httpx.get(f"{province.base}/dataset/statistics.indicators.ttl").text
    assert f"vcard:hasEmail <{reached[0]['address']}>" in turtle
    assert all(basis["valid_from"] for basis in told["legal_basis"])
    assert told["consumers"][0]["system"] == "Cửa sổ"
    assert {"column", "direction", "kind", "name", "other"} <= set(told["lineage"]["columns"][0])
    assert told["lineage"]["runs"][0]["rows_in"] > 0
    assert 0 <= told["completeness"]["percent"] <= 100
    assert all(gap["fix"] and gap["fix_en"] for gap in told["completeness"]["gaps"])
    described = {way["name"]: httpx.get(way["description"]).status_code for way in told["ways"] if way["description"]}
    assert set(described.values()) <= {200, 401, 403}, described
    assert (described["json"], described["events"]) == (200, 200)


def test_every_open_file_listed_as_a_way_can_be_had(province: Province) -> None:
    ways = [way for way in entry(province, "dataset", "statistics.indicators")["ways"] if way["kind"] != "service"]
    assert {"csv", "xlsx", "parquet"} <= {way["name"] for way in ways}
    for way in ways:
        answer = httpx.get(way["address"])
        assert answer.is_success
        assert answer.headers["content-type"].startswith(way["media_type"])


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v1/catalogue?limit=0", 400), ("/v1/catalogue?limit=101", 400), ("/v1/catalogue?offset=-1", 400), ("/v1/catalogue?nope=1", 400),
        ("/v1/catalogue?q=" + "x" * 301, 400), ("/v1/catalogue?q=%00", 400), ("/v1/catalogue/dataset/none", 404), ("/v1/catalogue/kindless/x", 404),
        ("/v1/catalogue/unit/99999", 404), ("/v1/catalogue?state=none", 200), ("/v1/open-data?state=none", 400), ("/v1/open-data/none", 404),
        ("/v1/catalogue/dataset/statistics.indicators~x", 404), ("/v1/catalogue/indicator/~", 404),
    ],
)  # fmt: skip
def test_odd_questions_are_answered_in_words(province: Province, path: str, status: int) -> None:
    answer = httpx.get(province.base + path)
    assert answer.status_code == status
    if status != 200:
        assert answer.json()["detail_en"] or answer.json()["detail"]


def test_pages_show_facets_entries_and_the_list(province: Province) -> None:
    for path, words in {
        "/datasets": "Loại mục", "/datasets?kind=agency&q=so": "Cơ quan", "/datasets?theme=land": "Thửa đất", "/catalogue/agency/H10.10": "Chịu trách nhiệm về",
        "/catalogue/code_list/agencies.register~kind": "inspectorate", "/open-data": "Danh mục dữ liệu mở", "/datasets/land.parcels": "Mô tả đầy đủ",
    }.items():  # fmt: skip
        page = httpx.get(province.base + path, headers={"Accept": "text/html"})
        assert page.status_code == 200, path
        assert words in page.text, path
    moved = httpx.get(province.base + "/catalogue/dataset/land.parcels")
    assert (moved.status_code, moved.headers["location"]) == (308, "/datasets/land.parcels")


def test_the_dictionary_compared_with_itself_is_the_same_whatever_the_form(province: Province) -> None:
    root = f"{province.base}/v1/catalogue/dictionary"
    whole = len(httpx.get(f"{root}.json").json()["elements"])
    for form, kind in (("json", "application/json"), ("csv", "text/csv"), ("xlsx", httpx.get(f"{root}.xlsx").headers["content-type"])):
        sent = httpx.get(f"{root}.{form}").content
        told = httpx.post(f"{root}:compare", content=sent, headers={"Content-Type": kind}).raise_for_status().json()
        assert told["counts"] == {"same": whole, "different": 0, "missing_here": 0, "missing_there": 0}, form


def test_inventory_goes_out_comes_back_changed_and_faults_are_told_by_row(province: Province) -> None:
    root = f"{province.base}/v1/catalogue/inventory"
    given = httpx.get(f"{root}.xlsx", params={"agency": "H10.12"}).raise_for_status()
    book = openpyxl.load_workbook(io.BytesIO(given.content))
    sheet = book.active
    headings = [cell.value for cell in sheet[1]]
    place = {name: number + 1 for number, name in enumerate(headings)}
    last = sheet.max_row
    connected = [sheet.cell(row, place["Tên hệ thống, cơ sở dữ liệu"]).value for row in range(2, last + 1)]
    for row, values in enumerate(
        [
            {"Tên hệ thống, cơ sở dữ liệu": "CSDL việc làm", "Năm đưa vào sử dụng": "2021", "Dừng sử dụng?": "có"},
            {"Tên hệ thống, cơ sở dữ liệu": "CSDL người có công", "Năm đưa vào sử dụng": "hai nghìn"},
            {"Tên hệ thống, cơ sở dữ liệu": "CSDL của sở khác", "Mã cơ quan chủ quản": "H10.10"},
            {"Địa chỉ": "javascript:alert(1)"},
        ],
        last + 1,
    ):
        for name, value in values.items():
            sheet.cell(row, place[name], value)
    out = io.BytesIO()
    book.save(out)
    send = {"content": out.getvalue(), "headers": {**headers(province), "Content-Type": given.headers["content-type"]}}
    told = httpx.post(root, **send).raise_for_status().json()  # type: ignore[arg-type]
    assert told["new"] >= 1
    assert {fault["row"] for fault in told["faults"]} == {last + 2, last + 3, last + 4}
    assert httpx.post(root, **send).json()["new"] == 0  # type: ignore[arg-type]  # the same sheet twice changes nothing
    found = asked(province, q="viec lam", kind="known")["entries"]
    assert [each["title"] for each in found] == ["CSDL việc làm"]
    assert found[0]["state"] == "draft"
    assert not [each for each in asked(province, kind="known", limit="100")["entries"] if each["title"] in connected]
    again = httpx.get(f"{root}.csv", params={"agency": "H10.12"}).content.decode("utf-8-sig")
    assert "CSDL việc làm" in again
    assert "Chưa kết nối" in again


def test_nobody_hands_an_inventory_in_without_saying_who_they_are(province: Province) -> None:
    answer = httpx.post(f"{province.base}/v1/catalogue/inventory", content=b"a,b", headers={"Content-Type": "text/csv"})
    assert answer.status_code == 401


def test_data_that_is_suspended_on_the_list_is_given_to_nobody_in_particular_until_it_is_open_again(
    province: Province, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset, owner = "environment.readings", province.workshop.contracts["environment.readings"].agency
    officer = Actor("can-bo-01", owner, frozenset({Role.DATA_OFFICER}))
    records = f"{province.base}/v1/datasets/{dataset}/records?limit=1"
    key = httpx.get(records).raise_for_status().json()["records"][0]["key"]
    looked_up = f"{province.base}/v1/datasets/{dataset}/records/{key}"
    assert httpx.get(looked_up).status_code == 200
    for actor, act, said in (
        (officer, OpenAct.PROPOSE, Said()),
        (LEADER, OpenAct.APPROVE, Said(decision="123/QĐ-UBND")),
    ):
        move(province.workshop, actor, dataset, act, said)
    refused = until_status(records, 403)
    assert refused.json()["rule"] == "not_open_now"
    assert httpx.get(f"{province.base}/datasets/{dataset}/download/csv").status_code == 403
    assert httpx.get(looked_up).json()["rule"] == "not_open_now"
    assert "dcat:distribution" not in httpx.get(f"{province.base}/dataset/{dataset}.ttl").text
    listed = httpx.get(f"{province.base}/v1/open-data").json()["entries"]
    assert [(each["dataset"], each["state"]) for each in listed] == [(dataset, "approved")]
    assert {due["what"] for due in listed[0]["due"]} == {"review"}
    assert entry(province, "dataset", dataset)["open_data"]["state"] == "approved"
    denied = httpx.post(f"{province.base}/v1/open-data/{dataset}/plan", json={"publish_on": "2099-01-01"}, headers=headers(province))
    assert (denied.status_code, denied.json()["rule"]) == (403, "other_agency")
    monkeypatch.setattr("lienthong.pipeline.opening.require_checked", lambda connection, contract, at: None)
    for act, said in ((OpenAct.PLAN, Said(publish_on=date(2099, 1, 1))), (OpenAct.OPEN, Said())):
        move(province.workshop, officer, dataset, act, said)
    assert until_status(records, 200).json()["records"][0]["key"] == key


def until_status(address: str, status: int) -> httpx.Response:
    """The answer, once the serving process has heard of the change (within a second or two)."""
    return until(lambda: answer if (answer := httpx.get(address)).status_code == status else None, f"an answer of {status}")
