"""Others' words under checkpoints: a witness in a process of its own, an authority that stamps. A store put back from a backup is told so."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import psycopg
import pytest
from psycopg import sql

from lienthong.clock import system_clock
from lienthong.errors import LedgerError, SettingsError, Unprocessable
from lienthong.ledger import Entry, Event, Signer
from lienthong.ledger.stamp import read_roots
from lienthong.ledger.standalone import ED25519, Key, check_note, read_key, read_note
from lienthong.ledger.witness import write_request
from lienthong.settings import Settings
from lienthong.sharing.attesting import WitnessAt, ask_witnesses, stamp_newest, take_cosignature, witnesses_of
from lienthong.store import Database, append_entries
from lienthong.store.attesting import cosigned_note, newest_note, standings
from lienthong.store.embedded import EmbeddedServer
from lienthong.store.sequencing import Sequencer
from lienthong.store.verifying import Demand, verify_ledger
from lienthong.web.witness import Witness
from tests.web.witnesses import Running, make_witness, witnessing

AT = datetime(2026, 7, 1, tzinfo=UTC)
SIGNER = Signer.new("lienthong/test")
LOG = Key(SIGNER.origin, ED25519, SIGNER.public_key)


def write(database: Database, *callers: str, signer: Signer = SIGNER) -> None:
    with database.connect() as connection:
        append_entries(connection, [Entry(AT, Event.ANSWER_PAGE, caller) for caller in callers], signer)
    Sequencer(database, signer, system_clock).catch_up()


def ask(database: Database, witness: Running, later: timedelta = timedelta()) -> str:
    """The witness's state after it was asked."""
    ask_witnesses(database, SIGNER, lambda: system_clock() + later, [WitnessAt(read_key(witness.key), witness.url)])
    with database.connect() as connection:
        return standings(connection)[0].state


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    make_witness(tmp_path / "witness", LOG.text)
    return tmp_path / "witness"


def test_a_store_put_back_from_a_backup_cannot_go_on_unseen_whatever_it_then_writes(
    postgres_server: EmbeddedServer, database_url: str, folder: Path
) -> None:
    database = Database(database_url)
    write(database, *(f"caller {n}" for n in range(300)))
    with witnessing(folder) as witness:
        assert ask(database, witness) == "signed"
        backup = backed_up(postgres_server, database_url)
        write(database, "the act someone wants undone")
        assert ask(database, witness) == "signed"
    with witnessing(folder) as witness:  # killed and started again: it remembers
        restored = Database(backup)
        assert ask(restored, witness, later=timedelta(minutes=2)) == "ahead"
        write(restored, "another past")  # as long as what was signed, and another tree
        assert ask(restored, witness) == "refuses"
        write(restored, "and on")
        assert ask(restored, witness) == "refuses"
        with restored.connect() as connection:
            assert verify_ledger(connection, SIGNER).ok  # by itself it looks whole
            demand = Demand((read_key(witness.key),), 1, now=system_clock() + timedelta(hours=1))
            verdict = verify_ledger(connection, SIGNER, demand)
        assert (verdict.reason, verdict.first_misfit) == ("witnesses", 300)
        assert ask(database, witness) == "signed"  # the true one goes on
        with database.connect() as connection:
            assert verify_ledger(connection, SIGNER, demand).ok
    drop(postgres_server, backup)


def backed_up(server: EmbeddedServer, url: str) -> str:
    """A copy of a database as it is now."""
    return server.create_database(f"{name_of(url)}_backup", template=name_of(url))


def drop(server: EmbeddedServer, url: str) -> None:
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        connection.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name_of(url))))


def name_of(url: str) -> str:
    return str(psycopg.conninfo.conninfo_to_dict(url)["dbname"])


