"""Lists: one page of records with a cursor to the next, and whole answers as files.

All pages of one list tell of one version, so rows that change meanwhile are neither skipped nor told twice.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec

from lienthong.access import mask
from lienthong.contracts import Contract
from lienthong.errors import BadRequest
from lienthong.ledger import Entry, Event, SubjectKey, pack_subjects
from lienthong.sharing.cursors import Cursors
from lienthong.sharing.filters import DEFAULT_LIMIT, MOST_ROWS, Wanted
from lienthong.sharing.formats import Mask
from lienthong.sharing.records import VersionBook, kinds_of_mask, shape_of
from lienthong.sharing.rights import Right
from lienthong.store.answers import KEY, OURS, Ask, Condition, Page, Row, newest_version, read_page, stream_whole, version_known_at
from lienthong.store.database import Connection

if TYPE_CHECKING:
    import pyarrow as pa

_ENCODER = msgspec.json.Encoder()


@dataclass(frozen=True)
class Given:
    """An answer ready to leave: its bytes, and what the ledger says of it."""

    body: bytes
    version: int
    count: int
    fields: tuple[str, ...]
    next: str | None = None
    subjects: str = ""  # marks of the records it tells of, where they are about persons


@dataclass(frozen=True)
class Desk:
    """What lists and feeds need beside a connection."""

    cursors: Cursors
    book: VersionBook
    subject_key: SubjectKey = field(default_factory=lambda: SubjectKey(b""))
    question_seconds: float = 15.0  # how long the database may look for the answer to one question

    def subjects(self, contract: Contract, keys: Iterable[str]) -> str:
        """What an entry keeps of whom an answer was about; nothing for a dataset that is not about persons."""
        return pack_subjects(self.subject_key.hash(contract.id, key) for key in keys) if contract.is_about_persons else ""


def give_page(connection: Connection, desk: Desk, contract: Contract, wanted: Wanted, right: Right) -> Given:
    """One page of records. Raises BadRequest for a cursor of another question, Denied for a filter on what is withheld."""
    limit = DEFAULT_LIMIT if wanted.limit is None else wanted.limit
    if limit > MOST_ROWS:
        raise BadRequest(
            f"`limit`: expected 1 to {MOST_ROWS}, found {limit}.",
            hint="For everything at once ask for text/csv, Arrow or Parquet in Accept.",
            vi=f"`limit`: từ 1 đến {MOST_ROWS}, nhận được {limit}.",
            hint_vi="Muốn lấy tất cả một lần, hãy yêu cầu text/csv, Arrow hoặc Parquet trong Accept.",
        )
    right.require_whole(wanted.named)
    fields, withheld = right.fields_of(contract, wanted.fields)
    ask = ask_of(contract, wanted, right, fields)
    purpose = _question(contract, wanted)
    if wanted.cursor is not None:
        version, *after = desk.cursors.open(purpose, wanted.cursor)
        ask = replace(ask, version=version, after=tuple(after))
    elif wanted.known_at is not None:
        ask = replace(ask, version=version_known_at(connection, contract.id, wanted.known_at))
    page = read_page(connection, replace(ask, limit=limit + 1))
    rows, more = page.rows[:limit], len(page.rows) > limit
    cursor = desk.cursors.seal(purpose, [page.version, *_place(ask, rows[-1])]) if more else None
    shape = shape_of(connection, desk.book, contract, right, fields, withheld)
    body = _ENCODER.encode(
        {
            "dataset": contract.id,
            "version": page.version,
            "known_at": _known_at(connection, desk, contract, page),
            "as_of": wanted.as_of,
            "records": [shape(row) for row in rows],
            "next": cursor,
        }
    )
    return Given(body, page.version, len(rows), fields, cursor, desk.subjects(contract, (row[0] for row in rows)))


def ask_of(contract: Contract, wanted: Wanted, right: Right, fields: tuple[str, ...]) -> Ask:
    """The question to the store: what the caller asks, within the rows the agreement gives."""
    return Ask(
        dataset_id=contract.id,
        fields=fields,
        conditions=tuple(_by_key(contract, condition) for condition in (*wanted.conditions, *right.conditions)),
        sorts=wanted.sorts,
        as_of=wanted.as_of,
        limit=wanted.limit,
    )


def _by_key(contract: Contract, condition: Condition) -> Condition:
    """A key that is one text is the same as the stored key, which has an index."""
    is_key = len(contract.key) == 1 and contract.key[0].logical_type == "string" and condition.column == contract.key[0].name
    return replace(condition, column=KEY) if is_key else condition


@dataclass(frozen=True)
class Whole:
    """A whole answer about to be streamed: its version and columns are settled, its rows are not read yet."""

    ask: Ask
    version: int
    fields: tuple[str, ...]
    withheld: tuple[str, ...]
    not_delivered: tuple[str, ...]
    masks: dict[str, Mask]

    @property
    def scope(self) -> str:
        """`whole` when everyone in the dataset is in it, else `part`."""
        is_whole = not self.ask.conditions and self.ask.where is None and self.ask.limit is None and self.ask.as_of is None
        return "whole" if is_whole else "part"

    def batches(self, database_url: str) -> Iterator[pa.RecordBatch]:
        """The rows as Arrow record batches, masked columns still whole."""
        return stream_whole(database_url, self.ask, self.version)


def prepare_whole(connection: Connection, desk: Desk, contract: Contract, wanted: Wanted, right: Right) -> Whole:
    """Settle what a whole answer will hold. Raises BadRequest for a cursor, Denied for a filter on what is withheld."""
    if wanted.cursor is not None:
        raise BadRequest(
            "A file is one answer: it takes no `cursor`.",
            hint="Use `limit` to have fewer rows.",
            vi="Tệp là một câu trả lời: không dùng `cursor`.",
            hint_vi="Dùng `limit` để nhận ít hàng hơn.",
        )
    right.require_whole(wanted.named)
    fields, withheld = right.fields_of(contract, wanted.fields)
    if not fields:
        raise BadRequest(
            "None of these `fields` is part of this agreement: a file of them would have no columns.",
            vi="Không trường nào trong `fields` thuộc thỏa thuận: tệp sẽ không có cột.",
        )
    if wanted.known_at is None:
        version = newest_version(connection, contract.id) or 0
    else:
        version = version_known_at(connection, contract.id, wanted.known_at)
    missing = desk.book.undelivered(connection, contract.id, version, fields) if version else ()
    return Whole(
        ask=ask_of(contract, wanted, right, fields),
        version=version,
        fields=fields,
        withheld=withheld,
        not_delivered=tuple(fields[place] for place in missing),
        masks={name: partial(mask, kind) for name, kind in kinds_of_mask(right, fields).items()},
    )


def entry_of(event: Event, contract: Contract, right: Right, at: datetime, request: bytes, given: Given) -> Entry:
    """The ledger entry of a page or a piece of the change feed."""
    details = {"records": given.count, **({"subjects": given.subjects} if given.subjects else {})}
    return _entry(event, contract, right, at, request, given, "given", details, hashlib.sha256(given.body).hexdigest())


def bulk_entry(
    event: Event, contract: Contract, right: Right, at: datetime, request: bytes, whole: Whole, outcome: str, details: dict[str, Any],
    answer_digest: str = "",
) -> Entry:  # fmt: skip
    """The ledger entry of a whole answer's beginning or end."""
    return _entry(event, contract, right, at, request, whole, outcome, details, answer_digest)


