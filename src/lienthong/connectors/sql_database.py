"""A table or query of another database, as text, in the order of its key: PostgreSQL, MariaDB or MySQL, SQL Server, Oracle by one path.

One read-only transaction sees one state of the source, where the database can (SQL Server: if it allows snapshots). Who connects is
`sql_postgresql.py`, `sql_mariadb.py` and `sql_drivers.py`; what is asked is `sql_sources.py`; how it is read is `sql_reading.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

from lienthong.connectors.base import Batch, Position, ReadContext
from lienthong.connectors.sql_drivers import talk_oracle, talk_sqlserver
from lienthong.connectors.sql_mariadb import talk_mariadb
from lienthong.connectors.sql_options import SqlOptions
from lienthong.connectors.sql_postgresql import talk_postgresql
from lienthong.connectors.sql_reading import Talk, read_talk
from lienthong.contracts import Source

TALKS: dict[str, Callable[[SqlOptions], AbstractContextManager[Talk]]] = {
    "postgresql": talk_postgresql,
    "mariadb": talk_mariadb,
    "sqlserver": talk_sqlserver,
    "oracle": talk_oracle,
}


class SqlDatabase:
    """Connector `sql_database`. Options: `table` or `query`, `key`, `columns`, `where`, `cursor`, `overlap`, `timeout_seconds`, `tls`, `ca`."""

    def fingerprint(self, source: Source, context: ReadContext) -> str | None:
        del source, context
        return None  # to know it, every row would have to be read

    def read(self, source: Source, context: ReadContext, after: Position | None = None) -> Iterator[Batch]:
        options = SqlOptions.take(source, context)
        options.check_hosts()
        with TALKS[options.kind](options) as talk:
            yield from read_talk(talk, options, context.batch_rows, after)
