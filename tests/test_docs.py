"""Every command, setting, error code and ledger event is in the docs; every link leads somewhere; every command shown exists."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import fields
from functools import cache
from pathlib import Path
from typing import Any

import typer.main

from lienthong import __version__, errors
from lienthong.cli.main import app
from lienthong.ledger import Event
from lienthong.settings import PREFIX, Settings

ROOT = Path(__file__).parents[1]
REFERENCE = ROOT / "docs" / "reference"
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "demo").rglob("*.md")])
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
SHOWN = re.compile(r"(?:^|[\s`(|])(?:\.venv/bin/)?lienthong((?: --lang \w+)?(?: [a-z]+(?:-[a-z]+)*){1,2})", re.MULTILINE)


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


def left_out(page: str, shown: Iterable[str]) -> list[str]:
    """What a reference page does not show. All is told at once: there are hundreds of everything."""
    text = (REFERENCE / page).read_text("utf-8")
    return [each for each in shown if each not in text]


def test_every_setting_is_in_the_reference_with_its_default() -> None:
    rows = {line.split(" |")[0]: line for line in (REFERENCE / "settings.md").read_text("utf-8").splitlines() if line.startswith("| `")}
    wanted = {f"| `{PREFIX}{each.name.upper()}`": default_of(each.default) for each in fields(Settings)}
    assert [name for name, default in wanted.items() if default not in rows.get(name, "")] == []


def default_of(value: Any) -> str:
    """A setting's default as the reference writes it."""
    return {"": "*empty*", False: "`false`", True: "`true`"}.get(value, f"`{value}`") if isinstance(value, str | bool) else f"`{value}`"


def test_every_error_code_is_in_the_reference() -> None:
    assert left_out("errors.md", (f"| `{code}` |" for code in sorted(set(codes(errors.LienthongError))))) == []


def test_every_ledger_event_is_in_the_reference() -> None:
    assert left_out("ledger-events.md", (f"| `{event.value}` |" for event in Event)) == []


def test_every_command_is_in_the_reference() -> None:
    assert left_out("cli.md", (f"lienthong {command}" for command in COMMANDS)) == []


def test_every_command_shown_exists() -> None:
    known = {*COMMANDS, *(name.split()[0] for name in COMMANDS)}
    shown = [(page.name, re.sub(r"^ --lang \w+", "", words).split()) for page in PAGES for words in SHOWN.findall(page.read_text("utf-8"))]
    assert [(page, words) for page, words in shown if " ".join(words) not in known and words[0] not in known] == []


def test_every_link_leads_somewhere() -> None:
    links = [(page, target) for page in PAGES for target in LINK.findall(page.read_text("utf-8"))]
    inside = [(page, target) for page, target in links if "://" not in target and not target.startswith("mailto:")]
    assert [(page.name, target) for page, target in inside if not (page.parent / target).exists()] == []


HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)
PLACE = re.compile(r"\]\(([^)#\s]*)#([^)\s]+)\)")


@cache
def anchors(page: Path) -> set[str]:
    """Names of a page's headings, as places that show Markdown give them."""
    text = re.sub(r"^```.*?^```", "", page.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)
    plain = (re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading) for heading in HEADING.findall(text))
    return {re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-") for heading in plain}


def test_every_place_in_a_page_that_is_linked_is_there() -> None:
    links = [
        (page.name, page.parent / target if target else page, place)
        for page in PAGES
        for target, place in PLACE.findall(page.read_text("utf-8"))
        if "://" not in target
    ]
    assert [f"{page}: {target.name}#{place}" for page, target, place in links if place not in anchors(target)] == []


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


def test_messages_in_vietnamese_write_thousands_as_offices_do() -> None:
    """1.234, by `show_number`: a comma would make it one and a bit."""
    english = re.compile(r'vi=f"[^"\n]*:,[.\d]*f?\}')
    found = [str(page.relative_to(ROOT)) for page in (ROOT / "src").rglob("*.py") if english.search(page.read_text("utf-8"))]
    assert found == []
