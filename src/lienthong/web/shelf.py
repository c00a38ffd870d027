"""The catalogue as a serving process holds it: every entry in short, ready to be searched; looked at again once a minute, made anew when something changed."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from lienthong.access import NO_AGENCIES, Agencies
from lienthong.catalog import Index, Item, Kind, items_of_contracts
from lienthong.catalog.inventory import item_of_held
from lienthong.catalog.items import indicator_property, item_of_agency, item_of_indicator, item_of_service, items_of_indicators
from lienthong.clock import vietnam_date
from lienthong.contracts import Contract
from lienthong.contracts.indicators import Indicator
from lienthong.contracts.services import ServiceState, read_service
from lienthong.errors import ServiceError
from lienthong.log import get_logger
from lienthong.store import Connection, catalogue
from lienthong.store import agencies as tree
from lienthong.store.pages import agencies as named
from lienthong.store.services import current_services
from lienthong.web.asking import Counter

SECONDS_KEPT = 60.0
log = get_logger("web")


@dataclass
class Shelf:
    """All entries but units of administration, which are found by name without an index (`catalog.unit_search`)."""

    counter: Counter
    indicators: Callable[[], Mapping[str, Indicator]] = dict
    _names: Mapping[str, str] = field(init=False, default_factory=dict)
    _tree: Agencies = field(init=False, default=NO_AGENCIES)
    _index: Index | None = field(init=False, default=None)
    _counted: int = field(init=False, default=0)  # contracts there were: one may be published while we run
    _read_at: float = field(init=False, default=float("-inf"))
    _reading: threading.Lock = field(init=False, default_factory=threading.Lock)

    def agencies(self) -> Mapping[str, str]:
        """Code → name."""
        self._refresh()
        return self._names

    def tree(self) -> Agencies:
        self._refresh()
        return self._tree

    def index(self) -> Index:
        """What everybody may see of the catalogue."""
        self._refresh()
        assert self._index is not None  # made by the line above
        return self._index

    def forget(self) -> None:
        """Look again at the next question: something was just changed here."""
        self._read_at = float("-inf")

    def _refresh(self) -> None:
        with self._reading:
            is_whole = self._index is not None and self._counted == len(self.counter.contracts)
            if is_whole and time.monotonic() - self._read_at < SECONDS_KEPT:
                return
            with self.counter.connection() as connection:
                self._tree = tree.read(connection)
                self._names = {**{a.code: a.name for a in self._tree.by_code.values() if a.name}, **named(connection)}
                items = tuple(item for item in self._items(connection) if item.is_public)
            if self._index is None or items != self._index.items:
                self._index = Index(items)
            self._counted, self._read_at = len(self.counter.contracts), time.monotonic()

    def _items(self, connection: Connection) -> Iterable[Item]:
        today = vietnam_date(self.counter.clock())
        contracts = self.counter.contracts.values()
        yield from items_of_contracts(contracts, self._names)
        for contract in contracts:
            yield from items_of_indicators(contract, _codes(connection, contract), self._names.get(contract.agency, ""))
        for indicator in self.indicators().values():
            yield item_of_indicator(indicator, self._names.get(indicator.owner, ""))
        yield from self._services(connection)
        owners = {
            contract.agency: contract.agency for contract in contracts if not contract.is_hidden
        }  # of the centre too: no register here has those
        known = {code: name for code, name in {**owners, **self._names}.items() if code not in self._tree.by_code}
        yield from (item_of_agency(agency, today) for agency in self._tree.by_code.values())
        yield from (Item(Kind.AGENCY, code, name, agency=code, owner=name, state="active") for code, name in known.items())
        for held in catalogue.inventory(connection):
            if held.facts.get("dataset"):
                continue  # connected: its contract is its entry
            yield item_of_held(held.item, held.agency, held.facts, self._names.get(held.agency, ""))

    def _services(self, connection: Connection) -> Iterable[Item]:
        newest: dict[str, Item] = {}
        for stored in current_services(connection):
            if stored.state in (ServiceState.DRAFT, ServiceState.RETIRED):
                continue
            try:
                service = read_service(stored.definition, stored.description, stored.understood)
            except ServiceError:
                continue  # the broker's log says so already
            newest[service.id] = item_of_service(service, stored.state, self._names.get(service.agency, ""))
        yield from newest.values()


def _codes(connection: Connection, contract: Contract) -> dict[str, str]:
    """Indicator codes with their titles where the contract's list names them."""
    p = indicator_property(contract)
    if p is None:
        return {}
    named_codes = p.standard_options.get("values")
    titles = {str(code): str(title) for code, title in named_codes.items()} if isinstance(named_codes, Mapping) else {}
    return {code: titles.get(code, "") for code in catalogue.codes_of(connection, contract.id, p.name)}
