"""What the columns of a stranger's list are: a kind for each, guessed from its heading first and its contents second, with the reason.

For lists that come without a contract: an officer's spreadsheet, a labelled set to be measured. A guess is shown before it is used and
can be put right; what has a contract is never guessed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from lienthong.masterdata.reading_names import flat
from lienthong.standards.text import COMMON_SURNAMES

_LOOKED_AT = 5_000  # filled values of a column; enough to tell shares of a tenth apart
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_DATE = (
    r"^\s*(\d{4}[-/.]\d{1,2}([-/.]\d{1,2})?([ T].*)?|\d{1,2}[-/.]\d{1,2}[-/.]\d{4}|(1[89]|20)\d{2}(0\d|1[0-2])([0-2]\d|3[01])(\.0)?)\s*$"
)
_YEAR = r"^\s*(1[5-9]|20)\d{2}(\.0)?\s*$"
_PHONE = r"^[\s(]*(\+|0)[\d\s().-]{7,16}$"
_NUMBER = r"^\s*[+-]?\d+([.,]\d+)?\s*$"
_WORD = re.compile(r"[^\W_]+")
_AGAIN = 0.95
_VIETNAMESE_NAME = re.compile(r"\b(ho (va )?ten|hoten|ten day du|ten khai sinh)\b")
_FEW = 40  # different values at most in a column of classes
_ENOUGH = 20  # values by which a column tells what it is against its heading
_OF_PERSONS = ("date", "year", "surname", "given_name", "identifier")
_SEX = re.compile(r"\b(gioi( tinh)?|phai|sex|gender)\b")
_NAME = ("name", "ten", "ten goi")  # of whom or of what, they do not say
_FAMILIES = rf"(?i)^\s*({COMMON_SURNAMES})\s"
_COMPANIES = r"(?i)\b(công ty|cty|doanh nghiệp|htx|hợp tác xã|ltd|limited|company|co|corp|corporation|inc|llc|plc|gmbh|ag|n\.? ?v|b\.? ?v|s\.? ?a)\b\.?"

# Heading, plain small letters → kind; the first that fits is taken, so the narrower stand before the wider. "" is left out.
_HEADINGS: tuple[tuple[str, str], ...] = (
    (r"(stt|so thu tu|tt|no|id|rec id|record id|row|row id|row number|index|unique id|uuid|pk|unnamed.*|ghi chu|notes?|remarks?)", ""),
    (r"(cluster|cluster id|entity|entity id|truth|label|match id|ent id|gold.*|source|source id|src|source dataset|dataset|file|cid|tid|ctid)", ""),
    (r"(hhid|hh id|household id|dwelling( id)?|family id|serial|serial number)", ""),
    (r".*\b(cccd|cmnd|cmt|dinh danh|can cuoc|chung minh|ho chieu|giay to|ma so thue|mst|bhxh|bhyt|bao hiem)\b.*", "identifier"),
    (r".*\b(ssn|soc sec( id)?|social security.*|passport|national id|nino?|tax (id|code|number)|id card|identity.*|nhs.*)\b.*", "identifier"),
    (r".*\b(dien thoai|sdt|so dt|dtdd|phone|mobile|telephone|tel|cell)\b.*", "phone"),
    (r".*\b(e ?mail|thu dien tu)\b.*", "code"),
    (r".*\b(ngay( thang( nam)?)? sinh|sinh ngay|dob|date of birth|birth ?date|bdate|born( on)?|birth)", "date"),
    (r".*\b(nam sinh|year of birth|birth ?year|yob|byear)\b.*", "year"),
    (r"(tuoi|age)", "number"),
    (r".*\b(ten (cong ty|doanh nghiep|don vi|to chuc|co so|hkd|ho kinh doanh)|company|organi[sz]ation|business|employer|firm)\b.*", "organisation_name"),
    (r".*\b(ho (va )?ten dem|ho dem|ho lot)\b.*", "surname"),
    (r".*(\bho (va )?ten\b|\bhoten\b|\bfull ?name\b|\bten day du\b|\bten khai sinh\b|\bchu (ho|ho khau|su dung)\b|\bnguoi dai dien\b).*", "person_name"),
    (r"(first|given|fore) ?(names?)? (and|or) (sur|last|family) ?(names?)?", "person_name"),
    (r"(ho|ten ho|surname|sur name|last ?name|lname|family ?name|sname|nachname|nom)", "surname"),
    (r"(ten|ten goi|first ?name|fname|given ?names?|fore ?names?|vorname|prenom|christian name|first and forename)", "given_name"),
    (r".*\b(surname|last ?name|family name)\b.*", "surname"),
    (r".*\b(first ?name|given name|forename)\b.*", "given_name"),
    (r"(name|ten nguoi.*|ten khach hang|person|nguoi .*|patient name|customer name)", "person_name"),
    (r".*\b(ten dem|ten lot|middle ?name|mname|middle initial)\b.*", "text"),
    (r".*\b(gioi( tinh)?|phai|sex|gender)\b.*", "category"),
    (r".*\b(post ?code|zip( ?code)?|postal.*|ma buu chinh|ma buu dien)\b.*", "code"),
    (r".*\b(street ?(number|no|num)|house ?(number|no)|so nha)\b.*", "number"),
    (r".*\b(address 2|address line 2)\b.*", "text"),
    (r".*\b(noi sinh|que quan|nguyen quan|birth ?place|place of birth|pob|born in)\b.*", "text"),
    (r".*\b(dia chi|address|noi o|cho o|thuong tru|tam tru|street|cu tru|addr)\b.*", "address"),
    (r".*\b(suburb|city|town|village|xa|phuong|huyen|quan|tinh|thon|province|state|district|commune|county|parish|region|country)\b.*", "text"),
    (r".*\b(nghe( nghiep)?|occupation|job|dan toc|ethnic.*|ton giao|religion|quoc tich|nationality|race|marital.*|hon nhan|quan he|relation.*|role)\b.*", "category"),
)  # fmt: skip
_COMPONENT = re.compile(r" c?[1-9]$")  # `lname_c2`, `given name 1`: the second and first part of a name
_PARTS = {"year": r"(nam|year|yyyy|yy|y|by)", "month": r"(thang|month|mm|mo|m|bm)", "day": r"(ngay|day|dd|d|bd)"}
_BIRTH = re.compile(r"\b(sinh|birth|born|dob|b|of)\b")

Words = frozenset[str]


@dataclass(frozen=True)
class Guess:
    """`kind` is None when the column is left out of the comparison; `reason` says what spoke for it."""

    column: str
    kind: str | None
    reason: str


def guess_kinds(frame: pl.DataFrame) -> dict[str, str]:
    """Column → kind, of the columns worth comparing; see `guesses` for why. Read dates with `with_dates` first."""
    return {each.column: each.kind for each in guesses(frame) if each.kind is not None}


def guesses(frame: pl.DataFrame) -> tuple[Guess, ...]:
    """One guess for each column, in their order. A column without a value is left out, and one that says what others say already."""
    return _without_repeats(guesses_alone(frame), frame)


def guesses_alone(frame: pl.DataFrame) -> tuple[Guess, ...]:
    """The same where what other columns say does not matter."""
    found = tuple(_guess(name, frame[name].cast(pl.String)) for name in frame.columns)
    family = any(each.kind == "surname" for each in found)
    found = tuple(_lone_name(each, frame[each.column].cast(pl.String)) if not family else each for each in found)
    of_persons = any(each.kind in _OF_PERSONS or _SEX.search(heading_words(each.column)) for each in found)
    return tuple(_whose_name(each, frame[each.column].cast(pl.String), of_persons=of_persons) for each in found)


def with_dates(frame: pl.DataFrame) -> pl.DataFrame:
    """Day, month and year of birth in three columns become one, and columns of dates are written year first.

    A column of dates written 3/14/1980 somewhere and never 14/3/1980 has the month first; otherwise the day is first.
    """
    frame = _parts_joined(frame)
    dates = [each.column for each in guesses_alone(frame) if each.kind == "date"]
    return frame.with_columns(_year_first(frame[name].cast(pl.String)) for name in dates)


def heading_words(heading: str) -> str:
    """`dateOfBirth`, `Date_of_birth ` and `date of birth` are one heading: date of birth."""
    return flat(_CAMEL.sub(" ", heading)) or ""


def _guess(name: str, values: pl.Series) -> Guess:
    values = values.str.strip_chars()
    values = values.filter(values.is_not_null() & (values != "")).head(_LOOKED_AT)
    words = heading_words(name)
    if values.len() and values.n_unique() == 1 and values.len() > 1:
        return Guess(name, None, "one value in every row")
    for heading in dict.fromkeys((words, _COMPONENT.sub("", words))):
        for pattern, kind in _HEADINGS:
            if re.fullmatch(pattern, heading):
                return _fitted(name, kind, values, words)
    if not values.len():
        return Guess(name, None, "no value and no heading known")
    return _by_contents(name, values)


def _fitted(name: str, kind: str, values: pl.Series, words: str) -> Guess:
    """The heading's kind, unless what stands below it says it cannot be."""
    if kind == "":
        return Guess(name, None, f"heading “{words}” names rows, sources or answers, not what is recorded")
    if not values.len():
        return Guess(name, None, "empty")
    if kind in ("date", "year") and _share(values, _YEAR) > 0.6:
        return Guess(name, "year", "heading of a birth, years below it")
    if kind in ("date", "year"):
        if _share(values, _DATE) > 0.3 or not _mostly_letters(values):
            return Guess(name, "date", "heading of a birth, dates below it")
        return Guess(name, "text", "heading of a birth, words below it")
    if kind == "text" and values.n_unique() <= _FEW < values.len():
        return Guess(name, "category", "heading of a place, few different values")
    return Guess(name, kind, "heading")


