"""Acts on agreements: asked for, granted, refused, suspended, ended. Each is a step that is kept, an entry in the ledger, and in force within a second.

Two acts on one agreement happen one after another: the second sees what the first did, and is refused when it no longer fits.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from lienthong.access import (
    STATE_WORDS,
    STEPS,
    Act,
    Actor,
    Agreement,
    Clocks,
    Identity,
    Instruments,
    Offer,
    Register,
    Role,
    Side,
    State,
    answer_due,
    check_contract,
    faults_of_basis,
    follows,
    missing_parts,
    needs_two_persons,
    outside_offer,
    read_agreement,
    read_instruments,
    words_of_closed,
)
from lienthong.access.functions import Function, ground_of, read_functions
from lienthong.access.parts import PARTS
from lienthong.clock import VIETNAM, vietnam_date
from lienthong.contracts import Contract, Sharing
from lienthong.errors import Conflict, Denied, NotFound, Unprocessable
from lienthong.ledger import Entry, Event
from lienthong.pipeline.workshop import Workshop
from lienthong.settings import Settings
from lienthong.standards.working_days import WorkingDays, read_working_days
from lienthong.store import Connection, append_entries, events
from lienthong.store import agreements as store
from lienthong.store.agreements import Kept, NewStep

BY_RULE = Actor("platform", "", frozenset({Role.OPERATOR}))
OFFICERS = (Role.DATA_OFFICER, Role.LEADER)  # who may act for their agency
IN_FORCE = frozenset({State.ACTIVE, State.SUSPENDED})  # from then on data may have left
OPERATORS_OWN = frozenset({Act.ACTIVATE, Act.SUSPEND})  # what the platform's operator may do as well
BY_HAND = tuple(what for what in STEPS if what not in (Act.PROPOSE, Act.LAPSE))  # the others follow by rule
COPIES: Mapping[str, tuple[str, str]] = {
    "destroyed": ("hủy bản sao", "copies are destroyed"),
    "returned": ("trả lại bản sao", "copies are returned"),
    "kept": ("giữ theo pháp luật lưu trữ", "copies are kept under the law on archives"),
}
EVENTS: Mapping[Act, Event] = {
    Act.REQUEST: Event.AGREEMENT_REQUESTED,
    Act.DECLARE: Event.AGREEMENT_DECLARED,
    Act.PROPOSE: Event.AGREEMENT_PROPOSED,
    Act.GRANT: Event.AGREEMENT_GRANTED,
    Act.REFUSE: Event.AGREEMENT_REFUSED,
    Act.ACTIVATE: Event.AGREEMENT_ACTIVATED,
    Act.SUSPEND: Event.AGREEMENT_SUSPENDED,
    Act.RESUME: Event.AGREEMENT_RESUMED,
    Act.END: Event.AGREEMENT_ENDED,
    Act.LAPSE: Event.AGREEMENT_LAPSED,
    Act.CONFIRM_DESTRUCTION: Event.DESTRUCTION_CONFIRMED,
    Act.DEMAND_USAGE: Event.USAGE_DEMANDED,
    Act.REPORT_USAGE: Event.USAGE_REPORTED,
}


@dataclass(frozen=True)
class AgreementRules:
    """What acts on agreements go by: the calendar of offices, the law in force, the standing offer, the clocks, who settles disputes."""

    offices: WorkingDays = field(default_factory=read_working_days)
    instruments: Instruments = field(default_factory=read_instruments)
    offer: Offer = Offer()
    clocks: Clocks = Clocks()
    arbiter: str = ""
    functions: tuple[Function, ...] = ()


@dataclass(frozen=True)
class Said:
    """What an act says. `seen`: the step the person had before them; another since then, and the act is refused."""

    reason: str = ""
    legal_text: str = ""
    copies: str = ""
    seen: int | None = None


def rules_of(settings: Settings) -> AgreementRules:
    """The rules under these settings. Raises SettingsError."""
    s = settings
    return AgreementRules(
        read_working_days(Path(s.holidays) if s.holidays else None),
        read_instruments(Path(s.legal_instruments) if s.legal_instruments else None),
        Offer(s.offer_per_minute, s.offer_per_day, s.offer_term_days),
        Clocks(
            s.answer_working_days, s.answer_other_working_days, s.stop_notice_working_days, s.usage_working_days, s.reminder_days,
            s.destruction_days,
        ),
        s.arbiter,
        read_functions(Path(s.functions) if s.functions else None),
    )  # fmt: skip


def request(workshop: Workshop, rules: AgreementRules, register: Register, actor: Actor, document: Mapping[str, Any]) -> Kept:
    """File a request; what lies within the standing offer is granted by rule at once.

    Raises Unprocessable with every fault, Denied for another agency's subsystem and for a provider that has closed, Conflict when the same is asked for already.
    """
    at = workshop.clock()
    for word in ("id", "state"):
        if word in document:
            raise Unprocessable(
                f"`{word}` is the platform's to say, not the request's.", vi=f"`{word}` do nền tảng ghi, không nêu trong yêu cầu."
            )
    contract = workshop.contracts.get(str(document.get("dataset")))
    document = {**({} if contract is None else {"provider": contract.agency}), **document}
    with workshop.database.connect() as connection:
        number = f"YC-{vietnam_date(at).year}-{store.next_number(connection):06d}"
        agreement = _readable(workshop, {**document, "id": number}, State.REQUESTED)
        if not actor.is_of(Identity.parse(agreement.consumer).agency) or not actor.may(*OFFICERS):
            raise _not_theirs()
        _refuse_closed(register, agreement.provider, vietnam_date(at))
        _refuse_twice(connection, agreement)
        due = answer_due(contract, at, rules.offices, rules.clocks)
        asked = NewStep(Act.REQUEST, State.REQUESTED, actor, at, details={"due_on": due.isoformat()})
        if not store.add(connection, agreement.document, "request", None, asked):  # a file of the operator's has this number
            raise Conflict(
                f"The number {number} is taken.", hint="Ask again.", vi=f"Số {number} đã dùng; hãy gửi lại.", hint_vi="Hãy gửi lại yêu cầu."
            )
        kept = held(connection, number)
        entries = [entry_of(kept, Act.REQUEST, actor, at)]
        by_rule = _granted_by_rule(rules, agreement, contract, vietnam_date(at))
        if by_rule is not None:
            kept = next_step(connection, kept, Act.GRANT, BY_RULE, at, entries, by_rule)
            kept = _activated_if_ready(connection, kept, agreement, register, at, entries)
        store.move_edge(connection)
        append_entries(connection, entries, workshop.signer)
    return kept


def _refuse_closed(register: Register, provider: str, on: date) -> None:
    """Raises Denied for a request to an agency that has closed: nobody there would answer it."""
    if register.agencies.is_closed(provider, on):
        vi, en = words_of_closed(provider, register.agencies.replaced_by(provider, on))
        raise Denied(f"{en}.", rule="agency_closed", vi=f"{vi}.", en=f"{en}.")


def act(workshop: Workshop, rules: AgreementRules, register: Register, actor: Actor, id: str, what: Act, said: Said) -> Kept:  # fmt: skip
    """Do one of `BY_HAND`. Raises NotFound, Denied, Conflict (not from this state, or somebody was faster), Unprocessable (something is missing)."""
    at = workshop.clock()
    if what not in BY_HAND:
        raise Unprocessable(f"`{what}` is nothing a person does to an agreement.", vi=f"Không có việc `{what}` do người làm.")
    with workshop.database.connect() as connection:
        kept = held(connection, id)
        require_part(kept, actor, rules)
        _require_side(kept, what, actor)
        _require_fitting(kept, what, said)
        if what is Act.CONFIRM_DESTRUCTION:
            _refuse_said_before(connection, kept)
        entries: list[Entry] = []
        if what is Act.GRANT:
            kept = _granted(workshop, rules, register, connection, kept, actor, said, entries)
        else:
            if what is Act.ACTIVATE and not is_ready(register, kept.consumer, vietnam_date(at)):
                raise Conflict(
                    f"`{kept.consumer}` has no key in force: it cannot be given access yet.",
                    hint="Register the subsystem and its key first.",
                    vi=f"`{kept.consumer}` chưa có khóa còn hiệu lực nên chưa cấp được quyền.",
                    hint_vi="Đăng ký hệ thống và khóa của hệ thống trước.",
                )
            kept = next_step(connection, kept, what, actor, at, entries, _details(rules, kept, what, said, vietnam_date(at)), said)
        store.move_edge(connection)
        append_entries(connection, entries, workshop.signer)
    return kept


def suspend_all(workshop: Workshop, actor: Actor, dataset: str, said: Said) -> list[Kept]:
    """Suspend every active agreement of the actor's agency about a dataset, in one transaction."""
    at = workshop.clock()
    entries: list[Entry] = []
    suspended = []
    with workshop.database.connect() as connection:
        for one in store.standing(connection, provider=actor.agency, dataset=dataset, states=[State.ACTIVE]):
            kept = held(connection, one.id)
            if kept.state is not State.ACTIVE:  # somebody was faster
                continue
            _require_side(kept, Act.SUSPEND, actor)
            _require_fitting(kept, Act.SUSPEND, said)
            suspended.append(next_step(connection, kept, Act.SUSPEND, actor, at, entries, {"all": True}, said))
        if entries:
            store.move_edge(connection)
            append_entries(connection, entries, workshop.signer)
    return suspended


