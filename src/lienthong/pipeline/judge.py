"""Rows picked for judging: standardised, checked, and parted into rows that pass and rows that must wait."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray

from lienthong import quality
from lienthong.contracts import Contract, Property, Severity
from lienthong.contracts.mapping import lookups_of
from lienthong.pipeline.columns import (
    BROKEN_CODE,
    BROKEN_EN,
    BROKEN_TEXT,
    BROKEN_VI,
    ColumnMatcher,
    Made,
    as_came,
    as_properties,
    landed_digests,
)
from lienthong.pipeline.picked import Rows
from lienthong.quality.mapping import MappingContext, issues_of_mapping
from lienthong.standards import ADMIN_UNIT, CleanedColumn, Standard, get_standard
from lienthong.store.landing import LandedBatch
from lienthong.store.tables import POLARS_TYPES

DEFAULT_STANDARDS = {
    "string": "text",
    "integer": "integer",
    "number": "decimal",
    "boolean": "boolean",
    "date": "date",
    "timestamp": "timestamp",
}
DELIVERY = "delivery"  # `as_of: delivery`: codes are valid on the day of the delivery
KEY_JOIN = "~"
_DATES = ("valid_from", "valid_to", "level")


@dataclass(frozen=True)
class Judged:
    """Judged rows. `kept` has the stage's columns; `held` has row_no, source_row, file_no, digest, key; `issues` as ISSUE_SCHEMA."""

    kept: pl.DataFrame
    held: pl.DataFrame
    issues: pl.DataFrame


@dataclass(frozen=True)
class Examined:
    """Rows looked at. `originals`, `clean`, `passes` and `rows` (row_no, source_row, file_no, digest, key) are of the same rows in the same
    order; `broken` are rows that are no rows; `issues` as ISSUE_SCHEMA, of both.
    """

    rows: pl.DataFrame
    broken: pl.DataFrame
    originals: pl.DataFrame
    clean: pl.DataFrame
    passes: pl.Series
    issues: pl.DataFrame


