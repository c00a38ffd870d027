"""A trained model: a readable document of probabilities, and beside it the frequencies it froze.

The document holds no value of any record. Frequencies are kept under hashes and only of values seen more than once, so that a
rare name cannot be read out of a model; they are personal data all the same and stay with the province.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from functools import cached_property
from math import log2
from pathlib import Path
from typing import Any

import polars as pl
import xxhash

from lienthong.errors import LienthongError
from lienthong.masterdata.blocking import Blocking, Recipe
from lienthong.masterdata.kinds import Attribute
from lienthong.masterdata.plan import Plan, Successors
from lienthong.masterdata.predicates import Same
from lienthong.masterdata.scoring import Rarity, Rung, Scorer

FORMAT = 1
COMMON_RECORDS, COMMON_SHARE = 5, 1 / 5000  # a slip of the hand is seldom made as often
_SUCCESSORS = "*successors"
_LEADING = "1"  # before a unit's code, so that as a number it keeps its zeros


class ModelError(LienthongError):
    """A model's file is not one, or of another format."""

    code = "model"


@dataclass(frozen=True)
class Frequencies:
    """How often each value of a column was seen when the model was trained: hash → count, only counts above one."""

    total: int
    counts: Mapping[int, int]

    def count_of(self, value: str) -> int:
        return self.counts.get(xxhash.xxh3_64_intdigest(value.encode()), 1)

    def log2_of(self, value: str) -> float:
        return self.log2_of_count(self.count_of(value))

    def log2_of_count(self, count: int) -> float:
        return log2(count / self.total)

    @cached_property
    def table(self) -> pl.DataFrame:
        """`hash`, `count`: the same as a frame, for many values at once."""
        return pl.DataFrame({"hash": list(self.counts), "count": list(self.counts.values())}, schema={"hash": pl.UInt64, "count": pl.Int64})


@dataclass(frozen=True)
class Cuts:
    """Bits from which a pair is joined by itself, and from which a person is asked; `by_registers` for pairs of registers `a|b`."""

    join_bits: float = 0.0
    review_bits: float = 0.0
    by_registers: Mapping[str, float] = field(default_factory=dict)

    def join(self, left_source: str, right_source: str) -> float:
        """The cut for two records of these registers."""
        if not self.by_registers:
            return self.join_bits
        return self.by_registers.get("|".join(sorted((left_source, right_source))), self.join_bits)


@dataclass(frozen=True)
class Model:
    """Everything needed to score a pair. `rungs` stand in the order of the plan's comparisons and their levels."""

    plan: Plan
    version: str
    prior_bits: float
    kin_bits: float
    rungs: tuple[tuple[Rung, ...], ...]
    shared: frozenset[str]
    blocking: Blocking
    frequencies: Mapping[str, Frequencies]
    cuts: Cuts = Cuts()
    crowded: frozenset[int] = frozenset()  # hashes of identifiers that too many records carried when the model was learnt
    records_seen: int = 0
    labels_seen: int = 0  # pairs that persons said are one

    def scorer(self) -> Scorer:
        rarity: dict[str, Rarity] = {column: each.log2_of for column, each in self.frequencies.items()}
        return Scorer(self.plan.columns, self.plan.comparisons, self.rungs, self.prior_bits, self.shared, self.kin_bits, rarity)

    def is_common(self, column: str, value: str) -> bool:
        """Whether so many records had a value, when the model was learnt, that it is no slip of somebody's hand."""
        known = self.frequencies.get(column)
        return known is not None and known.count_of(value) >= max(COMMON_RECORDS, known.total * COMMON_SHARE)

    def with_cuts(self, cuts: Cuts) -> Model:
        return replace(self, cuts=cuts)


