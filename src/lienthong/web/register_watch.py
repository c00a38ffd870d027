"""Agreements and subsystems in force: a change in the store or in the operator's folder counts within a second or two, without a restart."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from lienthong.access import Register, Subsystem, load_agreements
from lienthong.errors import AgreementError
from lienthong.log import get_logger
from lienthong.pipeline import Workshop, agreeing
from lienthong.sharing.register import RegisterReader
from lienthong.store import agreements as store

if TYPE_CHECKING:
    from lienthong.web.services import Services

Stamp = tuple[tuple[str, int, int], ...]  # path, time of last change in nanoseconds, size
log = get_logger("web")


def take_folder(workshop: Workshop, folder: Path) -> Mapping[str, Subsystem]:
    """Take the folder's agreements over into the store, and give its subsystems. A folder that is not there says nothing.

    Raises AgreementError with every fault; then nothing is taken over.
    """
    found = load_agreements(folder, workshop.contracts)
    if (folder / "agreements").is_dir():
        agreeing.take_over(workshop, found.agreements)
    return found.subsystems


def read_register(workshop: Workshop, reader: RegisterReader, subsystems: Mapping[str, Subsystem]) -> tuple[Register, int]:
    """The register in force, and the number of the last change it knows of."""
    with workshop.database.connect() as connection:
        edge = store.edge(connection)  # before the rest: what comes between is read again, never missed
        return reader.read(connection, subsystems, workshop.clock()), edge


class RegisterWatch:
    """Reads the register again when something has changed. Folder with a fault: what was in force stays, and the log says so."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._folder = Path(services.settings.agreements)
        self._seen = _stamp(self._folder)
        self._edge = services.register_edge
        services.tokens.shut_out(closed(Register(), services.register))

    def look(self) -> None:
        """Put a changed register in force. It may run in any thread: what is in force is exchanged whole."""
        subsystems = self._subsystems()
        with self._services.workshop.database.connect() as connection:
            edge = store.edge(connection)
        if edge == self._edge and subsystems is None:
            return
        standing = self._services.register.subsystems if subsystems is None else subsystems
        register, self._edge = read_register(self._services.workshop, self._services.register_reader, standing)
        self._services.tokens.shut_out(closed(self._services.register, register))
        self._services.register = register
        log.info("agreements_taken", agreements=len(register.agreements), subsystems=len(register.subsystems))

    def _subsystems(self) -> Mapping[str, Subsystem] | None:
        """Those of the folder when it has changed and has no fault; its agreements are in the store then."""
        stamp = _stamp(self._folder)
        if stamp == self._seen:
            return None
        try:
            subsystems = take_folder(self._services.workshop, self._folder)
        except AgreementError as error:
            log.warning("agreements_not_taken", faults=[f"{place}: {words}" for place, words, _ in error.faults])
            subsystems = None
        self._seen = stamp
        return subsystems


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
