"""Slots in agencies' PostgreSQL that sources read by the log need: made, dropped and watched, each act with its ledger entry."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from lienthong.connectors.log_slot import LogOptions, SlotState, connected, drop_slot, make_slot, slot_state
from lienthong.contracts import Contract, Source
from lienthong.errors import RunError, SourceError
from lienthong.ledger import Entry, Event
from lienthong.log import get_logger
from lienthong.pipeline.delivered import PLATFORM
from lienthong.pipeline.workshop import Workshop
from lienthong.store import append_entries

log = get_logger("slots")
CONNECTOR = "postgresql_log"


@dataclass(frozen=True)
class Watched:
    """One source read by the log, and how its slot stands: None when there is none; `error` when the server could not be asked."""

    dataset: str
    agency: str
    source: str
    slot: str
    state: SlotState | None
    error: str = ""


def make(workshop: Workshop, contract: Contract, source_name: str | None, official: str, *, again: bool = False) -> SlotState:
    """Make the slot of a source, or make it anew. Raises SourceError with what stands in the way, and who must do what."""
    source = source_of(contract, source_name)
    made = make_slot(LogOptions.take(source, workshop.read_context), again=again)
    _note(workshop, contract, source, Event.SLOT_MADE, official, {"slot": made.slot, "again": again})
    return made


def drop(workshop: Workshop, contract: Contract, source_name: str | None, official: str) -> bool:
    """Drop the slot of a source; False when there was none. The source is read whole when one is made again."""
    source = source_of(contract, source_name)
    options = LogOptions.take(source, workshop.read_context)
    dropped = drop_slot(options)
    if dropped:
        _note(workshop, contract, source, Event.SLOT_DROPPED, official, {"slot": options.slot})
    return dropped


def source_of(contract: Contract, name: str | None) -> Source:
    """The source that is read by the log. Raises RunError when there is none of that name, or several and no name."""
    found = [source for source in contract.sources if source.connector == CONNECTOR and name in (None, source.name)]
    if len(found) != 1:
        raise RunError(
            f"`{contract.id}`: expected one source of connector `{CONNECTOR}`, found {len(found)}.",
            hint="Name it with --source." if found else "",
            vi=f"`{contract.id}`: cần đúng một nguồn dùng `{CONNECTOR}`, tìm thấy {len(found)}.",
            hint_vi="Nêu tên nguồn bằng --source." if found else "",
        )
    return found[0]


def watched(workshop: Workshop) -> Iterator[Watched]:
    """How the slot of every such source stands."""
    for contract in workshop.contracts.values():
        for source in contract.sources:
            if source.connector != CONNECTOR:
                continue
            try:
                options = LogOptions.take(source, workshop.read_context)
                with connected(options) as connection:
                    yield Watched(contract.id, contract.agency, source.name, options.slot, slot_state(connection, options.slot))
            except SourceError as error:
                log.warning("slot_not_seen", dataset=contract.id, source=source.name, error=error.message)
                yield Watched(contract.id, contract.agency, source.name, "", None, error.message)


def _note(workshop: Workshop, contract: Contract, source: Source, event: Event, official: str, details: dict[str, object]) -> None:
    """The slot is on another's server: the entry follows the act it tells of."""
    entry = Entry(
        at=workshop.clock(), event=event, caller=PLATFORM, official=official, dataset=contract.id,
        outcome=event.value.rsplit(":", 1)[-1], details={"source": source.name, **details},
    )  # fmt: skip
    with workshop.database.connect() as connection:
        append_entries(connection, [entry], workshop.signer)
