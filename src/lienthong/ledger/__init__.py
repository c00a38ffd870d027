"""Makes and verifies the proof of what was done."""

from lienthong.ledger.checkpoint import Signer, checkpoint_text, key_id, signed_note, verify_checkpoint
from lienthong.ledger.entry import Entry, Form, decode, encode
from lienthong.ledger.event import Event
from lienthong.ledger.merkle import (
    Frontier,
    consistency_proof,
    inclusion_proof,
    is_consistent,
    leaf_hash,
    node_hash,
    root_from_inclusion,
    tree_root,
)
from lienthong.ledger.subject import SubjectKey, subject_hash
from lienthong.ledger.tiles import Edge, Tiles, edge_tiles, tiled_inclusion_proof
from lienthong.ledger.tiles import split as split_tile
from lienthong.ledger.verify import Verdict, verify

__all__ = [
    "Edge",
    "Entry",
    "Event",
    "Form",
    "Frontier",
    "Signer",
    "SubjectKey",
    "Tiles",
    "Verdict",
    "checkpoint_text",
    "consistency_proof",
    "decode",
    "edge_tiles",
    "encode",
    "inclusion_proof",
    "is_consistent",
    "key_id",
    "leaf_hash",
    "node_hash",
    "root_from_inclusion",
    "signed_note",
    "split_tile",
    "subject_hash",
    "tiled_inclusion_proof",
    "tree_root",
    "verify",
    "verify_checkpoint",
]
