"""What a new version of a contract means for those who use the old one."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from lienthong.contracts import Verdict, build, compare, verdict
from tests.contracts.factories import PROPERTIES, make_document, put, rule, with_word, word

BORN_ON = (*PROPERTIES, 1)
QUALITY = ("schema", 0, "quality")
CODES = (*PROPERTIES, 3)
STATE = {
    "name": "state",
    "logicalType": "string",
    "customProperties": [word("standard", "code_list"), word("standardOptions", {"values": {"alive": "còn sống", "dead": "đã mất"}})],
}


def make_old() -> dict[str, Any]:
    return put(make_document(), CODES, copy.deepcopy(STATE))


def without(document: dict[str, Any], n: int) -> dict[str, Any]:
    del document["schema"][0]["properties"][n]
    return document


def codes(**values: str) -> dict[str, Any]:
    return put(make_old(), (*CODES, "customProperties", 1, "value"), {"values": values})


CASES: dict[str, tuple[dict[str, Any], str, Verdict]] = {
    "property removed": (without(make_old(), 3), "property.removed", Verdict.BREAKING),
    "property added": (put(make_old(), (*PROPERTIES, 4), {"name": "note", "logicalType": "string"}), "property.added", Verdict.COMPATIBLE),
    "required property added": (
        put(make_old(), (*PROPERTIES, 4), {"name": "note", "logicalType": "string", "required": True}),
        "property.added",
        Verdict.NOTICE,
    ),
    "type changed": (put(make_old(), (*PROPERTIES, 2, "logicalType"), "integer"), "type.changed", Verdict.BREAKING),
    "type made wider": (put(make_old(), (*BORN_ON, "logicalType"), "timestamp"), "type.changed", Verdict.NOTICE),
    "required now": (put(make_old(), (*BORN_ON, "required"), True), "required.changed", Verdict.NOTICE),
    "key changed": (
        put(put(put(make_old(), (*BORN_ON, "required"), True), (*BORN_ON, "primaryKey"), True), (*BORN_ON, "primaryKeyPosition"), 2),
        "key.changed",
        Verdict.BREAKING,
    ),
    "code added": (codes(alive="còn sống", dead="đã mất", lost="mất tích"), "codes.added", Verdict.BREAKING),
    "code taken away": (codes(alive="còn sống"), "codes.removed", Verdict.NOTICE),
    "rule added": (put(make_old(), (*QUALITY, 1), rule(rule="required", columns=["born_on"])), "rule.added", Verdict.NOTICE),
    "rule removed": (put(make_old(), QUALITY, []), "rule.removed", Verdict.NOTICE),
    "rule harder": (put(make_old(), (*QUALITY, 0, "implementation", "operator"), "<"), "rule.changed", Verdict.NOTICE),
    "severity": (put(make_old(), (*QUALITY, 0, "severity"), "warning"), "severity.changed", Verdict.NOTICE),
    "allowed value more": (
        put(make_old(), (*PROPERTIES, 2, "quality", 0, "implementation", "values"), ["25195", "25198"]),
        "values.added",
        Verdict.BREAKING,
    ),
    "closed": (with_word(make_old(), "sharing", "restricted"), "sharing.changed", Verdict.BREAKING),
    "opened": (with_word(make_old(), "sharing", "default"), "sharing.changed", Verdict.NOTICE),
    "title": (put(make_old(), ("name",), "Con người"), "title.changed", Verdict.COMPATIBLE),
    "bounds": (with_word(make_old(), "expect", {"rowsMin": 2}), "expect.changed", Verdict.COMPATIBLE),
    "another source": (
        with_word(make_old(), "sources", [{"name": "file", "connector": "dbf_file", "location": "x"}]),
        "sources.changed",
        Verdict.COMPATIBLE,
    ),
    "more careful": (put(make_old(), (*BORN_ON, "classification"), "sensitive"), "sensitivity.changed", Verdict.NOTICE),
}


@pytest.mark.parametrize("what", CASES)
def test_each_difference_has_its_verdict(what: str) -> None:
    document, code, judged = CASES[what]
    changes = compare(build(make_old(), "old.yaml"), build(copy.deepcopy(document), "new.yaml"))
    assert (code, judged) in {(change.what, change.verdict) for change in changes}
    assert verdict(changes) is judged


def test_an_optional_value_that_was_required_breaks() -> None:
    old = put(make_old(), (*BORN_ON, "required"), True)
    changes = compare(build(old, "old.yaml"), build(make_old(), "new.yaml"))
    assert verdict(changes) is Verdict.BREAKING


def test_a_contract_differs_in_nothing_from_itself() -> None:
    contract = build(make_old(), "same.yaml")
    assert compare(contract, contract) == ()
    assert verdict(()) is Verdict.COMPATIBLE


def test_the_gravest_change_stands_first() -> None:
    new = without(put(make_old(), ("name",), "Con người"), 3)
    changes = compare(build(make_old(), "old.yaml"), build(new, "new.yaml"))
    assert [change.verdict for change in changes] == [Verdict.BREAKING, Verdict.COMPATIBLE]
