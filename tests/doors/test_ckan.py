"""CKAN's own clients read the catalogue and the rows, and understand what is refused."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from tests.doors.environments import ask
from tests.doors.province import FIGURE_DATASET, RESTRICTED, STRANGER, Province

OPEN = [
    "admin-units_changes", "admin-units_units", "agencies_register", "education_schools", "environment_readings", "health_facilities",
    "public-investment_disbursements", "public-investment_projects", "statistics_indicators",
]  # fmt: skip


def get(province: Province, action: str, **parameters: Any) -> httpx.Response:
    return httpx.get(f"{province.base}/api/3/action/{action}", params=parameters)


def result(province: Province, action: str, **parameters: Any) -> Any:
    answer = get(province, action, **parameters)
    assert answer.status_code == 200, answer.text
    return answer.json()["result"]


def test_ckanapi_reads_every_action_by_post_and_by_get(province: Province) -> None:
    by_post, by_get = ask("ckan", "actions", province.base)
    assert by_post == by_get
    assert by_post["names"] == OPEN
    assert (by_post["count"], by_post["rows"], by_post["by_id"], by_post["organization"]) == (len(OPEN), 2, OPEN[0], "Sở Nội vụ")
    assert by_post["licences"][0] == "vn-ogd"


def test_ckanapi_understands_every_refusal(province: Province) -> None:
    assert ask("ckan", "errors", province.base, RESTRICTED, province.token()) == {
        "no package": "NotFound",
        "no id": "ValidationError",
        "not open": "NotAuthorized",
        "not granted": "NotAuthorized",
        "bad token": "NotAuthorized",
        "bad query": "SearchQueryError",
        "bad filter": "ValidationError",
        "bad number": "ValidationError",
        "a change": "NotAuthorized",
        "no action": "CKANAPIError",
    }


def test_a_harvester_s_loop_ends_and_takes_every_package_once(province: Province) -> None:
    found = ask("ckan", "harvest", province.base, "2020-01-01T00:00:00")
    assert sorted(found["all"]) == sorted(found["since"]) == OPEN
    assert found["never"] == []


def test_a_subsystem_with_an_agreement_finds_a_private_package_and_its_rows(province: Province) -> None:
    found = ask("ckan", "granted", province.base, "land.parcels", province.token())
    assert (found["private"], found["rows"], found["found"]) == (True, 3, 1)


def test_the_command_line_dumps_a_data_package_and_searches(province: Province) -> None:
    found = ask("ckan", "command_line", province.base, "statistics_indicators")
    assert (found["code"], found["search"]) == (0, ["statistics_indicators"])
    assert found["head"].replace('"', "").split(",") == found["fields"]
    assert all(size > 1_000 for size in found["files"].values())


def test_a_portal_s_lists_to_choose_from_hold_what_was_typed(province: Province) -> None:
    (one,) = result(province, "package_autocomplete", q="chi tieu")
    assert (one["name"], one["match_field"]) == ("statistics_indicators", "title")
    assert [each["name"] for each in result(province, "package_autocomplete", q="", limit=2)] == OPEN[:2]
    assert [each["title"] for each in result(province, "organization_autocomplete", q="so noi vu")] == ["Sở Nội vụ"]
    assert "csv" in result(province, "format_autocomplete", q="cs")
    tag = result(province, "tag_list")[0]
    assert tag in result(province, "tag_autocomplete", q=tag[:3], limit=1_000)
    assert result(province, "tag_show", id=tag)["name"] == tag
    assert tag in {each["name"] for each in result(province, "tag_show", id=tag, include_datasets="true")["packages"][0]["tags"]}
    group = result(province, "group_list")[0]
    assert {each["name"] for each in result(province, "group_package_show", id=group)} <= set(OPEN)
    files = result(province, "resource_search", query="format:csv", limit=1_000)
    assert files["count"] == len(files["results"]) >= len(OPEN)
    assert {each["format"].lower() for each in files["results"]} == {"csv"}
    assert result(province, "vocabulary_list") == result(province, "organization_list_for_user") == []


def test_facets_count_what_was_found(province: Province) -> None:
    found = result(province, "package_search", fq="organization:h10_02", **{"facet.field": '["organization","tags","res_format"]'}, rows=0)
    assert (found["count"], found["results"]) == (3, [])
    assert found["facets"]["organization"] == {"h10_02": 3}
    item = found["search_facets"]["organization"]["items"][0]
    assert (item["name"], item["display_name"], item["count"]) == ("h10_02", "Sở Nội vụ", 3)


def test_words_are_found_without_marks_and_by_what_they_are_short_for(province: Province) -> None:
    names = [each["name"] for each in result(province, "package_search", q="don vi hanh chinh")["results"]]
    assert set(names[:2]) == {"admin-units_changes", "admin-units_units"}


@pytest.mark.parametrize(
    ("parameters", "rows"),
    [
        ({"filters": '{"year": 2019, "indicator_code": ["CN01", "DS01"]}', "limit": 0}, 0),
        ({"filters": '{"unit": null}'}, 0),
        ({"q": "phước long", "limit": 2}, 2),
        ({"fields": "district,value", "sort": "value desc", "limit": 1, "offset": 1}, 1),
        ({"sort": "_id asc", "limit": 5, "include_total": "false"}, 5),
    ],
)
def test_rows_are_filtered_sorted_and_paged(province: Province, parameters: dict[str, Any], rows: int) -> None:
    found = result(province, "datastore_search", resource_id=FIGURE_DATASET, **parameters)
    assert len(found["records"]) == rows
    assert ("total" in found) == (parameters.get("include_total") != "false")


def test_records_come_as_objects_lists_and_text(province: Province) -> None:
    asked = {"resource_id": FIGURE_DATASET, "limit": 2, "fields": '["year","district"]'}
    objects, lists, text = (
        result(province, "datastore_search", **asked, records_format=form)["records"] for form in ("objects", "lists", "csv")
    )
    assert [list(each.values()) for each in objects] == lists
    assert text == "".join(f"{year},{district}\n" for year, district in lists)


def test_a_page_leaves_its_entry_and_a_refusal_too(province: Province) -> None:
    before = _entries(province)
    result(province, "datastore_search", resource_id=FIGURE_DATASET, limit=3)
    assert get(province, "datastore_search", resource_id=RESTRICTED).status_code == 403
    given, denied = _entries(province)[len(before) :]
    assert (given["event"], given["details"]["door"], given["details"]["records"]) == ("answer:page:given", "ckan", 3)
    assert (denied["event"], denied["outcome"]) == ("answer:request:denied", "no_identity")


def _entries(province: Province) -> list[dict[str, Any]]:
    from tests.store.ledgers import entries_of

    return [each for each in entries_of(province.workshop.database, province.workshop.signer) if each["event"].startswith("answer:")]


def test_what_a_token_does_not_open_is_not_there(province: Province) -> None:
    headers = {"Authorization": province.token(STRANGER)}
    names = httpx.get(f"{province.base}/api/action/package_list?include_private=true", headers=headers).json()["result"]
    assert names == OPEN


HOSTILE: list[tuple[str, dict[str, Any], int, str]] = [
    ("package_search", {"q": "(" * 5_000}, 400, "Search Query Error"),
    ("package_search", {"q": "(" * 50 + "a" + ")" * 50}, 400, "Search Query Error"),
    ("package_search", {"q": "{!xmlparser v='<!DOCTYPE a SYSTEM \"http://127.0.0.1\">'}"}, 400, "Search Query Error"),
    ("package_search", {"fq": "nonsense:1"}, 400, "Search Query Error"),
    ("package_search", {"fq": "metadata_modified:[yesterday TO *]"}, 400, "Search Query Error"),
    ("package_search", {"sort": "id; drop table"}, 400, "Search Query Error"),
    ("package_search", {"q": "a\x00b"}, 409, "Validation Error"),
    ("resource_search", {}, 409, "Validation Error"),
    ("resource_search", {"query": "hash:1"}, 409, "Validation Error"),
    ("resource_search", {"query": {"name": "x"}}, 409, "Validation Error"),
    ("resource_search", {"query": "name:a", "order_by": "1; drop"}, 409, "Validation Error"),
    ("tag_show", {"id": "../../etc/passwd"}, 404, "Not Found Error"),
    ("group_package_show", {"id": "x' or 1=1"}, 404, "Not Found Error"),
    ("package_autocomplete", {"q": ["a"]}, 409, "Validation Error"),
    ("package_autocomplete", {"q": "x" * 10_001}, 409, "Validation Error"),
    ("package_search", {"shards": "127.0.0.1:8983"}, 409, "Validation Error"),
    ("package_search", {"rows": -1}, 409, "Validation Error"),
    ("package_search", {"facet.field": "[1, 2]"}, 409, "Validation Error"),
    ("package_show", {"id": "'; drop table datasets; --"}, 404, "Not Found Error"),
    ("package_show", {"id": {"a": 1}}, 409, "Validation Error"),
    ("datastore_search", {"resource_id": FIGURE_DATASET, "filters": {"year": {"$gt": 1}}}, 409, "Validation Error"),
    ("datastore_search", {"resource_id": FIGURE_DATASET, "filters": {"year": "1 or 1=1"}}, 409, "Validation Error"),
    ("datastore_search", {"resource_id": FIGURE_DATASET, "filters": {"year": 10**30}}, 409, "Validation Error"),
    ("datastore_search", {"resource_id": FIGURE_DATASET, "filters": [1]}, 409, "Validation Error"),
    ("datastore_search", {"resource_id": FIGURE_DATASET, "sort": "value desc; select 1"}, 409, "Validation Error"),
    ("datastore_search", {"resource_id": FIGURE_DATASET, "fields": "value) from x--"}, 409, "Validation Error"),
    ("datastore_search", {"resource_id": FIGURE_DATASET, "offset": 10**9}, 409, "Validation Error"),
    ("datastore_search", {"resource_id": FIGURE_DATASET, "distinct": True}, 409, "Validation Error"),
    ("datastore_search", {"resource_id": FIGURE_DATASET, "sql": "select 1"}, 409, "Validation Error"),
    ("datastore_search", {"resource_id": FIGURE_DATASET, "q": "\ud800"}, 409, "Validation Error"),
    ("resource_patch", {"id": "x"}, 403, "Authorization Error"),
]  # fmt: skip


@pytest.mark.parametrize(("action", "sent", "status", "kind"), HOSTILE)
def test_hostile_calls_are_refused_in_ckan_s_own_words(
    province: Province, action: str, sent: dict[str, Any], status: int, kind: str
) -> None:
    answer = httpx.post(f"{province.base}/api/action/{action}", content=json.dumps(sent))
    assert (answer.status_code, answer.json()["success"], answer.json()["error"]["__type"]) == (status, False, kind), answer.text
    assert answer.json()["error"]["message"]


@pytest.mark.parametrize("body", [b"{", b"[1]", b'"x"', b'{"a": NaN}', b"[" * 100_000, b"\xff\xfe", b"x" * 300_000])
def test_a_body_that_is_no_call_is_refused(province: Province, body: bytes) -> None:
    answer = httpx.post(f"{province.base}/api/action/package_show", content=body)
    assert answer.status_code in (400, 409)
    assert answer.headers["content-type"] == "application/json"
