"""`lienthong run …`: take a dataset in, see runs, decide those that wait."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from lienthong.cli.opening import unknown_dataset, who, workshop
from lienthong.cli.words import RUN_STATES, Bar, at, err, out, say, show, told
from lienthong.errors import LienthongError, RunError


class DatasetFirst(TyperGroup):
    """`lienthong run population.persons` means `lienthong run dataset population.persons`."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        known = args and (args[0] in self.commands or args[0].startswith("-"))
        return super().resolve_command(ctx, args if known else ["dataset", *args])


app = typer.Typer(no_args_is_help=True, cls=DatasetFirst)
COUNTS = (("Nhận", "In"), ("Công bố", "Published"), ("Không đổi", "Unchanged"), ("Chờ xử lý", "Quarantined"), ("Kết thúc", "Ended"))


@app.command("dataset")
def dataset(
    dataset_id: Annotated[str, typer.Argument(metavar="DATASET", help="Ví dụ · such as population.persons; `all`: tất cả")],
    source: Annotated[str | None, typer.Option(help="Nguồn, khi có nhiều · the source, where there are several")] = None,
    delivered_on: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Ngày của dữ liệu · the delivery's own date")] = None,
    whole: Annotated[bool, typer.Option("--whole", help="Đọc lại từ đầu · read the source from its beginning")] = False,
) -> None:
    """Nạp một bộ dữ liệu từ nguồn đến phiên bản công bố · take a dataset from its source to a published version."""
    from lienthong.pipeline import RunOutcome, reading_order, run_dataset

    place = workshop()
    wanted = reading_order(place.contracts) if dataset_id == "all" else [dataset_id]
    outcomes: list[RunOutcome] = []
    failed = False
    with Bar() as on_progress:
        for name in wanted:
            contract = place.contracts.get(name)
            if contract is None:
                raise unknown_dataset(place, name)
            for found in contract.sources:
                if source is not None and found.name != source:
                    continue
                try:
                    outcomes.append(
                        run_dataset(place, contract, found.name, delivered_on.date() if delivered_on else None, on_progress, whole=whole)
                    )
                except LienthongError as error:
                    failed = True
                    err.print(f"{name}: {told(error)}", soft_wrap=True, markup=False)
    rows = [
        (
            o.run_id,
            o.dataset_id,
            say(*RUN_STATES[o.state]),
            o.rows_in,
            o.rows_published,
            o.rows_unchanged,
            o.rows_quarantined,
            o.rows_ended,
            f"{o.seconds:.2f} s",
        )
        for o in outcomes
    ]
    show((("Lần", "Run"), ("Bộ dữ liệu", "Dataset"), ("Trạng thái", "State"), *COUNTS, ("Thời gian", "Time")), rows)
    for outcome in outcomes:
        for bound in outcome.waits_for:
            told_of = say(f"chờ người quyết định: {bound['vi']}", f"waits for a person: {bound['en']}")
            out.print(say(f"Lần {outcome.run_id} {told_of}", f"Run {outcome.run_id} {told_of}"), markup=False, soft_wrap=True)
    if failed:
        raise RunError(say("Có bộ dữ liệu không nạp được.", "Some datasets could not be taken in."))


@app.command("file")
def file(
    dataset_id: Annotated[str, typer.Argument(metavar="DATASET")],
    path: Annotated[Path, typer.Argument(exists=True, dir_okay=False, metavar="FILE")],
    whole: Annotated[bool, typer.Option("--whole", help="Là toàn bộ danh sách: bản ghi không có trong tệp sẽ kết thúc · the whole list: what is not in it ends")] = False,
) -> None:  # fmt: skip
    """Nạp một tệp (mẫu đã điền, hoặc tệp của cơ quan) như khi nộp ở trang · take a file in, as one handed in on the pages."""
    from lienthong.pipeline.upload import suffix_of, take_file

    place = workshop()
    contract = place.contracts.get(dataset_id)
    if contract is None:
        raise unknown_dataset(place, dataset_id)
    suffix_of(path.name)
    with Bar() as on_progress:
        o = take_file(place, contract, path, is_whole=whole, official=who(), on_progress=on_progress)
    show(
        (("Lần", "Run"), ("Trạng thái", "State"), *COUNTS),
        [(o.run_id, say(*RUN_STATES[o.state]), o.rows_in, o.rows_published, o.rows_unchanged, o.rows_quarantined, o.rows_ended)],
    )


