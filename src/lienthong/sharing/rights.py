"""What one caller may have of one dataset, in the form lists, feeds and files need it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lienthong.access import ANONYMOUS, Decision, Quota, RowCondition, mask, matches
from lienthong.contracts import Contract
from lienthong.errors import Denied
from lienthong.sharing.filters import read_value
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
    quota: Quota = Quota()
    address: str = ""  # where the caller is
    way_out: Callable[..., Mapping[str, Any]] | None = None  # (fields=…) → the request that would open them

    def sees(self, values: Mapping[str, Any]) -> bool:
        """Whether a record is among the caller's rows."""
        return matches([RowCondition(c.column, c.operator, c.value) for c in self.conditions], values)

    @property
    def shown(self) -> frozenset[str]:
        """Fields seen whole or masked."""
        return frozenset(self.visible) | frozenset(self.masked)

    @property
    def whole(self) -> frozenset[str]:
        """Fields seen as they are."""
        return frozenset(self.visible) - frozenset(self.masked)

    def require_whole(self, names: tuple[str, ...]) -> None:
        """Refuse to filter or sort by fields not seen whole: the order would tell what is withheld. Raises Denied."""
        hidden = [name for name in names if name not in self.whole]
        if hidden:
            raise Denied(
                f"Filtering or sorting by {', '.join(f'`{name}`' for name in hidden)} is not part of this agreement.",
                hint="Use fields you may see whole.",
                vi=f"Thỏa thuận không cho lọc hoặc sắp xếp theo {', '.join(f'`{name}`' for name in hidden)}.",
                hint_vi="Hãy dùng các trường được xem đầy đủ.",
                rule="field_not_visible",
                agreement=self.agreement,
                clause="fields",
                **self._way_out(hidden),
            )

    def _way_out(self, hidden: Sequence[str]) -> dict[str, Any]:
        if self.way_out is None or self.caller == ANONYMOUS:
            return {}
        return {"request": self.way_out(fields=[*self.shown.union(hidden)] if self.withheld else ())}

    def fields_of(self, contract: Contract, asked: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """(fields to answer with, fields asked for but withheld), in the order asked, or the contract's."""
        names = asked or tuple(p.name for p in contract.properties)
        return tuple(n for n in names if n in self.shown), tuple(n for n in names if n not in self.shown)

    def shown_of(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Of one record's values, what is seen, masked where it is masked."""
        return {
            name: mask(self.masked[name], value) if name in self.masked else value for name, value in values.items() if name in self.shown
        }

    def sees_key(self, contract: Contract) -> bool:
        """Whether every part of the key is seen whole: otherwise the key is withheld too."""
        return all(p.name in self.visible and p.name not in self.masked for p in contract.key)


def right_of(decision: Decision, contract: Contract, caller: str, official: str = "", purpose: str = "") -> Right:
    """The right a decision that allows gives."""
    return Right(
        caller=caller,
        official=official,
        purpose=purpose,
        agreement=decision.agreement,
        legal_basis=decision.legal_basis,
        visible=decision.visible,
        masked=decision.masked,
        withheld=decision.withheld,
        conditions=tuple(_condition(row, contract) for row in decision.row_filter),
        quota=decision.quota,
    )


def right_of_owner(contract: Contract, caller: str, official: str, purpose: str) -> Right:
    """The right of the agency that owns the data: all of it."""
    return Right(caller, official, purpose, legal_basis="owner", visible=tuple(p.name for p in contract.properties))


def _condition(row: RowCondition, contract: Contract) -> Condition:
    """An agreement's condition with its values in the field's own type."""
    p = contract.property_named(row.field)

    def typed(value: Any) -> Any:
        return read_value(row.field, value, p) if isinstance(value, str) else value

    is_list = isinstance(row.value, list | tuple | set | frozenset)
    return Condition(row.field, row.operator, [typed(value) for value in row.value] if is_list else typed(row.value))
