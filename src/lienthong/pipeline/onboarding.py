"""Onboarding by stages: register, security level, sandbox key, conformance seen by the platform, agreement, production key, first week watched.

Each has an owner and a due day.

The checks are real: the platform gives a subsystem something to handle in the sandbox and sees what it does. What it saw is kept
with its time, and each pass is an entry in the ledger.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from lienthong.access import PRODUCTION, SANDBOX, State
from lienthong.clock import VIETNAM, vietnam_date
from lienthong.errors import Denied, NotFound, QuotaExceeded, Unauthenticated, Unprocessable
from lienthong.ledger import Entry, Event, Signer, inclusion_proof, leaf_hash, signed_note, tree_root
from lienthong.pipeline.first_week import STATES, Week, term_on
from lienthong.pipeline.leveling import LevelStanding
from lienthong.pipeline.workshop import Workshop
from lienthong.standards.working_days import WorkingDays
from lienthong.store import Connection, append_entries
from lienthong.store import agreements as agreed
from lienthong.store import onboarding as store
from lienthong.store import subsystems as systems

CHECKS: Mapping[str, tuple[str, str]] = {
    "token": ("Lấy được mã truy cập bằng khóa thử nghiệm", "Gets a token with its sandbox key"),
    "purpose_and_official": ("Nêu mục đích và cán bộ trong yêu cầu", "Names purpose and official"),
    "ended_token": ("Gặp 401 thì lấy mã mới rồi hỏi lại", "Gets a new token after a 401 and asks again"),
    "quota": ("Gặp 429 thì chờ đúng Retry-After", "Waits for Retry-After after a 429"),
    "withheld": ("Phân biệt không cung cấp, chưa được gửi, không có giá trị", "Tells withheld, not delivered and no value apart"),
    "ledger_proof": ("Kiểm chứng được bằng chứng của sổ", "Verifies proofs of the ledger"),
}
STAGES: Mapping[str, tuple[str, str]] = {
    "registered": ("Đăng ký hệ thống", "Registered"),
    "security_level": ("Hồ sơ cấp độ an toàn", "Security level"),
    "sandbox_key": ("Khóa thử nghiệm", "Sandbox key"),
    "conformance": ("Kiểm tra tương thích", "Conformance"),
    "agreement": ("Thỏa thuận chia sẻ", "Agreement"),
    "production_key": ("Khóa chính thức", "Production key"),
    "first_week": ("Theo dõi tuần đầu", "First-week watch"),
}
OWNERS: Mapping[str, str] = {"agreement": "provider", "first_week": "operator"}  # of the other stages: the subsystem's own agency
NOON = time(12)
WAIT_SECONDS = 2
RECORDS = ("MAU-1", "MAU-401", "MAU-429")
FIELDS = ("ho_ten", "ngay_sinh", "dien_thoai", "email", "ghi_chu", "noi_o")
PROOFS = 4
AGREED = frozenset({State.GRANTED, State.ACTIVE})


@dataclass(frozen=True)
class Asking:
    """Who practises: a subsystem with a token of the sandbox."""

    subsystem: str
    jti: str
    purpose: str = ""
    official: str = ""


@dataclass(frozen=True)
class Sandbox:
    """What practice is made of: nothing in it is anybody's."""

    workshop: Workshop
    key: bytes
    signer: Signer  # of a practice tree; the ledger's own key signs the ledger alone

    def look_up(self, asking: Asking, record: str) -> dict[str, Any]:
        """A practice record. Raises what a subsystem has to be able to handle: Unauthenticated, Denied, QuotaExceeded, NotFound."""
        now = self.workshop.clock()
        with self.workshop.database.connect() as connection:
            self._pass(connection, asking.subsystem, "token", {"token": _short(asking.jti)}, now)
            if not asking.purpose or not asking.official:
                rule = "no_official" if asking.purpose else "no_purpose"
                self._try(connection, asking.subsystem, "purpose_and_official", {"missing": rule})
                connection.commit()
                raise Denied("Name the purpose and the official.", rule=rule, vi="Cần nêu mục đích và cán bộ yêu cầu.")
            self._pass(connection, asking.subsystem, "purpose_and_official", {"purpose": asking.purpose[:60]}, now)
            refusal = None
            if record == "MAU-401":
                refusal = self._ended_token(connection, asking, now)
            elif record == "MAU-429":
                refusal = self._quota(connection, asking, now)
        if refusal is not None:
            raise refusal
        if record not in RECORDS:
            raise NotFound(
                "There is no such practice record.",
                hint=f"There are {', '.join(RECORDS)}.",
                vi="Không có bản ghi mẫu này.",
                hint_vi=f"Có các bản ghi: {', '.join(RECORDS)}.",
            )
        return self._record(asking.subsystem, record)

    def say_withheld(self, subsystem: str, said: Mapping[str, Sequence[str]]) -> dict[str, Any]:
        """Hold what a subsystem says of MAU-1 against what it was given."""
        kinds = self._kinds(subsystem)
        wanted = {kind: sorted(name for name, each in kinds.items() if each == kind) for kind in ("withheld", "not_delivered", "no_value")}
        found = {kind: sorted(said.get(kind, ())) for kind in wanted}
        return self._judged(subsystem, "withheld", found == wanted, {"fields": len(FIELDS)})

    def proofs(self, subsystem: str) -> dict[str, Any]:
        """Entries of a practice tree with their proofs against a signed checkpoint: some hold, some were altered."""
        bodies = [f'{{"v":1,"event":"practice","n":{n},"of":"{_short(subsystem)}"}}'.encode() for n in range(8)]
        leaves = [leaf_hash(body) for body in bodies]
        root, at = tree_root(leaves), datetime(2026, 1, 1, tzinfo=self.workshop.clock().tzinfo)
        signature = self.signer.sign_checkpoint(len(leaves), root, at)
        note = signed_note(self.signer.origin, len(leaves), root, at, self.signer.public_key, signature)
        shown = []
        for number, holds in enumerate(self._verdicts(subsystem)):
            body = bodies[number] if holds else bodies[number].replace(b"practice", b"practise")
            path = [node.hex() for node in inclusion_proof(leaves, number)]
            shown.append({"position": number, "body": body.decode(), "path": path})
        return {"checkpoint": note, "public_key": self.signer.public_key.hex(), "proofs": shown}

    def say_proofs(self, subsystem: str, verdicts: Sequence[bool]) -> dict[str, Any]:
        """Hold a subsystem's verdicts on the proofs against the truth."""
        return self._judged(subsystem, "ledger_proof", list(verdicts) == self._verdicts(subsystem), {"proofs": PROOFS})

    def standing(self, subsystem: str) -> list[dict[str, Any]]:
        """Each check: passed when, with which evidence, after how many tries."""
        with self.workshop.database.connect() as connection:
            return standing(connection, subsystem)

    def _ended_token(self, connection: Connection, asking: Asking, now: datetime) -> Exception | None:
        check = store.hold(connection, asking.subsystem, "ended_token")
        ended = check.state.get("ended")
        if ended is None or ended == _short(asking.jti):
            self._try(connection, asking.subsystem, "ended_token", {"ended": _short(asking.jti), "at": now.isoformat()})
            return Unauthenticated(
                "The access token has ended (practice).",
                hint="Get a new one and ask again.",
                vi="Mã truy cập đã hết hạn (thử).",
                hint_vi="Lấy mã mới rồi gửi lại yêu cầu.",
            )
        self._pass(connection, asking.subsystem, "ended_token", {"ended": ended, "then": _short(asking.jti)}, now)
        return None

    def _quota(self, connection: Connection, asking: Asking, now: datetime) -> Exception | None:
        check = store.hold(connection, asking.subsystem, "quota")
        told = check.state.get("at")
        waited = None if told is None else (now - datetime.fromisoformat(told)).total_seconds()
        if waited is None or waited < WAIT_SECONDS:
            self._try(connection, asking.subsystem, "quota", {"at": now.isoformat()})
            return QuotaExceeded(
                "Past the quota (practice).", hint="Wait.", retry_after=WAIT_SECONDS, vi="Vượt hạn mức (thử).", hint_vi="Hãy chờ."
            )
        self._pass(connection, asking.subsystem, "quota", {"waited_seconds": round(waited, 1)}, now)
        return None

    def _judged(self, subsystem: str, name: str, is_right: bool, evidence: Mapping[str, Any]) -> dict[str, Any]:
        now = self.workshop.clock()
        with self.workshop.database.connect() as connection:
            check = store.hold(connection, subsystem, name)
            if is_right:
                self._pass(connection, subsystem, name, {**evidence, "tries_before": check.tries}, now)
            else:
                self._try(connection, subsystem, name, {"last": "wrong"})
        if not is_right:
            raise Unprocessable(
                "That is not what was given.",
                hint="Look again; tries are counted.",
                vi="Chưa đúng với dữ liệu đã gửi.",
                hint_vi="Hãy xem lại; số lần thử được đếm.",
            )
        return {"check": name, "passed": True}

    def _try(self, connection: Connection, subsystem: str, name: str, state: Mapping[str, Any]) -> None:
        if store.hold(connection, subsystem, name).passed_at is None:
            store.note_try(connection, subsystem, name, state)

    def _pass(self, connection: Connection, subsystem: str, name: str, evidence: Mapping[str, Any], now: datetime) -> None:
        if store.hold(connection, subsystem, name).passed_at is None and store.note_pass(connection, subsystem, name, evidence, now):
            entry = Entry(now, Event.CHECK_PASSED, subsystem, outcome="passed", details={"check": name, **evidence})
            append_entries(connection, [entry], self.workshop.signer)

    def _record(self, subsystem: str, record: str) -> dict[str, Any]:
        kinds = self._kinds(subsystem)
        values: dict[str, str | None] = {name: f"mẫu {name}" for name, kind in kinds.items() if kind == "value"}
        values |= dict.fromkeys(name for name, kind in kinds.items() if kind in ("no_value", "not_delivered"))
        listed = {kind: [name for name, each in kinds.items() if each == kind] for kind in ("withheld", "not_delivered")}
        return {"key": record, "version": 1, "valid_from": date(2026, 1, 1), "values": values, **listed}

    def _kinds(self, subsystem: str) -> dict[str, str]:
        """Which field is of which kind: another for each subsystem, always the same for one."""
        mixed = hmac.digest(self.key, f"practice {subsystem}".encode(), "sha256")
        order = sorted(FIELDS, key=lambda name: hmac.digest(mixed, name.encode(), "sha256"))
        return dict(zip(order, ("withheld", "withheld", "not_delivered", "no_value", "value", "value"), strict=True))

    def _verdicts(self, subsystem: str) -> list[bool]:
        """Which proofs hold: at least one does, and one does not."""
        mixed = hmac.digest(self.key, f"proofs {subsystem}".encode(), "sha256")
        return [n == mixed[0] % PROOFS or (n != (mixed[0] + 1) % PROOFS and bool(mixed[n + 1] & 1)) for n in range(PROOFS)]


