"""An entry of the list of open data moves only as the law lets it, by who may, with its words, and nothing it was is lost."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lienthong.access import Actor, Register, Role, decide
from lienthong.access.agreement import Operation
from lienthong.access.decide import AccessRequest
from lienthong.access.opening import GIVEN, STEPS, OpenAct, OpenClocks, OpenState, dues, follows, months_after
from lienthong.contracts import Sensitivity, Sharing
from lienthong.errors import Conflict, Denied, NotFound, Unprocessable
from lienthong.pipeline import Workshop, alerting, run_dataset
from lienthong.pipeline.alert_rules import read_rules
from lienthong.pipeline.opening import Said, move, review_all
from lienthong.settings import Settings
from lienthong.store import catalogue
from lienthong.store.alerts import list_alerts
from lienthong.web.duties import open_data_late
from tests.factories import make_contract, make_property, make_workshop, write_people
from tests.store.ledgers import entries_of

OWNER = Actor("officer", "H10.02", frozenset({Role.DATA_OFFICER}))
OTHER = Actor("other", "H10.12", frozenset({Role.DATA_OFFICER}))
LEADER = Actor("leader", "H10.01", frozenset({Role.LEADER}))
DATASET = "test.people"


@pytest.fixture
def workshop(database_url: str, tmp_path: Path) -> Workshop:
    path = write_people(tmp_path / "people.csv", [(1, "A", "2000-01-01", 0)])
    properties = tuple(
        make_property(
            name, kind, sensitivity=Sensitivity.PUBLIC, required=name == "record_no", key_position=1 if name == "record_no" else None
        )
        for name, kind in (("record_no", "string"), ("full_name", "string"), ("born_on", "date"), ("children", "integer"))
    )
    made = make_workshop(database_url, make_contract(str(path), properties=properties, sharing=Sharing.OPEN))
    run_dataset(made, made.contracts[DATASET])
    return made


def state(workshop: Workshop) -> str | None:
    with workshop.database.connect() as connection:
        found = catalogue.open_entry(connection, DATASET)
    return None if found is None else found.state


def test_the_way_from_a_proposal_to_open_data_and_back_is_kept_whole(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lienthong.pipeline.opening.require_checked", lambda connection, contract, at: None)
    move(workshop, OWNER, DATASET, OpenAct.PROPOSE)
    move(workshop, LEADER, DATASET, OpenAct.APPROVE, Said(decision="15/QĐ-UBND"))
    move(workshop, OWNER, DATASET, OpenAct.PLAN, Said(publish_on=date(2026, 8, 1)))
    move(workshop, OWNER, DATASET, OpenAct.OPEN)
    assert state(workshop) == "open"
    move(workshop, LEADER, DATASET, OpenAct.SUSPEND, Said(words="sai số liệu"))
    with workshop.database.connect() as connection:
        assert catalogue.unopened(connection) == {DATASET}
        history = catalogue.open_history(connection, DATASET)
    assert [each.state for each in history] == ["proposed", "approved", "planned", "open", "suspended"]
    assert history[-1].decision == "15/QĐ-UBND"
    told = [body["event"] for body in entries_of(workshop.database, workshop.signer) if body["event"].startswith("opening:")]
    assert told == [f"opening:entry:{act}" for act in ("proposed", "approved", "planned", "opened", "suspended")]


def test_an_entry_past_its_review_is_an_alert_until_it_is_reviewed(workshop: Workshop, tmp_path: Path) -> None:
    move(workshop, OWNER, DATASET, OpenAct.PROPOSE)
    move(workshop, LEADER, DATASET, OpenAct.APPROVE, Said(decision="15/QĐ-UBND"))
    settings, now = Settings(), workshop.clock()
    rules = [rule for rule in read_rules() if rule.kind == "open_data_late"]

    def alerts_after(months: int) -> list[str]:
        later = replace(workshop, clock=lambda: now + timedelta(days=31 * months))
        alerting.watch(later, rules, tmp_path, open_data_late(settings, later))
        with workshop.database.connect() as connection:
            return [alert.state for alert in list_alerts(connection, None, None, 10) if alert.kind == "open_data_late"]

    assert alerts_after(1) == []
    assert alerts_after(7) == ["open"]
    move(replace(workshop, clock=lambda: now + timedelta(days=220)), LEADER, DATASET, OpenAct.REVIEW, Said(words="giữ nguyên"))
    assert alerts_after(8) == ["closed"]


def test_words_that_an_act_must_carry_are_demanded(workshop: Workshop) -> None:
    move(workshop, OWNER, DATASET, OpenAct.PROPOSE)
    for act, said in (
        (OpenAct.APPROVE, Said()), (OpenAct.REFUSE, Said(words="không")), (OpenAct.REFUSE, Said(legal_text="Luật")), (OpenAct.REFUSE, Said("x" * 2001, "Luật")),
    ):  # fmt: skip
        with pytest.raises(Unprocessable):
            move(workshop, LEADER, DATASET, act, said)
    assert state(workshop) == "proposed"


def test_only_who_may_acts_and_only_from_where_it_leads(workshop: Workshop) -> None:
    for actor, act in ((OTHER, OpenAct.PROPOSE), (LEADER, OpenAct.PROPOSE)):
        with pytest.raises(Denied):
            move(workshop, actor, DATASET, act)
    with pytest.raises(Conflict):
        move(workshop, OWNER, DATASET, OpenAct.OPEN)
    with pytest.raises(NotFound):
        move(workshop, OWNER, "no.such", OpenAct.PROPOSE)
    move(workshop, OWNER, DATASET, OpenAct.PROPOSE)
    with pytest.raises(Denied):
        move(workshop, OWNER, DATASET, OpenAct.APPROVE, Said(decision="1"))


def test_what_must_be_refreshed_is_not_refreshed_without_a_new_version(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("lienthong.pipeline.opening.require_checked", lambda connection, contract, at: None)
    move(workshop, OWNER, DATASET, OpenAct.PROPOSE)
    move(workshop, LEADER, DATASET, OpenAct.APPROVE, Said(decision="1"))
    move(workshop, OWNER, DATASET, OpenAct.OPEN)
    move(workshop, LEADER, DATASET, OpenAct.REFRESH, Said(words="thiếu năm 2026"))
    with pytest.raises(Conflict):
        move(workshop, OWNER, DATASET, OpenAct.REFRESHED)
    write_people(tmp_path / "people.csv", [(1, "A", "2000-01-01", 0), (2, "B", "2001-01-01", 0)])
    run_dataset(workshop, workshop.contracts[DATASET])
    assert move(workshop, OWNER, DATASET, OpenAct.REFRESHED).state == "open"


def test_data_does_not_open_before_its_release_was_checked(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    def unchecked(*_: object) -> None:
        raise Conflict("not checked")

    monkeypatch.setattr("lienthong.pipeline.opening.require_checked", unchecked)
    move(workshop, OWNER, DATASET, OpenAct.PROPOSE)
    move(workshop, LEADER, DATASET, OpenAct.APPROVE, Said(decision="1"))
    with pytest.raises(Conflict):
        move(workshop, OWNER, DATASET, OpenAct.OPEN)
    assert state(workshop) == "approved"


def test_a_review_of_the_list_marks_every_entry_on_it(workshop: Workshop) -> None:
    assert review_all(workshop, LEADER, "đủ") == []
    move(workshop, OWNER, DATASET, OpenAct.PROPOSE)
    move(workshop, LEADER, DATASET, OpenAct.APPROVE, Said(decision="1"))
    reviewed = review_all(workshop, LEADER, "đủ")
    assert [each.dataset for each in reviewed] == [DATASET]
    assert reviewed[0].reviewed_at == reviewed[0].since
    with pytest.raises(Denied):
        review_all(workshop, OWNER, "đủ")


def test_open_data_that_is_not_open_now_is_denied_to_everybody_by_that_rule() -> None:
    contract = make_contract(sharing=Sharing.OPEN)
    asked = AccessRequest(None, contract.id, Operation.LIST)
    assert decide(asked, contract, Register(), date(2026, 7, 1)).allowed
    shut = decide(asked, contract, Register(unopened=frozenset({contract.id})), date(2026, 7, 1))
    assert (shut.allowed, shut.rule) == (False, "not_open_now")


@given(st.lists(st.sampled_from(OpenAct), max_size=12))
def test_from_no_state_does_data_become_open_without_having_been_approved(acts: list[OpenAct]) -> None:
    state: OpenState | None = None
    approved = False
    for act in acts:
        after = follows(act, state)
        if after is None:
            continue
        approved = (approved and act is not OpenAct.PROPOSE) or act is OpenAct.APPROVE
        state = after
        assert state not in GIVEN or approved


def test_every_state_is_reached_and_every_state_can_be_left() -> None:
    reached = {follows(act, before) for act, step in STEPS.items() for before in step.before}
    assert reached == set(OpenState)
    assert len(OpenState) == 8
    assert all(any(follows(act, each) not in (None, each) for act in OpenAct) for each in OpenState)


def test_terms_are_those_of_the_law_and_end_on_their_day() -> None:
    clocks, day = OpenClocks(), date(2026, 3, 31)
    review, refresh = dues(OpenState.OPEN, day, day, None, None, None, clocks)[::-1]
    assert (review.what, review.by, refresh.what, refresh.by) == ("review", date(2026, 9, 30), "refresh", date(2026, 6, 30))
    assert not refresh.is_overdue(date(2026, 6, 30))
    assert refresh.is_overdue(date(2026, 7, 1))
    yearly = {due.what: due.by for due in dues(OpenState.OPEN, day, day, None, day, 366, clocks)}
    assert yearly["refresh"] == date(2027, 4, 1)


@given(st.dates(date(2000, 1, 1), date(2100, 1, 1)), st.integers(0, 60))
def test_months_later_is_the_same_day_or_the_last_of_the_month(day: date, months: int) -> None:
    later = months_after(day, months)
    assert (later.year * 12 + later.month) - (day.year * 12 + day.month) == months
    assert later.day == day.day or later.day >= 28
