"""A run in a process of its own that kills itself without warning (SIGKILL) at the n-th sign of progress of a step.

Arguments: database URL, file, step, n. Prints the outcome when it lives to the end.
"""

from __future__ import annotations

import os
import signal
import sys

from lienthong.pipeline import Progress, run_dataset
from tests.factories import make_contract, make_workshop


def main() -> None:
    url, file, step, times = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
    seen = 0

    def die_there(progress: Progress) -> None:
        nonlocal seen
        seen += progress.step == step
        if seen == times:
            os.kill(os.getpid(), signal.SIGKILL)

    contract = make_contract(file)
    workshop = make_workshop(url, contract, apply=False)
    print(run_dataset(workshop, contract, on_progress=die_there).state)


if __name__ == "__main__":
    main()
