"""Asks others to say what they saw of the ledger: witnesses to sign its checkpoints, an authority to stamp them with the time.

A witness that has signed a longer tree, or another one, has the last word: that this store went back, or forked, is told in the log and in
`/health`, and nothing here makes it go away.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import httpx

from lienthong.clock import Clock
from lienthong.errors import LedgerError, SettingsError, Unprocessable
from lienthong.ledger import Signer, tiled_consistency_proof
from lienthong.ledger.stamp import read_roots, stamp_request, stamped_at
from lienthong.ledger.standalone import COSIGNATURE, Key, Unproved, read_key, read_note, signature_line
from lienthong.ledger.witness import write_request
from lienthong.log import get_logger
from lienthong.settings import Settings
from lienthong.store import Connection, Database
from lienthong.store.attesting import (
    StoredNote,
    WitnessStanding,
    keep_cosignature,
    keep_stamp,
    keep_standing,
    last_stamp,
    newest_note,
    note_of,
    standings,
)
from lienthong.store.ledger import tile_reader

SECONDS_TO_ANSWER = 5.0
LONGEST_ANSWER = 64_000  # bytes
ASKED_AGAIN_AFTER = timedelta(minutes=1)  # also with nothing new: a store put back from a backup is told so before it writes
TRIES = 2  # what a witness signed last is asked at most once
log = get_logger("witness")


@dataclass(frozen=True)
class WitnessAt:
    """A witness and where it is asked; no `url`: it comes to fetch checkpoints itself, and hands its lines in."""

    key: Key
    url: str


def witnesses_of(settings: Settings) -> list[WitnessAt]:
    """The witnesses of the settings: `KEY@URL`, with spaces between. Raises SettingsError for one that cannot be read."""
    found = []
    for text in settings.witnesses.split():
        key, _, url = text.partition("@")
        try:
            witness = WitnessAt(read_key(key), url.rstrip("/"))
        except Unproved as error:
            raise SettingsError(f"LIENTHONG_WITNESSES: expected KEY@URL, found `{text[:60]}`.") from error
        if witness.key.kind != COSIGNATURE or not (url == "" or url.startswith(("http://", "https://"))):
            raise SettingsError(f"LIENTHONG_WITNESSES: expected KEY@URL of a witness, found `{text[:60]}`.")
        found.append(witness)
    if settings.witnesses_needed > len(found):
        raise SettingsError(f"LIENTHONG_WITNESSES_NEEDED: {settings.witnesses_needed} are needed, {len(found)} are named.")
    return found


def ask_witnesses(database: Database, signer: Signer, clock: Clock, witnesses: Sequence[WitnessAt]) -> int:
    """Show the newest checkpoint to every witness that has not signed it within the last minute; how many signed."""
    signed = 0
    with database.connect() as connection, httpx.Client(timeout=SECONDS_TO_ANSWER) as client:
        known = {standing.witness: standing for standing in standings(connection)}
        newest = newest_note(connection, signer)
        for witness in witnesses if newest is not None else ():
            assert newest is not None
            before = known.get(witness.key.text)
            if not witness.url or (before is not None and _has_signed(before, newest, clock())):
                continue
            state, size, status = _ask(connection, client, witness, newest, 0 if before is None else before.size)
            if state != "signed" and (before is None or before.state != state):
                log.error("witness_did_not_sign", state=state, witness=witness.key.name, size=newest.size, signed=size, status=status)
            keep_standing(connection, WitnessStanding(witness.key.text, size, clock(), state, status))
            connection.commit()
            signed += state == "signed"
    return signed


def _has_signed(before: WitnessStanding, newest: StoredNote, now: datetime) -> bool:
    return (before.state, before.size) == ("signed", newest.size) and now - before.asked_at < ASKED_AGAIN_AFTER


def _ask(connection: Connection, client: httpx.Client, witness: WitnessAt, newest: StoredNote, last: int) -> tuple[str, int, int | None]:
    """(state, size it has signed, status): what a witness says to a checkpoint; its line is kept."""
    for _ in range(TRIES):
        if last > newest.size:
            return "ahead", last, 409
        proof = tiled_consistency_proof(last, newest.size, tile_reader(connection))
        try:
            answer = client.post(f"{witness.url}/add-checkpoint", content=write_request(last, proof, newest.note))
        except httpx.HTTPError:
            return "away", last, None
        text = answer.text[:LONGEST_ANSWER]
        if answer.status_code == 200:
            return _keep(connection, witness, newest, text, last)
        if answer.status_code != 409 or not text.strip().isdecimal() or int(text.strip()[:18]) == last:
            return "refuses", last, answer.status_code
        last = int(text.strip()[:18])
    return ("ahead", last, 409) if last > newest.size else ("refuses", last, 409)


def _keep(connection: Connection, witness: WitnessAt, newest: StoredNote, line: str, last: int) -> tuple[str, int, int | None]:
    try:
        is_signed = read_note(newest.note + line).cosigned_at(witness.key) is not None and line.count("\n") == 1
    except Unproved:
        is_signed = False
    if not is_signed:
        return "refuses", last, 200
    keep_cosignature(connection, newest.size, witness.key.text, line)
    return "signed", newest.size, None


def take_cosignature(connection: Connection, signer: Signer, witnesses: Sequence[WitnessAt], text: str) -> None:
    """Keep the line a witness hands in itself, with the checkpoint it signed. Raises Unprocessable when it is not one of ours, or does not hold."""
    try:
        note = read_note(text)
        size = note.checkpoint.size
    except Unproved as error:
        raise Unprocessable("The body is no signed checkpoint.", vi="Nội dung không phải điểm chốt có chữ ký.") from error
    ours = note_of(connection, signer, size)
    signed = [witness for witness in witnesses if note.cosigned_at(witness.key) is not None]
    if ours is None or ours.text != note.text.encode() or not signed:
        raise Unprocessable(
            "This is no checkpoint of this ledger under a signature of its witnesses.",
            vi="Đây không phải điểm chốt của sổ này có chữ ký của nhân chứng đã đăng ký.",
        )
    for witness in signed:
        line = next(signature_line(name, raw) for name, raw in note.signatures if raw[:4] == witness.key.id and name == witness.key.name)
        keep_cosignature(connection, size, witness.key.text, line)


def stamp_newest(database: Database, signer: Signer, url: str, roots_pem: bytes) -> bool:
    """Have the newest checkpoint stamped by an authority; False when it is already. Raises LedgerError when none comes, or one that does not hold."""
    roots = read_roots(roots_pem)
    with database.connect() as connection:
        newest, last = newest_note(connection, signer), last_stamp(connection, url)
        if newest is None or (last is not None and last[0] == newest.size):
            return False
        request = stamp_request(newest.text)
        headers = {"Content-Type": "application/timestamp-query", "Accept": "application/timestamp-reply"}
        try:
            answer = httpx.post(url, content=request.as_bytes(), headers=headers, timeout=SECONDS_TO_ANSWER).raise_for_status()
        except httpx.HTTPError as error:
            raise LedgerError(f"The time-stamping authority does not answer: {type(error).__name__}.") from error
        token = answer.content[:LONGEST_ANSWER]
        keep_stamp(connection, newest.size, url, stamped_at(token, newest.text, roots, request), token)
    return True
