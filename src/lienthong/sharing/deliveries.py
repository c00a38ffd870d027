"""What is sent to whom next, and what follows from how it went. No network here: a round gives bodies, and takes what became of them.

A span of the stream is in hand, with its id and its entry in the ledger, before it is sent; what is killed in between is sent again under the same
id. It is told anew at each attempt, under the right of that moment: whose agreement is suspended gets nothing, and goes on from there later.
"""

from __future__ import annotations

import random
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from lienthong.access import Register
from lienthong.clock import vietnam_date
from lienthong.connectors.outward import Sent
from lienthong.contracts import Contract
from lienthong.errors import QuotaExceeded, RequestError
from lienthong.ledger import Entry, Event, SubjectKey, pack_subjects
from lienthong.log import get_logger
from lienthong.sharing.cloud_events import BATCH as BATCH_TYPE
from lienthong.sharing.cloud_events import ONE as ONE_TYPE
from lienthong.sharing.cloud_events import encode_batch, encode_one
from lienthong.sharing.event_entries import entry_of_events
from lienthong.sharing.pages import Desk
from lienthong.sharing.quota import count_delivery
from lienthong.sharing.rights import Right
from lienthong.sharing.signing import sign
from lienthong.sharing.stream import Chosen, Following, Piece, Place, Told, follow, right_now, tell
from lienthong.sharing.subscribing import ONE, Clerk, conditions_of, secrets_of, stop
from lienthong.store import Connection, append_entries, events
from lienthong.store import subscriptions as store
from lienthong.store.events import VERSION_PUBLISHED
from lienthong.store.subscriptions import Lane, Pending, Subscription

DELIVERED, FAILED, GONE = "delivered", "failed", "gone"
MOST_OF_A_ROUND = 250
NO_AGREEMENT = ("no_agreement", "other_operation")  # there is none, or none that speaks of events
SPENT = "quota"  # the agreement's quota counts deliveries too, and there is none left just now
HELD_SECONDS = 1.0  # how long who is held back is not looked at again
log = get_logger("deliveries")
JITTER = 0.2  # each wait is so much longer or shorter
LONGEST_RETRY_AFTER = 86_400.0
GONE_STATUS = 410
_CHANCE = random.SystemRandom()


@dataclass(frozen=True)
class Schedule:
    """How patient we are. `waits` in seconds, one after each failed attempt; after the last the delivery is a dead letter, or, endless, the last again."""

    waits: tuple[int, ...]
    pause_after: timedelta
    is_endless: bool = False

    def next_wait(self, attempts: int, retry_after: float | None) -> float | None:
        """Seconds to the next attempt after so many; None: none any more. The other side's own wish counts when it is longer."""
        if attempts > len(self.waits) and not self.is_endless:
            return None
        wait = self.waits[min(attempts, len(self.waits)) - 1] * _CHANCE.uniform(1 - JITTER, 1 + JITTER)
        return max(wait, min(retry_after or 0.0, LONGEST_RETRY_AFTER))


@dataclass(frozen=True)
class Post:
    """A delivery ready to leave; its entry is in the ledger."""

    pending: Pending
    subscription: Subscription
    body: bytes
    told: tuple[Told, ...]
    content_type: str
    signers: tuple[tuple[str, bytes], ...]

    @property
    def number(self) -> int:
        return self.pending.attempts + 1

    def headers(self, at: datetime) -> dict[str, str]:
        """What goes with the body: signed at this moment."""
        timestamp = int(at.timestamp())
        return {
            "Content-Type": self.content_type,
            "Content-Length": str(len(self.body)),
            "User-Agent": "Lienthong-Webhooks/1.0",
            "webhook-id": self.pending.delivery,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": sign(self.signers, self.pending.delivery, timestamp, self.body),
        }


@dataclass(frozen=True)
class Outcome:
    """What became of a delivery."""

    post: Post
    sent: Sent
    at: datetime


