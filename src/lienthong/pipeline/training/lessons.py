"""Lessons out of their text files: steps, where to click, and which check sees that it was done. The handbook is made of the same text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import yaml

from lienthong.access import Role
from lienthong.errors import SettingsError

ANSWERS = ("number", "text", "dataset")
LESSON_WORDS = frozenset({"id", "order", "roles", "minutes", "dataset", "indicator", "prepare", "title", "aim", "steps", "learned"})
STEP_WORDS = frozenset({"do", "at", "click", "check", "ask"})
Pair = tuple[str, str]  # Vietnamese, English


@dataclass(frozen=True)
class Step:
    """One thing to do. `at`: where; `check`: what sees that it was done; `ask`: what kind of answer is typed, if any."""

    do: Pair
    at: str = ""
    click: Pair = ("", "")
    check: str = ""
    ask: str = ""


@dataclass(frozen=True)
class Lesson:
    """`dataset`: whose owner one practises as; `prepare`: what is made ready when it is begun."""

    id: str
    order: int
    roles: tuple[Role, ...]
    minutes: int
    dataset: str
    title: Pair
    aim: Pair
    steps: tuple[Step, ...]
    learned: Pair
    prepare: str = ""
    indicator: str = ""
    checks: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "checks", tuple(step.check for step in self.steps if step.check))


def read_lessons(folder: Path | None = None) -> Mapping[str, Lesson]:
    """The lessons of a folder, in their order; the built-in ones without. Raises SettingsError naming the file and what is wrong."""
    return (
        _built_in()
        if folder is None or not folder.name
        else _read({file.name: file.read_text("utf-8") for file in sorted(folder.glob("*.yaml"))})
    )


@cache
def _built_in() -> Mapping[str, Lesson]:
    files = resources.files("lienthong.pipeline.training").joinpath("lessons")
    return _read({file.name: file.read_text("utf-8") for file in files.iterdir() if file.name.endswith(".yaml")})


def _read(files: Mapping[str, str]) -> Mapping[str, Lesson]:
    found = sorted((_lesson(name, text) for name, text in files.items()), key=lambda lesson: lesson.order)
    if len({lesson.id for lesson in found}) != len(found):
        raise SettingsError("Two lessons have the same id.")
    return {lesson.id: lesson for lesson in found}


def _lesson(name: str, text: str) -> Lesson:
    from lienthong.pipeline.training.checks import CHECKS  # noqa: PLC0415 # checks read lessons' steps

    try:
        said = yaml.safe_load(text)
        steps = tuple(_step(each) for each in said["steps"])
        unknown = sorted(set(said) - LESSON_WORDS) + [step.check for step in steps if step.check and step.check not in CHECKS]
        if unknown:
            raise ValueError(f"unknown: {', '.join(unknown)}")
        return Lesson(
            str(said["id"]), int(said["order"]), tuple(Role(role) for role in said["roles"]), int(said["minutes"]), str(said["dataset"]),
            _pair(said["title"]), _pair(said["aim"]), steps, _pair(said["learned"]), str(said.get("prepare", "")), str(said.get("indicator", "")),
        )  # fmt: skip
    except (yaml.YAMLError, KeyError, TypeError, ValueError) as error:
        raise SettingsError(f"The lesson `{name}` cannot be read: {error}.", hint="docs/how-to/hold-a-course.md") from error


def _step(said: Any) -> Step:
    if set(said) - STEP_WORDS:
        raise ValueError(f"unknown: {', '.join(sorted(set(said) - STEP_WORDS))}")
    ask = str(said.get("ask", ""))
    if ask and (ask not in ANSWERS or "check" not in said):
        raise ValueError("`ask` is number, text or dataset, and needs a check")
    return Step(
        _pair(said["do"]), str(said.get("at", "")), _pair(said["click"]) if "click" in said else ("", ""), str(said.get("check", "")), ask
    )


def _pair(said: Any) -> Pair:
    vietnamese, english = said
    return str(vietnamese), str(english)