def test_a_checkpoint_leaves_with_the_lines_of_its_witnesses(database_url: str, folder: Path) -> None:
    database = Database(database_url)
    write(database, "one")
    with witnessing(folder) as witness:
        assert ask(database, witness) == "signed"
        assert ask(database, witness) == "signed"  # nothing new: it is not asked again
        write(database, "two")
        with database.connect() as connection:
            note = cosigned_note(connection, SIGNER, 1, [witness.key], 1)
            assert note is not None
            assert check_note(read_note(note), LOG, [read_key(witness.key)], 1).size == 1
            assert cosigned_note(connection, SIGNER, 2, [witness.key], 1) is None
            newest = cosigned_note(connection, SIGNER, 1, [], 0)
            assert newest is not None
            assert read_note(newest).checkpoint.size == 2
            for damage in ("line = replace(line, 'so-noi-vu', 'so-y-te')", "witness = 'x'", "size = 2"):
                connection.execute(f"update lienthong.ledger_cosignatures set {damage}".encode())
                assert verify_ledger(connection, SIGNER).reason == "cosignature"
                connection.rollback()


def test_a_witness_that_is_away_is_told_and_asked_again(database_url: str, folder: Path) -> None:
    database = Database(database_url)
    write(database, "one")
    key = Witness(folder).cosigner.key.text
    assert ask(database, Running(key, "http://127.0.0.1:9", None)) == "away"  # type: ignore[arg-type] # there is none
    with witnessing(folder) as witness:
        assert ask(database, witness) == "signed"


def test_a_witness_killed_between_remembering_and_answering_signs_the_same_again_and_nothing_else(database_url: str, folder: Path) -> None:
    database = Database(database_url)
    write(database, "one")
    with database.connect() as connection:
        newest = newest_note(connection, SIGNER)
    assert newest is not None
    with witnessing(folder) as witness:  # its answer is lost
        assert httpx.post(witness.url + "/add-checkpoint", content=write_request(0, (), newest.note)).status_code == 200
    with witnessing(folder) as witness:
        again = httpx.post(witness.url + "/add-checkpoint", content=write_request(0, (), newest.note))
        assert (again.status_code, again.text, again.headers["content-type"]) == (409, "1\n", "text/x.tlog.size")
        assert ask(database, witness) == "signed"


def test_a_witness_whose_memory_is_damaged_signs_nothing(database_url: str, folder: Path) -> None:
    database = Database(database_url)
    write(database, "one")
    with witnessing(folder) as witness:
        assert ask(database, witness) == "signed"
        next((folder / "signed").glob("*.json")).write_text("{", encoding="utf-8")
        write(database, "two")
        assert ask(database, witness) == "refuses"
        for path, content in (("/", b"x"), ("/add-checkpoint", b"x" * 70_000), ("/add-checkpoint", b"\xff")):
            assert httpx.post(witness.url + path, content=content).status_code in (400, 404)


def test_a_line_that_is_handed_in_is_kept_only_when_it_is_a_witnesss_over_our_checkpoint(database_url: str, tmp_path: Path) -> None:
    database = Database(database_url)
    write(database, "one")
    ours = Witness.make(tmp_path / "ours", "ours", [LOG.text]).cosigner
    strange = Witness.make(tmp_path / "strange", "strange", [LOG.text]).cosigner
    with database.connect() as connection:
        newest = newest_note(connection, SIGNER)
        assert newest is not None
        note = read_note(newest.note)
        witnesses = [WitnessAt(ours.key, "")]
        for text in ("", newest.note, newest.note + strange.sign(note, 1), newest.note.replace(" 1", " 2")):
            with pytest.raises(Unprocessable):
                take_cosignature(connection, SIGNER, witnesses, text)
        take_cosignature(connection, SIGNER, witnesses, newest.note + strange.sign(note, 1) + ours.sign(note, 1))
        kept = cosigned_note(connection, SIGNER, 1, [ours.key.text], 1)
        assert kept is not None
        assert len(read_note(kept).signatures) == 2


@pytest.mark.parametrize(
    "text", ["x", "a+b+c@http://x", f"{LOG.text}@http://127.0.0.1:1"], ids=["no key", "no name", "the platform itself"]
)
def test_witnesses_that_cannot_be_read_are_refused(text: str) -> None:
    with pytest.raises(SettingsError):
        witnesses_of(Settings(witnesses=text))
    with pytest.raises(SettingsError):
        witnesses_of(Settings(witnesses_needed=1))


# An authority: `openssl ts` behind HTTP ----------------------------------------------------------------------


