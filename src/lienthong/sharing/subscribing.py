"""Subscriptions as acts: made, changed, given new secrets, stopped, taken up again, ended; each with its entry in the ledger."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from lienthong.access.sealing import Sealer
from lienthong.clock import Clock
from lienthong.connectors.outward import Networks, check_url
from lienthong.contracts import Contract, Layer
from lienthong.errors import Conflict, NotFound, QuotaExceeded, Unprocessable
from lienthong.ledger import Entry, Event, Signer
from lienthong.sharing.filters import OPERATORS, read_value, shown
from lienthong.sharing.rights import Right
from lienthong.sharing.signing import KINDS, SHARED, Secret, new_secret
from lienthong.sharing.stream import KNOWN_TYPES, NOTICES, Place
from lienthong.store import Connection, Database, append_entries, events
from lienthong.store import subscriptions as store
from lienthong.store.answers import Condition
from lienthong.store.subscriptions import Subscription

WEBHOOK = "webhook"
ONE, BATCH = "one", "batch"
MOST_EVENTS = 1_000  # of one delivery
USUAL_EVENTS = 100
KEY_LANES = 4
MOST_SUBSCRIPTIONS = 200  # standing, of one subsystem
MOST_CONDITIONS = 20
LONGEST_VALUE = 1_000
OVERLAP_HOURS, LONGEST_OVERLAP_HOURS = 24, 24 * 14
WISHES = frozenset({"dataset", "url", "types", "conditions", "form", "most", "ordering", "from", "signatures"})
CHANGES = frozenset({"url", "types", "conditions", "form", "most"})
_HIDDEN = "subscription secret {}"


@dataclass(frozen=True)
class Clerk:
    """What keeping subscriptions takes."""

    database: Database
    signer: Signer
    clock: Clock
    sealer: Sealer
    networks: Networks


@dataclass(frozen=True)
class Wish:
    """What a subscriber asked for, checked. `signatures`: which kinds of secrets it wants."""

    url: str
    types: tuple[str, ...] = ()
    conditions: tuple[Mapping[str, Any], ...] = ()
    form: str = BATCH
    most: int = USUAL_EVENTS
    lanes: int = 1
    begin: str = "now"
    signatures: tuple[str, ...] = (SHARED,)


def read_wish(document: Mapping[str, Any], contract: Contract, right: Right, networks: Networks) -> Wish:
    """What a request asks for. Raises Unprocessable naming the part, Denied for a condition on what the caller does not see whole."""
    _known(document, WISHES)
    wish = _changed(Wish(""), document, contract, right, networks)
    if not wish.url:
        raise _wrong("url", "an https address", "một địa chỉ https")
    ordering = document.get("ordering", "strict")
    if ordering not in ("strict", "key"):
        raise _wrong("ordering", "`strict` or `key`", "`strict` hoặc `key`")
    begin = document.get("from", "now")
    if not isinstance(begin, str) or not begin:
        raise _wrong(
            "from", "`now`, `beginning` or the id of an event of the stream", "`now`, `beginning` hoặc mã vị trí trong dòng sự kiện"
        )
    kinds = document.get("signatures", [SHARED])
    if not isinstance(kinds, list) or not kinds or not all(kind in KINDS for kind in kinds):
        raise _wrong("signatures", "some of `v1`, `v1a`", "danh sách gồm `v1`, `v1a`")
    return replace(wish, lanes=KEY_LANES if ordering == "key" else 1, begin=begin, signatures=tuple(dict.fromkeys(kinds)))


def read_change(found: Subscription, document: Mapping[str, Any], contract: Contract, right: Right, networks: Networks) -> Subscription:
    """A subscription as a request would have it. Raises as `read_wish` does."""
    _known(document, CHANGES)
    before = Wish(found.url, found.types, found.conditions, found.form, found.most)
    wish = _changed(before, document, contract, right, networks)
    return replace(found, url=wish.url, types=wish.types, conditions=wish.conditions, form=wish.form, most=wish.most)


def subscribe(clerk: Clerk, contract: Contract, right: Right, wish: Wish, place: Place | None) -> tuple[Subscription, list[Secret]]:
    """Begin a subscription at a place, or, without one, after all there is. The secrets are shown this once.

    Raises QuotaExceeded when the subsystem has too many.
    """
    at = clerk.clock()
    new = Subscription(
        subscription=f"sub_{secrets.token_hex(12)}", caller=right.caller, official=right.official, purpose=right.purpose, dataset=contract.id,
        sources=sources_of(contract), road=WEBHOOK, url=wish.url, types=wish.types, conditions=wish.conditions, form=wish.form,
        most=1 if wish.form == ONE else wish.most, lanes=wish.lanes,
    )  # fmt: skip
    made = [new_secret(kind) for kind in wish.signatures]
    if place is None:
        place = newest(clerk)
    with clerk.database.connect() as connection:
        standing = sum(each.state != "ended" for each in store.some(connection, caller=right.caller))
        if standing >= MOST_SUBSCRIPTIONS:
            raise QuotaExceeded(
                f"At most {MOST_SUBSCRIPTIONS} subscriptions of one subsystem may stand.",
                hint="End one first.",
                vi=f"Mỗi hệ thống có nhiều nhất {MOST_SUBSCRIPTIONS} đăng ký.",
                hint_vi="Hãy kết thúc một đăng ký trước.",
            )
        store.add(connection, new, place.position, place.within, at)
        for secret in made:
            _keep(connection, clerk, new.subscription, secret, at, at)
        details = {"types": list(wish.types), "form": wish.form, "lanes": wish.lanes, "conditions": [c["field"] for c in wish.conditions]}
        _enter(connection, clerk, Event.SUBSCRIPTION_MADE, new, right, details, at)
    return new, made


def add_own(clerk: Clerk, new: Subscription, place: Place) -> None:
    """A subscription of the platform itself: the relay's."""
    at = clerk.clock()
    with clerk.database.connect() as connection:
        store.add(connection, new, place.position, place.within, at)
        right = Right(new.caller, new.official, new.purpose)
        _enter(connection, clerk, Event.SUBSCRIPTION_MADE, new, right, {"road": new.road}, at)


