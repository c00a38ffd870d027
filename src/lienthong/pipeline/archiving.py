"""Puts old bodies into archives, takes out of the store those whose term here is over, destroys archives whose longest term is over.

Each step is an entry; what is taken out is named by it, so that verification tells a body that went by rule from one that was stolen. A
step that is cut short is done again: a file without its entry is written anew, a body without its entry is still there.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from lienthong.clock import vietnam_date
from lienthong.errors import LedgerError
from lienthong.ledger import Entry, Event
from lienthong.ledger.marks import Checksum
from lienthong.ledger.removal import joined
from lienthong.ledger.retention import Retention, retention
from lienthong.ledger.standalone import ED25519, Key, Unproved, check_archive
from lienthong.pipeline.delivered import PLATFORM
from lienthong.pipeline.workshop import Workshop
from lienthong.store import Connection, append_entries, archiving
from lienthong.store.archiving import Archive
from lienthong.store.ledger import LINE, read_batches
from lienthong.store.ledger_index import index_ledger

MOST_ENTRIES = 1_000_000  # of one file
MOST_RANGES = 1_000  # of one entry


@dataclass(frozen=True)
class Archived:
    """What was done: files written, entries whose bodies went, files destroyed."""

    written: int = 0
    removed: int = 0
    dropped: int = 0


def archive_ledger(workshop: Workshop, folder: Path, after_days: int, own_terms: str) -> Archived:
    """Do all that is due. Raises SettingsError for terms that make no sense, LedgerError when a file does not prove itself."""
    now = workshop.clock()
    terms = retention(own_terms, vietnam_date(now))
    index_ledger(workshop.database)
    with workshop.database.connect() as connection:
        written = _write_all(workshop, connection, folder, now - timedelta(days=after_days))
        removed = sum(
            _remove(workshop, connection, archive, terms, now) for archive in archiving.archives(connection) if not archive.dropped_at
        )
        dropped = sum(_drop(workshop, connection, folder, archive, terms, now) for archive in archiving.archives(connection))
    return Archived(written, removed, dropped)


def _write_all(workshop: Workshop, connection: Connection, folder: Path, before: datetime) -> int:
    written = 0
    while True:
        last = (archiving.archives(connection) or [Archive(0, 0, 0, "", before)])[-1]
        ends = archiving.next_end(connection, last.ends, before, MOST_ENTRIES)
        if ends is None:
            return written
        archive = Archive(last.number + 1, last.ends, ends, "", workshop.clock())
        archiving.write_file(connection, workshop.signer, folder / archive.name, archive.begins, ends, last.digest)
        archive = archive._replace(digest=proved(workshop, folder / archive.name, archive, last.digest))
        archiving.keep_archive(connection, archive)
        _note(
            workshop,
            connection,
            Event.BODIES_ARCHIVED,
            {"archive": archive.number, "digest": archive.digest, "ranges": [[archive.begins, ends]], "at": archive.at.isoformat()},
        )
        connection.commit()
        written += 1


def proved(workshop: Workshop, path: Path, archive: Archive, previous: str) -> str:
    """The digest of a file that proves itself, by the verifier auditors use. Raises LedgerError."""
    key = Key(workshop.signer.origin, ED25519, workshop.signer.public_key)
    try:
        with path.open("rb") as file:
            kept = check_archive(file, key)
    except (Unproved, OSError) as error:
        raise LedgerError(f"The archive `{path.name}` does not prove itself: {error}") from error
    if (kept.begins, kept.ends, kept.previous) != (archive.begins, archive.ends, previous):
        raise LedgerError(f"The archive `{path.name}` is not what it should be.")
    return kept.digest


def _remove(workshop: Workshop, connection: Connection, archive: Archive, terms: Retention, now: datetime) -> int:
    """Take out the bodies of an archive's batches whose longest term here is over; how many entries."""
    due: list[int] = []
    ranges: list[tuple[int, int]] = []
    index = Checksum()
    for batch in read_batches(connection, archive.begins, archive.ends):
        if batch.bodies is None or batch.begins is None or batch.entries is None:
            continue
        bodies = batch.bodies.split(LINE.encode())
        leaves = terms.leaves_at(bodies)
        if leaves is not None and leaves[0] <= now:
            index.add(bodies, batch.begins)
            due.append(batch.id)
            ranges.append((batch.begins, batch.begins + batch.entries))
    if due:
        archiving.remove_bodies(connection, due)
        whole = joined(ranges)
        for at in range(0, len(whole), MOST_RANGES):
            some = [list(each) for each in whole[at : at + MOST_RANGES]]
            sums = [
                str(number) for number in ((index.rows, index.marks, index.both) if at == 0 else (0, 0, 0))
            ]  # of all: larger than JSON's
            _note(workshop, connection, Event.BODIES_REMOVED, {"archive": archive.number, "ranges": some, "index": sums})
    connection.commit()
    return sum(ends - begins for begins, ends in ranges)


def _drop(workshop: Workshop, connection: Connection, folder: Path, archive: Archive, terms: Retention, now: datetime) -> bool:
    """Destroy an archive when nothing of it is in the store any more and its longest term is over."""
    if archive.dropped_at is not None or any(batch.bodies is not None for batch in read_batches(connection, archive.begins, archive.ends)):
        connection.commit()
        return False
    path = folder / archive.name
    term = terms.leaves_at(_bodies(path)) if path.exists() else None  # one that is missing is named by verification, never explained away
    if term is None or term[1] > now:
        connection.commit()
        return False
    archiving.drop_archive(connection, archive.number, now)
    _note(
        workshop,
        connection,
        Event.BODIES_DROPPED,
        {"archive": archive.number, "ranges": [[archive.begins, archive.ends]], "at": now.isoformat()},
    )
    connection.commit()
    path.unlink(missing_ok=True)
    return True


def _bodies(path: Path) -> Iterator[bytes]:
    with gzip.open(path) as file:
        next(file)
        for line in file:
            if line.startswith(b'{"v":'):
                yield line.removesuffix(b"\n")


def _note(workshop: Workshop, connection: Connection, event: Event, details: dict[str, object]) -> None:
    entry = Entry(workshop.clock(), event, PLATFORM, outcome="done", details=details)
    append_entries(connection, [entry], workshop.signer)
