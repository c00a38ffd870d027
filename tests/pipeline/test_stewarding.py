"""What a steward does holds, is shown at once, and goes back exactly; who was taken for whom can be asked of any instant."""

from __future__ import annotations

import random
from collections import defaultdict
from dataclasses import replace
from datetime import timedelta

import pytest

from lienthong.clock import vietnam_date
from lienthong.errors import Conflict, NotFound, Unprocessable
from lienthong.pipeline import Workshop, match_all, overriding, stewarding
from lienthong.pipeline.matching import Arrival, EntityIndex, Name
from lienthong.store.matching import Index
from tests.pipeline.test_matching import all_records, filled, golden_of, learnt, push, standing, workshop
from tests.registers import INSURANCE, POPULATION, model_of, person, person_entity

__all__ = ["filled", "learnt", "workshop"]  # fixtures of the same registers


SEVERAL = "land.holders"  # a register that may hold one person many times, without numbers


@pytest.fixture
def index(filled: Workshop) -> EntityIndex:
    return EntityIndex(person_entity(filled), model_of(filled))


def both(n: int) -> tuple[Name, Name]:
    """One person's records in the two registers."""
    return (POPULATION, f"{7_000_000_000 + n}"), (INSURANCE, f"99{n:08}")


def test_a_join_of_two_numbers_waits_for_another_person(filled: Workshop, index: EntityIndex) -> None:
    left, right = (POPULATION, "7000000010"), (POPULATION, "7000000011")
    for _ in range(2):
        with pytest.raises(Conflict, match="second person"):
            stewarding.decide(filled, index, left, right, "same", "can-bo-a", "một người")
    assert any({one.left, one.right} == {left, right} for one in stewarding.queue(filled, index, "can-bo-b", 500))
    stewarding.decide(filled, index, left, right, "same", "can-bo-b", "một người")
    assert golden_of(filled, *left) == golden_of(filled, *right)


def test_random_decisions_undone_in_any_order_give_everything_back(filled: Workshop, index: EntityIndex) -> None:
    chance = random.Random(7)
    before = standing(filled)
    for _ in range(2):
        acts = []
        for n in chance.sample(range(0, 300, 2), 6):
            if chance.random() < 0.5:
                done = stewarding.split(filled, index, [[both(n)[0]], [both(n)[1]]], "can-bo-a", "hai người")
            else:
                done = stewarding.decide(filled, index, *both(n), "apart", "can-bo-a", "hai người")
            assert golden_of(filled, *both(n)[0]) != golden_of(filled, *both(n)[1])
            acts.append(done.act)
        after = standing(filled)
        chance.shuffle(acts)
        undoing = [stewarding.undo(filled, index, act, "can-bo-b", "nhầm").act for act in acts if act is not None]
        assert standing(filled) == before
        chance.shuffle(undoing)
        again = [stewarding.undo(filled, index, act, "can-bo-b", "đúng").act for act in undoing if act is not None]
        assert standing(filled) == after
        for act in again:
            assert act is not None
            stewarding.undo(filled, index, act, "can-bo-b", "nhầm")
        assert standing(filled) == before


def test_a_parting_that_the_release_before_ended_keeps_nobody_apart(filled: Workshop, index: EntityIndex) -> None:
    """It knows of `to_at` alone, and may still run while the database is newer."""
    names = both(60)
    stewarding.split(filled, index, [[names[0]], [names[1]]], "can-bo-a", "hai người")
    with filled.database.connect() as connection:
        held = Index(connection, index.entity.name)
        assert held.judged(names).partings
        connection.execute("update match_partings set to_at = now()")
        assert not held.judged(names).partings


@pytest.mark.parametrize("seed", range(4))
def test_acts_on_the_same_records_undone_in_any_order_give_everything_back(filled: Workshop, index: EntityIndex, seed: int) -> None:
    chance = random.Random(seed)
    others = [each for each in all_records(filled) if each.name in {name for n in (60, 62, 64) for name in both(n)}]
    before, acts = standing(filled), []
    for _ in range(12):
        acts.append(some_act(filled, index, chance))
        if chance.random() < 0.3:  # what comes and goes meanwhile
            with filled.database.connect() as connection:
                push(connection, index, filled, [], [others[0].name])
                push(connection, index, filled, [others[0]])
            chance.shuffle(others)
    match_all.match_all(filled, index.entity, index.model)
    after = standing(filled)
    chance.shuffle(acts)
    undoing = [stewarding.undo(filled, index, act, "can-bo-b", "nhầm").act for act in acts]
    assert standing(filled) == before
    match_all.match_all(filled, index.entity, index.model)
    assert standing(filled) == before
    chance.shuffle(undoing)
    for act in undoing:
        assert act is not None
        stewarding.undo(filled, index, act, "can-bo-b", "đúng")
    assert standing(filled)[0] == after[0]
    with filled.database.connect() as connection:
        rows = connection.execute("select stands, to_at is null from match_parted join match_partings using (parting)").fetchall()
    assert {stands for stands, _ in rows} == {True, False}
    assert all(stands == holds for stands, holds in rows)


