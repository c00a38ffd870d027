"""Vietnamese first, English on request: `--lang en` or LIENTHONG_LANG=en."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

if TYPE_CHECKING:
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


class Language:
    """Which of two sayings is shown; set once, by the first option of the command line."""

    english = os.environ.get("LIENTHONG_LANG", "vi").lower().startswith("en")


def say(vi: str, en: str) -> str:
    return en if Language.english else vi


def show(headings: Sequence[tuple[str, str]], rows: Iterable[Sequence[Any]]) -> None:
    """A table on standard output."""
    table = Table(*(say(*heading) for heading in headings), box=None, pad_edge=False, header_style="bold")
    for row in rows:
        table.add_row(*("" if value is None else str(value) for value in row))
    out.print(table)


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
