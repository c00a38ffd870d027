"""Subsystems and their keys: registered, proved, rotated with overlap, revoked. Each is an entry in the ledger and in force within a second.

A key is taken when it has signed a question of ours: who registers it holds the private part. The operator's folder is one
door in: what its files say is taken over as acts. A key revoked by an act never comes back, and none serves two subsystems,
or sandbox and production both.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from secrets import token_urlsafe
from typing import Any

from joserfc.errors import JoseError
from joserfc.jwk import import_key

from lienthong.access import HIGHEST_LEVEL, PRODUCTION, Actor, ApprovedLevel, Identity, Lowest, PublicKey, Role, Subsystem, verify_proof
from lienthong.access.load import SECRET_PARTS
from lienthong.clock import vietnam_date
from lienthong.errors import Conflict, Denied, Gone, NotFound, Unprocessable
from lienthong.ledger import Entry, Event
from lienthong.pipeline.leveling import require_level
from lienthong.pipeline.onboarding import require_ready
from lienthong.pipeline.workshop import Workshop
from lienthong.store import Connection, append_entries
from lienthong.store import agencies as tree
from lienthong.store import agreements as edges
from lienthong.store import security_levels as levels
from lienthong.store import subsystems as store
from lienthong.store.subsystems import KeptKey, KeptSubsystem, Question

FOLDER = "folder"
KEEPERS = (Role.DATA_OFFICER, Role.INTEGRATOR, Role.OPERATOR)
ANSWER_WITHIN = timedelta(minutes=10)
MOST_KEYS = 10
LONGEST_TITLE = 200
LONGEST_OVERLAP_DAYS = 90
WARN_DAYS = 30
LARGEST_LEVEL_FILE = 5_000_000
NO_LEVEL = Lowest(0, 0)
KEY_KINDS: Mapping[str, tuple[str, ...]] = {"OKP": ("crv", "x"), "EC": ("crv", "x", "y"), "RSA": ("n", "e")}


@dataclass(frozen=True)
class Expiry:
    """A key whose last day is near or past."""

    identifier: str
    kid: str
    environment: str
    valid_to: date
    days_left: int
    has_next: bool


def register(workshop: Workshop, actor: Actor, identifier: str, title_vi: str, title_en: str) -> KeptSubsystem:
    """A new subsystem of the actor's agency (of any, for an operator), or new titles of one. Raises Denied, BadRequest, Unprocessable."""
    agency = Identity.parse(identifier).agency
    _require_keeper(actor, agency)
    if not all(text.strip() and len(text) <= LONGEST_TITLE and "\x00" not in text for text in (title_vi, title_en)):
        raise Unprocessable(f"A subsystem has a Vietnamese and an English title of at most {LONGEST_TITLE} characters.", vi="Cần tên gọi.")
    at = workshop.clock()
    with workshop.database.connect() as connection:
        _refuse_closed(connection, agency, at)
        known = store.find(connection, identifier)
        if known is not None and known.origin == FOLDER:
            raise Conflict(
                "This subsystem is described in the operator's folder.", vi="Hệ thống này được khai trong thư mục của người vận hành."
            )
        fresh = KeptSubsystem(identifier, agency, title_vi.strip(), title_en.strip(), True, "act" if known is None else known.origin)
        _keep(workshop, connection, fresh, actor, at, Event.SUBSYSTEM_REGISTERED)
    return fresh


def close(workshop: Workshop, actor: Actor, identifier: str, reason: str) -> None:
    """Close a subsystem: its tokens are refused within a second. Raises NotFound, Denied."""
    at = workshop.clock()
    with workshop.database.connect() as connection:
        known = _known(connection, actor, identifier)
        if not known.is_active:
            raise Conflict("This subsystem is closed already.", vi="Hệ thống này đã đóng.")
        _keep(workshop, connection, replace(known, is_active=False), actor, at, Event.SUBSYSTEM_CLOSED, reason=reason[:200])


