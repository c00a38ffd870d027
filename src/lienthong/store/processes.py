"""What the supervisor needs of the operating system: an account to run a server under, and which processes live.

PostgreSQL refuses to run as root; when we are root it runs as the owner of its home folder, or as `nobody`.
"""

from __future__ import annotations

import os
import pwd
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

PROC = Path("/proc")


class PopenOptions(TypedDict, total=False):
    user: int
    group: int
    extra_groups: list[int]


@dataclass(frozen=True)
class Account:
    """Who a server runs as; `changes` is false when that is who we are."""

    user: int
    group: int
    changes: bool

    def popen_options(self) -> PopenOptions:
        return {"user": self.user, "group": self.group, "extra_groups": []} if self.changes else {}

    def take(self, path: Path) -> None:
        """Make a file or folder of ours belong to the account, and to it alone.

        Raises PermissionError when it belongs to a third one.
        """
        if path.stat().st_uid != self.user:
            os.chown(path, self.user, self.group)
        if path.is_dir():
            path.chmod(0o700)


def account_for(home: Path) -> Account:
    """Ourselves, or, when we are root, whoever owns `home`, or `nobody`."""
    if os.geteuid() != 0:
        return Account(os.geteuid(), os.getegid(), changes=False)
    owner = home.stat()
    if owner.st_uid != 0:
        return Account(owner.st_uid, owner.st_gid, changes=True)
    nobody = pwd.getpwnam("nobody")
    return Account(nobody.pw_uid, nobody.pw_gid, changes=True)


def can_reach(account: Account, folder: Path) -> bool:
    """Whether the account may enter a folder through every folder above it."""
    if not account.changes:
        return os.access(folder, os.X_OK)
    tried = subprocess.run(["test", "-x", f"{folder}/."], check=False, cwd="/", **account.popen_options())  # noqa: S607 # POSIX has it
    return tried.returncode == 0


def is_running(process_id: int) -> bool:
    """Whether a process lives. One that has ended and whose parent never asked (a zombie) does not."""
    status = PROC / str(process_id) / "stat"
    if PROC.joinpath("self").exists():
        try:
            return status.read_text("utf-8", "replace").rpartition(")")[2].split()[0] not in {"Z", "X"}
        except (FileNotFoundError, ProcessLookupError):
            return False
    return _ps_state(process_id)[:1] not in {"", "Z"}


def processes_working_in(folder: Path, *asked: int) -> list[int]:
    """Living processes whose working folder is `folder` (every PostgreSQL process works in its data folder); all, or those `asked`.

    Without /proc (macOS) the asked ones are believed to be there.
    """
    if not PROC.joinpath("self").exists():
        return [process_id for process_id in asked if is_running(process_id)]
    candidates = asked or tuple(int(entry.name) for entry in PROC.iterdir() if entry.name.isdigit())
    return [process_id for process_id in candidates if _works_in(process_id, folder)]


def _works_in(process_id: int, folder: Path) -> bool:
    try:
        return (PROC / str(process_id) / "cwd").readlink() == folder.resolve()
    except OSError:  # it ended meanwhile, or belongs to somebody else
        return False


def _ps_state(process_id: int) -> str:
    asked = subprocess.run(["ps", "-o", "state=", "-p", str(process_id)], capture_output=True, text=True, check=False)  # noqa: S607 # POSIX has it
    return asked.stdout.strip()
