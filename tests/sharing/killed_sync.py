"""A pass of a sync in a process of its own that kills itself without warning (SIGKILL) at the n-th time of a step.

Arguments: database URL, folder of the source, kind, target's location, password, step, n.
"""

from __future__ import annotations

import os
import signal
import sys
from dataclasses import replace
from pathlib import Path

from lienthong.sharing import syncing
from tests.factories import make_contract, make_workshop
from tests.sharing.syncs import PROPERTIES, Source, definition_of


def main() -> None:
    url, folder, kind, location, password, step, times = sys.argv[1:8]
    syncing.FILL_ROWS, syncing.CHANGES = 40, 7
    seen = 0

    def die_there(name: str) -> None:
        nonlocal seen
        seen += name == step
        if name == step and seen == int(times):
            os.kill(os.getpid(), signal.SIGKILL)

    contract = make_contract(str(Path(folder) / "things.csv"), id="test.things", properties=PROPERTIES)
    source = Source(make_workshop(url, contract, apply=False), contract, Path(folder) / "things.csv")
    office = replace(source.office(on_step=die_there), variables={"P": password})
    print(syncing.work(office, definition_of(kind, location, password="${P}" if password else "")).state)


if __name__ == "__main__":
    main()
