"""An agency's own list, judged: columns told apart, values cleaned as its contracts clean them, duplicates found, nothing kept.

The list stays the agency's: it is judged in memory and forgotten. Against the index it is only looked up, never entered.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl

from lienthong.contracts import Contract
from lienthong.errors import Unprocessable
from lienthong.masterdata.entities import Entity, pattern_of
from lienthong.masterdata.guess import with_dates
from lienthong.masterdata.headings import WHOLE, Meant, meanings
from lienthong.masterdata.model import Model
from lienthong.masterdata.own_list import JudgedList, judge_list
from lienthong.pipeline.list_reading import ReadList
from lienthong.standards import get_standard

ACCEPT_SYNTHETIC = "accept_synthetic"
_MUST_BE_CLEAN = ("identifier", "date", "phone", "category", "place")  # a value that is none of these compares with nothing
_JOINED = "date_of_birth"  # what `with_dates` makes of three columns
_OF_KIND = {"date": "partial_date", "person_name": "person_name", "phone": "phone"}


@dataclass(frozen=True)
class OwnList:
    """A judged list. `given` as it was read; `meant`: what each column was taken for; `values`: attributes as compared.

    `unread`: attribute → how many values were not of its form and took no part.
    """

    given: ReadList
    meant: tuple[Meant, ...]
    values: pl.DataFrame
    judged: JudgedList
    unread: Mapping[str, int] = field(default_factory=dict)


def judge_own_list(
    entity: Entity, given: ReadList, in_force: Model | None, stated: Mapping[str, str] | None = None, *, accept_synthetic: bool = False
) -> OwnList:
    """Judge a list of one entity. `stated`: heading → attribute. Raises Unprocessable when no column can be compared."""
    frame = _with_birth(given.frame)
    meant = _meanings(frame, entity, stated)
    values, unread = attribute_values(frame, meant, entity, accept_synthetic=accept_synthetic)
    judged = judge_list(entity.plan, values, in_force, titles_of(entity.master))
    return OwnList(given, meant, values, judged, unread)


def _with_birth(frame: pl.DataFrame) -> pl.DataFrame:
    """Beside day, month and year of birth in three columns, the date they make."""
    joined = with_dates(frame)
    if _JOINED not in joined.columns or _JOINED in frame.columns:
        return frame
    return frame.with_columns(joined[_JOINED])


def titles_of(master: Contract) -> dict[str, str]:
    """Comparison → its Vietnamese name: of attributes without what stands in brackets, of a group those of its members."""
    titles = {p.name: p.title_vi.partition(" (")[0] for p in master.properties}
    groups: dict[str, list[str]] = {}
    for p in master.properties:
        if p.match is not None and "group" in p.match.options:
            groups.setdefault(str(p.match.options["group"]), []).append(titles[p.name])
    marks = {f"{p.name}_marks": f"Dấu của {titles[p.name].lower()}" for p in master.properties if p.match is not None}
    return {**titles, **marks, **{group: ", ".join(members) for group, members in groups.items()}}


def _meanings(frame: pl.DataFrame, entity: Entity, stated: Mapping[str, str] | None) -> tuple[Meant, ...]:
    attributes = ", ".join(attribute.name for attribute in entity.plan.attributes)
    try:
        meant = meanings(frame, entity, stated)
    except KeyError as problem:
        raise Unprocessable(
            f"There is no column or attribute {problem}; columns: {', '.join(frame.columns)}; attributes: {attributes}.",
            vi=f"Không có cột hoặc thuộc tính {problem}; các cột: {', '.join(frame.columns)}; các thuộc tính: {attributes}.",
        ) from problem
    if not any(each.attributes for each in meant):
        raise Unprocessable(
            f"No column could be told by its heading or contents; columns: {', '.join(frame.columns)}; attributes: {attributes}.",
            hint="Say which is which: heading=attribute.",
            vi=f"Không nhận ra cột nào; các cột: {', '.join(frame.columns)}; các thuộc tính: {attributes}.",
            hint_vi="Nêu rõ cột nào là thuộc tính nào: tiêu đề=thuộc tính.",
        )
    return meant


def attribute_values(
    frame: pl.DataFrame, meant: Sequence[Meant], entity: Entity, *, accept_synthetic: bool = False
) -> tuple[pl.DataFrame, dict[str, int]]:
    """(attributes as text, as registers' records carry them; attribute → values that were not of its form)."""
    found: dict[str, pl.Series] = {}
    unread: dict[str, int] = {}
    for attribute in entity.plan.attributes:
        parts = [each for each in meant if attribute.name in each.attributes]
        if not parts:
            continue
        columns = (
            [_name(frame, parts)] if any(each.part != WHOLE for each in parts) else [_texts(frame, each, attribute.kind) for each in parts]
        )
        cleaned = [_clean(column, attribute.name, attribute.kind, entity, accept_synthetic=accept_synthetic) for column in columns]
        found[attribute.name] = _one(cleaned, attribute.kind).alias(attribute.name)
        wrong = sum(int((column.is_not_null() & clean.is_null()).sum()) for column, clean in zip(columns, cleaned, strict=True))
        if wrong:
            unread[attribute.name] = wrong
    return pl.DataFrame(list(found.values())), _of_no_form(found, meant, unread)


def _one(columns: Sequence[pl.Series], kind: str) -> pl.Series:
    """The first value of each row; of dates the one that says most, for a day and a year may stand side by side."""
    named = pl.DataFrame([column.alias(str(n)) for n, column in enumerate(columns)])
    if kind != "date" or named.width == 1:
        return named.select(pl.coalesce(pl.all())).to_series()
    longest = pl.max_horizontal(pl.all().str.len_bytes())
    return named.select(
        pl.coalesce([pl.when(pl.col(name).str.len_bytes() == longest).then(pl.col(name)) for name in named.columns])
    ).to_series()


def _of_no_form(found: Mapping[str, pl.Series], meant: Sequence[Meant], unread: Mapping[str, int]) -> dict[str, int]:
    """Where one column fills two attributes by the form of its values, only what fits neither was not read."""
    counted = dict(unread)
    for each in meant:
        if len(each.attributes) > 1:
            filled = sum(found[name].len() - found[name].null_count() for name in each.attributes if name in found)
            given = max(
                (counted.get(name, 0) + found[name].len() - found[name].null_count() for name in each.attributes if name in found),
                default=0,
            )
            for name in each.attributes:
                counted.pop(name, None)
            if given > filled:
                counted[each.attributes[0]] = given - filled
    return counted


def _texts(frame: pl.DataFrame, meant: Meant, kind: str) -> pl.Series:
    column = frame[meant.column]
    return with_dates(column.to_frame("ngay sinh"))["ngay sinh"].alias(meant.column) if kind == "date" else column


def _name(frame: pl.DataFrame, parts: Sequence[Meant]) -> pl.Series:
    """Family and middle name, then given name, from their columns."""
    ordered = sorted(parts, key=lambda each: each.part == "given_name")
    whole = pl.concat_str([pl.col(each.column) for each in ordered], separator=" ", ignore_nulls=True).str.strip_chars()
    return frame.select(pl.when(whole != "").then(whole).alias("name")).to_series()


def _clean(values: pl.Series, name: str, kind: str, entity: Entity, *, accept_synthetic: bool) -> pl.Series:
    standard_name, options = _standard(name, kind, entity)
    pattern = pattern_of(entity.master, name)
    if standard_name is None:
        clean = values
    else:
        standard = get_standard(standard_name)
        if ACCEPT_SYNTHETIC in standard.known_options:
            options = {**options, ACCEPT_SYNTHETIC: accept_synthetic}
        clean = standard.clean_column(values, options).values.cast(pl.String)
        if kind not in _MUST_BE_CLEAN:
            clean = clean.fill_null(values)
    if pattern is None:
        return clean
    return clean.to_frame("value").select(pl.when(pl.col("value").str.contains(f"^(?:{pattern})$")).then("value")).to_series()


def _standard(name: str, kind: str, entity: Entity) -> tuple[str | None, Mapping[str, object]]:
    """The standard by which the first register that has one cleans this attribute."""
    if kind == "date":
        return _OF_KIND[kind], {}
    for register in entity.registers:
        for source in register.role.attributes.get(name, ()):
            p = register.contract.property_named(source)
            if p.standard is not None:
                return p.standard, p.standard_options
    return _OF_KIND.get(kind), {}
