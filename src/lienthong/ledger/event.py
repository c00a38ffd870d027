"""Every act the ledger knows, as `subject:object:action`. Each is specified in `docs/reference/ledger-events.md`, and a test says so."""

from __future__ import annotations

from enum import StrEnum


class Event(StrEnum):
    CONTRACT_APPLIED = "contract:dataset:applied"
    RUN_PUBLISHED = "run:dataset:published"
    RUN_UNCHANGED = "run:dataset:unchanged"
    RUN_WAITING = "run:dataset:waiting"
    RUN_FAILED = "run:dataset:failed"
    RUN_WITHDRAWN = "run:dataset:withdrawn"
    QUARANTINE_CORRECTED = "quarantine:row:corrected"
    QUARANTINE_LISTED = "quarantine:rows:listed"
    SUBMISSION_RECEIVED = "submission:rows:received"
    RECORD_WRITTEN = "record:values:written"
    RECORD_ENDED = "record:state:ended"
    RECORD_REFUSED = "record:write:refused"
    ANSWER_RECORD = "answer:record:given"
    ANSWER_MISSING = "answer:record:missing"
    ANSWER_PAGE = "answer:page:given"
    ANSWER_CHANGES = "answer:changes:given"
    ANSWER_EVENTS = "answer:events:given"
    ANSWER_BULK_BEGUN = "answer:bulk:begun"
    ANSWER_BULK_ENDED = "answer:bulk:ended"
    REQUEST_DENIED = "answer:request:denied"
    ENTITIES_MATCHED = "match:entity:matched"
    RECORDS_MATCHED = "match:records:matched"
    MODEL_TRAINED = "match:model:trained"
    JUDGEMENT_MADE = "match:judgement:made"
    JUDGEMENT_UNDONE = "match:judgement:undone"
    OVERRIDE_MADE = "match:override:made"
    REVIEW_DRAWN = "match:review:drawn"
    REVIEW_GIVEN = "match:review:given"
    QUEUE_READ = "match:queue:read"
    ENTITY_ASKED = "match:entity:asked"
    REPORT_GIVEN = "report:figures:given"
    TOKEN_ISSUED = "token:subsystem:issued"  # noqa: S105 # the name of an act, not a secret
    SIGNED_IN = "person:session:begun"
    SIGNED_OUT = "person:session:ended"
    ACT_DENIED = "act:request:denied"
    TOKEN_REFUSED = "token:subsystem:refused"  # noqa: S105 # the name of an act, not a secret
    BODIES_ARCHIVED = "ledger:bodies:archived"
    BODIES_REMOVED = "ledger:bodies:removed"
    BODIES_DROPPED = "ledger:bodies:dropped"
    RECEIPT_GIVEN = "ledger:receipt:given"
