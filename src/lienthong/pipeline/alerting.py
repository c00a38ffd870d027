"""Alerts: what rules find, raised once, seen again while it lasts, taken and closed by somebody with a reason. Each step is in the ledger.

Reading is judged from the ledger (keyed hashes of persons, so how many there were, never who), order of keys and silence from the operational
records and their counts. An alert about reading is raised once an hour of clock for an official; one about a state that can pass (silence, a
late checkpoint, a full disk) is closed by the platform when it has passed and nobody took it.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from statistics import median

from lienthong.access import ANONYMOUS, Actor
from lienthong.clock import VIETNAM, vietnam_date
from lienthong.contracts import Contract
from lienthong.errors import BadRequest, Conflict, NotFound
from lienthong.ledger import Entry, Event
from lienthong.pipeline import first_week
from lienthong.pipeline.alert_rules import PASSING, Rule
from lienthong.pipeline.readings import Reader, Readings, Who
from lienthong.pipeline.slots import Watched
from lienthong.pipeline.unreviewed import unreviewed
from lienthong.pipeline.workshop import Workshop
from lienthong.store import Connection, append_entries, schedules
from lienthong.store import alerts as store
from lienthong.store import quality as quality_notes

PLATFORM = "lienthong"
LONGEST_REASON = 500
HOUR = timedelta(hours=1)
LOG = "source_log"  # looked at by itself, for it asks other servers


@dataclass(frozen=True)
class Finding:
    """What a rule found: about whom or what, whose it is, and the figures. What is kept names the rule's limits beside them, as `limit_…`."""

    rule: Rule
    subject: str
    agency: str
    figures: Mapping[str, float | str]

    @property
    def told(self) -> dict[str, float | str]:
        return {**self.figures, **{f"limit_{name}": value for name, value in self.rule.limits.items()}}


@dataclass(frozen=True)
class Late:
    """An entry of the list of open data past one of its days, as `catalog` tells it: what is due (review, refresh, publish), and by when."""

    dataset: str
    agency: str
    what: str
    by: date


def watch(workshop: Workshop, rules: Iterable[Rule], home: Path, late: Iterable[Late] = (), readings: Readings | None = None) -> int:
    """Judge everything now: raise what is new, mark what lasts, close what has passed. Gives how many were raised.

    Who watches again and again keeps `readings`, so that no entry is read twice.
    """
    now = workshop.clock()
    chosen, held = tuple(rules), readings or Readings()
    with workshop.database.connect() as connection:
        found = [
            *_findings(connection, chosen, home, now, held),
            *_reviews_late(connection, chosen, workshop.contracts, held, now),
            *_open_data_late(chosen, late, vietnam_date(now)),
        ]
    return _hold(workshop, found, tuple(kind for kind in PASSING if kind != LOG), now)


def _hold(workshop: Workshop, found: list[Finding], kinds: tuple[str, ...], now: datetime) -> int:
    """Raise what was found, close what stands of these kinds and was not."""
    raised = 0
    lasting = {(finding.rule.id, finding.subject) for finding in found}
    for finding in found:
        raised += _raise(workshop, finding, now)
    with workshop.database.connect() as connection:
        passed = [alert for alert, rule, subject in store.standing_alerts(connection, kinds) if (rule, subject) not in lasting]
    for alert in passed:
        _close_passed(workshop, alert, now)
    return raised


def watch_logs(workshop: Workshop, rules: Iterable[Rule], logs: Iterable[Watched]) -> int:
    """The same for sources that are read by a log: too much of it is kept for us, or what we need of it is gone."""
    found = [Finding(rule, f"{each.dataset} {each.source}", each.agency, _kept(each))
             for each in logs for rule in rules if rule.kind == LOG and each.state is not None
             and (each.state.state == "lost" or each.state.behind_bytes > rule.limit("megabytes") * 2**20)]  # fmt: skip
    return _hold(workshop, found, (LOG,), workshop.clock())


def _kept(watched: Watched) -> dict[str, float | str]:
    assert watched.state is not None  # the caller looked
    return {"kept_megabytes": round(watched.state.behind_bytes / 2**20, 1), "state": watched.state.state}


def take(workshop: Workshop, alert: int, actor: Actor) -> None:
    """Somebody looks into an alert. Raises NotFound, Conflict when it is taken or closed."""
    _move(workshop, alert, "taken", Event.ALERT_TAKEN, actor, "")


def close(workshop: Workshop, alert: int, actor: Actor, reason: str) -> None:
    """An alert is dealt with, and why. Raises NotFound, Conflict, BadRequest without a reason."""
    text = reason.strip()
    if not 0 < len(text) <= LONGEST_REASON or not text.isprintable():
        raise BadRequest(f"Expected a reason of 1 to {LONGEST_REASON} characters.", vi=f"Cần lý do, 1 đến {LONGEST_REASON} ký tự.")
    _move(workshop, alert, "closed", Event.ALERT_CLOSED, actor, text)


