"""Vietnamese before Unicode: TCVN3 (ABC fonts), VNI and VISCII, and which of them a column of bytes is in.

Tables: TCVN3 and VNI as the fonts of those names lay out their glyphs; VISCII is RFC 1456. One cell is too short to tell an
encoding from: `detect_encoding` looks at many, and says how sure it is.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from functools import cache

_TCVN3_CODES = (
    "a1Ă a2Â a3Ê a4Ô a5Ơ a6Ư a7Đ a8ă a9â aaê abô acơ adư aeđ b5à b6ả b7ã b8á b9ạ bbằ bcẳ bdẵ beắ c6ặ c7ầ c8ẩ c9ẫ caấ cbậ ccè ceẻ cfẽ d0é d1ẹ"
    " d2ề d3ể d4ễ d5ế d6ệ d7ì d8ỉ dcĩ ddí deị dfò e1ỏ e2õ e3ó e4ọ e5ồ e6ổ e7ỗ e8ố e9ộ eaờ ebở ecỡ edớ eeợ efù f1ủ f2ũ f3ú f4ụ f5ừ f6ử f7ữ f8ứ f9ự"
    " faỳ fbỷ fcỹ fdý feỵ"
)
TCVN3 = {int(code[:2], 16): code[2] for code in _TCVN3_CODES.split()}

_VISCII_HIGH = (
    "ẠẮẰẶẤẦẨẬẼẸẾỀỂỄỆỐ" "ỒỔỖỘỢỚỜỞỊỎỌỈỦŨỤỲ" "Õắằặấầẩậẽẹếềểễệố" "ồổỗỠƠộờởịỰỨỪỬơớƯ"
    "ÀÁÂÃẢĂẳẵÈÉÊẺÌÍĨỳ" "ĐứÒÓÔạỷừửÙÚỹỵÝỡư" "àáâãảăữẫèéêẻìíĩỉ" "đựòóôõỏọụùúũủýợỮ"
)  # fmt: skip
VISCII = {0x02: "Ẳ", 0x05: "Ẵ", 0x06: "Ẫ", 0x14: "Ỷ", 0x19: "Ỹ", 0x1E: "Ỵ", **{0x80 + n: letter for n, letter in enumerate(_VISCII_HIGH)}}

_ACUTE, _GRAVE, _HOOK, _TILDE, _DOT = "\u0301", "\u0300", "\u0309", "\u0303", "\u0323"
_TONES = {"ù": _ACUTE, "ø": _GRAVE, "û": _HOOK, "õ": _TILDE, "ï": _DOT}  # VNI writes the mark after its letter
_CIRCUMFLEX = {"â": "", "á": _ACUTE, "à": _GRAVE, "å": _HOOK, "ã": _TILDE, "ä": _DOT}
_BREVE = {"ê": "", "é": _ACUTE, "è": _GRAVE, "ú": _HOOK, "ü": _TILDE, "ë": _DOT}
_VNI_SINGLES = {"ñ": "đ", "ô": "ơ", "ö": "ư", "í": "í", "ì": "ì", "æ": "ỉ", "ó": "ĩ", "ò": "ị", "î": "ỵ"}


def _vni_table() -> dict[str, str]:
    table = dict(_VNI_SINGLES)
    for mark, tone in _TONES.items():
        table.update({letter + mark: unicodedata.normalize("NFC", letter + tone) for letter in "aeouy"})
        table.update({"ô" + mark: unicodedata.normalize("NFC", "ơ" + tone), "ö" + mark: unicodedata.normalize("NFC", "ư" + tone)})
    for letter in "aeo":
        table.update({letter + mark: unicodedata.normalize("NFC", letter + "\u0302" + tone) for mark, tone in _CIRCUMFLEX.items()})
    table.update({"a" + mark: unicodedata.normalize("NFC", "ă" + tone) for mark, tone in _BREVE.items()})
    return {written: letter for small, letter in table.items() for written, letter in _cases(small, letter)}


def _cases(written: str, letter: str) -> list[tuple[str, str]]:
    """Small, capital, and capital with a small mark, as typists mixed them."""
    cases = [(written, letter), (written.upper(), letter.upper())]
    if len(written) == 2:  # a letter and its mark
        cases.append((written[0].upper() + written[1], letter.upper()))
    return cases


VNI = _vni_table()
_VNI_PATTERN = re.compile("|".join(sorted(map(re.escape, VNI), key=len, reverse=True)))


def decode_tcvn3(data: bytes) -> str:
    """TCVN3 bytes as NFC text. A capital with a tone was a matter of font: it comes out small."""
    return data.decode("latin-1").translate(TCVN3)


def encode_tcvn3(text: str) -> bytes:
    """Text as TCVN3 bytes; capitals with a tone become small letters, as the fonts had it.

    Raises UnicodeEncodeError for a letter TCVN3 does not have.
    """
    codes = _tcvn3_letters()
    out = bytearray()
    for place, letter in enumerate(unicodedata.normalize("NFC", text)):
        code = codes.get(letter, codes.get(letter.lower()))
        if code is None:
            if ord(letter) > 0x7F:  # the end of ASCII
                raise UnicodeEncodeError("tcvn3", text, place, place + 1, "no such letter")
            code = ord(letter)
        out.append(code)
    return bytes(out)


@cache
def _tcvn3_letters() -> dict[str, int]:
    return {letter: code for code, letter in TCVN3.items()}


def decode_viscii(data: bytes) -> str:
    """VISCII bytes (RFC 1456) as NFC text."""
    return data.decode("latin-1").translate(VISCII)


def decode_vni(data: bytes) -> str:
    """VNI (Windows) bytes as NFC text: letters followed by their marks."""
    return _VNI_PATTERN.sub(lambda found: VNI[found.group()], data.decode("cp1252", "replace"))


_ONSET = "(?:ngh|ng|nh|gh|gi|kh|ph|qu|th|tr|ch|b|c|d|đ|g|h|k|l|m|n|p|r|s|t|v|x)?"
_NUCLEUS = "(?:uyê|uya|uyu|oai|oay|oeo|uây|uôi|iêu|yêu|ươi|ươu|uơ|oă|oa|oe|oo|uâ|uê|uô|uy|ua|ui|uu|ia|iê|iu|yê|ya|ai|ao|au|ay|âu|ây|eo|êu|oi|ôi|ơi|ưa|ưi|ươ|ưu|a|ă|â|e|ê|i|o|ô|ơ|u|ư|y)"
_CODA = "(?:ng|nh|ch|c|m|n|p|t)?"
_SYLLABLE = re.compile(f"{_ONSET}{_NUCLEUS}{_CODA}")
_TONE_MARKS = {_ACUTE, _GRAVE, _HOOK, _TILDE, _DOT}
_WORD = re.compile(r"[^\W\d_]+")


@cache
def _bare_syllable() -> re.Pattern[str]:
    from lienthong.standards.text import without_marks  # noqa: PLC0415 text reads this module too

    return re.compile(without_marks(_ONSET + _NUCLEUS + _CODA))


def is_bare_syllable(word: str) -> bool:
    """Whether a word without marks could be a Vietnamese syllable that lost them."""
    return bool(word) and _bare_syllable().fullmatch(word) is not None


def is_syllable(word: str) -> bool:
    """Whether a word could be a Vietnamese syllable: shape of its letters, at most one tone."""
    letters, tones = [], 0
    for letter in unicodedata.normalize("NFD", word.lower()):
        if letter in _TONE_MARKS:
            tones += 1
        else:
            letters.append(letter)
    return tones <= 1 and _SYLLABLE.fullmatch(unicodedata.normalize("NFC", "".join(letters))) is not None


Decoder = Callable[[bytes], str]
_CANDIDATES: tuple[tuple[str, Decoder], ...] = (
    ("tcvn3", decode_tcvn3),
    ("windows-1258", lambda data: unicodedata.normalize("NFC", data.decode("cp1258"))),
    ("vni", decode_vni),
    ("viscii", decode_viscii),
    ("latin-1", lambda data: data.decode("latin-1")),
)
ENOUGH_BYTES = 65_536  # of a sample; more words change no verdict
LEAST_SHARE = 0.5  # of words that are syllables; under it the text is not Vietnamese in any of these encodings
MANY_ZEROS = 0.05  # of bytes: no 8-bit text has them, UTF-16 has one for each letter of ASCII
ENOUGH_WORDS = 50  # words with marks past which the share of syllables is believed as it is


def detect_encoding(samples: Sequence[bytes]) -> tuple[str, float]:
    """(encoding, confidence 0–1) of many short texts: the one in which most words with marks are Vietnamese syllables.

    UTF-8 and UTF-16 announce themselves; of the 8-bit encodings none does. Nothing but ASCII is `utf-8`, with confidence 1.
    """
    joined = b"\n".join(samples)
    if joined.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16", 1.0
    if joined.count(0) > len(joined) * MANY_ZEROS:
        first = samples[0]  # a later one may begin in the middle of a letter
        return ("utf-16-be" if first[::2].count(0) > first[1::2].count(0) else "utf-16-le"), 0.9
    if joined.isascii():
        return "utf-8", 1.0
    if _is_utf8(joined):
        return ("utf-8-sig" if joined.startswith(b"\xef\xbb\xbf") else "utf-8"), 1.0
    scores = sorted(((_score(decode, joined[:ENOUGH_BYTES]), -rank, name) for rank, (name, decode) in enumerate(_CANDIDATES)), reverse=True)
    (best, words), _, name = scores[0]
    second = scores[1][0][0]
    if best < LEAST_SHARE:
        return "latin-1", 0.1
    sure = min(1.0, words / ENOUGH_WORDS)
    return name, round(max(0.0, min(1.0, best * (0.5 + sure / 2) * (0.5 + min(0.5, best - second)))), 3)


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        return error.start > len(data) - 4  # a sample may end in the middle of a letter
    return True


def _score(decode: Decoder, data: bytes) -> tuple[float, int]:
    """(share of words with marks that are syllables, how many such words)."""
    try:
        words = {word for word in _WORD.findall(decode(data)) if not word.isascii()}
    except UnicodeDecodeError:
        return 0.0, 0
    if not words:
        return 0.0, 0
    return sum(map(is_syllable, words)) / len(words), len(words)