@dataclass
class Deliveries:
    """One who delivers by some roads; only one does at a time. `register` gives the agreements as the connection sees them."""

    clerk: Clerk
    desk: Desk
    contracts: Mapping[str, Contract]
    register: Callable[[Connection], Register]
    subject_key: bytes
    base_url: str
    schedule: Schedule
    roads: tuple[str, ...] = ("webhook",)
    tells_without_right: bool = False  # what has no content, where there is no agreement
    _held: dict[str, float] = field(default_factory=dict)  # subscription → when it may be looked at again

    def round(self, connection: Connection, outcomes: Sequence[Outcome], in_hand: Sequence[str]) -> list[Post]:
        """Keep what became of deliveries, and give what is to be sent next. `connection` must be in autocommit.

        `in_hand`: deliveries that are being sent just now.
        """
        self.settle(connection, outcomes)
        events.put_in_order(connection)
        with connection.transaction():
            return self._prepare(connection, in_hand)

    def settle(self, connection: Connection, outcomes: Sequence[Outcome]) -> None:
        """Keep what became of deliveries."""
        if outcomes:
            with connection.transaction():
                self._settle(connection, outcomes)

    def _settle(self, connection: Connection, outcomes: Sequence[Outcome]) -> None:
        entries: list[Entry] = []
        store.note(connection, [_line(outcome) for outcome in outcomes])
        through = [outcome.post for outcome in outcomes if _is_through(outcome.sent)]
        store.done(connection, [post.pending.delivery for post in through])
        store.works(connection, [post.subscription.subscription for post in through])
        for outcome in outcomes:
            if not _is_through(outcome.sent):
                entries += self._failed(connection, outcome)
        if entries:
            append_entries(connection, entries, self.clerk.signer)

    def _failed(self, connection: Connection, outcome: Outcome) -> list[Entry]:
        found, pending, sent = outcome.post.subscription, outcome.post.pending, outcome.sent
        reason = sent.reason or f"status {sent.status}"
        wait = self.schedule.next_wait(outcome.post.number, sent.retry_after)
        if sent.status == GONE_STATUS:
            store.try_later(connection, pending.delivery, outcome.post.number, outcome.at, reason)
            return stop(connection, self.clerk, found, "disabled", GONE)
        if wait is None:
            store.lay_aside(connection, pending.delivery, outcome.post.number, reason)
        else:
            store.try_later(connection, pending.delivery, outcome.post.number, outcome.at + timedelta(seconds=wait), reason)
        since = store.fails_since(connection, found.subscription, outcome.at)
        if outcome.at - since >= self.schedule.pause_after:
            return stop(connection, self.clerk, found, "paused", "failing")
        return []

    def _prepare(self, connection: Connection, in_hand: Sequence[str]) -> list[Post]:
        at = self.clerk.clock()
        moment = time.monotonic()
        self._held = {name: until for name, until in self._held.items() if until > moment}
        not_now = list(self._held)
        due = store.due(connection, self.roads, at, in_hand, not_now, MOST_OF_A_ROUND)
        lanes = store.idle_lanes(connection, self.roads, not_now, MOST_OF_A_ROUND - len(due)) if len(due) < MOST_OF_A_ROUND else []
        if not due and not lanes:
            return []
        telling = _Telling(self, connection, at)
        posts = [post for pending in due if (post := telling.again(pending)) is not None]
        fresh = [post for lane in telling.in_order(lanes) if (post := telling.fresh(lane)) is not None]
        store.move_lanes(connection, [(lane, *place) for lane, place in telling.passed])
        store.take(connection, [post.pending for post in fresh], [len(post.told) for post in fresh], at)
        posts = telling.signed([*posts, *fresh])
        entries = [*telling.entries, *(telling.entry(post) for post in posts)]
        if entries:
            append_entries(connection, entries, self.clerk.signer)
        return posts

    def hold_back(self, connection: Connection, found: Subscription, rule: str) -> None:
        """Send nothing to a subscription while a rule of access is against it."""
        self._held[found.subscription] = time.monotonic() + HELD_SECONDS
        if found.held != rule:
            store.set_held(connection, found.subscription, rule)