def _move(workshop: Workshop, alert: int, state: str, event: Event, actor: Actor, reason: str) -> None:
    now = workshop.clock()
    with workshop.database.connect() as connection:
        if store.alert_standing(connection, alert) is None:
            raise NotFound(f"There is no alert {alert}.", vi=f"Không có cảnh báo {alert}.")
        moved = store.move_alert(connection, alert, state, now, actor.name, reason)
        if moved is None:
            raise Conflict(f"Alert {alert} is {state} or closed already.", vi=f"Cảnh báo {alert} đã được nhận hoặc đã đóng.")
        details = {"alert": alert, "rule": moved[0]}
        entry = Entry(now, event, actor.subsystem or actor.agency or PLATFORM, official=actor.name, outcome=state, details=details)
        append_entries(connection, [entry], workshop.signer)


def _raise(workshop: Workshop, finding: Finding, now: datetime) -> int:
    rule = finding.rule
    with workshop.database.connect() as connection:
        if rule.kind not in PASSING and store.was_closed(connection, rule.id, finding.subject):
            return 0
        made = store.raise_alert(connection, rule.id, rule.kind, finding.subject, finding.agency, rule.severity, finding.told, now)
        if made is None:
            return 0
        details = {"alert": made, "rule": rule.id, "kind": rule.kind, "severity": rule.severity}
        append_entries(connection, [Entry(now, Event.ALERT_RAISED, PLATFORM, outcome="open", details=details)], workshop.signer)
    return 1


def _close_passed(workshop: Workshop, alert: int, now: datetime) -> None:
    with workshop.database.connect() as connection:
        moved = store.move_alert(connection, alert, "closed", now, PLATFORM, "đã qua · it has passed")
        if moved is not None:
            details = {"alert": alert, "rule": moved[0]}
            append_entries(connection, [Entry(now, Event.ALERT_CLOSED, PLATFORM, outcome="closed", details=details)], workshop.signer)


def _findings(connection: Connection, rules: tuple[Rule, ...], home: Path, now: datetime, readings: Readings) -> Iterator[Finding]:
    readings.follow(connection, rules, now)
    reading = [rule for rule in rules if rule.kind in READING]
    for hours in sorted({rule.limit("hours") for rule in reading}):
        readers = readings.within(hours, now)
        for rule in reading:
            if rule.limit("hours") == hours:
                yield from READING[rule.kind](rule, readers, now)
    for rule in rules:
        look = LOOKS.get(rule.kind)
        if look is not None:
            yield from look(rule, connection, home, now)


def _many_persons(rule: Rule, readers: Mapping[Who, Reader], now: datetime) -> Iterator[Finding]:
    for (caller, official), reader in readers.items():
        persons = len(reader.persons) + reader.listed
        if official and persons >= rule.limit("persons"):
            yield _about(rule, caller, official, now, persons=persons)


def _off_hours(rule: Rule, readers: Mapping[Who, Reader], now: datetime) -> Iterator[Finding]:
    for (caller, official), reader in readers.items():
        if reader.late >= rule.limit("answers"):
            yield _about(rule, caller, official, now, answers=reader.late)


def _refused(rule: Rule, readers: Mapping[Who, Reader], now: datetime) -> Iterator[Finding]:
    for (caller, official), reader in readers.items():
        if reader.refused >= rule.limit("refusals"):
            yield _about(rule, caller, official, now, refusals=reader.refused)


def _keys_in_order(rule: Rule, readers: Mapping[Who, Reader], now: datetime) -> Iterator[Finding]:
    for (caller, official), reader in readers.items():
        if reader.in_order >= rule.limit("keys"):
            yield _about(rule, caller, official, now, keys=reader.in_order)


def _about(rule: Rule, caller: str, official: str, now: datetime, **figures: float) -> Finding:
    """A finding about an official's reading, one an hour of clock."""
    hour = now.astimezone(VIETNAM).strftime("%Y-%m-%d %H")
    parts = caller.split("/")
    agency = parts[2] if len(parts) == 4 else ""
    return Finding(rule, f"{caller} {official or '-'} {hour}", agency, figures)


def _silent_caller(rule: Rule, connection: Connection, _: Path, now: datetime) -> Iterator[Finding]:
    """Who called a service on most days, often, and has not for long. A caller is expected as it was on working days."""
    since = now - timedelta(days=rule.limit("days"))
    days: dict[tuple[str, str, str], list[int]] = {}
    for provider, service, caller, _day, calls in store.calls_by_day(connection, since):
        if caller != ANONYMOUS:
            days.setdefault((provider, service, caller), []).append(calls)
    last = store.last_calls(connection, since)
    quiet = timedelta(hours=rule.limit("quiet_hours"))
    for (provider, service, caller), by_day in days.items():
        newest = last.get((service, caller), since)
        if len(by_day) >= rule.limit("days") / 2 and median(by_day) >= rule.limit("least_a_day") and now - newest > quiet + HOUR:
            yield Finding(rule, f"{caller} {service}", provider, {"hours": round((now - newest) / HOUR)})


