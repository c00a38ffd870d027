"""What a person asks reaches the owner with a clock, and its answer the person; breach and impact files run by theirs. Nobody sees another's."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from lienthong.access import Role, SignedIn
from lienthong.access.privacy import OF_PERSONS, CaseClocks, CaseKind
from lienthong.errors import SettingsError
from lienthong.pipeline.privacy import registrar_of
from lienthong.settings import Settings
from lienthong.standards.working_days import read_working_days
from lienthong.store import Database
from lienthong.web.app import create_app
from lienthong.web.services import make_services
from tests.conftest import fresh_database
from tests.factories import TickingClock, make_contract, make_property, make_workshop
from tests.store.ledgers import written
from tests.web.counters import PEOPLE, URL
from tests.web.signing_in import ISSUER, register_person, sign_in

AN, BINH = "070080000001", "070075000002"
CSRF = "Lienthong-CSRF"


class Office:
    """An application, signed in as whoever is needed."""

    def __init__(self, client: TestClient, database: Database, clock: TickingClock) -> None:
        self.client, self.database, self.clock = client, database, clock
        self.officer = register_person(database, "dau-moi-02", "H10.02", [Role.DATA_OFFICER])
        self.other = register_person(database, "dau-moi-12", "H10.12", [Role.DATA_OFFICER])
        self.auditor = register_person(database, "kiem-toan", "H10.01", [Role.AUDITOR])

    def as_(self, who: SignedIn | str, **more: Any) -> dict[str, str]:
        """Sign in; the header a change needs."""
        self.client.cookies.clear()
        person = SignedIn(ISSUER, who, "Công dân mẫu", citizen=who) if isinstance(who, str) else who
        return {CSRF: sign_in(self.client, person, **more)}

    def send(self, who: SignedIn | str, path: str, status: int = 200, **sent: Any) -> Any:
        answer = self.client.post(path, json=sent, headers=self.as_(who))
        assert answer.status_code == status, answer.text
        return answer.json()

    def get(self, who: SignedIn | str, path: str, status: int = 200, **more: Any) -> Any:
        self.as_(who, **more)
        answer = self.client.get(path)
        assert answer.status_code == status, answer.text
        return answer.json()

    def ask(self, who: str = AN, kind: str = "objection", **more: Any) -> Any:
        return self.send(who, "/v1/me/requests", kind=kind, dataset="test.people", words="Tôi không đồng ý cho việc này.", **more)


@pytest.fixture(scope="module")
def office(postgres_server: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    with fresh_database(postgres_server) as url:
        folder = Path(tmp_path_factory.mktemp("office"))
        codes = make_contract(id="test.codes", properties=(make_property("code", required=True, key_position=1),))
        workshop = make_workshop(url, make_contract(properties=PEOPLE), codes)
        settings = Settings(home=folder, agreements=folder / "none", base_url=URL, checkpoint_milliseconds=0, worker=False)
        services = make_services(settings, workshop.database, workshop.contracts)
        services.workshop = replace(workshop, signer=services.workshop.signer)
        assert isinstance(workshop.clock, TickingClock)
        with TestClient(create_app(services)) as client:
            yield Office(client, workshop.database, workshop.clock)


def test_an_objection_reaches_the_owner_with_a_clock_and_its_outcome_the_citizen(office: Office) -> None:
    case = office.ask(position=41)
    assert (case["agency"], case["state"], case["is_overdue"]) == ("H10.02", "open", False)
    assert case["answer_by"].startswith("2026-07-03T17:00:00")  # asked on Wednesday: the end of Friday, in Vietnam
    assert case["act_by"].startswith("2026-07-16T17:00:00")  # 15 days
    listed = office.get(office.officer, "/v1/privacy/cases")["cases"]
    assert case["case"] in [each["case"] for each in listed]
    path = f"/v1/privacy/cases/{case['case']}"
    assert office.get(office.officer, path)["person"] == AN
    office.send(office.officer, f"{path}/note", words="Gọi lại cho phòng một cửa.")
    assert office.send(office.officer, f"{path}/answer", words="Đã tiếp nhận, trả lời trước 16/07.")["state"] == "answered"
    done = office.send(office.officer, f"{path}/done", words="Đã dừng chia sẻ cho mục đích này.")
    assert [step["act"] for step in done["steps"]] == ["open", "note", "answer", "done"]
    (seen,) = office.get(AN, "/v1/me/requests")["requests"]
    assert [(step["act"], step["by"]) for step in seen["steps"]] == [("open", "citizen"), ("answer", "H10.02"), ("done", "H10.02")]
    assert seen["steps"][-1]["words"] == "Đã dừng chia sẻ cho mục đích này."
    assert office.send(office.officer, f"{path}/answer", 409, words="nữa")["code"] == "conflict"


def test_a_case_is_its_citizens_and_its_agencys_and_nobody_elses(office: Office) -> None:
    case = office.ask(BINH)["case"]
    path = f"/v1/privacy/cases/{case}"
    assert case not in [each["case"] for each in office.get(AN, "/v1/me/requests")["requests"]]
    office.send(AN, f"/v1/me/requests/{case}/withdraw", 404, words="không phải của tôi")
    office.get(office.other, path, 404)
    office.send(office.other, f"{path}/done", 404, words="xong")
    assert case not in [each["case"] for each in office.get(office.other, "/v1/privacy/cases?state=all")["cases"]]
    assert office.get(office.auditor, path, second_factor="totp")["person"] is None  # who inspects sees the case, not the person
    office.get(AN, "/v1/privacy/cases", 403)
    office.client.cookies.clear()
    assert office.client.get("/v1/me/requests").status_code == 401
    assert office.client.post("/v1/me/requests", json={}).status_code == 401
    assert office.send(BINH, f"/v1/me/requests/{case}/withdraw", words="Tôi rút lại.")["state"] == "withdrawn"


def test_a_refusal_needs_words_and_law(office: Office) -> None:
    path = f"/v1/privacy/cases/{office.ask(kind='erasure')['case']}"
    office.send(office.officer, f"{path}/refuse", 422, words="Không được.", legal_text="")
    office.send(office.officer, f"{path}/refuse", 422, words=" ", legal_text="Luật")
    office.send(office.officer, f"{path}/refuse", 422, words="Không được.")
    refused = office.send(office.officer, f"{path}/refuse", words="Phải lưu theo luật.", legal_text="Luật Hộ tịch 60/2014/QH13 điều 59")
    assert refused["steps"][-1]["legal_text"] == "Luật Hộ tịch 60/2014/QH13 điều 59"


def test_a_correction_names_a_field_and_its_right_value(office: Office) -> None:
    for wrong in ({}, {"field": "full_name"}, {"field": "nothing", "value": "x"}, {"field": "full_name", "value": 1}, {"extra": 1}):
        office.send(AN, "/v1/me/requests", 422, kind="correction", dataset="test.people", words="Sai tên", **wrong)
    assert office.ask(kind="correction", field="full_name", value="Nguyễn Thị Ân")["content"]["value"] == "Nguyễn Thị Ân"
    for wrong in ({"kind": "breach"}, {"kind": "x"}, {"dataset": "test.codes"}, {"dataset": "none"}, {"words": ""}):
        sent = {"kind": "objection", "dataset": "test.people", "words": "x", **wrong}
        office.send(AN, "/v1/me/requests", 422, **sent)


def test_what_is_late_is_listed_first_and_says_so(office: Office) -> None:
    breach = office.send(office.officer, "/v1/privacy/cases", kind="breach", words="Lộ một tệp", begins_at="2026-06-28T08:00:00+07:00")
    impact = office.send(
        office.officer, "/v1/privacy/cases", kind="impact", words="Đánh giá", dataset="test.people", begins_at="2026-06-01"
    )
    assert (breach["act_by"], breach["is_overdue"]) == ("2026-07-01T01:00:00Z", True)
    assert impact["act_by"].startswith("2026-07-31T17:00:00")
    late = office.get(office.auditor, "/v1/privacy/cases?state=overdue", second_factor="totp")["cases"]
    assert late[0]["case"] == breach["case"]
    assert impact["case"] not in [each["case"] for each in late]
    office.send(office.officer, f"/v1/privacy/cases/{breach['case']}/done", words="Đã thông báo cho A05.")
    office.send(office.officer, "/v1/privacy/cases", 422, kind="breach", words="Sau này", begins_at="2030-01-01")
    office.send(office.officer, "/v1/privacy/cases", 422, kind="breach", words="x", dataset="none.such")
    office.send(office.officer, "/v1/privacy/cases", 422, kind="objection", words="x")
    office.get(office.officer, "/v1/privacy/cases?state=x", 400)


def test_the_ledger_tells_each_step_and_no_word_of_it(office: Office) -> None:
    entries = written(office.database)
    assert {"privacy:case:opened", "privacy:case:moved", "privacy:case:read"} <= {entry["event"] for entry in entries}
    assert not [entry for entry in entries if AN in str(entry) or "đồng ý" in str(entry)]
    with office.database.connect() as connection:
        rows = connection.execute("select c::text from lienthong.privacy_cases as c").fetchall()
    assert not [row for (row,) in rows if AN in row or AN.encode().hex() in row]


@pytest.mark.parametrize(
    ("kind", "days"), [("access", 10), ("correction", 10), ("restriction", 15), ("objection", 15), ("withdrawal", 15), ("erasure", 20)]
)
def test_each_kind_runs_by_its_own_clock(kind: str, days: int) -> None:
    asked = datetime(2027, 2, 3, 2, tzinfo=UTC)  # Wednesday before Tết
    answer_by, act_by = CaseClocks().dues(CaseKind(kind), asked, read_working_days())
    assert act_by.date() == date(2027, 2, 3) + timedelta(days=days + 1)
    assert answer_by is not None
    assert answer_by.date() > date(2027, 2, 10)  # two working days lie behind the holidays
    assert set(CaseClocks().act_days) == set(OF_PERSONS)


def test_terms_are_settings(office: Office) -> None:
    registrar = registrar_of(office.client.app._rest.state.acting.counter.workshop, Settings(privacy_act_days="objection=5"))  # type: ignore[attr-defined] # our own
    assert registrar.clocks.act_days[CaseKind.OBJECTION] == 5
    for wrong in ("objection", "breach=3", "objection=x"):
        with pytest.raises(SettingsError):
            registrar_of(registrar.workshop, Settings(privacy_act_days=wrong))
