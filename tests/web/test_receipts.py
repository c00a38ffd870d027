"""An answer becomes a receipt that holds without the platform; a monitor outside finds a ledger that goes back or shows two faces."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import cryptography
import httpx
import pytest

from lienthong.errors import LedgerError
from lienthong.ledger import Entry, Event, Signer, signed_note, tree_root
from lienthong.ledger.remote import RemoteLog, tile_path
from lienthong.ledger.standalone import Key, read_key, read_note
from lienthong.store import append_entries
from lienthong.store.ledger_index import index_ledger
from lienthong.web.watching import Monitor
from lienthong.web.witness import Witness
from lienthong.web.witness_following import fetcher, look
from tests.conftest import fresh_database
from tests.web.served import RECORDS, Served, serving


@pytest.fixture(scope="module")
def served(postgres_server: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with fresh_database(postgres_server) as url, serving(url, Path(tmp_path_factory.mktemp("served"))) as made:
        yield made


@pytest.fixture(scope="module")
def key(served: Served) -> Key:
    return read_key(httpx.get(served.base + "/ledger/keys").text.splitlines()[0])


@pytest.fixture(scope="module")
def answered(served: Served) -> tuple[bytes, dict[str, Any]]:
    """(an answer's bytes, its receipt)."""
    headers = served.headers()
    answer = httpx.get(f"{served.base}{RECORDS}/7%2FGP-UBND", headers=headers).raise_for_status().content
    served.verdict()  # everything has its place
    index_ledger(served.workshop.database)
    receipt = httpx.get(f"{served.base}/v1/receipts/{sha256(answer).hexdigest()}", headers=headers).raise_for_status().json()
    return answer, receipt


def verifier(served: Served, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """The downloaded verifier, in a Python that has nothing but `cryptography` and what it needs."""
    (folder / "verify.py").write_bytes(httpx.get(served.base + "/ledger/verify.py").content)
    site = Path(cryptography.__file__).parents[1]
    (folder / "bare").mkdir(exist_ok=True)
    for name in ("cryptography", "cffi", "_cffi_backend*", "pycparser"):
        for path in site.glob(name):
            if not (folder / "bare" / path.name).exists():
                (folder / "bare" / path.name).symlink_to(path)
    run = f"import sys; sys.path.insert(0, {str(folder / 'bare')!r}); import runpy; sys.argv = ['verify.py', *sys.argv[1:]]; runpy.run_path('verify.py', run_name='__main__')"
    return subprocess.run([sys.executable, "-I", "-S", "-c", run, *words], cwd=folder, capture_output=True, text=True, check=False)


def test_the_downloaded_verifier_checks_a_receipt_with_nothing_but_cryptography(
    served: Served, key: Key, answered: tuple[bytes, dict[str, Any]], tmp_path: Path
) -> None:
    answer, receipt = answered
    (tmp_path / "answer.json").write_bytes(answer)
    (tmp_path / "receipt.json").write_text(json.dumps(receipt), "utf-8")
    done = verifier(served, tmp_path, "receipt", "receipt.json", "--key", key.text, "--answer", "answer.json")
    assert done.returncode == 0, done.stderr
    assert '"official": "can-bo-01"' in done.stdout
    assert "7/GP-UBND" not in done.stdout  # the receipt tells of the record only by its keyed hash
    (tmp_path / "answer.json").write_bytes(answer + b" ")
    assert verifier(served, tmp_path, "receipt", "receipt.json", "--key", key.text, "--answer", "answer.json").returncode == 1
    stranger = Key(key.name, 1, Signer.new().public_key)
    assert verifier(served, tmp_path, "receipt", "receipt.json", "--key", stranger.text).returncode == 1
    (tmp_path / "checkpoint.txt").write_text(receipt["checkpoint"], "utf-8")
    assert verifier(served, tmp_path, "checkpoint", "checkpoint.txt", "--key", key.text).returncode == 0
    witness = Witness.make(tmp_path / "w", "w", [key.text]).cosigner.key.text
    assert verifier(served, tmp_path, "checkpoint", "checkpoint.txt", "--key", key.text, "--witness", witness).returncode == 1


@pytest.mark.parametrize("field", ["index", "leaf", "body", "proof", "checkpoint"])
def test_a_receipt_changed_in_any_field_proves_nothing(
    served: Served, key: Key, answered: tuple[bytes, dict[str, Any]], field: str
) -> None:
    from lienthong.ledger.standalone import Unproved, check_receipt

    _, receipt = answered
    assert check_receipt(receipt, key)["outcome"] == "given"
    value = receipt[field]
    changed: dict[str, Any] = {
        "index": lambda: value + 1,
        "leaf": lambda: value[::-1],
        "body": lambda: value.replace("can-bo-01", "can-bo-02"),
        "proof": lambda: value[:-1],
        "checkpoint": lambda: value.replace("\n", "\n0", 1),
    }
    with pytest.raises(Unproved):
        check_receipt({**receipt, field: changed[field]()}, key)


def test_a_receipt_is_for_the_subsystem_that_was_answered(served: Served, answered: tuple[bytes, dict[str, Any]]) -> None:
    headers = served.headers()
    strange = Entry(datetime.now(UTC), Event.ANSWER_RECORD, "VN/GOV/H10.99/other", subject="ab" * 32, answer_digest="cd" * 32)
    with served.workshop.database.connect() as connection:
        append_entries(connection, [strange], served.workshop.signer)
    served.verdict()
    index_ledger(served.workshop.database)
    statuses = {
        path: httpx.get(f"{served.base}/v1/receipts/{path}", headers=headers).status_code
        for path in ("cd" * 32, "ef" * 32, "x", "AB" * 32, f"{sha256(answered[0]).hexdigest()}?before=0", f"{'ab' * 32}?before=-1")
    }
    assert list(statuses.values()) == [404, 404, 400, 400, 404, 400]
    assert httpx.get(f"{served.base}/v1/receipts/{'cd' * 32}").status_code == 401
    given = [entry for entry in served.bodies() if entry["event"] == "ledger:receipt:given"]
    assert [entry["details"]["position"] for entry in given] == [answered[1]["index"]]


def test_a_witness_that_comes_itself_proves_continuity_from_tiles_and_hands_its_line_in(served: Served, key: Key, tmp_path: Path) -> None:
    witness = Witness.make(tmp_path / "witness", "follower", [key.text])
    with httpx.Client() as client:
        served.headers()
        served.verdict()
        with pytest.raises(httpx.HTTPStatusError):  # this platform does not name it
            look(witness, client, served.base)
        signed = witness.signed(key.name)
        assert signed is not None
        assert signed.size > 0


def test_a_monitor_follows_a_ledger_that_grows_and_finds_one_that_goes_back_or_forks(served: Served, key: Key, tmp_path: Path) -> None:
    monitor = Monitor(key, tmp_path / "seen.txt", fresh=timedelta(minutes=10))
    now = datetime.now(UTC)
    with httpx.Client() as client:
        log = RemoteLog(fetcher(client, served.base))
        first = monitor.look(log, now)
        served.headers()
        served.verdict()
        second = monitor.look(log, now)
        assert second.size > first.size
        with pytest.raises(LedgerError, match="older"):
            monitor.look(log, now + timedelta(days=1))
        signer, leaves = served.workshop.signer, [bytes([n % 251]) * 32 for n in range(second.size + 5)]
        for size, reason in ((second.size + 5, "SPLIT VIEW"), (second.size, "SPLIT VIEW"), (first.size, "went back")):
            with pytest.raises(LedgerError, match=reason):
                monitor.look(forged(signer, leaves[:size], now), now)
        with pytest.raises(LedgerError, match="SPLIT VIEW"):  # others were shown another tree
            monitor.look(log, now, [forged(signer, leaves[: first.size], now).checkpoint()])
        with pytest.raises(LedgerError, match="nhân chứng"):
            Monitor(key, tmp_path / "other.txt", (Witness.make(tmp_path / "w", "w", [key.text]).cosigner.key,), 1).look(log, now)
        assert read_note((tmp_path / "seen.txt").read_text("utf-8")).checkpoint == second


def forged(signer: Signer, leaves: list[bytes], at: datetime) -> RemoteLog:
    """Another tree under the platform's own key, served as a log is."""
    from lienthong.ledger import Edge

    root, tiles = tree_root(leaves), Edge().append(leaves)[1]
    note = signed_note(signer.origin, len(leaves), root, at, signer.public_key, signer.sign_checkpoint(len(leaves), root, at))
    served = {tile_path(level, number, len(hashes) // 32): hashes for (level, number), hashes in tiles.items()}
    return RemoteLog(lambda path: note.encode() if path == "checkpoint" else served.get(path, b""))


def test_the_address_of_a_tile_is_that_of_c2sp() -> None:
    assert tile_path(0, 1_234_067, 256) == "tile/0/x001/x234/067"
    assert tile_path(1, 5, 17) == "tile/1/005.p/17"
