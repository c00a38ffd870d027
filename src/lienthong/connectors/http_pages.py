"""A service of an agency read page by page: by page number, offset, cursor, next link, or RFC 8288 Link header; whole, or since a time.

The position is `{"page": state of a page, "skip": rows of it already given, "row": rows given in all, "columns"}`, and of readings since a
time also `from` (asked for) and `since` (the newest seen). The last batch of such a reading is empty: the next one begins from its `since`.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import urljoin, urlsplit

import msgspec
import pyarrow as pa

from lienthong.clock import system_clock
from lienthong.connectors.base import Batch, BrokenRow, Position, ReadContext, SourceFile
from lienthong.connectors.broken import broken_row
from lienthong.connectors.http_forms import Form, JsonForm, NotTheForm, Path, XmlForm
from lienthong.connectors.http_session import Access, Answer, Asked, Limits, Manner, Session
from lienthong.connectors.json_values import as_table
from lienthong.connectors.options import Options
from lienthong.contracts import Delivery, Source
from lienthong.errors import HostileInputError, SourceError

PAGING = ("none", "page", "offset", "cursor", "next_link", "link_header")
_NUMBER = re.compile(r"^-?\d+(\.\d+)?$")


@dataclass(frozen=True)
class Paging:
    """How to come to the next page. A page of fewer rows than `size` is the last of `page` and `offset`."""

    kind: str
    page_parameter: str
    size_parameter: str
    size: int
    first_page: int
    cursor_parameter: str
    next: Path  # of the cursor or the link in the answer
    total: Path  # of the number of all rows, when the answer says it

    @classmethod
    def take(cls, options: Options | None, split: str = ".") -> Paging:
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
            next=path_of(options.text("next", "next"), split),
            total=path_of(options.text("total"), split),
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
class Since:
    """Rows that changed since a time: the parameter that asks for them, the field that says when a row changed, how far back to begin again."""

    parameter: str
    field: Path
    overlap: float
    first: str

    @classmethod
    def take(cls, options: Options | None, split: str) -> Since | None:
        if options is None:
            return None
        taken = cls(
            options.text("parameter", "updated_since"),
            path_of(options.text("field"), split),
            options.seconds("overlap", 300),
            options.text("first"),
        )
        options.close()
        if not taken.field:
            raise options.required("since.field")
        return taken

    def back(self, value: str) -> str:
        """So much before: of a number as many, of a time so many seconds, in the form it came in."""
        if _NUMBER.match(value):
            return str(Decimal(value) - Decimal(str(self.overlap)).normalize())
        try:
            if len(value) == 10:
                return str(date.fromisoformat(value) - timedelta(days=math.ceil(self.overlap / 86_400)))
            then = datetime.fromisoformat(value) - timedelta(seconds=self.overlap)
        except ValueError as error:
            raise SourceError(f"Option `since`: expected times such as 2026-01-31T10:00:00Z or numbers, found `{value[:60]}`.") from error
        text = then.isoformat(sep=value[10])
        return text.replace("+00:00", "Z") if value.endswith("Z") else text

    def newer(self, one: str | None, other: str | None, now: datetime) -> str | None:
        """The later of two values, never later than now: a clock that runs ahead must not make us pass over what comes."""
        if other is None or not other.strip():
            return one
        if one is not None and _rank(other) <= _rank(one):
            return one
        rank = _rank(other)
        return one if isinstance(rank[1], datetime) and rank[1] > now + timedelta(days=1) else other


def _rank(value: str) -> tuple[int, Any]:
    if _NUMBER.match(value):
        return 0, Decimal(value)
    try:
        then = datetime.fromisoformat(value)
    except ValueError:
        return 2, value
    return 1, then if then.tzinfo is not None else then.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Ended:
    """Which rows say that their record has ended: those whose field has this value."""

    field: Path
    value: str

    @classmethod
    def take(cls, options: Options | None, split: str) -> Ended | None:
        if options is None:
            return None
        taken = cls(path_of(options.text("field"), split), options.text("value", "true"))
        options.close()
        if not taken.field:
            raise options.required("ended.field")
        return taken


@dataclass(frozen=True)
class HttpOptions:
    url: str
    form: Form
    items: Path
    fields: Mapping[str, Path]
    query: Mapping[str, str]
    headers: Mapping[str, str]
    method: str
    body: Mapping[str, Any] | str | None
    paging: Paging
    access: Access
    limits: Limits
    max_pages: int
    since: Since | None = None
    ended: Ended | None = None
    unchanged_by: str = ""
    write: Callable[[Mapping[str, str]], Asked] | None = None  # the whole question of a page, where it is more than JSON

    @classmethod
    def take(
        cls, source: Source, options: Options, url: str, form: Form | None = None, write: Callable[[Mapping[str, str]], Asked] | None = None
    ) -> HttpOptions:
        """What is left of a source's options; none may be left over."""
        split = "/" if isinstance(form, XmlForm) else "."
        taken = cls(
            url=url,
            form=form or JsonForm(),
            items=path_of(options.text("row" if split == "/" else "items"), split),
            fields={name: path_of(path, split) for name, path in options.mapping("fields").items()},
            query=options.mapping("query"),
            headers=options.mapping("headers"),
            method=options.choice("method", ("GET", "POST"), "GET"),
            body=options.document("body"),
            paging=Paging.take(options.section("paging"), split),
            access=Access.take(options.section("auth")),
            limits=Limits(
                timeout_seconds=options.seconds("timeout_seconds", 30),
                retries=options.number("retries", 5),
                max_bytes=options.number("max_bytes", 64 * 1024 * 1024, 1),
                requests_per_second=options.seconds("requests_per_second", 0),
            ),
            max_pages=options.number("max_pages", 100_000, 1),
            since=Since.take(options.section("since"), split),
            ended=Ended.take(options.section("ended"), split),
            unchanged_by=options.choice("unchanged_by", ("nothing", "etag"), "nothing"),
            write=write,
        )
        options.close()
        if urlsplit(taken.url).scheme not in ("http", "https"):
            raise SourceError(f"Nguồn/source `{source.name}`: expected a location http://… or https://…, found `{source.location}`.")
        if (taken.since is not None) != (source.delivery is Delivery.CHANGES) or (taken.ended is not None and taken.since is None):
            raise SourceError(
                f"Nguồn/source `{source.name}`: option `since` and `delivery: changes` need each other, and `ended` needs both.",
                hint="A row that changes while pages are read comes twice: of two words on a record the last must count.",
            )
        if split == "/" and not (taken.items and taken.fields):
            raise options.required("fields" if taken.items else "row")
        return taken


