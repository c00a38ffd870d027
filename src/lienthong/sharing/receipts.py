"""Receipts: what proves to the one who was answered, or whose data it was, that an entry is in the ledger. Checked offline by `ledger.standalone`."""

from __future__ import annotations

import json
from base64 import b64encode
from dataclasses import dataclass
from typing import Any

from lienthong.errors import NotFound
from lienthong.ledger import Signer, leaf_hash, mark_of, tiled_inclusion_proof
from lienthong.ledger.standalone import ED25519, RECEIPT, Key, read_note
from lienthong.store import Connection
from lienthong.store.attesting import cosigned_note
from lienthong.store.found import found
from lienthong.store.ledger import tile_reader

LATEST = 2**62
MOST_LOOKED_AT = 1_000  # entries of one mark


@dataclass(frozen=True)
class Notary:
    """Who signs: the log, its witnesses, and how many of them must have."""

    signer: Signer
    witnesses: tuple[Key, ...] = ()
    needed: int = 0


def receipt(connection: Connection, notary: Notary, position: int, body: str, *, with_body: bool = True) -> dict[str, Any]:
    """The receipt of an entry. `with_body` False: it proves that there is an entry, not what it says.

    Raises NotFound when its checkpoint is not signed by enough witnesses yet.
    """
    witnesses = [key.text for key in notary.witnesses]
    note = cosigned_note(connection, notary.signer, position + 1, witnesses, notary.needed)
    if note is None:
        raise NotFound(
            "The entry has no checkpoint yet that enough witnesses signed.", hint="Try again in some seconds.",
            vi="Bút toán chưa có điểm chốt được đủ nhân chứng ký.", hint_vi="Hãy thử lại sau vài giây.",
        )  # fmt: skip
    size = read_note(note).checkpoint.size
    proof = tiled_inclusion_proof(position, size, tile_reader(connection))
    return {
        "format": RECEIPT,
        "index": position,
        "leaf": b64encode(leaf_hash(body.encode())).decode(),
        **({"body": body} if with_body else {}),
        "proof": [b64encode(step).decode() for step in proof],
        "checkpoint": note,
        "log": Key(notary.signer.origin, ED25519, notary.signer.public_key).text,
        "witnesses": witnesses,
    }


def receipt_of_answer(connection: Connection, notary: Notary, caller: str, digest: str, before: int | None = None) -> dict[str, Any]:
    """The newest receipt of an answer with this digest (hex SHA-256) given to this subsystem, before a position when one is named.

    Raises NotFound when it was given none.
    """
    for entry in found(connection, [mark_of(digest)], LATEST if before is None else before, MOST_LOOKED_AT):
        if entry.body is None:
            continue
        said = json.loads(entry.body)
        if (said.get("caller"), said.get("answer_digest")) == (caller, digest):
            return receipt(connection, notary, entry.position, entry.body)
    raise NotFound(
        "You were given no answer with this digest, or it was given some seconds ago.",
        hint="A receipt is there some seconds after the answer; its digest is the SHA-256 of the answer's bytes.",
        vi="Không có câu trả lời nào cho hệ thống này với mã băm đó, hoặc vừa mới trả lời vài giây trước.",
        hint_vi="Biên nhận có sau câu trả lời vài giây; mã băm là SHA-256 của các byte trong câu trả lời.",
    )
