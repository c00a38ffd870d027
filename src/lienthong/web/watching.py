"""A monitor of a ledger served elsewhere: every checkpoint it sees must continue the last one, be signed by enough witnesses, and be fresh.

It keeps what it saw in a file, so that a ledger that goes back, forks, or shows others something else is found, by whoever runs this.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from lienthong.errors import LedgerError
from lienthong.ledger.remote import RemoteLog
from lienthong.ledger.standalone import Checkpoint, Key, Note, Unproved, check_consistency, check_note, read_note, signature_line

LAST = "the last one seen"


@dataclass(frozen=True)
class Monitor:
    """What is demanded of a ledger, and where what was seen is kept. `fresh`: how old the newest checkpoint may be; None: as old as it likes."""

    log: Key
    kept: Path
    witnesses: tuple[Key, ...] = ()
    needed: int = 0
    fresh: timedelta | None = None

    def look(self, served: RemoteLog, now: datetime, others: Sequence[Note] = ()) -> Checkpoint:
        """The checkpoint served now, found to continue the last one seen and every other (of a mirror, a receipt, a witness).

        Raises LedgerError, naming what does not fit; what was seen last is then kept as it was, as evidence.
        """
        try:
            note = served.checkpoint()
            found = check_note(note, self.log, self.witnesses, self.needed)
            seen = self._seen()
            if seen is not None:
                self._continues(served, check_note(seen, self.log), found, LAST)
            for other in others:
                self._continues(served, check_note(other, self.log), found, "another one shown")
        except Unproved as error:
            raise LedgerError(str(error)) from error
        if self.fresh is not None and (found.at is None or now - found.at > self.fresh):
            raise LedgerError(f"The newest checkpoint is of {found.at}: older than {self.fresh}.", size=found.size)
        if seen is None or seen.text != note.text:
            self._keep(note)
        return found

    def _continues(self, served: RemoteLog, one: Checkpoint, other: Checkpoint, whose: str) -> None:
        if one.size > other.size and whose == LAST:
            raise LedgerError(f"The ledger went back from {one.size} entries to {other.size}.", size=other.size, seen=one.size)
        old, new = sorted((one, other), key=lambda checkpoint: checkpoint.size)
        try:
            check_consistency(old, new, served.consistency(old.size, new.size))
        except Unproved as error:
            raise LedgerError(
                f"SPLIT VIEW: the checkpoint of size {other.size} and {whose}, of size {one.size}, are not of one tree. {error}",
                hint=f"Keep `{self.kept}` and what is served now: both are signed, and that is the proof.",
                size=other.size,
                seen=one.size,
            ) from error

    def _seen(self) -> Note | None:
        return read_note(self.kept.read_text("utf-8")) if self.kept.exists() else None

    def _keep(self, note: Note) -> None:
        text = f"{note.text}\n" + "".join(signature_line(name, raw) for name, raw in note.signatures)
        fresh = self.kept.with_name(f".{self.kept.name}.{os.getpid()}")
        fresh.write_text(text, "utf-8")
        fresh.replace(self.kept)
