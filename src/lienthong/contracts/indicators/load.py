"""Reads the files of a folder of indicators; every fault of every file is told at once, with its place and the nearest right word."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection, Mapping
from datetime import time
from pathlib import Path
from typing import Any

from lienthong.contracts.faults import Fault, Faults, nearest
from lienthong.contracts.indicators.formula_model import BASE, PLACE, Formula
from lienthong.contracts.indicators.model import Closing, Direction, Empty, Indicator, Level, Quality
from lienthong.contracts.indicators.periods import PeriodType, period_named
from lienthong.contracts.model import Contract, LegalBasis
from lienthong.contracts.reading import read_document
from lienthong.errors import ContractError

ID = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_AGENCY = re.compile(r"[A-Z][A-Z0-9]*(\.[A-Z0-9]+)*")
_TIME = re.compile(r"([01]\d|2[0-3]):[0-5]\d")
WORDS = (
    "id", "title", "titleEn", "definition", "definitionEn", "owner", "ownerName", "contact", "unit", "unitEn", "decimals", "direction", "order", "period", "keeps",
    "closing", "level", "reads", "formula", "measure", "hasBase", "scale", "targets", "quality", "legalBasis", "drillDown", "public", "empty",
)  # fmt: skip
CLOSING_WORDS, LEGAL_WORDS = ("days", "at"), ("text", "validFrom", "validTo")
QUALITY_WORDS = ("deliveredAfterEnd", "quarantinedMaxPercent")
MOST_KEPT = 120


def load_indicators(folder: Path, contracts: Mapping[str, Contract], measures: Collection[str] = ()) -> dict[str, Indicator]:
    """Every `*.yaml` of a folder, by id, in the order of the board; none for a folder that is not there.

    `measures`: what the platform can reckon of itself. Raises ContractError naming all faults of all files.
    """
    found: dict[str, Indicator] = {}
    faults: list[Fault] = []
    for path in sorted(folder.glob("*.yaml")):
        try:
            indicator = build(read_document(path), str(path), contracts, measures)
        except ContractError as error:
            faults += [(f"{path}: {place}", what, suggestion) for place, what, suggestion in error.faults] or [
                (str(path), error.message, "")
            ]
            continue
        if indicator.id in found:
            faults.append((f"{path}: id", f"`{indicator.id}` is the id of another indicator too", "give each its own"))
        found[indicator.id] = indicator
    if faults:
        raise ContractError(f"{len(faults)} faults in the indicators of `{folder}`.", faults=tuple(faults))
    return dict(sorted(found.items(), key=lambda each: (each[1].order == 0, each[1].order, each[0])))


def build(document: Mapping[str, Any], where: str, contracts: Mapping[str, Contract], measures: Collection[str] = ()) -> Indicator:
    """The indicator a document describes. Raises ContractError with all faults."""
    faults = Faults()
    indicator = _indicator(document, contracts, measures, faults)
    if faults.found:
        raise ContractError(f"`{where}` has {len(faults.found)} fault{'s' if len(faults.found) != 1 else ''}.", faults=tuple(faults.found))
    return indicator


def _indicator(document: Mapping[str, Any], contracts: Mapping[str, Contract], measures: Collection[str], faults: Faults) -> Indicator:
    faults.known(document, WORDS, "indicator")
    texts = {word: faults.text(document.get(word), word).strip() for word in WORDS if word in TEXTS}
    for word in NEEDED:
        if not texts[word]:
            faults.add(word, "missing")
    if texts["id"] and not ID.fullmatch(texts["id"]):
        faults.add("id", f"expected small letters, digits and hyphens, found `{texts['id']}`", "such as `poor-households`")
    if texts["owner"] and not _AGENCY.fullmatch(texts["owner"]):
        faults.add("owner", f"expected the code of an agency, found `{texts['owner']}`", "such as `H10.12`")
    period = faults.one_of(PeriodType, document.get("period"), "period", PeriodType.MONTH_15_14)
    if "period" not in document:
        faults.add("period", "missing", f"one of {', '.join(PeriodType)}")
    level = faults.one_of(Level, document.get("level"), "level", Level.NONE)
    formula = _formula(document, texts, contracts, measures, faults)
    has_base = BASE in formula.outputs if formula else faults.flag(document.get("hasBase"), "hasBase")
    if formula and (level is not Level.NONE) != (PLACE in formula.outputs):
        faults.add("level", "a `level` needs a column `place` in the formula, and a `place` needs a `level`")
    if texts["drillDown"] and texts["drillDown"] not in contracts:
        faults.add("drillDown", f"there is no dataset `{texts['drillDown']}`", nearest(texts["drillDown"], contracts))
    return Indicator(
        id=texts["id"],
        title_vi=texts["title"],
        title_en=texts["titleEn"],
        definition_vi=texts["definition"],
        definition_en=texts["definitionEn"],
        owner=texts["owner"],
        unit_vi=texts["unit"],
        unit_en=texts["unitEn"],
        period=period,
        owner_name=texts["ownerName"],
        contact=texts["contact"],
        decimals=_whole(document.get("decimals"), "decimals", 0, 6, 0, faults),
        direction=faults.one_of(Direction, document.get("direction"), "direction", Direction.NEUTRAL),
        level=level,
        order=_whole(document.get("order"), "order", 0, 999, 0, faults),
        closing=read_closing(document.get("closing"), faults),
        keeps=_whole(document.get("keeps"), "keeps", 1, MOST_KEPT, 8, faults),
        formula=formula,
        measure=texts["measure"],
        has_base=has_base,
        scale=_number(document.get("scale"), "scale", 1.0, faults),
        targets=_targets(document.get("targets"), period, faults),
        quality=_quality(document.get("quality"), faults),
        legal_basis=_legal_basis(document.get("legalBasis"), faults),
        drill_down=texts["drillDown"],
        empty=faults.one_of(Empty, document.get("empty"), "empty", Empty.MISSING),
        is_public=faults.flag(document.get("public"), "public"),
        digest=hashlib.sha256(json.dumps(document, sort_keys=True, ensure_ascii=False).encode()).hexdigest(),
    )


TEXTS = frozenset(
    (
        "id",
        "title",
        "titleEn",
        "definition",
        "definitionEn",
        "owner",
        "ownerName",
        "contact",
        "unit",
        "unitEn",
        "formula",
        "measure",
        "drillDown",
    )
)
NEEDED = ("id", "title", "titleEn", "definition", "definitionEn", "owner", "unit", "unitEn")


def _formula(
    document: Mapping[str, Any], texts: Mapping[str, str], contracts: Mapping[str, Contract], measures: Collection[str], faults: Faults
) -> Formula | None:
    reads = faults.texts(document.get("reads"), "reads")
    if bool(texts["formula"]) == bool(texts["measure"]):
        faults.add("formula", "expected either a `formula` or a `measure`")
        return None
    if texts["measure"]:
        if texts["measure"] not in measures:
            faults.add("measure", f"there is no measure `{texts['measure']}`", nearest(texts["measure"], measures))
        return None
    if not reads:
        faults.add("reads", "missing", "the datasets the formula reads")
    from lienthong.contracts.indicators.formula import check_formula  # noqa: PLC0415 # loads what reads SQL

    return check_formula(texts["formula"], reads, contracts, faults, "formula")


def _whole(value: Any, place: str, least: int, most: int, otherwise: int, faults: Faults) -> int:
    if value is None:
        return otherwise
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        faults.add(place, f"expected a whole number from {least} to {most}, found `{value}`")
        return otherwise
    return value


def _number(value: Any, place: str, otherwise: float, faults: Faults) -> float:
    if value is None:
        return otherwise
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value or abs(value) == float("inf"):  # noqa: PLR0124 # NaN
        faults.add(place, f"expected a number, found `{value}`")
        return otherwise
    return float(value)


def read_closing(found: Any, faults: Faults) -> Closing:
    """When a figure or a report is due."""
    said = faults.mapping(found, "closing")
    faults.known(said, CLOSING_WORDS, "closing")
    at = said.get("at", "17:00")
    if not isinstance(at, str) or not _TIME.fullmatch(at):
        faults.add("closing.at", f"expected a time such as `17:00`, found `{at}`", "put it in quotes")
        at = "17:00"
    return Closing(_whole(said.get("days"), "closing.days", 0, 366, 0, faults), time.fromisoformat(at))


def _targets(found: Any, period: PeriodType, faults: Faults) -> dict[str, float]:
    targets: dict[str, float] = {}
    for code, value in faults.mapping(found, "targets").items():
        if period_named(period, code) is None and not (code.isdigit() and len(code) == 4):
            faults.add(f"targets.{code}", "is no period of this indicator and no year", "such as `2026`")
        targets[code] = _number(value, f"targets.{code}", 0.0, faults)
    return targets


def _quality(found: Any, faults: Faults) -> Quality:
    said = faults.mapping(found, "quality")
    faults.known(said, QUALITY_WORDS, "quality")
    most = said.get("quarantinedMaxPercent")
    wanted = "deliveredAfterEnd" not in said or faults.flag(said["deliveredAfterEnd"], "quality.deliveredAfterEnd")
    return Quality(wanted, None if most is None else _number(most, "quality.quarantinedMaxPercent", 0.0, faults))


def _legal_basis(found: Any, faults: Faults) -> tuple[LegalBasis, ...]:
    basis = []
    for n, entry in enumerate(faults.entries(found, "legalBasis")):
        place = f"legalBasis[{n}]"
        said = faults.mapping(entry, place)
        faults.known(said, LEGAL_WORDS, place)
        text = faults.text(said.get("text"), f"{place}.text")
        if not text:
            faults.add(f"{place}.text", "missing", "which law, by its number")
        basis.append(
            LegalBasis(text, faults.day(said.get("validFrom"), f"{place}.validFrom"), faults.day(said.get("validTo"), f"{place}.validTo"))
        )
    return tuple(basis)
