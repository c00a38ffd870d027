"""A JSON service of an agency, read page by page: by page number, offset, cursor, next link, or RFC 8288 Link header."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin, urlsplit

import msgspec
import pyarrow as pa

from lienthong.connectors.base import Batch, BrokenRow, Position, ReadContext, SourceFile
from lienthong.connectors.broken import broken_row
from lienthong.connectors.http_session import Access, Answer, Limits, Manner, Session
from lienthong.connectors.json_values import INVALID, as_table, dig, items_in, objects_in, text_of
from lienthong.connectors.options import Options
from lienthong.connectors.variables import expand
from lienthong.contracts import Source
from lienthong.errors import HostileInputError, SourceError

PAGING = ("none", "page", "offset", "cursor", "next_link", "link_header")


@dataclass(frozen=True)
class Paging:
    """How to come to the next page. A page of fewer rows than `size` is the last of `page` and `offset`."""

    kind: str
    page_parameter: str
    size_parameter: str
    size: int
    first_page: int
    cursor_parameter: str
    next: tuple[str, ...]  # path of the cursor or the link in the answer
    total: tuple[str, ...]  # path of the number of all rows, when the answer says it

    @classmethod
    def take(cls, options: Options | None) -> Paging:
        if options is None:
            return cls("none", "", "", 0, 1, "", (), ())
        kind = options.choice("kind", PAGING, "page")
        taken = cls(
            kind=kind,
            page_parameter=options.text("page_parameter", "offset" if kind == "offset" else "page"),
            size_parameter=options.text("size_parameter", "limit" if kind == "offset" else "size"),
            size=options.number("size", 500, 1),
            first_page=options.number("first_page", 1),
            cursor_parameter=options.text("cursor_parameter", "cursor"),
            next=_path(options.text("next", "next")),
            total=_path(options.text("total")),
        )
        options.close()
        return taken

    def query(self, state: Mapping[str, Any]) -> dict[str, str]:
        size = {self.size_parameter: str(self.size)} if self.size_parameter and self.kind != "none" else {}
        if self.kind == "page":
            return {self.page_parameter: str(state["page"]), **size}
        if self.kind == "offset":
            return {self.page_parameter: str(state["page"] * self.size), **size}
        if self.kind == "cursor" and state.get("cursor") is not None:
            return {self.cursor_parameter: state["cursor"], **size}
        return size

    def begin(self) -> dict[str, Any]:
        return {"page": self.first_page if self.kind == "page" else 0}


@dataclass(frozen=True)
class HttpOptions:
    url: str
    items: tuple[str, ...]
    fields: Mapping[str, tuple[str, ...]]
    query: Mapping[str, str]
    paging: Paging
    access: Access
    limits: Limits
    max_pages: int

    @classmethod
    def take(cls, source: Source, options: Options, url: str) -> HttpOptions:
        """What is left of a source's options; none may be left over."""
        taken = cls(
            url=url,
            items=_path(options.text("items")),
            fields={name: _path(path) for name, path in options.mapping("fields").items()},
            query=options.mapping("query"),
            paging=Paging.take(options.section("paging")),
            access=Access.take(options.section("auth")),
            limits=Limits(
                timeout_seconds=options.seconds("timeout_seconds", 30),
                retries=options.number("retries", 5),
                max_bytes=options.number("max_bytes", 64 * 1024 * 1024, 1),
            ),
            max_pages=options.number("max_pages", 100_000, 1),
        )
        options.close()
        if urlsplit(taken.url).scheme not in ("http", "https"):
            raise SourceError(f"Nguồn/source `{source.name}`: expected a location http://… or https://…, found `{source.location}`.")
        return taken


class HttpJson:
    """Connector `http_json`. Options: `items`, `fields`, `query`, `paging`, `auth`, `timeout_seconds`, `retries`, `max_bytes`, `max_pages`."""

    def fingerprint(self, source: Source, context: ReadContext) -> str | None:
        del source, context
        return None  # the service would have to be read whole

    def read(self, source: Source, context: ReadContext, after: Position | None = None) -> Iterator[Batch]:
        options = HttpOptions.take(source, Options.of(source, context), expand(source.location, context.variables))
        yield from read_pages(options, Manner(), context, after)


def read_pages(options: HttpOptions, manner: Manner, context: ReadContext, after: Position | None) -> Iterator[Batch]:
    """The rows of all pages of a JSON service that is spoken to in a manner of its own."""
    with Session(options.url, options.access, options.limits, manner=manner) as session:
        yield from _Reader(options, session, context.batch_rows, after).batches()


@dataclass(frozen=True)
class _Item:
    """One row of a page, where the page is, and its place in it from 1."""

    values: dict[str, str | None] | None
    broken: BrokenRow | None
    row: int
    page: Mapping[str, Any]
    place: int


@dataclass(frozen=True)
class _Page:
    items: Sequence[msgspec.Raw]
    following: Mapping[str, Any] | None  # the state of the next page; None: this was the last


