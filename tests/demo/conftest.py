"""One province of 20,000 persons for all tests of this room; they only read it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pytest

from demo.province import Manifest, generate


@dataclass(frozen=True)
class Province:
    folder: Path
    manifest: Manifest

    def truth(self, name: str) -> pl.DataFrame:
        return pl.read_parquet(self.folder / "truth" / f"{name}.parquet")


@pytest.fixture(scope="session")
def province(tmp_path_factory: pytest.TempPathFactory) -> Province:
    folder = tmp_path_factory.mktemp("province") / "out"
    return Province(folder, generate(folder, 20_000, 1))
