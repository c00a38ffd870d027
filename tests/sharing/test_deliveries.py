"""Rounds of deliveries without a network: who is sent what next, and what follows from how it went."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from lienthong.access import Agencies, Agency, PublicKey, Quota, Register, Subsystem
from lienthong.access.sealing import Sealer
from lienthong.connectors.outward import Sent
from lienthong.sharing import subscribing
from lienthong.sharing.cursors import Cursors
from lienthong.sharing.deliveries import Deliveries, Outcome, Post, Schedule
from lienthong.sharing.pages import Desk
from lienthong.sharing.records import VersionBook
from lienthong.sharing.rights import Right
from lienthong.sharing.stream import BEGINNING
from lienthong.sharing.subscribing import Clerk, Wish
from lienthong.store import subscriptions as store
from tests.templates import Template
from tests.web.counters import EVERYTHING, PART, ROWS, Province, copied_province, entries

OK, BAD = Sent(204, "", 1), Sent(500, "", 1)
PATIENT = Schedule((60, 60), timedelta(days=5))


@pytest.fixture
def province(counters_template: Template, tmp_path: Path) -> Iterator[Province]:
    with copied_province(counters_template, tmp_path) as copy:
        yield copy


def deliveries_of(province: Province, schedule: Schedule = PATIENT, register: Register | None = None) -> Deliveries:
    workshop = province.workshop
    clerk = Clerk(workshop.database, workshop.signer, workshop.clock, Sealer(b"secret"), ())
    return Deliveries(
        clerk,
        Desk(Cursors(b"secret"), VersionBook()),
        workshop.contracts,
        lambda _: register or province.register,
        b"subjects",
        "http://x",
        schedule,
    )


def subscribe(province: Province, made: Deliveries, caller: str, **more: object) -> str:
    right = Right(caller, "can-bo-01", "xet-tro-cap")
    wish = replace(Wish("https://x.example/", types=("record:*",)), **more)  # type: ignore[arg-type] # given by tests
    return subscribing.subscribe(made.clerk, province.people, right, wish, BEGINNING)[0].subscription


def rounds(province: Province, made: Deliveries, outcomes: list[Outcome], in_hand: tuple[str, ...] = ()) -> list[Post]:
    with province.workshop.database.connect(autocommit=True) as connection:
        return made.round(connection, outcomes, in_hand)


def went(province: Province, posts: list[Post], sent: Sent) -> list[Outcome]:
    return [Outcome(post, sent, province.workshop.clock()) for post in posts]


def found(province: Province, subscription: str) -> store.Subscription:
    with province.workshop.database.connect() as connection:
        return store.some(connection, subscription=subscription)[0]


def test_each_is_told_what_its_own_agreement_shows(province: Province) -> None:
    made = deliveries_of(province)
    whole, part = subscribe(province, made, EVERYTHING), subscribe(province, made, PART)
    posts = {post.subscription.subscription: post for post in rounds(province, made, [])}
    assert [each.data.key for each in posts[whole].told] == ["P1", "P2", "P3", "P4", "P5"]
    assert [each.data.key for each in posts[part].told] == ["P1", "P2"]
    assert b"1980-03-07" in posts[whole].body
    assert b"1980-03-07" not in posts[part].body
    assert "Nguyễn Thị An".encode() not in posts[part].body
    given = {entry["caller"]: entry for entry in entries(province) if entry["event"] == "answer:events:given"}
    assert given[PART]["fields"] == ["record_no", "full_name", "born_on"]


def test_a_subscription_goes_on_for_the_subsystem_in_its_place_when_an_agency_has_merged(province: Province) -> None:
    made = deliveries_of(province)
    subscription = subscribe(province, made, EVERYTHING)
    register, old = province.register, EVERYTHING.split("/")[2]
    heir, key = EVERYTHING.replace(old, "H10.07"), PublicKey({"kty": "OKP", "crv": "Ed25519", "x": "k"})
    agencies = Agencies({
        old: Agency(old, "Cũ", "", "", date(2020, 1, 1), date(2026, 1, 2), ("H10.07",)),
        "H10.07": Agency("H10.07", "Mới", "", "", date(2020, 1, 1)),
    })  # fmt: skip
    systems = {name: Subsystem(name, name.split("/")[2], "x", "x", (key,)) for name in (EVERYTHING, heir)}
    granted = tuple(replace(each, consumer=heir) if each.consumer == EVERYTHING else each for each in register.agreements)
    merged = deliveries_of(province, register=replace(register, subsystems=systems, agreements=granted, agencies=agencies))
    posts = rounds(province, merged, [])
    assert [each.data.key for each in posts[0].told] == ["P1", "P2", "P3", "P4", "P5"]
    assert found(province, subscription).caller == heir
    handed, given = entries(province)[-2:]
    assert (handed["outcome"], handed["details"]["was_of"], given["caller"]) == ("handed_over", EVERYTHING, heir)


def test_what_is_in_hand_is_not_sent_twice_and_is_told_again_after_a_kill(province: Province) -> None:
    made = deliveries_of(province)
    subscribe(province, made, EVERYTHING)
    first = rounds(province, made, [])
    assert rounds(province, made, [], tuple(post.pending.delivery for post in first)) == []
    again = rounds(province, deliveries_of(province), [])  # another process, that knows of nothing in hand
    assert [(post.pending.delivery, post.body) for post in again] == [(post.pending.delivery, post.body) for post in first]
    assert rounds(province, made, went(province, again, OK)) == []


def test_long_failure_pauses_with_a_notice_and_nothing_is_lost(province: Province) -> None:
    made = deliveries_of(province, Schedule((0, 0, 0, 0), timedelta(seconds=1)))
    id = subscribe(province, made, EVERYTHING)
    posts = rounds(province, made, [])
    for _ in range(3):
        if found(province, id).state == "active":
            posts = rounds(province, made, went(province, posts, BAD)) or posts
    assert (found(province, id).state, found(province, id).why) == ("paused", "failing")
    assert rounds(province, made, []) == []
    stopped = [entry for entry in entries(province) if entry["event"] == "subscription:events:stopped"]
    assert stopped[-1]["details"]["why"] == "failing"
    subscribing.resume(made.clerk, found(province, id), Right(EVERYTHING))
    resumed = rounds(province, made, [])
    assert [post.pending.delivery for post in resumed] == [post.pending.delivery for post in posts]


def test_one_that_cannot_be_told_keeps_nobody_else_waiting(province: Province) -> None:
    made = deliveries_of(province)
    broken = subscribe(province, made, EVERYTHING, conditions=({"field": "gone", "operator": "eq", "value": "1"},))
    whole = subscribe(province, made, EVERYTHING)
    assert [post.subscription.subscription for post in rounds(province, made, [])] == [whole]
    assert found(province, broken).held == "no_field"


def test_without_an_agreement_nothing_is_sent_and_the_place_is_kept(province: Province) -> None:
    made = deliveries_of(province, register=Register({}, ()))
    id = subscribe(province, made, PART)
    assert rounds(province, made, []) == []
    assert found(province, id).held == "no_agreement"
    posts = rounds(province, deliveries_of(province), [])
    assert [each.data.key for each in posts[0].told] == ["P1", "P2"]
    assert found(province, id).held == ""


def test_where_the_quota_counts_deliveries_what_is_past_it_waits_and_nothing_is_lost(province: Province) -> None:
    def with_quota(per_day: int) -> Deliveries:
        agreements = tuple(
            replace(each, quota=Quota(per_day=per_day, deliveries=True)) if each.consumer == EVERYTHING else each
            for each in province.register.agreements
        )
        return deliveries_of(province, register=replace(province.register, agreements=agreements))

    made = with_quota(2)
    id, other = subscribe(province, made, EVERYTHING, most=2), subscribe(province, made, PART, most=2)
    told: list[str] = []
    outcomes: list[Outcome] = []
    for _ in range(3):
        posts = rounds(province, made, outcomes)
        told += [each.data.key for post in posts if post.subscription.subscription == id for each in post.told]
        outcomes = went(province, posts, OK)
    assert told == ["P1", "P2", "P3", "P4"]
    assert found(province, id).held == "quota"
    assert found(province, other).held == ""
    rest = rounds(province, with_quota(3), outcomes)
    assert [each.data.key for post in rest for each in post.told] == ["P5"]
    assert found(province, id).held == ""
    again = rounds(province, with_quota(3), went(province, rest, BAD), tuple(post.pending.delivery for post in rest))
    assert again == []  # it waits for its second attempt, which is no second answer
    assert rounds(province, with_quota(1), []) == []


def test_counts_are_there_for_whoever_watches(province: Province) -> None:
    made = deliveries_of(province)
    id = subscribe(province, made, EVERYTHING)
    since = province.workshop.clock()
    rounds(province, made, went(province, rounds(province, made, []), BAD))
    with province.workshop.database.connect() as connection:
        counts = store.counts(connection, since)
    assert [(each.subscription, each.outcome, each.attempts, each.events) for each in counts] == [(id, "failed", 1, len(ROWS))]