@app.command("again")
def again(
    dataset_id: Annotated[str, typer.Argument(metavar="DATASET")],
    source: Annotated[str | None, typer.Option(help="Nguồn, khi có nhiều · the source, where there are several")] = None,
) -> None:
    """Xử lý lại lần giao cuối từ bản gốc, theo hợp đồng hiện nay · judge the last delivery anew from its landing, under today's contract."""
    from lienthong.pipeline import run_again

    place = workshop()
    contract = place.contracts.get(dataset_id)
    if contract is None:
        raise unknown_dataset(place, dataset_id)
    with Bar() as on_progress:
        o = run_again(place, contract, source, on_progress)
    show(
        (("Lần", "Run"), ("Trạng thái", "State"), *COUNTS),
        [(o.run_id, say(*RUN_STATES[o.state]), o.rows_in, o.rows_published, o.rows_unchanged, o.rows_quarantined, o.rows_ended)],
    )


@app.command("list")
def recent(dataset_id: Annotated[str | None, typer.Argument(metavar="[DATASET]")] = None, limit: int = 20) -> None:
    """Các lần nạp gần đây · the newest runs."""
    from lienthong.store import runs

    with workshop().database.connect() as connection:
        found = runs.recent(connection, dataset_id, limit)
    rows = [
        (
            r.run_id,
            r.dataset_id,
            r.source_name,
            say(*RUN_STATES[r.state]),
            at(r.started_at),
            r.rows_in,
            r.rows_published,
            r.rows_unchanged,
            r.rows_quarantined,
            r.rows_ended,
        )
        for r in found
    ]
    show((("Lần", "Run"), ("Bộ dữ liệu", "Dataset"), ("Nguồn", "Source"), ("Trạng thái", "State"), ("Bắt đầu", "Begun"), *COUNTS), rows)


@app.command("approve")
def approve(
    run_id: int, reason: Annotated[str, typer.Option(help="Lý do; cần khi đổi kỳ đã khóa sổ · why; needed for closed periods")] = ""
) -> None:
    """Cho công bố một lần nạp đang chờ · let a waiting run pass its bounds."""
    from lienthong.pipeline import approve_run

    with Bar() as on_progress:
        outcome = approve_run(workshop(), run_id, who(), on_progress, reason)
    state = say(*RUN_STATES[outcome.state])
    out.print(say(f"Lần {run_id}: {state}, phiên bản {outcome.version}.", f"Run {run_id}: {state}, version {outcome.version}."))


@app.command("withdraw")
def withdraw(
    run_id: int, reason: Annotated[str, typer.Option(help="Lý do; cần khi đã công bố · why; needed for what was published")] = ""
) -> None:
    """Bỏ một lần nạp đang chờ, hay rút lại lần đã công bố · drop a run that waits, or take back what one published."""
    from lienthong.pipeline.withdrawing import withdraw as take_back

    done = take_back(workshop(), run_id, who(), reason)
    if done is None:
        out.print(say(f"Lần {run_id} đã rút.", f"Run {run_id} is withdrawn."))
        return
    out.print(
        say(
            f"Lần {run_id} đã rút: phiên bản {done.version} đưa {done.restored} bản ghi về như trước, kết thúc {done.ended}; {done.left} đã đổi sau đó, giữ nguyên.",
            f"Run {run_id} is withdrawn: version {done.version} puts {done.restored} records back as they were and ends {done.ended}; {done.left} changed since and stay.",
        ),
        soft_wrap=True,
    )


@app.command("periods")
def periods(dataset_id: Annotated[str, typer.Argument(metavar="DATASET")], limit: int = 50) -> None:
    """Các lần sửa kỳ đã khóa sổ · changes of periods after they closed."""
    from lienthong.store import runs

    with workshop().database.connect() as connection:
        found = runs.period_revisions(connection, dataset_id, limit)
    rows = [(r.period, r.revision, r.rows, r.version, r.run_id, r.by_whom, r.reason, at(r.at)) for r in found]
    headings = (
        ("Kỳ", "Period"), ("Lần sửa", "Revision"), ("Số hàng", "Rows"), ("Phiên bản", "Version"), ("Lần nạp", "Run"), ("Ai", "Who"),
        ("Lý do", "Reason"), ("Lúc", "When"),
    )  # fmt: skip
    show(headings, rows)
