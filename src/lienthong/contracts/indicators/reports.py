"""Reports as text files: who issues what to whom, when it is due, which indicators it holds, which form of one's own it fills."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from lienthong.contracts.faults import Fault, Faults, nearest
from lienthong.contracts.indicators.load import ID, read_closing
from lienthong.contracts.indicators.model import Closing, Indicator, Level
from lienthong.contracts.indicators.periods import Period, PeriodType
from lienthong.contracts.reading import read_document
from lienthong.errors import ContractError

FOLDER = "reports"
ROLES = ("leader", "auditor", "operator", "steward", "data_officer")
WORDS = (
    "id", "title", "titleEn", "about", "agency", "agencyName", "parentName", "sign", "place", "period", "closing", "indicators", "places", "form",
    "receivers", "signer", "recipients", "opening", "public",
)  # fmt: skip
FORM_WORDS = ("cells", "table")
TABLE_WORDS = ("sheet", "firstRow", "place", "columns")
SIGNER_WORDS = ("authority", "title", "name")
_COLUMN = re.compile(r"[A-Z]{1,3}")


@dataclass(frozen=True)
class FormTable:
    """A table of an agency's own workbook: rows from `first_row` whose column `place` names a unit; `columns`: column letter → indicator."""

    sheet: str
    first_row: int
    place: str
    columns: Mapping[str, str]


@dataclass(frozen=True)
class Form:
    """What goes where in a workbook: `cells` maps a name of the workbook, or a cell such as `Biểu 1!C5`, to an indicator."""

    cells: Mapping[str, str] = field(default_factory=dict)
    table: FormTable | None = None


@dataclass(frozen=True)
class Report:
    """One report. `places`: indicators told by unit in an annex."""

    id: str
    title_vi: str
    title_en: str
    about: str
    agency: str
    agency_name: str
    parent_name: str
    sign: str
    place: str
    period: PeriodType
    closing: Closing
    indicators: tuple[str, ...]
    places: tuple[str, ...]
    form: Form | None
    receivers: tuple[str, ...]
    authority: str
    signer_title: str
    signer_name: str
    opening: str
    recipients: tuple[str, ...]
    is_public: bool
    digest: str

    def due_at(self, period: Period) -> datetime:
        return self.closing.instant(period)


def load_reports(folder: Path, indicators: Mapping[str, Indicator]) -> dict[str, Report]:
    """Every `*.yaml` of the folder `reports` below that of indicators, by id. Raises ContractError naming all faults of all files."""
    found: dict[str, Report] = {}
    faults: list[Fault] = []
    for path in sorted((folder / FOLDER).glob("*.yaml")):
        try:
            report = build_report(read_document(path), str(path), indicators)
        except ContractError as error:
            faults += [(f"{path}: {place}", what, hint) for place, what, hint in error.faults] or [(str(path), error.message, "")]
            continue
        if report.id in found:
            faults.append((f"{path}: id", f"`{report.id}` is the id of another report too", "give each its own"))
        found[report.id] = report
    if faults:
        raise ContractError(f"{len(faults)} faults in the reports of `{folder / FOLDER}`.", faults=tuple(faults))
    return found


