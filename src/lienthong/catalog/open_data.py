"""The list of open data as it is told: where each entry stands, what is due by when, on which law the terms rest."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from typing import Any

from lienthong.access.opening import (
    ACT_WORDS,
    DUE_WORDS,
    GIVEN,
    LEGAL_BASIS,
    STATE_WORDS,
    Due,
    OpenAct,
    OpenClocks,
    OpenState,
    dues,
    follows,
)
from lienthong.catalog.measuring import promised_seconds
from lienthong.clock import vietnam_date
from lienthong.contracts import Contract
from lienthong.settings import Settings
from lienthong.store.catalogue import OpenEntry
from lienthong.store.pages import StandingNow


def clocks_of(settings: Settings) -> OpenClocks:
    return OpenClocks(settings.open_review_months, settings.open_refresh_months)


def dues_of(entry: OpenEntry, contract: Contract, updated_at: datetime | None, clocks: OpenClocks) -> tuple[Due, ...]:
    """What must be done with an entry and by when."""
    promised = promised_seconds(contract)
    return dues(
        OpenState(entry.state),
        vietnam_date(entry.reviewed_at or entry.state_since),
        vietnam_date(entry.state_since),
        entry.publish_on,
        None if updated_at is None else vietnam_date(updated_at),
        None if promised is None else timedelta(seconds=promised).days,
        clocks,
    )


def told(entry: OpenEntry, contract: Contract, updated_at: datetime | None, today: date, settings: Settings) -> dict[str, Any]:
    """An entry of the list, with its terms and what can be done from here."""
    state = OpenState(entry.state)
    return {
        "state": entry.state,
        "state_words": {"vi": STATE_WORDS[state][0], "en": STATE_WORDS[state][1]},
        "is_given": state in GIVEN,
        "since": entry.state_since,
        "decision": entry.decision,
        "publish_on": entry.publish_on,
        "reviewed_at": entry.reviewed_at,
        "words": entry.words,
        "legal_text": entry.legal_text,
        "due": [
            {"what": due.what, "words": {"vi": DUE_WORDS[due.what][0], "en": DUE_WORDS[due.what][1]}, "by": due.by, "is_overdue": due.is_overdue(today)}
            for due in dues_of(entry, contract, updated_at, clocks_of(settings))
        ],
        "acts": [{"act": act.value, "vi": ACT_WORDS[act][0], "en": ACT_WORDS[act][1]} for act in OpenAct if follows(act, state) is not None],
        "legal_basis": [{"text": b.text, "valid_from": b.valid_from, "valid_to": b.valid_to} for b in LEGAL_BASIS],
    }  # fmt: skip


def late(
    entries: Iterable[OpenEntry], contracts: Mapping[str, Contract], standings: Mapping[str, StandingNow], today: date, settings: Settings
) -> list[tuple[OpenEntry, Due]]:
    """What is overdue of the list, entry by entry."""
    found = []
    for entry in entries:
        contract, standing = contracts.get(entry.dataset), standings.get(entry.dataset)
        if contract is not None:
            by = dues_of(entry, contract, standing.known_at if standing else None, clocks_of(settings))
            found += [(entry, due) for due in by if due.is_overdue(today)]
    return found


def listed(
    entries: Iterable[OpenEntry], contracts: Mapping[str, Contract], standings: Mapping[str, StandingNow], today: date, settings: Settings,
    *, overdue_only: bool = False,
) -> list[dict[str, Any]]:  # fmt: skip
    """The list whole, or what is overdue of it, the longest overdue first."""
    found = []
    for entry in entries:
        contract = contracts.get(entry.dataset)
        if contract is None:
            continue
        standing = standings.get(entry.dataset)
        facts = told(entry, contract, standing.known_at if standing else None, today, settings)
        late = [due["by"] for due in facts["due"] if due["is_overdue"]]
        if late or not overdue_only:
            found.append(
                (
                    min(late, default=date.max),
                    {"dataset": entry.dataset, "title": contract.title_vi, "title_en": contract.title_en, "agency": entry.agency, **facts},
                )
            )
    return [facts for _, facts in sorted(found, key=lambda each: (each[0], each[1]["dataset"]))]
