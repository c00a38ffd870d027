"""How sources were held against what landed, kept over time."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from lienthong.store.database import Connection, queries


def keep(
    connection: Connection, dataset_id: str, source_name: str, run_id: int, lines: Sequence[Any], at: datetime, *, agrees: bool | None
) -> None:
    """Keep one outcome; `agrees` None: the source says nothing of itself."""
    values = {
        "dataset": dataset_id, "source": source_name, "run": run_id, "at": at, "agrees": agrees, "lines": json.dumps(list(lines), ensure_ascii=False),
    }  # fmt: skip
    connection.execute(queries("reconciliations")["keep"], values)


def newest(connection: Connection, dataset_id: str) -> list[tuple[str, int, datetime, bool | None, list[dict[str, str]]]]:
    """(source, run, when, whether it agreed, measures) of each source's newest."""
    return connection.execute(queries("reconciliations")["newest"], {"dataset": dataset_id}).fetchall()
