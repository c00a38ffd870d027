"""How long bodies of entries stay in the store, and how long in archives: by class of event, by law, the longest rule that fits wins.

Leaves and proofs stay for ever. What no class names is kept for ever too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import msgspec

from lienthong.errors import SettingsError


@dataclass(frozen=True)
class RetentionRule:
    """Bodies of a class stay `here_days` in the store and `kept_days` in all, from the day of the entry; good from a day on."""

    name: str
    here_days: int
    kept_days: int
    legal_basis: str
    valid_from: date
    valid_to: date | None = None


CLASSES: Mapping[str, tuple[str, ...]] = {
    "answers": ("answer:", "call:", "match:entity:asked", "citizen:uses:", "report:", "ledger:receipt:"),
    "access": ("token:", "person:session:", "person:factor:", "act:request:"),
    "data": ("run:", "contract:", "submission:", "quarantine:", "sync:"),
}
# The longest rule of a class wins (TCVN 11930:2017 sets only the shortest terms of logs, by level of the system).
RULES: tuple[RetentionRule, ...] = (
    RetentionRule("answers", 730, 730, "TT 46/2022/TT-BCA điều 8", date(2022, 12, 1)),
    RetentionRule("answers", 1_826, 3_653, "Luật Bảo vệ dữ liệu cá nhân 91/2025/QH15 điều 23", date(2026, 1, 1)),
    RetentionRule("access", 365, 365, "TCVN 11930:2017, cấp độ 5", date(2017, 1, 1)),
    RetentionRule("access", 730, 1_826, "Luật Bảo vệ dữ liệu cá nhân 91/2025/QH15 điều 23", date(2026, 1, 1)),
    RetentionRule("data", 1_826, 3_653, "NĐ 165/2025/NĐ-CP điều 5", date(2025, 7, 1)),
)


class _Head(msgspec.Struct):
    at: datetime
    event: str


_READ = msgspec.json.Decoder(_Head).decode


@dataclass(frozen=True)
class Retention:
    """Class → (days here, days in all)."""

    terms: Mapping[str, tuple[int, int]]

    def leaves_at(self, bodies: Iterable[bytes]) -> tuple[datetime, datetime] | None:
        """(when these bodies may leave the store, when they may be destroyed), by the longest term among them; None: never."""
        here: datetime | None = None
        kept: datetime | None = None
        for body in bodies:
            entry = _READ(body)
            term = self.terms.get(class_of(entry.event) or "")
            if term is None:
                return None
            here = max(filter(None, (here, entry.at + timedelta(days=term[0]))))
            kept = max(filter(None, (kept, entry.at + timedelta(days=term[1]))))
        return None if here is None or kept is None else (here, kept)


def class_of(event: str) -> str | None:
    """The class of an event; None: it is kept for ever."""
    return next((name for name, prefixes in CLASSES.items() if event.startswith(prefixes)), None)


def retention(own: str, on: date, rules: Sequence[RetentionRule] = RULES) -> Retention:
    """The terms of a day: the longest rule of each class, or the province's own where it is longer (`answers=3653/7305 …`).

    Raises SettingsError for a class that is not known, a term that is no number, or one shorter than the law's.
    """
    terms: dict[str, tuple[int, int]] = {}
    for rule in rules:
        if rule.valid_from <= on and (rule.valid_to is None or on < rule.valid_to):
            here, kept = terms.get(rule.name, (0, 0))
            terms[rule.name] = (max(here, rule.here_days), max(kept, rule.kept_days))
    for text in own.split():
        name, _, said = text.partition("=")
        here_text, _, kept_text = said.partition("/")
        if name not in terms or not (here_text.isdecimal() and kept_text.isdecimal()):
            raise SettingsError(
                f"LIENTHONG_RETENTION: expected CLASS=DAYS/DAYS, found `{text[:40]}`.", hint=f"Classes: {', '.join(terms)}."
            )
        here, kept = int(here_text), int(kept_text)
        if here < terms[name][0] or kept < max(terms[name][1], here):
            least = "/".join(str(days) for days in terms[name])
            raise SettingsError(f"LIENTHONG_RETENTION: `{name}` is at least {least} by law, found `{said}`.", hint="The longest rule wins.")
        terms[name] = (here, kept)
    return Retention(terms)