def lapse_all(workshop: Workshop, rules: AgreementRules) -> int:
    """End the agreements whose last day is past; how many."""
    at = workshop.clock()
    today, ended = vietnam_date(at), 0
    with workshop.database.connect() as connection:
        running = store.standing(connection, states=[State.GRANTED, State.ACTIVE, State.SUSPENDED])
    for one in running:
        if not _is_over(one, today):
            continue
        with workshop.database.connect() as connection:
            kept = held(connection, one.id)
            if not _is_over(kept, today) or follows(Act.LAPSE, kept.state) is None:
                continue
            entries: list[Entry] = []
            next_step(connection, kept, Act.LAPSE, BY_RULE, at, entries, _end_details(rules, kept, "destroyed", today))
            store.move_edge(connection)
            append_entries(connection, entries, workshop.signer)
            ended += 1
    return ended


def is_ready(register: Register, consumer: str, on: date) -> bool:
    """Whether a subsystem is there with a key in force."""
    subsystem = register.subsystems.get(consumer)
    return subsystem is not None and bool(subsystem.keys_on(on))


def require_part(kept: Kept, actor: Actor, rules: AgreementRules) -> None:
    """Only who has part in an agreement may know of it: both sides, the operator, the auditor, of refusals the arbiter. Raises NotFound."""
    sides = (kept.provider, Identity.parse(kept.consumer).agency)
    settles = bool(rules.arbiter) and kept.state is State.REFUSED and actor.is_of(rules.arbiter)
    if not (any(actor.is_of(side) for side in sides) or settles or actor.may(Role.OPERATOR, Role.AUDITOR)):
        raise no_such(kept.id)


