"""What an arrival reads is looked up record by record, however much waits and however much stewards ever said."""

from __future__ import annotations

from collections.abc import Mapping

from lienthong.clock import vietnam_date
from lienthong.pipeline import Workshop, stewarding
from lienthong.pipeline.matching import Arrivals, Cause, EntityIndex
from lienthong.store import Connection
from lienthong.store.database import queries
from lienthong.store.pipelines import numbered
from tests.pipeline.test_matching import all_records
from tests.registers import INSURANCE, POPULATION, model_of, person_entity


def test_what_more_is_to_be_read_of_a_record_is_never_read_of_all(matched_province: Workshop) -> None:
    members = numbered(queries("matching")["members"].as_string(None), ("numbers bigint[]",))
    with matched_province.database.connect() as connection:
        connection.execute(
            "insert into match_queue (entity, left_record, right_record, why, bits, since)"
            " select 'person', a.record, b.record, 'weight', 0, now()"
            " from (select record from match_records order by record limit 60) as a, (select record from match_records order by record limit 60) as b"
            " where a.record < b.record"
        )
        connection.execute("analyze match_queue")
        connection.execute("set local plan_cache_mode = 'force_generic_plan'")
        connection.execute(b"prepare members (bigint[]) as " + members.text)
        plan = "\n".join(row[0] for row in connection.execute("explain (verbose, costs off) execute members ('{1,2}')"))
        connection.rollback()
    assert "SubPlan" in plan
    assert "hashed" not in plan


def test_what_was_planned_while_the_index_was_small_is_looked_up_all_the_same(matched_province: Workshop) -> None:
    place = matched_province
    index = EntityIndex(person_entity(place), model_of(place))
    records = all_records(place)[:30]
    with place.database.connect(autocommit=True) as connection:
        connection.execute("vacuum (analyze)")  # the server knows how little there is: reading a table whole is the cheapest
    before = whole_readings(place)
    with place.database.connect() as connection:
        arriving = Arrivals(connection, index)
        for n, record in enumerate(records):  # gone and back: each writes everything an arrival writes
            at = place.clock()
            cause = Cause("arrival", "test", at, vietnam_date(at))
            arriving.take([], [record.name], cause)
            connection.commit()
            arriving.take([record], [], cause, following=records[n + 1 : n + 2])
            connection.commit()
        tell_at_once(connection)
    for _ in range(8):
        done = stewarding.split(place, index, [[(POPULATION, "7000000010")], [(INSURANCE, "9900000010")]], "can-bo-a", "hai người")
        assert done.act is not None
        stewarding.undo(place, index, done.act, "can-bo-b", "nhầm")
    assert whole_readings(place) == before


def tell_at_once(connection: Connection) -> None:
    """What a session read is counted by the time its statement is over, and not some seconds later."""
    connection.execute("select pg_stat_force_next_flush()")
    connection.commit()


def whole_readings(place: Workshop) -> Mapping[str, int]:
    """How often each table of what matching keeps was read from end to end."""
    with place.database.warm() as connection:  # the one that stewards used
        tell_at_once(connection)
    with place.database.connect() as connection:
        rows = connection.execute(
            "select relname, seq_scan from pg_stat_user_tables where relname like 'match%' and relname <> 'match_models'"
        ).fetchall()
    return dict(rows)
