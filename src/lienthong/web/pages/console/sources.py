"""An agency's own sources: a line each, and one whole: its runs, its quality over time, the ten worst things to mend."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from lienthong.access import Role, State
from lienthong.contracts import Contract
from lienthong.errors import NotFound, Unprocessable
from lienthong.pipeline import approve_run
from lienthong.pipeline.delivered import CORRECTION, UPLOAD
from lienthong.pipeline.scoring import DIMENSIONS
from lienthong.pipeline.upload import CONNECTORS, own_source, takes_uploads
from lienthong.pipeline.withdrawing import withdraw
from lienthong.store import Connection, agreements, indicators, proposals, reconciliations, runs, uploads
from lienthong.store import pages as store
from lienthong.store import quality as quality_notes
from lienthong.web import acting
from lienthong.web.desk import number_of
from lienthong.web.pages.console.owning import datasets_of, owner_of
from lienthong.web.pages.console.stops import earliest
from lienthong.web.pages.drawing import Series, lines, spark
from lienthong.web.pages.forms import Form, go, text_in
from lienthong.web.pages.page import Page, Table
from lienthong.web.pages.portal import telling
from lienthong.web.pages.site import Site
from lienthong.web.pages.visiting import Visit

RUNS = 15
WORST = 10
MOST_OWED = 100
LEAST_POINTS = 3  # of a chart: two runs are told by the table
SAID = ("stop_told", "stop_taken_back")
COLUMNS = ("id", "title", "state", "last_run_at", "records", "waiting", "quality_percent")


def listed(site: Site, visit: Visit) -> Page:
    """Every source of one's agency: how it is, how fresh, what came last, what waits."""
    actor = acting.require(visit.request, Role.DATA_OFFICER)
    now = site.counter.clock()
    told, drawings = [], {}
    with site.counter.workshop.database.connect() as connection:
        standings, waiting = store.standings(connection), store.waiting_rows(connection)
        for c in datasets_of(site, visit, actor.agency):
            standing = standings.get(c.id, telling.UNKNOWN)
            last = next(iter(runs.recent(connection, c.id, 1)), None)
            quality = [_percent(r) for r in store.run_quality(connection, c.id, 12)]
            held = waiting.get(c.id, 0)
            rows = standing.records + held
            told.append(
                {
                    **telling.short(c, standing, site.agency(c.agency)),
                    "connectors": [source.connector for source in c.sources],
                    "freshness": telling.freshness(c, standing, now),
                    "state": last.state if last else "never",
                    "last_run_at": last.started_at if last else None,
                    "waiting": held,
                    "quality_percent": round(100 * standing.records / rows, 2) if rows else None,
                    "takes_uploads": takes_uploads(c),
                }
            )
            if len(quality) > 1:
                drawings[c.id] = spark(quality, visit.speech.t("console.quality_of", title=visit.speech.pick(c.title_vi, c.title_en)))
        recent = uploads.recent(connection, actor.agency)
        owed = _owed(connection, actor.agency)
    facts = {
        "agency": actor.agency,
        "agency_name": site.agency(actor.agency),
        "datasets": told,
        "owed": owed,
        "uploads": [upload_facts(each) for each in recent],
    }
    table = Table(COLUMNS, [[each[name] for name in COLUMNS] for each in told])
    return Page("console/sources.html", visit.speech.t("console.title"), facts, table, {"drawings": drawings})


def _owed(connection: Connection, agency: str) -> dict[str, int]:
    """What others wait for from this agency: answers to leaders, to citizens, to agencies that asked for data."""
    return {
        "explanations": sum(each.state == "open" for each in indicators.questions_to(connection, agency)),
        "corrections": len(proposals.listed(connection, owner=agency, state="open", limit=MOST_OWED)),
        "agreements": len(agreements.standing(connection, provider=agency, states=[State.REQUESTED], limit=MOST_OWED)),
    }


