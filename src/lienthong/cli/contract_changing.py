"""`lienthong contract diff, plan, apply`: whom a new version concerns, what applying it would do, and applying exactly that."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lienthong.cli.opening import settings, who, workshop
from lienthong.cli.words import out, say, show
from lienthong.errors import NotFound, UnsafeMigration

if TYPE_CHECKING:
    from lienthong.contracts import Contract
    from lienthong.contracts.indicators import Indicator
    from lienthong.pipeline import Workshop
    from lienthong.pipeline.changing import Hit
    from lienthong.pipeline.changing import Plan as Planned

NOTICE_CODE, BREAKING_CODE = 3, 4  # of `diff`, beside 0 for compatible
Target = Annotated[Path, typer.Argument(help="Tệp hoặc thư mục hợp đồng · a contract file or a folder of them", exists=True)]
KINDS = {
    "agreement": ("thỏa thuận", "agreement"), "subscription": ("đăng ký sự kiện", "subscription"), "copy": ("bản sao", "copy"),
    "reader": ("đã đọc 90 ngày qua", "read in the last 90 days"), "report": ("chỉ tiêu, báo cáo", "report"), "contract": ("hợp đồng khác", "another contract"),
}  # fmt: skip
VERDICTS = {
    "compatible": ("không ảnh hưởng", "compatible"),
    "notice": ("cần thông báo", "needs notice"),
    "breaking": ("phá vỡ", "breaking"),
}
OUTCOMES = {
    "created": ("tạo bảng", "tables are made"), "migrated": ("nâng cấp", "migrated"), "unchanged": ("không đổi", "unchanged"),
    "refused": ("không áp dụng được", "cannot be applied"), "notice": ("phải thông báo trước", "begins with a notice"),
}  # fmt: skip


def diff(
    old: Annotated[str, typer.Argument(metavar="OLD", help="Tệp hợp đồng, hoặc mã bộ dữ liệu (bản đang áp dụng) · a contract file, or an id (as applied)")],
    new: Annotated[str, typer.Argument(metavar="NEW")],
    offline: Annotated[bool, typer.Option("--offline", help="Chỉ so tệp, không hỏi ai dùng · files alone, without asking who reads")] = False,
) -> None:  # fmt: skip
    """So hai phiên bản: ai bị ảnh hưởng, theo các lần đọc thật; mã thoát 0, 3, 4 · two versions, whom it concerns; exit code 0, 3 or 4."""
    from lienthong.contracts import Verdict
    from lienthong.pipeline.changing import diff as differ

    place = None if offline else workshop()
    before, after = _contract(old, place), _contract(new, place)
    if place is None:
        from lienthong.clock import system_clock

        found = differ(None, before, after, {}, system_clock())
    else:
        with place.database.connect() as connection:
            found = differ(connection, before, after, place.contracts, place.clock(), _indicators(place))
    _show_changes(found.changes)
    _show_hits(found.hits)
    out.print(f"{before.id} {before.version} → {after.version}: [bold]{say(*VERDICTS[found.verdict.value])}[/bold]")
    raise typer.Exit({Verdict.COMPATIBLE: 0, Verdict.NOTICE: NOTICE_CODE, Verdict.BREAKING: BREAKING_CODE}[found.verdict])


def plan(path: Target) -> None:
    """Cho biết `apply` sẽ làm gì: bảng, cột, ai bị ảnh hưởng; không đổi gì · what `apply` would do; nothing is changed."""
    from lienthong.pipeline.changing import digest_of
    from lienthong.pipeline.changing import plan as planned

    place = workshop()
    plans = planned(place, _in_force(place, _read(path)), _indicators(place))
    for each in plans:
        _show_plan(each)
    digest = digest_of(plans)
    out.print(say(f"Kế hoạch {digest}. Áp dụng đúng như vậy: lienthong contract apply {path} --plan {digest}", f"Plan {digest}. To apply exactly this: lienthong contract apply {path} --plan {digest}"), soft_wrap=True)  # fmt: skip


def apply(
    path: Target,
    plan: Annotated[str, typer.Option(help="Chỉ áp dụng nếu đúng kế hoạch này · only if this plan still holds")] = "",
    notice: Annotated[bool, typer.Option("--notice", help="Thay đổi phá vỡ: bắt đầu bằng thông báo · a breaking change begins with a notice")] = False,
    until: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Ngày đầu tiên bản cũ không còn · the first day the old version is gone")] = None,
    at_once: Annotated[bool, typer.Option("--at-once", help="Áp dụng ngay dù phá vỡ · at once, though it breaks readers")] = False,
    reason: Annotated[str, typer.Option(help="Lý do · why")] = "",
) -> None:  # fmt: skip
    """Tạo hoặc nâng cấp bảng; không bao giờ làm mất dữ liệu · create or migrate tables; never loses data."""
    from lienthong.contracts import Verdict
    from lienthong.pipeline import apply_contract
    from lienthong.pipeline.changing import apply_planned
    from lienthong.pipeline.changing import plan as planned

    place = workshop()
    found = _in_force(place, _read(path))
    if plan:
        applied = apply_planned(place, found, plan, _indicators(place))
    else:
        plans = [] if at_once else planned(place, found, _indicators(place))
        breaking = [each for each in plans if each.outcome == "notice" or (notice and each.diff.verdict is Verdict.BREAKING)]
        if breaking and not notice:
            for each in breaking:
                _show_plan(each)
            raise UnsafeMigration(
                say("Thay đổi này phá vỡ bên đang đọc: ", "This breaks those who read: ") + ", ".join(each.contract.id for each in breaking),
                hint=say("--notice --reason … để thông báo trước; --at-once nếu đã thống nhất.", "--notice --reason … gives notice; --at-once where that is agreed."),
            )  # fmt: skip
        announced = {each.contract.id for each in breaking}
        for each in breaking:
            _announce(place, each.contract, reason, until)
        applied = [apply_contract(place, contract) for contract in found if contract.id not in announced]
    show(
        (("Bộ dữ liệu", "Dataset"), ("Kết quả", "Outcome"), ("Cột thêm", "Added")),
        [(a.dataset_id, say(*OUTCOMES[a.outcome]), ", ".join(a.added)) for a in applied],
    )


def withdraw_notice(
    dataset: Annotated[str, typer.Argument(help="Bộ dữ liệu có thông báo đang chạy · the dataset whose notice runs")],
    reason: Annotated[str, typer.Option(help="Lý do · why")],
) -> None:
    """Rút thông báo thay đổi trước ngày hiệu lực: bản cũ tiếp tục · take an announced change back before its day; the old version goes on."""
    from lienthong.pipeline import noticing

    taken = noticing.withdraw(workshop(), dataset, reason, who())
    out.print(say(f"Đã rút thông báo {taken.number}: {dataset} {taken.old.version} tiếp tục. Hãy trả tệp hợp đồng {taken.old.version} về thư mục.", f"Notice {taken.number} is taken back: {dataset} {taken.old.version} goes on. Put the contract file of {taken.old.version} back into the folder."), soft_wrap=True)  # fmt: skip


def _announce(place: Workshop, contract: Contract, reason: str, until: datetime | None) -> None:
    from lienthong.pipeline import noticing
    from lienthong.pipeline.agreeing import rules_of

    found = settings()
    earliest = noticing.earliest_end(place, rules_of(found).offices, found.contract_notice_working_days)
    begun = noticing.announce(place, contract, reason, who(), earliest, until.date() if until else None)
    ends, version = begun.retiring.ends_on, begun.old.version
    how = say("hai phiên bản cùng trả lời", "both versions are answered") if begun.is_side_by_side else say("bản cũ giữ nguyên đến hết ngày trước đó", "the old version stays until then")  # fmt: skip
    out.print(say(f"Thông báo {begun.number}: {contract.id} {version} hết hiệu lực ngày {ends:%d/%m/%Y}; {how}.", f"Notice {begun.number}: {contract.id} {version} ends on {ends.isoformat()}; {how}."), soft_wrap=True)  # fmt: skip


def _read(path: Path) -> list[Contract]:
    from lienthong.connectors import connector_names
    from lienthong.contracts import load, load_all

    known = connector_names()
    return list(load_all(path, known).values()) if path.is_dir() else [load(path, known)]


def _in_force(place: Workshop, contracts: list[Contract]) -> list[Contract]:
    """The contracts as they are in force where a notice of just these versions runs."""
    from lienthong.clock import vietnam_date
    from lienthong.pipeline import noticing

    versions = {notice.new.id: notice.new.version for notice in noticing.running(place)}
    with place.database.connect() as connection:
        beside = noticing.beside({c.id: c for c in contracts}, connection, vietnam_date(place.clock()))
    return [beside[c.id] if versions.get(c.id) == c.version else c for c in contracts]


def _contract(target: str, place: Workshop | None) -> Contract:
    """A file's contract, or the one of that id: as applied, else as the folder has it."""
    from lienthong.contracts import load
    from lienthong.pipeline.changing import applied_contract

    path = Path(target)
    if path.is_file():
        return load(path)
    if place is not None:
        with place.database.connect() as connection:
            found = applied_contract(connection, target)
        if found is not None or target in place.contracts:
            return found or place.contracts[target]
    raise NotFound(f"There is no contract `{target}`.", vi=f"Không có hợp đồng `{target}`.")