def fingerprint_pages(options: HttpOptions, manner: Manner) -> str | None:
    """What the service says of its content in place of giving it, where the contract trusts it."""
    if options.unchanged_by != "etag":
        return None
    with Session(options.url, options.access, options.limits, manner=manner, accept=options.form.accepts) as session:
        mark = session.marks(options.url, {**options.query, **options.paging.query(options.paging.begin())}, f"`{options.url}`")
    return None if mark is None else hashlib.sha256(f"{options.url}\0{mark}".encode()).hexdigest()


def read_pages(options: HttpOptions, manner: Manner, context: ReadContext, after: Position | None) -> Iterator[Batch]:
    """The rows of all pages of a service that is spoken to in a manner of its own."""
    with Session(options.url, options.access, options.limits, manner=manner, accept=options.form.accepts) as session:
        yield from _Reader(options, session, context.batch_rows, after).batches()


def total_of_pages(options: HttpOptions, manner: Manner) -> int | None:
    """How many rows the service says it has in all, in the answer to its first page; None where the contract does not say where that stands."""
    if not options.paging.total:
        return None
    with Session(options.url, options.access, options.limits, manner=manner, accept=options.form.accepts) as session:
        total = _Reader(options, session, 1, None).first_page().total
    return int(total) if total is not None and total.strip().isdecimal() else None


@dataclass(frozen=True)
class _Item:
    """One row of a page, where the page is, and its place in it from 1."""

    values: dict[str, str | None] | None
    broken: BrokenRow | None
    row: int
    page: Mapping[str, Any]
    place: int
    is_ended: bool = False


@dataclass(frozen=True)
class _Page:
    items: Sequence[object]
    following: Mapping[str, Any] | None  # the state of the next page; None: this was the last
    total: str | None = None  # of all rows, as the answer says it


