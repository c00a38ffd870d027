"""Text and names of persons."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

import polars as pl

from lienthong.standards.base import Cleaned
from lienthong.standards.distinct import DistinctStandard, Options
from lienthong.standards.encoding_detection import rarity_of
from lienthong.standards.legacy_encodings import decode_tcvn3, decode_vni, is_syllable

# Nothing to see: joiners, byte order marks, and the signs that turn the direction of writing (a name or a number can be made to look another).
_INVISIBLE = dict.fromkeys(
    map(ord, "\u200b\u200c\u200d\u200e\u200f\u2060\ufeff\u00ad\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"), None
)
_INVISIBLE_IN_FONTS = {letter: None for letter in _INVISIBLE if letter != 0xAD}  # in TCVN3 the soft hyphen is ư
_QUOTES = {ord("“"): '"', ord("”"): '"', ord("‘"): "'", ord("’"): "'", ord("\u00a0"): " ", ord("\u202f"): " "}
_INVISIBLE_OR_QUOTES = {**_QUOTES, **_INVISIBLE}
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f]")
_SPACES = re.compile(r"\s+")
_UNTIDY = re.compile(rf"[\x00-\x1f\x7f{''.join(map(chr, _INVISIBLE_OR_QUOTES))}]|[^\S ]|  |^ | $")
MOST_MARKS = 30  # on one letter: Unicode's stream-safe limit (UAX 15); normalising takes the square of their number
_SHORT = 1000  # letters in which no flood of marks can cost time


def tidy(text: str) -> str:
    """NFC, one space between words, no invisible characters, straight quotes, no more than 30 marks on a letter. Time grows with length."""
    if len(text) > _SHORT:
        text = without_floods(text)
    if _UNTIDY.search(text) is None and unicodedata.is_normalized("NFC", text):
        return text
    text = unicodedata.normalize("NFC", text.translate(_INVISIBLE_OR_QUOTES))
    return _SPACES.sub(" ", _CONTROL.sub(" ", text)).strip()


def without_floods(text: str) -> str:
    """The text with at most 30 marks on each letter."""
    kept, marks = [], 0
    for letter in text:
        marks = marks + 1 if unicodedata.combining(letter) else 0
        if marks <= MOST_MARKS:
            kept.append(letter)
    return "".join(kept)


def without_marks(text: str) -> str:
    """Lower case, no tone, no mark, đ as d: how people search."""
    bare = text.translate(_BARE_LETTERS)
    return bare.lower() if bare.isascii() else _without_any_marks(text)


def _without_any_marks(text: str) -> str:
    plain = unicodedata.normalize("NFD", text.casefold())
    return "".join(letter for letter in plain if not unicodedata.combining(letter)).replace("đ", "d")


_MARKED_LETTERS = "À-ÃÈ-ÊÌÍÒ-ÕÙÚÝà-ãè-êìíò-õùúýĂăĐđĨĩŨũƠơƯưẠ-ỹ"
_BARE_LETTERS = {
    ord(letter): _without_any_marks(letter) for letter in re.findall(f"[{_MARKED_LETTERS}]", "".join(map(chr, range(0xC0, 0x1F00))))
}


def _clean_text(value: str, options: Options) -> Cleaned:
    text = tidy(value)
    longest = options.get("max_length")
    if longest is not None and len(text) > longest:
        return Cleaned(None, "text.too_long")
    is_flooded = len(value) > MOST_MARKS and len(without_floods(value)) < len(value)
    return Cleaned(tidy(without_floods(text)) or None, "text.marks" if is_flooded and text else None)


_PLAIN = r"^[!-~]+( [!-~]+)*$"  # printable ASCII, single spaces: nothing to tidy
PLAIN_VIETNAMESE = rf"^[!-~{_MARKED_LETTERS}]+( [!-~{_MARKED_LETTERS}]+)*$"


def _quick_text(value: pl.Expr, options: Options) -> pl.Expr:
    fits = value.str.contains(PLAIN_VIETNAMESE)
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
    longest=None,
    known_options={"max_length": "Longest text accepted, in letters."},
    key=lambda value: None if value is None else without_marks(value),
)

# Titles and words of kinship before a name. Ông and Bà are left where no usual surname follows: Ông is a surname too.
COMMON_SURNAMES = "Nguyễn|Trần|Lê|Phạm|Huỳnh|Hoàng|Phan|Vũ|Võ|Đặng|Bùi|Đỗ|Hồ|Ngô|Dương|Lý|Điểu|Đinh|Trương|Lâm|Mai|Đoàn|Nguyen|Tran|Le|Pham|Huynh|Hoang|Vo"
_NOTE = re.compile(
    rf"\(.*?\)|\[.*?\]|^(?:vợ|chồng)\s*[:.]?\s+(?=\S+\s+\S)|^(?:ông|bà|anh|chị|cụ|hộ ông|hộ bà)(?:\s*[:.]\s*|\s+(?=(?:{COMMON_SURNAMES})\s+\S))",
    re.IGNORECASE,
)
_NAME = re.compile(r"[^\W\d_]+(?:['’.\-][^\W\d_]+)*(?: [^\W\d_]+(?:['’.\-][^\W\d_]+)*)*")
LONGEST_NAME = 200  # letters; also keeps patterns off what is no name at all
_SEVERAL = re.compile(r"\S\s+(?:và|vợ|chồng)\s+\S", re.IGNORECASE)
_KEYS = r"[A-Za-z]*(?i:aa|ee|oo|dd|aw|ow|uw|[aeiouy][sfxj]|[aeiouy](?:ch|ng|nh)[sfxrj]|[aeiouy][cmnpt][sfxj])[A-Za-z]*"
_TELEX = re.compile(_KEYS)


# A tone on a letter where neither way of writing has it: Hòang, Hùynh, Qùy. Hòa and Hoà are both ways, and are left as typed.
_MISPLACED = "[òóỏõọ][ae][a-zà-ỹ]|[ùúủũụ]y[a-zà-ỹ]|[Qq][ùúủũụ][a-zà-ỹ]"
_TONE = re.compile("[\u0300\u0301\u0303\u0309\u0323]")


def tone_in_place(name: str) -> str:
    """The name with every tone on the letter where it is written: Hòang → Hoàng, Hùynh → Huỳnh, Qùy → Quỳ."""
    return re.sub(_MISPLACED, _moved, name)


def _moved(found: re.Match[str]) -> str:
    """The first vowel gives its tone to the one after it, unless that bears one already."""
    first, second, *rest = list(unicodedata.normalize("NFC", found[0]))
    if first in "qQ":
        return first + _moved_pair(second, rest[0]) + "".join(rest[1:])
    return _moved_pair(first, second) + "".join(rest)


def _moved_pair(first: str, second: str) -> str:
    parts = unicodedata.normalize("NFD", first)
    tone = _TONE.search(parts)
    if tone is None or _TONE.search(unicodedata.normalize("NFD", second)):
        return first + second
    return unicodedata.normalize("NFC", parts.replace(tone[0], "") + second + tone[0])


def _clean_name(value: str, _: Options) -> Cleaned:
    text = tidy(value)
    if not text or len(text) > LONGEST_NAME:
        return Cleaned(None, "person_name.not_a_name" if text else None)
    bare = _without_notes(text)
    as_it_came = _SPACES.sub(" ", unicodedata.normalize("NFC", value.translate(_INVISIBLE_IN_FONTS))).strip()
    candidates = () if re.fullmatch(_CLEAN_NAME, text) and not _UNLIKELY.search(text) else (as_it_came, bare, _in_title_case(bare))
    from_old_font = next((found for one in candidates if (found := _from_old_font(one)) is not None), None)
    if from_old_font is not None:
        return Cleaned(_in_title_case(from_old_font), "person_name.font")
    if not bare or not _NAME.fullmatch(bare) or _SEVERAL.search(bare):
        return Cleaned(None, "person_name.several" if _SEVERAL.search(bare) else "person_name.not_a_name")
    name = tone_in_place(_in_title_case(bare))
    if bare != text:
        return Cleaned(name, "person_name.note")
    if any(_is_struck(word) for word in name.split(" ")):
        return Cleaned(name, "person_name.telex")
    return Cleaned(name)


def _is_struck(word: str) -> bool:
    """Whether a word is keys left over. An and Ex are names; oo is a rhyme of loan words (xoong) and of no name: Coong was Công."""
    is_read = is_syllable(word) and "oo" not in word.lower()
    return len(word) > 2 and word.isascii() and _TELEX.fullmatch(word) is not None and not is_read


def _without_notes(text: str) -> str:
    """The text without titles, brackets and stray signs around it, taken off until none is left."""
    before = None
    while before != text:
        before, text = text, tidy(_NOTE.sub(" ", text.strip(" .,-"))).strip(" .,-")
    return text


def _in_title_case(name: str) -> str:
    """NGUYỄN VĂN AN, nguyễn văn an and Nguyễn văn an as Nguyễn Văn An; a word of mixed case (K'Rang, McDonald) is left as it is."""
    words = [_cased(word) if word.islower() else word for word in name.split(" ")]
    if any(letter.isascii() and letter.islower() for word in words for letter in word[1:]):
        return " ".join(words)
    return " ".join(map(_cased, words))  # shouted; NGUYễN too, because TCVN3 has no capitals with a tone


def _is_whole_syllable(word: str) -> bool:
    """A syllable that does not end in ă or â, as none does: Vâ was Võ in TCVN3."""
    return is_syllable(word) and not _OPEN.search("".join(c for c in unicodedata.normalize("NFD", word.lower()) if c not in _TONES))


def _from_old_font(text: str) -> str | None:
    """The name, where it was typed in TCVN3 or VNI and read as Latin (NguyÔn V¨n Thµnh, Nguyeãn Vaên Thònh); None where it was not.

    Only where a word is no syllable as it stands, every word with foreign letters becomes one, and the name as read is plainly the likelier:
    a word that is a syllable either way (Thò, Thị) goes with the others.
    """
    words = [word for word in text.split(" ") if not word.isascii()]
    if not (_FOREIGN.search(text) or _UNLIKELY.search(text)) or all(map(_is_whole_syllable, words)):
        return None
    try:
        data = text.encode("cp1252")
    except UnicodeEncodeError:
        return None
    likeliest, best = None, rarity_of(words) - LIKELIER_BITS
    for decode in (decode_tcvn3, decode_vni):
        found = unicodedata.normalize("NFC", decode(data))
        after = [new for old, new in zip(text.split(" "), found.split(" "), strict=False) if not old.isascii()]
        is_name = len(after) == len(words) and all(is_syllable(word) and not word.isascii() for word in after)
        if is_name and _NAME.fullmatch(found) and rarity_of(after) <= best:
            likeliest, best = found, rarity_of(after)
    return likeliest


def _cased(word: str) -> str:
    """The first letter of a word, and of each part after a hyphen or apostrophe, in capital: K'Rang."""
    return re.sub(r"(^|['’\-.])(\w)", lambda found: found.group(1) + found.group(2).upper(), word.lower())


@lru_cache(maxsize=100_000)
def name_key(name: str) -> str:
    """Equal for spellings of one name: tone placement (hoà, hòa), i and y, đ and d, marks and case left out."""
    return " ".join(map(_word_key, without_marks(name).split(" ")))


def _word_key(word: str) -> str:
    is_like_i = word[-1:] == "y" and (word == "y" or word[-2] in _BEFORE_I)
    return word[:-1] + "i" if is_like_i else word


_BEFORE_I = frozenset("bcdghklmnpqrstvx")


_CLEAN_WORD = r"[A-ZÀ-ÃÈ-ÊÌÍÒ-ÕÙÚÝĂĐĨŨƠƯẠẢẤẦẨẪẬẮẰẲẴẶẸẺẼẾỀỂỄỆỈỊỌỎỐỒỔỖỘỚỜỞỠỢỤỦỨỪỬỮỰỲỴỶỸ][a-zà-ãè-êìíò-õùúýăđĩũơưạảấầẩẫậắằẳẵặẹẻẽếềểễệỉịọỏốồổỗộớờởỡợụủứừửữựỳỵỷỹ]+"
_FOREIGN = re.compile(r"[^\W\d_][¡-¿×÷]|[¡-¿×÷][^\W\d_]|[a-zà-ỹ][À-ß]|[äåæçëïîñöøûüþßðÄÅÆÇËÏÎÑÖØÛÜÞÐœŒšŠžŽŸÿ]")
_VNI_PAIRS = "(?i:a[âáàåãäêéèúüëùøûõï]|e[âáàåãäùøûõï]|o[âåäùøûõï]|[ôö][ùøûõï]|u[ùøûõï])"  # a letter and its mark, of VNI read as Latin
_OPEN = re.compile("a[\u0302\u0306]$")
_TONES = frozenset("\u0300\u0301\u0303\u0309\u0323")
_NOT_VIETNAMESE = rf"{_VNI_PAIRS}|(?i:[âă])(?: |$)"
_UNLIKELY = re.compile(_NOT_VIETNAMESE)
LIKELIER_BITS = 8.0
_CLEAN_NAME = rf"^{_CLEAN_WORD}( {_CLEAN_WORD})+$"


_LETTERS_ALONE = r"^[A-Za-zÀ-ÃÈ-ÊÌÍÒ-ÕÙÚÝà-ãè-êìíò-õùúýĂăĐđĨĩŨũƠơƯưẠ-ỹ ]+$"


def _quick_name(value: pl.Expr, _: Options) -> pl.Expr:
    """Title case with at least one mark, no title before and no typing keys left over."""
    unusual = rf"^(Ông|Bà|Anh|Chị|Cụ|Hộ|Vợ|Chồng) | (Và|Vợ|Chồng) |(^| ){_KEYS}( |$)|{_MISPLACED}|{_NOT_VIETNAMESE}"
    fits = value.str.contains(_CLEAN_NAME) & (value.str.len_bytes() <= LONGEST_NAME)  # bytes, no fewer than letters
    return pl.when(fits & value.str.contains(r"[^ -~]") & ~value.str.contains(unusual)).then(value)


def _loose_name(values: pl.Series) -> pl.Series:
    """NGUYỄN VĂN AN and nguyễn văn an in title case."""
    value = pl.col("value")
    is_one_case = (value == value.str.to_uppercase()) | (value == value.str.to_lowercase())
    title = pl.when(is_one_case & value.str.contains(_LETTERS_ALONE)).then(value.str.to_titlecase())
    return values.to_frame("value").select(title.alias("title"))["title"]


PERSON_NAME = DistinctStandard(
    "person_name",
    pl.String(),
    "Họ và tên",
    "Name of a person",
    _clean_name,
    good=(
        ("  NGUYỄN  VĂN AN ", "Nguyễn Văn An"),
        ("điểu k'rang", "Điểu K'Rang"),
        ("Lê thị Thuý", "Lê Thị Thuý"),
        ("Hùynh Hòang Qúy", "Huỳnh Hoàng Quý"),
        ("NGUYễN ĐứC AN", "Nguyễn Đức An"),
        ("Ông Thị Lan", "Ông Thị Lan"),
        ("NguyÔn V¨n Thµnh", "Nguyễn Văn Thành"),
        ("Nguyeãn Vaên Thònh", "Nguyễn Văn Thịnh"),
    ),
    bad=(
        ("12345", "person_name.not_a_name"),
        ("Nguyeenx Van A", "person_name.telex"),
        ("Bùi Xuân Coong", "person_name.telex"),
        ("Trần Thị Út (Bé Ba)", "person_name.note"),
        ("Bà Lê Thị Út", "person_name.note"),
        ("NguyÔn V¨n Thµnh", "person_name.font"),
        ("Lê Thị Út vợ Trần Văn An", "person_name.several"),
    ),
    quick=_quick_name,
    loose=_loose_name,
    key=lambda value: None if value is None else name_key(value),
)
