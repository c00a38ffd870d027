"""The worker beside the server: each duty by itself, in one process at a time, for ever."""

from __future__ import annotations

import threading
from pathlib import Path

import psutil

from lienthong.settings import Settings
from lienthong.store import Database
from lienthong.web.companion import Companion
from lienthong.web.duties import Duty, Office, every
from lienthong.web.services import make_workshop
from lienthong.web.worker import LONGEST_TO_NEXT_TRY, seconds_to_next_try, work
from tests.patience import until


def _office(database_url: str, folder: Path) -> Office:
    settings = Settings(database_url=database_url, home=folder)
    return Office(settings, make_workshop(settings, Database(database_url), {}))


def test_a_duty_that_fails_stops_no_other(database_url: str, tmp_path: Path) -> None:
    ended, done = threading.Event(), threading.Event()

    def fail(_: Office, __: threading.Event) -> None:
        raise ValueError

    def act(_: Office) -> None:
        done.set()

    duties = (Duty("fails", fail), Duty("acts", every(60, act)))
    working = threading.Thread(target=work, args=(_office(database_url, tmp_path), duties, ended))
    working.start()
    assert done.wait(120)
    ended.set()
    working.join(120)
    assert not working.is_alive()


def test_a_duty_that_fails_again_and_again_is_tried_less_and_less_often_but_never_given_up() -> None:
    waits = [seconds_to_next_try(failures) for failures in range(1, 2_000)]
    assert waits == sorted(waits)
    assert waits[0] < waits[1] < waits[2]
    assert waits[-1] == LONGEST_TO_NEXT_TRY


def test_of_two_workers_one_does_a_duty(database_url: str, tmp_path: Path) -> None:
    ended, begun, most, at_once = threading.Event(), threading.Event(), [0], [0]

    def act(_: Office, ended: threading.Event) -> None:
        at_once[0] += 1
        most[0] = max(most[0], at_once[0])
        begun.set()
        ended.wait()
        at_once[0] -= 1

    office = _office(database_url, tmp_path)
    workers = [threading.Thread(target=work, args=(office, (Duty("acts", act),), ended)) for _ in range(2)]
    for worker in workers:
        worker.start()
    assert begun.wait(120)
    ended.wait(0.5)  # the other has had its try
    ended.set()
    for worker in workers:
        worker.join(120)
    assert most[0] == 1


def test_a_process_beside_the_server_steps_back_from_its_start_and_ends_with_it(database_url: str, tmp_path: Path) -> None:
    companion = Companion("lienthong.web.worker", Settings(home=tmp_path, worker_nice=7), database_url)
    companion.ensure()
    started = companion._process
    assert started is not None
    process = psutil.Process(started.pid)
    assert until(process.nice, "stepping back") == 7
    until(lambda: "lienthong.web.worker" in process.cmdline() and "nice" not in process.name(), "the process itself")
    assert process.nice() == 7
    companion.close()
    companion.wait()
    assert not process.is_running()
