"""Streams of chance that do not disturb one another: a column more or less changes nothing in the others."""

from __future__ import annotations

from hashlib import blake2b

from numpy.random import PCG64, Generator


def stream(seed: int, *purpose: str) -> Generator:
    """Chance for one purpose; the same seed and purpose give the same draws on every machine."""
    digest = blake2b("\x1f".join([str(seed), *purpose]).encode(), digest_size=16).digest()
    return Generator(PCG64(int.from_bytes(digest, "big")))
