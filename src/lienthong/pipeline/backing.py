"""Backups and their proof: each is put back into an empty database, its ledger recomputed whole, its datasets counted, before it is believed.

What is asked for waits as a task, so that it goes on when the page is closed; the worker does it, and asks by itself where settings say so.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from psycopg import IsolationLevel

from lienthong.clock import VIETNAM
from lienthong.errors import Conflict, LienthongError, NotFound, StoreError
from lienthong.ledger import Entry, Event, Verdict
from lienthong.pipeline.delivered import PLATFORM
from lienthong.pipeline.workshop import Workshop
from lienthong.store import Connection, append_entries, operating
from lienthong.store import backing as store
from lienthong.store.backing import Backup, Rehearsal
from lienthong.store.integrity import check_datasets
from lienthong.store.sequencing import Sequencer
from lienthong.store.verifying import verify_ledger

KINDS = ("backup", "rehearsal", "verification")
GOOD = ("Khôi phục được trọn vẹn: sổ đúng, đủ mọi bộ dữ liệu.", "It came back whole: the ledger holds, every dataset is there.")


@dataclass(frozen=True)
class Keeping:
    """Where backups lie, who can open them, and how often what is done by itself (0: never)."""

    folder: Path
    recipients: Sequence[str] = ()
    identities: Sequence[str] = field(default=(), repr=False)
    backup_hours: int = 0
    rehearse_days: int = 0
    verify_hours: int = 0


def make(workshop: Workshop, keeping: Keeping, by: str) -> Backup:
    """Write a backup of this moment and remember it. Raises StoreError when it cannot be made: then there is none."""
    began, at = time.monotonic(), workshop.clock()
    Sequencer(workshop.database, workshop.signer, workshop.clock).catch_up()
    name = f"lienthong-{at.astimezone(VIETNAM):%Y%m%d-%H%M%S}-{at.microsecond:06}"
    file, digest, content = store.make_file(workshop.database, keeping.folder, name, keeping.recipients)
    made = Backup(
        0, at, by, file.name, file.stat().st_size, digest, bool(keeping.recipients), content.ledger_size, content.ledger_root,
        dict(content.datasets), round(time.monotonic() - began, 3),
    )  # fmt: skip
    with workshop.database.connect() as connection:
        made = made._replace(backup=store.keep_backup(connection, made))
        details = {
            "backup": made.backup,
            "sha256": made.sha256,
            "bytes": made.bytes,
            "is_sealed": made.is_sealed,
            "ledger_size": made.ledger_size,
        }
        append_entries(connection, [Entry(at, Event.BACKUP_MADE, PLATFORM, by, outcome="done", details=details)], workshop.signer)
    return made


def rehearse(workshop: Workshop, keeping: Keeping, by: str, number: int | None = None) -> Rehearsal:
    """Put a backup (the newest, where none is named) back into a database of its own, hold it against what it should be, remember how it went.

    Raises NotFound when there is no such backup. A backup that does not come back whole is a result, not an error.
    """
    with workshop.database.connect() as connection:
        chosen = store.backup(connection, number) if number is not None else next(iter(store.backups(connection, 1)), None)
    if chosen is None:
        raise NotFound("There is no such backup.", vi="Không có bản sao lưu này.")
    began, at = time.monotonic(), workshop.clock()
    records, (vi, en) = 0, GOOD
    is_whole = False
    try:
        records = _restored(workshop, keeping, chosen)
        is_whole = True
    except LienthongError as error:
        vi, en = str(error.facts.get("vi") or error.message), error.message
    done = Rehearsal(0, chosen.backup, at, by, is_whole, chosen.ledger_size, records, vi, en, round(time.monotonic() - began, 3))
    with workshop.database.connect() as connection:
        done = done._replace(rehearsal=store.keep_rehearsal(connection, done))
        details = {"backup": chosen.backup, "rehearsal": done.rehearsal, "ledger_size": done.ledger_size, "records": records}
        outcome = "whole" if is_whole else "broken"
        append_entries(connection, [Entry(at, Event.BACKUP_REHEARSED, PLATFORM, by, outcome=outcome, details=details)], workshop.signer)
    return done


def _restored(workshop: Workshop, keeping: Keeping, chosen: Backup) -> int:
    """How many records came back. Raises LienthongError naming the first thing that is not as it should be."""
    file = keeping.folder / chosen.file_name
    if not file.is_file():
        raise _broken("Không còn tệp sao lưu.", "The file is not there any more.")
    if store.digest_of(file) != chosen.sha256:
        raise _broken("Tệp sao lưu đã bị thay đổi từ khi ghi.", "The file has changed since it was written.")
    with store.fresh_database(workshop.database) as place:
        store.put_back(file, place, keeping.identities)
        place.apply_schema()
        with place.connect() as connection:
            connection.isolation_level = IsolationLevel.REPEATABLE_READ
            found = store.content_of(connection)
            verdict = verify_ledger(connection, workshop.signer)
            broken = [finding for finding in check_datasets(connection) if finding.found]
    if not verdict.ok:
        raise _broken(f"Sổ khôi phục không khớp: {verdict.vi}", f"The restored ledger does not fit: {verdict.en}")
    if (found.ledger_size, found.ledger_root) != (chosen.ledger_size, chosen.ledger_root):
        raise _broken("Sổ khôi phục không phải sổ lúc sao lưu.", "The restored ledger is not the one that was backed up.")
    with workshop.database.connect() as connection:
        here = store.root_of(connection, chosen.ledger_size) if chosen.ledger_size else chosen.ledger_root
    if here != chosen.ledger_root:
        raise _broken("Sổ lúc sao lưu không nằm trong sổ hiện nay.", "The ledger that was backed up is no part of today's.")
    expected = {name: tuple(held) for name, held in chosen.datasets.items()}
    wrong = [name for name in {*expected, *found.datasets} if expected.get(name) != found.datasets.get(name)] or [
        each.dataset_id for each in broken
    ]
    if wrong:
        raise _broken(
            f"Bộ dữ liệu không như lúc sao lưu: {', '.join(sorted(wrong))}.",
            f"Datasets that are not as they were: {', '.join(sorted(wrong))}.",
        )
    return sum(records for _, records in found.datasets.values())


def _broken(vi: str, en: str) -> StoreError:
    return StoreError(en, vi=vi)


def verify(workshop: Workshop, by: str) -> operating.Verification:
    """Recompute the whole ledger and remember what was found."""
    began, at = time.monotonic(), workshop.clock()
    Sequencer(workshop.database, workshop.signer, workshop.clock).catch_up()
    with workshop.database.connect() as connection:
        connection.isolation_level = IsolationLevel.REPEATABLE_READ
        verdict: Verdict = verify_ledger(connection, workshop.signer)
    vi, en = ("", "") if verdict.ok else (verdict.vi, verdict.en)
    done = operating.Verification(0, at, by, verdict.ok, verdict.size, verdict.root.hex(), vi, en, round(time.monotonic() - began, 3))
    with workshop.database.connect() as connection:
        done = done._replace(verification=operating.keep_verification(connection, done))
        details = {"verification": done.verification, "size": done.size, "root": done.root}
        outcome = "whole" if verdict.ok else "broken"
        append_entries(connection, [Entry(at, Event.LEDGER_VERIFIED, PLATFORM, by, outcome=outcome, details=details)], workshop.signer)
    return done


# Tasks


def ask(workshop: Workshop, kind: str, by: str) -> int:
    """Have the worker do one of `KINDS`; its number. Raises Conflict while one of the kind waits or is under way."""
    if kind not in KINDS:
        raise NotFound(f"There is no task `{kind}`.", vi="Không có việc này.")
    with workshop.database.connect() as connection:
        number = operating.ask_task(connection, kind, by, workshop.clock())
    if number is None:
        raise Conflict("That is being done already.", vi="Việc này đang được làm.")
    return number


def tend(workshop: Workshop, keeping: Keeping) -> int:
    """Ask for what is due by itself, then do all that waits; how many tasks were done."""
    _ask_for_what_is_due(workshop, keeping)
    done = 0
    while _do_next(workshop, keeping):
        done += 1
    return done


def _do_next(workshop: Workshop, keeping: Keeping) -> bool:
    with workshop.database.warm() as connection:
        task = operating.take_task(connection, workshop.clock())
    if task is None:
        return False
    vi = en = ""
    try:
        if task.kind == "backup":
            make(workshop, keeping, task.asked_by)
        elif task.kind == "rehearsal":
            rehearse(workshop, keeping, task.asked_by)
        else:
            verify(workshop, task.asked_by)
    except LienthongError as error:
        vi, en = str(error.facts.get("vi") or error.message), error.message
    with workshop.database.connect() as connection:
        operating.end_task(connection, task.task, workshop.clock(), vi, en)
    return True


def _ask_for_what_is_due(workshop: Workshop, keeping: Keeping) -> None:
    now = workshop.clock()
    with workshop.database.connect() as connection:
        for kind, every in (
            ("backup", timedelta(hours=keeping.backup_hours)),
            ("rehearsal", timedelta(days=keeping.rehearse_days)),
            ("verification", timedelta(hours=keeping.verify_hours)),
        ):
            if every and _is_due(connection, kind, now, every):
                operating.ask_task(connection, kind, PLATFORM, now)


def _is_due(connection: Connection, kind: str, now: datetime, every: timedelta) -> bool:
    """A rehearsal needs a backup; what was never done counts from when the platform began."""
    if kind == "rehearsal" and not store.backups(connection, 1):
        return False
    last = operating.last_task(connection, kind) or operating.began_at(connection)
    return last is not None and now - last >= every
