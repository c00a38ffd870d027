"""What an arrival reads is looked up record by record, however much waits and however much stewards ever said."""

from __future__ import annotations

from lienthong.pipeline import Workshop
from lienthong.store.database import queries
from lienthong.store.pipelines import numbered


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
