"""The files of indicators as this process has them: read on first use, read again when the folder changes. Faulty files change nothing."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from lienthong.contracts import Contract
from lienthong.contracts.indicators import Indicator, Report, load_indicators, load_reports
from lienthong.contracts.indicators.reports import FOLDER
from lienthong.errors import ContractError
from lienthong.log import get_logger
from lienthong.reports.measures import NAMES

SECONDS_BETWEEN_LOOKS = 5.0
log = get_logger("board")
Seen = tuple[tuple[str, int], ...]


class Numbers:
    """Indicators by id, in the order of the board."""

    def __init__(self, folder: Path, contracts: Callable[[], Mapping[str, Contract]]) -> None:
        self._folder, self._contracts = folder, contracts
        self._lock = threading.Lock()
        self._looked = float("-inf")
        self._seen: Seen | None = None
        self._indicators: Mapping[str, Indicator] = {}
        self._reports: Mapping[str, Report] = {}

    def indicators(self) -> Mapping[str, Indicator]:
        """What there is now."""
        with self._lock:
            if time.monotonic() - self._looked >= SECONDS_BETWEEN_LOOKS:
                self._look()
                self._looked = time.monotonic()
            return self._indicators

    def reports(self) -> Mapping[str, Report]:
        """The reports there are now."""
        self.indicators()
        return self._reports

    def form_file(self, report: Report) -> Path | None:
        """The workbook that lies beside a report's file; None where there is none."""
        path = self._folder / FOLDER / f"{report.id}.xlsx"
        return path if report.form is not None and path.is_file() else None

    def _look(self) -> None:
        seen = tuple(sorted((path.name, path.stat().st_mtime_ns) for path in self._folder.rglob("*.yaml")))
        if seen == self._seen:
            return
        self._seen = seen
        try:
            indicators = load_indicators(self._folder, self._contracts(), NAMES)
            self._reports = load_reports(self._folder, indicators)
            self._indicators = indicators
        except ContractError as error:
            log.warning("indicators_not_read", faults=len(error.faults))