@dataclass(frozen=True)
class Judge:
    """Judges the rows of one run. `corrections`: digest of a row as it came → what a person put right in it."""

    contract: Contract
    columns: ColumnMatcher
    version: int
    delivered_on: date
    references: Mapping[str, pl.DataFrame]
    corrections: Mapping[int, Mapping[str, str | None]]
    accept_synthetic_ids: bool
    original_digests: Sequence[int | None] = ()  # a correction keeps the digests of the rows it corrects, in their order
    province: str = ""  # in which names of units that stand alone are looked for, where the contract names none

    def digests(self, batch: LandedBatch) -> NDArray[np.int64]:
        return landed_digests(batch.table, self._originals(batch)) if batch.digests is None else batch.digests

    def judge(self, picked: Rows) -> Judged:
        """Judge rows that were picked out of landed batches."""
        return self._parted(self.examine(picked))

    def examine(self, picked: Rows) -> Examined:
        """The same rows cleaned and checked, not yet parted: what came of every cell, and what is wrong with it."""
        columns = self.columns.match(picked.table.column_names)
        came = as_came(picked.table, self.contract, columns) if picked.digests is None else None
        digests = landed_digests(picked.table, came) if came is not None else picked.digests
        rows = _rows(picked).with_columns(pl.Series("digest", digests))
        if self.original_digests:
            kept = pl.Series([self.original_digests[row_no - 1] for row_no in picked.row_nos], dtype=pl.Int64)
            rows = rows.with_columns(kept.fill_null(rows["digest"]).alias("digest"))
        broken = rows.filter(pl.col(BROKEN_CODE).is_not_null())
        whole = rows[BROKEN_CODE].is_null()
        table = picked.table
        if broken.height:
            table, rows = table.filter(whole.to_arrow()), rows.filter(whole)
        table = self._corrected(table, rows["digest"])
        made = self._made(table)
        clean, problems = self._standardise(made.values, rows["row_no"])
        problems = pl.concat([problems, *self._unmade(made, rows["row_no"])])
        checked = quality.check(clean, self.contract, self._context(made.values))
        failed = problems.filter(pl.col("severity") == Severity.ERROR)
        issues = pl.concat([problems, _without_echo(checked.issues, failed), _broken_issues(broken)])
        passes = checked.kept & ~rows["row_no"].is_in(failed["row_no"].implode())
        return Examined(rows.with_columns(_keys(clean, self.contract)), broken, made.values, clean, passes, issues)

    def keys_as_came(self, table: pa.Table) -> pl.DataFrame:
        """The properties that are the key, of landed rows, before they are cleaned."""
        return self._made(table).values.select(p.name for p in self.contract.key)

    def keys(self, picked: Rows) -> pl.Series:
        """The keys rows mean, as records bear them; null where a row has none that is clean. Nothing else of a row is looked at."""
        return _keys(self._standardise(self._made(picked.table).values, pl.Series("row_no", picked.row_nos))[0], self.contract)

    def _made(self, table: pa.Table) -> Made:
        context = MappingContext(self.delivered_on, self.references)
        return as_properties(table, self.contract, self.columns.match(table.column_names), context)

    def _originals(self, batch: LandedBatch) -> pl.DataFrame:
        return as_came(batch.table, self.contract, self.columns.match(batch.table.column_names))

    def _parted(self, found: Examined) -> Judged:
        return Judged(
            self._stage(found.clean.filter(found.passes), found.rows.filter(found.passes)),
            pl.concat([_held(found.rows.filter(~found.passes)), _held(found.broken.with_columns(pl.lit(None, pl.String).alias("key")))]),
            found.issues,
        )

    def _corrected(self, table: pa.Table, digests: pl.Series) -> pa.Table:
        """Rows once put right by a person are put right again when the source repeats them."""
        if not self.corrections:
            return table
        places = digests.is_in(pl.Series(list(self.corrections), dtype=pl.Int64).implode()).arg_true().to_list()
        if not places:
            return table
        values = pl.DataFrame(pl.from_arrow(table)).to_dict()
        for place in places:
            for delivered, value in self.corrections[digests[place]].items():
                column = values.get(delivered, pl.repeat(None, len(digests), dtype=pl.String, eager=True))
                values[delivered] = column.cast(pl.String).scatter(place, value)
        return pl.DataFrame(values).to_arrow()

    def _unmade(self, made: Made, row_nos: pl.Series) -> Iterator[pl.DataFrame]:
        for name, (mapped, cells) in made.problems.items():
            node = self.contract.property_named(name).mapping
            assert node is not None  # only a mapping has such problems
            yield issues_of_mapping(row_nos, name, node, mapped, cells)

    def _standardise(self, originals: pl.DataFrame, row_nos: pl.Series) -> tuple[pl.DataFrame, pl.DataFrame]:
        """(cleaned columns with row_no, issues of the values that would not clean)."""
        cleaned: dict[str, CleanedColumn] = {}
        issues = [quality.no_issues()]
        dated_last = sorted(self.contract.properties, key=lambda p: p.as_of is not None)
        for p in dated_last:
            standard, options = cleaning(p, accept_synthetic_ids=self.accept_synthetic_ids, province=self.province)
            dated_by = self._dated_by(p, len(row_nos), cleaned)
            found = cleaned[p.name] = standard.clean_column(originals[p.name], options, dated_by)
            if found.problems.null_count() < len(row_nos):
                choices = (
                    ADMIN_UNIT.choices_column(originals[p.name], found.problems, options, dated_by) if standard is ADMIN_UNIT else None
                )
                issues.append(quality.issues_of_problems(row_nos, p.name, found.problems, originals[p.name], choices))
        columns = [cleaned[p.name].values.cast(POLARS_TYPES[p.logical_type]).alias(p.name) for p in self.contract.properties]
        return pl.DataFrame([row_nos.alias("row_no"), *columns]), pl.concat(issues)

    def _dated_by(self, p: Property, count: int, cleaned: Mapping[str, CleanedColumn]) -> pl.Series | None:
        """The day each row's codes are of; None where the contract names none."""
        if p.as_of is None:
            return None
        on_delivery = pl.repeat(self.delivered_on, count, dtype=pl.Date, eager=True)
        return on_delivery if p.as_of == DELIVERY else cleaned[p.as_of].values.cast(pl.Date).fill_null(self.delivered_on)

    def _context(self, originals: pl.DataFrame) -> quality.CheckContext:
        return quality.CheckContext(delivered_on=self.delivered_on, references=self.references, originals=originals)

    def _stage(self, clean: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
        begins = pl.lit(self.delivered_on, pl.Date)
        if self.contract.valid_from is not None:
            begins = clean[self.contract.valid_from].cast(pl.Date).fill_null(self.delivered_on)  # type: ignore[assignment] # a column instead of one date
        return clean.select(
            rows["key"].alias("_key"),
            rows["digest"].alias("_digest"),
            pl.lit(self.version, pl.Int32).alias("_version"),
            rows["row_no"].alias("_row"),
            begins.alias("_valid_from"),
            *(pl.col(p.name) for p in self.contract.properties),
        )


ACCEPTS_SYNTHETIC = frozenset({"citizen_id", "tax_code", "insurance_no", "phone"})
KNOWS_PROVINCES = frozenset({"admin_unit", "address"})


def _rows(picked: Rows) -> pl.DataFrame:
    """Each row's numbers, and why it is broken when it is."""
    frame = pl.DataFrame({"row_no": picked.row_nos, "source_row": picked.source_rows, "file_no": picked.file_nos})
    if BROKEN_CODE in picked.table.column_names:
        broken = pl.DataFrame(pl.from_arrow(picked.table.select([BROKEN_TEXT, BROKEN_CODE, BROKEN_VI, BROKEN_EN])))
        return frame.hstack(broken.with_columns(pl.all().cast(pl.String)))
    return frame.with_columns(pl.lit(None, pl.String).alias(name) for name in (BROKEN_TEXT, BROKEN_CODE, BROKEN_VI, BROKEN_EN))


def _held(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.select("row_no", "source_row", "file_no", "digest", "key")


def _keys(clean: pl.DataFrame, contract: Contract) -> pl.Series:
    """The key as text; null where a part is missing. Several parts are joined by `~`, a `~` inside a part becomes `%7E`."""
    parts = [_key_part(p) for p in contract.key]
    if len(parts) > 1:
        parts = [part.str.replace_all("%", "%25", literal=True).str.replace_all("~", "%7E", literal=True) for part in parts]
    return clean.select(pl.concat_str(parts, separator=KEY_JOIN).alias("key")).to_series()


def _key_part(p: Property) -> pl.Expr:
    column = pl.col(p.name)
    if p.logical_type == "timestamp":
        return column.dt.strftime("%Y-%m-%dT%H:%M:%SZ")
    return column.cast(pl.String)


def _without_echo(issues: pl.DataFrame, failed: pl.DataFrame) -> pl.DataFrame:
    """A value that would not clean is empty now; that it is empty need not be said as well."""
    if failed.is_empty() or issues.is_empty():
        return issues
    return issues.join(failed.select("row_no", "column_name"), on=["row_no", "column_name"], how="anti", nulls_equal=True)


def _broken_issues(broken: pl.DataFrame) -> pl.DataFrame:
    if broken.is_empty():
        return quality.no_issues()
    return broken.select(
        "row_no",
        pl.lit(None, pl.String).alias("column_name"),
        pl.lit("row").alias("rule"),
        pl.col(BROKEN_CODE).alias("code"),
        pl.lit(Severity.ERROR.value).alias("severity"),
        pl.col(BROKEN_TEXT).alias("found"),
        pl.col(BROKEN_VI).alias("expected_vi"),
        pl.col(BROKEN_EN).alias("expected_en"),
    ).match_to_schema(quality.ISSUE_SCHEMA)


def cleaning(p: Property, *, accept_synthetic_ids: bool, province: str = "") -> tuple[Standard, dict[str, Any]]:
    """What cleans a property's values, and with which options; of units, names that stand alone are of the province unless the contract says."""
    name = p.standard or DEFAULT_STANDARDS[p.logical_type]
    options = dict(p.standard_options)
    if name in ACCEPTS_SYNTHETIC:
        options.setdefault("accept_synthetic", accept_synthetic_ids)
    if name in KNOWS_PROVINCES and province and "within" not in options:
        options = {"within": province, "strict": True, **options}
    return get_standard(name), options


def reference_columns(contract: Contract) -> dict[str, Sequence[str]]:
    """Which columns of which other datasets the contract's rules and mappings read."""
    wanted: dict[str, set[str]] = {}
    for rule in contract.all_rules:
        if rule.kind == "reference":
            wanted.setdefault(rule.parameters["dataset"], set(_DATES)).add(rule.parameters["column"])
    for p in contract.properties:
        for dataset, by, gives in lookups_of(p.mapping) if p.mapping is not None else ():
            wanted.setdefault(dataset, set(_DATES)).update((by, gives))
    return {dataset: sorted(columns) for dataset, columns in wanted.items()}
