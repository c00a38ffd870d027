"""One fix for many waiting rows: what was looked at is what is done, all in one run, and nothing else."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lienthong.contracts import Contract, Rule
from lienthong.errors import Conflict, Unprocessable
from lienthong.pipeline import Workshop, correct_row, fixing, list_quarantine, run_dataset
from lienthong.pipeline.correct import By
from lienthong.pipeline.fixing import Fix, suggestion
from tests.factories import PEOPLE, make_contract, make_property, make_workshop, write_people
from tests.pipeline.test_run import rows_of

BY = By("Lê Thị Hoa")
RELATION = make_property(
    "children", standard="code_list", standard_options={"values": {"head": "Chủ hộ", "child": "Con", "spouse": "Vợ hoặc chồng"}}
)
ROWS = [
    ("P1", "Nguyễn An", "không rõ", "Chủ hộ"),
    ("P2", "Trần Bình", "không rõ", "Con"),
    ("P3", "Lê Chi", "31/02/1990", "Con"),
    ("P4", "Phạm Dung", "1992-03-04", "chủ hộo"),
    ("P5", "Vũ Em", "1993-03-04", "hàng xóm"),
]


@pytest.fixture
def place(database_url: str, tmp_path: Path) -> tuple[Workshop, Contract]:
    """Five rows that all wait: three dates that are none, two words of no list."""
    contract = make_contract(str(write_people(tmp_path / "people.csv", ROWS)), properties=(*PEOPLE[:3], RELATION))
    workshop = make_workshop(database_url, contract)
    run_dataset(workshop, contract)
    assert len(list_quarantine(workshop, contract.id)) == 5
    return workshop, contract


def test_a_fix_by_value_is_looked_at_and_done_in_one_run(place: tuple[Workshop, Contract]) -> None:
    workshop, contract = place
    fix = Fix("born_on", code="date.unreadable", equals="không rõ", clear=True)
    seen = fixing.preview(workshop, contract, fix)
    assert [(hit.before, hit.after) for hit in seen.hits] == [("không rõ", None)] * 2
    assert rows_of(workshop.database, "select count(*) from lienthong.runs") == [(1,)]
    _, done = fixing.apply(workshop, contract, fix, seen.digest, BY)
    assert fixing.counts_of(done) == (2, 0)
    assert rows_of(workshop.database, "select _key, born_on from data.test_people order by 1") == [("P1", None), ("P2", None)]
    bodies = rows_of(workshop.database, 'select bodies from lienthong.ledger_batches where bodies like \'%"form":"rule"%\'')
    assert len(bodies) == 1
    assert "không rõ" not in bodies[0][0]


def test_rows_that_changed_since_the_preview_are_refused(place: tuple[Workshop, Contract]) -> None:
    workshop, contract = place
    fix = Fix("born_on", equals="không rõ", put="1980")
    seen = fixing.preview(workshop, contract, fix)
    correct_row(workshop, seen.hits[0].item, {"born_on": "03/04/1980"}, official="ai đó")
    with pytest.raises(Conflict, match="1 now"):
        fixing.apply(workshop, contract, fix, seen.digest, BY)
    assert len(list_quarantine(workshop, contract.id)) == 4


def test_a_digest_holds_for_its_own_fix_alone(place: tuple[Workshop, Contract]) -> None:
    workshop, contract = place
    fix = Fix("born_on", equals="không rõ", put="01/01/1980")
    seen = fixing.preview(workshop, contract, fix)
    with pytest.raises(Conflict):
        fixing.apply(workshop, contract, replace(fix, put="01/01/1970"), seen.digest, BY)


def test_a_pattern_puts_parts_of_what_it_found(place: tuple[Workshop, Contract]) -> None:
    workshop, contract = place
    fix = Fix("born_on", pattern=r"^31/02/(\d{4})$", put="28/02/${1}")
    seen = fixing.preview(workshop, contract, fix)
    assert [(hit.before, hit.after) for hit in seen.hits] == [("31/02/1990", "28/02/1990")]


def test_the_suggestion_is_the_one_listed_value_that_is_like_it(place: tuple[Workshop, Contract]) -> None:
    workshop, contract = place
    seen = fixing.preview(workshop, contract, Fix("children", suggest=True))
    assert [(hit.before, hit.after) for hit in seen.hits] == [("chủ hộo", "head")]


@pytest.mark.parametrize(
    ("fix", "words"),
    [
        (Fix("nobody", put="x"), "no property"),
        (Fix("born_on"), "exactly one"),
        (Fix("born_on", put="x", clear=True), "exactly one"),
        (Fix("born_on", pattern="(?=a)", clear=True), "pattern"),
        (Fix("born_on", pattern="(", clear=True), "pattern"),
        (Fix("born_on", suggest=True), "no list"),
        (Fix("born_on", options={"nonsense": True}), "options"),
        (Fix("born_on", put="x" * 501), "at most"),
    ],
)
def test_a_fix_that_makes_no_sense_is_refused_in_words(place: tuple[Workshop, Contract], fix: Fix, words: str) -> None:
    workshop, contract = place
    with pytest.raises(Unprocessable, match=words):
        fixing.preview(workshop, contract, fix)


def test_a_pattern_made_to_hang_ends(place: tuple[Workshop, Contract]) -> None:
    workshop, contract = place
    assert fixing.preview(workshop, contract, Fix("full_name", pattern="(a*)*(a*)*b$", put="x")).hits == []


@given(st.text(max_size=12), st.lists(st.text(min_size=1, max_size=12), max_size=5))
def test_a_suggestion_is_listed_or_none(typed: str, listed: list[str]) -> None:
    found = suggestion(typed, {word: word for word in listed})
    assert found is None or found in listed


def test_rules_across_columns_let_each_of_their_columns_be_fixed(database_url: str, tmp_path: Path) -> None:
    rule = Rule("born_before", "compare", ("born_on",), {"left": "born_on", "operator": "<", "right": "today"})
    contract = make_contract(str(write_people(tmp_path / "people.csv", [("P1", "Nguyễn An", "2099-01-01", 1)])), rules=(rule,))
    workshop = make_workshop(database_url, contract)
    run_dataset(workshop, contract)
    seen = fixing.preview(workshop, contract, Fix("born_on", code="born_before", pattern="^20(..)", put="19${1}"))
    assert [hit.after for hit in seen.hits] == ["1999-01-01"]


def test_a_name_of_several_units_waits_with_the_units_it_may_mean(database_url: str, tmp_path: Path) -> None:
    commune = make_property("children", standard="admin_unit", standard_options={"level": "commune"}, as_of="delivery")
    rows = [("P1", "Nguyễn An", "", "Xã Tân Tiến"), ("P2", "Trần Bình", "", "Xã Ea Kar"), ("P3", "Lê Chi", "", "Xã Thiện Hưng")]
    contract = make_contract(str(write_people(tmp_path / "people.csv", rows)), properties=(*PEOPLE[:3], commune))
    workshop = replace(make_workshop(database_url, contract), province="75")
    run_dataset(workshop, contract)
    said = {item.key: item.issues[0]["expected_vi"] for item in list_quarantine(workshop, contract.id)}
    assert said["P1"] == "Ghi thêm huyện, tỉnh hoặc dùng mã: 25318 Xã Tân Tiến, Tỉnh Đồng Nai; 25363 Xã Đồng Phú, Tỉnh Đồng Nai"
    assert said["P2"].endswith(": 24373 Xã Ea Kar, Tỉnh Đắk Lắk")
    assert rows_of(workshop.database, "select _key, children from data.test_people") == [("P3", "25308")]
