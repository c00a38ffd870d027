"""A witness signs what continues, refuses every fork and rollback; what it signs, C2SP's formats and the file for auditors agree with our tree."""

from __future__ import annotations

import struct
from base64 import b64encode
from contextlib import suppress
from datetime import UTC, datetime
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from hypothesis import given, settings
from hypothesis import strategies as st

from lienthong.ledger import (
    Edge,
    Signer,
    Tiles,
    consistency_proof,
    inclusion_proof,
    is_consistent,
    signed_note,
    tiled_consistency_proof,
    tiled_peaks,
    tree_root,
)
from lienthong.ledger.standalone import (
    ED25519,
    Checkpoint,
    Growing,
    Key,
    Unproved,
    check_consistency,
    check_note,
    read_key,
    read_note,
    root_by_inclusion,
)
from lienthong.ledger.witness import Asked, Cosigner, Refused, consider, read_request, write_request

AT = datetime(2026, 7, 1, tzinfo=UTC)
SIGNER = Signer.new("lienthong/test")
LOG = Key(SIGNER.origin, ED25519, SIGNER.public_key)
WITNESS = Cosigner(Ed25519PrivateKey.generate(), "so-noi-vu.example")


def leaves_of(count: int, fork: int = 0) -> list[bytes]:
    return [sha256(f"{n} {fork if n >= count // 2 else 0}".encode()).digest() for n in range(count)]


def note_of(leaves: list[bytes], signer: Signer = SIGNER) -> str:
    root = tree_root(leaves)
    return signed_note(signer.origin, len(leaves), root, AT, signer.public_key, signer.sign_checkpoint(len(leaves), root, AT))


def asked(old: int, leaves: list[bytes], signer: Signer = SIGNER) -> Asked:
    proof = consistency_proof(leaves, old) if 0 < old <= len(leaves) else ()
    return read_request(write_request(old, proof, note_of(leaves, signer)))


def refusal(request: Asked, signed: Checkpoint | None) -> tuple[int, int | None]:
    with pytest.raises(Refused) as raised:
        consider(request, [LOG], signed)
    return raised.value.status, raised.value.size


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 700), st.integers(0, 700))
def test_proofs_from_tiles_are_those_of_the_tree(one: int, other: int) -> None:
    old, size = sorted((one, other))
    leaves = leaves_of(size)
    tiles: Tiles = Edge().append(leaves)[1]

    def tile(level: int, number: int) -> bytes:
        return tiles.get((level, number), b"")

    proof = tiled_consistency_proof(old, size, tile)
    assert proof == (consistency_proof(leaves, old) if old else ())
    check_consistency(Checkpoint("", old, tree_root(leaves[:old])), Checkpoint("", size, tree_root(leaves)), proof)
    assert Growing(old, tiled_peaks(old, tile)).root == tree_root(leaves[:old])


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 60), st.integers(1, 60), st.integers(0, 3), st.binary(min_size=32, max_size=32))
def test_two_writings_of_the_same_check_agree_on_any_proof(one: int, other: int, drop: int, noise: bytes) -> None:
    old, size = sorted((one, other))
    leaves = leaves_of(size)
    proof = list(consistency_proof(leaves, old))
    variants = [proof, proof[: max(len(proof) - drop, 0)], [*proof, noise], [noise if n == drop else step for n, step in enumerate(proof)]]
    before, after = tree_root(leaves[:old]), tree_root(leaves)
    for variant in variants:
        try:
            check_consistency(Checkpoint("", old, before), Checkpoint("", size, after), variant)
            holds = True
        except Unproved:
            holds = False
        assert holds == is_consistent(old, size, before, after, variant)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 300), st.data())
def test_an_audit_path_leads_to_the_root_only_from_its_own_place(size: int, data: st.DataObject) -> None:
    leaves = leaves_of(size)
    index = data.draw(st.integers(0, size - 1))
    other = data.draw(st.integers(0, size - 1))
    proof = inclusion_proof(leaves, index)
    assert root_by_inclusion(leaves[index], index, size, proof) == tree_root(leaves)
    if other != index:
        with suppress(Unproved):
            assert root_by_inclusion(leaves[index], other, size, proof) != tree_root(leaves)
    with pytest.raises(Unproved):
        root_by_inclusion(leaves[index], index, size, [*proof, bytes(32)])


