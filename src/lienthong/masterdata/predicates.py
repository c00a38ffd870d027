"""What may be said of two records' features: each saying knows its SQL (for Splink, in bulk) and its Python (for one pair).

Both must agree on every pair; a property test holds them together. Features are texts or None, of plain ASCII wherever distances
are measured, because databases count bytes. A saying about an empty feature is never true.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from rapidfuzz.distance import DamerauLevenshtein, JaroWinkler

Features = tuple[str | None, ...]
Test = Callable[[Features, Features], bool]


class Predicate(Protocol):
    """One saying about a pair."""

    def sql(self, functions: Mapping[str, str]) -> str:
        """As a condition over `<column>_l` and `<column>_r`; `functions` names the functions of the engine."""
        ...

    def test(self, places: Mapping[str, int]) -> Test:
        """As a function of two tuples of features, whose columns stand at `places`."""
        ...

    @property
    def columns(self) -> tuple[str, ...]: ...


@dataclass(frozen=True)
class Empty:
    """The column is empty on either side."""

    column: str

    @property
    def columns(self) -> tuple[str, ...]:
        return (self.column,)

    def sql(self, functions: Mapping[str, str]) -> str:  # noqa: ARG002
        return f'"{self.column}_l" is null or "{self.column}_r" is null'

    def test(self, places: Mapping[str, int]) -> Test:
        n = places[self.column]
        return lambda left, right: left[n] is None or right[n] is None


@dataclass(frozen=True)
class Same:
    column: str

    @property
    def columns(self) -> tuple[str, ...]:
        return (self.column,)

    def sql(self, functions: Mapping[str, str]) -> str:  # noqa: ARG002
        return f'"{self.column}_l" = "{self.column}_r"'

    def test(self, places: Mapping[str, int]) -> Test:
        n = places[self.column]
        return lambda left, right: left[n] is not None and left[n] == right[n]


@dataclass(frozen=True)
class Differ:
    """Both sides have a value, and not the same."""

    column: str

    @property
    def columns(self) -> tuple[str, ...]:
        return (self.column,)

    def sql(self, functions: Mapping[str, str]) -> str:  # noqa: ARG002
        return f'"{self.column}_l" <> "{self.column}_r"'

    def test(self, places: Mapping[str, int]) -> Test:
        n = places[self.column]
        return lambda left, right: left[n] is not None and right[n] is not None and left[n] != right[n]


@dataclass(frozen=True)
class Crossed:
    """What one record has in `column`, the other has in `other`, both ways."""

    column: str
    other: str

    @property
    def columns(self) -> tuple[str, ...]:
        return (self.column, self.other)

    def sql(self, functions: Mapping[str, str]) -> str:  # noqa: ARG002
        return f'"{self.column}_l" = "{self.other}_r" and "{self.other}_l" = "{self.column}_r"'

    def test(self, places: Mapping[str, int]) -> Test:
        n, m = places[self.column], places[self.other]
        return lambda left, right: left[n] is not None and left[m] is not None and left[n] == right[m] and left[m] == right[n]


@dataclass(frozen=True)
class Across:
    """What one record has in `column`, the other has in `other`, one way or the other."""

    column: str
    other: str

    @property
    def columns(self) -> tuple[str, ...]:
        return (self.column, self.other)

    def sql(self, functions: Mapping[str, str]) -> str:  # noqa: ARG002
        return f'"{self.column}_l" = "{self.other}_r" or "{self.other}_l" = "{self.column}_r"'

    def test(self, places: Mapping[str, int]) -> Test:
        n, m = places[self.column], places[self.other]
        return lambda left, right: (left[n] is not None and left[n] == right[m]) or (left[m] is not None and left[m] == right[n])


@dataclass(frozen=True)
class Is:
    """Either side of the column is this very value."""

    column: str
    value: str

    @property
    def columns(self) -> tuple[str, ...]:
        return (self.column,)

    def sql(self, functions: Mapping[str, str]) -> str:  # noqa: ARG002
        quoted = self.value.replace("'", "''")
        return f"\"{self.column}_l\" = '{quoted}' or \"{self.column}_r\" = '{quoted}'"

    def test(self, places: Mapping[str, int]) -> Test:
        n, value = places[self.column], self.value
        return lambda left, right: left[n] == value or right[n] == value


@dataclass(frozen=True)
class EndOf:
    """What one record has in `column` is the end of what the other has, whole words, and begins with one of `heads` and more."""

    column: str
    heads: tuple[str, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        return (self.column,)

    def sql(self, functions: Mapping[str, str]) -> str:  # noqa: ARG002
        left, right = f'"{self.column}_l"', f'"{self.column}_r"'
        return f"({self._ends(left, right)}) or ({self._ends(right, left)})"

    def _ends(self, whole: str, end: str) -> str:
        begins = " or ".join(f"{end} like '{head} %'" for head in self.heads)
        return f"right({whole}, length({end}) + 1) = ' ' || {end} and ({begins})"

    def test(self, places: Mapping[str, int]) -> Test:
        n, heads = places[self.column], tuple(f"{head} " for head in self.heads)

        def is_end(left: Features, right: Features) -> bool:
            a, b = left[n], right[n]
            if a is None or b is None or len(a) == len(b):
                return False
            whole, end = (a, b) if len(a) > len(b) else (b, a)
            return whole.endswith(" " + end) and end.startswith(heads)

        return is_end


@dataclass(frozen=True)
class Edits:
    """At most so many letters dropped, added, changed or swapped with their neighbour (Damerau-Levenshtein)."""

    column: str
    most: int

    @property
    def columns(self) -> tuple[str, ...]:
        return (self.column,)

    def sql(self, functions: Mapping[str, str]) -> str:
        left, right = f'"{self.column}_l"', f'"{self.column}_r"'
        # Lengths first: three times quicker for names, twenty for texts of two hundred letters (measured in DuckDB).
        return f"abs(length({left}) - length({right})) <= {self.most} and {functions['edits']}({left}, {right}) <= {self.most}"

    def test(self, places: Mapping[str, int]) -> Test:
        n, most = places[self.column], self.most
        distance = DamerauLevenshtein.distance

        def within(left: Features, right: Features) -> bool:
            a, b = left[n], right[n]
            if a is None or b is None or abs(len(a) - len(b)) > most:
                return False
            return distance(a, b, score_cutoff=most) <= most

        return within


@dataclass(frozen=True)
class Alike:
    """Jaro-Winkler similarity of at least `least`, for words (not for whole Vietnamese names: they begin alike)."""

    column: str
    least: float

    @property
    def columns(self) -> tuple[str, ...]:
        return (self.column,)

    def sql(self, functions: Mapping[str, str]) -> str:
        return f'{functions["alike"]}("{self.column}_l", "{self.column}_r") >= {self.least}'

    def test(self, places: Mapping[str, int]) -> Test:
        n, least = places[self.column], self.least
        similarity = JaroWinkler.similarity

        def alike(left: Features, right: Features) -> bool:
            a, b = left[n], right[n]
            return a is not None and b is not None and similarity(a, b) >= least

        return alike


@dataclass(frozen=True)
class Common:
    """Of the words in both columns, at least `of_ten` tenths are in common. A column holds each word once, with a space between."""

    column: str
    of_ten: int

    @property
    def columns(self) -> tuple[str, ...]:
        return (self.column,)

    def sql(self, functions: Mapping[str, str]) -> str:
        words = [f"{functions['words']}(\"{self.column}_{side}\", ' ')" for side in "lr"]
        common, left, right = (f"{functions['count']}({each})" for each in (f"{functions['in_common']}({', '.join(words)})", *words))
        return f"{common} * {10 + self.of_ten} >= {self.of_ten} * ({left} + {right})"  # whole numbers: every engine says the same

    def test(self, places: Mapping[str, int]) -> Test:
        n, of_ten = places[self.column], self.of_ten

        def common(left: Features, right: Features) -> bool:
            a, b = left[n], right[n]
            if a is None or b is None:
                return False
            ours, theirs = a.split(" "), b.split(" ")
            return len(set(ours) & set(theirs)) * (10 + of_ten) >= of_ten * (len(ours) + len(theirs))

        return common


@dataclass(frozen=True)
class Both:
    parts: tuple[Predicate, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(c for part in self.parts for c in part.columns)

    def sql(self, functions: Mapping[str, str]) -> str:
        return " and ".join(f"({part.sql(functions)})" for part in self.parts)

    def test(self, places: Mapping[str, int]) -> Test:
        tests = [part.test(places) for part in self.parts]
        if len(tests) == 2:
            first, second = tests
            return lambda left, right: first(left, right) and second(left, right)
        return lambda left, right: all(test(left, right) for test in tests)


@dataclass(frozen=True)
class Either:
    parts: tuple[Predicate, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(c for part in self.parts for c in part.columns)

    def sql(self, functions: Mapping[str, str]) -> str:
        return " or ".join(f"({part.sql(functions)})" for part in self.parts)

    def test(self, places: Mapping[str, int]) -> Test:
        tests = [part.test(places) for part in self.parts]
        if len(tests) == 2:
            first, second = tests
            return lambda left, right: first(left, right) or second(left, right)
        return lambda left, right: any(test(left, right) for test in tests)


@dataclass(frozen=True)
class Level:
    """One rung of a comparison. `when` None: whatever is left. `frequency_of`: the column whose rarity counts at this rung.

    `untaught_as`: the rung whose bits it has where nothing taught a model its own.
    """

    label: str
    when: Predicate | None
    frequency_of: str | None = None
    untaught_as: str | None = None


@dataclass(frozen=True)
class Comparison:
    """How one attribute, or a group of attributes that hang together, is compared: rungs from the strongest agreement down."""

    name: str
    empty: Predicate
    levels: tuple[Level, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """Every feature column it looks at, once, in order."""
        found = list(self.empty.columns)
        for level in self.levels:
            found += [] if level.when is None else list(level.when.columns)
            found += [] if level.frequency_of is None else [level.frequency_of]
        return tuple(dict.fromkeys(found))
