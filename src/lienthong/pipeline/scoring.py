"""Each version's profile and scores, after it is published, and what drifted against the versions before: told as notes and alerts.

A duty takes what has no profile yet; a version is never held up by it.
"""

from __future__ import annotations

from lienthong import quality
from lienthong.contracts import Contract, Layer, Property, Sensitivity
from lienthong.pipeline.workshop import Workshop
from lienthong.quality import drift
from lienthong.store import Connection, citizens, quarantine
from lienthong.store import quality as store
from lienthong.store.quality import DriftNote

HISTORY = 5  # versions a new one is held against
DIMENSIONS = ("completeness", "conformity", "uniqueness", "consistency")  # of scores; what else is kept with them is no dimension
COMPLETENESS, TIMELINESS = "completeness", "timeliness"
NUMBERS, DATES = ("integer", "number"), ("date", "timestamp")
_UNNAMED = (Sensitivity.PERSONAL, Sensitivity.SENSITIVE)


def profile_new(workshop: Workshop) -> int:
    """Profile every dataset's newest version that has none yet; how many."""
    with workshop.database.connect() as connection:
        waiting = store.unprofiled(connection)
    count = 0
    for dataset, version, run_id in waiting:
        contract = workshop.contracts.get(dataset)
        if contract is not None and contract.layer is not Layer.MASTER:
            count += _profile(workshop, contract, version, run_id)
            with workshop.database.connect() as connection:  # after the first fill: an index kept row by row would slow it
                citizens.index_numbers(connection, contract)
    return count


def _profile(workshop: Workshop, contract: Contract, version: int, run_id: int) -> bool:
    at = workshop.clock()
    with workshop.database.connect() as connection:
        profile = profile_of(connection, contract)
        scores = _scores(connection, contract, profile, run_id)
        if not store.keep_profile(connection, contract.id, version, run_id, drift.profile_document(profile), scores, at):
            return False
        before = [drift.profile_of(each) for each in store.profiles(connection, contract.id, version, HISTORY)]
        titles = {p.name: (p.title_vi, p.title_en) for p in contract.properties}
        for moved in drift.drifts(profile, before, titles):
            store.keep_drift(
                connection, DriftNote(contract.id, version, moved.kind, moved.column, moved.found, moved.usual, moved.vi, moved.en, at)
            )
    return True


def profile_of(connection: Connection, contract: Contract) -> drift.Profile:
    """What the current records look like."""
    records, empty = store.count_records(connection, contract, [p.name for p in contract.properties])
    columns = {}
    for p in contract.properties:
        kind = _kind(contract, p)
        told = {} if kind is None else store.buckets(connection, contract, p, kind)
        columns[p.name] = drift.ColumnProfile(empty[p.name], told, kind == "value")
    return drift.Profile(records, columns)


def history_of(connection: Connection, contract: Contract) -> list[drift.Profile]:
    """What the published versions look like, newest first; the newest is looked at now where no duty has done so yet."""
    newest = store.newest(connection, contract.id)
    if newest is None:
        return []
    kept = [drift.profile_of(each) for each in store.profiles(connection, contract.id, newest[0] + 1, HISTORY)]
    return kept if newest[1] else [profile_of(connection, contract), *kept][:HISTORY]


def _kind(contract: Contract, p: Property) -> str | None:
    """How values are told: by name only where they are of a list (or a code list's own level) and nobody's secret; keys not at all."""
    if p.key_position is not None or p.unique:
        return None
    if p.logical_type in NUMBERS:
        return "size"
    if p.logical_type in DATES:
        return "year"
    is_listed = p.logical_type == "boolean" or p.standard in ("code_list", "sex") or any(rule.kind == "allowed" for rule in p.rules)
    is_listed = is_listed or any(rule.kind == "allowed" and rule.columns == (p.name,) for rule in contract.rules)
    if is_listed and p.sensitivity is not Sensitivity.SENSITIVE:
        return "value"
    return "length"


def _scores(connection: Connection, contract: Contract, profile: drift.Profile, run_id: int) -> dict[str, float]:
    """Of all rows, published and waiting: the share without an issue, by dimension; and how much of the cells is filled.

    What a standard put right or noted as it took a value (a name for a code, an old code) is nothing wrong: it is told apart, as `put_right`.
    """
    waiting = quarantine.counts(connection, contract.id).get("waiting", 0)
    rows = profile.records + waiting
    promised = {rule.id for rule in quality.promised_rules(contract)}
    by_rule: dict[str, int] = {}
    put_right = 0
    for rule, severity, count in store.issues_of(connection, contract.id, run_id):
        if severity == "error" or rule in promised:
            by_rule[rule] = by_rule.get(rule, 0) + count
        else:
            put_right += count
    found = {score.dimension: score.percent for score in quality.score(contract, rows, by_rule)}
    cells = profile.records * len(profile.columns)
    filled = cells - sum(column.empty for column in profile.columns.values())
    return {
        **found,
        "put_right": round(min(100.0, 100 * put_right / rows), 2) if rows else 0.0,
        "filled": round(100 * filled / cells, 2) if cells else 100.0,
        "through": round(100 * profile.records / rows, 2) if rows else 100.0,
    }
