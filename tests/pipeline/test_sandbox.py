"""A sandbox is another database: taken only while empty, filled with invented rows, put back whole; production is never touched."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lienthong.access import Actor, Role, SignedIn
from lienthong.errors import Conflict, Denied, LienthongError, NotFound, SettingsError, StoreError, Unprocessable
from lienthong.ledger import Event
from lienthong.pipeline import Workshop, apply_contract, run_dataset, sandbox, training
from lienthong.pipeline.agreeing import AgreementRules
from lienthong.pipeline.profiling import take_profile
from lienthong.pipeline.training import Classroom
from lienthong.pipeline.training.lessons import ANSWERS
from lienthong.settings import Settings
from lienthong.store import sandbox as store
from lienthong.web.services import make_services
from tests.factories import contracts_of_the_province, make_contract, make_property, make_workshop
from tests.store.ledgers import entries_of

ROOT = Path(__file__).parents[2]
PRACTICE = sandbox.practice_system("VN", "GOV")
PEOPLE = make_contract(
    properties=(
        make_property("record_no", required=True, key_position=1),
        make_property("full_name", required=True, standard="person_name"),
        make_property("born_on", "date"),
    )
)


@pytest.fixture
def place(database_url: str, tmp_path: Path) -> Workshop:
    """A sandbox of one small register."""
    workshop = make_workshop(database_url, PEOPLE)
    sandbox.fill(workshop, tmp_path / "agreements", PRACTICE)
    return workshop


@pytest.fixture
def room(place: Workshop) -> Classroom:
    lesson = next(iter(training.read_lessons().values()))
    lessons = {lesson.id: training.Lesson(**{**_fields(lesson), "dataset": PEOPLE.id})}
    return Classroom(place, lessons, AgreementRules(), lambda: None, lambda number: f"mark of {number}")  # type: ignore[arg-type, return-value] # no lesson of these asks for the register


def _fields(lesson: training.Lesson) -> dict[str, Any]:
    names = ("id", "order", "roles", "minutes", "dataset", "title", "aim", "steps", "learned", "prepare")
    return {name: getattr(lesson, name) for name in names}


def everything(workshop: Workshop) -> dict[str, list[Any]]:
    """All rows of every table that is put back."""
    with workshop.database.connect() as connection:
        return {
            table.full: sorted(connection.execute(f"select t::text from {table.full} as t").fetchall())  # names of our own tables
            for table in store._tables(connection)
        }


def test_what_is_practised_is_put_back_whole_and_the_ledger_stays(place: Workshop) -> None:
    before = everything(place)
    entries = len(entries_of(place.database, place.signer))
    with place.database.connect() as connection:
        connection.execute("update data.test_people set full_name = 'Người Bị Sửa'")
        connection.execute("delete from quarantine")
        connection.execute(
            "insert into agreements (agreement_id, provider, consumer, dataset_id, origin, since) select 'X', provider, consumer, dataset_id, origin, since from agreements"
        )
    assert everything(place) != before
    sandbox.reset(place, "ai-do")
    after = everything(place)
    assert after == before
    told = entries_of(place.database, place.signer)
    assert len(told) == entries + 1
    assert (told[-1]["event"], told[-1]["official"]) == (Event.SANDBOX_RESET, "ai-do")


def test_two_resets_at_once_both_end(place: Workshop) -> None:
    import threading

    before, failures = everything(place), []

    def reset() -> None:
        try:
            sandbox.reset(place, "ai-do")
        except LienthongError as error:
            failures.append(error)

    threads = [threading.Thread(target=reset) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert everything(place) == before


def test_a_database_that_holds_anything_never_becomes_a_sandbox(database_url: str, tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text("record_no,full_name,born_on\n1,Nguyễn Văn A,07/03/1980\n", encoding="utf-8")
    contract = make_contract(str(tmp_path / "people.csv"))
    production = make_workshop(database_url, contract)
    apply_contract(production, contract)
    run_dataset(production, contract)
    for act in (lambda: sandbox.fill(production, tmp_path, PRACTICE), lambda: sandbox.reset(production, "ai-do")):
        with pytest.raises(StoreError):
            act()
    with production.database.connect() as connection:
        assert connection.execute("select full_name from data.test_people").fetchall() == [("Nguyễn Văn A",)]


def test_production_does_not_serve_a_sandbox(place: Workshop, tmp_path: Path) -> None:
    settings = Settings(database_url=place.database.url, home=tmp_path, agreements=tmp_path / "none")
    with pytest.raises(SettingsError, match="sandbox"):
        make_services(settings, place.database, place.contracts)


def test_no_source_can_be_read_in_a_sandbox(database_url: str) -> None:
    contract = make_contract("${FOLDER}/people.csv")
    workshop = sandbox.closed_off(make_workshop(database_url, contract))
    apply_contract(workshop, contract)
    with pytest.raises(LienthongError):
        run_dataset(workshop, contract)


def test_changed_contracts_ask_for_a_new_filling(place: Workshop) -> None:
    other = make_workshop(place.database.url, make_contract(properties=(*PEOPLE.properties, make_property("note"))))
    with pytest.raises(Conflict):
        sandbox.reset(other, "ai-do")


def test_filling_twice_gives_the_same_rows(place: Workshop, tmp_path: Path) -> None:
    with place.database.connect() as connection:
        before = connection.execute("select record_no, full_name, born_on from data.test_people order by 1").fetchall()
    sandbox.fill(place, tmp_path / "agreements", PRACTICE)
    with place.database.connect() as connection:
        assert connection.execute("select record_no, full_name, born_on from data.test_people order by 1").fetchall() == before


def test_who_enters_gets_the_roles_of_practice_and_the_seat_of_the_lesson(room: Classroom) -> None:
    handle = training.join(room, SignedIn("nơi", "ai", "Tên"), "  Trần  Thị Học ", "Sở Mẫu")
    assert handle.startswith("hv-")
    assert handle == training.join(room, SignedIn("nơi", "ai", "Tên"), "Trần Thị Học", "Sở Khác")
    training.begin(room, handle, "nop-tep", "")
    with room.workshop.database.connect() as connection:
        rows = connection.execute("select agency from persons where handle = %s", (handle,)).fetchall()
        roles = {role for (role,) in connection.execute("select role from person_roles where ended_at is null")}
    assert rows == [(PEOPLE.agency,)]
    assert roles == {"data_officer", "steward", "integrator", "leader"}
    assert not training.look(room, handle, "nop-tep", {"rows_that_wait": "5"}).is_whole
    assert {entry["event"] for entry in entries_of(room.workshop.database, room.workshop.signer)} >= {
        Event.LEARNER_JOINED,
        Event.LESSON_BEGUN,
    }
    assert sandbox.PRACTICE_AGENCY == "Z99"


@pytest.mark.parametrize(("name", "agency"), [("", "Sở"), ("A" * 101, "Sở"), ("Tên\u202e", "Sở"), ("Tên", "\x00\x00")])
def test_no_name_no_seat(name: str, agency: str, room: Classroom) -> None:
    with pytest.raises(Unprocessable):
        training.join(room, SignedIn("nơi", "ai", "Tên"), name, agency)


def test_nobody_practises_in_production(database_url: str) -> None:
    workshop = make_workshop(database_url, PEOPLE)
    room = Classroom(workshop, training.read_lessons(), AgreementRules(), lambda: None, str)  # type: ignore[arg-type, return-value] # never asked
    with pytest.raises(Denied):
        training.join(room, SignedIn("nơi", "ai", "Tên"), "Trần Thị Học", "Sở Mẫu")
    with pytest.raises(NotFound):
        training.look(room, "hv-1", "khong-co", {})


def test_a_class_at_work_is_not_disturbed() -> None:
    learner, trainer = Actor("hv-1", "Z99", frozenset({Role.DATA_OFFICER})), Actor("hv-2", "Z99", frozenset())
    sandbox.may_reset(learner, (), is_busy=False)
    sandbox.may_reset(trainer, ("hv-2",), is_busy=True)
    with pytest.raises(Denied):
        sandbox.may_reset(learner, ("hv-2",), is_busy=True)


def test_a_profile_is_an_act(place: Workshop) -> None:
    profile = take_profile(place, PEOPLE, "ai-do")
    told = entries_of(place.database, place.signer)[-1]
    assert (told["event"], told["details"]["columns"]) == (Event.PROFILE_MADE, len(profile.columns))
    assert told["details"]["rows"] > 100


def test_lessons_are_whole_in_both_languages() -> None:
    contracts, lessons = contracts_of_the_province(), training.read_lessons()
    assert len(lessons) == 10
    assert [lesson.order for lesson in lessons.values()] == list(range(1, 11))
    for lesson in lessons.values():
        assert lesson.dataset in contracts
        assert lesson.checks, "a lesson nobody can see done"
        assert all(step.ask in ("", *ANSWERS) for step in lesson.steps)
        pairs = [lesson.title, lesson.aim, lesson.learned, *(step.do for step in lesson.steps)]
        assert all(vietnamese and english and vietnamese != english for vietnamese, english in pairs)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "id: a",
        "steps: 1",
        "id: a\norder: x",
        "id: a\norder: 1\nroles: [king]\nminutes: 1\ndataset: d\ntitle: [a, b]\naim: [a, b]\nlearned: [a, b]\nsteps: []",
    ],
)
def test_a_lesson_that_cannot_be_read_is_named(text: str, tmp_path: Path) -> None:
    (tmp_path / "hong.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError, match=r"hong\.yaml"):
        training.read_lessons(tmp_path)
