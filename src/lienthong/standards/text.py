"""Text and names of persons."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

import polars as pl

from lienthong.standards.base import Cleaned
from lienthong.standards.distinct import DistinctStandard, Options

_INVISIBLE = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u2060\ufeff\u00ad"), None)
_QUOTES = {ord("“"): '"', ord("”"): '"', ord("‘"): "'", ord("’"): "'", ord("\u00a0"): " ", ord("\u202f"): " "}
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f]")
_SPACES = re.compile(r"\s+")


def tidy(text: str) -> str:
    """NFC, one space between words, no invisible characters, straight quotes."""
    text = unicodedata.normalize("NFC", text).translate(_INVISIBLE).translate(_QUOTES)
    return _SPACES.sub(" ", _CONTROL.sub(" ", text)).strip()


def without_marks(text: str) -> str:
    """Lower case, no tone, no mark, đ as d: how people search."""
    plain = unicodedata.normalize("NFD", text.casefold())
    return "".join(letter for letter in plain if not unicodedata.combining(letter)).replace("đ", "d")


def _clean_text(value: str, options: Options) -> Cleaned:
    text = tidy(value)
    longest = options.get("max_length")
    if longest is not None and len(text) > longest:
        return Cleaned(None, "text.too_long")
    return Cleaned(text or None)


_PLAIN = r"^[!-~]+( [!-~]+)*$"  # printable ASCII, single spaces: nothing to tidy
_PLAIN_VIETNAMESE = r"^[!-~À-ÃÈ-ÊÌÍÒ-ÕÙÚÝà-ãè-êìíò-õùúýĂăĐđĨĩŨũƠơƯưẠ-ỹ]+( [!-~À-ÃÈ-ÊÌÍÒ-ÕÙÚÝà-ãè-êìíò-õùúýĂăĐđĨĩŨũƠơƯưẠ-ỹ]+)*$"


def _quick_text(value: pl.Expr, options: Options) -> pl.Expr:
    fits = value.str.contains(_PLAIN_VIETNAMESE)
    if options.get("max_length") is not None:
        fits &= value.str.len_chars() <= options["max_length"]
    return pl.when(fits).then(value)


TEXT = DistinctStandard(
    "text",
    pl.String(),
    "Văn bản",
    "Text",
    _clean_text,
    good=(("  Số  5,\u00a0đường  Hùng Vương ", "Số 5, đường Hùng Vương"), ("“Tân Phú”", '"Tân Phú"')),
    quick=_quick_text,
    known_options={"max_length": "Longest text accepted, in letters."},
    key=lambda value: None if value is None else without_marks(value),
)

_NOTE = re.compile(r"\(.*?\)|\[.*?\]|\b(?:ông|bà|vợ|chồng)\s*[:.]?\s+(?=\S+\s+\S)", re.IGNORECASE)
_NAME = re.compile(r"[^\W\d_]+(?:['’.\-][^\W\d_]+)*(?: [^\W\d_]+(?:['’.\-][^\W\d_]+)*)*")
_TELEX = re.compile(r"[a-z]*(?:aa|ee|oo|dd|aw|ow|uw|[aeiouy][sfxj])[a-z]*", re.IGNORECASE)


def _clean_name(value: str, _: Options) -> Cleaned:
    text = tidy(value)
    bare = tidy(_NOTE.sub(" ", text)).strip(" .,-")
    if not bare or not _NAME.fullmatch(bare):
        return Cleaned(None, "person_name.not_a_name")
    name = " ".join(map(_cased, bare.split(" "))) if bare.isupper() or bare.islower() else bare
    if bare != text:
        return Cleaned(name, "person_name.note")
    if name.isascii() and any(_TELEX.fullmatch(word) and len(word) > 2 for word in name.split(" ")):  # An, Ex… are names
        return Cleaned(name, "person_name.telex")
    return Cleaned(name)


def _cased(word: str) -> str:
    """The first letter of a word, and of each part after a hyphen or apostrophe, in capital: K'Rang."""
    return re.sub(r"(^|['’\-.])(\w)", lambda found: found.group(1) + found.group(2).upper(), word.lower())


@lru_cache(maxsize=100_000)
def name_key(name: str) -> str:
    """Equal for spellings of one name: tone placement (hoà, hòa), i and y, đ and d, marks and case left out."""
    return " ".join("i" if word == "y" else re.sub(r"(?<=[bcdghklmnpqrstvx])y$", "i", word) for word in without_marks(name).split(" "))


_CLEAN_WORD = r"[A-ZÀ-ÃÈ-ÊÌÍÒ-ÕÙÚÝĂĐĨŨƠƯẠẢẤẦẨẪẬẮẰẲẴẶẸẺẼẾỀỂỄỆỈỊỌỎỐỒỔỖỘỚỜỞỠỢỤỦỨỪỬỮỰỲỴỶỸ][a-zà-ãè-êìíò-õùúýăđĩũơưạảấầẩẫậắằẳẵặẹẻẽếềểễệỉịọỏốồổỗộớờởỡợụủứừửữựỳỵỷỹ]+"
_CLEAN_NAME = rf"^{_CLEAN_WORD}( {_CLEAN_WORD})+$"


def _quick_name(value: pl.Expr, _: Options) -> pl.Expr:
    """Title case with at least one mark, so that neither case nor typing keys are in question."""
    return pl.when(value.str.contains(_CLEAN_NAME) & value.str.contains(r"[^ -~]") & ~value.str.contains(r"^(Ông|Bà|Vợ|Chồng) ")).then(value)


PERSON_NAME = DistinctStandard(
    "person_name",
    pl.String(),
    "Họ và tên",
    "Name of a person",
    _clean_name,
    good=(("  NGUYỄN  VĂN AN ", "Nguyễn Văn An"), ("điểu k'rang", "Điểu K'Rang"), ("Lê Thị Thuý", "Lê Thị Thuý")),
    bad=(("12345", "person_name.not_a_name"), ("Nguyeenx Van A", "person_name.telex"), ("Trần Thị Út (Bé Ba)", "person_name.note")),
    quick=_quick_name,
    key=lambda value: None if value is None else name_key(value),
)
