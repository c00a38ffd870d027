"""Regulations: read from their files, one version in force at a time, each dataset under those that rule it."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from lienthong.catalog.regulations import in_force, load_regulations, ruling, ruling_service, versions_of
from lienthong.errors import SettingsError
from tests.factories import make_contract

HEAD = "---\ntitle: Quy chế\ntitle_en: Regulation\ndecision: 1/QĐ\nissued_by: UBND\nabout: Mọi người\nvalid_from: {since}\n{more}---\n"
TEXT = "\n## Điều 1. Phạm vi\n\nDòng một\ndòng hai.\n\n- Mục một\n- Mục hai\n"


def write(folder: Path, id: str, version: str, since: str, more: str = "datasets: [all]\n", text: str = TEXT) -> None:
    (folder / id).mkdir(exist_ok=True)
    (folder / id / f"{version}.md").write_text(HEAD.format(since=since, more=more) + text, "utf-8")


def test_the_text_is_articles_paragraphs_and_items(tmp_path: Path) -> None:
    write(tmp_path, "chung", "2026-01", "2026-01-15")
    found = load_regulations(tmp_path)[0]
    wanted = [("heading", "Điều 1. Phạm vi"), ("paragraph", "Dòng một dòng hai."), ("item", "Mục một"), ("item", "Mục hai")]
    assert [(block.kind, block.text) for block in found.blocks] == wanted


def test_a_version_ends_the_day_before_the_next_begins(tmp_path: Path) -> None:
    write(tmp_path, "chung", "2026-01", "2026-01-15")
    write(tmp_path, "chung", "2027-01", "2027-01-01")
    known = load_regulations(tmp_path)
    assert [(each.version, each.valid_to) for each in versions_of(known, "chung")] == [("2027-01", None), ("2026-01", date(2026, 12, 31))]
    assert [each.version for each in in_force(known, date(2026, 12, 31))] == ["2026-01"]
    assert [each.version for each in in_force(known, date(2027, 1, 1))] == ["2027-01"]
    assert in_force(known, date(2026, 1, 14)) == []


def test_what_rules_a_dataset_is_told_the_narrowest_first(tmp_path: Path) -> None:
    write(tmp_path, "chung", "1", "2026-01-15", "datasets: [all]\nservices: [all]\n")
    write(tmp_path, "dan-cu", "1", "2026-01-15", "domains: [population]\n")
    write(tmp_path, "so", "1", "2026-01-15", "agencies: [H10.02]\n")
    write(tmp_path, "khac", "1", "2026-01-15", "datasets: [other.one]\n")
    known, on = load_regulations(tmp_path), date(2026, 6, 1)
    assert [each.id for each in ruling(known, make_contract(id="a.b"), on)] == ["so", "chung"]
    assert [each.id for each in ruling_service(known, "x.y", "H10.12", on)] == ["chung"]


@pytest.mark.parametrize(
    ("more", "text", "said"),
    [
        ("datasest: [all]\n", TEXT, "unknown `datasest`"),
        ("valid_to: 2020-01-01\n", TEXT, "expected days in order"),
        ("", "\n", "there is no text"),
    ],
)
def test_a_file_with_a_fault_is_named_with_what_is_wrong(tmp_path: Path, more: str, text: str, said: str) -> None:
    write(tmp_path, "chung", "1", "2026-01-15", more, text)
    with pytest.raises(SettingsError, match=r"chung/1\.md") as told:
        load_regulations(tmp_path)
    assert said in str(told.value)


def test_two_versions_in_force_at_once_are_a_fault(tmp_path: Path) -> None:
    write(tmp_path, "chung", "1", "2026-01-15", "valid_to: 2026-12-31\n")
    write(tmp_path, "chung", "2", "2026-12-01")
    with pytest.raises(SettingsError, match="in force at once"):
        load_regulations(tmp_path)


def test_the_regulations_of_the_demo_are_right() -> None:
    known = load_regulations(Path(__file__).parents[2] / "demo" / "regulations")
    assert [each.id for each in known] == ["dan-cu", "nen-tang"]


def test_no_folder_is_no_regulations(tmp_path: Path) -> None:
    assert load_regulations(tmp_path / "none") == ()