class _Reader:
    """The position is `{"page": state of a page, "skip": rows of it already given, "row": rows given in all, "columns"}`."""

    def __init__(self, options: HttpOptions, session: Session, batch_rows: int, after: Position | None) -> None:
        self._options = options
        self._session = session
        self._batch_rows = batch_rows
        self._page: Mapping[str, Any] | None = options.paging.begin() if after is None else after["page"]
        self._skip = 0 if after is None else int(after["skip"])
        self._row = 0 if after is None else int(after["row"])
        self._columns: list[str] = list(options.fields) if options.fields else list(after["columns"]) if after is not None else []
        self._file = SourceFile(uri=options.url.split("?")[0].split("#")[0].replace(_user_part(options.url), ""))

    def batches(self) -> Iterator[Batch]:
        waiting: list[_Item] = []
        any_batch = False
        for items in self._pages():
            waiting.extend(items)
            while len(waiting) >= self._batch_rows:
                yield self._batch(waiting[: self._batch_rows])
                waiting, any_batch = waiting[self._batch_rows :], True
        if waiting or not any_batch:
            yield self._batch(waiting)

    def _pages(self) -> Iterator[list[_Item]]:
        state, skip, row = self._page, self._skip, self._row
        count, seen = 0, set[str]()
        while state is not None:
            count += 1
            if count > self._options.max_pages:
                raise HostileInputError(
                    f"`{self._file.uri}`: hơn/more than {self._options.max_pages} pages.", hint="Raise `max_pages` if so many are right."
                )
            mark = msgspec.json.encode(state, order="sorted").decode()
            if mark in seen:
                raise HostileInputError(f"`{self._file.uri}`: trang lặp lại / page {mark} leads back to itself.")
            seen.add(mark)
            page = self._fetch(state)
            items = [self._item(raw, row + n, state, skip + n) for n, raw in enumerate(page.items[skip:], 1)]
            row += len(items)
            yield items
            state, skip = page.following, 0

    def _fetch(self, state: Mapping[str, Any]) -> _Page:
        what = f"`{self._file.uri}` trang/page {state.get('page')}"
        url = state.get("url") or self._options.url
        query = {} if state.get("url") else {**self._options.query, **self._options.paging.query(state)}
        answer = self._session.get(url, query, what)
        try:
            items = self._items(answer.body)
            return _Page(items, self._following(state, answer, len(items)))
        except INVALID as error:
            raise SourceError(
                f"{what}: không phải JSON mong đợi / is not the JSON expected ({error}).",
                hint="Look at the options `items` and `paging`, and whether the service answers with a web page.",
            ) from error

    def _items(self, body: bytes) -> Sequence[msgspec.Raw]:
        if not self._options.items:
            return items_in(body)
        raw = dig(objects_in(body), self._options.items)
        if raw is None:
            raise msgspec.DecodeError(f"no `{'.'.join(self._options.items)}` in it")
        return items_in(raw)

    def _following(self, state: Mapping[str, Any], answer: Answer, count: int) -> Mapping[str, Any] | None:
        paging, number = self._options.paging, state["page"] + 1
        if paging.kind == "none":
            return None
        if paging.kind == "link_header":
            return {"page": number, "url": answer.next_link} if answer.next_link else None
        if paging.kind in ("page", "offset"):
            total = text_of(dig(objects_in(answer.body), paging.total)) if paging.total else None
            if total is not None:
                read = (number - (paging.first_page if paging.kind == "page" else 0)) * paging.size
                return {"page": number} if read < int(total) and count else None
            return {"page": number} if count >= paging.size else None
        following = text_of(dig(objects_in(answer.body), paging.next))
        if not following:
            return None
        return {"page": number, "cursor": following} if paging.kind == "cursor" else {"page": number, "url": urljoin(answer.url, following)}

    def _item(self, raw: msgspec.Raw, row: int, state: Mapping[str, Any], place: int) -> _Item:
        try:
            members = objects_in(raw)
            if self._options.fields:
                values = {column: text_of(dig(members, path)) for column, path in self._options.fields.items()}
            else:
                values = {column: text_of(value) for column, value in members.items()}
        except INVALID:
            return _Item(None, broken_row(row, bytes(raw).decode("utf-8", "backslashreplace"), "row.object"), row, state, place)
        if any(value is not None and "\0" in value for value in values.values()):
            return _Item(None, broken_row(row, bytes(raw).decode(), "row.nul"), row, state, place)
        return _Item(values, None, row, state, place)

    def _batch(self, items: Sequence[_Item]) -> Batch:
        whole = [item for item in items if item.values is not None]
        values = [item.values for item in whole if item.values is not None]
        self._settle_columns(values)
        last = items[-1] if items else None
        place = (
            {"page": last.page, "skip": last.place, "row": last.row} if last else {"page": self._page, "skip": self._skip, "row": self._row}
        )
        return Batch(
            file=self._file,
            table=as_table(values, self._columns),
            source_rows=pa.array([item.row for item in whole], pa.int64()),
            position={**place, "columns": self._columns},
            broken=tuple(item.broken for item in items if item.broken is not None),
        )

    def _settle_columns(self, values: Sequence[Mapping[str, str | None]]) -> None:
        """Columns are those of the first batch; a later one that brings its own is refused, not cut."""
        found = list(dict.fromkeys(column for row in values for column in row))
        self._columns = self._columns or found
        new = [column for column in found if column not in self._columns]
        if new:
            raise SourceError(
                f"`{self._file.uri}`: trường mới giữa chừng / fields the first rows have not: {', '.join(f'`{column}`' for column in new)}.",
                hint="Name all columns in the option `fields`.",
            )


def _path(text: str) -> tuple[str, ...]:
    return tuple(part for part in text.split(".") if part)


def _user_part(url: str) -> str:
    """`user:password@` of a URL, or a text no URL holds."""
    parts = urlsplit(url)
    return parts.netloc.rpartition("@")[0] + "@" if "@" in parts.netloc else "\0"