def _indicators(place: Workshop) -> list[Indicator]:
    from lienthong.contracts.indicators import load_indicators
    from lienthong.errors import ContractError
    from lienthong.reports.measures import NAMES

    try:
        return list(load_indicators(settings().indicators, place.contracts, NAMES).values())
    except ContractError:  # what is wrong with them is told where they are loaded
        return []


def _show_plan(each: Planned) -> None:
    out.print(
        f"[bold]{each.contract.id} {each.contract.version}[/bold]: {say(*OUTCOMES[each.outcome])}. {each.refused}".strip(), soft_wrap=True
    )
    told: list[tuple[str, Any]] = [
        (say("cột thêm", "columns added"), ", ".join(f"{name} {kind}" for name, kind in each.added.items())),
        (say("cột đổi kiểu", "columns widened"), ", ".join(f"{name} {kind}" for name, kind in each.widened.items())),
        (say("cột trống bị bỏ", "empty columns dropped"), ", ".join(each.dropped)),
    ]
    if each.is_judged_anew:
        took = say(f"; lần trước {each.rows} hàng, {each.seconds:.0f} giây", f"; the last took {each.seconds:.0f} s for {each.rows} rows") if each.rows is not None and each.seconds is not None else ""  # fmt: skip
        told.append((say("lần nạp sau", "the next run"), say("xét lại mọi hàng", "judges every row anew") + took))
    for name, value in told:
        if value:
            out.print(f"  {name}: {value}", soft_wrap=True)
    _show_changes(each.diff.changes)
    _show_hits(each.diff.hits)


def _show_changes(changes: Any) -> None:
    if changes:
        show(
            (("Chỗ", "Place"), ("Thay đổi", "Change"), ("Trước", "Before"), ("Sau", "After"), ("Ảnh hưởng", "Verdict")),
            [(c.place, c.what, c.old[:40], c.new[:40], say(*VERDICTS[c.verdict.value])) for c in changes],
        )


def _show_hits(hits: tuple[Hit, ...]) -> None:
    if hits:
        show(
            (("Loại", "Kind"), ("Tên", "Name"), ("Bên", "Who"), ("Trường", "Fields"), ("Số lần", "Answers"), ("Lần cuối", "Last")),
            [(say(*KINDS[h.kind]), h.name, h.who, ", ".join(h.fields) or say("mọi trường", "all"), h.answers or "", f"{h.last_at:%d/%m/%Y}" if h.last_at else "") for h in hits],
        )  # fmt: skip
