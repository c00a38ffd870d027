"""Quality of every dataset on one page, for who answers for it: scores by dimension, over time, what drifted, what waits and whose turn it is.

Leaders, auditors and operators see the province; an agency's own officials theirs. Figures alone: no value of any record.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from lienthong.access import Actor, Role
from lienthong.catalog.measuring import freshness
from lienthong.contracts import Contract, Layer
from lienthong.pipeline.scoring import DIMENSIONS
from lienthong.store import pages as store
from lienthong.store import quality as scored
from lienthong.store.quality import DriftNote, ScoredVersion
from lienthong.web import acting
from lienthong.web.pages.drawing import Series, columns, lines, spark
from lienthong.web.pages.page import Page, Table
from lienthong.web.pages.portal import telling
from lienthong.web.pages.site import Site
from lienthong.web.pages.speaking import order_key
from lienthong.web.pages.visiting import Visit

SEES_ALL = (Role.LEADER, Role.AUDITOR, Role.OPERATOR)
SEES_OWN = (Role.DATA_OFFICER, Role.STEWARD)
VERSIONS = 12  # of each dataset, in its small line
DAYS = 30  # the province's line
DRIFT_DAYS = 14
LEAST_POINTS = 2
COLUMNS = ("id", "title", "agency_name", "records", "percent", *DIMENSIONS, "waiting", "runs_waiting", "drifted", "freshness")


def shown(site: Site, visit: Visit) -> Page:
    actor = acting.require(visit.request, *SEES_ALL, *SEES_OWN)
    now = site.counter.clock()
    contracts = _seen(site, actor)
    with site.counter.workshop.database.connect() as connection:
        standings, waiting = store.standings(connection), store.waiting_rows(connection)
        trends, runs = scored.trends(connection, VERSIONS), scored.runs_waiting(connection)
        notes = [each for each in scored.notes_from(connection, now - timedelta(days=DRIFT_DAYS)) if each.dataset_id in contracts]
    told = [
        _told(site, each, standings.get(each.id, telling.UNKNOWN), waiting.get(each.id, 0), runs.get(each.id, []), trends.get(each.id, []), notes, now)
        for each in contracts.values()
    ]  # fmt: skip
    told.sort(key=lambda each: (101.0 if each["percent"] is None else each["percent"], order_key(visit.speech.of(each, "title"))))
    history = _by_day({name: trends[name] for name in contracts if name in trends}, now.date())
    facts = {
        "is_all": actor.may(*SEES_ALL),
        "datasets": told,
        "dimensions": _dimensions(told),
        "by_day": history,
        "drift": [vars(each) for each in notes],
        "turns": _turns(told),
    }
    table = Table(COLUMNS, [[_cell(each, name) for name in COLUMNS] for each in told])
    titles = {each["id"]: visit.speech.of(each, "title") for each in told}
    beside = {"titles": titles, "drawings": _drawings(visit, facts)}
    return Page("board/quality.html", visit.speech.t("board.quality"), facts, table, beside)


def _seen(site: Site, actor: Actor) -> dict[str, Contract]:
    """What is delivered and its reader answers for; golden records are made of it and have their own measures."""
    delivered = [each for each in site.contracts.values() if each.layer is not Layer.MASTER]
    return {each.id: each for each in delivered if actor.may(*SEES_ALL) or actor.is_of(each.agency)}


def _told(
    site: Site, contract: Contract, standing: store.StandingNow, waiting: int, runs: Sequence[int], trend: Sequence[ScoredVersion],
    notes: Sequence[DriftNote], now: datetime,
) -> dict[str, Any]:  # fmt: skip
    rows = standing.records + waiting
    newest = trend[-1] if trend else None
    drifted = [each for each in notes if each.dataset_id == contract.id]
    fresh = freshness(contract, standing, now)
    return {
        **telling.short(contract, standing, site.agency(contract.agency)),
        "percent": round(100 * standing.records / rows, 2) if rows else None,
        "scores": {name: newest.scores[name] for name in DIMENSIONS if name in newest.scores} if newest else {},
        "put_right": newest.scores.get("put_right", 0.0) if newest else 0.0,
        "scored_at": newest.at if newest else None,
        "trend": [{"version": each.version, "at": each.at, "percent": each.scores.get("through", 100.0)} for each in trend],
        "waiting": waiting,
        "runs_waiting": len(runs),
        "drifted": len(drifted),
        "freshness": fresh,
        "turns": [
            *(["decide_runs"] if runs else []), *(["mend_rows"] if waiting else []), *(["deliver"] if fresh["state"] == "late" else []),
            *(["look_at_drift"] if drifted else []),
        ],
    }  # fmt: skip


def _dimensions(told: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Each dimension over all datasets that are scored by it, weighted by their records, and the dataset that is worst."""
    found = []
    for name in DIMENSIONS:
        these = [each for each in told if name in each["scores"] and each["records"]]
        records = sum(each["records"] for each in these)
        if records:
            worst = min(these, key=lambda each: (each["scores"][name], each["id"]))
            percent = sum(each["scores"][name] * each["records"] for each in these) / records
            found.append({"dimension": name, "percent": round(percent, 2), "datasets": len(these), "worst": worst["id"], "worst_percent": worst["scores"][name]})  # fmt: skip
    return found