def record_level(
    workshop: Workshop, actor: Actor, identifier: str, approved: ApprovedLevel, content: bytes | None
) -> ApprovedLevel:  # fmt: skip
    """Record the decision that approves a subsystem's security level, with the file that shows it; without, `approved` has the file's digest.

    Raises NotFound, Unprocessable naming what cannot be.
    """
    at = workshop.clock()
    if content:
        approved = replace(approved, sha256=hashlib.sha256(content).hexdigest())
    _refuse_odd_level(approved, content, vietnam_date(at))
    with workshop.database.connect() as connection:
        known = _known(connection, actor, identifier)
        levels.keep(connection, known.identifier, approved, content, actor.name, at)
        details = {name: value if isinstance(value, int) else str(value) for name, value in vars(approved).items()}
        append_entries(connection, [_entry(at, Event.LEVEL_RECORDED, actor, known.identifier, details)], workshop.signer)
    return approved


def ask_proof(
    workshop: Workshop, actor: Actor, identifier: str, jwk: Any, environment: str, *, is_gated: bool = True, lowest: Lowest = NO_LEVEL
) -> tuple[str, datetime]:  # fmt: skip
    """(a question the new key must sign, until when). `is_gated`: a first production key needs what onboarding asks for, and every one an
    approved security level of at least `lowest`. Raises Unprocessable for what is no public key, Conflict for one that is taken.
    """
    at = workshop.clock()
    public = public_key(jwk)
    with workshop.database.connect() as connection:
        known = _known(connection, actor, identifier)
        _refuse_taken(connection, public, identifier, environment)
        is_first = not any(key.environment == environment for key in store.keys(connection, identifier))
        if is_gated and environment == PRODUCTION and known.origin != FOLDER:
            require_level(connection, workshop.contracts, identifier, lowest, vietnam_date(at))
            if is_first and known.origin == "act":
                require_ready(connection, identifier)
        challenge = token_urlsafe(32)
        expires_at = at + ANSWER_WITHIN
        store.ask(connection, challenge, Question(identifier, environment, public, actor.name, expires_at), at)
    return challenge, expires_at


def add_key(
    workshop: Workshop, actor: Actor, challenge: str, proof: str, audience: str, *, overlap_days: int | None = None, valid_to: date | None = None
) -> KeptKey:  # fmt: skip
    """Take the key that signed the question. `overlap_days`: the older keys of that environment are good so many days more.

    Raises Gone for a question that is not open, Unauthenticated when the signature does not fit.
    """
    at = workshop.clock()
    today = vietnam_date(at)
    if overlap_days is not None and not 0 <= overlap_days <= LONGEST_OVERLAP_DAYS:
        raise Unprocessable(
            f"An overlap is 0 to {LONGEST_OVERLAP_DAYS} days.", vi=f"Thời gian gối nhau từ 0 đến {LONGEST_OVERLAP_DAYS} ngày."
        )
    if valid_to is not None and valid_to < today:
        raise Unprocessable("The last day is past.", vi="Ngày cuối đã qua.")
    with workshop.database.connect() as connection:
        question = store.answer(connection, challenge)
        connection.commit()  # asked and answered, right or wrong
        if question is None or question.expires_at <= at or question.asked_by != actor.name:
            raise Gone(
                "This question is not open.", hint="Ask for a new one.", vi="Câu hỏi này không còn mở.", hint_vi="Hãy xin câu hỏi mới."
            )
        known = _known(connection, actor, question.identifier)
        verify_proof(proof, question.jwk, known.identifier, audience, challenge, at)
        _refuse_taken(connection, question.jwk, known.identifier, question.environment)
        older = [key for key in store.keys(connection, known.identifier) if key.environment == question.environment]
        if len(older) >= MOST_KEYS:
            raise Conflict(
                f"A subsystem has at most {MOST_KEYS} keys.",
                hint="Revoke one first.",
                vi=f"Nhiều nhất {MOST_KEYS} khóa.",
                hint_vi="Hãy thu hồi một khóa trước.",
            )
        jwk = question.jwk
        key = KeptKey(known.identifier, jwk["kid"], thumbprint(jwk), jwk, question.environment, "challenge", today, valid_to)
        if any(each.kid == key.kid for each in older):
            raise Conflict(
                "A key of this name is there already.",
                hint="Choose another `kid`.",
                vi="Đã có khóa mang tên này.",
                hint_vi="Chọn `kid` khác.",
            )
        store.add_key(connection, key, actor.name, at)
        if overlap_days is not None:
            last = today + timedelta(days=overlap_days)
            for each in older:
                if each.valid_to is None or each.valid_to > last:
                    store.date_key(connection, each, each.valid_from, last)
        details = {"kid": key.kid, "thumbprint": key.thumbprint, "environment": key.environment, "overlap_days": overlap_days}
        _close_act(workshop, connection, [_entry(at, Event.KEY_ADDED, actor, known.identifier, details)])
    return key


