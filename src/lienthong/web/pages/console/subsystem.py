"""One system of an agency on its way in: its stages, what the platform saw it do, and the decision that approves its security level."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from lienthong.access import HIGHEST_LEVEL, Actor, ApprovedLevel, Role
from lienthong.clock import vietnam_date
from lienthong.errors import NotFound, Unprocessable
from lienthong.pipeline import first_week, onboarding, registering
from lienthong.pipeline.agreeing import rules_of
from lienthong.pipeline.alert_rules import read_rules, rules_file
from lienthong.pipeline.leveling import level_document, level_standing, lowest_of
from lienthong.store import security_levels, subsystems
from lienthong.store.subsystems import KeptSubsystem
from lienthong.web import acting
from lienthong.web.pages.console.handing_in import form_of_file
from lienthong.web.pages.forms import go, text_in
from lienthong.web.pages.page import Page, Table
from lienthong.web.pages.site import Site
from lienthong.web.pages.speaking import nfc
from lienthong.web.pages.visiting import Visit

READERS = (Role.DATA_OFFICER, Role.INTEGRATOR, Role.OPERATOR, Role.AUDITOR)
KEEPERS = (Role.DATA_OFFICER, Role.INTEGRATOR, Role.OPERATOR)
COLUMNS = ("stage", "title", "title_en", "owner", "is_done", "due", "done_on", "evidence")


def shown(site: Site, visit: Visit) -> Page:
    """The stages of one's own system, or of any for operators and auditors."""
    actor = acting.require(visit.request, *READERS, in_person=True)
    today = vietnam_date(site.counter.clock())
    with site.counter.workshop.database.connect() as connection:
        known = subsystems.find(connection, _name(site, visit.request))
        if known is None or not _sees(actor, known):
            raise NotFound("There is no such subsystem of yours.", vi="Không có hệ thống này của cơ quan bạn.")
        name, opened = known.identifier, vietnam_date(subsystems.opened_at(connection, known.identifier))
        level = level_standing(connection, site.contracts, name, lowest_of(site.settings), today)
        days = onboarding.read_days(site.settings.onboarding_days)
        stages = onboarding.stages(
            connection,
            name,
            opened,
            rules_of(site.settings).offices,
            days,
            known.agency,
            level,
            first_week.week_of(connection, name, today, read_rules(rules_file(site.settings))),
        )
        checks = onboarding.standing(connection, name)
        kept = security_levels.history(connection, name)
    facts: dict[str, Any] = {
        "identifier": name, "agency": known.agency, "agency_name": site.agency(known.agency), "title": known.title_vi, "title_en": known.title_en,
        "is_active": known.is_active, "stages": [{**each, "is_late": not each["is_done"] and each["due"] < today} for each in stages],
        "checks": checks, "security_level": level_document(level, site.settings.security_level_days),
        "history": [{**vars(each.approved), "has_file": each.has_file, "by": each.by, "at": each.at, "ended_at": each.ended_at} for each in kept],
    }  # fmt: skip
    may_record = actor.may(*KEEPERS) and (actor.is_of(known.agency) or actor.may(Role.OPERATOR))
    seen = {"today": today, "levels": range(1, HIGHEST_LEVEL + 1), "may_record": may_record, "is_own": actor.is_of(known.agency)}
    table = Table(COLUMNS, [[each[column] for column in COLUMNS] for each in facts["stages"]])
    return Page("console/subsystem.html", visit.speech.pick(known.title_vi, known.title_en), facts, table, seen)


async def take(site: Site, request: Request) -> Response:
    """The decision on the level, in a form with its file."""
    form = await form_of_file(site, request)
    file = form.get("file")
    content, file_name = None, ""
    if file is not None and not isinstance(file, str) and file.filename:
        content = await run_in_threadpool(file.file.read, registering.LARGEST_LEVEL_FILE + 1)
        file_name = nfc(Path(str(file.filename).replace("\\", "/")).name)[-200:]
    words = {name: nfc(value) for name, value in form.items() if isinstance(value, str)}
    return await run_in_threadpool(_recorded, site, request, words, content, file_name)


def _recorded(site: Site, request: Request, form: dict[str, str], content: bytes | None, file_name: str) -> Response:
    actor = acting.require(request, *KEEPERS, csrf=form.get("csrf", ""), in_person=True)
    level = text_in(form, "level")
    approved = ApprovedLevel(
        int(level) if level.isdigit() and len(level) == 1 else 0, text_in(form, "decision"), text_in(form, "approved_by"),
        _day(form, "approved_on"), _day(form, "valid_until"), file_name, text_in(form, "sha256", "").lower(),
    )  # fmt: skip
    registering.record_level(site.counter.workshop, actor, _name(site, request), approved, content or None)
    path = "/".join(request.path_params[part] for part in ("agency", "subsystem"))
    return go(f"/console/subsystems/{path}", recorded="level")


def _name(site: Site, request: Request) -> str:
    """The identifier an address names."""
    parts = (site.settings.instance, site.settings.member_class, request.path_params["agency"], request.path_params["subsystem"])
    return "/".join(parts).replace("\x00", "")


def _sees(actor: Actor, known: KeptSubsystem) -> bool:
    return actor.is_of(known.agency) or actor.may(Role.OPERATOR, Role.AUDITOR)


def _day(form: dict[str, str], name: str) -> date:
    try:
        return date.fromisoformat(text_in(form, name))
    except ValueError as error:
        raise Unprocessable(f"`{name}`: expected a date such as 2026-07-01.", vi=f"`{name}`: cần ngày, ví dụ 2026-07-01.") from error
