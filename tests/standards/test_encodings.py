"""Text written before Unicode, and telling in which way."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lienthong.standards import (
    decode_tcvn3,
    decode_viscii,
    decode_vni,
    decode_vps,
    decode_windows_1258,
    detect_encoding,
    encode_legacy,
    encode_tcvn3,
)
from lienthong.standards.legacy_encodings import TCVN3, VISCII, VPS, is_syllable

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
WRITERS: dict[str, Callable[[str], bytes]] = {
    "tcvn3": encode_tcvn3,
    "utf-8": str.encode,
    "utf-16-le": lambda text: text.encode("utf-16-le"),
    "utf-16-be": lambda text: text.encode("utf-16-be"),
    "windows-1258": lambda text: encode_legacy(text, "windows-1258"),
    "viscii": lambda text: encode_legacy(text, "viscii"),
    "vni": lambda text: encode_legacy(text, "vni"),
    "vps": lambda text: encode_legacy(text, "vps"),
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


@pytest.mark.parametrize(
    "data",
    [b"ma,ten\n1,An\x00\n2,B\x00inh\n3,Chi\n", b"01\x00\x00\x00\x00AN\x00\x00\x00\x00\x00\x00\n" * 9, "mã,tên\n1,An\x00\n".encode() * 3],
)
def test_zeros_among_letters_of_one_byte_are_not_utf_16(data: bytes) -> None:
    assert detect_encoding([data]) == ("utf-8", 1.0)


@pytest.mark.parametrize("name", ["utf-16-le", "utf-16-be"])
def test_utf_16_without_its_mark_is_told_by_its_letters(name: str) -> None:
    for text in ("ma,ten\n1,An\n", "Mã số;Họ và tên\n01;Nguyễn Thị Đỗ – “Bé”\n", "Ngưỡng Đỗ Ớt Ự\n"):
        assert detect_encoding([text.encode(name)]) == (name, 0.9)


def test_nothing_and_ascii_are_utf_8() -> None:
    assert detect_encoding([]) == detect_encoding([b"Nguyen Van A"]) == ("utf-8", 1.0)


@given(st.text(alphabet=sorted(set(TCVN3.values()) | set("abc xyz 0123")), max_size=30))
def test_tcvn3_comes_back(text: str) -> None:
    assert decode_tcvn3(encode_tcvn3(text)) == text


@given(st.text(alphabet=sorted(set(VISCII.values()) | set("abc xyz 0123")), max_size=30))
def test_viscii_comes_back(text: str) -> None:
    assert decode_viscii(encode_legacy(text, "viscii")) == text


@given(st.text(alphabet=sorted(set(VPS.values()) | set("abc xyz 0123 àáâãèéêìíòóôõùúý")), max_size=30))
def test_vps_comes_back(text: str) -> None:
    assert decode_vps(encode_legacy(text, "vps")) == text


@given(st.text(alphabet=sorted(set(VISCII.values()) | set("abc xyz 0123")), max_size=30))
def test_windows_1258_comes_back(text: str) -> None:
    assert decode_windows_1258(encode_legacy(text, "windows-1258")) == text


@pytest.mark.parametrize("name", NAMES)
def test_vni_comes_back(name: str) -> None:
    assert decode_vni(encode_legacy(name, "vni")) == name


@given(st.binary(max_size=60))
def test_any_bytes_decode(data: bytes) -> None:
    for decode in (decode_tcvn3, decode_viscii, decode_vni, decode_vps):
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


@pytest.mark.parametrize("name", ["viscii", "vps", "vni", "windows-1258"])
def test_a_letter_no_table_has_is_refused(name: str) -> None:
    with pytest.raises(UnicodeEncodeError):
        encode_legacy("Ж", name)


def test_a_column_of_one_word_says_that_it_does_not_know() -> None:
    assert detect_encoding([encode_legacy("Nữ", "viscii"), b"Nam"] * 100)[1] < 0.5


def test_a_few_bad_bytes_do_not_make_a_unicode_column_something_else() -> None:
    name, confidence = detect_encoding([name.encode() for name in NAMES * 5] + [b"H\xf6lle"])
    assert name == "utf-8"
    assert 0.9 < confidence < 1


def test_capitals_in_the_middle_of_words_speak_against_an_encoding() -> None:
    names = ["ĐẶNG THỊ MỸ", "NGUYỄN VĂN BẢY", "TRẦN ĐỨC THẮNG", "LÊ HỮU PHƯỚC"]
    for encoding in ("viscii", "vps", "vni", "windows-1258", "tcvn3"):
        assert detect_encoding([encode_legacy(name, encoding) for name in names])[0] == encoding
