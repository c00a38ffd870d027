"""How names of units are written: the kind before them and its abbreviations, and the key under which spellings of one name meet."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from lienthong.standards.text import tidy, without_marks

_KIND = r"thành phố|thị xã|thị trấn|đặc khu|phường|quận|huyện|tỉnh|xã"
_PLAIN_KIND = r"thanh pho|thi xa|thi tran|dac khu|phuong|quan|huyen|tinh|xa"
_SHORT_KIND = r"(?:t\.p|t\.x|t\.t|tp|tx|tt|p|q|h|x|t|f)"


_MARKED_WRONGLY = r"th[iìíỉĩị] tr[aàáảãạâầấẩẫậăằắẳẵặ]n|th[iìíỉĩị] x[aàáảãạ]|th[aàáảãạ]nh ph[oòóỏõọôồốổỗộ]"


def _kinds(words: str) -> re.Pattern[str]:
    return re.compile(
        rf"^(?:(?:{words}|{_MARKED_WRONGLY})(?=\s)|{_SHORT_KIND}\.|(?:tp|tx|tt|p|q)(?=\s|[0-9])|f(?=[0-9])|tp(?=hcm)|[hx](?=\s[^\W\d_]))\s*",
        re.IGNORECASE,
    )


def _kinds_inside(words: str) -> re.Pattern[str]:
    return re.compile(rf"(?<=\S)\s*[\s\-–]\s*((?:{words}|tp|tx|tt)\s|{_SHORT_KIND}\.|[pq](?=[0-9]))", re.IGNORECASE)


# By whether the text has marks: `Quan` is a kind in `Quan Go Vap` alone, and a name in `Xã Tân Quan`.
_KINDS = {False: _kinds(_KIND), True: _kinds(_PLAIN_KIND)}
_KINDS_INSIDE = {False: _kinds_inside(_KIND), True: _kinds_inside(_PLAIN_KIND)}
_WRITTEN_KINDS = {
    "p": "phường", "f": "phường", "x": "xã", "tt": "thị trấn", "h": "huyện", "q": "quận", "tx": "thị xã", "tp": "thành phố", "t": "tỉnh",
    "phuong": "phường", "xa": "xã", "thi tran": "thị trấn", "huyen": "huyện", "quan": "quận", "thi xa": "thị xã",
    "thanh pho": "thành phố", "tinh": "tỉnh", "dac khu": "đặc khu",
}  # fmt: skip
LEVELS_OF_KINDS = {
    "phường": {"commune"}, "xã": {"commune"}, "thị trấn": {"commune"}, "đặc khu": {"commune"},
    "quận": {"district"}, "huyện": {"district"}, "thị xã": {"district"}, "tỉnh": {"province"}, "thành phố": {"district", "province"},
}  # fmt: skip
KINDS_OF_COMMUNES = {kind for kind, levels in LEVELS_OF_KINDS.items() if levels == {"commune"}}
_HIGHLAND = re.compile(r"\b(?:đăk|đắk|dak|dăk|đac|đắc)\b")
_TONES = "\u0300\u0301\u0303\u0309\u0323"


@lru_cache(maxsize=262_144)
def kind_of(text: str) -> str:
    """The kind a text begins with, in full; '' where it says none."""
    found = _KINDS[text.isascii()].match(text)
    if found is None:
        return ""
    written = found.group().strip().replace(".", "").casefold()
    return _WRITTEN_KINDS.get(written) or _WRITTEN_KINDS.get(without_marks(written), written)


def without_kind(text: str) -> str:
    return _KINDS[text.isascii()].sub("", text)


def parted_by_kinds(text: str) -> str:
    """The text with a comma before every kind inside it: `P. Tân Phú TX Đồng Xoài` has two names."""
    return _KINDS_INSIDE[text.isascii()].sub(r", \1", text)


@lru_cache(maxsize=262_144)
def unit_key(name: str) -> str:
    """A name's key that still tells marks apart: case, kind, tone placement, i and y, and the spellings of Đak left out."""
    text = without_kind(tidy(name).casefold())
    text = re.sub(r"[^\w\s]", " ", _HIGHLAND.sub("đak", text))
    return " ".join(map(_word_key, text.split()))


@lru_cache(maxsize=262_144)
def plain_key(key: str) -> str:
    return without_marks(key)


@lru_cache(maxsize=16_384)
def _word_key(word: str) -> str:
    """Tone marks at the end of the word, so that hoà and hòa are one; quý as quí; 01 as 1."""
    if word.isdigit():
        return word.lstrip("0") or word
    parts = unicodedata.normalize("NFD", word)
    tones = "".join(letter for letter in parts if letter in _TONES)
    letters = "".join(letter for letter in parts if letter not in _TONES)
    return re.sub(r"(?<=[bcdđghklmnpqrstvx])y$|(?<=qu)y$", "i", letters) + tones


@lru_cache(maxsize=65_536)
def sound_key(plain: str) -> str:
    """A key without marks as it sounds: s and x, ch and tr, d, gi and v, endings n and ng, t and c, i and y are one."""
    return " ".join(map(_sound_of_word, plain.split()))


def _sound_of_word(word: str) -> str:
    for one, other in (("gi", "d"), ("tr", "ch"), ("s", "x"), ("v", "d")):
        if word.startswith(one) and len(word) > len(one):
            word = other + word[len(one) :]
            break
    for one, other in (("ng", "n"), ("ch", "t"), ("c", "t"), ("y", "i")):
        if word.endswith(one) and len(word) > len(one):
            word = word[: -len(one)] + other
            break
    return word.replace("y", "i")


_KEYS_OF_TONES = {"\u0300": "f", "\u0301": "s", "\u0303": "x", "\u0309": "r", "\u0323": "j"}


@lru_cache(maxsize=65_536)
def typed_keys(name: str) -> tuple[str, ...]:
    """A name's words as Telex strikes them, the tone at the end of the word: `nguyeenx`."""
    return tuple(_keys_of(word) for word in unicodedata.normalize("NFC", without_kind(tidy(name).casefold())).split())


def _keys_of(word: str) -> str:
    keys, tone = "", ""
    for letter in unicodedata.normalize("NFD", word):
        if letter == "\u0302":
            keys += keys[-1:]
        elif letter in _KEYS_OF_TONES:
            tone = _KEYS_OF_TONES[letter]
        elif letter in "\u0306\u031b":
            keys += "w"
        else:
            keys += "dd" if letter == "đ" else letter
    return keys + tone
