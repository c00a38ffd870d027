"""The HTTP door: the hot address by hand, everything else through the router, every error a problem document."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING

import anyio.from_thread
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from lienthong.access import Decision, Sealer
from lienthong.clock import vietnam_date
from lienthong.errors import LienthongError, Unauthenticated
from lienthong.log import get_logger
from lienthong.pipeline import noticing, units
from lienthong.pipeline.alert_rules import read_rules, rules_file
from lienthong.pipeline.drafting import take_up
from lienthong.pipeline.first_week import limits_of
from lienthong.pipeline.leveling import lowest_of
from lienthong.pipeline.privacy import registrar_of
from lienthong.settings import Settings
from lienthong.web import (
    acting,
    alerts,
    health,
    identities,
    lists,
    look_up,
    metrics,
    monitoring,
    monthly,
    proposals,
    receipts,
    releasing,
    reports,
    reviews,
    signing,
    stewardship,
    syncs,
    tiles,
    writing,
)
from lienthong.web.agreements import Agreements
from lienthong.web.asking import Counter
from lienthong.web.authorising import IDENTIFIED, Authoriser
from lienthong.web.bell import Bell
from lienthong.web.beside import Beside
from lienthong.web.brokering import BrokerDoor
from lienthong.web.companion import Companions
from lienthong.web.default_list import DefaultList
from lienthong.web.delivering import clerk_of
from lienthong.web.doors import ckan, delta, feeds, opening, packages
from lienthong.web.doors.dcat import DcatDoor
from lienthong.web.doors.dictionary import DictionaryDesk
from lienthong.web.doors.odata import serving as odata
from lienthong.web.doors.ogc import serving as ogc
from lienthong.web.doors.sdmx import serving as sdmx
from lienthong.web.events import Streams
from lienthong.web.govstack import GovStackDoor
from lienthong.web.headers import check_escapes
from lienthong.web.hot import HotPath, Receive, Scope, Send
from lienthong.web.pages import routes as pages
from lienthong.web.pages.guarding import guarded
from lienthong.web.pages.site import Site
from lienthong.web.pages.training.sitting import banner_of
from lienthong.web.people import People
from lienthong.web.practice import Practice
from lienthong.web.privacy import PrivacyDesk
from lienthong.web.problem import AWAY, answer_problem
from lienthong.web.quick import Quick
from lienthong.web.recording import Recorder
from lienthong.web.records import routes_of
from lienthong.web.register_watch import RegisterWatch
from lienthong.web.registry import Registry
from lienthong.web.regulating import RegulationFiles
from lienthong.web.rereading import Rereading
from lienthong.web.rooms import Rooms
from lienthong.web.service_desk import ServiceDesk
from lienthong.web.service_pages import ServicePages
from lienthong.web.services import Services
from lienthong.web.soap import SoapDoor
from lienthong.web.steady import steadied
from lienthong.web.subscriptions import Subscriptions
from lienthong.web.tokens import TOKEN_PATH, describe_server, give_token, public_keys
from lienthong.web.uses import UsesDesk
from lienthong.web.xroad import XRoadDoor
from lienthong.web.xroad_gate import Gate

if TYPE_CHECKING:
    from lienthong.web.tracing import Tracer

SECONDS_BETWEEN_LOOKS = 0.5  # how soon a revoked token is refused and a changed agreement counts
log = get_logger("web")


class App:
    """The ASGI application: a look-up by key goes straight to the hot path, the rest to Starlette."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._recorder = Recorder(services)
        self.hot = HotPath(services, self._recorder)
        self.quick = Quick(self.hot)
        self._is_secure = services.settings.public_url.startswith("https:")
        self._shell = {"is_sample": services.settings.accept_synthetic_ids}
        self.broker = BrokerDoor(services)
        self._rest = _router(services, self.broker, self._recorder)
        gate = Gate(services, self, lambda: self.broker.book)
        self._signing = signing.Signing(services, services.tokens.signing_key)
        self._doors: tuple[XRoadDoor | SoapDoor | GovStackDoor, ...] = (GovStackDoor(gate), XRoadDoor(gate), SoapDoor(gate))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._rest(scope, receive, send)
            return
        if signing.concerns(scope):
            await self._signing.around(self._answer, scope, receive, send)
        else:
            await self._answer(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["lienthong"] = self._shell
        plain_send, send = send, guarded(send, is_secure=self._is_secure)
        try:
            if self.hot.wants(scope):
                await self.hot(scope, receive, plain_send)  # a look-up's bytes are counted: it is never shown as a page
                return
            for door in self._doors:
                if door.wants(scope):
                    await door(scope, receive, send)
                    return
            if self.broker.wants(scope):
                await self._recorder.around(self.broker, scope, receive, send)
                return
            check_escapes((scope.get("raw_path") or b"").partition(b"?")[0])
        except Exception as error:  # anything unforeseen is a problem document too
            await answer_problem(Request(scope), error)(scope, receive, send)
            return
        await self._recorder.around(self._rest, scope, receive, steadied(scope, send))


def create_app(services: Services) -> App:
    """The application over wired services."""
    return App(services)


def _router(services: Services, door: BrokerDoor, recorder: Recorder) -> Starlette:
    identify = partial(_identified, services)
    authorise = Authoriser(
        services.workshop,
        lambda: services.register,
        identify,
        partial(_charge, services),
        lambda request: services.addresses.of(request.scope),
        services.rules.offer,
    )
    counter = Counter(
        services.workshop, authorise, services.settings.public_url, services.settings.accept_synthetic_ids, services.subject_key,
        delta.store_of(services.settings),
    )  # fmt: skip
    bell = Bell()

    async def token(request: Request) -> Response:
        return await give_token(services, request)

    async def record(request: Request) -> Response:
        return await run_in_threadpool(look_up.given, counter, request, services.subject_key)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        await services.store.open()
        await asyncio.to_thread(door.look)
        companions = _companions(services)
        watching = asyncio.create_task(_watch(services, companions, door))
        tracer = _tracer(services.settings)
        if tracer is not None:
            recorder.watchers.append(tracer.watch)
        recording = asyncio.create_task(recorder.keep_on())
        try:
            yield
        finally:
            await bell.close()
            watching.cancel()
            recording.cancel()
            await asyncio.gather(watching, recording, return_exceptions=True)
            await recorder.flush()
            if tracer is not None:
                await asyncio.to_thread(tracer.close)
            counter.close()
            await door.close()
            await _give_back(services, everything=True)
            await services.store.close()
            await asyncio.to_thread(companions.stop)

    people = People(services, counter)
    notary, portals = receipts.notary_of(counter, services.settings), frozenset(services.settings.citizen_portals.split())
    due_on = proposals.due_after(services.settings.correction_working_days, services.rules.offices)
    uses = UsesDesk(counter, authorise, lambda: services.register, notary, services.subject_key, portals, services.settings.data_protection)
    registrar = registrar_of(services.workshop, services.settings)
    privacy_desk = PrivacyDesk(counter, registrar, Sealer(services.sealing_key))
    regulations = RegulationFiles(services.settings.regulations)
    site = Site(counter, lambda: services.register, services.settings, acting.session_of, uses, privacy_desk, due_on, regulations)
    app = Starlette(
        routes=[
            Route(TOKEN_PATH, token, methods=["POST"]),
            *health.routes_of(services),
            metrics.route_of(counter, services.settings),
            Route("/.well-known/oauth-authorization-server", lambda _: describe_server(services)),
            Route("/.well-known/jwks.json", lambda _: public_keys(services)),
            *people.routes(),
            *tiles.routes_of(services, counter),
            *Registry(
                counter,
                services.settings.onboarding_required,
                lowest_of(services.settings),
                services.settings.security_level_days,
                limits_of(read_rules(rules_file(services.settings))),
            ).routes(),
            *Practice(services, counter).routes(),
            *receipts.routes_of(counter, authorise, notary),
            *uses.routes(),
            *privacy_desk.routes(),
            Route("/v1/datasets/{dataset}/records/{key:path}", record),
            *syncs.routes_of(counter, services.settings, lambda: services.register),
            *proposals.routes_of(counter, services.subject_key, due_on, registrar),
            *writing.routes_of(counter, services.subject_key, due_on),
            *lists.routes_of(counter, authorise),
            *identities.routes_of(counter, authorise, services.subject_key),
            *stewardship.routes_of(counter, authorise),
            *reviews.routes_of(counter, authorise),
            *reports.routes_of(counter, authorise, services.settings.typing_characters_per_minute),
            *monitoring.routes_of(counter, services.settings),
            *alerts.routes_of(counter),
            monthly.route_of(counter),
            *Streams(counter, authorise, bell).routes(),
            *Subscriptions(
                counter, authorise, clerk_of(services.settings, services.workshop), services.settings.webhook_timeout_seconds
            ).routes(),
            *Rooms(services, clerk_of(services.settings, services.workshop), authorise.address).routes(),
            *ServicePages(services, door).routes(),
            *Agreements(services, counter, authorise.charge, regulations).routes(),
            *Beside(services, counter).routes(),
            *DefaultList(counter, services.rules.offer, services.settings.default_review_months).routes(),
            *ServiceDesk(services, counter).routes(),
            *odata.routes_of(counter),
            *delta.routes_of(counter, services, authorise),
            *ogc.routes_of(counter, services.settings.borders),
            *DictionaryDesk(counter, site.shelf).routes(),
            *site.desk.routes(),
            *feeds.routes_of(counter, site.shelf, site.desk, identify),
            *opening.routes_of(counter, services.settings),
            *sdmx.routes_of(counter),
            *routes_of(counter),
            *releasing.routes_of(counter, services.settings),
            *ckan.routes_of(counter, site.shelf),
            *packages.routes_of(counter, site.shelf),
            *DcatDoor(
                counter, site.shelf, lambda: services.register, services.settings
            ).routes(),  # its `/dataset/{dataset}` takes what narrower ones left
            *pages.routes_of(site),
        ],
        exception_handlers=dict.fromkeys((LienthongError, HTTPException, *AWAY, Exception), answer_problem),
        lifespan=lifespan,
    )
    app.state.acting = people.acting
    app.state.practice = banner_of(site)
    return app


def _identified(services: Services, request: Request) -> str | None:
    """The subsystem that asks: by its token, or by the profile a door has recognised. Raises Unauthenticated."""
    known: str | None = request.scope.get(IDENTIFIED)
    if known is None:
        return services.tokens.subsystem_of(request.headers.get("authorization"), request.scope)
    found = services.register.subsystems.get(known)
    if found is None or not found.is_active:
        raise Unauthenticated("This subsystem is closed.", vi="Hệ thống này đã đóng.")
    return known


def _charge(services: Services, decision: Decision) -> None:
    """Count an answer, from a worker thread: the counting is the event loop's."""
    quota = decision.quota
    if quota.per_minute is not None or quota.per_day is not None:
        anyio.from_thread.run(services.quotas.take, decision.agreement, quota, vietnam_date(services.workshop.clock()))


async def _give_back(services: Services, *, everything: bool = False) -> None:
    try:
        await services.quotas.give_back(everything=everything)
    except AWAY as error:  # what is not given back counts as used
        log.warning("quotas_not_given_back", error=type(error).__name__)


def _tracer(settings: Settings) -> Tracer | None:
    """What sends traces, None where no collector is named."""
    if not settings.traces_url:
        return None
    from lienthong.web.tracing import Tracer  # noqa: PLC0415 # few have a collector, and OpenTelemetry takes a while to load

    return Tracer(settings)


def _companions(services: Services) -> Companions:
    settings = services.settings
    wanted = {"lienthong.web.sequencer": settings.checkpoint_milliseconds > 0, "lienthong.web.worker": settings.worker}
    return Companions([module for module, is_wanted in wanted.items() if is_wanted], settings, services.workshop.database.url)


async def _watch(services: Services, companions: Companions, door: BrokerDoor) -> None:
    """Keep the list of revoked tokens and the register of agreements fresh, and the processes beside the server running."""
    register, began, in_thread = RegisterWatch(services), services.workshop.clock(), asyncio.to_thread
    services.reread = Rereading(lambda: in_thread(register.look))

    async def notices() -> None:
        if await in_thread(noticing.take_up, services.workshop):
            register.forget()  # what was decided under the contract before is decided again

    async def revocations() -> None:
        services.tokens.revoke(await services.store.revoked())

    looks: Mapping[str, Callable[[], Awaitable[object]]] = {
        "companion_not_started": lambda: in_thread(companions.ensure),
        "notices_not_read": notices,
        "agreements_not_read": lambda: in_thread(register.look),
        "units_not_read": lambda: in_thread(units.follow, services.workshop),
        "contracts_not_read": lambda: in_thread(take_up, services.workshop, began),
        "services_not_read": lambda: in_thread(door.look),
        "revocations_not_read": revocations,
        "quotas_not_given_back": lambda: _give_back(services),
    }
    while True:
        for failure, look in looks.items():
            try:
                await look()
            except Exception as error:  # what is looked at may be away for a while: one look that fails ends none of the others
                log.warning(failure, error=type(error).__name__)
        await asyncio.sleep(SECONDS_BETWEEN_LOOKS)
