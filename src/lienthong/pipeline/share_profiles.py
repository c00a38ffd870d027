"""Profiles that let a recipient's tools open its shares: issued, rotated with overlap, ended. Each is an entry in the ledger, in force at once.

A profile stands for one subsystem, one purpose and one official, for tools that can send no header of ours. It gives no right: agreements do.
Its token or secret is told once; kept is only a digest. A profile of kind `key` has none: the subsystem's own registered key proves it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from lienthong.access import Actor, Identity, Role
from lienthong.access.share_tokens import bearer_token, new_profile_id, new_secret, secret_digest
from lienthong.errors import Conflict, NotFound, Unprocessable
from lienthong.ledger import Entry, Event
from lienthong.pipeline.workshop import Workshop
from lienthong.store import Connection, append_entries, shares
from lienthong.store import subsystems as systems
from lienthong.store.shares import Profile

KEEPERS = (Role.DATA_OFFICER, Role.INTEGRATOR, Role.OPERATOR)
KINDS = ("bearer", "secret", "key")
LONGEST_DAYS = 366
LONGEST_OVERLAP_DAYS = 30
LONGEST_WORD = 200


@dataclass(frozen=True)
class Issued:
    """A new profile, and what is told of it this once: the bearer token or the client secret; empty for kind `key`."""

    profile: Profile
    told: str


def issue(workshop: Workshop, actor: Actor, subsystem: str, kind: str, purpose: str, official: str, days: int) -> Issued:
    """A profile for a subsystem of the actor's agency (of any, for an operator). Raises NotFound, Unprocessable."""
    _require_sense(kind, purpose, official, days)
    at = workshop.clock()
    with workshop.database.connect() as connection:
        _require_subsystem(connection, actor, subsystem)
        issued = _new(subsystem, kind, purpose.strip(), official.strip(), at, actor, at + timedelta(days=days))
        shares.add_profile(connection, issued.profile)
        append_entries(connection, [_entry(Event.SHARE_PROFILE_ISSUED, at, actor, issued.profile)], workshop.signer)
    return issued


def rotate(workshop: Workshop, actor: Actor, profile: str, days: int, overlap_days: int = 0) -> Issued:
    """Another profile on the same terms; the one before is good for so many days more, or not at all. Raises NotFound, Conflict, Unprocessable."""
    if not 0 <= overlap_days <= LONGEST_OVERLAP_DAYS:
        raise Unprocessable(
            f"An overlap is 0 to {LONGEST_OVERLAP_DAYS} days.", vi=f"Thời gian gối nhau từ 0 đến {LONGEST_OVERLAP_DAYS} ngày."
        )
    at = workshop.clock()
    with workshop.database.connect() as connection:
        old = _standing(connection, actor, profile, at)
        _require_sense(old.kind, old.purpose, old.official, days)
        issued = _new(old.subsystem, old.kind, old.purpose, old.official, at, actor, at + timedelta(days=days), old.profile)
        shares.add_profile(connection, issued.profile)
        shares.end_profile(connection, old.profile, at + timedelta(days=overlap_days), actor.name)
        entries = [
            _entry(Event.SHARE_PROFILE_ISSUED, at, actor, issued.profile, replaces=old.profile),
            _entry(Event.SHARE_PROFILE_ENDED, at, actor, old, ends_at=(at + timedelta(days=overlap_days)).isoformat()),
        ]
        append_entries(connection, entries, workshop.signer)
    return issued


def end(workshop: Workshop, actor: Actor, profile: str, reason: str) -> None:
    """Take a profile no longer, nor any address of a file given to it, from now on. Raises NotFound, Conflict."""
    at = workshop.clock()
    with workshop.database.connect() as connection:
        old = _standing(connection, actor, profile, at)
        shares.end_profile(connection, old.profile, at, actor.name)
        append_entries(connection, [_entry(Event.SHARE_PROFILE_ENDED, at, actor, old, reason=reason[:LONGEST_WORD])], workshop.signer)


def listed(workshop: Workshop, actor: Actor) -> list[Profile]:
    """The profiles of the actor's agency; for an operator in person, all."""
    with workshop.database.connect() as connection:
        return shares.profiles(connection, None if _sees_all(actor) else actor.agency)


