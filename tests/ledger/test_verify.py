"""Whatever is done to a stored ledger is found, and the first entry that does not fit is named."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lienthong.errors import LedgerError
from lienthong.ledger import Entry, Event, Form, Frontier, Signer, SubjectKey, Verdict, decode, encode, leaf_hash, subject_hash, verify
from lienthong.ledger.verify import StoredBatch, StoredEntry

SIGNER = Signer.new()
AT = datetime(2026, 7, 1, tzinfo=UTC)
BATCHES = (1, 3, 2, 5, 4)


def make_entry(number: int) -> Entry:
    return Entry(
        AT, Event.ANSWER_RECORD, "VN/GOV/H10.12/x", purpose="check", dataset="d", version=number, fields=("a",), details={"n": number}
    )


def make_ledger() -> tuple[list[StoredEntry], list[StoredBatch], tuple[int, tuple[bytes, ...]]]:
    entries: list[StoredEntry] = []
    batches: list[StoredBatch] = []
    frontier = Frontier()
    for count in BATCHES:
        bodies = [encode(make_entry(frontier.size + n)) for n in range(count)]
        leaves = [leaf_hash(body) for body in bodies]
        entries += [(frontier.size + n, body, leaf) for n, (body, leaf) in enumerate(zip(bodies, leaves, strict=True))]
        frontier = frontier.append(leaves)
        batches.append((frontier.size, frontier.root, AT, SIGNER.key_id, SIGNER.sign_checkpoint(frontier.size, frontier.root, AT)))
    return entries, batches, (frontier.size, frontier.peaks)


def check(entries: list[StoredEntry], batches: list[StoredBatch], head: tuple[int, tuple[bytes, ...]]) -> Verdict:
    return verify(entries, batches, head, {SIGNER.key_id: SIGNER.public_key}, SIGNER.origin)


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
    assert check([], [], (0, ())).ok


@given(positions)
def test_an_altered_body_is_named(position: int) -> None:
    entries, batches, head = make_ledger()
    _, body, leaf = entries[position]
    entries[position] = (position, body.replace(b"check", b"chose"), leaf)
    verdict = check(entries, batches, head)
    assert (verdict.reason, verdict.first_misfit) == ("altered", position)


@given(positions)
def test_an_altered_body_with_its_leaf_recomputed_gives_its_batch_away(position: int) -> None:
    entries, batches, head = make_ledger()
    body = entries[position][1].replace(b"check", b"chose")
    entries[position] = (position, body, leaf_hash(body))
    verdict = check(entries, batches, head)
    assert (verdict.reason, (verdict.first_misfit, verdict.last_misfit)) == ("root", batch_of(position))


@given(positions)
def test_a_removed_entry_is_named(position: int) -> None:
    entries, batches, head = make_ledger()
    del entries[position]
    verdict = check(entries, batches, head)
    assert (verdict.reason, verdict.first_misfit) == ("missing", position)


@given(positions)
def test_an_inserted_entry_is_found(position: int) -> None:
    entries, batches, head = make_ledger()
    body = encode(make_entry(99))
    entries[position:position] = [(position, body, leaf_hash(body))]
    entries = [(n, body, leaf) for n, (_, body, leaf) in enumerate(entries)]
    verdict = check(entries, batches, head)
    assert not verdict.ok
    assert verdict.first_misfit is not None
    assert verdict.first_misfit <= position


@given(positions, positions)
def test_reordered_entries_are_found(one: int, other: int) -> None:
    entries, batches, head = make_ledger()
    entries[one], entries[other] = (one, *entries[other][1:]), (other, *entries[one][1:])
    assert check(entries, batches, head).ok is (one == other)


@given(st.integers(1, 5))
def test_a_truncated_ledger_does_not_fit_its_head(lost: int) -> None:
    entries, batches, head = make_ledger()
    kept = batches[:-lost] if lost < len(batches) else []
    size = kept[-1][0] if kept else 0
    verdict = check(entries[:size], kept, head)
    assert (verdict.reason, verdict.first_misfit) == ("head", size)


@given(st.integers(0, 4), st.sampled_from(["root", "at", "key", "signature"]))
def test_a_batch_altered_in_any_column_is_found(number: int, column: str) -> None:
    entries, batches, head = make_ledger()
    size, root, at, key, signature = batches[number]
    forged = Signer.new()
    if column == "root":
        batches[number] = (size, bytes(32), at, key, signature)
    elif column == "at":
        batches[number] = (size, root, at + timedelta(microseconds=1), key, signature)
    elif column == "key":
        batches[number] = (size, root, at, forged.key_id, forged.sign_checkpoint(size, root, at))
    else:
        batches[number] = (size, root, at, key, bytes(64))
    verdict = check(entries, batches, head)
    assert verdict.reason == ("signature" if column == "at" else column)
    assert verdict.first_misfit == (batches[number - 1][0] if number else 0)


def test_entries_beyond_the_last_signed_batch_are_found() -> None:
    entries, batches, head = make_ledger()
    body = encode(make_entry(99))
    verdict = check([*entries, (15, body, leaf_hash(body))], batches, head)
    assert (verdict.reason, verdict.first_misfit) == ("unsigned", 15)


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


def test_a_signer_comes_back_from_its_pem() -> None:
    assert Signer.from_pem(SIGNER.to_pem()).key_id == SIGNER.key_id
