"""A dataset is opened only in a shape that was checked, by those who may, with the entry in the ledger."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest

from lienthong.access import Actor, Role
from lienthong.contracts import Contract, Sensitivity, Sharing
from lienthong.errors import Conflict, Denied, NotFound, Unprocessable
from lienthong.pipeline import Workshop, approving, releasing, run_dataset
from lienthong.quality.disclosure import Limits
from lienthong.store.releasing import Decision, decisions_of
from tests.factories import make_contract, make_property, make_workshop
from tests.store.ledgers import entries_of

LIMITS = Limits(k=2)
OFFICER = Actor("can-bo-1", "H10.02", frozenset({Role.DATA_OFFICER}))
SECOND = Actor("can-bo-2", "H10.02", frozenset({Role.DATA_OFFICER}))
STRANGER = Actor("can-bo-9", "H10.09", frozenset({Role.DATA_OFFICER}))
PROPERTIES = (
    make_property("no", required=True, key_position=1),
    make_property("year", "integer", quasi_identifier=True, sensitivity=Sensitivity.PUBLIC),
    make_property("note", sensitivity=Sensitivity.PUBLIC),
)
ROWS = "no,year,note\na,1990,x\nb,1990,y\nc,1991,z\nd,1991,\n"


@pytest.fixture
def place(database_url: str, tmp_path: Path) -> tuple[Workshop, Contract]:
    return published(database_url, tmp_path, ROWS)


def published(database_url: str, folder: Path, text: str, **more: Any) -> tuple[Workshop, Contract]:
    (folder / "rows.csv").write_text(text, encoding="utf-8")
    contract = make_contract(
        str(folder / "rows.csv"), properties=PROPERTIES, entity="person", licence="vn-ogd", sharing=Sharing.OPEN, **more
    )
    workshop = make_workshop(database_url, contract)
    run_dataset(workshop, contract)
    return workshop, contract


def required(workshop: Workshop, contract: Contract) -> Decision:
    with workshop.database.connect() as connection:
        return releasing.require_checked(connection, contract, workshop.clock())


def refused(workshop: Workshop, contract: Contract) -> Conflict:
    with pytest.raises(Conflict) as caught:
        required(workshop, contract)
    return caught.value


def refusal(workshop: Workshop, contract: Contract) -> str:
    return str(refused(workshop, contract).facts["rule"])


def test_a_dataset_is_opened_only_once_it_was_checked_and_allowed(place: tuple[Workshop, Contract]) -> None:
    workshop, contract = place
    assert refusal(workshop, contract) == "not_checked"
    made = releasing.check(workshop, contract, OFFICER, LIMITS)
    assert (made.verdict, made.version, made.report["spread"]["smallest"]) == ("safe", 1, 2)
    assert refusal(workshop, contract) == "not_decided"
    releasing.decide(workshop, made.number, OFFICER, "allowed", "Không ai bị nhận ra", needs_two=False)
    assert required(workshop, contract).check == made.number
    told = [(e["event"], e["outcome"]) for e in entries_of(workshop.database, workshop.signer) if e["event"].startswith("opening:")]
    assert told == [("opening:rows:checked", "safe"), ("opening:shape:allowed", "allowed")]


def test_another_shape_must_be_checked_anew_and_a_licence_be_named(place: tuple[Workshop, Contract]) -> None:
    workshop, contract = place
    made = releasing.check(workshop, contract, OFFICER, LIMITS)
    releasing.decide(workshop, made.number, OFFICER, "allowed", "Đã xem", needs_two=False)
    assert refusal(workshop, replace(contract, licence="cc0-1.0")) == "shape_changed"
    assert refusal(workshop, replace(contract, licence=None)) == "no_licence"
    more = replace(contract, properties=(*contract.properties, make_property("trade", quasi_identifier=True)))
    assert refusal(workshop, more) == "shape_changed"
    assert required(workshop, replace(contract, version="1.0.1", title_vi="Tên khác")).check == made.number


def test_a_later_no_ends_the_yes_and_both_are_kept(place: tuple[Workshop, Contract]) -> None:
    workshop, contract = place
    made = releasing.check(workshop, contract, OFFICER, LIMITS)
    releasing.decide(workshop, made.number, OFFICER, "allowed", "Mở", needs_two=False)
    releasing.decide(workshop, made.number, SECOND, "refused", "Có phản ánh", needs_two=False)
    assert refusal(workshop, contract) == "opening_refused"
    with workshop.database.connect() as connection:
        kept = decisions_of(connection, contract.id)
    assert [(each.outcome, each.ended_at is None) for each in kept] == [("refused", True), ("allowed", False)]


def test_a_risky_dataset_is_opened_by_two_persons_even_where_one_is_enough(database_url: str, tmp_path: Path) -> None:
    workshop, contract = published(database_url, tmp_path, ROWS + "e,1980,lone\n")
    made = releasing.check(workshop, contract, OFFICER, LIMITS)
    assert made.verdict == "risky"
    waiting = releasing.decide(workshop, made.number, OFFICER, "allowed", "Đã đánh giá, chấp nhận", needs_two=False)
    assert not isinstance(waiting, Decision)
    told = refused(workshop, contract)
    assert (told.facts["rule"], told.facts["proposal"], told.facts["proposed_by"]) == (
        "second_person_waited_for",
        waiting.number,
        "can-bo-1",
    )
    assert f"đề xuất {waiting.number} của can-bo-1" in str(told.facts["vi"])
    assert "H10.02 (không phải can-bo-1)" in str(told.facts["hint_vi"])
    with pytest.raises(Denied, match="second person"):
        approving.approve(workshop, releasing.RELEASE, OFFICER, waiting.number, waiting.digest)
    with pytest.raises(Denied, match="another agency"):
        approving.approve(workshop, releasing.RELEASE, STRANGER, waiting.number, waiting.digest)
    approving.approve(workshop, releasing.RELEASE, SECOND, waiting.number, waiting.digest)
    decision = required(workshop, contract)
    assert (decision.proposed_by, decision.decided_by, decision.reason) == ("can-bo-1", "can-bo-2", "Đã đánh giá, chấp nhận")


def test_nobody_can_open_what_names_a_person(database_url: str, tmp_path: Path) -> None:
    workshop, contract = published(database_url, tmp_path, ROWS + "e,1990,CCCD 070090123456\n")
    made = releasing.check(workshop, contract, OFFICER, LIMITS)
    assert (made.verdict, [f["rule"] for f in made.report["findings"]]) == ("forbidden", ["citizen_id_in_text"])
    with pytest.raises(Conflict, match="citizen_id_in_text"):
        releasing.decide(workshop, made.number, OFFICER, "allowed", "Vẫn mở", needs_two=True)
    assert "070090123456" not in str(entries_of(workshop.database, workshop.signer))


def test_what_was_decided_on_is_what_was_checked(place: tuple[Workshop, Contract]) -> None:
    """The contract changes between the first person's word and the second's."""
    workshop, contract = place
    made = releasing.check(workshop, contract, OFFICER, LIMITS)
    waiting = releasing.decide(workshop, made.number, OFFICER, "allowed", "Mở", needs_two=True)
    assert not isinstance(waiting, Decision)
    changed = replace(workshop, contracts={contract.id: replace(contract, licence="cc0-1.0")})
    with pytest.raises(Conflict, match="changed since"):
        approving.approve(changed, releasing.RELEASE, SECOND, waiting.number, waiting.digest)
    assert refusal(workshop, contract) == "second_person_waited_for"
    assert refusal(workshop, changed.contracts[contract.id]) == "not_checked"
    later = replace(workshop, clock=lambda: waiting.expires_at)
    assert refusal(later, contract) == "not_decided"


def test_only_the_owner_s_data_officer_checks_and_decides(place: tuple[Workshop, Contract]) -> None:
    workshop, contract = place
    for actor, rule in ((STRANGER, "other_agency"), (replace(OFFICER, roles=frozenset({Role.STEWARD})), "no_role")):
        with pytest.raises(Denied) as caught:
            releasing.check(workshop, contract, actor, LIMITS)
        assert caught.value.facts["rule"] == rule
    made = releasing.check(workshop, contract, OFFICER, LIMITS)
    with pytest.raises(Denied):
        releasing.decide(workshop, made.number, STRANGER, "refused", "Không", needs_two=False)
    with pytest.raises(Unprocessable):
        releasing.decide(workshop, made.number, OFFICER, "allowed", "  ", needs_two=False)
    with pytest.raises(NotFound):
        releasing.decide(workshop, made.number + 1, OFFICER, "allowed", "Mở", needs_two=False)


def test_nothing_is_checked_before_there_are_rows(database_url: str, tmp_path: Path) -> None:
    contract = make_contract(str(tmp_path / "none.csv"), properties=PROPERTIES, licence="vn-ogd")
    with pytest.raises(Conflict):
        releasing.check(make_workshop(database_url, contract), contract, OFFICER, LIMITS)


def test_open_datasets_are_laid_beside_the_one_that_is_checked(database_url: str, tmp_path: Path) -> None:
    """The other set's column splits the classes of this one over the number both keep."""
    _workshop, contract = published(database_url, tmp_path, ROWS)
    other_file = tmp_path / "trades.csv"
    other_file.write_text("no,trade\na,thợ\nb,thầy\nc,thợ\nd,thầy\n", encoding="utf-8")
    key, trade = make_property("no", required=True, key_position=1), make_property("trade", quasi_identifier=True)
    other = make_contract(str(other_file), id="test.trades", properties=(key, trade), licence="vn-ogd", sharing=Sharing.OPEN)
    both = make_workshop(database_url, contract, other)
    run_dataset(both, other)
    made = releasing.check(both, contract, OFFICER, LIMITS)
    assert [(f["rule"], f["count"], f["other"]) for f in made.report["findings"]] == [
        ("joined_alone", 4, "test.trades"),
        ("joined_under_k", 4, "test.trades"),
    ]


def test_the_blurred_rows_hold_no_key_and_tell_nothing_by_their_order(database_url: str, tmp_path: Path) -> None:
    rows = "no,year,note\n" + "".join(f"{n},{1990 + n},x\n" for n in range(5))
    workshop, contract = published(database_url, tmp_path, rows)
    proposal, given = releasing.blurred_rows(workshop, contract, OFFICER, LIMITS)
    assert proposal.dropped == ("no",)
    assert given.columns == ["year"]
    assert given["year"].to_list() == sorted(given["year"].to_list())
    assert entries_of(workshop.database, workshop.signer)[-1]["event"] == "opening:rows:blurred"


def test_the_database_holds_that_two_are_two(place: tuple[Workshop, Contract]) -> None:
    workshop, contract = place
    made = releasing.check(workshop, contract, OFFICER, LIMITS)
    decision = Decision(made.number, contract.id, made.shape, "allowed", "x", "Can-Bo-1", "can-bo-1", made.checked_at, None)
    with workshop.database.connect() as connection, pytest.raises(psycopg.errors.CheckViolation):
        from lienthong.store.releasing import add_decision

        add_decision(connection, decision)
