"""Reviews of the list of data shared by default: each stays, with the list as it was then."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from lienthong.store.database import Connection, queries


class Review(NamedTuple):
    """One review of an agency's part of the list; `added` and `removed` since the one before."""

    review: int
    agency: str
    datasets: Sequence[str]
    added: Sequence[str]
    removed: Sequence[str]
    words: str
    decision: str
    by: str
    at: datetime


def newest(connection: Connection) -> dict[str, Review]:
    """The last review of each agency that made one."""
    return {row[1]: Review(*row) for row in connection.execute(queries("default_reviews")["newest"]).fetchall()}


def of(connection: Connection, agency: str) -> list[Review]:
    """An agency's reviews, the newest first."""
    return [Review(*row) for row in connection.execute(queries("default_reviews")["of"], {"agency": agency}).fetchall()]


def add(
    connection: Connection, agency: str, datasets: Sequence[str], added: Sequence[str], removed: Sequence[str], words: str, decision: str,
    by: str, at: datetime,
) -> None:  # fmt: skip
    """Keep a review."""
    values = {
        "agency": agency, "datasets": list(datasets), "added": list(added), "removed": list(removed), "words": words, "decision": decision,
        "by": by, "at": at,
    }  # fmt: skip
    connection.execute(queries("default_reviews")["add"], values)


def in_force_since(connection: Connection, datasets: Sequence[str]) -> dict[str, datetime]:
    """When each of these datasets was first in force; one that never was is absent."""
    return dict(connection.execute(queries("default_reviews")["since"], {"datasets": list(datasets)}).fetchall())


def lock(connection: Connection, agency: str) -> None:
    """Let nobody else review this agency's part until the transaction ends."""
    connection.execute(queries("default_reviews")["lock"], {"agency": agency})
