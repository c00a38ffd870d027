"""Acts on what goes on beside the platform: a direct link is reported, its ground stated by the platform's owner, it moves or ends; paper is counted.

Each act is kept with the law in force that day and is in the ledger: by numbers and codes, never the words of a letter.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from lienthong.access import Actor, Register, Role, words_of_closed
from lienthong.access.beside import (
    LAW_OF_LINKS,
    LAW_OF_PAPER,
    LINK_STEPS,
    LINK_WORDS,
    Could,
    Ground,
    LinkAct,
    LinkState,
    could_carry,
    law_on,
)
from lienthong.clock import VIETNAM, vietnam_date
from lienthong.errors import Conflict, Denied, NotFound, Unprocessable
from lienthong.ledger import Entry, Event
from lienthong.pipeline.agreeing import OFFICERS, AgreementRules
from lienthong.pipeline.granting import agency_code
from lienthong.pipeline.workshop import Workshop
from lienthong.store import Connection, append_entries
from lienthong.store import beside as store
from lienthong.store.beside import Link, NewLink, NewLinkStep, NewPaper, Paper

MOST_RECORDS = 10_000_000
FIRST_DAY = date(2000, 1, 1)
LONGEST_WORDS = 2_000
LONGEST_NUMBER = 100
_ID = re.compile(r"[a-z0-9][a-z0-9._-]{0,99}")
EVENTS: Mapping[LinkAct, Event] = {
    LinkAct.REPORT: Event.DIRECT_LINK_REPORTED,
    LinkAct.STATE: Event.DIRECT_LINK_STATED,
    LinkAct.DECLINE: Event.DIRECT_LINK_DECLINED,
    LinkAct.END: Event.DIRECT_LINK_ENDED,
}
SAID_WORDS: Mapping[str, str] = {
    "ground": "căn cứ", "reason": "lý do", "document_no": "số văn bản", "dated_on": "ngày văn bản", "until": "thời hạn",
}  # fmt: skip


@dataclass(frozen=True)
class LinkTerms:
    """`answer`: working days for the platform's owner to answer a report; `most_days`: for which a statement lets a link stand."""

    answer: int = 10
    most_days: int = 365


@dataclass(frozen=True)
class Stated:
    """What an act on a link says. `seen`: the step the person had before them; another since then, and the act is refused."""

    reason: str = ""
    ground: Ground | None = None
    document_no: str = ""
    dated_on: date | None = None
    until: date | None = None
    seen: int | None = None


def report_link(
    workshop: Workshop, rules: AgreementRules, terms: LinkTerms, register: Register, actor: Actor, link: NewLink
) -> Link:  # fmt: skip
    """A link between two agencies' own systems is told of; the platform's owner has so many working days to say whether it may stand.

    Raises Denied for who is of neither agency, Unprocessable with what does not fit, Conflict when it is known.
    """
    at, today = workshop.clock(), vietnam_date(workshop.clock())
    _require_part(actor, link.provider, link.consumer)
    _require_words(content=link.content)
    _require_id(link.dataset)
    _require_agencies(register, today, link.provider, link.consumer)
    if not FIRST_DAY <= link.since <= today:
        raise Unprocessable("`since`: a day from 2000 that has been.", vi="`since`: một ngày từ năm 2000, không ở tương lai.")
    carried = could_carry(register, workshop.contracts, link.consumer, link.dataset, today)
    with workshop.database.connect() as connection:
        store.lock_pair(connection, link.provider, link.consumer)
        for known in store.links(connection, agency=link.provider):
            same = (known.provider, known.consumer, known.dataset, known.content) == (
                link.provider,
                link.consumer,
                link.dataset,
                link.content,
            )
            if same and known.state is not LinkState.ENDED:
                raise Conflict(f"This link is known: {known.link}.", vi=f"Kết nối này đã được ghi: {known.link}.")
        number = f"KN-{today.year}-{store.next_link(connection):06d}"
        due_on = rules.offices.add(today, terms.answer)
        basis = law_on(LAW_OF_LINKS, rules.instruments, today)
        step = NewLinkStep(LinkAct.REPORT, LinkState.REPORTED, actor, at, basis, due_on=due_on)
        store.add_link(connection, number, link, carried, step)
        kept = _held(connection, number)
        details = {"provider": link.provider, "consumer": link.consumer, "could": str(carried.by)}
        append_entries(connection, [_entry(kept, step, details)], workshop.signer)
    return kept


