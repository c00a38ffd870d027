"""Decides whether a subsystem may see this, for this purpose, and what is withheld."""

from lienthong.access.actor import Actor, Role
from lienthong.access.addresses import LONGEST_PATH, SafePath, safe_path, safe_query
from lienthong.access.agency import NO_AGENCIES, Agencies, Agency, words_of_closed
from lienthong.access.agreement import Agreement, Hours, Operation, PublicKey, Quota, Register, RowCondition, State, Stop, Subsystem
from lienthong.access.binding import Proof, certificate_thumbprint, thumbprint_of_der, verify_dpop
from lienthong.access.calling import decide_call
from lienthong.access.decide import ANONYMOUS, CLAUSES, RULES, AccessRequest, Decision, decide, deny, refused_as_closed, tried
from lienthong.access.endpoints import VERBS, matches_endpoint, read_endpoint
from lienthong.access.identity import Identity
from lienthong.access.legal import Citation, Instrument, Instruments, citations_of, not_current, read_instruments
from lienthong.access.life import STATE_WORDS, STEPS, Act, Clocks, Side, answer_due, earliest_stop, follows
from lienthong.access.load import load_agreements
from lienthong.access.mask import MASKS, mask
from lienthong.access.message_signatures import SentRequest, SentResponse, Signed, joined, sign_response, verify_request
from lienthong.access.parts import (
    PARTS,
    USUAL_OFFER,
    Offer,
    faults_of_basis,
    missing_parts,
    needs_two_persons,
    outside_offer,
    standing_terms,
    usual_terms,
)
from lienthong.access.quota import TokenBucket
from lienthong.access.reading import check_contract, document_of, read_agreement
from lienthong.access.rows import matches
from lienthong.access.sealing import Sealer
from lienthong.access.session import NEED_SECOND_FACTOR, Person, Session, SignedIn, csrf_of, is_over, token_hash
from lienthong.access.tokens import (
    ASSERTION_TYPE,
    PRODUCTION,
    SANDBOX,
    AccessToken,
    Assertion,
    claimed_subsystem,
    issue_token,
    make_assertion,
    new_key_pair,
    verify_assertion,
    verify_proof,
    verify_token,
)

__all__ = [
    "ANONYMOUS",
    "ASSERTION_TYPE",
    "CLAUSES",
    "LONGEST_PATH",
    "MASKS",
    "NEED_SECOND_FACTOR",
    "NO_AGENCIES",
    "PARTS",
    "PRODUCTION",
    "RULES",
    "SANDBOX",
    "STATE_WORDS",
    "STEPS",
    "USUAL_OFFER",
    "VERBS",
    "AccessRequest",
    "AccessToken",
    "Act",
    "Actor",
    "Agencies",
    "Agency",
    "Agreement",
    "Assertion",
    "Citation",
    "Clocks",
    "Decision",
    "Hours",
    "Identity",
    "Instrument",
    "Instruments",
    "Offer",
    "Operation",
    "Person",
    "Proof",
    "PublicKey",
    "Quota",
    "Register",
    "Role",
    "RowCondition",
    "SafePath",
    "Sealer",
    "SentRequest",
    "SentResponse",
    "Session",
    "Side",
    "Signed",
    "SignedIn",
    "State",
    "Stop",
    "Subsystem",
    "TokenBucket",
    "answer_due",
    "certificate_thumbprint",
    "check_contract",
    "citations_of",
    "claimed_subsystem",
    "csrf_of",
    "decide",
    "decide_call",
    "deny",
    "document_of",
    "earliest_stop",
    "faults_of_basis",
    "follows",
    "is_over",
    "issue_token",
    "joined",
    "load_agreements",
    "make_assertion",
    "mask",
    "matches",
    "matches_endpoint",
    "missing_parts",
    "needs_two_persons",
    "new_key_pair",
    "not_current",
    "outside_offer",
    "read_agreement",
    "read_endpoint",
    "read_instruments",
    "refused_as_closed",
    "safe_path",
    "safe_query",
    "sign_response",
    "standing_terms",
    "thumbprint_of_der",
    "token_hash",
    "tried",
    "usual_terms",
    "verify_assertion",
    "verify_dpop",
    "verify_proof",
    "verify_request",
    "verify_token",
    "words_of_closed",
]
