"""Direct links stand while the platform's owner says so, with a document and a last day; letters count once, with what could have carried them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest

from lienthong.access import Role
from lienthong.access.beside import Could, Ground, LinkAct, LinkState
from lienthong.errors import BadRequest, Conflict, Denied, LienthongError, NotFound, Unprocessable
from lienthong.pipeline import beside
from lienthong.pipeline.beside import LinkTerms, Stated
from lienthong.store import beside as store
from lienthong.store.beside import Link, NewLink, NewPaper, Paper
from tests.conftest import fresh_database
from tests.pipeline.agreements import ASKING, CONSUMER, GIVING, LIST, NOW, PROVIDER, Platform, make_platform, officer
from tests.store.ledgers import verdict_of, written

OWNER = officer("H10.00", "van-hanh", Role.OPERATOR)
STRANGER, LEARNER = officer("H10.55"), officer(PROVIDER, "tap-su", Role.INTEGRATOR)
TODAY = date(2026, 11, 25)
STATEMENT = Stated("Chưa mở dịch vụ cấp huyện", Ground.NOT_READY, "12/SKHCN", TODAY, TODAY + timedelta(days=90))


@pytest.fixture(scope="module")
def platform(postgres_server: Any) -> Iterator[Platform]:
    with fresh_database(postgres_server) as url:
        yield make_platform(url)


def reported(platform: Platform, actor: Any = GIVING, **more: Any) -> Link:
    values: dict[str, Any] = {
        "provider": PROVIDER,
        "consumer": CONSUMER,
        "dataset": "",
        "content": f"Kết nối {len(written(platform.workshop.database))}",
        "since": TODAY,
    }
    return beside.report_link(platform.workshop, platform.rules, LinkTerms(), platform.register, actor, NewLink(**(values | more)))  # fmt: skip


def done(platform: Platform, link: Link, what: LinkAct, said: Stated = STATEMENT, actor: Any = OWNER) -> Link:
    return beside.act_on_link(platform.workshop, platform.rules, LinkTerms(), actor, link.link, what, said)


def letter(platform: Platform, actor: Any = ASKING, **more: Any) -> Paper:
    values: dict[str, Any] = {
        "asker": CONSUMER,
        "asked": PROVIDER,
        "dataset": LIST.id,
        "content": "Xin danh sách",
        "document_no": f"{len(written(platform.workshop.database))}/UBND",
        "sent_on": TODAY,
        "records": 3,
    }
    return beside.record_paper(platform.workshop, platform.rules, platform.register, actor, NewPaper(**(values | more)))  # fmt: skip


def events(platform: Platform, number: object, word: str = "link") -> list[tuple[str, str]]:
    return [(body["event"], body["outcome"]) for body in written(platform.workshop.database) if body.get("details", {}).get(word) == number]


def test_a_reported_link_waits_for_the_owner_s_word_within_ten_working_days(platform: Platform) -> None:
    link = reported(platform)
    assert (link.state, link.due_on, link.ground) == (LinkState.REPORTED, date(2026, 12, 9), None)
    assert events(platform, link.link) == [("link:direct:reported", "reported")]


def test_it_stands_by_a_statement_until_its_day_and_the_whole_life_is_kept(platform: Platform) -> None:
    link = reported(platform)
    stated = done(platform, link, LinkAct.STATE)
    assert (stated.state, stated.ground, stated.due_on) == (LinkState.STATED, Ground.NOT_READY, STATEMENT.until)
    assert not beside.is_late(stated, TODAY + timedelta(days=90))
    assert beside.is_late(stated, TODAY + timedelta(days=91)), "its days are over: it is stated anew, or moves"
    done(platform, link, LinkAct.DECLINE, Stated("Đã có dịch vụ", until=TODAY + timedelta(days=30)))
    done(platform, link, LinkAct.END, Stated("Đã chuyển qua nền tảng"), GIVING)
    with platform.workshop.database.connect() as connection:
        steps = store.link_steps(connection, link.link)
    assert [(step.act, step.state, step.by) for step in steps] == [
        ("report", "reported", "can-bo-cho"), ("state", "stated", "van-hanh"), ("decline", "to_move", "van-hanh"), ("end", "ended", "can-bo-cho"),
    ]  # fmt: skip
    assert all(step.legal_basis == "20/2023/QH15 điều 42.4; 194/2025/NĐ-CP điều 20" for step in steps)
    assert [event for event, _ in events(platform, link.link)] == [
        "link:direct:reported", "link:direct:stated", "link:direct:declined", "link:direct:ended",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("what", "said"),
    [
        (LinkAct.STATE, Stated("Vì", None, "12/SKHCN", TODAY, TODAY)),
        (LinkAct.STATE, Stated("", Ground.NOT_READY, "12/SKHCN", TODAY, TODAY)),
        (LinkAct.STATE, Stated("Vì", Ground.NOT_READY, " ", TODAY, TODAY)),
        (LinkAct.STATE, Stated("Vì", Ground.NOT_READY, "12/SKHCN", None, TODAY)),
        (LinkAct.STATE, Stated("Vì", Ground.NOT_READY, "12/SKHCN", TODAY, None)),
        (LinkAct.STATE, Stated("Vì", Ground.NOT_READY, "12/SKHCN", TODAY, TODAY + timedelta(days=366))),
        (LinkAct.STATE, Stated("Vì", Ground.NOT_READY, "12/SKHCN", TODAY, TODAY - timedelta(days=1))),
        (LinkAct.STATE, Stated("Vì", Ground.NOT_READY, "12/SKHCN", TODAY + timedelta(days=1), TODAY)),
        (LinkAct.DECLINE, Stated("Vì")),
        (LinkAct.END, Stated()),
    ],
)
def test_a_statement_that_lacks_a_part_is_none(platform: Platform, what: LinkAct, said: Stated) -> None:
    link = reported(platform)
    with pytest.raises(Unprocessable):
        done(platform, link, what, said)
    assert len(events(platform, link.link)) == 1


def test_only_the_owner_of_the_platform_states_and_only_both_sides_know(platform: Platform) -> None:
    link = reported(platform)
    for what in (LinkAct.STATE, LinkAct.DECLINE):
        with pytest.raises(Denied):
            done(platform, link, what, STATEMENT, GIVING)
    for actor in (STRANGER, officer("H10.55", "x", Role.LEADER)):
        with pytest.raises(NotFound):
            done(platform, link, LinkAct.END, Stated("Vì"), actor)
        with pytest.raises(Denied):
            reported(platform, actor)
    with pytest.raises(Denied):
        done(platform, link, LinkAct.END, Stated("Vì"), LEARNER)
    ended = done(platform, link, LinkAct.END, Stated("Thôi"), ASKING)
    for what in LinkAct:
        with pytest.raises((Conflict, Unprocessable)):
            done(platform, ended, what)


def test_who_decides_on_what_has_changed_meanwhile_is_refused(platform: Platform) -> None:
    link = reported(platform)
    done(platform, link, LinkAct.STATE)
    with pytest.raises(Conflict):
        done(platform, link, LinkAct.END, Stated("Vì", seen=link.step), GIVING)


def test_two_who_report_or_act_at_once_are_one_after_the_other(platform: Platform) -> None:
    won: list[str] = []
    link = reported(platform)

    def end() -> None:
        try:
            won.append(done(platform, link, LinkAct.END, Stated("Thôi"), GIVING).link)
        except LienthongError as error:
            won.append(error.code)

    def report() -> None:
        try:
            won.append(reported(platform, content="cùng một kết nối").content)
        except LienthongError as error:
            won.append(error.code)

    threads = [threading.Thread(target=act) for act in (end, end, report, report)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(won) == sorted([link.link, "conflict", "cùng một kết nối", "conflict"])


@pytest.mark.parametrize("more", [{"consumer": PROVIDER}, {"consumer": "Sở Y tế"}, {"content": " "}, {"since": TODAY + timedelta(days=1)}, {"dataset": "Nguyễn Văn A"}])  # fmt: skip
def test_a_report_that_does_not_fit_is_refused(platform: Platform, more: dict[str, Any]) -> None:
    with pytest.raises((Unprocessable, BadRequest)):
        reported(platform, OWNER, **more)


def test_a_letter_counts_once_with_what_could_have_carried_it(platform: Platform) -> None:
    kept = letter(platform)
    assert (kept.carried.by, kept.carried.is_avoidable, kept.legal_basis) == (Could.DEFAULT, True, "60/2024/QH15 điều 11.2")
    with pytest.raises(Conflict):
        letter(platform, GIVING, document_no=kept.paper.document_no)
    assert events(platform, kept.request, "request") == [("paper:request:recorded", "default")]
    assert "Xin danh sách" not in str(written(platform.workshop.database)), "the words of a letter stay out of the ledger"


def test_a_letter_withdrawn_counts_no_longer_and_may_be_recorded_again(platform: Platform) -> None:
    kept = letter(platform, sent_on=date(2026, 10, 5), records=40)
    for actor in (STRANGER, GIVING):
        with pytest.raises(NotFound):
            beside.withdraw_paper(platform.workshop, actor, kept.request, "Nhầm")
    with pytest.raises(Unprocessable):
        beside.withdraw_paper(platform.workshop, ASKING, kept.request, " ")
    beside.withdraw_paper(platform.workshop, ASKING, kept.request, "Nhầm")
    with platform.workshop.database.connect() as connection:
        assert store.count_papers(connection, date(2026, 10, 1), date(2026, 10, 31)) == []
    again = letter(platform, sent_on=date(2026, 10, 5), records=2, document_no=kept.paper.document_no)
    letter(platform, sent_on=date(2026, 10, 6), records=5, dataset="")
    with platform.workshop.database.connect() as connection:
        counts = store.count_papers(connection, date(2026, 10, 1), date(2026, 10, 31), PROVIDER)
    assert [(c.dataset, c.letters, c.records, c.avoidable_letters, c.avoidable_records) for c in counts] == [
        ("", 1, 5, 0, 0),
        (LIST.id, 1, 2, 1, 2),
    ]
    assert again.request != kept.request


@pytest.mark.parametrize("more", [{"records": 0}, {"document_no": ""}, {"document_no": "x" * 101}, {"sent_on": date(2026, 11, 26)}, {"asked": CONSUMER}])  # fmt: skip
def test_a_letter_that_does_not_fit_is_refused(platform: Platform, more: dict[str, Any]) -> None:
    with pytest.raises(Unprocessable):
        letter(platform, **more)
    with pytest.raises(Denied):
        letter(platform, STRANGER)


def test_what_was_done_here_stands_in_a_ledger_that_holds(platform: Platform) -> None:
    assert NOW.date() == TODAY
    assert verdict_of(platform.workshop.database, platform.workshop.signer).ok
