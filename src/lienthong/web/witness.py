"""A witness: a small process of another agency that co-signs the checkpoints of logs it knows, and remembers what it signed.

It needs this package and a folder, no database. What it signed last is on disk before its signature leaves, so that not even a kill makes it
sign two trees that contradict each other; a platform restored from an old backup meets a witness that remembers.
"""

from __future__ import annotations

import fcntl
import json
import os
import sys
import threading
from base64 import b64decode, b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

from lienthong.clock import Clock, system_clock
from lienthong.errors import SettingsError
from lienthong.ledger.standalone import ED25519, Checkpoint, Key, Unproved, read_key
from lienthong.ledger.witness import LONGEST_REQUEST, Asked, Cosigner, Refused, consider, read_request
from lienthong.log import get_logger

ADD = "/add-checkpoint"
SECONDS_TO_READ = 10.0
TEXT = "text/plain; charset=utf-8"
SIZE = "text/x.tlog.size"
log = get_logger("witness")


@dataclass
class Witness:
    """A witness in its folder: `witness.pem` (its key, 0600), `logs` (keys of the logs it knows, one a line), `signed/` (what it signed last)."""

    folder: Path
    clock: Clock = system_clock
    cosigner: Cosigner = field(init=False)
    logs: tuple[Key, ...] = field(init=False)
    _turn: threading.Lock = field(init=False, default_factory=threading.Lock)

    def __post_init__(self) -> None:
        try:
            private = load_pem_private_key((self.folder / "witness.pem").read_bytes(), password=None)
            name = (self.folder / "name").read_text("utf-8").strip()
            lines = (self.folder / "logs").read_text("utf-8").split("\n")
            self.logs = tuple(read_key(line) for line in lines if line.strip())
        except (OSError, ValueError, Unproved) as error:
            raise SettingsError(f"`{self.folder}` is no folder of a witness.", hint="Make one: lienthong witness init FOLDER.") from error
        if not isinstance(private, Ed25519PrivateKey):
            raise SettingsError(f"The witness's key: expected Ed25519, found {type(private).__name__}.")
        self.cosigner = Cosigner(private, name)

    @classmethod
    def make(cls, folder: Path, name: str, logs: list[str]) -> Witness:
        """A new witness with a fresh key. Raises SettingsError when the folder has one, or a log's key cannot be read."""
        if (folder / "witness.pem").exists():
            raise SettingsError(f"`{folder}` has a witness already.", hint="Add logs to its file `logs`.")
        try:
            known = [read_key(text) for text in logs]
        except Unproved as error:
            raise SettingsError(str(error)) from error
        if any(key.kind != ED25519 for key in known) or not name or any(c.isspace() or c == "+" for c in name):
            raise SettingsError("A witness's name has no space and no +, and a log's key is its own, not a witness's.")
        (folder / "signed").mkdir(mode=0o700, parents=True, exist_ok=True)
        pem = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        _write(folder / "name", name.encode())
        _write(folder / "logs", "".join(f"{key.text}\n" for key in known).encode())
        _write(folder / "witness.pem", pem)
        return cls(folder)

    def add(self, asked: Asked) -> str:
        """The line of signature of a checkpoint that continues what was signed before, remembered first. Raises Refused."""
        with self._alone():
            found = consider(asked, self.logs, self.signed(asked.note.checkpoint.origin))
            self._remember(found)
            return self.cosigner.sign(asked.note, int(self.clock().timestamp()))

    def signed(self, origin: str) -> Checkpoint | None:
        """The last checkpoint signed of a log. Raises SettingsError when it was kept and cannot be read: then nothing may be signed."""
        path = self._place(origin)
        if not path.exists():
            return None
        try:
            kept = json.loads(path.read_bytes())
            return Checkpoint(kept["origin"], kept["size"], b64decode(kept["root"], validate=True))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise SettingsError(
                f"What was signed last is damaged: `{path.name}`.", hint="Restore it; without it this witness signs nothing."
            ) from error

    def _remember(self, checkpoint: Checkpoint) -> None:
        kept = {"origin": checkpoint.origin, "size": checkpoint.size, "root": b64encode(checkpoint.root).decode()}
        try:
            _write(self._place(checkpoint.origin), json.dumps(kept, ensure_ascii=False).encode())
        except OSError as error:
            raise SettingsError(
                f"What is signed cannot be kept: {error.strerror}.", hint="Nothing is signed until it can.",
                vi=f"Không ghi lại được điều sắp ký: {error.strerror}.", hint_vi="Chưa ghi được thì chưa ký.",
            ) from error  # fmt: skip

    def _place(self, origin: str) -> Path:
        return self.folder / "signed" / f"{sha256(origin.encode()).hexdigest()[:32]}.json"

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """One decision at a time, also when two processes serve the same folder."""
        with self._turn, (self.folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _write(path: Path, content: bytes) -> None:
    """The whole content or the old one, whatever happens meanwhile; on the disk when this returns."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


class WitnessServer(ThreadingHTTPServer):
    """`POST /add-checkpoint` (C2SP tlog-witness); `GET /` gives the witness's key."""

    daemon_threads = True

    def __init__(self, address: tuple[str, int], witness: Witness) -> None:
        super().__init__(address, _Handler)
        self.witness = witness

    def handle_error(self, request: object, client_address: object) -> None:  # noqa: ARG002 # the library's own would write a traceback to the terminal
        log.warning("witness_request_failed", error=type(sys.exception()).__name__)


class _Handler(BaseHTTPRequestHandler):
    timeout = SECONDS_TO_READ
    protocol_version = "HTTP/1.1"
    server: WitnessServer

    def do_GET(self) -> None:
        if self.path == "/":
            self._answer(200, self.server.witness.cosigner.key.text + "\n")
        else:
            self._answer(404, "There is nothing here.\n")

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        if self.path != ADD or not (length.isascii() and length.isdigit()) or int(length[:9]) > LONGEST_REQUEST:
            self.close_connection = True
            self._answer(404 if self.path != ADD else 400, f"POST {ADD} takes at most {LONGEST_REQUEST} bytes.\n")
            return
        try:
            line = self.server.witness.add(read_request(self.rfile.read(int(length))))
        except Refused as refused:
            log.info("checkpoint_refused", status=refused.status)
            is_size = refused.size is not None
            self._answer(refused.status, f"{refused.size}\n" if is_size else f"{refused}\n", SIZE if is_size else TEXT)
        except SettingsError as error:
            log.warning("witness_damaged", error=error.message)
            self._answer(500, f"{error}\n")
        else:
            self._answer(200, line)

    def _answer(self, status: int, text: str, kind: str = TEXT) -> None:
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:
        """Requests are not logged; refusals are, by name."""


def serve_witness(witness: Witness, host: str, port: int) -> None:
    """Serve until interrupted. Raises SettingsError for an address that is taken."""
    try:
        server = WitnessServer((host, port), witness)
    except OSError as error:
        raise SettingsError(f"{host}:{port} cannot be used: {error.strerror}.") from error
    with server:
        server.serve_forever()
