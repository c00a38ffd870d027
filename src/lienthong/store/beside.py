"""Keeps what goes on beside the platform: direct links with every act on them, requests on paper. What may be done is not decided here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from lienthong.access import Actor
from lienthong.access.beside import AVOIDABLE, Carried, Could, Ground, LinkAct, LinkState
from lienthong.store.database import Connection, queries

MOST = 10_000


@dataclass(frozen=True)
class NewLink:
    """A link as it is reported."""

    provider: str
    consumer: str
    dataset: str
    content: str
    since: date


@dataclass(frozen=True)
class Link:
    """A link as it stands. `due_on`: by when somebody must act on it; `step` is the number of its newest act, `at` when that was."""

    link: str
    provider: str
    consumer: str
    dataset: str
    content: str
    since: date
    carried: Carried
    state: LinkState
    ground: Ground | None
    due_on: date | None
    step: int
    at: datetime


@dataclass(frozen=True)
class NewLinkStep:
    """An act on a link, to be kept."""

    act: LinkAct
    state: LinkState
    actor: Actor
    at: datetime
    basis: str
    reason: str = ""
    ground: Ground | None = None
    document_no: str = ""
    dated_on: date | None = None
    due_on: date | None = None


@dataclass(frozen=True)
class KeptLinkStep:
    """An act on a link, as it was kept."""

    step: int
    act: str
    state: str
    ground: str
    reason: str
    document_no: str
    dated_on: date | None
    due_on: date | None
    legal_basis: str
    by: str
    agency: str
    subsystem: str
    at: datetime


@dataclass(frozen=True)
class NewPaper:
    """A request on paper, as it is recorded. `records`: how many persons, dossiers or parcels it asks about."""

    asker: str
    asked: str
    dataset: str
    content: str
    document_no: str
    sent_on: date
    records: int


@dataclass(frozen=True)
class Paper:
    """A request on paper, as it was recorded."""

    request: int
    paper: NewPaper
    carried: Carried
    legal_basis: str
    by: str
    by_agency: str
    at: datetime


@dataclass(frozen=True)
class PaperCount:
    """Letters, and records they ask for, of one pair of agencies about one dataset; `avoidable`: what the platform could have given."""

    asker: str
    asked: str
    dataset: str
    letters: int
    records: int
    avoidable_letters: int
    avoidable_records: int


def next_link(connection: Connection) -> int:
    row = connection.execute(queries("beside")["next_link"]).fetchone()
    assert row is not None
    return int(row[0])


def lock_pair(connection: Connection, provider: str, consumer: str) -> None:
    """Links between two agencies are reported one at a time, until the transaction ends."""
    connection.execute(queries("beside")["lock_name"], {"name": f"{provider} {consumer}"})


def add_link(connection: Connection, number: str, link: NewLink, carried: Carried, step: NewLinkStep) -> None:
    values = {
        "link": number, "provider": link.provider, "consumer": link.consumer, "dataset": link.dataset, "content": link.content,
        "since": link.since, "could": carried.by, "agreement": carried.agreement, "at": step.at,
    }  # fmt: skip
    connection.execute(queries("beside")["add_link"], values)
    add_link_step(connection, number, step)


def lock_link(connection: Connection, number: str) -> Link | None:
    """The link, held until the transaction ends; None when there is none."""
    if connection.execute(queries("beside")["lock_link"], {"link": number}).fetchone() is None:
        return None
    return next(iter(links(connection, link=number)), None)


def add_link_step(connection: Connection, number: str, step: NewLinkStep) -> None:
    """The next act on a held link; the one before ends."""
    connection.execute(queries("beside")["end_link_step"], {"link": number, "at": step.at})
    values = {
        "link": number, "act": step.act, "state": step.state, "ground": step.ground or "", "reason": step.reason, "document_no": step.document_no,
        "dated_on": step.dated_on, "due_on": step.due_on, "basis": step.basis, "by": step.actor.name, "agency": step.actor.agency,
        "subsystem": step.actor.subsystem, "at": step.at,
    }  # fmt: skip
    connection.execute(queries("beside")["add_link_step"], values)


def links(
    connection: Connection, *, link: str | None = None, agency: str | None = None, states: Sequence[LinkState] | None = None, limit: int = MOST
) -> list[Link]:  # fmt: skip
    """Links as they stand, what is due first."""
    values = {"link": link, "agency": agency, "states": None if states is None else [str(each) for each in states], "limit": limit}
    rows = connection.execute(queries("beside")["links"], values).fetchall()
    return [
        Link(link, provider, consumer, dataset, content, since, Carried(Could(could), agreement), LinkState(state), Ground(ground) if ground else None, *rest)
        for link, provider, consumer, dataset, content, since, could, agreement, state, ground, *rest in rows
    ]  # fmt: skip


def link_steps(connection: Connection, number: str) -> list[KeptLinkStep]:
    return [KeptLinkStep(*row) for row in connection.execute(queries("beside")["link_steps"], {"link": number}).fetchall()]


def add_paper(connection: Connection, paper: NewPaper, carried: Carried, basis: str, actor: Actor, at: datetime) -> int | None:
    """The number it got; None when this letter is recorded already."""
    values = {
        "asker": paper.asker, "asked": paper.asked, "dataset": paper.dataset, "content": paper.content, "document_no": paper.document_no,
        "sent_on": paper.sent_on, "records": paper.records, "could": carried.by, "agreement": carried.agreement, "basis": basis,
        "by": actor.name, "agency": actor.agency, "at": at,
    }  # fmt: skip
    row = connection.execute(queries("beside")["add_paper"], values).fetchone()
    return None if row is None else int(row[0])


def withdraw_paper(connection: Connection, request: int, agency: str | None, by: str, reason: str, at: datetime) -> bool:
    """Whether one that stood, recorded by this agency (None: any), is withdrawn now."""
    values = {"request": request, "agency": agency, "by": by, "reason": reason, "at": at}
    return connection.execute(queries("beside")["withdraw_paper"], values).fetchone() is not None


def papers(
    connection: Connection, begins: date, ends: date, agency: str | None = None, before: int | None = None, limit: int = MOST
) -> list[Paper]:  # fmt: skip
    """Those sent on [begins, ends], the newest first; `before`: with smaller numbers only."""
    values = {"begins": begins, "ends": ends, "agency": agency, "before": before, "limit": limit}
    rows = connection.execute(queries("beside")["papers"], values).fetchall()
    return [Paper(row[0], NewPaper(*row[1:8]), Carried(Could(row[8]), row[9]), *row[10:]) for row in rows]


def count_papers(connection: Connection, begins: date, ends: date, agency: str | None = None) -> list[PaperCount]:
    """By asker, asked and dataset, in that order."""
    values = {"begins": begins, "ends": ends, "agency": agency, "avoidable": sorted(str(each) for each in AVOIDABLE)}
    return [PaperCount(*row) for row in connection.execute(queries("beside")["count_papers"], values).fetchall()]