def change(clerk: Clerk, changed: Subscription, right: Right, what: Sequence[str]) -> None:
    """Keep a changed subscription."""
    with clerk.database.connect() as connection:
        _standing(connection, changed.subscription)
        store.change(connection, replace(changed, most=1 if changed.form == ONE else changed.most))
        _enter(connection, clerk, Event.SUBSCRIPTION_CHANGED, changed, right, {"changed": sorted(what)})


def renew_secret(clerk: Clerk, found: Subscription, right: Right, kind: str, overlap_hours: int) -> tuple[Secret, datetime]:
    """A new secret, shown this once, and until when the one before signs beside it."""
    made, at = new_secret(kind), clerk.clock()
    until = at + timedelta(hours=overlap_hours)
    with clerk.database.connect() as connection:
        _standing(connection, found.subscription)
        _keep(connection, clerk, found.subscription, made, at, until)
        _enter(
            connection,
            clerk,
            Event.SUBSCRIPTION_CHANGED,
            found,
            right,
            {"changed": ["secret"], "kind": kind, "overlap_hours": overlap_hours},
        )
    return made, until


def resume(clerk: Clerk, found: Subscription, right: Right) -> None:
    """Take up again what was paused or disabled: it goes on where it stopped. Raises Conflict for one that ended."""
    at = clerk.clock()
    with clerk.database.connect() as connection:
        _standing(connection, found.subscription)
        store.set_state(connection, found.subscription, "active", "", at)
        store.hurry(connection, found.subscription, at)
        _enter(connection, clerk, Event.SUBSCRIPTION_CHANGED, found, right, {"changed": ["state"], "state": "active"})
    ring(clerk)


def pause(clerk: Clerk, found: Subscription, right: Right) -> None:
    """Send nothing until it is taken up again."""
    with clerk.database.connect() as connection:
        _standing(connection, found.subscription)
        store.set_state(connection, found.subscription, "paused", "asked", clerk.clock())
        _enter(connection, clerk, Event.SUBSCRIPTION_CHANGED, found, right, {"changed": ["state"], "state": "paused"})


def end(clerk: Clerk, found: Subscription, right: Right) -> None:
    """End a subscription for good; its log stays."""
    with clerk.database.connect() as connection:
        _standing(connection, found.subscription)
        store.set_state(connection, found.subscription, "ended", "asked", clerk.clock())
        _enter(connection, clerk, Event.SUBSCRIPTION_ENDED, found, right, {})


