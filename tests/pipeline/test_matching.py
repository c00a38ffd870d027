"""Who is one, in a real database: bulk, one by one, in any order, twice, at the same time, killed in the middle."""

from __future__ import annotations

import random
import signal
import sys
import threading
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import xxhash

from lienthong.clock import vietnam_date
from lienthong.errors import Conflict, Unprocessable
from lienthong.masterdata.model import Cuts, Model
from lienthong.masterdata.resolve import resolve, rule_names
from lienthong.pipeline import Workshop, match_all, overriding, stewarding, submit_records
from lienthong.pipeline.matching import Arrival, Arrivals, Cause, EntityIndex, Matched
from lienthong.store import Connection
from tests import forking
from tests.registers import INSURANCE, PEOPLE, POPULATION, insurance_row, model_of, person, person_entity, population_row, send
from tests.templates import Template

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def workshop(empty_province: Workshop) -> Workshop:
    return empty_province


@pytest.fixture
def learnt(matched_template: Template) -> Model:
    """The model of the two registers."""
    return model_of(matched_template.workshop)


@pytest.fixture
def filled(matched_province: Workshop) -> Workshop:
    """Two registers taken in, the model in force, everything matched once."""
    return matched_province


def partition(place: Workshop) -> set[frozenset[str]]:
    with place.database.connect() as connection:
        rows = connection.execute(
            "select array_agg(source || '/' || key) from match_records where entity = 'person' group by golden"
        ).fetchall()
    return {frozenset(names) for (names,) in rows}


def partition_of(connection: Connection, records: Sequence[Arrival]) -> set[frozenset[str]]:
    """How these records are put together."""
    rows = connection.execute(
        "select array_agg(key) from match_records where source = any(%s) and key = any(%s) group by golden",
        ([each.source for each in records], [each.key for each in records]),
    ).fetchall()
    return {frozenset(names) for (names,) in rows}


def waiting(place: Workshop) -> list[set[str]]:
    """Pairs of records a person is asked about."""
    with place.database.connect() as connection:
        rows = connection.execute(
            "select a.source || '/' || a.key, b.source || '/' || b.key from match_queue"
            " join match_records as a on a.record = left_record join match_records as b on b.record = right_record"
        ).fetchall()
    return [set(row) for row in rows]


def golden_of(place: Workshop, source: str, key: str) -> str:
    with place.database.connect() as connection:
        row = connection.execute(
            "select g.id from match_records join match_goldens as g using (golden) where source = %s and key = %s", (source, key)
        ).fetchone()
    assert row is not None
    return str(row[0])


def values(place: Workshop) -> list[tuple[Any, ...]]:
    """Golden records without their ids."""
    with place.database.connect() as connection:
        return sorted(
            connection.execute(
                "select citizen_id, full_name, born_on, sex, commune_code, address, phone, provenance from data.master_person"
            ),
            key=str,
        )


def push(
    connection: Connection, index: EntityIndex, place: Workshop, arrivals: Sequence[Arrival], gone: Sequence[tuple[str, str]] = ()
) -> Matched:
    return push_next(Arrivals(connection, index), place, arrivals, gone)


def push_next(
    arriving: Arrivals,
    place: Workshop,
    arrivals: Sequence[Arrival],
    gone: Sequence[tuple[str, str]] = (),
    following: Sequence[Arrival] = (),
) -> Matched:
    """One of several pushes: what follows is known."""
    at = place.clock()
    done = arriving.take(arrivals, gone, Cause("arrival", "test", at, vietnam_date(at)), following=following)
    arriving.connection.commit()
    return done


def all_records(place: Workshop) -> list[Arrival]:
    with place.database.connect() as connection:
        rows = match_all.read_register_rows(connection, person_entity(place))
    return [
        Arrival(r["source"], r["key"], {k: v for k, v in r.items() if k not in ("source", "key", "dated") and v is not None}, r["dated"])
        for r in rows.iter_rows(named=True)
    ]


def test_the_same_person_of_two_registers_is_one_golden_record(filled: Workshop) -> None:
    together = [names for names in partition(filled) if len(names) == 2]
    right = [names for names in together if len({int(name[-6:]) % 100_000 for name in names}) == 1]
    assert len(together) >= PEOPLE // 2 * 0.97
    assert len(right) == len(together)


