"""Whatever is done to a stored ledger is found, and the first entry that does not fit is named."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
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
    new_key_pem,
    signed_note,
    subject_hash,
    verify,
)
from lienthong.ledger.checkpoint import sealed_at
from lienthong.ledger.verify import LINE, StoredBatch, StoredCheckpoint, StoredTile

SIGNER = Signer.new()
AT = datetime(2026, 7, 1, tzinfo=UTC)
BATCHES = (1, 3, 2, 5, 4)


def make_entry(number: int) -> Entry:
    return Entry(
        AT, Event.ANSWER_RECORD, "VN/GOV/H10.12/x", purpose="check", dataset="d", version=number, fields=("a",), details={"n": number}
    )


@dataclass
class Kept:
    """A ledger as a store keeps it: batches, leaves, checkpoints, all open to whoever wants to change the past."""

    batches: list[list[bytes]]
    leaves: list[bytes]
    checkpoints: list[StoredCheckpoint]
    places: dict[int, tuple[int, int]]  # batch → (begins, entries)
    seals: list[bytes | None]
    gone: set[int]

    @property
    def bodies(self) -> list[bytes]:
        return [body for batch in self.batches for body in batch]

    def batch_at(self, position: int) -> tuple[int, int]:
        """(batch, line) of a position."""
        for number, batch in enumerate(self.batches):
            if position < len(batch):
                return number, position
            position -= len(batch)
        raise AssertionError(position)

    def upper(self) -> list[StoredTile]:
        _, tiles = Edge().append(self.leaves)
        return [StoredTile(level, number, hashes) for (level, number), hashes in tiles.items() if level]


def make_kept(counts: Sequence[int] = BATCHES, more: Mapping[int, Entry] = MappingProxyType({})) -> Kept:
    kept, edge = Kept([], [], [], {}, [], set()), Edge()
    for number, count in enumerate(counts):
        batch = [encode(more.get(edge.size + n, make_entry(edge.size + n))) for n in range(count)]
        leaves = [leaf_hash(body) for body in batch]
        begins = edge.size
        edge, _ = edge.append(leaves)
        signature = SIGNER.sign_checkpoint(edge.size, edge.root, AT)
        kept.batches.append(batch)
        kept.leaves += leaves
        kept.seals.append(SIGNER.seal(LINE.join(batch), AT))
        kept.places[number] = (begins, count)
        kept.checkpoints.append(StoredCheckpoint(edge.size, begins, 1, edge.root, AT, SIGNER.key_id, signature))
    return kept


def check(kept: Kept, size: int | None = None, tiles: Sequence[StoredTile] | None = None) -> Verdict:
    batches = []
    for number, batch in enumerate(kept.batches):
        begins, entries = kept.places.get(number, (None, None))
        if number in kept.gone:
            digest = hashlib.sha256(b"".join(leaf_hash(body) for body in batch)).digest()
            batches.append(StoredBatch(number, None, None, begins, entries, None, digest))
        elif batch:
            batches.append(StoredBatch(number, LINE.join(batch), kept.seals[number], begins, entries, AT))
    leaves = [StoredTile(0, n // 256, b"".join(kept.leaves[n : n + 256])) for n in range(0, len(kept.leaves), 256)]
    keys = {SIGNER.key_id: SIGNER.public_key}
    return verify(
        batches, leaves, kept.checkpoints, kept.upper() if tiles is None else tiles, sum(BATCHES) if size is None else size, keys,
        SIGNER.origin, SIGNER.has_sealed,
    )  # fmt: skip


def batch_of(position: int) -> tuple[int, int]:
    begins = 0
    for count in BATCHES:
        if position < begins + count:
            return begins, begins + count - 1
        begins += count
    raise AssertionError(position)


positions = st.integers(0, sum(BATCHES) - 1)


def test_an_untouched_ledger_verifies() -> None:
    verdict = check(make_kept())
    assert (verdict.ok, verdict.size, verdict.first_misfit, verdict.present) == (True, 15, None, 15)


def test_an_empty_ledger_verifies() -> None:
    assert check(make_kept(()), 0).ok


@given(positions)
def test_an_altered_body_is_named(position: int) -> None:
    kept = make_kept()
    number, line = kept.batch_at(position)
    kept.batches[number][line] = kept.batches[number][line].replace(b"check", b"chose")
    verdict = check(kept)
    assert (verdict.reason, verdict.first_misfit) == ("altered", position)


@given(positions)
def test_an_altered_body_with_its_leaf_recomputed_gives_its_batch_away(position: int) -> None:
    kept = make_kept()
    number, line = kept.batch_at(position)
    kept.batches[number][line] = kept.batches[number][line].replace(b"check", b"chose")
    kept.leaves[position] = leaf_hash(kept.batches[number][line])
    verdict = check(kept)
    assert (verdict.reason, (verdict.first_misfit, verdict.last_misfit)) == ("root", batch_of(position))


@given(positions)
def test_a_removed_entry_is_found_no_later_than_where_it_stood(position: int) -> None:
    kept = make_kept()
    number, line = kept.batch_at(position)
    del kept.batches[number][line]
    verdict = check(kept)
    assert verdict.reason in ("missing", "altered")
    assert verdict.first_misfit == position


@given(positions)
def test_an_inserted_entry_is_found(position: int) -> None:
    kept = make_kept()
    number, line = kept.batch_at(position)
    body = encode(make_entry(99))
    kept.batches[number].insert(line, body)
    kept.leaves.insert(position, leaf_hash(body))
    verdict = check(kept)
    assert not verdict.ok
    assert verdict.first_misfit is not None
    assert verdict.first_misfit <= batch_of(position)[1] + 1


@given(positions, positions)
def test_reordered_entries_are_found(one: int, other: int) -> None:
    kept = make_kept()
    (n, i), (m, j) = kept.batch_at(one), kept.batch_at(other)
    kept.batches[n][i], kept.batches[m][j] = kept.batches[m][j], kept.batches[n][i]
    kept.leaves[one], kept.leaves[other] = kept.leaves[other], kept.leaves[one]
    assert check(kept).ok is (one == other)


@given(st.integers(1, 5))
def test_a_truncated_ledger_does_not_fit_its_size(lost: int) -> None:
    kept = make_kept()
    left = make_kept(BATCHES[:-lost])
    assert check(left, len(kept.leaves)).reason == "size"
    assert check(left, len(kept.leaves)).first_misfit == len(left.leaves)


@given(st.integers(0, 4), st.sampled_from(["size", "begins", "root", "at", "key", "signature"]))
def test_a_checkpoint_altered_in_any_column_is_found(number: int, column: str) -> None:
    kept = make_kept()
    found = kept.checkpoints[number]
    forged = Signer.new()
    altered: dict[str, dict[str, Any]] = {
        "size": {"size": found.size + 1},
        "begins": {"begins": found.begins + 1},
        "root": {"root": bytes(32)},
        "at": {"at": found.at + timedelta(microseconds=1)},
        "key": {"key_id": forged.key_id, "signature": forged.sign_checkpoint(found.size, found.root, found.at)},
        "signature": {"signature": bytes(64)},
    }
    kept.checkpoints[number] = found._replace(**altered[column])
    verdict = check(kept)
    assert verdict.reason == {"at": "signature", "size": "missing"}.get(column, column)
    assert verdict.first_misfit == (found.size if column == "size" else found.begins)


def test_entries_beyond_the_last_checkpoint_are_found() -> None:
    kept = make_kept()
    kept.batches.append([encode(make_entry(99))])
    kept.seals.append(None)
    verdict = check(kept)
    assert (verdict.reason, verdict.first_misfit) == ("unsigned", 15)


@given(st.integers(0, 4), st.booleans())
def test_a_batch_that_is_gone_and_of_which_no_entry_tells_is_named(number: int, has_place: bool) -> None:
    kept = make_kept()
    kept.gone.add(number)
    if not has_place:
        del kept.places[number]
    verdict = check(kept)
    assert (verdict.reason, verdict.first_misfit) == ("missing", sum(BATCHES[:number]))


def telling(event: Event, *ranges: tuple[int, int]) -> Entry:
    return Entry(AT, event, "lienthong", details={"ranges": [list(each) for each in ranges]})


def test_bodies_the_ledger_itself_says_are_gone_are_counted_and_their_leaves_hold() -> None:
    kept = make_kept(more={14: telling(Event.BODIES_REMOVED, (1, 6)), 13: telling(Event.BODIES_DROPPED, (4, 6))})
    kept.gone |= {1, 2}
    verdict = check(kept)
    assert (verdict.ok, verdict.present, verdict.archived, verdict.gone) == (True, 10, 3, 2)
    kept.gone.add(3)
    assert (check(kept).reason, check(kept).first_misfit) == ("missing", 6)


@given(st.integers(0, 4), st.sampled_from(["begins", "entries"]))
def test_a_place_altered_in_any_column_is_found(number: int, column: str) -> None:
    for is_gone in (False, True):
        kept = make_kept(more={14: telling(Event.BODIES_REMOVED, (0, 10))})
        begins, entries = kept.places[number]
        kept.places[number] = (begins + 1, entries) if column == "begins" else (begins, entries + 1)
        if is_gone and number < 4:
            kept.gone.add(number)
        assert not check(kept).ok


@given(st.integers(0, 4), st.sampled_from([None, bytes(32)]))
def test_a_seal_altered_or_taken_off_is_found(number: int, seal: bytes | None) -> None:
    kept = make_kept()
    kept.seals[number] = seal
    verdict = check(kept)
    is_of_the_time_before = number == 0 and seal is None  # batches older than seals have none, and stand before all that have one
    assert verdict.reason == ("" if is_of_the_time_before else "seal")
    assert is_of_the_time_before or (verdict.first_misfit, verdict.last_misfit) == batch_of(sum(BATCHES[:number]))


def test_a_tile_above_the_leaves_that_was_altered_or_removed_is_named_by_the_first_entry_below_it() -> None:
    kept = make_kept((300, 300))
    upper = kept.upper()
    assert [(tile.level, tile.number) for tile in upper] == [(1, 0)]
    assert check(kept, 600, upper).ok
    for wrong in ([], [StoredTile(1, 0, bytes(64))], [*upper, StoredTile(1, 1, bytes(32))]):
        assert check(kept, 600, wrong).reason == "tile"


def test_leaves_beyond_the_tree_are_found() -> None:
    kept = make_kept()
    kept.leaves.append(bytes(32))
    assert check(kept, tiles=[]).reason == "tile"


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
    pem = new_key_pem()
    first, again = Signer.from_pem(pem), Signer.from_pem(pem)
    assert (first.key_id, first.mark("lô".encode()), first.secret) == (again.key_id, again.mark("lô".encode()), again.secret)
    assert again.has_sealed("lô".encode(), first.seal("lô".encode(), AT))


def test_a_seal_holds_wherever_the_key_lies_and_those_made_before_still_hold() -> None:
    private = Ed25519PrivateKey.generate()
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    in_file, elsewhere = Signer.from_pem(pem), Signer(Elsewhere(private))
    assert in_file.mark("lô".encode()) == elsewhere.mark("lô".encode())
    assert elsewhere.has_sealed("lô".encode(), in_file.seal("lô".encode(), AT))
    before = hmac.digest(hmac.digest(private.private_bytes_raw(), b"lienthong ledger seal", "sha256"), "lô".encode(), "sha256")
    assert in_file.has_sealed("lô".encode(), before)
    assert not in_file.has_sealed(b"other", before)
    assert not Signer.new().has_sealed("lô".encode(), in_file.seal("lô".encode(), AT))


def test_no_two_seals_of_a_batch_are_the_same_and_none_is_that_of_another_text() -> None:
    batch = b'{"v":1,"event":"x"}'
    one, other = SIGNER.seal(batch, AT), SIGNER.seal(batch, AT)
    assert one != other
    assert SIGNER.has_sealed(batch, one)
    assert SIGNER.has_sealed(batch, other)
    assert not SIGNER.has_sealed(batch, one[:16] + other[16:])
    assert not SIGNER.has_sealed(one[:16] + batch, one[16:])
    assert not SIGNER.has_sealed(one[16:24] + batch, one[:16] + one[24:])
    assert sealed_at(one) == AT
    assert not SIGNER.has_sealed(batch, one[:23] + bytes([one[23] ^ 1]) + one[24:])
    assert not SIGNER.has_sealed(batch[16:], batch[:16] + SIGNER.mark(batch))
    assert not any(SIGNER.has_sealed(batch, one[:n]) for n in range(len(one)))


@given(st.integers(1, 60))
def test_a_batch_whose_beginning_is_moved_into_its_seal_is_not_ours(cut: int) -> None:
    batch = LINE.join(encode(make_entry(n)) for n in range(3))
    for seal in (SIGNER.seal(batch, AT), before_times(batch), SIGNER.mark(batch)):
        assert SIGNER.has_sealed(batch, seal)
        assert not SIGNER.has_sealed(batch[cut:], seal[:-32] + batch[:cut] + seal[-32:])
    first = batch.index(LINE) + 1  # a whole entry
    seal = SIGNER.seal(batch, AT)
    assert not SIGNER.has_sealed(batch[first:], seal[:-32] + batch[:first] + seal[-32:])


def before_times(batch: bytes) -> bytes:
    """A seal as it was when it held a number and no time."""
    once = bytes(range(16))
    return once + SIGNER.mark(b"\0" + once + batch)


def test_seals_without_a_time_hold_and_tell_none() -> None:
    batch = encode(make_entry(1))
    assert [sealed_at(seal) for seal in (before_times(batch), SIGNER.mark(batch))] == [None, None]
    assert SIGNER.has_sealed(batch, before_times(batch))
    assert SIGNER.has_sealed(batch, SIGNER.mark(batch))


class Elsewhere:
    """A key nobody can read: it signs, and that is all."""

    def __init__(self, private: Ed25519PrivateKey) -> None:
        self.public_key = private.public_key().public_bytes_raw()
        self.sign = private.sign
