"""`lienthong quarantine …`: list, show, correct the rows that wait."""

from __future__ import annotations

from typing import Annotated

import typer

from lienthong.cli.opening import who, workshop
from lienthong.cli.words import Language, out, say, show

app = typer.Typer(no_args_is_help=True)


@app.command("list")
def listed(
    dataset_id: Annotated[str, typer.Argument(metavar="DATASET")],
    state: Annotated[str, typer.Option(help="waiting | released | superseded | withdrawn | all")] = "waiting",
    limit: int = 50,
    numbers: Annotated[bool, typer.Option("--numbers", help="Chỉ in số của mục · print the items' numbers alone")] = False,
) -> None:
    """Các hàng chờ xử lý, với mọi lý do · rows that wait, with every reason."""
    from lienthong.pipeline import list_quarantine

    items = list_quarantine(workshop(), dataset_id, None if state == "all" else state, limit=limit)
    if numbers:
        for item in items:
            typer.echo(item.item_id)
        return
    language = "expected_en" if Language.english else "expected_vi"
    rows = [
        (
            i.item_id,
            f"{i.uri or ''}{f' [{i.sheet}]' if i.sheet else ''}",
            i.source_row,
            i.key,
            "; ".join(f"{x['column'] or ''}: {x[language]}" for x in i.issues if x["severity"] == "error"),
        )
        for i in items
    ]
    show((("Mục", "Item"), ("Tệp", "File"), ("Dòng", "Row"), ("Khóa", "Key"), ("Cần", "Expected")), rows)


@app.command("show")
def shown(item: int) -> None:
    """Một hàng chờ: như đã nhận, và mọi lỗi · one row as it came, and every issue."""
    from lienthong.pipeline import show_quarantine

    dataset_id, found = show_quarantine(workshop(), item)
    out.print(f"{dataset_id} · {found.uri or ''} · {say('dòng', 'row')} {found.source_row} · {found.state}")
    show((("Cột", "Column"), ("Giá trị", "Value")), list(found.raw.items()))
    show(
        (("Trường", "Field"), ("Mã lỗi", "Code"), ("Mức", "Severity"), ("Cần", "Expected")),
        [(i["column"], i["code"], i["severity"], say(i["expected_vi"], i["expected_en"])) for i in found.issues],
    )


@app.command("correct")
def correct(
    item: int,
    changes: Annotated[list[str], typer.Option("--set", help="trường=giá trị · field=value; lặp lại được · may be repeated")] = [],  # noqa: B006 # Typer's way
) -> None:
    """Sửa rồi gửi lại một hàng chờ · put a row right and send it through again."""
    from lienthong.pipeline import correct_row

    pairs = dict(change.split("=", 1) for change in changes if "=" in change)
    if len(pairs) != len(changes):
        raise typer.BadParameter(say("cần dạng trường=giá trị", "expected field=value"))
    done = correct_row(workshop(), item, pairs, official=who())
    if done.item.state == "released":
        out.print(
            say(f"Mục {item} đã qua, phiên bản {done.outcome.version}.", f"Item {item} went through, version {done.outcome.version}.")
        )
        return
    out.print(say(f"Mục {item} vẫn chờ:", f"Item {item} still waits:"))
    show((("Trường", "Field"), ("Cần", "Expected")), [(i["column"], say(i["expected_vi"], i["expected_en"])) for i in done.item.issues])
    raise typer.Exit(1)
