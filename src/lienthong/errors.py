"""Every exception Lienthong raises on purpose.

    LienthongError
    ├── SettingsError            a setting is missing or makes no sense
    ├── ContractError            a contract has faults (all of them, each with its place)
    │   ├── AgreementError       the same of agreements and subsystems
    │   └── ServiceError         the same of a brokered service
    ├── SourceError              a source cannot be read; nothing of it was published
    │   └── HostileInputError    a source was refused because it could do harm
    ├── TargetError              a sync's target cannot be reached or does not take what it is given
    │   └── TargetMoved          it is at another place than we left it
    ├── SyncError                a sync is not defined well, or cannot do what was asked
    ├── RunError                 a run cannot go on
    │   ├── RunWaitsError        bounds of `expect` are broken: a person must decide
    │   └── DatasetBusyError     another run of the same dataset holds the lock
    ├── StoreError               the database cannot do what was asked
    │   ├── DatabaseUnreachable  no server answers
    │   └── UnsafeMigration      a contract change would lose data
    ├── LedgerError              the ledger does not hold together
    └── RequestError             a request cannot be answered; has an HTTP status
        ├── BadRequest           400
        │   └── SearchNotUnderstood
        ├── Unauthenticated      401
        ├── Denied               403, names the rule, never the hidden fact
        ├── NotFound             404
        │   ├── UnknownAction
        │   └── UnknownDataset   there is none of this name, or none the caller may know of
        ├── Conflict             409
        ├── Gone                 410
        ├── PreconditionFailed   412
        ├── PreconditionRequired 428
        ├── Unprocessable        422
        ├── QuestionTooLong      422, the database looked for too long
        ├── QuotaExceeded        429
        ├── NotOffered           501, a standard's option we do not have
        ├── Stopped              503, the dataset is stopped for all its users
        └── ProviderError        502, of a brokered call: the provider's answer cannot be passed on
            └── ProviderUnavailable  503

Bad data is never an exception: it is an `Issue` (see `quality`). Messages hold no personal data.
Every code is listed in `docs/reference/errors.md`, and a test says so.
"""

from __future__ import annotations

from typing import Any, ClassVar


class LienthongError(Exception):
    """Root of all errors: a stable `code`, a `message`, a `hint` (what to do next) and facts."""

    code: ClassVar[str] = "lienthong"

    def __init__(self, message: str, *, hint: str = "", **facts: Any) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.facts = facts

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()


class SettingsError(LienthongError):
    code = "settings"


class ContractError(LienthongError):
    """A contract has faults; `faults` lists every one as (place, what, suggestion)."""

    code = "contract"

    def __init__(self, message: str, *, faults: tuple[tuple[str, str, str], ...] = (), hint: str = "", vi: str = "") -> None:
        super().__init__(message, hint=hint, faults=faults, vi=vi)
        self.faults = faults

    def __str__(self) -> str:
        lines = [f"  {place}: {what}{f' ({suggestion})' if suggestion else ''}" for place, what, suggestion in self.faults]
        return "\n".join([super().__str__(), *lines])


class AgreementError(ContractError):
    code = "agreement"


class ServiceError(ContractError):
    code = "service"


class SourceError(LienthongError):
    code = "source"


class HostileInputError(SourceError):
    code = "source-hostile"


class TargetError(LienthongError):
    """A target of a sync cannot be reached, or does not take what it is given."""

    code = "target"


class TargetMoved(TargetError):
    """The place kept in the target is another than the one a delivery began from: somebody moved it, or a backup was restored."""

    code = "target-moved"


class SyncError(LienthongError):
    """Definitions of syncs have faults, or a sync cannot do what was asked."""

    code = "sync"


class RunError(LienthongError):
    code = "run"


class RunWaitsError(RunError):
    code = "run-waits"


class DatasetBusyError(RunError):
    code = "run-busy"


class StoreError(LienthongError):
    code = "store"


class DatabaseUnreachable(StoreError):
    code = "store-unreachable"


class UnsafeMigration(StoreError):
    code = "store-unsafe-migration"


class LedgerError(LienthongError):
    code = "ledger"


class RequestError(LienthongError):
    """A request cannot be answered; `status` is the HTTP status."""

    code = "request"
    status: ClassVar[int] = 400


class BadRequest(RequestError):
    code = "bad-request"


class Unauthenticated(RequestError):
    code = "unauthenticated"
    status = 401


class Denied(RequestError):
    code = "denied"
    status = 403


class NotFound(RequestError):
    code = "not-found"
    status = 404


class UnknownDataset(NotFound):
    """The same words for one that is not there and one whose very entry is not for the caller."""


class Gone(RequestError):
    code = "gone"
    status = 410


class NotAcceptable(RequestError):
    code = "not-acceptable"
    status = 406


class Conflict(RequestError):
    code = "conflict"
    status = 409


class PreconditionFailed(RequestError):
    """The record is no longer the version a change was made from."""

    code = "precondition-failed"
    status = 412


class PreconditionRequired(RequestError):
    """A change does not say which version it was made from."""

    code = "precondition-required"
    status = 428


class TooLarge(RequestError):
    code = "too-large"
    status = 413


class NotJson(RequestError):
    code = "not-json"
    status = 415


class Unprocessable(RequestError):
    code = "unprocessable"
    status = 422


class SearchNotUnderstood(BadRequest):
    """A search in another system's query language that we do not read."""

    code = "search-not-understood"


class UnknownAction(NotFound):
    code = "unknown-action"


class QuestionTooLong(RequestError):
    """The database looked for an answer for longer than it may."""

    code = "question-too-long"
    status = 422


class NotOffered(RequestError):
    """A standard has this option, and we do not: said, never passed over."""

    code = "not-offered"
    status = 501


class QuotaExceeded(RequestError):
    code = "quota-exceeded"
    status = 429


class NotAMethod(RequestError):
    code = "method-not-allowed"
    status = 405


class ProviderError(RequestError):
    """A provider's answer cannot be passed on; `rule` says why, never what it held."""

    code = "provider"
    status = 502


class ProviderUnavailable(ProviderError):
    code = "provider-unavailable"
    status = 503


class ServiceStopped(RequestError):
    code = "service-stopped"
    status = 503


class Stopped(RequestError):
    code = "stopped"
    status = 503
