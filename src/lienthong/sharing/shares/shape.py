"""How a dataset looks to Delta clients: its columns as a Spark schema, and the digest of what a right lets one see."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from lienthong.contracts import Contract
from lienthong.errors import Denied
from lienthong.sharing.filters import Wanted
from lienthong.sharing.pages import ask_of
from lienthong.sharing.records import kinds_of_mask
from lienthong.sharing.rights import Right
from lienthong.store.answers import KEY, Ask, Sort

TYPES: Mapping[str, str] = {
    "string": "string", "integer": "long", "number": "double", "boolean": "boolean", "date": "date", "timestamp": "timestamp",
}  # fmt: skip
_NAMESPACE = uuid.UUID("6ad8a4c6-7f0a-4a57-9a62-26b1a41ce7e3")  # made once, for ids of tables
LAYOUT = 2  # of files: raised when they are made in another way, so that none of before are given


@dataclass(frozen=True)
class View:
    """A table as one right shows it: fields, masks, rows. `digest` is of all that, and the same for all who see the same."""

    contract: Contract
    fields: tuple[str, ...]
    masks: Mapping[str, str]
    ask: Ask
    digest: str

    def schema_text(self) -> str:
        """The schema as clients read it: a JSON text."""
        columns = [
            {
                "name": name,
                "type": "string" if name in self.masks else TYPES[self.contract.property_named(name).logical_type],
                "nullable": True,
                "metadata": {"comment": _comment(self.contract, name)},
            }
            for name in self.fields
        ]
        return msgspec.json.encode({"type": "struct", "fields": columns}).decode()

    def metadata(self, version: int, share: str, *, size: int | None = None, files: int | None = None) -> dict[str, Any]:
        """The metadata of the table at a version."""
        told = {
            "id": str(uuid.uuid5(_NAMESPACE, f"{share} {self.contract.id}")),
            "name": self.contract.title_vi,
            "description": self.contract.description_vi,
            "format": {"provider": "parquet"},
            "schemaString": self.schema_text(),
            "partitionColumns": [],
            "configuration": {"enableChangeDataFeed": "true"},
            "version": version,
        }
        return told if size is None else {**told, "size": size, "numFiles": files}


def view_of(contract: Contract, right: Right) -> View:
    """What a right shows of a dataset, in key order. Raises Denied when that is no field at all."""
    fields, _ = right.fields_of(contract, ())
    if not fields:
        raise Denied("The agreement shows no field of this dataset.", rule="field_not_visible", vi="Thỏa thuận không cho xem trường nào.")
    ask = ask_of(contract, Wanted(sorts=(Sort(KEY),)), right, fields)
    masks = dict(kinds_of_mask(right, fields))
    told = repr((LAYOUT, contract.id, contract.digest, fields, sorted(masks.items()), ask.conditions))
    return View(
        contract, fields, masks, Ask(contract.id, fields, ask.conditions, ask.sorts, limit=None), hashlib.sha256(told.encode()).hexdigest()
    )


def _comment(contract: Contract, name: str) -> str:
    found = contract.property_named(name)
    return f"{found.title_vi} · {found.title_en}"
