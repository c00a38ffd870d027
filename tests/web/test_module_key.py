"""The ledger's key in a module: SoftHSM stands for one; keys are made and brought in as the how-to says."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from lienthong.errors import LedgerError, SettingsError
from lienthong.ledger import Entry, Event, Signer
from lienthong.ledger.standalone import read_note
from lienthong.settings import Settings
from lienthong.store import Database
from lienthong.store.ledger import append_entries
from lienthong.web.keys import ledger_signer
from lienthong.web.module_key import ModuleKey
from tests.conftest import fresh_database
from tests.store.ledgers import verdict_of

MODULE = Path("/usr/lib/softhsm/libsofthsm2.so")
TOKEN, PIN = "so-kiem-chung", "135790"  # of a module made for this test
ENTRY = Entry(datetime(2026, 7, 1, tzinfo=UTC), Event.TOKEN_ISSUED, "VN/GOV/H10.12/tro-cap", outcome="issued")


@dataclass(frozen=True)
class Token:
    folder: Path

    def uri(self, label: str, *, token: str = TOKEN, pin: str = PIN, module: Path = MODULE) -> str:
        path = self.folder / f"pin-{pin}"
        path.write_text(pin + "\n")
        return f"pkcs11:token={token};object={label}?module-path={module}&pin-source=file:{path}"

    def make(self, label: str, kind: str = "EC:edwards25519") -> str:
        run("pkcs11-tool", "--module", str(MODULE), "--token-label", TOKEN, "--login", "--pin", PIN, "--keypairgen", "--key-type", kind,
            "--label", label)  # fmt: skip
        return self.uri(label)

    def bring_in(self, pem: Path, label: str) -> str:
        run("softhsm2-util", "--import", str(pem), "--token", TOKEN, "--label", label, "--id", "0a", "--pin", PIN)
        return self.uri(label)


def run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def token(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Token]:
    if not MODULE.exists() or shutil.which("pkcs11-tool") is None:
        pytest.skip("needs a software module (Debian: apt install softhsm2 opensc)")
    pytest.importorskip("pkcs11", reason="needs python-pkcs11 (pip install 'lienthong[pkcs11]')")
    folder = tmp_path_factory.mktemp("module")
    (folder / "tokens").mkdir()
    (folder / "softhsm2.conf").write_text(f"directories.tokendir = {folder}/tokens\nlog.level = ERROR\n")
    os.environ["SOFTHSM2_CONF"] = str(folder / "softhsm2.conf")  # read once, when the library is loaded
    run("softhsm2-util", "--init-token", "--free", "--label", TOKEN, "--pin", PIN, "--so-pin", "97531")
    yield Token(folder)
    del os.environ["SOFTHSM2_CONF"]


@pytest.fixture
def database(postgres_server: Any) -> Iterator[Database]:
    with fresh_database(postgres_server) as url:
        yield Database(url)


def settings_of(home: Path, uri: str) -> Settings:
    return Settings(home=home, ledger_key=uri)


def write(database: Database, signer: Signer) -> None:
    with database.connect() as connection:
        append_entries(connection, [ENTRY], signer)


def test_a_key_made_in_a_module_signs_a_ledger_that_verifies(token: Token, database: Database, tmp_path: Path) -> None:
    signer = ledger_signer(settings_of(tmp_path, token.make("made")))
    assert not (tmp_path / "keys" / "ledger.pem").exists()
    write(database, signer)
    verdict = verdict_of(database, signer)
    assert verdict.ok
    assert verdict.size == 1
    again = ledger_signer(settings_of(tmp_path, token.uri("made")))  # as another process would: the same key of seals
    write(database, again)
    verdict = verdict_of(database, signer)
    assert (verdict.ok, verdict.size, verdict.foreign) == (True, 2, ())  # one entry, twice: two batches, each sealed by the same key
    assert again.mark(b"text") == signer.mark(b"text")


def test_a_ledger_goes_on_under_its_key_brought_into_a_module(token: Token, database: Database, tmp_path: Path) -> None:
    in_file = ledger_signer(settings_of(tmp_path, ""))
    write(database, in_file)
    assert verdict_of(database, in_file).ok
    write(database, in_file)  # waits for its place while the key moves
    uri = token.bring_in(tmp_path / "keys" / "ledger.pem", "moved")
    (tmp_path / "keys" / "ledger.pem").unlink()
    in_module = ledger_signer(settings_of(tmp_path, uri))
    assert in_module.public_key == in_file.public_key
    write(database, in_module)
    verdict = verdict_of(database, in_module)
    assert (verdict.ok, verdict.size, verdict.foreign) == (True, 3, ())
    assert not (tmp_path / "keys" / "ledger.pem").exists()


def test_a_ledger_under_another_key_is_told_apart(token: Token, database: Database, tmp_path: Path) -> None:
    write(database, ledger_signer(settings_of(tmp_path, "")))
    verdict_of(database, ledger_signer(settings_of(tmp_path, "")))
    other = ledger_signer(settings_of(tmp_path, token.make("another")))
    assert not verdict_of(database, other).ok


def test_what_the_module_signed_is_read_by_the_offline_verifier(token: Token, tmp_path: Path) -> None:
    from lienthong.ledger import signed_note
    from lienthong.ledger.standalone import ED25519, Key

    signer = ledger_signer(settings_of(tmp_path, token.make("offline")))
    at, root = datetime(2026, 7, 1, tzinfo=UTC), bytes(32)
    note = signed_note(signer.origin, 7, root, at, signer.public_key, signer.sign_checkpoint(7, root, at))
    assert read_note(note).is_signed_by(Key(signer.origin, ED25519, signer.public_key))


def test_a_session_that_breaks_is_opened_anew_at_the_next_signature(token: Token) -> None:
    key = ModuleKey.named(token.make("broken"))
    before = key.sign(b"x")
    assert key._session is not None
    key._session.close()
    with pytest.raises(LedgerError, match="does not sign"):
        key.sign(b"x")
    assert key.sign(b"x") == before


@pytest.mark.parametrize(("change", "told"), [({"token": "khac"}, "no such token"), ({"module": Path("/nowhere.so")}, "/nowhere.so")])
def test_what_is_not_there_is_said_in_words(token: Token, change: dict[str, Any], told: str) -> None:
    with pytest.raises(SettingsError, match=told):
        ModuleKey.named(token.uri("made", **change))


def test_a_wrong_pin_is_said_at_the_terminal_and_not_shown(token: Token, tmp_path: Path) -> None:
    uri = token.make("at-the-terminal")
    right, wrong = uri, token.uri("at-the-terminal", pin="000000")
    done = [terminal(tmp_path, each, "ledger", "key") for each in (wrong, right)]
    assert (done[0].returncode, "the PIN is wrong" in done[0].stderr + done[0].stdout) == (1, True)
    assert "000000" not in (done[0].stderr + done[0].stdout).replace("pin-000000", "")
    assert done[1].stdout.startswith("lienthong/VN+")


def terminal(home: Path, uri: str, *words: str) -> subprocess.CompletedProcess[str]:
    """A command in a process of its own: whoever has not logged in there has to."""
    environment = {**os.environ, "LIENTHONG_HOME": str(home), "LIENTHONG_LEDGER_KEY": uri}
    return subprocess.run(
        [sys.executable, "-c", "from lienthong.cli import main; main()", *words],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_key_that_is_no_ed25519_key_is_not_taken(token: Token) -> None:
    uri = token.make("elliptic", "EC:prime256v1")
    with pytest.raises(SettingsError, match="no such Ed25519 key"):
        ModuleKey.named(uri)


@pytest.mark.parametrize(
    ("uri", "told"),
    [
        ("pkcs11:token=a;object=b?module-path=/x.so&pin-value=1234", "PIN does not stand"),
        ("pkcs11:token=a?module-path=/x.so&pin-source=/p", "lacks object"),
        ("file:/home/ledger.pem", "expected `pkcs11:"),
        ("pkcs11:token=a;object=b;serial=1?module-path=/x.so&pin-source=/p", "expected `pkcs11:"),
        ("pkcs11:token=a;object=b?module-path=/x.so&pin-source=/nowhere", "file of the PIN|module"),
    ],
)
def test_an_address_that_is_none_is_said_to_be_without_its_pin(uri: str, told: str) -> None:
    with pytest.raises(SettingsError, match=told) as raised:
        ModuleKey.named(uri)
    assert "1234" not in str(raised.value)