def _by_contents(name: str, values: pl.Series) -> Guess:
    if _share(values, _DATE) > 0.8:
        return Guess(name, "date", "dates")
    if _share(values, _PHONE) > 0.8:
        return Guess(name, "phone", "telephone numbers")
    different = values.n_unique()
    if different <= _FEW < values.len():
        return Guess(name, "category", "few different values")
    if different == values.len() > _FEW and not _mostly_letters(values):
        return Guess(name, None, "a different code in every row: it can join nobody")
    if _share(values, _NUMBER) > 0.8:
        return Guess(name, "number", "numbers")
    worded = _mostly_letters(values) or _share(values, r"\S\s+\S+\s+\S") > 0.5
    return Guess(name, "text" if worded else "code", "words" if worded else "letters and digits")


def _lone_name(guess: Guess, values: pl.Series) -> Guess:
    """“Tên” without a column of family names holds whole names, when most have several words."""
    if guess.kind == "given_name" and values.len() and _share(values.drop_nulls(), r"^\s*\S+\s+\S+.*$") > 0.6:
        return Guess(guess.column, "person_name", "heading of a name, whole names below it")
    return guess


def _whose_name(guess: Guess, values: pl.Series, *, of_persons: bool) -> Guess:
    """A bare “name” may be a company's, or a restaurant's: what stands below it tells. `of_persons`: something beside it is (birth, sex, number)."""
    values = values.drop_nulls()
    if guess.kind != "person_name" or heading_words(guess.column) not in _NAME or values.len() < _ENOUGH:
        return guess
    if _share(values, _FAMILIES) > 0.3:
        return guess
    if _share(values, _COMPANIES) > 0.2:
        return Guess(guess.column, "organisation_name", "heading of a name, companies below it")
    if of_persons:
        return guess
    return Guess(guess.column, "text", "heading of a name, nothing beside it that persons alone have")


