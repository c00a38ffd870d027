"""`lienthong indicators …`: check the files, reckon the figures, show them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lienthong.cli.opening import settings, workshop
from lienthong.cli.words import out, say, show

if TYPE_CHECKING:
    from lienthong.contracts.indicators import Indicator
    from lienthong.pipeline import Workshop

app = typer.Typer(no_args_is_help=True)
AsJson = Annotated[bool, typer.Option("--json", help="JSON")]
STATES = {"estimate": ("ước tính", "estimate"), "late": ("trễ", "late"), "final": ("chính thức", "final")}


@app.command("check")
def check(path: Annotated[Path | None, typer.Argument(help="Thư mục · folder")] = None) -> None:
    """Đọc các tệp chỉ tiêu, nêu mọi lỗi · read the files, tell every fault."""
    from lienthong.connectors import connector_names
    from lienthong.contracts import load_all
    from lienthong.contracts.indicators import load_indicators
    from lienthong.reports.measures import NAMES

    found = settings()
    indicators = load_indicators(path or found.indicators, load_all(found.datasets, connector_names()), NAMES)
    show(
        (("Chỉ tiêu", "Indicator"), ("Tên", "Title"), ("Kỳ", "Period"), ("Chủ quản", "Owner"), ("Đọc", "Reads")),
        [(i.id, say(i.title_vi, i.title_en), i.period.value, i.owner, ", ".join(i.reads) or i.measure) for i in indicators.values()],
    )


@app.command("compute")
def compute(
    indicator: Annotated[str, typer.Argument(help="Chỉ tiêu; trống: tất cả · empty: all")] = "",
    everything: Annotated[bool, typer.Option("--everything", help="Kể cả khi không có gì mới · though nothing is new")] = False,
    as_json: AsJson = False,
) -> None:
    """Tính các chỉ tiêu có gì mới · reckon what is new."""
    from lienthong.pipeline import indicating
    from lienthong.reports.measures import Measures

    place = workshop()
    known = _known(place)
    chosen = [known[indicator]] if indicator in known else list(known.values()) if not indicator else []
    if not chosen:
        _unknown(indicator, known)
    counted = Measures(place.contracts, settings().typing_characters_per_minute).by_name()
    done = [
        each
        for one in chosen
        for each in indicating.compute(place, one, counted, settings().indicator_seconds, everything=everything)
    ]  # fmt: skip
    if as_json:
        typer.echo(json.dumps([vars(each) for each in done], ensure_ascii=False, indent=1))
        return
    shown = [
        (each.indicator, each.period, say(*STATES[each.state]), each.total, each.revision or say("như cũ", "as before")) for each in done
    ]
    show((("Chỉ tiêu", "Indicator"), ("Kỳ", "Period"), ("Trạng thái", "State"), ("Số liệu", "Figure"), ("Lần", "Revision")), shown)
    new = sum(1 for each in done if each.revision)
    out.print(say(f"{new} số liệu mới được chốt vào sổ.", f"{new} new figures are in the ledger."))


@app.command("show")
def show_figures(indicator: Annotated[str, typer.Argument(help="Chỉ tiêu · indicator")] = "") -> None:
    """Số liệu mới nhất của mỗi kỳ · the newest figure of each period."""
    from lienthong.store import indicators as store

    place = workshop()
    known = _known(place)
    if indicator and indicator not in known:
        _unknown(indicator, known)
    with place.database.connect() as connection:
        series = store.series(connection, [indicator] if indicator else list(known))
    rows = [
        (each.indicator, each.period, each.revision, say(*STATES[each.state]), each.total, each.target)
        for figures in series.values()
        for each in figures
    ]
    show(
        (("Chỉ tiêu", "Indicator"), ("Kỳ", "Period"), ("Lần", "Revision"), ("Trạng thái", "State"), ("Số liệu", "Figure"), ("Mục tiêu", "Target")),
        rows,
    )  # fmt: skip


def _known(place: Workshop) -> dict[str, Indicator]:
    from lienthong.contracts.indicators import load_indicators
    from lienthong.reports.measures import NAMES

    return load_indicators(settings().indicators, place.contracts, NAMES)


def _unknown(name: str, known: dict[str, Indicator]) -> None:
    from lienthong.contracts.faults import nearest
    from lienthong.errors import NotFound

    raise NotFound(f"There is no indicator `{name}`. {nearest(name, known)}", vi=f"Không có chỉ tiêu `{name}`.")
