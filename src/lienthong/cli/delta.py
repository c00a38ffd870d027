"""`lienthong delta …`: profiles with which a subsystem's tools open its shares, at the server's own terminal."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Annotated

import typer

from lienthong.cli.opening import settings, who, workshop
from lienthong.cli.words import out, say, show
from lienthong.clock import VIETNAM
from lienthong.errors import SettingsError

app = typer.Typer(no_args_is_help=True)
profile = typer.Typer(no_args_is_help=True)
app.add_typer(profile, name="profile", help="Hồ sơ truy cập của bên khai thác · profiles of recipients")
Name = Annotated[str, typer.Argument(help="Số hồ sơ · the profile's name")]
To = Annotated[Path, typer.Option("--to", help="Tệp hồ sơ sẽ tạo · the profile file to make")]
Days = Annotated[int, typer.Option(help="Số ngày có hạn; 0: như cài đặt · days it is good; 0: as the setting says")]


@profile.command("list")
def listed() -> None:
    """Các hồ sơ, mới nhất trước · all profiles, newest first."""
    from lienthong.pipeline import granting, share_profiles

    place = workshop()
    now = place.clock()
    rows = [
        (
            each.profile,
            each.subsystem,
            each.kind,
            each.purpose,
            each.official,
            f"{(each.ended_at or each.expires_at).astimezone(VIETNAM):%d/%m/%Y %H:%M}",
            say("còn hạn", "good") if each.stands(now) else say("hết hạn", "over"),
        )
        for each in share_profiles.listed(place, granting.terminal(who()))
    ]
    headings = (
        ("hồ sơ", "profile"), ("hệ thống", "subsystem"), ("kiểu", "kind"), ("mục đích", "purpose"), ("cán bộ", "official"),
        ("đến", "until"), ("tình trạng", "state"),
    )  # fmt: skip
    show(headings, rows)


@profile.command("issue")
def issue(
    subsystem: Annotated[str, typer.Argument(help="VN/GOV/H10.12/tro-cap")],
    purpose: Annotated[str, typer.Option(help="Mã mục đích trong thỏa thuận · purpose, as in the agreement")],
    official: Annotated[str, typer.Option(help="Cán bộ chịu trách nhiệm · the official it is for")],
    to: To,
    kind: Annotated[
        str, typer.Option(help="bearer (v1) | secret (OAuth, v2) | key (khóa của hệ thống · the subsystem's key, v2)")
    ] = "bearer",
    days: Days = 0,
) -> None:
    """Cấp một hồ sơ; mã chỉ có trong tệp này · issue a profile; its token is in this file alone."""
    from lienthong.pipeline import granting, share_profiles

    _require_new(to)
    issued = share_profiles.issue(
        workshop(), granting.terminal(who()), subsystem, kind, purpose, official, days or settings().share_profile_days
    )
    _write(to, share_profiles.document_of(issued, _door()))
    out.print(say(f"Đã cấp {issued.profile.profile}.", f"{issued.profile.profile} is issued."))


@profile.command("rotate")
def rotate(
    name: Name,
    to: To,
    days: Days = 0,
    overlap: Annotated[int, typer.Option(help="Ngày hồ sơ cũ còn dùng · days the old one is still good")] = 0,
) -> None:
    """Thay một hồ sơ bằng hồ sơ mới cùng điều kiện · replace a profile by a new one on the same terms."""
    from lienthong.pipeline import granting, share_profiles

    _require_new(to)
    issued = share_profiles.rotate(workshop(), granting.terminal(who()), name, days or settings().share_profile_days, overlap)
    _write(to, share_profiles.document_of(issued, _door()))
    out.print(say(f"{name} được thay bằng {issued.profile.profile}.", f"{name} is replaced by {issued.profile.profile}."))


@profile.command("end")
def end(name: Name, reason: Annotated[str, typer.Option(help="Lý do · why")]) -> None:
    """Thu hồi ngay một hồ sơ và mọi địa chỉ tệp đã cấp theo hồ sơ · end a profile, and every file address given to it, at once."""
    from lienthong.pipeline import granting, share_profiles

    share_profiles.end(workshop(), granting.terminal(who()), name, reason)
    out.print(say(f"{name} đã hết hiệu lực.", f"{name} is over."))


def _door() -> str:
    return settings().public_url + "/delta-sharing"


def _require_new(path: Path) -> None:
    if path.exists():
        raise SettingsError(f"`{path}` is there already.", hint="A profile is never written over another.")


def _write(path: Path, document: dict[str, object]) -> None:
    """The profile, for its owner's eyes only."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise SettingsError(f"`{path}` cannot be made: {error.strerror}.", hint="End the profile and issue another.") from error
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(document, file, indent=1)
