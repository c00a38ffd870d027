"""`lienthong sync …`: copies kept in agencies' own databases and folders."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lienthong.cli.opening import settings, who, workshop
from lienthong.cli.words import Language, at, out, say, show

if TYPE_CHECKING:
    from lienthong.sharing.sync_definitions import SyncDefinition
    from lienthong.sharing.syncing import SyncOffice
    from lienthong.store.syncs import SyncState

app = typer.Typer(no_args_is_help=True)
STATES = {
    "filling": ("đang nạp lần đầu", "filling"),
    "following": ("đang theo kịp", "following"),
    "waiting": ("chờ người quyết định", "waiting for a person"),
    "stopped": ("đã dừng", "stopped"),
    "failing": ("đang lỗi, sẽ thử lại", "failing, will be tried again"),
    "paused": ("tạm nghỉ", "paused"),
}
COVERED = {**STATES, "none": ("chưa có bản sao", "no copy"), "not_run": ("chưa chạy", "not run yet")}
WHY = {"master": ("dữ liệu chủ", "master data"), "default": ("chia sẻ mặc định", "shared by default")}


@app.command("list")
def listed() -> None:
    """Các bản đồng bộ và tình trạng · the syncs, and how each stands."""
    from lienthong.store import syncs as store

    office, definitions = _office()
    with office.database.connect() as connection:
        states = store.states(connection)
        newest = store.newest_versions(connection, [d.dataset for d in definitions.values()])
    rows = []
    for definition in definitions.values():
        known = states.get(definition.id)
        rows.append((
            definition.id, definition.dataset, definition.where, _state(known),
            f"{'' if known is None or known.version is None else known.version}/{newest.get(definition.dataset, 0)}", _said(known),
        ))  # fmt: skip
    show(
        (("Mã", "Id"), ("Bộ dữ liệu", "Dataset"), ("Đích", "Target"), ("Tình trạng", "State"), ("Phiên bản", "Version"), ("Vì sao", "Why")), rows
    )  # fmt: skip


@app.command("show")
def shown(sync: str, limit: int = 50) -> None:
    """Một bản đồng bộ: tình trạng, lần đối chiếu gần nhất, hàng lệch · one sync: state, last check, rows that were not as they should be."""
    from lienthong.store import syncs as store

    office, definitions = _office()
    definition = _one(definitions, sync)
    with office.database.connect() as connection:
        known = store.state(connection, sync)
        drifts = store.drifts(connection, sync, limit)
    out.print(f"{definition.id} · {say(definition.title_vi, definition.title_en)} · {definition.dataset} → {definition.where}")
    out.print(f"{_state(known)}. {_said(known)}".strip())
    if known is not None:
        out.print(
            say(f"Đã gửi {known.delivered} hàng; phiên bản {known.version}.", f"{known.delivered} rows sent; version {known.version}.")
        )
        if known.announced:
            out.print(say(f"Cột sắp đổi: {known.announced}", f"Columns to change: {known.announced}"))
        if known.checked and known.checked_at is not None:
            checked = at(known.checked_at)
            out.print(say("Đối chiếu lúc ", "Checked at ") + f"{checked}: {_checked(known.checked)}")
    if drifts:
        show(
            (("Lúc", "At"), ("Khóa", "Key"), ("Kiểu lệch", "Kind"), ("Cột", "Columns"), ("Đã trả lại", "Put back")),
            [(d.found_at, d.key, d.kind, ", ".join(d.fields), d.put_back_at) for d in drifts],
        )


@app.command("coverage")
def covered(
    consumer: Annotated[str, typer.Argument(help="VN/GOV/<cơ quan · agency>/<hệ thống · subsystem>")],
    as_json: Annotated[bool, typer.Option("--json", help="JSON")] = False,
) -> None:
    """Dữ liệu chủ và dữ liệu chia sẻ mặc định mà một nơi phải có bản sao; kết thúc bằng 1 khi còn thiếu · what one holder should have a copy of; ends with 1 when something lacks."""
    import json
    from dataclasses import asdict

    from lienthong.access import Identity
    from lienthong.clock import vietnam_date
    from lienthong.sharing.sync_coverage import LEGAL_BASIS, coverage, due
    from lienthong.store import syncs as store

    office, definitions = _office()
    wanted = due(office.contracts.values())
    with office.database.connect() as connection:
        newest = store.newest_versions(connection, list(wanted))
        flows = coverage(wanted, definitions.values(), store.states(connection), newest, Identity.parse(consumer))
    if as_json:
        typer.echo(json.dumps([{**asdict(flow), "is_kept": flow.is_kept} for flow in flows], ensure_ascii=False))
    else:
        rows = [
            (flow.dataset, say(*WHY[flow.why]), flow.sync, say(*COVERED[flow.state]), f"{flow.version}/{flow.newest}") for flow in flows
        ]
        show(
            (("Bộ dữ liệu", "Dataset"), ("Thuộc", "Kind"), ("Mã đồng bộ", "Sync"), ("Tình trạng", "State"), ("Phiên bản", "Version")), rows
        )
        kept = sum(flow.is_kept for flow in flows)
        out.print(
            say(f"{kept}/{len(flows)} bộ đã đồng bộ đủ. Căn cứ: ", f"{kept} of {len(flows)} datasets are kept in step. Legal basis: ")
            + "; ".join(basis.text for basis in LEGAL_BASIS if basis.is_in_force(vietnam_date(office.clock())))
        )
    if not all(flow.is_kept for flow in flows):
        raise typer.Exit(1)


def _checked(found: Mapping[str, Any]) -> str:
    """What the last check found, in words."""
    rows, changed, missing, foreign = (found.get(name, 0) for name in ("rows", "changed", "missing", "foreign"))
    told = say(
        f"{rows} hàng; {changed} bị sửa, {missing} mất, {foreign} lạ",
        f"{rows} rows; {changed} changed, {missing} missing, {foreign} foreign",
    )
    return told + (say("; đã trả lại đúng", "; put back") if found.get("repaired") else "")


@app.command("run")
def run(sync: str) -> None:
    """Đưa bản sao lên mới nhất ngay · bring a copy up to date now."""
    from lienthong.sharing.syncing import work

    office, definitions = _office()
    state = work(office, _one(definitions, sync))
    out.print(f"{sync}: {_state(state)}; {say('phiên bản', 'version')} {state.version}. {_said(state)}".strip())
    if state.state not in ("following", "paused"):
        raise typer.Exit(1)


@app.command("check")
def check(sync: str) -> None:
    """Đối chiếu bản sao ở hai đầu; kết thúc bằng 1 khi lệch · count and hash both ends; ends with 1 when they differ."""
    _check(sync, repair=False)


@app.command("repair")
def repair(sync: str) -> None:
    """Đối chiếu rồi trả lại đúng những hàng lệch · check, and put back the rows that differ."""
    _check(sync, repair=True)


@app.command("accept")
def accept(sync: str) -> None:
    """Đồng ý đổi cột đã báo trước · let announced columns change now."""
    from lienthong.sharing import syncing

    office, definitions = _office()
    definition = _one(definitions, sync)
    syncing.accept(office, definition, who())
    state = syncing.work(office, definition)
    out.print(f"{sync}: {_state(state)}. {_said(state)}".strip())


def _check(sync: str, *, repair: bool) -> None:
    from lienthong.sharing import sync_checking

    office, definitions = _office()
    found = sync_checking.check(office, _one(definitions, sync), repair=repair)
    if found.is_equal:
        out.print(
            say(
                f"{sync}: bằng nhau, {found.rows} hàng, phiên bản {found.version}.",
                f"{sync}: equal, {found.rows} rows, version {found.version}.",
            )
        )
        return
    out.print(
        say(
            f"{sync}: lệch {found.changed} hàng bị sửa, {found.missing} hàng mất, {found.foreign} hàng lạ.",
            f"{sync}: {found.changed} rows changed, {found.missing} missing, {found.foreign} foreign.",
        )
    )
    show((("Khóa", "Key"), ("Kiểu lệch", "Kind"), ("Cột", "Columns")), [(d.key, d.kind, ", ".join(d.fields)) for d in found.drifts[:50]])
    if repair:
        out.print(say("Đã trả lại đúng.", "Put back."))
    else:
        raise typer.Exit(1)


def _office() -> tuple[SyncOffice, dict[str, SyncDefinition]]:
    from pathlib import Path

    from lienthong.pipeline.agreeing import rules_of
    from lienthong.sharing.register import RegisterReader
    from lienthong.sharing.sync_definitions import load_syncs
    from lienthong.web.register_watch import read_register, take_folder
    from lienthong.web.sync_round import office_of

    found, place = settings(), workshop()
    reader = RegisterReader(place.contracts, rules_of(found).offices)
    take_folder(place, Path(found.agreements), found.environment)
    standing = read_register(place, reader, found.environment)
    return office_of(found, place, standing.register), load_syncs(Path(found.syncs), place.contracts)


def _one(definitions: dict[str, SyncDefinition], sync: str) -> SyncDefinition:
    from lienthong.errors import NotFound

    if sync not in definitions:
        raise NotFound(
            f"There is no sync `{sync}`.",
            hint=f"There are {', '.join(definitions) or 'none'}.",
            vi=f"Không có đồng bộ `{sync}`.",
            hint_vi=f"Hiện có: {', '.join(definitions)}." if definitions else "Hiện chưa có đồng bộ nào.",
        )
    return definitions[sync]


def _state(known: SyncState | None) -> str:
    return say("chưa chạy", "not run yet") if known is None else say(*STATES[known.state])


def _said(known: SyncState | None) -> str:
    if known is None:
        return ""
    return known.said_en if Language.english else known.said_vi
