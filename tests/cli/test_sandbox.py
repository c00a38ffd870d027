"""What the sandbox is started with: nothing of production's."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

from lienthong.cli.sandbox import HANDED_ON, settings_of_sandbox
from lienthong.settings import Settings


def test_the_sandbox_has_its_own_key_folders_and_database_and_its_workers_are_told(tmp_path: Path) -> None:
    production = Settings(
        home=tmp_path, database_url="postgresql:///one", sandbox_database_url="postgresql:///two", ledger_key="pkcs11:token=t", witnesses="w@",
        witnesses_needed=1, stamp_url="http://x", nats_url="nats://x",
    )  # fmt: skip
    made = settings_of_sandbox(production)
    assert (made.ledger_key, made.witnesses, made.witnesses_needed, made.stamp_url, made.nats_url) == ("", "", 0, "", "")
    own = (made.home, made.agreements, made.syncs, made.archive, made.backups)
    assert all(path == tmp_path / "sandbox" or path.parent == tmp_path / "sandbox" for path in own)
    changed = {spec.name for spec in fields(Settings) if getattr(made, spec.name) != getattr(production, spec.name)}
    assert changed <= set(HANDED_ON)
