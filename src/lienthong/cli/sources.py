"""`lienthong source …`: try where a dataset comes from, before anything is taken in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from lienthong.cli.opening import settings
from lienthong.cli.words import out, say, show
from lienthong.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lienthong.connectors import ReadContext
    from lienthong.contracts import Source

app = typer.Typer(no_args_is_help=True)
WIDEST = 40  # signs of a cell that are shown
DatasetId = Annotated[str, typer.Argument(metavar="DATASET", help="Ví dụ · such as population.persons")]
SourceName = Annotated[str | None, typer.Option("--source", help="Nguồn, khi có nhiều · the source, where there are several")]


@app.command("test")
def tried(dataset_id: DatasetId, source: SourceName = None) -> None:
    """Thử kết nối, nói từng bước được hay chưa; không lấy gì · try a source step by step and take nothing; ends with 1 when it fails."""
    from lienthong.connectors.hints import in_vietnamese
    from lienthong.connectors.probing import probe

    context, sources = _sources(dataset_id, source)
    failed = False
    for each in sources:
        out.print(f"{dataset_id} · {each.name} ({each.connector})")
        for step in probe(each, context):
            out.print(f"  {'✓' if step.is_ok else '✗'} {say(step.vi, step.en)}", soft_wrap=True, markup=False)
            if step.hint:
                out.print(f"    → {say(in_vietnamese(step.hint), step.hint)}", soft_wrap=True, markup=False)
            failed = failed or not step.is_ok
    if failed:
        raise typer.Exit(1)


@app.command("preview")
def previewed(
    dataset_id: DatasetId,
    source: SourceName = None,
    rows: Annotated[int, typer.Option(min=1, max=1000, help="Số hàng · how many rows")] = 20,
) -> None:
    """Xem những hàng đầu như nguồn đưa ra; không lưu gì · the first rows as the source gives them; keeps nothing."""
    from rich.markup import escape

    from lienthong.connectors.probing import preview

    context, sources = _sources(dataset_id, source)
    for each in sources:
        table, numbers = preview(each, context, rows)
        out.print(f"{dataset_id} · {each.name} ({each.connector})", markup=False)
        headings = [("Hàng", "Row"), *((escape(name), escape(name)) for name in table.column_names)]
        cells = [[_short(value) for value in row.values()] for row in table.to_pylist()]
        show(headings, [[number, *map(escape, row)] for number, row in zip(numbers, cells, strict=True)])


def _short(value: str | None) -> str:
    """What a terminal can show: no line ends or other control signs, not endless."""
    text = "".join(sign if sign.isprintable() else "␣" for sign in (value or ""))
    return text if len(text) <= WIDEST else f"{text[: WIDEST - 1]}…"


def _sources(dataset_id: str, name: str | None) -> tuple[ReadContext, Sequence[Source]]:
    from lienthong.connectors import connector_names
    from lienthong.contracts import load_all
    from lienthong.web.services import read_context_of

    found = settings()
    contracts = load_all(found.datasets, connector_names())
    contract = contracts.get(dataset_id)
    if contract is None:
        raise NotFound(f"There is no contract of `{dataset_id}`.", hint=f"Known: {', '.join(contracts)}.")
    sources = [each for each in contract.sources if name in (None, each.name)]
    if not sources:
        raise NotFound(f"`{dataset_id}` has no source `{name}`.", hint=f"It has: {', '.join(each.name for each in contract.sources)}.")
    return read_context_of(found), sources