def shown(site: Site, visit: Visit) -> Page:
    """One dataset as its keeper sees it."""
    actor, contract = owner_of(site, visit)
    now = site.counter.clock()
    with site.counter.workshop.database.connect() as connection:
        standing = store.standings(connection).get(contract.id, telling.UNKNOWN)
        waiting = store.waiting_rows(connection).get(contract.id, 0)
        broken = store.waiting_issues(connection, contract.id) if waiting else []
        newest = runs.recent(connection, contract.id, RUNS)
        quality = store.run_quality(connection, contract.id)
        handed_in = uploads.recent(connection, actor.agency, contract.id, 5)
        held = reconciliations.newest(connection, contract.id)
        drifted = quality_notes.notes(connection, contract.id, 20)
        scored = quality_notes.history(connection, contract.id, 20)
        revisions = runs.period_revisions(connection, contract.id, 20)
        stops = telling.stops_of(connection, contract.id, now)
    roads = (*(source.name for source in contract.sources), CORRECTION, UPLOAD)
    facts: dict[str, Any] = {
        **telling.short(contract, standing, site.agency(contract.agency)),
        "freshness": telling.freshness(contract, standing, now),
        "quality": telling.quality_now(contract, standing, waiting, broken),
        "worst": [_worst(contract, each) for each in broken[:WORST]],
        "runs": [
            {
                "run": r.run_id, "source": r.source_name, "state": r.state, "started_at": r.started_at, "ended_at": r.ended_at,
                "rows_in": r.rows_in, "rows_published": r.rows_published,
                "rows_unchanged": r.rows_unchanged, "rows_quarantined": r.rows_quarantined, "waits_for": r.waits_for,
                "error": r.error, "can_withdraw": r.state == "published" and r.source_name in roads,
            }
            for r in newest
        ],
        "quality_by_run": [{"run": r.run_id, "at": r.started_at, "percent": _percent(r), "rows_in": r.rows_in} for r in quality],
        "sources": [{"name": s.name, "connector": s.connector, "delivery": s.delivery.value} for s in contract.sources],
        "key": [{"name": p.name, "title": p.title_vi, "title_en": p.title_en} for p in contract.key] if standing.records else [],
        "takes_uploads": takes_uploads(contract),
        "has_own_form": any(own_source(contract, suffix) for suffix in CONNECTORS),
        "uploads": [upload_facts(each) for each in handed_in],
        "reconciled": [
            {"source": name, "run": run, "at": at, "agrees": agrees, "lines": told} for name, run, at, agrees, told in held
        ],
        "drift": [vars(each) for each in drifted],
        "scores": [vars(each) for each in scored],
        "period_revisions": [vars(each) for each in revisions],
        "stops": stops,
        "earliest_stop": earliest(site, now),
    }  # fmt: skip
    said = visit.text("said")
    beside: dict[str, Any] = {"drawing": "", "scores_drawing": "", "dimensions": DIMENSIONS, "said": said if said in SAID else ""}
    if len(quality) >= LEAST_POINTS:
        labels = _labels(visit, [r.started_at for r in quality])
        series = [Series(visit.speech.t("portal.rows_right"), [_percent(r) for r in quality])]
        beside["drawing"] = lines(labels, series, visit.speech.t("console.quality_over_time"), lambda value: visit.speech.percent(value, 1))
    by_time = scored[::-1]
    if len(by_time) >= LEAST_POINTS:
        names = [name for name in DIMENSIONS if any(name in each.scores for each in by_time)]
        series = [Series(visit.speech.t(f"console.score_{name}"), [each.scores.get(name) for each in by_time]) for name in names]
        labels = _labels(visit, [each.at for each in by_time])
        beside["scores_drawing"] = lines(labels, series, visit.speech.t("console.scores"), lambda value: visit.speech.percent(value, 1))
    columns = ("run", "source", "state", "started_at", "rows_in", "rows_published", "rows_unchanged", "rows_quarantined")
    table = Table(columns, [[each[name] for name in columns] for each in facts["runs"]])
    return Page("console/source.html", visit.speech.pick(contract.title_vi, contract.title_en), facts, table, beside)


def _labels(visit: Visit, instants: Sequence[datetime]) -> list[str]:
    """What stands below a line over time: days, or hours where all of it is of one day."""
    days = [visit.speech.day(each)[:5] for each in instants]
    return [visit.speech.moment(each)[:5] for each in instants] if len(set(days)) == 1 else days


def decide(site: Site, visit: Visit, form: Form) -> Any:
    """Let a run that waits pass its bounds, or never."""
    actor, contract = owner_of(site, visit, form.get("csrf", ""))
    number, word = number_of("run", visit.path["run"]), text_in(form, "word")
    with site.counter.workshop.database.connect() as connection:
        run = runs.show(connection, number)
    if run is None or run.dataset_id != contract.id:
        raise NotFound(f"There is no run {number}.", vi=f"Không có lần nạp {number}.")
    if word == "approve":
        approve_run(site.counter.workshop, number, actor.name, reason=form.get("reason", ""))
    elif word == "withdraw":
        withdraw(site.counter.workshop, number, actor.name, form.get("reason", ""))
    else:
        raise Unprocessable("`word`: approve or withdraw.", vi="Chưa chọn cho qua hay bỏ.")
    return go(f"/console/datasets/{contract.id}")


def upload_facts(each: uploads.Upload) -> dict[str, Any]:
    """A handed-in file as pages tell it."""
    return {
        "upload": each.upload,
        "dataset": each.dataset_id,
        "file_name": each.file_name,
        "bytes": each.size_bytes,
        "is_whole": each.is_whole,
        "state": each.state,
        "step": each.step,
        "rows": each.rows,
        "total": each.total,
        "run": each.run_id,
        "error": each.error,
        "at": each.at,
        "ended_at": each.ended_at,
    }


def _percent(run: store.RunQuality) -> float:
    return round(100 * (run.rows_in - run.rows_quarantined) / run.rows_in, 2)


def _worst(contract: Contract, broken: store.BrokenRule) -> dict[str, Any]:
    field = next((p for p in contract.properties if p.name == broken.column), None)
    return {
        "rule": broken.rule,
        "column": broken.column,
        "column_title": field.title_vi if field else broken.column,
        "column_title_en": field.title_en if field else broken.column,
        "expected": broken.expected_vi,
        "expected_en": broken.expected_en,
        "rows": broken.count,
    }
