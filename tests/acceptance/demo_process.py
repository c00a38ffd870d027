"""A small demo as a newcomer starts it: its own process, its own home, a free port."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
SCALE = 800
MODELS = Path(__file__).parent / "models"  # learnt from such a demo; parcels have none here, so that a demo still learns
PATIENCE_SECONDS = 500


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass
class DemoProcess:
    """`make demo` without the installing: start, read the card, stop."""

    home: Path
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[str] | None = None

    @property
    def environment(self) -> dict[str, str]:
        ours = {name: value for name, value in os.environ.items() if not name.startswith("LIENTHONG_")}
        return {**ours, "LIENTHONG_HOME": str(self.home), "LIENTHONG_PORT": str(self.port), "LIENTHONG_WORKER_NICE": "0"}

    def start(self) -> dict[str, Any]:
        """The card, when it is written and the server answers."""
        began, ends = time.time(), time.monotonic() + PATIENCE_SECONDS
        command = [sys.executable, "-m", "demo.run", "--scale", str(SCALE), "--models", str(MODELS)]
        with (self.home / "demo.log").open("w") as log:
            self.process = subprocess.Popen(
                command, cwd=ROOT, env=self.environment, stdout=log, stderr=subprocess.STDOUT, text=True, start_new_session=True
            )
        card = self.home / "demo.json"
        while not (card.exists() and card.stat().st_mtime >= began):
            assert self.is_running(), self.said()
            assert time.monotonic() < ends, self.said()
            time.sleep(0.1)
        found: dict[str, Any] = json.loads(card.read_text("utf-8"))
        return found

    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def kill(self) -> None:
        """Without a word of warning; what it started is not told."""
        assert self.process is not None
        self.process.kill()
        self.process.wait(120)

    def said(self) -> str:
        return (self.home / "demo.log").read_text("utf-8")

    def stop(self, with_signal: signal.Signals = signal.SIGINT, times: int = 1) -> int:
        """Stop it as Ctrl-C in a terminal does, which tells the whole group; its exit code. `times`: an impatient hand."""
        if self.process is None:
            return 0
        for _ in range(times):
            if self.process.poll() is None:
                if with_signal == signal.SIGINT:
                    os.killpg(self.process.pid, with_signal)
                else:
                    self.process.send_signal(with_signal)
                time.sleep(0.02)
        return self.process.wait(120)

    def left_running(self) -> list[str]:
        """Command lines of processes that still name this demo's home or port."""
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                state = (folder / "stat").read_text("utf-8").rpartition(")")[2].split()[0]
                words = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
                environment = (folder / "environ").read_bytes()
            except OSError:
                continue
            named = str(self.home) in words or f"LIENTHONG_PORT={self.port}\0".encode() in environment
            if named and state != "Z" and int(folder.name) != os.getpid():
                found.append(words)
        return found
