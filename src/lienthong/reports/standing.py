"""How the index of golden records stands: records, golden records, what registers share, who decided, what waits, what happened."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from lienthong.contracts import Contract
from lienthong.masterdata.entities import entities_of
from lienthong.masterdata.estimating import Estimate, Share, estimate
from lienthong.store import Connection, reviewing
from lienthong.store import matching as index
from lienthong.store import reports as store

DAYS = 30  # of events shown


@dataclass(frozen=True)
class EntityStanding:
    """One entity. `by_source`: register → (records, golden records); `judged`: (by rule, model or steward; verdict) → how many in force."""

    entity: str
    title_vi: str
    title_en: str
    model: str | None
    records: int
    goldens: int
    by_source: Mapping[str, tuple[int, int]]
    overlaps: Mapping[tuple[str, str], int]
    judged: Mapping[tuple[str, str], int]
    waiting: Mapping[str, int]
    events: Mapping[date, Mapping[str, int]]
    estimate: Estimate | None = None
    reviewed_at: datetime | None = None


def index_report(connection: Connection, contracts: Mapping[str, Contract], now: datetime) -> tuple[EntityStanding, ...]:
    """Every entity that has a master contract; events of the last thirty days."""
    found = []
    for entity in entities_of(contracts).values():
        standing = index.standing(connection, entity.name)
        events: dict[date, dict[str, int]] = {}
        for day, kind, count in store.events(connection, entity.name, now - timedelta(days=DAYS)):
            events.setdefault(day, {})[kind] = count
        found.append(
            EntityStanding(
                entity.name,
                entity.master.title_vi,
                entity.master.title_en,
                index.model_version(connection, entity.name),
                standing["records"],
                standing["goldens"],
                {source: (records, goldens) for source, records, goldens in store.by_source(connection, entity.name)},
                {(left, right): count for left, right, count in store.overlaps(connection, entity.name)},
                {(kind, verdict): count for kind, verdict, count in store.judgements(connection, entity.name)},
                dict(store.waiting(connection, entity.name)),
                events,
                *_reviewed(connection, entity.name),
            )
        )
    return tuple(found)


def _reviewed(connection: Connection, entity: str) -> tuple[Estimate | None, datetime | None]:
    """How right the index is by its newest review that is through, and when that was drawn."""
    drawn = reviewing.standing(connection, entity)
    return (None, None) if drawn is None else (estimate(reviewing.verdicts(connection, drawn.review)), drawn.at)


def index_document(report: tuple[EntityStanding, ...]) -> dict[str, Any]:
    """The report as JSON: figures only."""
    return {"entities": [_document(each) for each in report]}


def _document(one: EntityStanding) -> dict[str, Any]:
    return {
        "entity": one.entity,
        "title": one.title_vi,
        "title_en": one.title_en,
        "model": one.model,
        "records": one.records,
        "golden_records": one.goldens,
        "sources": [
            {"source": source, "records": records, "golden_records": goldens} for source, (records, goldens) in one.by_source.items()
        ],
        "overlaps": [{"left": left, "right": right, "golden_records": count} for (left, right), count in one.overlaps.items()],
        "judgements": [{"by": kind, "verdict": verdict, "count": count} for (kind, verdict), count in one.judged.items()],
        "waiting": dict(one.waiting),
        "quality": None if one.estimate is None else quality_document(one.estimate, one.reviewed_at, is_named=False),
        "events": [{"day": day.isoformat(), **kinds} for day, kinds in one.events.items()],
    }


def quality_document(found: Estimate, drawn_at: datetime | None, *, is_named: bool) -> dict[str, Any]:
    """How right an index is, as JSON. `is_named`: who reviewed is told by name; else their order tells nothing of it either."""
    return {
        "drawn_at": None if drawn_at is None else drawn_at.isoformat(),
        "pairs": found.pairs,
        "reviewed": found.reviewed,
        "covered": found.covered,
        "precision": _share(found.precision),
        "recall": _share(found.recall),
        "by_registers": [
            {"registers": name.split("|"), "precision": _share(precise), "recall": _share(whole)}
            for name, (precise, whole) in found.by_registers.items()
        ],
        "equal_verdicts": None if found.agreement is None else found.agreement[0],
        "kappa": None if found.agreement is None else found.agreement[1],
        "reviewers": [{"reviewer": name, **vars(each)} for name, each in found.by_reviewer.items()] if is_named else _unnamed(found),
    }


def _unnamed(found: Estimate) -> list[dict[str, Any]]:
    """Each reviewer's part, who looked at most first."""
    return [vars(each) for each in sorted(found.by_reviewer.values(), key=lambda each: (-each.looked, -each.twice, -each.equal))]


def _share(share: Share | None) -> dict[str, Any] | None:
    """A share with its 95 % interval."""
    return None if share is None else {"value": share.value, "low": share.low, "high": share.high, "reviewed": share.reviewed}
