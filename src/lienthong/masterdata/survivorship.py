"""Which value of an attribute survives, of all that registers say. A function of the statements, never of their order.

The rules of the contract are asked one after another until one value stands alone. `survivorship_frame.py` does the same for
many golden records at once, and a property test holds the two together. What a contract's own expression scores is asked of whoever
knows that language: it is handed in.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

import msgspec
import polars as pl

from lienthong.contracts import Contract, SurvivorshipRule

USUAL = tuple(SurvivorshipRule(rule) for rule in ("recent", "complete", "frequent", "longest"))
ONLY = "only"  # the rule told where every register says the same
STEWARD = "steward"  # the rule told where a person decided
LAST = "smallest"  # what decides when no rule does
WORD = r"[^ \-/,.]+"  # the same to both engines of patterns
NUMBER = r"-?[0-9]{1,30}(\.[0-9]{1,30})?"


class Statement(NamedTuple):
    """One register's value of one attribute. `source` is the register, `record` the key there, `dated` the register's own date."""

    attribute: str
    value: Any
    source: str
    record: str
    dated: date | None = None


class Other(NamedTuple):
    """A value that lost."""

    value: Any
    source: str
    record: str
    dated: date | None


class Chosen(NamedTuple):
    """The value that survived, from where, by which rule, and those that lost (distinct values, in order)."""

    value: Any
    source: str
    record: str
    rule: str
    dated: date | None
    others: tuple[Other, ...] = ()


@dataclass(frozen=True)
class Override:
    """A steward's value: it stands until its last day, whatever registers say. A value of None says there is none.

    `golden` is given those in force: which have ended is asked where there is a clock.
    """

    attribute: str
    value: Any
    by: str
    reason: str
    until: date | None = None


# An expression and statements (`value`, `register`, `record`, `dated`, `records`, all texts) → a number for each, null where there is none.
Scores = Callable[[str, pl.DataFrame], pl.Series]


def no_scores(_: str, statements: pl.DataFrame) -> pl.Series:
    """Where nobody reads expressions, they tell nothing apart."""
    return pl.repeat(None, statements.height, dtype=pl.Float64, eager=True)


@dataclass(frozen=True)
class Policy:
    """Attribute → rules in order of appeal; `scores` reads those that are expressions."""

    rules: Mapping[str, tuple[SurvivorshipRule, ...]]
    scores: Scores = no_scores

    def of(self, attribute: str) -> tuple[SurvivorshipRule, ...]:
        return self.rules.get(attribute) or USUAL


def policy_of(master: Contract, scores: Scores = no_scores) -> Policy:
    """The policy a master contract states; attributes that say nothing have the usual rules."""
    return Policy({p.name: p.survivorship for p in master.properties if p.survivorship}, scores)


def golden(statements: Iterable[Statement], policy: Policy, overrides: Sequence[Override] = ()) -> dict[str, Chosen]:
    """Choose one value per attribute.

    Statements need no order; what no rule decides falls to the smallest (value, source, record), so the result does not depend on
    input order. An attribute with no statement is absent, never None, unless a steward said there is none.
    """
    by_attribute: dict[str, list[Statement]] = {}
    for statement in statements:
        if statement.value is not None:
            by_attribute.setdefault(statement.attribute, []).append(statement)
    chosen = {attribute: _choose(said, policy.of(attribute), policy.scores) for attribute, said in sorted(by_attribute.items())}
    for override in overrides:
        before = chosen.get(override.attribute)
        said = () if before is None else (Other(before.value, before.source, before.record, before.dated), *before.others)
        others = tuple(each for each in said if each.value != override.value)
        chosen[override.attribute] = Chosen(override.value, STEWARD, override.by, STEWARD, None, others)
    return chosen


def _choose(said: Sequence[Statement], rules: Sequence[SurvivorshipRule], scores: Scores) -> Chosen:
    """Narrow the statements rule by rule; the rule told is the one after which a single value was left."""
    if len(said) == 1:
        only = said[0]
        return Chosen(only.value, only.source, only.record, ONLY, only.dated)
    if all(each.value == said[0].value for each in said):  # no rule is needed
        first = min(said, key=_by_source)
        return Chosen(first.value, first.source, first.record, ONLY, first.dated)
    left = list(said)
    told = ONLY
    for rule in rules:
        if len({each.value for each in left}) == 1:
            break
        rank = _scored(left, rule.parameters, scores) if rule.rule == "expression" else _RANKS[rule.rule](left, rule.parameters)
        best = min(map(rank, left))
        narrowed = [each for each in left if rank(each) == best]
        if len(narrowed) < len(left):
            told = rule.rule
        left = narrowed
    if len({each.value for each in left}) > 1:
        told = LAST
    winner = min(left, key=lambda each: (str(each.value), each.source, each.record))
    others = {
        str(each.value): Other(each.value, each.source, each.record, each.dated)
        for each in sorted(said, key=lambda each: (each.source, each.record), reverse=True)
        if each.value != winner.value
    }
    return Chosen(winner.value, winner.source, winner.record, told, winner.dated, tuple(others[value] for value in sorted(others)))


def _by_source(said: Statement) -> tuple[str, str]:
    return said.source, said.record


Rank = Callable[[Statement], Any]  # the smaller the better


def _authority(_: Sequence[Statement], parameters: Mapping[str, Any]) -> Rank:
    order = {source: n for n, source in enumerate(parameters["of"])}
    return lambda each: order.get(each.source, len(order))


def _recent(_: Sequence[Statement], __: Mapping[str, Any]) -> Rank:
    return lambda each: -each.dated.toordinal() if each.dated is not None else 0


def _complete(_: Sequence[Statement], __: Mapping[str, Any]) -> Rank:
    return lambda each: -completeness(str(each.value))


def completeness(text: str) -> int:
    """How much a value says: words, and one more for marks; a date's parts count as words (1990-05-20 says more than 1990)."""
    return len(re.findall(WORD, text)) * 2 + (not text.isascii())


