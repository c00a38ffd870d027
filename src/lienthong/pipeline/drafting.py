"""New datasets out of spreadsheets: read, proposed, tried on the file's own rows, published by two persons of the agency.

Publishing writes the contract into the folder of contracts, makes its tables and leaves the entry, whole or not at all; the file it was
drawn from is then handed in as the first delivery. A draft that is never published leaves nothing but its counts.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import polars as pl
import yaml

from lienthong import connectors
from lienthong.access import Actor, Role
from lienthong.connectors import ReadContext
from lienthong.contracts import Contract, Delivery, LiveContracts, Source
from lienthong.contracts.load import build
from lienthong.contracts.whole import check_between
from lienthong.errors import Conflict, ContractError, NotFound, SourceError, StoreError, Unprocessable
from lienthong.ledger import Entry, Event
from lienthong.pipeline.approving import Approved, Kind
from lienthong.pipeline.columns import BROKEN
from lienthong.pipeline.previewing import Preview, preview, sample
from lienthong.pipeline.upload import CONNECTORS, receive, suffix_of
from lienthong.pipeline.workshop import Workshop
from lienthong.quality.drafting import LOOKED_AT, Draft, DraftSource, document_of, draft, machine_name
from lienthong.store import Connection, append_entries, tables
from lienthong.store import drafts as store
from lienthong.store.drafts import KeptDraft

STARTING = timedelta(minutes=15)  # longer than any start of a process
FOLDER = "drafts"  # under the platform's home: the file a draft was drawn from


# Reading and proposing


def propose_from(path: Path, dataset: str, agency: str, title: str, workshop: Workshop | None = None, location: str = "") -> Draft:
    """The proposal for a file. Raises SourceError for one that cannot be read, Unprocessable for an id or a kind of file that cannot be.

    `location`: where the contract shall say its files lie; without it, this file is looked at and no road is proposed.
    """
    guess = connectors.guess_source(path)
    source = connectors.source_of(path, guess, "draft")
    made = propose_of(source, dataset, agency, title, workshop)
    header_row = max(guess.options.get("header_rows") or [max(1, int(guess.options.get("first_row", 2)) - 1)])
    road = (
        DraftSource(guess.connector, location or f"{dataset}/*{path.suffix.lower()}", guess.options) if location or guess.options else None
    )
    return replace(made, header_row=header_row, layout=guess.evidence, source=road)


def propose_of(
    source: Source, dataset: str, agency: str, title: str, workshop: Workshop | None = None, context: ReadContext | None = None
) -> Draft:  # fmt: skip
    """The proposal for the first rows of any source a connector reads. Raises SourceError."""
    known = {} if workshop is None else {c.title_vi: c.title_en for c in workshop.contracts.values()} | {
        p.title_vi: p.title_en for c in workshop.contracts.values() for p in c.properties if p.title_en
    }  # fmt: skip
    reading = context or (ReadContext() if workshop is None else workshop.read_context)
    found = pl.DataFrame(pl.from_arrow(sample(source, reading, LOOKED_AT).table))
    frame = found.select(name for name in found.columns if name not in BROKEN)
    if frame.width == 0 or frame.height == 0:
        raise SourceError("Không có hàng nào / there are no rows.")
    made = draft(frame, dataset, agency, title, known)
    return replace(made, source=DraftSource(source.connector, source.location, dict(source.options), source.delivery.value))


def source_of(made: Draft, path: Path) -> Source:
    """The file a draft was drawn from, read as the draft says."""
    suffix = path.suffix.lower()
    options = made.source.options if made.source is not None else {} if made.header_row == 1 else {"header_rows": [made.header_row]}
    connector = CONNECTORS.get(suffix) or ("" if made.source is None else made.source.connector)  # of an archive: that of its members
    return Source("draft", connector, str(path), Delivery.SNAPSHOT, options)


def try_on(workshop: Workshop, made: Draft, path: Path) -> Preview:
    """The file's first rows under the draft. Raises ContractError when the draft is no contract yet."""
    return preview(workshop, build(document_of(made), made.id), source_of(made, path))


# Drafts kept