def _first_week(rule: Rule, connection: Connection, _: Path, now: datetime) -> Iterator[Finding]:
    """Who got its first production key lately and is silent, refused or failing."""
    for week in first_week.weeks(connection, vietnam_date(now), first_week.limits_of([rule])):
        if week.state == "trouble":
            figures: dict[str, float | str] = {
                "calls": week.calls,
                "refused": week.refused,
                "failed": week.failed,
                "faults": " ".join(week.faults),
            }
            yield Finding(rule, week.identifier, week.agency, figures)


def _silent_source(rule: Rule, connection: Connection, _: Path, now: datetime) -> Iterator[Finding]:
    for dataset, source, begun in store.source_runs(connection, now - timedelta(days=rule.limit("days"))):
        if len(begun) < rule.limit("least_runs"):
            continue
        gaps = [(later - earlier).total_seconds() for later, earlier in pairwise(begun)]
        usual = median(gaps)
        waited = (now - begun[0]).total_seconds()
        if waited > max(3600.0, usual * rule.limit("times_usual")):
            yield Finding(rule, f"{dataset} {source}", "", {"hours": round(waited / 3600, 1), "usual_hours": round(usual / 3600, 1)})


def _late_source(rule: Rule, connection: Connection, _: Path, now: datetime) -> Iterator[Finding]:
    """Due by its schedule, past its grace, and not come since."""
    for dataset, source, since in schedules.silent(connection, now):
        yield Finding(rule, f"{dataset} {source}", "", {"hours": round((now - since) / HOUR, 1)})


def _drift(rule: Rule, connection: Connection, _: Path, now: datetime) -> Iterator[Finding]:
    """What moved in versions of the last days, one finding a version."""
    moved = Counter[str](
        f"{dataset} {version}" for dataset, version in quality_notes.since(connection, now - timedelta(days=rule.limit("days")))
    )
    for subject, count in moved.items():
        yield Finding(rule, subject, "", {"notes": count})


def _copies_failing(rule: Rule, connection: Connection, _: Path, now: datetime) -> Iterator[Finding]:
    for name, caller in store.failing_copies(connection, now - timedelta(minutes=rule.limit("minutes"))):
        parts = caller.split("/")
        yield Finding(rule, name, parts[2] if len(parts) == 4 else "", {})


def _open_data_late(rules: Iterable[Rule], late: Iterable[Late], today: date) -> Iterator[Finding]:
    every = tuple(late)
    for rule in rules:
        if rule.kind == "open_data_late":
            for each in every:
                days = (today - each.by).days
                if days > rule.limit("days"):
                    yield Finding(rule, f"{each.dataset} {each.what}", each.agency, {"late_days": days})


def _reviews_late(
    connection: Connection, rules: Iterable[Rule], contracts: Mapping[str, Contract], readings: Readings, now: datetime
) -> Iterator[Finding]:
    """Indexes whose last review is old, or that have joined records for long and were never reviewed."""
    chosen = [rule for rule in rules if rule.kind == "review_late"]
    if chosen:
        for each in unreviewed(connection, contracts, readings.joined):
            for rule in chosen:
                if now - each.since > timedelta(days=rule.limit("days")):
                    yield Finding(rule, each.dataset, each.agency, {"days": (now - each.since).days})


def _checkpoint_late(rule: Rule, connection: Connection, _: Path, __: datetime) -> Iterator[Finding]:
    waiting = store.waiting_seconds(connection)
    if waiting > rule.limit("seconds"):
        yield Finding(rule, "ledger", "", {"waiting_seconds": round(waiting)})


def _disk(rule: Rule, _: Connection, home: Path, __: datetime) -> Iterator[Finding]:
    place = home if home.exists() else Path()
    usage = shutil.disk_usage(place)
    free = 100 * usage.free / usage.total
    if free < rule.limit("free_percent"):
        yield Finding(rule, "home", "", {"free": round(free, 1)})


READING: Mapping[str, Callable[[Rule, Mapping[Who, Reader], datetime], Iterator[Finding]]] = {
    "many_persons": _many_persons,
    "off_hours": _off_hours,
    "refused": _refused,
    "keys_in_order": _keys_in_order,
}
LOOKS: Mapping[str, Callable[[Rule, Connection, Path, datetime], Iterator[Finding]]] = {
    "copies_failing": _copies_failing,
    "silent_caller": _silent_caller,
    "first_week": _first_week,
    "silent_source": _silent_source,
    "late_source": _late_source,
    "drift": _drift,
    "checkpoint_late": _checkpoint_late,
    "disk": _disk,
}
