"""What a steward reads: days as offices write them, communes by name, codes by their titles; places of any time found on today's map."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, cast

import pytest

from lienthong.contracts import load_all
from lienthong.masterdata.entities import entities_of
from lienthong.web.pages.desk.queue import _lit, _today
from lienthong.web.pages.desk.wording import Said, wording_of
from lienthong.web.pages.speaking import Speech

PERSON = entities_of(load_all(Path(__file__).parents[3] / "datasets"))["person"]


class Reader:
    """As much of a visit as words need."""

    def __init__(self, language: str) -> None:
        self.speech = Speech(language, datetime(2026, 1, 1, tzinfo=UTC))


def said_to(language: str) -> Said:
    return wording_of(cast("Any", Reader(language)), PERSON)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("born_on", "1958-02-19", "19/02/1958"),
        ("born_on", "1958-02", "02/1958"),
        ("born_on", "1958", "1958"),
        ("born_on", "khoảng 1958", "khoảng 1958"),
        ("commune_code", "25270", "Xã Lộc Ninh (25270)"),
        ("commune_code", "99999", "99999"),
        ("sex", "F", "Nữ"),
        ("residence_state", "permanent", "thường trú"),
        ("residence_state", "elsewhere", "elsewhere"),
        ("full_name", "2001-01-01", "2001-01-01"),
        ("phone", None, "–"),
    ],
)
def test_a_value_is_read_as_people_write_it(name: str, value: str | None, words: str) -> None:
    assert said_to("vi")(name, value) == words


def test_an_english_reader_keeps_the_codes_of_lists() -> None:
    said = said_to("en")
    assert (said("residence_state", "permanent"), said("sex", "M"), said("born_on", "1958-02-19")) == ("permanent", "Male", "19/02/1958")


def test_names_differ_by_letters_and_addresses_by_words() -> None:
    assert _lit("Thị Tuý", "Thị Thuý")["right"] == [("Thị T", True), ("h", False), ("uý", True)]
    told = _lit("Số 8, ấp 10, Xã Lộc Thuận, tỉnh Bình Phước", "Số 8, ấp 10, Xã Lộc Ninh, tỉnh Đồng Nai")
    assert [piece for piece, is_same in told["left"] if not is_same] == ["Thuận", "Bình", "Phước"]
    assert "".join(piece for piece, _ in told["right"]) == "Số 8, ấp 10, Xã Lộc Ninh, tỉnh Đồng Nai"


def test_a_commune_that_became_another_is_where_it_is_today() -> None:
    assert _today(["25245"], date(2026, 1, 1)) == {"25220"}
    assert _today(["25220"], date(2026, 1, 1)) == {"25220"}
    assert _today(["99999"], date(2026, 1, 1)) == set()
