"""A made-up village for tests of matching: people, their families, and what five registers wrote of them. Seeded, all invented.

It holds on purpose what registers do to people: marks dropped, i for y and d for đ, words of a name in another order or left out,
day and month swapped, the year alone, an old number instead of a new one; and what must not be joined: twins, a father and a son of
one name, a mother's number typed for her child.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property

import polars as pl

from lienthong.masterdata.kinds import Attribute
from lienthong.masterdata.plan import Plan
from lienthong.standards.text import without_marks

Values = dict[str, str | None]


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


FAMILIES = _words("Nguyễn Trần Lê Phạm Hoàng Huỳnh Phan Vũ Võ Đặng Bùi Đỗ Hồ Ngô Dương Lý Đinh Lương Mai Trịnh")
MIDDLES = {"nam": _words("Văn Đức Hữu Minh Quốc Công Xuân Ngọc"), "nữ": _words("Thị Ngọc Thu Thanh Kim Mỹ Diệu Hồng")}
GIVENS = {
    "nam": _words("Hùng Dũng Tuấn Sơn Bình Hải Quý Thắng Long Phúc Tài Vinh Khánh Thủy Toàn Đạt Nam Kỳ Cường Lâm Việt Duy Hòa Tiến"),
    "nữ": _words("Lan Hoa Hương Thảo Yến Ly Trang Nhung Thúy Vân Hạnh Mai Nga Loan Tuyết Oanh Quyên Dung Bích Hòa Liên Phượng Xuân My"),
}
STREETS = ("Lê Lợi", "Trần Phú", "Hùng Vương", "Nguyễn Huệ", "Quang Trung", "Phan Chu Trinh", "Hai Bà Trưng", "Y Jút")
COMMUNES = tuple(f"{24000 + 37 * n}" for n in range(12))
REGISTERS = {"clinic": 0.5, "insurance": 0.7, "land": 0.35, "poor": 0.3}  # besides the population register, which has everyone


def person_plan() -> Plan:
    """The plan of persons, as the province's own contract describes it."""
    kinds = {
        "citizen_id": "identifier",
        "old_id": "identifier",
        "full_name": "person_name",
        "born_on": "date",
        "sex": "category",
        "commune_code": "place",
        "address": "address",
        "phone": "phone",
    }
    grouped = ("commune_code", "address")
    attributes = tuple(Attribute(name, kind, {"group": "home"} if name in grouped else {}) for name, kind in kinds.items())
    return Plan("person", attributes, ("citizen_id",), ("born_on", "sex"), frozenset({"population"}))


@dataclass(frozen=True)
class Record:
    """What one register holds of one person; `person` is the truth, `trouble` what the register did."""

    source: str
    key: str
    person: int
    values: Values
    trouble: str = ""


@dataclass(frozen=True)
class Village:
    """Records sorted by (source, key), as resolution asks for."""

    plan: Plan
    records: tuple[Record, ...]
    features: pl.DataFrame = field(compare=False)

    @cached_property
    def sources(self) -> list[str]:
        return [record.source for record in self.records]

    @cached_property
    def truth(self) -> list[int]:
        return [record.person for record in self.records]

    def name_of(self, row: int) -> str:
        return f"{self.records[row].source}|{self.records[row].key}"


def village(people: int = 600, seed: int = 1) -> Village:
    """The records of so many people, in households of one to five."""
    chance = random.Random(seed)
    persons: list[Values] = []
    while len(persons) < people:
        persons += _household(chance, len(persons))
    records = [_written(chance, "population", number, person, 0.05) for number, person in enumerate(persons[:people])]
    for source, share in REGISTERS.items():
        records += [_written(chance, source, n, p, 0.45) for n, p in enumerate(persons[:people]) if chance.random() < share]
    return village_of(records)


def village_of(records: Iterable[Record]) -> Village:
    plan = person_plan()
    ordered = tuple(sorted(records, key=lambda record: (record.source, record.key)))
    schema = {attribute.name: pl.String for attribute in plan.attributes}
    values = pl.DataFrame([{name: record.values.get(name) for name in schema} for record in ordered], schema=schema)
    return Village(plan, ordered, plan.feature_frame(values))


def hamlets_alone(village: Village, source: str) -> Village:
    """The same, but one register leaves house and street out of its addresses."""
    return village_of(
        replace(r, values={**r.values, "address": str(r.values["address"]).rpartition(", ")[2]}) if r.source == source else r
        for r in village.records
    )


