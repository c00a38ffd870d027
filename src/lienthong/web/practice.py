"""`/sandbox/v1/…`: where a subsystem practises with a sandbox key and the platform sees how it does; `…/onboarding`: how far it has come."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from lienthong.access import SANDBOX, Role
from lienthong.clock import vietnam_date
from lienthong.errors import NotFound, Unauthenticated, Unprocessable
from lienthong.pipeline import first_week, onboarding
from lienthong.pipeline.alert_rules import read_rules, rules_file
from lienthong.pipeline.leveling import level_document, level_standing, lowest_of
from lienthong.pipeline.onboarding import Asking, Sandbox
from lienthong.store import subsystems as systems
from lienthong.web import acting
from lienthong.web.asking import Counter, json_answer
from lienthong.web.bodies import read_json
from lienthong.web.headers import OFFICIAL, PURPOSE, header_text
from lienthong.web.keys import practice_signer

if TYPE_CHECKING:
    from lienthong.web.services import Services

LARGEST_BODY = 20_000
KEEPERS = (Role.DATA_OFFICER, Role.INTEGRATOR, Role.OPERATOR, Role.AUDITOR)


class Practice:
    """The addresses of the sandbox."""

    def __init__(self, services: Services, counter: Counter) -> None:
        self._services = services
        self._counter = counter
        self._sandbox = Sandbox(services.workshop, services.sealing_key, practice_signer(services.settings))
        self._days = onboarding.read_days(services.settings.onboarding_days)

    def routes(self) -> list[Route]:
        return [
            Route("/sandbox/v1/practice/records/{key}", self._look_up, methods=["GET"]),
            Route("/sandbox/v1/checks", self._checks, methods=["GET"]),
            Route("/sandbox/v1/checks/withheld", self._withheld, methods=["POST"]),
            Route("/sandbox/v1/checks/ledger_proof", self._proofs, methods=["GET"]),
            Route("/sandbox/v1/checks/ledger_proof", self._say_proofs, methods=["POST"]),
            Route("/v1/subsystems/{instance}/{member_class}/{agency}/{subsystem}/onboarding", self._onboarding, methods=["GET"]),
        ]

    async def _look_up(self, request: Request) -> Response:
        purpose, official = (header_text(name, request.headers.get(name, "").encode("latin-1")) for name in (PURPOSE, OFFICIAL))
        name, jti = self._who(request)
        asking = Asking(name, jti, purpose, official)
        return json_answer(await run_in_threadpool(self._sandbox.look_up, asking, request.path_params["key"]))

    async def _checks(self, request: Request) -> Response:
        name, _ = self._who(request)
        return json_answer({"checks": await run_in_threadpool(self._sandbox.standing, name)})

    async def _withheld(self, request: Request) -> Response:
        name, _ = self._who(request)
        sent = await read_json(request, LARGEST_BODY)
        kinds = ("withheld", "not_delivered", "no_value")
        if not isinstance(sent, dict) or set(sent) != set(kinds) or not all(_are(sent[kind], str) for kind in kinds):
            raise Unprocessable(f"Expected {', '.join(kinds)}: lists of fields.", vi=f"Cần {', '.join(kinds)}: danh sách trường.")
        return json_answer(await run_in_threadpool(self._sandbox.say_withheld, name, sent))

    async def _proofs(self, request: Request) -> Response:
        name, _ = self._who(request)
        return json_answer(await run_in_threadpool(self._sandbox.proofs, name))

    async def _say_proofs(self, request: Request) -> Response:
        name, _ = self._who(request)
        sent: Any = await read_json(request, LARGEST_BODY)
        if not isinstance(sent, dict) or set(sent) != {"holds"} or not _are(sent["holds"], bool):
            raise Unprocessable("Expected `holds`: a list of true and false.", vi="Cần `holds`: danh sách đúng, sai.")
        return json_answer(await run_in_threadpool(self._sandbox.say_proofs, name, sent["holds"]))

    async def _onboarding(self, request: Request) -> Response:
        return json_answer(await run_in_threadpool(self._stages, request))

    def _stages(self, request: Request) -> Mapping[str, Any]:
        actor = acting.require(request, *KEEPERS)
        name = "/".join(request.path_params[part] for part in ("instance", "member_class", "agency", "subsystem"))
        with self._counter.workshop.database.connect() as connection:
            known = None if "\x00" in name else systems.find(connection, name)
            sees_all = not actor.subsystem and actor.may(Role.OPERATOR, Role.AUDITOR)
            if known is None or not (actor.is_of(known.agency) or sees_all):
                raise NotFound("There is no such subsystem of yours.", vi="Không có hệ thống này của cơ quan bạn.")
            opened = vietnam_date(systems.opened_at(connection, name))
            lowest, today = lowest_of(self._services.settings), vietnam_date(self._counter.clock())
            level = level_standing(connection, self._counter.workshop.contracts, name, lowest, today)
            found = onboarding.stages(
                connection,
                name,
                opened,
                self._services.rules.offices,
                self._days,
                known.agency,
                level,
                first_week.week_of(connection, name, today, read_rules(rules_file(self._services.settings))),
            )
            checks = onboarding.standing(connection, name)
        told = level_document(level, self._services.settings.security_level_days)
        return {"subsystem": name, "stages": found, "checks": checks, "security_level": told}

    def _who(self, request: Request) -> tuple[str, str]:
        """The subsystem that practises, and its token. Raises Unauthenticated for a token of production."""
        found = self._services.tokens.token_of(request.headers.get("authorization"), request.scope)
        if found is None or found.environment != SANDBOX:
            raise Unauthenticated(
                "The sandbox takes tokens got with a sandbox key.", rule="other_environment", vi="Vùng thử nghiệm chỉ nhận mã của khóa thử nghiệm."
            )  # fmt: skip
        return found.subsystem, found.jti


def _are(value: Any, kind: type) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str) and len(value) <= 50 and all(isinstance(each, kind) for each in value)
