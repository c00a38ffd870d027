"""Registers persons and gives them roles: registering is one operator's act, giving a role two operators'; taking one away is one's, at once."""

from __future__ import annotations

import re
from collections.abc import Sequence

from lienthong.access import Actor, Person, Role, SignedIn
from lienthong.errors import BadRequest, Conflict, Denied, NotFound, Unprocessable
from lienthong.ledger import Entry, Event
from lienthong.pipeline.approving import Approved, Kind
from lienthong.pipeline.workshop import Workshop
from lienthong.standards import STANDARDS
from lienthong.store import Connection, append_entries, people

HANDLE = re.compile(r"[a-z0-9][a-z0-9.\-]{1,62}[a-z0-9]")
GRANTABLE = frozenset(Role) - {Role.CITIZEN}
OPERATORS_BEFORE_TWO_PERSONS = 2  # until there are two operators, nobody could approve: the terminal of the server makes them
TERMINAL = "terminal"


def terminal(name: str) -> Actor:
    """Whoever works at the server's own terminal, as the ledger calls them."""
    return Actor(f"{TERMINAL}: {name}", TERMINAL, frozenset({Role.OPERATOR}))


def register_person(workshop: Workshop, actor: Actor, handle: str, who: SignedIn, agency: str) -> None:
    """Make somebody known. Raises Unprocessable for what is no handle or agency code, Conflict when they are known already."""
    _require_operator(actor)
    if not HANDLE.fullmatch(handle):
        raise Unprocessable(
            "A handle is 3 to 64 small letters, digits, dots and hyphens.", hint="It stands in the ledger: no name, no number of a person.",
            vi="Bí danh gồm 3 đến 64 chữ thường không dấu, chữ số, dấu chấm, gạch nối.", hint_vi="Bí danh nằm trong sổ cái: không dùng họ tên, không dùng số định danh của người.",
        )  # fmt: skip
    if not who.issuer or not who.subject or not who.name.strip() or "\x00" in who.issuer + who.subject + who.name:
        raise Unprocessable("A person has an issuer, a subject there, and a name.", vi="Cần nhà cung cấp định danh, tên ở đó và họ tên.")
    at = workshop.clock()
    with workshop.database.connect() as connection:
        people.register(connection, handle, who, agency_code(agency), at)
        entry = Entry(at, Event.PERSON_REGISTERED, actor.agency, actor.name, outcome="done", details={"handle": handle, "agency": agency})
        append_entries(connection, [entry], workshop.signer)


def end_person(workshop: Workshop, actor: Actor, handle: str) -> None:
    """They have left: no role is theirs from now on. Raises NotFound."""
    _require_operator(actor)
    at = workshop.clock()
    with workshop.database.connect() as connection:
        person = known(connection, handle)
        people.end(connection, person.number, actor.name, at)
        entry = Entry(at, Event.PERSON_ENDED, actor.agency, actor.name, outcome="done", details={"handle": handle})
        append_entries(connection, [entry], workshop.signer)


def withdraw_role(workshop: Workshop, actor: Actor, handle: str, role: Role) -> None:
    """Take a role away, at once. Raises NotFound when it is not held."""
    _require_operator(actor)
    at = workshop.clock()
    with workshop.database.connect() as connection:
        person = known(connection, handle)
        if not people.withdraw(connection, person.number, role, actor.name, at):
            raise NotFound(f"`{handle}` does not hold this role.", vi=f"`{handle}` không có vai trò này.")
        entry = Entry(at, Event.ROLE_WITHDRAWN, actor.agency, actor.name, outcome="done", details={"handle": handle, "role": role.value})
        append_entries(connection, [entry], workshop.signer)


def grant_first_operator(workshop: Workshop, handle: str, by: str) -> None:
    """Make one of the first two operators, at the server's terminal. Raises Denied once there are two: then two persons decide."""
    at = workshop.clock()
    with workshop.database.connect() as connection:
        connection.execute("lock table lienthong.person_roles in share row exclusive mode")
        if people.holders(connection, Role.OPERATOR) >= OPERATORS_BEFORE_TWO_PERSONS:
            raise Denied(
                "There are two operators: from now on one proposes a role and another approves it.", rule="second_person",
                vi="Đã có hai người vận hành: từ nay một người đề xuất, người khác duyệt.",
            )  # fmt: skip
        person = known(connection, handle)
        people.grant(connection, person.number, Role.OPERATOR, TERMINAL, f"{TERMINAL}: {by}", at)
        entry = Entry(at, Event.ROLE_GRANTED, TERMINAL, by, outcome="first", details={"handle": handle, "role": Role.OPERATOR.value})
        append_entries(connection, [entry], workshop.signer)


def role_document(workshop: Workshop, handle: str, role: Role) -> dict[str, str]:
    """What is proposed when a role is to be given; also to be shown to who decides. Raises NotFound, Conflict, Unprocessable."""
    if role not in GRANTABLE:
        raise Unprocessable("A citizen is whoever signs in as one; the role is not given.", vi="Vai trò công dân không do ai cấp.")
    with workshop.database.connect() as connection:
        person = known(connection, handle)
    if role in person.roles:
        raise Conflict("The role is held already.", vi="Vai trò này đã được cấp.")
    return {"handle": handle, "name": person.name, "agency": person.agency, "role": role.value}


def _grant(_: Workshop, connection: Connection, approved: Approved) -> Sequence[Entry]:
    person, role = known(connection, approved.document["handle"]), Role(approved.document["role"])
    if person.agency != approved.document["agency"]:
        raise Conflict("The person has changed agency since.", vi="Người này đã chuyển cơ quan.")
    if {approved.proposed_by, approved.approved_by} & {person.handle}:
        raise Denied("Nobody decides on a role of their own.", rule="own_role", vi="Không ai tự quyết định vai trò của mình.")
    people.grant(connection, person.number, role, approved.proposed_by, approved.approved_by, approved.at)
    details = {"handle": person.handle, "role": role.value, "proposed_by": approved.proposed_by, "proposal": approved.proposal}
    return [Entry(approved.at, Event.ROLE_GRANTED, person.agency, approved.approved_by, outcome="done", details=details)]


GRANT_ROLE = Kind("role_granted", frozenset({Role.OPERATOR}), frozenset({Role.OPERATOR}), _grant)


def known(connection: Connection, handle: str) -> Person:
    """A registered person. Raises NotFound."""
    person = None if "\x00" in handle else people.by_handle(connection, handle)
    if person is None:
        raise NotFound("There is no such person.", vi="Không có người này.")
    return person


def agency_code(text: str) -> str:
    """An agency's code as the standard writes it. Raises BadRequest."""
    cleaned = STANDARDS["agency_code"].clean(text, {})
    if not isinstance(cleaned.value, str):
        raise BadRequest(f"Expected an agency code such as H10.12, found `{text[:40]}`.", vi="Cần mã định danh cơ quan, ví dụ H10.12.")
    return cleaned.value


def _require_operator(actor: Actor) -> None:
    if actor.subsystem or not actor.may(Role.OPERATOR):
        raise Denied("This needs an operator who signed in.", rule="no_role", vi="Việc này cần người vận hành tự đăng nhập.")
