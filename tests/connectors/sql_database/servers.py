"""A MariaDB of the tests' own, for sources: one for each file that asks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pymysql

from tests.conftest import open_folder
from tests.sharing.syncs import mariadb


@contextmanager
def maria_url() -> Iterator[str]:
    with open_folder() as folder, mariadb(folder) as port:
        yield f"mariadb://kho:mat-khau@127.0.0.1:{port}/kho"


def run(url: str, *statements: str) -> list[tuple[Any, ...]]:
    """Run statements as the agency's own system would; gives the rows of the last."""
    port = int(url.rpartition(":")[2].partition("/")[0])
    with (
        pymysql.connect(
            host="127.0.0.1", port=port, user="kho", password="mat-khau", database="kho", charset="utf8mb4", autocommit=True
        ) as connection,
        connection.cursor() as cursor,
    ):
        for statement in statements:
            cursor.execute(statement)
        return list(cursor.fetchall())
