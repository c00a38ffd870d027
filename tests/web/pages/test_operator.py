"""The operator's room: who may enter, what it tells, and the acts done there, over HTTP."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from lienthong.access import PRODUCTION, Agency, PublicKey, Role, Subsystem, new_key_pair
from lienthong.ledger import Entry, Event, subject_hash
from lienthong.pipeline import agencies, backing, registering
from lienthong.pipeline.granting import terminal
from lienthong.settings import Settings
from lienthong.store import Database, append_entries
from lienthong.store.alerts import raise_alert
from lienthong.store.exchanges import Count, CountKey, save_counts
from lienthong.store.ledger_index import index_ledger
from lienthong.store.sequencing import Sequencer
from lienthong.web.app import create_app
from lienthong.web.duties import keeping_of
from lienthong.web.services import Services, make_services
from tests.conftest import fresh_database
from tests.factories import contracts_of_the_province
from tests.store.ledgers import written
from tests.web.signing_in import register_person, sign_in

ROOT = Path(__file__).parents[3]
PAGES = [
    "",
    "/runs",
    "/queues",
    "/ledger",
    "/alerts",
    "/audit",
    "/people",
    "/organisation",
    "/units",
    "/first-weeks",
    "/settings",
    "/backups",
]
SECRET = "mat-khau-dai-khong-duoc-hien-ra"
READER = "VN/GOV/H10.12/tro-cap"


@dataclass
class Room:
    client: TestClient
    services: Services
    who: dict[str, Any]

    @property
    def database(self) -> Database:
        return self.services.workshop.database

    def enter(self, name: str) -> str:
        return sign_in(self.client, self.who[name], second_factor="totp")

    def get(self, path: str) -> Any:
        return self.client.get(f"/operator{path}", headers={"Accept": "text/html"})

    def facts(self, path: str) -> Any:
        plain, _, query = path.partition("?")
        answer = self.client.get(f"/operator{plain}.json" + (f"?{query}" if query else ""))
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, path: str, csrf: str, **form: str) -> Any:
        headers = {"Accept": "text/html", "Content-Type": "application/x-www-form-urlencoded"}
        return self.client.post(f"/operator{path}", data={"csrf": csrf, **form}, headers=headers, follow_redirects=False)

    def ordered(self) -> None:
        """Every entry has its place and can be found."""
        Sequencer(self.database, self.services.workshop.signer, self.services.workshop.clock).catch_up()
        index_ledger(self.database)


@pytest.fixture(scope="module")
def room(postgres_server: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    home = Path(tmp_path_factory.mktemp("home"))
    settings = Settings(
        home=home,
        agreements=home / "agreements",
        base_url="http://testserver",
        checkpoint_milliseconds=0,
        worker=False,
        metrics_token=SECRET,
        backups=home / "backups",
        evidence=home / "evidence",
        nats_url="nats://ten:mat@10.0.0.1:4222",
    )
    with fresh_database(postgres_server) as url:
        services = make_services(settings, Database(url), contracts_of_the_province())
        who = {
            name: register_person(services.workshop.database, name, "H10.01", [role])
            for name, role in {
                "van-hanh-1": Role.OPERATOR,
                "van-hanh-2": Role.OPERATOR,
                "kiem-tra": Role.AUDITOR,
                "can-bo": Role.DATA_OFFICER,
            }.items()
        }
        who["nguoi-cu"] = register_person(services.workshop.database, "nguoi-cu", "H10.31", [Role.DATA_OFFICER])
        with TestClient(create_app(services)) as client:
            yield Room(client, services, who)


@pytest.mark.parametrize("path", PAGES)
def test_operators_and_auditors_enter_and_nobody_else(path: str, room: Room) -> None:
    room.client.cookies.clear()
    assert room.get(path).status_code == 401
    room.enter("can-bo")
    assert room.get(path).status_code == 403
    for name in ("van-hanh-1", "kiem-tra"):
        room.enter(name)
        answer = room.get(path)
        assert answer.status_code == 200, answer.text
        assert 'aria-current="page"' in answer.text
    assert room.client.get(f"/operator{path}.csv").content.startswith(b"\xef\xbb\xbf")


def test_without_the_second_factor_an_operator_stands_before_the_door(room: Room) -> None:
    sign_in(room.client, room.who["van-hanh-1"])
    answer = room.client.get("/operator", headers={"Accept": "application/json"})
    assert (answer.status_code, answer.json()["rule"]) == (403, "no_second_factor")
    page = room.client.get("/operator/alerts?state=open", headers={"Accept": "text/html"})
    assert (
        'href="/sign-in/second-factor?next=%2Foperator%2Falerts' in page.text
        or 'href="/sign-in/second-factor?next=/operator/alerts' in page.text
    )


def test_an_auditor_looks_and_does_not_act(room: Room) -> None:
    csrf = room.enter("kiem-tra")
    forms = {
        "/people": {"handle": "moi"},
        "/people/can-bo": {"word": "end"},
        "/alerts/1": {"word": "take"},
        "/organisation": {"merge": "H10.31"},
    }
    for path, form in forms.items():
        assert room.post(path, csrf, **form).status_code == 403
    assert '<form method="post"' not in room.get("/people").text


def test_a_new_system_that_does_not_call_is_shown_in_trouble_with_what_it_stands_on(room: Room) -> None:
    name = "VN/GOV/H10.12/tuan-dau"
    began = replace(room.services.workshop, clock=lambda: room.services.workshop.clock() - timedelta(days=3))
    registering.take_over(began, {name: Subsystem(name, "H10.12", "Tuần đầu", "First week", (PublicKey(new_key_pair()[1]),))}, PRODUCTION)
    room.enter("van-hanh-1")
    facts = room.facts("/first-weeks")
    (week,) = (each for each in facts["weeks"] if each["subsystem"] == name)
    assert (week["state"], [each["fault"] for each in week["faults"]]) == ("trouble", ["silent"])
    page = room.get("/first-weeks").text
    assert all(words in page for words in (name, "có vấn đề", "chưa có lượt gọi nào", "194/2025/NĐ-CP"))


def test_the_map_tells_who_asks_whom_and_lights_refusals(room: Room) -> None:
    now = datetime.now(UTC)
    begins = now.replace(minute=0, second=0, microsecond=0)
    key = CountKey("hour", begins, "H10.02", "population.persons", "look_up", "api", READER, "xet-tro-cap")
    opened = CountKey("hour", begins, "H10.02", "admin-units.units", "list", "api", "anonymous", "")
    with room.database.connect() as connection:
        save_counts(connection, [], {key: Count(calls=40, refused=3, latencies=[40]), opened: Count(calls=5, latencies=[5])}, now)
    room.enter("van-hanh-1")
    facts = room.facts("?span=24h&from=H10.12&to=H10.02")
    pairs = {(flow["from"], flow["to"]): (flow["calls"], flow["refused"]) for flow in facts["flows"]}
    assert pairs == {("H10.12", "H10.02"): (40, 3), ("", "H10.02"): (5, 0)}
    assert [(each["service"], each["caller"]) for each in facts["chosen"]["services"]] == [("population.persons", READER)]
    page = room.get("?span=24h").text
    assert page.count('class="flow lit"') == 1
    assert page.count('class="flow"') == 1
    assert room.get("?span=ever").status_code == 400


def test_a_map_that_refreshes_itself_keeps_nobody_signed_in(room: Room) -> None:
    room.enter("van-hanh-1")
    with room.database.connect() as connection:
        connection.execute("update sessions set seen_at = seen_at - interval '10 minutes'")
    assert "polled=yes" in room.get("").text.partition("<main")[2].partition("hx-trigger")[0]

    def seen() -> object:
        with room.database.connect() as connection:
            return connection.execute("select max(seen_at) from sessions").fetchone()

    room.enter("van-hanh-2")
    with room.database.connect() as connection:
        connection.execute("update sessions set seen_at = seen_at - interval '10 minutes'")
    before = seen()
    assert room.get("?polled=yes").status_code == 200
    assert seen() == before
    assert room.get("").status_code == 200
    assert seen() != before


def test_an_alert_is_taken_and_closed_with_a_reason(room: Room) -> None:
    with room.database.connect() as connection:
        number = raise_alert(
            connection, "many", "many_persons", f"{READER} can-bo-01", "H10.12", "alarm", {"persons": 400}, datetime.now(UTC)
        )
    csrf = room.enter("van-hanh-1")
    assert room.post(f"/alerts/{number}", csrf, word="take").status_code == 303
    assert room.post(f"/alerts/{number}", csrf, word="close").status_code == 400
    assert room.post(f"/alerts/{number}", csrf, word="close", reason="đã hỏi cơ quan").status_code == 303
    told = next(each for each in room.facts("/alerts")["alerts"] if each["alert"] == number)
    assert [step["state"] for step in told["steps"]] == ["open", "taken", "closed"]
    assert room.post("/alerts/1", "made up", word="take").status_code == 403


def test_audit_finds_an_entry_by_whatever_it_says(room: Room) -> None:
    at, workshop = datetime.now(UTC), room.services.workshop
    subject = subject_hash(room.services.subject_key, "population.persons", "000000000012")
    with room.database.connect() as connection:
        for n in range(3):
            batch = [
                Entry(
                    at - timedelta(days=10 * n),
                    Event.ANSWER_RECORD,
                    READER,
                    f"can-bo-{n}",
                    dataset="population.persons",
                    subject=subject if n == 1 else None,
                    outcome="given",
                ),
                Entry(at, Event.TOKEN_ISSUED, READER, outcome="given"),
            ]
            append_entries(connection, batch, workshop.signer)
    room.ordered()
    csrf = room.enter("kiem-tra")
    found = room.facts(f"/audit?caller={READER}")["entries"]
    assert len(found) == 6
    assert [each["position"] for each in found] == sorted((each["position"] for each in found), reverse=True)
    assert len(room.facts("/audit?official=can-bo-2")["entries"]) == 1
    assert len(room.facts(f"/audit?caller={READER}&event=token:subsystem:issued")["entries"]) == 3
    assert len(room.facts(f"/audit?dataset=population.persons&since={(at - timedelta(days=2)).date()}")["entries"]) == 1
    position = found[0]["position"]
    assert [each["position"] for each in room.facts(f"/audit?position={position}")["entries"]] == [position]
    asked = room.post("/audit", csrf, dataset="population.persons", key="000000000012")
    assert asked.headers["location"] == f"/operator/audit?subject={subject}"
    assert [each["official"] for each in room.facts(f"/audit?subject={subject}")["entries"]] == ["can-bo-1"]
    searches = [entry for entry in written(room.database) if entry["event"] == "ledger:entries:searched"]
    assert searches[-1]["subject"] == subject
    assert "000000000012" not in str(searches)


@pytest.mark.parametrize(
    "query", ["position=x", "subject=zz", "since=31/01/2026", "event=no:such:act", "before=-1", "since=9999-12-31&until=9999-12-31"]
)
def test_a_search_that_cannot_be_is_refused_in_words(query: str, room: Room) -> None:
    room.enter("kiem-tra")
    answer = room.client.get(f"/operator/audit.json?{query}")
    assert answer.status_code in (200, 400)
    assert query.startswith("since=9999") or answer.json()["title"]


def test_a_role_takes_two_operators_and_is_taken_away_by_one(room: Room) -> None:
    csrf = room.enter("van-hanh-1")
    made = room.post("/people/can-bo", csrf, word="propose", role="leader", reason="trưởng phòng mới")
    page = made.headers["location"].removeprefix("/operator")
    digest = room.facts(page)["digest"]
    assert room.post(page, csrf, word="approve", digest=digest).status_code == 403
    csrf = room.enter("van-hanh-2")
    assert room.post(page, csrf, word="approve", digest="khác").status_code == 409
    assert room.post(page, csrf, word="approve", digest=digest).status_code == 303
    assert room.facts(page)["state"] == "approved"
    roles = {each["handle"]: each["roles"] for each in room.facts("/people")["people"]}
    assert roles["can-bo"] == ["data_officer", "leader"]
    assert room.post("/people/can-bo", csrf, word="withdraw", role="leader").status_code == 303
    assert room.post("/people/can-bo", csrf, word="bake").status_code == 422


def test_a_merger_is_shown_whole_then_done_by_two_and_not_when_it_has_changed(room: Room) -> None:
    workshop, boss = room.services.workshop, terminal("thu")
    for code, name in (("H10.31", "Phòng Một"), ("H10.32", "Phòng Hai")):
        agencies.keep(workshop, boss, Agency(code, name, "department", "", datetime(2020, 1, 1, tzinfo=UTC).date()))
    day = "2030-01-01"
    csrf = room.enter("van-hanh-1")
    query = f"/organisation?merge=H10.31&into=H10.32&on={day}"
    facts = room.facts(query)
    assert [each["handle"] for each in facts["preview"]["people"]] == ["nguoi-cu"]
    digest = re.search(r'name="digest" value="(\w+)"', room.get(query).text)
    assert digest
    form = {"merge": "H10.31", "into": "H10.32", "on": day, "reason": "sắp xếp bộ máy"}
    assert room.post("/organisation", csrf, digest="cũ", **form).status_code == 409
    page = room.post("/organisation", csrf, digest=digest[1], **form).headers["location"].removeprefix("/operator")
    csrf = room.enter("van-hanh-2")
    assert "Phòng" in room.get("/organisation").text
    assert room.post(page, csrf, word="approve", digest=room.facts(page)["digest"]).status_code == 303
    closed = next(each for each in room.facts("/organisation")["agencies"] if each["code"] == "H10.31")
    assert (closed["valid_to"], closed["successors"]) == (day, ["H10.32"])


def test_a_rehearsal_asked_for_here_is_shown_to_everybody(room: Room) -> None:
    csrf = room.enter("van-hanh-1")
    assert room.client.get("/status.json").json()["proved"]["rehearsed"] is None
    keeping = keeping_of(room.services.settings)
    for kind in ("backup", "rehearsal", "verification"):
        assert room.post("/tasks", csrf, kind=kind).status_code == 303
        assert room.post("/tasks", csrf, kind=kind).status_code == 409
        page = room.get("/ledger" if kind == "verification" else "/backups").text
        assert "Có thể đóng trang này" in page
        assert backing.tend(room.services.workshop, keeping) == 1
    told = room.facts("/backups")
    assert (len(told["backups"]), told["rehearsals"][0]["is_whole"]) == (1, True), told
    room.client.cookies.clear()
    for path in ("/status.json", "/proofs.json"):
        proved = room.client.get(path).json()["proved"]
        assert proved["verified"]["is_whole"]
        assert proved["rehearsed"]["entries"] == told["backups"][0]["ledger_size"]
        assert "backups" not in str(proved)
    assert "trở lại đúng như lúc sao lưu" in room.client.get("/status").text


def test_test_reports_are_shown_and_what_is_none_is_left_out(room: Room) -> None:
    folder = room.services.settings.evidence
    folder.mkdir()
    (folder / "toan-bo.xml").write_text(
        '<testsuites><testsuite name="pytest" tests="10" failures="1" errors="0" skipped="2" time="3.5" timestamp="2026-11-25T10:00:00+07:00"/></testsuites>',
        "utf-8",
    )
    (folder / "hong.xml").write_text("<testsuite", "utf-8")
    (folder / "thuc-the.xml").write_text('<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/hostname">]><x>&e;</x>', "utf-8")
    [line] = room.client.get("/proofs.json").json()["evidence"]
    assert (line["name"], line["passed"], line["failures"], line["skipped"]) == ("toan-bo", 7, 1, 2)
    assert "toan-bo" in room.client.get("/proofs", headers={"Accept": "text/html"}).text


def test_settings_are_told_with_where_they_come_from_and_without_secrets(room: Room) -> None:
    room.enter("kiem-tra")
    text = room.get("/settings").text
    told = {each["name"]: each for each in room.facts("/settings")["settings"]}
    assert told["LIENTHONG_METRICS_TOKEN"]["value"] == "•••"
    assert told["LIENTHONG_NATS_URL"]["value"] == "nats://10.0.0.1:4222"
    assert told["LIENTHONG_BASE_URL"]["from"] == "program"
    assert told["LIENTHONG_PORT"]["from"] in ("default", "environment")
    assert SECRET not in text
    assert "mat@" not in text
