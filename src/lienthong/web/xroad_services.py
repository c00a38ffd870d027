"""What this platform offers as X-Road services: each dataset one, under its agency and the platform's subsystem."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from lienthong.access import Operation, Register, State
from lienthong.access.xroad import Member, ServiceName
from lienthong.contracts import Contract, Sharing
from lienthong.settings import Settings
from lienthong.web.openapi import describe

ENDPOINTS: Mapping[Operation, tuple[str, str]] = {
    Operation.LOOK_UP: ("GET", "/records/*"),
    Operation.LIST: ("GET", "/records"),
    Operation.CHANGES: ("GET", "/changes"),
    Operation.SUBMIT: ("POST", "/records"),
}
METASERVICES = frozenset({"listMethods", "allowedMethods", "getOpenAPI", "getWsdl", "listClients"})
OWN_HEADERS = frozenset({"Lienthong-Purpose", "Lienthong-Official"})


@dataclass(frozen=True)
class Offered:
    """One service, and which of its endpoints somebody may call (all of them, where nobody is named)."""

    name: ServiceName
    title: str
    endpoints: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Directory:
    """The services there are. `register` is the one in force now."""

    settings: Settings
    contracts: Mapping[str, Contract]

    def provider(self, agency: str) -> Member:
        return Member(self.settings.instance, self.settings.member_class, agency, self.settings.xroad_subsystem)

    def is_here(self, provider: Member) -> bool:
        """Whether a member has its data on this platform, under this name."""
        return any(provider == self.provider(contract.agency) for contract in self.contracts.values())

    def dataset(self, name: ServiceName) -> Contract | None:
        """The dataset behind a service."""
        contract = self.contracts.get(name.code)
        return contract if contract is not None and name.provider == self.provider(contract.agency) else None

    def methods(self, provider: Member) -> Iterator[Offered]:
        """All services of a provider."""
        for contract in self._of(provider):
            yield Offered(ServiceName(provider, contract.id), contract.title_vi, tuple(ENDPOINTS.values()))

    def allowed(self, provider: Member, client: Member, register: Register, on: date) -> Iterator[Offered]:
        """The services a client may call on a day, each with the endpoints its agreements name."""
        for contract in self._of(provider):
            operations = set(_agreed(contract, client, register, on))
            if contract.sharing is Sharing.OPEN:
                operations |= {Operation.LOOK_UP, Operation.LIST, Operation.CHANGES}
            endpoints = tuple(endpoint for operation, endpoint in ENDPOINTS.items() if operation in operations)
            if endpoints:
                yield Offered(ServiceName(provider, contract.id), contract.title_vi, endpoints)

    def clients(self, register: Register) -> Iterator[tuple[Member, str]]:
        """(member or subsystem, its name): every agency that offers or asks, then every subsystem."""
        settings = self.settings
        agencies = {contract.agency for contract in self.contracts.values()}
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
        for agreement in register.between(str(identity), contract.id):
            if agreement.state is State.ACTIVE and agreement.is_in_term(on):
                yield from agreement.operations


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
