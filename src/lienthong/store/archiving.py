"""Writes bodies of entries to files that prove themselves, takes out of the store what may go, and remembers which file holds what."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from lienthong.ledger import Signer, StoredBatch, tiled_peaks
from lienthong.ledger.standalone import ARCHIVE
from lienthong.store.attesting import cosignatures, note_of
from lienthong.store.database import Connection, queries
from lienthong.store.ledger import LINE, read_batches, tile_reader

HASH = 32
WIDTH = 256


class Archive(NamedTuple):
    """A file of entries `begins` up to, not with, `ends`; `digest` is the hex SHA-256 of the file."""

    number: int
    begins: int
    ends: int
    digest: str
    at: datetime
    dropped_at: datetime | None = None

    @property
    def name(self) -> str:
        return f"{self.number:06}.jsonl.gz"


def write_file(connection: Connection, signer: Signer, path: Path, begins: int, ends: int, previous: str) -> None:
    """Entries from one checkpoint's size up to another's, with what proves them; whole on the disk, or the old file stays."""
    note = note_of(connection, signer, ends)
    assert note is not None  # `ends` is a checkpoint's size
    tile = tile_reader(connection)
    head = {"format": ARCHIVE, "origin": signer.origin, "begins": begins, "ends": ends, "previous": previous}
    head["peaks"] = [peak.hex() for peak in tiled_peaks(begins, tile)]
    foot = {"checkpoint": note.note + "".join(line for _, line in cosignatures(connection, ends))}
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as raw:
        with gzip.GzipFile(filename="", fileobj=raw, mode="wb", mtime=0) as file:
            file.write(json.dumps(head).encode() + b"\n")
            for batch in read_batches(connection, begins, ends):
                file.write(b"".join(line + b"\n" for line in _lines(connection, batch)))
            file.write(json.dumps(foot, ensure_ascii=False).encode() + b"\n")
        raw.flush()
        os.fsync(raw.fileno())
    fresh.replace(path)


def _lines(connection: Connection, batch: StoredBatch) -> Iterator[bytes]:
    """A batch's bodies, or where they are gone, their leaves."""
    if batch.bodies is not None:
        yield from batch.bodies.split(LINE.encode())
        return
    tile = tile_reader(connection)
    for position in range(batch.begins or 0, (batch.begins or 0) + (batch.entries or 0)):
        hashes = tile(0, position // WIDTH)
        yield b"-" + hashes[position % WIDTH * HASH : (position % WIDTH + 1) * HASH].hex().encode()


def archives(connection: Connection) -> list[Archive]:
    return [Archive(*row) for row in connection.execute(queries("archiving")["archives"])]


def next_end(connection: Connection, begins: int, before: datetime, most: int) -> int | None:
    """The checkpoint up to which the next archive goes: made before an instant, at most so many entries on, or one checkpoint; None: none."""
    row = connection.execute(queries("archiving")["next_end"], {"begins": begins, "before": before, "most": most}).fetchone()
    return None if row is None or row[0] is None else int(row[0])


def newest_size(connection: Connection) -> int:
    row = connection.execute(queries("ledger")["newest_checkpoint"]).fetchone()
    return 0 if row is None else int(row[0])


def is_checkpoint(connection: Connection, size: int) -> bool:
    """Whether a tree of that size was signed; of none always."""
    return size == 0 or connection.execute(queries("ledger")["checkpoint_of"], {"size": size}).fetchone() is not None


def keep_archive(connection: Connection, archive: Archive) -> None:
    connection.execute(
        queries("archiving")["keep_archive"],
        {"number": archive.number, "begins": archive.begins, "ends": archive.ends, "digest": archive.digest, "at": archive.at},
    )


def remove_bodies(connection: Connection, batches: Sequence[int]) -> None:
    """Take batches out of the store; what a copy of them is known by stays."""
    connection.execute(queries("archiving")["keep_gone"], {"batches": list(batches)})
    connection.execute(queries("archiving")["remove_bodies"], {"batches": list(batches)})


def drop_archive(connection: Connection, number: int, at: datetime) -> None:
    connection.execute(queries("archiving")["drop_archive"], {"number": number, "at": at})
