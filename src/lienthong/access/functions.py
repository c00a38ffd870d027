"""What agencies are for: their fields of work, by which text. A request for data of one's own field is granted by rule (NĐ 194/2025 art. 16.1).

Two kinds: a line department gets its sector's national data, a unit of a level the shared database of that level. Nothing is seen without
an agreement; only nobody has to be asked for it, and what lies outside the standing offer (personal fields not masked, sensitive ones,
restricted data) is for a person to decide as ever. No file, no such grants.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import yaml

from lienthong.access.given_back import GIVEN_BACK
from lienthong.contracts import Contract, Sharing
from lienthong.errors import SettingsError

CENTRAL = "G"  # first letter of the codes of ministries (mã định danh điện tử)
WORDS = frozenset({"agency", "domains", "basis", "valid_from", "valid_to"})
GROUNDS = {
    "sector_national": ("dữ liệu quốc gia thuộc ngành của cơ quan khai thác", "national data of the asking agency's sector"),
    "level_shared": (
        "cơ sở dữ liệu dùng chung của cấp, thuộc chức năng của cơ quan khai thác",
        "the shared database of its level, within its function",
    ),
}


@dataclass(frozen=True)
class Function:
    """An agency's fields of work (domains of contracts), the text that gives them, and its days in force."""

    agency: str
    domains: frozenset[str]
    basis: str
    valid_from: date
    valid_to: date | None

    def holds(self, agency: str, domain: str, on: date) -> bool:
        return self.agency == agency and domain in self.domains and self.valid_from <= on and (self.valid_to is None or on <= self.valid_to)


@dataclass(frozen=True)
class Ground:
    """Why a request is granted by rule: one of `GROUNDS`, and the text that gives the agency its function."""

    rule: str
    function: str

    @property
    def legal_basis(self) -> str:
        return f"{GIVEN_BACK.text}; {self.function}"


def ground_of(functions: Iterable[Function], agency: str, contract: Contract, on: date) -> Ground | None:
    """Why data that is shared on request is given to this agency by rule; None where it is not."""
    if contract.sharing is not Sharing.ON_REQUEST or agency == contract.agency or not GIVEN_BACK.is_in_force(on):
        return None
    function = next((each for each in functions if each.holds(agency, contract.domain, on)), None)
    if function is None:
        return None
    if contract.agency.startswith(CENTRAL):
        return Ground("sector_national", function.basis)
    same_level = _top(contract.agency) == _top(agency)
    return Ground("level_shared", function.basis) if same_level else None


def read_functions(path: Path | None) -> tuple[Function, ...]:
    """The functions of a file; none without one. Raises SettingsError naming the entry that is not understood."""
    if path is None:
        return ()
    try:
        found = yaml.safe_load(path.read_text("utf-8")) or []
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise SettingsError(
            f"`{path}`: the functions of agencies cannot be read: {type(error).__name__}.",
            vi=f"`{path}`: không đọc được chức năng các cơ quan.",
        ) from error
    if not isinstance(found, list):
        found = [None]
    return tuple(_read(path, n, each) for n, each in enumerate(found, 1))


def _read(path: Path, n: int, words: Any) -> Function:
    is_right = (
        isinstance(words, dict)
        and {"agency", "domains", "basis", "valid_from"} <= set(words) <= WORDS
        and isinstance(words["domains"], list)
        and isinstance(words["valid_from"], date)
        and (words.get("valid_to") is None or isinstance(words["valid_to"], date))
    )
    if not is_right:
        raise SettingsError(
            f"`{path}`: entry {n} is not understood.",
            hint="Each is agency, domains (a list), basis, valid_from, and valid_to where it ends.",
            vi=f"`{path}`: mục {n} không hiểu được.",
            hint_vi="Mỗi mục gồm agency, domains (danh sách), basis, valid_from, và valid_to nếu có ngày hết.",
        )
    return Function(
        str(words["agency"]), frozenset(map(str, words["domains"])), str(words["basis"]), words["valid_from"], words.get("valid_to")
    )


def _top(code: str) -> str:
    """The level-1 part of an agency's code: `H10` of `H10.12`."""
    return code.partition(".")[0]
