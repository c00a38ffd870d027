"""What a provider does with a service of its own: register a version, publish it, announce its end, stop it for a while. Each act is an entry."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from lienthong.access import Actor, Agreement, Register, Role, State, matches_endpoint
from lienthong.clock import vietnam_date
from lienthong.contracts.services import (
    Service,
    ServiceChange,
    ServiceFiles,
    ServiceState,
    compare_services,
    is_breaking,
    read_service,
)
from lienthong.errors import Conflict, Denied, NotFound, Unprocessable
from lienthong.ledger import Entry, Event
from lienthong.pipeline.workshop import Workshop
from lienthong.store import Connection, append_entries
from lienthong.store.services import (
    StoredService,
    current_services,
    end_stop,
    keep_service,
    keep_stop,
    lock_service,
    service_history,
)

MAY = (Role.INTEGRATOR, Role.DATA_OFFICER, Role.OPERATOR)
NEXT = {
    ServiceState.DRAFT: {ServiceState.PUBLISHED, ServiceState.RETIRED},
    ServiceState.PUBLISHED: {ServiceState.DEPRECATED, ServiceState.RETIRED},
    ServiceState.DEPRECATED: {ServiceState.PUBLISHED, ServiceState.RETIRED, ServiceState.DEPRECATED},
    ServiceState.RETIRED: set[ServiceState](),
}
DAYS_TO_SUNSET = 14  # a change is told at least this many days ahead: more than the seven working days of a planned stop (S10, S13)


@dataclass(frozen=True)
class Difference:
    """What a version means for callers of another, and which agreements in force are hit by its breaks."""

    old: str
    new: str
    changes: tuple[ServiceChange, ...]
    agreements: tuple[str, ...]

    @property
    def breaks(self) -> bool:
        return is_breaking(self.changes)


def register_service(workshop: Workshop, actor: Actor, files: ServiceFiles) -> StoredService:
    """Take a version in as a draft, or a change of one that is published, as long as it breaks no caller.

    The same content twice does nothing. Raises ServiceError, Denied (another agency's service), Conflict (a break of what is published).
    """
    service = read_service(files.definition, files.description, files.understood)
    _allow(actor, service.agency)
    with workshop.database.connect() as connection:
        lock_service(connection, service.id)
        owners = {stored.agency for stored in service_history(connection, service.id)}
        if owners - {service.agency}:
            raise _other_owner()
        held = _find(connection, service.id, service.version)
        state, sunset = ServiceState.DRAFT, None
        if held is not None:
            if (held.definition, held.description) == (files.definition, files.description):
                return held
            state, sunset = ServiceState(held.state), held.sunset_on
            if state is ServiceState.RETIRED:
                raise Conflict(
                    f"`{service.id}` {service.version} is retired.",
                    hint="Register another version.",
                    vi=f"`{service.id}` {service.version} đã ngừng hẳn.",
                    hint_vi="Hãy đăng ký phiên bản khác.",
                )
            if state is not ServiceState.DRAFT:
                _refuse_breaks(service_of(held), service)
        at = workshop.clock()
        keep_service(
            connection, service.id, service.version, service.agency, state, sunset, files.definition, files.description, files.understood, at,
            actor.name,
        )  # fmt: skip
        digest = hashlib.sha256(files.description.encode()).hexdigest()
        details = {"service_version": service.version, "kind": service.kind.value, "operations": len(service.routes), "description": digest}
        _leave(workshop, connection, Event.SERVICE_REGISTERED, actor, service.id, state, details)
        found = _find(connection, service.id, service.version)
    assert found is not None
    return found


def move_service(
    workshop: Workshop, actor: Actor, service_id: str, version: str, state: ServiceState, sunset_on: date | None = None
) -> StoredService:
    """Publish, deprecate (with its last day) or retire a version.

    Raises NotFound, Denied, Conflict for a move that is none or that breaks callers of the same first number, Unprocessable for a last day too near.
    """
    with workshop.database.connect() as connection:
        lock_service(connection, service_id)
        held = _find(connection, service_id, version)
        if held is None:
            raise NotFound(f"There is no service `{service_id}` {version}.", vi=f"Không có dịch vụ `{service_id}` {version}.")
        _allow(actor, held.agency)
        if state not in NEXT[ServiceState(held.state)]:
            raise Conflict(
                f"`{service_id}` {version} is {held.state}: it cannot become {state}.", vi=f"Dịch vụ đang ở trạng thái {held.state}."
            )
        if state is ServiceState.DEPRECATED:
            _check_sunset(sunset_on, vietnam_date(workshop.clock()))
        else:
            sunset_on = None
        if state is ServiceState.PUBLISHED:
            for other in _siblings(connection, held):
                _refuse_breaks(service_of(other), service_of(held))
        keep_service(
            connection, service_id, version, held.agency, state, sunset_on, held.definition, held.description, held.understood, workshop.clock(),
            actor.name,
        )  # fmt: skip
        details = {"service_version": version, "from": held.state, **({"sunset_on": sunset_on.isoformat()} if sunset_on else {})}
        _leave(workshop, connection, Event.SERVICE_MOVED, actor, service_id, state, details)
        found = _find(connection, service_id, version)
    assert found is not None
    return found


def stop_service(
    workshop: Workshop, actor: Actor, service_id: str, begins_at: datetime, restores_at: datetime, reason: tuple[str, str]
) -> int:
    """Announce that calls are not taken from an instant on, with the expected end and a reason in both languages. Gives the stop's number."""
    if restores_at <= begins_at or not all(words.strip() for words in reason):
        raise Unprocessable(
            "A stop has a beginning, a later expected end and a reason.", vi="Cần lúc bắt đầu, lúc khôi phục sau đó và lý do."
        )
    with workshop.database.connect() as connection:
        agency = _owner_of(connection, actor, service_id)
        number = keep_stop(connection, service_id, agency, begins_at, restores_at, reason, workshop.clock(), actor.name)
        details = {"begins_at": begins_at.isoformat(), "restores_at": restores_at.isoformat()}
        _leave(workshop, connection, Event.SERVICE_STOPPED, actor, service_id, "stopped", details)
    return number


def resume_service(workshop: Workshop, actor: Actor, service_id: str) -> int | None:
    """Take calls again; None when nothing was stopped, and then nothing is left in the ledger."""
    with workshop.database.connect() as connection:
        _owner_of(connection, actor, service_id)
        number = end_stop(connection, service_id, workshop.clock())
        if number is not None:
            _leave(workshop, connection, Event.SERVICE_RESUMED, actor, service_id, "resumed", {})
    return number


def difference(connection: Connection, service_id: str, old: str, new: str, register: Register) -> Difference:
    """What version `new` means for callers of `old`. Raises NotFound."""
    stored = [_find(connection, service_id, version) for version in (old, new)]
    if stored[0] is None or stored[1] is None:
        raise NotFound(f"`{service_id}` has no version {old if stored[0] is None else new}.", vi="Không có phiên bản này.")
    changes = compare_services(service_of(stored[0]), service_of(stored[1]))
    return Difference(old, new, changes, agreements_hit(changes, service_id, register.agreements))


def agreements_hit(changes: Iterable[ServiceChange], service_id: str, agreements: Iterable[Agreement]) -> tuple[str, ...]:
    """The agreements in force that give an operation one of the breaks is in."""
    broken = [change.endpoint.partition(" ")[::2] for change in changes if change.is_breaking]
    hit = [
        agreement.id
        for agreement in agreements
        if agreement.dataset == service_id
        and agreement.state in (State.ACTIVE, State.GRANTED, State.SUSPENDED)
        and any(_gives(endpoint, verb, path) for endpoint in agreement.endpoints for verb, path in broken)
    ]
    return tuple(sorted(hit))


def service_of(stored: StoredService) -> Service:
    """The service behind a row."""
    return read_service(stored.definition, stored.description, stored.understood)


def _gives(endpoint: str, verb: str, template: str) -> bool:
    """Whether an agreement's pattern reaches an operation: `{…}` of its template stands for any one segment."""
    if template == "/**":
        return True
    plain = template.replace("{", "").replace("}", "")
    return matches_endpoint(endpoint, verb, plain) or matches_endpoint(endpoint, verb, template)


def _refuse_breaks(old: Service, new: Service) -> None:
    changes = [change for change in compare_services(old, new) if change.is_breaking]
    if changes:
        told = "; ".join(f"{change.endpoint} {change.place}: {change.what}" for change in changes[:5])
        raise Conflict(
            f"`{new.id}` {new.version} breaks callers of {old.version}: {told}.",
            hint="Give it another first number: versions stand side by side.",
            vi=f"Phiên bản {new.version} làm hỏng bên đang gọi {old.version}: {told}.",
            hint_vi="Đổi số đầu của phiên bản: các phiên bản tồn tại song song.",
        )


def _siblings(connection: Connection, held: StoredService) -> list[StoredService]:
    """Versions in use with the same first number and an earlier rest: their callers may be moved here without being asked."""
    number = _number(held.version)
    return [
        other
        for other in current_services(connection)
        if other.service == held.service
        and other.state in (ServiceState.PUBLISHED, ServiceState.DEPRECATED)
        and _number(other.version)[0] == number[0]
        and _number(other.version) < number
    ]


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def _check_sunset(sunset_on: date | None, today: date) -> None:
    if sunset_on is None or (sunset_on - today).days < DAYS_TO_SUNSET:
        raise Unprocessable(
            f"A version is deprecated with its last day, at least {DAYS_TO_SUNSET} days ahead.",
            vi=f"Cần ngày dừng, báo trước ít nhất {DAYS_TO_SUNSET} ngày.",
        )


def _find(connection: Connection, service_id: str, version: str) -> StoredService | None:
    return next((s for s in current_services(connection) if (s.service, s.version) == (service_id, version)), None)


def _owner_of(connection: Connection, actor: Actor, service_id: str) -> str:
    lock_service(connection, service_id)
    agency = next((stored.agency for stored in current_services(connection) if stored.service == service_id), None)
    if agency is None:
        raise NotFound(f"There is no service `{service_id}`.", vi=f"Không có dịch vụ `{service_id}`.")
    _allow(actor, agency)
    return agency


def _allow(actor: Actor, agency: str) -> None:
    if not actor.may(*MAY) or not (actor.is_of(agency) or actor.may(Role.OPERATOR)):
        raise _other_owner()


def _other_owner() -> Denied:
    return Denied(
        "Only the agency that owns the service may do this.", rule="not_the_owner", vi="Chỉ cơ quan chủ quản dịch vụ được làm việc này."
    )


def _leave(
    workshop: Workshop, connection: Connection, event: Event, actor: Actor, service_id: str, outcome: str, details: dict[str, Any]
) -> None:
    entry = Entry(
        workshop.clock(), event, actor.subsystem or actor.agency, actor.name, dataset=service_id, outcome=str(outcome), details=details
    )
    append_entries(connection, [entry], workshop.signer)