def _entry(
    event: Event, contract: Contract, right: Right, at: datetime, request: bytes, of: Given | Whole, outcome: str,
    details: Mapping[str, Any], answer_digest: str,
) -> Entry:  # fmt: skip
    return Entry(
        at=at,
        event=event,
        caller=right.caller,
        official=right.official,
        purpose=right.purpose,
        legal_basis=right.legal_basis,
        agreement=right.agreement,
        dataset=contract.id,
        version=of.version,
        fields=of.fields,
        request_digest=hashlib.sha256(request).hexdigest(),
        answer_digest=answer_digest,
        outcome=outcome,
        details=details,
    )


def _place(ask: Ask, row: Row) -> list[Any]:
    """The sort values and the key of a row."""
    places = {name: OURS + n for n, name in enumerate(ask.columns)}
    return [*(row[places[sort.column]] for sort in ask.sorts), row[0]]


def _question(contract: Contract, wanted: Wanted) -> str:
    """What a cursor is bound to: everything but the place and the number of rows."""
    return repr((contract.id, wanted.conditions, wanted.sorts, wanted.as_of, wanted.known_at))


def _known_at(connection: Connection, desk: Desk, contract: Contract, page: Page) -> datetime | None:
    return desk.book.facts(connection, contract.id, page.version).known_at if page.version else None
