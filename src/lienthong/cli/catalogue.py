"""`lienthong catalogue …`: find, dictionary out and compared, inventory sheet out and in."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from lienthong.cli.opening import who, workshop
from lienthong.cli.words import out, say, show

app = typer.Typer(no_args_is_help=True)
Out = Annotated[Path, typer.Option("--out", help="Tệp .xlsx hoặc .csv · file")]
Agency = Annotated[str, typer.Option(help="Mã cơ quan · agency code")]


@app.command("dictionary")
def dictionary(to: Out) -> None:
    """Từ điển dữ liệu của mọi bộ dữ liệu · the data dictionary of everything."""
    from lienthong.catalog.dictionary import HEADINGS, as_row, elements_of

    elements = elements_of(workshop().contracts.values())
    _write(to, "Từ điển dữ liệu", list(HEADINGS.values()), [as_row(each) for each in elements])
    out.print(say(f"{len(elements)} phần tử: {to}", f"{len(elements)} elements: {to}"))


@app.command("compare")
def compare(
    file: Annotated[Path, typer.Argument(help="Từ điển khác (.xlsx, .csv, .json) · another dictionary")],
    as_json: Annotated[bool, typer.Option("--json", help="JSON")] = False,
) -> None:
    """So từ điển ở đây với một từ điển khác · compare the dictionary here with another."""
    from lienthong.catalog.dictionary import HEADINGS, MOST_ELEMENTS, count_known, elements_of, read_elements
    from lienthong.catalog.dictionary import compare as compared
    from lienthong.pipeline.list_reading import read_list
    from lienthong.web.doors.dictionary import told

    rows = list(read_list(file, count_known, MOST_ELEMENTS).frame.iter_rows(named=True))
    found = compared(elements_of(workshop().contracts.values()), read_elements(rows))
    if as_json:
        typer.echo(json.dumps(told(found), ensure_ascii=False))
        return
    lines = [
        (each.here.dataset, each.here.field, say("khác", "different"), f"{HEADINGS[word]}: {ours} ≠ {theirs}")
        for each in found.different
        for word, (ours, theirs) in each.words.items()
    ]
    lines += [(each.dataset, each.field, say("ở đây không có", "missing here"), each.business_name) for each in found.missing_here]
    lines += [(each.dataset, each.field, say("bên kia không có", "missing there"), each.business_name) for each in found.missing_there]
    show((("Bộ dữ liệu", "Dataset"), ("Trường", "Field"), ("Kết quả", "Result"), ("Chi tiết", "Details")), lines)
    out.print(
        say(f"{len(found.same)} giống nhau, {len(found.different)} khác.", f"{len(found.same)} the same, {len(found.different)} different.")
    )


@app.command("inventory")
def inventory(to: Out, agency: Agency = "") -> None:
    """Phiếu kiểm kê hệ thống, cơ sở dữ liệu · the inventory sheet, of one agency or all."""
    from lienthong.catalog.inventory import headings, sheet
    from lienthong.store import catalogue, pages

    place = workshop()
    with place.database.connect() as connection:
        rows = sheet(place.contracts.values(), catalogue.inventory(connection), pages.agencies(connection), agency)
    _write(to, "Kiểm kê", headings(), rows)
    out.print(say(f"{len(rows)} dòng: {to}", f"{len(rows)} rows: {to}"))


@app.command("take")
def take(
    file: Annotated[Path, typer.Argument(help="Phiếu kiểm kê (.xlsx, .csv) · inventory sheet")],
    agency: Agency = "",
    whole: Annotated[bool, typer.Option("--whole", help="Mục không còn trong phiếu thì kết thúc · items not on it end")] = False,
) -> None:
    """Nhận phiếu kiểm kê: mục chưa kết nối vào danh mục · take an inventory sheet in. Ends with 1 when rows were faulty."""
    from lienthong.access import Role
    from lienthong.pipeline.granting import terminal
    from lienthong.pipeline.inventorying import read_sheet, take_sheet
    from lienthong.store import pages

    place = workshop()
    actor = terminal(who())
    if agency:
        actor = replace(actor, agency=agency, roles=frozenset({Role.DATA_OFFICER}))
    with place.database.connect() as connection:
        agencies = pages.agencies(connection)
    done = take_sheet(place, actor, read_sheet(file), agencies, whole=whole)
    out.print(
        say(
            f"{done.new} mới, {done.changed} đổi, {done.unchanged} như cũ, {done.ended} kết thúc.",
            f"{done.new} new, {done.changed} changed, {done.unchanged} as they were, {done.ended} ended.",
        )
    )
    if done.faults:
        show(
            (("Hàng", "Row"), ("Cột", "Column"), ("Lỗi", "Fault")), [(each.row, each.column, say(each.vi, each.en)) for each in done.faults]
        )
        raise typer.Exit(1)


def _write(to: Path, title: str, headings: list[str] | tuple[str, ...], rows: list[list[str]]) -> None:
    from lienthong.catalog.sheets import as_csv, as_workbook

    to.write_bytes(as_csv(headings, rows) if to.suffix.lower() == ".csv" else as_workbook(title, headings, rows))
