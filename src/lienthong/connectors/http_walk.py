"""Services that say themselves where the next page is: what OData, CKAN and another Lienthong have in common as sources.

The position is `{"at": the page's place, "skip": rows of it already given, "row": rows given in all, "columns"}`; the end of a walk that can go on
later is whatever the service said, as `{"on": place, "columns"}`, in a last empty batch.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import msgspec
import pyarrow as pa

from lienthong.connectors.base import Batch, Position, SourceFile, row_numbers
from lienthong.connectors.http_session import Access, Answer, Asked, Limits, Manner, Session
from lienthong.connectors.json_values import INVALID, as_table
from lienthong.connectors.options import Options
from lienthong.errors import HostileInputError, SourceError

Place = Mapping[str, Any]


@dataclass(frozen=True)
class Told:
    """One row, or that the record of its key has ended."""

    values: Mapping[str, str | None]
    is_ended: bool = False


@dataclass(frozen=True)
class WalkPage:
    """`following`: the next page; `on`: on the last one, where a later walk goes on, if it can."""

    rows: Sequence[Told]
    following: Place | None
    on: Place | None = None


class Walk(Protocol):
    """One kind of service. `columns` are known before the first row, or empty."""

    @property
    def columns(self) -> Sequence[str]: ...

    @property
    def tells_ends(self) -> bool: ...

    def begin(self, after: Place | None) -> Place:
        """The first page: of everything, or of what came since a walk ended."""
        ...

    def ask(self, at: Place) -> tuple[str, Mapping[str, str], Asked]:
        """(address, parameters, question) of a page."""
        ...

    def read(self, at: Place, answer: Answer) -> WalkPage:
        """Raises msgspec.DecodeError and its like for an answer of another kind."""
        ...


@dataclass(frozen=True)
class WalkLimits:
    access: Access
    limits: Limits
    max_pages: int

    @classmethod
    def take(cls, options: Options) -> WalkLimits:
        return cls(
            Access.take(options.section("auth")),
            Limits(
                timeout_seconds=options.seconds("timeout_seconds", 60),
                retries=options.number("retries", 5),
                max_bytes=options.number("max_bytes", 64 * 1024 * 1024, 1),
                requests_per_second=options.seconds("requests_per_second", 0),
            ),
            options.number("max_pages", 1_000_000, 1),
        )


class Headers(Manner):
    """The same headers with every request."""

    def __init__(self, headers: Mapping[str, str]) -> None:
        self._headers = headers

    def headers(self) -> Mapping[str, str]:
        return self._headers


def read_walk(base: str, walk: Walk, limits: WalkLimits, manner: Manner, batch_rows: int, after: Position | None) -> Iterator[Batch]:
    """The rows of all pages, in batches that do not wait for the next page."""
    with Session(base, limits.access, limits.limits, manner=manner) as session:
        yield from _Walking(SourceFile(base.split("?", maxsplit=1)[0]), walk, session, limits.max_pages, batch_rows).batches(after)


@dataclass
class _Walking:
    file: SourceFile
    walk: Walk
    session: Session
    max_pages: int
    batch_rows: int
    _columns: list[str] = field(default_factory=list)

    def batches(self, after: Position | None) -> Iterator[Batch]:
        is_begun = after is not None and "at" in after
        at: Place | None = after["at"] if is_begun and after is not None else self.walk.begin(None if after is None else after["on"])
        skip, row = (int(after["skip"]), int(after["row"])) if is_begun and after is not None else (0, 0)
        self._columns = list(self.walk.columns) or (list(after["columns"]) if after is not None else [])
        seen: set[str] = set()
        any_batch, on, place = False, None, at
        while at is not None:
            mark = msgspec.json.encode(at, order="sorted").decode()
            if mark in seen or len(seen) >= self.max_pages:
                raise HostileInputError(
                    f"`{self.file.uri}`: trang lặp lại hoặc quá nhiều / pages lead back to themselves, or are more than {self.max_pages}."
                )
            seen.add(mark)
            page, place = self._fetch(at, len(seen)), at
            for begin in range(skip, len(page.rows), self.batch_rows):
                part = page.rows[begin : begin + self.batch_rows]
                row, any_batch = row + len(part), True
                yield self._batch(part, row, {"at": at, "skip": begin + len(part), "row": row})
            at, skip, on = page.following, 0, page.on
        if on is not None:
            yield self._batch([], row, {"on": on})
        elif not any_batch:
            yield self._batch([], row, {"at": place, "skip": skip, "row": row})

    def _fetch(self, at: Place, number: int) -> WalkPage:
        what = f"`{self.file.uri}` trang/page {number}"
        url, query, asked = self.walk.ask(at)
        answer = self.session.get(url, query, what, asked)
        try:
            return self.walk.read(at, answer)
        except (*INVALID, ValueError) as error:
            raise SourceError(f"{what}: không phải câu trả lời mong đợi / is not the answer expected ({error}).") from error

    def _batch(self, rows: Sequence[Told], row: int, position: dict[str, Any]) -> Batch:
        found = list(dict.fromkeys(name for told in rows if not told.is_ended for name in told.values))
        self._columns = self._columns or found
        new = [name for name in found if name not in self._columns]
        if new:
            raise SourceError(
                f"`{self.file.uri}`: trường mới giữa chừng / fields the first rows have not: {', '.join(f'`{name}`' for name in new)}.",
                hint="Name all columns in the option `fields`.",
            )
        columns = self._columns or list(dict.fromkeys(name for told in rows for name in told.values))
        return Batch(
            self.file, as_table([told.values for told in rows], columns), row_numbers(row - len(rows) + 1, len(rows)),
            {**position, "columns": self._columns},
            ended=pa.array([told.is_ended for told in rows], pa.bool_()) if self.walk.tells_ends else None,
        )  # fmt: skip
