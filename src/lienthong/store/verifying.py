"""Verifies the stored ledger: the tree against its signatures, and everything kept beside it against the tree."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from cryptography.x509 import Certificate

from lienthong.errors import LedgerError
from lienthong.ledger import Signer, Verdict, misfit, verify
from lienthong.ledger.removal import ToldArchive
from lienthong.ledger.stamp import stamped_at
from lienthong.ledger.standalone import ED25519, Key, Unproved, check_archive, read_key, read_note
from lienthong.store.archiving import Archive, archives
from lienthong.store.attesting import StoredNote, note_of
from lienthong.store.database import Connection, queries
from lienthong.store.ledger import read_batches, read_checkpoints, read_size, read_tiles

TIME_TO_SIGN = timedelta(minutes=10)  # a checkpoint older than this that too few witnesses signed is a misfit, where some are needed


@dataclass(frozen=True)
class Demand:
    """What is asked of others' words: `needed` of the `witnesses` under every checkpoint older than ten minutes before `now`; stamps' `roots`.

    Without roots the chain of stamps is not checked, and no stamp is.
    """

    witnesses: tuple[Key, ...] = ()
    needed: int = 0
    roots: tuple[Certificate, ...] = ()
    now: datetime | None = None
    archives: Path | None = None  # the folder; without it the files are not looked at


def verify_ledger(connection: Connection, signer: Signer, demand: Demand = Demand()) -> Verdict:
    """Recompute everything and hold it against the signed checkpoints, the tiles, the seals, the index, witnesses and stamps.

    `connection` must read one snapshot (repeatable read): appending goes on meanwhile.
    """
    keys = {signer.key_id: signer.public_key}
    with (
        closing(read_batches(connection)) as batches,
        closing(read_tiles(connection, "leaf_tiles")) as leaves,
        closing(read_checkpoints(connection)) as checkpoints,
        closing(read_tiles(connection, "upper_tiles")) as tiles,
    ):
        verdict = verify(
            batches, leaves, checkpoints, tiles, read_size(connection), keys, signer.origin, signer.has_sealed, _gone_among(connection)
        )
    if not verdict.ok:
        return verdict
    for check in (_tampered, _cosigned_wrongly, _witnessed_too_little, _stamped_wrongly, _archived_wrongly):
        wrong = check(connection, signer, demand, verdict)
        if wrong is not None:
            return wrong
    return replace(verdict, foreign=tuple(row[0] for row in connection.execute(queries("ledger")["foreign"])))


def _gone_among(connection: Connection) -> Callable[[Sequence[bytes]], set[bytes]] | None:
    """What tells copies of batches whose bodies are gone; None when none are."""
    named = queries("ledger")
    if connection.execute(named["is_any_gone"]).fetchone() == (False,):
        return None
    return lambda digests: {bytes(row[0]) for row in connection.execute(named["gone_among"], {"digests": list(digests)})}


def _tampered(connection: Connection, _: Signer, __: Demand, verdict: Verdict) -> Verdict | None:
    """What is wrong with the tables beside the tree: what waits, the places, the index."""
    named = queries("ledger")
    twice = [row[0] for row in connection.execute(named["twice"])]
    if twice:
        begins = connection.execute(named["position_of_batch"], {"batch": twice[0]}).fetchone()
        return misfit(verdict.size, verdict.root, "twice", 0 if begins is None else begins[0])
    copied = connection.execute(named["copies"]).fetchone()
    if copied is not None:
        begins = connection.execute(named["position_of_batch"], {"batch": copied[0]}).fetchone()
        return misfit(verdict.size, verdict.root, "copy", 0 if begins is None else begins[0])
    other = connection.execute(named["places_of_others"]).fetchone()
    if other is not None:
        return misfit(verdict.size, verdict.root, "place", other[0])
    gone = connection.execute(named["gone_of_others"]).fetchone()
    if gone is not None:
        return misfit(verdict.size, verdict.root, gone[1], gone[0])
    unindexed = "{" + ",".join(f"[{begins},{ends})" for begins, ends in verdict.unindexed) + "}"
    sums, expected = connection.execute(named["index_sums"], {"unindexed": unindexed}).fetchone(), verdict.index
    if expected is not None and sums != (expected.rows, expected.marks, expected.both):
        return misfit(verdict.size, verdict.root, "index", 0, max(verdict.size - 1, 0))
    return None


def _cosigned_wrongly(connection: Connection, signer: Signer, _: Demand, verdict: Verdict) -> Verdict | None:
    """The first line of a witness that does not hold."""
    for size, witness, line in connection.execute(queries("attesting")["all_cosignatures"]):
        try:
            is_right = read_note(_stored(connection, signer, size).note + line).cosigned_at(read_key(witness)) is not None
        except Unproved:
            is_right = False
        if not is_right:
            return misfit(verdict.size, verdict.root, "cosignature", size - 1)
    unsigned = connection.execute(queries("attesting")["said_to_have_signed"]).fetchone()
    return None if unsigned is None else misfit(verdict.size, verdict.root, "cosignature", max(unsigned[0] - 1, 0))


def _witnessed_too_little(connection: Connection, _: Signer, demand: Demand, verdict: Verdict) -> Verdict | None:
    """The first entry that should be under enough witnesses by now and is not. A later signature stands for all before it."""
    if not demand.needed or demand.now is None:
        return None
    asked = {"witnesses": [key.text for key in demand.witnesses], "needed": demand.needed}
    row = connection.execute(queries("attesting")["newest_cosigned"], asked).fetchone()
    witnessed = 0 if row is None else row[0]
    due = connection.execute(queries("attesting")["newest_before"], {"at": demand.now - TIME_TO_SIGN}).fetchone()
    is_late = due is not None and due[0] is not None and due[0] > witnessed
    return misfit(verdict.size, verdict.root, "witnesses", witnessed, verdict.size - 1) if is_late else None


def _stamped_wrongly(connection: Connection, signer: Signer, demand: Demand, verdict: Verdict) -> Verdict | None:
    """The first stamp that does not hold, or whose time is not what is kept of it."""
    if not demand.roots:
        return None
    for size, _, at, token in connection.execute(queries("attesting")["all_stamps"]):
        try:
            is_right = stamped_at(bytes(token), _stored(connection, signer, size).text, demand.roots) == at
        except LedgerError:
            is_right = False
        if not is_right:
            return misfit(verdict.size, verdict.root, "stamp", size - 1)
    return None


def _archived_wrongly(connection: Connection, signer: Signer, demand: Demand, verdict: Verdict) -> Verdict | None:
    """The first archive that is missing, does not prove itself, or is not what the list or the ledger says; one in which the chain breaks."""
    kept, told, digest = archives(connection), verdict.archives, ""
    for n in range(max(len(kept), len(told))):
        if n == len(kept):
            return misfit(verdict.size, verdict.root, "archive", told[n].begins, told[n].ends - 1)
        archive = kept[n]
        is_right = _is_as_told(archive, told[n], verdict) if n < len(told) else n == len(told) and _waits(connection)
        if demand.archives is not None and is_right and archive.dropped_at is None:
            is_right = _proves_itself(demand.archives / archive.name, signer, archive, digest)
        if not is_right:
            return misfit(verdict.size, verdict.root, "archive", archive.begins, max(archive.begins, archive.ends - 1))
        digest = archive.digest
    return None


def _is_as_told(archive: Archive, told: ToldArchive, verdict: Verdict) -> bool:
    """Whether a row of the list is what the ledger's entries tell; a time only where they do."""
    times: list[tuple[datetime | None, datetime | None]] = [(archive.at, told.at)]
    if archive.number in verdict.dropped_at:
        times.append((archive.dropped_at, verdict.dropped_at[archive.number]))
    return (
        (archive.number, archive.digest, archive.begins, archive.ends) == told[:4]
        and (archive.dropped_at is not None) is (archive.number in verdict.dropped_at)
        and all(found == expected for found, expected in times if expected is not None)
    )


def _waits(connection: Connection) -> bool:
    """Whether an entry has no place yet: it may be the one that tells of the newest archive."""
    return connection.execute(queries("ledger")["does_any_wait"]).fetchone() == (True,)


def _proves_itself(path: Path, signer: Signer, archive: Archive, previous: str) -> bool:
    try:
        with path.open("rb") as file:
            kept = check_archive(file, Key(signer.origin, ED25519, signer.public_key))
    except (Unproved, OSError):
        return False
    return (kept.begins, kept.ends, kept.digest, kept.previous) == (archive.begins, archive.ends, archive.digest, previous)


def _stored(connection: Connection, signer: Signer, size: int) -> StoredNote:
    found = note_of(connection, signer, size)
    if found is None:
        raise LedgerError(f"There is no checkpoint of size {size}.")
    return found
