"""The counter at which lists, feeds and batches are asked for: from a request to a right, or to a denial that is in the ledger."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

import msgspec
from psycopg_pool import ConnectionPool
from starlette.requests import Request
from starlette.responses import Response

from lienthong.access import Decision, Operation
from lienthong.contracts import Contract, Sharing
from lienthong.errors import NotFound
from lienthong.ledger import Entry, SubjectKey
from lienthong.sharing.cursors import Cursors
from lienthong.sharing.formats import JSON
from lienthong.sharing.pages import Desk
from lienthong.sharing.records import VersionBook
from lienthong.sharing.retiring import retiring_headers
from lienthong.sharing.rights import Right
from lienthong.sharing.shares.files import FileStore
from lienthong.sharing.way_out import no_dataset
from lienthong.store import Connection, append_entries, take_web_role

if TYPE_CHECKING:
    from lienthong.pipeline import Workshop

MOST_CONNECTIONS = 8
POOL_WAIT_SECONDS = 30.0
OPTIONS = "-c search_path=lienthong,public -c timezone=UTC"
PRIVATE = {"Cache-Control": "no-store"}
PUBLIC = {"Cache-Control": "public, no-cache"}


class Authorise(Protocol):
    """Decides what a request may have. Raises Unauthenticated, Denied, QuotaExceeded or BadRequest, each with its entry in the ledger."""

    def __call__(self, request: Request, contract: Contract, operation: str) -> Right: ...

    def has_part(self, request: Request, contract: Contract) -> bool:
        """Whether the caller may know that the dataset is there. Raises Unauthenticated for a bad token."""
        ...

    def note_unknown(self, request: Request, operation: str) -> None:
        """Leave the entry of a request for a dataset there is not."""
        ...

    def filled(self, request: Request, contract: Contract) -> Request:
        """The request with what its agreement leaves no choice about said in it."""
        ...

    def openings(self, request: Request, contracts: Iterable[Contract], operation: Operation) -> list[tuple[Contract, Decision]]:
        """What the caller could ask for in this way, each with what is seen of it. Raises Unauthenticated for a bad token."""
        ...


@dataclass
class Counter:
    """What every handler of this room needs: contracts, connections, rights, the ledger."""

    workshop: Workshop
    authorise: Authorise
    public_url: str
    is_sample: bool = False
    subject_key: bytes = b""
    files: FileStore | None = None  # whole answers that are kept; None: none are
    desk: Desk = field(init=False)
    _pool: ConnectionPool[Connection] | None = field(init=False, default=None)
    _opening: threading.Lock = field(init=False, default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.desk = Desk(Cursors(self.workshop.signer.secret), VersionBook(), SubjectKey(self.subject_key))

    @property
    def contracts(self) -> Mapping[str, Contract]:
        return self.workshop.contracts

    @property
    def database_url(self) -> str:
        return self.workshop.database.url

    def clock(self) -> datetime:
        return self.workshop.clock()

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """A connection for one transaction: committed at the end of the block, rolled back when it fails."""
        with self._opened().connection() as connection:
            yield connection

    def asked_by(self, authorise: Authorise) -> Counter:
        """The same counter, its connections shared, with another way to decide who asks."""
        other = Counter(self.workshop, authorise, self.public_url, self.is_sample, self.subject_key, self.files)
        other.desk, other._pool = self.desk, self._opened()
        return other

    def append(self, entry: Entry, connection: Connection | None = None) -> None:
        """Append an entry, as the last statement of a connection's transaction or in one of its own."""
        if connection is None:
            with self.connection() as own:
                append_entries(own, [entry], self.workshop.signer)
        else:
            append_entries(connection, [entry], self.workshop.signer)

    def append_all(self, entries: Sequence[Entry], connection: Connection) -> None:
        """Append several entries as one batch, as the last statement of a connection's transaction."""
        if entries:
            append_entries(connection, entries, self.workshop.signer)

    def close(self) -> None:
        """Give the connections back."""
        if self._pool is not None:
            self._pool.close()
            self._pool = None

    def _opened(self) -> ConnectionPool[Connection]:
        with self._opening:
            if self._pool is None:
                self._pool = ConnectionPool(
                    self.database_url,
                    min_size=1,
                    max_size=MOST_CONNECTIONS,
                    timeout=POOL_WAIT_SECONDS,
                    open=True,
                    kwargs={"options": OPTIONS},
                    configure=take_web_role,
                    check=ConnectionPool.check_connection,  # one that died with the database is replaced, not handed out
                )
            return self._pool


def contract_of(counter: Counter, request: Request) -> Contract:
    """The contract a path names, for a caller whose right is decided next. Raises NotFound, also where the caller may not know of it."""
    contract = counter.contracts.get(request.path_params["dataset"])
    if contract is None:
        counter.authorise.note_unknown(request, Operation.LIST)
        raise no_dataset(request.path_params["dataset"])
    if is_strange(counter, request, contract):
        raise no_dataset(contract.id)
    return contract


def is_strange(counter: Counter, request: Request, contract: Contract) -> bool:
    """Whether the caller hears that there is no such dataset; the refusal is in the ledger."""
    if counter.authorise.has_part(request, contract):
        return False
    with suppress(NotFound):
        counter.authorise(request, contract, Operation.LIST)
    return True


def public_contracts(counter: Counter) -> list[Contract]:
    """The datasets everybody may know of, by id."""
    return sorted((contract for contract in counter.contracts.values() if not contract.is_hidden), key=lambda contract: contract.id)


def public_contract_of(counter: Counter, request: Request) -> Contract:
    """The contract a path names, for everybody. Raises NotFound, also where its entry is not public."""
    contract = contract_of(counter, request)
    if contract.is_hidden:
        raise no_dataset(contract.id)
    return contract


def request_bytes(request: Request) -> bytes:
    """What was asked, as the bytes whose digest the ledger keeps."""
    return f"{request.method} {request.url.path}?{request.url.query}".encode()


def json_answer(value: Any, *, is_public: bool = False) -> Response:
    return Response(msgspec.json.encode(value), media_type=JSON, headers=PUBLIC if is_public else PRIVATE)


def answer_headers(contract: Contract, version: int) -> dict[str, str]:
    """Headers of an answer of data: personal data is kept by no cache on the way."""
    private = PUBLIC if contract.sharing is Sharing.OPEN else PRIVATE
    return {"Lienthong-Version": str(version), **private, **dict(retiring_headers(contract))}
