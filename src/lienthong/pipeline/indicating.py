"""Reckons indicators and freezes their figures; asks the owner of a figure to explain it, and takes the answer.

A figure is reckoned anew when what it reads has changed, its definition has, or its closing time has come; it becomes a new revision only when
it says something else. Each revision, question and answer has its entry in the ledger.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from lienthong.access import Actor, Role
from lienthong.clock import vietnam_date
from lienthong.contracts.indicators import Indicator, Period, ReadStanding, State, judge, period_of
from lienthong.contracts.indicators.formula_model import BASE, PLACE, PLACED_ON, VALUE
from lienthong.contracts.indicators.model import Empty, Level
from lienthong.errors import Conflict, Denied, LienthongError, NotFound, StoreError, Unprocessable
from lienthong.ledger import Entry, Event
from lienthong.log import get_logger
from lienthong.pipeline.units import follow
from lienthong.pipeline.workshop import Workshop
from lienthong.standards import show_number
from lienthong.standards.admin_units import BEGINNING, units_by_code
from lienthong.store import Connection, append_entries, dataset_lock
from lienthong.store import indicators as store
from lienthong.store.indicators import Figure, Part, Question

PLATFORM = "lienthong"
LONGEST_WORDS = 2_000
DIGITS = 12  # significant ones kept of a sum: adding in another order must not make another figure
log = get_logger("indicators")
DueOn = Callable[[date], date]


Measured = tuple[float | None, float | None, Mapping[str, Any]]  # value, base, how it came about
Measure = Callable[[Connection], Measured]


@dataclass(frozen=True)
class Computed:
    """What came of one period: `revision` None where nothing new was to be said."""

    indicator: str
    period: str
    state: str
    total: float | None
    revision: int | None


def compute_all(
    workshop: Workshop, indicators: Iterable[Indicator], measures: Mapping[str, Measure], seconds: int, *, everything: bool = False
) -> list[Computed]:  # fmt: skip
    """Reckon what may have changed; one indicator that fails is told and the others go on. `everything`: whatever was looked at before."""
    done: list[Computed] = []
    follow(workshop)
    for indicator in indicators:
        try:
            done += compute(workshop, indicator, measures, seconds, everything=everything)
        except LienthongError as error:
            log.warning("indicator_failed", indicator=indicator.id, error=error.code, why=error.message)
    return done


def compute(
    workshop: Workshop, indicator: Indicator, measures: Mapping[str, Measure], seconds: int, *, everything: bool = False
) -> list[Computed]:  # fmt: skip
    """Reckon the periods of one indicator that its file keeps, the oldest first. Raises StoreError when its formula fails."""
    with workshop.database.connect(autocommit=True) as guard, dataset_lock(guard, f"indicator {indicator.id}", wait_seconds=seconds):
        now = workshop.clock()
        here = period_of(indicator.period, vietnam_date(now))
        done = []
        for back in reversed(range(indicator.keeps if indicator.formula else 2)):
            found = _compute_period(workshop, indicator, here.earlier(back), measures, seconds, now, everything=everything)
            if found is not None:
                done.append(found)
        return done


def _compute_period(
    workshop: Workshop, indicator: Indicator, period: Period, measures: Mapping[str, Measure], seconds: int, now: datetime, *,
    everything: bool,
) -> Computed | None:  # fmt: skip
    with workshop.database.connect() as connection:
        standings = store.read_standings(connection, indicator.reads)
        last = store.newest(connection, indicator.id, period.code)
        seen = _seen(indicator, period, standings, now)
        if indicator.measure and _is_past(period, now) and (last is None or last.state == State.FINAL):
            return None  # a measure tells of now: a period nobody looked at while it was has no figure
        if not everything and indicator.formula and store.seen(connection, indicator.id, period.code) == seen:
            return None
    if len(standings) < len(indicator.reads):
        missing = sorted(set(indicator.reads) - {each.dataset for each in standings})
        raise StoreError(
            f"`{indicator.id}` reads `{missing[0]}`, which is not applied.",
            hint=f"Run `lienthong contract apply` for {', '.join(missing)}.",
        )
    parts, details = _parts(workshop, indicator, period, measures, seconds, standings)
    return _freeze(workshop, indicator, period, parts, details, standings, seen, now)


def _seen(indicator: Indicator, period: Period, standings: Sequence[ReadStanding], now: datetime) -> str:
    """What a figure depends on: while it is the same, reckoning again would give the same."""
    state, faults = judge(indicator, period, now, standings, has_value=True)
    told = [indicator.digest, state.value, faults, [(s.dataset, s.version, s.contract_digest) for s in standings]]
    return hashlib.sha256(json.dumps(told, default=str).encode()).hexdigest()


def _is_past(period: Period, now: datetime) -> bool:
    return vietnam_date(now) >= period.until


def _parts(
    workshop: Workshop,
    indicator: Indicator,
    period: Period,
    measures: Mapping[str, Measure],
    seconds: int,
    standings: Sequence[ReadStanding],
) -> tuple[list[Part], Mapping[str, Any]]:
    if indicator.formula is None:
        with workshop.database.connect() as connection:
            value, base, details = measures[indicator.measure](connection)
        return ([] if value is None else [Part("", BEGINNING, _rounded(value), base)]), details
    rows = store.run_formula(workshop.database, indicator.formula, period, seconds)
    parts = placed(indicator, rows, period.until - timedelta(days=1))
    if not parts and indicator.empty is Empty.ZERO and all(each.version for each in standings):
        parts = [Part("", BEGINNING, 0.0, 0.0 if indicator.has_base else None)]
    return parts, {}


def placed(indicator: Indicator, rows: Iterable[Mapping[str, Any]], otherwise: date) -> list[Part]:
    """A formula's rows gathered by the unit in force where and when each was recorded; what names no unit is gathered under none.

    Raises StoreError for a value that is no number.
    """
    sums: dict[tuple[str, date], tuple[list[float], list[float]]] = {}
    for row in rows:
        values, bases = sums.setdefault(unit_key(indicator.level, row.get(PLACE), row.get(PLACED_ON) or otherwise), ([], []))
        if row[VALUE] is not None:
            values.append(_number(indicator, row[VALUE]))
        if row.get(BASE) is not None:
            bases.append(_number(indicator, row[BASE]))
    return [
        Part(code, since, _rounded(math.fsum(values)), _rounded(math.fsum(bases)) if indicator.has_base else None)
        for (code, since), (values, bases) in sorted(sums.items())
        if values or bases
    ]


def unit_key(level: Level, code: Any, on: date) -> tuple[str, date]:
    """The key of the unit a code named on a day; that of the day's other side where it named none; nothing for no unit of the level."""
    units = [unit for unit in units_by_code().get(str(code or ""), []) if unit.level == level.value]
    if not units:
        return "", BEGINNING
    chosen = next((unit for unit in units if unit.is_valid(on)), None) or max(units, key=lambda unit: unit.valid_from)
    return chosen.code, chosen.valid_from