def no_such(id: str) -> NotFound:
    return NotFound(f"There is no agreement `{id[:100]}` you have part in.", vi=f"Không có thỏa thuận `{id[:100]}` mà bên bạn tham gia.")


# What must hold before an act


def held(connection: Connection, id: str) -> Kept:
    """An agreement, kept from other acts until the transaction ends. Raises NotFound."""
    kept = store.lock(connection, id)
    if kept is None:
        raise no_such(id)
    return kept


def may_do(kept: Kept, what: Act, actor: Actor) -> bool:
    """Whether an act follows from the agreement's state and is the actor's, to offer it; doing it checks both again."""
    return follows(what, kept.state) is not None and _is_theirs(kept, what, actor)


def needs_of(kept: Kept, what: Act) -> tuple[str, ...]:
    """What an act must say. Of what was never in force nobody has copies: nothing is said of them."""
    return tuple(word for word in STEPS[what].needs if word != "copies" or kept.state in IN_FORCE)


def _is_theirs(kept: Kept, what: Act, actor: Actor) -> bool:
    of_provider, of_consumer = actor.is_of(kept.provider), actor.is_of(Identity.parse(kept.consumer).agency)
    is_theirs = {Side.PROVIDER: of_provider, Side.CONSUMER: of_consumer, Side.EITHER: of_provider or of_consumer}[STEPS[what].side]
    return (is_theirs and actor.may(*OFFICERS)) or (what in OPERATORS_OWN and actor.may(Role.OPERATOR))


