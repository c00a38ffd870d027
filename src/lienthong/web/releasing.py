"""`/v1/datasets/{id}/release-checks`: whether a dataset may be opened without telling of somebody; checks, proposals to blur, decisions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from functools import partial
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from lienthong.access import Actor, Role
from lienthong.contracts import Contract
from lienthong.errors import NotFound, Unprocessable
from lienthong.pipeline import releasing
from lienthong.quality.disclosure import RULES, Limits
from lienthong.quality.generalising import STEPS, Proposal
from lienthong.settings import Settings
from lienthong.sharing.filters import read_known
from lienthong.store import releasing as store
from lienthong.store.approvals import Proposal as Awaiting
from lienthong.store.releasing import Check, Decision
from lienthong.web.acting import require
from lienthong.web.asking import Counter, contract_of, json_answer
from lienthong.web.bodies import read_json
from lienthong.web.desk import number_of, text_of
from lienthong.web.people import proposal_document

LARGEST_BODY = 20_000
READERS = (Role.DATA_OFFICER, Role.OPERATOR, Role.AUDITOR)
Act = Callable[[Counter, Settings, Actor, Contract, Request, Mapping[str, Any]], Any]


def routes_of(counter: Counter, settings: Settings) -> list[Route]:
    """The routes of this file."""
    root = "/v1/datasets/{dataset}/release-checks"
    return [
        Route(root, partial(_listed, counter), methods=["GET"]),
        Route(root, partial(_acting, counter, settings, _check, ()), methods=["POST"]),
        Route(f"{root}/{{check}}/decide", partial(_acting, counter, settings, _decide, ("outcome", "reason")), methods=["POST"]),
        Route("/v1/datasets/{dataset}/release-proposal", partial(_acting, counter, settings, _propose, ()), methods=["POST"]),
    ]


async def _listed(counter: Counter, request: Request) -> Response:
    return await run_in_threadpool(_list, counter, request)


def _list(counter: Counter, request: Request) -> Response:
    contract = contract_of(counter, request)
    read_known(request.query_params.multi_items(), ())
    actor = require(request, *READERS)
    if not actor.may(Role.OPERATOR, Role.AUDITOR):
        require(request, agency=contract.agency)
    with counter.connection() as connection:
        checks, decisions = store.list_checks(connection, contract.id), store.decisions_of(connection, contract.id)
    return json_answer({"checks": [check_document(each) for each in checks], "decisions": [decision_document(each) for each in decisions]})


async def _acting(counter: Counter, settings: Settings, act: Act, fields: tuple[str, ...], request: Request) -> Response:
    contract = contract_of(counter, request)
    actor = await run_in_threadpool(partial(require, request, Role.DATA_OFFICER, agency=contract.agency))
    sent: Any = await read_json(request, LARGEST_BODY) if fields else {}
    if not isinstance(sent, dict) or set(sent) != set(fields):
        raise Unprocessable(f"Expected an object of {', '.join(fields)}.", vi=f"Cần một đối tượng gồm {', '.join(fields)}.")
    return json_answer(await run_in_threadpool(act, counter, settings, actor, contract, request, sent))


def _check(counter: Counter, settings: Settings, actor: Actor, contract: Contract, _: Request, __: Mapping[str, Any]) -> Any:
    return check_document(releasing.check(counter.workshop, contract, actor, limits_of(settings)))


def _propose(counter: Counter, settings: Settings, actor: Actor, contract: Contract, _: Request, __: Mapping[str, Any]) -> Any:
    return blur_document(releasing.propose_for(counter.workshop, contract, actor, limits_of(settings)))


def _decide(
    counter: Counter, settings: Settings, actor: Actor, contract: Contract, request: Request, sent: Mapping[str, Any]
) -> Any:  # fmt: skip
    number = number_of("check", request.path_params["check"])
    require_own(counter, contract, number)
    made = releasing.decide(
        counter.workshop, number, actor, text_of(sent, "outcome"), text_of(sent, "reason"), needs_two=settings.open_two_persons
    )
    return {"decision": decision_document(made)} if isinstance(made, Decision) else {"proposal": awaiting_document(made)}


def require_own(counter: Counter, contract: Contract, number: int) -> None:
    """Raises NotFound for a check of another dataset."""
    with counter.connection() as connection:
        held = store.find_check(connection, number)
    if held is None or held.dataset != contract.id:
        raise NotFound(f"There is no check {number}.", vi=f"Không có lần kiểm tra {number}.")


def limits_of(settings: Settings) -> Limits:
    return Limits(settings.open_class_size, settings.open_diversity)


def check_document(check: Check) -> dict[str, Any]:
    """A check as it is told: counts, each finding in words."""
    findings = [{**found, "vi": RULES[found["rule"]][0], "en": RULES[found["rule"]][1]} for found in check.report["findings"]]
    return {
        "check": check.number,
        "dataset": check.dataset,
        "version": check.version,
        "contract_version": check.contract_version,
        "shape": check.shape,
        "verdict": check.verdict,
        "rows": check.report["rows"],
        "limits": check.report["limits"],
        "spread": check.report["spread"],
        "telling": check.report["telling"],
        "findings": findings,
        "checked_by": check.checked_by,
        "checked_at": check.checked_at,
    }


def decision_document(decision: Decision) -> dict[str, Any]:
    """A decision as it is told."""
    return asdict(decision)


def awaiting_document(proposal: Awaiting) -> dict[str, Any]:
    """What waits for the second person."""
    return proposal_document(proposal)


def blur_document(proposal: Proposal) -> dict[str, Any]:
    """What to blur, each step in words."""
    found = proposal.document()
    return {**found, "steps": [{**step, "vi": STEPS[step["to"]][0], "en": STEPS[step["to"]][1]} for step in found["steps"]]}
