"""Two who register, revoke or decide at once: one after the other, and nothing is done twice."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from lienthong.access import Actor, PublicKey, Role, SignedIn, Subsystem, new_key_pair
from lienthong.clock import vietnam_date
from lienthong.errors import Conflict
from lienthong.pipeline import approving, granting, registering
from lienthong.store import people
from lienthong.store import subsystems as systems
from tests.factories import make_workshop
from tests.store.ledgers import written

NAME = "VN/GOV/H10.12/tro-cap"


def make_key_of(database_url: str, identifier: str, kid: str) -> dict[str, Any]:
    """A subsystem with a production key whose last day is in three hundred days; gives the private key."""
    workshop = make_workshop(database_url)
    operator = Actor("van-hanh", "H10.11", frozenset({Role.OPERATOR}))
    registering.register(workshop, operator, identifier, "Trợ cấp", "Benefits")
    private, public = new_key_pair()
    public["kid"] = kid
    today = vietnam_date(workshop.clock())
    with workshop.database.connect() as connection:
        key = systems.KeptKey(
            identifier, kid, registering.thumbprint(public), public, "production", "challenge", today, today + timedelta(days=300)
        )
        systems.add_key(connection, key, "van-hanh", workshop.clock())
    return private


def at_once(count: int, act: Callable[[int], object]) -> list[BaseException | None]:
    """Do an act in several threads that begin together; what each raised."""
    gate = threading.Barrier(count)
    found: list[BaseException | None] = [None] * count

    def run(number: int) -> None:
        gate.wait()
        try:
            act(number)
        except Exception as error:  # every outcome is looked at
            found[number] = error

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def test_servers_that_take_the_same_folder_over_at_once_do_it_once(database_url: str) -> None:
    workshop = make_workshop(database_url)
    declared = {NAME: Subsystem(NAME, "H10.12", "Một", "One", (PublicKey(new_key_pair()[1]),))}
    assert at_once(4, lambda _: registering.take_over(workshop, declared, "production")) == [None] * 4
    events = [entry["event"] for entry in written(workshop.database)]
    assert events == ["subsystem:record:registered", "subsystem:key:added"]


def test_two_who_approve_at_once_do_it_once(database_url: str) -> None:
    workshop = make_workshop(database_url)
    operators = [Actor(f"van-hanh-{n}", "H10.11", frozenset({Role.OPERATOR})) for n in range(4)]
    granting.register_person(workshop, operators[0], "dau-moi", SignedIn("https://id", "1", "Đầu mối mẫu"), "H10.12")
    document = granting.role_document(workshop, "dau-moi", Role.DATA_OFFICER)
    proposal = approving.propose(workshop, granting.GRANT_ROLE, operators[0], document, "phân công")

    def approve(number: int) -> None:
        approving.approve(workshop, granting.GRANT_ROLE, operators[number + 1], proposal.number, proposal.digest)

    outcomes = at_once(3, approve)
    assert sorted(type(each).__name__ for each in outcomes) == ["Conflict", "Conflict", "NoneType"]
    assert [entry["event"] for entry in written(workshop.database)].count("person:role:granted") == 1
    with workshop.database.connect() as connection:
        person = people.by_handle(connection, "dau-moi")
    assert person is not None
    assert person.roles == {Role.DATA_OFFICER}


def test_a_proposal_names_its_second_person_whatever_their_letters(database_url: str) -> None:
    workshop = make_workshop(database_url)
    first = Actor("Van-Hanh", "H10.11", frozenset({Role.OPERATOR}))
    granting.register_person(workshop, first, "dau-moi", SignedIn("https://id", "1", "Đầu mối mẫu"), "H10.12")
    document = granting.role_document(workshop, "dau-moi", Role.LEADER)
    proposal = approving.propose(workshop, granting.GRANT_ROLE, first, document, "x")
    same = Actor("van-hanh ", "H10.11", frozenset({Role.OPERATOR}))
    outcome = at_once(1, lambda _: approving.approve(workshop, granting.GRANT_ROLE, same, proposal.number, proposal.digest))
    assert getattr(outcome[0], "facts", {}).get("rule") == "second_person"
    system = Actor("van-hanh-2", "H10.11", frozenset({Role.OPERATOR}), "VN/GOV/H10.11/he-thong")
    outcome = at_once(1, lambda _: approving.approve(workshop, granting.GRANT_ROLE, system, proposal.number, proposal.digest))
    assert getattr(outcome[0], "facts", {}).get("rule") == "no_sign_in"
    assert not isinstance(outcome[0], Conflict)