def _require_side(kept: Kept, what: Act, actor: Actor) -> None:
    if not _is_theirs(kept, what, actor):
        raise _not_theirs()


def _require_fitting(kept: Kept, what: Act, said: Said) -> None:
    """The act follows from the present state, from the step the person saw, and says what it must."""
    if follows(what, kept.state) is None or (said.seen is not None and said.seen != kept.step):
        vi, en = STATE_WORDS[kept.state]
        raise Conflict(
            f"Agreement {kept.id} is {en} since {kept.at.isoformat()}: `{what}` does not follow from that.",
            hint=f"Look at it again: its newest step is {kept.step}.",
            vi=f"Thỏa thuận {kept.id} {vi} từ {kept.at.astimezone(VIETNAM):%d/%m/%Y %H:%M} nên không làm được việc này.",
            hint_vi=f"Hãy xem lại: bước mới nhất là {kept.step}.",
        )
    missing = [word for word in needs_of(kept, what) if not getattr(said, word).strip()]
    if missing:
        raise Unprocessable(f"`{what}` needs {', '.join(missing)}.", vi=f"Cần nêu {', '.join(_SAID_WORDS[word] for word in missing)}.")
    if said.copies and said.copies not in COPIES:
        raise Unprocessable(f"`copies`: expected one of {', '.join(COPIES)}.", vi=f"`copies`: cần một trong {', '.join(COPIES)}.")


def _refuse_said_before(connection: Connection, kept: Kept) -> None:
    """What became of copies is said once: a second word would leave two days, and nobody could tell which holds. Raises Conflict."""
    said = next((step for step in store.steps(connection, kept.id) if step.act == Act.CONFIRM_DESTRUCTION), None)
    if said is None:
        return
    who = f"{said.by} ({said.agency})" if said.agency else said.by
    when = said.at.astimezone(VIETNAM)
    raise Conflict(
        f"What became of the copies of {kept.id} was confirmed already: by {who} on {when:%d/%m/%Y at %H:%M}, “{said.reason}”.",
        hint=f"GET /v1/agreements/{kept.id}/history shows it.",
        vi=f"Việc xử lý bản sao của {kept.id} đã được xác nhận rồi: {who}, {when:%d/%m/%Y %H:%M}, “{said.reason}”.",
        hint_vi=f"Xem GET /v1/agreements/{kept.id}/history.",
        said_by=said.by, said_at=said.at.isoformat(), step=said.step,
    )  # fmt: skip


_SAID_WORDS = {"reason": "lý do", "legal_text": "văn bản, điều khoản pháp luật", "copies": "cách xử lý bản sao"}


def _not_theirs() -> Denied:
    return Denied(
        "This belongs to the other side of the agreement, or to a role you do not have.",
        rule="not_the_owner",
        vi="Việc này thuộc bên kia của thỏa thuận, hoặc vai trò khác.",
    )


def _readable(workshop: Workshop, document: Mapping[str, Any], state: State) -> Agreement:
    faults: list[tuple[str, str, str]] = []
    agreement = read_agreement(document, "agreement", faults, state)
    if agreement is not None:
        check_contract(agreement, workshop.contracts, "agreement", faults)
    if agreement is None or faults:
        told = "; ".join(f"{place.removeprefix('agreement: ')}: {what}{f' ({more})' if more else ''}" for place, what, more in faults[:20])
        raise Unprocessable(f"The request has {len(faults)} faults: {told}.", vi=f"Yêu cầu có {len(faults)} lỗi: {told}.")
    return agreement


