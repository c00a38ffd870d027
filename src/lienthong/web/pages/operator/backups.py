"""Backups and what is proved of them: when the newest was made, when one was last put back whole; and asking for either."""

from __future__ import annotations

from typing import Any

from lienthong.pipeline import backing
from lienthong.store import backing as store
from lienthong.store import operating
from lienthong.web.duties import keeping_of
from lienthong.web.pages.forms import Form, go, text_in
from lienthong.web.pages.operator.entering import act, beside, enter
from lienthong.web.pages.page import Page, Table
from lienthong.web.pages.site import Site
from lienthong.web.pages.visiting import Visit

COLUMNS = ("backup", "made_at", "by_whom", "file_name", "bytes", "sha256", "is_sealed", "ledger_size", "ledger_root", "seconds")
SHOWN = 20


def shown(site: Site, visit: Visit) -> Page:
    actor, keeping = enter(visit), keeping_of(site.settings)
    with site.counter.workshop.database.connect() as connection:
        found, tried = store.backups(connection, SHOWN), store.rehearsals(connection, SHOWN)
        whole = store.last_whole_rehearsal(connection)
        tasks = {each.kind: each.asked_at for each in operating.open_tasks(connection)}
        failed = operating.failed_tasks(connection, 3)
    facts: dict[str, Any] = {
        "folder": str(keeping.folder),
        "recipients": list(keeping.recipients),
        "backup_hours": keeping.backup_hours,
        "rehearse_days": keeping.rehearse_days,
        "last_backup_at": found[0].made_at if found else None,
        "last_whole_at": whole.at if whole else None,
        "backup_asked_at": tasks.get("backup"),
        "rehearsal_asked_at": tasks.get("rehearsal"),
        "backups": [each._asdict() for each in found],
        "rehearsals": [each._asdict() for each in tried],
        "failed": [each._asdict() for each in failed],
    }
    table = Table(COLUMNS, [[getattr(each, name) for name in COLUMNS] for each in found])
    return Page("operator/backups.html", visit.speech.t("operator.backups"), facts, table, beside(actor))


def ask(site: Site, visit: Visit, form: Form) -> Any:
    """Have the worker do it; the page it was asked on tells how it goes."""
    actor, kind = act(visit, form), text_in(form, "kind")
    backing.ask(site.counter.workshop, kind, actor.name)
    return go("/operator/ledger" if kind == "verification" else "/operator/backups")