def build_report(document: Mapping[str, Any], where: str, indicators: Mapping[str, Indicator]) -> Report:
    """The report a document describes. Raises ContractError with all faults."""
    faults = Faults()
    faults.known(document, WORDS, "report")
    texts = {word: faults.text(document.get(word), word).strip() for word in TEXTS}
    for word in NEEDED:
        if not texts[word]:
            faults.add(word, "missing")
    if texts["id"] and not ID.fullmatch(texts["id"]):
        faults.add("id", f"expected small letters, digits and hyphens, found `{texts['id']}`", "such as `quarterly`")
    if "period" not in document:
        faults.add("period", "missing", f"one of {', '.join(PeriodType)}")
    chosen = _indicators(document.get("indicators"), "indicators", indicators, faults)
    if not chosen:
        faults.add("indicators", "missing", "what the report tells")
    places = _indicators(document.get("places"), "places", indicators, faults)
    for name in places:
        if name in indicators and indicators[name].level is Level.NONE:
            faults.add("places", f"`{name}` is not told by unit")
    recipients = faults.texts(document.get("recipients"), "recipients")
    for role in recipients:
        if role not in ROLES:
            faults.add("recipients", f"there is no role `{role}`", nearest(role, ROLES))
    signer = faults.mapping(document.get("signer"), "signer")
    faults.known(signer, SIGNER_WORDS, "signer")
    report = Report(
        id=texts["id"], title_vi=texts["title"], title_en=texts["titleEn"], about=texts["about"], agency=texts["agency"],
        agency_name=texts["agencyName"], parent_name=texts["parentName"], sign=texts["sign"], place=texts["place"],
        period=faults.one_of(PeriodType, document.get("period"), "period", PeriodType.QUARTER_15_14),
        closing=read_closing(document.get("closing"), faults), indicators=chosen, places=places,
        form=_form(document.get("form"), indicators, faults),
        receivers=faults.texts(document.get("receivers"), "receivers"),
        authority=faults.text(signer.get("authority"), "signer.authority"), signer_title=faults.text(signer.get("title"), "signer.title"),
        signer_name=faults.text(signer.get("name"), "signer.name"), opening=texts["opening"], recipients=recipients,
        is_public=faults.flag(document.get("public"), "public"),
        digest=hashlib.sha256(json.dumps(document, sort_keys=True, ensure_ascii=False).encode()).hexdigest(),
    )  # fmt: skip
    if faults.found:
        raise ContractError(f"`{where}` has {len(faults.found)} fault{'s' if len(faults.found) != 1 else ''}.", faults=tuple(faults.found))
    return report


TEXTS = ("id", "title", "titleEn", "about", "agency", "agencyName", "parentName", "sign", "place", "opening")
NEEDED = ("id", "title", "titleEn", "about", "agency", "agencyName", "sign", "place")


def _indicators(found: Any, place: str, known: Mapping[str, Indicator], faults: Faults) -> tuple[str, ...]:
    names = faults.texts(found, place)
    for name in names:
        if name not in known:
            faults.add(place, f"there is no indicator `{name}`", nearest(name, known))
    return names


def _form(found: Any, indicators: Mapping[str, Indicator], faults: Faults) -> Form | None:
    if found is None:
        return None
    said = faults.mapping(found, "form")
    faults.known(said, FORM_WORDS, "form")
    cells = {name: faults.text(value, f"form.cells.{name}") for name, value in faults.mapping(said.get("cells"), "form.cells").items()}
    table = _table(said.get("table"), faults)
    for place, name in [*((f"form.cells.{cell}", name) for cell, name in cells.items()), *(("form.table.columns", name) for name in (table.columns.values() if table else ()))]:  # fmt: skip
        if name not in indicators:
            faults.add(place, f"there is no indicator `{name}`", nearest(name, indicators))
    if not cells and table is None:
        faults.add("form", "expected `cells` or a `table`")
    return Form(cells, table)


def _table(found: Any, faults: Faults) -> FormTable | None:
    if found is None:
        return None
    said = faults.mapping(found, "form.table")
    faults.known(said, TABLE_WORDS, "form.table")
    first, place = said.get("firstRow"), faults.text(said.get("place"), "form.table.place")
    if isinstance(first, bool) or not isinstance(first, int) or not 1 <= first <= 100_000:
        faults.add("form.table.firstRow", f"expected the number of a row, found `{first}`")
        first = 1
    columns = {
        name: faults.text(value, f"form.table.columns.{name}")
        for name, value in faults.mapping(said.get("columns"), "form.table.columns").items()
    }
    for letter in (place, *columns):
        if not _COLUMN.fullmatch(letter):
            faults.add("form.table", f"expected the letter of a column, found `{letter}`", "such as `C`")
    return FormTable(faults.text(said.get("sheet"), "form.table.sheet"), first, place, columns)
