"""What the worker does, by name. A duty runs until `ended` is set; what only comes round now and then is made with `every`."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from lienthong.access import SANDBOX
from lienthong.catalog import open_data
from lienthong.clock import system_clock, vietnam_date
from lienthong.contracts.indicators import load_indicators, load_reports
from lienthong.log import get_logger
from lienthong.pipeline import (
    Workshop,
    agreeing,
    alerting,
    backing,
    drafting,
    filing,
    indicating,
    noticing,
    overriding,
    registering,
    scheduling,
    scoring,
    slots,
    upload,
    watched,
)
from lienthong.pipeline.agreeing import rules_of
from lienthong.pipeline.alert_rules import read_rules, rules_file
from lienthong.pipeline.archiving import archive_ledger
from lienthong.pipeline.counting import count_exchanges, forget_exchanges
from lienthong.pipeline.leveling import levels_ending
from lienthong.pipeline.readings import Readings
from lienthong.reports import measures
from lienthong.settings import Settings
from lienthong.sharing.attesting import ask_witnesses, stamp_newest, witnesses_of
from lienthong.sharing.deadlines import deadlines
from lienthong.sharing.register import RegisterReader
from lienthong.store import catalogue, factors, pages, sessions, shares
from lienthong.store.alerts import beat
from lienthong.store.ledger_index import index_portion
from lienthong.web import delivering
from lienthong.web.doors.delta import store_of
from lienthong.web.reporting import making_of
from lienthong.web.room_pushing import push_rooms
from lienthong.web.sync_round import keep_in_step

log = get_logger("worker")
HOUR = 3_600.0
DAY = 24 * HOUR
SECONDS_BETWEEN_COUNTS = 10.0
SECONDS_BETWEEN_NOTICES = 5.0
SECONDS_BETWEEN_BEATS = 10.0
SECONDS_BETWEEN_ALERTS = 60.0
SECONDS_BETWEEN_LOGS = 300.0
SECONDS_BETWEEN_DUES = 15.0
SECONDS_TO_NEXT_FILE = 0.5
SECONDS_BETWEEN_TASKS = 2.0
SECONDS_BETWEEN_CLEARINGS = 600.0
SECONDS_BEHIND = 5.0  # the index of the ledger behind its tree
INDEX_RESTS = 5  # times as long as a portion took


def _unseen() -> None:
    """Nobody is told."""


@dataclass(frozen=True)
class Office:
    """What duties work with; `beat` says that the duty is at work."""

    settings: Settings
    workshop: Workshop
    beat: Callable[[], None] = _unseen
    began: datetime = field(default_factory=system_clock)


@dataclass(frozen=True)
class Duty:
    """One thing that is to be done all the time; `do` returns only when `ended` is set, or raises and is called again."""

    name: str
    do: Callable[[Office, threading.Event], None]


def every(seconds: float, act: Callable[[Office], object]) -> Callable[[Office, threading.Event], None]:
    """A duty's `do` that acts at once, and again so long after each time."""

    def do(office: Office, ended: threading.Event) -> None:
        while not ended.is_set():
            act(office)
            office.beat()
            ended.wait(seconds)

    return do


def _expire(office: Office) -> None:
    """End stewards' values whose last day is past."""
    overriding.expire_all(office.workshop)


def _index(office: Office, ended: threading.Event) -> None:
    """Make ledger entries findable by whom they are about. A long way behind, it goes slowly: answers need the same disk."""
    while not ended.is_set():
        began = time.monotonic()
        indexed = index_portion(office.workshop.database)
        office.beat()
        ended.wait(INDEX_RESTS * (time.monotonic() - began) if indexed else SECONDS_BEHIND)


def _ask_witnesses(office: Office, ended: threading.Event) -> None:
    """Show new checkpoints to the witnesses, where there are any."""
    witnesses = witnesses_of(office.settings)
    while not ended.wait(office.settings.checkpoint_milliseconds / 1000 or 1.0):
        if witnesses:
            ask_witnesses(office.workshop.database, office.workshop.signer, office.workshop.clock, witnesses)


def _archive(office: Office) -> None:
    """Put old bodies of the ledger into archives, and let go what may, where the province wants it."""
    settings = office.settings
    if settings.archive_after_days:
        archive_ledger(office.workshop, settings.archive, settings.archive_after_days, settings.retention)


