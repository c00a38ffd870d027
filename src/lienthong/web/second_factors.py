"""Second factors: one-time codes (RFC 6238), passkeys (WebAuthn) and recovery codes. Each proof works once; too many tries lock for a while.

Secrets are stored sealed under a key that is not in the database; they are shown once, when they are made, and never again.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import ModuleType
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import msgspec
import pyotp
import segno

from lienthong.access import Person, Sealer
from lienthong.errors import Denied, StoreError, Unauthenticated
from lienthong.ledger import Entry, Event
from lienthong.settings import Settings
from lienthong.store import Connection, factors
from lienthong.web.asking import Counter

if TYPE_CHECKING:
    from lienthong.web.passkey_ceremony import Site

STEP_SECONDS = 30  # RFC 6238 §5.2
STEPS_AROUND = 1
RECOVERY_CODES = 10
CHALLENGE_LASTS = timedelta(minutes=5)
ISSUER = "Lienthong"


class Challenge(msgspec.Struct, frozen=True):
    """What a passkey was asked to sign: for one session and a few minutes."""

    challenge: str
    session: str
    until: float


@dataclass(frozen=True)
class SecondFactors:
    """Adds, checks and ends second factors."""

    settings: Settings
    counter: Counter
    sealer: Sealer
    key: bytes

    # One-time codes

    def new_totp(self, person: Person) -> tuple[str, str, str]:
        """(sealed secret for the form, secret to type, QR code as SVG): nothing is kept until a code proves the app has it."""
        secret = pyotp.random_base32()
        uri = pyotp.TOTP(secret).provisioning_uri(name=person.handle, issuer_name=ISSUER)
        picture = segno.make(uri, error="m").svg_inline(scale=4, border=2, light="#fff", title="QR")
        return _text(self.sealer.seal(secret.encode(), _place("new totp", person))), secret, picture

    def add_totp(self, person: Person, sealed: str, code: str) -> list[str]:
        """Keep a code app that proved itself; gives fresh recovery codes, to be shown once. Raises Unauthenticated."""
        now = self.counter.clock()
        try:
            secret = self.sealer.open(_bytes(sealed), _place("new totp", person)).decode()
        except (StoreError, ValueError) as error:
            raise Unauthenticated("The page has expired.", vi="Trang đã hết hạn.") from error
        with self.counter.workshop.database.connect() as connection:
            self._check_tries(connection, person, now)
            step = _step_of(secret, code, now, 0)
        if step is None:
            self._failed(person, now, "totp")
            raise Unauthenticated("The code is not right.", vi="Mã không đúng.")
        with self.counter.workshop.database.connect() as connection:
            sealed_secret = self.sealer.seal(secret.encode(), _place("totp", person))
            factors.add(connection, person.number, "totp", sealed_secret, now, last_used=step)
            codes = self._recovery(connection, person, now)
            self.counter.append(self._entry(Event.FACTOR_ADDED, person, now, "totp"), connection)
        return codes

    def check_code(self, person: Person, code: str) -> str:
        """Which factor a code proves, `totp` or `recovery`. It works once. Raises Unauthenticated, Denied when locked."""
        now = self.counter.clock()
        code = "".join(code.split()).replace("-", "").upper()
        with self.counter.workshop.database.connect() as connection:
            self._check_tries(connection, person, now)
            for factor in factors.held(connection, person.number, "totp"):
                secret = self.sealer.open(factor.sealed, _place("totp", person)).decode()
                step = _step_of(secret, code, now, factor.last_used)
                if step is not None and factors.use(connection, factor.number, step):
                    factors.forgive(connection, self._account(person))
                    return "totp"
            wanted = self._recovery_hash(person, code)
            for factor in factors.held(connection, person.number, "recovery"):
                if hmac.compare_digest(factor.sealed, wanted) and factors.end(connection, person.number, factor.number, now):
                    factors.forgive(connection, self._account(person))
                    self.counter.append(self._entry(Event.FACTOR_ENDED, person, now, "recovery"), connection)
                    return "recovery"
        self._failed(person, now, "code")
        raise Unauthenticated("The code is not right, or was used before.", vi="Mã không đúng hoặc đã dùng.")

    # Passkeys

    def passkey_to_add(self, person: Person, session: str) -> dict[str, Any]:
        """What the browser is asked when a passkey is made: options, and the sealed challenge that comes back with the answer."""
        with self.counter.workshop.database.connect() as connection:
            known = [f.credential for f in factors.held(connection, person.number, "passkey") if f.credential is not None]
        user = hashlib.sha256(self.key + person.handle.encode()).digest()
        options, challenge = _ceremony().to_make(self._site, user, person.handle, person.name, known)
        return {"options": options, "challenge": self._challenge(challenge, session)}

    def add_passkey(self, person: Person, session: str, challenge: str, credential: dict[str, Any], label: str) -> list[str]:
        """Keep a passkey; gives recovery codes when there are none yet. Raises Unauthenticated when the answer proves nothing."""
        now = self.counter.clock()
        ceremony = _ceremony()
        try:
            found = ceremony.made(self._site, credential, self._opened(challenge, session, now))
        except ceremony.UNPROVED as error:
            self._failed(person, now, "passkey")
            raise Unauthenticated("The passkey could not be checked.", vi="Không kiểm tra được khóa truy cập.") from error
        with self.counter.workshop.database.connect() as connection:
            sealed = self.sealer.seal(found.public_key, _place("passkey", person))
            factors.add(
                connection, person.number, "passkey", sealed, now, label=label[:60], credential=found.id, last_used=found.sign_count
            )  # fmt: skip
            has_codes = bool(factors.held(connection, person.number, "recovery"))
            codes = [] if has_codes else self._recovery(connection, person, now)
            self.counter.append(self._entry(Event.FACTOR_ADDED, person, now, "passkey"), connection)
        return codes

    def passkey_to_check(self, person: Person, session: str) -> dict[str, Any]:
        """What the browser is asked when a passkey is to prove who it is."""
        with self.counter.workshop.database.connect() as connection:
            known = [f.credential for f in factors.held(connection, person.number, "passkey") if f.credential is not None]
        options, challenge = _ceremony().to_use(self._site, known)
        return {"options": options, "challenge": self._challenge(challenge, session)}

    def check_passkey(self, person: Person, session: str, challenge: str, credential: dict[str, Any]) -> None:
        """Raises Unauthenticated unless one of the person's passkeys signed this challenge; a count that goes back is refused."""
        ceremony = _ceremony()
        now = self.counter.clock()
        with self.counter.workshop.database.connect() as connection:
            self._check_tries(connection, person, now)
            try:
                wanted = _bytes(str(credential["rawId"]))
                factor = next(f for f in factors.held(connection, person.number, "passkey") if f.credential == wanted)
                public_key = self.sealer.open(factor.sealed, _place("passkey", person))
                count = ceremony.used(self._site, credential, self._opened(challenge, session, now), public_key, factor.last_used)
                factors.use(connection, factor.number, count)
                factors.forgive(connection, self._account(person))
                return
            except (*ceremony.UNPROVED, StopIteration):
                pass
        self._failed(person, now, "passkey")
        raise Unauthenticated("The passkey does not prove who this is.", vi="Khóa truy cập không hợp lệ.")

    # All of them

    def kinds(self, person: Person) -> list[factors.Factor]:
        """The factors in force."""
        with self.counter.workshop.database.connect() as connection:
            return factors.shown(connection, person.number)

    def end(self, person: Person, number: int) -> bool:
        """End one factor."""
        now = self.counter.clock()
        with self.counter.workshop.database.connect() as connection:
            ended = factors.end(connection, person.number, number, now)
            if ended:
                self.counter.append(self._entry(Event.FACTOR_ENDED, person, now, ""), connection)
        return ended

    def _recovery(self, connection: Connection, person: Person, now: datetime) -> list[str]:
        factors.end_kind(connection, person.number, "recovery", now)
        codes = [base64.b32encode(secrets.token_bytes(10)).decode() for _ in range(RECOVERY_CODES)]
        for code in codes:
            factors.add(connection, person.number, "recovery", self._recovery_hash(person, code), now)
        return ["-".join(code[i : i + 4] for i in range(0, 16, 4)) for code in codes]

    def _recovery_hash(self, person: Person, code: str) -> bytes:
        return hmac.digest(self.key, f"recovery {person.number} {code}".encode("utf-8", "replace"), "sha256")

    def _account(self, person: Person) -> bytes:
        return hmac.digest(self.key, f"second factor {person.number}".encode(), "sha256")

    def _check_tries(self, connection: Connection, person: Person, now: datetime) -> None:
        since = now - timedelta(minutes=self.settings.sign_in_lock_minutes)
        if factors.failures(connection, self._account(person), since) >= self.settings.sign_in_tries:
            raise Denied(
                "Too many tries.",
                hint=f"Wait {self.settings.sign_in_lock_minutes} minutes.",
                hint_vi=f"Hãy chờ {self.settings.sign_in_lock_minutes} phút.",
                rule="locked",
                vi="Thử sai quá nhiều lần.",
            )

    def _failed(self, person: Person, now: datetime, kind: str) -> None:
        with self.counter.workshop.database.connect() as connection:
            factors.note_failure(connection, self._account(person), now)
            self.counter.append(self._entry(Event.FACTOR_REFUSED, person, now, kind, "refused"), connection)

    def _entry(self, event: Event, person: Person, now: datetime, kind: str, outcome: str = "done") -> Entry:
        return Entry(now, event, person.agency, person.handle, outcome=outcome, details={"factor": kind})

    def _challenge(self, challenge: bytes, session: str) -> str:
        until = (self.counter.clock() + CHALLENGE_LASTS).timestamp()
        return _text(self.sealer.seal(msgspec.json.encode(Challenge(_text(challenge), session, until)), "challenge"))

    def _opened(self, sealed: str, session: str, now: datetime) -> bytes:
        """The challenge, when it was made for the same session, which ends when it has served. Raises ValueError."""
        try:
            found = msgspec.json.decode(self.sealer.open(_bytes(sealed), "challenge"), type=Challenge)
        except (StoreError, msgspec.MsgspecError) as error:
            raise ValueError("challenge") from error
        if found.until < now.timestamp() or not hmac.compare_digest(found.session, session):
            raise ValueError("challenge")
        return _bytes(found.challenge)

    @property
    def _site(self) -> Site:
        origin = self.settings.public_url
        site: Site = _ceremony().Site(urlsplit(origin).hostname or "", origin, ISSUER)
        return site


def _ceremony() -> ModuleType:
    """Passkeys' own module: its library takes a quarter of a second to load, and few processes see a passkey."""
    from lienthong.web import passkey_ceremony  # noqa: PLC0415

    return passkey_ceremony


def _step_of(secret: str, code: str, now: datetime, used: int) -> int | None:
    """The time step whose code this is, when it is later than the last one used."""
    totp, newest, found = pyotp.TOTP(secret), int(now.timestamp()) // STEP_SECONDS, None
    for step in range(newest - STEPS_AROUND, newest + STEPS_AROUND + 1):
        if hmac.compare_digest(totp.generate_otp(step).encode(), code.encode("utf-8", "replace")) and step > used:
            found = step
    return found


def _place(kind: str, person: Person) -> str:
    return f"{kind} {person.number}"


def _text(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode()


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode((text + "=" * (-len(text) % 4)).encode("ascii", "replace"))  # browsers leave the padding out
