"""A contract changed field by field, without YAML: what is changed is there, the rest is as it was, and what there is not is told."""

from __future__ import annotations

import copy

import pytest

from lienthong.contracts import build
from lienthong.contracts.editing import added, edited, raised, without
from lienthong.errors import ContractError
from tests.contracts.factories import make_document


def test_a_field_is_changed_and_the_document_given_is_not() -> None:
    before = make_document()
    kept = copy.deepcopy(before)
    after = edited(before, "born_on", {"businessName": "Sinh ngày", "mapping": 'join("/", [Ngày], [Tháng], [Năm])', "required": True})
    assert before == kept
    p = build(after, "test").property_named("born_on")
    assert (p.title_vi, p.required, p.reads, p.mask) == ("Sinh ngày", True, ("Ngày", "Tháng", "Năm"), "year")
    assert build(edited(after, "born_on", {"mapping": None}), "test").property_named("born_on").mapping is None


def test_a_field_is_added_and_taken_away() -> None:
    more = added(make_document(), "note", {"businessName": "Ghi chú", "titleEn": "Note"})
    assert build(more, "test").property_named("note").title_en == "Note"
    assert "note" not in [p.name for p in build(without(more, "note"), "test").properties]


def test_the_key_moves() -> None:
    after = edited(edited(make_document(), "born_on", {"key": 2}), "record_no", {"key": 1})
    assert [p.name for p in build(after, "test").key] == ["record_no", "born_on"]


@pytest.mark.parametrize(("part", "version"), [("major", "2.0.0"), ("minor", "1.1.0"), ("patch", "1.0.1")])
def test_a_version_is_raised(part: str, version: str) -> None:
    assert raised(make_document(), part)["version"] == version


def test_what_there_is_not_is_told_with_the_nearest_word() -> None:
    with pytest.raises(ContractError, match="born_on"):
        edited(make_document(), "born_no", {"required": True})
    with pytest.raises(ContractError, match="mapping"):
        edited(make_document(), "born_on", {"maping": "x"})
    with pytest.raises(ContractError):
        added(make_document(), "born_on", {})
