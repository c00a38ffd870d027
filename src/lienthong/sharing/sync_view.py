"""What was agreed for one copy, as a view: which fields under which names, which rows, what is masked; and how two views differ."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

import pyarrow as pa

from lienthong.access import AccessRequest, Decision, Operation, Register, decide, mask
from lienthong.clock import vietnam_date
from lienthong.connectors.row_hash import KEY, Column, arrow_schema
from lienthong.contracts import Contract
from lienthong.sharing.formats import masked
from lienthong.sharing.rights import Right, right_of
from lienthong.sharing.sync_definitions import SyncDefinition
from lienthong.store.syncs import View


@dataclass(frozen=True)
class AgreedView:
    """`fields` and `columns` go together, in the contract's order; `masks`: field → kind of mask."""

    right: Right
    contract: Contract
    fields: tuple[str, ...]
    columns: tuple[Column, ...]
    masks: Mapping[str, str] = field(default_factory=dict)

    @property
    def store(self) -> View:
        """The view as the store reads it: whole values, the caller's rows."""
        kinds = tuple(self.contract.property_named(name).logical_type for name in self.fields)
        return View(self.contract.id, self.fields, kinds, self.right.conditions)

    @property
    def digest(self) -> str:
        """Changes when rows of the same columns would be other ones: the row filter, a mask, a renamed field."""
        said = [[(c.column, c.operator, c.value) for c in self.right.conditions], sorted(self.masks.items()), list(zip(self.fields, (c.name for c in self.columns), strict=True))]  # fmt: skip
        return hashlib.sha256(json.dumps(said, ensure_ascii=False, default=str).encode()).hexdigest()

    def within(self, columns: Sequence[Column]) -> AgreedView:
        """The same, of these columns alone."""
        wanted = {c.name for c in columns}
        pairs = [(f, c) for f, c in zip(self.fields, self.columns, strict=True) if c.name in wanted]
        fields = tuple(f for f, _ in pairs)
        return AgreedView(
            self.right, self.contract, fields, tuple(c for _, c in pairs), {f: k for f, k in self.masks.items() if f in fields}
        )

    def shaped(self, table: pa.Table) -> pa.Table:
        """Rows of the store as rows of the copy: masked, under their names there."""
        schema = arrow_schema(self.columns)
        batches = [masked(batch, {name: partial(mask, kind) for name, kind in self.masks.items()}) for batch in table.to_batches()]
        if not batches:
            return schema.empty_table()
        whole = pa.Table.from_batches(batches).select([KEY, *self.fields])
        return whole.rename_columns(schema.names).cast(schema)


def now_for(definition: SyncDefinition, register: Register, at: datetime) -> SyncDefinition:
    """A sync for the subsystem that stands now where its definition names one whose agency has merged."""
    heir = register.heir_of(definition.consumer, vietnam_date(at))
    return definition if heir == definition.consumer else replace(definition, consumer=heir)


def right_now(definition: SyncDefinition, contract: Contract, register: Register, at: Any) -> Decision:
    """What the agreement allows of this copy at this moment: it must allow whole answers and changes alike."""
    address = _address(definition.location)
    asked = [
        AccessRequest(definition.consumer, contract.id, operation, definition.purpose, definition.official, address, at)
        for operation in (Operation.BULK, Operation.CHANGES)
    ]
    decisions = [decide(request, contract, register, vietnam_date(at)) for request in asked]
    return next((decision for decision in decisions if not decision.allowed), decisions[0])


def view_of(definition: SyncDefinition, contract: Contract, decision: Decision) -> AgreedView:
    """The agreed view of a decision that allows."""
    right = right_of(decision, contract, definition.consumer, definition.official, definition.purpose)
    shown = right.shown
    fields = tuple(p.name for p in contract.properties if p.name in shown and (not definition.fields or p.name in definition.fields))
    columns = tuple(
        Column(definition.columns.get(name, name), "string" if name in right.masked else contract.property_named(name).logical_type)
        for name in fields
    )
    return AgreedView(right, contract, fields, columns, {name: kind for name, kind in right.masked.items() if name in fields})


@dataclass(frozen=True)
class Reshaping:
    """How the columns of a copy differ from those agreed now. Adding breaks nobody; taking away or changing a kind may."""

    add: tuple[Column, ...]
    drop: tuple[str, ...]

    @property
    def any(self) -> bool:
        return bool(self.add or self.drop)

    @property
    def breaks(self) -> bool:
        return bool(self.drop)


def reshaping(there: Sequence[Column], wanted: Sequence[Column]) -> Reshaping:
    kinds, kinds_wanted = {c.name: c.kind for c in there}, {c.name: c.kind for c in wanted}
    add = tuple(c for c in wanted if kinds.get(c.name) != c.kind)
    drop = tuple(name for name, kind in kinds.items() if kinds_wanted.get(name) != kind)
    return Reshaping(add, drop)


def _address(location: str) -> str:
    """Where the copy lies, when that is said by number: an agreement may bind to places."""
    host = urlsplit(location).hostname or ""
    try:
        return str(ip_address(host))
    except ValueError:
        return ""