def revoke_key(workshop: Workshop, actor: Actor, identifier: str, environment: str, kid: str, reason: str) -> None:
    """Take a key no longer, nor any token got with it, from the next second on. Raises NotFound."""
    at = workshop.clock()
    with workshop.database.connect() as connection:
        _known(connection, actor, identifier)
        if not store.revoke_key(connection, identifier, environment, kid, actor.name, reason[:500], at):
            raise NotFound("There is no such key in force.", vi="Không có khóa này đang hiệu lực.")
        _close_act(workshop, connection, [_entry(at, Event.KEY_REVOKED, actor, identifier, {"kid": kid, "environment": environment})])


def take_over(workshop: Workshop, declared: Mapping[str, Subsystem], environment: str) -> int:
    """Make the store say what the operator's files say of subsystems; how many acts that took. A file that is gone closes its subsystem."""
    with workshop.database.connect() as connection:
        if not _acts_of_folder(connection, declared, environment):
            return 0
        connection.execute("select pg_advisory_xact_lock(hashtext('lienthong subsystems from files'))")
        at, by = workshop.clock(), Actor(FOLDER, "", frozenset({Role.OPERATOR}))
        entries: list[Entry] = []
        for act in _acts_of_folder(connection, declared, environment):
            entries.append(_do(connection, act, by, at))
        _close_act(workshop, connection, entries)
    return len(entries)


def read_subsystems(connection: Connection, environment: str) -> dict[str, Subsystem]:
    """All subsystems with their keys of one environment: a key of the other opens nothing here."""
    held: dict[str, list[PublicKey]] = {}
    for key in store.keys(connection):
        if key.environment == environment:
            held.setdefault(key.identifier, []).append(PublicKey(key.jwk, key.valid_from, key.valid_to))
    return {
        each.identifier: Subsystem(
            each.identifier, each.agency, each.title_vi, each.title_en, tuple(held.get(each.identifier, ())), each.is_active
        )
        for each in store.everything(connection).values()
    }


def expiring(connection: Connection, today: date, days: int = WARN_DAYS) -> list[Expiry]:
    """Keys whose last day is at most so many days away, or past, soonest first; and whether a later one is there."""
    keys = store.keys(connection)
    found = []
    for key in keys:
        last = key.valid_to
        if last is None or (last - today).days > days:
            continue
        others = [k for k in keys if (k.identifier, k.environment) == (key.identifier, key.environment) and k.kid != key.kid]
        has_next = any(k.valid_to is None or k.valid_to > last for k in others)
        found.append(Expiry(key.identifier, key.kid, key.environment, last, (last - today).days, has_next))
    return sorted(found, key=lambda e: (e.valid_to, e.identifier))


def public_key(jwk: Any) -> dict[str, Any]:
    """The public JWK of what was sent. Raises Unprocessable: not a key we take, or a private one."""
    if not isinstance(jwk, dict) or not isinstance(jwk.get("kid"), str) or not 0 < len(jwk["kid"]) <= 100 or not jwk["kid"].isprintable():
        raise Unprocessable("Expected a public JWK with a `kid`.", vi="Cần khóa công khai (JWK) có `kid`.")
    if SECRET_PARTS & set(jwk):
        raise Unprocessable(
            "This is a private key. It is spoilt now: make another.",
            hint="Send the public part only.",
            vi="Đây là khóa riêng, đã lộ: hãy tạo khóa khác.",
            hint_vi="Chỉ gửi phần công khai của khóa.",
        )
    kind = KEY_KINDS.get(str(jwk.get("kty")))
    try:
        public = {"kty": jwk["kty"], "kid": jwk["kid"], **{name: str(jwk[name]) for name in kind or ()}}
        key = import_key(dict(public))
        bits = getattr(getattr(key, "raw_value", None), "key_size", 0)
    except (JoseError, ValueError, TypeError, KeyError) as error:
        raise Unprocessable("This is no key.", vi="Đây không phải là khóa.") from error
    if kind is None or (public["kty"] == "RSA" and bits < 2048) or public.get("crv", "P-256") not in ("P-256", "Ed25519"):
        raise Unprocessable("Expected Ed25519, P-256, or RSA of at least 2048 bits.", vi="Cần Ed25519, P-256, hoặc RSA từ 2048 bit.")
    return public