def document_of(issued: Issued, endpoint: str) -> dict[str, Any]:
    """The profile file, as Delta Sharing clients read it (`type`s of version 2 as delta-sharing 1.4 knows them)."""
    profile = issued.profile
    if profile.kind == "bearer":
        return {
            "shareCredentialsVersion": 1,
            "endpoint": endpoint + "/",
            "bearerToken": issued.told,
            "expirationTime": profile.expires_at.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        }
    told: dict[str, Any] = {"shareCredentialsVersion": 2, "endpoint": endpoint + "/"}
    token_endpoint = f"{endpoint}/oauth/token"
    if profile.kind == "secret":
        return {
            **told,
            "type": "oauth_client_credentials",
            "tokenEndpoint": token_endpoint,
            "clientId": profile.profile,
            "clientSecret": issued.told,
        }
    auth = {
        "tokenEndpoint": token_endpoint,
        "issuer": token_endpoint,
        "audience": endpoint,
        "clientId": profile.profile,
        "privateKey": {"privateKeyFile": "private-key.pem", "keyId": "", "algorithm": "ES256"},
    }
    return {**told, "type": "oauth_jwt_bearer_private_key_jwt", "auth": auth}


def _new(
    subsystem: str, kind: str, purpose: str, official: str, at: datetime, actor: Actor, expires_at: datetime, replaces: str | None = None
) -> Issued:  # fmt: skip
    id, secret = new_profile_id(), new_secret()
    digest = None if kind == "key" else secret_digest(secret)
    profile = Profile(id, subsystem, kind, purpose, official, digest, at, actor.name, expires_at, replaces)
    told = {"bearer": bearer_token(id, secret), "secret": secret, "key": ""}[kind]
    return Issued(profile, told)


def _require_sense(kind: str, purpose: str, official: str, days: int) -> None:
    if kind not in KINDS:
        raise Unprocessable(f"`kind`: one of {', '.join(KINDS)}.", vi=f"`kind`: một trong {', '.join(KINDS)}.")
    for name, text in (("purpose", purpose), ("official", official)):
        if not text.strip() or len(text) > LONGEST_WORD or not text.isprintable():
            raise Unprocessable(
                f"`{name}`: 1 to {LONGEST_WORD} printed characters.", vi=f"`{name}`: từ 1 đến {LONGEST_WORD} ký tự in được."
            )
    if not 1 <= days <= LONGEST_DAYS:
        raise Unprocessable(f"A profile is good for 1 to {LONGEST_DAYS} days.", vi=f"Hồ sơ có hạn từ 1 đến {LONGEST_DAYS} ngày.")


def _require_subsystem(connection: Connection, actor: Actor, subsystem: str) -> None:
    """Raises NotFound, the same whether it is not there, closed, or not theirs."""
    found = None if "\x00" in subsystem else systems.find(connection, subsystem)
    if found is None or not found.is_active or not _keeps(actor, found.agency):
        raise NotFound("There is no such subsystem of yours.", vi="Không có hệ thống này của cơ quan bạn.")


def _standing(connection: Connection, actor: Actor, profile: str, at: datetime) -> Profile:
    found = None if "\x00" in profile else shares.profile_named(connection, profile)
    if found is None or not _keeps(actor, Identity.parse(found.subsystem).agency):
        raise NotFound("There is no such profile of yours.", vi="Không có hồ sơ truy cập này của cơ quan bạn.")
    if not found.stands(at):
        raise Conflict(
            "This profile is over.", hint="Issue a new one.", vi="Hồ sơ truy cập này đã hết hiệu lực.", hint_vi="Hãy cấp hồ sơ mới."
        )
    return found


def _keeps(actor: Actor, agency: str) -> bool:
    return actor.may(*KEEPERS) and (actor.is_of(agency) or _sees_all(actor))


def _sees_all(actor: Actor) -> bool:
    return actor.may(Role.OPERATOR) and not actor.subsystem


def _entry(event: Event, at: datetime, actor: Actor, profile: Profile, **more: Any) -> Entry:
    details: Mapping[str, Any] = {
        "profile": profile.profile,
        "subsystem": profile.subsystem,
        "kind": profile.kind,
        "purpose": profile.purpose,
        **more,
    }
    return Entry(at, event, actor.subsystem or actor.agency or "operator", actor.name, outcome="done", details=dict(details))
