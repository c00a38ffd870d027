"""Before a contract is applied: whom it concerns, by what they really read; the plan that holds or is refused; two versions side by side."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from lienthong.access import load_agreements
from lienthong.clock import vietnam_date
from lienthong.contracts import Contract, LiveContracts, Retiring, Verdict, build
from lienthong.contracts.indicators import Indicator, PeriodType
from lienthong.contracts.indicators.formula_model import Formula
from lienthong.contracts.noticing import Notice, in_force, merged
from lienthong.errors import Conflict, Unprocessable, UnsafeMigration
from lienthong.ledger import Entry, Event
from lienthong.pipeline import Workshop, apply_contract, changing, noticing, run_dataset
from lienthong.pipeline.declaring import take_over
from lienthong.sharing.retiring import retiring_headers
from lienthong.store import append_entries, events, tables
from lienthong.store import changing as store
from tests.contracts.factories import make_document, put, word
from tests.factories import make_workshop
from tests.store.ledgers import entries_of

SOURCE = {"name": "file", "connector": "csv_file"}


def document(location: Path, version: str = "1.0.0", *, drop: str = "", add: str = "", **words: Any) -> dict[str, Any]:
    made = make_document()
    made["version"] = version
    made["customProperties"] = [each for each in made["customProperties"] if each["property"] not in ("expect", "sources")]
    made["customProperties"].append(word("sources", [{**SOURCE, "location": str(location)}]))
    properties = made["schema"][0]["properties"]
    properties[1]["logicalTypeOptions"] = {}
    properties[2] = {"name": "note", "logicalType": "string", "customProperties": [word("source", ["note", "remark"])]}
    made["schema"][0].pop("quality", None)
    made["schema"][0]["properties"] = [p for p in properties if p["name"] != drop]
    if add:
        made["schema"][0]["properties"].append({"name": add, "logicalType": "string", "customProperties": [word("source", "note")]})
    return made


@pytest.fixture
def people(tmp_path: Path) -> Path:
    path = tmp_path / "people.csv"
    path.write_text("record_no,NGAY_SINH,note\n1,01/02/1990,a\n2,03/04/1991,b\n", "utf-8")
    return path


@pytest.fixture
def old(people: Path) -> Contract:
    return build(document(people), "old")


@pytest.fixture
def workshop(database_url: str, old: Contract) -> Workshop:
    made = replace(make_workshop(database_url, old), contracts=LiveContracts({old.id: old}))
    run_dataset(made, old)
    return made


def read_by(workshop: Workshop, caller: str, fields: tuple[str, ...], at: datetime, agreement: str = "A-1") -> None:
    entry = Entry(at, Event.ANSWER_RECORD, caller, dataset="test.people", agreement=agreement, fields=fields, outcome="given")
    with workshop.database.connect() as connection:
        append_entries(connection, [entry], workshop.signer)


def agree(workshop: Workshop, folder: Path, fields: Any) -> None:
    document = {
        "id": "A-1", "provider": "H10.02", "consumer": "VN/GOV/H10.12/a", "dataset": "test.people", "state": "active", "fields": fields,
        "purposes": {"tra-cuu": {"vi": "Tra cứu", "en": "Look-up"}}, "legal_basis": "Luật Dữ liệu 60/2024/QH15", "term": {"from": "2025-01-01"}, "operations": ["look_up"],
    }  # fmt: skip
    subsystem = {"identifier": "VN/GOV/H10.12/a", "title_vi": "A", "title_en": "A", "keys": []}
    for name, found in (("agreements", document), ("subsystems", subsystem)):
        (folder / name).mkdir(parents=True)
        (folder / name / "a.yaml").write_text(yaml.safe_dump(found, allow_unicode=True), "utf-8")
    take_over(workshop, load_agreements(folder, workshop.contracts).agreements)


def test_an_agreement_is_named_where_it_gives_a_field_that_changes(workshop: Workshop, old: Contract, people: Path, tmp_path: Path) -> None:
    agree(workshop, tmp_path / "agreements", ["record_no", "note"])
    for drop, named in (("note", [("agreement", "A-1", "VN/GOV/H10.12/a", ("note",))]), ("born_on", [])):
        with workshop.database.connect() as connection:
            found = changing.diff(
                connection, old, build(document(people, "2.0.0", drop=drop), "new"), workshop.contracts, datetime.now(UTC)
            )
        assert [(hit.kind, hit.name, hit.who, hit.fields) for hit in found.hits] == named


def test_a_diff_names_who_really_read_the_fields_that_change(workshop: Workshop, old: Contract, people: Path) -> None:
    new = build(document(people, "2.0.0", drop="note"), "new")
    now = datetime.now(UTC)
    for caller, fields in (("VN/GOV/H10.12/a", ("record_no", "note")), ("VN/GOV/H10.12/a", ("note",)), ("VN/GOV/H10.04/b", ("record_no",))):
        read_by(workshop, caller, fields, now)
    with workshop.database.connect() as connection:
        found = changing.diff(connection, old, new, workshop.contracts, now)
        later = changing.diff(connection, old, new, workshop.contracts, now + timedelta(days=91))
    assert found.verdict is Verdict.BREAKING
    assert [(hit.kind, hit.name, hit.fields, hit.answers) for hit in found.hits] == [("reader", "VN/GOV/H10.12/a", ("note",), 2)]
    assert later.hits == ()


def test_words_alone_concern_nobody(workshop: Workshop, old: Contract, people: Path) -> None:
    read_by(workshop, "VN/GOV/H10.12/a", ("note",), datetime.now(UTC))
    with workshop.database.connect() as connection:
        assert (
            changing.diff(connection, old, build({**document(people), "name": "Dân"}, "new"), workshop.contracts, datetime.now(UTC)).hits
            == ()
        )


def test_a_plan_is_applied_as_shown_or_not_at_all(workshop: Workshop, people: Path) -> None:
    new = build(document(people, "1.1.0", add="phone"), "new")
    plans = changing.plan(workshop, [new])
    assert (plans[0].outcome, dict(plans[0].added), plans[0].is_judged_anew, plans[0].rows) == ("migrated", {"phone": "text"}, True, 2)
    digest = changing.digest_of(plans)
    with workshop.database.connect() as connection:
        assert "phone" not in [name for name, _ in store.columns(connection, new.id)]
    other = build(document(people, "1.1.0", add="mobile"), "new")
    with pytest.raises(Conflict):
        changing.apply_planned(workshop, [other], digest)
    assert [a.added for a in changing.apply_planned(workshop, [new], digest)] == [("phone",)]
    with pytest.raises(Conflict):  # the world is another now
        changing.apply_planned(workshop, [new], digest)
    assert changing.plan(workshop, [new])[0].outcome == "unchanged"


def test_what_would_lose_data_is_planned_as_refused(workshop: Workshop, people: Path) -> None:
    found = changing.plan(workshop, [build(document(people, "2.0.0", drop="note"), "new")])[0]
    assert found.outcome == "refused"
    assert "note" in found.refused
    with pytest.raises(UnsafeMigration):
        changing.apply_planned(workshop, [found.contract], changing.digest_of([found]))


def test_a_breaking_change_of_what_somebody_reads_begins_with_a_notice(workshop: Workshop, people: Path) -> None:
    read_by(workshop, "VN/GOV/H10.12/a", ("note",), datetime.now(UTC))
    found = changing.plan(workshop, [build(document(people, "2.0.0", drop="note"), "new")])[0]
    assert found.outcome == "notice"


def test_both_versions_are_answered_until_the_notice_ends(workshop: Workshop, old: Contract, people: Path) -> None:
    new = build(document(people, "2.0.0", drop="note", add="remark"), "new")
    today = vietnam_date(workshop.clock())
    notice = noticing.announce(workshop, new, "Đổi tên trường", "o", today + timedelta(days=9))
    assert noticing.take_up(workshop) == [new.id]
    both = workshop.contracts[new.id]
    assert [p.name for p in both.properties] == ["record_no", "born_on", "remark", "note"]
    headers = dict(retiring_headers(both))
    assert headers["Deprecation"].startswith("@")
    assert headers["Sunset"].endswith("GMT")
    people.write_text("record_no,NGAY_SINH,note\n1,01/02/1990,c\n", "utf-8")
    run_dataset(workshop, both)
    assert rows(workshop, "note, remark") == [("c", "c")]  # who reads the old field and who reads the new one are both right
    assert noticing.end_due(workshop) == []

    later = replace(workshop, clock=lambda: datetime.now(UTC) + timedelta(days=400))
    assert noticing.end_due(later) == [notice.number]
    assert noticing.end_due(later) == []
    assert noticing.take_up(workshop) == [new.id]
    now = workshop.contracts[new.id]
    assert ([p.name for p in now.properties], now.retiring) == (["record_no", "born_on", "remark"], None)
    people.write_text("record_no,NGAY_SINH,note\n1,01/02/1990,d\n", "utf-8")
    run_dataset(workshop, now)
    assert rows(workshop, "remark") == [("d",)]
    assert apply_contract(workshop, now).outcome == "unchanged"  # the column stays in the history, and is no longer asked for
    told = [e["event"] for e in entries_of(workshop.database, workshop.signer) if e.get("dataset") == new.id]
    assert Event.CONTRACT_NOTICED.value in told
    with workshop.database.connect() as connection:
        events.put_in_order(connection)
        kept = connection.execute(f"select _key, note from data.test_people_retired_{notice.number}").fetchall()
        assert kept == [("1", "c")]  # what a field said last stays, whatever becomes of its rows
        assert [e.type for e in events.read(connection, 0, 100) if e.type.startswith("schema:")] == ["schema:announced", "schema:changed"]


def rows(workshop: Workshop, columns: str) -> list[tuple[Any, ...]]:
    with workshop.database.connect() as connection:
        return connection.execute(f"select {columns} from data.test_people").fetchall()


def test_where_one_field_would_mean_two_things_the_old_version_stays_whole(workshop: Workshop, old: Contract, people: Path) -> None:
    changed = put(
        document(people, "2.0.0"), ("schema", 0, "properties", 2, "customProperties"), [word("source", ["note"]), word("standard", "phone")]
    )
    new = build(changed, "new")
    notice = noticing.announce(workshop, new, "Chuẩn hóa", "o", vietnam_date(workshop.clock()) + timedelta(days=9))
    assert not notice.is_side_by_side
    noticing.take_up(workshop)
    during = workshop.contracts[new.id]
    assert (during.version, during.property_named("note").standard) == ("1.0.0", None)
    assert during.retiring is not None
    assert during.retiring.version == "2.0.0"


@pytest.mark.parametrize(
    ("version", "drop", "reason", "days", "error"),
    [("2.0.0", "", "x", 9, Conflict), ("1.1.0", "note", "x", 9, Conflict), ("2.0.0", "note", " ", 9, Unprocessable), ("2.0.0", "note", "x", -3, Unprocessable)],
)  # fmt: skip
def test_a_notice_that_is_none_is_refused(
    version: str, drop: str, reason: str, days: int, error: type[Exception], workshop: Workshop, people: Path
) -> None:
    today = vietnam_date(workshop.clock())
    with pytest.raises(error):
        noticing.announce(
            workshop,
            build(document(people, version, drop=drop), "new"),
            reason,
            "o",
            today + timedelta(days=5),
            today + timedelta(days=days),
        )
    assert noticing.running(workshop) == []


def test_one_notice_of_a_dataset_runs_at_a_time(workshop: Workshop, people: Path) -> None:
    new = build(document(people, "2.0.0", drop="note"), "new")
    on = vietnam_date(workshop.clock()) + timedelta(days=9)
    noticing.announce(workshop, new, "x", "o", on)
    with pytest.raises(Conflict):
        noticing.announce(workshop, new, "x", "o", on)


def test_a_column_that_goes_without_notice_is_refused_as_ever(workshop: Workshop, people: Path) -> None:
    with pytest.raises(UnsafeMigration), workshop.database.connect() as connection:
        tables.apply_tables(connection, build(document(people, "2.0.0", drop="note"), "new"))


def test_merged_versions_are_a_contract_and_the_new_one_alone_afterwards(old: Contract, people: Path) -> None:
    new = build(document(people, "2.0.0", drop="note"), "new")
    both = merged(old, new)
    assert not both.property_named("note").required
    notice = Notice(1, old, new, Retiring(datetime.now(UTC), date(2026, 7, 10), "2.0.0", ("note",)))
    assert in_force(notice, date(2026, 7, 9)).properties == both.properties
    assert in_force(notice, date(2026, 7, 10)) == new


def test_a_notice_taken_back_leaves_the_old_version_alone_and_what_came_with_the_new_one_as_history(
    workshop: Workshop, old: Contract, people: Path
) -> None:
    new = build(document(people, "2.0.0", drop="note", add="remark"), "new")
    on = vietnam_date(workshop.clock()) + timedelta(days=9)
    notice = noticing.announce(workshop, new, "Đổi tên trường", "o", on)
    noticing.take_up(workshop)
    people.write_text("record_no,NGAY_SINH,note\n1,01/02/1990,c\n", "utf-8")
    run_dataset(workshop, workshop.contracts[new.id])
    with pytest.raises(Unprocessable):
        noticing.withdraw(workshop, old.id, " ", "o")
    assert noticing.withdraw(workshop, old.id, "Bên đọc chưa kịp", "o").number == notice.number
    assert noticing.take_up(workshop) == [old.id]
    now = workshop.contracts[old.id]
    assert ([p.name for p in now.properties], now.version, now.retiring) == (["record_no", "born_on", "note"], "1.0.0", None)
    people.write_text("record_no,NGAY_SINH,note\n1,01/02/1990,d\n", "utf-8")
    run_dataset(workshop, now)
    assert rows(workshop, "note") == [("d",)]
    assert apply_contract(workshop, now).outcome == "unchanged"
    with workshop.database.connect() as connection:
        assert connection.execute(f"select remark from data.test_people_retired_{notice.number}").fetchall() == [("c",)]
        events.put_in_order(connection)
        assert [e.type for e in events.read(connection, 0, 100) if e.type.startswith("schema:")] == ["schema:announced", "schema:withdrawn"]
        assert connection.execute("select state, withdrawn_by, withdrawal_reason from lienthong.contract_notices").fetchall() == [
            ("withdrawn", "o", "Bên đọc chưa kịp")
        ]
    later = replace(workshop, clock=lambda: datetime.now(UTC) + timedelta(days=400))
    assert noticing.end_due(later) == []
    again = noticing.announce(workshop, new, "Lần hai", "o", on)  # the same change can be announced again
    assert again.number != notice.number


def test_a_notice_that_does_not_run_or_has_come_to_its_day_is_not_taken_back(workshop: Workshop, old: Contract, people: Path) -> None:
    with pytest.raises(Conflict, match="No notice"):
        noticing.withdraw(workshop, old.id, "x", "o")
    noticing.announce(workshop, build(document(people, "2.0.0", drop="note"), "new"), "x", "o", vietnam_date(workshop.clock()))
    with pytest.raises(Conflict, match="its day"):
        noticing.withdraw(workshop, old.id, "x", "o")
    assert len(noticing.running(workshop)) == 1


def test_a_diff_names_subscriptions_copies_and_indicators(workshop: Workshop, old: Contract, people: Path) -> None:
    formula = Formula("select year(born_on) from test.people", "select 1", (old.id,), ("value",))
    indicator = Indicator("tuoi", "Tuổi", "Age", "", "", "H10.02", "năm", "years", PeriodType.YEAR, formula=formula)
    with workshop.database.connect() as connection:
        connection.execute(
            "insert into event_subscriptions (subscription, caller, official, purpose, dataset_id, sources, road, url, types, conditions, form, most, lanes, state, since, made_at)"
            " values ('s1', 'VN/GOV/H10.12/a', 'o', 'p', 'test.people', '{}', 'webhook', 'https://a.example', '{}', '{}', 'one', 1, 1, 'active', now(), now()),"
            " ('s2', 'VN/GOV/H10.12/a', 'o', 'p', 'test.people', '{}', 'webhook', 'https://a.example', '{}', '{}', 'one', 1, 1, 'ended', now(), now())"
        )
        connection.execute("insert into syncs (sync, dataset_id, consumer, state) values ('copy-1', 'test.people', 'H10.12', 'following')")
    for drop, kinds in (("note", ["subscription", "copy"]), ("born_on", ["subscription", "copy", "report"])):
        with workshop.database.connect() as connection:
            new = build(document(people, "2.0.0", drop=drop), "new")
            hits = changing.diff(connection, old, new, workshop.contracts, datetime.now(UTC), [indicator]).hits
        assert [(hit.kind, hit.name, hit.who) for hit in hits] == [
            ("subscription", "s1", "VN/GOV/H10.12/a"), ("copy", "copy-1", "H10.12"), ("report", "tuoi", "H10.02"),
        ][: len(kinds)]  # fmt: skip
        assert all(hit.fields == (drop,) for hit in hits)
