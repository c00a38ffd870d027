"""Everything about persons, put together: sessions, signing in, the built-in provider, second factors, and `/v1/people`, `/v1/approvals`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from lienthong.access import Actor, Decision, Person, Role, Sealer, SignedIn, refused_as_closed
from lienthong.clock import vietnam_date
from lienthong.errors import BadRequest, NotFound, Unprocessable
from lienthong.pipeline import agencies, approving, drafting, granting, releasing, units
from lienthong.pipeline.approving import Kind
from lienthong.store import people as store
from lienthong.store.approvals import Proposal
from lienthong.web import acting
from lienthong.web.accounts import Accounts
from lienthong.web.asking import Counter, json_answer
from lienthong.web.bodies import read_json
from lienthong.web.desk import number_of, text_of
from lienthong.web.keys import provider_key
from lienthong.web.oidc_party import Party
from lienthong.web.oidc_provider import Provider
from lienthong.web.second_factors import SecondFactors
from lienthong.web.sessions import Sessions
from lienthong.web.sign_in import SignIn

if TYPE_CHECKING:
    from lienthong.web.services import Services

LARGEST_BODY = 262_144
KINDS: dict[str, Kind] = {
    kind.name: kind for kind in (granting.GRANT_ROLE, agencies.MERGE, units.CHANGE, units.TAKE_BACK, drafting.PUBLISH, releasing.RELEASE)
}
Act = Callable[[Actor, Request, Mapping[str, Any]], Any]


class People:
    """The addresses of this room's people, and `acting` for everybody else's."""

    def __init__(self, services: Services, counter: Counter) -> None:
        settings, key = services.settings, services.subject_key
        sealer = Sealer(services.sealing_key)
        self._counter = counter
        sessions = Sessions(settings, counter, sealer, key, services.workshop.clock)
        self.acting = acting.Acting(counter, services.tokens.subsystem_of, sessions, partial(_closed, services))
        party = Party(settings) if settings.oidc_issuer else None
        self._sign_in = SignIn(counter, sessions, SecondFactors(settings, counter, sealer, key), sealer, party)
        self._provider: Provider | None = None
        if settings.oidc_accounts:
            accounts = Accounts.read(Path(settings.oidc_accounts))
            self._provider = Provider(settings, counter, accounts, sealer, provider_key(settings), key)

    def routes(self) -> list[Route]:
        operator, looking = (Role.OPERATOR,), (Role.OPERATOR, Role.AUDITOR)
        return [
            *self._sign_in.routes(),
            *(self._provider.routes() if self._provider else []),
            Route("/v1/people", self._acting(looking, self._list), methods=["GET"]),
            Route("/v1/people", self._acting(operator, self._register, ("handle", "issuer", "subject", "name", "agency")), methods=["POST"]),
            Route("/v1/people/{handle}/end", self._acting(operator, self._end, ()), methods=["POST"]),
            Route("/v1/people/{handle}/roles", self._acting(operator, self._propose_role, ("role", "reason")), methods=["POST"]),
            Route("/v1/people/{handle}/roles/{role}/withdraw", self._acting(operator, self._withdraw_role, ()), methods=["POST"]),
            Route("/v1/approvals", self._acting((*looking, Role.DATA_OFFICER, Role.LEADER), self._waiting), methods=["GET"]),
            Route("/v1/approvals/{proposal}", self._acting((), self._shown), methods=["GET"]),
            Route("/v1/approvals/{proposal}/approve", self._acting((), self._approve, ("digest",)), methods=["POST"]),
            Route("/v1/approvals/{proposal}/refuse", self._acting((), self._refuse, ("reason",)), methods=["POST"]),
            Route("/v1/approvals/{proposal}/withdraw", self._acting((), self._withdraw, ()), methods=["POST"]),
        ]  # fmt: skip

    def _acting(self, roles: tuple[Role, ...], act: Act, fields: tuple[str, ...] | None = None) -> Any:
        """A handler for who signed in and holds one of the roles; with `fields`, an object of them is sent."""

        async def answer(request: Request) -> Response:
            actor = await run_in_threadpool(acting.require, request, *roles, in_person=True)
            document: Any = {}
            if fields is not None:
                document = await read_json(request, LARGEST_BODY) if fields else {}
                if not isinstance(document, dict) or set(document) != set(fields):
                    raise Unprocessable(f"Expected an object of {', '.join(fields)}.", vi=f"Cần một đối tượng gồm {', '.join(fields)}.")
            return json_answer(await run_in_threadpool(act, actor, request, document))

        return answer

    # Persons

    def _list(self, _: Actor, __: Request, ___: Mapping[str, Any]) -> Any:
        with self._counter.connection() as connection:
            return {"people": [_person(person) for person in store.everybody(connection)]}

    def _register(self, actor: Actor, _: Request, sent: Mapping[str, Any]) -> Any:
        who = SignedIn(text_of(sent, "issuer"), text_of(sent, "subject"), text_of(sent, "name"))
        granting.register_person(self._counter.workshop, actor, text_of(sent, "handle"), who, text_of(sent, "agency"))
        return {"handle": sent["handle"]}

    def _end(self, actor: Actor, request: Request, _: Mapping[str, Any]) -> Any:
        granting.end_person(self._counter.workshop, actor, request.path_params["handle"])
        return {"handle": request.path_params["handle"]}

    def _propose_role(self, actor: Actor, request: Request, sent: Mapping[str, Any]) -> Any:
        document = granting.role_document(self._counter.workshop, request.path_params["handle"], _role(text_of(sent, "role")))
        proposal = approving.propose(
            self._counter.workshop, granting.GRANT_ROLE, actor, document, text_of(sent, "reason"), document["agency"]
        )
        return proposal_document(proposal)

    def _withdraw_role(self, actor: Actor, request: Request, _: Mapping[str, Any]) -> Any:
        handle, role = request.path_params["handle"], _role(request.path_params["role"])
        granting.withdraw_role(self._counter.workshop, actor, handle, role)
        return {"handle": handle, "role": role.value}

    # Approvals

    def _waiting(self, _: Actor, __: Request, ___: Mapping[str, Any]) -> Any:
        return {"proposals": [proposal_document(each) for each in approving.waiting(self._counter.workshop, list(KINDS.values()))]}

    def _shown(self, actor: Actor, request: Request, _: Mapping[str, Any]) -> Any:
        return proposal_document(self._seen(actor, request)[1])

    def _approve(self, actor: Actor, request: Request, sent: Mapping[str, Any]) -> Any:
        kind, proposal = self._seen(actor, request)
        return proposal_document(approving.approve(self._counter.workshop, kind, actor, proposal.number, text_of(sent, "digest")))

    def _refuse(self, actor: Actor, request: Request, sent: Mapping[str, Any]) -> Any:
        kind, proposal = self._seen(actor, request)
        return proposal_document(approving.refuse(self._counter.workshop, kind, actor, proposal.number, text_of(sent, "reason")))

    def _withdraw(self, actor: Actor, request: Request, _: Mapping[str, Any]) -> Any:
        kind, proposal = self._seen(actor, request)
        return proposal_document(approving.withdraw(self._counter.workshop, kind, actor, proposal.number))

    def _seen(self, actor: Actor, request: Request) -> tuple[Kind, Proposal]:
        """The proposal, for whoever may propose or decide its kind, or inspects; to others there is none."""
        number = number_of("proposal", request.path_params["proposal"])
        proposal = approving.shown(self._counter.workshop, number)
        kind = None if proposal is None else KINDS.get(proposal.kind)
        if proposal is None or kind is None or not actor.may(*kind.proposers, *kind.approvers, Role.AUDITOR):
            raise NotFound(f"There is no proposal {number}.", vi=f"Không có đề xuất {number}.")
        return kind, proposal


def _closed(services: Services, subsystem: str) -> Decision | None:
    return refused_as_closed(subsystem, services.register, vietnam_date(services.workshop.clock()))


def _person(person: Person) -> dict[str, Any]:
    return {"handle": person.handle, "name": person.name, "agency": person.agency, "roles": sorted(person.roles)}


def proposal_document(proposal: Proposal) -> dict[str, Any]:
    """A proposal as it is shown."""
    return {
        "proposal": proposal.number,
        "kind": proposal.kind,
        "document": proposal.document,
        "digest": proposal.digest,
        "agency": proposal.agency,
        "reason": proposal.reason,
        "state": proposal.state,
        "proposed_by": proposal.proposed_by,
        "proposed_at": proposal.proposed_at,
        "expires_at": proposal.expires_at,
        "decided_by": proposal.decided_by,
        "decided_at": proposal.decided_at,
        "words": proposal.words,
    }


def _role(text: str) -> Role:
    try:
        return Role(text)
    except ValueError as error:
        raise BadRequest(f"Expected one of {', '.join(sorted(granting.GRANTABLE))}.", vi="Không có vai trò này.") from error
