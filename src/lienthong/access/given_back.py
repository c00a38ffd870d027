"""What a body gets back without an agreement: data it produced itself (NĐ 194/2025 art. 16.1). Denied by default still; this is one rule that allows.

The owner of a register reads its own rows, whole. A body that is the authority for some fields of another's register looks a record up
by its key and sees the key and those fields. Golden records are made of many bodies' data, so nobody gets them back. Sector's national
data and the shared database of a level are not here: they are asked for, and granted by rule (`parts`).
"""

from __future__ import annotations

from datetime import date

from lienthong.access.agreement import Operation
from lienthong.contracts import Contract, Layer, LegalBasis

GIVEN_BACK = LegalBasis("Nghị định 194/2025/NĐ-CP điều 16.1", date(2025, 8, 19), None)
READING = frozenset(
    {Operation.LOOK_UP, Operation.LIST, Operation.BULK}
)  # to follow changes takes an agreement: a relay hands them on to others


def given_back(contract: Contract, agency: str, operation: Operation, on: date) -> tuple[str, ...]:
    """The fields an agency may read back in this way on a day, in the contract's order; none where the rule does not hold."""
    if not agency or operation not in READING or contract.layer is Layer.MASTER or not GIVEN_BACK.is_in_force(on):
        return ()
    if agency == contract.agency:
        return tuple(p.name for p in contract.properties)
    own = {p.name for p in contract.properties if p.authority == agency}
    if not own or operation is not Operation.LOOK_UP:
        return ()
    return tuple(p.name for p in contract.properties if p.name in own or p.key_position is not None)