def test_any_order_of_arrival_ends_in_the_same_golden_records(filled: Workshop) -> None:
    whole, chosen = partition(filled), values(filled)
    records = all_records(filled)
    index = EntityIndex(person_entity(filled), model_of(filled))
    for seed in range(5):
        random.Random(seed).shuffle(records)
        with filled.database.connect() as connection:
            push(connection, index, filled, [], [r.name for r in records])
            size = (1, 7, 50, 500, 1)[seed]
            arriving = Arrivals(connection, index)
            for start in range(0, len(records), size):
                following = records[start + size : start + 2 * size] if seed in (1, 2, 4) else []
                push_next(arriving, filled, records[start : start + size], following=following)
        assert partition(filled) == whole
        assert values(filled) == chosen


def test_a_batch_of_new_changed_unchanged_and_departed_records_ends_as_matching_everything_does(filled: Workshop) -> None:
    records = all_records(filled)
    random.Random(8).shuffle(records)
    index = EntityIndex(person_entity(filled), model_of(filled))
    gone, new, changed, same = (records[n::4] for n in range(4))
    lost = [Arrival(r.source, r.key, {k: v for k, v in r.content.items() if k not in ("citizen_id", "address")}, r.dated) for r in changed]
    coming = [*new, *lost, *same]
    random.Random(9).shuffle(coming)
    with filled.database.connect() as connection:
        push(connection, index, filled, [], [r.name for r in new])
        push(connection, index, filled, coming, [r.name for r in gone])
        whole = partition(filled)
        held = connection.execute("select count(*) from match_records where entity = 'person'").fetchone()
        assert held == (len(coming),)
        push(connection, index, filled, [], [r.name for r in coming])
        for arrival in coming:
            push(connection, index, filled, [arrival])
    assert partition(filled) == whole


def test_matching_everything_again_changes_nothing(filled: Workshop) -> None:
    before = partition(filled)
    ids = {name: golden_of(filled, *name.split("/")) for names in before for name in list(names)[:1]}
    again = match_all.match_all(filled, person_entity(filled), model_of(filled))
    assert again.version.version is None
    assert partition(filled) == before
    assert all(golden_of(filled, *name.split("/")) == id for name, id in ids.items())


def test_a_first_filling_ends_with_the_index_it_began_with(filled: Workshop) -> None:
    told = "select pg_get_indexdef('match_records_keys'::regclass)"
    with filled.database.connect() as connection:
        before = connection.execute(told).fetchone()
        connection.execute("delete from match_records")
    whole = partition(filled)
    match_all.match_all(filled, person_entity(filled), model_of(filled))
    with filled.database.connect() as connection:
        assert connection.execute(told).fetchone() == before
    assert whole == set()
    assert len(partition(filled)) >= PEOPLE


def test_what_a_publication_brings_is_matched_before_it_is_shown(filled: Workshop) -> None:
    send(filled, INSURANCE, [insurance_row(1, citizen_id=None)], "later")
    assert golden_of(filled, INSURANCE, "9900000001") == golden_of(filled, POPULATION, "7000000001")
    with filled.database.connect() as connection:
        kinds = [row[0] for row in connection.execute("select kind from match_events order by event desc limit 1")]
    assert kinds == ["joined"]


def test_a_record_that_changes_its_number_leaves_and_comes_back(filled: Workshop) -> None:
    before, home = partition(filled), golden_of(filled, POPULATION, "7000000002")
    send(
        filled,
        INSURANCE,
        [insurance_row(2, citizen_id="097088999999", full_name="Đinh Bá Thụ", born_on="1988-03-02", phone=None, address=None, sex="Nam")],
        "wrong",
    )
    assert golden_of(filled, INSURANCE, "9900000002") != home
    send(filled, INSURANCE, [insurance_row(2)], "right")
    assert golden_of(filled, INSURANCE, "9900000002") == home
    assert partition(filled) == before


def test_a_value_that_changed_is_told_to_who_follows(filled: Workshop) -> None:
    record = POPULATION, "7000000003"  # of one register alone: its telephone is the golden record's
    send(filled, POPULATION, [{**population_row(3), "phone": "0699999999"}], "moved")
    with filled.database.connect() as connection:
        last = connection.execute("select event, kind, id, others, records from match_events order by event desc limit 1").fetchone()
        told = connection.execute(
            "select source, (data ->> 'from')::bigint, (data ->> 'to')::bigint from events_waiting where type = 'entities:changed' order by event desc limit 1"
        ).fetchone()
    assert last is not None
    assert last[1:] == ("changed", golden_of(filled, *record), [], [])
    assert told == ("entity/person", last[0], last[0])


