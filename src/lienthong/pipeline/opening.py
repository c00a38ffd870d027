"""The life of an entry of the list of open data: each act is judged, kept with all that was before, and in the ledger.

Data whose entry is not open is not given to everybody, whatever its contract says: the serving processes are told in the same transaction.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from lienthong.access import Actor, Role
from lienthong.access.opening import STATE_WORDS, STEPS, OpenAct, OpenState, follows
from lienthong.clock import vietnam_date
from lienthong.contracts import Contract, Sharing
from lienthong.errors import Conflict, Denied, NotFound, Unprocessable
from lienthong.ledger import Entry, Event
from lienthong.pipeline.releasing import require_checked
from lienthong.pipeline.workshop import Workshop
from lienthong.store import Connection, agreements, append_entries, catalogue
from lienthong.store.answers import newest_version, version_known_at
from lienthong.store.catalogue import OpenEntry

LONGEST_WORDS = 2_000
MOVED: dict[OpenAct, Event] = {
    OpenAct.PROPOSE: Event.OPENING_PROPOSED,
    OpenAct.APPROVE: Event.OPENING_APPROVED,
    OpenAct.REFUSE: Event.OPENING_REFUSED,
    OpenAct.PLAN: Event.OPENING_PLANNED,
    OpenAct.OPEN: Event.OPENING_OPENED,
    OpenAct.REVIEW: Event.OPENING_REVIEWED,
    OpenAct.REFRESH: Event.OPENING_REFRESH_ASKED,
    OpenAct.REFRESHED: Event.OPENING_REFRESHED,
    OpenAct.SUSPEND: Event.OPENING_SUSPENDED,
    OpenAct.WITHDRAW: Event.OPENING_WITHDRAWN,
}


@dataclass(frozen=True)
class Said:
    """What an act says: why (`words`), the law that restricts (`legal_text`), the number of the decision, the planned day."""

    words: str = ""
    legal_text: str = ""
    decision: str = ""
    publish_on: date | None = None


def move(workshop: Workshop, actor: Actor, dataset: str, act: OpenAct, said: Said = Said()) -> OpenEntry:
    """Do an act. Raises NotFound for no dataset, Denied for who may not, Conflict for what cannot be done from here, Unprocessable for missing words."""
    contract = workshop.contracts.get(dataset)
    if contract is None:
        raise NotFound(f"There is no dataset `{dataset[:80]}`.", vi=f"Không có bộ dữ liệu `{dataset[:80]}`.")
    _allow(actor, contract, act)
    _check_words(act, said, vietnam_date(workshop.clock()))
    at = workshop.clock()
    with workshop.database.connect() as connection:
        catalogue.lock_open_entry(connection, dataset)
        held = catalogue.open_entry(connection, dataset)
        state = None if held is None else OpenState(held.state)
        after = follows(act, state)
        if after is None:
            raise _not_from(state)
        if after is OpenState.OPEN and act in (OpenAct.OPEN, OpenAct.REFRESHED):
            _check_open(connection, contract, act, held, at)
        since = held.state_since if held is not None and state is after else at
        before = held if held is not None and act is not OpenAct.PROPOSE else None
        entry = OpenEntry(
            dataset, contract.agency, after.value, act.value, said.words.strip(), said.legal_text.strip(),
            said.decision.strip() or (before.decision if before else ""), said.publish_on or (before.publish_on if before else None),
            at if act in (OpenAct.REVIEW, OpenAct.APPROVE) else (before.reviewed_at if before else None), since, at, actor.name,
        )  # fmt: skip
        catalogue.keep_open_entry(connection, entry)
        if state is not after:
            agreements.move_edge(connection)
        append_entries(connection, [_entry(actor, contract, act, entry)], workshop.signer)
    return entry


def review_all(workshop: Workshop, actor: Actor, words: str) -> list[OpenEntry]:
    """The whole list is looked through: every entry on it is marked as reviewed. Raises Denied, Unprocessable without words."""
    if not words.strip():
        raise Unprocessable("A review of the list says what came of it.", vi="Rà soát danh mục phải nêu kết quả.")
    if not actor.may(*STEPS[OpenAct.REVIEW].roles):
        raise _not_in_role()
    with workshop.database.connect() as connection:
        standing = catalogue.open_entries(connection)
    on_it = [each for each in standing if follows(OpenAct.REVIEW, OpenState(each.state)) is not None and each.dataset in workshop.contracts]
    return [move(workshop, actor, each.dataset, OpenAct.REVIEW, Said(words=words)) for each in on_it]


def _allow(actor: Actor, contract: Contract, act: OpenAct) -> None:
    roles = STEPS[act].roles
    if not actor.may(*roles):
        raise _not_in_role()
    others = [role for role in roles if role is not Role.DATA_OFFICER]
    if not actor.is_of(contract.agency) and not actor.may(*others):
        raise Denied("This belongs to another agency.", rule="other_agency", vi="Việc này thuộc cơ quan khác.")


def _not_in_role() -> Denied:
    return Denied("This needs a role you do not have.", rule="no_role", vi="Không có vai trò cần cho việc này.")


def _check_words(act: OpenAct, said: Said, today: date) -> None:
    words = {"words": "lý do", "legal_text": "căn cứ pháp luật hạn chế", "decision": "số quyết định", "publish_on": "ngày công bố"}
    for name in STEPS[act].needs:
        value: Any = getattr(said, name)
        if not (value.strip() if isinstance(value, str) else value):
            raise Unprocessable(f"`{act}` needs `{name}`.", vi=f"Thiếu {words[name]} (`{name}`).")
    for name in ("words", "legal_text", "decision"):
        text: str = getattr(said, name)
        if len(text) > LONGEST_WORDS or "\x00" in text:
            raise Unprocessable(
                f"`{name}`: expected at most {LONGEST_WORDS} characters.", vi=f"`{name}`: nhiều nhất {LONGEST_WORDS} ký tự."
            )
    if act is OpenAct.PLAN and said.publish_on is not None and said.publish_on < today:
        raise Unprocessable("`publish_on`: a day to come.", vi="`publish_on`: cần một ngày chưa qua.")


def _check_open(connection: Connection, contract: Contract, act: OpenAct, held: OpenEntry | None, at: datetime) -> None:
    """Whether data may be given to everybody: its contract says open, it was checked, there is some, and it was refreshed where that was asked."""
    if contract.sharing is not Sharing.OPEN:
        raise Conflict(
            f"The contract of `{contract.id}` does not say `sharing: open`.", hint="Raise its version with `sharing: open` first.",
            vi="Hợp đồng dữ liệu chưa ghi `sharing: open`.", hint_vi="Trước hết hãy nâng phiên bản hợp đồng với `sharing: open`.",
        )  # fmt: skip
    version = newest_version(connection, contract.id) or 0
    if version == 0:
        raise Conflict("Nothing of it is published yet.", vi="Chưa có dữ liệu nào được công bố.")
    if act is OpenAct.REFRESHED and held is not None and version_known_at(connection, contract.id, held.state_since) == version:
        raise Conflict("No version was published since it was asked.", vi="Từ khi được yêu cầu, chưa có phiên bản mới nào.")
    require_checked(connection, contract, at)


def _not_from(state: OpenState | None) -> Conflict:
    if state is None:
        return Conflict(
            "It is not on the list of open data.",
            hint="Propose it first.",
            vi="Chưa có trong danh mục dữ liệu mở: cần đề xuất trước.",
            hint_vi="Hãy đề xuất trước.",
        )
    vi, en = STATE_WORDS[state]
    return Conflict(f"The entry is {en}: this cannot be done now.", vi=f"Mục này {vi}: không làm được việc này.", state=state.value)


def _entry(actor: Actor, contract: Contract, act: OpenAct, entry: OpenEntry) -> Entry:
    details: dict[str, Any] = {"state": entry.state}
    if entry.decision:
        details["decision"] = entry.decision
    if entry.publish_on is not None:
        details["publish_on"] = entry.publish_on.isoformat()
    return Entry(
        at=entry.since, event=MOVED[act], caller=actor.subsystem or actor.agency, official=actor.name, legal_basis=entry.legal_text,
        dataset=contract.id, outcome="done", details=details,
    )  # fmt: skip
