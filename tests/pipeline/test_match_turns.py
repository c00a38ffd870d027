"""What the next act must know may be asked while the act before is at work: it ends as if it had been asked in its turn."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from lienthong.clock import vietnam_date
from lienthong.errors import Conflict
from lienthong.pipeline import Workshop
from lienthong.pipeline.match_act import Act
from lienthong.pipeline.match_words import Matched, left_open
from lienthong.pipeline.matching import Arrival, Arrivals, Cause, EntityIndex
from tests.pipeline.test_matching import all_records
from tests.registers import INSURANCE, POPULATION, model_of, person, person_entity
from tests.templates import Template

POPULATION_10, INSURANCE_10 = (POPULATION, "7000000010"), (INSURANCE, "9900000010")
Push = tuple[list[Arrival], list[tuple[str, str]]]

STATE = (
    "select source, key, features, keys, content::text, dated from match_records",
    "select array_agg(source || '/' || key order by source, key) from match_records group by golden",
    "select array_agg(source || '/' || key order by source, key) from match_records group by component",
    """select least(a.key, b.key), greatest(a.key, b.key), why, round(bits::numeric, 6)
    from match_queue join match_records as a on a.record = left_record join match_records as b on b.record = right_record""",
    "select least(left_key, right_key), greatest(left_key, right_key), kind, round(bits::numeric, 6), to_at is null from match_judgements",
    "select source, key, from_at, to_at from match_memberships",
    "select kind, records, cardinality(others), at from match_events",
    "select kind, at from match_acts",
    """select old.id, old.ended_at, into_.id from match_goldens as old left join match_goldens as into_ on into_.golden = old.merged_into
    where old.made_at = (select min(made_at) from match_goldens)""",
    "select full_name, born_on, citizen_id, address, phone, provenance, _version from data.master_person",
    "select full_name, born_on, citizen_id, address, phone, provenance, _version, _version_to from data.master_person_history",
)  # fmt: skip


def state(place: Workshop) -> list[list[Any]]:
    """What matching keeps, but for the numbers and ids it made up; of identities that were there before, what became of them."""
    with place.database.connect() as connection:
        return [sorted(connection.execute(query.encode()).fetchall(), key=str) for query in STATE]


def named(records: Sequence[Arrival], source: str, key: str) -> Arrival:
    return next(record for record in records if record.name == (source, key))


def pushes(records: Sequence[Arrival], seed: int, count: int, largest: int) -> list[Push]:
    """Records that leave, come back, change, come twice in a row, or say what is known: some at a time."""
    r = random.Random(seed)
    made: list[Push] = []
    last: list[Arrival] = []
    for n in range(count):
        some = r.sample(records, r.randrange(1, largest + 1))
        coming = [altered(each, r) for each in some if r.random() < 0.8]
        coming += [altered(each, r) for each in last if r.random() < 0.3 and each.name not in {c.name for c in coming}]
        last = coming
        leaving = [each.name for each in r.sample(records, r.randrange(0, 2 * largest))] if n == 0 or r.random() < 0.2 else []
        made.append((coming, leaving))
    return made


def altered(record: Arrival, r: random.Random) -> Arrival:
    content = dict(record.content)
    kind = r.random()
    if kind < 0.2:
        content.pop("citizen_id", None)
    elif kind < 0.3:
        content["address"] = "Số 1, ấp 1"
    elif kind < 0.4:
        content["citizen_id"] = person(r.randrange(300))["citizen_id"]
    elif kind < 0.5:
        content["full_name"] = person(r.randrange(300))["full_name"]
    return replace(record, content=content)


def play(place: Workshop, done: Sequence[Push], *, ahead: bool) -> None:
    index = EntityIndex(person_entity(place), model_of(place))
    with place.database.connect() as connection:
        arriving = Arrivals(connection, index)
        for n, (coming, leaving) in enumerate(done):
            take(arriving, place, coming, leaving, done[n + 1][0] if ahead and n + 1 < len(done) else ())
            connection.commit()


def take(
    arriving: Arrivals, place: Workshop, coming: Sequence[Arrival], leaving: Sequence[tuple[str, str]], following: Sequence[Arrival]
) -> None:
    at = place.clock()
    arriving.take(coming, leaving, Cause("arrival", "test", at, vietnam_date(at)), left_open, following)


@contextmanager
def steps_of_acts(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[str, Act]]]:
    """When acts asked for what they must know, and when they were done: `ask` as it begins, `finish` as it ends."""
    steps: list[tuple[str, Act]] = []
    with monkeypatch.context() as patch:
        asking, finishing = Act.ask, Act.finish

        def ask(act: Act, arrivals: Sequence[Arrival], departures: Sequence[tuple[str, str]]) -> None:
            steps.append(("ask", act))
            asking(act, arrivals, departures)

        def finish(act: Act, *given: Any) -> Matched:
            done = finishing(act, *given)
            steps.append(("finish", act))
            return done

        patch.setattr(Act, "ask", ask)
        patch.setattr(Act, "finish", finish)
        yield steps


@pytest.mark.parametrize(("seed", "count", "largest"), [(1, 40, 1), (2, 40, 3), (3, 12, 30), (4, 5, 120)])
def test_acts_asked_for_before_their_turn_end_as_those_asked_for_in_it(
    matched_template: Template, seed: int, count: int, largest: int
) -> None:
    with matched_template.copy() as one, matched_template.copy() as other:
        done = pushes(all_records(one), seed, count, largest)
        play(one, done, ahead=False)
        play(other, done, ahead=True)
        for mine, theirs in zip(state(one), state(other), strict=True):
            assert mine == theirs


def test_each_act_is_asked_for_once_and_before_the_one_before_it_is_done(filled: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    changed = [replace(each, content={**each.content, "phone": f"06{n:08}"}) for n, each in enumerate(all_records(filled)[:20])]
    with steps_of_acts(monkeypatch) as steps:
        play(filled, [([record], []) for record in changed], ahead=True)
    in_turn = [("ask", 0), *(step for n in range(19) for step in (("ask", n + 1), ("finish", n))), ("finish", 19)]
    numbers = {act: n for n, act in enumerate(dict.fromkeys(act for _, act in steps))}
    assert [(what, numbers[act]) for what, act in steps] == in_turn


def test_a_load_that_was_rolled_back_leaves_nothing_to_a_record_asked_for_within_it(filled: Workshop) -> None:
    record = named(all_records(filled), *INSURANCE_10)
    new, same = replace(record, key="9900099999"), named(all_records(filled), POPULATION, "7000000005")
    following = [replace(new)]
    index = EntityIndex(person_entity(filled), model_of(filled))
    with filled.database.connect() as connection:
        arrivals = Arrivals(connection, index)
        take(arrivals, filled, [new], [], [same])
        take(arrivals, filled, [same], [], following)  # changes nothing
        connection.rollback()
        take(arrivals, filled, following, [], ())
        connection.commit()
    assert any("9900099999" in row for row in state(filled)[0])


def test_what_somebody_else_did_in_between_is_seen(filled: Workshop) -> None:
    theirs, mine, other = (named(all_records(filled), *name) for name in (POPULATION_10, INSURANCE_10, (POPULATION, "7000000005")))
    changed = replace(other, content={**other.content, "phone": "0611111111"})
    index = EntityIndex(person_entity(filled), model_of(filled))
    with filled.database.connect() as connection, filled.database.connect() as somebody:
        arriving = Arrivals(connection, index)
        take(arriving, filled, [], [theirs.name, mine.name], ())
        connection.commit()
        take(arriving, filled, [changed], [], [mine])
        connection.commit()
        take(Arrivals(somebody, index), filled, [theirs], [], ())
        somebody.commit()
        take(arriving, filled, [mine], [], ())
        connection.commit()
    assert any({theirs.key, mine.key} <= {name.split("/")[1] for name in names} for (names,) in state(filled)[1])


def test_an_act_that_was_rolled_back_leaves_nothing_to_the_next(matched_template: Template) -> None:
    with matched_template.copy() as one, matched_template.copy() as other:
        record = named(all_records(one), *INSURANCE_10)
        new = replace(record, key="9900099999")
        following = [replace(new, content={**new.content, "phone": "0611111111"})]
        for place, ahead in ((one, False), (other, True)):
            index = EntityIndex(person_entity(place), model_of(place))
            with place.database.connect() as connection:
                arriving = Arrivals(connection, index)
                take(arriving, place, [new], [], following if ahead else ())
                connection.rollback()
                take(arriving, place, following, [], ())
                connection.commit()
        for mine, theirs in zip(state(one), state(other), strict=True):
            assert mine == theirs


def test_nobody_is_asked_about_a_record_that_left_in_the_act_before(filled: Workshop) -> None:
    stranger = {**named(all_records(filled), INSURANCE, "9900000002").content, "citizen_id": person(10)["citizen_id"]}
    index = EntityIndex(person_entity(filled), model_of(filled))
    with filled.database.connect() as connection:
        arriving = Arrivals(connection, index)
        take(arriving, filled, [], [INSURANCE_10], ())
        take(arriving, filled, [], [POPULATION_10], following := [Arrival(INSURANCE, "9900099999", stranger)])
        take(arriving, filled, following, [], ())
        connection.commit()
    assert not any("9900099999" in row[:2] for row in state(filled)[3])


def test_records_that_do_not_follow_after_all_are_asked_for_in_their_turn(filled: Workshop) -> None:
    records = all_records(filled)
    before = state(filled)
    index = EntityIndex(person_entity(filled), model_of(filled))
    with filled.database.connect() as connection:
        arriving = Arrivals(connection, index)
        take(arriving, filled, records[:3], [], records[3:6])
        take(arriving, filled, records[4:8], [], records[8:9])
        take(arriving, filled, records[8:9], [records[2].name], ())
        take(arriving, filled, records[2:3], [], ())
        connection.commit()
    after = state(filled)
    assert after[1] == before[1]
    assert after[9]
    assert [row[:6] for row in after[9]] == [row[:6] for row in before[9]]


def test_what_cannot_be_read_ahead_fails_in_its_turn_alone(filled: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    records = all_records(filled)
    changed = replace(records[0], content={**records[0].content, "phone": "0622222222"})
    index = EntityIndex(person_entity(filled), model_of(filled))

    def read(arrival: Arrival) -> Any:
        if arrival is records[5]:
            raise Conflict("không đọc được", vi="không đọc được", hint="", hint_vi="")
        return EntityIndex.read(index, arrival)

    monkeypatch.setattr(index, "read", read)
    with filled.database.connect() as connection:
        arriving = Arrivals(connection, index)
        take(arriving, filled, [changed], [], records[5:6])
        connection.commit()
        with pytest.raises(Conflict):
            take(arriving, filled, records[5:6], [], ())
        connection.rollback()
        row = connection.execute(
            "select content ->> 'phone' from match_records where source = %s and key = %s", (changed.source, changed.key)
        ).fetchone()
    assert row == ("0622222222",)


@pytest.fixture
def filled(matched_province: Workshop) -> Workshop:
    return matched_province
