"""`lienthong service …`: an agency's own services, registered, published, compared, stopped, tried."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lienthong.cli.opening import settings, who, workshop
from lienthong.cli.words import out, say, show
from lienthong.errors import SettingsError

if TYPE_CHECKING:
    import httpx

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


@app.command("test")
def run_test(
    service: Annotated[str, SERVICE],
    subsystem: Annotated[str, typer.Option(help="VN/GOV/H10.12/tro-cap")],
    key: Annotated[Path, typer.Option(help="Tệp khóa riêng · private key file", exists=True)],
    purpose: Annotated[str, typer.Option(help="Mã mục đích trong thỏa thuận · purpose, as named in the agreement")],
    official: Annotated[str, typer.Option(help="Cán bộ yêu cầu · the official it is made for")] = "kiem-tra",
    only: Annotated[list[str] | None, typer.Option(help="Chỉ thao tác này · only this operation")] = None,
    url: Annotated[str, typer.Option(help="Địa chỉ nền tảng · the platform's address")] = "http://127.0.0.1:8000",
) -> None:
    """Chạy bài kiểm tra của một dịch vụ: mỗi thao tác một lần, đối chiếu với mô tả · run a service's test: each operation once, held against its description.

    Thao tác không có trong thỏa thuận được ghi là bỏ qua · an operation the agreement does not give is told as skipped. Ends with 1 when one fails.
    """
    import json

    import httpx

    from lienthong.cli.tokens import fetch_token

    base = url.rstrip("/")
    token = fetch_token(subsystem, json.loads(key.read_text("utf-8")), base)
    headers = {"Authorization": f"Bearer {token}", "Lienthong-Purpose": purpose, "Lienthong-Official": official}
    rows, failed = [], 0
    with httpx.Client(timeout=120) as client:
        told = client.get(f"{base}/v1/services/{service}/test")
        if told.status_code != 200:
            raise SettingsError(told.json().get("detail", told.text[:200]))
        for case in told.json()["cases"]:
            if only and case["name"] not in only and case["endpoint"] not in only:
                continue
            asked = case["request"]
            answer = client.request(
                asked["verb"],
                told.json()["address"] + asked["path"],
                headers={**asked["headers"], **headers},
                content=asked.get("body", "").encode(),
            )
            verdict, why = _judged(case["expect"], answer)
            failed += verdict == "failed"
            rows.append((case["endpoint"], answer.status_code, say(*TOLD[verdict]), why))
    show((("Thao tác", "Operation"), ("Trạng thái", "Status"), ("Kết quả", "Result"), ("Vì sao", "Why")), rows)
    if failed:
        raise typer.Exit(1)


TOLD = {"passed": ("đạt", "passed"), "skipped": ("bỏ qua", "skipped"), "failed": ("HỎNG", "FAILED")}


def _judged(expected: dict[str, Any], answer: httpx.Response) -> tuple[str, str]:
    """(passed, skipped or failed, why)."""
    if answer.status_code == 403:
        return "skipped", str(answer.json().get("rule", ""))
    if answer.status_code not in expected["statuses"]:
        return "failed", say(f"cần {expected['statuses']}", f"expected {expected['statuses']}")
    if expected.get("content_type", "") not in answer.headers.get("content-type", ""):
        return "failed", f"content-type {answer.headers.get('content-type', '–')}"
    if "schema" in expected:
        import jsonschema_rs

        faults = [
            error.message for error in jsonschema_rs.validator_for(expected["schema"], validate_formats=False).iter_errors(answer.json())
        ]
        if faults:
            return "failed", faults[0][:120]
    return "passed", ""


def _read(folder: Path) -> ServiceFiles:
    from lienthong.contracts.services import read_folder

    if not (folder / "service.yaml").is_file():
        raise SettingsError(f"`{folder}` holds no service.yaml.")
    return read_folder(folder)