def replay(clerk: Clerk, found: Subscription, right: Right, delivery: str | None) -> list[str]:
    """Send dead letters again: one, or all. Raises NotFound when there is none."""
    with clerk.database.connect() as connection:
        _standing(connection, found.subscription)
        replayed = store.replay(connection, found.subscription, delivery, clerk.clock())
        if not replayed:
            raise NotFound("There is no such dead letter.", vi="Không có lần gửi hỏng nào như vậy.")
        _enter(connection, clerk, Event.SUBSCRIPTION_CHANGED, found, right, {"changed": ["dead_letters"], "replayed": len(replayed)})
    ring(clerk)
    return replayed


def stop(connection: Connection, clerk: Clerk, found: Subscription, state: str, why: str) -> list[Entry]:
    """The platform stops a subscription, with a notice to its owner in the stream; gives the entries, to be appended last."""
    store.set_state(connection, found.subscription, state, why, clerk.clock())
    data = {"consumer": found.caller, "subscription": found.subscription, "why": why}
    events.append(connection, f"subscription:{state}", found.dataset, found.subscription, data)
    return [_entry(clerk, Event.SUBSCRIPTION_STOPPED, found, None, {"state": state, "why": why})]


def secrets_of(connection: Connection, clerk: Clerk, subscriptions: Sequence[str]) -> dict[str, list[tuple[str, bytes]]]:
    """Subscription → (kind, private part) of all that signs now."""
    found: dict[str, list[tuple[str, bytes]]] = {}
    for kept in store.secrets_of(connection, subscriptions, clerk.clock()):
        private = clerk.sealer.open(kept.sealed, _HIDDEN.format(kept.subscription))
        found.setdefault(kept.subscription, []).append((kept.kind, private))
    return found


def sources_of(contract: Contract) -> tuple[str, ...]:
    """The sources of the stream that tell of a dataset."""
    is_master = contract.layer is Layer.MASTER and contract.entity is not None
    return (contract.id, f"entity/{contract.entity}") if is_master else (contract.id,)


def conditions_of(found: Subscription, contract: Contract) -> tuple[Condition, ...]:
    """A subscription's conditions with values of the fields' own types."""
    return tuple(_condition(each, contract) for each in found.conditions)


def newest(clerk: Clerk) -> Place:
    """After all there is at this moment."""
    with clerk.database.connect(autocommit=True) as connection:
        events.put_in_order(connection)
        return Place(events.newest_position(connection))


def ring(clerk: Clerk) -> None:
    """Wake whoever delivers."""
    with clerk.database.connect(autocommit=True) as connection:
        events.ring(connection)


def _changed(wish: Wish, document: Mapping[str, Any], contract: Contract, right: Right, networks: Networks) -> Wish:
    if "url" in document:
        url = document["url"]
        if not isinstance(url, str):
            raise _wrong("url", "an https address", "một địa chỉ https")
        check_url(url, networks)
        wish = replace(wish, url=url)
    if "types" in document:
        wish = replace(wish, types=_types(document["types"]))
    if "conditions" in document:
        wish = replace(wish, conditions=_conditions(document["conditions"], contract, right))
    if "form" in document:
        if document["form"] not in (ONE, BATCH):
            raise _wrong("form", "`one` or `batch`", "`one` hoặc `batch`")
        wish = replace(wish, form=document["form"])
    if "most" in document:
        most = document["most"]
        if not isinstance(most, int) or isinstance(most, bool) or not 1 <= most <= MOST_EVENTS:
            raise _wrong("most", f"1 to {MOST_EVENTS}", f"từ 1 đến {MOST_EVENTS}")
        wish = replace(wish, most=most)
    return wish


def _types(found: Any) -> tuple[str, ...]:
    if not isinstance(found, list) or len(found) > 50 or not all(isinstance(each, str) for each in found):
        raise _wrong("types", "a list of types of events", "danh sách loại sự kiện")
    for each in found:
        if not is_type(each):
            raise Unprocessable(
                f"`types`: there is no `{shown(each)}`.",
                hint=f"Known: {', '.join(KNOWN_TYPES)}.",
                vi=f"`types`: không có `{shown(each)}`.",
                hint_vi=f"Đã biết: {', '.join(KNOWN_TYPES)}.",
            )
    return tuple(dict.fromkeys(found))