def some_act(place: Workshop, index: EntityIndex, chance: random.Random) -> int:
    """Anything a steward may say of three persons, by two where two are needed."""
    names = [name for n in (20, 22, 24) for name in both(n)]
    together: dict[str, list[Name]] = defaultdict(list)
    for name in names:
        together[golden_of(place, *name)].append(name)
    whole = [each for each in together.values() if len(each) > 1]
    if whole and chance.random() < 0.3:
        records = chance.sample(each := chance.choice(whole), len(each))
        cut = chance.randrange(1, len(records))
        act = stewarding.split(place, index, [records[:cut], records[cut:]], "can-bo-a", "hai người").act
    else:
        left, right = chance.sample(names, 2)
        verdict = chance.choice(("same", "same", "apart", "unsure"))
        try:
            act = stewarding.decide(place, index, left, right, verdict, "can-bo-a", "đã xem").act
        except Conflict:
            act = stewarding.decide(place, index, left, right, verdict, "can-bo-b", "đã xem").act
    assert act is not None
    return act


@pytest.mark.parametrize("is_last_first", [True, False])
def test_of_two_words_on_a_pair_the_one_not_undone_counts(filled: Workshop, index: EntityIndex, is_last_first: bool) -> None:
    before, (here, there) = standing(filled), both(6)
    said = [stewarding.decide(filled, index, here, there, verdict, "can-bo-a", "đã xem").act for verdict in ("apart", "same")]
    apart, same = said
    assert apart is not None
    assert same is not None
    assert standing(filled) == before
    first, second = (same, apart) if is_last_first else (apart, same)
    stewarding.undo(filled, index, first, "can-bo-b", "nhầm")
    assert (golden_of(filled, *here) == golden_of(filled, *there)) is not is_last_first
    again = stewarding.undo(filled, index, second, "can-bo-b", "nhầm").act
    assert standing(filled) == before
    assert again is not None
    stewarding.undo(filled, index, again, "can-bo-b", "đúng")
    assert (golden_of(filled, *here) == golden_of(filled, *there)) is not is_last_first


def test_who_was_joined_twice_goes_home_whichever_join_is_undone_first(filled: Workshop, index: EntityIndex) -> None:
    first, second, third = ((POPULATION, f"{7_000_000_000 + n}") for n in (11, 13, 15))
    before, acts = standing(filled), []
    for pair in ((first, second), (second, third)):
        with pytest.raises(Conflict, match="second person"):
            stewarding.decide(filled, index, *pair, "same", "can-bo-a", "một người")
        acts.append(stewarding.decide(filled, index, *pair, "same", "can-bo-b", "một người").act)
    for act in acts:
        assert act is not None
        stewarding.undo(filled, index, act, "can-bo-a", "nhầm")
        assert golden_of(filled, *first) == before[2]["/".join(first)]
    assert standing(filled) == before


def test_what_moves_most_for_its_doubt_is_asked_first(filled: Workshop, index: EntityIndex) -> None:
    alone = [(POPULATION, f"{7_000_000_000 + n}") for n in (41, 43, 45, 47)]
    waits = [(both(30)[0], both(32)[0], 1.0), (alone[0], alone[1], 0.1), (both(34)[0], both(36)[0], 2.0), (alone[2], alone[3], -3.0)]
    with filled.database.connect() as connection:
        connection.execute("delete from match_queue")
        for left, right, bits in reversed(waits):
            connection.execute(
                "insert into match_queue (entity, left_record, right_record, why, bits, since)"
                " select a.entity, least(a.record, b.record), greatest(a.record, b.record), 'weight', %s, now()"
                " from match_records as a, match_records as b where a.source = %s and a.key = %s and b.source = %s and b.key = %s",
                (bits, *left, *right),
            )
    asked = stewarding.queue(filled, index, "can-bo-a")
    assert [(one.records, one.bits) for one in asked] == [(4, 1.0), (2, 0.1), (4, 2.0), (2, -3.0)]  # 2, 1.8, 1.3, 0.5 records for a bit
    assert [{one.left, one.right} for one in asked] == [{left, right} for left, right, _ in waits]


