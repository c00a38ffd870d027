"""A steward's desk over HTTP: what waits and why, decisions two persons must share, undoing, values set by hand, nobody else's business."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from lienthong.clock import vietnam_date
from lienthong.pipeline import overriding
from tests.registers import person
from tests.web.counters import asking
from tests.web.test_identities import Platform, insured, platform, record

__all__ = ["platform"]  # a fixture of the same registers

KEEPER = "VN/GOV/H10.11/quan-tri"  # the agency that keeps the golden records
OUTSIDER = "VN/GOV/H10.12/toan-bo"


def ask(platform: Platform, method: str, path: str, document: Any = None, official: str = "can-bo-a", caller: str = KEEPER) -> Any:
    headers = asking(caller, **{"Lienthong-Official": official})
    return platform.client.request(method, f"/v1/stewardship/{path}", json=document, headers=headers)


def named(name: tuple[str, str]) -> dict[str, str]:
    return {"source": name[0], "key": name[1]}


def decision(left: tuple[str, str], right: tuple[str, str], verdict: str) -> dict[str, Any]:
    return {"left": named(left), "right": named(right), "verdict": verdict, "reason": "xác minh"}


def test_what_waits_is_shown_side_by_side_with_reasons_that_add_up(platform: Platform) -> None:
    ask(platform, "POST", "person/decisions", decision(record(51), record(53), "same"))  # two numbers: waits for a second person
    answer = ask(platform, "GET", "person/queue?limit=100", official="can-bo-b")
    assert answer.status_code == 200
    item = next(each for each in answer.json()["items"] if {each["left"]["key"], each["right"]["key"]} == {record(51)[1], record(53)[1]})
    assert "citizen_id" in item["differ"]
    assert item["left"]["content"]["full_name"] in (person(51)["full_name"], person(53)["full_name"])
    assert sum(line["bits"] for line in item["reasons"]) == pytest.approx(item["bits"])
    assert platform.last_entry()["event"] == "match:queue:read"
    assert (platform.last_entry()["caller"], platform.last_entry()["official"]) == (KEEPER, "can-bo-b")
    hidden = ask(platform, "GET", "person/queue?limit=100", official="can-bo-c").json()["items"]
    assert item["item"] not in {each["item"] for each in hidden}  # open on another's desk
    assert ask(platform, "POST", f"person/items/{item['item']}/defer", {"until": "2030-01-01T00:00:00+07:00"}).status_code == 200
    assert ask(platform, "POST", f"person/items/{item['item']}/defer", {"until": "2030-01-01"}).status_code == 422


def test_a_join_of_two_numbers_needs_two_persons_and_is_undone_by_its_act(platform: Platform) -> None:
    before = (platform.golden(31), platform.golden(33))
    first = ask(platform, "POST", "person/decisions", decision(record(31), record(33), "same"))
    assert (first.status_code, first.json()["type"]) == (409, "urn:lienthong:problem:conflict")
    assert ask(platform, "POST", "person/decisions", decision(record(31), record(33), "same")).status_code == 409
    done = ask(platform, "POST", "person/decisions", decision(record(33), record(31), "same"), official="can-bo-b")
    assert done.status_code == 200
    assert done.json()["events"] == {"merged": 1}
    assert platform.golden(31) == platform.golden(33)
    act = done.json()["act"]
    told = ask(platform, "GET", f"person/acts/{act}").json()
    assert (told["kind"], told["by"], told["undone_by"]) == ("decision", "can-bo-b", None)
    assert ask(platform, "POST", f"person/acts/{act}/undo", {"reason": " "}).status_code == 422
    assert ask(platform, "POST", f"person/acts/{act}/undo", {"reason": "hai người"}, "kiem-toan").status_code == 200
    assert (platform.golden(31), platform.golden(33)) == before
    assert ask(platform, "POST", f"person/acts/{act}/undo", {"reason": "lần nữa"}).status_code == 409


def test_the_first_of_two_words_outlives_what_happens_meanwhile(platform: Platform) -> None:
    assert ask(platform, "POST", "person/decisions", decision(record(61), record(63), "same")).status_code == 409
    ask(platform, "POST", "person/decisions", decision(record(61), record(62), "apart"))  # links the component of 61 anew
    assert ask(platform, "POST", "person/decisions", decision(record(61), record(63), "same"), official="can-bo-b").status_code == 200
    assert platform.golden(61) == platform.golden(63)


def test_a_golden_record_is_split_and_its_dossier_says_so(platform: Platform) -> None:
    id = platform.golden(40)
    done = ask(platform, "POST", "person/splits", {"groups": [[named(record(40))], [named(insured(40))]], "reason": "hai người"})
    assert done.status_code == 200
    dossier = ask(platform, "GET", f"person/goldens/{id}").json()
    assert [each["key"] for each in dossier["records"]] == [record(40)[1]]
    assert "split" in {each["kind"] for each in dossier["events"]}
    why = ask(
        platform,
        "GET",
        f"person/pairs?left_source={record(40)[0]}&left_key={record(40)[1]}&right_source={insured(40)[0]}&right_key={insured(40)[1]}",
    )
    assert sum(line["bits"] for line in why.json()["reasons"]) == pytest.approx(why.json()["bits"])


def test_a_value_set_by_hand_shows_until_it_is_withdrawn(platform: Platform) -> None:
    id = platform.golden(44)
    path = f"person/goldens/{id}/values/phone"
    assert ask(platform, "PUT", path, {"value": "0611111111", "reason": "giấy khai"}).status_code == 200
    assert platform.get(f"person/{id}").json()["values"]["phone"] == "0611111111"
    assert ask(platform, "GET", f"person/goldens/{id}").json()["overrides"][0]["by"] == "can-bo-a"
    assert ask(platform, "PUT", path, {"value": "0611111111", "reason": ""}).status_code == 422
    assert ask(platform, "PUT", path, {"value": 5, "reason": "x"}).status_code == 422
    assert ask(platform, "PUT", f"person/goldens/{id}/values/shoe_size", {"value": "42", "reason": "x"}).status_code == 422
    assert ask(platform, "POST", f"{path}/withdraw", {"reason": "hết hạn"}).status_code == 200
    assert platform.get(f"person/{id}").json()["values"]["phone"] != "0611111111"
    assert ask(platform, "POST", f"{path}/withdraw", {"reason": "hết hạn"}).status_code == 404


def test_a_value_set_until_a_day_is_told_with_it_and_gives_way_after_it(platform: Platform) -> None:
    id, place = platform.golden(48), platform.workshop
    path, today = f"person/goldens/{id}/values/phone", vietnam_date(place.clock())
    given = {"value": "0622222222", "reason": "giấy khai"}
    for wrong in ((today - timedelta(days=1)).isoformat(), "mai", 5):
        assert ask(platform, "PUT", path, {**given, "until": wrong}).status_code == 422
    assert ask(platform, "PUT", path, {**given, "until": today.isoformat()}).status_code == 200
    assert ask(platform, "GET", f"person/goldens/{id}").json()["overrides"][-1]["until"] == today.isoformat()
    assert platform.get(f"person/{id}").json()["values"]["phone"] == given["value"]
    assert overriding.expire_all(replace(place, clock=lambda: place.clock() + timedelta(days=1))) == 1
    assert platform.get(f"person/{id}").json()["values"]["phone"] == person(48)["phone"]
    assert ask(platform, "GET", f"person/goldens/{id}").json()["overrides"][-1]["ended"] is not None


def test_nobody_but_the_keeper_of_golden_records_has_a_desk(platform: Platform) -> None:
    for method, path, document in (
        ("GET", "person/queue", None),
        ("POST", "person/decisions", decision(record(1), record(2), "same")),
        ("GET", f"person/goldens/{platform.golden(2)}", None),
    ):
        answer = ask(platform, method, path, document, caller=OUTSIDER)
        assert answer.status_code == 403
        assert platform.last_entry()["event"] == "answer:request:denied"
    assert platform.client.get("/v1/stewardship/person/queue").status_code == 401
    headers = {name: value for name, value in asking(KEEPER).items() if name != "Lienthong-Official"}
    assert platform.client.get("/v1/stewardship/person/queue", headers=headers).status_code == 403


@pytest.mark.parametrize(
    ("method", "path", "document", "status"),
    [
        ("POST", "person/decisions", {"item": 0, "verdict": "same", "reason": "x"}, 422),
        ("POST", "person/decisions", {"item": 999_999, "verdict": "same", "reason": "x"}, 404),
        ("POST", "person/decisions", {"item": 1, "left": {}, "verdict": "same", "reason": "x"}, 422),
        ("POST", "person/decisions", {"left": {"source": "a"}, "right": {}, "verdict": "same", "reason": "x"}, 422),
        ("POST", "person/decisions", {"left": {"source": "a", "key": "b"}, "right": {"source": "a", "key": "c"}, "verdict": "same", "reason": "x"}, 404),
        ("POST", "person/decisions", {"left": {"source": "a", "key": "b"}, "right": {"source": "a", "key": "c"}, "verdict": "maybe", "reason": "x"}, 422),
        ("POST", "person/decisions", ["same"], 422),
        ("POST", "person/splits", {"groups": "all", "reason": "x"}, 422),
        ("POST", "person/splits", {"groups": [[]], "reason": "x"}, 422),
        ("POST", "person/acts/0/undo", {"reason": "x"}, 400),
        ("POST", "person/acts/99999/undo", {"reason": "x"}, 404),
        ("GET", "person/acts/99999", None, 404),
        ("GET", "person/goldens/person-000", None, 404),
        ("GET", "person/pairs?left_source=a", None, 400),
        ("GET", "person/queue?limit=0", None, 400),
        ("GET", "planet/queue", None, 404),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_refused_in_words(platform: Platform, method: str, path: str, document: Any, status: int) -> None:
    answer = ask(platform, method, path, document)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["title"]


def test_many_pairs_are_previewed_and_decided_by_one_word(platform: Platform) -> None:
    assert ask(platform, "POST", "person/decisions", decision(record(71), record(73), "same")).status_code == 409  # now it waits
    pattern = {"verdict": "apart", "why": "identifier", "registers": [record(71)[0], record(73)[0]], "differing": ["citizen_id"]}
    seen = ask(platform, "POST", "person/bulk/preview", pattern)
    assert seen.status_code == 200
    shown = next(each for each in seen.json()["samples"] if {each["left"]["key"], each["right"]["key"]} == {record(71)[1], record(73)[1]})
    assert sum(line["bits"] for line in shown["reasons"]) == pytest.approx(shown["bits"])
    assert ask(platform, "POST", "person/bulk/preview", {**pattern, "verdict": "same"}).json()["left_out"] >= 1  # two numbers: two persons
    known = {**pattern, "digest": seen.json()["digest"], "reason": "hai người khác nhau"}
    assert ask(platform, "POST", "person/bulk/decisions", {**known, "digest": "0" * 64}).status_code == 409
    assert ask(platform, "POST", "person/bulk/decisions", known, caller=OUTSIDER).status_code == 403
    done = ask(platform, "POST", "person/bulk/decisions", known)
    assert done.status_code == 200
    entry = platform.last_entry()
    assert (entry["event"], entry["details"]["pairs"]) == ("match:judgement:made", seen.json()["pairs"])
    assert ask(platform, "POST", "person/bulk/decisions", known).status_code == 409  # sent twice: nothing is decided twice
    assert ask(platform, "POST", f"person/acts/{done.json()['act']}/undo", {"reason": "nhầm"}).status_code == 200


@pytest.mark.parametrize(
    "wrong", [{"registers": ["a"]}, {"least_bits": "high"}, {"alike": "name"}, {"differing": [1]}, {"verdict": "unsure"}, {"why": 1}]
)
def test_a_pattern_that_is_not_understood_is_refused(platform: Platform, wrong: dict[str, Any]) -> None:
    assert ask(platform, "POST", "person/bulk/preview", {"verdict": "same", **wrong}).status_code == 422


def test_a_review_is_drawn_answered_blind_and_estimated(platform: Platform) -> None:
    assert ask(platform, "GET", "person/reviews/estimate").status_code == 404
    drawn = ask(platform, "POST", "person/reviews", {"size": 60, "seed": 3})
    assert drawn.status_code == 200, drawn.text
    assert platform.last_entry()["event"] == "match:review:drawn"
    for official in ("can-bo-a", "can-bo-b"):
        items = ask(platform, "GET", "person/reviews/next?limit=100", official=official).json()["items"]
        assert items
        for one in items:
            assert {*one} == {"item", "left", "right"}  # nothing of what the index decided
            verdict = {"verdict": "same" if one["left"]["key"][-6:] == one["right"]["key"][-6:] else "apart"}
            assert ask(platform, "PUT", f"person/reviews/items/{one['item']}", verdict, official).status_code == 200
    found = ask(platform, "GET", "person/reviews/estimate").json()
    assert found["reviewed"] == found["pairs"]
    assert 0.8 < found["precision"]["low"] <= found["precision"]["value"] <= 1
    assert found["kappa"] is not None
    parts = {each.pop("reviewer"): each for each in found["reviewers"]}
    assert {*parts} == {"can-bo-a", "can-bo-b"}
    assert all(each["looked"] >= each["twice"] == each["equal"] > 0 for each in parts.values())
    cuts = ask(platform, "GET", "person/reviews/cuts").json()["cuts"]
    assert all({"registers", "cut", "suggested", "weights_off_by", "standard_error", "reviewed"} == {*one} for one in cuts)


@pytest.mark.parametrize(
    ("method", "path", "document", "status"),
    [
        ("POST", "person/reviews", {"size": 9, "seed": 1}, 422),
        ("POST", "person/reviews", {"size": 20, "seed": -1}, 422),
        ("POST", "person/reviews", {"size": True, "seed": 1}, 422),
        ("PUT", "person/reviews/items/999999999", {"verdict": "same"}, 404),
        ("PUT", "person/reviews/items/1", {"verdict": "perhaps"}, 422),
        ("PUT", "person/reviews/items/x", {"verdict": "same"}, 400),
        ("POST", "person/reviews/cuts/adopt", {"registers": [["a", "b"]]}, 422),
        ("POST", "person/reviews/cuts/adopt", {"registers": "a,b"}, 422),
        ("POST", "person/reviews/cuts/adopt", {"registers": []}, 422),
        ("GET", "person/reviews/next?limit=0", None, 400),
    ],
)
def test_what_a_review_cannot_take_is_refused_in_words(platform: Platform, method: str, path: str, document: Any, status: int) -> None:
    ask(platform, "POST", "person/reviews", {"size": 20, "seed": 5})
    answer = ask(platform, method, path, document)
    assert answer.status_code == status, answer.text
    assert answer.json()["type"].startswith("urn:lienthong:problem:")


def test_nobody_else_reviews(platform: Platform) -> None:
    assert ask(platform, "GET", "person/reviews/next", caller=OUTSIDER).status_code == 403
    assert ask(platform, "POST", "person/reviews", {"size": 20, "seed": 5}, caller=OUTSIDER).status_code == 403
