"""What one holder should have a copy of, and has: a province sends all its master and shared-use data to the national synthesis database."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from lienthong.access import Identity
from lienthong.contracts import Contract, Layer, LegalBasis, Sharing
from lienthong.sharing.sync_definitions import SyncDefinition
from lienthong.store.syncs import SyncState

LEGAL_BASIS = (
    LegalBasis("Luật Dữ liệu 60/2024/QH15 điều 34.1", date(2025, 7, 1)),
    LegalBasis("Nghị định 278/2025/NĐ-CP", date(2025, 10, 22)),
)
MASTER, BY_DEFAULT = "master", "default"
NONE, NOT_RUN = "none", "not_run"


@dataclass(frozen=True)
class Flow:
    """A dataset the holder should have. `sync` empty: nobody keeps a copy; `state` as syncs have it, or `none`, `not_run`.

    `version` is what the copy came to, `newest` what is published.
    """

    dataset: str
    why: str
    sync: str
    state: str
    version: int
    newest: int

    @property
    def is_kept(self) -> bool:
        return self.state == "following" and self.version == self.newest


def due(contracts: Iterable[Contract]) -> dict[str, str]:
    """Dataset → why a copy is due: golden records, and data shared by default."""
    known = list(contracts)
    found = {each.id: BY_DEFAULT for each in known if each.sharing is Sharing.DEFAULT}
    return found | {each.id: MASTER for each in known if each.layer is Layer.MASTER}


def coverage(
    due: Mapping[str, str], definitions: Iterable[SyncDefinition], states: Mapping[str, SyncState], newest: Mapping[str, int], consumer: Identity
) -> list[Flow]:  # fmt: skip
    """One flow a dataset that is due, what lacks a copy first. Of several copies of one dataset the one that is furthest counts."""
    kept: dict[str, list[Flow]] = {}
    for each in definitions:
        if each.consumer == str(consumer) and each.dataset in due:
            known = states.get(each.id)
            state, version = (NOT_RUN, 0) if known is None else (known.state, known.version or 0)
            flow = Flow(each.dataset, due[each.dataset], each.id, state, version, newest.get(each.dataset, 0))
            kept.setdefault(each.dataset, []).append(flow)
    found = [
        max(kept[dataset], key=lambda flow: (flow.is_kept, flow.version)) if dataset in kept
        else Flow(dataset, why, "", NONE, 0, newest.get(dataset, 0))
        for dataset, why in due.items()
    ]  # fmt: skip
    return sorted(found, key=lambda flow: (flow.is_kept, flow.sync != "", flow.dataset))
