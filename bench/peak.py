"""How much memory a process has held at most, itself alone; and the largest of those it lets work for it."""

from __future__ import annotations

import os
import resource
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_PROC = Path("/proc")
_LOOK_SECONDS = 0.05


def own_peak_mib() -> float:
    """MiB of this process. On Linux not `ru_maxrss`: that of a child begins with what its parent held when it was made."""
    if not (_PROC / "self/status").is_file():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)
    return _peak_mib("self")


@contextmanager
def watched() -> Iterator[list[float]]:
    """The largest peak (MiB) of any process below this one while it is watched, as the one element of a list.

    Readers of workbooks work in grandchildren that nobody here waits for: what the kernel keeps of children that ended does not hold them.
    """
    peak, stop = [0.0], threading.Event()

    def look() -> None:
        while not stop.wait(_LOOK_SECONDS):
            for pid in _below(str(os.getpid())):
                with suppress(OSError, StopIteration):
                    peak[0] = max(peak[0], _peak_mib(pid))

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield peak
    finally:
        stop.set()
        thread.join()


def _peak_mib(pid: str) -> float:
    told = next(line for line in (_PROC / pid / "status").read_text("ascii", "replace").splitlines() if line.startswith("VmHWM"))
    return int(told.split()[1]) / 1024


def _below(pid: str) -> Iterator[str]:
    with suppress(OSError):
        for task in (_PROC / pid / "task").iterdir():
            for child in (task / "children").read_text("ascii").split():
                yield child
                yield from _below(child)