def _without_repeats(found: tuple[Guess, ...], frame: pl.DataFrame) -> tuple[Guess, ...]:
    """Left out what other columns say already, for what is said twice counts twice: `full_name` beside `first_name` and `surname`."""
    said = {each.column: _words_of(frame[each.column]) for each in found if each.kind is not None}
    kinds = {each.column: str(each.kind) for each in found}
    again: dict[str, list[str]] = {}
    for whole, words in said.items():
        parts = [name for name, part in said.items() if name != whole and name not in again and _is_part(part, words)]
        for name in _repeated(whole, parts, said, kinds):
            again[name] = [whole] if name != whole else parts
    return tuple(
        Guess(each.column, None, f"says again what is in {', '.join(again[each.column])}") if each.column in again else each
        for each in found
    )


def _repeated(whole: str, parts: Sequence[str], said: Mapping[str, Sequence[Words]], kinds: Mapping[str, str]) -> Sequence[str]:
    """Of a column and others whose words stand in it, those that need not be compared: never one that says more often something."""
    if any(kinds[name] == kinds[whole] and _is_part(said[whole], said[name]) and _covers(said[name], said[whole]) for name in parts):
        return [whole]
    if kinds[whole] == "date":
        return [name for name in parts if kinds[name] == "year" and _covers(said[whole], said[name])]
    names = [name for name in parts if kinds[name] in ("given_name", "surname")]
    if len(names) > 1 and kinds[whole] == "person_name" and _VIETNAMESE_NAME.search(heading_words(whole)):
        return [name for name in names if _covers(said[whole], said[name])]  # what is written whole is read better than its parts
    together = [frozenset[str]().union(*each) for each in zip(*(said[name] for name in parts), strict=True)]
    is_name = {kinds[name] for name in names} == {"given_name", "surname"}
    return [whole] if (is_name or _is_part(said[whole], together)) and _covers(together, said[whole]) else []