def _stamp(office: Office, ended: threading.Event) -> None:
    """Have checkpoints stamped with the time, where there is an authority."""
    settings = office.settings
    while not ended.is_set():
        if settings.stamp_url:
            stamp_newest(office.workshop.database, office.workshop.signer, settings.stamp_url, settings.stamp_roots.read_bytes())
        ended.wait(settings.stamp_seconds)


def _sync(office: Office, ended: threading.Event) -> None:
    """Keep copies in agencies' own databases and folders equal to what was agreed."""
    reader = RegisterReader(office.workshop.contracts, rules_of(office.settings).offices)
    keep_in_step(office.settings, office.workshop, reader, ended)


def _count(office: Office) -> None:
    """Count exchanges, and let go of records kept long enough."""
    count_exchanges(office.workshop)
    forget_exchanges(office.workshop, office.settings.exchange_days, office.settings.exchange_hour_days)


def _deliver(office: Office, ended: threading.Event) -> None:
    """Send events to webhooks."""
    delivering.deliver(office.settings, office.workshop, ended)


def _forget_sign_ins(office: Office) -> None:
    """Let go of sessions long over, of failed tries, of codes nobody came for; the ledger has what was done."""
    now = office.workshop.clock()
    with office.workshop.database.connect() as connection:
        sessions.forget(connection, now - timedelta(days=7))
        factors.forget(connection, now - timedelta(days=1))


def _warn_of_keys(office: Office) -> None:
    """Say which keys end soon and have no successor, and which approved security levels end."""
    today = vietnam_date(office.workshop.clock())
    with office.workshop.database.connect() as connection:
        for each in registering.expiring(connection, today):
            if not each.has_next:
                log.warning("key_ends", subsystem=each.identifier, kid=each.kid, environment=each.environment, days_left=each.days_left)
        for level in levels_ending(connection, today, office.settings.security_level_days):
            log.warning("security_level_ends", subsystem=level.identifier, level=level.level, days_left=level.days_left)


def _relay(office: Office, ended: threading.Event) -> None:
    """Relay events to NATS, where there is one."""
    if not office.settings.nats_url:  # most provinces have none: its library is not loaded then
        ended.wait()
        return
    from lienthong.web.relaying import relay  # noqa: PLC0415

    relay(office.settings, office.workshop, ended)


def _push_rooms(office: Office, ended: threading.Event) -> None:
    """Push events of rooms to their subscribers."""
    push_rooms(office.settings, office.workshop, ended)


def _keep_clocks(office: Office) -> None:
    """End agreements whose last day is past; say how much is overdue."""
    agreeing.lapse_all(office.workshop, rules_of(office.settings))
    today = vietnam_date(office.workshop.clock())
    with office.workshop.database.connect() as connection:
        overdue = sum(each.due_on < today for each in deadlines(connection))
    if overdue:
        log.warning("agreements_overdue", deadlines=overdue)


def _watch(office: Office, ended: threading.Event) -> None:
    """Judge what is unusual, each entry once."""
    readings = Readings()

    def judge(office: Office) -> None:
        settings = office.settings
        late = open_data_late(settings, office.workshop)
        alerting.watch(office.workshop, read_rules(rules_file(settings)), settings.home, late, readings)

    every(SECONDS_BETWEEN_ALERTS, judge)(office, ended)


def _watch_logs(office: Office) -> None:
    """Judge whether sources' logs pile up at their servers."""
    alerting.watch_logs(office.workshop, read_rules(rules_file(office.settings)), slots.watched(office.workshop))


def open_data_late(settings: Settings, workshop: Workshop) -> list[alerting.Late]:
    """What of the list of open data is past its day."""
    with workshop.database.connect() as connection:
        entries, standings = catalogue.open_entries(connection), pages.standings(connection)
    found = open_data.late(entries, workshop.contracts, standings, vietnam_date(workshop.clock()), settings)
    return [alerting.Late(entry.dataset, entry.agency, due.what, due.by) for entry, due in found]


def _indicators(office: Office, ended: threading.Event) -> None:
    """Reckon indicators whose data, definition or closing time is new, file reports that are due; a fault in the files is told and they are read again."""
    settings, place = office.settings, office.workshop
    while not ended.is_set():
        if settings.indicator_minutes:
            indicators = load_indicators(settings.indicators, place.contracts, measures.NAMES)
            counted = measures.Measures(place.contracts, settings.typing_characters_per_minute)
            indicating.compute_all(place, indicators.values(), counted.by_name(), settings.indicator_seconds)
            reports = load_reports(settings.indicators, indicators)
            filing.file_due(place, reports.values(), making_of(indicators))
        ended.wait(60.0 * (settings.indicator_minutes or 60))