def thumbprint(jwk: Mapping[str, Any]) -> str:
    """RFC 7638."""
    return import_key(dict(jwk)).thumbprint()


def _acts_of_folder(connection: Connection, declared: Mapping[str, Subsystem], environment: str) -> list[tuple[str, Any]]:
    """What must be done so that the store says what the files say: ('keep', subsystem) | ('key', key) | ('date', key) | ('revoke', key)."""
    known = store.everything(connection)
    held: dict[str, dict[str, KeptKey]] = {}
    for key in store.keys(connection):
        if key.proof == FOLDER and key.environment == environment:
            held.setdefault(key.identifier, {})[key.thumbprint] = key
    acts: list[tuple[str, Any]] = []
    for identifier, subsystem in sorted(declared.items()):
        wanted = KeptSubsystem(identifier, subsystem.agency, subsystem.title_vi, subsystem.title_en, subsystem.is_active, FOLDER)
        if known.get(identifier) != wanted:
            acts.append(("keep", wanted))
        acts += _key_acts(connection, subsystem, held.pop(identifier, {}), environment)
    acts += [("revoke", key) for keys in held.values() for key in keys.values()]
    gone = [each for each in known.values() if each.origin == FOLDER and each.is_active and each.identifier not in declared]
    return [*acts, *(("keep", replace(each, is_active=False)) for each in gone)]


def _key_acts(connection: Connection, subsystem: Subsystem, held: dict[str, KeptKey], environment: str) -> list[tuple[str, Any]]:
    acts: list[tuple[str, Any]] = []
    for key in subsystem.keys:
        try:
            print_ = thumbprint(key.jwk)
        except (JoseError, ValueError, TypeError, KeyError):
            continue  # a key that is none opens nothing
        known = held.pop(print_, None)
        wanted = KeptKey(
            subsystem.identifier, str(key.jwk["kid"]), print_, dict(key.jwk), environment, FOLDER, key.valid_from, key.valid_to
        )
        if known is None and not store.was_revoked(connection, print_):
            acts.append(("key", wanted))
        elif known is not None and (known.valid_from, known.valid_to) != (key.valid_from, key.valid_to):
            acts.append(("date", wanted))
    return [*(("revoke", key) for key in held.values()), *acts]


def _do(connection: Connection, act: tuple[str, Any], by: Actor, at: datetime) -> Entry:
    what, thing = act
    if what == "keep":
        store.keep(connection, thing, by.name, at)
        event = Event.SUBSYSTEM_REGISTERED if thing.is_active else Event.SUBSYSTEM_CLOSED
        return _entry(at, event, by, thing.identifier, {"origin": FOLDER})
    details = {"kid": thing.kid, "thumbprint": thing.thumbprint, "environment": thing.environment}
    if what == "key":
        store.add_key(connection, thing, by.name, at)
        return _entry(at, Event.KEY_ADDED, by, thing.identifier, details)
    if what == "date":
        store.date_key(connection, thing, thing.valid_from, thing.valid_to)
        return _entry(at, Event.KEY_ADDED, by, thing.identifier, {**details, "valid_to": str(thing.valid_to)})
    store.revoke_key(connection, thing.identifier, thing.environment, thing.kid, by.name, "gone from the folder", at)
    return _entry(at, Event.KEY_REVOKED, by, thing.identifier, details)


def _keep(
    workshop: Workshop, connection: Connection, subsystem: KeptSubsystem, actor: Actor, at: datetime, event: Event, **details: Any
) -> None:  # fmt: skip
    store.keep(connection, subsystem, actor.name, at)
    _close_act(workshop, connection, [_entry(at, event, actor, subsystem.identifier, details)])


def _close_act(workshop: Workshop, connection: Connection, entries: Sequence[Entry]) -> None:
    edges.move_edge(connection)  # every server looks for it each second
    append_entries(connection, entries, workshop.signer)


