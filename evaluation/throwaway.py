"""A PostgreSQL for one measurement: two databases, gone when it is done."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lienthong.store import Database
from lienthong.store.embedded import EmbeddedServer


@contextmanager
def throwaway_databases() -> Iterator[tuple[Database, str, Path]]:
    """(the platform's database with its schema, the address of the police's own, a folder for keys)."""
    home = Path(tempfile.mkdtemp(prefix="lienthong-evaluation-"))
    home.chmod(0o755)  # the server does not run as root
    server = EmbeddedServer(home, options={"fsync": "off", "full_page_writes": "off"})
    server.start()
    try:
        database = Database(server.create_database("platform"))
        database.apply_schema()
        yield database, server.create_database("police"), home
    finally:
        server.stop()
        shutil.rmtree(home, ignore_errors=True)