def act_on_link(
    workshop: Workshop, rules: AgreementRules, terms: LinkTerms, actor: Actor, number: str, what: LinkAct, said: Stated
) -> Link:  # fmt: skip
    """State that a link may stand until a day, decline that, or end the link. Raises NotFound, Denied, Conflict, Unprocessable."""
    at, today = workshop.clock(), vietnam_date(workshop.clock())
    rule = LINK_STEPS.get(what)
    if rule is None:
        raise Unprocessable(f"`{what}` is nothing that is done to a known link.", vi=f"Không có việc `{what}`.")
    with workshop.database.connect() as connection:
        link = store.lock_link(connection, number)
        if link is None or not may_see(link, actor):
            raise no_such_link(number)
        if rule.is_owners and not actor.may(Role.OPERATOR):
            raise Denied(
                "Only the platform's owner says whether a link may be direct.",
                rule="not_the_owner",
                vi="Chỉ cơ quan quản lý nền tảng được cho ý kiến về kết nối trực tiếp.",
            )
        if not actor.may(Role.OPERATOR):
            _require_part(actor, link.provider, link.consumer)
        _require_fitting(link, what, said)
        if rule.is_owners:
            _require_days(said, today, terms)
        step = NewLinkStep(
            what, rule.after, actor, at, law_on(LAW_OF_LINKS, rules.instruments, today), said.reason.strip(),
            said.ground if what is LinkAct.STATE else None, said.document_no.strip(), said.dated_on, said.until,
        )  # fmt: skip
        store.add_link_step(connection, number, step)
        kept = _held(connection, number)
        details = {} if step.due_on is None else {"until": step.due_on.isoformat()}
        append_entries(connection, [_entry(kept, step, details | ({"ground": str(step.ground)} if step.ground else {}))], workshop.signer)
    return kept


def record_paper(workshop: Workshop, rules: AgreementRules, register: Register, actor: Actor, paper: NewPaper) -> Paper:
    """Count a letter that asked another agency for data, with what could have carried it.

    Raises Denied for who is of neither agency, Unprocessable with what does not fit, Conflict when the letter is recorded.
    """
    at, today = workshop.clock(), vietnam_date(workshop.clock())
    _require_part(actor, paper.asker, paper.asked)
    _require_words(content=paper.content, document_no=paper.document_no)
    _require_id(paper.dataset)
    if len(paper.document_no) > LONGEST_NUMBER:
        raise Unprocessable(f"`document_no`: at most {LONGEST_NUMBER} letters.", vi=f"Số công văn dài nhất {LONGEST_NUMBER} ký tự.")
    if not FIRST_DAY <= paper.sent_on <= today:
        raise Unprocessable("`sent_on`: a day from 2000 that has been.", vi="`sent_on`: một ngày từ năm 2000, không ở tương lai.")
    if not 0 < paper.records <= MOST_RECORDS:
        raise Unprocessable("`records`: how many it asks about, from 1.", vi="`records`: số hồ sơ được hỏi, từ 1.")
    _require_agencies(register, paper.sent_on, paper.asker, paper.asked)
    carried = could_carry(register, workshop.contracts, paper.asker, paper.dataset, paper.sent_on)
    basis = law_on(LAW_OF_PAPER, rules.instruments, paper.sent_on)
    with workshop.database.connect() as connection:
        number = store.add_paper(connection, paper, carried, basis, actor, at)
        if number is None:
            raise Conflict("This letter is recorded already.", vi="Công văn này đã được ghi.")
        details = {"request": number, "asker": paper.asker, "asked": paper.asked, "records": paper.records, "could": str(carried.by)}
        append_entries(connection, [_of_paper(Event.PAPER_RECORDED, actor, at, paper.dataset, details, carried.agreement)], workshop.signer)
    return Paper(number, paper, carried, basis, actor.name, actor.agency, at)


def withdraw_paper(workshop: Workshop, actor: Actor, number: int, reason: str) -> None:
    """A letter recorded by mistake counts no longer. Raises NotFound for none of one's agency, Denied, Unprocessable."""
    at = workshop.clock()
    if not actor.may(*OFFICERS, Role.OPERATOR):
        raise _not_theirs()
    _require_words(reason=reason)
    agency = None if actor.may(Role.OPERATOR) else actor.agency
    with workshop.database.connect() as connection:
        if not store.withdraw_paper(connection, number, agency, actor.name, reason.strip(), at):
            raise NotFound("No such letter was recorded by your agency.", vi="Cơ quan bạn không ghi công văn nào như vậy.")
        append_entries(connection, [_of_paper(Event.PAPER_WITHDRAWN, actor, at, "", {"request": number})], workshop.signer)


def may_see(link: Link, actor: Actor) -> bool:
    """Both agencies, the platform's operators and auditors."""
    return actor.is_of(link.provider) or actor.is_of(link.consumer) or actor.may(Role.OPERATOR, Role.AUDITOR)


def no_such_link(number: str) -> NotFound:
    return NotFound(
        f"There is no direct link `{number[:60]}` of your agency.", vi=f"Không có kết nối trực tiếp `{number[:60]}` của cơ quan bạn."
    )


def is_late(link: Link, today: date) -> bool:
    """Whether somebody should have acted: the platform's owner on a report or a statement that is over, both sides on a link that must move."""
    return link.state is not LinkState.ENDED and link.due_on is not None and link.due_on < today