def keep(workshop: Workshop, actor: Actor, content: Path, file_name: str, title: str, home: Path) -> int:
    """Keep a proposal drawn from a file; its number. `content` is moved under the number. Raises SourceError, Unprocessable."""
    suffix = suffix_of(file_name)
    at = workshop.clock()
    title = title.strip() or Path(file_name).stem
    dataset = f"{_word_of(workshop, actor.agency)}.{machine_name(title).replace('_', '-')[:40].strip('-')}"
    named = content.with_name(content.name + suffix)
    content.rename(named)
    try:
        made = propose_from(named, dataset, actor.agency, title, workshop)
        with workshop.database.connect() as connection:
            number = store.add(connection, actor.agency, actor.name, file_name, dataset, _text(made), at)
            place = place_of(home, number, file_name)
            place.parent.mkdir(parents=True, mode=0o700)
            named.replace(place)
            append_entries(connection, [_entry(actor, number, dataset, "made", at)], workshop.signer)
    finally:
        named.unlink(missing_ok=True)
    return number


def change(workshop: Workshop, actor: Actor, number: int, made: Draft) -> None:
    """The officer's own words in place of the proposal's. Raises NotFound, Conflict for one that is published."""
    at = workshop.clock()
    with workshop.database.connect() as connection:
        kept = _open(connection, actor, number)
        store.change(connection, number, made.id, _text(replace(made, agency=kept.agency)))
        append_entries(connection, [_entry(actor, number, made.id, "changed", at)], workshop.signer)


def withdraw(workshop: Workshop, actor: Actor, number: int, home: Path) -> None:
    """Nothing comes of it; the file is removed."""
    at = workshop.clock()
    with workshop.database.connect() as connection:
        kept = _open(connection, actor, number)
        store.end(connection, number, "withdrawn", at)
        append_entries(connection, [_entry(actor, number, kept.dataset_id, "withdrawn", at)], workshop.signer)
    shutil.rmtree(place_of(home, number, kept.file_name).parent, ignore_errors=True)


def shown(workshop: Workshop, agency: str, number: int) -> KeptDraft:
    """A draft of an agency. Raises NotFound for any other's."""
    with workshop.database.connect() as connection:
        kept = store.find(connection, number)
    if kept is None or kept.agency != agency:
        raise NotFound(f"There is no draft {number}.", vi=f"Không có bản thảo {number}.")
    return kept


def draft_of(kept: KeptDraft) -> Draft:
    return msgspec.convert(kept.document, Draft)


def faults_of(workshop: Workshop, made: Draft) -> list[tuple[str, str]]:
    """What still stands between a draft and a contract: (place, what)."""
    faults: list[tuple[str, str]] = []
    if made.id in workshop.contracts:
        faults.append(("id", f"`{made.id}` đã có / is there already"))
    try:
        contract = build(document_of(made), made.id)
    except ContractError as error:
        return [*faults, *((place, what) for place, what, _ in error.faults)]
    return [*faults, *((place, what) for place, what, _ in check_between({**workshop.contracts, made.id: contract}))]


def place_of(home: Path, number: int, file_name: str) -> Path:
    """Where the file of a draft lies."""
    return home / FOLDER / str(number) / f"draft{Path(file_name).suffix.lower()}"


# Publishing


def publication(made: Draft, number: int) -> dict[str, Any]:
    """What two persons decide on."""
    return {"draft": number, "dataset": made.id, "contract": document_of(made)}


def _publish(workshop: Workshop, connection: Connection, approved: Approved) -> Sequence[Entry]:
    number, document = int(approved.document["draft"]), dict(approved.document["contract"])
    kept = store.take(connection, number)
    if kept is None or kept.state != "open":
        raise Conflict("The draft is no longer open.", vi="Bản thảo không còn mở.")
    made = draft_of(kept)
    if document_of(made) != document:
        raise Conflict(
            "The draft has changed since.", hint="Propose it again.", vi="Bản thảo đã thay đổi từ lúc đề xuất.", hint_vi="Hãy đề xuất lại."
        )
    faults = faults_of(workshop, made)
    if faults:
        raise Unprocessable("; ".join(f"{place}: {what}" for place, what in faults[:5]), vi="Bản thảo còn lỗi.")
    contract = build(document, made.id)
    applied = tables.apply_tables(connection, contract)
    store.end(connection, number, "published", approved.at)
    details = {"contract_version": contract.version, "contract_digest": contract.digest, "draft": number, "proposed_by": approved.proposed_by, "proposal": approved.proposal}  # fmt: skip
    write_file(workshop.folder, contract)
    return [Entry(approved.at, Event.CONTRACT_APPLIED, contract.agency, approved.approved_by, dataset=contract.id, outcome=applied.outcome, details=details)]  # fmt: skip


