"""The part of Solr's query language that CKAN's clients send, as conditions over a package's search fields. What is not understood is refused.

    organization:h10_02 -groups:land metadata_modified:[2026-01-01T00:00:00Z TO *] title:"đơn vị" tags:(a OR b) (x AND NOT y) geo*

Words side by side must all be met (CKAN's `q.op=AND`). Fuzzy search, proximity, boosts other than `^n` (which changes no answer) and
local parameters are no part of it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from lienthong.errors import SearchNotUnderstood

LONGEST_QUERY = 4_000
MOST_TERMS = 100
DEEPEST = 20
TEXT = "text"  # the field of words without a field
STRINGS = frozenset({
    "id", "name", "organization", "owner_org", "groups", "tags", "license_id", "res_format", "state", "type", "dataset_type", "entity_type", "private",
    "capacity", "site_id", "author", "maintainer", "extras_layer", "extras_entity", "extras_sharing", "version", "res_url", "vocab_layer", "isopen", "url",
})  # fmt: skip
TEXTS = frozenset({TEXT, "title", "notes", "res_name", "res_description", "title_en", "notes_en"})
DATES = frozenset({"metadata_modified", "metadata_created"})
NUMBERS = frozenset({"num_resources", "num_tags", "extras_records"})
FIELDS = STRINGS | TEXTS | DATES | NUMBERS
# Field → words (casefolded, as a tuple), a number or an instant; of a text field: its words without marks, a space around each.
Document = Mapping[str, Any]
Test = Callable[[Document], bool]
_TOKEN = re.compile(
    r"""\s+|(?P<quoted>"(?:[^"\\]|\\.)*")|(?P<range>[\[{][^\[\]{}"]*[\]}])|(?P<boost>\^[0-9.]+)|(?P<sign>&&|\|\||[()!]|[+-](?=\S))
    |(?P<field>[A-Za-z_][\w.]*):|(?P<word>(?:[^\s"()\[\]{}:^\\~]|\\.)+)""",
    re.VERBOSE,
)
_MATH = re.compile(r"([+-]\d{1,6}|/)(SECOND|MINUTE|HOUR|DAY|WEEK|MONTH|YEAR)S?")
_SPANS = {"SECOND": 1, "MINUTE": 60, "HOUR": 3600, "DAY": 86_400, "WEEK": 604_800, "MONTH": 2_629_746, "YEAR": 31_556_952}
_INSTANT = re.compile(r"\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?)?Z?")


@dataclass(frozen=True)
class Query:
    """A query read: `test` says whether a package meets it; `words` is set when it is plain words alone, which can be ranked."""

    test: Test
    words: str | None


def read_query(text: str, now: datetime) -> Query:
    """A query as a condition. Raises SearchNotUnderstood with what is not understood."""
    if len(text) > LONGEST_QUERY or "\x00" in text:
        raise _refused(f"a query has at most {LONGEST_QUERY} characters and no NUL")
    if text.strip() in ("", "*", "*:*"):
        return Query(_always, "")
    tokens = _tokens(text)
    plain = all(kind == "word" and not re.search(r"[*?\\]", value) and value not in ("AND", "OR", "NOT") for kind, value in tokens)
    return Query(_Reader(tokens, now).read(), text if plain else None)


_MARKS = {**dict.fromkeys(range(0x300, 0x370)), ord("đ"): "d", ord("Đ"): "D"}


def terms_of(text: str) -> list[str]:
    """Words without marks, as a text field keeps them."""
    return re.findall(r"\w+", unicodedata.normalize("NFD", text).translate(_MARKS).casefold())


def _always(_: Document) -> bool:
    return True


def _tokens(text: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    place = 0
    while place < len(text):
        if text.startswith("*:*", place):
            found.append(("all", "*:*"))
            place += 3
            continue
        token = _TOKEN.match(text, place)
        if token is None:
            raise _refused(f"`{text[place : place + 20]}` at character {place + 1}")
        place = token.end()
        if token.lastgroup and token.lastgroup != "boost":
            found.append((token.lastgroup, token.group(token.lastgroup)))
    if len(found) > MOST_TERMS * 3:
        raise _refused(f"more than {MOST_TERMS} terms")
    return found


class _Reader:
    """Reads tokens by descent: alternatives, then what must all hold, then one condition."""

    def __init__(self, tokens: Sequence[tuple[str, str]], now: datetime) -> None:
        self._tokens, self._now, self._place, self._depth = list(tokens), now, 0, 0

    def read(self) -> Test:
        test = self._any(None)
        if self._place < len(self._tokens):
            raise _refused(f"`{self._tokens[self._place][1]}` has nothing before it")
        return test

    def _next(self) -> tuple[str, str]:
        return self._tokens[self._place] if self._place < len(self._tokens) else ("end", "")

    def _takes(self, *values: str) -> bool:
        kind, value = self._next()
        if kind in ("sign", "word") and value in values:
            self._place += 1
            return True
        return False

    def _any(self, field: str | None) -> Test:
        self._depth += 1
        if self._depth > DEEPEST:
            raise _refused(f"brackets stand more than {DEEPEST} deep")
        tests = [self._all(field)]
        while self._takes("OR", "||"):
            tests.append(self._all(field))
        self._depth -= 1
        return tests[0] if len(tests) == 1 else lambda document: any(test(document) for test in tests)

    def _all(self, field: str | None) -> Test:
        tests = [self._one(field)]
        while True:
            if self._takes("AND", "&&"):
                tests.append(self._one(field))
                continue
            kind, value = self._next()
            if kind == "end" or value in (")", "OR", "||"):
                break
            tests.append(self._one(field))
        return tests[0] if len(tests) == 1 else lambda document: all(test(document) for test in tests)

    def _one(self, field: str | None) -> Test:
        if self._takes("-", "!", "NOT"):
            test = self._one(field)
            return lambda document: not test(document)
        if self._takes("+"):
            return self._one(field)
        if self._takes("("):
            inner = self._any(field)
            if not self._takes(")"):
                raise _refused("a bracket that is not closed")
            return inner
        kind, value = self._next()
        if kind in {"end", "sign"} or (kind == "word" and value in ("AND", "OR", "NOT")):
            raise _refused(f"`{value}` where a term is expected" if value else "it ends where a term is expected")
        self._place += 1
        if kind == "all":
            return _always
        if kind == "field":
            if field is not None:
                raise _refused("a field inside the brackets of another")
            return self._of_field(value)
        return self._term(field or TEXT, kind, value)

    def _of_field(self, field: str) -> Test:
        if field not in FIELDS:
            raise _refused(f"there is no field `{field}`")
        if self._takes("("):
            inner = self._any(field)
            if not self._takes(")"):
                raise _refused("a bracket that is not closed")
            return inner
        negative = self._takes("-")  # num_tags:-1
        kind, value = self._next()
        if kind not in ("word", "quoted", "range"):
            raise _refused(f"`{field}:` has no value")
        self._place += 1
        return self._term(field, kind, "-" + value if negative else value)

    def _term(self, field: str, kind: str, value: str) -> Test:
        if kind == "range":
            return self._range(field, value)
        text = re.sub(r"\\(.)", r"\1", value[1:-1]) if kind == "quoted" else value
        if kind == "word" and text == "*":
            return lambda document: bool(document[field]) if field not in TEXTS else bool(document[field].strip())
        if field in DATES or field in NUMBERS:
            wanted = self._bound(field, text)
            return lambda document: document[field] == wanted
        if kind == "word" and re.search(r"(?<!\\)[*?]", value):
            return _like(field, value)
        text = re.sub(r"\\(.)", r"\1", text) if kind == "word" else text
        if field in TEXTS:
            return _phrase(field, terms_of(text))
        folded = text.casefold()
        return lambda document: folded in document[field]

    def _range(self, field: str, value: str) -> Test:
        low, separator, high = (part.strip() for part in value[1:-1].partition(" TO "))
        if not separator or not low or not high:
            raise _refused(f"`{value}`: expected [a TO b]")
        first, last = (None if bound == "*" else self._bound(field, bound) for bound in (low, high))
        with_first, with_last = value[0] == "[", value[-1] == "]"

        def within(document: Document) -> bool:
            found = document[field]
            return any(
                (first is None or v > first or (with_first and v == first)) and (last is None or v < last or (with_last and v == last))
                for v in (found if isinstance(found, tuple) else (found,))
            )

        if field in TEXTS:
            raise _refused(f"`{field}` has no order")
        return within

    def _bound(self, field: str, text: str) -> Any:
        """A value of a field's kind."""
        if field in NUMBERS:
            if not re.fullmatch(r"-?\d{1,15}", text):
                raise _refused(f"`{field}`: `{text[:40]}` is no whole number")
            return int(text)
        if field in DATES:
            return _instant(text, self._now)
        return text.strip('"').casefold()


def _phrase(field: str, words: Sequence[str]) -> Test:
    """The words one after another."""
    if not words:
        return _always
    wanted = f" {' '.join(words)} "

    def test(document: Document) -> bool:
        return wanted in document[field]

    return test


def _like(field: str, value: str) -> Test:
    """A word with `*` for any letters and `?` for one. Matched part by part: a pattern of ours cannot run away."""
    text = (unicodedata.normalize("NFD", value).translate(_MARKS) if field in TEXTS else value).casefold()
    parts = re.split(r"((?<!\\)[*?])", text)
    if sum(part in ("*", "?") for part in parts) > 5:
        raise _refused("more than five `*` or `?` in a word")
    pattern = re.compile("".join({"*": r"\S*?", "?": r"\S"}.get(part) or re.escape(part.replace("\\", "")) for part in parts))

    def test(document: Document) -> bool:
        words = document[field].split() if field in TEXTS else document[field]
        return any(pattern.fullmatch(word) for word in words)

    return test


def _instant(text: str, now: datetime) -> datetime:
    """`2026-01-01T00:00:00Z`, without its zone or its time too, or `NOW-1DAY/DAY`."""
    if text.startswith("NOW"):
        return _now(text, now)
    if not _INSTANT.fullmatch(text):
        raise _refused(f"`{text[:40]}` is no instant")
    try:
        return datetime.fromisoformat(text.removesuffix("Z")).replace(tzinfo=UTC)
    except ValueError as error:
        raise _refused(f"`{text[:40]}` is no instant") from error


def _now(text: str, now: datetime) -> datetime:
    rest, found = text.removeprefix("NOW"), now
    while rest:
        step = _MATH.match(rest)
        if step is None:
            raise _refused(f"`{text[:40]}` is no instant")
        rest = rest[step.end() :]
        unit = step.group(2)
        try:
            if step.group(1) == "/":
                found = _begun(found, unit)
            else:
                found += timedelta(seconds=int(step.group(1)) * _SPANS[unit])
        except (OverflowError, ValueError) as error:
            raise _refused(f"`{text[:40]}` is out of all time") from error
    return found


def _begun(at: datetime, unit: str) -> datetime:
    """The beginning of the second, minute, hour, day, month or year of an instant; of a week, of its day."""
    kept = {"SECOND": 6, "MINUTE": 5, "HOUR": 4, "DAY": 3, "WEEK": 3, "MONTH": 2, "YEAR": 1}[unit]
    parts = [at.year, at.month, at.day, at.hour, at.minute, at.second]
    return datetime(*(part if n < kept else (1 if n < 3 else 0) for n, part in enumerate(parts)), tzinfo=UTC)  # type: ignore[arg-type,misc] # six numbers


def _refused(what: str) -> SearchNotUnderstood:
    return SearchNotUnderstood(f"Search Query is invalid: {what}.", vi=f"Câu tìm kiếm không hiểu được: {what}.")