class _Reader:
    def __init__(self, options: HttpOptions, session: Session, batch_rows: int, after: Position | None) -> None:
        self._options = options
        self._session = session
        self._batch_rows = batch_rows
        is_begun = after is not None and "page" in after
        self._page: Mapping[str, Any] | None = after["page"] if is_begun and after is not None else options.paging.begin()
        self._skip = int(after["skip"]) if is_begun and after is not None else 0
        self._row = int(after["row"]) if is_begun and after is not None else 0
        self._columns: list[str] = list(options.fields) if options.fields else list(after.get("columns", [])) if after is not None else []
        self._since: str | None = None if after is None else after.get("since")
        self._begins = self._asked_from(after)
        self._is_whole = options.since is None or self._begins == options.since.first
        self._file = SourceFile(uri=options.url.split("?")[0].split("#")[0].replace(_user_part(options.url), ""))
        self._now = system_clock()

    def _asked_from(self, after: Position | None) -> str:
        since = self._options.since
        if since is None:
            return ""
        if after is not None and "page" in after:
            return str(after.get("from", ""))
        return since.first if after is None or self._since is None else since.back(self._since)

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
        if self._options.since is not None:
            end = {"since": self._since, "columns": self._columns}
            yield Batch(self._file, as_table([], self._columns), pa.array([], pa.int64()), end, ended=pa.array([], pa.bool_()))

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
            yield [item for item in items if not (item.is_ended and self._is_whole)]  # what ended before is no part of the whole
            state, skip = page.following, 0

    def first_page(self) -> _Page:
        return self._fetch(self._options.paging.begin())

    def _fetch(self, state: Mapping[str, Any]) -> _Page:
        what = f"`{self._file.uri}` trang/page {state.get('page')}"
        options = self._options
        url = state.get("url") or options.url
        query = {} if state.get("url") else {**options.query, **options.paging.query(state)}
        if options.since is not None and self._begins and not state.get("url"):
            query[options.since.parameter] = self._begins
        answer = self._session.get(url, {} if self._posts_query else query, what, self._asked(query))
        try:
            page = options.form.page(answer.body)
            items = page.items(options.items)
            total = page.text(options.paging.total) if options.paging.total else None
            return _Page(items, self._following(state, answer, len(items)), total)
        except NotTheForm as error:
            kind = options.form.accepts.partition(",")[0].rpartition("/")[2].upper()
            raise SourceError(
                f"{what}: không phải {kind} mong đợi / is not the {kind} expected ({error}).",
                hint="Look at the options `items` and `paging`, and whether the service answers with a web page.",
            ) from error

    @property
    def _posts_query(self) -> bool:
        """Whether pages are asked for in the body that is posted."""
        options = self._options
        return options.write is not None or (options.method == "POST" and not isinstance(options.body, str))

    def _asked(self, query: Mapping[str, str]) -> Asked:
        options = self._options
        if options.write is not None:
            return options.write(query)
        if options.method == "GET":
            return Asked("GET", options.headers)
        if isinstance(options.body, str):
            return Asked("POST", {"Content-Type": options.form.accepts.partition(",")[0], **options.headers}, options.body.encode())
        numbers = {
            name: int(value) if value.isdecimal() and len(value) < 16 and name in self._counted else value for name, value in query.items()
        }
        document = {**(options.body or {}), **numbers}
        return Asked("POST", {"Content-Type": "application/json", **options.headers}, msgspec.json.encode(document))

    @property
    def _counted(self) -> tuple[str, str]:
        return self._options.paging.page_parameter, self._options.paging.size_parameter

    def _following(self, state: Mapping[str, Any], answer: Answer, count: int) -> Mapping[str, Any] | None:
        paging, number = self._options.paging, state["page"] + 1
        if paging.kind == "none":
            return None
        if paging.kind == "link_header":
            return {"page": number, "url": answer.next_link} if answer.next_link else None
        page = self._options.form.page(answer.body)
        if paging.kind in ("page", "offset"):
            total = page.text(paging.total) if paging.total else None
            if total is not None:
                if not total.strip().isdecimal():
                    raise NotTheForm(f"`{'.'.join(paging.total)}` is no number")
                read = (number - (paging.first_page if paging.kind == "page" else 0)) * paging.size
                return {"page": number} if read < int(total) and count else None
            return {"page": number} if count >= paging.size else None
        following = page.text(paging.next)
        if not following:
            return None
        return {"page": number, "cursor": following} if paging.kind == "cursor" else {"page": number, "url": urljoin(answer.url, following)}

    def _item(self, raw: object, row: int, state: Mapping[str, Any], place: int) -> _Item:
        form = self._options.form
        try:
            values = form.values(raw, self._options.fields)
            is_ended = self._options.ended is not None and form.value(raw, self._options.ended.field) == self._options.ended.value
            if self._options.since is not None:
                self._since = self._options.since.newer(self._since, form.value(raw, self._options.since.field), self._now)
        except NotTheForm:
            code = "row.repeated" if isinstance(form, XmlForm) else "row.object"
            return _Item(None, broken_row(row, form.shown(raw), code), row, state, place)
        if any(value is not None and "\0" in value for value in values.values()):
            return _Item(None, broken_row(row, form.shown(raw), "row.nul"), row, state, place)
        return _Item(values, None, row, state, place, is_ended)

    def _batch(self, items: Sequence[_Item]) -> Batch:
        whole = [item for item in items if item.values is not None]
        values = [item.values for item in whole if item.values is not None]
        self._settle_columns(values)
        last = items[-1] if items else None
        place = (
            {"page": last.page, "skip": last.place, "row": last.row} if last else {"page": self._page, "skip": self._skip, "row": self._row}
        )
        since = {"since": self._since, "from": self._begins} if self._options.since is not None else {}
        return Batch(
            file=self._file,
            table=as_table(values, self._columns),
            source_rows=pa.array([item.row for item in whole], pa.int64()),
            position={**place, "columns": self._columns, **since},
            broken=tuple(item.broken for item in items if item.broken is not None),
            ended=pa.array([item.is_ended for item in whole], pa.bool_()) if self._options.ended is not None else None,
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


def path_of(text: str, split: str = ".") -> Path:
    return tuple(part for part in text.split(split) if part) if text != "." or split != "/" else (".",)


def _user_part(url: str) -> str:
    """`user:password@` of a URL, or a text no URL holds."""
    parts = urlsplit(url)
    return parts.netloc.rpartition("@")[0] + "@" if "@" in parts.netloc else "\0"
