"""What this platform offers as X-Road services: each dataset and each brokered service one, under its agency and the platform's subsystem."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from lienthong.access import Agreement, Operation, Register, State
from lienthong.access.endpoints import matches_endpoint
from lienthong.access.xroad import Member, ServiceName
from lienthong.clock import Clock, vietnam_date
from lienthong.contracts import Contract, Sharing
from lienthong.contracts.services import Service
from lienthong.errors import Gone
from lienthong.settings import Settings
from lienthong.sharing.broker import Book
from lienthong.sharing.way_out import has_part
from lienthong.web.openapi import describe

ENDPOINTS: Mapping[Operation, tuple[str, str]] = {
    Operation.LOOK_UP: ("GET", "/records/*"),
    Operation.LIST: ("GET", "/records"),
    Operation.CHANGES: ("GET", "/changes"),
    Operation.SUBMIT: ("POST", "/records"),
}
METASERVICES = frozenset({"listMethods", "allowedMethods", "getOpenAPI", "getWsdl", "listClients"})
_PARAMETER = re.compile(r"\{[^{}/]+\}")
OWN_HEADERS = frozenset({"Lienthong-Purpose", "Lienthong-Official"})


@dataclass(frozen=True)
class Offered:
    """One service, and which of its endpoints somebody may call (all of them, where nobody is named)."""

    name: ServiceName
    title: str
    endpoints: tuple[tuple[str, str], ...]
    kind: str = "OPENAPI"


@dataclass(frozen=True)
class Directory:
    """The services there are. `register` is the one in force now."""

    settings: Settings
    contracts: Mapping[str, Contract]
    book: Callable[[], Book]
    clock: Clock
    register: Callable[[], Register]

    def provider(self, agency: str) -> Member:
        return Member(self.settings.instance, self.settings.member_class, agency, self.settings.xroad_subsystem)

    def is_here(self, provider: Member) -> bool:
        """Whether a member has its data on this platform, under this name."""
        agencies = {contract.agency for contract in self.contracts.values()} | {service.agency for service in self._services()}
        return any(provider == self.provider(agency) for agency in agencies)

    def dataset(self, name: ServiceName, client: Member | None = None) -> Contract | None:
        """The dataset behind a service, None also where its very entry is not for the client (nobody: not for everybody)."""
        contract = self.contracts.get(name.code)
        if contract is None or name.provider != self.provider(contract.agency) or self._is_kept_from(contract, client):
            return None
        return contract

    def kept_from(self, name: ServiceName, client: Member) -> str:
        """The dataset behind a service whose very entry is not for the client, empty where there is none."""
        contract = self.dataset(name, client) or self.contracts.get(name.code)
        return contract.id if contract is not None and self._is_kept_from(contract, client) else ""

    def _is_kept_from(self, contract: Contract, client: Member | None) -> bool:
        identity = None if client is None else client.identity
        return not has_part(contract, None if identity is None else str(identity), self.register())

    def brokered(self, name: ServiceName) -> Service | None:
        """The brokered service behind an X-Road service: its version in use."""
        return next((s for s in self._services() if s.id == name.code and self.provider(s.agency) == name.provider), None)

    def _services(self) -> Iterator[Service]:
        """Brokered services in use that bear no dataset's name."""
        book, today = self.book(), vietnam_date(self.clock())
        for name in book.services():
            if name not in self.contracts:
                try:
                    yield book.default(name, today).service
                except Gone:
                    continue

    def methods(self, provider: Member) -> Iterator[Offered]:
        """All services of a provider whose entries are public."""
        for contract in self._of(provider):
            if contract.is_hidden:
                continue
            yield Offered(ServiceName(provider, contract.id), contract.title_vi, tuple(ENDPOINTS.values()))
        for service in self._services():
            if self.provider(service.agency) == provider:
                yield Offered(ServiceName(provider, service.id), service.title_vi, _endpoints(service), _kind(service))

    def allowed(self, provider: Member, client: Member, register: Register, on: date) -> Iterator[Offered]:
        """The services a client may call on a day, each with the endpoints its agreements name."""
        for contract in self._of(provider):
            operations = set(_agreed(contract, client, register, on))
            if contract.sharing is Sharing.OPEN:
                operations |= {Operation.LOOK_UP, Operation.LIST, Operation.CHANGES}
            endpoints = tuple(endpoint for operation, endpoint in ENDPOINTS.items() if operation in operations)
            if endpoints:
                yield Offered(ServiceName(provider, contract.id), contract.title_vi, endpoints)
        for service in self._services():
            if self.provider(service.agency) == provider and client.identity is not None:
                agreed = _in_force(register, str(client.identity), service.id, on)
                patterns = [endpoint for agreement in agreed if agreement.provider == service.agency for endpoint in agreement.endpoints]
                endpoints = tuple(
                    (verb, path)
                    for verb, path in _endpoints(service)
                    if any(matches_endpoint(p, verb, path.replace("*", "x")) for p in patterns)
                )
                if endpoints:
                    yield Offered(ServiceName(provider, service.id), service.title_vi, endpoints, _kind(service))

    def clients(self, register: Register) -> Iterator[tuple[Member, str]]:
        """(member or subsystem, its name): every agency that offers or asks, then every subsystem."""
        settings = self.settings
        agencies = {contract.agency for contract in self.contracts.values()} | {service.agency for service in self._services()}
        names = {(settings.instance, settings.member_class, agency): agency for agency in agencies}
        below = {self.provider(agency): "Kho dữ liệu dùng chung" for agency in agencies}
        for subsystem in register.subsystems.values():
            if subsystem.is_active:
                parts = subsystem.identifier.split("/")
                names.setdefault((parts[0], parts[1], parts[2]), parts[2])
                below[Member(*parts)] = subsystem.title_vi
        for instance, member_class, agency in sorted(names):
            yield Member(instance, member_class, agency), names[instance, member_class, agency]
        yield from sorted(below.items(), key=lambda item: item[0].parts)

    def described(self, service: Service) -> dict[str, Any] | None:
        """A brokered service's own OpenAPI document with the address of this door; None when it has none."""
        if not service.document:
            return None
        return {**service.document, "servers": [{"url": f"/r1/{ServiceName(self.provider(service.agency), service.id)}"}]}

    def openapi(self, contract: Contract) -> dict[str, Any]:
        """A dataset's OpenAPI document with the addresses and headers an X-Road client uses; no address of ours is in it."""
        root = f"/v1/datasets/{contract.id}"
        whole = describe([contract], "")
        paths: dict[str, Any] = {}
        for path in ("/records", "/records/{key}", "/changes"):
            operations = {verb: _as_xroad(operation) for verb, operation in whole["paths"][root + path].items()}
            paths[path] = operations
        own = contract.id.replace(".", "_").replace("-", "_")
        schemas = {
            name: schema
            for name, schema in whole["components"]["schemas"].items()
            if name.startswith(own) or name in {"Problem", "Submission"}
        }
        return {
            "openapi": whole["openapi"],
            "info": {"title": contract.title_vi, "version": contract.version, "description": contract.description_vi or contract.title_en},
            "servers": [{"url": f"/r1/{ServiceName(self.provider(contract.agency), contract.id)}"}],
            "tags": whole["tags"],
            "paths": paths,
            "components": {"schemas": schemas},
        }

    def _of(self, provider: Member) -> list[Contract]:
        return sorted((c for c in self.contracts.values() if self.provider(c.agency) == provider), key=lambda c: c.id)


