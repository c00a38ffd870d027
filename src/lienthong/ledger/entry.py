"""One act as a value, and the bytes of it that are hashed.

The body is JSON with a fixed order of fields and no spaces (`v` first: the version of this layout), so the same entry
always gives the same bytes and anyone can hash them again. Fields that were not set are left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec

from lienthong.errors import LedgerError
from lienthong.ledger.event import Event

LAYOUT = 1


@dataclass(frozen=True, slots=True)
class Entry:
    """Who did what, on whose behalf, why, to what, when.

    `subject` is a keyed hash of the record asked for (hex), never the record's key; digests are hex SHA-256;
    `details` holds plain values (text, numbers, lists, mappings of them), never personal data.
    """

    at: datetime
    event: Event
    caller: str
    official: str = ""
    purpose: str = ""
    legal_basis: str = ""
    agreement: str = ""
    dataset: str = ""
    version: int | None = None
    subject: str | None = None
    fields: tuple[str, ...] = ()
    request_digest: str = ""
    answer_digest: str = ""
    outcome: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)


class _Body(msgspec.Struct, omit_defaults=True, forbid_unknown_fields=True):
    """The layout of a body. The order of these fields is the order of the bytes: add only at the end, with a new LAYOUT."""

    v: int
    at: str
    event: str
    caller: str
    official: str = ""
    purpose: str = ""
    legal_basis: str = ""
    agreement: str = ""
    dataset: str = ""
    version: int | None = None
    subject: str | None = None
    fields: tuple[str, ...] = ()
    request_digest: str = ""
    answer_digest: str = ""
    outcome: str = ""
    details: dict[str, Any] = {}  # msgspec copies an empty default


_ENCODER = msgspec.json.Encoder(order="deterministic")
_DECODER = msgspec.json.Decoder(_Body)
_EVENT_TEXT = {event: event.value for event in Event}
_BEGIN = f'{{"v":{LAYOUT},"at":"'


def encode(entry: Entry) -> bytes:
    """The bytes of an entry that are hashed and kept: UTF-8 JSON, canonical."""
    return _ENCODER.encode(
        _Body(
            LAYOUT,
            entry.at.isoformat(),
            _EVENT_TEXT[entry.event],
            entry.caller,
            entry.official,
            entry.purpose,
            entry.legal_basis,
            entry.agreement,
            entry.dataset,
            entry.version,
            entry.subject,
            entry.fields,
            entry.request_digest,
            entry.answer_digest,
            entry.outcome,
            dict(entry.details) if entry.details else {},
        )
    )


class Form:
    """Entries alike in all but time, version, subject and digest of the answer: what they share is encoded once.

    `fill` gives the text of the very bytes `encode` gives (a property test holds it), for a quarter of the time.
    """

    __slots__ = ("_last", "_middle", "_who")

    def __init__(
        self, event: Event, caller: str, *, official: str = "", purpose: str = "", legal_basis: str = "", agreement: str = "",
        dataset: str = "", fields: tuple[str, ...] = (), outcome: str = "",
    ) -> None:  # fmt: skip
        shared = _Body(LAYOUT, "", _EVENT_TEXT[event], caller, official, purpose, legal_basis, agreement, dataset)
        self._who = _ENCODER.encode(shared).decode().removeprefix(_BEGIN).removesuffix("}")
        named = f',"fields":{_ENCODER.encode(fields).decode()}' if fields else ""
        self._middle = f'"{named},"answer_digest":"'
        self._last = f'","outcome":{_ENCODER.encode(outcome).decode()}}}' if outcome else '"}'

    def fill(self, at: str, version: int | None, subject: str, answer_digest: str) -> str:
        """One entry's body; `at` in ISO 8601, `subject` and `answer_digest` in hex, none of them empty."""
        known = "" if version is None else f',"version":{version}'
        return f'{_BEGIN}{at}{self._who}{known},"subject":"{subject}{self._middle}{answer_digest}{self._last}'


def decode(body: bytes) -> Entry:
    """The entry behind a body. Raises LedgerError when the bytes are not a body of a layout known here."""
    try:
        found = _DECODER.decode(body)
        if found.v != LAYOUT:
            raise LedgerError(f"Expected an entry of layout {LAYOUT}, found layout {found.v}.")
        return Entry(
            datetime.fromisoformat(found.at),
            Event(found.event),
            *(getattr(found, name) for name in _Body.__struct_fields__[3:]),
        )
    except (msgspec.MsgspecError, ValueError) as error:
        raise LedgerError(f"The body of an entry cannot be read: {error}.") from error