def _words_of(values: pl.Series) -> list[Words]:
    return [frozenset(_WORD.findall((value or "").lower())) for value in values.cast(pl.String).head(_LOOKED_AT)]


def _is_part(part: Sequence[Words], whole: Sequence[Words]) -> bool:
    """Whether nearly all words of a column stand in another's, row by row, where both say something."""
    both = [(a, b) for a, b in zip(part, whole, strict=False) if a and b]
    return len(both) >= 2 and sum(a <= b for a, b in both) > _AGAIN * len(both)


def _covers(column: Sequence[Words], other: Sequence[Words]) -> bool:
    """Whether a column says something in nearly all rows in which the other does."""
    filled = [bool(a) for a, b in zip(column, other, strict=False) if b]
    return sum(filled) > _AGAIN * len(filled)


def _share(values: pl.Series, pattern: str) -> float:
    return float(values.str.contains(pattern).fill_null(False).sum()) / max(values.len(), 1)


def _mostly_letters(values: pl.Series) -> bool:
    return _share(values, r"^[^\d]+$") > 0.5


def _parts_joined(frame: pl.DataFrame) -> pl.DataFrame:
    parts: dict[str, str] = {}
    for name in frame.columns:
        words = heading_words(name)
        bare = _BIRTH.sub(" ", words).strip()
        for part, pattern in _PARTS.items():
            if re.fullmatch(pattern, bare) and part not in parts:
                parts[part] = name
    if len(parts) < 3 or "date_of_birth" in frame.columns:
        return frame
    year, month, day = (pl.col(parts[part]).cast(pl.String).str.strip_chars().str.strip_suffix(".0") for part in ("year", "month", "day"))
    whole = pl.concat_str(year, pl.lit("-"), month.str.zfill(2), pl.lit("-"), day.str.zfill(2))
    joined = pl.when(month.str.contains(r"^\d+$") & day.str.contains(r"^\d+$")).then(whole).otherwise(year)
    return frame.with_columns(joined.alias("date_of_birth")).drop(list(parts.values()))


def _year_first(values: pl.Series) -> pl.Series:
    parts = values.str.extract_groups(r"^\s*(?<a>\d{1,2})[-/.](?<b>\d{1,2})[-/.](?<y>\d{4})").struct.unnest()
    first, second = (parts[name].cast(pl.Int32, strict=False) for name in ("a", "b"))
    month_first = bool((second > 12).any()) and not bool((first > 12).any())
    month, day = ("a", "b") if month_first else ("b", "a")
    frame = parts.with_columns(values.alias("text"))
    written = pl.concat_str(pl.col("y"), pl.lit("-"), pl.col(month).str.zfill(2), pl.lit("-"), pl.col(day).str.zfill(2))
    slashed = pl.col("text").str.strip_chars().str.replace_all(r"^(\d{4})[/.](\d{1,2})[/.](\d{1,2}).*$", "$1-$2-$3")
    padded = slashed.str.replace(r"^(\d{4})-(\d)-", "$1-0$2-").str.replace(r"^(\d{4}-\d{2})-(\d)$", "$1-0$2")
    return frame.select(pl.when(pl.col("y").is_not_null()).then(written).otherwise(padded).alias(values.name)).to_series()
