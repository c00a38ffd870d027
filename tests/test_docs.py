"""Every command, setting, error code and ledger event is in the docs; every link leads somewhere; every command shown exists."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import typer.main

from lienthong import __version__, errors
from lienthong.cli.main import app
from lienthong.ledger import Event
from lienthong.settings import PREFIX, Settings

ROOT = Path(__file__).parents[1]
REFERENCE = ROOT / "docs" / "reference"
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "demo").rglob("*.md")])
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
SHOWN = re.compile(r"(?:^|[\s`(|])(?:\.venv/bin/)?lienthong((?: --lang \w+)?(?: [a-z]+){1,2})", re.MULTILINE)


def commands(group: Any, words: tuple[str, ...] = ()) -> Iterator[str]:
    found = getattr(group, "commands", None)
    if found is None:
        yield " ".join(words)
        return
    for name, command in found.items():
        yield from commands(command, (*words, name))


def codes(kind: type[errors.LienthongError]) -> Iterator[str]:
    yield kind.code
    for below in kind.__subclasses__():
        yield from codes(below)


COMMANDS = sorted(commands(typer.main.get_command(app)))


@pytest.mark.parametrize("setting", [f.name for f in fields(Settings)])
def test_every_setting_is_in_the_reference_with_its_default(setting: str) -> None:
    page = (REFERENCE / "settings.md").read_text("utf-8")
    name = PREFIX + setting.upper()
    row = next((line for line in page.splitlines() if line.startswith(f"| `{name}` |")), None)
    assert row is not None, f"docs/reference/settings.md has no row of {name}"
    default = next(f.default for f in fields(Settings) if f.name == setting)
    shown = (
        {"": "*empty*", False: "`false`", True: "`true`"}.get(default, f"`{default}`")
        if isinstance(default, str | bool)
        else f"`{default}`"
    )
    assert shown in row


@pytest.mark.parametrize("code", sorted(set(codes(errors.LienthongError))))
def test_every_error_code_is_in_the_reference(code: str) -> None:
    assert f"| `{code}` |" in (REFERENCE / "errors.md").read_text("utf-8")


@pytest.mark.parametrize("event", list(Event))
def test_every_ledger_event_is_in_the_reference(event: Event) -> None:
    assert f"| `{event.value}` |" in (REFERENCE / "ledger-events.md").read_text("utf-8")


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_in_the_reference(command: str) -> None:
    page = (REFERENCE / "cli.md").read_text("utf-8")
    assert f"lienthong {command}" in page


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_shown_exists(page: Path) -> None:
    known = {*COMMANDS, *(name.split()[0] for name in COMMANDS)}
    for match in SHOWN.finditer(page.read_text("utf-8")):
        words = re.sub(r"^ --lang \w+", "", match[1]).split()
        assert " ".join(words) in known or words[0] in known, f"{page.name}: `lienthong {' '.join(words)}`"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    targets = [target for target in LINK.findall(page.read_text("utf-8")) if "://" not in target and not target.startswith("mailto:")]
    missing = [target for target in targets if not (page.parent / target).exists()]
    assert missing == []


HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)
PLACE = re.compile(r"\]\(([^)#\s]*)#([^)\s]+)\)")


def anchors(page: Path) -> set[str]:
    """Names of a page's headings, as places that show Markdown give them."""
    text = re.sub(r"^```.*?^```", "", page.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)
    plain = (re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading) for heading in HEADING.findall(text))
    return {re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-") for heading in plain}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_place_in_a_page_that_is_linked_is_there(page: Path) -> None:
    links = [
        (page.parent / target if target else page, place) for target, place in PLACE.findall(page.read_text("utf-8")) if "://" not in target
    ]
    assert [f"{target.name}#{place}" for target, place in links if place not in anchors(target)] == []


def test_every_word_of_the_style_is_in_the_glossary() -> None:
    page = (ROOT / "docs" / "glossary.md").read_text("utf-8")
    words = [
        "agency",
        "subsystem",
        "dataset",
        "contract",
        "agreement",
        "purpose",
        "run",
        "landing",
        "standard",
        "issue",
        "quarantine",
        "version",
        "ledger",
    ]
    assert [word for word in words if f"| {word} |" not in page] == []


def test_the_version_is_one() -> None:
    assert f'version = "{__version__}"' in (ROOT / "pyproject.toml").read_text("utf-8")
    assert f"## [{__version__}]" in (ROOT / "CHANGELOG.md").read_text("utf-8")


def test_no_page_speaks_of_another_machine() -> None:
    private = re.compile(r"(?<![\w.])/(?:work|root|home|tmp)/")
    found = [str(page.relative_to(ROOT)) for page in PAGES if private.search(page.read_text("utf-8"))]
    assert found == []
