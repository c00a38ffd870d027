"""Every word of every page is data in two languages; templates hold none of their own."""

from __future__ import annotations

import re
from dataclasses import fields
from datetime import UTC, date, datetime, timedelta
from importlib import resources
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from lienthong.ledger import Event
from lienthong.settings import Settings
from lienthong.web.duties import DUTIES
from lienthong.web.pages.speaking import Speech, order_key, words

WEB = Path(str(resources.files("lienthong.web")))
BOTH_AT_ONCE = '"plain.html"'  # pages of signing in speak both languages at once: who reads is not known yet
TEMPLATES = sorted(
    path for path in (WEB / "templates").rglob("*.html") if path.name != "plain.html" and BOTH_AT_ONCE not in path.read_text("utf-8")
)
SOURCES = sorted((WEB / "pages").rglob("*.py"))
USED = re.compile(r"""\bt\(\s*f?["']([a-z]+\.[\w-]+)["']""")
BOTH = re.compile(r"""\bt\(\s*"([a-z]+\.[\w-]+)" if [^"]*(?:"[^"]*")?[^"]*? else "([a-z]+\.[\w-]+)\"""")
MADE = re.compile(r"""["']([a-z]+\.[\w-]*_)["'{] ?[+~]|f["']([a-z]+\.[\w-]*_)\{""")
NOW = datetime(2026, 11, 25, 3, 0, tzinfo=UTC)
VI, EN = Speech("vi", NOW), Speech("en", NOW)
OWN_NAMES = {"JSON", "CSV", "Excel", "Parquet", "OpenAPI", "WSDL", "Markdown", "OpenAPI 3.1", "API", "English", "Tiếng Việt"}


def texts(template: str) -> list[str]:
    """What of a template would be read as it stands: no tags, no expressions, no code samples."""
    plain = re.sub(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}", " ", template, flags=re.DOTALL)
    plain = re.sub(r"<(pre|code|script|style|svg)\b.*?</\1>", " ", plain, flags=re.DOTALL)
    readable = re.findall(r'(?:aria-label|title|placeholder|alt)="([^"]*)"', plain)
    plain = re.sub(r"<[^>]*>", "\n", plain)
    return [text.strip() for text in [*plain.split("\n"), *readable] if text.strip()]


def test_every_key_speaks_both_languages_with_the_same_values() -> None:
    """All keys at once: there are thousands."""
    assert [key for key, pair in words().items() if not all(text.strip() for text in pair)] == []
    assert [key for key, pair in words().items() if values_of(pair[0]) != values_of(pair[1])] == []


def values_of(text: str) -> set[str]:
    return set(re.findall(r"\{\w+\}", text))


def test_every_setting_is_told_in_both_languages() -> None:
    told = yaml.safe_load((WEB / "words" / "settings.yaml").read_text("utf-8"))
    assert set(told) == {field.name for field in fields(Settings)}
    assert all(len(sentences) == 2 and all(sentences) for sentences in told.values())


@pytest.mark.parametrize("path", [*TEMPLATES, *SOURCES], ids=lambda path: path.name)
def test_every_key_that_is_asked_for_exists(path: Path) -> None:
    text = path.read_text("utf-8")
    asked = {key for key in USED.findall(text) if not key.endswith("_")} | {key for pair in BOTH.findall(text) for key in pair}
    assert sorted(asked - set(words())) == []


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_no_template_holds_words_of_its_own(path: Path) -> None:
    found = [text for text in texts(path.read_text("utf-8")) if re.search(r"[^\W\d_]{2,}", text) and text not in OWN_NAMES]
    assert found == []


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_no_template_writes_style_or_script_inside(path: Path) -> None:
    text = path.read_text("utf-8")
    assert not re.search(
        r"<style|\sstyle=|\son\w+=|<script(?! type=.application/ld\+json.>)(?![^>]*\bsrc=)|\|\s*safe\b|hx-on|javascript:", text
    )


def test_numbers_and_days_are_written_as_each_reader_writes_them() -> None:
    assert (VI.number(1234.5), EN.number(1234.5)) == ("1.234,5", "1,234.5")
    assert (VI.number(1234567), EN.number(1234567)) == ("1.234.567", "1,234,567")
    assert VI.percent(99.25, 2) == "99,25%"
    assert VI.day(date(2025, 7, 1)) == "01/07/2025"
    assert VI.moment(datetime(2025, 6, 30, 17, 5, tzinfo=UTC)) == "00:05 01/07/2025"
    assert (VI.ago(NOW - timedelta(hours=3)), EN.ago(NOW - timedelta(hours=1))) == ("3 giờ trước", "1 hour ago")
    assert (EN.t("portal.count_datasets", n=1), EN.t("portal.count_datasets", n=2)) == ("1 dataset", "2 datasets")


def test_names_stand_in_the_order_of_a_vietnamese_dictionary() -> None:
    right = ["an", "ân", "ba", "bà", "bả", "bã", "bá", "bạ", "da", "đa", "đất", "em", "êm", "on", "ôn", "ơn", "tư", "ủy ban", "ưu"]
    backwards = right[::-1]
    assert sorted(backwards, key=order_key) == right


@given(st.text(max_size=30))
def test_any_text_has_a_place_in_the_order(text: str) -> None:
    assert order_key(text) == order_key(text)
    sorted([text, "đất", ""], key=order_key)


def test_every_duty_of_the_worker_is_named_in_words() -> None:
    assert [duty.name for duty in DUTIES if f"kinds.duty_{duty.name}" not in words()] == []


def test_every_act_of_the_ledger_and_what_it_is_about_is_named_in_words() -> None:
    keys = {key for event in Event for key in (f"acts.{event.replace(':', '_')}", f"acts.about_{event.partition(':')[0]}")}
    assert keys == {key for key in words() if key.startswith("acts.")}