def _by_day(trends: Mapping[str, Sequence[ScoredVersion]], today: date) -> list[dict[str, Any]]:
    """Rows right and cells filled over all datasets at the end of each day on which one was scored, weighted by records; at most thirty days."""
    days = sorted({each.at.date() for trend in trends.values() for each in trend if each.at.date() > today - timedelta(days=DAYS)})
    found = []
    for day in days:
        standing = [next((each for each in reversed(trend) if each.at.date() <= day), None) for trend in trends.values()]
        known = [each for each in standing if each is not None and each.records]
        records = sum(each.records for each in known)
        if records:
            through, filled = (
                sum(each.scores.get(name, 100.0) * each.records for each in known) / records for name in ("through", "filled")
            )
            found.append({"day": day, "percent": round(through, 2), "filled": round(filled, 2), "datasets": len(known)})
    return found


def _turns(told: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Whose turn it is: an agency, what it has to do, with which datasets; who has most to do first."""
    found: dict[str, dict[str, Any]] = {}
    for each in told:
        if each["turns"]:
            of = found.setdefault(each["agency"], {"agency": each["agency"], "agency_name": each["agency_name"], "things": []})
            of["things"] += [{"dataset": each["id"], "thing": thing, "count": _count(each, thing)} for thing in each["turns"]]
    return sorted(found.values(), key=lambda of: (-len(of["things"]), of["agency"]))


def _count(each: Mapping[str, Any], thing: str) -> int:
    counts: dict[str, int] = {"decide_runs": each["runs_waiting"], "mend_rows": each["waiting"], "look_at_drift": each["drifted"]}
    return counts.get(thing, 1)


def _drawings(visit: Visit, facts: Mapping[str, Any]) -> dict[str, Any]:
    speech = visit.speech
    drawn: dict[str, Any] = {
        "dimensions": columns(
            [(speech.t(f"console.score_{each['dimension']}"), each["percent"], speech.percent(each["percent"], 1)) for each in facts["dimensions"]],
            speech.t("board.quality_dimensions"),
        )
    }  # fmt: skip
    history = facts["by_day"]
    if len(history) >= LEAST_POINTS:
        series = [
            Series(speech.t("portal.rows_right"), [each["percent"] for each in history]),
            Series(speech.t("board.cells_filled"), [each["filled"] for each in history]),
        ]
        labels = [speech.day(each["day"])[:5] for each in history]
        drawn["by_day"] = lines(labels, series, speech.t("board.quality_by_day"), lambda value: speech.percent(value, 1))
    for each in facts["datasets"]:
        if len(each["trend"]) >= LEAST_POINTS:
            drawn[each["id"]] = spark(
                [point["percent"] for point in each["trend"]], speech.t("console.quality_of", title=speech.of(each, "title"))
            )
    return drawn


def _cell(each: Mapping[str, Any], name: str) -> Any:
    if name in DIMENSIONS:
        return each["scores"].get(name)
    return each["freshness"]["state"] if name == "freshness" else each[name]
