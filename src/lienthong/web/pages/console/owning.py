"""Who keeps which datasets."""

from __future__ import annotations

from collections.abc import Sequence

from lienthong.access import Actor, Role
from lienthong.contracts import Contract, Layer
from lienthong.ledger import Entry, Event
from lienthong.pipeline.matching import PLATFORM
from lienthong.web import acting
from lienthong.web.pages.site import Site, contract_named
from lienthong.web.pages.speaking import order_key
from lienthong.web.pages.visiting import Visit


def owner_of(site: Site, visit: Visit, csrf: str = "") -> tuple[Actor, Contract]:
    """The data officer of the dataset an address names. Raises NotFound, Unauthenticated or Denied."""
    contract = contract_named(site, visit)
    return acting.require(visit.request, Role.DATA_OFFICER, agency=contract.agency, csrf=csrf), contract


def datasets_of(site: Site, visit: Visit, agency: str) -> Sequence[Contract]:
    """What an agency delivers, in the order of the reader's titles; golden records are made, not delivered."""
    mine = [c for c in site.contracts.values() if c.agency == agency and c.layer is not Layer.MASTER]
    return sorted(mine, key=lambda c: order_key(visit.speech.pick(c.title_vi, c.title_en)))


def note_rows_read(site: Site, actor: Actor, contract: Contract, count: int) -> None:
    """Whoever sees waiting rows is in the ledger, by what door they came."""
    entry = Entry(
        site.counter.clock(), Event.QUARANTINE_LISTED, actor.subsystem or PLATFORM, actor.name, dataset=contract.id, outcome="given",
        details={"items": count},
    )  # fmt: skip
    site.counter.append(entry)
