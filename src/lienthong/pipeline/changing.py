"""What a new version of a contract means before it is applied: for whom, for the tables, for the next run; and applying exactly what was shown."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from lienthong.contracts import Change, Contract, Verdict, compare, verdict
from lienthong.contracts.indicators import Indicator
from lienthong.contracts.load import build
from lienthong.contracts.mapping import lookups_of
from lienthong.errors import Conflict, UnsafeMigration
from lienthong.ledger import Entry, Event
from lienthong.pipeline.delivered import PLATFORM
from lienthong.pipeline.workshop import Workshop
from lienthong.store import Connection, append_entries, changing, tables
from lienthong.store.tables import Applied

DAYS_LOOKED_BACK = 90
DIGEST_SIGNS = 16
READ_BY = ("agreement", "subscription", "copy", "reader")  # without one of them, nobody can be broken


@dataclass(frozen=True)
class Hit:
    """Somebody a change concerns. `kind`: agreement, subscription, copy, reader, report, contract. `fields`: which of the changed ones.

    `answers`: how many they were really given with those fields in the days looked back; `last_at`: the last of them.
    """

    kind: str
    name: str
    who: str
    fields: tuple[str, ...] = ()
    answers: int = 0
    last_at: datetime | None = None


@dataclass(frozen=True)
class Diff:
    """The changes between two versions, the gravest first, and whom those that are no mere words concern."""

    changes: tuple[Change, ...]
    verdict: Verdict
    hits: tuple[Hit, ...]


@dataclass(frozen=True)
class Plan:
    """What applying a contract would do. `refused`: why it cannot; `outcome` is then `refused`.

    `outcome`: created, migrated, unchanged, refused, or `notice`: it breaks somebody and begins with a notice. `seconds`: about how long the next
    run takes, as its rows are judged anew; None where nothing is known.
    """

    contract: Contract
    outcome: str
    diff: Diff
    added: Mapping[str, str] = field(default_factory=dict)
    widened: Mapping[str, str] = field(default_factory=dict)
    dropped: tuple[str, ...] = ()
    refused: str = ""
    is_judged_anew: bool = False
    rows: int | None = None
    seconds: float | None = None
    digest: str = ""


def diff(
    connection: Connection | None, old: Contract, new: Contract, contracts: Mapping[str, Contract], now: datetime, indicators: Collection[Indicator] = ()
) -> Diff:  # fmt: skip
    """Compare two versions and say whom it concerns. Without a connection, only what files say."""
    changes = compare(old, new)
    touched = _touched(old, changes)
    hits: list[Hit] = []
    if touched and connection is not None:
        hits += _hits_of_store(connection, old, touched, now)
    if touched:
        hits += _hits_of_files(old, touched, contracts, indicators)
    return Diff(changes, verdict(changes), tuple(hits))


def plan(workshop: Workshop, contracts: Sequence[Contract], indicators: Collection[Indicator] = ()) -> list[Plan]:
    """What applying each of these would do. Nothing is changed; the digest of a plan says what it was made for."""
    with workshop.database.connect() as connection:
        return [_plan(workshop, connection, contract, indicators) for contract in contracts]


def digest_of(plans: Sequence[Plan]) -> str:
    """One digest of several plans: it changes when a contract does, or anything of the world they were made for."""
    return hashlib.sha256(" ".join(each.digest for each in plans).encode()).hexdigest()[:DIGEST_SIGNS]


def apply_planned(workshop: Workshop, contracts: Sequence[Contract], digest: str, indicators: Collection[Indicator] = ()) -> list[Applied]:
    """Apply exactly what was planned, all in one transaction. Raises Conflict when the world has changed since, UnsafeMigration as applying does."""
    at = workshop.clock()
    with workshop.database.connect() as connection:
        for name in sorted(contract.id for contract in contracts):
            changing.lock(connection, name)
        plans = [_plan(workshop, connection, contract, indicators) for contract in contracts]
        if digest_of(plans) != digest:
            raise Conflict(
                f"The plan {digest} no longer holds: a contract, its tables or its users have changed since.",
                hint="Make it anew: lienthong contract plan.", vi=f"Kế hoạch {digest} không còn đúng: hợp đồng, bảng hoặc người dùng đã thay đổi. Hãy lập lại.", hint_vi="Lập lại bằng: lienthong contract plan.",
            )  # fmt: skip
        waiting = next((each for each in plans if each.outcome in ("notice", "refused")), None)
        if waiting is not None:
            raise UnsafeMigration(
                f"`{waiting.contract.id}`: {waiting.refused or 'breaks what readers wrote'}.",
                hint="lienthong contract apply --notice begins with a notice.",
            )
        applied = [tables.apply_tables(connection, contract) for contract in contracts]
        entries = [
            Entry(at, Event.CONTRACT_APPLIED, PLATFORM, dataset=contract.id, outcome=done.outcome, details={"contract_version": contract.version, "contract_digest": contract.digest, "plan": digest})
            for contract, done in zip(contracts, applied, strict=True)
            if done.outcome != "unchanged"
        ]  # fmt: skip
        if entries:
            append_entries(connection, entries, workshop.signer)
    return applied


def applied_contract(connection: Connection, dataset: str) -> Contract | None:
    """The version that is applied now."""
    held = changing.applied(connection, dataset)
    return None if held is None else build(held.document, f"{dataset}, as applied")


def _plan(workshop: Workshop, connection: Connection, contract: Contract, indicators: Collection[Indicator]) -> Plan:
    held = changing.applied(connection, contract.id)
    old = None if held is None else build(held.document, f"{contract.id}, as applied")
    found = (
        Diff((), Verdict.COMPATIBLE, ())
        if old is None
        else diff(connection, old, contract, workshop.contracts, workshop.clock(), indicators)
    )
    migration, refused = tables.Migration(is_new=held is None), ""
    try:
        migration = tables.migration_of(connection, contract)
    except UnsafeMigration as error:
        refused = error.message
    is_anew = held is not None and held.version > 0 and held.digest != contract.digest
    outcome = _outcome(held, old, contract, migration, found, refused)
    last = changing.last_run(connection, contract.id) if is_anew else None
    world = {
        "contract": contract.document, "applied": None if held is None else [held.digest, held.document.get("version"), held.version > 0],
        "columns": changing.columns(connection, contract.id), "outcome": outcome,
        "hits": sorted([hit.kind, hit.name, hit.who] for hit in found.hits if hit.kind != "reader"),
    }  # fmt: skip
    digest = hashlib.sha256(json.dumps(world, sort_keys=True, ensure_ascii=False, default=str).encode()).hexdigest()
    rows, seconds = last or (None, None)
    return Plan(contract, outcome, found, migration.added, migration.widened, migration.dropped, refused, is_anew, rows, seconds, digest)


def _outcome(
    held: changing.AppliedContract | None, old: Contract | None, contract: Contract, migration: tables.Migration, found: Diff, refused: str
) -> str:  # fmt: skip
    if held is None or old is None:
        return "created"
    if found.verdict is Verdict.BREAKING and held.version > 0 and any(hit.kind in READ_BY for hit in found.hits):
        return "notice"
    if refused:
        return "refused"
    is_same = held.digest == contract.digest and not (migration.added or migration.widened or migration.dropped)
    return "unchanged" if is_same else "migrated"


# Whom it concerns


def _touched(old: Contract, changes: Sequence[Change]) -> tuple[str, ...] | None:
    """Fields the changes that readers must know of are about; empty: all of them; None: there are none."""
    grave = [change for change in changes if change.verdict is not Verdict.COMPATIBLE]
    if not grave:
        return None
    names = [p.name for p in old.properties]
    rules = {rule.id: rule.columns for rule in old.all_rules}
    found: set[str] = set()
    for change in grave:
        if change.place in names:
            found.add(change.place)
        elif change.place in rules:
            found.update(rules[change.place])
        elif change.what not in ("property.added", "rule.added"):
            return ()
    return tuple(name for name in names if name in found)


def _met(given: Any, touched: tuple[str, ...]) -> tuple[str, ...] | None:
    """Which of the changed fields are among those given; None: none of them. `given`: names, names → how, or `all`."""
    if not touched:
        return ()
    if given is None or given == "all":
        return touched
    names = set(given) if isinstance(given, list | dict) else {str(given)}
    return tuple(name for name in touched if name in names) or None


def _hits_of_store(connection: Connection, old: Contract, touched: tuple[str, ...], now: datetime) -> list[Hit]:
    hits: list[Hit] = []
    for each in changing.agreements(connection, old.id):
        met = _met(each.fields, touched)
        if met is not None:
            hits.append(Hit("agreement", each.agreement, each.consumer, met))
    hits += [Hit("subscription", name, caller, touched) for name, caller, _ in changing.subscriptions(connection, old.id)]
    hits += [Hit("copy", name, consumer, touched) for name, consumer, _ in changing.syncs(connection, old.id)]
    return [*hits, *_readers(changing.reads(connection, old.id, now - timedelta(days=DAYS_LOOKED_BACK)), touched)]


def _readers(reads: Sequence[changing.Read], touched: tuple[str, ...]) -> list[Hit]:
    found: dict[str, Hit] = {}
    for read in reads:
        met = _met(read.fields or "all", touched)
        if met is None:
            continue
        before = found.get(read.caller)
        fields = met if before is None else tuple(name for name in touched if name in {*met, *before.fields})
        answers, last = (0, read.last_at) if before is None else (before.answers, max(before.last_at or read.last_at, read.last_at))
        found[read.caller] = Hit("reader", read.caller, read.agreement, fields, answers + read.answers, last)
    return sorted(found.values(), key=lambda hit: -hit.answers)


def _hits_of_files(
    old: Contract, touched: tuple[str, ...], contracts: Mapping[str, Contract], indicators: Collection[Indicator]
) -> list[Hit]:
    hits: list[Hit] = []
    for indicator in indicators:
        if indicator.formula is not None and old.id in indicator.formula.reads:
            met = tuple(name for name in touched if _is_named(name, indicator.formula.text))
            if met or not touched:
                hits.append(Hit("report", indicator.id, indicator.owner, met))
    for other in contracts.values():
        met = tuple(name for name in touched if name in _read_by(other, old))
        if other.id != old.id and met:
            hits.append(Hit("contract", other.id, other.agency, met))
    return hits


def _is_named(name: str, text: str) -> bool:
    return any(word == name for word in "".join(sign if sign.isalnum() or sign == "_" else " " for sign in text).split())


def _read_by(other: Contract, old: Contract) -> set[str]:
    """The fields of a dataset another contract reads: by a rule, a look-up, or as attributes of an entity it describes."""
    found = {
        str(rule.parameters["column"]) for rule in other.all_rules if rule.kind == "reference" and rule.parameters["dataset"] == old.id
    }
    for p in other.properties:
        if p.mapping is not None:
            found.update(name for dataset, *names in lookups_of(p.mapping) if dataset == old.id for name in names)
    if other.layer.value == "master":
        found.update(name for role in old.match if role.entity == other.entity for names in role.attributes.values() for name in names)
    return found
