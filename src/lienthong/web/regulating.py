"""The data-use regulations a running server goes by: read anew when a file changes; a change with faults is told and what stood stays."""

from __future__ import annotations

from pathlib import Path

from lienthong.catalog.regulations import Regulation, load_regulations
from lienthong.errors import SettingsError
from lienthong.log import get_logger

log = get_logger("regulations")


class RegulationFiles:
    """Raises SettingsError where the files have faults at the start."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._kept = load_regulations(folder)

    def now(self) -> tuple[Regulation, ...]:
        try:
            self._kept = load_regulations(self._folder)
        except SettingsError as error:
            log.warning("regulations_not_read", error=str(error))
        return self._kept
