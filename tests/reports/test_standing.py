"""The index in figures: what registers share, who decided, what waits, what happened."""

from __future__ import annotations

import json
from datetime import timedelta

from lienthong.pipeline import Workshop
from lienthong.reports.standing import EntityStanding, index_document, index_report
from tests.factories import START
from tests.reports.conftest import Index, Said

POLICE, INSURER = "population.persons", "social-insurance.participants"
AN = {"full_name": "Lê An"}


def standing_of(workshop: Workshop) -> EntityStanding:
    with workshop.database.connect() as connection:
        return next(each for each in index_report(connection, workshop.contracts, START) if each.entity == "person")


def test_registers_and_what_they_share_are_counted(index: Index) -> None:
    index.fill([Said(POLICE, 1, AN), Said(POLICE, 2, AN), Said(INSURER, 1, AN), Said(INSURER, 1, AN), Said(INSURER, 3, AN)])
    found = standing_of(index.workshop)
    assert (found.records, found.goldens) == (5, 3)
    assert found.by_source == {POLICE: (2, 2), INSURER: (3, 2)}
    assert found.overlaps == {(POLICE, INSURER): 1}


def test_who_decided_and_what_happened_on_which_day(index: Index) -> None:
    index.fill([Said(POLICE, 1, AN), Said(INSURER, 1, AN)])
    with index.workshop.database.connect() as connection:
        row = connection.execute(
            "insert into match_acts (entity, kind, at, by_whom) values ('person', 'bulk', %s, 'x') returning act", (START,)
        ).fetchone()
        assert row is not None
        for kind, ended in (("rule", None), ("rule", START), ("steward", None)):
            connection.execute(
                "insert into match_judgements (entity, left_source, left_key, right_source, right_key, verdict, kind, by_whom, from_at, to_at, act)"
                " values ('person', 'a', '1', 'b', '1', 'same', %s, 'x', %s, %s, %s)",
                (kind, START, ended, row[0]),
            )
        for days, kind in ((0, "created"), (0, "created"), (1, "merged"), (60, "created")):
            connection.execute(
                "insert into match_events (entity, kind, id, at, act) values ('person', %s, 'g1', %s, %s)",
                (kind, START - timedelta(days=days), row[0]),
            )
        connection.execute(
            "insert into match_queue (entity, left_record, right_record, why, bits, since) values ('person', 1, 2, 'weight', 0, %s)",
            (START,),
        )
    found = standing_of(index.workshop)
    assert found.judged == {("rule", "same"): 1, ("steward", "same"): 1}
    assert found.waiting == {"weight": 1}
    assert sorted(kinds for day in found.events.values() for kinds in day.items()) == [("created", 2), ("merged", 1)]


def test_the_document_holds_figures_alone(index: Index) -> None:
    index.fill([Said(POLICE, 1, AN)])
    with index.workshop.database.connect() as connection:
        document = index_document(index_report(connection, index.workshop.contracts, START))
    assert "Lê An" not in json.dumps(document, ensure_ascii=False)
    assert {each["entity"] for each in document["entities"]} >= {"person", "enterprise", "parcel"}
