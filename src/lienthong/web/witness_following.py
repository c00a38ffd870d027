"""A witness that goes to the log itself, for an agency nobody can reach from outside: it fetches checkpoint and tiles, and hands its line in."""

from __future__ import annotations

import threading

import httpx

from lienthong.errors import SettingsError
from lienthong.ledger.remote import Fetch, RemoteLog
from lienthong.ledger.standalone import Unproved
from lienthong.ledger.witness import Asked, Refused
from lienthong.log import get_logger
from lienthong.web.witness import Witness

SECONDS_TO_ANSWER = 10.0
LONGEST_ANSWER = 1_000_000  # bytes
log = get_logger("witness")


def fetcher(client: httpx.Client, url: str) -> Fetch:
    """What gets a path of the log at an address, bounded. Raises httpx.HTTPError."""
    base = f"{url.rstrip('/')}/ledger/"

    def fetch(path: str) -> bytes:
        with client.stream("GET", base + path) as answer:
            answer.raise_for_status()
            found = b""
            for piece in answer.iter_bytes():
                found += piece
                if len(found) > LONGEST_ANSWER:
                    raise Unproved("Câu trả lời quá lớn · the answer is too large.")
        return found

    return fetch


def look(witness: Witness, client: httpx.Client, url: str) -> bool:
    """Sign the checkpoint served now, if it continues what was signed, and hand the line in; False when it was signed before.

    Raises Refused when it does not, Unproved when what is served is no log, httpx.HTTPError.
    """
    served = RemoteLog(fetcher(client, url))
    note = served.checkpoint()
    found, last = note.checkpoint, witness.signed(note.checkpoint.origin)
    size = 0 if last is None else last.size
    if last is not None and (last.size, last.root) == (found.size, found.root) and note.cosigned_at(witness.cosigner.key) is not None:
        return False
    proof = served.consistency(size, found.size) if size <= found.size else ()
    line = witness.add(Asked(size, proof, note))
    client.post(f"{url.rstrip('/')}/ledger/cosignatures", content=f"{note.text}\n{line}").raise_for_status()
    return True


def follow_log(witness: Witness, url: str, seconds: float, ended: threading.Event | None = None) -> None:
    """Look again and again until told to end. A refusal is told in the log each time: a log that has forked does not become whole again."""
    ended = ended or threading.Event()
    with httpx.Client(timeout=SECONDS_TO_ANSWER) as client:
        while True:
            try:
                if look(witness, client, url):
                    log.info("checkpoint_signed")
            except Refused as refused:
                log.warning("checkpoint_refused", status=refused.status, reason=str(refused))
            except Unproved as error:
                log.warning("log_not_readable", reason=str(error))
            except SettingsError as error:
                log.warning("witness_damaged", error=error.message)
            except httpx.HTTPError as error:
                log.warning("log_does_not_answer", error=type(error).__name__)
            if ended.wait(seconds):
                return
