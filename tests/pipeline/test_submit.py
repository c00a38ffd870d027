"""Posted rows meet the same checks as any source's, each gets its verdict, and sending twice does it once."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from lienthong.contracts import Contract
from lienthong.errors import Conflict, Unprocessable
from lienthong.pipeline import Submission, Workshop, list_quarantine, submit_records
from tests.factories import make_contract, make_workshop
from tests.pipeline.test_run import current, rows_of

AN: dict[str, Any] = {"record_no": "P1", "full_name": "Nguyễn An", "born_on": "1980-03-07", "children": 2}
CALLER = "VN/GOV/H10.02/nhan-su"


@pytest.fixture
def contract() -> Contract:
    return make_contract(sources=())


@pytest.fixture
def workshop(database_url: str, contract: Contract) -> Workshop:
    return make_workshop(database_url, contract)


def submit(workshop: Workshop, contract: Contract, *records: dict[str, Any], key: str = "k1") -> Submission:
    return submit_records(workshop, contract, records, caller=CALLER, idempotency_key=key, official="tester", purpose="test")


def test_each_row_gets_its_verdict(workshop: Workshop, contract: Contract) -> None:
    submit(workshop, contract, AN)
    answer = submit(workshop, contract, AN, {**AN, "record_no": "P2"}, {"record_no": "P3", "born_on": "31/02/2020"}, key="k2")
    assert [(v["row"], v["fate"], v["key"]) for v in answer.verdicts] == [
        (1, "unchanged", None),
        (2, "published", "P2"),
        (3, "quarantined", "P3"),
    ]
    assert {issue["column"] for issue in answer.verdicts[2]["issues"]} == {"full_name", "born_on"}
    assert len(list_quarantine(workshop, contract.id)) == 1


def test_a_posted_change_is_a_new_version(workshop: Workshop, contract: Contract) -> None:
    submit(workshop, contract, AN)
    submit(workshop, contract, {**AN, "children": 3}, key="k2")
    assert current(workshop)[0][3] == 3
    assert rows_of(workshop.database, "select version, key, op from data.test_people_changes") == [(2, "P1", "u")]


def test_the_same_key_again_gives_the_same_answer_and_does_nothing(workshop: Workshop, contract: Contract) -> None:
    first = submit(workshop, contract, AN)
    again = submit(workshop, contract, AN)
    assert (again.run_id, again.verdicts, again.is_repeat) == (first.run_id, first.verdicts, True)
    assert rows_of(workshop.database, "select count(*) from lienthong.runs") == [(1,)]


def test_the_same_key_for_other_records_is_a_conflict(workshop: Workshop, contract: Contract) -> None:
    submit(workshop, contract, AN)
    with pytest.raises(Conflict, match="k1"):
        submit(workshop, contract, {**AN, "children": 9})


def test_an_unknown_property_is_refused_by_name(workshop: Workshop, contract: Contract) -> None:
    with pytest.raises(Unprocessable, match="nickname"):
        submit(workshop, contract, {**AN, "nickname": "Tư"})
    assert rows_of(workshop.database, "select count(*) from lienthong.runs") == [(0,)]


def test_the_same_submission_sent_at_once_by_many_is_done_once(workshop: Workshop, contract: Contract) -> None:
    answers: list[Submission] = []
    threads = [threading.Thread(target=lambda: answers.append(submit(workshop, contract, AN))) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({answer.run_id for answer in answers}) == 1
    assert rows_of(workshop.database, "select count(*) from lienthong.runs") == [(1,)]


def test_a_cell_of_sql_is_text(workshop: Workshop, contract: Contract) -> None:
    submit(workshop, contract, {**AN, "full_name": "Robert'); drop table data.test_people;--"})
    assert len(current(workshop)) == 1
