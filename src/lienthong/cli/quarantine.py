"""`lienthong quarantine …`: list, show, correct the rows that wait."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lienthong.cli.opening import unknown_dataset, who, workshop
from lienthong.cli.words import ITEM_STATES, Language, out, say, show

if TYPE_CHECKING:
    from lienthong.contracts import Contract
    from lienthong.pipeline import Workshop

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

    place = workshop()
    _contract(place, dataset_id)
    items = list_quarantine(place, dataset_id, None if state == "all" else state, limit=limit)
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
    where = f"{found.uri or ''} · {say('dòng', 'row')} {found.source_row}"
    out.print(f"{dataset_id} · {where} · {say(*ITEM_STATES[found.state])}", markup=False, soft_wrap=True)
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


@app.command("workbook")
def workbook(
    dataset_id: Annotated[str, typer.Argument(metavar="DATASET")],
    to: Annotated[Path, typer.Option(help="Tệp .xlsx sẽ ghi · the workbook to write")],
) -> None:
    """Mọi hàng chờ thành tệp Excel, ô sai đã đánh dấu · waiting rows as a workbook, wrong cells marked."""
    from lienthong.pipeline.correct import By
    from lienthong.web.mended import give_workbook

    place = workshop()
    to.write_bytes(give_workbook(place, _contract(place, dataset_id), By(who())))
    out.print(say(f"Đã ghi {to}. Sửa các ô màu, rồi: lienthong quarantine mend {dataset_id} {to}", f"Wrote {to}. Mend the coloured cells, then: lienthong quarantine mend {dataset_id} {to}"), soft_wrap=True)  # fmt: skip


@app.command("mend")
def mend(
    dataset_id: Annotated[str, typer.Argument(metavar="DATASET")],
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="Tệp đã sửa · the workbook, mended")],
    verdicts: Annotated[Path | None, typer.Option(help="Ghi kết quả từng hàng vào tệp .xlsx này · where the verdicts go")] = None,
) -> None:
    """Đưa tệp Excel đã sửa trở lại: mọi hàng đã sửa qua cùng các kiểm tra · bring the mended workbook back."""
    from lienthong.pipeline import mending
    from lienthong.pipeline.correct import By
    from lienthong.web.mended import verdicts_of

    place = workshop()
    contract = _contract(place, dataset_id)
    done = mending.take_back(place, contract, file, By(who()))
    if verdicts is not None:
        verdicts.write_bytes(verdicts_of(place, contract, done))
    show(
        (("Dòng", "Row"), ("Kết quả", "Result")),
        [(verdict.row, say(verdict.vi, verdict.en)) for verdict in done.verdicts if verdict.fate is not mending.Fate.UNTOUCHED],
    )
    for names, words in ((done.ignored, ("Cột lạ, bỏ qua", "Columns not known, left out")), (done.absent, ("Cột bị bớt, giữ như cũ", "Columns taken out, as they came"))):  # fmt: skip
        if names:
            out.print(f"{say(*words)}: {', '.join(names)}")
    counts = done.counts()
    out.print(say(f"{counts.get('through', 0)} hàng đã qua, {len(done.verdicts) - counts.get('through', 0)} chưa.", f"{counts.get('through', 0)} rows went through, {len(done.verdicts) - counts.get('through', 0)} did not."))  # fmt: skip


@app.command("fix")
def fix(
    dataset_id: Annotated[str, typer.Argument(metavar="DATASET")],
    column: Annotated[str, typer.Option(help="Trường cần sửa · the field")],
    code: Annotated[str, typer.Option(help="Chỉ các hàng có lỗi này · rows with this issue alone")] = "",
    equals: Annotated[str | None, typer.Option(help="Chỉ khi giá trị là · where the value is")] = None,
    matching: Annotated[str, typer.Option(help="Chỉ khi giá trị khớp mẫu · where the value fits a pattern")] = "",
    put: Annotated[str | None, typer.Option(help="Điền giá trị này · put this")] = None,
    clear: Annotated[bool, typer.Option("--clear", help="Xóa trống · make it empty")] = False,
    suggest: Annotated[bool, typer.Option("--suggest", help="Lấy giá trị gần nhất trong danh mục · take the listed value that is like it")] = False,
    option: Annotated[list[str], typer.Option(help="Đọc theo tùy chọn của chuẩn, tên=giá trị · read under a standard's option, name=value")] = [],  # noqa: B006 # Typer's way
    digest: Annotated[str, typer.Option(help="Của lần xem trước: thực hiện · of the preview: do it")] = "",
) -> None:  # fmt: skip
    """Sửa nhiều hàng chờ theo một quy tắc: xem trước, rồi làm đúng những hàng đã xem · fix many waiting rows by one rule."""
    from lienthong.pipeline import fixing
    from lienthong.pipeline.correct import By
    from lienthong.web.fixes import do, look

    place = workshop()
    contract = _contract(place, dataset_id)
    options = {
        name: json.loads(value) if value in ("true", "false") else value for name, _, value in (each.partition("=") for each in option)
    }
    said = fixing.Fix(column, code, equals, matching, put, clear, options, suggest)
    if digest:
        made = do(place, contract, said, By(who()), digest)
        out.print(say(f"{made['through']} hàng đã qua, {made['waiting']} vẫn chờ (lần {made['run']}).", f"{made['through']} rows went through, {made['waiting']} still wait (run {made['run']})."))  # fmt: skip
        return
    seen = look(place, contract, said, By(who()))
    show((("Mục", "Item"), ("Dòng", "Row"), ("Đang là", "Before"), ("Sẽ là", "After")), [tuple(hit.values()) for hit in seen["hits"]])
    out.print(say(f"{seen['rows']} hàng. Để thực hiện: thêm --digest {seen['digest']}", f"{seen['rows']} rows. To do it: add --digest {seen['digest']}"), soft_wrap=True)  # fmt: skip


def _contract(place: Workshop, dataset_id: str) -> Contract:
    contract = place.contracts.get(dataset_id)
    if contract is None:
        raise unknown_dataset(place, dataset_id)
    return contract
