"""How much memory a process has held at most, itself alone."""

from __future__ import annotations

import resource
import sys
from pathlib import Path

_STATUS = Path("/proc/self/status")


def own_peak_mib() -> float:
    """MiB of this process. On Linux not `ru_maxrss`: that of a child begins with what its parent held when it was made."""
    if not _STATUS.is_file():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)
    told = next(line for line in _STATUS.read_text("ascii").splitlines() if line.startswith("VmHWM"))
    return int(told.split()[1]) / 1024
