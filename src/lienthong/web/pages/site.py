"""What every page needs, and how a page function becomes an address: itself, and its data with `.json` and `.csv`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property, partial

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from lienthong.access import Register, Session
from lienthong.catalog import Index, Kind
from lienthong.catalog.regulations import Regulation
from lienthong.contracts import Contract
from lienthong.pipeline.agreeing import rules_of
from lienthong.pipeline.proposing import DueOn
from lienthong.settings import Settings
from lienthong.sharing.way_out import no_dataset
from lienthong.standards.working_days import WorkingDays
from lienthong.store import Connection
from lienthong.web.asking import Counter, public_contracts
from lienthong.web.doors.catalogue import CatalogueDesk
from lienthong.web.pages.borders import Borders
from lienthong.web.pages.numbers import Numbers
from lienthong.web.pages.page import Page, answer
from lienthong.web.pages.visiting import Visit, form_of, visit_of
from lienthong.web.privacy import PrivacyDesk
from lienthong.web.regulating import RegulationFiles
from lienthong.web.shelf import Shelf
from lienthong.web.uses import UsesDesk


@dataclass
class Site:
    """The counter, who may be known to read, and what is kept between requests."""

    counter: Counter
    register: Callable[[], Register]
    settings: Settings
    session_of: Callable[[Request], Session | None]
    uses: UsesDesk | None = None
    privacy: PrivacyDesk | None = None
    due_on: DueOn | None = None
    rules_of_use: RegulationFiles | None = None
    borders: Borders = field(init=False)
    shelf: Shelf = field(init=False)
    desk: CatalogueDesk = field(init=False)
    numbers: Numbers = field(init=False)

    def __post_init__(self) -> None:
        self.borders = Borders(self.settings.borders)
        self.numbers = Numbers(self.settings.indicators, lambda: self.contracts)
        self.shelf = Shelf(self.counter, self.numbers.indicators)
        self.desk = CatalogueDesk(self.counter, self.shelf, self.register, self.settings)

    @property
    def contracts(self) -> Mapping[str, Contract]:
        return self.counter.contracts

    @property
    def public(self) -> Mapping[str, Contract]:
        """The datasets everybody may know of."""
        return {contract.id: contract for contract in public_contracts(self.counter)}

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        with self.counter.connection() as connection:
            yield connection

    @cached_property
    def _offices(self) -> WorkingDays:
        return rules_of(self.settings).offices

    def explain_by(self, day: date) -> date:
        """The last day to explain a figure somebody asked about on a day."""
        return self._offices.add(day, self.settings.explanation_working_days)

    def regulations(self) -> tuple[Regulation, ...]:
        """The data-use regulations there are."""
        return () if self.rules_of_use is None else self.rules_of_use.now()

    def agencies(self) -> Mapping[str, str]:
        """Code → name."""
        return self.shelf.agencies()

    def agency(self, code: str) -> str:
        """The name of an agency; where the register does not have it (police, insurance: not the province's own) as indicators call their owner; else its code."""
        found = self.agencies().get(code)
        if found is None:
            found = next((each.owner_name for each in self.numbers.indicators().values() if each.owner == code and each.owner_name), code)
        return found

    def named(self, id: str) -> tuple[str, str, str]:
        """(Vietnamese title, English title, address of the page) of a dataset or a service; of what is neither its id alone."""
        contract = self.contracts.get(id)
        if contract is not None:
            return contract.title_vi, contract.title_en, f"/datasets/{id}"
        service = next((item for item in self.index().items if item.id == id and item.kind is Kind.SERVICE), None)
        return (id, id, "") if service is None else (service.title_vi, service.title_en, f"/services/{id}")

    def index(self) -> Index:
        """The catalogue to search in."""
        return self.shelf.index()


Show = Callable[[Site, Visit], Page | Response]
Way = tuple[str, Show]


def page_routes(site: Site, ways: Sequence[Way]) -> list[Route]:
    """Three routes of each page: its data first, for their addresses are the narrower ones."""
    found = []
    for path, show in ways:
        for form in ("json", "csv"):
            found.append(Route(("/index" if path == "/" else path) + f".{form}", partial(_answer, site, show, form)))
        found.append(Route(path, partial(_answer, site, show, None)))
    return found


async def _answer(site: Site, show: Show, form: str | None, request: Request) -> Response:
    return await run_in_threadpool(_shown, site, show, form, request)


def _shown(site: Site, show: Show, form: str | None, request: Request) -> Response:
    session = site.session_of(request) if request.cookies else None
    visit = visit_of(request, site.counter.clock(), form or form_of(request), session, is_sample=site.counter.is_sample)
    page = show(site, visit)
    return page if isinstance(page, Response) else answer(page, visit)


def contract_named(site: Site, visit: Visit) -> Contract:
    """The contract an address names. Raises NotFound, also for who is no official where its entry is not public."""
    contract = site.contracts.get(visit.path["dataset"])
    if contract is None or (contract.is_hidden and (visit.session is None or visit.session.person is None)):
        raise no_dataset(visit.path["dataset"])
    return contract
