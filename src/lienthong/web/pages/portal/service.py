"""One service called through the platform: who answers for it, its operations with what is sent and what comes back, the guide to join."""

from __future__ import annotations

from functools import cache
from typing import Any

from markupsafe import Markup

from lienthong.clock import vietnam_date
from lienthong.contracts.services import Route, Service
from lienthong.sharing.broker.book import Book
from lienthong.sharing.broker.faces import cases_of, page_of
from lienthong.sharing.broker.guide import guide_of
from lienthong.sharing.broker.samples import rest_sample, soap_sample
from lienthong.web.pages.page import Page, Table
from lienthong.web.pages.portal.regulations import told_of_service
from lienthong.web.pages.site import Site
from lienthong.web.pages.visiting import Visit

LONGEST_SAMPLE = 4_000  # characters of an example that are shown


def shown(site: Site, visit: Visit) -> Page:
    """The default version, or the one `?version=` names."""
    today = vietnam_date(site.counter.clock())
    with site.counter.workshop.database.connect() as connection:
        book = Book.read(connection)
    offer = book.find(visit.path["service"], visit.text("version") or None, today)
    service = offer.service
    found = page_of(offer, book.versions(service.id), site.register(), site.counter.public_url)
    stop = book.stops.get(service.id)
    facts: dict[str, Any] = {
        **found,
        "agency_name": site.agency(service.agency),
        "is_sandbox": site.settings.sandbox,
        "stop": None if stop is None else {"begins_at": stop.begins_at, "restores_at": stop.restores_at},
        "examples": examples_of(service),
        "regulations": told_of_service(site, service.id, service.agency),
    }
    beside = {"guide": rendered(guide_of(offer, site.counter.public_url, visit.speech.language)), "sandbox_url": site.settings.sandbox_url}
    rows = [(each["endpoint"], each["title"] or each["name"]) for each in found["operations"]]
    title = visit.speech.pick(service.title_vi, service.title_en)
    return Page("portal/service.html", title, facts, Table(("endpoint", "title"), rows), beside, is_public=True)


def examples_of(service: Service) -> list[dict[str, Any]]:
    """Of each operation what the test sends, and what the sandbox answers to it."""
    routes = {route.endpoint: route for route in service.routes}
    found = []
    for case in cases_of(service):
        request = case["request"]
        status, body = _answer(service, routes[case["endpoint"]])
        found.append(
            {
                "endpoint": case["endpoint"], "name": case["name"], "verb": request["verb"], "path": request["path"],
                "body": str(request.get("body", ""))[:LONGEST_SAMPLE], "status": status, "answer": body[:LONGEST_SAMPLE],
            }
        )  # fmt: skip
    return found


def _answer(service: Service, route: Route) -> tuple[int, str]:
    if route.soap and not route.is_mapped:
        return 200, soap_sample(service, route.soap).decode()
    status, _, body = rest_sample(service, route)
    return status, body.decode("utf-8", "replace")


def rendered(text: str) -> Markup:
    """A guide as HTML, one heading level lower than written. What a provider wrote in it is text: no markup of its own, no link that acts."""
    lines = text.split("\n")
    under = "\n".join(lines[1:] if lines and lines[0].startswith("# ") else lines)
    return Markup(_markdown().render(under).replace("<pre>", '<pre tabindex="0">').replace("<h2>", "<h3>").replace("</h2>", "</h3>"))  # noqa: S704 # markdown-it with html off escapes all text


@cache
def _markdown() -> Any:
    from markdown_it import MarkdownIt  # noqa: PLC0415 # only this page needs it

    return MarkdownIt("commonmark", {"html": False}).enable("table").disable(["link", "image", "autolink", "html_inline", "html_block"])
