"""Changes of communes that a province decides after the package was made: which end on a day, what begins in their place, by which resolution.

Provinces and districts are no part of it: they change by law, with a new edition of the package.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from lienthong.standards.text import tidy

if TYPE_CHECKING:
    from lienthong.standards.admin_units import Unit, UnitRegister

KINDS = ("Xã ", "Phường ", "Đặc khu ")  # of communes since 1 July 2025 (Law 72/2025/QH15, art. 1)
LONGEST_NAME = 100
MOST_BEGUN = 60
_CODE = re.compile(r"[0-9]{5}")
Fault = tuple[str, str]  # Vietnamese, English


@dataclass(frozen=True)
class BegunUnit:
    """A commune that begins; `of` are codes of the communes whose places it takes, wholly or in part, in order."""

    code: str
    name: str
    of: tuple[str, ...]


@dataclass(frozen=True)
class UnitChange:
    """Communes that begin on a day in the place of those they are made of, which end. One that several are made of was split."""

    on: date
    resolution: str
    begun: tuple[BegunUnit, ...]

    @property
    def ended(self) -> tuple[str, ...]:
        """Codes of the communes that end, in order."""
        return tuple(sorted({code for unit in self.begun for code in unit.of}))

    @property
    def split(self) -> tuple[str, ...]:
        """Codes of those that end in several."""
        return tuple(code for code in self.ended if sum(code in unit.of for unit in self.begun) > 1)


def faults_of(change: UnitChange, register: UnitRegister, first_day: date, province: str = "") -> list[Fault]:
    """Everything that keeps a change from being made; `first_day` is that of the package's own units, `province` whose communes may change.

    Asks nothing of the clock: a day that is past, or to come, is as good as another.
    """
    found: list[Fault] = []
    if not change.resolution.strip() or len(change.resolution) > LONGEST_NAME * 2:
        found.append(("Cần số nghị quyết.", "The resolution's number is needed."))
    if change.on <= first_day:
        found.append((f"Ngày hiệu lực phải sau {first_day:%d/%m/%Y}.", f"The day must be after {first_day}."))
    if not 0 < len(change.begun) <= MOST_BEGUN:
        found.append((f"Cần từ 1 đến {MOST_BEGUN} đơn vị mới.", f"Expected 1 to {MOST_BEGUN} new units."))
    for unit in change.begun:
        found += _faults_of_begun(unit, change, register)
    ending = [held for code in change.ended if (held := _ending(code, change.on, register, found)) is not None]
    provinces = sorted({held.province_code for held in ending})
    if len(provinces) > 1:
        found.append(("Các đơn vị phải thuộc một tỉnh.", "The units must lie in one province."))
    elif provinces and province and provinces != [province]:
        found.append(
            (f"Đơn vị thuộc tỉnh {provinces[0]}, không phải tỉnh {province}.", f"They lie in province {provinces[0]}, not {province}.")
        )
    return found


def _faults_of_begun(unit: BegunUnit, change: UnitChange, register: UnitRegister) -> list[Fault]:
    found: list[Fault] = []
    if not _CODE.fullmatch(unit.code):
        found.append((f"Mã đơn vị mới `{unit.code}`: cần 5 chữ số.", f"Code `{unit.code}`: expected 5 digits."))
    if tidy(unit.name) != unit.name or not unit.name.startswith(KINDS) or len(unit.name) > LONGEST_NAME:
        found.append(
            (f"Tên `{unit.name}`: cần bắt đầu bằng Xã, Phường hoặc Đặc khu.", f"Name `{unit.name}`: expected Xã, Phường or Đặc khu first.")
        )
    if not unit.of or tuple(sorted(set(unit.of))) != unit.of:
        found.append((f"{unit.code}: chưa nói lập từ đơn vị nào.", f"{unit.code}: made of which units?"))
    if sum(other.code == unit.code for other in change.begun) > 1:
        found.append((f"Mã {unit.code} được dùng cho hai đơn vị mới.", f"Two new units bear the code {unit.code}."))
    if unit.code in change.ended and unit.code not in unit.of:
        found.append(
            (
                f"Mã {unit.code} là của đơn vị khác cùng kết thúc: đơn vị mới không lập từ nó.",
                f"{unit.code} is the code of another that ends; the new one is not made of it.",
            )
        )
    holder = next(
        (
            u
            for u in register.by_code.get(unit.code, [])
            if unit.code not in change.ended and (u.valid_to is None or u.valid_to > change.on)
        ),
        None,
    )
    if holder is not None:
        found.append((f"Mã {unit.code} đang là của {holder.name}.", f"{holder.name} bears the code {unit.code}."))
    if (
        unit.of == (unit.code,)
        and change.split == ()
        and any(u.name == unit.name for u in register.by_code.get(unit.code, []) if u.is_valid(change.on))
    ):
        found.append((f"{unit.name} ({unit.code}) không đổi gì.", f"{unit.name} ({unit.code}) does not change."))
    return found


def _ending(code: str, on: date, register: UnitRegister, found: list[Fault]) -> Unit | None:
    """The commune of a code that can end on a day; a fault is added where there is none."""
    held = [unit for unit in register.by_code.get(code, []) if unit.level == "commune"]
    unit = next((unit for unit in held if unit.is_valid(on - timedelta(days=1))), None)
    if unit is None:
        later = next((unit for unit in held if unit.valid_from >= on), None)
        ended = max((u.valid_to for u in held if u.valid_to is not None and u.valid_to < on), default=None)
        if later is not None:
            found.append(
                (f"Xã mã {code} chỉ bắt đầu ngày {later.valid_from:%d/%m/%Y}.", f"The commune {code} begins only on {later.valid_from}.")
            )
        elif ended is not None:
            found.append((f"Xã mã {code} đã kết thúc ngày {ended:%d/%m/%Y}.", f"The commune {code} ended on {ended}."))
        else:
            found.append((f"Không có xã mã {code}.", f"No commune has the code {code}."))
    elif unit.valid_to is not None:
        found.append(
            (
                f"{unit.name} ({code}) đã được định kết thúc ngày {unit.valid_to:%d/%m/%Y}.",
                f"{unit.name} ({code}) ends on {unit.valid_to} already.",
            )
        )
        return None
    return unit


def in_order(changes: Sequence[UnitChange]) -> list[UnitChange]:
    """By day; of one day as they were decided."""
    return sorted(changes, key=lambda change: change.on)
