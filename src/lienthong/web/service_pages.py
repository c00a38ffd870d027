"""What services there are, and how to call them: the addresses below `/v1/services` that are ours. No data, so no token."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from lienthong.access import Register
from lienthong.clock import vietnam_date
from lienthong.contracts.services import Kind
from lienthong.errors import BadRequest, Gone, NotFound
from lienthong.sharing.broker.book import Offer
from lienthong.sharing.broker.faces import cases_of, openapi_of, page_of, root_of, short_of, wsdl_of
from lienthong.sharing.broker.guide import guide_of
from lienthong.sharing.filters import read_known
from lienthong.web.asking import json_answer

if TYPE_CHECKING:
    from lienthong.web.brokering import BrokerDoor
    from lienthong.web.services import Services

MARKDOWN = "text/markdown"
ROOT = "/v1/services"


class ServicePages:
    """The catalogue of services."""

    def __init__(self, services: Services, door: BrokerDoor) -> None:
        self._services = services
        self._door = door

    def routes(self) -> list[Route]:
        shown: dict[str, Callable[[Request], Response]] = {
            "/{service}/openapi.json": self.openapi, "/{service}/wsdl": self.wsdl, "/{service}/guide": self.guide, "/{service}/test": self.test,
            "/{service}": self.shown, "": self.listed,
        }  # fmt: skip
        return [Route(ROOT + path, answer) for path, answer in shown.items()]

    def listed(self, request: Request) -> Response:
        """Every service with a version in use, by its default version."""
        read_known(request.query_params.multi_items(), ())
        found = []
        for name in self._door.book.services():
            try:
                found.append(short_of(self._door.book.default(name, self._today()), self._base))
            except Gone:
                continue
        return json_answer({"services": found}, is_public=True)

    def shown(self, request: Request) -> Response:
        offer = self._offer(request)
        register: Register = self._services.register
        return json_answer(page_of(offer, self._door.book.versions(offer.service.id), register, self._base), is_public=True)

    def openapi(self, request: Request) -> Response:
        """The OpenAPI document of a version; of a SOAP service that of its REST face."""
        service = self._offer(request).service
        if not service.document:
            raise NotFound(
                "The service has no REST operations.",
                hint="Its WSDL describes it.",
                hint_vi="WSDL của dịch vụ mô tả dịch vụ đó.",
                vi="Dịch vụ không có thao tác REST.",
            )
        return json_answer(openapi_of(service, self._base), is_public=True)

    def wsdl(self, request: Request) -> Response:
        service = self._offer(request).service
        if service.kind is not Kind.SOAP:
            raise NotFound(
                "The service is no SOAP service.",
                hint="Its openapi.json describes it.",
                hint_vi="openapi.json của dịch vụ mô tả dịch vụ đó.",
                vi="Dịch vụ không phải SOAP.",
            )
        return Response(wsdl_of(service, self._base), media_type="text/xml")

    def guide(self, request: Request) -> Response:
        """The integration guide, `?lang=vi` (unless said otherwise) or `en`."""
        language = request.query_params.get("lang", "vi")
        if language not in ("vi", "en"):
            raise BadRequest("`lang`: expected vi or en.", vi="`lang`: cần vi hoặc en.")
        return Response(guide_of(self._offer(request, "lang"), self._base, language), media_type=MARKDOWN)

    def test(self, request: Request) -> Response:
        """The test case, as data: what to send, what to expect. `lienthong service test` runs it."""
        service = self._offer(request).service
        document: dict[str, Any] = {"service": service.id, "version": service.version, "address": root_of(self._base, service)}
        return json_answer({**document, "cases": list(cases_of(service))}, is_public=True)

    def _offer(self, request: Request, *more: str) -> Offer:
        asked = read_known(request.query_params.multi_items(), ("version", *more))
        return self._door.book.find(request.path_params["service"], asked.get("version"), self._today())

    def _today(self) -> Any:
        return vietnam_date(self._services.workshop.clock())

    @property
    def _base(self) -> str:
        return self._services.settings.public_url
