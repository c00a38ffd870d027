"""`lienthong default-list …`: data shared by default, and the reviews of it, at the server's own terminal."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from lienthong.cli.opening import settings, who, workshop
from lienthong.cli.words import day, out, say, show

app = typer.Typer(no_args_is_help=True)


@app.command("show")
def shown(as_json: Annotated[bool, typer.Option("--json", help="JSON")] = False) -> None:
    """Danh mục theo cơ quan, lần rà soát trước và hạn lần tới · the list by agency, the last review and the next one's day."""
    from lienthong.clock import vietnam_date
    from lienthong.pipeline.default_list import default_parts, part_document

    place = workshop()
    today = vietnam_date(place.clock())
    with place.database.connect() as connection:
        parts = default_parts(connection, place.contracts.values(), settings().default_review_months, today)
    if as_json:
        typer.echo(json.dumps([part_document(part, today) for part in parts], default=str, ensure_ascii=False))
        return
    rows = [
        (
            part.agency,
            ", ".join(part.datasets),
            part.reviewed_on,
            f"{day(part.due_on)}{' !' if part.is_overdue(today) else ''}",
            " ".join([*(f"+{id}" for id in part.added), *(f"-{id}" for id in part.removed)]),
        )
        for part in parts
    ]
    headings = (
        ("cơ quan", "agency"), ("dữ liệu", "datasets"), ("rà soát", "reviewed"), ("hạn (! quá hạn)", "due (! overdue)"), ("thay đổi", "changed"),
    )  # fmt: skip
    show(headings, rows)


@app.command("review")
def review(
    agency: Annotated[str, typer.Argument(help="H10.12")],
    words: Annotated[str, typer.Option(help="Kết quả · what came of it")],
    decision: Annotated[str, typer.Option(help="Số quyết định · the decision's number")] = "",
) -> None:
    """Ghi kết quả rà soát phần của một cơ quan · record that an agency's part was looked through."""
    from lienthong.pipeline import granting
    from lienthong.pipeline.default_list import review as act

    part = act(workshop(), granting.terminal(who()), granting.agency_code(agency), words, decision, settings().default_review_months)
    out.print(say(f"Đã ghi; lần tới trước {day(part.due_on)}.", f"Recorded; the next by {day(part.due_on)}."))