class Authority(ThreadingHTTPServer):
    """Answers RFC 3161 requests as a time-stamping authority does. `broken`: with the stamp of something else."""

    folder: Path
    broken = False


class _Stamping(BaseHTTPRequestHandler):
    server: Authority

    def do_POST(self) -> None:
        query = self.rfile.read(int(self.headers["Content-Length"]))
        if self.server.broken:
            query = (self.server.folder / "other.tsq").read_bytes()
        (self.server.folder / "query.tsq").write_bytes(query)
        openssl(self.server.folder, "ts", "-reply", "-queryfile", "query.tsq", "-config", "tsa.cnf", "-section", "tsa", "-out", "reply.tsr")
        body = (self.server.folder / "reply.tsr").read_bytes()
        self.send_response(200)
        self.send_header("Content-Type", "application/timestamp-reply")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:
        pass


def openssl(folder: Path, *words: str) -> None:
    subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)


CONFIG = """
[tsa]
serial = serial
signer_cert = tsa.pem
signer_key = tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256, sha512
accuracy = secs:1
ess_cert_id_alg = sha256
[ext]
extendedKeyUsage = critical,timeStamping
"""


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Authority]:
    folder = tmp_path_factory.mktemp("authority")
    (folder / "tsa.cnf").write_text(CONFIG)
    (folder / "serial").write_text("01\n")
    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
    openssl(folder, "req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=Test root", "-days", "30")
    openssl(folder, "req", *key, "-keyout", "tsa.key", "-out", "tsa.csr", "-subj", "/CN=Test authority")
    openssl(folder, "x509", "-req", "-in", "tsa.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-out", "tsa.pem", "-days", "30", "-extfile", "tsa.cnf", "-extensions", "ext")  # fmt: skip
    openssl(folder, "req", "-x509", *key, "-keyout", "x.key", "-out", "stranger.pem", "-subj", "/CN=Stranger", "-days", "30")
    (folder / "other").write_text("something else")
    openssl(folder, "ts", "-query", "-data", "other", "-sha256", "-cert", "-out", "other.tsq")
    server = Authority(("127.0.0.1", 0), _Stamping)
    server.folder = folder
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_checkpoint_is_stamped_once_and_the_stamp_is_verified(database_url: str, authority: Authority) -> None:
    database = Database(database_url)
    url, roots = f"http://127.0.0.1:{authority.server_port}/", (authority.folder / "ca.pem").read_bytes()
    assert not stamp_newest(database, SIGNER, url, roots)  # there is no checkpoint yet
    write(database, "one")
    assert stamp_newest(database, SIGNER, url, roots)
    assert not stamp_newest(database, SIGNER, url, roots)
    write(database, "two")
    stranger = (authority.folder / "stranger.pem").read_bytes()
    with pytest.raises(LedgerError, match="does not hold"):
        stamp_newest(database, SIGNER, url, stranger)
    authority.broken = True
    with pytest.raises(LedgerError, match="does not hold"):
        stamp_newest(database, SIGNER, url, roots)
    authority.broken = False
    assert stamp_newest(database, SIGNER, url, roots)
    with database.connect() as connection:
        assert verify_ledger(connection, SIGNER, Demand(roots=tuple(read_roots(roots)))).ok
        assert verify_ledger(connection, SIGNER, Demand(roots=tuple(read_roots(stranger)))).reason == "stamp"
        for damage in ("at = at + interval '1 second'", "token = set_byte(token, 200, 0)", "size = 3 - size where size = 1"):
            connection.execute("delete from lienthong.ledger_stamps where size = 2")
            connection.execute(f"update lienthong.ledger_stamps set {damage}".encode())
            verdict = verify_ledger(connection, SIGNER, Demand(roots=tuple(read_roots(roots))))
            assert (verdict.ok, verdict.reason) == (False, "stamp")
            connection.rollback()


def test_an_authority_that_does_not_answer_is_told(database_url: str, authority: Authority) -> None:
    database = Database(database_url)
    write(database, "one")
    with pytest.raises(LedgerError, match="does not answer"):
        stamp_newest(database, SIGNER, "http://127.0.0.1:9/", (authority.folder / "ca.pem").read_bytes())
