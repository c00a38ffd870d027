"""Vietnamese first, English on request: `--lang en` or LIENTHONG_LANG=en."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from lienthong.clock import VIETNAM
from lienthong.errors import ContractError

if TYPE_CHECKING:
    from lienthong.errors import LienthongError
    from lienthong.pipeline import Progress as Step

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)
STEPS = {
    "landing": ("nhận", "landing"),
    "comparing": ("so với lần trước", "comparing"),
    "cleaning": ("chuẩn hóa, kiểm tra", "cleaning, checking"),
    "publishing": ("công bố", "publishing"),
    "done": ("xong", "done"),
}


RUN_STATES = {
    "landing": ("đang nhận", "landing"),
    "landed": ("đã nhận", "landed"),
    "waiting": ("chờ người quyết định", "waiting"),
    "published": ("đã công bố", "published"),
    "unchanged": ("không đổi", "unchanged"),
    "failed": ("không nạp được", "failed"),
    "withdrawn": ("đã rút", "withdrawn"),
}
ITEM_STATES = {
    "waiting": ("đang chờ", "waiting"),
    "released": ("đã qua", "went through"),
    "superseded": ("đã có hàng mới thay", "superseded"),
    "withdrawn": ("đã rút", "withdrawn"),
}


class Language:
    """Which of two sayings is shown; set once, by the first option of the command line."""

    english = os.environ.get("LIENTHONG_LANG", "vi").lower().startswith("en")


def say(vi: str, en: str) -> str:
    return en if Language.english else vi


def at(instant: datetime) -> str:
    """An instant as offices write it, in Vietnamese time."""
    return f"{instant.astimezone(VIETNAM):%d/%m/%Y %H:%M}"


def day(on: date) -> str:
    """A day as the reader writes it: 26/11/2026 in Vietnamese, 2026-11-26 in English."""
    return say(f"{on:%d/%m/%Y}", f"{on:%Y-%m-%d}")


def told(error: LienthongError) -> str:
    """An error in the language that was asked for; one without Vietnamese words, and its facts, in English."""
    words = error.facts.get("vi")
    if not Language.english and isinstance(error, ContractError) and error.faults:
        return _faults(error)
    if Language.english or not isinstance(words, str) or not words:
        return str(error)
    from lienthong.connectors.hints import in_vietnamese
    from lienthong.contracts.fault_words import in_vietnamese as of_contracts

    translated = of_contracts if isinstance(error, ContractError) else in_vietnamese
    return f"{words} {error.facts.get('hint_vi') or translated(error.hint)}".strip()


def _faults(error: ContractError) -> str:
    from lienthong.contracts.fault_words import in_vietnamese

    lines = [f"  {place}: {in_vietnamese(what)}{f' ({in_vietnamese(so)})' if so else ''}" for place, what, so in error.faults]
    return "\n".join(filter(None, [f"{len(lines)} chỗ chưa đúng:", *lines, error.hint]))


def show(headings: Sequence[tuple[str, str]], rows: Iterable[Sequence[Any]]) -> None:
    """A table on standard output. What stands in it is text: brackets of a value are no markup; days and instants as readers write them."""
    table = Table(*(say(*heading) for heading in headings), box=None, pad_edge=False, header_style="bold")
    for row in rows:
        table.add_row(*("" if value is None else Text(_cell(value)) for value in row))
    out.print(table)


def _cell(value: object) -> str:
    if isinstance(value, datetime):
        return at(value)
    return day(value) if isinstance(value, date) else str(value)


class Bar:
    """A progress bar for a run: `with Bar() as on_progress: run_dataset(…, on_progress=on_progress)`. Silent when nobody watches."""

    def __init__(self) -> None:
        columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        self._progress = Progress(*columns, console=err, transient=True, disable=not err.is_terminal)
        self._tasks: dict[str, Any] = {}

    def __enter__(self) -> Callable[[Step], None]:
        self._progress.start()
        return self.step

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def step(self, progress: Step) -> None:
        task = self._tasks.get(progress.dataset_id)
        if task is None:
            task = self._tasks[progress.dataset_id] = self._progress.add_task(progress.dataset_id, total=None)
        words = say(*STEPS.get(progress.step, (progress.step, progress.step)))
        self._progress.update(task, description=f"{progress.dataset_id}: {words}", completed=progress.rows, total=progress.total)
