"""`lienthong service …`: an agency's own services, registered, published, compared, stopped, tried."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lienthong.cli.opening import settings, who, workshop
from lienthong.cli.words import out, say, show
from lienthong.errors import SettingsError

if TYPE_CHECKING:
    from lienthong.access import Actor
    from lienthong.contracts.services import ServiceFiles

app = typer.Typer(no_args_is_help=True)
FOLDER = typer.Argument(help="services/<cơ quan>/<dịch vụ>", exists=True, file_okay=False)
SERVICE = typer.Argument(help="Mã dịch vụ · the service's id")
VERSION = typer.Argument(help="Phiên bản · version")


@app.callback()
def room() -> None:
    """Brokered services."""


def _operator() -> Actor:
    from lienthong.access import Actor, Role

    return Actor(who(), "", frozenset({Role.OPERATOR}))


@app.command("check")
def check(folder: Annotated[Path, FOLDER]) -> None:
    """Kiểm tra định nghĩa và mô tả của một dịch vụ, không ghi gì · check a service's definition and description."""
    from lienthong.contracts.services import read_service

    files = _read(folder)
    service = read_service(files.definition, files.description, files.understood)
    rows = [(r.endpoint, say("qua SOAP", "by SOAP") if r.is_mapped else service.kind.value, r.title or r.name) for r in service.routes]
    show((("Thao tác", "Operation"), ("Kiểu", "Kind"), ("Tên", "Name")), rows)


@app.command("register")
def register(folder: Annotated[Path, FOLDER]) -> None:
    """Đăng ký một phiên bản (bản nháp), hoặc sửa phiên bản đã có · register a version as a draft, or change one."""
    from lienthong.pipeline.service_acts import register_service

    stored = register_service(workshop(), _operator(), _read(folder))
    out.print(f"{stored.service} {stored.version}: {stored.state}")


@app.command("publish")
def publish(service: Annotated[str, SERVICE], version: Annotated[str, VERSION]) -> None:
    """Công bố một phiên bản · publish a version."""
    _move(service, version, "published")


@app.command("deprecate")
def deprecate(
    service: Annotated[str, SERVICE],
    version: Annotated[str, VERSION],
    sunset: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="Ngày cuối còn trả lời · last day it answers")],
) -> None:
    """Báo trước ngày ngừng một phiên bản · announce the end of a version."""
    _move(service, version, "deprecated", sunset)


@app.command("retire")
def retire(service: Annotated[str, SERVICE], version: Annotated[str, VERSION]) -> None:
    """Ngừng hẳn một phiên bản · a version answers no longer."""
    _move(service, version, "retired")


def _move(service: str, version: str, state: str, sunset: datetime | None = None) -> None:
    from lienthong.contracts.services import ServiceState
    from lienthong.pipeline.service_acts import move_service

    stored = move_service(workshop(), _operator(), service, version, ServiceState(state), None if sunset is None else sunset.date())
    out.print(f"{stored.service} {stored.version}: {stored.state}")


@app.command("stop")
def stop(
    service: Annotated[str, SERVICE],
    until: Annotated[datetime, typer.Option(help="Dự kiến khôi phục (giờ UTC) · expected end (UTC)")],
    reason: Annotated[str, typer.Option(help="Lý do · reason, in Vietnamese")],
    reason_en: Annotated[str, typer.Option(help="Reason, in English")] = "",
    begins: Annotated[datetime | None, typer.Option("--from", help="Bắt đầu (giờ UTC) · beginning (UTC)")] = None,
) -> None:
    """Tạm dừng nhận lời gọi, có báo lý do và giờ khôi phục · take no calls for a while."""
    from lienthong.pipeline.service_acts import stop_service

    begins_at = datetime.now(UTC) if begins is None else begins.replace(tzinfo=UTC)
    number = stop_service(workshop(), _operator(), service, begins_at, until.replace(tzinfo=UTC), (reason, reason_en or reason))
    out.print(say(f"Đã tạm dừng {service} (số {number}).", f"Stopped {service} (number {number})."))


@app.command("resume")
def resume(service: Annotated[str, SERVICE]) -> None:
    """Nhận lời gọi trở lại · take calls again."""
    from lienthong.pipeline.service_acts import resume_service

    number = resume_service(workshop(), _operator(), service)
    out.print(say("Không có đợt dừng nào.", "Nothing was stopped.") if number is None else f"{service}: {number}")


@app.command("list")
def list_services() -> None:
    """Các dịch vụ và phiên bản · services and their versions."""
    from lienthong.store.services import current_services

    with workshop().database.connect() as connection:
        rows = [(s.service, s.version, s.state, s.agency, s.definition["kind"], s.sunset_on) for s in current_services(connection)]
    headings = (
        ("Dịch vụ", "Service"), ("Phiên bản", "Version"), ("Trạng thái", "State"), ("Cơ quan", "Agency"), ("Kiểu", "Kind"), ("Ngày ngừng", "Last day"),
    )  # fmt: skip
    show(headings, rows)


@app.command("diff")
def diff(service: Annotated[str, SERVICE], old: Annotated[str, VERSION], new: Annotated[str, VERSION]) -> None:
    """Hai phiên bản khác nhau ở đâu, làm hỏng ai · how two versions differ, and whom that breaks."""
    from lienthong.access import load_agreements
    from lienthong.pipeline.service_acts import difference

    place = workshop()
    known = load_agreements(settings().agreements, place.contracts)
    with place.database.connect() as connection:
        found = difference(connection, service, old, new, known)
    rows = [(say("HỎNG", "BREAKS") if c.is_breaking else "", c.endpoint, c.place, c.what) for c in found.changes]
    show((("", ""), ("Thao tác", "Operation"), ("Ở đâu", "Where"), ("Gì", "What")), rows)
    if not found.breaks:
        out.print(say("Bên đang gọi không bị ảnh hưởng.", "Callers are not affected."))
    else:
        named = ", ".join(found.agreements) or say("không có", "none")
        out.print(say(f"Thỏa thuận bị ảnh hưởng: {named}", f"Agreements hit: {named}"))
        raise typer.Exit(1)


def _read(folder: Path) -> ServiceFiles:
    from lienthong.contracts.services import read_folder

    if not (folder / "service.yaml").is_file():
        raise SettingsError(f"`{folder}` holds no service.yaml.")
    return read_folder(folder)
