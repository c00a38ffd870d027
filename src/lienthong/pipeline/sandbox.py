"""The sandbox: a database of its own, filled from the contracts with invented rows, put back in seconds.

It never reads production: it has no address of it, and no source of a contract can be opened in it. What is reset is everything but
the ledger, who people are and what they have learnt.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from lienthong.access import Actor, Role, load_agreements
from lienthong.clock import vietnam_date
from lienthong.connectors import ReadContext
from lienthong.contracts import Contract, Layer, Sharing
from lienthong.contracts.indicators import Indicator
from lienthong.errors import Conflict, Denied, StoreError
from lienthong.ledger import Entry, Event
from lienthong.masterdata.entities import Entity, entities_of
from lienthong.masterdata.model import read_model
from lienthong.pipeline import declaring, match_all, match_models, registering
from lienthong.pipeline.delivered import PLATFORM
from lienthong.pipeline.indicating import compute_all
from lienthong.pipeline.run import apply_contract
from lienthong.pipeline.upload import take_file
from lienthong.pipeline.workshop import Workshop
from lienthong.store import agreements as agreed
from lienthong.store import append_entries
from lienthong.store import sandbox as store
from lienthong.store.database import migrations
from lienthong.synthetic import Profile, as_another_office_wrote, invent, with_faults, written

SEED = 2026
PERSONS, OTHERS = 600, 200  # rows of a register that speaks of persons, of any other
SPOILT = 6  # rows of each register that wait in quarantine from the start
ENVIRONMENT = "sandbox"
PRACTICE_AGENCY = "Z99"  # no ministry or province has the code
PURPOSE = "thuc-hanh"
FILLER = "sandbox"
SECONDS = 30  # for one indicator
PRACTISED = "person"  # the entity stewards practise on; the others would take minutes to learn
OnStep = Callable[[str], None]


def practice_system(instance: str, member_class: str) -> str:
    """The subsystem in whose name calls are tried out."""
    return f"{instance}/{member_class}/{PRACTICE_AGENCY}/thuc-hanh"


def closed_off(workshop: Workshop) -> Workshop:
    """The workshop with every way to a source shut: the addresses of contracts stay unfilled."""
    return replace(workshop, read_context=ReadContext(variables={}), accept_synthetic_ids=True)


def fill(
    workshop: Workshop, agreements: Path, subsystem: str, *, models: Path | None = None, indicators: Sequence[Indicator] = (), seed: int = SEED, on_step: OnStep = lambda _: None
) -> int:  # fmt: skip
    """Mark an empty database, or empty a marked one, and fill it anew; gives the number of rows. Takes some ten seconds.

    `models`: the province's folder of matching models; one that is not there is learnt, which takes some ten seconds more.
    `indicators`: those whose formula reads datasets; their figures stand on the board from the start.
    `agreements`: the folder in which the practice subsystem's agreements are written. Raises StoreError for a database that holds
    anything but a sandbox.
    """
    place = closed_off(workshop)
    with place.database.connect() as connection:
        if not store.is_marked(connection):
            store.mark(connection, place.clock())
        store.clear(connection)
    for contract in place.contracts.values():
        apply_contract(place, contract)
    made: dict[str, pl.DataFrame] = {}
    for contract in in_order(place.contracts.values()):
        on_step(contract.id)
        made[contract.id] = _deliver(place, contract, seed, made)
    on_step("match")
    for entity in entities_of(place.contracts).values():
        if entity.name == PRACTISED:
            _match(place, entity, models)
    on_step("indicators")
    compute_all(place, indicators, {}, SECONDS)
    _write_agreements(place, agreements, subsystem)
    total = sum(rows.height for rows in made.values())
    with place.database.connect() as connection:
        store.note_filled(connection, place.clock(), origin_of(place.contracts, seed))
        store.keep_seed(connection)
        details = {"datasets": len(made), "rows": total, "seed": seed}
        append_entries(
            connection, [Entry(place.clock(), Event.SANDBOX_FILLED, PLATFORM, FILLER, outcome="done", details=details)], place.signer
        )
    return total


def origin_of(contracts: Mapping[str, Contract], seed: int = SEED) -> str:
    """What a filling is made from: another digest, and it is to be filled anew."""
    parts = [seed, max(number for number, _ in migrations()), sorted((c.id, c.digest) for c in contracts.values())]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def reset(workshop: Workshop, by: str) -> None:
    """Everything as it was when it was filled. Raises StoreError where this is no sandbox, Conflict where it was filled from other contracts."""
    at = workshop.clock()
    with workshop.database.connect() as connection:
        standing = store.standing(connection)
        if standing is not None and standing.filled_from != origin_of(workshop.contracts):
            raise Conflict(
                "The contracts or the program have changed since the sandbox was filled.",
                hint="The operator fills it anew with `lienthong sandbox fill`, then it can be put back again.",
                vi="Hợp đồng hoặc phần mềm đã đổi từ khi vùng thực hành được lập, nên chưa đặt lại được.",
                hint_vi="Nhờ người vận hành lập lại bằng `lienthong sandbox fill`, sau đó đặt lại được như thường.",
            )  # fmt: skip
        store.put_back(connection, at)
        agreed.move_edge(connection)
        entry = Entry(at, Event.SANDBOX_RESET, PLATFORM, by, outcome="done")
        append_entries(connection, [entry], workshop.signer)


def in_order(contracts: Any) -> Iterator[Contract]:
    """Contracts that rows are invented for, those others refer to before them."""
    waiting = [c for c in contracts if c.layer is not Layer.MASTER]
    while waiting:
        names = {c.id for c in waiting}
        ready = next((c for c in waiting if not (_referred(c) & names) - {c.id}), waiting[0])
        waiting.remove(ready)
        yield ready


def _referred(contract: Contract) -> set[str]:
    return {str(rule.parameters["dataset"]) for rule in contract.all_rules if rule.kind == "reference"}


def rows_for(
    contract: Contract, seed: int, today: date, references: Mapping[str, pl.DataFrame], profile: Profile | None = None
) -> pl.DataFrame:
    """As many rows as the contract expects at least, and enough to practise on."""
    usual = PERSONS if any(role.entity == "person" for role in contract.match) else OTHERS
    count = max(usual, contract.expect.rows_min or 0)
    return invent(contract, min(count, contract.expect.rows_max or count), seed, today, references, profile)


def _deliver(place: Workshop, contract: Contract, seed: int, made: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """Hand the rows in as an agency would, by file; some of them wrong."""
    today = vietnam_date(place.clock())
    rows = rows_for(contract, seed, today, made)
    if contract.layer is Layer.CODE_LIST:
        rows = _with_owners(rows, contract, place.contracts)
    elif not _is_authority(contract):
        rows = as_another_office_wrote(rows, contract, seed)
    texts = written(rows, contract)
    if contract.layer in (Layer.SOURCE, Layer.TRANSACTION):
        texts, _ = with_faults(texts, contract, SPOILT, seed)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "gia-dinh.csv"
        texts.write_csv(file)
        outcome = take_file(place, contract, file, is_whole=False, official=FILLER)
    if outcome.state != "published":
        raise StoreError(f"The sandbox's rows of `{contract.id}` were not published: {outcome.state}.", hint="lienthong synthetic rows")
    return rows


def _is_authority(contract: Contract) -> bool:
    return any(p.authoritative and p.standard == "citizen_id" for p in contract.properties)


def _with_owners(rows: pl.DataFrame, contract: Contract, contracts: Mapping[str, Contract]) -> pl.DataFrame:
    """A register of agencies names first the owners of the datasets, so that pages have names for them."""
    key = contract.key[0]
    if key.standard != "agency_code" or "name" not in rows.columns:
        return rows
    titles: dict[str, str] = {PRACTICE_AGENCY: "Đơn vị thực hành"}
    for each in contracts.values():
        titles.setdefault(each.agency, f"Cơ quan mẫu: {each.title_vi}")
    codes, names = rows[key.name].to_list(), rows["name"].to_list()
    for n, (code, name) in enumerate(sorted(titles.items())[: rows.height]):
        codes[n], names[n] = code, name
    return rows.with_columns(pl.Series(key.name, codes, dtype=pl.String), pl.Series("name", names, dtype=pl.String))


def _match(place: Workshop, entity: Entity, models: Path | None) -> None:
    """Under the province's own model where it fits the contracts, else one that is learnt here."""
    file = None if models is None else models / f"{entity.name}.json"
    model = read_model(file) if file is not None and file.is_file() else match_models.train_entity(place, entity)
    match_models.adopt(place, entity, model)
    match_all.match_all(place, entity, model)


