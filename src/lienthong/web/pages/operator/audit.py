"""Audit: entries of the ledger by who asked, the official, the dataset, the act, the time, their number, or whom they are about.

Each search is an entry itself. A record's key is typed into a form and turned into its keyed hash at once: it is in no address and no log.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import msgspec

from lienthong.access import Role
from lienthong.clock import VIETNAM
from lienthong.errors import BadRequest, Unprocessable
from lienthong.ledger import Entry, Event, subject_hash
from lienthong.sharing import auditing
from lienthong.sharing.auditing import Sought, Trail
from lienthong.web import acting
from lienthong.web.pages.forms import Form, go, text_in
from lienthong.web.pages.operator.entering import beside, enter
from lienthong.web.pages.page import Page, Table
from lienthong.web.pages.site import Site
from lienthong.web.pages.speaking import order_key
from lienthong.web.pages.visiting import Visit

LINES = 50
FIELDS = ("caller", "official", "dataset", "event", "subject", "since", "until", "position")
COLUMNS = ("position", "at", "event", "caller", "official", "purpose", "dataset", "version", "agreement", "outcome", "subject")
_HASH = re.compile(r"[0-9a-f]{64}")


def searched(site: Site, visit: Visit) -> Page:
    """The form, and what fits; nothing is searched until something is asked for."""
    actor = enter(visit)
    asked = {name: visit.text(name) for name in FIELDS}
    sought = _sought(visit, asked)
    trail = None
    if any(asked.values()):
        with site.counter.workshop.database.connect() as connection:
            trail = auditing.entry_at(connection, int(asked["position"])) if asked["position"] else auditing.search(connection, sought)
        _note(site, actor.agency, actor.name, asked, len(trail.entries))
    facts: dict[str, Any] = {"asked": asked, **_told(trail)}
    words = {event.value: visit.speech.t(f"acts.{event.replace(':', '_')}") for event in Event}
    table = Table(COLUMNS, [[each[name] for name in COLUMNS] for each in facts["entries"]])
    return Page(
        "operator/audit.html",
        visit.speech.t("operator.audit"),
        facts,
        table,
        {
            **beside(actor),
            "acts": words,
            "events": _by_subject(visit, words),
            "datasets": [
                (dataset, contract.title_vi if visit.speech.is_vietnamese else contract.title_en)
                for dataset, contract in sorted(site.contracts.items())
            ],
        },
    )


def _by_subject(visit: Visit, words: Mapping[str, str]) -> list[tuple[str, list[tuple[str, str]]]]:
    """What an act is about → (event, its words), in the order of the language's dictionary."""
    found: dict[str, list[tuple[str, str]]] = {}
    for event, name in words.items():
        found.setdefault(visit.speech.t(f"acts.about_{event.partition(':')[0]}"), []).append((event, name))
    return [(subject, sorted(found[subject], key=lambda each: order_key(each[1]))) for subject in sorted(found, key=order_key)]


def ask_about(site: Site, visit: Visit, form: Form) -> Any:
    """The search about one record, under its keyed hash."""
    acting.require(visit.request, Role.OPERATOR, Role.AUDITOR, csrf=form.get("csrf", ""), in_person=True)
    dataset, key = text_in(form, "dataset"), text_in(form, "key")
    if dataset not in site.contracts or not key:
        raise Unprocessable("Choose a dataset and type a record's key.", vi="Hãy chọn bộ dữ liệu và nhập khóa của bản ghi.")
    return go("/operator/audit", subject=subject_hash(site.counter.subject_key, dataset, key))


def _sought(visit: Visit, asked: dict[str, str]) -> Sought:
    """Raises BadRequest for what cannot be asked."""
    if asked["position"] and not (asked["position"].isascii() and asked["position"].isdigit() and len(asked["position"]) <= 18):
        raise BadRequest("`position`: expected a whole number.", vi="Số bút toán: cần số nguyên.")
    if asked["subject"] and not _HASH.fullmatch(asked["subject"]):
        raise BadRequest("`subject`: expected a keyed hash of 64 hex digits.", vi="`subject`: cần mã băm 64 chữ số hệ 16.")
    if asked["event"] and asked["event"] not in {event.value for event in Event}:
        raise BadRequest("`event`: there is no such act.", vi="Không có loại việc này.")
    until = _day(asked["until"], "until")
    return Sought(
        asked["caller"], asked["official"], asked["dataset"], asked["event"], asked["subject"], _day(asked["since"], "since"),
        None if until is None else until + timedelta(days=1), visit.whole("before", auditing.LARGEST, auditing.LARGEST) or auditing.LARGEST, LINES,
    )  # fmt: skip


def _day(text: str, name: str) -> datetime | None:
    """The beginning of a day in Vietnam."""
    if not text:
        return None
    try:
        return datetime.combine(date.fromisoformat(text), time(), VIETNAM).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise BadRequest(f"`{name}`: expected a day like 2026-01-31.", vi=f"`{name}`: cần ngày, ví dụ 2026-01-31.") from error


def _told(trail: Trail | None) -> dict[str, Any]:
    if trail is None:
        return {"entries": [], "next": None, "looked_at": None, "known_upto": None}
    entries = [
        {
            "position": position, "at": entry.at, "event": entry.event.value, "caller": entry.caller, "official": entry.official,
            "purpose": entry.purpose, "legal_basis": entry.legal_basis, "agreement": entry.agreement, "dataset": entry.dataset, "version": entry.version,
            "subject": entry.subject, "fields": list(entry.fields), "outcome": entry.outcome, "request_digest": entry.request_digest,
            "answer_digest": entry.answer_digest, "details": {name: value for name, value in entry.details.items() if name != "subjects"},
        }
        for position, entry in trail.entries
    ]  # fmt: skip
    return {"entries": entries, "next": trail.next, "looked_at": trail.looked_at, "known_upto": trail.known_upto}


def _note(site: Site, agency: str, name: str, asked: dict[str, str], count: int) -> None:
    """That somebody searched, and for what, is an entry too. A subject is a keyed hash already."""
    filters = {field: value for field, value in asked.items() if value and field != "subject"}
    entry = Entry(
        site.counter.clock(), Event.LEDGER_SEARCHED, agency, name, subject=asked["subject"] or None, outcome="given",
        request_digest=hashlib.sha256(msgspec.json.encode(asked)).hexdigest(), details={"filters": filters, "found": count},
    )  # fmt: skip
    site.counter.append(entry)
