"""Whether a dataset may be opened without telling of somebody: what is measured of its rows before anybody may have them.

A person may be recognised by a name or a number (direct identifiers), by what stands beside it (quasi-identifiers: a birth date,
a commune, a trade), or by rows of another open dataset laid beside these. What is found is told in counts: no value of a row is.

k-anonymity: every row shares its quasi-identifiers with k - 1 others or more (Sweeney 2002). l-diversity: those who share them do not
all have the same confidential value (Machanavajjhala et al. 2007). An empty value counts as a value of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import polars as pl

from lienthong.contracts import Contract, Layer, Property, Sensitivity
from lienthong.standards import STANDARDS

PERSONS = frozenset({"person", "household"})
NAMES = frozenset({"person_name", "citizen_id", "insurance_no"})  # standards that name a person
CONTACTS = frozenset({"phone", "geometry", "coordinates"})  # ... where the row is about one
FINAL = frozenset({"no_licence", "classified", "direct_identifier", "citizen_id_in_text", "undeclared"})
RULES: Mapping[str, tuple[str, str]] = {
    "no_licence": ("Hợp đồng chưa nêu giấy phép dữ liệu mở", "The contract names no licence"),
    "classified": ("Trường dữ liệu cá nhân hoặc nhạy cảm", "A field of personal or sensitive data"),
    "direct_identifier": ("Trường nêu đích danh cá nhân", "A field that names a person"),
    "citizen_id_in_text": ("Có số định danh cá nhân trong nội dung", "Personal identification numbers stand in the text"),
    "contact_in_text": ("Có vẻ có số điện thoại hoặc thư điện tử trong nội dung", "What looks like telephone numbers or addresses of mail stands in the text"),
    "undeclared": ("Dữ liệu về người nhưng chưa khai trường nào có thể giúp nhận ra người", "About persons, and no quasi-identifier is declared"),
    "class_under_k": ("Nhóm có cùng đặc điểm quá nhỏ", "Too few rows share their quasi-identifiers"),
    "not_diverse": ("Mọi người cùng nhóm có cùng giá trị cần giữ kín", "All who share quasi-identifiers share a confidential value"),
    "small_count": ("Số đếm nhỏ", "A small count"),
    "joined_alone": ("Ghép được với bộ dữ liệu mở khác, từng dòng một", "Joined row by row with another open dataset"),
    "joined_under_k": ("Ghép với bộ dữ liệu mở khác thì nhóm quá nhỏ", "With another open dataset beside it, too few rows are alike"),
}  # fmt: skip
_UNREAD = frozenset(
    {"admin_unit", "agency_code", "parcel_id", "geometry", "coordinates", "code_list", "sex", "tax_code", "phone", "citizen_id"}
)
_CITIZEN_ID = r"\b[0-9]{12}\b"
_CONTACT = r"\b0[35789][0-9]{8}\b|[\w.+-]+@[\w-]+\.[\w.]+"


@dataclass(frozen=True)
class Limits:
    """`k`: fewest rows that must be alike, and the smallest count that may be told; `diversity`: fewest confidential values among them."""

    k: int = 5
    diversity: int = 2


@dataclass(frozen=True)
class Spread:
    """How far rows can be told apart by some columns: `smallest` class (0 without rows), rows `under` k, rows that stand `alone`."""

    columns: tuple[str, ...]
    rows: int
    classes: int
    smallest: int
    under: int
    alone: int


@dataclass(frozen=True)
class Finding:
    """One thing against opening. `count`: rows; `other`: the dataset beside which it shows."""

    rule: str
    columns: tuple[str, ...] = ()
    count: int = 0
    other: str = ""

    @property
    def is_final(self) -> bool:
        """Whether nobody may decide to open in spite of it."""
        return self.rule in FINAL


@dataclass(frozen=True)
class Other:
    """A dataset that is open already, with the rows of its key and quasi-identifiers."""

    contract: Contract
    rows: pl.DataFrame


@dataclass(frozen=True)
class Assessment:
    """What was measured and what speaks against opening. `telling`: column → rows that would be under k without it."""

    rows: int
    limits: Limits
    spread: Spread | None
    telling: Mapping[str, int]
    findings: tuple[Finding, ...]

    @property
    def verdict(self) -> str:
        """`safe`, `risky` (two persons may answer for it), or `forbidden`."""
        if any(finding.is_final for finding in self.findings):
            return "forbidden"
        return "risky" if self.findings else "safe"

    def document(self) -> dict[str, Any]:
        """As plain values."""
        return {
            "rows": self.rows,
            "verdict": self.verdict,
            "limits": asdict(self.limits),
            "spread": None if self.spread is None else {**asdict(self.spread), "columns": list(self.spread.columns)},
            "telling": dict(self.telling),
            "findings": [{**asdict(f), "columns": list(f.columns), "is_final": f.is_final} for f in self.findings],
        }


def is_about_people(contract: Contract) -> bool:
    """Whether a row tells of a person or a household."""
    return contract.entity in PERSONS or any(role.entity in PERSONS for role in contract.match)


def quasi_identifiers(contract: Contract) -> tuple[str, ...]:
    return tuple(p.name for p in contract.properties if p.quasi_identifier)


def confidential_fields(contract: Contract) -> tuple[str, ...]:
    return tuple(p.name for p in contract.properties if p.confidential or p.sensitivity is Sensitivity.SENSITIVE)


def columns_to_measure(contract: Contract) -> tuple[str, ...]:
    """The columns an assessment reads: keys (others may hold them too), quasi-identifiers, confidential values, counts."""
    counted = tuple(p.name for p in contract.properties if p.counts is not None)
    keys = tuple(p.name for p in contract.key)
    return tuple(dict.fromkeys((*keys, *quasi_identifiers(contract), *confidential_fields(contract), *counted)))


def assess(
    contract: Contract, rows: pl.DataFrame, others: Iterable[Other], limits: Limits, in_text: Mapping[tuple[str, str], int] | None = None
) -> Assessment:
    """Measure the rows (at least `columns_to_measure`) alone and beside each open dataset. `in_text`: what `look_into` added up to."""
    columns = quasi_identifiers(contract)
    spread = spread_of(rows, columns, limits.k) if columns else None
    findings = [*_of_contract(contract), *(Finding(rule, (column,), count) for (rule, column), count in sorted((in_text or {}).items()))]
    telling: dict[str, int] = {}
    if spread is not None and spread.under:
        findings.append(Finding("class_under_k", columns, spread.under))
        telling = {name: spread_of(rows, tuple(c for c in columns if c != name), limits.k).under for name in columns}
    findings += _not_diverse(contract, rows, columns, limits)
    findings += _small_counts(contract, rows, limits)
    for other in others:
        findings += _beside(contract, rows, columns, other, limits)
    return Assessment(rows.height, limits, spread, telling, tuple(findings))


def spread_of(rows: pl.DataFrame, columns: Sequence[str], k: int) -> Spread:
    """How far the columns tell the rows apart; without columns all rows are alike."""
    if rows.is_empty():
        return Spread(tuple(columns), 0, 0, 0, 0, 0)
    sizes = rows.group_by(list(columns)).len()["len"] if columns else pl.Series("len", [rows.height])
    small = sizes.filter(sizes < k)
    return Spread(tuple(columns), rows.height, sizes.len(), _whole(sizes.min()), _whole(small.sum()), _whole((sizes == 1).sum()))


def look_into(rows: pl.DataFrame, contract: Contract) -> dict[tuple[str, str], int]:
    """(rule, column) → rows of a batch whose free text holds a citizen's number, or what looks like a way to reach a person."""
    found: dict[tuple[str, str], int] = {}
    for name in read_as_text(contract):
        if name not in rows.columns:
            continue
        text = rows[name].drop_nulls()
        numbers = text.filter(text.str.contains(_CITIZEN_ID))
        citizens = sum(any(map(_is_citizen_id, each)) for each in numbers.str.extract_all(_CITIZEN_ID).to_list())
        contacts = _whole(text.str.contains(_CONTACT).sum())
        found |= {(rule, name): n for rule, n in (("citizen_id_in_text", citizens), ("contact_in_text", contacts)) if n}
    return found


