"""The tree is the one of RFC 6962, and its proofs prove nothing else."""

from __future__ import annotations

import json
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from lienthong.ledger import Frontier, consistency_proof, inclusion_proof, is_consistent, leaf_hash, root_from_inclusion, tree_root

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "rfc6962.json").read_text("utf-8"))
LEAVES = [leaf_hash(bytes.fromhex(leaf)) for leaf in VECTORS["leaves"]]


def test_roots_are_those_of_the_reference_implementation() -> None:
    assert [tree_root(LEAVES[: n + 1]).hex() for n in range(8)] == VECTORS["roots"]


def test_the_root_of_nothing_is_the_hash_of_nothing() -> None:
    assert Frontier().root.hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


@settings(max_examples=50)
@given(st.integers(0, 200), st.integers(0, 200))
def test_appending_in_parts_gives_the_same_tree(first: int, second: int) -> None:
    leaves = [leaf_hash(str(n).encode()) for n in range(first + second)]
    assert Frontier().append(leaves[:first]).append(leaves[first:]) == Frontier().append(leaves)


@settings(max_examples=60)
@given(st.integers(1, 60), st.data())
def test_an_inclusion_proof_leads_to_the_root_from_its_own_leaf_only(size: int, data: st.DataObject) -> None:
    leaves = [leaf_hash(str(n).encode()) for n in range(size)]
    index = data.draw(st.integers(0, size - 1))
    proof = inclusion_proof(leaves, index)
    assert root_from_inclusion(leaves[index], index, size, proof) == tree_root(leaves)
    assert root_from_inclusion(leaf_hash(b"other"), index, size, proof) != tree_root(leaves)
    assert root_from_inclusion(leaves[index], index, size, (*proof, leaves[0])) is None


@settings(max_examples=60)
@given(st.integers(1, 60), st.data())
def test_a_consistency_proof_shows_a_prefix_and_no_fork(size: int, data: st.DataObject) -> None:
    leaves = [leaf_hash(str(n).encode()) for n in range(size)]
    old = data.draw(st.integers(1, size))
    proof = consistency_proof(leaves, old)
    assert is_consistent(old, size, tree_root(leaves[:old]), tree_root(leaves), proof)
    forked = [leaf_hash(b"forged"), *leaves[1:old]]
    assert not is_consistent(old, size, tree_root(forked), tree_root(leaves), proof)