def test_what_was_said_of_records_ends_where_an_arrival_takes_them_apart(filled: Workshop) -> None:
    """A judgement's row ends, with the act that ended it, and does not go."""
    left, right = (POPULATION, "7000000002"), (INSURANCE, "9900000002")
    asked = (
        "select j.kind, j.to_at, ended.at, ended.kind from match_judgements as j left join match_acts as ended on ended.act = j.ended_by"
        " where (left_source, left_key, right_source, right_key) in ((%s, %s, %s, %s), (%s, %s, %s, %s)) order by judgement"
    )
    both_ways = (*left, *right, *right, *left)
    with filled.database.connect() as connection:
        assert connection.execute(asked, both_ways).fetchall() == [("rule", None, None, None)]
    elsewhere = {"citizen_id": "097088999999", "full_name": "Đinh Bá Thụ", "born_on": "1988-03-02", "phone": None, "address": None}
    send(filled, INSURANCE, [insurance_row(2, **elsewhere, sex="Nam")], "wrong")
    with filled.database.connect() as connection:
        ((kind, to_at, at, by),) = connection.execute(asked, both_ways).fetchall()
    assert (kind, by) == ("rule", "arrival")
    assert to_at == at is not None
    send(filled, INSURANCE, [insurance_row(2)], "right")
    with filled.database.connect() as connection:
        ended, standing_now = connection.execute(asked, both_ways).fetchall()
    assert ended == (kind, to_at, at, by)
    assert standing_now == ("rule", None, None, None)


def test_what_was_said_of_a_record_that_leaves_ends_with_it_and_of_those_that_stay_is_said_anew(filled: Workshop) -> None:
    index, p = EntityIndex(person_entity(filled), model_of(filled)), person(2)
    third = Arrival("land.holders", "third", {name: p[name] for name in ("citizen_id", "full_name", "born_on")})
    names = sorted([*(f"{source}/{key}" for source, key in ((POPULATION, "7000000002"), (INSURANCE, "9900000002"))), "land.holders/third"])
    before = joins(filled)
    with filled.database.connect() as connection:
        push(connection, index, filled, [third])
        assert {pair[:2] for pair in joins(filled) - before} == {(names[0], names[1]), (names[0], names[2])}
        push(connection, index, filled, [], [third.name])
        assert joins(filled) == before
        (insured,) = (each for each in all_records(filled) if each.name == (INSURANCE, "9900000002"))
        push(connection, index, filled, [], [insured.name])
        assert joins(filled) == before - {(names[1], names[2], "citizen_id")}
        push(connection, index, filled, [insured])
    assert joins(filled) == before


def test_an_insurance_number_given_again_joins_nobody(filled: Workshop) -> None:
    """Another person of the same given name has it now: one by one and all at once they stay two, and nobody is asked."""
    cards = "health-insurance.cards"
    with filled.database.connect() as connection:
        rows = match_all.read_register_rows(connection, person_entity(filled))
    heir = rows.filter(source=INSURANCE, key="9900000008").with_columns(
        source=pl.lit(cards), key=pl.lit("later"), citizen_id=pl.lit(None, pl.String), full_name=pl.lit(f"Đinh Bá {person(8)['full_name'].split()[-1]}"),
        born_on=pl.lit("2004-02-03"), address=pl.lit(None, pl.String), phone=pl.lit(None, pl.String),
    )  # fmt: skip
    model = model_of(filled)
    every = pl.concat([rows, heir]).sort("source", "key")
    found = resolve(model, model.plan.feature_frame(every), every["source"])
    of = every.with_columns(cluster=pl.Series(found.cluster)).filter(pl.col("insurance_no") == "9900000008")
    assert of.height == of["cluster"].n_unique() == 2
    with filled.database.connect() as connection:
        (row,) = heir.to_dicts()
        content = {name: value for name, value in row.items() if name not in ("source", "key", "dated") and value is not None}
        push(connection, EntityIndex(person_entity(filled), model), filled, [Arrival(cards, "later", content)])
    assert golden_of(filled, cards, "later") != golden_of(filled, INSURANCE, "9900000008")
    assert not [pair for pair in waiting(filled) if f"{cards}/later" in pair]


