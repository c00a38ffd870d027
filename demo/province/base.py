"""The real base: tables of `demo/data`, and streams of chance that do not disturb one another."""

from __future__ import annotations

import csv
import gzip
import io
from functools import cache
from hashlib import blake2b
from importlib import resources
from pathlib import Path

import numpy as np
from numpy.random import PCG64, Generator

DATA = Path(__file__).parents[1] / "data"


@cache
def table(name: str) -> tuple[dict[str, str], ...]:
    """The rows of `demo/data/<name>.csv.gz`; lists of names are the package's."""
    file = DATA / f"{name}.csv.gz"
    names = resources.files("lienthong.synthetic").joinpath("data", file.name)
    text = gzip.decompress(file.read_bytes() if file.is_file() else names.read_bytes()).decode("utf-8")
    return tuple(csv.DictReader(io.StringIO(text)))


def stream(seed: int, register: str, purpose: str) -> Generator:
    """Chance of its own for each register and purpose: adding a register or changing one rate changes nothing else."""
    digest = blake2b(f"{seed}\x1f{register}\x1f{purpose}".encode(), digest_size=16).digest()
    return Generator(PCG64(int.from_bytes(digest, "big")))


def shares(weights: list[float]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Weights that sum to one."""
    found = np.asarray(weights, np.float64)
    total: float = found.sum()
    return found / total
