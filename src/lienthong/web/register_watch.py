"""Agreements and subsystems in force: a change in the store or in the operator's folder counts within a second or two, without a restart."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from lienthong.access import SANDBOX, Register, Subsystem, load_agreements
from lienthong.errors import AgreementError
from lienthong.log import get_logger
from lienthong.pipeline import Workshop, declaring, registering
from lienthong.sharing.register import RegisterReader
from lienthong.store import Connection
from lienthong.store import agencies as tree
from lienthong.store import agreements as store
from lienthong.store import subsystems as keys

if TYPE_CHECKING:
    from lienthong.web.services import Services

Stamp = tuple[tuple[str, int, int], ...]  # path, time of last change in nanoseconds, size
LONGEST_TOKEN = timedelta(days=2)  # no access token lives longer: what was lost before has ended
log = get_logger("web")


@dataclass(frozen=True)
class Standing:
    """What stands: the register; subsystems with their keys of the sandbox; keys that are lost; the last change all this knows of."""

    register: Register
    practising: Mapping[str, Subsystem]
    lost_keys: frozenset[str]
    edge: int


def take_folder(workshop: Workshop, folder: Path, environment: str) -> None:
    """Take the folder's subsystems and agreements over into the store. A folder that is not there says nothing.

    Raises AgreementError with every fault; then nothing is taken over.
    """
    found = load_agreements(folder, workshop.contracts)
    if (folder / "subsystems").is_dir():
        registering.take_over(workshop, found.subsystems, environment)
    if (folder / "agreements").is_dir():
        declaring.take_over(workshop, found.agreements)


def read_register(workshop: Workshop, reader: RegisterReader, environment: str) -> Standing:
    """The register in force, and the number of the last change it knows of."""
    with workshop.database.connect() as connection:
        edge = store.edge(connection)  # before the rest: what comes between is read again, never missed
        at = workshop.clock()
        practising = registering.read_subsystems(connection, SANDBOX) if environment != SANDBOX else {}
        lost = keys.revoked(connection, at - LONGEST_TOKEN)
        return Standing(register_in(connection, reader, at, environment), practising, lost, edge)


def register_in(connection: Connection, reader: RegisterReader, at: datetime, environment: str) -> Register:
    """The register as a connection sees it, subsystems and agencies with it."""
    known = registering.read_subsystems(connection, environment)
    return replace(reader.read(connection, known, at), agencies=tree.read(connection))


class RegisterWatch:
    """Reads the register again when something has changed. Folder with a fault: what was in force stays, and the log says so."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._one = threading.Lock()
        self._folder = Path(services.settings.agreements)
        self._seen = _stamp(self._folder)
        self._edge = services.register_edge
        services.tokens.lose_keys(services.lost_keys)
        services.tokens.shut_out(closed(Register(), services.register))

    def forget(self) -> None:
        """Have the next look read the register, whatever has changed."""
        self._edge = -1

    def look(self) -> None:
        """Put a changed register in force. It may run in any thread, one at a time: what is in force is exchanged whole."""
        with self._one:
            self._look()

    def _look(self) -> None:
        self._take_folder()
        with self._services.workshop.database.connect() as connection:
            edge = store.edge(connection)
        if edge == self._edge:
            return
        standing = read_register(self._services.workshop, self._services.register_reader, self._services.settings.environment)
        self._edge = standing.edge
        self._services.tokens.shut_out(closed(self._services.register, standing.register))
        self._services.tokens.lose_keys(standing.lost_keys)
        self._services.register, self._services.practising = standing.register, standing.practising
        log.info("agreements_taken", agreements=len(standing.register.agreements), subsystems=len(standing.register.subsystems))

    def _take_folder(self) -> None:
        """When the folder has changed and has no fault, what it says is in the store afterwards."""
        stamp = _stamp(self._folder)
        if stamp == self._seen:
            return
        try:
            take_folder(self._services.workshop, self._folder, self._services.settings.environment)
        except AgreementError as error:
            log.warning("agreements_not_taken", faults=[f"{place}: {words}" for place, words, _ in error.faults])
        self._seen = stamp


def closed(before: Register, now: Register) -> frozenset[str]:
    """Subsystems whose tokens are no longer taken: made inactive, or gone since `before`."""
    inactive = {identifier for identifier, subsystem in now.subsystems.items() if not subsystem.is_active}
    return frozenset(inactive | (before.subsystems.keys() - now.subsystems.keys()))


def _stamp(folder: Path) -> Stamp:
    found = []
    for path in sorted((*(folder / "subsystems").glob("*.yaml"), *(folder / "agreements").glob("*.yaml"))):
        try:
            facts = path.stat()
        except FileNotFoundError:  # gone since it was listed; the next look sees the rest
            continue
        found.append((str(path), facts.st_mtime_ns, facts.st_size))
    return tuple(found)