def test_a_join_says_by_which_rule_alike_all_at_once_and_one_by_one(filled: Workshop) -> None:
    """By a number in common, by an earlier number a register says was replaced, by a steward; by weight none."""
    index, p = EntityIndex(person_entity(filled), model_of(filled)), person(301)
    own = {"full_name": p["full_name"], "born_on": p["born_on"]}
    arrivals = [
        Arrival("land.holders", "new", {**own, "citizen_id": p["citizen_id"], "old_id": "285123456"}),
        Arrival("poor-households.members", "old", {**own, "old_id": "285123456"}),
    ]
    records = all_records(filled)
    with filled.database.connect() as connection:
        rows = match_all.read_register_rows(connection, index.entity)
        push(connection, index, filled, [], [each.name for each in records])
        for each in [*records, *arrivals]:
            push(connection, index, filled, [each])
    one_by_one = joins(filled)
    extra = pl.DataFrame([{"source": a.source, "key": a.key, **a.content} for a in arrivals])
    every = pl.concat([rows, extra], how="diagonal").sort("source", "key")
    found = resolve(index.model, index.model.plan.feature_frame(every), every["source"])
    names = (every["source"] + "/" + every["key"]).to_list()
    rules = dict(enumerate(rule_names(index.matcher.rules)))
    assert one_by_one == {(names[a], names[b], rules.get(rule, "")) for a, b, _, rule in found.joins.rows()}
    assert ("land.holders/new", "poor-households.members/old", "old_id>citizen_id") in one_by_one
    assert {rule for _, _, rule in one_by_one} == {"", "citizen_id", "old_id>citizen_id"}
    left, right = (POPULATION, "7000000010"), (POPULATION, "7000000011")
    with filled.database.connect() as connection:
        push(connection, index, filled, [], [a.name for a in arrivals])
    with pytest.raises(Conflict):
        stewarding.decide(filled, index, left, right, "same", "can-bo-a", "một người")
    stewarding.decide(filled, index, left, right, "same", "can-bo-b", "một người")
    said = ("/".join(left), "/".join(right), "steward")
    assert said in joins(filled)
    before = joins(filled)
    match_all.match_all(filled, index.entity, index.model)
    assert joins(filled) == before


def joins(place: Workshop) -> set[tuple[str, str, str]]:
    """What joins records now: both, and the rule."""
    with place.database.connect() as connection:
        return set(
            connection.execute(
                "select left_source || '/' || left_key, right_source || '/' || right_key, reason from match_judgements"
                " where kind <> 'steward' and to_at is null"
            ).fetchall()
        )


def test_two_different_numbers_are_never_one(filled: Workshop) -> None:
    send(filled, INSURANCE, [insurance_row(5, citizen_id=person(5)["citizen_id"][:-1] + "9")], "digit")
    assert golden_of(filled, INSURANCE, "9900000005") != golden_of(filled, POPULATION, "7000000005")


def test_a_slip_in_a_number_is_asked_of_a_person_whether_it_came_alone_or_with_all(filled: Workshop) -> None:
    asking = model_of(filled).with_cuts(Cuts(1.0, -1.0))
    slip = person(5)["citizen_id"][:-1] + "9"
    right = next(each for each in all_records(filled) if each.name == (POPULATION, "7000000005"))
    slipped = replace(right, source=INSURANCE, key="9900000005", content={**right.content, "citizen_id": slip})
    with filled.database.connect() as connection:
        push(connection, EntityIndex(person_entity(filled), asking), filled, [slipped])
    two = {f"{INSURANCE}/9900000005", f"{POPULATION}/7000000005"}
    assert two in waiting(filled)
    assert not any(two <= names for names in partition(filled))
    send(filled, INSURANCE, [insurance_row(5, citizen_id=slip)], "digit")
    match_all.match_all(filled, person_entity(filled), asking)
    assert two in waiting(filled)
    assert not any(two <= names for names in partition(filled))


