"""`/v1/service-definitions…`: what a provider does with its own services over HTTP: register, publish, compare, stop, resume."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from lienthong.contracts.services import ServiceFiles, ServiceState, read_service, understand
from lienthong.errors import ContractError, Unprocessable
from lienthong.pipeline import service_acts
from lienthong.sharing.filters import read_known
from lienthong.store.services import StoredService
from lienthong.web import acting
from lienthong.web.asking import Counter, json_answer
from lienthong.web.bodies import read_json

if TYPE_CHECKING:
    from lienthong.web.services import Services

ROOT = "/v1/service-definitions"
LARGEST = 12 * 1024 * 1024  # a definition and its description
Act = Callable[[Request, Mapping[str, Any]], Mapping[str, Any]]


class ServiceDesk:
    """Acts of providers. Who may do what is `pipeline.service_acts`'s to say."""

    def __init__(self, services: Services, counter: Counter) -> None:
        self._services = services
        self._workshop = counter.workshop

    def routes(self) -> list[Route]:
        acts: dict[str, Act] = {
            "": self.register, "/{service}/stop": self.stop, "/{service}/resume": self.resume, "/{service}/{version}/state": self.move,
        }  # fmt: skip
        return [
            *(Route(ROOT + path, self._taking(act), methods=["POST"]) for path, act in acts.items()),
            Route(ROOT + "/{service}/diff", self.diff),
        ]

    def register(self, request: Request, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """Take a version in as a draft, or a change that breaks nobody."""
        actor = acting.require(request, *service_acts.MAY)
        definition, description = body.get("definition"), body.get("description")
        if not isinstance(definition, dict) or not isinstance(description, str) or set(body) - {"definition", "description"}:
            raise Unprocessable(
                "Expected `definition` (service.yaml as JSON) and `description` (text).", vi="Cần `definition` và `description`."
            )
        try:
            understood = understand(definition, description)
            read_service(definition, description, understood)
        except ContractError as error:
            told = "; ".join(f"{place}: {what}" for place, what, _ in error.faults[:20]) or error.message
            raise Unprocessable(f"The service has faults: {told}", vi=f"Định nghĩa dịch vụ có lỗi: {told}") from error
        return _told(service_acts.register_service(self._workshop, actor, ServiceFiles(definition, description, understood)))

    def move(self, request: Request, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """Publish, deprecate or retire a version."""
        actor = acting.require(request, *service_acts.MAY)
        states = {state.value: state for state in ServiceState if state is not ServiceState.DRAFT}
        state = states.get(str(body.get("state")))
        if state is None or set(body) - {"state", "sunset_on"}:
            raise Unprocessable(f"`state`: expected one of {', '.join(states)}.", vi="Trạng thái không đúng.")
        sunset = None if body.get("sunset_on") is None else _read(date.fromisoformat, body["sunset_on"], "sunset_on")
        return _told(
            service_acts.move_service(self._workshop, actor, request.path_params["service"], request.path_params["version"], state, sunset)
        )

    def stop(self, request: Request, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """Announce that calls are not taken for a while."""
        actor = acting.require(request, *service_acts.MAY)
        begins, restores = (_read(_instant, body.get(name), name) for name in ("begins_at", "restores_at"))
        reason = (str(body.get("reason_vi") or ""), str(body.get("reason_en") or body.get("reason_vi") or ""))
        return {"stop": service_acts.stop_service(self._workshop, actor, request.path_params["service"], begins, restores, reason)}

    def resume(self, request: Request, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """Take calls again."""
        del body
        actor = acting.require(request, *service_acts.MAY)
        return {"stop": service_acts.resume_service(self._workshop, actor, request.path_params["service"])}

    def diff(self, request: Request) -> Response:
        """How two versions differ, whether that breaks callers, and which agreements are hit."""
        acting.require(request, *service_acts.MAY)
        asked = read_known(request.query_params.multi_items(), ("old", "new"))
        with self._workshop.database.connect() as connection:
            found = service_acts.difference(
                connection, request.path_params["service"], asked.get("old", ""), asked.get("new", ""), self._services.register
            )
        changes = [{"endpoint": c.endpoint, "place": c.place, "what": c.what, "breaking": c.is_breaking} for c in found.changes]
        return json_answer({"breaking": found.breaks, "changes": changes, "agreements": list(found.agreements)})

    def _taking(self, act: Act) -> Callable[[Request], Any]:
        async def answer(request: Request) -> Response:
            read_known(request.query_params.multi_items(), ())
            body = await read_json(request, LARGEST)
            if not isinstance(body, dict):
                raise Unprocessable("Expected a JSON object.", vi="Cần một đối tượng JSON.")
            return json_answer(await run_in_threadpool(act, request, body))

        return answer


def _told(stored: StoredService) -> dict[str, Any]:
    return {
        "service": stored.service,
        "version": stored.version,
        "agency": stored.agency,
        "state": stored.state,
        "sunset_on": stored.sunset_on,
        "revision": stored.revision,
    }


def _instant(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    if found.tzinfo is None:
        raise ValueError(text)
    return found


def _read(reader: Callable[[str], Any], value: Any, name: str) -> Any:
    try:
        return reader(value if isinstance(value, str) else "")
    except (ValueError, OverflowError) as error:
        raise Unprocessable(
            f"`{name}`: expected a date or an instant with its offset.", vi=f"`{name}`: cần ngày hoặc thời điểm."
        ) from error