class _Telling:
    """One round's telling. What many subscribers are told alike is read and written once."""

    def __init__(self, deliveries: Deliveries, connection: Connection, at: datetime) -> None:
        self._deliveries = deliveries
        self._connection = connection
        self._at = at
        self._register = deliveries.register(connection)
        self.entries: list[Entry] = []
        self._found: dict[str, Subscription] = {
            each.subscription: self._handed_over(each) for each in store.some(connection, roads=deliveries.roads)
        }
        self._following: dict[tuple[str, int], Following | None] = {}
        self._pieces: dict[Any, Piece] = {}
        self._bodies: dict[Any, bytes] = {}
        self.passed: list[tuple[Lane, Place]] = []  # lanes for which there was nothing, and how far
        self._subjects = SubjectKey(deliveries.subject_key)

    def _handed_over(self, found: Subscription) -> Subscription:
        """A subscription of a subsystem whose agency has merged is from then on that of the subsystem in its place."""
        heir = self._register.heir_of(found.caller, vietnam_date(self._at))
        if heir == found.caller or found.state == "ended":
            return found
        store.hand_over(self._connection, found.subscription, heir)
        details = {"subscription": found.subscription, "was_of": found.caller}
        self.entries.append(
            Entry(self._at, Event.SUBSCRIPTION_CHANGED, heir, dataset=found.dataset, outcome="handed_over", details=details)
        )
        return replace(found, caller=heir)

    def in_order(self, lanes: Sequence[Lane]) -> list[Lane]:
        """By subsystem and dataset, as everybody who counts deliveries goes: two who wait for each other's count would wait for ever."""
        return sorted(lanes, key=lambda lane: (self._found[lane.subscription].caller, self._found[lane.subscription].dataset, lane.lane))

    def fresh(self, lane: Lane) -> Post | None:
        """The next span of a lane; one with nothing for it is passed over."""
        found = self._found[lane.subscription]
        following = self._follow(found, lane.lane)
        if following is None:
            return None
        found_piece = self._tell(found, following, Place(lane.position, lane.within), None)
        if found_piece is None:
            return None
        piece, key = found_piece
        if not piece.told:
            if piece.place != Place(lane.position, lane.within):
                self.passed.append((lane, piece.place))
            return None
        if not self._is_counted(found, following):
            return None
        delivery = f"msg_{secrets.token_hex(12)}"
        pending = Pending(delivery, found.subscription, lane.lane, lane.lane, lane.position, lane.within, *piece.place, 0)
        return self._post(pending, found, piece, key)

    def again(self, pending: Pending) -> Post | None:
        """A span that is in hand, told anew."""
        found = self._found[pending.subscription]
        following = self._follow(found, pending.source_lane)
        if following is None:
            return None
        until = Place(pending.until_position, pending.until_within)
        found_piece = self._tell(found, following, Place(pending.position, pending.within), until)
        if found_piece is None:
            return None
        piece, key = found_piece
        if not piece.told:  # what it held is not for this subscriber any more
            store.done(self._connection, [pending.delivery])
            return None
        return self._post(pending, found, piece, key)

    def signed(self, posts: Sequence[Post]) -> list[Post]:
        names = list({post.subscription.subscription for post in posts})
        signers = secrets_of(self._connection, self._deliveries.clerk, names)
        return [replace(post, signers=tuple(signers.get(post.subscription.subscription, ()))) for post in posts]

    def entry(self, post: Post) -> Entry:
        """The ledger's entry of one attempt, findable by the records it tells of."""
        following = self._following[post.subscription.subscription, post.pending.source_lane]
        assert following is not None  # it was told
        contract = following.contract
        subjects = list(
            dict.fromkeys(self._subjects.hash(contract.id, each.hidden_key) for each in post.told if each.hidden_key is not None)
        )
        details: dict[str, Any] = {
            "road": post.subscription.road, "subscription": post.subscription.subscription, "delivery": post.pending.delivery, "attempt": post.number,
        }  # fmt: skip
        if len(subjects) > 1:
            details["subjects"] = pack_subjects(subjects)
        subject = subjects[0] if len(subjects) == 1 else None
        asked = f"{post.subscription.road} {post.subscription.url}".encode()
        found = post.subscription
        right = following.right or Right(found.caller, found.official, found.purpose)
        return entry_of_events(contract, right, self._at, asked, post.body, post.told, details, subject)

    def _follow(self, found: Subscription, lane: int) -> Following | None:
        known = (found.subscription, lane)
        if known not in self._following:
            self._following[known] = self._decide(found, lane)
        return self._following[known]

    def _decide(self, found: Subscription, lane: int) -> Following | None:
        contracts = self._deliveries.contracts
        contract = contracts.get(found.dataset)
        if contract is None:
            self._deliveries.hold_back(self._connection, found, "no_dataset")
            return None
        try:
            on = vietnam_date(self._at)
            right = right_now(self._register, contract, found.caller, found.official, found.purpose, on, at=self._at)
            chosen = Chosen(frozenset(found.types), conditions_of(found, contract), lane, found.lanes)
            following = follow(contracts, self._register, right, contract, chosen, on, self._at)
        except RequestError as error:
            rule = str(error.facts.get("rule", error.code))
            if self._deliveries.tells_without_right and rule in NO_AGREEMENT:
                return Following(contract, None, Chosen(frozenset([VERSION_PUBLISHED])))
            self._deliveries.hold_back(self._connection, found, rule)
            return None
        except (KeyError, StopIteration):  # a condition on a field the contract no longer has
            self._deliveries.hold_back(self._connection, found, "no_field")
            return None
        if found.held and found.held != SPENT:
            store.set_held(self._connection, found.subscription, "")
        return following

    def _is_counted(self, found: Subscription, following: Following) -> bool:
        """Count a new delivery where the agreement's quota counts deliveries; whoever has none left waits, and goes on from there."""
        try:
            if following.right is not None:
                count_delivery(self._connection, following.right, vietnam_date(self._at))
        except QuotaExceeded:
            self._deliveries.hold_back(self._connection, found, SPENT)
            return False
        if found.held == SPENT:
            store.set_held(self._connection, found.subscription, "")
        return True

    def _tell(self, found: Subscription, following: Following, place: Place, until: Place | None) -> tuple[Piece, Any] | None:
        """What is told, and a name for it: who sees the same of the same span is told the same. None when it could not be told."""
        right, chosen = following.right or Right(found.caller), following.chosen
        seen = (right.visible, tuple(sorted(right.masked.items())), repr(right.conditions), right.caller if following.entity else "")
        key = (found.dataset, following.right is None, seen, chosen.types, repr(chosen.conditions), chosen.lane, chosen.lanes, found.most, place, until)  # fmt: skip
        if key not in self._pieces:
            try:
                with self._connection.transaction():
                    self._pieces[key] = tell(self._connection, self._deliveries.desk, [following], place, found.most, until)
            except Exception as error:  # what fails for one subscription keeps nobody else waiting
                log.warning("events_not_told", subscription=found.subscription, error=type(error).__name__)
                self._deliveries.hold_back(self._connection, found, "internal")
                return None
        piece = self._pieces[key]
        told = piece.for_caller(found.caller)
        return replace(piece, told=told), (key, tuple(each.id for each in told) if len(told) < len(piece.told) else None)

    def _post(self, pending: Pending, found: Subscription, piece: Piece, key: Any) -> Post:
        is_one = found.form == ONE and len(piece.told) == 1  # a span of several that was in hand before the form was changed goes as it was
        if (key, is_one) not in self._bodies:
            base = self._deliveries.base_url
            self._bodies[key, is_one] = encode_one(piece.told[0], base) if is_one else encode_batch(piece.told, base)
        return Post(pending, found, self._bodies[key, is_one], piece.told, ONE_TYPE if is_one else BATCH_TYPE, ())


def _is_through(sent: Sent) -> bool:
    return sent.status is not None and 200 <= sent.status < 300


def _line(outcome: Outcome) -> dict[str, Any]:
    post, sent = outcome.post, outcome.sent
    return {
        "subscription": post.subscription.subscription,
        "delivery": post.pending.delivery,
        "number": post.number,
        "at": outcome.at,
        "events": len(post.told),
        "bytes": len(post.body),
        "outcome": DELIVERED if _is_through(sent) else GONE if sent.status == GONE_STATUS else FAILED,
        "status": sent.status,
        "reason": sent.reason,
        "milliseconds": sent.milliseconds,
    }