def test_an_earlier_membership_is_told_as_it_was_known(filled: Workshop) -> None:
    with filled.database.connect() as connection:
        index = EntityIndex(person_entity(filled), model_of(filled))
        record = next(r for r in all_records(filled) if r.name == (INSURANCE, "9900000006"))
        was = golden_of(filled, *record.name)
        push(connection, index, filled, [], [record.name])
        closed = connection.execute(
            "select g.id from match_memberships as m join match_goldens as g using (golden) where m.source = %s and m.key = %s", record.name
        ).fetchall()
    assert (was,) in closed


def test_arrivals_at_the_same_time_wait_for_each_other(filled: Workshop) -> None:
    before = partition(filled)
    records = all_records(filled)
    entity, model = person_entity(filled), model_of(filled)
    failures: list[BaseException] = []

    def work(mine: Sequence[Arrival]) -> None:
        try:
            with filled.database.connect() as connection:
                index = EntityIndex(entity, model)
                for record in mine:
                    push(connection, index, filled, [], [record.name])
                    push(connection, index, filled, [record])
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(records[n::3][:20],)) for n in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert partition(filled) == before


def test_records_of_a_master_dataset_are_made_not_sent(filled: Workshop) -> None:
    with pytest.raises(Unprocessable, match=r"master\.person"):
        submit_records(filled, filled.contracts["master.person"], [{"golden_id": "x"}], caller="VN/GOV/X/y", idempotency_key="k")


def standing(place: Workshop) -> tuple[set[frozenset[str]], list[tuple[Any, ...]], dict[str, str]]:
    with place.database.connect() as connection:
        ids: dict[str, str] = dict(
            connection.execute("select source || '/' || key, id from match_records join match_goldens using (golden)").fetchall()
        )
    return partition(place), values(place), ids


def test_a_decision_joins_and_its_undoing_gives_everything_back(filled: Workshop) -> None:
    index = EntityIndex(person_entity(filled), model_of(filled))
    before = standing(filled)
    stewarding.decide(filled, index, (POPULATION, "7000000010"), (POPULATION, "7000000011"), "unsure", "can-bo-a", "chưa rõ")
    with pytest.raises(Conflict, match="second person"):
        stewarding.decide(filled, index, (POPULATION, "7000000010"), (POPULATION, "7000000011"), "same", "can-bo-a", "một người")
    done = stewarding.decide(filled, index, (POPULATION, "7000000010"), (POPULATION, "7000000011"), "same", "can-bo-b", "một người")
    assert golden_of(filled, POPULATION, "7000000010") == golden_of(filled, POPULATION, "7000000011")
    assert done.act is not None
    stewarding.undo(filled, index, done.act, "can-bo-a", "nhầm")
    assert standing(filled) == before


def test_what_waits_is_shown_to_one_person_at_a_time_until_it_is_put_off(filled: Workshop) -> None:
    index = EntityIndex(person_entity(filled), model_of(filled))
    send(filled, INSURANCE, [insurance_row(21, citizen_id=person(22)["citizen_id"], phone=None, address=None)], "another's number")
    mine = stewarding.queue(filled, index, "can-bo-a")
    of_one_number = next(one for one in mine if one.why == "identifier")
    assert of_one_number.left_content["citizen_id"] == of_one_number.right_content["citizen_id"]
    assert stewarding.queue(filled, index, "can-bo-b") == []
    stewarding.defer(filled, of_one_number.item, filled.clock() + timedelta(days=7))
    assert of_one_number.item not in [one.item for one in stewarding.queue(filled, index, "can-bo-a")]


def test_what_the_model_joined_can_be_undone_and_joined_again(filled: Workshop) -> None:
    index = EntityIndex(person_entity(filled), model_of(filled))
    send(filled, INSURANCE, [insurance_row(13, citizen_id=None)], "one more")
    joined = standing(filled)
    with filled.database.connect() as connection:
        row = connection.execute("select max(act) from match_acts").fetchone()
    assert row is not None
    taken_back = stewarding.undo(filled, index, row[0], "can-bo-a", "không phải một người")
    assert golden_of(filled, INSURANCE, "9900000013") != golden_of(filled, POPULATION, "7000000013")
    assert match_all.match_all(filled, person_entity(filled), index.model).version.version is None
    assert taken_back.act is not None
    stewarding.undo(filled, index, taken_back.act, "can-bo-a", "đúng là một người")
    assert standing(filled) == joined
    with pytest.raises(Conflict, match="was undone"):
        stewarding.undo(filled, index, row[0], "can-bo-a", "lần nữa")


