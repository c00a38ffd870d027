"""The services on offer, as the serving process holds them: read from the store when something changed, exchanged whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property

from lienthong.contracts.services import Service, ServiceState, read_service
from lienthong.errors import Gone, NotFound, ServiceError
from lienthong.log import get_logger
from lienthong.sharing.broker.checking import Checker
from lienthong.store import Connection
from lienthong.store.services import Stop, StoredService, current_services, current_stops

log = get_logger("broker")
IN_USE = (ServiceState.PUBLISHED, ServiceState.DEPRECATED)


@dataclass(frozen=True)
class Offer:
    """One version of a service and how it stands."""

    service: Service
    state: ServiceState
    sunset_on: date | None
    since: datetime

    @cached_property
    def checker(self) -> Checker:
        return Checker(self.service)

    def is_in_use(self, on: date) -> bool:
        return self.state in IN_USE and (self.sunset_on is None or on <= self.sunset_on)


class Book:
    """Every service there is, by id and version."""

    def __init__(self, offers: Sequence[Offer] = (), stops: Mapping[str, Stop] | None = None) -> None:
        self.stops = stops or {}
        self._offers: dict[str, dict[str, Offer]] = {}
        for offer in offers:
            self._offers.setdefault(offer.service.id, {})[offer.service.version] = offer
        self._versions = {service: _listed(versions) for service, versions in self._offers.items()}  # a book never changes

    @classmethod
    def read(cls, connection: Connection) -> Book:
        """What the store holds. A version that can no longer be read is left out, and the log says so."""
        offers = []
        for stored in current_services(connection):
            try:
                offers.append(_offer(stored))
            except ServiceError as error:
                log.warning("service_not_read", service=stored.service, version=stored.version, faults=len(error.faults))
        return cls(offers, current_stops(connection))

    def services(self) -> list[str]:
        """Ids of services that have a version in use or retired, in order."""
        return sorted(i for i, versions in self._offers.items() if any(o.state is not ServiceState.DRAFT for o in versions.values()))

    def versions(self, service_id: str) -> list[Offer]:
        """Versions of a service but its drafts, newest first."""
        return self._versions.get(service_id, [])

    def has_version(self, service_id: str, version: str) -> bool:
        """Whether a word in an address names a version: a draft does not."""
        offer = self._offers.get(service_id, {}).get(version)
        return offer is not None and offer.state is not ServiceState.DRAFT

    def find(self, service_id: str, version: str | None, on: date) -> Offer:
        """The version asked for, or the default one. Raises NotFound, Gone when it has ended."""
        if not self.versions(service_id):
            raise NotFound(
                "There is no such service.",
                hint="GET /v1/services lists them.",
                vi="Không có dịch vụ này.",
                hint_vi="GET /v1/services liệt kê các dịch vụ.",
            )
        if version is None:
            return self.default(service_id, on)
        found = self._offers[service_id].get(version)
        if found is None or found.state is ServiceState.DRAFT:
            raise NotFound("The service has no such version.", vi="Dịch vụ không có phiên bản này.")
        if not found.is_in_use(on):
            raise _ended()
        return found

    def default(self, service_id: str, on: date) -> Offer:
        """The version an address without one means: the one its provider named, else the newest published, else the newest deprecated."""
        usable = [offer for offer in self.versions(service_id) if offer.is_in_use(on)]
        if not usable:
            raise _ended()
        return max(usable, key=lambda offer: (offer.service.is_default, offer.state is ServiceState.PUBLISHED, _order(offer)))


def _ended() -> Gone:
    return Gone(
        "This version of the service has ended.",
        hint="GET /v1/services lists those in use.",
        vi="Phiên bản này của dịch vụ đã ngừng.",
        hint_vi="GET /v1/services liệt kê các phiên bản đang dùng.",
    )


def _listed(versions: Mapping[str, Offer]) -> list[Offer]:
    return sorted((o for o in versions.values() if o.state is not ServiceState.DRAFT), key=_order, reverse=True)


def _order(offer: Offer) -> tuple[int, ...]:
    return tuple(int(part) for part in offer.service.version.split("."))


def _offer(stored: StoredService) -> Offer:
    service = read_service(stored.definition, stored.description, stored.understood)
    return Offer(service, ServiceState(stored.state), stored.sunset_on, stored.begun_at)