def test_a_witness_signs_the_first_checkpoint_and_what_continues_it() -> None:
    leaves = leaves_of(300)
    signed = consider(asked(0, leaves[:100]), [LOG], None)
    assert signed.size == 100
    assert consider(asked(100, leaves), [LOG], signed).size == 300
    assert consider(asked(100, leaves[:100]), [LOG], signed) == signed


def test_a_witness_refuses_forks_rollbacks_and_strangers_as_c2sp_says() -> None:
    leaves = leaves_of(300)
    signed = Checkpoint(SIGNER.origin, 200, tree_root(leaves[:200]))
    other = Signer.new(SIGNER.origin)
    fork = leaves_of(300, fork=1)
    assert refusal(asked(100, leaves), signed) == (409, 200)  # it has signed more than the log remembers
    assert refusal(asked(0, leaves[:100]), signed) == (409, 200)  # rolled back
    assert refusal(asked(200, fork), signed) == (422, None)
    assert refusal(asked(200, fork[:200]), signed) == (409, 200)  # another tree of the same size
    assert refusal(asked(200, leaves, other), signed) == (403, None)
    assert refusal(asked(200, leaves, Signer.new("elsewhere")), signed) == (404, None)
    assert refusal(asked(301, leaves), signed) == (400, None)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"old\n\n",
        b"old -1\n\nx",
        b"new 1\n\nx",
        b"old 1\nAAAA\n\nx",
        b"old 1\n\xff\n\n",
        b"old 1\n" + b"A" * 43 + b"=\n" * 64 + b"\nx",
    ],
)
def test_what_is_no_request_is_refused(body: bytes) -> None:
    with pytest.raises(Refused) as raised:
        read_request(body)
    assert raised.value.status == 400


def test_a_cosignature_is_c2sp_v1_and_counts_towards_a_quorum() -> None:
    note = note_of(leaves_of(5))
    seconds = 1_700_000_000
    line = WITNESS.sign(read_note(note), seconds)
    cosigned = read_note(note + line)
    name, raw = cosigned.signatures[-1]
    assert name == "so-noi-vu.example"
    assert raw[:4] == sha256(name.encode() + b"\n\x04" + WITNESS.key.public).digest()[:4]
    assert struct.unpack(">Q", raw[4:12]) == (seconds,)
    message = f"cosignature/v1\ntime {seconds}\n".encode() + note.partition("\n\n")[0].encode() + b"\n"
    Ed25519PublicKey.from_public_bytes(WITNESS.key.public).verify(raw[12:], message)
    other = Cosigner(Ed25519PrivateKey.generate(), "other").key
    assert check_note(cosigned, LOG, [WITNESS.key, other], 1).size == 5
    for witnesses, needed in (([WITNESS.key, other], 2), ([other], 1), ([WITNESS.key, WITNESS.key], 2)):
        with pytest.raises(Unproved):
            check_note(cosigned, LOG, witnesses, needed)


def test_a_key_comes_back_from_its_text_and_one_that_does_not_fit_is_refused() -> None:
    assert read_key(LOG.text) == LOG
    assert read_key(WITNESS.key.text) == WITNESS.key
    name, hint, rest = LOG.text.split("+", 2)
    for wrong in ("", name, f"{name}+00000000+{rest}", f"other+{hint}+{rest}", f"{name}+{hint}+{b64encode(b'x').decode()}"):
        with pytest.raises(Unproved):
            read_key(wrong)


@pytest.mark.parametrize("damage", [lambda n: n.replace("300", "301"), lambda n: n[:-1], lambda n: n.replace("\n\n", "\n"), lambda n: "", lambda n: n.replace("at 2026", "at 2025")])  # fmt: skip
def test_a_note_that_was_touched_proves_nothing(damage: object) -> None:
    note = note_of(leaves_of(300))
    assert callable(damage)
    with pytest.raises(Unproved):
        check_note(read_note(damage(note)), LOG)
