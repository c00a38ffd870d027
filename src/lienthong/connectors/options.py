"""A source's options, read strictly: a misspelt option is a fault, never ignored."""

from __future__ import annotations

import re
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from lienthong.connectors.base import ReadContext
from lienthong.connectors.variables import expand_all
from lienthong.contracts import Source
from lienthong.errors import SourceError

FOLDER = "folder"  # the option that says where and how files lie; readers of formats never see it


def is_of_files(source: Source) -> bool:
    """Whether a source's connector reads files: its name says so."""
    return source.connector.endswith("file")


class Options:
    """Options of one source, taken one by one; `close` refuses what nobody took."""

    def __init__(self, source: Source, values: Mapping[str, Any], shown: Mapping[str, Any] | None = None) -> None:
        self._source = source
        self._shown = values if shown is None else shown  # as the contract has them: what a message may hold
        self._left: dict[str, Any] = dict(values)
        self._known: list[str] = []

    @classmethod
    def of(cls, source: Source, context: ReadContext) -> Options:
        """The source's options, each `${NAME}` in them filled. Raises SourceError when one is not set."""
        left = {name: value for name, value in source.options.items() if name != FOLDER or not is_of_files(source)}
        return cls(source, expand_all(left, context.variables), left)

    @classmethod
    def of_folder(cls, source: Source, context: ReadContext) -> Options:
        """What is said of the folder a source's files lie in, each `${NAME}` filled."""
        given = source.options.get(FOLDER, {})
        if not isinstance(given, Mapping):
            raise SourceError(f"Nguồn/source `{source.name}`, option `{FOLDER}`: expected a mapping.")
        return cls(source, expand_all(given, context.variables), given)

    def text(self, name: str, default: str = "") -> str:
        value = self._take(name, default)
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise self._wrong(name, "a text", value)
        return str(value)

    def choice(self, name: str, allowed: tuple[str, ...], default: str) -> str:
        value = self.text(name, default)
        if value not in allowed:
            raise self._wrong(name, f"one of {', '.join(allowed)}", value)
        return value

    def flag(self, name: str, *, default: bool) -> bool:
        value = self._take(name, default)
        if not isinstance(value, bool):
            raise self._wrong(name, "true or false", value)
        return value

    def number(self, name: str, default: int, least: int = 0) -> int:
        value = self._take(name, default)
        if isinstance(value, str) and value.isdecimal():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise self._wrong(name, f"a whole number not below {least}", value)
        return value

    def seconds(self, name: str, default: float) -> float:
        value = self._take(name, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
            raise self._wrong(name, "a number of seconds", value)
        return float(value)

    def texts(self, name: str) -> tuple[str, ...]:
        value = self._take(name, [])
        values = [value] if isinstance(value, str | int) else value
        if not isinstance(values, list) or not all(isinstance(item, str | int) for item in values):
            raise self._wrong(name, "a list of texts", value)
        return tuple(str(item) for item in values)

    def numbers(self, name: str, default: tuple[int, ...]) -> tuple[int, ...]:
        value = self._take(name, list(default))
        values = [value] if isinstance(value, int) else value
        if not isinstance(values, list) or not all(isinstance(item, int) and item >= 0 for item in values):
            raise self._wrong(name, "a list of whole numbers", value)
        return tuple(values)

    def numbers_or(self, name: str, word: str, default: tuple[int, ...]) -> tuple[int, ...] | None:
        """Whole numbers, or None where the option says `word`."""
        if self._left.get(name) == word:
            self._take(name, word)
            return None
        return self.numbers(name, default)

    def texts_or(self, name: str, default: tuple[str, ...]) -> tuple[str, ...]:
        """A list of texts; the default only where nothing is said, so that an empty list means none."""
        return self.texts(name) if name in self._left else (self.texts(name), default)[1]

    def mapping(self, name: str) -> dict[str, str]:
        value = self._take(name, {})
        if not isinstance(value, Mapping) or not all(isinstance(inner, str | int | float) for inner in value.values()):
            raise self._wrong(name, "a mapping of names to texts", value)
        return {str(key): str(inner) for key, inner in value.items()}

    def document(self, name: str) -> Mapping[str, Any] | str | None:
        """A mapping of anything, or a text; None when it is absent."""
        value = self._take(name, None)
        if value is not None and not isinstance(value, Mapping | str):
            raise self._wrong(name, "a mapping or a text", value)
        return value

    def choice_or_mapping(self, name: str, allowed: tuple[str, ...], default: str) -> str | dict[str, str]:
        return self.mapping(name) if isinstance(self._left.get(name), Mapping) else self.choice(name, allowed, default)

    def section(self, name: str) -> Options | None:
        """Options inside an option, None when it is absent; the caller closes it."""
        value = self._take(name, None)
        if value is None:
            return None
        if not isinstance(value, Mapping):
            raise self._wrong(name, "a mapping", value)
        shown = self._shown.get(name)
        return Options(self._source, value, shown if isinstance(shown, Mapping) else None)

    def expression(self, name: str) -> re.Pattern[str] | None:
        value = self.text(name)
        if not value:
            return None
        try:
            return re.compile(value)
        except re.error as error:
            raise self._wrong(name, f"a regular expression ({error})", value) from error

    def required(self, name: str) -> SourceError:
        return SourceError(f"Nguồn/source `{self._source.name}` ({self._source.connector}): option `{name}` is required, found nothing.")

    def close(self) -> None:
        """Raises SourceError when an option is left that this connector does not know."""
        for name in self._left:
            near = get_close_matches(name, self._known, n=1)
            raise SourceError(
                f"Nguồn/source `{self._source.name}`: connector `{self._source.connector}` has no option `{name}`.",
                hint=f"Did you mean `{near[0]}`?" if near else f"It knows: {', '.join(sorted(self._known))}.",
            )

    def _take(self, name: str, default: Any) -> Any:
        self._known.append(name)
        return self._left.pop(name, default)

    def wrong(self, name: str, expected: str, found: object) -> SourceError:
        """What is said of an option that makes no sense; shows what the contract has, never what a variable held."""
        return self._wrong(name, expected, found)

    def _wrong(self, name: str, expected: str, found: object) -> SourceError:
        shown = self._shown.get(name, found)
        return SourceError(f"Nguồn/source `{self._source.name}`, option `{name}`: expected {expected}, found `{shown}`.")
