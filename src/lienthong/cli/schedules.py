"""`lienthong schedule …`: when sources are due, whether they came, what came of their gaps."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

import typer

from lienthong.cli.opening import workshop
from lienthong.cli.words import out, say, show
from lienthong.clock import VIETNAM

app = typer.Typer(no_args_is_help=True)
GAP_DAYS = 90
STATES = {
    "waiting": ("chờ đến lượt", "waits its turn"), "running": ("đang nạp", "at work"), "come": ("đã đến", "came"),
    "same": ("vẫn là lần trước", "still the last one"), "failed": ("không nạp được", "failed"), "missed": ("đã lỡ", "missed"),
}  # fmt: skip


@app.command("list")
def listed(dataset_id: Annotated[str | None, typer.Argument(metavar="[DATASET]")] = None) -> None:
    """Lịch của các nguồn: lần hẹn gần nhất, lần tới, số lần lỡ trong 90 ngày · sources by their schedule."""
    from lienthong import quality
    from lienthong.store import schedules

    place = workshop()
    now = place.clock()
    with place.database.connect() as connection:
        newest = {(due.dataset_id, due.source_name): due for due in schedules.newest(connection, dataset_id)}
        gaps = schedules.gaps(connection, now - timedelta(days=GAP_DAYS))
    rows = []
    for contract in place.contracts.values():
        if contract.schedule is None or dataset_id not in (None, contract.id):
            continue
        comes = quality.next_due(contract.schedule, now, place.offices).astimezone(VIETNAM)
        for source in contract.sources:
            due = newest.get((contract.id, source.name))
            called, lost = gaps.get((contract.id, source.name), (0, 0))
            stands = (
                ("", "", "") if due is None else (f"{due.due_at.astimezone(VIETNAM):%d/%m/%Y %H:%M}", say(*STATES[due.state]), due.run_id)
            )
            rows.append((contract.id, source.name, *stands, f"{comes:%d/%m/%Y %H:%M}", f"{lost}/{called}"))
    headings = (
        ("Bộ dữ liệu", "Dataset"), ("Nguồn", "Source"), ("Hẹn gần nhất", "Was due"), ("Tình trạng", "State"), ("Lần nạp", "Run"),
        ("Hẹn tới", "Due next"), ("Lỡ/hẹn", "Missed/due"),
    )  # fmt: skip
    show(headings, rows)


@app.command("run")
def run() -> None:
    """Nạp ngay những nguồn đã đến hẹn · read what is due, now."""
    from lienthong.pipeline.scheduling import run_due

    tried = run_due(workshop())
    out.print(say(f"{tried} nguồn đã được đọc.", f"{tried} sources were read."))