PUBLISH = Kind("contract_published", frozenset({Role.DATA_OFFICER}), frozenset({Role.DATA_OFFICER, Role.LEADER}), _publish, of_agency=True)


def write_file(folder: Path | None, contract: Contract) -> Path:
    """Write a contract into the folder of contracts, whole or not at all. Raises StoreError where that cannot be, Conflict for one that is there."""
    if folder is None:
        raise StoreError("No folder of contracts is known here.", vi="Chưa biết thư mục hợp đồng.")
    agency, _, name = contract.id.partition(".")
    place = folder / agency / name / "contract.yaml"
    if place.exists():
        raise Conflict(f"`{contract.id}` has a file already.", vi=f"`{contract.id}` đã có tệp hợp đồng.")
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        unfinished = place.with_suffix(f".{os.getpid()}.new")
        unfinished.write_text(as_yaml(contract.document), "utf-8")
        unfinished.rename(place)
    except OSError as error:
        raise StoreError(f"The folder of contracts cannot be written ({type(error).__name__}).", hint="See LIENTHONG_DATASETS.", vi="Không ghi được thư mục hợp đồng.", hint_vi="Xem LIENTHONG_DATASETS.") from error  # fmt: skip
    return place


def as_yaml(document: Mapping[str, Any]) -> str:
    return str(yaml.safe_dump(dict(document), allow_unicode=True, sort_keys=False, width=140))


def take_up(workshop: Workshop, since: datetime) -> list[str]:
    """Have what was published since an instant, by whichever process, among the contracts of this one; the ids that are new.

    A process reads the folder of contracts before it can say since when it runs: what was published in between is looked for too.
    """
    if not isinstance(workshop.contracts, LiveContracts):
        return []
    with workshop.database.warm() as connection:
        found = [kept for kept in store.published_since(connection, since - STARTING) if kept.dataset_id not in workshop.contracts]
    for kept in found:
        workshop.contracts.add(build(document_of(draft_of(kept)), kept.dataset_id))
    return [kept.dataset_id for kept in found]


def hand_in_first(workshop: Workshop, kept: KeptDraft, home: Path, by: str) -> int | None:
    """The file a published dataset was drawn from becomes its first delivery; the upload's number, None when the file is gone."""
    place = place_of(home, kept.draft, kept.file_name)
    contract = workshop.contracts.get(kept.dataset_id)
    if contract is None or not place.is_file():
        return None
    number = receive(workshop, contract, place, kept.file_name, home / "uploads", is_whole=True, by=by, agency=kept.agency)
    shutil.rmtree(place.parent, ignore_errors=True)
    return number


def _open(connection: Connection, actor: Actor, number: int) -> KeptDraft:
    kept = store.take(connection, number)
    if kept is None or not actor.is_of(kept.agency):
        raise NotFound(f"There is no draft {number}.", vi=f"Không có bản thảo {number}.")
    if kept.state != "open":
        raise Conflict(f"Draft {number} is {kept.state}.", vi="Bản thảo không còn mở.")
    return kept


def _word_of(workshop: Workshop, agency: str) -> str:
    """The word an agency's datasets begin with: that of those it has, else its code."""
    own = sorted(c.id.partition(".")[0] for c in workshop.contracts.values() if c.agency == agency and c.layer.value != "master")
    return own[0] if own else machine_name(f"co quan {agency}").replace("_", "-")


def _text(made: Draft) -> str:
    return msgspec.json.encode(made).decode()


def _entry(actor: Actor, number: int, dataset: str, outcome: str, at: datetime) -> Entry:
    return Entry(
        at, Event.CONTRACT_DRAFTED, actor.subsystem or actor.agency, actor.name, dataset=dataset, outcome=outcome, details={"draft": number}
    )