def _frequent(left: Sequence[Statement], __: Mapping[str, Any]) -> Rank:
    counts = Counter(each.value for each in left)
    return lambda each: -counts[each.value]


def _longest(_: Sequence[Statement], __: Mapping[str, Any]) -> Rank:
    return lambda each: -len(str(each.value))


def _largest(left: Sequence[Statement], _: Mapping[str, Any]) -> Rank:
    order = {value: -n for n, value in enumerate(sorted({each.value for each in left}, key=_by_size))}
    return lambda each: order[each.value]


def _smallest(left: Sequence[Statement], _: Mapping[str, Any]) -> Rank:
    order = {value: n for n, value in enumerate(sorted({each.value for each in left}, key=_by_size))}
    return lambda each: order[each.value]


def _by_size(value: Any) -> tuple[int, float, str]:
    """Numbers by their size, then texts by the alphabet; what is equal in size, such as 1 and 1.0, by how it is written."""
    text = str(value)
    return (0, float(text), text) if re.fullmatch(NUMBER, text, re.ASCII) else (1, 0.0, text)


def _prefer(_: Sequence[Statement], parameters: Mapping[str, Any]) -> Rank:
    pattern = re.compile(str(parameters["pattern"]))
    return lambda each: 0 if pattern.fullmatch(str(each.value)) else 1


def _scored(left: Sequence[Statement], parameters: Mapping[str, Any], scores: Scores) -> Rank:
    counts = Counter(each.value for each in left)
    rows = [
        (str(each.value), each.source, each.record, None if each.dated is None else each.dated.isoformat(), str(counts[each.value]))
        for each in left
    ]
    told = scores(str(parameters["score"]), pl.DataFrame(rows, schema=STATEMENT, orient="row"))
    ranks = {id(each): rank for each, rank in zip(left, rank_of(told).to_list(), strict=True)}
    return lambda each: ranks[id(each)]


STATEMENT = dict.fromkeys(("value", "register", "record", "dated", "records"), pl.String)


def rank_of(scores: pl.Series) -> pl.Series:
    """The largest score first, none last."""
    return (-scores.fill_nan(None)).fill_null(float("inf"))


_RANKS: Mapping[str, Callable[[Sequence[Statement], Mapping[str, Any]], Rank]] = {
    "authority": _authority,
    "recent": _recent,
    "complete": _complete,
    "frequent": _frequent,
    "longest": _longest,
    "largest": _largest,
    "smallest": _smallest,
    "prefer": _prefer,
}


def provenance(chosen: Mapping[str, Chosen]) -> str:
    """{attribute: [source, record, rule, distinct values]} as JSON, attributes in alphabetical order."""
    found = {name: [c.source, c.record, c.rule, 1 + len(c.others)] for name, c in sorted(chosen.items())}
    return msgspec.json.encode(found).decode()
