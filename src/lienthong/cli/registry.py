"""`lienthong agency …`, `subsystem …` and `unit …`: who takes part, and which communes there are, at the server's own terminal."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
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
    from lienthong.store import security_levels
    from lienthong.store import subsystems as store

    with workshop().database.connect() as connection:
        known, keys, levels = store.everything(connection), store.keys(connection), security_levels.current(connection)
    rows = []
    for each in known.values():
        own = [key for key in keys if key.identifier == each.identifier]
        named = ", ".join(f"{key.kid} ({key.environment}{f', {day(key.valid_to)}' if key.valid_to else ''})" for key in own)
        level = levels.get(each.identifier)
        approved = "" if level is None else f"{level.approved.level} ({day(level.approved.valid_until)})"
        rows.append((each.identifier, each.title_vi, say("mở", "open") if each.is_active else say("đóng", "closed"), approved, named))
    show((("mã", "identifier"), ("tên", "title"), ("tình trạng", "state"), ("cấp độ", "level"), ("khóa", "keys")), rows)


@subsystems.command("expiring")
def expiring(days: Annotated[int, typer.Option(help="Trong bao nhiêu ngày · within how many days")] = 30) -> None:
    """Khóa và cấp độ an toàn sắp hết hạn · keys whose last day is near, and whether another is there; approved levels that end."""
    from lienthong.clock import vietnam_date
    from lienthong.pipeline import leveling, registering

    place = workshop()
    with place.database.connect() as connection:
        today = vietnam_date(place.clock())
        found, levels = registering.expiring(connection, today, days), leveling.levels_ending(connection, today, days)
    rows = [
        (e.identifier, e.kid, e.environment, e.valid_to, e.days_left, say("có", "yes") if e.has_next else say("chưa", "no")) for e in found
    ]
    headings = (
        ("hệ thống", "subsystem"), ("khóa", "key"), ("môi trường", "environment"), ("ngày cuối", "last day"), ("còn", "days left"),
        ("khóa kế", "next key"),
    )  # fmt: skip
    show(headings, rows)
    if levels:
        named = (("hệ thống", "subsystem"), ("cấp độ", "level"), ("ngày cuối", "last day"), ("còn", "days left"))
        show(named, [(each.identifier, each.level, each.valid_until, each.days_left) for each in levels])


@subsystems.command("level")
def record_level(
    identifier: Annotated[str, typer.Argument(help="VN/GOV/H10.12/tro-cap")],
    level: Annotated[int, typer.Option(help="1–5")],
    decision: Annotated[str, typer.Option(help="Số quyết định · the decision's number")],
    by: Annotated[str, typer.Option(help="Cơ quan phê duyệt · who approved")],
    on: Day,
    until: Day,
    file: Annotated[Path | None, typer.Option(help="Tệp quyết định · the file of the decision", exists=True, dir_okay=False)] = None,
    sha256: Annotated[str, typer.Option(help="Mã băm, khi tệp phải để nơi khác · its digest, where the file stays elsewhere")] = "",
) -> None:
    """Ghi quyết định phê duyệt cấp độ an toàn của hệ thống · record the decision that approves a subsystem's security level."""
    from lienthong.access import ApprovedLevel
    from lienthong.pipeline import granting, registering

    approved = ApprovedLevel(level, decision, by, on.date(), until.date(), file.name if file else "", sha256.lower())
    content = file.read_bytes() if file else None
    kept = registering.record_level(workshop(), granting.terminal(at_terminal()), identifier, approved, content)
    out.print(say(f"Đã ghi cấp độ {level}, mã băm {kept.sha256}.", f"Level {level} is recorded, digest {kept.sha256}."))


@subsystems.command("stages")
def stages(identifier: Annotated[str, typer.Argument(help="VN/GOV/H10.12/tro-cap")]) -> None:
    """Các bước gia nhập của hệ thống: xong chưa, hạn, bằng chứng · a subsystem's stages of joining."""
    from lienthong.clock import vietnam_date
    from lienthong.errors import NotFound
    from lienthong.pipeline import first_week, leveling, onboarding
    from lienthong.pipeline.agreeing import rules_of
    from lienthong.pipeline.alert_rules import read_rules, rules_file
    from lienthong.store import subsystems as store

    place, found = workshop(), settings()
    with place.database.connect() as connection:
        known = store.find(connection, identifier)
        if known is None:
            raise NotFound("There is no such subsystem.", vi="Không có hệ thống này.")
        opened, today = vietnam_date(store.opened_at(connection, identifier)), vietnam_date(place.clock())
        level = leveling.level_standing(connection, place.contracts, identifier, leveling.lowest_of(found), today)
        days, offices = onboarding.read_days(found.onboarding_days), rules_of(found).offices
        told = onboarding.stages(
            connection,
            identifier,
            opened,
            offices,
            days,
            known.agency,
            level,
            first_week.week_of(connection, identifier, today, read_rules(rules_file(found))),
        )
    rows = [
        (say(each["title"], each["title_en"]), say("xong", "done") if each["is_done"] else say("chưa", "open"), each["due"], each["owner"], each["evidence"])
        for each in told
    ]  # fmt: skip
    headings = (("bước", "stage"), ("tình trạng", "state"), ("hạn", "due"), ("bên làm", "whose turn"), ("bằng chứng", "evidence"))
    show(headings, rows)
    if level.fault is not None:
        out.print(say(*level.fault))


@subsystems.command("first-weeks")
def first_weeks(
    every: Annotated[bool, typer.Option("--all", help="Cả hệ thống đã qua · those that passed too")] = False,
) -> None:
    """Theo dõi tuần đầu sau khóa chính thức: hệ thống nào có vấn đề · the watch over the first week after a production key."""
    from lienthong.clock import vietnam_date
    from lienthong.pipeline import first_week
    from lienthong.pipeline.alert_rules import read_rules, rules_file

    place = workshop()
    with place.database.connect() as connection:
        limits = first_week.limits_of(read_rules(rules_file(settings())))
        found = [week for week in first_week.weeks(connection, vietnam_date(place.clock()), limits) if every or week.is_watched]
    rows = [
        (week.identifier, say(*first_week.STATES[week.state]), week.since, week.due, week.calls, week.refused, week.failed,
         "; ".join(say(*first_week.FAULTS[name]) for name in week.faults))
        for week in found
    ]  # fmt: skip
    headings = (
        ("hệ thống", "subsystem"), ("tình trạng", "state"), ("từ", "since"), ("đến", "until"), ("lượt gọi", "calls"), ("bị từ chối", "refused"),
        ("lỗi", "failed"), ("vấn đề", "trouble"),
    )  # fmt: skip
    show(headings, rows)
    for basis in sorted({week.legal_basis for week in found}):
        out.print(say(f"Căn cứ: {basis}", f"Legal basis: {basis}"), soft_wrap=True)


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
