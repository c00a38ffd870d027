"""Opens the database the settings name, or the embedded one."""

from __future__ import annotations

from lienthong.settings import Settings
from lienthong.store.database import Database
from lienthong.store.embedded import EmbeddedServer


def open_database(settings: Settings) -> Database:
    """The database, its schema in place. Starts the embedded server (or joins the one that runs) when no URL is set."""
    url = settings.database_url or EmbeddedServer(settings.home).start()
    database = Database(url)
    database.apply_schema()
    return database
