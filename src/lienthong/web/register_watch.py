"""Agreements and subsystems in force: what changes in their folder counts within two seconds, without a restart."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from lienthong.access import Register, load_agreements
from lienthong.errors import AgreementError
from lienthong.log import get_logger

if TYPE_CHECKING:
    from lienthong.web.services import Services

Stamp = tuple[tuple[str, int, int], ...]  # path, time of last change in nanoseconds, size
log = get_logger("web")


class RegisterWatch:
    """Reads the folder again when a file of it has changed. Folder with a fault: the register that was in force stays, and the log says so."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._folder = Path(services.settings.agreements)
        self._seen = _stamp(self._folder)
        services.tokens.shut_out(closed(Register(), services.register))

    def look(self) -> None:
        """Put a changed register in force. It may run in any thread: what is in force is exchanged whole."""
        stamp = _stamp(self._folder)
        if stamp == self._seen:
            return
        try:
            register = load_agreements(self._folder, self._services.contracts)
        except AgreementError as error:
            log.warning("agreements_not_taken", faults=[f"{place}: {words}" for place, words, _ in error.faults])
        else:
            self._services.tokens.shut_out(closed(self._services.register, register))
            self._services.register = register
            log.info("agreements_taken", agreements=len(register.agreements), subsystems=len(register.subsystems))
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
