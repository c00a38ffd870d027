"""Text written before Unicode, and telling in which way."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lienthong.standards import decode_tcvn3, decode_viscii, decode_vni, detect_encoding, encode_tcvn3
from lienthong.standards.legacy_encodings import TCVN3, VISCII, VNI, is_syllable

NAMES = [
    "Nguyễn Văn Thắng",
    "Trần Thị Mỹ Huệ",
    "Lê Hữu Phước",
    "Điểu Thị Bé",
    "Phạm Đức Duy",
    "Huỳnh Ngọc Thuỷ",
    "Võ Quốc Tuấn",
    "Đặng Thế Vĩnh",
]
TONES = "\u0300\u0301\u0303\u0309\u0323"
_VISCII_BYTES = {letter: byte for byte, letter in VISCII.items()}
_VNI_LETTERS = {letter: written for written, letter in VNI.items()}


def in_windows_1258(text: str) -> bytes:
    """A letter's shape, then its tone, as that code page has them."""
    written = ""
    for letter in text:
        parts = unicodedata.normalize("NFD", letter)
        written += unicodedata.normalize("NFC", "".join(mark for mark in parts if mark not in TONES))
        written += "".join(mark for mark in parts if mark in TONES)
    return written.encode("cp1258")


def in_viscii(text: str) -> bytes:
    return bytes(_VISCII_BYTES.get(letter, ord(letter)) for letter in text)


def in_vni(text: str) -> bytes:
    return "".join(_VNI_LETTERS.get(letter, letter) for letter in text).encode("cp1252")


WRITERS: dict[str, Callable[[str], bytes]] = {
    "tcvn3": encode_tcvn3,
    "utf-8": str.encode,
    "utf-16-le": lambda text: text.encode("utf-16-le"),
    "utf-16-be": lambda text: text.encode("utf-16-be"),
    "windows-1258": in_windows_1258,
    "viscii": in_viscii,
    "vni": in_vni,
}


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize("rows", [1, 10])
def test_the_encoding_of_a_column_is_found(name: str, rows: int) -> None:
    found, confidence = detect_encoding([WRITERS[name](text) for text in NAMES * rows])
    assert found == name
    assert 0 < confidence <= 1


def test_more_rows_make_surer() -> None:
    few, many = (detect_encoding([encode_tcvn3(text) for text in names])[1] for names in (NAMES[:1], NAMES))
    assert few < many


def test_marks_at_the_beginning_are_believed() -> None:
    assert detect_encoding(["Tên".encode("utf-8-sig")])[0] == "utf-8-sig"
    assert detect_encoding(["Tên".encode("utf-16")])[0] == "utf-16"


def test_a_letter_cut_at_the_end_of_a_sample_is_no_fault() -> None:
    assert detect_encoding(["Nguyễn Văn Đỗ".encode()[:-1]])[0] == "utf-8"


def test_what_is_not_vietnamese_is_latin_with_little_confidence() -> None:
    found, confidence = detect_encoding(["Été à Besançon, façade naïve".encode("latin-1")] * 20)
    assert found == "latin-1"
    assert confidence < 0.2


def test_nothing_and_ascii_are_utf_8() -> None:
    assert detect_encoding([]) == detect_encoding([b"Nguyen Van A"]) == ("utf-8", 1.0)


@given(st.text(alphabet=sorted(set(TCVN3.values()) | set("abc xyz 0123")), max_size=30))
def test_tcvn3_comes_back(text: str) -> None:
    assert decode_tcvn3(encode_tcvn3(text)) == text


@given(st.text(alphabet=sorted(set(VISCII.values()) | set("abc xyz 0123")), max_size=30))
def test_viscii_comes_back(text: str) -> None:
    assert decode_viscii(in_viscii(text)) == text


@pytest.mark.parametrize("name", NAMES)
def test_vni_comes_back(name: str) -> None:
    assert decode_vni(in_vni(name)) == name


@given(st.binary(max_size=60))
def test_any_bytes_decode(data: bytes) -> None:
    for decode in (decode_tcvn3, decode_viscii, decode_vni):
        decode(data)
    detect_encoding([data])


def test_capitals_with_a_tone_come_out_small_in_tcvn3() -> None:
    assert decode_tcvn3(encode_tcvn3("NGUYỄN ĐỨC Ân")) == "NGUYễN ĐứC Ân"


def test_a_letter_tcvn3_does_not_have_is_refused() -> None:
    with pytest.raises(UnicodeEncodeError):
        encode_tcvn3("Ä")


def test_syllables_are_told_from_noise() -> None:
    assert all(is_syllable(word) for name in NAMES for word in name.split())
    assert not any(is_syllable(word) for word in ("NguyÔn", "V¨n", "xyzt", "hòá"))