def _entry(at: datetime, event: Event, actor: Actor, identifier: str, details: Mapping[str, Any]) -> Entry:
    return Entry(
        at, event, actor.subsystem or actor.agency or FOLDER, actor.name, outcome="done", details={"subsystem": identifier, **details}
    )


def _known(connection: Connection, actor: Actor, identifier: str) -> KeptSubsystem:
    """A subsystem the actor keeps. Raises NotFound, the same whether it is not there or not theirs."""
    found = None if "\x00" in identifier else store.find(connection, identifier)
    if found is None or not _keeps(actor, found.agency):
        raise NotFound("There is no such subsystem of yours.", vi="Không có hệ thống này của cơ quan bạn.")
    return found


def _keeps(actor: Actor, agency: str) -> bool:
    return actor.may(*KEEPERS) and (actor.is_of(agency) or (actor.may(Role.OPERATOR) and not actor.subsystem))


def _require_keeper(actor: Actor, agency: str) -> None:
    if not _keeps(actor, agency):
        raise Denied(
            "This belongs to another agency, or needs another role.", rule="other_agency", vi="Việc này thuộc cơ quan hoặc vai trò khác."
        )


def _refuse_odd_level(approved: ApprovedLevel, content: bytes | None, today: date) -> None:
    """Raises Unprocessable with everything that cannot be."""
    faults = []
    if not 1 <= approved.level <= HIGHEST_LEVEL:
        faults.append((f"cấp độ từ 1 đến {HIGHEST_LEVEL}", f"a level is 1 to {HIGHEST_LEVEL}"))
    for text, vi, en in (
        (approved.decision, "số quyết định", "the decision's number"),
        (approved.approved_by, "cơ quan phê duyệt", "who approved"),
    ):
        if not text.strip() or len(text) > LONGEST_TITLE or "\x00" in text:
            faults.append((f"cần {vi}, tối đa {LONGEST_TITLE} chữ", f"{en}: text of at most {LONGEST_TITLE} characters"))
    if approved.approved_on > today:
        faults.append(("ngày phê duyệt chưa tới", "the day of approval is yet to come"))
    if approved.valid_until < max(today, approved.approved_on):
        faults.append(("ngày hết hạn đã qua", "its last day is past"))
    if not re.fullmatch(r"[0-9a-f]{64}", approved.sha256):
        faults.append(("cần tệp quyết định hoặc mã băm SHA-256 của tệp", "the file of the decision, or its SHA-256, is needed"))
    if content is not None and len(content) > LARGEST_LEVEL_FILE:
        faults.append((f"tệp lớn nhất {LARGEST_LEVEL_FILE // 1_000_000} MB", f"a file is at most {LARGEST_LEVEL_FILE // 1_000_000} MB"))
    if faults:
        raise Unprocessable(
            f"Security level: {'; '.join(en for _, en in faults)}.", vi=f"Cấp độ an toàn: {'; '.join(vi for vi, _ in faults)}."
        )


def _refuse_closed(connection: Connection, agency: str, at: datetime) -> None:
    agencies = tree.read(connection)
    today = vietnam_date(at)
    if agencies.is_closed(agency, today):
        successors = ", ".join(agencies.replaced_by(agency, today))
        raise Gone(
            f"Agency {agency} is closed, replaced by {successors}.", vi=f"Cơ quan {agency} đã kết thúc, được thay bằng {successors}."
        )


def _refuse_taken(connection: Connection, jwk: Mapping[str, Any], identifier: str, environment: str) -> None:
    print_ = thumbprint(jwk)
    if store.whose(connection, print_, identifier, environment) is not None:
        raise Conflict(
            "This key serves elsewhere.",
            hint="A key is for one subsystem and one environment.",
            vi="Khóa này đã dùng nơi khác.",
            hint_vi="Mỗi khóa chỉ dùng cho một hệ thống và một môi trường.",
        )
    if store.was_revoked(connection, print_):
        raise Conflict("This key was revoked.", hint="Make another.", vi="Khóa này đã bị thu hồi.", hint_vi="Hãy tạo khóa khác.")
    if any(key.thumbprint == print_ for key in store.keys(connection, identifier)):
        raise Conflict("This key is registered already.", vi="Khóa này đã đăng ký.")
