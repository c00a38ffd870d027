"""A person's name as it is compared: plain letters, its parts, spellings of the north and the south, slips of the keyboard put right."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from lienthong.masterdata.predicates import Features
from lienthong.standards.legacy_encodings import is_bare_syllable
from lienthong.standards.text import name_key, tidy, without_marks

PARTS = ("flat", "given", "family", "middle", "middle_head", "middle_tail", "ends", "turned", "sorted", "loose", "usual", "marks")
_NOT_LETTERS = re.compile(r"[^a-z0-9 ]+")
_SPACES = re.compile(r"\s+")
# Spellings of one name in registers of the north and the south; from practice, see docs/explanation/matching.md.
_REGIONAL_WORDS = {"huynh": "hoang", "vo": "vu", "phuoc": "phuc", "nhut": "nhat", "cuong": "cang", "san": "sang", "thoi": "thai"}
_REGIONAL_LETTERS = (
    (re.compile(r"\b(?:gi|d|r)(?=[aeiouy])"), "d"),
    (re.compile(r"\bs(?=[aeiouy])"), "x"),
    (re.compile(r"\btr"), "ch"),
    (re.compile(r"\bl(?=[aeiouy])"), "n"),
    (re.compile(r"ng\b"), "n"),
    (re.compile(r"c\b"), "t"),
    (re.compile(r"y"), "i"),
)


def flat(text: str) -> str | None:
    """Plain small letters, digits and single spaces; None when nothing is left."""
    return _SPACES.sub(" ", _NOT_LETTERS.sub(" ", without_marks(text))).strip() or None


@lru_cache(maxsize=200_000)
def person_name(text: str) -> Features:
    bare = flat(name_key(tidy(text)))
    if bare is None:
        return (None,) * len(PARTS)
    words = list(map(_word, bare.split(" ")))
    bare = " ".join(words)
    given, family = words[-1], words[0] if len(words) > 1 else None
    middle = " ".join(words[1:-1]) or None
    head, tail = (words[1], words[-2]) if len(words) > 3 else (None, None)
    ends = given if family is None else f"{family} {given}"
    marked = tidy(text).casefold()
    has_marks = not marked.isascii()
    loose = " ".join(map(_loose, words))
    turned = f"{words[-1]} {words[-2]}" if len(words) > 1 else None
    usual = "1" if all(map(_is_usual, words)) else None
    return (
        bare,
        given,
        family,
        middle,
        head,
        tail,
        ends,
        turned,
        " ".join(sorted(words)),
        loose,
        usual,
        _marks_key(marked) if has_marks else None,
    )


@lru_cache(maxsize=50_000)
def _word(word: str) -> str:
    return word if is_bare_syllable(word) else _typed_out(word)


@lru_cache(maxsize=50_000)
def _is_usual(word: str) -> bool:
    return is_bare_syllable(word)


@lru_cache(maxsize=50_000)
def _loose(word: str) -> str:
    """A word as it is written in the north and the south alike."""
    loose = _REGIONAL_WORDS.get(word, word)
    for pattern, letters in _REGIONAL_LETTERS:
        loose = pattern.sub(letters, loose)
    return loose


_REPEATED = re.compile(r"([a-z])\1")
_KEYS_DOUBLED = re.compile(r"(aa|ee|oo|dd|aw|ow|uw)")
_KEY_OF_TONE = re.compile(r"(?<=[a-z])[sfrxj]$")


def _typed_out(word: str) -> str:
    """A slip of the keyboard put right where the word is no syllable and only one is near: Telex keys left standing (nguyeenx, nhuwtj),

    a letter doubled (mman), two letters swapped (gnoc). Any other word as it is: minority names are no syllables either.
    """
    plain = _KEYS_DOUBLED.sub(lambda found: found[0][0], word)
    for tried in (plain, _KEY_OF_TONE.sub("", plain), _REPEATED.sub(r"\1", word)):
        if tried != word and is_bare_syllable(tried):
            return tried
    if "'" in word or len(word) > 8:
        return word
    swapped = {word[:n] + word[n + 1] + word[n] + word[n + 2 :] for n in range(len(word) - 1)} - {word}
    near = [tried for tried in swapped if is_bare_syllable(tried)]
    return near[0] if len(near) == 1 else word


_TONES = {"\u0300": "1", "\u0301": "2", "\u0303": "3", "\u0309": "4", "\u0323": "5"}


def _marks_key(name: str) -> str:
    """Equal for names with the same letters and tones wherever the tone is placed (hoà, hòa): tones stand after their word."""
    return " ".join(map(_word_with_tones_last, name.split()))


@lru_cache(maxsize=50_000)
def _word_with_tones_last(name: str) -> str:
    word = unicodedata.normalize("NFD", name)
    tones = "".join(_TONES[letter] for letter in word if letter in _TONES)
    rest = "".join(letter for letter in word if letter not in _TONES)
    return (rest[:-1] + "i" if len(rest) > 1 and rest[-1] == "y" and rest[-2] not in "auô" else rest) + tones
