"""Remembers everything in PostgreSQL, with versions. All SQL lives here."""

from lienthong.store import events, integrity, landing, ledger, match_bulk, quarantine, references, runs, submissions, tables, writes
from lienthong.store.database import WEB_ROLE, Connection, Database, dataset_lock, take_web_role
from lienthong.store.ledger import append_entries
from lienthong.store.opening import open_database
from lienthong.store.publishing import Conflict, Published, VersionWriter

__all__ = [
    "WEB_ROLE",
    "Conflict",
    "Connection",
    "Database",
    "Published",
    "VersionWriter",
    "append_entries",
    "dataset_lock",
    "events",
    "integrity",
    "landing",
    "ledger",
    "match_bulk",
    "open_database",
    "quarantine",
    "references",
    "runs",
    "submissions",
    "tables",
    "take_web_role",
    "writes",
]
