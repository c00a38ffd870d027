"""The ledger at the terminal."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest
from typer.testing import CliRunner

from lienthong.cli.main import app

FORGED = 5_000


def test_thousands_of_batches_the_platform_did_not_write_are_told_as_the_first_few_and_a_count(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"DATABASE_URL": database_url, "HOME": tmp_path, "DATASETS": tmp_path, "AGREEMENTS": tmp_path, "INDICATORS": tmp_path}.items():  # fmt: skip
        monkeypatch.setenv(f"LIENTHONG_{name}", str(value))
    with psycopg.connect(database_url) as connection:
        connection.execute("insert into lienthong.ledger_batches (bodies, seal) select '{}', '' from generate_series(1, %s)", (FORGED,))
    done = CliRunner().invoke(app, ["--lang", "en", "ledger", "verify"])
    assert "(5000): 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 and 4990 more" in str(done.exception)
    logged = [line for line in done.output.splitlines() if "ledger_batches_refused" in line]
    assert len(logged) > 0
    assert max(map(len, logged)) < 300