def _number(indicator: Indicator, value: Any) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError) as error:
        raise StoreError(
            f"`{indicator.id}`: the formula gave something that is no number.", hint="`value` and `base` are numbers."
        ) from error
    if not math.isfinite(number):
        raise StoreError(f"`{indicator.id}`: the formula gave a number without end.", hint="Look for a division or an infinite value.")
    return number


def _rounded(value: float) -> float:
    return float(f"{value:.{DIGITS}g}")


def _freeze(
    workshop: Workshop, indicator: Indicator, period: Period, parts: Sequence[Part], details: Mapping[str, Any],
    standings: Sequence[ReadStanding], seen: str, now: datetime,
) -> Computed:  # fmt: skip
    value = _rounded(math.fsum(part.value for part in parts)) if parts else None
    base = _rounded(math.fsum(part.base or 0.0 for part in parts)) if parts and indicator.has_base else None
    total = indicator.total(value, base)
    total = None if total is None else _rounded(total)
    state, faults = judge(indicator, period, now, standings, has_value=total is not None)
    with workshop.database.connect() as connection:
        last = store.newest(connection, indicator.id, period.code)
        store.look(connection, indicator.id, period.code, seen, now)
        if last is not None and _says_the_same(connection, last, indicator, state, total, faults, parts):
            return Computed(indicator.id, period.code, state.value, total, None)
        store.keep_definition(connection, indicator.digest, indicator.id, definition_of(indicator), now)
        reads = [reading(each) for each in standings]
        number, revision = store.add_figure(
            connection, indicator.id, indicator.digest, period, state=state.value, total=total, value=value, base=base,
            target=indicator.target(period), faults=faults, reads=reads, details=details, parts=parts, at=now,
        )  # fmt: skip
        told = {
            "indicator": indicator.id, "period": period.code, "revision": revision, "figure": number, "state": state.value,
            "definition": indicator.digest, "parts": len(parts), "reads": {each.dataset: each.version for each in standings},
        }  # fmt: skip
        made = store.figures(connection, [number])[0]
        entry = Entry(
            now, Event.FIGURE_COMPUTED, PLATFORM, answer_digest=figure_digest(made, parts), outcome=state.value, details=told
        )  # fmt: skip
        append_entries(connection, [entry], workshop.signer)
    return Computed(indicator.id, period.code, state.value, total, revision)


def _says_the_same(
    connection: Connection, last: Figure, indicator: Indicator, state: State, total: float | None, faults: Sequence[tuple[str, str]],
    parts: Sequence[Part],
) -> bool:  # fmt: skip
    told = (last.state, last.total, last.definition, [tuple(fault) for fault in last.faults])
    return told == (state.value, total, indicator.digest, list(faults)) and store.parts(connection, last.figure) == list(parts)


