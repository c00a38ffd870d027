"""Keeps what others say of checkpoints: signatures of witnesses, time stamps; and how each witness stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from lienthong.ledger import Signer, signed_note
from lienthong.store.database import Connection, queries


@dataclass(frozen=True)
class StoredNote:
    """A checkpoint as its signed note, without signatures of others; `text` is what is signed."""

    size: int
    root: bytes
    note: str

    @property
    def text(self) -> bytes:
        return self.note.partition("\n\n")[0].encode() + b"\n"


@dataclass(frozen=True)
class WitnessStanding:
    """How a witness stands: `state` is signed, away, refuses (`status` says what it answered) or ahead (it has signed a longer tree)."""

    witness: str
    size: int
    asked_at: datetime
    state: str
    status: int | None = None


def newest_note(connection: Connection, signer: Signer) -> StoredNote | None:
    """The checkpoint over the whole tree."""
    row = connection.execute(queries("ledger")["newest_checkpoint"]).fetchone()
    return None if row is None else _note(signer, row[0], row[1], row[2], row[4])


def note_of(connection: Connection, signer: Signer, size: int) -> StoredNote | None:
    """The checkpoint of that size."""
    row = connection.execute(queries("ledger")["checkpoint_of"], {"size": size}).fetchone()
    return None if row is None else _note(signer, row[0], row[1], row[2], row[4])


def _note(signer: Signer, size: int, root: bytes, at: datetime, signature: bytes) -> StoredNote:
    return StoredNote(size, bytes(root), signed_note(signer.origin, size, bytes(root), at, signer.public_key, bytes(signature)))


def keep_cosignature(connection: Connection, size: int, witness: str, line: str) -> None:
    """Keep a witness's line; its first one of a checkpoint stays."""
    connection.execute(queries("attesting")["keep_cosignature"], {"size": size, "witness": witness, "line": line})


def cosignatures(connection: Connection, size: int) -> list[tuple[str, str]]:
    """(witness, line) of a checkpoint."""
    return connection.execute(queries("attesting")["cosignatures"], {"size": size}).fetchall()


def cosigned_note(connection: Connection, signer: Signer, least_size: int, witnesses: Sequence[str], needed: int) -> str | None:
    """The oldest checkpoint of at least that size that enough of the witnesses signed, with their lines; None when there is none yet.

    With none needed it is the newest one, with the lines it has.
    """
    named = queries("attesting")
    asked = {"least": least_size, "witnesses": list(witnesses), "needed": needed}
    row = connection.execute(named["cosigned_from"] if needed else named["newest_from"], asked).fetchone()
    found = None if row is None else note_of(connection, signer, row[0])
    return None if found is None else found.note + "".join(line for _, line in cosignatures(connection, found.size))


def keep_standing(connection: Connection, standing: WitnessStanding) -> None:
    connection.execute(
        queries("attesting")["keep_standing"],
        {
            "witness": standing.witness,
            "size": standing.size,
            "asked_at": standing.asked_at,
            "state": standing.state,
            "status": standing.status,
        },
    )


def standings(connection: Connection) -> list[WitnessStanding]:
    return [WitnessStanding(*row) for row in connection.execute(queries("attesting")["standings"])]


def keep_stamp(connection: Connection, size: int, authority: str, at: datetime, token: bytes) -> None:
    connection.execute(queries("attesting")["keep_stamp"], {"size": size, "authority": authority, "at": at, "token": token})


def last_stamp(connection: Connection, authority: str) -> tuple[int, datetime] | None:
    """(size, at) of the newest stamp of an authority."""
    return connection.execute(queries("attesting")["last_stamp"], {"authority": authority}).fetchone()