def standing(connection: Connection, subsystem: str) -> list[dict[str, Any]]:
    """Each check of a subsystem, in order."""
    tried = store.checks(connection, subsystem)
    found = []
    for name, (vi, en) in CHECKS.items():
        check = tried.get(name)
        found.append(
            {
                "check": name, "title": vi, "title_en": en, "tries": 0 if check is None else check.tries,
                "passed_at": None if check is None else check.passed_at, "evidence": None if check is None else check.evidence,
            }
        )  # fmt: skip
    return found


def stages(
    connection: Connection, identifier: str, opened: date, offices: WorkingDays, days: Mapping[str, int], agency: str, level: LevelStanding,
    week: Week | None = None,
) -> list[dict[str, Any]]:  # fmt: skip
    """The stages of a subsystem: done or not, whose turn it is, until when. A stage's days run from the day the one before was done."""
    keys = systems.keys(connection, identifier)
    checks = standing(connection, identifier)
    passed = [each["passed_at"] for each in checks if each["passed_at"] is not None]
    agreements = [kept for kept in agreed.standing(connection, consumer=agency) if kept.consumer == identifier and kept.state in AGREED]
    registered = datetime(opened.year, opened.month, opened.day)  # noqa: DTZ001 # only its day counts
    done: dict[str, datetime | None] = {
        "registered": registered,
        "security_level": (level.recorded_at or registered) if level.is_done else None,
        "sandbox_key": _first(key.since for key in keys if key.environment == SANDBOX),
        "conformance": max(passed) if len(passed) == len(CHECKS) else None,
        "agreement": _first(kept.at for kept in agreements),
        "production_key": _first(key.since for key in keys if key.environment == PRODUCTION),
        "first_week": None if week is None or week.passed_on is None else datetime.combine(week.passed_on, NOON, VIETNAM),
    }
    evidence = {
        "registered": identifier,
        "security_level": level.approved.decision if level.approved else "",
        "sandbox_key": ", ".join(key.kid for key in keys if key.environment == SANDBOX),
        "conformance": f"{len(passed)}/{len(CHECKS)}",
        "agreement": ", ".join(kept.id for kept in agreements),
        "production_key": ", ".join(key.kid for key in keys if key.environment == PRODUCTION),
        "first_week": "" if week is None else f"{STATES[week.state][0]}: {week.evidence}",
    }
    found, begins = [], opened
    for name, (vi, en) in STAGES.items():
        at = done[name]
        due = offices.add(begins, days.get(name, 0)) if name != "registered" else opened
        if name == "first_week":
            due = week.due if week is not None else begins + timedelta(days=term_on(begins).days)
        found.append(
            {
                "stage": name, "title": vi, "title_en": en, "owner": OWNERS.get(name, agency), "is_done": at is not None, "due": due,
                "done_on": None if at is None else (opened if name == "registered" else vietnam_date(at)), "evidence": evidence[name],
            }
        )  # fmt: skip
        begins = due if at is None or name == "registered" else vietnam_date(at)
    return found


def require_ready(connection: Connection, identifier: str) -> None:
    """Raises Denied unless every check was passed and there is an agreement: only then is a first production key taken."""
    missing = [each["title_en"] for each in standing(connection, identifier) if each["passed_at"] is None]
    if missing:
        raise Denied(
            f"Checks of the sandbox are not passed: {', '.join(missing)}.",
            rule="not_conformant",
            vi="Chưa qua hết các kiểm tra thử nghiệm.",
        )
    if not any(
        kept.consumer == identifier and kept.state in AGREED for kept in agreed.standing(connection, consumer=identifier.split("/")[2])
    ):
        raise Denied("There is no agreement yet.", rule="no_agreement", vi="Chưa có thỏa thuận chia sẻ.")


def read_days(text: str) -> dict[str, int]:
    """`sandbox_key=5 conformance=20` as stage → working days."""
    pairs = dict(part.partition("=")[::2] for part in text.split())
    return {name: int(value) for name, value in pairs.items() if name in STAGES and value.isdigit()}


def _first(moments: Any) -> datetime | None:
    known = [each for each in moments if each is not None]
    return min(known) if known else None


def _short(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]