def is_type(text: str) -> bool:
    """Whether there are events of this type: one, or all of a kind by `kind:*`."""
    kind, _, act = text.partition(":")
    return text in KNOWN_TYPES or (kind in NOTICES and act.isascii() and act.replace("_", "").isalpha())


def _conditions(found: Any, contract: Contract, right: Right) -> tuple[Mapping[str, Any], ...]:
    if not isinstance(found, list) or len(found) > MOST_CONDITIONS:
        raise _wrong("conditions", f"a list of at most {MOST_CONDITIONS}", f"danh sách nhiều nhất {MOST_CONDITIONS} điều kiện")
    names = [p.name for p in contract.properties]
    for each in found:
        if not isinstance(each, dict) or set(each) != {"field", "operator", "value"}:
            raise _wrong("conditions", "`field`, `operator` and `value` of each", "`field`, `operator` và `value`")
        if each["field"] not in names or each["operator"] not in OPERATORS:
            raise _wrong(
                "conditions", f"a field of the dataset and one of {', '.join(OPERATORS)}", f"một trường và một trong {', '.join(OPERATORS)}"
            )
    right.require_whole(tuple(each["field"] for each in found))
    for each in found:
        _condition(each, contract)
    return tuple(found)


def _condition(said: Mapping[str, Any], contract: Contract) -> Condition:
    p, operator, value = contract.property_named(said["field"]), said["operator"], said["value"]
    if operator == "in":
        if not isinstance(value, list) or not value or len(value) > 200:
            raise _wrong("conditions", "a list of values for `in`", "danh sách giá trị cho `in`")
        return Condition(p.name, operator, [_value(p.name, each, contract) for each in value])
    if operator == "starts_with" and p.logical_type != "string":
        raise _wrong("conditions", "a text field for `starts_with`", "trường chữ cho `starts_with`")
    return Condition(p.name, operator, _value(p.name, value, contract))


def _value(name: str, value: Any, contract: Contract) -> Any:
    p = contract.property_named(name)
    if isinstance(value, bool):
        value = "true" if value else "false"
    if not isinstance(value, str | int | float) or len(str(value)) > LONGEST_VALUE or "\x00" in str(value):
        raise _wrong("conditions", f"a value for `{name}`", f"giá trị của `{name}`")
    return read_value(name, str(value), p)


def _known(document: Mapping[str, Any], names: frozenset[str]) -> None:
    for name in document:
        if name not in names:
            raise Unprocessable(
                f"`{shown(name)}` is not understood.",
                hint=f"Known: {', '.join(sorted(names))}.",
                vi=f"Không hiểu `{shown(name)}`.",
                hint_vi=f"Đã biết: {', '.join(sorted(names))}.",
            )


def _wrong(name: str, expected: str, can: str) -> Unprocessable:
    return Unprocessable(f"`{name}`: expected {expected}.", vi=f"`{name}`: cần {can}.")


def _standing(connection: Connection, subscription: str) -> None:
    state = store.lock(connection, subscription)
    if state is None or state == "ended":
        raise Conflict(
            "This subscription has ended.", hint="Make a new one.", vi="Đăng ký này đã kết thúc.", hint_vi="Hãy tạo đăng ký mới."
        )


def _keep(connection: Connection, clerk: Clerk, subscription: str, secret: Secret, at: datetime, old_until: datetime) -> None:
    sealed = clerk.sealer.seal(secret.private, _HIDDEN.format(subscription))
    store.add_secret(connection, subscription, secret.kind, sealed, "" if secret.kind == SHARED else secret.shown, at, old_until)


def _enter(
    connection: Connection, clerk: Clerk, event: Event, found: Subscription, right: Right, details: Mapping[str, Any], at: datetime | None = None
) -> None:  # fmt: skip
    append_entries(connection, [_entry(clerk, event, found, right, details, at)], clerk.signer)


def _entry(
    clerk: Clerk, event: Event, found: Subscription, right: Right | None, details: Mapping[str, Any], at: datetime | None = None
) -> Entry:  # fmt: skip
    return Entry(
        at=at or clerk.clock(),
        event=event,
        caller="lienthong" if right is None else right.caller,
        official="" if right is None else right.official,
        purpose=found.purpose if right is None else right.purpose,
        legal_basis="" if right is None else right.legal_basis,
        agreement="" if right is None else right.agreement,
        dataset=found.dataset,
        outcome=event.value.rsplit(":", 1)[-1],
        details={"subscription": found.subscription, **details},
    )
