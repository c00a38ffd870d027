"""`lienthong agency …`, `subsystem …` and `unit …`: who takes part, and which communes there are, at the server's own terminal."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Annotated

import typer

from lienthong.cli.opening import settings, workshop
from lienthong.cli.opening import who as at_terminal
from lienthong.cli.words import day, out, say, show

agencies = typer.Typer(no_args_is_help=True)
subsystems = typer.Typer(no_args_is_help=True)
units = typer.Typer(no_args_is_help=True)
Day = Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="2025-03-01")]


@agencies.command("list")
def list_agencies() -> None:
    """Cây cơ quan · the agencies known, with dates and successors."""
    from lienthong.store import agencies as tree

    with workshop().database.connect() as connection:
        known = tree.read(connection)
    rows = [(a.code, a.name, a.parent, a.valid_from, a.valid_to, ", ".join(a.successors)) for a in known.by_code.values()]
    headings = (("mã", "code"), ("tên", "name"), ("cấp trên", "parent"), ("từ", "from"), ("đến", "to"), ("thay bằng", "replaced by"))
    show(headings, rows)


@agencies.command("take")
def take(dataset: Annotated[str, typer.Argument(help="agencies.register")], on: Day) -> None:
    """Nhận cơ quan từ một bộ dữ liệu, như tình trạng ngày ấy · take the agencies of a dataset over as they stood on a day."""
    from lienthong.pipeline import granting
    from lienthong.pipeline.agencies import take_from_register

    changed = take_from_register(workshop(), granting.terminal(at_terminal()), dataset, on.date())
    out.print(say(f"{changed} cơ quan thay đổi.", f"{changed} agencies changed."))


@agencies.command("close")
def close(
    code: Annotated[str, typer.Argument(help="H10.12")],
    on: Day,
    successor: Annotated[list[str] | None, typer.Option(help="Mã cơ quan kế thừa · code of who takes its place")] = None,
) -> None:
    """Đóng một cơ quan từ một ngày; quyền không tự chuyển: xem sáp nhập · close an agency from a day; rights move only by a merger."""
    from lienthong.pipeline import granting
    from lienthong.pipeline.agencies import close as close_agency

    close_agency(workshop(), granting.terminal(at_terminal()), granting.agency_code(code), on.date(), successor or [])
    out.print(say(f"{code} đóng từ {day(on)}.", f"{code} is closed from {day(on)}."))


@subsystems.command("list")
def list_subsystems() -> None:
    """Các hệ thống và khóa · subsystems, their keys and the keys' last days."""
    from lienthong.store import subsystems as store

    with workshop().database.connect() as connection:
        known, keys = store.everything(connection), store.keys(connection)
    rows = []
    for each in known.values():
        own = [key for key in keys if key.identifier == each.identifier]
        named = ", ".join(f"{key.kid} ({key.environment}{f', {day(key.valid_to)}' if key.valid_to else ''})" for key in own)
        rows.append((each.identifier, each.title_vi, say("mở", "open") if each.is_active else say("đóng", "closed"), named))
    show((("mã", "identifier"), ("tên", "title"), ("tình trạng", "state"), ("khóa", "keys")), rows)


@subsystems.command("expiring")
def expiring(days: Annotated[int, typer.Option(help="Trong bao nhiêu ngày · within how many days")] = 30) -> None:
    """Khóa sắp hết hạn · keys whose last day is near, and whether another is there."""
    from lienthong.clock import vietnam_date
    from lienthong.pipeline import registering

    place = workshop()
    with place.database.connect() as connection:
        found = registering.expiring(connection, vietnam_date(place.clock()), days)
    rows = [
        (e.identifier, e.kid, e.environment, e.valid_to, e.days_left, say("có", "yes") if e.has_next else say("chưa", "no")) for e in found
    ]
    headings = (
        ("hệ thống", "subsystem"), ("khóa", "key"), ("môi trường", "environment"), ("ngày cuối", "last day"), ("còn", "days left"),
        ("khóa kế", "next key"),
    )  # fmt: skip
    show(headings, rows)


@subsystems.command("revoke")
def revoke(
    identifier: Annotated[str, typer.Argument(help="VN/GOV/H10.12/tro-cap")],
    kid: Annotated[str, typer.Argument(help="Tên khóa · the key's name")],
    reason: Annotated[str, typer.Option(help="Lý do · why")],
    environment: Annotated[str, typer.Option(help="production | sandbox")] = "",
) -> None:
    """Thu hồi khóa và mọi mã truy cập lấy bằng khóa ấy, ngay · revoke a key and every token got with it, at once."""
    from lienthong.pipeline import granting, registering

    where = environment or settings().environment
    registering.revoke_key(workshop(), granting.terminal(at_terminal()), identifier, where, kid, reason)
    out.print(say(f"Đã thu hồi {kid}.", f"{kid} is revoked."))


@units.command("changes")
def list_changes() -> None:
    """Các thay đổi đơn vị hành chính đã quyết định · changes of communes that were decided."""
    from lienthong.store import unit_changes as store

    with workshop().database.connect() as connection:
        found = store.everything(connection)
    rows = [
        (each.number, each.change.on, each.change.resolution, f"{unit.code} {unit.name}", ", ".join(unit.of), say("đã hủy", "taken back") if each.taken_back_at else "")
        for each in found
        for unit in each.change.begun
    ]  # fmt: skip
    headings = (("số", "number"), ("từ ngày", "on"), ("nghị quyết", "resolution"), ("đơn vị mới", "new"), ("lập từ", "made of"), ("", ""))
    show(headings, rows)


@units.command("preview")
def preview_change(
    on: Day,
    resolution: Annotated[str, typer.Option(help="12/NQ-HĐND")],
    new: Annotated[list[str], typer.Option(help='"25195 Phường Hợp Nhất = 25195 25198"')],
) -> None:
    """Xem trước một thay đổi: bản ghi, thỏa thuận, chỉ tiêu bị ảnh hưởng · what a change would touch; it is proposed and approved on the page."""
    from lienthong.pipeline import units as acts

    place = workshop()
    begun = [
        (named.split()[0], " ".join(named.split()[1:]), of.split())
        for named, _, of in (text.partition("=") for text in new)
        if named.split()
    ]
    change = acts.read_change(on.date(), resolution, begun)
    document = acts.preview(place, change)
    out.print_json(json.dumps(document, ensure_ascii=False))
    with place.database.connect() as connection:
        rows = [
            (b.contract.id, field, count)
            for b in acts.bearing(connection, place.contracts, change.ended)
            for field, count in b.records.items()
        ]
    show((("bộ dữ liệu", "dataset"), ("trường", "field"), ("bản ghi", "records")), rows)
