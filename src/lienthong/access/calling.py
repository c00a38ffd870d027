"""Whether a subsystem may make one call of a brokered service: the same agreements as for data, and the endpoints they name."""

from __future__ import annotations

from datetime import date

from lienthong.access.agreement import Register
from lienthong.access.decide import AccessRequest, Decision, deny, refused_as_closed, stop_of, tried
from lienthong.access.endpoints import matches_endpoint


def decide_call(request: AccessRequest, provider: str, verb: str, path: str, register: Register, on: date) -> Decision:
    """Decide a call of `request.dataset`, the service's id. `provider` is the agency that owns it: no other agency's agreement opens it.

    `path` has been through `safe_path`. The first agreement (by id) that allows it is used; else the reason of the last one tried.
    """
    if request.caller is None:
        return deny("no_identity")
    closed = refused_as_closed(request.caller, register, on)
    if closed is not None:
        return closed
    stop = stop_of(request, register, on)
    if stop is not None:
        return deny("stopped", stop=stop)
    denial: Decision | None = None
    for agreement, broken in tried(request, register, on):
        if agreement.provider != provider:
            continue
        if broken is None and not any(matches_endpoint(endpoint, verb, path) for endpoint in agreement.endpoints):
            broken = "other_endpoint"
        if broken is None:
            return Decision(allowed=True, agreement=agreement.id, legal_basis=agreement.legal_basis, quota=agreement.quota)
        denial = deny(broken, agreement)
    return denial or deny("no_agreement")
