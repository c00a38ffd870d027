"""All commands, gathered. Exit codes: 0 done, 1 an error in words, 2 a command that is not understood."""

from __future__ import annotations

import sys
from typing import Annotated

import psycopg
import typer
from rich.markup import escape

from lienthong import __version__
from lienthong.cli import (
    agreements,
    alerts,
    backups,
    brokering,
    catalogue,
    contracts,
    default_list,
    delta,
    events,
    indicators,
    ledger,
    lists,
    matching,
    open_data,
    opening_data,
    people,
    platform,
    privacy,
    proposals,
    quality,
    quarantine,
    registry,
    reports,
    reviewing,
    runs,
    sandbox,
    schedules,
    slots,
    sources,
    stewarding,
    syncs,
    synthetic,
    tokens,
    witness,
)
from lienthong.cli.words import Language, err, say, told
from lienthong.errors import LienthongError
from lienthong.store.words import said_of

app = typer.Typer(
    no_args_is_help=True, add_completion=False, help="Liên thông: tích hợp và chia sẻ dữ liệu của tỉnh · a province's data, working as one."
)
app.add_typer(contracts.app, name="contract", help="Hợp đồng dữ liệu · data contracts")
app.add_typer(agreements.app, name="agreement", help="Thỏa thuận chia sẻ dữ liệu · agreements")
app.add_typer(agreements.access, name="access", help="Ai được xem gì, vì sao · who sees what, and why")
app.add_typer(runs.app, name="run", help="Các lần nạp dữ liệu · runs")
app.add_typer(sources.app, name="source", help="Thử và xem trước nguồn dữ liệu · try and preview sources")
app.add_typer(quality.app, name="quality", help="Chất lượng: điểm, quy tắc, độ lệch · quality: scores, rules, drift")
app.add_typer(schedules.app, name="schedule", help="Lịch nạp của các nguồn · when sources are due")
app.add_typer(quarantine.app, name="quarantine", help="Hàng chờ xử lý · rows that wait")
app.add_typer(matching.app, name="match", help="Bản ghi gốc: ai là một · golden records: who is one")
matching.app.command("list")(lists.list_duplicates)
matching.app.registered_commands += stewarding.app.registered_commands
matching.app.add_typer(reviewing.app, name="review", help="Rà soát mẫu: chỉ mục đúng đến đâu · sampled review: how right the index is")
app.add_typer(
    brokering.app, name="service", help="Dịch vụ của các cơ quan, gọi qua nền tảng · agencies' services, called through the platform"
)
app.add_typer(opening_data.app, name="open", help="Mở dữ liệu an toàn · opening datasets safely")
app.add_typer(catalogue.app, name="catalogue", help="Danh mục: từ điển, kiểm kê · the catalogue: dictionary, inventory")
app.add_typer(open_data.app, name="open-data", help="Danh mục dữ liệu mở · the list of open data")
app.add_typer(default_list.app, name="default-list", help="Danh mục chia sẻ mặc định · data shared by default")
app.add_typer(alerts.app, name="alert", help="Cảnh báo · alerts")
app.add_typer(reports.app, name="report", help="Báo cáo · reports")
app.add_typer(indicators.app, name="indicators", help="Chỉ tiêu của lãnh đạo · the leader's indicators")
app.add_typer(proposals.app, name="proposal", help="Đề nghị sửa dữ liệu · corrections proposed")
app.add_typer(slots.app, name="slot", help="Khe nhân bản của nguồn đọc theo nhật ký · slots of sources read by the log")
app.add_typer(syncs.app, name="sync", help="Bản sao ở cơ sở dữ liệu của cơ quan · copies in agencies' own databases")
app.add_typer(delta.app, name="delta", help="Delta Sharing: hồ sơ truy cập · profiles")
app.add_typer(ledger.app, name="ledger", help="Sổ kiểm chứng · the ledger")
app.add_typer(backups.app, name="backup", help="Sao lưu và diễn tập khôi phục · backups and restore rehearsals")
app.add_typer(registry.agencies, name="agency", help="Cơ quan · agencies")
app.add_typer(registry.units, name="unit", help="Đơn vị hành chính · communes")
app.add_typer(registry.subsystems, name="subsystem", help="Hệ thống và khóa · subsystems and keys")
app.add_typer(people.app, name="person", help="Người và vai trò · persons and roles")
app.add_typer(privacy.app, name="privacy", help="Hồ sơ, yêu cầu về dữ liệu cá nhân · files and requests about personal data")
app.add_typer(witness.app, name="witness", help="Nhân chứng của sổ · a witness of a ledger")
app.add_typer(tokens.app, name="key", help="Khóa của hệ thống · keys of a subsystem")
app.add_typer(events.app, name="events", help="Sự kiện: dòng, đăng ký, gửi lại · events: the stream, subscriptions, replay")
app.add_typer(sandbox.app, name="sandbox", help="Vùng thực hành · the sandbox")
app.add_typer(synthetic.app, name="synthetic", help="Dữ liệu giả định · invented data")
app.command("token")(tokens.token)
app.command("serve")(platform.serve)
app.command("status")(platform.status)
app.command("check")(platform.check)


def _show_version(asked: bool) -> None:
    if asked:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def options(
    lang: Annotated[str, typer.Option(help="vi | en")] = "",
    version: Annotated[bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Phiên bản · version")] = False,  # noqa: ARG001 # acts by its callback
) -> None:
    """Options before the command."""
    if lang:
        Language.english = lang.lower().startswith("en")


def main() -> None:
    """Run a command; an error of ours is told in words, without a traceback."""
    try:
        app()
    except LienthongError as error:
        err.print(f"[red]{say('Lỗi', 'Error')} ({error.code}):[/red] {escape(told(error))}", soft_wrap=True)
        sys.exit(1)
    except psycopg.Error as error:
        err.print(f"[red]{say('Lỗi', 'Error')} (store):[/red] {say(*said_of(error))}", soft_wrap=True)
        sys.exit(1)
    except OSError as error:
        err.print(
            f"[red]{say('Lỗi', 'Error')} (settings):[/red] {escape(str(error.filename or ''))} {error.strerror or type(error).__name__}",
            soft_wrap=True,
        )
        sys.exit(1)


if __name__ == "__main__":
    main()
