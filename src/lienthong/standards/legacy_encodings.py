"""Vietnamese before Unicode: TCVN3 (ABC fonts), VNI, VISCII, VPS and Windows-1258, read and written.

Tables: TCVN3, VNI and VPS as the fonts of those names lay out their glyphs; VISCII is RFC 1456. Which of them a column of bytes is in is
told by `encoding_detection`.
"""

from __future__ import annotations

import codecs
import re
import unicodedata
from collections.abc import Mapping
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

_VPS_CODES = (
    "02Ạ 03Ậ 04Ặ 05Ẹ 06Ệ 10Ị 11Ọ 12Ộ 13Ợ 14Ụ 15Ự 19Ỵ 1cẪ 1dỮ 80À 81Ả 82Ã 83Ấ 84Ầ 85Ẩ 86ọ 87ỗ 88Ă 89ế 8aề 8bể 8cệ 8dẮ 8eẰ 8fẲ 90Ế 93Ề 94Ể 95Ễ"
    " 96Ố 97Ồ 98Ổ 99Ỗ 9aý 9bỷ 9cỵ 9dỚ 9eỜ 9fỞ a1ắ a2ằ a3ẳ a4ẵ a5ặ a6Ỡ a7ớ a8Ù a9ờ aaở abỡ acŨ adỨ aeợ afỪ b0ổ b1Ử b2Ỳ b3Ỹ b4Í b5Ì b6ộ b7Ỉ b8Ĩ b9Ó"
    " baử bbữ bcÒ bdỎ beÕ bfự c0ầ c3ấ c4ẩ c5ẫ c6ậ c7đ c8ẻ cbẹ ccỉ cdễ ceị cfỹ d0Ư d1Ủ d2ồ d3ố d5ỏ d6ơ d7È d8ừ d9ứ dbũ dcư deẺ e4ả e5ạ e6ă ebẽ efĩ"
    " f0Ẵ f1Đ f7Ơ f8ụ fbủ fdỶ feẼ ffỳ"
)
VPS = {int(code[:2], 16): code[2] for code in _VPS_CODES.split()}


def _letters(table: Mapping[int, str]) -> str:
    """All 256 codes as letters: what a charmap codec reads forty times as fast as a translation does (measured)."""
    return "".join(table.get(code, chr(code)) for code in range(256))


_TCVN3_LETTERS, _VISCII_LETTERS, _VPS_LETTERS = _letters(TCVN3), _letters(VISCII), _letters(VPS)

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
    return codecs.charmap_decode(data, "strict", _TCVN3_LETTERS)[0]


def decode_vps(data: bytes) -> str:
    """VPS bytes as NFC text; letters it shares with Latin-1 stand where they do there."""
    return codecs.charmap_decode(data, "strict", _VPS_LETTERS)[0]


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
    return codecs.charmap_decode(data, "strict", _VISCII_LETTERS)[0]


def decode_vni(data: bytes) -> str:
    """VNI (Windows) bytes as NFC text: letters followed by their marks."""
    return _VNI_PATTERN.sub(lambda found: VNI[found.group()], data.decode("cp1252", "replace"))


def decode_windows_1258(data: bytes) -> str:
    """Windows-1258 bytes as NFC text: letters with their shape, tones after them. Raises UnicodeDecodeError."""
    return unicodedata.normalize("NFC", data.decode("cp1258"))


def encode_legacy(text: str, name: str) -> bytes:
    """Text as bytes of `tcvn3`, `vni`, `viscii`, `vps` or `windows-1258`: for systems that still want it, and for trying our own reading.

    Raises UnicodeEncodeError for a letter the encoding does not have.
    """
    if name == "tcvn3":
        return encode_tcvn3(text)
    text = unicodedata.normalize("NFC", text)
    if name == "windows-1258":
        return "".join(_shape_then_tone(letter) for letter in text).encode("cp1258")
    if name == "vni":
        letters = _vni_letters()
        return "".join(letters.get(letter, letter) for letter in text).encode("cp1252")
    table = {"viscii": VISCII, "vps": VPS}[name]
    codes = _codes_of(name)
    out = bytearray()
    for place, letter in enumerate(text):
        code = codes.get(letter, ord(letter))
        if code > 0xFF or (letter not in codes and code in table):
            raise UnicodeEncodeError(name, text, place, place + 1, "no such letter")
        out.append(code)
    return bytes(out)


@cache
def _codes_of(name: str) -> dict[str, int]:
    return {letter: code for code, letter in {"viscii": VISCII, "vps": VPS}[name].items()}


@cache
def _vni_letters() -> dict[str, str]:
    """Letter → how VNI writes it; a capital with a capital mark, as the font's own keyboard did."""
    letters: dict[str, str] = {}
    for written, letter in VNI.items():
        letters.setdefault(letter, written)
    return letters


def _shape_then_tone(letter: str) -> str:
    parts = unicodedata.normalize("NFD", letter)
    tones = "".join(mark for mark in parts if mark in _TONE_MARKS)
    return unicodedata.normalize("NFC", "".join(mark for mark in parts if mark not in _TONE_MARKS)) + tones


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
