"""The environments real clients live in: one each, for their pins clash; made once per lock file, under `.venv/clients`."""

from __future__ import annotations

import atexit
import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
CLIENTS = Path(__file__).parent / "clients"
ENVIRONMENTS = ROOT / ".venv" / "clients"


UV = (sys.executable, "-m", "uv", "--quiet", "--no-progress", "--system-certs")  # as pip does, it trusts whom the machine trusts


def python_of(name: str, folder: Path = CLIENTS) -> Path:
    """The Python of the environment that `<name>.lock` in the folder describes. Several processes may ask at once."""
    lock = folder / f"{name}.lock"
    place = ENVIRONMENTS / name
    python, stamp = place / "bin" / "python", place / "made-of"
    wanted = hashlib.sha256(lock.read_bytes()).hexdigest()
    ENVIRONMENTS.mkdir(parents=True, exist_ok=True)
    with (ENVIRONMENTS / f"{name}.busy").open("w") as busy:
        fcntl.flock(busy, fcntl.LOCK_EX)
        if not stamp.is_file() or stamp.read_text("utf-8") != wanted:
            shutil.rmtree(place, ignore_errors=True)
            _uv("venv", "--python", sys.executable, str(place))
            _uv("pip", "install", "--python", str(python), "--require-hashes", "--requirement", str(lock))
            stamp.write_text(wanted, encoding="utf-8")
    return python


def _uv(*arguments: str) -> None:
    done = subprocess.run([*UV, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def ask(script: str, *arguments: str, environment: str = "", **variables: str) -> Any:
    """What `clients/<script>.py` prints as JSON. `environment`: another client's, where two scripts share one; `variables` for its environment."""
    done = run(script, *arguments, environment=environment, **variables)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def run(script: str, *arguments: str, environment: str = "", **variables: str) -> subprocess.CompletedProcess[str]:
    """Run `clients/<script>.py` in its environment; nothing of ours is importable there."""
    return _client(environment or script, script).run(arguments, variables)


@cache
def _client(environment: str, script: str) -> Client:
    return Client(python_of(environment), CLIENTS / f"{script}.py")


class Client:
    """A process that has loaded a client once, a second or three of a processor, and is forked for each question (`clients/waiting.py`)."""

    def __init__(self, python: Path, script: Path) -> None:
        ours = {name: value for name, value in os.environ.items() if not name.startswith(("LIENTHONG_", "PYTHON"))}
        path = f"{python.parent}{os.pathsep}{os.environ['PATH']}"
        told = {**ours, "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1", "PATH": path}
        self._command = [str(python), str(CLIENTS / "waiting.py"), str(script)]
        self._process = subprocess.Popen(self._command, env=told, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._lock = threading.Lock()
        atexit.register(self._end)

    def run(self, arguments: Sequence[str], variables: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        with self._lock, tempfile.TemporaryDirectory() as folder:
            out, err = Path(folder, "out"), Path(folder, "err")
            asked = {"arguments": list(arguments), "variables": dict(variables), "out": str(out), "err": str(err)}
            stdin.write(json.dumps(asked) + "\n")
            stdin.flush()
            code = stdout.readline()
            assert code, f"{self._command} ended"
            return subprocess.CompletedProcess([*self._command, *arguments], int(code), out.read_text("utf-8"), err.read_text("utf-8"))

    def _end(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(120)
