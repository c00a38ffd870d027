"""The environments real clients live in: one each, for their pins clash; made once per lock file, under `.venv/clients`."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
CLIENTS = Path(__file__).parent / "clients"
ENVIRONMENTS = ROOT / ".venv" / "clients"
PATIENCE_SECONDS = 300


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
    done = subprocess.run([sys.executable, "-m", "uv", "--quiet", "--no-progress", *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def ask(script: str, *arguments: str, environment: str = "", **variables: str) -> Any:
    """What `clients/<script>.py` prints as JSON. `environment`: another client's, where two scripts share one; `variables` for its environment."""
    done = run(script, *arguments, environment=environment, **variables)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def run(script: str, *arguments: str, environment: str = "", **variables: str) -> subprocess.CompletedProcess[str]:
    """Run `clients/<script>.py` in its environment; nothing of ours is importable there."""
    python = python_of(environment or script)
    ours = {name: value for name, value in os.environ.items() if not name.startswith(("LIENTHONG_", "PYTHON"))}
    told = {
        **ours,
        "NO_PROXY": "127.0.0.1",
        "no_proxy": "127.0.0.1",
        "PATH": f"{python.parent}{os.pathsep}{os.environ['PATH']}",
        **variables,
    }
    return subprocess.run(
        [str(python), str(CLIENTS / f"{script}.py"), *arguments], env=told, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False
    )  # fmt: skip