def reading(standing: ReadStanding) -> dict[str, Any]:
    """A dataset as it was read, as it is kept beside a figure."""
    return {
        "dataset": standing.dataset,
        "version": standing.version,
        "contract_version": standing.contract_version,
        "contract_digest": standing.contract_digest,
        "delivered_at": None if standing.delivered_at is None else standing.delivered_at.isoformat(),
        "quarantined_percent": standing.quarantined_percent,
    }


def definition_of(indicator: Indicator) -> dict[str, Any]:
    """What is kept of a definition beside its figures."""
    return {
        "id": indicator.id,
        "title": indicator.title_vi,
        "title_en": indicator.title_en,
        "definition": indicator.definition_vi,
        "definition_en": indicator.definition_en,
        "owner": indicator.owner,
        "unit": indicator.unit_vi,
        "unit_en": indicator.unit_en,
        "decimals": indicator.decimals,
        "period": indicator.period.value,
        "level": indicator.level.value,
        "scale": indicator.scale,
        "has_base": indicator.has_base,
        "formula": indicator.formula.text if indicator.formula else "",
        "measure": indicator.measure,
    }


def figure_digest(figure: Figure, parts: Sequence[Part]) -> str:
    """Hex SHA-256 of what a figure says: anybody who is shown the figure can reckon it again and find its entry in the ledger."""
    return hashlib.sha256(figure_bytes(figure, parts)).hexdigest()


def figure_bytes(figure: Figure, parts: Sequence[Part]) -> bytes:
    """What is hashed: JSON with sorted names and no spaces."""
    told = {
        "indicator": figure.indicator, "period": figure.period, "revision": figure.revision, "state": figure.state, "total": figure.total,
        "value": figure.value, "base": figure.base, "definition": figure.definition, "reads": list(figure.reads),
        "parts": [[part.code, part.valid_from.isoformat(), part.value, part.base] for part in parts],
    }  # fmt: skip
    return json.dumps(told, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def ask(
    workshop: Workshop, indicator: Indicator, figure: Figure, actor: Actor, words: str, due_on: DueOn, *, place: str = "",
    place_on: date | None = None,
) -> int:  # fmt: skip
    """A leader asks the owner of a figure to explain it; gives the question's number. Raises Denied, Unprocessable."""
    if not actor.may(Role.LEADER):
        raise Denied("Only leaders ask for explanations.", rule="no_role", vi="Chỉ lãnh đạo yêu cầu giải trình.", en="Only leaders ask.")
    now = workshop.clock()
    today = vietnam_date(now)
    made = Question(
        0, figure.figure, indicator.id, figure.period, place, place_on or today, indicator.owner, checked_words(words), actor.name,
        actor.agency, now, due_on(today),
    )  # fmt: skip
    with workshop.database.connect() as connection:
        number = store.ask(connection, made)
        details = {
            "question": number,
            "indicator": indicator.id,
            "period": figure.period,
            "figure": figure.figure,
            "owner": indicator.owner,
            "place": place,
        }
        entry = Entry(
            now, Event.EXPLANATION_ASKED, actor.subsystem or actor.agency or PLATFORM, official=actor.name, outcome="open", details=details
        )
        append_entries(connection, [entry], workshop.signer)
    return number


def answer(workshop: Workshop, number: int, actor: Actor, words: str) -> Question:
    """The owner answers; the answer stays beside the number. Raises NotFound, Denied for another agency, Conflict when it was answered."""
    now = workshop.clock()
    text = checked_words(words)
    with workshop.database.connect() as connection:
        question = store.question(connection, number)
        if question is None:
            raise NotFound(f"There is no question {number}.", vi=f"Không có yêu cầu giải trình {number}.")
        if not actor.is_of(question.owner) or not actor.may(Role.DATA_OFFICER, Role.LEADER):
            raise Denied(
                "This is answered by another agency.", rule="other_agency", vi="Việc này thuộc cơ quan khác.", en="Another agency answers."
            )
        if not store.answer(connection, number, text, actor.name, now):
            raise Conflict(f"Question {number} is answered already.", vi=f"Yêu cầu {number} đã được trả lời.")
        late = vietnam_date(now) > question.due_on
        details = {"question": number, "indicator": question.indicator, "period": question.period, "is_late": late}
        entry = Entry(
            now,
            Event.EXPLANATION_GIVEN,
            actor.subsystem or actor.agency or PLATFORM,
            official=actor.name,
            outcome="answered",
            details=details,
        )
        append_entries(connection, [entry], workshop.signer)
    return question


def checked_words(words: str) -> str:
    """What somebody wrote. Raises Unprocessable for nothing, or too much."""
    text = words.strip()
    if not 0 < len(text) <= LONGEST_WORDS or "\x00" in text:
        raise Unprocessable(f"Expected 1 to {LONGEST_WORDS:,} characters.", vi=f"Cần từ 1 đến {show_number(LONGEST_WORDS)} ký tự.")
    return text
