"""`lienthong open-data …`: the list of open data, what is overdue on it, and the acts at the server's own terminal."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from lienthong.cli.opening import settings, who, workshop
from lienthong.cli.words import day, out, say, show

if TYPE_CHECKING:
    from lienthong.access import Actor
    from lienthong.pipeline import Workshop

app = typer.Typer(no_args_is_help=True)
Dataset = Annotated[str, typer.Argument(help="Bộ dữ liệu · dataset")]
Words = Annotated[str, typer.Option(help="Lý do, kết quả · why, or what came of it")]


@app.command("list")
def listed(
    overdue: Annotated[bool, typer.Option("--overdue", help="Chỉ mục quá hạn · overdue entries only")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="JSON")] = False,
) -> None:
    """Danh mục dữ liệu mở và các hạn · the list and its terms."""
    from lienthong.catalog.open_data import listed as told
    from lienthong.clock import vietnam_date
    from lienthong.store import catalogue, pages

    place = workshop()
    with place.database.connect() as connection:
        entries, standings = catalogue.open_entries(connection), pages.standings(connection)
    found = told(entries, place.contracts, standings, vietnam_date(place.clock()), settings(), overdue_only=overdue)
    if as_json:
        typer.echo(json.dumps(found, default=str, ensure_ascii=False))
        return
    rows = [
        (
            each["dataset"],
            say(each["state_words"]["vi"], each["state_words"]["en"]),
            vietnam_date(each["since"]),
            each["decision"],
            "; ".join(
                f"{say(due['words']['vi'], due['words']['en'])} {day(due['by'])}{' !' if due['is_overdue'] else ''}" for due in each["due"]
            ),
        )
        for each in found
    ]
    show(
        (
            ("Bộ dữ liệu", "Dataset"),
            ("Trạng thái", "State"),
            ("Từ", "Since"),
            ("Quyết định", "Decision"),
            ("Hạn (! quá hạn)", "Due (! overdue)"),
        ),
        rows,
    )


@app.command("act")
def act(
    dataset: Dataset,
    name: Annotated[
        str, typer.Argument(help="propose, approve, refuse, plan, open, review, refresh, refreshed, suspend, withdraw", metavar="ACT")
    ],
    words: Words = "",
    legal_text: Annotated[str, typer.Option(help="Căn cứ pháp luật hạn chế · the law that restricts it")] = "",
    decision: Annotated[str, typer.Option(help="Số quyết định · number of the decision")] = "",
    on: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Ngày công bố · day of publication")] = None,
) -> None:
    """Xử lý một mục của danh mục · act on an entry of the list."""
    from lienthong.access.opening import STATE_WORDS, OpenAct, OpenState
    from lienthong.errors import Unprocessable
    from lienthong.pipeline.opening import Said, move

    if name not in tuple(OpenAct):
        raise Unprocessable(
            f"There is no act `{name}`.",
            hint=f"One of {', '.join(OpenAct)}.",
            vi=f"Không có việc `{name}`.",
            hint_vi=f"Một trong: {', '.join(OpenAct)}.",
        )
    place = workshop()
    entry = move(place, _actor(place, dataset), dataset, OpenAct(name), Said(words, legal_text, decision, on.date() if on else None))
    out.print(f"{dataset}: {say(*STATE_WORDS[OpenState(entry.state)])}")


@app.command("review")
def review(words: Words) -> None:
    """Rà soát cả danh mục · mark every entry on the list as reviewed."""
    from lienthong.pipeline.opening import review_all

    place = workshop()
    reviewed = review_all(place, _actor(place, ""), words)
    out.print(say(f"Đã rà soát {len(reviewed)} mục.", f"{len(reviewed)} entries are reviewed."))


def _actor(place: Workshop, dataset: str) -> Actor:
    """Whoever works at the server's terminal stands for the owner and for the head, and the ledger says it was there."""
    from dataclasses import replace

    from lienthong.access import Role
    from lienthong.pipeline.granting import terminal

    contract = place.contracts.get(dataset)
    made = terminal(who())
    return replace(
        made, agency=contract.agency if contract else made.agency, roles=frozenset({Role.DATA_OFFICER, Role.LEADER, Role.OPERATOR})
    )
