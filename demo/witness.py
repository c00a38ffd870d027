"""The demo's witness: what another agency would run beside its own systems, with a folder and a key of its own."""

from __future__ import annotations

import socket
from dataclasses import replace
from pathlib import Path

NAME = "thanh-tra.mau.example"
SERVE = (
    "import sys; from pathlib import Path; from lienthong.web.witness import Witness, serve_witness; "
    "serve_witness(Witness(Path(sys.argv[1])), '127.0.0.1', int(sys.argv[2]))"
)


def log_key(home: Path) -> str:
    """The ledger's public key, made at the first start."""
    from lienthong.ledger.standalone import ED25519, Key
    from lienthong.settings import read_settings
    from lienthong.web.keys import ledger_signer

    signer = ledger_signer(replace(read_settings(), home=home))
    return Key(signer.origin, ED25519, signer.public_key).text


def prepare(home: Path) -> tuple[str, int]:
    """(what `LIENTHONG_WITNESSES` says, the port to serve at); the witness is made at the first start and remembers what it signed."""
    from lienthong.web.witness import Witness

    folder = home / "witness"
    witness = Witness(folder) if (folder / "witness.pem").exists() else Witness.make(folder, NAME, [log_key(home)])
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return f"{witness.cosigner.key.text}@http://127.0.0.1:{port}", port
