"""Acts on services: only the owner's, each an entry, never one that breaks callers unasked."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from lienthong.access import Actor, Operation, Register, Role
from lienthong.contracts.services import ServiceState
from lienthong.errors import Conflict, Denied, NotFound, Unprocessable
from lienthong.pipeline import Workshop
from lienthong.pipeline.service_acts import difference, move_service, register_service, resume_service, stop_service
from lienthong.store.services import current_services, service_history
from tests.access.test_decide import make_agreement
from tests.factories import make_workshop
from tests.store.ledgers import written
from tests.web.brokered import DEFINITION, OFFICER, OPENAPI, REST, files_of


@pytest.fixture
def workshop(database_url: str) -> Workshop:
    return make_workshop(database_url)


def files(version: str = "1.0", *gone: str, **changes: Any) -> Any:
    document = json.loads(json.dumps(OPENAPI))
    for path in gone:
        document["paths"].pop(path)
    return files_of({**DEFINITION, "version": version, **changes}, json.dumps(document))


def states(workshop: Workshop) -> dict[str, str]:
    with workshop.database.connect() as connection:
        return {stored.version: stored.state for stored in current_services(connection)}


def test_a_version_lives_from_draft_to_its_end(workshop: Workshop) -> None:
    register_service(workshop, OFFICER, files())
    assert states(workshop) == {"1.0": "draft"}
    assert register_service(workshop, OFFICER, files()).state == "draft"  # the same again does nothing
    move_service(workshop, OFFICER, REST, "1.0", ServiceState.PUBLISHED)
    with pytest.raises(Unprocessable):
        move_service(workshop, OFFICER, REST, "1.0", ServiceState.DEPRECATED, workshop.clock().date() + timedelta(days=3))
    move_service(workshop, OFFICER, REST, "1.0", ServiceState.DEPRECATED, workshop.clock().date() + timedelta(days=60))
    move_service(workshop, OFFICER, REST, "1.0", ServiceState.RETIRED)
    with pytest.raises(Conflict):
        move_service(workshop, OFFICER, REST, "1.0", ServiceState.PUBLISHED)
    events = [entry["outcome"] for entry in written(workshop.database) if entry["event"].startswith("service:")]
    assert events == ["draft", "published", "deprecated", "retired"]
    with workshop.database.connect() as connection:
        assert [stored.state for stored in service_history(connection, REST)] == ["draft", "published", "deprecated", "retired"]


@pytest.mark.parametrize(
    "actor",
    [Actor("x", "H10.99", frozenset({Role.INTEGRATOR})), replace(OFFICER, roles=frozenset({Role.LEADER})), Actor("x", "", frozenset({Role.CITIZEN}))],
)  # fmt: skip
def test_nobody_but_its_owner_changes_a_service(workshop: Workshop, actor: Actor) -> None:
    register_service(workshop, OFFICER, files())
    with pytest.raises(Denied):
        register_service(workshop, actor, files("2.0"))
    with pytest.raises(Denied):
        move_service(workshop, actor, REST, "1.0", ServiceState.PUBLISHED)
    with pytest.raises(Denied):
        stop_service(workshop, actor, REST, workshop.clock(), workshop.clock() + timedelta(hours=1), ("a", "b"))
    assert states(workshop) == {"1.0": "draft"}


def test_another_agency_does_not_take_a_services_name(workshop: Workshop) -> None:
    register_service(workshop, OFFICER, files())
    other = Actor("x", "H10.99", frozenset({Role.INTEGRATOR}))
    with pytest.raises(Denied):
        register_service(workshop, other, files("2.0", agency="H10.99"))


def test_what_is_published_changes_only_where_nobody_breaks(workshop: Workshop) -> None:
    register_service(workshop, OFFICER, files())
    move_service(workshop, OFFICER, REST, "1.0", ServiceState.PUBLISHED)
    assert register_service(workshop, OFFICER, files(timeouts={"total": 60})).state == "published"
    with pytest.raises(Conflict, match=r"operation\.removed"):
        register_service(workshop, OFFICER, files("1.0", "/echo"))
    register_service(workshop, OFFICER, files("1.1", "/echo"))
    with pytest.raises(Conflict, match=r"operation\.removed"):
        move_service(workshop, OFFICER, REST, "1.1", ServiceState.PUBLISHED)
    register_service(workshop, OFFICER, files("2.0", "/echo"))
    move_service(workshop, OFFICER, REST, "2.0", ServiceState.PUBLISHED)
    assert states(workshop) == {"1.0": "published", "1.1": "draft", "2.0": "published"}


def test_a_break_names_the_agreements_it_hits_and_no_other(workshop: Workshop) -> None:
    register_service(workshop, OFFICER, files())
    register_service(workshop, OFFICER, files("2.0", "/echo", "/licences/{number}"))
    common: dict[str, Any] = {"dataset": REST, "operations": frozenset({Operation.CALL})}
    agreements = tuple(
        make_agreement(id=name, endpoints=(endpoint,), **common)
        for name, endpoint in {"A": "POST /echo", "B": "GET /licences/*", "C": "GET /slow", "D": "* /**", "E": "GET /echo"}.items()
    )
    with workshop.database.connect() as connection:
        found = difference(connection, REST, "1.0", "2.0", Register({}, agreements))
        assert (found.breaks, found.agreements) == (True, ("A", "B", "D"))
        assert difference(connection, REST, "1.0", "1.0", Register({}, agreements)).agreements == ()
        with pytest.raises(NotFound):
            difference(connection, REST, "1.0", "9.0", Register())


def test_a_stop_needs_its_reason_and_its_end(workshop: Workshop) -> None:
    register_service(workshop, OFFICER, files())
    now = workshop.clock()
    with pytest.raises(Unprocessable):
        stop_service(workshop, OFFICER, REST, now, now, ("a", "b"))
    with pytest.raises(Unprocessable):
        stop_service(workshop, OFFICER, REST, now, now + timedelta(hours=1), (" ", ""))
    number = stop_service(workshop, OFFICER, REST, now, now + timedelta(hours=1), ("Bảo trì", "Maintenance"))
    assert (resume_service(workshop, OFFICER, REST), resume_service(workshop, OFFICER, REST)) == (number, None)