def _household(chance: random.Random, first: int) -> list[Values]:
    home: Values = {
        "commune_code": chance.choice(COMMUNES),
        "address": f"số {chance.randrange(1, 300)} đường {chance.choice(STREETS)}, tổ {chance.randrange(1, 9)}",
        "phone": f"09{chance.randrange(10**8):08d}",
    }
    family, kin = chance.choice(FAMILIES), []
    for place in range(chance.choice((1, 2, 3, 4, 5))):
        sex = chance.choice(("nam", "nữ")) if place > 1 else ("nam", "nữ")[place]
        year = chance.randrange(1935, 1975) if place < 2 else chance.randrange(1976, 2012)
        wed = place == 1  # a wife keeps her own family name
        name = f"{chance.choice(FAMILIES) if wed else family} {chance.choice(MIDDLES[sex])} {chance.choice(GIVENS[sex])}"
        kin.append(_person(chance, first + place, name, sex, f"{year}-{chance.randrange(1, 13):02d}-{chance.randrange(1, 29):02d}", home))
    if len(kin) > 3 and chance.random() < 0.15:
        _twins(chance, kin)
    if len(kin) > 2 and kin[2]["sex"] == "nam" and chance.random() < 0.1:
        kin[2] = {**kin[2], "full_name": kin[0]["full_name"]}
    return kin


def _twins(chance: random.Random, kin: list[Values]) -> None:
    """The last two are born on one day, of one sex, and differ in the given name alone."""
    elder = kin[-2]
    sex, words = str(elder["sex"]), str(elder["full_name"]).split()
    given = chance.choice([name for name in GIVENS[sex] if name != words[-1]])
    kin[-1] = {**kin[-1], "sex": sex, "born_on": elder["born_on"], "full_name": " ".join([*words[:-1], given])}


def _person(chance: random.Random, number: int, name: str, sex: str, born_on: str, home: Values) -> Values:
    return {
        "citizen_id": f"066{number:06d}{chance.randrange(1000):03d}",
        "old_id": f"24{number:04d}{chance.randrange(1000):03d}" if born_on < "2000" else None,
        "full_name": name,
        "born_on": born_on,
        "sex": sex,
        **home,
    }


# What registers do ------------------------------------------------------------------------------------------


def marks_dropped(name: str) -> str:
    return without_marks(name).title()


def i_for_y(name: str) -> str:
    return name.translate(str.maketrans("yýỳỵỷỹ", "iíìịỉĩ")) if name[-1] in "yýỳỵỷỹ" else name.replace("Lý", "Lí").replace("Mỹ", "Mĩ")


def d_for_đ(name: str) -> str:
    return name.replace("Đ", "D").replace("đ", "d")


def middle_left_out(name: str) -> str:
    words = name.split()
    return f"{words[0]} {words[-1]}"


def other_order(name: str) -> str:
    words = name.split()
    return " ".join([*words[1:], words[0]])


def letter_lost(name: str) -> str:
    return name[:-2] + name[-1] if len(name) > 3 else name


def swapped(born_on: str) -> str:
    year, month, day = born_on.split("-")
    return f"{year}-{day}-{month}" if int(day) <= 12 else born_on


def year_alone(born_on: str) -> str:
    return born_on[:4]


NAME_TROUBLES: tuple[Callable[[str], str], ...] = (marks_dropped, i_for_y, d_for_đ, middle_left_out, other_order, letter_lost)
DATE_TROUBLES: tuple[Callable[[str], str], ...] = (swapped, year_alone)


def _written(chance: random.Random, source: str, number: int, person: Values, damage: float) -> Record:
    values, trouble = dict(person), []
    if chance.random() < damage:
        change = chance.choice(NAME_TROUBLES)
        values["full_name"] = change(str(person["full_name"]))
        trouble.append(change.__name__)
    if chance.random() < damage / 2:
        change = chance.choice(DATE_TROUBLES)
        values["born_on"] = change(str(person["born_on"]))
        trouble.append(change.__name__)
    if source in ("land", "poor"):
        values["citizen_id"] = None  # the old number is all they have
    elif source == "clinic":
        values["citizen_id"] = values["old_id"] = None
    else:
        values["old_id"] = None if source == "population" and chance.random() < 0.3 else values["old_id"]
    if chance.random() < damage:
        values["phone"] = None
    if chance.random() < damage / 2:
        values["address"] = str(person["address"]).replace("số ", "").replace("đường ", "đ. ").replace("tổ ", "thôn ")
    return Record(source, f"{number:05d}", number, values, " ".join(trouble))
