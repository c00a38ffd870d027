"""The life of an agreement: no way round its states, its clock, its two persons; two at once, and exactly one wins."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from lienthong.access import STEPS, Act, Agencies, Agency, Role, State, follows, read_agreement
from lienthong.clock import VIETNAM
from lienthong.errors import Conflict, Denied, LienthongError, NotFound, Unprocessable
from lienthong.pipeline import agreeing, declaring
from lienthong.pipeline.agreeing import Said
from lienthong.store import agreements as store
from lienthong.store.agreements import Kept
from tests.conftest import fresh_database
from tests.pipeline.agreements import (
    ARBITER,
    ASKING,
    CLOSED,
    CONSUMER,
    GIVING,
    LIST,
    NOW,
    PEOPLE,
    PROVIDER,
    READER,
    SECOND,
    Platform,
    asked,
    make_platform,
    officer,
    register_of,
)  # fmt: skip
from tests.store.ledgers import written

FULL = ["record_no", "state", "illness"]


@pytest.fixture(scope="module")
def platform(postgres_server: Any) -> Iterator[Platform]:
    with fresh_database(postgres_server) as url:
        yield make_platform(url)


@pytest.fixture
def fresh(platform: Platform) -> Kept:
    """A request that waits, unlike any other."""
    return platform.ask(asked(note=f"lần {len(written(platform.workshop.database))}"))


def events(platform: Platform, id: str) -> list[str]:
    return [body["event"] for body in written(platform.workshop.database) if body.get("agreement") == id]


def test_a_request_waits_for_an_answer_and_says_by_when(platform: Platform, fresh: Kept) -> None:
    assert fresh.state is State.REQUESTED
    with platform.workshop.database.connect() as connection:
        (step,) = store.steps(connection, fresh.id)
    assert (step.act, step.by, step.agency, step.details["due_on"]) == ("request", "can-bo-xin", CONSUMER, "2026-12-09")
    assert events(platform, fresh.id) == ["agreement:terms:requested"]


def test_what_is_shared_by_default_is_granted_by_rule_at_once(platform: Platform) -> None:
    kept = platform.ask(asked(LIST))
    assert kept.state is State.ACTIVE
    with platform.workshop.database.connect() as connection:
        steps = store.steps(connection, kept.id)
    assert [(step.act, step.by) for step in steps] == [("request", "can-bo-xin"), ("grant", "platform"), ("activate", "platform")]
    assert events(platform, kept.id) == ["agreement:terms:requested", "agreement:terms:granted", "agreement:state:activated"]


@pytest.mark.parametrize(
    "more",
    [
        {"fields": ["record_no", "full_name"]},
        {"quota": {"per_minute": 601, "per_day": 10}},
        {"quota": {}},
        {"operations": ["submit"]},
        {"term": {"from": "2026-11-25"}},
        {"deletion": {}},
        {"legal_basis": "NĐ 47/2020"},
    ],
)
def test_what_is_not_within_the_offer_waits_for_a_person(platform: Platform, more: dict[str, Any]) -> None:
    assert platform.ask(asked(LIST, **more)).state is State.REQUESTED


def test_a_default_request_is_due_in_two_working_days(platform: Platform) -> None:
    kept = platform.ask(asked(LIST, quota={"per_minute": 5_000}))
    with platform.workshop.database.connect() as connection:
        assert store.steps(connection, kept.id)[0].details["due_on"] == "2026-11-27"


def test_without_a_key_it_is_granted_and_waits_for_the_account(platform: Platform) -> None:
    unready = replace(platform, register=register_of(is_ready=False))
    kept = unready.ask(asked(LIST, note="chưa có khóa"))
    assert kept.state is State.GRANTED
    with pytest.raises(Conflict, match="no key"):
        unready.do(kept.id, Act.ACTIVATE)
    assert platform.do(kept.id, Act.ACTIVATE).state is State.ACTIVE


def test_the_whole_life_is_kept_and_in_the_ledger(platform: Platform, fresh: Kept) -> None:
    for what, actor in [
        (Act.GRANT, GIVING), (Act.SUSPEND, GIVING), (Act.RESUME, GIVING), (Act.DEMAND_USAGE, GIVING), (Act.REPORT_USAGE, ASKING),
        (Act.END, ASKING), (Act.CONFIRM_DESTRUCTION, ASKING),
    ]:  # fmt: skip
        platform.do(fresh.id, what, actor)
    with platform.workshop.database.connect() as connection:
        steps = store.steps(connection, fresh.id)
    assert [(step.act, step.state.value) for step in steps] == [
        ("request", "requested"), ("grant", "granted"), ("activate", "active"), ("suspend", "suspended"), ("resume", "active"),
        ("demand_usage", "active"), ("report_usage", "active"), ("end", "ended"), ("confirm_destruction", "ended"),
    ]  # fmt: skip
    assert [step.ended_at is None for step in steps] == [False] * 8 + [True]
    ended = steps[7]
    assert ended.details == {"copies": "destroyed", "confirm_by": "2026-12-25"}
    assert len(events(platform, fresh.id)) == 9


def test_what_became_of_copies_is_said_once_and_the_second_is_told_who_said_it_when(platform: Platform, fresh: Kept) -> None:
    for what, actor in [(Act.GRANT, GIVING), (Act.END, ASKING), (Act.CONFIRM_DESTRUCTION, ASKING)]:
        platform.do(fresh.id, what, actor)
    with platform.workshop.database.connect() as connection:
        said = store.steps(connection, fresh.id)[-1]
    with pytest.raises(Conflict) as refused:
        platform.do(fresh.id, Act.CONFIRM_DESTRUCTION, ASKING)
    day = f"{said.at.astimezone(VIETNAM):%d/%m/%Y}"
    for words in (str(refused.value), str(refused.value.facts["vi"])):
        assert all(part in words for part in (said.by, said.agency, day, said.reason))
    with platform.workshop.database.connect() as connection:
        assert [step.act for step in store.steps(connection, fresh.id)].count("confirm_destruction") == 1


def test_a_refusal_needs_its_reason_and_the_text_of_law_and_goes_to_the_arbiter(platform: Platform, fresh: Kept) -> None:
    for word in ("reason", "legal_text"):
        with pytest.raises(Unprocessable):
            platform.do(fresh.id, Act.REFUSE, GIVING, **{word: " "})
    assert platform.do(fresh.id, Act.REFUSE).state is State.REFUSED
    with platform.workshop.database.connect() as connection:
        step = store.steps(connection, fresh.id)[-1]
    assert step.details == {"copied_to": ARBITER}
    assert step.legal_text
    agreeing.require_part(step_kept(platform, fresh.id), officer(ARBITER), platform.rules)


def step_kept(platform: Platform, id: str) -> Kept:
    with platform.workshop.database.connect() as connection:
        kept = store.find(connection, id)
    assert kept is not None
    return kept


@pytest.mark.parametrize(
    "part", ["processing", "commitment", "security", "storage", "deletion", "conditions", "users", "content", "method"]
)
def test_nothing_is_granted_that_lacks_a_part(platform: Platform, part: str) -> None:
    document = asked(note=f"thiếu {part}")
    del document[part]
    kept = platform.ask(document)
    with pytest.raises(Unprocessable, match="lacks"):
        platform.do(kept.id, Act.GRANT)


@pytest.mark.parametrize("basis", ["NĐ 47/2020", "theo chỉ đạo", [{"instrument": "13/2023/NĐ-CP"}], [{"instrument": "99/2026/NĐ-CP"}]])
def test_law_that_is_not_in_force_is_no_basis(platform: Platform, basis: Any) -> None:
    kept = platform.ask(asked(legal_basis=basis))
    with pytest.raises(Unprocessable, match="legal basis"):
        platform.do(kept.id, Act.GRANT)


def test_law_with_dates_of_its_own_is_a_basis(platform: Platform) -> None:
    kept = platform.ask(asked(legal_basis=[{"instrument": "99/2026/NĐ-CP", "valid_from": "2026-10-01"}]))
    assert platform.do(kept.id, Act.GRANT).state is State.ACTIVE


@pytest.mark.parametrize("document", [asked(CLOSED), asked(PEOPLE, fields=FULL, note="nhạy cảm"), asked(PEOPLE, fields="all")])
def test_restricted_data_and_sensitive_fields_need_two_persons(platform: Platform, document: dict[str, Any]) -> None:
    kept = platform.ask(document)
    with pytest.raises(Denied) as refused:
        platform.do(kept.id, Act.GRANT, officer(PROVIDER, "ten", subsystem=f"VN/GOV/{PROVIDER}/he-thong"))
    assert refused.value.facts["rule"] == "no_sign_in"
    assert platform.do(kept.id, Act.GRANT).state is State.REQUESTED
    with pytest.raises(Conflict, match="another person"):
        platform.do(kept.id, Act.GRANT)
    assert platform.do(kept.id, Act.GRANT, SECOND).state is State.ACTIVE


def test_sensitive_fields_under_a_mask_need_one(platform: Platform) -> None:
    kept = platform.ask(asked(PEOPLE, fields=FULL, masked=["illness"]))
    assert platform.do(kept.id, Act.GRANT).state is State.ACTIVE


@pytest.mark.parametrize(
    ("what", "actor"),
    [
        (Act.GRANT, ASKING), (Act.REFUSE, ASKING), (Act.GRANT, officer(PROVIDER, "x", Role.AUDITOR)), (Act.GRANT, officer("", "x", Role.OPERATOR)),
    ],
)  # fmt: skip
def test_the_other_side_and_other_roles_cannot_decide(platform: Platform, fresh: Kept, what: Act, actor: Any) -> None:
    with pytest.raises(Denied):
        platform.do(fresh.id, what, actor)


def test_who_has_no_part_does_not_learn_that_it_is_there(platform: Platform, fresh: Kept) -> None:
    told = []
    for id in (fresh.id, "YC-2026-999999"):
        with pytest.raises(NotFound) as refused:
            platform.do(id, Act.GRANT, officer("H10.99"))
        told.append(str(refused.value).replace(id, ""))
    assert told[0] == told[1]


def test_a_request_to_an_agency_that_closed_is_told_who_took_its_place(platform: Platform) -> None:
    closed = Agency(PROVIDER, "Sở cũ", valid_to=NOW.date(), successors=("H10.05",))
    later = replace(platform, register=replace(platform.register, agencies=Agencies({PROVIDER: closed})))
    with pytest.raises(Denied, match=r"replaced by H10\.05") as refused:
        later.ask(asked())
    assert refused.value.facts["rule"] == "agency_closed"


def test_nobody_asks_for_another_agencys_system(platform: Platform) -> None:
    with pytest.raises(Denied):
        platform.ask(asked(), officer(PROVIDER))


def test_the_same_is_asked_for_once(platform: Platform) -> None:
    document = asked(note="chỉ một lần")
    first = platform.ask(document)
    with pytest.raises(Conflict, match=first.id):
        platform.ask(document)


@pytest.mark.parametrize(
    "broken",
    [
        {"fields": 5}, {"fields": ["nothing"]}, {"purposes": []}, {"operations": ["fly"]}, {"quota": {"per_minute": "many"}}, {"hours": {"days": 7}},
        {"row_filter": [{"field": "state", "operator": "in", "value": "x"}]}, {"place": {"networks": ["here"]}}, {"term": {"from": "never"}},
        {"consumer": "x"}, {"state": "active"}, {"colour": "red"}, {"content": "a\x00b"}, {"provider": "H10.77"}, {"security": "yes"},
        {"legal_basis": [5]}, {"officials": [["x"]]}, {"dataset": "test.none"}, {"masked": {"a": 1}}, {"officials_required": "no"},
    ],
)  # fmt: skip
def test_a_request_that_makes_no_sense_is_told_and_not_kept(platform: Platform, broken: dict[str, Any]) -> None:
    with pytest.raises(Unprocessable):
        platform.ask({**asked(), **broken})


def test_of_two_who_decide_at_once_one_wins_and_the_other_is_told(platform: Platform) -> None:
    for n in range(6):
        kept = platform.ask(asked(note=f"cùng lúc {n}"))
        outcomes = both(platform, kept.id, Act.GRANT, Act.REFUSE)
        assert sorted(type(one).__name__ for one in outcomes) == ["Conflict", "Kept"]
        (lost,) = [one for one in outcomes if isinstance(one, Conflict)]
        assert kept.id in lost.message


def test_of_two_who_suspend_and_end_from_the_same_view_one_wins(platform: Platform) -> None:
    for n in range(6):
        kept = platform.do(platform.ask(asked(note=f"cùng nhìn {n}")).id, Act.GRANT)
        outcomes = both(platform, kept.id, Act.SUSPEND, Act.END, seen=kept.step)
        assert sorted(type(one).__name__ for one in outcomes) == ["Conflict", "Kept"]


def both(platform: Platform, id: str, *acts: Act, **said: Any) -> list[Kept | LienthongError]:
    outcomes: list[Kept | LienthongError] = []
    gate = threading.Barrier(len(acts))

    def one(what: Act) -> None:
        gate.wait(120)
        try:
            outcomes.append(platform.do(id, what, **said))
        except LienthongError as error:
            outcomes.append(error)

    threads = [threading.Thread(target=one, args=(what,)) for what in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    return outcomes


def test_all_of_a_dataset_are_suspended_at_once(platform: Platform) -> None:
    kept = [platform.do(platform.ask(asked(note=f"tất cả {n}")).id, Act.GRANT) for n in range(3)]
    suspended = agreeing.suspend_all(platform.workshop, GIVING, PEOPLE.id, Said("nâng cấp"))
    assert {one.id for one in kept} <= {one.id for one in suspended}
    with platform.workshop.database.connect() as connection:
        assert store.standing(connection, dataset=PEOPLE.id, states=[State.ACTIVE]) == []


def test_an_agreement_past_its_last_day_lapses(platform: Platform) -> None:
    kept = platform.do(platform.ask(asked(term={"from": "2026-11-25", "to": "2026-11-26"})).id, Act.GRANT)
    later = replace(platform, workshop=replace(platform.workshop, clock=lambda: platform.clock() + timedelta(days=2)))
    assert agreeing.lapse_all(later.workshop, later.rules) == 1
    assert step_kept(platform, kept.id).state is State.ENDED
    assert agreeing.lapse_all(later.workshop, later.rules) == 0


class Life(RuleBasedStateMachine):
    """Whatever is tried in whatever order, by whomever: the states follow each other as agreed, and nothing opens without a grant."""

    platform: Platform
    count = 0

    def __init__(self) -> None:
        super().__init__()
        Life.count += 1
        self.kept = self.platform.ask(asked(CLOSED, note=f"máy trạng thái {Life.count}"))
        self.proposed: str | None = None

    @rule(
        what=st.sampled_from(list(Act)),
        actor=st.sampled_from([ASKING, GIVING, SECOND, officer("H10.99"), officer("", "op", Role.OPERATOR)]),
    )
    def attempt(self, what: Act, actor: Any) -> None:
        before = self.kept
        try:
            after = self.platform.do(before.id, what, actor)
        except LienthongError:
            assert step_kept(self.platform, before.id) == before
            return
        assert actor.agency in (PROVIDER, CONSUMER, "")
        if what is Act.GRANT:
            if self.proposed is None:
                assert after.state is State.REQUESTED
                self.proposed = actor.name
            else:
                assert actor.name != self.proposed
                assert after.state is State.ACTIVE
        else:
            assert after.state is follows(what, before.state)
            assert what in STEPS
        self.kept = after

    @invariant()
    def open_only_after_two_persons(self) -> None:
        with self.platform.workshop.database.connect() as connection:
            steps = store.steps(connection, self.kept.id)
        if any(step.state is State.ACTIVE for step in steps):
            assert {step.by for step in steps if step.act in ("propose", "grant")} == {"can-bo-cho", "lanh-dao"}
        states = [step.state for step in steps]
        assert all(states[n + 1] is states[n] for n in range(len(states) - 1) if states[n] in (State.ENDED, State.REFUSED))
        assert sum(step.ended_at is None for step in steps) == 1


def test_there_is_no_way_round_the_states(platform: Platform) -> None:
    Life.platform = platform
    run_state_machine_as_test(
        Life,
        settings=settings(max_examples=12, stateful_step_count=12, deadline=None, suppress_health_check=list(HealthCheck), database=None),
    )


def test_files_are_taken_over_once_and_their_end_is_an_act(database_url: str) -> None:
    platform = make_platform(database_url)
    faults: list[Any] = []
    declared = read_agreement({**asked(), "id": "TT-1"}, "file", faults, State.ACTIVE)
    assert declared is not None, faults
    assert declaring.take_over(platform.workshop, [declared]) == 1
    assert declaring.take_over(platform.workshop, [declared]) == 0
    platform.do("TT-1", Act.SUSPEND)
    assert declaring.take_over(platform.workshop, [declared]) == 0  # the file has said nothing new
    assert step_kept(platform, "TT-1").state is State.SUSPENDED
    assert declaring.take_over(platform.workshop, []) == 1
    assert step_kept(platform, "TT-1").state is State.ENDED
    assert events(platform, "TT-1") == ["agreement:terms:declared", "agreement:state:suspended", "agreement:state:ended"]


def test_a_file_cannot_take_the_number_of_a_request(database_url: str) -> None:
    platform = make_platform(database_url)
    kept = platform.ask(asked())
    declared = read_agreement({**asked(), "id": kept.id}, "file", [], State.ACTIVE)
    assert declared is not None
    with pytest.raises(LienthongError, match="number"):
        declaring.take_over(platform.workshop, [declared])
    assert step_kept(platform, kept.id).state is State.REQUESTED


def test_a_number_a_file_has_taken_is_not_granted_to_a_request(database_url: str) -> None:
    platform = make_platform(database_url)
    declared = read_agreement({**asked(), "id": "YC-2026-000001"}, "file", [], State.SUSPENDED)
    assert declared is not None
    declaring.take_over(platform.workshop, [declared])
    with pytest.raises(Conflict, match="taken"):
        platform.ask(asked(LIST))
    assert step_kept(platform, "YC-2026-000001").state is State.SUSPENDED
    assert platform.ask(asked(LIST)).id == "YC-2026-000002"


def test_the_same_asked_for_by_many_at_once_is_kept_once(database_url: str) -> None:
    platform = make_platform(database_url)
    kept: list[Kept | LienthongError] = []

    def one() -> None:
        try:
            kept.append(platform.ask(asked()))
        except LienthongError as error:
            kept.append(error)

    threads = [threading.Thread(target=one) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert sorted(type(each).__name__ for each in kept) == ["Conflict"] * 4 + ["Kept"]


def test_two_servers_take_a_folder_over_once(database_url: str) -> None:
    platform = make_platform(database_url)
    declared = [read_agreement({**asked(), "id": f"TT-{n}"}, "file", [], State.ACTIVE) for n in range(20)]
    counts: list[int] = []
    threads = [
        threading.Thread(target=lambda: counts.append(declaring.take_over(platform.workshop, [one for one in declared if one])))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert sorted(counts) == [0, 0, 0, 20]
    assert READER in {kept.consumer for kept in standing(platform)}
    assert all(len(events(platform, kept.id)) == 1 for kept in standing(platform))


def standing(platform: Platform) -> list[Kept]:
    with platform.workshop.database.connect() as connection:
        return store.standing(connection)
