"""Which encoding a column of bytes is in: the one in which its words are Vietnamese. One cell is too short to tell: many are looked at.

UTF-8 and UTF-16 show themselves by their form. The 8-bit encodings do not: each word is read in each of them, and counts by whether it
is a syllable, how rare that syllable is, and whether its capitals stand where a person would put them. The verdict comes with a
confidence that grows with the evidence, so that a column with three different words says that it does not know.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from lienthong.standards.legacy_encodings import decode_tcvn3, decode_viscii, decode_vni, decode_vps, decode_windows_1258, is_syllable

Decoder = Callable[[bytes], str]
DECODERS: Mapping[str, Decoder] = {
    "tcvn3": decode_tcvn3,
    "windows-1258": decode_windows_1258,
    "vni": decode_vni,
    "viscii": decode_viscii,
    "vps": decode_vps,
}
MOST_WORDS = 2_000  # different ones; more change no verdict
MANY_ZEROS = 0.05  # of bytes: no 8-bit text has them, UTF-16 has one for each letter of ASCII
LEAST_WIDE = 0.9  # of letters of UTF-16
LEAST_SHARE = 0.5  # of words that are syllables; under it the text is not Vietnamese in any of these encodings
LEAST_UTF8 = 0.9  # of words outside ASCII that are UTF-8: a file with a few bad bytes is still UTF-8
UNKNOWN_SYLLABLE = 19.0  # rarity, in bits, of a syllable that could be one but was never met; those met are 2 to 16
NO_SYLLABLE = 26.0
WRONG_CAPITALS = 8.0  # bits: `NguyỄn`
HALF_SURE_BITS = 12.0  # ahead of the next best: confidence one half; each so many more halve the doubt
NO_VERDICT = ("latin-1", 0.1)
_WORD = re.compile(
    rb"[A-Za-z\x80-\xff\x02\x05\x06\x14\x19\x1e\x03\x04\x10-\x13\x15\x1c\x1d]+"
)  # with the letters VISCII and VPS keep among control codes
_LETTERS = re.compile(r"[^\W_]+", re.UNICODE)
_OUTER = "“”‘’–—…«»·•\u00a0\u00ad°²³"  # not letters in any of them


@dataclass(frozen=True)
class _Read:
    """How the words of a column read in one encoding. `bits`: the cost of all of them, less is better."""

    name: str
    bits: float
    share: float  # of words that are syllables


def detect_encoding(samples: Sequence[bytes]) -> tuple[str, float]:
    """(encoding, confidence 0–1) of many short texts. Nothing but ASCII is `utf-8`, with confidence 1; what is not Vietnamese `latin-1`, 0.1."""
    joined = b"\n".join(samples)
    if joined.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16", 1.0
    if (
        joined.count(0) > len(joined) * MANY_ZEROS and (wide := _wide(samples[0])) is not None
    ):  # a later one may begin in the middle of a letter
        return wide
    if joined.isascii() and not _has_control_letters(joined):
        return "utf-8", 1.0
    if _is_utf8(joined):
        return ("utf-8-sig" if joined.startswith(b"\xef\xbb\xbf") else "utf-8"), 1.0
    words = _marked_words(joined)
    if not words:
        return NO_VERDICT
    whole = sum(_is_utf8(word + b" ") and not word.isascii() for word in words) / len(words)
    if whole >= LEAST_UTF8:
        return "utf-8", round(whole, 3)
    return _best([_read(name, decode, words) for name, decode in DECODERS.items()])


def detect_font(texts: Sequence[str]) -> tuple[str, float]:
    """(encoding, confidence) of Unicode text that was typed in an old font and so shows other letters (`NguyÔn V¨n`).

    Empty, with how sure that is, for text that is well as it stands or holds letters no such font has.
    """
    try:
        joined = b"\n".join(font_bytes(text) for text in texts)
    except UnicodeEncodeError:
        return "", 1.0
    words = _marked_words(joined)
    if not words:
        return "", 1.0
    fonts = {"": lambda data: data.decode("latin-1"), **{name: decode for name, decode in DECODERS.items() if name != "windows-1258"}}
    name, confidence = _best([_read(name, decode, words) for name, decode in fonts.items()])
    return ("", confidence) if name == NO_VERDICT[0] else (name, confidence)


def font_bytes(text: str) -> bytes:
    """The bytes a font was given for these letters. Raises UnicodeEncodeError for letters that are no bytes of Windows or Latin-1."""
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        return text.encode("cp1252")


def _wide(sample: bytes) -> tuple[str, float] | None:
    """The byte order in which nearly all of it are letters of our alphabet; none where zeros merely stand among other bytes."""
    for name in ("utf-16-le", "utf-16-be"):
        text = sample[: len(sample) // 2 * 2].decode(name, "replace")
        if sum(map(_is_ours, text)) > len(text) * LEAST_WIDE:
            return name, 0.9
    return None


def _is_ours(letter: str) -> bool:
    """Latin, Vietnamese, or the signs of typing: not what two letters of one byte make together, nor a zero."""
    return "\0" < letter < "\u0370" or "\u1e00" <= letter < "\u2300" or letter == "\ufeff"


def _best(reads: Sequence[_Read]) -> tuple[str, float]:
    first, second = sorted(reads, key=lambda read: read.bits)[:2]
    if first.share < LEAST_SHARE:
        return NO_VERDICT
    margin = second.bits - first.bits
    return first.name, round(first.share * (1 - 2 ** (-margin / HALF_SURE_BITS)), 3)


def _marked_words(data: bytes) -> list[bytes]:
    """The commonest words that are not plain ASCII."""
    found = Counter(word for word in _WORD.findall(data) if not word.isascii() or _has_control_letters(word))
    return [word for word, _ in found.most_common(MOST_WORDS)]


def _has_control_letters(data: bytes) -> bool:
    return data.translate(None, _PRINTABLE) != b""


_PRINTABLE = bytes({*range(0x20, 0x100), 0, 7, 8, 9, 10, 11, 12, 13, 0x1A, 0x1B, 0x1F})


def _read(name: str, decode: Decoder, words: Sequence[bytes]) -> _Read:
    bits, syllables = 0.0, 0
    for word in words:
        try:
            text = decode(word).strip(_OUTER)
        except UnicodeDecodeError:
            bits += NO_SYLLABLE
            continue
        cost, is_one = _cost(text, mixed_capitals=name == "tcvn3")
        bits += cost
        syllables += is_one
    return _Read(name, bits, syllables / len(words))


@cache
def _rarity() -> Mapping[str, int]:
    """Syllable with marks → bits: how rare it is."""
    with (files("lienthong.standards") / "data" / "marked_syllables.csv").open(encoding="utf-8") as stream:
        return {syllable: int(row["rarity"]) for row in csv.DictReader(stream) for syllable in row["syllables"].split()}


def rarity_of(words: Sequence[str]) -> float:
    """How rare words with marks are all in all, in bits; a word that is no syllable counts most."""
    return sum(_cost(word, mixed_capitals=True)[0] for word in words)


def _cost(text: str, *, mixed_capitals: bool) -> tuple[float, bool]:
    """(bits, whether it is a syllable). In TCVN3 a capital with a tone is a small letter in a font of capitals: `NGUYễN` is well written."""
    small = text.lower()
    rarity = _rarity().get(small)
    if rarity is None and not is_syllable(small):
        return NO_SYLLABLE, False
    cost = UNKNOWN_SYLLABLE if rarity is None else float(rarity)
    if not (text == small or text.isupper() or text.istitle()):
        plain = "".join(letter for letter in text if letter.isascii())
        well = mixed_capitals and (plain.isupper() or (plain[:1].isupper() and plain[1:] == plain[1:].lower()))
        cost += 1.0 if well else WRONG_CAPITALS
    return cost, True


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        return error.reason == "unexpected end of data"  # a sample may end in the middle of a letter
    return True
