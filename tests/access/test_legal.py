"""Law has dates: what was repealed is named with what came in its place, and is no basis for anything new."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from lienthong.access import Citation, citations_of, not_current, read_instruments
from lienthong.errors import SettingsError

LAW = read_instruments()


@pytest.mark.parametrize(
    ("text", "cited"),
    [
        ("Luật Dữ liệu 60/2024/QH15 điều 11; Nghị định 07/2021/NĐ-CP", [("60/2024/QH15", "11"), ("07/2021/NĐ-CP", "")]),
        ("NĐ 278/2025", [("278/2025/NĐ-CP", "")]),
        ("Nghị định 194/2025/NĐ-CP, điều 16.2", [("194/2025/NĐ-CP", "16.2")]),
        ("Quyết định 20/2025/QĐ-TTg; TT 13/2017/TT-BTTTT", [("20/2025/QĐ-TTg", ""), ("13/2017/TT-BTTTT", "")]),
        ("theo chỉ đạo của cấp trên", []),
        ("ngày 01/02/2026", []),
        ("", []),
    ],
)
def test_numbers_of_instruments_are_found_in_text(text: str, cited: list[tuple[str, str]]) -> None:
    assert [(citation.number, citation.article) for citation in citations_of(text)] == cited


@pytest.mark.parametrize(
    ("citation", "on", "instead"),
    [
        (Citation("47/2020/NĐ-CP"), date(2025, 10, 21), None),
        (Citation("47/2020/NĐ-CP"), date(2025, 10, 22), "278/2025/NĐ-CP"),
        (Citation("47/2020/NĐ-CP", "17"), date(2025, 8, 18), None),
        (Citation("47/2020/NĐ-CP", "17"), date(2025, 8, 19), "194/2025/NĐ-CP"),
        (Citation("13/2023/NĐ-CP"), date(2026, 1, 1), "91/2025/QH15"),
        (Citation("91/2025/QH15"), date(2025, 12, 31), ""),
        (Citation("60/2024/QH15"), date(2026, 11, 25), None),
        (Citation("99/2099/NĐ-CP"), date(2026, 11, 25), ""),
        (Citation("99/2099/NĐ-CP", valid_from=date(2026, 1, 1)), date(2026, 11, 25), None),
        (Citation("99/2099/NĐ-CP", valid_from=date(2026, 1, 1), valid_to=date(2026, 11, 24)), date(2026, 11, 25), ""),
    ],
)
def test_only_what_is_in_force_can_be_cited(citation: Citation, on: date, instead: str | None) -> None:
    found = not_current(citation, LAW, on)
    if instead is None:
        assert found is None
    else:
        assert found is not None
        assert all(citation.number in words and instead in words for words in found)


def test_what_replaces_an_instrument_is_known_and_later() -> None:
    for one in LAW.values():
        for number in one.replaced_by:
            assert one.until is not None
            assert LAW[number].since <= date.fromordinal(one.until.toordinal() + 1)


def test_a_file_of_ones_own_adds_and_replaces(tmp_path: Path) -> None:
    path = tmp_path / "law.yaml"
    path.write_text(
        "99/2026/NĐ-CP: {title: Mẫu, since: 2026-10-01}\n60/2024/QH15: {title: x, since: 2025-07-01, until: 2026-10-31}\n", "utf-8"
    )
    own = read_instruments(path)
    assert not_current(Citation("99/2026/NĐ-CP"), own, date(2026, 11, 1)) is None
    assert not_current(Citation("60/2024/QH15"), own, date(2026, 11, 1)) is not None
    assert not_current(Citation("60/2024/QH15"), LAW, date(2026, 11, 1)) is None


@pytest.mark.parametrize("text", ["- 1", "a: 1", "a: {since: soon}", "a: {since: 2026-01-01, colour: red}", "{"])
def test_a_file_that_is_not_understood_is_told(tmp_path: Path, text: str) -> None:
    path = tmp_path / "law.yaml"
    path.write_text(text, "utf-8")
    with pytest.raises(SettingsError, match=r"law\.yaml"):
        read_instruments(path)
