"""Makes and verifies the proof of what was done."""

from lienthong.ledger.checkpoint import Signer, SigningKey, checkpoint_text, key_id, new_key_pem, signed_note, verify_checkpoint
from lienthong.ledger.entry import Entry, Form, decode, encode
from lienthong.ledger.event import Event
from lienthong.ledger.marks import mark_of, mark_of_whole, marks_of, pack_subjects, unpack_subjects
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
from lienthong.ledger.tiles import (
    Edge,
    Tiles,
    edge_tiles,
    tiled_consistency_proof,
    tiled_inclusion_proof,
    tiled_peaks,
    tiles_around,
)
from lienthong.ledger.tiles import split as split_tile
from lienthong.ledger.verify import StoredBatch, StoredCheckpoint, StoredTile, Verdict, misfit, verify

__all__ = [
    "Edge",
    "Entry",
    "Event",
    "Form",
    "Frontier",
    "Signer",
    "SigningKey",
    "StoredBatch",
    "StoredCheckpoint",
    "StoredTile",
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
    "mark_of",
    "mark_of_whole",
    "marks_of",
    "misfit",
    "new_key_pem",
    "node_hash",
    "pack_subjects",
    "root_from_inclusion",
    "signed_note",
    "split_tile",
    "subject_hash",
    "tiled_consistency_proof",
    "tiled_inclusion_proof",
    "tiled_peaks",
    "tiles_around",
    "tree_root",
    "unpack_subjects",
    "verify",
    "verify_checkpoint",
]
