"""Which column of a stranger's list is which attribute of an entity: by the contracts' own words first, by guessing after.

The contracts already hold the headings of every register that speaks of the entity, in the language of its office; those are tried
before any guess. What is taken for what is always told, and a person may say otherwise.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from lienthong.masterdata.entities import Entity, pattern_of
from lienthong.masterdata.guess import Guess, guesses, guesses_alone, heading_words

WHOLE = ""  # the column holds the value; otherwise one part of it: surname, given_name
_NAME_PARTS = ("surname", "given_name")
_ONE_EACH = ("person_name", "organisation_name", "phone", "address")
_HALF = 0.5


@dataclass(frozen=True)
class Meant:
    """What a column is taken for: `attributes` it may fill (several when forms of a number share a column), none when it is left out."""

    column: str
    attributes: tuple[str, ...]
    vietnamese: str
    english: str
    part: str = WHOLE


def meanings(frame: pl.DataFrame, entity: Entity, stated: Mapping[str, str] | None = None) -> tuple[Meant, ...]:
    """One meaning for each column of texts, in order. `stated`: heading → attribute, or "" to leave a column out.

    Raises KeyError for a stated heading or attribute that does not exist.
    """
    stated = stated or {}
    _check(frame, entity, stated)
    words = _words_of(entity)
    taken: set[str] = set(stated.values()) - {""}
    dates = {attribute.name for attribute in entity.plan.attributes if attribute.kind == "date"}  # a day and a year may stand side by side
    found: dict[str, Meant] = {}
    for column in frame.columns:
        if column in stated:
            found[column] = _stated(column, stated[column])
            continue
        known = words.get(heading_words(column), ())
        if known and (not taken.issuperset(known) or dates.issuperset(known)):
            found[column] = Meant(column, known, "tiêu đề có trong hợp đồng dữ liệu", "heading known from the contracts")
            taken.update(known)
    for guess in guesses(frame):
        if guess.column not in found:
            found[guess.column] = _guessed(guess, frame[guess.column], entity, taken)
            if found[guess.column].part == WHOLE and guess.kind not in ("date", "year"):
                taken.update(found[guess.column].attributes)
    return tuple(_whole_or_left_out(found, column) for column in frame.columns)


def _check(frame: pl.DataFrame, entity: Entity, stated: Mapping[str, str]) -> None:
    names = {attribute.name for attribute in entity.plan.attributes}
    for column, attribute in stated.items():
        if column not in frame.columns:
            raise KeyError(column)
        if attribute and attribute not in names:
            raise KeyError(attribute)


def _stated(column: str, attribute: str) -> Meant:
    if not attribute:
        return Meant(column, (), "người dùng bỏ ra", "left out as asked")
    return Meant(column, (attribute,), "người dùng chỉ định", "as stated")


def _words_of(entity: Entity) -> dict[str, tuple[str, ...]]:
    """Heading in plain words → attributes that registers fill from a column of that name."""
    found: dict[str, list[str]] = {}
    compared = {attribute.name for attribute in entity.plan.attributes}

    def note(heading: str, attribute: str) -> None:
        said = found.setdefault(heading_words(heading), [])
        if attribute not in said:
            said.append(attribute)

    for p in entity.master.properties:
        if p.name in compared:
            for heading in (p.name, p.title_vi, p.title_en):
                note(heading, p.name)
    for register in entity.registers:
        for attribute, sources in register.role.attributes.items():
            for source in sources if attribute in compared else ():
                p = register.contract.property_named(source)
                for heading in (p.name, p.title_vi, p.title_en, *p.source_names):
                    note(heading, attribute)
    return {heading: tuple(attributes) for heading, attributes in found.items() if heading}


def _guessed(guess: Guess, values: pl.Series, entity: Entity, taken: set[str]) -> Meant:
    kind = guess.kind
    if kind is None:
        return Meant(guess.column, (), "không phải nội dung để so", guess.reason)
    if kind in ("identifier", "code", "number"):
        fitting = _by_pattern(values, entity)
        if fitting:
            return Meant(guess.column, fitting, "giá trị có dạng số giấy tờ", "values have the form of an identifier")
    if kind in _NAME_PARTS and any(a.kind == "person_name" for a in entity.plan.attributes):
        return Meant(guess.column, _first("person_name", entity, taken), "một phần của họ tên", "part of a name", kind)
    if kind in ("date", "year"):
        born = _first("date", entity, set()) if guess.reason.startswith("heading") else ()  # a date of something else is nobody's birth
        return Meant(guess.column, born, "đoán theo tiêu đề", f"guessed: {guess.reason}") if born else _unknown(guess)
    if kind in _ONE_EACH and (attributes := _first(kind, entity, taken)):
        return Meant(guess.column, attributes, "đoán theo tiêu đề hoặc nội dung", f"guessed: {guess.reason}")
    return _unknown(guess)


def _unknown(guess: Guess) -> Meant:
    return Meant(guess.column, (), "không rõ là thuộc tính nào", "no attribute is plainly meant")


def _first(kind: str, entity: Entity, taken: set[str]) -> tuple[str, ...]:
    return next(((a.name,) for a in entity.plan.attributes if a.kind == kind and a.name not in taken), ())


def _by_pattern(values: pl.Series, entity: Entity) -> tuple[str, ...]:
    """Identifiers whose form at least some values have, when most values have one form or the other."""
    plain = values.drop_nulls().str.replace_all(r"[\s.'-]", "").str.strip_suffix(".0")
    plain = plain.filter(plain != "")
    shares: dict[str, float] = {}
    for attribute in entity.plan.attributes:
        pattern = pattern_of(entity.master, attribute.name) if attribute.kind == "identifier" else None
        if pattern is not None and plain.len():
            shares[attribute.name] = float(plain.str.contains(f"^(?:{pattern})$").sum()) / plain.len()
    return tuple(name for name, share in shares.items() if share > 0) if sum(shares.values()) >= _HALF else ()


def _whole_or_left_out(found: Mapping[str, Meant], column: str) -> Meant:
    """A part of a name counts only when a given name is among the parts and no column holds the whole."""
    meant = found[column]
    if meant.part == WHOLE:
        return meant
    parts = {each.part for each in found.values() if each.attributes == meant.attributes}
    if "given_name" in parts and WHOLE not in parts:
        return meant
    return Meant(column, (), "họ tên đã có ở cột khác", "the name stands in another column")


def known_headings(entity: Entity, headings: Sequence[str], stated: Collection[str] = ()) -> int:
    """How many of these headings the contracts know, a guess can tell or somebody stated: by it the line of headings is found."""
    words = _words_of(entity)
    told = guesses_alone(pl.DataFrame({heading: ["x", "y"] for heading in headings}, schema=dict.fromkeys(headings, pl.String)))
    return sum(1 for each in told if each.column in stated or heading_words(each.column) in words or each.reason.startswith("heading"))