def _held(connection: Connection, number: str) -> Link:
    link = next(iter(store.links(connection, link=number)), None)
    if link is None:
        raise no_such_link(number)
    return link


def _require_part(actor: Actor, *agencies: str) -> None:
    if not (any(actor.is_of(agency) for agency in agencies) and actor.may(*OFFICERS)) and not actor.may(Role.OPERATOR):
        raise _not_theirs()


def _not_theirs() -> Denied:
    return Denied(
        "This needs an officer of one of the two agencies, or the platform's operator.",
        rule="other_agency",
        vi="Việc này cần cán bộ của một trong hai cơ quan, hoặc người vận hành nền tảng.",
    )


def _require_words(**words: str) -> None:
    for name, text in words.items():
        if not text.strip() or len(text) > LONGEST_WORDS:
            raise Unprocessable(f"`{name}`: 1 to {LONGEST_WORDS:,} letters.", vi=f"`{name}`: từ 1 đến {LONGEST_WORDS} ký tự.")


def _require_id(dataset: str) -> None:
    """An id stands in the ledger, so it is one and nothing else; whether there is such data is not said."""
    if dataset and _ID.fullmatch(dataset) is None:
        raise Unprocessable("`dataset`: the id of a dataset or service.", vi="`dataset`: mã bộ dữ liệu hoặc dịch vụ.")


def _require_agencies(register: Register, on: date, *codes: str) -> None:
    """Two agencies' codes, neither closed on that day: whoever writes to one that is, is told who took its place."""
    if len(set(codes)) < len(codes):
        raise Unprocessable("Two agencies are needed.", vi="Cần hai cơ quan khác nhau.")
    for code in codes:
        if agency_code(code) != code:
            raise Unprocessable(f"`{code[:40]}` is no agency's code.", vi=f"`{code[:40]}` không phải mã cơ quan.")
        if register.agencies.is_closed(code, on):
            vi, en = words_of_closed(code, register.agencies.replaced_by(code, on))
            raise Unprocessable(f"{en}.", vi=f"{vi}.")


def _require_fitting(link: Link, what: LinkAct, said: Stated) -> None:
    rule = LINK_STEPS[what]
    if link.state not in rule.before or (said.seen is not None and said.seen != link.step):
        vi, en = LINK_WORDS[link.state]
        raise Conflict(
            f"{link.link}: {en} since {link.at.isoformat()}; `{what}` does not follow from that.",
            hint=f"Look at it again: its newest step is {link.step}.",
            vi=f"{link.link}: {vi} từ {link.at.astimezone(VIETNAM):%d/%m/%Y %H:%M} nên không làm được việc này.",
            hint_vi=f"Hãy xem lại: bước mới nhất là {link.step}.",
        )
    missing = [word for word in rule.needs if getattr(said, word) is None or not str(getattr(said, word)).strip()]
    if missing:
        raise Unprocessable(f"`{what}` needs {', '.join(missing)}.", vi=f"Cần nêu {', '.join(SAID_WORDS[word] for word in missing)}.")
    if len(said.reason) > LONGEST_WORDS or len(said.document_no) > LONGEST_NUMBER:
        raise Unprocessable("The words are too long.", vi="Lời quá dài.")


def _require_days(said: Stated, today: date, terms: LinkTerms) -> None:
    latest = today + timedelta(days=terms.most_days)
    if said.until is None or not today <= said.until <= latest:
        raise Unprocessable(
            f"`until`: from today to {latest.isoformat()}.",
            hint="A statement is given anew when its days are over.",
            vi=f"`until`: từ hôm nay đến {latest:%d/%m/%Y}.",
            hint_vi="Khi hết thời hạn thì nêu ý kiến lại bằng văn bản mới.",
        )
    if said.dated_on is not None and not FIRST_DAY <= said.dated_on <= today:
        raise Unprocessable("`dated_on`: a day from 2000 that has been.", vi="`dated_on`: một ngày từ năm 2000, không ở tương lai.")


def _entry(link: Link, step: NewLinkStep, details: Mapping[str, Any]) -> Entry:
    return Entry(
        at=step.at, event=EVENTS[step.act], caller=step.actor.subsystem or step.actor.agency or "platform", official=step.actor.name,
        legal_basis=step.basis, dataset=link.dataset, agreement=link.carried.agreement, outcome=str(step.state),
        details={"link": link.link, **details},
    )  # fmt: skip


def _of_paper(
    event: Event, actor: Actor, at: datetime, dataset: str, details: Mapping[str, Any], agreement: str = ""
) -> Entry:  # fmt: skip
    outcome = str(details.get("could", Could.NOTHING)) if event is Event.PAPER_RECORDED else "withdrawn"
    return Entry(
        at=at, event=event, caller=actor.subsystem or actor.agency or "platform", official=actor.name, dataset=dataset, agreement=agreement,
        outcome=outcome, details=dict(details),
    )  # fmt: skip