def test_a_join_that_makes_more_than_ten_records_waits_for_another_person(filled: Workshop, index: EntityIndex) -> None:
    """No numbers are in it: size alone asks for a second person, and taking apart asks for one."""
    small, fit, large = (many_records(filled, index, 301, given, count) for given, count in (("Xoan", 5), ("Kiệt", 5), ("Đông", 6)))
    stewarding.decide(filled, index, small[0], fit[0], "same", "can-bo-a", "một người")  # ten
    assert golden_of(filled, *small[0]) == golden_of(filled, *fit[-1])
    for _ in range(2):
        with pytest.raises(Conflict, match="second person"):
            stewarding.decide(filled, index, small[0], large[0], "same", "can-bo-a", "một người")
    assert golden_of(filled, *small[0]) != golden_of(filled, *large[0])
    done = stewarding.decide(filled, index, large[0], small[0], "same", "can-bo-b", "một người")
    whole = golden_of(filled, *small[0])
    assert {golden_of(filled, *name) for name in (*small, *fit, *large)} == {whole}
    stewarding.split(filled, index, [[*small, *fit], large], "can-bo-a", "hai người")
    assert golden_of(filled, *small[0]) != golden_of(filled, *large[0])
    assert done.act is not None
    stewarding.undo(filled, index, done.act, "can-bo-a", "nhầm")


def many_records(place: Workshop, index: EntityIndex, n: int, given: str, count: int) -> list[Name]:
    """One person's records of a register that may have several, none with a number; one golden record. Of one `n` they are twins."""
    content = {name: person(n)[name] for name in ("full_name", "born_on", "sex", "commune_code", "address", "phone")}
    content["full_name"] = f"{content['full_name'].rpartition(' ')[0]} {given}"
    arrivals = [Arrival(SEVERAL, f"{n}-{given}-{each}", content) for each in range(count)]
    with place.database.connect() as connection:
        push(connection, index, place, arrivals)
    names = [each.name for each in arrivals]
    assert len({golden_of(place, *name) for name in names}) == 1
    return names


def test_a_word_on_two_records_counts_before_a_split_for_as_long_as_it_holds(filled: Workshop, index: EntityIndex) -> None:
    here, there = both(6)
    together = golden_of(filled, here[0], here[1])

    def are_one() -> bool:
        return golden_of(filled, *here) == golden_of(filled, *there)

    parted = stewarding.split(filled, index, [[here], [there]], "can-bo-a", "hai người").act
    said = stewarding.decide(filled, index, here, there, "same", "can-bo-b", "một người").act
    assert are_one()
    assert parted is not None
    assert said is not None
    match_all.match_all(filled, index.entity, index.model)
    assert are_one()
    stewarding.undo(filled, index, said, "can-bo-b", "nhầm")
    assert not are_one()
    match_all.match_all(filled, index.entity, index.model)
    assert not are_one()
    stewarding.undo(filled, index, parted, "can-bo-a", "nhầm")
    assert golden_of(filled, *here) == golden_of(filled, *there) == together


def test_records_of_two_golden_records_cannot_be_split(filled: Workshop, index: EntityIndex) -> None:
    with pytest.raises(Unprocessable, match="not of one golden record"):
        stewarding.split(filled, index, [[both(2)[0]], [both(4)[0]]], "can-bo-a", "hai người")
    with pytest.raises(Unprocessable, match="two groups"):
        stewarding.split(filled, index, [[both(2)[0]], [both(2)[0]]], "can-bo-a", "hai người")


def test_a_stewards_value_is_shown_until_it_is_withdrawn(filled: Workshop, index: EntityIndex) -> None:
    golden_id = golden_of(filled, *both(2)[0])
    before = standing(filled)
    done = overriding.override(filled, index, golden_id, "full_name", "Nguyễn Văn Đúng", "can-bo-a", "theo giấy khai sinh")
    assert done.version.changed == (golden_id,)
    stewarding.decide(filled, index, *both(2), "same", "can-bo-a", "đúng")  # linked anew, and it stands
    again = overriding.override(filled, index, golden_id, "full_name", "Nguyễn Văn Đúng", "can-bo-a", "theo giấy khai sinh")
    assert again.version.version is None
    with pytest.raises(Conflict, match="steward's value"):
        stewarding.undo(filled, index, done.act, "can-bo-a", "nhầm")
    assert overriding.withdraw(filled, index, golden_id, "full_name", "can-bo-a", "nhầm").version.changed == (golden_id,)
    assert standing(filled)[0] == before[0]
    assert standing(filled)[2] == before[2]
    with pytest.raises(NotFound, match="no steward's value"):
        overriding.withdraw(filled, index, golden_id, "full_name", "can-bo-a", "nhầm")