def _refuse_twice(connection: Connection, agreement: Agreement) -> None:
    """The same content asked for again while the first waits: once is enough."""
    store.lock_name(connection, f"requests {agreement.consumer}")
    asked = _content(agreement.document)
    consumer = Identity.parse(agreement.consumer).agency
    for open_one in store.standing(connection, consumer=consumer, dataset=agreement.dataset, states=[State.REQUESTED]):
        if _content(open_one.document) == asked:
            raise Conflict(
                f"The same is asked for already: {open_one.id}.",
                hint=f"GET /v1/agreements/{open_one.id} says how it stands.",
                vi=f"Yêu cầu này đã có: {open_one.id}.",
                hint_vi=f"GET /v1/agreements/{open_one.id} cho biết tình trạng.",
            )


def _content(document: Mapping[str, Any]) -> dict[str, Any]:
    return {word: value for word, value in document.items() if word not in ("id", "term")}


def _require_grantable(rules: AgreementRules, agreement: Agreement, on: date) -> None:
    lacks = missing_parts(agreement.document)
    if lacks:
        vi, en = ("; ".join(PARTS[part][n] for part in lacks) for n in (0, 1))
        raise Unprocessable(f"The agreement lacks: {en}.", hint=", ".join(lacks), vi=f"Thỏa thuận còn thiếu: {vi}.")
    faults = faults_of_basis(agreement, rules.instruments, on)
    if faults:
        raise Unprocessable(
            f"The legal basis does not stand: {'; '.join(en for _, en in faults)}.",
            vi=f"Căn cứ pháp lý chưa đúng: {'; '.join(vi for vi, _ in faults)}.",
        )
    if agreement.ends_on is not None and agreement.ends_on < on:
        raise Unprocessable("The term is over before it is granted.", vi="Thời hạn đã qua trước khi chấp thuận.")


def _granted_by_rule(rules: AgreementRules, agreement: Agreement, contract: Contract | None, on: date) -> dict[str, Any] | None:
    """The rule that grants a request, as its step tells it; None where a person decides."""
    if contract is None:
        return None
    ground = ground_of(rules.functions, Identity.parse(agreement.consumer).agency, contract, on)
    if contract.sharing is not Sharing.DEFAULT and ground is None:
        return None
    if (
        missing_parts(agreement.document)
        or faults_of_basis(agreement, rules.instruments, on)
        or outside_offer(agreement, contract, rules.offer, is_given=ground is not None)
        or agreement.ends_on is None
        or agreement.ends_on < on
    ):
        return None
    return {"by_rule": "standing_offer"} if ground is None else {"by_rule": ground.rule, "legal_basis": ground.legal_basis}


# Steps


def _granted(
    workshop: Workshop, rules: AgreementRules, register: Register, connection: Connection, kept: Kept, actor: Actor, said: Said,
    entries: list[Entry],
) -> Kept:  # fmt: skip
    """Grant; where two persons are needed, the first only proposes, and the second must be another."""
    at = workshop.clock()
    agreement = _readable(workshop, kept.document, kept.state)
    _require_grantable(rules, agreement, vietnam_date(at))
    details: dict[str, Any] = {}
    if needs_two_persons(agreement, workshop.contracts.get(agreement.dataset)):
        if actor.subsystem:
            raise Denied(
                "Two persons grant this, each by their own sign-in: a system cannot.",
                rule="no_sign_in",
                vi="Thỏa thuận này cần hai người tự đăng nhập chấp thuận; hệ thống không làm thay được.",
            )
        proposed = store.last_steps(connection, [Act.PROPOSE], kept.id).get((kept.id, Act.PROPOSE))
        first = None if proposed is None or proposed[2].get("version") != kept.version else proposed[1]
        if first is None:
            return next_step(connection, kept, Act.PROPOSE, actor, at, entries, {"version": kept.version}, said)
        if first == actor.name:
            raise Conflict(
                "You proposed the grant; another person must agree.",
                hint="Ask a second officer or a leader of your agency.",
                vi="Bạn đã đề nghị chấp thuận; cần người thứ hai đồng ý.",
                hint_vi="Đề nghị cán bộ thứ hai hoặc một lãnh đạo của cơ quan bạn.",
            )
        details = {"first": first}
    kept = next_step(connection, kept, Act.GRANT, actor, at, entries, details, said)
    return _activated_if_ready(connection, kept, agreement, register, at, entries)


