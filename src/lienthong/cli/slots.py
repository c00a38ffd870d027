"""`lienthong slot …`: the replication slots of sources that are read by PostgreSQL's log."""

from __future__ import annotations

from typing import Annotated

import typer

from lienthong.cli.opening import who, workshop
from lienthong.cli.words import out, say, show
from lienthong.errors import NotFound

app = typer.Typer(no_args_is_help=True)
Dataset = Annotated[str, typer.Argument(metavar="DATASET")]
SourceName = Annotated[str | None, typer.Option("--source", help="Nguồn, khi có nhiều · the source, where there are several")]


@app.command("make")
def make(
    dataset: Dataset,
    source: SourceName = None,
    again: Annotated[bool, typer.Option("--again", help="Tạo lại; bảng sẽ được đọc lại toàn bộ · anew: the table is read whole")] = False,
) -> None:
    """Tạo khe nhân bản để đọc theo nhật ký · make the slot: the server keeps its log from here on."""
    from lienthong.pipeline import slots

    place = workshop()
    contract = place.contracts.get(dataset)
    if contract is None:
        raise NotFound(f"There is no contract of `{dataset}`.")
    made = slots.make(place, contract, source, who(), again=again)
    out.print(say(f"Đã tạo khe {made.slot}. Nay: lienthong run {dataset}.", f"Slot {made.slot} is made. Now: lienthong run {dataset}."))


@app.command("drop")
def drop(dataset: Dataset, source: SourceName = None) -> None:
    """Bỏ khe, để máy chủ khỏi giữ nhật ký · drop the slot, so that the server need keep no log for it."""
    from lienthong.pipeline import slots

    place = workshop()
    contract = place.contracts.get(dataset)
    if contract is None:
        raise NotFound(f"There is no contract of `{dataset}`.")
    if slots.drop(place, contract, source, who()):
        out.print(say("Đã bỏ khe.", "The slot is dropped."))
    else:
        out.print(say("Không có khe nào.", "There was no slot."))


@app.command("show")
def shown() -> None:
    """Các khe và lượng nhật ký đang giữ · the slots, and how much log is kept for each."""
    from lienthong.pipeline import slots

    rows = []
    for each in slots.watched(workshop()):
        state = each.state
        said = each.error or say("chưa tạo", "not made") if state is None else state.state
        rows.append((each.dataset, each.source, each.slot, said, "" if state is None else f"{state.behind_bytes / 2**20:.1f} MiB"))
    show(
        (("Bộ dữ liệu", "Dataset"), ("Nguồn", "Source"), ("Khe", "Slot"), ("Tình trạng", "State"), ("Nhật ký giữ", "Log kept")), rows
    )  # fmt: skip
