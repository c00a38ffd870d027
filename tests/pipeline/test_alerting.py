"""What rules find, once; who takes it; how it ends. Over the real ledger, real records and counts."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from lienthong.access import Actor, Role
from lienthong.clock import VIETNAM, system_clock
from lienthong.errors import BadRequest, Conflict, NotFound, SettingsError
from lienthong.ledger import Entry, Event
from lienthong.pipeline import Workshop
from lienthong.pipeline.alert_rules import THRESHOLDS, Rule, read_rules
from lienthong.pipeline.alerting import close, take, watch
from lienthong.pipeline.counting import count_exchanges
from lienthong.pipeline.readings import CROWD, MOST_OFFICIALS, Readings
from lienthong.store import append_entries
from lienthong.store.alerts import list_alerts
from lienthong.store.exchange_records import Exchange, Gathered, pack
from lienthong.store.sequencing import Sequencer
from tests.factories import make_contract, make_workshop
from tests.store.ledgers import written

CALLER = "VN/GOV/H10.12/tro-cap"
NOON = datetime(2026, 11, 25, 5, 0, tzinfo=UTC)  # a Wednesday, noon in Vietnam
OPERATOR = Actor("truc-01", "H10", frozenset({Role.OPERATOR}))
RULES = {rule.kind: rule for rule in read_rules()}


@pytest.fixture
def workshop(database_url: str, tmp_path: Path) -> Workshop:
    return at(make_workshop(database_url, make_contract(str(tmp_path / "people.csv"))), NOON)


def at(workshop: Workshop, now: datetime) -> Workshop:
    return replace(workshop, clock=lambda: now)


def leave(workshop: Workshop, *entries: Entry) -> None:
    """Entries in the ledger, their batch dated as the first of them."""
    with workshop.database.connect() as connection:
        append_entries(connection, list(entries), workshop.signer)
        connection.execute("update ledger_batches set at = %s where id = (select max(id) from ledger_batches)", (entries[0].at,))


def looked_up(n: int, when: datetime = NOON, official: str = "can-bo-01") -> Entry:
    return Entry(when, Event.ANSWER_RECORD, CALLER, official, "xet-tro-cap", dataset="test.people", subject=f"{n:064x}", outcome="given")


def record(workshop: Workshop, *exchanges: Exchange) -> None:
    with workshop.database.connect() as connection:
        first, last = Gathered(list(exchanges), []).span_ms()
        instants = [datetime.fromtimestamp(ms / 1000, UTC) for ms in (first, last)]
        connection.execute(
            "insert into exchange_batches (server, first_at, last_at, records, body) values ('t', %s, %s, %s, %s)",
            (*instants, len(exchanges), pack(Gathered(list(exchanges), []))),
        )


def exchange(when: datetime, **more: Any) -> Exchange:
    values: dict[str, Any] = {
        "began_ms": int(when.timestamp() * 1000), "took_us": 1_500, "door": "api", "provider": "H10.02", "service": "test.people",
        "operation": "look_up", "caller": CALLER, "official": "can-bo-01", "purpose": "xet-tro-cap", "agreement": "TT-1", "status": 200,
        "outcome": "ok", "rule": "", "bytes_in": 0, "bytes_out": 100,
    }  # fmt: skip
    return Exchange(**(values | more))


def standing(workshop: Workshop, kind: str) -> list[Any]:
    with workshop.database.connect() as connection:
        return [alert for alert in list_alerts(connection, None, None, 100) if alert.kind == kind]


def rule(kind: str, **limits: float) -> Rule:
    return replace(RULES[kind], limits={**RULES[kind].limits, **limits})


def test_one_official_who_reads_of_many_persons_is_told_of_once_an_hour(workshop: Workshop, tmp_path: Path) -> None:
    leave(workshop, *(looked_up(n) for n in range(9)))
    many = [rule("many_persons", persons=10)]
    assert watch(workshop, many, tmp_path) == 0
    leave(workshop, *(looked_up(n, official="can-bo-02") for n in range(9)), *(looked_up(3) for _ in range(20)))
    assert watch(workshop, many, tmp_path) == 0, "the same persons again are no more persons"
    leave(workshop, looked_up(77), looked_up(78), looked_up(79))
    assert watch(workshop, many, tmp_path) == 1
    assert watch(workshop, many, tmp_path) == 0
    (alert,) = standing(workshop, "many_persons")
    assert (alert.figures["persons"], alert.figures["limit_persons"]) == (12, 10)
    leave(workshop, looked_up(80))
    assert watch(workshop, many, tmp_path) == 0
    assert standing(workshop, "many_persons")[0].figures["persons"] == 13, "an alert that stands tells how far it has gone"
    (alert,) = standing(workshop, "many_persons")
    assert alert.agency == "H10.12"
    assert "can-bo-01" in alert.subject
    (entry,) = (each for each in written(workshop.database) if each["event"] == "alert:platform:raised")
    assert entry["details"]["rule"] == "many-persons"
    assert "can-bo-01" not in str(entry)
    take(workshop, alert.alert, OPERATOR)
    close(workshop, alert.alert, OPERATOR, "Đợt rà soát theo kế hoạch")
    assert watch(workshop, many, tmp_path) == 0, "what was closed is not raised again for the same hour"
    assert watch(at(workshop, NOON + timedelta(hours=3)), many, tmp_path) == 0, "it has passed"


def test_records_of_pages_count_too(workshop: Workshop, tmp_path: Path) -> None:
    leave(workshop, Entry(NOON, Event.ANSWER_PAGE, CALLER, "can-bo-01", "x", dataset="test.people", details={"records": 500}))
    assert watch(workshop, [rule("many_persons")], tmp_path) == 1


def test_being_refused_often_is_told(workshop: Workshop, tmp_path: Path) -> None:
    denials = [Entry(NOON, Event.REQUEST_DENIED, CALLER, "can-bo-01", outcome="other_purpose") for _ in range(30)]
    leave(workshop, *denials[:-1])
    assert watch(workshop, [rule("refused")], tmp_path) == 0
    leave(workshop, denials[-1])
    assert watch(workshop, [rule("refused")], tmp_path) == 1


@pytest.mark.parametrize(
    ("local", "raised"), [((2026, 11, 25, 12), 0), ((2026, 11, 25, 23), 1), ((2026, 11, 25, 4), 1), ((2026, 11, 28, 10), 1)]
)
def test_reading_at_night_or_at_a_week_s_end_is_told(
    workshop: Workshop, tmp_path: Path, local: tuple[int, int, int, int], raised: int
) -> None:
    when = datetime(*local, tzinfo=VIETNAM).astimezone(UTC)
    leave(workshop, *(looked_up(n, when) for n in range(60)))
    assert watch(at(workshop, when), [rule("off_hours")], tmp_path) == raised


def test_keys_asked_for_in_order_are_told(workshop: Workshop, tmp_path: Path) -> None:
    record(workshop, *(exchange(NOON, follows=n > 0) for n in range(51)))
    assert watch(workshop, [rule("keys_in_order")], tmp_path) == 1
    assert standing(workshop, "keys_in_order")[0].figures["keys"] == 50


def test_who_watches_again_reads_each_entry_once_and_misses_none(workshop: Workshop, tmp_path: Path) -> None:
    readings, rules = Readings(), [rule("many_persons", persons=10), rule("refused", refusals=4)]
    denials = [Entry(NOON, Event.REQUEST_DENIED, CALLER, "can-bo-03", outcome="other_purpose") for _ in range(4)]
    for n in range(9):
        leave(workshop, looked_up(n))
    leave(workshop, *denials[:3])
    assert watch(workshop, rules, tmp_path, readings=readings) == 0
    assert watch(workshop, rules, tmp_path, readings=readings) == 0, "three refusals read twice are still three"
    Sequencer(workshop.database, workshop.signer, system_clock).catch_up()
    assert watch(workshop, rules, tmp_path, readings=readings) == 0
    leave(workshop, looked_up(9))
    assert watch(workshop, rules, tmp_path, readings=readings) == 1
    leave(workshop, denials[3])
    assert watch(workshop, rules, tmp_path, readings=readings) == 1


def test_a_writer_that_commits_late_is_read_too(workshop: Workshop, tmp_path: Path) -> None:
    readings, rules = Readings(), [rule("many_persons", persons=10)]
    with workshop.database.connect() as slow:
        append_entries(slow, [looked_up(n) for n in range(9)], workshop.signer)
        slow.execute("update ledger_batches set at = %s", (NOON,))
        leave(workshop, looked_up(9))
        Sequencer(workshop.database, workshop.signer, system_clock).catch_up()
        assert watch(workshop, rules, tmp_path, readings=readings) == 0
    assert watch(workshop, rules, tmp_path, readings=readings) == 1


def test_what_is_older_than_the_window_is_let_go(workshop: Workshop, tmp_path: Path) -> None:
    readings, rules = Readings(), [rule("many_persons", persons=10)]
    leave(workshop, *(looked_up(n) for n in range(9)))
    assert watch(workshop, rules, tmp_path, readings=readings) == 0
    later = NOON + timedelta(hours=2)
    leave(workshop, *(looked_up(n + 20, later) for n in range(9)))
    assert watch(at(workshop, later), rules, tmp_path, readings=readings) == 0
    leave(workshop, looked_up(99, later))
    assert watch(at(workshop, later), rules, tmp_path, readings=readings) == 1


def test_a_name_of_its_own_for_each_look_up_is_no_way_round(workshop: Workshop, tmp_path: Path) -> None:
    leave(workshop, *(looked_up(n, official=f"can-bo-{n}") for n in range(MOST_OFFICIALS + 300)))
    assert watch(workshop, [rule("many_persons")], tmp_path) == 1
    (alert,) = standing(workshop, "many_persons")
    assert alert.figures["persons"] == 300
    assert alert.subject.startswith(f"{CALLER} {CROWD} ")


def test_a_caller_that_usually_speaks_and_is_silent_is_told_and_the_alert_passes_when_it_speaks(workshop: Workshop, tmp_path: Path) -> None:
    for day in range(2, 14):
        record(workshop, *(exchange(NOON - timedelta(days=day)) for _ in range(25)))
    record(workshop, exchange(NOON - timedelta(days=3), caller="VN/GOV/H10.12/thinh-thoang"))
    count_exchanges(workshop)
    silent = [rule("silent_caller")]
    assert watch(workshop, silent, tmp_path) == 1
    (alert,) = standing(workshop, "silent_caller")
    assert alert.subject == f"{CALLER} test.people"
    record(workshop, exchange(NOON))
    count_exchanges(workshop)
    assert watch(workshop, silent, tmp_path) == 0
    (alert,) = standing(workshop, "silent_caller")
    assert alert.state == "closed"
    assert [step.by_whom for step in alert.steps] == ["lienthong", "lienthong"]


def test_a_source_that_usually_delivers_and_is_silent_is_told(workshop: Workshop, tmp_path: Path) -> None:
    with workshop.database.connect() as connection:
        connection.execute("insert into datasets (dataset_id, table_name, contract_version, contract_digest, contract) values ('a.b', 'a_b', '1.0.0', 'x', '{}') on conflict do nothing")  # fmt: skip
        for days in (2, 3, 4, 5):
            connection.execute(
                "insert into runs (dataset_id, source_name, delivery, state, contract_digest, started_at, delivered_on)"
                " values ('a.b', 'file', 'snapshot', 'published', 'x', %s, %s)",
                (NOON - timedelta(days=days), (NOON - timedelta(days=days)).date()),
            )
    assert watch(workshop, [rule("silent_source")], tmp_path) == 0
    assert watch(at(workshop, NOON + timedelta(days=2)), [rule("silent_source")], tmp_path) == 1


def test_a_late_checkpoint_and_a_full_disk_are_told_and_pass(workshop: Workshop, tmp_path: Path) -> None:
    leave(workshop, looked_up(1, datetime.now(UTC) - timedelta(hours=1)))
    late = [rule("checkpoint_late"), rule("disk", free_percent=101)]
    assert watch(workshop, late, tmp_path) == 2
    with workshop.database.connect() as connection:
        connection.execute("update ledger_edge set seen = (select max(id) from ledger_batches)")
    watch(workshop, [rule("checkpoint_late")], tmp_path)
    states = {alert.kind: alert.state for alert in [*standing(workshop, "checkpoint_late"), *standing(workshop, "disk")]}
    assert states["disk"] == "closed"


def test_an_alert_is_taken_once_and_closed_with_a_reason(workshop: Workshop, tmp_path: Path) -> None:
    watch(workshop, [rule("disk", free_percent=101)], tmp_path)
    (alert,) = standing(workshop, "disk")
    with pytest.raises(BadRequest):
        close(workshop, alert.alert, OPERATOR, "  ")
    take(workshop, alert.alert, OPERATOR)
    with pytest.raises(Conflict):
        take(workshop, alert.alert, OPERATOR)
    close(workshop, alert.alert, OPERATOR, "Đã thêm đĩa")
    with pytest.raises(Conflict):
        close(workshop, alert.alert, OPERATOR, "Lần nữa")
    with pytest.raises(NotFound):
        take(workshop, 999, OPERATOR)
    (alert,) = standing(workshop, "disk")
    assert [(step.state, step.by_whom, step.reason) for step in alert.steps] == [("open", "lienthong", ""), ("taken", "truc-01", ""), ("closed", "truc-01", "Đã thêm đĩa")]  # fmt: skip
    assert [entry["event"] for entry in written(workshop.database)[-3:]] == [
        "alert:platform:raised",
        "alert:platform:taken",
        "alert:platform:closed",
    ]


def test_the_built_in_rules_cover_every_kind() -> None:
    assert {rule.kind for rule in read_rules()} == set(THRESHOLDS)


@pytest.mark.parametrize(
    "text",
    ["a: 1", "- {id: x, kind: none, severity: alarm}", "- {id: x, kind: disk, severity: loud, free_percent: 1}", "- {id: x, kind: disk, severity: alarm}", "- {id: x, kind: disk, severity: alarm, free_percent: many}", "- &a {id: x, kind: disk, severity: alarm, free_percent: 1}\n- *a", "- ["],
)  # fmt: skip
def test_rules_that_make_no_sense_are_refused_by_name(tmp_path: Path, text: str) -> None:
    (tmp_path / "rules.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError):
        read_rules(tmp_path / "rules.yaml")
