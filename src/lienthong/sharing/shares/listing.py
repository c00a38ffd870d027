"""Which shares and tables there are for whom: one share for each agreement that allows whole answers, and `open` for everybody.

A dataset `land.parcels` is table `parcels` of schema `land`. An agreement's share shows what that agreement gives, no more:
two agreements about one dataset are two shares.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date

from lienthong.access import Agreement, Operation, Register, State
from lienthong.contracts import Contract, Sharing

OPEN = "open"


@dataclass(frozen=True)
class Table:
    """One table of a share. `agreement` None: open data."""

    share: str
    contract: Contract
    agreement: Agreement | None = None

    @property
    def schema(self) -> str:
        return self.contract.id.partition(".")[0]

    @property
    def name(self) -> str:
        return self.contract.id.partition(".")[2].replace(".", "_")

    def register_of(self, register: Register) -> Register:
        """The register as this share sees it: its own agreement, or none."""
        return replace(register, agreements=() if self.agreement is None else (self.agreement,))

    @property
    def terms(self) -> Contract:
        """The contract by which rights are decided: in an agreement's share nothing is there for being open."""
        return self.contract if self.agreement is None else replace(self.contract, sharing=Sharing.RESTRICTED)


def tables_of(
    caller: str | None, purpose: str | None, register: Register, contracts: Mapping[str, Contract], on: date
) -> dict[str, list[Table]]:
    """Share → its tables. `purpose` None: of every purpose. An agreement not in force has no share."""
    found: dict[str, list[Table]] = {}
    for agreement in sorted((a for a in register.agreements if a.consumer == caller), key=lambda a: a.id):
        contract = contracts.get(agreement.dataset)
        is_given = agreement.state is State.ACTIVE and agreement.is_in_term(on) and Operation.BULK in agreement.operations
        if contract is not None and is_given and (purpose is None or purpose in agreement.purposes):
            found.setdefault(_share_name(agreement.id, found), []).append(Table("", contract, agreement))
    named = {share: [replace(table, share=share) for table in tables] for share, tables in found.items()}
    open_tables = [Table(OPEN, contract) for _, contract in sorted(contracts.items()) if contract.sharing is Sharing.OPEN]
    return {**named, OPEN: open_tables}


def table_named(tables: Mapping[str, list[Table]], share: str, schema: str, name: str) -> Table | None:
    """Names are the same in capitals."""
    wanted = (share.lower(), schema.lower(), name.lower())
    return next((t for each in tables.values() for t in each if (t.share.lower(), t.schema.lower(), t.name.lower()) == wanted), None)


def _share_name(agreement: str, taken: Mapping[str, object]) -> str:
    """An agreement's number as a name of a share: clients part names at points."""
    name = agreement.replace(".", "_")
    while name.lower() in {OPEN, *(each.lower() for each in taken)}:
        name += "_"
    return name
