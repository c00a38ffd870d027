"""The register in force, read from the store: agreements with their states, stops that are not over. Parsed by the code that reads files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from lienthong.access import Agreement, Register, Subsystem, check_contract, read_agreement
from lienthong.contracts import Contract
from lienthong.log import get_logger
from lienthong.standards.working_days import WorkingDays
from lienthong.store import Connection
from lienthong.store import agreements as store
from lienthong.store.catalogue import unopened

log = get_logger("sharing")


@dataclass
class RegisterReader:
    """Reads the register. What a version of an agreement says never changes, so it is parsed once."""

    contracts: Mapping[str, Contract]
    offices: WorkingDays
    _read: dict[tuple[str, int], Agreement | None] = field(default_factory=dict)

    def read(self, connection: Connection, subsystems: Mapping[str, Subsystem], at: datetime) -> Register:
        """The register as it stands. An agreement that no longer fits its contract is not in it, and the log says so."""
        agreements = []
        for kept in store.standing(connection):
            agreement = self._agreement(kept)
            if agreement is not None:
                agreements.append(replace(agreement, state=kept.state))
        stops = tuple(kept.stop for kept in store.stops(connection, at))
        return Register(subsystems, tuple(agreements), stops, self.offices, unopened=unopened(connection))

    def _agreement(self, kept: store.Kept) -> Agreement | None:
        key = (kept.id, kept.version)
        if key not in self._read:
            faults: list[tuple[str, str, str]] = []
            agreement = read_agreement(kept.document, kept.id, faults, kept.state)
            if agreement is not None:
                check_contract(agreement, self.contracts, kept.id, faults)
            if faults:
                log.warning("agreement_does_not_fit", agreement=kept.id, faults=[f"{place}: {words}" for place, words, _ in faults])
            self._read[key] = None if faults else agreement
        return self._read[key]