def rungs_of(plan: Plan, parameters: Iterable[Iterable[tuple[float, float]]]) -> tuple[tuple[Rung, ...], ...]:
    """(m, u) of each level → rungs, each knowing the frequency its rarity is measured against."""
    found = []
    for comparison, pairs in zip(plan.comparisons, parameters, strict=True):
        each = list(pairs)
        exact: dict[str, float] = {}
        for level, (_, u) in zip(comparison.levels, each, strict=True):
            if isinstance(level.when, Same):
                exact.setdefault(level.when.column, log2(u))
        found.append(
            tuple(
                Rung(level.label, m, u, level.frequency_of, exact.get(level.frequency_of, 0.0) if level.frequency_of else 0.0)
                for level, (m, u) in zip(comparison.levels, each, strict=True)
            )
        )
    return tuple(found)


def write_model(model: Model, path: Path) -> None:
    """Write `<path>` (JSON, readable) and `<path stem>.frequencies.parquet` beside it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document_of(model), ensure_ascii=False, indent=1) + "\n", "utf-8")
    frequencies_path(path).write_bytes(frequencies_of(model))


def document_of(model: Model) -> dict[str, Any]:
    """The readable part: probabilities, cuts, keys."""
    return {
        "format": FORMAT,
        "entity": model.plan.entity,
        "version": model.version,
        "records_seen": model.records_seen,
        **({"labels_seen": model.labels_seen} if model.labels_seen else {}),
        **({"units_on": known.on.isoformat()} if (known := model.plan.successors).on is not None else {}),
        "prior_bits": model.prior_bits,
        "kin_bits": model.kin_bits,
        "cuts": {**asdict(model.cuts), "by_registers": dict(model.cuts.by_registers)},
        "plan": {
            "attributes": [{"name": a.name, "kind": a.kind, "options": dict(a.options)} for a in model.plan.attributes],
            "identifiers": list(model.plan.identifiers),
            "apart": list(model.plan.apart),
            "unique_sources": sorted(model.plan.unique_sources),
        },
        "keys": [list(recipe.columns) for recipe in model.blocking.recipes],
        "refine_with": list(model.blocking.refine_with),
        "most_per_key": model.blocking.most,
        "comparisons": [
            {
                "name": comparison.name,
                "shared": comparison.name in model.shared,
                "rungs": [{"label": r.label, "m": r.m, "u": r.u, "bits": round(r.bits, 3), "rarity_of": r.frequency_of} for r in rungs],
            }
            for comparison, rungs in zip(model.plan.comparisons, model.rungs, strict=True)
        ],
    }


def frequencies_of(model: Model) -> bytes:
    """The frozen frequencies as Parquet: column, hash, count; the row of hash 0 holds a column's total.

    Units that ended stand there as well, each with the one that took its place: codes as numbers, with a one before them.
    """
    schema = {"column": pl.String, "hash": pl.UInt64, "count": pl.Int64}
    frames = [
        pl.DataFrame(
            {"column": [column] * (len(each.counts) + 1), "hash": [0, *each.counts], "count": [each.total, *each.counts.values()]},
            schema=schema,
        )
        for column, each in model.frequencies.items()
    ]
    for name, hashes in (("*common", model.blocking.common), ("*dropped", model.blocking.dropped), ("*crowded", model.crowded)):
        frames.append(pl.DataFrame({"column": [name] * len(hashes), "hash": sorted(hashes), "count": [0] * len(hashes)}, schema=schema))
    if units := sorted(model.plan.successors.codes.items()):
        before, now = ([int(_LEADING + code) for code in codes] for codes in zip(*units, strict=True))
        frames.append(pl.DataFrame({"column": [_SUCCESSORS] * len(units), "hash": before, "count": now}, schema=schema))
    data = io.BytesIO()
    pl.concat(frames).write_parquet(data)
    return data.getvalue()


def frequencies_path(path: Path) -> Path:
    return path.with_suffix(".frequencies.parquet")


def read_model(path: Path) -> Model:
    """Read what `write_model` wrote. Raises ModelError naming the file and what is wrong."""
    try:
        return model_of(json.loads(path.read_text("utf-8")), frequencies_path(path).read_bytes())
    except (OSError, ValueError) as error:
        raise ModelError(f"{path.name} cannot be read as a model: {error}", hint="Train it again: lienthong match train.") from error


def model_of(document: Mapping[str, Any], frequencies: bytes) -> Model:
    """The model of a document and its frequencies. Raises ModelError when they are not of this format."""
    if not isinstance(document, Mapping) or document.get("format") != FORMAT:
        raise ModelError(
            f"A model of format {FORMAT} was expected, found {document.get('format') if isinstance(document, Mapping) else type(document).__name__}.",
            hint="Train it again.",
        )
    try:
        return _model(document, pl.read_parquet(io.BytesIO(frequencies)))
    except (KeyError, IndexError, TypeError, pl.exceptions.PolarsError) as error:
        raise ModelError(f"This is no model: {error}", hint="Train it again: lienthong match train.") from error


def _model(document: Mapping[str, Any], table: pl.DataFrame) -> Model:
    given = document["plan"]
    plan = Plan(
        document["entity"],
        tuple(Attribute(a["name"], a["kind"], a["options"]) for a in given["attributes"]),
        tuple(given["identifiers"]),
        tuple(given["apart"]),
        frozenset(given["unique_sources"]),
    )
    plan = plan.with_successors(_successors(document, table))
    frequencies, sets = {}, {name: frozenset[int]() for name in ("*common", "*dropped", "*crowded")}
    for (column,), part in table.filter(pl.col("column") != _SUCCESSORS).group_by(["column"]):
        name = str(column)
        if name in sets:
            sets[name] = frozenset(part["hash"].to_list())
            continue
        rows = dict(zip(part["hash"].to_list(), part["count"].to_list(), strict=True))
        total = rows.pop(0)
        frequencies[name] = Frequencies(total, rows)
    recipes = tuple(Recipe(n, tuple(columns)) for n, columns in enumerate(document["keys"]))
    rungs = rungs_of(plan, _learnt(plan, document["comparisons"]))
    for rung in (rung for each in rungs for rung in each if rung.frequency_of not in (None, *frequencies)):
        frequencies[str(rung.frequency_of)] = Frequencies(
            round(2**-rung.base_bits), {}
        )  # as common as the rung itself: rarity adds nothing
    return Model(
        plan=plan,
        version=document["version"],
        prior_bits=document["prior_bits"],
        kin_bits=document["kin_bits"],
        rungs=rungs,
        shared=frozenset(c["name"] for c in document["comparisons"] if c["shared"]),
        blocking=Blocking(
            recipes, tuple(document["refine_with"]), document["most_per_key"], sets["*common"], sets["*dropped"], plan.otherwise
        ),
        frequencies=frequencies,
        cuts=Cuts(**document["cuts"]),
        crowded=sets["*crowded"],
        records_seen=document["records_seen"],
        labels_seen=document.get("labels_seen", 0),
    )


def _successors(document: Mapping[str, Any], table: pl.DataFrame) -> Successors:
    """Those the model was learnt with; none in one of an earlier version."""
    if "units_on" not in document:
        return Successors()
    rows = table.filter(pl.col("column") == _SUCCESSORS).select("hash", "count").rows()
    codes = {str(before)[len(_LEADING) :]: str(now)[len(_LEADING) :] for before, now in rows}
    return Successors(date.fromisoformat(document["units_on"]), codes)


def _learnt(plan: Plan, comparisons: Iterable[Mapping[str, Any]]) -> Iterator[list[tuple[float, float]]]:
    """(m, u) of each level. A rung that the version which learnt the model did not know says what the one below it says, or `untaught_as`."""
    for comparison, document in zip(plan.comparisons, comparisons, strict=True):
        known = {rung["label"]: (rung["m"], rung["u"]) for rung in document["rungs"]}
        found: list[tuple[float, float]] = []
        for level in reversed(comparison.levels):
            label = level.label if level.label in known or level.untaught_as is None else level.untaught_as
            found.insert(0, known[label] if label in known else found[0])
        yield found
