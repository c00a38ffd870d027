"""What one caller may have of one dataset, in the form lists, feeds and files need it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from lienthong.contracts import Contract
from lienthong.errors import Denied
from lienthong.store.answers import Condition


@dataclass(frozen=True)
class Right:
    """Who asks, on whose behalf, why, under which agreement; and what is seen, masked and withheld.

    `conditions` are the agreement's row filter: rows outside it do not exist for this caller.
    """

    caller: str
    official: str = ""
    purpose: str = ""
    agreement: str = ""
    legal_basis: str = ""
    visible: tuple[str, ...] = ()
    masked: Mapping[str, str] = field(default_factory=dict)
    withheld: tuple[str, ...] = ()
    conditions: tuple[Condition, ...] = ()

    @property
    def shown(self) -> frozenset[str]:
        """Fields seen whole or masked."""
        return frozenset(self.visible) | frozenset(self.masked)

    def require_whole(self, names: tuple[str, ...]) -> None:
        """Refuse to filter or sort by fields not seen whole: the order would tell what is withheld. Raises Denied."""
        hidden = [name for name in names if name not in self.visible or name in self.masked]
        if hidden:
            raise Denied(
                f"Filtering or sorting by {', '.join(f'`{name}`' for name in hidden)} is not part of this agreement.",
                hint="Use fields you may see whole.",
                rule="field_not_visible",
            )

    def fields_of(self, contract: Contract, asked: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """(fields to answer with, fields asked for but withheld), in the order asked, or the contract's."""
        names = asked or tuple(p.name for p in contract.properties)
        return tuple(n for n in names if n in self.shown), tuple(n for n in names if n not in self.shown)

    def sees_key(self, contract: Contract) -> bool:
        """Whether every part of the key is seen whole: otherwise the key is withheld too."""
        return all(p.name in self.visible and p.name not in self.masked for p in contract.key)
