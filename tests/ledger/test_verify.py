"""Whatever is done to a stored ledger is found, and the first entry that does not fit is named."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from hypothesis import given, settings
from hypothesis import strategies as st

from lienthong.errors import LedgerError
from lienthong.ledger import (
    Edge,
    Entry,
    Event,
    Form,
    Signer,
    SubjectKey,
    Verdict,
    decode,
    encode,
    leaf_hash,
    signed_note,
    subject_hash,
    verify,
)
from lienthong.ledger.verify import StoredCheckpoint, StoredEntry, StoredTile

SIGNER = Signer.new()
AT = datetime(2026, 7, 1, tzinfo=UTC)
BATCHES = (1, 3, 2, 5, 4)


def make_entry(number: int) -> Entry:
    return Entry(
        AT, Event.ANSWER_RECORD, "VN/GOV/H10.12/x", purpose="check", dataset="d", version=number, fields=("a",), details={"n": number}
    )


def make_ledger(counts: Sequence[int] = BATCHES) -> tuple[list[StoredEntry], list[StoredCheckpoint], int]:
    entries: list[StoredEntry] = []
    checkpoints: list[StoredCheckpoint] = []
    edge = Edge()
    for count in counts:
        bodies = [encode(make_entry(edge.size + n)) for n in range(count)]
        leaves = [leaf_hash(body) for body in bodies]
        entries += [(edge.size + n, body, leaf) for n, (body, leaf) in enumerate(zip(bodies, leaves, strict=True))]
        edge, _ = edge.append(leaves)
        checkpoints.append((edge.size, edge.root, AT, SIGNER.key_id, SIGNER.sign_checkpoint(edge.size, edge.root, AT)))
    return entries, checkpoints, edge.size


def check(entries: Sequence[StoredEntry], checkpoints: Sequence[StoredCheckpoint], size: int, tiles: Sequence[StoredTile] = ()) -> Verdict:
    return verify(entries, checkpoints, tiles, size, {SIGNER.key_id: SIGNER.public_key}, SIGNER.origin)


def batch_of(position: int) -> tuple[int, int]:
    begins = 0
    for count in BATCHES:
        if position < begins + count:
            return begins, begins + count - 1
        begins += count
    raise AssertionError(position)


positions = st.integers(0, sum(BATCHES) - 1)


def test_an_untouched_ledger_verifies() -> None:
    verdict = check(*make_ledger())
    assert (verdict.ok, verdict.size, verdict.first_misfit) == (True, 15, None)


def test_an_empty_ledger_verifies() -> None:
    assert check([], [], 0).ok


@given(positions)
def test_an_altered_body_is_named(position: int) -> None:
    entries, checkpoints, size = make_ledger()
    _, body, leaf = entries[position]
    entries[position] = (position, (body or b"").replace(b"check", b"chose"), leaf)
    verdict = check(entries, checkpoints, size)
    assert (verdict.reason, verdict.first_misfit) == ("altered", position)


@given(positions)
def test_an_altered_body_with_its_leaf_recomputed_gives_its_batch_away(position: int) -> None:
    entries, checkpoints, size = make_ledger()
    body = (entries[position][1] or b"").replace(b"check", b"chose")
    entries[position] = (position, body, leaf_hash(body))
    verdict = check(entries, checkpoints, size)
    assert (verdict.reason, (verdict.first_misfit, verdict.last_misfit)) == ("root", batch_of(position))


@given(positions)
def test_a_removed_entry_is_named(position: int) -> None:
    entries, checkpoints, size = make_ledger()
    del entries[position]
    verdict = check(entries, checkpoints, size)
    assert (verdict.reason, verdict.first_misfit) == ("missing", position)


@given(positions)
def test_an_inserted_entry_is_found(position: int) -> None:
    entries, checkpoints, size = make_ledger()
    body = encode(make_entry(99))
    entries[position:position] = [(position, body, leaf_hash(body))]
    entries = [(n, body, leaf) for n, (_, body, leaf) in enumerate(entries)]
    verdict = check(entries, checkpoints, size)
    assert not verdict.ok
    assert verdict.first_misfit is not None
    assert verdict.first_misfit <= position


@given(positions, positions)
def test_reordered_entries_are_found(one: int, other: int) -> None:
    entries, checkpoints, size = make_ledger()
    entries[one], entries[other] = (one, *entries[other][1:]), (other, *entries[one][1:])
    assert check(entries, checkpoints, size).ok is (one == other)


@given(st.integers(1, 5))
def test_a_truncated_ledger_does_not_fit_its_size(lost: int) -> None:
    entries, checkpoints, size = make_ledger()
    kept = checkpoints[:-lost] if lost < len(checkpoints) else []
    left = kept[-1][0] if kept else 0
    verdict = check(entries[:left], kept, size)
    assert (verdict.reason, verdict.first_misfit) == ("size", left)


@given(st.integers(0, 4), st.sampled_from(["root", "at", "key", "signature"]))
def test_a_checkpoint_altered_in_any_column_is_found(number: int, column: str) -> None:
    entries, checkpoints, size = make_ledger()
    upto, root, at, key, signature = checkpoints[number]
    forged = Signer.new()
    if column == "root":
        checkpoints[number] = (upto, bytes(32), at, key, signature)
    elif column == "at":
        checkpoints[number] = (upto, root, at + timedelta(microseconds=1), key, signature)
    elif column == "key":
        checkpoints[number] = (upto, root, at, forged.key_id, forged.sign_checkpoint(upto, root, at))
    else:
        checkpoints[number] = (upto, root, at, key, bytes(64))
    verdict = check(entries, checkpoints, size)
    assert verdict.reason == ("signature" if column == "at" else column)
    assert verdict.first_misfit == (checkpoints[number - 1][0] if number else 0)


def test_entries_beyond_the_last_checkpoint_are_found() -> None:
    entries, checkpoints, size = make_ledger()
    body = encode(make_entry(99))
    verdict = check([*entries, (15, body, leaf_hash(body))], checkpoints, size)
    assert (verdict.reason, verdict.first_misfit) == ("unsigned", 15)


def test_a_batch_that_is_gone_is_named_by_its_first_entry() -> None:
    entries, checkpoints, size = make_ledger()
    verdict = check([*entries[:4], (4, None, b"")], checkpoints, size)
    assert (verdict.reason, verdict.first_misfit) == ("missing", 4)


def test_a_tile_above_the_leaves_that_was_altered_or_removed_is_named_by_the_first_entry_below_it() -> None:
    entries, checkpoints, size = make_ledger((300, 300))
    _, tiles = Edge().append([leaf for _, _, leaf in entries])
    upper = [(level, number, hashes) for (level, number), hashes in tiles.items() if level]
    assert [(level, number) for level, number, _ in upper] == [(1, 0)]
    assert check(entries, checkpoints, size, upper).ok
    for wrong in ([], [(1, 0, bytes(64))], [*upper, (1, 1, bytes(32))]):
        assert check(entries, checkpoints, size, wrong).reason == "tile"


@settings(max_examples=50)
@given(
    st.text(max_size=20), st.lists(st.text(max_size=5), max_size=3), st.dictionaries(st.text(max_size=5), st.integers(-5, 5), max_size=3)
)
def test_an_entry_comes_back_from_its_bytes(purpose: str, fields: list[str], details: dict[str, int]) -> None:
    entry = Entry(AT, Event.ANSWER_PAGE, "c", purpose=purpose, fields=tuple(fields), details=details)
    assert decode(encode(entry)) == entry


def test_the_order_of_details_does_not_change_the_bytes() -> None:
    one = Entry(AT, Event.RUN_PUBLISHED, "c", details={"a": 1, "b": 2})
    other = Entry(AT, Event.RUN_PUBLISHED, "c", details={"b": 2, "a": 1})
    assert encode(one) == encode(other)


@pytest.mark.parametrize("body", [b"", b"{}", b'{"v":1,"at":"x","event":"nothing","caller":"c"}', b'{"v":1,"extra":1}'])
def test_what_is_no_entry_is_refused(body: bytes) -> None:
    with pytest.raises(LedgerError):
        decode(body)


def test_a_subject_is_known_only_with_the_key() -> None:
    assert subject_hash(b"k", "population.persons", "1") == subject_hash(b"k", "population.persons", "1")
    assert subject_hash(b"k", "population.persons", "1") != subject_hash(b"other", "population.persons", "1")


@settings(max_examples=50)
@given(st.binary(max_size=100), st.text(max_size=20))
def test_a_subject_is_the_same_however_it_is_hashed(key: bytes, record: str) -> None:
    assert SubjectKey(key).hash("d", record) == subject_hash(key, "d", record)


@settings(max_examples=50)
@given(
    st.lists(st.text(max_size=8), min_size=6, max_size=6),
    st.lists(st.text(max_size=5), max_size=3),
    st.none() | st.integers(0, 2**31),
    st.sampled_from(["given", ""]),
)
def test_a_form_fills_in_the_very_bytes_of_its_entry(words: list[str], fields: list[str], version: int | None, outcome: str) -> None:
    caller, official, purpose, legal_basis, agreement, dataset = words
    form = Form(
        Event.ANSWER_RECORD, caller, official=official, purpose=purpose, legal_basis=legal_basis, agreement=agreement, dataset=dataset,
        fields=tuple(fields), outcome=outcome,
    )  # fmt: skip
    entry = Entry(
        AT, Event.ANSWER_RECORD, caller, official, purpose, legal_basis, agreement, dataset, version, "ab", tuple(fields), "", "cd", outcome
    )
    assert form.fill(AT.isoformat(), version, "ab", "cd").encode() == encode(entry)


def test_a_signed_note_is_read_as_c2sp_says() -> None:
    root = bytes(range(32))
    note = signed_note(SIGNER.origin, 7, root, AT, SIGNER.public_key, SIGNER.sign_checkpoint(7, root, AT))
    text, _, signatures = note.rpartition("\n\n")
    assert (text + "\n").splitlines()[:3] == [SIGNER.origin, "7", base64.b64encode(root).decode()]
    dash, name, encoded = signatures.removesuffix("\n").split(" ")
    assert (dash, name) == ("\N{EM DASH}", SIGNER.origin)
    raw = base64.b64decode(encoded)
    assert raw[:4] == hashlib.sha256(name.encode() + b"\n\x01" + SIGNER.public_key).digest()[:4]
    Ed25519PublicKey.from_public_bytes(SIGNER.public_key).verify(raw[4:], (text + "\n").encode())


def test_a_signer_comes_back_from_its_pem() -> None:
    assert Signer.from_pem(SIGNER.to_pem()).key_id == SIGNER.key_id