KILLED = """
import os, signal, sys
from pathlib import Path
from lienthong.contracts import load_all
from lienthong.pipeline import match_all, match_models
from lienthong.masterdata.entities import entities_of
from tests.factories import make_workshop
place = make_workshop(sys.argv[1], *load_all(Path("datasets")).values(), apply=False)
entity = entities_of(place.contracts)["person"]
with place.database.connect() as connection:
    model = match_models.in_force(connection, entity)
def step(name, rows):
    if name == sys.argv[2]:
        os.kill(os.getpid(), signal.SIGKILL)
match_all.match_all(place, entity, model, on_step=step)
"""


@pytest.fixture(params=["comparing", "writing", "choosing", "publishing"])
def step(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_killed_at_any_step_nothing_is_half_done(filled: Workshop, step: str) -> None:
    before, chosen = partition(filled), values(filled)
    with filled.database.connect() as connection:  # something for the run to change
        connection.execute("update data.social_insurance_participants set citizen_id = null where _key like '%%7'")
    command = [sys.executable, "-c", KILLED, filled.database.url, step]
    done = forking.run(command, cwd=ROOT)
    assert done.returncode == -signal.SIGKILL, done.stderr[-2000:]
    assert partition(filled) == before
    assert values(filled) == chosen
    match_all.match_all(filled, person_entity(filled), model_of(filled))
    with filled.database.connect() as connection:
        row = connection.execute("select count(*) from match_goldens where ended_at is null").fetchone()
    assert row is not None
    assert row[0] == len(partition(filled)) == len(values(filled))


@pytest.mark.parametrize("is_known", [False, True], ids=["new to the model", "known to the model as a habit of typing"])
def test_a_number_that_many_carry_ends_the_same_at_once_and_one_by_one(filled: Workshop, is_known: bool) -> None:
    number = "097060000999"
    model = model_of(filled)
    if is_known:
        model = replace(model, crowded=frozenset({xxhash.xxh3_64_intdigest(number.encode())}))
    index = EntityIndex(person_entity(filled), model)
    same = {"full_name": "Nguyễn Văn Minh", "born_on": "1960-04-12", "citizen_id": number}
    others = [{"full_name": f"{person(n)['full_name']}", "born_on": person(n)["born_on"], "citizen_id": number} for n in range(20)]
    records = [Arrival(INSURANCE, f"98{n:08}", content) for n, content in enumerate([same] * 40 + others)]
    random.Random(4).shuffle(records)
    with filled.database.connect() as connection:
        for record in records:
            push(connection, index, filled, [record])
        one_by_one, asked = partition_of(connection, records), waiting(filled)
        push(connection, index, filled, [], [record.name for record in records])
        push(connection, index, filled, records)
        assert partition_of(connection, records) == one_by_one
        assert sorted(map(sorted, waiting(filled))) == sorted(map(sorted, asked))
        connection.execute(
            "insert into data.social_insurance_participants (_key, _digest, _version, _row, _valid_from, insurance_no, full_name, born_on, citizen_id)"
            " select key, 0, 1, 0, current_date, key, content ->> 'full_name', content ->> 'born_on', content ->> 'citizen_id'"
            " from match_records where source = %s and key = any(%s)",
            (INSURANCE, [record.key for record in records]),
        )
        connection.commit()
        match_all.match_all(filled, person_entity(filled), model)
        assert partition_of(connection, records) == one_by_one
        assert sorted(map(sorted, waiting(filled))) == sorted(map(sorted, asked))
    assert max(map(len, one_by_one)) >= 40


def test_a_value_set_by_hand_stands_when_the_register_sends_its_record_again(filled: Workshop) -> None:
    alone = (POPULATION, "7000000001")  # of no other register
    index = EntityIndex(person_entity(filled), model_of(filled))
    golden_id = golden_of(filled, *alone)
    overriding.override(filled, index, golden_id, "full_name", "Nguyễn Văn Đúng", "can-bo-a", "theo giấy khai sinh")
    record = next(each for each in all_records(filled) if each.name == alone)
    with filled.database.connect() as connection:
        push(connection, index, filled, [replace(record, content={**record.content, "phone": "0611111111"})])
        shown = connection.execute("select full_name, phone from data.master_person where _key = %s", (golden_id,)).fetchone()
    assert shown == ("Nguyễn Văn Đúng", "0611111111")