def _schedules(office: Office, ended: threading.Event) -> None:
    """Read sources when their contracts say so. This duty is one's own: what a killed worker was at is taken up first."""
    scheduling.take_up(office.workshop)
    while not ended.is_set():
        scheduling.run_due(office.workshop)
        office.beat()
        ended.wait(SECONDS_BETWEEN_DUES)


def _score(office: Office) -> None:
    """Profile and score versions that were published, and note what drifted."""
    scoring.profile_new(office.workshop)


def _notices(office: Office) -> None:
    """End the notices of contracts that are over; here too, what they mean is in force at once."""
    noticing.end_due(office.workshop)
    noticing.take_up(office.workshop)


def _beat(office: Office) -> None:
    """Say that the worker is at work."""
    with office.workshop.database.warm() as connection:
        beat(connection, "worker", office.workshop.clock())


def _uploads(office: Office) -> None:
    """Take in files that were handed in, to datasets published since this process began too."""
    drafting.take_up(office.workshop, office.began)
    upload.take_waiting(office.workshop, office.settings.home / upload.FOLDER)


def _watch_sources(office: Office, ended: threading.Event) -> None:
    """Take in what newly lies where watched sources deliver."""
    settings = office.settings
    seconds = 0 if settings.environment == SANDBOX else settings.watch_seconds  # the sandbox knows no source
    watching = watched.Watch(office.workshop)
    while not ended.is_set():
        if seconds:
            watching.look(patience_seconds=1.0)
            office.beat()
        ended.wait(seconds or HOUR)


def keeping_of(settings: Settings) -> backing.Keeping:
    """Where backups lie, for whom, and how often, as the settings say."""
    identity = Path(settings.backup_identity_file) if settings.backup_identity_file else None
    lines = identity.read_text("utf-8").split() if identity is not None and identity.is_file() else []
    return backing.Keeping(
        settings.backups, tuple(settings.backup_recipients.split()), tuple(line for line in lines if line.startswith("AGE-SECRET-KEY-")),
        settings.backup_hours, settings.rehearse_days, settings.verify_hours,
    )  # fmt: skip


def _tend(office: Office) -> None:
    """Back up, rehearse and verify: what operators asked for, and what is due."""
    backing.tend(office.workshop, keeping_of(office.settings))


def _clear_shares(office: Office) -> None:
    """Let go of prepared files nobody asks for, and of grants long over."""
    store_of(office.settings).clear()
    with office.workshop.database.connect() as connection:
        shares.forget(connection, office.workshop.clock() - timedelta(days=1))


DUTIES: tuple[Duty, ...] = (
    Duty("agreement_clocks", every(HOUR, _keep_clocks)),
    Duty("notices", every(SECONDS_BETWEEN_NOTICES, _notices)),
    Duty("beat", every(SECONDS_BETWEEN_BEATS, _beat)),
    Duty("alerts", _watch),
    Duty("source_logs", every(SECONDS_BETWEEN_LOGS, _watch_logs)),
    Duty("count_exchanges", every(SECONDS_BETWEEN_COUNTS, _count)),
    Duty("expire_overrides", every(HOUR, _expire)),
    Duty("syncs", _sync),
    Duty("deliver_events", _deliver),
    Duty("relay_events", _relay),
    Duty("push_rooms", _push_rooms),
    Duty("score_versions", every(SECONDS_BETWEEN_DUES, _score)),
    Duty("schedules", _schedules),
    Duty("uploads", every(SECONDS_TO_NEXT_FILE, _uploads)),
    Duty("watch_sources", _watch_sources),
    Duty("index_ledger", _index),
    Duty("ask_witnesses", _ask_witnesses),
    Duty("stamp_checkpoints", _stamp),
    Duty("forget_sign_ins", every(HOUR, _forget_sign_ins)),
    Duty("warn_of_keys", every(DAY, _warn_of_keys)),
    Duty("operator_tasks", every(SECONDS_BETWEEN_TASKS, _tend)),
    Duty("clear_shares", every(SECONDS_BETWEEN_CLEARINGS, _clear_shares)),
    Duty("indicators", _indicators),
    Duty("archive_ledger", every(DAY, _archive)),
)
