"""Particular values: names, ids, dates and places as people really type them."""

from __future__ import annotations

import unicodedata
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lienthong.standards import STANDARDS, decode_tcvn3, decode_viscii, decode_vni, detect_encoding, encode_tcvn3
from lienthong.standards.legacy_encodings import TCVN3, VISCII, is_syllable
from lienthong.standards.places import ADMIN_UNIT

BEFORE, AFTER = date(2025, 6, 30), date(2025, 7, 1)
NAMES = ["Nguyễn Văn Thắng", "Trần Thị Mỹ Huệ", "Lê Hữu Phước", "Điểu Thị Bé", "Phạm Đức Duy", "Huỳnh Ngọc Thuỷ", "Võ Quốc Tuấn", "Đặng Thế Vĩnh"]


@pytest.mark.parametrize(
    ("one", "other"),
    [("Nguyễn Thị Hoà", "NGUYỄN THỊ HÒA"), ("Lý Mỹ", "Lí Mĩ"), ("Đỗ Thuý Vy", "Do Thuy Vi")],
)
def test_spellings_of_one_name_have_one_key(one: str, other: str) -> None:
    name = STANDARDS["person_name"]
    assert name.compare_key(one) == name.compare_key(other)


def test_sample_ids_pass_only_where_they_are_accepted() -> None:
    cleaned = STANDARDS["citizen_id"].clean("97090123456", {"accept_synthetic": True})
    assert (cleaned.value, cleaned.problem) == ("097090123456", "citizen_id.zeros_restored")


def test_a_code_is_checked_against_the_units_of_its_date() -> None:
    assert ADMIN_UNIT.clean("25198", {"level": "commune"}, BEFORE).problem is None
    assert ADMIN_UNIT.clean("25198", {"level": "commune"}, AFTER).problem == "admin_unit.other_date"


def test_a_name_means_the_unit_of_its_date() -> None:
    assert ADMIN_UNIT.clean("Phường Bình Phước, Đồng Nai", {}, AFTER).value == "25195"
    assert ADMIN_UNIT.clean("Phường Tân Phú, Thành phố Đồng Xoài", {}, BEFORE).value == "25195"


def test_a_tone_tells_neighbours_apart_and_its_loss_is_said() -> None:
    place = "{}, Lộc Ninh, Bình Phước"
    assert ADMIN_UNIT.clean(place.format("Xã Lộc Thạnh"), {}, BEFORE).value == "25280"
    assert ADMIN_UNIT.clean(place.format("Xã Lộc Thành"), {}, BEFORE).value == "25294"
    assert ADMIN_UNIT.clean("Xa Loc Thanh, Loc Ninh, Binh Phuoc", {}, BEFORE).problem == "admin_unit.ambiguous"


def test_a_unit_outside_the_named_district_is_never_guessed() -> None:
    assert ADMIN_UNIT.clean("Xã Đắk Ơ, Huyện Lộc Ninh, Bình Phước", {}, BEFORE).value is None


@given(st.text(alphabet=sorted(set(TCVN3.values()) | set("abc xyz 0123")), max_size=30))
def test_tcvn3_comes_back(text: str) -> None:
    assert decode_tcvn3(encode_tcvn3(text)) == text


def test_text_in_old_fonts_is_read() -> None:
    assert decode_tcvn3(b"Nguy\xd4n V\xa8n") == "Nguyễn Văn"
    assert decode_vni("Nguyeãn Vaên Ñöùc".encode("cp1252")) == "Nguyễn Văn Đức"
    assert decode_viscii(bytes([{v: k for k, v in VISCII.items()}.get(c, ord(c)) for c in "Nguyễn Văn"])) == "Nguyễn Văn"


@pytest.mark.parametrize("name", ["tcvn3", "utf-8", "utf-16", "windows-1258", "viscii"])
def test_the_encoding_of_a_column_is_found(name: str) -> None:
    letters = {v: k for k, v in VISCII.items()}
    encode = {
        "tcvn3": encode_tcvn3,
        "utf-8": str.encode,
        "utf-16": lambda text: text.encode("utf-16"),
        "windows-1258": lambda text: "".join(map(_1258, text)).encode("cp1258"),
        "viscii": lambda text: bytes(letters.get(c, ord(c)) for c in text),
    }[name]
    found, confidence = detect_encoding([encode(text) for text in NAMES * 10])
    assert found == name
    assert 0 < confidence <= 1


def _1258(letter: str) -> str:
    """A letter as windows-1258 holds it: its shape, then its tone."""
    parts = unicodedata.normalize("NFD", letter)
    tone = [mark for mark in parts if mark in "\u0300\u0301\u0303\u0309\u0323"]
    shape = "".join(mark for mark in parts if mark not in tone)
    return unicodedata.normalize("NFC", shape) + "".join(tone)


def test_syllables_are_told_from_noise() -> None:
    assert all(is_syllable(word) for name in NAMES for word in name.split())
    assert not any(is_syllable(word) for word in ("NguyÔn", "V¨n", "xyzt", "hòá"))
