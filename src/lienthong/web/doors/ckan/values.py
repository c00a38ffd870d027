"""What an action was called with, read as CKAN reads it: values of a GET are text, and lists come as JSON or as the same name again."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from lienthong.errors import BadRequest
from lienthong.sharing.filters import shown

LONGEST_TEXT = 10_000
MOST_VALUES = 1_000


class Parameters:
    """Parameters by name. Each reader raises BadRequest naming the parameter."""

    def __init__(self, sent: Mapping[str, Any]) -> None:
        self._sent = {name: value for name, value in sent.items() if value is not None}

    def __contains__(self, name: str) -> bool:
        return name in self._sent

    def __iter__(self) -> Iterator[str]:
        return iter(self._sent)

    def only(self, names: Sequence[str], why: str) -> None:
        """Refuse what is not among the names."""
        unknown = [name for name in self._sent if name not in names]
        if unknown:
            raise wrong(unknown[0], f"{why}: {', '.join(map(shown, unknown))}")

    def value(self, name: str) -> Any:
        """As it came."""
        return self._sent.get(name)

    def text(self, name: str, default: str = "") -> str:
        value = self._sent.get(name, default)
        if isinstance(value, bool | int | float):
            value = str(value)
        if not isinstance(value, str) or len(value) > LONGEST_TEXT or not _is_whole_text(value):
            raise wrong(name, "a text is expected")
        return value

    def required(self, name: str) -> str:
        found = self.text(name)
        if not found:
            raise wrong(name, "Missing value")
        return found

    def number(self, name: str, default: int, most: int, least: int = 0) -> int:
        """A whole number; one above `most` is taken for `most`, as CKAN does."""
        value = self._sent.get(name, default)
        if isinstance(value, str) and value.strip().lstrip("-").isascii() and value.strip().lstrip("-").isdigit() and len(value) < 19:
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int):
            raise wrong(name, "Invalid integer")
        if value < least:
            raise wrong(name, "Must be a natural number" if least == 0 else f"Must be at least {least}")
        return min(value, most)

    def flag(self, name: str, *, default: bool = False) -> bool:
        value = self._sent.get(name, default)
        if isinstance(value, str):
            value = {"true": True, "1": True, "yes": True, "on": True, "false": False, "0": False, "no": False, "": False}.get(
                value.lower()
            )
        if value in (0, 1):
            value = bool(value)
        if not isinstance(value, bool):
            raise wrong(name, "Must be true or false")
        return value

    def texts(self, name: str) -> list[str]:
        """A list: as such, as JSON, or as texts with commas between."""
        value = self.decoded(name)
        if value is None or value == "":
            return []
        found = value.split(",") if isinstance(value, str) else value
        if (
            not isinstance(found, list)
            or len(found) > MOST_VALUES
            or not all(isinstance(each, str) and _is_whole_text(each) for each in found)
        ):
            raise wrong(name, "a list of texts is expected")
        return [each.strip() for each in found if each.strip()]

    def decoded(self, name: str) -> Any:
        """A value; text that is a JSON list or object is read as one."""
        value = self._sent.get(name)
        if isinstance(value, str) and value.strip()[:1] in ("[", "{"):
            try:
                return json.loads(value)
            except (ValueError, RecursionError) as error:
                raise wrong(name, "Cannot parse JSON") from error
        return value


def wrong(field: str, what: str) -> BadRequest:
    """The refusal of one parameter."""
    return BadRequest(f"{what}: {shown(field)}" if what else shown(field), vi=f"Tham số `{shown(field)}` không đúng.", field=shown(field))


def _is_whole_text(text: str) -> bool:
    return "\x00" not in text and (text.isascii() or not any("\ud800" <= letter <= "\udfff" for letter in text))
