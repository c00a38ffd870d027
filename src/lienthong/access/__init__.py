"""Decides whether a subsystem may see this, for this purpose, and what is withheld."""

from lienthong.access.actor import Actor, Role
from lienthong.access.addresses import SafePath, safe_path, safe_query
from lienthong.access.agreement import Agreement, Operation, PublicKey, Quota, Register, RowCondition, State, Subsystem
from lienthong.access.calling import decide_call
from lienthong.access.decide import ANONYMOUS, RULES, AccessRequest, Decision, decide, deny
from lienthong.access.endpoints import VERBS, matches_endpoint, read_endpoint
from lienthong.access.identity import Identity
from lienthong.access.load import load_agreements
from lienthong.access.mask import MASKS, mask
from lienthong.access.quota import TokenBucket
from lienthong.access.rows import matches
from lienthong.access.sealing import Sealer
from lienthong.access.session import NEED_SECOND_FACTOR, Person, Session, SignedIn, csrf_of, is_over, token_hash
from lienthong.access.tokens import (
    ASSERTION_TYPE,
    AccessToken,
    Assertion,
    claimed_subsystem,
    issue_token,
    make_assertion,
    new_key_pair,
    verify_assertion,
    verify_token,
)

__all__ = [
    "ANONYMOUS",
    "ASSERTION_TYPE",
    "MASKS",
    "NEED_SECOND_FACTOR",
    "RULES",
    "VERBS",
    "AccessRequest",
    "AccessToken",
    "Actor",
    "Agreement",
    "Assertion",
    "Decision",
    "Identity",
    "Operation",
    "Person",
    "PublicKey",
    "Quota",
    "Register",
    "Role",
    "RowCondition",
    "SafePath",
    "Sealer",
    "Session",
    "SignedIn",
    "State",
    "Subsystem",
    "TokenBucket",
    "claimed_subsystem",
    "csrf_of",
    "decide",
    "decide_call",
    "deny",
    "is_over",
    "issue_token",
    "load_agreements",
    "make_assertion",
    "mask",
    "matches",
    "matches_endpoint",
    "new_key_pair",
    "read_endpoint",
    "safe_path",
    "safe_query",
    "token_hash",
    "verify_assertion",
    "verify_token",
]