def read_as_text(contract: Contract) -> tuple[str, ...]:
    """The columns of free text, in which anything may stand."""
    return tuple(p.name for p in contract.properties if p.logical_type == "string" and p.standard not in _UNREAD)


def _is_citizen_id(number: str) -> bool:
    return STANDARDS["citizen_id"].clean(number, {"accept_synthetic": True}).value is not None


def _of_contract(contract: Contract) -> list[Finding]:
    findings = [] if contract.licence is not None else [Finding("no_licence")]
    classified = tuple(p.name for p in contract.properties if p.sensitivity in (Sensitivity.PERSONAL, Sensitivity.SENSITIVE))
    if classified:
        findings.append(Finding("classified", classified))
    about_people = is_about_people(contract)
    naming = tuple(p.name for p in contract.properties if _names_somebody(p, about_people))
    if naming:
        findings.append(Finding("direct_identifier", naming))
    if about_people and not quasi_identifiers(contract):
        findings.append(Finding("undeclared"))
    return findings


def _names_somebody(p: Property, about_people: bool) -> bool:
    """A name or a number always does; where to reach somebody does where the row is about a person."""
    return p.standard in NAMES or (about_people and p.standard in CONTACTS)


def _not_diverse(contract: Contract, rows: pl.DataFrame, columns: Sequence[str], limits: Limits) -> list[Finding]:
    hidden = [name for name in confidential_fields(contract) if name not in columns]
    if not columns or rows.is_empty():
        return []
    findings = []
    for name in hidden:
        classes = rows.group_by(list(columns)).agg(pl.len().alias("_rows"), pl.col(name).n_unique().alias("_values"))
        count = _whole(classes.filter(pl.col("_values") < limits.diversity)["_rows"].sum())
        if count:
            findings.append(Finding("not_diverse", (name,), count))
    return findings