def _write_agreements(place: Workshop, folder: Path, subsystem: str) -> None:
    """The practice subsystem may look up and list everything, for practice: whoever tries the sandbox asks in its name."""
    parts = {"subsystems/thuc-hanh.yaml": _subsystem(subsystem)}
    for contract in place.contracts.values():
        if contract.sharing is not Sharing.OPEN:
            parts[f"agreements/th-{contract.id}.yaml"] = _agreement(contract, subsystem)
    for name, document in parts.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(json.dumps(document, ensure_ascii=False, indent=1), encoding="utf-8")  # JSON is YAML
    register = load_agreements(folder, place.contracts)
    registering.take_over(place, register.subsystems, ENVIRONMENT)
    declaring.take_over(place, register.agreements)


def _subsystem(identifier: str) -> dict[str, Any]:
    return {"identifier": identifier, "title_vi": "Hệ thống thực hành", "title_en": "Practice system", "keys": []}


def _agreement(contract: Contract, consumer: str) -> dict[str, Any]:
    return {
        "id": f"TH-{contract.id}", "provider": contract.agency, "consumer": consumer, "dataset": contract.id, "state": "active",
        "operations": ["look_up", "list"], "purposes": {PURPOSE: {"vi": "Thực hành trong vùng thử nghiệm", "en": "Practice in the sandbox"}},
        "legal_basis": "Nghị định 278/2025/NĐ-CP", "term": {"from": "2026-01-01", "to": "2099-12-31"},
        "quota": {"per_minute": 600, "per_day": 100_000}, "content": f"Dữ liệu giả định: {contract.title_vi}",
    }  # fmt: skip


def may_reset(actor: Actor, trainers: Sequence[str], *, is_busy: bool) -> None:
    """A trainer always; anybody who practises while nobody else does. Raises Denied."""
    if actor.name in trainers or actor.may(Role.OPERATOR) or not is_busy:
        return
    raise Denied(
        "Others are practising just now: ask whoever teaches.", rule="class_at_work",
        vi="Đang có người khác thực hành; hãy nhờ giảng viên đặt lại.",
    )  # fmt: skip
