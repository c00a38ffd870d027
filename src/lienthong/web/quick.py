"""The look-ups that make up most of the traffic, answered where their bytes arrive: no scope, no coroutine, no future for each.

Only what is plain is taken: one whole `GET …/records/{key}` whose key needs no escape and whose headers are known ones. The headers of a
connection are the same bytes in every request, so what they say is read once and remembered by those bytes. Whatever is not plain, and
every refusal, goes the ordinary way through `web.hot`: this file grants nothing of its own.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from lienthong.errors import LienthongError
from lienthong.sharing.ledger_writer import Waiter
from lienthong.sharing.lookup import Found
from lienthong.web.headers import OFFICIAL, PURPOSE, header_text

if TYPE_CHECKING:
    from lienthong.web.hot import HotPath

LONGEST_HEAD = 4_000  # bytes of headers; more is read the ordinary way
MOST_HEADS = 2_000  # kept in mind; a caller that sends other headers each time must not fill the memory
_LINE = re.compile(rb"GET /v1/datasets/([A-Za-z0-9._-]{1,200})/records/([A-Za-z0-9._~-]{1,300}) HTTP/1\.1\r\n")
_HEADER = re.compile(rb"([A-Za-z-]+):[ \t]*([\x21-\x7e\x80-\xff](?:[\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?)?[ \t]*")
_PURPOSE, _OFFICIAL = PURPOSE.encode(), OFFICIAL.encode()
_MEANT = frozenset({b"authorization", _PURPOSE, _OFFICIAL})
_HARMLESS = frozenset({b"host", b"accept", b"accept-encoding", b"accept-language", b"user-agent"})  # change nothing in such an answer
_END = b"\r\n\r\n"
_STATUS = b"HTTP/1.1 200 OK\r\n"
_TYPE = b"content-type: application/json\r\ncache-control: no-store\r\nlienthong-version: %d\r\ncontent-length: %d\r\n\r\n"


class Head(NamedTuple):
    """What the headers of a plain look-up say."""

    authorization: str | None
    purpose: str
    official: str


class Quick:
    """Takes plain look-ups of all connections of this process."""

    def __init__(self, hot: HotPath) -> None:
        self._hot = hot
        self._heads: dict[bytes, Head | None] = {}

    def take(self, data: bytes, client: str, waiter: Waiter[Found | None]) -> bool:
        """Whether these bytes are one plain look-up that may be answered; then `waiter` gets the answer, its entry committed."""
        line = _LINE.match(data)
        if line is None:
            return False
        head = self._head(data[line.end() :])
        if head is None:
            return False
        try:
            dataset, key = line.group(1).decode(), line.group(2).decode()
            plan = self._hot.admit(dataset, head, client)
        except LienthongError:  # a refusal is made, and noted, the ordinary way
            return False
        if plan is None:
            return False
        self._hot.ask(plan, key, head.official, waiter)
        return True

    def _head(self, block: bytes) -> Head | None:
        if block in self._heads:
            return self._heads[block]
        if len(self._heads) >= MOST_HEADS:
            self._heads.clear()
        head = self._heads[block] = _read(block)
        return head


def _read(block: bytes) -> Head | None:
    """What a block of headers says; None when it is not whole, not alone, or holds anything a plain look-up has no use for."""
    if len(block) > LONGEST_HEAD or block.find(_END) != len(block) - len(_END):
        return None
    sent: dict[bytes, bytes] = {}
    for text in block[: -len(_END)].split(b"\r\n"):
        header = _HEADER.fullmatch(text)
        if header is None:
            return None
        name, value = header.group(1).lower(), header.group(2) or b""
        if name in sent or not (name in _HARMLESS or name in _MEANT or (name == b"connection" and value.lower() == b"keep-alive")):
            return None
        sent[name] = value
    authorization = sent.get(b"authorization")
    try:
        purpose, official = header_text(PURPOSE, sent.get(_PURPOSE, b"")), header_text(OFFICIAL, sent.get(_OFFICIAL, b""))
    except LienthongError:
        return None
    return Head(None if authorization is None else authorization.decode("latin-1"), purpose, official)


def answer_of(found: Found, common: bytes) -> bytes:
    """The bytes of an answer. `common`: the header lines every answer carries."""
    body = found.body
    more = b"".join(f"{name.lower()}: {value}\r\n".encode("ascii") for name, value in found.retiring)
    return b"".join((_STATUS, common, more, _TYPE % (found.version, len(body)), body))