def _activated_if_ready(
    connection: Connection, kept: Kept, agreement: Agreement, register: Register, at: Any, entries: list[Entry]
) -> Kept:  # fmt: skip
    """Whoever has a key in force has access as soon as it is granted; others when the account is there."""
    if is_ready(register, agreement.consumer, vietnam_date(at)):
        return next_step(connection, kept, Act.ACTIVATE, BY_RULE, at, entries, {"by_rule": "key_in_force"})
    return kept


def next_step(
    connection: Connection, kept: Kept, what: Act, actor: Actor, at: Any, entries: list[Entry], details: Mapping[str, Any], said: Said = Said()
) -> Kept:  # fmt: skip
    """Take a step that follows and note its entry; the agreement as it stands then."""
    state = follows(what, kept.state)
    assert state is not None  # whoever calls has made sure
    store.add_step(connection, kept.id, kept.version, NewStep(what, state, actor, at, said.reason, said.legal_text, details))
    fresh = store.find(connection, kept.id)
    assert fresh is not None
    if fresh.state is not kept.state:  # the consumer's own stream says so, and nobody else's
        data = {"consumer": fresh.consumer, "agreement": fresh.id, "state": fresh.state}
        events.append(connection, f"agreement:{fresh.state}", fresh.dataset, fresh.id, data)
    entries.append(entry_of(fresh, what, actor, at, said.legal_text))
    return fresh


def _details(rules: AgreementRules, kept: Kept, what: Act, said: Said, today: date) -> dict[str, Any]:
    if what is Act.REFUSE:
        return {"copied_to": rules.arbiter} if rules.arbiter else {}
    if what is Act.END:
        return _end_details(rules, kept, said.copies, today)
    if what is Act.DEMAND_USAGE:
        return {"due_on": rules.offices.add(today, rules.clocks.usage).isoformat()}
    return {}


def _end_details(rules: AgreementRules, kept: Kept, copies: str, today: date) -> dict[str, Any]:
    """What happens to copies, and until when the consumer says it is done; nothing to confirm where nothing was ever given."""
    if kept.state not in IN_FORCE:
        return {"copies": copies} if copies else {}
    agreed = (kept.document.get("deletion") or {}).get("days")
    days = agreed if isinstance(agreed, int) and 0 <= agreed <= 36_500 else rules.clocks.destruction_days
    return {"copies": copies, "confirm_by": (today + timedelta(days=days)).isoformat()}


def _is_over(kept: Kept, today: date) -> bool:
    last = (kept.document.get("term") or {}).get("to")
    return isinstance(last, str) and date.fromisoformat(last[:10]) < today


def entry_of(kept: Kept, what: Act, actor: Actor, at: Any, legal_text: str = "") -> Entry:
    """What the ledger tells of a step."""
    document = json.dumps(kept.document, ensure_ascii=False, sort_keys=True)
    return Entry(
        at=at,
        event=EVENTS[what],
        caller=actor.subsystem or actor.agency or "platform",
        official=actor.name,
        legal_basis=legal_text[:500],
        agreement=kept.id,
        dataset=kept.dataset,
        outcome=kept.state,
        details={"version": kept.version, "step": kept.step, "document": hashlib.sha256(document.encode()).hexdigest()},
    )
