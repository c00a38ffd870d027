"""Who does an act: a person of an agency, and in which roles. How that was proved (a token, a sign-in) is the door's affair."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """What a person may do for an agency; a citizen acts for nobody but themselves."""

    DATA_OFFICER = "data_officer"
    STEWARD = "steward"
    INTEGRATOR = "integrator"
    OPERATOR = "operator"
    LEADER = "leader"
    AUDITOR = "auditor"
    CITIZEN = "citizen"


@dataclass(frozen=True)
class Actor:
    """A proved person. `agency` is its code, empty for a citizen; `subsystem` is set when a system's token named the person."""

    name: str
    agency: str
    roles: frozenset[Role]
    subsystem: str = ""

    def is_of(self, agency: str) -> bool:
        return bool(agency) and self.agency == agency

    def may(self, *roles: Role) -> bool:
        """Whether one of these roles is among the person's."""
        return not self.roles.isdisjoint(roles)
