"""`GET …/quality`: the owner's dataset over time: scores, drift, rules broken, reconciliation, closed periods, its schedule."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from lienthong import quality
from lienthong.sharing.filters import read_known
from lienthong.store import quality as store
from lienthong.store import reconciliations, runs, schedules
from lienthong.web.asking import Counter, contract_of, json_answer

VERSIONS = 50
GAP_DAYS = 90


def shown(counter: Counter, request: Request) -> Response:
    """Figures alone: no value of any record."""
    contract = contract_of(counter, request)
    counter.authorise(request, contract, "own")
    read_known(request.query_params.multi_items(), ())
    place, now = counter.workshop, counter.clock()
    with place.database.connect() as connection:
        gaps = schedules.gaps(connection, now - timedelta(days=GAP_DAYS))
        dues = {due.source_name: due for due in schedules.newest(connection, contract.id)}
        facts: dict[str, Any] = {
            "dataset": contract.id,
            "scores": [vars(each) for each in store.history(connection, contract.id, VERSIONS)],
            "drift": [vars(each) for each in store.notes(connection, contract.id, VERSIONS)],
            "rules": [
                {"run": run, "at": at, "rule": rule, "severity": severity, "issues": count}
                for run, at, rule, severity, count in store.rules_by_run(connection, contract.id)
            ],
            "reconciliations": [
                {"source": name, "run": run, "at": at, "agrees": agrees, "measures": lines}
                for name, run, at, agrees, lines in reconciliations.newest(connection, contract.id)
            ],
            "period_revisions": [vars(each) for each in runs.period_revisions(connection, contract.id)],
        }
    schedule = contract.schedule
    facts["sources"] = [
        {
            "source": source.name,
            "due": None
            if (due := dues.get(source.name)) is None
            else {"at": due.due_at, "state": due.state, "run": due.run_id, "error": due.error},
            "due_next": None if schedule is None else quality.next_due(schedule, now, place.offices),
            "due_times": gaps.get((contract.id, source.name), (0, 0))[0],
            "without_delivery": gaps.get((contract.id, source.name), (0, 0))[1],
        }
        for source in contract.sources
    ]
    return json_answer(facts)