def _agreed(contract: Contract, client: Member, register: Register, on: date) -> Iterator[Operation]:
    identity = client.identity
    if identity is not None:
        for agreement in _in_force(register, str(identity), contract.id, on):
            yield from agreement.operations


def _in_force(register: Register, caller: str, service: str, on: date) -> Iterator[Agreement]:
    return (a for a in register.between(caller, service) if a.state is State.ACTIVE and a.is_in_term(on))


def _endpoints(service: Service) -> tuple[tuple[str, str], ...]:
    return tuple((route.verb, _PARAMETER.sub("*", route.template)) for route in service.routes if not route.soap or route.is_mapped)


def _kind(service: Service) -> str:
    return "OPENAPI" if service.document else "REST"


def _as_xroad(operation: Mapping[str, Any]) -> dict[str, Any]:
    """An operation as an X-Road client calls it: its headers instead of ours, no token."""
    text = {"type": "string", "minLength": 1, "maxLength": 200}
    own = [p for p in operation["parameters"] if p["name"] not in OWN_HEADERS]
    headers = [
        {"name": "X-Road-Client", "in": "header", "required": True, "schema": text, "description": "Hệ thống gọi · Who calls"},
        {"name": "X-Road-UserId", "in": "header", "required": False, "schema": text, "description": "Cán bộ yêu cầu · The official"},
        {"name": "X-Road-Issue", "in": "header", "required": False, "schema": text, "description": "Mã mục đích · The purpose"},
    ]
    return {**{name: value for name, value in operation.items() if name != "security"}, "parameters": [*headers, *own]}