def _small_counts(contract: Contract, rows: pl.DataFrame, limits: Limits) -> list[Finding]:
    """Counts of 1 to k - 1 tell of those few; nought tells of nobody."""
    if contract.layer is not Layer.AGGREGATE and not any(p.counts for p in contract.properties):
        return []
    counted = [p.name for p in contract.properties if p.counts is not None]
    found = [(name, rows.filter((pl.col(name) > 0) & (pl.col(name) < limits.k)).height) for name in counted]
    return [Finding("small_count", (name,), count) for name, count in found if count]


def _beside(contract: Contract, rows: pl.DataFrame, columns: Sequence[str], other: Other, limits: Limits) -> list[Finding]:
    """What another open dataset adds: rows that meet exactly one of its rows, and classes its columns would break up.

    Joined over what both hold under one name as a key or a quasi-identifier. A column of the other is known of a row here when all rows
    there with the same shared values agree on it.
    """
    theirs = {*quasi_identifiers(other.contract), *(p.name for p in other.contract.key)}
    ours = {*columns, *(p.name for p in contract.key)}
    shared = sorted(name for name in theirs & ours if rows.schema[name] == other.rows.schema.get(name))
    if not shared or not columns or rows.is_empty() or other.rows.is_empty():
        return []
    extra = [name for name in quasi_identifiers(other.contract) if name not in columns and name not in shared]
    known = other.rows.group_by(shared).agg(
        pl.len().alias("_theirs"), *(pl.when(pl.col(c).n_unique() == 1).then(pl.col(c).first()).alias(f"_their_{c}") for c in extra)
    )
    joined = rows.join(known, on=shared, how="left", nulls_equal=True).with_columns(pl.len().over(shared).alias("_ours"))
    alone = joined.filter((pl.col("_theirs") == 1) & (pl.col("_ours") == 1)).height
    findings = []
    if alone and (extra or _tells_more(other.contract, shared)):
        findings.append(Finding("joined_alone", tuple(shared), alone, other.contract.id))
    if extra and not set(shared) <= set(columns):  # over quasi-identifiers alone the classes here stay what they are
        spread = spread_of(joined, [*columns, *(f"_their_{c}" for c in extra)], limits.k)
        if spread.under:
            findings.append(Finding("joined_under_k", (*columns, *extra), spread.under, other.contract.id))
    return findings


def _tells_more(other: Contract, shared: Sequence[str]) -> bool:
    return any(p.name not in shared for p in other.properties)


def _whole(value: Any) -> int:
    return int(value or 0)