def test_a_stewards_value_that_cannot_be_is_refused(filled: Workshop, index: EntityIndex) -> None:
    golden_id = golden_of(filled, *both(2)[0])
    yesterday = vietnam_date(filled.clock()) - timedelta(days=1)
    with pytest.raises(Unprocessable, match="no attribute"):
        overriding.override(filled, index, golden_id, "golden_id", "x", "can-bo-a", "thử")
    with pytest.raises(Unprocessable, match="cannot be read"):
        overriding.override(filled, index, golden_id, "born_on", "không rõ", "can-bo-a", "thử")
    with pytest.raises(Unprocessable, match="citizen_id"):  # as the register's own standard judges it
        overriding.override(filled, index, golden_id, "citizen_id", "12345", "can-bo-a", "thử")
    with pytest.raises(Unprocessable, match="last day"):
        overriding.override(filled, index, golden_id, "full_name", "A", "can-bo-a", "thử", yesterday)
    with pytest.raises(NotFound, match="stands"):
        overriding.override(filled, index, "person-nobody", "full_name", "A", "can-bo-a", "thử")


def test_a_stewards_value_is_written_as_the_register_would_write_it(filled: Workshop, index: EntityIndex) -> None:
    golden_id = golden_of(filled, *both(2)[0])
    overriding.override(filled, index, golden_id, "full_name", "  nguyễn   văn đúng ", "can-bo-a", "theo giấy khai sinh")
    assert shown(filled, golden_id, "full_name") == "Nguyễn Văn Đúng"


def test_matching_everything_anew_keeps_the_first_of_two_words_and_what_is_put_off(filled: Workshop, index: EntityIndex) -> None:
    left, right = (POPULATION, "7000000010"), (POPULATION, "7000000011")
    with pytest.raises(Conflict, match="second person"):
        stewarding.decide(filled, index, left, right, "same", "can-bo-a", "một người")
    waiting = stewarding.queue(filled, index, "can-bo-b", 500)
    put_off = next((one for one in waiting if {one.left, one.right} != {left, right}), None)
    if put_off is not None:
        stewarding.defer(filled, put_off.item, filled.clock() + timedelta(days=30))
    match_all.match_all(filled, index.entity, index.model)
    pairs = [{one.left, one.right} for one in stewarding.queue(filled, index, "can-bo-b", 500)]
    assert {left, right} in pairs
    assert put_off is None or {put_off.left, put_off.right} not in pairs
    stewarding.decide(filled, index, left, right, "same", "can-bo-b", "một người")
    assert golden_of(filled, *left) == golden_of(filled, *right)


def test_every_value_a_golden_record_shows_may_be_set_as_it_is(filled: Workshop, index: EntityIndex) -> None:
    names = [p.name for p in index.master.properties if p.key_position is None and p.name != "provenance"]
    shown_at_all = 0
    with filled.database.connect() as connection:
        ids = [row[0] for row in connection.execute("select golden_id from data.master_person order by golden_id limit 6")]
    for golden_id in ids:
        for name in names:
            value = shown(filled, golden_id, name)
            if value != "None":
                overriding.override(filled, index, golden_id, name, value, "can-bo-a", "xác nhận")
                assert shown(filled, golden_id, name) == value
                shown_at_all += 1
    assert shown_at_all > 3 * len(ids)


def test_a_value_past_its_last_day_gives_way_to_the_registers(filled: Workshop, index: EntityIndex) -> None:
    golden_id = golden_of(filled, *both(4)[0])
    before = shown(filled, golden_id, "full_name")
    today = vietnam_date(filled.clock())
    overriding.override(filled, index, golden_id, "full_name", "Nguyễn Văn Đúng", "can-bo-a", "tạm", today)
    assert overriding.expire(filled, index) == 0  # the last day itself still counts
    later = replace(filled, clock=lambda: filled.clock() + timedelta(days=1))
    assert overriding.expire_all(filled) == 0
    assert overriding.expire_all(later) == 1
    assert shown(filled, golden_id, "full_name") == before
    assert overriding.expire(later, index) == 0


def shown(place: Workshop, golden_id: str, attribute: str) -> str:
    with place.database.connect() as connection:
        row = connection.execute(f"select {attribute} from data.master_person where golden_id = %s", (golden_id,)).fetchone()
    assert row is not None
    return str(row[0])


def test_who_was_taken_for_whom_can_be_asked_of_any_instant(filled: Workshop, index: EntityIndex) -> None:
    here, there = both(2)
    together = golden_of(filled, *here)
    before = filled.clock()
    stewarding.split(filled, index, [[here], [there]], "can-bo-a", "hai người")
    after = filled.clock()
    assert {overriding.who(filled, here, before), overriding.who(filled, there, before)} == {together}
    assert set(overriding.members(filled, index, together, before)) == {here, there}
    assert len(overriding.members(filled, index, together, after)) == 1
    assert overriding.who(filled, here, after) != overriding.who(filled, there, after)
    assert overriding.who(filled, here, before - timedelta(days=3650)) is None
