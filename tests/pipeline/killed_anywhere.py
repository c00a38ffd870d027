"""Runs killed without warning (SIGKILL) before every single statement and commit of an update, one after the other, each in a process of its own.

Arguments: database URL, file, how many statements further each kill is. After each kill it looks at what readers see, lets the next run finish,
and goes back. Prints a JSON line for each kill: which statement, what was seen (`before`, `after` or `torn`), how the next run ended, what is left.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import psycopg

from lienthong.pipeline import run_dataset
from tests.factories import make_contract, make_workshop, write_people

BEFORE = [(f"P{n:02}", f"Người {n}", "1980-03-07", 1) for n in range(30)]
AFTER = [
    *((key, name, born, 2) for key, name, born, _ in BEFORE[5:]),
    ("P99", "Người mới", "31/02/2020", 1),
    ("P98", "Người mới", "1990-01-01", 1),
]


def main() -> None:
    url, file, stride = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    contract = make_contract(str(file))
    make_workshop(url, contract)
    apart(lambda: run(url, write_people(file, BEFORE)))
    before = seen(url)
    apart(lambda: run(url, write_people(file, AFTER)))
    after = seen(url)
    apart(lambda: run(url, write_people(file, BEFORE)))
    at = 1
    while True:
        write_people(file, AFTER)
        ended = apart(partial(run, url, file, at))
        found = seen(url)
        what = "before" if found == before else "after" if found == after else "torn"
        apart(lambda: run(url, file))
        finished = seen(url) == after
        print(json.dumps({"at": at, "killed": ended == -signal.SIGKILL, "seen": what, "finished": finished}), flush=True)
        if ended == 0:
            return
        apart(lambda: run(url, write_people(file, BEFORE)))
        at += stride


def run(url: str, file: Path, ends_at: int = 0) -> None:
    contract = make_contract(str(file))
    workshop = make_workshop(url, contract, apply=False)
    if ends_at:
        die_at(ends_at)
    run_dataset(workshop, contract)


def apart(act: Callable[[], Any]) -> int:
    """Do it in a process of its own; how that ended, negative by a signal. Nothing here has threads yet, so a fork is whole."""
    child = os.fork()
    if child == 0:
        try:
            act()
        except BaseException:
            import traceback

            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def die_at(statement: int) -> None:
    """From now on, this process kills itself before its n-th statement, copy or commit."""
    left = statement

    def counted(done: Callable[..., Any]) -> Callable[..., Any]:
        def act(*arguments: Any, **named: Any) -> Any:
            nonlocal left
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return done(*arguments, **named)

        return act

    for owner, names in {
        psycopg.Cursor: ("execute", "executemany", "copy"),
        psycopg.Connection: ("commit",),
        psycopg.Transaction: ("__exit__",),
    }.items():
        for name in names:
            setattr(owner, name, counted(getattr(owner, name)))


def seen(url: str) -> list[tuple[Any, ...]]:
    """What readers see, without what counts runs."""
    with psycopg.connect(url) as connection:
        waits = "select count(*)::text, '', null, null, 0 from lienthong.quarantine where state = 'waiting'"
        return connection.execute(
            f"select record_no, full_name, born_on, children, 1 from data.test_people union all {waits} order by 1, 5"
        ).fetchall()


if __name__ == "__main__":
    main()
